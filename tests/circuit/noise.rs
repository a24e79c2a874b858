//! Density matrices, channels, programs and trajectories.

use super::gates::{THETA, random_circuit};
use super::observables::check;
use super::support::{C, Dense, Draw, c, spread, times};
use ndarray::Array2;
use pullback::circuit::{Channel, Circuit, DensityMatrix, Gate, PauliSum, Program, StateVector};
use pullback::prelude::*;
use rand::{SeedableRng, rngs::StdRng};

fn dense(m: &Var<C>) -> Dense {
    let n = m.shape()[0];
    m.as_slice().chunks(n).map(<[C]>::to_vec).collect()
}

fn adjoint(m: &Dense) -> Dense {
    let n = m.len();
    (0..n).map(|i| (0..n).map(|j| m[j][i].conj()).collect()).collect()
}

fn off(a: &Var<C>, b: &Dense) -> f64 {
    a.as_slice().iter().zip(b.concat()).map(|(a, b)| (a - b).norm()).fold(0.0, f64::max)
}

fn mixed(draw: &mut Draw, n: usize) -> DensityMatrix {
    let d = 1 << n;
    let mut rho = Array2::zeros((d, d));
    for weight in [0.5, 0.3, 0.2] {
        let psi = draw.state(n);
        rho += &Array2::from_shape_fn((d, d), |(i, j)| psi[i] * psi[j].conj() * weight);
    }
    DensityMatrix::new(rho).unwrap()
}

fn channels(draw: &mut Draw) -> Vec<Channel> {
    // two Kraus operators of two qubits, from the columns of a unitary matrix on three
    let u = draw.unitary(3);
    let part = |k: usize| Var::from(Array2::from_shape_fn((4, 4), |(i, j)| u[[4 * k + i, j]]));
    vec![
        Channel::depolarizing(1, 0.2).unwrap(),
        Channel::depolarizing(2, 0.4).unwrap(),
        Channel::amplitude_damping(0.3).unwrap(),
        Channel::phase_damping(0.6).unwrap(),
        Channel::bit_flip(0.1).unwrap(),
        Channel::phase_flip(0.7).unwrap(),
        Channel::reset(),
        Channel::kraus(vec![part(0), part(1)]).unwrap(),
    ]
}

#[test]
fn circuits_and_channels_act_as_their_matrices() {
    let mut draw = Draw(21);
    let n = 3;
    for _ in 0..6 {
        let (circuit, u) = random_circuit(&mut draw, n, 40);
        let rho = mixed(&mut draw, n);
        let out = rho.run(&circuit, &Var::from(THETA)).unwrap();
        assert!(off(out.matrix(), &times(&times(&u, &dense(rho.matrix())), &adjoint(&u))) < 1e-13);
    }
    for channel in channels(&mut draw) {
        for _ in 0..3 {
            let qubits = draw.qubits(n, channel.qubits());
            let rho = mixed(&mut draw, n);
            let out = rho.channel(&channel, &qubits).unwrap();
            let mut expected: Dense = vec![vec![c(0.0, 0.0); 8]; 8];
            for k in channel.operators() {
                // spread leaves the identity where there are controls only, so that it serves for Kraus operators too
                let k = spread(n, &dense(k), &qubits, &[]);
                let term = times(&times(&k, &dense(rho.matrix())), &adjoint(&k));
                expected.iter_mut().flatten().zip(term.concat()).for_each(|(e, t)| *e += t);
            }
            assert!(off(out.matrix(), &expected) < 1e-14);
            assert!((out.matrix().trace().item() - 1.0).norm() < 1e-14);
        }
    }
}

#[test]
fn channels_do_what_their_names_say() {
    let mut plus = Circuit::new(2);
    plus.h(0).unwrap().h(1).unwrap();
    let none = Var::zeros(&[0]);
    let rho = DensityMatrix::zero(2).unwrap().run(&plus, &none).unwrap();
    let all = rho.channel(&Channel::depolarizing(2, 1.0).unwrap(), &[1, 0]).unwrap();
    assert!(off(all.matrix(), &dense(DensityMatrix::maximally_mixed(2).unwrap().matrix())) < 1e-15);
    let damped = rho.channel(&Channel::amplitude_damping(0.36).unwrap(), &[0]).unwrap().reduced(&[0]).unwrap();
    assert!(off(damped.matrix(), &vec![vec![c(0.68, 0.0), c(0.4, 0.0)], vec![c(0.4, 0.0), c(0.32, 0.0)]]) < 1e-15);
    let dephased = rho.channel(&Channel::dephasing(), &[0]).unwrap();
    assert!((dephased.expectation(&"X0".parse().unwrap()).unwrap().item()).abs() < 1e-15);
    assert!((dephased.expectation(&"X1".parse().unwrap()).unwrap().item() - 1.0).abs() < 1e-15);
    assert!((dephased.entropy().unwrap().item() - 2f64.ln()).abs() < 1e-14 && (dephased.purity().item() - 0.5).abs() < 1e-15);
}

#[test]
fn functions_of_density_matrices_agree_with_those_of_states() {
    let mut draw = Draw(22);
    let psi: StateVector = StateVector::new(draw.state(3)).unwrap();
    let phi: StateVector = StateVector::new(draw.state(3)).unwrap();
    let rho = DensityMatrix::from_state(&psi).unwrap();
    let h: PauliSum = "0.3 X0 Y2 - 0.8 Z1 + 0.1 Y0 Y1 + 0.2 I".parse().unwrap();
    assert!((rho.expectation(&h).unwrap().item() - psi.expectation(&h).unwrap().item()).abs() < 1e-14);
    assert!((rho.fidelity_with_state(&phi).unwrap().item() - psi.fidelity(&phi).unwrap().item()).abs() < 1e-14);
    assert!((rho.reduced(&[2, 0]).unwrap().matrix() - psi.reduced_density_matrix(&[2, 0]).unwrap()).abs().max().item() < 1e-15);
    assert!((rho.reduced(&[1]).unwrap().entropy().unwrap().item() - psi.entanglement_entropy(&[1]).unwrap().item()).abs() < 1e-12);
    // commuting matrices: Uhlmann's fidelity is (Σ √(p q))²
    let diagonal = |p: [f64; 2]| DensityMatrix::new(ndarray::array![[c(p[0], 0.0), c(0.0, 0.0)], [c(0.0, 0.0), c(p[1], 0.0)]]).unwrap();
    let f = diagonal([0.3, 0.7]).fidelity(&diagonal([0.9, 0.1])).unwrap().item();
    assert!((f - ((0.27f64).sqrt() + (0.07f64).sqrt()).powi(2)).abs() < 1e-12);
}

fn noisy(draw: &mut Draw) -> Program {
    let mut program = Program::new(2, 1).unwrap();
    let (a, _) = random_circuit(draw, 2, 8);
    let (b, _) = random_circuit(draw, 2, 8);
    let noise = channels(draw);
    program.circuit(&a).unwrap().channel(&noise[2], &[1]).unwrap().circuit(&b).unwrap();
    program.channel(&noise[7], &[1, 0]).unwrap().reset(0).unwrap().measure(1, 0).unwrap().circuit(&a).unwrap();
    program
}

#[test]
fn noisy_energies_are_differentiated() {
    let mut draw = Draw(23);
    let program = noisy(&mut draw);
    let h: PauliSum = "0.3 X0 Y1 - 0.8 Z1 + 0.5 Y0".parse().unwrap();
    let theta: Vec<f64> = (0..program.parameters()).map(|_| draw.uniform()).collect();
    check(|t: &Var<f64>| program.density(t)?.expectation(&h), &Var::from(theta));
    // in the strength of the noise, through Kraus operators
    let damping = |gamma: &Var<f64>| {
        let e = |i: usize, j: usize| Var::from(Array2::from_shape_fn((2, 2), |at| c(f64::from(at == (i, j)), 0.0)));
        let keep = e(0, 0) + (1.0 - gamma).sqrt().to_complex() * e(1, 1);
        let channel = Channel::kraus(vec![keep, gamma.sqrt().to_complex() * e(0, 1)])?;
        let mut x = Circuit::new(1);
        x.ry(0, 0.9)?;
        DensityMatrix::zero(1)?.run(&x, &Var::zeros(&[0]))?.channel(&channel, &[0])?.expectation(&"X0 + 2 Z0".parse()?)
    };
    check(damping, &Var::scalar(0.3));
}

#[test]
fn trajectories_average_to_the_density_matrix_with_their_gradients() {
    let mut draw = Draw(24);
    let program = noisy(&mut draw);
    let h: PauliSum = "0.3 X0 Y1 - 0.8 Z1 + 0.5 Y0".parse().unwrap();
    let theta = Var::from((0..program.parameters()).map(|_| draw.uniform()).collect::<Vec<f64>>());
    let (exact, slope) = value_and_grad(|t: &Var<f64>| program.density(t)?.expectation(&h), &theta).unwrap();
    let batches = 20;
    let mut rows: Vec<Vec<f64>> = Vec::new();
    for seed in 0..batches {
        let (value, gradient) = value_and_grad(|t: &Var<f64>| Ok::<_, Error>(program.expectation(&h, t, 100, seed)?.0), &theta).unwrap();
        rows.push([&[value.item()], gradient.as_slice()].concat());
    }
    let expected = [&[exact.item()], slope.as_slice()].concat();
    let mut worst = 0.0f64;
    for (k, e) in expected.iter().enumerate() {
        let mean = rows.iter().map(|r| r[k]).sum::<f64>() / batches as f64;
        let variance = rows.iter().map(|r| (r[k] - mean).powi(2)).sum::<f64>() / (batches * (batches - 1)) as f64;
        worst = worst.max((mean - e).abs() / (variance.sqrt() + 1e-12));
    }
    println!("largest deviation: {worst:.1} standard errors of {} numbers", expected.len());
    assert!(worst < 4.0);
}

#[test]
fn measurements_in_the_middle_collapse_and_conditions_act() {
    // measured once, measured again: the same; a conditional X brings it to 0; a reset too
    let mut program = Program::new(2, 3).unwrap();
    let mut c0 = Circuit::new(2);
    c0.ry(0, 1.1).unwrap().cnot(0, 1).unwrap();
    program.circuit(&c0).unwrap().measure(0, 0).unwrap().measure(1, 1).unwrap();
    program.if_equal(0..2, 0b11, Circuit::new(2).x(0).unwrap()).unwrap().measure(0, 2).unwrap().reset(1).unwrap();
    let none = Var::zeros(&[0]);
    let mut ones = 0;
    for seed in 0..300 {
        let end = program.run(&none, &mut StdRng::seed_from_u64(seed)).unwrap();
        assert!(end.bits[0] == end.bits[1] && !end.bits[2]);
        assert!((end.state.probabilities().as_slice()[0] - 1.0).abs() < 1e-14);
        ones += usize::from(end.bits[0]);
    }
    // 300 sin²(0.55) = 82 ± 8
    assert!((50..114).contains(&ones), "{ones}");
    let counts = program.counts(&[], 1000, 3).unwrap();
    assert!(counts.keys().all(|&k| k == 0b000 || k == 0b011));
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(|| program.sample(&[], 1000, 3).unwrap());
    assert_eq!(alone, program.sample(&[], 1000, 3).unwrap());
}

#[test]
fn one_state_serves_all_shots_where_measurements_are_last() {
    let mut c0 = Circuit::new(3);
    c0.ry(0, 0.7).unwrap().cnot(0, 2).unwrap().gate(Gate::ISwap, &[1, 2]).unwrap();
    let mut last = Program::new(3, 2).unwrap();
    last.circuit(&c0).unwrap().measure(1, 0).unwrap().measure(0, 1).unwrap();
    // a reset at the end changes no outcome, but asks for runs one by one
    let mut one_by_one = last.clone();
    one_by_one.reset(2).unwrap();
    let shots = 4000;
    for program in [last, one_by_one] {
        let counts = program.counts(&[], shots, 9).unwrap();
        let p = 0.35f64.sin().powi(2);
        let both = counts.get(&0b11).copied().unwrap_or(0) as f64 / shots as f64;
        assert!((both - p).abs() < 4.0 * (p * (1.0 - p) / shots as f64).sqrt(), "{both} against {p}");
        assert!(counts.keys().all(|&k| k == 0 || k == 0b11));
    }
}
