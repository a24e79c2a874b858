//! `svds`.

use super::support::*;
use num_complex::Complex;
use pullback::linalg::iterative::{EigenOptions, svds};
use pullback::linalg::svd;
use pullback::prelude::*;

type C = Complex<f64>;

fn default<T: Scalar>() -> EigenOptions<T> {
    EigenOptions::default()
}

#[test]
fn triplets_and_gradients_agree_with_the_dense_svd() {
    fn check<T: Scalar>(m: usize, n: usize, k: usize) {
        let a = random::<T>(&[m, n], 3);
        let found = svds(&dense(&a), k, &default()).unwrap();
        let exact = svd(&a).unwrap();
        close(&found.s, &exact.1.slice(ndarray::s![..k]), 1e-13);
        close(&a.matmul(found.vh.h()), &(&found.u * found.s.astype::<T>().reshape(&[1, k])), 1e-12);
        close(&found.u.h().matmul(&found.u), &Var::eye(k), 1e-12);
        close(&found.vh.matmul(found.vh.h()), &Var::eye(k), 1e-12);
        // the best approximation of rank k
        let w = random::<T>(&[m, n], 5);
        let loss = |u: &Var<T>, s: &Var<T::Real>, vh: &Var<T>| ((u * s.astype::<T>().reshape(&[1, k])).matmul(vh) * &w).abs_squared().sum();
        let by_svd = grad(
            |a: &Var<T>| {
                let f = svd(a)?;
                Ok::<_, Error>(loss(&f.0.slice(ndarray::s![.., ..k]), &f.1.slice(ndarray::s![..k]), &f.2.slice(ndarray::s![..k, ..])))
            },
            &a,
        );
        let by_lanczos = grad(
            |a: &Var<T>| {
                let f = svds(&dense(a), k, &default())?;
                Ok::<_, Error>(loss(&f.u, &f.s, &f.vh))
            },
            &a,
        );
        close(&by_lanczos.unwrap(), &by_svd.unwrap(), 1e-9);
    }
    check::<f64>(30, 18, 3);
    check::<f64>(12, 25, 1);
    check::<C>(14, 14, 2);
}

#[test]
fn derivatives_to_second_order_in_both_modes() {
    let f = |a: &Var<f64>| {
        let found = svds(&dense(a), 2, &default())?;
        Ok::<_, Error>((found.s.clone(), found.u.square(), found.vh.square().sum_axis(0)))
    };
    gradcheck(f, &random::<f64>(&[4, 3], 2)).unwrap();
}

#[test]
fn no_more_triplets_than_the_rank() {
    let a = outer(&random::<f64>(&[6], 1), &random::<f64>(&[5], 2));
    assert!(svds(&dense(&a), 1, &default()).is_ok());
    assert!(matches!(svds(&dense(&a), 2, &default()), Err(Error::Singular { .. })));
    assert!(matches!(svds(&dense(&a), 6, &default()), Err(Error::Argument { .. })));
}
