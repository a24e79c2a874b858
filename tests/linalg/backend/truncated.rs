//! The leading part against the full decomposition.

use super::*;
use pullback::linalg::backend::{dense::Dense, truncated};

#[track_caller]
fn check_svd<T: Scalar>(a: &[T], m: usize, n: usize, k: usize, what: &str) {
    let what = format!("{what}, {m} × {n}, k = {k}");
    let (u, s, vh) = truncated_svd(a, m, n, k).unwrap();
    assert_eq!((u.len(), s.len(), vh.len()), (m * k, k, k * n), "{what}");
    let full = svdvals(a, m, n).unwrap();
    let scale = full[0].to_f64();
    assert_near(&s, &full[..k], 60.0 * eps::<T>() * scale, &what);
    assert!(s.windows(2).all(|s| s[0] >= s[1]), "{what}: order");
    assert_orthonormal(&u, m, k, &what);
    let v = adjoint(&vh, k, n);
    assert_orthonormal(&v, n, k, &what);
    assert_near(&product(a, &v, m, n, k), &times_diagonal(&u, &s), 60.0 * eps::<T>() * scale, &what);
    assert_near(&product(&adjoint(a, m, n), &u, n, m, k), &times_diagonal(&v, &s), 60.0 * eps::<T>() * scale, &what);
}

fn spectra(n: usize, k: usize) -> Vec<(&'static str, Vec<f64>)> {
    let spectrum = |f: &dyn Fn(usize) -> f64| (0..n).map(f).collect::<Vec<_>>();
    vec![
        ("exponential", spectrum(&|i| 0.7f64.powi(i as i32))),
        ("as in a critical system", spectrum(&|i| (-1.2 * (1.0 + i as f64).ln().powi(2)).exp())),
        ("algebraic", spectrum(&|i| 1.0 / (1.0 + i as f64))),
        ("flat", spectrum(&|_| 1.0)),
        ("step", spectrum(&|i| if i < k { 1.0 } else { 1e-3 })),
        ("low rank", spectrum(&|i| if i < k / 2 { 2.0 - i as f64 / k as f64 } else { 0.0 })),
        // a multiplet that begins inside and ends outside, and one of the size of the block
        ("multiplets", spectrum(&|i| 0.3f64.powi((i / 3) as i32))),
        ("one large multiplet", spectrum(&|i| if i < 5 * k { 1.0 } else { 1e-6 })),
        ("clusters", spectrum(&|i| 0.4f64.powi((i / 4) as i32) * (1.0 + 1e-9 * (i % 4) as f64))),
        ("zero", spectrum(&|_| 0.0)),
    ]
}

fn leading_triplets_are_those_of_the_full_svd<T: Scalar>() {
    let mut draw = Draw::new(40);
    for (m, n, k) in [(96, 96, 6), (130, 100, 8), (100, 130, 8), (60, 60, 0), (20, 20, 20), (40, 40, 12)] {
        for (what, s) in spectra(m.min(n), k.max(1)) {
            let a = draw.with_singular_values::<T>(m, n, &s);
            if s[0] == 0.0 || k == 0 {
                let (u, s, vh) = truncated_svd(&a, m, n, k).unwrap();
                assert_orthonormal(&u, m, k, what);
                assert_orthonormal(&adjoint(&vh, k, n), n, k, what);
                assert!(s.iter().all(|s| s.is_zero()));
            } else {
                check_svd(&a, m, n, k, what);
            }
        }
    }
}

fn truncated_holds_at_any_scale<T: Scalar>() {
    let mut draw = Draw::new(41);
    let (n, k) = (80, 5);
    let values: Vec<f64> = (0..n).map(|i| 0.6f64.powi(i as i32)).collect();
    let a = draw.with_eigenvalues::<T>(&values);
    let expected: Vec<T::Real> = values[..k].iter().map(|&x| T::Real::from_f64(x)).collect();
    for power in extreme_powers::<T>() {
        let scaled = times_power(&a, power);
        let (_, s, _) = truncated_svd(&scaled, n, n, k).unwrap();
        assert_near(&times_power(&s, -power), &expected, 60.0 * eps::<T>(), &format!("svd, 1e{power}"));
        let (w, _) = truncated_eigh(&scaled, n, k).unwrap();
        assert_near(&times_power(&w, -power), &expected, 60.0 * eps::<T>(), &format!("eigh, 1e{power}"));
    }
}

fn leading_eigenpairs_are_those_of_largest_modulus<T: Scalar>() {
    let mut draw = Draw::new(42);
    for (n, k) in [(96, 6), (120, 9), (30, 30), (50, 0)] {
        for (what, mut values) in spectra(n, k.max(1)) {
            // alternating signs, so that the largest lie at both ends
            values.iter_mut().enumerate().for_each(|(i, x)| *x *= if i % 2 == 0 { 1.0 } else { -1.0 });
            let a = draw.with_eigenvalues::<T>(&values);
            let (w, v) = truncated_eigh(&a, n, k).unwrap();
            assert_eq!((w.len(), v.len()), (k, n * k));
            assert_orthonormal(&v, n, k, what);
            let scale = values[0].abs();
            assert!(w.windows(2).all(|w| w[0].abs() >= w[1].abs()), "{what}: order");
            let moduli: Vec<T::Real> = w.iter().map(|x| x.abs()).collect();
            let mut expected: Vec<f64> = values.iter().map(|x| x.abs()).collect();
            expected.sort_by(|x, y| y.total_cmp(x));
            let expected: Vec<T::Real> = expected[..k].iter().map(|&x| T::Real::from_f64(x)).collect();
            assert_near(&moduli, &expected, 100.0 * eps::<T>() * scale, what);
            if k > 0 {
                assert_near(&product(&a, &v, n, n, k), &times_diagonal(&v, &w), 60.0 * eps::<T>() * scale, what);
            }
        }
    }
}

/// Blocks of these shapes and singular values, their rows and columns dealt out in turn; also the block of each row.
fn scattered<T: Scalar>(draw: &mut Draw, parts: &[(usize, usize, Vec<f64>)]) -> (Vec<T>, usize, usize, Vec<usize>) {
    let (m, n) = parts.iter().fold((0, 0), |(m, n), part| (m + part.0, n + part.1));
    let deal = |sizes: Vec<usize>| -> Vec<usize> {
        let mut left = sizes;
        let mut owner = vec![];
        while left.iter().any(|&l| l > 0) {
            left.iter_mut().enumerate().filter(|(_, l)| **l > 0).for_each(|(part, l)| {
                *l -= 1;
                owner.push(part);
            });
        }
        owner
    };
    let (rows, cols) = (deal(parts.iter().map(|p| p.0).collect()), deal(parts.iter().map(|p| p.1).collect()));
    let mut a = vec![T::zero(); m * n];
    for (at, (rows_in, cols_in, s)) in parts.iter().enumerate() {
        let block = draw.with_singular_values::<T>(*rows_in, *cols_in, s);
        let mut entries = block.into_iter();
        for i in (0..m).filter(|&i| rows[i] == at) {
            for j in (0..n).filter(|&j| cols[j] == at) {
                a[i * n + j] = entries.next().unwrap();
            }
        }
    }
    (a, m, n, rows)
}

/// A matrix that zeros split: the same law, vectors that are zero outside their block, and blocks of very different size kept apart.
fn blocks_are_decomposed_apart<T: Scalar>() {
    let mut draw = Draw::new(44);
    let falling = |n: usize, first: f64, ratio: f64| (0..n).map(|i| first * ratio.powi(i as i32)).collect::<Vec<_>>();
    let cases = [
        vec![(90, 90, falling(90, 1.0, 0.6)), (80, 100, falling(80, 0.9, 0.65))],
        // most of the wanted values in one block, a small one, and one without any
        vec![(100, 90, falling(90, 1.0, 0.9)), (20, 20, falling(20, 0.05, 0.5)), (70, 70, falling(70, 1e-9, 0.5))],
        // a low rank
        vec![(90, 90, falling(3, 1.0, 0.5)), (90, 90, falling(4, 1.0, 0.5))],
    ];
    for (case, parts) in cases.iter().enumerate() {
        let (a, m, n, rows) = scattered::<T>(&mut draw, parts);
        for k in [6, 12] {
            check_svd(&a, m, n, k, &format!("blocks, case {case}"));
            let (u, s, _) = truncated_svd(&a, m, n, k).unwrap();
            for j in (0..k).filter(|&j| s[j].to_f64() > 1e-3) {
                let block =
                    rows[(0..m).max_by(|&x, &y| u[x * k + j].modulus().to_f64().total_cmp(&u[y * k + j].modulus().to_f64())).unwrap()];
                assert!((0..m).all(|i| rows[i] == block || u[i * k + j].is_zero()), "case {case}: vector {j} is in two blocks");
            }
        }
        if m == n {
            let (u, s, vh) = svd(&a, m, n, false).unwrap();
            assert_orthonormal(&u, m, n, "all of U");
            assert_orthonormal(&adjoint(&vh, n, n), n, n, "all of V");
            assert_near(&product(&times_diagonal(&u, &s), &vh, m, n, n), &a, 100.0 * eps::<T>(), "U S V†");
            let h: Vec<T> = product(&a, &adjoint(&a, m, n), m, n, m);
            let h: Vec<T> = h.iter().zip(adjoint(&h, m, m)).map(|(&x, y)| (x + y) * T::constant(0.5)).collect();
            let (w, v) = eigh(&h, m).unwrap();
            assert_orthonormal(&v, m, m, "eigenvectors");
            assert_near(&product(&h, &v, m, m, m), &times_diagonal(&v, &w), 100.0 * eps::<T>(), "A V = V Λ");
        }
    }
}

/// A falling spectrum must not end in the full decomposition, a flat one must.
fn pays<T: Dense>() {
    let eps = f64::EPSILON;
    let mut draw = Draw::new(43);
    let (n, k) = (120, 6);
    let falling: Vec<f64> = (0..n).map(|i| 0.7f64.powi(i as i32)).collect();
    assert!(truncated::svd(&draw.with_singular_values::<T>(n, n, &falling), n, n, k, eps).is_some());
    assert!(truncated::eigh(&draw.with_eigenvalues::<T>(&falling), n, k, eps).is_some());
    let flat: Vec<f64> = (0..n).map(|i| 1.0 - 1e-3 * i as f64).collect();
    assert!(truncated::svd(&draw.with_singular_values::<T>(n, n, &flat), n, n, k, eps).is_none());
    assert!(truncated::eigh(&draw.with_eigenvalues::<T>(&flat), n, k, eps).is_none());
    // a rank below what is asked for ends the search too
    let low = &falling[..k / 2];
    assert!(truncated::svd(&draw.with_singular_values::<T>(n, n, low), n, n, k, eps).is_some());
}

#[test]
fn iteration_is_taken_where_it_pays() {
    pays::<f64>();
    pays::<Complex<f64>>();
}

all_types! {
    blocks_are_decomposed_apart leading_triplets_are_those_of_the_full_svd truncated_holds_at_any_scale leading_eigenpairs_are_those_of_largest_modulus
}
