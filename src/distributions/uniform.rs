//! The uniform distribution.

use super::support::*;
use super::{Continuous, Reparameterised};
use crate::autodiff::Var;
use crate::error::Result;
use crate::ops::where_;
use crate::random::unit;
use crate::scalar::Real;
use rand::Rng;

/// The uniform distribution on [low, high].
#[derive(Clone, Debug)]
pub struct Uniform<T: Real> {
    low: Var<T>,
    high: Var<T>,
}

impl<T: Real> Uniform<T> {
    /// From the two ends.
    ///
    /// # Errors
    /// `Argument` for ends that are not finite or not in order, `Shape` if they do not broadcast.
    pub fn new(low: impl Into<Var<T>>, high: impl Into<Var<T>>) -> Result<Self> {
        let (low, high) = (low.into(), high.into());
        finite("uniform", "low", &low)?;
        finite("uniform", "high", &high)?;
        broadcast("uniform", &[&low, &high])?;
        below("uniform", &low, &high)?;
        Ok(Uniform { low, high })
    }

    fn width(&self) -> Var<T> {
        &self.high - &self.low
    }

    /// (x − low)/width inside, constants outside.
    fn fraction(&self, from: &Var<T>, x: &Var<T>, below: T, above: T, sign: T) -> Var<T> {
        let fraction = (x - from) * sign / self.width();
        let fraction = where_(&x.lt(&self.low), below, fraction);
        where_(&x.gt(&self.high), above, fraction)
    }
}

impl<T: Real> Continuous<T> for Uniform<T> {
    fn logpdf(&self, x: &Var<T>) -> Var<T> {
        let outside = x.lt(&self.low) | x.gt(&self.high);
        // x − x keeps a NaN
        let inside = -self.width().log() + (x - x);
        where_(&outside, -T::INFINITY, inside)
    }
    fn cdf(&self, x: &Var<T>) -> Var<T> {
        self.fraction(&self.low, x, T::zero(), T::one(), T::one())
    }
    fn sf(&self, x: &Var<T>) -> Var<T> {
        self.fraction(&self.high, x, T::one(), T::zero(), -T::one())
    }
    fn logcdf(&self, x: &Var<T>) -> Var<T> {
        self.cdf(x).log()
    }
    fn logsf(&self, x: &Var<T>) -> Var<T> {
        self.sf(x).log()
    }
    fn mean(&self) -> Var<T> {
        (&self.low + &self.high).scale(0.5)
    }
    fn variance(&self) -> Var<T> {
        self.width().square().scale(1.0 / 12.0)
    }
    fn entropy(&self) -> Var<T> {
        self.width().log()
    }
    fn sample(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>> {
        Ok(self.rsample(rng, shape)?.stop_gradient())
    }
}

impl<T: Real> Reparameterised<T> for Uniform<T> {
    fn rsample(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>> {
        fits("uniform", &[&self.low, &self.high], shape)?;
        let u = draw("uniform", rng, shape, &[], &|rng, _| unit::<T>(rng))?;
        Ok(&self.low + u * self.width())
    }
}
