//! Preconditioned conjugate gradients (Hestenes & Stiefel, J. Res. NBS 49 (1952) 409; Golub & Van Loan, 4th ed., §11.5.2).

use super::Task;
use crate::error::{Error, Result};
use crate::linalg::iterative::vector::{axpy, dot_re, real};
use crate::scalar::Scalar;

pub(super) fn run<T: Scalar>(task: &Task<'_, T>) -> Result<Vec<T>> {
    let mut x = vec![T::zero(); task.rhs.len()];
    let mut r = task.rhs.to_vec();
    let mut z = task.preconditioned(&r)?;
    let mut rz = dot_re(&r, &z);
    let first = dot_re(&r, &r);
    let mut p = z.clone();
    for step in 0..task.limit {
        if !(rz > 0.0) {
            return if rz == 0.0 { Ok(x) } else { Err(refuse("the preconditioner", rz)) };
        }
        let q = (task.apply)(&p)?;
        let pq = dot_re(&p, &q);
        if !(pq > 0.0) {
            // after some steps the residual is rounding, and so is this
            return if step > 0 && dot_re(&r, &r) <= 1e-20 * first { Ok(x) } else { Err(refuse("the operator", pq)) };
        }
        let alpha = real::<T>(rz / pq);
        axpy(alpha, &p, &mut x);
        axpy(-alpha, &q, &mut r);
        if dot_re(&r, &r).sqrt() <= task.reduction * first.sqrt() {
            break;
        }
        z = task.preconditioned(&r)?;
        let next = dot_re(&r, &z);
        let beta = real::<T>(next / rz);
        p.iter_mut().zip(&z).for_each(|(p, z)| *p = *z + beta * *p);
        rz = next;
    }
    Ok(x)
}

#[cold]
fn refuse(what: &str, found: f64) -> Error {
    Error::singular(
        "cg",
        format!("{what} is not positive definite: Re⟨p, A p⟩ = {found:.1e} for a vector p; use minres for indefinite Hermitian operators"),
    )
}
