//! Output buffers that are written once, and the grain of the parallel loops.

use rayon::prelude::*;
use std::mem::MaybeUninit;

/// Elements in a task. The split depends on sizes alone, so results do not depend on the number of threads.
pub const GRAIN: usize = 1 << 15;

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

/// Calls `f(start, part)` on consecutive parts of `out` of at most [`GRAIN`] elements, in parallel if there are at least two.
#[inline]
pub fn for_chunks<V: Send>(out: &mut [V], f: impl Fn(usize, &mut [V]) + Sync) {
    if out.len() < 2 * GRAIN {
        f(0, out);
    } else {
        out.par_chunks_mut(GRAIN).enumerate().for_each(|(i, part)| f(i * GRAIN, part));
    }
}

/// Runs a block compiled for the widest vector instructions of this machine: `vectorize!([T: Scalar] [T] |x: &'a [T]| -> T { … })`
/// lists the generics, their names, the variables of the scope that the block uses with their types, and what it returns.
///
/// A closure would do, were it always inlined into the function that has the instructions; a large one is not, and then runs without.
macro_rules! vectorize {
    ([$($generics:tt)*] [$($names:tt)*] |$($arg:ident: $t:ty),* $(,)?| -> $r:ty $body:block) => {{
        struct Kernel<'a, $($generics)*> {
            $($arg: $t,)*
            marker: std::marker::PhantomData<&'a ()>,
        }
        impl<'a, $($generics)*> pulp::NullaryFnOnce for Kernel<'a, $($names)*> {
            type Output = $r;
            #[inline(always)]
            fn call(self) -> $r {
                let Kernel { $($arg,)* .. } = self;
                $body
            }
        }
        pulp::Arch::new().dispatch(Kernel::<$($names)*> { $($arg,)* marker: std::marker::PhantomData })
    }};
}
pub(crate) use vectorize;

/// A pointer that tasks share; each task writes a part of its own.
#[derive(Clone, Copy)]
pub struct Shared<T>(pub T);
// SAFETY: only pointers are wrapped, and whoever dereferences them argues that the places are disjoint.
unsafe impl<T> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Shared<T> {}

impl<T: Copy> Shared<T> {
    /// The pointer (a method, so that closures capture the wrapper and not its field).
    #[inline(always)]
    pub fn get(&self) -> T {
        self.0
    }
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
