//! What a model must give to be trained.

use crate::flow::{Flow, Noise};
use crate::nn::Params;
use crate::{Real, Result, Var};
use rand::Rng;

/// A normalised density q on ℝᵈ that is drawn from directly and evaluated, with derivatives in its parameters.
pub trait Density<T: Real>: Send + Sync {
    /// What draws are made of before the parameters come in.
    type Noise: Send + Sync;
    /// The number of columns d.
    fn dim(&self) -> usize;
    /// What n draws are made of.
    ///
    /// # Errors
    /// Those of the model.
    fn noise(&self, n: usize, rng: &mut dyn Rng) -> Result<Self::Noise>;
    /// Draws of shape (n, dim) that carry derivatives in the parameters, and ln q of each, of shape (n).
    ///
    /// # Errors
    /// Those of the model.
    fn rsample(&self, p: &Params<T>, noise: &Self::Noise) -> Result<(Var<T>, Var<T>)>;
    /// ln q of each row of x, of shape (batch).
    ///
    /// # Errors
    /// Those of the model.
    fn log_prob(&self, p: &Params<T>, x: &Var<T>) -> Result<Var<T>>;
}

impl<T: Real> Density<T> for Flow<T> {
    type Noise = Noise<T>;
    fn dim(&self) -> usize {
        Flow::dim(self)
    }
    fn noise(&self, n: usize, rng: &mut dyn Rng) -> Result<Noise<T>> {
        Flow::noise(self, n, rng)
    }
    fn rsample(&self, p: &Params<T>, noise: &Noise<T>) -> Result<(Var<T>, Var<T>)> {
        Flow::rsample(self, p, noise)
    }
    fn log_prob(&self, p: &Params<T>, x: &Var<T>) -> Result<Var<T>> {
        Flow::log_prob(self, p, x)
    }
}
