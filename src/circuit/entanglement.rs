//! Two states, and parts of one: overlaps, reduced density matrices, entanglement entropy.

use super::memory;
use super::observable::brackets;
use super::state::{Precision, StateVector};
use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::linalg::svdvals;
use crate::scalar::Real;
use crate::special::entr;

/// Checks a choice of qubits: in range, none twice.
pub(super) fn check_choice(operation: &'static str, qubits: &[usize], n: usize) -> Result<()> {
    for (i, q) in qubits.iter().enumerate() {
        if *q >= n {
            return Err(Error::argument(operation, format!("qubit {q}: there are {n}, numbered from 0")));
        }
        if qubits[..i].contains(q) {
            return Err(Error::argument(operation, format!("qubit {q} is given twice")));
        }
    }
    Ok(())
}

/// Amplitudes as a matrix: the index of the chosen qubits (the first the lowest bit), the index of the others.
fn split<R: Precision>(operation: &'static str, state: &StateVector<R>, qubits: &[usize]) -> Result<Var<R::Amplitude>> {
    let n = state.qubits();
    if state.batch().is_some() {
        return Err(Error::shape(operation, format!("amplitudes of shape {:?}: one state at a time", state.amplitudes().shape())));
    }
    check_choice(operation, qubits, n)?;
    let mut axes: Vec<isize> = qubits.iter().rev().map(|&q| (n - 1 - q) as isize).collect();
    axes.extend((0..n).filter(|a| !qubits.contains(&(n - 1 - a))).map(|a| a as isize));
    let k = qubits.len();
    Ok(state.amplitudes().reshape(&vec![2; n]).permute(&axes).reshape(&[1 << k, 1 << (n - k)]))
}

impl<R: Precision> StateVector<R> {
    /// ⟨self|other⟩, of shape \[\] or \[batch\]; differentiable.
    ///
    /// # Errors
    /// If the numbers of qubits or the batches differ.
    pub fn overlap(&self, other: &StateVector<R>) -> Result<Var<R::Amplitude>> {
        let (a, b) = (self.amplitudes(), other.amplitudes());
        if self.qubits() != other.qubits() || matches!((self.batch(), other.batch()), (Some(x), Some(y)) if x != y) {
            return Err(Error::shape("StateVector::overlap", format!("states of shapes {:?} and {:?}", a.shape(), b.shape())));
        }
        Ok(brackets(a, b))
    }

    /// |⟨self|other⟩|², of shape \[\] or \[batch\]; differentiable.
    ///
    /// ```
    /// use pullback::circuit::{Circuit, StateVector};
    /// let mut plus = Circuit::new(1);
    /// plus.h(0)?;
    /// let psi: StateVector = plus.state(&vec![].into())?;
    /// assert!((psi.fidelity(&StateVector::zero(1)?)?.item() - 0.5).abs() < 1e-15);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`overlap`](StateVector::overlap).
    pub fn fidelity(&self, other: &StateVector<R>) -> Result<Var<R>> {
        Ok(self.overlap(other)?.abs_squared())
    }

    /// The density matrix of the chosen qubits, of shape \[2ᵏ, 2ᵏ\], the first the lowest bit; the others are traced out. Differentiable.
    ///
    /// # Errors
    /// If a qubit is out of range or given twice, there are more than 12, or the state is a batch.
    pub fn reduced_density_matrix(&self, qubits: &[usize]) -> Result<Var<R::Amplitude>> {
        const NAME: &str = "StateVector::reduced_density_matrix";
        let bytes = 4.0f64.powi(qubits.len() as i32) * size_of::<R::Amplitude>() as f64;
        if qubits.len() > 12 {
            let gib = memory::gib(bytes);
            return Err(Error::argument(NAME, format!("{} qubits: at most 12; the matrix would take {gib:.3} GiB", qubits.len())));
        }
        memory::check(NAME, &format!("a density matrix of {} qubits", qubits.len()), bytes)?;
        let m = split(NAME, self, qubits)?;
        Ok(m.matmul(m.h()))
    }

    /// −Tr ρ ln ρ of the chosen qubits' density matrix, in nats, from the Schmidt coefficients; differentiable, where a coefficient vanishes
    /// with the derivative 0 (it is a minimum of the probability).
    ///
    /// ```
    /// use pullback::circuit::{Circuit, StateVector};
    /// let mut bell = Circuit::new(2);
    /// bell.h(0)?.cnot(0, 1)?;
    /// let psi: StateVector = bell.state(&vec![].into())?;
    /// assert!((psi.entanglement_entropy(&[0])?.item() - 2f64.ln()).abs() < 1e-14);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Errors
    /// If a qubit is out of range or given twice, or the state is a batch.
    pub fn entanglement_entropy(&self, qubits: &[usize]) -> Result<Var<R>> {
        Ok(entropy(&self.schmidt(qubits)?.square()))
    }

    /// −ln Tr ρ² of the chosen qubits, the second Rényi entropy, in nats; differentiable.
    ///
    /// # Errors
    /// As [`entanglement_entropy`](StateVector::entanglement_entropy).
    pub fn renyi_entropy(&self, qubits: &[usize]) -> Result<Var<R>> {
        Ok(-self.schmidt(qubits)?.square().square().sum().log())
    }

    /// The Schmidt coefficients between the chosen qubits and the others, descending.
    ///
    /// # Errors
    /// As [`entanglement_entropy`](StateVector::entanglement_entropy).
    pub fn schmidt(&self, qubits: &[usize]) -> Result<Var<R>> {
        let m = split("StateVector::schmidt", self, qubits)?;
        // the smaller side first: the decomposition is of that size
        svdvals(&if m.shape()[0] > m.shape()[1] { m.t() } else { m })
    }
}

/// −Σ p ln p; what rounding left of a zero counts as one.
pub(super) fn entropy<R: Real>(p: &Var<R>) -> Var<R> {
    let zero = R::from_f64(R::EPSILON.to_f64().powi(2));
    let some: Vec<usize> = (0..p.len()).filter(|&i| p.as_slice()[i] > zero).collect();
    entr(&p.take(&some)).sum()
}
