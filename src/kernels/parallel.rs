//! Loops over tasks, shared among rayon's threads.
//!
//! What a task is depends on lengths alone and never on the number of threads, so results are the same at any thread count, also where
//! rounding depends on the grouping. The loops over tasks are compiled once, for a `dyn Fn`: they and rayon's machinery would otherwise be
//! compiled for each of the hundreds of kernels that use them.

use rayon::prelude::*;

/// Elements in a task of some nanoseconds per element.
pub const CHUNK: usize = 1 << 14;

/// Elements in a task that memory bounds.
pub const GRAIN: usize = 1 << 15;

/// From how many elements threads pay for a loop of some nanoseconds per element.
pub const THRESHOLD_COMPUTE: usize = 1 << 15;

/// From how many elements threads pay for a loop bound by memory.
pub const THRESHOLD_MEMORY: usize = 1 << 17;

/// f(0), …, f(n − 1), in any order.
pub fn for_each(n: usize, f: &(dyn Fn(usize) + Sync)) {
    if n < 2 || rayon::current_num_threads() == 1 {
        (0..n).for_each(f);
    } else {
        (0..n).into_par_iter().for_each(f);
    }
}

/// f(0), …, f(n − 1) in order.
pub fn collect<R: Send>(n: usize, f: impl Fn(usize) -> R + Sync) -> Vec<R> {
    fn all<R: Send>(n: usize, f: &(dyn Fn(usize) -> R + Sync)) -> Vec<R> {
        let mut results: Vec<Option<R>> = (0..n).map(|_| None).collect();
        for_parts(&mut results, 1, |i, slot| slot[0] = Some(f(i)));
        results.into_iter().map(|r| r.expect("every task ran")).collect()
    }
    all(n, &f)
}

/// Both, at the same time if a thread is free.
pub fn join(a: &(dyn Fn() + Sync), b: &(dyn Fn() + Sync)) {
    if rayon::current_num_threads() == 1 {
        // from outside the pool rayon would hand both over to its one thread
        a();
        b();
    } else {
        rayon::join(a, b);
    }
}

/// `f(start, part)` on consecutive parts of `size` elements, the last one shorter; not called for none.
pub fn for_parts<V: Send>(out: &mut [V], size: usize, f: impl Fn(usize, &mut [V]) + Sync) {
    let n = out.len();
    if n == 0 {
        return;
    }
    if n <= size {
        return f(0, out);
    }
    fn parts<V: Send>(out: &mut [V], size: usize, f: &(dyn Fn(usize, &mut [V]) + Sync)) {
        let (n, out) = (out.len(), Shared(out.as_mut_ptr()));
        for_each(n.div_ceil(size), &|i| {
            let start = i * size;
            // SAFETY: parts of different i are disjoint and inside the slice, which is borrowed until all tasks are done.
            #[allow(unsafe_code)]
            f(start, unsafe { std::slice::from_raw_parts_mut(out.get().add(start), size.min(n - start)) })
        });
    }
    parts(out, size, &f);
}

/// [`for_parts`] of [`GRAIN`] elements, if there are at least two of them.
#[inline]
pub fn for_grains<V: Send>(out: &mut [V], f: impl Fn(usize, &mut [V]) + Sync) {
    if out.len() < 2 * GRAIN { f(0, out) } else { for_parts(out, GRAIN, f) }
}

/// `f(rows of x, rows of out)` for `rows` rows at a time, where a row has `nx` elements of x and `n` of `out`.
pub fn for_rows<U: Sync, V: Send>(x: &[U], nx: usize, out: &mut [V], n: usize, rows: usize, f: impl Fn(&[U], &mut [V]) + Sync) {
    if n == 0 {
        return;
    }
    assert_eq!(x.len() * n, out.len() * nx);
    for_parts(out, rows * n, |start, out| {
        let first = start / n * nx;
        f(&x[first..first + out.len() / n * nx], out)
    });
}

/// Elements in a part of a loop over n: all of them, unless threads pay.
fn part(n: usize, threshold: usize) -> usize {
    if n >= threshold && rayon::current_num_threads() > 1 { CHUNK } else { n }
}

/// f(source chunk, destination chunk) over equal chunks of two slices of the same length.
pub(crate) fn for_chunks<T: Sync, U: Send>(src: &[T], dst: &mut [U], threshold: usize, f: impl Fn(&[T], &mut [U]) + Sync) {
    let n = dst.len();
    assert_eq!(src.len(), n);
    for_parts(dst, part(n, threshold), |start, dst| f(&src[start..start + dst.len()], dst));
}

/// The same over three slices, the last one written.
pub(crate) fn for_chunks_2<S: Sync, T: Sync, U: Send>(
    a: &[S],
    b: &[T],
    dst: &mut [U],
    threshold: usize,
    f: impl Fn(&[S], &[T], &mut [U]) + Sync,
) {
    let n = dst.len();
    assert!(a.len() == n && b.len() == n);
    for_parts(dst, part(n, threshold), |start, dst| f(&a[start..start + dst.len()], &b[start..start + dst.len()], dst));
}

/// The same over one slice, changed in place.
pub(crate) fn for_chunks_mut<T: Send>(x: &mut [T], threshold: usize, f: impl Fn(&mut [T]) + Sync) {
    let n = x.len();
    for_parts(x, part(n, threshold), |_, x| f(x));
}

/// A pointer that tasks share; each task writes a part of its own.
#[derive(Clone, Copy)]
pub struct Shared<T>(pub T);
#[allow(unsafe_code)]
// SAFETY: only pointers are wrapped, and whoever dereferences them argues that the places are disjoint.
unsafe impl<T> Send for Shared<T> {}
#[allow(unsafe_code)]
// SAFETY: as above.
unsafe impl<T> Sync for Shared<T> {}

impl<T: Copy> Shared<T> {
    /// The pointer (a method, so that closures capture the wrapper and not its field).
    #[inline(always)]
    pub fn get(&self) -> T {
        self.0
    }
}
