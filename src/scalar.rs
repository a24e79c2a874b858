//! The four number types that arrays hold, and the arithmetic that scalar functions are written in.
//!
//! [`Scalar`] is sealed: `f32`, `f64`, `Complex<f32>`, `Complex<f64>`. [`Number`] is the open set of things that a formula can be
//! evaluated on: the four scalars, and the dual numbers that carry derivatives through `map`.

mod dual;
mod function;
pub(crate) mod lane;
mod num;
pub(crate) mod outlined;

pub use dual::Dual;
pub use function::ScalarFn;
pub use num::Num;

use num_complex::Complex;
use num_traits::{FloatConst, NumAssignOps, NumOps, One, Zero};
use std::fmt::{Debug, Display};
use std::iter::Sum;
use std::ops::Neg;

/// Which of the four scalar types: for dispatch without `dyn Any`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScalarKind {
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// `Complex<f32>`
    C32,
    /// `Complex<f64>`
    C64,
}

/// A borrowed slice of one of the four scalar types.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub enum AnySlice<'a> {
    F32(&'a [f32]),
    F64(&'a [f64]),
    C32(&'a [Complex<f32>]),
    C64(&'a [Complex<f64>]),
}

/// A mutable slice of one of the four scalar types.
#[doc(hidden)]
pub enum AnySliceMut<'a> {
    F32(&'a mut [f32]),
    F64(&'a mut [f64]),
    C32(&'a mut [Complex<f32>]),
    C64(&'a mut [Complex<f64>]),
}

/// A vector of one of the four scalar types.
#[doc(hidden)]
pub enum AnyVec {
    F32(Vec<f32>),
    F64(Vec<f64>),
    C32(Vec<Complex<f32>>),
    C64(Vec<Complex<f64>>),
}

mod sealed {
    pub trait Sealed {}
}

/// An element of an array: `f32`, `f64`, `Complex<f32>` or `Complex<f64>` (sealed).
pub trait Scalar:
    sealed::Sealed
    + Number
    + lane::LaneOf<Self>
    + crate::autodiff::tree::Erase
    + ndarray::LinalgScalar
    + NumOps
    + NumAssignOps
    + Zero
    + One
    + Sum
    + Display
    + Default
    + Send
    + Sync
    + 'static
{
    /// The real type of the same precision.
    type Real: Real;
    /// The complex type of the same precision.
    type Complex: Scalar<Real = Self::Real, Complex = Self::Complex>;
    /// What fused loops compute with in place of this type.
    #[doc(hidden)]
    type Lane: lane::LaneOf<Self>;
    /// Which of the four this is.
    const KIND: ScalarKind;
    /// Whether the type is complex.
    const IS_COMPLEX: bool;
    /// `re + i im`; the imaginary part is dropped for real types.
    fn from_parts(re: Self::Real, im: Self::Real) -> Self;
    /// A real number as this type.
    #[inline]
    fn from_real(re: Self::Real) -> Self {
        Self::from_parts(re, Self::Real::zero())
    }
    /// The real part.
    fn re(self) -> Self::Real;
    /// The imaginary part (zero for real types).
    fn im(self) -> Self::Real;
    /// The complex conjugate (the number itself for real types).
    fn conj(self) -> Self;
    /// The modulus |z|, without overflow.
    fn modulus(self) -> Self::Real;
    /// |z|².
    #[inline]
    fn modulus_squared(self) -> Self::Real {
        self.re() * self.re() + self.im() * self.im()
    }
    /// The same number in the complex type.
    fn to_complex(self) -> Self::Complex;
    /// From the complex type; the imaginary part is dropped for real types.
    fn from_complex(z: Self::Complex) -> Self;
    /// Whether both parts are finite.
    #[inline]
    fn is_finite(self) -> bool {
        self.re() - self.re() == Self::Real::zero() && self.im() - self.im() == Self::Real::zero()
    }
    /// Whether either part is NaN.
    #[inline]
    fn is_nan(self) -> bool {
        self.re() != self.re() || self.im() != self.im()
    }
    #[doc(hidden)]
    fn slice(x: &[Self]) -> AnySlice<'_>;
    #[doc(hidden)]
    fn slice_mut(x: &mut [Self]) -> AnySliceMut<'_>;
    #[doc(hidden)]
    fn vec(x: Vec<Self>) -> AnyVec;
    /// # Panics
    /// If the vector holds another type: only called where `KIND` was matched.
    #[doc(hidden)]
    fn unwrap_vec(x: AnyVec) -> Vec<Self>;
}

/// `f32` or `f64`.
pub trait Real: Scalar<Real = Self> + FloatConst + PartialOrd {
    /// The distance from 1 to the next number.
    const EPSILON: Self;
    /// The smallest positive normal number.
    const MIN_POSITIVE: Self;
    /// The largest finite number.
    const MAX: Self;
    /// +∞
    const INFINITY: Self;
    /// Not a number.
    const NAN: Self;
    /// As `f64`.
    fn to_f64(self) -> f64;
    /// The nearest number of this type.
    fn from_f64(x: f64) -> Self;
    /// |x|
    fn abs(self) -> Self;
    /// −1, 1 or NaN, with the sign of zero as IEEE has it.
    fn signum(self) -> Self;
    /// The largest integer that is not above x.
    fn floor(self) -> Self;
    /// The smallest integer that is not below x.
    fn ceil(self) -> Self;
    /// The nearest integer, ties to even, as numpy rounds.
    fn round_ties_even(self) -> Self;
    /// √(x² + y²) without overflow.
    fn hypot(self, y: Self) -> Self;
    /// The angle of the point (x, y), where `self` is y.
    fn atan2(self, x: Self) -> Self;
    /// The larger one; a NaN loses.
    fn max(self, y: Self) -> Self;
    /// The smaller one; a NaN loses.
    fn min(self, y: Self) -> Self;
}

/// What a formula can be evaluated on: the four scalars and dual numbers over them.
///
/// Functions generic over `Number` run at native speed on `f64` and carry derivatives when given duals.
pub trait Number:
    Copy
    + Debug
    + PartialEq
    + std::ops::Add<Output = Self>
    + std::ops::Sub<Output = Self>
    + std::ops::Mul<Output = Self>
    + std::ops::Div<Output = Self>
    + Neg<Output = Self>
    + Send
    + Sync
    + 'static
{
    /// A real constant.
    fn constant(x: f64) -> Self;
    /// eˣ
    fn exp(self) -> Self;
    /// eˣ − 1
    fn expm1(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// ln(1 + x)
    fn log1p(self) -> Self;
    /// √x
    fn sqrt(self) -> Self;
    /// sin x
    fn sin(self) -> Self;
    /// cos x
    fn cos(self) -> Self;
    /// tan x
    fn tan(self) -> Self;
    /// sinh x
    fn sinh(self) -> Self;
    /// cosh x
    fn cosh(self) -> Self;
    /// tanh x
    fn tanh(self) -> Self;
    /// arcsin x
    fn asin(self) -> Self;
    /// arccos x
    fn acos(self) -> Self;
    /// arctan x
    fn atan(self) -> Self;
    /// arcsinh x
    fn asinh(self) -> Self;
    /// arccosh x
    fn acosh(self) -> Self;
    /// arctanh x
    fn atanh(self) -> Self;
    /// xⁿ for an integer n
    fn powi(self, n: i32) -> Self;
    /// xᵖ for a real constant p
    fn powf(self, p: f64) -> Self;
    /// x^y = e^{y ln x}
    fn pow(self, y: Self) -> Self;
    /// (sin x, cos x)
    #[inline]
    fn sincos(self) -> (Self, Self) {
        (self.sin(), self.cos())
    }
    /// The cube root, negative for negative x; the principal branch for complex numbers.
    fn cbrt(self) -> Self;
    /// The error function.
    ///
    /// # Panics
    /// For complex numbers.
    fn erf(self) -> Self;
    /// 1 − erf x, accurate for large x.
    ///
    /// # Panics
    /// For complex numbers.
    fn erfc(self) -> Self;
    /// The angle of the point (x, y), where `self` is y: of real numbers.
    ///
    /// # Panics
    /// For complex numbers.
    fn arctan2(self, x: Self) -> Self;
    /// x or −x, whichever has the positive real part: |x| of real numbers, √(z²) of complex ones. The derivative at 0 is 0.
    #[inline]
    fn absolute(self) -> Self {
        if self.real_part() < 0.0 { -self } else { self }
    }
    /// The one with the larger real part; a NaN wins. Ties share the derivative equally.
    #[inline]
    fn maximum(self, y: Self) -> Self {
        if self.real_part() >= y.real_part() || self.real_part().is_nan() { self } else { y }
    }
    /// The one with the smaller real part; a NaN wins. Ties share the derivative equally.
    #[inline]
    fn minimum(self, y: Self) -> Self {
        if self.real_part() <= y.real_part() || self.real_part().is_nan() { self } else { y }
    }
    /// 1/x
    #[inline]
    fn recip(self) -> Self {
        Self::constant(1.0) / self
    }
    /// The real part as `f64`: what comparisons and branches may look at.
    fn real_part(self) -> f64;
    /// Whether the value is 0, whatever its derivatives are.
    fn is_zero(self) -> bool;
}

macro_rules! real_number {
    ($t:ty) => {
        impl Number for $t {
            #[inline]
            fn constant(x: f64) -> Self {
                x as $t
            }
            real_number!(@forward $t: exp sqrt sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh ln);
            #[inline]
            fn expm1(self) -> Self {
                <$t>::exp_m1(self)
            }
            #[inline]
            fn log1p(self) -> Self {
                <$t>::ln_1p(self)
            }
            #[inline]
            fn powi(self, n: i32) -> Self {
                <$t>::powi(self, n)
            }
            #[inline]
            fn powf(self, p: f64) -> Self {
                <$t>::powf(self, p as $t)
            }
            #[inline]
            fn pow(self, y: Self) -> Self {
                <$t>::powf(self, y)
            }
            #[inline]
            fn cbrt(self) -> Self {
                <$t>::cbrt(self)
            }
            #[inline]
            fn erf(self) -> Self {
                crate::kernels::elementwise::unary_scalar(crate::kernels::elementwise::Unary::Erf, self)
            }
            #[inline]
            fn erfc(self) -> Self {
                crate::kernels::elementwise::unary_scalar(crate::kernels::elementwise::Unary::Erfc, self)
            }
            #[inline]
            fn arctan2(self, x: Self) -> Self {
                <$t>::atan2(self, x)
            }
            #[inline]
            fn real_part(self) -> f64 {
                self as f64
            }
            #[inline]
            fn is_zero(self) -> bool {
                self == 0.0
            }
        }
    };
    (@forward $t:ty: $($f:ident)*) => { $(
        #[inline]
        fn $f(self) -> Self {
            <$t>::$f(self)
        }
    )* };
}
real_number!(f32);
real_number!(f64);

macro_rules! complex_number {
    ($r:ty) => {
        impl Number for Complex<$r> {
            #[inline]
            fn constant(x: f64) -> Self {
                Complex::new(x as $r, 0.0)
            }
            complex_number!(@forward $r: exp sqrt sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh ln);
            /// e^z − 1 = (e^x − 1) cos y − 2 sin²(y/2) + i e^x sin y: no cancellation at small z.
            #[inline]
            fn expm1(self) -> Self {
                let half = (self.im * 0.5).sin();
                Complex::new(self.re.exp_m1() * self.im.cos() - 2.0 * half * half, self.re.exp() * self.im.sin())
            }
            /// ln(1 + z) with ln|1 + z| = ½ log1p(2x + x² + y²) near zero.
            #[inline]
            fn log1p(self) -> Self {
                let (x, y) = (self.re, self.im);
                if x.abs() < 0.5 && y.abs() < 0.5 {
                    Complex::new(0.5 * (x * (2.0 + x) + y * y).ln_1p(), y.atan2(1.0 + x))
                } else {
                    Complex::new(1.0 + x, y).ln()
                }
            }
            #[inline]
            fn powi(self, n: i32) -> Self {
                Complex::powi(&self, n)
            }
            #[inline]
            fn powf(self, p: f64) -> Self {
                Complex::powf(self, p as $r)
            }
            #[inline]
            fn pow(self, y: Self) -> Self {
                Complex::powc(self, y)
            }
            #[inline]
            fn cbrt(self) -> Self {
                Complex::powf(self, 1.0 / 3.0)
            }
            fn erf(self) -> Self {
                panic!("erf: of real arguments only, found {self}")
            }
            fn erfc(self) -> Self {
                panic!("erfc: of real arguments only, found {self}")
            }
            fn arctan2(self, x: Self) -> Self {
                panic!("arctan2: of real arguments only, found {self} and {x}")
            }
            #[inline]
            fn real_part(self) -> f64 {
                self.re as f64
            }
            #[inline]
            fn is_zero(self) -> bool {
                self.re == 0.0 && self.im == 0.0
            }
        }
    };
    (@forward $r:ty: $($f:ident)*) => { $(
        #[inline]
        fn $f(self) -> Self {
            Complex::<$r>::$f(self)
        }
    )* };
}
complex_number!(f32);
complex_number!(f64);

macro_rules! scalar {
    ($t:ty, $r:ty, $variant:ident, $lane:ty, complex: $is:expr, |$x:ident| re $re:expr, im $im:expr, conj $conj:expr, modulus $mod:expr, |$a:ident, $b:ident| $parts:expr, to_complex $tc:expr, |$z:ident| $fc:expr) => {
        impl sealed::Sealed for $t {}
        impl Scalar for $t {
            type Real = $r;
            type Complex = Complex<$r>;
            type Lane = $lane;
            const KIND: ScalarKind = ScalarKind::$variant;
            const IS_COMPLEX: bool = $is;
            #[inline]
            fn from_parts($a: $r, $b: $r) -> Self {
                $parts
            }
            #[inline]
            fn re(self) -> $r {
                let $x = self;
                $re
            }
            #[inline]
            fn im(self) -> $r {
                #[allow(unused_variables)]
                let $x = self;
                $im
            }
            #[inline]
            fn conj(self) -> Self {
                let $x = self;
                $conj
            }
            #[inline]
            fn modulus(self) -> $r {
                let $x = self;
                $mod
            }
            #[inline]
            fn to_complex(self) -> Complex<$r> {
                let $x = self;
                $tc
            }
            #[inline]
            fn from_complex($z: Complex<$r>) -> Self {
                $fc
            }
            fn slice(x: &[Self]) -> AnySlice<'_> {
                AnySlice::$variant(x)
            }
            fn slice_mut(x: &mut [Self]) -> AnySliceMut<'_> {
                AnySliceMut::$variant(x)
            }
            fn vec(x: Vec<Self>) -> AnyVec {
                AnyVec::$variant(x)
            }
            fn unwrap_vec(x: AnyVec) -> Vec<Self> {
                match x {
                    AnyVec::$variant(v) => v,
                    _ => unreachable!("a vector of another scalar type"),
                }
            }
        }
    };
}
scalar!(f32, f32, F32, lane::Lane<f32>, complex: false, |x| re x, im 0.0, conj x, modulus x.abs(), |a, _b| a, to_complex Complex::new(x, 0.0), |z| z.re);
scalar!(f64, f64, F64, lane::Lane<f64>, complex: false, |x| re x, im 0.0, conj x, modulus x.abs(), |a, _b| a, to_complex Complex::new(x, 0.0), |z| z.re);
scalar!(Complex<f32>, f32, C32, Complex<f32>, complex: true, |x| re x.re, im x.im, conj Complex::new(x.re, -x.im), modulus x.re.hypot(x.im), |a, b| Complex::new(a, b), to_complex x, |z| z);
scalar!(Complex<f64>, f64, C64, Complex<f64>, complex: true, |x| re x.re, im x.im, conj Complex::new(x.re, -x.im), modulus x.re.hypot(x.im), |a, b| Complex::new(a, b), to_complex x, |z| z);

macro_rules! real {
    ($t:ident: $($f:ident($($y:ident)?))*) => {
        impl Real for $t {
            const EPSILON: Self = $t::EPSILON;
            const MIN_POSITIVE: Self = $t::MIN_POSITIVE;
            const MAX: Self = $t::MAX;
            const INFINITY: Self = $t::INFINITY;
            const NAN: Self = $t::NAN;
            #[inline]
            fn to_f64(self) -> f64 {
                self as f64
            }
            #[inline]
            fn from_f64(x: f64) -> Self {
                x as $t
            }
            $(
                #[inline]
                fn $f(self $(, $y: Self)?) -> Self {
                    $t::$f(self $(, $y)?)
                }
            )*
        }
    };
}
real!(f32: abs() signum() floor() ceil() round_ties_even() hypot(y) atan2(x) max(y) min(y));
real!(f64: abs() signum() floor() ceil() round_ties_even() hypot(y) atan2(x) max(y) min(y));
