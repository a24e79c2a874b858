//! Krylov methods on numbers for one system A x = b. Each starts from zero and stops when it believes the residual to have fallen by the
//! factor that is asked for; [`solve`] measures the true residual and starts the method again on it, so no recurrence is trusted.

mod bicgstab;
mod cg;
mod gmres;
mod minres;
mod neumann;

use super::vector::{axpy, difference, norm};
use crate::error::{Error, Result};
use crate::scalar::{Real, Scalar};
use std::cell::Cell;

/// How a linear system is solved, by products with the operator alone.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum LinearSolver {
    /// Conjugate gradients, for Hermitian positive definite operators (Hestenes & Stiefel 1952).
    Cg,
    /// Minimal residuals, for Hermitian operators (Paige & Saunders 1975).
    Minres,
    /// Generalised minimal residuals, restarted after so many vectors (Saad & Schultz 1986).
    Gmres {
        /// The most vectors kept.
        restart: usize,
    },
    /// Stabilised biconjugate gradients: a few vectors only (van der Vorst 1992).
    BiCgStab,
    /// x = Σ (1 − A)ᵏ b, where the spectral radius of 1 − A is below one: for a fixed point, the transposed iteration itself.
    Neumann,
}

/// What one method is to do.
pub(super) struct Task<'a, T> {
    pub(super) apply: &'a dyn Fn(&[T]) -> Result<Vec<T>>,
    /// An approximate inverse.
    pub(super) precondition: Option<&'a dyn Fn(&[T]) -> Result<Vec<T>>>,
    pub(super) rhs: &'a [T],
    /// By which factor the residual shall fall.
    pub(super) reduction: f64,
    /// The most products with the operator.
    pub(super) limit: usize,
}

impl<T: Scalar> Task<'_, T> {
    fn preconditioned(&self, x: &[T]) -> Result<Vec<T>> {
        match self.precondition {
            Some(m) => m(x),
            None => Ok(x.to_vec()),
        }
    }
}

/// What a solve arrived at.
#[derive(Clone, Debug)]
pub(crate) struct Solution<T> {
    pub(crate) x: Vec<T>,
    /// b − A x
    pub(crate) r: Vec<T>,
    pub(crate) iterations: usize,
    /// ‖b − A x‖ / ‖b‖
    pub(crate) residual: f64,
    pub(crate) converged: bool,
    /// The largest ‖A v‖/‖v‖ seen.
    pub(crate) norm: f64,
}

/// What is asked of a solve.
pub(crate) struct Request<'a, T> {
    pub(crate) solver: LinearSolver,
    pub(crate) apply: &'a dyn Fn(&[T]) -> Result<Vec<T>>,
    pub(crate) precondition: Option<&'a dyn Fn(&[T]) -> Result<Vec<T>>>,
    pub(crate) rhs: &'a [T],
    pub(crate) guess: Option<&'a [T]>,
    /// The bound on ‖b − A x‖ / ‖b‖.
    pub(crate) tolerance: f64,
    pub(crate) max_iterations: usize,
}

/// A residual is as small as rounding lets it be below this many ε (‖A‖‖x‖ + ‖b‖), provided it is small against b at all.
const ROUNDING: f64 = 64.0;
const SMALL: f64 = 1e-6;

/// Solves A x = b; whether the residual asked for was reached is for the caller to judge.
pub(crate) fn solve<T: Scalar>(request: &Request<'_, T>) -> Result<Solution<T>> {
    let b = norm(request.rhs);
    let mut x = request.guess.map_or_else(|| vec![T::zero(); request.rhs.len()], <[T]>::to_vec);
    if b == 0.0 {
        x.fill(T::zero());
        return Ok(Solution { r: x.clone(), x, iterations: 0, residual: 0.0, converged: true, norm: 0.0 });
    }
    if !b.is_finite() {
        return Err(Error::non_finite("linear solve", "the right-hand side has a NaN or an infinity"));
    }
    let (largest, products) = (Cell::new(0.0f64), Cell::new(0usize));
    let apply = |v: &[T]| -> Result<Vec<T>> {
        let y = (request.apply)(v)?;
        let size = norm(v);
        if size > 0.0 {
            largest.set(largest.get().max(norm(&y) / size));
        }
        products.set(products.get() + 1);
        Ok(y)
    };
    let eps = T::Real::EPSILON.to_f64();
    let mut r = if request.guess.is_some() { difference(request.rhs, &apply(&x)?) } else { request.rhs.to_vec() };
    let mut size = norm(&r);
    let mut converged = false;
    // a restart on the true residual mends what the recurrences lost; where it no longer helps, that is the limit
    for _ in 0..30 {
        let floor = ROUNDING * eps * (largest.get() * norm(&x) + b);
        converged = size <= request.tolerance * b || (size <= floor && size <= SMALL * b && products.get() > 0);
        if converged || products.get() >= request.max_iterations {
            break;
        }
        let task = Task {
            apply: &apply,
            precondition: request.precondition,
            rhs: &r,
            reduction: (0.5 * request.tolerance * b / size).max(eps),
            limit: request.max_iterations - products.get(),
        };
        let correction = match request.solver {
            LinearSolver::Cg => cg::run(&task)?,
            LinearSolver::Minres => minres::run(&task)?,
            LinearSolver::Gmres { restart } => gmres::run(&task, restart)?,
            LinearSolver::BiCgStab => bicgstab::run(&task)?,
            LinearSolver::Neumann => neumann::run(&task)?,
        };
        let mut next = x.clone();
        axpy(T::one(), &correction, &mut next);
        let next_r = difference(request.rhs, &apply(&next)?);
        let next_size = norm(&next_r);
        if !(next_size < size) {
            break;
        }
        let stalled = next_size > 0.9 * size;
        (x, r, size) = (next, next_r, next_size);
        if stalled {
            let floor = ROUNDING * eps * (largest.get() * norm(&x) + b);
            converged = size <= request.tolerance * b || (size <= floor && size <= SMALL * b);
            break;
        }
    }
    Ok(Solution { x, r, iterations: products.get(), residual: size / b, converged, norm: largest.get() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::iterative::vector::Stream;
    use num_complex::Complex;

    /// A = D + skew part, well conditioned, complex; `hermitian` leaves the skew part out.
    fn matrix(n: usize, hermitian: bool, definite: bool) -> Vec<Complex<f64>> {
        let mut stream = Stream::new(5);
        let raw = stream.vector::<Complex<f64>>(n * n);
        let mut a = vec![Complex::new(0.0, 0.0); n * n];
        for i in 0..n {
            for j in 0..n {
                let off = if hermitian { (raw[i * n + j] + raw[j * n + i].conj()) * 0.05 } else { raw[i * n + j] * 0.1 };
                let sign = if !definite && i % 3 == 0 { -1.0 } else { 1.0 };
                a[i * n + j] = off + if i == j { Complex::new(sign * (1.5 + i as f64 / 5.0), 0.0) } else { Complex::new(0.0, 0.0) };
            }
        }
        a
    }

    #[test]
    fn every_method_solves_what_it_is_for() {
        let n = 30;
        let cases = [
            (LinearSolver::Cg, true, true),
            (LinearSolver::Minres, true, true),
            (LinearSolver::Minres, true, false),
            (LinearSolver::Gmres { restart: 12 }, false, true),
            (LinearSolver::Gmres { restart: 40 }, false, false),
            (LinearSolver::BiCgStab, false, true),
        ];
        for (solver, hermitian, definite) in cases {
            let a = matrix(n, hermitian, definite);
            let apply = |x: &[Complex<f64>]| Ok(crate::kernels::gemm::matmul(&a, x, n, n, 1));
            let jacobi = |x: &[Complex<f64>]| Ok((0..n).map(|i| x[i] / a[i * n + i].norm()).collect());
            let rhs = Stream::new(9).vector::<Complex<f64>>(n);
            let exact = crate::linalg::backend::solve(&a, n, &rhs, 1).unwrap();
            for precondition in [None, Some(&jacobi as &dyn Fn(&[Complex<f64>]) -> Result<Vec<Complex<f64>>>)] {
                let request =
                    Request { solver, apply: &apply, precondition, rhs: &rhs, guess: None, tolerance: 1e-13, max_iterations: 600 };
                let found = solve(&request).unwrap();
                assert!(found.converged, "{solver:?}: {}", found.residual);
                let error = norm(&difference(&found.x, &exact)) / norm(&exact);
                assert!(error < 1e-11, "{solver:?}, definite {definite}: {error:e} after {}", found.iterations);
            }
        }
    }

    #[test]
    fn minres_leaves_the_null_component_of_an_inconsistent_system() {
        let apply = |x: &[f64]| Ok(x.iter().enumerate().map(|(i, x)| i as f64 * x).collect());
        let rhs = vec![1.0; 20];
        let request = Request {
            solver: LinearSolver::Minres,
            apply: &apply,
            precondition: None,
            rhs: &rhs,
            guess: None,
            tolerance: 1e-12,
            max_iterations: 400,
        };
        let found = solve(&request).unwrap();
        assert!(!found.converged);
        assert!((found.r[0] - 1.0).abs() < 1e-6 && norm(&found.r[1..]) < 1e-5, "{:?}", found.r);
    }
}
