//! Probability distributions whose parameters are arrays that can be differentiated through.
//!
//! A distribution is a struct of [`Var`]s that broadcast against each other and against the argument. [`Continuous`] and [`Discrete`] hold
//! the methods, with scipy's names; distributions of vectors ([`MultivariateNormal`], [`Dirichlet`]) and of labels ([`Categorical`]) have
//! them as their own. Constructors refuse parameters that are out of range or do not broadcast.
//!
//! All methods are differentiable in the argument and the parameters, to second order at least. Logarithms of densities and tails are computed
//! as such and hold where the density or the tail underflows. Outside the support the density is 0 and its logarithm −∞.
//!
//! `sample` draws constants; `rsample` draws numbers that carry derivatives in the parameters: by a transformation of parameter-free noise where
//! there is one, otherwise by differentiating the cumulative distribution implicitly, ∂y/∂θ = −(∂F/∂θ)/f (Figurnov, Mohamed and Mnih,
//! arXiv:1805.08498). The same seed gives the same draws at any number of threads.
//!
//! ```
//! use pullback::distributions::{Continuous, Gamma, Normal, Reparameterised};
//! use pullback::prelude::*;
//! use rand::{SeedableRng, rngs::StdRng};
//!
//! // maximum likelihood: the gradient of the mean log density in location and scale
//! let x = Var::from([0.3, -1.2, 0.8]);
//! let loss = |(loc, scale): &(Var<f64>, Var<f64>)| Ok::<_, pullback::Error>(-Normal::new(loc, scale)?.logpdf(&x).mean());
//! let (d_loc, _) = grad(loss, &(0.0, 1.0))?;
//! assert!((d_loc - 0.1 / 3.0).abs() < 1e-15);
//!
//! // E x = aθ for x ~ Γ(a, θ), so dE x/da = θ: from draws that are differentiated
//! let mean = |a: &Var<f64>| {
//!     let mut rng = StdRng::seed_from_u64(1);
//!     Ok::<_, pullback::Error>(Gamma::new(a, 0.5)?.rsample(&mut rng, &[20_000])?.mean())
//! };
//! assert!((grad(mean, &3.0)? - 0.5).abs() < 0.01);
//! # Ok::<(), pullback::Error>(())
//! ```

mod beta;
mod circular;
mod discrete;
mod gamma;
mod location_scale;
mod multivariate;
mod support;
mod truncated;
mod uniform;

pub use beta::Beta;
pub use circular::VonMises;
pub use discrete::{Bernoulli, Categorical, Poisson};
pub use gamma::{Chi2, Exponential, Gamma};
pub use location_scale::{Gumbel, Laplace, Logistic, Normal, StudentT};
pub use multivariate::{Dirichlet, MultivariateNormal};
pub use truncated::TruncatedNormal;
pub use uniform::Uniform;

use crate::autodiff::Var;
use crate::error::Result;
use crate::scalar::Real;
use rand::Rng;

/// A distribution of real numbers with a density.
///
/// Methods of an argument panic, as operators do, if its shape does not broadcast against the parameters.
pub trait Continuous<T: Real> {
    /// The logarithm of the density.
    fn logpdf(&self, x: &Var<T>) -> Var<T>;
    /// The density.
    fn pdf(&self, x: &Var<T>) -> Var<T> {
        self.logpdf(x).exp()
    }
    /// The cumulative distribution F(x) = P(X ≤ x).
    fn cdf(&self, x: &Var<T>) -> Var<T>;
    /// The survival function 1 − F(x), accurate where it is small.
    fn sf(&self, x: &Var<T>) -> Var<T>;
    /// ln F(x), without underflow.
    fn logcdf(&self, x: &Var<T>) -> Var<T>;
    /// ln(1 − F(x)), without underflow.
    fn logsf(&self, x: &Var<T>) -> Var<T>;
    /// The mean, at the shape of the parameters; NaN or infinite where there is none.
    fn mean(&self) -> Var<T>;
    /// The variance, at the shape of the parameters; NaN or infinite where there is none.
    fn variance(&self) -> Var<T>;
    /// The differential entropy −E ln f, in nats.
    fn entropy(&self) -> Var<T>;
    /// Draws, constants of the given shape.
    ///
    /// # Errors
    /// `Shape` if the parameters do not broadcast to it.
    fn sample(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>>;
}

/// A distribution whose draws have derivatives in the parameters.
pub trait Reparameterised<T: Real>: Continuous<T> {
    /// Draws of the given shape that carry derivatives in the parameters; the numbers are those of `sample`.
    ///
    /// # Errors
    /// `Shape` if the parameters do not broadcast to it.
    fn rsample(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>>;
}

/// A distribution of integers.
///
/// The argument is an array of integers in the real type; elsewhere the probability is 0. It is not differentiated in.
/// Methods panic, as operators do, if its shape does not broadcast against the parameters.
pub trait Discrete<T: Real> {
    /// The logarithm of the probability of k.
    fn logpmf(&self, k: &Var<T>) -> Var<T>;
    /// The probability of k.
    fn pmf(&self, k: &Var<T>) -> Var<T> {
        self.logpmf(k).exp()
    }
    /// The cumulative distribution P(K ≤ k).
    fn cdf(&self, k: &Var<T>) -> Var<T>;
    /// The survival function P(K > k), accurate where it is small.
    fn sf(&self, k: &Var<T>) -> Var<T>;
    /// ln P(K ≤ k), without underflow.
    fn logcdf(&self, k: &Var<T>) -> Var<T>;
    /// ln P(K > k), without underflow.
    fn logsf(&self, k: &Var<T>) -> Var<T>;
    /// The mean, at the shape of the parameters.
    fn mean(&self) -> Var<T>;
    /// The variance, at the shape of the parameters.
    fn variance(&self) -> Var<T>;
    /// The entropy −Σ p ln p, in nats.
    fn entropy(&self) -> Var<T>;
    /// Draws, constants of the given shape.
    ///
    /// # Errors
    /// `Shape` if the parameters do not broadcast to it.
    fn sample(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>>;
}
