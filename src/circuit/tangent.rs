//! The sweeps' tangents: ψ̇ beside ψ forward; ψ, λ, ψ̇ and λ̇ backward.
//!
//! With U̇U† = −½i w·σ, ψ̇ after a gate is Uψ̇ − ½i (w·σ) Uψ. Backwards, ψ̇ + ½i (w·σ) ψ and λ̇ + ½i (w·σ) λ are what U† is applied to, and the tangent of
//! v = Im⟨λ|σ|ψ⟩ is Im⟨λ̇|σ|ψ⟩ + Im⟨λ|σ|ψ̇⟩: an exact Hessian-vector product with four states, whatever the depth.

use super::angle::Angle;
use super::local::{Action, Local, parts, sign};
use super::plan::{Factor, Plan, Step, Values};
use super::sweep::{add, along, held, permute, turn_back};
use crate::kernels::state_vector::{Amplitude, Subset, diagonal, pauli_rotation, phase, tiles, two_level};

/// An angle's tangent.
fn rate(angle: Angle, tangent: &[f64]) -> f64 {
    match angle {
        Angle::Fixed(_) => 0.0,
        Angle::Parameter { index, scale, .. } => scale * tangent[index],
    }
}

impl Plan {
    /// w of a product of factors.
    fn product_rate(&self, factors: &std::ops::Range<u32>, values: &Values, tangent: &[f64]) -> [f64; 3] {
        let mut w = [0.0; 3];
        for i in factors.start as usize..factors.end as usize {
            w = turn_back(self.factor(i, values).inverse(), w);
            if let Factor::Rotation(pauli, angle) = self.factors[i] {
                w[along(pauli)] += rate(angle, tangent);
            }
        }
        w
    }

    fn rates(&self, steps: std::ops::Range<usize>, values: &Values, tangent: &[f64]) -> Vec<[f64; 3]> {
        let of = |step: &Step| match step {
            Step::TwoLevel { factors, .. } => self.product_rate(factors, values, tangent),
            Step::Rotation { angle, .. } | Step::Phase { angle, .. } | Step::Table { angle, .. } => [rate(*angle, tangent), 0.0, 0.0],
            Step::Permute { .. } | Step::Exchange { .. } | Step::Matrix { .. } => [0.0; 3],
        };
        self.steps[steps].iter().map(of).collect()
    }

    fn phase_rate(&self, tangent: &[f64]) -> f64 {
        self.phases.iter().map(|&a| rate(a, tangent)).sum()
    }

    /// ψ ← U ψ, ψ̇ ← U ψ̇ + U̇ ψ.
    pub(crate) fn forward_tangent<A: Amplitude>(&self, theta: &[f64], tangent: &[f64], states: [&mut Vec<A>; 2]) {
        let [of_psi, of_dpsi] = states;
        let (mut psi, mut dpsi, mut scratch) = (held(of_psi), held(of_dpsi), None);
        let mut local = Vec::new();
        let values = self.values(theta);
        for group in &self.groups {
            if let Some(p) = self.permutation(group) {
                permute(p, &mut psi, &mut scratch, false);
                permute(p, &mut dpsi, &mut scratch, false);
                continue;
            }
            self.local(group, &values, false, &mut local);
            let rates = self.rates(group.steps.clone(), &values, tangent);
            tiles::walk([&mut *psi, &mut *dpsi], &group.bits, &|| (), &|(), base, [psi, dpsi]| {
                for run in &group.runs {
                    parts(group, run.bits, base, [&mut *psi, &mut *dpsi], &mut |base, [psi, dpsi]| {
                        let steps = local[run.steps.clone()].iter().zip(&rates[run.steps.clone()]);
                        for (step, &w) in steps.filter(|(s, _)| s.acts(base)) {
                            step.apply(base, psi);
                            step.apply(base, dpsi);
                            step.generate(base, psi, dpsi, w);
                        }
                    });
                }
            });
        }
        let z = self.global_phase(theta);
        phase::apply(&mut psi, Subset::ALL, z);
        phase::apply(&mut dpsi, Subset::ALL, z);
        phase::generate(&psi, &mut dpsi, Subset::ALL, self.phase_rate(tangent));
        psi.put_back(of_psi);
        dpsi.put_back(of_dpsi);
    }

    /// The tangent of `backward`: from ψ, λ and their tangents at the end to those at the start, adding the gradient's tangent to `gradient`.
    pub(crate) fn backward_tangent<A: Amplitude>(&self, theta: &[f64], tangent: &[f64], states: [&mut Vec<A>; 4], gradient: &mut [f64]) {
        let [of_psi, of_lambda, of_dpsi, of_dlambda] = states;
        let (mut psi, mut lambda, mut dpsi, mut dlambda) = (held(of_psi), held(of_lambda), held(of_dpsi), held(of_dlambda));
        let mut scratch = None;
        let mut local = Vec::new();
        let values = self.values(theta);
        if !self.phases.is_empty() {
            let turned = phase::bracket(&psi, &dlambda, Subset::ALL) + phase::bracket(&dpsi, &lambda, Subset::ALL);
            for &a in &self.phases {
                add(gradient, a, -turned);
            }
            let (z, w) = (self.global_phase(theta).conj(), self.phase_rate(tangent));
            for (x, dx) in [(&mut psi, &mut dpsi), (&mut lambda, &mut dlambda)] {
                phase::generate(x, dx, Subset::ALL, -w);
                phase::apply(x, Subset::ALL, z);
                phase::apply(dx, Subset::ALL, z);
            }
        }
        for group in self.groups.iter().rev() {
            if let Some(p) = self.permutation(group) {
                for state in [&mut psi, &mut lambda, &mut dpsi, &mut dlambda] {
                    permute(p, state, &mut scratch, true);
                }
                continue;
            }
            self.local(group, &values, true, &mut local);
            let rates = self.rates(group.steps.clone(), &values, tangent);
            let zeros = || vec![([0.0; 3], [0.0; 3]); rates.len()];
            let all = [&mut *psi, &mut *lambda, &mut *dpsi, &mut *dlambda];
            let sums = tiles::walk(all, &group.bits, &zeros, &|sums, base, [psi, lambda, dpsi, dlambda]| {
                for run in group.runs.iter().rev() {
                    let states = [&mut *psi, &mut *lambda, &mut *dpsi, &mut *dlambda];
                    parts(group, run.bits, base, states, &mut |base, [psi, lambda, dpsi, dlambda]| {
                        let at = run.steps.clone();
                        let steps = local[at.clone()].iter().zip(&rates[at.clone()]).zip(&mut sums[at]);
                        for ((step, &w), (v, dv)) in steps.rev().filter(|((s, _), _)| s.acts(base)) {
                            let (a, b) = (step.bracket(base, psi, dlambda), step.bracket(base, dpsi, lambda));
                            (0..3).for_each(|k| dv[k] += a[k] + b[k]);
                            let back = w.map(|w| -w);
                            step.generate(base, psi, dpsi, back);
                            step.generate(base, lambda, dlambda, back);
                            step.undo(base, psi, lambda, std::slice::from_mut(v));
                            step.undo(base, dpsi, dlambda, &mut [[0.0; 3]]);
                        }
                    });
                }
            });
            for (i, step) in self.steps[group.steps.clone()].iter().enumerate() {
                let sum = |part: fn(&([f64; 3], [f64; 3])) -> [f64; 3]| {
                    sums.iter().fold([0.0; 3], |v, s| std::array::from_fn(|k| v[k] + part(&s[i])[k]))
                };
                let (v, dv) = (sum(|s| s.0), sum(|s| s.1));
                match step {
                    Step::TwoLevel { factors, .. } => {
                        self.pull_factors_tangent(factors, &values, tangent, [v, dv], gradient);
                    }
                    Step::Rotation { angle, .. } => add(gradient, *angle, 0.5 * dv[0]),
                    Step::Phase { angle, .. } => add(gradient, *angle, -dv[0]),
                    Step::Table { angle, .. } => add(gradient, *angle, dv[0]),
                    Step::Permute { .. } | Step::Exchange { .. } | Step::Matrix { .. } => {}
                }
            }
        }
        psi.put_back(of_psi);
        lambda.put_back(of_lambda);
        dpsi.put_back(of_dpsi);
        dlambda.put_back(of_dlambda);
    }

    /// The tangents of the derivatives of an SU(2)'s factors: d(Rᵀv)/dθ = Rᵀv × n for a rotation R about n.
    fn pull_factors_tangent(
        &self,
        factors: &std::ops::Range<u32>,
        values: &Values,
        tangent: &[f64],
        [mut v, mut dv]: [[f64; 3]; 2],
        gradient: &mut [f64],
    ) {
        for i in (factors.start as usize..factors.end as usize).rev() {
            let u = self.factor(i, values);
            let (back, mut dback) = (turn_back(u, v), turn_back(u, dv));
            if let Factor::Rotation(pauli, angle) = self.factors[i] {
                let n = along(pauli);
                add(gradient, angle, 0.5 * dv[n]);
                let (j, k) = ((n + 1) % 3, (n + 2) % 3);
                let w = rate(angle, tangent);
                dback[j] += w * back[k];
                dback[k] -= w * back[j];
            }
            (v, dv) = (back, dback);
        }
    }
}

impl<A: Amplitude> Local<A> {
    /// out ← out + U̇U† ψ with the rate of the angle, or the rates of an SU(2).
    fn generate(&self, base: usize, psi: &[A], out: &mut [A], w: [f64; 3]) {
        match &self.action {
            &Action::TwoLevel(pairs, ..) => two_level::generate(psi, out, pairs, w),
            &Action::Rotation(masks, controls, _) => pauli_rotation::generate(psi, out, masks, controls, w[0] * sign(base & self.sign)),
            &Action::Phase(on, _) => phase::generate(psi, out, on, w[0]),
            Action::Matrix(..) | Action::Exchange(_) | Action::Permute(_) => {}
            Action::Layer(..) | Action::Done => unreachable!("tangents go gate by gate"),
            Action::Table(t) => diagonal::generate(psi, out, &t.entries(base), t.controls, &t.diagonal, w[0]),
        }
    }

    /// What `undo` returns, without undoing.
    fn bracket(&self, base: usize, psi: &[A], lambda: &[A]) -> [f64; 3] {
        match &self.action {
            &Action::TwoLevel(pairs, ..) => two_level::bracket(psi, lambda, pairs),
            &Action::Rotation(masks, controls, _) => {
                [sign(base & self.sign) * pauli_rotation::bracket(psi, lambda, masks, controls), 0.0, 0.0]
            }
            &Action::Phase(on, _) => [phase::bracket(psi, lambda, on), 0.0, 0.0],
            Action::Matrix(..) | Action::Exchange(_) | Action::Permute(_) => [0.0; 3],
            Action::Layer(..) | Action::Done => unreachable!("tangents go gate by gate"),
            Action::Table(t) => [diagonal::bracket(psi, lambda, &t.entries(base), t.controls, &t.diagonal), 0.0, 0.0],
        }
    }
}
