//! Bad input: an error that names the operation and what would be right.

use super::support::*;
use pullback::linalg::iterative::{
    Dense, Dominance, EigenOptions, MatrixFree, SolveOptions, Which, bicgstab, cg, eigs, eigsh, gmres, minres, svds,
};
use pullback::prelude::*;

fn message<T: std::fmt::Debug>(r: Result<T>) -> String {
    r.unwrap_err().to_string()
}

#[test]
fn operators_that_are_not_hermitian() {
    let a = random::<f64>(&[12, 12], 1);
    let options = EigenOptions::default();
    assert!(message(eigsh(&dense(&a), 1, Which::Lowest, &options)).contains("eigsh: needs a Hermitian operator: declare it"));
    let lie = MatrixFree::new(12, &a, |a: &Var<f64>, x: &Var<f64>| a.matmul(x)).hermitian();
    assert!(message(eigsh(&lie, 1, Which::Lowest, &options)).contains("declared Hermitian and is not"));
    let b = Var::ones(&[12]);
    assert!(message(cg(&lie, &b, &SolveOptions::default())).contains("cg: the operator is declared Hermitian and is not"));
    assert!(message(minres(&dense(&a), &b, &SolveOptions::default())).contains("minres: needs a Hermitian operator"));
}

#[test]
fn an_indefinite_operator_for_conjugate_gradients() {
    let a = Dense::hermitian(&Var::from(ndarray::array![[1.0, 0.0], [0.0, -1.0]])).unwrap();
    let text = message(cg(&a, &Var::from([1.0, 2.0]), &SolveOptions::default()));
    assert!(text.contains("not positive definite") && text.contains("minres"), "{text}");
}

#[test]
fn shapes_and_options() {
    let a = Dense::hermitian(&Var::<f64>::eye(4)).unwrap();
    let (solve, eigen) = (SolveOptions::<f64>::default(), EigenOptions::<f64>::default());
    assert!(message(gmres(&a, &Var::ones(&[5]), &solve)).contains("must be (4,)"));
    assert!(message(gmres(&a, &Var::ones(&[4, 1]), &solve)).contains("must be (4,)"));
    let zero = SolveOptions { tolerance: 0.0, ..solve.clone() };
    assert!(message(gmres(&a, &Var::ones(&[4]), &zero)).contains("must lie between 0 and 1"));
    let negative = SolveOptions { tolerance: -1.0, ..solve.clone() };
    assert!(message(cg(&a, &Var::ones(&[4]), &negative)).contains("must lie between 0 and 1"));
    assert!(message(eigsh(&a, 0, Which::Lowest, &eigen)).contains("k must lie in 1..=4"));
    assert!(message(eigsh(&a, 5, Which::Lowest, &eigen)).contains("k must lie in 1..=4"));
    assert!(message(eigs(&a, 9, Dominance::LargestReal, &eigen)).contains("k must lie in 1..=4"));
    let wrong = EigenOptions { start: Some(Var::ones(&[3])), ..eigen.clone() };
    assert!(message(eigsh(&a, 1, Which::Lowest, &wrong)).contains("start vector has shape [3]"));
    let big = Dense::hermitian(&Var::<f64>::eye(40)).unwrap();
    let narrow = EigenOptions { subspace: Some(3), ..eigen.clone() };
    assert!(message(eigsh(&big, 2, Which::Lowest, &narrow)).contains("at least 4 vectors"));
    assert!(message(Dense::new(&Var::<f64>::ones(&[3]))).contains("needs a matrix"));
    assert!(message(Dense::hermitian(&Var::<f64>::ones(&[3, 2]))).contains("square"));
    let tall = Dense::new(&Var::<f64>::ones(&[3, 2])).unwrap();
    assert!(message(gmres(&tall, &Var::ones(&[3]), &solve)).contains("square operator, this one is 3 × 2"));
    assert!(message(svds(&tall, 3, &eigen)).contains("k must lie in 1..=2"));
    let long = MatrixFree::new(4, &(), |_: &(), x: &Var<f64>| concatenate(&[x.clone(), x.clone()], 0));
    assert!(message(bicgstab(&long, &Var::ones(&[4]), &solve)).contains("A x has shape [8] where (4,) is needed"));
}

#[test]
fn numbers_that_are_not_finite() {
    let bad = MatrixFree::new(4, &(), |_: &(), x: &Var<f64>| x / Var::from([1.0, 0.0, 1.0, 1.0])).hermitian();
    assert!(message(gmres(&bad, &Var::ones(&[4]), &SolveOptions::default())).contains("component 1"));
    assert!(message(eigsh(&bad, 1, Which::Lowest, &EigenOptions::default())).contains("component 1"));
    let eye = dense(&Var::<f64>::eye(2));
    assert!(matches!(gmres(&eye, &Var::from([f64::NAN, 0.0]), &SolveOptions::default()), Err(Error::NonFinite { .. })));
}

#[test]
fn no_convergence_tells_how_far_it_came_and_can_be_allowed() {
    let (n, h) = (400, 0.01);
    let v = Var::<f64>::zeros(&[n]);
    let short = EigenOptions { max_products: Some(60), ..EigenOptions::default() };
    let text = message(eigsh(&schrodinger(&v, h), 1, Which::Lowest, &short));
    assert!(text.contains("eigsh: did not converge") && text.contains("residuals up to"), "{text}");
    let allowed = eigsh(&schrodinger(&v, h), 1, Which::Lowest, &EigenOptions { allow_unconverged: true, ..short }).unwrap();
    assert!(!allowed.report.converged && allowed.report.residuals[0] > 0.0);

    let b = Var::ones(&[n]);
    let few = SolveOptions { max_iterations: Some(20), ..SolveOptions::default() };
    let text = message(cg(&schrodinger(&v, h), &b, &few));
    assert!(text.contains("cg: did not converge") && text.contains("relative residual of"), "{text}");
    let allowed = cg(&schrodinger(&v, h), &b, &SolveOptions { allow_unconverged: true, ..few }).unwrap();
    assert!(!allowed.report.converged && allowed.report.iterations <= 22);
    // singular
    let nothing = MatrixFree::new(3, &(), |_: &(), x: &Var<f64>| x * Var::from([1.0, 0.0, 1.0]));
    assert!(matches!(gmres(&nothing, &Var::ones(&[3]), &SolveOptions::default()), Err(Error::NoConvergence { .. })));
}

#[test]
fn the_derivative_has_its_own_verdict() {
    let v = random::<f64>(&[200], 1);
    let mut options = EigenOptions::<f64>::default();
    options.derivative.max_iterations = Some(5);
    let f = |options: EigenOptions<f64>| {
        move |v: &Var<f64>| Ok::<_, Error>(eigsh(&schrodinger(v, 0.1), 1, Which::Lowest, &options)?.vectors.square().square().sum())
    };
    let text = message(grad(f(options.clone()), &v));
    assert!(text.contains("eigsh: did not converge: the linear solve by Minres"), "{text}");
    options.derivative.allow_unconverged = true;
    assert!(grad(f(options), &v).is_ok());
}

#[test]
fn a_captured_variable_is_not_a_parameter() {
    let hidden = |s: &Var<f64>| {
        let inside = s.clone();
        let a = MatrixFree::new(4, &(), move |_: &(), x: &Var<f64>| x * &inside);
        Ok::<_, Error>(gmres(&a, &Var::ones(&[4]), &SolveOptions::default())?.x.sum())
    };
    assert!(message(grad(hidden, &2.0)).contains("not among its parameters"));
}
