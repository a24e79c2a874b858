//! Markov chains of the Coulomb gas: moves of one particle at a time (Metropolis et al., J. Chem. Phys. 21, 1087 (1953)).

use super::{CoulombGas, NAME};
use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::kernels::{coulomb::Trap, parallel};
use crate::scalar::Real;
use crate::variational::{Estimate, autocorrelation_time};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;

/// How [`CoulombGas::sample`] runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetropolisOptions {
    /// Independent chains, each from a start of its own. Default 8.
    pub chains: usize,
    /// Sweeps of each chain that are measured; a sweep is one trial move of each particle. Default 20,000.
    pub sweeps: usize,
    /// Sweeps before, in which the length of the moves is tuned. Default 2,000.
    pub burn_in: usize,
    /// The sample of every so many sweeps is returned. Default 20.
    pub keep_every: usize,
    /// Of all random numbers: the same seed gives the same chains at any number of threads. Default 1.
    pub seed: u64,
}

impl Default for MetropolisOptions {
    fn default() -> Self {
        MetropolisOptions { chains: 8, sweeps: 20_000, burn_in: 2_000, keep_every: 20, seed: 1 }
    }
}

/// What the chains found. Errors are one standard deviation and take autocorrelation into account.
#[derive(Clone, Debug)]
pub struct MetropolisRun<T: Real> {
    /// Points of shape (rows, n·d), one chain after the other, each in the order of time.
    pub samples: Var<T>,
    /// ⟨H⟩.
    pub energy: Estimate,
    /// ⟨g Σ 1/r⟩.
    pub repulsion: Estimate,
    /// ⟨c Σ x²⟩.
    pub trap: Estimate,
    /// The variance of H.
    pub variance: f64,
    /// The fraction of moves that were accepted.
    pub acceptance: f64,
    /// The integrated autocorrelation time of H in sweeps, ½ for independent sweeps: the mean over the chains.
    pub autocorrelation_time: f64,
    /// The standard deviation of the moves of each coordinate, the mean over the chains.
    pub step: f64,
    /// √ of the variance between the chains' means of H over that which their errors let expect: about 1 if they agree.
    pub disagreement: f64,
}

struct Chain {
    samples: Vec<f64>,
    repulsion: Vec<f64>,
    trap: Vec<f64>,
    accepted: usize,
    step: f64,
}

/// The fraction of moves that tuning aims at.
const TARGET_ACCEPTANCE: f64 = 0.4;
/// Sweeps between two changes of the step.
const TUNE_EVERY: usize = 20;

fn run_chain(trap: Trap, beta: f64, o: &MetropolisOptions, chain: usize) -> Chain {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&o.seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&(chain as u64).to_le_bytes());
    let mut rng = StdRng::from_seed(bytes);
    let (n, d) = (trap.particles, trap.dim);
    // about as wide as the gas: repulsion alone, or temperature alone, would give these radii
    let width = (0.5 / (beta * trap.confinement)).sqrt().max((trap.coupling * n as f64 / trap.confinement).cbrt() / 2.0);
    let mut normal = || rng.sample::<f64, _>(StandardNormal);
    let mut x: Vec<f64> = (0..n * d).map(|_| width * normal()).collect();
    let mut step = 0.5 * width / (n as f64).sqrt();
    let mut at = vec![0.0; d];
    let mut found = Chain { samples: Vec::new(), repulsion: Vec::new(), trap: Vec::new(), accepted: 0, step };
    let (mut recent, total) = (0, o.burn_in + o.sweeps);
    for sweep in 0..total {
        let mut accepted = 0;
        for i in 0..n {
            for (at, x) in at.iter_mut().zip(&x[i * d..(i + 1) * d]) {
                *at = x + step * rng.sample::<f64, _>(StandardNormal);
            }
            let change = trap.of_particle(&x, i, &at) - trap.of_particle(&x, i, &x[i * d..(i + 1) * d]);
            if change <= 0.0 || rng.random::<f64>() < (-beta * change).exp() {
                x[i * d..(i + 1) * d].copy_from_slice(&at);
                accepted += 1;
            }
        }
        if sweep < o.burn_in {
            recent += accepted;
            if (sweep + 1).is_multiple_of(TUNE_EVERY) {
                let rate = recent as f64 / (TUNE_EVERY * n) as f64;
                step *= (rate - TARGET_ACCEPTANCE).exp();
                recent = 0;
            }
            continue;
        }
        found.accepted += accepted;
        let (repulsion, confinement) = trap.parts(&x);
        found.repulsion.push(repulsion);
        found.trap.push(confinement);
        if (sweep - o.burn_in).is_multiple_of(o.keep_every) {
            found.samples.extend_from_slice(&x);
        }
    }
    found.step = step;
    found
}

/// The mean over chains of equal length, with the error of independent ones.
fn pooled(chains: &[Vec<f64>]) -> (Estimate, f64) {
    let each: Vec<Estimate> = chains.iter().map(|c| Estimate::of_chain(c)).collect();
    let m = each.len() as f64;
    let mean = each.iter().map(|e| e.mean).sum::<f64>() / m;
    let error = each.iter().map(|e| e.error * e.error).sum::<f64>().sqrt() / m;
    let between = each.iter().map(|e| (e.mean - mean).powi(2)).sum::<f64>() / (m - 1.0).max(1.0);
    let expected = each.iter().map(|e| e.error * e.error).sum::<f64>() / m;
    (Estimate { mean, error }, (between / expected).sqrt())
}

impl CoulombGas {
    /// Samples of e^{−βH}/Z and averages over them: Metropolis moves of single particles by normal steps, tuned during the burn-in to an
    /// acceptance near 40 % and constant after it.
    ///
    /// ```
    /// use pullback::physics::coulomb::{CoulombGas, MetropolisOptions};
    /// // without repulsion ⟨H⟩ = nd/(2β)
    /// let ideal = CoulombGas::new(3, 2, 0.5)?.with_coupling(0.0)?;
    /// let run = ideal.sample::<f64>(2.0, &MetropolisOptions { sweeps: 2000, ..Default::default() })?;
    /// assert!((run.energy.mean - 1.5).abs() < 5.0 * run.energy.error);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Argument` for a β that is not positive, or options of 0.
    pub fn sample<T: Real>(&self, beta: f64, options: &MetropolisOptions) -> Result<MetropolisRun<T>> {
        if !(beta > 0.0 && beta.is_finite()) {
            return Err(Error::argument(NAME, format!("β must be positive and finite, got {beta}")));
        }
        if options.chains == 0 || options.sweeps < 2 || options.keep_every == 0 {
            return Err(Error::argument(
                NAME,
                format!("chains and `keep_every` must be at least 1 and sweeps at least 2, got {options:?}"),
            ));
        }
        let trap = self.trap;
        let chains = parallel::collect(options.chains, |chain| run_chain(trap, beta, options, chain));
        let energies: Vec<Vec<f64>> = chains.iter().map(|c| c.repulsion.iter().zip(&c.trap).map(|(r, t)| r + t).collect()).collect();
        let (energy, disagreement) = pooled(&energies);
        let all = energies.len() * options.sweeps;
        let variance = energies.iter().flatten().map(|e| (e - energy.mean).powi(2)).sum::<f64>() / (all - 1) as f64;
        let mean = |f: &dyn Fn(&Chain) -> f64| chains.iter().map(f).sum::<f64>() / chains.len() as f64;
        let times = energies.iter().map(|e| autocorrelation_time(e)).sum::<f64>() / energies.len() as f64;
        let numbers: Vec<T> = chains.iter().flat_map(|c| c.samples.iter().map(|x| T::from_f64(*x))).collect();
        let columns = trap.particles * trap.dim;
        Ok(MetropolisRun {
            samples: Var::from_shape_vec(&[numbers.len() / columns, columns], numbers)?,
            energy,
            repulsion: pooled(&chains.iter().map(|c| c.repulsion.clone()).collect::<Vec<_>>()).0,
            trap: pooled(&chains.iter().map(|c| c.trap.clone()).collect::<Vec<_>>()).0,
            variance,
            acceptance: mean(&|c| c.accepted as f64) / (options.sweeps * trap.particles) as f64,
            autocorrelation_time: times,
            step: mean(&|c| c.step),
            disagreement,
        })
    }
}
