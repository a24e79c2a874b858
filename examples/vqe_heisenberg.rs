//! Ground states of Heisenberg rings and chains by the variational quantum eigensolver.

mod common;

use clap::Parser;
use common::plot::{Figure, Panel};
use common::{Options, Run};
use pullback::circuit::{Circuit, Pauli, PauliString, PauliSum, StateVector, variational_circuit};
use pullback::linalg::iterative::{EigenOptions, MatrixFree, Which, eigsh};
use pullback::optim::{Lbfgs, LbfgsOptions};
use pullback::prelude::*;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::time::Instant;

/// The variational quantum eigensolver: the ground state of the Heisenberg model Σ XX + YY + ZZ is sought among the states that a circuit
/// can make, by descending along the gradient of ⟨H⟩. The circuit starts from singlets on every other bond and lets bonds interact in turn,
/// exp(−iθ(XX + YY + ZZ)/2) with an angle for each bond and layer, so that it never leaves the states of total spin 0 (Wiersema et al., PRX
/// Quantum 1, 020319 (2020)). The gradient is computed by running the circuit backwards, in a memory that does not depend on
/// the depth: one gradient of the circuit of Rz–Rx–Rz and CNOT rings, 10,000 layers deep with 300,010 parameters, shows it.
#[derive(Parser, serde::Serialize)]
struct Args {
    /// Qubits, an even number
    #[arg(long, default_value_t = 10)]
    qubits: usize,
    /// Layers, each with all even and all odd bonds
    #[arg(long, default_value_t = 20)]
    depth: usize,
    /// Most iterations of L-BFGS
    #[arg(long, default_value_t = 4000)]
    iterations: usize,
    /// Layers of the deep circuit whose gradient is taken once, on 10 qubits
    #[arg(long, default_value_t = 10_000)]
    deep: usize,
    #[command(flatten)]
    #[serde(flatten)]
    options: Options,
}

/// Singlets on the even bonds, then layers of exp(−iθ(XX + YY + ZZ)/2) on the odd and on the even bonds.
fn ansatz(n: usize, depth: usize, periodic: bool) -> Result<Circuit> {
    let mut c = Circuit::new(n);
    for q in (0..n).step_by(2) {
        c.x(q)?.x(q + 1)?.h(q)?.cnot(q, q + 1)?;
    }
    let last = if periodic && n > 2 { n } else { n - 1 };
    for _ in 0..depth {
        for bond in (1..last).step_by(2).chain((0..last).step_by(2)) {
            let (i, j) = (bond, (bond + 1) % n);
            let theta = c.parameter();
            for p in [Pauli::X, Pauli::Y, Pauli::Z] {
                c.rotation(&PauliString::new(&[(i, p), (j, p)])?, theta)?;
            }
        }
    }
    Ok(c)
}

/// The lowest eigenvalue by Lanczos on the Pauli sum.
fn exact(h: &PauliSum, n: usize) -> Result<f64> {
    let h = h.clone();
    let nothing = Var::<f64>::zeros(&[0]);
    let times = move |_: &Var<f64>, psi: &Var<num_complex::Complex<f64>>| {
        h.apply(&StateVector::<f64>::unnormalized(psi).expect("a vector of 2ⁿ numbers")).expect("a sum on these qubits")
    };
    let operator = MatrixFree::new(1 << n, &nothing, times).hermitian();
    Ok(eigsh(&operator, 1, Which::Lowest, &EigenOptions::default())?.values.get(&[0]).item())
}

/// Known ground energies, by exact diagonalisation.
fn known(n: usize, periodic: bool) -> Option<f64> {
    match (n, periodic) {
        (4, true) => Some(-8.0),
        (6, true) => Some(-11.211102550928),
        (8, true) => Some(-14.604373635749),
        (10, true) => Some(-18.061785417968),
        (4, false) => Some(-6.464101615138),
        (6, false) => Some(-9.974308535552),
        (8, false) => Some(-13.499730394752),
        (10, false) => Some(-17.032140829132),
        _ => None,
    }
}

fn main() -> common::Outcome {
    let mut args = Args::parse();
    if args.options.smallest {
        (args.qubits, args.depth, args.iterations, args.deep) = (6, 6, 300, 100);
    }
    let n = args.qubits;
    if n < 4 || !n.is_multiple_of(2) {
        return Err(format!("{n} qubits: the singlets of the start need an even number from 4 on").into());
    }
    let mut run = Run::start("vqe_heisenberg", &args, &args.options)?;
    let mut trace = run.trace(&["periodic", "iteration", "energy", "error"])?;
    let mut figure = Figure::new(&format!("Heisenberg model of {n} qubits")).columns(2);
    let mut rng = StdRng::seed_from_u64(args.options.seed);
    for periodic in [true, false] {
        let h = PauliSum::heisenberg(n, periodic)?;
        let lowest = exact(&h, n)?;
        let circuit = ansatz(n, args.depth, periodic)?;
        let theta: Vec<f64> = (0..circuit.parameters()).map(|_| rng.random_range(-0.5..0.5)).collect();
        let energy = |theta: &Var<f64>| circuit.state(theta)?.expectation(&h);
        let bar = common::bar(if periodic { "ring" } else { "chain" }, args.iterations);
        let mut curve = Vec::new();
        let options = LbfgsOptions { memory: 20, gradient_tolerance: 1e-6, max_iterations: args.iterations, ..Default::default() };
        let found = Lbfgs::new(options).minimize_with(energy, &Var::from(theta), |step, _| {
            curve.push((step.iteration as f64, step.value - lowest));
            bar.inc(1);
            true
        })?;
        bar.finish_and_clear();
        for (k, error) in &curve {
            trace.row(&[f64::from(u8::from(periodic)), *k, error + lowest, *error])?;
        }
        let psi = circuit.state::<f64>(&found.x)?;
        run.result("energy", found.value)
            .at("qubits", n)
            .at("periodic", periodic)
            .at("parameters", circuit.parameters())
            .reference(lowest, "Lanczos")
            .within(1e-6);
        let q = run.result("exact_energy", lowest).at("qubits", n).at("periodic", periodic);
        if let Some(e) = known(n, periodic) {
            q.reference(e, "exact diagonalisation").within(1e-9);
        }
        run.result("iterations", found.iterations as f64).at("periodic", periodic);
        let variance = pullback::circuit::Observable::variance(&h, &psi)?.item();
        run.result("energy_variance", variance).at("periodic", periodic).within(1e-3);
        let entropy: Vec<(f64, f64)> =
            (1..n).map(|cut| Ok((cut as f64, psi.entanglement_entropy(&(0..cut).collect::<Vec<_>>())?.item()))).collect::<Result<_>>()?;
        let name = if periodic { "ring" } else { "chain" };
        figure = figure
            .panel(Panel::new("iteration", &format!("energy − exact, {name}")).log_y().line("L-BFGS", &curve))
            .panel(Panel::new("cut after qubit", &format!("entanglement entropy, {name}")).points("", &entropy));
        if periodic {
            std::fs::write(run.out().join("circuit.svg"), ansatz(n, 1, true)?.to_svg())?;
        }
    }

    // one energy and gradient of a circuit of any depth; the angles are those that other simulators were given
    let circuit = variational_circuit(10, args.deep)?;
    let golden = 0.6180339887498949;
    let theta: Vec<f64> = (0..circuit.parameters()).map(|k| 2.0 * std::f64::consts::PI * (((k + 1) as f64 * golden) % 1.0)).collect();
    let h = PauliSum::heisenberg(10, true)?;
    let clock = Instant::now();
    let (e, g) = value_and_grad(|theta: &Var<f64>| circuit.state(theta)?.expectation(&h), &Var::from(theta))?;
    let seconds = clock.elapsed().as_secs_f64();
    let agreed = [
        (100, -0.40438020474058, 6.6614702611636),
        (1000, -0.154617799348593, 19.76812982409714),
        (10_000, 0.30196594641195, 66.308943376),
    ];
    let reference = agreed.iter().find(|r| r.0 == args.deep);
    let q = run.result("deep_energy", e.item()).at("depth", args.deep).at("parameters", circuit.parameters());
    if let Some(r) = reference {
        q.reference(r.1, "four other simulators").within(1e-8);
    }
    let q = run.result("deep_gradient_norm", g.square().sum().sqrt().item()).at("depth", args.deep);
    if let Some(r) = reference {
        q.reference(r.2, "four other simulators").within(1e-6);
    }
    run.result("deep_seconds", seconds).at("depth", args.deep);
    figure.save(run.out(), "vqe_heisenberg")?;
    run.finish()
}
