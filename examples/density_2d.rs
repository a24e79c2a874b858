//! Densities of the plane, learned from samples and from their energy by every kind of flow.

mod common;

use clap::Parser;
use common::plot::{Figure, Panel, Style};
use common::{Options, Run};
use pullback::flow::continuous::{ContinuousFlow, MlpField};
use pullback::flow::*;
use pullback::nn::{Activation, Init, Mlp, Params, PeriodicFeatures, Scope};
use pullback::ode::{Method, OdeOptions, Stepping};
use pullback::optim::{Adam, Clip, Schedule};
use pullback::physics::toy::Toy;
use pullback::prelude::*;
use pullback::variational::{Annealing, MaximumLikelihood, Objective, ReverseKl, TrainOptions, Trainer, free_energy, target};
use rand::{SeedableRng, rngs::StdRng};

/// A normalizing flow is a density that one draws from and evaluates: x = f(z), ln q(x) = ln p(z) − ln|det ∂f/∂z|. Here flows learn
/// densities of the plane, from samples by maximum likelihood (lowering −⟨ln q⟩, whose least value is the entropy), and from the energy
/// alone by the variational free energy ⟨ln q + E⟩ ≥ −ln Z. The kinds: NICE (shifts), RealNVP (scales and shifts), splines, masked
/// autoregressive (maf) and continuous flows. The test's −⟨ln q⟩ is taken relative to ⟨−ln p⟩ of the same points, which is known, so that
/// its noise is that of ln p/q.
#[derive(Parser, serde::Serialize)]
struct Args {
    /// Densities, of eight_gaussians, two_moons, checkerboard, rings, double_well
    #[arg(long, value_delimiter = ',', default_value = "eight_gaussians,two_moons,checkerboard,rings,double_well")]
    density: Vec<String>,
    /// Flows, of nice, realnvp, spline, maf, continuous
    #[arg(long, value_delimiter = ',', default_value = "nice,realnvp,spline,maf,continuous")]
    flow: Vec<String>,
    /// What to learn from, of samples, energy
    #[arg(long, value_delimiter = ',', default_value = "samples,energy")]
    from: Vec<String>,
    /// Training steps
    #[arg(long, default_value_t = 4000)]
    steps: u64,
    /// Samples in a step
    #[arg(long, default_value_t = 512)]
    batch: usize,
    /// Training samples: from n of them, p weights learn a density that is p/2n too far away
    #[arg(long, default_value_t = 400_000)]
    samples: usize,
    /// Samples of the test
    #[arg(long, default_value_t = 50_000)]
    test: usize,
    #[command(flatten)]
    #[serde(flatten)]
    options: Options,
}

/// A perceptron of x and of its waves. Narrow modes ask for conditioners that change within their width, which are slow to learn from x alone.
struct Waves(Mlp);

const WAVES: PeriodicFeatures = PeriodicFeatures { period: 16.0, harmonics: 8 };

impl Waves {
    fn new(scope: &mut Scope<'_, f64>, hidden: &[usize], outputs: usize, rng: &mut StdRng) -> Self {
        let sizes = [&[1 + WAVES.outputs(1)], hidden, &[outputs]].concat();
        Waves(Mlp::with_init(scope, &sizes, Activation::Tanh, (Init::XavierNormal, Init::Zeros), rng))
    }
}

impl Conditioner<f64> for Waves {
    fn inputs(&self) -> usize {
        1
    }
    fn outputs(&self) -> usize {
        Conditioner::<f64>::outputs(&self.0)
    }
    fn forward(&self, p: &Params<f64>, x: &Var<f64>) -> Result<Var<f64>> {
        Ok(self.0.forward(p, &concatenate(&[x / WAVES.period, WAVES.forward(x)], 1)))
    }
}

/// The flow of a kind, last of it a scale and shift of each column that starts at the data's, or at `width`. A continuous one is solved to
/// the tolerance.
fn model(kind: &str, width: f64, tolerance: f64, rng: &mut StdRng) -> Result<(Params<f64>, Flow<f64>)> {
    let mut params = Params::new();
    let mut maps: Vec<Box<dyn Bijection<f64>>> = Vec::new();
    let net = Net::hidden(&[64, 64]);
    let layers = match kind {
        "continuous" => 1,
        "maf" => 5,
        "spline" => 4,
        _ => 8,
    };
    for l in 0..layers {
        let mut scope = params.scope(l);
        let mask = ColumnMask::alternating(2, l);
        maps.push(match kind {
            "nice" => Box::new(Coupling::new(&mut scope, &mask, Additive, &net, rng)?),
            "realnvp" => Box::new(Coupling::new(&mut scope, &mask, Scale::bounded(2.0)?, &net, rng)?),
            "spline" => {
                let spline = RationalQuadratic::new(24, (-6.0, 6.0), Tails::Linear)?;
                let waves = Waves::new(&mut scope, &[64, 64], Transformer::<f64>::parameters(&spline), rng);
                Box::new(Coupling::with_conditioner(&mask, spline, waves, 0)?)
            }
            "maf" => Box::new(Autoregressive::masked(&mut scope, 2, Scale::bounded(2.0)?, &net, rng)?),
            "continuous" => {
                // steps are few at first, while the field is weak
                let stepping = Stepping::adaptive(tolerance, tolerance);
                let solver = OdeOptions { method: Method::Tsit5, stepping, ..Default::default() };
                Box::new(ContinuousFlow::new(MlpField::new(&mut scope, 2, 0, &[128, 128], rng)).with_options(solver))
            }
            other => {
                return Err(Error::argument("density_2d", format!("there is no flow `{other}`: nice, realnvp, spline, maf, continuous")));
            }
        });
        if kind == "maf" && l + 1 < layers {
            maps.push(Box::new(Permutation::reversal(2)));
        }
    }
    maps.push(Box::new(ActNorm::new(&mut params.scope("scale"), 2)?));
    let flow = Flow::new(Normal::standard(2)?, Composition::new(maps)?)?;
    if let Some(scale) = params.handle("scale/log_scale") {
        params.set(scale, Var::full(&[2], width.ln()))?;
    }
    Ok((params, flow))
}

fn toy(name: &str) -> Result<Toy> {
    let names = Toy::ALL.map(Toy::name);
    let found = Toy::ALL.into_iter().find(|t| t.name() == name);
    found.ok_or_else(|| Error::argument("density_2d", format!("there is no density `{name}`: {}", names.join(", "))))
}

/// e^{ln q} on a square grid, row by row.
fn density(reach: f64, cells: usize, log_q: &dyn Fn(&Var<f64>) -> Result<Var<f64>>) -> Result<Vec<f64>> {
    let middle = |k: usize| reach * ((2 * k + 1) as f64 / cells as f64 - 1.0);
    let points = (0..cells).flat_map(|row| (0..cells).flat_map(move |column| [middle(column), middle(row)])).collect();
    Ok(log_q(&Var::from_shape_vec(&[cells * cells, 2], points)?)?.exp().as_slice().to_vec())
}

fn pairs(x: &Var<f64>, n: usize) -> Vec<(f64, f64)> {
    x.as_slice().chunks_exact(2).take(n).map(|p| (p[0], p[1])).collect()
}

const CELLS: usize = 120;

fn main() -> common::Outcome {
    let mut args = Args::parse();
    if args.options.smallest {
        args.density = vec!["double_well".into()];
        args.flow = vec!["spline".into()];
        args.steps = 400;
        (args.samples, args.test) = (4000, 4000);
    }
    if args.steps == 0 || args.batch == 0 || args.samples < args.batch || args.test == 0 {
        return Err("there must be a step, a sample in it and in the test, and as many samples in all as in a step".into());
    }
    if let Some(other) = args.from.iter().find(|f| *f != "samples" && *f != "energy") {
        return Err(format!("there is nothing to learn from called `{other}`: samples, energy").into());
    }
    let mut run = Run::start("density_2d", &args, &args.options)?;
    let mut trace = run.trace(&["density", "flow", "from_energy", "step", "loss"])?;
    for (number, name) in args.density.iter().enumerate() {
        let toy = toy(name)?;
        let reach = if toy == Toy::EightGaussians { 7.0 } else { 6.0 };
        let mut rng = StdRng::seed_from_u64(args.options.seed);
        let (data, test) = (toy.sample::<f64>(args.samples, &mut rng), toy.sample::<f64>(args.test, &mut rng));
        let exact = density(reach, CELLS, &|x| Ok(-toy.energy(x)? - toy.ln_z()))?;
        let panel = |title: &str, heat: &[f64]| Panel::new("x", "y").title(title).heat(heat, CELLS, (-reach, reach), (-reach, reach));
        let mut figure = Figure::new(&name.replace('_', " ")).columns(1 + args.flow.len()).panel_size(330.0, 330.0);
        for from in &args.from {
            figure = figure.panel(panel("exact density", &exact));
            let mut drawn = Vec::new();
            for (kind_number, kind) in args.flow.iter().enumerate() {
                let energy = from == "energy";
                let (mut params, flow) = model(kind, 3.0, 1e-3, &mut rng)?;
                if !energy {
                    flow.initialize(&mut params, &data.slice(s![..args.samples.min(4096), ..]), None)?;
                }
                let rate = match kind.as_str() {
                    "continuous" => 1e-2,
                    "spline" => 3e-3,
                    _ => 2e-3,
                };
                let schedule = Schedule::Cosine { initial: rate, last: rate * 1e-2, steps: args.steps as usize };
                let options = TrainOptions { steps: args.steps, seed: args.options.seed, progress: true, ..Default::default() };
                let mut trainer = Trainer::new(params, Adam::new(schedule).clip(Clip::Norm(10.0)), options);
                let energies = target(2, move |x: &Var<f64>| toy.energy(x));
                let objective: Box<dyn Objective<f64>> = if energy {
                    let annealing = Annealing::Linear { from: 0.05, steps: args.steps / 2 };
                    Box::new(ReverseKl::new(&flow, &energies, 1.0, args.batch).annealing(annealing))
                } else {
                    Box::new(MaximumLikelihood::new(&flow, data.clone(), args.batch)?)
                };
                trainer.run(&*objective)?;
                for row in trainer.trace().iter().step_by(10) {
                    let at = [number as f64, kind_number as f64, f64::from(u8::from(energy)), row.step as f64];
                    trace.row(&[at[0], at[1], at[2], at[3], row.loss.mean])?;
                }
                let p = trainer.params();
                // the parameters are those of training, whose tolerance may have been exploited
                let (_, flow) = model(kind, 3.0, 1e-5, &mut rng)?;
                let at = |q: &mut common::Quantity| {
                    q.at("density", name.as_str()).at("flow", kind.as_str());
                };
                if energy {
                    let report = free_energy(&flow, p, &energies, 1.0, 20_000, args.options.seed)?;
                    let q = run.result("free_energy", report.free_energy.mean);
                    at(q);
                    q.error(report.free_energy.error).reference(-toy.ln_z(), "−ln Z, quadrature");
                    if toy == Toy::DoubleWell && kind == "spline" && !args.options.smallest {
                        q.within(0.01);
                    }
                    let q = run.result("free_energy_importance_sampled", report.free_energy_importance_sampled.mean);
                    at(q);
                    q.error(report.free_energy_importance_sampled.error).reference(-toy.ln_z(), "−ln Z, quadrature");
                    if toy == Toy::DoubleWell && kind == "spline" {
                        q.within(if args.options.smallest { 0.05 } else { 0.01 });
                    }
                    at(run.result("effective_sample_size", report.effective_sample_size));
                } else {
                    let log_p = -toy.energy(&test)? - toy.ln_z();
                    let parts = (0..args.test).step_by(4096).map(|k| {
                        let rows = test.slice(s![k..(k + 4096).min(args.test), ..]);
                        flow.log_prob(p, &rows)
                    });
                    let difference = log_p - concatenate(&parts.collect::<Result<Vec<_>>>()?, 0);
                    let error = (difference.var(1).item() / args.test as f64).sqrt();
                    let q = run.result("divergence", difference.mean().item());
                    at(q);
                    q.error(error);
                    if let Some(entropy) = toy.entropy() {
                        let q = run.result("test_nll", entropy + difference.mean().item());
                        at(q);
                        q.error(error).reference(entropy, "entropy");
                        if matches!(kind.as_str(), "spline" | "continuous") {
                            q.within(0.02);
                        }
                    }
                }
                let heat = density(reach, CELLS, &|x| flow.log_prob(p, x))?;
                figure = figure.panel(panel(&format!("{kind}, from {from}"), &heat));
                drawn.push((kind.clone(), flow.sample(p, 1500, &mut rng)?));
            }
            let clouds = std::iter::once(("exact samples".to_string(), test.clone())).chain(drawn);
            for (title, x) in clouds {
                let axes = Panel::new("x", "y").title(&title).x_range(-reach, reach).y_range(-reach, reach);
                figure = figure.panel(axes.series("", &pairs(&x, 1500), Style::Dots));
            }
        }
        figure.save(run.out(), name)?;
    }
    run.finish()
}
