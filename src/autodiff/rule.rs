//! The short path for operations with one or two array inputs and one output: no structure to walk, one allocation a node.
//!
//! [`unary`] and [`binary`] peel the innermost level off the inputs, run themselves on what is below, and put the level back on the result
//! with an edge or a tangent. Rules are written in `Var` operations on the variables below, so every derivative can be differentiated again.

use super::layer::{Level, Trace, next_id};
use super::node::{Cotangents, Edge, Edges, Node, Part, one_by_one};
use super::tree::AnyVar;
use super::var::Var;
use crate::error::Result;
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use std::sync::Arc;

/// Which values a rule's pullback reads.
#[derive(Clone, Copy)]
pub(crate) struct Keep {
    pub(crate) left: bool,
    pub(crate) right: bool,
    pub(crate) out: bool,
}

impl Keep {
    pub(crate) const NOTHING: Keep = Keep { left: false, right: false, out: false };
    pub(crate) const INPUT: Keep = Keep { left: true, right: true, out: false };
    pub(crate) const OUTPUT: Keep = Keep { left: false, right: false, out: true };
    pub(crate) const ALL: Keep = Keep { left: true, right: true, out: true };
}

/// The variable, or only its shape if the rule does not read it.
#[inline]
fn keep<T: Scalar>(v: &Var<T>, kept: bool) -> Var<T> {
    if kept { v.clone() } else { Var::constant(Tensor::absent(v.shape())) }
}

/// An operation y = f(x) on one array.
pub(crate) trait UnaryRule: Clone + Send + Sync + 'static {
    type In: Scalar;
    type Out: Scalar;
    /// What the pullback reads, and of the input what the tangent reads; the rest is passed with its shape alone.
    fn keep(&self) -> Keep;
    fn name(&self) -> &'static str;
    /// Of a rule that takes elements out of an array: how their cotangents are added to the array's.
    fn part(&self) -> Option<&dyn Part> {
        None
    }
    /// The value; `x` is a constant here, and may be overwritten if nobody else holds it.
    fn forward(&self, x: Var<Self::In>) -> Tensor<Self::Out>;
    /// x̄ from ȳ.
    fn vjp(&self, x: &Var<Self::In>, y: &Var<Self::Out>, g: Var<Self::Out>) -> Var<Self::In>;
    /// Whether `vjp_stacked` serves.
    fn stacks(&self) -> bool {
        false
    }
    /// As `vjp` for a stack of cotangents, with one more, leading, axis. By default the same, which is right for elementwise functions.
    fn vjp_stacked(&self, x: &Var<Self::In>, y: &Var<Self::Out>, g: Var<Self::Out>) -> Var<Self::In> {
        self.vjp(x, y, g)
    }
    /// ẏ from ẋ.
    fn jvp(&self, x: &Var<Self::In>, y: &Var<Self::Out>, dx: Var<Self::In>) -> Var<Self::Out>;
}

struct UnaryNode<R: UnaryRule> {
    id: u64,
    edges: Edges,
    rule: R,
    x: Var<R::In>,
    y: Var<R::Out>,
}

impl<R: UnaryRule> Node for UnaryNode<R> {
    fn id(&self) -> u64 {
        self.id
    }
    fn name(&self) -> &'static str {
        self.rule.name()
    }
    fn edges(&self) -> &[Option<Edge>] {
        &self.edges
    }
    fn part(&self) -> Option<&dyn Part> {
        self.rule.part()
    }
    fn pull(&self, mut cotangents: Cotangents, sink: &mut dyn FnMut(usize, AnyVar)) -> Result<()> {
        if let Some(g) = cotangents[0].take() {
            sink(0, <R::In as super::tree::Erase>::erase(self.rule.vjp(&self.x, &self.y, g.unwrap())));
        }
        Ok(())
    }
    fn pull_stacked(&self, count: usize, mut cotangents: Cotangents, sink: &mut dyn FnMut(usize, AnyVar)) -> Result<()> {
        if !self.rule.stacks() {
            return one_by_one(self, count, cotangents, sink);
        }
        if let Some(g) = cotangents[0].take() {
            sink(0, <R::In as super::tree::Erase>::erase(self.rule.vjp_stacked(&self.x, &self.y, g.unwrap())));
        }
        Ok(())
    }
}

/// Applies a rule of one array.
#[inline]
pub(crate) fn unary<R: UnaryRule>(rule: R, x: Var<R::In>) -> Var<R::Out> {
    if x.is_constant() { Var::constant(rule.forward(x)) } else { unary_traced(&rule, x) }
}

fn unary_traced<R: UnaryRule>(rule: &R, x: Var<R::In>) -> Var<R::Out> {
    let level = x.level();
    match x.open(level) {
        (x, None) => Var::constant(rule.forward(x)),
        (x, Some(Trace::Edge(edge))) => {
            let what = rule.keep();
            let kept = keep(&x, what.left);
            let y = unary_traced(rule, x);
            let node = UnaryNode { id: next_id(), edges: Edges::one(edge), rule: rule.clone(), x: kept, y: keep(&y, what.out) };
            attach(y, level, node)
        }
        (x, Some(Trace::Tangent(dx))) => {
            // what the rule does not read is left alone with its numbers, and may be overwritten
            let kept = keep(&x, rule.keep().left);
            let y = unary_traced(rule, x);
            let dy = rule.jvp(&kept, &y, Arc::unwrap_or_clone(dx));
            y.with_tangent(level, Some(dy))
        }
    }
}

/// An operation z = f(x, y) on two arrays.
pub(crate) trait BinaryRule: Clone + Send + Sync + 'static {
    type Left: Scalar;
    type Right: Scalar;
    type Out: Scalar;
    /// What the pullback reads, when these inputs need a cotangent, and of the inputs what the tangent reads when these have one; the rest is
    /// passed with its shape alone.
    fn keep(&self, needs: (bool, bool)) -> Keep;
    fn name(&self) -> &'static str;
    /// The value; the inputs are constants here, and may be overwritten if nobody else holds them.
    fn forward(&self, x: Var<Self::Left>, y: Var<Self::Right>) -> Tensor<Self::Out>;
    /// (x̄, ȳ) from z̄, where needed.
    fn vjp(
        &self,
        x: &Var<Self::Left>,
        y: &Var<Self::Right>,
        z: &Var<Self::Out>,
        g: Var<Self::Out>,
        needs: (bool, bool),
    ) -> (Option<Var<Self::Left>>, Option<Var<Self::Right>>);
    /// Whether `vjp_stacked` serves.
    fn stacks(&self) -> bool {
        false
    }
    /// As `vjp` for a stack of cotangents, with one more, leading, axis. By default the same, which is right for elementwise functions of
    /// arrays of equal shapes.
    fn vjp_stacked(
        &self,
        x: &Var<Self::Left>,
        y: &Var<Self::Right>,
        z: &Var<Self::Out>,
        g: Var<Self::Out>,
        needs: (bool, bool),
    ) -> (Option<Var<Self::Left>>, Option<Var<Self::Right>>) {
        self.vjp(x, y, z, g, needs)
    }
    /// ż from ẋ and ẏ; a missing one is zero.
    fn jvp(
        &self,
        x: &Var<Self::Left>,
        y: &Var<Self::Right>,
        z: &Var<Self::Out>,
        dx: Option<Var<Self::Left>>,
        dy: Option<Var<Self::Right>>,
    ) -> Option<Var<Self::Out>>;
}

struct BinaryNode<R: BinaryRule> {
    id: u64,
    edges: Edges,
    rule: R,
    x: Var<R::Left>,
    y: Var<R::Right>,
    z: Var<R::Out>,
}

impl<R: BinaryRule> BinaryNode<R> {
    #[inline]
    fn needs(&self) -> (bool, bool) {
        (self.edges[0].is_some(), self.edges[1].is_some())
    }

    #[inline]
    fn send(&self, (gx, gy): (Option<Var<R::Left>>, Option<Var<R::Right>>), sink: &mut dyn FnMut(usize, AnyVar)) {
        if let Some(gx) = gx {
            sink(0, <R::Left as super::tree::Erase>::erase(gx));
        }
        if let Some(gy) = gy {
            sink(1, <R::Right as super::tree::Erase>::erase(gy));
        }
    }
}

impl<R: BinaryRule> Node for BinaryNode<R> {
    fn id(&self) -> u64 {
        self.id
    }
    fn name(&self) -> &'static str {
        self.rule.name()
    }
    fn edges(&self) -> &[Option<Edge>] {
        &self.edges
    }
    fn pull(&self, mut cotangents: Cotangents, sink: &mut dyn FnMut(usize, AnyVar)) -> Result<()> {
        if let Some(g) = cotangents[0].take() {
            self.send(self.rule.vjp(&self.x, &self.y, &self.z, g.unwrap(), self.needs()), sink);
        }
        Ok(())
    }
    fn pull_stacked(&self, count: usize, mut cotangents: Cotangents, sink: &mut dyn FnMut(usize, AnyVar)) -> Result<()> {
        if !self.rule.stacks() {
            return one_by_one(self, count, cotangents, sink);
        }
        if let Some(g) = cotangents[0].take() {
            self.send(self.rule.vjp_stacked(&self.x, &self.y, &self.z, g.unwrap(), self.needs()), sink);
        }
        Ok(())
    }
}

/// Applies a rule of two arrays.
#[inline]
pub(crate) fn binary<R: BinaryRule>(rule: R, x: Var<R::Left>, y: Var<R::Right>) -> Var<R::Out> {
    if x.is_constant() && y.is_constant() { Var::constant(rule.forward(x, y)) } else { binary_traced(&rule, x, y) }
}

fn binary_traced<R: BinaryRule>(rule: &R, x: Var<R::Left>, y: Var<R::Right>) -> Var<R::Out> {
    let level = x.level().max(y.level());
    if level == 0 {
        return Var::constant(rule.forward(x, y));
    }
    let ((x, trace_x), (y, trace_y)) = (x.open(level), y.open(level));
    let (edge_x, dx) = split(trace_x);
    let (edge_y, dy) = split(trace_y);
    if edge_x.is_some() || edge_y.is_some() {
        let what = rule.keep((edge_x.is_some(), edge_y.is_some()));
        let (kept_x, kept_y) = (keep(&x, what.left), keep(&y, what.right));
        let z = binary_traced(rule, x, y);
        let edges = Edges::two(edge_x, edge_y);
        let node = BinaryNode { id: next_id(), edges, rule: rule.clone(), x: kept_x, y: kept_y, z: keep(&z, what.out) };
        return attach(z, level, node);
    }
    let what = rule.keep((dx.is_some(), dy.is_some()));
    let (kept_x, kept_y) = (keep(&x, what.left), keep(&y, what.right));
    let z = binary_traced(rule, x, y);
    let dz = rule.jvp(&kept_x, &kept_y, &z, dx, dy);
    z.with_tangent(level, dz)
}

/// The edge or the tangent: a level has only one kind.
#[inline]
fn split<T: Scalar>(trace: Option<Trace<T>>) -> (Option<Edge>, Option<Var<T>>) {
    match trace {
        None => (None, None),
        Some(Trace::Edge(edge)) => (Some(edge), None),
        Some(Trace::Tangent(tangent)) => (None, Some(Arc::unwrap_or_clone(tangent))),
    }
}

#[inline]
pub(super) fn attach<T: Scalar>(value: Var<T>, level: Level, node: impl Node + 'static) -> Var<T> {
    value.with_edge(level, Edge { node: Arc::new(node), slot: 0 })
}
