//! Thermodynamic integration of the Coulomb gas in its coupling: F(1) = F(0) + ∫₀¹ ⟨Σ 1/r⟩_g dg (Kirkwood, J. Chem. Phys. 3, 300 (1935)).
//!
//! In two dimensions ⟨Σ 1/r⟩_g has a term g ln g at g = 0, where two particles may meet; with g = s³ the integrand 3s²⟨Σ 1/r⟩ is smooth enough
//! for Gauss–Legendre quadrature: its Legendre coefficients decay, and how far they have decayed is reported.

use super::{CoulombGas, MetropolisOptions, NAME};
use crate::error::{Error, Result};
use crate::variational::Estimate;

/// How [`CoulombGas::free_energy_by_integration`] runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IntegrationOptions {
    /// Points of the quadrature in s ∈ [0, 1]. Default 16.
    pub nodes: usize,
    /// The chains at each of them; their seeds differ.
    pub metropolis: MetropolisOptions,
}

impl Default for IntegrationOptions {
    fn default() -> Self {
        IntegrationOptions { nodes: 16, metropolis: MetropolisOptions::default() }
    }
}

/// What the integration found.
#[derive(Clone, Debug, PartialEq)]
pub struct FreeEnergy {
    /// F = −ln Z/β with its statistical error.
    pub free_energy: Estimate,
    /// The couplings, and ⟨Σ 1/r⟩ there.
    pub repulsion: Vec<(f64, Estimate)>,
    /// The largest Legendre coefficient of the integrand among the last third that the nodes resolve. The rule is exact for twice as many, so
    /// its error is below this; statistical noise is in it too.
    pub tail: f64,
}

/// P_n(x) and its derivative.
fn legendre(n: usize, x: f64) -> (f64, f64) {
    let (mut p0, mut p1) = (1.0, x);
    for k in 2..=n {
        (p0, p1) = (p1, ((2 * k - 1) as f64 * x * p1 - (k - 1) as f64 * p0) / k as f64);
    }
    if n == 0 { (1.0, 0.0) } else { (p1, n as f64 * (x * p1 - p0) / (x * x - 1.0)) }
}

/// Nodes and weights on [0, 1].
fn gauss_legendre(n: usize) -> Vec<(f64, f64)> {
    (0..n)
        .map(|i| {
            let mut x = (std::f64::consts::PI * (i as f64 + 0.75) / (n as f64 + 0.5)).cos();
            for _ in 0..100 {
                let (p, dp) = legendre(n, x);
                x -= p / dp;
                if (p / dp).abs() < 1e-15 {
                    break;
                }
            }
            let dp = legendre(n, x).1;
            (0.5 * (1.0 - x), 1.0 / ((1.0 - x * x) * dp * dp))
        })
        .collect()
}

impl CoulombGas {
    /// F at this β, with as many Markov chains as options say at each coupling between 0 and the gas's own.
    ///
    /// # Errors
    /// Those of [`CoulombGas::sample`]; `Argument` for fewer than 4 nodes.
    pub fn free_energy_by_integration(&self, beta: f64, options: &IntegrationOptions) -> Result<FreeEnergy> {
        let &IntegrationOptions { nodes, metropolis } = options;
        if nodes < 4 {
            return Err(Error::argument(NAME, format!("at least 4 nodes are needed, got {nodes}")));
        }
        let end = self.trap.coupling;
        let (mut sum, mut variance, mut repulsion) = (self.ideal_free_energy(beta), 0.0, Vec::new());
        let rule = gauss_legendre(nodes);
        for (k, &(s, weight)) in rule.iter().enumerate() {
            let g = end * s.powi(3);
            let seed = metropolis.seed.wrapping_mul(1_000_003).wrapping_add(k as u64);
            let run = self.with_coupling(g)?.sample::<f64>(beta, &MetropolisOptions { seed, ..metropolis })?;
            let found = run.repulsion.scaled(1.0 / g);
            let weight = weight * 3.0 * s * s * end;
            sum += weight * found.mean;
            variance += (weight * found.error).powi(2);
            repulsion.push((g, found));
        }
        let integrand: Vec<f64> = rule.iter().zip(&repulsion).map(|((s, _), (_, a))| 3.0 * s * s * end * a.mean).collect();
        let coefficient = |l: usize| -> f64 {
            let product: f64 = rule.iter().zip(&integrand).map(|((s, w), f)| w * f * legendre(l, 1.0 - 2.0 * s).0).sum();
            (2 * l + 1) as f64 * product
        };
        let tail = (2 * nodes / 3..nodes).map(|l| coefficient(l).abs()).fold(0.0, f64::max);
        Ok(FreeEnergy { free_energy: Estimate { mean: sum, error: variance.sqrt() }, repulsion, tail })
    }
}
