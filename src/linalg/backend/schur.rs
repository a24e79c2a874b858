//! Complex Schur form A = Z T Z†: Householder reduction to Hessenberg form, then the implicit single-shift QR algorithm.
//!
//! Golub & Van Loan, *Matrix Computations*, 4th ed., §7.4.2 and §7.5.5. The libraries in use keep theirs to themselves.

use super::dense::{identity, quotient};
use num_complex::Complex;

type C = Complex<f64>;

/// QR steps without a deflation before giving up; every tenth takes an exceptional shift.
const STEPS: usize = 60;

/// Two disjoint rows of a row-major matrix of `n` columns, p < q.
fn two_rows<T>(a: &mut [T], n: usize, p: usize, q: usize) -> (&mut [T], &mut [T]) {
    let (top, bottom) = a.split_at_mut(q * n);
    (&mut top[p * n..(p + 1) * n], &mut bottom[..n])
}

/// H upper Hessenberg in place, and Zᵀ with A = Z H Z† (row j of it is column j of Z).
fn hessenberg(h: &mut [C], n: usize) -> Vec<C> {
    let mut zt = identity::<C>(n);
    for k in 0..n.saturating_sub(2) {
        let mut v: Vec<C> = (k + 1..n).map(|i| h[i * n + k]).collect();
        let tail = v[1..].iter().fold(0.0, |s: f64, x| s.hypot(x.norm()));
        if tail == 0.0 {
            continue;
        }
        let head = v[0].norm();
        let norm = head.hypot(tail);
        let phase = if head == 0.0 { C::ONE } else { v[0] / head };
        v[0] += phase * norm;
        let size = v[0].norm().hypot(tail);
        v.iter_mut().for_each(|x| *x /= size);
        let two = 2.0;
        // rows: H ← (1 − 2 v v†) H
        let mut w = vec![C::ZERO; n];
        for (row, &x) in h[(k + 1) * n..].chunks_exact(n).zip(&v) {
            w[k..].iter_mut().zip(&row[k..]).for_each(|(w, &y)| *w += x.conj() * y);
        }
        for (row, &x) in h[(k + 1) * n..].chunks_exact_mut(n).zip(&v) {
            let x = x * two;
            row[k..].iter_mut().zip(&w[k..]).for_each(|(y, &w)| *y -= x * w);
        }
        // columns: H ← H (1 − 2 v v†)
        for row in h.chunks_exact_mut(n) {
            let s = row[k + 1..].iter().zip(&v).fold(C::ZERO, |s, (&y, &x)| s + y * x) * two;
            row[k + 1..].iter_mut().zip(&v).for_each(|(y, &x)| *y -= s * x.conj());
        }
        w.fill(C::ZERO);
        for (row, &x) in zt[(k + 1) * n..].chunks_exact(n).zip(&v) {
            w.iter_mut().zip(row).for_each(|(w, &y)| *w += x * y);
        }
        for (row, &x) in zt[(k + 1) * n..].chunks_exact_mut(n).zip(&v) {
            let x = x.conj() * two;
            row.iter_mut().zip(&w).for_each(|(y, &w)| *y -= x * w);
        }
        h[(k + 2) * n..].iter_mut().skip(k).step_by(n).for_each(|x| *x = C::ZERO);
    }
    zt
}

/// The eigenvalue of the trailing 2 × 2 block that is nearer to its last entry (Wilkinson's shift).
fn shift(a: C, b: C, c: C, d: C) -> C {
    let half = 0.5;
    let mean = (a - d) * half;
    let root = (mean * mean + b * c).sqrt();
    // the smaller root of x² − 2 mean x − b c, by the product of the roots
    let sum = if (mean.re * root.re + mean.im * root.im) < 0.0 { mean - root } else { mean + root };
    if sum == C::ZERO { d } else { d - quotient(b * c, sum) }
}

/// The upper triangular T and Zᵀ, row-major, of a row-major complex matrix of entries near 1; `None` if the iteration does not converge.
pub fn schur(mut h: Vec<C>, n: usize) -> Option<(Vec<C>, Vec<C>)> {
    let mut zt = hessenberg(&mut h, n);
    let norm = h.iter().fold(0.0, |s: f64, x| s.max(x.norm()));
    let abs1 = |x: C| x.re.abs() + x.im.abs();
    let mut end = n;
    let mut steps = 0;
    while end > 1 {
        let last = end - 1;
        // the active block starts where a subdiagonal entry vanishes
        let mut start = last;
        while start > 0 {
            let size = abs1(h[start * n + start]) + abs1(h[(start - 1) * n + start - 1]);
            let size = if size == 0.0 { norm } else { size };
            if abs1(h[start * n + start - 1]) <= f64::EPSILON * size {
                h[start * n + start - 1] = C::ZERO;
                break;
            }
            start -= 1;
        }
        if start == last {
            end -= 1;
            steps = 0;
            continue;
        }
        steps += 1;
        if steps > STEPS {
            return None;
        }
        let sigma = if steps % 10 == 0 {
            h[last * n + last] + (0.75 * h[last * n + last - 1].norm())
        } else {
            let p = last - 1;
            shift(h[p * n + p], h[p * n + last], h[last * n + p], h[last * n + last])
        };
        let (mut x, mut y) = (h[start * n + start] - sigma, h[(start + 1) * n + start]);
        for k in start..last {
            if k > start {
                (x, y) = (h[k * n + k - 1], h[(k + 1) * n + k - 1]);
            }
            let (size, rho) = (x.norm(), x.norm().hypot(y.norm()));
            if rho > 0.0 {
                let c = size / rho;
                let s = if size == 0.0 { C::ONE } else { x / size * y.conj() / rho };
                let turn = |p: &mut C, q: &mut C, s: C| (*p, *q) = (c * *p + s * *q, c * *q - s.conj() * *p);
                let from = if k > start { k - 1 } else { k };
                let (p, q) = two_rows(&mut h, n, k, k + 1);
                p[from..].iter_mut().zip(&mut q[from..]).for_each(|(p, q)| turn(p, q, s));
                for row in h.chunks_exact_mut(n).take((k + 3).min(end)) {
                    let (left, right) = row.split_at_mut(k + 1);
                    turn(&mut left[k], &mut right[0], s.conj());
                }
                let (p, q) = two_rows(&mut zt, n, k, k + 1);
                p.iter_mut().zip(q).for_each(|(p, q)| turn(p, q, s.conj()));
            }
            if k > start {
                h[(k + 1) * n + k - 1] = C::ZERO;
            }
        }
    }
    for i in 1..n {
        h[i * n..i * n + i].fill(C::ZERO);
    }
    Some((h, zt))
}

/// Eigenvectors of an upper triangular T, in the rows of the result: right ones (T x = t_kk x) or left ones (y† T = t_kk y†).
pub fn triangular_vectors(t: &[C], n: usize, left: bool) -> Vec<C> {
    let norm = t.iter().fold(0.0, |s: f64, x| s.max(x.norm()));
    // a pair of equal eigenvalues is solved as one at the distance of rounding
    let smallest = (f64::EPSILON * norm).max(f64::MIN_POSITIVE);
    let divide = |x: C, d: C| if d.norm() < smallest { x / smallest } else { quotient(x, d) };
    let mut out = vec![C::ZERO; n * n];
    for (k, x) in out.chunks_exact_mut(n).enumerate() {
        x[k] = C::ONE;
        let value = t[k * n + k];
        // near a defective matrix the entries grow by 1/ε a step
        let set = |x: &mut [C], i: usize, y: C| {
            x[i] = y;
            if y.norm() > 1e100 {
                x.iter_mut().for_each(|x| *x /= y.norm());
            }
        };
        if left {
            for i in k + 1..n {
                let sum = (k..i).fold(C::ZERO, |s, j| s + x[j] * t[j * n + i]);
                set(x, i, divide(-sum, t[i * n + i] - value));
            }
            x.iter_mut().for_each(|x| *x = x.conj());
        } else {
            for i in (0..k).rev() {
                let sum = (i + 1..=k).fold(C::ZERO, |s, j| s + t[i * n + j] * x[j]);
                set(x, i, divide(-sum, t[i * n + i] - value));
            }
        }
    }
    out
}
