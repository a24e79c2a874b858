//! Solutions of equations as differentiable functions of their parameters: fixed points, roots, minima, and what other code solves.
//!
//! The derivative comes from the equation, not from the steps that solved it (implicit function theorem): memory does not grow with the number of
//! iterations, any solver will do, and the derivative is exact to the tolerance of the solution and of one linear solve. States and
//! parameters are variables or any structure of them, real and complex (a complex equation is differentiated as the real one it is, so
//! f need not be holomorphic). Derivatives of any order and in both modes.
//!
//! | to solve | call | methods |
//! |---|---|---|
//! | x = f(θ, x) | [`fixed_point`] | damped Picard, Anderson, Newton–Krylov |
//! | g(θ, x) = 0 | [`root`] | Newton, Newton–Krylov, Broyden |
//! | min over x of f(θ, x) | [`argmin`] | Newton–CG |
//! | g(θ, x) = 0 by code of your own | [`implicit_function`] | yours |

mod argmin;
mod iterate;
mod options;
mod rule;
mod state;

pub use argmin::{ArgminOptions, argmin};
pub use options::{AdjointOptions, FixedPointMethod, FixedPointOptions, ImplicitOptions, Report, RootMethod, RootOptions, Solution};

use crate::autodiff::{Returns, Tree, linearize};
use crate::error::{Error, Result};
use crate::linalg::iterative::DerivativeSolves;
use crate::linalg::iterative::leaves::Leaves;
use crate::linalg::iterative::norm;
use iterate::{End, Problem, Product, Scale, Tolerance};
use rule::{Implicit, Residual};
use state::{check, epsilon, excerpt, flatten, from_numbers, numbers, unflatten};
use std::cell::Cell;
use std::sync::{Arc, OnceLock};

/// The fixed point x = f(θ, x) that an iteration from x₀ reaches, as a differentiable function of θ.
///
/// `f(params, x)` returns what x is, in `Var` operations. The result does not depend on x₀ but for which fixed point is found. With
/// [`FixedPointMethod::Picard`] only an attracting one is; Anderson and Newton–Krylov find others too.
///
/// ```
/// use pullback::implicit::{FixedPointOptions, fixed_point};
/// use pullback::prelude::*;
/// // Kepler's equation E = M + e sin E, and how E moves with the eccentricity: dE/de = sin E/(1 − e cos E)
/// let anomaly = |e: &Var<f64>| {
///     let kepler = |(m, e): &(Var<f64>, Var<f64>), x: &Var<f64>| m + e * x.sin();
///     Ok::<_, Error>(fixed_point(kepler, &(Var::scalar(1.0), e.clone()), &Var::scalar(1.0), &FixedPointOptions::default())?.x)
/// };
/// let (x, d) = value_and_grad(anomaly, &0.3)?;
/// let x = x.item();
/// assert!((d - x.sin() / (1.0 - 0.3 * x.cos())).abs() < 1e-12);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// `Shape` if f returns another structure or shapes than x₀'s, `NonFinite` with the component if it returns a NaN, `Argument`;
/// `NoConvergence` with the last residual and iterate. Sweeps: `NoConvergence` where the adjoint solve fails, as it does where 1 − ∂f/∂x is
/// singular.
pub fn fixed_point<P, S, F, R>(f: F, params: &P, x0: &S, options: &FixedPointOptions) -> Result<Solution<S>>
where
    P: Tree,
    S: Tree,
    F: Fn(&P, &S) -> R + Send + Sync + 'static,
    R: Returns<Vars = S>,
{
    let f = erase(NAME_FIXED_POINT, f, params, x0);
    let g: Residual = Arc::new(move |theta, x| Ok(x.minus(&f(theta, x)?)));
    let o = options.clone();
    o.validate()?;
    let tolerance = Tolerance { absolute: o.absolute, relative: o.tolerance, scale: Scale::State };
    let method = o.method.clone();
    let iterate = move |p: &Problem<'_>| match method {
        FixedPointMethod::Picard { damping } => p.picard(damping),
        FixedPointMethod::Anderson { memory, damping } => p.anderson(memory, damping),
        FixedPointMethod::NewtonKrylov => p.newton(false),
    };
    let plan =
        Plan { operation: NAME_FIXED_POINT, tolerance, max_iterations: o.max_iterations, allow: o.allow_unconverged, advice: o.advice() };
    solve(plan, g, Box::new(iterate), params, x0, &o.adjoint)
}

/// The root g(θ, x) = 0 that an iteration from x₀ reaches, as a differentiable function of θ.
///
/// `g(params, x)` returns as many numbers as x has, in x's structure and shapes, in `Var` operations.
///
/// ```
/// use pullback::implicit::{RootOptions, root};
/// use pullback::prelude::*;
/// // the cube root, with its derivative a^(−2/3)/3
/// let cube_root = |a: &Var<f64>| Ok::<_, Error>(root(|a: &Var<f64>, x: &Var<f64>| x.powi(3) - a, a, &Var::scalar(1.0), &RootOptions::default())?.x);
/// let (x, d) = value_and_grad(cube_root, &8.0)?;
/// assert!((x.item() - 2.0).abs() < 1e-12 && (d - 1.0 / 12.0).abs() < 1e-12);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// As [`fixed_point`]; `Singular` if the Jacobian is at an iterate.
pub fn root<P, S, F, R>(g: F, params: &P, x0: &S, options: &RootOptions) -> Result<Solution<S>>
where
    P: Tree,
    S: Tree,
    F: Fn(&P, &S) -> R + Send + Sync + 'static,
    R: Returns<Vars = S>,
{
    let g = erase(NAME_ROOT, g, params, x0);
    let o = options.clone();
    o.validate()?;
    let tolerance = Tolerance { absolute: o.absolute, relative: o.tolerance, scale: Scale::Start };
    let method = o.method.clone();
    let iterate = move |p: &Problem<'_>| match method {
        RootMethod::Newton => p.newton(true),
        RootMethod::NewtonKrylov => p.newton(false),
        RootMethod::Broyden { memory } => p.broyden(memory),
    };
    let advice = "start closer to the root, or choose another method";
    let plan = Plan { operation: NAME_ROOT, tolerance, max_iterations: o.max_iterations, allow: o.allow_unconverged, advice };
    solve(plan, g, Box::new(iterate), params, x0, &o.adjoint)
}

/// A solution x of g(θ, x) = 0 that any code finds, as a differentiable function of θ.
///
/// `solver(params)` may call what it likes: it sees numbers and is not differentiated. `g(params, x)`, in `Var` operations, states what the
/// solution satisfies; it is checked.
///
/// ```
/// use pullback::implicit::{ImplicitOptions, implicit_function};
/// use pullback::prelude::*;
/// // the smallest root of a polynomial x² − p x + 1, by a formula that is not differentiated
/// let by_formula = |p: &Var<f64>| Var::scalar(0.5 * (p.item() - (p.item().powi(2) - 4.0).sqrt()));
/// let smallest = |p: &Var<f64>| {
///     let g = |p: &Var<f64>, x: &Var<f64>| x.square() - p * x + 1.0;
///     Ok::<_, Error>(implicit_function(by_formula, g, p, &ImplicitOptions::default())?.x)
/// };
/// let (x, d) = value_and_grad(smallest, &3.0)?;
/// let x = x.item();
/// assert!((d - x / (2.0 * x - 3.0)).abs() < 1e-12);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// Those of the solver; `Shape`, `NonFinite`; `NoConvergence` if ‖g‖ at the solution is above the tolerance. Sweeps as [`fixed_point`].
pub fn implicit_function<P, S, H, Q, F, R>(solver: H, g: F, params: &P, options: &ImplicitOptions) -> Result<Solution<S>>
where
    P: Tree,
    S: Tree,
    H: Fn(&P) -> Q + Send + Sync + 'static,
    Q: Returns<Vars = S>,
    F: Fn(&P, &S) -> R + Send + Sync + 'static,
    R: Returns<Vars = S>,
{
    options.validate()?;
    let constants = Leaves::of(params).stop_gradient().restore(params);
    // the structure of the state is known once the solver has run
    let first = solver(&constants).into_result()?;
    let g = erase(NAME_IMPLICIT, g, params, &first);
    let like = constants.clone();
    let found = Leaves::of(&first).stop_gradient();
    let known = std::sync::Mutex::new(Some(found.clone()));
    let (residual, tolerance) = (g.clone(), options.tolerance);
    let (report, report_out) = shared_report();
    let solver = move |theta: &Leaves| {
        let earlier = known.lock().ok().and_then(|mut x| x.take());
        let x = match earlier {
            Some(x) => x,
            None => Leaves::of(&solver(&theta.restore(&like)).into_result()?),
        };
        let r = norm(&check(NAME_IMPLICIT, &x, &residual(theta, &x)?, 1)?);
        if !(r <= tolerance) {
            return Err(Error::no_convergence(
                NAME_IMPLICIT,
                format!("the solver's result {} leaves a residual of {r:.3e}, {tolerance:.1e} is allowed", excerpt(&numbers(&x))),
            )
            .with_iterate(r, numbers(&x)));
        }
        let _ = report_out.set(Report { iterations: 0, evaluations: 1, residual: r, converged: true });
        Ok(x)
    };
    let (x, log) = attach(NAME_IMPLICIT, g, Box::new(solver), &Leaves::of(params), &options.adjoint)?;
    finish(&first, x, report, log)
}

const NAME_FIXED_POINT: &str = "fixed_point";
const NAME_ROOT: &str = "root";
const NAME_IMPLICIT: &str = "implicit_function";

type Solver = Box<dyn Fn(&Leaves) -> Result<Leaves> + Send + Sync>;
type Iterate = Box<dyn Fn(&Problem<'_>) -> Result<End> + Send + Sync>;

/// What the shells hand to the code that does not know their types.
struct Plan {
    operation: &'static str,
    tolerance: Tolerance,
    max_iterations: usize,
    allow: bool,
    advice: &'static str,
}

/// The user's function on lists of leaves; what it returns must have the structure of x.
fn erase<P, S, F, R>(operation: &'static str, f: F, params: &P, x0: &S) -> Residual
where
    P: Tree,
    S: Tree,
    F: Fn(&P, &S) -> R + Send + Sync + 'static,
    R: Returns<Vars = S>,
{
    let like_params = Leaves::of(params).stop_gradient().restore(params);
    let like_x = Leaves::of(x0).stop_gradient().restore(x0);
    Arc::new(move |theta, x| {
        let y = Leaves::of(&f(&theta.restore(&like_params), &x.restore(&like_x)).into_result()?);
        match x.misfit(&y) {
            None => Ok(y),
            Some(what) => Err(Error::shape(operation, format!("the function must return what the state is: it returned {what}"))),
        }
    })
}

fn solve<P: Tree, S: Tree>(plan: Plan, g: Residual, iterate: Iterate, params: &P, x0: &S, adjoint: &AdjointOptions) -> Result<Solution<S>> {
    let (x, report, log) = solve_leaves(plan, g, iterate, &Leaves::of(params), &Leaves::of(x0), adjoint)?;
    finish(x0, x, report, log)
}

fn shared_report() -> (Arc<OnceLock<Report>>, Arc<OnceLock<Report>>) {
    let report = Arc::new(OnceLock::new());
    (report.clone(), report)
}

fn finish<S: Tree>(like: &S, x: Leaves, report: Arc<OnceLock<Report>>, log: DerivativeSolves) -> Result<Solution<S>> {
    let report = report.get().expect("the solver ran").clone();
    Ok(Solution { x: x.restore(like), report, derivative_solves: log })
}

/// Makes a solver's result a function of θ.
fn attach(
    operation: &'static str,
    g: Residual,
    solver: Solver,
    theta: &Leaves,
    adjoint: &AdjointOptions,
) -> Result<(Leaves, DerivativeSolves)> {
    let log = DerivativeSolves::default();
    let x = crate::autodiff::apply(Implicit { g, solver, settings: adjoint.settings(operation), log: log.clone() }, theta)?;
    Ok((x, log))
}

fn solve_leaves(
    plan: Plan,
    g: Residual,
    iterate: Iterate,
    theta: &Leaves,
    x0: &Leaves,
    adjoint: &AdjointOptions,
) -> Result<(Leaves, Arc<OnceLock<Report>>, DerivativeSolves)> {
    let x0 = x0.stop_gradient();
    let eps = epsilon(&x0);
    let start = numbers(&x0);
    if let Some(i) = start.iter().position(|x| !x.is_finite()) {
        return Err(Error::non_finite(plan.operation, format!("the start has {} at {}", start[i], state::place(&x0, i))));
    }
    let (operation, like) = (plan.operation, x0);
    // no solution is known better than to a few ε of its type
    let tolerance = Tolerance { relative: plan.tolerance.relative.max(if eps > 1e-10 { 4.0 * eps } else { 0.0 }), ..plan.tolerance };
    let (report, report_out) = shared_report();
    let residual_of = g.clone();
    let solver = move |theta: &Leaves| {
        let evaluations = Cell::new(0);
        let residual = |v: &[f64]| {
            evaluations.set(evaluations.get() + 1);
            let value = residual_of(theta, &from_numbers(&like, v))?;
            let mut r = check(operation, &like, &value, evaluations.get())?;
            r.iter_mut().for_each(|r| *r = -*r);
            Ok(r)
        };
        let tangent = |v: &[f64]| -> Result<Product<'_>> {
            let x = from_numbers(&like, v);
            let (_, tangent) = linearize(|x: &Leaves| residual_of(theta, x), &x)?;
            let like = &like;
            Ok(Box::new(move |d| {
                let pushed = tangent.call(&unflatten(like, &crate::Var::from(d)))?;
                Ok(flatten(&pushed.negated()).as_slice().to_vec())
            }))
        };
        let (max_iterations, first) = (plan.max_iterations, Cell::new(0.0));
        let problem = Problem { operation, residual: &residual, tangent: &tangent, start: start.clone(), tolerance, max_iterations, first };
        let end = iterate(&problem)?;
        if !end.converged && !plan.allow {
            return Err(problem.refuse(&end, plan.advice));
        }
        let (iterations, residual, converged) = (end.iterations, end.residual, end.converged);
        let _ = report_out.set(Report { iterations, evaluations: evaluations.get(), residual, converged });
        Ok(from_numbers(&like, &end.x))
    };
    let (x, log) = attach(operation, g, Box::new(solver), theta, adjoint)?;
    Ok((x, report, log))
}
