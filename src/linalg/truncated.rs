//! The leading part of a Hermitian eigendecomposition, by modulus: A = V Λ V† + A⊥ with |λ| of A⊥ below those of Λ.
//!
//! Tangent: λ̇ = diag(V†ȦV), V̇ = V (F∘V†ȦV) + x with F_ij = 1/(λ_j − λ_i) and x Λ − A⊥ x = (1 − VV†) Ȧ V.
//! Pullback: Ā = V (diag λ̄ + F∘K) V† + p V† with K the anti-Hermitian part of V†V̄ and p Λ − A⊥ p = (1 − VV†) V̄.
//!
//! With signs σ = Λ/|Λ| the last system is the one of `discarded.rs` for S = |Λ|: y = x σ gives x S − A⊥ y = b σ and y S − A⊥ x = b, which is
//! positive definite because all of A⊥ lies below S. (Francuz, Schuch & Vanhecke, arXiv:2311.11894, have the correction for the singular
//! value decomposition.)

use super::backend;
use super::discarded::solve_discarded;
use super::eigh::{Eigh, EighOptions, refuse_split_values};
use super::matrices::*;
use super::svd::{LOOK_AHEAD, Truncation, project_out};
use crate::autodiff::{Primitive, Var, apply};
use crate::error::{Error, Result};
use crate::scalar::{Real, Scalar};
use crate::tensor::Tensor;
use num_traits::{One as _, Zero as _};
use std::marker::PhantomData;

const NAME: &str = "truncated_eigh";

struct TruncatedEigh<T> {
    truncation: Truncation,
    types: PhantomData<T>,
}

/// An order by falling modulus in which, where moduli agree to rounding, values fall too: equal ones stand together, of ±λ the positive first.
fn positive_first<R: Real>(values: &[R], close: f64) -> Vec<usize> {
    let moduli: Vec<f64> = values.iter().map(|v| v.to_f64().abs()).collect();
    let mut order: Vec<usize> = (0..values.len()).collect();
    let mut start = 0;
    for i in 1..=values.len() {
        if i == values.len() || moduli[i - 1] - moduli[i] > close * moduli[0] {
            order[start..i].sort_by(|&i, &j| values[j].to_f64().total_cmp(&values[i].to_f64()));
            start = i;
        }
    }
    order
}

/// The signs of the values, as constants.
fn signs<T: Scalar>(values: &Var<T::Real>) -> Var<T::Real> {
    let sign = |x: &T::Real| if *x < T::Real::zero() { -T::Real::one() } else { T::Real::one() };
    Var::constant(Tensor::new(values.shape(), values.as_slice().iter().map(sign).collect()))
}

/// x of x Λ − A⊥ x = b
fn outside<T: Scalar>(a: &Var<T>, values: &Var<T::Real>, vectors: &Var<T>, b: &Var<T>) -> Result<Var<T>> {
    let rest = a - (vectors * row::<T>(values)).matmul(vectors.h());
    let sign = signs::<T>(values);
    let moduli = diagonal_matrix::<T>(&(values * &sign));
    Ok(solve_discarded(&rest, &moduli, &(b * row::<T>(&sign)), b)?.0)
}

impl<T: Scalar> Primitive for TruncatedEigh<T> {
    type Inputs = Var<T>;
    type Outputs = (Var<T::Real>, Var<T>);
    fn name(&self) -> &'static str {
        NAME
    }
    fn forward(&self, a: &Var<T>) -> Result<Self::Outputs> {
        let (_, n) = square(NAME, a)?;
        let Truncation { rank, tolerance } = self.truncation;
        let mut ask = if tolerance > 0.0 && rank >= n { n } else { rank.saturating_add(LOOK_AHEAD).min(n) };
        loop {
            let (values, vectors) = backend::truncated_eigh(a.as_slice(), n, ask)?;
            let moduli: Vec<f64> = values.iter().map(|v| v.to_f64().abs()).collect();
            let keep = self.truncation.count::<T>(&moduli, n);
            if keep == ask && ask < n {
                ask = (2 * ask).min(n); // the multiplet goes on beyond what was computed
                continue;
            }
            let order = positive_first(&values[..keep], degeneracy::<T>());
            let kept = order.iter().map(|&i| values[i]).collect();
            let columns = vectors.chunks(ask.max(1)).flat_map(|row| order.iter().map(|&i| row[i])).collect();
            return Ok((Var::constant(Tensor::new(&[keep], kept)), Var::constant(Tensor::new(&[n, keep], columns))));
        }
    }
    fn vjp(
        &self,
        a: &Var<T>,
        (values, vectors): &Self::Outputs,
        (values_bar, vectors_bar): (Option<Var<T::Real>>, Option<Var<T>>),
        _: &[bool],
    ) -> Result<Option<Var<T>>> {
        if let Some(g) = &values_bar {
            refuse_split_values(NAME, values, g)?;
        }
        let Some(vectors_bar) = vectors_bar else {
            return Ok(values_bar.map(|g| (vectors * row::<T>(&g)).matmul(vectors.h())));
        };
        let eigh = Eigh::<T>::new(EighOptions::default());
        let (factors, degenerate) = eigh.factors(values);
        let k = antihermitian_part(&vectors.h().matmul(&vectors_bar));
        eigh.refuse_gauge(&k, &degenerate, max_modulus(vectors_bar.as_slice()))?;
        let mut core = k * factors;
        if let Some(g) = values_bar {
            core += diagonal_matrix::<T>(&g);
        }
        let p = outside(a, values, vectors, &project_out(vectors, &vectors_bar))?;
        Ok(Some(sandwich(vectors, &core, &vectors.h()) + p.matmul(vectors.h())))
    }
    fn jvp(&self, a: &Var<T>, (values, vectors): &Self::Outputs, da: &Var<T>) -> Result<Self::Outputs> {
        let moved = da.matmul(vectors);
        let projected = vectors.h().matmul(&moved);
        let eigh = Eigh::<T>::new(EighOptions::default());
        let (factors, degenerate) = eigh.factors(values);
        let k = values.len().max(1);
        let off: Vec<bool> = degenerate.iter().enumerate().map(|(at, &d)| d && at / k != at % k).collect();
        eigh.refuse_gauge(&projected, &off, max_modulus(projected.as_slice()))?;
        let x = outside(a, values, vectors, &project_out(vectors, &moved))?;
        Ok((real_diagonal(&projected), vectors.matmul(&(projected * factors)) + x))
    }
}

/// The eigenvalues (k,) of largest modulus of one Hermitian matrix (n, n), by falling |λ|, of ±λ the positive one first, and their vectors
/// (n, k): its best approximation V Λ V† of a given rank or accuracy.
///
/// The matrix is replaced by its Hermitian part. Values of equal modulus are kept or dropped together, so neither a multiplet nor a pair ±λ is
/// split. The derivative contains the correction for the discarded part, so it is that of the exact leading pairs. Where few of many are
/// kept only those are computed.
///
/// ```
/// use pullback::prelude::*;
/// use pullback::linalg::{Truncation, truncated_eigh};
/// let a = Var::from(ndarray::array![[1.0, 0.0, 0.0], [0.0, -3.0, 0.0], [0.0, 0.0, 2.0]]);
/// let (values, vectors) = truncated_eigh(&a, Truncation::rank(2))?;
/// assert_eq!((values.as_slice(), vectors.shape()), (&[-3.0, 2.0][..], &[3usize, 2][..]));
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// As [`eigh`](super::eigh()); `Argument` for a rank of 0 or a negative tolerance; `Shape` for a stack of matrices; `NoConvergence` where a derivative
/// is asked for and a discarded value is too close to a kept one.
pub fn truncated_eigh<T: Scalar>(a: &Var<T>, truncation: Truncation) -> Result<(Var<T::Real>, Var<T>)> {
    truncation.check(NAME)?;
    let (batch, _) = square(NAME, a)?;
    if !batch.is_empty() {
        return Err(Error::shape(NAME, format!("needs one matrix, the shape is {:?}: the ranks of a stack may differ", a.shape())));
    }
    apply(TruncatedEigh { truncation, types: PhantomData }, &hermitian_part(a))
}
