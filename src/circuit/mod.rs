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
//! - [`PauliSum`]: an observable; [`StateVector::expectation`].
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
mod builders;
mod gate;
mod local;
mod observable;
mod pauli;
mod picture;
mod plan;
mod run;
mod state;
mod sweep;
mod tangent;
mod tree;

pub use angle::{Angle, Parameter};
pub use builders::variational_circuit;
pub use gate::{Gate, Unitary};
pub use pauli::{Pauli, PauliString, PauliSum};
pub use state::{MAX_QUBITS, Precision, StateVector};
pub use tree::{Block, Circuit, Control, Trotter};
