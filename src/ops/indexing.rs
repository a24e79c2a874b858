//! Slices with numpy's freedom: ranges, steps of either sign, single indices, new axes.

use super::view::View;
use crate::autodiff::Var;
use crate::scalar::Scalar;
use ndarray::{Slice, SliceInfoElem};

/// In `s![…]` given to [`Var::slice`] and [`Var::set_at`]: all the axes that the other entries do not name, as numpy's `...`.
///
/// ```
/// use pullback::prelude::*;
/// use pullback::ops::ELLIPSIS;
/// let x = Var::<f64>::zeros(&[2, 3, 4]);
/// assert_eq!(x.slice(s![ELLIPSIS, 0]).shape(), &[2, 3]);
/// ```
pub const ELLIPSIS: Slice = Slice { start: isize::MIN, end: Some(isize::MIN), step: 1 };

fn is_ellipsis(e: &SliceInfoElem) -> bool {
    matches!(e, SliceInfoElem::Slice { start: isize::MIN, end: Some(isize::MIN), step: 1 })
}

/// An index counted from the end if negative.
#[track_caller]
pub(super) fn index_of(operation: &str, i: isize, axis: usize, shape: &[usize]) -> usize {
    let n = shape[axis] as isize;
    assert!(-n <= i && i < n, "{operation}: index {i} is out of range for axis {axis} of shape {shape:?}: allowed are {} to {}", -n, n - 1);
    if i < 0 { (i + n) as usize } else { i as usize }
}

/// The view that an index expression names.
#[track_caller]
fn view_of(operation: &str, shape: &[usize], info: &[SliceInfoElem]) -> View {
    let named = info.iter().filter(|e| !matches!(e, SliceInfoElem::NewAxis) && !is_ellipsis(e)).count();
    assert!(
        named <= shape.len(),
        "{operation}: {named} indices for the {} axes of shape {shape:?}: there may be as many as axes, or fewer",
        shape.len()
    );
    assert!(info.iter().filter(|e| is_ellipsis(e)).count() <= 1, "{operation}: there may be only one ELLIPSIS");
    let mut view = View::whole(shape);
    // the axis of the source, and where it stands in the view
    let (mut axis, mut place) = (0, 0);
    for e in info {
        if is_ellipsis(e) {
            let skipped = shape.len() - named;
            (axis, place) = (axis + skipped, place + skipped);
            continue;
        }
        match *e {
            SliceInfoElem::NewAxis => {
                view = view.insert(place);
                place += 1;
                continue;
            }
            SliceInfoElem::Index(i) => view = view.index(place, index_of(operation, i, axis, shape)),
            SliceInfoElem::Slice { start, end, step } => {
                let n = shape[axis] as isize;
                let from_end = |i: isize| if i < 0 { i + n } else { i };
                let (from, to) = (from_end(start), from_end(end.unwrap_or(n)));
                assert!(step != 0, "{operation}: the step of axis {axis} is 0: it must be at least 1 or at most -1");
                assert!(
                    (0..=n).contains(&from) && (0..=n).contains(&to),
                    "{operation}: the range {start}..{} is out of range for axis {axis} of shape {shape:?}: the ends may be {} to {n}",
                    end.map_or(String::new(), |e| e.to_string()),
                    -n
                );
                let len = ((to - from).max(0) as usize).div_ceil(step.unsigned_abs());
                // as in ndarray: first the range is taken, then a negative step walks it from its end
                let first = if step > 0 { from } else { to - 1 };
                view = view.range(place, first.max(0) as usize, len, step);
                place += 1;
            }
        }
        axis += 1;
    }
    view
}

impl<T: Scalar> Var<T> {
    /// Part of the array, with ndarray's `s![…]`: ranges, steps, single indices, new axes; axes that are not named are taken whole.
    ///
    /// | expression | takes |
    /// |---|---|
    /// | `s![1.., ..-1]` | all but the first row and the last column |
    /// | `s![..;2]` | every other one |
    /// | `s![..;-1]` | from the last to the first: a negative step takes the range first and walks it from its end |
    /// | `s![-1, ..]` | the last row, without its axis |
    /// | `s![.., NewAxis]` | with a new axis of length 1 |
    /// | `s![ELLIPSIS, 0]` | the first of the last axis, see [`ELLIPSIS`] |
    ///
    /// A contiguous range of the leading axis shares the elements, any other is one copy. The derivative puts the cotangent among zeros; to
    /// take an array apart completely, [`unstack`](Var::unstack) and [`split`](Var::split) are cheaper.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let x = Var::from(ndarray::array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.slice(s![1, ..;2]).as_slice(), &[4.0, 6.0]);
    /// assert_eq!(x.slice(s![.., 0..2]).as_slice(), &[1.0, 2.0, 4.0, 5.0]);
    /// assert_eq!(x.slice(s![-1, ..;-1]).as_slice(), &[6.0, 5.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// For more indices than axes, an index or end of a range out of range, or a step of 0.
    #[track_caller]
    pub fn slice(&self, info: impl AsRef<[SliceInfoElem]>) -> Var<T> {
        view_of("slice", self.shape(), info.as_ref()).of(self)
    }

    /// The array with part of it replaced: `y`, broadcast, in the places that [`slice`](Var::slice) would take.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let x = Var::from([1.0, 2.0, 3.0]);
    /// assert_eq!(x.set_at(s![1..], 0.5).as_slice(), &[1.0, 0.5, 0.5]);
    /// ```
    ///
    /// # Panics
    /// As [`slice`](Var::slice); if `y` does not broadcast to the shape of the part.
    #[track_caller]
    pub fn set_at(&self, info: impl AsRef<[SliceInfoElem]>, y: impl Into<Var<T>>) -> Var<T> {
        let view = view_of("set_at", self.shape(), info.as_ref());
        let y = fitted("set_at", y.into(), view.shape());
        view.set(self, &y)
    }

    /// The array with `y`, broadcast, added in the places that [`slice`](Var::slice) would take.
    ///
    /// # Panics
    /// As [`set_at`](Var::set_at).
    #[track_caller]
    pub fn add_at(&self, info: impl AsRef<[SliceInfoElem]>, y: impl Into<Var<T>>) -> Var<T> {
        let view = view_of("add_at", self.shape(), info.as_ref());
        let y = fitted("add_at", y.into(), view.shape());
        self + view.place(&y)
    }

    /// The element at a full index, as a 0-d array; negative indices count from the end.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let x = Var::from(ndarray::array![[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.get(&[1, -1]).item(), 4.0);
    /// ```
    ///
    /// # Panics
    /// If there are not as many indices as axes, or one is out of range.
    #[track_caller]
    pub fn get(&self, index: &[isize]) -> Var<T> {
        assert!(
            index.len() == self.ndim(),
            "get: {} indices for shape {:?}: needs one for each axis (slice takes fewer)",
            index.len(),
            self.shape()
        );
        let mut view = View::whole(self.shape());
        for (axis, &i) in index.iter().enumerate() {
            view = view.index(0, index_of("get", i, axis, self.shape()));
        }
        view.of(self)
    }

    /// Subarray i of the leading axis, sharing the elements; negative i counts from the end.
    ///
    /// # Panics
    /// For a 0-d array or an index out of range.
    #[track_caller]
    pub fn row(&self, i: isize) -> Var<T> {
        assert!(self.ndim() > 0, "row: a 0-d array has no rows");
        View::whole(self.shape()).index(0, index_of("row", i, 0, self.shape())).of(self)
    }
}

/// `y` broadcast to the shape of the part of an array that it is to fill.
#[track_caller]
pub(super) fn fitted<T: Scalar>(operation: &str, y: Var<T>, shape: &[usize]) -> Var<T> {
    let fits = crate::kernels::broadcast::broadcast_shape(y.shape(), shape).is_some_and(|s| s[..] == *shape);
    assert!(fits, "{operation}: values of shape {:?} do not broadcast to shape {shape:?} of the places", y.shape());
    super::broadcast::to_shape(y, shape)
}
