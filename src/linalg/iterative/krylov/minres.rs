//! Minimal residuals for Hermitian operators (Paige & Saunders, SIAM J. Numer. Anal. 12 (1975) 617): Lanczos, and a QR decomposition of its
//! tridiagonal matrix that is carried along. The preconditioner must be Hermitian and positive definite.
//!
//! On a singular system the iteration arrives at a least-squares solution; it stops when ‖A r‖ is rounding of ‖A‖‖r‖.

use super::Task;
use crate::error::{Error, Result};
use crate::linalg::iterative::vector::{axpy, dot_re, real};
use crate::scalar::{Real, Scalar};

pub(super) fn run<T: Scalar>(task: &Task<'_, T>) -> Result<Vec<T>> {
    let n = task.rhs.len();
    let mut x = vec![T::zero(); n];
    let (mut r1, mut r2) = (vec![T::zero(); n], task.rhs.to_vec());
    let mut y = task.preconditioned(&r2)?;
    let first = weight(&r2, &y)?;
    if first == 0.0 {
        return Ok(x);
    }
    let eps = T::Real::EPSILON.to_f64();
    let least_squares = eps.powf(0.7);
    let (mut w, mut w2) = (vec![T::zero(); n], vec![T::zero(); n]);
    let (mut old_beta, mut beta) = (0.0, first);
    let (mut dbar, mut epsilon, mut phibar) = (0.0, 0.0, first);
    let (mut cs, mut sn) = (-1.0, 0.0);
    let mut norm2 = 0.0;
    for step in 0..task.limit {
        // Lanczos
        let mut v = y;
        v.iter_mut().for_each(|v| *v *= real(1.0 / beta));
        y = (task.apply)(&v)?;
        if step > 0 {
            axpy(real(-beta / old_beta), &r1, &mut y);
        }
        let alpha = dot_re(&v, &y);
        axpy(real(-alpha / beta), &r2, &mut y);
        (r1, r2) = (r2, y);
        y = task.preconditioned(&r2)?;
        old_beta = beta;
        beta = weight(&r2, &y)?;
        norm2 += alpha * alpha + old_beta * old_beta + beta * beta;
        // the next column of the QR decomposition
        let old_epsilon = epsilon;
        let delta = cs * dbar + sn * alpha;
        let gbar = sn * dbar - cs * alpha;
        epsilon = sn * beta;
        dbar = -cs * beta;
        let root = gbar.hypot(dbar);
        let gamma = gbar.hypot(beta).max(f64::MIN_POSITIVE);
        if root <= least_squares * norm2.sqrt() && step > 0 {
            // what is left of the right-hand side is orthogonal to the range
            break;
        }
        (cs, sn) = (gbar / gamma, beta / gamma);
        let phi = cs * phibar;
        phibar *= sn;
        let (a, b, c, d) = (real::<T>(1.0 / gamma), real::<T>(old_epsilon), real::<T>(delta), real::<T>(phi));
        for i in 0..n {
            let next = (v[i] - b * w2[i] - c * w[i]) * a;
            w2[i] = w[i];
            w[i] = next;
            x[i] += d * next;
        }
        if phibar <= task.reduction * first || beta <= eps * norm2.sqrt() {
            break;
        }
    }
    Ok(x)
}

/// √⟨r, M r⟩
fn weight<T: Scalar>(r: &[T], y: &[T]) -> Result<f64> {
    let square = dot_re(r, y);
    if square < 0.0 {
        return Err(Error::singular("minres", format!("the preconditioner is not positive definite: Re⟨r, M r⟩ = {square:.1e}")));
    }
    Ok(square.sqrt())
}
