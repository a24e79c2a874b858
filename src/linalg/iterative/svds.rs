//! Partial singular value decomposition of an operator known by its products: the highest eigenpairs (u; v)/√2 of [[0, A], [A†, 0]], whose
//! eigenvalues are ± the singular values (Golub & Van Loan, 4th ed., §8.6.1). Lanczos on it is the bidiagonalisation of A; values, vectors and
//! the derivative are as accurate as those of [`eigsh`](super::eigsh), with the same rule.

use super::hermitian::{EigenOptions, EigenReport, Which, diagonalise, subspace_rows};
use super::operator::{Augmented, LinearOperator, erased};
use super::solve::DerivativeSolves;
use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::scalar::{Real, Scalar};
use std::sync::Arc;

/// The largest singular triplets of an operator: A ≈ U diag(s) V†.
#[derive(Clone, Debug)]
pub struct PartialSvd<T: Scalar> {
    /// Left singular vectors (m, k), in columns.
    pub u: Var<T>,
    /// Singular values (k,), descending.
    pub s: Var<T::Real>,
    /// Right singular vectors V† (k, n), in rows, conjugated.
    pub vh: Var<T>,
    /// What the iteration did; residuals are those of (u; v)/√2.
    pub report: EigenReport,
    /// What the linear solves of derivatives did, once they have run.
    pub derivative_solves: DerivativeSolves,
}

/// The k largest singular triplets of an operator (m, n), by products with A and A† alone.
///
/// The common phase of uᵢ and vᵢ is free, and so is the basis of a multiplet; k must not go beyond the rank.
///
/// ```
/// use pullback::linalg::iterative::{Dense, EigenOptions, svds};
/// use pullback::prelude::*;
/// let a = ndarray::array![[3.0, 0.0, 0.0], [0.0, 1.0, 0.0]];
/// let largest = |a: &Var<f64>| Ok::<_, Error>(svds(&Dense::new(a)?, 1, &EigenOptions::default())?.s.sum());
/// let (s, g) = value_and_grad(largest, &a)?;
/// assert!((s.item() - 3.0).abs() < 1e-14);
/// assert!((g[[0, 0]] - 1.0).abs() < 1e-12 && g[[1, 1]].abs() < 1e-12); // u vᵀ
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// As [`eigsh`](super::eigsh); `Singular` if the rank is below k. `options.start` is a vector of length m + n.
pub fn svds<T: Scalar, A: LinearOperator<T> + Clone>(a: &A, k: usize, options: &EigenOptions<T>) -> Result<PartialSvd<T>> {
    let (m, n) = a.shape();
    if k == 0 || k > m.min(n) {
        return Err(Error::argument(
            "svds",
            format!("{k} triplets of a {m} × {n} operator were asked for: k must lie in 1..={}", m.min(n)),
        ));
    }
    let (operator, params) = erased(a);
    let rows = subspace_rows("svds", (Arc::new(Augmented(operator)), params), k, Which::Highest, options)?;
    let (s, z) = diagonalise(&rows, Which::Highest)?;
    let smallest = s.as_slice()[k - 1].to_f64();
    if smallest <= T::Real::EPSILON.to_f64().sqrt() * rows.report.norm {
        return Err(Error::singular(
            "svds",
            format!(
                "singular value {} is {smallest:.1e}, zero to rounding against {:.1e}: ask for no more triplets than the rank",
                k - 1,
                rows.report.norm
            ),
        ));
    }
    let root = std::f64::consts::SQRT_2;
    let u = z.slice(ndarray::s![.., ..m]).scale(root).t();
    let vh = z.slice(ndarray::s![.., m..]).scale(root).conj();
    Ok(PartialSvd { u, s, vh, report: rows.report, derivative_solves: rows.log })
}
