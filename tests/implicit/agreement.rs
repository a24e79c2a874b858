//! The implicit gradient is the gradient of the unrolled iteration.

use crate::support::random;
use num_complex::Complex;
use pullback::implicit::{AdjointOptions, FixedPointMethod, FixedPointOptions, fixed_point};
use pullback::linalg::eigh;
use pullback::linalg::iterative::LinearSolver;
use pullback::prelude::*;

type C = Complex<f64>;

#[track_caller]
pub fn close<T: Scalar>(a: &Var<T>, b: &Var<T>, tolerance: f64) {
    assert_eq!(a.shape(), b.shape());
    let size = |x: &[T]| x.iter().fold(0.0f64, |m, x| m.max(x.modulus().to_f64()));
    let off = size((a - b).as_slice()) / size(b.as_slice()).max(1e-300);
    assert!(off <= tolerance, "differ by {off:.2e}, allowed is {tolerance:.1e}");
}

fn adjoints() -> Vec<AdjointOptions> {
    [LinearSolver::Gmres { restart: 20 }, LinearSolver::BiCgStab, LinearSolver::Neumann]
        .map(|solver| AdjointOptions { solver, ..AdjointOptions::default() })
        .into()
}

#[test]
fn keplers_equation() {
    let (m, e) = (Var::from([0.1, 1.0, 2.5, 3.0, 6.0]), Var::from([0.0, 0.3, 0.6, 0.1, 0.55]));
    let step = |(m, e): &(Var<f64>, Var<f64>), x: &Var<f64>| m + e * x.sin();
    let unrolled =
        grad(|p: &(Var<f64>, Var<f64>)| (0..120).fold(p.0.clone(), |x, _| step(p, &x)).square().sum(), &(m.clone(), e.clone())).unwrap();
    for adjoint in adjoints() {
        let implicit = grad(
            |p: &(Var<f64>, Var<f64>)| {
                let options = FixedPointOptions { adjoint: adjoint.clone(), ..Default::default() };
                Ok::<_, Error>(fixed_point(step, p, &m, &options)?.x.square().sum())
            },
            &(m.clone(), e.clone()),
        )
        .unwrap();
        close(&implicit.0, &unrolled.0, 1e-11);
        close(&implicit.1, &unrolled.1, 1e-11);
    }
}

#[test]
fn a_tanh_network_of_a_hundred_dimensions() {
    let n = 100;
    let params = (random::<f64>(&[n, n], 1) * 0.08, random::<f64>(&[n], 2));
    let layer = |(w, b): &(Var<f64>, Var<f64>), x: &Var<f64>| (w.matmul(x) + b).tanh();
    let target = random::<f64>(&[n], 3);
    let loss = |x: &Var<f64>| (x - &target).square().sum();
    let zero = Var::<f64>::zeros(&[n]);
    let unrolled = grad(|p: &(Var<f64>, Var<f64>)| loss(&(0..150).fold(zero.clone(), |x, _| layer(p, &x))), &params).unwrap();
    let methods =
        [FixedPointMethod::Picard { damping: 0.9 }, FixedPointMethod::Anderson { memory: 5, damping: 1.0 }, FixedPointMethod::NewtonKrylov];
    for (method, adjoint) in methods.into_iter().zip(adjoints()) {
        let options = FixedPointOptions { method, adjoint, ..Default::default() };
        let implicit = grad(|p: &(Var<f64>, Var<f64>)| Ok::<_, Error>(loss(&fixed_point(layer, p, &zero, &options)?.x)), &params).unwrap();
        close(&implicit.0, &unrolled.0, 1e-10);
        close(&implicit.1, &unrolled.1, 1e-10);
    }
}

/// Two electrons in one orbital on a grid, with a soft Coulomb repulsion: one step of the self-consistent field.
fn hartree(potential: &Var<f64>, density: &Var<f64>, h: f64) -> Result<Var<f64>> {
    let n = potential.len();
    let repulsion = Var::from(ndarray::Array2::from_shape_fn((n, n), |(i, j)| h / (((i as f64 - j as f64) * h).powi(2) + 1.0).sqrt()));
    let kinetic = (Var::<f64>::eye(n) * 2.0 - Var::<f64>::eye_rect(n, n, 1) - Var::<f64>::eye_rect(n, n, -1)) * (0.5 / (h * h));
    let effective = potential + repulsion.matmul(density) * 0.5;
    let psi = eigh(&(kinetic + effective.diag(0)))?.1.slice(ndarray::s![.., 0]);
    Ok(psi.square() * (2.0 / h))
}

#[test]
fn a_self_consistent_hartree_problem() {
    let (n, h) = (40, 0.25);
    let x = Var::from(ndarray::Array1::from_iter((0..n).map(|i| (i as f64 - 19.5) * h)));
    let v = -2.0 / (x.square() + 1.0).sqrt();
    let start = Var::<f64>::ones(&[n]) * (2.0 / (n as f64 * h));
    // the dipole's and the spread's dependence on the potential
    let loss = |rho: &Var<f64>| (rho * (&x + x.square())).sum() * h;
    let step = move |v: &Var<f64>, rho: &Var<f64>| hartree(v, rho, h);
    let unrolled = grad(
        |v: &Var<f64>| {
            let mut rho = start.clone();
            for _ in 0..60 {
                rho = &rho + (step(v, &rho)? - &rho) * 0.8;
            }
            Ok::<_, Error>(loss(&rho))
        },
        &v,
    )
    .unwrap();
    for adjoint in adjoints() {
        let options = FixedPointOptions { adjoint, ..Default::default() };
        let implicit = grad(|v: &Var<f64>| Ok::<_, Error>(loss(&fixed_point(step, v, &start, &options)?.x)), &v).unwrap();
        close(&implicit, &unrolled, 1e-9);
    }
}

#[test]
fn complex_states_holomorphic_or_not() {
    let n = 8;
    let params = (random::<C>(&[n, n], 5) * C::new(0.1, 0.0), random::<C>(&[n], 6));
    let zero = Var::<C>::zeros(&[n]);
    let holomorphic = |(w, b): &(Var<C>, Var<C>), z: &Var<C>| w.matmul(z.sin()) + b;
    let other =
        |(w, b): &(Var<C>, Var<C>), z: &Var<C>| w.matmul((z.conj() * z.abs_squared().astype::<C>()).sin()).scale(0.3) + b.scale(0.5);
    fn check<F>(f: F, params: &(Var<C>, Var<C>), zero: &Var<C>)
    where
        F: Fn(&(Var<C>, Var<C>), &Var<C>) -> Var<C> + Copy + Send + Sync + 'static,
    {
        let loss = |z: &Var<C>| z.abs_squared().sum() + (z.re() * z.im()).sum();
        let unrolled = grad(|p: &(Var<C>, Var<C>)| loss(&(0..200).fold(zero.clone(), |z, _| f(p, &z))), params).unwrap();
        for adjoint in adjoints() {
            let options = FixedPointOptions { adjoint, ..Default::default() };
            let implicit = grad(|p: &(Var<C>, Var<C>)| Ok::<_, Error>(loss(&fixed_point(f, p, zero, &options)?.x)), params).unwrap();
            close(&implicit.0, &unrolled.0, 1e-10);
            close(&implicit.1, &unrolled.1, 1e-10);
        }
    }
    check(holomorphic, &params, &zero);
    check(other, &params, &zero);
}

/// A real vector, a complex number in a list and a number of precision R, coupled.
fn coupled<R: Real>(tolerance: f64) {
    type State<R> = (Var<f64>, Vec<Var<C>>, Var<R>);
    let f = |(a, b): &(Var<f64>, Var<C>), (x, z, s): &State<R>| -> State<R> {
        let z = &z[0];
        let mean = z.re().sum() + s.astype::<f64>() * 0.2;
        (
            (x * 0.3 + a).tanh() + mean * 0.1,
            vec![(z * b).sin().scale(0.4) + x.sum().to_complex() * C::new(0.05, 0.1)],
            (s.scale(0.25)).cos() + x.sum().astype::<R>().scale(0.125),
        )
    };
    let start = (Var::zeros(&[3]), vec![Var::zeros(&[])], Var::zeros(&[]));
    let params = (random::<f64>(&[3], 1), random::<C>(&[], 2));
    let loss = |(x, z, s): &State<R>| x.square().sum() + z[0].abs_squared() + s.astype::<f64>().square();
    let unrolled = grad(|p: &(Var<f64>, Var<C>)| loss(&(0..80).fold(start.clone(), |x, _| f(p, &x))), &params).unwrap();
    let implicit =
        grad(|p: &(Var<f64>, Var<C>)| Ok::<_, Error>(loss(&fixed_point(f, p, &start, &Default::default())?.x)), &params).unwrap();
    close(&implicit.0, &unrolled.0, tolerance);
    close(&implicit.1, &unrolled.1, tolerance);
}

#[test]
fn states_and_parameters_of_any_structure() {
    coupled::<f64>(1e-11);
    // the iteration stops at a few ε of the coarsest type
    coupled::<f32>(1e-4);
}
