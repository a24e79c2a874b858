//! What the tape costs beyond the arithmetic: chains of 0-d operations, fused scalar programs, second derivatives.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pullback::prelude::*;
use pullback::scalar::{Dual, Num, Number};
use std::hint::black_box;

/// Steps of x ← sin(x) x + c: three operations each.
const STEPS: usize = 1000;

#[derive(Clone, Copy)]
struct Chain;

impl ScalarFn<2, 1> for Chain {
    #[inline(always)]
    fn call<S: Number>(&self, [mut x, c]: [Num<S>; 2]) -> [Num<S>; 1] {
        for _ in 0..STEPS {
            x = x.sin() * x + c;
        }
        [x]
    }
}

fn chain(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("chain of 3000 operations");
    group.throughput(Throughput::Elements(3 * STEPS as u64));
    let unrolled = |(x, c): &(Var<f64>, Var<f64>)| {
        let mut x = x.clone();
        for _ in 0..STEPS {
            x = x.sin() * &x + c;
        }
        x
    };
    let at = (0.5, 0.1);
    let constant = (Var::scalar(0.5), Var::scalar(0.1));
    group.bench_function("value", |b| b.iter(|| unrolled(black_box(&constant))));
    group.bench_function("value and gradient", |b| b.iter(|| value_and_grad(unrolled, black_box(&at)).unwrap()));
    group.bench_function("fused, value", |b| b.iter(|| Chain.eval(black_box([0.5, 0.1]))));
    group.bench_function("fused, value and gradient", |b| {
        b.iter(|| value_and_grad(|(x, c): &(Var<f64>, Var<f64>)| zip_map(Chain, (x, c)), black_box(&at)).unwrap())
    });
    group.bench_function("fused, duals by hand", |b| b.iter(|| Chain.eval(Dual::variables(black_box([0.5, 0.1])))));
    group.finish();
}

scalar_fn! { fn valley(x, next) { 100.0 * (next - x * x).square() + (1.0 - x).square() } }

/// Rosenbrock's function Σ 100 (x_{i+1} − x_i²)² + (1 − x_i)².
fn rosenbrock(x: &Var<f64>) -> Var<f64> {
    let n = x.len();
    let (head, tail) = (x.slice(ndarray::s![..n - 1]), x.slice(ndarray::s![1..]));
    zip_map(valley, (&head, &tail)).sum()
}

fn wave(n: usize, a: f64, b: f64) -> ndarray::Array1<f64> {
    ndarray::Array1::from_shape_fn(n, |i| (a + b * i as f64).sin())
}

fn second_order(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("Rosenbrock");
    let (x, v) = (Var::from(wave(100_000, 0.1, 1.7)), Var::from(wave(100_000, 0.3, 0.7)));
    group.bench_function("value, n = 1e5", |b| b.iter(|| rosenbrock(black_box(&x))));
    group.bench_function("gradient, n = 1e5", |b| b.iter(|| grad(rosenbrock, black_box(&x)).unwrap()));
    group.bench_function("Hessian times vector, n = 1e5", |b| b.iter(|| hvp(rosenbrock, black_box(&x), &v).unwrap()));
    let x = Var::from(wave(100, 0.1, 1.7));
    group.bench_function("gradient, n = 100", |b| b.iter(|| grad(rosenbrock, black_box(&x)).unwrap()));
    group.bench_function("Hessian, n = 100", |b| b.iter(|| hessian(rosenbrock, black_box(&x)).unwrap()));
    group.finish();
}

/// tanh(x W + b), three layers 256-512-512-1 at a batch of 1024.
fn network(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("network 256-512-512-1, batch 1024");
    group.sample_size(20);
    let sizes = [256, 512, 512, 1];
    let weights: Vec<(Var<f64>, Var<f64>)> = sizes
        .windows(2)
        .map(|w| {
            let scale = 1.0 / (w[0] as f64).sqrt();
            let weight = ndarray::Array2::from_shape_fn((w[0], w[1]), |(i, j)| scale * (0.3 + 1.7 * i as f64 + 0.9 * j as f64).sin());
            (Var::from(weight), Var::from(vec![0.01; w[1]]))
        })
        .collect();
    let x = Var::from(ndarray::Array2::from_shape_fn((1024, 256), |(i, j)| (0.1 * i as f64 + 0.37 * j as f64).cos()));
    let loss = |p: &Vec<(Var<f64>, Var<f64>)>| {
        let mut h = x.clone();
        for (i, (w, b)) in p.iter().enumerate() {
            h = h.matmul(w) + b;
            if i + 1 < p.len() {
                h = h.tanh();
            }
        }
        h.square().mean()
    };
    group.bench_function("value", |b| b.iter(|| loss(black_box(&weights))));
    group.bench_function("value and gradient", |b| b.iter(|| value_and_grad(loss, black_box(&weights)).unwrap()));
    group.finish();
}

criterion_group!(benches, chain, second_order, network);
criterion_main!(benches);
