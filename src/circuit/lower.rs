//! From the tree of blocks to a few elementary operations.

use super::angle::Angle;
use super::fuse::{Fuser, bit, exchanged};
use super::gate::Gate;
use super::pauli::Pauli;
use super::plan::{Factor, Plan};
use super::tree::{Block, Circuit, Control, Trotter};
use crate::kernels::state_vector::Subset;
use crate::kernels::state_vector::pauli_rotation::Masks;
use crate::kernels::state_vector::two_level::{Pairs, Su2};
use num_complex::Complex;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_PI_2, FRAC_PI_4, PI};

impl Plan {
    pub(crate) fn new(circuit: &Circuit) -> Plan {
        let mut fuser = Fuser::new(circuit.qubits());
        let angles: Vec<Angle> = (0..circuit.parameters()).map(|i| super::Parameter(i).into()).collect();
        let qubits: Vec<usize> = (0..circuit.qubits()).collect();
        lower(circuit, &Frame { qubits: &qubits, angles: &angles, controls: Subset::ALL, inverse: false }, &mut fuser);
        fuser.finish(circuit.parameters())
    }
}

/// How a nested circuit sits in the whole.
struct Frame<'a> {
    qubits: &'a [usize],
    angles: &'a [Angle],
    controls: Subset,
    inverse: bool,
}

impl Frame<'_> {
    fn with(&self, controls: &[Control]) -> Subset {
        let mut subset = self.controls;
        for c in controls {
            let b = bit(self.qubits[c.qubit]);
            subset.mask |= b;
            subset.value |= if c.value { b } else { 0 };
        }
        subset
    }
}

fn lower(circuit: &Circuit, frame: &Frame, out: &mut Fuser) {
    let each = |block: &Block, out: &mut Fuser| match block {
        Block::Gate { gate, targets, controls } => {
            let gate = gate.map_angles(|a| a.substitute(frame.angles));
            let gate = if frame.inverse { gate.inverse() } else { gate };
            let targets: Vec<usize> = targets.iter().map(|&t| frame.qubits[t]).collect();
            lower_gate(&gate, &targets, frame.with(controls), out);
        }
        Block::Exponential { sum, angle, trotter, steps, controls } => {
            let controls = frame.with(controls);
            let angle = angle.substitute(frame.angles) * if frame.inverse { -1.0 } else { 1.0 };
            let terms: Vec<(f64, Masks)> = sum
                .terms()
                .map(|(c, p)| {
                    let move_bits = |m: u64| (0..64).filter(|q| m >> q & 1 == 1).map(|q| bit(frame.qubits[q])).sum();
                    (c, Masks { x: move_bits(p.x), z: move_bits(p.z) })
                })
                .collect();
            for _ in 0..*steps {
                trotter_step(&terms, angle * (1.0 / *steps as f64), *trotter, frame.inverse, controls, out);
            }
        }
        Block::Nested { body, qubits, angles, controls, times, inverse } => {
            let qubits: Vec<usize> = qubits.iter().map(|&q| frame.qubits[q]).collect();
            let angles: Vec<Angle> = angles.iter().map(|a| a.substitute(frame.angles)).collect();
            let inner = Frame { qubits: &qubits, angles: &angles, controls: frame.with(controls), inverse: frame.inverse ^ inverse };
            for _ in 0..*times {
                lower(body, &inner, out);
            }
        }
    };
    if frame.inverse {
        circuit.blocks().iter().rev().for_each(|b| each(b, out));
    } else {
        circuit.blocks().iter().for_each(|b| each(b, out));
    }
}

/// exp(−iθ Σ c P) once; in the inverse (θ negated by the caller) the first-order product runs backwards, the others are symmetric.
fn trotter_step(terms: &[(f64, Masks)], theta: Angle, trotter: Trotter, backwards: bool, controls: Subset, out: &mut Fuser) {
    let sweep = |scale: f64, reverse: bool, out: &mut Fuser| {
        let one = |&(c, masks): &(f64, Masks), out: &mut Fuser| out.rotation(masks, controls, theta * (2.0 * c * scale));
        if reverse { terms.iter().rev().for_each(|t| one(t, out)) } else { terms.iter().for_each(|t| one(t, out)) }
    };
    let symmetric = |scale: f64, out: &mut Fuser| {
        sweep(0.5 * scale, false, out);
        sweep(0.5 * scale, true, out);
    };
    match trotter {
        Trotter::First => sweep(1.0, backwards, out),
        Trotter::Second => symmetric(1.0, out),
        Trotter::Fourth => {
            let p = 1.0 / (4.0 - 4.0f64.cbrt());
            [p, p, 1.0 - 4.0 * p, p, p].iter().for_each(|&scale| symmetric(scale, out));
        }
    }
}

/// e^{iγ} and SU(2) of a 2 × 2 unitary matrix, row by row.
fn split_phase(u: &[Complex<f64>]) -> (f64, Su2) {
    let gamma = 0.5 * (u[0] * u[3] - u[1] * u[2]).arg();
    let back = Complex::from_polar(1.0, -gamma);
    // the two columns say the same up to rounding
    let alpha = 0.5 * (u[0] * back + (u[3] * back).conj());
    let beta = 0.5 * (u[2] * back - (u[1] * back).conj());
    let norm = (alpha.norm_sqr() + beta.norm_sqr()).sqrt();
    (gamma, Su2 { alpha: alpha / norm, beta: beta / norm })
}

fn lower_gate(gate: &Gate, targets: &[usize], controls: Subset, out: &mut Fuser) {
    let fixed = |x: f64| Angle::Fixed(x);
    let rotation = |p: Pauli, a: Angle| Factor::Rotation(p, a);
    match gate {
        Gate::GlobalPhase(a) => out.phase(controls, *a),
        // after gates on the same qubit it is one more factor
        Gate::X if controls.mask == 0 && out.waits(targets[0]) => {
            out.level(targets[0], controls, rotation(Pauli::X, fixed(PI)));
            out.phase(controls, fixed(FRAC_PI_2));
        }
        Gate::X => out.exchange(Pairs::qubit(targets[0], controls)),
        Gate::Y => {
            out.level(targets[0], controls, rotation(Pauli::Y, fixed(PI)));
            out.phase(controls, fixed(FRAC_PI_2));
        }
        Gate::H => {
            let h = Complex::new(0.0, -FRAC_1_SQRT_2);
            out.level(targets[0], controls, Factor::Fixed(Su2 { alpha: h, beta: h }));
            out.phase(controls, fixed(FRAC_PI_2));
        }
        Gate::SqrtX | Gate::SqrtXdg => {
            let sign = if *gate == Gate::SqrtX { 1.0 } else { -1.0 };
            out.level(targets[0], controls, rotation(Pauli::X, fixed(sign * FRAC_PI_2)));
            out.phase(controls, fixed(sign * FRAC_PI_4));
        }
        Gate::Z => out.diagonal(targets[0], controls, fixed(PI)),
        Gate::S => out.diagonal(targets[0], controls, fixed(FRAC_PI_2)),
        Gate::Sdg => out.diagonal(targets[0], controls, fixed(-FRAC_PI_2)),
        Gate::T => out.diagonal(targets[0], controls, fixed(FRAC_PI_4)),
        Gate::Tdg => out.diagonal(targets[0], controls, fixed(-FRAC_PI_4)),
        Gate::Phase(a) => out.diagonal(targets[0], controls, *a),
        Gate::Rx(a) => out.level(targets[0], controls, rotation(Pauli::X, *a)),
        Gate::Ry(a) => out.level(targets[0], controls, rotation(Pauli::Y, *a)),
        Gate::Rz(a) => out.level(targets[0], controls, rotation(Pauli::Z, *a)),
        Gate::U3(theta, phi, lambda) => {
            out.level(targets[0], controls, rotation(Pauli::Z, *lambda));
            out.level(targets[0], controls, rotation(Pauli::Y, *theta));
            out.level(targets[0], controls, rotation(Pauli::Z, *phi));
            out.phase(controls, *phi * 0.5);
            out.phase(controls, *lambda * 0.5);
        }
        Gate::Swap => out.exchange(exchanged(targets, controls)),
        Gate::ISwap => out.turn(targets, controls, rotation(Pauli::X, fixed(-PI))),
        Gate::FSim(theta, phi) => {
            out.turn(targets, controls, rotation(Pauli::X, *theta * 2.0));
            out.phase(along(targets, controls, [true, true]), -*phi);
        }
        Gate::PauliRotation(letters, angle) => {
            let mut masks = Masks::default();
            for (p, &q) in letters.iter().zip(targets) {
                masks.x |= if *p != Pauli::Z { bit(q) } else { 0 };
                masks.z |= if *p != Pauli::X { bit(q) } else { 0 };
            }
            out.rotation(masks, controls, *angle);
        }
        Gate::Matrix(u) if u.qubits() == 1 => {
            let (gamma, su2) = split_phase(u.entries());
            out.level(targets[0], controls, Factor::Fixed(su2));
            out.phase(controls, fixed(gamma));
        }
        Gate::Matrix(u) => out.matrix(u, targets, controls),
        Gate::Diagonal(d, angle) => out.table(d, *angle, targets, controls),
    }
}

/// The controls and given values of two qubits.
fn along(targets: &[usize], controls: Subset, values: [bool; 2]) -> Subset {
    let value = targets.iter().zip(values).map(|(&q, v)| if v { bit(q) } else { 0 }).sum::<usize>();
    Subset { mask: controls.mask | bit(targets[0]) | bit(targets[1]), value: controls.value | value }
}
