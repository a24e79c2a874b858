//! Hψ for H = Σ_t c_t P_t, the strings that flip the same qubits together.
//!
//! (Hψ)_j = Σ_x D_x(j) ψ_{j⊕x}, D_x(j) = Σ_{t: x_t = x} c_t i^{|x∧z_t|} (−1)^{(j⊕x)·z_t}: for a block of low bits of j the diagonal D_x is the
//! Walsh–Hadamard transform of the coefficients by the low bits of z, whatever the number of strings; it is kept while the signs of the
//! high bits stay the same.

use super::pauli_rotation::Masks;
use super::{Amplitude, Lanes, Loop, by_lane, dispatch, parity, re_total};
use crate::kernels::parallel::{Shared, collect};
use num_complex::Complex;

/// Strings that flip the same qubits.
#[derive(Clone, Debug)]
struct Group {
    x: usize,
    /// z of each string, and its place in the list it came from
    terms: Vec<(usize, usize)>,
}

/// Σ_t c_t P_t by the qubits that are flipped; the coefficients are given when it is applied.
#[derive(Clone, Debug)]
pub struct Grouped {
    groups: Vec<Group>,
}

/// Index bits of a block.
const BLOCK: usize = 9;
/// Blocks of a task.
const BLOCKS: usize = 16;

impl Grouped {
    /// Sorts the strings into groups.
    pub fn new(strings: &[Masks]) -> Grouped {
        let mut by_x: std::collections::BTreeMap<usize, Vec<(usize, usize)>> = Default::default();
        for (t, p) in strings.iter().enumerate() {
            by_x.entry(p.x).or_default().push((p.z, t));
        }
        Grouped { groups: by_x.into_iter().map(|(x, terms)| Group { x, terms }).collect() }
    }

    /// out ← Hψ
    pub fn apply<A: Amplitude>(&self, c: &[f64], psi: &[A], out: &mut [A]) {
        self.run(c, psi, Some(out));
    }

    /// ⟨ψ|H|ψ⟩
    pub fn expectation<A: Amplitude>(&self, c: &[f64], psi: &[A]) -> f64 {
        self.run(c, psi, None)
    }

    /// Fills `out` with Hψ, or sums Re⟨ψ|Hψ⟩.
    fn run<A: Amplitude>(&self, c: &[f64], psi: &[A], out: Option<&mut [A]>) -> f64 {
        assert!(out.as_ref().is_none_or(|out| psi.len() == out.len()));
        let len = psi.len();
        let bits = BLOCK.min(len.ilog2() as usize);
        let size = 1 << bits;
        let blocks = len >> bits;
        let shared = out.map(|out| Shared(out.as_mut_ptr()));
        let zero = A::cast(Complex::new(0.0, 0.0));
        let partial = collect(blocks.div_ceil(BLOCKS), |task| {
            let mut diagonals: Vec<Diagonal<A>> = self.groups.iter().map(|_| Diagonal::default()).collect();
            let mut sum = 0.0;
            let mut buffer = vec![zero; if shared.is_some() { 0 } else { size }];
            for block in task * BLOCKS..((task + 1) * BLOCKS).min(blocks) {
                let start = block * size;
                let out = match &shared {
                    // SAFETY: blocks of different numbers are disjoint and inside the slice.
                    Some(shared) => unsafe { std::slice::from_raw_parts_mut(shared.get().add(start), size) },
                    None => &mut buffer,
                };
                out.fill(zero);
                for (group, diagonal) in self.groups.iter().zip(&mut diagonals) {
                    diagonal.update(group, c, start, size);
                    let from = &psi[start ^ (group.x & !(size - 1))..][..size];
                    if !diagonal.re.is_empty() {
                        dispatch(Multiply { out, from, d: &diagonal.re, flip: group.x & (size - 1), imaginary: false });
                    }
                    if !diagonal.im.is_empty() {
                        dispatch(Multiply { out, from, d: &diagonal.im, flip: group.x & (size - 1), imaginary: true });
                    }
                }
                if shared.is_none() {
                    sum += dispatch(Dot { x: &psi[start..start + size], y: out });
                }
            }
            sum
        });
        partial.iter().sum()
    }

    /// ⟨λ|P_t|ψ⟩ for every string.
    pub fn brackets<A: Amplitude>(&self, strings: usize, lambda: &[A], psi: &[A]) -> Vec<Complex<f64>> {
        assert_eq!(psi.len(), lambda.len());
        let len = psi.len();
        let bits = BLOCK.min(len.ilog2() as usize);
        let size = 1 << bits;
        let blocks = len >> bits;
        let partial = collect(blocks.div_ceil(BLOCKS), |task| {
            let mut sums = vec![Complex::new(0.0, 0.0); strings];
            let mut w = vec![Complex::new(0.0, 0.0); size];
            for block in task * BLOCKS..((task + 1) * BLOCKS).min(blocks) {
                let start = block * size;
                for group in &self.groups {
                    // w_j = λ_j* ψ_{j⊕x}; its transform at the low bits of z is the sum over the block
                    for (j, w) in w.iter_mut().enumerate() {
                        *w = lambda[start | j].widen().conj() * psi[(start | j) ^ group.x].widen();
                    }
                    if group.terms.len() > bits {
                        walsh_hadamard(&mut w, (0..size).collect());
                        for &(z, t) in &group.terms {
                            let sign = 1.0 - 2.0 * parity((start ^ group.x) & z & !(size - 1)) as f64;
                            let low = 1.0 - 2.0 * parity(group.x & z & (size - 1)) as f64;
                            sums[t] += w[z & (size - 1)] * (sign * low);
                        }
                    } else {
                        for &(z, t) in &group.terms {
                            let mut sum = Complex::new(0.0, 0.0);
                            for (j, w) in w.iter().enumerate() {
                                sum += w * (1.0 - 2.0 * parity((start ^ group.x ^ j) & z) as f64);
                            }
                            sums[t] += sum;
                        }
                    }
                }
            }
            sums
        });
        let mut out = vec![Complex::new(0.0, 0.0); strings];
        for part in partial {
            out.iter_mut().zip(part).for_each(|(o, p)| *o += p);
        }
        for group in &self.groups {
            for &(z, t) in &group.terms {
                out[t] *= power_of_i((group.x & z).count_ones());
            }
        }
        out
    }
}

fn power_of_i(k: u32) -> Complex<f64> {
    [Complex::new(1.0, 0.0), Complex::new(0.0, 1.0), Complex::new(-1.0, 0.0), Complex::new(0.0, -1.0)][k as usize % 4]
}

/// The transform of a vector that vanishes but at the ascending places `at`.
fn walsh_hadamard(w: &mut [Complex<f64>], mut at: Vec<usize>) {
    let mut h = 1;
    while h < w.len() {
        // the parts that do not vanish
        at.iter_mut().for_each(|place| *place &= !(2 * h - 1));
        at.dedup();
        for &place in &at {
            let (a, b) = w[place..place + 2 * h].split_at_mut(h);
            for (a, b) in a.iter_mut().zip(b) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        h *= 2;
    }
}

/// D_x on a block: coefficients doubled for the two parts of an amplitude, empty where they vanish.
struct Diagonal<A> {
    re: Vec<A>,
    im: Vec<A>,
    signs: Option<u64>,
}

impl<A> Default for Diagonal<A> {
    fn default() -> Self {
        Diagonal { re: Vec::new(), im: Vec::new(), signs: None }
    }
}

impl<A: Amplitude> Diagonal<A> {
    fn update(&mut self, group: &Group, c: &[f64], start: usize, size: usize) {
        let low = size - 1;
        // the pattern of signs, where it fits a word
        let mut signs = 0;
        if group.terms.len() <= 64 {
            for (k, &(z, _)) in group.terms.iter().enumerate() {
                signs |= (parity((start ^ group.x) & z & !low) as u64) << k;
            }
            if self.signs == Some(signs) {
                return;
            }
            self.signs = Some(signs);
        }
        let mut d = vec![Complex::new(0.0, 0.0); size];
        for &(z, t) in &group.terms {
            let sign = 1.0 - 2.0 * (parity((start ^ group.x) & z & !low) ^ parity(group.x & z & low)) as f64;
            d[z & low] += power_of_i((group.x & z).count_ones()) * (c[t] * sign);
        }
        let mut at: Vec<usize> = group.terms.iter().map(|&(z, _)| z & low).collect();
        at.sort_unstable();
        walsh_hadamard(&mut d, at);
        let fill = |out: &mut Vec<A>, part: fn(&Complex<f64>) -> Complex<f64>| {
            out.clear();
            if d.iter().any(|z| part(z) != Complex::new(0.0, 0.0)) {
                out.extend(d.iter().map(|z| A::cast(part(z))));
            }
        };
        fill(&mut self.re, |z| Complex::new(z.re, z.re));
        fill(&mut self.im, |z| Complex::new(-z.im, z.im));
    }
}

struct Multiply<'a, A> {
    out: &'a mut [A],
    from: &'a [A],
    d: &'a [A],
    flip: usize,
    imaginary: bool,
}

impl<A: Amplitude> Multiply<'_, A> {
    #[inline(always)]
    unsafe fn sweep<L: Lanes<A>, const LANE: usize, const IMAGINARY: bool>(self) {
        let high = self.flip & !(L::WIDTH - 1);
        // SAFETY: the three slices have one length, a power of two above the bits of `flip`.
        unsafe {
            for j in (0..self.out.len()).step_by(L::WIDTH) {
                let x = L::load(self.from.as_ptr().add(j ^ high)).xor::<LANE>();
                let x = if IMAGINARY { x.swap() } else { x };
                let out = self.out.as_mut_ptr().add(j);
                L::load(self.d.as_ptr().add(j)).fma(x, L::load(out)).store(out);
            }
        }
    }
}

impl<A: Amplitude> Loop<A> for Multiply<'_, A> {
    type Output = ();
    fn extent(&self) -> (usize, usize) {
        (self.out.len(), 0)
    }
    #[inline(always)]
    unsafe fn run<L: Lanes<A>>(self) {
        debug_assert!(self.out.len() == self.from.len() && self.out.len() == self.d.len());
        // SAFETY: passed on.
        unsafe {
            match (self.flip & (L::WIDTH - 1), self.imaginary) {
                (0, false) => self.sweep::<L, 0, false>(),
                (0, true) => self.sweep::<L, 0, true>(),
                (1, false) => self.sweep::<L, 1, false>(),
                (1, true) => self.sweep::<L, 1, true>(),
                (2, false) => self.sweep::<L, 2, false>(),
                (2, true) => self.sweep::<L, 2, true>(),
                (_, false) => self.sweep::<L, 3, false>(),
                (_, true) => self.sweep::<L, 3, true>(),
            }
        }
    }
}

struct Dot<'a, A> {
    x: &'a [A],
    y: &'a [A],
}

impl<A: Amplitude> Loop<A> for Dot<'_, A> {
    type Output = f64;
    fn extent(&self) -> (usize, usize) {
        (self.x.len(), 0)
    }
    #[inline(always)]
    unsafe fn run<L: Lanes<A>>(self) -> f64 {
        // SAFETY: both slices have one length, a multiple of the width.
        unsafe {
            let mut sum = by_lane::<A, L>(|_| Complex::new(0.0, 0.0));
            for j in (0..self.x.len()).step_by(L::WIDTH) {
                sum = L::load(self.x.as_ptr().add(j)).fma(L::load(self.y.as_ptr().add(j)), sum);
            }
            re_total(sum, |_| true)
        }
    }
}

/// Re⟨x|y⟩.
pub fn dot<A: Amplitude>(x: &[A], y: &[A]) -> f64 {
    assert!(x.len() == y.len() && x.len().is_power_of_two());
    // blocks bound the rounding of single precision
    x.chunks(1 << BLOCK).zip(y.chunks(1 << BLOCK)).map(|(x, y)| dispatch(Dot { x, y })).sum()
}
