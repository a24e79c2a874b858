//! The sweeps: ψ forward; ψ and λ backward, undone gate by gate while the gradient is accumulated.
//!
//! For U = … exp(−iθP/2) …, ψ the state after the gate and λ the cotangent there, ∂L/∂θ = Re⟨λ|−iP/2|ψ⟩ = ½ Im⟨λ|P|ψ⟩. Gates on one qubit are one
//! SU(2) U = U_m … U_1; the pass that undoes it gives the vector v = Im⟨λ|σ|ψ⟩ after it, and before U_m it is R_mᵀ v with the rotation R_m of
//! U_m: each factor's derivative is a component of the vector in its turn. What the unitarity of the circuit makes redundant is not stored:
//! memory is ψ and λ, whatever the depth; permutations of states beyond a tile stay inside tiles (Jones and Gacon, arXiv:2009.02823).

use super::angle::Angle;
use super::local::{ONE, absorb, parts};
use super::pauli::Pauli;
use super::plan::{Factor, Group, Plan, Step, TILE, Values};
use crate::kernels::state_vector::aligned::Aligned;
use crate::kernels::state_vector::permute::Permutation;
use crate::kernels::state_vector::two_level::Su2;
use crate::kernels::state_vector::{Amplitude, Subset, phase, tiles};
use num_complex::Complex;

impl Plan {
    /// The permutation that a group is, of a state that is one tile.
    pub(super) fn permutation(&self, group: &Group) -> Option<&Permutation> {
        match self.steps[group.steps.start] {
            Step::Permute { index, .. } if group.whole => Some(&self.permutations[index as usize]),
            _ => None,
        }
    }

    pub(super) fn global_phase(&self, theta: &[f64]) -> Complex<f64> {
        Complex::from_polar(1.0, self.phases.iter().map(|a| a.at(theta)).sum())
    }

    /// ψ ← U(θ) ψ.
    pub(crate) fn forward<A: Amplitude>(&self, theta: &[f64], state: &mut Vec<A>) {
        let (mut psi, mut scratch) = (held(state), None);
        let mut local = Vec::new();
        let values = self.values(theta);
        let mut z = self.global_phase(theta);
        for group in &self.groups {
            if let Some(p) = self.permutation(group) {
                permute(p, &mut psi, &mut scratch, false);
                continue;
            }
            self.layers(group, &values, false, &mut local);
            absorb(&mut local, &mut z);
            tiles::walk([&mut *psi], &group.bits, &|| (), &|(), base, [psi]| {
                for run in &group.runs {
                    parts(group, run.bits, base, [&mut *psi], &mut |base, [psi]| {
                        local[run.steps.clone()].iter().filter(|s| s.acts(base)).for_each(|step| step.apply(base, psi));
                    });
                }
            });
        }
        if z != ONE {
            phase::apply(&mut psi, Subset::ALL, z);
        }
        psi.put_back(state);
    }

    /// ψ ← U(θ)† ψ.
    pub(crate) fn inverse<A: Amplitude>(&self, theta: &[f64], state: &mut Vec<A>) {
        let (mut psi, mut scratch) = (held(state), None);
        let mut local = Vec::new();
        let values = self.values(theta);
        let mut z = self.global_phase(theta);
        for group in self.groups.iter().rev() {
            if let Some(p) = self.permutation(group) {
                permute(p, &mut psi, &mut scratch, true);
                continue;
            }
            self.layers(group, &values, true, &mut local);
            absorb(&mut local, &mut z);
            tiles::walk([&mut *psi], &group.bits, &|| (), &|(), base, [psi]| {
                for run in group.runs.iter().rev() {
                    parts(group, run.bits, base, [&mut *psi], &mut |base, [psi]| {
                        local[run.steps.clone()].iter().rev().filter(|s| s.acts(base)).for_each(|step| step.apply_inverse(base, psi));
                    });
                }
            });
        }
        if z != ONE {
            phase::apply(&mut psi, Subset::ALL, z.conj());
        }
        psi.put_back(state);
    }

    /// From ψ = U(θ) ψ₀ and λ to ψ₀ and U(θ)† λ, adding Re⟨λ|∂U/∂θ ψ₀⟩ to `gradient`.
    pub(crate) fn backward<A: Amplitude>(&self, theta: &[f64], states: [&mut Vec<A>; 2], gradient: &mut [f64]) {
        let [of_psi, of_lambda] = states;
        let (mut psi, mut lambda, mut scratch) = (held(of_psi), held(of_lambda), None);
        let mut local = Vec::new();
        let values = self.values(theta);
        let z = self.global_phase(theta);
        if !self.phases.is_empty() {
            // Im⟨λ|ψ⟩ is the same at every depth
            let bracket = phase::undo(&mut psi, &mut lambda, Subset::ALL, z);
            for &a in &self.phases {
                add(gradient, a, -bracket);
            }
        }
        for group in self.groups.iter().rev() {
            if let Some(p) = self.permutation(group) {
                permute(p, &mut psi, &mut scratch, true);
                permute(p, &mut lambda, &mut scratch, true);
                continue;
            }
            self.layers(group, &values, true, &mut local);
            let count = local.len();
            let sums = tiles::walk([&mut *psi, &mut *lambda], &group.bits, &|| vec![[0.0; 3]; count], &|sums, base, [psi, lambda]| {
                for run in group.runs.iter().rev() {
                    parts(group, run.bits, base, [&mut *psi, &mut *lambda], &mut |base, [psi, lambda]| {
                        for i in run.steps.clone().rev().filter(|&i| local[i].acts(base)) {
                            local[i].undo(base, psi, lambda, &mut sums[i..]);
                        }
                    });
                }
            });
            for (i, step) in self.steps[group.steps.clone()].iter().enumerate() {
                let v = sums.iter().fold([0.0; 3], |v, s| std::array::from_fn(|k| v[k] + s[i][k]));
                match step {
                    Step::TwoLevel { factors, .. } => self.pull_factors(factors, &values, v, gradient),
                    Step::Rotation { angle, .. } => add(gradient, *angle, 0.5 * v[0]),
                    Step::Phase { angle, .. } => add(gradient, *angle, -v[0]),
                    Step::Table { angle, .. } => add(gradient, *angle, v[0]),
                    Step::Matrix { .. } | Step::Exchange { .. } | Step::Permute { .. } => {}
                }
            }
        }
        psi.put_back(of_psi);
        lambda.put_back(of_lambda);
    }

    /// The derivatives of an SU(2)'s factors from v = Im⟨λ|σ|ψ⟩ after it.
    fn pull_factors(&self, factors: &std::ops::Range<u32>, values: &Values, mut v: [f64; 3], gradient: &mut [f64]) {
        for i in (factors.start as usize..factors.end as usize).rev() {
            if let Factor::Rotation(pauli, angle) = self.factors[i] {
                add(gradient, angle, 0.5 * v[along(pauli)]);
            }
            if i > factors.start as usize {
                v = turn_back(self.factor(i, values), v);
            }
        }
    }
}

/// The component of a vector that belongs to a Pauli matrix.
pub(super) fn along(pauli: Pauli) -> usize {
    match pauli {
        Pauli::X => 0,
        Pauli::Y => 1,
        Pauli::Z => 2,
    }
}

/// Rᵀ v for the rotation R of U = w − i(x, y, z)·σ: U (v·σ) U† = (R v)·σ.
pub(super) fn turn_back(u: Su2, v: [f64; 3]) -> [f64; 3] {
    let w = u.alpha.re;
    let q = [-u.beta.im, u.beta.re, -u.alpha.im];
    let cross = |a: [f64; 3], b: [f64; 3]| [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
    let once = cross(q, v);
    let twice = cross(q, once);
    std::array::from_fn(|k| v[k] - 2.0 * w * once[k] + 2.0 * twice[k])
}

pub(super) fn add(gradient: &mut [f64], angle: Angle, by: f64) {
    if let Angle::Parameter { index, scale, .. } = angle {
        gradient[index] += scale * by;
    }
}

/// A state that a sweep works on: where it is, or beginning with a cache line if that costs no memory to speak of.
pub(super) fn held<A: Amplitude>(state: &mut Vec<A>) -> Aligned<A> {
    if state.len() <= 1 << TILE { Aligned::copied(state) } else { Aligned::adopted(std::mem::take(state)) }
}

pub(super) fn permute<A: Amplitude>(p: &Permutation, state: &mut Aligned<A>, scratch: &mut Option<Aligned<A>>, back: bool) {
    let to = scratch.get_or_insert_with(|| Aligned::zeros(state.len()));
    p.apply(state, to, back);
    std::mem::swap(state, to);
}
