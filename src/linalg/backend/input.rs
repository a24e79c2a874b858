//! Checks of shape and finiteness, and the scaling by a power of two that keeps squares in range.

use super::dense::Double;
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use std::borrow::Cow;

/// A matrix divided by 2^exponent so that its largest entry is near 1, or as it was when that is harmless.
pub(super) struct Scaled<'a, T: Double> {
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

/// Entries up to this power of two stay as they are. It is small because the libraries compare with ε where they mean ε‖A‖: faer's divide and
/// conquer returns eigenvalues off by half of the largest for a 140 × 140 matrix of the size of 1e-35.
const SAFE_EXPONENT: i32 = 2;

/// Finite entries, or an error that names the first bad one; the largest |re| or |im|.
fn largest<T: Double>(operation: &'static str, a: &[T], m: usize, n: usize) -> Result<f64> {
    const LANES: usize = 8;
    let mut max = [0.0f64; LANES];
    // x − x is zero for a finite x and NaN otherwise
    let mut bad = [0.0f64; LANES];
    let mut add = |lane: usize, x: T| {
        let (re, im) = (x.re(), x.im());
        bad[lane] = bad[lane] + (re - re) + (im - im);
        let size = if re.abs() > im.abs() { re.abs() } else { im.abs() };
        max[lane] = if size > max[lane] { size } else { max[lane] };
    };
    let chunks = a.chunks_exact(LANES);
    chunks.remainder().iter().for_each(|&x| add(0, x));
    for chunk in chunks {
        // an array of known length: no bounds are checked, and the lanes are one vector
        let chunk: &[T; LANES] = chunk.try_into().expect("exact chunks");
        for lane in 0..LANES {
            add(lane, chunk[lane]);
        }
    }
    if bad.iter().all(|&x| x == 0.0) {
        return Ok(max.iter().fold(0.0, |x, &y| x.max(y)));
    }
    let at = a.iter().position(|x| !x.is_finite()).unwrap_or(0);
    let (i, j) = (at / n, at % n);
    Err(Error::non_finite(operation, format!("entry ({i}, {j}) of the {m} × {n} matrix is {}", a[at])))
}

/// The slice has the length of its shape and finite entries.
pub(super) fn check_finite<T: Double>(operation: &'static str, a: &[T], m: usize, n: usize) -> Result<()> {
    check_shape(operation, a, m, n)?;
    largest(operation, a, m, n).map(|_| ())
}

/// Checks shape and finiteness and scales to about 1 when the largest entry is far from it.
pub(super) fn scaled<'a, T: Double>(operation: &'static str, a: &'a [T], m: usize, n: usize) -> Result<Scaled<'a, T>> {
    check_shape(operation, a, m, n)?;
    let max = largest(operation, a, m, n)?;
    let exponent = if max == 0.0 { 0 } else { max.log2().floor() as i32 };
    if exponent.abs() <= SAFE_EXPONENT {
        return Ok(Scaled { data: Cow::Borrowed(a), exponent: 0 });
    }
    // even, so that its half is exact for Cholesky
    let exponent = exponent & !1;
    let mut data = a.to_vec();
    scale(&mut data, -exponent);
    Ok(Scaled { data: Cow::Owned(data), exponent })
}

/// x · 2^exponent in two steps, so that the factors stay in range.
pub(super) fn scale<T: Double>(x: &mut [T], exponent: i32) {
    if exponent == 0 {
        return;
    }
    let half = exponent / 2;
    let factor = |e: i32| 2f64.powi(e);
    let (first, second) = (factor(half), factor(exponent - half));
    for x in x {
        *x = T::from_parts(x.re() * first * second, x.im() * first * second);
    }
}

/// As [`scale`], with an error when a result leaves the range of the type.
pub(super) fn unscale<T: Double>(operation: &'static str, x: &mut [T], exponent: i32) -> Result<()> {
    scale(x, exponent);
    if exponent == 0 || all_finite(x) {
        return Ok(());
    }
    Err(Error::non_finite(operation, "a result is beyond the largest finite number, rescale the matrix"))
}

/// Whether a result has no NaN or infinity.
pub(super) fn all_finite<T: Scalar>(x: &[T]) -> bool {
    x.iter().all(|x| x.is_finite())
}
