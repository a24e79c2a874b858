//! A diagonal operator given by its table of entries.
//!
//! For a block of low index bits the entries are laid out as the amplitudes are, and kept while the bits above ask for the same ones.

use super::{Amplitude, Lanes, Loop, State, Subset, by_lane, dispatch, im_total};
use crate::kernels::parallel::collect;
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

/// Index bits of a task.
const TASK: usize = 14;

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

/// What the amplitudes of a block are multiplied by: (re, re), (−im, im) and (d, d).
struct Block<A> {
    re: Vec<A>,
    im: Vec<A>,
    d: Vec<A>,
}

impl<A: Amplitude> Pass<'_, A> {
    /// The entries of a block; 1, 0 and 0 outside the subset.
    fn lay_out(&self, low: &[usize], high: usize, out: &mut Block<A>) {
        let on = Subset { mask: self.on.mask & (low.len() - 1), value: self.on.value & (low.len() - 1) };
        let same = |x: f64| A::cast(Complex::new(x, x));
        for (i, low) in low.iter().enumerate() {
            let (mut z, mut d) = (Complex::new(1.0, 0.0), 0.0);
            if on.contains(i) {
                z = self.z[low | high];
                d = self.d.get(low | high).copied().unwrap_or(0.0);
            }
            if self.lambda.is_some() {
                z = z.conj();
            }
            (out.re[i], out.im[i], out.d[i]) = (same(z.re), A::cast(Complex::new(-z.im, z.im)), same(d));
        }
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
        let zero = A::cast(Complex::new(0.0, 0.0));
        let mut block = Block { re: vec![zero; size], im: vec![zero; size], d: vec![zero; size] };
        let mut of = None;
        let above = self.on.without(size - 1);
        let psi = self.psi.start.get();
        // SAFETY: the indices are inside the slices (`pass`), and a block is a whole number of registers.
        unsafe {
            let mut sum = by_lane::<A, L>(|_| Complex::new(0.0, 0.0));
            for start in self.indices.clone().step_by(size).filter(|&start| above.contains(start)) {
                let high = self.entries.number(start) | self.entries.offset;
                if of != Some(high) {
                    self.lay_out(&low, high, &mut block);
                    of = Some(high);
                }
                for i in (0..size).step_by(L::WIDTH) {
                    let (re, im) = (L::load(block.re.as_ptr().add(i)), L::load(block.im.as_ptr().add(i)));
                    let p = psi.add(start + i);
                    let x = L::load(p);
                    let s = x.swap();
                    im.fma(s, re.mul(x)).store(p);
                    if let Some(lambda) = &self.lambda {
                        let q = lambda.start.get().add(start + i);
                        let y = L::load(q);
                        sum = L::load(block.d.as_ptr().add(i)).mul(y).fma(s, sum);
                        im.fma(y.swap(), re.mul(y)).store(q);
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
    let size = len.min(1 << TASK);
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
