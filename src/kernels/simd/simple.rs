//! Functions that are one or a few machine instructions, and those left to a scalar library function.

use super::{BinaryFn, Guarded, UnaryFn};
use crate::scalar::{Real, Scalar};
use num_complex::Complex;

/// Implements [`UnaryFn`] for a marker type and all four scalars by one generic expression.
macro_rules! every_scalar {
    ($($(#[$doc:meta])* $name:ident<$t:ident>: |$x:ident| $e:expr;)*) => { $(
        $(#[$doc])*
        pub struct $name;
        impl<$t: Scalar + Guarded> UnaryFn<$t> for $name {
            const EXACT: bool = true;
            #[inline(always)]
            fn eval<const FMA: bool>($x: $t) -> $t {
                $e
            }
        }
    )* };
}

every_scalar! {
    /// x²
    Square<T>: |x| x * x;
    /// −x
    Neg<T>: |x| -x;
    /// The complex conjugate
    Conj<T>: |x| x.conj();
}

/// Implements [`UnaryFn`] for a marker type and the real scalars by one generic expression.
macro_rules! every_real {
    ($($(#[$doc:meta])* $name:ident<$t:ident>: |$x:ident| $e:expr;)*) => { $(
        $(#[$doc])*
        pub struct $name;
        every_real!(@each $name $t $x $e; f64 f32);
    )* };
    (@each $name:ident $t:ident $x:ident $e:expr; $($r:ident)*) => { $(
        impl UnaryFn<$r> for $name {
            const EXACT: bool = true;
            #[inline(always)]
            fn eval<const FMA: bool>($x: $r) -> $r {
                #[allow(dead_code)]
                type $t = $r;
                $e
            }
        }
    )* };
}

every_real! {
    /// √x
    Sqrt<T>: |x| x.sqrt();
    /// ∛x
    Cbrt<T>: |x| x.cbrt();
    /// 1/x
    Reciprocal<T>: |x| 1.0 / x;
    /// |x|
    Abs<T>: |x| x.abs();
    /// ⌊x⌋
    Floor<T>: |x| x.floor();
    /// ⌈x⌉
    Ceil<T>: |x| x.ceil();
    /// The nearest integer, ties to even
    Round<T>: |x| x.round_ties_even();
    /// max(x, 0); NaN stays NaN
    Relu<T>: |x| if x < 0.0 { 0.0 } else { x };
    /// −1, 0 or 1; zeros and NaN stay themselves
    Sign<T>: |x| if x > 0.0 { 1.0 } else if x < 0.0 { -1.0 } else { x };
}

/// The larger one; a NaN wins, as in numpy's `maximum`.
#[inline(always)]
fn maximum<R: Real>(a: R, b: R) -> R {
    // where neither is larger, they are equal or one is NaN
    if a > b || a.is_nan() { a } else { b }
}

/// The smaller one; a NaN wins, as in numpy's `minimum`.
#[inline(always)]
fn minimum<R: Real>(a: R, b: R) -> R {
    if a < b || a.is_nan() { a } else { b }
}

/// The remainder with the sign of the divisor, a − b⌊a/b⌋, as numpy's `mod`.
#[inline(always)]
fn modulo<R: Real>(a: R, b: R) -> R {
    let r = a % b;
    let zero = R::zero();
    if r == zero {
        // a zero with the sign of the divisor
        if b < zero { -zero } else { zero }
    } else if (r < zero) != (b < zero) {
        r + b
    } else {
        r
    }
}

/// Whether a number is zero, without the branch between the parts of a complex one.
#[inline(always)]
pub fn is_zero<T: Scalar>(x: T) -> bool {
    let zero = <T::Real as num_traits::Zero>::zero();
    (x.re() == zero) & (x.im() == zero)
}

/// Zero if so, else x: a select for each part.
#[inline(always)]
pub fn zero_if<T: Scalar>(so: bool, x: T) -> T {
    let zero = <T::Real as num_traits::Zero>::zero();
    T::from_parts(if so { zero } else { x.re() }, if so { zero } else { x.im() })
}

/// Implements [`BinaryFn`] for a marker type and all four scalars by one generic expression.
macro_rules! arithmetic {
    ($($(#[$doc:meta])* $name:ident: |$a:ident, $b:ident| $e:expr;)*) => { $(
        $(#[$doc])*
        pub struct $name;
        impl<T: Scalar> BinaryFn<T> for $name {
            const EXACT: bool = true;
            #[inline(always)]
            fn eval<const FMA: bool>($a: T, $b: T) -> T {
                $e
            }
        }
    )* };
}
arithmetic! {
    /// a + b
    Add: |a, b| a + b;
    /// a − b
    Sub: |a, b| a - b;
    /// a b
    Mul: |a, b| a * b;
    /// a b, an exact zero where a is zero, whatever b: a select, no branch
    Weigh: |a, b| zero_if(is_zero(a), a * b);
    /// a b, an exact zero where either is zero
    WeighBoth: |a, b| zero_if(is_zero(a) | is_zero(b), a * b);
}

/// a/b; for complex numbers with scaling, see [`super::complex::divide`]
pub struct Div;

macro_rules! real_binary {
    ($($r:ident)*) => { $(
        impl BinaryFn<$r> for Div {
            const EXACT: bool = true;
            #[inline(always)]
            fn eval<const FMA: bool>(a: $r, b: $r) -> $r {
                a / b
            }
        }
        impl BinaryFn<Complex<$r>> for Div {
            #[inline(always)]
            fn eval<const FMA: bool>(a: Complex<$r>, b: Complex<$r>) -> Complex<$r> {
                super::complex::divide::<$r, FMA>(a, b)
            }
        }
        real_binary!(@each $r, Max maximum, Min minimum, Rem modulo);
    )* };
    (@each $r:ident, $($name:ident $f:ident),*) => { $(
        impl BinaryFn<$r> for $name {
            const EXACT: bool = true;
            #[inline(always)]
            fn eval<const FMA: bool>(a: $r, b: $r) -> $r {
                $f(a, b)
            }
        }
    )* };
}
/// max(a, b)
pub struct Max;
/// min(a, b)
pub struct Min;
/// The remainder with the sign of the divisor
pub struct Rem;
real_binary!(f64 f32);
