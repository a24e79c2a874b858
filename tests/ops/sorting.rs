//! Sorting and its relatives.

use super::support::*;
use num_complex::Complex;
use pullback::prelude::*;
use rand::RngExt;

const NAN: f64 = f64::NAN;

/// The lanes of an axis, each with the multi-indices of its elements.
fn lanes(shape: &[usize], axis: usize) -> Vec<Vec<Vec<usize>>> {
    let mut first = shape.to_vec();
    first[axis] = 1;
    let along = |start: Vec<usize>| {
        let place = |k| {
            let mut i = start.clone();
            i[axis] = k;
            i
        };
        (0..shape[axis]).map(place).collect()
    };
    indices(&first).into_iter().map(along).collect()
}

#[test]
fn lanes_come_out_in_order() {
    let mut rng = rng(1);
    for _ in 0..60 {
        let rank = rng.random_range(1..=3);
        let shape = random_shape(&mut rng, rank, 6);
        // few distinct values, so that there are ties
        let x = (random::<f64>(&mut rng, &shape) * 3.0).round();
        let a = rng.random_range(0..rank);
        let n = shape[a];
        let kth = rng.random_range(0..n);
        let (sorted, order, part) = (x.sort(a as isize), x.argsort(a as isize), x.partition(kth, a as isize));
        let (_, traced) = (0, jvp(|x: &Var<f64>| x.sort(a as isize), &x, &x).unwrap().0);
        assert_same(&traced, &sorted);
        assert_same(&x.take_along_axis(&order, a as isize), &sorted);
        for lane in lanes(&shape, a) {
            let mut want: Vec<f64> = lane.iter().map(|i| at(&x, i)).collect();
            want.sort_by(f64::total_cmp);
            let got: Vec<f64> = lane.iter().map(|i| at(&sorted, i)).collect();
            // −0 and 0 are equal to ==
            assert_eq!(got, want);
            let mut arranged: Vec<f64> = lane.iter().map(|i| at(&part, i)).collect();
            let pivot = arranged[kth];
            assert_eq!(pivot, want[kth]);
            assert!(arranged[..kth].iter().all(|&v| v <= pivot) && arranged[kth..].iter().all(|&v| v >= pivot));
            arranged.sort_by(f64::total_cmp);
            assert_eq!(arranged, want);
            // stable: equal elements keep their order
            for w in lane.windows(2) {
                let (i, j) = (order[&w[0][..]], order[&w[1][..]]);
                assert!(at(&sorted, &w[0]) < at(&sorted, &w[1]) || i < j);
            }
        }
        let k = rng.random_range(0..=*shape.last().unwrap());
        let (top, places) = x.top_k(k);
        let all = x.sort(-1).flip(&[-1]);
        assert_same(&top, &all.slice(s![ELLIPSIS, ..k as isize]));
        assert_same(&x.take_along_axis(&places, -1), &top);
    }
    let x = Var::from(ndarray::array![[3.0, 1.0], [2.0, 5.0]]);
    assert_same(&x.msort(), &Var::from(ndarray::array![[2.0, 1.0], [3.0, 5.0]]));
}

#[test]
fn nan_goes_last_and_complex_numbers_by_real_part_first() {
    let s = Var::from([2.0, NAN, 1.0]).sort(0);
    assert_eq!(&s.as_slice()[..2], &[1.0, 2.0]);
    assert!(s.as_slice()[2].is_nan());
    let c = |re: f64, im: f64| Complex::new(re, im);
    let z = Var::from([c(2.0, 0.0), c(1.0, 3.0), c(1.0, -1.0)]);
    assert_eq!(z.sort(0).as_slice(), &[c(1.0, -1.0), c(1.0, 3.0), c(2.0, 0.0)]);
    assert_eq!(z.argsort(-1).as_slice().unwrap(), &[2, 1, 0]);
}

#[test]
fn derivatives_go_through_the_permutation() {
    let mut rng = rng(2);
    let x: Var<f64> = random(&mut rng, &[3, 4]);
    let z: Var<Complex<f64>> = random(&mut rng, &[3, 4]);
    let weights: Var<f64> = random(&mut rng, &[3, 4]);
    gradcheck(|x: &Var<f64>| x.sort(0) * &weights * x, &x).unwrap();
    gradcheck(|x: &Var<f64>| x.sort(1).square(), &x).unwrap();
    gradcheck(|z: &Var<Complex<f64>>| z.sort(1).square(), &z).unwrap();
    gradcheck(|x: &Var<f64>| x.top_k(2).0 * x.slice(s![.., 1..3]), &x).unwrap();
    gradcheck(|x: &Var<f64>| x.partition(2, 1).square(), &x).unwrap();
    gradcheck(|x: &Var<f64>| x.median_axis(&[0], false) * x.row(0), &x).unwrap();
    gradcheck(|x: &Var<f64>| x.quantile(0.3).square(), &x).unwrap();
}

#[test]
fn equal_elements_share_the_derivative_equally() {
    let x = ndarray::array![2.0, 1.0, 2.0, 3.0, 2.0];
    let weights = Var::from([1.0, 10.0, 100.0, 1000.0, 10000.0]);
    let third = 1110.0 / 3.0;
    let want = ndarray::array![third, 1.0, third, 10000.0, third];
    assert_eq!(grad(|x: &Var<f64>| (x.sort(0) * &weights).sum(), &x).unwrap(), want);
    let (_, d) = jvp(|x: &Var<f64>| x.sort(0), &x, &ndarray::array![3.0, 5.0, 0.0, 7.0, 0.0]).unwrap();
    assert_eq!(d.as_slice(), &[5.0, 1.0, 1.0, 1.0, 7.0]);
    // the second largest is one of three that are equal
    let g = grad(|x: &Var<f64>| (x.top_k(2).0 * Var::from([1.0, 3.0])).sum(), &x).unwrap();
    assert_eq!(g, ndarray::array![1.0, 0.0, 1.0, 1.0, 1.0]);
    // the two smallest: 1 and one of three
    let g = grad(|x: &Var<f64>| x.partition(1, 0).slice(s![..2]).sum(), &x).unwrap();
    let t = 1.0 / 3.0;
    assert_eq!(g, ndarray::array![t, 1.0, t, 0.0, t]);
    assert_eq!(grad(|x: &Var<f64>| x.median(), &x).unwrap(), ndarray::array![t, 0.0, t, 0.0, t]);
    // a linear function of the sorted elements has no second derivative, and a square keeps the shares
    let h = hessian(|x: &Var<f64>| x.sort(0).get(&[1]).square(), &ndarray::array![2.0, 2.0]).unwrap();
    assert_eq!(h.as_slice(), &[0.5; 4]);
    // a permuted direction, columns apart
    let y = ndarray::array![[1.0, 5.0], [1.0, 4.0]];
    let g = grad(|y: &Var<f64>| y.sort(0).row(0).sum(), &y).unwrap();
    assert_eq!(g, ndarray::array![[0.5, 0.0], [0.5, 1.0]]);
}

#[test]
fn quantiles_are_those_of_numpy() {
    let x = Var::from([11.0, 1.0, 4.0, 7.0, 2.0]);
    assert!((x.quantile(0.3).item() - 2.4).abs() < 1e-15);
    assert_eq!((x.quantile(0.0).item(), x.quantile(1.0).item(), x.median().item()), (1.0, 11.0, 4.0));
    let y = from_fn(&[2, 3, 4], |i| ((7 * i[0] + 5 * i[1] + 3 * i[2]) % 11) as f64);
    let m = y.median_axis(&[0, -1], true);
    assert_eq!(m.shape(), &[1, 3, 1]);
    for j in 0..3 {
        let mut all: Vec<f64> = (0..2).flat_map(|i| (0..4).map(move |k| [i, j, k])).map(|i| at(&y, &i)).collect();
        all.sort_by(f64::total_cmp);
        assert_eq!(at(&m, &[0, j, 0]), 0.5 * (all[3] + all[4]));
    }
    assert_eq!(y.median_axis(&[1], false).shape(), &[2, 4]);
    assert_same(&y.median_axis(&[0, 1, 2], false), &y.median());
    let with_nan = Var::from(ndarray::array![[1.0, NAN], [1.0, 2.0]]).median_axis(&[1], false);
    assert!(with_nan.as_slice()[0].is_nan() && with_nan.as_slice()[1] == 1.5);
    let infinite = Var::from([1.0, 2.0, f64::INFINITY]);
    assert_eq!((infinite.median().item(), infinite.quantile(0.5).item()), (2.0, 2.0));
}

#[test]
fn unique_and_searchsorted_agree_with_counting() {
    let mut rng = rng(3);
    for _ in 0..30 {
        let x = (random::<f64>(&mut rng, &[3, 7]) * 4.0).floor();
        let u = x.unique();
        assert!(u.values.as_slice().windows(2).all(|w| w[0] < w[1]));
        assert_same(&u.values.take(u.inverse.as_slice().unwrap()).reshape(&[3, 7]), &x);
        assert_same(&x.take(&u.index), &u.values);
        for (v, (&first, &n)) in u.values.as_slice().iter().zip(u.index.iter().zip(&u.counts)) {
            assert_eq!(x.as_slice().iter().filter(|w| *w == v).count(), n);
            assert_eq!(x.as_slice().iter().position(|w| w == v), Some(first));
        }
        let sorted = x.ravel().sort(0);
        let v = (random::<f64>(&mut rng, &[2, 5]) * 5.0).floor();
        let count = |test: fn(f64, f64) -> bool, v: f64| sorted.as_slice().iter().filter(|&&s| test(s, v)).count();
        let (left, right) = (sorted.searchsorted(&v, Side::Left), sorted.searchsorted(&v, Side::Right));
        for i in indices(&[2, 5]) {
            assert_eq!(left[&i[..]], count(|s, v| s < v, at(&v, &i)));
            assert_eq!(right[&i[..]], count(|s, v| s <= v, at(&v, &i)));
        }
    }
}

#[test]
fn places_out_of_range_are_named() {
    let x = Var::<f64>::zeros(&[2, 3]);
    refuses(|| x.sort(2), &["sort", "axis 2"]);
    refuses(|| x.argsort(-3), &["argsort", "axis -3"]);
    refuses(|| Var::scalar(1.0).msort(), &["msort", "axis 0"]);
    refuses(|| x.partition(3, 1), &["partition", "place 3", "[2, 3]", "0 to 2"]);
    refuses(|| x.top_k(4), &["top_k", "4 elements", "[2, 3]"]);
    refuses(|| x.quantile(1.5), &["quantile", "1.5", "between 0 and 1"]);
    refuses(|| x.quantile_axis(0.5, &[0, -2], false), &["quantile_axis", "[0, -2]", "once"]);
    refuses(|| Var::<f64>::zeros(&[0]).median(), &["median", "[0]", "at least one"]);
    refuses(|| Var::<f64>::zeros(&[2, 0]).median_axis(&[1], false), &["median_axis", "[2, 0]"]);
    refuses(|| x.searchsorted(&x, Side::Left), &["searchsorted", "[2, 3]"]);
    refuses(|| Var::from([2.0, 1.0]).searchsorted(&x, Side::Left), &["searchsorted", "ascending"]);
}
