//! Accuracy against exact values, special values against std, and the independence of a result from where it is computed.

mod accuracy;
mod forms;
mod special;

use pullback::kernels::elementwise::Unary;

/// The functions of real numbers with their largest error in units in the last place, with FMA and without (f64).
pub(super) const REAL: [(Unary, f64, f64); 25] = [
    (Unary::Exp, 1.1, 1.2),
    (Unary::Exp2, 1.1, 1.2),
    (Unary::Expm1, 1.4, 1.9),
    (Unary::Log, 1.0, 1.2),
    (Unary::Log2, 1.0, 1.2),
    (Unary::Log10, 1.0, 1.2),
    (Unary::Log1p, 1.4, 1.6),
    (Unary::Sqrt, 0.5, 0.5),
    (Unary::Cbrt, 1.0, 1.0),
    (Unary::Sin, 0.85, 0.95),
    (Unary::Cos, 0.85, 0.95),
    (Unary::Tan, 1.0, 1.2),
    (Unary::Asin, 1.3, 1.4),
    (Unary::Acos, 1.3, 1.4),
    (Unary::Atan, 1.9, 1.9),
    (Unary::Sinh, 1.3, 1.6),
    (Unary::Cosh, 1.3, 1.6),
    (Unary::Tanh, 1.9, 2.6),
    (Unary::Asinh, 1.7, 1.9),
    (Unary::Acosh, 2.2, 2.2),
    (Unary::Atanh, 2.0, 2.0),
    (Unary::Sigmoid, 1.6, 2.5),
    (Unary::Softplus, 1.8, 1.8),
    (Unary::Erf, 1.2, 1.4),
    (Unary::Erfc, 2.6, 3.5),
];

/// The exact value is `rounded + rest` units in the last place of it; how many such units `y` is away.
pub(super) fn ulps(y: f64, rounded: f64, rest: f64) -> f64 {
    if y.to_bits() == rounded.to_bits() {
        return rest.abs();
    }
    let exponent = (rounded.to_bits() >> 52 & 0x7ff).max(1) as i32 - 1075;
    // two factors, since 2^−1074 has no reciprocal
    ((y - rounded) * 2f64.powi(-exponent / 2) * 2f64.powi(-exponent - -exponent / 2) - rest).abs()
}
