//! Integer powers of matrices, negative ones too.

use super::matrices::square;
use super::solve::inv;
use crate::autodiff::Var;
use crate::error::Result;
use crate::scalar::Scalar;

/// Aⁿ of matrices (…, m, m) by repeated squaring: the identity for n = 0, powers of the inverse for n < 0 (numpy's `linalg.matrix_power`).
///
/// ```
/// use pullback::prelude::*;
/// use pullback::linalg::matrix_power;
/// let a = Var::from(ndarray::array![[1.0, 1.0], [0.0, 1.0]]);
/// assert_eq!(matrix_power(&a, -3)?.as_slice(), &[1.0, -3.0, 0.0, 1.0]);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// `Shape`; for n < 0 also `NonFinite`, and `Singular` for a singular matrix.
pub fn matrix_power<T: Scalar>(a: &Var<T>, n: i32) -> Result<Var<T>> {
    square("matrix_power", a)?;
    let base = if n < 0 { inv(a)? } else { a.clone() };
    Ok(base.matrix_power(n.unsigned_abs() as usize))
}
