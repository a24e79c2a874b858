//! Numbers whose operations are calls: what they stand for is compiled once and not into every formula.

use super::Number;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// S, with operations that are not inlined: for nested duals of higher orders, whose code would otherwise grow with every level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Outlined<S>(pub(crate) S);

macro_rules! operator {
    ($($trait:ident $f:ident)*) => { $(
        impl<S: Number> $trait for Outlined<S> {
            type Output = Self;
            #[inline(never)]
            fn $f(self, y: Self) -> Self {
                Outlined($trait::$f(self.0, y.0))
            }
        }
    )* };
}
operator!(Add add Sub sub Mul mul Div div);

impl<S: Number> Neg for Outlined<S> {
    type Output = Self;
    fn neg(self) -> Self {
        Outlined(-self.0)
    }
}

macro_rules! call {
    ($($f:ident)*) => { $(
        #[inline(never)]
        fn $f(self) -> Self {
            Outlined(self.0.$f())
        }
    )* };
    (2: $($f:ident)*) => { $(
        #[inline(never)]
        fn $f(self, y: Self) -> Self {
            Outlined(self.0.$f(y.0))
        }
    )* };
}

impl<S: Number> Number for Outlined<S> {
    fn constant(x: f64) -> Self {
        Outlined(S::constant(x))
    }
    call!(exp expm1 ln log1p sqrt cbrt sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh erf erfc absolute recip);
    call!(2: pow arctan2 maximum minimum);
    #[inline(never)]
    fn sincos(self) -> (Self, Self) {
        let (s, c) = self.0.sincos();
        (Outlined(s), Outlined(c))
    }
    #[inline(never)]
    fn powi(self, n: i32) -> Self {
        Outlined(self.0.powi(n))
    }
    #[inline(never)]
    fn powf(self, p: f64) -> Self {
        Outlined(self.0.powf(p))
    }
    #[inline]
    fn real_part(self) -> f64 {
        self.0.real_part()
    }
    #[inline]
    fn is_zero(self) -> bool {
        self.0.is_zero()
    }
}
