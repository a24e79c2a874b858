//! Numbers for the inside of vectorised loops: elementary functions as branch-free arithmetic with fused multiply-add.

use super::{Number, Scalar};
use crate::kernels::simd::erf::{Erf, Erfc};
use crate::kernels::simd::exp::{Exp, Expm1};
use crate::kernels::simd::hyperbolic::{Cosh, Sinh, Tanh};
use crate::kernels::simd::inverse::{Acos, Acosh, Asin, Asinh, Atan, Atan2, Atanh};
use crate::kernels::simd::log::{Log, Log1p};
use crate::kernels::simd::pow::Pow;
use crate::kernels::simd::trig::{Cos, Sin, Tan};
use crate::kernels::simd::{BinaryFn, UnaryFn};
use num_complex::Complex;
use std::cell::Cell;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A real number, and whether it was computed from an argument outside the range of a branch-free function (sin of 1e300): then it is
/// meaningless, and the computation is to be done again with the plain type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lane<R> {
    x: R,
    outside: bool,
}

/// What a fused loop computes with in place of T.
pub trait LaneOf<T>: Number {
    /// From a number.
    fn of(x: T) -> Self;
    /// The number.
    fn number(self) -> T;
    /// Whether the number is meaningless.
    fn outside(self) -> bool;
}

thread_local! {
    static OUTSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Whether a branch was decided by a meaningless number since this was last asked.
pub(crate) fn branched_outside() -> bool {
    OUTSIDE.replace(false)
}

#[cold]
#[inline(never)]
fn note() {
    OUTSIDE.set(true);
}

macro_rules! plain {
    ($($t:ty)*) => { $(
        impl LaneOf<$t> for $t {
            #[inline(always)]
            fn of(x: $t) -> Self {
                x
            }
            #[inline(always)]
            fn number(self) -> $t {
                self
            }
            #[inline(always)]
            fn outside(self) -> bool {
                false
            }
        }
    )* };
}
plain!(f32 f64 Complex<f32> Complex<f64>);

impl<R: Scalar> Lane<R> {
    #[inline(always)]
    fn with(x: R, outside: bool) -> Self {
        Lane { x, outside }
    }

    /// The number, for a decision: its being meaningless is noted, since the result does not show it.
    #[inline(always)]
    fn decide(self) -> R {
        if self.outside {
            note();
        }
        self.x
    }
}

macro_rules! operator {
    ($($trait:ident $f:ident)*) => { $(
        impl<R: Scalar> $trait for Lane<R> {
            type Output = Self;
            #[inline(always)]
            fn $f(self, y: Self) -> Self {
                Lane::with($trait::$f(self.x, y.x), self.outside | y.outside)
            }
        }
    )* };
}
operator!(Add add Sub sub Mul mul Div div);

impl<R: Scalar> Neg for Lane<R> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Lane::with(-self.x, self.outside)
    }
}

macro_rules! lane {
    ($r:ty) => {
        impl LaneOf<$r> for Lane<$r> {
            #[inline(always)]
            fn of(x: $r) -> Self {
                Lane::with(x, false)
            }
            #[inline(always)]
            fn number(self) -> $r {
                self.x
            }
            #[inline(always)]
            fn outside(self) -> bool {
                self.outside
            }
        }
        impl Number for Lane<$r> {
            #[inline(always)]
            fn constant(x: f64) -> Self {
                Lane::with(x as $r, false)
            }
            lane!(@unary $r: exp Exp, expm1 Expm1, ln Log, log1p Log1p, sin Sin, cos Cos, tan Tan, sinh Sinh, cosh Cosh, tanh Tanh, asin Asin,
                acos Acos, atan Atan, asinh Asinh, acosh Acosh, atanh Atanh, erf Erf, erfc Erfc);
            #[inline(always)]
            fn sqrt(self) -> Self {
                Lane::with(self.x.sqrt(), self.outside)
            }
            #[inline(always)]
            fn cbrt(self) -> Self {
                Lane::with(self.x.cbrt(), self.outside)
            }
            #[inline(always)]
            fn powi(self, n: i32) -> Self {
                // the common ones as multiplications; a call would keep the loop from being vectorised
                let x = self.x;
                let y = match n {
                    0 => 1.0,
                    1 => x,
                    2 => x * x,
                    3 => x * x * x,
                    4 => (x * x) * (x * x),
                    -1 => 1.0 / x,
                    -2 => 1.0 / (x * x),
                    _ => x.powi(n),
                };
                Lane::with(y, self.outside)
            }
            #[inline(always)]
            fn powf(self, p: f64) -> Self {
                self.pow(Self::constant(p))
            }
            #[inline(always)]
            fn pow(self, y: Self) -> Self {
                let outside = <Pow as BinaryFn<$r>>::outside::<true>(self.x, y.x);
                Lane::with(<Pow as BinaryFn<$r>>::eval::<true>(self.x, y.x), self.outside | y.outside | outside)
            }
            #[inline(always)]
            fn arctan2(self, x: Self) -> Self {
                let outside = <Atan2 as BinaryFn<$r>>::outside::<true>(self.x, x.x);
                Lane::with(<Atan2 as BinaryFn<$r>>::eval::<true>(self.x, x.x), self.outside | x.outside | outside)
            }
            #[inline(always)]
            fn absolute(self) -> Self {
                Lane::with(self.x.abs(), self.outside)
            }
            #[inline(always)]
            fn maximum(self, y: Self) -> Self {
                let x = if self.x >= y.x || self.x.is_nan() { self.x } else { y.x };
                Lane::with(x, self.outside | y.outside)
            }
            #[inline(always)]
            fn minimum(self, y: Self) -> Self {
                let x = if self.x <= y.x || self.x.is_nan() { self.x } else { y.x };
                Lane::with(x, self.outside | y.outside)
            }
            #[inline(always)]
            fn recip(self) -> Self {
                Lane::with(1.0 / self.x, self.outside)
            }
            #[inline(always)]
            fn real_part(self) -> f64 {
                self.decide() as f64
            }
            #[inline(always)]
            fn is_zero(self) -> bool {
                self.decide() == 0.0
            }
        }
    };
    (@unary $r:ty: $($f:ident $marker:ident),*) => { $(
        #[inline(always)]
        fn $f(self) -> Self {
            let outside = <$marker as UnaryFn<$r>>::outside::<true>(self.x);
            Lane::with(<$marker as UnaryFn<$r>>::eval::<true>(self.x), self.outside | outside)
        }
    )* };
}
lane!(f32);
lane!(f64);
