//! The correction for what a truncated decomposition discards: x S − A⊥ y = b, y S − A⊥† x = c, for a Hermitian S that is diagonal at the
//! point of evaluation (its perturbations need not be).
//!
//! A⊥ holds the singular values below those in S, so the operator is positive definite on every column, and self-adjoint. Eliminating y,
//! (s² − A⊥A⊥†) x = s b + A⊥ c is solved by conjugate gradients for all columns at once, two products with A⊥ an iteration. Where zeros
//! split A⊥ into blocks, every block is solved for the columns that have something there.
//! Its own derivative is implicit: the same solve for the cotangents, so it can be differentiated again.

use crate::autodiff::{Primitive, Tree, Var, apply};
use crate::error::{Error, Result};
use crate::kernels::blocks::{self, Block};
use crate::kernels::gemm::{Gemm, Matrix, gemm};
use crate::kernels::parallel::collect;
use crate::scalar::{Real, Scalar};
use crate::tensor::Tensor;
use num_traits::Zero as _;
use std::marker::PhantomData;

struct Discarded<T>(PhantomData<T>);

type System<T> = (Var<T>, Var<T>, Var<T>, Var<T>);

/// The solution (x, y), (m, k) and (n, k), for A⊥ (m, n), S (k, k), b (m, k), c (n, k).
pub(crate) fn solve_discarded<T: Scalar>(rest: &Var<T>, s: &Var<T>, b: &Var<T>, c: &Var<T>) -> Result<(Var<T>, Var<T>)> {
    apply(Discarded(PhantomData), &(rest.clone(), s.clone(), b.clone(), c.clone()))
}

/// Column-wise real inner products Re Σ_i conj(x_ij) y_ij.
fn column_dots<T: Scalar>(x: &[T], y: &[T], k: usize) -> Vec<f64> {
    let mut dots = vec![0.0; k];
    for (x, y) in x.chunks_exact(k).zip(y.chunks_exact(k)) {
        for j in 0..k {
            dots[j] += (x[j].conj() * y[j]).re().to_f64();
        }
    }
    dots
}

fn product<T: Scalar>(a: &[T], m: usize, n: usize, adjoint: bool, x: &[T], k: usize) -> Vec<T> {
    let a = Matrix::row_major(a, n);
    let (rows, inner, a) = if adjoint { (n, m, a.transposed().conjugated()) } else { (m, n, a) };
    gemm(&Gemm { batch: 1, m: rows, k: inner, n: k, alpha: T::one(), a, b: Matrix::row_major(x, k) })
}

/// Conjugate gradients on (s_j² − A⊥A⊥†) x_j = r_j, every column with its own step.
fn conjugate_gradients<T: Scalar>(a: &[T], m: usize, n: usize, s: &[f64], rhs: &[T]) -> Result<Vec<T>> {
    let k = s.len();
    let apply = |x: &[T]| {
        let mut y = product(a, m, n, false, &product(a, m, n, true, x, k), k);
        for (y, x) in y.chunks_exact_mut(k).zip(x.chunks_exact(k)) {
            for j in 0..k {
                y[j] = T::from_real(T::Real::from_f64(s[j] * s[j])) * x[j] - y[j];
            }
        }
        y
    };
    let mut x = vec![T::zero(); rhs.len()];
    let mut r = rhs.to_vec();
    let mut p = rhs.to_vec();
    let mut rr = column_dots(&r, &r, k);
    let target: Vec<f64> = rr.iter().map(|b| b * (4.0 * T::Real::EPSILON.to_f64()).powi(2)).collect();
    let limit = 2 * m + 50;
    // the residual that is carried along drifts from the true one by rounding: stop when it no longer falls
    let (mut best, mut stalled) = (f64::INFINITY, 0);
    for _ in 0..limit {
        if (0..k).all(|j| rr[j] <= target[j]) || stalled > 20 {
            break;
        }
        let q = apply(&p);
        let pq = column_dots(&p, &q, k);
        let alpha: Vec<T::Real> =
            (0..k).map(|j| if rr[j] <= target[j] || pq[j] == 0.0 { T::Real::zero() } else { T::Real::from_f64(rr[j] / pq[j]) }).collect();
        for (row, (p, q)) in p.chunks_exact(k).zip(q.chunks_exact(k)).enumerate() {
            for j in 0..k {
                x[row * k + j] += T::from_real(alpha[j]) * p[j];
                r[row * k + j] -= T::from_real(alpha[j]) * q[j];
            }
        }
        let next = column_dots(&r, &r, k);
        let worst = (0..k).filter(|&j| target[j] > 0.0).map(|j| next[j] / target[j]).fold(0.0, f64::max);
        if worst < 0.5 * best {
            (best, stalled) = (worst, 0);
        } else {
            stalled += 1;
        }
        for (p, r) in p.chunks_exact_mut(k).zip(r.chunks_exact(k)) {
            for j in 0..k {
                let beta = if rr[j] > 0.0 { T::Real::from_f64(next[j] / rr[j]) } else { T::Real::zero() };
                p[j] = r[j] + T::from_real(beta) * p[j];
            }
        }
        rr = next;
    }
    let worst = (0..k).filter(|&j| target[j] > 0.0).map(|j| (rr[j] / target[j]).sqrt()).fold(0.0, f64::max);
    // 4ε was aimed at; within a thousand times of that the derivative is as good as the decomposition
    if worst > 1e3 {
        return Err(Error::no_convergence(
            "truncated decomposition, correction for the discarded part",
            format!(
                "the residual stayed at {:.1e} of the right-hand side: the smallest value kept is too close to the largest one discarded; change the rank",
                worst * 4.0 * T::Real::EPSILON.to_f64()
            ),
        ));
    }
    Ok(x)
}

/// x and y of x S − A⊥ y = b, y S − A⊥† x = c for S = diag(s).
fn solve_connected<T: Scalar>((a, m, n): (&[T], usize, usize), s: &[f64], b: &[T], c: &[T]) -> Result<(Vec<T>, Vec<T>)> {
    let k = s.len();
    let diagonal: Vec<T> = s.iter().map(|&s| T::from_real(T::Real::from_f64(s))).collect();
    let mut rhs = product(a, m, n, false, c, k);
    rhs.iter_mut().zip(b).enumerate().for_each(|(i, (rhs, &b))| *rhs += diagonal[i % k] * b);
    let x = conjugate_gradients(a, m, n, s, &rhs)?;
    let mut y = product(a, m, n, true, &x, k);
    y.iter_mut().zip(c).enumerate().for_each(|(i, (y, &c))| *y = (*y + c) / diagonal[i % k]);
    Ok((x, y))
}

/// As [`solve_connected`], block by block.
fn solve<T: Scalar>((a, m, n): (&[T], usize, usize), s: &[f64], b: &[T], c: &[T]) -> Result<(Vec<T>, Vec<T>)> {
    let whole = Matrix::row_major(a, n);
    let Some(blocks) = blocks::blocks(&whole, m, n) else { return solve_connected((a, m, n), s, b, c) };
    let k = s.len();
    let (left, right) = (Matrix::row_major(b, k), Matrix::row_major(c, k));
    let squares = |x: &[T]| column_dots(x, x, k);
    let size: Vec<f64> = squares(b).iter().zip(squares(c)).map(|(b, c)| b + c).collect();
    let all: Vec<usize> = (0..k).collect();
    let solutions = collect(blocks.len(), |at| {
        let Block { rows, cols } = &blocks[at];
        let (b, c) = (blocks::gather(&left, rows, &all), blocks::gather(&right, cols, &all));
        // a part of the right-hand side below what the solution is accurate to is left out
        let part = squares(&b).into_iter().zip(squares(&c)).map(|(b, c)| b + c);
        let columns: Vec<usize> =
            part.zip(&size).enumerate().filter(|(_, (part, size))| *part > **size * negligible::<T>()).map(|x| x.0).collect();
        if columns.is_empty() {
            return Ok((columns, vec![], vec![]));
        }
        let within = |x: &[T]| blocks::gather(&Matrix::row_major(x, k), &(0..x.len() / k).collect::<Vec<_>>(), &columns);
        let values: Vec<f64> = columns.iter().map(|&j| s[j]).collect();
        let a = blocks::gather(&whole, rows, cols);
        let (x, y) = solve_connected((&a, rows.len(), cols.len()), &values, &within(&b), &within(&c))?;
        Ok((columns, x, y))
    });
    // where A⊥ is zero, or nothing is asked
    let over_s = |b: &[T]| b.iter().enumerate().map(|(i, &b)| b / T::from_real(T::Real::from_f64(s[i % k]))).collect::<Vec<T>>();
    let (mut x, mut y) = (over_s(b), over_s(c));
    for (Block { rows, cols }, solution) in blocks.iter().zip(solutions) {
        let (columns, part_x, part_y) = solution?;
        for (out, part, indices) in [(&mut x, part_x, rows), (&mut y, part_y, cols)] {
            for (part, &row) in part.chunks_exact(columns.len().max(1)).zip(indices) {
                part.iter().zip(&columns).for_each(|(&part, &column)| out[row * k + column] = part);
            }
        }
    }
    Ok((x, y))
}

/// The square of what is small next to the accuracy that is aimed at.
fn negligible<T: Scalar>() -> f64 {
    T::Real::EPSILON.to_f64().powi(2)
}

impl<T: Scalar> Primitive for Discarded<T> {
    type Inputs = System<T>;
    type Outputs = (Var<T>, Var<T>);
    fn name(&self) -> &'static str {
        "truncated_svd: discarded part"
    }
    fn keeps_input(&self, i: usize) -> bool {
        i < 2
    }
    fn forward(&self, (rest, s, b, c): &System<T>) -> Result<Self::Outputs> {
        let (m, n, k) = (b.shape()[0], c.shape()[0], s.shape()[0]);
        if k == 0 {
            return Ok((b.clone(), c.clone()));
        }
        let values: Vec<f64> = (0..k).map(|i| s.as_slice()[i * k + i].re().to_f64()).collect();
        let (x, y) = solve((rest.as_slice(), m, n), &values, b.as_slice(), c.as_slice())?;
        Ok((Var::constant(Tensor::new(&[m, k], x)), Var::constant(Tensor::new(&[n, k], y))))
    }
    fn vjp(
        &self,
        (rest, s, b, c): &System<T>,
        (x, y): &Self::Outputs,
        (x_bar, y_bar): (Option<Var<T>>, Option<Var<T>>),
        needs: &[bool],
    ) -> Result<<System<T> as Tree>::Partial> {
        let zeros = |v: &Var<T>| Var::constant(Tensor::full(v.shape(), T::zero()));
        let (p, q) = solve_discarded(rest, s, &x_bar.unwrap_or_else(|| zeros(b)), &y_bar.unwrap_or_else(|| zeros(c)))?;
        let rest_bar = needs[0].then(|| p.matmul(y.h()) + x.matmul(q.h()));
        let s_bar = needs[1].then(|| -(x.h().matmul(&p) + y.h().matmul(&q)));
        Ok((rest_bar, s_bar, Some(p), Some(q)))
    }
    fn jvp(&self, (rest, s, ..): &System<T>, (x, y): &Self::Outputs, (dr, ds, db, dc): &System<T>) -> Result<Self::Outputs> {
        let b = db - x.matmul(ds) + dr.matmul(y);
        let c = dc - y.matmul(ds) + dr.h().matmul(x);
        solve_discarded(rest, s, &b, &c)
    }
}
