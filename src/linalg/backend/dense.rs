//! What a library of decompositions must bring: raw routines on checked, well-scaled, non-empty row-major matrices.

#[cfg(not(feature = "lapack"))]
use super::faer as library;
#[cfg(feature = "lapack")]
use super::lapack as library;
use crate::scalar::{AnySlice, AnyVec, Scalar, ScalarKind};
use num_complex::Complex;
use std::borrow::Cow;

/// Which singular vectors are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vectors {
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
pub type SvdParts<T> = (Vec<T>, Vec<f64>, Vec<T>);

/// Eigenvalues, right vectors and left vectors (empty unless asked for), both column-major.
pub type EigParts = (Vec<Complex<f64>>, Vec<Complex<f64>>, Vec<Complex<f64>>);

/// The raw routines for `f64` and `Complex<f64>`. Matrices are row-major, finite and not empty; those of the spectral routines and QR are
/// scaled so that squares neither overflow nor vanish. `None` says that an iteration did not converge.
pub trait Dense: Double {
    /// Eigenvalues ascending and, if asked for, eigenvectors in columns, from the lower triangle. `careful` takes the slower algorithm.
    fn eigh(a: &[Self], n: usize, vectors: bool, careful: bool) -> Option<(Vec<f64>, Vec<Self>)>;
    /// U, s descending, V†. `careful` takes the slower algorithm.
    fn svd(a: &[Self], m: usize, n: usize, want: Vectors, careful: bool) -> Option<SvdParts<Self>>;
    /// Q and R by Householder reflections, whatever the rank.
    fn qr(a: &[Self], m: usize, n: usize, full: bool) -> (Vec<Self>, Vec<Self>);
    /// P A = L U in place; returns the permutation. A pivot that vanishes or has no finite inverse may leave non-finite entries.
    fn lu(a: &mut [Self], m: usize, n: usize) -> Vec<usize>;
    /// L of A = L L† from the lower triangle; `Err` is the index of the pivot that is not positive.
    fn cholesky(a: &[Self], n: usize) -> Result<Vec<Self>, usize>;
    /// op(A) X = B in place, A triangular without zeros on its diagonal.
    fn solve_triangular(a: &[Self], n: usize, b: &mut [Self], nrhs: usize, lower: bool, unit: bool, op: Op);
    /// Eigenvalues and eigenvectors of a general matrix, not normalised.
    fn eig(a: &[Self], n: usize, left: bool) -> Option<EigParts>;
    /// op(A) op(B), with op(A) m × k and op(B) k × n.
    fn matmul(a: (&[Self], Op), b: (&[Self], Op), m: usize, k: usize, n: usize) -> Vec<Self>;
}

macro_rules! dense {
    ($t:ty, $eig:ident) => {
        impl Dense for $t {
            fn eigh(a: &[Self], n: usize, vectors: bool, careful: bool) -> Option<(Vec<f64>, Vec<Self>)> {
                library::eigh(a, n, vectors, careful)
            }
            fn svd(a: &[Self], m: usize, n: usize, want: Vectors, careful: bool) -> Option<SvdParts<Self>> {
                library::svd(a, m, n, want, careful)
            }
            fn qr(a: &[Self], m: usize, n: usize, full: bool) -> (Vec<Self>, Vec<Self>) {
                library::qr(a, m, n, full)
            }
            fn lu(a: &mut [Self], m: usize, n: usize) -> Vec<usize> {
                library::lu(a, m, n)
            }
            fn cholesky(a: &[Self], n: usize) -> Result<Vec<Self>, usize> {
                library::cholesky(a, n)
            }
            fn solve_triangular(a: &[Self], n: usize, b: &mut [Self], nrhs: usize, lower: bool, unit: bool, op: Op) {
                library::solve_triangular(a, n, b, nrhs, lower, unit, op)
            }
            fn eig(a: &[Self], n: usize, left: bool) -> Option<EigParts> {
                library::$eig(a, n, left)
            }
            fn matmul(a: (&[Self], Op), b: (&[Self], Op), m: usize, k: usize, n: usize) -> Vec<Self> {
                library::matmul(a, b, m, k, n)
            }
        }
    };
}
dense!(f64, eig_real);
dense!(Complex<f64>, eig_complex);

/// The two types that decompositions are computed in. Single precision is widened on the way in and rounded on the way out: half the code
/// to compile, and results right to the last bit or two.
pub trait Double: Scalar<Real = f64, Complex = Complex<f64>> {
    fn widen(x: AnySlice<'_>) -> Cow<'_, [Self]>;
    fn narrow<T: Scalar>(x: Vec<Self>) -> Vec<T>;
}

impl Double for f64 {
    fn widen(x: AnySlice<'_>) -> Cow<'_, [f64]> {
        match x {
            AnySlice::F64(x) => Cow::Borrowed(x),
            AnySlice::F32(x) => x.iter().map(|&x| f64::from(x)).collect(),
            _ => unreachable!("a complex slice"),
        }
    }
    fn narrow<T: Scalar>(x: Vec<f64>) -> Vec<T> {
        T::unwrap_vec(if T::KIND == ScalarKind::F64 { AnyVec::F64(x) } else { AnyVec::F32(x.into_iter().map(|x| x as f32).collect()) })
    }
}

impl Double for Complex<f64> {
    fn widen(x: AnySlice<'_>) -> Cow<'_, [Complex<f64>]> {
        match x {
            AnySlice::C64(x) => Cow::Borrowed(x),
            AnySlice::C32(x) => x.iter().map(|x| Complex::new(f64::from(x.re), f64::from(x.im))).collect(),
            _ => unreachable!("a real slice"),
        }
    }
    fn narrow<T: Scalar>(x: Vec<Complex<f64>>) -> Vec<T> {
        T::unwrap_vec(if T::KIND == ScalarKind::C64 {
            AnyVec::C64(x)
        } else {
            AnyVec::C32(x.into_iter().map(|x| Complex::new(x.re as f32, x.im as f32)).collect())
        })
    }
}

/// x/y without overflow or underflow on the way.
pub fn quotient<T: Double>(x: T, y: T) -> T {
    let size = y.modulus();
    let unit = T::from_parts(y.re() / size, y.im() / size).conj();
    let z = x * unit;
    T::from_parts(z.re() / size, z.im() / size)
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
pub fn transpose<T: Copy>(a: &[T], m: usize, n: usize) -> Vec<T> {
    transpose_with(a, m, n, |x| x)
}

/// The n × m conjugate transpose of a row-major m × n matrix.
pub fn transpose_conj<T: Scalar>(a: &[T], m: usize, n: usize) -> Vec<T> {
    transpose_with(a, m, n, T::conj)
}

/// The identity, row-major.
pub fn identity<T: Scalar>(n: usize) -> Vec<T> {
    let mut out = vec![T::zero(); n * n];
    for i in 0..n {
        out[i * n + i] = T::one();
    }
    out
}
