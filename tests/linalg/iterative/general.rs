//! `eigs`: dominant pairs of general operators, right and left.

use super::support::*;
use num_complex::Complex;
use pullback::linalg::eig;
use pullback::linalg::iterative::{Dominance, EigenOptions, MatrixFree, eigs};
use pullback::prelude::*;

type C = Complex<f64>;

fn default<T: Scalar>() -> EigenOptions<T> {
    EigenOptions::default()
}

fn sorted(a: &Var<C>, key: fn(C) -> f64) -> Vec<C> {
    let mut values = eig(a).unwrap().0.as_slice().to_vec();
    values.sort_by(|x, y| key(*y).total_cmp(&key(*x)).then(y.im.total_cmp(&x.im)));
    values
}

#[test]
fn pairs_satisfy_their_equations_and_are_the_dominant_ones() {
    fn check<T: Scalar>(n: usize, k: usize, order: Dominance, key: fn(C) -> f64) {
        let a = random::<T>(&[n, n], 4);
        let wide: Var<C> = a.astype();
        let found = eigs(&dense(&a), k, order, &default()).unwrap();
        assert!(found.report.converged);
        let (values, right, left): (Var<C>, Var<C>, Var<C>) = (found.values.astype(), found.right.astype(), found.left.astype());
        let exact = sorted(&wide, key);
        for i in 0..k {
            let off = (key(values.as_slice()[i]) - key(exact[i])).abs();
            assert!(off < 1e-11, "{i}: {} and {}", values.as_slice()[i], exact[i]);
        }
        close(&wide.matmul(&right), &(&right * values.reshape(&[1, k])), 1e-10);
        close(&wide.h().matmul(&left), &(&left * values.conj().reshape(&[1, k])), 1e-10);
        close(&left.h().matmul(&right), &Var::eye(k), 1e-10);
        close(&right.abs_squared().sum_axis(0), &Var::ones(&[k]), 1e-12);
    }
    check::<f64>(80, 3, Dominance::LargestMagnitude, |z| z.norm());
    check::<f64>(80, 2, Dominance::LargestReal, |z| z.re);
    check::<C>(80, 3, Dominance::SmallestReal, |z| -z.re);
    check::<C>(5, 5, Dominance::LargestMagnitude, |z| z.norm());
}

#[test]
fn gradients_agree_with_eig() {
    let n = 30;
    let a = random::<C>(&[n, n], 9);
    let w = random::<C>(&[n], 10).re();
    // |v|² of the unit vector of the largest |λ|, and λ
    let by_eig = grad(
        |a: &Var<C>| {
            let (values, vectors) = eig(a)?;
            let at = values.abs().argmax();
            let (z, v) = (values.take(&[at]), vectors.slice(ndarray::s![.., at]));
            Ok::<_, Error>((v.abs_squared() * &w).sum() + z.re().sum() + z.abs_squared().sum())
        },
        &a,
    )
    .unwrap();
    let by_arnoldi = grad(
        |a: &Var<C>| {
            let found = eigs(&dense(a), 1, Dominance::LargestMagnitude, &default())?;
            let z = found.values;
            Ok::<_, Error>((found.right.ravel().abs_squared() * &w).sum() + z.re().sum() + z.abs_squared().sum())
        },
        &a,
    )
    .unwrap();
    close(&by_arnoldi, &by_eig, 1e-9);
}

#[test]
fn derivatives_to_second_order_in_both_modes() {
    // all of it: values, right and left vectors are fixed, phases too
    let ring = |v: &Var<f64>| {
        let a = MatrixFree::new(6, v, |v: &Var<f64>, x: &Var<f64>| v * x + x.roll(1, 0) * 0.6 - x.roll(-1, 0) * 0.2);
        let found = eigs(&a, 1, Dominance::LargestReal, &default())?;
        Ok::<_, Error>((found.values, found.right, found.left))
    };
    gradcheck(ring, &Var::from([0.1, 0.5, -0.3, 1.4, 0.2, -0.9])).unwrap();
    let two = |a: &Var<C>| {
        let found = eigs(&dense(a), 2, Dominance::LargestMagnitude, &default())?;
        Ok::<_, Error>((found.values.clone(), found.right.abs_squared(), found.left.abs_squared()))
    };
    gradcheck(two, &(random::<C>(&[4, 4], 6) + Var::<C>::eye(4))).unwrap();
}

#[test]
fn a_transfer_matrix_gives_the_free_energy_and_its_derivative() {
    // the Ising chain's 2 × 2 transfer matrix, symmetric in another gauge: T = [[e^{K+h}, e^{−K−h}], [e^{−K+h}, e^{K−h}]]
    let (k, h): (f64, f64) = (0.7, 0.3);
    let free = |h: &Var<f64>| {
        let t = stack(&[stack(&[(k + h).exp(), (-k - h).exp()], 0), stack(&[(h - k).exp(), (k - h).exp()], 0)], 0);
        Ok::<_, Error>(eigs(&dense(&t), 1, Dominance::LargestMagnitude, &default())?.values.re().log().sum())
    };
    let (f, m) = value_and_grad(free, &h).unwrap();
    let root = (h.sinh().powi(2) + (-4.0 * k).exp()).sqrt();
    assert!((f.item() - (k + (h.cosh() + root).ln())).abs() < 1e-13);
    assert!((m - h.sinh() / root).abs() < 1e-12);
}

#[test]
fn a_defective_operator_and_a_cut_multiplet_are_refused() {
    let jordan = Var::from(ndarray::array![[2.0, 1.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 1.0]]);
    let values = |a: &Var<f64>| Ok::<_, Error>(eigs(&dense(a), 1, Dominance::LargestMagnitude, &default())?.values.re().sum());
    let e = grad(values, &jordan).unwrap_err();
    assert!(matches!(e, Error::Singular { .. } | Error::GaugeDependent { .. }), "{e}");
    let twice = Var::from(ndarray::array![[2.0, 0.0, 0.5], [0.0, 2.0, 0.3], [0.0, 0.0, 1.0]]);
    let e = grad(values, &twice).unwrap_err();
    assert!(matches!(e, Error::GaugeDependent { .. }), "{e}");
}

#[test]
fn every_copy_of_a_multiple_eigenvalue_is_found() {
    // λ = 3 twice, 2 three times, and a spectrum below, in a basis that is not orthogonal
    let n = 24;
    let spectrum: Vec<C> =
        (0..n).map(|i| C::new([3.0, 3.0, 2.0, 2.0, 2.0].get(i).copied().unwrap_or(1.0 - i as f64 / n as f64), 0.0)).collect();
    let basis = random::<C>(&[n, n], 21) * C::new(0.15, 0.0) + Var::<C>::eye(n);
    let a = basis.matmul(Var::from(spectrum.clone()).diag(0)).matmul(pullback::linalg::inv(&basis).unwrap());
    for order in [Dominance::LargestMagnitude, Dominance::LargestReal] {
        for k in [2, 5, 6] {
            let found = eigs(&dense(&a), k, order, &default()).unwrap();
            let off = found.values.as_slice().iter().zip(&spectrum).map(|(x, y)| (x - y).norm()).fold(0.0, f64::max);
            assert!(off < 1e-9, "{order:?}, {k}: {:?}", found.values);
            close(&a.matmul(&found.right), &(&found.right * found.values.reshape(&[1, k])), 1e-8);
        }
    }
    // and from the other end, where the space that was found must not come back as the largest
    let negative = -&a;
    let found = eigs(&dense(&negative), 2, Dominance::SmallestReal, &default()).unwrap();
    assert!(found.values.as_slice().iter().all(|z| (z + 3.0).norm() < 1e-9), "{:?}", found.values);
    // a multiplet that is cut has no derivative, and is seen
    let sum =
        |k: usize| grad(move |a: &Var<C>| Ok::<_, Error>(eigs(&dense(a), k, Dominance::LargestReal, &default())?.values.re().sum()), &a);
    assert!(matches!(sum(1), Err(Error::GaugeDependent { .. })));
    assert!(matches!(sum(3), Err(Error::GaugeDependent { .. })));
    // d tr(P A)/dA = Pᵀ for the projector P on the pair
    let g = sum(2).unwrap();
    let pair = eigs(&dense(&a), 2, Dominance::LargestReal, &default()).unwrap();
    close(&g, &pair.right.matmul(pair.left.h()).h(), 1e-8);
}

#[test]
fn exchanges_keep_the_similarity() {
    // the Krylov space is the whole one, so what is found is its Schur form, sorted
    let n = 6;
    let a = random::<C>(&[n, n], 3);
    let exact = sorted(&a, |z| z.re);
    for k in 1..n {
        let found = eigs(&dense(&a), k, Dominance::LargestReal, &default()).unwrap();
        let off = found.values.as_slice().iter().zip(&exact).map(|(a, b)| (a - b).norm()).fold(0.0, f64::max);
        assert!(off < 1e-13, "k = {k}: {off:e}");
        close(&a.matmul(&found.right), &(&found.right * found.values.reshape(&[1, k])), 1e-13);
        close(&a.h().matmul(&found.left), &(&found.left * found.values.conj().reshape(&[1, k])), 1e-13);
    }
}
