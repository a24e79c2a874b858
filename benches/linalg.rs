//! Decompositions of the backend beside direct calls of faer, on one thread, and the truncated SVD beside the full one.

use criterion::{BenchmarkId, Criterion, SamplingMode, criterion_group, criterion_main};
use faer::{Mat, Side};
use num_complex::Complex;
use pullback::linalg::backend;
use std::hint::black_box;
use std::time::Duration;

struct Draw(u64);

impl Draw {
    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    fn real(&mut self, len: usize) -> Vec<f64> {
        (0..len).map(|_| self.uniform()).collect()
    }

    fn complex(&mut self, len: usize) -> Vec<Complex<f64>> {
        (0..len).map(|_| Complex::new(self.uniform(), self.uniform())).collect()
    }
}

/// Rows and columns scaled so that the singular values fall as in a critical tensor network, exp(−c ln² i) with s₃₂/s₁ ≈ 0.07.
fn decaying(n: usize) -> Vec<f64> {
    let a = Draw(9).real(n * n);
    let (q, _) = backend::qr(&a, n, n, false).unwrap();
    let (p, _) = backend::qr(&Draw(10).real(n * n), n, n, false).unwrap();
    let s: Vec<f64> = (0..n).map(|i| (-0.22 * (1.0 + i as f64).ln().powi(2)).exp()).collect();
    let left = Mat::from_fn(n, n, |i, j| q[i * n + j] * s[j]);
    let right = Mat::from_fn(n, n, |i, j| p[j * n + i]);
    let product = left * right;
    (0..n * n).map(|at| product[(at / n, at % n)]).collect()
}

fn linalg(c: &mut Criterion) {
    faer::set_global_parallelism(faer::Par::Seq);
    let mut group = c.benchmark_group("linalg");
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    let mut draw = Draw(7);
    for n in [64, 256, 512] {
        let a = draw.real(n * n);
        let h: Vec<f64> = (0..n * n).map(|at| a[at] + a[at % n * n + at / n]).collect();
        let z = draw.complex(n * n);
        let zh: Vec<Complex<f64>> = (0..n * n).map(|at| z[at] + z[at % n * n + at / n].conj()).collect();
        let (mh, mzh) = (Mat::from_fn(n, n, |i, j| h[i * n + j]), Mat::from_fn(n, n, |i, j| zh[i * n + j]));
        let (ma, mz) = (Mat::from_fn(n, n, |i, j| a[i * n + j]), Mat::from_fn(n, n, |i, j| z[i * n + j]));
        group.bench_function(BenchmarkId::new("eigh_f64", n), |b| b.iter(|| backend::eigh(black_box(&h), n).unwrap()));
        group.bench_function(BenchmarkId::new("eigh_f64_faer", n), |b| b.iter(|| black_box(&mh).self_adjoint_eigen(Side::Lower).unwrap()));
        group.bench_function(BenchmarkId::new("eigh_c64", n), |b| b.iter(|| backend::eigh(black_box(&zh), n).unwrap()));
        group.bench_function(BenchmarkId::new("eigh_c64_faer", n), |b| b.iter(|| black_box(&mzh).self_adjoint_eigen(Side::Lower).unwrap()));
        group.bench_function(BenchmarkId::new("svd_f64", n), |b| b.iter(|| backend::svd(black_box(&a), n, n, false).unwrap()));
        group.bench_function(BenchmarkId::new("svd_f64_faer", n), |b| b.iter(|| black_box(&ma).thin_svd().unwrap()));
        group.bench_function(BenchmarkId::new("svd_c64", n), |b| b.iter(|| backend::svd(black_box(&z), n, n, false).unwrap()));
        group.bench_function(BenchmarkId::new("svd_c64_faer", n), |b| b.iter(|| black_box(&mz).thin_svd().unwrap()));
        group.bench_function(BenchmarkId::new("qr_f64", n), |b| b.iter(|| backend::qr(black_box(&a), n, n, false).unwrap()));
        group.bench_function(BenchmarkId::new("qr_f64_faer", n), |b| {
            b.iter(|| {
                let qr = black_box(&ma).qr();
                (qr.compute_thin_Q(), qr.thin_R().to_owned())
            })
        });
        group.bench_function(BenchmarkId::new("solve_f64", n), |b| b.iter(|| backend::solve(black_box(&a), n, &a, n).unwrap()));
        group.bench_function(BenchmarkId::new("eig_f64", n), |b| b.iter(|| backend::eig(black_box(&a), n, false).unwrap()));
    }
    for (n, k) in [(256, 16), (576, 24), (1024, 32)] {
        let a = decaying(n);
        group.bench_function(BenchmarkId::new("truncated_svd_f64", format!("{n}_{k}")), |b| {
            b.iter(|| backend::truncated_svd(black_box(&a), n, n, k).unwrap())
        });
        group.bench_function(BenchmarkId::new("full_svd_f64", n), |b| b.iter(|| backend::svd(black_box(&a), n, n, false).unwrap()));
    }
    group.finish();
}

criterion_group!(benches, linalg);
criterion_main!(benches);
