//! A diagonal operator given by its table of entries.

use super::{Amplitude, Subset};
use num_complex::Complex;

/// Where an amplitude finds its entry: bit `to` of the entry's number is bit `from` of the index, on top of `offset`.
pub struct Entries<'a> {
    /// (from, to)
    pub bits: &'a [(usize, usize)],
    /// What the bits outside a tile say.
    pub offset: usize,
}

/// Index bits that are looked up together.
const LOW: usize = 8;

impl Entries<'_> {
    fn number(&self, i: usize) -> usize {
        self.bits.iter().map(|&(from, to)| (i >> from & 1) << to).sum()
    }

    /// `f(index, entry's number)` for the indices of a subset.
    fn for_each(&self, len: usize, on: Subset, mut f: impl FnMut(usize, usize)) {
        let size = len.min(1 << LOW);
        let low: Vec<usize> = (0..size).map(|i| self.number(i)).collect();
        for start in (0..len).step_by(size) {
            let high = self.number(start) | self.offset;
            for (i, &low) in low.iter().enumerate() {
                if on.contains(start | i) {
                    f(start | i, low | high);
                }
            }
        }
    }
}

/// ψ_i ← z ψ_i with the entry z of each index of the subset.
pub fn apply<A: Amplitude>(psi: &mut [A], entries: &Entries, on: Subset, z: &[Complex<f64>]) {
    entries.for_each(psi.len(), on, |i, k| psi[i] = A::cast(psi[i].widen() * z[k]));
}

/// Σ d Im λ_i* ψ_i over the subset, then ψ_i ← z* ψ_i and λ_i ← z* λ_i there.
pub fn undo<A: Amplitude>(psi: &mut [A], lambda: &mut [A], entries: &Entries, on: Subset, d: &[f64], z: &[Complex<f64>]) -> f64 {
    assert_eq!(psi.len(), lambda.len());
    let mut sum = 0.0;
    entries.for_each(psi.len(), on, |i, k| {
        let (x, y) = (psi[i].widen(), lambda[i].widen());
        sum += d[k] * (y.re * x.im - y.im * x.re);
        psi[i] = A::cast(x * z[k].conj());
        lambda[i] = A::cast(y * z[k].conj());
    });
    sum
}

/// Σ d Im λ_i* ψ_i over the subset.
pub fn bracket<A: Amplitude>(psi: &[A], lambda: &[A], entries: &Entries, on: Subset, d: &[f64]) -> f64 {
    assert_eq!(psi.len(), lambda.len());
    let mut sum = 0.0;
    entries.for_each(psi.len(), on, |i, k| {
        let (x, y) = (psi[i].widen(), lambda[i].widen());
        sum += d[k] * (y.re * x.im - y.im * x.re);
    });
    sum
}

/// out_i ← out_i − i · rate · d ψ_i for the indices of the subset.
pub fn generate<A: Amplitude>(psi: &[A], out: &mut [A], entries: &Entries, on: Subset, d: &[f64], rate: f64) {
    assert_eq!(psi.len(), out.len());
    entries.for_each(psi.len(), on, |i, k| {
        out[i] = A::cast(out[i].widen() + Complex::new(0.0, -rate * d[k]) * psi[i].widen());
    });
}
