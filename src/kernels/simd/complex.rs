//! The elementary functions of complex numbers, by the real ones on the parts.
//!
//! exp, sin, cos, tan, sinh, cosh, tanh, ln, sqrt, 1/z and the quotient are vectorised; the others are those of [`Number`]. Branch cuts are
//! num-complex's (and C99's): along the negative real axis for ln and sqrt, continuous from the side of the sign of zero.

use super::exp::{clamp, exp_parts};
use super::hyperbolic::sinh_cosh;
use super::inverse::{polar_log, polar_log_outside};
use super::lane::Lane;
use super::{BinaryFn, Guarded, UnaryFn, erf, exp, hyperbolic, inverse, log, pow, simple, trig};
use crate::scalar::{Number, Real};
use num_complex::Complex;

/// A part of a complex number.
pub trait Part: Lane + Real {
    /// tanh x is ±1 above this, and its square does not overflow.
    const TANH_HELD: Self;
    fn sin_cos<const FMA: bool>(x: Self) -> (Self, Self);
    /// Whether `sin_cos` does not cover x.
    fn angle_outside<const FMA: bool>(x: Self) -> bool;
    /// (2^−e, whether x is ordinary) for the exponent e of x, held away from the ends of the range.
    fn inverse_scale(x: Self) -> Self;
    /// (ln |z|, arg z), and where this does not hold.
    fn polar_log<const FMA: bool>(x: Self, y: Self) -> (Self, Self);
    fn polar_log_outside(x: Self, y: Self) -> bool;
}

impl Part for f64 {
    const TANH_HELD: f64 = 300.0;
    #[inline(always)]
    fn sin_cos<const FMA: bool>(x: f64) -> (f64, f64) {
        trig::sin_cos::<FMA>(x)
    }
    #[inline(always)]
    fn angle_outside<const FMA: bool>(x: f64) -> bool {
        !(x.abs() <= f64::INFINITY) || trig::guard::<FMA>(x) >> 63 != 0
    }
    #[inline(always)]
    fn inverse_scale(x: f64) -> f64 {
        let e = x.to_bits() & 0x7ff0_0000_0000_0000;
        let e = if e < (8 << 52) { 8 << 52 } else { e };
        let e = if e > (2038 << 52) { 2038 << 52 } else { e };
        f64::from_bits((2046u64 << 52) - e)
    }
    #[inline(always)]
    fn polar_log<const FMA: bool>(x: f64, y: f64) -> (f64, f64) {
        polar_log::<FMA>(x, y)
    }
    #[inline(always)]
    fn polar_log_outside(x: f64, y: f64) -> bool {
        polar_log_outside(x, y)
    }
}

impl Part for f32 {
    const TANH_HELD: f32 = 40.0;
    #[inline(always)]
    fn sin_cos<const FMA: bool>(x: f32) -> (f32, f32) {
        trig::sin_cos_f32::<FMA>(x)
    }
    #[inline(always)]
    fn angle_outside<const FMA: bool>(x: f32) -> bool {
        !(x.abs() <= f32::INFINITY) || trig::guard_f32::<FMA>(x) >> 31 != 0
    }
    #[inline(always)]
    fn inverse_scale(x: f32) -> f32 {
        let e = x.to_bits() & 0x7f80_0000;
        let e = if e < (8 << 23) { 8 << 23 } else { e };
        let e = if e > (246 << 23) { 246 << 23 } else { e };
        f32::from_bits((254u32 << 23) - e)
    }
    #[inline(always)]
    fn polar_log<const FMA: bool>(x: f32, y: f32) -> (f32, f32) {
        let (r, angle) = polar_log::<FMA>(x as f64, y as f64);
        (r as f32, angle as f32)
    }
    #[inline(always)]
    fn polar_log_outside(x: f32, y: f32) -> bool {
        polar_log_outside(x as f64, y as f64)
    }
}

type C<R> = Complex<R>;

#[inline(always)]
fn not_finite<R: Part>(x: R) -> bool {
    !(Lane::abs(x) < <R as Lane>::INFINITY)
}

/// e^x (cos y + i sin y); the two factors of e^x come last, so that a large e^x meets the small cosine first.
#[inline(always)]
fn exp<R: Part, const FMA: bool>(z: C<R>) -> C<R> {
    let (s, c) = <R as Part>::sin_cos::<FMA>(z.im);
    let (e, a, b) = exp_parts::<R, FMA>(z.re);
    Complex::new(e * c * a * b, e * s * a * b)
}

/// sin x cosh y + i cos x sinh y
#[inline(always)]
fn sin<R: Part, const FMA: bool>(z: C<R>) -> C<R> {
    let (s, c) = <R as Part>::sin_cos::<FMA>(z.re);
    let (sh, ch) = sinh_cosh::<R, FMA>(z.im);
    Complex::new(s * ch, c * sh)
}

/// cos x cosh y − i sin x sinh y
#[inline(always)]
fn cos<R: Part, const FMA: bool>(z: C<R>) -> C<R> {
    let (s, c) = <R as Part>::sin_cos::<FMA>(z.re);
    let (sh, ch) = sinh_cosh::<R, FMA>(z.im);
    Complex::new(c * ch, -(s * sh))
}

/// sinh x cos y + i cosh x sin y
#[inline(always)]
fn sinh<R: Part, const FMA: bool>(z: C<R>) -> C<R> {
    let (s, c) = <R as Part>::sin_cos::<FMA>(z.im);
    let (sh, ch) = sinh_cosh::<R, FMA>(z.re);
    Complex::new(sh * c, ch * s)
}

/// cosh x cos y + i sinh x sin y
#[inline(always)]
fn cosh<R: Part, const FMA: bool>(z: C<R>) -> C<R> {
    let (s, c) = <R as Part>::sin_cos::<FMA>(z.im);
    let (sh, ch) = sinh_cosh::<R, FMA>(z.re);
    Complex::new(ch * c, sh * s)
}

/// (sinh x cosh x + i sin y cos y)/(sinh² x + cos² y): no cancellation anywhere.
#[inline(always)]
fn tanh<R: Part, const FMA: bool>(z: C<R>) -> C<R> {
    let (s, c) = <R as Part>::sin_cos::<FMA>(z.im);
    let (sh, ch) = sinh_cosh::<R, FMA>(clamp(z.re, -R::TANH_HELD, R::TANH_HELD));
    let d = Lane::madd::<FMA>(sh, sh, c * c);
    Complex::new(sh * ch / d, s * c / d)
}

/// −i tanh(iz)
#[inline(always)]
fn tan<R: Part, const FMA: bool>(z: C<R>) -> C<R> {
    let w = tanh::<R, FMA>(Complex::new(-z.im, z.re));
    Complex::new(w.im, -w.re)
}

#[inline(always)]
fn ln<R: Part, const FMA: bool>(z: C<R>) -> C<R> {
    let (re, im) = R::polar_log::<FMA>(z.re, z.im);
    Complex::new(re, im)
}

/// t = √((|z| + |x|)/2) is the larger part, y/(2t) the smaller one.
#[inline(always)]
fn sqrt<R: Part, const FMA: bool>(z: C<R>) -> C<R> {
    let a = Lane::abs(z.re);
    let modulus = Lane::sqrt(Lane::madd::<FMA>(a, a, z.im * z.im));
    let t = Lane::sqrt(R::HALF * (modulus + a));
    let u = z.im * (R::HALF / t);
    if z.re < R::ZERO { Complex::new(Lane::abs(u), Lane::copysign(t, z.im)) } else { Complex::new(t, u) }
}

/// Where the square of a part overflows or loses digits.
#[inline(always)]
fn sqrt_outside<R: Part>(z: C<R>) -> bool {
    let (x, y) = (Lane::abs(z.re), Lane::abs(z.im));
    let larger = if x > y { x } else { y };
    let scale = R::inverse_scale(larger);
    // |z|² between 2^±¾ of the exponent's range
    let bound = R::from_f64(if R::KIND == crate::scalar::ScalarKind::F64 { 1e140 } else { 1e15 });
    !(scale < bound && larger < bound)
}

/// a/b with b scaled by a power of two to about one, so that |b|² neither overflows nor vanishes.
#[inline(always)]
pub fn divide<R: Part, const FMA: bool>(a: C<R>, b: C<R>) -> C<R> {
    let (x, y) = (Lane::abs(b.re), Lane::abs(b.im));
    let scale = R::inverse_scale(if x > y { x } else { y });
    let (c, d) = (b.re * scale, b.im * scale);
    let norm = Lane::madd::<FMA>(c, c, d * d);
    Complex::new(Lane::madd::<FMA>(a.re, c, a.im * d) / norm * scale, Lane::madd::<FMA>(a.im, c, -(a.re * d)) / norm * scale)
}

/// 1/z
#[inline(always)]
fn reciprocal<R: Part, const FMA: bool>(z: C<R>) -> C<R> {
    let (x, y) = (Lane::abs(z.re), Lane::abs(z.im));
    let scale = R::inverse_scale(if x > y { x } else { y });
    let (c, d) = (z.re * scale, z.im * scale);
    let norm = Lane::madd::<FMA>(c, c, d * d);
    Complex::new(c / norm * scale, -d / norm * scale)
}

/// Implements [`UnaryFn`] with a vector part and the scalar function elsewhere.
macro_rules! vectorised {
    ($($name:path: $f:ident, |$z:ident| $outside:expr, $slow:expr;)*) => { $(
        vectorised!(@each $name, $f, $z, $outside, $slow; f64 f32);
    )* };
    (@each $name:path, $f:ident, $z:ident, $outside:expr, $slow:expr; $($r:ident)*) => { $(
        impl UnaryFn<C<$r>> for $name {
            const PARTIAL: bool = true;
            #[inline(always)]
            fn eval<const FMA: bool>(z: C<$r>) -> C<$r> {
                $f::<$r, FMA>(z)
            }
            #[inline(always)]
            fn guard<const FMA: bool>($z: C<$r>) -> <C<$r> as Guarded>::Word {
                type R = $r;
                type Word = <C<$r> as Guarded>::Word;
                if $outside { !(Word::MAX >> 1) } else { 0 }
            }
            fn slow<const FMA: bool>(z: C<$r>) -> C<$r> {
                $slow(z)
            }
        }
    )* };
}

vectorised! {
    exp::Exp: exp, |z| R::angle_outside::<FMA>(z.im) || not_finite::<R>(z.re), Number::exp;
    trig::Sin: sin, |z| R::angle_outside::<FMA>(z.re) || not_finite::<R>(z.im), Number::sin;
    trig::Cos: cos, |z| R::angle_outside::<FMA>(z.re) || not_finite::<R>(z.im), Number::cos;
    trig::Tan: tan, |z| R::angle_outside::<FMA>(z.re) || !(Lane::abs(z.im) <= R::TANH_HELD), far_tan;
    hyperbolic::Sinh: sinh, |z| R::angle_outside::<FMA>(z.im) || not_finite::<R>(z.re), Number::sinh;
    hyperbolic::Cosh: cosh, |z| R::angle_outside::<FMA>(z.im) || not_finite::<R>(z.re), Number::cosh;
    hyperbolic::Tanh: tanh, |z| R::angle_outside::<FMA>(z.im) || !(Lane::abs(z.re) <= R::TANH_HELD), far_tanh;
    log::Log: ln, |z| <R as Part>::polar_log_outside(z.re, z.im), Number::ln;
    simple::Sqrt: sqrt, |z| sqrt_outside::<R>(z), Number::sqrt;
}

/// tanh z = ±1 + 4i sin y cos y e^−2|x| for large |x|; elsewhere the formula of [`tanh`] with std's functions.
fn far_tanh<R: Part>(z: C<R>) -> C<R> {
    let (s, c) = (z.im.sin(), z.im.cos());
    if Lane::abs(z.re) > R::TANH_HELD {
        let re = Lane::copysign(R::ONE, z.re);
        if not_finite(z.im) {
            return Complex::new(re, R::ZERO);
        }
        let four = R::TWO + R::TWO;
        return Complex::new(re, four * s * c * (-(R::TWO * Lane::abs(z.re))).exp());
    }
    let (sh, ch) = (z.re.sinh(), z.re.cosh());
    let d = sh * sh + c * c;
    Complex::new(sh * ch / d, s * c / d)
}

fn far_tan<R: Part>(z: C<R>) -> C<R> {
    let w = far_tanh(Complex::new(-z.im, z.re));
    Complex::new(w.im, -w.re)
}

/// Implements [`UnaryFn`] for the complex types by one expression each.
macro_rules! scalar_code {
    ($($name:path: |$z:ident| $e:expr;)*) => { $(
        scalar_code!(@each $name, $z, $e; f64 f32);
    )* };
    (@each $name:path, $z:ident, $e:expr; $($r:ident)*) => { $(
        impl UnaryFn<C<$r>> for $name {
            const EXACT: bool = true;
            #[inline(always)]
            fn eval<const FMA: bool>($z: C<$r>) -> C<$r> {
                $e
            }
        }
    )* };
}

/// z/|z|, and 0 at 0
fn sign<R: Part>(z: C<R>) -> C<R> {
    let modulus = z.re.hypot(z.im);
    if modulus == R::ZERO { z } else { Complex::new(z.re / modulus, z.im / modulus) }
}

scalar_code! {
    exp::Exp2: |z| Number::exp(z.scale(std::f64::consts::LN_2 as _));
    exp::Expm1: |z| Number::expm1(z);
    log::Log2: |z| Number::ln(z).scale(std::f64::consts::LOG2_E as _);
    log::Log10: |z| Number::ln(z).scale(std::f64::consts::LOG10_E as _);
    log::Log1p: |z| Number::log1p(z);
    simple::Cbrt: |z| z.cbrt();
    inverse::Asin: |z| Number::asin(z);
    inverse::Acos: |z| Number::acos(z);
    inverse::Atan: |z| Number::atan(z);
    inverse::Asinh: |z| Number::asinh(z);
    inverse::Acosh: |z| Number::acosh(z);
    inverse::Atanh: |z| Number::atanh(z);
    simple::Abs: |z| Complex::new(z.re.hypot(z.im), 0.0);
    simple::Sign: |z| sign(z);
}

macro_rules! reciprocal_of {
    ($($r:ident)*) => { $(
        impl UnaryFn<C<$r>> for simple::Reciprocal {
            #[inline(always)]
            fn eval<const FMA: bool>(z: C<$r>) -> C<$r> {
                reciprocal::<$r, FMA>(z)
            }
        }
        /// 1/(1 + e⁻ᶻ), from the side where the exponential is small
        impl UnaryFn<C<$r>> for exp::Sigmoid {
            #[inline(always)]
            fn eval<const FMA: bool>(z: C<$r>) -> C<$r> {
                let one = Complex::new(1.0, 0.0);
                if z.re < 0.0 {
                    let e = Number::exp(z);
                    divide::<$r, FMA>(e, one + e)
                } else {
                    reciprocal::<$r, FMA>(one + Number::exp(-z))
                }
            }
        }
        /// ln(1 + eᶻ) = z + ln(1 + e⁻ᶻ)
        impl UnaryFn<C<$r>> for log::Softplus {
            #[inline(always)]
            fn eval<const FMA: bool>(z: C<$r>) -> C<$r> {
                if z.re > 0.0 { z + Number::log1p(Number::exp(-z)) } else { Number::log1p(Number::exp(z)) }
            }
        }
        impl BinaryFn<C<$r>> for pow::Pow {
            #[inline(always)]
            fn eval<const FMA: bool>(a: C<$r>, b: C<$r>) -> C<$r> {
                Number::pow(a, b)
            }
        }
    )* };
}
reciprocal_of!(f64 f32);

/// Functions with a meaning for real numbers only; the operations on arrays do not offer them for complex ones.
macro_rules! real_only {
    ($r:ident: $($unary:path),*; $($binary:path),*) => {
        $(
            impl UnaryFn<C<$r>> for $unary {
                fn eval<const FMA: bool>(_: C<$r>) -> C<$r> {
                    unreachable!("a function of real numbers")
                }
            }
        )*
        $(
            impl BinaryFn<C<$r>> for $binary {
                fn eval<const FMA: bool>(_: C<$r>, _: C<$r>) -> C<$r> {
                    unreachable!("a function of real numbers")
                }
            }
        )*
    };
}
real_only!(f64: erf::Erf, erf::Erfc, simple::Floor, simple::Ceil, simple::Round, simple::Relu; simple::Max, simple::Min, simple::Rem, inverse::Atan2, pow::Hypot);
real_only!(f32: erf::Erf, erf::Erfc, simple::Floor, simple::Ceil, simple::Round, simple::Relu; simple::Max, simple::Min, simple::Rem, inverse::Atan2, pow::Hypot);

/// a x + y
#[inline(always)]
pub fn multiply_add<R: Part, const FMA: bool>(a: C<R>, x: C<R>, y: C<R>) -> C<R> {
    let re = Lane::madd::<FMA>(a.re, x.re, Lane::madd::<FMA>(-a.im, x.im, y.re));
    let im = Lane::madd::<FMA>(a.re, x.im, Lane::madd::<FMA>(a.im, x.re, y.im));
    Complex::new(re, im)
}
