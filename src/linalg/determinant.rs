//! Determinants: det A and (sign, ln|det|).
//!
//! ḋ = tr(C†… ) in cofactors: Ā = d̄ conj(C) with C_ij = ∂d/∂A_ij, which is d A⁻ᵀ for regular A and stays finite where A is singular.
//! From A = U S V†, C = φ conj(U) diag(Π_{k≠i} s_k) Vᵀ with φ = det U det V†.

use super::backend;
use super::matrices::*;
use super::solve::inv;
use crate::autodiff::{Primitive, Tree, Var, apply};
use crate::error::{Error, Result};
use crate::kernels::gemm::{Gemm, Matrix, gemm};
use crate::scalar::{Real, Scalar};
use num_traits::{One as _, Zero as _};
use std::marker::PhantomData;

struct Det<T>(PhantomData<T>);

/// Below this ratio of singular values, or with a zero pivot, cofactors are not taken from the inverse.
fn is_regular<T: Scalar>(a: &Var<T>, n: usize) -> Result<bool> {
    let ratios = each_matrix(a, n, n, |a| {
        let s = backend::svdvals(a, n, n)?;
        Ok(match (s.first(), s.last()) {
            (Some(&first), Some(&last)) if first > T::Real::zero() => (last / first).to_f64(),
            (None, None) => 1.0,
            _ => 0.0,
        })
    })?;
    Ok(ratios.into_iter().all(|r| r > gauge_tolerance::<T>()))
}

impl<T: Scalar> Primitive for Det<T> {
    type Inputs = Var<T>;
    type Outputs = Var<T>;
    fn name(&self) -> &'static str {
        "det"
    }
    fn forward(&self, a: &Var<T>) -> Result<Var<T>> {
        let (batch, n) = square("det", a)?;
        let parts = each_matrix(a, n, n, |a| backend::det(a, n))?;
        Ok(gather(batch, &[], parts.into_iter().map(|d| vec![d])))
    }
    fn vjp(&self, a: &Var<T>, d: &Var<T>, g: Option<Var<T>>, _: &[bool]) -> Result<Option<Var<T>>> {
        let Some(g) = g else { return Ok(None) };
        let as_matrix = |x: &Var<T>| x.reshape(&[x.shape(), &[1, 1]].concat());
        Ok(Some(as_matrix(&g) * cofactors(a, d)?.conj()))
    }
    fn jvp(&self, a: &Var<T>, d: &Var<T>, da: &Var<T>) -> Result<Var<T>> {
        let products = cofactors(a, d)? * da;
        let batch = &a.shape()[..a.ndim() - 2];
        Ok(crate::ops::broadcast::sum_to(products, &[batch, &[1, 1]].concat()).reshape(batch))
    }
}

/// ∂d/∂A_ij
fn cofactors<T: Scalar>(a: &Var<T>, d: &Var<T>) -> Result<Var<T>> {
    let (_, n) = square("det", a)?;
    if is_regular(&a.stop_gradient(), n)? {
        let transposed = inv(a)?.t();
        return Ok(d.reshape(&[d.shape(), &[1, 1]].concat()) * transposed);
    }
    apply(Cofactors(PhantomData), a)
}

/// The cofactors of a matrix that may be singular, and their first derivative.
///
/// With A + E = U (S + E′) V†: at E′ = 0 the second derivatives of det(S + E′) are Π_{k≠i,j} s_k for (E′_ii, E′_jj) and the negative of
/// it for (E′_ij, E′_ji).
struct Cofactors<T>(PhantomData<T>);

struct Singular<T: Scalar> {
    u: Vec<T>,
    s: Vec<T::Real>,
    vh: Vec<T>,
    phase: T,
}

impl<T: Scalar> Singular<T> {
    fn new(a: &[T], n: usize) -> Result<Self> {
        let (u, s, vh) = backend::svd(a, n, n, false)?;
        let phase = backend::det(&u, n)? * backend::det(&vh, n)?;
        Ok(Singular { u, s, vh, phase })
    }

    fn product_without(&self, skip: &[usize]) -> T::Real {
        self.s.iter().enumerate().filter(|(k, _)| !skip.contains(k)).fold(T::Real::one(), |p, (_, s)| p * *s)
    }

    /// φ conj(U) M Vᵀ
    fn rotate(&self, m: &[T], n: usize) -> Vec<T> {
        let product = |a, b| gemm(&Gemm { batch: 1, m: n, k: n, n, alpha: T::one(), a, b });
        let left = product(Matrix::row_major(&self.u, n).conjugated(), Matrix::row_major(m, n));
        let mut out = product(Matrix::row_major(&left, n), Matrix::row_major(&self.vh, n).conjugated());
        out.iter_mut().for_each(|x| *x *= self.phase);
        out
    }

    /// U† E V
    fn into_basis(&self, e: &[T], n: usize) -> Vec<T> {
        let product = |a, b| gemm(&Gemm { batch: 1, m: n, k: n, n, alpha: T::one(), a, b });
        let left = product(Matrix::row_major(&self.u, n).transposed().conjugated(), Matrix::row_major(e, n));
        product(Matrix::row_major(&left, n), Matrix::row_major(&self.vh, n).transposed().conjugated())
    }
}

impl<T: Scalar> Primitive for Cofactors<T> {
    type Inputs = Var<T>;
    type Outputs = Var<T>;
    fn name(&self) -> &'static str {
        "det of a singular matrix, second derivative"
    }
    fn forward(&self, a: &Var<T>) -> Result<Var<T>> {
        let (batch, n) = square("det", a)?;
        let parts = each_matrix(a, n, n, |a| {
            let svd = Singular::new(a, n)?;
            let mut m = vec![T::zero(); n * n];
            (0..n).for_each(|i| m[i * n + i] = T::from_real(svd.product_without(&[i])));
            Ok(svd.rotate(&m, n))
        })?;
        Ok(gather(batch, &[n, n], parts.into_iter()))
    }
    fn vjp(&self, a: &Var<T>, _: &Var<T>, g: Option<Var<T>>, _: &[bool]) -> Result<Option<Var<T>>> {
        // the second derivative is a symmetric bilinear form: its adjoint on G is its value on conj(G), conjugated
        g.map(|g| Ok(self.push(a, &g.conj())?.conj())).transpose()
    }
    fn jvp(&self, a: &Var<T>, _: &Var<T>, da: &Var<T>) -> Result<Var<T>> {
        self.push(a, da)
    }
    fn opaque(&self) -> bool {
        true
    }
}

impl<T: Scalar> Cofactors<T> {
    fn push(&self, a: &Var<T>, da: &Var<T>) -> Result<Var<T>> {
        let (batch, n) = square("det", a)?;
        let (ad, ed) = (a.as_slice(), da.as_slice());
        let parts = backend::batched(ad.len() / (n * n).max(1), n, n, |b| {
            let svd = Singular::new(&ad[b * n * n..(b + 1) * n * n], n)?;
            let e = svd.into_basis(&ed[b * n * n..(b + 1) * n * n], n);
            let mut m = vec![T::zero(); n * n];
            for i in 0..n {
                for j in (0..n).filter(|&j| j != i) {
                    let rest = T::from_real(svd.product_without(&[i, j]));
                    m[i * n + i] += rest * e[j * n + j];
                    m[i * n + j] -= rest * e[j * n + i];
                }
            }
            Ok(svd.rotate(&m, n))
        })?;
        Ok(gather(batch, &[n, n], parts.into_iter()))
    }
}

/// det A of matrices (…, n, n). At singular matrices first and second derivatives are those of the polynomial, through cofactors.
///
/// ```
/// use pullback::prelude::*;
/// let singular = ndarray::array![[1.0, 2.0], [2.0, 4.0]];
/// let g = grad(|a| pullback::linalg::det(a), &singular)?;
/// assert!((g - ndarray::array![[4.0, -2.0], [-2.0, 1.0]]).iter().all(|e: &f64| e.abs() < 1e-14));
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// `Shape`, `NonFinite` (also for a determinant that overflows: use [`slogdet`]); `Derivative` for a third derivative at a singular matrix.
pub fn det<T: Scalar>(a: &Var<T>) -> Result<Var<T>> {
    square("det", a)?;
    apply(Det(PhantomData), a)
}

struct SlogDet<T>(PhantomData<T>);

impl<T: Scalar> Primitive for SlogDet<T> {
    type Inputs = Var<T>;
    type Outputs = (Var<T>, Var<T::Real>);
    fn name(&self) -> &'static str {
        "slogdet"
    }
    fn keeps_output(&self, i: usize) -> bool {
        i == 0
    }
    fn forward(&self, a: &Var<T>) -> Result<Self::Outputs> {
        let (batch, n) = square("slogdet", a)?;
        let parts = each_matrix(a, n, n, |a| backend::slogdet(a, n))?;
        let (signs, logs): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        Ok((gather(batch, &[], signs.into_iter().map(|x| vec![x])), gather(batch, &[], logs.into_iter().map(|x| vec![x]))))
    }
    /// With d/|d| = e^{iθ}: (ln|d|)˙ + iθ̇ = tr(A⁻¹Ȧ), so Ā = (l̄ + i c) A⁻† with c = Im(s̄ conj(s)).
    fn vjp(
        &self,
        a: &Var<T>,
        (sign, _): &Self::Outputs,
        (s_bar, l_bar): <Self::Outputs as Tree>::Partial,
        _: &[bool],
    ) -> Result<Option<Var<T>>> {
        let phase = s_bar.filter(|_| T::IS_COMPLEX).map(|g| {
            let c = (g * sign.conj()).im().astype::<T>();
            c * T::from_parts(T::Real::zero(), T::Real::one())
        });
        let weight = match (l_bar.map(|g| g.astype::<T>()), phase) {
            (Some(l), Some(p)) => l + p,
            (Some(l), None) => l,
            (None, Some(p)) => p,
            (None, None) => return Ok(None),
        };
        Ok(Some(weight.reshape(&[weight.shape(), &[1, 1]].concat()) * inverse(a)?.h()))
    }
    fn jvp(&self, a: &Var<T>, (sign, _): &Self::Outputs, da: &Var<T>) -> Result<Self::Outputs> {
        let batch = &a.shape()[..a.ndim() - 2];
        let products = inverse(a)?.t() * da;
        let trace = crate::ops::broadcast::sum_to(products, &[batch, &[1, 1]].concat()).reshape(batch);
        let turn = trace.im().astype::<T>() * T::from_parts(T::Real::zero(), T::Real::one());
        Ok((sign * turn, trace.re()))
    }
}

fn inverse<T: Scalar>(a: &Var<T>) -> Result<Var<T>> {
    inv(a).map_err(|e| match e {
        Error::Singular { .. } => {
            Error::singular("slogdet", "ln|det| has no derivative at a singular matrix; det has one, through cofactors")
        }
        other => other,
    })
}

/// (d/|d|, ln|d|) of d = det A, for matrices (…, n, n): no overflow; (0, −∞) for a singular matrix.
///
/// # Errors
/// `Shape`, `NonFinite`; `Singular` where a derivative is asked for at a singular matrix.
pub fn slogdet<T: Scalar>(a: &Var<T>) -> Result<(Var<T>, Var<T::Real>)> {
    square("slogdet", a)?;
    apply(SlogDet(PhantomData), a)
}
