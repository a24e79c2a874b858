//! What the distributions share: checks of parameters, values outside the support, draws of arrays.

use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::kernels::broadcast::{broadcast_shape, broadcast_to};
use crate::ops::{Mask, where_};
use crate::random::fill;
use crate::scalar::Real;
use crate::special::common;
use crate::tensor::{Tensor, len_of};
use rand::Rng;
use std::borrow::Cow;

#[inline]
pub(super) fn c<T: Real>(x: f64) -> T {
    T::from_f64(x)
}

fn check<T: Real>(operation: &'static str, name: &str, x: &Var<T>, what: &str, good: impl Fn(f64) -> bool) -> Result<()> {
    match x.as_slice().iter().position(|x| !good(x.to_f64())) {
        None => Ok(()),
        Some(i) => Err(Error::argument(operation, format!("element {i} of {name} is {}: it must be {what}", x.as_slice()[i]))),
    }
}

pub(super) fn finite<T: Real>(operation: &'static str, name: &str, x: &Var<T>) -> Result<()> {
    check(operation, name, x, "finite", f64::is_finite)
}

pub(super) fn positive<T: Real>(operation: &'static str, name: &str, x: &Var<T>) -> Result<()> {
    check(operation, name, x, "positive and finite", |x| x > 0.0 && x.is_finite())
}

pub(super) fn not_negative<T: Real>(operation: &'static str, name: &str, x: &Var<T>) -> Result<()> {
    check(operation, name, x, "at least 0 and finite", |x| x >= 0.0 && x.is_finite())
}

pub(super) fn probability<T: Real>(operation: &'static str, name: &str, x: &Var<T>) -> Result<()> {
    check(operation, name, x, "between 0 and 1", |x| (0.0..=1.0).contains(&x))
}

pub(super) fn not_nan<T: Real>(operation: &'static str, name: &str, x: &Var<T>) -> Result<()> {
    check(operation, name, x, "a number", |x| !x.is_nan())
}

pub(super) fn below<T: Real>(operation: &'static str, low: &Var<T>, high: &Var<T>) -> Result<()> {
    if low.lt(high).all() {
        return Ok(());
    }
    Err(Error::argument(operation, format!("the lower end {low} is not below the upper end {high} everywhere")))
}

pub(super) fn broadcast<T: Real>(operation: &'static str, parameters: &[&Var<T>]) -> Result<()> {
    let parameters: Vec<Var<T>> = parameters.iter().map(|&p| p.clone()).collect();
    common(operation, &parameters).map(|_| ())
}

/// f(x) where x is not outside, and a constant there. `f` is given a harmless number in place of what is outside.
pub(super) fn inside<T: Real>(
    x: &Var<T>,
    outside: &Mask,
    harmless: impl Into<Var<T>>,
    value: f64,
    f: impl Fn(&Var<T>) -> Var<T>,
) -> Var<T> {
    if !outside.any() {
        return f(x);
    }
    where_(outside, c::<T>(value), f(&where_(outside, harmless, x)))
}

/// ln(1 − e^{−u}) for u ≥ 0, by whichever of the two forms does not cancel.
pub(super) fn log1mexp<T: Real>(u: &Var<T>) -> Var<T> {
    let small = u.lt(c::<T>(std::f64::consts::LN_2));
    let one = T::one();
    let near = (-(-where_(&small, u, one)).expm1()).log();
    let far = (-(-where_(&small, one, u)).exp()).log1p();
    where_(&small, near, far)
}

/// Whether the parameters broadcast to the shape of the draws.
pub(super) fn fits<T: Real>(operation: &'static str, parameters: &[&Var<T>], shape: &[usize]) -> Result<()> {
    match parameters.iter().find(|p| broadcast_shape(p.shape(), shape).is_none_or(|s| s[..] != *shape)) {
        None => Ok(()),
        Some(p) => {
            let message = format!("parameters of shape {:?} do not broadcast to draws of shape {shape:?}", p.shape());
            Err(Error::shape(operation, message))
        }
    }
}

/// Draws of a shape that the parameters must broadcast to.
pub(super) fn draw<T: Real>(
    operation: &'static str,
    rng: &mut dyn Rng,
    shape: &[usize],
    parameters: &[&Var<T>],
    one: &(dyn Fn(&mut dyn Rng, [f64; 3]) -> f64 + Sync),
) -> Result<Var<T>> {
    fits(operation, parameters, shape)?;
    let arrays: Vec<Cow<'_, [T]>> = parameters
        .iter()
        .map(|p| if p.len() == 1 { Cow::Borrowed(p.as_slice()) } else { Cow::Owned(broadcast_to(p.as_slice(), p.shape(), shape)) })
        .collect();
    let parameter = |k: usize, i: usize| arrays.get(k).map_or(0.0, |a| if a.len() == 1 { a[0] } else { a[i] }.to_f64());
    let values = fill(rng, len_of(shape), &|rng, i| T::from_f64(one(rng, [parameter(0, i), parameter(1, i), parameter(2, i)])));
    Ok(Var::constant(Tensor::new(shape, values)))
}
