//! Flows: bijections, bases, densities.
mod bijections;
mod zoo;
