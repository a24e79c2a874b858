//! Broadcasting to a shape and its transpose, summation to a shape.

use crate::autodiff::Var;
use crate::autodiff::rule::{Keep, UnaryRule, unary};
use crate::kernels::broadcast as kernel;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use std::marker::PhantomData;

#[derive(Clone)]
struct BroadcastTo<T>(Shape, PhantomData<T>);

impl<T: Scalar> UnaryRule for BroadcastTo<T> {
    type In = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "broadcast_to"
    }
    fn keep(&self) -> Keep {
        Keep::NOTHING
    }
    fn forward(&self, x: Var<T>) -> Tensor<T> {
        if let Some(number) = x.value.as_uniform() {
            return Tensor::full(&self.0, number);
        }
        Tensor::with_shape(self.0.clone(), kernel::broadcast_to(x.as_slice(), x.shape(), &self.0))
    }
    fn vjp(&self, x: &Var<T>, _: &Var<T>, g: Var<T>) -> Var<T> {
        sum_to(g, x.shape())
    }
    fn stacks(&self) -> bool {
        true
    }
    fn vjp_stacked(&self, x: &Var<T>, _: &Var<T>, g: Var<T>) -> Var<T> {
        sum_stack_to(g, x.shape())
    }
    fn jvp(&self, _: &Var<T>, _: &Var<T>, dx: Var<T>) -> Var<T> {
        to_shape(dx, &self.0)
    }
}

#[derive(Clone)]
struct SumTo<T>(Shape, PhantomData<T>);

impl<T: Scalar> UnaryRule for SumTo<T> {
    type In = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "sum_to"
    }
    fn keep(&self) -> Keep {
        Keep::NOTHING
    }
    fn forward(&self, x: Var<T>) -> Tensor<T> {
        Tensor::with_shape(self.0.clone(), kernel::sum_to_shape(x.as_slice(), x.shape(), &self.0))
    }
    fn vjp(&self, x: &Var<T>, _: &Var<T>, g: Var<T>) -> Var<T> {
        to_shape(g, x.shape())
    }
    fn stacks(&self) -> bool {
        true
    }
    fn vjp_stacked(&self, x: &Var<T>, _: &Var<T>, g: Var<T>) -> Var<T> {
        let count = g.shape()[0];
        to_shape(g.reshape(&widened(count, &self.0, x.ndim())), &stacked(count, x.shape()))
    }
    fn jvp(&self, _: &Var<T>, _: &Var<T>, dx: Var<T>) -> Var<T> {
        sum_to(dx, &self.0)
    }
}

/// The array broadcast to a shape that it is known to broadcast to.
#[inline]
pub(crate) fn to_shape<T: Scalar>(x: Var<T>, shape: &[usize]) -> Var<T> {
    if x.shape() == shape { x } else { unary(BroadcastTo(Shape::from_slice(shape), PhantomData), x) }
}

/// The transpose of broadcasting from `shape`.
#[inline]
pub(crate) fn sum_to<T: Scalar>(x: Var<T>, shape: &[usize]) -> Var<T> {
    if x.shape() == shape { x } else { unary(SumTo(Shape::from_slice(shape), PhantomData), x) }
}

/// The shape of a stack of arrays of a shape.
pub(crate) fn stacked(count: usize, shape: &[usize]) -> Shape {
    std::iter::once(count).chain(shape.iter().copied()).collect()
}

/// The shape of a stack of arrays whose shapes have been filled up to `ndim` axes with leading 1s.
fn widened(count: usize, shape: &[usize], ndim: usize) -> Shape {
    let ones = std::iter::repeat_n(1, ndim - shape.len());
    std::iter::once(count).chain(ones).chain(shape.iter().copied()).collect()
}

/// As [`sum_to`] for every array of a stack.
pub(crate) fn sum_stack_to<T: Scalar>(g: Var<T>, shape: &[usize]) -> Var<T> {
    if g.shape()[1..] == *shape {
        return g;
    }
    let (count, ndim) = (g.shape()[0], g.ndim() - 1);
    sum_to(g, &widened(count, shape, ndim)).reshape(&stacked(count, shape))
}

impl<T: Scalar> Var<T> {
    /// The array repeated along new leading axes and along axes of length 1, as numpy broadcasts.
    ///
    /// # Panics
    /// If the shape is not one that the array broadcasts to.
    #[track_caller]
    pub fn broadcast_to(&self, shape: &[usize]) -> Var<T> {
        let fits = kernel::broadcast_shape(self.shape(), shape).is_some_and(|s| s[..] == *shape);
        assert!(
            fits,
            "broadcast_to: shape {:?} does not broadcast to {shape:?}: axes, counted from the last, must be equal or 1",
            self.shape()
        );
        to_shape(self.clone(), shape)
    }
}
