//! The decompositions through the system's LAPACK (feature `lapack`).
//!
//! Everything goes in column-major: `ndarray-linalg` is wrong for row-major complex Hermitian matrices. It has no products and no left
//! eigenvectors, which must come in the order of the right ones, and does not tell where a factorisation failed; for those the routines of
//! `faer` serve.

use super::dense::{Op, SvdParts, Vectors, transpose};
use super::faer;

pub(super) use super::faer::{eig_complex, eig_real, matmul};
use ndarray_linalg::{Diag, JobSvd, Lapack, MatrixLayout, UPLO};
use num_traits::Zero;

/// A column-major m × n matrix.
fn layout(m: usize, n: usize) -> MatrixLayout {
    MatrixLayout::F { col: n as i32, lda: m as i32 }
}

/// A column-major matrix with zeros on one side of the diagonal, row-major.
fn triangle<T: Copy + Zero>(a: &[T], m: usize, rows: usize, n: usize, lower: bool) -> Vec<T> {
    let mut out = vec![T::zero(); rows * n];
    for i in 0..rows {
        for j in if lower { 0..(i + 1).min(n) } else { i.min(n)..n } {
            out[i * n + j] = a[j * m + i];
        }
    }
    out
}

pub(super) fn eigh<T>(a: &[T], n: usize, vectors: bool, careful: bool) -> Option<(Vec<f64>, Vec<T>)>
where
    T: faer::Native + Lapack + ndarray_linalg::Scalar<Real = f64>,
{
    if careful {
        return faer::eigh(a, n, vectors, true);
    }
    let mut v = transpose(a, n, n);
    let values = <T as Lapack>::eigh(vectors, layout(n, n), UPLO::Lower, &mut v).ok()?;
    Some((values, if vectors { transpose(&v, n, n) } else { vec![] }))
}

pub(super) fn svd<T>(a: &[T], m: usize, n: usize, want: Vectors, careful: bool) -> Option<SvdParts<T>>
where
    T: faer::Native + Lapack + ndarray_linalg::Scalar<Real = f64>,
{
    if careful {
        return faer::svd(a, m, n, want, true);
    }
    let (job, rows, columns) = match want {
        Vectors::None => (JobSvd::None, 0, 0),
        Vectors::Thin => (JobSvd::Some, m.min(n), m.min(n)),
        Vectors::Full => (JobSvd::All, m, n),
    };
    let parts = T::svddc(layout(m, n), job, &mut transpose(a, m, n)).ok()?;
    let (u, vh) = (parts.u.unwrap_or_default(), parts.vt.unwrap_or_default());
    if want == Vectors::None {
        return Some((vec![], parts.s, vec![]));
    }
    Some((transpose(&u, rows, m), parts.s, transpose(&vh, n, columns)))
}

pub(super) fn qr<T: faer::Native + Lapack>(a: &[T], m: usize, n: usize, full: bool) -> (Vec<T>, Vec<T>) {
    let k = if full { m } else { m.min(n) };
    // zero columns make a tall matrix square, and its Q the full one
    let width = if full { m.max(n) } else { n };
    let mut q = transpose(a, m, n);
    q.resize(m * width, <T as Zero>::zero());
    match T::qr(layout(m, width), &mut q) {
        Ok(r) => (transpose(&q[..m * k], k, m), triangle(&r, m, k, n, false)),
        Err(_) => faer::qr(a, m, n, full),
    }
}

pub(super) fn lu<T: faer::Native + Lapack>(a: &mut [T], m: usize, n: usize) -> Vec<usize> {
    let mut work = transpose(a, m, n);
    // a zero pivot is an error here and comes without the factors
    let Ok(swaps) = <T as Lapack>::lu(layout(m, n), &mut work) else { return faer::lu(a, m, n) };
    a.copy_from_slice(&transpose(&work, n, m));
    let mut permutation: Vec<usize> = (0..m).collect();
    for (i, &j) in swaps.iter().enumerate() {
        permutation.swap(i, j as usize - 1);
    }
    permutation
}

pub(super) fn cholesky<T: faer::Native + Lapack>(a: &[T], n: usize) -> Result<Vec<T>, usize> {
    let mut l = transpose(a, n, n);
    match <T as Lapack>::cholesky(layout(n, n), UPLO::Lower, &mut l) {
        Ok(()) => Ok(triangle(&l, n, n, n, true)),
        Err(_) => faer::cholesky(a, n),
    }
}

pub(super) fn solve_triangular<T: faer::Native + Lapack>(a: &[T], n: usize, b: &mut [T], nrhs: usize, lower: bool, unit: bool, op: Op) {
    // column-major op(A): the row-major slice is Aᵀ
    let (columns, lower) = match op {
        Op::None => (transpose(a, n, n), lower),
        Op::Transpose => (a.to_vec(), !lower),
        Op::Adjoint => (a.iter().map(|x| crate::Scalar::conj(*x)).collect(), !lower),
    };
    let uplo = if lower { UPLO::Lower } else { UPLO::Upper };
    let diagonal = if unit { Diag::Unit } else { Diag::NonUnit };
    let mut x = transpose(b, n, nrhs);
    match <T as Lapack>::solve_triangular(layout(n, n), layout(n, nrhs), uplo, diagonal, &columns, &mut x) {
        Ok(()) => b.copy_from_slice(&transpose(&x, nrhs, n)),
        Err(_) => faer::solve_triangular(a, n, b, nrhs, if op == Op::None { lower } else { !lower }, unit, op),
    }
}
