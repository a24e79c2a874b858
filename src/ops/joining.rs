//! Joining arrays along an axis, and splitting them again: each is the transpose of the other.

use super::shape::axis_of;
use super::view::View;
use crate::autodiff::{Primitive, Var, apply};
use crate::error::Result;
use crate::kernels::buffer::append;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor, len_of};
use std::marker::PhantomData;

/// The arrays one after the other along an axis, or along a new one.
struct Join<T> {
    axis: usize,
    new_axis: bool,
    types: PhantomData<T>,
}

impl<T: Scalar> Join<T> {
    /// The length of a part along the axis, seen from the result.
    fn length(&self, part: &Var<T>) -> usize {
        if self.new_axis { 1 } else { part.shape()[self.axis] }
    }

    fn shape(&self, parts: &[Var<T>]) -> Shape {
        let mut shape = Shape::from_slice(parts[0].shape());
        let length = parts.iter().map(|p| self.length(p)).sum();
        if self.new_axis {
            shape.insert(self.axis, length);
        } else {
            shape[self.axis] = length;
        }
        shape
    }

    fn run(self, parts: &[Var<T>]) -> Var<T> {
        apply(self, &parts.to_vec()).expect("shapes are checked, and joining does not fail")
    }
}

impl<T: Scalar> Primitive for Join<T> {
    type Inputs = Vec<Var<T>>;
    type Outputs = Var<T>;
    fn name(&self) -> &'static str {
        if self.new_axis { "stack" } else { "concatenate" }
    }
    fn forward(&self, parts: &Vec<Var<T>>) -> Result<Var<T>> {
        let shape = self.shape(parts);
        let outer = len_of(&shape[..self.axis]);
        let mut out = Vec::with_capacity(len_of(&shape));
        if outer == 1 {
            parts.iter().for_each(|p| append(&mut out, p.as_slice()));
        } else {
            for i in 0..outer {
                for p in parts {
                    let n = p.len() / outer;
                    append(&mut out, &p.as_slice()[i * n..(i + 1) * n]);
                }
            }
        }
        Ok(Var::constant(Tensor::with_shape(shape, out)))
    }
    fn vjp(&self, parts: &Vec<Var<T>>, y: &Var<T>, g: Option<Var<T>>, needs: &[bool]) -> Result<Vec<Option<Var<T>>>> {
        let Some(g) = g else { return Ok(parts.iter().map(|_| None).collect()) };
        let mut start = 0;
        let slices = parts.iter().zip(needs).map(|(p, &needed)| {
            let (at, n) = (start, self.length(p));
            start += n;
            let view = View::whole(y.shape());
            let view = if self.new_axis { view.index(self.axis, at) } else { view.range(self.axis, at, n, 1) };
            let view = if g.ndim() > y.ndim() { view.stacked(g.shape()[0]) } else { view };
            needed.then(|| view.of(&g))
        });
        Ok(slices.collect())
    }
    fn stacks(&self) -> bool {
        true
    }
    fn jvp(&self, _: &Vec<Var<T>>, _: &Var<T>, tangents: &Vec<Var<T>>) -> Result<Var<T>> {
        Ok(Join { types: PhantomData, ..*self }.run(tangents))
    }
    fn keeps_input(&self, _: usize) -> bool {
        false
    }
    fn keeps_output(&self, _: usize) -> bool {
        false
    }
}

#[track_caller]
fn shapes_of<T: Scalar>(parts: &[Var<T>]) -> Vec<&[usize]> {
    parts.iter().map(|p| p.shape()).collect()
}

/// The arrays one after the other along an axis that exists (numpy's `concatenate`).
///
/// ```
/// use pullback::prelude::*;
/// use pullback::ops::concatenate;
/// let (a, b) = (Var::from([1.0, 2.0]), Var::from([3.0]));
/// assert_eq!(concatenate(&[a, b], 0).as_slice(), &[1.0, 2.0, 3.0]);
/// ```
///
/// # Panics
/// Without arrays; for 0-d arrays; if the shapes differ elsewhere than along the axis.
#[track_caller]
pub fn concatenate<T: Scalar>(parts: &[Var<T>], axis: isize) -> Var<T> {
    assert!(!parts.is_empty(), "concatenate: needs at least one array");
    let ndim = parts[0].ndim();
    assert!(ndim > 0, "concatenate: 0-d arrays have no axis to be joined along: use stack");
    let axis = axis_of("concatenate", axis, ndim);
    let others = |shape: &[usize]| -> Shape { shape.iter().enumerate().filter(|&(k, _)| k != axis).map(|(_, &n)| n).collect() };
    let first = others(parts[0].shape());
    assert!(
        parts.iter().all(|p| p.ndim() == ndim && others(p.shape()) == first),
        "concatenate: shapes {:?} must agree but for axis {axis}",
        shapes_of(parts)
    );
    Join { axis, new_axis: false, types: PhantomData }.run(parts)
}

/// The arrays joined along a new axis, which is axis `axis` of the result (numpy's `stack`).
///
/// ```
/// use pullback::prelude::*;
/// use pullback::ops::stack;
/// let rows = stack(&[Var::from([1.0, 2.0]), Var::from([3.0, 4.0])], 0);
/// assert_eq!(rows.shape(), &[2, 2]);
/// let columns = stack(&[Var::from([1.0, 2.0]), Var::from([3.0, 4.0])], -1);
/// assert_eq!(columns.as_slice(), &[1.0, 3.0, 2.0, 4.0]);
/// ```
///
/// # Panics
/// Without arrays; if the shapes differ.
#[track_caller]
pub fn stack<T: Scalar>(parts: &[Var<T>], axis: isize) -> Var<T> {
    assert!(!parts.is_empty(), "stack: needs at least one array");
    let axis = axis_of("stack", axis, parts[0].ndim() + 1);
    assert!(parts.iter().all(|p| p.shape() == parts[0].shape()), "stack: shapes {:?} must agree", shapes_of(parts));
    Join { axis, new_axis: true, types: PhantomData }.run(parts)
}

fn each<T: Scalar>(parts: &[Var<T>], f: impl Fn(&Var<T>) -> Var<T>) -> Vec<Var<T>> {
    parts.iter().map(f).collect()
}

/// The arrays on top of each other: along axis 0, vectors as rows (numpy's `vstack`).
///
/// # Panics
/// As [`concatenate`].
#[track_caller]
pub fn vstack<T: Scalar>(parts: &[Var<T>]) -> Var<T> {
    concatenate(&each(parts, Var::atleast_2d), 0)
}

/// The arrays side by side: along axis 1, vectors along axis 0 (numpy's `hstack`).
///
/// # Panics
/// As [`concatenate`].
#[track_caller]
pub fn hstack<T: Scalar>(parts: &[Var<T>]) -> Var<T> {
    let parts = each(parts, Var::atleast_1d);
    let axis = if parts.first().is_some_and(|p| p.ndim() == 1) { 0 } else { 1 };
    concatenate(&parts, axis)
}

/// The arrays behind each other: along axis 2 (numpy's `dstack`).
///
/// # Panics
/// As [`concatenate`].
#[track_caller]
pub fn dstack<T: Scalar>(parts: &[Var<T>]) -> Var<T> {
    concatenate(&each(parts, Var::atleast_3d), 2)
}

/// Vectors as the columns of a matrix; matrices side by side (numpy's `column_stack`).
///
/// ```
/// use pullback::prelude::*;
/// let m = pullback::ops::column_stack(&[Var::from([1.0, 2.0]), Var::from([3.0, 4.0])]);
/// assert_eq!(m.as_slice(), &[1.0, 3.0, 2.0, 4.0]);
/// ```
///
/// # Panics
/// As [`concatenate`].
#[track_caller]
pub fn column_stack<T: Scalar>(parts: &[Var<T>]) -> Var<T> {
    let column = |p: &Var<T>| if p.ndim() < 2 { p.reshape(&[p.len(), 1]) } else { p.clone() };
    concatenate(&each(parts, column), 1)
}

/// An array in consecutive pieces along an axis.
struct Split<T> {
    axis: usize,
    /// Where pieces begin, and the end.
    bounds: Vec<usize>,
    /// Pieces have length 1 and lose the axis.
    unstack: bool,
    types: PhantomData<T>,
}

impl<T: Scalar> Split<T> {
    fn run(self, x: &Var<T>) -> Vec<Var<T>> {
        apply(self, x).expect("bounds are checked, and splitting does not fail")
    }

    fn again(&self) -> Self {
        Split { bounds: self.bounds.clone(), ..*self }
    }
}

impl<T: Scalar> Primitive for Split<T> {
    type Inputs = Var<T>;
    type Outputs = Vec<Var<T>>;
    fn name(&self) -> &'static str {
        if self.unstack { "unstack" } else { "split" }
    }
    fn forward(&self, x: &Var<T>) -> Result<Vec<Var<T>>> {
        let piece = |w: &[usize]| {
            let view = View::whole(x.shape());
            if self.unstack { view.index(self.axis, w[0]).of(x) } else { view.range(self.axis, w[0], w[1] - w[0], 1).of(x) }
        };
        Ok(self.bounds.windows(2).map(piece).collect())
    }
    fn vjp(&self, _: &Var<T>, pieces: &Vec<Var<T>>, g: Vec<Option<Var<T>>>, _: &[bool]) -> Result<Option<Var<T>>> {
        if g.iter().all(Option::is_none) {
            return Ok(None);
        }
        let parts: Vec<Var<T>> = g.into_iter().zip(pieces).map(|(g, piece)| g.unwrap_or_else(|| piece.zeros_like())).collect();
        Ok(Some(Join { axis: self.axis, new_axis: self.unstack, types: PhantomData }.run(&parts)))
    }
    fn jvp(&self, _: &Var<T>, _: &Vec<Var<T>>, dx: &Var<T>) -> Result<Vec<Var<T>>> {
        Ok(self.again().run(dx))
    }
    fn keeps_input(&self, _: usize) -> bool {
        false
    }
    fn keeps_output(&self, _: usize) -> bool {
        false
    }
}

impl<T: Scalar> Var<T> {
    /// The array with another one after it along an axis (numpy's `append` with an axis).
    ///
    /// # Panics
    /// As [`concatenate`].
    #[track_caller]
    pub fn append(&self, other: &Var<T>, axis: isize) -> Var<T> {
        concatenate(&[self.clone(), other.clone()], axis)
    }

    #[track_caller]
    fn split_by(&self, operation: &'static str, axis: isize, bounds: impl FnOnce(usize) -> Vec<usize>) -> Vec<Var<T>> {
        let axis = axis_of(operation, axis, self.ndim());
        let bounds = bounds(self.shape()[axis]);
        Split { axis, bounds, unstack: false, types: PhantomData }.run(self)
    }

    /// `sections` equal pieces along an axis (numpy's `split`).
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let halves = Var::from([1.0, 2.0, 3.0, 4.0]).split(2, 0);
    /// assert_eq!(halves[1].as_slice(), &[3.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// If the axis is not a multiple of `sections` long: [`array_split`](Var::array_split) allows that.
    #[track_caller]
    pub fn split(&self, sections: usize, axis: isize) -> Vec<Var<T>> {
        self.equal_split("split", sections, axis)
    }

    #[track_caller]
    fn equal_split(&self, operation: &'static str, sections: usize, axis: isize) -> Vec<Var<T>> {
        let n = self.shape()[axis_of(operation, axis, self.ndim())];
        assert!(
            sections > 0 && n.is_multiple_of(sections),
            "{operation}: axis {axis} of shape {:?} has length {n}, which does not divide into {sections} equal sections: use array_split",
            self.shape()
        );
        self.split_by(operation, axis, |n| (0..=sections).map(|i| i * (n / sections)).collect())
    }

    /// The pieces of an axis between the given places: `[0, i₀)`, `[i₀, i₁)`, …, to the end (numpy's `split` with indices).
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let pieces = Var::from([1.0, 2.0, 3.0, 4.0]).split_at(&[1, 3], 0);
    /// assert_eq!(pieces.iter().map(|p| p.len()).collect::<Vec<_>>(), [1, 2, 1]);
    /// ```
    ///
    /// # Panics
    /// If the places are not in order or lie beyond the axis.
    #[track_caller]
    pub fn split_at(&self, places: &[usize], axis: isize) -> Vec<Var<T>> {
        let n = self.shape()[axis_of("split_at", axis, self.ndim())];
        assert!(
            places.is_sorted() && places.last().is_none_or(|&last| last <= n),
            "split_at: the places {places:?} must be in order and at most {n}, the length of axis {axis} of shape {:?}",
            self.shape()
        );
        self.split_by("split_at", axis, |n| std::iter::once(0).chain(places.iter().copied()).chain([n]).collect())
    }

    /// `sections` pieces along an axis, the first ones longer by one if they cannot all be equal (numpy's `array_split`).
    ///
    /// # Panics
    /// If `sections` is 0.
    #[track_caller]
    pub fn array_split(&self, sections: usize, axis: isize) -> Vec<Var<T>> {
        assert!(sections > 0, "array_split: needs at least one section");
        self.split_by("array_split", axis, |n| (0..=sections).map(|i| i * (n / sections) + i.min(n % sections)).collect())
    }

    /// `sections` equal pieces along axis 0 (numpy's `vsplit`).
    ///
    /// # Panics
    /// As [`split`](Var::split).
    #[track_caller]
    pub fn vsplit(&self, sections: usize) -> Vec<Var<T>> {
        self.equal_split("vsplit", sections, 0)
    }

    /// `sections` equal pieces along axis 1, or along axis 0 of a vector (numpy's `hsplit`).
    ///
    /// # Panics
    /// As [`split`](Var::split).
    #[track_caller]
    pub fn hsplit(&self, sections: usize) -> Vec<Var<T>> {
        self.equal_split("hsplit", sections, if self.ndim() == 1 { 0 } else { 1 })
    }

    /// `sections` equal pieces along axis 2 (numpy's `dsplit`).
    ///
    /// # Panics
    /// As [`split`](Var::split).
    #[track_caller]
    pub fn dsplit(&self, sections: usize) -> Vec<Var<T>> {
        self.equal_split("dsplit", sections, 2)
    }

    /// The subarrays along an axis, without it: the inverse of [`stack`] (numpy's `unstack`).
    ///
    /// One node of the tape however many pieces, so this is the way to take an array apart into its elements or rows.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let g = grad(|x: &Var<f64>| { let v = x.unstack(0); &v[0] * &v[1] + &v[2] }, &ndarray::array![2.0, 3.0, 4.0])?;
    /// assert_eq!(g, ndarray::array![3.0, 2.0, 1.0]);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Panics
    /// For an axis out of range.
    #[track_caller]
    pub fn unstack(&self, axis: isize) -> Vec<Var<T>> {
        let axis = axis_of("unstack", axis, self.ndim());
        Split { axis, bounds: (0..=self.shape()[axis]).collect(), unstack: true, types: PhantomData }.run(self)
    }
}
