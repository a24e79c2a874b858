//! Distributions of integers and labels.

use super::Discrete;
use super::support::*;
use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::kernels::broadcast::broadcast_shape;
use crate::ops::{Mask, where_};
use crate::random::{fill, standard_gumbel};
use crate::scalar::Real;
use crate::special::{self, Function, call};
use crate::tensor::len_of;
use ndarray::{ArrayD, IxDyn};
use rand::{Rng, RngExt};
use std::f64::consts::PI;

/// The Poisson distribution of mean `rate` ≥ 0.
///
/// The logarithm of its probability is formed without the cancellation of k ln λ − λ − ln k! at large rates.
#[derive(Clone, Debug)]
pub struct Poisson<T: Real> {
    rate: Var<T>,
}

impl<T: Real> Poisson<T> {
    /// From the rate, the mean.
    ///
    /// # Errors
    /// `Argument` if it is negative or not finite.
    pub fn new(rate: impl Into<Var<T>>) -> Result<Self> {
        let rate = rate.into();
        not_negative("poisson", "rate", &rate)?;
        Ok(Poisson { rate })
    }

    /// f(⌊k⌋ + 1, λ) for k ≥ 0, and a constant below.
    fn at(&self, k: &Var<T>, below: f64, function: Function) -> Var<T> {
        inside(k, &k.lt(T::zero()), T::zero(), below, |k| call(function, &[&(k.floor() + T::one()), &self.rate]))
    }
}

/// Where a number is no integer.
fn fractional<T: Real>(k: &Var<T>) -> Mask {
    k.ne_elem(k.floor()) & k.isfinite()
}

impl<T: Real> Discrete<T> for Poisson<T> {
    fn logpmf(&self, k: &Var<T>) -> Var<T> {
        // x^{a−1}e^{−x}/Γ(a) with a = k + 1
        let value = self.at(k, f64::NEG_INFINITY, Function::LnGammaDensity);
        let fractional = fractional(k);
        if fractional.any() { where_(&fractional, -T::INFINITY, value) } else { value }
    }
    fn cdf(&self, k: &Var<T>) -> Var<T> {
        self.at(k, 0.0, Function::Gammaincc)
    }
    fn sf(&self, k: &Var<T>) -> Var<T> {
        self.at(k, 1.0, Function::Gammainc)
    }
    fn logcdf(&self, k: &Var<T>) -> Var<T> {
        self.at(k, f64::NEG_INFINITY, Function::LnGammaincc)
    }
    fn logsf(&self, k: &Var<T>) -> Var<T> {
        self.at(k, 0.0, Function::LnGammainc)
    }
    fn mean(&self) -> Var<T> {
        self.rate.clone()
    }
    fn variance(&self) -> Var<T> {
        self.rate.clone()
    }
    fn entropy(&self) -> Var<T> {
        // λ − λ ln λ + E ln K!, from λ = 1000 on ½ ln 2πeλ − 1/(12λ) − 1/(24λ²) − 19/(360λ³) − 9/(80λ⁴)
        let large = self.rate.gt(c::<T>(LARGE_RATE));
        let small = where_(&large, T::one(), &self.rate);
        let direct = &small - special::xlogy(&small, &small) + call(Function::PoissonMean(0), &[&small]);
        let r = where_(&large, &self.rate, c::<T>(LARGE_RATE)).reciprocal();
        let series = ((r.scale(-9.0 / 80.0) - c::<T>(19.0 / 360.0)) * &r - c::<T>(1.0 / 24.0)) * &r - c::<T>(1.0 / 12.0);
        let asymptotic = series * &r - r.log().scale(0.5) + c::<T>(0.5 + 0.5 * (2.0 * PI).ln());
        where_(&large, asymptotic, direct)
    }
    fn sample(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>> {
        let most = rand_distr::Poisson::<f64>::MAX_LAMBDA;
        if let Some(rate) = self.rate.as_slice().iter().find(|r| r.to_f64() > most) {
            return Err(Error::argument("poisson", format!("a rate of {:e}: draws are given up to {most:e}", rate.to_f64())));
        }
        draw("poisson", rng, shape, &[&self.rate], &|rng, [rate, ..]| {
            if rate == 0.0 { 0.0 } else { rng.sample(rand_distr::Poisson::new(rate).expect("a positive rate in range")) }
        })
    }
}

/// From here on the entropy of the Poisson distribution is its asymptotic series.
const LARGE_RATE: f64 = 1000.0;

/// The Bernoulli distribution: 1 with probability p = 1/(1 + e^{−l}) and 0 otherwise, l the logit.
#[derive(Clone, Debug)]
pub struct Bernoulli<T: Real> {
    logits: Var<T>,
}

impl<T: Real> Bernoulli<T> {
    /// From the logits ln(p/(1−p)); ±∞ are probabilities of 1 and 0.
    ///
    /// # Errors
    /// `Argument` for a NaN.
    pub fn new(logits: impl Into<Var<T>>) -> Result<Self> {
        let logits = logits.into();
        not_nan("bernoulli", "logits", &logits)?;
        Ok(Bernoulli { logits })
    }

    /// From the probabilities of 1. The derivative in a probability of 0 or 1 is infinite or NaN.
    ///
    /// # Errors
    /// `Argument` for a probability outside [0, 1].
    pub fn from_probs(probs: impl Into<Var<T>>) -> Result<Self> {
        let probs = probs.into();
        probability("bernoulli", "probs", &probs)?;
        Ok(Bernoulli { logits: special::logit(&probs) })
    }

    /// The probability of 1.
    pub fn probs(&self) -> Var<T> {
        special::expit(&self.logits)
    }

    /// Three values by where k lies: below 0, in [0, 1), from 1 on.
    fn steps(&self, k: &Var<T>, below: f64, between: Var<T>, above: f64) -> Var<T> {
        where_(&k.lt(T::zero()), c::<T>(below), where_(&k.ge(T::one()), c::<T>(above), between + (k - k)))
    }
}

impl<T: Real> Discrete<T> for Bernoulli<T> {
    fn logpmf(&self, k: &Var<T>) -> Var<T> {
        let (one, zero) = (k.eq_elem(T::one()), k.eq_elem(T::zero()));
        let elsewhere = where_(&k.isnan(), T::NAN, k.zeros_like() - T::INFINITY);
        let value = where_(&one, special::log_expit(&self.logits), special::log_expit(&-&self.logits));
        where_(&(one | zero), value, elsewhere)
    }
    fn cdf(&self, k: &Var<T>) -> Var<T> {
        self.steps(k, 0.0, special::expit(&-&self.logits), 1.0)
    }
    fn sf(&self, k: &Var<T>) -> Var<T> {
        self.steps(k, 1.0, self.probs(), 0.0)
    }
    fn logcdf(&self, k: &Var<T>) -> Var<T> {
        self.steps(k, f64::NEG_INFINITY, special::log_expit(&-&self.logits), 0.0)
    }
    fn logsf(&self, k: &Var<T>) -> Var<T> {
        self.steps(k, 0.0, special::log_expit(&self.logits), f64::NEG_INFINITY)
    }
    fn mean(&self) -> Var<T> {
        self.probs()
    }
    fn variance(&self) -> Var<T> {
        self.probs() * special::expit(&-&self.logits)
    }
    fn entropy(&self) -> Var<T> {
        // p softplus(−l) + (1−p) softplus(l), each 0·∞ = 0 at l = ±∞
        let certain = !self.logits.isfinite();
        inside(&self.logits, &certain, T::zero(), 0.0, |l| special::expit(l) * (-l).softplus() + special::expit(&-l) * l.softplus())
    }
    fn sample(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>> {
        draw("bernoulli", rng, shape, &[&self.logits], &|rng, [logit, ..]| {
            // u < p: as 1/u − 1 > e^{−l}, which holds where p rounds to 1 or is tiny
            let u: f64 = rng.random();
            f64::from(u8::from((-u).ln_1p() - u.ln() > -logit))
        })
    }
}

/// The categorical distribution over the K labels of the last axis, with probabilities proportional to e^{logit}.
#[derive(Clone, Debug)]
pub struct Categorical<T: Real> {
    /// ln p, normalised.
    log_probs: Var<T>,
}

impl<T: Real> Categorical<T> {
    /// From logits (…, K), up to a constant for each distribution; −∞ is a probability of 0.
    ///
    /// # Errors
    /// `Shape` without a last axis of at least one label; `Argument` for a NaN or +∞, or where all logits are −∞.
    pub fn new(logits: impl Into<Var<T>>) -> Result<Self> {
        let logits = logits.into();
        let Some(&labels @ 1..) = logits.shape().last() else {
            return Err(Error::shape("categorical", format!("logits of shape {:?}: need a last axis of labels", logits.shape())));
        };
        for (i, row) in logits.as_slice().chunks(labels).enumerate() {
            let good = row.iter().all(|l| *l < T::INFINITY) && row.iter().any(|l| *l > -T::INFINITY);
            if !good {
                let message = format!("the logits {row:?} of distribution {i}: they must be below +∞ and one of them finite");
                return Err(Error::argument("categorical", message));
            }
        }
        Ok(Categorical { log_probs: logits.log_softmax(-1) })
    }

    /// From probabilities (…, K), which are normalised.
    ///
    /// # Errors
    /// As [`new`](Categorical::new); `Argument` for a negative probability.
    pub fn from_probs(probs: impl Into<Var<T>>) -> Result<Self> {
        let probs = probs.into();
        not_negative("categorical", "probs", &probs)?;
        Categorical::new(probs.log())
    }

    fn labels(&self) -> usize {
        *self.log_probs.shape().last().expect("checked")
    }

    fn batch(&self) -> &[usize] {
        &self.log_probs.shape()[..self.log_probs.ndim() - 1]
    }

    /// ln p of every label, (…, K).
    pub fn log_probs(&self) -> &Var<T> {
        &self.log_probs
    }

    /// The probabilities of all labels, (…, K).
    pub fn probs(&self) -> Var<T> {
        self.log_probs.exp()
    }

    /// ln p of the given labels, whose shape broadcasts against the distributions'.
    ///
    /// # Errors
    /// `Shape` if it does not, `Argument` for a label that there is not.
    pub fn logpmf(&self, labels: &ArrayD<usize>) -> Result<Var<T>> {
        let k = self.labels();
        if let Some(label) = labels.iter().find(|l| **l >= k) {
            return Err(Error::argument("categorical", format!("label {label} of {k}: labels count from 0")));
        }
        let Some(shape) = broadcast_shape(labels.shape(), self.batch()) else {
            let message =
                format!("labels of shape {:?} for distributions of shape {:?}: they do not broadcast", labels.shape(), self.batch());
            return Err(Error::shape("categorical", message));
        };
        let labels = labels.broadcast(IxDyn(&shape)).expect("checked").to_owned().insert_axis(ndarray::Axis(shape.len()));
        let table = self.log_probs.broadcast_to(&[&shape[..], &[k]].concat());
        Ok(table.take_along_axis(&labels, -1).reshape(&shape))
    }

    /// The probabilities of the given labels.
    ///
    /// # Errors
    /// As [`logpmf`](Categorical::logpmf).
    pub fn pmf(&self, labels: &ArrayD<usize>) -> Result<Var<T>> {
        Ok(self.logpmf(labels)?.exp())
    }

    /// The entropy −Σ p ln p in nats, at the shape of the distributions. A label of probability 0 adds nothing.
    pub fn entropy(&self) -> Var<T> {
        let never = self.log_probs.eq_elem(-T::INFINITY);
        let term = inside(&self.log_probs, &never, T::zero(), 0.0, |l| l.exp() * l);
        -term.sum_axis(-1)
    }

    /// Labels, at a shape that ends in the distributions' shape or that it broadcasts to: the largest of ln p + Gumbel noise.
    ///
    /// # Errors
    /// `Shape` if the distributions do not broadcast to it.
    pub fn sample(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<ArrayD<usize>> {
        if broadcast_shape(self.batch(), shape).is_none_or(|s| s[..] != *shape) {
            let message = format!("distributions of shape {:?} do not broadcast to draws of shape {shape:?}", self.batch());
            return Err(Error::shape("categorical", message));
        }
        let k = self.labels();
        let table = if self.batch().is_empty() { self.log_probs.clone() } else { self.log_probs.broadcast_to(&[shape, &[k]].concat()) };
        let rows = table.as_slice().len() / k;
        let values = fill(rng, len_of(shape), &|rng, i| {
            let row = if rows == 1 { 0 } else { i };
            let mut best = (f64::NEG_INFINITY, 0);
            for (label, l) in table.as_slice()[row * k..(row + 1) * k].iter().enumerate() {
                let noisy = l.to_f64() + standard_gumbel(rng);
                if noisy > best.0 {
                    best = (noisy, label);
                }
            }
            best.1
        });
        Ok(ArrayD::from_shape_vec(IxDyn(shape), values).expect("as many as the shape has"))
    }
}
