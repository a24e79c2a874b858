//! exp(−iθP/2) for a Pauli string P, in one pass over the pairs (j, j xor x).
//!
//! With P = i^{|x∧z|} X^x Z^z, ⟨j|P|j⊕x⟩ = i^{|x∧z|} (−1)^{(j⊕x)·z}, so that ψ_j ← cos(θ/2) ψ_j − i sin(θ/2) ⟨j|P|j⊕x⟩ ψ_{j⊕x}: the factor
//! is real or imaginary as |x∧z| is odd or even, half the arithmetic of a general gate on one qubit.

use super::{Amplitude, Lanes, Loop, State, Subset, abreast, by_lane, dispatch, im_total, parity, re_total, split, streams};
use crate::kernels::parallel::{collect, for_each};
use num_complex::Complex;

/// The bits of a Pauli string: X where only `x` is set, Z where only `z` is, Y where both are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Masks {
    /// The qubits that are flipped.
    pub x: usize,
    /// The qubits that give a sign.
    pub z: usize,
}

struct Layout {
    fixed: usize,
    /// Bits that the loop itself takes both values of, or 0.
    pairs: [usize; 2],
    value: usize,
    /// Indices of a block, and how many blocks there are.
    block: usize,
    blocks: usize,
    lanes: Subset,
    /// x above the lanes.
    flip: usize,
    /// z above the lanes.
    sign: usize,
}

/// Signs of the lanes, (−1)^{(l ⊕ x)·z} i^{|x∧z|} up to i, for an even and an odd parity of the high bits.
struct Signs<L> {
    by_parity: [L; 2],
    /// Whether the second register of a pair has the other parity.
    turn: usize,
}

/// The loop takes both values of `more` bits itself.
fn layout<A>(p: Masks, controls: Subset, len: usize, width: usize, more: usize) -> Layout {
    let low = width - 1;
    let high = controls.without(low);
    let flip = p.x & !low;
    // of each pair the one with a zero at the highest flipped bit leads
    let pivot = if flip == 0 { 0 } else { 1 << flip.ilog2() };
    let mut fixed = high.mask | low | pivot;
    let mut count = len >> fixed.count_ones();
    let mut pairs = [0; 2];
    let mut streams = streams([0, pivot]);
    for pair in &mut pairs[..more] {
        [*pair] = abreast::<A, 1>(len, streams, &mut fixed, &mut count);
        streams *= 2;
    }
    let block = count.min(u64::BITS as usize);
    Layout {
        fixed,
        pairs,
        value: high.value,
        block,
        blocks: count / block,
        lanes: Subset { mask: controls.mask & low, value: controls.value & low },
        flip,
        sign: p.z & !low,
    }
}

impl Layout {
    fn next(&self, i: usize) -> usize {
        ((i | self.fixed) + 1) & !self.fixed
    }

    /// The parities of the signs in a block from index 0, a bit for each; in a block from i all are turned by that of i.
    fn parities(&self) -> u64 {
        let (mut word, mut free) = (0, !self.fixed);
        // bit k of the number of an index in its block is the k-th of the free bits
        for ones in
            [0xaaaa_aaaa_aaaa_aaaau64, 0xcccc_cccc_cccc_cccc, 0xf0f0_f0f0_f0f0_f0f0, 0xff00_ff00_ff00_ff00, 0xffff_0000_ffff_0000, !0 << 32]
        {
            let bit = free & free.wrapping_neg();
            free ^= bit;
            word ^= if self.sign & bit != 0 { ones } else { 0 };
        }
        word
    }

    /// `f(index, parity of the signs)` for each index.
    #[inline(always)]
    fn for_each(&self, mut f: impl FnMut(usize, usize)) {
        let parities = self.parities();
        let mut i = 0;
        for _ in 0..self.blocks {
            let mut word = parities ^ (parity((i | self.value) & self.sign) as u64).wrapping_neg();
            for _ in 0..self.block {
                f(i | self.value, (word & 1) as usize);
                word >>= 1;
                i = self.next(i);
            }
        }
    }
}

#[inline(always)]
unsafe fn signs<A: Amplitude, L: Lanes<A>>(p: Masks, at: &Layout) -> Signs<L> {
    let negative = (p.x & p.z).count_ones() % 4 >= 2;
    // SAFETY: passed on.
    let by_parity = [0, 1].map(|high| unsafe {
        by_lane::<A, L>(|lane| {
            let odd = parity(lane & p.z) ^ parity(p.x & p.z) ^ high ^ negative as usize;
            let s = if odd == 1 { -1.0 } else { 1.0 };
            Complex::new(s, s)
        })
    });
    Signs { by_parity, turn: parity(at.flip & at.sign) }
}

/// c, and −is or, where i^{|x∧z|} is imaginary, s; 1 and 0 in lanes where the gate does not act.
#[inline(always)]
unsafe fn coefficients<A: Amplitude, L: Lanes<A>>(p: Masks, (s, c): (f64, f64), lanes: Subset) -> (L, L) {
    let imaginary = (p.x & p.z).count_ones().is_multiple_of(2);
    let part = if imaginary { Complex::new(s, -s) } else { Complex::new(s, s) };
    // SAFETY: passed on.
    unsafe {
        (
            by_lane::<A, L>(|i| if lanes.contains(i) { Complex::new(c, c) } else { Complex::new(1.0, 1.0) }),
            by_lane::<A, L>(|i| if lanes.contains(i) { part } else { Complex::new(0.0, 0.0) }),
        )
    }
}

/// What of the partner enters: its lanes exchanged, its parts exchanged for an imaginary factor.
#[inline(always)]
unsafe fn partner<A: Amplitude, L: Lanes<A>, const LANE: usize, const IMAGINARY: bool>(x: L) -> L {
    // SAFETY: passed on.
    unsafe {
        let x = x.xor::<LANE>();
        if IMAGINARY { x.swap() } else { x }
    }
}

struct Apply<A> {
    psi: State<A>,
    p: Masks,
    controls: Subset,
    angle: f64,
}

impl<A: Amplitude> Apply<A> {
    #[inline(always)]
    unsafe fn sweep<L: Lanes<A>, const LANE: usize, const IMAGINARY: bool>(self) {
        let flips = self.p.x & !(L::WIDTH - 1) != 0;
        let at = layout::<A>(self.p, self.controls, self.psi.len, L::WIDTH, if flips { 1 } else { 2 });
        let [a, b] = at.pairs;
        let psi = self.psi.start.get();
        // SAFETY: indices stay below the length, a power of two above all bits (`check`).
        unsafe {
            let signs = signs::<A, L>(self.p, &at);
            let (c, s) = coefficients::<A, L>(self.p, (0.5 * self.angle).sin_cos(), at.lanes);
            let s = [signs.by_parity[0].mul(s), signs.by_parity[1].mul(s)];
            // of the registers that go together: at the index, with the bit `b` or at its partner, and both with the bit `a`
            let (turn, other) = (parity(a & at.sign), if flips { signs.turn } else { parity(b & at.sign) });
            let of = |odd: usize| [s[odd], s[odd ^ other], s[odd ^ turn], s[odd ^ turn ^ other]];
            let s = [of(0), of(1)];
            if !flips {
                at.for_each(|k, odd| {
                    let p = [psi.add(k), psi.add(k | b), psi.add(k | a), psi.add(k | a | b)];
                    let x = [L::load(p[0]), L::load(p[1]), L::load(p[2]), L::load(p[3])];
                    for j in [0, 2, 1, 3] {
                        s[odd][j].fma(partner::<A, L, LANE, IMAGINARY>(x[j]), c.mul(x[j])).store(p[j]);
                    }
                });
                return;
            }
            at.for_each(|k, odd| {
                let (p0, p1) = (psi.add(k), psi.add(k ^ at.flip));
                let (q0, q1) = (psi.add(k | a), psi.add((k | a) ^ at.flip));
                let (x0, x1, z0, z1) = (L::load(p0), L::load(p1), L::load(q0), L::load(q1));
                // stores to a cache line one after the other
                s[odd][0].fma(partner::<A, L, LANE, IMAGINARY>(x1), c.mul(x0)).store(p0);
                s[odd][2].fma(partner::<A, L, LANE, IMAGINARY>(z1), c.mul(z0)).store(q0);
                s[odd][1].fma(partner::<A, L, LANE, IMAGINARY>(x0), c.mul(x1)).store(p1);
                s[odd][3].fma(partner::<A, L, LANE, IMAGINARY>(z0), c.mul(z1)).store(q1);
            });
        }
    }
}

/// Picks the loop for the lanes that are exchanged and for a real or imaginary factor.
macro_rules! pick {
    ($self:ident, $lanes:ident) => {{
        let (lane, imaginary) = ($self.p.x & ($lanes::WIDTH - 1), ($self.p.x & $self.p.z).count_ones() % 2 == 0);
        // `if const`: loops that registers of this width do not have are not compiled
        if const { $lanes::WIDTH > 2 } && lane >= 2 {
            match (lane, imaginary) {
                (2, true) => $self.sweep::<$lanes, 2, true>(),
                (2, false) => $self.sweep::<$lanes, 2, false>(),
                (_, true) => $self.sweep::<$lanes, 3, true>(),
                (_, false) => $self.sweep::<$lanes, 3, false>(),
            }
        } else if const { $lanes::WIDTH > 1 } && lane == 1 {
            if imaginary { $self.sweep::<$lanes, 1, true>() } else { $self.sweep::<$lanes, 1, false>() }
        } else if imaginary {
            $self.sweep::<$lanes, 0, true>()
        } else {
            $self.sweep::<$lanes, 0, false>()
        }
    }};
}

impl<A: Amplitude> Loop<A> for Apply<A> {
    type Output = ();
    fn extent(&self) -> (usize, usize) {
        (self.psi.len, 0)
    }
    #[inline(always)]
    unsafe fn run<L: Lanes<A>>(self) {
        // SAFETY: passed on.
        unsafe { pick!(self, L) }
    }
}

fn check(p: Masks, controls: Subset, len: usize) {
    assert!(len.is_power_of_two() && (p.x | p.z | controls.mask) < len && controls.value & !controls.mask == 0);
    assert_eq!((p.x | p.z) & controls.mask, 0);
}

/// ψ ← exp(−iθP/2) ψ on the subset of the controls.
pub fn apply<A: Amplitude>(psi: &mut [A], p: Masks, controls: Subset, angle: f64) {
    check(p, controls, psi.len());
    let (psi, parts) = (State::new(psi), split(psi.len(), p.x | p.z | controls.mask));
    for_each(parts.len(), &|k| dispatch(Apply { psi, p, controls: controls.and(parts[k]), angle }));
}

struct Undo<A> {
    psi: State<A>,
    lambda: State<A>,
    p: Masks,
    controls: Subset,
    angle: f64,
}

impl<A: Amplitude> Undo<A> {
    #[inline(always)]
    unsafe fn sweep<L: Lanes<A>, const LANE: usize, const IMAGINARY: bool>(self) -> f64 {
        let at = layout::<A>(self.p, self.controls, self.psi.len, L::WIDTH, 0);
        let (psi, lambda) = (self.psi.start.get(), self.lambda.start.get());
        // SAFETY: indices stay below the common length, a power of two above all bits (`check`).
        unsafe {
            let signs = signs::<A, L>(self.p, &at);
            let (c, s) = coefficients::<A, L>(self.p, (-0.5 * self.angle).sin_cos(), at.lanes);
            let mut sum = by_lane::<A, L>(|_| Complex::new(0.0, 0.0));
            at.for_each(|k, odd| {
                let (p0, q0) = (psi.add(k), lambda.add(k));
                let (x0, y0) = (L::load(p0), L::load(q0));
                let sign = signs.by_parity[odd];
                if at.flip == 0 {
                    let from = sign.mul(partner::<A, L, LANE, IMAGINARY>(x0));
                    sum = y0.fma(from, sum);
                    s.fma(from, c.mul(x0)).store(p0);
                    s.fma(sign.mul(partner::<A, L, LANE, IMAGINARY>(y0)), c.mul(y0)).store(q0);
                } else {
                    let (p1, q1) = (psi.add(k ^ at.flip), lambda.add(k ^ at.flip));
                    let (x1, y1) = (L::load(p1), L::load(q1));
                    let turned = signs.by_parity[odd ^ signs.turn];
                    let from1 = sign.mul(partner::<A, L, LANE, IMAGINARY>(x1));
                    let from0 = turned.mul(partner::<A, L, LANE, IMAGINARY>(x0));
                    sum = y1.fma(from0, y0.fma(from1, sum));
                    s.fma(from1, c.mul(x0)).store(p0);
                    s.fma(from0, c.mul(x1)).store(p1);
                    s.fma(sign.mul(partner::<A, L, LANE, IMAGINARY>(y1)), c.mul(y0)).store(q0);
                    s.fma(turned.mul(partner::<A, L, LANE, IMAGINARY>(y0)), c.mul(y1)).store(q1);
                }
            });
            // Im(w) from the exchanged parts; Im(iw) = Re(w) where the factor is imaginary
            let on = |lane| at.lanes.contains(lane);
            if IMAGINARY { im_total(sum, on) } else { re_total(sum, on) }
        }
    }
}

impl<A: Amplitude> Loop<A> for Undo<A> {
    type Output = f64;
    fn extent(&self) -> (usize, usize) {
        (self.psi.len, 0)
    }
    #[inline(always)]
    unsafe fn run<L: Lanes<A>>(self) -> f64 {
        // SAFETY: passed on.
        unsafe { pick!(self, L) }
    }
}

/// Im⟨λ|P|ψ⟩ on the subset of the controls, then ψ ← exp(iθP/2) ψ and λ ← exp(iθP/2) λ there, in one pass.
pub fn undo<A: Amplitude>(psi: &mut [A], lambda: &mut [A], p: Masks, controls: Subset, angle: f64) -> f64 {
    check(p, controls, psi.len());
    assert_eq!(psi.len(), lambda.len());
    let (psi, lambda, parts) = (State::new(psi), State::new(lambda), split(psi.len(), p.x | p.z | controls.mask));
    if parts.len() == 1 {
        return dispatch(Undo { psi, lambda, p, controls, angle });
    }
    collect(parts.len(), |k| dispatch(Undo { psi, lambda, p, controls: controls.and(parts[k]), angle })).iter().sum()
}

struct Bracket<'a, A> {
    psi: &'a [A],
    lambda: &'a [A],
    p: Masks,
    controls: Subset,
}

impl<A: Amplitude> Bracket<'_, A> {
    #[inline(always)]
    unsafe fn sweep<L: Lanes<A>, const LANE: usize, const IMAGINARY: bool>(self) -> f64 {
        // all indices in turn: each amplitude's partner is read where it is
        let at = layout::<A>(Masks { x: self.p.x & (L::WIDTH - 1), z: self.p.z }, self.controls, self.psi.len(), L::WIDTH, 0);
        let (psi, lambda, flip) = (self.psi.as_ptr(), self.lambda.as_ptr(), self.p.x & !(L::WIDTH - 1));
        // SAFETY: indices stay below the common length, a power of two above all bits (`check`).
        unsafe {
            let signs = signs::<A, L>(self.p, &at);
            let mut sum = by_lane::<A, L>(|_| Complex::new(0.0, 0.0));
            at.for_each(|k, odd| {
                let from = partner::<A, L, LANE, IMAGINARY>(L::load(psi.add(k ^ flip)));
                sum = L::load(lambda.add(k)).fma(signs.by_parity[odd].mul(from), sum);
            });
            let on = |lane| at.lanes.contains(lane);
            if IMAGINARY { im_total(sum, on) } else { re_total(sum, on) }
        }
    }
}

impl<A: Amplitude> Loop<A> for Bracket<'_, A> {
    type Output = f64;
    fn extent(&self) -> (usize, usize) {
        (self.psi.len(), 0)
    }
    #[inline(always)]
    unsafe fn run<L: Lanes<A>>(self) -> f64 {
        // SAFETY: passed on.
        unsafe { pick!(self, L) }
    }
}

/// Im⟨λ|P|ψ⟩ on the subset of the controls.
pub fn bracket<A: Amplitude>(psi: &[A], lambda: &[A], p: Masks, controls: Subset) -> f64 {
    check(p, controls, psi.len());
    assert_eq!(psi.len(), lambda.len());
    dispatch(Bracket { psi, lambda, p, controls })
}

struct Generate<'a, A> {
    psi: &'a [A],
    out: &'a mut [A],
    p: Masks,
    controls: Subset,
    rate: f64,
}

impl<A: Amplitude> Generate<'_, A> {
    #[inline(always)]
    unsafe fn sweep<L: Lanes<A>, const LANE: usize, const IMAGINARY: bool>(self) {
        let at = layout::<A>(Masks { x: self.p.x & (L::WIDTH - 1), z: self.p.z }, self.controls, self.psi.len(), L::WIDTH, 0);
        let (psi, out, flip) = (self.psi.as_ptr(), self.out.as_mut_ptr(), self.p.x & !(L::WIDTH - 1));
        // SAFETY: indices stay below the common length, a power of two above all bits (`check`).
        unsafe {
            let signs = signs::<A, L>(self.p, &at);
            let (_, s) = coefficients::<A, L>(self.p, (0.5 * self.rate, 0.0), at.lanes);
            at.for_each(|k, odd| {
                let from = partner::<A, L, LANE, IMAGINARY>(L::load(psi.add(k ^ flip)));
                let q = out.add(k);
                s.fma(signs.by_parity[odd].mul(from), L::load(q)).store(q);
            });
        }
    }
}

impl<A: Amplitude> Loop<A> for Generate<'_, A> {
    type Output = ();
    fn extent(&self) -> (usize, usize) {
        (self.psi.len(), 0)
    }
    #[inline(always)]
    unsafe fn run<L: Lanes<A>>(self) {
        // SAFETY: passed on.
        unsafe { pick!(self, L) }
    }
}

/// out ← out − ½i · rate · Pψ on the subset of the controls.
pub fn generate<A: Amplitude>(psi: &[A], out: &mut [A], p: Masks, controls: Subset, rate: f64) {
    check(p, controls, psi.len());
    assert_eq!(psi.len(), out.len());
    dispatch(Generate { psi, out, p, controls, rate });
}
