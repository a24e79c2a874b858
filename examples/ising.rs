//! The two-dimensional Ising model from one differentiated tensor contraction.

mod common;

use clap::Parser;
use common::plot::{Figure, Panel};
use common::{Options, Run};
use pullback::physics::ising::{critical_beta, onsager};
use pullback::prelude::*;
use pullback::tensor_network::{Trg, ising_square};
use rayon::prelude::*;

/// The two-dimensional Ising model on the square lattice: the tensor renormalisation group of Levin and Nave contracts the partition
/// function to ln Z per site as a function of the inverse temperature β; the energy E = −∂lnZ/∂β and the specific heat
/// C = β² ∂²lnZ/∂β² are its first and second derivative, by automatic differentiation through every singular value decomposition.
/// All three are compared with Onsager's solution of the infinite lattice.
#[derive(Parser, serde::Serialize)]
struct Args {
    /// Inverse temperatures; by default a sweep through the critical one
    #[arg(long, value_delimiter = ',')]
    beta: Vec<f64>,
    /// Bond dimension
    #[arg(long, default_value_t = 16)]
    chi: usize,
    /// Coarse-graining steps: the lattice has 2^steps sites
    #[arg(long, default_value_t = 20)]
    steps: usize,
    #[command(flatten)]
    #[serde(flatten)]
    options: Options,
}

/// ln Z per site with its first and second derivative: forward over reverse, on one tape.
fn derivatives(trg: &Trg, beta: f64) -> Result<[f64; 3]> {
    let slope = |beta: &Var<f64>| value_and_grad(|b| trg.ln_z_per_site(&ising_square(b)?), beta);
    let ((value, first), (_, second)) = jvp(slope, &Var::scalar(beta), &Var::scalar(1.0))?;
    Ok([value.item(), first.item(), second.item()])
}

fn main() -> common::Outcome {
    let mut args = Args::parse();
    if args.options.smallest {
        (args.chi, args.steps) = (8, 12);
    }
    if args.beta.is_empty() {
        let points = if args.options.smallest { 5 } else { 11 };
        args.beta = (0..points).map(|i| 0.32 + 0.24 * f64::from(i) / f64::from(points - 1)).collect();
        args.beta.extend([0.4, 0.44]);
        args.beta.sort_by(f64::total_cmp);
        args.beta.dedup();
    }
    let trg = Trg { chi: args.chi, steps: args.steps };
    let mut run = Run::start("ising", &args, &args.options)?;
    let mut trace = run.trace(&["beta", "ln_z", "energy", "specific_heat", "ln_z_exact", "energy_exact", "specific_heat_exact"])?;
    let mut found = Vec::new();
    let bar = common::bar("temperatures", args.beta.len());
    let results = args.beta.par_iter().map(|&beta| derivatives(&trg, beta).inspect(|_| bar.inc(1))).collect::<Result<Vec<_>>>()?;
    bar.finish_and_clear();
    for (&beta, &[ln_z, first, second]) in args.beta.iter().zip(&results) {
        let row = [ln_z, -first, beta * beta * second];
        let exact = onsager(beta, 1.0);
        let exact = [exact.ln_z_per_site, exact.energy_per_site, exact.specific_heat_per_site];
        trace.row(&[&[beta], &row[..], &exact[..]].concat())?;
        for (k, name) in ["ln_z_per_site", "energy_per_site", "specific_heat_per_site"].into_iter().enumerate() {
            run.result(name, row[k]).at("beta", beta).reference(exact[k], "Onsager 1944, infinite lattice");
        }
        found.push((beta, row));
    }
    let column = |k: usize| found.iter().map(|(b, row)| (1.0 / b, row[k])).collect::<Vec<_>>();
    let (hot, cold) = found.iter().fold((0.0f64, f64::INFINITY), |(h, c), (b, _)| (h.max(1.0 / b), c.min(1.0 / b)));
    let grid: Vec<f64> = (0..=400).map(|i| cold + (hot - cold) * f64::from(i) / 400.0).collect();
    let curve = |f: &dyn Fn(f64) -> f64| grid.iter().map(|&t| (t, f(1.0 / t))).collect::<Vec<_>>();
    let critical = 1.0 / critical_beta(1.0);
    let panel = |k: usize, label: &str, f: &dyn Fn(f64) -> f64| {
        Panel::new("temperature T", label).line("Onsager", &curve(f)).points("TRG", &column(k)).vertical("T_c", critical)
    };
    Figure::new(&format!("Ising model, TRG with χ = {}", args.chi))
        .panel(panel(0, "ln Z per site", &|b| onsager(b, 1.0).ln_z_per_site))
        .panel(panel(1, "energy per site", &|b| onsager(b, 1.0).energy_per_site))
        .panel(panel(2, "specific heat per site", &|b| onsager(b, 1.0).specific_heat_per_site))
        .columns(3)
        .save(run.out(), "ising")?;
    run.finish()
}
