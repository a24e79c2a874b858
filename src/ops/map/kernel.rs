//! One pass over arrays with a scalar function, its directional derivatives of any order, or the gradient of those.
//!
//! Elements go through in blocks of a fixed length (scalars are repeated, the last block is padded): the function runs over a block of
//! every input in a loop that the compiler vectorises where the function is plain arithmetic, and the results are copied out.

use crate::kernels::parallel::for_parts;
use crate::kernels::pool;
use crate::kernels::simd::{Task, dispatch};
use crate::scalar::lane::{LaneOf, branched_outside};
use crate::scalar::outlined::Outlined;
use crate::scalar::{Dual, Number, Scalar, ScalarFn};
use smallvec::SmallVec;
use std::ops::Range;
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
    /// The coefficient of ε_1 ⋯ ε_K, and whether it is meaningless.
    fn top(self) -> (T, bool);
}

impl<T: Scalar, P: LaneOf<T>> Jet<T> for Dual<P, 0> {
    #[inline(always)]
    fn lift(x: T, _: &[T]) -> Self {
        Dual::new(P::of(x), [])
    }
    #[inline(always)]
    fn top(self) -> (T, bool) {
        (self.value.number(), self.value.outside())
    }
}

impl<T: Scalar, J: Jet<T>> Jet<T> for Dual<J, 1> {
    #[inline(always)]
    fn lift(x: T, v: &[T]) -> Self {
        Dual::new(J::lift(x, &v[1..]), [J::lift(v[0], &[T::zero(); MAX_ORDER])])
    }
    #[inline(always)]
    fn top(self) -> (T, bool) {
        self.partials[0].top()
    }
}

impl<T: Scalar, J: Jet<T>> Jet<T> for Outlined<J> {
    #[inline]
    fn lift(x: T, v: &[T]) -> Self {
        Outlined(J::lift(x, v))
    }
    #[inline]
    fn top(self) -> (T, bool) {
        self.0.top()
    }
}

type J0<P> = Dual<P, 0>;
type J1<P> = Dual<J0<P>, 1>;
// the higher orders are rare, and their code grows with each level
type J2<P> = Outlined<Dual<Outlined<J1<P>>, 1>>;
type J3<P> = Outlined<Dual<J2<P>, 1>>;
type J4<P> = Outlined<Dual<J3<P>, 1>>;

type Block<T> = [T; BLOCK];

/// What is computed from a block of every input, in numbers of type P.
trait Body<T>: Sync {
    /// How many inputs and outputs.
    fn sizes(&self) -> (usize, usize);
    /// Fills the first `len` places of the outputs; whether any of them is meaningless.
    fn run<P: LaneOf<T>>(&self, inputs: &[&Block<T>], outputs: &mut [Block<T>], len: usize) -> bool;
}

/// Dᴷf(x)[v_1, …, v_K], from x, v_1, …, v_K.
struct Tangent<'a, F, const IN: usize, const OUT: usize>(&'a F, usize);

/// Σ_o g_o ∂/∂x_i Dᴷf_o(x)[v_1, …, v_K] for all i, from x, v_1, …, v_K, g.
struct Cotangent<'a, F, const IN: usize, const OUT: usize>(&'a F, usize);

/// f(x) and Df(x)[v], from x, v.
struct TangentAlong<'a, F, const IN: usize, const OUT: usize>(&'a F);

/// Σ_o g_o ∂f_o/∂x_i for all i, and the derivatives of these sums along (v, ġ), from x, v, g, ġ.
struct CotangentAlong<'a, F, const IN: usize, const OUT: usize>(&'a F);

/// f(x), and ∂f_o/∂x_i at position OUT + o IN + i.
struct Partials<'a, F, const IN: usize, const OUT: usize>(&'a F);

#[inline(always)]
fn jets<T: Scalar, J: Jet<T>, const IN: usize, const K: usize>(x: [&Block<T>; IN], v: &[[&Block<T>; IN]; K], at: usize) -> [J; IN] {
    // loops: `from_fn` is a handful of functions to compile for each kind of number
    let mut jets = [J::constant(0.0); IN];
    for i in 0..IN {
        let mut directions = [T::zero(); K];
        for k in 0..K {
            directions[k] = v[k][i][at];
        }
        jets[i] = J::lift(x[i][at], &directions);
    }
    jets
}

/// N blocks from the given one on.
#[inline(always)]
fn array<'a, T, const N: usize>(blocks: &[&'a Block<T>], start: usize) -> [&'a Block<T>; N] {
    blocks[start..start + N].try_into().expect("a slice of this length")
}

/// The K + 1 groups of IN blocks, and the rest.
#[inline(always)]
#[allow(clippy::type_complexity)]
fn groups<'a, 'b, T, const IN: usize, const K: usize>(
    inputs: &'b [&'a Block<T>],
) -> ([&'a Block<T>; IN], [[&'a Block<T>; IN]; K], &'b [&'a Block<T>]) {
    let x = array(inputs, 0);
    let mut directions = [x; K];
    for k in 0..K {
        directions[k] = array(inputs, (k + 1) * IN);
    }
    (x, directions, &inputs[(K + 1) * IN..])
}

/// N blocks of values and N of tangents, their numbers known to the compiler.
#[inline(always)]
fn halves<T, const N: usize>(outputs: &mut [Block<T>]) -> (&mut [Block<T>; N], &mut [Block<T>; N]) {
    let (values, tangents) = outputs.split_at_mut(N);
    let array = |blocks| <&mut [Block<T>; N]>::try_from(blocks).expect("N values and N tangents");
    (array(values), array(tangents))
}

/// Whether one of the directions is zero at this element: what is linear in it is then an exact zero, whatever the derivatives are.
#[inline(always)]
fn dead<T: Scalar, const IN: usize, const K: usize>(v: &[[&Block<T>; IN]; K], at: usize) -> bool {
    let mut dead = false;
    for v in v {
        let mut zero = true;
        for v in v {
            zero &= v[at] == T::zero();
        }
        dead |= zero;
    }
    dead
}

/// A derivative times its weight, an exact zero where the weight is zero.
#[inline(always)]
pub(super) fn weigh<T: Scalar>(weight: T, derivative: T) -> T {
    let product = weight * derivative;
    if weight == T::zero() { T::zero() } else { product }
}

#[inline(always)]
fn tangent<T: Scalar, F: ScalarFn<IN, OUT>, J: Jet<T>, const IN: usize, const OUT: usize, const K: usize>(
    f: &F,
    inputs: &[&Block<T>],
    outputs: &mut [Block<T>],
    len: usize,
) -> bool {
    let (x, v, _) = groups::<T, IN, K>(inputs);
    let outputs: &mut [Block<T>; OUT] = outputs.try_into().expect("as many blocks as results");
    let mut any = false;
    for at in 0..len.min(BLOCK) {
        let y = f.eval(jets::<T, J, IN, K>(x, &v, at));
        let dead = dead(&v, at);
        for o in 0..OUT {
            let (top, outside) = y[o].top();
            outputs[o][at] = if dead { T::zero() } else { top };
            any |= outside;
        }
    }
    any
}

#[inline(always)]
fn cotangent<T: Scalar, F: ScalarFn<IN, OUT>, J: Jet<T>, const IN: usize, const OUT: usize, const K: usize>(
    f: &F,
    inputs: &[&Block<T>],
    outputs: &mut [Block<T>],
    len: usize,
) -> bool {
    let (x, v, g) = groups::<T, IN, K>(inputs);
    let g: [&Block<T>; OUT] = array(g, 0);
    let outputs: &mut [Block<T>; IN] = outputs.try_into().expect("as many blocks as arguments");
    let mut any = false;
    for at in 0..len.min(BLOCK) {
        let y = f.eval(Dual::<J, IN>::variables(jets::<T, J, IN, K>(x, &v, at)));
        let dead = dead(&v, at);
        for i in 0..IN {
            let (top, outside) = y[0].partials[i].top();
            let mut sum = weigh(g[0][at], top);
            any |= outside;
            for o in 1..OUT {
                let (top, outside) = y[o].partials[i].top();
                sum += weigh(g[o][at], top);
                any |= outside;
            }
            outputs[i][at] = if dead { T::zero() } else { sum };
        }
    }
    any
}

impl<T: Scalar, F: ScalarFn<IN, OUT>, const IN: usize, const OUT: usize> Body<T> for Tangent<'_, F, IN, OUT> {
    fn sizes(&self) -> (usize, usize) {
        (IN * (self.1 + 1), OUT)
    }
    #[inline(always)]
    fn run<P: LaneOf<T>>(&self, x: &[&Block<T>], y: &mut [Block<T>], n: usize) -> bool {
        let f = self.0;
        match self.1 {
            0 => tangent::<T, F, J0<P>, IN, OUT, 0>(f, x, y, n),
            order => high_tangent(f, order, x, y, n),
        }
    }
}

/// The rare orders, which are compiled once, with plain numbers.
#[inline(never)]
fn high_tangent<T: Scalar, F: ScalarFn<IN, OUT>, const IN: usize, const OUT: usize>(
    f: &F,
    order: usize,
    x: &[&Block<T>],
    y: &mut [Block<T>],
    n: usize,
) -> bool {
    match order {
        2 => tangent::<T, F, J2<T>, IN, OUT, 2>(f, x, y, n),
        3 => tangent::<T, F, J3<T>, IN, OUT, 3>(f, x, y, n),
        4 => tangent::<T, F, J4<T>, IN, OUT, 4>(f, x, y, n),
        order => unreachable!("order {order} is refused before"),
    }
}

impl<T: Scalar, F: ScalarFn<IN, OUT>, const IN: usize, const OUT: usize> Body<T> for Cotangent<'_, F, IN, OUT> {
    fn sizes(&self) -> (usize, usize) {
        (IN * (self.1 + 1) + OUT, IN)
    }
    #[inline(always)]
    fn run<P: LaneOf<T>>(&self, x: &[&Block<T>], y: &mut [Block<T>], n: usize) -> bool {
        let f = self.0;
        match self.1 {
            0 => cotangent::<T, F, J0<P>, IN, OUT, 0>(f, x, y, n),
            order => high_cotangent(f, order, x, y, n),
        }
    }
}

#[inline(never)]
fn high_cotangent<T: Scalar, F: ScalarFn<IN, OUT>, const IN: usize, const OUT: usize>(
    f: &F,
    order: usize,
    x: &[&Block<T>],
    y: &mut [Block<T>],
    n: usize,
) -> bool {
    match order {
        2 => cotangent::<T, F, J2<T>, IN, OUT, 2>(f, x, y, n),
        3 => cotangent::<T, F, J3<T>, IN, OUT, 3>(f, x, y, n),
        order => unreachable!("order {order} is refused before"),
    }
}

impl<T: Scalar, F: ScalarFn<IN, OUT>, const IN: usize, const OUT: usize> Body<T> for TangentAlong<'_, F, IN, OUT> {
    fn sizes(&self) -> (usize, usize) {
        (2 * IN, 2 * OUT)
    }
    #[inline(always)]
    fn run<P: LaneOf<T>>(&self, inputs: &[&Block<T>], outputs: &mut [Block<T>], len: usize) -> bool {
        let (x, v, _) = groups::<T, IN, 1>(inputs);
        let (values, tangents) = halves::<T, OUT>(outputs);
        let mut any = false;
        for at in 0..len.min(BLOCK) {
            let y = self.0.eval(jets::<T, J1<P>, IN, 1>(x, &v, at));
            let dead = dead(&v, at);
            for o in 0..OUT {
                let ((value, outside), (slope, slope_outside)) = (y[o].value.top(), y[o].top());
                values[o][at] = value;
                tangents[o][at] = if dead { T::zero() } else { slope };
                any |= outside | slope_outside;
            }
        }
        any
    }
}

impl<T: Scalar, F: ScalarFn<IN, OUT>, const IN: usize, const OUT: usize> Body<T> for CotangentAlong<'_, F, IN, OUT> {
    fn sizes(&self) -> (usize, usize) {
        (2 * IN + 2 * OUT, 2 * IN)
    }
    #[inline(always)]
    fn run<P: LaneOf<T>>(&self, inputs: &[&Block<T>], outputs: &mut [Block<T>], len: usize) -> bool {
        let (x, v, weights) = groups::<T, IN, 1>(inputs);
        let (g, dg): ([&Block<T>; OUT], [&Block<T>; OUT]) = (array(weights, 0), array(weights, OUT));
        let (values, tangents) = halves::<T, IN>(outputs);
        let mut any = false;
        for at in 0..len.min(BLOCK) {
            let y = self.0.eval(Dual::<J1<P>, IN>::variables(jets::<T, J1<P>, IN, 1>(x, &v, at)));
            let dead = dead(&v, at);
            for i in 0..IN {
                let (mut value, mut along_x, mut along_g) = (T::zero(), T::zero(), T::zero());
                for o in 0..OUT {
                    let partial = y[o].partials[i];
                    let ((slope, outside), (curvature, curvature_outside)) = (partial.value.top(), partial.top());
                    value += weigh(g[o][at], slope);
                    along_x += weigh(g[o][at], curvature);
                    along_g += weigh(dg[o][at], slope);
                    any |= outside | curvature_outside;
                }
                values[i][at] = value;
                tangents[i][at] = along_g + if dead { T::zero() } else { along_x };
            }
        }
        any
    }
}

impl<T: Scalar, F: ScalarFn<IN, OUT>, const IN: usize, const OUT: usize> Body<T> for Partials<'_, F, IN, OUT> {
    fn sizes(&self) -> (usize, usize) {
        (IN, OUT + OUT * IN)
    }
    #[inline(always)]
    fn run<P: LaneOf<T>>(&self, x: &[&Block<T>], y: &mut [Block<T>], n: usize) -> bool {
        let x: [&Block<T>; IN] = array(x, 0);
        let (values, partials) = y.split_at_mut(OUT);
        let mut any = false;
        for at in 0..n.min(BLOCK) {
            let mut arguments = [P::constant(0.0); IN];
            for i in 0..IN {
                arguments[i] = P::of(x[i][at]);
            }
            let y = self.0.eval(Dual::<P, IN>::variables(arguments));
            for o in 0..OUT {
                values[o][at] = y[o].value.number();
                any |= y[o].value.outside();
                for i in 0..IN {
                    partials[o * IN + i][at] = y[o].partials[i].number();
                    any |= y[o].partials[i].outside();
                }
            }
        }
        any
    }
}

/// A block, to be run with the best instructions of the machine.
struct Fast<'a, B, T> {
    body: &'a B,
    inputs: &'a [&'a Block<T>],
    outputs: &'a mut [Block<T>],
    len: usize,
}

impl<T: Scalar, B: Body<T>> Task for Fast<'_, B, T> {
    type Output = bool;
    #[inline(always)]
    fn run<const FMA: bool>(self) -> bool {
        if FMA {
            self.body.run::<T::Lane>(self.inputs, self.outputs, self.len)
        } else {
            plain(self.body, self.inputs, self.outputs, self.len)
        }
    }
}

#[inline(never)]
fn plain<T: Scalar, B: Body<T>>(body: &B, inputs: &[&Block<T>], outputs: &mut [Block<T>], len: usize) -> bool {
    body.run::<T>(inputs, outputs, len)
}

fn run<T: Scalar>(body: &impl Body<T>, inputs: &[&Block<T>], outputs: &mut [Block<T>], len: usize) {
    let outside = dispatch(Fast { body, inputs, outputs: &mut *outputs, len });
    if branched_outside() | outside {
        plain(body, inputs, outputs, len);
    }
}

/// The first so many places of a block of every input, to a block of every output. Loops over blocks are compiled for this type, once.
type Run<'a, T> = &'a (dyn Fn(&[&Block<T>], &mut [Block<T>], usize) + Sync);

/// Runs `len` elements from `start` through, and hands each block of the results to `out`.
fn each_block<T: Scalar>(
    run: Run<'_, T>,
    inputs: &[Source<'_, T>],
    results: usize,
    range: Range<usize>,
    out: &mut dyn FnMut(&[Block<T>], usize),
) {
    let mut room = vec![[T::zero(); BLOCK]; inputs.len()];
    let mut y = vec![[T::zero(); BLOCK]; results];
    for (room, source) in room.iter_mut().zip(inputs) {
        if let [one] = source {
            *room = [*one; BLOCK];
        }
    }
    let mut at = range.start;
    while at < range.end {
        let n = BLOCK.min(range.end - at);
        if n < BLOCK {
            for (room, source) in room.iter_mut().zip(inputs).filter(|(_, source)| source.len() > 1) {
                room[..n].copy_from_slice(&source[at..at + n]);
            }
        }
        let x: SmallVec<[&Block<T>; 8]> = room
            .iter()
            .zip(inputs)
            .map(|(room, source)| match source.get(at..at + BLOCK) {
                Some(block) if n == BLOCK => block.try_into().expect("as long as a block"),
                _ => room,
            })
            .collect();
        run(&x, &mut y, n);
        out(&y, n);
        at += n;
    }
}

/// All elements, in parallel where that pays: how long a block takes tells. The results do not depend on the split.
fn all<T: Scalar, B: Body<T>>(body: &B, inputs: &[Source<'_, T>], n: usize, wanted: &[bool]) -> Vec<Option<Vec<T>>> {
    debug_assert!(body.sizes() == (inputs.len(), wanted.len()));
    blocks(&|x, y, n| run(body, x, y, n), inputs, n, wanted)
}

fn blocks<T: Scalar>(run: Run<'_, T>, inputs: &[Source<'_, T>], n: usize, wanted: &[bool]) -> Vec<Option<Vec<T>>> {
    debug_assert!(inputs.iter().all(|x| x.len() == n || x.len() == 1));
    let mut results: Vec<Option<Vec<T>>> = wanted.iter().map(|&wanted| wanted.then(|| pool::take(n))).collect();
    let append = |range: Range<usize>, results: &mut [Option<Vec<T>>]| {
        each_block(run, inputs, wanted.len(), range, &mut |y, n| {
            for (y, result) in y.iter().zip(&mut *results) {
                if let Some(result) = result {
                    result.extend_from_slice(&y[..n]);
                }
            }
        });
    };
    let mut done = 0;
    let mut grain = n;
    if n > 4 * BLOCK && rayon::current_num_threads() > 1 {
        // the second block is timed: the first one brings code and data in
        for _ in 0..2 {
            let clock = Instant::now();
            append(done..done + BLOCK, &mut results);
            done += BLOCK;
            let nanoseconds = clock.elapsed().as_nanos().max(1) as f64;
            grain = BLOCK * (TASK_NANOSECONDS / nanoseconds).ceil() as usize;
        }
    }
    if n - done <= 2 * grain {
        append(done..n, &mut results);
        return results;
    }
    results.iter_mut().flatten().for_each(|result| result.resize(n, T::zero()));
    let mut rest: Vec<Option<&mut [T]>> = results.iter_mut().map(|r| r.as_mut().map(|r| &mut r[done..])).collect();
    let mut tasks: Vec<_> = (done..n).step_by(grain).map(|start| (start, take(&mut rest, grain.min(n - start)))).collect();
    for_parts(&mut tasks, 1, |_, tasks| {
        let (start, outputs) = &mut tasks[0];
        let end = n.min(*start + grain);
        let mut at = 0;
        each_block(run, inputs, wanted.len(), *start..end, &mut |y, n| {
            for (y, out) in y.iter().zip(&mut *outputs) {
                if let Some(out) = out {
                    out[at..at + n].copy_from_slice(&y[..n]);
                }
            }
            at += n;
        });
    });
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

/// A scalar function over arrays of T.
pub(super) trait Fused<T>: Send + Sync {
    /// The numbers of inputs, IN, and of results, OUT.
    fn sizes(&self) -> (usize, usize);
    /// The `order`-fold directional derivative of the function at n points: inputs x, v_1, …, v_order, each of IN arrays.
    fn tangents(&self, order: usize, inputs: &[Source<'_, T>], n: usize) -> Vec<Vec<T>>;
    /// The gradient of Σ_o g_o times that derivative: inputs x, v_1, …, v_order of IN arrays each, and g of OUT arrays.
    fn cotangents(&self, order: usize, inputs: &[Source<'_, T>], n: usize, wanted: &[bool]) -> Vec<Option<Vec<T>>>;
    /// f and its derivative along v: inputs x and v.
    fn tangents_along(&self, inputs: &[Source<'_, T>], n: usize) -> Vec<Vec<T>>;
    /// The gradient of Σ_o g_o f_o and its derivative along (v, ġ), what is wanted of the former and then of the latter: inputs x, v, g, ġ.
    fn cotangents_along(&self, inputs: &[Source<'_, T>], n: usize, wanted: &[bool]) -> Vec<Option<Vec<T>>>;
    /// f and its partial derivatives at n points, from IN arrays: OUT arrays of values, then ∂f_o/∂x_i at OUT + o IN + i.
    fn values_and_partials(&self, inputs: &[Source<'_, T>], n: usize) -> Vec<Vec<T>>;
}

/// A [`ScalarFn`], as one.
pub(super) struct Of<F, const IN: usize, const OUT: usize>(pub(super) F);

fn present<T>(results: Vec<Option<Vec<T>>>) -> Vec<Vec<T>> {
    results.into_iter().map(|y| y.expect("all are wanted")).collect()
}

impl<T: Scalar, F: ScalarFn<IN, OUT>, const IN: usize, const OUT: usize> Fused<T> for Of<F, IN, OUT> {
    fn sizes(&self) -> (usize, usize) {
        (IN, OUT)
    }
    fn tangents(&self, order: usize, inputs: &[Source<'_, T>], n: usize) -> Vec<Vec<T>> {
        if order != 1 {
            return present(all(&Tangent::<F, IN, OUT>(&self.0, order), inputs, n, &[true; OUT]));
        }
        let wanted = [[false; OUT], [true; OUT]].concat();
        present(all(&TangentAlong::<F, IN, OUT>(&self.0), inputs, n, &wanted).split_off(OUT))
    }
    fn cotangents(&self, order: usize, inputs: &[Source<'_, T>], n: usize, wanted: &[bool]) -> Vec<Option<Vec<T>>> {
        if order != 1 {
            return all(&Cotangent::<F, IN, OUT>(&self.0, order), inputs, n, wanted);
        }
        let zero: Source<'_, T> = &[T::zero()];
        self.cotangents_along(&[inputs, &[zero; OUT]].concat(), n, &[&[false; IN], wanted].concat()).split_off(IN)
    }
    fn tangents_along(&self, inputs: &[Source<'_, T>], n: usize) -> Vec<Vec<T>> {
        present(all(&TangentAlong::<F, IN, OUT>(&self.0), inputs, n, &vec![true; 2 * OUT]))
    }
    fn cotangents_along(&self, inputs: &[Source<'_, T>], n: usize, wanted: &[bool]) -> Vec<Option<Vec<T>>> {
        all(&CotangentAlong::<F, IN, OUT>(&self.0), inputs, n, wanted)
    }
    fn values_and_partials(&self, inputs: &[Source<'_, T>], n: usize) -> Vec<Vec<T>> {
        present(all(&Partials::<F, IN, OUT>(&self.0), inputs, n, &vec![true; OUT + OUT * IN]))
    }
}
