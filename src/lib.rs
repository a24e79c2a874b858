//! Differentiable physics.
#![deny(missing_docs)]
#![deny(unsafe_code)]

pub mod autodiff;
pub mod error;
pub mod implicit;
/// Public for the benches only, and no part of the API.
#[doc(hidden)]
#[allow(dead_code)]
pub mod kernels;
pub mod linalg;
pub mod ops;
pub mod physics;
pub mod scalar;
mod tensor;
pub mod tensor_network;

pub use autodiff::*;
pub use error::{Error, Result};
pub use scalar::{Real, Scalar};

/// What most programs need: `use pullback::prelude::*;`.
pub mod prelude {
    pub use crate::autodiff::*;
    pub use crate::error::{Error, Result};
    pub use crate::ops::*;
    pub use crate::scalar::{Real, Scalar, ScalarFn};
    pub use crate::scalar_fn;
}
