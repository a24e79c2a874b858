//! The gamma function and its relatives: Γ, ln|Γ|, 1/Γ, ψ and its derivatives, Hurwitz ζ, Euler's B.
//!
//! Formulas: DLMF chapters 5 and 25. Γ, ln|Γ|, ψ and ψ′ are `pxfm`'s, within half a unit in the last place.

use super::dd::Dd;
use std::f64::consts::PI;

/// B_{2k}/(2k)!, k = 1…12: the Euler–Maclaurin formula.
const EULER_MACLAURIN: [f64; 12] = [
    0.083_333_333_333_333_33,
    -0.001_388_888_888_888_889,
    3.306_878_306_878_307e-5,
    -8.267_195_767_195_768e-7,
    2.087_675_698_786_81e-8,
    -5.284_190_138_687_493e-10,
    1.338_253_653_068_467_9e-11,
    -3.389_680_296_322_582_7e-13,
    8.586_062_056_277_845e-15,
    -2.174_868_698_558_062e-16,
    5.509_002_828_360_229_5e-18,
    -1.395_446_468_581_252_2e-19,
];

/// B_{2k}/(2k), k = 1…8: the asymptotic series of ψ.
pub(super) const DIGAMMA: [f64; 8] = [
    0.083_333_333_333_333_33,
    -0.008_333_333_333_333_333,
    0.003_968_253_968_253_968,
    -0.004_166_666_666_666_667,
    0.007_575_757_575_757_576,
    -0.021_092_796_092_796_094,
    0.083_333_333_333_333_33,
    -0.443_259_803_921_568_6,
];

fn is_pole(x: f64) -> bool {
    x <= 0.0 && x == x.floor()
}

/// Γ(x). ±∞ at ±0, NaN at the negative integers and −∞.
pub fn gamma(x: f64) -> f64 {
    if x == 0.0 {
        1.0 / x
    } else if is_pole(x) {
        f64::NAN
    } else {
        pxfm::f_tgamma(x)
    }
}

/// ln|Γ(x)|. +∞ at the poles and at ±∞.
pub fn gammaln(x: f64) -> f64 {
    if is_pole(x) { f64::INFINITY } else { pxfm::f_lgamma(x) }
}

/// The sign of Γ(x): ±1, that of the zero at ±0, NaN at the negative integers and −∞.
pub fn gammasgn(x: f64) -> f64 {
    if x.is_nan() || (x < 0.0 && x == x.floor()) {
        f64::NAN
    } else if x >= 0.0 {
        1f64.copysign(x)
    } else if x.floor() % 2.0 == 0.0 {
        1.0
    } else {
        -1.0
    }
}

/// 1/Γ(x), an entire function: zero at the poles of Γ and, as in scipy, at ±∞.
pub fn rgamma(x: f64) -> f64 {
    if x.abs() < 1e-290 {
        x
    } else if is_pole(x) {
        0.0
    } else if x > 170.0 {
        // Γ overflows from 171.6 on, its reciprocal underflows gradually until 179
        let y = x - 10.0;
        (0..10).fold(1.0 / pxfm::f_tgamma(y), |r, k| r / (y + k as f64))
    } else if x < -165.0 {
        // 1/Γ(x) = Γ(1−x) sin(πx)/π, where Γ(x) itself is subnormal: Γ(1−x) = Γ(−x−10) Π (−x−k)
        let y = -x - 10.0;
        (0..=10).fold(pxfm::f_tgamma(y) * sin_pi(x) / PI, |r, k| r * (y + k as f64))
    } else {
        1.0 / pxfm::f_tgamma(x)
    }
}

/// sin πx, with the argument reduced exactly.
pub fn sin_pi(x: f64) -> f64 {
    let n = x.round_ties_even();
    let s = (PI * (x - n)).sin();
    if n % 2.0 == 0.0 { s } else { -s }
}

/// ψ(x) = d ln Γ/dx. ∓∞ at ±0, NaN at the negative integers and −∞.
pub fn digamma(x: f64) -> f64 {
    if x == 0.0 {
        -1.0 / x
    } else if is_pole(x) {
        f64::NAN
    } else {
        pxfm::f_digamma(x)
    }
}

/// ψ⁽ⁿ⁾(x) = dⁿψ/dxⁿ = (−1)^{n+1} n! ζ(n+1, x). At the poles (−1)^{n+1}·∞ for n ≥ 1.
pub fn polygamma(n: u32, x: f64) -> f64 {
    match n {
        0 => digamma(x),
        1 if is_pole(x) => f64::INFINITY,
        1 if x < 0.5 => zeta(2.0, x),
        1 => pxfm::f_trigamma(x),
        _ => {
            let s = n as f64 + 1.0;
            let z = zeta(s, x);
            // n! and ζ may meet the range's ends where their product does not
            let in_range = n <= 170 && (z > 1e-290 || x <= 0.0 || z.is_nan());
            let magnitude = if in_range { pxfm::f_tgamma(s) * z } else { scaled_polygamma(s, x, z) };
            if n % 2 == 1 { magnitude } else { -magnitude }
        }
    }
}

/// Γ(s) ζ(s, x) with Γ(s) x^{−s} through logarithms, for x > 0; directly elsewhere.
fn scaled_polygamma(s: f64, x: f64, z: f64) -> f64 {
    if x.is_nan() || x <= 0.0 {
        pxfm::f_lgamma(s).exp() * z
    } else if x.is_infinite() {
        0.0
    } else {
        (Dd::from(s).ln_gamma() - Dd::from(x).ln() * s).exp() * zeta_over_first_term(s, x)
    }
}

/// The Hurwitz zeta function ζ(s, q) = Σ_{k≥0} (q + k)^{−s} for s > 1; ζ(s, 1) is Riemann's.
///
/// +∞ at s = 1 and at q = 0, −1, …; NaN for s < 1, and for negative q with a non-integer s.
pub fn zeta(s: f64, q: f64) -> f64 {
    if s.is_nan() || q.is_nan() || s < 1.0 {
        return f64::NAN;
    }
    if s == 1.0 {
        return f64::INFINITY;
    }
    if q <= 0.0 {
        if q == q.floor() {
            return f64::INFINITY;
        }
        if s != s.floor() {
            return f64::NAN;
        }
        // the sum over all integers less the one over the negative ones: both with positive arguments, for any q
        let r = q - q.round_ties_even();
        let sign = if s % 2.0 == 0.0 { 1.0 } else { -1.0 };
        return r.powf(-s) + zeta(s, 1.0 + r) + sign * (zeta(s, 1.0 - r) - zeta(s, 1.0 - q));
    }
    if s.is_infinite() {
        return if q == 1.0 {
            1.0
        } else if q > 1.0 {
            0.0
        } else {
            f64::INFINITY
        };
    }
    if q.is_infinite() {
        return 0.0;
    }
    // the power in two halves, since q^{−s} may underflow where the sum, of order q^{1−s}, does not
    let half = q.powf(-0.5 * s);
    if half > 1e150 {
        return q.powf(-s);
    }
    let rest = zeta_over_first_term(s, q);
    if half < 1e-145 { half * rest * half } else { q.powf(-s) * rest }
}

/// q^s ζ(s, q) for q > 0: N terms and the Euler–Maclaurin formula (DLMF 25.11.28), whose terms fall like (s/(2π(q+N)))^{2j}.
fn zeta_over_first_term(s: f64, q: f64) -> f64 {
    let n = (11.0 + s - q).ceil().max(0.0);
    let mut sum = 0.0;
    let mut k = 0.0;
    while k < n {
        let term = (q / (q + k)).powf(s);
        sum += term;
        if term < 1e-18 * sum {
            return sum;
        }
        k += 1.0;
    }
    let w = q + n;
    let ratio = if n == 0.0 { 1.0 } else { (q / w).powf(s) };
    // terms B_{2j}/(2j)! s(s+1)…(s+2j−2) w^{1−s−2j}
    let mut factor = s / w;
    let mut tail = 0.0;
    for (j, b) in EULER_MACLAURIN.iter().enumerate() {
        let term = b * factor;
        tail += term;
        if term.abs() < 1e-17 * tail.abs() {
            break;
        }
        let t = s + 2.0 * j as f64;
        factor *= (t + 1.0) * (t + 2.0) / (w * w);
    }
    sum + ratio * (w / (s - 1.0) + 0.5 + tail)
}

/// The logarithm of the multivariate gamma function, ln Γ_d(a) = ¼d(d−1) ln π + Σ_{j=1}^{d} ln Γ(a + (1−j)/2), for a > (d−1)/2; NaN below.
pub fn multigammaln(a: f64, d: u32) -> f64 {
    let dimension = d as f64;
    if a.is_nan() || a <= 0.5 * (dimension - 1.0) {
        return f64::NAN;
    }
    let sum: f64 = (0..d).map(|j| gammaln(a - 0.5 * j as f64)).sum();
    0.25 * dimension * (dimension - 1.0) * PI.ln() + sum
}

/// ln B(a, b) in double-double, for 0 < a, b < 1e290.
pub(super) fn betaln_dd(a: f64, b: f64) -> Dd {
    let (small, large) = if a < b { (a, b) } else { (b, a) };
    Dd::from(small).ln_gamma() - ln_gamma_increase(large, small)
}

/// ln Γ(x + s) − ln Γ(x) for 0 < s ≤ x: by Stirling's formula with the terms of order x ln x cancelled by hand when x is large.
fn ln_gamma_increase(x: f64, s: f64) -> Dd {
    let sum = Dd::sum(x, s);
    if x < 1e6 {
        return sum.ln_gamma() - Dd::from(x).ln_gamma();
    }
    let ln_1p = Dd::ln_1p_ratio(s, x);
    let series = (1.0 / (x + s) - 1.0 / x) / 12.0; // the next term is below 1/(360 x³)
    (sum - 0.5) * ln_1p + Dd::from(x).ln() * s - s + series
}

/// Euler's beta function B(a, b) = Γ(a)Γ(b)/Γ(a+b), for negative arguments too; +∞ at the poles (scipy's convention).
pub fn beta(a: f64, b: f64) -> f64 {
    if a > 0.0 && b > 0.0 && a.max(b) < 1e290 {
        return if a.max(b) < 150.0 && a.min(b) > 1e-290 && a + b < 160.0 && (a + b) - a.max(b) == a.min(b) {
            pxfm::f_tgamma(a) * (pxfm::f_tgamma(b) / pxfm::f_tgamma(a + b))
        } else {
            betaln_dd(a, b).exp()
        };
    }
    match beta_general(a, b) {
        General::Value(v) => v,
        General::Logarithm(l, sign) => sign * l.exp(),
    }
}

/// ln|B(a, b)|; +∞ at the poles.
pub fn betaln(a: f64, b: f64) -> f64 {
    if a == 1.0 && b > 0.0 {
        return 0.0 - b.ln();
    }
    if b == 1.0 && a > 0.0 {
        return 0.0 - a.ln();
    }
    if a > 0.0 && b > 0.0 && a.max(b) < 1e290 {
        return betaln_dd(a, b).value();
    }
    match beta_general(a, b) {
        General::Value(v) => v.abs().ln(),
        General::Logarithm(l, _) => l.value(),
    }
}

enum General {
    Value(f64),
    /// ln|B| and the sign.
    Logarithm(Dd, f64),
}

fn beta_general(a: f64, b: f64) -> General {
    use General::{Logarithm, Value};
    if a.is_nan() || b.is_nan() {
        return Value(f64::NAN);
    }
    let (a, b) = if a.abs() < b.abs() { (b, a) } else { (a, b) };
    match (is_pole(a), is_pole(b)) {
        _ if a == f64::NEG_INFINITY || b == f64::NEG_INFINITY => Value(f64::NAN),
        // Γ(−n)/Γ(b−n) is finite at an integer b ≤ n: B(−n, b) = (−1)^b B(1+n−b, b)
        (true, _) | (_, true) => {
            let (pole, other) = if is_pole(a) { (a, b) } else { (b, a) };
            if other == other.floor() && other > 0.0 && 1.0 - pole - other > 0.0 {
                let sign = if other % 2.0 == 0.0 { 1.0 } else { -1.0 };
                Value(sign * beta(1.0 - pole - other, other))
            } else {
                Value(f64::INFINITY)
            }
        }
        _ if a.is_infinite() => Value(if b.is_infinite() || b < 0.0 || a < 0.0 { f64::NAN } else { 0.0 }),
        _ if is_pole(a + b) => Value(0.0),
        _ if a > 0.0 && b > 1e140 => {
            // Stirling's leading terms
            let sum = 0.5 * a + 0.5 * b;
            Logarithm(Dd::from(a * (0.5 * a / sum).ln() + b * (0.5 * b / sum).ln()), 1.0)
        }
        _ if a.abs() > 1e290 => {
            // Γ(a)/Γ(a+b) → a^{−b}
            Logarithm(Dd::from(gammaln(b) - b * a.abs().ln()), gammasgn(b))
        }
        _ => Logarithm(
            ln_gamma_magnitude(Dd::from(a)) + ln_gamma_magnitude(Dd::from(b)) - ln_gamma_magnitude(Dd::sum(a, b)),
            gammasgn(a) * gammasgn(b) * gammasgn(a + b),
        ),
    }
}

/// ln|Γ(x)| on the whole axis by the recurrence or, far out, the reflection formula.
fn ln_gamma_magnitude(x: Dd) -> Dd {
    if x.hi > 0.0 {
        return x.ln_gamma();
    }
    if x.hi > -60.0 {
        let (mut y, mut product) = (x, Dd::ONE);
        while y.hi <= 0.0 {
            product = product * y;
            y = y + 1.0;
        }
        let magnitude = if product.hi < 0.0 { -product } else { product };
        return y.ln_gamma() - magnitude.ln();
    }
    // |Γ(x)| = π/(|sin πx| Γ(1−x))
    let n = x.hi.round_ties_even();
    let sine = (PI * ((x.hi - n) + x.lo)).sin().abs();
    Dd { hi: PI, lo: 1.2246467991473532e-16 }.ln() - Dd::from(sine).ln() - (Dd::ONE - x).ln_gamma()
}

/// ψ(a + b) − ψ(a); for a, b > 0 without cancellation when b ≪ a.
pub fn digamma_increase(a: f64, b: f64) -> f64 {
    if a > 0.0 && b > 0.0 && a.max(b) < 1e150 && a > 1e-150 { digamma_difference(a, b) } else { digamma(a + b) - digamma(a) }
}

/// ψ(a + b) − ψ(a) for a, b > 0, without cancellation when b ≪ a.
pub(super) fn digamma_difference(a: f64, b: f64) -> f64 {
    // the recurrence up to a ≥ 20, then the difference of the asymptotic series term by term
    let (mut x, mut sum) = (a, 0.0);
    while x < 20.0 {
        sum += b / (x * (x + b));
        x += 1.0;
    }
    sum + (b / x).ln_1p() + digamma_difference_rest(x, b)
}

/// ψ(x + b) − ψ(x) − ln(1 + b/x) for x ≥ 20: ½b/(x(x+b)) + Σ B_{2k}/(2k) (x^{−2k} − (x+b)^{−2k}).
pub(super) fn digamma_difference_rest(x: f64, b: f64) -> f64 {
    let (r, q) = (1.0 / x, 1.0 / (x + b));
    // 1 − (x/(x+b))^{2k}
    let lp = (b / x).ln_1p();
    let mut rest = 0.5 * b * r * q;
    let mut power = 1.0;
    for (k, c) in DIGAMMA.iter().enumerate() {
        power *= r * r;
        rest -= c * power * (-2.0 * (k as f64 + 1.0) * lp).exp_m1();
    }
    rest
}
