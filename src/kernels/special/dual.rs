//! Numbers that carry derivatives, so that a series or continued fraction is written once for the function and its derivatives in parameters.

use std::ops::{Add, Div, Mul, Sub};

/// What the expansions are evaluated on: `f64`, [`Dual`] for the derivative in one parameter, [`Jet`] for the first two orders in two.
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

/// A Taylor polynomial of second order in two variables: the value, the first derivatives and the second ones (∂₀₀, ∂₀₁, ∂₁₁).
#[derive(Clone, Copy, Debug)]
pub(super) struct Jet {
    pub v: f64,
    pub d: [f64; 2],
    pub s: [f64; 3],
}

/// The pair of variables of each second derivative.
const PAIRS: [(usize, usize); 3] = [(0, 0), (0, 1), (1, 1)];

impl Jet {
    /// One of the two variables.
    #[inline]
    pub fn variable(v: f64, which: usize) -> Jet {
        let mut d = [0.0; 2];
        d[which] = 1.0;
        Jet { v, d, s: [0.0; 3] }
    }

    /// Whether `change` is below `tolerance` beside `self`: a derivative is compared with its own size and with that of lower orders, so
    /// that a second derivative that crosses zero does not ask for digits that are not there.
    #[inline]
    fn beside(self, change: Jet, tolerance: f64) -> bool {
        let second = |i: usize| {
            let (p, q) = PAIRS[i];
            change.s[i].abs() <= 4.0 * tolerance * (self.s[i].abs() + (self.d[p] * self.d[q]).abs() / self.v.abs())
        };
        let first = |i: usize| change.d[i].abs() <= tolerance * self.d[i].abs();
        (0..2).all(first) && (0..3).all(second)
    }
}

impl From<f64> for Jet {
    #[inline]
    fn from(v: f64) -> Jet {
        Jet { v, d: [0.0; 2], s: [0.0; 3] }
    }
}

impl Arithmetic for Jet {
    #[inline]
    fn negligible(self, sum: Jet) -> bool {
        self.v.negligible(sum.v) && sum.beside(self, 0.5 * f64::EPSILON)
    }
    #[inline]
    fn settled(self, change: Jet) -> bool {
        self.v.settled(change.v) && self.beside(change, 16.0 * f64::EPSILON)
    }
}

impl Add for Jet {
    type Output = Jet;
    #[inline]
    fn add(self, y: Jet) -> Jet {
        Jet { v: self.v + y.v, d: std::array::from_fn(|i| self.d[i] + y.d[i]), s: std::array::from_fn(|i| self.s[i] + y.s[i]) }
    }
}

impl Sub for Jet {
    type Output = Jet;
    #[inline]
    fn sub(self, y: Jet) -> Jet {
        Jet { v: self.v - y.v, d: std::array::from_fn(|i| self.d[i] - y.d[i]), s: std::array::from_fn(|i| self.s[i] - y.s[i]) }
    }
}

impl Mul for Jet {
    type Output = Jet;
    #[inline]
    fn mul(self, y: Jet) -> Jet {
        let second = |i: usize| {
            let (p, q) = PAIRS[i];
            self.v * y.s[i] + self.d[p] * y.d[q] + self.d[q] * y.d[p] + self.s[i] * y.v
        };
        Jet { v: self.v * y.v, d: std::array::from_fn(|i| self.v * y.d[i] + self.d[i] * y.v), s: std::array::from_fn(second) }
    }
}

impl Div for Jet {
    type Output = Jet;
    #[inline]
    fn div(self, y: Jet) -> Jet {
        let v = self.v / y.v;
        let d: [f64; 2] = std::array::from_fn(|i| (self.d[i] - v * y.d[i]) / y.v);
        let second = |i: usize| {
            let (p, q) = PAIRS[i];
            (self.s[i] - d[p] * y.d[q] - d[q] * y.d[p] - v * y.s[i]) / y.v
        };
        Jet { v, d, s: std::array::from_fn(second) }
    }
}
