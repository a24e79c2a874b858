//! Views of contiguous arrays by an offset and strides: read into a new array, or written at their places.

use super::buffer::{build, strides};
use super::strided::{self, Axis};
use crate::scalar::Scalar;
use smallvec::SmallVec;

type Axes = SmallVec<[Axis; 8]>;

/// Asserts that a view lies within `len` elements.
fn check_bounds(len: usize, offset: usize, shape: &[usize], strides: &[isize]) {
    let (mut low, mut high) = (offset as isize, offset as isize);
    for (&n, &s) in shape.iter().zip(strides) {
        let reach = (n as isize - 1) * s;
        low += reach.min(0);
        high += reach.max(0);
    }
    assert!(
        shape.contains(&0) || (low >= 0 && (high as usize) < len),
        "a view of shape {shape:?}, strides {strides:?} from {offset} does not fit in {len} elements"
    );
}

/// Asserts that no two indices of a view name the same place: each stride is longer than all that the shorter ones reach together.
fn check_distinct(shape: &[usize], strides: &[isize]) {
    let mut axes: SmallVec<[(usize, usize); 8]> =
        shape.iter().zip(strides).filter(|&(&n, _)| n > 1).map(|(&n, &s)| (s.unsigned_abs(), n)).collect();
    axes.sort_unstable();
    let mut reach = 0;
    for (s, n) in axes {
        assert!(s > reach, "a view of shape {shape:?} and strides {strides:?} names places twice");
        reach += (n - 1) * s;
    }
}

/// The elements `x[offset + Σ iₖ strideₖ]` in row-major order of the indices.
pub fn read<T: Scalar>(x: &[T], offset: usize, shape: &[usize], from: &[isize]) -> Vec<T> {
    assert_eq!(shape.len(), from.len());
    check_bounds(x.len(), offset, shape, from);
    let n = shape.iter().product();
    if n == 0 {
        return Vec::new();
    }
    let to = strides(shape);
    let axes: Axes = (0..shape.len()).map(|k| Axis { len: shape[k], src: from[k], dst: to[k] as isize }).collect();
    // SAFETY: the source's places were checked against its length; the destination's are row-major, so each is written once.
    unsafe { build(n, |out| strided::copy(x.as_ptr().add(offset), out.as_mut_ptr().cast(), &axes)) }
}

/// The transpose of [`read`]: writes `x`, of this shape, to `out[offset + Σ iₖ strideₖ]`.
pub fn write<T: Scalar>(x: &[T], out: &mut [T], offset: usize, shape: &[usize], to: &[isize]) {
    assert_eq!(shape.len(), to.len());
    assert_eq!(x.len(), shape.iter().product::<usize>());
    check_bounds(out.len(), offset, shape, to);
    check_distinct(shape, to);
    if x.is_empty() {
        return;
    }
    let from = strides(shape);
    let axes: Axes = (0..shape.len()).map(|k| Axis { len: shape[k], src: from[k] as isize, dst: to[k] }).collect();
    // SAFETY: the source is row-major; the destination's places were checked to be distinct and within its length.
    unsafe { strided::copy(x.as_ptr(), out.as_mut_ptr().add(offset), &axes) }
}
