//! Elements by arrays of indices, and their transpose: adding values at indices.

use super::broadcast::stacked;
use super::indexing::fitted;
use super::mask::Mask;
use super::shape::{around, axis_of};
use crate::autodiff::Var;
use crate::autodiff::rule::{BinaryRule, Keep, UnaryRule, binary, unary};
use crate::kernels::elementwise::{add_assign, map};
use crate::kernels::parallel::{GRAIN, for_parts, for_rows};
use crate::kernels::pool;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor, len_of};
use ndarray::ArrayD;
use std::marker::PhantomData;
use std::sync::Arc;

/// Which rows of the middle axis of an array seen as (outer, n, inner) are taken, in which order.
#[derive(Clone, Debug)]
struct Rows {
    outer: usize,
    n: usize,
    inner: usize,
    indices: Arc<[usize]>,
    /// The shape that is read.
    source: Shape,
    /// The shape that comes out.
    target: Shape,
}

impl Rows {
    fn read<T: Scalar>(&self, x: &[T]) -> Vec<T> {
        if self.outer == 1 && self.inner == 1 {
            return map(&self.indices, |i: usize| x[i]);
        }
        let (block, inner, m) = (self.n * self.inner, self.inner, self.indices.len());
        let total = self.outer * m * inner;
        let row = |r: usize| {
            let start = (r / m) * block + self.indices[r % m] * inner;
            &x[start..start + inner]
        };
        if total < 2 * GRAIN || inner == 0 {
            let mut out = pool::take(total);
            if inner == 1 && self.n > 0 {
                x.chunks_exact(self.n).for_each(|x| out.extend(self.indices.iter().map(|&i| x[i])));
                return out;
            }
            (0..self.outer * m).for_each(|r| out.extend_from_slice(row(r)));
            return out;
        }
        let mut out = vec![T::zero(); total];
        let rows = (GRAIN / inner).max(1);
        for_parts(&mut out, rows * inner, |start, part| {
            part.chunks_exact_mut(inner).enumerate().for_each(|(k, out)| out.copy_from_slice(row(start / inner + k)));
        });
        out
    }

    /// The same rows of every array of a stack.
    fn stacked(&self, count: usize) -> Arc<Rows> {
        let (source, target) = (stacked(count, &self.source), stacked(count, &self.target));
        Arc::new(Rows { outer: count * self.outer, n: self.n, inner: self.inner, indices: self.indices.clone(), source, target })
    }

    /// Adds the rows where they were read from; rows that were read several times get the sum, in the order of the indices.
    fn add<T: Scalar>(&self, g: &[T], out: &mut [T]) {
        let (block, inner, m) = (self.n * self.inner, self.inner, self.indices.len());
        if block == 0 || m * inner == 0 {
            return;
        }
        let one = |out: &mut [T], g: &[T]| {
            if inner == 1 {
                self.indices.iter().zip(g).for_each(|(&i, &g)| out[i] += g);
            } else {
                self.indices.iter().zip(g.chunks_exact(inner)).for_each(|(&i, g)| add_assign(&mut out[i * inner..(i + 1) * inner], g));
            }
        };
        if self.outer > 1 && g.len() >= 2 * GRAIN {
            for_rows(g, m * inner, out, block, 1, |g, out| one(out, g));
        } else {
            out.chunks_exact_mut(block).zip(g.chunks_exact(m * inner)).for_each(|(out, g)| one(out, g));
        }
    }
}

#[derive(Clone)]
struct Gather<T>(Arc<Rows>, PhantomData<T>);

impl<T: Scalar> UnaryRule for Gather<T> {
    type In = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "gather"
    }
    fn keep(&self) -> Keep {
        Keep::NOTHING
    }
    fn forward(&self, x: Var<T>) -> Tensor<T> {
        Tensor::with_shape(self.0.target.clone(), self.0.read(x.as_slice()))
    }
    fn vjp(&self, _: &Var<T>, _: &Var<T>, g: Var<T>) -> Var<T> {
        unary(ScatterAdd(self.0.clone(), PhantomData), g)
    }
    fn stacks(&self) -> bool {
        true
    }
    fn vjp_stacked(&self, _: &Var<T>, _: &Var<T>, g: Var<T>) -> Var<T> {
        unary(ScatterAdd(self.0.stacked(g.shape()[0]), PhantomData), g)
    }
    fn jvp(&self, _: &Var<T>, _: &Var<T>, dx: Var<T>) -> Var<T> {
        unary(self.clone(), dx)
    }
}

#[derive(Clone)]
struct ScatterAdd<T>(Arc<Rows>, PhantomData<T>);

impl<T: Scalar> UnaryRule for ScatterAdd<T> {
    type In = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "scatter_add"
    }
    fn keep(&self) -> Keep {
        Keep::NOTHING
    }
    fn forward(&self, x: Var<T>) -> Tensor<T> {
        let mut out = vec![T::zero(); len_of(&self.0.source)];
        self.0.add(x.as_slice(), &mut out);
        Tensor::with_shape(self.0.source.clone(), out)
    }
    fn vjp(&self, _: &Var<T>, _: &Var<T>, g: Var<T>) -> Var<T> {
        unary(Gather(self.0.clone(), PhantomData), g)
    }
    fn stacks(&self) -> bool {
        true
    }
    fn vjp_stacked(&self, _: &Var<T>, _: &Var<T>, g: Var<T>) -> Var<T> {
        unary(Gather(self.0.stacked(g.shape()[0]), PhantomData), g)
    }
    fn jvp(&self, _: &Var<T>, _: &Var<T>, dx: Var<T>) -> Var<T> {
        unary(self.clone(), dx)
    }
}

fn flat_rows(source: &[usize], indices: Arc<[usize]>, target: &[usize]) -> Rows {
    debug_assert_eq!(indices.len(), len_of(target));
    Rows { outer: 1, n: len_of(source), inner: 1, indices, source: Shape::from_slice(source), target: Shape::from_slice(target) }
}

/// The elements at row-major positions that are known to exist, as an array of shape `target`.
pub(super) fn gather_flat<T: Scalar>(x: &Var<T>, positions: impl Into<Arc<[usize]>>, target: &[usize]) -> Var<T> {
    unary(Gather(Arc::new(flat_rows(x.shape(), positions.into(), target)), PhantomData), x.clone())
}

/// The transpose of `gather_flat`: zeros of shape `source` with the values added at the positions.
pub(super) fn scatter_flat<T: Scalar>(values: &Var<T>, positions: impl Into<Arc<[usize]>>, source: &[usize]) -> Var<T> {
    unary(ScatterAdd(Arc::new(flat_rows(source, positions.into(), values.shape())), PhantomData), values.clone())
}

fn axis_rows(source: &[usize], axis: usize, indices: Arc<[usize]>) -> Rows {
    let (outer, n, inner) = around(source, axis);
    let mut target = Shape::from_slice(source);
    target[axis] = indices.len();
    Rows { outer, n, inner, indices, source: Shape::from_slice(source), target }
}

/// The subarrays along an axis at indices that are known to exist.
pub(super) fn select_rows<T: Scalar>(x: &Var<T>, axis: usize, indices: impl Into<Arc<[usize]>>) -> Var<T> {
    unary(Gather(Arc::new(axis_rows(x.shape(), axis, indices.into())), PhantomData), x.clone())
}

/// x with y at distinct positions.
#[derive(Clone)]
struct Put<T>(Arc<[usize]>, PhantomData<T>);

impl<T: Scalar> BinaryRule for Put<T> {
    type Left = T;
    type Right = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "put"
    }
    fn keep(&self, _: (bool, bool)) -> Keep {
        Keep::NOTHING
    }
    fn forward(&self, x: Var<T>, y: Var<T>) -> Tensor<T> {
        let shape = Shape::from_slice(x.shape());
        let mut values = x.value.into_vec();
        self.0.iter().zip(y.as_slice()).for_each(|(&i, &y)| values[i] = y);
        Tensor::with_shape(shape, values)
    }
    fn vjp(&self, _: &Var<T>, y: &Var<T>, _: &Var<T>, g: Var<T>, needs: (bool, bool)) -> (Option<Var<T>>, Option<Var<T>>) {
        let gy = needs.1.then(|| gather_flat(&g, self.0.clone(), y.shape()));
        (needs.0.then(|| binary(self.clone(), g, y.zeros_like())), gy)
    }
    fn jvp(&self, x: &Var<T>, y: &Var<T>, _: &Var<T>, dx: Option<Var<T>>, dy: Option<Var<T>>) -> Option<Var<T>> {
        Some(binary(self.clone(), dx.unwrap_or_else(|| x.zeros_like()), dy.unwrap_or_else(|| y.zeros_like())))
    }
}

#[track_caller]
fn check_indices(operation: &str, indices: &[usize], n: usize, what: impl FnOnce() -> String) {
    if let Some(i) = indices.iter().find(|&&i| i >= n) {
        panic!("{operation}: index {i} is out of range for {}: allowed are 0 to {}", what(), n as isize - 1);
    }
}

/// Row-major positions that a coordinate array along one axis names; its other axes run along with the result's.
#[track_caller]
fn positions_along(operation: &str, shape: &[usize], indices: &ArrayD<usize>, axis: usize) -> Vec<usize> {
    let n = shape[axis];
    let strides = crate::kernels::buffer::strides(shape);
    let place = |(index, &i): (ndarray::IxDyn, &usize)| {
        assert!(i < n, "{operation}: index {i} is out of range for axis {axis} of shape {shape:?}: allowed are 0 to {}", n as isize - 1);
        (0..shape.len()).map(|k| if k == axis { i * strides[k] } else { index[k] * strides[k] }).sum()
    };
    indices.indexed_iter().map(place).collect()
}

impl<T: Scalar> Var<T> {
    /// The elements at row-major positions, as a vector (numpy's `take` without an axis).
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let x = Var::from(ndarray::array![[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.take(&[3, 0, 3]).as_slice(), &[4.0, 1.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// For a position out of range.
    #[track_caller]
    pub fn take(&self, positions: &[usize]) -> Var<T> {
        check_indices("take", positions, self.len(), || format!("the {} elements of shape {:?}", self.len(), self.shape()));
        gather_flat(self, positions, &[positions.len()])
    }

    /// The subarrays at these indices of an axis, in this order, any number of times (numpy's `take` with an axis).
    ///
    /// The derivative adds up what was taken several times.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let x = ndarray::array![[1.0, 2.0], [3.0, 4.0]];
    /// assert_eq!(Var::from(&x).index_select(&[1, 1, 0], 0).as_slice(), &[3.0, 4.0, 3.0, 4.0, 1.0, 2.0]);
    /// let g = grad(|x: &Var<f64>| x.index_select(&[1, 1, 0], 0).sum(), &x)?;
    /// assert_eq!(g, ndarray::array![[1.0, 1.0], [2.0, 2.0]]);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Panics
    /// For an index or an axis out of range.
    #[track_caller]
    pub fn index_select(&self, indices: &[usize], axis: isize) -> Var<T> {
        let axis = axis_of("index_select", axis, self.ndim());
        check_indices("index_select", indices, self.shape()[axis], || format!("axis {axis} of shape {:?}", self.shape()));
        select_rows(self, axis, indices)
    }

    /// The array with values, broadcast, added to the subarrays at these indices of an axis; several at the same index add up.
    /// The transpose of [`index_select`](Var::index_select).
    ///
    /// # Panics
    /// For an index or an axis out of range; if the values do not broadcast to what `index_select` would give.
    #[track_caller]
    pub fn index_add(&self, indices: &[usize], axis: isize, values: impl Into<Var<T>>) -> Var<T> {
        let axis = axis_of("index_add", axis, self.ndim());
        check_indices("index_add", indices, self.shape()[axis], || format!("axis {axis} of shape {:?}", self.shape()));
        let rows = axis_rows(self.shape(), axis, indices.into());
        let values = fitted("index_add", values.into(), &rows.target);
        self + unary(ScatterAdd(Arc::new(rows), PhantomData), values)
    }

    /// For each entry of an index array the element at that index of an axis: `y[i, j] = x[indices[i, j], j]` for axis 0 of a matrix.
    ///
    /// The index array has as many axes as the array, and is nowhere longer than it but along the axis.
    ///
    /// # Panics
    /// For an index or an axis out of range, or an index array of another shape.
    #[track_caller]
    pub fn gather(&self, indices: &ArrayD<usize>, axis: isize) -> Var<T> {
        let axis = self.check_gather("gather", indices, axis);
        gather_flat(self, positions_along("gather", self.shape(), indices, axis), indices.shape())
    }

    #[track_caller]
    fn check_gather(&self, operation: &str, indices: &ArrayD<usize>, axis: isize) -> usize {
        let axis = axis_of(operation, axis, self.ndim());
        let fits = indices.ndim() == self.ndim() && (0..self.ndim()).all(|k| k == axis || indices.shape()[k] <= self.shape()[k]);
        assert!(
            fits,
            "{operation}: an index array of shape {:?} for shape {:?}: needs as many axes, nowhere longer but along axis {axis}",
            indices.shape(),
            self.shape()
        );
        axis
    }

    /// The array with values, broadcast to the index array's shape, added where [`gather`](Var::gather) would read; several at the same
    /// place add up.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let x = Var::<f64>::zeros(&[3]);
    /// let y = x.scatter_add(&ndarray::array![2, 0, 2].into_dyn(), 0, Var::from([1.0, 10.0, 100.0]));
    /// assert_eq!(y.as_slice(), &[10.0, 0.0, 101.0]);
    /// ```
    ///
    /// # Panics
    /// As [`gather`](Var::gather); if the values do not broadcast to the index array's shape.
    #[track_caller]
    pub fn scatter_add(&self, indices: &ArrayD<usize>, axis: isize, values: impl Into<Var<T>>) -> Var<T> {
        let axis = self.check_gather("scatter_add", indices, axis);
        let values = fitted("scatter_add", values.into(), indices.shape());
        self + scatter_flat(&values, positions_along("scatter_add", self.shape(), indices, axis), self.shape())
    }

    /// [`gather`](Var::gather) with an index array that broadcasts against the array on the other axes (numpy's `take_along_axis`): what
    /// [`argsort`](Var::argsort) gives can be used here.
    ///
    /// # Panics
    /// For an index or an axis out of range; if the shapes do not broadcast on the other axes.
    #[track_caller]
    pub fn take_along_axis(&self, indices: &ArrayD<usize>, axis: isize) -> Var<T> {
        let axis = axis_of("take_along_axis", axis, self.ndim());
        let matching = |k: usize| k == axis || indices.shape()[k] == self.shape()[k] || indices.shape()[k] == 1 || self.shape()[k] == 1;
        assert!(
            indices.ndim() == self.ndim() && (0..self.ndim()).all(matching),
            "take_along_axis: an index array of shape {:?} for shape {:?}: needs as many axes, which broadcast but for axis {axis}",
            indices.shape(),
            self.shape()
        );
        let mut own = Shape::from_slice(self.shape());
        let mut common = Shape::from_slice(indices.shape());
        for k in (0..self.ndim()).filter(|&k| k != axis) {
            if own[k] == 1 {
                own[k] = common[k];
            } else {
                common[k] = own[k];
            }
        }
        let spread = super::broadcast::to_shape(self.clone(), &own);
        let indices = indices.broadcast(&common[..]).expect("checked").to_owned();
        gather_flat(&spread, positions_along("take_along_axis", &own, &indices, axis), &common)
    }

    /// The elements at lists of coordinates: `y[i] = x[lists[0][i], lists[1][i], …]` (numpy's `x[rows, columns]`). With fewer lists than
    /// axes the result holds the subarrays.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let x = Var::from(ndarray::array![[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.index_arrays(&[&[0, 1, 1], &[1, 0, 1]]).as_slice(), &[2.0, 3.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// For a coordinate out of range, lists of different lengths, or more lists than axes.
    #[track_caller]
    pub fn index_arrays(&self, lists: &[&[usize]]) -> Var<T> {
        unary(Gather(Arc::new(self.coordinate_rows("index_arrays", lists)), PhantomData), self.clone())
    }

    /// The array with values, broadcast, added where [`index_arrays`](Var::index_arrays) would read; several at the same place add up
    /// (numpy's `add.at`).
    ///
    /// # Panics
    /// As [`index_arrays`](Var::index_arrays); if the values do not broadcast to its shape.
    #[track_caller]
    pub fn index_arrays_add(&self, lists: &[&[usize]], values: impl Into<Var<T>>) -> Var<T> {
        let rows = self.coordinate_rows("index_arrays_add", lists);
        let values = fitted("index_arrays_add", values.into(), &rows.target);
        self + unary(ScatterAdd(Arc::new(rows), PhantomData), values)
    }

    #[track_caller]
    fn coordinate_rows(&self, operation: &str, lists: &[&[usize]]) -> Rows {
        let shape = self.shape();
        let lengths: Vec<usize> = lists.iter().map(|l| l.len()).collect();
        assert!(
            !lists.is_empty() && lists.len() <= shape.len() && lengths.iter().all(|&n| n == lengths[0]),
            "{operation}: lists of lengths {lengths:?} for shape {shape:?}: needs one to {} lists of equal length",
            shape.len()
        );
        let mut positions = vec![0; lengths[0]];
        for (axis, list) in lists.iter().enumerate() {
            check_indices(operation, list, shape[axis], || format!("axis {axis} of shape {shape:?}"));
            positions.iter_mut().zip(*list).for_each(|(p, &i)| *p = *p * shape[axis] + i);
        }
        let (n, rest) = (len_of(&shape[..lists.len()]), &shape[lists.len()..]);
        let mut target = Shape::from_slice(&[positions.len()]);
        target.extend_from_slice(rest);
        Rows { outer: 1, n, inner: len_of(rest), indices: positions.into(), source: Shape::from_slice(shape), target }
    }

    /// The elements where a mask is true, as a vector; a mask of fewer axes chooses subarrays (numpy's `x[mask]`).
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let x = Var::from([-1.0, 2.0, 3.0]);
    /// assert_eq!(x.masked_select(&x.gt(0.0)).as_slice(), &[2.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// If the mask's shape is not that of the leading axes.
    #[track_caller]
    pub fn masked_select(&self, mask: &Mask) -> Var<T> {
        assert!(
            self.shape().starts_with(mask.shape()),
            "masked_select: a mask of shape {:?} for shape {:?}: must be the lengths of the leading axes",
            mask.shape(),
            self.shape()
        );
        let rest = &self.shape()[mask.ndim()..];
        let positions = mask.positions();
        let mut target = Shape::from_slice(&[positions.len()]);
        target.extend_from_slice(rest);
        let source = Shape::from_slice(self.shape());
        let rows = Rows { outer: 1, n: mask.len(), inner: len_of(rest), indices: positions.into(), source, target };
        unary(Gather(Arc::new(rows), PhantomData), self.clone())
    }

    /// The array with values, broadcast, at row-major positions (numpy's `put`, which changes its argument). Of several values for the
    /// same position the last one stays, and alone has a derivative.
    ///
    /// # Panics
    /// For a position out of range; if the values do not broadcast to as many as there are positions.
    #[track_caller]
    pub fn put(&self, positions: &[usize], values: impl Into<Var<T>>) -> Var<T> {
        check_indices("put", positions, self.len(), || format!("the {} elements of shape {:?}", self.len(), self.shape()));
        let values = fitted("put", values.into(), &[positions.len()]);
        let mut last = std::collections::BTreeMap::new();
        positions.iter().enumerate().for_each(|(k, &p)| _ = last.insert(p, k));
        if last.len() == positions.len() {
            return binary(Put(positions.into(), PhantomData), self.clone(), values);
        }
        let (places, kept): (Vec<usize>, Vec<usize>) = last.into_iter().unzip();
        let values = gather_flat(&values, kept, &[places.len()]);
        binary(Put(places.into(), PhantomData), self.clone(), values)
    }
}
