//! What a library of decompositions must bring: raw routines on checked, well-scaled, non-empty row-major matrices.

use crate::scalar::{AnySlice, Scalar};

/// Which singular vectors are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vectors {
    None,
    Thin,
    Full,
}

/// The operation applied to a matrix: A, Aᵀ or A†.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// A
    None,
    /// Aᵀ
    Transpose,
    /// A†
    Adjoint,
}

/// U, s, V†.
pub(super) type SvdParts<T> = (Vec<T>, Vec<<T as Scalar>::Real>, Vec<T>);

/// Eigenvalues, right vectors and left vectors (empty unless asked for), both column-major.
pub(super) type EigParts<C> = (Vec<C>, Vec<C>, Vec<C>);

/// The raw routines for one scalar type. Matrices are row-major, finite, not empty and scaled so that squares neither overflow nor vanish.
/// `None` says that an iteration did not converge.
pub(super) trait Dense: Scalar {
    /// The slice behind an erased one of this type.
    fn from_any(x: AnySlice<'_>) -> &[Self];
    /// Eigenvalues ascending and, if asked for, eigenvectors in columns, from the lower triangle. `careful` takes the slower algorithm.
    fn eigh(a: &[Self], n: usize, vectors: bool, careful: bool) -> Option<(Vec<Self::Real>, Vec<Self>)>;
    /// U, s descending, V†. `careful` takes the slower algorithm.
    fn svd(a: &[Self], m: usize, n: usize, want: Vectors, careful: bool) -> Option<SvdParts<Self>>;
    /// Q and R by Householder reflections, whatever the rank.
    fn qr(a: &[Self], m: usize, n: usize, full: bool) -> (Vec<Self>, Vec<Self>);
    /// P A = L U in place; returns the permutation. A pivot of exactly zero may leave non-finite entries.
    fn lu(a: &mut [Self], m: usize, n: usize) -> Vec<usize>;
    /// L of A = L L† from the lower triangle; `Err` is the index of the pivot that is not positive.
    fn cholesky(a: &[Self], n: usize) -> Result<Vec<Self>, usize>;
    /// op(A) X = B in place, A triangular without zeros on its diagonal.
    fn solve_triangular(a: &[Self], n: usize, b: &mut [Self], nrhs: usize, lower: bool, unit: bool, op: Op);
    /// Eigenvalues and eigenvectors of a general matrix, not normalised.
    fn eig(a: &[Self], n: usize, left: bool) -> Option<EigParts<Self::Complex>>;
    /// op(A) op(B), with op(A) m × k and op(B) k × n.
    fn matmul(a: (&[Self], Op), b: (&[Self], Op), m: usize, k: usize, n: usize) -> Vec<Self>;
}

/// Side of the square tiles in which a matrix is transposed: a tile of either layout fits in the first-level cache.
const TILE: usize = 16;

fn transpose_with<T: Copy>(a: &[T], m: usize, n: usize, f: impl Fn(T) -> T) -> Vec<T> {
    // a copy first: it initialises the vector at the speed of memory
    let mut out = a.to_vec();
    for i0 in (0..m).step_by(TILE) {
        let i1 = (i0 + TILE).min(m);
        for j0 in (0..n).step_by(TILE) {
            let j1 = (j0 + TILE).min(n);
            for j in j0..j1 {
                let row = &mut out[j * m + i0..j * m + i1];
                for (x, i) in row.iter_mut().zip(i0..i1) {
                    *x = f(a[i * n + j]);
                }
            }
        }
    }
    out
}

/// The n × m transpose of a row-major m × n matrix.
pub(super) fn transpose<T: Copy>(a: &[T], m: usize, n: usize) -> Vec<T> {
    transpose_with(a, m, n, |x| x)
}

/// The n × m conjugate transpose of a row-major m × n matrix.
pub(super) fn transpose_conj<T: Scalar>(a: &[T], m: usize, n: usize) -> Vec<T> {
    transpose_with(a, m, n, T::conj)
}

/// The identity, row-major.
pub(super) fn identity<T: Scalar>(n: usize) -> Vec<T> {
    let mut out = vec![T::zero(); n * n];
    for i in 0..n {
        out[i * n + i] = T::one();
    }
    out
}
