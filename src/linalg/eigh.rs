//! Hermitian eigendecomposition A = V diag(λ) V†.
//!
//! Tangent: λ̇ = diag(V†ȦV), V̇ = V (F ∘ V†ȦV) with F_ij = 1/(λ_j − λ_i). Pullback: Ā = V (diag λ̄ + F ∘ K) V† with K the anti-Hermitian
//! part of V†V̄ (Giles, "An extended collection of matrix derivative results", 2008, §3.1; complex: Wan & Zhang, arXiv:1909.02659).
//!
//! The vectors of a degenerate eigenvalue are any basis of its space, and every vector has a free phase. A loss that depends on such a
//! choice has no derivative: reverse mode finds an entry of K, or a difference of λ̄, on a degenerate block (or an imaginary one on the
//! diagonal) and refuses with [`Error::GaugeDependent`]; forward mode refuses a perturbation that mixes a block. Losses that do not
//! depend on it have a right first derivative here; for functions of a matrix and projectors, [`funm`](super::funm) and
//! [`projector`](super::projector) are right to every order.

use super::backend;
use super::matrices::*;
use crate::autodiff::{Primitive, Var, apply};
use crate::error::{Error, Result};
use crate::scalar::{Real, Scalar};
use num_traits::Zero as _;

/// How [`eigh_with`] treats near degeneracy.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EighOptions {
    /// Replaces 1/Δ by Δ/(Δ² + η²) with η = `broadening` · max|λ|, and the gauge check with it: a regularised derivative, wrong by about
    /// (η/Δ)² where vectors matter. Off by default.
    pub broadening: Option<f64>,
}

/// The eigenvalues (…, n), ascending, and eigenvectors (…, n, n), in columns, of Hermitian matrices (…, n, n).
///
/// The matrix is replaced by its Hermitian part (A + A†)/2. At degenerate eigenvalues the derivative exists for losses that do not depend
/// on the choice of basis, and anything else is an error: see [`funm`](super::funm) and [`projector`](super::projector).
///
/// ```
/// use pullback::prelude::*;
/// use pullback::linalg::eigh;
/// let a = ndarray::array![[2.0, 1.0], [1.0, 2.0]];
/// let (values, _) = eigh::<f64>(&Var::from(&a))?;
/// assert!((values.as_slice()[0] - 1.0).abs() < 1e-14 && (values.as_slice()[1] - 3.0).abs() < 1e-14);
/// // Hellmann–Feynman: the derivative of an eigenvalue is the expectation value of the perturbation
/// let g = grad(|a: &Var<f64>| Ok::<_, Error>(eigh(a)?.0.slice(ndarray::s![0])), &a)?;
/// assert!((g[[0, 1]] + 0.5).abs() < 1e-14);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// `Shape` if not square, `NonFinite`, `NoConvergence`; in forward mode `GaugeDependent`. Sweeps return `GaugeDependent` where the loss
/// depends on the basis of a degenerate space or on a phase.
pub fn eigh<T: Scalar>(a: &Var<T>) -> Result<(Var<T::Real>, Var<T>)> {
    eigh_with(a, &EighOptions::default())
}

/// As [`eigh`] with options.
///
/// # Errors
/// As [`eigh`].
pub fn eigh_with<T: Scalar>(a: &Var<T>, options: &EighOptions) -> Result<(Var<T::Real>, Var<T>)> {
    square("eigh", a)?;
    apply(Eigh::new(*options), &hermitian_part(a))
}

/// The eigenvalues of [`eigh`]. Where no derivative is asked for, no vectors are computed.
///
/// # Errors
/// As [`eigh`].
pub fn eigvalsh<T: Scalar>(a: &Var<T>) -> Result<Var<T::Real>> {
    let (batch, n) = square("eigvalsh", a)?;
    if !a.is_constant() {
        return Ok(eigh(a)?.0);
    }
    let h = hermitian_part(a);
    let values = each_matrix(&h, n, n, |a| backend::eigvalsh(a, n))?;
    Ok(gather(batch, &[n], values.into_iter()))
}

pub(super) struct Eigh<T> {
    options: EighOptions,
    types: std::marker::PhantomData<T>,
}

impl<T: Scalar> Eigh<T> {
    pub(super) fn new(options: EighOptions) -> Self {
        Eigh { options, types: std::marker::PhantomData }
    }

    /// 1/(λ_j − λ_i), and which pairs are degenerate.
    pub(super) fn factors(&self, values: &Var<T::Real>) -> (Var<T>, Vec<bool>) {
        let gaps = row::<T::Real>(values) - column::<T::Real>(values);
        let n = *values.shape().last().expect("a vector");
        let scales: Vec<f64> = values.as_slice().chunks(n.max(1)).map(|v| max_modulus(v)).collect();
        let block = (n * n).max(1);
        if let Some(broadening) = self.options.broadening {
            let eta: Vec<T::Real> = scales.iter().map(|s| T::Real::from_f64((broadening * s).powi(2))).collect();
            let shape = [&values.shape()[..values.ndim() - 1], &[1, 1]].concat();
            let eta = Var::from(eta).reshape(&shape);
            let diagonal: Vec<bool> = (0..gaps.len()).map(|k| (k % block) / n == k % n).collect();
            let denominator = gaps.square() + eta;
            return ((&gaps * masked_reciprocal(&denominator, &diagonal)).astype(), diagonal);
        }
        let close = |(k, gap): (usize, &T::Real)| gap.to_f64().abs() <= degeneracy::<T>() * scales[k / block];
        let degenerate: Vec<bool> = gaps.as_slice().iter().enumerate().map(close).collect();
        (masked_reciprocal(&gaps, &degenerate).astype(), degenerate)
    }

    pub(super) fn refuse_gauge(&self, k: &Var<T>, degenerate: &[bool], scale: f64) -> Result<()> {
        let n = k.shape()[k.ndim() - 1];
        let allowed = gauge_tolerance::<T>() * scale;
        for (at, (x, _)) in k.as_slice().iter().zip(degenerate).enumerate().filter(|(_, (_, d))| **d) {
            let (i, j) = ((at / n) % n, at % n);
            if x.modulus().to_f64() > allowed {
                return Err(depends_on_basis(i, j, x.modulus().to_f64(), allowed));
            }
        }
        Ok(())
    }

    /// The columns that have a cotangent, if everything is a constant and they are few enough for [`Eigh::pull_few`].
    fn few(&self, vectors: &Var<T>, values_bar: Option<&Var<T::Real>>, vectors_bar: &Var<T>) -> Option<Vec<usize>> {
        let constant = vectors.is_constant() && vectors_bar.is_constant() && values_bar.is_none_or(Var::is_constant);
        if vectors.ndim() != 2 || !constant || self.options.broadening.is_some() {
            return None;
        }
        let n = vectors.shape()[0];
        let mut used: Vec<bool> = values_bar.map_or_else(|| vec![false; n], |g| g.as_slice().iter().map(|g| !g.is_zero()).collect());
        for row in vectors_bar.as_slice().chunks_exact(n.max(1)) {
            used.iter_mut().zip(row).for_each(|(used, x)| *used |= !x.is_zero());
        }
        let columns: Vec<usize> = (0..n).filter(|&j| used[j]).collect();
        (4 * columns.len() <= n).then_some(columns)
    }

    /// The pullback where the loss depends on few of the pairs: of F∘K only their columns and rows, so n² for each pair, not n³ for all.
    fn pull_few(
        &self,
        (values, vectors): (&Var<T::Real>, &Var<T>),
        values_bar: Option<&Var<T::Real>>,
        vectors_bar: &Var<T>,
        columns: &[usize],
    ) -> Result<Var<T>> {
        let (n, m) = (vectors.shape()[0], columns.len());
        let lambda = values.as_slice();
        let close = degeneracy::<T>() * max_modulus(lambda);
        let allowed = gauge_tolerance::<T>() * max_modulus(vectors_bar.as_slice());
        let picked = vectors.index_select(columns, 1);
        let projected = vectors.h().matmul(vectors_bar.index_select(columns, 1));
        let projected = projected.as_slice();
        let mut place = vec![None; n];
        columns.iter().enumerate().for_each(|(c, &j)| place[j] = Some(c));
        let real = |x: f64| T::from_real(T::Real::from_f64(x));
        let mut core = vec![T::zero(); n * m];
        for (c, &j) in columns.iter().enumerate() {
            for i in 0..n {
                let transposed = place[i].map_or(T::zero(), |d| projected[j * m + d].conj());
                let k = (projected[i * m + c] - transposed) * real(0.5);
                let gap = lambda[j] - lambda[i];
                if gap.to_f64().abs() > close {
                    // a pair of two columns comes in twice
                    core[i * m + c] = k * real(if place[i].is_some() { 0.5 } else { 1.0 }) / T::from_real(gap);
                } else if k.modulus().to_f64() > allowed {
                    return Err(depends_on_basis(i.min(j), i.max(j), k.modulus().to_f64(), allowed));
                }
            }
            if let Some(g) = values_bar {
                core[j * m + c] += T::from_real(g.as_slice()[j]) * real(0.5);
            }
        }
        let half = vectors.matmul(Var::from_shape_vec(&[n, m], core)?).matmul(picked.h());
        Ok(&half + half.h())
    }
}

fn depends_on_basis(i: usize, j: usize, by: f64, allowed: f64) -> Error {
    Error::gauge_dependent(
        "eigh",
        if i == j {
            format!("the loss depends on the phase of eigenvector {i} (by {by:.1e}); use |v| or projectors v v†")
        } else {
            format!(
                "the loss depends on how the basis of the degenerate eigenvalues {i} and {j} is chosen (by {by:.1e}, allowed is {allowed:.1e}); for functions of the matrix use linalg::funm, for projectors onto its eigenspaces linalg::projector"
            )
        },
    )
}

impl<T: Scalar> Primitive for Eigh<T> {
    type Inputs = Var<T>;
    type Outputs = (Var<T::Real>, Var<T>);
    fn name(&self) -> &'static str {
        "eigh"
    }
    fn keeps_input(&self, _: usize) -> bool {
        false
    }
    fn forward(&self, a: &Var<T>) -> Result<Self::Outputs> {
        let (batch, n) = square("eigh", a)?;
        let parts = each_matrix(a, n, n, |a| backend::eigh(a, n))?;
        let (values, vectors): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        Ok((gather(batch, &[n], values.into_iter()), gather(batch, &[n, n], vectors.into_iter())))
    }
    fn vjp(
        &self,
        _: &Var<T>,
        (values, vectors): &Self::Outputs,
        (values_bar, vectors_bar): (Option<Var<T::Real>>, Option<Var<T>>),
        _: &[bool],
    ) -> Result<Option<Var<T>>> {
        let check = self.options.broadening.is_none();
        if check && let Some(g) = &values_bar {
            refuse_split_values("eigh", values, g)?;
        }
        let Some(vectors_bar) = vectors_bar else {
            return Ok(values_bar.map(|g| (vectors * row::<T>(&g)).matmul(vectors.h())));
        };
        if let Some(columns) = self.few(vectors, values_bar.as_ref(), &vectors_bar) {
            return Ok(Some(self.pull_few((values, vectors), values_bar.as_ref(), &vectors_bar, &columns)?));
        }
        let (factors, degenerate) = self.factors(values);
        let k = antihermitian_part(&vectors.h().matmul(&vectors_bar));
        if check {
            self.refuse_gauge(&k, &degenerate, max_modulus(vectors_bar.as_slice()))?;
        }
        let mut core = k * factors;
        if let Some(g) = values_bar {
            core += diagonal_matrix::<T>(&g);
        }
        Ok(Some(sandwich(vectors, &core, &vectors.h())))
    }
    fn jvp(&self, _: &Var<T>, (values, vectors): &Self::Outputs, da: &Var<T>) -> Result<Self::Outputs> {
        let projected = sandwich(&vectors.h(), da, vectors);
        let (factors, degenerate) = self.factors(values);
        if self.options.broadening.is_none() {
            let n = *values.shape().last().expect("a vector");
            let off: Vec<bool> = degenerate.iter().enumerate().map(|(k, &d)| d && (k / n) % n != k % n).collect();
            self.refuse_gauge(&projected, &off, max_modulus(projected.as_slice()))?;
        }
        Ok((real_diagonal(&projected), vectors.matmul(&(projected * factors))))
    }
}

/// A loss of single eigenvalues or singular values has no derivative where they coincide, unless it treats them alike.
pub(crate) fn refuse_split_values<R: Real>(operation: &'static str, values: &Var<R>, bar: &Var<R>) -> Result<()> {
    let n = (*values.shape().last().expect("a vector")).max(1);
    let allowed = gauge_tolerance::<R>() * max_modulus(bar.as_slice());
    for (v, g) in values.as_slice().chunks(n).zip(bar.as_slice().chunks(n)) {
        let close = degeneracy::<R>() * max_modulus(v);
        for i in 1..v.len() {
            // a vanishing matrix is one block; so are zero singular values, whose order means nothing
            if (v[i] - v[i - 1]).to_f64().abs() <= close && (g[i] - g[i - 1]).to_f64().abs() > allowed {
                return Err(Error::gauge_dependent(
                    operation,
                    format!(
                        "values {} and {i} coincide ({:e}) and the loss treats them differently: it has directional derivatives only; use a function that is symmetric in them (a sum, a trace), or linalg::funm and linalg::projector",
                        i - 1,
                        v[i].to_f64()
                    ),
                ));
            }
        }
    }
    Ok(())
}
