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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::*;
    use rand::RngExt;

    /// A random window with steps of either sign: read element by element, and written back to the same places.
    #[test]
    fn windows_are_read_and_written_where_the_strides_say() {
        let mut rng = rng(11);
        for _ in 0..300 {
            let source = random_shape(&mut rng);
            if source.contains(&0) {
                continue;
            }
            let x: Vec<f64> = random(&mut rng, source.iter().product());
            let row_major = strides(&source);
            let (mut offset, mut shape, mut steps) = (0, Vec::new(), Vec::new());
            for (k, &n) in source.iter().enumerate() {
                let step = rng.random_range(1..=3usize);
                let len = rng.random_range(1..=n.div_ceil(step));
                let first = rng.random_range(0..n - (len - 1) * step);
                let backwards = rng.random_bool(0.3);
                offset += row_major[k] * if backwards { first + (len - 1) * step } else { first };
                shape.push(len);
                steps.push(row_major[k] as isize * step as isize * if backwards { -1 } else { 1 });
            }
            let place = |i: &[usize]| (offset as isize + i.iter().zip(&steps).map(|(&i, &s)| i as isize * s).sum::<isize>()) as usize;
            let got = read(&x, offset, &shape, &steps);
            let want: Vec<f64> = indices(&shape).iter().map(|i| x[place(i)]).collect();
            assert_eq!(got, want);
            let mut written = vec![0.0; x.len()];
            write(&got, &mut written, offset, &shape, &steps);
            let mut expected = vec![0.0; x.len()];
            indices(&shape).iter().for_each(|i| expected[place(i)] = x[place(i)]);
            assert_eq!(written, expected);
        }
    }

    #[test]
    #[should_panic(expected = "does not fit")]
    fn a_view_past_the_end_is_refused() {
        read(&[1.0, 2.0, 3.0], 1, &[3], &[1]);
    }

    #[test]
    #[should_panic(expected = "names places twice")]
    fn overlapping_places_are_refused() {
        write(&[1.0; 6], &mut [0.0; 10], 0, &[2, 3], &[2, 1]);
    }
}
