//! Optimisers over any structure of arrays: numbers, arrays, tuples, vectors, maps by name, nested, real and complex.
//!
//! - First order, one gradient a step: [`Sgd`], [`Adam`] (and AdamW by its weight decay), [`RmsProp`], all through the trait [`Optimizer`],
//!   with a [`Schedule`] of the learning rate and a [`Clip`] of the gradient.
//! - Deterministic losses: [`Lbfgs`] with the line search of Moré and Thuente.
//! - Sums of squares: [`LevenbergMarquardt`], through Jacobian products.
//!
//! All of them compute with real numbers in double precision, whatever the scalar type; a complex number is two of them, so that with
//! gradients ∂L/∂x + i ∂L/∂y every method descends. The state of each can be saved, and a run that was interrupted goes on bit for bit:
//! [`State`].

mod clip;
mod first_order;
mod lbfgs;
mod least_squares;
mod line_search;
mod schedule;
mod state;

pub use clip::{Clip, clip_by_norm, clip_by_value, global_norm};
pub use first_order::{Adam, Optimizer, RmsProp, Sgd};
pub use lbfgs::{Lbfgs, LbfgsOptions, Minimum, Step, Stop};
pub use least_squares::{LeastSquares, LeastSquaresSolver, LevenbergMarquardt};
pub use line_search::LineSearch;
pub use schedule::Schedule;
pub use state::State;
