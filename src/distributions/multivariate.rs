//! Distributions of vectors, along the last axis.

use super::gamma::standard_gamma;
use super::support::*;
use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::kernels::broadcast::broadcast_shape;
use crate::linalg::{Triangular, cholesky, solve_triangular};
use crate::ops::keepdims;
use crate::random::{fill, standard_normal};
use crate::scalar::Real;
use crate::special;
use crate::tensor::{Shape, Tensor, len_of};
use rand::Rng;
use std::f64::consts::PI;

/// The multivariate normal distribution of a mean (…, d) and a covariance (…, d, d), through its Cholesky factor; leading axes broadcast.
///
/// ```
/// use pullback::distributions::MultivariateNormal;
/// use pullback::prelude::*;
/// let covariance = Var::from(ndarray::array![[2.0, 0.5], [0.5, 1.0]]);
/// let normal = MultivariateNormal::new(Var::from([0.0, 1.0]), covariance)?;
/// let x = Var::from(ndarray::array![[0.0, 1.0], [1.0, 1.0], [0.0, -1.0]]);
/// assert_eq!(normal.logpdf(&x)?.shape(), &[3]);
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct MultivariateNormal<T: Real> {
    mean: Var<T>,
    /// The lower triangular L of Σ = L Lᵀ.
    factor: Var<T>,
}

impl<T: Real> MultivariateNormal<T> {
    /// From the mean and the covariance, of which the symmetric part counts.
    ///
    /// # Errors
    /// `Shape` if they do not fit, `NonFinite`, `Singular` if a covariance is not positive definite.
    pub fn new(mean: impl Into<Var<T>>, covariance: impl Into<Var<T>>) -> Result<Self> {
        let (mean, covariance) = (mean.into(), covariance.into());
        Self::check(&mean, &covariance)?;
        Ok(MultivariateNormal { mean, factor: cholesky(&covariance)? })
    }

    /// From the mean and the lower triangular L of the covariance L Lᵀ.
    ///
    /// # Errors
    /// `Shape` if they do not fit, `Argument` if the diagonal is not positive.
    pub fn from_cholesky(mean: impl Into<Var<T>>, factor: impl Into<Var<T>>) -> Result<Self> {
        let (mean, factor) = (mean.into(), factor.into());
        Self::check(&mean, &factor)?;
        positive("multivariate_normal", "the diagonal of the Cholesky factor", &factor.diagonal(0, -2, -1))?;
        Ok(MultivariateNormal { mean, factor: factor.tril(0) })
    }

    fn check(mean: &Var<T>, matrix: &Var<T>) -> Result<()> {
        let (m, s) = (mean.shape(), matrix.shape());
        let fits = !m.is_empty()
            && s.len() > 1
            && s[s.len() - 1] == m[m.len() - 1]
            && s[s.len() - 2] == m[m.len() - 1]
            && broadcast_shape(&m[..m.len() - 1], &s[..s.len() - 2]).is_some();
        if !fits {
            let message = format!("a mean of shape {m:?} and a matrix of shape {s:?}: need (…, d) and (…, d, d)");
            return Err(Error::shape("multivariate_normal", message));
        }
        finite("multivariate_normal", "mean", mean)
    }

    fn dimension(&self) -> usize {
        self.mean.shape()[self.mean.ndim() - 1]
    }

    /// The shape of the distributions.
    fn batch(&self) -> Shape {
        let (m, s) = (self.mean.shape(), self.factor.shape());
        broadcast_shape(&m[..m.len() - 1], &s[..s.len() - 2]).expect("checked")
    }

    /// Σ ln L_ii = ½ ln det Σ
    fn half_log_det(&self) -> Var<T> {
        self.factor.diagonal(0, -2, -1).log().sum_axis(-1)
    }

    /// The logarithm of the density at x (…, d).
    ///
    /// # Errors
    /// `Shape` if x does not fit, `NonFinite`.
    pub fn logpdf(&self, x: &Var<T>) -> Result<Var<T>> {
        let d = self.dimension();
        let leading = x.shape().split_last().filter(|(last, _)| **last == d).map(|(_, leading)| leading);
        let Some(shape) = leading.and_then(|l| broadcast_shape(l, &self.batch())) else {
            let message = format!("points of shape {:?} for distributions of shape {:?} in {d} dimensions", x.shape(), self.batch());
            return Err(Error::shape("multivariate_normal", message));
        };
        let difference = x - &self.mean;
        let square = if self.factor.ndim() == 2 {
            // one matrix: all points in one solve
            let columns = difference.reshape(&[difference.len() / d.max(1), d]).t();
            let z = solve_triangular(&self.factor, &columns, Triangular::LOWER)?;
            z.square().sum_axis(0).reshape(&difference.shape()[..difference.ndim() - 1])
        } else {
            let z = solve_triangular(&self.factor, &difference.expand_dims(-1), Triangular::LOWER)?;
            z.square().sum_axis([-2, -1])
        };
        let norm = self.half_log_det() + c::<T>(0.5 * d as f64 * (2.0 * PI).ln());
        Ok((square.scale(-0.5) - norm).broadcast_to(&shape))
    }

    /// The density at x (…, d).
    ///
    /// # Errors
    /// As [`logpdf`](MultivariateNormal::logpdf).
    pub fn pdf(&self, x: &Var<T>) -> Result<Var<T>> {
        Ok(self.logpdf(x)?.exp())
    }

    /// The mean (…, d).
    pub fn mean(&self) -> Var<T> {
        self.mean.broadcast_to(&[&self.batch()[..], &[self.dimension()]].concat())
    }

    /// The covariance L Lᵀ (…, d, d).
    pub fn covariance(&self) -> Var<T> {
        let d = self.dimension();
        self.factor.matmul(self.factor.h()).broadcast_to(&[&self.batch()[..], &[d, d]].concat())
    }

    /// The differential entropy ½ ln det(2πeΣ), in nats.
    pub fn entropy(&self) -> Var<T> {
        let norm = 0.5 * self.dimension() as f64 * (1.0 + (2.0 * PI).ln());
        (self.half_log_det() + c::<T>(norm)).broadcast_to(&self.batch())
    }

    /// Draws of shape (shape…, d), constants.
    ///
    /// # Errors
    /// `Shape` if the distributions do not broadcast to `shape`.
    pub fn sample(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>> {
        Ok(self.rsample(rng, shape)?.stop_gradient())
    }

    /// Draws mean + L z of shape (shape…, d), with derivatives in the mean and the covariance.
    ///
    /// # Errors
    /// `Shape` if the distributions do not broadcast to `shape`.
    pub fn rsample(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>> {
        if broadcast_shape(&self.batch(), shape).is_none_or(|s| s[..] != *shape) {
            let message = format!("distributions of shape {:?} do not broadcast to draws of shape {shape:?}", self.batch());
            return Err(Error::shape("multivariate_normal", message));
        }
        let d = self.dimension();
        let full = [shape, &[d]].concat();
        let z = fill(rng, len_of(&full), &|rng, _| T::from_f64(standard_normal(rng)));
        let z = Var::constant(Tensor::new(&full, z));
        let deviation = if self.factor.ndim() == 2 {
            z.reshape(&[len_of(shape), d]).matmul(self.factor.t()).reshape(&full)
        } else {
            self.factor.matmul(z.expand_dims(-1)).reshape(&full)
        };
        Ok(&self.mean + deviation)
    }
}

/// The Dirichlet distribution of concentrations α (…, K) on the simplex Σ x_i = 1, of density Π x_i^{α_i−1}/B(α) in x₁ … x_{K−1}.
#[derive(Clone, Debug)]
pub struct Dirichlet<T: Real> {
    alpha: Var<T>,
}

impl<T: Real> Dirichlet<T> {
    /// From the concentrations along the last axis.
    ///
    /// # Errors
    /// `Shape` with fewer than two along the last axis, `Argument` for one that is not positive.
    pub fn new(alpha: impl Into<Var<T>>) -> Result<Self> {
        let alpha = alpha.into();
        if alpha.shape().last().is_none_or(|k| *k < 2) {
            let message = format!("concentrations of shape {:?}: need at least two along the last axis", alpha.shape());
            return Err(Error::shape("dirichlet", message));
        }
        positive("dirichlet", "alpha", &alpha)?;
        Ok(Dirichlet { alpha })
    }

    fn total(&self) -> Var<T> {
        self.alpha.sum_axis(-1)
    }

    /// ln B(α) = Σ ln Γ(α_i) − ln Γ(Σ α_i)
    fn ln_norm(&self) -> Var<T> {
        special::gammaln(&self.alpha).sum_axis(-1) - special::gammaln(&self.total())
    }

    /// The logarithm of the density at x (…, K).
    ///
    /// # Errors
    /// `Shape` if x does not fit; `Argument` where x has a negative entry or its sum is not 1 to within 1e-6 (1e-3 in `f32`).
    pub fn logpdf(&self, x: &Var<T>) -> Result<Var<T>> {
        let k = self.alpha.shape()[self.alpha.ndim() - 1];
        if x.shape().last() != Some(&k) || broadcast_shape(x.shape(), self.alpha.shape()).is_none() {
            let message = format!("points of shape {:?} for concentrations of shape {:?}", x.shape(), self.alpha.shape());
            return Err(Error::shape("dirichlet", message));
        }
        let tolerance = if T::EPSILON.to_f64() > 1e-10 { 1e-3 } else { 1e-6 };
        for (i, row) in x.as_slice().chunks(k).enumerate() {
            let sum: f64 = row.iter().map(|x| x.to_f64()).sum();
            if !((sum - 1.0).abs() <= tolerance) || row.iter().any(|x| *x < T::zero()) {
                let message = format!("point {i} is {row:?}, of sum {sum}: its entries must be at least 0 with sum 1");
                return Err(Error::argument("dirichlet", message));
            }
        }
        Ok(special::xlogy(&(&self.alpha - T::one()), x).sum_axis(-1) - self.ln_norm())
    }

    /// The density at x (…, K).
    ///
    /// # Errors
    /// As [`logpdf`](Dirichlet::logpdf).
    pub fn pdf(&self, x: &Var<T>) -> Result<Var<T>> {
        Ok(self.logpdf(x)?.exp())
    }

    /// The mean α_i/α₀ (…, K), α₀ = Σ α_i.
    pub fn mean(&self) -> Var<T> {
        &self.alpha / self.alpha.sum_axis(keepdims(-1))
    }

    /// The variance of each entry, (…, K).
    pub fn variance(&self) -> Var<T> {
        let mean = self.mean();
        &mean * (-&mean + T::one()) / (self.alpha.sum_axis(keepdims(-1)) + T::one())
    }

    /// The differential entropy ln B + Σ (α_i − 1)(ψ(α₀) − ψ(α_i)), in nats.
    pub fn entropy(&self) -> Var<T> {
        let difference = special::digamma(&self.alpha.sum_axis(keepdims(-1))) - special::digamma(&self.alpha);
        self.ln_norm() + ((&self.alpha - T::one()) * difference).sum_axis(-1)
    }

    /// Draws of shape (shape…, K), constants.
    ///
    /// # Errors
    /// As [`rsample`](Dirichlet::rsample).
    pub fn sample(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>> {
        Ok(self.rsample(rng, shape)?.stop_gradient())
    }

    /// Draws of shape (shape…, K) with derivatives in the concentrations: gamma variables over their sum.
    ///
    /// # Errors
    /// `Shape` if the distributions do not broadcast to `shape`; `Argument` where the concentrations are so small (below about 0.01) that all
    /// variables of a draw are below the smallest number.
    pub fn rsample(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>> {
        let k = self.alpha.shape()[self.alpha.ndim() - 1];
        let g = standard_gamma(rng, &self.alpha, &[shape, &[k]].concat())?;
        let sum = g.sum_axis(keepdims(-1));
        if sum.as_slice().iter().any(|s| *s < T::MIN_POSITIVE) {
            return Err(Error::argument("dirichlet", "the concentrations are too small to draw: all gamma variables of a draw underflow"));
        }
        Ok(g / sum)
    }
}
