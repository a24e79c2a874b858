//! Eigenvalues and eigenvectors of general matrices, A V = V diag(λ).
//!
//! With C = V⁻¹ȦV: λ̇ = diag C, V̇ = V (F∘C) with F_ij = 1/(λ_j − λ_i), then made orthogonal to each vector, which keeps its norm and the
//! phase along the path (Boeddeker et al., arXiv:1701.00392). A loss must not depend on the phases of the vectors.

use super::backend;
use super::matrices::*;
use super::solve::solve;
use crate::autodiff::primitive::transpose_jvp;
use crate::autodiff::{Primitive, Tree, Var, apply};
use crate::error::{Error, Result};
use crate::scalar::{Real, Scalar};
use std::marker::PhantomData;

struct Eig<T>(PhantomData<T>);

type Pair<T> = (Var<<T as Scalar>::Complex>, Var<<T as Scalar>::Complex>);

impl<T: Scalar> Eig<T> {
    fn factors(values: &Var<T::Complex>) -> (Var<T::Complex>, Vec<bool>) {
        let (n, batch) = values.shape().split_last().expect("a vector");
        let as_row = values.reshape(&[batch, &[1, *n]].concat());
        let as_column = values.reshape(&[batch, &[*n, 1]].concat());
        let gaps = as_row - as_column;
        let scales: Vec<f64> = values.as_slice().chunks((*n).max(1)).map(|v| max_modulus(v)).collect();
        let close = |(at, gap): (usize, &T::Complex)| gap.modulus().to_f64() <= degeneracy::<T>() * scales[at / (n * n).max(1)];
        let degenerate: Vec<bool> = gaps.as_slice().iter().enumerate().map(close).collect();
        let safe = crate::ops::selection::where_bool(&degenerate, &gaps.ones_like(), &gaps);
        (crate::ops::selection::where_bool(&degenerate, &gaps.zeros_like(), &safe.reciprocal()), degenerate)
    }

    /// The diagonals (…, n) of (…, n, n).
    fn diagonal(x: &Var<T::Complex>) -> Var<T::Complex> {
        let n = x.shape()[x.ndim() - 1];
        let batch = &x.shape()[..x.ndim() - 2];
        crate::ops::broadcast::sum_to(x * eye(n), &[batch, &[1, n]].concat()).reshape(&[batch, &[n]].concat())
    }

    fn scale_columns(x: &Var<T::Complex>, by: &Var<T::Complex>) -> Var<T::Complex> {
        let (n, batch) = by.shape().split_last().expect("a vector");
        x * by.reshape(&[batch, &[1, *n]].concat())
    }
}

/// Eigenvectors that are linearly dependent to √ε: the eigenvalues move as the root of a perturbation.
fn refuse_defective<C: Scalar>(vectors: &Var<C>) -> Result<()> {
    let (_, n) = square("eig", vectors)?;
    let smallest = each_matrix(vectors, n, n, |v| Ok(backend::svdvals(v, n, n)?.last().map_or(1.0, |s| s.to_f64())))?;
    match smallest.into_iter().find(|s| *s < 10.0 * gauge_tolerance::<C>()) {
        None => Ok(()),
        Some(s) => Err(Error::singular(
            "eig",
            format!(
                "the matrix is defective to rounding (the smallest singular value of its eigenvectors is {s:.1e}): the derivative does not exist"
            ),
        )),
    }
}

fn refuse_degenerate(size: f64, i: usize, j: usize) -> Error {
    Error::gauge_dependent(
        "eig",
        format!(
            "eigenvalues {i} and {j} coincide and the result depends on how their vectors are chosen (by {size:.1e}); for a Hermitian matrix use linalg::eigh, linalg::funm or linalg::projector"
        ),
    )
}

impl<T: Scalar> Primitive for Eig<T> {
    type Inputs = Var<T>;
    type Outputs = Pair<T>;
    fn name(&self) -> &'static str {
        "eig"
    }
    fn keeps_input(&self, _: usize) -> bool {
        false
    }
    fn forward(&self, a: &Var<T>) -> Result<Self::Outputs> {
        let (batch, n) = square("eig", a)?;
        let parts = each_matrix(a, n, n, |a| backend::eig(a, n, false))?;
        let (values, vectors): (Vec<_>, Vec<_>) = parts.into_iter().map(|e| (e.values, e.right)).unzip();
        Ok((gather(batch, &[n], values.into_iter()), gather(batch, &[n, n], vectors.into_iter())))
    }
    fn vjp(&self, a: &Var<T>, out: &Self::Outputs, bar: <Self::Outputs as Tree>::Partial, needs: &[bool]) -> Result<Option<Var<T>>> {
        if let Some(g) = &bar.1 {
            let (values, vectors) = (out.0.stop_gradient(), out.1.stop_gradient());
            let g = g.stop_gradient();
            let n = values.shape()[values.ndim() - 1].max(1);
            let allowed = gauge_tolerance::<T>() * max_modulus(g.as_slice());
            let along = Self::diagonal(&vectors.h().matmul(&g));
            if let Some((i, x)) = along.as_slice().iter().enumerate().find(|(_, x)| x.im().to_f64().abs() > allowed) {
                return Err(Error::gauge_dependent(
                    "eig",
                    format!(
                        "the loss depends on the phase of eigenvector {} (by {:.1e}); use |v| or products that cancel it",
                        i % n,
                        x.im().to_f64().abs()
                    ),
                ));
            }
            let across = vectors.h().matmul(&(&g - Self::scale_columns(&vectors, &along)));
            let (_, degenerate) = Self::factors(&values);
            for (at, (x, _)) in across.as_slice().iter().zip(&degenerate).enumerate().filter(|(_, (_, d))| **d) {
                let (i, j) = ((at / n) % n, at % n);
                if i != j && x.modulus().to_f64() > allowed {
                    return Err(refuse_degenerate(x.modulus().to_f64(), i, j));
                }
            }
        }
        transpose_jvp(self, a, out, bar, needs)
    }
    fn jvp(&self, _: &Var<T>, (values, vectors): &Self::Outputs, da: &Var<T>) -> Result<Self::Outputs> {
        refuse_defective(&vectors.stop_gradient())?;
        let c = solve(vectors, &da.to_complex().matmul(vectors))?;
        let (factors, degenerate) = Self::factors(values);
        let n = values.shape()[values.ndim() - 1].max(1);
        let allowed = gauge_tolerance::<T>() * max_modulus(c.as_slice());
        for (at, (x, _)) in c.as_slice().iter().zip(&degenerate).enumerate().filter(|(_, (_, d))| **d) {
            let (i, j) = ((at / n) % n, at % n);
            if i != j && x.modulus().to_f64() > allowed {
                return Err(refuse_degenerate(x.modulus().to_f64(), i, j));
            }
        }
        let moved = vectors.matmul(&(&c * factors));
        let along = Self::diagonal(&vectors.h().matmul(&moved));
        Ok((Self::diagonal(&c), moved - Self::scale_columns(vectors, &along)))
    }
}

/// The eigenvalues (…, n) and right eigenvectors (…, n, n), in columns, of general matrices (…, n, n), both complex.
///
/// Vectors have unit norm; their phases are arbitrary, and forward mode moves each orthogonally to itself.
///
/// # Errors
/// `Shape`, `NonFinite`, `NoConvergence`; where a derivative is asked for, `Singular` for a defective matrix and `GaugeDependent` for a
/// loss that depends on phases or on the basis of a degenerate eigenvalue.
pub fn eig<T: Scalar>(a: &Var<T>) -> Result<(Var<T::Complex>, Var<T::Complex>)> {
    square("eig", a)?;
    apply(Eig(PhantomData), a)
}

/// The eigenvalues (…, n) of general matrices.
///
/// # Errors
/// As [`eig`].
pub fn eigvals<T: Scalar>(a: &Var<T>) -> Result<Var<T::Complex>> {
    Ok(eig(a)?.0)
}
