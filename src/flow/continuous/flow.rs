//! [`ContinuousFlow`]: a velocity field, integrated, as a bijection.

use super::divergence::Divergence;
use super::field::VelocityField;
use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::flow::Bijection;
use crate::nn::Params;
use crate::ode::{Method, OdeOptions, Stepping, odeint};
use crate::scalar::Real;
use std::sync::Arc;

/// The map x(0) ↦ x(1) of ẋ = v(t, x), with ln|det| = ∫₀¹ ∇·v dt; the inverse is the same solve backwards in time.
///
/// Of a solve with finite steps, forward and inverse agree to its accuracy, and so do ln|det| and the map's own Jacobian: a training that
/// drives a field beyond what the steps resolve gains where it should not. [`ContinuousFlow::with_options`] chooses method, steps and adjoint;
/// the default is the classical Runge–Kutta method with 16 steps and the discrete adjoint.
///
/// Parameters, points and context are differentiated in both modes, to the orders that [`crate::ode`] gives.
pub struct ContinuousFlow<T: Real> {
    field: Arc<dyn VelocityField<T>>,
    divergence: Divergence,
    options: OdeOptions,
}

impl<T: Real> Clone for ContinuousFlow<T> {
    fn clone(&self) -> Self {
        ContinuousFlow { field: self.field.clone(), ..*self }
    }
}

impl<T: Real> std::fmt::Debug for ContinuousFlow<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ContinuousFlow(dim {}, {:?}, {:?})", self.field.dim(), self.divergence, self.options)
    }
}

impl<T: Real> ContinuousFlow<T> {
    /// The flow of a field, with the defaults above.
    pub fn new(field: impl VelocityField<T>) -> Self {
        let options = OdeOptions { method: Method::Rk4, stepping: Stepping::Fixed { step: 1.0 / 16.0 }, ..Default::default() };
        ContinuousFlow { field: Arc::new(field), divergence: Divergence::Automatic, options }
    }

    /// Another way to the divergence.
    pub fn with_divergence(self, divergence: Divergence) -> Self {
        ContinuousFlow { divergence, ..self }
    }

    /// Another method, other steps, another adjoint.
    pub fn with_options(self, options: OdeOptions) -> Self {
        ContinuousFlow { options, ..self }
    }

    /// The options of the solve.
    pub fn options(&self) -> &OdeOptions {
        &self.options
    }

    /// v and ∇·v at the time t, as the solve computes them: of shapes (batch, dim) and (batch,).
    ///
    /// # Errors
    /// As [`Bijection::forward`].
    pub fn field(&self, p: &Params<T>, t: f64, x: &Var<T>, context: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)> {
        self.check(x)?;
        let noise = self.divergence.draw(x.shape())?;
        self.divergence.evaluate(&*self.field, p, &Var::scalar(T::from_f64(t)), x, context, &noise)
    }

    fn check(&self, x: &Var<T>) -> Result<()> {
        match x.shape() {
            &[_, d] if d == self.field.dim() => Ok(()),
            found => {
                Err(Error::shape("continuous flow", format!("points have shape {found:?}, and (batch, {}) is needed", self.field.dim())))
            }
        }
    }

    fn solve(&self, p: &Params<T>, x: &Var<T>, context: Option<&Var<T>>, times: [f64; 2]) -> Result<(Var<T>, Var<T>)> {
        self.check(x)?;
        let batch = x.shape()[0];
        if batch == 0 {
            return Ok((x.clone(), Var::zeros(&[0])));
        }
        // everything that derivatives go through comes to the field as a parameter
        let context: Vec<Var<T>> = context.cloned().into_iter().collect();
        let (field, divergence, noise) = (self.field.clone(), self.divergence, self.divergence.draw(x.shape())?);
        let rate = move |t: &Var<f64>, (x, _): &(Var<T>, Var<T>), (p, context): &(Params<T>, Vec<Var<T>>)| {
            divergence.evaluate(&*field, p, &t.astype(), x, context.first(), &noise)
        };
        let start = (x.clone(), Var::zeros(&[batch]));
        let solution = odeint(rate, &start, &Var::from(times), &(p.clone(), context), &self.options)?;
        Ok((solution.y.0.row(1), solution.y.1.row(1)))
    }
}

impl<T: Real> Bijection<T> for ContinuousFlow<T> {
    fn dim(&self) -> usize {
        self.field.dim()
    }
    fn forward(&self, p: &Params<T>, x: &Var<T>, context: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)> {
        self.solve(p, x, context, [0.0, 1.0])
    }
    fn inverse(&self, p: &Params<T>, y: &Var<T>, context: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)> {
        self.solve(p, y, context, [1.0, 0.0])
    }
}
