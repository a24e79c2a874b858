//! Choosing elements by a condition, and functions that are constant in pieces.
//!
//! The cotangent of the branch not taken is an exact zero, whatever its value: a NaN there stays there. Elementwise functions before it keep
//! the zero, also where their derivative is infinite or NaN (see `arithmetic.rs`).

use super::broadcast::{stacked, sum_stack_to, sum_to};
use super::mask::{Mask, common_shape};
use crate::autodiff::Var;
use crate::autodiff::rule::{BinaryRule, Keep, binary};
use crate::kernels::broadcast::ternary_broadcast;
use crate::kernels::elementwise::{self as kernel, Unary};
use crate::scalar::{Number, Real, Scalar};
use crate::tensor::{Shape, Tensor};
use num_traits::Zero;
use std::marker::PhantomData;
use std::sync::Arc;

/// Where(c, x, y), with x and y broadcast to the condition's shape.
#[derive(Clone)]
struct Where<T> {
    shape: Shape,
    condition: Arc<[bool]>,
    types: PhantomData<T>,
}

impl<T: Scalar> Where<T> {
    fn masked(&self, g: Var<T>, of: bool) -> Var<T> {
        let zero = Var::scalar(T::zero());
        if of { binary(self.clone(), g, zero) } else { binary(self.clone(), zero, g) }
    }
}

impl<T: Scalar> BinaryRule for Where<T> {
    type Left = T;
    type Right = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "where"
    }
    fn keep(&self, _: (bool, bool)) -> Keep {
        Keep::NOTHING
    }
    fn forward(&self, x: Var<T>, y: Var<T>) -> Tensor<T> {
        let condition = (&self.condition[..], &self.shape[..]);
        let branches = ((x.as_slice(), x.shape()), (y.as_slice(), y.shape()));
        let values = ternary_broadcast(condition, branches.0, branches.1, &self.shape, |c, x, y| if c { x } else { y });
        Tensor::with_shape(self.shape.clone(), values)
    }
    fn vjp(&self, x: &Var<T>, y: &Var<T>, _: &Var<T>, g: Var<T>, needs: (bool, bool)) -> (Option<Var<T>>, Option<Var<T>>) {
        let gx = needs.0.then(|| sum_to(self.masked(g.clone(), true), x.shape()));
        (gx, needs.1.then(|| sum_to(self.masked(g, false), y.shape())))
    }
    fn stacks(&self) -> bool {
        true
    }
    fn vjp_stacked(&self, x: &Var<T>, y: &Var<T>, _: &Var<T>, g: Var<T>, needs: (bool, bool)) -> (Option<Var<T>>, Option<Var<T>>) {
        let count = g.shape()[0];
        let all = Where { shape: stacked(count, &self.shape), condition: self.condition.repeat(count).into(), types: PhantomData };
        let gx = needs.0.then(|| sum_stack_to(all.masked(g.clone(), true), x.shape()));
        (gx, needs.1.then(|| sum_stack_to(all.masked(g, false), y.shape())))
    }
    fn jvp(&self, _: &Var<T>, _: &Var<T>, _: &Var<T>, dx: Option<Var<T>>, dy: Option<Var<T>>) -> Option<Var<T>> {
        let zero = || Var::scalar(T::zero());
        Some(binary(self.clone(), dx.unwrap_or_else(zero), dy.unwrap_or_else(zero)))
    }
}

/// x where the condition holds, y elsewhere; equal shapes.
pub(crate) fn where_bool<T: Scalar>(condition: &[bool], x: &Var<T>, y: &Var<T>) -> Var<T> {
    debug_assert!(condition.len() == x.len() && x.shape() == y.shape());
    let rule = Where { shape: Shape::from_slice(x.shape()), condition: condition.into(), types: PhantomData };
    binary(rule, x.clone(), y.clone())
}

/// x where the mask is true and 0 elsewhere, broadcast.
#[track_caller]
pub(super) fn masked<T: Scalar>(operation: &str, x: &Var<T>, mask: &Mask) -> Var<T> {
    let shape = common_shape(operation, x.shape(), mask.shape());
    let rule = Where { condition: mask.broadcast_to(&shape).shared(), shape, types: PhantomData };
    binary(rule, x.clone(), Var::scalar(T::zero()))
}

/// x where the condition holds and y elsewhere, all three broadcast (numpy's `where`).
///
/// The cotangent of the branch not taken is an exact zero, and elementwise functions keep it whatever their derivative is there: neither the
/// values nor the derivatives of the branch not taken do any harm, in either mode and at every order. Only operations that mix elements
/// (a matrix product with an infinite entry, say) can carry a NaN from there to other places.
///
/// ```
/// use pullback::prelude::*;
/// let f = |x: &Var<f64>| where_(&x.gt(0.0), x.sqrt() + x.log(), 0.0).sum();
/// assert_eq!(grad(f, &ndarray::array![4.0, 0.0, -1.0])?, ndarray::array![0.5, 0.0, 0.0]);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Panics
/// If the shapes do not broadcast.
#[track_caller]
pub fn where_<T: Scalar>(condition: &Mask, x: impl Into<Var<T>>, y: impl Into<Var<T>>) -> Var<T> {
    let (x, y) = (x.into(), y.into());
    let shape = common_shape("where_", condition.shape(), &common_shape("where_", x.shape(), y.shape()));
    let rule = Where { condition: condition.broadcast_to(&shape).shared(), shape, types: PhantomData };
    binary(rule, x, y)
}

/// Of several choices the first whose condition holds, and a default where none does (numpy's `select`); all broadcast.
///
/// ```
/// use pullback::prelude::*;
/// let x = Var::from([-2.0, 0.5, 3.0]);
/// let y = select(&[x.lt(0.0), x.lt(1.0)], &[-&x, x.square()], 1.0);
/// assert_eq!(y.as_slice(), &[2.0, 0.25, 1.0]);
/// ```
///
/// # Panics
/// If there are not as many choices as conditions, or the shapes do not broadcast.
#[track_caller]
pub fn select<T: Scalar>(conditions: &[Mask], choices: &[Var<T>], default: impl Into<Var<T>>) -> Var<T> {
    assert!(
        conditions.len() == choices.len(),
        "select: {} conditions and {} choices: needs as many of the one as of the other",
        conditions.len(),
        choices.len()
    );
    let mut result = default.into();
    for (condition, choice) in conditions.iter().zip(choices).rev() {
        let shape = common_shape("select", result.shape(), &common_shape("select", condition.shape(), choice.shape()));
        result = where_(&condition.broadcast_to(&shape), choice.clone(), result);
    }
    result
}

impl<T: Scalar> Var<T> {
    /// The array with NaN replaced by 0 and ±∞ by the largest finite numbers, in both parts.
    ///
    /// The derivative is 1 where the number (both its parts) is finite, 0 elsewhere.
    pub fn nan_to_num(&self) -> Var<T> {
        let finite = self.isfinite();
        if finite.all() {
            return self.clone();
        }
        let part = |x: T::Real| if x.is_nan() { T::Real::zero() } else { x.max(-T::Real::MAX).min(T::Real::MAX) };
        let replaced = kernel::map(self.as_slice(), |x: T| T::from_parts(part(x.re()), part(x.im())));
        where_(&finite, self, Var::constant(Tensor::new(self.shape(), replaced)))
    }
}

impl<R: Real> Var<R> {
    /// The array held between bounds: max(min(x, high), low), all broadcast.
    ///
    /// The derivative in x is 1 inside and at the bounds, 0 outside; where x is outside the derivative belongs to the bound. At a bound the
    /// one-sided derivatives are 1 and 0: a parameter that sits there can still be moved inwards.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let x = ndarray::array![-2.0, 0.0, 0.5, 1.0, 3.0];
    /// assert_eq!(Var::from(&x).clip(0.0, 1.0).as_slice(), &[0.0, 0.0, 0.5, 1.0, 1.0]);
    /// assert_eq!(grad(|x: &Var<f64>| x.clip(0.0, 1.0).sum(), &x)?, ndarray::array![0.0, 1.0, 1.0, 1.0, 0.0]);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast, or the lower bound is above the upper one somewhere.
    #[track_caller]
    pub fn clip(&self, low: impl Into<Var<R>>, high: impl Into<Var<R>>) -> Var<R> {
        let (low, high) = (low.into(), high.into());
        let shape = common_shape("clip", self.shape(), &common_shape("clip", low.shape(), high.shape()));
        assert!(!low.gt(&high).any(), "clip: the lower bound {low} is above the upper bound {high}");
        let (below, above) = (self.lt(&low), self.gt(&high));
        let mut result = super::broadcast::to_shape(self.clone(), &shape);
        if below.any() {
            result = where_(&below, low, result);
        }
        if above.any() { where_(&above, high, result) } else { result }
    }

    fn in_pieces(&self, op: Unary) -> Var<R> {
        Var::constant(Tensor::new(self.shape(), kernel::unary(op, self.as_slice())))
    }

    /// −1, 0 or 1 by the sign of x, NaN for NaN. A constant: the derivative is 0, also at 0.
    pub fn sign(&self) -> Var<R> {
        self.in_pieces(Unary::Sign)
    }

    /// The largest integers that are not above x. A constant: the derivative is 0, also at the steps.
    pub fn floor(&self) -> Var<R> {
        self.in_pieces(Unary::Floor)
    }

    /// The smallest integers that are not below x. A constant: the derivative is 0, also at the steps.
    pub fn ceil(&self) -> Var<R> {
        self.in_pieces(Unary::Ceil)
    }

    /// The nearest integers, ties to even as in numpy. A constant: the derivative is 0, also at the steps.
    pub fn round(&self) -> Var<R> {
        self.in_pieces(Unary::Round)
    }

    /// The integers towards 0. A constant: the derivative is 0, also at the steps.
    pub fn trunc(&self) -> Var<R> {
        let trunc = |x: R| if x < R::zero() { Real::ceil(x) } else { Real::floor(x) };
        Var::constant(Tensor::new(self.shape(), kernel::map(self.as_slice(), trunc)))
    }
}

/// A real number as a scalar of this type.
pub(super) fn constant<T: Scalar>(x: f64) -> T {
    <T as Number>::constant(x)
}
