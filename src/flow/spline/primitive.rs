//! The spline as one primitive in each direction.
//!
//! Values and first pullbacks on numbers are the fused passes of `kernel`; whatever is differentiated again is the pullback of the
//! composed formula. The inverse x(y, θ) solves f(x; θ) = y, so ẋ = (ẏ − f_θ θ̇)/f′, and its logarithm is −ln f′(x; θ).

use super::{Direction, RationalQuadratic};
use crate::autodiff::{Primitive, Var, apply, jvp, vjp};
use crate::error::{Error, Result};
use crate::scalar::{AnySlice, Real};
use std::borrow::Cow;
use std::marker::PhantomData;

struct Spline<T> {
    spline: RationalQuadratic,
    direction: Direction,
    scalar: PhantomData<fn(T)>,
}

fn numbers<T: Real>(x: &Var<T>) -> Cow<'_, [f64]> {
    match T::slice(x.as_slice()) {
        AnySlice::F64(x) => Cow::Borrowed(x),
        _ => Cow::Owned(x.as_slice().iter().map(|x| x.to_f64()).collect()),
    }
}

fn array<T: Real>(like: &Var<T>, x: Vec<f64>) -> Result<Var<T>> {
    let x = match T::KIND {
        crate::scalar::ScalarKind::F64 => T::unwrap_vec(crate::scalar::AnyVec::F64(x)),
        _ => x.into_iter().map(T::from_f64).collect(),
    };
    Var::from_shape_vec(like.shape(), x)
}

fn is_constant<T: Real>(v: Option<&Var<T>>) -> bool {
    v.is_none_or(Var::is_constant)
}

type Pair<T> = (Var<T>, Var<T>);

impl<T: Real> Spline<T> {
    fn composed(&self) -> impl Fn(&Pair<T>) -> Pair<T> + '_ {
        |(x, theta)| self.spline.composed(x, theta)
    }
}

impl<T: Real> Primitive for Spline<T> {
    type Inputs = Pair<T>;
    type Outputs = Pair<T>;
    fn name(&self) -> &'static str {
        "rational_quadratic_spline"
    }
    fn forward(&self, (x, theta): &Pair<T>) -> Result<Pair<T>> {
        let (y, l) = self.spline.evaluate_all(self.direction, &numbers(x), &numbers(theta));
        Ok((array(x, y)?, array(x, l)?))
    }
    fn vjp(
        &self,
        inputs: &Pair<T>,
        outputs: &Pair<T>,
        g: (Option<Var<T>>, Option<Var<T>>),
        _: &[bool],
    ) -> Result<(Option<Var<T>>, Option<Var<T>>)> {
        let (x, theta) = inputs;
        if [Some(x), Some(theta), Some(&outputs.0), g.0.as_ref(), g.1.as_ref()].into_iter().all(is_constant) {
            let (y_bar, l_bar) = (g.0.as_ref().map(numbers), g.1.as_ref().map(numbers));
            let (x_bar, theta_bar) = self.spline.pull_all(self.direction, &numbers(x), &numbers(theta), y_bar.as_deref(), l_bar.as_deref());
            return Ok((Some(array(x, x_bar)?), Some(array(theta, theta_bar)?)));
        }
        let zero = || x.zeros_like();
        let (y_bar, l_bar) = (g.0.unwrap_or_else(zero), g.1.unwrap_or_else(zero));
        if self.direction == Direction::Forward {
            let (_, pull) = vjp(self.composed(), inputs)?;
            let (x_bar, theta_bar) = pull.call(&(y_bar, l_bar))?;
            return Ok((Some(x_bar), Some(theta_bar)));
        }
        let (_, pull) = vjp(self.composed(), &(outputs.0.clone(), theta.clone()))?;
        let (curvature, _) = pull.call(&(zero(), x.ones_like()))?;
        let u = (y_bar - &l_bar * curvature) * outputs.1.exp();
        let (_, theta_bar) = pull.call(&(-&u, -l_bar))?;
        Ok((Some(u), Some(theta_bar)))
    }
    fn jvp(&self, inputs: &Pair<T>, outputs: &Pair<T>, tangents: &Pair<T>) -> Result<Pair<T>> {
        if self.direction == Direction::Forward {
            return Ok(jvp(self.composed(), inputs, tangents)?.1);
        }
        let at = (outputs.0.clone(), inputs.1.clone());
        let (dy, _) = jvp(self.composed(), &at, &(outputs.0.zeros_like(), tangents.1.clone()))?.1;
        let dx = (&tangents.0 - dy) * outputs.1.exp();
        let (_, dl) = jvp(self.composed(), &at, &(dx.clone(), tangents.1.clone()))?.1;
        Ok((dx, -dl))
    }
}

/// The spline or its inverse at points x of any shape, with raw parameters of that shape and one more axis.
pub(super) fn spline<T: Real>(spline: &RationalQuadratic, direction: Direction, x: &Var<T>, theta: &Var<T>) -> Result<Pair<T>> {
    let m = spline.parameters_each();
    if theta.len() != x.len() * m {
        let message = format!("{} points need {m} raw parameters each, got shape {:?}", x.len(), theta.shape());
        return Err(Error::shape("rational_quadratic_spline", message));
    }
    let shape = x.shape().to_vec();
    let inputs = (x.reshape(&[x.len()]), theta.reshape(&[x.len(), m]));
    let (y, l) = apply(Spline { spline: *spline, direction, scalar: PhantomData }, &inputs)?;
    Ok((y.reshape(&shape), l.reshape(&shape)))
}
