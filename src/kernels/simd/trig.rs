//! sin x, cos x, tan x in `f32` and `f64`.
//!
//! x = n π/2 + r + t with |r| ≤ π/4 and a tail t (Cody and Waite; π/2 in three parts), then minimax polynomials for sin r and cos r and
//! the quadrant from the last two bits of n. `f64`: |x| ≤ 2³⁰ (10⁶ without FMA), `f32`: |x| ≤ 8192 (10⁶ without FMA); beyond, and for
//! infinities, an element is left to std, whose reduction is exact for all arguments.

use super::UnaryFn;
use super::lane::{Lane, fast_two_sum, horner, two_product, two_sum};

/// An angle mod π/2: r + t, and n mod 2⁶⁴.
pub struct Reduced {
    pub r: f64,
    pub t: f64,
    pub n: u64,
}

#[inline(always)]
pub fn guard<const FMA: bool>(x: f64) -> u64 {
    f64::sign_word(if FMA { 1_073_741_824.0 } else { 1e6 } - x.abs())
}

#[inline(always)]
pub fn reduce<const FMA: bool>(x: f64) -> Reduced {
    let h = x.madd::<FMA>(std::f64::consts::FRAC_2_PI, f64::ROUND);
    let n = h - f64::ROUND;
    let (r, t) = if FMA {
        // π/2 = P1 + P2 + P3 to 160 bits. x − n P1 is exact: a multiple of 2⁻⁵² below one.
        const P1: f64 = std::f64::consts::FRAC_PI_2;
        const P2: f64 = 6.123_233_995_736_766e-17;
        const P3: f64 = -1.497_384_904_859_169_8e-33;
        let r0 = (-n).mul_add(P1, x);
        let w = n * P2;
        let w_error = n.mul_add(P2, -w);
        let r = r0 - w;
        (r, (r0 - r - w) - n.mul_add(P3, w_error))
    } else {
        // the first three have 33 bits: their products with n are exact
        const P1: f64 = 1.570_796_326_734_125_6;
        const P2: f64 = 6.077_100_506_303_966e-11;
        const P3: f64 = 2.022_266_248_711_166_5e-21;
        const P4: f64 = 8.478_427_660_368_9e-32;
        let (r1, t1) = two_sum(x - n * P1, -(n * P2));
        let (r2, t2) = two_sum(r1, -(n * P3));
        fast_two_sum(r2, (t1 + t2) - n * P4)
    };
    Reduced { r, t, n: h.to_bits() }
}

/// sin(r + t) − r
#[inline(always)]
fn sin_correction<const FMA: bool>(r: f64, t: f64, z: f64) -> f64 {
    let s = horner!(
        FMA,
        z,
        [
            -0.16666666666666632,
            0.008333333333322384,
            -0.0001984126982977943,
            2.7557313680858675e-06,
            -2.5050756215454267e-08,
            1.5896676991096417e-10,
        ]
    );
    (z * r).madd::<FMA>(s, z.madd::<FMA>(-0.5 * t, t))
}

/// cos(r + t) as an unevaluated sum of two numbers
#[inline(always)]
fn cos_parts<const FMA: bool>(r: f64, t: f64, z: f64) -> (f64, f64) {
    let c = horner!(
        FMA,
        z,
        [
            0.0416666666666666,
            -0.001388888888887407,
            2.4801587289445887e-05,
            -2.755731434120535e-07,
            2.0875721682453584e-09,
            -1.135956175102575e-11,
        ]
    );
    let half = 0.5 * z;
    let w = 1.0 - half;
    (w, (1.0 - w - half) + (z * z).madd::<FMA>(c, -(r * t)))
}

/// (sin(r + t), cos(r + t)) for |r| ≤ π/4
#[inline(always)]
fn sin_cos_reduced<const FMA: bool>(a: &Reduced) -> (f64, f64) {
    let z = a.r * a.r;
    let (w, e) = cos_parts::<FMA>(a.r, a.t, z);
    (a.r + sin_correction::<FMA>(a.r, a.t, z), w + e)
}

/// `y` with its sign flipped where bit 1 of `quadrant` is set
#[inline(always)]
fn flip(y: f64, quadrant: u64) -> f64 {
    f64::from_bits(y.to_bits() ^ ((quadrant & 2) << 62))
}

/// sin x where `quadrant_offset` is 0, cos x where it is 1.
#[inline(always)]
fn sin_or_cos<const FMA: bool>(x: f64, quadrant_offset: u64) -> f64 {
    let a = reduce::<FMA>(x);
    let (s, c) = sin_cos_reduced::<FMA>(&a);
    let quadrant = a.n.wrapping_add(quadrant_offset);
    flip(if quadrant & 1 != 0 { c } else { s }, quadrant)
}

#[inline(always)]
pub fn sin<const FMA: bool>(x: f64) -> f64 {
    let y = sin_or_cos::<FMA>(x, 0);
    // keeps the sign of zero
    if x == 0.0 { x } else { y }
}

#[inline(always)]
pub fn cos<const FMA: bool>(x: f64) -> f64 {
    sin_or_cos::<FMA>(x, 1)
}

/// (sin x, cos x) for the price of one reduction
#[inline(always)]
pub fn sin_cos<const FMA: bool>(x: f64) -> (f64, f64) {
    let a = reduce::<FMA>(x);
    let (s, c) = sin_cos_reduced::<FMA>(&a);
    let odd = a.n & 1 != 0;
    let sin = flip(if odd { c } else { s }, a.n);
    let cos = flip(if odd { s } else { c }, a.n.wrapping_add(1));
    (if x == 0.0 { x } else { sin }, cos)
}

/// tan x as a quotient of two-part numbers with one division and a correction.
#[inline(always)]
pub fn tan<const FMA: bool>(x: f64) -> f64 {
    let a = reduce::<FMA>(x);
    let z = a.r * a.r;
    let (s, s_low) = fast_two_sum(a.r, sin_correction::<FMA>(a.r, a.t, z));
    let (w, e) = cos_parts::<FMA>(a.r, a.t, z);
    let (c, c_low) = fast_two_sum(w, e);
    let odd = a.n & 1 != 0;
    // tan(r + π/2) = −cos r / sin r
    let (top, top_low) = if odd { (-c, -c_low) } else { (s, s_low) };
    let (bottom, bottom_low) = if odd { (s, s_low) } else { (c, c_low) };
    let inverse = 1.0 / bottom;
    let q = top * inverse;
    let (p, p_error) = two_product::<FMA>(q, bottom);
    let residual = (top - p) - p_error + (top_low - q * bottom_low);
    let y = residual.madd::<FMA>(inverse, q);
    if x == 0.0 { x } else { y }
}

/// The same in `f32` with FMA; without it the `f64` functions serve.
mod single {
    use super::*;

    #[inline(always)]
    pub fn reduce<const FMA: bool>(x: f32) -> (f32, u32) {
        // three parts of π/2; x − n P1 is exact as in `f64`
        const P1: f32 = std::f32::consts::FRAC_PI_2;
        const P2: f32 = -4.371_139e-8;
        const P3: f32 = -1.715_124_5e-15;
        let h = x.mul_add(std::f32::consts::FRAC_2_PI, f32::ROUND);
        let n = h - f32::ROUND;
        ((-n).mul_add(P3, (-n).mul_add(P2, (-n).mul_add(P1, x))), h.to_bits())
    }

    /// (sin r, cos r) for |r| ≤ π/4
    #[inline(always)]
    pub fn sin_cos_reduced<const FMA: bool>(r: f32) -> (f32, f32) {
        let z = r * r;
        let s = horner!(FMA, z, [-0.16666655, 0.008332176, -0.00019516976]);
        let c = horner!(FMA, z, [0.041666646, -0.0013887365, 2.4438134e-05]);
        ((z * r).madd::<FMA>(s, r), z.madd::<FMA>(z.madd::<FMA>(c, -0.5), 1.0))
    }

    #[inline(always)]
    pub fn flip(y: f32, quadrant: u32) -> f32 {
        f32::from_bits(y.to_bits() ^ ((quadrant & 2) << 30))
    }
}

#[inline(always)]
pub fn guard_f32<const FMA: bool>(x: f32) -> u32 {
    f32::sign_word(if FMA { 8192.0 } else { 1e6 } - x.abs())
}

/// (sin x, cos x) for `f32`
#[inline(always)]
pub fn sin_cos_f32<const FMA: bool>(x: f32) -> (f32, f32) {
    if !FMA {
        let (s, c) = sin_cos::<false>(x as f64);
        return (s as f32, c as f32);
    }
    let (r, n) = single::reduce::<FMA>(x);
    let (s, c) = single::sin_cos_reduced::<FMA>(r);
    let odd = n & 1 != 0;
    let sin = single::flip(if odd { c } else { s }, n);
    let cos = single::flip(if odd { s } else { c }, n.wrapping_add(1));
    (if x == 0.0 { x } else { sin }, cos)
}

/// Implements [`UnaryFn`] with the range of the reduction.
macro_rules! periodic_function {
    ($($(#[$doc:meta])* $name:ident: $double:expr, $single:expr, $std:ident;)*) => { $(
        $(#[$doc])*
        pub struct $name;
        impl UnaryFn<f64> for $name {
            const PARTIAL: bool = true;
            #[inline(always)]
            fn eval<const FMA: bool>(x: f64) -> f64 {
                $double(x)
            }
            #[inline(always)]
            fn guard<const FMA: bool>(x: f64) -> u64 {
                guard::<FMA>(x)
            }
            fn slow<const FMA: bool>(x: f64) -> f64 {
                x.$std()
            }
        }
        impl UnaryFn<f32> for $name {
            const PARTIAL: bool = true;
            #[inline(always)]
            fn eval<const FMA: bool>(x: f32) -> f32 {
                $single(x)
            }
            #[inline(always)]
            fn guard<const FMA: bool>(x: f32) -> u32 {
                guard_f32::<FMA>(x)
            }
            fn slow<const FMA: bool>(x: f32) -> f32 {
                (x as f64).$std() as f32
            }
        }
    )* };
}

periodic_function! {
    /// sin x
    Sin: sin::<FMA>, |x| sin_cos_f32::<FMA>(x).0, sin;
    /// cos x
    Cos: cos::<FMA>, |x| sin_cos_f32::<FMA>(x).1, cos;
    /// tan x
    Tan: tan::<FMA>, |x: f32| tan::<FMA>(x as f64) as f32, tan;
}
