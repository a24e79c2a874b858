//! Minima: min over x of f(θ, x), differentiated through ∂f/∂x = 0.
//!
//! Found by Newton's method with truncated conjugate gradients (Dembo & Steihaug, Math. Program. 26 (1983) 190; Nocedal & Wright, 2nd ed.,
//! §7.1): Hessian-vector products only, and a direction of negative curvature is followed downhill.

use super::iterate::{End, Problem, Scale, Tolerance};
use super::options::{AdjointOptions, Solution, check_iteration};
use super::rule::Residual;
use super::state::{epsilon, from_numbers};
use super::{Plan, solve};
use crate::autodiff::{Loss, Returns, Tree, Var, grad};
use crate::error::{Error, Result};
use crate::linalg::iterative::leaves::{Leaves, refuse_captured};
use crate::linalg::iterative::norm;
use std::sync::Arc;

/// Options of [`argmin`].
#[derive(Clone, Debug)]
pub struct ArgminOptions {
    /// The iteration ends when ‖∂f/∂x‖ ≤ absolute + tolerance · its value at x₀, or when a full step moves x by less than
    /// tolerance · ‖x‖. Default 1e-12.
    pub tolerance: f64,
    /// See `tolerance`. Default 1e-14.
    pub absolute: f64,
    /// Newton steps. Default 200.
    pub max_iterations: usize,
    /// Return the last iterate instead of an error; the report tells.
    pub allow_unconverged: bool,
    /// The linear solve of the derivative; its operator is the Hessian.
    pub adjoint: AdjointOptions,
}

impl Default for ArgminOptions {
    fn default() -> Self {
        ArgminOptions {
            tolerance: 1e-12,
            absolute: 1e-14,
            max_iterations: 200,
            allow_unconverged: false,
            adjoint: AdjointOptions::default(),
        }
    }
}

/// f(θ, x) as one number of double precision.
type Objective = Arc<dyn Fn(&Leaves, &Leaves) -> Result<Var<f64>> + Send + Sync>;

const NAME: &str = "argmin";

/// The minimum over x of f(θ, x) that a descent from x₀ reaches, as a differentiable function of θ.
///
/// ```
/// use pullback::implicit::{ArgminOptions, argmin};
/// use pullback::prelude::*;
/// // two charges on a line in a harmonic trap: x²/2 each and q/(distance) between them
/// let half_distance = |q: &Var<f64>| {
///     let energy = |q: &Var<f64>, x: &Var<f64>| x.square().sum() * 0.5 + q / (x.get(&[1]) - x.get(&[0])).abs();
///     let x = argmin(energy, q, &Var::from([-1.0, 1.0]), &ArgminOptions::default())?.x;
///     Ok::<_, Error>(x.get(&[1]))
/// };
/// let (x, d) = value_and_grad(half_distance, &2.0)?; // x³ = q/4
/// assert!((x.item() - 0.5f64.cbrt()).abs() < 1e-12);
/// assert!((d - 1.0 / (12.0 * x.item().powi(2))).abs() < 1e-10);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// As [`fixed_point`](super::fixed_point); `Derivative` if f is not one real number.
pub fn argmin<P, S, F, R>(f: F, params: &P, x0: &S, options: &ArgminOptions) -> Result<Solution<S>>
where
    P: Tree,
    S: Tree,
    F: Fn(&P, &S) -> R + Send + Sync + 'static,
    R: Returns,
    R::Vars: Loss,
{
    let o = options.clone();
    check_iteration(NAME, o.tolerance, o.absolute, o.max_iterations)?;
    o.adjoint.validate(NAME)?;
    let like_params = Leaves::of(params).stop_gradient().restore(params);
    let like_x = Leaves::of(x0).stop_gradient().restore(x0);
    let objective: Objective = Arc::new(move |theta, x| {
        let value = f(&theta.restore(&like_params), &x.restore(&like_x)).into_result()?;
        let value = value.as_var();
        if value.len() != 1 {
            return Err(Error::derivative(
                NAME,
                format!("the function must return one real number, it returned shape {:?}", value.shape()),
            ));
        }
        Ok(value.astype::<f64>().reshape(&[]))
    });
    let (g, iterate) = descent(objective, &Leaves::of(params).stop_gradient(), &Leaves::of(x0).stop_gradient());
    let tolerance = Tolerance { absolute: o.absolute, relative: o.tolerance, scale: Scale::Start };
    let advice = "the function may have no minimum near the start";
    let plan = Plan { operation: NAME, tolerance, max_iterations: o.max_iterations, allow: o.allow_unconverged, advice };
    solve(plan, g, iterate, params, x0, &o.adjoint)
}

/// The gradient as the equation to solve, and the descent that solves it.
fn descent(objective: Objective, theta: &Leaves, like: &Leaves) -> (Residual, super::Iterate) {
    let f = objective.clone();
    let gradient: Residual = Arc::new(move |theta, x| grad(|x: &Leaves| f(theta, x), x));
    let (theta, like) = (theta.clone(), like.clone());
    let iterate = move |problem: &Problem<'_>| {
        let value = |v: &[f64]| -> Result<f64> {
            let y = objective(&theta, &from_numbers(&like, v))?;
            if y.is_constant() { Ok(y.item()) } else { Err(refuse_captured(NAME)) }
        };
        newton_cg(problem, &value, epsilon(&like))
    };
    (gradient, Box::new(iterate))
}

fn newton_cg(problem: &Problem<'_>, value: &dyn Fn(&[f64]) -> Result<f64>, eps: f64) -> Result<End> {
    let (mut x, mut r, mut size) = problem.begin()?;
    let mut f = value(&x)?;
    for k in 0..problem.max_iterations {
        if problem.reached(&x, size) {
            return Ok(problem.end(x, size, k, ""));
        }
        let hessian = (problem.tangent)(&x)?;
        let forcing = (size / problem.first.get().max(f64::MIN_POSITIVE)).sqrt().min(0.5) * 1e-2;
        // r is minus the gradient, and its tangent minus the Hessian
        let (step, curved) = truncated_cg(&|v| Ok(hessian(v)?.iter().map(|h| -h).collect()), &r, forcing)?;
        if curved && problem.negligible(&x, &step) {
            return Ok(End { converged: true, ..problem.end(x, size, k, "") });
        }
        let slope = -r.iter().zip(&step).map(|(r, s)| r * s).sum::<f64>();
        let mut by = 1.0;
        let mut moved = None;
        for _ in 0..50 {
            let next: Vec<f64> = x.iter().zip(&step).map(|(x, s)| x + by * s).collect();
            let next_f = value(&next)?;
            // below rounding of f the gradient decides
            let lower = next_f <= f + 1e-4 * by * slope;
            let level = next_f <= f + 10.0 * eps * f.abs();
            if lower || level {
                match (problem.residual)(&next) {
                    Ok(next_r) => {
                        let next_size = norm(&next_r);
                        if lower || next_size < size {
                            moved = Some((next, next_r, next_size, next_f));
                            break;
                        }
                    }
                    Err(Error::NonFinite { .. }) => {}
                    Err(e) => return Err(e),
                }
            }
            by *= 0.5;
        }
        let Some(next) = moved else {
            return Ok(problem.end(x, size, k, "no step downhill lowers the function, stopped"));
        };
        (x, r, size, f) = next;
    }
    Ok(problem.end(x, size, problem.max_iterations, "the iteration limit was reached"))
}

/// p with H p ≈ b, and whether the curvature along all directions met was positive.
fn truncated_cg(hessian: &dyn Fn(&[f64]) -> Result<Vec<f64>>, b: &[f64], forcing: f64) -> Result<(Vec<f64>, bool)> {
    let inner = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let mut p = vec![0.0; b.len()];
    let mut r = b.to_vec();
    let mut d = r.clone();
    let mut rr = inner(&r, &r);
    let target = forcing * forcing * rr;
    for k in 0..2 * b.len() + 10 {
        let hd = hessian(&d)?;
        let curvature = inner(&d, &hd);
        if curvature <= 0.0 {
            return Ok((if k == 0 { b.to_vec() } else { p }, false));
        }
        let alpha = rr / curvature;
        p.iter_mut().zip(&d).for_each(|(p, d)| *p += alpha * d);
        r.iter_mut().zip(&hd).for_each(|(r, h)| *r -= alpha * h);
        let next = inner(&r, &r);
        if next <= target {
            break;
        }
        let beta = next / rr;
        d.iter_mut().zip(&r).for_each(|(d, r)| *d = r + beta * *d);
        rr = next;
    }
    Ok((p, true))
}
