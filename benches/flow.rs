//! One training step of RealNVP by reverse KL: loss and gradient, 8 affine couplings with networks d/2 → 128 → 128 → d (tanh), batch 1024,
//! energy Σ (x_i² − 1)² + ½ (x_i − x_{i+1})². Inputs are counter-based, so that the loss and the norms of the first gradients, which are
//! printed, can be compared with other programs' for the same step.

mod inputs;

use criterion::Criterion;
use inputs::{normal, uniform};
use pullback::flow::{Bijection, ColumnMask, Composition, Coupling, Flow, Net, Noise, Normal, Scale};
use pullback::nn::Params;
use pullback::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;

const BATCH: usize = 1024;
const LAYERS: usize = 8;
const HIDDEN: usize = 128;

fn model(d: usize) -> (Params<f64>, Flow<f64>) {
    let mut rng = StdRng::seed_from_u64(1);
    let mut params = Params::new();
    let half = d / 2;
    let net = Net::hidden(&[HIDDEN, HIDDEN]);
    let maps = (0..LAYERS).map(|l| {
        let mask = ColumnMask::alternating(d, l % 2);
        Box::new(Coupling::new(&mut params.scope(l), &mask, Scale::default(), &net, &mut rng).unwrap()) as Box<dyn Bijection<f64>>
    });
    let flow = Flow::new(Normal::standard(d).unwrap(), Composition::new(maps.collect()).unwrap()).unwrap();
    for l in 0..LAYERS {
        let seed = 100 + 10 * l as u64;
        for (k, (fan_in, fan_out, scale)) in [(half, HIDDEN, 1.0), (HIDDEN, HIDDEN, 1.0), (HIDDEN, d, 0.1)].into_iter().enumerate() {
            let seed = seed + 2 * k as u64;
            let weight = params.handle(&format!("{l}/{k}/weight")).unwrap();
            let bias = params.handle(&format!("{l}/{k}/bias")).unwrap();
            params.set(weight, uniform(seed, &[fan_in, fan_out], scale / (fan_in as f64).sqrt())).unwrap();
            params.set(bias, uniform(seed + 1, &[fan_out], 0.1)).unwrap();
        }
    }
    (params, flow)
}

fn energy(x: &Var<f64>) -> Var<f64> {
    ((x.square() - 1.0).square() + 0.5 * (x - x.roll(-1, 1)).square()).sum_axis(1)
}

fn realnvp(c: &mut Criterion) {
    for d in [2, 64] {
        let (params, flow) = model(d);
        let noise = Noise::from(normal(1, &[BATCH, d]));
        let loss = |p: &Params<f64>| {
            let (x, log_q) = flow.rsample(p, &noise)?;
            Ok::<_, Error>((log_q + energy(&x)).mean())
        };
        let (value, gradient) = params.value_and_grad(loss).unwrap();
        let order = ["weight", "bias"];
        let norms: Vec<f64> = (0..3)
            .flat_map(|k| order.map(|name| gradient.by_name(&format!("0/{k}/{name}")).unwrap().square().sum().sqrt().item()))
            .collect();
        println!("realnvp d={d}: loss {:.12}, norms of the first gradients {norms:.9?}", value.item());
        let mut group = c.benchmark_group("flow");
        group.bench_function(format!("realnvp d={d} value"), |b| b.iter(|| loss(&params).unwrap()));
        group.bench_function(format!("realnvp d={d} value and gradient"), |b| b.iter(|| params.value_and_grad(loss).unwrap()));
        group.finish();
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    realnvp(&mut criterion);
    criterion.final_summary();
}
