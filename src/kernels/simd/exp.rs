//! eˣ, 2ˣ, eˣ − 1, and the logistic function 1/(1 + e⁻ˣ), in `f32` and `f64`.
//!
//! x = n ln 2 + r with |r| ≤ ½ ln 2, eʳ = 1 + r + r² Q(r) with a minimax polynomial Q, and 2ⁿ put in the exponent by two factors, so that
//! subnormal results are rounded once. All over the whole range, with the special values of std.

use super::UnaryFn;
use super::lane::{Lane, horner};

/// The factors 2^⌊n/2⌉ and 2^(n − ⌊n/2⌉) of 2ⁿ: neither overflows where the product with a number near one does not.
#[inline(always)]
fn two_factors<T: Lane, const FMA: bool>(n: T) -> (T, T) {
    let half = n.madd::<FMA>(T::HALF, T::ROUND) - T::ROUND;
    (T::pow2(half), T::pow2(n - half))
}

/// (n, r) with x = n ln 2 + r.
#[inline(always)]
pub(super) fn reduce<T: Lane, const FMA: bool>(x: T) -> (T, T) {
    let n = x.madd::<FMA>(T::LOG2_E, T::ROUND) - T::ROUND;
    (n, (-n).madd::<FMA>(T::LN2_LO, (-n).madd::<FMA>(T::LN2_HI, x)))
}

/// x held between two bounds; NaN stays NaN.
#[inline(always)]
pub(super) fn clamp<T: Lane>(x: T, low: T, high: T) -> T {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

/// eʳ − 1 for |r| ≤ ½ ln 2.
#[inline(always)]
pub(super) fn expm1_reduced<T: Lane, const FMA: bool>(r: T) -> T {
    (r * r).madd::<FMA>(T::exp_q::<FMA>(r), r)
}

/// (eʳ, 2^a, 2^b) with eˣ their product.
#[inline(always)]
pub(super) fn exp_parts<T: Lane, const FMA: bool>(x: T) -> (T, T, T) {
    let (n, r) = reduce::<T, FMA>(clamp(x, T::EXP_MIN, T::EXP_MAX));
    let (a, b) = two_factors::<T, FMA>(n);
    (T::ONE + expm1_reduced::<T, FMA>(r), a, b)
}

#[inline(always)]
pub(super) fn exp<T: Lane, const FMA: bool>(x: T) -> T {
    let (e, a, b) = exp_parts::<T, FMA>(x);
    e * a * b
}

/// e^(x + tail) for a tail below an ulp of x.
#[inline(always)]
pub(super) fn exp_with_tail<const FMA: bool>(x: f64, tail: f64) -> f64 {
    let (n, r) = reduce::<f64, FMA>(clamp(x, f64::EXP_MIN, f64::EXP_MAX));
    let (a, b) = two_factors::<f64, FMA>(n);
    let m = expm1_reduced::<f64, FMA>(r);
    (1.0 + (m + (m * tail + tail))) * a * b
}

/// eˣ to a relative 2⁻³², for −700 ≤ x ≤ 700: `f64` arithmetic whose result is rounded to `f32`.
#[inline(always)]
pub(super) fn exp_short<const FMA: bool>(x: f64) -> f64 {
    let (n, r) = reduce::<f64, FMA>(x);
    let q = horner!(
        FMA,
        r,
        [0.5000000013507032, 0.16666666756670548, 0.04166646454364011, 0.008333285931642918, 0.0013933690674122897, 0.0001990763786233273,]
    );
    (1.0 + (r * r).madd::<FMA>(q, r)) * f64::pow2(n)
}

#[inline(always)]
fn exp2<T: Lane, const FMA: bool>(x: T) -> T {
    let x = clamp(x, T::EXP2_MIN, T::EXP2_MAX);
    let n = (x + T::ROUND) - T::ROUND;
    let f = x - n;
    let r = f.madd::<FMA>(T::LN2_HI, f * T::LN2_LO);
    let (a, b) = two_factors::<T, FMA>(n);
    (T::ONE + expm1_reduced::<T, FMA>(r)) * a * b
}

/// eˣ − 1 = 2ⁿ(eʳ − 1) + (2ⁿ − 1) for x up to the overflow.
#[inline(always)]
pub(super) fn expm1<T: Lane, const FMA: bool>(x: T) -> T {
    let (n, r) = reduce::<T, FMA>(clamp(x, T::EXPM1_MIN, T::EXP_MAX));
    let last = n > T::MAX_EXPONENT;
    let scale = T::pow2(if last { T::MAX_EXPONENT } else { n });
    let y = expm1_reduced::<T, FMA>(r).madd::<FMA>(scale, scale - T::ONE);
    (y * if last { T::TWO } else { T::ONE }).copysign(x)
}

/// 1/(1 + e⁻ˣ), through e^−|x| so that nothing overflows and the left tail keeps its digits.
#[inline(always)]
pub(super) fn sigmoid<T: Lane, const FMA: bool>(x: T) -> T {
    let e = exp::<T, FMA>(-x.abs());
    let numerator = if x < T::ZERO { e } else { T::ONE };
    numerator / (T::ONE + e)
}

/// Implements [`UnaryFn`] for a marker type in both precisions by a generic function.
macro_rules! real_function {
    ($($(#[$doc:meta])* $name:ident = $f:ident;)*) => { $(
        $(#[$doc])*
        pub(crate) struct $name;
        impl UnaryFn<f64> for $name {
            #[inline(always)]
            fn eval<const FMA: bool>(x: f64) -> f64 {
                $f::<f64, FMA>(x)
            }
        }
        impl UnaryFn<f32> for $name {
            #[inline(always)]
            fn eval<const FMA: bool>(x: f32) -> f32 {
                $f::<f32, FMA>(x)
            }
        }
    )* };
}
pub(super) use real_function;

real_function! {
    /// eˣ
    Exp = exp;
    /// 2ˣ
    Exp2 = exp2;
    /// eˣ − 1
    Expm1 = expm1;
    /// 1/(1 + e⁻ˣ)
    Sigmoid = sigmoid;
}
