//! Densities to start from.

use super::Base;
use super::density::check_shape;
use crate::autodiff::Var;
use crate::distributions::{Continuous, TruncatedNormal};
use crate::error::{Error, Result};
use crate::nn::Params;
use crate::ops::stack;
use crate::random;
use crate::scalar::Real;
use rand::Rng;

fn row<T: Real>(x: &[f64]) -> Var<T> {
    Var::from(x.iter().map(|x| T::from_f64(*x)).collect::<Vec<T>>())
}

fn check_numbers(operation: &'static str, name: &str, x: &[f64], what: &str, good: impl Fn(f64) -> bool) -> Result<()> {
    if x.is_empty() {
        return Err(Error::argument(operation, "0 columns: there must be at least one"));
    }
    match x.iter().position(|x| !good(*x)) {
        None => Ok(()),
        Some(i) => Err(Error::argument(operation, format!("element {i} of {name} is {}: it must be {what}", x[i]))),
    }
}

/// Independent normal columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Normal {
    loc: Vec<f64>,
    scale: Vec<f64>,
}

impl Normal {
    /// The standard normal density of `dim` columns.
    ///
    /// # Errors
    /// `Argument` for no columns.
    pub fn standard(dim: usize) -> Result<Self> {
        Self::new(vec![0.0; dim], vec![1.0; dim])
    }

    /// With a mean and a standard deviation for each column.
    ///
    /// # Errors
    /// `Shape` if there are not as many of both; `Argument` for means that are not finite or deviations that are not positive.
    pub fn new(loc: Vec<f64>, scale: Vec<f64>) -> Result<Self> {
        if loc.len() != scale.len() {
            return Err(Error::shape("normal", format!("{} means and {} standard deviations", loc.len(), scale.len())));
        }
        check_numbers("normal", "loc", &loc, "finite", f64::is_finite)?;
        check_numbers("normal", "scale", &scale, "positive and finite", |x| x > 0.0 && x.is_finite())?;
        Ok(Normal { loc, scale })
    }
}

impl<T: Real> Base<T> for Normal {
    fn dim(&self) -> usize {
        self.loc.len()
    }
    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Result<Var<T>> {
        Ok(random::normal::<T>(rng, &[n, self.loc.len()]) * row(&self.scale) + row(&self.loc))
    }
    fn log_prob(&self, _: &Params<T>, x: &Var<T>) -> Result<Var<T>> {
        check_shape("normal", x, self.loc.len())?;
        let standard = self.loc.iter().all(|m| *m == 0.0) && self.scale.iter().all(|s| *s == 1.0);
        let square = if standard { x.square() } else { ((x - row(&self.loc)) / row(&self.scale)).square() };
        let ln_norm: f64 = self.scale.iter().map(|s| s.ln() + 0.5 * std::f64::consts::TAU.ln()).sum();
        Ok(square.sum_axis(1) * T::from_f64(-0.5) - T::from_f64(ln_norm))
    }
}

/// Uniform in a box; points outside are an error.
#[derive(Clone, Debug, PartialEq)]
pub struct Uniform {
    name: &'static str,
    low: Vec<f64>,
    high: Vec<f64>,
}

impl Uniform {
    /// Between two corners.
    ///
    /// # Errors
    /// `Shape` if they have not as many columns; `Argument` for corners that are not finite and in order.
    pub fn new(low: Vec<f64>, high: Vec<f64>) -> Result<Self> {
        Self::named("uniform", low, high)
    }

    /// Uniform on a torus of `dim` circles, each [0, `period`).
    ///
    /// # Errors
    /// `Argument` for no columns or a period that is not positive and finite.
    pub fn torus(dim: usize, period: f64) -> Result<Self> {
        Self::named("torus", vec![0.0; dim], vec![period; dim])
    }

    fn named(name: &'static str, low: Vec<f64>, high: Vec<f64>) -> Result<Self> {
        if low.len() != high.len() {
            return Err(Error::shape(name, format!("{} lower and {} upper ends", low.len(), high.len())));
        }
        check_numbers(name, "low", &low, "finite", f64::is_finite)?;
        check_numbers(name, "high", &high, "finite", f64::is_finite)?;
        let length: Vec<f64> = low.iter().zip(&high).map(|(a, b)| b - a).collect();
        check_numbers(name, "high − low", &length, "positive and finite", |x| x > 0.0 && x.is_finite())?;
        Ok(Uniform { name, low, high })
    }
}

/// The logarithm that every row has.
fn constant<T: Real>(x: &Var<T>, value: f64) -> Var<T> {
    Var::full(&[x.shape()[0]], T::from_f64(value))
}

/// Points inside a box.
fn check_inside<T: Real>(name: &'static str, x: &Var<T>, low: &[f64], high: &[f64]) -> Result<()> {
    check_shape(name, x, low.len())?;
    let outside = |(i, x): (usize, &T)| !(low[i % low.len()]..=high[i % low.len()]).contains(&x.to_f64());
    match x.as_slice().iter().enumerate().position(outside) {
        None => Ok(()),
        Some(i) => {
            let (row, column) = (i / low.len(), i % low.len());
            let (a, b) = (low[column], high[column]);
            let message = format!("row {row}, column {column} is {}, outside the support [{a}, {b}]", x.as_slice()[i]);
            Err(Error::argument(name, message))
        }
    }
}

impl<T: Real> Base<T> for Uniform {
    fn dim(&self) -> usize {
        self.low.len()
    }
    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Result<Var<T>> {
        let length: Vec<f64> = self.low.iter().zip(&self.high).map(|(a, b)| b - a).collect();
        let x = random::uniform::<T>(rng, &[n, self.low.len()]) * row(&length) + row(&self.low);
        // rounding may lift the last number below 1 to the upper end, which a circle does not have
        let clamped = x.as_slice().iter().enumerate().map(|(i, x)| {
            let (low, high) = (T::from_f64(self.low[i % self.low.len()]), T::from_f64(self.high[i % self.low.len()]));
            if *x < high { *x } else { low }
        });
        Var::from_shape_vec(x.shape(), clamped.collect())
    }
    fn log_prob(&self, _: &Params<T>, x: &Var<T>) -> Result<Var<T>> {
        check_inside(self.name, x, &self.low, &self.high)?;
        Ok(constant(x, -self.low.iter().zip(&self.high).map(|(a, b)| (b - a).ln()).sum::<f64>()))
    }
}

/// Independent normal columns, each restricted to an interval; points outside are an error.
#[derive(Clone, Debug, PartialEq)]
pub struct Truncated {
    normal: Normal,
    low: Vec<f64>,
    high: Vec<f64>,
}

impl Truncated {
    /// The normal density between two corners, whose entries may be infinite.
    ///
    /// # Errors
    /// `Shape` if there are not as many columns; `Argument` for ends that are not in order.
    pub fn new(normal: Normal, low: Vec<f64>, high: Vec<f64>) -> Result<Self> {
        let d = normal.loc.len();
        if low.len() != d || high.len() != d {
            return Err(Error::shape("truncated", format!("{d} columns, {} lower and {} upper ends", low.len(), high.len())));
        }
        if let Some(i) = (0..d).find(|&i| low[i].is_nan() || high[i].is_nan() || low[i] >= high[i]) {
            return Err(Error::argument(
                "truncated",
                format!("column {i}: the lower end {} is not below the upper end {}", low[i], high[i]),
            ));
        }
        Ok(Truncated { normal, low, high })
    }

    fn distribution<T: Real>(&self) -> Result<TruncatedNormal<T>> {
        TruncatedNormal::new(row(&self.normal.loc), row(&self.normal.scale), row(&self.low), row(&self.high))
    }
}

impl<T: Real> Base<T> for Truncated {
    fn dim(&self) -> usize {
        self.low.len()
    }
    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Result<Var<T>> {
        self.distribution::<T>()?.sample(rng, &[n, self.low.len()])
    }
    fn log_prob(&self, _: &Params<T>, x: &Var<T>) -> Result<Var<T>> {
        check_inside("truncated", x, &self.low, &self.high)?;
        Ok(self.distribution::<T>()?.logpdf(x).sum_axis(1))
    }
}

/// A sum of densities with fixed weights, Σ_k w_k p_k. All of them must have a density at every point that is evaluated.
pub struct Mixture<T: Real> {
    parts: Vec<Box<dyn Base<T>>>,
    weights: Vec<f64>,
}

impl<T: Real> Mixture<T> {
    /// From densities and their weights, which need not add up to 1.
    ///
    /// # Errors
    /// `Shape` if there are not as many weights, or the densities differ in their columns; `Argument` for none, or weights that are not
    /// positive.
    pub fn new(parts: Vec<Box<dyn Base<T>>>, weights: Vec<f64>) -> Result<Self> {
        if parts.len() != weights.len() {
            return Err(Error::shape("mixture", format!("{} densities and {} weights", parts.len(), weights.len())));
        }
        check_numbers("mixture", "weights", &weights, "positive and finite", |x| x > 0.0 && x.is_finite())?;
        let dim = parts[0].dim();
        if let Some(k) = parts.iter().position(|p| p.dim() != dim) {
            return Err(Error::shape("mixture", format!("density {k} has {} columns and density 0 has {dim}", parts[k].dim())));
        }
        let total: f64 = weights.iter().sum();
        Ok(Mixture { parts, weights: weights.iter().map(|w| w / total).collect() })
    }
}

impl<T: Real> Base<T> for Mixture<T> {
    fn dim(&self) -> usize {
        self.parts[0].dim()
    }
    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Result<Var<T>> {
        let chosen = random::weighted_choice(rng, &self.weights, n)?;
        let draws = self.parts.iter().map(|part| part.sample(n, rng)).collect::<Result<Vec<_>>>()?;
        let d = self.dim();
        let rows = chosen.iter().enumerate().flat_map(|(i, &k)| draws[k].as_slice()[i * d..(i + 1) * d].iter().copied());
        Var::from_shape_vec(&[n, d], rows.collect())
    }
    fn log_prob(&self, p: &Params<T>, x: &Var<T>) -> Result<Var<T>> {
        let weighted = |(k, w): (usize, &f64)| Ok(self.parts[k].log_prob(p, x)? + T::from_f64(w.ln()));
        let terms = self.weights.iter().enumerate().map(weighted).collect::<Result<Vec<_>>>()?;
        Ok(stack(&terms, 0).logsumexp_axis(0))
    }
}
