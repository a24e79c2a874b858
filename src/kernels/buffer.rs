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

/// Adds x to the end of a vector that has room for it, a kilobyte at a time.
///
/// Long copies are one instruction of the processor (`rep movsb`), and to a place a few bytes behind its source, counted within pages, that
/// takes thirteen times as long on Zen 4: 228 µs in place of 17 for 800 kB. Arrays begin at the same place of a page, so a slice that starts
/// at the second element is put back just so.
#[inline]
pub fn append<V: Copy>(out: &mut Vec<V>, x: &[V]) {
    x.chunks((1024 / size_of::<V>().max(1)).max(1)).for_each(|x| out.extend_from_slice(x));
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
