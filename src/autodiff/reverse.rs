//! Reverse mode: `vjp`, `grad`, `value_and_grad`.

use super::layer::Level;
use super::node::Edge;
use super::primitive::{edges_of, open_reverse, pull_back, pull_back_stacked, seeds};
use super::tree::{AnyVar, Argument, Loss, Returns, Tree, leaves};
use super::var::Var;
use crate::error::{Error, Result};
use crate::tensor::Tensor;
use num_traits::One;

/// The pullback ȳ ↦ x̄ = Jᵀȳ of a function at a point (for complex arrays J†ȳ); may be called any number of times.
///
/// Holds the recorded computation until it is dropped.
pub struct Pullback<A: Argument, Y: Tree> {
    edges: Vec<Option<Edge>>,
    ids: Vec<u64>,
    like: A,
    vars: A::Vars,
    outputs: Y,
}

impl<A: Argument, Y: Tree> Pullback<A, Y> {
    /// The cotangents of the argument for these cotangents of the outputs.
    ///
    /// # Errors
    /// If the shapes are not those of the outputs, or a rule has no derivative at this point.
    pub fn call(&self, cotangents: &Y) -> Result<A> {
        self.like.from_vars(self.call_vars(cotangents)?)
    }

    pub(crate) fn call_vars(&self, cotangents: &Y) -> Result<A::Vars> {
        let cotangents = leaves(cotangents);
        same_shapes(&leaves(&self.outputs), &cotangents)?;
        pull_back(&self.vars, &self.ids, seeds(&self.edges, cotangents.into_iter().map(Some)))
    }

    /// As `call_vars` for that many cotangents at once, along a new leading axis.
    pub(crate) fn call_stacked(&self, count: usize, cotangents: &Y) -> Result<A::Vars> {
        pull_back_stacked(&self.vars, &self.ids, count, seeds(&self.edges, leaves(cotangents).into_iter().map(Some)))
    }
}

fn same_shapes(outputs: &[AnyVar], cotangents: &[AnyVar]) -> Result<()> {
    match outputs.iter().zip(cotangents).find(|(y, g)| y.as_ref().shape() != g.as_ref().shape()) {
        None => Ok(()),
        Some((y, g)) => Err(Error::shape(
            "vjp",
            format!("the output has shape {:?}, its cotangent {:?}: they must agree", y.as_ref().shape(), g.as_ref().shape()),
        )),
    }
}

/// The value of `f` at `x` and its pullback.
///
/// ```
/// use pullback::prelude::*;
/// let (y, pull) = vjp(|x: &Var<f64>| x.sin(), &ndarray::array![0.0, 1.0])?;
/// let g = pull.call(&y.ones_like())?;
/// assert_eq!(g[0], 1.0);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// Those of `f`.
pub fn vjp<A, F, R>(f: F, x: &A) -> Result<(R::Vars, Pullback<A, R::Vars>)>
where
    A: Argument + Clone,
    F: FnOnce(&A::Vars) -> R,
    R: Returns,
{
    let vars = x.to_vars();
    let (level, traced, ids) = open_reverse(&vars);
    let y = f(&traced).into_result()?;
    let outputs = super::primitive::below(&y, level);
    let edges = edges_of(&y, level);
    Ok((outputs.clone(), Pullback { edges, ids, like: x.clone(), vars, outputs }))
}

/// What a sweep from a scalar loss starts from.
pub(crate) struct Recorded<A: Tree, L: Loss> {
    vars: A,
    ids: Vec<u64>,
    pub(crate) loss: Var<L::Real>,
    edge: Option<Edge>,
}

/// Runs `f` at a new level and checks that it is a loss.
pub(crate) fn record<A: Tree, L: Loss, R: Returns<Vars = L>>(
    operation: &'static str,
    f: impl FnOnce(&A) -> R,
    vars: A,
) -> Result<Recorded<A, L>> {
    let (level, traced, ids) = open_reverse(&vars);
    let y = f(&traced).into_result()?;
    drop(traced);
    let loss = y.as_var();
    if loss.len() != 1 {
        return Err(not_a_number(operation, loss.shape()));
    }
    Ok(Recorded { vars, ids, loss: loss.below(level), edge: edge_of(loss, level) })
}

#[cold]
fn not_a_number(operation: &'static str, shape: &[usize]) -> Error {
    Error::derivative(
        operation,
        format!("the function must return one real number, it returned an array of shape {shape:?}: sum it, or use jacobian or vjp"),
    )
}

#[cold]
fn constant(operation: &'static str) -> Error {
    Error::derivative(
        operation,
        "the loss does not depend on the argument through recorded operations (it was computed from plain numbers, from captured variables only, or after stop_gradient): compute it from the function's argument",
    )
}

fn edge_of<R: crate::Real>(loss: &Var<R>, level: Level) -> Option<Edge> {
    loss.edge(level)
}

impl<A: Tree, L: Loss> Recorded<A, L> {
    /// The gradient; zero where the loss does not depend on the argument.
    pub(crate) fn sweep(self) -> Result<A> {
        let seed = Var::constant(Tensor::full(self.loss.shape(), L::Real::one()));
        let seeds = self.edge.into_iter().map(|e| (e, <L::Real as super::tree::Erase>::erase(seed.clone()))).collect();
        pull_back(&self.vars, &self.ids, seeds)
    }

    fn refuse_constant(self, operation: &'static str) -> Result<Self> {
        if self.edge.is_none() {
            return Err(constant(operation));
        }
        Ok(self)
    }
}

/// The value of a loss and its gradient.
///
/// For a complex argument z = x + iy the gradient is ∂L/∂x + i ∂L/∂y, so that `z - lr * gradient` descends.
///
/// ```
/// use pullback::prelude::*;
/// let x = ndarray::array![1.0, 2.0];
/// let (value, gradient) = value_and_grad(|x| x.square().sum(), &x)?;
/// assert_eq!(value.item(), 5.0);
/// assert_eq!(gradient, ndarray::array![2.0, 4.0]);
///
/// // several arguments: a tuple, an array, a vector, a map, nested as you like
/// let (_, (gw, gb)) = value_and_grad(|(w, b)| (w * 3.0 + b).square().sum(), &(x, 1.0))?;
/// assert_eq!((gw, gb), (ndarray::array![24.0, 42.0], 22.0));
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// Those of `f`; if the loss is not a single number, or does not depend on the argument; those of a rule without a derivative at this
/// point.
pub fn value_and_grad<A, F, R>(f: F, x: &A) -> Result<(R::Vars, A)>
where
    A: Argument,
    F: FnOnce(&A::Vars) -> R,
    R: Returns,
    R::Vars: Loss,
{
    value_and_grad_vars("value_and_grad", f, x)
}

fn value_and_grad_vars<A, F, R>(operation: &'static str, f: F, x: &A) -> Result<(R::Vars, A)>
where
    A: Argument,
    F: FnOnce(&A::Vars) -> R,
    R: Returns,
    R::Vars: Loss,
{
    let recorded = record(operation, f, x.to_vars())?.refuse_constant(operation)?;
    let loss = R::Vars::from_var(recorded.loss.clone());
    Ok((loss, x.from_vars(recorded.sweep()?)?))
}

/// The gradient of a loss.
///
/// ```
/// use pullback::prelude::*;
/// let g = grad(|x: &Var<f64>| x.sin() * x, &0.5)?;
/// assert!((g - (0.5f64.cos() * 0.5 + 0.5f64.sin())).abs() < 1e-15);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// As [`value_and_grad`].
pub fn grad<A, F, R>(f: F, x: &A) -> Result<A>
where
    A: Argument,
    F: FnOnce(&A::Vars) -> R,
    R: Returns,
    R::Vars: Loss,
{
    Ok(value_and_grad_vars("grad", f, x)?.1)
}
