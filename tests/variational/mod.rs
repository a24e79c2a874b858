//! Training and its reports, on models and targets that are solved exactly.
mod checkpoints;
mod reports;
mod training;

use pullback::Result;
use pullback::nn::{Param, Params};
use pullback::prelude::*;
use pullback::random;
use pullback::variational::{Density, FnTarget, target};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::f64::consts::TAU;

/// Independent normal densities in each column.
pub struct Bell {
    pub mean: Param,
    pub log_scale: Param,
    dim: usize,
}

impl Bell {
    pub fn new(params: &mut Params<f64>, mean: &[f64], log_scale: &[f64]) -> Self {
        let mut scope = params.scope("bell");
        let array = |x: &[f64]| Var::from(ndarray::Array1::from(x.to_vec()));
        Bell { mean: scope.param("mean", array(mean)), log_scale: scope.param("log_scale", array(log_scale)), dim: mean.len() }
    }
}

impl Density<f64> for Bell {
    type Noise = Var<f64>;
    fn dim(&self) -> usize {
        self.dim
    }
    fn noise(&self, n: usize, rng: &mut dyn Rng) -> Result<Var<f64>> {
        Ok(random::normal(rng, &[n, self.dim]))
    }
    fn rsample(&self, p: &Params<f64>, noise: &Var<f64>) -> Result<(Var<f64>, Var<f64>)> {
        let x = p.get(self.mean) + p.get(self.log_scale).exp() * noise;
        let log_q = (-0.5 * noise.square() - p.get(self.log_scale) - 0.5 * TAU.ln()).sum_axis(1);
        Ok((x, log_q))
    }
    fn log_prob(&self, p: &Params<f64>, x: &Var<f64>) -> Result<Var<f64>> {
        let z = (x - p.get(self.mean)) / p.get(self.log_scale).exp();
        Ok((-0.5 * z.square() - p.get(self.log_scale) - 0.5 * TAU.ln()).sum_axis(1))
    }
}

pub const STIFFNESS: [f64; 2] = [1.0, 4.0];
pub const CENTRE: [f64; 2] = [0.5, -1.0];

/// E = Σ k (x − c)²/2.
pub fn trap() -> FnTarget<f64, impl Fn(&Var<f64>) -> Result<Var<f64>> + Send + Sync> {
    target(2, |x: &Var<f64>| Ok(((x - Var::from(CENTRE)).square() * Var::from(STIFFNESS) * 0.5).sum_axis(1)))
}

/// F = −Σ ln(2π/(βk))/(2β) of the trap.
pub fn trap_free_energy(beta: f64) -> f64 {
    -STIFFNESS.iter().map(|k| (TAU / (beta * k)).ln()).sum::<f64>() / (2.0 * beta)
}

pub fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}
