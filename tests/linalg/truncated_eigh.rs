//! The leading eigenpairs by modulus: what is kept, the correction for the rest, and what has no derivative.

use super::random::*;
use num_complex::Complex64;
use pullback::linalg::*;
use pullback::prelude::*;

fn kept(values: &[f64], truncation: Truncation) -> Vec<f64> {
    let (kept, vectors) = truncated_eigh(&with_spectrum::<Complex64>(61, values), truncation).unwrap();
    assert_eq!(vectors.shape(), &[values.len(), kept.len()]);
    kept.as_slice().iter().map(|v| (v * 1e9).round() / 1e9).collect()
}

#[test]
fn neither_multiplets_nor_opposite_pairs_are_split() {
    assert_eq!(kept(&[1.0, -4.0, 3.0, 0.5], Truncation::rank(2)), [-4.0, 3.0]);
    assert_eq!(kept(&[5.0, 2.0, 2.0, 1.0], Truncation::rank(2)), [5.0]);
    assert_eq!(kept(&[5.0, 2.0, 2.0, 1.0], Truncation::rank(3)), [5.0, 2.0, 2.0]);
    assert_eq!(kept(&[3.0, -3.0, 1.0], Truncation::rank(1)), [3.0, -3.0], "something is kept");
    assert_eq!(kept(&[-3.0, 2.0, 3.0, -2.0, 0.1], Truncation::rank(3)), [3.0, -3.0]);
    assert_eq!(kept(&[1.0, -4.0, 3.0, 0.5], Truncation::tolerance(0.2)), [-4.0, 3.0, 1.0]);
    assert_eq!(kept(&[0.0, 0.0], Truncation::rank(1)), [] as [f64; 0]);
}

/// The derivative of the exact leading pairs, not that of the approximation by a fixed subspace: small matrices by the full
/// decomposition, a large one by iteration.
#[test]
fn the_correction_for_the_discarded_part_is_exact() {
    // three leading values well apart, the rest distinct and smaller, of either sign
    let spectrum = |n: usize| {
        let rest = (0..n - 3).map(|k| 0.3 * (1.0 - k as f64 / n as f64) * if k % 2 == 0 { -1.0 } else { 1.0 });
        [2.0, -1.4, 0.98].into_iter().chain(rest).collect::<Vec<f64>>()
    };
    for n in [5, 90] {
        let a = with_spectrum::<f64>(62, &spectrum(n));
        let loss = |values: Var<f64>, v: Var<f64>| {
            let weights = Var::from([1.0, -2.0, 0.5]);
            let part = (&v * &weights).matmul(v.t());
            weighted(63, &part) + (values * weights).sum()
        };
        let cut = |a: &Var<f64>| {
            let (values, v) = truncated_eigh(a, Truncation::rank(3))?;
            Ok::<_, Error>(loss(values, v))
        };
        let whole = |a: &Var<f64>| {
            let (values, v) = eigh(a)?;
            // 2, −1.4, 0.98 are the last, the first and the last but one in ascending order
            let order = [n - 1, 0, n - 2];
            Ok::<_, Error>(loss(values.index_select(&order, 0), v.index_select(&order, 1)))
        };
        let (x, y) = (grad(cut, &a).unwrap(), grad(whole, &a).unwrap());
        assert!(distance(&x, &y) < 1e-11 * n as f64, "n = {n}: {:e}", distance(&x, &y));
        let da = random::<f64>(64, &[n, n]);
        let (x, y) = (jvp(cut, &a, &da).unwrap().1, jvp(whole, &a, &da).unwrap().1);
        assert!((x.item() - y.item()).abs() < 1e-10 * n as f64, "n = {n}: {x} against {y}");
    }
}

#[test]
fn a_function_of_a_whole_multiplet_has_the_derivative_of_its_projector() {
    let a = with_spectrum::<Complex64>(65, &[4.0, 4.0, -1.0, 0.5]);
    let by_pairs = |a: &Var<Complex64>| {
        let v = truncated_eigh(a, Truncation::rank(2))?.1;
        Ok::<_, Error>(weighted(66, &v.matmul(v.h())))
    };
    let by_projector = |a: &Var<Complex64>| Ok::<_, Error>(weighted(66, &(identity::<Complex64>(4) - projector(a, 2)?)));
    assert!(distance(&grad(by_pairs, &a).unwrap(), &grad(by_projector, &a).unwrap()) < 1e-12);
}

#[test]
fn what_depends_on_the_basis_is_refused() {
    let refused = |r: Result<Var<Complex64>>| assert!(matches!(r, Err(Error::GaugeDependent { .. })), "{r:?}");
    let a = with_spectrum::<Complex64>(67, &[4.0, 4.0, -1.0, 0.5]);
    refused(grad(|a: &Var<Complex64>| Ok::<_, Error>(truncated_eigh(a, Truncation::rank(2))?.0.slice(s![0])), &a));
    // weights: one component alone vanishes in one of the two vectors in the basis that some algorithms choose
    let weights = Var::from(vec![1.0, 2.0, 4.0, 7.0]);
    let first =
        |a: &Var<Complex64>| Ok::<_, Error>((&weights * truncated_eigh(a, Truncation::rank(2))?.1.slice(s![.., 0]).abs_squared()).sum());
    refused(grad(first, &a));
    let b = with_spectrum::<Complex64>(68, &[4.0, 2.0, -1.0, 0.5]);
    refused(grad(|b: &Var<Complex64>| Ok::<_, Error>(truncated_eigh(b, Truncation::rank(2))?.1.re().sum()), &b));
    // +λ and −λ are two values, each with its own derivative
    let c = with_spectrum::<Complex64>(69, &[4.0, -4.0, 0.5]);
    grad(|c: &Var<Complex64>| Ok::<_, Error>(truncated_eigh(c, Truncation::rank(2))?.0.slice(s![0])), &c).unwrap();
}
