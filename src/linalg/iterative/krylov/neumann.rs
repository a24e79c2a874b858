//! The Neumann series A⁻¹ b = Σ (1 − A)ᵏ b, which converges where the spectral radius of 1 − A is below one.

use super::Task;
use crate::error::{Error, Result};
use crate::linalg::iterative::vector::{axpy, norm};
use crate::scalar::Scalar;

pub(super) fn run<T: Scalar>(task: &Task<'_, T>) -> Result<Vec<T>> {
    let mut x = vec![T::zero(); task.rhs.len()];
    let mut r = task.rhs.to_vec();
    let first = norm(&r);
    for step in 0..task.limit {
        axpy(T::one(), &r, &mut x);
        let ar = (task.apply)(&r)?;
        axpy(-T::one(), &ar, &mut r);
        let size = norm(&r);
        if size <= task.reduction * first {
            break;
        }
        if !(size <= 1e8 * first) {
            return Err(Error::no_convergence(
                "Neumann series",
                format!(
                    "its terms grow (by {:.1e} in {} steps): the spectral radius of the iteration is above one; use LinearSolver::Gmres",
                    size / first,
                    step + 1
                ),
            ));
        }
    }
    Ok(x)
}
