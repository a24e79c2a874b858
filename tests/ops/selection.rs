//! Comparisons, masks, choices, and functions that are constant in pieces.

use super::support::*;
use num_complex::Complex;
use pullback::prelude::*;
use rand::RngExt;

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;

#[test]
fn comparisons_broadcast_and_are_false_for_nan() {
    let x = Var::from(ndarray::array![[1.0, 2.0], [3.0, NAN]]);
    let y = Var::from([2.0, 2.0]);
    let t = |mask: Mask| mask.as_slice().to_vec();
    assert_eq!(t(x.lt(&y)), [true, false, false, false]);
    assert_eq!(t(x.le(&y)), [true, true, false, false]);
    assert_eq!(t(x.gt(&y)), [false, false, true, false]);
    assert_eq!(t(x.ge(2.0)), [false, true, true, false]);
    assert_eq!(t(x.eq_elem(&y)), [false, true, false, false]);
    assert_eq!(t(x.ne_elem(&y)), [true, false, true, true]);
    assert_eq!(x.expand_dims(0).lt(Var::<f64>::zeros(&[3, 1, 2])).shape(), &[3, 2, 2]);
    let z = Var::from([Complex::new(1.0, 2.0), Complex::new(1.0, 0.0)]);
    assert_eq!(t(z.eq_elem(Complex::new(1.0, 2.0))), [true, false]);
    let w = Var::from([1.0, INF, -INF, NAN]);
    assert_eq!(t(w.isfinite()), [true, false, false, false]);
    assert_eq!(t(w.isinf()), [false, true, true, false]);
    assert_eq!(t(w.isnan()), [false, false, false, true]);
    let w = Var::from([Complex::new(0.0, NAN), Complex::new(-INF, 0.0)]);
    assert_eq!((t(w.isnan()), t(w.isinf())), (vec![true, false], vec![false, true]));
    refuses(|| x.lt(Var::<f64>::zeros(&[3])), &["lt", "[2, 2]", "[3]"]);
}

#[test]
fn masks_combine_logically() {
    let (a, b) = (Mask::from([true, true, false, false]), Mask::from([true, false, true, false]));
    assert_eq!((&a & &b).as_slice(), &[true, false, false, false]);
    assert_eq!((&a | &b).as_slice(), &[true, true, true, false]);
    assert_eq!((&a ^ &b).as_slice(), &[false, true, true, false]);
    assert_eq!((!&a).as_slice(), &[false, false, true, true]);
    assert_eq!(a.logical_and(&b).logical_not().count(), 3);
    assert_eq!(a.positions(), [0, 1]);
    assert_eq!(a.to_var::<f64>().as_slice(), &[1.0, 1.0, 0.0, 0.0]);
    assert!(Mask::full(&[0], false).all() && !Mask::full(&[0], true).any());
    let m = Mask::from(&ndarray::array![[true, false], [true, true]]);
    assert_eq!((m.all_axis(0, false), m.any_axis(-1, true)), (Mask::from([true, false]), Mask::full(&[2, 1], true)));
    assert_eq!((m.all_axis(1, false), m.any_axis(0, false)), (Mask::from([false, true]), Mask::from([true, true])));
    assert_eq!((&m & Mask::from([false, true])).to_array(), ndarray::array![[false, false], [false, true]].into_dyn());
    assert!(Mask::full(&[1, 1], true).item());
    assert!(Mask::from_shape_vec(&[2], vec![true]).unwrap_err().to_string().contains("needs 2 elements, got 1"));
    refuses(|| &a & Mask::full(&[3], true), &["logical_and", "[4]", "[3]"]);
    refuses(|| a.broadcast_to(&[4, 2]), &["broadcast_to", "[4]", "[4, 2]"]);
    refuses(|| m.any_axis(2, false), &["any_axis", "axis 2"]);
    refuses(|| m.item(), &["item", "[2, 2]"]);
}

#[test]
fn where_chooses_and_broadcasts() {
    let mut rng = rng(1);
    for _ in 0..40 {
        let full = random_shape(&mut rng, 3, 3);
        let mut part = || -> Vec<usize> {
            let skip = rng.random_range(0..=2);
            full[skip..].iter().map(|&n| if rng.random_bool(0.3) { 1 } else { n }).collect()
        };
        let (sc, sx, sy) = (part(), part(), part());
        let c: Var<f64> = random(&mut rng, &sc);
        let (x, y): (Var<Complex<f64>>, Var<Complex<f64>>) = (random(&mut rng, &sx), random(&mut rng, &sy));
        let mask = c.gt(0.0);
        let got = where_(&mask, &x, &y);
        let (c, x, y) = (mask.to_var::<f64>().broadcast_to(got.shape()), x.broadcast_to(got.shape()), y.broadcast_to(got.shape()));
        assert_same(&got, &from_fn(got.shape(), |i| if at(&c, i) == 1.0 { at(&x, i) } else { at(&y, i) }));
    }
}

#[test]
fn where_is_linear_in_both_branches_in_both_modes() {
    let mut rng = rng(2);
    let mask = Mask::from(&ndarray::array![[true, false, true], [false, false, true]]);
    check_linear(&mut rng, &[2, 3], |x: &Var<f64>| where_(&mask, x, x.flip(&[1]) * 3.0));
    check_linear(&mut rng, &[3], |x: &Var<Complex<f64>>| where_(&mask, x, Var::zeros(&[2, 1])));
    check_linear(&mut rng, &[2, 1], |x: &Var<f64>| where_(&mask, 0.0, x));
    check_linear(&mut rng, &[], |x: &Var<f64>| where_(&mask, x, 0.0));
    check_linear(&mut rng, &[2, 3], |x: &Var<Complex<f64>>| x * &mask + &mask * x.flip(&[0]));
}

/// NaN and infinite values in the branch not taken, and √x and ln x with a harmless argument there: clean gradients to second order.
#[test]
fn a_nan_in_the_branch_not_taken_does_no_harm() {
    let x = ndarray::array![4.0, -1.0, 0.0];
    let bad = Var::from([NAN, NAN, INF]);
    let f = |x: &Var<f64>| {
        let positive = x.gt(0.0);
        let inside: Var<f64> = where_(&positive, x, 1.0);
        let taken: Var<f64> = where_(&positive, inside.sqrt() + inside.log(), x * x);
        let other: Var<f64> = where_(&Mask::full(&[3], false), x + &bad, taken);
        other.sum()
    };
    assert_eq!(grad(f, &x).unwrap(), ndarray::array![0.25 + 0.25, -2.0, 0.0]);
    let ones = ndarray::array![1.0, 1.0, 1.0];
    assert_eq!(jvp(f, &x, &ones).unwrap().1.item(), 0.5 - 2.0);
    assert_eq!(hvp(f, &x, &ones).unwrap(), ndarray::array![-1.0 / 32.0 - 1.0 / 16.0, 2.0, 2.0]);
    let product = |x: &Var<f64>| ((x + &bad) * Mask::from([false, false, false]) + x).sum();
    assert_eq!(grad(product, &x).unwrap(), ones);
}

#[test]
fn select_takes_the_first_that_holds() {
    let x = Var::from([-2.0, 0.5, 0.9, 3.0]);
    let f = |x: &Var<f64>| select(&[x.lt(0.0), x.lt(0.7), x.lt(1.0)], &[-x, x.square(), x * x * x], 7.0);
    assert_close(&f(&x), &Var::from([2.0, 0.25, 0.729, 7.0]), 1e-15);
    gradcheck(f, &x).unwrap();
    let none: [Mask; 0] = [];
    assert_eq!(select(&none, &[], 7.0).item(), 7.0);
    refuses(|| select(&[x.lt(0.0)], &[], 0.0), &["select", "1 conditions", "0 choices"]);
    refuses(|| select(&[x.lt(0.0)], &[Var::<f64>::zeros(&[3])], 0.0), &["select", "[4]", "[3]"]);
}

#[test]
fn clip_passes_the_derivative_inside_and_at_the_bounds() {
    let x = ndarray::array![-2.0, -1.0, 0.3, 1.0, 2.0];
    assert_eq!(Var::from(&x).clip(-1.0, 1.0).as_slice(), &[-1.0, -1.0, 0.3, 1.0, 1.0]);
    assert_eq!(grad(|x: &Var<f64>| x.clip(-1.0, 1.0).sum(), &x).unwrap(), ndarray::array![0.0, 1.0, 1.0, 1.0, 0.0]);
    let (_, dy) = jvp(|x: &Var<f64>| x.clip(-1.0, 1.0), &x, &ndarray::Array1::ones(5)).unwrap();
    assert_eq!(dy.as_slice(), &[0.0, 1.0, 1.0, 1.0, 0.0]);
    let bounds = |(x, low, high): &(Var<f64>, Var<f64>, Var<f64>)| x.clip(low, high).square().sum();
    gradcheck(bounds, &(ndarray::array![[-2.0, 0.3], [0.5, 4.0]], -1.0, ndarray::array![1.0, 1.5])).unwrap();
    let v = Var::from(&x);
    assert!(v.clip(0.0, NAN).as_slice()[2] == 0.3);
    assert!(Var::scalar(NAN).clip(0.0, 1.0).item().is_nan());
    refuses(|| v.clip(1.0, 0.0), &["clip", "lower bound 1", "upper bound 0"]);
    refuses(|| v.clip(Var::from([0.0, 1.0]), 2.0), &["clip", "[5]", "[2]"]);
}

#[test]
fn nan_to_num_is_finite_with_a_finite_derivative() {
    let x = ndarray::array![1.5, NAN, INF, -INF];
    assert_eq!(Var::from(&x).nan_to_num().as_slice(), &[1.5, 0.0, f64::MAX, -f64::MAX]);
    assert_eq!(grad(|x: &Var<f64>| x.nan_to_num().sum(), &x).unwrap(), ndarray::array![1.0, 0.0, 0.0, 0.0]);
    let z = Var::from([Complex::new(1.0, NAN), Complex::new(2.0, 3.0)]);
    assert_eq!(z.nan_to_num().as_slice(), &[Complex::new(1.0, 0.0), Complex::new(2.0, 3.0)]);
}

#[test]
fn functions_constant_in_pieces_have_no_derivative() {
    let x = Var::from([-1.5, -0.5, 0.0, 0.5, 1.5, 2.5]);
    assert_eq!(x.sign().as_slice(), &[-1.0, -1.0, 0.0, 1.0, 1.0, 1.0]);
    assert_eq!(x.floor().as_slice(), &[-2.0, -1.0, 0.0, 0.0, 1.0, 2.0]);
    assert_eq!(x.ceil().as_slice(), &[-1.0, 0.0, 0.0, 1.0, 2.0, 3.0]);
    assert_eq!(x.round().as_slice(), &[-2.0, 0.0, 0.0, 0.0, 2.0, 2.0]);
    assert_eq!(x.trunc().as_slice(), &[-1.0, 0.0, 0.0, 0.0, 1.0, 2.0]);
    let f = |x: &Var<f64>| (x.sign() + x.floor() + x.ceil() + x.round() + x.trunc() + x).sum();
    assert_eq!(grad(f, &x).unwrap().as_slice(), &[1.0; 6]);
    assert_eq!(Var::scalar(2.7).floor().item(), 2.0);
}
