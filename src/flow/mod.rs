//! Normalizing flows: densities that are a change of variables away from a simple one.
//!
//! A [`Flow`] draws z from a [`Base`] and maps it by a [`Bijection`], x = f(z), so that ln q(x) = ln p(z) − ln|det ∂f/∂z|. Both directions
//! and both logarithms are `Var` operations: differentiable in the parameters, the points and the context, to any order.
//!
//! Points are rows: arrays of shape (batch, dim); logarithms have shape (batch,). Parameters live in a [`Params`](crate::nn::Params) and a
//! layer holds only where its own are.

mod density;

pub use density::{Flow, Noise};

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
