//! Autoregressive maps: column i is transformed with parameters from the columns before it.
//!
//! One masked network (MADE; Germain et al., arXiv:1502.03509) gives all parameters θ_i(u_1, …, u_{i−1}) in one pass. Two maps are made of it:
//!
//! - inverse autoregressive (Kingma et al., arXiv:1606.04934), y_i = τ(x_i; θ_i(x_{<i})): forward, from noise to sample, is one pass and the inverse
//!   takes d of them, one column at a time;
//! - masked autoregressive (Papamakarios, Pavlakou and Murray, arXiv:1705.07057), x_i = τ⁻¹(y_i; θ_i(y_{<i})): the inverse, from data to
//!   noise, is one pass and forward takes d.
//!
//! The Jacobian is triangular either way, ln|det| = Σ_i ln τ′. The passes of the slow direction are recorded one after the other, so it is differentiated like any
//! other computation.

use super::conditioner::{Net, on_circle, with_context};
use super::density::check_shape;
use super::{Bijection, Transformer};
use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::nn::{Activation, Init, Linear, Params, Scope};
use crate::ops::{concatenate, s};
use crate::scalar::Real;
use rand::Rng;

/// A perceptron whose outputs for column i depend on the columns before i, and on the context.
struct Made<T: Real> {
    layers: Vec<(Linear, Var<T>)>,
    activation: Activation,
    columns: usize,
    period: Option<f64>,
}

impl<T: Real> Made<T> {
    /// `column_of[j]` is the column that output j belongs to.
    fn new(scope: &mut Scope<'_, T>, net: &Net, columns: usize, column_of: &[usize], rng: &mut dyn Rng) -> Result<Self> {
        net.check()?;
        // degree m: depends on columns 0, …, m − 1; units of degree 0 see the context alone
        let inputs: Vec<usize> =
            (0..columns * net.features()).map(|i| i % columns + 1).chain(std::iter::repeat_n(0, net.context)).collect();
        let hidden = net.hidden.iter().map(|&width| (0..width).map(|k| k % columns).collect::<Vec<_>>());
        let degrees: Vec<Vec<usize>> = std::iter::once(inputs).chain(hidden).chain([column_of.to_vec()]).collect();
        let init = if net.activation == Activation::Relu { Init::HeNormal } else { Init::XavierNormal };
        let layers = degrees
            .windows(2)
            .enumerate()
            .map(|(k, pair)| {
                let (from, to) = (&pair[0], &pair[1]);
                let last = k + 2 == degrees.len();
                let mask = from.iter().flat_map(|a| to.iter().map(move |b| if a <= b { T::one() } else { T::zero() })).collect();
                let mask = Var::from_shape_vec(&[from.len(), to.len()], mask).expect("as many pairs");
                let init = if last { Init::Zeros } else { init };
                (Linear::new(&mut scope.scope(k), from.len(), to.len(), init, rng), mask)
            })
            .collect();
        Ok(Made { layers, activation: net.activation, columns, period: net.period })
    }

    fn forward(&self, p: &Params<T>, x: &Var<T>) -> Var<T> {
        let mut h = match self.period {
            Some(period) => on_circle(x, self.columns, period),
            None => x.clone(),
        };
        for (k, (layer, mask)) in self.layers.iter().enumerate() {
            let z = h.matmul(p.get(layer.weight()) * mask);
            let z = layer.bias().map_or(z.clone(), |b| z + p.get(b));
            h = if k + 1 == self.layers.len() { z } else { self.activation.apply(&z) };
        }
        h
    }
}

/// An autoregressive map in either direction, see the module's head.
pub struct Autoregressive<T: Real> {
    made: Made<T>,
    transformer: Box<dyn Transformer<T>>,
    dim: usize,
    context: usize,
    /// Whether the inverse is the direction of one pass.
    masked: bool,
    /// The entries of θ's rows that belong to each column.
    entries: Vec<Vec<usize>>,
}

const NAME: &str = "autoregressive";

impl<T: Real> Autoregressive<T> {
    /// The masked autoregressive map (MAF): densities in one pass, samples in `dim`.
    ///
    /// # Errors
    /// `Argument` for no columns or options out of range.
    pub fn masked(
        scope: &mut Scope<'_, T>,
        dim: usize,
        transformer: impl Transformer<T> + 'static,
        net: &Net,
        rng: &mut dyn Rng,
    ) -> Result<Self> {
        Self::build(scope, dim, Box::new(transformer), net, true, rng)
    }

    /// The inverse autoregressive map (IAF): samples with their densities in one pass, densities of other points in `dim`.
    ///
    /// # Errors
    /// As [`Autoregressive::masked`].
    pub fn inverse(
        scope: &mut Scope<'_, T>,
        dim: usize,
        transformer: impl Transformer<T> + 'static,
        net: &Net,
        rng: &mut dyn Rng,
    ) -> Result<Self> {
        Self::build(scope, dim, Box::new(transformer), net, false, rng)
    }

    fn build(
        scope: &mut Scope<'_, T>,
        dim: usize,
        transformer: Box<dyn Transformer<T>>,
        net: &Net,
        masked: bool,
        rng: &mut dyn Rng,
    ) -> Result<Self> {
        if dim == 0 {
            return Err(Error::argument(NAME, "0 columns: there must be at least one"));
        }
        let column_of: Vec<usize> = (0..dim * transformer.parameters()).map(|j| transformer.column(j, dim)).collect();
        let made = Made::new(scope, net, dim, &column_of, rng)?;
        let entries = (0..dim).map(|i| (0..column_of.len()).filter(|&j| column_of[j] == i).collect()).collect();
        Ok(Autoregressive { made, transformer, dim, context: net.context, masked, entries })
    }

    fn theta(&self, p: &Params<T>, known: Var<T>, context: Option<&Var<T>>) -> Result<Var<T>> {
        Ok(self.made.forward(p, &with_context(NAME, known, context, self.context)?))
    }

    /// All columns at once: the parameters depend on what is given.
    fn one_pass(&self, p: &Params<T>, given: &Var<T>, context: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)> {
        let theta = self.theta(p, given.clone(), context)?;
        let (out, l) = if self.masked { self.transformer.inverse(given, &theta)? } else { self.transformer.forward(given, &theta)? };
        Ok((out, l.sum_axis(1)))
    }

    /// Column by column: the parameters depend on what is sought.
    fn by_columns(&self, p: &Params<T>, given: &Var<T>, context: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)> {
        let n = given.shape()[0];
        let mut found: Vec<Var<T>> = Vec::with_capacity(self.dim);
        let mut log_volume: Option<Var<T>> = None;
        for i in 0..self.dim {
            let mut known = found.clone();
            // what stands in the columns that are not known yet is not read
            known.push(Var::zeros(&[n, self.dim - i]));
            let theta = self.theta(p, concatenate(&known, 1), context)?.index_select(&self.entries[i], 1);
            let column = given.slice(s![.., i..i + 1]);
            let (out, l) =
                if self.masked { self.transformer.forward(&column, &theta)? } else { self.transformer.inverse(&column, &theta)? };
            found.push(out);
            let l = l.reshape(&[n]);
            log_volume = Some(log_volume.map_or(l.clone(), |sum| sum + l));
        }
        Ok((concatenate(&found, 1), log_volume.expect("at least one column")))
    }
}

impl<T: Real> Bijection<T> for Autoregressive<T> {
    fn dim(&self) -> usize {
        self.dim
    }
    fn forward(&self, p: &Params<T>, x: &Var<T>, context: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)> {
        check_shape(NAME, x, self.dim)?;
        if self.masked { self.by_columns(p, x, context) } else { self.one_pass(p, x, context) }
    }
    fn inverse(&self, p: &Params<T>, y: &Var<T>, context: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)> {
        check_shape(NAME, y, self.dim)?;
        if self.masked { self.one_pass(p, y, context) } else { self.by_columns(p, y, context) }
    }
}
