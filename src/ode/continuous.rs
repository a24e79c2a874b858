//! The adjoint equation, integrated backwards: λ̇ = −(∂f/∂y)ᵀ λ, ġ = −(∂f/∂p)ᵀ λ from λ = g = 0 at the last time, with a jump of λ by the
//! cotangent at each requested time (Pontryagin et al. 1962; Cao, Li, Petzold, Serban, SIAM J. Sci. Comput. 24, 1076 (2003)). Then
//! ∂L/∂y₀ = λ(t₀), ∂L/∂p = g(t₀), ∂L/∂t_i = ȳ_i·f(t_i, y_i) and ∂L/∂t₀ = −λ(t₀)·f(t₀, y₀).
//!
//! y comes from integrating it backwards along with them, or from the stored steps and their dense output.

use super::adaptive::Adaptive;
use super::options::{Adjoint, Stepping};
use super::reverse::{Gradient, Sweep};
use super::solve::{Run, Taken};
use super::stepper::stepper;
use super::system::{Counted, Counts, System, axpy, dot, gather};
use super::tableau::Tableau;
use crate::error::{Error, Result};

/// (y, λ, g) with the field of y itself.
struct Augmented<'a> {
    system: &'a dyn System,
    params: usize,
}

impl System for Augmented<'_> {
    fn dim(&self) -> usize {
        2 * self.system.dim() + self.params
    }
    fn params(&self) -> usize {
        0
    }
    fn field(&self, t: f64, z: &[f64], out: &mut [f64]) -> Result<()> {
        let n = self.system.dim();
        let (value, rest) = out.split_at_mut(n);
        let (gy, gp) = rest.split_at_mut(n);
        gp.fill(0.0);
        self.system.vjp(t, &z[..n], &z[n..2 * n], Some(value), gy, gp)?;
        rest.iter_mut().for_each(|g| *g = -*g);
        Ok(())
    }
    fn vjp(&self, _: f64, _: &[f64], _: &[f64], _: Option<&mut [f64]>, _: &mut [f64], _: &mut [f64]) -> Result<f64> {
        unreachable!("an adjoint equation is not differentiated")
    }
    fn jvp(&self, _: f64, _: &[f64], _: f64, _: &[f64], _: &[f64], _: &mut [f64]) -> Result<()> {
        unreachable!("an adjoint equation is not differentiated")
    }
    fn coupled(&self) -> usize {
        2 * self.system.dim()
    }
    /// Without ∂(Jᵀλ)/∂y, which would be a second derivative: the rest is block diagonal, so the Newton iteration solves y first, then λ.
    fn jacobian(&self, t: f64, z: &[f64], out: &mut [f64]) -> Result<()> {
        let n = self.system.dim();
        let mut j = vec![0.0; n * n];
        self.system.jacobian(t, &z[..n], &mut j)?;
        out.fill(0.0);
        for a in 0..n {
            for b in 0..n {
                out[a * 2 * n + b] = j[a * n + b];
                out[(n + a) * 2 * n + n + b] = -j[b * n + a];
            }
        }
        Ok(())
    }
    fn component(&self, i: usize) -> String {
        let n = self.system.dim();
        match i / n {
            0 => format!("the reconstructed state, {}", self.system.component(i)),
            1 => format!("the cotangent of {}", self.system.component(i - n)),
            _ => format!("the derivative by real parameter {}", i - 2 * n),
        }
    }
}

/// (λ, g) along a stored trajectory.
struct Along<'a> {
    system: &'a dyn System,
    params: usize,
    trajectory: Trajectory<'a>,
}

struct Trajectory<'a> {
    tableau: &'static Tableau,
    steps: Vec<Taken>,
    run: &'a Run,
    direction: f64,
}

impl Trajectory<'_> {
    fn at(&self, t: f64, y: &mut [f64]) {
        let k = self.steps.partition_point(|s| (s.t - t) * self.direction <= 0.0).saturating_sub(1);
        let step = &self.steps[k];
        let mut weights = [0.0; 16];
        let weights = &mut weights[..self.tableau.extended()];
        self.tableau.weights((t - step.t) / step.h, weights);
        gather(weights, self.run.stages.row(k), step.h, self.run.states.row(k), y);
    }
}

impl System for Along<'_> {
    fn dim(&self) -> usize {
        self.system.dim() + self.params
    }
    fn params(&self) -> usize {
        0
    }
    fn field(&self, t: f64, z: &[f64], out: &mut [f64]) -> Result<()> {
        let n = self.system.dim();
        let mut y = vec![0.0; n];
        self.trajectory.at(t, &mut y);
        let (gy, gp) = out.split_at_mut(n);
        gp.fill(0.0);
        self.system.vjp(t, &y, &z[..n], None, gy, gp)?;
        out.iter_mut().for_each(|g| *g = -*g);
        Ok(())
    }
    fn vjp(&self, _: f64, _: &[f64], _: &[f64], _: Option<&mut [f64]>, _: &mut [f64], _: &mut [f64]) -> Result<f64> {
        unreachable!("an adjoint equation is not differentiated")
    }
    fn jvp(&self, _: f64, _: &[f64], _: f64, _: &[f64], _: &[f64], _: &mut [f64]) -> Result<()> {
        unreachable!("an adjoint equation is not differentiated")
    }
    fn coupled(&self) -> usize {
        self.system.dim()
    }
    fn jacobian(&self, t: f64, _: &[f64], out: &mut [f64]) -> Result<()> {
        let n = self.system.dim();
        let (mut y, mut j) = (vec![0.0; n], vec![0.0; n * n]);
        self.trajectory.at(t, &mut y);
        self.system.jacobian(t, &y, &mut j)?;
        for a in 0..n {
            (0..n).for_each(|b| out[a * n + b] = -j[b * n + a]);
        }
        Ok(())
    }
    fn component(&self, i: usize) -> String {
        let n = self.system.dim();
        if i < n { format!("the cotangent of {}", self.system.component(i)) } else { format!("the derivative by real parameter {}", i - n) }
    }
}

/// Integrates from one requested time back to the one before, by the method and the steps of the forward solve.
struct Backwards<'a> {
    sweep: &'a Sweep<'a>,
    next: Option<f64>,
    counts: Counts,
}

impl Backwards<'_> {
    fn integrate(&mut self, system: &dyn System, from: f64, to: f64, z: &mut [f64]) -> Result<()> {
        let options = self.sweep.options;
        let tableau = options.method.tableau().expect("checked with the options");
        let mut counted = Counted::new(system);
        let result = match (options.stepping, options.control()) {
            (Stepping::Fixed { step }, _) => {
                let count = ((to - from).abs() / step * (1.0 - 1e-12)).ceil().max(1.0);
                let mut stepper = stepper(options.method, Adjoint::default(), options.accuracy(), system);
                let h = (to - from) / count;
                counted.counts.steps += count as usize;
                (0..count as usize).try_for_each(|k| stepper.step(&mut counted, from + k as f64 * h, h, z))
            }
            (_, Some(mut control)) => {
                control.first_step = self.next.or(control.first_step);
                let mut solve = Adaptive::new(tableau, Adjoint::default(), control, from, to, z);
                let mut run = || -> Result<()> {
                    while solve.t != to {
                        solve.advance(&mut counted, to)?;
                    }
                    Ok(())
                };
                let result = run();
                self.next = Some(solve.next.abs()).filter(|h| *h > 0.0);
                z.copy_from_slice(&solve.y);
                result
            }
            (Stepping::Adaptive { .. }, None) => unreachable!("adaptive steps have a control"),
        };
        let c = counted.counts;
        self.counts.steps += c.steps;
        self.counts.rejected += c.rejected;
        self.counts.products += c.evaluations;
        self.counts.jacobians += c.jacobians;
        result.map_err(|e| {
            Error::no_convergence(
                "odeint",
                format!("the adjoint equation, integrated from t = {from} back to {to}, failed ({e}); use Adjoint::Discrete, or Interpolated for stiff problems"),
            )
        })
    }

    /// ȳ·f at a requested time.
    fn slope(&mut self, i: usize, y: &[f64], covector: &[f64]) -> Result<f64> {
        let mut f = vec![0.0; y.len()];
        self.counts.evaluations += 1;
        self.sweep.system.field(self.sweep.times[i], y, &mut f)?;
        Ok(dot(&f, covector))
    }
}

pub(crate) fn backward(sweep: &Sweep, run: &Run, reconstruction: f64) -> Result<Gradient> {
    let (n, gp, times) = (sweep.y0.len(), sweep.zeros(), sweep.times);
    let system = Augmented { system: sweep.system, params: gp.len() };
    let mut back = Backwards { sweep, next: None, counts: Counts::default() };
    let mut gt = vec![0.0; times.len()];
    let mut z = vec![0.0; 2 * n + gp.len()];
    let accuracy = match sweep.options.stepping {
        Stepping::Adaptive { .. } => sweep.options.accuracy(),
        Stepping::Fixed { .. } => super::newton::Accuracy { rtol: 1e-7, atol: 1e-9 },
    };
    for i in (1..times.len()).rev() {
        let state = &run.outputs[i * n..(i + 1) * n];
        gt[i] = back.slope(i, state, sweep.cotangent(i))?;
        z[..n].copy_from_slice(state);
        axpy(1.0, sweep.cotangent(i), &mut z[n..2 * n]);
        back.integrate(&system, times[i], times[i - 1], &mut z)?;
        let truth = &run.outputs[(i - 1) * n..i * n];
        let off = |j: usize| (z[j] - truth[j]).abs() / (accuracy.atol + accuracy.rtol * truth[j].abs());
        let worst = (0..n).max_by(|&a, &b| off(a).total_cmp(&off(b))).expect("not empty");
        if !(off(worst) <= reconstruction) {
            return Err(Error::no_convergence(
                "odeint",
                format!(
                    "the state integrated backwards from t = {} misses the forward solution at t = {} by {:.1e} ({:.1e} tolerances, {} allowed) in {}, \
                     so the adjoint is not to be trusted: use Adjoint::Discrete, or Interpolated for stiff problems",
                    times[i],
                    times[i - 1],
                    (z[worst] - truth[worst]).abs(),
                    off(worst),
                    reconstruction,
                    sweep.system.component(worst)
                ),
            ));
        }
    }
    let lambda = &z[n..2 * n];
    gt[0] = -back.slope(0, sweep.y0, lambda)?;
    let mut y0 = lambda.to_vec();
    axpy(1.0, sweep.cotangent(0), &mut y0);
    Ok(Gradient { y0, times: gt, params: z[2 * n..].to_vec(), counts: back.counts })
}

pub(crate) fn interpolated(sweep: &Sweep, run: &Run) -> Result<Gradient> {
    let (n, gp, times) = (sweep.y0.len(), sweep.zeros(), sweep.times);
    let steps = (0..run.plan.len()).map(|k| run.plan.step(k, times)).collect();
    let tableau = sweep.options.method.tableau().expect("checked with the options");
    let direction = (times[times.len() - 1] - times[0]).signum();
    let trajectory = Trajectory { tableau, steps, run, direction };
    let system = Along { system: sweep.system, params: gp.len(), trajectory };
    let mut back = Backwards { sweep, next: None, counts: Counts::default() };
    let mut gt = vec![0.0; times.len()];
    let mut z = vec![0.0; n + gp.len()];
    for i in (1..times.len()).rev() {
        gt[i] = back.slope(i, &run.outputs[i * n..(i + 1) * n], sweep.cotangent(i))?;
        axpy(1.0, sweep.cotangent(i), &mut z[..n]);
        back.integrate(&system, times[i], times[i - 1], &mut z)?;
    }
    gt[0] = -back.slope(0, sweep.y0, &z[..n])?;
    let mut y0 = z[..n].to_vec();
    axpy(1.0, sweep.cotangent(0), &mut y0);
    Ok(Gradient { y0, times: gt, params: z[n..].to_vec(), counts: back.counts })
}
