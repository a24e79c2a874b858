//! What each method finds, and its report.

use crate::support::random;
use pullback::implicit::{ArgminOptions, FixedPointMethod, FixedPointOptions, RootMethod, RootOptions, argmin, fixed_point, root};
use pullback::prelude::*;

#[test]
fn acceleration_takes_fewer_steps() {
    let n = 50;
    // a few slow modes among many fast ones
    let slow = Var::from((0..n).map(|i| if i < 4 { 0.9 + 0.02 * i as f64 } else { 0.0 }).collect::<Vec<_>>());
    let w = random::<f64>(&[n, n], 1) * 0.02 + slow.diag(0);
    let f = |w: &Var<f64>, x: &Var<f64>| (w.matmul(x) * 0.5).tanh() * 2.0 + 0.03;
    let steps = |method: FixedPointMethod| {
        let found = fixed_point(f, &w, &Var::zeros(&[n]), &FixedPointOptions { method, ..Default::default() }).unwrap();
        let rest = &found.x - f(&w, &found.x);
        assert!(found.report.converged && rest.square().sum().item().sqrt() < 1e-12);
        found.report.iterations
    };
    let picard = steps(FixedPointMethod::Picard { damping: 1.0 });
    let anderson = steps(FixedPointMethod::Anderson { memory: 8, damping: 1.0 });
    let newton = steps(FixedPointMethod::NewtonKrylov);
    assert!(2 * anderson < picard && newton < 10, "{picard}, {anderson}, {newton}");
}

#[test]
fn a_repelling_fixed_point_is_found_by_newton_and_anderson() {
    let f = |a: &Var<f64>, x: &Var<f64>| a * (1.0 - x) * x;
    let a = Var::scalar(3.8); // the logistic map in its chaotic range: 1 − 1/a repels
    for method in [FixedPointMethod::NewtonKrylov, FixedPointMethod::Anderson { memory: 3, damping: 0.5 }] {
        let found = fixed_point(f, &a, &Var::scalar(0.7), &FixedPointOptions { method, ..Default::default() }).unwrap();
        assert!((found.x.item() - (1.0 - 1.0 / 3.8)).abs() < 1e-13);
    }
    let plain = FixedPointOptions { method: FixedPointMethod::Picard { damping: 1.0 }, ..Default::default() };
    assert!(matches!(fixed_point(f, &a, &Var::scalar(0.7), &plain), Err(Error::NoConvergence { .. })));
}

#[test]
fn roots_of_chandrasekhars_equation() {
    // H(μ) = 1/(1 − (c/2) ∫ μ H(ν)/(μ + ν) dν) by the midpoint rule; n = 100 is beyond what is factorised
    for n in [30usize, 100] {
        let mu: Vec<f64> = (0..n).map(|i| (i as f64 + 0.5) / n as f64).collect();
        let kernel = Var::from(ndarray::Array2::from_shape_fn((n, n), |(i, j)| mu[i] / (mu[i] + mu[j]) / (2.0 * n as f64)));
        let g = move |c: &Var<f64>, h: &Var<f64>| h - 1.0 / (1.0 - c * kernel.matmul(h));
        let mut found = Vec::new();
        for method in [RootMethod::Newton, RootMethod::NewtonKrylov, RootMethod::Broyden { memory: 20 }] {
            let options = RootOptions { method, ..Default::default() };
            let solution = root(g.clone(), &Var::scalar(0.9), &Var::ones(&[n]), &options).unwrap();
            assert!(solution.report.residual < 1e-11 && solution.report.iterations < 30, "{:?}", solution.report);
            found.push(solution.x);
        }
        for x in &found[1..] {
            assert!((x - &found[0]).abs().max().item() < 1e-11);
        }
        // ∫ H = 2/c (1 − √(1 − c)), which the midpoint rule keeps exactly
        let mean = found[0].mean().item();
        assert!((mean - 2.0 / 0.9 * (1.0 - 0.1f64.sqrt())).abs() < 1e-11, "{mean}");
    }
}

#[test]
fn the_minimum_of_rosenbrocks_valley() {
    let f = |a: &Var<f64>, x: &Var<f64>| {
        let (x, y) = (x.get(&[0]), x.get(&[1]));
        (a - &x).square() + (y - x.square()).square() * 100.0
    };
    let at = |a: &Var<f64>| Ok::<_, Error>(argmin(f, a, &Var::from([-1.2, 1.0]), &ArgminOptions::default())?.x.get(&[1]));
    let (y, d) = value_and_grad(at, &1.5).unwrap();
    assert!((y.item() - 2.25).abs() < 1e-10 && (d - 3.0).abs() < 1e-8, "{y} {d}");
}

#[test]
fn the_report_is_filled_as_the_sweep_runs() {
    let mut seen = None;
    let g = grad(
        |a: &Var<f64>| {
            let found = fixed_point(|a: &Var<f64>, x: &Var<f64>| (a * x).cos(), a, &Var::scalar(1.0), &Default::default())?;
            assert!(found.report.converged && found.report.iterations > 2 && found.report.residual < 1e-13);
            assert!(found.report.evaluations > found.report.iterations);
            assert!(found.derivative_solves.reports().is_empty());
            seen = Some(found.derivative_solves.clone());
            Ok::<_, Error>(found.x)
        },
        &0.8,
    );
    assert!(g.is_ok());
    let reports = seen.unwrap().reports();
    assert!(reports.len() == 1 && reports[0].converged && reports[0].residual < 1e-12, "{reports:?}");
}
