//! The divergence of a velocity field: in closed form, as the trace of its Jacobian, or estimated.

use super::field::VelocityField;
use crate::autodiff::{Var, jvp, linearize};
use crate::error::{Error, Result};
use crate::nn::Params;
use crate::random;
use crate::scalar::Real;
use rand::SeedableRng;
use rand::rngs::StdRng;

/// The noise ε of Hutchinson's estimator: independent entries of mean 0 and variance 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Noise {
    /// ±1: the smallest variance that independent entries have.
    #[default]
    Rademacher,
    /// Normal.
    Normal,
}

/// How ∇·v is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Divergence {
    /// The field's closed form if it has one, the exact trace otherwise.
    #[default]
    Automatic,
    /// The trace of ∂v/∂x, one tangent for each column: exact for any field, at the price of dim tangents.
    Exact,
    /// The mean of ε·(∂v/∂x)ε over `samples` vectors ε for each row (Hutchinson 1990; Grathwohl et al., arXiv:1810.01367): unbiased for ln|det|.
    /// The vectors come from the seed and stay the same along a solve, and for every solve with as many rows, so that the solver sees a smooth
    /// equation and the inverse undoes the forward solve.
    Hutchinson {
        /// Vectors for each row.
        samples: usize,
        /// Of the vectors.
        seed: u64,
        /// Their distribution.
        noise: Noise,
    },
}

impl Divergence {
    /// The estimate from one vector of signs.
    pub fn hutchinson(seed: u64) -> Self {
        Divergence::Hutchinson { samples: 1, seed, noise: Noise::Rademacher }
    }

    /// The vectors ε for points of this shape; empty if none are needed.
    pub(super) fn draw<T: Real>(&self, shape: &[usize]) -> Result<Vec<Var<T>>> {
        let &Divergence::Hutchinson { samples, seed, noise } = self else { return Ok(Vec::new()) };
        if samples == 0 {
            return Err(Error::argument("continuous flow", "Hutchinson's estimator needs at least one sample, got 0"));
        }
        let mut rng = StdRng::seed_from_u64(seed);
        let draw = |_| match noise {
            Noise::Rademacher => random::rademacher(&mut rng, shape),
            Noise::Normal => random::normal(&mut rng, shape),
        };
        Ok((0..samples).map(draw).collect())
    }

    /// v and ∇·v.
    pub(super) fn evaluate<T: Real>(
        &self,
        field: &dyn VelocityField<T>,
        p: &Params<T>,
        t: &Var<T>,
        x: &Var<T>,
        context: Option<&Var<T>>,
        noise: &[Var<T>],
    ) -> Result<(Var<T>, Var<T>)> {
        let velocity = |x: &Var<T>| field.velocity(p, t, x, context);
        match self {
            Divergence::Automatic => match field.with_divergence(p, t, x, context) {
                Some(found) => found,
                None => exact(velocity, x),
            },
            Divergence::Exact => exact(velocity, x),
            Divergence::Hutchinson { .. } => {
                let weight = T::from_f64(1.0 / noise.len() as f64);
                if let [noise] = noise {
                    let (v, dv) = jvp(velocity, x, noise)?;
                    return Ok((v, (dv * noise).sum_axis(1)));
                }
                let (v, tangent) = linearize(velocity, x)?;
                let mut div = Var::zeros(&[x.shape()[0]]);
                for noise in noise {
                    div += (tangent.call(noise)? * noise).sum_axis(1);
                }
                Ok((v, div * weight))
            }
        }
    }
}

/// v and the trace of its Jacobian, of shape (batch,): the columns are tangents along the unit vectors, the same one for all rows.
fn exact<T: Real>(velocity: impl FnOnce(&Var<T>) -> Result<Var<T>>, x: &Var<T>) -> Result<(Var<T>, Var<T>)> {
    let &[batch, dim] = x.shape() else {
        return Err(Error::shape("continuous flow", format!("points have shape {:?}, and (batch, dim) is needed", x.shape())));
    };
    let (v, tangent) = linearize(velocity, x)?;
    let mut div = Var::zeros(&[batch]);
    let mut unit = vec![T::zero(); batch * dim];
    for k in 0..dim {
        (0..batch).for_each(|row| unit[row * dim + k] = T::one());
        let column = tangent.call(&Var::from_shape_vec(&[batch, dim], unit.clone())?)?;
        div += column.slice(ndarray::s![.., k]);
        (0..batch).for_each(|row| unit[row * dim + k] = T::zero());
    }
    Ok((v, div))
}
