//! SU(2) on pairs of amplitudes: a gate on one qubit, with any controls, and rotations between any two basis states of a few qubits.
//!
//! With α = a + ib and β = c + id the gate is ((α, −β*), (β, α*)): four real coefficients, so that a sweep over ψ and λ keeps them, the sums
//! and the amplitudes in sixteen registers.

use super::{Amplitude, Lanes, Loop, State, Subset, abreast, by_lane, dispatch, im_total, re_total, split};
use crate::kernels::parallel::{collect, for_each};
use num_complex::Complex;

/// ((α, −β*), (β, α*)), |α|² + |β|² = 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Su2 {
    /// The diagonal entry.
    pub alpha: Complex<f64>,
    /// The entry below it.
    pub beta: Complex<f64>,
}

impl Su2 {
    /// The identity.
    pub const ONE: Su2 = Su2 { alpha: Complex::new(1.0, 0.0), beta: Complex::new(0.0, 0.0) };

    /// self · right
    #[inline]
    pub fn times(self, right: Su2) -> Su2 {
        Su2 {
            alpha: self.alpha * right.alpha - self.beta.conj() * right.beta,
            beta: self.beta * right.alpha + self.alpha.conj() * right.beta,
        }
    }

    /// The inverse.
    #[inline]
    pub fn inverse(self) -> Su2 {
        Su2 { alpha: self.alpha.conj(), beta: -self.beta }
    }
}

/// The pairs (i | zero, i | one) for all i that are 0 on `mask`; `zero` and `one` are inside `mask`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pairs {
    /// The bits that the gate looks at: targets and controls.
    pub mask: usize,
    /// The bits of the level 0.
    pub zero: usize,
    /// The bits of the level 1.
    pub one: usize,
}

impl Pairs {
    /// A target qubit with controls.
    pub fn qubit(target: usize, controls: Subset) -> Pairs {
        let bit = 1 << target;
        Pairs { mask: controls.mask | bit, zero: controls.value, one: controls.value | bit }
    }

    /// The pairs that are in a part of the state.
    pub(super) fn with(self, part: Subset) -> Pairs {
        Pairs { mask: self.mask | part.mask, zero: self.zero | part.value, one: self.one | part.value }
    }

    pub(super) fn check(&self, len: usize) {
        assert!(len.is_power_of_two() && self.mask < len && (self.zero | self.one) & !self.mask == 0);
        // along one qubit, the level 0 is the one where it is 0
        assert!(self.zero < self.one);
    }

    /// Bits that can not be lanes.
    pub(super) fn scalar(&self) -> usize {
        let differ = self.zero ^ self.one;
        if differ.count_ones() == 1 { 0 } else { differ }
    }
}

/// How the pairs lie in registers of a given width.
pub(super) struct Layout {
    pub(super) fixed: usize,
    pub(super) zero: usize,
    pub(super) one: usize,
    pub(super) count: usize,
    /// The bit inside a register along which pairs lie, or the number of such bits.
    pub(super) low: usize,
    /// What lanes must have for the gate to act on them.
    pub(super) lanes: Subset,
}

impl Layout {
    pub(super) fn new(pairs: Pairs, len: usize, width: usize) -> Layout {
        let differ = pairs.zero ^ pairs.one;
        let controls = Subset { mask: pairs.mask & !differ, value: pairs.zero & !differ };
        let low = width - 1;
        let lane_bits = width.trailing_zeros() as usize;
        let (mut lanes, high) = (Subset { mask: controls.mask & low, value: controls.value & low }, controls.without(low));
        if differ & low == 0 {
            let fixed = high.mask | differ | low;
            let (zero, one) = (high.value | pairs.zero & differ, high.value | pairs.one & differ);
            let count = len >> fixed.count_ones();
            return Layout { fixed, zero, one, count, low: lane_bits, lanes };
        }
        // two registers that differ in the bit above the lanes; after the shuffle that bit is where the target's bit was
        let above = high.mask & width;
        let high = high.without(width);
        if above != 0 {
            lanes.mask |= differ;
            lanes.value |= if controls.value & width != 0 { differ } else { 0 };
        }
        let fixed = high.mask | width | low;
        let (zero, one, count) = (high.value, high.value | width, len >> fixed.count_ones());
        Layout { fixed, zero, one, count, low: differ.trailing_zeros() as usize, lanes }
    }
}

/// (a, ∓b, c, ∓d) as registers; in lanes where the gate does not act, `elsewhere` times the identity.
#[inline(always)]
unsafe fn coefficients<A: Amplitude, L: Lanes<A>>(u: Su2, lanes: Subset, elsewhere: f64) -> [L; 4] {
    let pick = |acts: Complex<f64>, rests: f64| {
        // SAFETY: passed on.
        unsafe { by_lane::<A, L>(|i| if lanes.contains(i) { acts } else { Complex::new(rests, rests) }) }
    };
    let same = |x: f64| Complex::new(x, x);
    let signed = |x: f64| Complex::new(-x, x);
    [pick(same(u.alpha.re), elsewhere), pick(signed(u.alpha.im), 0.0), pick(same(u.beta.re), 0.0), pick(signed(u.beta.im), 0.0)]
}

#[inline(always)]
unsafe fn rotate<A: Amplitude, L: Lanes<A>>([a, b, c, d]: [L; 4], x0: L, x1: L, s0: L, s1: L) -> (L, L) {
    // SAFETY: passed on.
    unsafe {
        let y0 = d.fma(s1, c.fnma(x1, b.fma(s0, a.mul(x0))));
        let y1 = b.fnma(s1, a.fma(x1, d.fma(s0, c.mul(x0))));
        (y0, y1)
    }
}

#[inline(always)]
pub(super) unsafe fn read<A: Amplitude, L: Lanes<A>, const LOW: usize>(p0: *const A, p1: *const A) -> (L, L) {
    // SAFETY: passed on.
    unsafe {
        let (x0, x1) = (L::load(p0), L::load(p1));
        if 1 << LOW < L::WIDTH { x0.pair::<LOW>(x1) } else { (x0, x1) }
    }
}

#[inline(always)]
pub(super) unsafe fn write<A: Amplitude, L: Lanes<A>, const LOW: usize>(p0: *mut A, p1: *mut A, y0: L, y1: L) {
    // SAFETY: passed on.
    unsafe {
        let (y0, y1) = if 1 << LOW < L::WIDTH { y0.pair::<LOW>(y1) } else { (y0, y1) };
        y0.store(p0);
        y1.store(p1);
    }
}

/// Two pairs of registers: those of a cache line one after the other, or each takes a cycle more.
#[inline(always)]
pub(super) unsafe fn write_two<A: Amplitude, L: Lanes<A>, const LOW: usize>([p0, p1]: [*mut A; 2], b: usize, y: [L; 2], z: [L; 2]) {
    // SAFETY: passed on.
    unsafe {
        let ([y0, y1], [z0, z1]) = if 1 << LOW < L::WIDTH {
            let ((y0, y1), (z0, z1)) = (y[0].pair::<LOW>(y[1]), z[0].pair::<LOW>(z[1]));
            ([y0, y1], [z0, z1])
        } else {
            (y, z)
        };
        y0.store(p0);
        if 1 << LOW < L::WIDTH || p1 == p0.add(L::WIDTH) {
            y1.store(p1);
            z0.store(p0.add(b));
        } else {
            z0.store(p0.add(b));
            y1.store(p1);
        }
        z1.store(p1.add(b));
    }
}

/// Picks the loop for pairs inside a register or not.
macro_rules! by_low {
    ($self:ident, $lanes:ident, $at:ident) => {{
        // `if const`: loops that registers of this width do not have are not compiled
        if const { $lanes::WIDTH > 1 } && $at.low == 0 {
            $self.sweep::<$lanes, 0>($at)
        } else if const { $lanes::WIDTH > 2 } && $at.low == 1 {
            $self.sweep::<$lanes, 1>($at)
        } else {
            $self.sweep::<$lanes, 2>($at)
        }
    }};
}
pub(super) use by_low;

/// Adds to the sums of λ0 s1 + λ1 s0, λ1 ψ0 − λ0 ψ1, λ0 s0 and λ1 s1, where s has the parts of ψ exchanged.
#[inline(always)]
unsafe fn accumulate<A: Amplitude, L: Lanes<A>>([x, y, z0, z1]: &mut [L; 4], f0: L, f1: L, s0: L, s1: L, g0: L, g1: L) {
    // SAFETY: passed on.
    unsafe {
        *x = g1.fma(s0, g0.fma(s1, *x));
        *y = g1.fma(f0, g0.fnma(f1, *y));
        *z0 = g0.fma(s0, *z0);
        *z1 = g1.fma(s1, *z1);
    }
}

/// Im⟨λ|σ|ψ⟩ from those sums: Im λ*ψ is the first part of λ times the second of ψ less the second times the first.
#[inline(always)]
unsafe fn vector<A: Amplitude, L: Lanes<A>>([x, y, z0, z1]: [L; 4], lanes: Subset) -> [f64; 3] {
    let on = |lane| lanes.contains(lane);
    // SAFETY: passed on.
    unsafe { [im_total(x, on), re_total(y, on), im_total(z0, on) - im_total(z1, on)] }
}

struct Apply<A> {
    psi: State<A>,
    pairs: Pairs,
    u: Su2,
}

impl<A: Amplitude> Apply<A> {
    #[inline(always)]
    unsafe fn sweep<L: Lanes<A>, const LOW: usize>(self, mut at: Layout) {
        if 1 << LOW < L::WIDTH {
            // SAFETY: passed on.
            return unsafe { self.along_lanes::<L, LOW>() };
        }
        let psi = self.psi.start.get();
        let [b] = abreast(self.psi.len, &mut at.fixed, &mut at.count);
        // SAFETY: indices stay below the length, a power of two above all bits (`check`).
        unsafe {
            let u = coefficients::<A, L>(self.u, at.lanes, 1.0);
            let mut i = 0;
            for _ in 0..at.count {
                let (p0, p1) = (psi.add(i | at.zero), psi.add(i | at.one));
                let (x0, x1) = (L::load(p0), L::load(p1));
                let (z0, z1) = (L::load(p0.add(b)), L::load(p1.add(b)));
                let (x0, x1) = rotate(u, x0, x1, x0.swap(), x1.swap());
                let (z0, z1) = rotate(u, z0, z1, z0.swap(), z1.swap());
                write_two::<A, L, LOW>([p0, p1], b, [x0, x1], [z0, z1]);
                i = ((i | at.fixed) + 1) & !at.fixed;
            }
        }
    }

    /// Pairs inside a register: real and imaginary part of the first of each in both places, times a column of the matrix, and the second.
    #[inline(always)]
    unsafe fn along_lanes<L: Lanes<A>, const LOW: usize>(self) {
        let psi = self.psi.start.get();
        let (low, target) = (L::WIDTH - 1, 1 << LOW);
        let controls = Subset { mask: self.pairs.mask & !target, value: self.pairs.zero & !target };
        let mut fixed = controls.mask | low;
        let mut count = self.psi.len >> fixed.count_ones();
        let [b] = abreast(self.psi.len, &mut fixed, &mut count);
        let (lanes, high) = (Subset { mask: controls.mask & low, value: controls.value & low }, controls.value & !low);
        let Su2 { alpha, beta } = self.u;
        let entry = |lane: usize, column: usize| match ((lane & target != 0) as usize, column) {
            (row, column) if !lanes.contains(lane) => Complex::new((row == column) as usize as f64, 0.0),
            (0, 0) => alpha,
            (0, _) => -beta.conj(),
            (_, 0) => beta,
            _ => alpha.conj(),
        };
        // SAFETY: indices stay below the length, a power of two above all bits (`check`).
        unsafe {
            let i_times = |z: Complex<f64>| Complex::new(-z.im, z.re);
            let column = |k: usize| (by_lane::<A, L>(|lane| entry(lane, k)), by_lane::<A, L>(|lane| i_times(entry(lane, k))));
            let ((u, iu), (v, iv)) = (column(0), column(1));
            let mut i = 0;
            for _ in 0..count {
                let p = psi.add(i | high);
                let (x, z) = (L::parts::<LOW>(p), L::parts::<LOW>(p.add(b)));
                iv.fma(x[3], v.fma(x[2], iu.fma(x[1], u.mul(x[0])))).store(p);
                iv.fma(z[3], v.fma(z[2], iu.fma(z[1], u.mul(z[0])))).store(p.add(b));
                i = ((i | fixed) + 1) & !fixed;
            }
        }
    }
}

impl<A: Amplitude> Loop<A> for Apply<A> {
    type Output = ();
    fn extent(&self) -> (usize, usize) {
        (self.psi.len, self.pairs.scalar())
    }
    #[inline(always)]
    unsafe fn run<L: Lanes<A>>(self) {
        let at = Layout::new(self.pairs, self.psi.len, L::WIDTH);
        // SAFETY: passed on.
        unsafe { by_low!(self, L, at) }
    }
}

/// ψ ← Uψ.
pub fn apply<A: Amplitude>(psi: &mut [A], pairs: Pairs, u: Su2) {
    pairs.check(psi.len());
    let (psi, parts) = (State::new(psi), split(psi.len(), pairs.mask));
    for_each(parts.len(), &|k| dispatch(Apply { psi, pairs: pairs.with(parts[k]), u }));
}

struct Undo<A> {
    psi: State<A>,
    lambda: State<A>,
    pairs: Pairs,
    u: Su2,
}

impl<A: Amplitude> Undo<A> {
    #[inline(always)]
    unsafe fn sweep<L: Lanes<A>, const LOW: usize>(self, at: Layout) -> [f64; 3] {
        let (psi, lambda) = (self.psi.start.get(), self.lambda.start.get());
        // SAFETY: indices stay below the common length, a power of two above all bits (`check`).
        unsafe {
            let u = coefficients::<A, L>(self.u.inverse(), at.lanes, 1.0);
            let zero = by_lane::<A, L>(|_| Complex::new(0.0, 0.0));
            let mut sums = [zero; 4];
            let mut i = 0;
            for _ in 0..at.count {
                let (p0, p1) = (psi.add(i | at.zero), psi.add(i | at.one));
                let (q0, q1) = (lambda.add(i | at.zero), lambda.add(i | at.one));
                let (f0, f1) = read::<A, L, LOW>(p0, p1);
                let (g0, g1) = read::<A, L, LOW>(q0, q1);
                let (s0, s1) = (f0.swap(), f1.swap());
                accumulate(&mut sums, f0, f1, s0, s1, g0, g1);
                let (h0, h1) = rotate(u, f0, f1, s0, s1);
                write::<A, L, LOW>(p0, p1, h0, h1);
                let (h0, h1) = rotate(u, g0, g1, g0.swap(), g1.swap());
                write::<A, L, LOW>(q0, q1, h0, h1);
                i = ((i | at.fixed) + 1) & !at.fixed;
            }
            vector(sums, at.lanes)
        }
    }
}

impl<A: Amplitude> Loop<A> for Undo<A> {
    type Output = [f64; 3];
    fn extent(&self) -> (usize, usize) {
        (self.psi.len, self.pairs.scalar())
    }
    #[inline(always)]
    unsafe fn run<L: Lanes<A>>(self) -> [f64; 3] {
        let at = Layout::new(self.pairs, self.psi.len, L::WIDTH);
        // SAFETY: passed on.
        unsafe { by_low!(self, L, at) }
    }
}

/// (Im⟨λ|X|ψ⟩, Im⟨λ|Y|ψ⟩, Im⟨λ|Z|ψ⟩) on the pairs, then ψ ← U†ψ and λ ← U†λ, in one pass.
pub fn undo<A: Amplitude>(psi: &mut [A], lambda: &mut [A], pairs: Pairs, u: Su2) -> [f64; 3] {
    pairs.check(psi.len());
    assert_eq!(psi.len(), lambda.len());
    let (psi, lambda, parts) = (State::new(psi), State::new(lambda), split(psi.len(), pairs.mask));
    if parts.len() == 1 {
        return dispatch(Undo { psi, lambda, pairs, u });
    }
    let sums = collect(parts.len(), |k| dispatch(Undo { psi, lambda, pairs: pairs.with(parts[k]), u }));
    sums.iter().fold([0.0; 3], |v, s| std::array::from_fn(|k| v[k] + s[k]))
}

struct Bracket<'a, A> {
    psi: &'a [A],
    lambda: &'a [A],
    pairs: Pairs,
}

impl<A: Amplitude> Bracket<'_, A> {
    #[inline(always)]
    unsafe fn sweep<L: Lanes<A>, const LOW: usize>(self, at: Layout) -> [f64; 3] {
        let (psi, lambda) = (self.psi.as_ptr(), self.lambda.as_ptr());
        // SAFETY: indices stay below the common length, a power of two above all bits (`check`).
        unsafe {
            let zero = by_lane::<A, L>(|_| Complex::new(0.0, 0.0));
            let mut sums = [zero; 4];
            let mut i = 0;
            for _ in 0..at.count {
                let (f0, f1) = read::<A, L, LOW>(psi.add(i | at.zero), psi.add(i | at.one));
                let (g0, g1) = read::<A, L, LOW>(lambda.add(i | at.zero), lambda.add(i | at.one));
                accumulate(&mut sums, f0, f1, f0.swap(), f1.swap(), g0, g1);
                i = ((i | at.fixed) + 1) & !at.fixed;
            }
            vector(sums, at.lanes)
        }
    }
}

impl<A: Amplitude> Loop<A> for Bracket<'_, A> {
    type Output = [f64; 3];
    fn extent(&self) -> (usize, usize) {
        (self.psi.len(), self.pairs.scalar())
    }
    #[inline(always)]
    unsafe fn run<L: Lanes<A>>(self) -> [f64; 3] {
        let at = Layout::new(self.pairs, self.psi.len(), L::WIDTH);
        // SAFETY: passed on.
        unsafe { by_low!(self, L, at) }
    }
}

/// (Im⟨λ|X|ψ⟩, Im⟨λ|Y|ψ⟩, Im⟨λ|Z|ψ⟩) on the pairs.
pub fn bracket<A: Amplitude>(psi: &[A], lambda: &[A], pairs: Pairs) -> [f64; 3] {
    pairs.check(psi.len());
    assert_eq!(psi.len(), lambda.len());
    dispatch(Bracket { psi, lambda, pairs })
}

struct Generate<'a, A> {
    psi: &'a [A],
    out: &'a mut [A],
    pairs: Pairs,
    u: Su2,
}

impl<A: Amplitude> Generate<'_, A> {
    #[inline(always)]
    unsafe fn sweep<L: Lanes<A>, const LOW: usize>(self, at: Layout) {
        let (psi, out) = (self.psi.as_ptr(), self.out.as_mut_ptr());
        // SAFETY: indices stay below the common length, a power of two above all bits (`check`).
        unsafe {
            let u = coefficients::<A, L>(self.u, at.lanes, 0.0);
            let mut i = 0;
            for _ in 0..at.count {
                let (x0, x1) = read::<A, L, LOW>(psi.add(i | at.zero), psi.add(i | at.one));
                let (q0, q1) = (out.add(i | at.zero), out.add(i | at.one));
                let (o0, o1) = read::<A, L, LOW>(q0, q1);
                let (y0, y1) = rotate(u, x0, x1, x0.swap(), x1.swap());
                write::<A, L, LOW>(q0, q1, o0.add(y0), o1.add(y1));
                i = ((i | at.fixed) + 1) & !at.fixed;
            }
        }
    }
}

impl<A: Amplitude> Loop<A> for Generate<'_, A> {
    type Output = ();
    fn extent(&self) -> (usize, usize) {
        (self.psi.len(), self.pairs.scalar())
    }
    #[inline(always)]
    unsafe fn run<L: Lanes<A>>(self) {
        let at = Layout::new(self.pairs, self.psi.len(), L::WIDTH);
        // SAFETY: passed on.
        unsafe { by_low!(self, L, at) }
    }
}

/// out ← out − ½i (w·σ) ψ on the pairs.
pub fn generate<A: Amplitude>(psi: &[A], out: &mut [A], pairs: Pairs, w: [f64; 3]) {
    pairs.check(psi.len());
    assert_eq!(psi.len(), out.len());
    // not unitary, but of the same form
    let u = Su2 { alpha: Complex::new(0.0, -0.5 * w[2]), beta: Complex::new(0.5 * w[1], -0.5 * w[0]) };
    dispatch(Generate { psi, out, pairs, u });
}
