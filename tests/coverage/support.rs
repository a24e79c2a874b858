//! What the entries share: arrays from a seed, comparisons, and derivative checks that are compiled once.

use num_complex::Complex64;
use pullback::prelude::*;
use rand::{RngExt, SeedableRng, rngs::StdRng};

pub use crate::support::refuses;

pub type C = Complex64;
pub type R = Var<f64>;
pub type Z = Var<C>;
/// A function of the table as the table names it, and its check.
pub type Entry = (&'static str, fn());

/// Numbers in (−1, 1), in random order, none zero, no two closer than 1/n: away from kinks and ties.
pub fn spread(seed: u64, n: usize) -> Vec<f64> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut numbers: Vec<f64> = (0..n).map(|k| -1.0 + (2.0 * k as f64 + 0.6 + 0.3 * rng.random::<f64>()) / n as f64).collect();
    for i in (1..n).rev() {
        numbers.swap(i, rng.random_range(0..=i));
    }
    numbers
}

pub fn real(seed: u64, shape: &[usize]) -> R {
    Var::from_shape_vec(shape, spread(seed, shape.iter().product())).unwrap()
}

/// The numbers of [`real`] moved to (low, high).
pub fn between(seed: u64, shape: &[usize], low: f64, high: f64) -> R {
    (real(seed, shape) + 1.0) * (0.5 * (high - low)) + low
}

pub fn planar(seed: u64, shape: &[usize]) -> Z {
    let n: usize = shape.iter().product();
    let (re, im) = (spread(seed, n), spread(seed + 1000, n));
    Var::from_shape_vec(shape, re.into_iter().zip(im).map(|(re, im)| C::new(re, im)).collect()).unwrap()
}

/// A random shape of six elements.
pub fn six(seed: u64) -> Vec<usize> {
    let shapes: [&[usize]; 7] = [&[6], &[2, 3], &[3, 2], &[1, 6], &[2, 1, 3], &[3, 1, 2], &[1, 2, 3, 1]];
    shapes[StdRng::seed_from_u64(seed).random_range(0..shapes.len())].to_vec()
}

#[track_caller]
pub fn close(got: &R, want: &[f64]) {
    assert_eq!(got.len(), want.len(), "the number of elements");
    for (i, (a, b)) in got.as_slice().iter().zip(want).enumerate() {
        assert!((a - b).abs() <= 1e-12 * (1.0 + b.abs()) || a == b || (a.is_nan() && b.is_nan()), "element {i}: {a} against {b}");
    }
}

#[track_caller]
pub fn close_c(got: &Z, want: &[C]) {
    assert_eq!(got.len(), want.len(), "the number of elements");
    for (i, (a, b)) in got.as_slice().iter().zip(want).enumerate() {
        assert!((a - b).norm() <= 1e-12 * (1.0 + b.norm()), "element {i}: {a} against {b}");
    }
}

/// The same shape and numbers.
#[track_caller]
pub fn same(got: &R, want: &R) {
    assert_eq!(got.shape(), want.shape());
    close(got, want.as_slice());
}

#[track_caller]
pub fn same_c(got: &Z, want: &Z) {
    assert_eq!(got.shape(), want.shape());
    close_c(got, want.as_slice());
}

type Many<'a, X, Y> = &'a dyn Fn(&Vec<Var<X>>) -> Vec<Var<Y>>;

fn differentiate<X: Scalar, Y: Scalar>(f: Many<'_, X, Y>, x: &[Var<X>]) {
    if let Err(e) = gradcheck(f, &x.to_vec()) {
        panic!("{e}");
    }
}

// one instance for each pair of types, whatever the number of entries
#[inline(never)]
fn rr(f: Many<'_, f64, f64>, x: &[R]) {
    differentiate(f, x);
}
#[inline(never)]
fn cc(f: Many<'_, C, C>, x: &[Z]) {
    differentiate(f, x);
}
#[inline(never)]
fn rc(f: Many<'_, f64, C>, x: &[R]) {
    differentiate(f, x);
}
#[inline(never)]
fn cr(f: Many<'_, C, f64>, x: &[Z]) {
    differentiate(f, x);
}

/// Derivatives of a function of one real array, to second order in both modes.
pub fn check(f: &dyn Fn(&R) -> R, x: &R) {
    rr(&|x| vec![f(&x[0])], std::slice::from_ref(x));
}

/// As [`check`], of two arrays.
pub fn check2(f: &dyn Fn(&R, &R) -> R, x: &R, y: &R) {
    rr(&|x| vec![f(&x[0], &x[1])], &[x.clone(), y.clone()]);
}

/// As [`check`], of any number of arrays and results.
pub fn check_n(f: &dyn Fn(&[R]) -> Vec<R>, x: &[R]) {
    rr(&|x| f(x), x);
}

pub fn check_c(f: &dyn Fn(&Z) -> Z, x: &Z) {
    cc(&|x| vec![f(&x[0])], std::slice::from_ref(x));
}

pub fn check2_c(f: &dyn Fn(&Z, &Z) -> Z, x: &Z, y: &Z) {
    cc(&|x| vec![f(&x[0], &x[1])], &[x.clone(), y.clone()]);
}

pub fn check_n_c(f: &dyn Fn(&[Z]) -> Vec<Z>, x: &[Z]) {
    cc(&|x| f(x), x);
}

/// From real to complex arrays.
pub fn check_rc(f: &dyn Fn(&[R]) -> Vec<Z>, x: &[R]) {
    rc(&|x| f(x), x);
}

/// From complex to real arrays.
pub fn check_cr(f: &dyn Fn(&Z) -> Vec<R>, x: &Z) {
    cr(&|x| f(&x[0]), std::slice::from_ref(x));
}

/// A linear rearrangement, of real and of complex arrays: the same closure body twice.
macro_rules! both {
    ($shape:expr, |$x:ident| $body:expr) => {{
        let shape: &[usize] = $shape;
        $crate::coverage::support::check(&|$x| $body, &$crate::coverage::support::real(11, shape));
        $crate::coverage::support::check_c(&|$x| $body, &$crate::coverage::support::planar(12, shape));
    }};
}

/// The result has no derivative: it is a constant in either mode.
#[track_caller]
pub fn constant(f: &dyn Fn(&R) -> R, x: &R) {
    let is_constant = |x: &R| {
        let y = f(x);
        assert!(y.is_constant(), "a constant has come out with a derivative");
        y
    };
    vjp(is_constant, x).unwrap();
    jvp(is_constant, x, &x.ones_like()).unwrap();
}

/// Runs the entries of a group, all of them, and names those that fail.
#[track_caller]
pub fn run(entries: &[Entry]) {
    let failed: Vec<&str> = entries
        .iter()
        .filter(|(name, check)| {
            let failed = std::panic::catch_unwind(check).is_err();
            if failed {
                println!("^ {name}");
            }
            failed
        })
        .map(|e| e.0)
        .collect();
    assert!(failed.is_empty(), "these fail, each with its message above: {failed:?}");
}

/// The result is an error with a message that has all these parts.
#[track_caller]
pub fn fails<T>(result: Result<T>, parts: &[&str]) {
    let Err(error) = result else { panic!("expected an error about {parts:?}") };
    let message = error.to_string();
    parts.iter().for_each(|p| assert!(message.contains(p), "{p:?} is not in: {message}"));
}
