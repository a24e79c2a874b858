//! A matrix on a few qubits.
//!
//! A target above the lanes of a register makes different registers mix; one among the lanes makes a register mix with its own numbers
//! exchanged along that lane. With a target mask m over lanes the output register of row r is Σ_c Σ_{l ⊆ m} M_{r,c,l} ∘ xor_l(x_c), where
//! the coefficient of a lane is the matrix entry that its place asks for: the arithmetic is 2ᵏ complex products an amplitude wherever the
//! targets are.

use super::aligned::Aligned;
use super::{Amplitude, LANES, Lanes, Loop, State, Subset, abreast, by_lane, dispatch, exchanged, split};
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

/// What a loop runs over: the places of the registers that mix, the masks along which their lanes do, and the coefficients.
struct Layout<A> {
    fixed: usize,
    value: usize,
    count: usize,
    /// Ascending.
    places: Vec<usize>,
    masks: Vec<usize>,
    /// Registers, aligned: for each output register, or each two, each input register and each mask: the entries' real and imaginary parts.
    factors: Aligned<A>,
}

impl<A> Layout<A> {
    fn streams(&self) -> usize {
        super::streams(self.places.iter().copied())
    }
}

impl<A: Amplitude> Apply<'_, A> {
    fn layout(&self, width: usize) -> Layout<A> {
        let low = width - 1;
        let size = 1usize << self.targets.len();
        let bits = place(self.targets, size - 1);
        let subsets = |mask: usize| (0..size).map(|j| place(self.targets, j)).filter(move |p| p & !mask == 0);
        let (mut places, mut masks): (Vec<usize>, Vec<usize>) = (subsets(bits & !low).collect(), subsets(bits & low).collect());
        places.sort_unstable();
        masks.sort_unstable();
        let fixed = bits | self.controls.mask | low;
        let acts = |lane: usize| lane & self.controls.mask & low == self.controls.value & low;
        // the part of an entry's number that a place or a lane gives
        let of_place: Vec<usize> = places.iter().map(|&p| number(self.targets, p)).collect();
        let of_lane: [usize; LANES] = std::array::from_fn(|lane| number(self.targets, lane & low));
        let mut factors = Aligned::zeros(2 * width * size * places.len());
        let rows = places.len().min(2);
        let mut to = factors.chunks_exact_mut(width);
        let mut push = |part: &dyn Fn(usize) -> f64| {
            for (lane, x) in to.next().expect("room for all").iter_mut().enumerate() {
                *x = A::cast(Complex::new(part(lane), part(lane)));
            }
        };
        for first in (0..places.len()).step_by(rows) {
            for column in 0..places.len() {
                for &mask in &masks {
                    for row in first..first + rows {
                        let entry = |lane: usize| {
                            if acts(lane) {
                                self.matrix[(of_place[row] | of_lane[lane]) * size + (of_place[column] | of_lane[lane ^ mask])]
                            } else {
                                Complex::new((row == column && mask == 0) as usize as f64, 0.0)
                            }
                        };
                        push(&|lane| entry(lane).re);
                        push(&|lane| entry(lane).im);
                    }
                }
            }
        }
        let count = self.psi.len >> fixed.count_ones();
        Layout { fixed, value: self.controls.value & !low, count, places, masks, factors }
    }

    /// Four input registers: `P`, each with the masks 0 and, if `M` is 2, `MASK`. Two groups of them at a time, which use the same factors.
    #[inline(always)]
    unsafe fn four<L: Lanes<A>, const P: usize, const M: usize, const MASK: usize>(self, mut at: Layout<A>) {
        let psi = self.psi.start.get();
        let [b] = abreast::<A, 1>(self.psi.len, at.streams(), &mut at.fixed, &mut at.count);
        let places: [usize; P] = at.places.as_slice().try_into().expect("as many places");
        assert!(P * M == 4 && at.factors.len() == 8 * P * L::WIDTH);
        let factors = at.factors.as_ptr();
        // SAFETY: indices stay below the length, a power of two above all bits (`apply`); there are 8 P factors.
        unsafe {
            let zero = by_lane::<A, L>(|_| Complex::new(0.0, 0.0));
            let mut i = 0;
            for _ in 0..at.count {
                let p = psi.add(i | at.value);
                let mut x = [[[zero; M]; P]; 2];
                for g in 0..2 {
                    for c in 0..P {
                        x[g][c][0] = L::load(p.add(g * b + places[c]));
                        if M == 2 {
                            x[g][c][M - 1] = x[g][c][0].xor::<MASK>();
                        }
                    }
                }
                for r in 0..P {
                    let (mut re, mut im) = ([zero; 2], [zero; 2]);
                    for c in 0..P {
                        for m in 0..M {
                            let f = factors.add((((r / 2 * P + c) * M + m) * 2 + r % 2) * 2 * L::WIDTH);
                            let (u, v) = (L::load(f), L::load(f.add(L::WIDTH)));
                            for g in 0..2 {
                                (re[g], im[g]) = if c + m == 0 {
                                    (u.mul(x[g][c][m]), v.mul(x[g][c][m]))
                                } else {
                                    (u.fma(x[g][c][m], re[g]), v.fma(x[g][c][m], im[g]))
                                };
                            }
                        }
                    }
                    for g in 0..2 {
                        re[g].add_i(im[g]).store(p.add(g * b + places[r]));
                    }
                }
                i = ((i | at.fixed) + 1) & !at.fixed;
            }
        }
    }

    /// For any number of targets: `R` output registers of two groups at a time, for which a coefficient is loaded once and a register
    /// once. The coefficients of more targets do not fit the registers.
    #[inline(always)]
    unsafe fn general<L: Lanes<A>, const R: usize>(self, mut at: Layout<A>) {
        let psi = self.psi.start.get();
        let [b] = abreast::<A, 1>(self.psi.len, at.streams(), &mut at.fixed, &mut at.count);
        let columns = at.places.len() * at.masks.len();
        assert!(at.factors.len() == 2 * at.places.len() * columns * L::WIDTH && at.places.len().is_multiple_of(R));
        // SAFETY: indices stay below the length, a power of two above all bits (`apply`); `x` has 2 · columns registers, and each R rows
        // have 2 R · columns factors.
        unsafe {
            let zero = by_lane::<A, L>(|_| Complex::new(0.0, 0.0));
            let mut x = vec![[zero; 2]; columns];
            // the first mask is 0
            let others = &at.masks[1..];
            let mut i = 0;
            for _ in 0..at.count {
                let p = psi.add(i | at.value);
                let mut to = x.as_mut_ptr();
                for &place in &at.places {
                    let (x0, x1) = (L::load(p.add(place)), L::load(p.add(place + b)));
                    to.write([x0, x1]);
                    to = to.add(1);
                    for &mask in others {
                        to.write([exchanged(x0, mask), exchanged(x1, mask)]);
                        to = to.add(1);
                    }
                }
                let mut f = at.factors.as_ptr();
                for rows in at.places.chunks_exact(R) {
                    let (mut re, mut im) = ([[zero; 2]; R], [[zero; 2]; R]);
                    for &[x0, x1] in &x {
                        for r in 0..R {
                            let (u, v) = (L::load(f.add(2 * r * L::WIDTH)), L::load(f.add((2 * r + 1) * L::WIDTH)));
                            re[r] = [u.fma(x0, re[r][0]), u.fma(x1, re[r][1])];
                            im[r] = [v.fma(x0, im[r][0]), v.fma(x1, im[r][1])];
                        }
                        f = f.add(2 * R * L::WIDTH);
                    }
                    for r in 0..R {
                        re[r][0].add_i(im[r][0]).store(p.add(rows[r]));
                        re[r][1].add_i(im[r][1]).store(p.add(rows[r] + b));
                    }
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
            let at = self.layout(L::WIDTH);
            // `if const`: loops that registers of this width do not have are not compiled
            if at.places.len() == 4 && at.masks.as_slice() == [0] {
                self.four::<L, 4, 1, 0>(at)
            } else if const { L::WIDTH > 1 } && at.places.len() == 2 && at.masks.as_slice() == [0, 1] {
                self.four::<L, 2, 2, 1>(at)
            } else if const { L::WIDTH > 2 } && at.places.len() == 2 && at.masks.as_slice() == [0, 2] {
                self.four::<L, 2, 2, 2>(at)
            } else if at.places.len() == 1 {
                self.general::<L, 1>(at)
            } else {
                self.general::<L, 2>(at)
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
