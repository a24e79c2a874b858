//! Circuits as tensor networks: amplitudes and expectation values as an einsum.
//!
//! A gate on k qubits is a tensor with k outgoing and k incoming indices of dimension 2; an edge between gates is an index. The tensors
//! are differentiable functions of θ, and the index lists are those of [`einsum_labels`](crate::ops::einsum_labels).

use super::entanglement::check_choice;
use super::instruction::Instruction;
use super::matrix::pauli;
use super::pauli::PauliString;
use super::tree::Circuit;
use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::ops::{Einsum, einsum_labels};
use num_complex::Complex;

type C = Complex<f64>;

/// Tensors and the indices of their axes.
///
/// ```
/// use pullback::prelude::*;
/// use pullback::circuit::{Circuit, StateVector};
/// let mut c = Circuit::new(3);
/// let p = c.parameter();
/// c.h(0)?.cnot(0, 1)?.rx(2, p)?.cz(1, 2)?;
/// let theta = Var::from([0.4]);
/// let amplitude = c.amplitude_network(&theta, 0b111)?.contract()?.item();
/// assert!((amplitude - c.state(&theta)?.amplitudes().as_slice()[0b111]).norm() < 1e-15);
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TensorNetwork {
    /// The tensors.
    pub tensors: Vec<Var<C>>,
    /// The index of each axis of each tensor; an index that occurs twice is summed over.
    pub indices: Vec<Vec<usize>>,
    /// The open indices, the axes of the result.
    pub output: Vec<usize>,
}

impl TensorNetwork {
    /// The value, contracted in einsum's own order; differentiable.
    ///
    /// # Errors
    /// As [`einsum_labels`].
    pub fn contract(&self) -> Result<Var<C>> {
        let indices: Vec<&[usize]> = self.indices.iter().map(Vec::as_slice).collect();
        einsum_labels(&indices, &self.output, &self.tensors.iter().collect::<Vec<_>>())
    }

    /// The einsum, without its tensors: for its cost, or an order of one's own.
    ///
    /// # Errors
    /// As [`Einsum::from_labels`].
    pub fn einsum(&self) -> Result<Einsum> {
        let indices: Vec<&[usize]> = self.indices.iter().map(Vec::as_slice).collect();
        let shapes: Vec<&[usize]> = self.tensors.iter().map(|t| t.shape()).collect();
        Einsum::from_labels(&indices, &self.output, &shapes)
    }
}

struct Builder {
    network: TensorNetwork,
    /// The index that each qubit's line has now.
    line: Vec<usize>,
    next: usize,
}

impl Builder {
    /// |0…0⟩
    fn new(qubits: usize) -> Builder {
        let mut b = Builder {
            network: TensorNetwork { tensors: Vec::new(), indices: Vec::new(), output: Vec::new() },
            line: (0..qubits).collect(),
            next: qubits,
        };
        for q in 0..qubits {
            b.close(q, false);
        }
        b
    }

    /// ⟨bit| or |bit⟩ on the line of a qubit.
    fn close(&mut self, qubit: usize, bit: bool) {
        let entries = if bit { [0.0, 1.0] } else { [1.0, 0.0] };
        self.network.tensors.push(Var::from(entries.map(|x| C::new(x, 0.0))));
        self.network.indices.push(vec![self.line[qubit]]);
    }

    /// A matrix on qubits, the first the lowest bit of its index.
    fn gate(&mut self, matrix: &Var<C>, qubits: &[usize]) {
        let k = qubits.len();
        let incoming: Vec<usize> = qubits.iter().rev().map(|&q| self.line[q]).collect();
        for &q in qubits {
            self.line[q] = self.next;
            self.next += 1;
        }
        let outgoing = qubits.iter().rev().map(|&q| self.line[q]);
        self.network.indices.push(outgoing.chain(incoming).collect());
        self.network.tensors.push(matrix.reshape(&vec![2; 2 * k]));
    }
}

impl Circuit {
    fn network(&self, theta: &Var<f64>) -> Result<(Builder, Vec<Instruction>)> {
        if theta.shape() != [self.parameters()] {
            let message = format!("parameters of shape {:?}: expected [{}]", theta.shape(), self.parameters());
            return Err(Error::shape("Circuit::network", message));
        }
        let instructions = self.instructions();
        let mut b = Builder::new(self.qubits());
        for i in &instructions {
            b.gate(&i.matrix(theta)?, &i.qubits());
        }
        Ok((b, instructions))
    }

    /// ⟨bits|U(θ)|0…0⟩, bit q of `bits` for qubit q.
    ///
    /// # Errors
    /// If θ does not fit the circuit, or there is no such basis state.
    pub fn amplitude_network(&self, theta: &Var<f64>, bits: u64) -> Result<TensorNetwork> {
        if self.qubits() < 64 && bits >> self.qubits() != 0 {
            let message = format!("basis state {bits}: {} qubits have {}", self.qubits(), 1u64 << self.qubits());
            return Err(Error::argument("Circuit::amplitude_network", message));
        }
        let (mut b, _) = self.network(theta)?;
        for q in 0..self.qubits() {
            b.close(q, q < 64 && bits >> q & 1 == 1);
        }
        Ok(b.network)
    }

    /// U(θ)|0…0⟩ with the given qubits open, the others projected on 0: the axes of the result are the qubits in this order.
    ///
    /// # Errors
    /// If θ does not fit the circuit, or a qubit is out of range or given twice.
    pub fn open_network(&self, theta: &Var<f64>, open: &[usize]) -> Result<TensorNetwork> {
        check_choice("Circuit::open_network", open, self.qubits())?;
        let (mut b, _) = self.network(theta)?;
        for q in (0..self.qubits()).filter(|q| !open.contains(q)) {
            b.close(q, false);
        }
        b.network.output = open.iter().map(|&q| b.line[q]).collect();
        Ok(b.network)
    }

    /// ⟨0…0|U† P U|0…0⟩ for a Pauli string. Gates that P does not see, outside its light cone, cancel and are left out.
    ///
    /// # Errors
    /// If θ does not fit the circuit, or P acts on more qubits than there are.
    pub fn expectation_network(&self, theta: &Var<f64>, p: &PauliString) -> Result<TensorNetwork> {
        if p.qubits() > self.qubits() {
            let message = format!("{p} acts on qubit {}, the circuit has {}", p.qubits() - 1, self.qubits());
            return Err(Error::argument("Circuit::expectation_network", message));
        }
        if theta.shape() != [self.parameters()] {
            let message = format!("parameters of shape {:?}: expected [{}]", theta.shape(), self.parameters());
            return Err(Error::shape("Circuit::expectation_network", message));
        }
        let mut seen: Vec<bool> = (0..self.qubits()).map(|q| p.get(q).is_some()).collect();
        let mut cone: Vec<Instruction> = Vec::new();
        for i in self.instructions().into_iter().rev() {
            let qubits = i.qubits();
            if qubits.iter().any(|&q| seen[q]) {
                qubits.iter().for_each(|&q| seen[q] = true);
                cone.push(i);
            }
        }
        let mut b = Builder::new(self.qubits());
        let matrices: Result<Vec<Var<C>>> = cone.iter().map(|i| i.matrix(theta)).collect();
        let matrices = matrices?;
        for (i, m) in cone.iter().zip(&matrices).rev() {
            b.gate(m, &i.qubits());
        }
        for (q, letter) in p.factors() {
            b.gate(&pauli(letter), &[q]);
        }
        for (i, m) in cone.iter().zip(&matrices) {
            b.gate(&m.h(), &i.qubits());
        }
        for q in 0..self.qubits() {
            b.close(q, false);
        }
        Ok(b.network)
    }
}
