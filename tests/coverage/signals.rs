//! Differences, sums over samples, convolutions.

use super::support::*;
use pullback::prelude::*;

/// Samples of x² at 0, 1, 3, 4: numpy's `gradient` is exact for parabolas inside.
fn parabola() -> (R, R) {
    let at = Var::from([0.0, 1.0, 3.0, 4.0]);
    (at.square(), at)
}

pub const ENTRIES: &[Entry] = &[
    ("diff", || {
        close(&Var::from([1.0, 4.0, 9.0, 16.0]).diff(2, 0), &[2.0, 2.0]);
        both!(&[2, 3], |x| x.diff(1, -1).square());
    }),
    ("gradient", || {
        let (y, at) = parabola();
        close(&y.gradient(&at, 0), &[1.0, 2.0, 6.0, 7.0]);
        close(&Var::from([1.0, 4.0, 9.0]).gradient(0.5, 0), &[6.0, 8.0, 10.0]);
        check(&|x| x.gradient(0.5, 1).square(), &real(71, &[2, 4]));
        let at = Var::from([0.0, 1.0, 2.5, 4.0]);
        check2(&|x, at| x.gradient(at, 0), &real(72, &[4]), &at);
        check_c(&|z| z.gradient(C::new(0.5, 0.0), 0).square(), &planar(71, &[4]));
    }),
    ("convolve", || {
        let (x, y) = (Var::from([1.0, 2.0, 3.0]), Var::from([0.0, 1.0, 0.5]));
        close(&convolve(&x, &y, ConvolveMode::Full), &[0.0, 1.0, 2.5, 4.0, 1.5]);
        for mode in [ConvolveMode::Full, ConvolveMode::Same, ConvolveMode::Valid] {
            check2(&|x, y| convolve(x, y, mode), &real(73, &[4]), &real(74, &[2]));
        }
        check2_c(&|x, y| convolve(x, y, ConvolveMode::Full), &planar(73, &[3]), &planar(74, &[2]));
    }),
    ("correlate", || {
        // numpy: c_k = Σ_n x_{n+k} conj(y_n)
        close(&correlate(&Var::from([1.0, 2.0, 3.0]), &Var::from([0.0, 1.0, 0.5]), ConvolveMode::Same), &[2.0, 3.5, 3.0]);
        check2(&|x, y| correlate(x, y, ConvolveMode::Full), &real(73, &[4]), &real(74, &[2]));
        check2_c(&|x, y| correlate(x, y, ConvolveMode::Valid), &planar(73, &[3]), &planar(74, &[2]));
    }),
    ("interp", || {
        let (xp, fp) = (Var::from([0.0, 1.0, 3.0]), Var::from([0.0, 10.0, 30.0]));
        close(&interp(&Var::from([0.5, 2.0, 9.0]), &xp, &fp), &[5.0, 20.0, 30.0]);
        let f = |x: &[R]| vec![interp(&x[0], &x[1], &x[2])];
        check_n(&f, &[Var::from([0.4, 2.2, -1.0, 7.0]), xp, real(75, &[3])]);
    }),
    ("trapezoid", || {
        let (y, at) = parabola();
        close(&y.trapezoid(&at, 0), &[0.5 + 10.0 + 12.5]);
        check2(&|y, at| y.trapezoid(at, -1), &real(76, &[2, 4]), &at);
        check_c(&|z| z.trapezoid(C::new(0.5, 0.0), 0).square(), &planar(76, &[4]));
    }),
    ("cumulative_trapezoid", || {
        let (y, at) = parabola();
        close(&y.cumulative_trapezoid(&at, 0), &[0.5, 10.5, 23.0]);
        check2(&|y, at| y.cumulative_trapezoid(at, -1), &real(76, &[2, 4]), &at);
    }),
];
