//! Running sums and products.

use super::support::*;
use num_complex::Complex;
use pullback::prelude::*;
use rand::RngExt;

#[test]
fn running_sums_and_products_agree_with_loops() {
    let mut rng = rng(1);
    for _ in 0..60 {
        let rank = rng.random_range(1..=4);
        let shape = random_shape(&mut rng, rank, 5);
        let (x, b): (Var<Complex<f64>>, Var<Complex<f64>>) = (random(&mut rng, &shape), random(&mut rng, &shape));
        let a = rng.random_range(0..rank);
        let lane = |i: &[usize]| {
            let i = i.to_vec();
            (0..=i[a]).map(move |k| {
                let mut i = i.clone();
                i[a] = k;
                i
            })
        };
        let axis = a as isize - rank as isize;
        assert_close(&x.cumsum(axis), &from_fn(&shape, |i| lane(i).map(|i| at(&x, &i)).sum()), 1e-14);
        assert_close(&x.cumprod(axis), &from_fn(&shape, |i| lane(i).map(|i| at(&x, &i)).product()), 1e-14);
        let recurrence = from_fn(&shape, |i| lane(i).fold(Complex::new(0.0, 0.0), |s, i| at(&x, &i) * s + at(&b, &i)));
        assert_close(&linear_recurrence(&x, &b, axis), &recurrence, 1e-14);
    }
    assert_eq!(Var::<f64>::zeros(&[0, 2]).cumsum(0).shape(), &[0, 2]);
    assert_eq!(Var::<f64>::zeros(&[2, 0]).cumprod(1).shape(), &[2, 0]);
}

#[test]
fn running_sums_are_linear_in_both_modes() {
    let mut rng = rng(2);
    check_linear(&mut rng, &[5], |x: &Var<f64>| x.cumsum(0));
    check_linear(&mut rng, &[3, 4, 2], |x: &Var<Complex<f64>>| x.cumsum(1));
}

#[test]
fn products_and_recurrences_have_their_derivatives() {
    let mut rng = rng(3);
    let x: Var<f64> = random(&mut rng, &[2, 4]);
    let z: Var<Complex<f64>> = random(&mut rng, &[3, 2]);
    gradcheck(|x: &Var<f64>| x.cumprod(1), &x).unwrap();
    gradcheck(|z: &Var<Complex<f64>>| z.cumprod(0), &z).unwrap();
    let both = |(a, b): &(Var<Complex<f64>>, Var<Complex<f64>>)| linear_recurrence(a, b, 0);
    gradcheck(both, &(z.clone(), z.flip(&[0]))).unwrap();
    // one coefficient for all, so that the derivative sums over a broadcast
    gradcheck(|(a, b): &(Var<f64>, Var<f64>)| linear_recurrence(a, b, 1), &(Var::scalar(0.7), x)).unwrap();
}

#[test]
fn zeros_among_the_factors_are_nothing_special() {
    for x in [ndarray::array![2.0, 0.0, 3.0, 4.0], ndarray::array![0.0, 2.0, 0.0, 5.0], ndarray::array![0.0, 0.0, 0.0, 1.0]] {
        gradcheck(|x: &Var<f64>| x.cumprod(0), &x).unwrap();
        // ∂y_k/∂x_j is the product of the other factors up to k
        let j = jacobian_reverse(|x: &Var<f64>| x.cumprod(0), &x).unwrap();
        let want = from_fn(&[4, 4], |i| if i[1] > i[0] { 0.0 } else { (0..=i[0]).filter(|&m| m != i[1]).map(|m| x[m]).product() });
        assert_same(&j, &want);
        assert_same(&jacobian_forward(|x: &Var<f64>| x.cumprod(0), &x).unwrap(), &want);
    }
}

#[test]
fn large_scans_do_not_depend_on_the_number_of_threads() {
    let mut rng = rng(4);
    let x: Var<f64> = random(&mut rng, &[300, 41, 13]);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| (x.cumsum(1), linear_recurrence(&x, &x, 1)))
    };
    let ((a, b), (a2, b2)) = (run(1), run(2));
    assert_same(&a, &a2);
    assert_same(&b, &b2);
    let want: f64 = (0..41).map(|k| at(&x, &[299, k, 12])).sum();
    assert!((at(&a, &[299, 40, 12]) - want).abs() < 1e-12);
}

#[test]
fn axes_and_shapes_that_do_not_fit_are_named() {
    let x = Var::<f64>::zeros(&[2, 3]);
    refuses(|| x.cumsum(2), &["cumsum", "axis 2"]);
    refuses(|| x.cumprod(-3), &["cumprod", "axis -3"]);
    refuses(|| linear_recurrence(&x, &Var::from([1.0, 2.0]), 0), &["linear_recurrence", "[2, 3]", "[2]"]);
    refuses(|| linear_recurrence(&x, &x, 2), &["linear_recurrence", "axis 2"]);
}
