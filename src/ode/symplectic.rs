//! Splitting methods for separable Hamiltonians H = T(p) + V(q): drifts q += c h ∂T/∂p and kicks p −= d h ∂V/∂q in turn.
//!
//! A state's first half are positions, its second half momenta; a drift takes the first half of the field, a kick the second. Each is
//! undone exactly, since it depends only on what it does not change. Time flows with the drifts for kicks and with the kicks for drifts.

use super::options::Method;
use super::stepper::{Inner, StepGradient, StepTangent, Stepper};
use super::system::{Counted, System, axpy};
use crate::error::{Error, Result};

/// A drift or a kick of a step.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    pub(crate) kick: bool,
    pub(crate) weight: f64,
    /// Where in the step the other variable has got to.
    pub(crate) time: f64,
}

/// A composition of drifts and kicks.
pub(crate) struct Symplectic {
    parts: Vec<Part>,
    n: usize,
    f: Vec<f64>,
    pulled: Vec<f64>,
    mask: Vec<f64>,
}

/// The drifts and kicks of a step of a method, in order.
pub(crate) fn parts(method: Method) -> Vec<Part> {
    // w₁, w₀, w₁ with 2w₁³ + w₀³ = 0 and 2w₁ + w₀ = 1
    let cube_root = 2.0f64.cbrt();
    let (outer, middle) = (1.0 / (2.0 - cube_root), -cube_root / (2.0 - cube_root));
    let (first_kick, weights): (bool, &[f64]) = match method {
        Method::Leapfrog => (true, &[1.0]),
        Method::Yoshida4 => (true, &[outer, middle, outer]),
        _ => (false, &[outer, middle, outer]),
    };
    let mut parts: Vec<Part> = Vec::new();
    let (mut drifted, mut kicked) = (0.0, 0.0);
    for w in weights {
        for (kick, weight) in [(first_kick, 0.5 * w), (!first_kick, *w), (first_kick, 0.5 * w)] {
            match parts.last_mut() {
                // the half at the end of one and the half at the start of the next
                Some(last) if last.kick == kick => last.weight += weight,
                _ => parts.push(Part { kick, weight, time: if kick { drifted } else { kicked } }),
            }
            *(if kick { &mut kicked } else { &mut drifted }) += weight;
        }
    }
    parts
}

impl Symplectic {
    pub(crate) fn new(method: Method, n: usize) -> Self {
        Symplectic { parts: parts(method), n, f: vec![0.0; n], pulled: vec![0.0; n], mask: vec![0.0; n] }
    }

    fn changed(&self, part: Part) -> std::ops::Range<usize> {
        if part.kick { self.n / 2..self.n } else { 0..self.n / 2 }
    }

    fn apply(&mut self, system: &mut Counted, t: f64, h: f64, part: Part, sign: f64, y: &mut [f64]) -> Result<()> {
        system.field(t + part.time * h, y, &mut self.f)?;
        system.check(t + part.time * h, &self.f)?;
        let range = self.changed(part);
        axpy(sign * part.weight * h, &self.f[range.clone()], &mut y[range]);
        Ok(())
    }
}

/// Checks that the two halves of the field are those of a separable Hamiltonian: q̇ does not depend on q, ṗ not on p.
pub(crate) fn check_separable(system: &dyn System, t: f64, y: &[f64]) -> Result<()> {
    let n = y.len();
    if !n.is_multiple_of(2) {
        return Err(Error::argument(
            "odeint",
            format!("a symplectic method needs as many positions as momenta, the state has {n} real numbers"),
        ));
    }
    let half = n / 2;
    // directions without a pattern that a field could cancel
    let direction = |from: usize| -> Vec<f64> {
        (0..n).map(|i| if (from..from + half).contains(&i) { 0.5 + (0.754877666 * (i + 1) as f64).fract() } else { 0.0 }).collect()
    };
    let mut out = vec![0.0; n];
    for (from, what, dot) in [(0, "positions", "q̇"), (half, "momenta", "ṗ")] {
        system.jvp(t, y, 0.0, &direction(from), &[], &mut out)?;
        let scale = out.iter().fold(0.0f64, |m, x| m.max(x.abs()));
        let worst = (from..from + half).max_by(|&i, &j| out[i].abs().total_cmp(&out[j].abs())).unwrap_or(0);
        if half > 0 && out[worst].abs() > 1e-12 * scale.max(1e-300) {
            return Err(Error::argument(
                "odeint",
                format!(
                    "the field is not that of a separable Hamiltonian: {dot} (the first half of the state are positions, the second momenta) \
                     depends on the {what} at t = {t} in {}: use ImplicitMidpoint, or a Runge–Kutta method",
                    system.component(worst)
                ),
            ));
        }
    }
    Ok(())
}

impl Stepper for Symplectic {
    fn step(&mut self, system: &mut Counted, t: f64, h: f64, y: &mut [f64]) -> Result<()> {
        (0..self.parts.len()).try_for_each(|i| self.apply(system, t, h, self.parts[i], 1.0, y))
    }
    fn undo(&mut self, system: &mut Counted, t: f64, h: f64, y: &mut [f64]) -> Result<()> {
        (0..self.parts.len()).rev().try_for_each(|i| self.apply(system, t, h, self.parts[i], -1.0, y))
    }
    fn vjp(
        &mut self,
        system: &mut Counted,
        (t, h, y): (f64, f64, &[f64]),
        _: &[f64],
        lambda: &mut [f64],
        inner: &mut [Inner],
        gradient: &mut StepGradient,
    ) -> Result<()> {
        debug_assert!(inner.is_empty(), "fixed steps end at the requested times");
        let n = self.n;
        // the state before each part, and the field there
        let (mut before, mut forces) = (y.to_vec(), Vec::new());
        for i in 0..self.parts.len() {
            let mut next = before[i * n..].to_vec();
            self.apply(system, t, h, self.parts[i], 1.0, &mut next)?;
            before.extend(next);
            forces.extend_from_slice(&self.f);
        }
        for (i, &part) in self.parts.iter().enumerate().rev() {
            let range = self.changed(part);
            let at = &before[i * n..(i + 1) * n];
            gradient.h += part.weight * range.clone().map(|j| forces[i * n + j] * lambda[j]).sum::<f64>();
            self.mask.fill(0.0);
            axpy(part.weight * h, &lambda[range.clone()], &mut self.mask[range]);
            let slope = system.vjp(t + part.time * h, at, &self.mask, &mut self.pulled, gradient.params)?;
            gradient.t += slope;
            gradient.h += part.time * slope;
            axpy(1.0, &self.pulled, lambda);
        }
        Ok(())
    }
    fn jvp(
        &mut self,
        system: &mut Counted,
        (t, h): (f64, f64),
        y: &mut [f64],
        dy: &mut [Vec<f64>],
        tangents: &[StepTangent],
        _: &[(f64, Vec<f64>)],
        _: &mut dyn FnMut(usize, usize, &[f64]),
    ) -> Result<()> {
        for i in 0..self.parts.len() {
            let part = self.parts[i];
            let range = self.changed(part);
            let time = t + part.time * h;
            system.field(time, y, &mut self.f)?;
            for (dy, tangent) in dy.iter_mut().zip(tangents) {
                system.jvp(time, y, tangent.t + part.time * tangent.h, dy, tangent.params, &mut self.pulled)?;
                axpy(part.weight * h, &self.pulled[range.clone()], &mut dy[range.clone()]);
                axpy(part.weight * tangent.h, &self.f[range.clone()], &mut dy[range.clone()]);
            }
            axpy(part.weight * h, &self.f[range.clone()], &mut y[range]);
        }
        Ok(())
    }
}
