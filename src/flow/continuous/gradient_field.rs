//! Gradient fields v = ∇φ: the flow of a fluid without rotation, whose divergence is the Laplacian of φ (Zhang, E and Wang, "Monge–Ampère
//! flow for generative modeling", arXiv:1809.10188). A potential that is symmetric gives a flow that is equivariant.

use super::field::{VelocityField, rows};
use crate::autodiff::{Var, vjp};
use crate::error::{Error, Result};
use crate::flow::Group;
use crate::nn::{Activation, Mlp, Params, Scope};
use crate::scalar::Real;
use rand::Rng;

/// A scalar potential φ(t, x; p), row by row.
pub trait Potential<T: Real>: Send + Sync + 'static {
    /// The number of columns of x.
    fn dim(&self) -> usize;
    /// φ at the time t (0-d) and the points x (batch, dim), of shape (batch,).
    ///
    /// # Errors
    /// `Shape` if the context has the wrong one.
    fn potential(&self, p: &Params<T>, t: &Var<T>, x: &Var<T>, context: Option<&Var<T>>) -> Result<Var<T>>;
}

/// v = ∇φ.
#[derive(Clone, Debug)]
pub struct GradientField<P>(pub P);

impl<T: Real, P: Potential<T>> VelocityField<T> for GradientField<P> {
    fn dim(&self) -> usize {
        self.0.dim()
    }
    fn velocity(&self, p: &Params<T>, t: &Var<T>, x: &Var<T>, context: Option<&Var<T>>) -> Result<Var<T>> {
        let (phi, pull) = vjp(|x: &Var<T>| self.0.potential(p, t, x, context), x)?;
        if phi.shape() != &x.shape()[..1] {
            let message = format!("the potential has shape {:?}, and one number for each of {} rows is needed", phi.shape(), x.shape()[0]);
            return Err(Error::shape("gradient field", message));
        }
        // a row's potential depends on that row alone, so the gradient of the sum is the gradient of each
        pull.call(&phi.ones_like())
    }
}

/// φ as a multilayer perceptron in (x, t, context) with ln cosh between its layers, smooth as a potential must be.
#[derive(Clone, Debug)]
pub struct MlpPotential {
    net: Mlp,
    dim: usize,
    features: usize,
}

impl MlpPotential {
    /// With these hidden widths, for points of `dim` columns and a context of `features` (0 for none).
    ///
    /// # Panics
    /// If a width is 0, or the names are taken in the scope.
    #[track_caller]
    pub fn new<T: Real>(scope: &mut Scope<'_, T>, dim: usize, features: usize, hidden: &[usize], rng: &mut dyn Rng) -> Self {
        let net = Mlp::new(scope, &[&[dim + 1 + features], hidden, &[1]].concat(), Activation::LnCosh, rng);
        MlpPotential { net, dim, features }
    }
}

impl<T: Real> Potential<T> for MlpPotential {
    fn dim(&self) -> usize {
        self.dim
    }
    fn potential(&self, p: &Params<T>, t: &Var<T>, x: &Var<T>, context: Option<&Var<T>>) -> Result<Var<T>> {
        Ok(self.net.forward(p, &rows(t, x, context, self.features)?).reshape(&[x.shape()[0]]))
    }
}

/// The mean of a potential over a finite group of orthogonal maps, 1/|G| Σ_g φ(g⁻¹x): invariant, so that its gradient field and the flow
/// commute with the group.
#[derive(Clone)]
pub struct Symmetrized<P> {
    potential: P,
    group: Group,
}

impl<P> Symmetrized<P> {
    /// Makes a potential symmetric.
    ///
    /// # Errors
    /// `Shape` if the group acts on another number of columns.
    pub fn new<T: Real>(potential: P, group: Group) -> Result<Self>
    where
        P: Potential<T>,
    {
        if group.dim() != potential.dim() {
            let message = format!("a group that acts on {} columns and a potential of {}", group.dim(), potential.dim());
            return Err(Error::shape("Symmetrized", message));
        }
        Ok(Symmetrized { potential, group })
    }
}

impl<T: Real, P: Potential<T>> Potential<T> for Symmetrized<P> {
    fn dim(&self) -> usize {
        self.potential.dim()
    }
    fn potential(&self, p: &Params<T>, t: &Var<T>, x: &Var<T>, context: Option<&Var<T>>) -> Result<Var<T>> {
        let mut sum = Var::zeros(&[x.shape()[0]]);
        for g in 0..self.group.order() {
            sum += self.potential.potential(p, t, &self.group.apply_inverse(g, x), context)?;
        }
        Ok(sum * T::from_f64(1.0 / self.group.order() as f64))
    }
}
