//! A quantum circuit as a generative model: bars and stripes.

mod common;

use clap::Parser;
use common::plot::{Figure, Panel};
use common::{Options, Run};
use pullback::circuit::{Entangler, Pauli, hardware_efficient};
use pullback::optim::{Lbfgs, LbfgsOptions};
use pullback::prelude::*;
use rand::{RngExt, SeedableRng, rngs::StdRng};

/// A Born machine draws samples from the probabilities |ψ(x)|² of a circuit's final state. It is trained without likelihoods, by the
/// maximum mean discrepancy between its samples and the data in a kernel's feature space (Liu and Wang, PRA 98, 062324 (2018)). The data are
/// bars and stripes: pictures of 3 × 3 pixels where each row, or each column, is all black or all white; 14 of 512.
/// CNOTs join the pixels along a tree with as much mutual information as possible (Chow and Liu 1968).
/// The kernel is ¼ Σ_σ exp(−|x − y|²/2σ) over σ = ½, 1, 2, 4 with |x − y|² the number of different pixels.
#[derive(Parser, serde::Serialize)]
struct Args {
    /// Pixels along a side
    #[arg(long, default_value_t = 3)]
    side: usize,
    /// Layers of the circuit
    #[arg(long, default_value_t = 10)]
    depth: usize,
    /// Most random starts
    #[arg(long, default_value_t = 20)]
    starts: usize,
    /// Most iterations of L-BFGS of a start
    #[arg(long, default_value_t = 6000)]
    iterations: usize,
    #[command(flatten)]
    #[serde(flatten)]
    options: Options,
}

/// The loss that Liu and Wang reach with L-BFGS.
const PUBLISHED: f64 = 2.4e-7;

/// Whether each row, or each column, has one colour.
fn valid(x: usize, side: usize) -> bool {
    let pixel = |i: usize, j: usize| x >> (i * side + j) & 1;
    let rows = (0..side).all(|i| (1..side).all(|j| pixel(i, j) == pixel(i, 0)));
    let columns = (0..side).all(|j| (1..side).all(|i| pixel(i, j) == pixel(0, j)));
    rows || columns
}

/// The edges of a spanning tree of the pixels with the largest sum of mutual information over the patterns.
fn tree(n: usize, patterns: &[usize]) -> Vec<(usize, usize)> {
    let information = |i: usize, j: usize| -> f64 {
        let share = |f: &dyn Fn(usize) -> bool| patterns.iter().filter(|&&x| f(x)).count() as f64 / patterns.len() as f64;
        let mut sum = 0.0;
        for (a, b) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let both = share(&|x| x >> i & 1 == a && x >> j & 1 == b);
            if both > 0.0 {
                sum += both * (both / (share(&|x| x >> i & 1 == a) * share(&|x| x >> j & 1 == b))).ln();
            }
        }
        sum
    };
    let mut reached = vec![0];
    let mut edges = Vec::new();
    while reached.len() < n {
        let open = reached.iter().flat_map(|&i| (0..n).filter(|j| !reached.contains(j)).map(move |j| (i, j)));
        let Some(edge) = open.max_by(|a, b| information(a.0, a.1).total_cmp(&information(b.0, b.1))) else { break };
        reached.push(edge.1);
        edges.push(edge);
    }
    edges
}

fn main() -> common::Outcome {
    let mut args = Args::parse();
    if args.options.smallest {
        (args.side, args.depth, args.iterations) = (2, 4, 500);
    }
    let n = args.side * args.side;
    let mut run = Run::start("born_machine_circuit", &args, &args.options)?;
    let mut trace = run.trace(&["iteration", "mmd"])?;
    let patterns: Vec<usize> = (0..1 << n).filter(|&x| valid(x, args.side)).collect();
    let data: Vec<f64> = (0..1 << n).map(|x| if valid(x, args.side) { 1.0 / patterns.len() as f64 } else { 0.0 }).collect();
    let data = Var::from(data);
    // of the number of different pixels
    let of: Vec<f64> = (0..=n).map(|d| [0.5, 1.0, 2.0, 4.0].iter().map(|s| (-(d as f64) / (2.0 * s)).exp()).sum::<f64>() / 4.0).collect();
    let kernel = Var::from(ndarray::Array2::from_shape_fn((1 << n, 1 << n), |(x, y)| of[(x ^ y).count_ones() as usize]));

    let circuit = hardware_efficient(n, args.depth, &[Pauli::Z, Pauli::X, Pauli::Z], &Entangler::Pairs(tree(n, &patterns)))?;
    let mmd = |theta: &Var<f64>| {
        let difference = circuit.state(theta)?.probabilities() - &data;
        Ok::<_, Error>((&difference * kernel.matmul(&difference)).sum())
    };
    let mut rng = StdRng::seed_from_u64(args.options.seed);
    let options = LbfgsOptions { memory: 20, gradient_tolerance: 1e-7, max_iterations: args.iterations, ..Default::default() };
    // most starts end in a local minimum: the first that reaches the published value is taken, else the best
    let mut best = None;
    let mut starts = 0;
    let bar = common::bar("training", args.starts);
    while starts < args.starts.max(1) && best.as_ref().is_none_or(|(value, _, _, _)| *value > PUBLISHED) {
        starts += 1;
        let theta: Vec<f64> = (0..circuit.parameters()).map(|_| rng.random_range(0.0..2.0 * std::f64::consts::PI)).collect();
        let mut curve = Vec::new();
        let end = Lbfgs::new(options).minimize_with(mmd, &Var::from(theta), |step, _| {
            curve.push((step.iteration as f64, step.value));
            true
        })?;
        if best.as_ref().is_none_or(|(value, _, _, _)| end.value < *value) {
            best = Some((end.value, end.x, end.iterations, curve));
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let Some((value, theta, iterations, curve)) = best else { return Err("no start".into()) };
    for (k, loss) in &curve {
        trace.row(&[*k, *loss])?;
    }

    let psi = circuit.state::<f64>(&theta)?;
    let p = psi.probabilities();
    let right: f64 = patterns.iter().map(|&x| p.as_slice()[x]).sum();
    let q = run.result("mmd", value).at("parameters", circuit.parameters()).at("iterations", iterations).at("starts", starts);
    q.reference(PUBLISHED, "Liu and Wang 2018, L-BFGS");
    if value > PUBLISHED {
        // missed; below it, lower is better
        q.within(0.0);
    }
    run.result("probability_of_patterns", right).reference(1.0, "99.9 % in Liu and Wang 2018").within(1e-3);
    let shots = 1000;
    let drawn = psi.sample(shots, &mut rng)?;
    let seen = patterns.iter().filter(|x| drawn.contains(x)).count();
    run.result("patterns_seen", seen as f64).at("shots", shots).reference(patterns.len() as f64, "all patterns").within(0.0);
    let as_points = |p: &Var<f64>| p.as_slice().iter().enumerate().map(|(x, p)| (x as f64, *p)).collect::<Vec<_>>();
    Figure::new("Bars and stripes from a circuit")
        .panel(Panel::new("iteration", "MMD").log_y().line("L-BFGS", &curve).horizontal("published", PUBLISHED))
        .panel(Panel::new("picture", "probability").line("circuit", &as_points(&p)).points("data", &as_points(&data)))
        .columns(2)
        .save(run.out(), "born_machine_circuit")?;
    run.finish()
}
