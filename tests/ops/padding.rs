//! Margins.

use super::support::*;
use num_complex::Complex;
use pullback::prelude::*;

/// Numbers from numpy 2.4.
#[test]
fn margins_are_those_of_numpy() {
    let x = Var::from([0.0, 1.0, 2.0]);
    let long = [(7, 8)];
    let rows = [
        (PadMode::Edge, [0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2]),
        (PadMode::Reflect, [1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2]),
        (PadMode::Symmetric, [0, 0, 1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1, 2, 2, 1]),
        (PadMode::Wrap, [2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1]),
    ];
    for (mode, want) in rows {
        assert_same(&x.pad(&long, mode), &Var::from(want.map(f64::from)));
    }
    let y = Var::from(ndarray::array![[0.0, 1.0], [2.0, 3.0]]);
    let reflected = y.pad(&[(1, 2), (2, 1)], PadMode::Reflect);
    let want = ndarray::array![
        [2.0, 3.0, 2.0, 3.0, 2.0],
        [0.0, 1.0, 0.0, 1.0, 0.0],
        [2.0, 3.0, 2.0, 3.0, 2.0],
        [0.0, 1.0, 0.0, 1.0, 0.0],
        [2.0, 3.0, 2.0, 3.0, 2.0]
    ];
    assert_same(&reflected, &Var::from(want));
    let filled = y.pad(&[(1, 0), (0, 2)], PadMode::Constant(9.0));
    assert_same(&filled, &Var::from(ndarray::array![[9.0, 9.0, 9.0, 9.0], [0.0, 1.0, 9.0, 9.0], [2.0, 3.0, 9.0, 9.0]]));
    assert_same(&Var::from([5.0]).pad(&[(2, 1)], PadMode::Reflect), &Var::from([5.0; 4]));
    assert_eq!(Var::<f64>::zeros(&[0]).pad(&[(1, 2)], PadMode::Constant(4.0)).as_slice(), &[4.0; 3]);
}

#[test]
fn margins_are_linear_in_both_modes() {
    let mut rng = rng(1);
    let margins = [(2, 1), (0, 4)];
    check_linear(&mut rng, &[2, 3], |x: &Var<f64>| x.pad(&margins, PadMode::Constant(0.0)));
    check_linear(&mut rng, &[2, 3], |x: &Var<f64>| x.pad(&margins, PadMode::Edge));
    check_linear(&mut rng, &[2, 3], |x: &Var<Complex<f64>>| x.pad(&margins, PadMode::Reflect));
    check_linear(&mut rng, &[2, 3], |x: &Var<f64>| x.pad(&margins, PadMode::Symmetric));
    check_linear(&mut rng, &[2, 3], |x: &Var<Complex<f64>>| x.pad(&margins, PadMode::Wrap));
    gradcheck(|x: &Var<f64>| x.pad(&[(1, 1)], PadMode::Constant(2.0)).square(), &ndarray::array![1.0, -0.5]).unwrap();
}

#[test]
fn margins_that_do_not_fit_are_named() {
    let x = Var::<f64>::zeros(&[2, 3]);
    refuses(|| x.pad(&[(1, 1)], PadMode::Edge), &["pad", "1 pairs", "[2, 3]"]);
    refuses(|| Var::<f64>::zeros(&[0]).pad(&[(1, 1)], PadMode::Wrap), &["pad", "empty", "Constant"]);
}
