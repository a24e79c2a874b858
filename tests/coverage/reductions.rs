//! Reductions, against loops over rows.

use super::support::*;
use pullback::linalg::{Norm, norm};
use pullback::prelude::*;

fn matrix() -> R {
    real(41, &[2, 3])
}

fn rows(x: &R) -> Vec<&[f64]> {
    x.as_slice().chunks(3).collect()
}

/// All elements, and each row of the last axis, against a loop; derivatives of both, with and without the axis kept.
fn reduction(whole: &dyn Fn(&R) -> R, axis: &dyn Fn(&R, Axes) -> R, oracle: &dyn Fn(&[f64]) -> f64) {
    let x = matrix();
    close(&whole(&x), &[oracle(x.as_slice())]);
    let want: Vec<f64> = rows(&x).into_iter().map(oracle).collect();
    close(&axis(&x, Axes::from(-1)), &want);
    assert_eq!(axis(&x, keepdims(1)).shape(), &[2, 1]);
    assert_eq!(axis(&x, Axes::from([0, 1])).shape(), &[] as &[usize]);
    check(whole, &x);
    check(&|x| axis(x, Axes::from(0)), &x);
    check(&|x| axis(x, keepdims(-1)) * x, &x);
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

fn variance(x: &[f64]) -> f64 {
    x.iter().map(|v| (v - mean(x)).powi(2)).sum::<f64>() / x.len() as f64
}

fn largest(x: &[f64]) -> f64 {
    x.iter().fold(f64::MIN, |m, x| m.max(*x))
}

fn smallest(x: &[f64]) -> f64 {
    x.iter().fold(f64::MAX, |m, x| m.min(*x))
}

fn sorted(x: &[f64]) -> Vec<f64> {
    let mut x = x.to_vec();
    x.sort_by(f64::total_cmp);
    x
}

pub const ENTRIES: &[Entry] = &[
    ("sum", || {
        reduction(&|x| x.sum(), &|x, a| x.sum_axis(a), &|x| x.iter().sum());
        check_c(&|z| z.sum_axis(0) * z, &planar(42, &[2, 2]));
    }),
    ("mean", || {
        reduction(&|x| x.mean(), &|x, a| x.mean_axis(a), &mean);
        check_c(&|z| z.mean_axis(0) * z, &planar(42, &[2, 2]));
    }),
    ("prod", || {
        reduction(&|x| x.prod(), &|x, a| x.prod_axis(a), &|x| x.iter().product());
        check_c(&|z| z.prod_axis(0), &planar(42, &[2, 2]));
    }),
    ("var", || {
        reduction(&|x| x.var(0), &|x, a| x.var_axis(a, 0), &variance);
        close(&matrix().var(1), &[variance(matrix().as_slice()) * 6.0 / 5.0]);
        check_cr(&|z| vec![z.var(0), z.var_axis(0, 1)], &planar(42, &[2, 2]));
    }),
    ("std", || {
        reduction(&|x| x.std(0), &|x, a| x.std_axis(a, 0), &|x| variance(x).sqrt());
        check_cr(&|z| vec![z.std(0)], &planar(42, &[3]));
    }),
    ("max", || reduction(&|x| x.max(), &|x, a| x.max_axis(a), &largest)),
    ("min", || reduction(&|x| x.min(), &|x, a| x.min_axis(a), &smallest)),
    ("amax", || reduction(&|x| x.amax(), &|x, a| x.amax_axis(a), &largest)),
    ("amin", || reduction(&|x| x.amin(), &|x, a| x.amin_axis(a), &smallest)),
    ("argmax", || {
        let x = Var::from(ndarray::array![[1.0, 5.0, 5.0], [4.0, 2.0, 3.0]]);
        assert_eq!((x.argmax(), x.argmax_axis(1)), (1, ndarray::array![1, 0].into_dyn()));
        constant(&|x| Var::scalar(x.argmax() as f64), &matrix());
    }),
    ("argmin", || {
        let x = Var::from(ndarray::array![[1.0, 5.0, 1.0], [4.0, 2.0, 3.0]]);
        assert_eq!((x.argmin(), x.argmin_axis(0)), (0, ndarray::array![0, 1, 0].into_dyn()));
        constant(&|x| Var::scalar(x.argmin() as f64), &matrix());
    }),
    ("any", || {
        let x = Var::from(ndarray::array![[0.0, 1.0], [0.0, 0.0]]);
        assert!(x.any() && !x.row(1).any());
        close(&x.any_axis(0), &[0.0, 1.0]);
        constant(&|x| x.any_axis(0), &matrix());
    }),
    ("all", || {
        let x = Var::from(ndarray::array![[0.0, 1.0], [2.0, 3.0]]);
        assert!(!x.all() && x.row(1).all());
        close(&x.all_axis(1), &[0.0, 1.0]);
        constant(&|x| x.all_axis(0), &matrix());
    }),
    ("logsumexp", || {
        reduction(&|x| x.logsumexp(), &|x, a| x.logsumexp_axis(a), &|x| x.iter().map(|x| x.exp()).sum::<f64>().ln());
        check_c(&|z| z.logsumexp_axis(0), &planar(42, &[2, 2]));
    }),
    ("softmax", || {
        let x = matrix();
        let want: Vec<f64> = rows(&x)
            .into_iter()
            .flat_map(|r| {
                let sum: f64 = r.iter().map(|x| x.exp()).sum();
                r.iter().map(move |x| x.exp() / sum)
            })
            .collect();
        close(&x.softmax(-1), &want);
        check(&|x| x.softmax(-1), &x);
        check(&|x| x.softmax(..), &x);
        check_c(&|z| z.softmax(0), &planar(42, &[2, 2]));
    }),
    ("log_softmax", || {
        let x = matrix();
        same(&x.log_softmax(0), &x.softmax(0).log());
        check(&|x| x.log_softmax(0), &x);
        check_c(&|z| z.log_softmax(0), &planar(42, &[2, 2]));
    }),
    ("cumsum", || {
        close(&Var::from([1.0, 2.0, 4.0]).cumsum(0), &[1.0, 3.0, 7.0]);
        both!(&[2, 3], |x| x.cumsum(-1) * x);
    }),
    ("cumprod", || {
        close(&Var::from([1.0, 2.0, 4.0]).cumprod(0), &[1.0, 2.0, 8.0]);
        both!(&[2, 3], |x| x.cumprod(0));
        check(&|x| x.cumprod(0), &real(43, &[4]));
    }),
    ("median", || {
        let x = matrix();
        let s = sorted(x.as_slice());
        close(&x.median(), &[0.5 * (s[2] + s[3])]);
        close(&x.median_axis(&[1], false), &rows(&x).into_iter().map(|r| sorted(r)[1]).collect::<Vec<_>>());
        check(&|x| x.median() * x.median_axis(&[1], true), &x);
    }),
    ("quantile", || {
        let x = matrix();
        let s = sorted(x.as_slice());
        close(&x.quantile(0.25), &[s[1] + 0.25 * (s[2] - s[1])]);
        check(&|x| x.quantile(0.3) * x.quantile_axis(0.9, &[0], false), &x);
    }),
    ("norm", || {
        reduction(&|x| norm(x, Norm::Fro, ..).unwrap(), &|x, a| norm(x, Norm::Fro, a).unwrap(), &|x| {
            x.iter().map(|x| x * x).sum::<f64>().sqrt()
        });
    }),
    ("trace", || {
        let x = matrix();
        close(&x.trace(), &[x.as_slice()[0] + x.as_slice()[4]]);
        close(&x.trace_axes(1, 0, 1), &[x.as_slice()[1] + x.as_slice()[5]]);
        both!(&[3, 3], |x| (x * x).trace() * x.trace());
    }),
    ("count_nonzero", || {
        let x = Var::from(ndarray::array![[0.0, 1.0], [0.0, f64::NAN]]);
        assert_eq!((x.count_nonzero(), x.count_nonzero_axis(0)), (2, ndarray::array![0, 2].into_dyn()));
        constant(&|x| Var::scalar(x.count_nonzero() as f64), &matrix());
    }),
];
