//! Register blocks of C straight from A and B: no packing of A, so it wins where A or B is small.

use super::Product;
use crate::kernels::simd::{Task, dispatch};
use crate::scalar::{Real, Scalar, ScalarKind};
use std::marker::PhantomData;
use std::mem::MaybeUninit;

/// The longest sum (k) that [`direct`] takes.
pub const DEPTH: usize = 256;

/// `f32` or `f64`, with a fused multiply-add where the machine has one.
pub(in crate::kernels) trait Native: Real {
    fn madd<const FMA: bool>(self, a: Self, b: Self) -> Self;
}
macro_rules! native {
    ($($t:ty)*) => { $(
        impl Native for $t {
            #[inline(always)]
            fn madd<const FMA: bool>(self, a: Self, b: Self) -> Self {
                if FMA { a.mul_add(b, self) } else { self + a * b }
            }
        }
    )* };
}
native!(f32 f64);

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
unsafe fn with_width<T: Scalar, R: Native, const W: usize>(p: Product<T>) {
    struct Panels<T, R, const W: usize>(Product<T>, PhantomData<R>);
    impl<T: Scalar, R: Native, const W: usize> Task for Panels<T, R, W> {
        type Output = ();
        #[inline(always)]
        fn run<const FMA: bool>(self) {
            // SAFETY: the contract of `with_width`, which alone makes this task.
            unsafe { panels::<T, R, W, FMA>(self.0) }
        }
    }
    dispatch(Panels::<T, R, W>(p, PhantomData));
}

/// Blocks of columns of B and C, W real numbers wide: as many of them together as the room for B has, so that short sums write the rows of C
/// from end to end.
#[inline(always)]
unsafe fn panels<T: Scalar, R: Native, const W: usize, const FMA: bool>(p: Product<T>) {
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
                        block::<T, R, 2, W, FMA>(&p, panel(j), i, j, width.min(last - j));
                    }
                    i += 2;
                }
            } else {
                while i + 4 <= p.m {
                    for j in (first..last).step_by(width) {
                        block::<T, R, 4, W, FMA>(&p, panel(j), i, j, width.min(last - j));
                    }
                    i += 4;
                }
            }
            while i < p.m {
                for j in (first..last).step_by(width) {
                    block::<T, R, 1, W, FMA>(&p, panel(j), i, j, width.min(last - j));
                }
                i += 1;
            }
        }
    }
}

/// ROWS rows of C from row `i`, over `columns` columns from `j`. For complex numbers the real and the imaginary parts of A multiply
/// the parts of B in sums of their own, joined at the end.
#[inline(always)]
unsafe fn block<T: Scalar, R: Native, const ROWS: usize, const W: usize, const FMA: bool>(
    p: &Product<T>,
    (panel, stride): (*const R, usize),
    i: usize,
    j: usize,
    columns: usize,
) {
    let (mut by_re, mut by_im) = ([[R::zero(); W]; ROWS], [[R::zero(); W]; ROWS]);
    // a conj(b) = conj(conj(a) b)
    let (conj_a, conj_c) = (T::IS_COMPLEX && p.a.conj != p.b.conj, T::IS_COMPLEX && p.b.conj);
    for l in 0..p.k {
        // SAFETY: row l of the panel has W numbers; rows i .. i + ROWS and column l of A exist.
        unsafe {
            let b = *panel.add(l * stride).cast::<[R; W]>();
            for r in 0..ROWS {
                let a = p.a.at.add((i + r) * p.a.rs + l * p.a.cs).cast::<R>();
                let re = *a;
                for w in 0..W {
                    by_re[r][w] = by_re[r][w].madd::<FMA>(re, b[w]);
                }
                if T::IS_COMPLEX {
                    let im = *a.add(1);
                    for w in 0..W {
                        by_im[r][w] = by_im[r][w].madd::<FMA>(im, b[w]);
                    }
                }
            }
        }
    }
    for r in 0..ROWS {
        let mut row = by_re[r];
        if T::IS_COMPLEX {
            let sign = if conj_a { -R::one() } else { R::one() };
            let sign_c = if conj_c { -R::one() } else { R::one() };
            for w in (0..W).step_by(2) {
                row[w] = by_re[r][w] - sign * by_im[r][w + 1];
                row[w + 1] = sign_c * (by_re[r][w + 1] + sign * by_im[r][w]);
            }
        }
        // SAFETY: the block lies in C; `row` holds as many numbers of type T, whose alignment is R's.
        unsafe {
            let c = p.c.add((i + r) * p.c_stride + j);
            let parts = if T::IS_COMPLEX { 2 } else { 1 };
            if p.alpha == T::one() && !p.add {
                if columns * parts == W { *c.cast::<[R; W]>() = row } else { store_part(&row, c.cast::<R>(), columns * parts) }
            } else {
                let row = row.as_ptr().cast::<T>();
                for w in 0..columns {
                    let x = if p.alpha == T::one() { *row.add(w) } else { p.alpha * *row.add(w) };
                    *c.add(w) = if p.add { *c.add(w) + x } else { x };
                }
            }
        }
    }
}

/// The first `n` numbers of a row, by vectors: a loop over them would become a call to copy memory.
///
/// # Safety
/// `n` is at most W, and there are `n` numbers at `c`.
#[inline(always)]
pub(in crate::kernels) unsafe fn store_part<R: Copy, const W: usize>(row: &[R; W], c: *mut R, n: usize) {
    let (mut from, mut c) = (row.as_ptr(), c);
    // SAFETY: `n` is at most W, and the caller vouches for `n` numbers at `c`.
    unsafe {
        for i in 0..W / 4 {
            if 4 * i + 4 <= n {
                *c.add(4 * i).cast::<[R; 4]>() = *from.add(4 * i).cast::<[R; 4]>();
            }
        }
        (from, c) = (from.add(n & !3), c.add(n & !3));
        if n & 2 != 0 {
            *c.cast::<[R; 2]>() = *from.cast::<[R; 2]>();
            (from, c) = (from.add(2), c.add(2));
        }
        if n & 1 != 0 {
            *c = *from;
        }
    }
}
