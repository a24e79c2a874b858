//! Indexing, sorting, creation.

use super::support::*;
use ndarray::array;
use pullback::prelude::*;

/// [[0, 1, 2], [3, 4, 5]]
fn counted() -> R {
    Var::arange(0.0, 6.0, 1.0).reshape(&[2, 3])
}

/// No derivative, as nothing goes in.
fn made(x: &R, shape: &[usize], want: &[f64]) {
    assert_eq!(x.shape(), shape);
    assert!(x.is_constant());
    close(x, want);
}

pub const ENTRIES: &[Entry] = &[
    ("slice with steps", || {
        close(&counted().slice(s![.., ..;2]), &[0.0, 2.0, 3.0, 5.0]);
        close(&counted().slice(s![1, ..;-1]), &[5.0, 4.0, 3.0]);
        both!(&[2, 3], |x| x.slice(s![..;-1, 1..]).square());
    }),
    ("index by arrays", || {
        close(&counted().index_arrays(&[&[0, 1, 1], &[2, 0, 0]]), &[2.0, 3.0, 3.0]);
        both!(&[2, 3], |x| x.index_arrays(&[&[0, 1, 1], &[2, 0, 0]]).square());
    }),
    ("boolean mask", || {
        let x = counted();
        close(&x.masked_select(&x.gt(2.5)), &[3.0, 4.0, 5.0]);
        let m = Mask::from_shape_vec(&[2, 3], vec![true, false, false, true, true, false]).unwrap();
        both!(&[2, 3], |x| x.masked_select(&m).square());
        both!(&[2, 3], |x| x * &m);
    }),
    ("take", || {
        close(&counted().take(&[5, 0, 5]), &[5.0, 0.0, 5.0]);
        close(&counted().index_select(&[2, 0], 1), &[2.0, 0.0, 5.0, 3.0]);
        both!(&[2, 3], |x| x.take(&[5, 0, 5]).square());
        both!(&[2, 3], |x| x.index_select(&[2, 0, 2], 1).square());
    }),
    ("take_along_axis", || {
        let x = Var::from(array![[3.0, 1.0, 2.0], [9.0, 8.0, 7.0]]);
        close(&x.take_along_axis(&x.argsort(1), 1), &[1.0, 2.0, 3.0, 7.0, 8.0, 9.0]);
        both!(&[2, 3], |x| x.take_along_axis(&array![[2, 0, 0], [1, 1, 2]].into_dyn(), 1).square());
    }),
    ("gather", || {
        close(&counted().gather(&array![[1, 0, 1]].into_dyn(), 0), &[3.0, 1.0, 5.0]);
        both!(&[2, 3], |x| x.gather(&array![[1, 0, 1]].into_dyn(), 0).square());
    }),
    ("scatter_add", || {
        let y = Var::<f64>::zeros(&[3]).scatter_add(&array![2, 0, 2].into_dyn(), 0, Var::from([1.0, 10.0, 100.0]));
        close(&y, &[10.0, 0.0, 101.0]);
        check2(&|x, v| x.scatter_add(&array![2, 0, 2].into_dyn(), 0, v).square(), &real(61, &[3]), &real(62, &[3]));
        check2_c(&|x, v| x.scatter_add(&array![2, 0, 2].into_dyn(), 0, v).square(), &planar(61, &[3]), &planar(62, &[3]));
    }),
    ("set_at", || {
        close(&counted().set_at(s![.., 1], Var::from([7.0, 8.0])), &[0.0, 7.0, 2.0, 3.0, 8.0, 5.0]);
        check2(&|x, v| x.set_at(s![.., ..;2], v).square(), &real(61, &[2, 3]), &real(62, &[2]));
        check2_c(&|x, v| x.set_at(s![0, ..], v).square(), &planar(61, &[2, 3]), &planar(62, &[3]));
    }),
    ("put", || {
        close(&counted().put(&[5, 0, 5], Var::from([1.0, 2.0, 3.0])), &[2.0, 1.0, 2.0, 3.0, 4.0, 3.0]);
        check2(&|x, v| x.put(&[5, 0], v).square(), &real(61, &[2, 3]), &real(62, &[2]));
        check2_c(&|x, v| x.put(&[2, 0], v).square(), &planar(61, &[3]), &planar(62, &[2]));
    }),
    ("sort", || {
        close(&Var::from([3.0, 1.0, 2.0]).sort(0), &[1.0, 2.0, 3.0]);
        both!(&[2, 3], |x| x.sort(-1) * x);
    }),
    ("argsort", || {
        assert_eq!(Var::from([3.0, 1.0, 2.0]).argsort(0), array![1, 2, 0].into_dyn());
        constant(&|x| x.argsort(0).mapv(|i| i as f64).into(), &real(63, &[4]));
    }),
    ("msort", || {
        close(&Var::from(array![[3.0, 1.0], [2.0, 5.0]]).msort(), &[2.0, 1.0, 3.0, 5.0]);
        both!(&[3, 2], |x| x.msort() * x);
    }),
    ("partition", || {
        let x = Var::from([5.0, 1.0, 4.0, 2.0, 3.0]);
        let y = x.partition(2, 0);
        assert_eq!(y.as_slice()[2], 3.0);
        assert!(y.as_slice()[..2].iter().all(|&v| v < 3.0) && y.as_slice()[3..].iter().all(|&v| v > 3.0));
        check(&|x| x.partition(1, -1).square(), &real(64, &[2, 3]));
    }),
    ("top_k", || {
        let (values, places) = Var::from([5.0, 1.0, 4.0]).top_k(2);
        close(&values, &[5.0, 4.0]);
        assert_eq!(places, array![0, 2].into_dyn());
        check(&|x| x.top_k(2).0.square(), &real(64, &[2, 3]));
    }),
    ("searchsorted", || {
        let x = Var::from([1.0, 2.0, 2.0, 4.0]);
        assert_eq!(x.searchsorted(&Var::from([2.0, 0.0, 9.0]), Side::Left), array![1, 0, 4].into_dyn());
        assert_eq!(x.searchsorted(&Var::from([2.0, 4.0]), Side::Right), array![3, 4].into_dyn());
        constant(&|x| x.sort(0).searchsorted(x, Side::Left).mapv(|i| i as f64).into(), &real(63, &[4]));
    }),
    ("unique", || {
        let u = Var::from([2.0, 1.0, 2.0]).unique();
        close(&u.values, &[1.0, 2.0]);
        assert_eq!((u.index, u.inverse, u.counts), (vec![1, 0], array![1, 0, 1].into_dyn(), vec![1, 2]));
        constant(&|x| x.unique().values, &real(63, &[4]));
    }),
    ("meshgrid", || {
        let grid = meshgrid(&[Var::from([1.0, 2.0, 3.0]), Var::from([10.0, 20.0])], Indexing::Xy);
        close(&grid[0], &[1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
        close(&grid[1], &[10.0, 10.0, 10.0, 20.0, 20.0, 20.0]);
        let f = |x: &[R]| meshgrid(x, Indexing::Ij).into_iter().map(|g| g.square()).collect();
        check_n(&f, &[real(65, &[2]), real(66, &[3])]);
    }),
    ("linspace", || {
        made(&Var::<f64>::linspace(0.0, 1.0, 3), &[3], &[0.0, 0.5, 1.0]);
        close(&linspace(&Var::scalar(1.0), &Var::from([2.0, 3.0]), 3), &[1.0, 1.0, 1.5, 2.0, 2.0, 3.0]);
        check2(&|a, b| linspace(a, b, 4).square(), &real(67, &[]), &real(68, &[2]));
    }),
    ("arange", || made(&Var::arange(1.0, 2.0, 0.25), &[4], &[1.0, 1.25, 1.5, 1.75])),
    ("full", || made(&Var::full(&[2, 1], 7.0), &[2, 1], &[7.0, 7.0])),
    ("zeros", || made(&Var::zeros(&[2]), &[2], &[0.0, 0.0])),
    ("ones", || made(&Var::ones(&[2]), &[2], &[1.0, 1.0])),
    ("eye", || {
        made(&Var::eye(2), &[2, 2], &[1.0, 0.0, 0.0, 1.0]);
        made(&Var::eye_rect(2, 3, 1), &[2, 3], &[0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    }),
    ("tri", || made(&Var::tri(2, 3, 0), &[2, 3], &[1.0, 0.0, 0.0, 1.0, 1.0, 0.0])),
];
