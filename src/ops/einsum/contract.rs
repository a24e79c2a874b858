//! One pairwise contraction z = Σ x y and its rule.
//!
//! An index belongs to one of four classes: batch (in x, y and z), rows (x and z), columns (y and z), summed (x and y). Neighbouring indices
//! of a class that stay neighbours wherever they occur act as one. What is left is a contraction with a short side, which
//! `kernels::thin` runs at any strides, or a matrix product with strides, batched and looped over the leading indices of z; only where
//! neither is so are arrays permuted first.
//!
//! Pullback: x̄ = Σ z̄ ȳ* and ȳ = Σ z̄ x*, each a contraction of the same three index lists; so the rule is closed under differentiation.

use crate::autodiff::Var;
use crate::autodiff::rule::{BinaryRule, Keep, binary};
use crate::kernels::broadcast::{binary_broadcast, binary_broadcast_op};
use crate::kernels::elementwise::Binary;
use crate::kernels::gemm::{Gemm, Matrix, gemm, gemm_sums};
use crate::kernels::inner::{dot, vdot};
use crate::kernels::permute::{is_contiguous_permutation, permute};
use crate::kernels::reduce::sum_axes;
use crate::kernels::thin::{Line, Thin};
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor, len_of};
use smallvec::SmallVec;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

/// The indices of an array, one an axis.
pub(crate) type Labels = SmallVec<[u32; 8]>;

const X: u8 = 1;
const Y: u8 = 2;
const Z: u8 = 4;
const BATCH: u8 = X | Y | Z;
const SUMMED: u8 = X | Y;

/// An index, or several that act as one: its length and its strides in x, y and z.
#[derive(Clone, Copy)]
struct Axis {
    label: u32,
    class: u8,
    len: usize,
    stride: [usize; 3],
}

type Axes = SmallVec<[Axis; 8]>;

/// The indices of length above 1, with neighbours merged.
fn fuse(arrays: [&[u32]; 3], dims: &[usize]) -> Axes {
    let mut axes = Axes::new();
    for (k, labels) in arrays.iter().enumerate() {
        let mut stride = 1;
        for &label in labels.iter().rev() {
            let len = dims[label as usize];
            if len != 1 {
                let at = axes.iter().position(|a| a.label == label).unwrap_or_else(|| {
                    axes.push(Axis { label, class: 0, len, stride: [0; 3] });
                    axes.len() - 1
                });
                axes[at].class |= 1 << k;
                axes[at].stride[k] = stride;
                stride *= len;
            }
        }
    }
    // merging neighbours of a class follow each other in the order of their strides in any array they belong to
    axes.sort_unstable_by_key(|a| (a.class, std::cmp::Reverse(if a.class & X != 0 { a.stride[0] } else { a.stride[1] })));
    let mut fused = Axes::new();
    for axis in axes {
        match fused.last_mut() {
            Some(outer) if outer.class == axis.class && (0..3).all(|k| outer.stride[k] == axis.stride[k] * axis.len) => {
                *outer = Axis { len: outer.len * axis.len, ..axis };
            }
            _ => fused.push(axis),
        }
    }
    fused
}

/// A repetition: how often, and the steps in x and y.
#[derive(Clone, Copy, Debug)]
struct Loop {
    len: usize,
    x: usize,
    y: usize,
}

/// A matrix product that strides describe.
#[derive(Clone, Debug)]
struct Product {
    /// Leading indices of z, outermost first; the innermost loop is `batch`.
    loops: SmallVec<[Loop; 2]>,
    batch: Loop,
    /// Summed indices beyond the one of the matrix product.
    sums: SmallVec<[Loop; 1]>,
    /// Whether the rows of z come from y.
    swapped: bool,
    /// (length, stride in its array) of the rows and columns of z.
    rows: (usize, usize),
    cols: (usize, usize),
    k: Loop,
}

impl Product {
    /// `None` if the last index of z is a batch index.
    fn new(axes: &Axes) -> Option<Product> {
        let mut outer: SmallVec<[Axis; 8]> = axes.iter().filter(|a| a.class & Z != 0).copied().collect();
        outer.sort_unstable_by_key(|a| std::cmp::Reverse(a.stride[2]));
        let mut rows = (1, 1);
        let mut cols = (1, 1);
        let mut swapped = false;
        if let Some(last) = outer.last().copied() {
            if last.class == BATCH {
                if outer.iter().any(|a| a.class != BATCH) {
                    return None;
                }
            } else {
                swapped = last.class & X != 0;
                cols = (last.len, last.stride[usize::from(!swapped)]);
                outer.pop();
                if let Some(next) = outer.last().copied()
                    && next.class != BATCH
                    && next.class != last.class
                {
                    rows = (next.len, next.stride[usize::from(swapped)]);
                    outer.pop();
                }
            }
        }
        let as_loop = |a: &Axis| Loop { len: a.len, x: a.stride[0], y: a.stride[1] };
        let mut loops: SmallVec<[Loop; 2]> = outer.iter().map(as_loop).collect();
        let batch = loops.pop().unwrap_or(Loop { len: 1, x: 0, y: 0 });
        let mut sums: SmallVec<[Loop; 1]> = axes.iter().filter(|a| a.class == SUMMED).map(as_loop).collect();
        let longest = (0..sums.len()).max_by_key(|&i| sums[i].len);
        let k = longest.map_or(Loop { len: 1, x: 1, y: 1 }, |i| sums.remove(i));
        Some(Product { loops, batch, sums, swapped, rows, cols, k })
    }

    /// An estimate in nanoseconds, for the choice between ways of doing the same.
    fn cost(&self) -> f64 {
        let calls: usize = self.loops.iter().chain(&self.sums).map(|l| l.len).product();
        let (m, n, k) = (self.rows.0, self.cols.0, self.k.len);
        let matrices = (calls * self.batch.len) as f64;
        let narrow = m.min(n).min(16) as f64;
        let work = (m * n * k) as f64 * 0.06 * (1.0 + 4.0 / narrow);
        let (of_rows, of_cols) = if self.swapped { (self.k.y, self.k.x) } else { (self.k.x, self.k.y) };
        let reads = reading(self.rows, (k, of_rows)) + reading(self.cols, (k, of_cols));
        matrices * (work + reads + if m * n * k <= 64 { 10.0 } else { 60.0 }) + calls as f64 * 100.0
    }

    fn run<T: Scalar>(&self, x: &[T], y: &[T], conj: (bool, bool), len: usize) -> Vec<T> {
        let Product { batch, k, rows, cols, .. } = *self;
        let (m, n) = (rows.0, cols.0);
        if len == 1 && self.sums.is_empty() && k.x == 1 && k.y == 1 {
            let sum = match conj {
                (false, false) => dot(x, y),
                (true, false) => vdot(x, y),
                (false, true) => vdot(y, x),
                (true, true) => dot(x, y).conj(),
            };
            return vec![sum];
        }
        let spec = |ox: usize, oy: usize, batch: Loop| {
            // the side that gives the rows, and the one that gives the columns
            let of_x = (&x[ox..], k.x, batch.x, conj.0);
            let of_y = (&y[oy..], k.y, batch.y, conj.1);
            let (a, b) = if self.swapped { (of_y, of_x) } else { (of_x, of_y) };
            Gemm {
                batch: batch.len,
                m,
                k: k.len,
                n,
                alpha: T::one(),
                a: Matrix { data: a.0, row_stride: rows.1, col_stride: a.1, batch_stride: a.2, conj: a.3 },
                b: Matrix { data: b.0, row_stride: b.1, col_stride: cols.1, batch_stride: b.2, conj: b.3 },
            }
        };
        if self.loops.is_empty() && self.sums.is_empty() {
            return gemm(&spec(0, 0, batch));
        }
        if let ([], [sum], 1) = (&self.loops[..], &self.sums[..], batch.len)
            && 2 * sum.len * m * n <= x.len() + y.len()
        {
            // a matrix for each term of the outer sum: few elements next to what is read, and the terms are computed in parallel
            return sum_axes(&gemm(&spec(0, 0, *sum)), &[sum.len, m * n], &[0]);
        }
        let part = batch.len * m * n;
        let terms: usize = self.sums.iter().map(|s| s.len).product();
        gemm_sums(len / part, part, terms, &|i, term| {
            let ((ox, oy), (sx, sy)) = (offsets(&self.loops, i), offsets(&self.sums, term));
            spec(ox + sx, oy + sy, batch)
        })
    }
}

/// What reading a matrix costs in nanoseconds, for its axes' lengths and strides: more for every run that starts on a cache line of its own,
/// and much more for runs on more pages than the translation of addresses remembers.
fn reading(a: (usize, usize), b: (usize, usize)) -> f64 {
    let ((inner, step), (outer, stride)) = if (a.1, a.0) < (b.1, b.0) && a.0 > 1 || b.0 == 1 { (a, b) } else { (b, a) };
    let runs = outer as f64 * (inner * step.min(8)).div_ceil(8) as f64;
    runs * if outer > 256 && stride >= 512 {
        10.0
    } else if stride >= 8 {
        1.0
    } else {
        0.2
    }
}

/// A contraction with a short side, and whether the rows of z come from y.
#[derive(Clone, Debug)]
struct Narrow {
    thin: Thin,
    swapped: bool,
    cost: f64,
}

impl Narrow {
    /// `None` if no side is short, or there is too little to do for tables of places.
    fn new(axes: &Axes) -> Option<Narrow> {
        let [of_x, of_y, summed] =
            [X | Z, Y | Z, SUMMED].map(|class| axes.iter().filter(|a| a.class == class).map(|a| a.len).product::<usize>());
        if of_x * of_y * summed < LEAST_WORK || of_x.min(of_y).min(summed) > SHORT {
            return None;
        }
        let way = |swapped: bool| {
            let (x, y) = if swapped { (1, 0) } else { (0, 1) };
            let (m, n) = if swapped { (of_y, of_x) } else { (of_x, of_y) };
            if !Thin::suits(m, summed, n) {
                return None;
            }
            let lines = |class: u8, sides: [usize; 2]| {
                axes.iter().filter(|a| a.class == class).map(|a| Line { len: a.len, strides: sides.map(|s| a.stride[s]) }).collect()
            };
            let thin = Thin {
                batch: axes.iter().filter(|a| a.class == BATCH).map(|a| (a.len, [a.stride[x], a.stride[y], a.stride[2]])).collect(),
                rows: lines(1 << x | Z, [x, 2]),
                cols: lines(1 << y | Z, [y, 2]),
                sum: lines(SUMMED, [x, y]),
            };
            let cost = thin.cost();
            Some(Narrow { thin, swapped, cost })
        };
        match (way(false), way(true)) {
            (Some(a), Some(b)) => Some(if b.cost < a.cost { b } else { a }),
            (a, b) => a.or(b),
        }
    }

    fn run<T: Scalar>(&self, x: &[T], y: &[T], conj: (bool, bool)) -> Vec<T> {
        if self.swapped { self.thin.run(y, x, (conj.1, conj.0)) } else { self.thin.run(x, y, conj) }
    }
}

/// A side of a matrix product up to this is short: what is done with an element is little next to fetching it.
pub(super) const SHORT: usize = 32;
/// A sum from this length on is long.
const LONG: usize = 4096;
/// Multiplications from which on a single matrix product with a short side is better off without packing.
const MUCH_WORK: usize = 1 << 20;
/// Multiplications from which on tables of places pay.
const LEAST_WORK: usize = 1 << 12;

/// The way to contract without permuting anything: with a short side, or as a product that strides describe.
fn direct(axes: &Axes) -> (Option<How>, f64) {
    let product = Product::new(axes);
    // one matrix product is as fast unless there is much to do, and little with each element
    let plain = product.as_ref().is_some_and(|p| {
        let (m, n, k) = (p.rows.0, p.cols.0, p.k.len);
        let thin = (3..SHORT).contains(&m.min(n)) && m * n * k >= MUCH_WORK && !(65..LONG).contains(&k);
        // many products with one and the same matrix are one of more rows
        let repeated = p.batch.len > 1 && (p.batch.x == 0 || p.batch.y == 0);
        p.loops.is_empty() && p.sums.is_empty() && !repeated && !thin
    });
    if let Some(narrow) = if plain { None } else { Narrow::new(axes) } {
        let cost = narrow.cost;
        return (Some(How::Narrow(Box::new(narrow))), cost);
    }
    let cost = product.as_ref().map_or(f64::INFINITY, Product::cost);
    (product.map(How::Product), cost)
}

/// The places in x and y of the i-th step of nested loops.
fn offsets(loops: &[Loop], mut i: usize) -> (usize, usize) {
    let (mut x, mut y) = (0, 0);
    for l in loops.iter().rev() {
        let at = i % l.len;
        i /= l.len;
        (x, y) = (x + at * l.x, y + at * l.y);
    }
    (x, y)
}

/// A permutation of an array's axes.
type Permutation = (Shape, Shape);

/// The permutation from one order to another; `None` if the elements stay in place.
fn permutation(from: &[u32], to: &[u32], dims: &[usize]) -> Option<Permutation> {
    let shape: Shape = from.iter().map(|&l| dims[l as usize]).collect();
    let perm: Shape = to.iter().map(|l| from.iter().position(|f| f == l).expect("the same indices")).collect();
    (!is_contiguous_permutation(&shape, &perm)).then_some((shape, perm))
}

enum How {
    /// Nothing to add up, or nobody to hold the result.
    Empty,
    /// No summed index: a product element by element, the arrays seen under these shapes.
    Multiply {
        x: Shape,
        y: Shape,
        z: Shape,
    },
    Product(Product),
    Narrow(Box<Narrow>),
}

/// Three index lists and how their contraction is run.
pub(crate) struct Contraction {
    x: Labels,
    y: Labels,
    z: Labels,
    /// Lengths by label.
    dims: Arc<[usize]>,
    shape: Shape,
    how: How,
    permuted: [Option<Permutation>; 3],
    cost: f64,
    left: OnceLock<Arc<Contraction>>,
    right: OnceLock<Arc<Contraction>>,
}

/// What a permutation costs, in nanoseconds.
pub(super) fn permutation_cost(from: &[u32], to: &[u32], dims: &[usize]) -> f64 {
    match permutation(from, to, dims) {
        None => 0.0,
        Some((shape, _)) => 100.0 + 1.5 * len_of(&shape) as f64,
    }
}

/// Those of `labels` that `keep` holds for.
fn filtered(labels: &[u32], keep: impl Fn(&u32) -> bool) -> Labels {
    labels.iter().copied().filter(|l| keep(l)).collect()
}

/// Whether the parts occur in `labels`, each as a run.
fn has_runs(labels: &[u32], parts: [&[u32]; 3]) -> bool {
    parts.iter().all(|part| match part.first() {
        None => true,
        Some(first) => {
            let start = labels.iter().position(|l| l == first);
            start.is_some_and(|s| labels[s..].starts_with(part))
        }
    })
}

/// The estimated time in nanoseconds of the contraction without permuting anything; `None` if strides do not describe it.
pub(super) fn direct_cost(x: &[u32], y: &[u32], z: &[u32], dims: &[usize]) -> Option<f64> {
    let summed = x.iter().any(|l| dims[*l as usize] != 1 && !z.contains(l));
    if !summed {
        let in_order = |labels: &[u32]| labels.iter().map(|l| z.iter().position(|m| m == l)).is_sorted();
        return (in_order(x) && in_order(y)).then(|| z.iter().map(|&l| dims[l as usize]).product::<usize>() as f64);
    }
    let (how, cost) = direct(&fuse([x, y, z], dims));
    how.map(|_| cost)
}

impl Contraction {
    /// The contraction of x and y to z. Every index of one list is in another one; none is twice in the same.
    pub(crate) fn new(x: &[u32], y: &[u32], z: &[u32], dims: &Arc<[usize]>) -> Contraction {
        let length = |l: &u32| dims[*l as usize];
        let mut this = Contraction {
            x: Labels::from_slice(x),
            y: Labels::from_slice(y),
            z: Labels::from_slice(z),
            dims: dims.clone(),
            shape: z.iter().map(length).collect(),
            how: How::Empty,
            permuted: [None, None, None],
            cost: 0.0,
            left: OnceLock::new(),
            right: OnceLock::new(),
        };
        if x.iter().chain(y).any(|l| length(l) == 0) {
            return this;
        }
        let [x, y, z] = [x, y, z].map(|labels| filtered(labels, |l| length(l) != 1));
        if x.iter().all(|l| z.contains(l)) {
            this.multiply(&x, &y, &z);
            return this;
        }
        let (how, cost) = direct(&fuse([&x, &y, &z], dims));
        this.cost = cost;
        if let Some(how) = how {
            this.how = how;
        }
        let flops: f64 = x.iter().chain(y.iter().filter(|l| !x.contains(l))).map(|l| length(l) as f64).product();
        let size = |labels: &[u32]| labels.iter().map(length).product::<usize>() as f64;
        // a permutation pays only if the strides make the product much slower than its arithmetic
        if this.cost > flops * 0.3 + 0.5 * (size(&x) + size(&y) + size(&z)) + 500.0 {
            this.permute_first([x, y, z]);
        }
        this
    }

    fn multiply(&mut self, x: &[u32], y: &[u32], z: &[u32]) {
        self.permuted[0] = permutation(x, &filtered(z, |l| x.contains(l)), &self.dims);
        self.permuted[1] = permutation(y, &filtered(z, |l| y.contains(l)), &self.dims);
        let seen = |of: &[u32]| z.iter().map(|l| if of.contains(l) { self.dims[*l as usize] } else { 1 }).collect::<Shape>();
        self.how = How::Multiply { x: seen(x), y: seen(y), z: seen(z) };
    }

    /// Takes the cheapest way of permuting some of the arrays so that a few strides describe the product.
    fn permute_first(&mut self, [x, y, z]: [Labels; 3]) {
        let batch = |of: &Labels| filtered(of, |l| x.contains(l) && y.contains(l) && z.contains(l));
        let rows = |of: &Labels| filtered(of, |l| x.contains(l) && z.contains(l) && !y.contains(l));
        let cols = |of: &Labels| filtered(of, |l| y.contains(l) && z.contains(l) && !x.contains(l));
        let summed = |of: &Labels| filtered(of, |l| x.contains(l) && y.contains(l) && !z.contains(l));
        let join = |parts: [&Labels; 3]| parts.iter().flat_map(|p| p.iter().copied()).collect::<Labels>();
        for b in [batch(&z), batch(&x), batch(&y)] {
            for m in [rows(&z), rows(&x)] {
                for n in [cols(&z), cols(&y)] {
                    for k in [summed(&x), summed(&y)] {
                        let order = |of: &Labels, parts: [&Labels; 3]| {
                            if has_runs(of, [parts[0], parts[1], parts[2]].map(|p| &p[..])) { of.clone() } else { join(parts) }
                        };
                        let (xo, yo) = (order(&x, [&b, &m, &k]), order(&y, [&b, &n, &k]));
                        let leads = z.starts_with(&b) || b.is_empty();
                        let zo = if leads { order(&z, [&b, &m, &n]) } else { join([&b, &m, &n]) };
                        let (Some(how), cost) = direct(&fuse([&xo, &yo, &zo], &self.dims)) else { continue };
                        let cost = cost
                            + permutation_cost(&x, &xo, &self.dims)
                            + permutation_cost(&y, &yo, &self.dims)
                            + permutation_cost(&zo, &z, &self.dims);
                        if cost < self.cost {
                            self.cost = cost;
                            self.permuted =
                                [permutation(&x, &xo, &self.dims), permutation(&y, &yo, &self.dims), permutation(&zo, &z, &self.dims)];
                            self.how = how;
                        }
                    }
                }
            }
        }
    }

    /// A stack of z̄ and `other` to a stack of `to`.
    fn stacked(&self, count: usize, other: &[u32], to: &[u32]) -> Arc<Contraction> {
        let leading = |labels: &[u32]| std::iter::once(self.dims.len() as u32).chain(labels.iter().copied()).collect::<Labels>();
        let dims = self.dims.iter().copied().chain([count]).collect();
        Arc::new(Contraction::new(&leading(&self.z), other, &leading(to), &dims))
    }

    /// z̄ and y to x̄.
    fn left(&self) -> Arc<Contraction> {
        self.left.get_or_init(|| Arc::new(Contraction::new(&self.z, &self.y, &self.x, &self.dims))).clone()
    }

    /// z̄ and x to ȳ.
    fn right(&self) -> Arc<Contraction> {
        self.right.get_or_init(|| Arc::new(Contraction::new(&self.z, &self.x, &self.y, &self.dims))).clone()
    }

    fn run<T: Scalar>(&self, x: &[T], y: &[T], conj: (bool, bool)) -> Vec<T> {
        let len = len_of(&self.shape);
        let [px, py, pz] = &self.permuted;
        let px = px.as_ref().map(|(shape, perm)| permute(x, shape, perm));
        let py = py.as_ref().map(|(shape, perm)| permute(y, shape, perm));
        let (x, y) = (px.as_deref().unwrap_or(x), py.as_deref().unwrap_or(y));
        let out = match &self.how {
            How::Empty => vec![T::zero(); len],
            How::Multiply { x: sx, y: sy, z: sz } => match conj {
                (false, false) => binary_broadcast_op(Binary::Mul, x, sx, y, sy, sz),
                (true, false) => binary_broadcast(x, sx, y, sy, sz, |a: T, b| a.conj() * b),
                (false, true) => binary_broadcast(x, sx, y, sy, sz, |a, b: T| a * b.conj()),
                (true, true) => binary_broadcast(x, sx, y, sy, sz, |a: T, b: T| (a * b).conj()),
            },
            How::Product(product) => product.run(x, y, conj, len),
            How::Narrow(narrow) => narrow.run(x, y, conj),
        };
        match pz {
            None => out,
            Some((shape, perm)) => permute(&out, shape, perm),
        }
    }
}

/// The contraction as an operation; either array may be conjugated on the way in.
struct Contract<T> {
    spec: Arc<Contraction>,
    conj: (bool, bool),
    types: PhantomData<T>,
}

impl<T> Clone for Contract<T> {
    fn clone(&self) -> Self {
        Contract { spec: self.spec.clone(), conj: self.conj, types: PhantomData }
    }
}

impl<T: Scalar> Contract<T> {
    /// (x̄, ȳ) from z̄ by the contractions that give them.
    fn pull(
        &self,
        x: &Var<T>,
        y: &Var<T>,
        g: Var<T>,
        by: (Option<Arc<Contraction>>, Option<Arc<Contraction>>),
    ) -> (Option<Var<T>>, Option<Var<T>>) {
        // z = x y gives x̄ = z̄ y*; z = x* y gives x̄ = z̄* y
        let (cx, cy) = self.conj;
        let conj = T::IS_COMPLEX && cx == cy;
        let gx = by.0.map(|left| contract(left, (cx, conj), g.clone(), y.clone()));
        (gx, by.1.map(|right| contract(right, (cy, conj), g, x.clone())))
    }
}

impl<T: Scalar> BinaryRule for Contract<T> {
    type Left = T;
    type Right = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "contraction"
    }
    fn keep(&self, needs: (bool, bool)) -> Keep {
        Keep { left: needs.1, right: needs.0, out: false }
    }
    fn forward(&self, x: Var<T>, y: Var<T>) -> Tensor<T> {
        Tensor::with_shape(self.spec.shape.clone(), self.spec.run(x.as_slice(), y.as_slice(), self.conj))
    }
    fn vjp(&self, x: &Var<T>, y: &Var<T>, _: &Var<T>, g: Var<T>, needs: (bool, bool)) -> (Option<Var<T>>, Option<Var<T>>) {
        self.pull(x, y, g, (needs.0.then(|| self.spec.left()), needs.1.then(|| self.spec.right())))
    }
    fn stacks(&self) -> bool {
        true
    }
    fn vjp_stacked(&self, x: &Var<T>, y: &Var<T>, _: &Var<T>, g: Var<T>, needs: (bool, bool)) -> (Option<Var<T>>, Option<Var<T>>) {
        let (spec, count) = (&self.spec, g.shape()[0]);
        let left = || spec.stacked(count, &spec.y, &spec.x);
        let right = || spec.stacked(count, &spec.x, &spec.y);
        self.pull(x, y, g, (needs.0.then(left), needs.1.then(right)))
    }
    fn jvp(&self, x: &Var<T>, y: &Var<T>, _: &Var<T>, dx: Option<Var<T>>, dy: Option<Var<T>>) -> Option<Var<T>> {
        let dx = dx.map(|dx| contract(self.spec.clone(), self.conj, dx, y.clone()));
        let dy = dy.map(|dy| contract(self.spec.clone(), self.conj, x.clone(), dy));
        match (dx, dy) {
            (Some(dx), Some(dy)) => Some(dx + dy),
            (dx, dy) => dx.or(dy),
        }
    }
}

/// Runs a contraction; `conj` tells which of the arrays to conjugate first (only ever for complex types).
pub(crate) fn contract<T: Scalar>(spec: Arc<Contraction>, conj: (bool, bool), x: Var<T>, y: Var<T>) -> Var<T> {
    binary(Contract { spec, conj, types: PhantomData }, x, y)
}
