//! A diagonal operator given by its table of entries.
//!
//! For blocks of low index bits the entries are laid out as the amplitudes are. Few bits above a block choose among few blocks, which are
//! all kept; with many, each is laid out when its turn comes.

use super::{Amplitude, Lanes, Loop, State, Subset, by_lane, dispatch, im_total};
use crate::kernels::parallel::collect;
use num_complex::Complex;
use smallvec::SmallVec;

/// Where an amplitude finds its entry: bit `to` of the entry's number is bit `from` of the index, on top of `offset`.
pub struct Entries<'a> {
    /// (from, to)
    pub bits: &'a [(usize, usize)],
    /// What the bits outside a tile say.
    pub offset: usize,
}

/// Index bits of a block.
const LOW: usize = 6;
/// Bits above a block, inside a task, up to which all blocks are kept: in the first-level cache, beside the amplitudes.
const KEPT: usize = 3;

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

/// Amplitudes of a task, in which entries are laid out once; at most 16 tasks.
const TASK: usize = 1 << 14;

/// The factors z, or with λ their conjugates and the sum of d Im λ*ψ, for the indices of a task.
struct Pass<'a, A> {
    psi: State<A>,
    lambda: Option<State<A>>,
    indices: std::ops::Range<usize>,
    entries: &'a Entries<'a>,
    on: Subset,
    d: &'a [f64],
    z: &'a [Complex<f64>],
}

/// Laid out entries: (re, re) and (−im, im) of what amplitudes are multiplied by and, for λ, (d, d).
struct Blocks<A> {
    re: Vec<A>,
    im: Vec<A>,
    d: Vec<A>,
    /// Of each block, what the bits above it ask for, once it is laid out.
    high: Vec<Option<usize>>,
}

impl<A: Amplitude> Pass<'_, A> {
    /// The entries of block k; 1 and 0 outside the subset.
    fn lay_out(&self, low: &[usize], high: usize, k: usize, out: &mut Blocks<A>) {
        let on = Subset { mask: self.on.mask & (low.len() - 1), value: self.on.value & (low.len() - 1) };
        for (i, number) in low.iter().enumerate() {
            let (mut z, mut d) = (Complex::new(1.0, 0.0), 0.0);
            if on.contains(i) {
                z = self.z[number | high];
                d = self.d.get(number | high).copied().unwrap_or(0.0);
            }
            let at = k * low.len() + i;
            if self.lambda.is_some() {
                z = z.conj();
                out.d[at] = A::cast(Complex::new(d, d));
            }
            (out.re[at], out.im[at]) = (A::cast(Complex::new(z.re, z.re)), A::cast(Complex::new(-z.im, z.im)));
        }
        out.high[k] = Some(high);
    }
}

impl<A: Amplitude> Loop<A> for Pass<'_, A> {
    type Output = f64;
    fn extent(&self) -> (usize, usize) {
        (self.indices.len(), 0)
    }
    #[inline(always)]
    unsafe fn run<L: Lanes<A>>(self) -> f64 {
        let size = self.indices.len().min(1 << LOW);
        let low: Vec<usize> = (0..size).map(|i| self.entries.number(i)).collect();
        // the bits of an index inside the task that choose its block
        let choose: SmallVec<[usize; KEPT]> =
            self.entries.bits.iter().map(|&(from, _)| from).filter(|&b| 1 << b >= size && 1 << b < self.indices.len()).collect();
        let kept = if choose.len() <= KEPT { choose.as_slice() } else { &[] };
        let zero = A::cast(Complex::new(0.0, 0.0));
        let count = 1 << kept.len();
        let d = if self.lambda.is_some() { count * size } else { 0 };
        let (re, im) = (vec![zero; count * size], vec![zero; count * size]);
        let mut blocks = Blocks { re, im, d: vec![zero; d], high: vec![None; count] };
        let above = self.on.without(size - 1);
        let psi = self.psi.start.get();
        // SAFETY: the indices are inside the slices (`pass`), and a block is a whole number of registers.
        unsafe {
            let mut sum = by_lane::<A, L>(|_| Complex::new(0.0, 0.0));
            for start in self.indices.clone().step_by(size).filter(|&start| above.contains(start)) {
                let k: usize = kept.iter().enumerate().map(|(k, &b)| (start >> b & 1) << k).sum();
                if kept.len() < choose.len() || blocks.high[k].is_none() {
                    let high = self.entries.number(start) | self.entries.offset;
                    if blocks.high[k] != Some(high) {
                        self.lay_out(&low, high, k, &mut blocks);
                    }
                }
                let (re, im) = (blocks.re.as_ptr().add(k * size), blocks.im.as_ptr().add(k * size));
                match &self.lambda {
                    None => {
                        for i in (0..size).step_by(L::WIDTH) {
                            let p = psi.add(start + i);
                            let x = L::load(p);
                            L::load(im.add(i)).fma(x.swap(), L::load(re.add(i)).mul(x)).store(p);
                        }
                    }
                    Some(lambda) => {
                        let d = blocks.d.as_ptr().add(k * size);
                        for i in (0..size).step_by(L::WIDTH) {
                            let (p, q) = (psi.add(start + i), lambda.start.get().add(start + i));
                            let (x, y, re, im) = (L::load(p), L::load(q), L::load(re.add(i)), L::load(im.add(i)));
                            let s = x.swap();
                            sum = L::load(d.add(i)).mul(y).fma(s, sum);
                            im.fma(s, re.mul(x)).store(p);
                            im.fma(y.swap(), re.mul(y)).store(q);
                        }
                    }
                }
            }
            im_total(sum, |_| true)
        }
    }
}

fn pass<A: Amplitude>(psi: &mut [A], lambda: Option<&mut [A]>, entries: &Entries, on: Subset, d: &[f64], z: &[Complex<f64>]) -> f64 {
    let len = psi.len();
    assert!(len.is_power_of_two() && on.mask < len && lambda.as_ref().is_none_or(|l| l.len() == len));
    let (psi, lambda) = (State::new(psi), lambda.map(State::new));
    let size = len.min(TASK.max(len / 16));
    let each = |k: usize| dispatch(Pass { psi, lambda, indices: k * size..(k + 1) * size, entries, on, d, z });
    if size == len { each(0) } else { collect(len / size, each).iter().sum() }
}

/// ψ_i ← z ψ_i with the entry z of each index of the subset.
pub fn apply<A: Amplitude>(psi: &mut [A], entries: &Entries, on: Subset, z: &[Complex<f64>]) {
    pass(psi, None, entries, on, &[], z);
}

/// Σ d Im λ_i* ψ_i over the subset, then ψ_i ← z* ψ_i and λ_i ← z* λ_i there.
pub fn undo<A: Amplitude>(psi: &mut [A], lambda: &mut [A], entries: &Entries, on: Subset, d: &[f64], z: &[Complex<f64>]) -> f64 {
    pass(psi, Some(lambda), entries, on, d, z)
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
