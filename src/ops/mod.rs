//! Differentiable array operations on [`Var`](crate::Var), a file per family, with numpy's names and conventions.

mod arithmetic;
pub(crate) mod broadcast;
mod complex;
mod creation;
mod einsum;
mod elementary;
pub mod fft;
mod indexing;
mod joining;
mod map;
mod products;
mod reductions;
pub(crate) mod selection;
mod shape;
mod view;

pub use complex::{complex, from_polar};
pub use einsum::{ContractionOrder, Einsum, einsum, einsum_labels, einsum_path};
pub use indexing::ELLIPSIS;
pub use joining::{column_stack, concatenate, dstack, hstack, stack, vstack};
pub use map::{Count, MapInputs, MapOutputs, map, zip_map};
pub use ndarray::{NewAxis, s};
pub use products::{block_diag, cross, dot, inner, kron, matmul, multi_dot, outer, tensordot, vdot};
pub use reductions::{Axes, keepdims};
pub use shape::INFER;
