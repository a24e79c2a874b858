//! Loops over the amplitudes of a register of qubits: index bit q is qubit q.
//!
//! A gate runs through the indices that have given values on some bits (`fixed`): i ← ((i | fixed) + 1) & !fixed goes from one to the next
//! whatever those bits are, the carry runs through them. Bits below the width of a register are lanes: a condition on them is a
//! coefficient per lane, an exchange along them a shuffle. Loops here are of one thread; who calls them shares out the work.

pub mod aligned;
pub mod dense;
pub mod diagonal;
pub mod exchange;
mod lanes;
pub mod layer;
pub mod pauli_rotation;
pub mod pauli_sum;
pub mod permute;
pub mod phase;
pub mod tiles;
pub mod two_level;

pub use lanes::Amplitude;
use lanes::Lanes;

use crate::kernels::parallel::Shared;
use num_complex::Complex;
use smallvec::{SmallVec, smallvec};

/// The indices that have `value` on the bits of `mask`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Subset {
    /// The bits that are fixed.
    pub mask: usize,
    /// Their values.
    pub value: usize,
}

impl Subset {
    /// All indices.
    pub const ALL: Subset = Subset { mask: 0, value: 0 };

    /// Both conditions, on different bits.
    fn and(self, other: Subset) -> Subset {
        Subset { mask: self.mask | other.mask, value: self.value | other.value }
    }

    /// The same bits without those of `mask`.
    fn without(self, mask: usize) -> Subset {
        Subset { mask: self.mask & !mask, value: self.value & !mask }
    }

    fn contains(self, i: usize) -> bool {
        i & self.mask == self.value
    }
}

/// A loop over amplitudes, compiled for each width of register.
trait Loop<A: Amplitude> {
    type Output;
    /// How many amplitudes the loop has, and which index bits it can not have as lanes.
    fn extent(&self) -> (usize, usize);
    /// # Safety
    /// The instructions of `L` are there; the loop's pointers and bits are inside its slices.
    unsafe fn run<L: Lanes<A>>(self) -> Self::Output;
}

struct Dispatched<K, A>(K, std::marker::PhantomData<A>);

impl<A: Amplitude, K: Loop<A>> crate::kernels::simd::Task for Dispatched<K, A> {
    type Output = K::Output;
    #[inline(always)]
    fn run<const FMA: bool>(self) -> K::Output {
        let (len, scalar) = self.0.extent();
        #[cfg(target_arch = "x86_64")]
        {
            let width = <A::Wide as Lanes<A>>::WIDTH;
            if FMA && len >= 2 * width && scalar & (width - 1) == 0 {
                // SAFETY: on x86 `FMA` is set where AVX2 and FMA were detected; the rest is checked where the loop is made.
                return unsafe { self.0.run::<A::Wide>() };
            }
        }
        let width = <A::Plain as Lanes<A>>::WIDTH;
        // SAFETY: plain code; the rest is checked where the loop is made.
        unsafe { if len >= 2 * width && scalar & (width - 1) == 0 { self.0.run::<A::Plain>() } else { self.0.run::<A::One>() } }
    }
}

fn dispatch<A: Amplitude, K: Loop<A>>(task: K) -> K::Output {
    crate::kernels::simd::dispatch(Dispatched(task, std::marker::PhantomData::<A>))
}

/// Amplitudes from which a pass over a whole state is shared out.
const LARGE: usize = 1 << 17;

/// Parts of a large state for tasks, by the values of its highest index bits that are free.
fn split(len: usize, used: usize) -> SmallVec<[Subset; 1]> {
    if len < LARGE {
        return smallvec![Subset::ALL];
    }
    let free: Vec<usize> = (0..len.ilog2() as usize).rev().map(|q| 1 << q).filter(|b| used & b == 0).take(4).collect();
    if free.len() < 4 {
        return smallvec![Subset::ALL];
    }
    let mask = free.iter().sum();
    (0..16usize).map(|k| Subset { mask, value: (0..4).filter(|i| k >> i & 1 == 1).map(|i| free[i]).sum() }).collect()
}

/// A state that tasks share; each works on the indices of its part.
#[derive(Clone, Copy)]
struct State<A> {
    start: Shared<*mut A>,
    len: usize,
}

impl<A> State<A> {
    fn new(x: &mut [A]) -> State<A> {
        State { start: Shared(x.as_mut_ptr()), len: x.len() }
    }
}

/// Bytes of a state that the last cache does not hold.
const FAR: usize = 1 << 25;

/// How many of the ascending places that a step reads are on pages of their own.
fn streams(places: impl IntoIterator<Item = usize>) -> usize {
    let mut last = None;
    places.into_iter().filter(|place| last.replace(place >> 8) != Some(place >> 8)).count()
}

/// Index bits that a pass does not run through but takes all values of in one step; 0 where there are none, and the same amplitudes are
/// then read and written twice. A step from index to index waits for the one before it: three cycles, which is what a register read,
/// multiplied and written takes in the cache.
///
/// They are the lowest bits that are not fixed, so that a step has whole cache lines; of a state in memory the highest, up to four
/// `streams`: memory gives a third more to four places at a time than to one.
fn abreast<A, const B: usize>(len: usize, mut streams: usize, fixed: &mut usize, count: &mut usize) -> [usize; B] {
    let far = len * size_of::<A>() >= FAR;
    let mut bits = [0; B];
    for b in &mut bits {
        let free = (len - 1) & !*fixed;
        if free == 0 {
            break;
        }
        *b = if far && streams < 4 { 1 << free.ilog2() } else { free & free.wrapping_neg() };
        streams *= 2;
        *fixed |= *b;
        *count >>= 1;
    }
    bits
}

/// Most lanes that a register has.
const LANES: usize = 4;

/// A register from a function of the lane.
#[inline(always)]
unsafe fn by_lane<A: Amplitude, L: Lanes<A>>(f: impl Fn(usize) -> Complex<f64>) -> L {
    let zero = A::cast(Complex::new(0.0, 0.0));
    let mut x = [zero; LANES];
    for (i, x) in x.iter_mut().enumerate().take(L::WIDTH) {
        *x = A::cast(f(i));
    }
    // SAFETY: an array of LANES ≥ WIDTH numbers.
    unsafe { L::load(x.as_ptr()) }
}

/// The sum of a register's lanes for which `on` holds, as (Σ first parts, Σ second parts).
#[inline(always)]
unsafe fn total<A: Amplitude, L: Lanes<A>>(x: L, on: impl Fn(usize) -> bool) -> (f64, f64) {
    let mut out = [A::cast(Complex::new(0.0, 0.0)); LANES];
    // SAFETY: an array of LANES ≥ WIDTH numbers.
    unsafe { x.store(out.as_mut_ptr()) };
    let mut sum = Complex::new(0.0, 0.0);
    for (i, z) in out.iter().enumerate().take(L::WIDTH) {
        if on(i) {
            sum += z.widen();
        }
    }
    (sum.re, sum.im)
}

/// Σ (first − second parts): the imaginary part of Σ λ*ψ from λ times ψ with its parts exchanged.
#[inline(always)]
unsafe fn im_total<A: Amplitude, L: Lanes<A>>(x: L, on: impl Fn(usize) -> bool) -> f64 {
    // SAFETY: passed on.
    let (even, odd) = unsafe { total(x, on) };
    even - odd
}

/// Σ (first + second parts)
#[inline(always)]
unsafe fn re_total<A: Amplitude, L: Lanes<A>>(x: L, on: impl Fn(usize) -> bool) -> f64 {
    // SAFETY: passed on.
    let (even, odd) = unsafe { total(x, on) };
    even + odd
}

/// A register's numbers exchanged along the lanes of a mask that is not 0.
#[inline(always)]
unsafe fn exchanged<A: Amplitude, L: Lanes<A>>(x: L, mask: usize) -> L {
    // SAFETY: passed on.
    unsafe {
        match mask {
            1 => x.xor::<1>(),
            2 => x.xor::<2>(),
            _ => x.xor::<3>(),
        }
    }
}

/// (re, re) and (−im, im) of a number in some lanes, those of the real number `rests` in the others: what a register and the same with its
/// parts exchanged are multiplied by.
#[inline(always)]
unsafe fn factor<A: Amplitude, L: Lanes<A>>(z: Complex<f64>, lanes: Subset, rests: f64) -> (L, L) {
    // SAFETY: passed on.
    unsafe {
        (
            by_lane::<A, L>(|i| if lanes.contains(i) { Complex::new(z.re, z.re) } else { Complex::new(rests, rests) }),
            by_lane::<A, L>(|i| if lanes.contains(i) { Complex::new(-z.im, z.im) } else { Complex::new(0.0, 0.0) }),
        )
    }
}

fn parity(x: usize) -> usize {
    (x.count_ones() & 1) as usize
}
