//! Observables of any kind: [`Observable`], and matrices and diagonals beside the Pauli sums.

use super::pauli::PauliSum;
use super::state::{Precision, StateVector};
use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::ops::Csr;
use crate::ops::INFER;
use crate::scalar::Scalar;
use num_traits::Zero;

/// A Hermitian operator: anything that multiplies a state.
///
/// ```
/// use pullback::prelude::*;
/// use pullback::circuit::{Circuit, DiagonalObservable, Observable, StateVector};
/// // how many qubits are 1, in a|00⟩ + b|11⟩
/// let mut bell = Circuit::new(2);
/// bell.ry(0, std::f64::consts::FRAC_PI_3)?.cnot(0, 1)?;
/// let psi: StateVector = bell.state(&vec![].into())?;
/// let ones = DiagonalObservable::from_fn(2, |bits| bits.count_ones() as f64)?;
/// assert!((ones.expectation(&psi)?.item() - 0.5).abs() < 1e-14);
/// assert!((ones.variance(&psi)?.item() - 0.75).abs() < 1e-14);
/// # Ok::<(), pullback::Error>(())
/// ```
pub trait Observable<R: Precision> {
    /// H|ψ⟩, of the amplitudes' shape; differentiable in the state and in what H depends on.
    ///
    /// # Errors
    /// If H does not fit the number of qubits.
    fn times(&self, state: &StateVector<R>) -> Result<Var<R::Amplitude>>;

    /// ⟨ψ|H|ψ⟩, of shape \[\] or \[batch\]; differentiable.
    ///
    /// # Errors
    /// As [`times`](Observable::times).
    fn expectation(&self, state: &StateVector<R>) -> Result<Var<R>> {
        Ok(brackets(state.amplitudes(), &self.times(state)?).real())
    }

    /// ⟨H²⟩ − ⟨H⟩² of a normalised state, as ‖(H − ⟨H⟩)ψ‖², which does not cancel near an eigenstate; of shape \[\] or \[batch\];
    /// differentiable.
    ///
    /// # Errors
    /// As [`times`](Observable::times).
    fn variance(&self, state: &StateVector<R>) -> Result<Var<R>> {
        let psi = state.amplitudes();
        let h_psi = self.times(state)?;
        let mean = brackets(psi, &h_psi).real();
        let mean = if state.batch().is_some() { mean.reshape(&[INFER, 1]) } else { mean };
        Ok((h_psi - psi * mean.astype::<R::Amplitude>()).abs_squared().sum_axis(-1))
    }
}

/// ⟨a|b⟩ along the last axis.
pub(super) fn brackets<A: Scalar>(a: &Var<A>, b: &Var<A>) -> Var<A> {
    (a.conj() * b).sum_axis(-1)
}

impl<R: Precision> Observable<R> for PauliSum {
    fn times(&self, state: &StateVector<R>) -> Result<Var<R::Amplitude>> {
        self.apply(state)
    }
    fn expectation(&self, state: &StateVector<R>) -> Result<Var<R>> {
        state.expectation(self)
    }
}

/// How far from Hermitian a matrix may be, relative to its largest entry.
fn tolerance<R: Precision>() -> f64 {
    R::EPSILON.to_f64() * 1e4
}

fn check_hermitian<R: Precision>(operation: &'static str, off: f64, largest: f64) -> Result<()> {
    if !(off.is_finite() && largest.is_finite()) {
        return Err(Error::non_finite(operation, "an entry is not finite"));
    }
    if off > tolerance::<R>() * largest {
        return Err(Error::argument(operation, format!("the matrix is not Hermitian: the largest entry of H − H† is {off:.3e}")));
    }
    Ok(())
}

fn fits(operation: &'static str, dimension: usize, qubits: usize) -> Result<()> {
    if dimension != 1 << qubits {
        let message = format!("the operator has dimension {dimension}, the state of {qubits} qubits {}", 1usize << qubits);
        return Err(Error::shape(operation, message));
    }
    Ok(())
}

/// A Hermitian matrix on all qubits, of shape \[2ⁿ, 2ⁿ\]; differentiable in its entries.
#[derive(Clone, Debug)]
pub struct DenseObservable<R: Precision = f64>(Var<R::Amplitude>);

impl<R: Precision> DenseObservable<R> {
    /// Checks the matrix.
    ///
    /// # Errors
    /// If the shape is not \[2ⁿ, 2ⁿ\], an entry is not finite, or it is not Hermitian (the error says by how much).
    pub fn new(matrix: impl Into<Var<R::Amplitude>>) -> Result<Self> {
        const NAME: &str = "DenseObservable";
        let matrix = matrix.into();
        let n = matrix.shape().first().copied().unwrap_or(0);
        if matrix.shape() != [n, n] || n < 2 || !n.is_power_of_two() {
            return Err(Error::shape(NAME, format!("shape {:?}: expected [2ⁿ, 2ⁿ]", matrix.shape())));
        }
        let m = matrix.as_slice();
        let (mut off, mut largest) = (0.0f64, 0.0f64);
        for i in 0..n {
            for j in 0..n {
                let gap = (m[i * n + j] - m[j * n + i].conj()).modulus_squared().to_f64().sqrt();
                off = if gap.is_nan() { gap } else { off.max(gap) };
                largest = largest.max(m[i * n + j].modulus_squared().to_f64().sqrt());
                if off.is_nan() {
                    return Err(Error::non_finite(NAME, format!("entry ({i}, {j}) or ({j}, {i}) is not finite")));
                }
            }
        }
        check_hermitian::<R>(NAME, off, largest)?;
        Ok(DenseObservable(matrix))
    }
}

impl<R: Precision> Observable<R> for DenseObservable<R> {
    fn times(&self, state: &StateVector<R>) -> Result<Var<R::Amplitude>> {
        fits("DenseObservable", self.0.shape()[0], state.qubits())?;
        let psi = state.amplitudes();
        Ok(if state.batch().is_some() { psi.matmul(self.0.t()) } else { self.0.matmul(psi) })
    }
}

/// A sparse Hermitian matrix on all qubits, of shape \[2ⁿ, 2ⁿ\]; differentiable in its entries.
#[derive(Clone, Debug)]
pub struct SparseObservable<R: Precision = f64>(Csr<R::Amplitude>);

impl<R: Precision> SparseObservable<R> {
    /// Checks the matrix.
    ///
    /// # Errors
    /// If the shape is not \[2ⁿ, 2ⁿ\], an entry is not finite, or it is not Hermitian (the error says by how much).
    pub fn new(matrix: Csr<R::Amplitude>) -> Result<Self> {
        const NAME: &str = "SparseObservable";
        let [n, m] = matrix.shape();
        if n != m || n < 2 || !n.is_power_of_two() {
            return Err(Error::shape(NAME, format!("shape {:?}: expected [2ⁿ, 2ⁿ]", matrix.shape())));
        }
        let mut entries = std::collections::HashMap::with_capacity(matrix.nnz());
        let values = matrix.values().as_slice();
        for row in 0..n {
            for at in matrix.starts()[row]..matrix.starts()[row + 1] {
                *entries.entry((row, matrix.columns()[at])).or_insert(R::Amplitude::zero()) += values[at];
            }
        }
        let (mut off, mut largest) = (0.0f64, 0.0f64);
        for (&(i, j), &z) in &entries {
            let other = entries.get(&(j, i)).copied().unwrap_or(R::Amplitude::zero());
            let gap = (z - other.conj()).modulus_squared().to_f64().sqrt();
            if !gap.is_finite() {
                return Err(Error::non_finite(NAME, format!("entry ({i}, {j}) or ({j}, {i}) is not finite")));
            }
            off = off.max(gap);
            largest = largest.max(z.modulus_squared().to_f64().sqrt());
        }
        check_hermitian::<R>(NAME, off, largest)?;
        Ok(SparseObservable(matrix))
    }
}

impl<R: Precision> Observable<R> for SparseObservable<R> {
    fn times(&self, state: &StateVector<R>) -> Result<Var<R::Amplitude>> {
        fits("SparseObservable", self.0.shape()[0], state.qubits())?;
        let psi = state.amplitudes();
        Ok(if state.batch().is_some() { self.0.matmul(&psi.t()).t() } else { self.0.matmul(psi) })
    }
}

/// A function of the basis state's index; differentiable in its values.
#[derive(Clone, Debug)]
pub struct DiagonalObservable<R: Precision = f64>(Var<R>);

impl<R: Precision> DiagonalObservable<R> {
    /// From its 2ⁿ values.
    ///
    /// # Errors
    /// If there is another number of them, or one is not finite.
    pub fn new(values: impl Into<Var<R>>) -> Result<Self> {
        const NAME: &str = "DiagonalObservable";
        let values = values.into();
        if values.ndim() != 1 || values.len() < 2 || !values.len().is_power_of_two() {
            return Err(Error::shape(NAME, format!("values of shape {:?}: expected [2ⁿ]", values.shape())));
        }
        if let Some(i) = values.as_slice().iter().position(|x| !x.is_finite()) {
            return Err(Error::non_finite(NAME, format!("value {i} is {}", values.as_slice()[i])));
        }
        Ok(DiagonalObservable(values))
    }

    /// f of each index, whose bit q is qubit q.
    ///
    /// # Errors
    /// As [`new`](DiagonalObservable::new), and if there are more than 30 qubits.
    pub fn from_fn(qubits: usize, f: impl Fn(usize) -> f64) -> Result<Self> {
        if qubits == 0 || qubits > super::MAX_QUBITS {
            return Err(Error::argument("DiagonalObservable", format!("{qubits} qubits: from 1 to {}", super::MAX_QUBITS)));
        }
        Self::new((0..1usize << qubits).map(|i| R::from_f64(f(i))).collect::<Vec<R>>())
    }
}

impl<R: Precision> Observable<R> for DiagonalObservable<R> {
    fn times(&self, state: &StateVector<R>) -> Result<Var<R::Amplitude>> {
        fits("DiagonalObservable", self.0.len(), state.qubits())?;
        Ok(state.amplitudes() * self.0.astype::<R::Amplitude>())
    }
    fn expectation(&self, state: &StateVector<R>) -> Result<Var<R>> {
        fits("DiagonalObservable", self.0.len(), state.qubits())?;
        Ok((state.probabilities() * &self.0).sum_axis(-1))
    }
}
