//! Thick-restart Lanczos for the lowest or highest eigenpairs of a Hermitian operator (Wu & Simon, SIAM J. Matrix Anal. Appl. 22 (2000)
//! 602), with full orthogonalisation: on numbers, without derivatives.

use super::vector::{Stream, axpy, combine, dot_re, fresh_direction, norm, orthogonalise, real, scale};
use crate::error::Result;
use crate::linalg::backend;
use crate::scalar::{Real, Scalar};

/// What is asked of a run.
pub(super) struct Run<'a, T> {
    pub(super) apply: &'a dyn Fn(&[T]) -> Result<Vec<T>>,
    pub(super) n: usize,
    pub(super) k: usize,
    pub(super) lowest: bool,
    /// The most vectors kept, besides those that are locked.
    pub(super) subspace: usize,
    /// The bound on ‖A v − λ v‖ relative to ‖A‖.
    pub(super) tolerance: f64,
    /// The most products with A.
    pub(super) limit: usize,
    /// Orthonormal rows that the search stays orthogonal to.
    pub(super) locked: &'a [T],
    /// Stop as soon as the outermost value is known to lie beyond this one.
    pub(super) clear_of: Option<f64>,
}

/// What a run found: values from the outermost inwards.
#[derive(Clone, Debug)]
pub(super) struct Ritz<T> {
    pub(super) values: Vec<f64>,
    /// Orthonormal rows.
    pub(super) rows: Vec<T>,
    /// The largest |Ritz value|, an estimate of ‖A‖ from below.
    pub(super) norm: f64,
    pub(super) products: usize,
    pub(super) converged: bool,
    /// The next value inwards with its residual, if the space has one.
    pub(super) next: Option<(f64, f64)>,
}

/// The projected problem after a number of steps: values ascending, vectors in columns, residuals.
struct Projected {
    values: Vec<f64>,
    vectors: Vec<f64>,
    residuals: Vec<f64>,
    size: usize,
}

impl Projected {
    fn new(t: &[f64], m: usize, size: usize, beta: f64) -> Result<Self> {
        let block: Vec<f64> = (0..size * size).map(|at| t[(at / size) * m + at % size]).collect();
        let (values, vectors) = backend::eigh(&block, size)?;
        let residuals = (0..size).map(|i| (beta * vectors[(size - 1) * size + i]).abs()).collect();
        Ok(Projected { values, vectors, residuals, size })
    }

    /// The place of the i-th value from outside.
    fn outer(&self, lowest: bool, i: usize) -> usize {
        if lowest { i } else { self.size - 1 - i }
    }

    fn norm(&self) -> f64 {
        self.values.iter().fold(0.0, |m, v| v.abs().max(m))
    }

    /// The coefficients (count × size) of the outermost vectors.
    fn coefficients<T: Scalar>(&self, lowest: bool, count: usize) -> Vec<T> {
        (0..count)
            .flat_map(|i| {
                let column = self.outer(lowest, i);
                (0..self.size).map(move |j| real::<T>(self.vectors[j * self.size + column]))
            })
            .collect()
    }
}

impl<T: Scalar> Run<'_, T> {
    fn done(&self, p: &Projected, whole: bool) -> bool {
        if let Some(reference) = self.clear_of {
            let at = p.outer(self.lowest, 0);
            let beyond = if self.lowest { p.values[at] - reference } else { reference - p.values[at] };
            if beyond > 10.0 * p.residuals[at] && beyond > 1e-6 * p.norm() {
                return true;
            }
        }
        let allowed = self.tolerance * p.norm();
        whole || (p.size > self.k && (0..self.k).all(|i| p.residuals[p.outer(self.lowest, i)] <= allowed))
    }

    fn finish(&self, p: &Projected, basis: &[T], products: usize, converged: bool) -> Ritz<T> {
        let k = self.k.min(p.size);
        let order: Vec<usize> = (0..p.size.min(k + 1)).map(|i| p.outer(self.lowest, i)).collect();
        Ritz {
            values: order[..k].iter().map(|&i| p.values[i]).collect(),
            rows: combine(&p.coefficients::<T>(self.lowest, k), k, basis, p.size, self.n),
            norm: p.norm(),
            products,
            converged,
            next: order.get(k).map(|&i| (p.values[i], p.residuals[i])),
        }
    }

    /// Runs from a start vector.
    pub(super) fn run(&self, start: &[T], stream: &mut Stream) -> Result<Ritz<T>> {
        let n = self.n;
        let locked = self.locked.len() / n.max(1);
        let space = n - locked;
        let m = self.subspace.min(space);
        let eps = T::Real::EPSILON.to_f64();
        let mut basis = Vec::with_capacity((locked + m + 1) * n);
        basis.extend_from_slice(self.locked);
        let mut q = start.to_vec();
        let (_, left) = orthogonalise(&basis, locked, &mut q);
        if left > 1e3 * eps * norm(start) {
            scale(1.0 / left, &mut q);
        } else {
            q = fresh_direction(stream, &basis, locked, n).unwrap_or_else(|| vec![T::zero(); n]);
        }
        basis.extend_from_slice(&q);
        let mut t = vec![0.0; m * m];
        let (mut kept, mut products, mut size_of_a) = (0, 0, 0.0f64);
        loop {
            let (mut beta, mut residual) = (0.0, Vec::new());
            for j in kept..m {
                let q = &basis[(locked + j) * n..(locked + j + 1) * n];
                let mut w = (self.apply)(q)?;
                products += 1;
                let alpha = dot_re(q, &w);
                t[j * m + j] = alpha;
                size_of_a = size_of_a.max(norm(&w));
                // the recurrence first: it leaves rounding errors alone for the orthogonalisation, which then takes one pass instead of two
                axpy(real(-alpha), q, &mut w);
                if j > kept {
                    axpy(real(-t[j * m + j - 1]), &basis[(locked + j - 1) * n..(locked + j) * n], &mut w);
                }
                (_, beta) = orthogonalise(&basis, locked + j + 1, &mut w);
                if beta <= 4.0 * eps * size_of_a {
                    beta = 0.0;
                }
                let more = j + 1 < m;
                // large problems look for convergence on the way: a product costs more than a small diagonalisation
                if n > 1024 && more && j % 8 == 7 && j > kept + self.k {
                    let p = Projected::new(&t, m, j + 1, beta)?;
                    if self.done(&p, false) {
                        return Ok(self.finish(&p, &basis[locked * n..], products, true));
                    }
                }
                if beta > 0.0 {
                    scale(1.0 / beta, &mut w);
                } else {
                    // the space so far is invariant: go on in a direction that it does not contain
                    match fresh_direction(stream, &basis, locked + j + 1, n) {
                        Some(fresh) => w = fresh,
                        None => w.fill(T::zero()),
                    }
                }
                if more {
                    t[j * m + j + 1] = beta;
                    t[(j + 1) * m + j] = beta;
                    basis.extend_from_slice(&w);
                } else {
                    residual = w;
                }
            }
            let p = Projected::new(&t, m, m, beta)?;
            let whole = m == space;
            if self.done(&p, whole) {
                return Ok(self.finish(&p, &basis[locked * n..], products, true));
            }
            if products >= self.limit {
                return Ok(self.finish(&p, &basis[locked * n..], products, false));
            }
            // keep the wanted vectors and some of their neighbours, which would otherwise be found again
            kept = (self.k + (m - self.k) * 2 / 5).min(m - 1);
            let rows = combine(&p.coefficients::<T>(self.lowest, kept), kept, &basis[locked * n..], m, n);
            basis.truncate(locked * n);
            basis.extend_from_slice(&rows);
            basis.extend_from_slice(&residual);
            t.fill(0.0);
            for i in 0..kept {
                let at = p.outer(self.lowest, i);
                let arrow = beta * p.vectors[(m - 1) * m + at];
                t[i * m + i] = p.values[at];
                t[i * m + kept] = arrow;
                t[kept * m + i] = arrow;
            }
        }
    }
}
