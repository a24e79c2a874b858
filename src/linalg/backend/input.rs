//! Checks of shape and finiteness, and the scaling by a power of two that keeps squares in range.

use crate::error::{Error, Result};
use crate::scalar::{Real, Scalar};
use std::borrow::Cow;

/// A matrix divided by 2^exponent so that its largest entry is near 1, or as it was when that is harmless.
pub(super) struct Scaled<'a, T: Scalar> {
    pub data: Cow<'a, [T]>,
    pub exponent: i32,
}

/// The slice has the length of its shape.
pub(super) fn check_shape<T>(operation: &'static str, a: &[T], m: usize, n: usize) -> Result<()> {
    if m.checked_mul(n) == Some(a.len()) {
        return Ok(());
    }
    Err(Error::shape(operation, format!("a {m} × {n} matrix has {} entries, found {}", m.saturating_mul(n), a.len())))
}

/// Entries whose exponent of two is within this are safe: their fourth powers are in range.
fn safe_exponent<R: Real>() -> i32 {
    // a fifth of the range of exponents: 2^±204 for f64, 2^±25 for f32
    (R::MAX.to_f64().log2() / 5.0) as i32
}

/// Finite entries, or an error that names the first bad one; the largest |re| or |im|.
fn largest<T: Scalar>(operation: &'static str, a: &[T], m: usize, n: usize) -> Result<T::Real> {
    const LANES: usize = 8;
    let zero = <T::Real as num_traits::Zero>::zero();
    let mut max = [zero; LANES];
    // x − x is zero for a finite x and NaN otherwise
    let mut bad = [zero; LANES];
    let mut add = |lane: usize, x: T| {
        let (re, im) = (x.re(), x.im());
        bad[lane] = bad[lane] + (re - re) + (im - im);
        let size = if re.abs() > im.abs() { re.abs() } else { im.abs() };
        max[lane] = if size > max[lane] { size } else { max[lane] };
    };
    let chunks = a.chunks_exact(LANES);
    chunks.remainder().iter().for_each(|&x| add(0, x));
    for chunk in chunks {
        for (lane, &x) in chunk.iter().enumerate() {
            add(lane, x);
        }
    }
    if bad.iter().all(|&x| x == zero) {
        return Ok(max.iter().fold(zero, |x, &y| x.max(y)));
    }
    let at = a.iter().position(|x| !x.is_finite()).unwrap_or(0);
    let (i, j) = (at / n, at % n);
    Err(Error::non_finite(operation, format!("entry ({i}, {j}) of the {m} × {n} matrix is {}", a[at])))
}

/// The slice has the length of its shape and finite entries.
pub(super) fn check_finite<T: Scalar>(operation: &'static str, a: &[T], m: usize, n: usize) -> Result<()> {
    check_shape(operation, a, m, n)?;
    largest(operation, a, m, n).map(|_| ())
}

/// Checks shape and finiteness and scales to about 1 when the largest entry is far from it.
pub(super) fn scaled<'a, T: Scalar>(operation: &'static str, a: &'a [T], m: usize, n: usize) -> Result<Scaled<'a, T>> {
    check_shape(operation, a, m, n)?;
    let max = largest(operation, a, m, n)?;
    let exponent = if max == <T::Real as num_traits::Zero>::zero() { 0 } else { max.to_f64().log2().floor() as i32 };
    if exponent.abs() <= safe_exponent::<T::Real>() {
        return Ok(Scaled { data: Cow::Borrowed(a), exponent: 0 });
    }
    // even, so that its half is exact for Cholesky
    let exponent = exponent & !1;
    let mut data = a.to_vec();
    scale(&mut data, -exponent);
    Ok(Scaled { data: Cow::Owned(data), exponent })
}

/// x · 2^exponent in two steps, so that the factors stay in range.
pub(super) fn scale<T: Scalar>(x: &mut [T], exponent: i32) {
    if exponent == 0 {
        return;
    }
    let half = exponent / 2;
    let factor = |e: i32| T::Real::from_f64(2f64.powi(e));
    let (first, second) = (factor(half), factor(exponent - half));
    for x in x {
        *x = T::from_parts(x.re() * first * second, x.im() * first * second);
    }
}

/// As [`scale`], with an error when a result leaves the range of the type.
pub(super) fn unscale<T: Scalar>(operation: &'static str, x: &mut [T], exponent: i32) -> Result<()> {
    scale(x, exponent);
    if exponent == 0 || x.iter().all(|x| x.is_finite()) {
        return Ok(());
    }
    Err(Error::non_finite(operation, format!("a result is beyond the largest {}, rescale the matrix", kind::<T>())))
}

/// The name of the scalar type.
pub(super) fn kind<T: Scalar>() -> &'static str {
    match T::KIND {
        crate::scalar::ScalarKind::F32 => "f32",
        crate::scalar::ScalarKind::F64 => "f64",
        crate::scalar::ScalarKind::C32 => "Complex<f32>",
        crate::scalar::ScalarKind::C64 => "Complex<f64>",
    }
}

/// Whether a result has no NaN or infinity.
pub(super) fn all_finite<T: Scalar>(x: &[T]) -> bool {
    x.iter().all(|x| x.is_finite())
}
