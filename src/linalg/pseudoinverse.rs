//! The Moore–Penrose inverse and least squares.
//!
//! At constant rank Ẋ = −X Ȧ X + X X† Ȧ† (1 − A X) + (1 − X A) Ȧ† X† X (Golub & Pereyra, SIAM J. Numer. Anal. 10 (1973) 413, eq. 4.12).
//! Where the rank changes the inverse jumps; the derivative is then that along matrices of the same rank.

use super::backend;
use super::matrices::*;
use crate::autodiff::{Primitive, Var, apply};
use crate::error::{Error, Result};
use crate::scalar::{Real, Scalar};
use num_traits::Zero as _;
use std::marker::PhantomData;

struct Pinv<T> {
    rcond: f64,
    types: PhantomData<T>,
}

impl<T: Scalar> Primitive for Pinv<T> {
    type Inputs = Var<T>;
    type Outputs = Var<T>;
    fn name(&self) -> &'static str {
        "pinv"
    }
    fn forward(&self, a: &Var<T>) -> Result<Var<T>> {
        let (batch, m, n) = dims("pinv", a)?;
        let k = m.min(n);
        let parts = each_matrix(a, m, n, |a| {
            let (u, s, vh) = backend::svd(a, m, n, false)?;
            let limit = self.rcond * s.first().map_or(0.0, |s| s.to_f64());
            let inverse: Vec<T::Real> =
                s.iter().map(|&s| if s.to_f64() > limit { crate::scalar::Number::recip(s) } else { T::Real::zero() }).collect();
            let u = gather(&[], &[m, k], [u].into_iter());
            let vh = gather(&[], &[k, n], [vh].into_iter());
            Ok((vh.h() * row::<T>(&Var::from(inverse))).matmul(u.h()).as_slice().to_vec())
        })?;
        Ok(gather(batch, &[n, m], parts.into_iter()))
    }
    fn jvp(&self, a: &Var<T>, x: &Var<T>, da: &Var<T>) -> Result<Var<T>> {
        let (xh, dh) = (x.h(), da.h());
        let left = x.matmul(&xh).matmul(&dh);
        let right = dh.matmul(&xh).matmul(x);
        Ok(-sandwich(x, da, x) + &left - sandwich(&left, a, x) + &right - x.matmul(a.matmul(&right)))
    }
}

/// The pseudoinverse (…, n, m) of matrices (…, m, n); singular values up to `rcond` times the largest count as zero (`None`: max(m, n) ε).
///
/// Where the rank changes the pseudoinverse jumps, by 1/s as a singular value s comes up from zero, and has no derivative. What is computed
/// at a rank-deficient matrix is the derivative along matrices of the same rank, which is right for a parametrisation that keeps the rank
/// (a product of thin factors) and blind to perturbations that raise it.
///
/// # Errors
/// `Shape`, `NonFinite`; `Argument` for a negative `rcond`.
pub fn pinv<T: Scalar>(a: &Var<T>, rcond: Option<f64>) -> Result<Var<T>> {
    let (_, m, n) = dims("pinv", a)?;
    let rcond = rcond.unwrap_or(m.max(n) as f64 * T::Real::EPSILON.to_f64());
    if !(rcond >= 0.0) {
        return Err(Error::argument("pinv", format!("rcond is {rcond}: it must be at least 0")));
    }
    apply(Pinv { rcond, types: PhantomData }, a)
}

/// The X of least norm that minimises ‖A X − B‖, for A (…, m, n) and B (…, m, k) or (m,).
///
/// # Errors
/// As [`pinv`], and `Shape` if the rows do not agree.
pub fn lstsq<T: Scalar>(a: &Var<T>, b: &Var<T>, rcond: Option<f64>) -> Result<Var<T>> {
    let (_, m, _) = dims("lstsq", a)?;
    let rows = if b.ndim() < 2 { b.len() } else { b.shape()[b.ndim() - 2] };
    if b.ndim() == 0 || rows != m {
        return Err(Error::shape(
            "lstsq",
            format!("the matrices have shape {:?}, the right-hand sides {:?}: the numbers of rows must agree", a.shape(), b.shape()),
        ));
    }
    Ok(pinv(a, rcond)?.matmul(b))
}
