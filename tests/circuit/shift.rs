//! Parameter shift, quantum Fisher information and networks against the adjoint and against dense sums.

use super::gates::{THETA, random_circuit};
use super::support::Draw;
use pullback::circuit::{
    Circuit, Exact, Gate, PauliSum, ShiftRule, Shots, fisher_times, natural_gradient, parameter_shift, quantum_fisher,
    quantum_fisher_blocks, variational_circuit,
};
use pullback::prelude::*;
use rand::{SeedableRng, rngs::StdRng};
use std::sync::Arc;

fn h() -> PauliSum {
    "0.3 X0 Y1 - 0.8 Z1 + 0.1 Y0 Y2 + 0.2 I + 0.4 X2 Z0".parse().unwrap()
}

#[test]
fn shift_rules_are_exact_for_trigonometric_polynomials() {
    let mut draw = Draw(31);
    for frequencies in
        [vec![1.0], vec![2.5], vec![0.5, 1.0], vec![1.0, 2.0, 3.0, 4.0], vec![0.3, 1.0, 1.7], vec![1.0, 2f64.sqrt(), 3.1, 4.0]]
    {
        let rule = ShiftRule::new(&frequencies).unwrap();
        let (a, b): (Vec<f64>, Vec<f64>) = frequencies.iter().map(|_| (draw.uniform(), draw.uniform())).unzip();
        let e = |x: f64| frequencies.iter().zip(a.iter().zip(&b)).map(|(w, (a, b))| a * (w * x).cos() + b * (w * x).sin()).sum::<f64>();
        let slope: f64 = rule.shifts.iter().zip(&rule.coefficients).map(|(s, c)| c * (e(*s) - e(-s))).sum();
        let exact: f64 = frequencies.iter().zip(&b).map(|(w, b)| w * b).sum();
        let size: f64 = rule.coefficients.iter().map(|c| c.abs()).sum();
        println!("{frequencies:?}: off by {:.1e}, Σ|c| = {size:.2}", slope - exact);
        assert!((slope - exact).abs() < 1e-13 * size.max(1.0) * 10.0);
        // noise is amplified no more than by a few times the largest frequency
        assert!(size < 4.0 * frequencies.iter().fold(0.0f64, |m, w| m.max(*w)));
    }
}

#[test]
fn shifts_agree_with_the_adjoint_for_every_gate_with_and_without_controls() {
    let mut draw = Draw(32);
    let mut worst = 0.0f64;
    for _ in 0..12 {
        let (circuit, _) = random_circuit(&mut draw, 4, 30);
        let (e, g) = parameter_shift(&mut Exact, &circuit, &THETA, &h()).unwrap();
        let (energy, adjoint) = value_and_grad(|t: &Var<f64>| circuit.state(t)?.expectation(&h()), &Var::from(THETA)).unwrap();
        assert!((e - energy.item()).abs() < 1e-13);
        worst = g.iter().zip(adjoint.as_slice()).map(|(a, b)| (a - b).abs()).fold(worst, f64::max);
    }
    println!("worst entry {worst:e}");
    assert!(worst < 1e-10);
}

#[test]
fn shifts_from_shots_scatter_about_the_gradient() {
    let circuit = variational_circuit(3, 1).unwrap();
    let theta: Vec<f64> = (0..circuit.parameters()).map(|k| 0.4 * k as f64).collect();
    let adjoint = grad(|t: &Var<f64>| circuit.state(t)?.expectation(&h()), &Var::from(theta.clone())).unwrap();
    let shots = 4000;
    let (_, g) = parameter_shift(&mut Shots { shots, rng: StdRng::seed_from_u64(4) }, &circuit, &theta, &h()).unwrap();
    // each of the two estimates has a variance below (Σ|c|)²/shots, the rule a factor ½
    let norm: f64 = h().coefficients().iter().map(|c| c.abs()).sum();
    let bound = 5.0 * norm * (0.5 / shots as f64).sqrt();
    let off = g.iter().zip(adjoint.as_slice()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    println!("largest deviation {off:.4}, bound {bound:.4}");
    assert!(off < bound && off > 0.0);
}

/// F from states at shifted parameters, by central differences.
fn fisher_by_differences(circuit: &Circuit, theta: &[f64]) -> Vec<Vec<f64>> {
    let state = |theta: &[f64]| circuit.state::<f64>(&Var::from(theta)).unwrap().amplitudes().as_slice().to_vec();
    let psi = state(theta);
    let step = 1e-5;
    let tangents: Vec<Vec<_>> = (0..theta.len())
        .map(|i| {
            let (mut up, mut down) = (theta.to_vec(), theta.to_vec());
            up[i] += step;
            down[i] -= step;
            state(&up).iter().zip(state(&down)).map(|(a, b)| (a - b) / (2.0 * step)).collect()
        })
        .collect();
    let dot = |a: &[num_complex::Complex<f64>], b: &[num_complex::Complex<f64>]| -> num_complex::Complex<f64> {
        a.iter().zip(b).map(|(a, b)| a.conj() * b).sum()
    };
    let of = |a: &Vec<_>, b: &Vec<_>| 4.0 * (dot(a, b) - dot(a, &psi) * dot(&psi, b)).re;
    tangents.iter().map(|a| tangents.iter().map(|b| of(a, b)).collect()).collect()
}

#[test]
fn fisher_information_is_that_of_finite_differences() {
    let mut draw = Draw(33);
    for _ in 0..4 {
        let (circuit, _) = random_circuit(&mut draw, 3, 30);
        let theta = Var::from(THETA);
        let f = quantum_fisher(|t| circuit.state(t), &theta).unwrap();
        let expected = fisher_by_differences(&circuit, &THETA);
        for i in 0..3 {
            for j in 0..3 {
                assert!((f.get(&[i as isize, j as isize]).item() - expected[i][j]).abs() < 1e-7 * (1.0 + expected[i][i] + expected[j][j]));
            }
        }
        let v = Var::from([0.3, -1.2, 0.8]);
        let product = fisher_times(|t| circuit.state(t), &theta, &v).unwrap();
        assert!((product - f.matmul(&v)).abs().max().item() < 1e-11 * (1.0 + f.abs().max().item()));
        let blocks = quantum_fisher_blocks(|t| circuit.state(t), &theta, &[vec![0], vec![1, 2]]).unwrap();
        assert!((blocks[0].get(&[0, 0]).item() - f.get(&[0, 0]).item()).abs() < 1e-12);
        assert!((&blocks[1] - f.slice(ndarray::s![1..3, 1..3])).abs().max().item() < 1e-12);
    }
}

#[test]
fn the_generator_s_variance_is_the_fisher_information_of_one_rotation() {
    // F = 4 Var(G) for exp(−iθG)
    let d: Vec<f64> = vec![0.3, -1.0, 2.0, 0.7];
    let mut c = Circuit::new(2);
    let p = c.parameter();
    c.h(0).unwrap().ry(1, 0.8).unwrap().gate(Gate::Diagonal(Arc::new(d.clone()), p.into()), &[0, 1]).unwrap();
    let f = quantum_fisher(|t| c.state(t), &Var::from([0.4])).unwrap().item();
    let probabilities = c.state::<f64>(&Var::from([0.4])).unwrap().probabilities();
    let mean = |g: &dyn Fn(f64) -> f64| probabilities.as_slice().iter().zip(&d).map(|(p, d)| p * g(*d)).sum::<f64>();
    assert!((f - 4.0 * (mean(&|d| d * d) - mean(&|d| d).powi(2))).abs() < 1e-13);
}

#[test]
fn natural_gradient_descends_as_imaginary_time_whatever_the_parametrisation() {
    // the direction in the space of states does not depend on how the parameters are scaled
    let scaled = |by: f64| {
        let mut c = Circuit::new(2);
        let (a, b) = (c.parameter(), c.parameter());
        c.ry(0, by * a).unwrap().cnot(0, 1).unwrap().ry(1, b).unwrap();
        c
    };
    let h: PauliSum = "Z0 Z1 + 0.5 X0 + 0.7 X1".parse().unwrap();
    let step = |by: f64| {
        let c = scaled(by);
        let theta = Var::from([0.6 / by, 0.9]);
        let g = grad(|t: &Var<f64>| c.state(t)?.expectation(&h), &theta).unwrap();
        let step = natural_gradient(|t| c.state(t), &theta, &g, 0.0).unwrap();
        [step.get(&[0]).item() * by, step.get(&[1]).item()]
    };
    let (a, b) = (step(1.0), step(17.0));
    assert!((a[0] - b[0]).abs() < 1e-10 && (a[1] - b[1]).abs() < 1e-10 && a[0].abs() > 0.01);
}

#[test]
fn networks_contract_to_amplitudes_and_expectation_values() {
    let mut draw = Draw(34);
    let theta = Var::from(THETA);
    for _ in 0..4 {
        let (circuit, _) = random_circuit(&mut draw, 4, 12);
        let psi = circuit.state::<f64>(&theta).unwrap();
        for bits in [0, 5, 15] {
            let z = circuit.amplitude_network(&theta, bits).unwrap().contract().unwrap().item();
            assert!((z - psi.amplitudes().as_slice()[bits as usize]).norm() < 1e-13);
        }
        let open = circuit.open_network(&theta, &[1, 3]).unwrap().contract().unwrap();
        for i in 0..4 {
            let z = psi.amplitudes().as_slice()[(i & 1) << 1 | (i >> 1) << 3];
            assert!((open.get(&[(i & 1) as isize, (i >> 1) as isize]).item() - z).norm() < 1e-13);
        }
        for (_, p) in h().terms() {
            let network = circuit.expectation_network(&theta, &p).unwrap();
            let value = network.contract().unwrap().item();
            let exact = psi.expectation(&PauliSum::new([(1.0, p)]).unwrap()).unwrap().item();
            assert!((value - exact).norm() < 1e-13, "{p}: {value} against {exact}");
            assert!(network.einsum().unwrap().order().largest > 0.0);
        }
    }
    // gates that the observable does not see are left out
    let wide = variational_circuit(12, 1).unwrap();
    let theta = Var::from((0..wide.parameters()).map(|k| 0.1 * k as f64).collect::<Vec<f64>>());
    let p = "Z5".parse().unwrap();
    let network = wide.expectation_network(&theta, &p).unwrap();
    assert!(network.tensors.len() < 2 * wide.instructions().len());
    let exact = wide.state::<f64>(&theta).unwrap().expectation(&PauliSum::new([(1.0, p)]).unwrap()).unwrap().item();
    assert!((network.contract().unwrap().item() - exact).norm() < 1e-13);
    // differentiable in θ
    let (small, _) = random_circuit(&mut draw, 2, 8);
    let f = |t: &Var<f64>| Ok::<_, Error>(small.expectation_network(t, &"X0 Y1".parse()?)?.contract()?.real());
    gradcheck(f, &Var::from(THETA)).unwrap();
}

#[test]
fn unitaries_are_the_matrices_of_their_circuits() {
    let mut draw = Draw(35);
    let (circuit, dense) = random_circuit(&mut draw, 3, 30);
    let u = circuit.unitary(&Var::from(THETA)).unwrap();
    assert!(u.as_slice().iter().zip(dense.concat()).all(|(a, b)| (a - b).norm() < 1e-13));
    for i in circuit.instructions() {
        let small = super::support::matrix(&i.gate, &THETA).concat();
        assert!(i.gate.matrix(&Var::from(THETA)).unwrap().as_slice().iter().zip(small).all(|(a, b)| (a - b).norm() < 1e-15));
    }
}
