//! Steps with numbers, as a tile of the state sees them.

use super::gate::Unitary;
use super::plan::{Group, PART, Plan, Step, Values};
use crate::kernels::pool;
use crate::kernels::state_vector::diagonal::Entries;
use crate::kernels::state_vector::layer::{self, Layer};
use crate::kernels::state_vector::pauli_rotation::Masks;
use crate::kernels::state_vector::permute::{Affine, Permutation};
use crate::kernels::state_vector::two_level::{Pairs, Su2};
use crate::kernels::state_vector::{Amplitude, Subset, dense, diagonal, exchange, pauli_rotation, phase, two_level};
use num_complex::Complex;
use smallvec::SmallVec;
use std::sync::Arc;

/// A step with numbers, as a tile sees it.
pub(super) struct Local<A> {
    pub(super) action: Action<A>,
    /// What the index bits outside the tile must be.
    pub(super) outside: Subset,
    /// The bits outside the tile that give a sign.
    pub(super) sign: usize,
}

pub(super) enum Action<A> {
    /// Times a phase.
    TwoLevel(Pairs, Su2, Complex<f64>),
    /// Of so many steps, of which this is the first.
    Layer(Box<Layer<A>>, usize),
    /// In the layer of a step before.
    Done,
    Rotation(Masks, Subset, f64),
    Phase(Subset, Complex<f64>),
    Matrix(Vec<usize>, Subset, Unitary),
    Table(Table),
    Exchange(Pairs),
    Permute(Box<Moves>),
}

/// A permutation as a tile sees it.
pub(super) struct Moves {
    within: Permutation,
    whole: Affine,
    bits: Vec<u8>,
}

impl Moves {
    fn apply<A: Amplitude>(&self, base: usize, psi: &mut [A], back: bool) {
        let from = pool::copied(psi);
        self.within.apply_shifted(&from, psi, compress(self.whole.image(base), &self.bits), back);
        pool::give(from);
    }
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

/// The consecutive parts of a tile that a run works on one after the other, with the index of their first amplitudes.
pub(super) fn parts<A, const S: usize>(
    group: &Group,
    bits: usize,
    base: usize,
    mut states: [&mut [A]; S],
    f: &mut dyn FnMut(usize, [&mut [A]; S]),
) {
    let size = 1 << bits;
    for k in 0..states[0].len() / size {
        let above: usize = group.bits[bits..].iter().enumerate().map(|(i, &b)| (k >> i & 1) << b).sum();
        f(base | above, states.each_mut().map(|s| &mut s[k * size..][..size]));
    }
}

impl<A: Amplitude> Local<A> {
    /// Whether the bits outside the tile let the step act.
    pub(super) fn acts(&self, base: usize) -> bool {
        base & self.outside.mask == self.outside.value
    }

    /// ψ ← Uψ on a tile.
    pub(super) fn apply(&self, base: usize, psi: &mut [A]) {
        match &self.action {
            &Action::TwoLevel(pairs, u, z) => two_level::apply_matrix(psi, pairs, u.matrix().map(|x| z * x)),
            Action::Layer(gates, _) => layer::apply(psi, gates, false),
            Action::Done => {}
            &Action::Rotation(masks, controls, angle) => pauli_rotation::apply(psi, masks, controls, angle * sign(base & self.sign)),
            &Action::Phase(on, z) => phase::apply(psi, on, z),
            Action::Matrix(targets, controls, u) => dense::apply(psi, targets, *controls, u.entries()),
            Action::Table(t) => diagonal::apply(psi, &t.entries(base), t.controls, &t.factors),
            &Action::Exchange(pairs) => exchange::apply(psi, pairs),
            Action::Permute(moves) => moves.apply(base, psi, false),
        }
    }

    /// Adds Im⟨λ|σ|ψ⟩, or Im⟨λ|P|ψ⟩ for a generator P, to the first of the sums; then U† on both. A layer adds to the sums of its steps.
    pub(super) fn undo(&self, base: usize, psi: &mut [A], lambda: &mut [A], sums: &mut [[f64; 3]]) {
        let mut add = |v: [f64; 3]| (0..3).for_each(|k| sums[0][k] += v[k]);
        match &self.action {
            &Action::TwoLevel(pairs, u, z) => {
                // the sweep back takes the phase off the state before it begins
                debug_assert!(z == ONE);
                add(two_level::undo(psi, lambda, pairs, u));
            }
            Action::Layer(gates, count) => layer::undo(psi, lambda, gates, &mut sums[..*count]),
            Action::Done => {}
            &Action::Rotation(masks, controls, angle) => {
                let s = sign(base & self.sign);
                add([s * pauli_rotation::undo(psi, lambda, masks, controls, s * angle), 0.0, 0.0]);
            }
            &Action::Phase(on, z) => add([phase::undo(psi, lambda, on, z), 0.0, 0.0]),
            Action::Matrix(targets, controls, u) => {
                dense::apply(psi, targets, *controls, u.entries());
                dense::apply(lambda, targets, *controls, u.entries());
            }
            Action::Table(t) => add([diagonal::undo(psi, lambda, &t.entries(base), t.controls, &t.diagonal, &t.factors), 0.0, 0.0]),
            Action::Exchange(_) | Action::Permute(_) => {
                self.apply_inverse(base, psi);
                self.apply_inverse(base, lambda);
            }
        }
    }

    /// ψ ← U†ψ on a tile, of a step made for going back.
    pub(super) fn apply_inverse(&self, base: usize, psi: &mut [A]) {
        match &self.action {
            &Action::TwoLevel(pairs, u, z) => two_level::apply_matrix(psi, pairs, u.inverse().matrix().map(|x| z.conj() * x)),
            Action::Layer(gates, _) => layer::apply(psi, gates, true),
            Action::Done => {}
            &Action::Rotation(masks, controls, angle) => pauli_rotation::apply(psi, masks, controls, -angle * sign(base & self.sign)),
            &Action::Phase(on, z) => phase::apply(psi, on, z.conj()),
            // the matrix is the adjoint already
            Action::Matrix(targets, controls, u) => dense::apply(psi, targets, *controls, u.entries()),
            Action::Table(t) => {
                let back: Vec<_> = t.factors.iter().map(|z| z.conj()).collect();
                diagonal::apply(psi, &t.entries(base), t.controls, &back)
            }
            &Action::Exchange(pairs) => exchange::apply(psi, pairs),
            Action::Permute(moves) => moves.apply(base, psi, true),
        }
    }
}

pub(super) const ONE: Complex<f64> = Complex::new(1.0, 0.0);

/// Takes a phase of the whole state into a step that acts on all of it anyway, if there is one, and leaves 1.
pub(super) fn absorb<A: Amplitude>(steps: &mut [Local<A>], phase: &mut Complex<f64>) {
    if *phase == ONE {
        return;
    }
    for step in steps.iter_mut().filter(|s| s.outside.mask == 0) {
        match &mut step.action {
            Action::TwoLevel(pairs, _, z) if pairs.mask.count_ones() == 1 => *z *= *phase,
            Action::Layer(layer, _) => layer.turn(*phase),
            Action::Table(t) if t.controls.mask == 0 => t.factors.iter_mut().for_each(|z| *z *= *phase),
            _ => continue,
        }
        *phase = ONE;
        return;
    }
}

type Gates = SmallVec<[(usize, Su2); PART]>;

/// The gates on different qubits, without controls, that a list begins with.
fn join<A>(steps: &[Local<A>]) -> Gates {
    let (mut gates, mut used) = (Gates::new(), 0);
    for step in steps {
        match step.action {
            Action::TwoLevel(pairs, u, ONE)
                if step.outside.mask == 0 && pairs == Pairs::qubit(pairs.mask.ilog2() as usize, Subset::ALL) && used & pairs.mask == 0 =>
            {
                used |= pairs.mask;
                gates.push((pairs.mask.ilog2() as usize, u));
            }
            _ => break,
        }
    }
    gates
}

impl Plan {
    /// A group's steps, with gates on one qubit each joined to layers.
    pub(super) fn layers<A: Amplitude>(&self, group: &Group, values: &Values, back: bool, out: &mut Vec<Local<A>>) {
        self.local(group, values, back, out);
        for run in group.runs.iter().filter(|run| run.bits <= PART) {
            let mut from = run.steps.start;
            while from < run.steps.end {
                let gates: Gates = join(&out[from..run.steps.end]);
                let end = from + gates.len().max(1);
                if gates.len() >= layer::GATES {
                    out[from].action = Action::Layer(Box::new(Layer::new(run.bits, &gates)), gates.len());
                    out[from + 1..end].iter_mut().for_each(|step| step.action = Action::Done);
                }
                from = end;
            }
        }
    }

    /// A group's steps; those of a run look at the parts that it works on as their tiles.
    pub(super) fn local<A>(&self, group: &Group, values: &Values, back: bool, out: &mut Vec<Local<A>>) {
        out.clear();
        for run in &group.runs {
            let bits = &group.bits[..run.bits];
            for step in run.steps.clone() {
                out.push(self.local_step(&self.steps[group.steps.start + step], bits, values, back));
            }
        }
    }

    fn local_step<A>(&self, step: &Step, bits: &[u8], values: &Values, back: bool) -> Local<A> {
        // consecutive bits at the bottom keep their places
        let low = bits.iter().enumerate().all(|(k, &b)| k == b as usize);
        let inside: usize = if low { (1 << bits.len()) - 1 } else { bits.iter().map(|&b| 1usize << b).sum() };
        let cut = |mask: usize| if low { mask & inside } else { compress(mask, bits) };
        let subset = |s: Subset| Subset { mask: cut(s.mask), value: cut(s.value) };
        let outside = |s: Subset| Subset { mask: s.mask & !inside, value: s.value & !inside };
        let levels = |p: &Pairs| Pairs { mask: cut(p.mask), zero: cut(p.zero), one: cut(p.one) };
        let beyond = |p: &Pairs| outside(Subset { mask: p.mask, value: p.zero });
        match step {
            Step::TwoLevel { pairs, factors } => {
                Local { action: Action::TwoLevel(levels(pairs), self.product(factors, values), ONE), outside: beyond(pairs), sign: 0 }
            }
            Step::Exchange { pairs } => Local { action: Action::Exchange(levels(pairs)), outside: beyond(pairs), sign: 0 },
            Step::Rotation { masks, controls, angle } => Local {
                action: Action::Rotation(Masks { x: cut(masks.x), z: cut(masks.z) }, subset(*controls), angle.at(values.theta)),
                outside: outside(*controls),
                sign: masks.z & !inside,
            },
            Step::Phase { on, angle } => Local {
                action: Action::Phase(subset(*on), Complex::from_polar(1.0, angle.at(values.theta))),
                outside: outside(*on),
                sign: 0,
            },
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
                let theta = angle.at(values.theta);
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
            Step::Permute { index, .. } => {
                let whole = self.permutations[*index as usize].map().clone();
                let moves = Moves { within: Permutation::new(whole.within(bits)), whole, bits: bits.to_vec() };
                Local { action: Action::Permute(Box::new(moves)), outside: Subset::ALL, sign: 0 }
            }
        }
    }
}

pub(super) fn sign(bits: usize) -> f64 {
    if bits.count_ones().is_multiple_of(2) { 1.0 } else { -1.0 }
}
