//! Rearranging axes: reshape, transpose and their relatives.

use super::broadcast::stacked;
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
    fn stacks(&self) -> bool {
        true
    }
    fn vjp_stacked(&self, x: &Var<T>, _: &Var<T>, g: Var<T>) -> Var<T> {
        g.reshape(&stacked(g.shape()[0], x.shape()))
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
    fn stacks(&self) -> bool {
        true
    }
    fn vjp_stacked(&self, x: &Var<T>, y: &Var<T>, g: Var<T>) -> Var<T> {
        let behind = self.0.iter().map(|axis| axis + 1);
        Permute(std::iter::once(0).chain(behind).collect(), PhantomData).vjp(x, y, g)
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

/// In a shape given to [`Var::reshape`]: the length that follows from the others, as −1 does in numpy.
pub const INFER: usize = usize::MAX;

/// The shape with [`INFER`] replaced, if that works out.
fn infer(shape: &[usize], len: usize) -> Option<Shape> {
    let known: usize = shape.iter().filter(|&&n| n != INFER).product();
    if shape.iter().filter(|&&n| n == INFER).count() != 1 || known == 0 || !len.is_multiple_of(known) {
        return None;
    }
    Some(shape.iter().map(|&n| if n == INFER { len / known } else { n }).collect())
}

impl<T: Scalar> Var<T> {
    /// The same elements, in row-major order, under another shape. One length may be [`INFER`]. Free: the elements are shared.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// use pullback::ops::INFER;
    /// let x = Var::from([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    /// assert_eq!(x.reshape(&[2, 3]).shape(), &[2, 3]);
    /// assert_eq!(x.reshape(&[3, INFER]).shape(), &[3, 2]);
    /// ```
    ///
    /// # Panics
    /// If the number of elements differs.
    #[track_caller]
    pub fn reshape(&self, shape: &[usize]) -> Var<T> {
        if shape.contains(&INFER) {
            let Some(inferred) = infer(shape, self.len()) else {
                let shown: Vec<String> = shape.iter().map(|&n| if n == INFER { "INFER".into() } else { n.to_string() }).collect();
                panic!(
                    "reshape: shape {:?} has {} elements, which does not determine [{}]: one length may be INFER, the others must divide the number of elements",
                    self.shape(),
                    self.len(),
                    shown.join(", ")
                );
            };
            return self.reshape(&inferred);
        }
        assert!(
            len_of(shape) == self.len(),
            "reshape: shape {:?} has {} elements, {shape:?} has {}: they must agree",
            self.shape(),
            self.len(),
            len_of(shape)
        );
        self.reshape_free(shape)
    }

    fn reshape_free(&self, shape: &[usize]) -> Var<T> {
        if self.shape() == shape { self.clone() } else { unary(Reshape(Shape::from_slice(shape), PhantomData), self.clone()) }
    }

    fn permute_checked(&self, order: Shape) -> Var<T> {
        if order.is_sorted() { self.clone() } else { unary(Permute(order, PhantomData), self.clone()) }
    }

    /// The elements as a vector, in row-major order.
    pub fn ravel(&self) -> Var<T> {
        self.reshape_free(&[self.len()])
    }

    /// The elements as a vector, in row-major order; the same as [`ravel`](Var::ravel).
    pub fn flatten(&self) -> Var<T> {
        self.ravel()
    }

    /// Without the axes of length 1.
    pub fn squeeze(&self) -> Var<T> {
        let shape: Shape = self.shape().iter().copied().filter(|&n| n != 1).collect();
        self.reshape_free(&shape)
    }

    /// Without these axes, each of length 1.
    ///
    /// # Panics
    /// If one of them has another length.
    #[track_caller]
    pub fn squeeze_axis(&self, axes: &[isize]) -> Var<T> {
        let gone: Shape = axes.iter().map(|&a| axis_of("squeeze_axis", a, self.ndim())).collect();
        assert!(gone.iter().all(|&a| self.shape()[a] == 1), "squeeze_axis: axes {axes:?} of shape {:?} must have length 1", self.shape());
        let shape: Shape = (0..self.ndim()).filter(|a| !gone.contains(a)).map(|a| self.shape()[a]).collect();
        self.reshape_free(&shape)
    }

    /// With a new axis of length 1, which is axis `axis` of the result.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let x = Var::from([1.0, 2.0]);
    /// assert_eq!((x.expand_dims(0).shape(), x.expand_dims(-1).shape()), (&[1, 2][..], &[2, 1][..]));
    /// ```
    ///
    /// # Panics
    /// For an axis out of range.
    #[track_caller]
    pub fn expand_dims(&self, axis: isize) -> Var<T> {
        let axis = axis_of("expand_dims", axis, self.ndim() + 1);
        let mut shape = Shape::from_slice(self.shape());
        shape.insert(axis, 1);
        self.reshape_free(&shape)
    }

    /// The array itself, or a 0-d array as a vector.
    pub fn atleast_1d(&self) -> Var<T> {
        if self.ndim() == 0 { self.reshape_free(&[1]) } else { self.clone() }
    }

    /// The array itself; a vector of n as shape [1, n].
    pub fn atleast_2d(&self) -> Var<T> {
        match *self.shape() {
            [] => self.reshape_free(&[1, 1]),
            [n] => self.reshape_free(&[1, n]),
            _ => self.clone(),
        }
    }

    /// The array itself; a vector of n as shape [1, n, 1], a matrix as [m, n, 1] (numpy's convention).
    pub fn atleast_3d(&self) -> Var<T> {
        match *self.shape() {
            [] => self.reshape_free(&[1, 1, 1]),
            [n] => self.reshape_free(&[1, n, 1]),
            [m, n] => self.reshape_free(&[m, n, 1]),
            _ => self.clone(),
        }
    }

    /// The axes in another order: axis i of the result is axis `axes[i]` of the array (numpy's `transpose` with axes).
    ///
    /// # Panics
    /// If `axes` is not a permutation of the axes.
    #[track_caller]
    pub fn permute(&self, axes: &[isize]) -> Var<T> {
        let mut sorted: Vec<isize> = axes.iter().map(|&a| if a < 0 { a + self.ndim() as isize } else { a }).collect();
        sorted.sort_unstable();
        assert!(
            sorted.iter().copied().eq(0..self.ndim() as isize),
            "permute: {axes:?} is not a permutation of the {} axes of shape {:?}",
            self.ndim(),
            self.shape()
        );
        self.permute_checked(axes.iter().map(|&a| axis_of("permute", a, self.ndim())).collect())
    }

    /// The axes in reverse order (numpy's `.T`). For the matrix transpose of a stack of matrices use [`t`](Var::t).
    pub fn transpose(&self) -> Var<T> {
        self.permute_checked((0..self.ndim()).rev().collect())
    }

    /// The matrix transpose: the last two axes exchanged; axes before them count a stack of matrices.
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn t(&self) -> Var<T> {
        self.transposed("t")
    }

    /// The adjoint A†: the matrix transpose, complex conjugated. For real arrays the same as [`t`](Var::t).
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn h(&self) -> Var<T> {
        self.transposed("h").conj()
    }

    #[track_caller]
    fn transposed(&self, operation: &str) -> Var<T> {
        let n = self.ndim();
        assert!(n >= 2, "{operation}: needs a matrix or a stack of matrices, the shape is {:?}", self.shape());
        let mut order: Shape = (0..n).collect();
        order.swap(n - 2, n - 1);
        self.permute_checked(order)
    }

    /// Two axes exchanged.
    ///
    /// # Panics
    /// For an axis out of range.
    #[track_caller]
    pub fn swapaxes(&self, a: isize, b: isize) -> Var<T> {
        let mut order: Shape = (0..self.ndim()).collect();
        order.swap(axis_of("swapaxes", a, self.ndim()), axis_of("swapaxes", b, self.ndim()));
        self.permute_checked(order)
    }

    /// Axes moved to other places; the others keep their order.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let x = Var::<f64>::zeros(&[2, 3, 4]);
    /// assert_eq!(x.moveaxis(&[0], &[-1]).shape(), &[3, 4, 2]);
    /// ```
    ///
    /// # Panics
    /// If the two lists differ in length, or name an axis twice or one out of range.
    #[track_caller]
    pub fn moveaxis(&self, from: &[isize], to: &[isize]) -> Var<T> {
        let n = self.ndim();
        let axes = |list: &[isize]| -> Shape { list.iter().map(|&a| axis_of("moveaxis", a, n)).collect() };
        let (source, target) = (axes(from), axes(to));
        let distinct = |list: &Shape| (0..list.len()).all(|i| !list[..i].contains(&list[i]));
        assert!(
            source.len() == target.len() && distinct(&source) && distinct(&target),
            "moveaxis: {from:?} to {to:?}: needs as many places as axes, and each only once"
        );
        let mut rest = (0..n).filter(|a| !source.contains(a));
        let order = (0..n).map(|i| match target.iter().position(|&t| t == i) {
            Some(k) => source[k],
            None => rest.next().expect("as many as are left"),
        });
        self.permute_checked(order.collect())
    }

    /// An axis moved back until it stands before axis `start` (numpy's `rollaxis`); [`moveaxis`](Var::moveaxis) is easier to read.
    ///
    /// # Panics
    /// For an axis out of range; `start` may be at most the number of axes.
    #[track_caller]
    pub fn rollaxis(&self, axis: isize, start: isize) -> Var<T> {
        let n = self.ndim();
        let axis = axis_of("rollaxis", axis, n);
        let start = if start == n as isize { n } else { axis_of("rollaxis", start, n) };
        let mut order: Shape = (0..n).filter(|&a| a != axis).collect();
        order.insert(if axis < start { start - 1 } else { start }, axis);
        self.permute_checked(order)
    }
}

/// The number of elements before an axis, along it, and after it.
pub(crate) fn around(shape: &[usize], axis: usize) -> (usize, usize, usize) {
    (len_of(&shape[..axis]), shape[axis], len_of(&shape[axis + 1..]))
}
