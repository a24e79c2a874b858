//! sinh x, cosh x, tanh x in `f32` and `f64`, over the whole range with the special values of std.
//!
//! With x = n ln 2 + r: e^±x = 2^±n (cosh r ± sinh r), so that sinh x = cosh(n ln 2) sinh r + sinh(n ln 2) cosh r has no cancellation near
//! zero, where n = 0. tanh x = m/(m + 2) with m = e^2x − 1.

use super::UnaryFn;
use super::exp::{clamp, expm1_assemble, quotient, real_function, reduce_two_parts};
use super::lane::{Lane, fast_two_sum};

struct Parts<T> {
    /// 2ⁿ/2 and 2⁻ⁿ/2, both over `scale`
    a: T,
    b: T,
    scale: T,
    r: T,
    /// sinh r − r and cosh r − 1
    sinh_minus_r: T,
    cosh_minus_one: T,
}

#[inline(always)]
fn parts<T: Lane, const FMA: bool>(x: T) -> Parts<T> {
    // two more than the largest argument of exp: sinh overflows later by ln 2
    let (n, r, r_low) = reduce_two_parts::<T, FMA>(clamp(x.abs(), T::ZERO, T::EXP_MAX + T::TWO));
    let last = n > T::MAX_EXPONENT;
    let held = if last { T::MAX_EXPONENT } else { n };
    let a = T::HALF * T::pow2(held);
    let b = T::HALF * T::pow2(T::ONE - held) * T::HALF;
    let scale = T::pow2(n - held);
    let z = r * r;
    Parts { a, b, scale, r, sinh_minus_r: (z * r).madd::<FMA>(T::sinh_s::<FMA>(z), r_low), cosh_minus_one: z * T::cosh_c::<FMA>(z) }
}

impl<T: Lane> Parts<T> {
    /// sum · sinh r + difference · cosh r, small terms first
    #[inline(always)]
    fn combine<const FMA: bool>(&self, sum: T, difference: T) -> T {
        let small = difference.madd::<FMA>(self.cosh_minus_one, sum * self.sinh_minus_r);
        (difference + sum.madd::<FMA>(self.r, small)) * self.scale
    }
}

/// (sinh |x|, cosh x)
#[inline(always)]
fn both<T: Lane, const FMA: bool>(x: T) -> (T, T) {
    let p = parts::<T, FMA>(x);
    let (sum, difference) = (p.a + p.b, p.a - p.b);
    (p.combine::<FMA>(sum, difference), p.combine::<FMA>(difference, sum))
}

#[inline(always)]
pub fn sinh<T: Lane, const FMA: bool>(x: T) -> T {
    both::<T, FMA>(x).0.copysign(x)
}

#[inline(always)]
pub fn cosh<T: Lane, const FMA: bool>(x: T) -> T {
    both::<T, FMA>(x).1
}

/// (sinh x, cosh x) for the price of one
#[inline(always)]
pub fn sinh_cosh<T: Lane, const FMA: bool>(x: T) -> (T, T) {
    let (s, c) = both::<T, FMA>(x);
    (s.copysign(x), c)
}

#[inline(always)]
pub fn tanh<T: Lane, const FMA: bool>(x: T) -> T {
    let (n, r, r_low) = reduce_two_parts::<T, FMA>(clamp(T::TWO * x.abs(), T::ZERO, T::TANH_MAX));
    let m = expm1_assemble::<T, FMA>(n, r, r_low);
    let (d, d_low) = fast_two_sum(T::TWO, m);
    quotient::<T, FMA>(m, d, d_low).copysign(x)
}

real_function! {
    /// sinh x
    Sinh = sinh;
    /// cosh x
    Cosh = cosh;
    /// tanh x
    Tanh = tanh;
}
