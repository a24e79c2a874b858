//! The gates of `qelib1.inc`.

use crate::circuit::{Angle, Circuit, Control, Gate, Pauli};
use crate::error::Result;

/// Name, number of angles, number of qubits.
const GATES: [(&str, usize, usize); 42] = [
    ("U", 3, 1),
    ("CX", 0, 2),
    ("u3", 3, 1),
    ("u2", 2, 1),
    ("u1", 1, 1),
    ("u0", 1, 1),
    ("u", 3, 1),
    ("p", 1, 1),
    ("id", 0, 1),
    ("x", 0, 1),
    ("y", 0, 1),
    ("z", 0, 1),
    ("h", 0, 1),
    ("s", 0, 1),
    ("sdg", 0, 1),
    ("t", 0, 1),
    ("tdg", 0, 1),
    ("sx", 0, 1),
    ("sxdg", 0, 1),
    ("rx", 1, 1),
    ("ry", 1, 1),
    ("rz", 1, 1),
    ("cx", 0, 2),
    ("cy", 0, 2),
    ("cz", 0, 2),
    ("ch", 0, 2),
    ("csx", 0, 2),
    ("swap", 0, 2),
    ("crx", 1, 2),
    ("cry", 1, 2),
    ("crz", 1, 2),
    ("cu1", 1, 2),
    ("cp", 1, 2),
    ("cu3", 3, 2),
    ("cu", 4, 2),
    ("rxx", 1, 2),
    ("rzz", 1, 2),
    ("ccx", 0, 3),
    ("cswap", 0, 3),
    ("c3x", 0, 4),
    ("c3sqrtx", 0, 4),
    ("c4x", 0, 5),
];

/// Those that are products of the others, in OpenQASM.
pub(super) const DEFINITIONS: &str = "gate rccx a,b,c { u2(0,pi) c; u1(pi/4) c; cx b,c; u1(-pi/4) c; cx a,c; u1(pi/4) c; \
    cx b,c; u1(-pi/4) c; u2(0,pi) c; } gate rc3x a,b,c,d { u2(0,pi) d; u1(pi/4) d; cx c,d; u1(-pi/4) d; u2(0,pi) d; cx a,d; u1(pi/4) d; \
    cx b,d; u1(-pi/4) d; cx a,d; u1(pi/4) d; cx b,d; u1(-pi/4) d; u2(0,pi) d; u1(pi/4) d; cx c,d; u1(-pi/4) d; u2(0,pi) d; }\n";

/// How many angles and qubits the gate has; `U` and `CX` are known without the library.
pub(super) fn find(name: &str, included: bool) -> Option<(usize, usize)> {
    let known = |&&(n, _, _): &&(&str, usize, usize)| n == name && (included || n == "U" || n == "CX");
    GATES.iter().find(known).map(|&(_, angles, qubits)| (angles, qubits))
}

/// Adds a gate that [`find`] knows.
pub(super) fn add(c: &mut Circuit, name: &str, angles: &[f64], q: &[usize]) -> Result<()> {
    let a = |i: usize| Angle::Fixed(angles[i]);
    let zero = Angle::Fixed(0.0);
    let half_pi = Angle::Fixed(std::f64::consts::FRAC_PI_2);
    // the last qubit is the target, those before it are controls
    let (gate, targets) = match name {
        "U" | "u3" | "u" | "cu3" | "cu" => (Gate::U3(a(0), a(1), a(2)), 1),
        "u2" => (Gate::U3(half_pi, a(0), a(1)), 1),
        "u1" | "p" | "cu1" | "cp" => (Gate::Phase(a(0)), 1),
        "id" | "u0" => (Gate::U3(zero, zero, zero), 1),
        "CX" | "x" | "cx" | "ccx" | "c3x" | "c4x" => (Gate::X, 1),
        "y" | "cy" => (Gate::Y, 1),
        "z" | "cz" => (Gate::Z, 1),
        "h" | "ch" => (Gate::H, 1),
        "s" => (Gate::S, 1),
        "sdg" => (Gate::Sdg, 1),
        "t" => (Gate::T, 1),
        "tdg" => (Gate::Tdg, 1),
        "sx" | "csx" | "c3sqrtx" => (Gate::SqrtX, 1),
        "sxdg" => (Gate::SqrtXdg, 1),
        "rx" | "crx" => (Gate::Rx(a(0)), 1),
        "ry" | "cry" => (Gate::Ry(a(0)), 1),
        "rz" | "crz" => (Gate::Rz(a(0)), 1),
        "swap" | "cswap" => (Gate::Swap, 2),
        "rxx" => (Gate::PauliRotation(vec![Pauli::X; 2], a(0)), 2),
        "rzz" => (Gate::PauliRotation(vec![Pauli::Z; 2], a(0)), 2),
        _ => unreachable!("names come from the table"),
    };
    let controls: Vec<Control> = q[..q.len() - targets].iter().map(|&q| q.into()).collect();
    if name == "cu" {
        c.controlled(Gate::Phase(a(3)), &[q[0]], &[])?;
    }
    c.controlled(gate, &q[q.len() - targets..], &controls)?;
    Ok(())
}
