//! Nonlinear least squares: the Levenberg–Marquardt method for ½ Σ |r_i(x)|².
//!
//! Each step solves (JᵀJ + μ D²) δ = −Jᵀ r; at μ = 0 it is the Gauss–Newton step. D² holds the largest squares of the columns of J seen so
//! far, so the result does not depend on the units of the parameters (Moré, LNM 630, 105 (1978)). μ follows the ratio of the actual to the
//! predicted decrease (Nielsen, report IMM-REP-1999-05). J comes from Jacobian products: as a matrix and by least squares of (J; √μ D), or
//! not at all, with conjugate gradients on v ↦ Jᵀ(J v) + μ v.

use super::state::State;
use crate::error::{Error, Result};
use crate::flat::{self, Point};
use crate::linalg::lstsq;
use crate::{Argument, Linearized, Pullback, Returns, Tree, Var, linearize, vjp};

/// How the linear problem of a step is solved.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum LeastSquaresSolver {
    /// The Jacobian as a matrix, in as many Jacobian products as there are real parameters or residuals, whichever are fewer.
    #[default]
    Dense,
    /// Conjugate gradients on the normal equations, matrix-free, to this relative residual. D is the identity then.
    ConjugateGradient {
        /// |rest| / |Jᵀr| at which the iteration ends.
        tolerance: f64,
        /// The largest number of products with JᵀJ a step.
        max_iterations: usize,
    },
}

/// The Levenberg–Marquardt method, with its damping.
///
/// ```
/// use pullback::optim::LevenbergMarquardt;
/// use pullback::prelude::*;
/// // a decay a·exp(−k t), seen at five times
/// let t = Var::from([0.0, 1.0, 2.0, 3.0, 4.0]);
/// let seen = (&t * -0.7).exp() * 2.0;
/// let residual = |(a, k): &(Var<f64>, Var<f64>)| a * (-(k * &t)).exp() - &seen;
/// let fit = LevenbergMarquardt::default().minimize(residual, &(1.0, 0.1))?;
/// assert!((fit.x.0 - 2.0).abs() < 1e-8 && (fit.x.1 - 0.7).abs() < 1e-8 && fit.converged);
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct LevenbergMarquardt {
    /// The solver of the linear problem.
    pub solver: LeastSquaresSolver,
    /// μ at the start, relative to the largest square of a column of J. At 0 the steps are those of Gauss and Newton as long as they descend.
    pub initial_damping: f64,
    /// Converged where no entry of the gradient Jᵀr is larger.
    pub gradient_tolerance: f64,
    /// Converged where |δ| ≤ this · |x|.
    pub step_tolerance: f64,
    /// The largest number of steps tried in one call.
    pub max_iterations: usize,
    damping: Option<f64>,
    growth: f64,
    scale: Vec<f64>,
    iterations: u64,
}

impl Default for LevenbergMarquardt {
    fn default() -> Self {
        LevenbergMarquardt {
            solver: LeastSquaresSolver::Dense,
            initial_damping: 1e-3,
            gradient_tolerance: 1e-10,
            step_tolerance: 1e-12,
            max_iterations: 200,
            damping: None,
            growth: 2.0,
            scale: Vec::new(),
            iterations: 0,
        }
    }
}

/// The end of a least-squares fit.
#[derive(Clone, Debug, PartialEq)]
pub struct LeastSquares<A> {
    /// Where.
    pub x: A,
    /// ½ Σ |r|² there.
    pub value: f64,
    /// The largest entry of Jᵀr, by modulus.
    pub gradient: f64,
    /// How many steps were tried.
    pub iterations: usize,
    /// Whether one of the tolerances was met.
    pub converged: bool,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The residual at a point with its Jacobian, as products.
struct Linear<V: Tree, Y: Tree> {
    x: V,
    y: Y,
    tangent: Linearized<Point<V>, Y>,
    pull: Pullback<Point<V>, Y>,
}

/// What the method needs to know of the residual at a point.
trait Products {
    fn forward(&self, dx: &[f64]) -> Result<Vec<f64>>;
    fn transposed(&self, dy: &[f64]) -> Result<Vec<f64>>;
}

impl<V: Tree, Y: Tree> Products for Linear<V, Y> {
    fn forward(&self, dx: &[f64]) -> Result<Vec<f64>> {
        Ok(flat::to_vec(&self.tangent.call(&Point(flat::read(&self.x, dx)))?))
    }
    fn transposed(&self, dy: &[f64]) -> Result<Vec<f64>> {
        Ok(flat::to_vec(&self.pull.call(&flat::read(&self.y, dy))?.0))
    }
}

/// J, row-major, m × n.
fn dense(at: &dyn Products, m: usize, n: usize) -> Result<Vec<f64>> {
    let mut j = vec![0.0; m * n];
    if n <= m {
        let mut e = vec![0.0; n];
        for k in 0..n {
            e[k] = 1.0;
            at.forward(&e)?.into_iter().enumerate().for_each(|(i, d)| j[i * n + k] = d);
            e[k] = 0.0;
        }
    } else {
        let mut e = vec![0.0; m];
        for (i, row) in j.chunks_exact_mut(n).enumerate() {
            e[i] = 1.0;
            row.copy_from_slice(&at.transposed(&e)?);
            e[i] = 0.0;
        }
    }
    Ok(j)
}

/// δ of (JᵀJ + μ) δ = −g by conjugate gradients.
fn conjugate_gradient(at: &dyn Products, g: &[f64], mu: f64, tolerance: f64, max_iterations: usize) -> Result<Vec<f64>> {
    let mut delta = vec![0.0; g.len()];
    let mut rest: Vec<f64> = g.iter().map(|g| -g).collect();
    let mut direction = rest.clone();
    let (mut square, goal) = (dot(&rest, &rest), tolerance * tolerance * dot(g, g));
    for _ in 0..max_iterations {
        if square <= goal {
            break;
        }
        let mut image = at.transposed(&at.forward(&direction)?)?;
        image.iter_mut().zip(&direction).for_each(|(i, d)| *i += mu * d);
        let curvature = dot(&direction, &image);
        if !(curvature > 0.0) {
            break;
        }
        let alpha = square / curvature;
        delta.iter_mut().zip(&direction).for_each(|(x, d)| *x += alpha * d);
        rest.iter_mut().zip(&image).for_each(|(r, i)| *r -= alpha * i);
        let next = dot(&rest, &rest);
        direction.iter_mut().zip(&rest).for_each(|(d, r)| *d = r + next / square * *d);
        square = next;
    }
    Ok(delta)
}

impl LevenbergMarquardt {
    /// The Gauss–Newton method: no damping until a step fails to descend.
    pub fn gauss_newton() -> Self {
        LevenbergMarquardt { initial_damping: 0.0, ..Default::default() }
    }

    /// With another solver of the linear problem.
    pub fn solver(mut self, solver: LeastSquaresSolver) -> Self {
        self.solver = solver;
        self
    }

    /// With so many steps at most in one call.
    pub fn max_iterations(mut self, steps: usize) -> Self {
        self.max_iterations = steps;
        self
    }

    /// Minimises ½ Σ |r|² from `x` on; `residual` may return any structure of arrays, real or complex.
    ///
    /// # Errors
    /// Those of the residual; a residual or a Jacobian that is not finite; options out of range.
    pub fn minimize<A, F, R>(&mut self, mut residual: F, x: &A) -> Result<LeastSquares<A>>
    where
        A: Argument,
        F: FnMut(&A::Vars) -> R,
        R: Returns,
    {
        let like = x.to_vars();
        let mut at = flat::to_vec(&like);
        let mut model = |x: &[f64], products: bool| -> Result<(Vec<f64>, Option<Box<dyn Products>>)> {
            let vars = Point(flat::read(&like, x));
            if !products {
                return Ok((flat::to_vec(&residual(&vars.0).into_result()?), None));
            }
            let (y, pull) = vjp(|x: &A::Vars| residual(x), &vars)?;
            let (_, tangent) = linearize(|x: &A::Vars| residual(x), &vars)?;
            Ok((flat::to_vec(&y), Some(Box::new(Linear { x: vars.0, y, tangent, pull }))))
        };
        let (value, gradient, iterations, converged) = self.run(&mut at, &mut model)?;
        Ok(LeastSquares { x: x.from_vars(flat::read(&like, &at))?, value, gradient, iterations, converged })
    }

    fn run(&mut self, x: &mut [f64], model: Model) -> Result<(f64, f64, usize, bool)> {
        self.check()?;
        let n = x.len();
        let mut iterations = 0;
        let (mut r, mut products) = model(x, true)?;
        finite("residual", &r)?;
        loop {
            let at = products.take().expect("asked for");
            let value = 0.5 * dot(&r, &r);
            let g = at.transposed(&r)?;
            finite("Jacobian", &g)?;
            let largest = g.iter().fold(0.0f64, |m, g| m.max(g.abs()));
            if largest <= self.gradient_tolerance {
                return Ok((value, largest, iterations, true));
            }
            let jacobian = match self.solver {
                LeastSquaresSolver::Dense => Some(dense(at.as_ref(), r.len(), n)?),
                LeastSquaresSolver::ConjugateGradient { .. } => None,
            };
            self.rescale(jacobian.as_deref(), n);
            let mu = *self.damping.get_or_insert(self.initial_damping);
            let mut mu = mu;
            // steps from here until one descends
            loop {
                if iterations == self.max_iterations {
                    return Ok((value, largest, iterations, false));
                }
                (iterations, self.iterations) = (iterations + 1, self.iterations + 1);
                let delta = match (&jacobian, self.solver) {
                    (Some(j), _) => damped(j, &r, &self.scale, mu)?,
                    (None, LeastSquaresSolver::ConjugateGradient { tolerance, max_iterations }) => {
                        conjugate_gradient(at.as_ref(), &g, mu, tolerance, max_iterations)?
                    }
                    (None, LeastSquaresSolver::Dense) => unreachable!("the dense solver has its Jacobian"),
                };
                let trial: Vec<f64> = x.iter().zip(&delta).map(|(x, d)| x + d).collect();
                let small = dot(&delta, &delta).sqrt() <= self.step_tolerance * dot(x, x).sqrt();
                let new = model(&trial, false)?.0;
                let new_value = 0.5 * dot(&new, &new);
                let metric: f64 = delta.iter().zip(&self.scale).map(|(d, s)| d * d * s).sum();
                let predicted = 0.5 * (mu * metric - dot(&delta, &g));
                let ratio = (value - new_value) / predicted;
                if new_value < value && ratio > 0.0 {
                    x.copy_from_slice(&trial);
                    mu *= (1.0 - (2.0 * ratio - 1.0).powi(3)).max(1.0 / 3.0);
                    (self.damping, self.growth) = (Some(mu), 2.0);
                    (r, products) = model(x, true)?;
                    if small {
                        let g = products.as_ref().expect("asked for").transposed(&r)?;
                        return Ok((new_value, g.iter().fold(0.0f64, |m, g| m.max(g.abs())), iterations, true));
                    }
                    break;
                }
                if small {
                    return Ok((value, largest, iterations, true));
                }
                mu = if mu == 0.0 { 1e-3 } else { mu * self.growth };
                self.growth *= 2.0;
                self.damping = Some(mu);
                if !mu.is_finite() {
                    return Ok((value, largest, iterations, false));
                }
            }
        }
    }

    fn check(&self) -> Result<()> {
        let tolerances = [self.initial_damping, self.gradient_tolerance, self.step_tolerance];
        if tolerances.iter().all(|t| t.is_finite() && *t >= 0.0) {
            return Ok(());
        }
        let message = format!("the damping and the tolerances must be finite and not negative, got {tolerances:?}");
        Err(Error::argument("LevenbergMarquardt", message))
    }

    /// D²: the largest squared norms of the columns so far, 1 where a column has always been zero.
    fn rescale(&mut self, jacobian: Option<&[f64]>, n: usize) {
        if self.scale.len() != n {
            self.scale = vec![0.0; n];
        }
        match jacobian {
            Some(j) => {
                for (k, scale) in self.scale.iter_mut().enumerate() {
                    let square: f64 = j.iter().skip(k).step_by(n).map(|d| d * d).sum();
                    *scale = scale.max(square);
                    if *scale == 0.0 {
                        *scale = 1.0;
                    }
                }
            }
            None => self.scale.fill(1.0),
        }
    }

    /// The damping and its history, to be saved.
    pub fn state(&self) -> State {
        let mut state = State::new("levenberg_marquardt");
        state.set_count("iterations", self.iterations);
        state.set("scale", &self.scale);
        state.set("growth", &[self.growth]);
        if let Some(damping) = self.damping {
            state.set("damping", &[damping]);
        }
        state
    }

    /// Takes up a saved state; the run goes on as if it had not been interrupted, bit for bit.
    ///
    /// # Errors
    /// A state of another method, or an incomplete one.
    pub fn restore(&mut self, state: &State) -> Result<()> {
        state.expect("levenberg_marquardt")?;
        let damping = if state.has("damping") { Some(state.get("damping")?[0]) } else { None };
        let (scale, growth) = (state.get("scale")?, state.get("growth")?[0]);
        (self.iterations, self.scale, self.growth, self.damping) = (state.count("iterations")?, scale, growth, damping);
        Ok(())
    }
}

/// The residual at a point, and its Jacobian products if asked for.
type Model<'a> = &'a mut dyn FnMut(&[f64], bool) -> Result<(Vec<f64>, Option<Box<dyn Products>>)>;

fn finite(what: &str, x: &[f64]) -> Result<()> {
    match x.iter().position(|x| !x.is_finite()) {
        None => Ok(()),
        Some(i) => Err(Error::non_finite("LevenbergMarquardt", format!("the {what} is {} in entry {i}", x[i]))),
    }
}

/// δ that minimises |J δ + r|² + μ |D δ|².
fn damped(j: &[f64], r: &[f64], scale: &[f64], mu: f64) -> Result<Vec<f64>> {
    let (m, n) = (r.len(), scale.len());
    let extra = if mu > 0.0 { n } else { 0 };
    let (mut a, mut b) = (j.to_vec(), r.iter().map(|r| -r).collect::<Vec<_>>());
    a.resize((m + extra) * n, 0.0);
    b.resize(m + extra, 0.0);
    for k in 0..extra {
        a[(m + k) * n + k] = (mu * scale[k]).sqrt();
    }
    let (a, b) = (Var::from_shape_vec(&[m + extra, n], a)?, Var::from_shape_vec(&[m + extra, 1], b)?);
    Ok(lstsq(&a, &b, None)?.as_slice().to_vec())
}
