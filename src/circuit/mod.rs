//! Quantum circuits: a state-vector simulator with reversible differentiation.
//!
//! A [`Circuit`] is a tree of blocks with parameters θ; it acts on a [`StateVector`], whose amplitudes are a [`Var`](crate::Var), so circuits
//! compose with everything else on the tape. A unitary circuit can be run backwards: its derivative needs the final state and its cotangent,
//! not a tape of all gates, and 10,000 layers take no more memory than one.
//!
//! - Qubit q is bit q of an amplitude's index. Rotations are exp(−iθP/2).
//! - [`Circuit`]: gates with any controls, exponentials of Pauli strings and sums, nested, repeated, conditional and inverse blocks;
//!   parameters shared, scaled, shifted, frozen, named.
//! - [`StateVector`]: one state or a batch, in double or single precision.
//! - [`PauliSum`]: an observable; [`StateVector::expectation`]. [`Observable`]: also dense and sparse matrices and diagonals, and the variance.
//! - [`StateVector::sample`]: shots; [`StateVector::reduced_density_matrix`], [`StateVector::entanglement_entropy`].
//! - [`hardware_efficient`], [`qaoa`], [`unitary_coupled_cluster`]: circuits of variational algorithms; [`FermionOperator`]: fermions on qubits.
//! - [`DensityMatrix`], [`Channel`]: noise. [`Program`]: measurements, resets and conditions between gates; trajectories.
//! - [`parameter_shift`]: gradients from expectation values alone, of any [`Backend`]; [`quantum_fisher`], [`natural_gradient`].
//! - [`Circuit::from_qasm`], [`Circuit::to_qasm`]: OpenQASM 2. [`Circuit::diagram`], [`Circuit::to_svg`]: pictures.
//! - [`Circuit::expectation_network`], [`Circuit::amplitude_network`]: the circuit as an einsum.
//!
//! ```
//! use pullback::prelude::*;
//! use pullback::circuit::{PauliSum, StateVector, variational_circuit};
//!
//! let (n, depth) = (4, 3);
//! let circuit = variational_circuit(n, depth)?;
//! let h = PauliSum::heisenberg(n, true)?;
//! let theta: Vec<f64> = (0..circuit.parameters()).map(|k| 0.1 * k as f64).collect();
//! let energy = |theta: &Var<f64>| circuit.run(theta, &StateVector::zero(n)?)?.expectation(&h);
//! let (e, g) = value_and_grad(energy, &ndarray::Array1::from(theta))?;
//! assert!(e.item() >= -8.0 && g.len() == (3 * depth + 1) * n);
//! # Ok::<(), pullback::Error>(())
//! ```

mod angle;
mod ansatz;
mod builders;
mod channel;
mod density;
mod entanglement;
mod expectation;
mod fermion;
mod fisher;
mod fuse;
mod gate;
mod instruction;
mod local;
mod lower;
mod matrix;
mod memory;
mod network;
mod observable;
mod pauli;
mod picture;
mod plan;
mod program;
mod qasm;
mod run;
mod sampling;
mod shift;
mod state;
mod sweep;
mod tangent;
mod tree;

pub use angle::{Angle, Parameter};
pub use ansatz::{Entangler, Excitation, excitations, hardware_efficient, max_cut, qaoa, unitary_coupled_cluster};
pub use builders::variational_circuit;
pub use channel::Channel;
pub use density::DensityMatrix;
pub use fermion::{FermionOperator, Ladder};
pub use fisher::{fisher_times, natural_gradient, quantum_fisher, quantum_fisher_blocks};
pub use gate::{Gate, Unitary};
pub use instruction::Instruction;
pub use memory::{memory_limit, set_memory_limit};
pub use network::TensorNetwork;
pub use observable::{DenseObservable, DiagonalObservable, Observable, SparseObservable};
pub use pauli::{Pauli, PauliString, PauliSum};
pub use program::{Operation, Outcome, Program};
pub use sampling::Estimate;
pub use shift::{Backend, Exact, ShiftRule, Shots, expectation_on, parameter_shift};
pub use state::{MAX_QUBITS, Precision, StateVector};
pub use tree::{Block, Circuit, Control, Trotter};
