//! Thermodynamics of the square-lattice Ising model by the tensor renormalisation group, against Onsager's solution.

mod common;

use clap::Parser;
use common::plot::{Figure, Panel};
use common::{Options, Run, progress};
use pullback::physics::ising::{critical_beta, onsager};
use pullback::prelude::*;
use pullback::tensor_network::{Trg, ising_tensor};

/// The Ising model on the infinite square lattice, H = −Σ s s′, in zero field. Its partition function is a network with one tensor a site;
/// the tensor renormalisation group of Levin and Nave halves the number of sites step by step, keeping χ singular values of each
/// decomposition. ln Z per site is a differentiable function of β: its first derivative gives the energy, E = −∂ln Z/∂β, its second the specific
/// heat, C = β² ∂²ln Z/∂β², through all decompositions on the same tape. Both are compared with Onsager's solution, at one β and over a
/// range of temperatures around the transition, where the finite χ rounds the logarithmic peak of C.
#[derive(Parser, serde::Serialize)]
struct Args {
    /// Inverse temperature at which the numbers are compared
    #[arg(long, default_value_t = 0.44)]
    beta: f64,
    /// Singular values kept in a decomposition
    #[arg(long, default_value_t = 16)]
    chi: usize,
    /// Renormalisation steps: the lattice has 2^steps sites
    #[arg(long, default_value_t = 20)]
    steps: usize,
    /// Temperatures between 1.6 and 3.2 for the plots
    #[arg(long, default_value_t = 25)]
    points: usize,
    #[command(flatten)]
    #[serde(flatten)]
    options: Options,
}

/// (ln Z, E, C) per site at inverse temperature β.
fn thermodynamics(trg: &Trg, beta: f64) -> Result<(f64, f64, f64)> {
    let ln_z = |beta: &Var<f64>| trg.ln_z_per_site(&ising_tensor(beta));
    // forward over reverse: the derivative of (value, gradient) along β
    let both = |beta: &Var<f64>| value_and_grad(ln_z, beta);
    let ((value, slope), (_, curvature)) = jvp(both, &beta, &1.0)?;
    Ok((value.item(), -slope.item(), beta * beta * curvature.item()))
}

fn main() -> common::Outcome {
    let mut args = Args::parse();
    if args.options.smallest {
        (args.chi, args.points) = (args.chi.min(6), args.points.min(5));
    }
    let mut run = Run::start("ising", &args, &args.options)?;
    let trg = Trg { chi: args.chi, steps: args.steps };

    let (ln_z, energy, heat) = thermodynamics(&trg, args.beta)?;
    let exact = onsager(args.beta, 1.0);
    let source = "Onsager 1944, infinite lattice";
    run.result("ln_z_per_site", ln_z).at("beta", args.beta).reference(exact.ln_z_per_site, source).within(1e-3);
    run.result("energy_per_site", energy).at("beta", args.beta).reference(exact.energy_per_site, source);
    run.result("specific_heat_per_site", heat).at("beta", args.beta).reference(exact.specific_heat_per_site, source);

    let mut trace = run.trace(&["temperature", "beta", "ln_z", "energy", "specific_heat"])?;
    let mut found: [Vec<(f64, f64)>; 3] = Default::default();
    for i in progress("temperatures", args.points) {
        let temperature = 1.6 + 1.6 * i as f64 / (args.points.max(2) - 1) as f64;
        let (ln_z, energy, heat) = thermodynamics(&trg, 1.0 / temperature)?;
        trace.row(&[temperature, 1.0 / temperature, ln_z, energy, heat])?;
        found[0].push((temperature, -temperature * ln_z));
        found[1].push((temperature, energy));
        found[2].push((temperature, heat));
    }
    let curve = |f: fn(f64) -> f64| (0..=320).map(|i| 1.6 + 0.005 * i as f64).map(|t| (t, f(t))).collect::<Vec<_>>();
    let exact = [
        curve(|t| -t * onsager(1.0 / t, 1.0).ln_z_per_site),
        curve(|t| onsager(1.0 / t, 1.0).energy_per_site),
        curve(|t| onsager(1.0 / t, 1.0).specific_heat_per_site),
    ];
    let mut figure = Figure::new("Ising model on the square lattice");
    for ((label, found), exact) in ["free energy F / N", "energy E / N", "specific heat C / N"].iter().zip(&found).zip(&exact) {
        let panel = Panel::new("T", label).line("Onsager", exact).points(&format!("TRG, χ = {}", args.chi), found);
        figure = figure.panel(panel.vertical("T_c", 1.0 / critical_beta(1.0)));
    }
    figure.save(run.out(), "thermodynamics")?;
    run.finish()
}
