//! Placeholder with plain loops.
use crate::scalar::{Number, Real, Scalar};
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    Exp,
    Exp2,
    Expm1,
    Log,
    Log2,
    Log10,
    Log1p,
    Sqrt,
    Cbrt,
    Square,
    Reciprocal,
    Neg,
    Abs,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Tanh,
    Asinh,
    Acosh,
    Atanh,
    Sigmoid,
    Softplus,
    Erf,
    Erfc,
    Conj,
    Sign,
    Floor,
    Ceil,
    Round,
    Relu,
}
pub fn unary_scalar<T: Scalar>(op: Unary, x: T) -> T {
    use Unary::*;
    let c = <T as Number>::constant;
    match op {
        Exp => x.exp(),
        Log => x.ln(),
        Sin => x.sin(),
        Cos => x.cos(),
        Tanh => x.tanh(),
        Neg => -x,
        Square => x * x,
        Reciprocal => x.recip(),
        Sqrt => x.sqrt(),
        Conj => x.conj(),
        Expm1 => x.expm1(),
        Log1p => x.log1p(),
        Tan => x.tan(),
        Sinh => x.sinh(),
        Cosh => x.cosh(),
        Asin => x.asin(),
        Acos => x.acos(),
        Atan => x.atan(),
        Asinh => x.asinh(),
        Acosh => x.acosh(),
        Atanh => x.atanh(),
        Exp2 => (x * c(std::f64::consts::LN_2)).exp(),
        Log2 => x.ln() / c(std::f64::consts::LN_2),
        Log10 => x.ln() / c(std::f64::consts::LN_10),
        Sigmoid => (c(1.0) + (-x).exp()).recip(),
        Softplus => (x.exp()).log1p(),
        Abs => T::from_real(x.modulus()),
        Floor => T::from_real(x.re().floor()),
        Relu => {
            if x.re() > T::Real::zero() {
                x
            } else {
                T::zero()
            }
        }
        _ => unimplemented!(),
    }
}
use num_traits::Zero;
pub fn unary<T: Scalar>(op: Unary, x: &[T]) -> Vec<T> {
    x.iter().map(|&x| unary_scalar(op, x)).collect()
}
pub fn unary_inplace<T: Scalar>(op: Unary, x: &mut [T]) {
    for x in x {
        *x = unary_scalar(op, *x)
    }
}
pub fn unary_pullback<T: Scalar>(_op: Unary, _x: &[T], _y: &[T], _g: &mut [T]) -> bool {
    false
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Max,
    Min,
    Atan2,
    Hypot,
    Rem,
}
pub fn binary_scalars<T: Scalar>(op: Binary, a: T, b: T) -> T {
    match op {
        Binary::Add => a + b,
        Binary::Sub => a - b,
        Binary::Mul => a * b,
        Binary::Div => a / b,
        Binary::Pow => a.pow(b),
        Binary::Max => {
            if a.re() >= b.re() {
                a
            } else {
                b
            }
        }
        Binary::Min => {
            if a.re() <= b.re() {
                a
            } else {
                b
            }
        }
        Binary::Atan2 => T::from_real(a.re().atan2(b.re())),
        Binary::Hypot => T::from_real(a.re().hypot(b.re())),
        Binary::Rem => unimplemented!(),
    }
}
pub fn binary<T: Scalar>(op: Binary, a: &[T], b: &[T]) -> Vec<T> {
    a.iter().zip(b).map(|(&a, &b)| binary_scalars(op, a, b)).collect()
}
pub fn binary_left_inplace<T: Scalar>(op: Binary, a: &mut [T], b: &[T]) {
    for (a, b) in a.iter_mut().zip(b) {
        *a = binary_scalars(op, *a, *b)
    }
}
pub fn binary_right_inplace<T: Scalar>(op: Binary, a: &[T], b: &mut [T]) {
    for (a, b) in a.iter().zip(b) {
        *b = binary_scalars(op, *a, *b)
    }
}
pub fn binary_scalar_left<T: Scalar>(op: Binary, a: T, b: &[T]) -> Vec<T> {
    b.iter().map(|&b| binary_scalars(op, a, b)).collect()
}
pub fn binary_scalar_right<T: Scalar>(op: Binary, a: &[T], b: T) -> Vec<T> {
    a.iter().map(|&a| binary_scalars(op, a, b)).collect()
}
pub fn add_assign<T: Scalar>(y: &mut [T], x: &[T]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += *x
    }
}
pub fn map<T: Copy + Sync, U: Send>(x: &[T], f: impl Fn(T) -> U + Sync) -> Vec<U> {
    x.iter().map(|&x| f(x)).collect()
}
pub fn zip<T: Copy + Sync, U: Copy + Sync, V: Send>(x: &[T], y: &[U], f: impl Fn(T, U) -> V + Sync) -> Vec<V> {
    x.iter().zip(y).map(|(&x, &y)| f(x, y)).collect()
}
