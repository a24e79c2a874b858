//! The error function and its complement in `f32` and `f64`.
//!
//! |x| < 1: erf x = x + x E(x²). Above: erf x = 1 − erfc x and erfc x = e^−x² W(u)/x, u = (x − K)/(x + K), where the bounded function
//! x e^{x²} erfc x is smooth in u up to infinity (M. M. Shepherd and J. G. Laframboise, Math. Comp. 36 (1981) 249), and the rounding
//! error of x² goes into the exponential.

use super::UnaryFn;
use super::exp::{clamp, exp_with_tail, exp_with_tail_parts};
use super::lane::{Lane, estrin, fast_two_sum, horner, two_product};
use super::log::two_functions;

/// (erf x − x)/x for z = x² ≤ 1
#[inline(always)]
fn centre<const FMA: bool>(z: f64) -> f64 {
    horner!(
        FMA,
        z,
        [
            0.12837916709551256,
            -0.3761263890318352,
            0.112837916709442,
            -0.02686617064311337,
            0.00522397760613059,
            -0.0008548325929757253,
            0.00012055293586735037,
            -1.4924712436635073e-05,
            1.6447132673578035e-06,
            -1.6206318612108447e-07,
            1.3710988311453934e-08,
            -7.779462583348371e-10,
        ]
    )
}

/// e^−a²
#[inline(always)]
fn gaussian<const FMA: bool>(a: f64) -> f64 {
    let (h, l) = two_product::<FMA>(a, a);
    exp_with_tail::<FMA>(-h, -l)
}

#[inline(always)]
fn erf<const FMA: bool>(x: f64) -> f64 {
    let a = x.abs();
    let near = x.madd::<FMA>(centre::<FMA>(a * a), x);
    // erf is one to rounding from 5.93
    let b = clamp(a, 1.0, 6.0);
    let u = (b - 3.0) / (b + 3.0);
    let w = estrin!(
        FMA,
        u,
        [
            0.5370034535444739,
            0.0953062269800003,
            -0.14658304767268973,
            0.13988054821787982,
            -0.09546979941592335,
            0.04634956617807946,
            -0.014024696805338665,
            0.0008899449283892727,
            0.0011847271984655474,
            -0.0005178905097139067,
            -0.00020255732066043892,
        ]
    );
    let far = (1.0 - gaussian::<FMA>(b) * w / b).copysign(x);
    if a < 1.0 { near } else { far }
}

#[inline(always)]
fn erfc<const FMA: bool>(x: f64) -> f64 {
    let a = x.abs();
    // 1 − x first: for ½ < x < 1 that is exact
    let near = (-x).madd::<FMA>(centre::<FMA>(a * a), 1.0 - x);
    // erfc is zero from 27.3
    let b = clamp(a, 0.9, 28.0);
    let u = (b - 3.0) / (b + 3.0);
    let p = horner!(
        FMA,
        u,
        [
            0.09530622695922782,
            -0.14658304803289066,
            0.1398805476017999,
            -0.09546975030665958,
            0.04635026332996624,
            -0.01401982562493793,
            0.0009108227158470682,
            0.00124287613366521,
            -0.00041254408346474395,
            -8.460790507251898e-05,
            6.898184283974802e-05,
            6.461697655444102e-06,
            -1.1117702442051002e-05,
            -9.822882586288562e-07,
            1.8997951183970197e-06,
            2.6927962532634846e-07,
            -3.412250546291124e-07,
            -5.408218438268141e-08,
            5.497395085345665e-08,
            -3.0621961775706574e-09,
        ]
    );
    // e^−b² = (s + s_low) 2ʲ 2ᵏ, W = w + w_low and W/b = q + q_low
    let (h, l) = two_product::<FMA>(b, b);
    let (s, s_low, j, k) = exp_with_tail_parts::<FMA>(-h, -l);
    let (w, w_low) = fast_two_sum(0.5370034535441699, u * p);
    let inverse = 1.0 / b;
    let q = w * inverse;
    let q_low = if FMA { ((-q).mul_add(b, w) + w_low) * inverse } else { w_low * inverse };
    let tail = s.madd::<FMA>(q, s.madd::<FMA>(q_low, s_low * q)) * j * k;
    let far = if x < 0.0 { 2.0 - tail } else { tail };
    if a < 0.9 { near } else { far }
}

/// W(u) with K = 2 to a relative 2^−27, for `f32`
#[inline(always)]
fn tail_short<const FMA: bool>(b: f64) -> f64 {
    let u = (b - 2.0) / (b + 2.0);
    let w = estrin!(
        FMA,
        u,
        [
            0.5107913547110915,
            0.1672110379757923,
            -0.2038445402210197,
            0.12151377601210234,
            -0.02897177892918844,
            -0.007502392263846412,
            0.0047530697498724475,
            0.0010651333349379183,
            -0.0006601047356488038,
            -0.00019350543290695988,
        ]
    );
    w / b * super::exp::exp_short::<FMA>(-b * b)
}

/// erf x − x over x for z = x² ≤ 1, to a relative 2^−29
#[inline(always)]
fn centre_short<const FMA: bool>(z: f64) -> f64 {
    estrin!(
        FMA,
        z,
        [
            0.12837916572944838,
            -0.3761262583720638,
            0.11283585246927559,
            -0.026853814537438438,
            0.0051883304291068235,
            -0.0008010202435254759,
            7.853849512670115e-05,
        ]
    )
}

#[inline(always)]
fn erf_f32<const FMA: bool>(x: f32) -> f32 {
    let x = x as f64;
    let a = x.abs();
    let near = x.madd::<FMA>(centre_short::<FMA>(a * a), x);
    let far = (1.0 - tail_short::<FMA>(clamp(a, 0.5, 4.5))).copysign(x);
    (if a < 1.0 { near } else { far }) as f32
}

#[inline(always)]
fn erfc_f32<const FMA: bool>(x: f32) -> f32 {
    let x = x as f64;
    let a = x.abs();
    let near = 1.0 - x.madd::<FMA>(centre_short::<FMA>(a * a), x);
    // erfc is zero in single precision from 10.06
    let tail = tail_short::<FMA>(clamp(a, 0.5, 10.3));
    let far = if x < 0.0 { 2.0 - tail } else { tail };
    (if a < 0.5 { near } else { far }) as f32
}

two_functions! {
    /// erf x
    Erf = erf, erf_f32;
    /// erfc x = 1 − erf x
    Erfc = erfc, erfc_f32;
}

/// e^−x², the derivative of erf up to 2/√π
pub struct Gaussian;

impl UnaryFn<f64> for Gaussian {
    #[inline(always)]
    fn eval<const FMA: bool>(x: f64) -> f64 {
        let a = x.abs();
        gaussian::<FMA>(if a > 40.0 { 40.0 } else { a })
    }
}

impl UnaryFn<f32> for Gaussian {
    #[inline(always)]
    fn eval<const FMA: bool>(x: f32) -> f32 {
        let a = x.abs() as f64;
        let a = if a > 20.0 { 20.0 } else { a };
        super::exp::exp_short::<FMA>(-a * a) as f32
    }
}
