//! Reductions over axes.

use super::broadcast::sum_to;
use crate::autodiff::Var;
use crate::scalar::Scalar;

impl<T: Scalar> Var<T> {
    /// The sum of all elements.
    pub fn sum(&self) -> Var<T> {
        sum_to(self.clone(), &[])
    }
}
