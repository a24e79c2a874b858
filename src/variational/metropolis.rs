//! The model as the proposal of a Metropolis sampler.
//!
//! Proposals x′ ∼ q are independent of the state x and accepted with probability min(1, w(x′)/w(x)), w = e^{−βE}/q: the chain's
//! distribution tends to e^{−βE}/Z whatever q is, as long as q covers it (Hastings, Biometrika 57, 97 (1970), §2.5; for flows Albergo,
//! Kanwar and Shanahan, arXiv:1904.12072).

use super::density::Density;
use super::estimate::{Estimate, autocorrelation_time};
use super::report::{check_beta, draw};
use super::target::Target;
use crate::nn::Params;
use crate::ops::concatenate;
use crate::{Real, Result, Var};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// A run of the independence sampler.
#[derive(Clone, Debug)]
pub struct IndependenceChain<T: Real> {
    /// The states, of shape (n, dim), repeated where a proposal was refused.
    pub samples: Var<T>,
    /// Their energies.
    pub energies: Vec<f64>,
    /// The fraction of proposals that were accepted.
    pub acceptance: f64,
    /// The integrated autocorrelation time of the energy, in steps; ½ if all are independent.
    pub autocorrelation_time: f64,
    /// ⟨E⟩ of the target with an error that takes the autocorrelation into account.
    pub mean_energy: Estimate,
    /// The longest time that the chain stayed in one state: a large one says that q misses a part of the target.
    pub longest_stay: usize,
}

/// Runs the chain for n steps from a first draw of the model.
///
/// # Errors
/// As [`free_energy`](super::free_energy).
pub fn metropolize<T: Real, D: Density<T>>(
    model: &D,
    p: &Params<T>,
    target: &dyn Target<T>,
    beta: f64,
    n: usize,
    seed: u64,
) -> Result<IndependenceChain<T>> {
    check_beta("metropolize", beta)?;
    let mut parts = Vec::new();
    // the first draw is the state that the chain starts from
    let proposals = draw("metropolize", (model, p, target), n + 1, 1024, seed, &mut |x| parts.push(x.clone()))?;
    let log_w = |i: usize| -beta * proposals.energy[i] - proposals.log_q[i];
    let mut rng = StdRng::seed_from_u64(seed ^ 0x9e37_79b9_7f4a_7c15);
    let (mut state, mut places, mut accepted) = (0, Vec::with_capacity(n), 0);
    let (mut stay, mut longest_stay) = (0, 0);
    for i in 1..=n {
        if rng.random::<f64>().ln() < log_w(i) - log_w(state) {
            (state, stay) = (i, 0);
            accepted += 1;
        }
        stay += 1;
        longest_stay = longest_stay.max(stay);
        places.push(state);
    }
    let energies: Vec<f64> = places.iter().map(|&i| proposals.energy[i]).collect();
    Ok(IndependenceChain {
        samples: concatenate(&parts, 0).index_select(&places, 0),
        acceptance: f64::from(accepted) / n.max(1) as f64,
        autocorrelation_time: autocorrelation_time(&energies),
        mean_energy: Estimate::of_chain(&energies),
        energies,
        longest_stay,
    })
}
