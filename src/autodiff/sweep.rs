//! The backward sweep: from high node numbers to low, each node once, without a topological sort.

use super::accumulate::accumulate;
use super::anomaly;
use super::node::{Cotangents, Edge, Node};
use super::tree::AnyVar;
use crate::error::Result;
use std::collections::{BinaryHeap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

/// Node numbers are distinct already: one multiplication spreads them.
#[derive(Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {
        unreachable!("only u64 keys")
    }
    #[inline]
    fn write_u64(&mut self, x: u64) {
        self.0 = x.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(26);
    }
}

pub(crate) type IdMap<V> = HashMap<u64, V, BuildHasherDefault<IdHasher>>;

struct Pending {
    node: Arc<dyn Node>,
    cotangents: Cotangents,
}

impl Pending {
    #[inline]
    fn new(edge: Edge, cotangent: AnyVar) -> Self {
        let mut cotangents = Cotangents::new();
        match edge.node.outputs() {
            1 => cotangents.push(Some(cotangent)),
            n => {
                cotangents.resize_with(n, || None);
                cotangents[edge.slot as usize] = Some(cotangent);
            }
        }
        Pending { node: edge.node, cotangents }
    }

    #[inline]
    fn add(&mut self, slot: u32, cotangent: AnyVar) {
        let place = &mut self.cotangents[slot as usize];
        *place = Some(match place.take() {
            None => cotangent,
            Some(sum) => accumulate(sum, cotangent),
        });
    }
}

/// Nodes that wait for their turn. The youngest, above all that wait, may be kept apart: on chains, the common case, the heap and the map stay empty.
#[derive(Default)]
struct Queue {
    youngest: Option<(u64, Pending)>,
    order: BinaryHeap<u64>,
    waiting: IdMap<Pending>,
}

impl Queue {
    fn push(&mut self, edge: Edge, cotangent: AnyVar) {
        let id = edge.node.id();
        match &mut self.youngest {
            Some((youngest, pending)) if *youngest == id => pending.add(edge.slot, cotangent),
            Some((youngest, _)) if *youngest > id => self.wait(id, edge, cotangent),
            None if self.order.peek().is_some_and(|&top| top >= id) => self.wait(id, edge, cotangent),
            _ => {
                if let Some((old, pending)) = self.youngest.replace((id, Pending::new(edge, cotangent))) {
                    self.order.push(old);
                    self.waiting.insert(old, pending);
                }
            }
        }
    }

    fn wait(&mut self, id: u64, edge: Edge, cotangent: AnyVar) {
        if let Some(pending) = self.waiting.get_mut(&id) {
            pending.add(edge.slot, cotangent);
        } else {
            self.order.push(id);
            self.waiting.insert(id, Pending::new(edge, cotangent));
        }
    }

    /// The cotangent that waits for a node's output, if there is one.
    fn waiting(&mut self, edge: &Edge) -> Option<&mut Option<AnyVar>> {
        let id = edge.node.id();
        let pending = match &mut self.youngest {
            Some((youngest, pending)) if *youngest == id => pending,
            _ => self.waiting.get_mut(&id)?,
        };
        Some(&mut pending.cotangents[edge.slot as usize]).filter(|place| place.is_some())
    }

    fn pop(&mut self) -> Option<Pending> {
        if let Some((_, pending)) = self.youngest.take() {
            return Some(pending);
        }
        let id = self.order.pop()?;
        self.waiting.remove(&id)
    }
}

/// Sends cotangents from `seeds` back to the leaves; the result maps a leaf's number to its cotangent.
///
/// Takes the seeds by value: where nobody else holds the graph, what a node saved is freed as soon as it has been pulled.
pub(crate) fn sweep(seeds: Vec<(Edge, AnyVar)>) -> Result<IdMap<AnyVar>> {
    send(seeds, true, &|node, cotangents, sink| node.pull(cotangents, sink))
}

/// As [`sweep`] for stacks of that many cotangents.
pub(crate) fn sweep_stacked(count: usize, seeds: Vec<(Edge, AnyVar)>) -> Result<IdMap<AnyVar>> {
    send(seeds, false, &|node, cotangents, sink| node.pull_stacked(count, cotangents, sink))
}

type Pull<'a> = &'a dyn Fn(&dyn Node, Cotangents, &mut dyn FnMut(usize, AnyVar)) -> Result<()>;

/// With `parts` cotangents of parts of an array are added to its own where they belong.
fn send(seeds: Vec<(Edge, AnyVar)>, parts: bool, pull: Pull<'_>) -> Result<IdMap<AnyVar>> {
    let mut queue = Queue::default();
    let mut gradients = IdMap::default();
    let check = anomaly::is_on();
    for (edge, cotangent) in seeds {
        queue.push(edge, cotangent);
    }
    while let Some(Pending { node, mut cotangents }) = queue.pop() {
        if node.edges().is_empty() {
            if let Some(cotangent) = cotangents[0].take() {
                gradients.insert(node.id(), cotangent);
            }
            continue;
        }
        if check {
            anomaly::check_incoming(node.name(), &cotangents)?;
        }
        if parts
            && !check
            && let (Some(part), Some(edge)) = (node.part(), &node.edges()[0])
            && let Some(place) = queue.waiting(edge)
            && let Some(g) = cotangents[0].take()
            && let Some(sum) = place.take()
        {
            *place = Some(part.add(sum, g));
            continue;
        }
        let mut fault = None;
        pull(&*node, cotangents, &mut |input, cotangent| {
            if let Some(edge) = &node.edges()[input] {
                if check && fault.is_none() {
                    fault = anomaly::check(node.name(), input, &cotangent).err();
                }
                queue.push(edge.clone(), cotangent);
            }
        })?;
        if let Some(error) = fault {
            return Err(error);
        }
    }
    Ok(gradients)
}
