//! Linear systems A(p) x = b by Krylov methods, with the implicit derivative.
//!
//! ẋ = A⁻¹(ḃ − Ȧ x); b̄ = A⁻† x̄, p̄ = −(∂(A x)/∂p)† b̄: one more solve, with the adjoint operator, however many iterations the first one
//! took. The solve in the rule is this primitive again, so it can be differentiated to any order.

use super::krylov::{self, LinearSolver, Request};
use super::leaves::{Leaves, pull_needed};
use super::operator::{DynOperator, LinearOperator, check_hermitian, erased, numbers};
use super::vector::{norm, parts_of};
use crate::autodiff::{Primitive, Tree, Var, apply, jvp, vjp};
use crate::error::{Error, Result};
use crate::scalar::{Real, Scalar};
use std::sync::{Arc, Mutex};

/// An approximate inverse M ≈ A⁻¹, linear, as a closure on variables. It changes the number of iterations, never the solution, so
/// it takes part in no derivative.
#[derive(Clone)]
pub struct Preconditioner<T: Scalar>(Arc<dyn Fn(&Var<T>) -> Var<T> + Send + Sync>);

impl<T: Scalar> Preconditioner<T> {
    /// From a linear function. For [`cg`] and [`minres`] it must be Hermitian and positive definite; where a derivative needs M†, it is had
    /// by transposing the function.
    pub fn new(f: impl Fn(&Var<T>) -> Var<T> + Send + Sync + 'static) -> Self {
        Preconditioner(Arc::new(f))
    }

    /// Jacobi's: division by the diagonal (n,) of A, or by its moduli where the method needs a positive one.
    pub fn diagonal(diagonal: &Var<T>) -> Self {
        let inverse = diagonal.stop_gradient().reciprocal();
        Self::new(move |x| x * &inverse)
    }

    pub(crate) fn call(&self, x: &Var<T>) -> Var<T> {
        (self.0)(x)
    }

    fn run(&self, x: &[T], adjoint: bool) -> Result<Vec<T>> {
        let x = Var::from(x);
        if !adjoint {
            return numbers(self.call(&x));
        }
        let (_, pull) = vjp(|x: &Var<T>| self.call(x), &x.zeros_like())?;
        numbers(pull.call(&x)?)
    }
}

impl<T: Scalar> std::fmt::Debug for Preconditioner<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Preconditioner")
    }
}

/// Options of [`cg`], [`minres`], [`gmres`] and [`bicgstab`].
#[derive(Clone, Debug)]
pub struct SolveOptions<T: Scalar> {
    /// The bound on ‖b − A x‖/‖b‖, for the solve and for those of its derivatives. Default 1e-12 (1e-5 in single precision); a residual
    /// that is rounding of ‖A‖‖x‖ is accepted too.
    pub tolerance: f64,
    /// The most products with A. Default 10 n + 100.
    pub max_iterations: Option<usize>,
    /// An approximate inverse of A.
    pub preconditioner: Option<Preconditioner<T>>,
    /// Where the iteration starts. Default 0.
    pub guess: Option<Var<T>>,
    /// The vectors that [`gmres`] keeps. Default 50.
    pub restart: usize,
    /// Return what was reached, in the solution and in its derivatives, instead of an error; the report tells.
    pub allow_unconverged: bool,
}

impl<T: Scalar> Default for SolveOptions<T> {
    fn default() -> Self {
        SolveOptions {
            tolerance: default_tolerance::<T>(),
            max_iterations: None,
            preconditioner: None,
            guess: None,
            restart: 50,
            allow_unconverged: false,
        }
    }
}

pub(crate) fn default_tolerance<T: Scalar>() -> f64 {
    if T::Real::EPSILON.to_f64() > 1e-10 { 1e-5 } else { 1e-12 }
}

/// What one linear solve did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SolveReport {
    /// Products with the operator.
    pub iterations: usize,
    /// ‖b − A x‖/‖b‖, measured.
    pub residual: f64,
    /// Whether the tolerance was reached.
    pub converged: bool,
}

/// The solves that derivatives led to, in the order in which they happened: filled as sweeps run, shared between clones.
#[derive(Clone, Debug, Default)]
pub struct DerivativeSolves(Arc<Mutex<Vec<SolveReport>>>);

impl DerivativeSolves {
    /// What has happened so far.
    pub fn reports(&self) -> Vec<SolveReport> {
        self.0.lock().map(|list| list.clone()).unwrap_or_default()
    }

    /// Whether all of them reached their tolerance; true where there were none.
    pub fn converged(&self) -> bool {
        self.reports().iter().all(|r| r.converged)
    }

    pub(crate) fn push(&self, report: SolveReport) {
        if let Ok(mut list) = self.0.lock() {
            list.push(report);
        }
    }
}

/// The solution of a linear system with its report.
#[derive(Clone, Debug)]
pub struct Solved<T: Scalar> {
    /// The solution (n,).
    pub x: Var<T>,
    /// What the solve did.
    pub report: SolveReport,
    /// What the solves of its derivatives did, once they have run.
    pub derivative_solves: DerivativeSolves,
}

/// The settings of a solve inside a rule.
#[derive(Clone, Debug)]
pub(crate) struct Settings<T: Scalar> {
    pub(crate) operation: &'static str,
    pub(crate) solver: LinearSolver,
    pub(crate) tolerance: f64,
    pub(crate) max_iterations: Option<usize>,
    pub(crate) preconditioner: Option<Preconditioner<T>>,
    pub(crate) allow_unconverged: bool,
    /// The operator has a kernel where a spectrum is degenerate, and a right-hand side outside its range depends on a gauge.
    pub(crate) deflated: bool,
}

/// x = A(p)⁻¹ b, or A(p)⁻† b.
pub(crate) struct Solve<T: Scalar> {
    pub(crate) operator: DynOperator<T>,
    pub(crate) adjoint: bool,
    pub(crate) settings: Settings<T>,
    pub(crate) log: DerivativeSolves,
    pub(crate) guess: Option<Vec<T>>,
}

impl<T: Scalar> Solve<T> {
    fn with(&self, adjoint: bool) -> Self {
        let (operator, settings, log) = (self.operator.clone(), self.settings.clone(), self.log.clone());
        let adjoint = adjoint && !operator.hermitian();
        Solve { operator, adjoint, settings, log, guess: None }
    }

    fn product(&self, params: &Leaves, x: &Var<T>) -> Result<Var<T>> {
        if self.adjoint { self.operator.adjoint(params, x) } else { self.operator.apply(params, x) }
    }

    pub(crate) fn run(&self, params: &Leaves, b: &Var<T>) -> Result<(Var<T>, SolveReport)> {
        let s = &self.settings;
        let matvec = self.operator.at(params.clone(), self.adjoint)?;
        let apply = |x: &[T]| matvec(x);
        let run = |x: &[T]| s.preconditioner.as_ref().expect("asked for only if there is one").run(x, self.adjoint);
        let precondition: Option<&dyn Fn(&[T]) -> Result<Vec<T>>> = if s.preconditioner.is_some() { Some(&run) } else { None };
        let found = krylov::solve(&Request {
            solver: s.solver,
            apply: &apply,
            precondition,
            rhs: b.as_slice(),
            guess: self.guess.as_deref(),
            tolerance: s.tolerance,
            max_iterations: s.max_iterations.unwrap_or(10 * b.len() + 100),
        })?;
        let report = SolveReport { iterations: found.iterations, residual: found.residual, converged: found.converged };
        if !found.converged {
            if s.deflated && in_kernel(&apply, &found)? {
                return Err(Error::gauge_dependent(
                    s.operation,
                    format!(
                        "the right-hand side of the derivative has a part ({:.1e} of it) along an eigenvector of the same eigenvalue that is not among the pairs asked for: ask for the whole multiplet, and for a loss that does not depend on its basis",
                        found.residual
                    ),
                ));
            }
            if !s.allow_unconverged {
                self.log.push(report);
                return Err(Error::no_convergence(
                    s.operation,
                    format!(
                        "the linear solve by {:?} reached a relative residual of {:.1e} after {} products where {:.1e} was asked for, the iterate has norm {:.3e}: allow more iterations, give a preconditioner, choose another solver, or allow_unconverged",
                        s.solver,
                        found.residual,
                        found.iterations,
                        s.tolerance,
                        norm(&found.x)
                    ),
                )
                .with_iterate(found.residual, parts_of(&found.x)));
            }
        }
        Ok((Var::from(found.x), report))
    }
}

/// Whether the residual that is left is an eigenvector of eigenvalue zero.
fn in_kernel<T: Scalar>(apply: &dyn Fn(&[T]) -> Result<Vec<T>>, found: &krylov::Solution<T>) -> Result<bool> {
    Ok(norm(&apply(&found.r)?) <= 1e-6 * found.norm * norm(&found.r))
}

impl<T: Scalar> Primitive for Solve<T> {
    type Inputs = (Leaves, Var<T>);
    type Outputs = Var<T>;
    fn name(&self) -> &'static str {
        self.settings.operation
    }
    fn forward(&self, (params, b): &Self::Inputs) -> Result<Var<T>> {
        let (x, report) = self.run(params, b)?;
        self.log.push(report);
        Ok(x)
    }
    fn vjp(&self, (params, _): &Self::Inputs, x: &Var<T>, g: Option<Var<T>>, needs: &[bool]) -> Result<<Self::Inputs as Tree>::Partial> {
        let Some(g) = g else { return Ok((vec![None; params.len()], None)) };
        let b_bar = apply(self.with(!self.adjoint), &(params.clone(), g))?;
        let params_bar = pull_needed(|p| self.product(p, x), params, &needs[..params.len()], &-&b_bar)?;
        Ok((params_bar, Some(b_bar)))
    }
    fn jvp(&self, (params, _): &Self::Inputs, x: &Var<T>, (dp, db): &Self::Inputs) -> Result<Var<T>> {
        let (_, moved) = jvp(|p: &Leaves| self.product(p, x), params, dp)?;
        apply(self.with(self.adjoint), &(params.clone(), db - moved))
    }
}

fn validate<T: Scalar>(operation: &'static str, n: usize, b: &Var<T>, options: &SolveOptions<T>) -> Result<()> {
    if b.shape() != [n] {
        return Err(Error::shape(
            operation,
            format!("the operator is {n} × {n}, the right-hand side has shape {:?}: it must be ({n},)", b.shape()),
        ));
    }
    if let Some(x) = options.guess.as_ref().filter(|x| x.shape() != [n]) {
        return Err(Error::shape(operation, format!("the guess has shape {:?}: it must be ({n},)", x.shape())));
    }
    check_tolerance(operation, options.tolerance)?;
    if options.max_iterations == Some(0) || options.restart == 0 {
        return Err(Error::argument(operation, "max_iterations and restart must be at least 1"));
    }
    Ok(())
}

pub(crate) fn check_tolerance(operation: &'static str, tolerance: f64) -> Result<()> {
    if tolerance > 0.0 && tolerance < 1.0 {
        return Ok(());
    }
    Err(Error::argument(operation, format!("the tolerance is {tolerance}: it must lie between 0 and 1")))
}

fn linear_solve<T: Scalar>(
    operation: &'static str,
    solver: LinearSolver,
    (operator, params): (DynOperator<T>, Leaves),
    b: &Var<T>,
    options: &SolveOptions<T>,
) -> Result<Solved<T>> {
    let n = super::operator::square(operation, operator.as_ref())?;
    validate(operation, n, b, options)?;
    if matches!(solver, LinearSolver::Cg | LinearSolver::Minres) {
        let constants = params.stop_gradient();
        check_hermitian(operation, operator.as_ref(), &operator.at(constants, false)?)?;
    }
    let settings = Settings {
        operation,
        solver,
        tolerance: options.tolerance,
        max_iterations: options.max_iterations,
        preconditioner: options.preconditioner.clone(),
        allow_unconverged: options.allow_unconverged,
        deflated: false,
    };
    let log = DerivativeSolves::default();
    let guess = options.guess.as_ref().map(|x| x.as_slice().to_vec());
    let x = apply(Solve { operator, adjoint: false, settings, log: log.clone(), guess }, &(params, b.clone()))?;
    // the first entry is the solve itself
    let report = log
        .0
        .lock()
        .map(|mut list| list.remove(0))
        .map_err(|_| Error::derivative(operation, "a thread that solved with this operator panicked"))?;
    Ok(Solved { x, report, derivative_solves: log })
}

macro_rules! solvers {
    ($($(#[$doc:meta])* $name:ident, $solver:expr;)*) => { $(
        $(#[$doc])*
        ///
        /// # Errors
        /// `Shape`, `Argument`, `NonFinite`; `NoConvergence` with the residual that was reached. Sweeps return the same where the solve of
        /// a derivative does not converge.
        pub fn $name<T: Scalar, A: LinearOperator<T> + Clone>(a: &A, b: &Var<T>, options: &SolveOptions<T>) -> Result<Solved<T>> {
            let restart = options.restart;
            let solver: fn(usize) -> LinearSolver = $solver;
            linear_solve(stringify!($name), solver(restart), erased(a), b, options)
        }
    )* };
}
solvers! {
    /// The solution x (n,) of A x = b for a Hermitian positive definite operator by conjugate gradients; the bound on the error falls by
    /// (√κ − 1)/(√κ + 1) an iteration, κ the condition number. `Singular` if the operator proves not to be positive.
    ///
    /// ```
    /// use pullback::linalg::iterative::{Dense, SolveOptions, cg};
    /// use pullback::prelude::*;
    /// let a = ndarray::array![[4.0, 1.0], [1.0, 3.0]];
    /// let energy = |a: &Var<f64>| Ok::<_, Error>(cg(&Dense::hermitian(a)?, &Var::ones(&[2]), &SolveOptions::default())?.x.sum());
    /// let g = grad(energy, &a)?; // −x xᵀ with x = (2, 3)/11
    /// assert!((g[[0, 1]] + 6.0 / 121.0).abs() < 1e-12);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    cg, |_| LinearSolver::Cg;
    /// The solution x (n,) of A x = b for a Hermitian operator, which may be indefinite, by minimal residuals.
    minres, |_| LinearSolver::Minres;
    /// The solution x (n,) of A x = b for a general operator by GMRES, restarted after `options.restart` vectors.
    gmres, |restart| LinearSolver::Gmres { restart };
    /// The solution x (n,) of A x = b for a general operator by BiCGStab: two products an iteration, and memory for a few vectors only.
    bicgstab, |_| LinearSolver::BiCgStab;
}

/// Solves inside the rule of an eigenproblem or a fixed point: as a primitive, so that the rule can be differentiated again.
pub(crate) fn solve_inside<T: Scalar>(
    operator: DynOperator<T>,
    adjoint: bool,
    params: &Leaves,
    b: Var<T>,
    settings: &Settings<T>,
    log: &DerivativeSolves,
) -> Result<Var<T>> {
    apply(Solve { operator, adjoint, settings: settings.clone(), log: log.clone(), guess: None }, &(params.clone(), b))
}
