//! Permutations of the amplitudes by an affine map of the index over GF(2): any sequence of X, CNOT and SWAP.
//!
//! The new amplitude at M i ⊕ b is the old one at i. The indices are run through as combinations of a basis: first vectors along which the
//! old index is consecutive, then vectors along which the new one is, then the others; whatever the map, both sides are then read and
//! written in whole cache lines, a few pages at a time. States that fit the nearest cache need no order: they are written from the first
//! amplitude to the last, each from where a table says.

use super::Amplitude;
use super::two_level::Pairs;
use crate::kernels::parallel::{Shared, for_each};

/// i ↦ M i ⊕ b, and the order in which to run through it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Affine {
    /// Columns of M: where each bit goes.
    columns: Vec<u32>,
    shift: u32,
}

impl Affine {
    /// The identity on `n` bits.
    pub fn identity(n: usize) -> Affine {
        assert!(n < 32);
        Affine { columns: (0..n).map(|q| 1 << q).collect(), shift: 0 }
    }

    /// Followed by an exchange of pairs: a flip of one bit, of all or where one other bit has a value, or an exchange of two bits.
    pub fn then_exchange(&mut self, pairs: Pairs) {
        let along = (pairs.zero ^ pairs.one) as u32;
        let controls = pairs.mask as u32 & !along;
        assert!(along.count_ones() + controls.count_ones() <= 2);
        if along.count_ones() == 2 {
            for c in self.columns.iter_mut().chain([&mut self.shift]) {
                *c ^= if (*c & along).count_ones() == 1 { along } else { 0 };
            }
            return;
        }
        for c in self.columns.iter_mut().chain([&mut self.shift]) {
            *c ^= if *c & controls != 0 { along } else { 0 };
        }
        // a control that must be 0, or none: flipped where it is 1, and always
        if pairs.zero as u32 & controls == 0 {
            self.shift ^= along;
        }
    }

    /// Where index i goes.
    pub fn image(&self, i: usize) -> usize {
        (self.shift ^ combine_columns(&self.columns, i as u32)) as usize
    }

    /// The map inside a tile, for maps that leave the other bits alone: i has the given bits in their order; what the other bits add to
    /// the shift is for the caller.
    pub fn within(&self, bits: &[u8]) -> Affine {
        let compress = |mask: u32| bits.iter().enumerate().map(|(k, &b)| (mask >> b & 1) << k).sum();
        Affine { columns: bits.iter().map(|&b| compress(self.columns[b as usize])).collect(), shift: 0 }
    }

    /// The linear part applied to each unit vector of the inverse: which old bits make a new one.
    fn inverse_columns(&self) -> Vec<u32> {
        let n = self.columns.len();
        let mut a = self.columns.clone();
        let mut inverse: Vec<u32> = (0..n).map(|q| 1 << q).collect();
        for bit in 0..n {
            let pivot = (bit..n).find(|&k| a[k] >> bit & 1 == 1).expect("an invertible map");
            a.swap(bit, pivot);
            inverse.swap(bit, pivot);
            for k in 0..n {
                if k != bit && a[k] >> bit & 1 == 1 {
                    a[k] ^= a[bit];
                    inverse[k] ^= inverse[bit];
                }
            }
        }
        inverse
    }
}

/// Consecutive indices that are read or written together, as a power of two: two cache lines of double precision.
const RUN: usize = 3;
/// Indices of the inner table, as a power of two.
const TABLE: usize = 8;
/// Index bits up to which a state and its permuted copy stay in the nearest caches.
const SMALL: usize = 11;

/// An [`Affine`] map ready to be applied, in both directions.
#[derive(Clone, Debug)]
pub struct Permutation {
    map: Affine,
    /// Combinations of the first basis vectors: (old, new), without the shift.
    table: Vec<(u32, u32)>,
    /// The other basis vectors.
    rest: Vec<(u32, u32)>,
    sources: Option<Sources>,
}

/// Twice the old index of each new one, and twice the new index of each old one: the numbers of their real parts.
#[derive(Clone, Debug)]
struct Sources {
    forward: Vec<u16>,
    back: Vec<u16>,
    /// The linear part's inverse.
    inverse: Vec<u32>,
}

impl Sources {
    fn new(map: &Affine, inverse: &[u32]) -> Sources {
        // index by index: the one without its highest bit has been done
        let table = |columns: &[u32], start: u32| {
            let mut to = vec![2 * start as u16];
            for c in columns {
                to.extend_from_within(..);
                let half = to.len() / 2;
                to[half..].iter_mut().for_each(|t| *t ^= 2 * *c as u16);
            }
            to
        };
        let start = combine_columns(inverse, map.shift);
        Sources { forward: table(inverse, start), back: table(&map.columns, map.shift), inverse: inverse.to_vec() }
    }

    fn apply<A: Amplitude>(&self, from: &[A], to: &mut [A], shift: usize, back: bool) {
        let (table, turn) = if back { (&self.back, shift as u32) } else { (&self.forward, combine_columns(&self.inverse, shift as u32)) };
        let turn = 2 * turn as u16;
        assert!(from.len() == table.len() && to.len() == table.len());
        let from = from.as_ptr().cast::<A::R>();
        for (x, &source) in to.iter_mut().zip(table) {
            // SAFETY: the table has twice the indices below its length, and `turn` only their bits; an amplitude is two numbers.
            *x = unsafe { from.add((source ^ turn) as usize).cast::<A>().read() };
        }
    }
}

/// A linear map applied to an index.
fn combine_columns(columns: &[u32], i: u32) -> u32 {
    columns.iter().enumerate().filter(|(q, _)| i >> q & 1 == 1).fold(0, |sum, (_, c)| sum ^ c)
}

impl Permutation {
    /// Chooses the order.
    pub fn new(map: Affine) -> Permutation {
        let n = map.columns.len();
        let inverse = map.inverse_columns();
        let mut basis: Vec<u32> = Vec::with_capacity(n);
        // by elimination: reduced[q] leads with bit q
        let mut reduced = vec![0u32; n];
        let candidates = (0..RUN.min(n)).map(|q| 1 << q).chain((0..RUN.min(n)).map(|q| inverse[q])).chain((0..n).map(|q| 1 << q));
        for v in candidates {
            let mut r = v;
            while r != 0 {
                let lead = r.ilog2() as usize;
                if reduced[lead] == 0 {
                    reduced[lead] = r;
                    basis.push(v);
                    break;
                }
                r ^= reduced[lead];
            }
        }
        let pairs: Vec<(u32, u32)> = basis.iter().map(|&v| (v, (map.image(v as usize) as u32) ^ map.shift)).collect();
        let inner = TABLE.min(n);
        let table = (0..1usize << inner).map(|k| combine(&pairs[..inner], k)).collect();
        let sources = (n <= SMALL).then(|| Sources::new(&map, &inverse));
        Permutation { table, rest: pairs[inner..].to_vec(), sources, map }
    }

    /// The map.
    pub fn map(&self) -> &Affine {
        &self.map
    }

    /// to[M i ⊕ b] = from[i], or with `back` to[i] = from[M i ⊕ b].
    pub fn apply<A: Amplitude>(&self, from: &[A], to: &mut [A], back: bool) {
        self.apply_shifted(from, to, 0, back);
    }

    /// The same with b ⊕ `shift` in place of b.
    pub fn apply_shifted<A: Amplitude>(&self, from: &[A], to: &mut [A], shift: usize, back: bool) {
        let len = 1usize << self.map.columns.len();
        assert!(from.len() == len && to.len() == len && shift < len);
        if let Some(sources) = &self.sources {
            return sources.apply(from, to, shift, back);
        }
        let shift = self.map.shift ^ shift as u32;
        let outer = 1 << self.rest.len();
        // tasks of some thousand amplitudes
        let each = (1usize << 14 >> TABLE).min(outer);
        let to = Shared(to.as_mut_ptr());
        for_each(outer / each, &|task| {
            let to = to.get();
            for k in task * each..(task + 1) * each {
                let (old, new) = combine(&self.rest, k);
                let new = new ^ shift;
                // SAFETY: the combinations of a basis are each index once, below the length; the map is a bijection, so each place of
                // `to` is written by one task, once.
                unsafe {
                    if back {
                        for &(o, n) in &self.table {
                            *to.add((old ^ o) as usize) = *from.get_unchecked((new ^ n) as usize);
                        }
                    } else {
                        for &(o, n) in &self.table {
                            *to.add((new ^ n) as usize) = *from.get_unchecked((old ^ o) as usize);
                        }
                    }
                }
            }
        });
    }
}

fn combine(basis: &[(u32, u32)], k: usize) -> (u32, u32) {
    let (mut old, mut new) = (0, 0);
    for (q, (o, n)) in basis.iter().enumerate() {
        if k >> q & 1 == 1 {
            old ^= o;
            new ^= n;
        }
    }
    (old, new)
}
