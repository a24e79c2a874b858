//! Shots: outcomes drawn from a state, and estimates from them.

use super::pauli::{Pauli, PauliString, PauliSum};
use super::state::{Precision, StateVector};
use super::tree::Circuit;
use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::random::weighted_choice;
use rand::Rng;
use std::collections::BTreeMap;

/// A mean over shots with its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean.
    pub value: f64,
    /// One standard deviation of the mean.
    pub error: f64,
}

impl<R: Precision> StateVector<R> {
    /// Outcomes of `shots` measurements of all qubits: indices of basis states, bit q the outcome of qubit q. The same seed gives the same
    /// outcomes at any number of threads.
    ///
    /// ```
    /// use pullback::circuit::{Circuit, StateVector};
    /// use rand::{SeedableRng, rngs::StdRng};
    /// let mut bell = Circuit::new(2);
    /// bell.h(0)?.cnot(0, 1)?;
    /// let psi: StateVector = bell.state(&vec![].into())?;
    /// let shots = psi.sample(1000, &mut StdRng::seed_from_u64(1))?;
    /// assert!(shots.iter().all(|&s| s == 0b00 || s == 0b11));
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the state is a batch, or its amplitudes are zero or not finite.
    pub fn sample(&self, shots: usize, rng: &mut dyn Rng) -> Result<Vec<usize>> {
        const NAME: &str = "StateVector::sample";
        if self.batch().is_some() {
            return Err(Error::shape(NAME, format!("amplitudes of shape {:?}: one state at a time", self.amplitudes().shape())));
        }
        let p: Vec<f64> = self.probabilities().as_slice().iter().map(|p| p.to_f64()).collect();
        if !p.iter().all(|p| p.is_finite()) || p.iter().all(|p| *p == 0.0) {
            return Err(Error::non_finite(NAME, "the amplitudes are all zero or not finite: there is nothing to draw from"));
        }
        weighted_choice(rng, &p, shots)
    }

    /// How often each outcome occurs in `shots` measurements.
    ///
    /// # Errors
    /// As [`sample`](StateVector::sample).
    pub fn counts(&self, shots: usize, rng: &mut dyn Rng) -> Result<BTreeMap<usize, usize>> {
        let mut counts = BTreeMap::new();
        for outcome in self.sample(shots, rng)? {
            *counts.entry(outcome).or_insert(0) += 1;
        }
        Ok(counts)
    }

    /// ⟨H⟩ from measurements alone, as a device would give it: strings that can be measured together share `shots` shots.
    ///
    /// # Errors
    /// As [`sample`](StateVector::sample), if H acts on more qubits than there are, or if there are fewer than 2 shots.
    pub fn estimate(&self, h: &PauliSum, shots: usize, rng: &mut dyn Rng) -> Result<Estimate> {
        const NAME: &str = "StateVector::estimate";
        if h.qubits() > self.qubits() {
            return Err(Error::argument(NAME, format!("the operator acts on qubit {}, the state has {}", h.qubits() - 1, self.qubits())));
        }
        if shots < 2 {
            return Err(Error::argument(NAME, format!("{shots} shots: at least 2, for a mean and its error")));
        }
        let psi = StateVector::<R>::unnormalized(self.amplitudes().stop_gradient())?;
        let (mut value, mut variance) = (0.0, 0.0);
        for (basis, terms) in h.measurement_groups() {
            if basis == PauliString::IDENTITY {
                value += terms.iter().map(|(c, _)| c).sum::<f64>();
                continue;
            }
            let mut rotate = Circuit::new(self.qubits());
            for (q, p) in basis.factors() {
                match p {
                    Pauli::X => rotate.h(q)?,
                    Pauli::Y => rotate.gate(super::Gate::Sdg, &[q])?.h(q)?,
                    Pauli::Z => &mut rotate,
                };
            }
            let outcomes = rotate.run(&Var::zeros(&[0]), &psi)?.sample(shots, rng)?;
            let energy = |outcome: &usize| -> f64 {
                let sign = |p: &PauliString| 1.0 - 2.0 * f64::from(((p.x | p.z) & *outcome as u64).count_ones() & 1);
                terms.iter().map(|(c, p)| c * sign(p)).sum()
            };
            let energies: Vec<f64> = outcomes.iter().map(energy).collect();
            let mean = energies.iter().sum::<f64>() / shots as f64;
            value += mean;
            variance += energies.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / (shots * (shots - 1)) as f64;
        }
        Ok(Estimate { value, error: variance.sqrt() })
    }
}

/// A string and the terms that its measurement gives.
type Group = (PauliString, Vec<(f64, PauliString)>);

impl PauliSum {
    /// The terms in groups that one measurement of single qubits gives: in a group, strings agree on each qubit where both act. Beside each
    /// group the string to measure. (Greedily, the longest strings first; the identity is a group of its own.)
    pub fn measurement_groups(&self) -> Vec<Group> {
        let mut terms: Vec<(f64, PauliString)> = self.terms().collect();
        terms.sort_by_key(|(_, p)| std::cmp::Reverse(p.weight()));
        let mut groups: Vec<Group> = Vec::new();
        for (c, p) in terms {
            let support = p.x | p.z;
            let agrees = |basis: &PauliString| {
                let both = support & (basis.x | basis.z);
                (basis.x ^ p.x) & both == 0 && (basis.z ^ p.z) & both == 0
            };
            let place = groups.iter_mut().find(|(basis, _)| {
                if support == 0 { *basis == PauliString::IDENTITY } else { *basis != PauliString::IDENTITY && agrees(basis) }
            });
            match place {
                Some((basis, members)) => {
                    basis.x |= p.x;
                    basis.z |= p.z;
                    members.push((c, p));
                }
                None => groups.push((p, vec![(c, p)])),
            }
        }
        groups
    }
}
