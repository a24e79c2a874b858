//! The inverse trigonometric and hyperbolic functions and the angle of a point.
//!
//! atan: reduction to |t| ≤ tan(π/8) by atan a = π/4 + atan((a − 1)/(a + 1)) or π/2 − atan(1/a), one division. asin: |x| ≤ ½ directly,
//! above through asin a = π/2 − 2 asin √((1 − a)/2). The hyperbolic ones through ln(1 + ·). `f32` is computed in `f64` and rounded.

use super::exp::real_function;
use super::lane::{Lane, estrin, fast_two_sum, two_product, two_sum};
use super::log::{ln_of_sum, log1p_wide, two_functions};
use super::{BinaryFn, UnaryFn};

const PI_LO: f64 = 1.224_646_799_147_353_2e-16;

/// atan(a/b) for a, b ≥ 0, not both zero or infinite
#[inline(always)]
fn atan_quotient<const FMA: bool>(a: f64, b: f64) -> f64 {
    const TAN_PI_8: f64 = 0.414_213_562_373_095_05;
    const TAN_3PI_8: f64 = 2.414_213_562_373_095;
    let middle = a > TAN_PI_8 * b;
    let steep = a > TAN_3PI_8 * b;
    let top = if steep {
        -b
    } else if middle {
        a - b
    } else {
        a
    };
    let bottom = if steep {
        a
    } else if middle {
        a + b
    } else {
        b
    };
    let base = if steep {
        std::f64::consts::FRAC_PI_2
    } else if middle {
        std::f64::consts::FRAC_PI_4
    } else {
        0.0
    };
    let base_low = if steep {
        0.5 * PI_LO
    } else if middle {
        0.25 * PI_LO
    } else {
        0.0
    };
    let t = top / bottom;
    let z = t * t;
    let p = estrin!(
        FMA,
        z,
        [
            -0.333333333333332,
            0.19999999999953666,
            -0.14285714280204226,
            0.11111110783821654,
            -0.09090897767233415,
            0.07692060363999267,
            -0.06663105477635278,
            0.05847897540890714,
            -0.0503933148040892,
            0.03806497141808196,
            -0.01790736203516549,
        ]
    );
    base + ((z * t).madd::<FMA>(p, base_low) + t)
}

#[inline(always)]
pub fn atan<const FMA: bool>(x: f64) -> f64 {
    atan_quotient::<FMA>(x.abs(), 1.0).copysign(x)
}

/// The angle of (x, y) where [`atan2_outside`] is false.
#[inline(always)]
pub fn atan2<const FMA: bool>(y: f64, x: f64) -> f64 {
    let angle = atan_quotient::<FMA>(y.abs(), x.abs());
    let angle = if x.is_sign_negative() { std::f64::consts::PI - (angle - PI_LO) } else { angle };
    angle.copysign(y)
}

/// The origin, infinities, NaN, and numbers whose sum overflows.
#[inline(always)]
pub fn atan2_outside(y: f64, x: f64) -> bool {
    let (y, x) = (y.abs(), x.abs());
    !(y < 1e300 && x < 1e300 && (y > 0.0 || x > 0.0))
}

/// (asin t − t)/t³ as a function of z = t² ≤ ¼
#[inline(always)]
fn asin_p<const FMA: bool>(z: f64) -> f64 {
    estrin!(
        FMA,
        z,
        [
            0.16666666666665375,
            0.07500000000344799,
            0.04464285682198178,
            0.03038195939508277,
            0.022371751950116047,
            0.01735979542814187,
            0.01388435269842015,
            0.012174927521580434,
            0.006503582450758094,
            0.019594177920447837,
            -0.016326448514254313,
            0.03198153029504803,
        ]
    )
}

#[inline(always)]
fn asin<const FMA: bool>(x: f64) -> f64 {
    let a = x.abs();
    let large = a > 0.5;
    let z = if large { 0.5 * (1.0 - a) } else { a * a };
    let t = if large { z.sqrt() } else { a };
    let p = asin_p::<FMA>(z);
    let direct = (t * z).madd::<FMA>(p, t);
    let (h, l) = fast_two_sum(std::f64::consts::FRAC_PI_2, -2.0 * t);
    let complement = h + (l + (-2.0 * t * z).madd::<FMA>(p, 0.5 * PI_LO));
    let y = if large { complement } else { direct };
    y.copysign(x)
}

#[inline(always)]
fn acos<const FMA: bool>(x: f64) -> f64 {
    let a = x.abs();
    let large = a > 0.5;
    let z = if large { 0.5 * (1.0 - a) } else { a * a };
    let t = if large { z.sqrt() } else { x };
    let y = (t * z).madd::<FMA>(asin_p::<FMA>(z), t);
    let twice = 2.0 * y;
    if !large {
        std::f64::consts::FRAC_PI_2 - (y - 0.5 * PI_LO)
    } else if x > 0.0 {
        twice
    } else {
        std::f64::consts::PI - (twice - PI_LO)
    }
}

/// Beyond this, ln 2x is asinh x and acosh x to rounding, and x² does not overflow before it.
const HUGE: f64 = 1e30;

#[inline(always)]
fn asinh<const FMA: bool>(x: f64) -> f64 {
    let a = x.abs();
    let square = a * a;
    let huge = a > HUGE;
    let (inner, low) = fast_two_sum(a, if huge { 0.0 } else { square / (1.0 + (1.0 + square).sqrt()) });
    (log1p_of_sum::<FMA>(inner, low) + if huge { std::f64::consts::LN_2 } else { 0.0 }).copysign(x)
}

#[inline(always)]
fn acosh<const FMA: bool>(x: f64) -> f64 {
    let t = x - 1.0;
    let huge = x > HUGE;
    // √(t² + 2t) with what its own rounding and that of the square leave, over twice the root
    let r = if huge { 0.0 } else { t };
    let (square, square_low) = two_product::<FMA>(r, r);
    let (sum, sum_low) = two_sum(r + r, square);
    let root = sum.sqrt();
    let (back, back_low) = two_product::<FMA>(root, root);
    let rest = (((sum - back) - back_low) + (sum_low + square_low)) / (root + root);
    let (inner, low) = two_sum(t, root);
    let y = log1p_of_sum::<FMA>(inner, low + if root > 0.0 { rest } else { 0.0 }) + if huge { std::f64::consts::LN_2 } else { 0.0 };
    if x < 1.0 { f64::NAN } else { y }
}

/// ln(1 + a + low) for a ≥ 0 and low below an ulp of a; infinite and NaN a come back.
#[inline(always)]
fn log1p_of_sum<const FMA: bool>(a: f64, low: f64) -> f64 {
    let (u, error) = two_sum(1.0, a);
    let y = ln_of_sum::<f64, FMA>(u, error + low);
    if a < f64::INFINITY { y } else { a }
}

#[inline(always)]
fn atanh<T: Lane, const FMA: bool>(x: T) -> T {
    let a = x.abs();
    (T::HALF * log1p_wide::<T, FMA>((a + a) / (T::ONE - a))).copysign(x)
}

/// `f32` versions by rounding the `f64` ones
macro_rules! rounded {
    ($($single:ident = $double:ident;)*) => { $(
        #[inline(always)]
        fn $single<const FMA: bool>(x: f32) -> f32 {
            $double::<FMA>(x as f64) as f32
        }
    )* };
}
rounded! {
    atan_f32 = atan;
    asin_f32 = asin;
    acos_f32 = acos;
    asinh_f32 = asinh;
    acosh_f32 = acosh;
}

two_functions! {
    /// arctan x
    Atan = atan, atan_f32;
    /// arcsin x
    Asin = asin, asin_f32;
    /// arccos x
    Acos = acos, acos_f32;
    /// arcsinh x
    Asinh = asinh, asinh_f32;
    /// arccosh x
    Acosh = acosh, acosh_f32;
}
real_function! {
    /// arctanh x
    Atanh = atanh;
}

/// The angle of the point (x, y), y first
pub struct Atan2;

impl BinaryFn<f64> for Atan2 {
    const PARTIAL: bool = true;
    #[inline(always)]
    fn eval<const FMA: bool>(y: f64, x: f64) -> f64 {
        atan2::<FMA>(y, x)
    }
    #[inline(always)]
    fn outside<const FMA: bool>(y: f64, x: f64) -> bool {
        atan2_outside(y, x)
    }
    fn slow(y: f64, x: f64) -> f64 {
        y.atan2(x)
    }
}

impl BinaryFn<f32> for Atan2 {
    const PARTIAL: bool = true;
    #[inline(always)]
    fn eval<const FMA: bool>(y: f32, x: f32) -> f32 {
        atan2::<FMA>(y as f64, x as f64) as f32
    }
    #[inline(always)]
    fn outside<const FMA: bool>(y: f32, x: f32) -> bool {
        atan2_outside(y as f64, x as f64)
    }
    fn slow(y: f32, x: f32) -> f32 {
        y.atan2(x)
    }
}

/// ln |z| and the angle of z = x + iy, where [`polar_log_outside`] is false
#[inline(always)]
pub fn polar_log<const FMA: bool>(x: f64, y: f64) -> (f64, f64) {
    let (p, p_error) = super::lane::two_product::<FMA>(x, x);
    let (q, q_error) = super::lane::two_product::<FMA>(y, y);
    let (u, u_error) = two_sum(p, q);
    (0.5 * ln_of_sum::<f64, FMA>(u, u_error + (p_error + q_error)), atan2::<FMA>(y, x))
}

/// Where |z|² or its rounding error leaves the normal range.
#[inline(always)]
pub fn polar_log_outside(x: f64, y: f64) -> bool {
    let (x, y) = (x.abs(), y.abs());
    let larger = if x > y { x } else { y };
    !(larger > 1e-140 && x < 1e150 && y < 1e150)
}
