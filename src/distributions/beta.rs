//! The beta distribution.

use super::support::*;
use super::{Continuous, Reparameterised};
use crate::autodiff::{Var, apply};
use crate::error::Result;
use crate::scalar::Real;
use crate::special::{self, Draw, Function, call};
use rand::{Rng, RngExt};

/// The beta distribution, of density x^{a−1}(1−x)^{b−1}/B(a, b) on [0, 1]. Draws are differentiated in a and b through the cumulative
/// distribution.
#[derive(Clone, Debug)]
pub struct Beta<T: Real> {
    a: Var<T>,
    b: Var<T>,
}

impl<T: Real> Beta<T> {
    /// From the two shape parameters.
    ///
    /// # Errors
    /// `Argument` for a parameter that is not positive, `Shape` if they do not broadcast.
    pub fn new(a: impl Into<Var<T>>, b: impl Into<Var<T>>) -> Result<Self> {
        let (a, b) = (a.into(), b.into());
        positive("beta", "a", &a)?;
        positive("beta", "b", &b)?;
        broadcast("beta", &[&a, &b])?;
        Ok(Beta { a, b })
    }

    /// f(a, b, x) inside, and constants below 0 and above 1.
    fn at(&self, x: &Var<T>, below: f64, above: f64, function: Function) -> Var<T> {
        let half = c::<T>(0.5);
        inside(x, &x.lt(T::zero()), half, below, |x| inside(x, &x.gt(T::one()), half, above, |x| call(function, &[&self.a, &self.b, x])))
    }
}

impl<T: Real> Continuous<T> for Beta<T> {
    fn logpdf(&self, x: &Var<T>) -> Var<T> {
        self.at(x, f64::NEG_INFINITY, f64::NEG_INFINITY, Function::LnBetaDensity)
    }
    fn cdf(&self, x: &Var<T>) -> Var<T> {
        self.at(x, 0.0, 1.0, Function::Betainc)
    }
    fn sf(&self, x: &Var<T>) -> Var<T> {
        self.at(x, 1.0, 0.0, Function::Betaincc)
    }
    fn logcdf(&self, x: &Var<T>) -> Var<T> {
        self.at(x, f64::NEG_INFINITY, 0.0, Function::LnBetainc)
    }
    fn logsf(&self, x: &Var<T>) -> Var<T> {
        self.at(x, 0.0, f64::NEG_INFINITY, Function::LnBetaincc)
    }
    fn mean(&self) -> Var<T> {
        &self.a / (&self.a + &self.b)
    }
    fn variance(&self) -> Var<T> {
        let sum = &self.a + &self.b;
        &self.a * &self.b / (sum.square() * (&sum + T::one()))
    }
    fn entropy(&self) -> Var<T> {
        // ln B − (a−1)ψ(a) − (b−1)ψ(b) + (a+b−2)ψ(a+b), in differences
        let (a, b) = (&self.a, &self.b);
        let increase = |x: &Var<T>, y: &Var<T>| (x - T::one()) * call(Function::DigammaIncrease, &[x, y]);
        special::betaln(a, b) + increase(a, b) + increase(b, a)
    }
    fn sample(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>> {
        Ok(self.rsample(rng, shape)?.stop_gradient())
    }
}

impl<T: Real> Reparameterised<T> for Beta<T> {
    fn rsample(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>> {
        let value = draw("beta", rng, shape, &[&self.a, &self.b], &|rng, [a, b, _]| {
            rng.sample(rand_distr::Beta::new(a, b).expect("the parameters are positive"))
        })?;
        // −(∂I/∂a)/p and −(∂I/∂b)/p
        let slope = |i: usize, p: &[Var<T>], y: &Var<T>| -call(Function::BetaincRelative(i), &[&p[0], &p[1], y]);
        apply(Draw { name: "beta draw", value, slope }, &vec![self.a.clone(), self.b.clone()])
    }
}
