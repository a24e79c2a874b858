//! Flows: bijections, bases, densities.
mod bijections;
mod continuous;
mod zoo;
