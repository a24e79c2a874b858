//! [`Num`]: a [`Number`] in a formula, which float literals may stand on either side of.

use super::Number;
use std::cmp::Ordering;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// What a scalar function computes with: a number of any kind (real, complex, dual) that mixes with `f64` literals.
///
/// Comparisons look at the real part, so `if x < 0.0 { … }` works on values and carries derivatives through the branch taken.
///
/// ```
/// use pullback::scalar::{Dual, Num, Number};
/// fn quartic<S: Number>(x: Num<S>, lambda: Num<S>) -> Num<S> {
///     0.5 * x * x + lambda / 24.0 * x.powi(4)
/// }
/// assert_eq!(quartic(Num(2.0), Num(3.0)).0, 4.0);
/// let [x, lambda] = Dual::variables([2.0, 3.0]);
/// assert_eq!(quartic(Num(x), Num(lambda)).0.partials[0], 2.0 + 3.0 * 8.0 / 6.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Num<S>(pub S);

impl<S: Number> From<f64> for Num<S> {
    #[inline(always)]
    fn from(x: f64) -> Self {
        Num(S::constant(x))
    }
}

macro_rules! operator {
    ($($trait:ident $f:ident $assign:ident $fa:ident;)*) => { $(
        impl<S: Number> $trait for Num<S> {
            type Output = Num<S>;
            #[inline(always)]
            fn $f(self, y: Num<S>) -> Num<S> {
                Num($trait::$f(self.0, y.0))
            }
        }
        impl<S: Number> $trait<f64> for Num<S> {
            type Output = Num<S>;
            #[inline(always)]
            fn $f(self, y: f64) -> Num<S> {
                Num($trait::$f(self.0, S::constant(y)))
            }
        }
        impl<S: Number> $trait<Num<S>> for f64 {
            type Output = Num<S>;
            #[inline(always)]
            fn $f(self, y: Num<S>) -> Num<S> {
                Num($trait::$f(S::constant(self), y.0))
            }
        }
        impl<S: Number, Y> $assign<Y> for Num<S>
        where
            Num<S>: $trait<Y, Output = Num<S>>,
        {
            #[inline(always)]
            fn $fa(&mut self, y: Y) {
                *self = $trait::$f(*self, y);
            }
        }
    )* };
}
operator! {
    Add add AddAssign add_assign;
    Sub sub SubAssign sub_assign;
    Mul mul MulAssign mul_assign;
    Div div DivAssign div_assign;
}

impl<S: Number> Neg for Num<S> {
    type Output = Num<S>;
    #[inline(always)]
    fn neg(self) -> Num<S> {
        Num(-self.0)
    }
}

impl<S: Number> PartialEq<f64> for Num<S> {
    #[inline(always)]
    fn eq(&self, y: &f64) -> bool {
        self.0.real_part() == *y
    }
}

impl<S: Number> PartialOrd<f64> for Num<S> {
    #[inline(always)]
    fn partial_cmp(&self, y: &f64) -> Option<Ordering> {
        self.0.real_part().partial_cmp(y)
    }
    #[inline(always)]
    fn lt(&self, y: &f64) -> bool {
        self.0.real_part() < *y
    }
    #[inline(always)]
    fn le(&self, y: &f64) -> bool {
        self.0.real_part() <= *y
    }
    #[inline(always)]
    fn gt(&self, y: &f64) -> bool {
        self.0.real_part() > *y
    }
    #[inline(always)]
    fn ge(&self, y: &f64) -> bool {
        self.0.real_part() >= *y
    }
}

impl<S: Number> PartialOrd for Num<S> {
    #[inline(always)]
    fn partial_cmp(&self, y: &Num<S>) -> Option<Ordering> {
        self.0.real_part().partial_cmp(&y.0.real_part())
    }
    #[inline(always)]
    fn lt(&self, y: &Num<S>) -> bool {
        self.0.real_part() < y.0.real_part()
    }
    #[inline(always)]
    fn le(&self, y: &Num<S>) -> bool {
        self.0.real_part() <= y.0.real_part()
    }
    #[inline(always)]
    fn gt(&self, y: &Num<S>) -> bool {
        self.0.real_part() > y.0.real_part()
    }
    #[inline(always)]
    fn ge(&self, y: &Num<S>) -> bool {
        self.0.real_part() >= y.0.real_part()
    }
}

macro_rules! functions {
    ($($(#[doc = $doc:literal])+ $f:ident;)*) => {
        impl<S: Number> Num<S> { $(
            $(#[doc = $doc])+
            #[inline(always)]
            pub fn $f(self) -> Num<S> {
                Num(Number::$f(self.0))
            }
        )* }
    };
}
functions! {
    /// eˣ
    exp;
    /// eˣ − 1
    expm1;
    /// Natural logarithm.
    ln;
    /// ln(1 + x)
    log1p;
    /// √x; its derivative at 0 is 0.
    sqrt;
    /// The cube root; its derivative at 0 is 0.
    cbrt;
    /// sin x
    sin;
    /// cos x
    cos;
    /// tan x
    tan;
    /// sinh x
    sinh;
    /// cosh x
    cosh;
    /// tanh x
    tanh;
    /// arcsin x
    asin;
    /// arccos x
    acos;
    /// arctan x
    atan;
    /// arcsinh x
    asinh;
    /// arccosh x
    acosh;
    /// arctanh x
    atanh;
    /// The error function, of real numbers.
    erf;
    /// 1 − erf x, of real numbers.
    erfc;
    /// 1/x
    recip;
}

impl<S: Number> Num<S> {
    /// |x| of real numbers, √(z²) of complex ones; the derivative at 0 is 0.
    #[inline(always)]
    pub fn abs(self) -> Num<S> {
        Num(self.0.absolute())
    }

    /// x²
    #[inline(always)]
    pub fn square(self) -> Num<S> {
        self * self
    }

    /// (sin x, cos x)
    #[inline(always)]
    pub fn sin_cos(self) -> (Num<S>, Num<S>) {
        let (s, c) = self.0.sincos();
        (Num(s), Num(c))
    }

    /// xⁿ for an integer n
    #[inline(always)]
    pub fn powi(self, n: i32) -> Num<S> {
        Num(self.0.powi(n))
    }

    /// xᵖ for a real constant p
    #[inline(always)]
    pub fn powf(self, p: f64) -> Num<S> {
        Num(self.0.powf(p))
    }

    /// x^y
    #[inline(always)]
    pub fn pow(self, y: Num<S>) -> Num<S> {
        Num(self.0.pow(y.0))
    }

    /// The angle of the point (x, y), where `self` is y, of real numbers; the derivative at the origin is 0.
    #[inline(always)]
    pub fn atan2(self, x: Num<S>) -> Num<S> {
        Num(self.0.arctan2(x.0))
    }

    /// The larger one, of numbers or a number and a literal; ties share the derivative equally.
    #[inline(always)]
    pub fn max(self, y: impl Into<Num<S>>) -> Num<S> {
        Num(self.0.maximum(y.into().0))
    }

    /// The smaller one, of numbers or a number and a literal; ties share the derivative equally.
    #[inline(always)]
    pub fn min(self, y: impl Into<Num<S>>) -> Num<S> {
        Num(self.0.minimum(y.into().0))
    }

    /// The real part: what branches may look at.
    #[inline(always)]
    pub fn real_part(self) -> f64 {
        self.0.real_part()
    }
}
