//! Reductions over axes.
//!
//! Every reduction comes as a pair: `x.sum()` over all elements, and `x.sum_axis(axes)` over some, where `axes` is one axis, a list, or
//! `..` for all; wrapped in [`keepdims`] the reduced axes stay, with length 1, so that the result broadcasts against the array.

mod axes;
mod extrema;
mod moments;
mod prod;
mod softmax;

pub use axes::{Axes, keepdims};

use super::broadcast::{stacked, to_shape};
use crate::autodiff::Var;
use crate::autodiff::rule::{Keep, UnaryRule, unary};
use crate::kernels::reduce as kernel;
use crate::scalar::{Number, Scalar};
use crate::tensor::Tensor;
use axes::Plan;
use ndarray::{ArrayD, IxDyn};
use std::marker::PhantomData;

/// y = Σ x over axes; x̄ is ȳ repeated.
#[derive(Clone)]
struct Sum<T>(Plan, PhantomData<T>);

impl<T: Scalar> UnaryRule for Sum<T> {
    type In = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "sum"
    }
    fn keep(&self) -> Keep {
        Keep::NOTHING
    }
    fn forward(&self, x: Var<T>) -> Tensor<T> {
        Tensor::with_shape(self.0.out.clone(), kernel::sum_axes(x.as_slice(), x.shape(), &self.0.axes))
    }
    fn vjp(&self, x: &Var<T>, _: &Var<T>, g: Var<T>) -> Var<T> {
        self.0.repeat(g, x.shape())
    }
    fn stacks(&self) -> bool {
        true
    }
    fn vjp_stacked(&self, x: &Var<T>, _: &Var<T>, g: Var<T>) -> Var<T> {
        let count = g.shape()[0];
        to_shape(g.reshape(&stacked(count, &self.0.kept)), &stacked(count, x.shape()))
    }
    fn jvp(&self, _: &Var<T>, _: &Var<T>, dx: Var<T>) -> Var<T> {
        unary(self.clone(), dx)
    }
}

impl Plan {
    /// A reduced array repeated along the axes that were reduced.
    fn repeat<T: Scalar>(&self, reduced: Var<T>, shape: &[usize]) -> Var<T> {
        to_shape(reduced.reshape(&self.kept), shape)
    }

    /// The sum over the axes of this plan.
    fn sum<T: Scalar>(&self, x: Var<T>) -> Var<T> {
        if self.trivial(x.shape()) { x.reshape(&self.out) } else { unary(Sum(self.clone(), PhantomData), x) }
    }
}

impl<T: Scalar> Var<T> {
    /// Σ x over all elements; 0 if there are none.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let x = Var::from(ndarray::array![[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.sum().item(), 10.0);
    /// assert_eq!(x.sum_axis(0).as_slice(), &[4.0, 6.0]);
    /// assert_eq!(x.sum_axis([0, -1]).shape(), &[] as &[usize]);
    /// let rows = &x / x.sum_axis(keepdims(-1)); // rows that sum to 1
    /// assert_eq!(rows.sum_axis(1).as_slice(), &[1.0, 1.0]);
    /// ```
    #[inline]
    pub fn sum(&self) -> Var<T> {
        if self.ndim() == 0 { self.clone() } else { Plan::all(self.shape()).sum(self.clone()) }
    }

    /// Σ x over axes; 0 over an empty axis.
    ///
    /// # Panics
    /// As every reduction over axes: if an axis is out of range or named twice.
    #[track_caller]
    pub fn sum_axis(&self, axes: impl Into<Axes>) -> Var<T> {
        axes.into().plan("sum", self.shape()).sum(self.clone())
    }

    /// The mean of all elements; NaN if there are none.
    pub fn mean(&self) -> Var<T> {
        self.mean_plan(Plan::all(self.shape()))
    }

    /// The mean over axes; NaN over an empty axis.
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    pub fn mean_axis(&self, axes: impl Into<Axes>) -> Var<T> {
        self.mean_plan(axes.into().plan("mean", self.shape()))
    }

    fn mean_plan(&self, plan: Plan) -> Var<T> {
        plan.sum(self.clone()) / <T as Number>::constant(plan.count as f64)
    }

    /// Whether any element is not zero (NaN is not zero, as in numpy); false if there are none. A constant.
    pub fn any(&self) -> bool {
        self.as_slice().iter().any(|x| *x != T::zero())
    }

    /// Whether all elements are not zero; true if there are none. A constant.
    pub fn all(&self) -> bool {
        self.as_slice().iter().all(|x| *x != T::zero())
    }

    /// 1 where any element along the axes is not zero, else 0: a constant, like the comparisons.
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    pub fn any_axis(&self, axes: impl Into<Axes>) -> Var<T> {
        let plan = axes.into().plan("any", self.shape());
        self.indicator(&plan, |nonzero| nonzero > 0)
    }

    /// 1 where all elements along the axes are not zero, else 0: a constant, like the comparisons.
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    pub fn all_axis(&self, axes: impl Into<Axes>) -> Var<T> {
        let plan = axes.into().plan("all", self.shape());
        let count = plan.count;
        self.indicator(&plan, |nonzero| nonzero == count)
    }

    fn indicator(&self, plan: &Plan, f: impl Fn(usize) -> bool) -> Var<T> {
        let values = self.counts(plan).into_iter().map(|n| if f(n) { T::one() } else { T::zero() });
        Var::constant(Tensor::with_shape(plan.out.clone(), values.collect()))
    }

    /// The number of elements that are not zero. A constant.
    pub fn count_nonzero(&self) -> usize {
        self.as_slice().iter().filter(|x| **x != T::zero()).count()
    }

    /// The number of elements along the axes that are not zero. A constant.
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    pub fn count_nonzero_axis(&self, axes: impl Into<Axes>) -> ArrayD<usize> {
        let plan = axes.into().plan("count_nonzero", self.shape());
        ArrayD::from_shape_vec(IxDyn(&plan.out), self.counts(&plan)).expect("as many as the shape asks for")
    }

    fn counts(&self, plan: &Plan) -> Vec<usize> {
        // f64 counts exactly up to 2⁵³
        let ones: Vec<f64> = self.as_slice().iter().map(|x| if *x != T::zero() { 1.0 } else { 0.0 }).collect();
        kernel::sum_axes(&ones, self.shape(), &plan.axes).into_iter().map(|n| n as usize).collect()
    }
}
