//! Rows of a block of a product: W real numbers in registers.
//!
//! Registers are named here, since a compiler that is to find them in loops over arrays does so in one surrounding and not in another.

use crate::scalar::Real;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

/// `f32` or `f64`, with a fused multiply-add where the machine has one.
pub(super) trait Native: Real {
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

/// W numbers of type R.
///
/// # Safety
/// The methods of the AVX2 rows run on machines that have AVX2 and FMA; `load` and `store` touch W numbers.
pub(super) unsafe trait Row<R, const W: usize>: Copy {
    unsafe fn zero() -> Self;
    unsafe fn load(from: *const R) -> Self;
    unsafe fn store(self, to: *mut R);
    unsafe fn add(self, x: Self) -> Self;
    /// self + a x
    unsafe fn madd(self, a: R, x: Self) -> Self;
}

/// A real type that has rows of W.
pub(super) trait Width<const W: usize>: Native {
    /// On a machine with fused multiply-adds, on x86 with AVX2.
    type Wide: Row<Self, W>;
}

/// A row in plain code.
#[derive(Clone, Copy)]
pub(super) struct Plain<R, const W: usize, const FMA: bool>([R; W]);

// SAFETY: plain code; `load` and `store` touch W numbers.
unsafe impl<R: Native, const W: usize, const FMA: bool> Row<R, W> for Plain<R, W, FMA> {
    #[inline(always)]
    unsafe fn zero() -> Self {
        Plain([R::zero(); W])
    }
    #[inline(always)]
    unsafe fn load(from: *const R) -> Self {
        // SAFETY: by the contract of `load`.
        Plain(unsafe { *from.cast::<[R; W]>() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut R) {
        // SAFETY: by the contract of `store`.
        unsafe { *to.cast::<[R; W]>() = self.0 }
    }
    #[inline(always)]
    unsafe fn add(mut self, x: Self) -> Self {
        for w in 0..W {
            self.0[w] += x.0[w];
        }
        self
    }
    #[inline(always)]
    unsafe fn madd(mut self, a: R, x: Self) -> Self {
        for w in 0..W {
            self.0[w] = self.0[w].madd::<FMA>(a, x.0[w]);
        }
        self
    }
}

#[cfg(target_arch = "x86_64")]
macro_rules! wide {
    ($r:ty, $register:ty, $lanes:literal: $($w:literal)*; $zero:ident $splat:ident $load:ident $store:ident $add:ident $fmadd:ident) => { $(
        impl Width<$w> for $r {
            type Wide = [$register; $w / $lanes];
        }
        // SAFETY: `load` and `store` touch W numbers, and all methods ask for the instructions.
        unsafe impl Row<$r, $w> for [$register; $w / $lanes] {
            #[inline(always)]
            unsafe fn zero() -> Self {
                // SAFETY: the machine has the instructions, here and below.
                unsafe { [$zero(); $w / $lanes] }
            }
            #[inline(always)]
            unsafe fn load(from: *const $r) -> Self {
                // SAFETY: by the contract of `load`.
                unsafe {
                    let mut row = [$zero(); $w / $lanes];
                    for i in 0..$w / $lanes {
                        row[i] = $load(from.add($lanes * i));
                    }
                    row
                }
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $r) {
                for i in 0..$w / $lanes {
                    // SAFETY: by the contract of `store`.
                    unsafe { $store(to.add($lanes * i), self[i]) }
                }
            }
            #[inline(always)]
            unsafe fn add(mut self, x: Self) -> Self {
                for i in 0..$w / $lanes {
                    // SAFETY: as above.
                    self[i] = unsafe { $add(self[i], x[i]) };
                }
                self
            }
            #[inline(always)]
            unsafe fn madd(mut self, a: $r, x: Self) -> Self {
                for i in 0..$w / $lanes {
                    // SAFETY: as above.
                    self[i] = unsafe { $fmadd($splat(a), x[i], self[i]) };
                }
                self
            }
        }
    )* };
}
#[cfg(target_arch = "x86_64")]
wide!(f64, __m256d, 4: 4 8 12; _mm256_setzero_pd _mm256_set1_pd _mm256_loadu_pd _mm256_storeu_pd _mm256_add_pd _mm256_fmadd_pd);
#[cfg(target_arch = "x86_64")]
wide!(f32, __m256, 8: 8 16; _mm256_setzero_ps _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_add_ps _mm256_fmadd_ps);
#[cfg(target_arch = "x86_64")]
wide!(f32, __m128, 4: 4; _mm_setzero_ps _mm_set1_ps _mm_loadu_ps _mm_storeu_ps _mm_add_ps _mm_fmadd_ps);

#[cfg(not(target_arch = "x86_64"))]
macro_rules! width {
    ($($r:ty: $($w:literal)*;)*) => { $( $( impl Width<$w> for $r { type Wide = Plain<$r, $w, true>; } )* )* };
}
#[cfg(not(target_arch = "x86_64"))]
width! {
    f64: 4 8 12;
    f32: 4 8 16;
}

/// The numbers of a complex row from Σ re(a) b and Σ im(a) b, where a and the result may be conjugates.
#[inline(always)]
pub(super) unsafe fn joined<R: Native, V: Row<R, W>, const W: usize>(by_re: V, by_im: V, conj_a: bool, conj_c: bool) -> V {
    let (mut re, mut im) = ([R::zero(); W], [R::zero(); W]);
    // SAFETY: arrays of W numbers; the rest is passed on.
    unsafe {
        by_re.store(re.as_mut_ptr());
        by_im.store(im.as_mut_ptr());
        let sign = if conj_a { -R::one() } else { R::one() };
        let sign_c = if conj_c { -R::one() } else { R::one() };
        for w in (0..W).step_by(2) {
            let (x, y) = (re[w] - sign * im[w + 1], sign_c * (re[w + 1] + sign * im[w]));
            (re[w], re[w + 1]) = (x, y);
        }
        V::load(re.as_ptr())
    }
}

/// The first `n` numbers of a row, by vectors: a loop over them would become a call to copy memory.
///
/// # Safety
/// `n` is at most W, and there are `n` numbers at `to`.
#[inline(always)]
pub(super) unsafe fn store_part<R: Native, V: Row<R, W>, const W: usize>(row: V, to: *mut R, n: usize) {
    let mut numbers = [R::zero(); W];
    let (mut from, mut to) = (numbers.as_ptr(), to);
    // SAFETY: `n` is at most W, and the caller vouches for `n` numbers at `to`.
    unsafe {
        row.store(numbers.as_mut_ptr());
        for i in 0..W / 4 {
            if 4 * i + 4 <= n {
                *to.add(4 * i).cast::<[R; 4]>() = *from.add(4 * i).cast::<[R; 4]>();
            }
        }
        (from, to) = (from.add(n & !3), to.add(n & !3));
        if n & 2 != 0 {
            *to.cast::<[R; 2]>() = *from.cast::<[R; 2]>();
            (from, to) = (from.add(2), to.add(2));
        }
        if n & 1 != 0 {
            *to = *from;
        }
    }
}
