//! The same elements in another order, or several times: flips, rotations, rolls, repetitions.

use super::broadcast::to_shape;
use super::gathering::select_rows;
use super::shape::{around, axis_of};
use super::view::View;
use crate::autodiff::Var;
use crate::autodiff::rule::{Keep, UnaryRule, unary};
use crate::kernels::buffer::append;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use std::marker::PhantomData;

/// Shifts an axis by a number of places less than its length, around its end; the transpose shifts back.
#[derive(Clone)]
struct Roll<T> {
    axis: usize,
    shift: usize,
    types: PhantomData<T>,
}

impl<T: Scalar> UnaryRule for Roll<T> {
    type In = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "roll"
    }
    fn keep(&self) -> Keep {
        Keep::NOTHING
    }
    fn forward(&self, x: Var<T>) -> Tensor<T> {
        let (_, n, inner) = around(x.shape(), self.axis);
        let mut out = Vec::with_capacity(x.len());
        for block in x.as_slice().chunks_exact(n * inner) {
            let (front, back) = block.split_at((n - self.shift) * inner);
            append(&mut out, back);
            append(&mut out, front);
        }
        Tensor::new(x.shape(), out)
    }
    fn vjp(&self, x: &Var<T>, _: &Var<T>, g: Var<T>) -> Var<T> {
        unary(Roll { shift: x.shape()[self.axis] - self.shift, ..*self }, g)
    }
    fn jvp(&self, _: &Var<T>, _: &Var<T>, dx: Var<T>) -> Var<T> {
        unary(self.clone(), dx)
    }
}

impl<T: Scalar> Var<T> {
    /// These axes from their end to their start.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let x = Var::from(ndarray::array![[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.flip(&[0]).as_slice(), &[3.0, 4.0, 1.0, 2.0]);
    /// assert_eq!(x.flip(&[0, -1]).as_slice(), &[4.0, 3.0, 2.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// For an axis out of range or named twice.
    #[track_caller]
    pub fn flip(&self, axes: &[isize]) -> Var<T> {
        self.flipped("flip", axes)
    }

    #[track_caller]
    fn flipped(&self, operation: &str, axes: &[isize]) -> Var<T> {
        let mut view = View::whole(self.shape());
        let mut done = Shape::new();
        for &axis in axes {
            let axis = axis_of(operation, axis, self.ndim());
            assert!(!done.contains(&axis), "{operation}: {axes:?} names an axis of shape {:?} twice", self.shape());
            done.push(axis);
            view = view.flip(axis);
        }
        view.of(self)
    }

    /// Upside down: axis 0 reversed.
    ///
    /// # Panics
    /// For a 0-d array.
    #[track_caller]
    pub fn flipud(&self) -> Var<T> {
        self.flipped("flipud", &[0])
    }

    /// Left to right: axis 1 reversed.
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn fliplr(&self) -> Var<T> {
        self.flipped("fliplr", &[1])
    }

    /// k quarter turns in the plane of two axes, from the first towards the second (numpy's `rot90`).
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let x = Var::from(ndarray::array![[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.rot90(1, 0, 1).as_slice(), &[2.0, 4.0, 1.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// If the two axes are the same, or one is out of range.
    #[track_caller]
    pub fn rot90(&self, k: isize, from: isize, to: isize) -> Var<T> {
        let (a, b) = (axis_of("rot90", from, self.ndim()), axis_of("rot90", to, self.ndim()));
        assert!(a != b, "rot90: axes {from} and {to} of shape {:?} are the same: needs two", self.shape());
        let whole = View::whole(self.shape());
        let turned = match k.rem_euclid(4) {
            0 => whole,
            1 => whole.flip(b).swap(a, b),
            2 => whole.flip(a).flip(b),
            _ => whole.swap(a, b).flip(b),
        };
        turned.of(self)
    }

    /// An axis shifted by so many places; what falls off its end comes in at its start (numpy's `roll`).
    ///
    /// ```
    /// use pullback::prelude::*;
    /// assert_eq!(Var::from([1.0, 2.0, 3.0, 4.0]).roll(1, 0).as_slice(), &[4.0, 1.0, 2.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// For an axis out of range.
    #[track_caller]
    pub fn roll(&self, shift: isize, axis: isize) -> Var<T> {
        let axis = axis_of("roll", axis, self.ndim());
        let n = self.shape()[axis] as isize;
        if self.len() == 0 || shift.rem_euclid(n) == 0 {
            return self.clone();
        }
        unary(Roll { axis, shift: shift.rem_euclid(n) as usize, types: PhantomData }, self.clone())
    }

    /// Every subarray along an axis n times in a row (numpy's `repeat` with a number).
    ///
    /// ```
    /// use pullback::prelude::*;
    /// assert_eq!(Var::from([1.0, 2.0]).repeat(3, 0).as_slice(), &[1.0, 1.0, 1.0, 2.0, 2.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// For an axis out of range.
    #[track_caller]
    pub fn repeat(&self, n: usize, axis: isize) -> Var<T> {
        let axis = axis_of("repeat", axis, self.ndim());
        let mut shape = Shape::from_slice(self.shape());
        shape.insert(axis + 1, 1);
        let spread = self.reshape(&shape);
        shape[axis + 1] = n;
        let spread = to_shape(spread, &shape);
        shape.remove(axis + 1);
        shape[axis] *= n;
        spread.reshape(&shape)
    }

    /// Subarray i along an axis `counts[i]` times in a row (numpy's `repeat` with an array).
    ///
    /// # Panics
    /// If there are not as many counts as the axis is long.
    #[track_caller]
    pub fn repeat_each(&self, counts: &[usize], axis: isize) -> Var<T> {
        let axis = axis_of("repeat_each", axis, self.ndim());
        assert!(
            counts.len() == self.shape()[axis],
            "repeat_each: {} counts for axis {axis} of shape {:?}: needs one for each place",
            counts.len(),
            self.shape()
        );
        let indices: Vec<usize> = counts.iter().enumerate().flat_map(|(i, &n)| std::iter::repeat_n(i, n)).collect();
        select_rows(self, axis, indices)
    }

    /// The whole array so many times along each axis (numpy's `tile`); missing numbers count as 1, additional ones give leading axes.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let x = Var::from([1.0, 2.0]);
    /// assert_eq!(x.tile(&[2]).as_slice(), &[1.0, 2.0, 1.0, 2.0]);
    /// assert_eq!(x.tile(&[3, 1]).shape(), &[3, 2]);
    /// ```
    pub fn tile(&self, times: &[usize]) -> Var<T> {
        let rank = times.len().max(self.ndim());
        let from_end = |list: &[usize], k: usize| (k + list.len()).checked_sub(rank).map_or(1, |i| list[i]);
        let (mut own, mut spread, mut total) = (Shape::new(), Shape::new(), Shape::new());
        for k in 0..rank {
            let (t, n) = (from_end(times, k), from_end(self.shape(), k));
            own.extend([1, n]);
            spread.extend([t, n]);
            total.push(t * n);
        }
        to_shape(self.reshape(&own), &spread).reshape(&total)
    }
}
