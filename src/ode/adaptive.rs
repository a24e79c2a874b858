//! Steps of a length that an error estimate chooses.
//!
//! The norm of the error is the root mean square of e_i / (atol + rtol max(|y_i|, |y₁_i|)); a step is accepted where it is at most 1. The
//! next length is h · 0.9 ε⁻ᵅ ε₋₁ᵝ with β = 0.2/k, α = 1/k − ¾β (the proportional–integral controller of Gustafsson as in Hairer and
//! Wanner, Solving ODEs II, §IV.2; k is one more than the order of the error estimate). The first length follows Hairer, Nørsett and
//! Wanner, Solving ODEs I, §II.4.

use super::coupled::Coupled;
use super::newton::Accuracy;
use super::runge_kutta::RungeKutta;
use super::stepper::Stepper as _;
use super::system::{Counted, Record, axpy, gather};
use super::tableau::{Estimate, Tableau};
use super::{dop853, options::Adjoint};
use crate::error::{Error, Result};

/// Tolerances and limits of an adaptive solve.
#[derive(Clone, Copy)]
pub(crate) struct Control {
    pub(crate) accuracy: Accuracy,
    pub(crate) first_step: Option<f64>,
    pub(crate) max_steps: usize,
}

enum Engine {
    Plain(RungeKutta),
    Pair(Coupled),
}

/// An adaptive solve, step by step.
pub(crate) struct Adaptive {
    engine: Engine,
    control: Control,
    n: usize,
    /// Where the last step ended, and the state there (with its twin, for the pair).
    pub(crate) t: f64,
    pub(crate) y: Vec<f64>,
    /// The last step.
    pub(crate) t_before: f64,
    pub(crate) h: f64,
    pub(crate) y_before: Vec<f64>,
    /// The length to try next, with its sign.
    pub(crate) next: f64,
    /// ln of the last accepted error.
    last_error: f64,
    tried: usize,
    span: f64,
    error: Vec<f64>,
    zeros: Vec<f64>,
    new: Vec<f64>,
    started: bool,
}

fn exponents(tableau: &Tableau) -> f64 {
    match &tableau.estimate {
        Some(Estimate::Weights { k, .. }) => *k,
        Some(Estimate::Eighth) => 8.0,
        None => unreachable!("checked with the options"),
    }
}

impl Adaptive {
    /// A solve from (t0, y0) in the direction of `end`.
    pub(crate) fn new(tableau: &'static Tableau, adjoint: Adjoint, control: Control, t0: f64, end: f64, y0: &[f64]) -> Self {
        let n = y0.len();
        let method = RungeKutta::new(tableau, n, control.accuracy);
        let engine = match adjoint {
            Adjoint::Reversible { coupling } => Engine::Pair(Coupled::new(tableau, coupling, n, control.accuracy)),
            _ => Engine::Plain(method),
        };
        let y = if matches!(engine, Engine::Pair(_)) { [y0, y0].concat() } else { y0.to_vec() };
        Adaptive {
            engine,
            control,
            n,
            t: t0,
            y_before: y.clone(),
            y,
            t_before: t0,
            h: 0.0,
            next: end - t0,
            last_error: 1e-4f64.ln(),
            tried: 0,
            span: (end - t0).abs(),
            error: vec![0.0; n],
            zeros: vec![0.0; n],
            new: vec![0.0; n],
            started: false,
        }
    }

    fn method(&mut self) -> &mut RungeKutta {
        match &mut self.engine {
            Engine::Plain(method) => method,
            Engine::Pair(pair) => &mut pair.method,
        }
    }

    /// The stages of the last step.
    pub(crate) fn stages(&self, count: usize) -> &[f64] {
        match &self.engine {
            Engine::Plain(method) => &method.k[..count * self.n],
            Engine::Pair(pair) => &pair.method.k[..count * self.n],
        }
    }

    /// From now on steps keep the pullbacks of their stages.
    pub(crate) fn record(&mut self, params: bool) {
        self.method().record(params);
    }

    /// What the stages of the last step kept.
    pub(crate) fn records(&self) -> &[Record] {
        match &self.engine {
            Engine::Plain(method) => method.records(),
            Engine::Pair(_) => &[],
        }
    }

    /// Evaluates the field at the start and chooses the first length.
    fn start(&mut self, system: &mut Counted) -> Result<()> {
        self.started = true;
        let (t, n, accuracy) = (self.t, self.n, self.control.accuracy);
        let y = self.y[..n].to_vec();
        let method = self.method();
        method.evaluate(system, 0, t, &y)?;
        system.check(t, &method.k[..n])?;
        let f = method.k[..n].to_vec();
        let order = method.tableau.order as f64;
        let direction = self.next.signum();
        if let Some(h) = self.control.first_step {
            self.next = direction * h.min(self.span);
            return Ok(());
        }
        let norm = |x: &[f64]| rms(x.iter().zip(&y).map(|(x, y)| x / (accuracy.atol + accuracy.rtol * y.abs())), n);
        let (d0, d1) = (norm(&y), norm(&f));
        let h0 = if d0 < 1e-5 || d1 < 1e-5 { 1e-6 } else { 0.01 * d0 / d1 }.min(self.span);
        let mut there = y.clone();
        axpy(direction * h0, &f, &mut there);
        system.field(t + direction * h0, &there, &mut self.new)?;
        let change: Vec<f64> = self.new.iter().zip(&f).map(|(a, b)| a - b).collect();
        let d2 = norm(&change) / h0;
        let steepest = d1.max(d2);
        let h1 = if !steepest.is_finite() {
            1e-3 * h0
        } else if steepest <= 1e-15 {
            (h0 * 1e-3).max(1e-6)
        } else {
            (0.01 / steepest).powf(1.0 / (order + 1.0))
        };
        self.next = direction * h1.min(100.0 * h0).min(self.span);
        Ok(())
    }

    /// One accepted step, not beyond `to`.
    pub(crate) fn advance(&mut self, system: &mut Counted, to: f64) -> Result<()> {
        if !self.started {
            self.start(system)?;
        } else if let Engine::Plain(method) = &mut self.engine {
            method.carry_over();
        }
        let (t, direction) = (self.t, self.next.signum());
        let k = exponents(self.method().tableau);
        let (beta, alpha) = (0.2 / k, 1.0 / k - 0.15 / k);
        let mut refused: Option<Error> = None;
        let mut may_grow = true;
        loop {
            let left = to - t;
            let planned = self.next;
            let ends = planned.abs() >= 0.99 * left.abs();
            let h = if ends { left } else { planned };
            let smallest = 16.0 * f64::EPSILON * t.abs().max(1e-6 * self.span);
            if h.abs() < smallest && !(ends && refused.is_none()) {
                return Err(refused.unwrap_or_else(|| self.underflow(t, h)));
            }
            self.tried += 1;
            if self.tried > self.control.max_steps {
                return Err(self.exhausted(t, to));
            }
            let error = self.attempt(system, t, h)?;
            match error {
                Some(error) if error <= 1.0 => {
                    let error = error.max(1e-10).ln();
                    let mut factor = (0.9 * (beta * self.last_error - alpha * error).exp()).clamp(0.2, 10.0);
                    if !may_grow {
                        factor = factor.min(1.0);
                    }
                    self.last_error = error.max(1e-4f64.ln());
                    // a step cut short by the end says nothing against the length that was planned
                    let next = h.abs() * factor;
                    self.next = direction * if ends && factor >= 1.0 { next.max(planned.abs()) } else { next };
                    return self.accept(system, t, h, if ends { to } else { t + h });
                }
                Some(error) => {
                    self.next = h * (0.9 * error.powf(-1.0 / k)).clamp(0.2, 0.9);
                    refused = None;
                }
                None => {
                    refused = self.fault(system, t, h);
                    self.next = 0.2 * h;
                }
            }
            may_grow = false;
            system.counts.rejected += 1;
        }
    }

    /// The stages and the end of a step, and its error norm; `None` if it cannot be had.
    fn attempt(&mut self, system: &mut Counted, t: f64, h: f64) -> Result<Option<f64>> {
        let n = self.n;
        let (accuracy, from) = (self.control.accuracy, matches!(self.engine, Engine::Plain(_)) as usize);
        // the pair's increment starts from its second half
        let start = if from == 1 { 0 } else { n };
        let method = match &mut self.engine {
            Engine::Plain(method) => method,
            Engine::Pair(pair) => &mut pair.method,
        };
        let table = method.tableau;
        let y = &self.y[start..start + n];
        if !method.compute(system, t, h, y, from, table.stages)? {
            return Ok(None);
        }
        method.end(h, y, &mut self.new);
        if !self.new.iter().all(|y| y.is_finite()) {
            return Ok(None);
        }
        if table.last == table.stages && from == 1 {
            method.evaluate(system, table.last, t + h, &self.new)?;
            if !method.k[table.last * n..(table.last + 1) * n].iter().all(|k| k.is_finite()) {
                return Ok(None);
            }
        } else if table.last == table.stages {
            // only the error estimate reads it
            let last = &mut method.k[table.last * n..(table.last + 1) * n];
            system.field(t + h, &self.new, last)?;
        }
        let scale = |i: usize, y: &[f64], new: &[f64]| accuracy.atol + accuracy.rtol * y[i].abs().max(new[i].abs());
        let mut weighted = |e: &[f64], filtered: bool| -> f64 {
            gather(e, &method.k, h, &self.zeros, &mut self.error);
            if filtered {
                method.filter(&mut self.error);
            }
            rms(self.error.iter().enumerate().map(|(i, e)| e / scale(i, y, &self.new)), n)
        };
        Ok(Some(match table.estimate.as_ref().expect("checked with the options") {
            // Shampine's filter keeps the estimate bounded on stiff components
            Estimate::Weights { e, .. } => weighted(e, table.is_implicit()),
            Estimate::Eighth => {
                let (fifth, third) = (weighted(&dop853::E5, false), weighted(&dop853::E3, false));
                if fifth == 0.0 { 0.0 } else { fifth * fifth / (fifth * fifth + 0.01 * third * third).sqrt() }
            }
        }))
    }

    fn accept(&mut self, system: &mut Counted, t: f64, h: f64, end: f64) -> Result<()> {
        system.counts.steps += 1;
        self.y_before.copy_from_slice(&self.y);
        match &mut self.engine {
            Engine::Plain(_) => self.y.copy_from_slice(&self.new),
            Engine::Pair(pair) => {
                pair.adopt(h);
                pair.finish(system, t, h, &mut self.y)?;
            }
        }
        (self.t_before, self.h, self.t) = (t, h, end);
        Ok(())
    }

    /// Computes the stages of the dense output of the last step.
    pub(crate) fn dense(&mut self, system: &mut Counted) -> Result<()> {
        let (t, h, n) = (self.t_before, self.h, self.n);
        let Engine::Plain(method) = &mut self.engine else { unreachable!("the pair ends its steps at the requested times") };
        let table = method.tableau;
        let from = table.stages.max(table.last + 1);
        method.compute(system, t, h, &self.y_before[..n], from, table.extended()).map(|_| ())
    }

    /// The solution within the last step, at t + σh.
    pub(crate) fn inner(&mut self, sigma: f64, out: &mut [f64]) {
        let Engine::Plain(method) = &mut self.engine else { unreachable!("the pair ends its steps at the requested times") };
        method.inner(self.h, sigma, &self.y_before[..self.n], out);
    }

    /// Why a step could not be made, if a field that is not finite is the reason.
    fn fault(&mut self, system: &mut Counted, t: f64, h: f64) -> Option<Error> {
        let n = self.n;
        let method = self.method();
        if method.tableau.is_implicit() {
            return method.fault();
        }
        let stages = method.tableau.stages + (method.tableau.last == method.tableau.stages) as usize;
        (0..stages).find_map(|i| system.check(t + method.tableau.c[i] * h, &method.k[i * n..(i + 1) * n]).err())
    }

    fn advice(&mut self) -> &'static str {
        if self.method().tableau.is_implicit() {
            "the solution may have a singularity there, or the tolerances are too tight"
        } else {
            "the problem is probably stiff: use Method::Esdirk4 (or the solution has a singularity there, or the tolerances are too tight)"
        }
    }

    #[cold]
    fn underflow(&mut self, t: f64, h: f64) -> Error {
        let advice = self.advice();
        Error::no_convergence("odeint", format!("the step size underflows at t = {t} (h = {:.1e}): {advice}", h.abs()))
    }

    #[cold]
    fn exhausted(&mut self, t: f64, to: f64) -> Error {
        let (max, advice) = (self.control.max_steps, self.advice());
        Error::no_convergence("odeint", format!("max_steps = {max} steps end at t = {t}, before {to}: {advice}"))
    }
}

fn rms(x: impl Iterator<Item = f64>, n: usize) -> f64 {
    (x.map(|x| x * x).sum::<f64>() / n as f64).sqrt()
}
