//! From the tree of blocks to the passes over the amplitudes.
//!
//! The tree is lowered to a few elementary operations. Gates on one qubit wait until something else touches it and become one SU(2); X, CNOT
//! and SWAP collect into one affine permutation of the indices until something else touches their qubits: a few of them are exchanges of
//! pairs, more are one pass. Which gate precedes which matters only where they share a qubit, and that order is kept.

use super::angle::Angle;
use super::gate::{Gate, Unitary};
use super::pauli::Pauli;
use super::tree::{Block, Circuit, Control, Trotter};
use crate::kernels::elementwise::{Unary, unary_inplace};
use crate::kernels::state_vector::Subset;
use crate::kernels::state_vector::pauli_rotation::Masks;
use crate::kernels::state_vector::permute::{Affine, Permutation};
use crate::kernels::state_vector::two_level::{Pairs, Su2};
use num_complex::Complex;
use std::collections::HashMap;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_PI_2, FRAC_PI_4, PI};
use std::sync::Arc;

/// One of the gates that an SU(2) is the product of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Factor {
    /// exp(−iθP/2)
    Rotation(Pauli, Angle),
    Fixed(Su2),
}

/// Parameters, and the sines and cosines of the factors' half angles: all at once, vectorised.
pub(crate) struct Values<'a> {
    pub(crate) theta: &'a [f64],
    sin: Vec<f64>,
    cos: Vec<f64>,
}

impl Plan {
    pub(crate) fn values<'a>(&self, theta: &'a [f64]) -> Values<'a> {
        let half = |f: &Factor| match *f {
            Factor::Fixed(_) => 0.0,
            Factor::Rotation(_, angle) => 0.5 * angle.at(theta),
        };
        let sin: Vec<f64> = self.factors.iter().map(half).collect();
        let mut cos = sin.clone();
        let mut out = Values { theta, sin, cos: Vec::new() };
        unary_inplace(Unary::Cos, &mut cos);
        unary_inplace(Unary::Sin, &mut out.sin);
        out.cos = cos;
        out
    }

    /// One factor.
    pub(crate) fn factor(&self, i: usize, values: &Values) -> Su2 {
        match self.factors[i] {
            Factor::Fixed(u) => u,
            Factor::Rotation(pauli, _) => {
                let (s, c) = (values.sin[i], values.cos[i]);
                match pauli {
                    Pauli::X => Su2 { alpha: Complex::new(c, 0.0), beta: Complex::new(0.0, -s) },
                    Pauli::Y => Su2 { alpha: Complex::new(c, 0.0), beta: Complex::new(s, 0.0) },
                    Pauli::Z => Su2 { alpha: Complex::new(c, -s), beta: Complex::new(0.0, 0.0) },
                }
            }
        }
    }

    /// The product of factors, the first acting first.
    pub(crate) fn product(&self, factors: &std::ops::Range<u32>, values: &Values) -> Su2 {
        let mut u = self.factor(factors.start as usize, values);
        for i in factors.start as usize + 1..factors.end as usize {
            u = self.factor(i, values).times(u);
        }
        u
    }
}

/// A pass over the amplitudes.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// SU(2) on pairs: the factors of a range, the first acts first.
    TwoLevel { pairs: Pairs, factors: std::ops::Range<u32> },
    /// exp(−iθP/2)
    Rotation { masks: Masks, controls: Subset, angle: Angle },
    /// e^{iθ} on a subset
    Phase { on: Subset, angle: Angle },
    /// A permutation of the indices, of the list, that changes some bits only.
    Permute { index: u32, changes: usize },
    /// Pairs of amplitudes exchanged.
    Exchange { pairs: Pairs },
    /// A matrix of the list.
    Matrix { index: u32, targets: Vec<usize>, controls: Subset },
    /// exp(−iθD) with a diagonal of the list.
    Table { index: u32, targets: Vec<usize>, controls: Subset, angle: Angle },
}

/// Consecutive steps that one walk over the amplitudes does: all of them, tile by tile.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) steps: std::ops::Range<usize>,
    /// The index bits inside a tile, ascending.
    pub(crate) bits: Vec<u8>,
    pub(crate) runs: Vec<Run>,
    /// Whether the state is one tile.
    pub(crate) whole: bool,
}

/// Consecutive steps of a group that are done part by part of a tile.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// Counted from the group's first.
    pub(crate) steps: std::ops::Range<usize>,
    /// How many of the group's bits a part has: all, or those of a part that fits the first-level cache.
    pub(crate) bits: usize,
}

/// What a circuit does, independent of the values of its parameters.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) parameters: usize,
    pub(crate) steps: Vec<Step>,
    pub(crate) factors: Vec<Factor>,
    pub(crate) permutations: Vec<Permutation>,
    pub(crate) matrices: Vec<Unitary>,
    pub(crate) tables: Vec<Arc<Vec<f64>>>,
    pub(crate) groups: Vec<Group>,
    /// e^{iθ} on all amplitudes
    pub(crate) phases: Vec<Angle>,
}

/// Index bits of a tile: ψ and λ of a tile fit the second-level cache.
pub(crate) const TILE: usize = 13;
/// Steps of a group, so that what is kept of them does not grow with the depth.
const STEPS: usize = 256;
/// Index bits of a part of a tile: ψ and λ of it fit the first-level cache.
pub(crate) const PART: usize = 9;
/// Index bits that are always inside a tile: rows of a kilobyte.
const ROW: usize = 6;
/// X, CNOTs and SWAPs in a row that are done one by one: each touches half of the state, in place; a permutation writes all of it elsewhere.
const EXCHANGES: usize = 3;

fn bit(q: usize) -> usize {
    1 << q
}

impl Plan {
    pub(crate) fn new(circuit: &Circuit) -> Plan {
        let mut fuser = Fuser::new(circuit.qubits());
        let angles: Vec<Angle> = (0..circuit.parameters()).map(|i| super::Parameter(i).into()).collect();
        let qubits: Vec<usize> = (0..circuit.qubits()).collect();
        lower(circuit, &Frame { qubits: &qubits, angles: &angles, controls: Subset::ALL, inverse: false }, &mut fuser);
        fuser.finish(circuit.parameters())
    }
}

/// How a nested circuit sits in the whole.
struct Frame<'a> {
    qubits: &'a [usize],
    angles: &'a [Angle],
    controls: Subset,
    inverse: bool,
}

impl Frame<'_> {
    fn with(&self, controls: &[Control]) -> Subset {
        let mut subset = self.controls;
        for c in controls {
            let b = bit(self.qubits[c.qubit]);
            subset.mask |= b;
            subset.value |= if c.value { b } else { 0 };
        }
        subset
    }
}

fn lower(circuit: &Circuit, frame: &Frame, out: &mut Fuser) {
    let each = |block: &Block, out: &mut Fuser| match block {
        Block::Gate { gate, targets, controls } => {
            let gate = gate.map_angles(|a| a.substitute(frame.angles));
            let gate = if frame.inverse { gate.inverse() } else { gate };
            let targets: Vec<usize> = targets.iter().map(|&t| frame.qubits[t]).collect();
            lower_gate(&gate, &targets, frame.with(controls), out);
        }
        Block::Exponential { sum, angle, trotter, steps, controls } => {
            let controls = frame.with(controls);
            let angle = angle.substitute(frame.angles) * if frame.inverse { -1.0 } else { 1.0 };
            let terms: Vec<(f64, Masks)> = sum
                .terms()
                .map(|(c, p)| {
                    let move_bits = |m: u64| (0..64).filter(|q| m >> q & 1 == 1).map(|q| bit(frame.qubits[q])).sum();
                    (c, Masks { x: move_bits(p.x), z: move_bits(p.z) })
                })
                .collect();
            for _ in 0..*steps {
                trotter_step(&terms, angle * (1.0 / *steps as f64), *trotter, frame.inverse, controls, out);
            }
        }
        Block::Nested { body, qubits, angles, controls, times, inverse } => {
            let qubits: Vec<usize> = qubits.iter().map(|&q| frame.qubits[q]).collect();
            let angles: Vec<Angle> = angles.iter().map(|a| a.substitute(frame.angles)).collect();
            let inner = Frame { qubits: &qubits, angles: &angles, controls: frame.with(controls), inverse: frame.inverse ^ inverse };
            for _ in 0..*times {
                lower(body, &inner, out);
            }
        }
    };
    if frame.inverse {
        circuit.blocks().iter().rev().for_each(|b| each(b, out));
    } else {
        circuit.blocks().iter().for_each(|b| each(b, out));
    }
}

/// exp(−iθ Σ c P) once; in the inverse (θ negated by the caller) the first-order product runs backwards, the others are symmetric.
fn trotter_step(terms: &[(f64, Masks)], theta: Angle, trotter: Trotter, backwards: bool, controls: Subset, out: &mut Fuser) {
    let sweep = |scale: f64, reverse: bool, out: &mut Fuser| {
        let one = |&(c, masks): &(f64, Masks), out: &mut Fuser| out.rotation(masks, controls, theta * (2.0 * c * scale));
        if reverse { terms.iter().rev().for_each(|t| one(t, out)) } else { terms.iter().for_each(|t| one(t, out)) }
    };
    let symmetric = |scale: f64, out: &mut Fuser| {
        sweep(0.5 * scale, false, out);
        sweep(0.5 * scale, true, out);
    };
    match trotter {
        Trotter::First => sweep(1.0, backwards, out),
        Trotter::Second => symmetric(1.0, out),
        Trotter::Fourth => {
            let p = 1.0 / (4.0 - 4.0f64.cbrt());
            [p, p, 1.0 - 4.0 * p, p, p].iter().for_each(|&scale| symmetric(scale, out));
        }
    }
}

/// e^{iγ} and SU(2) of a 2 × 2 unitary matrix, row by row.
fn split_phase(u: &[Complex<f64>]) -> (f64, Su2) {
    let gamma = 0.5 * (u[0] * u[3] - u[1] * u[2]).arg();
    let back = Complex::from_polar(1.0, -gamma);
    // the two columns say the same up to rounding
    let alpha = 0.5 * (u[0] * back + (u[3] * back).conj());
    let beta = 0.5 * (u[2] * back - (u[1] * back).conj());
    let norm = (alpha.norm_sqr() + beta.norm_sqr()).sqrt();
    (gamma, Su2 { alpha: alpha / norm, beta: beta / norm })
}

fn lower_gate(gate: &Gate, targets: &[usize], controls: Subset, out: &mut Fuser) {
    let fixed = |x: f64| Angle::Fixed(x);
    let rotation = |p: Pauli, a: Angle| Factor::Rotation(p, a);
    match gate {
        Gate::GlobalPhase(a) => out.phase(controls, *a),
        // after gates on the same qubit it is one more factor
        Gate::X if controls.mask == 0 && out.waits(targets[0]) => {
            out.level(targets[0], controls, rotation(Pauli::X, fixed(PI)));
            out.phase(controls, fixed(FRAC_PI_2));
        }
        Gate::X => out.exchange(Pairs::qubit(targets[0], controls)),
        Gate::Y => {
            out.level(targets[0], controls, rotation(Pauli::Y, fixed(PI)));
            out.phase(controls, fixed(FRAC_PI_2));
        }
        Gate::H => {
            let h = Complex::new(0.0, -FRAC_1_SQRT_2);
            out.level(targets[0], controls, Factor::Fixed(Su2 { alpha: h, beta: h }));
            out.phase(controls, fixed(FRAC_PI_2));
        }
        Gate::SqrtX | Gate::SqrtXdg => {
            let sign = if *gate == Gate::SqrtX { 1.0 } else { -1.0 };
            out.level(targets[0], controls, rotation(Pauli::X, fixed(sign * FRAC_PI_2)));
            out.phase(controls, fixed(sign * FRAC_PI_4));
        }
        Gate::Z => out.diagonal(targets[0], controls, fixed(PI)),
        Gate::S => out.diagonal(targets[0], controls, fixed(FRAC_PI_2)),
        Gate::Sdg => out.diagonal(targets[0], controls, fixed(-FRAC_PI_2)),
        Gate::T => out.diagonal(targets[0], controls, fixed(FRAC_PI_4)),
        Gate::Tdg => out.diagonal(targets[0], controls, fixed(-FRAC_PI_4)),
        Gate::Phase(a) => out.diagonal(targets[0], controls, *a),
        Gate::Rx(a) => out.level(targets[0], controls, rotation(Pauli::X, *a)),
        Gate::Ry(a) => out.level(targets[0], controls, rotation(Pauli::Y, *a)),
        Gate::Rz(a) => out.level(targets[0], controls, rotation(Pauli::Z, *a)),
        Gate::U3(theta, phi, lambda) => {
            out.level(targets[0], controls, rotation(Pauli::Z, *lambda));
            out.level(targets[0], controls, rotation(Pauli::Y, *theta));
            out.level(targets[0], controls, rotation(Pauli::Z, *phi));
            out.phase(controls, *phi * 0.5);
            out.phase(controls, *lambda * 0.5);
        }
        Gate::Swap => out.exchange(exchanged(targets, controls)),
        Gate::ISwap => out.turn(targets, controls, rotation(Pauli::X, fixed(-PI))),
        Gate::FSim(theta, phi) => {
            out.turn(targets, controls, rotation(Pauli::X, *theta * 2.0));
            out.phase(along(targets, controls, [true, true]), -*phi);
        }
        Gate::PauliRotation(letters, angle) => {
            let mut masks = Masks::default();
            for (p, &q) in letters.iter().zip(targets) {
                masks.x |= if *p != Pauli::Z { bit(q) } else { 0 };
                masks.z |= if *p != Pauli::X { bit(q) } else { 0 };
            }
            out.rotation(masks, controls, *angle);
        }
        Gate::Matrix(u) if u.qubits() == 1 => {
            let (gamma, su2) = split_phase(u.entries());
            out.level(targets[0], controls, Factor::Fixed(su2));
            out.phase(controls, fixed(gamma));
        }
        Gate::Matrix(u) => out.matrix(u, targets, controls),
        Gate::Diagonal(d, angle) => out.table(d, *angle, targets, controls),
    }
}

/// |01⟩ and |10⟩ of two qubits.
fn exchanged(targets: &[usize], controls: Subset) -> Pairs {
    let (low, high) = (targets[0].min(targets[1]), targets[0].max(targets[1]));
    Pairs { mask: controls.mask | bit(low) | bit(high), zero: controls.value | bit(low), one: controls.value | bit(high) }
}

/// The controls and given values of two qubits.
fn along(targets: &[usize], controls: Subset, values: [bool; 2]) -> Subset {
    let value = targets.iter().zip(values).map(|(&q, v)| if v { bit(q) } else { 0 }).sum::<usize>();
    Subset { mask: controls.mask | bit(targets[0]) | bit(targets[1]), value: controls.value | value }
}

/// Collects operations and emits steps.
struct Fuser {
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
    fn new(qubits: usize) -> Fuser {
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

    fn level(&mut self, target: usize, controls: Subset, factor: Factor) {
        if controls.mask == 0 {
            self.waiting[target].push(factor);
            return;
        }
        let pairs = Pairs::qubit(target, controls);
        self.settle(pairs.mask);
        self.two_level(pairs, &[factor]);
    }

    /// A factor on the levels |01⟩ (the first target is 1) and |10⟩ of two qubits.
    fn turn(&mut self, targets: &[usize], controls: Subset, factor: Factor) {
        let pairs = exchanged(targets, controls);
        self.settle(pairs.mask);
        self.two_level(pairs, &[factor]);
    }

    fn diagonal(&mut self, target: usize, controls: Subset, angle: Angle) {
        if controls.mask == 0 {
            self.waiting[target].push(Factor::Rotation(Pauli::Z, angle));
            self.phases.push(angle * 0.5);
            return;
        }
        self.phase(Subset { mask: controls.mask | bit(target), value: controls.value | bit(target) }, angle);
    }

    fn phase(&mut self, on: Subset, angle: Angle) {
        if on.mask == 0 {
            self.phases.push(angle);
            return;
        }
        self.settle(on.mask);
        self.steps.push(Step::Phase { on, angle });
    }

    fn rotation(&mut self, masks: Masks, controls: Subset, angle: Angle) {
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
    fn exchange(&mut self, pairs: Pairs) {
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

    fn waits(&self, q: usize) -> bool {
        !self.waiting[q].is_empty()
    }

    fn row(&self) -> usize {
        (1 << ROW.min(self.qubits)) - 1
    }

    fn matrix(&mut self, unitary: &Unitary, targets: &[usize], controls: Subset) {
        let mask = targets.iter().map(|&q| bit(q)).sum::<usize>();
        self.settle(mask | controls.mask);
        self.matrices.push(unitary.clone());
        let index = self.matrices.len() as u32 - 1;
        self.steps.push(Step::Matrix { index, targets: targets.to_vec(), controls });
    }

    fn table(&mut self, d: &Arc<Vec<f64>>, angle: Angle, targets: &[usize], controls: Subset) {
        let mask = targets.iter().map(|&q| bit(q)).sum::<usize>();
        self.settle(mask | controls.mask);
        self.tables.push(d.clone());
        let index = self.tables.len() as u32 - 1;
        self.steps.push(Step::Table { index, targets: targets.to_vec(), controls, angle });
    }

    fn finish(mut self, parameters: usize) -> Plan {
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
