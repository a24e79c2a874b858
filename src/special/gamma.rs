//! The gamma function and its relatives.

use super::function::Function;
use super::{call, of_one_array, of_two_arrays};
use crate::autodiff::Var;
use crate::kernels::special as kernel;
use crate::scalar::Real;
use crate::tensor::Tensor;

of_one_array! {
    /// Γ(x). ±∞ at ±0, NaN at the negative integers. Γ′ = Γ ψ.
    gamma = Function::Gamma;
    /// ln|Γ(x)|, for negative x too; +∞ at 0, −1, −2, … The derivative is ψ(x).
    gammaln = Function::Gammaln;
    /// 1/Γ(x), an entire function: 0 at 0, −1, −2, …, where its derivative is (−1)ⁿ n!.
    rgamma = Function::Rgamma;
    /// The digamma function ψ(x) = d ln Γ/dx. ∓∞ at ±0, NaN at the negative integers. ψ′ is [`polygamma`] of order 1.
    digamma = Function::Polygamma(0);
}

of_two_arrays! {
    /// Euler's beta function B(a, b) = Γ(a)Γ(b)/Γ(a+b), for negative arguments too; +∞ at the poles.
    ///
    /// ∂B/∂a = B (ψ(a) − ψ(a+b)). Where a + b is 0, −1, … and B is 0, that is 0·∞: the derivative there is NaN.
    beta(a, b) = Function::Beta;
    /// ln|B(a, b)|, accurate also where a ≫ b; +∞ at the poles.
    ///
    /// ∂/∂a = ψ(a) − ψ(a+b), without cancellation for positive arguments.
    betaln(a, b) = Function::Betaln;
}

/// The polygamma function ψ⁽ⁿ⁾(x) = dⁿψ/dxⁿ of constant order n ≥ 0; ±∞ at the poles for n ≥ 1. The derivative is of order n + 1.
pub fn polygamma<T: Real>(n: u32, x: &Var<T>) -> Var<T> {
    call(Function::Polygamma(n), &[x])
}

/// The logarithm of the multivariate gamma function, ln Γ_d(a) = ¼d(d−1) ln π + Σ_{j=1}^{d} ln Γ(a + (1−j)/2), for a > (d−1)/2; NaN below.
pub fn multigammaln<T: Real>(a: &Var<T>, d: u32) -> Var<T> {
    call(Function::Multigammaln(d), &[a])
}

/// The sign of Γ(x): ±1, NaN at the negative integers. A constant: the derivative is 0, also at the poles where it changes.
pub fn gammasgn<T: Real>(x: &Var<T>) -> Var<T> {
    let values = x.as_slice().iter().map(|x| T::from_f64(kernel::gammasgn(x.to_f64()))).collect();
    Var::constant(Tensor::new(x.shape(), values))
}
