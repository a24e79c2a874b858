//! The error function family, the normal distribution's functions, and logarithms that are finite where they should be.
//!
//! Formulas: DLMF chapter 7. erf, erfc, erfcx and their inverses are `pxfm`'s, within half a unit in the last place.

use super::dd::Dd;
use std::f64::consts::{FRAC_2_SQRT_PI, SQRT_2};

/// 1/√2 in double-double.
const FRAC_1_SQRT_2: Dd = Dd { hi: std::f64::consts::FRAC_1_SQRT_2, lo: -4.833646656726457e-17 };

/// erf x = 2/√π ∫₀ˣ e^{−t²} dt
pub fn erf(x: f64) -> f64 {
    pxfm::f_erf(x)
}

/// erfc x = 1 − erf x
pub fn erfc(x: f64) -> f64 {
    pxfm::f_erfc(x)
}

/// e^{x²} erfc x
pub fn erfcx(x: f64) -> f64 {
    pxfm::f_erfcx(x)
}

/// The inverse of erf on [−1, 1]; NaN outside.
pub fn erfinv(x: f64) -> f64 {
    pxfm::f_erfinv(x)
}

/// The inverse of erfc on [0, 2]; NaN outside.
pub fn erfcinv(x: f64) -> f64 {
    let y = pxfm::f_erfcinv(x);
    if x < 1e-20 && x > 0.0 {
        // the library's tail holds to 1e-13…6e-9 only: one Newton step on ln erfc(y) = ln x, whose derivative is −2/(√π erfcx y)
        let e = pxfm::f_erfcx(y);
        y + (e.ln() - y * y - x.ln()) * e / FRAC_2_SQRT_PI
    } else {
        y
    }
}

/// The standard normal cumulative distribution Φ(x) = ½ erfc(−x/√2).
pub fn ndtr(x: f64) -> f64 {
    if x.abs() > 50.0 {
        return if x > 0.0 { 1.0 } else { 0.0 };
    }
    // the rounding of x/√2 would cost x²ε in the tail: a first-order step with d erfc(t) = −2/√π e^{−t²} dt corrects it
    let t = -(FRAC_1_SQRT_2 * x);
    let e = pxfm::f_erfc(t.hi);
    let correction = if t.hi > 0.0 { e / pxfm::f_erfcx(t.hi) } else { (-t.hi * t.hi).exp() };
    0.5 * (e - t.lo * FRAC_2_SQRT_PI * correction)
}

/// ln Φ(x), without underflow.
pub fn log_ndtr(x: f64) -> f64 {
    if x < -1.0 {
        let t = -x * std::f64::consts::FRAC_1_SQRT_2;
        if t.is_infinite() { f64::NEG_INFINITY } else { (0.5 * pxfm::f_erfcx(t)).ln() - 0.5 * x * x }
    } else {
        // Φ(x) = 1 − ½ erfc(x/√2)
        (-ndtr(-x)).ln_1p()
    }
}

/// The inverse of Φ on [0, 1]; NaN outside.
pub fn ndtri(p: f64) -> f64 {
    if p < 0.5 { -SQRT_2 * erfcinv(2.0 * p) } else { SQRT_2 * pxfm::f_erfinv(2.0 * p - 1.0) }
}

/// ln(p/(1−p)) on [0, 1]; NaN outside.
pub fn logit(p: f64) -> f64 {
    if (0.25..=0.75).contains(&p) {
        // p/(1−p) = 1 + (2p−1)/(1−p), with 2p−1 exact
        ((2.0 * p - 1.0) / (1.0 - p)).ln_1p()
    } else if p < 0.25 {
        p.ln() - (-p).ln_1p()
    } else {
        (p / (1.0 - p)).ln()
    }
}

/// The logistic function 1/(1 + e^{−x}).
pub fn expit(x: f64) -> f64 {
    let e = (-x.abs()).exp();
    if x >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) }
}

/// −x ln x for x ≥ 0 (zero at zero); −∞ for x < 0.
pub fn entr(x: f64) -> f64 {
    if x > 0.0 {
        -x * x.ln()
    } else if x == 0.0 {
        0.0
    } else if x.is_nan() {
        x
    } else {
        f64::NEG_INFINITY
    }
}

/// x ln y, zero at x = 0 unless y is NaN.
pub fn xlogy(x: f64, y: f64) -> f64 {
    if x == 0.0 && !y.is_nan() { 0.0 } else { x * y.ln() }
}

/// x ln(1 + y), zero at x = 0 unless y is NaN.
pub fn xlog1py(x: f64, y: f64) -> f64 {
    if x == 0.0 && !y.is_nan() { 0.0 } else { x * y.ln_1p() }
}

/// e^{x²} iⁿerfc(x) with the repeated integrals iⁿerfc(x) = ∫_x^∞ i^{n−1}erfc: dⁿ(e^{x²} erfc x)/dxⁿ = (−2)ⁿ n! e^{x²} iⁿerfc(x) (DLMF 7.18).
pub fn erfcx_integral(n: u32, x: f64) -> f64 {
    if n == 0 {
        return pxfm::f_erfcx(x);
    }
    if x.is_infinite() && x > 0.0 {
        return 0.0;
    }
    if x > 1.0 {
        // the ratio of successive integrals as a continued fraction (7.18.13)
        let k = n as f64;
        let ratio = 0.5 * super::dual::continued_fraction(x, |j| (0.5 * (k + j), x));
        return ratio * erfcx_integral(n - 1, x);
    }
    // 2n iⁿ = i^{n−2} − 2x i^{n−1}
    let (mut below, mut integral) = (FRAC_2_SQRT_PI, pxfm::f_erfcx(x));
    for k in 1..=n {
        (below, integral) = (integral, (0.5 * below - x * integral) / k as f64);
    }
    integral
}
