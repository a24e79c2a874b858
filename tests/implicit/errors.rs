//! Bad input and failure: an error that names the operation, never a silent number.

use pullback::implicit::*;
use pullback::linalg::iterative::LinearSolver;
use pullback::prelude::*;

fn message<S>(r: Result<Solution<S>>) -> String {
    match r {
        Ok(_) => panic!("no error"),
        Err(e) => e.to_string(),
    }
}

const PICARD: FixedPointMethod = FixedPointMethod::Picard { damping: 1.0 };

#[test]
fn divergence_gives_the_last_residual_and_iterate() {
    let options = FixedPointOptions { method: PICARD, ..Default::default() };
    let text = message(fixed_point(|a: &Var<f64>, x: &Var<f64>| a * x + 1.0, &Var::scalar(3.0), &Var::from([1.0, 2.0]), &options));
    assert!(text.contains("fixed_point: did not converge: the iteration diverges") && text.contains("last residual"), "{text}");
    assert!(text.contains("the last iterate [") && text.contains("use a smaller damping, Anderson or NewtonKrylov"), "{text}");
}

#[test]
fn the_last_iterate_can_be_had() {
    let options = FixedPointOptions { method: PICARD, max_iterations: 5, ..Default::default() };
    let f = |a: &Var<f64>, x: &Var<f64>| (a * x).cos();
    let text = message(fixed_point(f, &Var::scalar(0.9), &Var::scalar(1.0), &options));
    assert!(text.contains("the iteration limit was reached after 5 iterations"), "{text}");
    let Err(Error::NoConvergence { residual, iterate, .. }) = fixed_point(f, &Var::scalar(0.9), &Var::scalar(1.0), &options) else {
        panic!("no error, or another");
    };
    let found = fixed_point(f, &Var::scalar(0.9), &Var::scalar(1.0), &FixedPointOptions { allow_unconverged: true, ..options }).unwrap();
    assert_eq!((iterate, residual), (vec![found.x.item()], Some(found.report.residual)));
    assert!(!found.report.converged && found.report.iterations == 5 && found.report.residual > 1e-6);
    let by_hand = (0..5).fold(1.0f64, |x, _| (0.9 * x).cos());
    assert!((found.x.item() - by_hand).abs() < 1e-15);
}

#[test]
fn every_iteration_hands_back_where_it_was_with_its_error() {
    // x² + 1 has no root, e^x no minimum
    let square = |(): &(), x: &Var<f64>| x.square() + 1.0;
    let start = Var::from([0.7, 0.9]);
    let plain = RootOptions { max_iterations: 3, ..Default::default() };
    for method in [RootMethod::Newton, RootMethod::NewtonKrylov, RootMethod::Broyden { memory: 5 }] {
        match root(square, &(), &start, &RootOptions { method: method.clone(), ..plain.clone() }) {
            Err(Error::NoConvergence { residual: Some(r), iterate, .. }) => {
                let exact = iterate.iter().map(|x| (x * x + 1.0).powi(2)).sum::<f64>().sqrt();
                assert!(iterate.len() == 2 && (r - exact).abs() < 1e-12, "{method:?}: {r}, {exact}");
            }
            other => panic!("{method:?}: {other:?}"),
        }
    }
    let options = ArgminOptions { max_iterations: 4, ..Default::default() };
    match argmin(|(): &(), x: &Var<f64>| x.exp().sum(), &(), &start, &options) {
        Err(Error::NoConvergence { residual: Some(r), iterate, .. }) => {
            let exact = iterate.iter().map(|x| (2.0 * x).exp()).sum::<f64>().sqrt();
            assert!(iterate.iter().zip(start.as_slice()).all(|(x, s)| x < s) && (r - exact).abs() < 1e-12, "{r}, {exact}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_nan_is_located() {
    let f = |(): &(), (x, y): &(Var<f64>, Var<f64>)| (x * 0.5, (y - 2.0).sqrt());
    let text = message(fixed_point(f, &(), &(Var::ones(&[2]), Var::from([3.0, 1.0, 4.0])), &Default::default()));
    assert!(text.contains("NaN at component 1 of array 1 (shape [3]) in evaluation 1"), "{text}");
    let start = Var::from([0.0, f64::INFINITY]);
    let text = message(root(|(): &(), x: &Var<f64>| x.clone(), &(), &start, &Default::default()));
    assert!(text.contains("the start has inf at component 1"), "{text}");
}

#[test]
fn wrong_shapes_and_options() {
    let wide = |(): &(), x: &Var<f64>| x.reshape(&[1, 2]) + Var::zeros(&[2, 1]);
    let text = message(fixed_point(wide, &(), &Var::ones(&[2]), &Default::default()));
    assert!(text.contains("array 0 has shape [2, 2]") && text.contains("[2]"), "{text}");
    let f = |(): &(), x: &Var<f64>| x * 0.5;
    let one = Var::scalar(1.0);
    let with = |o: FixedPointOptions| message(fixed_point(f, &(), &one, &o));
    assert!(with(FixedPointOptions { tolerance: 0.0, ..Default::default() }).contains("tolerance is 0"));
    assert!(with(FixedPointOptions { tolerance: -1e-3, ..Default::default() }).contains("must lie between 0 and 1"));
    assert!(with(FixedPointOptions { absolute: f64::NAN, ..Default::default() }).contains("absolute is NaN"));
    assert!(with(FixedPointOptions { max_iterations: 0, ..Default::default() }).contains("at least 1"));
    let method = FixedPointMethod::Picard { damping: 0.0 };
    assert!(with(FixedPointOptions { method, ..Default::default() }).contains("damping is 0"));
    let method = FixedPointMethod::Anderson { memory: 0, damping: 1.0 };
    assert!(with(FixedPointOptions { method, ..Default::default() }).contains("memory of at least 1"));
    let adjoint = AdjointOptions { solver: LinearSolver::Gmres { restart: 0 }, ..Default::default() };
    assert!(with(FixedPointOptions { adjoint, ..Default::default() }).contains("at least one vector"));
    let text = message(argmin(|(): &(), x: &Var<f64>| x.clone(), &(), &Var::ones(&[2]), &Default::default()));
    assert!(text.contains("must return one real number"), "{text}");
}

#[test]
fn a_singular_equation_has_no_derivative() {
    // x = x: every point is fixed, and 1 − ∂f/∂x vanishes
    let f = |a: &Var<f64>, x: &Var<f64>| x + a * 0.0;
    let d = grad(|a: &Var<f64>| Ok::<_, Error>(fixed_point(f, a, &Var::scalar(2.0), &Default::default())?.x), &1.0);
    assert!(matches!(d, Err(Error::NoConvergence { .. })), "{d:?}");
    // Newton at a point where the Jacobian vanishes
    let r = root(|a: &Var<f64>, x: &Var<f64>| x.square() + a, &Var::scalar(1.0), &Var::scalar(0.0), &Default::default());
    assert!(message(r).contains("singular"));
}

#[test]
fn an_adjoint_that_does_not_converge_is_an_error_unless_allowed() {
    let f = |a: &Var<f64>, x: &Var<f64>| 2.0 - (a * x).sin() * 2.2;
    let run = |adjoint: AdjointOptions| {
        let mut log = None;
        let g = grad(
            |a: &Var<f64>| {
                let options = FixedPointOptions { method: FixedPointMethod::NewtonKrylov, adjoint, ..Default::default() };
                let found = fixed_point(f, a, &Var::from([0.9, 1.0, 1.1]), &options)?;
                log = Some(found.derivative_solves.clone());
                Ok::<_, Error>(found.x.sum())
            },
            &0.7,
        );
        (g, log.unwrap())
    };
    // the fixed point repels, so the Neumann series diverges
    let (g, _) = run(AdjointOptions { solver: LinearSolver::Neumann, ..Default::default() });
    let text = g.unwrap_err().to_string();
    assert!(text.contains("Neumann series") && text.contains("Gmres"), "{text}");
    let (g, log) = run(AdjointOptions::default());
    assert!(g.is_ok() && log.converged() && log.reports().len() == 1);
}

#[test]
fn a_black_box_that_does_not_solve_its_equation() {
    let wrong = |a: &Var<f64>| a * 1.1;
    let g = |a: &Var<f64>, x: &Var<f64>| x - a;
    let text = message(implicit_function(wrong, g, &Var::scalar(2.0), &ImplicitOptions::default()));
    assert!(text.contains("leaves a residual of 2.000e-1, 1.0e-8 is allowed"), "{text}");
}

#[test]
fn captured_variables_are_refused() {
    let hidden = |s: &Var<f64>| {
        let inside = s.clone();
        let f = move |(): &(), x: &Var<f64>| (x * &inside).cos();
        Ok::<_, Error>(fixed_point(f, &(), &Var::scalar(1.0), &Default::default())?.x)
    };
    let e = grad(hidden, &0.5).unwrap_err().to_string();
    assert!(e.contains("not among its parameters"), "{e}");
}
