//! [`Primitive`]: an operation with its own derivative rule, over any structure of arrays of any of the four scalar types.

use super::layer::{Level, next_id};
use super::node::{Cotangents, Edge, Edges, Leaf, Node, one_by_one};
use super::sweep::{sweep, sweep_stacked};
use super::tree::{AnyVar, Tree, fill, leaves};
use crate::error::{Error, Result};
use std::sync::Arc;

/// An operation with its own derivative rule.
///
/// Rules are written in `Var` operations on the values they are handed, so they can be differentiated again, to any order and in both
/// modes. A rule that calls code which `Var` cannot see through declares it by [`Primitive::opaque`].
///
/// Give at least one of `vjp` and `jvp`: each defaults to the transpose of the other (a cotangent rule is linear in the cotangent,
/// so differentiating it in the cotangent gives the tangent rule, and the other way round).
///
/// ```
/// use pullback::prelude::*;
/// use pullback::{Primitive, apply};
///
/// /// The area and the circumference of an ellipse-like pair (ab, a + b).
/// struct Pair;
/// impl Primitive for Pair {
///     type Inputs = (Var<f64>, Var<f64>);
///     type Outputs = (Var<f64>, Var<f64>);
///     fn name(&self) -> &'static str {
///         "pair"
///     }
///     fn forward(&self, (a, b): &Self::Inputs) -> pullback::Result<Self::Outputs> {
///         Ok((a * b, a + b))
///     }
///     fn jvp(&self, (a, b): &Self::Inputs, _: &Self::Outputs, (da, db): &Self::Inputs) -> pullback::Result<Self::Outputs> {
///         Ok((da * b + a * db, da + db))
///     }
/// }
/// let g = grad(
///     |(a, b): &(Var<f64>, Var<f64>)| {
///         let (p, s) = apply(Pair, &(a.clone(), b.clone()))?;
///         Ok::<_, pullback::Error>(p * s)
///     },
///     &(2.0, 3.0),
/// )?;
/// assert_eq!(g, (21.0, 16.0)); // ∂(a²b + ab²)
/// # Ok::<(), pullback::Error>(())
/// ```
pub trait Primitive: Send + Sync + 'static {
    /// What goes in.
    type Inputs: Tree;
    /// What comes out.
    type Outputs: Tree;

    /// The operation's name, for messages.
    fn name(&self) -> &'static str;

    /// The value. The inputs are constants here: read their numbers freely.
    fn forward(&self, inputs: &Self::Inputs) -> Result<Self::Outputs>;

    /// The cotangents of the inputs from those of the outputs. `None` stands for zero in both; `needs[i]` tells whether the
    /// i-th leaf of the inputs has a use for its cotangent.
    ///
    /// For a real loss L of z = x + iy cotangents are ∂L/∂x + i ∂L/∂y.
    #[allow(unused_variables)]
    fn vjp(
        &self,
        inputs: &Self::Inputs,
        outputs: &Self::Outputs,
        cotangents: <Self::Outputs as Tree>::Partial,
        needs: &[bool],
    ) -> Result<<Self::Inputs as Tree>::Partial> {
        transpose_jvp(self, inputs, outputs, cotangents, needs)
    }

    /// The tangents of the outputs from those of the inputs.
    #[allow(unused_variables)]
    fn jvp(&self, inputs: &Self::Inputs, outputs: &Self::Outputs, tangents: &Self::Inputs) -> Result<Self::Outputs> {
        transpose_vjp(self, inputs, outputs, tangents)
    }

    /// The values and the tangents of the outputs together, for an operation that has both from one pass. The inputs and their tangents
    /// are constants, a tangent that is missing is zero. `None` where there is no such pass: then `forward` and `jvp` are called.
    #[allow(unused_variables)]
    fn forward_and_jvp(
        &self,
        inputs: &Self::Inputs,
        tangents: <Self::Inputs as Tree>::Partial,
    ) -> Option<Result<(Self::Outputs, Self::Outputs)>> {
        None
    }

    /// Whether `vjp` also takes stacks of cotangents, arrays with one more, leading, axis, and gives such. Jacobians and Hessians are had
    /// from stacks; a rule that does not take them is applied to one cotangent after the other.
    fn stacks(&self) -> bool {
        false
    }

    /// Whether the i-th input leaf is read by the rule. What is not read is freed, and handed to the rule with its shape alone.
    #[allow(unused_variables)]
    fn keeps_input(&self, i: usize) -> bool {
        true
    }

    /// Whether the i-th output leaf is read by the rule.
    #[allow(unused_variables)]
    fn keeps_output(&self, i: usize) -> bool {
        true
    }

    /// Whether the rule calls code that `Var` cannot see through. Then it is handed constants, and a derivative of the rule itself
    /// (a second derivative, or the mode that was not given) is an error that names the operation.
    fn opaque(&self) -> bool {
        false
    }
}

/// Applies a primitive.
///
/// # Errors
/// Those of its `forward`; in forward mode also those of its rule.
pub fn apply<P: Primitive>(primitive: P, inputs: &P::Inputs) -> Result<P::Outputs> {
    apply_shared(&Arc::new(primitive), inputs)
}

fn top_level<A: Tree>(tree: &A) -> Level {
    let mut level = 0;
    tree.visit(&mut |v| level = level.max(v.level()));
    level
}

fn is_reverse_level<A: Tree>(tree: &A, level: Level) -> bool {
    let mut reverse = false;
    tree.visit(&mut |v| reverse |= v.level() == level && v.is_reverse());
    reverse
}

/// The tree as the levels below `level` see it.
pub(crate) fn below<A: Tree>(tree: &A, level: Level) -> A {
    tree.rebuild(&mut |v| v.below(level))
}

fn apply_shared<P: Primitive>(primitive: &Arc<P>, inputs: &P::Inputs) -> Result<P::Outputs> {
    let level = top_level(inputs);
    if level == 0 {
        let outputs = primitive.forward(inputs)?;
        if top_level(&outputs) != 0 {
            return Err(captured(primitive.name()));
        }
        return Ok(outputs);
    }
    let inputs_below = below(inputs, level);
    let reverse = is_reverse_level(inputs, level);
    if !reverse && let Some(both) = values_and_tangents(primitive.as_ref(), inputs, &inputs_below, level) {
        let (outputs, dy) = both?;
        return Ok(with_tangents(&outputs, level, &dy));
    }
    let outputs = apply_shared(primitive, &inputs_below)?;
    if reverse {
        let edges = edges_of(inputs, level);
        let needs: Vec<bool> = edges.iter().map(Option::is_some).collect();
        let node: Arc<dyn Node> = Arc::new(PrimitiveNode {
            id: next_id(),
            edges: Edges::new(edges),
            needs,
            inputs: keep(&inputs_below, &|i| primitive.keeps_input(i)),
            outputs: keep(&outputs, &|i| primitive.keeps_output(i)),
            primitive: primitive.clone(),
        });
        Ok(with_edges(&outputs, level, &node))
    } else {
        let tangents = inputs.rebuild(&mut |v| v.tangent_or_zero(level));
        refuse_opaque(primitive.as_ref(), &[top_level(&inputs_below), top_level(&tangents)])?;
        let dy = primitive.jvp(&inputs_below, &outputs, &tangents)?;
        Ok(with_tangents(&outputs, level, &dy))
    }
}

/// What the primitive gives in one pass: asked only where nothing else is being differentiated.
fn values_and_tangents<P: Primitive>(
    primitive: &P,
    inputs: &P::Inputs,
    below: &P::Inputs,
    level: Level,
) -> Option<Result<(P::Outputs, P::Outputs)>> {
    let mut constant = top_level(below) == 0;
    let tangents = inputs.partial(&mut |v| {
        let tangent = v.tangent(level)?;
        constant &= tangent.as_ref().level() == 0;
        Some(tangent)
    });
    if constant { primitive.forward_and_jvp(below, tangents) } else { None }
}

fn with_tangents<A: Tree>(outputs: &A, level: Level, tangents: &A) -> A {
    let mut tangents = leaves(tangents).into_iter();
    outputs.rebuild(&mut |y| {
        let dy = tangents.next().expect("as many tangents as outputs");
        y.with_tangent(level, dy)
    })
}

fn with_edges<A: Tree>(tree: &A, level: Level, node: &Arc<dyn Node>) -> A {
    let mut slot = 0;
    tree.rebuild(&mut |v| {
        slot += 1;
        let edge = Edge { node: node.clone(), slot: slot - 1 };
        v.with_edge(level, edge)
    })
}

fn keep<A: Tree>(tree: &A, kept: &dyn Fn(usize) -> bool) -> A {
    let mut i = 0;
    tree.rebuild(&mut |v| {
        i += 1;
        if kept(i - 1) { v.to_owned() } else { v.absent() }
    })
}

#[cold]
fn captured(name: &'static str) -> Error {
    Error::derivative(
        name,
        "the function of this primitive uses a variable of a surrounding transform that is not among its inputs: pass it as an input",
    )
}

/// An opaque rule must be handed constants.
fn refuse_opaque<P: Primitive + ?Sized>(primitive: &P, levels: &[Level]) -> Result<()> {
    if primitive.opaque() && levels.iter().any(|&l| l != 0) {
        return Err(Error::derivative(
            primitive.name(),
            "its rule calls external code and cannot be differentiated again; write the rule in Var operations to get higher derivatives",
        ));
    }
    Ok(())
}

struct PrimitiveNode<P: Primitive> {
    id: u64,
    edges: Edges,
    needs: Vec<bool>,
    primitive: Arc<P>,
    inputs: P::Inputs,
    outputs: P::Outputs,
}

impl<P: Primitive> Node for PrimitiveNode<P> {
    fn id(&self) -> u64 {
        self.id
    }
    fn name(&self) -> &'static str {
        self.primitive.name()
    }
    fn edges(&self) -> &[Option<Edge>] {
        &self.edges
    }
    fn outputs(&self) -> usize {
        let mut n = 0;
        self.outputs.visit(&mut |_| n += 1);
        n
    }
    fn pull(&self, mut cotangents: Cotangents, sink: &mut dyn FnMut(usize, AnyVar)) -> Result<()> {
        let level = cotangents.iter().flatten().map(|c| c.as_ref().level()).max().unwrap_or(0);
        refuse_opaque(self.primitive.as_ref(), &[level, top_level(&self.inputs), top_level(&self.outputs)])?;
        let mut i = 0;
        let partial = self.outputs.partial(&mut |_| {
            i += 1;
            cotangents[i - 1].take()
        });
        let result = self.primitive.vjp(&self.inputs, &self.outputs, partial, &self.needs)?;
        let mut i = 0;
        P::Inputs::take_apart(result, &mut |g| {
            if let Some(g) = g
                && self.needs[i]
            {
                sink(i, g);
            }
            i += 1;
        });
        Ok(())
    }
    fn pull_stacked(&self, count: usize, cotangents: Cotangents, sink: &mut dyn FnMut(usize, AnyVar)) -> Result<()> {
        if self.primitive.stacks() { self.pull(cotangents, sink) } else { one_by_one(self, count, cotangents, sink) }
    }
}

/// The argument of a transform at a new reverse level, and the leaves' numbers in order.
pub(crate) fn open_reverse<A: Tree>(x: &A) -> (Level, A, Vec<u64>) {
    let level = next_id();
    let mut ids = Vec::new();
    let traced = x.rebuild(&mut |v| {
        let id = next_id();
        ids.push(id);
        let edge = Edge { node: Arc::new(Leaf { id }), slot: 0 };
        v.with_edge(level, edge)
    });
    (level, traced, ids)
}

/// The edges of a tree's leaves at a level, in order.
pub(crate) fn edges_of<A: Tree>(tree: &A, level: Level) -> Vec<Option<Edge>> {
    let mut edges = Vec::new();
    tree.visit(&mut |v| edges.push(v.edge(level)));
    edges
}

/// Pairs edges with cotangents, leaving out what is zero on either side.
pub(crate) fn seeds(edges: &[Option<Edge>], cotangents: impl IntoIterator<Item = Option<AnyVar>>) -> Vec<(Edge, AnyVar)> {
    edges.iter().zip(cotangents).filter_map(|(edge, cotangent)| Some((edge.clone()?, cotangent?))).collect()
}

/// The cotangents of a tree whose leaves have these numbers, from a sweep.
pub(crate) fn pull_back<A: Tree>(like: &A, ids: &[u64], seeds: Vec<(Edge, AnyVar)>) -> Result<A> {
    let mut result = sweep(seeds)?;
    Ok(fill(like, &mut |i| result.remove(&ids[i])))
}

/// As [`pull_back`] for stacks of that many cotangents.
pub(crate) fn pull_back_stacked<A: Tree>(like: &A, ids: &[u64], count: usize, seeds: Vec<(Edge, AnyVar)>) -> Result<A> {
    let mut result = sweep_stacked(count, seeds)?;
    let mut i = 0;
    Ok(like.rebuild(&mut |v| {
        i += 1;
        result.remove(&ids[i - 1]).unwrap_or_else(|| v.zeros_stacked(count))
    }))
}

/// ẏ = J ẋ from a rule for x̄ = Jᵀ ȳ: record the rule at ȳ = 0, then send ẋ through its transpose.
fn transpose_vjp<P: Primitive + ?Sized>(
    primitive: &P,
    inputs: &P::Inputs,
    outputs: &P::Outputs,
    tangents: &P::Inputs,
) -> Result<P::Outputs> {
    refuse_transpose(primitive, "jvp")?;
    let zeros = outputs.rebuild(&mut |v| v.zeros_like());
    let (level, traced, ids) = open_reverse(&zeros);
    let mut cotangents = leaves(&traced).into_iter();
    let partial = outputs.partial(&mut |_| cotangents.next());
    let mut n = 0;
    inputs.visit(&mut |_| n += 1);
    let pulled = with_transposing(|| primitive.vjp(inputs, outputs, partial, &vec![true; n]))?;
    let mut edges = Vec::new();
    P::Inputs::take_apart(pulled, &mut |g| edges.push(g.and_then(|g| g.as_ref().edge(level))));
    pull_back(outputs, &ids, seeds(&edges, leaves(tangents).into_iter().map(Some)))
}

/// x̄ = Jᵀ ȳ from a rule for ẏ = J ẋ: record the rule at ẋ = 0, then send ȳ back.
pub(crate) fn transpose_jvp<P: Primitive + ?Sized>(
    primitive: &P,
    inputs: &P::Inputs,
    outputs: &P::Outputs,
    cotangents: <P::Outputs as Tree>::Partial,
    needs: &[bool],
) -> Result<<P::Inputs as Tree>::Partial> {
    refuse_transpose(primitive, "vjp")?;
    let zeros = inputs.rebuild(&mut |v| v.zeros_like());
    let (level, traced, ids) = open_reverse(&zeros);
    let pushed = with_transposing(|| primitive.jvp(inputs, outputs, &traced))?;
    let mut parts = Vec::new();
    P::Outputs::take_apart(cotangents, &mut |c| parts.push(c));
    let mut result = sweep(seeds(&edges_of(&pushed, level), parts))?;
    let mut i = 0;
    Ok(inputs.partial(&mut |_| {
        i += 1;
        if needs[i - 1] { result.remove(&ids[i - 1]) } else { None }
    }))
}

thread_local! {
    static TRANSPOSING: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// A primitive that gives neither rule would call the two defaults in turn without end.
fn with_transposing<R>(f: impl FnOnce() -> R) -> R {
    TRANSPOSING.set(TRANSPOSING.get() + 1);
    let result = f();
    TRANSPOSING.set(TRANSPOSING.get() - 1);
    result
}

fn refuse_transpose<P: Primitive + ?Sized>(primitive: &P, asked: &str) -> Result<()> {
    let other = if asked == "jvp" { "vjp" } else { "jvp" };
    if primitive.opaque() {
        return Err(Error::derivative(
            primitive.name(),
            format!(
                "it has no {asked} of its own, and its {other} calls external code, so the one cannot be had from the other: give it a {asked}"
            ),
        ));
    }
    if TRANSPOSING.get() > 64 {
        return Err(Error::derivative(primitive.name(), "it gives neither a vjp nor a jvp: give it one"));
    }
    Ok(())
}
