//! Conditioners: what gives a transformer its parameters.

use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::nn::{Activation, Init, Mlp, Params, PeriodicFeatures, Scope};
use crate::ops::{concatenate, s};
use crate::scalar::Real;
use rand::Rng;

/// A function of (batch, inputs) to (batch, outputs), row by row. [`Mlp`] is one.
pub trait Conditioner<T: Real>: Send + Sync {
    /// The number of columns it takes, those of the context among them.
    fn inputs(&self) -> usize;
    /// The number of columns it gives.
    fn outputs(&self) -> usize;
    /// Its value.
    ///
    /// # Errors
    /// `Shape`, and whatever it meets.
    fn forward(&self, p: &Params<T>, x: &Var<T>) -> Result<Var<T>>;
}

impl<T: Real> Conditioner<T> for Mlp {
    fn inputs(&self) -> usize {
        self.layers().first().map_or(0, |l| l.inputs())
    }
    fn outputs(&self) -> usize {
        self.layers().last().map_or(0, |l| l.outputs())
    }
    fn forward(&self, p: &Params<T>, x: &Var<T>) -> Result<Var<T>> {
        Ok(Mlp::forward(self, p, x))
    }
}

/// A multilayer perceptron as a conditioner.
#[derive(Clone, Debug, PartialEq)]
pub struct Net {
    /// The widths of the hidden layers. Default [64, 64].
    pub hidden: Vec<usize>,
    /// The function after each. Default tanh.
    pub activation: Activation,
    /// The number of columns of the context. Default 0: the map is not conditional.
    pub context: usize,
    /// For coordinates on circles of this length: columns enter as cosine and sine. Default none.
    pub period: Option<f64>,
}

impl Default for Net {
    fn default() -> Self {
        Net { hidden: vec![64, 64], activation: Activation::Tanh, context: 0, period: None }
    }
}

impl Net {
    /// These hidden layers, the rest by default.
    pub fn hidden(widths: &[usize]) -> Self {
        Net { hidden: widths.to_vec(), ..Net::default() }
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.hidden.contains(&0) {
            return Err(Error::argument("net", format!("hidden layers of widths {:?}: each must be at least 1", self.hidden)));
        }
        match self.period {
            Some(l) if !(l > 0.0 && l.is_finite()) => {
                Err(Error::argument("net", format!("a period of {l}: it must be positive and finite")))
            }
            _ => Ok(()),
        }
    }

    /// How many features a column becomes.
    pub(super) fn features(&self) -> usize {
        if self.period.is_some() { 2 } else { 1 }
    }

    /// The network of `columns` columns and the context. Its last layer starts at 0, so the map starts as the identity.
    pub(super) fn build<T: Real>(
        &self,
        scope: &mut Scope<'_, T>,
        columns: usize,
        outputs: usize,
        rng: &mut dyn Rng,
    ) -> Result<Box<dyn Conditioner<T>>> {
        self.check()?;
        let mut sizes = vec![columns * self.features() + self.context];
        sizes.extend(&self.hidden);
        sizes.push(outputs);
        if sizes[0] == 0 || outputs == 0 {
            return Err(Error::argument("net", format!("a network of {} inputs and {outputs} outputs", sizes[0])));
        }
        let init = if self.activation == Activation::Relu { Init::HeNormal } else { Init::XavierNormal };
        let mlp = Mlp::with_init(scope, &sizes, self.activation, (init, Init::Zeros), rng);
        Ok(match self.period {
            None => Box::new(mlp),
            Some(period) => Box::new(Periodic { mlp, columns, period }),
        })
    }
}

/// Columns as (cos 2πx/L, sin 2πx/L), the context after them as it is.
struct Periodic {
    mlp: Mlp,
    columns: usize,
    period: f64,
}

/// The first `columns` columns as cosines and sines.
pub(super) fn on_circle<T: Real>(x: &Var<T>, columns: usize, period: f64) -> Var<T> {
    let features = PeriodicFeatures { period, harmonics: 1 };
    if x.shape()[1] == columns {
        return features.forward(x);
    }
    concatenate(&[features.forward(&x.slice(s![.., ..columns])), x.slice(s![.., columns..])], 1)
}

impl<T: Real> Conditioner<T> for Periodic {
    fn inputs(&self) -> usize {
        <Mlp as Conditioner<T>>::inputs(&self.mlp) - self.columns
    }
    fn outputs(&self) -> usize {
        <Mlp as Conditioner<T>>::outputs(&self.mlp)
    }
    fn forward(&self, p: &Params<T>, x: &Var<T>) -> Result<Var<T>> {
        Ok(self.mlp.forward(p, &on_circle(x, self.columns, self.period)))
    }
}

/// x with the context's columns after its own.
pub(super) fn with_context<T: Real>(operation: &'static str, x: Var<T>, context: Option<&Var<T>>, features: usize) -> Result<Var<T>> {
    match context {
        None if features == 0 => Ok(x),
        None => Err(Error::shape(operation, format!("the map is conditional on {features} columns of context, and none was given"))),
        Some(c) if features > 0 && c.shape() == [x.shape()[0], features] => Ok(concatenate(&[x, c.clone()], 1)),
        Some(_) if features == 0 => Ok(x),
        Some(c) => {
            let message = format!("the context has shape {:?}, and ({}, {features}) is needed", c.shape(), x.shape()[0]);
            Err(Error::shape(operation, message))
        }
    }
}

impl<T: Real> Conditioner<T> for Box<dyn Conditioner<T>> {
    fn inputs(&self) -> usize {
        (**self).inputs()
    }
    fn outputs(&self) -> usize {
        (**self).outputs()
    }
    fn forward(&self, p: &Params<T>, x: &Var<T>) -> Result<Var<T>> {
        (**self).forward(p, x)
    }
}
