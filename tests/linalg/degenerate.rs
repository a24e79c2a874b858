//! Exactly and nearly degenerate spectra, zero singular values, losses that depend on a gauge.

use super::random::*;
use num_complex::Complex64;
use pullback::linalg::*;
use pullback::prelude::*;

const SPECTRUM: [f64; 4] = [1.0, 1.0, 2.0, 2.0];

/// tr(K P) for the projector onto the two lowest eigenvectors of a matrix with eigenvalues (1, 1, 2, 2).
fn loss<T: Sample>(k: &Var<T>, p: &Var<T>) -> Var<f64> {
    k.matmul(p).trace().re()
}

fn projector_loss_is_right_to_second_order<T: Sample>() {
    let b = random::<T>(2, &[4, 4]);
    let k = (&b + b.h()).scale(0.5);
    for a in [with_spectrum::<T>(1, &SPECTRUM), (identity::<T>(4) * Var::from(SPECTRUM).astype::<T>())] {
        let by_projector = |a: &Var<T>| Ok::<_, Error>(loss(&k, &projector(a, 2)?));
        gradcheck(by_projector, &a).unwrap();
        // the closed formula: P₁ K P₂/(λ₁ − λ₂) + its adjoint
        let p = projector(&a, 2).unwrap();
        let q = identity::<T>(4) - &p;
        let half = p.matmul(&k).matmul(&q).scale(-1.0);
        let exact = &half + half.h();
        assert!(distance(&grad(by_projector, &a).unwrap(), &exact) < 1e-13);
        // through raw eigenvectors the first derivative is right, and the second refused
        let by_vectors = |a: &Var<T>| {
            let v = eigh(a)?.1.slice(s![.., ..2]);
            Ok::<_, Error>(loss(&k, &v.matmul(v.h())))
        };
        assert!(distance(&grad(by_vectors, &a).unwrap(), &exact) < 1e-13);
        let direction = random::<T>(3, &[4, 4]);
        let e = grad(|a: &Var<T>| Ok::<_, Error>(weighted(4, &grad(by_vectors, a)?)), &a).map(|_| ()).unwrap_err();
        assert!(e.to_string().contains("projector"), "{e}");
        let e = hvp(by_vectors, &a, &direction).map(|_| ()).unwrap_err();
        assert!(e.to_string().contains("projector"), "{e}");
    }
}

#[test]
fn projector_loss_is_right_to_second_order_real() {
    projector_loss_is_right_to_second_order::<f64>();
}

#[test]
fn projector_loss_is_right_to_second_order_complex() {
    projector_loss_is_right_to_second_order::<Complex64>();
}

/// f(A) at degenerate and nearly degenerate spectra, to second order; V f(λ) V† through eigh is not.
#[test]
fn functions_of_degenerate_matrices() {
    for gap in [0.0, 1e-13, 1e-9, 1e-6, 1e-3] {
        let a = with_spectrum::<Complex64>(5, &[1.0, 1.0 + gap, 1.0 + 2.0 * gap, 2.0]);
        for f in [Spectral::Log, Spectral::Sqrt, Spectral::Exp, Spectral::Fermi { beta: 3.0, mu: 1.2 }] {
            gradcheck(|a| funm(a, f), &a).unwrap_or_else(|e| panic!("gap {gap}, {f:?}: {e}"));
        }
    }
    gradcheck(|(h, b)| density_matrix(h, b), &(identity::<f64>(3), 1.3)).unwrap();
}

#[test]
fn symmetric_functions_of_degenerate_eigenvalues_are_differentiable() {
    let a = with_spectrum::<f64>(6, &SPECTRUM);
    let by_values = |a: &Var<f64>| Ok::<_, Error>(eigvalsh(a)?.exp().sum());
    let exact = funm(&a, Spectral::Exp).unwrap();
    assert!(distance(&grad(by_values, &a).unwrap(), &exact) < 1e-13);
}

#[test]
fn what_depends_on_a_basis_or_a_phase_is_refused() {
    let a = with_spectrum::<f64>(7, &SPECTRUM);
    let first = |a: &Var<f64>| Ok::<_, Error>(weighted(8, &eigh(a)?.1.abs_squared()));
    let e = grad(first, &a).unwrap_err();
    assert!(matches!(e, Error::GaugeDependent { .. }) && e.to_string().contains("funm"), "{e}");
    let lowest = |a: &Var<f64>| Ok::<_, Error>(eigvalsh(a)?.slice(s![0]));
    assert!(grad(lowest, &a).unwrap_err().to_string().contains("coincide"));
    let phase = |a: &Var<Complex64>| Ok::<_, Error>(weighted(9, &eigh(a)?.1));
    let e = grad(phase, &random::<Complex64>(10, &[3, 3])).unwrap_err();
    assert!(e.to_string().contains("phase"), "{e}");
    let phase = |a: &Var<Complex64>| Ok::<_, Error>(weighted(9, &svd(a)?.0));
    let e = grad(phase, &random::<Complex64>(10, &[3, 2])).unwrap_err();
    assert!(matches!(e, Error::GaugeDependent { .. }), "{e}");
    let phase = |a: &Var<f64>| Ok::<_, Error>(eig(a)?.1.re().sum());
    let e = grad(phase, &Var::from(ndarray::array![[0.0, -1.0], [1.0, 0.3]])).unwrap_err();
    assert!(matches!(e, Error::GaugeDependent { .. }), "{e}");
    let tie = |a: &Var<f64>| projector(a, 1);
    assert!(tie(&a).unwrap_err().to_string().contains("coincide"));
}

#[test]
fn broadening_is_an_option_and_relative() {
    let a = with_spectrum::<f64>(11, &SPECTRUM).scale(1e-3);
    let f = |a: &Var<f64>| Ok::<_, Error>(weighted(12, &eigh_with(a, &EighOptions { broadening: Some(1e-6) })?.1.abs_squared()));
    assert!(grad(f, &a).unwrap().as_slice().iter().all(|g| g.is_finite()));
    // where nothing is degenerate it changes the derivative by (η/Δ)²
    let b = with_spectrum::<f64>(13, &[1.0, 2.0, 3.5]);
    let plain = |a: &Var<f64>| Ok::<_, Error>(weighted(12, &eigh(a)?.1.abs_squared()));
    let near = |a: &Var<f64>| Ok::<_, Error>(weighted(12, &eigh_with(a, &EighOptions { broadening: Some(1e-6) })?.1.abs_squared()));
    assert!(distance(&grad(plain, &b).unwrap(), &grad(near, &b).unwrap()) < 1e-10);
}

#[test]
fn zero_and_equal_singular_values() {
    // rank one: the leading pair is smooth, the null vectors are not defined
    let a = random::<f64>(14, &[4, 1]).matmul(random::<f64>(15, &[1, 3]));
    let leading = |a: &Var<f64>| {
        let (u, s, vh) = svd(a)?;
        Ok::<_, Error>((s.slice(s![..1]), u.slice(s![.., ..1]).matmul(vh.slice(s![..1, ..]))))
    };
    gradcheck_with(leading, &a, &GradCheck { order: 1, forward: false, ..Default::default() }).unwrap();
    let null = |a: &Var<f64>| Ok::<_, Error>(weighted(16, &svd(a)?.0.slice(s![.., 1..])));
    assert!(matches!(grad(null, &a).unwrap_err(), Error::GaugeDependent { .. }));
    // the nuclear norm of a matrix of low rank: u v† is a subgradient
    let g = grad(|a: &Var<f64>| Ok::<_, Error>(svdvals(a)?.sum()), &a).unwrap();
    let (u, _, vh) = svd(&a).unwrap();
    assert!(distance(&g, &u.slice(s![.., ..1]).matmul(vh.slice(s![..1, ..]))) < 1e-12);
    // the polar factor of a unitary matrix: U V† is smooth where all singular values are equal
    let q = unitary::<Complex64>(17, 3);
    gradcheck_with(
        |a: &Var<Complex64>| {
            let (u, _, vh) = svd(a)?;
            Ok::<_, Error>(u.matmul(&vh))
        },
        &q,
        &GradCheck { order: 1, forward: false, ..Default::default() },
    )
    .unwrap();
    gradcheck(|a| polar(a), &q).unwrap();
}

#[test]
fn truncation_never_splits_a_multiplet() {
    let (u, v) = (unitary::<f64>(18, 6), unitary::<f64>(19, 6));
    let with = |s: [f64; 6]| (&u * Var::from(s)).matmul(v.h());
    let kept = |s, t| truncated_svd(&with(s), t).unwrap().1.len();
    assert_eq!(kept([5.0, 3.0, 3.0, 3.0, 1.0, 0.5], Truncation::rank(2)), 1);
    assert_eq!(kept([5.0, 3.0, 3.0, 3.0, 1.0, 0.5], Truncation::rank(4)), 4);
    assert_eq!(kept([3.0, 3.0, 3.0, 3.0, 3.0, 0.5], Truncation::rank(2)), 5, "a multiplet at the top is kept whole");
    assert_eq!(kept([5.0, 3.0, 1.0, 0.1, 0.01, 0.001], Truncation::tolerance(0.05)), 3);
    assert_eq!(kept([5.0, 3.0, 0.0, 0.0, 0.0, 0.0], Truncation::rank(4)), 2, "null vectors are never kept");
}
