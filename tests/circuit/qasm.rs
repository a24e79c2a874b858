//! OpenQASM 2 in and out.

use super::gates::{THETA, random_circuit};
use super::support::{C, Draw};
use pullback::circuit::{Channel, Circuit, Gate, Pauli, Program, Unitary};
use pullback::prelude::*;
use std::sync::Arc;

fn unitary(c: &Circuit, theta: &[f64]) -> Vec<C> {
    c.unitary(&Var::from(theta)).unwrap().as_slice().to_vec()
}

/// The largest entry of A − e^{iφ}B with the best phase.
fn off_by_phase(a: &[C], b: &[C]) -> f64 {
    let overlap: C = b.iter().zip(a).map(|(b, a)| b.conj() * a).sum();
    let phase = overlap / overlap.norm();
    a.iter().zip(b).map(|(a, b)| (a - b * phase).norm()).fold(0.0, f64::max)
}

#[test]
fn every_gate_goes_out_and_comes_back_up_to_a_phase() {
    let mut draw = Draw(41);
    let mut worst = 0.0f64;
    let mut check = |c: &Circuit| {
        let text = c.to_qasm(&THETA[..c.parameters()]).unwrap();
        let back = Circuit::from_qasm(&text).unwrap();
        let off = off_by_phase(&unitary(c, &THETA[..c.parameters()]), &unitary(&back, &[]));
        worst = worst.max(off);
        assert!(off < 1e-11, "{off:e}:\n{c}\n{text}");
    };
    for _ in 0..20 {
        check(&random_circuit(&mut draw, 4, 12).0);
    }
    // with up to five controls
    let gates = [Gate::X, Gate::Y, Gate::H, Gate::T, Gate::SqrtXdg, Gate::Rx(0.7.into()), Gate::U3(0.3.into(), 1.2.into(), (-0.4).into())];
    for gate in gates {
        for k in 2..=5 {
            let mut c = Circuit::new(6);
            let controls: Vec<_> = (0..k).map(|q| (q, q % 2 == 0).into()).collect();
            c.controlled(gate.clone(), &[5], &controls).unwrap();
            check(&c);
        }
    }
    for gate in
        [Gate::Matrix(Unitary::new(&draw.unitary(2)).unwrap()), Gate::ISwap, Gate::PauliRotation(vec![Pauli::Y, Pauli::X], 0.4.into())]
    {
        let mut c = Circuit::new(4);
        c.controlled(gate, &[3, 1], &[(0, false).into(), 2.into()]).unwrap();
        check(&c);
    }
    println!("worst entry {worst:e}");
}

/// One control needs the angles of U, two need √U, also where an entry of U vanishes.
#[test]
fn the_square_root_squares_to_the_matrix_and_the_angles_give_it_back() {
    let pi = std::f64::consts::PI;
    let mut worst = 0.0f64;
    for k in 0..200 {
        let x = k as f64;
        // angles that include 0 and π
        // (small ones: the rounding of their sums would leave a matrix that is not unitary)
        let (theta, phi, lambda, gamma) = ((k % 5) as f64 * pi / 4.0, (0.7 * x) % pi, -(1.3 * x) % pi, (0.4 * x * x) % pi);
        let (s, c) = (theta / 2.0).sin_cos();
        let e = |a: f64| C::from_polar(1.0, a + gamma);
        let u = ndarray::array![[e(0.0) * c, -e(lambda) * s], [e(phi) * s, e(phi + lambda) * c]];
        for controls in 0..3 {
            let mut c = Circuit::new(3);
            let controls: Vec<_> = (0..controls).map(|q| q.into()).collect();
            c.controlled(Gate::Matrix(Unitary::new(&u).unwrap()), &[2], &controls).unwrap();
            let back = Circuit::from_qasm(&c.to_qasm(&[]).unwrap()).unwrap();
            worst = worst.max(off_by_phase(&unitary(&c, &[]), &unitary(&back, &[])));
        }
    }
    println!("worst entry {worst:e}");
    assert!(worst < 1e-13);
}

#[test]
fn the_library_s_gates_are_what_qelib1_says() {
    let header = "OPENQASM 2.0;\ninclude \"qelib1.inc\";\nqreg q[4];\n";
    let read = |body: &str| unitary(&Circuit::from_qasm(&format!("{header}{body}")).unwrap(), &[]);
    // each gate beside its definition in qelib1.inc in terms of others
    let pairs = [
        ("u2(0.3,0.4) q[1];", "U(pi/2,0.3,0.4) q[1];"),
        ("u1(0.7) q[0];", "U(0,0,0.7) q[0];"),
        ("h q[0];", "u2(0,pi) q[0];"),
        ("x q[0];", "u3(pi,0,pi) q[0];"),
        ("y q[0];", "u3(pi,pi/2,pi/2) q[0];"),
        ("sdg q[2]; t q[2];", "u1(-pi/2) q[2]; u1(pi/4) q[2];"),
        ("sx q[0];", "sdg q[0]; h q[0]; sdg q[0];"),
        ("rx(0.4) q[0];", "u3(0.4,-pi/2,pi/2) q[0];"),
        ("ry(0.4) q[0];", "u3(0.4,0,0) q[0];"),
        ("rz(0.4) q[0];", "u1(0.4) q[0];"),
        ("cz q[0],q[1];", "h q[1]; cx q[0],q[1]; h q[1];"),
        ("cy q[0],q[1];", "sdg q[1]; cx q[0],q[1]; s q[1];"),
        ("swap q[0],q[3];", "cx q[0],q[3]; cx q[3],q[0]; cx q[0],q[3];"),
        ("ch q[0],q[1];", "h q[1]; sdg q[1]; cx q[0],q[1]; h q[1]; t q[1]; cx q[0],q[1]; t q[1]; h q[1]; s q[1]; x q[1]; s q[0];"),
        (
            "ccx q[0],q[1],q[2];",
            "h q[2]; cx q[1],q[2]; tdg q[2]; cx q[0],q[2]; t q[2]; cx q[1],q[2]; tdg q[2]; cx q[0],q[2]; t q[1]; t q[2]; h q[2]; \
             cx q[0],q[1]; t q[0]; tdg q[1]; cx q[0],q[1];",
        ),
        ("cswap q[0],q[1],q[2];", "cx q[2],q[1]; ccx q[0],q[1],q[2]; cx q[2],q[1];"),
        ("crz(0.9) q[0],q[1];", "rz(0.9/2) q[1]; cx q[0],q[1]; rz(-0.9/2) q[1]; cx q[0],q[1];"),
        ("cu1(0.9) q[0],q[1];", "u1(0.9/2) q[0]; cx q[0],q[1]; u1(-0.9/2) q[1]; cx q[0],q[1]; u1(0.9/2) q[1];"),
        (
            "cu3(0.3,0.5,0.7) q[0],q[1];",
            "u1((0.7+0.5)/2) q[0]; u1((0.7-0.5)/2) q[1]; cx q[0],q[1]; u3(-0.3/2,0,-(0.5+0.7)/2) q[1]; cx q[0],q[1]; u3(0.3/2,0.5,0) q[1];",
        ),
        (
            "cu(0.3,0.5,0.7,1.1) q[0],q[1];",
            "p(1.1) q[0]; p((0.7+0.5)/2) q[0]; p((0.7-0.5)/2) q[1]; cx q[0],q[1]; u(-0.3/2,0,-(0.5+0.7)/2) q[1]; cx q[0],q[1]; u(0.3/2,0.5,0) q[1];",
        ),
        ("rzz(0.8) q[2],q[0];", "cx q[2],q[0]; u1(0.8) q[0]; cx q[2],q[0];"),
        ("rxx(0.8) q[2],q[0];", "h q[2]; h q[0]; rzz(0.8) q[2],q[0]; h q[0]; h q[2];"),
        ("csx q[0],q[1];", "h q[1]; cu1(pi/2) q[0],q[1]; h q[1];"),
        ("c3sqrtx q[0],q[1],q[2],q[3]; c3sqrtx q[0],q[1],q[2],q[3];", "c3x q[0],q[1],q[2],q[3];"),
    ];
    for (gate, definition) in pairs {
        let off = off_by_phase(&read(gate), &read(definition));
        assert!(off < 1e-14, "{gate} is off by {off:e}");
    }
    // Margolus' gates are Toffoli gates up to phases of basis states
    for (relative, exact) in [("rccx q[0],q[1],q[2];", "ccx q[0],q[1],q[2];"), ("rc3x q[0],q[1],q[2],q[3];", "c3x q[0],q[1],q[2],q[3];")] {
        let (a, b) = (read(relative), read(exact));
        assert!(a.iter().zip(&b).all(|(a, b)| (a.norm() - b.norm()).abs() < 1e-14), "{relative}");
    }
}

#[test]
fn definitions_registers_and_expressions_are_understood() {
    let source = r#"
        OPENQASM 2.0; // a comment
        include "qelib1.inc";
        gate turn(a, b) x, y { rx(-a^2/b) x; barrier x, y; cu1(sin(a)*2 - ln(b)) x, y; }
        gate twice(a) x, y { turn(a, 2) x, y; turn(-a, sqrt(4)) y, x; }
        qreg a[2];
        qreg b[2];
        h a;
        cx a, b;
        twice(3*pi/4 + 1.5e-1) a[1], b[0];
        u2(0, +pi) b;
        cx a[0], b;
    "#;
    let read = Circuit::from_qasm(source).unwrap();
    let mut expected = Circuit::new(4);
    expected.h(0).unwrap().h(1).unwrap().cnot(0, 2).unwrap().cnot(1, 3).unwrap();
    let x = 3.0 * std::f64::consts::PI / 4.0 + 0.15;
    for (a, p, q) in [(x, 1, 2), (-x, 2, 1)] {
        expected.rx(p, -(a * a) / 2.0).unwrap().cphase(p, q, a.sin() * 2.0 - 2f64.ln()).unwrap();
    }
    expected.h(2).unwrap().h(3).unwrap().cnot(0, 2).unwrap().cnot(0, 3).unwrap();
    assert!(off_by_phase(&unitary(&read, &[]), &unitary(&expected, &[])) < 1e-14);
}

#[test]
fn programs_with_measurements_go_out_and_come_back() {
    let source = "OPENQASM 2.0;\ninclude \"qelib1.inc\";\nqreg q[2];\ncreg c[2];\nry(1.1) q[0];\nmeasure q[0] -> c[0];\nif(c==1) x q[1];\n\
                  barrier q[0],q[1];\nmeasure q[1] -> c[1];\nreset q[0];\n";
    let program = Program::from_qasm(source).unwrap();
    assert_eq!(program.to_qasm(&[]).unwrap(), source);
    let counts = program.counts(&[], 2000, 1).unwrap();
    assert!(counts.keys().all(|&k| k == 0 || k == 3) && counts.len() == 2);
    assert_eq!(Program::from_qasm(&program.to_qasm(&[]).unwrap()).unwrap().counts(&[], 2000, 1).unwrap(), counts);
    assert!(Circuit::from_qasm(source).unwrap_err().to_string().contains("run the program"));
}

#[test]
fn errors_say_the_line_and_the_column() {
    let header = "OPENQASM 2.0;\ninclude \"qelib1.inc\";\nqreg q[3];\ncreg c[3];\n";
    let wrong = |body: &str, parts: &[&str]| {
        let message = Program::from_qasm(&format!("{header}{body}")).unwrap_err().to_string();
        parts.iter().for_each(|p| assert!(message.contains(p), "{p:?} is not in: {message}"));
    };
    wrong("h q[0]", &["line 5, column 7", "expected `;`", "the end of the text"]);
    wrong("h q[3];", &["line 5, column 5", "index 3", "3 places"]);
    wrong("cx q[1], q[1];", &["line 5", "used twice", "cx"]);
    wrong("cx q, q;", &["used twice"]);
    wrong("h r;", &["line 5, column 3", "`r` is no quantum register"]);
    wrong("foo q[0];", &["line 5, column 1", "`foo` is no gate"]);
    wrong("rx q[0];", &["1 angles, given 0"]);
    wrong("rx(pi, 2) q[0];", &["1 angles, given 2"]);
    wrong("cx q[0];", &["2 qubits, given 1"]);
    wrong("rx(1/0) q[0];", &["line 5, column 1", "inf"]);
    wrong("rx(2*) q[0];", &["line 5, column 6", "expected an angle, found `)`"]);
    wrong("rx(alpha) q[0];", &["line 5, column 4", "`alpha`"]);
    wrong("rx(1.2.3) q[0];", &["line 5, column 4", "`1.2.3` is not a number"]);
    wrong("qreg q[2];", &["line 5, column 6", "already"]);
    wrong("qreg r[0];", &["a register of 0"]);
    wrong("creg d[80];", &["at most 64"]);
    wrong("gate g a { h b; }", &["line 5, column 14", "`b` is no qubit of this definition"]);
    wrong("gate g(t) a { rx(s) a; }", &["line 5, column 18", "`s`"]);
    wrong("gate h a { x a; }", &["there is a gate `h` already"]);
    wrong("gate g a { g a; }", &["`g` is no gate that is known here"]);
    wrong("opaque g a;", &["line 5, column 1", "opaque"]);
    wrong("measure q -> c[0];", &["3 qubits are measured to 1 bits"]);
    wrong("measure q[0] - c[0];", &["line 5, column 14", "expected `->`, found `-`"]);
    wrong("if(d==1) x q[0];", &["`d` is no classical register"]);
    wrong("\n\n  x q[0] $;", &["line 7, column 10", "`$`"]);
    wrong("include \"other.inc\";", &["only \"qelib1.inc\""]);
    wrong("include \"other", &["closing quotation mark"]);
    let other = |source: &str, part: &str| {
        let message = Program::from_qasm(source).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    };
    other("", "line 1, column 1");
    other("OPENQASM 3.0;", "line 1, column 10: expected version 2.0, found `3`");
    other("OPENQASM 2.0; qreg q[1]; h q[0];", "include \"qelib1.inc\" for it");
}

#[test]
fn what_qasm_cannot_say_is_an_error() {
    let c = Circuit::new(1);
    assert!(c.to_qasm(&[1.0]).unwrap_err().to_string().contains("expected 0"));
    let mut program = Program::new(1, 2).unwrap();
    program.channel(&Channel::bit_flip(0.1).unwrap(), &[0]).unwrap();
    assert!(program.to_qasm(&[]).unwrap_err().to_string().contains("noise"));
    let mut program = Program::new(1, 2).unwrap();
    program.if_equal(0..1, 1, Circuit::new(1).x(0).unwrap()).unwrap();
    assert!(program.to_qasm(&[]).unwrap_err().to_string().contains("whole registers"));
    let mut wide = Circuit::new(7);
    wide.gate(Gate::Diagonal(Arc::new(vec![1.0; 128]), 0.1.into()), &[0, 1, 2, 3, 4, 5, 6]).unwrap();
    assert!(wide.to_qasm(&[]).unwrap_err().to_string().contains("at most 6"));
}
