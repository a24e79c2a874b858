//! The regularised incomplete gamma functions P(a, x) = γ(a, x)/Γ(a), Q = 1 − P, and ∂P/∂a.
//!
//! - x ≤ a, or x small: the power series P = x^a e^{−x}/Γ(a+1) Σ xⁿ/((a+1)…(a+n)) (DLMF 8.7.1), of positive terms.
//! - x small and x > a: Q from the alternating series of 8.7.3 with the leading terms cancelled by `expm1`.
//! - x > a: the continued fraction 8.9.2 of Q.
//! - a > 25 and |x/a − 1| < 0.29: Temme's uniform expansion (Temme, SIAM J. Math. Anal. 10, 757, 1979; Gil, Segura and Temme, SIAM J. Sci. Comput.
//!   34, A2965, 2012). With λ = x/a, ½η² = λ − 1 − ln λ: Q = ½ erfc(η√(a/2)) + e^{−aη²/2}/√(2πa) S, S = Σ t_n ηⁿ / (1 + t₁/a),
//!   t_{n−1} = d_n + (n+1) t_{n+1}/a downwards, where η/(λ−1) = Σ d_n ηⁿ. (Insert Q into its differential equation in η.)
//!
//! Whichever of P and Q is smaller is computed directly. The exponents are in double-double, so the far tails keep their relative accuracy.
//! For ∂P/∂a the same expansions run on a dual number; the exponential's part is closed, d ln(x^a/Γ(a))/da = ln x − ψ(a).
//! The derivatives in a relative to the density p(x) = x^{a−1}e^{−x}/Γ(a) = ∂P/∂x need no exponential at all, so they hold in tails that
//! underflow; there d(−½aη²)/da = ln λ and (ln λ)/η = Σ d_n ηⁿ/(n+1), since d(ln λ)/dη = η/(λ−1).

use super::dd::Dd;
use super::dual::{Arithmetic, Dual, Jet, continued_fraction};
use super::gamma::DIGAMMA;
use std::f64::consts::PI;

/// d_n of η/(λ − 1) = Σ d_n ηⁿ.
const TEMME: [f64; 30] = [
    1.0,
    -0.333_333_333_333_333_3,
    0.083_333_333_333_333_33,
    -0.014_814_814_814_814_815,
    0.001_157_407_407_407_407_3,
    0.000_352_733_686_067_019_4,
    -0.000_178_755_144_032_921_8,
    3.919_263_178_522_438e-5,
    -2.185_448_510_679_992_4e-6,
    -1.854_062_210_715_16e-6,
    8.296_711_340_953_087e-7,
    -1.766_595_273_682_607_8e-7,
    6.707_853_543_401_498e-9,
    1.026_180_978_242_403_2e-8,
    -4.382_036_018_453_353e-9,
    9.147_699_582_236_79e-10,
    -2.551_419_399_494_625e-11,
    -5.830_772_132_550_426e-11,
    2.436_194_802_066_741_5e-11,
    -5.027_669_280_114_175_5e-12,
    1.100_439_203_195_613_5e-13,
    3.371_763_262_400_985_6e-13,
    -1.392_388_722_418_162e-13,
    2.853_489_380_704_744_5e-14,
    -5.139_111_834_242_572e-16,
    -1.975_228_829_434_944_2e-15,
    8.099_521_156_704_561e-16,
    -1.652_253_121_639_816_2e-16,
    2.530_543_009_747_888_3e-18,
    1.168_693_973_855_957_6e-17,
];

/// P(a, x), the regularised lower incomplete gamma function, for a ≥ 0 and x ≥ 0; NaN elsewhere and where the limit does not exist.
pub fn gammainc(a: f64, x: f64) -> f64 {
    match edge(a, x) {
        Some(p) => p,
        None => {
            let tail = incomplete(a, x);
            if tail.lower { tail.value() } else { 1.0 - tail.value() }
        }
    }
}

/// Q(a, x) = 1 − P(a, x), the regularised upper incomplete gamma function.
pub fn gammaincc(a: f64, x: f64) -> f64 {
    match edge(a, x) {
        Some(p) => 1.0 - p,
        None => {
            let tail = incomplete(a, x);
            if tail.lower { 1.0 - tail.value() } else { tail.value() }
        }
    }
}

/// ∂P(a, x)/∂a = −∂Q/∂a, negative for x > 0. For a = 0 the limit −E₁(x) = −∫_x^∞ e^{−t}/t dt.
pub fn gammainc_da(a: f64, x: f64) -> f64 {
    match edge(a, x) {
        Some(p) if p.is_nan() => return p,
        Some(_) if a > 0.0 || x.is_infinite() => return 0.0,
        _ => {}
    }
    let variable = Dual::variable(a);
    if temme_applies(a, x) {
        return -temme_da(a, x);
    }
    if x <= 1.1 || x <= a {
        // P = D s: P' = D (L s + s')
        let s = lower_series(variable, x);
        lower_factor(a, x) * (ln_minus_digamma(x, a + 1.0) * s.v + s.d)
    } else if a < 1e-290 {
        -upper_fraction(0.0, x) * (-x).exp()
    } else {
        // Q = a D/x · x·f with d ln(x^a/Γ(a))/da = L(a)
        let f = upper_fraction(variable, x);
        -a * lower_factor(a, x) * (ln_minus_digamma(x, a) * f.v + f.d)
    }
}

/// The values at the edges of the domain; `None` inside.
fn edge(a: f64, x: f64) -> Option<f64> {
    if !(a >= 0.0 && x >= 0.0) || (a == 0.0 && x == 0.0) || (a.is_infinite() && x.is_infinite()) {
        Some(f64::NAN)
    } else if a == 0.0 || x.is_infinite() {
        Some(1.0)
    } else if x == 0.0 || a.is_infinite() {
        Some(0.0)
    } else if a.max(x) > 1e290 {
        // the step at x = a has the relative width a^{−1/2}, far below the spacing of numbers
        Some(if x < a { 0.0 } else { 1.0 - 0.5 * f64::from(u8::from(x == a)) })
    } else {
        None
    }
}

/// P or Q, whichever was computed, as exp(`exponent`)·`factor`.
struct Tail {
    lower: bool,
    exponent: Dd,
    factor: f64,
}

impl Tail {
    fn value(&self) -> f64 {
        self.exponent.exp() * self.factor
    }

    fn ln(&self) -> f64 {
        (self.exponent + self.factor.ln()).value()
    }
}

fn incomplete(a: f64, x: f64) -> Tail {
    if temme_applies(a, x) {
        return temme(a, x);
    }
    // for x ≤ 1.1 P is the larger part beyond about x = e^{−0.4/a}, then x = a
    let lower = if x > 1.1 {
        x <= a
    } else if x <= 0.5 {
        a * x.ln() < -0.4
    } else {
        1.1 * x < a
    };
    if lower {
        Tail { lower, exponent: lower_exponent(a, x), factor: lower_series(a, x) }
    } else if x > 1.1 {
        Tail { lower, exponent: lower_exponent(a, x), factor: a * upper_fraction(a, x) }
    } else {
        Tail { lower, exponent: Dd::from(0.0), factor: upper_series(a, x) }
    }
}

/// ln D with D = x^a e^{−x}/Γ(a + 1).
fn lower_exponent(a: f64, x: f64) -> Dd {
    Dd::from(x).ln() * a - x - Dd::sum(a, 1.0).ln_gamma()
}

fn lower_factor(a: f64, x: f64) -> f64 {
    lower_exponent(a, x).exp()
}

/// Σ_{n≥0} xⁿ/((a+1)…(a+n))
fn lower_series<T: Arithmetic>(a: T, x: f64) -> T {
    let (mut sum, mut term, mut n) = (T::from(1.0), T::from(1.0), 1.0);
    loop {
        term = term * T::from(x) / (a + T::from(n));
        sum = sum + term;
        if term.negligible(sum) || n > 1e7 {
            return sum;
        }
        n += 1.0;
    }
}

/// Q = 1 − x^a/Γ(a+1) (1 + a Σ_{n≥1} (−x)ⁿ/(n!(a+n))) for x ≤ 1.1, where Q may be small.
fn upper_series(a: f64, x: f64) -> f64 {
    let (mut sum, mut term, mut n) = (0.0, 1.0, 1.0);
    loop {
        term *= -x / n;
        let t = term / (a + n);
        sum += t;
        if t.negligible(sum) {
            break;
        }
        n += 1.0;
    }
    // ln Γ(1 + a) in the small argument a: 1 + a = hi + lo exactly
    let one = Dd::sum(1.0, a);
    let exponent = a * x.ln() - (pxfm::f_lgamma(one.hi) + one.lo * pxfm::f_digamma(one.hi));
    -exponent.exp_m1() - exponent.exp() * a * sum
}

/// f with Γ(a, x) = x^a e^{−x} f for x > a: the continued fraction 1/(x+1−a − 1(1−a)/(x+3−a − 2(2−a)/(x+5−a − …))), by Lentz's method.
fn upper_fraction<T: Arithmetic>(a: T, x: f64) -> T {
    let first = T::from(x) - a + T::from(1.0);
    continued_fraction(first, |n| (T::from(n) * (a - T::from(n)), first + T::from(2.0 * n)))
}

/// ln x − ψ(a), where x/a may be close to one and both large.
fn ln_minus_digamma(x: f64, a: f64) -> f64 {
    if a < 20.0 {
        return x.ln() - pxfm::f_digamma(a);
    }
    let ratio = (x - a) / a;
    let logarithm = if ratio.abs() < 0.5 { ratio.ln_1p() } else { (x / a).ln() };
    let r = 1.0 / a;
    logarithm + 0.5 * r + DIGAMMA.iter().rev().fold(0.0, |s, c| (s + c) * r * r)
}

fn temme_applies(a: f64, x: f64) -> bool {
    a > 25.0 && (x - a).abs() < 0.29 * a
}

/// S = Σ t_n ηⁿ/(1 + t₁/a)
fn temme_sum<T: Arithmetic>(a: T, eta: T) -> T {
    let r = T::from(1.0) / a;
    // t_n and t_{n+1}, from above
    let (mut t, mut above) = (T::from(0.0), T::from(0.0));
    let mut sum = T::from(0.0);
    for n in (0..TEMME.len() - 1).rev() {
        let next = T::from(TEMME[n + 1]) + T::from(n as f64 + 2.0) * above * r;
        (above, t) = (t, next);
        sum = sum * eta + t;
    }
    // after the loop t = t₀ and above = t₁
    let _ = t;
    sum / (T::from(1.0) + above * r)
}

/// ln λ, −½aη² in double-double, and η.
fn temme_variables(a: f64, x: f64) -> (f64, Dd, f64) {
    let (ln_ratio, half_eta_squared) = Dd::ln_ratio(x, a);
    let eta = (2.0 * half_eta_squared.value()).sqrt().copysign(x - a);
    (ln_ratio.value(), -(half_eta_squared * a), eta)
}

fn temme(a: f64, x: f64) -> Tail {
    let (_, exponent, eta) = temme_variables(a, x);
    let sum = temme_sum(a, eta) / (2.0 * PI * a).sqrt();
    let half = 0.5 * pxfm::f_erfcx(eta.abs() * (0.5 * a).sqrt());
    let lower = eta <= 0.0;
    Tail { lower, exponent, factor: if lower { half - sum } else { half + sum } }
}

/// ∂Q/∂a = e^{−aη²/2}/√(2πa) (ln λ/η + S ln λ + dS/da − S/(2a)), with dη/da = −(λ − 1)/(aη).
fn temme_da(a: f64, x: f64) -> f64 {
    let (ln_ratio, exponent, eta) = temme_variables(a, x);
    // at η = 0 both ratios are one
    let (log_over_eta, mu_over_eta) = if eta == 0.0 { (1.0, 1.0) } else { (ln_ratio / eta, (x - a) / a / eta) };
    let s = temme_sum(Dual::variable(a), Dual { v: eta, d: -mu_over_eta / a });
    exponent.exp() / (2.0 * PI * a).sqrt() * (log_over_eta + s.v * ln_ratio + s.d - 0.5 * s.v / a)
}

/// ln P(a, x), without underflow in the lower tail.
pub fn ln_gammainc(a: f64, x: f64) -> f64 {
    match edge(a, x) {
        Some(p) => p.ln(),
        None => {
            let tail = incomplete(a, x);
            if tail.lower { tail.ln() } else { (-tail.value()).ln_1p() }
        }
    }
}

/// ln Q(a, x), without underflow in the upper tail.
pub fn ln_gammaincc(a: f64, x: f64) -> f64 {
    match edge(a, x) {
        Some(p) => (-p).ln_1p(),
        None => {
            let tail = incomplete(a, x);
            if tail.lower { (-tail.value()).ln_1p() } else { tail.ln() }
        }
    }
}

/// ln p with p = x^{a−1}e^{−x}/Γ(a) for a > 0 and x ≥ 0, the density of the gamma distribution of unit scale; NaN elsewhere.
fn density_exponent(a: f64, x: f64) -> Result<Dd, f64> {
    if !(a >= 0.0 && x >= 0.0) || (a.is_infinite() && x.is_infinite()) {
        return Err(f64::NAN);
    }
    // 1/Γ(0) = 0
    if x.is_infinite() || a == 0.0 || a.is_infinite() {
        return Err(f64::NEG_INFINITY);
    }
    if x == 0.0 {
        return Err(match () {
            _ if a < 1.0 => f64::INFINITY,
            _ if a == 1.0 => 0.0,
            _ => f64::NEG_INFINITY,
        });
    }
    if a.max(x) > 1e290 {
        // exact but for the last terms; a peak too narrow for the spacing of numbers
        return Err((a - 1.0) * x.ln() - x - super::gamma::gammaln(a));
    }
    Ok(Dd::from(x).ln() * (Dd::sum(a, -1.0)) - x - Dd::from(a).ln_gamma())
}

/// p(x) = x^{a−1}e^{−x}/Γ(a) = ∂P(a, x)/∂x.
pub fn gamma_density(a: f64, x: f64) -> f64 {
    density_exponent(a, x).map_or_else(f64::exp, Dd::exp)
}

/// ln(x^{a−1}e^{−x}/Γ(a)), accurate where its large terms cancel.
pub fn ln_gamma_density(a: f64, x: f64) -> f64 {
    density_exponent(a, x).map_or_else(|limit| limit, Dd::value)
}

/// (∂P/∂a, ∂²P/∂a²)/p for a, x > 0; zero at x = 0, NaN outside.
fn relative_derivatives(a: f64, x: f64) -> [f64; 2] {
    if !(a > 0.0 && x >= 0.0) || a.max(x) > 1e290 {
        return [f64::NAN; 2];
    }
    if x == 0.0 {
        return [0.0; 2];
    }
    let variable = Jet::variable(a, 0);
    if temme_applies(a, x) {
        return temme_relative(a, x);
    }
    if x <= 1.1 || x <= a {
        // P = D s and p = D a/x
        let s = lower_series(variable, x);
        let (l, dl) = (ln_minus_digamma(x, a + 1.0), -super::gamma::polygamma(1, a + 1.0));
        let factor = x / a;
        [factor * (l * s.v + s.d[0]), factor * ((l * l + dl) * s.v + 2.0 * l * s.d[0] + s.s[0])]
    } else {
        // Q = p x f
        let f = upper_fraction(variable, x);
        let (l, dl) = (ln_minus_digamma(x, a), -super::gamma::polygamma(1, a));
        [-x * (l * f.v + f.d[0]), -x * ((l * l + dl) * f.v + 2.0 * l * f.d[0] + f.s[0])]
    }
}

/// In the region of Temme's expansion, with ε = e^{−aη²/2}/√(2πa): Q = ½ erfc + ε S, ∂Q/∂a = ε K, ∂²Q/∂a² = ε ((ln λ − 1/(2a)) K + ∂K/∂a),
/// K = (ln λ)/η + S ln λ + ∂S/∂a − S/(2a).
fn temme_relative(a: f64, x: f64) -> [f64; 2] {
    let (ln_ratio, exponent, eta) = temme_variables(a, x);
    // w = η/(λ−1) and dη/da = −1/(a w)
    let (mut w, mut dw) = (0.0, 0.0);
    for d in TEMME.iter().rev() {
        dw = dw * eta + w;
        w = w * eta + d;
    }
    let slope = -1.0 / (a * w);
    let curvature = 1.0 / (a * a * w) - dw / (a * a * w * w * w);
    let eta_jet = Jet { v: eta, d: [slope, 0.0], s: [curvature, 0.0, 0.0] };
    let s = temme_sum(Jet::variable(a, 0), eta_jet);
    // (ln λ)/η and its derivative in η
    let (mut ratio, mut dratio) = (0.0, 0.0);
    for (n, d) in TEMME.iter().enumerate().rev() {
        dratio = dratio * eta + ratio;
        ratio = ratio * eta + d / (n as f64 + 1.0);
    }
    let k = ratio + s.v * ln_ratio + s.d[0] - 0.5 * s.v / a;
    let dk = dratio * slope + s.d[0] * ln_ratio - s.v / a + s.s[0] - 0.5 * s.d[0] / a + 0.5 * s.v / (a * a);
    // ε/p from the two logarithms, which nearly agree
    let scale = match density_exponent(a, x) {
        Ok(density) => (exponent - density).exp() / (2.0 * PI * a).sqrt(),
        Err(limit) => return [limit; 2],
    };
    [-scale * k, -scale * ((ln_ratio - 0.5 / a) * k + dk)]
}

/// (∂P/∂a)/p, also where both underflow.
pub fn gammainc_da_relative(a: f64, x: f64) -> f64 {
    relative_derivatives(a, x)[0]
}

/// (∂²P/∂a²)/p, also where both underflow.
pub fn gammainc_daa_relative(a: f64, x: f64) -> f64 {
    relative_derivatives(a, x)[1]
}
