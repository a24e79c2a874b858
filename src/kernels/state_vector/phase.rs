//! A phase on the amplitudes whose index has given bits: Z, S, T, phase gates and their controlled forms.

use super::{Amplitude, Lanes, Loop, State, Subset, abreast, by_lane, dispatch, factor, im_total, split};
use crate::kernels::parallel::{collect, for_each};
use num_complex::Complex;

/// How the subset lies in registers of a given width: the bits not run through, the high bits' values, the count, the lanes.
pub(super) fn layout(on: Subset, len: usize, width: usize) -> (usize, usize, usize, Subset) {
    let low = width - 1;
    let high = on.without(low);
    let fixed = high.mask | low;
    (fixed, high.value, len >> fixed.count_ones(), Subset { mask: on.mask & low, value: on.value & low })
}

fn check(on: Subset, len: usize) {
    assert!(len.is_power_of_two() && on.mask < len && on.value & !on.mask == 0);
}

struct Apply<A> {
    psi: State<A>,
    on: Subset,
    z: Complex<f64>,
}

impl<A: Amplitude> Loop<A> for Apply<A> {
    type Output = ();
    fn extent(&self) -> (usize, usize) {
        (self.psi.len, 0)
    }
    #[inline(always)]
    unsafe fn run<L: Lanes<A>>(self) {
        let (mut fixed, value, mut count, lanes) = layout(self.on, self.psi.len, L::WIDTH);
        let psi = self.psi.start.get();
        let [a, b] = abreast::<A, 2>(self.psi.len, 1, &mut fixed, &mut count);
        // SAFETY: indices stay below the length, a power of two above all bits (`check`).
        unsafe {
            let (re, im) = factor::<A, L>(self.z, lanes, 1.0);
            let real = self.z.im == 0.0;
            let mut i = 0;
            for _ in 0..count {
                let p = psi.add(i | value);
                let p = [p, p.add(a), p.add(b), p.add(a | b)];
                let x = [L::load(p[0]), L::load(p[1]), L::load(p[2]), L::load(p[3])];
                if real {
                    for (x, p) in x.into_iter().zip(p) {
                        re.mul(x).store(p);
                    }
                } else {
                    for (x, p) in x.into_iter().zip(p) {
                        im.fma(x.swap(), re.mul(x)).store(p);
                    }
                }
                i = ((i | fixed) + 1) & !fixed;
            }
        }
    }
}

/// ψ_i ← z ψ_i for the indices of the subset. With a real z this is the least that a pass over a state costs.
pub fn apply<A: Amplitude>(psi: &mut [A], on: Subset, z: Complex<f64>) {
    check(on, psi.len());
    let (psi, parts) = (State::new(psi), split(psi.len(), on.mask));
    for_each(parts.len(), &|k| dispatch(Apply { psi, on: on.and(parts[k]), z }));
}

struct Undo<A> {
    psi: State<A>,
    lambda: State<A>,
    on: Subset,
    z: Complex<f64>,
}

impl<A: Amplitude> Loop<A> for Undo<A> {
    type Output = f64;
    fn extent(&self) -> (usize, usize) {
        (self.psi.len, 0)
    }
    #[inline(always)]
    unsafe fn run<L: Lanes<A>>(self) -> f64 {
        let (fixed, value, count, lanes) = layout(self.on, self.psi.len, L::WIDTH);
        let (psi, lambda) = (self.psi.start.get(), self.lambda.start.get());
        // SAFETY: indices stay below the common length, a power of two above all bits (`check`).
        unsafe {
            let (re, im) = factor::<A, L>(self.z.conj(), lanes, 1.0);
            let mut sum = by_lane::<A, L>(|_| Complex::new(0.0, 0.0));
            let mut i = 0;
            for _ in 0..count {
                let (p, q) = (psi.add(i | value), lambda.add(i | value));
                let (x, y) = (L::load(p), L::load(q));
                let s = x.swap();
                sum = y.fma(s, sum);
                im.fma(s, re.mul(x)).store(p);
                im.fma(y.swap(), re.mul(y)).store(q);
                i = ((i | fixed) + 1) & !fixed;
            }
            im_total(sum, |lane| lanes.contains(lane))
        }
    }
}

/// Im Σ λ_i* ψ_i over the subset, then ψ_i ← z* ψ_i and λ_i ← z* λ_i there.
pub fn undo<A: Amplitude>(psi: &mut [A], lambda: &mut [A], on: Subset, z: Complex<f64>) -> f64 {
    check(on, psi.len());
    assert_eq!(psi.len(), lambda.len());
    let (psi, lambda, parts) = (State::new(psi), State::new(lambda), split(psi.len(), on.mask));
    if parts.len() == 1 {
        return dispatch(Undo { psi, lambda, on, z });
    }
    collect(parts.len(), |k| dispatch(Undo { psi, lambda, on: on.and(parts[k]), z })).iter().sum()
}

struct Bracket<'a, A> {
    psi: &'a [A],
    lambda: &'a [A],
    on: Subset,
}

impl<A: Amplitude> Loop<A> for Bracket<'_, A> {
    type Output = f64;
    fn extent(&self) -> (usize, usize) {
        (self.psi.len(), 0)
    }
    #[inline(always)]
    unsafe fn run<L: Lanes<A>>(self) -> f64 {
        let (fixed, value, count, lanes) = layout(self.on, self.psi.len(), L::WIDTH);
        // SAFETY: indices stay below the common length, a power of two above all bits (`check`).
        unsafe {
            let mut sum = by_lane::<A, L>(|_| Complex::new(0.0, 0.0));
            let mut i = 0;
            for _ in 0..count {
                let x = L::load(self.psi.as_ptr().add(i | value));
                sum = L::load(self.lambda.as_ptr().add(i | value)).fma(x.swap(), sum);
                i = ((i | fixed) + 1) & !fixed;
            }
            im_total(sum, |lane| lanes.contains(lane))
        }
    }
}

/// Im Σ λ_i* ψ_i over the subset.
pub fn bracket<A: Amplitude>(psi: &[A], lambda: &[A], on: Subset) -> f64 {
    check(on, psi.len());
    assert_eq!(psi.len(), lambda.len());
    dispatch(Bracket { psi, lambda, on })
}

struct Generate<'a, A> {
    psi: &'a [A],
    out: &'a mut [A],
    on: Subset,
    rate: f64,
}

impl<A: Amplitude> Loop<A> for Generate<'_, A> {
    type Output = ();
    fn extent(&self) -> (usize, usize) {
        (self.psi.len(), 0)
    }
    #[inline(always)]
    unsafe fn run<L: Lanes<A>>(self) {
        let (fixed, value, count, lanes) = layout(self.on, self.psi.len(), L::WIDTH);
        // SAFETY: indices stay below the common length, a power of two above all bits (`check`).
        unsafe {
            let rate = self.rate;
            let im = by_lane::<A, L>(|i| if lanes.contains(i) { Complex::new(-rate, rate) } else { Complex::new(0.0, 0.0) });
            let mut i = 0;
            for _ in 0..count {
                let q = self.out.as_mut_ptr().add(i | value);
                im.fma(L::load(self.psi.as_ptr().add(i | value)).swap(), L::load(q)).store(q);
                i = ((i | fixed) + 1) & !fixed;
            }
        }
    }
}

/// out_i ← out_i + i · rate · ψ_i for the indices of the subset.
pub fn generate<A: Amplitude>(psi: &[A], out: &mut [A], on: Subset, rate: f64) {
    check(on, psi.len());
    assert_eq!(psi.len(), out.len());
    dispatch(Generate { psi, out, on, rate });
}
