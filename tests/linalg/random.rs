//! Matrices from a seed.

use num_complex::Complex64;
use pullback::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// A scalar type that the tests run on.
pub trait Sample: Scalar<Real = f64> {
    fn sample(rng: &mut StdRng) -> Self;
}

impl Sample for f64 {
    fn sample(rng: &mut StdRng) -> f64 {
        2.0 * rng.random::<f64>() - 1.0
    }
}

impl Sample for Complex64 {
    fn sample(rng: &mut StdRng) -> Complex64 {
        Complex64::new(f64::sample(rng), f64::sample(rng))
    }
}

/// Entries in (−1, 1), and imaginary parts for complex types.
pub fn random<T: Sample>(seed: u64, shape: &[usize]) -> Var<T> {
    let mut rng = StdRng::seed_from_u64(seed);
    Var::from_shape_vec(shape, (0..shape.iter().product()).map(|_| T::sample(&mut rng)).collect()).unwrap()
}

/// A well-conditioned square matrix.
pub fn regular<T: Sample>(seed: u64, shape: &[usize]) -> Var<T> {
    let n = shape[shape.len() - 1];
    random::<T>(seed, shape) + identity::<T>(n).scale(1.5)
}

/// B B† + 1
pub fn positive<T: Sample>(seed: u64, shape: &[usize]) -> Var<T> {
    let b = random::<T>(seed, shape);
    b.matmul(b.h()) + identity::<T>(shape[shape.len() - 1])
}

pub fn identity<T: Scalar>(n: usize) -> Var<T> {
    let data = (0..n * n).map(|k| if k / n == k % n { T::one() } else { T::zero() }).collect();
    Var::from_shape_vec(&[n, n], data).unwrap()
}

/// A unitary matrix.
pub fn unitary<T: Sample>(seed: u64, n: usize) -> Var<T> {
    pullback::linalg::qr(&random::<T>(seed, &[n, n])).unwrap().0
}

/// U diag(λ) U†
pub fn with_spectrum<T: Sample>(seed: u64, values: &[f64]) -> Var<T> {
    let n = values.len();
    let u = unitary::<T>(seed, n);
    let d: Vec<T> = values.iter().map(|&v| T::from_real(v)).collect();
    (&u * Var::from(d)).matmul(u.h())
}

/// Σ Re(conj(w) x) with fixed random weights: a loss of every entry.
pub fn weighted<T: Sample>(seed: u64, x: &Var<T>) -> Var<f64> {
    (random::<T>(seed, x.shape()).conj() * x).re().sum()
}

/// The largest |x − y|.
pub fn distance<T: Scalar<Real = f64>>(x: &Var<T>, y: &Var<T>) -> f64 {
    assert_eq!(x.shape(), y.shape());
    x.as_slice().iter().zip(y.as_slice()).map(|(x, y)| (*x - *y).modulus()).fold(0.0, f64::max)
}
