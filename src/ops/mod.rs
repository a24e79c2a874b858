//! Differentiable array operations on [`Var`](crate::Var), a file per family, with numpy's names and conventions.

mod arithmetic;
pub(crate) mod broadcast;
mod complex;
mod elementary;
mod joining;
mod map;
mod reductions;
mod selection;
mod shape;

pub use complex::{complex, from_polar};
pub use joining::stack;
pub use map::{Count, MapInputs, MapOutputs, map, zip_map};
pub use reductions::{Axes, keepdims};
