//! Every gate against its matrix.

use super::support::{C, Dense, Draw, apply, distance, matrix, spread, times};
use num_complex::Complex;
use pullback::Var;
use pullback::circuit::{Angle, Circuit, Control, Gate, Pauli, PauliSum, StateVector, Trotter, Unitary};
use std::sync::Arc;

/// One of each kind; angles are parameters 0, 1 and 2.
pub fn all_gates(draw: &mut Draw) -> Vec<Gate> {
    let p = |index| Angle::Parameter { index, scale: 1.0 - 0.3 * index as f64, shift: 0.1 * index as f64 };
    let mut gates = vec![
        Gate::X,
        Gate::Y,
        Gate::Z,
        Gate::H,
        Gate::S,
        Gate::Sdg,
        Gate::T,
        Gate::Tdg,
        Gate::SqrtX,
        Gate::SqrtXdg,
        Gate::Rx(p(0)),
        Gate::Ry(p(0)),
        Gate::Rz(p(0)),
        Gate::Phase(p(0)),
        Gate::U3(p(0), p(1), p(2)),
        Gate::GlobalPhase(p(1)),
        Gate::Swap,
        Gate::ISwap,
        Gate::FSim(p(0), p(1)),
    ];
    let letters = [Pauli::X, Pauli::Y, Pauli::Z];
    for a in letters {
        gates.push(Gate::PauliRotation(vec![a], p(1)));
        for b in letters {
            gates.push(Gate::PauliRotation(vec![a, b], p(0)));
            gates.push(Gate::PauliRotation(vec![b, a, Pauli::Y], p(2)));
        }
    }
    for k in 1..=3 {
        gates.push(Gate::Matrix(Unitary::new(&draw.unitary(k)).unwrap()));
        gates.push(Gate::Diagonal(Arc::new((0..1 << k).map(|_| draw.uniform()).collect()), p(1)));
    }
    gates
}

pub const THETA: [f64; 3] = [0.7, -1.9, 2.3];

/// All ordered choices of k qubits of n.
fn placements(n: usize, k: usize) -> Vec<Vec<usize>> {
    if k == 0 {
        return vec![vec![]];
    }
    let shorter = placements(n, k - 1);
    shorter.iter().flat_map(|p| (0..n).filter(|q| !p.contains(q)).map(|q| [&p[..], &[q]].concat())).collect()
}

fn empty(n: usize) -> Circuit {
    let mut circuit = Circuit::new(n);
    for _ in 0..3 {
        circuit.parameter();
    }
    circuit
}

fn run(circuit: &Circuit, psi: &[C]) -> Vec<C> {
    let state = StateVector::new(psi.to_vec()).unwrap();
    circuit.run(&Var::from(THETA), &state).unwrap().amplitudes().as_slice().to_vec()
}

#[test]
fn every_gate_is_its_matrix_at_every_placement() {
    let mut draw = Draw(1);
    let gates = all_gates(&mut draw);
    let mut worst = 0.0f64;
    for n in 1..=5 {
        let psi = draw.state(n);
        let single: Vec<Complex<f32>> = psi.iter().map(|z| Complex::new(z.re as f32, z.im as f32)).collect();
        for gate in gates.iter().filter(|g| g.targets() <= n) {
            let m = matrix(gate, &THETA);
            for targets in placements(n, gate.targets()) {
                let rest: Vec<usize> = (0..n).filter(|q| !targets.contains(q)).collect();
                // no control, each single one, all with random values
                let mut choices: Vec<Vec<Control>> = vec![vec![]];
                choices.extend(rest.iter().flat_map(|&q| [vec![(q, true).into()], vec![(q, false).into()]]));
                choices.push(rest.iter().map(|&q| (q, draw.uniform() > 0.0).into()).collect());
                for controls in choices {
                    let mut circuit = empty(n);
                    circuit.controlled(gate.clone(), &targets, &controls).unwrap();
                    let expected = apply(&spread(n, &m, &targets, &controls), &psi);
                    let off = distance(&run(&circuit, &psi), &expected);
                    worst = worst.max(off);
                    assert!(off < 1e-14, "{} on {targets:?}, controls {controls:?}, n = {n}: {off:e}", gate.name());
                    let state = StateVector::new(single.clone()).unwrap();
                    let out = circuit.run(&Var::from(THETA.map(|x| x as f32)), &state).unwrap();
                    let out: Vec<C> = out.amplitudes().as_slice().iter().map(|z| Complex::new(z.re as f64, z.im as f64)).collect();
                    assert!(distance(&out, &expected) < 1e-6, "single precision: {} on {targets:?}", gate.name());
                }
            }
        }
    }
    println!("worst entry {worst:e}");
}

/// A circuit of gates drawn at random, and its matrix.
pub fn random_circuit(draw: &mut Draw, n: usize, count: usize) -> (Circuit, Dense) {
    let gates = all_gates(draw);
    let mut circuit = empty(n);
    let mut dense = super::support::eye(1 << n);
    for _ in 0..count {
        let gate = &gates[draw.below(gates.len())];
        let k = gate.targets();
        if k > n {
            continue;
        }
        let qubits = draw.qubits(n, n);
        let controls: Vec<Control> = qubits[k..].iter().take(draw.below(3)).map(|&q| (q, draw.uniform() > 0.0).into()).collect();
        circuit.controlled(gate.clone(), &qubits[..k], &controls).unwrap();
        dense = times(&spread(n, &matrix(gate, &THETA), &qubits[..k], &controls), &dense);
    }
    (circuit, dense)
}

#[test]
fn random_circuits_are_their_matrices() {
    let mut draw = Draw(2);
    for n in 1..=6 {
        for _ in 0..8 {
            let (circuit, dense) = random_circuit(&mut draw, n, 40);
            let psi = draw.state(n);
            let off = distance(&run(&circuit, &psi), &apply(&dense, &psi));
            assert!(off < 1e-13, "n = {n}: {off:e}");
            // an inverse circuit undoes
            let all: Vec<usize> = (0..n).collect();
            let mut back = empty(n);
            let angles: Vec<Angle> = (0..3).map(|index| Angle::Parameter { index, scale: 1.0, shift: 0.0 }).collect();
            back.nest_with(&circuit, &all, &angles, &[], 1, false).unwrap();
            back.nest_with(&circuit, &all, &angles, &[], 1, true).unwrap();
            assert!(distance(&run(&back, &psi), &psi) < 1e-13);
        }
    }
}

#[test]
fn large_registers_are_walked_in_tiles_and_agree_with_small_ones() {
    // a circuit on 5 qubits scattered over 16: the other qubits stay |0⟩
    let mut draw = Draw(3);
    for qubits in [[0, 3, 7, 12, 15], [15, 14, 13, 12, 11], [1, 9, 2, 14, 5]] {
        let (small, dense) = random_circuit(&mut draw, 5, 60);
        let mut large = empty(16);
        let angles: Vec<Angle> = (0..3).map(|index| Angle::Parameter { index, scale: 1.0, shift: 0.0 }).collect();
        large.nest_with(&small, &qubits, &angles, &[], 1, false).unwrap();
        let out = large.state(&Var::from(THETA)).unwrap();
        let mut seen = 0.0;
        for j in 0..32 {
            let i: usize = (0..5).map(|k| (j >> k & 1) << qubits[k]).sum();
            let z = out.amplitudes().as_slice()[i];
            assert!((z - dense[j][0]).norm() < 1e-13, "{qubits:?}, amplitude {j}");
            seen += z.norm_sqr();
        }
        assert!((seen - 1.0).abs() < 1e-12);
    }
}

#[test]
fn permutations_move_amplitudes_and_change_none() {
    let mut draw = Draw(6);
    // one tile, several, and passes that threads share
    for (n, count) in [(6, 30), (15, 1), (15, 3), (15, 80), (17, 1), (17, 12)] {
        let psi = draw.state(n);
        let mut circuit = empty(n);
        let mut expected = psi.clone();
        for _ in 0..count {
            let q = draw.qubits(n, 3);
            let (bits, value) = ([1 << q[0], 1 << q[1], 1 << q[2]], draw.uniform() > 0.0);
            let kind = draw.below(9);
            let controls: Vec<Control> = match kind {
                0 | 1 => vec![],
                2..=5 => vec![(q[1], value).into()],
                6 => vec![(q[1], value).into(), (q[2], true).into()],
                7 => vec![],
                _ => vec![(q[2], value).into()],
            };
            let swaps = kind >= 7 || kind == 1;
            let (gate, targets) = if swaps { (Gate::Swap, &q[..2]) } else { (Gate::X, &q[..1]) };
            circuit.controlled(gate, targets, &controls).unwrap();
            let acts = |i: usize| controls.iter().all(|c| (i >> c.qubit & 1 == 1) == c.value);
            let image = |i: usize| match (acts(i), swaps) {
                (false, _) => i,
                (true, false) => i ^ bits[0],
                (true, true) if (i & bits[0] == 0) != (i & bits[1] == 0) => i ^ bits[0] ^ bits[1],
                (true, true) => i,
            };
            let before = expected.clone();
            before.iter().enumerate().for_each(|(i, z)| expected[image(i)] = *z);
        }
        assert!(run(&circuit, &psi) == expected, "n = {n}, {count} gates");
    }
}

#[test]
fn a_state_that_nobody_else_holds_changes_where_it_is() {
    let n = 10;
    let mut draw = Draw(7);
    let (start, theta) = (StateVector::new(draw.state(n)).unwrap(), Var::from(THETA));
    let (mut one, mut shared) = (StateVector::new(start.amplitudes().as_slice().to_vec()).unwrap(), start.clone());
    let at = one.amplitudes().as_slice().as_ptr();
    let mut circuit = empty(n);
    circuit.h(3).unwrap().rx(9, Angle::Parameter { index: 0, scale: 1.0, shift: 0.0 }).unwrap().cnot(0, 7).unwrap();
    let expected = circuit.run(&theta, &start).unwrap();
    for state in [&mut one, &mut shared] {
        circuit.run_in_place(&theta, state).unwrap();
        assert!(state.amplitudes().as_slice() == expected.amplitudes().as_slice());
    }
    assert_eq!(one.amplitudes().as_slice().as_ptr(), at);
    // whoever else holds the amplitudes keeps them, and so does the state on an error
    assert!(start.amplitudes().as_slice() != expected.amplitudes().as_slice());
    assert!(circuit.run_in_place(&Var::from([0.0]), &mut one).is_err() && one.amplitudes().len() == 1 << n);
    // differentiated as `run` is
    let probability = |t: &Var<f64>| {
        let mut state = start.clone();
        circuit.run_in_place(t, &mut state)?;
        Ok::<_, pullback::Error>(state.probabilities().get(&[5]))
    };
    let same = |t: &Var<f64>| Ok::<_, pullback::Error>(circuit.run(t, &start)?.probabilities().get(&[5]));
    assert!(pullback::grad(probability, &theta).unwrap().as_slice() == pullback::grad(same, &theta).unwrap().as_slice());
}

#[test]
fn blocks_are_the_gates_they_stand_for() {
    let mut draw = Draw(4);
    let psi = draw.state(4);
    let (body, dense) = random_circuit(&mut draw, 2, 12);
    let angles: Vec<Angle> = (0..3).map(|index| Angle::Parameter { index, scale: 1.0, shift: 0.0 }).collect();
    // repeated, inside a controlled block, inverted
    let mut circuit = empty(4);
    circuit.nest_with(&body, &[2, 0], &angles, &[(3, false).into(), 1.into()], 3, true).unwrap();
    let adjoint: Dense = (0..4).map(|i| (0..4).map(|j| dense[j][i].conj()).collect()).collect();
    let cubed = times(&adjoint, &times(&adjoint, &adjoint));
    let expected = apply(&spread(4, &cubed, &[2, 0], &[(3, false).into(), 1.into()]), &psi);
    assert!(distance(&run(&circuit, &psi), &expected) < 1e-13);
}

#[test]
fn product_formulas_have_their_orders() {
    let h: PauliSum = "0.7 X0 X1 + 0.4 Z0 - 0.9 Y1 Y2 + 0.3 Z2 + 0.5 X1 Z2".parse().unwrap();
    let n = 3;
    // exp(−iH) by squaring a Taylor series
    let mut dense = vec![vec![C::default(); 8]; 8];
    for (coefficient, p) in h.terms() {
        let (targets, letters): (Vec<_>, Vec<_>) = p.factors().into_iter().unzip();
        let m = letters.iter().map(|&l| super::support::pauli(l)).collect::<Vec<_>>();
        let mut whole = super::support::eye(8);
        for (m, q) in m.iter().zip(targets) {
            whole = times(&spread(n, m, &[q], &[]), &whole);
        }
        for i in 0..8 {
            for j in 0..8 {
                dense[i][j] += coefficient * whole[i][j];
            }
        }
    }
    let small: Dense = dense.iter().map(|r| r.iter().map(|z| z * Complex::new(0.0, -1.0 / 1024.0)).collect()).collect();
    let mut exact = super::support::eye(8);
    let mut term = super::support::eye(8);
    for k in 1..12 {
        term = times(&term, &small).into_iter().map(|r| r.into_iter().map(|z| z / k as f64).collect()).collect();
        for i in 0..8 {
            for j in 0..8 {
                exact[i][j] += term[i][j];
            }
        }
    }
    for _ in 0..10 {
        exact = times(&exact, &exact);
    }
    let psi = Draw(5).state(n);
    let expected = apply(&exact, &psi);
    for (trotter, order) in [(Trotter::First, 1), (Trotter::Second, 2), (Trotter::Fourth, 4)] {
        let error = |steps: usize| {
            let mut circuit = empty(n);
            circuit.exponential(&h, 1.0, trotter, steps).unwrap();
            distance(&run(&circuit, &psi), &expected)
        };
        let (coarse, fine) = (error(4), error(8));
        let measured = (coarse / fine).log2();
        assert!((measured - order as f64).abs() < 0.25, "{trotter:?}: order {measured:.2}, errors {coarse:e} {fine:e}");
        // the block's inverse is exact
        let mut circuit = empty(n);
        circuit.exponential(&h, 1.3, trotter, 2).unwrap();
        let copy = circuit.clone();
        let angles: Vec<Angle> = (0..3).map(|index| Angle::Parameter { index, scale: 1.0, shift: 0.0 }).collect();
        circuit.nest_with(&copy, &[0, 1, 2], &angles, &[], 1, true).unwrap();
        assert!(distance(&run(&circuit, &psi), &psi) < 1e-13);
    }
}
