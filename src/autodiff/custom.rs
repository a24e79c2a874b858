//! Rules for users' own functions, given as closures.

use super::primitive::{Primitive, apply};
use super::tree::{Returns, Tree, instantiate, leaves};
use crate::error::Result;
use std::marker::PhantomData;

struct CustomVjp<A, Y, F, B> {
    f: F,
    pullback: B,
    opaque: bool,
    types: PhantomData<fn(A) -> Y>,
}

impl<A: Tree, Y: Tree, F, B> Primitive for CustomVjp<A, Y, F, B>
where
    F: Fn(&A) -> Result<Y> + Send + Sync + 'static,
    B: Fn(&A, &Y, &Y) -> Result<A> + Send + Sync + 'static,
{
    type Inputs = A;
    type Outputs = Y;
    fn name(&self) -> &'static str {
        "custom_vjp"
    }
    fn forward(&self, inputs: &A) -> Result<Y> {
        (self.f)(inputs)
    }
    fn vjp(&self, inputs: &A, outputs: &Y, cotangents: Y::Partial, _: &[bool]) -> Result<A::Partial> {
        let pulled = (self.pullback)(inputs, outputs, &instantiate(outputs, cotangents))?;
        super::forward::check_shapes("custom_vjp: the pullback's result", inputs, &pulled)?;
        let mut parts = leaves(&pulled).into_iter();
        Ok(inputs.partial(&mut |_| parts.next()))
    }
    fn opaque(&self) -> bool {
        self.opaque
    }
}

/// A function with its own pullback: `pullback(x, y, ȳ)` gives x̄, written in `Var` operations, so that it can be differentiated again
/// (forward mode is its transpose).
///
/// Both closures take what they differentiate through as arguments; captured variables of a surrounding transform are an error.
///
/// ```
/// use pullback::prelude::*;
/// let relu = |x: &Var<f64>| custom_vjp(x, |x| x.maximum(0.0), |x, _, g| g * x.gt(0.0));
/// assert_eq!(grad(|x| relu(x), &2.0)?, 1.0);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// Those of the closures; a pullback whose result has not the shapes of the inputs.
pub fn custom_vjp<A, F, R, B, G>(x: &A, f: F, pullback: B) -> Result<R::Vars>
where
    A: Tree,
    F: Fn(&A) -> R + Send + Sync + 'static,
    R: Returns,
    B: Fn(&A, &R::Vars, &R::Vars) -> G + Send + Sync + 'static,
    G: Returns<Vars = A>,
{
    let run = move |x: &A| f(x).into_result();
    let pull = move |x: &A, y: &R::Vars, g: &R::Vars| pullback(x, y, g).into_result();
    apply(CustomVjp { f: run, pullback: pull, opaque: false, types: PhantomData }, x)
}

/// As [`custom_vjp`] for a pullback that calls code which `Var` cannot see through: it is handed constants, and asking for what cannot
/// be had from it (forward mode, second derivatives) is an error, never a silent zero.
///
/// ```
/// use pullback::prelude::*;
/// let cube = |x: &Var<f64>| {
///     external_vjp(
///         x,
///         |x| Var::scalar(x.item().powi(3)),
///         |x, _, g| Var::scalar(3.0 * x.item().powi(2) * g.item()),
///     )
/// };
/// assert_eq!(grad(|x| cube(x), &2.0)?, 12.0);
/// assert!(hvp(|x| cube(x), &2.0, &1.0).unwrap_err().to_string().contains("external code"));
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// As [`custom_vjp`].
pub fn external_vjp<A, F, R, B, G>(x: &A, f: F, pullback: B) -> Result<R::Vars>
where
    A: Tree,
    F: Fn(&A) -> R + Send + Sync + 'static,
    R: Returns,
    B: Fn(&A, &R::Vars, &R::Vars) -> G + Send + Sync + 'static,
    G: Returns<Vars = A>,
{
    let run = move |x: &A| f(x).into_result();
    let pull = move |x: &A, y: &R::Vars, g: &R::Vars| pullback(x, y, g).into_result();
    apply(CustomVjp { f: run, pullback: pull, opaque: true, types: PhantomData }, x)
}

struct CustomJvp<A, Y, F, B> {
    f: F,
    tangent: B,
    types: PhantomData<fn(A) -> Y>,
}

impl<A: Tree, Y: Tree, F, B> Primitive for CustomJvp<A, Y, F, B>
where
    F: Fn(&A) -> Result<Y> + Send + Sync + 'static,
    B: Fn(&A, &Y, &A) -> Result<Y> + Send + Sync + 'static,
{
    type Inputs = A;
    type Outputs = Y;
    fn name(&self) -> &'static str {
        "custom_jvp"
    }
    fn forward(&self, inputs: &A) -> Result<Y> {
        (self.f)(inputs)
    }
    fn jvp(&self, inputs: &A, outputs: &Y, tangents: &A) -> Result<Y> {
        let pushed = (self.tangent)(inputs, outputs, tangents)?;
        super::forward::check_shapes("custom_jvp: the tangent's result", outputs, &pushed)?;
        Ok(pushed)
    }
}

/// A function with its own tangent rule: `tangent(x, y, ẋ)` gives ẏ, linear in ẋ and written in `Var` operations (reverse mode is its
/// transpose).
///
/// ```
/// use pullback::prelude::*;
/// let f = |x: &Var<f64>| custom_jvp(x, |x| x.exp(), |_, y, dx| y * dx);
/// assert_eq!(grad(|x| f(x), &0.0)?, 1.0);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// Those of the closures; a tangent whose shapes are not those of the outputs.
pub fn custom_jvp<A, F, R, B, G>(x: &A, f: F, tangent: B) -> Result<R::Vars>
where
    A: Tree,
    F: Fn(&A) -> R + Send + Sync + 'static,
    R: Returns,
    B: Fn(&A, &R::Vars, &A) -> G + Send + Sync + 'static,
    G: Returns<Vars = R::Vars>,
{
    let run = move |x: &A| f(x).into_result();
    let push = move |x: &A, y: &R::Vars, dx: &A| tangent(x, y, dx).into_result();
    apply(CustomJvp { f: run, tangent: push, types: PhantomData }, x)
}
