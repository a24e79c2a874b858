//! The gates.

use super::angle::Angle;
use super::pauli::Pauli;
use crate::error::{Error, Result};
use num_complex::Complex;
use std::sync::Arc;

/// A unitary matrix on k qubits; the first qubit that a gate is given is the lowest bit of the index.
///
/// ```
/// use num_complex::Complex;
/// use pullback::circuit::Unitary;
/// let (o, i) = (Complex::new(0.0, 0.0), Complex::new(0.0, 1.0));
/// let y = Unitary::new(&ndarray::array![[o, -i], [i, o]])?;
/// assert_eq!(y.qubits(), 1);
/// assert!(Unitary::new(&ndarray::array![[o, -i], [i, i]]).unwrap_err().to_string().contains("not unitary"));
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Unitary {
    qubits: usize,
    /// Row-major.
    entries: Arc<Vec<Complex<f64>>>,
}

/// How far from unitary a matrix may be, in the largest entry of U†U − 1.
const UNITARY: f64 = 1e-10;

impl Unitary {
    /// Checks a matrix of shape \[2ᵏ, 2ᵏ\].
    ///
    /// # Errors
    /// If the shape is another one, k is not from 1 to 10, an entry is not finite, or an entry of U†U − 1 exceeds 1e-10 (the error says by how much).
    pub fn new(matrix: &ndarray::Array2<Complex<f64>>) -> Result<Unitary> {
        let n = matrix.nrows();
        if n != matrix.ncols() || !n.is_power_of_two() || !(2..=1024).contains(&n) {
            return Err(Error::shape("Unitary", format!("shape {:?}: expected [2ᵏ, 2ᵏ] with k from 1 to 10", matrix.shape())));
        }
        if let Some(((i, j), z)) = matrix.indexed_iter().find(|(_, z)| !z.is_finite()) {
            return Err(Error::non_finite("Unitary", format!("entry ({i}, {j}) is {z}")));
        }
        let off = matrix
            .t()
            .mapv(|z| z.conj())
            .dot(matrix)
            .indexed_iter()
            .map(|((i, j), z)| (z - if i == j { 1.0 } else { 0.0 }).norm())
            .fold(0.0, f64::max);
        if off > UNITARY {
            return Err(Error::argument("Unitary", format!("the matrix is not unitary: the largest entry of U†U − 1 is {off:.3e}")));
        }
        Ok(Unitary { qubits: n.trailing_zeros() as usize, entries: Arc::new(matrix.iter().copied().collect()) })
    }

    /// The number of qubits.
    pub fn qubits(&self) -> usize {
        self.qubits
    }

    /// The entries, row by row.
    pub fn entries(&self) -> &[Complex<f64>] {
        &self.entries
    }

    /// U†
    pub fn adjoint(&self) -> Unitary {
        let n = 1 << self.qubits;
        let entries = (0..n * n).map(|at| self.entries[at % n * n + at / n].conj()).collect();
        Unitary { qubits: self.qubits, entries: Arc::new(entries) }
    }
}

/// A gate, without the qubits that it acts on.
///
/// Rotations are R_P(θ) = exp(−iθP/2). Where a gate has several targets, the first is the lowest bit of its matrix' index.
#[derive(Clone, Debug, PartialEq)]
pub enum Gate {
    /// σˣ
    X,
    /// σʸ
    Y,
    /// σᶻ
    Z,
    /// (X + Z)/√2
    H,
    /// diag(1, i)
    S,
    /// diag(1, −i)
    Sdg,
    /// diag(1, e^{iπ/4})
    T,
    /// diag(1, e^{−iπ/4})
    Tdg,
    /// √X = ½((1+i, 1−i), (1−i, 1+i))
    SqrtX,
    /// √X†
    SqrtXdg,
    /// exp(−iθX/2)
    Rx(Angle),
    /// exp(−iθY/2)
    Ry(Angle),
    /// exp(−iθZ/2)
    Rz(Angle),
    /// diag(1, e^{iθ})
    Phase(Angle),
    /// U(θ, φ, λ) = ((cos θ/2, −e^{iλ} sin θ/2), (e^{iφ} sin θ/2, e^{i(φ+λ)} cos θ/2))
    U3(Angle, Angle, Angle),
    /// e^{iθ}, on no qubit; with controls it is a phase on them.
    GlobalPhase(Angle),
    /// Exchanges two qubits.
    Swap,
    /// |01⟩ → i|10⟩, |10⟩ → i|01⟩
    ISwap,
    /// fSim(θ, φ): exp(−iθ(XX + YY)/2), then e^{−iφ} on |11⟩.
    FSim(Angle, Angle),
    /// exp(−iθP/2) for a Pauli string with a letter for each target.
    PauliRotation(Vec<Pauli>, Angle),
    /// Any unitary matrix.
    Matrix(Unitary),
    /// exp(−iθD) for a real diagonal D with 2ᵏ entries.
    Diagonal(Arc<Vec<f64>>, Angle),
}

impl Gate {
    /// How many targets it has.
    pub fn targets(&self) -> usize {
        match self {
            Gate::GlobalPhase(_) => 0,
            Gate::Swap | Gate::ISwap | Gate::FSim(..) => 2,
            Gate::PauliRotation(letters, _) => letters.len(),
            Gate::Matrix(u) => u.qubits(),
            Gate::Diagonal(d, _) => d.len().trailing_zeros() as usize,
            _ => 1,
        }
    }

    /// The inverse gate.
    pub fn inverse(&self) -> Gate {
        match self.clone() {
            Gate::S => Gate::Sdg,
            Gate::Sdg => Gate::S,
            Gate::T => Gate::Tdg,
            Gate::Tdg => Gate::T,
            Gate::SqrtX => Gate::SqrtXdg,
            Gate::SqrtXdg => Gate::SqrtX,
            Gate::Rx(a) => Gate::Rx(-a),
            Gate::Ry(a) => Gate::Ry(-a),
            Gate::Rz(a) => Gate::Rz(-a),
            Gate::Phase(a) => Gate::Phase(-a),
            Gate::U3(theta, phi, lambda) => Gate::U3(-theta, -lambda, -phi),
            Gate::GlobalPhase(a) => Gate::GlobalPhase(-a),
            Gate::ISwap => Gate::FSim(Angle::Fixed(std::f64::consts::FRAC_PI_2), Angle::Fixed(0.0)),
            Gate::FSim(theta, phi) => Gate::FSim(-theta, -phi),
            Gate::PauliRotation(p, a) => Gate::PauliRotation(p, -a),
            Gate::Matrix(u) => Gate::Matrix(u.adjoint()),
            Gate::Diagonal(d, a) => Gate::Diagonal(d, -a),
            same @ (Gate::X | Gate::Y | Gate::Z | Gate::H | Gate::Swap) => same,
        }
    }

    /// Its angles.
    pub fn angles(&self) -> Vec<Angle> {
        match *self {
            Gate::Rx(a) | Gate::Ry(a) | Gate::Rz(a) | Gate::Phase(a) | Gate::GlobalPhase(a) => vec![a],
            Gate::PauliRotation(_, a) | Gate::Diagonal(_, a) => vec![a],
            Gate::FSim(a, b) => vec![a, b],
            Gate::U3(a, b, c) => vec![a, b, c],
            _ => vec![],
        }
    }

    /// The same gate with its angles replaced.
    pub(crate) fn map_angles(&self, f: impl Fn(Angle) -> Angle) -> Gate {
        match self.clone() {
            Gate::Rx(a) => Gate::Rx(f(a)),
            Gate::Ry(a) => Gate::Ry(f(a)),
            Gate::Rz(a) => Gate::Rz(f(a)),
            Gate::Phase(a) => Gate::Phase(f(a)),
            Gate::GlobalPhase(a) => Gate::GlobalPhase(f(a)),
            Gate::U3(a, b, c) => Gate::U3(f(a), f(b), f(c)),
            Gate::FSim(a, b) => Gate::FSim(f(a), f(b)),
            Gate::PauliRotation(p, a) => Gate::PauliRotation(p, f(a)),
            Gate::Diagonal(d, a) => Gate::Diagonal(d, f(a)),
            other => other,
        }
    }

    /// Its name, as pictures show it.
    pub fn name(&self) -> String {
        match self {
            Gate::X => "X".into(),
            Gate::Y => "Y".into(),
            Gate::Z => "Z".into(),
            Gate::H => "H".into(),
            Gate::S => "S".into(),
            Gate::Sdg => "S†".into(),
            Gate::T => "T".into(),
            Gate::Tdg => "T†".into(),
            Gate::SqrtX => "√X".into(),
            Gate::SqrtXdg => "√X†".into(),
            Gate::Rx(_) => "Rx".into(),
            Gate::Ry(_) => "Ry".into(),
            Gate::Rz(_) => "Rz".into(),
            Gate::Phase(_) => "P".into(),
            Gate::U3(..) => "U3".into(),
            Gate::GlobalPhase(_) => "e^i".into(),
            Gate::Swap => "SWAP".into(),
            Gate::ISwap => "iSWAP".into(),
            Gate::FSim(..) => "fSim".into(),
            Gate::PauliRotation(p, _) => {
                format!("R{}", p.iter().map(|p| format!("{p:?}").to_lowercase()).collect::<String>())
            }
            Gate::Matrix(u) => format!("U[{}]", 1 << u.qubits()),
            Gate::Diagonal(d, _) => format!("D[{}]", d.len()),
        }
    }
}
