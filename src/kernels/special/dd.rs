//! Double-double numbers: an unevaluated sum of two `f64`, about 106 bits.
//!
//! The factors x^a e^{−x}/Γ(a+1) and x^a (1−x)^b/B(a, b) of the incomplete functions, and B itself, are exponentials of differences of large
//! numbers. An exponent of size E known to `f64` accuracy costs E·ε in the result (1e-13 at the far tails); with the exponent in double-double
//! nothing is lost. Error-free transformations after Dekker (Numer. Math. 18, 224, 1971) and Knuth (TAOCP 2, §4.2.2).

use std::ops::{Add, Div, Mul, Neg, Sub};

/// hi + lo with |lo| ≤ ulp(hi)/2.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dd {
    pub hi: f64,
    pub lo: f64,
}

/// ½ ln 2π
const HALF_LN_2PI: Dd = Dd { hi: 0.9189385332046728, lo: -3.8782941580672414e-17 };
/// The coefficients B_{2k}/(2k(2k−1)), k = 2…9, of Stirling's series (the first, 1/12, is added in double-double).
const STIRLING: [f64; 8] = [
    -0.002_777_777_777_777_778,
    0.000_793_650_793_650_793_7,
    -0.000_595_238_095_238_095_3,
    0.000_841_750_841_750_841_7,
    -0.001_917_526_917_526_917_4,
    0.006_410_256_410_256_41,
    -0.029_550_653_594_771_242,
    0.179_644_372_368_830_57,
];

#[inline]
const fn two_sum(a: f64, b: f64) -> Dd {
    let hi = a + b;
    let t = hi - a;
    Dd { hi, lo: (a - (hi - t)) + (b - t) }
}

/// The same for |a| ≥ |b|.
#[inline]
const fn quick_two_sum(a: f64, b: f64) -> Dd {
    let hi = a + b;
    Dd { hi, lo: b - (hi - a) }
}

#[inline]
const fn split(a: f64) -> (f64, f64) {
    let t = 134_217_729.0 * a;
    let hi = t - (t - a);
    (hi, a - hi)
}

/// Dekker's product rather than a fused multiply-add, which is a slow library call on targets that do not have one.
#[inline]
const fn two_product(a: f64, b: f64) -> Dd {
    let hi = a * b;
    let ((a1, a2), (b1, b2)) = (split(a), split(b));
    Dd { hi, lo: ((a1 * b1 - hi) + a1 * b2 + a2 * b1) + a2 * b2 }
}

/// 1/(2j + 3): the series of (artanh z)/z after its first term.
const ODD_RECIPROCALS: [Dd; 22] = {
    let mut table = [Dd { hi: 0.0, lo: 0.0 }; 22];
    let mut j = 0;
    while j < 22 {
        let n = (2 * j + 3) as f64;
        let hi = 1.0 / n;
        let p = two_product(hi, n);
        table[j] = Dd { hi, lo: ((1.0 - p.hi) - p.lo) / n };
        j += 1;
    }
    table
};

impl Dd {
    pub const ONE: Dd = Dd { hi: 1.0, lo: 0.0 };
    pub const LN_2: Dd = Dd { hi: std::f64::consts::LN_2, lo: 2.3190468138462996e-17 };

    /// a + b, exactly.
    #[inline]
    pub fn sum(a: f64, b: f64) -> Dd {
        two_sum(a, b)
    }

    /// a·b, exactly (for |a|, |b| < 2⁹⁹⁶).
    #[inline]
    pub fn product(a: f64, b: f64) -> Dd {
        two_product(a, b)
    }

    #[inline]
    pub fn value(self) -> f64 {
        self.hi + self.lo
    }

    /// e^self as `f64`.
    #[inline]
    pub fn exp(self) -> f64 {
        let e = self.hi.exp();
        if e.is_finite() { e + e * self.lo } else { e }
    }

    /// Σ_{j≥1} w^{j−1}/(2j+1) for 0 ≤ w ≤ 0.03, so that artanh z = z + z³ Σ with w = z². Terms from the eleventh on are below the rounding of `f64`.
    fn artanh_tail(w: Dd) -> Dd {
        let mut tail = 0.0;
        for r in ODD_RECIPROCALS[11..].iter().rev() {
            tail = tail * w.hi + r.hi;
        }
        let mut s = Dd::from(tail);
        for &r in ODD_RECIPROCALS[..11].iter().rev() {
            s = s * w + r;
        }
        s
    }

    /// ln x for x > 0.
    pub fn ln(self) -> Dd {
        // x = m·2^k with m in [√½, √2], and ln m = 2 artanh((m−1)/(m+1))
        let (scaled, offset) = if self.hi < f64::MIN_POSITIVE { (self * 1.801_439_850_948_198_4e16, -54.0) } else { (self, 0.0) };
        let mut exponent = ((scaled.hi.to_bits() >> 52) & 0x7ff) as i64 - 1023;
        let power = f64::from_bits(((exponent + 1023) as u64) << 52);
        let mut m = Dd { hi: scaled.hi / power, lo: scaled.lo / power };
        if m.hi > std::f64::consts::SQRT_2 {
            m = Dd { hi: 0.5 * m.hi, lo: 0.5 * m.lo };
            exponent += 1;
        }
        let z = (m - 1.0) / (m + 1.0);
        let w = z * z;
        let ln_m = (z + z * w * Dd::artanh_tail(w)) * 2.0;
        Dd::LN_2 * (exponent as f64 + offset) + ln_m
    }

    /// ln(1 + s/x) for 0 < s ≤ x, without cancellation at small s/x.
    pub fn ln_1p_ratio(s: f64, x: f64) -> Dd {
        if s > 0.4 * x {
            return (Dd::sum(x, s) / x).ln();
        }
        let z = Dd::from(s) / (Dd::from(x) * 2.0 + s);
        let w = z * z;
        (z + z * w * Dd::artanh_tail(w)) * 2.0
    }

    /// (ln(x/a), x/a − 1 − ln(x/a)) for 0.71 < x/a < 1.41, without cancellation at x = a.
    pub fn ln_ratio(x: f64, a: f64) -> (Dd, Dd) {
        let z = (Dd::sum(x, -a)) / Dd::sum(x, a);
        let w = z * z;
        let odd = z * w * Dd::artanh_tail(w) * 2.0;
        // x/a − 1 = 2z/(1−z) and ln(x/a) = 2z + odd
        (z * 2.0 + odd, w * 2.0 / (Dd::ONE - z) - odd)
    }

    /// ln Γ(x) for x > 0, with an absolute error of about 1e-23: Stirling's series (DLMF 5.11.1) at x ≥ 40, where the recurrence leads.
    pub fn ln_gamma(self) -> Dd {
        let (mut x, mut product) = (self, Dd::ONE);
        while x.hi < 40.0 {
            product = product * x;
            x = x + 1.0;
        }
        let r = 1.0 / x.hi;
        let series = STIRLING.iter().rev().fold(0.0, |s, c| s * r * r + c) * r * r * r;
        let stirling = (x - 0.5) * x.ln() - x + HALF_LN_2PI + Dd::ONE / (x * 12.0) + series;
        if product.hi == 1.0 && product.lo == 0.0 { stirling } else { stirling - product.ln() }
    }
}

impl From<f64> for Dd {
    #[inline]
    fn from(x: f64) -> Dd {
        Dd { hi: x, lo: 0.0 }
    }
}

impl Neg for Dd {
    type Output = Dd;
    #[inline]
    fn neg(self) -> Dd {
        Dd { hi: -self.hi, lo: -self.lo }
    }
}

impl Add for Dd {
    type Output = Dd;
    #[inline]
    fn add(self, y: Dd) -> Dd {
        let s = two_sum(self.hi, y.hi);
        let t = two_sum(self.lo, y.lo);
        let u = quick_two_sum(s.hi, s.lo + t.hi);
        quick_two_sum(u.hi, u.lo + t.lo)
    }
}

impl Sub for Dd {
    type Output = Dd;
    #[inline]
    fn sub(self, y: Dd) -> Dd {
        self + -y
    }
}

impl Mul for Dd {
    type Output = Dd;
    #[inline]
    fn mul(self, y: Dd) -> Dd {
        let p = two_product(self.hi, y.hi);
        quick_two_sum(p.hi, p.lo + (self.hi * y.lo + self.lo * y.hi))
    }
}

impl Div for Dd {
    type Output = Dd;
    fn div(self, y: Dd) -> Dd {
        let q1 = self.hi / y.hi;
        let r = self - y * q1;
        let q2 = r.hi / y.hi;
        let r = r - y * q2;
        quick_two_sum(q1, q2) + r.hi / y.hi
    }
}

macro_rules! with_f64 {
    ($($trait:ident $f:ident;)*) => { $(
        impl $trait<f64> for Dd {
            type Output = Dd;
            #[inline]
            fn $f(self, y: f64) -> Dd {
                $trait::$f(self, Dd::from(y))
            }
        }
    )* };
}
with_f64! { Add add; Sub sub; Mul mul; Div div; }
