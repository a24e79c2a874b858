//! Sorting and its relatives.
//!
//! A sorted array is the array permuted, so ẏ = Pẋ and x̄ = Pᵀȳ. Among equal elements the permutation is arbitrary and the derivative one-sided;
//! they share it equally: y = P S x, where S replaces the elements of a tie by their mean. S is its own adjoint, and the identity on x.

use super::broadcast::to_shape;
use super::gathering::gather_flat;
use super::shape::{around, axis_of};
use crate::autodiff::Var;
use crate::autodiff::rule::{Keep, UnaryRule, unary};
use crate::kernels::parallel::{GRAIN, collect};
use crate::scalar::{Number, Real, Scalar};
use crate::tensor::{Shape, Tensor};
use ndarray::{ArrayD, IxDyn};
use std::cmp::Ordering;
use std::marker::PhantomData;
use std::sync::Arc;

/// By real part, then imaginary part; NaN last. Numpy's order.
fn order<T: Scalar>(a: T, b: T) -> Ordering {
    if a.is_nan() || b.is_nan() {
        return a.is_nan().cmp(&b.is_nan());
    }
    let compare = |x: T::Real, y: T::Real| x.partial_cmp(&y).expect("neither is NaN");
    compare(a.re(), b.re()).then_with(|| compare(a.im(), b.im()))
}

/// Positions of elements that are equal to each other, group after group.
#[derive(Debug, Default)]
struct Ties {
    members: Vec<usize>,
    /// Where groups end.
    ends: Vec<usize>,
}

impl Ties {
    fn push(&mut self, group: impl IntoIterator<Item = usize>) {
        self.members.extend(group);
        self.ends.push(self.members.len());
    }

    fn groups(&self) -> impl Iterator<Item = &[usize]> {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts.zip(&self.ends).map(|(&a, &b)| &self.members[a..b])
    }
}

/// S: every element of a tie replaced by the mean of the tie.
#[derive(Clone)]
struct Share<T> {
    ties: Arc<Ties>,
    /// Applied to the array itself, whose ties are equal already: the value passes unchanged.
    identity: bool,
    types: PhantomData<T>,
}

impl<T: Scalar> UnaryRule for Share<T> {
    type In = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "sort"
    }
    fn keep(&self) -> Keep {
        Keep::NOTHING
    }
    fn forward(&self, x: Var<T>) -> Tensor<T> {
        if self.identity {
            return x.value;
        }
        let shape = Shape::from_slice(x.shape());
        let mut values = x.value.into_vec();
        for group in self.ties.groups() {
            let sum: T = group.iter().map(|&i| values[i]).sum();
            let mean = sum / <T as Number>::constant(group.len() as f64);
            group.iter().for_each(|&i| values[i] = mean);
        }
        Tensor::with_shape(shape, values)
    }
    fn vjp(&self, _: &Var<T>, _: &Var<T>, g: Var<T>) -> Var<T> {
        unary(Share { ties: self.ties.clone(), identity: false, types: PhantomData }, g)
    }
    fn jvp(&self, _: &Var<T>, _: &Var<T>, dx: Var<T>) -> Var<T> {
        unary(Share { ties: self.ties.clone(), identity: false, types: PhantomData }, dx)
    }
}

/// The elements at positions, with the derivative of ties shared.
fn arrange<T: Scalar>(x: &Var<T>, positions: Vec<usize>, ties: Ties, target: &[usize]) -> Var<T> {
    if ties.ends.is_empty() {
        return gather_flat(x, positions, target);
    }
    gather_flat(&unary(Share { ties: Arc::new(ties), identity: true, types: PhantomData }, x.clone()), positions, target)
}

/// The lanes of an axis: for each the position of its first element; and the step within a lane.
fn lanes(shape: &[usize], axis: usize) -> (Vec<usize>, usize, usize) {
    let (outer, n, inner) = around(shape, axis);
    let starts = (0..outer).flat_map(|o| (0..inner).map(move |i| o * n * inner + i)).collect();
    (starts, n, inner)
}

/// Per lane the list that `f` makes of the lane's values, in parallel if there are many.
fn per_lane<T: Scalar, R: Send>(x: &[T], shape: &[usize], axis: usize, f: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    let (starts, n, step) = lanes(shape, axis);
    let run = |start: usize| {
        if step == 1 { f(&x[start..start + n]) } else { f(&(0..n).map(|k| x[start + k * step]).collect::<Vec<T>>()) }
    };
    if x.len() >= GRAIN { collect(starts.len(), |i| run(starts[i])) } else { starts.iter().map(|&start| run(start)).collect() }
}

/// The stable order of a lane.
fn sorted_order<T: Scalar>(lane: &[T]) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..lane.len()).collect();
    indices.sort_by(|&a, &b| order(lane[a], lane[b]));
    indices
}

/// Lists of in-lane indices, all of length m, as an array whose axis has length m, mapped.
fn to_axis(lists: &[Vec<usize>], shape: &[usize], axis: usize, m: usize, map: impl Fn(usize, usize) -> usize) -> Vec<usize> {
    let (outer, _, inner) = around(shape, axis);
    let mut out = Vec::with_capacity(outer * m * inner);
    for o in 0..outer {
        for k in 0..m {
            out.extend((0..inner).map(|i| map(o * inner + i, lists[o * inner + i][k])));
        }
    }
    out
}

/// As `to_axis`, with row-major positions in the array.
fn positions(lists: &[Vec<usize>], shape: &[usize], axis: usize, m: usize) -> Vec<usize> {
    let (starts, _, step) = lanes(shape, axis);
    to_axis(lists, shape, axis, m, |lane, k| starts[lane] + k * step)
}

/// Runs of equal elements in sorted lists.
fn runs<T: Scalar>(x: &[T], sorted: &[Vec<usize>], shape: &[usize], axis: usize) -> Ties {
    let (starts, _, step) = lanes(shape, axis);
    let mut ties = Ties::default();
    for (start, list) in starts.iter().zip(sorted) {
        let at = |k: &usize| start + k * step;
        for run in list.chunk_by(|a, b| x[at(a)] == x[at(b)]).filter(|run| run.len() > 1) {
            ties.push(run.iter().map(at));
        }
    }
    ties
}

/// Which side of equal elements [`Var::searchsorted`] gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Before them.
    Left,
    /// After them.
    Right,
}

/// What [`Var::unique`] gives; all of it constant.
#[derive(Clone, Debug)]
pub struct Unique<T: Scalar> {
    /// The distinct elements in order.
    pub values: Var<T>,
    /// Where each of them occurs first, as a row-major position.
    pub index: Vec<usize>,
    /// For each element of the array, which of the distinct ones it is.
    pub inverse: ArrayD<usize>,
    /// How often each occurs.
    pub counts: Vec<usize>,
}

impl<T: Scalar> Var<T> {
    /// The elements along an axis in ascending order; complex numbers by real part, then imaginary part; NaN last.
    ///
    /// The derivative goes through the permutation; equal elements share it equally.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let x = ndarray::array![3.0, 1.0, 2.0];
    /// assert_eq!(Var::from(&x).sort(0).as_slice(), &[1.0, 2.0, 3.0]);
    /// let g = grad(|x: &Var<f64>| x.sort(0).get(&[0]), &x)?;
    /// assert_eq!(g, ndarray::array![0.0, 1.0, 0.0]);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Panics
    /// For an axis out of range.
    #[track_caller]
    pub fn sort(&self, axis: isize) -> Var<T> {
        self.sorted("sort", axis)
    }

    #[track_caller]
    fn sorted(&self, operation: &str, axis: isize) -> Var<T> {
        let axis = axis_of(operation, axis, self.ndim());
        let (x, shape) = (self.as_slice(), self.shape());
        if self.is_constant() && axis + 1 == self.ndim() && !self.shape().contains(&0) {
            let mut values = x.to_vec();
            values.chunks_exact_mut(shape[axis]).for_each(|lane| lane.sort_by(|&a, &b| order(a, b)));
            return Var::constant(Tensor::new(shape, values));
        }
        let orders = per_lane(x, shape, axis, sorted_order);
        let ties = if self.is_constant() { Ties::default() } else { runs(x, &orders, shape, axis) };
        arrange(self, positions(&orders, shape, axis, shape[axis]), ties, shape)
    }

    /// The elements in ascending order along axis 0 (numpy's former `msort`).
    ///
    /// # Panics
    /// For a 0-d array.
    #[track_caller]
    pub fn msort(&self) -> Var<T> {
        self.sorted("msort", 0)
    }

    /// The indices that sort an axis, equal elements in the order in which they stand.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let x = Var::from([3.0, 1.0, 2.0]);
    /// let order = x.argsort(0);
    /// assert_eq!(order.as_slice().unwrap(), &[1, 2, 0]);
    /// assert_eq!(x.take_along_axis(&order, 0).as_slice(), &[1.0, 2.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// For an axis out of range.
    #[track_caller]
    pub fn argsort(&self, axis: isize) -> ArrayD<usize> {
        let axis = axis_of("argsort", axis, self.ndim());
        let orders = per_lane(self.as_slice(), self.shape(), axis, sorted_order);
        let indices = to_axis(&orders, self.shape(), axis, self.shape()[axis], |_, k| k);
        ArrayD::from_shape_vec(IxDyn(self.shape()), indices).expect("as many as elements")
    }

    /// The elements along an axis arranged so that place `kth` holds what sorting would put there, with nothing larger before it and
    /// nothing smaller after it. Linear time.
    ///
    /// The derivative goes through the permutation; elements equal to that at `kth` share it equally.
    ///
    /// # Panics
    /// For an axis out of range, or `kth` beyond its end.
    #[track_caller]
    pub fn partition(&self, kth: usize, axis: isize) -> Var<T> {
        let axis = axis_of("partition", axis, self.ndim());
        let (x, shape) = (self.as_slice(), self.shape());
        let n = shape[axis];
        assert!(kth < n, "partition: place {kth} is out of range for axis {axis} of shape {shape:?}: allowed are 0 to {}", n as isize - 1);
        let arranged = per_lane(x, shape, axis, |lane| {
            let mut indices: Vec<usize> = (0..n).collect();
            indices.select_nth_unstable_by(kth, |&a, &b| order(lane[a], lane[b]).then(a.cmp(&b)));
            indices
        });
        let mut ties = Ties::default();
        if !self.is_constant() {
            let (starts, _, step) = lanes(shape, axis);
            for (start, list) in starts.iter().zip(&arranged) {
                push_equal(&mut ties, x, *start, n, step, list[kth]);
            }
        }
        arrange(self, positions(&arranged, shape, axis, n), ties, shape)
    }

    /// The k largest elements of the last axis in descending order, and their indices; of equal ones the first.
    ///
    /// The derivative goes to the elements chosen; equal elements, chosen or not, share it equally. NaN counts as largest.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let (values, indices) = Var::from([3.0, 1.0, 2.0]).top_k(2);
    /// assert_eq!((values.as_slice(), indices.as_slice().unwrap()), (&[3.0, 2.0][..], &[0, 2][..]));
    /// ```
    ///
    /// # Panics
    /// For a 0-d array, or k beyond the length of the last axis.
    #[track_caller]
    pub fn top_k(&self, k: usize) -> (Var<T>, ArrayD<usize>) {
        let axis = axis_of("top_k", -1, self.ndim());
        let (x, shape) = (self.as_slice(), self.shape());
        let n = shape[axis];
        assert!(k <= n, "top_k: {k} elements of the last axis of shape {shape:?}: it has {n}");
        let chosen = per_lane(x, shape, axis, |lane| {
            let descending = |a: &usize, b: &usize| order(lane[*b], lane[*a]).then(a.cmp(b));
            let mut indices: Vec<usize> = (0..n).collect();
            if k > 0 && k < n {
                indices.select_nth_unstable_by(k - 1, descending);
            }
            indices.truncate(k);
            indices.sort_unstable_by(descending);
            indices
        });
        let mut target = Shape::from_slice(shape);
        target[axis] = k;
        let mut ties = Ties::default();
        if !self.is_constant() {
            let (starts, _, step) = lanes(shape, axis);
            for (start, list) in starts.iter().zip(&chosen) {
                for run in list.chunk_by(|a, b| x[start + a * step] == x[start + b * step]) {
                    // only the last run may have equals that were not chosen
                    if run.last() == list.last() {
                        push_equal(&mut ties, x, *start, n, step, run[0]);
                    } else if run.len() > 1 {
                        ties.push(run.iter().map(|i| start + i * step));
                    }
                }
            }
        }
        let indices = ArrayD::from_shape_vec(IxDyn(&target), to_axis(&chosen, shape, axis, k, |_, i| i)).expect("k for each lane");
        (arrange(self, positions(&chosen, shape, axis, k), ties, &target), indices)
    }

    /// The distinct elements in order, where they occur and how often (numpy's `unique`). Constants: how many there are depends on the
    /// values.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let u = Var::from([2.0, 1.0, 2.0]).unique();
    /// assert_eq!(u.values.as_slice(), &[1.0, 2.0]);
    /// assert_eq!((u.index, u.counts), (vec![1, 0], vec![1, 2]));
    /// assert_eq!(u.inverse.as_slice().unwrap(), &[1, 0, 1]);
    /// ```
    pub fn unique(&self) -> Unique<T> {
        let x = self.as_slice();
        let sorted = sorted_order(x);
        let (mut values, mut index, mut counts) = (Vec::new(), Vec::new(), Vec::new());
        let mut inverse = vec![0; x.len()];
        for run in sorted.chunk_by(|&a, &b| order(x[a], x[b]) == Ordering::Equal) {
            run.iter().for_each(|&i| inverse[i] = values.len());
            values.push(x[run[0]]);
            index.push(run[0]);
            counts.push(run.len());
        }
        let inverse = ArrayD::from_shape_vec(IxDyn(self.shape()), inverse).expect("one for each element");
        Unique { values: Var::from(values), index, inverse, counts }
    }

    /// The quantile of all elements at q between 0 and 1, interpolated linearly between neighbours (numpy's `quantile`).
    ///
    /// The derivative goes to the one or two elements that it lies between; equal elements share it equally. NaN if an element is NaN.
    ///
    /// # Panics
    /// If there are no elements, or q is not between 0 and 1.
    #[track_caller]
    pub fn quantile(&self, q: f64) -> Var<T>
    where
        T: Real,
    {
        quantile_of("quantile", &self.ravel(), q)
    }

    /// The quantile over some axes; with `keepdims` they stay, of length 1.
    ///
    /// # Panics
    /// As [`quantile`](Var::quantile), and for an axis out of range or named twice.
    #[track_caller]
    pub fn quantile_axis(&self, q: f64, axes: &[isize], keepdims: bool) -> Var<T>
    where
        T: Real,
    {
        over_axes("quantile_axis", self, axes, keepdims, |x| quantile_of("quantile_axis", x, q))
    }

    /// The middle of the sorted elements, the mean of the two middle ones if their number is even (numpy's `median`).
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let g = grad(|x: &Var<f64>| x.median(), &ndarray::array![4.0, 1.0, 3.0, 9.0])?;
    /// assert_eq!(g, ndarray::array![0.5, 0.0, 0.5, 0.0]);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Panics
    /// If there are no elements.
    #[track_caller]
    pub fn median(&self) -> Var<T>
    where
        T: Real,
    {
        quantile_of("median", &self.ravel(), 0.5)
    }

    /// The median over some axes; with `keepdims` they stay, of length 1.
    ///
    /// # Panics
    /// If there are no elements; for an axis out of range or named twice.
    #[track_caller]
    pub fn median_axis(&self, axes: &[isize], keepdims: bool) -> Var<T>
    where
        T: Real,
    {
        over_axes("median_axis", self, axes, keepdims, |x| quantile_of("median_axis", x, 0.5))
    }
}

/// The group of all elements of a lane equal to the one at `k`, if there are several.
fn push_equal<T: Scalar>(ties: &mut Ties, x: &[T], start: usize, n: usize, step: usize, k: usize) {
    let value = x[start + k * step];
    let equal = || (0..n).map(|i| start + i * step).filter(|&p| x[p] == value);
    if equal().nth(1).is_some() {
        ties.push(equal());
    }
}

/// Applies a function that reduces the last axis to several axes.
#[track_caller]
fn over_axes<T: Scalar>(operation: &str, x: &Var<T>, axes: &[isize], keepdims: bool, f: impl FnOnce(&Var<T>) -> Var<T>) -> Var<T> {
    let gone: Shape = axes.iter().map(|&a| axis_of(operation, a, x.ndim())).collect();
    let twice = (0..gone.len()).any(|i| gone[..i].contains(&gone[i]));
    assert!(!twice, "{operation}: axes {axes:?} of shape {:?}: each only once", x.shape());
    let kept: Shape = (0..x.ndim()).filter(|a| !gone.contains(a)).collect();
    let order: Vec<isize> = kept.iter().chain(&gone).map(|&a| a as isize).collect();
    let mut shape: Shape = kept.iter().map(|&a| x.shape()[a]).collect();
    shape.push(gone.iter().map(|&a| x.shape()[a]).product());
    let reduced = f(&x.permute(&order).reshape(&shape));
    if !keepdims {
        return reduced;
    }
    let shape: Shape = (0..x.ndim()).map(|a| if gone.contains(&a) { 1 } else { x.shape()[a] }).collect();
    reduced.reshape(&shape)
}

/// The quantile along the last axis.
#[track_caller]
fn quantile_of<R: Real>(operation: &str, x: &Var<R>, q: f64) -> Var<R> {
    assert!((0.0..=1.0).contains(&q), "{operation}: q = {q} must be between 0 and 1");
    let axis = x.ndim() - 1;
    let n = x.shape()[axis];
    assert!(n > 0, "{operation}: no elements in shape {:?}: needs at least one", x.shape());
    let place = q * (n - 1) as f64;
    let (below, t) = (place.floor() as usize, place.fract());
    let sorted = x.sort(-1);
    let at = |k: usize| super::view::View::whole(x.shape()).index(axis, k).of(&sorted);
    let value = if t == 0.0 { at(below) } else { at(below) * R::from_f64(1.0 - t) + at(below + 1) * R::from_f64(t) };
    let nan = x.isnan();
    if !nan.any() {
        return value;
    }
    super::where_(&nan.any_axis(-1, false), to_shape(Var::scalar(R::NAN), value.shape()), value)
}

impl<R: Real> Var<R> {
    /// Where values would have to be inserted into this ascending vector to keep it in order (numpy's `searchsorted`).
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let bins = Var::from([1.0, 2.0, 2.0, 3.0]);
    /// assert_eq!(bins.searchsorted(&Var::from([0.0, 2.0, 9.0]), Side::Left).as_slice().unwrap(), &[0, 1, 4]);
    /// assert_eq!(bins.searchsorted(&Var::from([0.0, 2.0, 9.0]), Side::Right).as_slice().unwrap(), &[0, 3, 4]);
    /// ```
    ///
    /// # Panics
    /// If this is not a vector in ascending order.
    #[track_caller]
    pub fn searchsorted(&self, values: &Var<R>, side: Side) -> ArrayD<usize> {
        let x = self.as_slice();
        assert!(
            self.ndim() == 1 && x.is_sorted_by(|&a, &b| order(a, b) != Ordering::Greater),
            "searchsorted: needs a vector in ascending order, the shape is {:?}",
            self.shape()
        );
        let before = |v: R| {
            move |&a: &R| match side {
                Side::Left => order(a, v) == Ordering::Less,
                Side::Right => order(a, v) != Ordering::Greater,
            }
        };
        values.value().mapv(|v| x.partition_point(before(v)))
    }
}
