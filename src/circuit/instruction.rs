//! A circuit as the list of its gates: nested blocks and product formulas written out.

use super::angle::{Angle, Parameter};
use super::gate::{Gate, Unitary};
use super::pauli::{Pauli, PauliString};
use super::tree::{Block, Circuit, Control, Trotter};
use num_complex::Complex;
use std::sync::Arc;

/// A gate and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Instruction {
    /// Which gate; its angles are functions of the parameters of the whole circuit.
    pub gate: Gate,
    /// The qubits it acts on.
    pub targets: Vec<usize>,
    /// The qubits it depends on.
    pub controls: Vec<Control>,
}

impl Instruction {
    /// Targets, then controls.
    pub fn qubits(&self) -> Vec<usize> {
        self.targets.iter().copied().chain(self.controls.iter().map(|c| c.qubit)).collect()
    }

    /// The gates that are the complex conjugate of this one.
    pub(super) fn conjugate(&self) -> Vec<Instruction> {
        let with = |gate: Gate, targets: &[usize]| Instruction { gate, targets: targets.to_vec(), controls: self.controls.clone() };
        let gate = match &self.gate {
            // Y* = −Y
            Gate::Y => return vec![with(Gate::Y, &self.targets), with(Gate::GlobalPhase(Angle::Fixed(std::f64::consts::PI)), &[])],
            Gate::Ry(a) => Gate::Ry(*a),
            Gate::U3(theta, phi, lambda) => Gate::U3(*theta, -*phi, -*lambda),
            Gate::PauliRotation(letters, a) => {
                let odd = letters.iter().filter(|p| **p == Pauli::Y).count() % 2 == 1;
                Gate::PauliRotation(letters.clone(), if odd { *a } else { -*a })
            }
            Gate::Matrix(u) => {
                let n = 1 << u.qubits();
                let entries: Vec<Complex<f64>> = u.entries().iter().map(Complex::conj).collect();
                let matrix = ndarray::Array2::from_shape_vec((n, n), entries).expect("the matrix' own entries");
                Gate::Matrix(Unitary::new(&matrix).expect("the conjugate of a unitary matrix"))
            }
            // the others are symmetric, so that the conjugate is the inverse
            symmetric => symmetric.inverse(),
        };
        vec![with(gate, &self.targets)]
    }
}

/// Where a block sits in the whole.
struct Frame<'a> {
    qubits: &'a [usize],
    angles: &'a [Angle],
    controls: &'a [Control],
    inverse: bool,
}

impl Frame<'_> {
    fn with(&self, controls: &[Control]) -> Vec<Control> {
        let mut all = self.controls.to_vec();
        all.extend(controls.iter().map(|c| Control { qubit: self.qubits[c.qubit], value: c.value }));
        all
    }
}

fn block(block: &Block, frame: &Frame, out: &mut Vec<Instruction>) {
    match block {
        Block::Gate { gate, targets, controls } => {
            let gate = gate.map_angles(|a| a.substitute(frame.angles));
            out.push(Instruction {
                gate: if frame.inverse { gate.inverse() } else { gate },
                targets: targets.iter().map(|&t| frame.qubits[t]).collect(),
                controls: frame.with(controls),
            });
        }
        Block::Exponential { sum, angle, trotter, steps, controls } => {
            let controls = frame.with(controls);
            let terms: Vec<(f64, PauliString)> = sum.terms().collect();
            let step = angle.substitute(frame.angles) * (if frame.inverse { -1.0 } else { 1.0 } / *steps as f64);
            for _ in 0..*steps {
                for (t, scale) in product_formula(terms.len(), *trotter, frame.inverse) {
                    let (c, p) = terms[t];
                    let (targets, letters): (Vec<_>, Vec<_>) = p.factors().into_iter().map(|(q, l)| (frame.qubits[q], l)).unzip();
                    let angle = step * (2.0 * c * scale);
                    let gate = if letters.is_empty() { Gate::GlobalPhase(angle * -0.5) } else { Gate::PauliRotation(letters, angle) };
                    out.push(Instruction { gate, targets, controls: controls.clone() });
                }
            }
        }
        Block::Nested { body, qubits, angles, controls, times, inverse } => {
            let qubits: Vec<usize> = qubits.iter().map(|&q| frame.qubits[q]).collect();
            let angles: Vec<Angle> = angles.iter().map(|a| a.substitute(frame.angles)).collect();
            let controls = frame.with(controls);
            let inner = Frame { qubits: &qubits, angles: &angles, controls: &controls, inverse: frame.inverse ^ inverse };
            for _ in 0..*times {
                blocks(body, &inner, out);
            }
        }
    }
}

fn blocks(circuit: &Circuit, frame: &Frame, out: &mut Vec<Instruction>) {
    if frame.inverse {
        circuit.blocks().iter().rev().for_each(|b| block(b, frame, out));
    } else {
        circuit.blocks().iter().for_each(|b| block(b, frame, out));
    }
}

/// The terms in the order in which a product formula takes them, with their lengths; the symmetric ones are their own reverse.
fn product_formula(terms: usize, trotter: Trotter, backwards: bool) -> Vec<(usize, f64)> {
    let symmetric = |scale: f64| (0..terms).chain((0..terms).rev()).map(move |t| (t, 0.5 * scale));
    match trotter {
        Trotter::First if backwards => (0..terms).rev().map(|t| (t, 1.0)).collect(),
        Trotter::First => (0..terms).map(|t| (t, 1.0)).collect(),
        Trotter::Second => symmetric(1.0).collect(),
        Trotter::Fourth => {
            let p = 1.0 / (4.0 - 4.0f64.cbrt());
            [p, p, 1.0 - 4.0 * p, p, p].into_iter().flat_map(symmetric).collect()
        }
    }
}

impl Circuit {
    /// The gates in the order in which they act, blocks and product formulas written out.
    ///
    /// ```
    /// use pullback::circuit::Circuit;
    /// let mut bell = Circuit::new(2);
    /// bell.h(0)?.cnot(0, 1)?;
    /// let mut twice = Circuit::new(3);
    /// twice.repeat(&bell, &[2, 0], 2)?;
    /// assert_eq!(twice.instructions().len(), 4);
    /// assert_eq!(twice.instructions()[1].qubits(), [0, 2]); // X on 0, controlled by 2
    /// # Ok::<(), pullback::Error>(())
    /// ```
    pub fn instructions(&self) -> Vec<Instruction> {
        let mut out = Vec::new();
        let qubits: Vec<usize> = (0..self.qubits()).collect();
        let angles: Vec<Angle> = (0..self.parameters()).map(|i| Parameter(i).into()).collect();
        blocks(self, &Frame { qubits: &qubits, angles: &angles, controls: &[], inverse: false }, &mut out);
        out
    }
}

/// A circuit of these gates with that many parameters.
pub(super) fn assemble(
    qubits: usize,
    parameters: usize,
    instructions: impl IntoIterator<Item = Instruction>,
) -> crate::Result<Arc<Circuit>> {
    let mut circuit = Circuit::new(qubits);
    for _ in 0..parameters {
        circuit.parameter();
    }
    for i in instructions {
        circuit.controlled(i.gate, &i.targets, &i.controls)?;
    }
    Ok(Arc::new(circuit))
}
