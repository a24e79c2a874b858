//! Norms of vectors and matrices.
//!
//! Vectors: ‖x‖_p = (Σ|xᵢ|ᵖ)^{1/p}, with its limits the largest and smallest modulus, and the number of entries that are not zero for p = 0.
//! Matrices: the largest (smallest) column sum for p = 1 (−1), row sum for ±∞, singular value for ±2; Frobenius and nuclear.
//!
//! A function F(s) of the singular values that is symmetric where they coincide has Ā = F̄ U diag(∂F/∂s) V† — W below — which no choice of
//! basis changes; its own derivative is had through the singular vectors' rule.
//!
//! At the awkward points derivatives are subgradients: an entry or a singular value that is 0 contributes 0, and entries, sums or singular
//! values that tie share the derivative equally.

use super::backend;
use super::matrices::*;
use super::svd::svd;
use crate::autodiff::{Primitive, Var, apply};
use crate::error::{Error, Result};
use crate::ops::Axes;
use crate::ops::selection::where_bool;
use crate::scalar::{Real, Scalar};
use crate::tensor::Tensor;
use num_traits::Zero as _;
use std::marker::PhantomData;

/// Which norm; a number converts to [`Norm::P`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Norm {
    /// ‖x‖_p of vectors for any p, 0 and ±∞ included; of matrices for ±1, ±2, ±∞.
    P(f64),
    /// Frobenius: √Σ|a|², over any number of axes.
    Fro,
    /// Nuclear: the sum of the singular values.
    Nuc,
}

impl From<f64> for Norm {
    fn from(p: f64) -> Self {
        Norm::P(p)
    }
}

/// The norm over one axis (of vectors) or two (of matrices, rows and columns in this order), numpy's `linalg.norm`; the other axes are
/// batches. `..` takes all the axes of a vector or a matrix, and of any array for [`Norm::Fro`].
///
/// Vectors: (Σ|xᵢ|ᵖ)^{1/p} for any p, without overflow; for p = ±∞ the largest and smallest |xᵢ|, for p = 0 the number of entries that are not
/// zero (a constant). Matrices: ±1 column sums, ±∞ row sums, ±2 singular values (the largest for the positive, the smallest for the negative
/// sign), [`Norm::Fro`], [`Norm::Nuc`].
///
/// The derivative at the zero vector or matrix is 0, an entry that is 0 contributes 0 where |xᵢ| has a kink, and entries, sums or singular
/// values that tie for the extremum share it equally. Second derivatives of the matrix norms ±2 and nuclear exist where the singular values
/// concerned are neither zero nor equal.
///
/// ```
/// use pullback::prelude::*;
/// use pullback::linalg::{Norm, norm};
/// let a = Var::from(ndarray::array![[3.0, 0.0], [4.0, 0.0]]);
/// assert_eq!(norm(&a, 2.0, 0)?.as_slice(), &[5.0, 0.0]);
/// assert_eq!(norm(&a, 1.0, ..)?.item(), 7.0);
/// assert_eq!(norm(&a, Norm::Fro, keepdims(..))?.shape(), &[1, 1]);
/// let nuclear: f64 = norm(&a, Norm::Nuc, [0, 1])?.item();
/// assert!((nuclear - 5.0).abs() < 1e-14);
/// let g = grad(|x: &Var<f64>| norm(x, 2.0, ..), &ndarray::array![0.0, 0.0])?;
/// assert_eq!(g, ndarray::array![0.0, 0.0]);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// `Argument` for p = NaN or a norm that matrices or vectors do not have, `Shape` for more axes than two; from the singular values
/// `NonFinite`, and `GaugeDependent` for a second derivative where one concerned is 0 or two are equal.
///
/// # Panics
/// If an axis is out of range or named twice, or there is nothing to take an extremum of.
#[track_caller]
pub fn norm<T: Scalar>(x: &Var<T>, which: impl Into<Norm>, axes: impl Into<Axes>) -> Result<Var<T::Real>> {
    let (which, axes) = (which.into(), axes.into());
    let plan = axes.plan("norm", x.shape());
    let at = axes.in_order("norm", x.shape());
    if let Norm::P(p) = which
        && p.is_nan()
    {
        return Err(Error::argument("norm", "p is NaN: it must be a number or ±∞"));
    }
    let reduced = match (which, &at[..]) {
        (Norm::Fro, _) => return vector_norm(x, 2.0, &axes),
        (Norm::P(p), [_]) => return vector_norm(x, p, &axes),
        (Norm::Nuc, [row, column]) => spectral_norm(x, (*row, *column), Spectrum::Sum)?,
        (Norm::P(p), [row, column]) => {
            let (row, column) = (*row, *column);
            match p {
                2.0 => spectral_norm(x, (row, column), Spectrum::Largest)?,
                -2.0 => spectral_norm(x, (row, column), Spectrum::Smallest)?,
                1.0 | -1.0 => sums_norm(x, row, column, p),
                f64::INFINITY | f64::NEG_INFINITY => sums_norm(x, column, row, p),
                _ => {
                    return Err(Error::argument(
                        "norm",
                        format!("matrices have no norm {p} here: ±1, ±2, ±∞, Norm::Fro and Norm::Nuc are there; over one axis any p is"),
                    ));
                }
            }
        }
        (Norm::Nuc, [_]) => return Err(Error::argument("norm", "the nuclear norm is one of matrices: name two axes")),
        (_, axes) => {
            return Err(Error::shape(
                "norm",
                format!(
                    "{} axes of shape {:?} for {which:?}: one axis (vectors) or two (matrices) are needed; Norm::Fro takes any number",
                    axes.len(),
                    x.shape()
                ),
            ));
        }
    };
    Ok(reduced.reshape(&plan.out))
}

/// The extremum over the remaining axis of the sums of |a| over the axis `summed`; 0-length axes apart, as shape of the batch.
#[track_caller]
fn sums_norm<T: Scalar>(x: &Var<T>, summed: usize, other: usize, p: f64) -> Var<T::Real> {
    let sums = x.abs().sum_axis(crate::ops::keepdims(summed as isize));
    if p > 0.0 { sums.max_axis(other as isize) } else { sums.min_axis(other as isize) }
}

/// Whether |x|ᵖ, for the modulus that dominates the sum, is beyond the 2/5-th power of the range of numbers, so that the sum might leave it.
fn needs_scaling<R: Real>(modulus: f64, p: f64) -> bool {
    modulus > 0.0 && modulus.is_finite() && (modulus.ln() * p).abs() > 0.4 * R::MAX.to_f64().ln()
}

#[track_caller]
fn vector_norm<T: Scalar>(x: &Var<T>, p: f64, axes: &Axes) -> Result<Var<T::Real>> {
    let plan = axes.plan("norm", x.shape());
    if p == 0.0 {
        let ones = x.as_slice().iter().map(|x| if *x == T::zero() { T::Real::zero() } else { num_traits::One::one() }).collect();
        return Ok(Var::<T::Real>::constant(Tensor::new(x.shape(), ones)).sum_axis(axes.clone()));
    }
    if p == f64::INFINITY {
        return Ok(x.abs().max_axis(axes.clone()));
    }
    if p == f64::NEG_INFINITY {
        return Ok(x.abs().min_axis(axes.clone()));
    }
    if p == 1.0 {
        return Ok(x.abs().sum_axis(axes.clone()));
    }
    // ‖x‖ = m ‖x/m‖ for any m > 0: as the value does not depend on m, it may be a constant
    let empty = plan.count == 0;
    let scale = if empty {
        None
    } else {
        // the entry that dominates the sum
        let (moduli, kept) = (x.stop_gradient().abs(), crate::ops::keepdims(axes.clone()));
        let leading = if p > 0.0 { moduli.max_axis(kept) } else { moduli.min_axis(kept) };
        let wild = leading.as_slice().iter().any(|m| needs_scaling::<T::Real>(m.to_f64(), p));
        let fixed = |m: T::Real| if m > T::Real::zero() && Scalar::is_finite(m) { m } else { num_traits::One::one() };
        wild.then(|| Var::constant(Tensor::new(leading.shape(), leading.as_slice().iter().map(|m| fixed(*m)).collect())))
    };
    let scaled = match &scale {
        Some(m) => x / m.astype::<T>(),
        None => x.clone(),
    };
    let root = if p == 2.0 {
        // |x|² is smooth at 0, where |x| is not; the root has the derivative 0 at 0
        scaled.abs_squared().sum_axis(axes.clone()).sqrt()
    } else {
        let moduli = scaled.abs();
        let absent: Vec<bool> = moduli.as_slice().iter().map(|m| *m == T::Real::zero()).collect();
        let powers = if absent.contains(&true) {
            // |x|ᵖ may have an infinite derivative at 0, of either order: these entries are constants
            let limit = if p > 0.0 { T::Real::zero() } else { T::Real::INFINITY };
            let powers = where_bool(&absent, &moduli.ones_like(), &moduli).powf(p);
            where_bool(&absent, &Var::constant(Tensor::full(moduli.shape(), limit)), &powers)
        } else {
            moduli.powf(p)
        };
        let sum = powers.sum_axis(axes.clone());
        let zero: Vec<bool> = sum.as_slice().iter().map(|s| *s == T::Real::zero()).collect();
        if p > 0.0 && zero.contains(&true) {
            // the root's derivative is infinite at 0: the norm's is taken as 0
            let root = where_bool(&zero, &sum.ones_like(), &sum).powf(1.0 / p);
            where_bool(&zero, &sum.zeros_like(), &root)
        } else {
            sum.powf(1.0 / p)
        }
    };
    Ok(match scale {
        Some(m) => root * m.reshape(&plan.out),
        None => root,
    })
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Spectrum {
    Sum,
    Largest,
    Smallest,
}

impl Spectrum {
    /// F of one matrix's descending singular values.
    fn of<R: Real>(self, s: &[R]) -> R {
        match self {
            Spectrum::Sum => s.iter().fold(R::zero(), |sum, s| sum + *s),
            Spectrum::Largest => s.first().copied().unwrap_or(R::zero()),
            Spectrum::Smallest => s.last().copied().unwrap_or(R::zero()),
        }
    }

    /// ∂F/∂s: equal values share, values that are zero have none.
    fn weights<R: Real>(self, s: &[R], close: f64) -> Vec<R> {
        let largest = s.first().map_or(0.0, |s| s.to_f64());
        let positive = |s: &R| s.to_f64() > close * largest;
        let extremum = self.of(s).to_f64();
        let counts = |s: &R| positive(s) && (self == Spectrum::Sum || (s.to_f64() - extremum).abs() <= close * largest);
        let ties = if self == Spectrum::Sum { 1 } else { s.iter().filter(|s| counts(s)).count().max(1) };
        s.iter().map(|s| if counts(s) { R::from_f64(1.0 / ties as f64) } else { R::zero() }).collect()
    }
}

struct SpectralNorm<T> {
    which: Spectrum,
    types: PhantomData<T>,
}

impl<T: Scalar> SpectralNorm<T> {
    /// W = U diag(∂F/∂s) V†; vectors of values without weight are left out, so that nothing depends on their choice.
    fn derivative(&self, a: &Var<T>) -> Result<Var<T>> {
        let (u, s, vh) = svd(a)?;
        let k = (*s.shape().last().expect("a vector")).max(1);
        let weights = s.as_slice().chunks(k).flat_map(|s| self.which.weights(s, degeneracy::<T>())).collect();
        let weights = Var::constant(Tensor::new(s.shape(), weights));
        Ok((u * row::<T>(&weights)).matmul(&vh))
    }
}

impl<T: Scalar> Primitive for SpectralNorm<T> {
    type Inputs = Var<T>;
    type Outputs = Var<T::Real>;
    fn name(&self) -> &'static str {
        "norm"
    }
    fn keeps_output(&self, _: usize) -> bool {
        false
    }
    fn forward(&self, a: &Var<T>) -> Result<Var<T::Real>> {
        let (batch, m, n) = dims("norm", a)?;
        let values = each_matrix(a, m, n, |a| Ok(vec![self.which.of(&backend::svdvals(a, m, n)?)]))?;
        Ok(gather(batch, &[], values.into_iter()))
    }
    fn vjp(&self, a: &Var<T>, _: &Var<T::Real>, g: Option<Var<T::Real>>, _: &[bool]) -> Result<Option<Var<T>>> {
        let Some(g) = g else { return Ok(None) };
        Ok(Some(g.reshape(&[g.shape(), &[1, 1]].concat()).astype::<T>() * self.derivative(a)?))
    }
    fn jvp(&self, a: &Var<T>, _: &Var<T::Real>, da: &Var<T>) -> Result<Var<T::Real>> {
        Ok((self.derivative(a)?.conj() * da).re().sum_axis([-2, -1]))
    }
}

fn spectral_norm<T: Scalar>(x: &Var<T>, (row, column): (usize, usize), which: Spectrum) -> Result<Var<T::Real>> {
    let (row, column, n) = (row as isize, column as isize, x.ndim() as isize);
    let last = row == n - 2 && column == n - 1;
    let matrices = if last { x.clone() } else { x.moveaxis(&[row, column], &[-2, -1]) };
    apply(SpectralNorm { which, types: PhantomData }, &matrices)
}
