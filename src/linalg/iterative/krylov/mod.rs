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
