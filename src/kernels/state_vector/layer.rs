//! Gates on different qubits, one each, as one operation.
//!
//! ((α, −β*), (β, α*)) = p diag(1, r p*) ((|α|, −|β|), (|β|, |α|)) diag(1, r* p*) with the phases p of α and r of β. The diagonals of all gates
//! commute with the rotations of other qubits, so they become one table before the rotations and one after them: what is left for each
//! qubit has real coefficients and costs half of the multiplications.

use super::two_level::Su2;
use super::{Amplitude, Lanes, Loop, State, by_lane, dispatch, im_total, re_total};
use num_complex::Complex;
use smallvec::{SmallVec, smallvec};
use std::marker::PhantomData;

/// Gates from which the tables pay.
pub const GATES: usize = 6;

/// ((cos, −sin), (sin, cos)) on a qubit.
#[derive(Clone, Copy, Debug)]
struct Turn {
    /// 1 << qubit
    stride: usize,
    cos: f64,
    sin: f64,
    /// What the table after the rotations has where the qubit is 1, over where it is 0.
    after: Complex<f64>,
}

/// Gates on different qubits of a state.
#[derive(Clone, Debug)]
pub struct Layer<A> {
    turns: SmallVec<[Turn; 10]>,
    before: Vec<A>,
    after: Vec<A>,
}

/// Modulus and phase.
fn phase(z: Complex<f64>) -> (f64, Complex<f64>) {
    let r = z.norm_sqr().sqrt();
    // a square that underflows would leave a phase of another modulus; of a unit vector so little is nothing
    if r > 1e-100 { (r, z * (1.0 / r)) } else { (0.0, Complex::new(1.0, 0.0)) }
}

impl<A: Amplitude> Layer<A> {
    /// Of (qubit, gate), on different qubits, for states of 2ⁿ amplitudes.
    pub fn new(n: usize, gates: &[(usize, Su2)]) -> Layer<A> {
        let one = Complex::new(1.0, 0.0);
        let mut before: SmallVec<[_; 10]> = smallvec![one; n];
        let mut after = before.clone();
        let mut all = one;
        let mut turns = SmallVec::<[Turn; 10]>::new();
        for &(qubit, u) in gates {
            assert!(qubit < n);
            let ((cos, p), (sin, r)) = (phase(u.alpha), phase(u.beta));
            all *= p;
            before[qubit] = (r * p).conj();
            after[qubit] = r * p.conj();
            turns.push(Turn { stride: 1 << qubit, cos, sin, after: after[qubit] });
        }
        let table = |phases: &[Complex<f64>], start| dispatch(Table { phases, start, amplitude: PhantomData });
        Layer { turns, before: table(&before, one), after: table(&after, all) }
    }

    /// All of it times a phase.
    pub fn turn(&mut self, phase: Complex<f64>) {
        self.after.iter_mut().for_each(|z| *z = A::cast(phase * z.widen()));
    }

    fn check(&self, len: usize) {
        assert!(self.before.len() == len && self.after.len() == len);
    }
}

/// start · Π phases[k] over the bits k of the index.
struct Table<'a, A> {
    phases: &'a [Complex<f64>],
    start: Complex<f64>,
    amplitude: PhantomData<A>,
}

impl<A: Amplitude> Loop<A> for Table<'_, A> {
    type Output = Vec<A>;
    fn extent(&self) -> (usize, usize) {
        (1 << self.phases.len(), 0)
    }
    #[inline(always)]
    unsafe fn run<L: Lanes<A>>(self) -> Vec<A> {
        let len = 1 << self.phases.len();
        let mut out = Vec::with_capacity(len);
        out.push(A::cast(self.start));
        for (k, &z) in self.phases.iter().enumerate() {
            let half = 1 << k;
            if half < L::WIDTH {
                (0..half).for_each(|i| out.push(A::cast(out[i].widen() * z)));
                continue;
            }
            let to: *mut A = out.as_mut_ptr();
            // SAFETY: the first half is there, room for the second was taken above, and both are whole registers.
            unsafe {
                let z = by_lane::<A, L>(|_| z);
                for i in (0..half).step_by(L::WIDTH) {
                    z.times(L::load(to.add(i))).store(to.add(half + i));
                }
                out.set_len(2 * half);
            }
        }
        out
    }
}

/// ψ and what else there is, times the table or its complex conjugate.
#[inline(always)]
unsafe fn scale<A: Amplitude, L: Lanes<A>, const S: usize, const BACK: bool>(states: [*mut A; S], table: &[A]) {
    // SAFETY: states are as long as the table (`check`), a whole number of registers.
    unsafe {
        for i in (0..table.len()).step_by(L::WIDTH) {
            let z = L::load(table.as_ptr().add(i));
            for state in states {
                let x = L::load(state.add(i));
                if BACK { z.conj_times(x) } else { z.times(x) }.store(state.add(i));
            }
        }
    }
}

/// ±sin along the lanes of a qubit inside a register.
#[inline(always)]
unsafe fn signed<A: Amplitude, L: Lanes<A>>(bit: usize, sin: f64) -> L {
    // SAFETY: passed on.
    unsafe {
        by_lane::<A, L>(|lane| {
            let s = if lane & bit == 0 { -sin } else { sin };
            Complex::new(s, s)
        })
    }
}

#[inline(always)]
unsafe fn same<A: Amplitude, L: Lanes<A>>(x: f64) -> L {
    // SAFETY: passed on.
    unsafe { by_lane::<A, L>(|_| Complex::new(x, x)) }
}

/// A rotation on a qubit that is not in a register.
#[inline(always)]
unsafe fn rotate<A: Amplitude, L: Lanes<A>>(psi: *mut A, len: usize, turn: &Turn, sign: f64) {
    let stride = turn.stride;
    // SAFETY: indices stay below the length, a multiple of twice the stride.
    unsafe {
        let (c, s) = (same::<A, L>(turn.cos), same::<A, L>(sign * turn.sin));
        for block in (0..len).step_by(2 * stride) {
            let (p0, p1) = (psi.add(block), psi.add(block + stride));
            for i in (0..stride).step_by(L::WIDTH) {
                let (x0, x1) = (L::load(p0.add(i)), L::load(p1.add(i)));
                s.fnma(x1, c.mul(x0)).store(p0.add(i));
                s.fma(x0, c.mul(x1)).store(p1.add(i));
            }
        }
    }
}

/// The same on a qubit that is the bit `MASK` of the lanes.
#[inline(always)]
unsafe fn rotate_lanes<A: Amplitude, L: Lanes<A>, const MASK: usize>(psi: *mut A, len: usize, turn: &Turn, sign: f64) {
    // SAFETY: the length is a whole number of registers.
    unsafe {
        let (c, s) = (same::<A, L>(turn.cos), signed::<A, L>(MASK, sign * turn.sin));
        for i in (0..len).step_by(L::WIDTH) {
            let x = L::load(psi.add(i));
            s.fma(x.xor::<MASK>(), c.mul(x)).store(psi.add(i));
        }
    }
}

struct Apply<'a, A> {
    psi: State<A>,
    layer: &'a Layer<A>,
    back: bool,
}

impl<A: Amplitude> Loop<A> for Apply<'_, A> {
    type Output = ();
    fn extent(&self) -> (usize, usize) {
        (self.psi.len, 0)
    }
    #[inline(always)]
    unsafe fn run<L: Lanes<A>>(self) {
        let (psi, len, layer) = (self.psi.start.get(), self.psi.len, self.layer);
        // SAFETY: the tables are as long as the state (`check`), and the qubits inside it.
        unsafe {
            let sign = if self.back { -1.0 } else { 1.0 };
            if self.back {
                scale::<A, L, 1, true>([psi], &layer.after)
            } else {
                scale::<A, L, 1, false>([psi], &layer.before)
            }
            for turn in &layer.turns {
                // `if const`: loops that registers of this width do not have are not compiled
                if const { L::WIDTH > 1 } && turn.stride == 1 {
                    rotate_lanes::<A, L, 1>(psi, len, turn, sign);
                } else if const { L::WIDTH > 2 } && turn.stride == 2 {
                    rotate_lanes::<A, L, 2>(psi, len, turn, sign);
                } else {
                    rotate::<A, L>(psi, len, turn, sign);
                }
            }
            if self.back { scale::<A, L, 1, true>([psi], &layer.before) } else { scale::<A, L, 1, false>([psi], &layer.after) }
        }
    }
}

/// ψ ← Uψ, or U†ψ.
pub fn apply<A: Amplitude>(psi: &mut [A], layer: &Layer<A>, back: bool) {
    layer.check(psi.len());
    dispatch(Apply { psi: State::new(psi), layer, back });
}

struct Undo<'a, A> {
    psi: State<A>,
    lambda: State<A>,
    layer: &'a Layer<A>,
    sums: &'a mut [[f64; 3]],
}

/// (Im⟨λ|X|ψ⟩, Im⟨λ|Y|ψ⟩, Im⟨λ|1 + Z|ψ⟩/2) along a qubit that is not in a register, then the rotation back.
#[inline(always)]
unsafe fn undo_turn<A: Amplitude, L: Lanes<A>>(psi: *mut A, lambda: *mut A, len: usize, turn: &Turn) -> [f64; 3] {
    let stride = turn.stride;
    // SAFETY: indices stay below the length, a multiple of twice the stride.
    unsafe {
        let (c, s) = (same::<A, L>(turn.cos), same::<A, L>(turn.sin));
        // two sums where there are two terms: one would wait for itself
        let [mut x0, mut x1, mut y0, mut y1, mut z] = [same::<A, L>(0.0); 5];
        for block in (0..len).step_by(2 * stride) {
            let (p0, p1, q0, q1) = (psi.add(block), psi.add(block + stride), lambda.add(block), lambda.add(block + stride));
            for i in (0..stride).step_by(L::WIDTH) {
                let (f0, f1) = (L::load(p0.add(i)), L::load(p1.add(i)));
                let (g0, g1) = (L::load(q0.add(i)), L::load(q1.add(i)));
                let s0 = f0.swap();
                x0 = g0.fma(f1.swap(), x0);
                x1 = g1.fma(s0, x1);
                y0 = g0.fnma(f1, y0);
                y1 = g1.fma(f0, y1);
                z = g0.fma(s0, z);
                s.fma(f1, c.mul(f0)).store(p0.add(i));
                s.fnma(f0, c.mul(f1)).store(p1.add(i));
                s.fma(g1, c.mul(g0)).store(q0.add(i));
                s.fnma(g0, c.mul(g1)).store(q1.add(i));
            }
        }
        [im_total(x0.add(x1), |_| true), re_total(y0.add(y1), |_| true), im_total(z, |_| true)]
    }
}

/// The same along the bit `MASK` of the lanes.
#[inline(always)]
unsafe fn undo_lanes<A: Amplitude, L: Lanes<A>, const MASK: usize>(psi: *mut A, lambda: *mut A, len: usize, turn: &Turn) -> [f64; 3] {
    // SAFETY: the length is a whole number of registers.
    unsafe {
        let (c, s) = (same::<A, L>(turn.cos), signed::<A, L>(MASK, -turn.sin));
        let [mut x, mut y, mut z] = [same::<A, L>(0.0); 3];
        for i in (0..len).step_by(L::WIDTH) {
            let (f, g) = (L::load(psi.add(i)), L::load(lambda.add(i)));
            let other = f.xor::<MASK>();
            x = g.fma(other.swap(), x);
            y = g.fma(other, y);
            z = g.fma(f.swap(), z);
            s.fma(other, c.mul(f)).store(psi.add(i));
            s.fma(g.xor::<MASK>(), c.mul(g)).store(lambda.add(i));
        }
        let (zero, one) = (|lane: usize| lane & MASK == 0, |lane: usize| lane & MASK != 0);
        [im_total(x, |_| true), re_total(y, one) - re_total(y, zero), im_total(z, zero)]
    }
}

impl<A: Amplitude> Loop<A> for Undo<'_, A> {
    type Output = ();
    fn extent(&self) -> (usize, usize) {
        (self.psi.len, 0)
    }
    #[inline(always)]
    unsafe fn run<L: Lanes<A>>(self) {
        let (psi, lambda, len) = (self.psi.start.get(), self.lambda.start.get(), self.psi.len);
        // SAFETY: the tables are as long as both states (`check`), and the qubits inside them.
        unsafe {
            // Im⟨λ|ψ⟩ stays what it is; a sum over half of the amplitudes then gives ⟨Z⟩
            let mut all = same::<A, L>(0.0);
            for i in (0..len).step_by(L::WIDTH) {
                let z = L::load(self.layer.after.as_ptr().add(i));
                let (x, y) = (L::load(psi.add(i)), L::load(lambda.add(i)));
                all = y.fma(x.swap(), all);
                z.conj_times(x).store(psi.add(i));
                z.conj_times(y).store(lambda.add(i));
            }
            let all = im_total(all, |_| true);
            for (turn, sum) in self.layer.turns.iter().zip(self.sums) {
                let [x, y, half] = if const { L::WIDTH > 1 } && turn.stride == 1 {
                    undo_lanes::<A, L, 1>(psi, lambda, len, turn)
                } else if const { L::WIDTH > 2 } && turn.stride == 2 {
                    undo_lanes::<A, L, 2>(psi, lambda, len, turn)
                } else {
                    undo_turn::<A, L>(psi, lambda, len, turn)
                };
                // the vector after the diagonal is turned about z
                let xy = turn.after * Complex::new(x, y);
                (0..3).for_each(|k| sum[k] += [xy.re, xy.im, 2.0 * half - all][k]);
            }
            scale::<A, L, 2, true>([psi, lambda], &self.layer.before);
        }
    }
}

/// Adds (Im⟨λ|X|ψ⟩, Im⟨λ|Y|ψ⟩, Im⟨λ|Z|ψ⟩) on each gate's qubit to `sums`, in the order of the gates; then ψ ← U†ψ and λ ← U†λ.
pub fn undo<A: Amplitude>(psi: &mut [A], lambda: &mut [A], layer: &Layer<A>, sums: &mut [[f64; 3]]) {
    layer.check(psi.len());
    assert!(lambda.len() == psi.len() && sums.len() == layer.turns.len());
    dispatch(Undo { psi: State::new(psi), lambda: State::new(lambda), layer, sums });
}
