//! Noise: channels ρ ↦ Σ_k K_k ρ K_k†.

use super::matrix;
use super::pauli::Pauli;
use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::ops::{kron, stack};
use num_complex::Complex;
use std::f64::consts::FRAC_1_SQRT_2;

type C = Complex<f64>;

/// How far Σ K†K may be from 1, in its largest entry.
const TRACE: f64 = 1e-10;

/// A completely positive map that keeps the trace, by its Kraus operators (Nielsen and Chuang, §8.3); differentiable in them.
///
/// ```
/// use pullback::circuit::{Channel, DensityMatrix};
/// let rho = DensityMatrix::zero(1)?.channel(&Channel::depolarizing(1, 0.3)?, &[0])?;
/// assert!((rho.probabilities().as_slice()[1] - 0.15).abs() < 1e-15);
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Channel {
    qubits: usize,
    kraus: Vec<Var<C>>,
}

fn probability(operation: &'static str, p: f64) -> Result<()> {
    if (0.0..=1.0).contains(&p) { Ok(()) } else { Err(Error::argument(operation, format!("{p}: expected a probability, from 0 to 1"))) }
}

fn single(operation: &'static str, entries: &[[[f64; 2]; 2]]) -> Result<Channel> {
    let kraus = entries.iter().map(|m| Var::from(ndarray::Array2::from_shape_fn((2, 2), |(i, j)| C::new(m[i][j], 0.0))));
    Channel::checked(operation, kraus.collect())
}

impl Channel {
    /// From Kraus operators of shape \[2ᵏ, 2ᵏ\], the first qubit the lowest bit.
    ///
    /// # Errors
    /// If there are none, shapes differ or are others, k is not from 1 to 3, an entry is not finite, or the trace is not kept (the error says
    /// how far Σ K†K is from 1).
    pub fn kraus(operators: Vec<Var<C>>) -> Result<Channel> {
        Channel::checked("Channel::kraus", operators)
    }

    fn checked(operation: &'static str, kraus: Vec<Var<C>>) -> Result<Channel> {
        let Some(first) = kraus.first() else { return Err(Error::argument(operation, "no Kraus operators: at least one")) };
        let n = first.shape().first().copied().unwrap_or(0);
        if !n.is_power_of_two() || !(2..=8).contains(&n) || kraus.iter().any(|k| k.shape() != [n, n]) {
            let shapes: Vec<_> = kraus.iter().map(|k| k.shape().to_vec()).collect();
            return Err(Error::shape(operation, format!("operators of shapes {shapes:?}: expected all [2ᵏ, 2ᵏ] with k from 1 to 3")));
        }
        if let Some(k) = kraus.iter().position(|k| k.as_slice().iter().any(|z| !z.is_finite())) {
            return Err(Error::non_finite(operation, format!("operator {k} has an entry that is not finite")));
        }
        let sum = kraus.iter().map(|k| k.stop_gradient()).map(|k| k.h().matmul(k)).reduce(|a, b| a + b).expect("at least one");
        let off = (sum - Var::eye(n)).abs().max().item();
        if off > TRACE {
            let message = format!("the trace is not kept: the largest entry of Σ K†K − 1 is {off:.3e}");
            return Err(Error::argument(operation, message));
        }
        Ok(Channel { qubits: n.trailing_zeros() as usize, kraus })
    }

    /// With probability p the qubits forget everything: ρ ↦ (1 − p) ρ + p Tr(ρ)/2ᵏ, for k = 1, 2 or 3 qubits.
    ///
    /// # Errors
    /// If p is not from 0 to 1, or there are 0 or more than 3 qubits.
    pub fn depolarizing(qubits: usize, p: f64) -> Result<Channel> {
        const NAME: &str = "Channel::depolarizing";
        probability(NAME, p)?;
        if !(1..=3).contains(&qubits) {
            return Err(Error::argument(NAME, format!("{qubits} qubits: from 1 to 3")));
        }
        // all Pauli strings with equal weights give Tr(ρ)/2ᵏ
        let strings = 4usize.pow(qubits as u32);
        let share = p / strings as f64;
        let kraus = (0..strings).map(|s| {
            let letters = (0..qubits).map(|q| match s >> (2 * q) & 3 {
                0 => Var::eye(2),
                1 => matrix::pauli(Pauli::X),
                2 => matrix::pauli(Pauli::Y),
                _ => matrix::pauli(Pauli::Z),
            });
            let weight = if s == 0 { 1.0 - p + share } else { share };
            letters.reduce(|low, high| kron(&high, &low)).expect("at least one qubit") * C::new(weight.sqrt(), 0.0)
        });
        Channel::checked(NAME, kraus.collect())
    }

    /// A 1 decays to 0 with probability γ.
    ///
    /// # Errors
    /// If γ is not from 0 to 1.
    pub fn amplitude_damping(gamma: f64) -> Result<Channel> {
        const NAME: &str = "Channel::amplitude_damping";
        probability(NAME, gamma)?;
        single(NAME, &[[[1.0, 0.0], [0.0, (1.0 - gamma).sqrt()]], [[0.0, gamma.sqrt()], [0.0, 0.0]]])
    }

    /// Coherences shrink by √(1 − λ).
    ///
    /// # Errors
    /// If λ is not from 0 to 1.
    pub fn phase_damping(lambda: f64) -> Result<Channel> {
        const NAME: &str = "Channel::phase_damping";
        probability(NAME, lambda)?;
        single(NAME, &[[[1.0, 0.0], [0.0, (1.0 - lambda).sqrt()]], [[0.0, 0.0], [0.0, lambda.sqrt()]]])
    }

    /// X with probability p.
    ///
    /// # Errors
    /// If p is not from 0 to 1.
    pub fn bit_flip(p: f64) -> Result<Channel> {
        const NAME: &str = "Channel::bit_flip";
        probability(NAME, p)?;
        let (a, b) = ((1.0 - p).sqrt(), p.sqrt());
        single(NAME, &[[[a, 0.0], [0.0, a]], [[0.0, b], [b, 0.0]]])
    }

    /// Z with probability p.
    ///
    /// # Errors
    /// If p is not from 0 to 1.
    pub fn phase_flip(p: f64) -> Result<Channel> {
        const NAME: &str = "Channel::phase_flip";
        probability(NAME, p)?;
        let (a, b) = ((1.0 - p).sqrt(), p.sqrt());
        single(NAME, &[[[a, 0.0], [0.0, a]], [[b, 0.0], [0.0, -b]]])
    }

    /// The qubit is set to 0, whatever it was.
    pub fn reset() -> Channel {
        single("Channel::reset", &[[[1.0, 0.0], [0.0, 0.0]], [[0.0, 1.0], [0.0, 0.0]]]).expect("a channel")
    }

    /// A measurement whose outcome nobody reads.
    pub fn dephasing() -> Channel {
        let a = FRAC_1_SQRT_2;
        single("Channel::dephasing", &[[[a, 0.0], [0.0, a]], [[a, 0.0], [0.0, -a]]]).expect("a channel")
    }

    /// The number of qubits it acts on.
    pub fn qubits(&self) -> usize {
        self.qubits
    }

    /// The Kraus operators.
    pub fn operators(&self) -> &[Var<C>] {
        &self.kraus
    }

    /// Σ_k K_k ⊗ K_k*, of shape \[4ᵏ, 4ᵏ\]: the map on the pair (row, column) of ρ's indices.
    pub(super) fn superoperator(&self) -> Var<C> {
        let terms: Vec<Var<C>> = self.kraus.iter().map(|k| kron(k, &k.conj())).collect();
        stack(&terms, 0).sum_axis(0)
    }
}
