//! Contraction of tensor networks, on [`einsum`](crate::ops::einsum()) and the decompositions of [`linalg`](crate::linalg).
//!
//! Finite networks are contracted by [`einsum_labels`](crate::ops::einsum_labels) and [`Einsum`](crate::ops::Einsum). Here are the
//! renormalisation groups for infinite ones, and the tensors of lattice models.

mod models;
mod trg;

pub use models::ising_tensor;
pub use trg::Trg;
