//! Levels of tracing. Every transform opens a level; a variable carries, per level it belongs to, an edge (reverse) or a tangent (forward).

use super::node::Edge;
use super::var::Var;
use crate::scalar::Scalar;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A transform in progress. Inner transforms are opened later, so they have the larger number.
pub(crate) type Level = u64;

static COUNTER: AtomicU64 = AtomicU64::new(1);

/// The next number of the one counter that orders levels and nodes.
#[inline]
pub(crate) fn next_id() -> u64 {
    COUNTER.fetch_add(1, Ordering::Relaxed)
}

/// What a variable carries at one level, above what it carries at outer levels.
#[derive(Clone)]
pub(crate) struct Layer<T> {
    pub(crate) level: Level,
    pub(crate) trace: Trace<T>,
    pub(crate) below: Option<Arc<Layer<T>>>,
}

#[derive(Clone)]
pub(crate) enum Trace<T> {
    /// Reverse mode: where the cotangent goes.
    Edge(Edge),
    /// Forward mode: the tangent, a variable of lower levels.
    Tangent(Arc<Var<T>>),
}

impl<T: Scalar> Var<T> {
    /// The innermost level that the variable belongs to; 0 for a constant.
    #[inline]
    pub(crate) fn level(&self) -> Level {
        match &self.top {
            None => 0,
            Some(layer) => layer.level,
        }
    }

    /// The variable as the levels below `level` see it.
    #[inline]
    pub(crate) fn below(&self, level: Level) -> Var<T> {
        match &self.top {
            Some(layer) if layer.level >= level => {
                let mut below = layer.below.as_deref();
                while let Some(inner) = below.filter(|inner| inner.level >= level) {
                    below = inner.below.as_deref();
                }
                Var { value: self.value.clone(), top: below.cloned() }
            }
            _ => self.clone(),
        }
    }

    /// The variable without its layer at `level`, and that layer's trace if it has one; `level` is not below the variable's own.
    #[inline]
    pub(crate) fn open(self, level: Level) -> (Var<T>, Option<Trace<T>>) {
        match self.top {
            Some(layer) if layer.level == level => {
                let top = layer.below.map(Arc::unwrap_or_clone);
                (Var { value: self.value, top }, Some(layer.trace))
            }
            top => (Var { value: self.value, top }, None),
        }
    }

    /// The edge at `level`, if the variable belongs to it.
    #[inline]
    pub(crate) fn edge(&self, level: Level) -> Option<Edge> {
        match &self.top {
            Some(Layer { level: l, trace: Trace::Edge(edge), .. }) if *l == level => Some(edge.clone()),
            _ => None,
        }
    }

    /// The tangent at `level`, if the variable belongs to it.
    #[inline]
    pub(crate) fn tangent(&self, level: Level) -> Option<Var<T>> {
        match &self.top {
            Some(Layer { level: l, trace: Trace::Tangent(tangent), .. }) if *l == level => Some((**tangent).clone()),
            _ => None,
        }
    }

    /// Whether `level` is a reverse one: only asked of a variable that belongs to it.
    #[inline]
    pub(crate) fn is_reverse(&self) -> bool {
        matches!(&self.top, Some(Layer { trace: Trace::Edge(_), .. }))
    }

    #[inline]
    pub(crate) fn with_edge(self, level: Level, edge: Edge) -> Var<T> {
        self.with_layer(level, Trace::Edge(edge))
    }

    #[inline]
    pub(crate) fn with_tangent(self, level: Level, tangent: Option<Var<T>>) -> Var<T> {
        match tangent {
            None => self,
            Some(t) => self.with_layer(level, Trace::Tangent(Arc::new(t))),
        }
    }

    #[inline]
    fn with_layer(self, level: Level, trace: Trace<T>) -> Var<T> {
        debug_assert!(self.level() < level, "layers are stacked from outer to inner");
        Var { value: self.value, top: Some(Layer { level, trace, below: self.top.map(Arc::new) }) }
    }
}

/// Whether one backward sweep, and nothing else, is going to come by.
pub(crate) fn one_reverse_level<T: Scalar>(inputs: &[Var<T>]) -> bool {
    let level = inputs.iter().map(Var::level).max().unwrap_or(0);
    level > 0 && inputs.iter().all(|x| (x.level() < level || x.is_reverse()) && x.below(level).is_constant())
}
