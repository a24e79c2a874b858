//! `eigsh` and `invariant_subspace`.

use super::support::*;
use num_complex::Complex;
use pullback::linalg::iterative::{Dense, EigenOptions, MatrixFree, Preconditioner, Which, eigsh, invariant_subspace};
use pullback::linalg::{eigh, projector};
use pullback::prelude::*;

type C = Complex<f64>;

fn default<T: Scalar>() -> EigenOptions<T> {
    EigenOptions::default()
}

fn grid(n: usize) -> (Var<f64>, Var<f64>) {
    let x = Var::from(ndarray::Array1::from_iter((0..n).map(|i| -1.0 + 2.0 * i as f64 / n as f64)));
    let tent = x.as_slice().iter().map(|x| if x.abs() < 0.5 { 1.0 - x.abs() } else { 0.0 }).collect::<Vec<_>>();
    let norm = tent.iter().map(|t| t * t).sum::<f64>();
    (x, Var::from(tent.iter().map(|t| t * t / norm).collect::<Vec<_>>()))
}

#[test]
fn inverse_schrodinger_gradient_agrees_with_the_dense_one() {
    let (n, h) = (300, 2.0 / 300.0);
    let (x, target) = grid(n);
    let v0 = x.square() * 0.5;
    let (t1, t2) = (target.clone(), target);
    let by_eigh = value_and_grad(
        |v: &Var<f64>| {
            let psi = eigh(&schrodinger_matrix(v, h))?.1.slice(ndarray::s![.., 0]);
            Ok::<_, Error>((psi.square() - &t1).abs().sum())
        },
        &v0,
    )
    .unwrap();
    let by_lanczos = value_and_grad(
        |v: &Var<f64>| {
            let psi = eigsh(&schrodinger(v, h), 1, Which::Lowest, &default())?.vectors.ravel();
            Ok::<_, Error>((psi.square() - &t2).abs().sum())
        },
        &v0,
    )
    .unwrap();
    assert!((by_eigh.0.item() - 0.386527).abs() < 1e-6);
    assert!((by_lanczos.0.item() - by_eigh.0.item()).abs() < 1e-9);
    close(&by_lanczos.1, &by_eigh.1, 1e-8);
}

#[test]
fn pairs_agree_with_eigh_at_both_ends_real_and_complex() {
    fn check<T: Scalar>(tolerance: f64) {
        let n = 120;
        let a = hermitian::<T>(n, 3);
        let (values, _) = eigh(&a).unwrap();
        for (which, k) in [(Which::Lowest, 1), (Which::Lowest, 5), (Which::Highest, 4)] {
            let found = eigsh(&Dense::hermitian(&a).unwrap(), k, which, &default()).unwrap();
            assert!(found.report.converged && found.report.products < 2000);
            for i in 0..k {
                let exact = values.as_slice()[if which == Which::Lowest { i } else { n - 1 - i }].to_f64();
                assert!((found.values.as_slice()[i].to_f64() - exact).abs() < tolerance * 10.0);
            }
            let rest = a.matmul(&found.vectors) - &found.vectors * found.values.astype::<T>().reshape(&[1, k]);
            assert!(rest.as_slice().iter().all(|x| x.modulus().to_f64() < tolerance * 10.0));
            close(&found.vectors.h().matmul(&found.vectors), &Var::eye(k), tolerance);
        }
    }
    check::<f64>(1e-13);
    check::<C>(1e-13);
    check::<f32>(1e-5);
    check::<Complex<f32>>(1e-5);
}

#[test]
fn the_space_may_be_all_there_is() {
    for n in [1, 2, 3, 7] {
        let a = hermitian::<C>(n, 8);
        let found = eigsh(&Dense::hermitian(&a).unwrap(), n, Which::Lowest, &default()).unwrap();
        close(&found.values, &eigh(&a).unwrap().0, 1e-13);
    }
    // the zero operator
    let zero = eigsh(&Dense::hermitian(&Var::<f64>::zeros(&[5, 5])).unwrap(), 2, Which::Highest, &default()).unwrap();
    assert_eq!(zero.values.as_slice(), &[0.0, 0.0]);
}

/// A loss of eigenvalues and of gauge-invariant products of single vectors.
fn loss<T: Scalar>(values: &Var<T::Real>, vectors: &Var<T>) -> Var<T::Real> {
    let weights = random::<T>(&[vectors.shape()[0], vectors.shape()[1]], 77).re();
    (vectors.abs_squared() * weights).sum() + values.square().sum() + values.get(&[0])
}

#[test]
fn gradients_agree_with_eigh() {
    fn check<T: Scalar>(which: Which, k: usize) {
        let n = 40;
        let a = hermitian::<T>(n, 5);
        let by_eigh = grad(
            |a: &Var<T>| {
                let (values, vectors) = eigh(a)?;
                let (from, to) = if which == Which::Lowest { (0, k) } else { (n - k, n) };
                let (values, vectors) = (values.slice(ndarray::s![from..to]), vectors.slice(ndarray::s![.., from..to]));
                Ok::<_, Error>(if which == Which::Lowest { loss(&values, &vectors) } else { loss(&values.flip(&[0]), &vectors.flip(&[1])) })
            },
            &a,
        );
        let by_lanczos = grad(
            |a: &Var<T>| {
                let found = eigsh(&Dense::hermitian(a)?, k, which, &default())?;
                Ok::<_, Error>(loss(&found.values, &found.vectors))
            },
            &a,
        );
        close(&by_lanczos.unwrap(), &by_eigh.unwrap(), 1e-10);
    }
    check::<f64>(Which::Lowest, 1);
    check::<f64>(Which::Highest, 3);
    check::<C>(Which::Lowest, 3);
    check::<C>(Which::Highest, 1);
}

#[test]
fn derivatives_to_second_order_in_both_modes() {
    let (n, h) = (9, 0.4);
    let v = random::<f64>(&[n], 1);
    let ground = |v: &Var<f64>| {
        let found = eigsh(&schrodinger(v, h), 1, Which::Lowest, &default())?;
        Ok::<_, Error>(stack(&[found.values.sum(), found.vectors.square().square().sum()], 0))
    };
    gradcheck(ground, &v).unwrap();
    let two = |v: &Var<f64>| {
        let found = eigsh(&schrodinger(v, h), 2, Which::Highest, &default())?;
        Ok::<_, Error>(stack(&[loss(&found.values, &found.vectors), found.values.prod()], 0))
    };
    gradcheck(two, &v).unwrap();
    let field = |a: &Var<C>| {
        let found = eigsh(&Dense::hermitian(a)?, 2, Which::Lowest, &default())?;
        Ok::<_, Error>(loss(&found.values, &found.vectors))
    };
    gradcheck(field, &hermitian::<C>(5, 4)).unwrap();
}

/// A multiplet of three at the bottom: 0, 0, 0, 1, 1.5, …
fn degenerate(n: usize) -> Var<f64> {
    let levels: Vec<f64> = (0..n).map(|i| if i < 3 { 0.0 } else { 0.5 + 0.5 * (i - 2) as f64 }).collect();
    let (_, q) = eigh(&hermitian::<f64>(n, 12)).unwrap();
    (&q * Var::from(levels).reshape(&[1, n])).matmul(q.t())
}

#[test]
fn a_multiplet_is_found_as_a_whole() {
    let a = degenerate(30);
    let found = eigsh(&Dense::hermitian(&a).unwrap(), 4, Which::Lowest, &default()).unwrap();
    close(&found.values, &Var::from([0.0, 0.0, 0.0, 1.0]), 1e-12);
    // one start vector alone sees each eigenvalue once: for operators this sparse the copies never come in by rounding
    let steps = Var::from((0..200).map(|i| (i / 2) as f64).collect::<Vec<_>>());
    let diagonal = MatrixFree::new(200, &steps, |d: &Var<f64>, x: &Var<f64>| d * x).hermitian();
    let found = eigsh(&diagonal, 4, Which::Lowest, &default()).unwrap();
    close(&found.values, &Var::from([0.0, 0.0, 1.0, 1.0]), 1e-11);
}

#[test]
fn projectors_of_a_multiplet_are_right_to_second_order() {
    let (n, k) = (8, 3);
    let a = degenerate(n);
    let w = hermitian::<f64>(n, 9);
    let probe = |a: &Var<f64>| {
        let space = invariant_subspace(&Dense::hermitian(a)?, k, Which::Lowest, &default())?;
        let p = space.basis.matmul(space.basis.h());
        Ok::<_, Error>(stack(&[(&p * &w).sum(), (&p * &w).sum().square() + space.restriction.trace()], 0))
    };
    gradcheck(probe, &a).unwrap();
    // and as linalg::projector has it
    let (w1, w2) = (w.clone(), w.clone());
    let by_projector = grad(|a: &Var<f64>| Ok::<_, Error>((projector(a, k)? * &w1).sum()), &a).unwrap();
    let by_pairs = grad(
        |a: &Var<f64>| {
            let v = eigsh(&Dense::hermitian(a)?, k, Which::Lowest, &default())?.vectors;
            Ok::<_, Error>((v.matmul(v.h()) * &w2).sum())
        },
        &a,
    );
    close(&by_pairs.unwrap(), &by_projector, 1e-9);
}

#[test]
fn losses_that_depend_on_a_gauge_are_refused() {
    let a = degenerate(12);
    let refused = |k: usize, options: EigenOptions<f64>, f: fn(&Var<f64>, &Var<f64>) -> Var<f64>| {
        let loss = |a: &Var<f64>| {
            let found = eigsh(&Dense::hermitian(a)?, k, Which::Lowest, &options)?;
            Ok::<_, Error>(f(&found.values, &found.vectors))
        };
        match grad(loss, &a) {
            Err(Error::GaugeDependent { operation, message }) => {
                assert!(operation == "eigsh" || operation == "eigh", "{operation}");
                message
            }
            other => panic!("not refused: {other:?}"),
        }
    };
    // one vector of a multiplet that is there as a whole
    refused(3, default(), |_, v| v.get(&[0, 0]).square());
    // one value of it
    refused(3, default(), |e, _| e.get(&[0]));
    // a space that cuts the multiplet
    assert!(refused(2, default(), |e, _| e.sum()).contains("cut a degenerate eigenvalue"));
    assert!(refused(1, default(), |_, v| v.get(&[2, 0]).square()).contains("cut a degenerate eigenvalue"));
    // a phase
    let complex = hermitian::<C>(6, 2);
    let phase = |a: &Var<C>| Ok::<_, Error>(eigsh(&Dense::hermitian(a)?, 1, Which::Lowest, &default())?.vectors.get(&[1, 0]).re());
    assert!(matches!(grad(phase, &complex), Err(Error::GaugeDependent { .. })));
}

#[test]
fn a_partner_that_was_missed_is_met_by_the_linear_solve() {
    // two uncoupled copies of a chain; the search starts, and stays, in the first one
    let n = 120;
    let half = n / 2;
    let start: Vec<f64> = (0..n).map(|i| if i < half { 1.0 + i as f64 } else { 0.0 }).collect();
    let options = EigenOptions { check_multiplicity: false, start: Some(Var::from(start)), ..default() };
    let left = Var::from((0..n).map(|i| if i < half { 1.0 } else { 0.0 }).collect::<Vec<_>>());
    let chain = |couple: &Var<f64>| {
        let left = left.clone();
        let apply = move |c: &Var<f64>, x: &Var<f64>| {
            let inside = |x: &Var<f64>| {
                let out = x.pad(&[(1, 1)], PadMode::Constant(0.0));
                -out.slice(ndarray::s![..n as isize]) - out.slice(ndarray::s![2..])
            };
            let right = 1.0 - &left;
            let both = inside(&(x * &left)) * &left + inside(&(x * &right)) * &right;
            both + x.roll(half as isize, 0) * c
        };
        MatrixFree::new(n, couple, apply).hermitian()
    };
    let leak = |c: &Var<f64>| {
        let v = eigsh(&chain(c), 1, Which::Lowest, &options)?.vectors.ravel();
        Ok::<_, Error>((v.get(&[3]) - v.get(&[half as isize + 3])).square())
    };
    let e = grad(leak, &0.0).unwrap_err();
    assert!(matches!(&e, Error::GaugeDependent { message, .. } if message.contains("same eigenvalue")), "{e}");
}

#[test]
fn restarts_a_start_vector_and_a_preconditioner_change_nothing_but_the_work() {
    let (n, h) = (200, 0.05);
    let x = Var::from(ndarray::Array1::linspace(-5.0, 5.0, n));
    let v = x.square() * 0.5 + x.sin();
    let gradient = |options: &EigenOptions<f64>| {
        let f = |v: &Var<f64>| Ok::<_, Error>(eigsh(&schrodinger(v, h), 2, Which::Lowest, options)?.vectors.square().square().sum());
        grad(f, &v).unwrap()
    };
    let plain = gradient(&default());
    close(&gradient(&EigenOptions { subspace: Some(12), ..default() }), &plain, 1e-9);
    let start = (x.square() * -0.5).exp();
    close(&gradient(&EigenOptions { start: Some(start), ..default() }), &plain, 1e-9);
    let mut preconditioned: EigenOptions<f64> = default();
    let diagonal = &v + 1.0 / (h * h) + 2.0;
    preconditioned.derivative.preconditioner = Some(Preconditioner::diagonal(&diagonal));
    close(&gradient(&preconditioned), &plain, 1e-9);
}

#[test]
fn reports_tell_what_the_derivative_solve_did() {
    let v = random::<f64>(&[50], 6);
    let mut seen = None;
    grad(
        |v: &Var<f64>| {
            let found = eigsh(&schrodinger(v, 0.3), 1, Which::Lowest, &default())?;
            assert!(found.derivative_solves.reports().is_empty());
            seen = Some(found.derivative_solves.clone());
            Ok::<_, Error>(found.vectors.square().square().sum())
        },
        &v,
    )
    .unwrap();
    let reports = seen.unwrap().reports();
    assert_eq!(reports.len(), 1);
    assert!(reports[0].converged && reports[0].iterations > 5 && reports[0].residual <= 1e-11, "{reports:?}");
}
