//! The kernels against what bounds them: faer called directly, and a copy of the memory.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use faer::traits::ComplexField;
use faer::{Accum, MatMut, MatRef, Par};
use num_complex::Complex;
use pullback::Scalar;
use pullback::kernels::{broadcast, gemm, inner, permute, reduce};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::hint::black_box;
use std::time::Duration;

fn random<T: Scalar>(n: usize) -> Vec<T> {
    let mut rng = StdRng::seed_from_u64(n as u64);
    let mut part = || <T::Real as pullback::Real>::from_f64(rng.random_range(-1.0..1.0));
    (0..n).map(|_| T::from_parts(part(), part())).collect()
}

fn products<T: Scalar + ComplexField + Copy>(c: &mut Criterion, name: &str) {
    let mut group = c.benchmark_group("kernels");
    group.sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_millis(800));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    for n in [2usize, 4, 8, 16, 32, 64, 256, 1024] {
        let (a, b) = (random::<T>(n * n), random::<T>(n * n + 1));
        let b = &b[1..];
        let mut out = vec![<T as num_traits::Zero>::zero(); n * n];
        group.throughput(Throughput::Elements((n * n * n) as u64));
        let one = <T as num_traits::One>::one();
        group.bench_function(format!("gemm {name} {n} faer, one thread"), |bench| {
            bench.iter(|| {
                // SAFETY: three row-major n × n matrices.
                let (a, b, c) = unsafe {
                    let s = n as isize;
                    (
                        MatRef::from_raw_parts(a.as_ptr(), n, n, s, 1),
                        MatRef::from_raw_parts(b.as_ptr(), n, n, s, 1),
                        MatMut::from_raw_parts_mut(out.as_mut_ptr(), n, n, s, 1),
                    )
                };
                faer::linalg::matmul::matmul(c, Accum::Replace, a, b, one, Par::Seq);
            });
        });
        let mut out = vec![<T as num_traits::Zero>::zero(); n * n];
        let spec = gemm::Gemm { batch: 1, m: n, k: n, n, alpha: one, a: gemm::Matrix::row_major(&a, n), b: gemm::Matrix::row_major(b, n) };
        group.bench_function(format!("gemm {name} {n} ours, one thread"), |bench| {
            pool.install(|| bench.iter(|| gemm::gemm_into(&spec, <T as num_traits::Zero>::zero(), &mut out)));
        });
        group.bench_function(format!("gemm {name} {n} ours"), |bench| {
            bench.iter(|| gemm::gemm_into(&spec, <T as num_traits::Zero>::zero(), &mut out))
        });
    }
    for (m, n) in [(64, 64), (512, 512), (4096, 2048)] {
        let (a, x, y) = (random::<T>(m * n), random::<T>(n), random::<T>(m));
        group.throughput(Throughput::Bytes((m * n * size_of::<T>()) as u64));
        group.bench_function(format!("gemv {name} {m}x{n}"), |bench| bench.iter(|| gemm::matmul(&a, &x, m, n, 1)));
        group.bench_function(format!("gemv {name} {m}x{n} one thread"), |bench| {
            pool.install(|| bench.iter(|| gemm::matmul(&a, &x, m, n, 1)))
        });
        group.bench_function(format!("vecm {name} {m}x{n}"), |bench| bench.iter(|| gemm::matmul(&y, &a, 1, m, n)));
        group.bench_function(format!("vecm {name} {m}x{n} one thread"), |bench| {
            pool.install(|| bench.iter(|| gemm::matmul(&y, &a, 1, m, n)))
        });
    }
    // a gate on two or on four levels of a state of many, and many small matrices
    for (batch, m, n) in [(1, 2, 1 << 19), (1, 4, 1 << 18), (1 << 10, 2, 1 << 9), (1 << 19, 2, 1)] {
        let (gate, state) = (random::<T>(m * m), random::<T>(batch * m * n));
        let spec = gemm::Gemm {
            batch,
            m,
            k: m,
            n,
            alpha: one::<T>(),
            a: gemm::Matrix::row_major(&gate, m),
            b: gemm::Matrix::row_major(&state, n).batched(m * n),
        };
        group.throughput(Throughput::Bytes((batch * m * n * size_of::<T>()) as u64));
        group.bench_function(format!("gate {name} {batch}x{m}x{n}"), |bench| bench.iter(|| gemm::gemm(&spec)));
    }
    for n in [2, 4, 8, 32] {
        let batch = (1 << 18) / (n * n);
        let (a, b) = (random::<T>(batch * n * n), random::<T>(batch * n * n));
        let matrix = |x| gemm::Matrix::row_major(x, n).batched(n * n);
        let spec = gemm::Gemm { batch, m: n, k: n, n, alpha: one::<T>(), a: matrix(&a), b: matrix(&b) };
        group.throughput(Throughput::Elements(batch as u64));
        group.bench_function(format!("batched gemm {name} {n}"), |bench| bench.iter(|| gemm::gemm(&spec)));
    }
    group.finish();
}

fn one<T: Scalar>() -> T {
    <T as num_traits::One>::one()
}

fn matrix_products(c: &mut Criterion) {
    products::<f64>(c, "f64");
    products::<Complex<f64>>(c, "c64");
    products::<f32>(c, "f32");
}

fn permutations<T: Scalar>(c: &mut Criterion, name: &str) {
    let mut group = c.benchmark_group("kernels");
    group.sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_millis(500));
    let cases: [(&str, Vec<usize>, Vec<usize>); 8] = [
        ("2x2", vec![2, 2], vec![1, 0]),
        ("16x16", vec![16, 16], vec![1, 0]),
        ("100x100", vec![100, 100], vec![1, 0]),
        ("2048x2048", vec![2048, 2048], vec![1, 0]),
        ("128x128x128 (2 1 0)", vec![128; 3], vec![2, 1, 0]),
        ("128x128x128 (1 0 2)", vec![128; 3], vec![1, 0, 2]),
        ("2^21 reversed", vec![2; 21], (0..21).rev().collect()),
        ("2^21 even before odd", vec![2; 21], (0..21).step_by(2).chain((1..21).step_by(2)).collect()),
    ];
    for (label, shape, perm) in cases {
        let n: usize = shape.iter().product();
        let x: Vec<T> = random(n);
        group.throughput(Throughput::Bytes((n * size_of::<T>()) as u64));
        group.bench_function(format!("permute {name} {label}"), |bench| bench.iter(|| permute::permute(&x, &shape, &perm)));
        group.bench_function(format!("permute {name} {label} copy"), |bench| bench.iter(|| black_box(&x).to_vec()));
    }
    group.finish();
}

fn movements(c: &mut Criterion) {
    permutations::<f32>(c, "f32");
    permutations::<f64>(c, "f64");
    permutations::<Complex<f64>>(c, "c64");
}

fn sums(c: &mut Criterion) {
    let mut group = c.benchmark_group("kernels");
    group.sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_millis(500));
    for (shape, axes) in [
        (vec![4usize], vec![0usize]),
        (vec![4096], vec![0]),
        (vec![1 << 22], vec![0]),
        (vec![2048, 2048], vec![0]),
        (vec![2048, 2048], vec![1]),
        (vec![1 << 20, 3], vec![0]),
        (vec![1 << 20, 3], vec![1]),
        (vec![128, 128, 128], vec![1]),
        (vec![2; 20], (0..20).step_by(2).collect()),
    ] {
        let n: usize = shape.iter().product();
        let (x, z) = (random::<f64>(n), random::<Complex<f64>>(n));
        group.throughput(Throughput::Elements(n as u64));
        group.bench_function(format!("sum f64 {shape:?} over {axes:?}"), |bench| bench.iter(|| reduce::sum_axes(&x, &shape, &axes)));
        group.bench_function(format!("sum c64 {shape:?} over {axes:?}"), |bench| bench.iter(|| reduce::sum_axes(&z, &shape, &axes)));
        group.bench_function(format!("max f64 {shape:?} over {axes:?}"), |bench| bench.iter(|| reduce::max_axes(&x, &shape, &axes)));
    }
    for n in [16, 4096, 1 << 20] {
        let (x, y, z, w) = (random::<f64>(n), random::<f64>(n), random::<Complex<f64>>(n), random::<Complex<f64>>(n));
        group.throughput(Throughput::Elements(n as u64));
        group.bench_function(format!("dot f64 {n}"), |bench| bench.iter(|| inner::dot(&x, &y)));
        group.bench_function(format!("vdot c64 {n}"), |bench| bench.iter(|| inner::vdot(&z, &w)));
    }
    for (a, b) in [
        (vec![4usize], vec![4usize]),
        (vec![4], vec![]),
        (vec![1024], vec![1024]),
        (vec![1 << 20], vec![1 << 20]),
        (vec![1024, 1024], vec![1024]),
        (vec![1024, 1024], vec![1024, 1]),
        (vec![1 << 18, 3], vec![3]),
        (vec![1 << 18, 3], vec![1 << 18, 1]),
    ] {
        let (x, y) = (random::<f64>(a.iter().product()), random::<f64>(b.iter().product()));
        let out = broadcast::broadcast_shape(&a, &b).unwrap();
        group.throughput(Throughput::Elements(out.iter().product::<usize>() as u64));
        group.bench_function(format!("add {a:?} {b:?}"), |bench| {
            bench.iter(|| broadcast::binary_broadcast(&x, &a, &y, &b, &out, |x, y| x + y))
        });
    }
    group.finish();
}

criterion_group!(benches, matrix_products, movements, sums);
criterion_main!(benches);
