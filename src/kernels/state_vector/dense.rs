//! A matrix on a few qubits.

use super::{Amplitude, Lanes, Loop, Subset, by_lane, dispatch};
use num_complex::Complex;

struct Apply<'a, A> {
    psi: &'a mut [A],
    targets: &'a [usize],
    controls: Subset,
    matrix: &'a [Complex<f64>],
}

/// The places of the 2ᵏ amplitudes that a matrix on these bits mixes.
fn places(targets: &[usize]) -> Vec<usize> {
    (0..1usize << targets.len()).map(|j| targets.iter().enumerate().map(|(k, &q)| (j >> k & 1) << q).sum()).collect()
}

impl<A: Amplitude> Loop<A> for Apply<'_, A> {
    type Output = ();
    fn extent(&self) -> (usize, usize) {
        (self.psi.len(), self.targets.iter().map(|&q| 1 << q).sum::<usize>() | self.controls.mask)
    }
    #[inline(always)]
    unsafe fn run<L: Lanes<A>>(self) {
        let places = places(self.targets);
        let size = places.len();
        let bits = places[size - 1];
        let fixed = bits | self.controls.mask | (L::WIDTH - 1);
        let psi = self.psi.as_mut_ptr();
        // SAFETY: indices stay below the length, a power of two above all bits (`apply`).
        unsafe {
            let parts: Vec<(L, L)> = self
                .matrix
                .iter()
                .map(|z| (by_lane::<A, L>(|_| Complex::new(z.re, z.re)), by_lane::<A, L>(|_| Complex::new(-z.im, z.im))))
                .collect();
            let zero = by_lane::<A, L>(|_| Complex::new(0.0, 0.0));
            let mut x = vec![(zero, zero); size];
            let mut i = 0;
            for _ in 0..self.psi.len() >> fixed.count_ones() {
                let p = psi.add(i | self.controls.value);
                for (x, &at) in x.iter_mut().zip(&places) {
                    let load = L::load(p.add(at));
                    *x = (load, load.swap());
                }
                for (row, &at) in parts.chunks_exact(size).zip(&places) {
                    let mut y = zero;
                    for (&(re, im), &(x, s)) in row.iter().zip(&x) {
                        y = im.fma(s, re.fma(x, y));
                    }
                    y.store(p.add(at));
                }
                i = ((i | fixed) + 1) & !fixed;
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
    dispatch(Apply { psi, targets, controls, matrix });
}
