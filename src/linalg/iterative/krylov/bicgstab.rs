//! BiCGStab (van der Vorst, SIAM J. Sci. Stat. Comput. 13 (1992) 631), preconditioned from the right. A breakdown ends the run; the caller
//! starts it again on the residual.

use super::Task;
use crate::error::Result;
use crate::linalg::iterative::vector::{axpy, dot, dot_re, norm};
use crate::scalar::{Real, Scalar};

pub(super) fn run<T: Scalar>(task: &Task<'_, T>) -> Result<Vec<T>> {
    let n = task.rhs.len();
    let mut x = vec![T::zero(); n];
    let mut r = task.rhs.to_vec();
    let shadow = r.clone();
    let first = norm(&r);
    let mut rho = dot(&shadow, &r);
    let mut p = r.clone();
    let mut best = (first, x.clone());
    let tiny = T::Real::EPSILON.to_f64().powi(2);
    for _ in 0..task.limit.div_ceil(2) {
        let p_hat = task.preconditioned(&p)?;
        let v = (task.apply)(&p_hat)?;
        let sv = dot(&shadow, &v);
        if sv.modulus().to_f64() <= tiny * norm(&shadow) * norm(&v) {
            break;
        }
        let alpha = rho / sv;
        let mut s = r;
        axpy(-alpha, &v, &mut s);
        let s_hat = task.preconditioned(&s)?;
        let t = (task.apply)(&s_hat)?;
        let tt = dot_re(&t, &t);
        axpy(alpha, &p_hat, &mut x);
        if tt == 0.0 || norm(&s) <= task.reduction * first {
            return Ok(x);
        }
        let omega = dot(&t, &s) / T::from_real(T::Real::from_f64(tt));
        axpy(omega, &s_hat, &mut x);
        axpy(-omega, &t, &mut s);
        r = s;
        let size = norm(&r);
        if size < best.0 {
            best = (size, x.clone());
        }
        let next = dot(&shadow, &r);
        let broken = next.modulus().to_f64() <= tiny * norm(&shadow) * size || omega == T::zero();
        if size <= task.reduction * first || broken || !size.is_finite() {
            break;
        }
        let beta = next / rho * (alpha / omega);
        for i in 0..n {
            p[i] = r[i] + beta * (p[i] - omega * v[i]);
        }
        rho = next;
    }
    Ok(best.1)
}
