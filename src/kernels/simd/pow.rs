//! xʸ and √(x² + y²).
//!
//! xʸ = e^{y ln x} with ln x to about 65 bits: for x = 2ᵏ m, s = (m − 1)/(m + 1), ln m = 2s + s³(2/3 + s² L(s²)), the first terms as
//! unevaluated sums of two numbers. Zero, infinite and NaN bases and exponents beyond 2⁵² are left to std.

use super::BinaryFn;
use super::exp::{exp_short, exp_with_tail};
use super::lane::{Lane, estrin, fast_two_sum, two_product, two_sum};
use super::log::log2_short;

/// ln x as an unevaluated sum, for a positive finite x
#[inline(always)]
fn ln_two_parts<const FMA: bool>(x: f64) -> (f64, f64) {
    let (k, f) = super::log::reduce(x);
    let m = f + 1.0;
    let (d, d_low) = two_sum(m, 1.0);
    let inverse = 1.0 / d;
    let s = f * inverse;
    let (p, p_error) = two_product::<FMA>(s, d);
    let s_low = ((f - p) - p_error - s * d_low) * inverse;

    let (z, z_error) = two_product::<FMA>(s, s);
    let z_low = (2.0 * s).madd::<FMA>(s_low, z_error);
    let l = estrin!(
        FMA,
        z,
        [
            0.40000000000002267,
            0.285714285700933,
            0.22222222521141055,
            0.1818178425278857,
            0.15386762914444074,
            0.1325668118506143,
            0.13197650729573404,
        ]
    );
    const TWO_THIRDS: f64 = 2.0 / 3.0;
    const TWO_THIRDS_LOW: f64 = 3.700_743_415_417_188e-17;
    let (w, w_low) = fast_two_sum(TWO_THIRDS, z.madd::<FMA>(l, TWO_THIRDS_LOW));
    let (q, q_error) = two_product::<FMA>(z, w);
    let q_low = q_error + z.madd::<FMA>(w_low, z_low * w);
    let (v, v_error) = fast_two_sum(2.0, q);
    let v_low = v_error + q_low;
    let (g, g_error) = two_product::<FMA>(s, v);
    let g_low = g_error + s.madd::<FMA>(v_low, s_low * v);

    let (h, h_error) = two_sum(k * f64::LN2_HI, g);
    fast_two_sum(h, h_error + k.madd::<FMA>(f64::LN2_LO, g_low))
}

/// The sign of xʸ for x < 0: one for even y, minus one for odd y, NaN where y is not an integer (|y| ≤ 2⁵²).
#[inline(always)]
fn sign_of_power(y: f64) -> f64 {
    let is_integer = |v: f64| (v.abs() + 4_503_599_627_370_496.0) - 4_503_599_627_370_496.0 == v.abs();
    if !is_integer(y) {
        f64::NAN
    } else if is_integer(0.5 * y) {
        1.0
    } else {
        -1.0
    }
}

#[inline(always)]
fn pow<const FMA: bool>(x: f64, y: f64) -> f64 {
    let (h, l) = ln_two_parts::<FMA>(x.abs());
    let (p, p_error) = two_product::<FMA>(y, h);
    let tail = y.madd::<FMA>(l, p_error);
    let magnitude = exp_with_tail::<FMA>(p, if p.abs() > 750.0 { 0.0 } else { tail });
    if x < 0.0 { magnitude * sign_of_power(y) } else { magnitude }
}

#[inline(always)]
fn outside(x: f64, y: f64) -> bool {
    let a = x.abs();
    !(a > 0.0 && a < f64::INFINITY && y.abs() < 4_503_599_627_370_496.0)
}

/// 2^{y log₂ x} in `f64`, rounded to `f32`
#[inline(always)]
fn pow_f32<const FMA: bool>(x: f32, y: f32) -> f32 {
    let (x, y) = (x as f64, y as f64);
    let p = super::exp::clamp(y * log2_short::<FMA>(x.abs()), -200.0, 200.0);
    let magnitude = exp_short::<FMA>(p * std::f64::consts::LN_2);
    (if x < 0.0 { magnitude * sign_of_power(y) } else { magnitude }) as f32
}

/// xʸ
pub struct Pow;

impl BinaryFn<f64> for Pow {
    const PARTIAL: bool = true;
    #[inline(always)]
    fn eval<const FMA: bool>(x: f64, y: f64) -> f64 {
        pow::<FMA>(x, y)
    }
    #[inline(always)]
    fn outside<const FMA: bool>(x: f64, y: f64) -> bool {
        outside(x, y)
    }
    fn slow(x: f64, y: f64) -> f64 {
        x.powf(y)
    }
}

impl BinaryFn<f32> for Pow {
    const PARTIAL: bool = true;
    #[inline(always)]
    fn eval<const FMA: bool>(x: f32, y: f32) -> f32 {
        pow_f32::<FMA>(x, y)
    }
    #[inline(always)]
    fn outside<const FMA: bool>(x: f32, y: f32) -> bool {
        outside(x as f64, y as f64)
    }
    fn slow(x: f32, y: f32) -> f32 {
        x.powf(y)
    }
}

/// √(x² + y²) without overflow: both are scaled by a power of two that makes the larger one about one.
#[inline(always)]
pub fn hypot<const FMA: bool>(x: f64, y: f64) -> f64 {
    let (a, b) = (x.abs(), y.abs());
    let (large, small) = if a > b { (a, b) } else { (b, a) };
    let exponent = large.to_bits() & 0x7ff0_0000_0000_0000;
    // 2^−e and 2^e, held away from the ends of the exponent's range
    let exponent = if exponent < (64 << 52) { 64 << 52 } else { exponent };
    let exponent = if exponent > (1982 << 52) { 1982 << 52 } else { exponent };
    let up = f64::from_bits(exponent);
    let down = f64::from_bits((2046u64 << 52) - exponent);
    let (s, t) = (small * down, large * down);
    let y = s.madd::<FMA>(s, t * t).sqrt() * up;
    let infinite = a == f64::INFINITY || b == f64::INFINITY;
    if infinite { f64::INFINITY } else { y }
}

/// √(x² + y²)
pub struct Hypot;

impl BinaryFn<f64> for Hypot {
    #[inline(always)]
    fn eval<const FMA: bool>(x: f64, y: f64) -> f64 {
        hypot::<FMA>(x, y)
    }
}

impl BinaryFn<f32> for Hypot {
    #[inline(always)]
    fn eval<const FMA: bool>(x: f32, y: f32) -> f32 {
        let (x, y) = (x as f64, y as f64);
        let r = x.madd::<FMA>(x, y * y).sqrt() as f32;
        if x.abs() == f64::INFINITY || y.abs() == f64::INFINITY { f32::INFINITY } else { r }
    }
}
