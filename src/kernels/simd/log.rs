//! ln x, log₂ x, log₁₀ x, ln(1 + x), and the softplus ln(1 + eˣ), in `f32` and `f64`.
//!
//! x = 2ᵏ(1 + f) with √½ ≤ 1 + f < √2, and ln x = k ln 2 + ln(1 + f). All over the whole range, with the special values of std.

use super::UnaryFn;
use super::exp::{exp, real_function};
use super::lane::{Lane, fast_two_sum, two_sum};

/// (k, f) with x = 2ᵏ(1 + f), subnormal x included; for x ≤ 0 and infinite x some finite numbers.
#[inline(always)]
pub(super) fn reduce<T: Lane>(x: T) -> (T, T) {
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
    let half_square = T::HALF * f * f;
    let low = k.madd::<FMA>(T::LN2_LO, T::log_c::<FMA>(f, half_square));
    k.madd::<FMA>(T::LN2_HI, f - (half_square - low))
}

#[inline(always)]
pub(super) fn ln<T: Lane, const FMA: bool>(x: T) -> T {
    let (k, f) = reduce(x);
    with_special_values(x, assemble::<T, FMA>(k, f))
}

/// ln(u + error) for a positive normal u and an error below an ulp of it, exact where u is near one.
#[inline(always)]
pub(super) fn ln_of_sum<T: Lane, const FMA: bool>(u: T, error: T) -> T {
    let (k, m) = T::decompose(u);
    // 2^−k in two factors, since 2^−1024 has no exponent of its own
    let f = (m - T::ONE) + (T::HALF * error) * T::pow2(T::ONE - k);
    assemble::<T, FMA>(k, f)
}

/// ln(1 + x): the rounding error of 1 + x joins f, which leaves f = x where k = 0.
#[inline(always)]
pub(super) fn log1p<T: Lane, const FMA: bool>(x: T) -> T {
    let (u, error) = two_sum(T::ONE, x);
    let y = ln_of_sum::<T, FMA>(u, error).copysign(x);
    let edge = if x == -T::ONE { -T::INFINITY } else { x };
    let edge = if x < -T::ONE { T::NAN } else { edge };
    if x > -T::ONE && x < T::INFINITY { y } else { edge }
}

/// max(x, 0) + ln(1 + e^−|x|)
#[inline(always)]
fn softplus<T: Lane, const FMA: bool>(x: T) -> T {
    let positive = if x < T::ZERO { T::ZERO } else { x };
    positive + log1p::<T, FMA>(exp::<T, FMA>(-x.abs()))
}

/// ln(1 + f) as an unevaluated sum to a few more bits than one number holds.
#[inline(always)]
fn log_two_parts<const FMA: bool>(f: f64) -> (f64, f64) {
    let half_square = 0.5 * f * f;
    let half_square_error = if FMA { (0.5 * f).mul_add(f, -half_square) } else { 0.0 };
    let (hi, lo) = fast_two_sum(f, -half_square);
    fast_two_sum(hi, lo + (f64::log_c::<FMA>(f, half_square) - half_square_error))
}

#[inline(always)]
fn log2_f64<const FMA: bool>(x: f64) -> f64 {
    const INV_LN2_LO: f64 = 2.035_527_374_093_103_3e-17;
    let (k, f) = reduce(x);
    let (hi, lo) = log_two_parts::<FMA>(f);
    let (p, e) = super::lane::two_product::<FMA>(hi, std::f64::consts::LOG2_E);
    let low = e + lo.madd::<FMA>(std::f64::consts::LOG2_E, hi * INV_LN2_LO);
    let (s, t) = two_sum(k, p);
    with_special_values(x, s + (t + low))
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
    with_special_values(x, s + (t + low))
}

/// log₂ x in `f64` arithmetic, to rounding of `f32`.
#[inline(always)]
pub(super) fn log2_short<const FMA: bool>(x: f64) -> f64 {
    let (k, m) = f64::decompose(x);
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    // ln(1 + f) = 2s + s³ R(s²), relative error 2^−37.6
    let r = super::lane::horner!(FMA, z, [0.6666666564194547, 0.400003361496267, 0.2853723984960401, 0.2358357331761702]);
    std::f64::consts::LOG2_E.madd::<FMA>(s * r.madd::<FMA>(z, 2.0), k)
}

#[inline(always)]
fn log2_f32<const FMA: bool>(x: f32) -> f32 {
    with_special_values(x, log2_short::<FMA>(x as f64) as f32)
}

#[inline(always)]
fn log10_f32<const FMA: bool>(x: f32) -> f32 {
    with_special_values(x, (log2_short::<FMA>(x as f64) * std::f64::consts::LOG10_2) as f32)
}

real_function! {
    /// ln x
    Log = ln;
    /// ln(1 + x)
    Log1p = log1p;
    /// ln(1 + eˣ)
    Softplus = softplus;
}

/// Implements [`UnaryFn`] for a marker type by one function per precision.
macro_rules! two_functions {
    ($($(#[$doc:meta])* $name:ident = $double:ident, $single:ident;)*) => { $(
        $(#[$doc])*
        pub(crate) struct $name;
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

two_functions! {
    /// log₂ x
    Log2 = log2_f64, log2_f32;
    /// log₁₀ x
    Log10 = log10_f64, log10_f32;
}
