//! Running sums and products, and the linear recurrence that carries their derivatives.
//!
//! y_k = x_k y_{k−1} gives ẏ_k = x_k ẏ_{k−1} + ẋ_k y_{k−1}: again a linear recurrence, without a division, so zeros are nothing special.

use super::shape::{around, axis_of};
use super::view::View;
use crate::autodiff::Var;
use crate::autodiff::rule::{BinaryRule, Keep, UnaryRule, binary, unary};
use crate::kernels::parallel::{GRAIN, for_parts};
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use std::marker::PhantomData;

/// Runs along an axis from its second place on: each value x at position p becomes `step(p, previous, x)`.
fn scan<T: Scalar>(values: &mut [T], shape: &[usize], axis: usize, reverse: bool, step: impl Fn(usize, T, T) -> T + Sync) {
    let (_, n, inner) = around(shape, axis);
    if n * inner == 0 {
        return;
    }
    let run = |(o, block): (usize, &mut [T])| {
        let start = o * n * inner;
        let place = |k: usize| if reverse { n - 1 - k } else { k };
        if inner == 1 {
            let mut previous = block[place(0)];
            for k in (1..n).map(place) {
                previous = step(start + k, previous, block[k]);
                block[k] = previous;
            }
            return;
        }
        for k in (1..n).map(place) {
            let (before, after) = block.split_at_mut(if reverse { k + 1 } else { k } * inner);
            let (row, previous) =
                if reverse { (&mut before[k * inner..], &after[..inner]) } else { (&mut after[..inner], &before[(k - 1) * inner..]) };
            let at = start + k * inner;
            row.iter_mut().zip(previous).enumerate().for_each(|(i, (x, &p))| *x = step(at + i, p, *x));
        }
    };
    if values.len() >= 2 * GRAIN {
        for_parts(values, n * inner, |start, block| run((start / (n * inner), block)));
    } else {
        values.chunks_exact_mut(n * inner).enumerate().for_each(run);
    }
}

/// y_k = Σ_{j ≤ k} x_j, or from the end; the transpose runs the other way.
#[derive(Clone)]
struct CumSum<T> {
    axis: usize,
    reverse: bool,
    types: PhantomData<T>,
}

impl<T: Scalar> UnaryRule for CumSum<T> {
    type In = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "cumsum"
    }
    fn keep(&self) -> Keep {
        Keep::NOTHING
    }
    fn forward(&self, x: Var<T>) -> Tensor<T> {
        let shape = Shape::from_slice(x.shape());
        let mut values = x.value.into_vec();
        scan(&mut values, &shape, self.axis, self.reverse, |_, sum, x| sum + x);
        Tensor::with_shape(shape, values)
    }
    fn vjp(&self, _: &Var<T>, _: &Var<T>, g: Var<T>) -> Var<T> {
        unary(CumSum { reverse: !self.reverse, ..*self }, g)
    }
    fn jvp(&self, _: &Var<T>, _: &Var<T>, dx: Var<T>) -> Var<T> {
        unary(self.clone(), dx)
    }
}

/// The array one place further along an axis, with a zero where nothing comes in.
fn shifted<T: Scalar>(x: &Var<T>, axis: usize, forward: bool) -> Var<T> {
    let n = x.shape()[axis];
    if n == 0 {
        return x.clone();
    }
    let part = |start: usize| View::whole(x.shape()).range(axis, start, n - 1, 1);
    let (from, to) = if forward { (part(0), part(1)) } else { (part(1), part(0)) };
    to.place(&from.of(x))
}

/// s_k = a_k s_{k−1} + b_k, or from the end: s_k = a_k s_{k+1} + b_k.
///
/// With λ the cotangent of s after all later steps, λ_k = s̄_k + conj(a_{k+1}) λ_{k+1}: b̄ = λ and ā_k = λ_k conj(s_{k−1}).
#[derive(Clone)]
struct Recurrence<T> {
    axis: usize,
    reverse: bool,
    types: PhantomData<T>,
}

impl<T: Scalar> BinaryRule for Recurrence<T> {
    type Left = T;
    type Right = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "linear_recurrence"
    }
    fn keep(&self, needs: (bool, bool)) -> Keep {
        Keep { left: true, right: false, out: needs.0 }
    }
    fn forward(&self, a: Var<T>, b: Var<T>) -> Tensor<T> {
        let shape = Shape::from_slice(b.shape());
        let mut values = b.value.into_vec();
        let a = a.as_slice();
        scan(&mut values, &shape, self.axis, self.reverse, |at, s, b| a[at] * s + b);
        Tensor::with_shape(shape, values)
    }
    fn vjp(&self, a: &Var<T>, _: &Var<T>, s: &Var<T>, g: Var<T>, needs: (bool, bool)) -> (Option<Var<T>>, Option<Var<T>>) {
        let back = Recurrence { reverse: !self.reverse, ..*self };
        let lambda = binary(back, shifted(&a.conj(), self.axis, self.reverse), g);
        let ga = needs.0.then(|| &lambda * shifted(&s.conj(), self.axis, !self.reverse));
        (ga, needs.1.then_some(lambda))
    }
    fn jvp(&self, a: &Var<T>, _: &Var<T>, s: &Var<T>, da: Option<Var<T>>, db: Option<Var<T>>) -> Option<Var<T>> {
        let from_a = da.map(|da| da * shifted(s, self.axis, !self.reverse));
        let source = match (from_a, db) {
            (Some(x), Some(y)) => x + y,
            (x, y) => x.or(y)?,
        };
        Some(binary(self.clone(), a.clone(), source))
    }
}

/// y_k = x_0 x_1 … x_k.
#[derive(Clone)]
struct CumProd<T> {
    axis: usize,
    types: PhantomData<T>,
}

impl<T: Scalar> CumProd<T> {
    /// y_{k−1}, and 1 for the first.
    fn previous(&self, y: &Var<T>) -> Var<T> {
        let mut first = Shape::from_slice(y.shape());
        first[self.axis] = first[self.axis].min(1);
        let view = View::whole(y.shape()).range(self.axis, 0, first[self.axis], 1);
        view.set(&shifted(y, self.axis, true), &Var::ones(&first))
    }

    fn recurrence(&self, reverse: bool) -> Recurrence<T> {
        Recurrence { axis: self.axis, reverse, types: PhantomData }
    }
}

impl<T: Scalar> UnaryRule for CumProd<T> {
    type In = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "cumprod"
    }
    fn keep(&self) -> Keep {
        Keep::ALL
    }
    fn forward(&self, x: Var<T>) -> Tensor<T> {
        let shape = Shape::from_slice(x.shape());
        let mut values = x.value.into_vec();
        scan(&mut values, &shape, self.axis, false, |_, product, x| product * x);
        Tensor::with_shape(shape, values)
    }
    fn vjp(&self, x: &Var<T>, y: &Var<T>, g: Var<T>) -> Var<T> {
        let lambda = binary(self.recurrence(true), shifted(&x.conj(), self.axis, false), g);
        lambda * self.previous(y).conj()
    }
    fn jvp(&self, x: &Var<T>, y: &Var<T>, dx: Var<T>) -> Var<T> {
        binary(self.recurrence(false), x.clone(), dx * self.previous(y))
    }
}

impl<T: Scalar> Var<T> {
    /// Running sums along an axis, y_k = Σ_{j ≤ k} x_j. For those of all elements flatten the array first.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// assert_eq!(Var::from([1.0, 2.0, 3.0]).cumsum(0).as_slice(), &[1.0, 3.0, 6.0]);
    /// ```
    ///
    /// # Panics
    /// For an axis out of range.
    #[track_caller]
    pub fn cumsum(&self, axis: isize) -> Var<T> {
        let axis = axis_of("cumsum", axis, self.ndim());
        unary(CumSum { axis, reverse: false, types: PhantomData }, self.clone())
    }

    /// Running products along an axis, y_k = x_0 x_1 … x_k.
    ///
    /// The derivative is exact with any number of zeros among the factors: no division occurs.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let g = grad(|x: &Var<f64>| x.cumprod(0).sum(), &ndarray::array![2.0, 0.0, 3.0])?;
    /// assert_eq!(g, ndarray::array![1.0, 8.0, 0.0]); // of x₀ + x₀x₁ + x₀x₁x₂
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Panics
    /// For an axis out of range.
    #[track_caller]
    pub fn cumprod(&self, axis: isize) -> Var<T> {
        let axis = axis_of("cumprod", axis, self.ndim());
        unary(CumProd { axis, types: PhantomData }, self.clone())
    }
}

/// The linear recurrence s_k = a_k s_{k−1} + b_k along an axis, with s_{−1} = 0, so that a_0 does not matter; a and b broadcast.
///
/// One pass forward and one backward whatever the length.
///
/// ```
/// use pullback::prelude::*;
/// let s = linear_recurrence(&Var::scalar(0.5), &Var::from([1.0, 1.0, 1.0]), 0);
/// assert_eq!(s.as_slice(), &[1.0, 1.5, 1.75]);
/// ```
///
/// # Panics
/// If the shapes do not broadcast, or the axis is out of range.
#[track_caller]
pub fn linear_recurrence<T: Scalar>(a: &Var<T>, b: &Var<T>, axis: isize) -> Var<T> {
    let shape = super::mask::common_shape("linear_recurrence", a.shape(), b.shape());
    let axis = axis_of("linear_recurrence", axis, shape.len());
    let spread = |x: &Var<T>| super::broadcast::to_shape(x.clone(), &shape);
    binary(Recurrence { axis, reverse: false, types: PhantomData }, spread(a), spread(b))
}
