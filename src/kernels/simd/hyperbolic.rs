//! sinh x, cosh x, tanh x in `f32` and `f64`, over the whole range with the special values of std.
//!
//! With x = n ln 2 + r: e^±x = 2^±n (cosh r ± sinh r), so that sinh x = cosh(n ln 2) sinh r + sinh(n ln 2) cosh r has no cancellation near
//! zero, where n = 0. tanh x = m/(m + 2) with m = e^2x − 1.

use super::UnaryFn;
use super::exp::{clamp, expm1_reduced, real_function, reduce};
use super::lane::Lane;

struct Parts<T> {
    /// 2ⁿ/2 and 2⁻ⁿ/2, both over `scale`
    a: T,
    b: T,
    scale: T,
    /// sinh r and cosh r − 1
    sinh: T,
    cosh_minus_one: T,
}

#[inline(always)]
fn parts<T: Lane, const FMA: bool>(x: T) -> Parts<T> {
    // two more than the largest argument of exp: sinh overflows later by ln 2
    let (n, r) = reduce::<T, FMA>(clamp(x.abs(), T::ZERO, T::EXP_MAX + T::TWO));
    let last = n > T::MAX_EXPONENT;
    let held = if last { T::MAX_EXPONENT } else { n };
    let a = T::HALF * T::pow2(held);
    let b = T::HALF * T::pow2(T::ONE - held) * T::HALF;
    let scale = T::pow2(n - held);
    let z = r * r;
    Parts { a, b, scale, sinh: (z * r).madd::<FMA>(T::sinh_s::<FMA>(z), r), cosh_minus_one: z * T::cosh_c::<FMA>(z) }
}

#[inline(always)]
pub(super) fn sinh<T: Lane, const FMA: bool>(x: T) -> T {
    let p = parts::<T, FMA>(x);
    let (sum, difference) = (p.a + p.b, p.a - p.b);
    let y = difference + difference.madd::<FMA>(p.cosh_minus_one, sum * p.sinh);
    (y * p.scale).copysign(x)
}

#[inline(always)]
pub(super) fn cosh<T: Lane, const FMA: bool>(x: T) -> T {
    let p = parts::<T, FMA>(x);
    let (sum, difference) = (p.a + p.b, p.a - p.b);
    let y = sum + sum.madd::<FMA>(p.cosh_minus_one, difference * p.sinh);
    y * p.scale
}

/// (sinh x, cosh x) for the price of one
#[inline(always)]
pub(super) fn sinh_cosh<T: Lane, const FMA: bool>(x: T) -> (T, T) {
    let p = parts::<T, FMA>(x);
    let (sum, difference) = (p.a + p.b, p.a - p.b);
    let s = difference + difference.madd::<FMA>(p.cosh_minus_one, sum * p.sinh);
    let c = sum + sum.madd::<FMA>(p.cosh_minus_one, difference * p.sinh);
    ((s * p.scale).copysign(x), c * p.scale)
}

#[inline(always)]
pub(super) fn tanh<T: Lane, const FMA: bool>(x: T) -> T {
    let (n, r) = reduce::<T, FMA>(clamp(T::TWO * x.abs(), T::ZERO, T::TANH_MAX));
    let scale = T::pow2(n);
    let m = expm1_reduced::<T, FMA>(r).madd::<FMA>(scale, scale - T::ONE);
    (m / (m + T::TWO)).copysign(x)
}

real_function! {
    /// sinh x
    Sinh = sinh;
    /// cosh x
    Cosh = cosh;
    /// tanh x
    Tanh = tanh;
}
