//! The gamma distribution and two of its special cases.

use super::support::*;
use super::{Continuous, Reparameterised};
use crate::autodiff::{Var, apply};
use crate::error::Result;
use crate::ops::where_;
use crate::random::standard_exponential;
use crate::scalar::Real;
use crate::special::{self, Draw, Function, call};
use rand::{Rng, RngExt};

/// The gamma distribution of shape a and scale θ (rate 1/θ), of density x^{a−1}e^{−x/θ}/(Γ(a)θ^a) for x ≥ 0. Draws are differentiated in the
/// shape through the cumulative distribution.
///
/// At shapes below 0.01 draws come to lie below the smallest number and are 0.
#[derive(Clone, Debug)]
pub struct Gamma<T: Real> {
    shape: Var<T>,
    scale: Var<T>,
}

impl<T: Real> Gamma<T> {
    /// From the shape and the scale.
    ///
    /// # Errors
    /// `Argument` for a parameter that is not positive, `Shape` if they do not broadcast.
    pub fn new(shape: impl Into<Var<T>>, scale: impl Into<Var<T>>) -> Result<Self> {
        let (shape, scale) = (shape.into(), scale.into());
        positive("gamma", "shape", &shape)?;
        positive("gamma", "scale", &scale)?;
        broadcast("gamma", &[&shape, &scale])?;
        Ok(Gamma { shape, scale })
    }

    /// f(a, x/θ) for x ≥ 0, and a constant below.
    fn at(&self, x: &Var<T>, below: f64, function: Function) -> Var<T> {
        inside(x, &x.lt(T::zero()), T::one(), below, |x| call(function, &[&self.shape, &(x / &self.scale)]))
    }
}

/// From here on the entropy of the gamma distribution is its asymptotic series.
const LARGE_SHAPE: f64 = 250.0;

impl<T: Real> Continuous<T> for Gamma<T> {
    fn logpdf(&self, x: &Var<T>) -> Var<T> {
        self.at(x, f64::NEG_INFINITY, Function::LnGammaDensity) - self.scale.log()
    }
    fn cdf(&self, x: &Var<T>) -> Var<T> {
        self.at(x, 0.0, Function::Gammainc)
    }
    fn sf(&self, x: &Var<T>) -> Var<T> {
        self.at(x, 1.0, Function::Gammaincc)
    }
    fn logcdf(&self, x: &Var<T>) -> Var<T> {
        self.at(x, f64::NEG_INFINITY, Function::LnGammainc)
    }
    fn logsf(&self, x: &Var<T>) -> Var<T> {
        self.at(x, 0.0, Function::LnGammaincc)
    }
    fn mean(&self) -> Var<T> {
        &self.shape * &self.scale
    }
    fn variance(&self) -> Var<T> {
        &self.shape * self.scale.square()
    }
    fn entropy(&self) -> Var<T> {
        // a + ln Γ(a) + (1 − a) ψ(a) cancels at large a: there ½ ln 2πea − 1/(3a) − 1/(12a²) − 1/(90a³) + 1/(120a⁴)
        let large = self.shape.gt(c::<T>(LARGE_SHAPE));
        let small = where_(&large, T::one(), &self.shape);
        let direct = &small + special::gammaln(&small) + (-&small + T::one()) * special::digamma(&small);
        let r = where_(&large, &self.shape, c::<T>(LARGE_SHAPE)).reciprocal();
        let series = ((r.scale(1.0 / 120.0) - c::<T>(1.0 / 90.0)) * &r - c::<T>(1.0 / 12.0)) * &r - c::<T>(1.0 / 3.0);
        let asymptotic = series * &r - r.log().scale(0.5) + c::<T>(0.5 + 0.5 * (2.0 * std::f64::consts::PI).ln());
        where_(&large, asymptotic, direct) + self.scale.log()
    }
    fn sample(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>> {
        Ok(self.rsample(rng, shape)?.stop_gradient())
    }
}

/// Draws of unit scale, with their derivatives in the shape: ∂y/∂a = −(∂P/∂a)/p.
pub(super) fn standard_gamma<T: Real>(rng: &mut dyn Rng, a: &Var<T>, shape: &[usize]) -> Result<Var<T>> {
    let value =
        draw("gamma", rng, shape, &[a], &|rng, [a, ..]| rng.sample(rand_distr::Gamma::new(a, 1.0).expect("the shape is positive")))?;
    let slope = |_: usize, p: &[Var<T>], y: &Var<T>| -call(Function::GammaincRelative(1), &[&p[0], y]);
    apply(Draw { name: "gamma draw", value, slope }, &vec![a.clone()])
}

impl<T: Real> Reparameterised<T> for Gamma<T> {
    fn rsample(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>> {
        fits("gamma", &[&self.scale], shape)?;
        Ok(standard_gamma(rng, &self.shape, shape)? * &self.scale)
    }
}

/// The χ² distribution with `df` degrees of freedom: the gamma distribution of shape df/2 and scale 2.
#[derive(Clone, Debug)]
pub struct Chi2<T: Real> {
    gamma: Gamma<T>,
}

impl<T: Real> Chi2<T> {
    /// From the degrees of freedom.
    ///
    /// # Errors
    /// `Argument` if they are not positive.
    pub fn new(df: impl Into<Var<T>>) -> Result<Self> {
        let df = df.into();
        positive("chi2", "df", &df)?;
        Ok(Chi2 { gamma: Gamma { shape: df.scale(0.5), scale: Var::scalar(c(2.0)) } })
    }
}

impl<T: Real> Continuous<T> for Chi2<T> {
    fn logpdf(&self, x: &Var<T>) -> Var<T> {
        self.gamma.logpdf(x)
    }
    fn cdf(&self, x: &Var<T>) -> Var<T> {
        self.gamma.cdf(x)
    }
    fn sf(&self, x: &Var<T>) -> Var<T> {
        self.gamma.sf(x)
    }
    fn logcdf(&self, x: &Var<T>) -> Var<T> {
        self.gamma.logcdf(x)
    }
    fn logsf(&self, x: &Var<T>) -> Var<T> {
        self.gamma.logsf(x)
    }
    fn mean(&self) -> Var<T> {
        self.gamma.mean()
    }
    fn variance(&self) -> Var<T> {
        self.gamma.variance()
    }
    fn entropy(&self) -> Var<T> {
        self.gamma.entropy()
    }
    fn sample(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>> {
        self.gamma.sample(rng, shape)
    }
}

impl<T: Real> Reparameterised<T> for Chi2<T> {
    fn rsample(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>> {
        self.gamma.rsample(rng, shape)
    }
}

/// The exponential distribution of mean `scale` (rate 1/scale), of density e^{−x/scale}/scale for x ≥ 0.
#[derive(Clone, Debug)]
pub struct Exponential<T: Real> {
    scale: Var<T>,
}

impl<T: Real> Exponential<T> {
    /// From the scale, the mean.
    ///
    /// # Errors
    /// `Argument` if it is not positive.
    pub fn new(scale: impl Into<Var<T>>) -> Result<Self> {
        let scale = scale.into();
        positive("exponential", "scale", &scale)?;
        Ok(Exponential { scale })
    }

    fn at(&self, x: &Var<T>, below: f64, f: impl Fn(Var<T>) -> Var<T>) -> Var<T> {
        inside(x, &x.lt(T::zero()), T::one(), below, |x| f(x / &self.scale))
    }
}

impl<T: Real> Continuous<T> for Exponential<T> {
    fn logpdf(&self, x: &Var<T>) -> Var<T> {
        self.at(x, f64::NEG_INFINITY, |z| -z) - self.scale.log()
    }
    fn cdf(&self, x: &Var<T>) -> Var<T> {
        self.at(x, 0.0, |z| -(-z).expm1())
    }
    fn sf(&self, x: &Var<T>) -> Var<T> {
        self.at(x, 1.0, |z| (-z).exp())
    }
    fn logcdf(&self, x: &Var<T>) -> Var<T> {
        self.at(x, f64::NEG_INFINITY, |z| log1mexp(&z))
    }
    fn logsf(&self, x: &Var<T>) -> Var<T> {
        self.at(x, 0.0, |z| -z)
    }
    fn mean(&self) -> Var<T> {
        self.scale.clone()
    }
    fn variance(&self) -> Var<T> {
        self.scale.square()
    }
    fn entropy(&self) -> Var<T> {
        self.scale.log() + T::one()
    }
    fn sample(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>> {
        Ok(self.rsample(rng, shape)?.stop_gradient())
    }
}

impl<T: Real> Reparameterised<T> for Exponential<T> {
    fn rsample(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>> {
        fits("exponential", &[&self.scale], shape)?;
        Ok(draw("exponential", rng, shape, &[], &|rng, _| standard_exponential(rng))? * &self.scale)
    }
}
