use crate::kernels::testing::*;
use num_complex::Complex;
use pullback::kernels::blocks::*;
use pullback::kernels::gemm::{Gemm, Matrix, gemm, gemm_into};
use rand::{RngExt, rngs::StdRng};

/// A random matrix whose entries are zero unless row and column carry the same charge.
fn charged<T: Scalar>(rng: &mut StdRng, rows: &[usize], cols: &[usize]) -> Vec<T> {
    let data = random::<T>(rng, rows.len() * cols.len());
    let at = |i: usize| (rows[i / cols.len()], cols[i % cols.len()]);
    data.into_iter().enumerate().map(|(i, x)| if at(i).0 == at(i).1 { x } else { T::zero() }).collect()
}

fn charges(rng: &mut StdRng, n: usize, kinds: usize) -> Vec<usize> {
    (0..n).map(|_| rng.random_range(0..kinds)).collect()
}

#[test]
fn blocks_are_those_of_the_charges() {
    let mut rng = rng(70);
    let (rows, cols) = (charges(&mut rng, 60, 3), charges(&mut rng, 50, 3));
    let data = charged::<f64>(&mut rng, &rows, &cols);
    let a = Matrix::row_major(&data, 50);
    for (a, rows, cols) in [(a, &rows, &cols), (a.transposed(), &cols, &rows)] {
        let found = blocks(&a, rows.len(), cols.len()).expect("three blocks");
        assert_eq!(found.len(), 3);
        for block in &found {
            let charge = rows[block.rows[0]];
            let of = |charges: &[usize]| (0..charges.len()).filter(|&i| charges[i] == charge).collect::<Vec<_>>();
            assert_eq!((&block.rows, &block.cols), (&of(rows), &of(cols)));
        }
    }
}

#[test]
fn a_chain_of_overlaps_is_one_piece_and_zeros_are_in_no_block() {
    let n = 9;
    let mut data = vec![0.0; n * n];
    (0..n - 1).for_each(|i| (data[i * n + i], data[i * n + i + 1]) = (1.0, 1.0));
    assert!(blocks(&Matrix::row_major(&data, n), n, n).is_none());
    // the middle of the chain cut out, with its row and column
    (0..n).for_each(|i| (data[4 * n + i], data[i * n + 4]) = (0.0, 0.0));
    let found = blocks(&Matrix::row_major(&data, n), n, n).expect("two ends");
    assert_eq!(found.len(), 2);
    assert_eq!((&found[0].rows[..], &found[0].cols[..]), (&[0, 1, 2, 3][..], &[0, 1, 2, 3][..]));
    assert_eq!((&found[1].rows[..], &found[1].cols[..]), (&[5, 6, 7][..], &[5, 6, 7, 8][..]));
    assert!(blocks(&Matrix::row_major(&[0.0; 6], 3), 2, 3).expect("nothing").is_empty());
}

/// C ← α A B + β C with and without the zeros being noticed: a small entry that joins the blocks is put in for the comparison.
fn product_by_parts<T: Scalar>(tolerance: f64) {
    let mut rng = rng(71);
    let (m, k, n) = (150, 130, 140);
    for kinds in [2, 3] {
        let [rows, inner, cols] = [m, k, n].map(|len| charges(&mut rng, len, kinds));
        let (a, b) = (charged::<T>(&mut rng, &rows, &inner), charged::<T>(&mut rng, &inner, &cols));
        let c: Vec<T> = random(&mut rng, m * n);
        let alpha = random::<T>(&mut rng, 1)[0];
        let spec = |a, b| Gemm { batch: 1, m, k, n, alpha, a, b };
        let (left, right) = (Matrix::row_major(&a, k), Matrix::row_major(&b, n));
        let found = parts(&left, &right, m, k, n).expect("the charges");
        assert_eq!(found.len(), kinds);
        let naive = |beta: T| -> Vec<T> {
            let sum = |i: usize, j: usize| (0..k).fold(T::zero(), |s, l| s + a[i * k + l] * b[l * n + j]);
            (0..m * n).map(|at| alpha * sum(at / n, at % n) + beta * c[at]).collect()
        };
        assert!(max_difference(&gemm(&spec(left, right)), &naive(T::zero())) < tolerance);
        let mut got = c.clone();
        gemm_into(&spec(left, right), alpha, &mut got);
        assert!(max_difference(&got, &naive(alpha)) < tolerance);
        // the other way of storing it
        let transposed = |x: &[T], m: usize, n: usize| -> Vec<T> { (0..m * n).map(|at| x[at % m * n + at / m]).collect() };
        let (at, bt) = (transposed(&a, m, k), transposed(&b, k, n));
        let (left, right) = (Matrix::row_major(&at, m).transposed(), Matrix::row_major(&bt, k).transposed());
        assert!(max_difference(&gemm(&spec(left, right)), &naive(T::zero())) < tolerance);
    }
}

#[test]
fn products_by_parts_agree_with_three_loops() {
    product_by_parts::<f64>(1e-13);
    product_by_parts::<Complex<f64>>(1e-13);
    product_by_parts::<f32>(1e-4);
}

#[test]
fn what_is_not_finite_is_not_hidden() {
    let mut rng = rng(72);
    let n = 128;
    let charge: Vec<usize> = (0..n).map(|i| i % 2).collect();
    let a = charged::<f64>(&mut rng, &charge, &charge);
    let mut b = a.clone();
    b[0] = f64::NAN;
    let (left, right) = (Matrix::row_major(&a, n), Matrix::row_major(&b, n));
    let c = gemm(&Gemm { batch: 1, m: n, k: n, n, alpha: 1.0, a: left, b: right });
    assert!((0..n).all(|i| c[i * n].is_nan()), "0 · NaN in the whole column");
    // beside a row of zeros, where no part looks
    let (mut a, mut b) = (a.clone(), a);
    a[3 * n + 7] = f64::INFINITY;
    b[7 * n..8 * n].fill(0.0);
    let (left, right) = (Matrix::row_major(&a, n), Matrix::row_major(&b, n));
    let c = gemm(&Gemm { batch: 1, m: n, k: n, n, alpha: 1.0, a: left, b: right });
    assert!(c[3 * n..4 * n].iter().all(|c| c.is_nan()), "∞ · 0 in the whole row");
}

#[test]
fn a_product_with_nothing_in_it_is_zero() {
    let n = 128;
    let (zeros, ones) = (vec![0.0; n * n], vec![1.0; n * n]);
    for [left, right] in [[&zeros, &zeros], [&ones, &zeros], [&zeros, &ones]] {
        let spec = Gemm { batch: 1, m: n, k: n, n, alpha: 1.0, a: Matrix::row_major(left, n), b: Matrix::row_major(right, n) };
        assert_eq!(gemm(&spec), zeros);
        let mut c = ones.clone();
        gemm_into(&spec, 2.0, &mut c);
        assert_eq!(c, vec![2.0; n * n]);
    }
}
