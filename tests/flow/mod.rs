//! Flows: bijections, bases, densities.
mod bijections;
mod continuous;
mod densities;
mod errors;
mod extremes;
mod zoo;
