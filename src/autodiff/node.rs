//! The tape: a Wengert list without an owner. Nodes are reference-counted, their numbers are the order of execution.

use super::stacking::{stack, unstack};
use super::tree::AnyVar;
use crate::error::Result;
use smallvec::SmallVec;
use std::cell::RefCell;
use std::sync::Arc;

/// Where a cotangent goes: an output of a recorded operation, or a leaf.
#[derive(Clone)]
pub(crate) struct Edge {
    pub(crate) node: Arc<dyn Node>,
    pub(crate) slot: u32,
}

/// The cotangents of a node's outputs; `None` is a symbolic zero.
pub(crate) type Cotangents = SmallVec<[Option<AnyVar>; 1]>;

/// Elements of an array as its cotangent sees them: to add a few does not take an array of zeros around them.
pub(crate) trait Part {
    /// `sum` with `g` added at the elements.
    fn add(&self, sum: AnyVar, g: AnyVar) -> AnyVar;
}

/// A recorded operation.
pub(crate) trait Node: Send + Sync {
    /// The number that orders nodes by execution.
    fn id(&self) -> u64;
    /// The operation's name, for messages.
    fn name(&self) -> &'static str;
    /// One per input; `None` where the input does not belong to the level.
    fn edges(&self) -> &[Option<Edge>];
    /// How many outputs.
    fn outputs(&self) -> usize {
        1
    }
    /// Of an operation that takes elements out of its one input: how their cotangents are added to those that the input has already.
    fn part(&self) -> Option<&dyn Part> {
        None
    }
    /// Sends the cotangents of the outputs to the inputs: `sink(input, cotangent)`.
    fn pull(&self, cotangents: Cotangents, sink: &mut dyn FnMut(usize, AnyVar)) -> Result<()>;
    /// As `pull` for stacks of that many cotangents, arrays with one more, leading, axis; what is sent are stacks as well.
    fn pull_stacked(&self, count: usize, cotangents: Cotangents, sink: &mut dyn FnMut(usize, AnyVar)) -> Result<()>;
}

/// `pull_stacked` of a rule that takes one cotangent after the other.
pub(crate) fn one_by_one(node: &dyn Node, count: usize, cotangents: Cotangents, sink: &mut dyn FnMut(usize, AnyVar)) -> Result<()> {
    let mut slots = Vec::new();
    for stack in &cotangents {
        slots.push(stack.as_ref().map(|stack| unstack(stack, count)).transpose()?);
    }
    let mut pulled = vec![vec![None; count]; node.edges().len()];
    for i in 0..count {
        let row = slots.iter_mut().map(|rows| rows.as_mut().map(|rows| rows[i].clone()));
        node.pull(row.collect(), &mut |input, cotangent| pulled[input][i] = Some(cotangent))?;
    }
    for (input, rows) in pulled.into_iter().enumerate() {
        if let Some(like) = rows.iter().flatten().next().cloned() {
            sink(input, stack(rows.into_iter().map(|row| row.unwrap_or_else(|| like.as_ref().zeros_like())).collect())?);
        }
    }
    Ok(())
}

/// The edges to a node's inputs. A chain of millions of nodes is dropped without recursion.
pub(crate) struct Edges(SmallVec<[Option<Edge>; 2]>);

impl Edges {
    #[inline]
    pub(crate) fn new(edges: impl IntoIterator<Item = Option<Edge>>) -> Self {
        Edges(edges.into_iter().collect())
    }

    #[inline]
    pub(crate) fn one(edge: Edge) -> Self {
        let mut edges = SmallVec::new();
        edges.push(Some(edge));
        Edges(edges)
    }

    #[inline]
    pub(crate) fn two(left: Option<Edge>, right: Option<Edge>) -> Self {
        let mut edges = SmallVec::new();
        edges.push(left);
        edges.push(right);
        Edges(edges)
    }
}

impl std::ops::Deref for Edges {
    type Target = [Option<Edge>];
    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

#[derive(Default)]
struct Graveyard {
    waiting: Vec<Edge>,
    digging: bool,
}

thread_local! {
    static GRAVEYARD: RefCell<Graveyard> = RefCell::default();
}

impl Drop for Edges {
    fn drop(&mut self) {
        if self.0.iter().all(|e| e.as_ref().is_none_or(|e| Arc::strong_count(&e.node) > 1)) {
            return; // nobody dies here
        }
        // while the thread itself is being torn down the queue is gone and recursion is all there is
        let _ = GRAVEYARD.try_with(|yard| {
            {
                let mut yard = yard.borrow_mut();
                yard.waiting.extend(self.0.drain(..).flatten());
                if yard.digging {
                    return;
                }
                yard.digging = true;
            }
            loop {
                let next = yard.borrow_mut().waiting.pop();
                match next {
                    Some(edge) => drop(edge),
                    None => break,
                }
            }
            yard.borrow_mut().digging = false;
        });
    }
}

/// The start of a level's graph: an argument of a transform.
pub(crate) struct Leaf {
    pub(crate) id: u64,
}

impl Node for Leaf {
    fn id(&self) -> u64 {
        self.id
    }
    fn name(&self) -> &'static str {
        "argument"
    }
    fn edges(&self) -> &[Option<Edge>] {
        &[]
    }
    fn pull(&self, _: Cotangents, _: &mut dyn FnMut(usize, AnyVar)) -> Result<()> {
        Ok(())
    }
    fn pull_stacked(&self, _: usize, _: Cotangents, _: &mut dyn FnMut(usize, AnyVar)) -> Result<()> {
        Ok(())
    }
}
