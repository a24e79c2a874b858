//! One pass over arrays with a scalar function, its directional derivatives of any order, or the gradient of those.
//!
//! Elements go through in blocks: a block of every input is brought into a fixed array (scalars are repeated), the function runs over the
//! block in a loop that the compiler vectorises where the function is plain arithmetic, and the results are copied out.

use crate::scalar::{Dual, Number, Scalar, ScalarFn};
use rayon::prelude::*;
use std::time::Instant;

/// Elements in a block: a dozen arrays of them fit in the nearest cache.
const BLOCK: usize = 64;
/// The time that a parallel task should take at least.
const TASK_NANOSECONDS: f64 = 20_000.0;

/// Derivatives up to this order are had.
pub(super) const MAX_ORDER: usize = 4;

/// An input: an element for each of the results', or one for all.
pub(super) type Source<'a, T> = &'a [T];

/// A number x + Σ v_k ε_k with K nilpotent parts, each ε_k² = 0.
trait Jet<T>: Number {
    fn lift(x: T, v: &[T]) -> Self;
    /// The coefficient of ε_1 ⋯ ε_K.
    fn top(self) -> T;
}

impl<T: Scalar> Jet<T> for T {
    #[inline(always)]
    fn lift(x: T, _: &[T]) -> T {
        x
    }
    #[inline(always)]
    fn top(self) -> T {
        self
    }
}

/// A jet with no nilpotent parts.
#[inline(always)]
fn flat<T: Scalar, J: Jet<T>>(x: T) -> J {
    J::lift(x, &[T::zero(); MAX_ORDER])
}

impl<T: Scalar, J: Jet<T>> Jet<T> for Dual<J, 1> {
    #[inline(always)]
    fn lift(x: T, v: &[T]) -> Self {
        Dual::new(J::lift(x, &v[1..]), [flat::<T, J>(v[0])])
    }
    #[inline(always)]
    fn top(self) -> T {
        self.partials[0].top()
    }
}

type Block<T> = [T; BLOCK];

/// What is computed from a block of every input.
trait Body<T>: Sync {
    /// How many inputs and outputs.
    fn sizes(&self) -> (usize, usize);
    fn run(&self, inputs: &[Block<T>], outputs: &mut [Block<T>], len: usize);
}

/// Dᴷf(x)[v_1, …, v_K], from x, v_1, …, v_K.
struct Tangent<'a, F, const IN: usize, const OUT: usize>(&'a F, usize);

/// Σ_o g_o ∂/∂x_i Dᴷf_o(x)[v_1, …, v_K] for all i, from x, v_1, …, v_K, g.
struct Cotangent<'a, F, const IN: usize, const OUT: usize>(&'a F, usize);

#[inline(always)]
fn jets<T: Scalar, J: Jet<T>, const IN: usize, const K: usize>(x: &[Block<T>; IN], v: &[&[Block<T>; IN]; K], at: usize) -> [J; IN] {
    std::array::from_fn(|i| {
        let v: [T; K] = std::array::from_fn(|k| v[k][i][at]);
        J::lift(x[i][at], &v)
    })
}

/// N blocks from the given one on.
#[inline(always)]
fn array<T, const N: usize>(blocks: &[Block<T>], start: usize) -> &[Block<T>; N] {
    blocks[start..start + N].try_into().expect("a slice of this length")
}

/// The K + 1 groups of IN blocks, and the rest.
#[inline(always)]
#[allow(clippy::type_complexity)]
fn groups<T, const IN: usize, const K: usize>(inputs: &[Block<T>]) -> (&[Block<T>; IN], [&[Block<T>; IN]; K], &[Block<T>]) {
    (array(inputs, 0), std::array::from_fn(|k| array(inputs, (k + 1) * IN)), &inputs[(K + 1) * IN..])
}

#[inline(always)]
fn tangent<T: Scalar, F: ScalarFn<IN, OUT>, J: Jet<T>, const IN: usize, const OUT: usize, const K: usize>(
    f: &F,
    inputs: &[Block<T>],
    outputs: &mut [Block<T>],
    len: usize,
) {
    let (x, v, _) = groups::<T, IN, K>(inputs);
    let outputs: &mut [Block<T>; OUT] = outputs.try_into().expect("as many blocks as results");
    for at in 0..len.min(BLOCK) {
        let y = f.eval(jets::<T, J, IN, K>(x, &v, at));
        for o in 0..OUT {
            outputs[o][at] = y[o].top();
        }
    }
}

#[inline(always)]
fn cotangent<T: Scalar, F: ScalarFn<IN, OUT>, J: Jet<T>, const IN: usize, const OUT: usize, const K: usize>(
    f: &F,
    inputs: &[Block<T>],
    outputs: &mut [Block<T>],
    len: usize,
) {
    let (x, v, g) = groups::<T, IN, K>(inputs);
    let g: &[Block<T>; OUT] = array(g, 0);
    let outputs: &mut [Block<T>; IN] = outputs.try_into().expect("as many blocks as arguments");
    for at in 0..len.min(BLOCK) {
        let y = f.eval(Dual::<J, IN>::variables(jets::<T, J, IN, K>(x, &v, at)));
        for i in 0..IN {
            let mut sum = y[0].partials[i].top() * g[0][at];
            for o in 1..OUT {
                sum += y[o].partials[i].top() * g[o][at];
            }
            outputs[i][at] = sum;
        }
    }
}

/// f(x), and ∂f_o/∂x_i at position OUT + o IN + i.
struct Partials<'a, F, const IN: usize, const OUT: usize>(&'a F);

impl<T: Scalar, F: ScalarFn<IN, OUT>, const IN: usize, const OUT: usize> Body<T> for Partials<'_, F, IN, OUT> {
    fn sizes(&self) -> (usize, usize) {
        (IN, OUT + OUT * IN)
    }
    fn run(&self, x: &[Block<T>], y: &mut [Block<T>], n: usize) {
        let x: &[Block<T>; IN] = array(x, 0);
        let (values, partials) = y.split_at_mut(OUT);
        vectorize(|| {
            for at in 0..n.min(BLOCK) {
                let y = self.0.eval(Dual::<T, IN>::variables(std::array::from_fn(|i| x[i][at])));
                for o in 0..OUT {
                    values[o][at] = y[o].value;
                    for i in 0..IN {
                        partials[o * IN + i][at] = y[o].partials[i];
                    }
                }
            }
        });
    }
}

type J1<T> = Dual<T, 1>;
type J2<T> = Dual<J1<T>, 1>;
type J3<T> = Dual<J2<T>, 1>;
type J4<T> = Dual<J3<T>, 1>;

impl<T: Scalar, F: ScalarFn<IN, OUT>, const IN: usize, const OUT: usize> Body<T> for Tangent<'_, F, IN, OUT> {
    fn sizes(&self) -> (usize, usize) {
        (IN * (self.1 + 1), OUT)
    }
    fn run(&self, x: &[Block<T>], y: &mut [Block<T>], n: usize) {
        let f = self.0;
        match self.1 {
            0 => vectorize(|| tangent::<T, F, T, IN, OUT, 0>(f, x, y, n)),
            1 => vectorize(|| tangent::<T, F, J1<T>, IN, OUT, 1>(f, x, y, n)),
            2 => vectorize(|| tangent::<T, F, J2<T>, IN, OUT, 2>(f, x, y, n)),
            3 => tangent::<T, F, J3<T>, IN, OUT, 3>(f, x, y, n),
            4 => tangent::<T, F, J4<T>, IN, OUT, 4>(f, x, y, n),
            order => unreachable!("order {order} is refused before"),
        }
    }
}

impl<T: Scalar, F: ScalarFn<IN, OUT>, const IN: usize, const OUT: usize> Body<T> for Cotangent<'_, F, IN, OUT> {
    fn sizes(&self) -> (usize, usize) {
        (IN * (self.1 + 1) + OUT, IN)
    }
    fn run(&self, x: &[Block<T>], y: &mut [Block<T>], n: usize) {
        let f = self.0;
        match self.1 {
            0 => vectorize(|| cotangent::<T, F, T, IN, OUT, 0>(f, x, y, n)),
            1 => vectorize(|| cotangent::<T, F, J1<T>, IN, OUT, 1>(f, x, y, n)),
            2 => cotangent::<T, F, J2<T>, IN, OUT, 2>(f, x, y, n),
            3 => cotangent::<T, F, J3<T>, IN, OUT, 3>(f, x, y, n),
            order => unreachable!("order {order} is refused before"),
        }
    }
}

/// Runs elements `start ..` of the inputs through; `outputs` holds the parts to fill, all of one length, `None` for what nobody asked for.
fn part<T: Scalar>(body: &impl Body<T>, inputs: &[Source<'_, T>], start: usize, outputs: &mut [Option<&mut [T]>], len: usize) {
    let (ins, outs) = body.sizes();
    debug_assert!(inputs.len() == ins && outputs.len() == outs);
    let mut x = vec![[T::zero(); BLOCK]; ins];
    let mut y = vec![[T::zero(); BLOCK]; outs];
    for (x, source) in x.iter_mut().zip(inputs) {
        if let [one] = source {
            *x = [*one; BLOCK];
        }
    }
    let mut at = 0;
    while at < len {
        let n = BLOCK.min(len - at);
        for (x, source) in x.iter_mut().zip(inputs) {
            if source.len() > 1 {
                x[..n].copy_from_slice(&source[start + at..start + at + n]);
            }
        }
        body.run(&x, &mut y, n);
        for (y, out) in y.iter().zip(outputs.iter_mut()) {
            if let Some(out) = out {
                out[at..at + n].copy_from_slice(&y[..n]);
            }
        }
        at += n;
    }
}

/// All elements, in parallel where that pays: how long a block takes tells. The results do not depend on the split.
fn all<T: Scalar>(body: &impl Body<T>, inputs: &[Source<'_, T>], n: usize, wanted: &[bool]) -> Vec<Option<Vec<T>>> {
    debug_assert!(inputs.iter().all(|x| x.len() == n || x.len() == 1));
    let mut results: Vec<Option<Vec<T>>> = wanted.iter().map(|&wanted| wanted.then(|| vec![T::zero(); n])).collect();
    let mut rest: Vec<Option<&mut [T]>> = results.iter_mut().map(|r| r.as_deref_mut()).collect();
    let mut done = 0;
    let mut grain = n;
    if n > 4 * BLOCK && rayon::current_num_threads() > 1 {
        // the second block is timed: the first one brings code and data in
        for _ in 0..2 {
            let clock = Instant::now();
            part(body, inputs, done, &mut take(&mut rest, BLOCK), BLOCK);
            done += BLOCK;
            let nanoseconds = clock.elapsed().as_nanos().max(1) as f64;
            grain = BLOCK * (TASK_NANOSECONDS / nanoseconds).ceil() as usize;
        }
    }
    if n - done < 2 * grain {
        part(body, inputs, done, &mut rest, n - done);
    } else {
        let tasks: Vec<_> = (done..n)
            .step_by(grain)
            .map(|start| {
                let len = grain.min(n - start);
                (start, take(&mut rest, len), len)
            })
            .collect();
        tasks.into_par_iter().for_each(|(start, mut outputs, len)| part(body, inputs, start, &mut outputs, len));
    }
    results
}

/// Splits the first `n` elements off each output.
fn take<'a, T>(rest: &mut [Option<&'a mut [T]>], n: usize) -> Vec<Option<&'a mut [T]>> {
    rest.iter_mut()
        .map(|out| {
            out.take().map(|whole| {
                let (first, others) = whole.split_at_mut(n);
                *out = Some(others);
                first
            })
        })
        .collect()
}

/// The `order`-fold directional derivative of the function at n points: inputs x, v_1, …, v_order, each of IN arrays.
pub(super) fn tangents<T: Scalar, F: ScalarFn<IN, OUT>, const IN: usize, const OUT: usize>(
    f: &F,
    order: usize,
    inputs: &[Source<'_, T>],
    n: usize,
) -> Vec<Vec<T>> {
    all(&Tangent::<F, IN, OUT>(f, order), inputs, n, &[true; OUT]).into_iter().map(|y| y.expect("all are wanted")).collect()
}

/// The gradient of Σ_o g_o times that derivative: inputs x, v_1, …, v_order of IN arrays each, and g of OUT arrays.
pub(super) fn cotangents<T: Scalar, F: ScalarFn<IN, OUT>, const IN: usize, const OUT: usize>(
    f: &F,
    order: usize,
    inputs: &[Source<'_, T>],
    n: usize,
    wanted: &[bool; IN],
) -> Vec<Option<Vec<T>>> {
    all(&Cotangent::<F, IN, OUT>(f, order), inputs, n, wanted)
}

/// f and its partial derivatives at n points, from IN arrays: OUT arrays of values, then ∂f_o/∂x_i at OUT + o IN + i.
pub(super) fn values_and_partials<T: Scalar, F: ScalarFn<IN, OUT>, const IN: usize, const OUT: usize>(
    f: &F,
    inputs: &[Source<'_, T>],
    n: usize,
) -> Vec<Vec<T>> {
    let wanted = vec![true; OUT + OUT * IN];
    all(&Partials::<F, IN, OUT>(f), inputs, n, &wanted).into_iter().map(|y| y.expect("all are wanted")).collect()
}

/// Runs a loop compiled for the widest vector instructions of this machine.
#[inline(always)]
fn vectorize<R>(f: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(f)
}
