//! Linear algebra: the defining equations, real and complex, and derivatives of what no phase or basis changes. More in `tests/linalg`.

use super::support::*;
use pullback::linalg::*;
use pullback::prelude::*;
use pullback::scalar::Number;

fn h<T: Scalar>(x: &Var<T>) -> Var<T> {
    x.h()
}

fn eye<T: Scalar>(n: usize) -> Var<T> {
    Var::eye(n)
}

fn scale<T: Scalar>(x: &Var<T>, by: f64) -> Var<T> {
    x * <T as Number>::constant(by)
}

/// A + 2: far from singular.
fn regular<T: Scalar>(a: &Var<T>) -> Var<T> {
    a + scale(&eye::<T>(a.shape()[a.ndim() - 1]), 2.0)
}

/// A A† + 1
fn positive<T: Scalar>(a: &Var<T>) -> Var<T> {
    a.matmul(h(a)) + eye::<T>(a.shape()[a.ndim() - 1])
}

/// A statement and its derivatives for a real and for a complex matrix of this shape: `$value` must vanish.
macro_rules! decomposition {
    ($shape:expr, |$a:ident| vanishes $value:expr, derivatives $body:expr) => {{
        let $a = &real(91, $shape);
        assert!($value.abs().max().item() < 1e-12, "{}", $value);
        check_n(
            &|x| {
                let $a = &x[0];
                $body
            },
            &[real(91, $shape)],
        );
        let $a = &planar(92, $shape);
        assert!($value.abs().max().item() < 1e-12, "{}", $value);
        check_n_c(
            &|x| {
                let $a = &x[0];
                $body
            },
            &[planar(92, $shape)],
        );
    }};
}

/// A real result in the matrix's type.
fn as_type<T: Scalar>(x: Var<T::Real>) -> Var<T> {
    x.astype()
}

/// U diag(s)
fn columns<T: Scalar>(u: &Var<T>, s: &Var<T::Real>) -> Var<T> {
    u * as_type::<T>(s.clone())
}

/// U diag(s) V†
fn rebuilt<T: Scalar>(u: &Var<T>, s: &Var<T::Real>, vh: &Var<T>) -> Var<T> {
    columns(u, s).matmul(vh)
}

/// Different weights on the triplets: a function of single projectors.
fn graded<T: Scalar>(u: &Var<T>, vh: &Var<T>) -> Var<T> {
    let k = vh.shape()[vh.ndim() - 2];
    let weights: Vec<T> = (0..k).map(|i| <T as Number>::constant(1.0 + i as f64)).collect();
    (u * Var::from(weights)).matmul(vh)
}

/// A vector norm against its formula over rows, and derivatives over an axis with and without keepdims, real and complex.
fn vector(p: f64, oracle: &dyn Fn(&[f64]) -> f64) {
    let x = real(93, &[2, 3]);
    close(&norm(&x, p, -1).unwrap(), &x.as_slice().chunks(3).map(oracle).collect::<Vec<_>>());
    let z = planar(94, &[2, 3]);
    let moduli = z.abs();
    close(&norm(&z, p, 1).unwrap(), &moduli.as_slice().chunks(3).map(oracle).collect::<Vec<_>>());
    assert_eq!(norm(&x, p, keepdims(0)).unwrap().shape(), &[1, 3]);
    if p == 0.0 {
        constant(&|x| norm(x, p, 0).unwrap(), &x);
        return;
    }
    check(&|x| norm(x, p, 0).unwrap() * norm(x, p, keepdims(1)).unwrap(), &x);
    check_cr(&|z| vec![norm(z, p, -1).unwrap()], &z);
}

/// A matrix norm against its formula, in a batch and over any two axes.
fn matrix(which: impl Into<Norm>, oracle: &dyn Fn(&R) -> f64) {
    let which = which.into();
    let x = real(95, &[2, 3, 2]);
    let want: Vec<f64> = x.unstack(0).iter().map(oracle).collect();
    close(&norm(&x, which, [1, 2]).unwrap(), &want);
    let turned = x.permute(&[2, 0, 1]);
    close(&norm(&turned, which, [-1, 0]).unwrap(), &want);
    assert_eq!(norm(&turned, which, keepdims([2, 0])).unwrap().shape(), &[1, 2, 1]);
    check(&|x| norm(x, which, [1, 2]).unwrap(), &x);
    check_cr(&|z| vec![norm(z, which, ..).unwrap()], &planar(96, &[2, 3]));
}

fn sums(x: &R, axis: isize) -> Vec<f64> {
    x.abs().sum_axis(axis).as_slice().to_vec()
}

fn largest(x: &[f64]) -> f64 {
    x.iter().fold(f64::MIN, |m, x| m.max(*x))
}

fn smallest(x: &[f64]) -> f64 {
    x.iter().fold(f64::MAX, |m, x| m.min(*x))
}

/// Singular values by the eigenvalues of A†A.
fn singular(x: &R) -> Vec<f64> {
    eigvalsh(&x.t().matmul(x)).unwrap().sqrt().as_slice().to_vec()
}

pub const ENTRIES: &[Entry] = &[
    ("solve", || {
        decomposition!(&[2, 2, 2], |a| vanishes regular(a).matmul(solve(&regular(a), a).unwrap()) - a,
            derivatives vec![solve(&regular(a), a).unwrap()])
    }),
    ("solve_triangular", || {
        decomposition!(&[3, 3], |a| vanishes regular(a).tril(0).matmul(solve_triangular(&regular(a), a, Triangular::LOWER).unwrap()) - a,
            derivatives vec![solve_triangular(&regular(a), a, Triangular::UPPER).unwrap()])
    }),
    ("solve_sylvester", || {
        decomposition!(&[2, 2], |a| vanishes {
            let x = solve_sylvester(&regular(a), &positive(a), a).unwrap();
            regular(a).matmul(&x) + x.matmul(positive(a)) - a
        }, derivatives vec![solve_sylvester(&regular(a), &positive(a), a).unwrap()])
    }),
    ("solve_banded", || {
        // one diagonal on either side of the main one, by rows
        let ab = |a: &R| a + Var::from(ndarray::array![[0.0], [3.0], [0.0]]);
        let (a, b) = (real(97, &[3, 3]), real(98, &[3]));
        let x = solve_banded((1, 1), &ab(&a), &b).unwrap();
        let d = ab(&a);
        let (upper, main, lower) = (d.slice(s![0, 1..]), d.row(1), d.slice(s![2, ..2]));
        let dense = main.make_diagonal(0) + upper.make_diagonal(1) + lower.make_diagonal(-1);
        same(&dense.matmul(&x), &b);
        check2(&|a, b| solve_banded((1, 1), &ab(a), b).unwrap(), &a, &b);
    }),
    ("tridiagonal_solve", || {
        let (l, d, u, b) = (real(1, &[2]), real(2, &[3]) + 3.0, real(3, &[2]), real(4, &[3]));
        let dense = d.make_diagonal(0) + u.make_diagonal(1) + l.make_diagonal(-1);
        same(&dense.matmul(tridiagonal_solve(&l, &d, &u, &b).unwrap()), &b);
        check_n(&|x| vec![tridiagonal_solve(&x[0], &x[1], &x[2], &x[3]).unwrap()], &[l, d, u, b]);
    }),
    (
        "inv",
        || decomposition!(&[2, 2, 2], |a| vanishes regular(a).matmul(inv(&regular(a)).unwrap()) - eye(2), derivatives vec![inv(&regular(a)).unwrap()]),
    ),
    (
        "pinv",
        || decomposition!(&[3, 2], |a| vanishes a.matmul(pinv(a, None).unwrap()).matmul(a) - a, derivatives vec![pinv(a, None).unwrap()]),
    ),
    ("lstsq", || {
        decomposition!(&[3, 2], |a| vanishes h(a).matmul(a.matmul(lstsq(a, &a.exp(), None).unwrap()) - a.exp()),
            derivatives vec![lstsq(a, &a.exp(), None).unwrap()])
    }),
    ("det", || {
        let a = real(99, &[2, 2]);
        let x = a.as_slice();
        close(&det(&a).unwrap(), &[x[0] * x[3] - x[1] * x[2]]);
        check(&|a| det(a).unwrap(), &real(99, &[2, 3, 3]));
        check_c(&|a| det(a).unwrap(), &planar(99, &[2, 2]));
    }),
    ("slogdet", || {
        let a = real(100, &[2, 2]);
        let (sign, log) = slogdet(&a).unwrap();
        close(&(sign * log.exp()), det(&a).unwrap().as_slice());
        check(&|a| slogdet(&regular(a)).unwrap().1, &real(100, &[2, 3, 3]));
        check_c(&|a| slogdet(a).unwrap().0, &planar(100, &[2, 2]));
        check_cr(&|a| vec![slogdet(a).unwrap().1], &planar(100, &[2, 2]));
    }),
    ("cholesky", || {
        decomposition!(&[2, 2, 2], |a| vanishes {
            let l = cholesky(&positive(a)).unwrap();
            l.matmul(h(&l)) - positive(a)
        }, derivatives vec![cholesky(&positive(a)).unwrap()])
    }),
    ("lu", || {
        decomposition!(&[3, 3], |a| vanishes {
            let (p, l, u) = lu(a).unwrap();
            l.matmul(&u) - a.index_select(&p, 0)
        }, derivatives {
            let (_, l, u) = lu(a).unwrap();
            vec![l, u]
        })
    }),
    ("qr", || {
        for shape in [&[3, 2][..], &[2, 3], &[2, 2, 2]] {
            decomposition!(shape, |a| vanishes {
                let (q, r) = qr(a).unwrap();
                q.matmul(&r) - a
            }, derivatives {
                let (q, r) = qr(a).unwrap();
                vec![q, r]
            });
        }
    }),
    ("svd", || {
        for shape in [&[3, 2][..], &[2, 3], &[2, 2, 2]] {
            decomposition!(shape, |a| vanishes {
                let (u, s, vh) = svd(a).unwrap();
                rebuilt(&u, &s.expand_dims(-2), &vh) - a
            }, derivatives {
                let (u, s, vh) = svd(a).unwrap();
                vec![as_type(s), graded(&u, &vh)]
            });
        }
    }),
    ("svdvals", || {
        let a = real(101, &[3, 2]);
        let mut want = singular(&a);
        want.reverse();
        close(&svdvals(&a).unwrap(), &want);
        decomposition!(&[2, 3], |a| vanishes svdvals(a).unwrap() - svd(a).unwrap().1, derivatives vec![as_type(svdvals(a).unwrap())])
    }),
    ("truncated_svd", || {
        decomposition!(&[4, 3], |a| vanishes {
            let (u, s, vh) = truncated_svd(a, Truncation::rank(2)).unwrap();
            a.matmul(h(&vh)) - columns(&u, &s)
        }, derivatives {
            let (u, s, vh) = truncated_svd(a, Truncation::rank(2)).unwrap();
            vec![as_type(s), graded(&u, &vh)]
        })
    }),
    ("truncated_eigh", || {
        decomposition!(&[4, 4], |a| vanishes {
            let (values, v) = truncated_eigh(a, Truncation::rank(2)).unwrap();
            scale(&(a + h(a)), 0.5).matmul(&v) - columns(&v, &values)
        }, derivatives {
            let (values, v) = truncated_eigh(a, Truncation::rank(2)).unwrap();
            vec![as_type(values), graded(&v, &h(&v))]
        })
    }),
    ("eigh", || {
        decomposition!(&[2, 3, 3], |a| vanishes {
            let (values, v) = eigh(a).unwrap();
            rebuilt(&v, &values.expand_dims(-2), &h(&v)) - scale(&(a + h(a)), 0.5)
        }, derivatives {
            let (values, v) = eigh(a).unwrap();
            vec![as_type(values), graded(&v, &h(&v))]
        })
    }),
    (
        "eigvalsh",
        || decomposition!(&[3, 3], |a| vanishes eigvalsh(a).unwrap() - eigh(a).unwrap().0, derivatives vec![as_type(eigvalsh(a).unwrap())]),
    ),
    ("eig", || {
        let a = planar(103, &[3, 3]);
        let (values, v) = eig(&a).unwrap();
        same_c(&a.matmul(&v), &(&v * &values));
        check_n_c(
            &|a| {
                let (values, v) = eig(&a[0]).unwrap();
                vec![values, v.abs_squared().to_complex()]
            },
            &[a],
        );
        check_rc(
            &|a| {
                let (values, v) = eig(&a[0]).unwrap();
                vec![values, v.abs_squared().to_complex()]
            },
            &[real(103, &[2, 2])],
        );
    }),
    ("eigvals", || {
        let a = planar(104, &[2, 2]);
        let (trace, product) = (eigvals(&a).unwrap().sum(), eigvals(&a).unwrap().prod());
        same_c(&trace, &a.trace());
        same_c(&product, &det(&a).unwrap());
        check_c(&|a| eigvals(a).unwrap(), &planar(104, &[2, 3, 3]));
        check_rc(&|a| vec![eigvals(&a[0]).unwrap()], &[real(105, &[3, 3])]);
    }),
    ("expm", || {
        // of a nilpotent matrix the series ends
        let n = Var::from(ndarray::array![[0.0, 1.0, 2.0], [0.0, 0.0, 3.0], [0.0, 0.0, 0.0]]);
        same(&expm(&n).unwrap(), &(eye(3) + &n + n.matmul(&n) * 0.5));
        decomposition!(&[3, 3], |a| vanishes expm(a).unwrap().matmul(expm(&-a).unwrap()) - eye(3), derivatives vec![expm(a).unwrap()])
    }),
    (
        "logm",
        || decomposition!(&[2, 2], |a| vanishes expm(&logm(&regular(a)).unwrap()).unwrap() - regular(a), derivatives vec![logm(&regular(a)).unwrap()]),
    ),
    ("sqrtm", || {
        decomposition!(&[2, 2], |a| vanishes {
            let root = sqrtm(&regular(a)).unwrap();
            root.matmul(&root) - regular(a)
        }, derivatives vec![sqrtm(&regular(a)).unwrap()])
    }),
    ("funm of Hermitian", || {
        decomposition!(&[3, 3], |a| vanishes funm(&positive(a), Spectral::Exp).unwrap() - expm(&positive(a)).unwrap(),
            derivatives vec![funm(&positive(a), Spectral::Log).unwrap()])
    }),
    ("polar", || {
        decomposition!(&[3, 2], |a| vanishes {
            let (u, p) = polar(a).unwrap();
            u.matmul(&p) - a
        }, derivatives {
            let (u, p) = polar(a).unwrap();
            vec![u, p]
        })
    }),
    ("norm 0", || vector(0.0, &|x| x.iter().filter(|x| **x != 0.0).count() as f64)),
    ("norm 1", || {
        vector(1.0, &|x| x.iter().map(|x| x.abs()).sum());
        matrix(1.0, &|x| largest(&sums(x, 0)));
    }),
    ("norm 2", || {
        vector(2.0, &|x| x.iter().map(|x| x * x).sum::<f64>().sqrt());
        matrix(2.0, &|x| largest(&singular(x)));
        // without overflow and underflow, derivative included
        for size in [1e-200, 1e200] {
            let x = Var::from([3.0 * size, 4.0 * size]);
            close(&(norm(&x, 2.0, ..).unwrap() / size), &[5.0]);
            close(&grad(|x: &R| norm(x, 2.0, ..), &x).unwrap(), &[0.6, 0.8]);
        }
    }),
    ("norm inf", || {
        vector(f64::INFINITY, &|x| x.iter().fold(0.0, |m, x| m.max(x.abs())));
        matrix(f64::INFINITY, &|x| largest(&sums(x, 1)));
    }),
    ("norm −1", || {
        vector(-1.0, &|x| 1.0 / x.iter().map(|x| 1.0 / x.abs()).sum::<f64>());
        matrix(-1.0, &|x| smallest(&sums(x, 0)));
    }),
    ("norm −2", || {
        vector(-2.0, &|x| x.iter().map(|x| x.powi(-2)).sum::<f64>().powf(-0.5));
        matrix(-2.0, &|x| smallest(&singular(x)));
    }),
    ("norm −inf", || {
        vector(f64::NEG_INFINITY, &|x| x.iter().fold(f64::MAX, |m, x| m.min(x.abs())));
        matrix(f64::NEG_INFINITY, &|x| smallest(&sums(x, 1)));
    }),
    ("norm p", || {
        for p in [0.5, 1.5, 3.0, 4.0, -0.7] {
            vector(p, &|x| x.iter().map(|x| x.abs().powf(p)).sum::<f64>().powf(1.0 / p));
        }
        close(&(norm(&Var::from([1e150, 1e150]), 3.0, ..).unwrap() / 1e150), &[2f64.powf(1.0 / 3.0)]);
        close(&(norm(&Var::from([1e-150, 1e-150]), -3.0, ..).unwrap() / 1e-150), &[2f64.powf(-1.0 / 3.0)]);
    }),
    ("norm fro", || matrix(Norm::Fro, &|x| x.as_slice().iter().map(|x| x * x).sum::<f64>().sqrt())),
    ("norm nuc", || matrix(Norm::Nuc, &|x| singular(x).iter().sum())),
    ("matrix_power", || {
        for n in [-3, -1, 0, 1, 2, 5] {
            let a = regular(&real(106, &[2, 2, 2]));
            let mut want = eye(2) + a.zeros_like();
            for _ in 0..i32::abs(n) {
                want = want.matmul(if n < 0 { inv(&a).unwrap() } else { a.clone() });
            }
            same(&matrix_power(&a, n).unwrap(), &want);
            if n == 0 {
                constant(&|a| matrix_power(a, 0).unwrap(), &a);
            } else {
                check(&|a| matrix_power(a, n).unwrap(), &regular(&real(107, &[2, 2])));
                check_c(&|a| matrix_power(a, n).unwrap(), &regular(&planar(107, &[2, 2])));
            }
        }
    }),
    ("block_diag", || {
        let (a, b) = (Var::from(ndarray::array![[1.0, 2.0]]), Var::from(ndarray::array![[3.0], [4.0]]));
        close(&block_diag(&[&a, &b]), &[1.0, 2.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 4.0]);
        check2(&|a, b| block_diag(&[a, b]).square(), &a, &b);
        check2_c(&|a, b| block_diag(&[a, b]).square(), &planar(1, &[1, 2]), &planar(2, &[2, 1]));
    }),
];
