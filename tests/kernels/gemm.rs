use crate::kernels::testing::*;
use num_complex::Complex;
use pullback::kernels::gemm::*;
use rand::{RngExt, rngs::StdRng};

/// A random operand that lies row-major, column-major or with gaps.
fn operand<'a, T: Scalar>(rng: &mut StdRng, data: &'a mut Vec<T>, batch: usize, rows: usize, cols: usize) -> Matrix<'a, T> {
    let (row_stride, col_stride) = match rng.random_range(0..4) {
        0 => (1, rows.max(1)),
        1 => (2 * cols + 1, 2),
        _ => (cols.max(1), 1),
    };
    let extent = rows * row_stride + cols * col_stride + 1;
    let batch_stride = match rng.random_range(0..3) {
        0 => 0,
        1 if (row_stride, col_stride) == (cols, 1) => rows * cols,
        _ => extent,
    };
    *data = random(rng, extent * (1 + batch));
    Matrix { data, row_stride, col_stride, batch_stride, conj: rng.random() }
}

fn naive<T: Scalar>(spec: &Gemm<T>, beta: T, c: &[T]) -> Vec<T> {
    let at = |x: &Matrix<T>, b: usize, i: usize, j: usize| {
        let entry = x.data[b * x.batch_stride + i * x.row_stride + j * x.col_stride];
        if x.conj { entry.conj() } else { entry }
    };
    let mut out = c.to_vec();
    for (flat, out) in out.iter_mut().enumerate() {
        let (b, i, j) = (flat / (spec.m * spec.n), flat / spec.n % spec.m, flat % spec.n);
        let sum = (0..spec.k).fold(T::zero(), |s, l| s + at(&spec.a, b, i, l) * at(&spec.b, b, l, j));
        *out = spec.alpha * sum + if beta == T::zero() { T::zero() } else { beta * *out };
    }
    out
}

fn check<T: Scalar>(rng: &mut StdRng, [batch, m, k, n]: [usize; 4], tolerance: f64) {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    let (a, b) = (operand::<T>(rng, &mut a, batch, m, k), operand::<T>(rng, &mut b, batch, k, n));
    let c: Vec<T> = random(rng, batch * m * n);
    let some = random::<T>(rng, 2);
    let alpha = if rng.random() { T::one() } else { some[0] };
    let beta = [T::zero(), T::one(), some[1]][rng.random_range(0..3)];
    let spec = Gemm { batch, m, k, n, alpha, a, b };
    let layout = |x: &Matrix<T>| (x.row_stride, x.col_stride, x.batch_stride, x.conj);
    let tolerance = tolerance * (k as f64 + 1.0).sqrt();
    let mut got = c.clone();
    gemm_into(&spec, beta, &mut got);
    let d = max_difference(&got, &naive(&spec, beta, &c)).max(max_difference(&gemm(&spec), &naive(&spec, T::zero(), &c)));
    assert!(d < tolerance, "{batch} × ({m}, {k}, {n}), A {:?} B {:?}: {d:e}", layout(&a), layout(&b));
}

#[test]
fn agrees_with_three_loops() {
    let mut rng = rng(12);
    for case in 0..160 {
        let longest = [5, 12, 40, 130][case % 4];
        let mut length = || if rng.random_bool(0.03) { 0 } else { rng.random_range(1..longest) };
        let (m, k, n) = (length(), length(), length());
        let lengths = [if longest > 20 { 1 } else { rng.random_range(0..6) }, m, k, n];
        check::<f32>(&mut rng, lengths, 4e-6);
        check::<f64>(&mut rng, lengths, 4e-15);
        check::<Complex<f32>>(&mut rng, lengths, 8e-6);
        check::<Complex<f64>>(&mut rng, lengths, 8e-15);
    }
    for (m, k, n) in [(1, 700, 90), (90, 700, 1), (1, 3000, 1), (700, 1, 90), (2, 3, 2000), (2000, 3, 2), (3, 2000, 2)] {
        for _ in 0..6 {
            check::<f64>(&mut rng, [1, m, k, n], 4e-15);
            check::<Complex<f64>>(&mut rng, [1, m, k, n], 8e-15);
        }
    }
}

/// Sizes at which rows, columns, k and the batch are cut into tasks.
#[test]
fn tasks_give_the_same_bits_at_any_thread_count() {
    let mut rng = rng(13);
    for [batch, m, k, n] in [
        [1, 400, 300, 290],
        [1, 1000, 1200, 1],
        [1, 1, 1200, 1000],
        [1, 4, 200_000, 4],
        [1, 2, 2, 300_000],
        [20_000, 4, 4, 4],
        [4, 200, 200, 200],
    ] {
        let (a, b): (Vec<f64>, Vec<f64>) = (random(&mut rng, batch * m * k), random(&mut rng, batch * k * n));
        let (a_view, b_view) = (Matrix::row_major(&a, k).batched(m * k), Matrix::row_major(&b, n).batched(k * n));
        let got = same_on_any_threads(|| gemm(&Gemm { batch, m, k, n, alpha: 1.0, a: a_view, b: b_view }));
        // against the product with a vector, which costs little: C v = A (B v)
        let v: Vec<f64> = random(&mut rng, n);
        for b_index in [0, batch - 1] {
            let (a, b, c) = (&a[b_index * m * k..], &b[b_index * k * n..], &got[b_index * m * n..]);
            let bv: Vec<f64> = (0..k).map(|l| (0..n).map(|j| b[l * n + j] * v[j]).sum()).collect();
            for i in 0..m {
                let want: f64 = (0..k).map(|l| a[i * k + l] * bv[l]).sum();
                let have: f64 = (0..n).map(|j| c[i * n + j] * v[j]).sum();
                assert!((want - have).abs() < 1e-13 * (k * n) as f64, "{batch} × ({m}, {k}, {n}), row {i}: {want} against {have}");
            }
        }
    }
}

#[test]
fn zero_beta_forgets_what_was_there() {
    let mut c = [f64::NAN; 4];
    let a = [1.0, 2.0, 3.0, 4.0];
    let spec = Gemm { batch: 1, m: 2, k: 2, n: 2, alpha: 1.0, a: Matrix::row_major(&a, 2), b: Matrix::row_major(&a, 2).transposed() };
    gemm_into(&spec, 0.0, &mut c);
    assert_eq!(c, [5.0, 11.0, 11.0, 25.0]);
    c = [f64::NAN; 4];
    gemm_into(&Gemm { k: 0, ..spec }, 0.0, &mut c);
    assert_eq!(c, [0.0; 4]);
}
