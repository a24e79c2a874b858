//! Solves of differential equations and their gradients, with the cost of the gradient over that of the value.
//!
//! Dormand and Prince's method at rtol 1e-7, atol 1e-9 from t = 0 to 10. Lotka–Volterra as a fused scalar function and as a closure over an
//! array, by each adjoint; a neural field tanh(tanh(x W₁) W₂) of dimension 32 with 64 hidden units, on a batch of 64.

mod inputs;

use criterion::{BenchmarkId, Criterion, SamplingMode, criterion_group, criterion_main};
use inputs::uniform;
use pullback::ode::{Adjoint, Method, OdeOptions, Stepping, odeint, odeint_fused};
use pullback::prelude::*;
use std::hint::black_box;
use std::time::{Duration, Instant};

fn options(method: Method, adjoint: Adjoint) -> OdeOptions {
    OdeOptions { method, stepping: Stepping::adaptive(1e-7, 1e-9), adjoint }
}

scalar_fn! {
    fn lotka_volterra([x, y], [a, b, c, d]) -> [dx, dy] { [a * x - b * x * y, d * x * y - c * y] }
}

/// The median time of a call.
fn median(f: &mut dyn FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..15)
        .map(|_| {
            let clock = Instant::now();
            f();
            clock.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn report(name: &str, value: &mut dyn FnMut(), gradient: &mut dyn FnMut()) {
    let (value, gradient) = (median(value), median(gradient));
    println!("{name}: value {:.1} µs, value and gradient {:.1} µs, ratio {:.2}", 1e6 * value, 1e6 * gradient, gradient / value);
}

fn small(c: &mut Criterion) {
    let mut group = c.benchmark_group("ode/lotka_volterra");
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(30)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1));
    let (start, times, p) = (Var::from([1.0, 1.0]), Var::from([0.0, 10.0]), Var::from([1.5, 1.0, 3.0, 1.0]));
    let cases = [
        ("dopri5, discrete", Method::Dopri5, Adjoint::default()),
        ("tsit5, discrete", Method::Tsit5, Adjoint::default()),
        ("dopri5, 16 checkpoints", Method::Dopri5, Adjoint::Discrete { checkpoints: Some(16) }),
        ("dopri5, backward", Method::Dopri5, Adjoint::Backward { reconstruction: 1e9 }),
        ("dopri5, interpolated", Method::Dopri5, Adjoint::Interpolated),
        ("dopri5, forward", Method::Dopri5, Adjoint::Forward),
    ];
    for (name, method, adjoint) in cases {
        let o = options(method, adjoint);
        let loss = |p: &Var<f64>| Ok::<_, Error>(odeint_fused(lotka_volterra, &start, &times, p, &o)?.y.row(1).square().sum());
        let steps = odeint_fused(lotka_volterra, &start, &times, &p, &o).unwrap().stats().forward;
        let (l, g) = value_and_grad(loss, &p).unwrap();
        println!("{name}: loss {:.12}, gradient {:?}, {} steps, {} rejected", l.item(), g.as_slice(), steps.steps, steps.rejected);
        report(name, &mut || drop(black_box(loss(black_box(&p)).unwrap())), &mut || {
            drop(black_box(value_and_grad(loss, black_box(&p)).unwrap()))
        });
        group.bench_function(BenchmarkId::new("fused", name), |b| b.iter(|| value_and_grad(loss, black_box(&p)).unwrap()));
    }
    let o = options(Method::Dopri5, Adjoint::default());
    let field = |_: &Var<f64>, y: &Var<f64>, p: &Var<f64>| {
        let (xy, swapped) = (y.get(&[0]) * y.get(&[1]), y * p.slice(s![..;2]) * Var::from([1.0, -1.0]));
        swapped + xy * p.slice(s![1..;2]) * Var::from([-1.0, 1.0])
    };
    let loss = |p: &Var<f64>| Ok::<_, Error>(odeint(field, &start, &times, p, &o)?.y.row(1).square().sum());
    report("closure, dopri5, discrete", &mut || drop(black_box(loss(&p).unwrap())), &mut || {
        drop(black_box(value_and_grad(loss, &p).unwrap()))
    });
    group.finish();
}

fn neural(c: &mut Criterion) {
    let mut group = c.benchmark_group("ode/neural");
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(2));
    let (x0, times) = (uniform::<f64>(1, &[64, 32], 1.0), Var::from([0.0, 10.0]));
    let weights = (uniform::<f64>(2, &[32, 64], 1.0) / 32f64.sqrt(), uniform::<f64>(3, &[64, 32], 1.0) / 64f64.sqrt());
    type Weights = (Var<f64>, Var<f64>);
    let field = |_: &Var<f64>, x: &Var<f64>, (w1, w2): &Weights| x.matmul(w1).tanh().matmul(w2).tanh();
    for (name, adjoint) in [("discrete", Adjoint::default()), ("backward", Adjoint::Backward { reconstruction: 1e9 })] {
        let o = options(Method::Dopri5, adjoint);
        let loss = |w: &Weights| Ok::<_, Error>(odeint(field, &x0, &times, w, &o)?.y.row(1).square().mean());
        let steps = odeint(field, &x0, &times, &weights, &o).unwrap().stats().forward;
        let (l, (g1, g2)) = value_and_grad(loss, &weights).unwrap();
        let norm = |g: &Var<f64>| g.square().sum().item().sqrt();
        println!(
            "{name}: loss {:.12}, gradient norms {:.12} {:.12}, {} steps, {} evaluations",
            l.item(),
            norm(&g1),
            norm(&g2),
            steps.steps,
            steps.evaluations
        );
        report(name, &mut || drop(black_box(loss(&weights).unwrap())), &mut || drop(black_box(value_and_grad(loss, &weights).unwrap())));
        group.bench_function(BenchmarkId::new("value_and_gradient", name), |b| {
            b.iter(|| value_and_grad(loss, black_box(&weights)).unwrap())
        });
    }
    group.finish();
}

criterion_group!(benches, small, neural);
criterion_main!(benches);
