//! Recompute instead of store.

use super::primitive::{Primitive, apply};
use super::reverse::vjp;
use super::tree::{Returns, Tree, Vars, instantiate};
use crate::error::Result;

struct Checkpoint<A, Y, F> {
    f: F,
    types: std::marker::PhantomData<fn(A) -> Y>,
}

impl<A: Tree, Y: Tree, F: Fn(&A) -> Result<Y> + Send + Sync + 'static> Primitive for Checkpoint<A, Y, F> {
    type Inputs = A;
    type Outputs = Y;
    fn name(&self) -> &'static str {
        "checkpoint"
    }
    fn forward(&self, inputs: &A) -> Result<Y> {
        (self.f)(inputs)
    }
    fn vjp(&self, inputs: &A, outputs: &Y, cotangents: Y::Partial, _: &[bool]) -> Result<A::Partial> {
        let cotangents = instantiate(outputs, cotangents);
        let (_, pull) = vjp(|x: &A| (self.f)(x), &Vars(inputs.clone()))?;
        let pulled = pull.call_vars(&cotangents)?;
        let mut parts = super::tree::leaves(&pulled).into_iter();
        Ok(inputs.partial(&mut |_| parts.next()))
    }
    fn jvp(&self, inputs: &A, _: &Y, tangents: &A) -> Result<Y> {
        Ok(super::forward::jvp(|x: &A| (self.f)(x), &Vars(inputs.clone()), &Vars(tangents.clone()))?.1)
    }
    fn keeps_output(&self, _: usize) -> bool {
        false
    }
}

/// Computes `f(x)` and forgets what happened inside: a backward sweep runs `f` again. Memory for time; may be nested.
///
/// `f` takes everything it differentiates through as its argument: a captured variable of a surrounding transform is an error, since
/// its derivative would be lost.
///
/// ```
/// use pullback::prelude::*;
/// let g = grad(|x: &Var<f64>| checkpoint(|x: &Var<f64>| x.sin().exp(), x), &0.3)?;
/// assert!((g - 0.3f64.cos() * 0.3f64.sin().exp()).abs() < 1e-15);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// Those of `f`, and a captured variable.
pub fn checkpoint<A, F, R>(f: F, x: &A) -> Result<R::Vars>
where
    A: Tree,
    F: Fn(&A) -> R + Send + Sync + 'static,
    R: Returns,
{
    let run = move |x: &A| f(x).into_result();
    apply(Checkpoint { f: run, types: std::marker::PhantomData }, x)
}
