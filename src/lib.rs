//! Differentiable physics.
#![deny(missing_docs)]
#![deny(unsafe_code)]

pub mod error;

#[doc(hidden)]
pub mod kernels;
pub mod scalar;

pub use error::{Error, Result};
pub use scalar::{Real, Scalar};
