//! The von Mises distribution on the circle.

use super::support::*;
use super::{Continuous, Reparameterised};
use crate::autodiff::{Var, apply};
use crate::error::Result;
use crate::ops::{Mask, where_};
use crate::scalar::Real;
use crate::special::{self, Draw, Function, call};
use rand::{Rng, RngExt};
use std::f64::consts::PI;

/// The von Mises distribution on the circle, of density e^{κ cos θ}/(2π I₀(κ)) with θ = x − loc.
///
/// Angles are taken modulo 2π: densities are periodic, and the cumulative distribution is that of θ in [−π, π), from the point opposite to `loc`.
/// It is an integral by Gauss–Legendre panels, relative to 1e-13 in both tails at any κ. Draws lie in [loc − π, loc + π) and are differentiated in κ
/// through the cumulative distribution.
#[derive(Clone, Debug)]
pub struct VonMises<T: Real> {
    kappa: Var<T>,
    loc: Var<T>,
}

/// (I₀(κ) − I₁(κ))/I₀(κ)
fn gap<T: Real>(kappa: &Var<T>) -> Var<T> {
    call(Function::I0eMinusI1e, &[kappa]) / special::i0e(kappa)
}

impl<T: Real> VonMises<T> {
    /// From the concentration κ and the location.
    ///
    /// # Errors
    /// `Argument` for a concentration that is not positive or a location that is not finite, `Shape` if they do not broadcast.
    pub fn new(kappa: impl Into<Var<T>>, loc: impl Into<Var<T>>) -> Result<Self> {
        let (kappa, loc) = (kappa.into(), loc.into());
        positive("von_mises", "kappa", &kappa)?;
        finite("von_mises", "loc", &loc)?;
        broadcast("von_mises", &[&kappa, &loc])?;
        Ok(VonMises { kappa, loc })
    }

    /// ln 2πI₀(κ)e^{−κ}
    fn ln_norm(&self) -> Var<T> {
        special::i0e(&self.kappa).log() + c::<T>((2.0 * PI).ln())
    }

    /// θ in [−π, π].
    fn angle(&self, x: &Var<T>) -> Var<T> {
        let d = x - &self.loc;
        let turns = d.scale(0.5 / PI).round();
        if turns.as_slice().iter().all(|t| *t == T::zero()) {
            return d;
        }
        d - turns.scale(2.0 * PI)
    }

    /// κ(cos θ − 1)
    fn exponent(&self, theta: &Var<T>) -> Var<T> {
        -(theta.scale(0.5).sin().square() * self.kappa.scale(2.0))
    }

    /// Whether θ < 0, and ln P(Θ > |θ|).
    fn tail(&self, x: &Var<T>) -> (Mask, Var<T>) {
        let theta = self.angle(x);
        let left = theta.lt(T::zero());
        let t = where_(&left, -&theta, &theta);
        let integral = call(Function::VonMisesIntegral(0), &[&self.kappa, &t]);
        (left, self.exponent(&t) + integral.log() - self.ln_norm())
    }
}

impl<T: Real> Continuous<T> for VonMises<T> {
    fn logpdf(&self, x: &Var<T>) -> Var<T> {
        self.exponent(&(x - &self.loc)) - self.ln_norm()
    }
    fn cdf(&self, x: &Var<T>) -> Var<T> {
        let (left, ln_tail) = self.tail(x);
        let tail = ln_tail.exp();
        where_(&left, &tail, -&tail + T::one())
    }
    fn sf(&self, x: &Var<T>) -> Var<T> {
        let (left, ln_tail) = self.tail(x);
        let tail = ln_tail.exp();
        where_(&left, -&tail + T::one(), &tail)
    }
    fn logcdf(&self, x: &Var<T>) -> Var<T> {
        let (left, ln_tail) = self.tail(x);
        where_(&left, &ln_tail, (-ln_tail.exp()).log1p())
    }
    fn logsf(&self, x: &Var<T>) -> Var<T> {
        let (left, ln_tail) = self.tail(x);
        where_(&left, (-ln_tail.exp()).log1p(), &ln_tail)
    }
    /// The mean direction, the location.
    fn mean(&self) -> Var<T> {
        &self.loc + self.kappa.zeros_like()
    }
    /// The circular variance 1 − I₁(κ)/I₀(κ).
    fn variance(&self) -> Var<T> {
        gap(&self.kappa) + self.loc.zeros_like()
    }
    fn entropy(&self) -> Var<T> {
        self.ln_norm() + &self.kappa * gap(&self.kappa) + self.loc.zeros_like()
    }
    fn sample(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>> {
        Ok(self.rsample(rng, shape)?.stop_gradient())
    }
}

/// Rejection from a wrapped Cauchy distribution (Best and Fisher, J. R. Stat. Soc. C 28, 152, 1979), with 1 − cos θ in place of cos θ so that
/// nothing is lost at large κ.
fn best_fisher(rng: &mut dyn Rng, kappa: f64) -> f64 {
    if kappa < 1e-8 {
        return PI * (2.0 * rng.random::<f64>() - 1.0);
    }
    // r − 1 = (1 − ρ)²/(2ρ) with ρ = (τ − √(2τ))/(2κ), τ = 1 + √(1 + 4κ²)
    let excess = if kappa < 1e-5 {
        1.0 / kappa + kappa - 1.0
    } else {
        let tau = 1.0 + 1f64.hypot(2.0 * kappa);
        let rho = (tau - (2.0 * tau).sqrt()) / (2.0 * kappa);
        (1.0 - rho) * (1.0 - rho) / (2.0 * rho)
    };
    loop {
        let (u, v) = (rng.random::<f64>(), rng.random::<f64>());
        // 1 − z and r + z with z = cos πu
        let half = (0.5 * PI * u).sin();
        let one_minus_z = 2.0 * half * half;
        // 1 − f with f = (1 + rz)/(r + z) the cosine of the candidate
        let versine = excess * one_minus_z / (excess + 2.0 - one_minus_z);
        let c = kappa * (excess + versine);
        if c * (2.0 - c) > v || (c / v).ln() + 1.0 - c >= 0.0 {
            let theta = 2.0 * (0.5 * versine).sqrt().min(1.0).asin();
            return if rng.random::<bool>() { theta } else { -theta };
        }
    }
}

impl<T: Real> Reparameterised<T> for VonMises<T> {
    fn rsample(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>> {
        fits("von_mises", &[&self.loc], shape)?;
        let value = draw("von_mises", rng, shape, &[&self.kappa], &|rng, [kappa, ..]| best_fisher(rng, kappa))?;
        // with N_k(κ, θ) = ∫_θ^π (cos t − 1)^k e^{κ(cos t − cos θ)} dt and θ > 0: (∂S/∂κ)/f = N₁ + N₀ (I₀ − I₁)/I₀; odd in θ
        let slope = |_: usize, p: &[Var<T>], theta: &Var<T>| {
            let left = theta.lt(T::zero());
            let t = where_(&left, -theta, theta);
            let integral = |k: u32| call(Function::VonMisesIntegral(k), &[&p[0], &t]);
            let slope = integral(1) + integral(0) * gap(&p[0]);
            where_(&left, -&slope, &slope)
        };
        let theta = apply(Draw { name: "von_mises draw", value, slope }, &vec![self.kappa.clone()])?;
        Ok(theta + &self.loc)
    }
}
