//! The leading singular triplets or eigenpairs of a dense matrix without its full decomposition.
//!
//! Block Krylov spaces: V = [X, A†A X, (A†A)² X, …] for a random block X of b ≈ k/2 columns, orthonormalised as it grows, with a
//! Rayleigh–Ritz step where convergence is expected: A V = Q R, R = P diag(s) W†, so u = Q p, v = V w and A v = s u holds to rounding; what
//! is left is ‖A†u − s v‖. On tensors of critical systems about 3 k columns are enough, a third of the products that subspace iteration
//! needs (Musco & Musco, NeurIPS 2015, arXiv:1504.05477; Golub, Luk & Overton, ACM TOMS 7 (1981) 149).
//!
//! A Krylov space holds at most b members of a multiplet. So what it leaves of A is probed with a few random vectors before it is trusted,
//! and what they find joins the space. When the spectrum is so flat that the full decomposition is cheaper, `None` says so.

use super::Op;
use super::dense::{Dense, Double, SvdParts, Vectors, transpose_conj};

/// Residual over the largest value at which a triplet counts as converged, in ε.
const TOLERANCE: f64 = 32.0;
/// Columns of the space for each wanted one, when it is looked at for the first time.
const FIRST_LOOK: usize = 3;
/// The space may have this fraction of the columns of the matrix before the full decomposition wins.
const LARGEST_FRACTION: usize = 2;
/// A new direction below this part of the longest one is rounding.
const NOISE: f64 = 1e-13;
/// Random vectors that probe for what the space misses.
const PROBES: usize = 4;
/// How much of the smallest wanted value a probe may find outside the space before that is taken for a value that was missed.
const MISSED: f64 = 0.7;

/// Uniform numbers in [−1, 1) from a fixed seed (SplitMix64).
struct Random(u64);

impl Random {
    fn block<T: Double>(&mut self, len: usize) -> Vec<T> {
        let mut next = || {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
        };
        (0..len).map(|_| T::from_parts(next(), next())).collect()
    }
}

/// The length of the longest of these rows.
fn longest<T: Double>(rows: &[T], n: usize) -> f64 {
    rows.chunks_exact(n).map(|row| row.iter().map(|x| x.modulus_squared()).sum::<f64>()).fold(0.0, f64::max).sqrt()
}

/// These rows over the length of the longest.
fn unit<T: Double>(mut rows: Vec<T>, n: usize) -> Vec<T> {
    let scale = longest(&rows, n).max(f64::MIN_POSITIVE);
    rows.iter_mut().for_each(|x| *x /= T::from_real(scale));
    rows
}

/// An orthonormal basis that grows: its conjugated vectors are the rows of V†.
struct Space<T> {
    n: usize,
    rows: Vec<T>,
    /// (A V)†, row by row.
    images: Vec<T>,
    /// The longest direction that has been offered, before projection.
    top: f64,
}

impl<T: Dense> Space<T> {
    fn size(&self) -> usize {
        self.rows.len() / self.n
    }

    /// w − w V V†, for conjugated vectors in rows.
    fn outside(&self, w: &[T]) -> Vec<T> {
        let (b, d) = (w.len() / self.n, self.size());
        if d == 0 {
            return w.to_vec();
        }
        let inside = T::matmul((w, Op::None), (&self.rows, Op::Adjoint), b, self.n, d);
        let mut rest = T::matmul((&inside, Op::None), (&self.rows, Op::None), b, d, self.n);
        rest.iter_mut().zip(w).for_each(|(r, &w)| *r = w - *r);
        rest
    }

    /// What is new in `w` joins the space, with its images; returns how many vectors that were.
    fn join(&mut self, w: &[T], image: &dyn Fn(&[T]) -> Vec<T>) -> usize {
        let n = self.n;
        self.top = self.top.max(longest(w, n));
        let rest = self.outside(w);
        let b = rest.len() / n;
        let (q, r) = T::qr(&transpose_conj(&rest, b, n), n, b, false);
        // a column that depends on those before it has an arbitrary q
        let kept: Vec<usize> = (0..b.min(n)).filter(|&j| r[j * b + j].modulus() > NOISE * self.top).collect();
        if kept.is_empty() {
            return 0;
        }
        let q: Vec<T> = q.chunks_exact(b.min(n)).flat_map(|row| kept.iter().map(|&j| row[j])).collect();
        // once more: what cancelled in the projection left rounding behind
        let rest = self.outside(&transpose_conj(&q, n, kept.len()));
        let (q, _) = T::qr(&transpose_conj(&rest, kept.len(), n), n, kept.len(), false);
        let rows = transpose_conj(&q, n, kept.len());
        self.images.extend(image(&rows));
        self.rows.extend(rows);
        kept.len()
    }
}

/// Columns that join the space at a time, if iterating can pay.
fn block(size: usize, k: usize) -> Option<usize> {
    let b = (k / 2).max(8);
    ((FIRST_LOOK * k).max(2 * b) + 3 * b <= size / LARGEST_FRACTION).then_some(b)
}

/// The largest ‖x_i − value_i y_i‖ over pairs of rows.
fn residual<T: Double>(x: &[T], y: &[T], n: usize, values: &[f64]) -> f64 {
    let distance = |((x, y), &value): ((&[T], &[T]), &f64)| {
        x.iter().zip(y).map(|(&x, &y)| (x - y * T::from_real(value)).modulus_squared()).sum::<f64>()
    };
    x.chunks_exact(n).zip(y.chunks_exact(n)).zip(values).map(distance).fold(0.0, f64::max).sqrt()
}

/// How large the space should be at the next look, for an error that is `excess` times the tolerance; `None` if that is more than is worth
/// it. Convergence speeds up as the space grows, so half the blocks that the rate so far asks for, or a quarter if there is no room for more.
fn next_look(size: usize, b: usize, error: f64, excess: f64, limit: usize) -> Option<usize> {
    let rate = -error.ln() * b as f64 / size as f64;
    let blocks = (0.5 * excess.ln() / rate.max(1e-3)).ceil().max(1.0);
    let least = size as f64 + 0.5 * blocks * b as f64;
    (error.is_finite() && size < limit && least <= limit as f64).then_some(limit.min(size + blocks as usize * b))
}

/// How a Krylov space of A grows, on conjugated vectors in rows.
struct Growth<'a, T> {
    /// v† to (A v)†.
    image: &'a dyn Fn(&[T]) -> Vec<T>,
    /// The next rows from the last images.
    next: &'a dyn Fn(&[T]) -> Vec<T>,
    /// From (A v)† to (A†A v)†.
    back: &'a dyn Fn(&[T]) -> Vec<T>,
}

/// Grows a Krylov space until a look at it is content. `look` gives the error over the largest value, the largest and the smallest wanted
/// value, and what was found.
fn grow<T: Dense, R>(
    n: usize,
    k: usize,
    epsilon: f64,
    Growth { image, next, back }: Growth<'_, T>,
    look: impl Fn(&Space<T>) -> Option<(f64, f64, f64, R)>,
) -> Option<R> {
    let b = block(n, k)?;
    let limit = n / LARGEST_FRACTION;
    let mut random = Random(0x853c_49e6_748f_ea9b);
    let mut space = Space { n, rows: vec![], images: vec![], top: 0.0 };
    let mut goal = (FIRST_LOOK * k + b).max(3 * b);
    let mut added = space.join(&random.block(b * n), image);
    loop {
        while space.size() < goal {
            let width = space.images.len() / space.size();
            let rows = next(&space.images[space.images.len() - added * width..]);
            added = space.join(&rows, image);
            if added == 0 {
                // nothing new comes from here: a fresh direction
                added = space.join(&random.block(b * n), image);
            }
            if added == 0 || space.size() > limit + b {
                return None;
            }
        }
        let (error, largest, smallest, found) = look(&space)?;
        let tolerance = epsilon * TOLERANCE;
        let excess = error / tolerance;
        if !(excess <= 1.0) {
            goal = next_look(space.size(), b, error, excess, limit)?;
            continue;
        }
        // the part of A outside the space, by a step of the power method from random vectors
        let mut probe = space.outside(&random.block(PROBES * n));
        for _ in 0..2 {
            // ‖A†A x‖/‖A x‖, so that the length is a singular value
            let images = image(&unit(probe, n));
            let width = images.len() / PROBES;
            probe = space.outside(&back(&unit(images, width)));
        }
        if longest(&probe, n) <= MISSED * smallest.max(tolerance * largest) {
            return Some(found);
        }
        added = space.join(&probe, image);
        goal = space.size() + b;
        if goal > limit {
            return None;
        }
    }
}

/// The k leading singular triplets (U m × k, s, V† k × n) to `epsilon` of the largest, or `None` when iterating does not pay.
pub(super) fn svd<T: Dense>(a: &[T], m: usize, n: usize, k: usize, epsilon: f64) -> Option<SvdParts<T>> {
    if n > m {
        let (u, s, vh) = svd(&transpose_conj(a, m, n), n, m, k, epsilon)?;
        return Some((transpose_conj(&vh, k, m), s, transpose_conj(&u, n, k)));
    }
    let forward = |rows: &[T]| T::matmul((rows, Op::None), (a, Op::Adjoint), rows.len() / n, n, m);
    let back = |rows: &[T]| T::matmul((rows, Op::None), (a, Op::None), rows.len() / m, m, n);
    grow(n, k, epsilon, Growth { image: &forward, next: &back, back: &back }, |space| {
        let d = space.size();
        let (q, r) = T::qr(&transpose_conj(&space.images, d, m), m, d, false);
        let (p, s, wh) = T::svd(&r, d, d, Vectors::Thin, false)?;
        let leading: Vec<T> = p.chunks_exact(d).flat_map(|row| row[..k].iter().copied()).collect();
        let u = T::matmul((&q, Op::None), (&leading, Op::None), m, d, k);
        let vh = T::matmul((&wh[..k * d], Op::None), (&space.rows, Op::None), k, d, n);
        let images_of_u = T::matmul((&u, Op::Adjoint), (a, Op::None), k, m, n);
        let error = if s[0] == 0.0 { 0.0 } else { residual(&images_of_u, &vh, n, &s) / s[0] };
        Some((error, s[0], s[k - 1], (u, s[..k].to_vec(), vh)))
    })
}

/// Eigenpairs by falling |λ|: the values and the n × k vectors of the Hermitian matrix (both triangles), or `None`.
pub(super) fn eigh<T: Dense>(a: &[T], n: usize, k: usize, epsilon: f64) -> Option<(Vec<f64>, Vec<T>)> {
    let apply = |rows: &[T]| T::matmul((rows, Op::None), (a, Op::None), rows.len() / n, n, n);
    grow(n, k, epsilon, Growth { image: &apply, next: &|images| images.to_vec(), back: &apply }, |space| {
        let d = space.size();
        let h = T::matmul((&space.rows, Op::None), (&space.images, Op::Adjoint), d, n, d);
        let (values, w) = T::eigh(&h, d, true, false)?;
        let order = &by_modulus(&values)[..k];
        let leading: Vec<f64> = order.iter().map(|&i| values[i]).collect();
        let wh: Vec<T> = order.iter().flat_map(|&i| w.chunks_exact(d).map(move |row| row[i].conj())).collect();
        let ritz = T::matmul((&wh, Op::None), (&space.rows, Op::None), k, d, n);
        let image = T::matmul((&wh, Op::None), (&space.images, Op::None), k, d, n);
        let (largest, smallest) = (leading[0].abs(), leading[k - 1].abs());
        let error = if largest == 0.0 { 0.0 } else { residual(&image, &ritz, n, &leading) / largest };
        Some((error, largest, smallest, (leading, transpose_conj(&ritz, k, n))))
    })
}

/// Indices by falling modulus; of ±λ the positive one first.
pub(super) fn by_modulus(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| values[j].abs().total_cmp(&values[i].abs()).then(values[j].total_cmp(&values[i])));
    order
}
