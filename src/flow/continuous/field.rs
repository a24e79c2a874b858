//! Velocity fields, and the one that is a multilayer perceptron.

use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::nn::{Activation, Init, Mlp, Params, Scope};
use crate::ops::concatenate;
use crate::scalar::Real;
use rand::Rng;

/// A velocity v(t, x; p), row by row.
pub trait VelocityField<T: Real>: Send + Sync + 'static {
    /// The number of columns d.
    fn dim(&self) -> usize;
    /// v at the time t (0-d) and the points x (batch, dim), of the shape of x. `context` (batch, features) is what the flow is conditional on.
    ///
    /// # Errors
    /// `Shape` if the context has the wrong one.
    fn velocity(&self, p: &Params<T>, t: &Var<T>, x: &Var<T>, context: Option<&Var<T>>) -> Result<Var<T>>;
    /// v and its divergence, of shape (batch,), for a field that has the latter in closed form.
    ///
    /// # Errors
    /// As [`VelocityField::velocity`].
    fn with_divergence(&self, p: &Params<T>, t: &Var<T>, x: &Var<T>, context: Option<&Var<T>>) -> Option<Result<(Var<T>, Var<T>)>> {
        let _ = (p, t, x, context);
        None
    }
}

/// Rows (x, t, context), as the input of a network.
pub(super) fn rows<T: Real>(t: &Var<T>, x: &Var<T>, context: Option<&Var<T>>, features: usize) -> Result<Var<T>> {
    let batch = x.shape()[0];
    let found = context.map(|c| c.shape().to_vec());
    if found != (features > 0).then(|| vec![batch, features]) {
        return Err(Error::shape(
            "velocity field",
            format!("the context has shape {found:?}, and {:?} is needed", (features > 0).then_some([batch, features])),
        ));
    }
    let time = t.broadcast_to(&[batch, 1]);
    Ok(match context {
        Some(c) => concatenate(&[x.clone(), time, c.clone()], 1),
        None => concatenate(&[x.clone(), time], 1),
    })
}

/// A multilayer perceptron in (x, t, context) with tanh between its layers. The last layer starts at zero, so that the flow starts as the
/// identity.
#[derive(Clone, Debug)]
pub struct MlpField {
    net: Mlp,
    dim: usize,
    features: usize,
}

impl MlpField {
    /// With these hidden widths, for points of `dim` columns and a context of `features` (0 for none).
    ///
    /// # Panics
    /// If a width is 0, or the names are taken in the scope.
    #[track_caller]
    pub fn new<T: Real>(scope: &mut Scope<'_, T>, dim: usize, features: usize, hidden: &[usize], rng: &mut dyn Rng) -> Self {
        let sizes = [&[dim + 1 + features], hidden, &[dim]].concat();
        let net = Mlp::with_init(scope, &sizes, Activation::Tanh, (Init::XavierNormal, Init::Zeros), rng);
        MlpField { net, dim, features }
    }
}

impl<T: Real> VelocityField<T> for MlpField {
    fn dim(&self) -> usize {
        self.dim
    }
    fn velocity(&self, p: &Params<T>, t: &Var<T>, x: &Var<T>, context: Option<&Var<T>>) -> Result<Var<T>> {
        Ok(self.net.forward(p, &rows(t, x, context, self.features)?))
    }
}
