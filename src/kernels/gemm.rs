//! Matrix products C = α A B + β C on row-major C, with A and B of any strides, conjugated or not, and a leading batch index.
//!
//! This is the one file of the kernels that names faer. Products that are too small or too thin for its packed kernel have loops here:
//! a few elements each way, matrix times vector, few rows times many columns.
//!
//! How a product is cut into tasks depends on its lengths alone, and each task runs faer sequentially, so the bits do not depend on the
//! number of threads.

use super::buffer::{GRAIN, Shared, build, vectorize};
use super::reduce::dot_pairwise;
use crate::scalar::{Scalar, ScalarKind};
use faer::traits::ComplexField;
use faer::{Accum, Conj, MatMut, MatRef, Par};
use num_complex::Complex;
use rayon::prelude::*;
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
    // SAFETY: without accumulation `run` writes every element and reads none.
    unsafe { build(len, |c| run(spec, false, c.as_mut_ptr().cast(), len)) }
}

/// C ← α A B + β C, for C of shape (batch, m, n).
pub fn gemm_into<T: Scalar>(spec: &Gemm<T>, beta: T, c: &mut [T]) {
    if beta != T::one() && beta != T::zero() {
        c.iter_mut().for_each(|c| *c = *c * beta);
    }
    // SAFETY: `c` is initialised.
    unsafe { run(spec, beta != T::zero(), c.as_mut_ptr(), c.len()) }
}

/// Multiply-adds in a task, about 100 µs.
const TASK: usize = 1 << 22;

/// One product of the batch, as pointers.
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

struct View<T> {
    at: *const T,
    rs: usize,
    cs: usize,
    conj: bool,
}

impl<T> Clone for View<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for View<T> {}
impl<T: Clone> Clone for Product<T> {
    fn clone(&self) -> Self {
        Product { alpha: self.alpha.clone(), ..*self }
    }
}
impl<T: Copy> Copy for Product<T> {}

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

    fn transposed(self) -> Self {
        View { rs: self.cs, cs: self.rs, ..self }
    }
}

/// # Safety
/// `c` points to `len` elements, initialised if `add`.
unsafe fn run<T: Scalar>(spec: &Gemm<T>, add: bool, c: *mut T, len: usize) {
    let &Gemm { mut batch, mut m, k, n, alpha, mut a, b } = spec;
    // these bounds are what the pointers below rely on
    assert!(len == batch * m * n, "C has {len} elements, not {batch} × {m} × {n}");
    assert!(a.contains(batch, m, k), "A ends before ({batch}, {m}, {k})");
    assert!(b.contains(batch, k, n), "B ends before ({batch}, {k}, {n})");
    if len == 0 {
        return;
    }
    if k == 0 {
        if !add {
            // SAFETY: the caller's contract.
            unsafe { std::slice::from_raw_parts_mut(c.cast::<MaybeUninit<T>>(), len) }.fill(MaybeUninit::new(T::zero()));
        }
        return;
    }
    if batch > 1 && b.batch_stride == 0 && (m == 1 || a.batch_stride == m * a.row_stride) {
        // the matrices of A lie below each other
        if m == 1 {
            a.row_stride = a.batch_stride;
        }
        m *= batch;
        batch = 1;
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
    let many = (TASK / 4).div_ceil(m * k * n + 64);
    if batch < 2 * many {
        (0..batch).for_each(one);
    } else {
        (0..batch.div_ceil(many)).into_par_iter().for_each(|task| (task * many..batch.min((task + 1) * many)).for_each(one));
    }
}

/// # Safety
/// A, B and C exist at the lengths given, C initialised if `add` and not accessed by others meanwhile.
unsafe fn product<T: Scalar>(p: Product<T>) {
    let Product { m, k, n, .. } = p;
    // SAFETY of all calls: the caller's contract, and parts of it.
    unsafe {
        if m * n * k <= 64 {
            tiny(p)
        } else if n == 1 {
            matrix_vector(p)
        } else if m == 1 && p.c_stride == n {
            matrix_vector(Product { m: n, n: 1, a: p.b.transposed(), b: p.a.transposed(), c_stride: 1, ..p })
        } else {
            split(p)
        }
    }
}

/// Halves the longer side of C until a task is small, or k if C itself is small; the tasks are faer's.
unsafe fn split<T: Scalar>(p: Product<T>) {
    let Product { m, k, n, .. } = p;
    if m * k * n < 2 * TASK || (m < 128 && n < 128) {
        // SAFETY: the caller's contract.
        return unsafe { faer_product(p) };
    }
    // SAFETY: row (or column) `half` exists, and the parts of C are disjoint.
    let (first, second) = unsafe {
        if m >= n {
            let half = (m / 2).next_multiple_of(16);
            (Product { m: half, ..p }, Product { m: m - half, a: p.a.from(half, 0), c: p.c.add(half * p.c_stride), ..p })
        } else {
            let half = (n / 2).next_multiple_of(16);
            (Product { n: half, ..p }, Product { n: n - half, b: p.b.from(0, half), c: p.c.add(half), ..p })
        }
    };
    let (first, second) = (Shared(first), Shared(second));
    // SAFETY: as above.
    rayon::join(move || unsafe { split(first.get()) }, move || unsafe { split(second.get()) });
}

unsafe fn faer_product<T: Scalar>(p: Product<T>) {
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

/// y ← α A x (+ y): `n` is 1 and `c_stride` says where the next element of y is.
unsafe fn matrix_vector<T: Scalar>(p: Product<T>) {
    // SAFETY: the caller's contract.
    unsafe { faer_product(p) }
}

#[allow(unused_imports)]
use {GRAIN as _, dot_pairwise as _, vectorize as _};
