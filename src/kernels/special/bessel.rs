//! Bessel functions of real argument: J_n, Y_n of integer order, I_ν, K_ν of real order.
//!
//! Formulas: DLMF chapter 10. Orders 0 and 1 are `pxfm`'s (half a unit in the last place), J_n and Y_n `libm`'s recurrences, and I_ν and K_ν
//! `complex-bessel`'s (Amos, ACM TOMS 12, 265, 1986) where the power series of I_ν, of positive terms, does not serve.
//! At infinity the functions take their limits.

use super::dd::Dd;
use num_complex::Complex;
use std::f64::consts::PI;

/// J₀(x)
pub fn j0(x: f64) -> f64 {
    pxfm::f_j0(x)
}

/// J₁(x)
pub fn j1(x: f64) -> f64 {
    pxfm::f_j1(x)
}

/// Y₀(x) for x > 0; −∞ at zero, NaN below.
pub fn y0(x: f64) -> f64 {
    if x == 0.0 { f64::NEG_INFINITY } else { pxfm::f_y0(x) }
}

/// Y₁(x) for x > 0; −∞ at zero, NaN below.
pub fn y1(x: f64) -> f64 {
    if x == 0.0 { f64::NEG_INFINITY } else { pxfm::f_y1(x) }
}

/// J_n(x) for any integer n.
pub fn jn(n: i32, x: f64) -> f64 {
    match n {
        0 => j0(x),
        1 => j1(x),
        _ => libm::jn(n, x),
    }
}

/// Y_n(x) for any integer n and x > 0; ∓∞ at zero, NaN below.
pub fn yn(n: i32, x: f64) -> f64 {
    match n {
        0 => y0(x),
        1 => y1(x),
        _ if x < 0.0 || x.is_nan() => f64::NAN,
        _ => libm::yn(n, x),
    }
}

/// I₀(x)
pub fn i0(x: f64) -> f64 {
    pxfm::f_i0(x)
}

/// I₁(x)
pub fn i1(x: f64) -> f64 {
    pxfm::f_i1(x)
}

/// e^{−|x|} I₀(x)
pub fn i0e(x: f64) -> f64 {
    pxfm::f_i0e(x)
}

/// e^{−|x|} I₁(x)
pub fn i1e(x: f64) -> f64 {
    pxfm::f_i1e(x)
}

/// K₀(x) for x > 0; +∞ at zero, NaN below.
pub fn k0(x: f64) -> f64 {
    if x == 0.0 {
        f64::INFINITY
    } else if x > 700.0 {
        gradual_underflow(pxfm::f_k0e(x), x)
    } else {
        pxfm::f_k0(x)
    }
}

/// K₁(x) for x > 0; +∞ at zero, NaN below.
pub fn k1(x: f64) -> f64 {
    if (0.0..1e-290).contains(&x) {
        1.0 / x.abs()
    } else if x > 700.0 {
        gradual_underflow(pxfm::f_k1e(x), x)
    } else {
        pxfm::f_k1(x)
    }
}

/// k e^{−x} where e^{−x} may be subnormal.
fn gradual_underflow(k: f64, x: f64) -> f64 {
    let half = (-0.5 * x).exp();
    k * half * half
}

/// I_ν(x). For x < 0 the order must be an integer, otherwise NaN.
pub fn iv(v: f64, x: f64) -> f64 {
    modified_first_kind(v, x, false)
}

/// e^{−|x|} I_ν(x). For x < 0 the order must be an integer, otherwise NaN.
pub fn ive(v: f64, x: f64) -> f64 {
    modified_first_kind(v, x, true)
}

/// K_ν(x) = K_{−ν}(x) for x > 0; +∞ at zero, NaN below.
pub fn kv(v: f64, x: f64) -> f64 {
    if v.is_nan() || x.is_nan() || x < 0.0 {
        return f64::NAN;
    }
    if x == 0.0 {
        return f64::INFINITY;
    }
    if x.is_infinite() {
        return 0.0;
    }
    second_kind_scaled(v.abs(), x).map_or_else(|limit| limit, |(k, power)| (Dd::LN_2 * power - x).exp() * k)
}

const BIG_POWER: f64 = 600.0;
/// 2⁶⁰⁰
const BIG: f64 = f64::from_bits((1023 + BIG_POWER as u64) << 52);

/// (k, p) with K_ν(x) = k 2^p e^{−x} for ν ≥ 0 and x > 0, or the limit where K is out of range.
///
/// Amos's uniform expansion loses digits at high order; the upward recurrence from orders below two, stable for K, does not.
fn second_kind_scaled(v: f64, x: f64) -> Result<(f64, f64), f64> {
    let amos = |order: f64| complex_bessel::besselk_scaled(order, Complex::new(x, 0.0)).map(|z| z.re);
    let limit = if x > v { 0.0 } else { f64::INFINITY };
    if v > 1e4 {
        return amos(v).map(|k| (k, 0.0)).or_else(|_| {
            let (exponent, r, correction) = debye(v, x);
            let k = (0.5 * PI / r).sqrt() * (1.0 - correction);
            let power = (-exponent / std::f64::consts::LN_2).round_ties_even();
            Ok((k * (Dd::LN_2 * -power - exponent).exp(), power))
        });
    }
    if v < 2.0 {
        return amos(v).map(|k| (k, 0.0)).map_err(|_| limit);
    }
    let start = v - v.floor();
    let (mut below, mut k) = (amos(start).map_err(|_| limit)?, amos(start + 1.0).map_err(|_| limit)?);
    let mut power = 0.0;
    let mut order = start + 1.0;
    while order < v - 0.5 {
        (below, k) = (k, below + 2.0 * order / x * k);
        order += 1.0;
        if k > BIG {
            (below, k) = (below / BIG, k / BIG);
            power += BIG_POWER;
        }
    }
    Ok((k, power))
}

fn modified_first_kind(v: f64, x: f64, scaled: bool) -> f64 {
    if v.is_nan() || x.is_nan() {
        return f64::NAN;
    }
    let integer = v == v.floor();
    if x < 0.0 {
        // I_n(−x) = (−1)ⁿ I_n(x)
        return match integer {
            false => f64::NAN,
            true if v % 2.0 == 0.0 => modified_first_kind(v, -x, scaled),
            true => -modified_first_kind(v, -x, scaled),
        };
    }
    let v = if integer { v.abs() } else { v };
    if x == 0.0 {
        return match v {
            0.0 => 1.0,
            _ if v > 0.0 => 0.0,
            // x^ν/Γ(ν+1) with the sign of Γ
            _ => f64::INFINITY * super::gamma::gammasgn(v + 1.0),
        };
    }
    if x.is_infinite() || v.is_infinite() {
        return if v.is_infinite() || scaled { 0.0 } else { f64::INFINITY };
    }
    if v < 0.0 {
        // I_{−μ} = I_μ + (2/π) sin(πμ) K_μ
        let growth = if scaled { -2.0 * x } else { -x };
        let k = second_kind_scaled(-v, x).map_or_else(|limit| limit, |(k, power)| (Dd::LN_2 * power + growth).exp() * k);
        return modified_first_kind(-v, x, scaled) + std::f64::consts::FRAC_2_PI * super::gamma::sin_pi(-v) * k;
    }
    if v <= 1.0 && integer {
        return match (v == 0.0, scaled) {
            (true, false) => i0(x),
            (true, true) => i0e(x),
            (false, false) => i1(x),
            (false, true) => i1e(x),
        };
    }
    if x < 1e3 && x * x <= 4.0 * SERIES_LIMIT * (v + 1.0) {
        return power_series(v, x, scaled);
    }
    let z = Complex::new(x, 0.0);
    match if scaled { complex_bessel::besseli_scaled(v, z) } else { complex_bessel::besseli(v, z) } {
        Ok(z) => z.re,
        Err(_) => {
            // out of Amos's range: x or ν above about 1e9, or the result overflows
            let (exponent, r, correction) = debye(v, x);
            (if scaled { exponent } else { exponent + x }).exp() / (2.0 * PI * r).sqrt() * (1.0 + correction)
        }
    }
}

/// The uniform expansion at large order or argument to first order (DLMF 10.41(ii)) with r = √(ν² + x²):
/// I_ν = e^{x + s}/√(2πr) (1 + u), K_ν = √(π/2r) e^{−x−s} (1 − u); returns (s, r, u), with u² of the order of the error.
fn debye(v: f64, x: f64) -> (f64, f64, f64) {
    let r = v.hypot(x);
    let p = v / r;
    (v * (v / (r + x)) - v * (v / x).asinh(), r, (3.0 - 5.0 * p * p) / (24.0 * r))
}

/// Up to here the ratio of the first terms, x²/(4(ν+1)), leaves the series at most a few hundred terms.
const SERIES_LIMIT: f64 = 300.0;

/// I_ν = (x/2)^ν/Γ(ν+1) Σ (x²/4)^k/(k!(ν+1)_k), DLMF 10.25.2.
fn power_series(v: f64, x: f64, scaled: bool) -> f64 {
    // the rounding of w enters the k-th term k times: Σ k t_k is its derivative in ln w
    let w = Dd::product(0.5 * x, 0.5 * x);
    let (mut sum, mut term, mut k, mut weighted) = (1.0, 1.0, 1.0, 0.0);
    loop {
        term *= w.hi / (k * (v + k));
        sum += term;
        weighted += k * term;
        if term <= 0.25 * f64::EPSILON * sum {
            break;
        }
        k += 1.0;
    }
    let sum = sum + weighted * (w.lo / w.hi);
    let exponent = Dd::from(0.5 * x).ln() * v - Dd::sum(v, 1.0).ln_gamma();
    let exponent = if scaled { exponent - x } else { exponent };
    // the sum may be as large as e^x where the factor underflows
    let half = exponent * 0.5;
    half.exp() * sum * half.exp()
}

/// e^{−|x|} (I₀(|x|) − I₁(|x|)): without cancellation at large x, where it is i0e(x)/(2x).
pub fn i0e_minus_i1e(x: f64) -> f64 {
    let x = x.abs();
    if x < 30.0 {
        return i0e(x) - i1e(x);
    }
    // Hankel's expansions (DLMF 10.40.1) of both, subtracted term by term
    let (mut zero, mut one, mut sum, mut k) = (1.0, 1.0, 0.0, 1.0);
    loop {
        let square = (2.0 * k - 1.0) * (2.0 * k - 1.0);
        zero *= square / (8.0 * k * x);
        one *= (square - 4.0) / (8.0 * k * x);
        sum += zero - one;
        if zero <= 0.1 * f64::EPSILON * sum {
            return sum / (2.0 * PI * x).sqrt();
        }
        k += 1.0;
    }
}
