//! Classical charges in a trap: a continuous flow of interacting particles learns e^{−βH}/Z, and with it the free energy.

#[path = "../common/mod.rs"]
mod common;

use clap::{Parser, ValueEnum};
use common::plot::{Figure, Panel};
use common::{Options, Run};
use pullback::flow::continuous::{ContinuousFlow, PairField, PairFieldOptions};
use pullback::flow::{Base, Flow, Ginibre, Normal};
use pullback::nn::Params;
use pullback::ode::{Method, OdeOptions, Stepping};
use pullback::optim::{Adam, Clip, Schedule};
use pullback::physics::coulomb::{CoulombGas, MetropolisOptions};
use pullback::prelude::*;
use pullback::variational::{Annealing, ReverseKl, TrainOptions, Trainer, bounds_with, free_energy_with, metropolize};
use rand::{SeedableRng, rngs::StdRng};

/// The classical Coulomb gas in a parabolic trap, H = Σ_{i<j} 1/|x_i − x_j| + c Σ x_i², at inverse temperature β. In the plane,
/// particles start as the eigenvalues of a random matrix, which repel each other as charges with logarithmic interaction do, otherwise as
/// independent normal variables. They move with the velocity v_i = Σ_j (x_i − x_j) φ(r_ij, s_ij, t) + x_i ψ(|x_i|, t), s_ij = |x_i|² + |x_j|²,
/// which commutes with permutations and rotations; φ and ψ are learned so that the density q at the end lowers ⟨ln q⟩/β + ⟨H⟩, an upper
/// bound of the free energy F = −ln Z/β by construction (Z = ∫ d^{nd}x e^{−βH}, no 1/n!). Reweighting with e^{−βH}/q gives F itself, and
/// Markov chains of the gas give ⟨H⟩ and a lower bound.
#[derive(Parser, serde::Serialize)]
struct Args {
    /// Number of charges n
    #[arg(long, default_value_t = 6)]
    particles: usize,
    /// Dimension of space d
    #[arg(long, default_value_t = 2)]
    dim: usize,
    /// Confinement c
    #[arg(long, default_value_t = 0.5)]
    confinement: f64,
    /// Inverse temperature β
    #[arg(long, default_value_t = 10.0)]
    beta: f64,
    /// Training steps [default: 1000 for up to 8 charges, 1500 beyond]
    #[arg(long)]
    steps: Option<u64>,
    /// Density to start from [default: ginibre for d = 2, normal otherwise]
    #[arg(long)]
    base: Option<Start>,
    /// Samples of a training step
    #[arg(long, default_value_t = 64)]
    batch: usize,
    /// Hidden units of φ and ψ
    #[arg(long, default_value_t = 24)]
    hidden: usize,
    /// Chebyshev terms of φ and ψ in time: few, since a field that changes fast takes the solver many steps
    #[arg(long, default_value_t = 8)]
    order: usize,
    /// Tolerance of the solver in training; a hundredth of it in the evaluation
    #[arg(long, default_value_t = 1e-4)]
    tolerance: f64,
    /// Learning rate at the start; it falls to zero
    #[arg(long, default_value_t = 0.005)]
    rate: f64,
    /// Samples of the evaluation
    #[arg(long, default_value_t = 8192)]
    samples: usize,
    /// Sweeps of each of eight Markov chains
    #[arg(long, default_value_t = 20_000)]
    sweeps: usize,
    /// Go on from the last checkpoint in the output folder
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    #[serde(flatten)]
    options: Options,
}

/// The density that the flow starts from.
#[derive(Clone, Copy, PartialEq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
enum Start {
    /// Independent particles
    Normal,
    /// Eigenvalues of complex matrices of normal numbers; in the plane only
    Ginibre,
}

/// F of a setting by thermodynamic integration: (n, d, c, β), F, its error, where it comes from.
const REFERENCES: [((usize, usize, f64, f64), f64, f64, &str); 2] = [
    ((6, 2, 0.5, 10.0), 12.9554, 0.0010, "thermodynamic integration, examples/coulomb_gas/reference.rs"),
    ((20, 2, 1.0, 10.0), 157.57, 0.01, "thermodynamic integration; the teaching notebook's map has 162.7685(37)"),
];

/// The mean number of particles per area (volume, length) at distance r from the centre.
fn radial_density(x: &Var<f64>, dim: usize, range: f64) -> Vec<(f64, f64)> {
    const BINS: usize = 40;
    let (rows, width) = (x.shape()[0] as f64, range / BINS as f64);
    let mut counts = [0.0; BINS];
    for at in x.as_slice().chunks_exact(dim) {
        let r = at.iter().map(|x| x * x).sum::<f64>().sqrt();
        if let Some(count) = counts.get_mut((r / width) as usize) {
            *count += 1.0 / rows;
        }
    }
    // volume of the unit ball: 2, π, 4π/3, and V_d = 2π/d V_{d−2}
    let ball = (3..=dim).fold([2.0, std::f64::consts::PI], |[a, b], d| [b, std::f64::consts::TAU / d as f64 * a]);
    let ball = if dim == 1 { ball[0] } else { ball[1] };
    let volume = |r: f64| ball * r.powi(dim as i32);
    (0..BINS).map(|k| k as f64 * width).zip(counts).map(|(r, n)| (r + 0.5 * width, n / (volume(r + width) - volume(r)))).collect()
}

fn main() -> common::Outcome {
    let mut args = Args::parse();
    if args.options.smallest {
        // two charges: the free energy is an integral over their distance
        (args.particles, args.steps, args.hidden, args.order) = (2, Some(120), 12, 3);
        (args.batch, args.samples, args.sweeps) = (64, 2048, 4000);
    }
    let (n, d, c, beta) = (args.particles, args.dim, args.confinement, args.beta);
    let steps = *args.steps.get_or_insert(if n <= 8 { 1000 } else { 1500 });
    let start = *args.base.get_or_insert(if d == 2 { Start::Ginibre } else { Start::Normal });
    let mut run = Run::start("coulomb_gas", &args, &args.options)?;
    let seed = args.options.seed;

    // Markov chains of the gas: an energy to compare with, samples for the lower bound, and the width of the base
    let gas = CoulombGas::new(n, d, c)?;
    let chains = MetropolisOptions { sweeps: args.sweeps, keep_every: (args.sweeps / 250).max(1), seed, ..Default::default() };
    let markov = gas.sample::<f64>(beta, &chains)?;
    println!(
        "Metropolis: ⟨H⟩ = {}, acceptance {:.2}, autocorrelation time {:.1} sweeps",
        markov.energy, markov.acceptance, markov.autocorrelation_time
    );
    let width = (markov.trap.mean / c / (n * d) as f64).sqrt();

    let mut rng = StdRng::seed_from_u64(seed);
    let mut params = Params::<f64>::new();
    let options = PairFieldOptions { hidden: args.hidden, order: args.order, range: 4.0 * width };
    let field = PairField::new(&mut params.scope("v"), n, d, options, &mut rng);
    // steps are adaptive: with fixed ones, training finds fields that they do not resolve, and a loss below F
    let flow = |tolerance: f64| -> Result<Flow<f64>> {
        let options = OdeOptions { method: Method::Tsit5, stepping: Stepping::adaptive(tolerance, tolerance), ..Default::default() };
        // both have ⟨Σ x_i²⟩ of the chains
        let base: Box<dyn Base<f64>> = match start {
            Start::Normal => Box::new(Normal::new(vec![0.0; n * d], vec![width; n * d])?),
            Start::Ginibre => Box::new(Ginibre::new(n, width * (4.0 / (n + 1) as f64).sqrt())?),
        };
        Flow::new(base, ContinuousFlow::new(field).with_options(options))
    };
    let model = flow(args.tolerance)?;

    // β rises from a tenth during the first tenth of the steps: at first charges of the base stand close to each other
    let objective = ReverseKl::new(&model, &gas, beta, args.batch).annealing(Annealing::Linear { from: 0.1, steps: (steps / 10).max(1) });
    let warmup = (steps as usize / 20).clamp(1, 50);
    let schedule = Schedule::Cosine { initial: args.rate, last: 0.01 * args.rate, steps: (steps as usize - warmup).max(1) }.warmup(warmup);
    // a pair that is close has a force that has nothing to say about the others
    let optimizer = Adam::new(schedule).clip(Clip::Norm(beta * n as f64));
    let train = TrainOptions { steps, seed, checkpoint: Some(run.out().join("checkpoints")), progress: true, ..Default::default() };
    let mut trainer = Trainer::new(params, optimizer, train);
    if args.resume
        && let Some(step) = trainer.resume()?
    {
        println!("going on from step {step}");
    }
    let mut trace = run.trace(&["step", "free_energy", "error", "gradient_norm", "beta", "seconds"])?;
    trainer.run(&objective)?;
    let mut curve: Vec<(f64, f64)> = Vec::new();
    for row in trainer.trace() {
        let b = row.beta.unwrap_or(beta);
        trace.row(&[row.step as f64, row.loss.mean / b, row.loss.error / b, row.gradient_norm, b, row.seconds])?;
        if b == beta {
            curve.push((row.step as f64, row.loss.mean / b));
        }
    }

    let p = trainer.params().stop_gradient();
    let accurate = flow(0.01 * args.tolerance)?;
    let mut points = Vec::new();
    let report = free_energy_with(&accurate, &p, &gas, beta, args.samples, seed + 1, 512, &mut |x| points.push(x.clone()))?;
    println!("{report}");
    let few = args.samples.min(512);
    let of = |model: &Flow<f64>| free_energy_with(model, &p, &gas, beta, few, seed + 1, args.batch, &mut |_| {});
    let discretisation = of(&model)?.free_energy.mean - of(&accurate)?.free_energy.mean;
    let both = bounds_with(&accurate, &p, &gas, beta, &markov.samples, report.free_energy, 512)?;
    let chain = metropolize(&accurate, &p, &gas, beta, args.samples, seed + 2)?;
    println!(
        "bounds: {} ≤ F ≤ {}\nMetropolised flow: ⟨H⟩ = {}, acceptance {:.3}, longest stay {}",
        both.lower, both.upper, chain.mean_energy, chain.acceptance, chain.longest_stay
    );

    let known = REFERENCES.iter().find(|r| r.0 == (n, d, c, beta)).map(|r| (r.1, r.2, r.3));
    let known = if n == 2 { Some((gas.exact_two_particles(beta)?.0, 0.0, "quadrature over the distance")) } else { known };
    let (f, is) = (report.free_energy, report.free_energy_importance_sampled);
    let quantity = run.result("free_energy", f.mean).error(f.error);
    if let Some((reference, error, source)) = known {
        quantity.reference(reference, source);
        // an upper bound, up to the statistical errors; and not far above: 158.0 at most for the 20 charges
        let slack = 5.0 * f.error.hypot(error);
        quantity.within(if f.mean < reference { slack } else { 0.0215 * n as f64 + slack });
    }
    let quantity = run.result("free_energy_importance_sampled", is.mean).error(is.error);
    if let Some((reference, error, source)) = known {
        quantity.reference(reference, source).within(5.0 * is.error.hypot(error) + 0.02);
    }
    run.result("free_energy_lower_bound", both.lower.mean).error(both.lower.error);
    run.result("mean_energy", report.mean_energy.mean).error(report.mean_energy.error).reference(markov.energy.mean, "Metropolis sampling");
    let e = report.mean_energy_importance_sampled;
    run.result("mean_energy_importance_sampled", e.mean).error(e.error).reference(markov.energy.mean, "Metropolis sampling");
    run.result("mean_energy_metropolis", markov.energy.mean).error(markov.energy.error);
    run.result("entropy", report.entropy.mean).error(report.entropy.error);
    run.result("effective_sample_size", report.effective_sample_size);
    run.result("variance_of_work", report.variance);
    run.result("discretisation_error", discretisation).reference(0.0, "a tolerance of a hundredth").within(0.05);

    let x = pullback::ops::concatenate(&points, 0);
    let range = 3.0 * width;
    let mut figure = Figure::new("Coulomb gas")
        .panel(Panel::new("step", "⟨ln q⟩/β + ⟨H⟩").y_range(f.mean - 0.5, f.mean + 0.05 * f.mean.abs().max(20.0)).line("training", &curve))
        .panel(
            Panel::new("r", "density of charges")
                .line("flow", &radial_density(&x, d, range))
                .points("Metropolis", &radial_density(&markov.samples, d, range)),
        );
    if d >= 2 {
        let plane = |x: &Var<f64>| x.as_slice().chunks_exact(d).take(40 * n).map(|at| (at[0], at[1])).collect::<Vec<_>>();
        let panel = |title: &str, x: &Var<f64>| {
            Panel::new("x", "y").title(title).x_range(-range, range).y_range(-range, range).points("", &plane(x))
        };
        // rows of the chains are in time: far apart, they are independent
        let apart: Vec<usize> = (0..40).map(|k| k * markov.samples.shape()[0] / 40).collect();
        figure =
            figure.panel(panel("40 samples of the flow", &x)).panel(panel("40 of Metropolis", &markov.samples.index_select(&apart, 0)));
    }
    figure.columns(2).save(run.out(), "coulomb_gas")?;
    run.finish()
}
