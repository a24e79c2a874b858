//! Differentiable array operations on [`Var`](crate::Var), a file per family, with numpy's names and conventions.

mod arithmetic;
pub(crate) mod broadcast;
mod complex;
mod einsum;
mod elementary;
mod joining;
mod products;
mod reductions;
mod selection;
mod shape;

pub use complex::{complex, from_polar};
pub use einsum::{ContractionOrder, Einsum, einsum, einsum_labels, einsum_path};
pub use joining::stack;
pub use products::{block_diag, cross, dot, inner, kron, matmul, multi_dot, outer, tensordot, vdot};
