//! Differences, quadrature, convolution, interpolation.

#![allow(clippy::reversed_empty_ranges)] // naive loops over ranges that may be empty
use super::support::*;
use num_complex::Complex;
use pullback::prelude::*;
use rand::RngExt;

#[test]
fn differences_agree_with_subtraction() {
    let mut rng = rng(1);
    let x: Var<Complex<f64>> = random(&mut rng, &[2, 5, 3]);
    let first = from_fn(&[2, 4, 3], |i| at(&x, &[i[0], i[1] + 1, i[2]]) - at(&x, i));
    assert_same(&x.diff(1, 1), &first);
    assert_same(&x.diff(3, 1), &first.diff(2, -2));
    assert_same(&x.diff(0, 1), &x);
    assert_eq!(x.diff(9, 0).shape(), &[0, 5, 3]);
    check_linear(&mut rng, &[2, 5], |x: &Var<f64>| x.diff(2, 1));
    refuses(|| x.diff(1, 3), &["diff", "axis 3"]);
}

/// Numbers from numpy 2.4; exact for parabolas inside.
#[test]
fn gradients_of_samples() {
    let f = Var::from([1.0, 2.0, 4.0, 7.0, 11.0]);
    assert_same(&f.gradient(2.0, 0), &Var::from([0.5, 0.75, 1.25, 1.75, 2.0]));
    let c = Var::from([0.0, 1.0, 3.0, 3.5, 5.0]);
    assert_close(&f.gradient(&c, 0), &Var::from([1.0, 1.0, 5.0, 31.0 / 6.0, 8.0 / 3.0]), 1e-15);
    let parabola = (c.square() * 3.0 - &c).gradient(&c, 0).slice(s![1..-1]);
    assert_close(&parabola, &(c.slice(s![1..-1]) * 6.0 - 1.0), 1e-14);
    assert_same(&Var::from([1.0, 3.0]).gradient(1.0, 0), &Var::from([2.0, 2.0]));
    let mut rng = rng(2);
    let x: Var<f64> = random(&mut rng, &[2, 4]);
    gradcheck(|(x, h): &(Var<f64>, Var<f64>)| x.gradient(h, 1), &(x.clone(), Var::scalar(0.7))).unwrap();
    gradcheck(|(x, c): &(Var<f64>, Var<f64>)| x.gradient(c, 1), &(x.clone(), Var::from([0.0, 0.8, 1.7, 2.6]))).unwrap();
    check_linear(&mut rng, &[3, 2], |x: &Var<Complex<f64>>| x.gradient(Complex::new(0.5, 0.0), 0));
    refuses(|| x.gradient(Var::from([1.0, 2.0]), 1), &["gradient", "[2]", "[2, 4]", "4 coordinates"]);
    refuses(|| Var::from([1.0]).gradient(1.0, 0), &["gradient", "[1]", "two samples"]);
}

#[test]
fn trapezia_add_up() {
    let x = Var::from([0.0, 0.5, 2.0]);
    let y = Var::from(ndarray::array![[1.0, 3.0, 5.0], [2.0, 2.0, 2.0]]);
    assert_same(&y.trapezoid(&x, 1), &Var::from([7.0, 4.0]));
    assert_same(&y.trapezoid(0.5, -1), &Var::from([3.0, 2.0]));
    assert_same(&y.trapezoid(1.0, 0), &Var::from([1.5, 2.5, 3.5]));
    assert_same(&y.cumulative_trapezoid(&x, 1), &Var::from(ndarray::array![[1.0, 7.0], [1.0, 4.0]]));
    assert_eq!(Var::from([3.0]).trapezoid(1.0, 0).item(), 0.0);
    gradcheck(|(y, x): &(Var<f64>, Var<f64>)| y.trapezoid(x, 1), &(y.clone(), x.clone())).unwrap();
    gradcheck(|(y, x): &(Var<f64>, Var<f64>)| y.cumulative_trapezoid(x, 1), &(y.clone(), x.clone())).unwrap();
    check_linear(&mut rng(3), &[4], |y: &Var<Complex<f64>>| y.trapezoid(Complex::new(0.2, 0.0), 0));
    refuses(|| y.trapezoid(Var::from([1.0, 2.0]), 1), &["trapezoid", "[2]", "3 coordinates"]);
    refuses(|| Var::<f64>::zeros(&[0]).trapezoid(1.0, 0), &["trapezoid", "[0]", "at least one"]);
    refuses(|| y.cumulative_trapezoid(1.0, 2), &["cumulative_trapezoid", "axis 2"]);
}

/// z_k = Σ_j x_{k−j} y_j, as it stands.
fn naive(x: &Var<Complex<f64>>, y: &Var<Complex<f64>>) -> Vec<Complex<f64>> {
    let mut z = vec![Complex::new(0.0, 0.0); x.len() + y.len() - 1];
    for (i, a) in x.as_slice().iter().enumerate() {
        y.as_slice().iter().enumerate().for_each(|(j, b)| z[i + j] += a * b);
    }
    z
}

#[test]
fn convolutions_agree_with_the_double_sum() {
    let mut rng = rng(4);
    for _ in 0..60 {
        let (n, m) = (rng.random_range(1..=9), rng.random_range(1..=9));
        let (x, y): (Var<Complex<f64>>, Var<Complex<f64>>) = (random(&mut rng, &[n]), random(&mut rng, &[m]));
        let full = naive(&x, &y);
        let (long, short) = (n.max(m), n.min(m));
        let part = |start: usize, len: usize| Var::from(&full[start..start + len]);
        assert_close(&convolve(&x, &y, ConvolveMode::Full), &part(0, n + m - 1), 1e-14);
        assert_close(&convolve(&x, &y, ConvolveMode::Same), &part((short - 1) / 2, long), 1e-14);
        assert_close(&convolve(&x, &y, ConvolveMode::Valid), &part(short - 1, long - short + 1), 1e-14);
        // Σ_j x_{k+j} conj(y_j) from k = 1 − m on
        let want = from_fn(&[n + m - 1], |k| {
            (0..m).filter(|j| (m - 1..n + m - 1).contains(&(k[0] + j))).map(|j| at(&x, &[k[0] + j + 1 - m]) * at(&y, &[j]).conj()).sum()
        });
        assert_close(&correlate(&x, &y, ConvolveMode::Full), &want, 1e-14);
    }
}

/// Numbers from numpy 2.4, whose middle depends on which vector is longer.
#[test]
fn the_middle_of_a_correlation_is_where_numpy_has_it() {
    let (a, b, c) = (Var::from([1.0, 2.0, 3.0, 4.0]), Var::from([1.0, 10.0, 100.0]), Var::from([1.0, 10.0]));
    let same = |x: &Var<f64>, y: &Var<f64>| correlate(x, y, ConvolveMode::Same).as_slice().to_vec();
    assert_eq!(same(&a, &b), [210.0, 321.0, 432.0, 43.0]);
    assert_eq!(same(&b, &a), [43.0, 432.0, 321.0, 210.0]);
    assert_eq!(same(&a, &c), [10.0, 21.0, 32.0, 43.0]);
    assert_eq!(same(&c, &a), [43.0, 32.0, 21.0, 10.0]);
    assert_eq!(same(&b, &c), [10.0, 101.0, 1010.0]);
    assert_eq!(same(&c, &b), [1010.0, 101.0, 10.0]);
    assert_eq!(correlate(&b, &a, ConvolveMode::Valid).as_slice(), &[432.0, 321.0]);
    assert_eq!(convolve(&b, &a, ConvolveMode::Same).as_slice(), &[12.0, 123.0, 234.0, 340.0]);
}

#[test]
fn convolutions_have_their_derivatives() {
    let mut rng = rng(5);
    let (x, y): (Var<Complex<f64>>, Var<Complex<f64>>) = (random(&mut rng, &[4]), random(&mut rng, &[2]));
    for mode in [ConvolveMode::Full, ConvolveMode::Same, ConvolveMode::Valid] {
        gradcheck(|(x, y): &(Var<Complex<f64>>, Var<Complex<f64>>)| convolve(x, y, mode), &(x.clone(), y.clone())).unwrap();
        gradcheck(|(x, y): &(Var<Complex<f64>>, Var<Complex<f64>>)| correlate(y, x, mode), &(x.clone(), y.clone())).unwrap();
    }
    let (x, y): (Var<f64>, Var<f64>) = (random(&mut rng, &[3]), random(&mut rng, &[4]));
    gradcheck(|(x, y): &(Var<f64>, Var<f64>)| convolve(x, y, ConvolveMode::Same), &(x.clone(), y.clone())).unwrap();
    gradcheck(|x: &Var<f64>| convolve(x, x, ConvolveMode::Full), &x).unwrap();
    refuses(|| convolve(&x, &Var::<f64>::zeros(&[2, 2]), ConvolveMode::Full), &["convolve", "[3]", "[2, 2]"]);
    refuses(|| correlate(&x, &Var::<f64>::zeros(&[0]), ConvolveMode::Full), &["correlate", "[3]", "[0]"]);
}

/// Numbers from numpy 2.4.
#[test]
fn interpolation_between_and_beyond_the_points() {
    let (xp, fp) = (Var::from([0.0, 1.0, 3.0]), Var::from([5.0, 10.0, 30.0]));
    let x = Var::from([-1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0]);
    assert_same(&interp(&x, &xp, &fp), &Var::from([5.0, 5.0, 7.5, 10.0, 20.0, 30.0, 30.0]));
    assert!(interp(&Var::scalar(f64::NAN), &xp, &fp).item().is_nan());
    assert_eq!(interp(&Var::scalar(f64::INFINITY), &xp, &fp).item(), 30.0);
    let g = grad(|x: &Var<f64>| interp(x, &xp, &fp).sum(), &x).unwrap();
    assert_same(&g, &Var::from([0.0, 5.0, 5.0, 10.0, 10.0, 10.0, 0.0]));
    let one = interp(&Var::from([-1.0, 7.0, f64::NAN]), &Var::from([0.0]), &Var::from([2.0]));
    assert!(one.as_slice()[..2] == [2.0, 2.0] && one.as_slice()[2].is_nan());
    let all = |(x, xp, fp): &(Var<f64>, Var<f64>, Var<f64>)| interp(x, xp, fp);
    let inside = Var::from(ndarray::array![[-1.0, 0.4], [2.2, 9.0]]);
    gradcheck(all, &(inside, xp.clone(), fp.clone())).unwrap();
    refuses(|| interp(&x, &xp, &x), &["interp", "[3]", "[7]"]);
    refuses(|| interp(&x, &Var::from([0.0, 0.0, 1.0]), &fp), &["interp", "ascending"]);
}
