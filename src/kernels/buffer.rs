//! Output buffers that are written once, and their strides.

use std::mem::MaybeUninit;

/// A vector of `n` elements that `fill` writes, without zeroing it first.
///
/// # Safety
/// `fill` writes every element, or unwinds.
#[inline]
pub unsafe fn build<V: Copy>(n: usize, fill: impl FnOnce(&mut [MaybeUninit<V>])) -> Vec<V> {
    let mut out = super::pool::take(n);
    fill(&mut out.spare_capacity_mut()[..n]);
    // SAFETY: the capacity is at least n and by this function's contract the n elements are written.
    unsafe { out.set_len(n) };
    out
}

/// Row-major strides of a shape.
#[inline]
pub fn strides(shape: &[usize]) -> smallvec::SmallVec<[usize; 8]> {
    let mut strides = smallvec::SmallVec::from_elem(1, shape.len());
    for i in (1..shape.len()).rev() {
        strides[i - 1] = strides[i] * shape[i];
    }
    strides
}
