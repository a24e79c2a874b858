//! eig, schur and Sylvester's equation.

use super::*;
use pullback::Error;
use pullback::linalg::backend::schur as raw;

fn complex<T: Scalar>(a: &[T]) -> Vec<T::Complex> {
    a.iter().map(|x| x.to_complex()).collect()
}

fn columns_times<C: Scalar>(v: &[C], d: &[C]) -> Vec<C> {
    v.iter().enumerate().map(|(i, &x)| x * d[i % d.len()]).collect()
}

#[track_caller]
fn check_eig<T: Scalar>(a: &[T], n: usize, tolerance: f64, what: &str) {
    let Eig { values, right, left } = eig(a, n, true).unwrap();
    let z = complex(a);
    assert_near(&product(&z, &right, n, n, n), &columns_times(&right, &values), tolerance, &format!("{what}: right"));
    // A† u = conj(λ) u
    let conjugate: Vec<T::Complex> = values.iter().map(|x| x.conj()).collect();
    assert_near(&product(&adjoint(&z, n, n), &left, n, n, n), &columns_times(&left, &conjugate), tolerance, &format!("{what}: left"));
    for vectors in [&right, &left] {
        for k in 0..n {
            let v: Vec<T::Complex> = (0..n).map(|i| vectors[i * n + k]).collect();
            assert!((frobenius(&v).to_f64() - 1.0).abs() < 20.0 * eps::<T>(), "{what}: norm");
            let largest = v.iter().map(|x| x.modulus()).fold(T::Real::zero(), |s, x| s.max(x));
            let real = v.iter().any(|x| x.im() == T::Real::zero() && x.re().to_f64() >= 0.99 * largest.to_f64());
            assert!(real, "{what}: the largest component is real and positive");
        }
    }
    let only = eig(a, n, false).unwrap();
    assert!(only.left.is_empty());
    assert_near(&only.right, &right, tolerance, &format!("{what}: right alone"));
}

fn eig_satisfies_both_equations<T: Scalar>() {
    let mut draw = Draw::new(30);
    for n in [0, 1, 2, 3, 5, 20, 60, 100, 1 + draw.below(40)] {
        let a = draw.matrix::<T>(n, n);
        check_eig(&a, n, 50.0 * eps::<T>() * n as f64, &format!("n = {n}"));
    }
    let n = 12;
    check_eig(&vec![T::zero(); n * n], n, 0.0, "zero");
    let rotation: Vec<T> = (0..n * n).map(|at| if (at / n + 1) % n == at % n { T::one() } else { T::zero() }).collect();
    check_eig(&rotation, n, 100.0 * eps::<T>(), "cyclic shift");
    // a Jordan block has one eigenvector: the residual still vanishes
    let jordan: Vec<T> = (0..n * n).map(|at| if at / n == at % n || at / n + 1 == at % n { T::one() } else { T::zero() }).collect();
    check_eig(&jordan, n, 100.0 * eps::<T>(), "Jordan block");
    let a = draw.matrix::<T>(n, n);
    for power in extreme_powers::<T>() {
        let scaled = eig(&times_power(&a, power), n, false).unwrap();
        let values = times_power(&scaled.values, -power);
        assert_near(
            &product(&complex(&a), &scaled.right, n, n, n),
            &columns_times(&scaled.right, &values),
            600.0 * eps::<T>(),
            &format!("1e{power}"),
        );
    }
}

#[test]
fn eigenvalues_of_a_cyclic_shift_are_roots_of_unity() {
    let n = 7;
    let a: Vec<f64> = (0..n * n).map(|at| f64::from(u8::from((at / n + 1) % n == at % n))).collect();
    let mut angles: Vec<f64> = eig(&a, n, false)
        .unwrap()
        .values
        .iter()
        .map(|z| {
            assert!((z.norm() - 1.0).abs() < 1e-13);
            z.arg()
        })
        .collect();
    angles.sort_by(f64::total_cmp);
    for (k, angle) in angles.iter().enumerate() {
        assert!((angle - (k as f64 - 3.0) * std::f64::consts::TAU / 7.0).abs() < 1e-13, "{angles:?}");
    }
}

fn schur_form_is_triangular_and_unitary<T: Scalar>() {
    let mut draw = Draw::new(31);
    for n in [0, 1, 2, 3, 4, 9, 30, 70, 1 + draw.below(40)] {
        let jordan: Vec<T> = (0..n * n).map(|at| if at / n == at % n || at / n == at % n + 1 { T::one() } else { T::zero() }).collect();
        let shift: Vec<T> = (0..n * n).map(|at| if (at / n + 1) % n.max(1) == at % n { T::one() } else { T::zero() }).collect();
        for (a, what) in [
            (draw.matrix::<T>(n, n), "random"),
            (jordan, "Jordan"),
            (shift, "shift"),
            (vec![T::zero(); n * n], "zero"),
            (draw.hermitian(n), "Hermitian"),
        ] {
            let what = format!("{what}, n = {n}");
            let (t, z) = schur(&a, n).unwrap();
            assert_orthonormal(&z, n, n, &what);
            assert!((0..n).all(|i| (0..i).all(|j| t[i * n + j] == T::Complex::zero())), "{what}: triangular");
            let back = product(&product(&z, &t, n, n, n), &adjoint(&z, n, n), n, n, n);
            assert_near(&back, &complex(&a), 10.0 * eps::<T>() * n as f64 * (1.0 + frobenius(&a).to_f64()), &what);
        }
    }
}

#[test]
fn eigenvectors_of_the_schur_form_stand_in_for_the_library() {
    let n = 15;
    let a = Draw::new(32).matrix::<Complex<f64>>(n, n);
    let (t, z) = schur(&a, n).unwrap();
    let values: Vec<Complex<f64>> = (0..n).map(|i| t[i * n + i]).collect();
    for left in [false, true] {
        let x = raw::triangular_vectors(&t, n, left);
        let v = product(&z, &adjoint(&x.iter().map(|x| x.conj()).collect::<Vec<_>>(), n, n), n, n, n);
        let (matrix, d) = if left { (adjoint(&a, n, n), values.iter().map(|x| x.conj()).collect()) } else { (a.clone(), values.clone()) };
        let scale = frobenius(&v);
        assert_near(&product(&matrix, &v, n, n, n), &columns_times(&v, &d), 1e-13 * scale, "triangular vectors");
    }
}

fn sylvester_residual_vanishes<T: Scalar>() {
    let mut draw = Draw::new(33);
    for (m, n) in [(0, 2), (2, 0), (1, 1), (1, 5), (6, 3), (20, 31), (1 + draw.below(30), 1 + draw.below(30))] {
        // spectra of A and −B apart
        let shift = |a: Vec<T>, n: usize| -> Vec<T> {
            a.iter().enumerate().map(|(at, &x)| if at / n == at % n { x + T::constant(2.0 * (n as f64).sqrt() + 1.0) } else { x }).collect()
        };
        let (a, b, c) = (shift(draw.matrix(m, m), m), shift(draw.matrix(n, n), n), draw.matrix::<T>(m, n));
        for power in extreme_powers::<T>() {
            let x = solve_sylvester(&times_power(&a, power), m, &times_power(&b, power), n, &times_power(&c, power)).unwrap();
            let left: Vec<T> = product(&a, &x, m, m, n).iter().zip(product(&x, &b, m, n, n)).map(|(&x, y)| x + y).collect();
            assert_near(&left, &c, 100.0 * eps::<T>() * (m + n) as f64, &format!("{m} × {n}, 1e{power}"));
        }
    }
    // Hermitian ones, and one that is diagonal to rounding with values far apart: right to the relative accuracy of each entry
    let (a, b, c) =
        (draw.with_eigenvalues::<T>(&[1.0, 2.0, 2.0, 0.1]), draw.with_eigenvalues::<T>(&[0.5, 3.0, 0.2]), draw.matrix::<T>(4, 3));
    let x = solve_sylvester(&a, 4, &b, 3, &c).unwrap();
    let left: Vec<T> = product(&a, &x, 4, 4, 3).iter().zip(product(&x, &b, 4, 3, 3)).map(|(&x, y)| x + y).collect();
    assert_near(&left, &c, 100.0 * eps::<T>(), "Hermitian");
    let d = [1.0, 1e-3, 1e-6].map(T::constant);
    let tiny = T::constant(1e-4 * eps::<T>());
    let a = [d[0], tiny, T::zero(), tiny, d[1], T::zero(), T::zero(), T::zero(), d[2]];
    let c: Vec<T> = (0..9).map(|at| d[at / 3] + d[at % 3]).collect();
    assert_near(&solve_sylvester(&a, 3, &a, 3, &c).unwrap(), &[T::one(); 9], 10.0 * eps::<T>(), "graded");
    let one = [T::one()];
    assert!(matches!(solve_sylvester(&one, 1, &[-T::one()], 1, &one), Err(Error::Singular { .. })));
}

all_types! { eig_satisfies_both_equations schur_form_is_triangular_and_unitary sylvester_residual_vanishes }
