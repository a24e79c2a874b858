//! [`Flow`]: a base and a bijection, drawn from and evaluated.

use super::symmetry::Group;
use super::{Base, Bijection, Direction};
use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::nn::Params;
use crate::ops::stack;
use crate::scalar::Real;
use rand::{Rng, RngExt};

/// The density of x = f(z), z drawn from the base: ln q(x) = ln p(z) − ln|det ∂f/∂z|.
pub struct Flow<T: Real> {
    base: Box<dyn Base<T>>,
    bijection: Box<dyn Bijection<T>>,
    group: Option<Group>,
}

/// What a draw is made of, before the parameters come in: constants, drawn once and mapped as often as needed.
#[derive(Clone, Debug)]
pub struct Noise<T: Real> {
    z: Var<T>,
    /// Which element of the symmetry group each row is moved by.
    element: Vec<usize>,
}

impl<T: Real> Noise<T> {
    /// The draws from the base, of shape (n, dim).
    pub fn z(&self) -> &Var<T> {
        &self.z
    }
    /// The number of draws.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.z.shape()[0]
    }
}

/// Chosen points of the base in place of draws; no symmetry moves them.
impl<T: Real> From<Var<T>> for Noise<T> {
    fn from(z: Var<T>) -> Self {
        Noise { z, element: Vec::new() }
    }
}

const NAME: &str = "flow";

impl<T: Real> Flow<T> {
    /// From a base and a bijection.
    ///
    /// # Errors
    /// `Shape` if they have not the same number of columns.
    pub fn new(base: impl Base<T> + 'static, bijection: impl Bijection<T> + 'static) -> Result<Self> {
        let (b, d) = (base.dim(), bijection.dim());
        if b != d {
            return Err(Error::shape(NAME, format!("the base has {b} columns and the bijection {d}: they must be the same")));
        }
        Ok(Flow { base: Box::new(base), bijection: Box::new(bijection), group: None })
    }

    /// The same density averaged over a finite group, q(x) = 1/|G| Σ_g q₀(g⁻¹x): exactly symmetric, and drawn from by moving each
    /// draw of q₀ by a random element.
    ///
    /// # Errors
    /// `Shape` if the group acts on another number of columns.
    pub fn symmetrized(self, group: Group) -> Result<Self> {
        if group.dim() != self.dim() {
            return Err(Error::shape(NAME, format!("a group that acts on {} columns and a flow of {}", group.dim(), self.dim())));
        }
        Ok(Flow { group: Some(group), ..self })
    }

    /// The number of columns d.
    pub fn dim(&self) -> usize {
        self.bijection.dim()
    }

    /// The base.
    pub fn base(&self) -> &dyn Base<T> {
        &*self.base
    }

    /// The bijection.
    pub fn bijection(&self) -> &dyn Bijection<T> {
        &*self.bijection
    }

    /// Sets the parameters that depend on the first data: those of [`ActNorm`](super::ActNorm).
    ///
    /// # Errors
    /// As [`Flow::log_prob`].
    pub fn initialize(&self, p: &mut Params<T>, data: &Var<T>, context: Option<&Var<T>>) -> Result<()> {
        check_points("initialize", data, self.dim())?;
        self.bijection.initialize(p, data, Direction::Inverse, context).map(|_| ())
    }

    /// What n draws are made of.
    ///
    /// # Errors
    /// Those of the base.
    pub fn noise(&self, n: usize, rng: &mut dyn Rng) -> Result<Noise<T>> {
        let z = self.base.sample(n, rng)?;
        let element = match &self.group {
            Some(group) => (0..n).map(|_| rng.random_range(0..group.order())).collect(),
            None => Vec::new(),
        };
        Ok(Noise { z, element })
    }

    /// n draws, of shape (n, dim).
    ///
    /// # Errors
    /// Those of the base and the bijection.
    pub fn sample(&self, p: &Params<T>, n: usize, rng: &mut dyn Rng) -> Result<Var<T>> {
        let noise = self.noise(n, rng)?;
        self.push(p, &noise, None).map(|(x, _)| x)
    }

    /// Draws that carry derivatives in the parameters, of shape (n, dim), and ln q of each, of shape (n,).
    ///
    /// # Errors
    /// As [`Flow::sample`].
    pub fn rsample(&self, p: &Params<T>, noise: &Noise<T>) -> Result<(Var<T>, Var<T>)> {
        self.rsample_given(p, noise, None)
    }

    /// ln q of each row of x, of shape (batch,).
    ///
    /// # Errors
    /// `Shape`; `NonFinite` for a row that is not finite, naming it; those of the bijection and the base.
    pub fn log_prob(&self, p: &Params<T>, x: &Var<T>) -> Result<Var<T>> {
        self.log_prob_given(p, x, None)
    }

    /// [`Flow::sample`] given a context of shape (n, features), a draw for each row.
    ///
    /// # Errors
    /// As [`Flow::sample`].
    pub fn sample_given(&self, p: &Params<T>, context: &Var<T>, rng: &mut dyn Rng) -> Result<Var<T>> {
        let noise = self.noise(context.shape().first().copied().unwrap_or(0), rng)?;
        self.push(p, &noise, Some(context)).map(|(x, _)| x)
    }

    /// [`Flow::rsample`] given a context of shape (n, features).
    ///
    /// # Errors
    /// As [`Flow::sample`].
    pub fn rsample_given(&self, p: &Params<T>, noise: &Noise<T>, context: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)> {
        let (x, log_volume) = self.push(p, noise, context)?;
        if self.group.is_some() {
            let log_q = self.log_prob_given(p, &x, context)?;
            return Ok((x, log_q));
        }
        let log_q = self.base.log_prob(p, &noise.z)? - log_volume;
        Ok((x, log_q))
    }

    /// [`Flow::log_prob`] given a context of shape (batch, features).
    ///
    /// # Errors
    /// As [`Flow::log_prob`].
    pub fn log_prob_given(&self, p: &Params<T>, x: &Var<T>, context: Option<&Var<T>>) -> Result<Var<T>> {
        check_points("log_prob", x, self.dim())?;
        let Some(group) = &self.group else { return self.log_prob_once(p, x, context) };
        let orbit = (0..group.order()).map(|g| self.log_prob_once(p, &group.apply_inverse(g, x), context)).collect::<Result<Vec<_>>>()?;
        Ok(stack(&orbit, 0).logsumexp_axis(0) - T::from_f64((group.order() as f64).ln()))
    }

    fn push(&self, p: &Params<T>, noise: &Noise<T>, context: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)> {
        let (x, log_volume) = self.bijection.forward(p, &noise.z, context)?;
        Ok(match &self.group {
            Some(group) if !noise.element.is_empty() => (group.apply_rows(&noise.element, &x), log_volume),
            _ => (x, log_volume),
        })
    }

    fn log_prob_once(&self, p: &Params<T>, x: &Var<T>, context: Option<&Var<T>>) -> Result<Var<T>> {
        let (z, log_volume) = self.bijection.inverse(p, x, context)?;
        Ok(self.base.log_prob(p, &z)? + log_volume)
    }
}

impl<T: Real> std::fmt::Debug for Flow<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Flow(dim {}, {} symmetries)", self.dim(), self.group.as_ref().map_or(1, Group::order))
    }
}

/// Finite rows of the right number of columns.
pub(crate) fn check_points<T: Real>(operation: &'static str, x: &Var<T>, dim: usize) -> Result<()> {
    check_shape(operation, x, dim)?;
    match x.as_slice().iter().position(|x| !x.is_finite()) {
        Some(i) => Err(Error::non_finite(operation, format!("row {}, column {} is {}", i / dim, i % dim, x.as_slice()[i]))),
        None => Ok(()),
    }
}

/// Rows of the right number of columns.
pub(crate) fn check_shape<T: Real>(operation: &'static str, x: &Var<T>, dim: usize) -> Result<()> {
    match x.shape() {
        &[_, d] if d == dim => Ok(()),
        found => Err(Error::shape(operation, format!("points have shape {found:?}, and (batch, {dim}) is needed"))),
    }
}
