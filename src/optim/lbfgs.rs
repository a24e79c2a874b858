//! L-BFGS: a quasi-Newton method that remembers the last m steps s_k and changes of the gradient y_k.
//!
//! The direction is −H∇f with the inverse Hessian H of the BFGS updates by (s_k, y_k) from H₀ = s·y/y·y, applied by the two-loop recursion
//! (Nocedal, Math. Comp. 35, 773 (1980); Liu and Nocedal, Math. Prog. 45, 503 (1989)). The step length satisfies the strong Wolfe
//! conditions, which keep s·y > 0 and H positive definite. The first step has length min(1, 1/|∇f|).

use super::line_search::{LineSearch, search};
use super::state::State;
use crate::error::{Error, Result};
use crate::flat::{self, Point};
use crate::{Argument, Loss, Real, Returns, value_and_grad};
use std::collections::VecDeque;

/// Options of [`Lbfgs`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LbfgsOptions {
    /// How many steps are remembered, at least 1.
    pub memory: usize,
    /// The search along each direction.
    pub line_search: LineSearch,
    /// [`Lbfgs::minimize`] ends where no entry of the gradient is larger.
    pub gradient_tolerance: f64,
    /// [`Lbfgs::minimize`] ends after a step that lowered f by no more than this times max(|f|, 1). At 0 it goes on to rounding.
    pub value_tolerance: f64,
    /// The largest number of iterations in one call of [`Lbfgs::minimize`].
    pub max_iterations: usize,
}

impl Default for LbfgsOptions {
    fn default() -> Self {
        LbfgsOptions {
            memory: 10,
            line_search: LineSearch::default(),
            gradient_tolerance: 1e-8,
            value_tolerance: 0.0,
            max_iterations: 1000,
        }
    }
}

/// Why a minimisation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// No entry of the gradient is above the tolerance.
    Gradient,
    /// The value no longer decreases by more than the tolerance.
    Value,
    /// The line search found no lower value: rounding, or a gradient that is not that of the loss.
    LineSearch,
    /// The number of iterations is used up.
    Iterations,
    /// The observer asked for it.
    Observer,
}

/// What one iteration did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The number of the iteration, from 1 on.
    pub iteration: usize,
    /// The loss after the step.
    pub value: f64,
    /// The largest entry of its gradient, by modulus.
    pub gradient: f64,
    /// The step length α; 0 if no lower value was found.
    pub length: f64,
    /// How many times the loss and its gradient were computed since the start.
    pub evaluations: usize,
}

/// The end of a minimisation.
#[derive(Clone, Debug, PartialEq)]
pub struct Minimum<A> {
    /// Where.
    pub x: A,
    /// The loss there.
    pub value: f64,
    /// The largest entry of the gradient there, by modulus.
    pub gradient: f64,
    /// Iterations of this call.
    pub iterations: usize,
    /// How many times the loss and its gradient were computed.
    pub evaluations: usize,
    /// Why it ended.
    pub stop: Stop,
}

/// The L-BFGS method, with what it remembers.
///
/// ```
/// use pullback::optim::{Lbfgs, Stop};
/// use pullback::prelude::*;
/// // Rosenbrock's valley; its minimum is at (1, 1)
/// let rosenbrock = |(x, y): &(Var<f64>, Var<f64>)| (1.0 - x).square() + 100.0 * (y - x.square()).square();
/// let minimum = Lbfgs::default().minimize(rosenbrock, &(-1.2, 1.0))?;
/// assert!(minimum.stop == Stop::Gradient && minimum.value < 1e-16);
/// assert!((minimum.x.0 - 1.0).abs() < 1e-7 && minimum.evaluations < 60);
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Lbfgs {
    options: LbfgsOptions,
    /// (s, y, 1/(s·y)), the oldest first.
    history: VecDeque<(Vec<f64>, Vec<f64>, f64)>,
    /// x, f(x), ∇f(x) of the last step.
    last: Option<(Vec<f64>, f64, Vec<f64>)>,
    iterations: usize,
    evaluations: usize,
}

impl Default for Lbfgs {
    fn default() -> Self {
        Lbfgs::new(LbfgsOptions::default())
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn largest(g: &[f64]) -> f64 {
    g.iter().fold(0.0, |m: f64, g| m.max(g.abs()))
}

/// A step length, the loss there and its gradient.
type Trial = (f64, f64, Vec<f64>);

/// f and ∇f on flat vectors: the gradient is written into the second argument.
type Evaluate<'a> = &'a mut dyn FnMut(&[f64], &mut [f64]) -> Result<f64>;

impl Lbfgs {
    /// With these options and nothing remembered.
    pub fn new(options: LbfgsOptions) -> Self {
        Lbfgs { options, history: VecDeque::new(), last: None, iterations: 0, evaluations: 0 }
    }

    /// One iteration: a direction, a line search, and `x` moved.
    ///
    /// The loss must be the same function at every call; the value and gradient at `x` are remembered from the last one.
    ///
    /// # Errors
    /// Those of the loss; a loss or gradient that is not finite at `x`; options out of range.
    pub fn step<A, F, R>(&mut self, mut loss: F, x: &mut A) -> Result<Step>
    where
        A: Argument,
        F: FnMut(&A::Vars) -> R,
        R: Returns,
        R::Vars: Loss,
    {
        let like = x.to_vars();
        let mut flat = flat::to_vec(&like);
        let step = self.iterate(&mut flat, &mut |at, g| evaluate(&mut loss, &like, at, g))?;
        *x = x.from_vars(flat::read(&like, &flat))?;
        Ok(step)
    }

    /// Iterates from `x` until one of the tolerances is met.
    ///
    /// # Errors
    /// As [`Lbfgs::step`].
    pub fn minimize<A, F, R>(&mut self, loss: F, x: &A) -> Result<Minimum<A>>
    where
        A: Argument,
        F: FnMut(&A::Vars) -> R,
        R: Returns,
        R::Vars: Loss,
    {
        self.minimize_with(loss, x, |_, _| true)
    }

    /// As [`Lbfgs::minimize`]; `observe` sees every step with the point reached, and ends the run by `false`.
    ///
    /// # Errors
    /// As [`Lbfgs::step`].
    pub fn minimize_with<A, F, R>(&mut self, mut loss: F, x: &A, mut observe: impl FnMut(&Step, &A::Vars) -> bool) -> Result<Minimum<A>>
    where
        A: Argument,
        F: FnMut(&A::Vars) -> R,
        R: Returns,
        R::Vars: Loss,
    {
        let like = x.to_vars();
        let mut flat = flat::to_vec(&like);
        let mut observe = |step: &Step, at: &[f64]| observe(step, &flat::read(&like, at));
        let (last, iterations, stop) = self.run(&mut flat, &mut |at, g| evaluate(&mut loss, &like, at, g), &mut observe)?;
        Ok(Minimum {
            x: x.from_vars(flat::read(&like, &flat))?,
            value: last.value,
            gradient: last.gradient,
            iterations,
            evaluations: last.evaluations,
            stop,
        })
    }

    fn run(&mut self, x: &mut [f64], f: Evaluate, observe: &mut dyn FnMut(&Step, &[f64]) -> bool) -> Result<(Step, usize, Stop)> {
        let mut before = self.start(x, f)?;
        for iteration in 0..self.options.max_iterations {
            if before.gradient <= self.options.gradient_tolerance {
                return Ok((before, iteration, Stop::Gradient));
            }
            let step = self.iterate(x, f)?;
            if step.length == 0.0 {
                return Ok((step, iteration, Stop::LineSearch));
            }
            let decrease = before.value - step.value;
            before = step;
            if !observe(&step, x) {
                return Ok((step, iteration + 1, Stop::Observer));
            }
            if step.gradient > self.options.gradient_tolerance && decrease <= self.options.value_tolerance * step.value.abs().max(1.0) {
                return Ok((step, iteration + 1, Stop::Value));
            }
        }
        let stop = if before.gradient <= self.options.gradient_tolerance { Stop::Gradient } else { Stop::Iterations };
        Ok((before, self.options.max_iterations, stop))
    }

    /// The value and gradient at x, computed unless they are those of the last step.
    fn start(&mut self, x: &[f64], f: Evaluate) -> Result<Step> {
        let o = &self.options;
        let ls = &o.line_search;
        if o.memory == 0 || !(ls.decrease > 0.0 && ls.decrease < ls.curvature && ls.curvature < 1.0) || ls.max_evaluations == 0 {
            return Err(Error::argument(
                "lbfgs",
                format!("needs memory ≥ 1, 0 < decrease < curvature < 1 and at least one evaluation a search, got {o:?}"),
            ));
        }
        if self.last.as_ref().is_none_or(|(at, _, _)| at != x) {
            if self.last.take().is_some() {
                // another place: what was learned of the curvature elsewhere is no guide
                self.history.clear();
            }
            let mut g = vec![0.0; x.len()];
            let value = f(x, &mut g)?;
            self.evaluations += 1;
            if !(value.is_finite() && g.iter().all(|g| g.is_finite())) {
                let what = if value.is_finite() { "gradient" } else { "loss" };
                return Err(Error::non_finite("lbfgs", format!("the {what} is not finite at the point that the search starts from")));
            }
            self.last = Some((x.to_vec(), value, g));
        }
        let (_, value, g) = self.last.as_ref().expect("just set");
        Ok(Step { iteration: self.iterations, value: *value, gradient: largest(g), length: 0.0, evaluations: self.evaluations })
    }

    fn direction(&self, g: &[f64]) -> Vec<f64> {
        let mut d: Vec<f64> = g.iter().map(|g| -g).collect();
        let mut alphas = Vec::with_capacity(self.history.len());
        for (s, y, rho) in self.history.iter().rev() {
            let alpha = rho * dot(s, &d);
            d.iter_mut().zip(y).for_each(|(d, y)| *d -= alpha * y);
            alphas.push(alpha);
        }
        if let Some((_, y, rho)) = self.history.back() {
            let scale = 1.0 / (rho * dot(y, y));
            d.iter_mut().for_each(|d| *d *= scale);
        }
        for ((s, y, rho), alpha) in self.history.iter().zip(alphas.into_iter().rev()) {
            let beta = rho * dot(y, &d);
            d.iter_mut().zip(s).for_each(|(d, s)| *d += (alpha - beta) * s);
        }
        d
    }

    fn iterate(&mut self, x: &mut [f64], f: Evaluate) -> Result<Step> {
        let before = self.start(x, f)?;
        if before.gradient == 0.0 {
            return Ok(before);
        }
        loop {
            let (_, value, g) = self.last.as_ref().expect("set by start");
            let mut d = self.direction(g);
            let mut slope = dot(&d, g);
            if !(slope < 0.0 && slope.is_finite()) {
                self.history.clear();
                d = g.iter().map(|g| -g).collect();
                slope = dot(&d, g);
            }
            let first = if self.history.is_empty() { (1.0 / slope.abs().sqrt()).min(1.0) } else { 1.0 };
            // a search ends on its lowest or its last trial
            let (mut at, mut gradient) = (vec![0.0; x.len()], vec![0.0; x.len()]);
            let (mut lowest, mut last): (Option<Trial>, Option<Trial>) = (None, None);
            let mut trials = 0;
            let length = search(&self.options.line_search, *value, slope, first, &mut |alpha| {
                at.iter_mut().zip(x.iter().zip(&d)).for_each(|(at, (x, d))| *at = x + alpha * d);
                let value = f(&at, &mut gradient)?;
                trials += 1;
                if let Some(last) = last.replace((alpha, value, gradient.clone()))
                    && lowest.as_ref().is_none_or(|lowest| last.1 < lowest.1)
                {
                    lowest = Some(last);
                }
                Ok((value, dot(&gradient, &d)))
            })?;
            self.evaluations += trials;
            if length == 0.0 && !self.history.is_empty() {
                // the model of the curvature may be at fault: once more along the gradient
                self.history.clear();
                continue;
            }
            self.iterations += 1;
            let here = Step { iteration: self.iterations, evaluations: self.evaluations, ..before };
            if length == 0.0 {
                return Ok(here);
            }
            at.iter_mut().zip(x.iter().zip(&d)).for_each(|(at, (x, d))| *at = x + length * d);
            let kept = [last, lowest].into_iter().flatten().find(|(alpha, _, _)| *alpha == length);
            let (value, g) = match kept {
                Some((_, value, g)) => (value, g),
                None => {
                    let value = f(&at, &mut gradient)?;
                    self.evaluations += 1;
                    (value, gradient)
                }
            };
            let (_, _, old) = self.last.take().expect("set by start");
            let s: Vec<f64> = at.iter().zip(x.iter()).map(|(a, b)| a - b).collect();
            let y: Vec<f64> = g.iter().zip(&old).map(|(a, b)| a - b).collect();
            let sy = dot(&s, &y);
            if sy > f64::EPSILON * dot(&y, &y).sqrt() * dot(&s, &s).sqrt() {
                if self.history.len() == self.options.memory {
                    self.history.pop_front();
                }
                self.history.push_back((s, y, 1.0 / sy));
            }
            x.copy_from_slice(&at);
            let gradient = largest(&g);
            self.last = Some((at, value, g));
            return Ok(Step { value, gradient, length, evaluations: self.evaluations, ..here });
        }
    }

    /// What the method remembers, to be saved.
    pub fn state(&self) -> State {
        let mut state = State::new("lbfgs");
        state.set_count("iterations", self.iterations as u64);
        state.set_count("evaluations", self.evaluations as u64);
        state.set_count("history", self.history.len() as u64);
        for (k, (s, y, rho)) in self.history.iter().enumerate() {
            state.set(&format!("s{k}"), s);
            state.set(&format!("y{k}"), y);
            state.set(&format!("rho{k}"), &[*rho]);
        }
        if let Some((x, value, g)) = &self.last {
            state.set("x", x);
            state.set("value", &[*value]);
            state.set("gradient", g);
        }
        state
    }

    /// Takes up a saved state; the run goes on as if it had not been interrupted, bit for bit.
    ///
    /// # Errors
    /// A state of another method, or an incomplete one.
    pub fn restore(&mut self, state: &State) -> Result<()> {
        state.expect("lbfgs")?;
        let history = (0..state.count("history")?)
            .map(|k| Ok((state.get(&format!("s{k}"))?, state.get(&format!("y{k}"))?, state.get(&format!("rho{k}"))?[0])))
            .collect::<Result<_>>()?;
        let last = if state.has("x") { Some((state.get("x")?, state.get("value")?[0], state.get("gradient")?)) } else { None };
        (self.iterations, self.evaluations) = (state.count("iterations")? as usize, state.count("evaluations")? as usize);
        (self.history, self.last) = (history, last);
        Ok(())
    }
}

fn evaluate<V, F, R>(loss: &mut F, like: &V, at: &[f64], gradient: &mut [f64]) -> Result<f64>
where
    V: crate::Tree,
    F: FnMut(&V) -> R,
    R: Returns,
    R::Vars: Loss,
{
    let (value, Point(g)) = value_and_grad(|v: &V| loss(v), &Point(flat::read(like, at)))?;
    flat::write(&g, gradient);
    Ok(value.as_var().item().to_f64())
}
