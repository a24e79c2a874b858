//! Restarted GMRES (Saad & Schultz, SIAM J. Sci. Stat. Comput. 7 (1986) 856), preconditioned from the right, so that the residual it
//! minimises is the true one.

use super::Task;
use crate::error::Result;
use crate::linalg::iterative::vector::{axpy, difference, norm, orthogonalise, real, scale};
use crate::scalar::{Real, Scalar};

pub(super) fn run<T: Scalar>(task: &Task<'_, T>, restart: usize) -> Result<Vec<T>> {
    let n = task.rhs.len();
    let m = restart.clamp(1, n.max(1));
    let mut x = vec![T::zero(); n];
    let mut r = task.rhs.to_vec();
    let first = norm(&r);
    let (mut size, mut used, mut stalled) = (first, 0, 0);
    while size > task.reduction * first && used < task.limit {
        let cycle = cycle(task, &r, size, m.min(task.limit - used), task.reduction * first)?;
        used += cycle.products;
        axpy(T::one(), &cycle.correction, &mut x);
        if cycle.estimate <= task.reduction * first || cycle.products < m {
            break;
        }
        r = difference(task.rhs, &(task.apply)(&x)?);
        used += 1;
        let next = norm(&r);
        stalled = if next > 0.99 * size { stalled + 1 } else { 0 };
        size = next;
        if stalled >= 3 || !size.is_finite() {
            break;
        }
    }
    Ok(x)
}

struct Cycle<T> {
    correction: Vec<T>,
    estimate: f64,
    products: usize,
}

fn cycle<T: Scalar>(task: &Task<'_, T>, r: &[T], size: f64, m: usize, target: f64) -> Result<Cycle<T>> {
    let n = r.len();
    let mut basis = Vec::with_capacity((m + 1) * n);
    basis.extend_from_slice(r);
    scale(1.0 / size, &mut basis);
    // columns of the triangular factor, the rotations that made it, and the rotated right-hand side
    let mut columns: Vec<Vec<T>> = Vec::new();
    let mut rotations: Vec<(f64, T)> = Vec::new();
    let mut g = vec![real::<T>(size)];
    let mut estimate = size;
    for j in 0..m {
        let mut w = (task.apply)(&task.preconditioned(&basis[j * n..(j + 1) * n])?)?;
        let before = norm(&w);
        let (mut h, left) = orthogonalise(&basis, j + 1, &mut w);
        for (i, &(c, s)) in rotations.iter().enumerate() {
            let (a, b) = (h[i], h[i + 1]);
            h[i] = real::<T>(c) * a + s * b;
            h[i + 1] = real::<T>(c) * b - s.conj() * a;
        }
        // (c, s) with c a + s b = ρ, −s* a + c b = 0
        let a = h[j];
        let size = a.modulus().to_f64().hypot(left);
        let exhausted = left <= T::Real::EPSILON.to_f64() * before;
        if size <= T::Real::EPSILON.to_f64() * before || size == 0.0 {
            // A maps what is left of the space into what is there already, and onto nothing new: singular
            break;
        }
        let modulus = a.modulus().to_f64();
        let (c, s) = if modulus == 0.0 { (0.0, T::one()) } else { (modulus / size, a * real::<T>(left / (modulus * size))) };
        h[j] = real::<T>(c) * a + s * real::<T>(left);
        let last = g[j];
        g[j] = real::<T>(c) * last;
        g.push(-(s.conj()) * last);
        rotations.push((c, s));
        columns.push(h);
        estimate = g[j + 1].modulus().to_f64();
        if estimate <= target || exhausted {
            break;
        }
        scale(1.0 / left, &mut w);
        basis.extend_from_slice(&w);
    }
    let k = columns.len();
    let mut y = vec![T::zero(); k];
    for i in (0..k).rev() {
        let sum: T = (i + 1..k).map(|j| columns[j][i] * y[j]).sum();
        y[i] = (g[i] - sum) / columns[i][i];
    }
    let mut inner = vec![T::zero(); n];
    for (j, &y) in y.iter().enumerate() {
        axpy(y, &basis[j * n..(j + 1) * n], &mut inner);
    }
    Ok(Cycle { correction: task.preconditioned(&inner)?, estimate, products: k.max(1) })
}
