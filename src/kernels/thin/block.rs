//! Blocks of C in registers: a few rows of A, from wherever their elements are, times a panel of B.

use super::parts;
use crate::kernels::row::{Plain, Row, Width, joined, store_part};
use crate::kernels::simd::{Task, dispatch};
use crate::scalar::{Scalar, ScalarKind};
use std::marker::PhantomData;

/// Where the rows of a panel of B begin.
#[derive(Clone, Copy)]
pub enum Steps<'a> {
    Every(usize),
    Table(&'a [usize]),
}

/// Rows of A times a panel of B.
pub struct Strip<'a, T> {
    pub a: *const T,
    pub rows_a: &'a [usize],
    pub sum_a: &'a [usize],
    pub b: *const T,
    pub sum_b: Steps<'a>,
    pub c: *mut T,
    pub rows_c: &'a [usize],
    /// Of C; those of a buffer that is added to fill the panel.
    pub columns: usize,
    pub conj: (bool, bool),
    pub add: bool,
}

impl<T: Scalar> Strip<'_, T> {
    /// # Safety
    /// The places exist; the rows of the panel have `width` real numbers each.
    pub unsafe fn run(&self, width: usize) {
        // SAFETY: T is the type that `KIND` says, and the width one of its widths.
        unsafe {
            // `if const` leaves out what the other types have; a `match` would have the compiler make all of it for each
            if const { matches!(T::KIND, ScalarKind::F64) } {
                match width {
                    4 => self.with_width::<f64, 4>(),
                    8 => self.with_width::<f64, 8>(),
                    _ => self.with_width::<f64, 12>(),
                }
            } else if const { matches!(T::KIND, ScalarKind::F32) } {
                match width {
                    4 => self.with_width::<f32, 4>(),
                    8 => self.with_width::<f32, 8>(),
                    _ => self.with_width::<f32, 16>(),
                }
            } else if const { matches!(T::KIND, ScalarKind::C64) } {
                if width == 4 { self.with_width::<f64, 4>() } else { self.with_width::<f64, 8>() }
            } else if width == 8 {
                self.with_width::<f32, 8>()
            } else {
                self.with_width::<f32, 16>()
            }
        }
    }

    /// # Safety
    /// R is T's real type, besides.
    unsafe fn with_width<R: Width<W>, const W: usize>(&self) {
        struct Blocks<'a, T, R, const W: usize>(&'a Strip<'a, T>, PhantomData<R>);
        impl<T: Scalar, R: Width<W>, const W: usize> Task for Blocks<'_, T, R, W> {
            type Output = ();
            #[inline(always)]
            fn run<const FMA: bool>(self) {
                // SAFETY: the contract of `with_width`, which alone makes this task.
                unsafe { if FMA { by_steps::<T, R, R::Wide, W>(self.0) } else { by_steps::<T, R, Plain<R, W, false>, W>(self.0) } }
            }
        }
        dispatch(Blocks::<T, R, W>(self, PhantomData));
    }
}

/// Vectors of so many numbers.
const fn vectors<R>(width: usize) -> usize {
    width * size_of::<R>() / 32
}

#[inline(always)]
unsafe fn by_steps<T: Scalar, R: Width<W>, V: Row<R, W>, const W: usize>(s: &Strip<T>) {
    // SAFETY: the caller's contract.
    unsafe {
        match s.sum_b {
            Steps::Every(_) => blocks::<T, R, V, W>(s, |l| l * W),
            Steps::Table(table) => blocks::<T, R, V, W>(s, |l| *table.get_unchecked(l) * parts::<T>()),
        }
    }
}

/// All rows, as many at a time as have their sums in registers and enough of them to hide the time an addition takes, or as evenly as few go.
#[inline(always)]
unsafe fn blocks<T: Scalar, R: Width<W>, V: Row<R, W>, const W: usize>(s: &Strip<T>, step: impl Fn(usize) -> usize + Copy) {
    let (mut i, m) = (0, s.rows_a.len());
    // SAFETY: the caller's contract.
    unsafe {
        while i < m {
            let left = m - i;
            i += if left == 1 {
                block::<T, R, V, 1, W>(s, i, step)
            } else if const { T::IS_COMPLEX } || left == 2 {
                block::<T, R, V, 2, W>(s, i, step)
            } else if const { vectors::<R>(W) == 3 } {
                block::<T, R, V, 3, W>(s, i, step)
            } else if const { vectors::<R>(W) <= 1 } && left >= 6 {
                block::<T, R, V, 6, W>(s, i, step)
            } else if matches!(left, 3 | 5 | 6 | 9) {
                block::<T, R, V, 3, W>(s, i, step)
            } else {
                block::<T, R, V, 4, W>(s, i, step)
            };
        }
    }
}

/// ROWS rows of C from row i, W real numbers wide. For complex numbers the real and the imaginary parts of A multiply the parts of B in
/// sums of their own, joined at the end.
#[inline(always)]
unsafe fn block<T: Scalar, R: Width<W>, V: Row<R, W>, const ROWS: usize, const W: usize>(
    s: &Strip<T>,
    i: usize,
    step: impl Fn(usize) -> usize,
) -> usize {
    // a conj(b) = conj(conj(a) b)
    let (conj_a, conj_c) = (T::IS_COMPLEX && s.conj.0 != s.conj.1, T::IS_COMPLEX && s.conj.1);
    // SAFETY: rows i .. i + ROWS of A and C exist, and all terms of the sum, by the caller's contract.
    unsafe {
        let (mut by_re, mut by_im) = ([V::zero(); ROWS], [V::zero(); ROWS]);
        let mut a = [s.a; ROWS];
        for r in 0..ROWS {
            a[r] = s.a.add(*s.rows_a.get_unchecked(i + r));
        }
        let panel = s.b.cast::<R>();
        for (l, &at) in s.sum_a.iter().enumerate() {
            let b = V::load(panel.add(step(l)));
            for r in 0..ROWS {
                let a = a[r].add(at).cast::<R>();
                by_re[r] = by_re[r].madd(*a, b);
                if T::IS_COMPLEX {
                    by_im[r] = by_im[r].madd(*a.add(1), b);
                }
            }
        }
        for r in 0..ROWS {
            let row = if T::IS_COMPLEX { joined(by_re[r], by_im[r], conj_a, conj_c) } else { by_re[r] };
            let c = s.c.add(*s.rows_c.get_unchecked(i + r)).cast::<R>();
            if s.add {
                row.add(V::load(c)).store(c);
            } else if s.columns * parts::<T>() == W {
                row.store(c);
            } else {
                store_part(row, c, s.columns * parts::<T>());
            }
        }
    }
    ROWS
}
