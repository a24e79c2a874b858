//! The free energy of the Coulomb gas by thermodynamic integration: the reference of the example `coulomb_gas`.

#[path = "../common/mod.rs"]
mod common;

use clap::Parser;
use common::plot::{Figure, Panel};
use common::{Options, Run};
use pullback::physics::coulomb::{CoulombGas, IntegrationOptions, MetropolisOptions};

/// F = −ln Z/β of n charges in a parabolic trap, H = g Σ_{i<j} 1/r + c Σ x² at g = 1, from that of the ideal gas: dF/dg = ⟨Σ 1/r⟩_g, integrated over
/// g = s³ by Gauss–Legendre quadrature, with Markov chains at each node. For two charges F is also an integral over their distance. The
/// default takes a minute or two; its result is the reference of the example coulomb_gas.
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
    /// Nodes of the quadrature
    #[arg(long, default_value_t = 16)]
    nodes: usize,
    /// Sweeps of each of eight Markov chains at each node
    #[arg(long, default_value_t = 60_000)]
    sweeps: usize,
    #[command(flatten)]
    #[serde(flatten)]
    options: Options,
}

fn main() -> common::Outcome {
    let mut args = Args::parse();
    if args.options.smallest {
        (args.particles, args.nodes, args.sweeps) = (2, 8, 4000);
    }
    let mut run = Run::start("coulomb_gas_reference", &args, &args.options)?;
    let gas = CoulombGas::new(args.particles, args.dim, args.confinement)?;
    let metropolis = MetropolisOptions {
        sweeps: args.sweeps,
        burn_in: args.sweeps / 10,
        keep_every: args.sweeps,
        seed: args.options.seed,
        ..Default::default()
    };
    let found = gas.free_energy_by_integration(args.beta, &IntegrationOptions { nodes: args.nodes, metropolis })?;
    let mut trace = run.trace(&["coupling", "repulsion", "error"])?;
    for (g, repulsion) in &found.repulsion {
        trace.row(&[*g, repulsion.mean, repulsion.error])?;
    }
    let f = found.free_energy;
    let quantity = run.result("free_energy", f.mean).error(f.error);
    if args.particles == 2 {
        let exact = gas.exact_two_particles(args.beta)?.0;
        quantity.reference(exact, "quadrature over the distance").within(5.0 * f.error);
    }
    run.result("quadrature_tail", found.tail).reference(0.0, "Legendre coefficients of the integrand decay").within(0.05);
    let points: Vec<_> = found.repulsion.iter().map(|(g, a)| (*g, a.mean, a.error)).collect();
    Figure::new("Thermodynamic integration")
        .panel(Panel::new("coupling g", "⟨Σ 1/r⟩").points_with_errors("", &points))
        .save(run.out(), "integrand")?;
    run.finish()
}
