//! Numpy's broadcasting: shapes are aligned at their last axes, and an axis of length 1 (or missing) is repeated.

use super::buffer::build;
use super::elementwise::{self, Binary, binary_scalars};
use super::parallel::for_grains;
use super::reduce::sum_axes;
use super::simd::vectorize;
use super::strided::{self, Axis};
use crate::scalar::Scalar;
use smallvec::SmallVec;
use std::mem::MaybeUninit;

/// A shape.
pub type Shape = SmallVec<[usize; 4]>;

/// The shape that both broadcast to, or `None` if some axis has two lengths other than 1.
pub fn broadcast_shape(a: &[usize], b: &[usize]) -> Option<Shape> {
    let rank = a.len().max(b.len());
    let mut out = Shape::from_elem(1, rank);
    for (i, n) in out.iter_mut().enumerate() {
        *n = match (axis_length(a, rank, i), axis_length(b, rank, i)) {
            (p, q) if p == q || q == 1 => p,
            (1, q) => q,
            _ => return None,
        };
    }
    Some(out)
}

/// The length of axis `i` of a shape seen at rank `rank`.
#[inline]
fn axis_length(shape: &[usize], rank: usize, i: usize) -> usize {
    (i + shape.len()).checked_sub(rank).map_or(1, |k| shape[k])
}

/// The strides of `shape` seen as `out`: 0 along repeated axes.
#[inline]
fn broadcast_strides(shape: &[usize], out: &[usize]) -> SmallVec<[usize; 8]> {
    let mut strides = SmallVec::from_elem(0, out.len());
    let mut stride = 1;
    for i in (0..shape.len()).rev() {
        let k = out.len() - shape.len() + i;
        assert!(shape[i] == out[k] || shape[i] == 1, "{shape:?} does not broadcast to {out:?}");
        if shape[i] != 1 {
            strides[k] = stride;
        }
        stride *= shape[i];
    }
    strides
}

/// `x` repeated along the axes that `out_shape` adds or lengthens.
pub fn broadcast_to<T: Scalar>(x: &[T], shape: &[usize], out_shape: &[usize]) -> Vec<T> {
    assert_eq!(x.len(), shape.iter().product::<usize>());
    let n = out_shape.iter().product();
    let src = broadcast_strides(shape, out_shape);
    let mut dst = n;
    let mut axes: SmallVec<[Axis; 8]> = SmallVec::with_capacity(out_shape.len());
    for (&len, &src) in out_shape.iter().zip(&src) {
        dst /= len.max(1);
        axes.push(Axis { len, src: src as isize, dst: dst as isize });
    }
    // SAFETY: source indices stay below `shape` on the axes it has; the destination's strides are row-major.
    unsafe { build(n, |out| strided::copy(x.as_ptr(), out.as_mut_ptr().cast(), &axes)) }
}

/// The transpose of [`broadcast_to`]: sums over the axes along which `target_shape` was repeated.
pub fn sum_to_shape<T: Scalar>(x: &[T], shape: &[usize], target_shape: &[usize]) -> Vec<T> {
    let rank = shape.len();
    let axes: SmallVec<[usize; 8]> =
        (0..rank).filter(|&i| rank - i > target_shape.len() || (axis_length(target_shape, rank, i) == 1 && shape[i] != 1)).collect();
    sum_axes(x, shape, &axes)
}

/// What the loops read and write: numbers, truth values, indices.
pub trait Element: Copy + Send + Sync {}
impl<T: Copy + Send + Sync> Element for T {}

/// Axes after merging, each with the strides of K operands.
struct Layout<const K: usize> {
    outer: SmallVec<[(usize, [usize; K]); 6]>,
    inner: (usize, [usize; K]),
}

impl<const K: usize> Layout<K> {
    fn new(shapes: [&[usize]; K], out: &[usize]) -> Self {
        let strides = shapes.map(|shape| broadcast_strides(shape, out));
        let mut outer: SmallVec<[(usize, [usize; K]); 6]> = SmallVec::new();
        for (i, &n) in out.iter().enumerate().filter(|&(_, &n)| n != 1) {
            let stride = std::array::from_fn(|k| strides[k][i]);
            match outer.last_mut() {
                Some((m, s)) if (0..K).all(|k| s[k] == stride[k] * n) => (*m, *s) = (*m * n, stride),
                _ => outer.push((n, stride)),
            }
        }
        let inner = outer.pop().unwrap_or((1, [0; K]));
        Layout { outer, inner }
    }

    /// Calls `f(position, run, offsets)` for the pieces of rows of the inner axis that make up `start .. start + len` of the result;
    /// positions count from `start`.
    fn rows(&self, start: usize, len: usize, f: &mut dyn FnMut(usize, usize, [usize; K])) {
        let (n, stride) = self.inner;
        let mut skip = start % n;
        let mut row = start / n;
        let mut index: SmallVec<[usize; 6]> = SmallVec::from_elem(0, self.outer.len());
        let mut offsets = [0; K];
        for (k, (m, s)) in self.outer.iter().enumerate().rev() {
            index[k] = row % m;
            row /= m;
            (0..K).for_each(|o| offsets[o] += index[k] * s[o]);
        }
        let mut position = 0;
        while position < len {
            let run = (n - skip).min(len - position);
            f(position, run, std::array::from_fn(|o| offsets[o] + skip * stride[o]));
            position += run;
            skip = 0;
            for (k, (m, s)) in self.outer.iter().enumerate().rev() {
                index[k] += 1;
                if index[k] < *m {
                    (0..K).for_each(|o| offsets[o] += s[o]);
                    break;
                }
                index[k] = 0;
                (0..K).for_each(|o| offsets[o] -= s[o] * (m - 1));
            }
        }
    }
}

impl Layout<2> {
    /// For (m, n) against a short row (n): which operand the row is, and how often to repeat it for a length that is worth a vector loop.
    fn short_row(&self, lens: [usize; 2]) -> Option<(usize, usize)> {
        let (n, [1, 1]) = self.inner else { return None };
        let [(m, outer)] = self.outer[..] else { return None };
        let copies = m.min(512usize.div_ceil(n));
        let which = match outer {
            [0, s] if s > 0 => 0,
            [s, 0] if s > 0 => 1,
            _ => return None,
        };
        (n < 64 && copies > 1 && lens[which] == n).then_some((which, copies))
    }
}

/// f(a, b) element by element, both broadcast to `out_shape`.
pub fn binary_broadcast<T: Element, U: Element, V: Element, F: Fn(T, U) -> V + Sync + Copy>(
    a: &[T],
    a_shape: &[usize],
    b: &[U],
    b_shape: &[usize],
    out_shape: &[usize],
    f: F,
) -> Vec<V> {
    let n: usize = out_shape.iter().product();
    if n == 0 {
        return Vec::new();
    }
    if n <= 64 && !(a.len() == n && b.len() == n) {
        return few([a_shape, b_shape], out_shape, n, |[i, j]| f(a[i], b[j]));
    }
    let layout = Layout::new([a_shape, b_shape], out_shape);
    let short = layout.short_row([a.len(), b.len()]);
    let (repeated_a, repeated_b);
    let (mut a, mut b, mut period) = (a, b, n);
    match short {
        Some((0, copies)) => {
            repeated_a = a.repeat(copies);
            (a, period) = (&repeated_a, repeated_a.len());
        }
        Some((_, copies)) => {
            repeated_b = b.repeat(copies);
            (b, period) = (&repeated_b, repeated_b.len());
        }
        None => {}
    }
    let [a_stride, b_stride] = if short.is_some() { [1, 1] } else { layout.inner.1 };
    let fill = |start: usize, out: &mut [MaybeUninit<V>]| {
        let row = |out: &mut [MaybeUninit<V>], [i, j]: [usize; 2]| {
            let (a, b, f) = (&a[i..], &b[j..], &f);
            vectorize!([T: Element, U: Element, V: Element, F: Fn(T, U) -> V] [T, U, V, F] |out: &'a mut [MaybeUninit<V>], a: &'a [T], a_stride: usize, b: &'a [U], b_stride: usize, f: &'a F| -> () {
                fill_binary(out, a, a_stride, b, b_stride, |a, b| f(a, b))
            })
        };
        match short {
            None => layout.rows(start, out.len(), &mut |at, run, places| row(&mut out[at..at + run], places)),
            Some((which, _)) => periodic(start, out.len(), period, which, &mut |at, run, places| row(&mut out[at..at + run], places)),
        }
    };
    // SAFETY: the rows cover the result, and `fill_binary` writes every element of each.
    unsafe { build(n, |out| for_grains(out, fill)) }
}

/// A function of two numbers by its name, both operands broadcast to `out_shape`: the loops of [`elementwise`](super::elementwise), row by row.
pub fn binary_broadcast_op<T: Scalar>(op: Binary, a: &[T], a_shape: &[usize], b: &[T], b_shape: &[usize], out_shape: &[usize]) -> Vec<T> {
    let n: usize = out_shape.iter().product();
    if n <= 64 {
        return few([a_shape, b_shape], out_shape, n, |[i, j]| binary_scalars(op, a[i], b[j]));
    }
    let layout = Layout::new([a_shape, b_shape], out_shape);
    if layout.inner.0 < 64 {
        // rows are short: the smaller operand is spread out first
        let (mut spread_a, mut spread_b) = (Vec::new(), Vec::new());
        let full = |x: &[T], shape: &[usize], spread: &mut Vec<T>| {
            if x.len() != n {
                *spread = broadcast_to(x, shape, out_shape);
            }
        };
        full(a, a_shape, &mut spread_a);
        full(b, b_shape, &mut spread_b);
        return match (spread_a.is_empty(), spread_b.is_empty()) {
            (true, true) => elementwise::binary(op, a, b),
            (false, _) => {
                elementwise::binary_left_inplace(op, &mut spread_a, if spread_b.is_empty() { b } else { &spread_b });
                spread_a
            }
            (true, false) => {
                elementwise::binary_right_inplace(op, a, &mut spread_b);
                spread_b
            }
        };
    }
    let stride = layout.inner.1;
    // SAFETY: the rows of the layout cover the result, and each is written whole.
    unsafe {
        build(n, |out| {
            for_grains(out, |start, out: &mut [MaybeUninit<T>]| {
                layout.rows(start, out.len(), &mut |at, run, [i, j]| {
                    elementwise::binary_row(op, (&a[i..], stride[0]), (&b[j..], stride[1]), &mut out[at..at + run])
                });
            })
        })
    }
}

/// Element by element, for so few that preparing anything would cost more.
#[inline]
fn few<V, const K: usize>(shapes: [&[usize]; K], out_shape: &[usize], n: usize, f: impl Fn([usize; K]) -> V) -> Vec<V> {
    let strides = shapes.map(|shape| broadcast_strides(shape, out_shape));
    let mut out = Vec::with_capacity(n);
    let mut index: SmallVec<[usize; 8]> = SmallVec::from_elem(0, out_shape.len());
    let mut at = [0; K];
    for _ in 0..n {
        out.push(f(at));
        for axis in (0..out_shape.len()).rev() {
            index[axis] += 1;
            (0..K).for_each(|k| at[k] += strides[k][axis]);
            if index[axis] < out_shape[axis] {
                break;
            }
            (0..K).for_each(|k| at[k] -= strides[k][axis] * out_shape[axis]);
            index[axis] = 0;
        }
    }
    out
}

/// Pieces of one array of full length and one that repeats after `period`: number `which`.
fn periodic(start: usize, len: usize, period: usize, which: usize, f: &mut dyn FnMut(usize, usize, [usize; 2])) {
    let mut at = 0;
    while at < len {
        let phase = (start + at) % period;
        let run = (period - phase).min(len - at);
        f(at, run, if which == 0 { [phase, start + at] } else { [start + at, phase] });
        at += run;
    }
}

#[inline(always)]
fn fill_unary<T: Copy, V>(out: &mut [MaybeUninit<V>], a: &[T], f: impl Fn(T) -> V) {
    let n = out.len();
    for (out, &a) in out.iter_mut().zip(&a[..n]) {
        out.write(f(a));
    }
}

/// Strides are 0 or 1.
#[inline(always)]
fn fill_binary<T: Copy, U: Copy, V>(out: &mut [MaybeUninit<V>], a: &[T], a_stride: usize, b: &[U], b_stride: usize, f: impl Fn(T, U) -> V) {
    let n = out.len();
    match (a_stride, b_stride) {
        (1, 1) => {
            for ((out, &a), &b) in out.iter_mut().zip(&a[..n]).zip(&b[..n]) {
                out.write(f(a, b));
            }
        }
        (1, _) => {
            let b = b[0];
            fill_unary(out, a, |a| f(a, b));
        }
        (_, 1) => {
            let a = a[0];
            fill_unary(out, b, |b| f(a, b));
        }
        _ => {
            let (a, b) = (a[0], b[0]);
            out.iter_mut().for_each(|out| _ = out.write(f(a, b)));
        }
    }
}

/// f(a, b, c) element by element, all broadcast to `out_shape`.
pub fn ternary_broadcast<T: Element, U: Element, W: Element, V: Element, F: Fn(T, U, W) -> V + Sync + Copy>(
    (a, a_shape): (&[T], &[usize]),
    (b, b_shape): (&[U], &[usize]),
    (c, c_shape): (&[W], &[usize]),
    out_shape: &[usize],
    f: F,
) -> Vec<V> {
    let n: usize = out_shape.iter().product();
    if n <= 64 {
        return few([a_shape, b_shape, c_shape], out_shape, n, |[i, j, k]| f(a[i], b[j], c[k]));
    }
    let layout = &Layout::new([a_shape, b_shape, c_shape], out_shape);
    let fill = |start: usize, out: &mut [MaybeUninit<V>]| {
        let stride = layout.inner.1;
        layout.rows(start, out.len(), &mut |at, run, [i, j, k]| {
            let (out, a, b, c, f) = (&mut out[at..at + run], &a[i..], &b[j..], &c[k..], &f);
            vectorize!([T: Element, U: Element, W: Element, V: Element, F: Fn(T, U, W) -> V] [T, U, W, V, F] |out: &'a mut [MaybeUninit<V>], a: &'a [T], b: &'a [U], c: &'a [W], stride: [usize; 3], f: &'a F| -> () {
                fill_ternary(out, a, b, c, stride, |a, b, c| f(a, b, c))
            })
        });
    };
    // SAFETY: the rows of the layout cover the result and each loop writes its whole row.
    unsafe { build(n, |out| for_grains(out, fill)) }
}

/// Strides are 0 or 1; a repeated operand leaves a loop over two, so that each loop has unit strides.
#[inline(always)]
fn fill_ternary<T: Copy, U: Copy, W: Copy, V>(
    out: &mut [MaybeUninit<V>],
    a: &[T],
    b: &[U],
    c: &[W],
    [p, q, r]: [usize; 3],
    f: impl Fn(T, U, W) -> V,
) {
    let n = out.len();
    match (p, q, r) {
        (1, 1, 1) => {
            for (((out, &a), &b), &c) in out.iter_mut().zip(&a[..n]).zip(&b[..n]).zip(&c[..n]) {
                out.write(f(a, b, c));
            }
        }
        (0, ..) => {
            let a = a[0];
            fill_binary(out, b, q, c, r, |b, c| f(a, b, c));
        }
        (_, 0, _) => {
            let b = b[0];
            fill_binary(out, a, p, c, r, |a, c| f(a, b, c));
        }
        _ => {
            let c = c[0];
            fill_binary(out, a, p, b, q, |a, b| f(a, b, c));
        }
    }
}
