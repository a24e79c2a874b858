//! Gates on different qubits, one each, as one operation.
//!
//! ((α, −β*), (β, α*)) = p diag(1, r p*) ((|α|, −|β|), (|β|, |α|)) diag(1, r* p*) with the phases p of α and r of β. The diagonals of all gates
//! commute with the rotations of other qubits, so they become one table before the rotations and one after them: what is left for each
//! qubit has real coefficients. Its larger one goes into the table as well, cos ((1, −t), (t, 1)) with t = tan, or
//! sin diag(−1, 1) ((−t, 1), (1, t)) with t = cot: a quarter of the multiplications.

use super::two_level::Su2;
use super::{Amplitude, Lanes, Loop, State, by_lane, dispatch, im_total, re_total};
use num_complex::Complex;
use smallvec::{SmallVec, smallvec};
use std::marker::PhantomData;

/// Gates from which the tables pay.
pub const GATES: usize = 6;

/// ((1, −t), (t, 1)) on a qubit, of columns that are exchanged or not.
#[derive(Clone, Copy, Debug)]
struct Turn {
    /// 1 << qubit
    stride: usize,
    t: f64,
    exchanged: bool,
    /// What the table after the rotations has for its length.
    scale: f64,
    /// What the table after the rotations has where the qubit is 1, over where it is 0.
    after: Complex<f64>,
}

impl Turn {
    /// The strides from which the two amplitudes of a pair are read.
    fn sources(&self) -> (usize, usize) {
        if self.exchanged { (self.stride, 0) } else { (0, self.stride) }
    }

    /// Coefficients of a register's own number and of the one exchanged along the lanes' bit `bit`, with t or −t.
    fn of_lanes(&self, bit: usize, t: f64) -> (impl Fn(usize) -> f64, impl Fn(usize) -> f64) {
        let signed = move |lane: usize| if lane & bit == 0 { -t } else { t };
        let exchanged = self.exchanged;
        let pick = move |lane: usize, mixed: bool| if mixed { signed(lane) } else { 1.0 };
        (move |lane| pick(lane, exchanged), move |lane| pick(lane, !exchanged))
    }

    /// The inverse has −t, but where the columns are exchanged it is symmetric.
    fn back(&self) -> f64 {
        if self.exchanged { self.t } else { -self.t }
    }
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
            let exchanged = sin > cos;
            let (scale, t, sign) = if exchanged { (sin, cos / sin, -1.0) } else { (cos, sin / cos, 1.0) };
            all *= p * (scale * sign);
            before[qubit] = (r * p).conj();
            after[qubit] = r * p.conj() * sign;
            turns.push(Turn { stride: 1 << qubit, t, exchanged, scale, after: after[qubit] });
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

#[inline(always)]
unsafe fn same<A: Amplitude, L: Lanes<A>>(x: f64) -> L {
    // SAFETY: passed on.
    unsafe { by_lane::<A, L>(|_| Complex::new(x, x)) }
}

/// A rotation on a qubit that is not in a register.
#[inline(always)]
unsafe fn rotate<A: Amplitude, L: Lanes<A>>(psi: *mut A, len: usize, turn: &Turn, t: f64) {
    let stride = turn.stride;
    let (first, second) = turn.sources();
    // SAFETY: indices stay below the length, a multiple of twice the stride.
    unsafe {
        let t = same::<A, L>(t);
        for block in (0..len).step_by(2 * stride) {
            let p = psi.add(block);
            for i in (0..stride).step_by(L::WIDTH) {
                let (x, y) = (L::load(p.add(first + i)), L::load(p.add(second + i)));
                t.fnma(y, x).store(p.add(i));
                t.fma(x, y).store(p.add(stride + i));
            }
        }
    }
}

/// The same on a qubit that is the bit `MASK` of the lanes.
#[inline(always)]
unsafe fn rotate_lanes<A: Amplitude, L: Lanes<A>, const MASK: usize>(psi: *mut A, len: usize, turn: &Turn, t: f64) {
    let (own, other) = turn.of_lanes(MASK, t);
    // SAFETY: the length is a whole number of registers.
    unsafe {
        let c = by_lane::<A, L>(|lane| Complex::new(own(lane), own(lane)));
        let s = by_lane::<A, L>(|lane| Complex::new(other(lane), other(lane)));
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
            if self.back {
                scale::<A, L, 1, true>([psi], &layer.after)
            } else {
                scale::<A, L, 1, false>([psi], &layer.before)
            }
            for turn in &layer.turns {
                let t = if self.back { turn.back() } else { turn.t };
                // `if const`: loops that registers of this width do not have are not compiled
                if const { L::WIDTH > 1 } && turn.stride == 1 {
                    rotate_lanes::<A, L, 1>(psi, len, turn, t);
                } else if const { L::WIDTH > 2 } && turn.stride == 2 {
                    rotate_lanes::<A, L, 2>(psi, len, turn, t);
                } else {
                    rotate::<A, L>(psi, len, turn, t);
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

/// (Im⟨λ|X|ψ⟩, Im⟨λ|Y|ψ⟩, Im⟨λ|1 + Z|ψ⟩/2) along a qubit that is not in a register, where 0 and 1 are exchanged if columns are; then the
/// rotation back.
#[inline(always)]
unsafe fn undo_turn<A: Amplitude, L: Lanes<A>>(psi: *mut A, lambda: *mut A, len: usize, turn: &Turn) -> [f64; 3] {
    let stride = turn.stride;
    let (first, second) = turn.sources();
    // SAFETY: indices stay below the length, a multiple of twice the stride.
    unsafe {
        let t = same::<A, L>(turn.back());
        // two sums where there are two terms: one would wait for itself
        let [mut x0, mut x1, mut y0, mut y1, mut z] = [same::<A, L>(0.0); 5];
        for block in (0..len).step_by(2 * stride) {
            let (p, q) = (psi.add(block), lambda.add(block));
            for i in (0..stride).step_by(L::WIDTH) {
                let (f0, f1) = (L::load(p.add(first + i)), L::load(p.add(second + i)));
                let (g0, g1) = (L::load(q.add(first + i)), L::load(q.add(second + i)));
                let s0 = f0.swap();
                x0 = g0.fma(f1.swap(), x0);
                x1 = g1.fma(s0, x1);
                y0 = g0.fnma(f1, y0);
                y1 = g1.fma(f0, y1);
                z = g0.fma(s0, z);
                t.fnma(f1, f0).store(p.add(i));
                t.fma(f0, f1).store(p.add(stride + i));
                t.fnma(g1, g0).store(q.add(i));
                t.fma(g0, g1).store(q.add(stride + i));
            }
        }
        [im_total(x0.add(x1), |_| true), re_total(y0.add(y1), |_| true), im_total(z, |_| true)]
    }
}

/// The same along the bit `MASK` of the lanes.
#[inline(always)]
unsafe fn undo_lanes<A: Amplitude, L: Lanes<A>, const MASK: usize>(psi: *mut A, lambda: *mut A, len: usize, turn: &Turn) -> [f64; 3] {
    let (own, other) = turn.of_lanes(MASK, turn.back());
    // SAFETY: the length is a whole number of registers.
    unsafe {
        let c = by_lane::<A, L>(|lane| Complex::new(own(lane), own(lane)));
        let s = by_lane::<A, L>(|lane| Complex::new(other(lane), other(lane)));
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
        let (zero, one) = (|lane: usize| (lane & MASK != 0) == turn.exchanged, |lane: usize| (lane & MASK != 0) != turn.exchanged);
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
            // both states are that much longer than they were, twice
            let mut length: f64 = self.layer.turns.iter().map(|turn| turn.scale * turn.scale).product();
            for (turn, sum) in self.layer.turns.iter().zip(self.sums) {
                let [x, y, half] = if const { L::WIDTH > 1 } && turn.stride == 1 {
                    undo_lanes::<A, L, 1>(psi, lambda, len, turn)
                } else if const { L::WIDTH > 2 } && turn.stride == 2 {
                    undo_lanes::<A, L, 2>(psi, lambda, len, turn)
                } else {
                    undo_turn::<A, L>(psi, lambda, len, turn)
                };
                // the vector after the diagonal is turned about z
                let sign = if turn.exchanged { -1.0 } else { 1.0 };
                let xy = turn.after * Complex::new(x, sign * y) * (1.0 / length);
                (0..3).for_each(|k| sum[k] += [xy.re, xy.im, sign * (2.0 * half / length - all)][k]);
                length /= turn.scale * turn.scale;
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
