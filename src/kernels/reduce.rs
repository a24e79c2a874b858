//! Reductions over axes.
//!
//! Sums are pairwise over blocks (Higham, *Accuracy and Stability of Numerical Algorithms*, §4.2): the error grows as log n, not n.
//! The tree depends on the shape alone, so the bits do not depend on the number of threads.

use super::parallel::{GRAIN, collect, for_parts, for_rows};
use super::simd::vectorize;
use crate::scalar::{Real, Scalar};
use smallvec::SmallVec;

/// Elements that lanes add up one after the other, below the pairwise tree.
pub(super) const BLOCK: usize = 1024;
/// Rows that are added one after the other, below the pairwise tree.
const ROWS: usize = 32;
/// The binary digits of the largest number of blocks that a task sees.
pub(super) const LEVELS: usize = 8;
/// Columns that are folded together; their partial results stay in the nearest cache.
const COLUMNS: usize = 1024;

/// An associative, commutative operation, for instance a sum.
trait Op<T>: Fn(T, T) -> T + Copy + Sync {}
impl<T, F: Fn(T, T) -> T + Copy + Sync> Op<T> for F {}

/// Σ over the given axes (sorted, unique): the result has the other axes, in their order.
pub fn sum_axes<T: Scalar>(x: &[T], shape: &[usize], axes: &[usize]) -> Vec<T> {
    reduce_axes(x, shape, axes, T::zero(), |a, b| a + b)
}

/// Π over the given axes.
pub fn prod_axes<T: Scalar>(x: &[T], shape: &[usize], axes: &[usize]) -> Vec<T> {
    reduce_axes(x, shape, axes, T::one(), |a, b| a * b)
}

/// The largest element over the given axes; a NaN wins, as in numpy. −∞ if there are none.
pub fn max_axes<T: Real>(x: &[T], shape: &[usize], axes: &[usize]) -> Vec<T> {
    reduce_axes(x, shape, axes, -T::INFINITY, |a, b| if a > b || a != a { a } else { b })
}

/// The smallest element over the given axes; a NaN wins, as in numpy. ∞ if there are none.
pub fn min_axes<T: Real>(x: &[T], shape: &[usize], axes: &[usize]) -> Vec<T> {
    reduce_axes(x, shape, axes, T::INFINITY, |a, b| if a < b || a != a { a } else { b })
}

/// Σ xᵢ
pub fn sum_all<T: Scalar>(x: &[T]) -> T {
    fold(x, T::zero(), |a, b| a + b)
}

fn reduce_axes<T: Scalar>(x: &[T], shape: &[usize], axes: &[usize], identity: T, op: impl Op<T>) -> Vec<T> {
    assert_eq!(x.len(), shape.iter().product::<usize>());
    debug_assert!(axes.is_sorted_by(|a, b| a < b) && axes.last().is_none_or(|&axis| axis < shape.len()));
    if axes.len() == shape.len() {
        return vec![fold(x, identity, op)];
    }
    if x.is_empty() {
        return vec![identity; shape.iter().enumerate().filter(|(i, _)| !axes.contains(i)).map(|(_, &n)| n).product()];
    }
    if x.len() <= 32 {
        return reduce_few(x, shape, axes, identity, op);
    }
    // neighbouring axes of the same kind act as one: (length, whether it is reduced)
    let mut groups: SmallVec<[(usize, bool); 8]> = SmallVec::new();
    let push = |groups: &mut SmallVec<[(usize, bool); 8]>, n, reduced| match groups.last_mut() {
        Some((m, r)) if *r == reduced => *m *= n,
        _ => groups.push((n, reduced)),
    };
    let mut next = axes.iter().peekable();
    for (i, &n) in shape.iter().enumerate() {
        let reduced = next.next_if(|&&axis| axis == i).is_some();
        if n != 1 {
            push(&mut groups, n, reduced);
        }
    }
    // the longest reduction first leaves the least to do for the others
    let mut partial: Option<Vec<T>> = None;
    while let Some(k) = (0..groups.len()).filter(|&k| groups[k].1).max_by_key(|&k| (groups[k].0, std::cmp::Reverse(k))) {
        let count = |groups: &[(usize, bool)]| groups.iter().map(|g| g.0).product();
        let (outer, rows, inner) = (count(&groups[..k]), groups[k].0, count(&groups[k + 1..]));
        partial = Some(reduce_middle(partial.as_deref().unwrap_or(x), outer, rows, inner, identity, op));
        let mut left = SmallVec::new();
        groups.iter().enumerate().filter(|&(i, _)| i != k).for_each(|(_, &(n, reduced))| push(&mut left, n, reduced));
        groups = left;
    }
    partial.unwrap_or_else(|| x.to_vec())
}

/// One element after the other, for so few that preparing anything would cost more.
fn reduce_few<T: Scalar>(x: &[T], shape: &[usize], axes: &[usize], identity: T, op: impl Op<T>) -> Vec<T> {
    let mut strides: SmallVec<[usize; 8]> = SmallVec::from_elem(0, shape.len());
    let mut n = 1;
    for (i, &len) in shape.iter().enumerate().rev().filter(|(i, _)| !axes.contains(i)) {
        strides[i] = n;
        n *= len;
    }
    let mut out = super::pool::filled(n, identity);
    let mut index: SmallVec<[usize; 8]> = SmallVec::from_elem(0, shape.len());
    let mut at = 0;
    for &x in x {
        out[at] = op(out[at], x);
        for k in (0..shape.len()).rev() {
            index[k] += 1;
            at += strides[k];
            if index[k] < shape[k] {
                break;
            }
            at -= strides[k] * shape[k];
            index[k] = 0;
        }
    }
    out
}

/// (outer, rows, inner) to (outer, inner); no length is zero.
fn reduce_middle<T: Scalar, O: Op<T>>(x: &[T], outer: usize, rows: usize, inner: usize, identity: T, op: O) -> Vec<T> {
    let unit = rows * inner;
    if outer > 1 && unit < GRAIN {
        let mut out = super::pool::filled(outer * inner, identity);
        let units = |x: &[T], out: &mut [T]| {
            vectorize!([T: Scalar, O: Op<T>] [T, O] |x: &'a [T], out: &'a mut [T], identity: T, op: O, rows: usize, inner: usize| -> () {
                let unit = rows * inner;
                if inner == 1 && rows < 16 {
                    for (row, out) in x.chunks_exact(rows).zip(out) {
                        *out = row[1..].iter().fold(row[0], |a, &b| op(a, b));
                    }
                } else if inner == 1 {
                    for (row, out) in x.chunks_exact(rows).zip(out) {
                        *out = pairwise(row, identity, op);
                    }
                } else {
                    for (x, out) in x.chunks_exact(unit).zip(out.chunks_exact_mut(inner)) {
                        fold_rows(x, rows, inner, out, op);
                    }
                }
            });
        };
        if x.len() < 2 * GRAIN {
            units(x, &mut out);
        } else {
            let many = GRAIN.div_ceil(unit);
            for_rows(x, unit, &mut out, inner, many, units);
        }
        return out;
    }
    let mut out = super::pool::take(outer * inner);
    for x in x.chunks_exact(unit) {
        if inner == 1 {
            out.push(fold(x, identity, op));
        } else if unit < 2 * GRAIN {
            let start = out.len();
            out.resize(start + inner, identity);
            rows_task(x, inner, &mut out[start..], op);
        } else if inner >= GRAIN {
            let start = out.len();
            out.resize(start + inner, identity);
            for_parts(&mut out[start..], GRAIN, |first, out| {
                vectorize!([T: Scalar, O: Op<T>] [T, O] |x: &'a [T], rows: usize, inner: usize, first: usize, out: &'a mut [T], op: O| -> () {
                    fold_columns(x, rows, inner, first, out, op)
                });
            });
        } else {
            let block = (GRAIN / inner).max(16);
            let blocks = rows.div_ceil(block);
            let mut partial = vec![identity; blocks * inner];
            for_parts(&mut partial, inner, |start, out| rows_task(&x[start * block..unit.min((start + inner) * block)], inner, out, op));
            if blocks == 1 {
                out.append(&mut partial);
            } else {
                out.append(&mut reduce_middle(&partial, 1, blocks, inner, identity, op));
            }
        }
    }
    out
}

fn rows_task<T: Scalar, O: Op<T>>(x: &[T], inner: usize, out: &mut [T], op: O) {
    vectorize!([T: Scalar, O: Op<T>] [T, O] |x: &'a [T], inner: usize, out: &'a mut [T], op: O| -> () {
        fold_rows(x, x.len() / inner, inner, out, op)
    });
}

/// All elements to one, in parallel if there are many.
fn fold<T: Scalar, O: Op<T>>(x: &[T], identity: T, op: O) -> T {
    if x.len() < 16 {
        return x.iter().fold(identity, |a, &b| op(a, b));
    }
    let task = |x: &[T]| vectorize!([T: Scalar, O: Op<T>] [T, O] |x: &'a [T], identity: T, op: O| -> T { pairwise(x, identity, op) });
    if x.len() < 2 * GRAIN {
        return task(x);
    }
    let partial = collect(x.len().div_ceil(GRAIN), |i| task(&x[i * GRAIN..x.len().min((i + 1) * GRAIN)]));
    fold(&partial, identity, op)
}

#[inline(always)]
fn pairwise<T: Scalar>(x: &[T], identity: T, op: impl Op<T>) -> T {
    // iterative, since a recursive function cannot be inlined into the vectorised one: a counter of blocks, and one partial
    // result per binary digit
    if x.len() <= BLOCK {
        return fold_block(x, identity, op);
    }
    debug_assert!(x.len() < BLOCK << (LEVELS - 1));
    let mut levels = [identity; LEVELS];
    for (i, block) in x.chunks(BLOCK).enumerate() {
        let mut partial = fold_block(block, identity, op);
        let carried = i.trailing_ones() as usize;
        for &level in &levels[..carried] {
            partial = op(level, partial);
        }
        levels[carried] = partial;
    }
    let blocks = x.len().div_ceil(BLOCK);
    let mut left = (0..LEVELS).filter(|bit| blocks >> bit & 1 == 1).map(|bit| levels[bit]);
    let first = left.next().unwrap_or(identity);
    left.fold(first, |a, b| op(b, a))
}

#[inline(always)]
fn fold_block<T: Scalar>(x: &[T], identity: T, op: impl Op<T>) -> T {
    // four vector registers of partial results
    match size_of::<T>() {
        4 => fold_lanes::<T, 32>(x, identity, op),
        8 => fold_lanes::<T, 16>(x, identity, op),
        _ => fold_lanes::<T, 8>(x, identity, op),
    }
}

#[inline(always)]
fn fold_lanes<T: Scalar, const L: usize>(x: &[T], identity: T, op: impl Op<T>) -> T {
    let (chunks, rest) = x.as_chunks::<L>();
    let rest = rest.iter().fold(identity, |a, &b| op(a, b));
    let Some((first, chunks)) = chunks.split_first() else { return rest };
    let mut lanes = *first;
    for chunk in chunks {
        for l in 0..L {
            lanes[l] = op(lanes[l], chunk[l]);
        }
    }
    op(tree(lanes, op), rest)
}

#[inline(always)]
pub(super) fn tree<T: Copy, const L: usize>(mut lanes: [T; L], op: impl Fn(T, T) -> T) -> T {
    let mut width = L / 2;
    while width > 0 {
        for l in 0..width {
            lanes[l] = op(lanes[l], lanes[l + width]);
        }
        width /= 2;
    }
    lanes[0]
}

/// (rows, inner) to (inner).
#[inline(always)]
fn fold_rows<T: Scalar>(x: &[T], rows: usize, inner: usize, out: &mut [T], op: impl Op<T>) {
    // narrow matrices are seen as wider ones of several rows side by side
    let side = 64 / inner;
    if side < 2 || rows < 4 * side {
        return fold_columns(x, rows, inner, 0, out, op);
    }
    let (wide, rest) = x.split_at(rows / side * side * inner);
    let mut buffer = [T::zero(); 64];
    let buffer = &mut buffer[..side * inner];
    fold_columns(wide, rows / side, side * inner, 0, buffer, op);
    fold_columns(buffer, side, inner, 0, out, op);
    for row in rest.chunks_exact(inner) {
        combine(out, row, op);
    }
}

#[inline(always)]
fn combine<T: Copy>(out: &mut [T], x: &[T], op: impl Fn(T, T) -> T) {
    for (out, &x) in out.iter_mut().zip(x) {
        *out = op(*out, x);
    }
}

/// The columns `first ..` of (rows, inner), as many as `out` holds.
#[inline(always)]
fn fold_columns<T: Scalar>(x: &[T], rows: usize, inner: usize, first: usize, out: &mut [T], op: impl Op<T>) {
    if rows <= ROWS {
        for (i, out) in out.chunks_mut(COLUMNS).enumerate() {
            fold_few_rows(&x[first + i * COLUMNS..], rows, inner, out, op);
        }
        return;
    }
    // partial results per binary digit of the number of blocks of rows, as in `pairwise`
    let width = out.len().min(COLUMNS);
    let blocks = rows.div_ceil(ROWS);
    let mut levels = vec![T::zero(); (blocks.ilog2() as usize + 2) * width];
    for (i, out) in out.chunks_mut(COLUMNS).enumerate() {
        let w = out.len();
        for block in 0..blocks {
            let carried = block.trailing_ones() as usize;
            let (done, partial) = levels.split_at_mut(carried * width);
            let partial = &mut partial[..w];
            let start = block * ROWS;
            fold_few_rows(&x[start * inner + first + i * COLUMNS..], ROWS.min(rows - start), inner, partial, op);
            for level in done.chunks_exact(width) {
                combine(partial, level, op);
            }
        }
        let mut left = (0..usize::BITS as usize).filter(|bit| blocks >> bit & 1 == 1).map(|bit| bit * width);
        if let Some(at) = left.next() {
            out.copy_from_slice(&levels[at..at + w]);
        }
        for at in left {
            combine(out, &levels[at..at + w], op);
        }
    }
}

#[inline(always)]
fn fold_few_rows<T: Scalar>(x: &[T], rows: usize, inner: usize, out: &mut [T], op: impl Op<T>) {
    let w = out.len();
    let row = |r: usize| &x[r * inner..r * inner + w];
    out.copy_from_slice(row(0));
    let mut r = 1;
    while r + 4 <= rows {
        let rows = row(r).iter().zip(row(r + 1)).zip(row(r + 2)).zip(row(r + 3));
        for (out, (((&a, &b), &c), &d)) in out.iter_mut().zip(rows) {
            *out = op(*out, op(op(a, b), op(c, d)));
        }
        r += 4;
    }
    for r in r..rows {
        combine(out, row(r), op);
    }
}

/// The position of the largest element along the middle axis of (outer, n, inner): the first of equals, or the first NaN.
pub fn argmax_axis<T: Real>(x: &[T], outer: usize, n: usize, inner: usize) -> Vec<usize> {
    arg_axis(x, outer, n, inner, |a, b| a > b)
}

/// The position of the smallest element along the middle axis of (outer, n, inner): the first of equals, or the first NaN.
pub fn argmin_axis<T: Real>(x: &[T], outer: usize, n: usize, inner: usize) -> Vec<usize> {
    arg_axis(x, outer, n, inner, |a, b| a < b)
}

fn arg_axis<T: Real>(x: &[T], outer: usize, n: usize, inner: usize, better: impl Fn(T, T) -> bool + Copy + Sync) -> Vec<usize> {
    debug_assert!(x.len() == outer * n * inner && n > 0);
    let mut out = vec![0usize; outer * inner];
    let unit = |x: &[T], out: &mut [usize]| {
        if inner == 1 {
            let best = fold(x, x[0], |a, b| if better(a, b) || a != a { a } else { b });
            out[0] = x.iter().position(|&x| if best != best { x != x } else { x == best }).unwrap_or(0);
            return;
        }
        let mut best = x[..inner].to_vec();
        for (i, row) in x.chunks_exact(inner).enumerate().skip(1) {
            for ((best, at), &x) in best.iter_mut().zip(out.iter_mut()).zip(row) {
                if better(x, *best) || (x != x && *best == *best) {
                    (*best, *at) = (x, i);
                }
            }
        }
    };
    if x.is_empty() {
        return out;
    }
    if x.len() < 2 * GRAIN || outer == 1 {
        x.chunks_exact(n * inner).zip(out.chunks_exact_mut(inner)).for_each(|(x, out)| unit(x, out));
    } else {
        let units =
            |x: &[T], out: &mut [usize]| x.chunks_exact(n * inner).zip(out.chunks_exact_mut(inner)).for_each(|(x, out)| unit(x, out));
        for_rows(x, n * inner, &mut out, inner, GRAIN.div_ceil(n * inner), units);
    }
    out
}
