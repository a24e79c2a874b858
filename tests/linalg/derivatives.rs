//! Values by their definitions; derivatives in both modes to second order, real and complex, with batches.

use super::random::*;
use num_complex::Complex64;
use pullback::linalg::*;
use pullback::prelude::*;

macro_rules! real_and_complex {
    ($($name:ident)*) => {
        mod real { $( #[test] fn $name() { super::$name::<f64>(); } )* }
        mod complex { $( #[test] fn $name() { super::$name::<super::Complex64>(); } )* }
    };
}
real_and_complex! {
    solve_and_inverse triangular determinants cholesky_factor qr_thin_wide_and_full lu_tall_and_wide hermitian_spectrum
    singular_values_and_vectors truncated_vectors general_spectrum exponential logarithm_and_root polar_factors pseudoinverse
    sylvester banded functions_of_hermitian_matrices
}

fn solve_and_inverse<T: Sample>() {
    let a = regular::<T>(1, &[2, 3, 3]);
    let b = random::<T>(2, &[2, 3, 2]);
    assert!(distance(&a.matmul(solve(&a, &b).unwrap()), &b) < 1e-13);
    assert!(distance(&a.matmul(inv(&a).unwrap()), &(identity::<T>(3) + a.zeros_like())) < 1e-13);
    gradcheck(|(a, b)| solve(a, b), &(a.clone(), b)).unwrap();
    gradcheck(|(a, b)| solve(a, b), &(regular::<T>(3, &[3, 3]), random::<T>(4, &[3]))).unwrap();
    gradcheck(|a| inv(a), &a).unwrap();
}

fn triangular<T: Sample>() {
    let a = regular::<T>(5, &[3, 3]);
    let b = random::<T>(6, &[3, 2]);
    for what in [Triangular::LOWER, Triangular::UPPER, Triangular::LOWER.adjoint(), Triangular::UPPER.unit().adjoint()] {
        gradcheck(|(a, b)| solve_triangular(a, b, what), &(a.clone(), b.clone())).unwrap();
    }
}

fn determinants<T: Sample>() {
    let a = regular::<T>(7, &[2, 3, 3]);
    let d = det(&a).unwrap();
    let (sign, log) = slogdet(&a).unwrap();
    assert!(distance(&(sign * log.exp().astype()), &d) < 1e-13);
    gradcheck(|a| det(a), &a).unwrap();
    gradcheck(|a| slogdet(a), &a).unwrap();
    // singular: the polynomial in the entries has all its derivatives
    for rank in [0, 1, 2] {
        let s = random::<T>(8, &[3, rank.max(1)]);
        let singular = s.matmul(random::<T>(9, &[rank.max(1), 3])) * T::from_real(f64::from(u8::from(rank > 0)));
        gradcheck(|a| det(a), &singular).unwrap();
    }
}

fn cholesky_factor<T: Sample>() {
    let a = positive::<T>(10, &[2, 3, 3]);
    let l = cholesky(&a).unwrap();
    assert!(distance(&l.matmul(l.h()), &a) < 1e-13);
    gradcheck(|a| cholesky(a), &a).unwrap();
}

fn qr_thin_wide_and_full<T: Sample>() {
    for (m, n) in [(3, 3), (4, 2), (2, 4)] {
        let a = random::<T>(11, &[m, n]);
        let (q, r) = qr(&a).unwrap();
        assert!(distance(&q.matmul(&r), &a) < 1e-13);
        assert!(distance(&q.h().matmul(&q), &identity::<T>(m.min(n))) < 1e-13);
        gradcheck(|a| qr(a), &a).unwrap();
    }
    gradcheck(|a| qr(a), &random::<T>(12, &[2, 3, 2])).unwrap();
    let (q, r) = qr_full(&random::<T>(13, &[4, 2])).unwrap();
    assert_eq!((q.shape(), r.shape()), (&[4, 4][..], &[4, 2][..]));
    // what is defined of the additional columns is their space
    let projector = |a: &Var<T>| {
        let q = qr_full(a)?.0;
        let rest = q.slice(s![.., 2..]);
        Ok::<_, Error>(rest.matmul(rest.h()))
    };
    gradcheck_with(projector, &random::<T>(13, &[4, 2]), &GradCheck { order: 1, ..Default::default() }).unwrap();
}

fn lu_tall_and_wide<T: Sample>() {
    for (m, n) in [(3, 3), (4, 2), (2, 4)] {
        let a = random::<T>(14, &[m, n]);
        let (p, l, u) = lu(&a).unwrap();
        let product = l.matmul(&u);
        for (i, &from) in p.iter().enumerate() {
            assert!(distance(&product.row(i as isize), &a.row(from as isize)) < 1e-13);
        }
        gradcheck(|a| lu(a).map(|(_, l, u)| (l, u)), &a).unwrap();
    }
}

/// Invariant under phases: |V|² and the values.
fn hermitian_spectrum<T: Sample>() {
    let a = random::<T>(15, &[2, 4, 4]);
    let h = (&a + a.h()).scale(0.5);
    let (values, vectors) = eigh(&a).unwrap();
    let scaled = &vectors * values.reshape(&[2, 1, 4]).astype::<T>();
    assert!(distance(&scaled.matmul(vectors.h()), &h) < 1e-13, "the Hermitian part is what is decomposed");
    gradcheck(|a| eigh(a).map(|(l, v)| (l, v.abs_squared())), &random::<T>(16, &[3, 3])).unwrap();
    gradcheck(|a| eigvalsh(a), &a).unwrap();
    // a product of vectors in which the phases cancel, but no modulus is taken
    let cross = |a: &Var<T>| {
        let v = eigh(a)?.1;
        let p = v.slice(s![.., 0..1]).matmul(v.slice(s![.., 0..1]).h());
        Ok::<_, Error>(p)
    };
    gradcheck(cross, &random::<T>(17, &[3, 3])).unwrap();
}

fn singular_values_and_vectors<T: Sample>() {
    for (m, n) in [(3, 3), (4, 2), (2, 4)] {
        let a = random::<T>(18, &[m, n]);
        let (u, s, vh) = svd(&a).unwrap();
        assert!(distance(&(&u * s.astype::<T>()).matmul(&vh), &a) < 1e-13);
        // u_i v_i† has no phase left
        let f = |a: &Var<T>| {
            let (u, s, vh) = svd(a)?;
            let weights = random::<f64>(19, s.shape()).astype::<T>();
            Ok::<_, Error>((s, u.abs_squared(), (u * weights).matmul(&vh)))
        };
        gradcheck(f, &a).unwrap();
        gradcheck(|a| svdvals(a), &a).unwrap();
    }
    let full = |a: &Var<T>| {
        let (u, _, vh) = svd_full(a)?;
        let rest = u.slice(s![.., 2..]);
        let k = vh.shape()[0];
        Ok::<_, Error>((rest.matmul(rest.h()), u.slice(s![.., ..k]).matmul(&vh)))
    };
    gradcheck_with(full, &random::<T>(20, &[4, 2]), &GradCheck { order: 1, ..Default::default() }).unwrap();
    gradcheck(|a| svd(a).map(|(u, s, _)| (u.abs_squared(), s)), &random::<T>(21, &[2, 3, 2])).unwrap();
}

/// The truncated vectors have the derivatives of the leading ones of the full decomposition.
fn truncated_vectors<T: Sample>() {
    let a = random::<T>(22, &[4, 3]);
    let f = |a: &Var<T>| {
        let (u, s, vh) = truncated_svd(a, Truncation::rank(2))?;
        let weights = random::<f64>(23, s.shape()).astype::<T>();
        Ok::<_, Error>((s.clone(), (u * weights).matmul(&vh)))
    };
    gradcheck(f, &a).unwrap();
    let whole = |a: &Var<T>| {
        let (u, s, vh) = svd(a)?;
        let (u, s, vh) = (u.slice(s![.., ..2]), s.slice(s![..2]), vh.slice(s![..2, ..]));
        let weights = random::<f64>(23, s.shape()).astype::<T>();
        Ok::<_, Error>(weighted(24, &(u * weights).matmul(&vh)))
    };
    let cut = |a: &Var<T>| Ok::<_, Error>(weighted(24, &f(a)?.1));
    assert!(distance(&grad(whole, &a).unwrap(), &grad(cut, &a).unwrap()) < 1e-12);
}

fn general_spectrum<T: Sample>() {
    let a = random::<T>(25, &[3, 3]);
    let (values, vectors) = eig(&a).unwrap();
    assert!(distance(&a.to_complex().matmul(&vectors), &(&vectors * &values)) < 1e-12);
    gradcheck(|a| eig(a).map(|(l, v)| (l, v.abs_squared())), &a).unwrap();
    gradcheck(|a| eigvals(a), &random::<T>(26, &[2, 2, 2])).unwrap();
}

fn exponential<T: Sample>() {
    for scale in [1e-3, 0.1, 0.4, 1.0, 3.0] {
        let a = random::<T>(27, &[2, 3, 3]).scale(scale);
        // by its definition, e^A = (e^{A/1024})^1024 with a Taylor series inside
        let small = a.scale(1.0 / 1024.0);
        let mut term = identity::<T>(3) + a.zeros_like();
        let mut sum = term.clone();
        for k in 1..12 {
            term = term.matmul(&small).scale(1.0 / f64::from(k));
            sum += &term;
        }
        for _ in 0..10 {
            sum = sum.matmul(&sum);
        }
        assert!(distance(&expm(&a).unwrap(), &sum) < 1e-11 * (1.0 + scale).exp());
        gradcheck(|a| expm(a), &a.slice(s![0, .., ..])).unwrap();
    }
}

fn logarithm_and_root<T: Sample>() {
    let a = positive::<T>(28, &[2, 3, 3]) + random::<T>(29, &[2, 3, 3]).scale(0.3);
    assert!(distance(&expm(&logm(&a).unwrap()).unwrap(), &a) < 1e-12);
    let root = sqrtm(&a).unwrap();
    assert!(distance(&root.matmul(&root), &a) < 1e-12);
    gradcheck(|a| logm(a), &a.slice(s![0, .., ..])).unwrap();
    gradcheck(|a| sqrtm(a), &a).unwrap();
}

fn polar_factors<T: Sample>() {
    for (m, n) in [(3, 3), (4, 2)] {
        let a = random::<T>(30, &[m, n]);
        let (u, p) = polar(&a).unwrap();
        assert!(distance(&u.matmul(&p), &a) < 1e-13 && distance(&u.h().matmul(&u), &identity::<T>(n)) < 1e-13);
        gradcheck(|a| polar(a), &a).unwrap();
    }
}

fn pseudoinverse<T: Sample>() {
    for (m, n) in [(3, 3), (4, 2), (2, 4)] {
        let a = random::<T>(51, &[m, n]);
        let x = pinv(&a, None).unwrap();
        assert!(distance(&a.matmul(&x).matmul(&a), &a) < 1e-12 && distance(&x.matmul(&a).matmul(&x), &x) < 1e-12);
        gradcheck(|a| pinv(a, None), &a).unwrap();
        gradcheck(|(a, b)| lstsq(a, b, None), &(a, random::<T>(32, &[m, 2]))).unwrap();
    }
    // along matrices of rank one the derivative is that of the pseudoinverse
    let f = |(x, y): &(Var<T>, Var<T>)| pinv(&x.matmul(y), Some(1e-10));
    gradcheck_with(f, &(random::<T>(33, &[3, 1]), random::<T>(34, &[1, 2])), &GradCheck { order: 1, ..Default::default() }).unwrap();
}

fn sylvester<T: Sample>() {
    let (a, b, c) = (regular::<T>(35, &[3, 3]), regular::<T>(36, &[2, 2]), random::<T>(37, &[3, 2]));
    let x = solve_sylvester(&a, &b, &c).unwrap();
    assert!(distance(&(a.matmul(&x) + x.matmul(&b)), &c) < 1e-13);
    gradcheck(|(a, b, c)| solve_sylvester(a, b, c), &(a, b, c)).unwrap();
}

fn banded<T: Sample>() {
    let (lower, upper, n) = (2, 1, 5);
    let ab = random::<T>(38, &[lower + upper + 1, n]);
    let b = random::<T>(39, &[n, 2]);
    let x = solve_banded((lower, upper), &ab, &b).unwrap();
    let mut dense = vec![T::zero(); n * n];
    for j in 0..n {
        for i in j.saturating_sub(upper)..(j + lower + 1).min(n) {
            dense[i * n + j] = ab.as_slice()[(upper + i - j) * n + j];
        }
    }
    let dense = Var::from_shape_vec(&[n, n], dense).unwrap();
    assert!(distance(&dense.matmul(&x), &b) < 1e-12);
    gradcheck(|(ab, b)| solve_banded((lower, upper), ab, b), &(ab, b)).unwrap();
    let d = random::<T>(40, &[4]) + T::from_real(2.0);
    gradcheck(|(l, d, u, b)| tridiagonal_solve(l, d, u, b), &(random::<T>(41, &[3]), d, random::<T>(42, &[3]), random::<T>(43, &[4])))
        .unwrap();
}

fn functions_of_hermitian_matrices<T: Sample>() {
    let a = positive::<T>(44, &[2, 3, 3]).scale(0.5);
    let root = funm(&a, Spectral::Sqrt).unwrap();
    assert!(distance(&root.matmul(&root), &a) < 1e-13);
    assert!(distance(&funm(&a, Spectral::Exp).unwrap(), &expm(&a).unwrap()) < 1e-11);
    let one = a.slice(s![0, .., ..]);
    for f in [Spectral::Exp, Spectral::Log, Spectral::Sqrt, Spectral::XLogX, Spectral::Power(-0.7), Spectral::Fermi { beta: 2.0, mu: 0.8 }]
    {
        gradcheck(|a| funm(a, f), &one).unwrap();
    }
    gradcheck_with(|a| funm(a, Spectral::Exp), &random::<T>(45, &[2, 2]), &GradCheck { order: 3, ..Default::default() }).unwrap();
    gradcheck(|a| funm(a, |k: usize, x: f64| [x * x, 2.0 * x, 2.0, 0.0][k.min(3)]), &one).unwrap();
    gradcheck(|a| projector(a, 1), &one).unwrap();
    gradcheck(|(h, beta)| density_matrix(h, beta), &(one, 0.7)).unwrap();
}

#[test]
fn eigh_of_few_vectors_agrees_with_all_of_them() {
    fn check<T: Sample>() {
        let n = 24;
        let a = random::<T>(31, &[n, n]);
        let w = random::<f64>(32, &[n, 3]);
        // vectors 2, 3 and 7, and values beside them
        let few = |a: &Var<T>| {
            let (values, v) = eigh(a)?;
            Ok::<_, Error>((v.index_select(&[2, 3, 7], 1).abs_squared() * &w).sum() + values.slice(s![3..5]).square().sum())
        };
        // the same, with weights that vanish on the others: no entry of the cotangent is an exact zero
        let all = |a: &Var<T>| {
            let (values, v) = eigh(a)?;
            Ok::<_, Error>(
                (v.index_select(&[2, 3, 7], 1).abs_squared() * &w).sum()
                    + values.slice(s![3..5]).square().sum()
                    + v.abs_squared().sum() * 1e-300,
            )
        };
        assert!(distance(&grad(few, &a).unwrap(), &grad(all, &a).unwrap()) < 1e-12);
    }
    check::<f64>();
    check::<Complex64>();
    // what depends on a basis is refused here too
    let twice = with_spectrum::<f64>(33, &[1.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
    let first = |a: &Var<f64>| Ok::<_, Error>(eigh(a)?.1.slice(s![0, 0]).square());
    assert!(matches!(grad(first, &twice), Err(Error::GaugeDependent { .. })));
    let phase = |a: &Var<Complex64>| Ok::<_, Error>(eigh(a)?.1.slice(s![3, 0]).re());
    assert!(matches!(grad(phase, &random::<Complex64>(34, &[8, 8])), Err(Error::GaugeDependent { .. })));
}

#[test]
fn eigh_of_tridiagonal_matrices() {
    fn check<T: Sample>() {
        for n in [3usize, 10, 60, 150] {
            let (d, e) = (random::<f64>(41, &[n]).astype::<T>(), random::<T>(42, &[n - 1]));
            let a = d.diag(0) + e.diag(-1) + e.conj().diag(1);
            let (values, v) = eigh(&a).unwrap();
            assert!(distance(&a.matmul(&v), &(&v * values.reshape(&[1, n]).astype::<T>())) < 1e-13 * n as f64);
            assert!(distance(&v.h().matmul(&v), &identity::<T>(n)) < 1e-13 * n as f64);
            assert!(values.as_slice().windows(2).all(|w| w[0] <= w[1]));
        }
    }
    check::<f64>();
    check::<Complex64>();
}
