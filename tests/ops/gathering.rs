//! Index arrays and masks as indices.

use super::support::{inner, *};
use ndarray::{Array, ArrayD, IxDyn};
use num_complex::Complex;
use pullback::prelude::*;
use rand::RngExt;

fn index_array(rng: &mut rand::rngs::StdRng, shape: &[usize], below: usize) -> ArrayD<usize> {
    Array::from_shape_fn(IxDyn(shape), |_| rng.random_range(0..below))
}

#[test]
fn index_arrays_read_where_they_say() {
    let mut rng = rng(1);
    for _ in 0..60 {
        let rank = rng.random_range(1..=4);
        let shape = random_shape(&mut rng, rank, 4);
        let x: Var<Complex<f64>> = random(&mut rng, &shape);
        let a = rng.random_range(0..rank);
        let m = rng.random_range(0..=5);
        let list: Vec<usize> = (0..m).map(|_| rng.random_range(0..shape[a])).collect();
        let mut target = shape.clone();
        target[a] = m;
        let replaced = |i: &[usize], k: usize| {
            let mut i = i.to_vec();
            i[a] = k;
            i
        };
        assert_same(&x.index_select(&list, a as isize), &from_fn(&target, |i| at(&x, &replaced(i, list[i[a]]))));
        // gather reads no further than the index array goes
        let smaller: Vec<usize> = target.iter().enumerate().map(|(k, &n)| if k == a { n } else { rng.random_range(1..=n) }).collect();
        let indices = index_array(&mut rng, &smaller, shape[a]);
        assert_same(&x.gather(&indices, a as isize), &from_fn(&smaller, |i| at(&x, &replaced(i, indices[i]))));
        let broad: Vec<usize> = target.iter().enumerate().map(|(k, &n)| if k != a && rng.random_bool(0.4) { 1 } else { n }).collect();
        let indices = index_array(&mut rng, &broad, shape[a]);
        let own = |i: &[usize]| i.iter().zip(&broad).map(|(&i, &n)| if n == 1 { 0 } else { i }).collect::<Vec<_>>();
        assert_same(&x.take_along_axis(&indices, a as isize), &from_fn(&target, |i| at(&x, &replaced(i, indices[&own(i)[..]]))));
        // lists of coordinates of the leading axes
        let lead = rng.random_range(1..=rank);
        let lists: Vec<Vec<usize>> = (0..lead).map(|k| (0..m).map(|_| rng.random_range(0..shape[k])).collect()).collect();
        let refs: Vec<&[usize]> = lists.iter().map(|l| &l[..]).collect();
        let target = [&[m], &shape[lead..]].concat();
        let want = from_fn(&target, |i| at(&x, &[lists.iter().map(|l| l[i[0]]).collect(), i[1..].to_vec()].concat()));
        assert_same(&x.index_arrays(&refs), &want);
        let flat: Vec<usize> = (0..m).map(|_| rng.random_range(0..x.len())).collect();
        assert_same(&x.take(&flat), &from_fn(&[m], |i| x.as_slice()[flat[i[0]]]));
    }
    let x = Var::from(ndarray::array![[1.0], [2.0]]);
    let wide = x.take_along_axis(&ndarray::array![[0, 1, 1]].into_dyn(), 0);
    assert_same(&wide, &Var::from(ndarray::array![[1.0, 2.0, 2.0]]));
}

/// Adding where reading reads: ⟨read(x), v⟩ = ⟨x, add(v)⟩.
#[test]
fn additions_at_indices_are_the_transposes() {
    let mut rng = rng(2);
    for _ in 0..30 {
        let x: Var<f64> = random(&mut rng, &[3, 4, 2]);
        let zeros = x.zeros_like();
        let check = |read: Var<f64>, added: Var<f64>, v: &Var<f64>| assert!((inner(&read, v) - inner(&x, &added)).abs() < 1e-12);
        let list = [2, 0, 3, 3, 3];
        let v = random(&mut rng, &[3, 5, 2]);
        check(x.index_select(&list, 1), zeros.index_add(&list, 1, &v), &v);
        let indices = index_array(&mut rng, &[2, 6, 2], 4);
        let v = random(&mut rng, &[2, 6, 2]);
        check(x.gather(&indices, 1), zeros.scatter_add(&indices, 1, &v), &v);
        let lists: [&[usize]; 2] = [&[0, 2, 2], &[1, 3, 3]];
        let v = random(&mut rng, &[3, 2]);
        check(x.index_arrays(&lists), zeros.index_arrays_add(&lists, &v), &v);
    }
    let x = Var::from([1.0, 2.0, 3.0]).index_add(&[0, 0], 0, 5.0);
    assert_eq!(x.as_slice(), &[11.0, 2.0, 3.0]);
}

#[test]
fn index_operations_are_linear_in_both_modes() {
    let mut rng = rng(3);
    let indices = ndarray::array![[1, 0, 1, 2], [0, 0, 2, 2]].into_dyn();
    check_linear(&mut rng, &[3, 4], |x: &Var<f64>| x.index_select(&[2, 2, 0], 0));
    check_linear(&mut rng, &[3, 4], |x: &Var<Complex<f64>>| x.index_select(&[3, 1, 3], -1));
    check_linear(&mut rng, &[3, 4], |x: &Var<Complex<f64>>| x.gather(&indices, 0));
    check_linear(&mut rng, &[3, 1], |x: &Var<f64>| x.take_along_axis(&indices, 0));
    check_linear(&mut rng, &[3, 4], |x: &Var<f64>| x.take(&[11, 0, 0]));
    check_linear(&mut rng, &[3, 4], |x: &Var<f64>| x.index_arrays(&[&[0, 1, 1], &[3, 2, 2]]));
    check_linear(&mut rng, &[3, 4], |x: &Var<f64>| x.scatter_add(&indices, 0, x.row(0)));
    check_linear(&mut rng, &[3, 4], |x: &Var<Complex<f64>>| x.index_add(&[1, 1], 0, x.slice(s![..2])));
    check_linear(&mut rng, &[3, 4], |x: &Var<f64>| x.index_arrays_add(&[&[0, 0], &[1, 1]], x.take(&[3, 4])));
    check_linear(&mut rng, &[3, 4], |x: &Var<f64>| x.put(&[5, 2, 5], x.take(&[0, 1, 2])));
    check_linear(&mut rng, &[3, 4], |x: &Var<Complex<f64>>| x.put(&[5, 2], x.take(&[0, 1])));
    let mask = Mask::from(&ndarray::array![[true, false, false, true], [false; 4], [true; 4]]);
    check_linear(&mut rng, &[3, 4], |x: &Var<f64>| x.masked_select(&mask));
    check_linear(&mut rng, &[3, 4, 2], |x: &Var<Complex<f64>>| x.masked_select(&mask));
}

#[test]
fn masks_choose_elements_or_subarrays() {
    let x = Var::from(ndarray::array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    assert_eq!(x.masked_select(&x.gt(2.5)).as_slice(), &[3.0, 4.0, 5.0, 6.0]);
    assert_same(&x.masked_select(&Mask::from([true, false, true])), &Var::from(ndarray::array![[1.0, 2.0], [5.0, 6.0]]));
    assert_eq!(x.masked_select(&Mask::full(&[3], false)).shape(), &[0, 2]);
    let g = grad(|x: &Var<f64>| x.masked_select(&x.gt(2.5)).square().sum(), &ndarray::array![1.0, 3.0]).unwrap();
    assert_eq!(g, ndarray::array![0.0, 6.0]);
}

#[test]
fn the_last_of_several_values_for_a_place_stays() {
    let x = Var::from([1.0, 2.0, 3.0]);
    assert_eq!(x.put(&[1, 0, 1], Var::from([7.0, 8.0, 9.0])).as_slice(), &[8.0, 9.0, 3.0]);
    assert_eq!(x.put(&[1, 2], 0.5).as_slice(), &[1.0, 0.5, 0.5]);
    assert_eq!(x.as_slice(), &[1.0, 2.0, 3.0]);
    let f = |(x, v): &(Var<f64>, Var<f64>)| x.put(&[1, 0, 1], v).square().sum();
    let (gx, gv) = grad(f, &(ndarray::array![1.0, 2.0, 3.0], ndarray::array![7.0, 8.0, 9.0])).unwrap();
    assert_eq!((gx, gv), (ndarray::array![0.0, 0.0, 6.0], ndarray::array![0.0, 16.0, 18.0]));
}

/// Sizes that are split into tasks, read and added at any thread count alike.
#[test]
fn large_index_operations_do_not_depend_on_the_number_of_threads() {
    let mut rng = rng(4);
    let x: Var<f64> = random(&mut rng, &[70, 300, 7]);
    let list: Vec<usize> = (0..500).map(|_| rng.random_range(0..300)).collect();
    let v: Var<f64> = random(&mut rng, &[70, 500, 7]);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| (x.index_select(&list, 1), x.index_add(&list, 1, &v)))
    };
    let ((read, added), (read2, added2)) = (run(1), run(2));
    assert_same(&read, &read2);
    assert_same(&added, &added2);
    assert_eq!(at(&read, &[69, 499, 6]), at(&x, &[69, list[499], 6]));
    let want: f64 = list.iter().enumerate().filter(|(_, i)| **i == 17).map(|(k, _)| at(&v, &[40, k, 3])).sum();
    assert!((at(&added, &[40, 17, 3]) - at(&x, &[40, 17, 3]) - want).abs() < 1e-12);
}

#[test]
fn indices_and_shapes_that_do_not_fit_are_named() {
    let x = Var::<f64>::zeros(&[2, 3]);
    let bad = ndarray::array![[0, 3]].into_dyn();
    refuses(|| x.take(&[6]), &["take", "index 6", "[2, 3]", "0 to 5"]);
    refuses(|| x.index_select(&[0, 3], 1), &["index_select", "index 3", "axis 1", "[2, 3]"]);
    refuses(|| x.index_add(&[2], 0, 1.0), &["index_add", "index 2", "axis 0"]);
    refuses(|| x.index_add(&[0], 0, Var::from([1.0, 2.0])), &["index_add", "[2]", "[1, 3]"]);
    refuses(|| x.gather(&bad, 1), &["gather", "index 3", "axis 1", "[2, 3]"]);
    refuses(|| x.gather(&ndarray::array![0].into_dyn(), 0), &["gather", "[1]", "[2, 3]"]);
    refuses(|| x.gather(&ndarray::array![[0], [0], [0]].into_dyn(), 1), &["gather", "[3, 1]", "[2, 3]"]);
    refuses(|| x.scatter_add(&bad, 1, 1.0), &["scatter_add", "index 3"]);
    refuses(|| x.scatter_add(&ndarray::array![[0, 0]].into_dyn(), 1, Var::<f64>::zeros(&[3])), &["scatter_add", "[3]", "[1, 2]"]);
    refuses(|| x.take_along_axis(&ndarray::array![[0, 0]].into_dyn(), 0), &["take_along_axis", "[1, 2]", "[2, 3]"]);
    refuses(|| x.take_along_axis(&bad, 1), &["take_along_axis", "index 3"]);
    refuses(|| x.index_arrays(&[&[0, 1], &[0]]), &["index_arrays", "[2, 1]", "[2, 3]"]);
    refuses(|| x.index_arrays(&[&[0, 2]]), &["index_arrays", "index 2", "axis 0"]);
    refuses(|| x.index_arrays_add(&[&[0]], Var::<f64>::zeros(&[2])), &["index_arrays_add", "[2]", "[1, 3]"]);
    refuses(|| x.masked_select(&Mask::full(&[3], true)), &["masked_select", "[3]", "[2, 3]"]);
    refuses(|| x.put(&[6], 1.0), &["put", "index 6"]);
    refuses(|| x.put(&[1], Var::from([1.0, 2.0])), &["put", "[2]", "[1]"]);
}
