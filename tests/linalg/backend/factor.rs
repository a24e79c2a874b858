//! QR, LU, Cholesky, solutions, determinants and inverses.

use super::*;
use pullback::Error;
use pullback::scalar::Number;

fn qr_is_unitary_times_triangular<T: Scalar>() {
    let mut draw = Draw::new(20);
    let shapes = [(0, 2), (2, 0), (1, 1), (1, 5), (5, 1), (8, 8), (30, 12), (12, 30), (70, 70), (200, 40), (40, 200)];
    for (m, n) in shapes.into_iter().chain((0..4).map(|_| (1 + draw.below(60), 1 + draw.below(60))).collect::<Vec<_>>()) {
        let rank_two = draw.with_singular_values::<T>(m, n, &[1.0, 0.5][..m.min(n).min(2)]);
        for a in [draw.matrix::<T>(m, n), vec![T::zero(); m * n], rank_two] {
            for full in [false, true] {
                let what = format!("{m} × {n}, full = {full}");
                let k = if full { m } else { m.min(n) };
                let (q, r) = qr(&a, m, n, full).unwrap();
                assert_eq!((q.len(), r.len()), (m * k, k * n));
                assert_orthonormal(&q, m, k, &what);
                assert_near(&product(&q, &r, m, k, n), &a, 4.0 * eps::<T>() * m.max(n) as f64 * frobenius(&a).to_f64(), &what);
                for i in 0..k {
                    for j in 0..i.min(n) {
                        assert_eq!(r[i * n + j], T::zero(), "{what}: below the diagonal");
                    }
                    if i < n {
                        assert!(r[i * n + i].re() >= T::Real::zero() && r[i * n + i].im() == T::Real::zero(), "{what}: diagonal");
                    }
                }
            }
        }
    }
}

fn qr_holds_at_any_scale<T: Scalar>() {
    let mut draw = Draw::new(21);
    let (m, n) = (20, 12);
    let a = draw.matrix::<T>(m, n);
    let (q, r) = qr(&a, m, n, false).unwrap();
    for power in extreme_powers::<T>() {
        let (qs, rs) = qr(&times_power(&a, power), m, n, false).unwrap();
        assert_near(&qs, &q, 200.0 * eps::<T>(), &format!("q, 1e{power}"));
        assert_near(&times_power(&rs, -power), &r, 200.0 * eps::<T>(), &format!("r, 1e{power}"));
    }
}

#[test]
fn qr_keeps_a_small_independent_part() {
    // the second column leaves the first by 1e-13 of its length: R must show it
    let m = 2000;
    let q = Draw::new(22).orthonormal::<f64>(m, 2);
    let a: Vec<f64> = q.chunks(2).flat_map(|q| [q[0], q[0] + 1e-13 * q[1]]).collect();
    let (_, r) = qr(&a, m, 2, false).unwrap();
    assert!((r[3] / 1e-13 - 1.0).abs() < 0.02, "{r:?}");
}

fn lu_reconstructs<T: Scalar>() {
    let mut draw = Draw::new(23);
    let shapes = [(0, 3), (3, 0), (1, 1), (1, 7), (7, 1), (12, 12), (40, 9), (9, 40), (90, 90)];
    for (m, n) in shapes.into_iter().chain((0..4).map(|_| (1 + draw.below(60), 1 + draw.below(60))).collect::<Vec<_>>()) {
        let mut singular = draw.matrix::<T>(m, n);
        // two zero columns, the second in the middle: exact zero pivots
        singular.iter_mut().enumerate().for_each(|(at, x)| {
            if at % n == 0 || at % n == n / 2 {
                *x = T::zero();
            }
        });
        for a in [draw.matrix::<T>(m, n), singular, vec![T::zero(); m * n]] {
            let what = format!("{m} × {n}");
            let k = m.min(n);
            let (p, l, u) = lu(&a, m, n).unwrap();
            let mut seen = p.clone();
            seen.sort_unstable();
            assert_eq!(seen, (0..m).collect::<Vec<_>>(), "{what}: a permutation");
            let permuted: Vec<T> = p.iter().flat_map(|&i| a[i * n..(i + 1) * n].to_vec()).collect();
            assert_near(&product(&l, &u, m, k, n), &permuted, 10.0 * eps::<T>() * k.max(1) as f64, &what);
            for i in 0..m {
                for j in 0..k {
                    let x = l[i * k + j];
                    assert!(
                        if i < j {
                            x == T::zero()
                        } else if i == j {
                            x == T::one()
                        } else {
                            x.modulus().to_f64() < 1.5
                        },
                        "{what}: L"
                    );
                }
            }
            assert!((0..k).all(|i| (0..i.min(n)).all(|j| u[i * n + j] == T::zero())), "{what}: U");
        }
    }
}

fn cholesky_reconstructs_and_names_the_bad_pivot<T: Scalar>() {
    let mut draw = Draw::new(24);
    for n in [0, 1, 2, 9, 33, 100, 1 + draw.below(60)] {
        let b = draw.matrix::<T>(n, n);
        let mut a = product(&b, &adjoint(&b, n, n), n, n, n);
        (0..n).for_each(|i| a[i * n + i] += T::one());
        for power in if n == 9 { extreme_powers::<T>() } else { [0; 5] } {
            let l = cholesky(&times_power(&a, power), n).unwrap();
            assert!((0..n).all(|i| l[i * n + i].re() > T::Real::zero() && (i + 1..n).all(|j| l[i * n + j] == T::zero())));
            // undo the scale on L first, whose square would leave the range
            let l = times_power(&l, -power / 2);
            let l: Vec<T> =
                if power % 2 == 0 { l } else { l.iter().map(|&x| x * T::constant(10f64.powf(-f64::from(power % 2) / 2.0))).collect() };
            let tolerance = 20.0 * eps::<T>() * n as f64 * frobenius(&a).to_f64();
            assert_near(&product(&l, &adjoint(&l, n, n), n, n, n), &a, tolerance, &format!("n = {n}, 1e{power}"));
        }
        for bad in [0, n / 2, n.saturating_sub(1)].into_iter().filter(|&i| i < n) {
            let mut c = a.clone();
            c[bad * n + bad] = -T::one();
            let Err(Error::Singular { operation: "cholesky", message }) = cholesky(&c, n) else {
                panic!("an indefinite matrix was factored")
            };
            assert!(message.contains(&format!("pivot {bad} is not positive")), "{message}");
        }
    }
    assert!(matches!(cholesky(&[T::zero(); 16], 4), Err(Error::Singular { .. })));
}

fn solutions_satisfy_their_equation<T: Scalar>() {
    let mut draw = Draw::new(25);
    for n in [0, 1, 2, 8, 35, 90] {
        for nrhs in [0, 1, 3, 20] {
            let mut a = draw.matrix::<T>(n, n);
            (0..n).for_each(|i| a[i * n + i] += T::constant(2.0 * (n as f64).sqrt()));
            let b = draw.matrix::<T>(n, nrhs);
            let tolerance = 50.0 * eps::<T>() * n as f64;
            for power in extreme_powers::<T>() {
                let x = solve(&times_power(&a, power), n, &times_power(&b, power), nrhs).unwrap();
                assert_near(&product(&a, &x, n, n, nrhs), &b, tolerance, &format!("solve, n = {n}, 1e{power}"));
            }
            let factor = lu_factor(&a, n).unwrap();
            let transposed: Vec<T> = adjoint(&a, n, n).iter().map(|x| x.conj()).collect();
            for (op, matrix) in [(Op::None, &a), (Op::Transpose, &transposed), (Op::Adjoint, &adjoint(&a, n, n))] {
                let x = factor.solve(&b, nrhs, op).unwrap();
                assert_near(&product(matrix, &x, n, n, nrhs), &b, tolerance, &format!("{op:?}, n = {n}"));
            }
            assert_near(&product(&a, &inv(&a, n).unwrap(), n, n, n), &product(&inv(&a, n).unwrap(), &a, n, n, n), tolerance, "inverse");
        }
    }
}

fn triangular_solutions_satisfy_their_equation<T: Scalar>() {
    let mut draw = Draw::new(26);
    for (n, nrhs) in [(0, 2), (1, 1), (5, 0), (6, 4), (40, 1), (40, 17), (80, 90)] {
        let full: Vec<T> = draw
            .matrix::<T>(n, n)
            .iter()
            .enumerate()
            .map(|(at, &x)| if at / n == at % n { x + T::constant(3.0) } else { x * T::constant(1.0 / n as f64) })
            .collect();
        let b = draw.matrix::<T>(n, nrhs);
        for lower in [true, false] {
            for unit in [true, false] {
                let triangle: Vec<T> = (0..n * n)
                    .map(|at| {
                        let (i, j) = (at / n, at % n);
                        if i == j && unit {
                            T::one()
                        } else if i == j || (i > j) == lower {
                            full[at]
                        } else {
                            T::zero()
                        }
                    })
                    .collect();
                let h = adjoint(&triangle, n, n);
                let t: Vec<T> = h.iter().map(|x| x.conj()).collect();
                for (op, matrix) in [(Op::None, &triangle), (Op::Transpose, &t), (Op::Adjoint, &h)] {
                    let x = solve_triangular(&full, n, &b, nrhs, lower, unit, op).unwrap();
                    assert_near(
                        &product(matrix, &x, n, n, nrhs),
                        &b,
                        20.0 * eps::<T>() * n as f64,
                        &format!("{n}, {lower}, {unit}, {op:?}"),
                    );
                }
            }
        }
    }
    let mut a = vec![T::one(); 9];
    a[4] = T::zero();
    let error = solve_triangular(&a, 3, &[T::one(); 3], 1, true, false, Op::None).unwrap_err();
    assert!(error.to_string().contains("entry (1, 1) is zero"), "{error}");
    assert!(solve_triangular(&a, 3, &[T::one(); 3], 1, true, true, Op::None).is_ok());
}

fn singular_matrices_have_no_solution<T: Scalar>() {
    let n = 6;
    let mut a = Draw::new(27).matrix::<T>(n, n);
    a.chunks_mut(n).for_each(|row| row[2] = T::zero());
    for result in [solve(&a, n, &vec![T::one(); n], 1), inv(&a, n)] {
        assert!(matches!(result, Err(Error::Singular { .. })));
    }
    assert_eq!(det(&a, n).unwrap(), T::zero());
    let (sign, log) = slogdet(&a, n).unwrap();
    assert_eq!((sign, log), (T::zero(), -T::Real::INFINITY));
    assert_eq!(lu_factor(&a, n).unwrap().zero_pivot(), Some(2));
}

fn determinants_of_known_matrices<T: Scalar>() {
    let mut draw = Draw::new(28);
    assert_eq!(det::<T>(&[], 0).unwrap(), T::one());
    assert_eq!(slogdet::<T>(&[], 0).unwrap(), (T::one(), T::Real::zero()));
    // a cyclic shift of n rows is a permutation of sign (−1)^(n−1)
    for n in [2, 3, 8, 41] {
        let shift: Vec<T> = (0..n * n).map(|at| if (at / n + 1) % n == at % n { T::constant(2.0) } else { T::zero() }).collect();
        let sign = if n % 2 == 1 { T::one() } else { -T::one() };
        let (found, log) = slogdet(&shift, n).unwrap();
        assert_near(&[found], &[sign], 10.0 * eps::<T>(), "sign");
        assert_near(&[log], &[T::Real::from_f64(n as f64 * 2f64.ln())], 10.0 * eps::<T>() * n as f64, "log");
        if n < 40 {
            assert_near(&[det(&shift, n).unwrap()], &[sign * T::constant(2f64.powi(n as i32))], 0.0, "det");
        }
    }
    // unit lower times upper with known diagonal, multiplicativity under a scale that over- and underflows the product
    let n = 60;
    let a = draw.matrix::<T>(n, n);
    let (sign, log) = slogdet(&a, n).unwrap();
    for power in extreme_powers::<T>() {
        let (other, shifted) = slogdet(&times_power(&a, power), n).unwrap();
        assert_near(&[other], &[sign], 1e3 * eps::<T>(), &format!("sign, 1e{power}"));
        let expected = log.to_f64() + (n as f64) * f64::from(power) * std::f64::consts::LN_10;
        assert_near(&[shifted], &[T::Real::from_f64(expected)], 100.0 * eps::<T>() * (1.0 + expected.abs()), &format!("log, 1e{power}"));
    }
    let d = det(&a, n).unwrap();
    assert_near(&[d * T::from_real((-log).exp())], &[sign], 1e4 * eps::<T>(), "det is sign exp(log)");
    // partial products leave the range, the determinant does not
    let (big, small) = if T::Real::MAX.to_f64() > 1e40 { (1e200, 1e-200) } else { (1e25, 1e-25) };
    let values = [big, big, small, small, 3.0];
    let diagonal: Vec<T> = (0..25).map(|at| if at / 5 == at % 5 { T::constant(values[at / 5]) } else { T::zero() }).collect();
    assert_near(&[det(&diagonal, 5).unwrap()], &[T::constant(3.0)], 100.0 * eps::<T>(), "balanced product");
    let overflowing: Vec<T> = (0..9).map(|at| if at / 3 == at % 3 { T::constant(big) } else { T::zero() }).collect();
    assert!(matches!(det(&overflowing, 3), Err(Error::NonFinite { .. })));
}

#[test]
fn hilbert_determinant() {
    // det H₅ = 1/266716800000 exactly
    let a: Vec<f64> = (0..25).map(|at| 1.0 / ((at / 5 + at % 5 + 1) as f64)).collect();
    assert!((det(&a, 5).unwrap() * 266_716_800_000.0 - 1.0).abs() < 1e-10);
}

all_types! {
    qr_is_unitary_times_triangular qr_holds_at_any_scale lu_reconstructs cholesky_reconstructs_and_names_the_bad_pivot
    solutions_satisfy_their_equation triangular_solutions_satisfy_their_equation singular_matrices_have_no_solution
    determinants_of_known_matrices
}
