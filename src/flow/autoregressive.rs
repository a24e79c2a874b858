//! Autoregressive maps: column i is transformed with parameters from the columns before it.
//!
//! One masked network (MADE; Germain et al., arXiv:1502.03509) gives all parameters θ_i(u_1, …, u_{i−1}) in one pass. Two maps are made of
//! it:
//!
//! - inverse autoregressive (Kingma et al., arXiv:1606.04934), y_i = τ(x_i; θ_i(x_{<i})): forward, from noise to sample, is one pass and
//!   the inverse takes d of them, one column at a time;
//! - masked autoregressive (Papamakarios, Pavlakou and Murray, arXiv:1705.07057), x_i = τ⁻¹(y_i; θ_i(y_{<i})): the inverse, from data to
//!   noise, is one pass and forward takes d.
//!
//! The Jacobian is triangular either way, ln|det| = Σ_i ln τ′. The passes of the slow direction are recorded one after the other, so it is
//! differentiated like any other computation.

use super::conditioner::{Net, on_circle, with_context};
use super::density::check_shape;
use super::{Bijection, Transformer};
use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::nn::{Activation, Init, MaskedLinear, Params, Scope};
use crate::ops::{concatenate, s};
use crate::scalar::Real;
use ndarray::Array2;
use rand::Rng;

/// A perceptron whose outputs for column i depend on the columns before i, and on the context.
struct Made {
    layers: Vec<MaskedLinear>,
    activation: Activation,
    columns: usize,
    period: Option<f64>,
}

impl Made {
    /// `column_of[j]` is the column that output j belongs to.
    fn new<T: Real>(scope: &mut Scope<'_, T>, net: &Net, columns: usize, column_of: &[usize], rng: &mut dyn Rng) -> Result<Self> {
        net.check()?;
        // degree m: depends on columns 0, …, m − 1; units of degree 0 see the context alone
        let inputs: Vec<usize> =
            (0..columns * net.features()).map(|i| i % columns + 1).chain(std::iter::repeat_n(0, net.context)).collect();
        let hidden = net.hidden.iter().map(|&width| (0..width).map(|k| k % columns).collect::<Vec<_>>());
        let degrees: Vec<Vec<usize>> = std::iter::once(inputs).chain(hidden).chain([column_of.to_vec()]).collect();
        let init = if net.activation == Activation::Relu { Init::HeNormal } else { Init::XavierNormal };
        let layer = |k: usize| {
            let (from, to) = (&degrees[k], &degrees[k + 1]);
            let mask = Array2::from_shape_fn((from.len(), to.len()), |(a, b)| from[a] <= to[b]);
            let init = if k + 2 == degrees.len() { Init::Zeros } else { init };
            MaskedLinear::new(&mut scope.scope(k), mask, init, rng)
        };
        Ok(Made { layers: (0..degrees.len() - 1).map(layer).collect(), activation: net.activation, columns, period: net.period })
    }

    fn forward<T: Real>(&self, p: &Params<T>, x: &Var<T>) -> Var<T> {
        let x = match self.period {
            Some(period) => on_circle(x, self.columns, period),
            None => x.clone(),
        };
        let (last, hidden) = self.layers.split_last().expect("a layer of outputs");
        last.forward(p, &hidden.iter().fold(x, |h, layer| layer.activated(p, &h, self.activation)))
    }
}

/// An autoregressive map in either direction, see the module's head.
pub struct Autoregressive<T: Real> {
    made: Made,
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
