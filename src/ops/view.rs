//! Views: elements `x[offset + Σ iₖ strideₖ]` of an array, and the transpose, which puts an array at those places among zeros.
//!
//! Slices, flips, single rows, diagonals and windows are all such views; each is one copy, and none if the view is a contiguous range.

use super::broadcast::stacked;
use crate::autodiff::node::Part;
use crate::autodiff::rule::{BinaryRule, Keep, UnaryRule, binary, unary};
use crate::autodiff::{AnyVar, Var};
use crate::kernels::buffer::{append, strides};
use crate::kernels::elementwise::add_assign;
use crate::kernels::pool;
use crate::kernels::views as kernel;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor, len_of};
use smallvec::SmallVec;
use std::marker::PhantomData;
use std::sync::Arc;

/// Where the elements of a view lie in an array of shape `source`.
#[derive(Clone, Debug)]
pub(super) struct View {
    source: Shape,
    offset: usize,
    shape: Shape,
    strides: SmallVec<[isize; 4]>,
}

impl View {
    /// The whole array.
    pub(super) fn whole(shape: &[usize]) -> Self {
        let strides = strides(shape).iter().map(|&s| s as isize).collect();
        View { source: Shape::from_slice(shape), offset: 0, shape: Shape::from_slice(shape), strides }
    }

    pub(super) fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// `len` places of an axis from `start` on, `step` apart.
    pub(super) fn range(mut self, axis: usize, start: usize, len: usize, step: isize) -> Self {
        if len > 0 {
            self.offset = (self.offset as isize + start as isize * self.strides[axis]) as usize;
        }
        self.shape[axis] = len;
        self.strides[axis] *= step;
        self
    }

    /// One place of an axis; the axis goes.
    pub(super) fn index(mut self, axis: usize, i: usize) -> Self {
        self.offset = (self.offset as isize + i as isize * self.strides[axis]) as usize;
        self.shape.remove(axis);
        self.strides.remove(axis);
        self
    }

    /// A new axis of length 1.
    pub(super) fn insert(mut self, axis: usize) -> Self {
        self.shape.insert(axis, 1);
        self.strides.insert(axis, 0);
        self
    }

    /// An axis from its end to its start.
    pub(super) fn flip(self, axis: usize) -> Self {
        let n = self.shape[axis];
        self.range(axis, n.saturating_sub(1), n, -1)
    }

    /// Two axes exchanged.
    pub(super) fn swap(mut self, a: usize, b: usize) -> Self {
        self.shape.swap(a, b);
        self.strides.swap(a, b);
        self
    }

    /// The places (i + max(−k, 0), i + max(k, 0)) of two axes as a new last axis.
    pub(super) fn diagonal(self, row: usize, column: usize, k: isize) -> Self {
        let (below, above) = ((-k).max(0) as usize, k.max(0) as usize);
        let n = self.shape[row].saturating_sub(below).min(self.shape[column].saturating_sub(above));
        let mut view = self.range(row, below, n, 1).range(column, above, n, 1);
        let stride = view.strides[row] + view.strides[column];
        for axis in [row.max(column), row.min(column)] {
            view.shape.remove(axis);
            view.strides.remove(axis);
        }
        view.shape.push(n);
        view.strides.push(stride);
        view
    }

    /// The same places of every array of a stack.
    pub(super) fn stacked(&self, count: usize) -> View {
        let strides = std::iter::once(len_of(&self.source) as isize).chain(self.strides.iter().copied()).collect();
        View { source: stacked(count, &self.source), shape: stacked(count, &self.shape), strides, offset: self.offset }
    }

    /// Whether the elements are a range of the source in its order.
    fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        for (&n, &s) in self.shape.iter().zip(&self.strides).rev() {
            if n != 1 && s != expected {
                return n == 0;
            }
            expected *= n as isize;
        }
        true
    }

    fn is_whole(&self) -> bool {
        self.shape == self.source && self.is_contiguous()
    }

    /// The elements.
    pub(super) fn of<T: Scalar>(self, x: &Var<T>) -> Var<T> {
        debug_assert_eq!(x.shape(), &self.source[..]);
        if self.is_whole() { x.clone() } else { unary(Pick(Arc::new(self), PhantomData), x.clone()) }
    }

    /// Zeros of the source's shape with `x` at the view's places.
    pub(super) fn place<T: Scalar>(self, x: &Var<T>) -> Var<T> {
        debug_assert_eq!(x.shape(), &self.shape[..]);
        if self.is_whole() { x.clone() } else { unary(Place(Arc::new(self), PhantomData), x.clone()) }
    }

    /// `x` with `y` at the view's places.
    pub(super) fn set<T: Scalar>(self, x: &Var<T>, y: &Var<T>) -> Var<T> {
        debug_assert!(x.shape() == &self.source[..] && y.shape() == &self.shape[..]);
        binary(Set(Arc::new(self), PhantomData), x.clone(), y.clone())
    }

    fn write<T: Scalar>(&self, x: &[T], out: &mut [T]) {
        kernel::write(x, out, self.offset, &self.shape, &self.strides);
    }

    /// Adds x at the view's places, which are distinct or none.
    fn add<T: Scalar>(&self, x: &[T], out: &mut [T]) {
        if x.is_empty() {
            return;
        }
        if self.is_contiguous() {
            return add_assign(&mut out[self.offset..self.offset + x.len()], x);
        }
        let mut sum = kernel::read(out, self.offset, &self.shape, &self.strides);
        add_assign(&mut sum, x);
        self.write(&sum, out);
        pool::give(sum);
    }
}

#[derive(Clone)]
struct Pick<T>(Arc<View>, PhantomData<T>);

impl<T: Scalar> UnaryRule for Pick<T> {
    type In = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "slice"
    }
    fn keep(&self) -> Keep {
        Keep::NOTHING
    }
    fn part(&self) -> Option<&dyn Part> {
        Some(self)
    }
    fn forward(&self, x: Var<T>) -> Tensor<T> {
        let view = &self.0;
        if let Some(number) = x.value.as_uniform() {
            return Tensor::full(&view.shape, number);
        }
        if view.is_contiguous() {
            let (n, total) = (len_of(&view.shape), x.len());
            let start = if n == 0 { 0 } else { view.offset };
            return x.value.reshaped(&[total]).rows(start, start + n).reshaped(&view.shape);
        }
        Tensor::with_shape(view.shape.clone(), kernel::read(x.as_slice(), view.offset, &view.shape, &view.strides))
    }
    fn vjp(&self, _: &Var<T>, _: &Var<T>, g: Var<T>) -> Var<T> {
        unary(Place(self.0.clone(), PhantomData), g)
    }
    fn stacks(&self) -> bool {
        true
    }
    fn vjp_stacked(&self, _: &Var<T>, _: &Var<T>, g: Var<T>) -> Var<T> {
        self.0.stacked(g.shape()[0]).place(&g)
    }
    fn jvp(&self, _: &Var<T>, _: &Var<T>, dx: Var<T>) -> Var<T> {
        unary(self.clone(), dx)
    }
}

#[derive(Clone)]
struct Place<T>(Arc<View>, PhantomData<T>);

impl<T: Scalar> UnaryRule for Place<T> {
    type In = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "place"
    }
    fn keep(&self) -> Keep {
        Keep::NOTHING
    }
    fn forward(&self, x: Var<T>) -> Tensor<T> {
        let view = &self.0;
        let total = len_of(&view.source);
        if view.is_contiguous() && x.len() > 0 {
            return Tensor::with_shape(view.source.clone(), between_zeros(x.value, view.offset, total));
        }
        let mut out = pool::filled(total, T::zero());
        view.write(x.as_slice(), &mut out);
        Tensor::with_shape(view.source.clone(), out)
    }
    fn vjp(&self, _: &Var<T>, _: &Var<T>, g: Var<T>) -> Var<T> {
        unary(Pick(self.0.clone(), PhantomData), g)
    }
    fn stacks(&self) -> bool {
        true
    }
    fn vjp_stacked(&self, _: &Var<T>, _: &Var<T>, g: Var<T>) -> Var<T> {
        self.0.stacked(g.shape()[0]).of(&g)
    }
    fn jvp(&self, _: &Var<T>, _: &Var<T>, dx: Var<T>) -> Var<T> {
        unary(self.clone(), dx)
    }
}

/// `n` elements: `offset` zeros, those of x, and zeros.
fn between_zeros<T: Scalar>(x: Tensor<T>, offset: usize, n: usize) -> Vec<T> {
    let len = x.len();
    match x.into_vec_with_room(n) {
        Ok(mut out) => {
            out.resize(n, T::zero());
            out.copy_within(..len, offset);
            out[..offset].fill(T::zero());
            out
        }
        Err(x) => {
            let mut out = pool::take(n);
            out.resize(offset, T::zero());
            append(&mut out, x.as_slice());
            out.resize(n, T::zero());
            out
        }
    }
}

impl<T: Scalar> Part for Pick<T> {
    fn add(&self, sum: AnyVar, g: AnyVar) -> AnyVar {
        T::erase(binary(AddAt(self.0.clone(), PhantomData), sum.unwrap(), g.unwrap()))
    }
}

/// x with y added at the places of a view: in place if nobody else holds x.
#[derive(Clone)]
struct AddAt<T>(Arc<View>, PhantomData<T>);

impl<T: Scalar> BinaryRule for AddAt<T> {
    type Left = T;
    type Right = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "add_at"
    }
    fn keep(&self, _: (bool, bool)) -> Keep {
        Keep::NOTHING
    }
    fn forward(&self, x: Var<T>, y: Var<T>) -> Tensor<T> {
        let mut x = x.value;
        if x.unique_mut().is_none() {
            x = Tensor::new(x.shape(), pool::copied(x.as_slice()));
        }
        self.0.add(y.as_slice(), x.unique_mut().expect("just copied"));
        x
    }
    fn vjp(&self, _: &Var<T>, _: &Var<T>, _: &Var<T>, g: Var<T>, needs: (bool, bool)) -> (Option<Var<T>>, Option<Var<T>>) {
        let gy = needs.1.then(|| unary(Pick(self.0.clone(), PhantomData), g.clone()));
        (needs.0.then_some(g), gy)
    }
    fn stacks(&self) -> bool {
        true
    }
    fn vjp_stacked(&self, _: &Var<T>, _: &Var<T>, _: &Var<T>, g: Var<T>, needs: (bool, bool)) -> (Option<Var<T>>, Option<Var<T>>) {
        let gy = needs.1.then(|| self.0.stacked(g.shape()[0]).of(&g));
        (needs.0.then_some(g), gy)
    }
    fn jvp(&self, _: &Var<T>, _: &Var<T>, _: &Var<T>, dx: Option<Var<T>>, dy: Option<Var<T>>) -> Option<Var<T>> {
        match (dx, dy) {
            (Some(dx), Some(dy)) => Some(binary(self.clone(), dx, dy)),
            (None, Some(dy)) => Some(unary(Place(self.0.clone(), PhantomData), dy)),
            (dx, None) => dx,
        }
    }
}

/// x with y at the places of a view: in place if nobody else holds x.
#[derive(Clone)]
struct Set<T>(Arc<View>, PhantomData<T>);

impl<T: Scalar> BinaryRule for Set<T> {
    type Left = T;
    type Right = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "set_at"
    }
    fn keep(&self, _: (bool, bool)) -> Keep {
        Keep::NOTHING
    }
    fn forward(&self, x: Var<T>, y: Var<T>) -> Tensor<T> {
        let mut x = x.value;
        if let Some(values) = x.unique_mut() {
            self.0.write(y.as_slice(), values);
            return x;
        }
        let mut values = pool::copied(x.as_slice());
        self.0.write(y.as_slice(), &mut values);
        Tensor::new(x.shape(), values)
    }
    fn vjp(&self, _: &Var<T>, y: &Var<T>, _: &Var<T>, g: Var<T>, needs: (bool, bool)) -> (Option<Var<T>>, Option<Var<T>>) {
        let gy = needs.1.then(|| unary(Pick(self.0.clone(), PhantomData), g.clone()));
        (needs.0.then(|| binary(self.clone(), g, y.zeros_like())), gy)
    }
    fn jvp(&self, x: &Var<T>, y: &Var<T>, _: &Var<T>, dx: Option<Var<T>>, dy: Option<Var<T>>) -> Option<Var<T>> {
        match (dx, dy) {
            (None, Some(dy)) => Some(unary(Place(self.0.clone(), PhantomData), dy)),
            (dx, dy) => Some(binary(self.clone(), dx.unwrap_or_else(|| x.zeros_like()), dy.unwrap_or_else(|| y.zeros_like()))),
        }
    }
}
