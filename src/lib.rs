//! Differentiable physics.
#![deny(missing_docs)]
#![deny(unsafe_code)]

pub mod error;
#[allow(dead_code)]
mod kernels;
pub mod physics;
pub mod scalar;

pub use error::{Error, Result};
pub use scalar::{Real, Scalar};
