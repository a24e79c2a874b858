//! What these tests share: random arrays from a printed seed, naive indexing, the two modes against each other.

use pullback::prelude::*;
use pullback::scalar::Number;
use rand::{RngExt, SeedableRng, rngs::StdRng};

pub use crate::support::refuses;

/// A generator whose seed is shown when the test fails.
pub fn rng(seed: u64) -> StdRng {
    println!("seed {seed}");
    StdRng::seed_from_u64(seed)
}

/// Uniform in (−1, 1), both parts of complex numbers.
pub fn random<T: Scalar>(rng: &mut StdRng, shape: &[usize]) -> Var<T> {
    let n = shape.iter().product();
    let mut part = || T::Real::from_f64(rng.random_range(-1.0..1.0));
    let data = (0..n).map(|_| T::from_parts(part(), part())).collect();
    Var::from_shape_vec(shape, data).unwrap()
}

/// A shape of that many axes of lengths 1 to `longest`.
pub fn random_shape(rng: &mut StdRng, rank: usize, longest: usize) -> Vec<usize> {
    (0..rank).map(|_| rng.random_range(1..=longest)).collect()
}

/// All multi-indices of a shape in row-major order.
pub fn indices(shape: &[usize]) -> Vec<Vec<usize>> {
    let unravel = |mut flat: usize| {
        let mut index = vec![0; shape.len()];
        for (i, &n) in shape.iter().enumerate().rev() {
            index[i] = flat % n;
            flat /= n;
        }
        index
    };
    (0..shape.iter().product()).map(unravel).collect()
}

/// The element at a multi-index.
pub fn at<T: Scalar>(x: &Var<T>, index: &[usize]) -> T {
    x.value()[index]
}

/// An array from a formula for its elements.
pub fn from_fn<T: Scalar>(shape: &[usize], f: impl Fn(&[usize]) -> T) -> Var<T> {
    Var::from_shape_vec(shape, indices(shape).iter().map(|i| f(i)).collect()).unwrap()
}

/// The same shape and the same numbers, to the last bit.
#[track_caller]
pub fn assert_same<T: Scalar>(got: &Var<T>, want: &Var<T>) {
    assert_eq!(got.shape(), want.shape());
    assert_eq!(got.as_slice(), want.as_slice());
}

/// The same shape, and numbers within a tolerance; says which entry is worst.
#[track_caller]
pub fn assert_close<T: Scalar>(got: &Var<T>, want: &Var<T>, tolerance: f64) {
    assert_eq!(got.shape(), want.shape());
    for (i, (&a, &b)) in got.as_slice().iter().zip(want.as_slice()).enumerate() {
        let d = (a - b).modulus().to_f64();
        assert!(d <= tolerance * (1.0 + b.modulus().to_f64()), "entry {i}: {a} against {b}");
    }
}

/// Re ⟨a, b⟩ of the numbers.
pub fn inner<T: Scalar>(a: &Var<T>, b: &Var<T>) -> f64 {
    a.as_slice().iter().zip(b.as_slice()).map(|(&a, &b)| (a.conj() * b).re().to_f64()).sum()
}

/// A linear map of one array: its tangent is the map itself, its pullback the adjoint of that, and the same inside a second derivative.
#[track_caller]
pub fn check_linear<T: Scalar>(rng: &mut StdRng, shape: &[usize], f: impl Fn(&Var<T>) -> Var<T> + Copy) {
    let (x, dx) = (random::<T>(rng, shape), random::<T>(rng, shape));
    let (y, pull) = vjp(f, &x).unwrap();
    let g = random::<T>(rng, y.shape());
    let (_, dy) = jvp(f, &x, &dx).unwrap();
    assert_close(&dy, &f(&dx), 1e-12);
    let gx = pull.call(&g).unwrap();
    let (left, right) = (inner(&g, &dy), inner(&gx, &dx));
    assert!((left - right).abs() < 1e-10 * (1.0 + left.abs()), "{left} against {right}");
    // f(x)² has the tangent 2 f(x) f(ẋ), and its gradient has 2 f†(conj f(x) ⊙ g)
    let two = <T as Number>::constant(2.0);
    let (_, d) = jvp(|x: &Var<T>| f(x).square(), &x, &dx).unwrap();
    assert_close(&d, &(&y * f(&dx) * two), 1e-12);
    let (_, (_, second)) = jvp(
        |x: &Var<T>| {
            let (z, pull) = vjp(|x: &Var<T>| f(x).square(), x)?;
            Ok::<_, Error>((z, pull.call(&g)?))
        },
        &x,
        &dx,
    )
    .unwrap();
    assert_close(&second, &pull.call(&(dy.conj() * &g * two)).unwrap(), 1e-11);
}
