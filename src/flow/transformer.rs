//! Transformers: increasing maps of one number whose parameters come from elsewhere, the building block of coupling and autoregressive maps.

use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::ops::{s, zip_map};
use crate::scalar::{Num, Number, Real, ScalarFn};

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

/// y = x eˢ + t, with s = c tanh(r/c) of the raw r (Dinh et al., *Real NVP*, arXiv:1605.08803). θ's rows hold all r, then all t.
///
/// The bound c keeps scales within [e⁻ᶜ, eᶜ]; at infinity s = r.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    bound: f64,
}

impl Default for Scale {
    /// A bound of 1.
    fn default() -> Self {
        Scale { bound: 1.0 }
    }
}

impl Scale {
    /// With this bound on |ln scale|, infinity for none.
    ///
    /// # Errors
    /// `Argument` unless it is positive.
    pub fn bounded(bound: f64) -> Result<Self> {
        if bound > 0.0 { Ok(Scale { bound }) } else { Err(Error::argument("scale", format!("the bound {bound} must be positive"))) }
    }

    #[inline(always)]
    fn log_scale<S: Number>(&self, r: Num<S>) -> Num<S> {
        if self.bound == 1.0 {
            r.tanh()
        } else if self.bound.is_finite() {
            self.bound * (r / self.bound).tanh()
        } else {
            r
        }
    }
}

/// (x, r, t) → (x eˢ + t, s)
#[derive(Clone, Copy)]
struct Forward(Scale);
impl ScalarFn<3, 2> for Forward {
    #[inline(always)]
    fn call<S: Number>(&self, [x, r, t]: [Num<S>; 3]) -> [Num<S>; 2] {
        let s = self.0.log_scale(r);
        [x * s.exp() + t, s]
    }
}

/// (y, r, t) → ((y − t) e⁻ˢ, −s)
#[derive(Clone, Copy)]
struct Inverse(Scale);
impl ScalarFn<3, 2> for Inverse {
    #[inline(always)]
    fn call<S: Number>(&self, [y, r, t]: [Num<S>; 3]) -> [Num<S>; 2] {
        let s = -self.0.log_scale(r);
        [(y - t) * s.exp(), s]
    }
}

impl<T: Real> Transformer<T> for Scale {
    fn parameters(&self) -> usize {
        2
    }
    fn column(&self, parameter: usize, columns: usize) -> usize {
        parameter % columns
    }
    fn forward(&self, x: &Var<T>, theta: &Var<T>) -> Result<(Var<T>, Var<T>)> {
        let k = check_theta("scale", x, theta, 2)?;
        let [y, l] = zip_map(Forward(*self), (x, &theta.slice(s![.., ..k]), &theta.slice(s![.., k..])));
        Ok((y, l))
    }
    fn inverse(&self, y: &Var<T>, theta: &Var<T>) -> Result<(Var<T>, Var<T>)> {
        let k = check_theta("scale", y, theta, 2)?;
        let [x, l] = zip_map(Inverse(*self), (y, &theta.slice(s![.., ..k]), &theta.slice(s![.., k..])));
        Ok((x, l))
    }
}
