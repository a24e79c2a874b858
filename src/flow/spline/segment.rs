//! One bin of a rational-quadratic spline, on numbers.
//!
//! With ξ = (x − x₀)/w, s = h/w, t = ξ(1 − ξ) and D = s + (d₁ + d₀ − 2s) t (Durkan et al., arXiv:1906.04032, eqs. 4–8):
//!
//! - y = y₀ + h (s ξ² + d₀ t)/D,
//! - ln y′ = 2 ln(s/D) + ln G, G = d₁ ξ² + 2 s t + d₀ (1 − ξ)²,
//! - inverse: ξ = 2c/(−b − √(b² − 4ac)) with Y = y − y₀, a = h(s − d₀) + Y(d₁ + d₀ − 2s), b = h d₀ − Y(d₁ + d₀ − 2s), c = −s Y.

use crate::scalar::{Num, Number, ScalarFn};

/// The bin that a point lies in: left corner, width, height, and the slopes at its two ends.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Segment {
    pub(super) x0: f64,
    pub(super) w: f64,
    pub(super) y0: f64,
    pub(super) h: f64,
    pub(super) d0: f64,
    pub(super) d1: f64,
}

/// (y, ln y′) of (x, x₀, w, y₀, h, d₀, d₁): the formula that derivatives of higher order are taken of.
#[derive(Clone, Copy)]
pub(super) struct RationalQuadraticSegment;

impl ScalarFn<7, 2> for RationalQuadraticSegment {
    #[inline(always)]
    fn call<S: Number>(&self, [x, x0, w, y0, h, d0, d1]: [Num<S>; 7]) -> [Num<S>; 2] {
        let xi = (x - x0) / w;
        let s = h / w;
        let t = xi * (1.0 - xi);
        let denominator = s + (d1 + d0 - 2.0 * s) * t;
        let y = y0 + h * ((s * xi * xi + d0 * t) / denominator);
        let g = d1 * xi * xi + 2.0 * s * t + d0 * (1.0 - xi) * (1.0 - xi);
        [y, 2.0 * (s / denominator).ln() + g.ln()]
    }
}

/// The intermediate results that value and adjoint share.
struct At {
    xi: f64,
    t: f64,
    s: f64,
    a: f64,
    denominator: f64,
    g: f64,
}

impl Segment {
    #[inline]
    fn at(&self, xi: f64) -> At {
        let s = self.h / self.w;
        let t = xi * (1.0 - xi);
        let a = self.d1 + self.d0 - 2.0 * s;
        let g = self.d1 * xi * xi + 2.0 * s * t + self.d0 * (1.0 - xi) * (1.0 - xi);
        At { xi, t, s, a, denominator: s + a * t, g }
    }

    #[inline]
    fn place(&self, x: f64) -> At {
        self.at(((x - self.x0) / self.w).clamp(0.0, 1.0))
    }

    /// (y, ln y′)
    #[inline]
    pub(super) fn forward(&self, x: f64) -> (f64, f64) {
        let at = self.place(x);
        let y = self.y0 + self.h * ((at.s * at.xi * at.xi + self.d0 * at.t) / at.denominator);
        (y, 2.0 * (at.s / at.denominator).ln() + at.g.ln())
    }

    /// (x, ln x′)
    #[inline]
    pub(super) fn inverse(&self, y: f64) -> (f64, f64) {
        let s = self.h / self.w;
        // in units of the height, so that squares of steep slopes stay far from overflow
        let eta = ((y - self.y0) / self.h).clamp(0.0, 1.0);
        let scale = s.max(self.d0).max(self.d1);
        let (s1, d0, d1) = (s / scale, self.d0 / scale, self.d1 / scale);
        let bend = eta * (d1 + d0 - 2.0 * s1);
        let (a, b, c) = (s1 - d0 + bend, d0 - bend, -s1 * eta);
        let root = (b * b - 4.0 * a * c).max(0.0).sqrt();
        // b < 0 happens with a > 0 only, where this form of the root does not cancel either
        let xi = if b >= 0.0 { if c == 0.0 { 0.0 } else { -2.0 * c / (b + root) } } else { (root - b) / (2.0 * a) };
        let at = self.at(xi.clamp(0.0, 1.0));
        (self.x0 + at.xi * self.w, -(2.0 * (at.s / at.denominator).ln() + at.g.ln()))
    }

    /// d(ln y′)/dx
    #[inline]
    pub(super) fn curvature(&self, x: f64) -> f64 {
        let at = self.place(x);
        let slope = 2.0 * (self.d1 * at.xi - self.d0 * (1.0 - at.xi) + at.s * (1.0 - 2.0 * at.xi));
        (slope / at.g - 2.0 * at.a * (1.0 - 2.0 * at.xi) / at.denominator) / self.w
    }

    /// The cotangents of x and of the segment from those of (y, ln y′).
    #[inline]
    pub(super) fn adjoint(&self, x: f64, y_bar: f64, l_bar: f64) -> (f64, Segment) {
        let At { xi, t, s, a, denominator, g } = self.place(x);
        let ratio = (s * xi * xi + self.d0 * t) / denominator;
        let numerator_bar = y_bar * self.h / denominator;
        let denominator_bar = -(y_bar * self.h * ratio + 2.0 * l_bar) / denominator;
        let g_bar = l_bar / g;
        let t_bar = 2.0 * s * g_bar + a * denominator_bar + self.d0 * numerator_bar;
        let a_bar = t * denominator_bar;
        let s_bar = 2.0 * l_bar / s + 2.0 * t * g_bar + denominator_bar + xi * xi * numerator_bar - 2.0 * a_bar;
        let d0 = (1.0 - xi) * (1.0 - xi) * g_bar + t * numerator_bar + a_bar;
        let d1 = xi * xi * g_bar + a_bar;
        let xi_bar = 2.0 * (self.d1 * xi - self.d0 * (1.0 - xi)) * g_bar + 2.0 * s * xi * numerator_bar + (1.0 - 2.0 * xi) * t_bar;
        let x_bar = xi_bar / self.w;
        (x_bar, Segment { x0: -x_bar, w: -(s_bar * s + xi_bar * xi) / self.w, y0: y_bar, h: y_bar * ratio + s_bar / self.w, d0, d1 })
    }
}
