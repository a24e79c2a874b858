//! A multilayer perceptron forward and backward, some rows at a time: what passes between layers stays in a cache, and threads meet once
//! forward and twice backward, whatever the number of layers.
//!
//! Forward: h_l = f(h_{l−1} W_l + b_l), without f in the last layer. Backward, from ȳ = δ_L: δ_{l−1} = f′(h_{l−1}) ⊙ δ_l W_lᵀ row by row,
//! x̄ = δ_1 W_1ᵀ, b̄_l the sum of δ_l over rows; and then W̄_l = h_{l−1}ᵀ δ_l, with all rows for some of W's.

use super::elementwise::{Unary, add_assign, unary_inplace};
use super::gemm::{Gemm, Matrix, here};
use super::parallel::{Shared, for_each};
use super::pool;
use super::simd::vectorize;
use crate::scalar::Scalar;

/// Rows that go through all layers together.
pub const ROWS: usize = 128;

/// Elements that stay in the nearest cache.
const NEAR: usize = 1 << 11;

/// Multiply-adds in a task of a weight's gradient, and its least rows: fewer would cost more to fetch than to multiply.
const TASK: usize = 1 << 22;
const LEAST: usize = 64;

/// x ↦ x W + b with W of shape (inputs, outputs), both of them above 0.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a, T> {
    pub inputs: usize,
    pub outputs: usize,
    pub weight: &'a [T],
    /// Only read forward.
    pub bias: &'a [T],
}

/// Whether f′ is known from f's value.
pub fn supports(f: Unary) -> bool {
    matches!(f, Unary::Tanh | Unary::Sigmoid | Unary::Relu)
}

/// g ← g f′, from y = f.
fn slope<T: Scalar>(f: Unary, y: &[T], g: &mut [T]) {
    vectorize!([T: Scalar] [T] |f: Unary, y: &'a [T], g: &'a mut [T]| -> () {
        let (one, zero) = (T::one(), T::zero());
        let pairs = g.iter_mut().zip(y);
        match f {
            Unary::Tanh => pairs.for_each(|(g, &y)| *g *= (one - y) * (one + y)),
            Unary::Sigmoid => pairs.for_each(|(g, &y)| *g *= y * (one - y)),
            Unary::Relu => pairs.for_each(|(g, &y)| *g *= if y == zero { zero } else { one }),
            f => unreachable!("{f:?} is not supported"),
        }
    })
}

/// An array that tasks fill, each some rows.
struct Rows<T> {
    data: Vec<T>,
    len: usize,
    width: usize,
    at: Shared<*mut T>,
}

impl<T: Scalar> Rows<T> {
    fn new(rows: usize, width: usize) -> Self {
        let mut data = pool::take(rows * width);
        let at = Shared(data.as_mut_ptr());
        Rows { data, len: rows * width, width, at }
    }

    /// Where a row begins.
    ///
    /// # Safety
    /// There is such a row.
    unsafe fn row(&self, first: usize) -> *mut T {
        // SAFETY: the caller's contract.
        unsafe { self.at.get().add(first * self.width) }
    }

    /// # Safety
    /// All rows have been written.
    unsafe fn finish(mut self) -> Vec<T> {
        // SAFETY: the vector has room for `len` elements, and they are written.
        unsafe { self.data.set_len(self.len) };
        self.data
    }
}

/// C ← A B (+ C) for (m × k) and (k × n).
fn product<'a, T: Scalar>((m, k, n): (usize, usize, usize), a: Matrix<'a, T>, b: Matrix<'a, T>) -> Gemm<'a, T> {
    Gemm { batch: 1, m, k, n, alpha: T::one(), a, b }
}

/// The value of a perceptron at rows, and with `keep` the values of its hidden layers.
///
/// # Panics
/// If the lengths do not fit.
pub fn forward<T: Scalar>(layers: &[Layer<T>], f: Unary, x: &[T], keep: bool) -> (Vec<T>, Vec<Vec<T>>) {
    let (last, k) = (layers.len() - 1, layers[0].inputs);
    let rows = x.len() / k;
    assert!(x.len() == rows * k && layers.windows(2).all(|l| l[0].outputs == l[1].inputs), "layers that do not fit");
    assert!(layers.iter().all(|l| l.bias.len() == l.outputs), "biases that do not fit");
    let kept: Vec<Rows<T>> =
        layers.iter().enumerate().map(|(l, layer)| Rows::new(if keep || l == last { rows } else { 0 }, layer.outputs)).collect();
    let widest = if keep { 0 } else { layers[..last].iter().map(|l| l.outputs).max().unwrap_or(0) };
    for_each(rows.div_ceil(ROWS), &|task| {
        let (first, count) = (task * ROWS, ROWS.min(rows - task * ROWS));
        let mut scratch: [Vec<T>; 2] = [pool::take(count * widest), pool::take(count * widest)];
        let mut input = &x[first * k..(first + count) * k];
        for (l, layer) in layers.iter().enumerate() {
            let n = layer.outputs;
            // SAFETY: the rows of a kept layer belong to this task; the scratch that is not being read has room for the widest layer. The
            // product writes the place before it is seen as a slice.
            let h = unsafe {
                let at = if keep || l == last { kept[l].row(first) } else { scratch[l % 2].as_mut_ptr() };
                let (a, b) = (Matrix::row_major(input, layer.inputs), Matrix::row_major(layer.weight, n));
                here(&product((count, layer.inputs, n), a, b), false, at);
                std::slice::from_raw_parts_mut(at, count * n)
            };
            // a few rows at a time, which stay in the nearest cache from the sum to the function
            for h in h.chunks_mut((NEAR / n).max(1) * n) {
                h.chunks_exact_mut(n).for_each(|row| add_assign(row, layer.bias));
                if l < last {
                    unary_inplace(f, h);
                }
            }
            input = h;
        }
        scratch.into_iter().for_each(pool::give);
    });
    // SAFETY: the tasks have written all rows of the layers that were kept, and the others have none.
    let mut all: Vec<Vec<T>> = kept.into_iter().map(|rows| unsafe { rows.finish() }).collect();
    let y = all.pop().expect("a last layer");
    (y, if keep { all } else { Vec::new() })
}

/// The cotangents of a perceptron's input and, layer by layer, of its weights and biases.
#[derive(Debug)]
pub struct Gradients<T> {
    pub x: Option<Vec<T>>,
    pub layers: Vec<(Vec<T>, Vec<T>)>,
}

/// The cotangents from that of the value, `g`, with the hidden layers that [`forward`] kept; those of x and those of the layers only if
/// they are asked for.
///
/// # Panics
/// If the lengths do not fit.
pub fn backward<T: Scalar>(
    layers: &[Layer<T>],
    f: Unary,
    x: &[T],
    hidden: &[&[T]],
    g: &[T],
    (of_x, of_layers): (bool, bool),
) -> Gradients<T> {
    let k = layers[0].inputs;
    let rows = x.len() / k;
    let inputs = |l: usize| if l == 0 { x } else { hidden[l - 1] };
    assert!((0..layers.len()).all(|l| inputs(l).len() == rows * layers[l].inputs), "layers that do not fit");
    assert!(g.len() == rows * layers[layers.len() - 1].outputs, "a cotangent that does not fit");
    // δ of all layers but the last; for layer 0 the place of x̄
    let deltas: Vec<Rows<T>> =
        layers.iter().enumerate().map(|(l, layer)| Rows::new(if l > 0 || of_x { rows } else { 0 }, layer.inputs)).collect();
    let tasks = rows.div_ceil(ROWS);
    let width: usize = if of_layers { layers.iter().map(|l| l.outputs).sum() } else { 0 };
    let mut sums = pool::filled(tasks.max(1) * width, T::zero());
    let partial = Shared(sums.as_mut_ptr());
    for_each(tasks, &|task| {
        let (first, count) = (task * ROWS, ROWS.min(rows - task * ROWS));
        // SAFETY: each task has its own part of the sums.
        let mut sums = unsafe { std::slice::from_raw_parts_mut(partial.get().add(task * width), width) };
        let last = layers[layers.len() - 1].outputs;
        let mut delta = &g[first * last..(first + count) * last];
        for (l, layer) in layers.iter().enumerate().rev() {
            let (m, n) = (layer.inputs, layer.outputs);
            if of_layers {
                let (sum, rest) = sums.split_at_mut(n);
                delta.chunks_exact(n).for_each(|row| add_assign(sum, row));
                sums = rest;
            }
            if l == 0 && !of_x {
                break;
            }
            // SAFETY: these rows belong to this task, and the product writes all of them.
            let pulled = unsafe {
                let at = deltas[l].row(first);
                here(&product((count, n, m), Matrix::row_major(delta, n), Matrix::row_major(layer.weight, n).transposed()), false, at);
                std::slice::from_raw_parts_mut(at, count * m)
            };
            if l > 0 {
                slope(f, &hidden[l - 1][first * m..(first + count) * m], pulled);
            }
            delta = pulled;
        }
    });
    // SAFETY: the tasks have written all rows there are.
    let mut deltas: Vec<Vec<T>> = deltas.into_iter().map(|rows| unsafe { rows.finish() }).collect();
    let of_layers = if of_layers {
        let output = |l: usize| if l + 1 < layers.len() { &deltas[l + 1][..] } else { g };
        let weights = weight_gradients(layers, rows, &inputs, &output);
        let mut biases: Vec<Vec<T>> = layers.iter().map(|layer| vec![T::zero(); layer.outputs]).collect();
        for sums in sums.chunks_exact(width) {
            let mut at = 0;
            for bias in biases.iter_mut().rev() {
                let n = bias.len();
                add_assign(bias, &sums[at..at + n]);
                at += n;
            }
        }
        weights.into_iter().zip(biases).collect()
    } else {
        Vec::new()
    };
    pool::give(sums);
    let x = deltas.swap_remove(0);
    deltas.into_iter().for_each(pool::give);
    Gradients { x: of_x.then_some(x), layers: of_layers }
}

/// W̄_l = h_{l−1}ᵀ δ_l, some rows of W̄_l in a task.
fn weight_gradients<'a, T: Scalar>(
    layers: &[Layer<T>],
    rows: usize,
    input: &(dyn Fn(usize) -> &'a [T] + Sync),
    delta: &(dyn Fn(usize) -> &'a [T] + Sync),
) -> Vec<Vec<T>> {
    let weights: Vec<Rows<T>> = layers.iter().map(|layer| Rows::new(layer.inputs, layer.outputs)).collect();
    let mut tasks = Vec::new();
    for (l, layer) in layers.iter().enumerate() {
        let height = (TASK / (rows * layer.outputs).max(1)).next_multiple_of(LEAST);
        tasks.extend((0..layer.inputs).step_by(height).map(|first| (l, first, height.min(layer.inputs - first))));
    }
    for_each(tasks.len(), &|task| {
        let (l, first, count) = tasks[task];
        let (m, n) = (layers[l].inputs, layers[l].outputs);
        let (a, b) = (Matrix::row_major(&input(l)[first.min(input(l).len())..], m), Matrix::row_major(delta(l), n));
        // SAFETY: these rows of the gradient belong to this task, and the product writes all of them.
        unsafe { here(&product((count, rows, n), a.transposed(), b), false, weights[l].row(first)) };
    });
    // SAFETY: the tasks have written all rows.
    weights.into_iter().map(|rows| unsafe { rows.finish() }).collect()
}
