//! Variance and standard deviation, with `ddof` degrees of freedom taken off: v = Σ |x − m|² / (n − ddof), m = Σ x / n.
//!
//! Pullback: x̄ = v̄ 2 (x − m)/(n − ddof); the term through m vanishes, since Σ (x − m) = 0. For s = √v: x̄ = s̄ (x − m)/((n − ddof) s),
//! taken as 0 where s = 0, the subgradient that all directions agree on. The variance of complex numbers is real.

use super::axes::{Axes, Plan};
use crate::autodiff::Var;
use crate::autodiff::rule::{Keep, UnaryRule, unary};
use crate::kernels::broadcast::binary_broadcast;
use crate::kernels::{elementwise, reduce};
use crate::ops::selection::where_bool;
use crate::scalar::{Number, Real, Scalar};
use crate::tensor::Tensor;
use std::marker::PhantomData;

#[derive(Clone)]
struct Variance<T> {
    plan: Plan,
    ddof: usize,
    types: PhantomData<T>,
}

impl<T: Scalar> Variance<T> {
    /// 1/(n − ddof); infinite where nothing is left, as in numpy.
    fn weight(&self) -> f64 {
        1.0 / self.plan.count.saturating_sub(self.ddof) as f64
    }

    /// x − m
    fn centred(&self, x: &Var<T>) -> Var<T> {
        let mean = self.plan.sum(x.clone()) / <T as Number>::constant(self.plan.count as f64);
        x - mean.reshape(&self.plan.kept)
    }
}

impl<T: Scalar> UnaryRule for Variance<T> {
    type In = T;
    type Out = T::Real;
    fn name(&self) -> &'static str {
        "var"
    }
    fn keep(&self) -> Keep {
        Keep::INPUT
    }
    fn forward(&self, x: Var<T>) -> Tensor<T::Real> {
        let (values, shape) = (x.as_slice(), x.shape());
        let n = <T as Number>::constant(self.plan.count as f64);
        let mean: Vec<T> = reduce::sum_axes(values, shape, &self.plan.axes).into_iter().map(|sum| sum / n).collect();
        let squares = binary_broadcast(values, shape, &mean, &self.plan.kept, shape, |x: T, m: T| (x - m).modulus_squared());
        let mut sums = reduce::sum_axes(&squares, shape, &self.plan.axes);
        let weight = T::Real::from_f64(self.weight());
        sums.iter_mut().for_each(|v| *v *= weight);
        Tensor::with_shape(self.plan.out.clone(), sums)
    }
    fn vjp(&self, x: &Var<T>, _: &Var<T::Real>, g: Var<T::Real>) -> Var<T> {
        let g = (g * T::Real::from_f64(2.0 * self.weight())).reshape(&self.plan.kept);
        self.centred(x) * g.astype::<T>()
    }
    fn jvp(&self, x: &Var<T>, _: &Var<T::Real>, dx: Var<T>) -> Var<T::Real> {
        let products = (self.centred(x).conj() * dx).re();
        self.plan.sum(products) * T::Real::from_f64(2.0 * self.weight())
    }
}

/// s = √v, with ∂s/∂v = 1/(2s), and 0 at s = 0 to every order.
#[derive(Clone)]
struct Deviation<R>(PhantomData<R>);

impl<R: Real> Deviation<R> {
    fn slope(&self, s: &Var<R>) -> Var<R> {
        let half = |s: &Var<R>| (s + s).reciprocal();
        let zero: Vec<bool> = s.as_slice().iter().map(|s| s.is_zero()).collect();
        if zero.iter().all(|zero| !zero) {
            return half(s);
        }
        // the reciprocal is taken of something finite, or 0·∞ would come back with the second derivative
        where_bool(&zero, &s.zeros_like(), &half(&where_bool(&zero, &s.ones_like(), s)))
    }
}

impl<R: Real> UnaryRule for Deviation<R> {
    type In = R;
    type Out = R;
    fn name(&self) -> &'static str {
        "std"
    }
    fn keep(&self) -> Keep {
        Keep::OUTPUT
    }
    fn forward(&self, v: Var<R>) -> Tensor<R> {
        Tensor::new(v.shape(), elementwise::unary(elementwise::Unary::Sqrt, v.as_slice()))
    }
    fn vjp(&self, _: &Var<R>, s: &Var<R>, g: Var<R>) -> Var<R> {
        g * self.slope(s)
    }
    fn jvp(&self, _: &Var<R>, s: &Var<R>, dv: Var<R>) -> Var<R> {
        dv * self.slope(s)
    }
}

impl<T: Scalar> Var<T> {
    /// The variance Σ |x − mean|² / (n − ddof) of all elements; NaN if there are none.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let x = Var::from([1.0f64, 2.0, 3.0, 4.0]);
    /// assert_eq!(x.var(0).item(), 1.25);
    /// assert!((x.var(1).item() - 5.0 / 3.0).abs() < 1e-15); // the unbiased estimate
    /// ```
    pub fn var(&self, ddof: usize) -> Var<T::Real> {
        unary(Variance { plan: Plan::all(self.shape()), ddof, types: PhantomData }, self.clone())
    }

    /// The variance over axes.
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    pub fn var_axis(&self, axes: impl Into<Axes>, ddof: usize) -> Var<T::Real> {
        unary(Variance { plan: axes.into().plan("var", self.shape()), ddof, types: PhantomData }, self.clone())
    }

    /// The standard deviation, √[var](Var::var). Its derivative where all elements are equal is taken as 0.
    pub fn std(&self, ddof: usize) -> Var<T::Real> {
        unary(Deviation(PhantomData), self.var(ddof))
    }

    /// The standard deviation over axes. Its derivative where all elements are equal is taken as 0.
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    pub fn std_axis(&self, axes: impl Into<Axes>, ddof: usize) -> Var<T::Real> {
        unary(Deviation(PhantomData), self.var_axis(axes, ddof))
    }
}
