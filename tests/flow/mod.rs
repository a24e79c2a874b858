//! Flows: bijections, bases, densities.
mod bijections;
mod densities;
mod errors;
mod extremes;
mod zoo;
