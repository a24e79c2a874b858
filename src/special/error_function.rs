//! The error function family, the normal distribution's functions, and logarithms that are finite where they should be.

use super::function::Function;
use super::{of_one_array, of_two_arrays};
use crate::autodiff::Var;
use crate::scalar::Real;

of_one_array! {
    /// e^{x²} erfc x. The derivative is −2e^{x²} ierfc x, without the cancellation of 2x erfcx x − 2/√π at large x.
    erfcx = Function::ErfcxIntegral(0);
    /// The inverse of erf on [−1, 1], ±∞ at the ends, NaN outside. The derivative is ½√π e^{y²}.
    erfinv = Function::Erfinv;
    /// The inverse of erfc on [0, 2], ±∞ at the ends, NaN outside. The derivative is −½√π e^{y²}.
    erfcinv = Function::Erfcinv;
    /// The cumulative distribution of the standard normal, Φ(x) = ½ erfc(−x/√2).
    ndtr = Function::Ndtr;
    /// ln Φ(x), without underflow. The derivative φ/Φ is accurate in both tails.
    log_ndtr = Function::LogNdtr;
    /// The inverse of Φ on [0, 1], ±∞ at the ends, NaN outside. The derivative is √(2π) e^{y²/2}.
    ndtri = Function::Ndtri;
    /// ln(p/(1−p)) on [0, 1], ±∞ at the ends, NaN outside. The derivative is 1/(p(1−p)).
    logit = Function::Logit;
    /// The logistic function 1/(1 + e^{−x}). The derivative expit(x) expit(−x) is accurate in both tails.
    expit = Function::Expit;
    /// −x ln x for x ≥ 0, 0 at 0, −∞ below. The derivative −1 − ln x is +∞ at 0 and NaN below.
    entr = Function::Entr;
}

of_two_arrays! {
    /// x ln y, 0 at x = 0 unless y is NaN.
    ///
    /// ∂/∂x = ln y, ∂/∂y = x/y; both are taken as 0 at x = 0 ≥ y, so that Σ p ln p has finite derivatives where some p are 0.
    xlogy(x, y) = Function::Xlogy;
    /// x ln(1 + y), 0 at x = 0 unless y is NaN.
    ///
    /// ∂/∂x = ln(1 + y), ∂/∂y = x/(1 + y); both are taken as 0 at x = 0, y ≤ −1.
    xlog1py(x, y) = Function::Xlog1py;
}

/// The error function 2/√π ∫₀ˣ e^{−t²} dt.
pub fn erf<T: Real>(x: &Var<T>) -> Var<T> {
    x.erf()
}

/// 1 − erf x, accurate for large x.
pub fn erfc<T: Real>(x: &Var<T>) -> Var<T> {
    x.erfc()
}

/// ln expit(x) = −ln(1 + e^{−x}), without overflow.
pub fn log_expit<T: Real>(x: &Var<T>) -> Var<T> {
    -(-x).softplus()
}
