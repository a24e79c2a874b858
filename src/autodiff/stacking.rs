//! Rows of the leading axis and back: what `scan` and `vmap` take apart and put together, one node for all rows.

use super::primitive::{Primitive, apply};
use super::tree::{AnyRef, AnyVar, Tree, each_kind, leaves, map_kind};
use super::var::Var;
use crate::error::{Error, Result};
use crate::kernels::buffer::append;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor, len_of};
use std::marker::PhantomData;

/// Ranges of the leading axis, as arrays of their own; of single rows the axis is dropped.
struct Split<T> {
    bounds: Vec<(usize, usize)>,
    single: bool,
    types: PhantomData<T>,
}

/// The transpose: arrays one after the other along the leading axis, or rows along a new one.
struct Join<T> {
    single: bool,
    types: PhantomData<T>,
}

fn split<T: Scalar>(x: &Var<T>, bounds: Vec<(usize, usize)>, single: bool) -> Result<Vec<Var<T>>> {
    apply(Split { bounds, single, types: PhantomData }, x)
}

fn join<T: Scalar>(parts: &Vec<Var<T>>, single: bool) -> Result<Var<T>> {
    apply(Join { single, types: PhantomData }, parts)
}

impl<T: Scalar> Primitive for Split<T> {
    type Inputs = Var<T>;
    type Outputs = Vec<Var<T>>;
    fn name(&self) -> &'static str {
        "split"
    }
    fn forward(&self, x: &Var<T>) -> Result<Vec<Var<T>>> {
        let part = |&(start, end): &(usize, usize)| {
            let rows = x.value.rows(start, end);
            Var::constant(if self.single { rows.reshaped(&x.shape()[1..]) } else { rows })
        };
        Ok(self.bounds.iter().map(part).collect())
    }
    fn vjp(&self, _: &Var<T>, outputs: &Vec<Var<T>>, g: Vec<Option<Var<T>>>, _: &[bool]) -> Result<Option<Var<T>>> {
        let parts = g.into_iter().zip(outputs).map(|(g, y)| g.unwrap_or_else(|| y.zeros_like())).collect();
        Ok(Some(join(&parts, self.single)?))
    }
    fn jvp(&self, _: &Var<T>, _: &Vec<Var<T>>, dx: &Var<T>) -> Result<Vec<Var<T>>> {
        split(dx, self.bounds.clone(), self.single)
    }
    fn keeps_input(&self, _: usize) -> bool {
        false
    }
    fn keeps_output(&self, _: usize) -> bool {
        false
    }
}

impl<T: Scalar> Primitive for Join<T> {
    type Inputs = Vec<Var<T>>;
    type Outputs = Var<T>;
    fn name(&self) -> &'static str {
        "join"
    }
    fn forward(&self, parts: &Vec<Var<T>>) -> Result<Var<T>> {
        let first = parts.first().ok_or_else(|| Error::shape("join", "there is nothing to join"))?.shape();
        let row = if self.single { first } else { &first[1..] };
        let rows = if self.single { parts.len() } else { parts.iter().map(|p| p.shape()[0]).sum() };
        let shape: Shape = std::iter::once(rows).chain(row.iter().copied()).collect();
        if let Some(part) = parts.iter().find(|p| p.shape()[usize::from(!self.single)..] != *row) {
            return Err(Error::shape("join", format!("rows of shapes {row:?} and {:?}: they must agree", part.shape())));
        }
        let mut values = Vec::with_capacity(len_of(&shape));
        parts.iter().for_each(|part| append(&mut values, part.as_slice()));
        Ok(Var::constant(Tensor::with_shape(shape, values)))
    }
    fn vjp(&self, parts: &Vec<Var<T>>, _: &Var<T>, g: Option<Var<T>>, _: &[bool]) -> Result<Vec<Option<Var<T>>>> {
        let Some(g) = g else { return Ok(vec![None; parts.len()]) };
        let mut end = 0;
        let bounds = parts.iter().map(|part| {
            let start = end;
            end += if self.single { 1 } else { part.shape()[0] };
            (start, end)
        });
        Ok(split(&g, bounds.collect(), self.single)?.into_iter().map(Some).collect())
    }
    fn jvp(&self, _: &Vec<Var<T>>, _: &Var<T>, dx: &Vec<Var<T>>) -> Result<Var<T>> {
        join(dx, self.single)
    }
    fn keeps_input(&self, _: usize) -> bool {
        false
    }
    fn keeps_output(&self, _: usize) -> bool {
        false
    }
}

/// The length of the leading axis that all arrays of a structure share; `None` for a structure without arrays.
pub(super) fn leading<A: Tree>(operation: &'static str, tree: &A) -> Result<Option<usize>> {
    let mut lengths = Vec::new();
    tree.visit(&mut |v| lengths.push(v.shape().first().copied()));
    match lengths.first() {
        None => Ok(None),
        Some(Some(n)) if lengths.iter().all(|m| *m == Some(*n)) => Ok(Some(*n)),
        _ => {
            let mut shapes = Vec::new();
            tree.visit(&mut |v| shapes.push(v.shape().to_vec()));
            Err(Error::shape(operation, format!("the arrays have shapes {shapes:?}: their leading axes must be of one length")))
        }
    }
}

/// A list per part from a list per leaf.
fn regroup<A: Tree>(tree: &A, parts: usize, mut take: impl FnMut(AnyRef<'_>) -> Result<Vec<AnyVar>>) -> Result<Vec<A>> {
    let mut rows = Vec::new();
    for leaf in leaves(tree) {
        rows.push(take(leaf.as_ref())?.into_iter());
    }
    let build = |_| {
        let mut rows = rows.iter_mut();
        tree.rebuild(&mut |_| rows.next().and_then(Iterator::next).expect("a part of every leaf"))
    };
    Ok((0..parts).map(build).collect())
}

fn take_apart<A: Tree>(tree: &A, bounds: &[(usize, usize)], single: bool) -> Result<Vec<A>> {
    fn erased<T: Scalar>(x: &Var<T>, bounds: &[(usize, usize)], single: bool) -> Result<Vec<AnyVar>> {
        Ok(split(x, bounds.to_vec(), single)?.into_iter().map(T::erase).collect())
    }
    regroup(tree, bounds.len(), |leaf| each_kind!(leaf, AnyRef, x => erased(x, bounds, single)))
}

/// The rows 0 .. n of a structure of arrays.
pub(super) fn unstack<A: Tree>(tree: &A, n: usize) -> Result<Vec<A>> {
    take_apart(tree, &(0..n).map(|i| (i, i + 1)).collect::<Vec<_>>(), true)
}

/// Ranges of the leading axis of a structure of arrays.
pub(super) fn ranges<A: Tree>(tree: &A, bounds: &[(usize, usize)]) -> Result<Vec<A>> {
    take_apart(tree, bounds, false)
}

fn put_together<A: Tree>(parts: Vec<A>, single: bool) -> Result<A> {
    let lists: Vec<Vec<AnyVar>> = parts.iter().map(leaves).collect();
    let mut leaf = 0;
    let mut fault = None;
    let first = parts.first().ok_or_else(|| Error::shape("join", "there is nothing to join"))?;
    if let Some(list) = lists.iter().find(|list| list.len() != lists[0].len()) {
        return Err(Error::shape("join", format!("structures of {} and {} arrays: they must agree", lists[0].len(), list.len())));
    }
    let joined = first.rebuild(&mut |like| {
        leaf += 1;
        map_kind!(like, AnyRef, like => {
            let column = lists.iter().map(|list| list[leaf - 1].clone().unwrap()).collect();
            join(&column, single).unwrap_or_else(|error| {
                fault.get_or_insert(error);
                like.clone()
            })
        })
    });
    match fault {
        None => Ok(joined),
        Some(error) => Err(error),
    }
}

/// Structures of arrays as the rows of one.
pub(super) fn stack<A: Tree>(rows: Vec<A>) -> Result<A> {
    put_together(rows, true)
}

/// Structures of arrays one after the other along the leading axis.
pub(super) fn concatenate<A: Tree>(parts: Vec<A>) -> Result<A> {
    put_together(parts, false)
}
