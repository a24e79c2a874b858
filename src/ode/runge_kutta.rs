//! A Runge–Kutta step: stages, dense output, pullback and tangents. Explicit and diagonally implicit methods in one.
//!
//! Pullback: with cotangents k̄_i of the stages, an explicit stage k_i = f(t_i, Y_i) gives Ȳ_i = Jᵀk̄_i, an implicit one Ȳ_i = Jᵀw with
//! (I − a_ii h J)ᵀ w = k̄_i (the implicit function theorem). From the last stage to the first, k̄_j += h a_ij Ȳ_i and ȳ += Ȳ_i.

use super::newton::{Accuracy, Lu, Newton, unsolved};
use super::stepper::{Inner, StepGradient, StepTangent, Stepper};
use super::system::{Counted, Record, axpy, dot, gather, scatter};
use super::tableau::Tableau;
use crate::error::{Error, Result};

/// A method with its workspace.
pub(crate) struct RungeKutta {
    pub(crate) tableau: &'static Tableau,
    n: usize,
    /// The stages of the last step, one after the other.
    pub(crate) k: Vec<f64>,
    at: Vec<f64>,
    newton: Newton,
    accuracy: Accuracy,
    /// Cotangents of the stages.
    kbar: Vec<f64>,
    pulled: Vec<f64>,
    ybar: Vec<f64>,
    weights: Vec<f64>,
    stage_lu: Lu,
    jacobian: Vec<f64>,
    /// Whether stages keep their pullbacks, and whether those go to the parameters too.
    recording: Option<bool>,
    records: Vec<Record>,
}

impl RungeKutta {
    pub(crate) fn new(tableau: &'static Tableau, n: usize, accuracy: Accuracy) -> Self {
        let s = tableau.extended();
        RungeKutta {
            tableau,
            n,
            k: vec![0.0; s * n],
            at: vec![0.0; n],
            newton: Newton::default(),
            accuracy,
            kbar: vec![0.0; s * n],
            pulled: vec![0.0; n],
            ybar: Vec::new(),
            weights: vec![0.0; s],
            stage_lu: Lu::default(),
            jacobian: Vec::new(),
            recording: None,
            records: Vec::new(),
        }
    }

    /// The field at (t, y) as the i-th stage.
    #[inline]
    pub(crate) fn evaluate(&mut self, system: &mut Counted, i: usize, t: f64, y: &[f64]) -> Result<()> {
        let k = &mut self.k[i * self.n..(i + 1) * self.n];
        match self.recording {
            None => system.field(t, y, k),
            Some(params) => {
                self.records[i] = system.record(t, y, params, k)?;
                Ok(())
            }
        }
    }

    /// The stage at the end of a step becomes the first of the next one.
    pub(crate) fn carry_over(&mut self) {
        let last = self.tableau.last;
        self.k.copy_within(last * self.n..(last + 1) * self.n, 0);
        if self.recording.is_some() {
            self.records[0] = self.records[last].clone();
        }
    }

    /// y + h Σ_{j<i} a_ij k_j into `self.at`.
    #[inline]
    fn base(&mut self, i: usize, h: f64, y: &[f64]) {
        gather(&self.tableau.a[i][..i], &self.k, h, y, &mut self.at);
    }

    /// The argument Y_i of a stage whose k_i is known, into `self.at`.
    #[inline]
    fn argument(&mut self, i: usize, h: f64, y: &[f64]) {
        let row = &self.tableau.a[i];
        gather(if row[i] == 0.0 { &row[..i] } else { row }, &self.k, h, y, &mut self.at);
    }

    /// Computes the stages `from..to`; `false` if an implicit one is not solved.
    pub(crate) fn compute(&mut self, system: &mut Counted, t: f64, h: f64, y: &[f64], from: usize, to: usize) -> Result<bool> {
        let (n, table) = (self.n, self.tableau);
        let mut prepared = false;
        for i in from..to {
            self.base(i, h, y);
            let (diagonal, time) = (table.a[i][i], t + table.c[i] * h);
            if diagonal == 0.0 {
                let at = std::mem::take(&mut self.at);
                let done = self.evaluate(system, i, time, &at);
                self.at = at;
                done?;
                continue;
            }
            if !prepared {
                // one factorisation for all stages: their diagonals are equal
                if !self.newton.prepare(system, t, y, diagonal * h)? {
                    return Ok(false);
                }
                prepared = true;
            }
            if i > 0 {
                self.k.copy_within((i - 1) * n..i * n, i * n);
            } else {
                system.field(t, y, &mut self.k[..n])?;
            }
            let k = &mut self.k[i * n..(i + 1) * n];
            if !self.newton.stage(system, time, &mut self.at, diagonal * h, k, self.accuracy)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// y + h Σ b_i k_i into `out`.
    pub(crate) fn end(&self, h: f64, y: &[f64], out: &mut [f64]) {
        gather(&self.tableau.b, &self.k, h, y, out);
    }

    /// Adds h Σ b_i k_i.
    pub(crate) fn increment(&mut self, h: f64, y: &mut [f64]) {
        gather(&self.tableau.b, &self.k, h, y, &mut self.at);
        y.copy_from_slice(&self.at);
    }

    /// The solution at t + σh into `out`; needs the stages of the dense output.
    pub(crate) fn inner(&mut self, h: f64, sigma: f64, y: &[f64], out: &mut [f64]) {
        let mut weights = std::mem::take(&mut self.weights);
        self.tableau.weights(sigma, &mut weights);
        gather(&weights, &self.k, h, y, out);
        self.weights = weights;
    }

    /// The field that was not finite, if that is why an implicit stage was not solved.
    pub(crate) fn fault(&mut self) -> Option<Error> {
        self.newton.fault.take()
    }

    /// The error for a step that ended in a NaN or an infinity, with the stage that it came from.
    pub(crate) fn check(&self, system: &Counted, t: f64, h: f64, y: &[f64]) -> Result<()> {
        if y.iter().all(|y| y.is_finite()) {
            return Ok(());
        }
        for (i, k) in self.k.chunks_exact(self.n).take(self.tableau.stages).enumerate() {
            system.check(t + self.tableau.c[i] * h, k)?;
        }
        let i = y.iter().position(|y| !y.is_finite()).expect("found above");
        let place = system.system.component(i);
        Err(Error::non_finite("odeint", format!("the state overflows in the step from t = {t} with h = {h} in {place}: use smaller steps")))
    }

    /// (I − γh J)⁻¹ x with the factorisation of the step.
    pub(crate) fn filter(&mut self, x: &mut [f64]) {
        self.newton.lu.solve(x);
    }

    /// All stages that `inner` values need, from the kept ones or anew.
    fn restore(&mut self, system: &mut Counted, t: f64, h: f64, y: &[f64], kept: &[f64], dense: bool) -> Result<()> {
        let to = if dense { self.tableau.extended() } else { self.tableau.stages };
        self.k[..kept.len()].copy_from_slice(kept);
        if !self.compute(system, t, h, y, kept.len() / self.n, to)? {
            return Err(unsolved(t, h));
        }
        Ok(())
    }

    /// Factorises I − a h J at the argument in `self.at`, for the linearisation of an implicit stage.
    fn factor_stage(&mut self, system: &mut Counted, time: f64, ah: f64, t: f64, h: f64) -> Result<()> {
        self.jacobian.resize(self.n * self.n, 0.0);
        system.jacobian(time, &self.at, &mut self.jacobian)?;
        if !self.stage_lu.factor_shifted(self.n, &self.jacobian, ah)? {
            return Err(unsolved(t, h));
        }
        Ok(())
    }

    /// The pullback of y ↦ h Σ b_i k_i (and of the inner values): adds to `ybar`.
    pub(crate) fn increment_vjp(
        &mut self,
        system: &mut Counted,
        (t, h, y): (f64, f64, &[f64]),
        kept: &[f64],
        (lambda, ybar): (&[f64], &mut [f64]),
        inner: &mut [Inner],
        gradient: &mut StepGradient,
    ) -> Result<()> {
        let (n, table) = (self.n, self.tableau);
        let used = if inner.is_empty() { table.stages } else { table.extended() };
        self.restore(system, t, h, y, kept, !inner.is_empty())?;
        self.kbar[..used * n].fill(0.0);
        scatter(&table.b, h, lambda, &mut self.kbar);
        if gradient.timed {
            gradient.h += weighted(&table.b, &self.k, lambda);
        }
        for value in inner.iter_mut() {
            let mut weights = std::mem::take(&mut self.weights);
            table.weights(value.sigma, &mut weights);
            scatter(&weights, h, value.cotangent, &mut self.kbar);
            if gradient.timed {
                gradient.h += weighted(&weights, &self.k, value.cotangent);
                table.slopes(value.sigma, &mut weights);
                value.slope = h * weighted(&weights, &self.k, value.cotangent);
            }
            self.weights = weights;
        }
        for i in (0..used).rev() {
            if self.kbar[i * n..(i + 1) * n].iter().all(|k| *k == 0.0) {
                continue;
            }
            let (diagonal, time) = (table.a[i][i], t + table.c[i] * h);
            let slope = if let Some(record) = self.records.get(i).and_then(Option::as_ref) {
                system.counts.products += 1;
                record.pull(&self.kbar[i * n..(i + 1) * n], &mut self.pulled, gradient.params)?
            } else {
                self.argument(i, h, y);
                if diagonal != 0.0 {
                    self.factor_stage(system, time, diagonal * h, t, h)?;
                    self.stage_lu.solve_transposed(&mut self.kbar[i * n..(i + 1) * n]);
                }
                system.vjp(time, &self.at, &self.kbar[i * n..(i + 1) * n], &mut self.pulled, gradient.params)?
            };
            axpy(1.0, &self.pulled, ybar);
            if gradient.timed {
                gradient.t += slope;
                gradient.h += table.c[i] * slope + weighted(&table.a[i], &self.k, &self.pulled);
            }
            scatter(&table.a[i][..i], h, &self.pulled, &mut self.kbar);
        }
        Ok(())
    }

    /// The tangents of h Σ b_i k_i at stages already computed, added to `out`; and of the inner values.
    pub(crate) fn increment_jvp(
        &mut self,
        system: &mut Counted,
        (t, h, y): (f64, f64, &[f64]),
        (dy, out): (&[Vec<f64>], &mut [Vec<f64>]),
        tangents: &[StepTangent],
        inner: &[(f64, Vec<f64>)],
        found: &mut dyn FnMut(usize, usize, &[f64]),
    ) -> Result<()> {
        let (n, table) = (self.n, self.tableau);
        let used = if inner.is_empty() { table.stages } else { table.extended() };
        let mut factors: Vec<Option<Lu>> = (0..used).map(|_| None).collect();
        for i in (0..used).filter(|&i| table.a[i][i] != 0.0) {
            self.argument(i, h, y);
            self.factor_stage(system, t + table.c[i] * h, table.a[i][i] * h, t, h)?;
            factors[i] = Some(std::mem::take(&mut self.stage_lu));
        }
        // kbar serves for the tangents of the stages
        let mut push = vec![0.0; n];
        for (d, (dy, tangent)) in dy.iter().zip(tangents).enumerate() {
            for i in 0..used {
                push.copy_from_slice(dy);
                for (j, a) in table.a[i].iter().enumerate().filter(|(_, a)| **a != 0.0) {
                    axpy(tangent.h * a, &self.k[j * n..(j + 1) * n], &mut push);
                    if j < i {
                        axpy(h * a, &self.kbar[j * n..(j + 1) * n], &mut push);
                    }
                }
                self.argument(i, h, y);
                let (time, dt) = (t + table.c[i] * h, tangent.t + table.c[i] * tangent.h);
                system.jvp(time, &self.at, dt, &push, tangent.params, &mut self.pulled)?;
                if let Some(lu) = &mut factors[i] {
                    lu.solve(&mut self.pulled);
                }
                self.kbar[i * n..(i + 1) * n].copy_from_slice(&self.pulled);
            }
            for (v, (sigma, dsigma)) in inner.iter().enumerate() {
                let mut weights = std::mem::take(&mut self.weights);
                push.copy_from_slice(dy);
                table.weights(*sigma, &mut weights);
                for (i, b) in weights.iter().enumerate() {
                    axpy(h * b, &self.kbar[i * n..(i + 1) * n], &mut push);
                    axpy(tangent.h * b, &self.k[i * n..(i + 1) * n], &mut push);
                }
                table.slopes(*sigma, &mut weights);
                for (i, b) in weights.iter().enumerate() {
                    axpy(h * b * dsigma[d], &self.k[i * n..(i + 1) * n], &mut push);
                }
                self.weights = weights;
                found(v, d, &push);
            }
            for (i, b) in table.b.iter().enumerate().filter(|(_, b)| **b != 0.0) {
                axpy(h * b, &self.kbar[i * n..(i + 1) * n], &mut out[d]);
                axpy(tangent.h * b, &self.k[i * n..(i + 1) * n], &mut out[d]);
            }
        }
        Ok(())
    }
}

/// Σ_j w_j k_j·u
fn weighted(weights: &[f64], k: &[f64], u: &[f64]) -> f64 {
    weights.iter().zip(k.chunks_exact(u.len())).filter(|(w, _)| **w != 0.0).map(|(w, k)| w * dot(k, u)).sum()
}

impl Stepper for RungeKutta {
    fn step(&mut self, system: &mut Counted, t: f64, h: f64, y: &mut [f64]) -> Result<()> {
        if !self.compute(system, t, h, y, 0, self.tableau.stages)? {
            return Err(self.fault().unwrap_or_else(|| unsolved(t, h)));
        }
        self.increment(h, y);
        self.check(system, t, h, y)
    }
    fn undo(&mut self, system: &mut Counted, t: f64, h: f64, y: &mut [f64]) -> Result<()> {
        self.step(system, t + h, -h, y)
    }
    fn stages(&self, dense: bool) -> &[f64] {
        &self.k[..self.n * if dense { self.tableau.extended() } else { self.tableau.stages }]
    }
    fn record(&mut self, params: bool) {
        self.recording = Some(params);
        self.records.resize(self.tableau.extended().max(self.tableau.last + 1), None);
    }
    fn records(&self) -> &[Record] {
        &self.records[..self.tableau.stages.min(self.records.len())]
    }
    fn replay(&mut self, records: &[Record]) {
        self.records.clear();
        self.records.extend_from_slice(records);
    }
    fn extend(&mut self, system: &mut Counted, t: f64, h: f64, y: &[f64]) -> Result<()> {
        self.compute(system, t, h, y, self.tableau.stages, self.tableau.extended()).map(|_| ())
    }
    fn vjp(
        &mut self,
        system: &mut Counted,
        at: (f64, f64, &[f64]),
        kept: &[f64],
        lambda: &mut [f64],
        inner: &mut [Inner],
        gradient: &mut StepGradient,
    ) -> Result<()> {
        let mut ybar = std::mem::take(&mut self.ybar);
        ybar.clear();
        ybar.extend_from_slice(lambda);
        inner.iter().for_each(|value| axpy(1.0, value.cotangent, &mut ybar));
        self.increment_vjp(system, at, kept, (lambda, &mut ybar), inner, gradient)?;
        lambda.copy_from_slice(&ybar);
        self.ybar = ybar;
        Ok(())
    }
    fn jvp(
        &mut self,
        system: &mut Counted,
        (t, h): (f64, f64),
        y: &mut [f64],
        dy: &mut [Vec<f64>],
        tangents: &[StepTangent],
        inner: &[(f64, Vec<f64>)],
        found: &mut dyn FnMut(usize, usize, &[f64]),
    ) -> Result<()> {
        let to = if inner.is_empty() { self.tableau.stages } else { self.tableau.extended() };
        if !self.compute(system, t, h, y, 0, to)? {
            return Err(unsolved(t, h));
        }
        let mut out = dy.to_vec();
        self.increment_jvp(system, (t, h, y), (dy, &mut out), tangents, inner, found)?;
        dy.iter_mut().zip(out).for_each(|(dy, out)| *dy = out);
        self.increment(h, y);
        Ok(())
    }
}
