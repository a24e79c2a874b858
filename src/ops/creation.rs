//! Arrays made from a few numbers. Constants, but for [`linspace`] and [`meshgrid`].

use super::broadcast::to_shape;
use super::mask::{Mask, common_shape};
use crate::autodiff::Var;
use crate::scalar::{Real, Scalar};
use crate::tensor::Tensor;

impl<T: Scalar> Var<T> {
    /// Zeros.
    pub fn zeros(shape: &[usize]) -> Var<T> {
        Var::full(shape, T::zero())
    }

    /// Ones.
    pub fn ones(shape: &[usize]) -> Var<T> {
        Var::full(shape, T::one())
    }

    /// The same number everywhere. To repeat a variable, use [`broadcast_to`](Var::broadcast_to).
    pub fn full(shape: &[usize], x: T) -> Var<T> {
        Var::constant(Tensor::full(shape, x))
    }

    /// The identity matrix of n rows.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// assert_eq!(Var::<f64>::eye(2).as_slice(), &[1.0, 0.0, 0.0, 1.0]);
    /// ```
    pub fn eye(n: usize) -> Var<T> {
        Var::eye_rect(n, n, 0)
    }

    /// n × m zeros with ones on the k-th diagonal (above the main one for k > 0): numpy's `eye` with all its arguments.
    pub fn eye_rect(n: usize, m: usize, k: isize) -> Var<T> {
        let mut x = vec![T::zero(); n * m];
        (0..n as isize).filter(|i| (0..m as isize).contains(&(i + k))).for_each(|i| x[(i * m as isize + i + k) as usize] = T::one());
        Var::constant(Tensor::new(&[n, m], x))
    }

    /// n × m ones on and below the k-th diagonal, zeros above it.
    pub fn tri(n: usize, m: usize, k: isize) -> Var<T> {
        Mask::lower(n, m, k).to_var()
    }
}

impl<R: Real> Var<R> {
    /// start, start + step, … up to but without stop.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// assert_eq!(Var::arange(1.0, 2.0, 0.25).as_slice(), &[1.0, 1.25, 1.5, 1.75]);
    /// ```
    ///
    /// # Panics
    /// If the step is 0 or the number of elements is not finite.
    #[track_caller]
    pub fn arange(start: R, stop: R, step: R) -> Var<R> {
        let n = ((stop - start).to_f64() / step.to_f64()).ceil();
        assert!(n.is_finite(), "arange: from {start} to {stop} by {step} has no end: the step must not be 0, all three must be finite");
        Var::from((0..n.max(0.0) as usize).map(|i| start + R::from_f64(i as f64) * step).collect::<Vec<_>>())
    }

    /// n equally spaced numbers from a to b, both included. For ends that are variables see the function [`linspace`].
    ///
    /// ```
    /// use pullback::prelude::*;
    /// assert_eq!(Var::linspace(0.0, 1.0, 5).as_slice(), &[0.0, 0.25, 0.5, 0.75, 1.0]);
    /// ```
    pub fn linspace(a: R, b: R, n: usize) -> Var<R> {
        linspace(&Var::scalar(a), &Var::scalar(b), n)
    }
}

/// n equally spaced numbers from a to b, both included, along a new leading axis: (1 − t) a + t b at t = i/(n − 1).
///
/// Differentiable in both ends, which broadcast. One number is a.
///
/// ```
/// use pullback::prelude::*;
/// let g = grad(|b: &Var<f64>| linspace(&Var::scalar(0.0), b, 5).sum(), &2.0)?;
/// assert_eq!(g, 2.5);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Panics
/// If the ends do not broadcast.
#[track_caller]
pub fn linspace<T: Scalar>(a: &Var<T>, b: &Var<T>, n: usize) -> Var<T> {
    let rank = common_shape("linspace", a.shape(), b.shape()).len();
    let mut shape = vec![1; rank + 1];
    shape[0] = n;
    let t = |i: usize| if n < 2 { 0.0 } else { i as f64 / (n - 1) as f64 };
    let weights = |f: &dyn Fn(f64) -> f64| {
        Var::constant(Tensor::new(&shape, (0..n).map(|i| super::selection::constant(f(t(i)))).collect::<Vec<T>>()))
    };
    a * weights(&|t| 1.0 - t) + b * weights(&|t| t)
}

/// How [`meshgrid`] orders its first two axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Indexing {
    /// Cartesian, numpy's default: the first vector runs along axis 1, the second along axis 0.
    Xy,
    /// Matrix: vector k runs along axis k.
    Ij,
}

/// Coordinate arrays of the grid that vectors span (numpy's `meshgrid`): result k holds the coordinates of vector k at every point.
///
/// ```
/// use pullback::prelude::*;
/// let grid = meshgrid(&[Var::from([1.0, 2.0, 3.0]), Var::from([10.0, 20.0])], Indexing::Ij);
/// assert_eq!(grid[0].shape(), &[3, 2]);
/// assert_eq!(grid[1].as_slice(), &[10.0, 20.0, 10.0, 20.0, 10.0, 20.0]);
/// ```
///
/// # Panics
/// If one of the arrays is not a vector.
#[track_caller]
pub fn meshgrid<T: Scalar>(vectors: &[Var<T>], indexing: Indexing) -> Vec<Var<T>> {
    if let Some(x) = vectors.iter().find(|x| x.ndim() != 1) {
        panic!("meshgrid: needs vectors, got an array of shape {:?}", x.shape());
    }
    let rank = vectors.len();
    let axis = |k: usize| if indexing == Indexing::Xy && k < 2 && rank > 1 { 1 - k } else { k };
    let mut shape = vec![0; rank];
    (0..rank).for_each(|k| shape[axis(k)] = vectors[k].len());
    let along = |(k, x): (usize, &Var<T>)| {
        let mut own = vec![1; rank];
        own[axis(k)] = x.len();
        to_shape(x.reshape(&own), &shape)
    };
    vectors.iter().enumerate().map(along).collect()
}
