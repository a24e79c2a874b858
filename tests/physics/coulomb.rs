//! The Coulomb gas: energy, derivatives, Markov chains and free energy against two particles, which are one integral.

use crate::support::{random, refuses};
use pullback::physics::coulomb::{CoulombGas, IntegrationOptions, MetropolisOptions};
use pullback::prelude::*;
use pullback::variational::Target;

fn by_hand(x: &[f64], n: usize, c: f64) -> f64 {
    let d = x.len() / n;
    let mut e = c * x.iter().map(|x| x * x).sum::<f64>();
    for i in 0..n {
        for j in 0..i {
            e += 1.0 / (0..d).map(|k| (x[i * d + k] - x[j * d + k]).powi(2)).sum::<f64>().sqrt();
        }
    }
    e
}

#[test]
fn the_energy_is_its_formula_and_is_differentiated_to_second_order() {
    for (n, d, batch) in [(1, 2, 2), (2, 1, 3), (6, 2, 100), (5, 3, 2000)] {
        let gas = CoulombGas::new(n, d, 0.7).unwrap();
        let x: Var<f64> = random(&[batch, n * d], 1);
        let e = gas.energy(&x).unwrap();
        for (row, x) in x.as_slice().chunks(n * d).enumerate() {
            let expected = by_hand(x, n, 0.7);
            assert!((e.as_slice()[row] - expected).abs() < 1e-13 * expected, "{n} particles, row {row}");
        }
        let single: Var<f32> = gas.energy(&x.astype::<f32>()).unwrap();
        assert!(((single.to_f64() - &e) / &e).abs().max().item() < 1e-4);
    }
    let gas = CoulombGas::new(3, 2, 0.5).unwrap();
    let spread = Var::from(ndarray::array![[0.9, 0.1, -0.8, 0.5, 0.2, -1.1], [1.5, -0.3, -0.2, 0.9, -1.0, -0.6]]);
    gradcheck(|x: &Var<f64>| gas.energy(x), &spread).unwrap();
}

#[test]
fn coincident_particles_and_bad_numbers_are_named() {
    let gas = CoulombGas::new(3, 2, 0.5).unwrap();
    let mut x = random::<f64>(&[4, 6], 3).as_slice().to_vec();
    x[2 * 6 + 4] = x[2 * 6];
    x[2 * 6 + 5] = x[2 * 6 + 1];
    let at = |x: &[f64]| gas.energy(&Var::from_shape_vec(&[4, 6], x.to_vec()).unwrap()).unwrap_err().to_string();
    assert!(at(&x).contains("particles 0 and 2 of row 2"), "{}", at(&x));
    x[9] = f64::NAN;
    assert!(at(&x).contains("row 1, column 3 is NaN"), "{}", at(&x));
    refuses(|| gas.energy(&random::<f64>(&[2, 5], 1)).unwrap(), &["[2, 5]", "(batch, 6)"]);
    refuses(|| CoulombGas::new(0, 2, 0.5).unwrap(), &["0 particles"]);
    refuses(|| CoulombGas::new(2, 2, -0.5).unwrap(), &["confinement", "-0.5"]);
    refuses(|| gas.with_coupling(-1.0).unwrap(), &["coupling", "-1"]);
    refuses(|| gas.sample::<f64>(0.0, &MetropolisOptions::default()).unwrap(), &["β", "0"]);
    refuses(|| gas.sample::<f64>(1.0, &MetropolisOptions { chains: 0, ..Default::default() }).unwrap(), &["chains"]);
    refuses(|| gas.free_energy_by_integration(1.0, &IntegrationOptions { nodes: 2, ..Default::default() }).unwrap(), &["4 nodes"]);
}

#[test]
fn two_particles_are_one_integral() {
    // in one dimension without repulsion: the ideal gas
    let (beta, c) = (3.0, 0.8);
    for d in [1, 2, 3] {
        let gas = CoulombGas::new(2, d, c).unwrap();
        let ideal = gas.with_coupling(0.0).unwrap();
        let (f, e) = ideal.exact_two_particles(beta).unwrap();
        assert!((f - ideal.ideal_free_energy(beta)).abs() < 1e-12 && (e - d as f64 / beta).abs() < 1e-12, "{d} dimensions");
        // ⟨H⟩ = ∂(βF)/∂β
        let (f, e) = gas.exact_two_particles(beta).unwrap();
        let h = 1e-4;
        let at = |beta: f64| beta * gas.exact_two_particles(beta).unwrap().0;
        assert!(((at(beta + h) - at(beta - h)) / (2.0 * h) - e).abs() < 1e-6 && f > gas.ideal_free_energy(beta));
    }
    refuses(|| CoulombGas::new(3, 2, 0.5).unwrap().exact_two_particles(1.0).unwrap(), &["2 particles", "3"]);
}

#[test]
fn metropolis_gives_the_exact_energy_of_two_particles() {
    let (beta, gas) = (4.0, CoulombGas::new(2, 2, 0.5).unwrap());
    let options = MetropolisOptions { chains: 6, sweeps: 6000, burn_in: 500, keep_every: 10, seed: 5 };
    let run = gas.sample::<f64>(beta, &options).unwrap();
    let exact = gas.exact_two_particles(beta).unwrap().1;
    let off = (run.energy.mean - exact) / run.energy.error;
    assert!(off.abs() < 4.0 && run.energy.error < 0.02 * exact, "⟨H⟩ = {} instead of {exact}", run.energy);
    assert!((run.acceptance - 0.4).abs() < 0.1 && run.disagreement < 3.0 && run.autocorrelation_time > 0.5);
    assert_eq!(run.samples.shape(), &[3600, 4]);
    // virial theorem: 2⟨trap⟩ − ⟨repulsion⟩ = nd/β
    let virial = 2.0 * run.trap.mean - run.repulsion.mean;
    assert!((virial - 4.0 / beta).abs() < 0.05, "{virial}");
    let of_samples = gas.energy(&run.samples).unwrap().mean().item();
    assert!((of_samples - exact).abs() < 0.1);
    let again = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| gas.sample::<f64>(beta, &MetropolisOptions { sweeps: 100, ..options }).unwrap().samples.as_slice().to_vec())
    };
    assert_eq!(again(1), again(3));
}

#[test]
fn thermodynamic_integration_gives_the_exact_free_energy_of_two_particles() {
    let gas = CoulombGas::new(2, 2, 0.5).unwrap();
    let metropolis = MetropolisOptions { chains: 4, sweeps: 4000, burn_in: 300, keep_every: 1000, seed: 2 };
    let found = gas.free_energy_by_integration(4.0, &IntegrationOptions { nodes: 8, metropolis }).unwrap();
    let exact = gas.exact_two_particles(4.0).unwrap().0;
    let off = found.free_energy.mean - exact;
    assert!(off.abs() < 4.0 * found.free_energy.error && found.free_energy.error < 0.01, "F = {} instead of {exact}", found.free_energy);
    assert!(found.tail < 0.05, "the quadrature's tail is {}", found.tail);
}
