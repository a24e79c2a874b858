//! A transformer of each column, with parameters of its own or from the context: affine maps and one-dimensional splines.

use super::conditioner::{Conditioner, Net, with_context};
use super::density::check_shape;
use super::{Bijection, Transformer};
use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::nn::{Param, Params, Scope};
use crate::scalar::Real;
use rand::Rng;

/// y_i = τ(x_i; θ_i): columns apart, with trained θ, or θ from a network of the context.
///
/// With [`Scale`](super::Scale) it is the affine map y = x eˢ + t.
pub struct Elementwise<T: Real> {
    transformer: Box<dyn Transformer<T>>,
    dim: usize,
    parameters: Source<T>,
}

enum Source<T: Real> {
    Own(Param),
    Context(Box<dyn Conditioner<T>>, usize),
}

const NAME: &str = "elementwise";

impl<T: Real> Elementwise<T> {
    /// With trained parameters, named `theta` in the scope, that start at 0.
    ///
    /// # Errors
    /// `Argument` for no columns.
    pub fn new(scope: &mut Scope<'_, T>, dim: usize, transformer: impl Transformer<T> + 'static) -> Result<Self> {
        let width = Self::width(dim, &transformer)?;
        let parameters = Source::Own(scope.param("theta", Var::zeros(&[width])));
        Ok(Elementwise { transformer: Box::new(transformer), dim, parameters })
    }

    /// With parameters from a network of the context's `net.context` columns.
    ///
    /// # Errors
    /// `Argument` for no columns, or no context.
    pub fn conditional(
        scope: &mut Scope<'_, T>,
        dim: usize,
        transformer: impl Transformer<T> + 'static,
        net: &Net,
        rng: &mut dyn Rng,
    ) -> Result<Self> {
        let width = Self::width(dim, &transformer)?;
        let network = Net { period: None, ..net.clone() }.build(scope, 0, width, rng)?;
        Ok(Elementwise { transformer: Box::new(transformer), dim, parameters: Source::Context(network, net.context) })
    }

    fn width(dim: usize, transformer: &impl Transformer<T>) -> Result<usize> {
        if dim == 0 { Err(Error::argument(NAME, "0 columns: there must be at least one")) } else { Ok(dim * transformer.parameters()) }
    }

    fn theta(&self, p: &Params<T>, x: &Var<T>, context: Option<&Var<T>>) -> Result<Var<T>> {
        let n = x.shape()[0];
        match &self.parameters {
            Source::Own(theta) => {
                let theta = p.get(*theta);
                Ok(theta.reshape(&[1, theta.len()]).broadcast_to(&[n, theta.len()]))
            }
            Source::Context(network, features) => network.forward(p, &with_context(NAME, Var::zeros(&[n, 0]), context, *features)?),
        }
    }
}

impl<T: Real> Bijection<T> for Elementwise<T> {
    fn dim(&self) -> usize {
        self.dim
    }
    fn forward(&self, p: &Params<T>, x: &Var<T>, context: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)> {
        check_shape(NAME, x, self.dim)?;
        let (y, l) = self.transformer.forward(x, &self.theta(p, x, context)?)?;
        Ok((y, l.sum_axis(1)))
    }
    fn inverse(&self, p: &Params<T>, y: &Var<T>, context: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)> {
        check_shape(NAME, y, self.dim)?;
        let (x, l) = self.transformer.inverse(y, &self.theta(p, y, context)?)?;
        Ok((x, l.sum_axis(1)))
    }
}
