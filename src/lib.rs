//! Differentiable physics.
#![deny(missing_docs)]
#![deny(unsafe_code)]

pub mod autodiff;
pub mod error;
#[allow(dead_code)]
mod kernels;
pub mod ops;
pub mod scalar;
mod tensor;

pub use autodiff::*;
pub use error::{Error, Result};
pub use scalar::{Real, Scalar};

/// What most programs need: `use pullback::prelude::*;`.
pub mod prelude {
    pub use crate::autodiff::*;
    pub use crate::error::{Error, Result};
    pub use crate::ops::{keepdims, map, zip_map};
    pub use crate::scalar::{Real, Scalar, ScalarFn};
    pub use crate::scalar_fn;
}
