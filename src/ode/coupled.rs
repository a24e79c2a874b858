//! Any explicit Runge–Kutta method as a reversible one: McCallum and Foster, "Efficient, accurate and stable gradients for neural ODEs",
//! arXiv:2410.11648.
//!
//! Two copies of the state, with the increments Ψ_h(t, y) = h Σ b_i k_i of the method:
//! y′ = κ y + (1−κ) z + Ψ_h(t, z), z′ = z − Ψ_{−h}(t + h, y′). It is undone by z = z′ + Ψ_{−h}(t + h, y′) and
//! y = (y′ − (1−κ) z − Ψ_h(t, z))/κ, in algebra; so in floating-point numbers up to rounding. The order is that of the method.

use super::newton::Accuracy;
use super::runge_kutta::RungeKutta;
use super::stepper::{Inner, StepGradient, StepTangent, Stepper};
use super::system::{Counted, axpy};
use super::tableau::Tableau;
use crate::error::Result;

/// The pair, with its method.
pub(crate) struct Coupled {
    pub(crate) method: RungeKutta,
    kappa: f64,
    n: usize,
    psi: Vec<f64>,
}

impl Coupled {
    pub(crate) fn new(tableau: &'static Tableau, kappa: f64, n: usize, accuracy: Accuracy) -> Self {
        Coupled { method: RungeKutta::new(tableau, n, accuracy), kappa, n, psi: vec![0.0; n] }
    }

    /// Ψ_h(t, x) into `self.psi`; the stages stay in the method.
    fn increment(&mut self, system: &mut Counted, t: f64, h: f64, x: &[f64]) -> Result<()> {
        self.method.compute(system, t, h, x, 0, self.method.tableau.stages)?;
        self.psi.fill(0.0);
        self.method.increment(h, &mut self.psi);
        Ok(())
    }

    /// The step after Ψ_h(t, z) is in `self.psi`.
    pub(crate) fn finish(&mut self, system: &mut Counted, t: f64, h: f64, state: &mut [f64]) -> Result<()> {
        let (y, z) = state.split_at_mut(self.n);
        for ((y, z), psi) in y.iter_mut().zip(z.iter()).zip(&self.psi) {
            *y = self.kappa * *y + (1.0 - self.kappa) * z + psi;
        }
        self.increment(system, t + h, -h, y)?;
        axpy(-1.0, &self.psi, z);
        Ok(())
    }

    /// Takes the increment from stages that are in the method already.
    pub(crate) fn adopt(&mut self, h: f64) {
        self.psi.fill(0.0);
        self.method.increment(h, &mut self.psi);
    }
}

impl Stepper for Coupled {
    fn carried(&self, n: usize) -> usize {
        2 * n
    }
    fn step(&mut self, system: &mut Counted, t: f64, h: f64, state: &mut [f64]) -> Result<()> {
        let z = state[self.n..].to_vec();
        self.increment(system, t, h, &z)?;
        self.method.check(system, t, h, &self.psi)?;
        self.finish(system, t, h, state)
    }
    fn undo(&mut self, system: &mut Counted, t: f64, h: f64, state: &mut [f64]) -> Result<()> {
        let (y, z) = state.split_at_mut(self.n);
        self.increment(system, t + h, -h, y)?;
        axpy(1.0, &self.psi, z);
        self.increment(system, t, h, z)?;
        for ((y, z), psi) in y.iter_mut().zip(z.iter()).zip(&self.psi) {
            *y = (*y - (1.0 - self.kappa) * z - psi) / self.kappa;
        }
        Ok(())
    }
    fn vjp(
        &mut self,
        system: &mut Counted,
        (t, h, state): (f64, f64, &[f64]),
        _: &[f64],
        lambda: &mut [f64],
        inner: &mut [Inner],
        gradient: &mut StepGradient,
    ) -> Result<()> {
        debug_assert!(inner.is_empty(), "the pair has no dense output");
        let n = self.n;
        let mut next = state[..n].to_vec();
        let z = &state[n..];
        self.increment(system, t, h, z)?;
        next.iter_mut().zip(z).zip(&self.psi).for_each(|((y, z), psi)| *y = self.kappa * *y + (1.0 - self.kappa) * z + psi);
        let stages = self.method.k[..self.method.tableau.stages * n].to_vec();
        let (ybar, zbar) = lambda.split_at_mut(n);
        // z′ = z − Ψ_{−h}(t + h, y′)
        let back: Vec<f64> = zbar.iter().map(|z| -z).collect();
        let mut inverse = StepGradient { params: &mut *gradient.params, timed: gradient.timed, t: 0.0, h: 0.0 };
        self.method.increment_vjp(system, (t + h, -h, &next), &[], (&back, ybar), &mut [], &mut inverse)?;
        let (dt, dh) = (inverse.t, inverse.h);
        gradient.t += dt;
        gradient.h += dt - dh;
        // y′ = κ y + (1−κ) z + Ψ_h(t, z)
        axpy(1.0 - self.kappa, ybar, zbar);
        self.method.increment_vjp(system, (t, h, z), &stages, (ybar, zbar), &mut [], gradient)?;
        ybar.iter_mut().for_each(|y| *y *= self.kappa);
        Ok(())
    }
    fn jvp(
        &mut self,
        system: &mut Counted,
        (t, h): (f64, f64),
        state: &mut [f64],
        dy: &mut [Vec<f64>],
        tangents: &[StepTangent],
        _: &[(f64, Vec<f64>)],
        _: &mut dyn FnMut(usize, usize, &[f64]),
    ) -> Result<()> {
        let n = self.n;
        let part = |from: usize, dy: &[Vec<f64>]| -> Vec<Vec<f64>> { dy.iter().map(|d| d[from..from + n].to_vec()).collect() };
        let z = state[n..].to_vec();
        self.increment(system, t, h, &z)?;
        let dz = part(n, dy);
        let mut change = vec![vec![0.0; n]; dy.len()];
        self.method.increment_jvp(system, (t, h, &z), (&dz, &mut change), tangents, &[], &mut |_, _, _| {})?;
        for ((dy, dz), change) in dy.iter_mut().zip(&dz).zip(&change) {
            for i in 0..n {
                dy[i] = self.kappa * dy[i] + (1.0 - self.kappa) * dz[i] + change[i];
            }
        }
        self.adopt(h);
        self.finish(system, t, h, state)?;
        let back: Vec<_> = tangents.iter().map(|s| StepTangent { params: s.params, t: s.t + s.h, h: -s.h }).collect();
        let ends = part(0, dy);
        let mut change = vec![vec![0.0; n]; dy.len()];
        let end = state[..n].to_vec();
        self.method.increment_jvp(system, (t + h, -h, &end), (&ends, &mut change), &back, &[], &mut |_, _, _| {})?;
        dy.iter_mut().zip(&change).for_each(|(dy, change)| axpy(-1.0, change, &mut dy[n..]));
        Ok(())
    }
}
