//! Differentiable physics.
#![deny(missing_docs)]
#![deny(unsafe_code)]

pub mod error;
/// Public for the benches only, and no part of the API.
#[doc(hidden)]
#[allow(dead_code)]
pub mod kernels;
pub mod scalar;

pub use error::{Error, Result};
pub use scalar::{Real, Scalar};
