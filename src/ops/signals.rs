//! Differences, quadrature and convolution of samples.

use super::broadcast::sum_to;
use super::gathering::gather_flat;
use super::selection::{constant, where_};
use super::shape::axis_of;
use super::sorting::Side;
use super::view::View;
use crate::autodiff::Var;
use crate::autodiff::rule::{BinaryRule, Keep, binary};
use crate::kernels::elementwise::axpy;
use crate::scalar::{Real, Scalar};
use crate::tensor::{Shape, Tensor};
use std::marker::PhantomData;

/// `len` places of an axis from `start` on.
fn range<T: Scalar>(x: &Var<T>, axis: usize, start: usize, len: usize) -> Var<T> {
    View::whole(x.shape()).range(axis, start, len, 1).of(x)
}

/// x_{k+1} − x_k along an axis of at least one place.
fn steps<T: Scalar>(x: &Var<T>, axis: usize) -> Var<T> {
    let n = x.shape()[axis];
    range(x, axis, 1, n - 1) - range(x, axis, 0, n - 1)
}

/// Where samples along an axis lie: the same distance apart, or at coordinates.
enum Spacing<T> {
    Uniform(Var<T>),
    /// With the axis in its place, so that it broadcasts.
    Coordinates(Var<T>),
}

#[track_caller]
fn spacing_of<T: Scalar>(operation: &str, spacing: Var<T>, x: &Var<T>, axis: usize) -> Spacing<T> {
    let n = x.shape()[axis];
    match *spacing.shape() {
        [] => Spacing::Uniform(spacing),
        [m] if m == n => {
            let mut shape = Shape::from_elem(1, x.ndim());
            shape[axis] = n;
            Spacing::Coordinates(spacing.reshape(&shape))
        }
        _ => panic!(
            "{operation}: a spacing of shape {:?} for axis {axis} of shape {:?}: needs one number, or a vector of {n} coordinates",
            spacing.shape(),
            x.shape()
        ),
    }
}

impl<T: Scalar> Var<T> {
    /// The n-th differences along an axis: x_{k+1} − x_k, n times over (numpy's `diff`). The axis is shorter by n, down to nothing.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// assert_eq!(Var::from([1.0, 4.0, 9.0, 16.0]).diff(2, 0).as_slice(), &[2.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// For an axis out of range.
    #[track_caller]
    pub fn diff(&self, n: usize, axis: isize) -> Var<T> {
        let axis = axis_of("diff", axis, self.ndim());
        let mut x = self.clone();
        for _ in 0..n {
            if x.shape()[axis] == 0 {
                break;
            }
            x = steps(&x, axis);
        }
        x
    }

    /// The derivative of samples along an axis by second-order central differences, first-order at both ends (numpy's `gradient`).
    ///
    /// `spacing` is the distance of the samples, or a vector of their coordinates; differentiable in it too.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let x = Var::linspace(0.0, 1.0, 5);
    /// assert_eq!(x.square().gradient(&x, 0).as_slice(), &[0.25, 0.5, 1.0, 1.5, 1.75]);
    /// ```
    ///
    /// # Panics
    /// If there are fewer than two samples; if the spacing is neither one number nor one coordinate for each sample.
    #[track_caller]
    pub fn gradient(&self, spacing: impl Into<Var<T>>, axis: isize) -> Var<T> {
        let axis = axis_of("gradient", axis, self.ndim());
        let n = self.shape()[axis];
        assert!(n >= 2, "gradient: axis {axis} of shape {:?} needs at least two samples", self.shape());
        let slopes = match spacing_of("gradient", spacing.into(), self, axis) {
            Spacing::Uniform(h) => {
                let slopes = steps(self, axis) / h;
                let middle = (range(&slopes, axis, 0, n - 2) + range(&slopes, axis, 1, n - 2)) * constant::<T>(0.5);
                return super::concatenate(&[range(&slopes, axis, 0, 1), middle, range(&slopes, axis, n - 2, 1)], axis as isize);
            }
            Spacing::Coordinates(c) => (steps(&c, axis), steps(self, axis)),
        };
        // the slope of the parabola through three points weighs each one-sided slope with the other's step
        let (h, df) = slopes;
        let slopes = df / &h;
        let (before, after) = (range(&h, axis, 0, n - 2), range(&h, axis, 1, n - 2));
        let middle = (range(&slopes, axis, 0, n - 2) * &after + range(&slopes, axis, 1, n - 2) * &before) / (before + after);
        super::concatenate(&[range(&slopes, axis, 0, 1), middle, range(&slopes, axis, n - 2, 1)], axis as isize)
    }

    /// The areas of the trapezia between neighbouring samples.
    #[track_caller]
    fn trapezia(&self, operation: &str, spacing: Var<T>, axis: usize) -> Var<T> {
        let n = self.shape()[axis];
        assert!(n >= 1, "{operation}: axis {axis} of shape {:?} has no samples: needs at least one", self.shape());
        let sums = range(self, axis, 0, n - 1) + range(self, axis, 1, n - 1);
        let half = constant::<T>(0.5);
        match spacing_of(operation, spacing, self, axis) {
            Spacing::Uniform(h) => sums * (h * half),
            Spacing::Coordinates(c) => sums * (steps(&c, axis) * half),
        }
    }

    /// The integral of samples along an axis by the trapezoidal rule (numpy's `trapezoid`).
    ///
    /// `spacing` is the distance of the samples, or a vector of their coordinates; differentiable in it too.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// assert_eq!(Var::from([1.0, 2.0, 4.0]).trapezoid(0.5, 0).item(), 2.25);
    /// ```
    ///
    /// # Panics
    /// If there are no samples; if the spacing is neither one number nor one coordinate for each sample.
    #[track_caller]
    pub fn trapezoid(&self, spacing: impl Into<Var<T>>, axis: isize) -> Var<T> {
        let axis = axis_of("trapezoid", axis, self.ndim());
        let areas = self.trapezia("trapezoid", spacing.into(), axis);
        let mut shape = Shape::from_slice(self.shape());
        shape[axis] = 1;
        let total = sum_to(areas, &shape);
        shape.remove(axis);
        total.reshape(&shape)
    }

    /// The running integral of samples along an axis by the trapezoidal rule, from the first sample to each of the others; the axis is
    /// shorter by one (scipy's `cumulative_trapezoid`).
    ///
    /// # Panics
    /// As [`trapezoid`](Var::trapezoid).
    #[track_caller]
    pub fn cumulative_trapezoid(&self, spacing: impl Into<Var<T>>, axis: isize) -> Var<T> {
        let axis = axis_of("cumulative_trapezoid", axis, self.ndim());
        self.trapezia("cumulative_trapezoid", spacing.into(), axis).cumsum(axis as isize)
    }
}

/// Which part of a convolution is wanted; n and m are the lengths of the longer and the shorter vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConvolveMode {
    /// All n + m − 1 places where the two overlap.
    Full,
    /// n places in the middle.
    Same,
    /// The n − m + 1 places where the two overlap completely.
    Valid,
}

/// z_k = Σ_j x_{k + start − j} y_j for k < len: a window of the full convolution, which is zero outside.
///
/// x̄_i = Σ_k z̄_k conj(y_{k + start − i}) is such a window of z̄ with y reversed and conjugated, and ȳ likewise.
#[derive(Clone)]
struct Window<T> {
    start: isize,
    len: usize,
    types: PhantomData<T>,
}

impl<T: Scalar> Window<T> {
    /// What reaches `x`, of length n, from the cotangent, through the other factor.
    fn back(&self, g: &Var<T>, other: &Var<T>, n: usize) -> Var<T> {
        let m = other.len();
        let rule = Window { start: m as isize - 1 - self.start, len: n, types: PhantomData };
        binary(rule, g.clone(), reversed(&other.conj()))
    }
}

fn reversed<T: Scalar>(x: &Var<T>) -> Var<T> {
    View::whole(x.shape()).flip(0).of(x)
}

impl<T: Scalar> BinaryRule for Window<T> {
    type Left = T;
    type Right = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "convolve"
    }
    fn keep(&self, needs: (bool, bool)) -> Keep {
        Keep { left: needs.1, right: needs.0, out: false }
    }
    fn forward(&self, x: Var<T>, y: Var<T>) -> Tensor<T> {
        let (x, y) = if x.len() >= y.len() { (x, y) } else { (y, x) };
        let (x, len) = (x.as_slice(), self.len as isize);
        let mut z = vec![T::zero(); self.len];
        for (j, &w) in y.as_slice().iter().enumerate() {
            // 0 ≤ k + start − j < n
            let shift = self.start - j as isize;
            let (first, last) = ((-shift).clamp(0, len), (x.len() as isize - shift).clamp(0, len));
            if first < last {
                axpy(w, &x[(first + shift) as usize..(last + shift) as usize], &mut z[first as usize..last as usize]);
            }
        }
        Tensor::new(&[self.len], z)
    }
    fn vjp(&self, x: &Var<T>, y: &Var<T>, _: &Var<T>, g: Var<T>, needs: (bool, bool)) -> (Option<Var<T>>, Option<Var<T>>) {
        (needs.0.then(|| self.back(&g, y, x.len())), needs.1.then(|| self.back(&g, x, y.len())))
    }
    fn jvp(&self, x: &Var<T>, y: &Var<T>, _: &Var<T>, dx: Option<Var<T>>, dy: Option<Var<T>>) -> Option<Var<T>> {
        let from_x = dx.map(|dx| binary(self.clone(), dx, y.clone()));
        let from_y = dy.map(|dy| binary(self.clone(), x.clone(), dy));
        match (from_x, from_y) {
            (Some(a), Some(b)) => Some(a + b),
            (a, b) => a.or(b),
        }
    }
}

#[track_caller]
fn check_vectors<T: Scalar>(operation: &str, x: &Var<T>, y: &Var<T>) {
    assert!(
        x.ndim() == 1 && y.ndim() == 1 && x.len() > 0 && y.len() > 0,
        "{operation}: needs two vectors that are not empty, got shapes {:?} and {:?}",
        x.shape(),
        y.shape()
    );
}

fn window<T: Scalar>(x: &Var<T>, y: &Var<T>, mode: ConvolveMode, same: usize) -> Var<T> {
    let (n, m) = (x.len().max(y.len()), x.len().min(y.len()));
    let (start, len) = match mode {
        ConvolveMode::Full => (0, n + m - 1),
        ConvolveMode::Same => (same, n),
        ConvolveMode::Valid => (m - 1, n - m + 1),
    };
    binary(Window { start: start as isize, len, types: PhantomData }, x.clone(), y.clone())
}

/// The convolution of two vectors, z_k = Σ_j x_{k−j} y_j (numpy's `convolve`), by the sum itself: n·m multiplications.
///
/// ```
/// use pullback::prelude::*;
/// let (x, y) = (Var::from([1.0, 2.0, 3.0]), Var::from([0.0, 1.0, 0.5]));
/// assert_eq!(convolve(&x, &y, ConvolveMode::Full).as_slice(), &[0.0, 1.0, 2.5, 4.0, 1.5]);
/// assert_eq!(convolve(&x, &y, ConvolveMode::Same).as_slice(), &[1.0, 2.5, 4.0]);
/// assert_eq!(convolve(&x, &y, ConvolveMode::Valid).as_slice(), &[2.5]);
/// ```
///
/// # Panics
/// If the two are not vectors, or one is empty.
#[track_caller]
pub fn convolve<T: Scalar>(x: &Var<T>, y: &Var<T>, mode: ConvolveMode) -> Var<T> {
    check_vectors("convolve", x, y);
    window(x, y, mode, (x.len().min(y.len()) - 1) / 2)
}

/// The cross-correlation of two vectors, z_k = Σ_j x_{k+j} conj(y_j), with k from −(m − 1) on for y of length m (numpy's `correlate`).
///
/// # Panics
/// If the two are not vectors, or one is empty.
#[track_caller]
pub fn correlate<T: Scalar>(x: &Var<T>, y: &Var<T>, mode: ConvolveMode) -> Var<T> {
    check_vectors("correlate", x, y);
    // of an even number of places numpy takes the left middle as seen from the longer vector
    let same = if y.len() > x.len() { x.len() / 2 } else { (y.len() - 1) / 2 };
    window(x, &reversed(&y.conj()), mode, same)
}

/// The piecewise linear function through the points (xp, fp) at x, constant beyond the first and the last (numpy's `interp`).
///
/// Differentiable in all three. In x the derivative at a point (a kink) is the slope to its right, at the last point to its left, and beyond
/// the ends 0. In xp it is that of the interpolation formula with the same neighbours.
///
/// ```
/// use pullback::prelude::*;
/// let (xp, fp) = (Var::from([0.0, 1.0, 3.0]), Var::from([0.0, 10.0, 30.0]));
/// assert_eq!(interp(&Var::from([0.5, 2.0, 9.0]), &xp, &fp).as_slice(), &[5.0, 20.0, 30.0]);
/// ```
///
/// # Panics
/// If xp and fp are not vectors of one length, at least 1, or xp is not strictly ascending.
#[track_caller]
pub fn interp<R: Real>(x: &Var<R>, xp: &Var<R>, fp: &Var<R>) -> Var<R> {
    let n = xp.len();
    assert!(
        xp.ndim() == 1 && fp.shape() == xp.shape() && n > 0,
        "interp: points of shapes {:?} and {:?}: needs two vectors of one length, at least 1",
        xp.shape(),
        fp.shape()
    );
    assert!(xp.as_slice().is_sorted_by(|a, b| a < b), "interp: the coordinates xp must be strictly ascending");
    let (below, above) = (x.lt(xp.get(&[0])), x.gt(xp.get(&[-1])));
    let ends = (fp.get(&[0]), fp.get(&[-1]));
    if n == 1 {
        return where_(&x.isnan(), x.stop_gradient(), ends.0);
    }
    let left: Vec<usize> = xp.searchsorted(x, Side::Right).iter().map(|&i| i.clamp(1, n - 1) - 1).collect();
    let right: Vec<usize> = left.iter().map(|i| i + 1).collect();
    let at = |v: &Var<R>| (gather_flat(v, &left[..], x.shape()), gather_flat(v, &right[..], x.shape()));
    let ((x0, x1), (f0, f1)) = (at(xp), at(fp));
    let t = (x - &x0) / (x1 - x0);
    let inside = &f0 + t * (f1 - &f0);
    where_(&below, ends.0, where_(&above, ends.1, inside))
}
