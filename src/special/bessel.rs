//! Bessel functions of constant order, differentiable in their argument by the recurrences in the order.

use super::function::Function;
use super::{call, of_one_array};
use crate::autodiff::Var;
use crate::scalar::Real;

of_one_array! {
    /// J₀(x). The derivative is −J₁.
    j0 = Function::Jn(0);
    /// J₁(x). The derivative is (J₀ − J₂)/2.
    j1 = Function::Jn(1);
    /// Y₀(x) for x > 0; −∞ at 0, NaN below. The derivative is −Y₁.
    y0 = Function::Yn(0);
    /// Y₁(x) for x > 0; −∞ at 0, where the derivative is NaN (∞ − ∞), and NaN below. The derivative is (Y₀ − Y₂)/2.
    y1 = Function::Yn(1);
    /// The modified Bessel function I₀(x). The derivative is I₁.
    i0 = Function::Iv(0.0);
    /// The modified Bessel function I₁(x). The derivative is (I₀ + I₂)/2.
    i1 = Function::Iv(1.0);
    /// e^{−|x|} I₀(x). The derivative ∓e^{−|x|}(I₀ − I₁) does not cancel at large x; at 0, where |x| has a corner, it is 0.
    i0e = Function::Ive(0.0);
    /// e^{−|x|} I₁(x).
    i1e = Function::Ive(1.0);
    /// The modified Bessel function of the second kind K₀(x) for x > 0; +∞ at 0, NaN below. The derivative is −K₁.
    k0 = Function::Kv(0.0);
    /// The modified Bessel function of the second kind K₁(x) for x > 0; +∞ at 0, NaN below. The derivative is −(K₀ + K₂)/2.
    k1 = Function::Kv(1.0);
}

/// J_n(x) of constant integer order. The derivative is (J_{n−1} − J_{n+1})/2.
pub fn jn<T: Real>(n: i32, x: &Var<T>) -> Var<T> {
    call(Function::Jn(n), &[x])
}

/// Y_n(x) of constant integer order for x > 0; ∓∞ at 0, where the derivative is NaN, and NaN below. The derivative is (Y_{n−1} − Y_{n+1})/2.
pub fn yn<T: Real>(n: i32, x: &Var<T>) -> Var<T> {
    call(Function::Yn(n), &[x])
}

/// The modified Bessel function I_ν(x) of constant real order; NaN for x < 0 unless ν is an integer. The derivative is (I_{ν−1} + I_{ν+1})/2.
pub fn iv<T: Real>(v: f64, x: &Var<T>) -> Var<T> {
    call(Function::Iv(v), &[x])
}

/// e^{−|x|} I_ν(x) of constant real order; NaN for x < 0 unless ν is an integer.
pub fn ive<T: Real>(v: f64, x: &Var<T>) -> Var<T> {
    call(Function::Ive(v), &[x])
}

/// The modified Bessel function K_ν(x) = K_{−ν}(x) of constant real order for x > 0; +∞ at 0, NaN below. The derivative is −(K_{ν−1} + K_{ν+1})/2.
pub fn kv<T: Real>(v: f64, x: &Var<T>) -> Var<T> {
    call(Function::Kv(v), &[x])
}
