//! What a circuit does as passes over the amplitudes: steps, in groups that one walk does.

use super::angle::Angle;
use super::gate::Unitary;
use super::pauli::Pauli;
use crate::kernels::elementwise::{Unary, unary_inplace};
use crate::kernels::state_vector::Subset;
use crate::kernels::state_vector::pauli_rotation::Masks;
use crate::kernels::state_vector::permute::Permutation;
use crate::kernels::state_vector::two_level::{Pairs, Su2};
use num_complex::Complex;
use std::sync::Arc;

/// Index bits of a tile: ψ and λ of a tile fit the second-level cache.
pub(crate) const TILE: usize = 13;
/// Index bits of a part of a tile: ψ and λ of it fit the first-level cache.
pub(crate) const PART: usize = 9;

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
