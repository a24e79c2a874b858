//! The sweeps: ψ forward; ψ and λ backward, undone gate by gate while the gradient is accumulated.
//!
//! For U = … exp(−iθP/2) …, ψ the state after the gate and λ the cotangent there, ∂L/∂θ = Re⟨λ|−iP/2|ψ⟩ = ½ Im⟨λ|P|ψ⟩. Gates on one qubit are one
//! SU(2) U = U_m … U_1; the pass that undoes it gives the vector v = Im⟨λ|σ|ψ⟩ after it, and before U_m it is R_mᵀ v with the rotation R_m of
//! U_m: each factor's derivative is a component of the vector in its turn. What the unitarity of the circuit makes redundant is not stored:
//! memory is ψ, λ and one state more for permutations, whatever the depth (Jones and Gacon, arXiv:2009.02823).

use super::angle::Angle;
use super::gate::Unitary;
use super::pauli::Pauli;
use super::plan::{Factor, Group, Plan, Step};
use crate::kernels::pool;
use crate::kernels::state_vector::diagonal::Entries;
use crate::kernels::state_vector::pauli_rotation::Masks;
use crate::kernels::state_vector::two_level::{Pairs, Su2};
use crate::kernels::state_vector::{Amplitude, Subset, dense, diagonal, pauli_rotation, phase, tiles, two_level};
use num_complex::Complex;
use std::sync::Arc;

/// A step with numbers, as a tile sees it.
pub(super) struct Local {
    pub(super) action: Action,
    /// What the index bits outside the tile must be.
    pub(super) outside: Subset,
    /// The bits outside the tile that give a sign.
    pub(super) sign: usize,
}

pub(super) enum Action {
    TwoLevel(Pairs, Su2),
    Rotation(Masks, Subset, f64),
    Phase(Subset, Complex<f64>),
    Matrix(Vec<usize>, Subset, Unitary),
    Table(Table),
}

/// A diagonal as a tile sees it.
pub(super) struct Table {
    /// (bit of the index in the tile, bit of the entry's number)
    inside: Vec<(usize, usize)>,
    /// The same for the bits of the whole index that are outside the tile.
    outside: Vec<(usize, usize)>,
    pub(super) controls: Subset,
    pub(super) diagonal: Arc<Vec<f64>>,
    /// e^{−iθd}
    pub(super) factors: Vec<Complex<f64>>,
}

impl Table {
    pub(super) fn entries(&self, base: usize) -> Entries<'_> {
        Entries { bits: &self.inside, offset: self.outside.iter().map(|&(from, to)| (base >> from & 1) << to).sum() }
    }
}

/// The bits of a mask at the places `bits`, moved together.
fn compress(mask: usize, bits: &[u8]) -> usize {
    bits.iter().enumerate().map(|(k, &b)| (mask >> b & 1) << k).sum()
}

/// The product of factors, the first acting first.
fn product(factors: &[Factor], theta: &[f64]) -> Su2 {
    let mut u = factors[0].at(theta);
    for f in &factors[1..] {
        u = f.at(theta).times(u);
    }
    u
}

impl Local {
    /// Whether the bits outside the tile let the step act.
    pub(super) fn acts(&self, base: usize) -> bool {
        base & self.outside.mask == self.outside.value
    }

    /// ψ ← Uψ on a tile.
    pub(super) fn apply<A: Amplitude>(&self, base: usize, psi: &mut [A]) {
        match &self.action {
            &Action::TwoLevel(pairs, u) => two_level::apply(psi, pairs, u),
            &Action::Rotation(masks, controls, angle) => pauli_rotation::apply(psi, masks, controls, angle * sign(base & self.sign)),
            &Action::Phase(on, z) => phase::apply(psi, on, z),
            Action::Matrix(targets, controls, u) => dense::apply(psi, targets, *controls, u.entries()),
            Action::Table(t) => diagonal::apply(psi, &t.entries(base), t.controls, &t.factors),
        }
    }

    /// Im⟨λ|σ|ψ⟩, or Im⟨λ|P|ψ⟩ for a generator P; then U† on both.
    pub(super) fn undo<A: Amplitude>(&self, base: usize, psi: &mut [A], lambda: &mut [A]) -> [f64; 3] {
        match &self.action {
            &Action::TwoLevel(pairs, u) => two_level::undo(psi, lambda, pairs, u),
            &Action::Rotation(masks, controls, angle) => {
                let s = sign(base & self.sign);
                [s * pauli_rotation::undo(psi, lambda, masks, controls, s * angle), 0.0, 0.0]
            }
            &Action::Phase(on, z) => [phase::undo(psi, lambda, on, z), 0.0, 0.0],
            Action::Matrix(targets, controls, u) => {
                dense::apply(psi, targets, *controls, u.entries());
                dense::apply(lambda, targets, *controls, u.entries());
                [0.0; 3]
            }
            Action::Table(t) => [diagonal::undo(psi, lambda, &t.entries(base), t.controls, &t.diagonal, &t.factors), 0.0, 0.0],
        }
    }

    /// ψ ← U†ψ on a tile, of a step made for going back.
    fn apply_inverse<A: Amplitude>(&self, base: usize, psi: &mut [A]) {
        match &self.action {
            &Action::TwoLevel(pairs, u) => two_level::apply(psi, pairs, u.inverse()),
            &Action::Rotation(masks, controls, angle) => pauli_rotation::apply(psi, masks, controls, -angle * sign(base & self.sign)),
            &Action::Phase(on, z) => phase::apply(psi, on, z.conj()),
            // the matrix is the adjoint already
            Action::Matrix(targets, controls, u) => dense::apply(psi, targets, *controls, u.entries()),
            Action::Table(t) => {
                let back: Vec<_> = t.factors.iter().map(|z| z.conj()).collect();
                diagonal::apply(psi, &t.entries(base), t.controls, &back)
            }
        }
    }
}

impl Plan {
    pub(super) fn local(&self, group: &Group, theta: &[f64], back: bool, out: &mut Vec<Local>) {
        out.clear();
        let bits = &group.bits;
        let inside: usize = bits.iter().map(|&b| 1usize << b).sum();
        let whole = bits.len() == self.qubits;
        let cut = |mask: usize| if whole { mask } else { compress(mask, bits) };
        let subset = |s: Subset| Subset { mask: cut(s.mask), value: cut(s.value) };
        let outside = |s: Subset| Subset { mask: s.mask & !inside, value: s.value & !inside };
        for step in &self.steps[group.steps.clone()] {
            out.push(match step {
                Step::TwoLevel { pairs, factors } => {
                    let u = product(&self.factors[factors.start as usize..factors.end as usize], theta);
                    Local {
                        action: Action::TwoLevel(Pairs { mask: cut(pairs.mask), zero: cut(pairs.zero), one: cut(pairs.one) }, u),
                        outside: outside(Subset { mask: pairs.mask, value: pairs.zero }),
                        sign: 0,
                    }
                }
                Step::Rotation { masks, controls, angle } => Local {
                    action: Action::Rotation(Masks { x: cut(masks.x), z: cut(masks.z) }, subset(*controls), angle.at(theta)),
                    outside: outside(*controls),
                    sign: masks.z & !inside,
                },
                Step::Phase { on, angle } => {
                    Local { action: Action::Phase(subset(*on), Complex::from_polar(1.0, angle.at(theta))), outside: outside(*on), sign: 0 }
                }
                Step::Matrix { index, targets, controls } => Local {
                    action: Action::Matrix(
                        targets.iter().map(|&q| cut(1 << q).trailing_zeros() as usize).collect(),
                        subset(*controls),
                        if back { self.matrices[*index as usize].adjoint() } else { self.matrices[*index as usize].clone() },
                    ),
                    outside: outside(*controls),
                    sign: 0,
                },
                Step::Table { index, targets, controls, angle } => {
                    let bits: Vec<(usize, usize)> = targets.iter().enumerate().map(|(to, &from)| (from, to)).collect();
                    let (within, beyond): (Vec<_>, Vec<_>) = bits.into_iter().partition(|&(from, _)| inside >> from & 1 == 1);
                    let diagonal = self.tables[*index as usize].clone();
                    let theta = angle.at(theta);
                    Local {
                        action: Action::Table(Table {
                            inside: within.into_iter().map(|(from, to)| (cut(1 << from).trailing_zeros() as usize, to)).collect(),
                            outside: beyond,
                            controls: subset(*controls),
                            factors: diagonal.iter().map(|d| Complex::from_polar(1.0, -theta * d)).collect(),
                            diagonal,
                        }),
                        outside: outside(*controls),
                        sign: 0,
                    }
                }
                Step::Permute { .. } => unreachable!("a permutation is a group of its own"),
            });
        }
    }

    /// The permutation that a group is.
    pub(super) fn permutation(&self, group: &Group) -> Option<&crate::kernels::state_vector::permute::Permutation> {
        match self.steps[group.steps.start] {
            Step::Permute { index } => Some(&self.permutations[index as usize]),
            _ => None,
        }
    }

    pub(super) fn global_phase(&self, theta: &[f64]) -> Complex<f64> {
        Complex::from_polar(1.0, self.phases.iter().map(|a| a.at(theta)).sum())
    }

    /// ψ ← U(θ) ψ.
    pub(crate) fn forward<A: Amplitude>(&self, theta: &[f64], psi: &mut Vec<A>) {
        let mut scratch: Vec<A> = Vec::new();
        let mut local = Vec::new();
        for group in &self.groups {
            if let Some(p) = self.permutation(group) {
                permute(p, psi, &mut scratch, false);
                continue;
            }
            self.local(group, theta, false, &mut local);
            tiles::walk([psi], &group.bits, &|| (), &|(), base, [psi]| {
                local.iter().filter(|s| s.acts(base)).for_each(|step| step.apply(base, psi));
            });
        }
        let z = self.global_phase(theta);
        if z != Complex::new(1.0, 0.0) {
            phase::apply(psi, Subset::ALL, z);
        }
        pool::give(scratch);
    }

    /// ψ ← U(θ)† ψ.
    pub(crate) fn inverse<A: Amplitude>(&self, theta: &[f64], psi: &mut Vec<A>) {
        let mut scratch: Vec<A> = Vec::new();
        let mut local = Vec::new();
        phase::apply(psi, Subset::ALL, self.global_phase(theta).conj());
        for group in self.groups.iter().rev() {
            if let Some(p) = self.permutation(group) {
                permute(p, psi, &mut scratch, true);
                continue;
            }
            self.local(group, theta, true, &mut local);
            tiles::walk([psi], &group.bits, &|| (), &|(), base, [psi]| {
                local.iter().rev().filter(|s| s.acts(base)).for_each(|step| step.apply_inverse(base, psi));
            });
        }
        pool::give(scratch);
    }

    /// From ψ = U(θ) ψ₀ and λ to ψ₀ and U(θ)† λ, adding Re⟨λ|∂U/∂θ ψ₀⟩ to `gradient`.
    pub(crate) fn backward<A: Amplitude>(&self, theta: &[f64], psi: &mut Vec<A>, lambda: &mut Vec<A>, gradient: &mut [f64]) {
        let mut scratch: Vec<A> = Vec::new();
        let mut local = Vec::new();
        let z = self.global_phase(theta);
        if !self.phases.is_empty() {
            // Im⟨λ|ψ⟩ is the same at every depth
            let bracket = phase::undo(psi, lambda, Subset::ALL, z);
            for &a in &self.phases {
                add(gradient, a, -bracket);
            }
        }
        for group in self.groups.iter().rev() {
            if let Some(p) = self.permutation(group) {
                permute(p, psi, &mut scratch, true);
                permute(p, lambda, &mut scratch, true);
                continue;
            }
            self.local(group, theta, true, &mut local);
            let count = local.len();
            let sums = tiles::walk([psi, lambda], &group.bits, &|| vec![[0.0; 3]; count], &|sums, base, [psi, lambda]| {
                for (step, v) in local.iter().zip(sums).rev().filter(|(s, _)| s.acts(base)) {
                    let here = step.undo(base, psi, lambda);
                    (0..3).for_each(|k| v[k] += here[k]);
                }
            });
            for (i, step) in self.steps[group.steps.clone()].iter().enumerate() {
                let v = sums.iter().fold([0.0; 3], |v, s| std::array::from_fn(|k| v[k] + s[i][k]));
                match step {
                    Step::TwoLevel { factors, .. } => {
                        pull_factors(&self.factors[factors.start as usize..factors.end as usize], theta, v, gradient)
                    }
                    Step::Rotation { angle, .. } => add(gradient, *angle, 0.5 * v[0]),
                    Step::Phase { angle, .. } => add(gradient, *angle, -v[0]),
                    Step::Table { angle, .. } => add(gradient, *angle, v[0]),
                    Step::Matrix { .. } => {}
                    Step::Permute { .. } => unreachable!("a permutation is a group of its own"),
                }
            }
        }
        pool::give(scratch);
    }
}

/// The derivatives of an SU(2)'s factors from v = Im⟨λ|σ|ψ⟩ after it.
fn pull_factors(factors: &[Factor], theta: &[f64], mut v: [f64; 3], gradient: &mut [f64]) {
    for (i, f) in factors.iter().enumerate().rev() {
        if let Factor::Rotation(pauli, angle) = *f {
            add(gradient, angle, 0.5 * v[along(pauli)]);
        }
        if i > 0 {
            v = turn_back(f.at(theta), v);
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

pub(super) fn sign(bits: usize) -> f64 {
    if bits.count_ones().is_multiple_of(2) { 1.0 } else { -1.0 }
}

pub(super) fn permute<A: Amplitude>(
    p: &crate::kernels::state_vector::permute::Permutation,
    state: &mut Vec<A>,
    scratch: &mut Vec<A>,
    back: bool,
) {
    if scratch.is_empty() {
        *scratch = pool::filled(state.len(), A::cast(Complex::new(0.0, 0.0)));
    }
    p.apply(state, scratch, back);
    std::mem::swap(state, scratch);
}
