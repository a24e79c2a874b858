//! Jacobi's methods: slow, and they converge on every finite matrix. What eigh and the SVD fall back on when the library gives up.
//!
//! Golub & Van Loan, *Matrix Computations*, 4th ed., §8.5 (cyclic Jacobi) and §8.6.3 (one-sided Jacobi).

use super::dense::{Dense, Double, SvdParts, identity, transpose, transpose_conj};

const SWEEPS: usize = 60;

/// The rotation (c, s, phase) that diagonalises the Hermitian 2 × 2 matrix ((a, z), (z̄, b)): with z = |z| phase, the new first column is
/// c x − s conj(phase) y and the second s phase x + c y.
fn rotation<T: Double>(a: f64, b: f64, z: T) -> (f64, f64, T) {
    let size = z.modulus();
    let phase = T::from_parts(z.re() / size, z.im() / size);
    let theta = (b - a) / (size + size);
    let t = (if theta < 0.0 { -1.0 } else { 1.0 }) / (theta.abs() + theta.hypot(1.0));
    let c = 1.0 / t.hypot(1.0);
    (c, t * c, phase)
}

/// Rows p and q of a row-major matrix of `n` columns: (x, y) ← (c x − s conj(phase) y, s phase x + c y).
fn rotate_rows<T: Double>(a: &mut [T], n: usize, p: usize, q: usize, (c, s, phase): (f64, f64, T)) {
    let (top, bottom) = a.split_at_mut(q * n);
    let (c, minus, plus) = (T::from_real(c), T::from_real(s) * phase.conj(), T::from_real(s) * phase);
    for (x, y) in top[p * n..(p + 1) * n].iter_mut().zip(&mut bottom[..n]) {
        (*x, *y) = (c * *x - minus * *y, plus * *x + c * *y);
    }
}

/// Eigenvalues ascending and eigenvectors in columns of the Hermitian matrix in the lower triangle.
pub fn eigh<T: Dense>(a: &[T], n: usize) -> Option<(Vec<f64>, Vec<T>)> {
    let mut h = a.to_vec();
    for i in 0..n {
        h[i * n + i] = T::from_real(h[i * n + i].re());
        for j in i + 1..n {
            h[i * n + j] = h[j * n + i].conj();
        }
    }
    let norm = h.iter().map(|x| x.modulus_squared()).sum::<f64>().sqrt();
    // rows of `vt` are the columns of V
    let mut vt = identity::<T>(n);
    for sweep in 0.. {
        let mut rotated = false;
        for p in 0..n {
            for q in p + 1..n {
                let z = h[p * n + q];
                if z.modulus() <= f64::EPSILON * 0.01 * norm / n as f64 {
                    continue;
                }
                rotated = true;
                let (c, s, phase) = rotation(h[p * n + p].re(), h[q * n + q].re(), z);
                // columns of A and V by the rotation, rows of A by its adjoint
                rotate_rows(&mut vt, n, p, q, (c, s, phase));
                rotate_rows(&mut h, n, p, q, (c, s, phase.conj()));
                let (cc, minus, plus) = (T::from_real(c), T::from_real(s) * phase.conj(), T::from_real(s) * phase);
                for row in h.chunks_exact_mut(n) {
                    (row[p], row[q]) = (cc * row[p] - minus * row[q], plus * row[p] + cc * row[q]);
                }
            }
        }
        if !rotated {
            break;
        }
        if sweep == SWEEPS {
            return None;
        }
    }
    let values: Vec<f64> = (0..n).map(|i| h[i * n + i].re()).collect();
    let order = sorted(&values, false);
    let rows: Vec<T> = order.iter().flat_map(|&k| vt[k * n..(k + 1) * n].iter().copied()).collect();
    Some((order.iter().map(|&k| values[k]).collect(), transpose(&rows, n, n)))
}

/// U (m × k), s descending and V† (k × n).
pub fn svd<T: Dense>(a: &[T], m: usize, n: usize) -> Option<SvdParts<T>> {
    if m < n {
        let (u, s, vh) = svd(&transpose_conj(a, m, n), n, m)?;
        return Some((transpose_conj(&vh, m, m), s, transpose_conj(&u, n, m)));
    }
    // rows are the columns of R in A = Q R; orthogonalising them gives R V = U diag(s)
    let (q, r) = T::qr(a, m, n, false);
    let mut columns = transpose(&r, n, n);
    let mut vt = identity::<T>(n);
    let dot = |x: &[T], y: &[T]| x.iter().zip(y).fold(T::zero(), |s, (&x, &y)| s + x.conj() * y);
    for sweep in 0.. {
        let mut rotated = false;
        for p in 0..n {
            for q in p + 1..n {
                let (x, y) = (&columns[p * n..(p + 1) * n], &columns[q * n..(q + 1) * n]);
                let (xx, yy, xy) = (dot(x, x).re(), dot(y, y).re(), dot(x, y));
                if xy.modulus() <= f64::EPSILON * (xx.sqrt() * yy.sqrt()) || xy.modulus() < f64::MIN_POSITIVE {
                    continue;
                }
                rotated = true;
                let turn = rotation(xx, yy, xy);
                rotate_rows(&mut columns, n, p, q, turn);
                rotate_rows(&mut vt, n, p, q, turn);
            }
        }
        if !rotated {
            break;
        }
        if sweep == SWEEPS {
            return None;
        }
    }
    let norms: Vec<f64> = columns.chunks_exact(n).map(|x| x.iter().fold(0.0, |s: f64, x| s.hypot(x.modulus()))).collect();
    let order = sorted(&norms, true);
    let s: Vec<f64> = order.iter().map(|&k| norms[k]).collect();
    let pick = |x: &[T]| -> Vec<T> { order.iter().flat_map(|&k| x[k * n..(k + 1) * n].iter().copied()).collect() };
    // QR of U diag(s) gives an orthonormal U also where s vanishes, up to the signs that R's diagonal carries
    let (mut u, r) = T::qr(&transpose(&pick(&columns), n, n), n, n, false);
    for k in 0..n {
        let d = r[k * n + k];
        if d.modulus() > 0.0 {
            let phase = T::from_parts(d.re() / d.modulus(), d.im() / d.modulus());
            u.iter_mut().skip(k).step_by(n).for_each(|x| *x *= phase);
        }
    }
    let u = T::matmul((&q, super::Op::None), (&u, super::Op::None), m, n, n);
    Some((u, s, pick(&vt).into_iter().map(T::conj).collect()))
}

/// The order that sorts values; ties keep their place.
fn sorted(x: &[f64], descending: bool) -> Vec<usize> {
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_by(|&i, &j| {
        let ordering = x[i].total_cmp(&x[j]);
        if descending { ordering.reverse() } else { ordering }
    });
    order
}
