//! Dual numbers x + Σ ẋ_k ε_k with ε_j ε_k = 0: a value and N partial derivatives, carried through arithmetic together.
//!
//! f(x + ẋ ε) = f(x) + f′(x) ẋ ε. Duals of duals carry higher derivatives. At singular points the derivatives are those of the array
//! functions: 0 for √, ∛ and |x| at 0, for x^y at 0 where the limit is not finite; max and min share at ties.

use super::Number;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A number with N partial derivatives.
///
/// ```
/// use pullback::scalar::{Dual, Number};
/// // ∂(xy)/∂x and ∂(xy)/∂y at (3, 5)
/// let [x, y] = Dual::variables([3.0, 5.0]);
/// assert_eq!((x * y).partials, [5.0, 3.0]);
/// // a second derivative, of sin at 0.5
/// let x = Dual::new(Dual::new(0.5, [1.0]), [Dual::new(1.0, [0.0])]);
/// assert!((x.sin().partials[0].partials[0] + 0.5f64.sin()).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dual<S, const N: usize> {
    /// The value.
    pub value: S,
    /// The derivatives.
    pub partials: [S; N],
}

impl<S: Number, const N: usize> Dual<S, N> {
    /// From a value and its derivatives.
    #[inline(always)]
    pub fn new(value: S, partials: [S; N]) -> Self {
        Dual { value, partials }
    }

    /// A number that depends on nothing.
    #[inline(always)]
    pub fn from_value(value: S) -> Self {
        Dual { value, partials: [S::constant(0.0); N] }
    }

    /// The k-th independent variable, with derivative 1 in direction k.
    #[inline(always)]
    pub fn variable(value: S, k: usize) -> Self {
        let mut x = Self::from_value(value);
        x.partials[k] = S::constant(1.0);
        x
    }

    /// The N independent variables.
    #[inline(always)]
    pub fn variables(values: [S; N]) -> [Self; N] {
        let mut x = [Self::constant(0.0); N];
        for k in 0..N {
            x[k].value = values[k];
            x[k].partials[k] = S::constant(1.0);
        }
        x
    }

    /// f(self) from the value f(x) and the derivative f′(x).
    #[inline(always)]
    pub fn chain(self, value: S, derivative: S) -> Self {
        let mut partials = self.partials;
        for k in 0..N {
            partials[k] = partials[k] * derivative;
        }
        Dual { value, partials }
    }

    /// f(self, y) from the value and the two partial derivatives.
    #[inline(always)]
    fn chain2(self, y: Self, value: S, dx: S, dy: S) -> Self {
        let mut partials = self.partials;
        for k in 0..N {
            partials[k] = partials[k] * dx + y.partials[k] * dy;
        }
        Dual { value, partials }
    }
}

impl<S: Number, const N: usize> Add for Dual<S, N> {
    type Output = Self;
    #[inline(always)]
    fn add(self, y: Self) -> Self {
        let mut partials = self.partials;
        for k in 0..N {
            partials[k] = partials[k] + y.partials[k];
        }
        Dual { value: self.value + y.value, partials }
    }
}

impl<S: Number, const N: usize> Sub for Dual<S, N> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, y: Self) -> Self {
        let mut partials = self.partials;
        for k in 0..N {
            partials[k] = partials[k] - y.partials[k];
        }
        Dual { value: self.value - y.value, partials }
    }
}

impl<S: Number, const N: usize> Mul for Dual<S, N> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, y: Self) -> Self {
        self.chain2(y, self.value * y.value, y.value, self.value)
    }
}

impl<S: Number, const N: usize> Div for Dual<S, N> {
    type Output = Self;
    #[inline(always)]
    fn div(self, y: Self) -> Self {
        let inverse = y.value.recip();
        let z = self.value / y.value;
        self.chain2(y, z, inverse, -(z * inverse))
    }
}

impl<S: Number, const N: usize> Neg for Dual<S, N> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        let mut partials = self.partials;
        for k in 0..N {
            partials[k] = -partials[k];
        }
        Dual { value: -self.value, partials }
    }
}

/// 1/x, and 0 at 0.
#[inline(always)]
fn recip_or_zero<S: Number>(x: S) -> S {
    if x.is_zero() { S::constant(0.0) } else { x.recip() }
}

impl<S: Number, const N: usize> Number for Dual<S, N> {
    #[inline(always)]
    fn constant(x: f64) -> Self {
        Self::from_value(S::constant(x))
    }
    #[inline(always)]
    fn exp(self) -> Self {
        let y = self.value.exp();
        self.chain(y, y)
    }
    #[inline(always)]
    fn expm1(self) -> Self {
        let y = self.value.expm1();
        self.chain(y, y + S::constant(1.0))
    }
    #[inline(always)]
    fn ln(self) -> Self {
        self.chain(self.value.ln(), self.value.recip())
    }
    #[inline(always)]
    fn log1p(self) -> Self {
        self.chain(self.value.log1p(), (self.value + S::constant(1.0)).recip())
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        let y = self.value.sqrt();
        self.chain(y, recip_or_zero(y + y))
    }
    #[inline(always)]
    fn cbrt(self) -> Self {
        let y = self.value.cbrt();
        self.chain(y, recip_or_zero(S::constant(3.0) * y * y))
    }
    #[inline(always)]
    fn sin(self) -> Self {
        let (s, c) = self.value.sincos();
        self.chain(s, c)
    }
    #[inline(always)]
    fn cos(self) -> Self {
        let (s, c) = self.value.sincos();
        self.chain(c, -s)
    }
    #[inline(always)]
    fn sincos(self) -> (Self, Self) {
        let (s, c) = self.value.sincos();
        (self.chain(s, c), self.chain(c, -s))
    }
    #[inline(always)]
    fn tan(self) -> Self {
        let y = self.value.tan();
        self.chain(y, y * y + S::constant(1.0))
    }
    #[inline(always)]
    fn sinh(self) -> Self {
        self.chain(self.value.sinh(), self.value.cosh())
    }
    #[inline(always)]
    fn cosh(self) -> Self {
        self.chain(self.value.cosh(), self.value.sinh())
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        let y = self.value.tanh();
        self.chain(y, S::constant(1.0) - y * y)
    }
    #[inline(always)]
    fn asin(self) -> Self {
        self.chain(self.value.asin(), (S::constant(1.0) - self.value * self.value).sqrt().recip())
    }
    #[inline(always)]
    fn acos(self) -> Self {
        self.chain(self.value.acos(), -(S::constant(1.0) - self.value * self.value).sqrt().recip())
    }
    #[inline(always)]
    fn atan(self) -> Self {
        self.chain(self.value.atan(), (S::constant(1.0) + self.value * self.value).recip())
    }
    #[inline(always)]
    fn asinh(self) -> Self {
        self.chain(self.value.asinh(), (S::constant(1.0) + self.value * self.value).sqrt().recip())
    }
    #[inline(always)]
    fn acosh(self) -> Self {
        // two roots: √(z² − 1) has the wrong sign for Re z < 0
        let one = S::constant(1.0);
        self.chain(self.value.acosh(), ((self.value - one).sqrt() * (self.value + one).sqrt()).recip())
    }
    #[inline(always)]
    fn atanh(self) -> Self {
        self.chain(self.value.atanh(), (S::constant(1.0) - self.value * self.value).recip())
    }
    #[inline(always)]
    fn erf(self) -> Self {
        let slope = (-(self.value * self.value)).exp() * S::constant(std::f64::consts::FRAC_2_SQRT_PI);
        self.chain(self.value.erf(), slope)
    }
    #[inline(always)]
    fn erfc(self) -> Self {
        let slope = (-(self.value * self.value)).exp() * S::constant(-std::f64::consts::FRAC_2_SQRT_PI);
        self.chain(self.value.erfc(), slope)
    }
    #[inline(always)]
    fn arctan2(self, x: Self) -> Self {
        let weight = recip_or_zero(x.value * x.value + self.value * self.value);
        self.chain2(x, self.value.arctan2(x.value), x.value * weight, -(self.value * weight))
    }
    #[inline(always)]
    fn powi(self, n: i32) -> Self {
        let slope = if n == 0 { S::constant(0.0) } else { S::constant(f64::from(n)) * self.value.powi(n - 1) };
        self.chain(self.value.powi(n), slope)
    }
    #[inline(always)]
    fn powf(self, p: f64) -> Self {
        let slope = if p == 0.0 { S::constant(0.0) } else { S::constant(p) * self.value.powf(p - 1.0) };
        self.chain(self.value.powf(p), slope)
    }
    #[inline(always)]
    fn pow(self, y: Self) -> Self {
        let (x, zero) = (self.value, S::constant(0.0));
        let z = x.pow(y.value);
        let dx = if x.is_zero() && y.value.is_zero() { zero } else { y.value * x.pow(y.value - S::constant(1.0)) };
        let dy = if x.is_zero() && y.value.real_part() >= 0.0 { zero } else { z * x.ln() };
        self.chain2(y, z, dx, dy)
    }
    #[inline(always)]
    fn absolute(self) -> Self {
        let x = self.value.real_part();
        let slope = if x > 0.0 {
            1.0
        } else if x < 0.0 {
            -1.0
        } else {
            0.0
        };
        self.chain(self.value.absolute(), S::constant(slope))
    }
    #[inline(always)]
    fn maximum(self, y: Self) -> Self {
        let share = share(self.value.real_part(), y.value.real_part());
        self.chain2(y, self.value.maximum(y.value), S::constant(share), S::constant(1.0 - share))
    }
    #[inline(always)]
    fn minimum(self, y: Self) -> Self {
        let share = share(y.value.real_part(), self.value.real_part());
        self.chain2(y, self.value.minimum(y.value), S::constant(share), S::constant(1.0 - share))
    }
    #[inline(always)]
    fn recip(self) -> Self {
        let y = self.value.recip();
        self.chain(y, -(y * y))
    }
    #[inline(always)]
    fn real_part(self) -> f64 {
        self.value.real_part()
    }
    #[inline(always)]
    fn is_zero(self) -> bool {
        self.value.is_zero()
    }
}

/// How much of the derivative of max(a, b) belongs to a.
#[inline(always)]
fn share(a: f64, b: f64) -> f64 {
    if a > b || a.is_nan() {
        1.0
    } else if a == b {
        0.5
    } else {
        0.0
    }
}
