//! Rearranging axes: reshape, transpose and their relatives.

use crate::autodiff::Var;
use crate::autodiff::rule::{Keep, UnaryRule, unary};
use crate::kernels::permute as kernel;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor, len_of};
use std::marker::PhantomData;

#[derive(Clone)]
struct Reshape<T>(Shape, PhantomData<T>);

impl<T: Scalar> UnaryRule for Reshape<T> {
    type In = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "reshape"
    }
    fn keep(&self) -> Keep {
        Keep::NOTHING
    }
    fn forward(&self, x: Var<T>) -> Tensor<T> {
        x.value.reshaped(&self.0)
    }
    fn vjp(&self, x: &Var<T>, _: &Var<T>, g: Var<T>) -> Var<T> {
        g.reshape(x.shape())
    }
    fn jvp(&self, _: &Var<T>, _: &Var<T>, dx: Var<T>) -> Var<T> {
        dx.reshape(&self.0)
    }
}

#[derive(Clone)]
struct Permute<T>(Shape, PhantomData<T>);

impl<T: Scalar> UnaryRule for Permute<T> {
    type In = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "transpose"
    }
    fn keep(&self) -> Keep {
        Keep::NOTHING
    }
    fn forward(&self, x: Var<T>) -> Tensor<T> {
        let shape: Shape = self.0.iter().map(|&axis| x.shape()[axis]).collect();
        if kernel::is_contiguous_permutation(x.shape(), &self.0) {
            return x.value.reshaped(&shape);
        }
        let values = kernel::permute(x.as_slice(), x.shape(), &self.0);
        Tensor::with_shape(shape, values)
    }
    fn vjp(&self, _: &Var<T>, _: &Var<T>, g: Var<T>) -> Var<T> {
        let mut inverse = self.0.clone();
        for (to, &from) in self.0.iter().enumerate() {
            inverse[from] = to;
        }
        unary(Permute(inverse, PhantomData), g)
    }
    fn jvp(&self, _: &Var<T>, _: &Var<T>, dx: Var<T>) -> Var<T> {
        unary(self.clone(), dx)
    }
}

/// An axis counted from the end if negative.
///
/// # Panics
/// If there is no such axis; the message names the operation.
#[track_caller]
pub(crate) fn axis_of(operation: &str, axis: isize, ndim: usize) -> usize {
    let n = ndim as isize;
    assert!(
        -n <= axis && axis < n,
        "{operation}: axis {axis} is out of range for an array of {ndim} axes: allowed are {} to {}",
        -n,
        n - 1
    );
    if axis < 0 { (axis + n) as usize } else { axis as usize }
}

impl<T: Scalar> Var<T> {
    /// The same elements, in row-major order, under another shape.
    ///
    /// # Panics
    /// If the number of elements differs.
    #[track_caller]
    pub fn reshape(&self, shape: &[usize]) -> Var<T> {
        assert!(
            len_of(shape) == self.len(),
            "reshape: shape {:?} has {} elements, {shape:?} has {}: they must agree",
            self.shape(),
            self.len(),
            len_of(shape)
        );
        if self.shape() == shape { self.clone() } else { unary(Reshape(Shape::from_slice(shape), PhantomData), self.clone()) }
    }

    /// The axes in another order: axis i of the result is axis `axes[i]` of the array.
    ///
    /// # Panics
    /// If `axes` is not a permutation of the axes.
    #[track_caller]
    pub fn permute(&self, axes: &[isize]) -> Var<T> {
        let order: Shape = axes.iter().map(|&a| axis_of("permute", a, self.ndim())).collect();
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert!(
            sorted.iter().copied().eq(0..self.ndim()),
            "permute: {axes:?} is not a permutation of the {} axes of shape {:?}",
            self.ndim(),
            self.shape()
        );
        unary(Permute(order, PhantomData), self.clone())
    }
}
