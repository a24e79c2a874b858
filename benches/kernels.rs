//! Elementwise kernels against std on 2²⁰ elements, `f64` and `f32`, with one thread and with two.
//!
//! `cargo bench --bench kernels`; both sides write a new vector. The first lines print the ratios of single best times, ours over std.

use criterion::{Criterion, Throughput};
use num_complex::Complex;
use pullback::kernels::elementwise::{Binary, Unary, binary, unary, unary_scalar};
use std::hint::black_box;
use std::time::{Duration, Instant};

const N: usize = 1 << 20;

struct Case {
    op: Unary,
    low: f64,
    high: f64,
    double: fn(f64) -> f64,
    single: fn(f32) -> f32,
}

macro_rules! cases {
    ($($op:ident [$low:expr, $high:expr] $f:expr, $g:expr;)*) => {
        [$(Case { op: Unary::$op, low: $low, high: $high, double: $f, single: $g }),*]
    };
}

fn cases() -> [Case; 17] {
    cases! {
        Exp [-10.0, 10.0] f64::exp, f32::exp;
        Expm1 [-10.0, 10.0] f64::exp_m1, f32::exp_m1;
        Log [0.01, 100.0] f64::ln, f32::ln;
        Log2 [0.01, 100.0] f64::log2, f32::log2;
        Log10 [0.01, 100.0] f64::log10, f32::log10;
        Log1p [-0.9, 100.0] f64::ln_1p, f32::ln_1p;
        Sin [-10.0, 10.0] f64::sin, f32::sin;
        Cos [-10.0, 10.0] f64::cos, f32::cos;
        Tan [-10.0, 10.0] f64::tan, f32::tan;
        Sinh [-10.0, 10.0] f64::sinh, f32::sinh;
        Cosh [-10.0, 10.0] f64::cosh, f32::cosh;
        Tanh [-3.0, 3.0] f64::tanh, f32::tanh;
        Atan [-5.0, 5.0] f64::atan, f32::atan;
        Sigmoid [-10.0, 10.0] |x| 1.0 / (1.0 + (-x).exp()), |x| 1.0 / (1.0 + (-x).exp());
        Softplus [-10.0, 10.0] |x| x.exp().ln_1p(), |x| x.exp().ln_1p();
        Cbrt [0.01, 100.0] f64::cbrt, f32::cbrt;
        Sqrt [0.01, 100.0] f64::sqrt, f32::sqrt;
    }
}

fn arguments(low: f64, high: f64, step: f64) -> Vec<f64> {
    (0..N).map(|i| low + (high - low) * (i as f64 * step).fract()).collect()
}

fn single(x: &[f64]) -> Vec<f32> {
    x.iter().map(|&x| x as f32).collect()
}

fn best(mut f: impl FnMut()) -> f64 {
    let time = |f: &mut dyn FnMut()| {
        let start = Instant::now();
        f();
        start.elapsed().as_secs_f64() * 1e3
    };
    (0..15).map(|_| time(&mut f)).fold(f64::INFINITY, f64::min)
}

fn ratios(pool: &rayon::ThreadPool) {
    println!("milliseconds for 2^20 elements, one thread: ours, std, ratio");
    for c in cases() {
        let x = arguments(c.low, c.high, 0.618_033_988_749_894_9);
        let x32 = single(&x);
        let ours = pool.install(|| best(|| drop(black_box(unary(c.op, &x)))));
        let std = best(|| drop(black_box(x.iter().map(|&x| (c.double)(x)).collect::<Vec<_>>())));
        let ours32 = pool.install(|| best(|| drop(black_box(unary(c.op, &x32)))));
        let std32 = best(|| drop(black_box(x32.iter().map(|&x| (c.single)(x)).collect::<Vec<_>>())));
        let name = format!("{:?}", c.op);
        println!("{name:10} f64 {ours:6.2} {std:6.2} {:.3}   f32 {ours32:6.2} {std32:6.2} {:.3}", ours / std, ours32 / std32);
    }
    let (a, b) = (arguments(0.01, 10.0, 0.618_033_988_749_894_9), arguments(-5.0, 5.0, 0.414_213_562_373_095));
    let ours = pool.install(|| best(|| drop(black_box(binary(Binary::Pow, &a, &b)))));
    let std = best(|| drop(black_box(a.iter().zip(&b).map(|(a, b)| a.powf(*b)).collect::<Vec<_>>())));
    println!("{:10} f64 {ours:6.2} {std:6.2} {:.3}", "Pow", ours / std);
    let z: Vec<Complex<f64>> = a.iter().zip(&b).map(|(&a, &b)| Complex::new(a - 5.0, b)).collect();
    let ours = pool.install(|| best(|| drop(black_box(unary(Unary::Exp, &z)))));
    let std = best(|| drop(black_box(z.iter().map(|z| z.exp()).collect::<Vec<_>>())));
    println!("{:10} c64 {ours:6.2} {std:6.2} {:.3}", "Exp", ours / std);
}

fn main() {
    let pool = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().expect("a thread pool");
    let (one, two) = (pool(1), pool(2));
    ratios(&one);

    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(800))
        .configure_from_args();
    let mut group = criterion.benchmark_group("kernels");
    group.throughput(Throughput::Elements(N as u64));
    for c in cases() {
        let x = arguments(c.low, c.high, 0.618_033_988_749_894_9);
        let x32 = single(&x);
        let op = c.op;
        group.bench_function(format!("{op:?}/f64/std"), |b| b.iter(|| x.iter().map(|&x| (c.double)(x)).collect::<Vec<_>>()));
        group.bench_function(format!("{op:?}/f64/one"), |b| one.install(|| b.iter(|| unary(op, &x))));
        group.bench_function(format!("{op:?}/f64/two"), |b| two.install(|| b.iter(|| unary(op, &x))));
        group.bench_function(format!("{op:?}/f32/std"), |b| b.iter(|| x32.iter().map(|&x| (c.single)(x)).collect::<Vec<_>>()));
        group.bench_function(format!("{op:?}/f32/one"), |b| one.install(|| b.iter(|| unary(op, &x32))));
        group.bench_function(format!("{op:?}/f32/two"), |b| two.install(|| b.iter(|| unary(op, &x32))));
    }
    group.throughput(Throughput::Elements(1));
    group.bench_function("Exp/f64/one element", |b| b.iter(|| unary(Unary::Exp, black_box(&[0.3]))));
    group.bench_function("Exp/f64/sixteen elements", |b| b.iter(|| unary(Unary::Exp, black_box(&[0.3; 16]))));
    group.bench_function("Exp/f64/scalar", |b| b.iter(|| unary_scalar(Unary::Exp, black_box(0.3))));
    group.finish();
    criterion.final_summary();
}
