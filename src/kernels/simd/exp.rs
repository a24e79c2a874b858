//! eˣ, 2ˣ, eˣ − 1, and the logistic function 1/(1 + e⁻ˣ), in `f32` and `f64`.
//!
//! x = n ln 2 + r with |r| ≤ ½ ln 2, eʳ = 1 + r + r² Q(r) with a minimax polynomial Q, and 2ⁿ put in the exponent by two factors, so that
//! subnormal results are rounded once. All over the whole range, with the special values of std.

use super::lane::{Lane, fast_two_sum, horner};
use super::{Guarded, UnaryFn};

/// The factors 2^⌊n/2⌉ and 2^(n − ⌊n/2⌉) of 2ⁿ: neither overflows where the product with a number near one does not.
#[inline(always)]
fn two_factors<T: Lane, const FMA: bool>(n: T) -> (T, T) {
    let half = n.madd::<FMA>(T::HALF, T::ROUND) - T::ROUND;
    (T::pow2(half), T::pow2(n - half))
}

/// (n, r) with x = n ln 2 + r.
#[inline(always)]
pub fn reduce<T: Lane, const FMA: bool>(x: T) -> (T, T) {
    let n = x.madd::<FMA>(T::LOG2_E, T::ROUND) - T::ROUND;
    (n, (-n).madd::<FMA>(T::LN2_LO, (-n).madd::<FMA>(T::LN2_HI, x)))
}

/// x held between two bounds; NaN stays NaN.
#[inline(always)]
pub fn clamp<T: Lane>(x: T, low: T, high: T) -> T {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

/// (n, r, r_low) with x = n ln 2 + r + r_low, for those whose result is smaller than eˣ.
#[inline(always)]
pub fn reduce_two_parts<T: Lane, const FMA: bool>(x: T) -> (T, T, T) {
    let n = x.madd::<FMA>(T::LOG2_E, T::ROUND) - T::ROUND;
    let r0 = (-n).madd::<FMA>(T::LN2_HI, x);
    let r = (-n).madd::<FMA>(T::LN2_LO, r0);
    (n, r, (-n).madd::<FMA>(T::LN2_LO, r0 - r))
}

/// eʳ − 1 for |r| ≤ ½ ln 2.
#[inline(always)]
fn expm1_reduced<T: Lane, const FMA: bool>(r: T) -> T {
    (r * r).madd::<FMA>(T::exp_q::<FMA>(r), r)
}

/// 2ⁿ e^(r + r_low) − 1 = (2ⁿ − 1) + 2ⁿ r + 2ⁿ(r² Q(r) + r_low), large terms first, for 2ⁿ finite.
#[inline(always)]
pub fn expm1_assemble<T: Lane, const FMA: bool>(n: T, r: T, r_low: T) -> T {
    let scale = T::pow2(n);
    let c = (r * r).madd::<FMA>(T::exp_q::<FMA>(r), r_low);
    c.madd::<FMA>(scale, r.madd::<FMA>(scale, scale - T::ONE))
}

/// a/(b + b_low) with the rounding errors of the quotient and of b put back, where FMA makes that cheap.
#[inline(always)]
pub fn quotient<T: Lane, const FMA: bool>(a: T, b: T, b_low: T) -> T {
    if FMA {
        let inverse = T::ONE / b;
        let q = a * inverse;
        let residual = (-q).madd::<FMA>(b_low, (-q).madd::<FMA>(b, a));
        residual.madd::<FMA>(inverse, q)
    } else {
        a / b
    }
}

/// (eʳ, 2^a, 2^b) with eˣ their product.
#[inline(always)]
pub fn exp_parts<T: Lane, const FMA: bool>(x: T) -> (T, T, T) {
    let (n, r) = reduce::<T, FMA>(clamp(x, T::EXP_MIN, T::EXP_MAX));
    let (a, b) = two_factors::<T, FMA>(n);
    (T::ONE + expm1_reduced::<T, FMA>(r), a, b)
}

#[inline(always)]
pub fn exp<T: Lane, const FMA: bool>(x: T) -> T {
    let (e, a, b) = exp_parts::<T, FMA>(x);
    e * a * b
}

/// (s, s_low, 2^a, 2^b) with e^(x + tail) = (s + s_low) 2^a 2^b, for a tail below an ulp of x.
#[inline(always)]
pub fn exp_with_tail_parts<const FMA: bool>(x: f64, tail: f64) -> (f64, f64, f64, f64) {
    let (n, r) = reduce::<f64, FMA>(clamp(x, f64::EXP_MIN, f64::EXP_MAX));
    let (a, b) = two_factors::<f64, FMA>(n);
    let m = expm1_reduced::<f64, FMA>(r);
    let (s, s_low) = fast_two_sum(1.0, m);
    (s, s.madd::<FMA>(tail, s_low), a, b)
}

/// e^(x + tail) for a tail below an ulp of x.
#[inline(always)]
pub fn exp_with_tail<const FMA: bool>(x: f64, tail: f64) -> f64 {
    let (s, s_low, a, b) = exp_with_tail_parts::<FMA>(x, tail);
    (s + s_low) * a * b
}

#[inline(always)]
pub fn exp_short<const FMA: bool>(x: f64) -> f64 {
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
pub fn expm1<T: Lane, const FMA: bool>(x: T) -> T {
    let (n, r, r_low) = reduce_two_parts::<T, FMA>(clamp(x, T::EXPM1_MIN, T::EXP_MAX));
    let last = n > T::MAX_EXPONENT;
    let y = expm1_assemble::<T, FMA>(if last { T::MAX_EXPONENT } else { n }, r, r_low);
    (y * if last { T::TWO } else { T::ONE }).copysign(x)
}

/// eˣ where that is a normal number
#[inline(always)]
pub fn exp_normal<T: Lane, const FMA: bool>(x: T) -> T {
    let (n, r) = reduce::<T, FMA>(x);
    (T::ONE + expm1_reduced::<T, FMA>(r)) * T::pow2(n)
}

#[inline(always)]
pub fn exp_guard<T: Lane>(x: T) -> T::Word {
    T::sign_word(T::EXP_NORMAL - x.abs())
}

/// e/(1 + e) for x < 0, 1/(1 + e) above, given e = e^−|x|: nothing overflows and the left tail keeps its digits.
#[inline(always)]
fn sigmoid_of<T: Lane, const FMA: bool>(x: T, e: T) -> T {
    let (d, d_low) = fast_two_sum(T::ONE, e);
    quotient::<T, FMA>(if x < T::ZERO { e } else { T::ONE }, d, d_low)
}

#[inline(always)]
fn sigmoid<T: Lane, const FMA: bool>(x: T) -> T {
    sigmoid_of::<T, FMA>(x, exp_normal::<T, FMA>(-x.abs()))
}

#[inline(always)]
fn sigmoid_wide<T: Lane, const FMA: bool>(x: T) -> T {
    sigmoid_of::<T, FMA>(x, exp::<T, FMA>(-x.abs()))
}

/// Implements [`UnaryFn`] for a marker type in both precisions by a generic function.
macro_rules! real_function {
    ($($(#[$doc:meta])* $name:ident = $f:ident;)*) => { $(
        $(#[$doc])*
        pub struct $name;
        real_function!(@each $name = $f; f64 f32);
    )* };
    (@each $name:ident = $f:ident; $($t:ident)*) => { $(
        impl UnaryFn<$t> for $name {
            #[inline(always)]
            fn eval<const FMA: bool>(x: $t) -> $t {
                $f::<$t, FMA>(x)
            }
        }
    )* };
}
pub(super) use real_function;

/// The same with a second function, also vectorised, for the arguments outside the range of the first.
macro_rules! wide_function {
    ($($(#[$doc:meta])* $name:ident = $f:ident, $wide:ident if $guard:ident;)*) => { $(
        $(#[$doc])*
        pub struct $name;
        wide_function!(@each $name = $f, $wide if $guard; f64 f32);
    )* };
    (@each $name:ident = $f:ident, $wide:ident if $guard:ident; $($t:ident)*) => { $(
        impl UnaryFn<$t> for $name {
            const PARTIAL: bool = true;
            const WIDE: bool = true;
            #[inline(always)]
            fn eval<const FMA: bool>(x: $t) -> $t {
                $f::<$t, FMA>(x)
            }
            #[inline(always)]
            fn guard<const FMA: bool>(x: $t) -> <$t as Guarded>::Word {
                $guard::<$t>(x)
            }
            #[inline(always)]
            fn slow<const FMA: bool>(x: $t) -> $t {
                $wide::<$t, FMA>(x)
            }
        }
    )* };
}
pub(super) use wide_function;

wide_function! {
    /// eˣ
    Exp = exp_normal, exp if exp_guard;
    /// 1/(1 + e⁻ˣ)
    Sigmoid = sigmoid, sigmoid_wide if exp_guard;
}
real_function! {
    /// 2ˣ
    Exp2 = exp2;
    /// eˣ − 1
    Expm1 = expm1;
}
