//! [`StateVector`].

use super::memory;
use super::pauli::PauliSum;
use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::scalar::{Real, Scalar};
use num_complex::Complex;
use num_traits::Zero;

/// What amplitudes are made of: `f64`, or `f32` with half the memory.
pub trait Precision: Real + Scalar<Real = Self, Complex = Self::Amplitude> {
    /// The complex type.
    type Amplitude: Scalar<Real = Self, Complex = Self::Amplitude> + crate::kernels::state_vector::Amplitude;
}
impl Precision for f32 {
    type Amplitude = Complex<f32>;
}
impl Precision for f64 {
    type Amplitude = Complex<f64>;
}

/// The most qubits that a state may have.
pub const MAX_QUBITS: usize = 30;

/// States of n qubits: amplitudes of shape \[2ⁿ\], or \[batch, 2ⁿ\] for several. Qubit q is bit q of the last index.
///
/// The amplitudes are a [`Var`], so states are differentiated through like any array.
///
/// ```
/// use pullback::circuit::{Circuit, StateVector};
/// let mut bell = Circuit::new(2);
/// bell.h(0)?.cnot(0, 1)?;
/// let psi: StateVector = bell.state(&pullback::Var::from(Vec::<f64>::new()))?;
/// assert!((psi.probabilities().as_slice()[3] - 0.5).abs() < 1e-15);
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct StateVector<R: Precision = f64> {
    qubits: usize,
    amplitudes: Var<R::Amplitude>,
}

/// How far from 1 the norm of a state that is given may be: in units of the scalar's precision, for 2ⁿ rounded amplitudes.
fn tolerance<R: Precision>() -> f64 {
    R::EPSILON.to_f64() * 1e4
}

fn check_qubits(operation: &'static str, qubits: usize, bytes: usize) -> Result<()> {
    let all = (2.0f64).powi(qubits as i32) * bytes as f64;
    if qubits == 0 || qubits > MAX_QUBITS {
        let gib = memory::gib(all);
        return Err(Error::argument(
            operation,
            format!("{qubits} qubits: from 1 to {MAX_QUBITS}; a state of {qubits} would take {gib:.3} GiB"),
        ));
    }
    memory::check(operation, &format!("a state of {qubits} qubits"), all)
}

impl<R: Precision> StateVector<R> {
    /// |0…0⟩
    ///
    /// # Errors
    /// If the number of qubits is not from 1 to 30, or the state takes more than the [memory limit](super::set_memory_limit) (the error
    /// says how much it would take).
    pub fn zero(qubits: usize) -> Result<Self> {
        Self::basis(qubits, 0)
    }

    /// The basis state with the given index.
    ///
    /// # Errors
    /// As [`zero`](StateVector::zero), and if the index is not below 2ⁿ.
    pub fn basis(qubits: usize, index: usize) -> Result<Self> {
        const NAME: &str = "StateVector::basis";
        check_qubits(NAME, qubits, size_of::<R::Amplitude>())?;
        if index >> qubits != 0 {
            return Err(Error::argument(NAME, format!("index {index}: {qubits} qubits have {} basis states", 1usize << qubits)));
        }
        let mut data = crate::kernels::pool::filled(1 << qubits, Zero::zero());
        data[index] = num_traits::One::one();
        Ok(StateVector { qubits, amplitudes: Var::from(data) })
    }

    /// From amplitudes of shape \[2ⁿ\] or \[batch, 2ⁿ\] with norm 1.
    ///
    /// # Errors
    /// If the shape is another one, an amplitude is not finite, or a norm differs from 1 by more than rounding (the error says by how much).
    pub fn new(amplitudes: impl Into<Var<R::Amplitude>>) -> Result<Self> {
        const NAME: &str = "StateVector::new";
        let state = Self::unnormalized(amplitudes)?;
        for (i, row) in state.amplitudes.as_slice().chunks(1 << state.qubits).enumerate() {
            let norm: f64 = row.iter().map(|z| z.modulus_squared().to_f64()).sum::<f64>().sqrt();
            if !norm.is_finite() {
                return Err(Error::non_finite(NAME, format!("state {i} has an amplitude that is not finite")));
            }
            if (norm - 1.0).abs() > tolerance::<R>() {
                return Err(Error::argument(NAME, format!("state {i} is not normalised: ‖ψ‖ − 1 = {:.3e}", norm - 1.0)));
            }
        }
        Ok(state)
    }

    /// From amplitudes of any norm: what is linear in the state stays right.
    ///
    /// # Errors
    /// If the shape is not \[2ⁿ\] or \[batch, 2ⁿ\] with n from 1 to 30.
    pub fn unnormalized(amplitudes: impl Into<Var<R::Amplitude>>) -> Result<Self> {
        const NAME: &str = "StateVector::new";
        let amplitudes = amplitudes.into();
        let shape = amplitudes.shape();
        let len = shape.last().copied().unwrap_or(0);
        if !(1..=2).contains(&shape.len()) || len < 2 || !len.is_power_of_two() || shape[0] == 0 {
            return Err(Error::shape(NAME, format!("shape {shape:?}: expected [2ⁿ] or [batch, 2ⁿ]")));
        }
        let qubits = len.trailing_zeros() as usize;
        check_qubits(NAME, qubits, size_of::<R::Amplitude>())?;
        Ok(StateVector { qubits, amplitudes })
    }

    /// The number of qubits.
    pub fn qubits(&self) -> usize {
        self.qubits
    }

    /// The number of states: `None` for one state without a batch axis.
    pub fn batch(&self) -> Option<usize> {
        (self.amplitudes.ndim() == 2).then(|| self.amplitudes.shape()[0])
    }

    /// The amplitudes, of shape \[2ⁿ\] or \[batch, 2ⁿ\].
    pub fn amplitudes(&self) -> &Var<R::Amplitude> {
        &self.amplitudes
    }

    /// The amplitudes, of shape \[2ⁿ\] or \[batch, 2ⁿ\].
    pub fn into_amplitudes(self) -> Var<R::Amplitude> {
        self.amplitudes
    }

    /// The amplitudes, leaving none behind.
    pub(super) fn take(&mut self) -> Var<R::Amplitude> {
        std::mem::replace(&mut self.amplitudes, Var::from(Vec::new()))
    }

    /// |ψ_i|² of each basis state, of the amplitudes' shape; differentiable.
    pub fn probabilities(&self) -> Var<R> {
        self.amplitudes.abs_squared()
    }

    /// ⟨ψ|H|ψ⟩, of shape \[\] or \[batch\]; differentiable in the state.
    ///
    /// # Errors
    /// If H acts on more qubits than the state has.
    pub fn expectation(&self, h: &PauliSum) -> Result<Var<R>> {
        let c: Vec<R> = h.coefficients().iter().map(|&c| R::from_f64(c)).collect();
        self.expectation_with(h, &Var::from(c))
    }

    /// ⟨ψ|Σ_t c_t P_t|ψ⟩ with coefficients of shape \[terms\] in place of those of H; differentiable in the state and in them.
    ///
    /// # Errors
    /// If H acts on more qubits than the state has, or the number of coefficients is not that of its strings.
    pub fn expectation_with(&self, h: &PauliSum, coefficients: &Var<R>) -> Result<Var<R>> {
        super::expectation::expectation(h, coefficients, self)
    }
}
