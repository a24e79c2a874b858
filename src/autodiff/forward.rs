//! Forward mode: `jvp` (no tape) and `linearize` (the tangent map of a point, to be applied many times).

use super::layer::{Level, next_id};
use super::primitive::{edges_of, open_reverse, pull_back, pull_back_stacked, seeds};
use super::reverse::{Pullback, vjp};
use super::tree::{AnyVar, Argument, Returns, Tree, leaves};
use crate::error::{Error, Result};

/// The value of `f` at `x` and its derivative along `dx`, in one pass and without a tape.
///
/// ```
/// use pullback::prelude::*;
/// let (y, dy) = jvp(|x: &Var<f64>| x.exp(), &0.0, &2.0)?;
/// assert_eq!((y.item(), dy.item()), (1.0, 2.0));
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// Those of `f`; if the shapes of `dx` are not those of `x`; those of a rule without a derivative at this point.
pub fn jvp<A, F, R>(f: F, x: &A, dx: &A) -> Result<(R::Vars, R::Vars)>
where
    A: Argument,
    F: FnOnce(&A::Vars) -> R,
    R: Returns,
{
    let (level, dual) = duals(&x.to_vars(), &dx.to_vars())?;
    Ok(value_and_tangent(&f(&dual).into_result()?, level))
}

/// The point at a new level, with its tangent.
fn duals<A: Tree>(x: &A, dx: &A) -> Result<(Level, A)> {
    check_shapes("jvp", x, dx)?;
    let level = next_id();
    let mut tangents = leaves(dx).into_iter();
    let dual = x.rebuild(&mut |v| {
        let t = tangents.next().expect("checked");
        v.with_tangent(level, t)
    });
    Ok((level, dual))
}

fn value_and_tangent<Y: Tree>(y: &Y, level: Level) -> (Y, Y) {
    let tangent = y.rebuild(&mut |v| v.tangent_or_zero(level));
    (super::primitive::below(y, level), tangent)
}

/// A point's tangent has the structure, scalar types and shapes of the point.
pub(crate) fn check_shapes<A: Tree>(operation: &'static str, x: &A, dx: &A) -> Result<()> {
    same_shapes(operation, &leaves(x), &leaves(dx))
}

fn same_shapes(operation: &'static str, x: &[AnyVar], dx: &[AnyVar]) -> Result<()> {
    if x.len() != dx.len() {
        return Err(Error::shape(operation, format!("the point has {} arrays, the tangent {}: they must agree", x.len(), dx.len())));
    }
    match x.iter().zip(dx).position(|(x, dx)| x.as_ref().shape() != dx.as_ref().shape()) {
        None => Ok(()),
        Some(i) => Err(Error::shape(
            operation,
            format!(
                "array {i} of the point has shape {:?}, its tangent {:?}: they must agree",
                x[i].as_ref().shape(),
                dx[i].as_ref().shape()
            ),
        )),
    }
}

/// The linear map dx ↦ J dx of a function at a point; each call costs about as much as a pullback, `f` is not run again.
pub struct Linearized<A: Argument, Y: Tree> {
    /// ȳ ↦ x̄ recorded at ȳ = 0: its transpose is the tangent map.
    edges: Vec<Option<super::node::Edge>>,
    ids: Vec<u64>,
    vars: A::Vars,
    outputs: Y,
}

impl<A: Argument, Y: Tree> Linearized<A, Y> {
    /// The tangents of the outputs for this tangent of the argument.
    ///
    /// # Errors
    /// If the shapes are not those of the argument.
    pub fn call(&self, dx: &A) -> Result<Y> {
        self.call_vars(&dx.to_vars())
    }

    pub(crate) fn call_vars(&self, dx: &A::Vars) -> Result<Y> {
        check_shapes("linearize", &self.vars, dx)?;
        pull_back(&self.outputs, &self.ids, seeds(&self.edges, leaves(dx).into_iter().map(Some)))
    }

    /// As `call_vars` for that many tangents at once, along a new leading axis.
    pub(crate) fn call_stacked(&self, count: usize, dx: &A::Vars) -> Result<Y> {
        pull_back_stacked(&self.outputs, &self.ids, count, seeds(&self.edges, leaves(dx).into_iter().map(Some)))
    }
}

/// The value of `f` at `x` and the linear map dx ↦ J dx there, which may be applied many times without running `f` again.
///
/// ```
/// use pullback::prelude::*;
/// let (y, tangent) = linearize(|x: &Var<f64>| x.square(), &3.0)?;
/// assert_eq!((y.item(), tangent.call(&1.0)?.item(), tangent.call(&2.0)?.item()), (9.0, 6.0, 12.0));
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// Those of `f` and of its rules.
pub fn linearize<A, F, R>(f: F, x: &A) -> Result<(R::Vars, Linearized<A, R::Vars>)>
where
    A: Argument + Clone,
    F: FnOnce(&A::Vars) -> R,
    R: Returns,
{
    let (y, pull): (_, Pullback<A, R::Vars>) = vjp(f, x)?;
    let vars = x.to_vars();
    let zeros = y.rebuild(&mut |v| v.zeros_like());
    let (level, traced, ids) = open_reverse(&zeros);
    let pulled = pull.call_vars(&traced)?;
    let edges = edges_of(&pulled, level);
    Ok((y.clone(), Linearized { edges, ids, vars, outputs: y }))
}
