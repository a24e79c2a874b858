//! Differentiable array operations on [`Var`](crate::Var), a file per family, with numpy's names and conventions.

mod arithmetic;
pub(crate) mod broadcast;
mod complex;
mod elementary;
mod joining;
mod reductions;
mod selection;
mod shape;

pub use complex::{complex, from_polar};
pub use joining::stack;
