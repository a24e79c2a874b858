//! Permutation of axes, with numpy's meaning: axis i of the result is axis `perm[i]` of the input.

use super::buffer::{build, strides};
use super::strided::{self, Axis};
use crate::scalar::Scalar;
use smallvec::SmallVec;

/// Whether the permutation leaves the elements in their order: it does if it only moves axes of length 1.
pub fn is_contiguous_permutation(shape: &[usize], perm: &[usize]) -> bool {
    shape.contains(&0) || perm.iter().filter(|&&axis| shape[axis] != 1).is_sorted()
}

/// The elements of `x` in the order of the permuted shape, `out.shape[i] = shape[perm[i]]`.
pub fn permute<T: Scalar>(x: &[T], shape: &[usize], perm: &[usize]) -> Vec<T> {
    assert_eq!(x.len(), shape.iter().product::<usize>());
    debug_assert!((0..shape.len()).all(|axis| perm.contains(&axis)) && perm.len() == shape.len());
    if is_contiguous_permutation(shape, perm) {
        return x.to_vec();
    }
    let src = strides(shape);
    let mut dst = 1;
    let mut axes: SmallVec<[Axis; 8]> = SmallVec::with_capacity(perm.len());
    for &axis in perm.iter().rev() {
        axes.push(Axis { len: shape[axis], src: src[axis] as isize, dst });
        dst *= shape[axis] as isize;
    }
    axes.reverse();
    // SAFETY: row-major strides of shapes of x.len() elements name each place once on both sides.
    unsafe { build(x.len(), |out| strided::copy(x.as_ptr(), out.as_mut_ptr().cast(), &axes)) }
}
