//! The decompositions without derivatives. Every law is checked on random shapes and on the matrices that break naive code, for the four
//! scalar types.

mod factor;
mod general;
mod spectral;
mod truncated;

use num_complex::Complex;
use num_traits::Zero;
use pullback::linalg::backend::*;
use pullback::scalar::{Real, Scalar};

/// A generator of its own, so that the tests know their matrices.
struct Draw(u64);

impl Draw {
    pub fn new(seed: u64) -> Self {
        Draw(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x0123_4567_89ab_cdef)
    }

    /// Uniform in [−1, 1).
    pub fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    pub fn below(&mut self, n: usize) -> usize {
        ((self.uniform() * 0.5 + 0.5) * n as f64) as usize
    }

    pub fn matrix<T: Scalar>(&mut self, m: usize, n: usize) -> Vec<T> {
        (0..m * n)
            .map(|_| {
                let (re, im) = (self.uniform(), self.uniform());
                T::from_parts(T::Real::from_f64(re), T::Real::from_f64(im))
            })
            .collect()
    }

    pub fn hermitian<T: Scalar>(&mut self, n: usize) -> Vec<T> {
        let a = self.matrix::<T>(n, n);
        let b = adjoint(&a, n, n);
        a.iter().zip(&b).map(|(&x, &y)| (x + y) * T::constant(0.5)).collect()
    }

    /// Orthonormal columns by Gram–Schmidt, twice: independent of what is tested.
    pub fn orthonormal<T: Scalar>(&mut self, m: usize, k: usize) -> Vec<T> {
        let mut rows = self.matrix::<T>(k, m);
        for i in 0..k {
            for _ in 0..2 {
                for j in 0..i {
                    let (known, rest) = rows.split_at_mut(i * m);
                    let (x, y) = (&known[j * m..(j + 1) * m], &mut rest[..m]);
                    let dot = x.iter().zip(y.iter()).fold(T::zero(), |s, (&x, &y)| s + x.conj() * y);
                    y.iter_mut().zip(x).for_each(|(y, &x)| *y -= dot * x);
                }
                let row = &mut rows[i * m..(i + 1) * m];
                let norm = T::from_real(frobenius(row));
                row.iter_mut().for_each(|x| *x /= norm);
            }
        }
        (0..m * k).map(|at| rows[(at % k) * m + at / k]).collect()
    }

    /// U diag(s) V† with random orthonormal U (m × k) and V (n × k).
    pub fn with_singular_values<T: Scalar>(&mut self, m: usize, n: usize, s: &[f64]) -> Vec<T> {
        let (u, v) = (self.orthonormal::<T>(m, s.len()), self.orthonormal::<T>(n, s.len()));
        let us: Vec<T> = u.iter().enumerate().map(|(i, &x)| x * T::constant(s[i % s.len()])).collect();
        product(&us, &adjoint(&v, n, s.len()), m, s.len(), n)
    }

    /// V diag(λ) V†, exactly Hermitian.
    pub fn with_eigenvalues<T: Scalar>(&mut self, values: &[f64]) -> Vec<T> {
        let n = values.len();
        let v = self.orthonormal::<T>(n, n);
        let scaled: Vec<T> = v.iter().enumerate().map(|(i, &x)| x * T::constant(values[i % n])).collect();
        let a = product(&scaled, &adjoint(&v, n, n), n, n, n);
        let b = adjoint(&a, n, n);
        a.iter().zip(&b).map(|(&x, &y)| (x + y) * T::constant(0.5)).collect()
    }
}

fn adjoint<T: Scalar>(a: &[T], m: usize, n: usize) -> Vec<T> {
    (0..m * n).map(|at| a[(at % m) * n + at / m].conj()).collect()
}

fn product<T: Scalar>(a: &[T], b: &[T], m: usize, k: usize, n: usize) -> Vec<T> {
    let mut c = vec![T::zero(); m * n];
    for i in 0..m {
        for l in 0..k {
            let x = a[i * k + l];
            for j in 0..n {
                c[i * n + j] += x * b[l * n + j];
            }
        }
    }
    c
}

fn frobenius<T: Scalar>(a: &[T]) -> T::Real {
    a.iter().fold(T::Real::zero(), |s, x| s.hypot(x.modulus()))
}

fn eps<T: Scalar>() -> f64 {
    T::Real::EPSILON.to_f64()
}

/// The largest |a − b|, which must not exceed `tolerance`.
#[track_caller]
fn assert_near<T: Scalar>(a: &[T], b: &[T], tolerance: f64, what: &str) {
    assert_eq!(a.len(), b.len(), "{what}: lengths");
    let worst = a.iter().zip(b).map(|(&x, &y)| (x - y).modulus().to_f64()).fold(0.0, |s: f64, x| if x.is_nan() { x } else { s.max(x) });
    assert!(worst <= tolerance, "{what}: worst entry is off by {worst:.3e}, allowed {tolerance:.3e}");
}

/// The k columns of an m × k matrix are orthonormal.
#[track_caller]
fn assert_orthonormal<T: Scalar>(q: &[T], m: usize, k: usize, what: &str) {
    let gram = product(&adjoint(q, m, k), q, k, m, k);
    let one: Vec<T> = (0..k * k).map(|at| if at / k == at % k { T::one() } else { T::zero() }).collect();
    assert_near(&gram, &one, 10.0 * eps::<T>() * m.max(4) as f64, what);
}

/// The columns of a multiplied by real numbers.
fn times_diagonal<T: Scalar>(a: &[T], d: &[T::Real]) -> Vec<T> {
    a.iter().enumerate().map(|(i, &x)| x * T::from_real(d[i % d.len()])).collect()
}

/// Scales a matrix by a power of ten that may need two steps.
fn times_power<T: Scalar>(a: &[T], power: i32) -> Vec<T> {
    let half = T::constant(10f64.powi(power / 2));
    let rest = T::constant(10f64.powi(power - power / 2));
    a.iter().map(|&x| x * half * rest).collect()
}

/// Decimal exponents near both ends of the range of the type.
fn extreme_powers<T: Scalar>() -> [i32; 5] {
    if T::Real::MAX.to_f64() > 1e40 { [-300, -160, 0, 154, 300] } else { [-35, -20, 0, 19, 35] }
}

/// One test for each scalar type.
macro_rules! all_types {
    ($($name:ident)*) => { $(
        mod $name {
            #[test]
            fn f32() {
                super::$name::<f32>();
            }
            #[test]
            fn f64() {
                super::$name::<f64>();
            }
            #[test]
            fn c32() {
                super::$name::<num_complex::Complex<f32>>();
            }
            #[test]
            fn c64() {
                super::$name::<num_complex::Complex<f64>>();
            }
        }
    )* };
}
use all_types;

#[test]
fn a_batch_keeps_its_order_and_reports_the_first_error() {
    let work = |i: usize| if i % 400 == 399 { Err(pullback::Error::argument("test", format!("{i}"))) } else { Ok(i * i) };
    assert_eq!(batched(300, 20, 20, work).unwrap(), (0..300).map(|i| i * i).collect::<Vec<_>>());
    assert_eq!(batched(1000, 20, 20, work).unwrap_err(), pullback::Error::argument("test", "399"));
    assert!(batched(0, 3, 3, work).unwrap().is_empty());
}

/// Everything that runs on threads, on matrices above every threshold, and a batch.
fn results_of_everything() -> Vec<f64> {
    let mut draw = Draw::new(5);
    let n = 280;
    let a = draw.matrix::<f64>(n, n);
    let h = draw.hermitian::<f64>(n);
    let mut out = Vec::new();
    let (w, v) = eigh(&h, n).unwrap();
    out.extend(w.into_iter().chain(v));
    let (u, s, vh) = svd(&a, n, n, false).unwrap();
    out.extend(u.into_iter().chain(s).chain(vh));
    let (q, r) = qr(&a, n, n, false).unwrap();
    out.extend(q.into_iter().chain(r));
    let large = draw.matrix::<f64>(540, 540);
    let (_, l, u) = lu(&large, 540, 540).unwrap();
    out.extend(l.into_iter().chain(u));
    out.extend(solve(&large, 540, &large[..540 * 520], 520).unwrap());
    let z = draw.matrix::<Complex<f64>>(n, n);
    out.extend(eig(&z, n, true).unwrap().right.into_iter().flat_map(|x| [x.re, x.im]));
    let decaying: Vec<f64> = (0..n).map(|i| 0.9f64.powi(i as i32)).collect();
    let d: Vec<f64> = a.iter().enumerate().map(|(at, &x)| x * decaying[at / n] * decaying[at % n]).collect();
    let (u, s, vh) = truncated_svd(&d, n, n, 20).unwrap();
    out.extend(u.into_iter().chain(s).chain(vh));
    let small = batched(200, 12, 12, |i| eigh(&Draw::new(i as u64).hermitian::<f64>(12), 12)).unwrap();
    out.extend(small.into_iter().flat_map(|(w, v)| w.into_iter().chain(v)));
    out
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    let on = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(results_of_everything);
    let (one, two, three) = (on(1), on(2), on(3));
    assert!(one.iter().zip(&two).all(|(x, y)| x.to_bits() == y.to_bits()));
    assert!(one.iter().zip(&three).all(|(x, y)| x.to_bits() == y.to_bits()));
}
