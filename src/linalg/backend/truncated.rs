//! The leading singular triplets or eigenpairs of a dense matrix without its full decomposition.
//!
//! Block subspace iteration from a random block of b ≈ 4 k columns, V ← orth(A†A V), with a Rayleigh–Ritz step where convergence is
//! expected: A V = Q R, R = P diag(s) W†, so u = Q p, v = V w and A v = s u holds to rounding; what is left is ‖A†u − s v‖
//! (Halko, Martinsson & Tropp, SIAM Review 53 (2011) 217, §4.5; Saad, *Numerical Methods for Large Eigenvalue Problems*, 2nd ed., ch. 5).
//! The error falls by (s_b/s_k)² a round. A block wider than the wanted part cannot miss a member of a multiplet. When the spectrum is so
//! flat that the full decomposition is cheaper, `None` says so after one or two rounds.

use super::Op;
use super::dense::{Dense, Double, SvdParts, Vectors, transpose_conj};

/// Residual over the largest value at which a triplet counts as converged, in ε.
const TOLERANCE: f64 = 32.0;
/// Columns of the block for each wanted one: on tensors of critical systems s_4k/s_k is about 10⁻³, so two or three rounds are enough.
const OVERSAMPLING: usize = 4;
/// The block may have this fraction of the columns of the matrix before the full decomposition wins.
const LARGEST_FRACTION: usize = 3;
/// Rounds in all before the full decomposition is the cheaper way.
const ROUNDS: usize = 8;

/// The number of columns to iterate with, if iterating can pay.
fn block(size: usize, k: usize) -> Option<usize> {
    let b = OVERSAMPLING * k + 4;
    (b * LARGEST_FRACTION <= size).then_some(b)
}

/// Uniform numbers in [−1, 1) from a fixed seed (SplitMix64).
fn random<T: Double>(len: usize) -> Vec<T> {
    let mut state = 0x853c_49e6_748f_ea9b_u64;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (0..len).map(|_| T::from_parts(next(), next())).collect()
}

/// The first k of the b columns of a row-major matrix.
fn leading<T: Copy>(a: &[T], b: usize, k: usize) -> Vec<T> {
    a.chunks_exact(b).flat_map(|row| row[..k].iter().copied()).collect()
}

/// The largest ‖x_i − value_i y_i‖ over the first k columns of x (of width b) and y (of width c).
fn residual<T: Double>(x: &[T], b: usize, y: &[T], c: usize, values: &[f64], k: usize) -> f64 {
    let mut sums = vec![0.0; k];
    for (x, y) in x.chunks_exact(b).zip(y.chunks_exact(c)) {
        for (i, sum) in sums.iter_mut().enumerate() {
            *sum += (x[i] - y[i] * T::from_real(values[i])).modulus_squared();
        }
    }
    sums.into_iter().fold(0.0, f64::max).sqrt()
}

/// How many more rounds bring the residual down by `goal`, each dividing it by `ratio`; `None` if more than are worth it.
fn rounds_needed(goal: f64, ratio: f64, left: usize) -> Option<usize> {
    if goal <= 1.0 {
        return Some(0);
    }
    let rounds = (goal.ln() / ratio.ln()).ceil();
    (ratio > 1.0 && rounds <= left as f64).then_some(rounds as usize)
}

/// The k leading singular triplets (U m × k, s, V† k × n) to `epsilon` of the largest, or `None` when iterating does not pay.
pub(super) fn svd<T: Dense>(a: &[T], m: usize, n: usize, k: usize, epsilon: f64) -> Option<SvdParts<T>> {
    let b = block(m.min(n), k)?;
    let forward = |v: &[T], b: usize| T::matmul((a, Op::None), (v, Op::None), m, n, b);
    let back = |u: &[T], b: usize| T::matmul((a, Op::Adjoint), (u, Op::None), n, m, b);
    let orth = |z: &[T]| T::qr(z, n, b, false).0;
    let mut v = orth(&back(&forward(&random(n * b), b), b));
    let mut used = 1;
    let mut expect_convergence = false;
    loop {
        let (q, r) = T::qr(&forward(&v, b), m, b, false);
        let (p, s, wh) = T::svd(&r, b, b, Vectors::Thin, false)?;
        let tolerance = epsilon * TOLERANCE * s[0];
        let u = T::matmul((&q, Op::None), (&p, Op::None), m, b, b);
        let ritz = T::matmul((&v, Op::None), (&wh, Op::Adjoint), n, b, b);
        // where convergence is expected only the wanted columns are multiplied
        if expect_convergence {
            let wanted = leading(&u, b, k);
            let z = back(&wanted, k);
            if residual(&z, k, &ritz, b, &s, k) <= tolerance {
                let right = leading(&ritz, b, k);
                return Some((wanted, s[..k].to_vec(), transpose_conj(&right, n, k)));
            }
        }
        let z = back(&u, b);
        let error = residual(&z, b, &ritz, b, &s, k);
        used += 1;
        if !error.is_finite() {
            return None;
        }
        if error <= tolerance {
            return Some((leading(&u, b, k), s[..k].to_vec(), transpose_conj(&leading(&ritz, b, k), n, k)));
        }
        let ratio = (s[k - 1] / s[b - 1]).powi(2);
        let needed = rounds_needed(error / tolerance, ratio, ROUNDS.checked_sub(used)?)?;
        v = orth(&z);
        // the round that has just been multiplied out counts, the one that ends in the Ritz step too
        for _ in 1..needed {
            v = orth(&back(&forward(&v, b), b));
            used += 1;
        }
        expect_convergence = true;
    }
}

/// Eigenpairs by falling |λ|: the values and the n × k vectors of the Hermitian matrix (both triangles), or `None`.
pub(super) fn eigh<T: Dense>(a: &[T], n: usize, k: usize, epsilon: f64) -> Option<(Vec<f64>, Vec<T>)> {
    let b = block(n, k)?;
    let apply = |v: &[T]| T::matmul((a, Op::None), (v, Op::None), n, n, b);
    let orth = |z: &[T]| T::qr(z, n, b, false).0;
    let mut v = orth(&apply(&apply(&random(n * b))));
    let mut used = 2;
    loop {
        let av = apply(&v);
        let h = T::matmul((&v, Op::Adjoint), (&av, Op::None), b, n, b);
        let (values, w) = T::eigh(&h, b, true, false)?;
        let order = by_modulus(&values);
        let values: Vec<f64> = order.iter().map(|&i| values[i]).collect();
        let w: Vec<T> = w.chunks_exact(b).flat_map(|row| order.iter().map(|&i| row[i])).collect();
        let ritz = T::matmul((&v, Op::None), (&w, Op::None), n, b, b);
        let z = T::matmul((&av, Op::None), (&w, Op::None), n, b, b);
        let tolerance = epsilon * TOLERANCE * values[0].abs();
        let error = residual(&z, b, &ritz, b, &values, k);
        used += 1;
        if !error.is_finite() {
            return None;
        }
        if error <= tolerance {
            return Some((values[..k].to_vec(), leading(&ritz, b, k)));
        }
        let ratio = values[k - 1].abs() / values[b - 1].abs();
        let needed = rounds_needed(error / tolerance, ratio, (2 * ROUNDS).checked_sub(used)?)?;
        v = orth(&z);
        for _ in 1..needed {
            v = orth(&apply(&v));
            used += 1;
        }
    }
}

/// Indices by falling modulus; of ±λ the positive one first.
pub(super) fn by_modulus(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| values[j].abs().total_cmp(&values[i].abs()).then(values[j].total_cmp(&values[i])));
    order
}
