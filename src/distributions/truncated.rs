//! The normal distribution on an interval.

use super::support::*;
use super::{Continuous, Reparameterised};
use crate::autodiff::{Var, apply};
use crate::error::Result;
use crate::ops::where_;
use crate::random::{standard_exponential, standard_normal};
use crate::scalar::Real;
use crate::special::{self, Draw};
use rand::{Rng, RngExt};

/// The normal distribution of location and scale, restricted to [low, high]; the ends may be infinite. Location and scale are those before the
/// restriction. The tails come from logarithms of the normal distribution's, so close to an end that lies s scales out they are relative to about
/// s² 1e-16 over the tail. Draws are differentiated in all four parameters through the cumulative distribution.
#[derive(Clone, Debug)]
pub struct TruncatedNormal<T: Real> {
    loc: Var<T>,
    scale: Var<T>,
    low: Var<T>,
    high: Var<T>,
}

/// In units of the scale, beyond everything that a double can weigh.
const FAR: f64 = 1e10;

/// ½ ln 2π
const HALF_LN_2PI: f64 = 0.918_938_533_204_672_7;

/// ln(Φ(b) − Φ(a)) for a < b, taken in the tail where neither is close to 1.
fn ln_between<T: Real>(a: &Var<T>, b: &Var<T>) -> Var<T> {
    // Φ(b) − Φ(a) = Φ(−a) − Φ(−b)
    let right = a.gt(T::zero());
    let (low, high) = (where_(&right, -b, a), where_(&right, -a, b));
    let (ln_low, ln_high) = (special::log_ndtr(&low), special::log_ndtr(&high));
    let difference = &ln_high - ln_low;
    ln_high + log1mexp(&difference)
}

/// The logarithm of one part's share of the whole, by the other part's where that is the smaller.
fn ln_share<T: Real>(part: (&Var<T>, &Var<T>), other: (&Var<T>, &Var<T>), whole: (&Var<T>, &Var<T>)) -> Var<T> {
    let ln_whole = ln_between(whole.0, whole.1);
    let (direct, rest) = (ln_between(part.0, part.1) - &ln_whole, ln_between(other.0, other.1) - &ln_whole);
    let larger = direct.gt(c::<T>(-std::f64::consts::LN_2));
    where_(&larger, log1mexp(&-where_(&larger, rest, -T::one())), direct)
}

impl<T: Real> TruncatedNormal<T> {
    /// From the location, the scale and the two ends.
    ///
    /// # Errors
    /// `Argument` for a location that is not finite, a scale that is not positive, or ends that are not in order; `Shape` if they do not broadcast.
    pub fn new(loc: impl Into<Var<T>>, scale: impl Into<Var<T>>, low: impl Into<Var<T>>, high: impl Into<Var<T>>) -> Result<Self> {
        let (loc, scale, low, high) = (loc.into(), scale.into(), low.into(), high.into());
        finite("truncated_normal", "loc", &loc)?;
        positive("truncated_normal", "scale", &scale)?;
        not_nan("truncated_normal", "low", &low)?;
        not_nan("truncated_normal", "high", &high)?;
        broadcast("truncated_normal", &[&loc, &scale, &low, &high])?;
        below("truncated_normal", &low, &high)?;
        Ok(TruncatedNormal { loc, scale, low, high })
    }

    fn standardise(&self, x: &Var<T>) -> Var<T> {
        (x - &self.loc) / &self.scale
    }

    /// The ends in units of the scale from the location; an infinite one is a constant far out, so that its derivatives are zeros and not 0·∞.
    fn ends(&self) -> (Var<T>, Var<T>) {
        let end = |x: &Var<T>, far: f64| {
            let infinite = !x.isfinite();
            if !infinite.any() {
                return self.standardise(x);
            }
            where_(&infinite, c::<T>(far), self.standardise(&where_(&infinite, T::zero(), x)))
        };
        (end(&self.low, -FAR), end(&self.high, FAR))
    }

    /// f(z) inside, constants outside.
    fn at(&self, x: &Var<T>, below: f64, above: f64, f: impl Fn(&Var<T>, &Var<T>, &Var<T>) -> Var<T>) -> Var<T> {
        let (low, high) = (x.le(&self.low), x.ge(&self.high));
        let (a, b) = self.ends();
        let middle = (&a + &b).scale(0.5).stop_gradient();
        let z = where_(&(&low | &high), middle, self.standardise(x));
        where_(&low, c::<T>(below), where_(&high, c::<T>(above), f(&a, &z, &b)))
    }

    fn ln_mass(&self) -> Var<T> {
        let (a, b) = self.ends();
        ln_between(&a, &b)
    }

    /// (φ(a) − φ(b))/Z and (aφ(a) − bφ(b))/Z.
    fn moments(&self) -> (Var<T>, Var<T>) {
        let (a, b) = self.ends();
        let ln_norm = ln_between(&a, &b) + c::<T>(HALF_LN_2PI);
        let density = |z: &Var<T>| (z.square().scale(-0.5) - &ln_norm).exp();
        let (pa, pb) = (density(&a), density(&b));
        (&pa - &pb, a * &pa - b * &pb)
    }
}

impl<T: Real> Continuous<T> for TruncatedNormal<T> {
    fn logpdf(&self, x: &Var<T>) -> Var<T> {
        let outside = x.lt(&self.low) | x.gt(&self.high);
        let z = self.standardise(x);
        let value = z.square().scale(-0.5) - c::<T>(HALF_LN_2PI) - self.scale.log() - self.ln_mass();
        where_(&outside, -T::INFINITY, value)
    }
    fn cdf(&self, x: &Var<T>) -> Var<T> {
        self.logcdf(x).exp()
    }
    fn sf(&self, x: &Var<T>) -> Var<T> {
        self.logsf(x).exp()
    }
    fn logcdf(&self, x: &Var<T>) -> Var<T> {
        self.at(x, f64::NEG_INFINITY, 0.0, |a, z, b| ln_share((a, z), (z, b), (a, b)))
    }
    fn logsf(&self, x: &Var<T>) -> Var<T> {
        self.at(x, 0.0, f64::NEG_INFINITY, |a, z, b| ln_share((z, b), (a, z), (a, b)))
    }
    fn mean(&self) -> Var<T> {
        &self.loc + &self.scale * self.moments().0
    }
    fn variance(&self) -> Var<T> {
        let (first, second) = self.moments();
        self.scale.square() * (second + T::one() - first.square())
    }
    fn entropy(&self) -> Var<T> {
        let second = self.moments().1;
        self.ln_mass() + self.scale.log() + second.scale(0.5) + c::<T>(0.5 + HALF_LN_2PI)
    }
    fn sample(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>> {
        Ok(self.rsample(rng, shape)?.stop_gradient())
    }
}

/// A standard normal variable in [a, b] by rejection, from the normal, the uniform or the exponential distribution (Robert, Stat. Comput. 5, 121,
/// 1995).
fn robert(rng: &mut dyn Rng, a: f64, b: f64) -> f64 {
    if b <= 0.0 {
        return -robert(rng, -b, -a);
    }
    if a <= 0.0 && b - a > 2.0 {
        loop {
            let z = standard_normal(rng);
            if (a..=b).contains(&z) {
                return z;
            }
        }
    }
    // the exponential of rate r from a on, unless the interval ends before it has decayed
    let rate = 0.5 * (a + a.hypot(2.0));
    if a > 0.0 && (b - a) * rate > 1.5 {
        loop {
            let z = a + standard_exponential(rng) / rate;
            if z <= b && rng.random::<f64>() <= (-0.5 * (z - rate) * (z - rate)).exp() {
                return z;
            }
        }
    }
    let peak = a.max(0.0);
    loop {
        let z = a + (b - a) * rng.random::<f64>();
        if rng.random::<f64>() <= (-0.5 * (z - peak) * (z + peak)).exp() {
            return z;
        }
    }
}

impl<T: Real> Reparameterised<T> for TruncatedNormal<T> {
    fn rsample(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>> {
        fits("truncated_normal", &[&self.loc, &self.scale], shape)?;
        let (a, b) = self.ends();
        let value = draw("truncated_normal", rng, shape, &[&a, &b], &|rng, [a, b, _]| robert(rng, a, b))?;
        // F = (Φ(z) − Φ(a))/Z: ∂z/∂a = (1 − F) φ(a)/φ(z), ∂z/∂b = F φ(b)/φ(z)
        let slope = |i: usize, p: &[Var<T>], z: &Var<T>| {
            let (end, share) = if i == 0 { (&p[0], (z, &p[1])) } else { (&p[1], (&p[0], z)) };
            let ln_share = ln_between(share.0, share.1) - ln_between(&p[0], &p[1]);
            (((z - end) * (z + end)).scale(0.5) + ln_share).exp()
        };
        let z = apply(Draw { name: "truncated_normal draw", value, slope }, &vec![a, b])?;
        Ok(&self.loc + &self.scale * z)
    }
}
