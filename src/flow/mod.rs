//! Normalizing flows: densities that are a change of variables away from a simple one.
//!
//! A [`Flow`] draws z from a [`Base`] and maps it by a [`Bijection`], x = f(z), so that ln q(x) = ln p(z) − ln|det ∂f/∂z|. Both directions
//! and both logarithms are `Var` operations: differentiable in the parameters, the points and the context, to any order.
//!
//! Points are rows: arrays of shape (batch, dim); logarithms have shape (batch,). Parameters live in a [`Params`](crate::nn::Params) and a
//! layer holds only where its own are.

mod autoregressive;
mod base;
mod composition;
mod conditioner;
pub mod continuous;
mod coupling;
mod density;
mod elementwise;
mod linear;
mod monotone;
mod scale;
mod spline;
mod symmetry;
mod transformer;

pub use autoregressive::Autoregressive;
pub use base::{Mixture, Normal, Truncated, Uniform};
pub use composition::{Composition, Inverse};
pub use conditioner::{Conditioner, Net};
pub use coupling::{ColumnMask, Coupling};
pub use density::{Flow, Noise};
pub use elementwise::Elementwise;
pub use linear::{ActNorm, Householder, LuLinear, Permutation};
pub use monotone::{IncreasingMap, RootSolved, TanhSum};
pub use scale::Scale;
pub use spline::{RationalQuadratic, Tails};
pub use symmetry::Group;
pub use transformer::{Additive, Transformer};

use crate::autodiff::Var;
use crate::error::Result;
use crate::nn::Params;
use crate::scalar::Real;
use rand::Rng;

/// An invertible map y = f(x) of ℝᵈ or a part of it, row by row, with its logarithmic volume change.
///
/// Both methods take x of shape (batch, dim) and give an array of that shape and ln|det ∂(output)/∂(input)| of shape (batch,); so the
/// logarithm of `inverse` at f(x) is minus that of `forward` at x. `context`, of shape (batch, features), is what the map is
/// conditional on.
pub trait Bijection<T: Real>: Send + Sync {
    /// The number of columns d.
    fn dim(&self) -> usize;
    /// y = f(x) and ln|det ∂y/∂x|.
    ///
    /// # Errors
    /// `Shape` if x or the context have the wrong one, `Argument` for points outside the domain, naming the row.
    fn forward(&self, p: &Params<T>, x: &Var<T>, context: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)>;
    /// x = f⁻¹(y) and ln|det ∂x/∂y|.
    ///
    /// # Errors
    /// As [`Bijection::forward`].
    fn inverse(&self, p: &Params<T>, y: &Var<T>, context: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)>;
    /// Sets parameters that depend on the first data, which are mapped in this direction, and gives their images. Most maps have none.
    ///
    /// # Errors
    /// As [`Bijection::forward`].
    fn initialize(&self, p: &mut Params<T>, data: &Var<T>, direction: Direction, context: Option<&Var<T>>) -> Result<Var<T>> {
        Ok(match direction {
            Direction::Forward => self.forward(p, data, context)?.0,
            Direction::Inverse => self.inverse(p, data, context)?.0,
        })
    }
}

/// Which way a bijection is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the base's side: what samples go through.
    Forward,
    /// From the data's side.
    Inverse,
}

impl Direction {
    /// The other one.
    pub fn opposite(self) -> Self {
        match self {
            Direction::Forward => Direction::Inverse,
            Direction::Inverse => Direction::Forward,
        }
    }

    /// The map in this direction.
    ///
    /// # Errors
    /// Those of the map.
    pub fn apply<T: Real>(self, map: &dyn Bijection<T>, p: &Params<T>, x: &Var<T>, context: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)> {
        match self {
            Direction::Forward => map.forward(p, x, context),
            Direction::Inverse => map.inverse(p, x, context),
        }
    }

    /// The i-th of n maps that is gone through.
    fn nth(self, i: usize, n: usize) -> usize {
        if self == Direction::Forward { i } else { n - 1 - i }
    }
}

/// A density that is drawn from directly.
pub trait Base<T: Real>: Send + Sync {
    /// The number of columns d.
    fn dim(&self) -> usize;
    /// n draws, constants of shape (n, dim).
    ///
    /// # Errors
    /// Those of the generator's distribution.
    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Result<Var<T>>;
    /// ln p of each row, of shape (batch,).
    ///
    /// # Errors
    /// `Shape`; `Argument` for points outside the support, naming the row.
    fn log_prob(&self, p: &Params<T>, x: &Var<T>) -> Result<Var<T>>;
}

/// A boxed map is a map, so that compositions are made at run time.
impl<T: Real> Bijection<T> for Box<dyn Bijection<T>> {
    fn dim(&self) -> usize {
        (**self).dim()
    }
    fn forward(&self, p: &Params<T>, x: &Var<T>, context: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)> {
        (**self).forward(p, x, context)
    }
    fn inverse(&self, p: &Params<T>, y: &Var<T>, context: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)> {
        (**self).inverse(p, y, context)
    }
    fn initialize(&self, p: &mut Params<T>, data: &Var<T>, direction: Direction, context: Option<&Var<T>>) -> Result<Var<T>> {
        (**self).initialize(p, data, direction, context)
    }
}

/// A boxed base is a base.
impl<T: Real> Base<T> for Box<dyn Base<T>> {
    fn dim(&self) -> usize {
        (**self).dim()
    }
    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Result<Var<T>> {
        (**self).sample(n, rng)
    }
    fn log_prob(&self, p: &Params<T>, x: &Var<T>) -> Result<Var<T>> {
        (**self).log_prob(p, x)
    }
}
