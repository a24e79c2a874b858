//! eigh and svd: reconstruction, unitarity, order.

use super::*;
use pullback::linalg::backend::{
    dense::{Dense, Vectors},
    jacobi,
};

#[track_caller]
fn check_eigh<T: Scalar>(a: &[T], n: usize, what: &str) {
    let (w, v) = eigh(a, n).unwrap();
    check_eigenpairs(a, n, &w, &v, what);
    let values = eigvalsh(a, n).unwrap();
    let scale = frobenius(a).to_f64();
    assert_near(&values, &w, 10.0 * eps::<T>() * n as f64 * scale, &format!("{what}: eigvalsh"));
}

#[track_caller]
fn check_eigenpairs<T: Scalar>(a: &[T], n: usize, w: &[T::Real], v: &[T], what: &str) {
    assert_eq!((w.len(), v.len()), (n, n * n));
    assert!(w.windows(2).all(|w| w[0] <= w[1]), "{what}: ascending {w:?}");
    assert_orthonormal(v, n, n, what);
    let scale = frobenius(a).to_f64();
    assert_near(&product(a, v, n, n, n), &times_diagonal(v, w), 4.0 * eps::<T>() * n as f64 * scale, what);
}

fn eigh_diagonalises<T: Scalar>() {
    let mut draw = Draw::new(1);
    for n in [0, 1, 2, 3, 4, 7, 16, 33, 64, 140, 20 + draw.below(50), 20 + draw.below(50)] {
        check_eigh(&draw.hermitian::<T>(n), n, &format!("random, n = {n}"));
    }
}

fn eigh_holds_on_degenerate_matrices<T: Scalar>() {
    let mut draw = Draw::new(2);
    for n in [2, 5, 40, 150] {
        let identity: Vec<T> = draw.with_eigenvalues(&vec![1.0; n]);
        let projector: Vec<T> = draw.with_eigenvalues(&(0..n).map(|i| f64::from(i < n / 2)).collect::<Vec<_>>());
        let pairs: Vec<T> = draw.with_eigenvalues(&(0..n).map(|i| (i / 2) as f64 - 3.0).collect::<Vec<_>>());
        let rank_one: Vec<T> = draw.with_eigenvalues(&(0..n).map(|i| f64::from(i == 0)).collect::<Vec<_>>());
        let diagonal: Vec<T> = (0..n * n).map(|at| if at / n == at % n { T::constant(1.0) } else { T::zero() }).collect();
        for (a, what) in
            [(identity, "identity"), (projector, "projector"), (pairs, "pairs"), (rank_one, "rank one"), (diagonal, "exact identity")]
        {
            check_eigh(&a, n, &format!("{what}, n = {n}"));
        }
        check_eigh(&vec![T::zero(); n * n], n, "zero");
    }
}

fn eigh_finds_graded_eigenvalues_to_the_largest<T: Scalar>() {
    let mut draw = Draw::new(3);
    let n = 30;
    let values: Vec<f64> = (0..n).map(|i| 10f64.powf(-0.8 * (n - 1 - i) as f64)).collect();
    let (w, _) = eigh(&draw.with_eigenvalues::<T>(&values), n).unwrap();
    let expected: Vec<T::Real> = values.iter().map(|&x| T::Real::from_f64(x)).collect();
    assert_near(&w, &expected, 20.0 * eps::<T>(), "graded");
}

fn eigh_and_svd_hold_at_any_scale<T: Scalar>() {
    let mut draw = Draw::new(4);
    for n in [1, 6, 30, 140] {
        let a = draw.hermitian::<T>(n);
        let (w, v) = eigh(&a, n).unwrap();
        let s = svdvals(&a, n, n).unwrap();
        for power in extreme_powers::<T>() {
            let scaled = times_power(&a, power);
            let back = |x: &[T::Real]| times_power(x, -power);
            let (ws, vs) = eigh(&scaled, n).unwrap();
            check_eigenpairs(&a, n, &back(&ws), &vs, &format!("n = {n}, 1e{power}"));
            let tolerance = 4.0 * eps::<T>() * n as f64 * frobenius(&a).to_f64();
            assert_near(&back(&ws), &w, tolerance, &format!("eigh, n = {n}, 1e{power}"));
            assert_near(&back(&svdvals(&scaled, n, n).unwrap()), &s, tolerance, &format!("svdvals, n = {n}, 1e{power}"));
            let (u, t, vh) = svd(&scaled, n, n, false).unwrap();
            assert_near(&product(&times_diagonal(&u, &back(&t)), &vh, n, n, n), &a, tolerance, &format!("svd, n = {n}, 1e{power}"));
        }
        assert_eq!(v.len(), n * n);
    }
}

#[test]
fn eigh_reads_the_lower_triangle() {
    let mut draw = Draw::new(6);
    let n = 9;
    let a = draw.hermitian::<Complex<f64>>(n);
    let mut b = a.clone();
    for i in 0..n {
        b[i * n + i].im = 3.0;
        for j in i + 1..n {
            b[i * n + j] = Complex::new(7.0, 8.0);
        }
    }
    assert_near(&eigh(&b, n).unwrap().0, &eigh(&a, n).unwrap().0, 1e-13, "upper triangle ignored");
    assert_near(&truncated_eigh(&b, n, n).unwrap().0, &truncated_eigh(&a, n, n).unwrap().0, 1e-13, "upper triangle ignored");
}

#[track_caller]
fn check_svd<T: Scalar>(a: &[T], m: usize, n: usize, what: &str) {
    let k = m.min(n);
    let scale = frobenius(a).to_f64();
    let tolerance = 4.0 * eps::<T>() * m.max(n) as f64 * scale;
    for full in [false, true] {
        let what = format!("{what}, {m} × {n}, full = {full}");
        let (u, s, vh) = svd(a, m, n, full).unwrap();
        let (p, q) = if full { (m, n) } else { (k, k) };
        assert_eq!((u.len(), s.len(), vh.len()), (m * p, k, q * n), "{what}");
        assert!(s.windows(2).all(|s| s[0] >= s[1]) && s.iter().all(|&s| s >= T::Real::zero()), "{what}: {s:?}");
        assert_orthonormal(&u, m, p, &what);
        assert_orthonormal(&adjoint(&vh, q, n), n, q, &what);
        let thin_u: Vec<T> = if p == 0 { vec![] } else { u.chunks(p).flat_map(|row| row[..k].to_vec()).collect() };
        if k > 0 {
            assert_near(&product(&times_diagonal(&thin_u, &s), &vh[..k * n], m, k, n), a, tolerance, &what);
        }
        assert_near(&svdvals(a, m, n).unwrap(), &s, tolerance, &what);
    }
}

fn svd_reconstructs<T: Scalar>() {
    let mut draw = Draw::new(7);
    let shapes =
        [(0, 0), (0, 3), (3, 0), (1, 1), (1, 6), (6, 1), (2, 2), (5, 5), (17, 5), (5, 17), (40, 33), (150, 140), (140, 30), (20, 160)];
    for (m, n) in shapes.into_iter().chain((0..4).map(|_| (1 + draw.below(60), 1 + draw.below(60))).collect::<Vec<_>>()) {
        check_svd(&draw.matrix::<T>(m, n), m, n, "random");
    }
}

fn svd_holds_on_deficient_matrices<T: Scalar>() {
    let mut draw = Draw::new(8);
    for (m, n) in [(4, 4), (30, 30), (150, 150), (90, 20), (20, 90)] {
        check_svd(&vec![T::zero(); m * n], m, n, "zero");
        check_svd(&draw.with_singular_values::<T>(m, n, &[2.0]), m, n, "rank one");
        check_svd(&draw.with_singular_values::<T>(m, n, &[1.0, 1.0, 1.0]), m, n, "rank three");
        let k = m.min(n);
        let eye: Vec<T> = (0..m * n).map(|at| if at / n == at % n { T::constant(1.0) } else { T::zero() }).collect();
        check_svd(&eye, m, n, "identity");
        let graded: Vec<f64> = (0..k).map(|i| 10f64.powf(-0.5 * i as f64)).collect();
        check_svd(&draw.with_singular_values::<T>(m, n, &graded), m, n, "graded");
        let mut repeated = draw.matrix::<T>(m, n);
        for row in repeated.chunks_mut(n) {
            row[n - 1] = row[0];
        }
        check_svd(&repeated, m, n, "repeated column");
    }
}

#[test]
fn graded_columns_of_a_tall_matrix_keep_their_singular_values() {
    // columns that depend on each other up to 1e-13: a QR step that drops them would lose the last value
    let (m, n) = (2000, 3);
    let mut draw = Draw::new(9);
    let q = draw.orthonormal::<f64>(m, n);
    let t = 1e-13;
    let a: Vec<f64> = q.chunks(3).flat_map(|q| [q[0], q[0] + t * q[1], q[2]]).collect();
    // the Gram matrix of ((1, 1), (0, t)) gives s₂ = t/√2 to first order
    let s = svdvals(&a, m, n).unwrap();
    assert!((s[2] / (t / 2f64.sqrt()) - 1.0).abs() < 0.02, "{s:?}");
}

/// The fallbacks are never reached by a test of eigh or svd, so they are tested by themselves.
fn jacobi_agrees_with_the_library<T: Dense>() {
    let mut draw = Draw::new(10);
    for n in [1, 2, 9, 30] {
        let a = draw.hermitian::<T>(n);
        let (w, v) = jacobi::eigh(&a, n).unwrap();
        check_eigenpairs(&a, n, &w, &v, "jacobi");
        assert_near(&w, &eigh(&a, n).unwrap().0, 10.0 * eps::<T>() * n as f64, "jacobi");
    }
    for (m, n) in [(1, 1), (7, 3), (3, 7), (25, 25), (1, 4)] {
        let k = m.min(n);
        let deficient = draw.with_singular_values::<T>(m, n, &vec![1.5; k.div_ceil(2)]);
        for a in [draw.matrix::<T>(m, n), deficient, vec![T::zero(); m * n]] {
            let (u, s, vh) = jacobi::svd(&a, m, n).unwrap();
            let tolerance = 20.0 * eps::<T>() * m.max(n) as f64;
            assert_orthonormal(&u, m, k, "jacobi u");
            assert_orthonormal(&adjoint(&vh, k, n), n, k, "jacobi v");
            assert_near(&product(&times_diagonal(&u, &s), &vh, m, k, n), &a, tolerance, "jacobi svd");
            assert_near(&s, &svdvals(&a, m, n).unwrap(), tolerance, "jacobi svd");
        }
    }
}

#[test]
fn the_careful_algorithms_agree_with_the_quick_ones() {
    let mut draw = Draw::new(11);
    let n = 140;
    let a = draw.hermitian::<f64>(n);
    let (w, v) = f64::eigh(&a, n, true, true).unwrap();
    check_eigenpairs(&a, n, &w, &v, "careful eigh");
    let (u, s, vh) = f64::svd(&a, n, n, Vectors::Thin, true).unwrap();
    assert_near(&product(&times_diagonal(&u, &s), &vh, n, n, n), &a, 1e-12, "careful svd");
}

#[test]
fn bad_input_is_named() {
    let mut a = vec![1.0f64; 12];
    a[7] = f64::NAN;
    let message = |e: pullback::Error| e.to_string();
    assert_eq!(message(svd(&a, 3, 4, false).unwrap_err()), "svd: entry (1, 3) of the 3 × 4 matrix is NaN");
    assert!(matches!(svd(&a, 4, 4, false), Err(pullback::Error::Shape { operation: "svd", .. })));
    let mut z = vec![Complex::new(1.0f32, 0.0); 9];
    z[8].im = f32::INFINITY;
    assert!(matches!(eigh(&z, 3), Err(pullback::Error::NonFinite { operation: "eigh", .. })));
    // the largest singular value of a full matrix of the largest numbers is out of range
    assert!(matches!(svdvals(&[f64::MAX; 9], 3, 3), Err(pullback::Error::NonFinite { .. })));
    assert!(matches!(truncated_svd(&[1.0f64; 6], 2, 3, 3), Err(pullback::Error::Argument { .. })));
}

#[test]
fn jacobi_agrees() {
    jacobi_agrees_with_the_library::<f64>();
    jacobi_agrees_with_the_library::<Complex<f64>>();
}

all_types! {
    eigh_diagonalises eigh_holds_on_degenerate_matrices eigh_finds_graded_eigenvalues_to_the_largest eigh_and_svd_hold_at_any_scale
    svd_reconstructs svd_holds_on_deficient_matrices
}
