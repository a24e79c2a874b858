//! A number with one derivative, so that a series or continued fraction is written once for the function and its derivative in a parameter.

use std::ops::{Add, Div, Mul, Sub};

/// What the expansions are evaluated on: `f64`, or [`Dual`] for the derivative as well.
pub(super) trait Arithmetic:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + From<f64>
{
    /// Whether `self` is so small beside `sum`, in the derivative as well, that adding it changes nothing.
    fn negligible(self, sum: Self) -> bool;
    /// Whether `change` is of the order of the rounding of `self`, in the derivative as well.
    fn settled(self, change: Self) -> bool;
}

/// 1/(b₀ + a₁/(b₁ + a₂/(b₂ + …))) with `step(n)` = (a_n, b_n), by Lentz's method (DLMF 3.10(iii)).
pub(super) fn continued_fraction<T: Arithmetic>(b0: T, step: impl Fn(f64) -> (T, T)) -> T {
    let mut c = T::from(1e300);
    let mut d = T::from(1.0) / b0;
    let mut h = d;
    let mut n = 1.0;
    // the change is not yet the error where convergence is slow, so a quarter of the steps is added once it has settled
    let mut last = 5e6;
    while n < last {
        let (a, b) = step(n);
        d = T::from(1.0) / (a * d + b);
        c = b + a / c;
        let next = h * (c * d);
        if last == 5e6 && next.settled(next - h) {
            last = 1.25 * n + 3.0;
        }
        h = next;
        n += 1.0;
    }
    h
}

impl Arithmetic for f64 {
    #[inline]
    fn negligible(self, sum: f64) -> bool {
        self.abs() <= 0.5 * f64::EPSILON * sum.abs()
    }
    #[inline]
    fn settled(self, change: f64) -> bool {
        change.abs() <= 3.0 * f64::EPSILON * self.abs()
    }
}

/// v + d·ε with ε² = 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dual {
    pub v: f64,
    pub d: f64,
}

impl Dual {
    /// The variable of differentiation.
    #[inline]
    pub fn variable(v: f64) -> Dual {
        Dual { v, d: 1.0 }
    }
}

impl From<f64> for Dual {
    #[inline]
    fn from(v: f64) -> Dual {
        Dual { v, d: 0.0 }
    }
}

impl Arithmetic for Dual {
    #[inline]
    fn negligible(self, sum: Dual) -> bool {
        self.v.negligible(sum.v) && self.d.negligible(sum.d)
    }
    #[inline]
    fn settled(self, change: Dual) -> bool {
        self.v.settled(change.v) && change.d.abs() <= 16.0 * f64::EPSILON * self.d.abs()
    }
}

impl Add for Dual {
    type Output = Dual;
    #[inline]
    fn add(self, y: Dual) -> Dual {
        Dual { v: self.v + y.v, d: self.d + y.d }
    }
}

impl Sub for Dual {
    type Output = Dual;
    #[inline]
    fn sub(self, y: Dual) -> Dual {
        Dual { v: self.v - y.v, d: self.d - y.d }
    }
}

impl Mul for Dual {
    type Output = Dual;
    #[inline]
    fn mul(self, y: Dual) -> Dual {
        Dual { v: self.v * y.v, d: self.v * y.d + self.d * y.v }
    }
}

impl Div for Dual {
    type Output = Dual;
    #[inline]
    fn div(self, y: Dual) -> Dual {
        let v = self.v / y.v;
        Dual { v, d: (self.d - v * y.d) / y.v }
    }
}
