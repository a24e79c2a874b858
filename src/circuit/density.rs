//! Density matrices.
//!
//! ρ of n qubits is kept as a vector on 2n: its row's bits above its column's. A unitary U is U on the row and U* on the column, so that
//! circuits act, and are differentiated, by the same sweeps as states.

use super::channel::Channel;
use super::entanglement::{check_choice, entropy};
use super::instruction::{Instruction, assemble};
use super::matrix::act;
use super::memory;
use super::pauli::{PauliString, PauliSum};
use super::state::StateVector;
use super::tree::{Circuit, Control};
use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::linalg::{eigvalsh, sqrtm};
use num_complex::Complex;

type C = Complex<f64>;

/// The most qubits of a density matrix: 4¹³ numbers are 1 GiB.
const MAX: usize = 13;

/// How far from a density matrix a matrix may be: entries of ρ − ρ†, the trace, negative eigenvalues.
const TOLERANCE: f64 = 1e-10;

/// A density matrix of n qubits, of shape \[2ⁿ, 2ⁿ\]; bit q of an index is qubit q. Differentiable like any array.
///
/// ```
/// use pullback::prelude::*;
/// use pullback::circuit::{Channel, Circuit, DensityMatrix};
/// // Ramsey: the contrast of the fringe is what dephasing left
/// let mut half = Circuit::new(1);
/// half.h(0)?;
/// let none = Var::from(vec![]);
/// let rho = DensityMatrix::zero(1)?.run(&half, &none)?.channel(&Channel::phase_damping(0.36)?, &[0])?.run(&half, &none)?;
/// assert!((rho.expectation(&"Z0".parse()?)?.item() - 0.8).abs() < 1e-14);
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct DensityMatrix {
    qubits: usize,
    matrix: Var<C>,
}

fn check_size(operation: &'static str, qubits: usize) -> Result<()> {
    let bytes = 4.0f64.powi(qubits as i32) * 16.0;
    if (1..=MAX).contains(&qubits) {
        return memory::check(operation, &format!("a density matrix of {qubits} qubits"), bytes);
    }
    let gib = memory::gib(bytes);
    Err(Error::argument(operation, format!("{qubits} qubits: from 1 to {MAX}; a density matrix of {qubits} would take {gib:.3} GiB")))
}

/// The circuit on rows and its conjugate on columns.
fn doubled(circuit: &Circuit) -> Result<std::sync::Arc<Circuit>> {
    let n = circuit.qubits();
    let mut both = Vec::new();
    for i in circuit.instructions() {
        both.push(Instruction {
            gate: i.gate.clone(),
            targets: i.targets.iter().map(|q| q + n).collect(),
            controls: i.controls.iter().map(|c| Control { qubit: c.qubit + n, value: c.value }).collect(),
        });
        both.extend(i.conjugate());
    }
    assemble(2 * n, circuit.parameters(), both)
}

impl DensityMatrix {
    /// |0…0⟩⟨0…0|
    ///
    /// # Errors
    /// If the number of qubits is not from 1 to 13, or it takes more than the [memory limit](super::set_memory_limit) (the error says how much
    /// memory it would take).
    pub fn zero(qubits: usize) -> Result<DensityMatrix> {
        check_size("DensityMatrix::zero", qubits)?;
        DensityMatrix::from_state(&StateVector::zero(qubits)?)
    }

    /// 1/2ⁿ
    ///
    /// # Errors
    /// As [`zero`](DensityMatrix::zero).
    pub fn maximally_mixed(qubits: usize) -> Result<DensityMatrix> {
        check_size("DensityMatrix::maximally_mixed", qubits)?;
        let n = 1usize << qubits;
        Ok(DensityMatrix { qubits, matrix: Var::eye(n) * C::new(1.0 / n as f64, 0.0) })
    }

    /// |ψ⟩⟨ψ|; differentiable in ψ.
    ///
    /// # Errors
    /// As [`zero`](DensityMatrix::zero), and if the state is a batch.
    pub fn from_state(state: &StateVector) -> Result<DensityMatrix> {
        const NAME: &str = "DensityMatrix::from_state";
        check_size(NAME, state.qubits())?;
        if state.batch().is_some() {
            return Err(Error::shape(NAME, format!("amplitudes of shape {:?}: one state at a time", state.amplitudes().shape())));
        }
        let psi = state.amplitudes();
        Ok(DensityMatrix { qubits: state.qubits(), matrix: psi.expand_dims(1) * psi.conj() })
    }

    /// Checks a matrix.
    ///
    /// # Errors
    /// If the shape is not \[2ⁿ, 2ⁿ\], an entry is not finite, it is not Hermitian, has another trace than 1 or a negative eigenvalue (each
    /// error says by how much).
    pub fn new(matrix: impl Into<Var<C>>) -> Result<DensityMatrix> {
        const NAME: &str = "DensityMatrix::new";
        let matrix = matrix.into();
        let n = matrix.shape().first().copied().unwrap_or(0);
        if matrix.shape() != [n, n] || n < 2 || !n.is_power_of_two() {
            return Err(Error::shape(NAME, format!("shape {:?}: expected [2ⁿ, 2ⁿ]", matrix.shape())));
        }
        let qubits = n.trailing_zeros() as usize;
        check_size(NAME, qubits)?;
        if let Some(at) = matrix.as_slice().iter().position(|z| !z.is_finite()) {
            return Err(Error::non_finite(NAME, format!("entry ({}, {}) is {}", at / n, at % n, matrix.as_slice()[at])));
        }
        let value = matrix.stop_gradient();
        let off = (&value - value.h()).abs().max().item();
        if off > TOLERANCE {
            return Err(Error::argument(NAME, format!("not Hermitian: the largest entry of ρ − ρ† is {off:.3e}")));
        }
        let trace = value.trace().item().re - 1.0;
        if trace.abs() > TOLERANCE {
            return Err(Error::argument(NAME, format!("not normalised: Tr ρ − 1 = {trace:.3e}")));
        }
        let lowest = eigvalsh(&value)?.min().item();
        if lowest < -TOLERANCE {
            return Err(Error::argument(NAME, format!("not positive: the lowest eigenvalue is {lowest:.3e}")));
        }
        Ok(DensityMatrix { qubits, matrix })
    }

    /// The number of qubits.
    pub fn qubits(&self) -> usize {
        self.qubits
    }

    /// The matrix.
    pub fn matrix(&self) -> &Var<C> {
        &self.matrix
    }

    fn vector(&self) -> Var<C> {
        self.matrix.reshape(&[1 << (2 * self.qubits)])
    }

    fn from_vector(&self, vector: Var<C>) -> DensityMatrix {
        let n = 1 << self.qubits;
        DensityMatrix { qubits: self.qubits, matrix: vector.reshape(&[n, n]) }
    }

    /// U(θ) ρ U(θ)†; differentiable in θ and ρ.
    ///
    /// # Errors
    /// If the circuit has another number of qubits, or θ does not fit it.
    pub fn run(&self, circuit: &Circuit, theta: &Var<f64>) -> Result<DensityMatrix> {
        if circuit.qubits() != self.qubits {
            let message = format!("the circuit has {} qubits, the density matrix {}", circuit.qubits(), self.qubits);
            return Err(Error::argument("DensityMatrix::run", message));
        }
        if theta.ndim() != 1 {
            let message = format!("parameters of shape {:?}: expected [{}]", theta.shape(), circuit.parameters());
            return Err(Error::shape("DensityMatrix::run", message));
        }
        let out = doubled(circuit)?.run(theta, &StateVector::unnormalized(self.vector())?)?;
        Ok(self.from_vector(out.into_amplitudes()))
    }

    /// Σ_k K_k ρ K_k† on the given qubits; differentiable in ρ and in the Kraus operators.
    ///
    /// # Errors
    /// If their number is not the channel's, or one is out of range or given twice.
    pub fn channel(&self, channel: &Channel, qubits: &[usize]) -> Result<DensityMatrix> {
        const NAME: &str = "DensityMatrix::channel";
        if qubits.len() != channel.qubits() {
            return Err(Error::argument(NAME, format!("the channel acts on {} qubits, given {qubits:?}", channel.qubits())));
        }
        check_choice(NAME, qubits, self.qubits)?;
        let bits: Vec<usize> = qubits.iter().copied().chain(qubits.iter().map(|q| q + self.qubits)).collect();
        Ok(self.from_vector(act(&channel.superoperator(), &bits, &self.vector())))
    }

    /// Tr ρH; differentiable.
    ///
    /// # Errors
    /// If H acts on more qubits than there are.
    pub fn expectation(&self, h: &PauliSum) -> Result<Var<f64>> {
        const NAME: &str = "DensityMatrix::expectation";
        if h.qubits() > self.qubits {
            let message = format!("the operator acts on qubit {}, the density matrix has {}", h.qubits() - 1, self.qubits);
            return Err(Error::argument(NAME, message));
        }
        let rows = h.terms().map(|(c, p)| (c, PauliString { x: p.x << self.qubits, z: p.z << self.qubits }));
        let product = PauliSum::new(rows)?.apply::<f64>(&StateVector::unnormalized(self.vector())?)?;
        Ok(self.from_vector(product).matrix.trace().real())
    }

    /// The diagonal: the probability of each basis state.
    pub fn probabilities(&self) -> Var<f64> {
        self.matrix.diagonal(0, 0, 1).real()
    }

    /// Tr ρ²
    pub fn purity(&self) -> Var<f64> {
        self.matrix.abs_squared().sum()
    }

    /// −Tr ρ ln ρ in nats; differentiable, with the derivative 0 in an eigenvalue that vanishes.
    ///
    /// # Errors
    /// If the eigenvalues do not converge.
    pub fn entropy(&self) -> Result<Var<f64>> {
        Ok(entropy(&eigvalsh(&self.matrix)?))
    }

    /// ⟨ψ|ρ|ψ⟩, the fidelity with a pure state; differentiable.
    ///
    /// # Errors
    /// If the numbers of qubits differ or the state is a batch.
    pub fn fidelity_with_state(&self, state: &StateVector) -> Result<Var<f64>> {
        let psi = state.amplitudes();
        if psi.shape() != [1 << self.qubits] {
            let message = format!("amplitudes of shape {:?}: expected [{}]", psi.shape(), 1usize << self.qubits);
            return Err(Error::shape("DensityMatrix::fidelity_with_state", message));
        }
        Ok((psi.conj() * self.matrix.matmul(psi)).sum().real())
    }

    /// (Tr √(√ρ σ √ρ))², the fidelity of two mixed states (Uhlmann, Rep. Math. Phys. 9, 273 (1976)); of full rank, since √ has no derivative at 0.
    ///
    /// # Errors
    /// If the numbers of qubits differ, or a root is asked for its derivative where it has none.
    pub fn fidelity(&self, other: &DensityMatrix) -> Result<Var<f64>> {
        if self.qubits != other.qubits {
            let message = format!("density matrices of {} and {} qubits", self.qubits, other.qubits);
            return Err(Error::argument("DensityMatrix::fidelity", message));
        }
        let root = sqrtm(&self.matrix)?;
        let product = root.matmul(&other.matrix).matmul(&root);
        let hermitian = (&product + product.h()) * C::new(0.5, 0.0);
        Ok(eigvalsh(&hermitian)?.clip(0.0, f64::INFINITY).sqrt().sum().square())
    }

    /// The density matrix of the chosen qubits, in this order; the others are traced out. Differentiable.
    ///
    /// # Errors
    /// If there are none, or one is out of range or given twice.
    pub fn reduced(&self, qubits: &[usize]) -> Result<DensityMatrix> {
        const NAME: &str = "DensityMatrix::reduced";
        check_choice(NAME, qubits, self.qubits)?;
        if qubits.is_empty() {
            return Err(Error::argument(NAME, "no qubits: at least one"));
        }
        let (n, k) = (self.qubits, qubits.len());
        let rest: Vec<usize> = (0..n).filter(|q| !qubits.contains(q)).collect();
        let kept = qubits.iter().rev().map(|&q| n - 1 - q);
        let traced = rest.iter().map(|&q| n - 1 - q);
        let axes: Vec<isize> =
            kept.clone().chain(kept.map(|a| a + n)).chain(traced.clone()).chain(traced.map(|a| a + n)).map(|a| a as isize).collect();
        let (d, r) = (1usize << k, 1usize << (n - k));
        let tensor = self.matrix.reshape(&vec![2; 2 * n]).permute(&axes).reshape(&[d, d, r, r]);
        Ok(DensityMatrix { qubits: k, matrix: tensor.trace_axes(0, 2, 3) })
    }
}
