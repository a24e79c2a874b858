//! A step of a continuous flow of the Coulomb gas: six charges, 20 steps of RK4, loss and gradient; the divergence in closed form at batch
//! 512, and as the trace of the Jacobian at batch 64. The inputs are those of the peers' case `cnf_coulomb`, and so are the numbers printed.

mod inputs;

use criterion::{Criterion, criterion_group, criterion_main};
use inputs::{normal, uniform};
use pullback::flow::continuous::{ContinuousFlow, Divergence, PairWeights, RadialWeights, VelocityField, pair_field, pair_velocity};
use pullback::flow::{Flow, Normal};
use pullback::nn::{Param, Params};
use pullback::ode::{Adjoint, Method, OdeOptions, Stepping};
use pullback::physics::coulomb::CoulombGas;
use pullback::prelude::*;
use pullback::variational::Target;
use std::hint::black_box;
use std::time::Duration;

const PARTICLES: usize = 6;
const HIDDEN: usize = 64;

/// A pair field that is constant in time and a function of the distance, as the peers have it; or with slopes in s too.
struct Constant {
    weights: [[Param; 3]; 2],
    place: Option<Param>,
}

impl Constant {
    fn new(params: &mut Params<f64>, place: bool) -> Self {
        let weights = [0, 1].map(|f| {
            [("a", 10, 1.0), ("b", 20, 1.0), ("c", 30, 1.0 / HIDDEN as f64)]
                .map(|(name, seed, scale)| params.param(&format!("{f}/{name}"), uniform(seed + f, &[HIDDEN], scale)))
        });
        Constant { weights, place: place.then(|| params.param("0/e", uniform(40, &[HIDDEN], 0.1))) }
    }

    fn networks(&self, p: &Params<f64>) -> (PairWeights<f64>, RadialWeights<f64>) {
        let [[a, b, c], psi] = self.weights.map(|w| w.map(|w| p.get(w).clone()));
        ([a, self.place.map_or(Var::zeros(&[0]), |e| p.get(e).clone()), b, c], psi)
    }
}

impl VelocityField<f64> for Constant {
    fn dim(&self) -> usize {
        2 * PARTICLES
    }
    fn velocity(&self, p: &Params<f64>, _: &Var<f64>, x: &Var<f64>, _: Option<&Var<f64>>) -> Result<Var<f64>> {
        let (phi, psi) = self.networks(p);
        pair_velocity(x, PARTICLES, &phi, &psi)
    }
    fn with_divergence(&self, p: &Params<f64>, _: &Var<f64>, x: &Var<f64>, _: Option<&Var<f64>>) -> Option<Result<(Var<f64>, Var<f64>)>> {
        let (phi, psi) = self.networks(p);
        Some(pair_field(x, PARTICLES, &phi, &psi))
    }
}

fn steps(c: &mut Criterion) {
    let gas = CoulombGas::new(PARTICLES, 2, 0.5).unwrap();
    let model = |place: bool| {
        let mut params = Params::new();
        let field = Constant::new(&mut params, place);
        let options = OdeOptions { method: Method::Rk4, stepping: Stepping::Fixed { step: 0.05 }, ..Default::default() };
        (params, ContinuousFlow::new(field).with_options(options))
    };
    let ((distance, whole), (both, placed)) = (model(false), model(true));
    let few = Adjoint::Discrete { checkpoints: Some(8) };
    let trace = whole.clone().with_divergence(Divergence::Exact);
    let checkpointed = trace.clone().with_options(OdeOptions { adjoint: few, ..*whole.options() });
    let mut group = c.benchmark_group("coulomb gas step");
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(5));
    for (name, params, map, batch) in [
        ("closed form", &distance, whole, 512),
        ("closed form, φ(r, s)", &both, placed, 512),
        ("trace", &distance, trace, 64),
        ("trace, 8 checkpoints", &distance, checkpointed, 512),
    ] {
        let z = normal(1, &[512, 2 * PARTICLES]).slice(s![..batch, ..]);
        let flow = Flow::new(Normal::standard(2 * PARTICLES).unwrap(), map).unwrap();
        let loss = |p: &Params<f64>| {
            let (x, log_volume) = flow.bijection().forward(p, &z, None)?;
            let log_q = flow.base().log_prob(p, &z)? - log_volume;
            Ok::<_, Error>((log_q + gas.energy(&x)? * 10.0).mean())
        };
        let (value, gradient) = params.value_and_grad(loss).unwrap();
        let norms: Vec<f64> = gradient.iter().map(|(_, g)| g.square().sum().item().sqrt()).collect();
        println!("{name}, batch {batch}: loss {}, gradients {norms:?}", value.item());
        for threads in [1, 2] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let label = |what: &str| format!("{name}, batch {batch}, {what}, threads {threads}");
            group.bench_function(label("value"), |b| pool.install(|| b.iter(|| black_box(loss(params).unwrap()))));
            group.bench_function(label("value and gradient"), |b| {
                pool.install(|| b.iter(|| black_box(params.value_and_grad(loss).unwrap())))
            });
        }
    }
}

criterion_group!(benches, steps);
criterion_main!(benches);
