//! What a model is trained towards.

use crate::{Error, Real, Result, Var};
use std::marker::PhantomData;

/// An energy E(x) of the points of ℝᵈ: the density e^{−βE}/Z.
pub trait Target<T: Real>: Send + Sync {
    /// The number of columns d.
    fn dim(&self) -> usize;
    /// The energy of each row of x (batch, dim), of shape (batch), differentiable in x.
    ///
    /// # Errors
    /// For points where there is none, naming the row.
    fn energy(&self, x: &Var<T>) -> Result<Var<T>>;
}

/// A [`Target`] from a closure; made by [`target`].
pub struct FnTarget<T, F> {
    dim: usize,
    energy: F,
    scalar: PhantomData<fn(T)>,
}

/// The target on ℝᵈ with this energy of the rows of a batch.
///
/// ```
/// use pullback::prelude::*;
/// use pullback::variational::{Target, target};
/// // the double well ¼x⁴ − 3x² + x + ½y²
/// let well = target(2, |x: &Var<f64>| {
///     let (x, y) = (x.slice(s![.., 0]), x.slice(s![.., 1]));
///     Ok(0.25 * x.powi(4) - 3.0 * x.square() + x + 0.5 * y.square())
/// });
/// assert_eq!(well.energy(&Var::from(ndarray::array![[2.0, 0.0]]))?.item(), -6.0);
/// # Ok::<(), pullback::Error>(())
/// ```
pub fn target<T: Real, F: Fn(&Var<T>) -> Result<Var<T>> + Send + Sync>(dim: usize, energy: F) -> FnTarget<T, F> {
    FnTarget { dim, energy, scalar: PhantomData }
}

impl<T: Real, F: Fn(&Var<T>) -> Result<Var<T>> + Send + Sync> Target<T> for FnTarget<T, F> {
    fn dim(&self) -> usize {
        self.dim
    }
    fn energy(&self, x: &Var<T>) -> Result<Var<T>> {
        (self.energy)(x)
    }
}

/// The energies of a batch, one for each row.
pub(super) fn energies<T: Real>(target: &dyn Target<T>, x: &Var<T>) -> Result<Var<T>> {
    let e = target.energy(x)?;
    if e.shape() != &x.shape()[..1] {
        let message = format!("the energy of {} points must have shape [{}], the target gave {:?}", x.shape()[0], x.shape()[0], e.shape());
        return Err(Error::shape("Target::energy", message));
    }
    Ok(e)
}

/// Refuses a model and a target of different spaces.
pub(super) fn check_dim(operation: &'static str, model: usize, target: usize) -> Result<()> {
    if model == target {
        return Ok(());
    }
    Err(Error::shape(
        operation,
        format!("the model is a density on {model} columns, the target an energy of {target}: they must be the same"),
    ))
}
