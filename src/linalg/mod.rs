//! Dense linear algebra.

#[doc(hidden)]
pub mod backend;
