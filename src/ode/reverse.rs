//! Backward sweeps over the steps taken: from all kept states, from checkpoints, or undoing steps.

use super::options::{Adjoint, OdeOptions};
use super::revolve::{Action, schedule};
use super::solve::{Run, Taken};
use super::stepper::{Inner, StepGradient, Stepper, stepper};
use super::system::{Counted, Counts, System, axpy};
use super::{continuous, sensitivity};
use crate::error::Result;

/// Derivatives of a loss by what a solve depends on.
pub(crate) struct Gradient {
    pub(crate) y0: Vec<f64>,
    pub(crate) times: Vec<f64>,
    /// Empty if nobody asked for it.
    pub(crate) params: Vec<f64>,
    pub(crate) counts: Counts,
}

/// What a sweep starts from.
pub(crate) struct Sweep<'a> {
    pub(crate) system: &'a dyn System,
    pub(crate) times: &'a [f64],
    pub(crate) options: &'a OdeOptions,
    pub(crate) y0: &'a [f64],
    /// Cotangents of the states at the requested times, one after the other.
    pub(crate) cotangents: &'a [f64],
    /// Whether the parameters' derivative is asked for.
    pub(crate) params: bool,
    /// Whether the times' derivative is asked for.
    pub(crate) timed: bool,
}

impl Sweep<'_> {
    /// The cotangent of the i-th requested state.
    pub(crate) fn cotangent(&self, i: usize) -> &[f64] {
        let n = self.y0.len();
        &self.cotangents[i * n..(i + 1) * n]
    }

    pub(crate) fn zeros(&self) -> Vec<f64> {
        vec![0.0; if self.params { self.system.params() } else { 0 }]
    }
}

/// The derivative by the method that the options name.
pub(crate) fn reverse(sweep: &Sweep, run: &Run) -> Result<Gradient> {
    match sweep.options.adjoint {
        Adjoint::Discrete { checkpoints } => discrete(sweep, run, checkpoints),
        Adjoint::Reversible { .. } if sweep.options.method.is_symmetric() || !sweep.options.method.is_implicit() => undoing(sweep, run),
        Adjoint::Reversible { .. } => unreachable!("refused with the options"),
        Adjoint::Backward { reconstruction } => continuous::backward(sweep, run, reconstruction),
        Adjoint::Interpolated => continuous::interpolated(sweep, run),
        Adjoint::Forward => sensitivity::reverse(sweep, run),
    }
}

/// The cotangents on their way back.
struct Walk<'a, 'b> {
    sweep: &'a Sweep<'b>,
    stepper: Box<dyn Stepper>,
    lambda: Vec<f64>,
    times: Vec<f64>,
    params: Vec<f64>,
    system: Counted<'b>,
}

impl<'a, 'b> Walk<'a, 'b> {
    fn new(sweep: &'a Sweep<'b>) -> Self {
        let o = sweep.options;
        let stepper = stepper(o.method, o.adjoint, o.accuracy(), sweep.system);
        let lambda = vec![0.0; stepper.carried(sweep.y0.len())];
        let (times, params, system) = (vec![0.0; sweep.times.len()], sweep.zeros(), Counted::new(sweep.system));
        Walk { sweep, stepper, lambda, times, params, system }
    }

    /// Over one step, from its end to its start, where the state is y.
    fn pull(&mut self, taken: &Taken, y: &[f64], kept: &[f64]) -> Result<()> {
        let n = self.sweep.y0.len();
        if let Some(end) = taken.end {
            axpy(1.0, self.sweep.cotangent(end), &mut self.lambda[..n]);
        }
        let mut inner: Vec<Inner> = taken
            .inner
            .clone()
            .map(|i| Inner { sigma: (self.sweep.times[i] - taken.t) / taken.h, cotangent: self.sweep.cotangent(i), slope: 0.0 })
            .collect();
        let mut gradient = StepGradient { params: &mut self.params, timed: self.sweep.timed, t: 0.0, h: 0.0 };
        let at = (taken.t, taken.h, y);
        self.stepper.vjp(&mut self.system, at, kept, &mut self.lambda, &mut inner, &mut gradient)?;
        self.system.counts.steps += 1;
        if !self.sweep.timed {
            return Ok(());
        }
        let (mut t, mut h) = (gradient.t, gradient.h);
        for (i, value) in taken.inner.clone().zip(&inner) {
            // σ = (t_i − t)/h
            let slope = value.slope / taken.h;
            self.times[i] += slope;
            t -= slope;
            h -= value.sigma * slope;
        }
        // t = t_a + θ₀ (t_b − t_a), h = (θ₁ − θ₀)(t_b − t_a)
        let ((a, b), (from, to)) = (taken.anchors, taken.fractions);
        self.times[a] += t * (1.0 - from) - h * (to - from);
        self.times[b] += t * from + h * (to - from);
        Ok(())
    }

    fn finish(self) -> Gradient {
        let n = self.sweep.y0.len();
        // copies of the initial state that a method carries along are the same state
        let mut y0 = self.sweep.cotangent(0).to_vec();
        self.lambda.chunks_exact(n).for_each(|part| axpy(1.0, part, &mut y0));
        Gradient { y0, times: self.times, params: self.params, counts: self.system.counts }
    }
}

fn discrete(sweep: &Sweep, run: &Run, checkpoints: Option<usize>) -> Result<Gradient> {
    let steps = run.plan.len();
    let mut walk = Walk::new(sweep);
    if run.states.len() == steps {
        for k in (0..steps).rev() {
            let taken = run.plan.step(k, sweep.times);
            walk.stepper.replay(run.records.get(k).map_or(&[], Vec::as_slice));
            walk.pull(&taken, run.states.row(k), run.stages.row(k))?;
        }
        return Ok(walk.finish());
    }
    let mut slots = vec![(0, sweep.y0.to_vec())];
    schedule(steps, checkpoints.unwrap_or(usize::MAX), &mut |action| {
        let (to, keep) = match action {
            Action::Free => {
                slots.pop();
                return Ok(());
            }
            Action::Store { to } => (to, true),
            Action::Reverse { to } => (to, false),
        };
        let (from, y) = slots.last().expect("the first state stays");
        let mut y = y.clone();
        for k in *from..to {
            let taken = run.plan.step(k, sweep.times);
            walk.stepper.step(&mut walk.system, taken.t, taken.h, &mut y)?;
            walk.system.counts.steps += 1;
        }
        if keep {
            slots.push((to, y));
            return Ok(());
        }
        let taken = run.plan.step(to, sweep.times);
        walk.pull(&taken, &y, &[])
    })?;
    Ok(walk.finish())
}

fn undoing(sweep: &Sweep, run: &Run) -> Result<Gradient> {
    let mut walk = Walk::new(sweep);
    let mut y = run.last.clone();
    for k in (0..run.plan.len()).rev() {
        let taken = run.plan.step(k, sweep.times);
        walk.stepper.undo(&mut walk.system, taken.t, taken.h, &mut y)?;
        walk.pull(&taken, &y, &[])?;
    }
    Ok(walk.finish())
}
