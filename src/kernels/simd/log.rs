//! ln x, log₂ x, log₁₀ x, ln(1 + x), and the softplus ln(1 + eˣ), in `f32` and `f64`.
//!
//! x = 2ᵏ(1 + f) with √½ ≤ 1 + f < √2, and ln x = k ln 2 + ln(1 + f). All over the whole range, with the special values of std.

use super::exp::{exp, exp_guard, exp_normal, wide_function};
use super::lane::{Lane, fast_two_sum, two_sum};
use super::{Guarded, UnaryFn};

/// (k, f) with x = 2ᵏ(1 + f), subnormal x included; for x ≤ 0 and infinite x some finite numbers.
#[inline(always)]
pub fn reduce<T: Lane>(x: T) -> (T, T) {
    let subnormal = x < T::MIN_POSITIVE;
    let (k, m) = T::decompose(if subnormal { x * T::SUBNORMAL_SCALE } else { x });
    (if subnormal { k - T::SUBNORMAL_EXPONENT } else { k }, m - T::ONE)
}

/// `y`, or what a logarithm is at 0, +∞, NaN and below zero.
#[inline(always)]
fn with_special_values<T: Lane>(x: T, y: T) -> T {
    let edge = if x == T::ZERO { -T::INFINITY } else { x };
    let edge = if x < T::ZERO { T::NAN } else { edge };
    if x > T::ZERO && x < T::INFINITY { y } else { edge }
}

/// k ln 2 + ln(1 + f)
#[inline(always)]
fn assemble<T: Lane, const FMA: bool>(k: T, f: T) -> T {
    k.madd::<FMA>(T::LN2_HI, f + T::log_tail::<FMA>(f, k * T::LN2_LO))
}

/// ln x of a positive normal x
#[inline(always)]
fn ln<T: Lane, const FMA: bool>(x: T) -> T {
    let (k, m) = T::decompose(x);
    assemble::<T, FMA>(k, m - T::ONE)
}

#[inline(always)]
fn ln_wide<T: Lane, const FMA: bool>(x: T) -> T {
    let (k, f) = reduce(x);
    with_special_values(x, assemble::<T, FMA>(k, f))
}

/// ln(u + error) for a positive normal u and an error below an ulp of it, exact where u is near one.
#[inline(always)]
pub fn ln_of_sum<T: Lane, const FMA: bool>(u: T, error: T) -> T {
    let (k, m) = T::decompose(u);
    // 2^−k in two factors, since 2^−1024 has no exponent of its own
    let f = (m - T::ONE) + (T::HALF * error) * T::pow2(T::ONE - k);
    assemble::<T, FMA>(k, f)
}

/// ln(1 + x) for −1 < x < ∞: the rounding error of 1 + x joins f, which leaves f = x where k = 0.
#[inline(always)]
pub fn log1p<T: Lane, const FMA: bool>(x: T) -> T {
    let (u, error) = two_sum(T::ONE, x);
    ln_of_sum::<T, FMA>(u, error).copysign(x)
}

#[inline(always)]
fn ln_guard<T: Lane>(x: T) -> T::Word {
    T::not_normal_word(x)
}

#[inline(always)]
fn log1p_guard<T: Lane>(x: T) -> T::Word {
    T::not_normal_word(T::ONE + x)
}

#[inline(always)]
pub fn log1p_wide<T: Lane, const FMA: bool>(x: T) -> T {
    let edge = if x == -T::ONE { -T::INFINITY } else { x };
    let edge = if x < -T::ONE { T::NAN } else { edge };
    if x > -T::ONE && x < T::INFINITY { log1p::<T, FMA>(x) } else { edge }
}

/// max(x, 0) + ln(1 + e^−|x|), given the exponential
#[inline(always)]
fn softplus_of<T: Lane, const FMA: bool>(x: T, e: T) -> T {
    let (u, error) = fast_two_sum(T::ONE, e);
    (if x < T::ZERO { T::ZERO } else { x }) + ln_of_sum::<T, FMA>(u, error)
}

#[inline(always)]
fn softplus<T: Lane, const FMA: bool>(x: T) -> T {
    softplus_of::<T, FMA>(x, exp_normal::<T, FMA>(-x.abs()))
}

#[inline(always)]
fn softplus_wide<T: Lane, const FMA: bool>(x: T) -> T {
    softplus_of::<T, FMA>(x, exp::<T, FMA>(-x.abs()))
}

/// ln(1 + f) as an unevaluated sum to a few more bits than one number holds.
#[inline(always)]
fn log_two_parts<const FMA: bool>(f: f64) -> (f64, f64) {
    fast_two_sum(f, f64::log_tail::<FMA>(f, 0.0))
}

#[inline(always)]
fn log2_f64<const FMA: bool>(x: f64) -> f64 {
    const INV_LN2_LO: f64 = 2.035_527_374_093_103_3e-17;
    let (k, f) = reduce(x);
    let (hi, lo) = log_two_parts::<FMA>(f);
    let (p, e) = super::lane::two_product::<FMA>(hi, std::f64::consts::LOG2_E);
    let low = e + lo.madd::<FMA>(std::f64::consts::LOG2_E, hi * INV_LN2_LO);
    let (s, t) = two_sum(k, p);
    s + (t + low)
}

#[inline(always)]
fn log10_f64<const FMA: bool>(x: f64) -> f64 {
    const INV_LN10_LO: f64 = 1.098_319_650_216_765e-17;
    // log₁₀ 2 in two parts; the product of the first with an exponent is exact
    const LOG10_2_HI: f64 = f64::from_bits(0x3fd3_4413_509f_6000);
    const LOG10_2_LO: f64 = 3.694_239_077_158_931e-13;
    let (k, f) = reduce(x);
    let (hi, lo) = log_two_parts::<FMA>(f);
    let (p, e) = super::lane::two_product::<FMA>(hi, std::f64::consts::LOG10_E);
    let low = k.madd::<FMA>(LOG10_2_LO, e + lo.madd::<FMA>(std::f64::consts::LOG10_E, hi * INV_LN10_LO));
    let (s, t) = two_sum(k * LOG10_2_HI, p);
    s + (t + low)
}

/// log₂ x in `f64` arithmetic, to rounding of `f32`.
#[inline(always)]
pub fn log2_short<const FMA: bool>(x: f64) -> f64 {
    let (k, m) = f64::decompose(x);
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    // ln(1 + f) = 2s + s³ R(s²), relative error 2^−37.6
    let r = super::lane::horner!(FMA, z, [0.6666666564194547, 0.400003361496267, 0.2853723984960401, 0.2358357331761702]);
    std::f64::consts::LOG2_E.madd::<FMA>(s * r.madd::<FMA>(z, 2.0), k)
}

#[inline(always)]
fn log2_f32<const FMA: bool>(x: f32) -> f32 {
    log2_short::<FMA>(x as f64) as f32
}

#[inline(always)]
fn log10_f32<const FMA: bool>(x: f32) -> f32 {
    (log2_short::<FMA>(x as f64) * std::f64::consts::LOG10_2) as f32
}

wide_function! {
    /// ln x
    Log = ln, ln_wide if ln_guard;
    /// ln(1 + x)
    Log1p = log1p, log1p_wide if log1p_guard;
    /// ln(1 + eˣ)
    Softplus = softplus, softplus_wide if exp_guard;
}

/// Implements [`UnaryFn`] for a marker type by one function per precision.
macro_rules! two_functions {
    ($($(#[$doc:meta])* $name:ident = $double:ident, $single:ident;)*) => { $(
        $(#[$doc])*
        pub struct $name;
        impl UnaryFn<f64> for $name {
            #[inline(always)]
            fn eval<const FMA: bool>(x: f64) -> f64 {
                $double::<FMA>(x)
            }
        }
        impl UnaryFn<f32> for $name {
            #[inline(always)]
            fn eval<const FMA: bool>(x: f32) -> f32 {
                $single::<FMA>(x)
            }
        }
    )* };
}
pub(super) use two_functions;

/// Implements [`UnaryFn`] for a logarithm that holds for positive numbers, normal ones in `f64`.
macro_rules! logarithm {
    ($($(#[$doc:meta])* $name:ident = $double:ident, $single:ident;)*) => { $(
        $(#[$doc])*
        pub struct $name;
        logarithm!(@each $name; f64 $double, f32 $single);
    )* };
    (@each $name:ident; $($t:ident $f:ident),*) => { $(
        impl UnaryFn<$t> for $name {
            const PARTIAL: bool = true;
            const WIDE: bool = true;
            #[inline(always)]
            fn eval<const FMA: bool>(x: $t) -> $t {
                $f::<FMA>(x)
            }
            #[inline(always)]
            fn guard<const FMA: bool>(x: $t) -> <$t as Guarded>::Word {
                ln_guard(x)
            }
            #[inline(always)]
            fn slow<const FMA: bool>(x: $t) -> $t {
                with_special_values(x, $f::<FMA>(x))
            }
        }
    )* };
}
logarithm! {
    /// log₂ x
    Log2 = log2_f64, log2_f32;
    /// log₁₀ x
    Log10 = log10_f64, log10_f32;
}
