//! Normalizing flows: densities that are a change of variables away from a simple one.
//!
//! A [`Flow`] draws z from a [`Base`] and maps it by a [`Bijection`], x = f(z), so that ln q(x) = ln p(z) − ln|det ∂f/∂z|. Both directions
//! and both logarithms are `Var` operations: differentiable in the parameters, the points and the context, to any order.
//!
//! Points are rows: arrays of shape (batch, dim); logarithms have shape (batch,). Parameters live in a [`Params`] and a
//! layer holds only where its own are.
//!
//! | maps | |
//! |---|---|
//! | of parts of the columns by the others | [`Coupling`]; of each by those before it: [`Autoregressive`]; of each for itself: [`Elementwise`] |
//! | what they apply to a column, a [`Transformer`] | [`Additive`], [`Scale`], [`RationalQuadratic`], [`RootSolved`] |
//! | linear | [`Permutation`], [`LuLinear`], [`Householder`], [`ActNorm`] |
//! | that follow a velocity field | [`continuous`] |
//! | made of others | [`Composition`], [`Inverse`] |
//!
//! Bases are [`Normal`], [`Uniform`] (boxes and tori), [`Truncated`], [`Mixture`] and, for particles that repel each other, [`Ginibre`].
//! [`Flow::symmetrized`] makes a density symmetric under a finite [`Group`].
//!
//! ```
//! use pullback::flow::{Bijection, ColumnMask, Composition, Coupling, Flow, Net, Normal, RationalQuadratic, Tails};
//! use pullback::nn::Params;
//! use pullback::prelude::*;
//! use rand::{SeedableRng, rngs::StdRng};
//!
//! let mut rng = StdRng::seed_from_u64(1);
//! let mut params = Params::<f64>::new();
//! let mut maps: Vec<Box<dyn Bijection<f64>>> = Vec::new();
//! for l in 0..4 {
//!     let spline = RationalQuadratic::new(8, (-4.0, 4.0), Tails::Linear)?;
//!     let mask = ColumnMask::alternating(2, l);
//!     maps.push(Box::new(Coupling::new(&mut params.scope(l), &mask, spline, &Net::hidden(&[16]), &mut rng)?));
//! }
//! let flow = Flow::new(Normal::standard(2)?, Composition::new(maps)?)?;
//!
//! // the gradient of the mean log-likelihood of two points
//! let x = Var::from(ndarray::array![[0.5, 1.0], [-0.3, 2.0]]);
//! let (value, gradient) = params.value_and_grad(|p| Ok::<_, Error>(flow.log_prob(p, &x)?.mean()))?;
//! // all maps start as the identity
//! assert!((value.item() - (-0.5 * x.square().sum().item() / 2.0 - std::f64::consts::TAU.ln())).abs() < 1e-12);
//! assert_eq!(gradient.count(), params.count());
//! assert_eq!(flow.sample(&params, 5, &mut rng)?.shape(), &[5, 2]);
//! # Ok::<(), pullback::Error>(())
//! ```

mod autoregressive;
mod base;
mod composition;
mod conditioner;
pub mod continuous;
mod coupling;
mod density;
mod elementwise;
mod ginibre;
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
pub use ginibre::Ginibre;
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

/// The pairs i < j of n particles: all i, and all j.
fn pairs(n: usize) -> (Vec<usize>, Vec<usize>) {
    (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j))).unzip()
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
