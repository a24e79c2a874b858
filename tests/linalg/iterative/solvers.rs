//! `cg`, `minres`, `gmres`, `bicgstab`.

use super::support::*;
use num_complex::Complex;
use pullback::linalg::iterative::{Dense, LinearOperator, MatrixFree, Preconditioner, SolveOptions, Solved, bicgstab, cg, gmres, minres};
use pullback::linalg::solve;
use pullback::prelude::*;

type C = Complex<f64>;

fn default<T: Scalar>() -> SolveOptions<T> {
    SolveOptions::default()
}

fn shifted<T: Scalar>(n: usize, seed: u64, by: f64) -> Var<T> {
    random::<T>(&[n, n], seed) + Var::<T>::eye(n).scale(by)
}

#[test]
fn solutions_and_gradients_agree_with_the_dense_solve() {
    fn check<T: Scalar>(
        a: &Var<T>,
        hermitian_operator: bool,
        run: fn(&Dense<T>, &Var<T>, &SolveOptions<T>) -> Result<Solved<T>>,
        tolerance: f64,
    ) {
        let n = a.shape()[0];
        let b = random::<T>(&[n], 21);
        let w = random::<T>(&[n], 22);
        let hermitian_part = |a: &Var<T>| if hermitian_operator { (a + a.h()).scale(0.5) } else { a.clone() };
        let by_lu = grad(
            |(a, b): &(Var<T>, Var<T>)| Ok::<_, Error>((solve(&hermitian_part(a), b)? * &w).abs_squared().sum()),
            &(a.clone(), b.clone()),
        )
        .unwrap();
        let by_krylov = grad(
            |(a, b): &(Var<T>, Var<T>)| {
                let operator = if hermitian_operator { Dense::hermitian(a)? } else { Dense::new(a)? };
                let found = run(&operator, b, &default())?;
                assert!(found.report.converged && found.report.iterations > 0);
                Ok::<_, Error>((found.x * &w).abs_squared().sum())
            },
            &(a.clone(), b),
        )
        .unwrap();
        close(&by_krylov.0, &by_lu.0, tolerance);
        close(&by_krylov.1, &by_lu.1, tolerance);
    }
    let definite = |a: Var<C>| a.matmul(a.h()) + Var::<C>::eye(40);
    check::<f64>(&(hermitian::<f64>(40, 1) + Var::<f64>::eye(40) * 12.0), true, cg, 1e-9);
    check::<C>(&definite(random::<C>(&[40, 40], 2)), true, cg, 1e-9);
    check::<f64>(&(hermitian::<f64>(40, 3) + Var::<f64>::eye(40)), true, minres, 1e-8);
    check::<C>(&(hermitian::<C>(40, 4) + Var::<C>::eye(40)), true, minres, 1e-8);
    check::<f64>(&shifted(60, 5, 9.0), false, gmres, 1e-9);
    check::<C>(&shifted(60, 6, 11.0), false, gmres, 1e-9);
    check::<f64>(&shifted(60, 7, 9.0), false, bicgstab, 1e-9);
    check::<C>(&shifted(60, 8, 11.0), false, bicgstab, 1e-9);
    check::<f32>(&shifted(30, 9, 9.0), false, gmres, 1e-3);
}

/// Convection and diffusion on a ring with a position-dependent velocity, not symmetric.
fn drift<T: Scalar>(velocity: &Var<T>) -> MatrixFree<Var<T>, impl Fn(&Var<T>, &Var<T>) -> Var<T> + Clone + Send + Sync + 'static> {
    MatrixFree::new(velocity.len(), velocity, |v: &Var<T>, x: &Var<T>| {
        x.scale(2.5) - x.roll(1, 0) - x.roll(-1, 0) + v * (x.roll(-1, 0) - x).scale(0.3)
    })
}

#[test]
fn derivatives_to_second_order_in_both_modes() {
    let both = |(v, b): &(Var<f64>, Var<f64>)| {
        let one = gmres(&drift(v), b, &default())?.x;
        Ok::<_, Error>(stack(&[one.square().sum(), bicgstab(&drift(v), b, &default())?.x.get(&[2])], 0))
    };
    gradcheck(both, &(random::<f64>(&[6], 1), random::<f64>(&[6], 2))).unwrap();
    let complex = |(v, b): &(Var<C>, Var<C>)| Ok::<_, Error>(gmres(&drift(v), b, &default())?.x);
    gradcheck(complex, &(random::<C>(&[4], 3), random::<C>(&[4], 4))).unwrap();
    let symmetric = |(v, b): &(Var<f64>, Var<f64>)| {
        let op = schrodinger(v, 0.7);
        Ok::<_, Error>(minres(&op, b, &default())?.x + cg(&schrodinger(&(v.square() + 0.1), 0.7), b, &default())?.x)
    };
    gradcheck(symmetric, &(random::<f64>(&[5], 5), random::<f64>(&[5], 6))).unwrap();
}

#[test]
fn captured_outer_variables_are_differentiated() {
    // d/ds of (d/dp of A(p, s)⁻¹b): the operator's parameters belong to two transforms
    let outer = |s: &Var<f64>| {
        grad(
            |p: &Var<f64>| {
                let a = MatrixFree::new(5, &(p.clone(), s.clone()), |(p, s): &(Var<f64>, Var<f64>), x: &Var<f64>| {
                    x * (p.square() + 2.0) + s * x.roll(1, 0)
                });
                Ok::<_, Error>(gmres(&a, &Var::ones(&[5]), &default())?.x.mean())
            },
            &Var::scalar(0.7),
        )
    };
    let d = grad(outer, &0.3).unwrap();
    // x = 1/(p² + 2 + s): ∂²x/∂p∂s = 4p/(p² + 2 + s)³
    assert!((d - 4.0 * 0.7 / (0.49f64 + 2.3).powi(3)).abs() < 1e-11, "{d}");
}

#[test]
fn a_preconditioner_and_a_guess_save_iterations_and_change_nothing_else() {
    let n = 300;
    let spread = Var::from((0..n).map(|i| 1.0 + (i as f64).powi(2)).collect::<Vec<_>>());
    let operator =
        |d: &Var<f64>| MatrixFree::new(n, d, |d: &Var<f64>, x: &Var<f64>| d * x + (x.roll(1, 0) + x.roll(-1, 0)) * 0.4).hermitian();
    let b = random::<f64>(&[n], 3);
    let run = |options: SolveOptions<f64>| {
        let mut iterations = 0;
        let g = grad(
            |d: &Var<f64>| {
                let found = cg(&operator(d), &b, &options)?;
                iterations = found.report.iterations;
                Ok::<_, Error>(found.x.square().sum())
            },
            &spread,
        );
        (g.unwrap(), iterations)
    };
    let (plain, many) = run(default());
    let jacobi = SolveOptions { preconditioner: Some(Preconditioner::diagonal(&spread)), ..default() };
    let (same, few) = run(jacobi.clone());
    close(&same, &plain, 1e-9);
    assert!(5 * few < many, "{few} against {many}");
    // not symmetric: the adjoint solve needs the transpose of the preconditioner
    let lower = Preconditioner::new(move |x: &Var<f64>| (x - x.roll(1, 0) * 0.1) * 0.5);
    let v = random::<f64>(&[20], 4);
    let f = |options: SolveOptions<f64>| {
        let b = Var::ones(&[20]);
        grad(move |v: &Var<f64>| Ok::<_, Error>(gmres(&drift(v), &b, &options)?.x.square().sum()), &v).unwrap()
    };
    close(&f(SolveOptions { preconditioner: Some(lower), ..default() }), &f(default()), 1e-10);
    // the solution as its own guess
    let x = cg(&operator(&spread), &b, &jacobi).unwrap();
    let again = cg(&operator(&spread), &b, &SolveOptions { guess: Some(x.x), ..jacobi }).unwrap();
    assert!(again.report.iterations < x.report.iterations / 2 + 2);
}

#[test]
fn the_default_adjoint_is_the_transpose() {
    let v = random::<C>(&[7], 1);
    let a = drift(&v);
    let (x, y) = (random::<C>(&[7], 2), random::<C>(&[7], 3));
    let left = vdot(&y, &a.apply(&v, &x).unwrap());
    let right = vdot(&a.apply_adjoint(&v, &y).unwrap(), &x);
    assert!((left.item() - right.item()).norm() < 1e-13);
}

#[test]
fn every_method_solves_what_it_is_for() {
    // diagonal + a perturbation, well conditioned; Hermitian, definite or not
    fn matrix(n: usize, hermitian: bool, definite: bool) -> Var<C> {
        let raw = random::<C>(&[n, n], 5);
        let off = if hermitian { (&raw + raw.h()).scale(0.05) } else { raw.scale(0.1) };
        let diagonal = (0..n).map(|i| C::new(if !definite && i % 3 == 0 { -1.0 } else { 1.0 } * (1.5 + i as f64 / 5.0), 0.0));
        off + Var::from(diagonal.collect::<Vec<_>>()).diag(0)
    }
    type Method = fn(&Dense<C>, &Var<C>, &SolveOptions<C>) -> Result<Solved<C>>;
    let n = 30;
    let cases: [(&str, Method, usize, bool, bool); 6] = [
        ("cg", cg, 0, true, true),
        ("minres", minres, 0, true, true),
        ("minres", minres, 0, true, false),
        ("gmres", gmres, 12, false, true),
        ("gmres", gmres, 40, false, false),
        ("bicgstab", bicgstab, 0, false, true),
    ];
    for (name, method, restart, hermitian, definite) in cases {
        let a = matrix(n, hermitian, definite);
        let operator = if hermitian { Dense::hermitian(&a) } else { Dense::new(&a) }.unwrap();
        let b = random::<C>(&[n], 9);
        let exact = solve(&a, &b).unwrap();
        let jacobi = Preconditioner::diagonal(&a.diagonal(0, 0, 1).abs().astype::<C>());
        for preconditioner in [None, Some(jacobi)] {
            let options =
                SolveOptions { tolerance: 1e-13, max_iterations: Some(600), preconditioner, restart: restart.max(1), ..default() };
            let found = method(&operator, &b, &options).unwrap();
            assert!(found.report.converged, "{name}: {}", found.report.residual);
            close(&found.x, &exact, 1e-11);
        }
    }
}

#[test]
fn minres_leaves_the_null_component_of_an_inconsistent_system() {
    let a = Var::from((0..20).map(f64::from).collect::<Vec<_>>()).diag(0);
    let b = Var::ones(&[20]);
    let options = SolveOptions { tolerance: 1e-12, max_iterations: Some(400), allow_unconverged: true, ..default() };
    let found = minres(&Dense::hermitian(&a).unwrap(), &b, &options).unwrap();
    assert!(!found.report.converged);
    let r = b - a.matmul(&found.x);
    assert!(r.slice(ndarray::s![1..]).square().sum().item().sqrt() < 1e-5, "{r}");
}
