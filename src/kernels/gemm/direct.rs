//! Register blocks of C straight from A and B: no packing of A, so it wins where A or B is small.

use super::Product;
use crate::kernels::row::{Plain, Row, Width, joined, store_part};
use crate::kernels::simd::{Task, dispatch};
use crate::scalar::{Scalar, ScalarKind};
use std::marker::PhantomData;
use std::mem::MaybeUninit;

/// The longest sum (k) that [`direct`] takes.
pub const DEPTH: usize = 256;

/// C ← α A B (+ C) for k up to [`DEPTH`].
///
/// # Safety
/// As [`super::product`].
pub(super) unsafe fn direct<T: Scalar>(p: Product<T>) {
    debug_assert!(p.k <= DEPTH);
    // SAFETY: T is the type that `KIND` says.
    unsafe {
        // `if const` leaves out what the other types have; a `match` would have the compiler make all of it for each
        let narrow = p.n <= 4;
        if const { matches!(T::KIND, ScalarKind::F32) } {
            if narrow { with_width::<T, f32, 4>(p) } else { with_width::<T, f32, 16>(p) }
        } else if const { matches!(T::KIND, ScalarKind::F64) } {
            // 3² columns, as bonds of dimension 3 make them, in one pass over A
            if narrow {
                with_width::<T, f64, 4>(p)
            } else if (9..=12).contains(&p.n) {
                with_width::<T, f64, 12>(p)
            } else {
                with_width::<T, f64, 8>(p)
            }
        } else if const { matches!(T::KIND, ScalarKind::C32) } {
            if narrow { with_width::<T, f32, 8>(p) } else { with_width::<T, f32, 16>(p) }
        } else if narrow {
            with_width::<T, f64, 4>(p)
        } else {
            with_width::<T, f64, 8>(p)
        }
    }
}

/// # Safety
/// R is T's real type, besides what [`super::product`] asks.
unsafe fn with_width<T: Scalar, R: Width<W>, const W: usize>(p: Product<T>) {
    struct Panels<T, R, const W: usize>(Product<T>, PhantomData<R>);
    impl<T: Scalar, R: Width<W>, const W: usize> Task for Panels<T, R, W> {
        type Output = ();
        #[inline(always)]
        fn run<const FMA: bool>(self) {
            // SAFETY: the contract of `with_width`, which alone makes this task.
            unsafe { if FMA { panels::<T, R, R::Wide, W>(self.0) } else { panels::<T, R, Plain<R, W, false>, W>(self.0) } }
        }
    }
    dispatch(Panels::<T, R, W>(p, PhantomData));
}

/// Blocks of columns of B and C, W real numbers wide: as many of them together as the room for B has, so that short sums write the rows of C
/// from end to end.
#[inline(always)]
unsafe fn panels<T: Scalar, R: Width<W>, V: Row<R, W>, const W: usize>(p: Product<T>) {
    let parts = if T::IS_COMPLEX { 2 } else { 1 };
    let width = W / parts;
    let mut packed = [const { MaybeUninit::<[R; W]>::uninit() }; DEPTH];
    let together = width * (DEPTH / p.k.max(1));
    for first in (0..p.n).step_by(together) {
        let last = p.n.min(first + together);
        let in_place = |j: usize| p.b.cs == 1 && last - j >= width;
        for (block, j) in (first..last).step_by(width).enumerate().filter(|(_, j)| !in_place(*j)) {
            let columns = width.min(last - j);
            for (l, row) in packed[block * p.k..][..p.k].iter_mut().enumerate() {
                let row = row.write([R::zero(); W]);
                for c in 0..columns {
                    // SAFETY: row l and column j + c of B exist.
                    let from = unsafe { p.b.at.add(l * p.b.rs + (j + c) * p.b.cs).cast::<R>() };
                    for part in 0..parts {
                        // SAFETY: a number of T is `parts` numbers of R.
                        row[c * parts + part] = unsafe { *from.add(part) };
                    }
                }
            }
        }
        // SAFETY: `j` is a column of B, and its block of columns was packed unless B has all of it in rows.
        let panel = |j: usize| unsafe {
            if in_place(j) {
                (p.b.at.add(j).cast::<R>(), p.b.rs * parts)
            } else {
                (packed.as_ptr().add((j - first) / width * p.k).cast::<R>(), W)
            }
        };
        // SAFETY: the rows of the panel are read where B has them, or copied with zeros beyond its edge; the blocks cover C.
        unsafe {
            let mut i = 0;
            if T::IS_COMPLEX {
                while i + 2 <= p.m {
                    for j in (first..last).step_by(width) {
                        block::<T, R, V, 2, W>(&p, panel(j), i, j, width.min(last - j));
                    }
                    i += 2;
                }
            } else {
                while i + 4 <= p.m {
                    for j in (first..last).step_by(width) {
                        block::<T, R, V, 4, W>(&p, panel(j), i, j, width.min(last - j));
                    }
                    i += 4;
                }
            }
            while i < p.m {
                for j in (first..last).step_by(width) {
                    block::<T, R, V, 1, W>(&p, panel(j), i, j, width.min(last - j));
                }
                i += 1;
            }
        }
    }
}

/// ROWS rows of C from row `i`, over `columns` columns from `j`. For complex numbers the real and the imaginary parts of A multiply
/// the parts of B in sums of their own, joined at the end.
#[inline(always)]
unsafe fn block<T: Scalar, R: Width<W>, V: Row<R, W>, const ROWS: usize, const W: usize>(
    p: &Product<T>,
    (panel, stride): (*const R, usize),
    i: usize,
    j: usize,
    columns: usize,
) {
    let parts = if T::IS_COMPLEX { 2 } else { 1 };
    // a conj(b) = conj(conj(a) b)
    let (conj_a, conj_c) = (T::IS_COMPLEX && p.a.conj != p.b.conj, T::IS_COMPLEX && p.b.conj);
    // SAFETY: all rows of the panel have W numbers; rows i .. i + ROWS and all columns of A exist; the block lies in C, and a number of
    // type T is `parts` of R.
    unsafe {
        let (mut by_re, mut by_im) = ([V::zero(); ROWS], [V::zero(); ROWS]);
        for l in 0..p.k {
            let b = V::load(panel.add(l * stride));
            for r in 0..ROWS {
                let a = p.a.at.add((i + r) * p.a.rs + l * p.a.cs).cast::<R>();
                by_re[r] = by_re[r].madd(*a, b);
                if T::IS_COMPLEX {
                    by_im[r] = by_im[r].madd(*a.add(1), b);
                }
            }
        }
        for r in 0..ROWS {
            let row = if T::IS_COMPLEX { joined(by_re[r], by_im[r], conj_a, conj_c) } else { by_re[r] };
            let c = p.c.add((i + r) * p.c_stride + j);
            let unscaled = p.alpha == T::one();
            if unscaled && columns * parts == W {
                let row = if p.add { row.add(V::load(c.cast())) } else { row };
                row.store(c.cast());
            } else if unscaled && !p.add {
                store_part(row, c.cast(), columns * parts);
            } else {
                let mut numbers = [T::zero(); W];
                row.store(numbers.as_mut_ptr().cast::<R>());
                for w in 0..columns {
                    let x = if unscaled { numbers[w] } else { p.alpha * numbers[w] };
                    *c.add(w) = if p.add { *c.add(w) + x } else { x };
                }
            }
        }
    }
}
