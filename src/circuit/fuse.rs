//! From elementary operations to the steps of a plan.
//!
//! Gates on one qubit wait until something else touches it and become one SU(2); X, CNOT and SWAP collect into one affine permutation of the
//! indices until something else touches their qubits: a few of them are exchanges of pairs, more are one pass. Which gate precedes which
//! matters only where they share a qubit, and that order is kept.

use super::angle::Angle;
use super::gate::Unitary;
use super::pauli::Pauli;
use super::plan::{Factor, Group, PART, Plan, Run, Step, TILE};
use crate::kernels::state_vector::Subset;
use crate::kernels::state_vector::pauli_rotation::Masks;
use crate::kernels::state_vector::permute::{Affine, Permutation};
use crate::kernels::state_vector::two_level::Pairs;
use std::collections::HashMap;
use std::sync::Arc;

/// Steps of a group, so that what is kept of them does not grow with the depth.
const STEPS: usize = 256;
/// Index bits that are always inside a tile: rows of a kilobyte.
const ROW: usize = 6;
/// X, CNOTs and SWAPs in a row that are done one by one: each touches half of the state, in place; a permutation writes all of it elsewhere.
const EXCHANGES: usize = 3;

pub(super) fn bit(q: usize) -> usize {
    1 << q
}

/// |01⟩ and |10⟩ of two qubits.
pub(super) fn exchanged(targets: &[usize], controls: Subset) -> Pairs {
    let (low, high) = (targets[0].min(targets[1]), targets[0].max(targets[1]));
    Pairs { mask: controls.mask | bit(low) | bit(high), zero: controls.value | bit(low), one: controls.value | bit(high) }
}

/// Collects operations and emits steps.
pub(super) struct Fuser {
    qubits: usize,
    /// Gates of each qubit that nothing after them has touched.
    waiting: Vec<Vec<Factor>>,
    /// Exchanges that come before what waits on their qubits; what they look at, and what they change.
    exchanges: Vec<Pairs>,
    touched: usize,
    changed: usize,
    steps: Vec<Step>,
    factors: Vec<Factor>,
    known: HashMap<Affine, u32>,
    permutations: Vec<Permutation>,
    matrices: Vec<Unitary>,
    tables: Vec<Arc<Vec<f64>>>,
    phases: Vec<Angle>,
}

impl Fuser {
    pub(super) fn new(qubits: usize) -> Fuser {
        Fuser {
            qubits,
            waiting: vec![Vec::new(); qubits],
            exchanges: Vec::new(),
            touched: 0,
            changed: 0,
            steps: Vec::new(),
            factors: Vec::new(),
            known: HashMap::new(),
            permutations: Vec::new(),
            matrices: Vec::new(),
            tables: Vec::new(),
            phases: Vec::new(),
        }
    }

    fn flush_exchanges(&mut self) {
        self.touched = 0;
        let changes = std::mem::take(&mut self.changed);
        let mut exchanges = std::mem::take(&mut self.exchanges);
        if exchanges.len() <= EXCHANGES {
            self.steps.extend(exchanges.iter().map(|&pairs| Step::Exchange { pairs }));
        } else {
            let mut affine = Affine::identity(self.qubits);
            for pairs in &exchanges {
                affine.then_exchange(*pairs);
            }
            if affine != Affine::identity(self.qubits) {
                let permutations = &mut self.permutations;
                let index = *self.known.entry(affine).or_insert_with_key(|affine| {
                    permutations.push(Permutation::new(affine.clone()));
                    permutations.len() as u32 - 1
                });
                self.steps.push(Step::Permute { index, changes });
            }
        }
        exchanges.clear();
        self.exchanges = exchanges;
    }

    /// What waits on a qubit becomes a step; the permutations before it first.
    fn flush_qubit(&mut self, q: usize) {
        if self.waiting[q].is_empty() {
            return;
        }
        if self.touched & bit(q) != 0 {
            self.flush_exchanges();
        }
        let waiting = std::mem::take(&mut self.waiting[q]);
        self.two_level(Pairs::qubit(q, Subset::ALL), &waiting);
        self.waiting[q] = waiting;
        self.waiting[q].clear();
    }

    /// Before a step on these qubits: everything that comes before it.
    fn settle(&mut self, mask: usize) {
        for q in 0..self.qubits {
            if mask & bit(q) != 0 {
                self.flush_qubit(q);
            }
        }
        if self.touched & mask != 0 {
            self.flush_exchanges();
        }
    }

    fn two_level(&mut self, pairs: Pairs, factors: &[Factor]) {
        let end = self.factors.len() as u32;
        self.factors.extend_from_slice(factors);
        let new_end = self.factors.len() as u32;
        if let Some(Step::TwoLevel { pairs: last, factors }) = self.steps.last_mut()
            && *last == pairs
            && factors.end == end
        {
            factors.end = new_end;
            return;
        }
        self.steps.push(Step::TwoLevel { pairs, factors: end..new_end });
    }

    pub(super) fn level(&mut self, target: usize, controls: Subset, factor: Factor) {
        if controls.mask == 0 {
            self.waiting[target].push(factor);
            return;
        }
        let pairs = Pairs::qubit(target, controls);
        self.settle(pairs.mask);
        self.two_level(pairs, &[factor]);
    }

    /// A factor on the levels |01⟩ (the first target is 1) and |10⟩ of two qubits.
    pub(super) fn turn(&mut self, targets: &[usize], controls: Subset, factor: Factor) {
        let pairs = exchanged(targets, controls);
        self.settle(pairs.mask);
        self.two_level(pairs, &[factor]);
    }

    pub(super) fn diagonal(&mut self, target: usize, controls: Subset, angle: Angle) {
        if controls.mask == 0 {
            self.waiting[target].push(Factor::Rotation(Pauli::Z, angle));
            self.phases.push(angle * 0.5);
            return;
        }
        self.phase(Subset { mask: controls.mask | bit(target), value: controls.value | bit(target) }, angle);
    }

    pub(super) fn phase(&mut self, on: Subset, angle: Angle) {
        if on.mask == 0 {
            self.phases.push(angle);
            return;
        }
        self.settle(on.mask);
        self.steps.push(Step::Phase { on, angle });
    }

    pub(super) fn rotation(&mut self, masks: Masks, controls: Subset, angle: Angle) {
        let support = masks.x | masks.z;
        if support == 0 {
            return self.phase(controls, angle * -0.5);
        }
        if support.count_ones() == 1 && controls.mask == 0 {
            let pauli = match (masks.x != 0, masks.z != 0) {
                (true, false) => Pauli::X,
                (true, true) => Pauli::Y,
                _ => Pauli::Z,
            };
            return self.level(support.trailing_zeros() as usize, controls, Factor::Rotation(pauli, angle));
        }
        self.settle(support | controls.mask);
        self.steps.push(Step::Rotation { masks, controls, angle });
    }

    /// X, CNOT and SWAP collect; with more controls the map of the indices is not affine.
    pub(super) fn exchange(&mut self, pairs: Pairs) {
        let along = pairs.zero ^ pairs.one;
        let controls = pairs.mask & !along;
        if controls.count_ones() + along.count_ones() > 2 {
            self.settle(pairs.mask);
            self.steps.push(Step::Exchange { pairs });
            return;
        }
        // a permutation stays inside a tile, where the gates before and after it are
        if (self.changed | along | self.row()).count_ones() as usize > TILE {
            self.flush_exchanges();
        }
        for q in 0..self.qubits {
            if pairs.mask & bit(q) != 0 {
                self.flush_qubit(q);
            }
        }
        self.touched |= pairs.mask;
        self.changed |= along;
        self.exchanges.push(pairs);
    }

    pub(super) fn waits(&self, q: usize) -> bool {
        !self.waiting[q].is_empty()
    }

    fn row(&self) -> usize {
        (1 << ROW.min(self.qubits)) - 1
    }

    pub(super) fn matrix(&mut self, unitary: &Unitary, targets: &[usize], controls: Subset) {
        let mask = targets.iter().map(|&q| bit(q)).sum::<usize>();
        self.settle(mask | controls.mask);
        self.matrices.push(unitary.clone());
        let index = self.matrices.len() as u32 - 1;
        self.steps.push(Step::Matrix { index, targets: targets.to_vec(), controls });
    }

    pub(super) fn table(&mut self, d: &Arc<Vec<f64>>, angle: Angle, targets: &[usize], controls: Subset) {
        let mask = targets.iter().map(|&q| bit(q)).sum::<usize>();
        self.settle(mask | controls.mask);
        self.tables.push(d.clone());
        let index = self.tables.len() as u32 - 1;
        self.steps.push(Step::Table { index, targets: targets.to_vec(), controls, angle });
    }

    pub(super) fn finish(mut self, parameters: usize) -> Plan {
        self.flush_exchanges();
        for q in 0..self.qubits {
            self.flush_qubit(q);
        }
        let groups = self.group();
        Plan {
            parameters,
            steps: self.steps,
            factors: self.factors,
            permutations: self.permutations,
            matrices: self.matrices,
            tables: self.tables,
            groups,
            phases: self.phases,
        }
    }

    /// The bits along which a step couples amplitudes; none for a permutation of a state that is one tile: it moves to another buffer and
    /// need not come back.
    fn couples(&self, step: &Step) -> Option<usize> {
        match step {
            Step::TwoLevel { pairs, .. } => Some(pairs.zero ^ pairs.one),
            Step::Rotation { masks, .. } => Some(masks.x),
            Step::Matrix { targets, .. } => Some(targets.iter().map(|&q| bit(q)).sum()),
            Step::Phase { .. } | Step::Table { .. } => Some(0),
            Step::Exchange { pairs } => Some(pairs.zero ^ pairs.one),
            Step::Permute { changes, .. } => (self.qubits > TILE).then_some(*changes),
        }
    }

    /// Steps that couple amplitudes inside parts only, several in a row, go part by part.
    fn runs(&self, steps: &[Step], bits: &[u8]) -> Vec<Run> {
        let part: usize = bits.iter().take(PART).map(|&b| bit(b as usize)).sum();
        let mut runs: Vec<Run> = Vec::new();
        for (i, step) in steps.iter().enumerate() {
            let inside = steps.len() > 1 && self.couples(step).unwrap_or(0) & !part == 0;
            let size = if inside { PART.min(bits.len()) } else { bits.len() };
            match runs.last_mut() {
                Some(run) if run.bits == size => run.steps.end = i + 1,
                _ => runs.push(Run { steps: i..i + 1, bits: size }),
            }
        }
        runs
    }

    fn group(&self) -> Vec<Group> {
        let n = self.qubits;
        let row = self.row();
        let mut groups: Vec<Group> = Vec::new();
        let (mut start, mut bits) = (0, row);
        let mut close = |start: usize, end: usize, bits: usize| {
            if start < end {
                // a pass of its own reads and writes the state once, in place: nothing to gain from tiles
                let alone = end - start == 1 && !matches!(self.steps[start], Step::Permute { .. });
                let bits = if alone { (1usize << n) - 1 } else { bits };
                // filled up with the lowest bits, so that rows are long
                let mut bits = bits;
                for q in 0..n {
                    if (bits.count_ones() as usize) < TILE.min(n) {
                        bits |= bit(q);
                    }
                }
                let bits: Vec<u8> = (0..n as u8).filter(|&q| bits >> q & 1 == 1).collect();
                let runs = self.runs(&self.steps[start..end], &bits);
                groups.push(Group { steps: start..end, whole: bits.len() == n, bits, runs });
            }
        };
        for (i, step) in self.steps.iter().enumerate() {
            match self.couples(step) {
                None => {
                    close(start, i, bits);
                    close(i, i + 1, row);
                    (start, bits) = (i + 1, row);
                }
                Some(along) => {
                    if (bits | along).count_ones() as usize > TILE || i - start == STEPS {
                        close(start, i, bits);
                        (start, bits) = (i, row);
                    }
                    bits |= along;
                }
            }
        }
        close(start, self.steps.len(), bits);
        groups
    }
}
