//! Options and reports of the implicit functions.

use crate::error::{Error, Result};
use crate::linalg::iterative::solve::{Settings, check_tolerance};
use crate::linalg::iterative::{DerivativeSolves, LinearSolver};

/// The linear solve of the derivative: with the transposed Jacobian in reverse mode, with the Jacobian in forward mode, matrix-free.
#[derive(Clone, Debug)]
pub struct AdjointOptions {
    /// Default GMRES with 50 vectors. [`LinearSolver::Neumann`] is for attracting fixed points; [`LinearSolver::Cg`] and
    /// [`LinearSolver::Minres`] are for Jacobians that are symmetric, as those of [`argmin`](super::argmin) are.
    pub solver: LinearSolver,
    /// The bound on the relative residual. Default 1e-12.
    pub tolerance: f64,
    /// The most products with the Jacobian. Default 10 n + 100.
    pub max_iterations: Option<usize>,
    /// Go on with what was reached instead of an error; the report tells.
    pub allow_unconverged: bool,
}

impl Default for AdjointOptions {
    fn default() -> Self {
        AdjointOptions { solver: LinearSolver::Gmres { restart: 50 }, tolerance: 1e-12, max_iterations: None, allow_unconverged: false }
    }
}

impl AdjointOptions {
    pub(super) fn settings(&self, operation: &'static str) -> Settings<f64> {
        Settings {
            operation,
            solver: self.solver,
            tolerance: self.tolerance,
            max_iterations: self.max_iterations,
            preconditioner: None,
            allow_unconverged: self.allow_unconverged,
            deflated: false,
        }
    }

    pub(super) fn validate(&self, operation: &'static str) -> Result<()> {
        check_tolerance(operation, self.tolerance)?;
        if self.solver == (LinearSolver::Gmres { restart: 0 }) || self.max_iterations == Some(0) {
            return Err(Error::argument(operation, "the adjoint solve needs at least one vector and one iteration"));
        }
        Ok(())
    }
}

/// How [`fixed_point`](super::fixed_point) iterates.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FixedPointMethod {
    /// x ← x + damping · (f(x) − x); damping 1 is the plain iteration.
    Picard {
        /// The share of the new value, in (0, 2).
        damping: f64,
    },
    /// Anderson mixing: the combination of the last `memory` steps with the smallest residual (Walker & Ni 2011).
    Anderson {
        /// How many steps are remembered.
        memory: usize,
        /// The share of the new value, in (0, 2).
        damping: f64,
    },
    /// Newton's method on f(x) − x with steps by GMRES and a line search: also for fixed points that repel.
    NewtonKrylov,
}

/// Options of [`fixed_point`](super::fixed_point).
#[derive(Clone, Debug)]
pub struct FixedPointOptions {
    /// Default Anderson with 5 steps and no damping.
    pub method: FixedPointMethod,
    /// The iteration ends when ‖f(x) − x‖ ≤ absolute + tolerance · ‖x‖. Default 1e-13; in single precision not below 4 ε.
    pub tolerance: f64,
    /// See `tolerance`. Default 1e-14.
    pub absolute: f64,
    /// Default 1000.
    pub max_iterations: usize,
    /// Return the last iterate instead of an error; the report tells, and derivatives are those of a solution at that point.
    pub allow_unconverged: bool,
    /// The linear solve of the derivative.
    pub adjoint: AdjointOptions,
}

impl Default for FixedPointOptions {
    fn default() -> Self {
        FixedPointOptions {
            method: FixedPointMethod::Anderson { memory: 5, damping: 1.0 },
            tolerance: 1e-13,
            absolute: 1e-14,
            max_iterations: 1000,
            allow_unconverged: false,
            adjoint: AdjointOptions::default(),
        }
    }
}

pub(super) fn check_iteration(operation: &'static str, tolerance: f64, absolute: f64, max_iterations: usize) -> Result<()> {
    check_tolerance(operation, tolerance)?;
    if !(absolute >= 0.0) || !absolute.is_finite() {
        return Err(Error::argument(operation, format!("absolute is {absolute}: it must be zero or a positive number")));
    }
    if max_iterations == 0 {
        return Err(Error::argument(operation, "max_iterations must be at least 1"));
    }
    Ok(())
}

impl FixedPointOptions {
    pub(super) fn validate(&self) -> Result<()> {
        const NAME: &str = "fixed_point";
        check_iteration(NAME, self.tolerance, self.absolute, self.max_iterations)?;
        self.adjoint.validate(NAME)?;
        let damping = match self.method {
            FixedPointMethod::Picard { damping } | FixedPointMethod::Anderson { damping, .. } => damping,
            FixedPointMethod::NewtonKrylov => 1.0,
        };
        if !(damping > 0.0 && damping < 2.0) {
            return Err(Error::argument(NAME, format!("damping is {damping}: it must lie between 0 and 2")));
        }
        if matches!(self.method, FixedPointMethod::Anderson { memory: 0, .. }) {
            return Err(Error::argument(NAME, "Anderson mixing needs a memory of at least 1; without one it is Picard's iteration"));
        }
        Ok(())
    }

    pub(super) fn advice(&self) -> &'static str {
        match self.method {
            FixedPointMethod::Picard { .. } => "the fixed point may repel: use a smaller damping, Anderson or NewtonKrylov",
            FixedPointMethod::Anderson { .. } => "use a smaller damping or NewtonKrylov, or start closer",
            FixedPointMethod::NewtonKrylov => "there may be no fixed point near the start",
        }
    }
}

/// How [`root`](super::root) iterates; all with a line search on ‖g‖.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RootMethod {
    /// Newton's method; the Jacobian is formed and factorised for up to 64 numbers, beyond that steps come from GMRES.
    Newton,
    /// Newton's method with steps by GMRES, whatever the size.
    NewtonKrylov,
    /// Broyden's first ("good") method from the Jacobian at the start: one evaluation of g a step.
    Broyden {
        /// After so many updates it begins again with a new Jacobian.
        memory: usize,
    },
}

/// Options of [`root`](super::root).
#[derive(Clone, Debug)]
pub struct RootOptions {
    /// Default Newton.
    pub method: RootMethod,
    /// The iteration ends when ‖g(x)‖ ≤ absolute + tolerance · ‖g(x₀)‖, or when a full step moves x by less than tolerance · ‖x‖.
    /// Default 1e-13.
    pub tolerance: f64,
    /// See `tolerance`. Default 1e-14.
    pub absolute: f64,
    /// Default 100.
    pub max_iterations: usize,
    /// Return the last iterate instead of an error; the report tells.
    pub allow_unconverged: bool,
    /// The linear solve of the derivative.
    pub adjoint: AdjointOptions,
}

impl Default for RootOptions {
    fn default() -> Self {
        RootOptions {
            method: RootMethod::Newton,
            tolerance: 1e-13,
            absolute: 1e-14,
            max_iterations: 100,
            allow_unconverged: false,
            adjoint: AdjointOptions::default(),
        }
    }
}

impl RootOptions {
    pub(super) fn validate(&self) -> Result<()> {
        check_iteration("root", self.tolerance, self.absolute, self.max_iterations)?;
        if self.method == (RootMethod::Broyden { memory: 0 }) {
            return Err(Error::argument("root", "Broyden's method needs a memory of at least 1"));
        }
        self.adjoint.validate("root")
    }
}

/// Options of [`implicit_function`](super::implicit_function).
#[derive(Clone, Debug)]
pub struct ImplicitOptions {
    /// The bound on ‖g(θ, x)‖ at the solver's result. Default 1e-8.
    pub tolerance: f64,
    /// The linear solve of the derivative.
    pub adjoint: AdjointOptions,
}

impl Default for ImplicitOptions {
    fn default() -> Self {
        ImplicitOptions { tolerance: 1e-8, adjoint: AdjointOptions::default() }
    }
}

impl ImplicitOptions {
    pub(super) fn validate(&self) -> Result<()> {
        if !(self.tolerance > 0.0) {
            return Err(Error::argument("implicit_function", format!("the tolerance is {}: it must be positive", self.tolerance)));
        }
        self.adjoint.validate("implicit_function")
    }
}

/// What a solver did.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Steps taken.
    pub iterations: usize,
    /// Evaluations of the function.
    pub evaluations: usize,
    /// The norm of the last residual: f(x) − x, g(x) or the gradient.
    pub residual: f64,
    /// Whether the tolerance was reached.
    pub converged: bool,
}

/// A solution and how it was found.
#[derive(Clone, Debug)]
pub struct Solution<S> {
    /// The solution, a differentiable function of the parameters.
    pub x: S,
    /// What the solver did.
    pub report: Report,
    /// What the linear solves of derivatives did, once they have run: filled as sweeps run.
    pub derivative_solves: DerivativeSolves,
}
