//! The regularised incomplete beta function I_x(a, b) and its derivatives in a and b.
//!
//! - below the mean, a(1−x) ≥ bx: the continued fraction of Didonato and Morris (ACM TOMS 18, 360, 1992, eq. 9), of positive terms up to n = b;
//! - bx ≤ 0.7 and x ≤ 0.7: the power series x^a/(aB) [1 + a Σ (1−b)_n xⁿ/(n!(a+n))] (DLMF 8.17.7 with 15.2.1);
//! - above the mean: 1 − I_{1−x}(b, a), and where that series serves, with the leading terms cancelled by `expm1`.
//!
//! The exponent of x^a (1−x)^b/B(a, b) and λ = a(1−x) − bx are in double-double, so the tails keep their relative accuracy.
//! For the derivatives the same expansions run on a dual number; the exponential's part is closed, d ln(x^a/B)/da = ln x − ψ(a) + ψ(a+b).

use super::dd::Dd;
use super::dual::{Arithmetic, Dual, continued_fraction};
use super::gamma::{betaln_dd, digamma_difference, digamma_difference_rest};

/// I_x(a, b) for 0 ≤ x ≤ 1 and 0 ≤ a, b ≤ 1e290 or one of them infinite, not both zero; NaN elsewhere.
pub fn betainc(a: f64, b: f64, x: f64) -> f64 {
    match edge(a, b, x) {
        Some(value) => value,
        None => {
            let p = Point::new(a, b, x);
            match p.method() {
                Method::Series => series_factor(p) * power_series(p.a, p.b, p.x.value()),
                Method::Fraction => fraction_factor(p) * fraction(p.a, p.b, p),
                Method::ComplementSeries => complement_series(p.reflected()),
                Method::ComplementFraction => {
                    let q = p.reflected();
                    1.0 - fraction_factor(q) * fraction(q.a, q.b, q)
                }
            }
        }
    }
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

/// x^a/(a B(a, b))
fn series_factor(p: Point) -> f64 {
    (p.x.ln() * p.a - betaln_dd(p.a, p.b) - Dd::from(p.a).ln()).exp()
}

/// x^a y^b/B(a, b)
fn fraction_factor(p: Point) -> f64 {
    (p.x.ln() * p.a + p.y.ln() * p.b - betaln_dd(p.a, p.b)).exp()
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
