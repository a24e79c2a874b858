//! The shortest path: 0-d operations whose operands belong to one reverse level at most. Chains of them are bound by the memory that passes
//! through a node, so a node keeps its local slopes alone, and operands are read by reference.

use super::layer::{Layer, Level, Trace, next_id};
use super::node::{Cotangents, Edge, Edges, Node};
use super::rule::{Keep, UnaryRule, attach, unary};
use super::tree::AnyVar;
use super::var::Var;
use crate::error::Result;
use crate::scalar::Scalar;
use crate::tensor::Tensor;

/// z = f(x, y) with x̄ = z̄ dₓ and ȳ = z̄ d_y.
struct NumberNode<T> {
    id: u64,
    edges: Edges,
    name: &'static str,
    slopes: [T; 2],
}

impl<T: Scalar> Node for NumberNode<T> {
    fn id(&self) -> u64 {
        self.id
    }
    fn name(&self) -> &'static str {
        self.name
    }
    fn edges(&self) -> &[Option<Edge>] {
        &self.edges
    }
    fn pull(&self, mut cotangents: Cotangents, sink: &mut dyn FnMut(usize, AnyVar)) -> Result<()> {
        let Some(g) = cotangents[0].take() else { return Ok(()) };
        let g = T::unerase(g);
        let number = if g.is_constant() { g.value.as_scalar() } else { None };
        for (input, (edge, slope)) in self.edges.iter().zip(self.slopes).enumerate() {
            if edge.is_some() {
                let product = match number {
                    Some(g) => Var::scalar(weigh(g, slope)),
                    None => unary(Scaled(slope), g.clone()),
                };
                sink(input, T::erase(product));
            }
        }
        Ok(())
    }
    fn pull_stacked(&self, _: usize, cotangents: Cotangents, sink: &mut dyn FnMut(usize, AnyVar)) -> Result<()> {
        // slopes are numbers: a stack goes through as any cotangent that is not one
        self.pull(cotangents, sink)
    }
}

/// g d, an exact 0 where g is 0.
#[inline]
fn weigh<T: Scalar>(g: T, slope: T) -> T {
    if g == T::zero() { g } else { g * slope }
}

/// g ↦ g d for a constant d: a [`NumberNode`]'s pullback as a function of its cotangent.
#[derive(Clone)]
struct Scaled<T>(T);

impl<T: Scalar> UnaryRule for Scaled<T> {
    type In = T;
    type Out = T;
    fn keep(&self) -> Keep {
        Keep::NOTHING
    }
    fn name(&self) -> &'static str {
        "multiply"
    }
    fn forward(&self, g: Var<T>) -> Tensor<T> {
        match g.value.as_scalar() {
            Some(g) => Tensor::scalar(weigh(g, self.0)),
            None => Tensor::new(g.shape(), g.as_slice().iter().map(|g| weigh(*g, self.0)).collect()),
        }
    }
    fn stacks(&self) -> bool {
        true
    }
    fn vjp(&self, _: &Var<T>, _: &Var<T>, g: Var<T>) -> Var<T> {
        unary(Scaled(self.0.conj()), g)
    }
    fn jvp(&self, _: &Var<T>, _: &Var<T>, dg: Var<T>) -> Var<T> {
        unary(Scaled(self.0), dg)
    }
}

/// The number, the level (0 for a constant) and the edge of a 0-d variable that belongs to no other level.
#[inline]
fn number<T: Scalar>(x: &Var<T>) -> Option<(T, Level, Option<&Edge>)> {
    let number = x.value.as_scalar()?;
    match &x.top {
        None => Some((number, 0, None)),
        Some(Layer { level, trace: Trace::Edge(edge), below: None }) => Some((number, *level, Some(edge))),
        _ => None,
    }
}

/// y = f(x), where `x` is a 0-d variable of one reverse level; `f` gives y and the d of x̄ = ȳ d.
#[inline]
pub(crate) fn unary_number<T: Scalar>(name: &'static str, x: &Var<T>, f: impl FnOnce(T) -> Option<(T, T)>) -> Option<Var<T>> {
    let (number, level, edge) = number(x)?;
    let edge = edge?.clone();
    let (y, slope) = f(number)?;
    Some(attach(Var::scalar(y), level, NumberNode { id: next_id(), edges: Edges::one(edge), name, slopes: [slope; 2] }))
}

/// z = f(x, y), where `x` and `y` are 0-d, at least one is of a reverse level and both are of no other; `f` gives z and the slopes.
#[inline]
pub(crate) fn binary_number<T: Scalar>(
    name: &'static str,
    x: &Var<T>,
    y: &Var<T>,
    f: impl FnOnce(T, T) -> Option<(T, [T; 2])>,
) -> Option<Var<T>> {
    let ((a, level_x, edge_x), (b, level_y, edge_y)) = (number(x)?, number(y)?);
    let level = level_x.max(level_y);
    if level == 0 || level_x != level && level_x != 0 || level_y != level && level_y != 0 {
        return None;
    }
    let (z, slopes) = f(a, b)?;
    Some(attach(Var::scalar(z), level, NumberNode { id: next_id(), edges: Edges::two(edge_x.cloned(), edge_y.cloned()), name, slopes }))
}
