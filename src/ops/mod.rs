//! Differentiable array operations on [`Var`](crate::Var), a file per family, with numpy's names and conventions.

mod arithmetic;
pub(crate) mod broadcast;
mod complex;
mod creation;
mod cumulative;
mod diagonal;
mod elementary;
mod gathering;
mod indexing;
mod joining;
mod mask;
mod padding;
mod rearrange;
mod reductions;
mod selection;
mod shape;
mod signals;
mod sorting;
mod view;

pub use complex::{complex, from_polar};
pub use creation::{Indexing, linspace, meshgrid};
pub use cumulative::linear_recurrence;
pub use indexing::ELLIPSIS;
pub use joining::{column_stack, concatenate, dstack, hstack, stack, vstack};
pub use mask::Mask;
pub use ndarray::{NewAxis, s};
pub use padding::PadMode;
pub use selection::{select, where_};
pub use shape::INFER;
pub use signals::{ConvolveMode, convolve, correlate, interp};
pub use sorting::{Side, Unique};
