//! Arrays made from a few numbers.

use crate::autodiff::Var;
use crate::scalar::Scalar;
use crate::tensor::Tensor;

impl<T: Scalar> Var<T> {
    /// Zeros (a constant).
    pub fn zeros(shape: &[usize]) -> Var<T> {
        Var::constant(Tensor::full(shape, T::zero()))
    }

    /// Ones (a constant).
    pub fn ones(shape: &[usize]) -> Var<T> {
        Var::constant(Tensor::full(shape, T::one()))
    }
}
