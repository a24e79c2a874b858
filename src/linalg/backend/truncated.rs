//! The leading singular triplets or eigenpairs of a dense matrix without its full decomposition.
//!
//! Block Krylov spaces: V = [X, A†A X, (A†A)² X, …] for a random block X of b ≈ k/4 columns, orthonormalised as it grows, with a
//! Rayleigh–Ritz step where convergence is expected: A V = Q R, R = P diag(s) W†, so u = Q p, v = V w and A v = s u holds to rounding; what
//! is left is ‖A†u − s v‖. On tensors of critical systems about 3 k columns are enough, a third of the products that subspace iteration
//! needs (Musco & Musco, NeurIPS 2015, arXiv:1504.05477; Golub, Luk & Overton, ACM TOMS 7 (1981) 149).
//!
//! A Krylov space holds at most b members of a multiplet. So what it leaves of A is probed with a few random vectors before it is trusted,
//! and what they find joins the space. When the spectrum is so flat that the full decomposition is cheaper, `None` says so.
//!
//! A matrix that exact zeros split into blocks is decomposed block by block: two of half the size cost a quarter.

use super::Op;
use super::dense::{Dense, Double, SvdParts, Vectors, transpose_conj};
use super::input::{Scaled, all_finite, scaled, unscale};
use crate::kernels::blocks::{self, Block};
use crate::kernels::gemm::Matrix;
use crate::kernels::inner::vdot;

/// Residual over the largest value at which a triplet counts as converged, in ε.
const TOLERANCE: f64 = 32.0;
/// Columns of the space for each wanted one, when it is looked at for the first time.
const FIRST_LOOK: usize = 3;
/// The space may have this fraction of the columns of the matrix before the full decomposition wins.
const LARGEST_FRACTION: usize = 2;
/// A new direction below this part of the longest one is rounding; what is left out stays in the residual.
const NOISE: f64 = 1e-15;
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

fn length<T: Double>(row: &[T]) -> f64 {
    vdot(row, row).re().sqrt()
}

/// The length of the longest of these rows.
fn longest<T: Double>(rows: &[T], n: usize) -> f64 {
    rows.chunks_exact(n).map(length).fold(0.0, f64::max)
}

/// An orthonormal basis of these rows, by the modified Gram–Schmidt process; directions that add no more than `least` are left out.
fn orthonormal<T: Double>(rows: &[T], n: usize, least: f64) -> Vec<T> {
    let mut basis: Vec<T> = Vec::with_capacity(rows.len());
    for row in rows.chunks_exact(n) {
        let start = basis.len();
        basis.extend_from_slice(row);
        let (done, new) = basis.split_at_mut(start);
        for q in done.chunks_exact(n) {
            let along = vdot(q, new);
            new.iter_mut().zip(q).for_each(|(x, &q)| *x -= along * q);
        }
        let length = length(new);
        if length > least {
            new.iter_mut().for_each(|x| *x /= T::from_real(length));
        } else {
            basis.truncate(start);
        }
    }
    basis
}

/// These rows over the length of the longest.
fn unit<T: Double>(mut rows: Vec<T>, n: usize) -> Vec<T> {
    let scale = longest(&rows, n).max(f64::MIN_POSITIVE);
    rows.iter_mut().for_each(|x| *x /= T::from_real(scale));
    rows
}

/// The rows longer than `least`, over their lengths.
fn units<T: Double>(rows: &[T], n: usize, least: f64) -> Vec<T> {
    let mut out = Vec::with_capacity(rows.len());
    for row in rows.chunks_exact(n) {
        let length = length(row);
        if length > least {
            out.extend(row.iter().map(|&x| x / T::from_real(length)));
        }
    }
    out
}

/// An orthonormal basis that grows: its conjugated vectors are the rows of V†.
struct Space<T> {
    n: usize,
    rows: Vec<T>,
    /// (A V)†, row by row.
    images: Vec<T>,
    /// The longest direction that the matrix gave, before projection.
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

    /// What is new in the rows that the matrix gave joins the space, with its images; returns how many vectors that were.
    fn join(&mut self, w: &[T], image: &dyn Fn(&[T]) -> Vec<T>) -> usize {
        self.top = self.top.max(longest(w, self.n));
        self.join_above(w, NOISE * self.top, image)
    }

    /// As [`Space::join`], for rows from elsewhere.
    fn join_others(&mut self, w: &[T], image: &dyn Fn(&[T]) -> Vec<T>) -> usize {
        self.join_above(w, NOISE * longest(w, self.n), image)
    }

    fn join_above(&mut self, w: &[T], least: f64, image: &dyn Fn(&[T]) -> Vec<T>) -> usize {
        let n = self.n;
        let rows = orthonormal(&self.outside(w), n, least);
        // once more: what cancelled in the projection left rounding behind, all of a direction that is rounding itself
        let rows = orthonormal(&self.outside(&rows), n, 0.5);
        if rows.is_empty() {
            return 0;
        }
        self.images.extend(image(&rows));
        let added = rows.len() / n;
        self.rows.extend(rows);
        added
    }
}

/// Columns that join the space at a time, if iterating can pay.
fn block(size: usize, k: usize) -> Option<usize> {
    let b = (k / 4).next_multiple_of(4).max(4);
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

/// A search that can be taken up again for more values.
struct Search<T> {
    space: Space<T>,
    random: Random,
    /// Columns that join at a time, and those that joined last.
    block: usize,
    added: usize,
}

impl<T: Dense> Search<T> {
    fn new(n: usize, block: usize) -> Self {
        let space = Space { n, rows: vec![], images: vec![], top: 0.0 };
        Search { space, random: Random(0x853c_49e6_748f_ea9b), block, added: 0 }
    }

    /// Grows the Krylov space until a look at it is content. `look` gives the error over the largest value, the largest and the smallest
    /// wanted value, and what was found; `None` when iterating does not pay.
    fn leading<R>(
        &mut self,
        k: usize,
        epsilon: f64,
        Growth { image, next, back }: &Growth<'_, T>,
        look: impl Fn(&Space<T>) -> Option<(f64, f64, f64, R)>,
    ) -> Option<R> {
        let Search { space, random, block, added } = self;
        let (n, b) = (space.n, *block);
        let limit = n / LARGEST_FRACTION;
        let mut goal = (FIRST_LOOK * k).max(3 * b).max(space.size()).min(limit);
        let mut exhausted = false;
        if space.size() == 0 {
            *added = space.join_others(&random.block(b * n), image);
        }
        loop {
            while space.size() < goal {
                let width = space.images.len() / space.size();
                let last = &space.images[space.images.len() - *added * width..];
                *added = if last.is_empty() { 0 } else { space.join(&next(last), image) };
                if *added == 0 && !exhausted && space.size() >= k {
                    // nothing new comes from here: all of A may be found
                    exhausted = true;
                    break;
                }
                if *added == 0 {
                    *added = space.join_others(&random.block(b * n), image);
                }
                if *added == 0 || space.size() > limit + b {
                    return None;
                }
            }
            let (error, largest, smallest, found) = look(space)?;
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
            *added = space.join_others(&probe, image);
            goal = space.size() + b;
            if goal > limit {
                return None;
            }
        }
    }
}

/// Orthonormal columns (m × rank) and enough others for k.
fn completed<T: Dense>(u: &[T], m: usize, rank: usize, k: usize) -> Vec<T> {
    let mut space = Space { n: m, rows: transpose_conj(u, m, rank), images: vec![], top: 0.0 };
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    while space.size() < k {
        space.join_others(&random.block((k - space.size()) * m), &|_| vec![]);
    }
    transpose_conj(&space.rows, k, m)
}

/// The k leading triplets of a matrix with n ≤ m, with the search that has found others of it before, or the first one.
fn leading<T: Dense>(a: &[T], m: usize, n: usize, k: usize, epsilon: f64, search: &mut Search<T>) -> Option<SvdParts<T>> {
    // rows times a matrix that lies in rows need no packing
    let adjoint = transpose_conj(a, m, n);
    let size = length(a);
    let forward = |rows: &[T]| T::matmul((rows, Op::None), (&adjoint, Op::None), rows.len() / n, n, m);
    let back = |rows: &[T]| T::matmul((rows, Op::None), (a, Op::None), rows.len() / m, m, n);
    // images at equal length, so that what small singular values contribute is not taken for rounding; those that are rounding lead nowhere
    let next = |images: &[T]| back(&units(images, m, f64::EPSILON * size));
    search.leading(k, epsilon, &Growth { image: &forward, next: &next, back: &back }, |space| {
        let d = space.size();
        if d < k {
            return None;
        }
        let (q, r) = T::qr(&transpose_conj(&space.images, d, m), m, d, false);
        let (p, s, wh) = T::svd(&r, d, d, Vectors::Thin, false)?;
        // beyond the rank to rounding the left vectors are any that the others leave
        let noise = m as f64 * f64::EPSILON * s[0];
        let rank = s[..k].iter().take_while(|&&s| s > noise).count();
        let leading: Vec<T> = p.chunks_exact(d).flat_map(|row| row[..rank].iter().copied()).collect();
        let mut u = T::matmul((&q, Op::None), (&leading, Op::None), m, d, rank);
        let vh = T::matmul((&wh[..k * d], Op::None), (&space.rows, Op::None), k, d, n);
        let images_of_u = T::matmul((&u, Op::Adjoint), (a, Op::None), rank, m, n);
        let error = if s[0] == 0.0 { 0.0 } else { residual(&images_of_u, &vh, n, &s) / s[0] };
        if rank < k {
            u = completed(&u, m, rank, k);
        }
        Some((error, s[0], s[k - 1], (u, s[..k].to_vec(), vh)))
    })
}

/// The k leading singular triplets (U m × k, s, V† k × n) to `epsilon` of the largest, or `None` when iterating does not pay.
pub fn svd<T: Dense>(a: &[T], m: usize, n: usize, k: usize, epsilon: f64) -> Option<SvdParts<T>> {
    if n > m {
        let (u, s, vh) = svd(&transpose_conj(a, m, n), n, m, k, epsilon)?;
        return Some((transpose_conj(&vh, k, m), s, transpose_conj(&u, n, k)));
    }
    if let Some(blocks) = blocks::blocks(&Matrix::row_major(a, n), m, n) {
        return by_blocks(a, (m, n), k, epsilon, blocks);
    }
    leading(a, m, n, k, epsilon, &mut Search::new(n, block(n, k)?))
}

/// A block of a matrix and what is known of its triplets.
struct Piece<T> {
    block: Block,
    /// Its entries over 2^exponent, transposed and conjugated if there are fewer rows than columns.
    a: Vec<T>,
    exponent: i32,
    m: usize,
    n: usize,
    /// The search, until it does not pay.
    search: Option<Search<T>>,
    /// The leading triplets.
    found: SvdParts<T>,
}

impl<T: Dense> Piece<T> {
    fn new(a: &Matrix<T>, block: Block) -> Option<Self> {
        let (m, n) = (block.rows.len(), block.cols.len());
        let data = blocks::gather(a, &block.rows, &block.cols);
        let Scaled { data, exponent } = scaled("svd", &data, m, n).ok()?;
        let (a, m, n) = if n > m { (transpose_conj(&data, m, n), n, m) } else { (data.into_owned(), m, n) };
        Some(Piece { block, a, exponent, m, n, search: None, found: (vec![], vec![], vec![]) })
    }

    /// Finds the leading `ask` triplets, or all of them where that is cheaper.
    fn find(&mut self, ask: usize, epsilon: f64) -> Option<()> {
        let (m, n) = (self.m, self.n);
        if self.found.1.is_empty() {
            self.search = block(n, ask).map(|b| Search::new(n, b));
        }
        let found = self.search.as_mut().and_then(|search| leading(&self.a, m, n, ask, epsilon, search));
        if found.is_none() {
            self.search = None;
        }
        self.found = match found {
            Some(found) => found,
            None => T::svd(&self.a, m, n, Vectors::Thin, false)?,
        };
        let (p, s, qh) = &mut self.found;
        unscale("svd", s, self.exponent).ok()?;
        [p, qh].iter().all(|x| all_finite(x)).then_some(())
    }
}

/// The k leading triplets of a matrix that zeros split: those of its blocks, merged. `None` where the blocks have fewer.
pub fn by_blocks<T: Dense>(a: &[T], (m, n): (usize, usize), k: usize, epsilon: f64, blocks: Vec<Block>) -> Option<SvdParts<T>> {
    let a = Matrix::row_major(a, n);
    let mut pieces: Vec<Piece<T>> = blocks.into_iter().map(|block| Piece::new(&a, block)).collect::<Option<_>>()?;
    let total: usize = pieces.iter().map(|p| p.n).sum();
    if total < k {
        return None;
    }
    // as many of each as its share, and a few more to see that no value is missed
    let mut ask: Vec<usize> = pieces.iter().map(|p| (k * p.n).div_ceil(total).next_multiple_of(2) + 2).collect();
    let mut all: Vec<(f64, usize, usize)>;
    loop {
        for (piece, ask) in pieces.iter_mut().zip(&ask) {
            let have = piece.found.1.len();
            if have < piece.n.min(*ask) {
                piece.find(piece.n.min(*ask), epsilon)?;
            }
        }
        all = pieces.iter().enumerate().flat_map(|(at, p)| p.found.1.iter().enumerate().map(move |(i, &s)| (s, at, i))).collect();
        all.sort_by(|x, y| y.0.total_cmp(&x.0));
        let last = all.get(k - 1).map_or(0.0, |x| x.0);
        let mut complete = true;
        for (piece, ask) in pieces.iter().zip(&mut ask) {
            let s = &piece.found.1;
            if s.len() < piece.n && s[s.len() - 1] >= last {
                *ask += (*ask / 2).max(2);
                complete = false;
            }
        }
        if complete {
            break;
        }
    }
    all.truncate(k);
    let (mut u, mut vh) = (vec![T::zero(); m * k], vec![T::zero(); k * n]);
    for (at, &(_, piece, i)) in all.iter().enumerate() {
        let Piece { block, m: long, n: short, found: (p, s, qh), .. } = &pieces[piece];
        // of a transposed block the right vectors are the left ones
        let flipped = (block.rows.len(), block.cols.len()) != (*long, *short);
        let left = |row: usize| p[row * s.len() + i];
        let right = |col: usize| qh[i * short + col];
        for (row, &to) in block.rows.iter().enumerate() {
            u[to * k + at] = if flipped { right(row).conj() } else { left(row) };
        }
        for (col, &to) in block.cols.iter().enumerate() {
            vh[at * n + to] = if flipped { left(col).conj() } else { right(col) };
        }
    }
    Some((u, all.into_iter().map(|x| x.0).collect(), vh))
}

/// Eigenpairs by falling |λ|: the values and the n × k vectors of the Hermitian matrix (both triangles), or `None`.
pub fn eigh<T: Dense>(a: &[T], n: usize, k: usize, epsilon: f64) -> Option<(Vec<f64>, Vec<T>)> {
    let apply = |rows: &[T]| T::matmul((rows, Op::None), (a, Op::None), rows.len() / n, n, n);
    let growth = Growth { image: &apply, next: &|images| images.to_vec(), back: &apply };
    Search::new(n, block(n, k)?).leading(k, epsilon, &growth, |space| {
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
pub fn by_modulus(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| values[j].abs().total_cmp(&values[i].abs()).then(values[j].total_cmp(&values[i])));
    order
}
