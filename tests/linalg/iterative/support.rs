//! Matrices and operators that the tests share.

use pullback::linalg::iterative::{Dense, MatrixFree};
use pullback::prelude::*;

pub use crate::support::random;

pub fn hermitian<T: Scalar>(n: usize, seed: u64) -> Var<T> {
    let a = random::<T>(&[n, n], seed);
    (&a + a.h()).scale(0.5)
}

/// −½ d²/dx² + V on a grid of spacing h that ends in zeros, differentiable in V.
pub fn schrodinger(
    v: &Var<f64>,
    h: f64,
) -> MatrixFree<Var<f64>, impl Fn(&Var<f64>, &Var<f64>) -> Var<f64> + Clone + Send + Sync + 'static> {
    let kinetic = 0.5 / (h * h);
    let apply = move |v: &Var<f64>, psi: &Var<f64>| {
        let out = psi.pad(&[(1, 1)], PadMode::Constant(0.0));
        let n = psi.len() as isize;
        psi * (v + 2.0 * kinetic) - (out.slice(ndarray::s![..n]) + out.slice(ndarray::s![2..])) * kinetic
    };
    MatrixFree::new(v.len(), v, apply).hermitian()
}

/// The same as a matrix.
pub fn schrodinger_matrix(v: &Var<f64>, h: f64) -> Var<f64> {
    let n = v.len();
    let t = 0.5 / (h * h);
    v.diag(0) + (Var::<f64>::eye(n) * (2.0 * t) - (Var::<f64>::eye_rect(n, n, 1) + Var::<f64>::eye_rect(n, n, -1)) * t)
}

pub fn dense<T: Scalar>(a: &Var<T>) -> Dense<T> {
    Dense::new(a).unwrap()
}

/// The largest difference, relative to the largest entry of the second.
pub fn distance<T: Scalar>(a: &Var<T>, b: &Var<T>) -> f64 {
    assert_eq!(a.shape(), b.shape());
    let scale = b.as_slice().iter().fold(0.0f64, |m, x| m.max(x.modulus().to_f64()));
    let off = a.as_slice().iter().zip(b.as_slice()).fold(0.0f64, |m, (x, y)| m.max((*x - *y).modulus().to_f64()));
    if scale == 0.0 { off } else { off / scale }
}

#[track_caller]
pub fn close<T: Scalar>(a: &Var<T>, b: &Var<T>, tolerance: f64) {
    let found = distance(a, b);
    assert!(found <= tolerance, "differ by {found:.2e}, allowed is {tolerance:.1e}\n{a}\n{b}");
}
