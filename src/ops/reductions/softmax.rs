//! logsumexp, softmax and log_softmax, without overflow: the largest real part m along the axes is taken out before exponentiating.
//!
//! - y = m + ln Σ e^{x−m}: x̄ = ȳ conj(p) with p = e^{x−y}, the softmax.
//! - p = e^{x−m}/Σ e^{x−m}: x̄ = conj(p) (p̄ − Σ p̄ conj p).
//! - l = x − y: x̄ = l̄ − conj(e^l) Σ l̄.
//!
//! Where y = −∞ (all x = −∞) p is taken as 0: the value does not move with any finite change. Where y = +∞ the elements at +∞ share
//! the derivative equally. Where softmax itself has no limit (all −∞, or some +∞) it is NaN, as in scipy.

use super::axes::{Axes, Plan};
use crate::autodiff::Var;
use crate::autodiff::rule::{Keep, UnaryRule, unary};
use crate::kernels::broadcast::{binary_broadcast, binary_broadcast_op};
use crate::kernels::elementwise::{self, Binary, Unary};
use crate::kernels::reduce;
use crate::ops::selection::where_bool;
use crate::scalar::{AnySlice, AnyVec, Real, Scalar};
use crate::tensor::Tensor;
use num_complex::Complex;
use std::marker::PhantomData;

/// The largest real parts along the axes, 0 where that is infinite.
fn shift<T: Scalar>(x: &[T], shape: &[usize], plan: &Plan) -> Vec<T> {
    fn complex<R: Real>(z: &[Complex<R>], shape: &[usize], plan: &Plan) -> Vec<Complex<R>> {
        let re = elementwise::map(z, |z: Complex<R>| z.re);
        reduce::max_axes(&re, shape, &plan.axes).into_iter().map(|m| Complex::new(m, R::zero())).collect()
    }
    let mut m = T::unwrap_vec(match T::slice(x) {
        AnySlice::F32(x) => AnyVec::F32(reduce::max_axes(x, shape, &plan.axes)),
        AnySlice::F64(x) => AnyVec::F64(reduce::max_axes(x, shape, &plan.axes)),
        AnySlice::C32(z) => AnyVec::C32(complex(z, shape, plan)),
        AnySlice::C64(z) => AnyVec::C64(complex(z, shape, plan)),
    });
    m.iter_mut().filter(|m| !m.is_finite()).for_each(|m| *m = T::zero());
    m
}

/// m, e^{x−m} and Σ e^{x−m}
fn exponentials<T: Scalar>(x: &[T], shape: &[usize], plan: &Plan) -> (Vec<T>, Vec<T>, Vec<T>) {
    let m = shift(x, shape, plan);
    let mut e = binary_broadcast_op(Binary::Sub, x, shape, &m, &plan.kept, shape);
    elementwise::unary_inplace(Unary::Exp, &mut e);
    let sum = reduce::sum_axes(&e, shape, &plan.axes);
    (m, e, sum)
}

fn logarithms<T: Scalar>(m: Vec<T>, sum: Vec<T>) -> Vec<T> {
    m.into_iter().zip(sum).map(|(m, sum)| m + elementwise::unary_scalar(Unary::Log, sum)).collect()
}

#[derive(Clone)]
struct LogSumExp<T>(Plan, PhantomData<T>);

impl<T: Scalar> LogSumExp<T> {
    /// p = e^{x−y}, with its limits where y is infinite.
    fn weights(&self, x: &Var<T>, y: &Var<T>) -> Var<T> {
        let y = y.reshape(&self.0.kept);
        let z = x - &y;
        if y.as_slice().iter().all(|y| y.is_finite()) {
            return z.exp();
        }
        let (shape, kept) = (x.shape(), &self.0.kept);
        let limits = |f: fn(T, T) -> bool| binary_broadcast(x.as_slice(), shape, y.as_slice(), kept, shape, f);
        let infinite = limits(|_, y| !y.is_finite() && !y.is_nan());
        let largest: Vec<f64> = limits(|x, y| y.re() == T::Real::INFINITY && x.re() == T::Real::INFINITY)
            .into_iter()
            .map(|at| f64::from(u8::from(at)))
            .collect();
        let ties = reduce::sum_axes(&largest, shape, &self.0.axes);
        let shares = binary_broadcast(&largest, shape, &ties, kept, shape, |at: f64, k: f64| {
            T::from_real(T::Real::from_f64(if at == 0.0 { 0.0 } else { at / k }))
        });
        // the exponential is taken of something finite, or 0·∞ would come back with the second derivative
        let finite = where_bool(&infinite, &x.zeros_like(), &z).exp();
        where_bool(&infinite, &Var::constant(Tensor::new(shape, shares)), &finite)
    }
}

impl<T: Scalar> UnaryRule for LogSumExp<T> {
    type In = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "logsumexp"
    }
    fn keep(&self) -> Keep {
        Keep::ALL
    }
    fn forward(&self, x: Var<T>) -> Tensor<T> {
        let (m, _, sum) = exponentials(x.as_slice(), x.shape(), &self.0);
        Tensor::with_shape(self.0.out.clone(), logarithms(m, sum))
    }
    fn vjp(&self, x: &Var<T>, y: &Var<T>, g: Var<T>) -> Var<T> {
        self.weights(x, y).conj() * g.reshape(&self.0.kept)
    }
    fn jvp(&self, x: &Var<T>, y: &Var<T>, dx: Var<T>) -> Var<T> {
        self.0.sum(self.weights(x, y) * dx)
    }
}

#[derive(Clone)]
struct Softmax<T>(Plan, PhantomData<T>);

impl<T: Scalar> Softmax<T> {
    /// p (t − Σ p t), the derivative and, with conj(p), its transpose.
    fn apply(&self, p: Var<T>, t: Var<T>) -> Var<T> {
        let pt = &p * t;
        let sum = self.0.sum(pt.clone()).reshape(&self.0.kept);
        pt - p * sum
    }
}

impl<T: Scalar> UnaryRule for Softmax<T> {
    type In = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "softmax"
    }
    fn keep(&self) -> Keep {
        Keep::OUTPUT
    }
    fn forward(&self, x: Var<T>) -> Tensor<T> {
        let shape = x.shape();
        let (_, e, sum) = exponentials(x.as_slice(), shape, &self.0);
        Tensor::new(shape, binary_broadcast_op(Binary::Div, &e, shape, &sum, &self.0.kept, shape))
    }
    fn vjp(&self, _: &Var<T>, p: &Var<T>, g: Var<T>) -> Var<T> {
        self.apply(p.conj(), g)
    }
    fn jvp(&self, _: &Var<T>, p: &Var<T>, dx: Var<T>) -> Var<T> {
        self.apply(p.clone(), dx)
    }
}

#[derive(Clone)]
struct LogSoftmax<T>(Plan, PhantomData<T>);

impl<T: Scalar> UnaryRule for LogSoftmax<T> {
    type In = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "log_softmax"
    }
    fn keep(&self) -> Keep {
        Keep::OUTPUT
    }
    fn forward(&self, x: Var<T>) -> Tensor<T> {
        let (x, shape) = (x.as_slice(), x.shape());
        let (m, _, sum) = exponentials(x, shape, &self.0);
        // x − m before ln Σ: the logarithm is small, the two others may be large and close
        let centred = binary_broadcast_op(Binary::Sub, x, shape, &m, &self.0.kept, shape);
        let log: Vec<T> = sum.into_iter().map(|sum| elementwise::unary_scalar(Unary::Log, sum)).collect();
        Tensor::new(shape, binary_broadcast_op(Binary::Sub, &centred, shape, &log, &self.0.kept, shape))
    }
    fn vjp(&self, _: &Var<T>, l: &Var<T>, g: Var<T>) -> Var<T> {
        let sum = self.0.sum(g.clone()).reshape(&self.0.kept);
        g - l.exp().conj() * sum
    }
    fn jvp(&self, _: &Var<T>, l: &Var<T>, dx: Var<T>) -> Var<T> {
        let mean = self.0.sum(l.exp() * &dx).reshape(&self.0.kept);
        dx - mean
    }
}

impl<T: Scalar> Var<T> {
    /// ln Σ eˣ over all elements, without overflow; −∞ if there are none.
    ///
    /// The derivative is the softmax; 0 where all elements are −∞, and shared equally by the elements that are +∞.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let x = Var::from([1000.0, 1000.0]);
    /// assert_eq!(x.logsumexp().item(), 1000.0 + 2f64.ln());
    /// ```
    pub fn logsumexp(&self) -> Var<T> {
        unary(LogSumExp(Plan::all(self.shape()), PhantomData), self.clone())
    }

    /// ln Σ eˣ over axes, without overflow; −∞ over an empty axis.
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    pub fn logsumexp_axis(&self, axes: impl Into<Axes>) -> Var<T> {
        unary(LogSumExp(axes.into().plan("logsumexp", self.shape()), PhantomData), self.clone())
    }

    /// eˣ/Σ eˣ, of the array's shape, summed over the given axes (`..` for all): the results along them add up to 1.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let p = Var::from([0.0, 3f64.ln()]).softmax(-1);
    /// assert!((p.as_slice()[1] - 0.75).abs() < 1e-15);
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    pub fn softmax(&self, axes: impl Into<Axes>) -> Var<T> {
        unary(Softmax(axes.into().plan("softmax", self.shape()), PhantomData), self.clone())
    }

    /// x − ln Σ eˣ, of the array's shape, summed over the given axes (`..` for all): the logarithm of [`softmax`](Var::softmax), accurate
    /// also where that is tiny.
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    pub fn log_softmax(&self, axes: impl Into<Axes>) -> Var<T> {
        unary(LogSoftmax(axes.into().plan("log_softmax", self.shape()), PhantomData), self.clone())
    }
}
