//! Differentiable array operations on [`Var`](crate::Var), a file per family, with numpy's names and conventions.

mod arithmetic;
pub(crate) mod broadcast;
mod complex;
mod creation;
mod elementary;
mod indexing;
mod joining;
mod map;
mod reductions;
mod selection;
mod shape;
mod view;

pub use complex::{complex, from_polar};
pub use indexing::ELLIPSIS;
pub use joining::{column_stack, concatenate, dstack, hstack, stack, vstack};
pub use ndarray::{NewAxis, s};
pub use shape::INFER;
pub use map::{Count, MapInputs, MapOutputs, map, zip_map};
pub use reductions::{Axes, keepdims};
