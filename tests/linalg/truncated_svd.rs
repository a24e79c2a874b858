//! The correction for what a truncated decomposition discards, where zeros split the matrix into blocks.

use super::random::random;
use pullback::linalg::{Truncation, qr, truncated_svd};
use pullback::prelude::*;

/// U, V and their derivatives along `da`.
fn derivative(a: &Var<f64>, da: &Var<f64>) -> [Var<f64>; 4] {
    let run = |a: &Var<f64>| {
        let (u, _, vh) = truncated_svd(a, Truncation::rank(4))?;
        Ok::<_, Error>((u, vh.t()))
    };
    let ((u, v), (du, dv)) = jvp(run, a, da).unwrap();
    [u, v, du, dv]
}

#[track_caller]
fn close(a: &Var<f64>, b: &Var<f64>) {
    let off = (a - b).abs().max().item();
    assert!(off < 1e-12, "{off:e}");
}

/// For columns that have something in one block, in both, in none or in rounding only; turned by orthogonal matrices there are no blocks.
#[test]
fn block_by_block_is_the_solution_of_the_whole() {
    let (m, n, k) = (97, 96, 4);
    let wave = |len: usize, phase: f64| -> Vec<f64> { (0..len).map(|i| (1.7 * i as f64 + phase).sin()).collect() };
    let mut a = random::<f64>(3, &[m, n]).scale(0.02).as_slice().to_vec();
    for i in 0..m {
        for j in 0..n {
            // odd and even do not meet, and the last row and column are zero
            if (i + j) % 2 == 1 || i == m - 1 || j == n - 1 {
                a[i * n + j] = 0.0;
            }
        }
    }
    [2.0, 1.5, 1.2, 1.0].into_iter().enumerate().for_each(|(i, s)| a[i * n + i] += s);
    let a = Var::from_shape_vec(&[m, n], a).unwrap();
    let (u, _, vh) = truncated_svd(&a, Truncation::rank(k)).unwrap();
    let (mut x, mut y) = (wave(m * k, 0.9), wave(n * k, 1.4));
    let (mut even_x, mut even_y) = (x.clone(), y.clone());
    for (x, even, vectors) in [(&mut x, &mut even_x, &u), (&mut y, &mut even_y, &vh.t())] {
        for (i, row) in x.chunks_exact_mut(k).enumerate() {
            row[0] *= f64::from(i % 2 == 0);
            row[2] = 0.0;
            row[3] *= if i % 2 == 0 { 1e-17 } else { 1.0 };
        }
        // what has the parity of its vector, and nothing where the matrix is zero
        even.iter_mut().enumerate().for_each(|(at, x)| {
            let column = vectors.slice(s![.., at % k]);
            let parity = column.abs().argmax() % 2;
            if (at / k) % 2 != parity || at / k == vectors.shape()[0] - 1 {
                *x = 0.0;
            }
        });
    }
    // x and y are what the vectors see: (XV† + UY†)V = X + U(…)
    let perturbation = |x: Vec<f64>, y: Vec<f64>| {
        let (x, y) = (Var::from_shape_vec(&[m, k], x).unwrap(), Var::from_shape_vec(&[n, k], y).unwrap());
        x.matmul(&vh) + u.matmul(y.t())
    };
    let (left, right) = (qr(&random::<f64>(1, &[m, m])).unwrap().0, qr(&random::<f64>(2, &[n, n])).unwrap().0);
    for (da, exact) in [(perturbation(x, y), false), (perturbation(even_x, even_y), true)] {
        let [u, v, du, dv] = derivative(&a, &da);
        let turned = |a: &Var<f64>| left.matmul(a).matmul(right.t());
        let [w, _, dw, dz] = derivative(&turned(&a), &turned(&da));
        let signs = (left.t().matmul(&w) * &u).sum_axis(0).sign();
        close(&(left.t().matmul(&dw) * &signs), &du);
        close(&(right.t().matmul(&dz) * &signs), &dv);
        if exact {
            // the zeros of a vector are those of its derivative
            for (v, dv) in [(&u, &du), (&v, &dv)] {
                assert!(v.as_slice().iter().zip(dv.as_slice()).all(|(v, dv)| *v != 0.0 || *dv == 0.0), "{v}, {dv}");
                assert!(v.as_slice().iter().filter(|v| **v == 0.0).count() >= v.len() / 2);
            }
        }
    }
}
