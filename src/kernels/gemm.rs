//! Matrix products C = α A B + β C on row-major C, with A and B of any strides, conjugated or not, and a leading batch index.
//!
//! This is the one file of the kernels that names faer. Products that are too small or too thin for its packed kernel have loops here:
//! a few elements each way, matrix times vector, few rows times many columns.
//!
//! How a product is cut into tasks depends on its lengths alone, and each task runs faer sequentially, so the bits do not depend on the
//! number of threads.

pub(super) mod direct;

use super::blocks::{self, Part};
use super::buffer::build;
use super::parallel::{Shared, collect, for_each, join};
use crate::scalar::{Scalar, ScalarKind};
use faer::traits::ComplexField;
use faer::{Accum, Conj, MatMut, MatRef, Par};
use num_complex::Complex;
use std::mem::MaybeUninit;

/// A matrix, or a batch of them, inside a slice: entry (i, j) of matrix b is `data[b batch_stride + i row_stride + j col_stride]`.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, T> {
    pub data: &'a [T],
    pub row_stride: usize,
    pub col_stride: usize,
    /// 0 repeats one matrix for the whole batch.
    pub batch_stride: usize,
    pub conj: bool,
}

impl<'a, T> Matrix<'a, T> {
    /// One row-major matrix with `cols` columns.
    pub fn row_major(data: &'a [T], cols: usize) -> Self {
        Matrix { data, row_stride: cols, col_stride: 1, batch_stride: 0, conj: false }
    }

    /// Rows become columns.
    pub fn transposed(self) -> Self {
        Matrix { row_stride: self.col_stride, col_stride: self.row_stride, ..self }
    }

    /// The complex conjugate.
    pub fn conjugated(self) -> Self {
        Matrix { conj: !self.conj, ..self }
    }

    /// Matrices that many elements apart.
    pub fn batched(self, batch_stride: usize) -> Self {
        Matrix { batch_stride, ..self }
    }

    fn contains(&self, batch: usize, rows: usize, cols: usize) -> bool {
        let last = (batch.max(1) - 1) * self.batch_stride + (rows.max(1) - 1) * self.row_stride + (cols.max(1) - 1) * self.col_stride;
        batch == 0 || rows == 0 || cols == 0 || last < self.data.len()
    }
}

/// The product α A B of A (m × k) and B (k × n), `batch` times.
#[derive(Clone, Copy, Debug)]
pub struct Gemm<'a, T> {
    pub batch: usize,
    pub m: usize,
    pub k: usize,
    pub n: usize,
    pub alpha: T,
    pub a: Matrix<'a, T>,
    pub b: Matrix<'a, T>,
}

/// A B for row-major A (m × k) and B (k × n).
pub fn matmul<T: Scalar>(a: &[T], b: &[T], m: usize, k: usize, n: usize) -> Vec<T> {
    gemm(&Gemm { batch: 1, m, k, n, alpha: T::one(), a: Matrix::row_major(a, k), b: Matrix::row_major(b, n) })
}

/// α A B, of shape (batch, m, n).
pub fn gemm<T: Scalar>(spec: &Gemm<T>) -> Vec<T> {
    let len = spec.batch * spec.m * spec.n;
    if let Some(parts) = by_parts(spec) {
        let mut c = super::pool::filled(len, T::zero());
        parts.iter().for_each(|(part, product)| part.add(product, spec.n, &mut c));
        return c;
    }
    // SAFETY: without accumulation `run` writes every element and reads none.
    unsafe { build(len, |c| run(spec, false, c.as_mut_ptr().cast(), len)) }
}

/// `count` results of `part` elements one after the other, each the sum of `terms` products: those of `spec(i, term)`.
pub fn gemm_sums<'a, T: Scalar>(count: usize, part: usize, terms: usize, spec: &(dyn Fn(usize, usize) -> Gemm<'a, T> + Sync)) -> Vec<T> {
    assert!(terms > 0, "a sum of no products");
    // SAFETY: `run` asserts that a product has `part` elements; the parts are disjoint, and each is written by its first term.
    unsafe {
        build(count * part, |c| {
            let c = Shared(c.as_mut_ptr().cast::<T>());
            for_each(count, &|i| (0..terms).for_each(|term| run(&spec(i, term), term > 0, c.get().add(i * part), part)));
        })
    }
}

/// C ← α A B + β C, for C of shape (batch, m, n).
pub fn gemm_into<T: Scalar>(spec: &Gemm<T>, beta: T, c: &mut [T]) {
    if beta != T::one() && beta != T::zero() {
        c.iter_mut().for_each(|c| *c *= beta);
    }
    if let Some(parts) = by_parts(spec) {
        assert!(c.len() == spec.m * spec.n, "C has {} elements, not {} × {}", c.len(), spec.m, spec.n);
        if beta == T::zero() {
            c.fill(T::zero());
        }
        return parts.iter().for_each(|(part, product)| part.add(product, spec.n, c));
    }
    // SAFETY: `c` is initialised.
    unsafe { run(spec, beta != T::zero(), c.as_mut_ptr(), c.len()) }
}

/// Multiply-adds from which it is looked whether zeros split a product into parts, and the shortest side.
const LOOK_FOR_PARTS: (usize, usize) = (1 << 18, 32);

/// The products of the parts that zeros keep apart, if that saves more than half of the work.
fn by_parts<T: Scalar>(spec: &Gemm<T>) -> Option<Vec<(Part, Vec<T>)>> {
    let &Gemm { batch, m, k, n, alpha, a, b } = spec;
    if batch != 1 || m * k * n < LOOK_FOR_PARTS.0 || m.min(k).min(n) < LOOK_FOR_PARTS.1 {
        return None;
    }
    if !(a.contains(1, m, k) && b.contains(1, k, n)) {
        return None;
    }
    let mut parts = blocks::parts(&a, &b, m, k, n)?;
    parts.retain(|p| !p.inner.is_empty());
    let total: usize = parts.iter().map(|p| work(p.rows.len(), p.inner.len(), p.cols.len())).sum();
    // 0 · ∞ is to be seen, also where a part leaves it out
    if 2 * total > m * k * n || !(finite(&a, m, k) && finite(&b, k, n)) {
        return None;
    }
    let products = collect(parts.len(), |i| {
        let p = &parts[i];
        let (rows, inner, cols) = (p.rows.len(), p.inner.len(), p.cols.len());
        let (left, right) = (blocks::gather(&a, &p.rows, &p.inner), blocks::gather(&b, &p.inner, &p.cols));
        let a = Matrix { conj: a.conj, ..Matrix::row_major(&left, inner) };
        let b = Matrix { conj: b.conj, ..Matrix::row_major(&right, cols) };
        gemm(&Gemm { batch: 1, m: rows, k: inner, n: cols, alpha, a, b })
    });
    Some(parts.into_iter().zip(products).collect())
}

/// Whether all entries are; without a branch for each.
fn finite<T: Scalar>(a: &Matrix<T>, m: usize, n: usize) -> bool {
    if a.col_stride > a.row_stride {
        return finite(&a.transposed(), n, m);
    }
    let fine = |x: &T| (*x - *x).is_zero();
    (0..m).all(|i| {
        let row = &a.data[i * a.row_stride..];
        match a.col_stride {
            1 => row[..n].iter().fold(true, |all, x| all & fine(x)),
            stride => row.iter().step_by(stride).take(n).all(fine),
        }
    })
}

/// The least work in a task: multiply-adds, with what an element costs to move.
const TASK: usize = 1 << 22;
const MOVE: usize = 16;

fn work(m: usize, k: usize, n: usize) -> usize {
    m * k * n + MOVE * (m * k + k * n + m * n)
}

/// One product of the batch, as pointers.
#[derive(Clone, Copy)]
struct Product<T> {
    m: usize,
    k: usize,
    n: usize,
    alpha: T,
    a: View<T>,
    b: View<T>,
    c: *mut T,
    /// From one row of C to the next.
    c_stride: usize,
    /// Whether to add to C or to overwrite it.
    add: bool,
}

#[derive(Clone, Copy)]
struct View<T> {
    at: *const T,
    rs: usize,
    cs: usize,
    conj: bool,
}

impl<T: Scalar> View<T> {
    /// # Safety
    /// Entry (i, j) exists.
    #[inline(always)]
    unsafe fn get(&self, i: usize, j: usize) -> T {
        // SAFETY: the caller's contract.
        let x = unsafe { *self.at.add(i * self.rs + j * self.cs) };
        if T::IS_COMPLEX && self.conj { x.conj() } else { x }
    }

    /// # Safety
    /// The view's part from entry (i, j) exists.
    #[inline(always)]
    unsafe fn from(self, i: usize, j: usize) -> Self {
        // SAFETY: the caller's contract.
        View { at: unsafe { self.at.add(i * self.rs + j * self.cs) }, ..self }
    }
}

/// C ← A B, or C + A B, for a product that is part of somebody's task and not shared out further.
///
/// # Safety
/// `c` points to m n elements, initialised if `add`, which nobody else accesses meanwhile.
pub(super) unsafe fn here<T: Scalar>(spec: &Gemm<T>, add: bool, c: *mut T) {
    let &Gemm { batch, m, k, n, alpha, a, b } = spec;
    assert!(batch == 1 && a.contains(1, m, k) && b.contains(1, k, n), "A or B ends before its last entry");
    if m * n == 0 {
        return;
    }
    if k == 0 {
        // SAFETY: the caller's contract.
        return unsafe { zero_unless(add, c, m * n) };
    }
    let view = |x: &Matrix<T>| View { at: x.data.as_ptr(), rs: x.row_stride, cs: x.col_stride, conj: x.conj };
    let p = Product { m, k, n, alpha, a: view(&a), b: view(&b), c, c_stride: n, add };
    // SAFETY: the bounds were asserted, the rest is the caller's contract.
    unsafe { if m * k * n <= 32 { tiny(p) } else { leaf(p) } }
}

/// # Safety
/// `c` points to `len` elements.
unsafe fn zero_unless<T: Scalar>(add: bool, c: *mut T, len: usize) {
    if !add {
        // SAFETY: the caller's contract.
        unsafe { std::slice::from_raw_parts_mut(c.cast::<MaybeUninit<T>>(), len) }.fill(MaybeUninit::new(T::zero()));
    }
}

/// # Safety
/// `c` points to `len` elements, initialised if `add`.
unsafe fn run<T: Scalar>(spec: &Gemm<T>, add: bool, c: *mut T, len: usize) {
    let &Gemm { mut batch, mut m, k, mut n, alpha, mut a, mut b } = spec;
    // these bounds are what the pointers below rely on
    assert!(len == batch * m * n, "C has {len} elements, not {batch} × {m} × {n}");
    assert!(a.contains(batch, m, k), "A ends before ({batch}, {m}, {k})");
    assert!(b.contains(batch, k, n), "B ends before ({batch}, {k}, {n})");
    if len == 0 {
        return;
    }
    if k == 0 {
        // SAFETY: the caller's contract.
        return unsafe { zero_unless(add, c, len) };
    }
    if batch > 1 && b.batch_stride == 0 && (m == 1 || a.batch_stride == m * a.row_stride) {
        // the matrices of A lie below each other
        if m == 1 {
            a.row_stride = a.batch_stride;
        }
        m *= batch;
        batch = 1;
    } else if batch > 1 && n == 1 && a.batch_stride == 0 {
        // one matrix times many vectors is the matrix of the vectors times the transposed matrix
        let vectors = Matrix { row_stride: b.batch_stride, col_stride: b.row_stride, ..b };
        (a, b) = (vectors, a.transposed());
        (m, n, batch) = (batch, m, 1);
    }
    let view =
        |x: &Matrix<T>, i: usize| View { at: x.data[i * x.batch_stride..].as_ptr(), rs: x.row_stride, cs: x.col_stride, conj: x.conj };
    let c = Shared(c);
    let one = |i: usize| {
        // SAFETY: matrix i of C lies within its elements.
        let c = unsafe { c.get().add(i * m * n) };
        // SAFETY: the bounds asserted above hold for matrix i of A and of B.
        unsafe { product(Product { m, k, n, alpha, a: view(&a, i), b: view(&b, i), c, c_stride: n, add }) }
    };
    let many = (TASK / 4).div_ceil(work(m, k, n));
    if batch < 2 * many {
        (0..batch).for_each(one);
    } else {
        for_each(batch.div_ceil(many), &|task| (task * many..batch.min((task + 1) * many)).for_each(one));
    }
}

/// # Safety
/// A, B and C exist at the lengths given, C initialised if `add` and not accessed by others meanwhile.
unsafe fn product<T: Scalar>(p: Product<T>) {
    // SAFETY: the caller's contract.
    unsafe { if p.m * p.k * p.n <= 32 { tiny(p) } else { split(p) } }
}

/// Columns of C in a task, and the rows from which tasks of more than [`TASK`] are cut: with many rows to a block of columns, faer packs B
/// and runs at full speed; with fewer, or more columns, it reads B where it lies.
const BLOCK: (usize, usize) = (1024, 128);

/// Halves C until a task is small or C a block, or k if C itself is small.
unsafe fn split<T: Scalar>(p: Product<T>) {
    let Product { m, k, n, .. } = p;
    if work(m, k, n) < 2 * TASK {
        // SAFETY: the caller's contract.
        return unsafe { leaf(p) };
    }
    if k > 4 * m.max(n) && m.max(n) < 128 {
        let half = k / 2;
        let mut other: Vec<T> = Vec::with_capacity(m * n);
        // SAFETY: index `half` of k exists; `other` holds a C of its own, which the product writes before it is read.
        unsafe {
            let first = Shared(Product { k: half, ..p });
            let (a, b, c) = (p.a.from(0, half), p.b.from(half, 0), other.as_mut_ptr());
            let second = Shared(Product { k: k - half, a, b, c, c_stride: n, add: false, ..p });
            join(&move || split(first.get()), &move || split(second.get()));
            for i in 0..m {
                for j in 0..n {
                    *p.c.add(i * p.c_stride + j) += *other.as_ptr().add(i * n + j);
                }
            }
        }
        return;
    }
    let (by_columns, by_rows) = (n >= 2 * BLOCK.1, m >= 2 * BLOCK.0 || work(m, k, n) >= 64 * TASK && m >= 2 * BLOCK.1);
    if !(by_columns || by_rows) {
        // SAFETY: the caller's contract.
        return unsafe { leaf(p) };
    }
    // SAFETY: row (or column) `half` exists, and the parts of C are disjoint.
    let (first, second) = unsafe {
        if !by_columns {
            let half = (m / 2).next_multiple_of(16);
            (Product { m: half, ..p }, Product { m: m - half, a: p.a.from(half, 0), c: p.c.add(half * p.c_stride), ..p })
        } else {
            let half = (n / 2).next_multiple_of(16);
            (Product { n: half, ..p }, Product { n: n - half, b: p.b.from(0, half), c: p.c.add(half), ..p })
        }
    };
    let (first, second) = (Shared(first), Shared(second));
    // SAFETY: as above.
    join(&move || unsafe { split(first.get()) }, &move || unsafe { split(second.get()) });
}

/// A sequential product: register blocks if a panel of B or all of A stays in the nearest cache, or faer.
unsafe fn leaf<T: Scalar>(p: Product<T>) {
    let Product { m, k, n, .. } = p;
    let (narrow, flat) = (k * n <= 1024, m * k <= 256 && p.b.cs == 1);
    if m > 1 && n > 1 && m * n <= 256 && n <= 32 && k > direct::DEPTH {
        // few long sums: faer would go through a matrix of a few rows column by column, and pack as much as it multiplies (a vector it
        // takes as one)
        // SAFETY: the caller's contract.
        return unsafe { by_depth(p, direct::DEPTH, direct::direct) };
    }
    // SAFETY: the caller's contract.
    unsafe { if k <= direct::DEPTH && m > 1 && n > 1 && (narrow || flat) { direct::direct(p) } else { faer_product(p) } }
}

/// The product as a sum of products, `depth` of k at a time.
unsafe fn by_depth<T: Scalar>(p: Product<T>, depth: usize, multiply: unsafe fn(Product<T>)) {
    for from in (0..p.k).step_by(depth) {
        // SAFETY: index `from` of k exists; the first part writes C if nothing is to be added to it, the others add.
        unsafe {
            let (a, b) = (p.a.from(0, from), p.b.from(from, 0));
            multiply(Product { k: depth.min(p.k - from), a, b, add: p.add || from > 0, ..p });
        }
    }
}

/// Up to these rows faer reads B where it lies, again and again: then no more of it at a time than a kilobyte or two of each column.
const FEW_ROWS: usize = 512;
const DEPTH_BYTES: usize = 1 << 11;

/// Columns of A at a time where they are far apart: more of them are on more pages, and in fewer sets of the cache, than packing gets by with.
const COLUMNS: usize = 128;

unsafe fn faer_product<T: Scalar>(p: Product<T>) {
    if p.a.rs == 1 && p.a.cs >= 64 && p.m > 1 && p.k >= 2 * COLUMNS {
        // SAFETY: the caller's contract.
        return unsafe { by_depth(p, COLUMNS, faer_typed) };
    }
    let depth = DEPTH_BYTES / size_of::<T>();
    if (16..FEW_ROWS).contains(&p.m) && p.n >= 64 && p.k >= depth + depth / 2 {
        // SAFETY: the caller's contract.
        return unsafe { by_depth(p, depth, faer_typed) };
    }
    // SAFETY: the caller's contract.
    unsafe { faer_typed(p) }
}

unsafe fn faer_typed<T: Scalar>(p: Product<T>) {
    // SAFETY: T is the type that `KIND` says.
    unsafe {
        match T::KIND {
            ScalarKind::F32 => faer_call::<T, f32>(p),
            ScalarKind::F64 => faer_call::<T, f64>(p),
            ScalarKind::C32 => faer_call::<T, Complex<f32>>(p),
            ScalarKind::C64 => faer_call::<T, Complex<f64>>(p),
        }
    }
}

/// # Safety
/// T and F are the same type.
unsafe fn faer_call<T: Scalar, F: ComplexField + Copy>(p: Product<T>) {
    let conj = |x: View<T>| if T::IS_COMPLEX && x.conj { Conj::Yes } else { Conj::No };
    // SAFETY: the views' places exist by `split`'s contract; T is F.
    unsafe {
        let a = MatRef::from_raw_parts(p.a.at.cast::<F>(), p.m, p.k, p.a.rs as isize, p.a.cs as isize);
        let b = MatRef::from_raw_parts(p.b.at.cast::<F>(), p.k, p.n, p.b.rs as isize, p.b.cs as isize);
        let c = MatMut::from_raw_parts_mut(p.c.cast::<F>(), p.m, p.n, p.c_stride as isize, 1);
        let alpha = *(&raw const p.alpha).cast::<F>();
        let accum = if p.add { Accum::Add } else { Accum::Replace };
        faer::linalg::matmul::matmul_with_conj(c, accum, a, conj(p.a), b, conj(p.b), alpha, Par::Seq);
    }
}

/// Plain loops for a few elements.
#[inline(always)]
unsafe fn tiny<T: Scalar>(p: Product<T>) {
    for i in 0..p.m {
        for j in 0..p.n {
            // SAFETY: indices within the lengths.
            unsafe {
                let mut sum = p.a.get(i, 0) * p.b.get(0, j);
                for l in 1..p.k {
                    sum += p.a.get(i, l) * p.b.get(l, j);
                }
                let c = p.c.add(i * p.c_stride + j);
                *c = if p.add { *c + p.alpha * sum } else { p.alpha * sum };
            }
        }
    }
}
