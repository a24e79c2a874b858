//! A matrix on a few qubits.
//!
//! A target above the lanes of a register makes different registers mix; one among the lanes makes a register mix with its own numbers
//! exchanged along that lane. With a target mask m over lanes the output register of row r is Σ_c Σ_{l ⊆ m} M_{r,c,l} ∘ xor_l(x_c), where
//! the coefficient of a lane is the matrix entry that its place asks for: the arithmetic is 2ᵏ complex products an amplitude wherever the
//! targets are.

use super::{Amplitude, Lanes, Loop, State, Subset, by_lane, dispatch, split};
use crate::kernels::parallel::for_each;
use num_complex::Complex;

struct Apply<'a, A> {
    psi: State<A>,
    targets: &'a [usize],
    controls: Subset,
    matrix: &'a [Complex<f64>],
}

/// A bit for each of the targets that `j` has.
fn place(targets: &[usize], j: usize) -> usize {
    targets.iter().enumerate().map(|(k, &q)| (j >> k & 1) << q).sum()
}

/// The bits of `i` at the targets, moved together.
fn number(targets: &[usize], i: usize) -> usize {
    targets.iter().enumerate().map(|(k, &q)| (i >> q & 1) << k).sum()
}

/// A register's numbers exchanged along the lanes of a mask.
#[inline(always)]
unsafe fn exchanged<A: Amplitude, L: Lanes<A>>(x: L, mask: usize) -> L {
    // SAFETY: passed on.
    unsafe {
        match mask {
            0 => x,
            1 => x.xor::<1>(),
            2 => x.xor::<2>(),
            _ => x.xor::<3>(),
        }
    }
}

/// What a loop runs over: the places of the registers that mix, the masks along which their lanes do, and the coefficients.
struct Layout<L> {
    fixed: usize,
    value: usize,
    count: usize,
    places: Vec<usize>,
    masks: Vec<usize>,
    /// For each output register, each input register and each mask: the entries' real and imaginary parts.
    factors: Vec<(L, L)>,
}

impl<A: Amplitude> Apply<'_, A> {
    #[inline(always)]
    unsafe fn layout<L: Lanes<A>>(&self) -> Layout<L> {
        let low = L::WIDTH - 1;
        let size = 1usize << self.targets.len();
        let bits = place(self.targets, size - 1);
        let subsets = |mask: usize| (0..size).map(|j| place(self.targets, j)).filter(move |p| p & !mask == 0);
        let (mut places, mut masks): (Vec<usize>, Vec<usize>) = (subsets(bits & !low).collect(), subsets(bits & low).collect());
        places.sort_unstable();
        masks.sort_unstable();
        let fixed = bits | self.controls.mask | low;
        let mut factors = Vec::with_capacity(places.len() * size);
        for &row in &places {
            for &column in &places {
                for &mask in &masks {
                    let entry = |lane: usize| {
                        if lane & self.controls.mask & low != self.controls.value & low {
                            return Complex::new(if row == column && mask == 0 { 1.0 } else { 0.0 }, 0.0);
                        }
                        self.matrix[number(self.targets, row | lane) * size + number(self.targets, column | lane ^ mask)]
                    };
                    // SAFETY: passed on.
                    factors.push(unsafe {
                        (
                            by_lane::<A, L>(|i| Complex::new(entry(i).re, entry(i).re)),
                            by_lane::<A, L>(|i| Complex::new(entry(i).im, entry(i).im)),
                        )
                    });
                }
            }
        }
        let count = self.psi.len >> fixed.count_ones();
        Layout { fixed, value: self.controls.value & !low, count, places, masks, factors }
    }

    /// For `P` registers and the masks 0 and, if `M` is 2, `MASK`, all known to the compiler; for `G` such groups at a time, that use the
    /// same factors.
    #[inline(always)]
    unsafe fn unrolled<L: Lanes<A>, const P: usize, const M: usize, const MASK: usize, const G: usize>(self, mut at: Layout<L>) {
        let free = (self.psi.len - 1) & !at.fixed;
        let other = free & free.wrapping_neg();
        if G == 2 {
            if other == 0 {
                // SAFETY: passed on.
                return unsafe { self.general(at) };
            }
            at.fixed |= other;
            at.count /= 2;
        }
        let psi = self.psi.start.get();
        let places: [usize; P] = at.places.as_slice().try_into().expect("as many places");
        let factors = at.factors.as_slice();
        assert!(factors.len() == P * P * M);
        // SAFETY: indices stay below the length, a power of two above all bits (`apply`).
        unsafe {
            let zero = by_lane::<A, L>(|_| Complex::new(0.0, 0.0));
            // iy has the parts of y exchanged, with these signs
            let i_times = by_lane::<A, L>(|_| Complex::new(-1.0, 1.0));
            let mut i = 0;
            for _ in 0..at.count {
                let p = psi.add(i | at.value);
                let mut x = [[[zero; M]; P]; G];
                for g in 0..G {
                    for c in 0..P {
                        x[g][c][0] = L::load(p.add(g * other + places[c]));
                        if M == 2 {
                            x[g][c][M - 1] = x[g][c][0].xor::<MASK>();
                        }
                    }
                }
                for r in 0..P {
                    let (mut re, mut im) = ([zero; G], [zero; G]);
                    for c in 0..P {
                        for m in 0..M {
                            let (a, b) = factors[(r * P + c) * M + m];
                            for g in 0..G {
                                re[g] = a.fma(x[g][c][m], re[g]);
                                im[g] = b.fma(x[g][c][m], im[g]);
                            }
                        }
                    }
                    for g in 0..G {
                        i_times.fma(im[g].swap(), re[g]).store(p.add(g * other + places[r]));
                    }
                }
                i = ((i | at.fixed) + 1) & !at.fixed;
            }
        }
    }

    /// For any number of targets.
    #[inline(always)]
    unsafe fn general<L: Lanes<A>>(self, at: Layout<L>) {
        let psi = self.psi.start.get();
        // SAFETY: indices stay below the length, a power of two above all bits (`apply`).
        unsafe {
            let zero = by_lane::<A, L>(|_| Complex::new(0.0, 0.0));
            let i_times = by_lane::<A, L>(|_| Complex::new(-1.0, 1.0));
            let mut x = vec![zero; at.places.len() * at.masks.len()];
            let mut i = 0;
            for _ in 0..at.count {
                let p = psi.add(i | at.value);
                for (x, &place) in x.chunks_exact_mut(at.masks.len()).zip(&at.places) {
                    let load = L::load(p.add(place));
                    for (x, &mask) in x.iter_mut().zip(&at.masks) {
                        *x = exchanged(load, mask);
                    }
                }
                for (row, &place) in at.factors.chunks_exact(x.len()).zip(&at.places) {
                    let (mut re, mut im) = (zero, zero);
                    for (&(a, b), &x) in row.iter().zip(&x) {
                        re = a.fma(x, re);
                        im = b.fma(x, im);
                    }
                    i_times.fma(im.swap(), re).store(p.add(place));
                }
                i = ((i | at.fixed) + 1) & !at.fixed;
            }
        }
    }
}

impl<A: Amplitude> Loop<A> for Apply<'_, A> {
    type Output = ();
    fn extent(&self) -> (usize, usize) {
        (self.psi.len, 0)
    }
    #[inline(always)]
    unsafe fn run<L: Lanes<A>>(self) {
        // SAFETY: passed on.
        unsafe {
            let at = self.layout::<L>();
            // `if const`: loops that registers of this width do not have are not compiled
            if const { L::WIDTH > 1 } && at.masks.as_slice() == [0, 1] && at.places.len() == 2 {
                self.unrolled::<L, 2, 2, 1, 2>(at)
            } else if const { L::WIDTH > 1 } && at.masks.as_slice() == [0, 1] && at.places.len() == 4 {
                self.unrolled::<L, 4, 2, 1, 1>(at)
            } else if const { L::WIDTH > 2 } && at.masks.as_slice() == [0, 2] && at.places.len() == 2 {
                self.unrolled::<L, 2, 2, 2, 2>(at)
            } else if const { L::WIDTH > 2 } && at.masks.as_slice() == [0, 2] && at.places.len() == 4 {
                self.unrolled::<L, 4, 2, 2, 1>(at)
            } else if at.masks.as_slice() == [0] && at.places.len() == 4 {
                self.unrolled::<L, 4, 1, 0, 2>(at)
            } else if at.masks.as_slice() == [0] && at.places.len() == 8 {
                self.unrolled::<L, 8, 1, 0, 1>(at)
            } else {
                self.general(at)
            }
        }
    }
}

/// ψ ← Mψ on the subset of the controls, for a 2ᵏ × 2ᵏ matrix, row by row, whose index has the first target as its lowest bit.
pub fn apply<A: Amplitude>(psi: &mut [A], targets: &[usize], controls: Subset, matrix: &[Complex<f64>]) {
    let mut mask = controls.mask;
    for &q in targets {
        assert!(mask >> q & 1 == 0);
        mask |= 1 << q;
    }
    assert!(psi.len().is_power_of_two() && mask < psi.len() && controls.value & !controls.mask == 0);
    assert_eq!(matrix.len(), 1 << (2 * targets.len()));
    let (psi, parts) = (State::new(psi), split(psi.len(), mask));
    for_each(parts.len(), &|k| dispatch(Apply { psi, targets, controls: controls.and(parts[k]), matrix }));
}
