//! Largest and smallest elements. Elements that tie for the extremum share its derivative equally.

use super::axes::{Axes, Plan};
use crate::autodiff::Var;
use crate::autodiff::rule::{Keep, UnaryRule, unary};
use crate::kernels::broadcast::binary_broadcast;
use crate::kernels::reduce as kernel;
use crate::ops::shape::axis_of;
use crate::scalar::Real;
use crate::tensor::{Tensor, len_of};
use ndarray::{ArrayD, IxDyn};
use std::marker::PhantomData;

#[derive(Clone)]
struct Extremum<R> {
    plan: Plan,
    largest: bool,
    types: PhantomData<R>,
}

impl<R: Real> Extremum<R> {
    /// Each element's share in the derivative: 1/k for the k elements that attain the extremum, 0 for the others.
    fn shares(&self, x: &Var<R>, y: &Var<R>) -> Var<R> {
        let (shape, kept) = (x.shape(), &self.plan.kept);
        // a NaN is the extremum where there is one
        let attains = |x: R, y: R| if x == y || (x.is_nan() && y.is_nan()) { R::one() } else { R::zero() };
        let attained = binary_broadcast(x.as_slice(), shape, y.as_slice(), kept, shape, attains);
        let ties = kernel::sum_axes(&attained, shape, &self.plan.axes);
        let values = if ties.iter().all(|&k| k == R::one()) {
            attained
        } else {
            binary_broadcast(&attained, shape, &ties, kept, shape, |a: R, k: R| a / k)
        };
        Var::constant(Tensor::new(shape, values))
    }
}

impl<R: Real> UnaryRule for Extremum<R> {
    type In = R;
    type Out = R;
    fn name(&self) -> &'static str {
        if self.largest { "max" } else { "min" }
    }
    fn keep(&self) -> Keep {
        Keep::ALL
    }
    fn forward(&self, x: Var<R>) -> Tensor<R> {
        let reduce = if self.largest { kernel::max_axes } else { kernel::min_axes };
        Tensor::with_shape(self.plan.out.clone(), reduce(x.as_slice(), x.shape(), &self.plan.axes))
    }
    fn vjp(&self, x: &Var<R>, y: &Var<R>, g: Var<R>) -> Var<R> {
        self.shares(x, y) * g.reshape(&self.plan.kept)
    }
    fn jvp(&self, x: &Var<R>, y: &Var<R>, dx: Var<R>) -> Var<R> {
        self.plan.sum(self.shares(x, y) * dx)
    }
}

#[track_caller]
fn refuse_empty(operation: &str, shape: &[usize], plan: &Plan) {
    assert!(
        plan.count > 0 || len_of(&plan.out) == 0,
        "{operation}: of no elements there is none: the shape is {shape:?}, the reduced axes are {:?}",
        &plan.axes[..]
    );
}

impl<R: Real> Var<R> {
    #[track_caller]
    fn extremum(&self, operation: &'static str, axes: Axes, largest: bool) -> Var<R> {
        let plan = axes.plan(operation, self.shape());
        refuse_empty(operation, self.shape(), &plan);
        unary(Extremum { plan, largest, types: PhantomData }, self.clone())
    }

    /// The largest element; NaN if there is a NaN. Ties share the derivative equally.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let g = grad(|x| x.max(), &ndarray::array![2.0, 5.0, 5.0])?;
    /// assert_eq!(g, ndarray::array![0.0, 0.5, 0.5]);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Panics
    /// If there are no elements.
    #[track_caller]
    pub fn max(&self) -> Var<R> {
        self.extremum("max", (..).into(), true)
    }

    /// The largest element over axes; NaN if there is a NaN. Ties share the derivative equally.
    ///
    /// # Panics
    /// If an axis is out of range, named twice or empty.
    #[track_caller]
    pub fn max_axis(&self, axes: impl Into<Axes>) -> Var<R> {
        self.extremum("max", axes.into(), true)
    }

    /// The smallest element; NaN if there is a NaN. Ties share the derivative equally.
    ///
    /// # Panics
    /// If there are no elements.
    #[track_caller]
    pub fn min(&self) -> Var<R> {
        self.extremum("min", (..).into(), false)
    }

    /// The smallest element over axes; NaN if there is a NaN. Ties share the derivative equally.
    ///
    /// # Panics
    /// If an axis is out of range, named twice or empty.
    #[track_caller]
    pub fn min_axis(&self, axes: impl Into<Axes>) -> Var<R> {
        self.extremum("min", axes.into(), false)
    }

    /// numpy's other name for [`max`](Var::max).
    #[track_caller]
    pub fn amax(&self) -> Var<R> {
        self.max()
    }

    /// numpy's other name for [`max_axis`](Var::max_axis).
    #[track_caller]
    pub fn amax_axis(&self, axes: impl Into<Axes>) -> Var<R> {
        self.max_axis(axes)
    }

    /// numpy's other name for [`min`](Var::min).
    #[track_caller]
    pub fn amin(&self) -> Var<R> {
        self.min()
    }

    /// numpy's other name for [`min_axis`](Var::min_axis).
    #[track_caller]
    pub fn amin_axis(&self, axes: impl Into<Axes>) -> Var<R> {
        self.min_axis(axes)
    }

    /// The largest less the smallest element.
    ///
    /// # Panics
    /// If there are no elements.
    #[track_caller]
    pub fn ptp(&self) -> Var<R> {
        self.ptp_axis(..)
    }

    /// The largest less the smallest element over axes.
    ///
    /// # Panics
    /// If an axis is out of range, named twice or empty.
    #[track_caller]
    pub fn ptp_axis(&self, axes: impl Into<Axes>) -> Var<R> {
        let axes = axes.into();
        self.extremum("ptp", axes.clone(), true) - self.extremum("ptp", axes, false)
    }

    #[track_caller]
    fn position(&self, operation: &'static str, axis: isize, largest: bool) -> ArrayD<usize> {
        let shape = self.shape();
        let axis = axis_of(operation, axis, shape.len());
        let plan = Axes::from(axis as isize).plan(operation, shape);
        refuse_empty(operation, shape, &plan);
        let (outer, inner) = (len_of(&shape[..axis]), len_of(&shape[axis + 1..]));
        let positions = if len_of(&plan.out) == 0 {
            Vec::new()
        } else if largest {
            kernel::argmax_axis(self.as_slice(), outer, shape[axis], inner)
        } else {
            kernel::argmin_axis(self.as_slice(), outer, shape[axis], inner)
        };
        ArrayD::from_shape_vec(IxDyn(&plan.out), positions).expect("as many as the shape asks for")
    }

    /// The position of the largest element in row-major order: the first of equals, or the first NaN. A constant.
    ///
    /// # Panics
    /// If there are no elements.
    #[track_caller]
    pub fn argmax(&self) -> usize {
        self.stop_gradient().reshape(&[self.len()]).position("argmax", 0, true)[[]]
    }

    /// The positions of the largest elements along an axis: the first of equals, or the first NaN. Constants.
    ///
    /// # Panics
    /// If the axis is out of range or empty.
    #[track_caller]
    pub fn argmax_axis(&self, axis: isize) -> ArrayD<usize> {
        self.position("argmax", axis, true)
    }

    /// The position of the smallest element in row-major order: the first of equals, or the first NaN. A constant.
    ///
    /// # Panics
    /// If there are no elements.
    #[track_caller]
    pub fn argmin(&self) -> usize {
        self.stop_gradient().reshape(&[self.len()]).position("argmin", 0, false)[[]]
    }

    /// The positions of the smallest elements along an axis: the first of equals, or the first NaN. Constants.
    ///
    /// # Panics
    /// If the axis is out of range or empty.
    #[track_caller]
    pub fn argmin_axis(&self, axis: isize) -> ArrayD<usize> {
        self.position("argmin", axis, false)
    }
}
