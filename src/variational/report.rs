//! Free energies of a trained model.

use super::density::Density;
use super::estimate::Estimate;
use super::objective::check_rows;
use super::target::{Target, check_dim, energies};
use crate::nn::Params;
use crate::{Error, Real, Result, Var};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::fmt;

/// Samples in one evaluation of the model, unless told otherwise.
const CHUNK: usize = 1024;

/// What n samples of a model q say of a target e^{−βE}/Z. All errors are one standard deviation.
#[derive(Clone, Debug, PartialEq)]
pub struct FreeEnergyReport {
    /// β.
    pub beta: f64,
    /// The number of samples.
    pub samples: usize,
    /// F_q = ⟨ln q + βE⟩_q/β, an upper bound of F = −ln Z/β.
    pub free_energy: Estimate,
    /// −ln⟨w⟩_q/β with w = e^{−βE}/q: F itself as n grows. The error is that of ln⟨w⟩ to first order; where the effective sample size is a
    /// few per cent or less, rare large weights are missing from both.
    pub free_energy_importance_sampled: Estimate,
    /// (Σw)²/(n Σw²), from 1/n to 1: 1 if q is the target.
    pub effective_sample_size: f64,
    /// ⟨E⟩_q.
    pub mean_energy: Estimate,
    /// Σ wE/Σ w, the target's ⟨E⟩ as n grows.
    pub mean_energy_importance_sampled: Estimate,
    /// S = −⟨ln q⟩_q.
    pub entropy: Estimate,
    /// The variance of ln q + βE under q: 0 if q is the target.
    pub variance: f64,
}

/// ln q and E of samples, in double precision.
pub(super) struct Samples {
    pub(super) log_q: Vec<f64>,
    pub(super) energy: Vec<f64>,
}

impl Samples {
    fn new() -> Self {
        Samples { log_q: Vec::new(), energy: Vec::new() }
    }

    /// Appends, and refuses what is not finite.
    fn push<T: Real>(&mut self, operation: &'static str, log_q: &Var<T>, energy: &Var<T>) -> Result<()> {
        for (what, values, out) in [("ln q", log_q, &mut self.log_q), ("the energy", energy, &mut self.energy)] {
            let first = out.len();
            out.extend(values.as_slice().iter().map(|x| x.to_f64()));
            if let Some(i) = (first..out.len()).find(|&i| !out[i].is_finite()) {
                return Err(Error::non_finite(operation, format!("{what} of sample {i} is {}", out[i])));
            }
        }
        Ok(())
    }

    /// ln q + βE.
    fn works(&self, beta: f64) -> Vec<f64> {
        self.log_q.iter().zip(&self.energy).map(|(l, e)| l + beta * e).collect()
    }
}

/// Draws n samples, `chunk` at a time, and hands each chunk to `each`.
pub(super) fn draw<T: Real, D: Density<T>>(
    operation: &'static str,
    (model, p, target): (&D, &Params<T>, &dyn Target<T>),
    n: usize,
    chunk: usize,
    seed: u64,
    each: &mut dyn FnMut(&Var<T>),
) -> Result<Samples> {
    check_dim(operation, model.dim(), target.dim())?;
    if n == 0 || chunk == 0 {
        return Err(Error::argument(operation, format!("{n} samples in chunks of {chunk}: both must be positive")));
    }
    let (mut rng, mut samples) = (StdRng::seed_from_u64(seed), Samples::new());
    let p = p.stop_gradient();
    while samples.energy.len() < n {
        let noise = model.noise(chunk.min(n - samples.energy.len()), &mut rng)?;
        let (x, log_q) = model.rsample(&p, &noise)?;
        samples.push(operation, &log_q, &energies(target, &x)?)?;
        each(&x);
    }
    Ok(samples)
}

pub(super) fn check_beta(operation: &'static str, beta: f64) -> Result<()> {
    if beta > 0.0 && beta.is_finite() {
        return Ok(());
    }
    Err(Error::argument(operation, format!("β must be positive and finite, got {beta}")))
}

/// Reports on a model with n samples drawn from the seed.
///
/// # Errors
/// Those of the model and the target; [`Error::NonFinite`] for a sample whose ln q or energy is not finite, naming it;
/// [`Error::Argument`] for no samples or a β that is not positive.
pub fn free_energy<T: Real, D: Density<T>>(
    model: &D,
    p: &Params<T>,
    target: &dyn Target<T>,
    beta: f64,
    n: usize,
    seed: u64,
) -> Result<FreeEnergyReport> {
    free_energy_with(model, p, target, beta, n, seed, CHUNK, &mut |_| {})
}

/// As [`free_energy`], with `chunk` samples evaluated at a time; `each` sees the samples of every chunk.
///
/// # Errors
/// As [`free_energy`].
#[allow(clippy::too_many_arguments)]
pub fn free_energy_with<T: Real, D: Density<T>>(
    model: &D,
    p: &Params<T>,
    target: &dyn Target<T>,
    beta: f64,
    n: usize,
    seed: u64,
    chunk: usize,
    each: &mut dyn FnMut(&Var<T>),
) -> Result<FreeEnergyReport> {
    check_beta("free_energy", beta)?;
    Ok(report(&draw("free_energy", (model, p, target), n, chunk, seed, each)?, beta))
}

fn report(samples: &Samples, beta: f64) -> FreeEnergyReport {
    let n = samples.energy.len() as f64;
    let works = samples.works(beta);
    let total = Estimate::independent(&works);
    let least = works.iter().copied().fold(f64::INFINITY, f64::min);
    let weights: Vec<f64> = works.iter().map(|w| (least - w).exp()).collect();
    let (sum, squares) = (weights.iter().sum::<f64>(), weights.iter().map(|w| w * w).sum::<f64>());
    let effective = sum * sum / (n * squares);
    // the relative variance of the mean weight is (⟨w²⟩/⟨w⟩² − 1)/n
    let log_error = ((1.0 / effective - 1.0).max(0.0) / n).sqrt();
    let energy = samples.energy.iter().zip(&weights).map(|(e, w)| e * w).sum::<f64>() / sum;
    let spread = samples.energy.iter().zip(&weights).map(|(e, w)| (w * (e - energy)).powi(2)).sum::<f64>().sqrt() / sum;
    FreeEnergyReport {
        beta,
        samples: works.len(),
        free_energy: total.scaled(1.0 / beta),
        free_energy_importance_sampled: Estimate { mean: (least - (sum / n).ln()) / beta, error: log_error / beta },
        effective_sample_size: effective,
        mean_energy: Estimate::independent(&samples.energy),
        mean_energy_importance_sampled: Estimate { mean: energy, error: spread },
        entropy: Estimate::independent(&samples.log_q).scaled(-1.0),
        variance: total.error.powi(2) * n,
    }
}

impl fmt::Display for FreeEnergyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} samples at β = {}", self.samples, self.beta)?;
        writeln!(f, "F (upper bound)        {}", self.free_energy)?;
        writeln!(f, "F (importance sampled) {}", self.free_energy_importance_sampled)?;
        writeln!(f, "⟨E⟩                    {}, reweighted {}", self.mean_energy, self.mean_energy_importance_sampled)?;
        writeln!(f, "S                      {}", self.entropy)?;
        writeln!(f, "effective sample size  {:.2} %", 100.0 * self.effective_sample_size)?;
        write!(f, "Var(ln q + βE)         {:.4}", self.variance)
    }
}

/// F = −ln Z/β from both sides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// ⟨ln q + βE⟩_p/β over samples of the target p: F − KL(p‖q)/β.
    pub lower: Estimate,
    /// ⟨ln q + βE⟩_q/β over samples of the model: F + KL(q‖p)/β.
    pub upper: Estimate,
}

/// Encloses F with n samples of the model and given samples of the target, of shape (rows, dim) and in the order of their Markov chain:
/// the error of the lower bound takes their autocorrelation into account.
///
/// # Errors
/// As [`free_energy`]; [`Error::Shape`] and [`Error::NonFinite`] for the target's samples, naming the row.
pub fn bounds<T: Real, D: Density<T>>(
    model: &D,
    p: &Params<T>,
    target: &dyn Target<T>,
    beta: f64,
    samples_of_target: &Var<T>,
    n: usize,
    seed: u64,
) -> Result<Bounds> {
    let upper = free_energy(model, p, target, beta, n, seed)?.free_energy;
    bounds_with(model, p, target, beta, samples_of_target, upper, CHUNK)
}

/// As [`bounds`] with an upper bound that is known already, `chunk` samples evaluated at a time.
///
/// # Errors
/// As [`bounds`].
pub fn bounds_with<T: Real, D: Density<T>>(
    model: &D,
    p: &Params<T>,
    target: &dyn Target<T>,
    beta: f64,
    samples_of_target: &Var<T>,
    upper: Estimate,
    chunk: usize,
) -> Result<Bounds> {
    check_beta("bounds", beta)?;
    check_dim("bounds", model.dim(), target.dim())?;
    check_rows("bounds", samples_of_target, model.dim())?;
    let (rows, p, mut samples) = (samples_of_target.shape()[0], p.stop_gradient(), Samples::new());
    if rows == 0 || chunk == 0 {
        return Err(Error::argument("bounds", format!("{rows} samples of the target in chunks of {chunk}: both must be positive")));
    }
    for start in (0..rows).step_by(chunk) {
        let x = samples_of_target.slice(crate::ops::s![start..rows.min(start + chunk), ..]);
        samples.push("bounds", &model.log_prob(&p, &x)?, &energies(target, &x)?)?;
    }
    Ok(Bounds { lower: Estimate::of_chain(&samples.works(beta)).scaled(1.0 / beta), upper })
}
