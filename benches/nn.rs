//! Networks: value against value and gradient. The inputs of the perceptron are counter-based, so that its loss and the norms of its gradients,
//! which are printed, can be compared with other programs' for the same step.

mod inputs;

use criterion::{Criterion, criterion_group, criterion_main};
use inputs::uniform;
use pullback::nn::{Activation, Conv, ConvOptions, Init, Mlp, Padding, Pairwise, Params};
use pullback::prelude::*;
use pullback::random;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::time::Instant;

/// Both times by criterion, and their ratio by the best of ten runs each.
fn both<T: Real>(c: &mut Criterion, name: &str, params: &Params<T>, loss: &dyn Fn(&Params<T>) -> Var<T>)
where
    Var<T>: pullback::Loss + pullback::Returns<Vars = Var<T>>,
{
    let best = |f: &dyn Fn()| {
        let time = |_| {
            let start = Instant::now();
            f();
            start.elapsed().as_secs_f64()
        };
        (0..10).map(time).fold(f64::INFINITY, f64::min)
    };
    let value = || drop(loss(params));
    let gradient = || drop(params.value_and_grad(loss).unwrap());
    println!("{name}: value and gradient cost {:.2} values", best(&gradient) / best(&value));
    let mut group = c.benchmark_group(name);
    group.sample_size(20);
    group.bench_function("value", |b| b.iter(value));
    group.bench_function("value and gradient", |b| b.iter(gradient));
    group.finish();
}

/// mean (net(x) − t)² of a perceptron 256-512-512-1, tanh, batch 1024.
fn perceptron<T: Real>(c: &mut Criterion)
where
    Var<T>: pullback::Loss + pullback::Returns<Vars = Var<T>>,
{
    let sizes = [256, 512, 512, 1];
    let mut params = Params::<T>::new();
    let net = Mlp::new(&mut params.scope("net"), &sizes, Activation::Tanh, &mut StdRng::seed_from_u64(1));
    for (k, layer) in net.layers().iter().enumerate() {
        let weight = uniform(10 + k as u64, &[sizes[k], sizes[k + 1]], (sizes[k] as f64).sqrt().recip());
        params.set(layer.weight(), weight).unwrap();
        params.set(layer.bias().unwrap(), uniform(20 + k as u64, &[sizes[k + 1]], 0.1)).unwrap();
    }
    let x = uniform::<T>(1, &[1024, 256], 1.0);
    let t = Var::from_shape_vec(&[1024, 1], (0..1024).map(|i| T::from_f64((0.1 + 1.7 * f64::from(i)).sin())).collect()).unwrap();
    let loss = |p: &Params<T>| (net.forward(p, &x) - &t).square().mean();
    let (value, gradient) = params.value_and_grad(loss).unwrap();
    let norms: Vec<f64> = gradient.iter().map(|(_, g)| g.square().sum().item().to_f64().sqrt()).collect();
    println!("{}: loss {}, norms of the gradients {norms:?}", std::any::type_name::<T>(), value.item());
    both(c, &format!("perceptron 256-512-512-1, batch 1024, {}", std::any::type_name::<T>()), &params, &loss);
}

fn convolution(c: &mut Criterion) {
    let mut rng = StdRng::seed_from_u64(1);
    let mut params = Params::<f32>::new();
    let options = ConvOptions { padding: Padding::Periodic, ..Default::default() };
    let layer = Conv::new(&mut params.scope("conv"), 32, 32, &[3, 3], options, Init::HeNormal, &mut rng);
    let x: Var<f32> = random::normal(&mut rng, &[256, 32, 16, 16]);
    let loss = |p: &Params<f32>| layer.activated(p, &x, Activation::Relu).square().mean();
    both(c, "periodic convolution, 32 to 32 channels, 3x3 on 256 lattices of 16x16, f32", &params, &loss);
}

fn pairs(c: &mut Criterion) {
    let mut rng = StdRng::seed_from_u64(1);
    let mut params = Params::<f64>::new();
    let net = Pairwise::new(&mut params.scope("pairs"), 2, &[32, 32], 2, Activation::Tanh, &mut rng);
    let x: Var<f64> = random::normal(&mut rng, &[256, 10, 2]);
    let loss = |p: &Params<f64>| net.forward(p, &x).square().mean();
    both(c, "pairwise network, 10 particles, batch 256, f64", &params, &loss);
}

criterion_group!(benches, perceptron::<f64>, perceptron::<f32>, convolution, pairs);
criterion_main!(benches);
