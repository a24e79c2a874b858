//! The quantum approximate optimisation algorithm for the largest cut of a graph.

mod common;

use clap::Parser;
use common::plot::{Figure, Panel};
use common::{Options, Run};
use pullback::circuit::{max_cut, qaoa};
use pullback::optim::{Lbfgs, LbfgsOptions};
use pullback::prelude::*;
use rand::{RngExt, SeedableRng, rngs::StdRng};

/// The quantum approximate optimisation algorithm (Farhi, Goldstone and Gutmann, arXiv:1411.4028) divides the vertices of a graph into two
/// sets with as much weight as possible on the edges between them. p layers alternate exp(−iγC) with the cut C and exp(−iβ Σ X); the 2p angles
/// maximise ⟨C⟩. On a ring of more than 2p + 1 vertices the best p layers reach (2p + 1)/(2p + 2) of the edges (Mbeng, Fazio and Santoro,
/// arXiv:1906.08948). Then a random graph with weights, where shots of the final state are compared with the best of all cuts.
#[derive(Parser, serde::Serialize)]
struct Args {
    /// Vertices of the ring, an even number
    #[arg(long, default_value_t = 12)]
    ring: usize,
    /// Vertices of the random graph
    #[arg(long, default_value_t = 12)]
    vertices: usize,
    /// The largest number of layers
    #[arg(long, default_value_t = 5)]
    layers: usize,
    /// Shots drawn at the end
    #[arg(long, default_value_t = 1000)]
    shots: usize,
    #[command(flatten)]
    #[serde(flatten)]
    options: Options,
}

/// Angles for one layer more, by linear interpolation (Zhou et al., PRX 10, 021067 (2020), INTERP).
fn lengthen(angles: &[f64]) -> Vec<f64> {
    let p = angles.len() / 2;
    let at = |i: isize, k: usize| if (0..p as isize).contains(&i) { angles[2 * i as usize + k] } else { 0.0 };
    let of = |i: usize, k: usize| i as f64 / p as f64 * at(i as isize - 1, k) + (p - i) as f64 / p as f64 * at(i as isize, k);
    (0..=p).flat_map(|i| [of(i, 0), of(i, 1)]).collect()
}

/// The best ⟨C⟩ for 1, …, p layers, and the last angles.
fn optimise(n: usize, edges: &[(usize, usize, f64)], layers: usize, scale: f64) -> Result<(Vec<f64>, Vec<f64>)> {
    let cut = max_cut(n, edges)?;
    let mut angles = vec![0.6 * scale, 0.4];
    let mut best = Vec::new();
    for p in 1..=layers {
        let circuit = qaoa(n, edges, p)?;
        let loss = |theta: &Var<f64>| Ok::<_, Error>(-circuit.state(theta)?.expectation(&cut)?);
        let options = LbfgsOptions { gradient_tolerance: 1e-9, max_iterations: 400, ..Default::default() };
        let found = Lbfgs::new(options).minimize(loss, &Var::from(angles))?;
        best.push(-found.value);
        angles = found.x.as_slice().to_vec();
        if p < layers {
            angles = lengthen(&angles);
        }
    }
    Ok((best, angles))
}

fn main() -> common::Outcome {
    let mut args = Args::parse();
    if args.options.smallest {
        (args.ring, args.vertices, args.layers) = (8, 8, 3);
    }
    if !args.ring.is_multiple_of(2) || args.ring < 4 || 2 * args.layers + 2 > args.ring || args.layers == 0 {
        return Err(format!("a ring of {} for {} layers: expected an even number from 2p + 2 on", args.ring, args.layers).into());
    }
    let mut run = Run::start("qaoa_maxcut", &args, &args.options)?;
    let mut trace = run.trace(&["layers", "ring_cut_per_edge", "ring_exact", "graph_ratio"])?;

    let ring: Vec<(usize, usize, f64)> = (0..args.ring).map(|i| (i, (i + 1) % args.ring, 1.0)).collect();
    let (best, _) = optimise(args.ring, &ring, args.layers, 1.0)?;
    let law = |p: usize| (2 * p + 1) as f64 / (2 * p + 2) as f64;
    let on_ring: Vec<f64> = best.iter().map(|c| c / args.ring as f64).collect();
    for (i, c) in on_ring.iter().enumerate() {
        run.result("cut_per_edge", *c)
            .at("graph", "ring")
            .at("layers", i + 1)
            .reference(law(i + 1), "(2p + 1)/(2p + 2), Mbeng et al. 2019")
            .within(1e-7);
    }

    // a random graph with three edges at a vertex on average, and all its cuts
    let n = args.vertices;
    let mut rng = StdRng::seed_from_u64(args.options.seed);
    let mut edges: Vec<(usize, usize, f64)> = (0..n).map(|i| (i, (i + 1) % n, rng.random_range(0.2..1.0))).collect();
    while edges.len() < 3 * n / 2 {
        let (i, j) = (rng.random_range(0..n), rng.random_range(0..n));
        if i != j && edges.iter().all(|&(a, b, _)| (a, b) != (i, j) && (a, b) != (j, i)) {
            edges.push((i, j, rng.random_range(0.2..1.0)));
        }
    }
    let weight = |s: usize| edges.iter().filter(|(i, j, _)| (s >> i ^ s >> j) & 1 == 1).map(|e| e.2).sum::<f64>();
    let (optimum, _) = (0..1 << (n - 1)).map(|s| (weight(s), s)).fold((0.0, 0), |b, c| if c.0 > b.0 { c } else { b });
    let mean = edges.iter().map(|e| e.2).sum::<f64>() / edges.len() as f64;
    let (best, angles) = optimise(n, &edges, args.layers, 1.0 / mean)?;
    let ratio: Vec<f64> = best.iter().map(|c| c / optimum).collect();
    let psi = qaoa(n, &edges, args.layers)?.state::<f64>(&Var::from(angles.clone()))?;
    let shots = psi.sample(args.shots, &mut rng)?;
    let found = shots.iter().map(|&s| weight(s)).fold(0.0, f64::max);
    run.result("cut_over_optimum", ratio[args.layers - 1]).at("graph", "random").at("layers", args.layers);
    run.result("best_cut_of_shots", found).at("shots", args.shots).reference(optimum, "all cuts compared").within(1e-12);
    // more layers never do worse
    let falls = ratio.windows(2).map(|w| (w[0] - w[1]).max(0.0)).fold(0.0, f64::max);
    run.result("largest_fall_with_layers", falls).at("graph", "random").within(1e-9);
    for p in 0..args.layers {
        trace.row(&[(p + 1) as f64, on_ring[p], law(p + 1), ratio[p]])?;
    }

    let by_layer = |y: &[f64]| y.iter().enumerate().map(|(i, y)| ((i + 1) as f64, *y)).collect::<Vec<_>>();
    let exact: Vec<f64> = (1..=args.layers).map(law).collect();
    let gammas: Vec<f64> = angles.iter().step_by(2).copied().collect();
    let betas: Vec<f64> = angles.iter().skip(1).step_by(2).copied().collect();
    Figure::new("QAOA for the largest cut")
        .panel(
            Panel::new("layers", "cut / optimum")
                .points("ring", &by_layer(&on_ring))
                .line("(2p + 1)/(2p + 2)", &by_layer(&exact))
                .points("random graph", &by_layer(&ratio)),
        )
        .panel(Panel::new("layer", "angle, random graph").line("γ", &by_layer(&gammas)).line("β", &by_layer(&betas)))
        .columns(2)
        .save(run.out(), "qaoa_maxcut")?;
    run.finish()
}
