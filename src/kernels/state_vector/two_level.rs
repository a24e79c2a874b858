//! SU(2) on pairs of amplitudes: a gate on one qubit, with any controls, and rotations between any two basis states of a few qubits.
//!
//! With α = a + ib and β = c + id the gate is ((α, −β*), (β, α*)): four real coefficients, so that a sweep over ψ and λ keeps them, the sums
//! and the amplitudes in sixteen registers.

use super::{Amplitude, Lanes, Loop, State, Subset, abreast, by_lane, dispatch, exchanged, factor, im_total, re_total, split};
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

    /// ((α, −β*), (β, α*))
    #[inline]
    pub fn matrix(self) -> Matrix {
        [self.alpha, -self.beta.conj(), self.beta, self.alpha.conj()]
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
    /// Places that a step reads far from each other.
    pub(super) fn streams(&self) -> usize {
        super::streams([self.zero, self.one])
    }

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

/// A matrix times a pair, which comes with its parts exchanged.
#[inline(always)]
unsafe fn times<A: Amplitude, L: Lanes<A>>(m: [(L, L); 4], x: [L; 2], s: [L; 2]) -> [L; 2] {
    // SAFETY: passed on.
    unsafe {
        [
            m[1].1.fma(s[1], m[1].0.fma(x[1], m[0].1.fma(s[0], m[0].0.mul(x[0])))),
            m[2].1.fma(s[0], m[2].0.fma(x[0], m[3].1.fma(s[1], m[3].0.mul(x[1])))),
        ]
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

/// A 2 × 2 matrix, row by row.
pub type Matrix = [Complex<f64>; 4];

/// Which parts of a matrix are there.
#[derive(Clone, Copy)]
enum Form {
    /// Real numbers: H and Y-rotations.
    Real,
    /// Real ones on the diagonal, imaginary ones off it: X-rotations.
    Crossed,
    General,
}

/// Less than half of the rounding of an entry of a unitary matrix.
const NOTHING: f64 = 0.25 * f64::EPSILON;

impl Form {
    fn of(m: &Matrix) -> Form {
        let none = |parts: [f64; 4]| parts.iter().all(|x| x.abs() < NOTHING);
        if none([m[0].im, m[1].im, m[2].im, m[3].im]) {
            Form::Real
        } else if none([m[0].im, m[1].re, m[2].re, m[3].im]) {
            Form::Crossed
        } else {
            Form::General
        }
    }
}

struct Apply<A> {
    psi: State<A>,
    pairs: Pairs,
    matrix: Matrix,
    form: Form,
}

impl<A: Amplitude> Apply<A> {
    #[inline(always)]
    unsafe fn sweep<L: Lanes<A>, const LOW: usize>(self, at: Layout) {
        // SAFETY: passed on.
        unsafe {
            if 1 << LOW < L::WIDTH {
                return self.along_lanes::<L, LOW>();
            }
            match self.form {
                Form::Real => self.half::<L, false>(at),
                Form::Crossed => self.half::<L, true>(at),
                Form::General => self.general::<L>(at),
            }
        }
    }

    /// (re, re) and (−im, im) of an entry; in lanes where the gate does not act, those of the identity.
    #[inline(always)]
    unsafe fn entry<L: Lanes<A>>(&self, k: usize, lanes: Subset) -> (L, L) {
        // SAFETY: passed on.
        unsafe { factor::<A, L>(self.matrix[k], lanes, if k.is_multiple_of(3) { 1.0 } else { 0.0 }) }
    }

    #[inline(always)]
    unsafe fn general<L: Lanes<A>>(self, mut at: Layout) {
        let psi = self.psi.start.get();
        let [b] = abreast::<A, 1>(self.psi.len, at.streams(), &mut at.fixed, &mut at.count);
        // SAFETY: indices stay below the length, a power of two above all bits (`check`).
        unsafe {
            let m = [self.entry::<L>(0, at.lanes), self.entry(1, at.lanes), self.entry(2, at.lanes), self.entry(3, at.lanes)];
            let mut i = 0;
            for _ in 0..at.count {
                let (p0, p1) = (psi.add(i | at.zero), psi.add(i | at.one));
                let (x, z) = ([L::load(p0), L::load(p1)], [L::load(p0.add(b)), L::load(p1.add(b))]);
                let (x, z) = (times(m, x, [x[0].swap(), x[1].swap()]), times(m, z, [z[0].swap(), z[1].swap()]));
                write_two::<A, L, 2>([p0, p1], b, x, z);
                i = ((i | at.fixed) + 1) & !at.fixed;
            }
        }
    }

    /// Matrices of four real numbers, half of the arithmetic: with `SWAP` those off the diagonal are imaginary parts.
    #[inline(always)]
    unsafe fn half<L: Lanes<A>, const SWAP: bool>(self, mut at: Layout) {
        let psi = self.psi.start.get();
        let [b] = abreast::<A, 1>(self.psi.len, at.streams(), &mut at.fixed, &mut at.count);
        // SAFETY: indices stay below the length, a power of two above all bits (`check`).
        unsafe {
            let m = [self.entry::<L>(0, at.lanes), self.entry(1, at.lanes), self.entry(2, at.lanes), self.entry(3, at.lanes)];
            let (a, d) = (m[0].0, m[3].0);
            let (b0, c) = if SWAP { (m[1].1, m[2].1) } else { (m[1].0, m[2].0) };
            let mut i = 0;
            for _ in 0..at.count {
                let (p0, p1) = (psi.add(i | at.zero), psi.add(i | at.one));
                let (x, z) = ([L::load(p0), L::load(p1)], [L::load(p0.add(b)), L::load(p1.add(b))]);
                let (mut s, mut t) = (x, z);
                if SWAP {
                    (s, t) = ([x[0].swap(), x[1].swap()], [z[0].swap(), z[1].swap()]);
                }
                let x = [b0.fma(s[1], a.mul(x[0])), d.fma(x[1], c.mul(s[0]))];
                let z = [b0.fma(t[1], a.mul(z[0])), d.fma(z[1], c.mul(t[0]))];
                write_two::<A, L, 2>([p0, p1], b, x, z);
                i = ((i | at.fixed) + 1) & !at.fixed;
            }
        }
    }

    /// Pairs inside a register: matrices of four real numbers mix it with its own numbers exchanged. Others would need three shuffles: there
    /// the parts of the numbers, each on its own in a register, are multiplied by columns.
    #[inline(always)]
    unsafe fn along_lanes<L: Lanes<A>, const LOW: usize>(self) {
        let psi = self.psi.start.get();
        let target = 1 << LOW;
        let controls = Subset { mask: self.pairs.mask & !target, value: self.pairs.zero & !target };
        let (mut fixed, high, mut count, lanes) = super::phase::layout(controls, self.psi.len, L::WIDTH);
        let [b] = abreast::<A, 1>(self.psi.len, 1, &mut fixed, &mut count);
        let entry = |lane: usize, column: usize| {
            let row = (lane & target != 0) as usize;
            if lanes.contains(lane) { self.matrix[2 * row + column] } else { Complex::new((row == column) as usize as f64, 0.0) }
        };
        // SAFETY: indices stay below the length, a power of two above all bits (`check`).
        unsafe {
            let crossed = match self.form {
                Form::Real => false,
                Form::Crossed => true,
                Form::General => {
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
                    return;
                }
            };
            let own = |lane: usize| entry(lane, (lane & target != 0) as usize);
            let other = |lane: usize| entry(lane, (lane & target == 0) as usize);
            let a = by_lane::<A, L>(|lane| Complex::new(own(lane).re, own(lane).re));
            let part = |z: Complex<f64>| if crossed { Complex::new(-z.im, z.im) } else { Complex::new(z.re, z.re) };
            let c = by_lane::<A, L>(|lane| part(other(lane)));
            let mut i = 0;
            for _ in 0..count {
                let p = psi.add(i | high);
                let (x, z) = (L::load(p), L::load(p.add(b)));
                let (mut s, mut t) = (exchanged(x, target), exchanged(z, target));
                if crossed {
                    (s, t) = (s.swap(), t.swap());
                }
                c.fma(s, a.mul(x)).store(p);
                c.fma(t, a.mul(z)).store(p.add(b));
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
    apply_matrix(psi, pairs, u.matrix());
}

/// ψ ← Mψ on the pairs, for a unitary matrix. Parts of it that are less than its rounding are left out.
pub fn apply_matrix<A: Amplitude>(psi: &mut [A], pairs: Pairs, matrix: Matrix) {
    pairs.check(psi.len());
    let small = |z: Complex<f64>| z.re.abs().max(z.im.abs()) < NOTHING;
    let one = Complex::new(1.0, 0.0);
    if small(matrix[1]) && small(matrix[2]) && (matrix[0] - one).norm_sqr() <= f64::EPSILON * f64::EPSILON {
        // a diagonal with a one leaves half of the amplitudes alone
        return super::phase::apply(psi, Subset { mask: pairs.mask, value: pairs.one }, matrix[3]);
    }
    let (psi, parts, form) = (State::new(psi), split(psi.len(), pairs.mask), Form::of(&matrix));
    for_each(parts.len(), &|k| dispatch(Apply { psi, pairs: pairs.with(parts[k]), matrix, form }));
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
