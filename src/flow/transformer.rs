//! Transformers: increasing maps of one number whose parameters come from elsewhere, the building block of coupling and autoregressive
//! maps.

use super::Direction;
use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::ops::concatenate;
use crate::scalar::Real;

/// A monotone map y = τ(x; θ) of each entry of x (batch, columns), with θ (batch, columns · parameters) from a network.
///
/// Those with a closed form are the identity at θ = 0, so a map whose network ends in zeros starts as the identity.
pub trait Transformer<T: Real>: Send + Sync {
    /// Raw parameters for each column.
    fn parameters(&self) -> usize;
    /// The column, of `columns`, that this entry of θ's rows belongs to.
    fn column(&self, parameter: usize, columns: usize) -> usize;
    /// y and ln|∂y/∂x|, both (batch, columns).
    ///
    /// # Errors
    /// `Shape`; `Argument` for points outside the domain.
    fn forward(&self, x: &Var<T>, theta: &Var<T>) -> Result<(Var<T>, Var<T>)>;
    /// x and ln|∂x/∂y|, both (batch, columns).
    ///
    /// # Errors
    /// As [`Transformer::forward`].
    fn inverse(&self, y: &Var<T>, theta: &Var<T>) -> Result<(Var<T>, Var<T>)>;
    /// The map of the columns `moved` of x (batch, dim), the others as they are, with the logarithm of each row, (batch,). θ is that of
    /// the moved columns. Only speed is gained by giving this another body.
    ///
    /// # Errors
    /// As [`Transformer::forward`].
    fn of_columns(&self, direction: Direction, x: &Var<T>, moved: &[usize], theta: &Var<T>) -> Result<(Var<T>, Var<T>)> {
        let part = x.index_select(moved, 1);
        let (part, l) = match direction {
            Direction::Forward => self.forward(&part, theta)?,
            Direction::Inverse => self.inverse(&part, theta)?,
        };
        let d = x.shape()[1];
        // columns from (x, part): those of x that stay, those of the part that are new
        let mut from: Vec<usize> = (0..d).collect();
        moved.iter().enumerate().for_each(|(k, &column)| from[column] = d + k);
        Ok((concatenate(&[x.clone(), part], 1).index_select(&from, 1), l.sum_axis(1)))
    }
}

pub(super) fn check_theta<T: Real>(operation: &'static str, x: &Var<T>, theta: &Var<T>, each: usize) -> Result<usize> {
    match (x.shape(), theta.shape()) {
        (&[n, k], &[rows, width]) if rows == n && width == k * each => Ok(k),
        (x, theta) => Err(Error::shape(operation, format!("points {x:?} need raw parameters (batch, columns · {each}), got {theta:?}"))),
    }
}

/// y = x + t (Dinh et al., *NICE*, arXiv:1410.8516): volume is preserved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Additive;

impl<T: Real> Transformer<T> for Additive {
    fn parameters(&self) -> usize {
        1
    }
    fn column(&self, parameter: usize, columns: usize) -> usize {
        parameter % columns
    }
    fn forward(&self, x: &Var<T>, theta: &Var<T>) -> Result<(Var<T>, Var<T>)> {
        check_theta("additive", x, theta, 1)?;
        Ok((x + theta, x.zeros_like()))
    }
    fn inverse(&self, y: &Var<T>, theta: &Var<T>) -> Result<(Var<T>, Var<T>)> {
        check_theta("additive", y, theta, 1)?;
        Ok((y - theta, y.zeros_like()))
    }
}
