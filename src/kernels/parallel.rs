//! Loops over chunks of fixed size, shared among rayon's threads above a size.
//!
//! A chunk's bounds depend on the length alone and never on the number of threads, so results are the same at any thread count, also where
//! rounding depends on the grouping.

use rayon::prelude::*;
use std::mem::MaybeUninit;
use std::ops::Range;

/// Elements per chunk.
pub(crate) const CHUNK: usize = 1 << 14;

/// From how many elements threads pay for a loop of some nanoseconds per element.
pub(crate) const THRESHOLD_COMPUTE: usize = 1 << 15;

/// From how many elements threads pay for a loop bound by memory.
pub(crate) const THRESHOLD_MEMORY: usize = 1 << 17;

/// Whether a loop over n elements should be shared.
#[inline]
pub(crate) fn worthwhile(n: usize, threshold: usize) -> bool {
    n >= threshold && rayon::current_num_threads() > 1
}

/// A vector of n elements that `fill` writes, without zeroing them first.
///
/// # Safety
/// `fill` must initialise every element of the slice it is given.
#[allow(unsafe_code)]
#[inline]
pub(crate) unsafe fn build<T>(n: usize, fill: impl FnOnce(&mut [MaybeUninit<T>])) -> Vec<T> {
    let mut v = super::pool::take(n);
    fill(&mut v.spare_capacity_mut()[..n]);
    // SAFETY: the capacity is at least n and the caller vouches that the first n elements were written.
    unsafe { v.set_len(n) };
    v
}

/// f(source chunk, destination chunk) over equal chunks of two slices of the same length.
pub(crate) fn for_chunks<T: Sync, U: Send>(src: &[T], dst: &mut [U], threshold: usize, f: impl Fn(&[T], &mut [U]) + Sync) {
    assert_eq!(src.len(), dst.len());
    if worthwhile(src.len(), threshold) {
        dst.par_chunks_mut(CHUNK).zip(src.par_chunks(CHUNK)).for_each(|(d, s)| f(s, d));
    } else {
        f(src, dst);
    }
}

/// The same over three slices, the last one written.
pub(crate) fn for_chunks_2<S: Sync, T: Sync, U: Send>(
    a: &[S],
    b: &[T],
    dst: &mut [U],
    threshold: usize,
    f: impl Fn(&[S], &[T], &mut [U]) + Sync,
) {
    assert!(a.len() == dst.len() && b.len() == dst.len());
    if worthwhile(dst.len(), threshold) {
        dst.par_chunks_mut(CHUNK).zip(a.par_chunks(CHUNK).zip(b.par_chunks(CHUNK))).for_each(|(d, (a, b))| f(a, b, d));
    } else {
        f(a, b, dst);
    }
}

/// The same over one slice, changed in place.
pub(crate) fn for_chunks_mut<T: Send>(x: &mut [T], threshold: usize, f: impl Fn(&mut [T]) + Sync + Send) {
    if worthwhile(x.len(), threshold) {
        x.par_chunks_mut(CHUNK).for_each(f);
    } else {
        f(x);
    }
}

/// f of each range of [`CHUNK`] indices below n, in order: partial results of a reduction, grouped the same way at any thread count.
pub(crate) fn partial_results<R: Send>(n: usize, threshold: usize, f: impl Fn(Range<usize>) -> R + Sync + Send) -> Vec<R> {
    let chunk = |i: usize| f(i * CHUNK..n.min((i + 1) * CHUNK));
    let count = n.div_ceil(CHUNK);
    if worthwhile(n, threshold) { (0..count).into_par_iter().map(chunk).collect() } else { (0..count).map(chunk).collect() }
}
