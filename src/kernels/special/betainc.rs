//! The regularised incomplete beta function I_x(a, b) and its derivatives in a and b.
//!
//! - below the mean, a(1−x) ≥ bx: the continued fraction of Didonato and Morris (ACM TOMS 18, 360, 1992, eq. 9), of positive terms up to n = b;
//! - bx ≤ 0.7 and x ≤ 0.7: the power series x^a/(aB) [1 + a Σ (1−b)_n xⁿ/(n!(a+n))] (DLMF 8.17.7 with 15.2.1);
//! - above the mean: 1 − I_{1−x}(b, a), and where that series serves, with the leading terms cancelled by `expm1`.
//!
//! The exponent of x^a (1−x)^b/B(a, b) and λ = a(1−x) − bx are in double-double, so the tails keep their relative accuracy.
//! For the derivatives the same expansions run on a dual number; the exponential's part is closed, d ln(x^a/B)/da = ln x − ψ(a) + ψ(a+b).

use super::dd::Dd;
use super::dual::{Arithmetic, Dual, Jet, continued_fraction};
use super::gamma::{betaln_dd, digamma_difference, digamma_difference_rest, polygamma};

/// I_x(a, b) for 0 ≤ x ≤ 1 and 0 ≤ a, b ≤ 1e290 or one of them infinite, not both zero; NaN elsewhere.
pub fn betainc(a: f64, b: f64, x: f64) -> f64 {
    match edge(a, b, x) {
        Some(value) => value,
        None => Point::new(a, b, x).integral(),
    }
}

/// 1 − I_x(a, b) = I_{1−x}(b, a), with 1 − x taken exactly.
pub fn betaincc(a: f64, b: f64, x: f64) -> f64 {
    match edge(a, b, x) {
        Some(value) => 1.0 - value,
        None => Point::new(a, b, x).reflected().integral(),
    }
}

/// ln I_x(a, b), without underflow in the lower tail.
pub fn ln_betainc(a: f64, b: f64, x: f64) -> f64 {
    match edge(a, b, x) {
        Some(value) => value.ln(),
        None => Point::new(a, b, x).ln_integral(),
    }
}

/// ln(1 − I_x(a, b)), without underflow in the upper tail.
pub fn ln_betaincc(a: f64, b: f64, x: f64) -> f64 {
    match edge(a, b, x) {
        Some(value) => (-value).ln_1p(),
        None => Point::new(a, b, x).reflected().ln_integral(),
    }
}

/// ln p with p = x^{a−1}(1−x)^{b−1}/B(a, b) for a, b > 0 and 0 ≤ x ≤ 1, the density of the beta distribution; NaN elsewhere.
fn density_exponent(a: f64, b: f64, x: f64) -> Result<Dd, f64> {
    if !(a >= 0.0 && b >= 0.0 && (0.0..=1.0).contains(&x)) || a.max(b) > 1e290 {
        return Err(f64::NAN);
    }
    // 1/B(0, b) = 0
    if a == 0.0 || b == 0.0 {
        return Err(f64::NEG_INFINITY);
    }
    if x == 0.0 || x == 1.0 {
        let (at, other) = if x == 0.0 { (a, b) } else { (b, a) };
        return Err(match () {
            _ if at < 1.0 => f64::INFINITY,
            _ if at == 1.0 => other.ln(),
            _ => f64::NEG_INFINITY,
        });
    }
    let p = Point::new(a, b, x);
    Ok(p.x.ln() * Dd::sum(a, -1.0) + p.y.ln() * Dd::sum(b, -1.0) - betaln_dd(a, b))
}

/// p(x) = x^{a−1}(1−x)^{b−1}/B(a, b) = ∂I_x(a, b)/∂x.
pub fn beta_density(a: f64, b: f64, x: f64) -> f64 {
    density_exponent(a, b, x).map_or_else(f64::exp, Dd::exp)
}

/// ln(x^{a−1}(1−x)^{b−1}/B(a, b)), accurate where its large terms cancel.
pub fn ln_beta_density(a: f64, b: f64, x: f64) -> f64 {
    density_exponent(a, b, x).map_or_else(|limit| limit, Dd::value)
}

/// ∂I_x(a, b)/∂a, never positive.
pub fn betainc_da(a: f64, b: f64, x: f64) -> f64 {
    derivative(a, b, x, Parameter::A)
}

/// ∂I_x(a, b)/∂b = −∂I_{1−x}(b, a)/∂b, never negative.
pub fn betainc_db(a: f64, b: f64, x: f64) -> f64 {
    derivative(a, b, x, Parameter::B)
}

fn edge(a: f64, b: f64, x: f64) -> Option<f64> {
    let undefined = !(a >= 0.0 && b >= 0.0 && (0.0..=1.0).contains(&x));
    if undefined || (a == 0.0 && b == 0.0) || (a.is_infinite() && b.is_infinite()) {
        Some(f64::NAN)
    } else if x == 0.0 {
        Some(0.0)
    } else if x == 1.0 || a == 0.0 || b.is_infinite() {
        Some(1.0)
    } else if b == 0.0 || a.is_infinite() {
        Some(0.0)
    } else if a.max(b) > 1e290 {
        Some(f64::NAN)
    } else {
        None
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Parameter {
    A,
    B,
}

enum Method {
    Series,
    Fraction,
    ComplementSeries,
    ComplementFraction,
}

/// The arguments with y = 1 − x exactly and λ = ay − bx.
#[derive(Clone, Copy)]
struct Point {
    a: f64,
    b: f64,
    x: Dd,
    y: Dd,
    lambda: f64,
}

impl Point {
    fn new(a: f64, b: f64, x: f64) -> Point {
        let (x, y) = (Dd::from(x), Dd::sum(1.0, -x));
        Point { a, b, x, y, lambda: (y * a - x * b).value() }
    }

    /// I_x(a, b) = 1 − I_y(b, a)
    fn reflected(self) -> Point {
        Point { a: self.b, b: self.a, x: self.y, y: self.x, lambda: -self.lambda }
    }

    /// I_x(a, b)
    fn integral(self) -> f64 {
        match self.method() {
            Method::Series => series_factor(self) * power_series(self.a, self.b, self.x.value()),
            Method::Fraction => fraction_factor(self) * fraction(self.a, self.b, self),
            Method::ComplementSeries => complement_series(self.reflected()),
            Method::ComplementFraction => {
                let q = self.reflected();
                1.0 - fraction_factor(q) * fraction(q.a, q.b, q)
            }
        }
    }

    /// ln I_x(a, b)
    fn ln_integral(self) -> f64 {
        match self.method() {
            Method::Series => (series_exponent(self) + power_series(self.a, self.b, self.x.value()).ln()).value(),
            Method::Fraction => (fraction_exponent(self) + fraction(self.a, self.b, self).ln()).value(),
            Method::ComplementSeries => {
                let q = self.reflected();
                let rest = series_factor(q) * power_series(q.a, q.b, q.x.value());
                if rest < 0.5 { (-rest).ln_1p() } else { complement_series(q).ln() }
            }
            Method::ComplementFraction => {
                let q = self.reflected();
                (-fraction_factor(q) * fraction(q.a, q.b, q)).ln_1p()
            }
        }
    }

    fn method(&self) -> Method {
        if self.b * self.x.hi <= 0.7 && self.x.hi <= 0.7 {
            Method::Series
        } else if self.a * self.y.hi <= 0.7 && self.y.hi <= 0.7 {
            Method::ComplementSeries
        } else if self.lambda >= 0.0 {
            Method::Fraction
        } else {
            Method::ComplementFraction
        }
    }
}

fn series_exponent(p: Point) -> Dd {
    p.x.ln() * p.a - betaln_dd(p.a, p.b) - Dd::from(p.a).ln()
}

/// x^a/(a B(a, b))
fn series_factor(p: Point) -> f64 {
    series_exponent(p).exp()
}

fn fraction_exponent(p: Point) -> Dd {
    p.x.ln() * p.a + p.y.ln() * p.b - betaln_dd(p.a, p.b)
}

/// x^a y^b/B(a, b)
fn fraction_factor(p: Point) -> f64 {
    fraction_exponent(p).exp()
}

/// Σ_{n≥1} (1−b)_n xⁿ/(n!(a+n))
fn rest_of_series<T: Arithmetic>(a: T, b: T, x: f64) -> T {
    let (mut sum, mut term, mut n) = (T::from(0.0), T::from(1.0), 1.0);
    loop {
        term = term * (T::from(n) - b) * T::from(x / n);
        let t = term / (a + T::from(n));
        sum = sum + t;
        if t.negligible(sum) || n > 1e5 {
            return sum;
        }
        n += 1.0;
    }
}

fn power_series<T: Arithmetic>(a: T, b: T, x: f64) -> T {
    T::from(1.0) + a * rest_of_series(a, b, x)
}

/// 1 − I_x(a, b) by the power series of I, which may be close to one.
fn complement_series(p: Point) -> f64 {
    let exponent = p.x.ln() * p.a - ln_a_beta(p.a, p.b);
    let rest = p.a * rest_of_series(p.a, p.b, p.x.value());
    -exponent.value().exp_m1() - exponent.exp() * rest
}

/// ln(a B(a, b)) = ln Γ(1+a) − (ln Γ(a+b) − ln Γ(b)), relatively accurate as a → 0.
fn ln_a_beta(a: f64, b: f64) -> Dd {
    if a < 1e-8 * b.min(1.0) {
        let first = pxfm::f_digamma(1.0) - pxfm::f_digamma(b);
        let second = pxfm::f_trigamma(1.0) - pxfm::f_trigamma(b);
        return Dd::from(a * (first + 0.5 * a * second));
    }
    betaln_dd(a, b) + Dd::from(a).ln()
}

/// f with I_x(a, b) = x^a y^b/B f, for λ ≥ 0. The point carries x and y; a and b may be dual.
fn fraction<T: Arithmetic>(a: T, b: T, p: Point) -> T {
    let (x, y) = (T::from(p.x.value()), T::from(p.y.value()));
    // λ with the accurate value and, for a dual, its derivatives y in a and −x in b
    let lambda = T::from(p.lambda) + (a - T::from(p.a)) * y - (b - T::from(p.b)) * x;
    let one = T::from(1.0);
    let first = a / (a + one) * (lambda + one);
    continued_fraction(first, |n| {
        let k = T::from(n);
        let below = a + T::from(2.0 * n - 1.0);
        let numerator = (a + T::from(n - 1.0)) * (a + b + T::from(n - 1.0)) * k * (b - k) * x * x / (below * below);
        let b_n = k + k * (b - k) * x / below + (a + k) / (a + T::from(2.0 * n + 1.0)) * (lambda + one + k * (one + y));
        (numerator, b_n)
    })
}

/// ln x − ψ(a) + ψ(a+b) = d ln(x^a y^b/B)/da; for y and b with the roles exchanged. At large a the logarithms cancel into ln(1 − λ/a).
fn factor_derivative(p: Point) -> f64 {
    if p.a < 20.0 {
        return p.x.ln().value() + digamma_difference(p.a, p.b);
    }
    let ratio = -p.lambda / p.a;
    let logarithms = if ratio > -0.5 { ratio.ln_1p() } else { p.x.ln().value() + (p.b / p.a).ln_1p() };
    logarithms + digamma_difference_rest(p.a, p.b)
}

/// d ln(x^a/(aB))/da = ln x − ψ(a+1) + ψ(a+b)
fn series_factor_derivative(p: Point) -> f64 {
    if p.a < 1.0 { p.x.ln().value() + (pxfm::f_digamma(p.a + p.b) - pxfm::f_digamma(p.a + 1.0)) } else { factor_derivative(p) - 1.0 / p.a }
}

fn derivative(a: f64, b: f64, x: f64, parameter: Parameter) -> f64 {
    // the one-sided derivative at zero: of a function smooth there, so at the smallest parameter
    let (a, b) = match parameter {
        Parameter::A if a == 0.0 && b > 0.0 => (1e-290, b),
        Parameter::B if b == 0.0 && a > 0.0 => (a, 1e-290),
        _ => (a, b),
    };
    match edge(a, b, x) {
        Some(value) if value.is_nan() => return value,
        Some(_) => return 0.0,
        None => {}
    }
    let p = Point::new(a, b, x);
    match p.method() {
        Method::Series => by_series(p, parameter),
        Method::Fraction => by_fraction(p, parameter),
        Method::ComplementSeries => -by_series(p.reflected(), parameter.exchanged()),
        Method::ComplementFraction => -by_fraction(p.reflected(), parameter.exchanged()),
    }
}

impl Parameter {
    fn exchanged(self) -> Parameter {
        match self {
            Parameter::A => Parameter::B,
            Parameter::B => Parameter::A,
        }
    }
}

fn duals(p: Point, parameter: Parameter) -> (Dual, Dual) {
    match parameter {
        Parameter::A => (Dual::variable(p.a), Dual::from(p.b)),
        Parameter::B => (Dual::from(p.a), Dual::variable(p.b)),
    }
}

fn by_series(p: Point, parameter: Parameter) -> f64 {
    let (a, b) = duals(p, parameter);
    let s = power_series(a, b, p.x.value());
    let factor = match parameter {
        Parameter::A => series_factor_derivative(p),
        Parameter::B => digamma_difference(p.b, p.a),
    };
    series_factor(p) * (factor * s.v + s.d)
}

fn by_fraction(p: Point, parameter: Parameter) -> f64 {
    let (a, b) = duals(p, parameter);
    let f = fraction(a, b, p);
    let factor = match parameter {
        Parameter::A => factor_derivative(p),
        Parameter::B => factor_derivative(p.reflected()),
    };
    fraction_factor(p) * (factor * f.v + f.d)
}

/// (∂_a, ∂_b, ∂_aa, ∂_ab, ∂_bb) of I_x(a, b), each divided by the density p: no exponential is left, so they hold in tails that underflow.
fn relative_derivatives(a: f64, b: f64, x: f64) -> [f64; 5] {
    if !(a > 0.0 && b > 0.0 && (0.0..=1.0).contains(&x)) || a.max(b) > 1e290 {
        return [f64::NAN; 5];
    }
    if x == 0.0 || x == 1.0 {
        return [0.0; 5];
    }
    let p = Point::new(a, b, x);
    match p.method() {
        Method::Series => relative_series(p),
        Method::Fraction => relative_fraction(p),
        Method::ComplementSeries => complement(relative_series(p.reflected())),
        Method::ComplementFraction => complement(relative_fraction(p.reflected())),
    }
}

/// From I_{1−x}(b, a) to I_x(a, b).
fn complement([a, b, aa, ab, bb]: [f64; 5]) -> [f64; 5] {
    [-b, -a, -bb, -ab, -aa]
}

/// The derivatives of e^ℓ f over e^ℓ, from those of ℓ and f.
fn of_product([a, b, aa, ab, bb]: [f64; 5], f: Jet, scale: f64) -> [f64; 5] {
    let ([fa, fb], [faa, fab, fbb]) = (f.d, f.s);
    [
        scale * (a * f.v + fa),
        scale * (b * f.v + fb),
        scale * ((a * a + aa) * f.v + 2.0 * a * fa + faa),
        scale * ((a * b + ab) * f.v + a * fb + b * fa + fab),
        scale * ((b * b + bb) * f.v + 2.0 * b * fb + fbb),
    ]
}

fn relative_series(p: Point) -> [f64; 5] {
    let s = power_series(Jet::variable(p.a, 0), Jet::variable(p.b, 1), p.x.value());
    let sum = polygamma(1, p.a + p.b);
    let exponent = [series_factor_derivative(p), digamma_difference(p.b, p.a), sum - polygamma(1, p.a + 1.0), sum, sum - polygamma(1, p.b)];
    // x^a/(aB) over p
    of_product(exponent, s, p.x.value() * p.y.value().powf(1.0 - p.b) / p.a)
}

fn relative_fraction(p: Point) -> [f64; 5] {
    let f = fraction(Jet::variable(p.a, 0), Jet::variable(p.b, 1), p);
    let sum = polygamma(1, p.a + p.b);
    let exponent = [factor_derivative(p), factor_derivative(p.reflected()), sum - polygamma(1, p.a), sum, sum - polygamma(1, p.b)];
    of_product(exponent, f, p.x.value() * p.y.value())
}

/// The derivative of I_x(a, b) in its parameters over the density, also where both underflow: `which` is 0…4 for ∂_a, ∂_b, ∂_aa, ∂_ab, ∂_bb.
pub fn betainc_relative(which: usize, a: f64, b: f64, x: f64) -> f64 {
    relative_derivatives(a, b, x)[which]
}

/// The point whose I_x(ν/2, ½) is the probability of |T| > t for Student's t: x = ν/(ν + t²), or ln I where x would underflow.
fn student_point(nu: f64, t: f64) -> Result<Point, Dd> {
    if t > 1e70 && t * 1e-70 > nu.sqrt() {
        let a = 0.5 * nu;
        return Err(Dd::from(nu).ln() * a - Dd::from(t).ln() * nu - betaln_dd(a, 0.5) - Dd::from(a).ln());
    }
    let square = Dd::product(t, t);
    let sum = square + nu;
    let (x, y) = (Dd::from(nu) / sum, square / sum);
    Ok(Point { a: 0.5 * nu, b: 0.5, x, y, lambda: (y * (0.5 * nu) - x * 0.5).value() })
}

/// Beyond this the difference from the normal distribution, t⁴/(4ν) relative, is below rounding wherever the tail is representable.
const STUDENT_NORMAL: f64 = 1e28;

/// The upper tail of Student's t distribution with ν > 0 degrees of freedom, P(T > t).
pub fn student_t_sf(nu: f64, t: f64) -> f64 {
    if nu.is_nan() || t.is_nan() || nu <= 0.0 {
        f64::NAN
    } else if nu > STUDENT_NORMAL {
        super::erf::ndtr(-t)
    } else if t < 0.0 {
        1.0 - student_t_sf(nu, -t)
    } else if t < 1e-150 {
        0.5
    } else if t.is_infinite() {
        0.0
    } else {
        0.5 * student_point(nu, t).map_or_else(Dd::exp, Point::integral)
    }
}

/// ln P(T > t) of Student's t distribution.
pub fn ln_student_t_sf(nu: f64, t: f64) -> f64 {
    if nu.is_nan() || t.is_nan() || nu <= 0.0 {
        f64::NAN
    } else if nu > STUDENT_NORMAL {
        super::erf::log_ndtr(-t)
    } else if t < 0.0 {
        (-student_t_sf(nu, -t)).ln_1p()
    } else if t < 1e-150 {
        -std::f64::consts::LN_2
    } else if t.is_infinite() {
        f64::NEG_INFINITY
    } else {
        student_point(nu, t).map_or_else(Dd::value, Point::ln_integral) - std::f64::consts::LN_2
    }
}

/// (∂S/∂ν)/f and (∂²S/∂ν²)/f of the upper tail S = P(T > t) of Student's t distribution, f its density; `order` is 1 or 2.
///
/// With x = ν/(ν+t²), y = 1 − x and p the beta density of (ν/2, ½): S = ½ I_x(ν/2, ½), ∂x/∂ν = xy/ν and f = pxy/t for t > 0, so
/// ∂S/∂ν = ¼ ∂_a I + ½ t f/ν and ∂²S/∂ν² = ⅛ ∂_aa I + t f/ν (¼ ∂_a ln p + ½ ∂_ν ln f − ½/ν). Odd in t.
pub fn student_t_relative(order: u32, nu: f64, t: f64) -> f64 {
    if !(nu > 0.0) || t.is_nan() {
        return f64::NAN;
    }
    if t == 0.0 {
        return 0.0;
    }
    let t_abs = t.abs();
    let Ok(p) = student_point(nu, t_abs) else {
        // S = x^a/(2aB) up to a relative error ν/t², and f = νS/t
        let a = 0.5 * nu;
        let slope = 0.5 * (nu.ln() + 1.0) - t_abs.ln() - 0.5 * (super::gamma::digamma(a + 1.0) - super::gamma::digamma(a + 0.5));
        let curvature = 0.5 / nu - 0.25 * (polygamma(1, a + 1.0) - polygamma(1, a + 0.5));
        return t / nu * if order == 1 { slope } else { slope * slope + curvature };
    };
    let relative = match p.method() {
        Method::Series => relative_series(p),
        Method::Fraction => relative_fraction(p),
        Method::ComplementSeries => complement(relative_series(p.reflected())),
        Method::ComplementFraction => complement(relative_fraction(p.reflected())),
    };
    // p/f
    let ratio = t_abs / (p.x.value() * p.y.value());
    let value = if order == 1 {
        0.25 * relative[0] * ratio + 0.5 * t_abs / nu
    } else {
        let increase = digamma_difference(0.5 * nu, 0.5);
        let logarithm = p.x.ln().value();
        // ∂_ν ln f = −1/(2ν) + ½(ψ(ν/2 + ½) − ψ(ν/2)) + ½ ln x + (ν+1)/2 · y/ν
        let slope = -0.5 / nu + 0.5 * increase + 0.5 * logarithm + 0.5 * (nu + 1.0) * p.y.value() / nu;
        0.125 * relative[2] * ratio + t_abs / nu * (0.25 * (logarithm + increase) + 0.5 * slope - 0.5 / nu)
    };
    if t < 0.0 { -value } else { value }
}
