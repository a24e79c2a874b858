//! Differentiable physics.
#![deny(missing_docs)]
#![deny(unsafe_code)]

pub mod autodiff;
pub mod circuit;
pub mod distributions;
pub mod error;
mod flat;
pub mod flow;
pub mod implicit;
pub mod io;
/// Public for the tests and benches only, and no part of the API.
#[doc(hidden)]
#[allow(dead_code)]
pub mod kernels;
pub mod linalg;
pub mod nn;
pub mod ode;
pub mod ops;
pub mod optim;
pub mod physics;
pub mod random;
pub mod scalar;
pub mod special;
mod tensor;
pub mod tensor_network;
pub mod variational;

pub use autodiff::*;
pub use error::{Error, Result};
pub use scalar::{Real, Scalar};

/// Gives memory that is kept for reuse back to the system.
///
/// Freed arrays of 64 kB to 32 MB are kept, up to 64 MB in all, for the next arrays of about their size.
pub fn release_memory() {
    kernels::pool::release();
}

/// What most programs need: `use pullback::prelude::*;`.
pub mod prelude {
    pub use crate::autodiff::*;
    pub use crate::error::{Error, Result};
    pub use crate::ops::*;
    pub use crate::scalar::{Real, Scalar, ScalarFn};
    pub use crate::scalar_fn;
}
