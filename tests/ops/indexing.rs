//! Slices and index arrays.

use super::support::*;
use num_complex::Complex;
use pullback::prelude::*;
use rand::RngExt;

/// Random ranges, steps, indices and new axes, against ndarray's own slicing.
#[test]
fn slices_are_those_of_ndarray() {
    use ndarray::SliceInfoElem as E;
    let mut rng = rng(1);
    for _ in 0..300 {
        let rank = rng.random_range(1..=4);
        let shape = random_shape(&mut rng, rank, 5);
        let x: Var<f64> = random(&mut rng, &shape);
        let mut info = Vec::new();
        for &n in &shape {
            let n = n as i64;
            info.push(match rng.random_range(0..3) {
                0 => E::Index(rng.random_range(-n..n) as isize),
                _ => {
                    let (a, b) = (rng.random_range(-n..=n) as isize, rng.random_range(-n..=n) as isize);
                    let end = if rng.random_bool(0.2) { None } else { Some(b) };
                    E::Slice { start: a, end, step: [1, 1, 2, 3, -1, -2][rng.random_range(0..6)] }
                }
            });
            if rng.random_bool(0.15) {
                info.push(E::NewAxis);
            }
        }
        assert_same(&x.slice(&info), &Var::from(&x.value().slice(&info[..])));
    }
}

#[test]
fn slices_read_as_in_numpy() {
    let x = from_fn(&[3, 4], |i| (10 * i[0] + i[1]) as f64);
    assert_eq!(x.slice(s![1]).as_slice(), &[10.0, 11.0, 12.0, 13.0]);
    assert_eq!(x.slice(s![.., -1]).as_slice(), &[3.0, 13.0, 23.0]);
    assert_eq!(x.slice(s![ELLIPSIS, 1]).as_slice(), &[1.0, 11.0, 21.0]);
    assert_eq!(x.slice(s![ELLIPSIS, 1]).shape(), &[3]);
    assert_eq!(x.slice(s![0, ELLIPSIS]).shape(), &[4]);
    assert_eq!(x.slice(s![ELLIPSIS]).shape(), &[3, 4]);
    assert_eq!(x.slice(s![1, 2, ELLIPSIS]).shape(), &[0usize; 0]);
    assert_eq!(x.slice(s![NewAxis, .., NewAxis, 1..1]).shape(), &[1, 3, 1, 0]);
    assert_eq!(x.slice(s![..;-2, 0]).as_slice(), &[20.0, 0.0]);
    assert_eq!(x.row(-1).as_slice(), &[20.0, 21.0, 22.0, 23.0]);
    assert_eq!(x.get(&[-1, 0]).item(), 20.0);
    assert_eq!(x.get(&[2, 3]).shape(), &[0usize; 0]);
}

#[test]
fn slices_are_linear_in_both_modes() {
    let mut rng = rng(2);
    check_linear(&mut rng, &[4, 3], |x: &Var<f64>| x.slice(s![1..3]));
    check_linear(&mut rng, &[4, 3], |x: &Var<Complex<f64>>| x.slice(s![..;2, 1..]));
    check_linear(&mut rng, &[4, 3, 2], |x: &Var<f64>| x.slice(s![..;-1, NewAxis, 1, ..;-2]));
    check_linear(&mut rng, &[4, 3], |x: &Var<Complex<f64>>| x.row(2) + x.row(-1));
    check_linear(&mut rng, &[4, 3], |x: &Var<f64>| x.get(&[1, 1]) * 3.0);
    check_linear(&mut rng, &[4, 3], |x: &Var<f64>| x.slice(s![2..2]));
    check_linear(&mut rng, &[4, 3], |x: &Var<f64>| x.set_at(s![1..3, ..;2], x.slice(s![0, 1..])));
    check_linear(&mut rng, &[4, 3], |x: &Var<Complex<f64>>| Var::zeros(&[2, 4, 3]).set_at(s![1], x));
    check_linear(&mut rng, &[4, 3], |x: &Var<f64>| x.set_at(s![0], 0.0));
    check_linear(&mut rng, &[4, 3], |x: &Var<f64>| x.add_at(s![..;-1, 0], x.slice(s![.., 1])));
}

#[test]
fn set_at_leaves_the_original_alone() {
    let x = Var::from([1.0, 2.0, 3.0]);
    let y = x.set_at(s![..;2], Var::from([5.0, 6.0]));
    assert_eq!(x.as_slice(), &[1.0, 2.0, 3.0]);
    assert_eq!(y.as_slice(), &[5.0, 2.0, 6.0]);
    let (gx, gy) = grad(|(x, y): &(Var<f64>, Var<f64>)| x.set_at(s![1], y).square().sum(), &(ndarray::array![1.0, 2.0, 3.0], 7.0)).unwrap();
    assert_eq!((gx, gy), (ndarray::array![2.0, 0.0, 6.0], 14.0));
}

#[test]
fn indices_out_of_range_are_named() {
    let x = Var::<f64>::zeros(&[2, 3]);
    refuses(|| x.slice(s![2]), &["slice", "index 2", "axis 0", "[2, 3]", "-2 to 1"]);
    refuses(|| x.slice(s![.., 1..4]), &["slice", "1..4", "axis 1", "[2, 3]"]);
    refuses(|| x.slice(s![0, 0, 0]), &["slice", "3 indices", "[2, 3]"]);
    refuses(|| x.slice([ndarray::SliceInfoElem::Slice { start: 0, end: None, step: 0 }]), &["slice", "step"]);
    refuses(|| x.slice(s![ELLIPSIS, ELLIPSIS]), &["slice", "ELLIPSIS"]);
    refuses(|| x.get(&[0]), &["get", "1 indices", "[2, 3]"]);
    refuses(|| x.get(&[0, -4]), &["get", "-4", "axis 1"]);
    refuses(|| x.row(2), &["row", "2", "[2, 3]"]);
    refuses(|| Var::scalar(1.0).row(0), &["row", "0-d"]);
    refuses(|| x.set_at(s![0], Var::from([1.0, 2.0])), &["set_at", "[2]", "[3]"]);
    refuses(|| x.add_at(s![0], Var::from([1.0, 2.0])), &["add_at", "[2]", "[3]"]);
}
