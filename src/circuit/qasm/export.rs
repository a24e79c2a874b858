//! Programs as text, and gates that `qelib1.inc` does not have as products of those that it has.
//!
//! A multiply controlled U is Barenco's recursion on √U (Barenco et al., PRA 52, 3457 (1995), lemma 7.5); a dense matrix is a product of
//! two-level matrices, each a controlled gate between two permutations along a Gray code (Nielsen and Chuang, §4.5).

use crate::autodiff::Var;
use crate::circuit::{Circuit, Control, Gate, Instruction, Operation, Pauli, Program};
use crate::error::{Error, Result};
use num_complex::Complex;
use std::f64::consts::FRAC_PI_2;
use std::fmt::Write;

type C = Complex<f64>;
/// A 2 × 2 matrix, row by row.
type Matrix = [C; 4];

const NAME: &str = "to_qasm";
/// A dense matrix on more qubits has more than 4096 entries, and about as many gates.
const MAX_DENSE: usize = 6;

pub(super) fn program(program: &Program, theta: &[f64]) -> Result<String> {
    if theta.len() != program.parameters() {
        return Err(Error::shape(NAME, format!("{} parameters: expected {}", theta.len(), program.parameters())));
    }
    if let Some(i) = theta.iter().position(|x| !x.is_finite()) {
        return Err(Error::non_finite(NAME, format!("parameter {i} is {}", theta[i])));
    }
    let mut writer = Writer { text: "OPENQASM 2.0;\ninclude \"qelib1.inc\";\n".into(), condition: String::new() };
    writer.line(&format!("qreg q[{}];", program.qubits()));
    if program.bits() > 0 {
        writer.line(&format!("creg c[{}];", program.bits()));
    }
    for step in program.operations() {
        writer.operation(program, step, theta)?;
    }
    Ok(writer.text)
}

struct Writer {
    text: String,
    /// What stands before every statement.
    condition: String,
}

fn adjoint(u: &Matrix) -> Matrix {
    [u[0].conj(), u[2].conj(), u[1].conj(), u[3].conj()]
}

/// √U for a unitary matrix, by √M = (M + s)/t with s = √det M and t = √(tr M + 2s) (Cayley–Hamilton).
fn root(u: &Matrix) -> Matrix {
    let s = (u[0] * u[3] - u[1] * u[2]).sqrt();
    let trace = u[0] + u[3];
    // of the two signs of s, the one with the larger denominator
    let s = if (trace + 2.0 * s).norm() >= (trace - 2.0 * s).norm() { s } else { -s };
    let t = (trace + 2.0 * s).sqrt();
    [(u[0] + s) / t, u[1] / t, u[2] / t, (u[3] + s) / t]
}

/// U = e^{iγ} U3(θ, φ, λ).
fn angles(u: &Matrix) -> [f64; 4] {
    let theta = 2.0 * u[2].norm().atan2(u[0].norm());
    // where an entry vanishes its phase is free
    if u[0].norm() < 1e-9 {
        return [theta, u[2].arg() - (-u[1]).arg(), 0.0, (-u[1]).arg()];
    }
    let gamma = u[0].arg();
    if u[2].norm() < 1e-9 {
        return [theta, 0.0, u[3].arg() - gamma, gamma];
    }
    [theta, u[2].arg() - gamma, (-u[1]).arg() - gamma, gamma]
}

fn close(a: &Matrix, b: &Matrix) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).norm() < 1e-15)
}

impl Writer {
    fn line(&mut self, statement: &str) {
        let _ = writeln!(self.text, "{}{statement}", self.condition);
    }

    fn gate(&mut self, name: &str, angles: &[f64], qubits: &[usize]) {
        let angles: Vec<String> = angles.iter().map(|a| format!("{a}")).collect();
        let angles = if angles.is_empty() { String::new() } else { format!("({})", angles.join(",")) };
        let qubits: Vec<String> = qubits.iter().map(|q| format!("q[{q}]")).collect();
        self.line(&format!("{name}{angles} {};", qubits.join(",")));
    }

    fn operation(&mut self, program: &Program, step: &Operation, theta: &[f64]) -> Result<()> {
        match step {
            Operation::Circuit { circuit, parameters } => self.circuit(circuit, &theta[parameters.clone()])?,
            Operation::Measure { qubit, bit } => self.line(&format!("measure q[{qubit}] -> c[{bit}];")),
            Operation::Reset { qubit } => self.line(&format!("reset q[{qubit}];")),
            Operation::Barrier { qubits } => {
                let list: Vec<String> = qubits.iter().map(|q| format!("q[{q}]")).collect();
                self.line(&format!("barrier {};", list.join(",")));
            }
            Operation::Channel { .. } => return Err(Error::argument(NAME, "a channel: OpenQASM 2 has no noise")),
            Operation::If { bits, value, then } => {
                if *bits != (0..program.bits()) {
                    let message =
                        format!("a condition on bits {bits:?}: OpenQASM 2 compares whole registers, here {:?}", 0..program.bits());
                    return Err(Error::argument(NAME, message));
                }
                if !self.condition.is_empty() {
                    return Err(Error::argument(NAME, "a condition inside another: OpenQASM 2 has none"));
                }
                self.condition = format!("if(c=={value}) ");
                self.operation(program, then, theta)?;
                self.condition.clear();
            }
        }
        Ok(())
    }

    fn circuit(&mut self, circuit: &Circuit, theta: &[f64]) -> Result<()> {
        for i in circuit.instructions() {
            self.instruction(&i, theta)?;
        }
        Ok(())
    }

    /// f with controls that act at 1: those that act at 0 between Xs.
    fn flipped(&mut self, controls: &[Control], f: impl FnOnce(&mut Writer, &[usize]) -> Result<()>) -> Result<()> {
        let zeros: Vec<usize> = controls.iter().filter(|c| !c.value).map(|c| c.qubit).collect();
        let qubits: Vec<usize> = controls.iter().map(|c| c.qubit).collect();
        zeros.iter().for_each(|&q| self.gate("x", &[], &[q]));
        f(self, &qubits)?;
        zeros.iter().for_each(|&q| self.gate("x", &[], &[q]));
        Ok(())
    }

    fn instruction(&mut self, i: &Instruction, theta: &[f64]) -> Result<()> {
        let at = |a: &crate::circuit::Angle| a.at(theta);
        let t = &i.targets;
        let name = match (&i.gate, i.controls.len()) {
            (Gate::X, 0) => "x",
            (Gate::X, 1) => "cx",
            (Gate::X, 2) => "ccx",
            (Gate::X, 3) => "c3x",
            (Gate::X, 4) => "c4x",
            (Gate::Y, 0) => "y",
            (Gate::Y, 1) => "cy",
            (Gate::Z, 0) => "z",
            (Gate::Z, 1) => "cz",
            (Gate::H, 0) => "h",
            (Gate::H, 1) => "ch",
            (Gate::S, 0) => "s",
            (Gate::Sdg, 0) => "sdg",
            (Gate::T, 0) => "t",
            (Gate::Tdg, 0) => "tdg",
            (Gate::SqrtX, 0) => "sx",
            (Gate::SqrtX, 1) => "csx",
            (Gate::SqrtX, 3) => "c3sqrtx",
            (Gate::SqrtXdg, 0) => "sxdg",
            (Gate::Rx(_), 0) => "rx",
            (Gate::Rx(_), 1) => "crx",
            (Gate::Ry(_), 0) => "ry",
            (Gate::Ry(_), 1) => "cry",
            (Gate::Rz(_), 0) => "rz",
            (Gate::Rz(_), 1) => "crz",
            (Gate::Phase(_), 0) => "p",
            (Gate::Phase(_), 1) => "cp",
            (Gate::U3(..), 0) => "u3",
            (Gate::U3(..), 1) => "cu",
            (Gate::Swap, 0) => "swap",
            (Gate::Swap, 1) => "cswap",
            _ => "",
        };
        if !name.is_empty() {
            let mut angles: Vec<f64> = i.gate.angles().iter().map(at).collect();
            if name == "cu" {
                angles.push(0.0);
            }
            return self.flipped(&i.controls, |w, controls| {
                w.gate(name, &angles, &[controls, t].concat());
                Ok(())
            });
        }
        match &i.gate {
            Gate::GlobalPhase(a) => {
                let Some((last, rest)) = i.controls.split_last() else { return Ok(()) };
                // a phase on the last control
                let z = C::from_polar(1.0, at(a));
                let (one, zero) = (C::new(1.0, 0.0), C::new(0.0, 0.0));
                let u = if last.value { [one, zero, zero, z] } else { [z, zero, zero, one] };
                self.flipped(rest, |w, controls| w.controlled(&u, controls, last.qubit))
            }
            Gate::PauliRotation(letters, a) => self.rotation(letters, t, at(a), &i.controls),
            Gate::ISwap if i.controls.is_empty() => {
                self.rotation(&[Pauli::X; 2], t, -FRAC_PI_2, &[])?;
                self.rotation(&[Pauli::Y; 2], t, -FRAC_PI_2, &[])
            }
            Gate::FSim(a, b) if i.controls.is_empty() => {
                self.rotation(&[Pauli::X; 2], t, at(a), &[])?;
                self.rotation(&[Pauli::Y; 2], t, at(a), &[])?;
                self.gate("cp", &[-at(b)], t);
                Ok(())
            }
            gate if t.len() == 1 => {
                let m = gate.matrix(&Var::from(theta))?;
                let u: Matrix = std::array::from_fn(|k| m.as_slice()[k]);
                self.flipped(&i.controls, |w, controls| w.controlled(&u, controls, t[0]))
            }
            _ => self.dense(i, theta),
        }
    }

    /// exp(−iθP/2): a basis change, the parity on the last qubit, and Rz there.
    fn rotation(&mut self, letters: &[Pauli], targets: &[usize], angle: f64, controls: &[Control]) -> Result<()> {
        let Some((&last, rest)) = targets.split_last() else { return Ok(()) };
        for (p, &q) in letters.iter().zip(targets) {
            match p {
                Pauli::X => self.gate("h", &[], &[q]),
                Pauli::Y => self.gate("rx", &[FRAC_PI_2], &[q]),
                Pauli::Z => {}
            }
        }
        rest.iter().for_each(|&q| self.gate("cx", &[], &[q, last]));
        let rz = Instruction { gate: Gate::Rz(angle.into()), targets: vec![last], controls: controls.to_vec() };
        self.instruction(&rz, &[])?;
        rest.iter().rev().for_each(|&q| self.gate("cx", &[], &[q, last]));
        for (p, &q) in letters.iter().zip(targets) {
            match p {
                Pauli::X => self.gate("h", &[], &[q]),
                Pauli::Y => self.gate("rx", &[-FRAC_PI_2], &[q]),
                Pauli::Z => {}
            }
        }
        Ok(())
    }

    /// U where all controls are 1.
    fn controlled(&mut self, u: &Matrix, controls: &[usize], target: usize) -> Result<()> {
        let (one, zero) = (C::new(1.0, 0.0), C::new(0.0, 0.0));
        let x = [zero, one, one, zero];
        let place = [controls, &[target]].concat();
        match controls {
            _ if close(u, &[one, zero, zero, one]) => {}
            [] => {
                let [theta, phi, lambda, _] = angles(u);
                self.gate("u3", &[theta, phi, lambda], &place);
            }
            [_] | [_, _] | [_, _, _] | [_, _, _, _] if close(u, &x) => {
                self.gate(["cx", "ccx", "c3x", "c4x"][controls.len() - 1], &[], &place);
            }
            [_] => {
                let [theta, phi, lambda, gamma] = angles(u);
                self.gate("cu", &[theta, phi, lambda, gamma], &place);
            }
            [rest @ .., last] => {
                let v = root(u);
                self.controlled(&v, &[*last], target)?;
                self.controlled(&x, rest, *last)?;
                self.controlled(&adjoint(&v), &[*last], target)?;
                self.controlled(&x, rest, *last)?;
                self.controlled(&v, rest, target)?;
            }
        }
        Ok(())
    }

    /// Any matrix: U = V₁† V₂† … with V_k on two basis states, which make U the identity column by column.
    fn dense(&mut self, i: &Instruction, theta: &[f64]) -> Result<()> {
        let qubits = i.qubits();
        if qubits.len() > MAX_DENSE {
            let message = format!("{} on {} qubits: a matrix is written out for at most {MAX_DENSE}", i.gate.name(), qubits.len());
            return Err(Error::argument(NAME, message));
        }
        let m = i.matrix(&Var::from(theta))?;
        let n = 1usize << qubits.len();
        let mut u = m.as_slice().to_vec();
        let (one, zero) = (C::new(1.0, 0.0), C::new(0.0, 0.0));
        let mut levels: Vec<(usize, usize, Matrix)> = Vec::new();
        let mut turn = |u: &mut [C], a: usize, b: usize, v: Matrix| {
            for j in 0..n {
                let (x, y) = (u[a * n + j], u[b * n + j]);
                u[a * n + j] = v[0] * x + v[1] * y;
                u[b * n + j] = v[2] * x + v[3] * y;
            }
            levels.push((a, b, adjoint(&v)));
        };
        for column in 0..n {
            for row in column + 1..n {
                let (x, y) = (u[column * n + column], u[row * n + column]);
                if y.norm() > 1e-15 {
                    let r = (x.norm_sqr() + y.norm_sqr()).sqrt();
                    turn(&mut u, column, row, [x.conj() / r, y.conj() / r, -y / r, x / r]);
                }
            }
            // the last phase of a column that had nothing below its diagonal
            let z = u[column * n + column];
            if (z - one).norm() > 1e-15 {
                let other = if column + 1 < n { column + 1 } else { column - 1 };
                turn(&mut u, column, other, [z.conj(), zero, zero, one]);
            }
        }
        // U = V₁† … V_m†, so that the last acts first
        for (a, b, v) in levels.into_iter().rev() {
            self.two_level(&qubits, a, b, v)?;
        }
        Ok(())
    }

    /// A 2 × 2 matrix on the basis states a and b of some qubits.
    fn two_level(&mut self, qubits: &[usize], a: usize, b: usize, v: Matrix) -> Result<()> {
        let pivot = (a ^ b).trailing_zeros() as usize;
        // CNOTs from the pivot make a and b differ in it alone
        let others: Vec<usize> = (0..qubits.len()).filter(|&k| k != pivot && (a ^ b) >> k & 1 == 1).collect();
        others.iter().for_each(|&k| self.gate("cx", &[], &[qubits[pivot], qubits[k]]));
        // the one with the pivot at 0 keeps its other bits
        let (low, v) = if a >> pivot & 1 == 0 { (a, v) } else { (b, [v[3], v[2], v[1], v[0]]) };
        let controls: Vec<Control> =
            (0..qubits.len()).filter(|&k| k != pivot).map(|k| Control { qubit: qubits[k], value: low >> k & 1 == 1 }).collect();
        self.flipped(&controls, |w, controls| w.controlled(&v, controls, qubits[pivot]))?;
        others.iter().rev().for_each(|&k| self.gate("cx", &[], &[qubits[pivot], qubits[k]]));
        Ok(())
    }
}
