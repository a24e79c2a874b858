//! Dense decompositions without derivatives: the one place where `linalg` meets a linear algebra library.
//!
//! A matrix is a contiguous **row-major** slice with its shape, results are row-major vectors; eigenvectors are in columns, so component i of
//! vector k is at `i * n + k`. The work is done by `faer`, or with the feature `lapack` by the system's
//! LAPACK; what they do not give is added here:
//! - a NaN or an infinity is an error that names its place; an empty matrix has an empty decomposition;
//! - matrices far from 1 are scaled by a power of two, so that everything works from 10⁻³⁰⁰ to 10³⁰⁰;
//! - single precision is computed in double and rounded;
//! - when an iteration gives up, a slower method takes over ([`eigh`], [`svd`]: the QR algorithm, then Jacobi; [`eig`]: another QR algorithm);
//! - results depend on the matrix and its shape alone, not on the number of threads.
//!
//! Hermitian routines read the lower triangle and the real part of the diagonal, as LAPACK does with `uplo = L`.

pub mod dense;
mod factor;
mod faer;
mod general;
mod input;
pub mod jacobi;
#[cfg(feature = "lapack")]
mod lapack;
pub mod schur;
mod spectral;
pub mod truncated;

use crate::error::{Error, Result};
use crate::scalar::{Real, Scalar, ScalarKind};
use dense::{Double, Vectors};
use num_complex::Complex;
use std::borrow::Cow;
use std::marker::PhantomData;

pub use dense::Op;

/// The right (and left) eigenvectors of a general matrix: A v = λ v, u† A = λ u†.
///
/// Every vector has unit 2-norm and its component of largest modulus is real and positive (the first one within √ε of the largest).
#[derive(Clone, Debug)]
pub struct Eig<C> {
    /// The n eigenvalues, in no particular order; conjugate pairs of a real matrix are adjacent.
    pub values: Vec<C>,
    /// The right eigenvectors, n × n, in columns.
    pub right: Vec<C>,
    /// The left eigenvectors, n × n, in columns, or empty when not asked for.
    pub left: Vec<C>,
}

/// Runs the body with `$e` naming the type that `$t` is computed in.
macro_rules! double {
    ($t:ident as $e:ident => $body:expr) => {
        if $t::IS_COMPLEX {
            type $e = Complex<f64>;
            $body
        } else {
            type $e = f64;
            $body
        }
    };
}

fn into<E: Double, T: Scalar>(x: &[T]) -> Cow<'_, [E]> {
    E::widen(T::slice(x))
}

/// Rounds a result to the caller's type; the only thing that can go wrong is an overflow in single precision.
fn back<E: Double, T: Scalar>(operation: &'static str, x: Vec<E>) -> Result<Vec<T>> {
    let x = E::narrow::<T>(x);
    if matches!(T::KIND, ScalarKind::F64 | ScalarKind::C64) || x.iter().all(|x| x.is_finite()) {
        return Ok(x);
    }
    Err(Error::non_finite(operation, "a result is beyond the largest finite number, rescale the matrix"))
}

/// Eigenvalues λ ascending and unitary V (n × n) with A = V diag(λ) V†, for a Hermitian n × n matrix.
///
/// # Errors
/// `Shape` if the slice is not n × n, `NonFinite` for a NaN or infinity in the matrix or an eigenvalue that overflows.
pub fn eigh<T: Scalar>(a: &[T], n: usize) -> Result<(Vec<T::Real>, Vec<T>)> {
    const NAME: &str = "eigh";
    double!(T as E => {
        let (w, v) = spectral::eigh::<E>(NAME, &into(a), n, true)?;
        Ok((back(NAME, w)?, back(NAME, v)?))
    })
}

/// The eigenvalues of [`eigh`] alone.
///
/// # Errors
/// As [`eigh`].
pub fn eigvalsh<T: Scalar>(a: &[T], n: usize) -> Result<Vec<T::Real>> {
    const NAME: &str = "eigvalsh";
    double!(T as E => back(NAME, spectral::eigh::<E>(NAME, &into(a), n, false)?.0))
}

/// (U, s, V†) with A = U diag(s) V† and s descending; with k = min(m, n), U is m × k and V† is k × n, or m × m and n × n when `full`.
///
/// # Errors
/// `Shape` if the slice is not m × n, `NonFinite` for a NaN or infinity in the matrix or a singular value that overflows.
pub fn svd<T: Scalar>(a: &[T], m: usize, n: usize, full: bool) -> Result<(Vec<T>, Vec<T::Real>, Vec<T>)> {
    const NAME: &str = "svd";
    let want = if full { Vectors::Full } else { Vectors::Thin };
    double!(T as E => {
        let (u, s, vh) = spectral::svd::<E>(NAME, &into(a), m, n, want)?;
        Ok((back(NAME, u)?, back(NAME, s)?, back(NAME, vh)?))
    })
}

/// The singular values of [`svd`] alone, descending.
///
/// # Errors
/// As [`svd`].
pub fn svdvals<T: Scalar>(a: &[T], m: usize, n: usize) -> Result<Vec<T::Real>> {
    const NAME: &str = "svdvals";
    double!(T as E => back(NAME, spectral::svd::<E>(NAME, &into(a), m, n, Vectors::None)?.1))
}

/// The k leading triplets of [`svd`]: U (m × k), s, V† (k × n), with ‖A v − s u‖ and ‖A†u − s v‖ below about 32 ε s₁.
///
/// Where k is small against the matrix and the spectrum falls, only those are computed; otherwise the full SVD is cut. Nothing here looks
/// at multiplets: ask for a few values more than are kept to see where the next ones lie.
///
/// # Errors
/// As [`svd`], and `Argument` if k > min(m, n).
pub fn truncated_svd<T: Scalar>(a: &[T], m: usize, n: usize, k: usize) -> Result<(Vec<T>, Vec<T::Real>, Vec<T>)> {
    const NAME: &str = "truncated_svd";
    double!(T as E => {
        let (u, s, vh) = spectral::truncated_svd::<E>(&into(a), m, n, k, T::Real::EPSILON.to_f64())?;
        Ok((back(NAME, u)?, back(NAME, s)?, back(NAME, vh)?))
    })
}

/// The k eigenpairs of largest |λ| of a Hermitian matrix: values by falling |λ| (of ±λ the positive one first) and vectors (n × k), with
/// ‖A v − λ v‖ below about 32 ε |λ₁|. See [`truncated_svd`].
///
/// # Errors
/// As [`eigh`], and `Argument` if k > n.
pub fn truncated_eigh<T: Scalar>(a: &[T], n: usize, k: usize) -> Result<(Vec<T::Real>, Vec<T>)> {
    const NAME: &str = "truncated_eigh";
    double!(T as E => {
        let (w, v) = spectral::truncated_eigh::<E>(&into(a), n, k, T::Real::EPSILON.to_f64())?;
        Ok((back(NAME, w)?, back(NAME, v)?))
    })
}

/// (Q, R) with A = Q R, R upper triangular with a real non-negative diagonal: unique for full column rank. With k = min(m, n), Q is m × k
/// and R is k × n, or m × m and m × n when `full`.
///
/// # Errors
/// `Shape` if the slice is not m × n, `NonFinite` for a NaN or infinity.
pub fn qr<T: Scalar>(a: &[T], m: usize, n: usize, full: bool) -> Result<(Vec<T>, Vec<T>)> {
    const NAME: &str = "qr";
    double!(T as E => {
        let (q, r) = factor::qr::<E>(&into(a), m, n, full)?;
        Ok((back(NAME, q)?, back(NAME, r)?))
    })
}

/// (p, L, U) with partial pivoting: row i of L U is row `p[i]` of A; L is m × k with a unit diagonal, U is k × n, k = min(m, n).
///
/// # Errors
/// `Shape` if the slice is not m × n, `NonFinite` for a NaN or infinity.
pub fn lu<T: Scalar>(a: &[T], m: usize, n: usize) -> Result<(Vec<usize>, Vec<T>, Vec<T>)> {
    const NAME: &str = "lu";
    double!(T as E => {
        let (p, l, u) = factor::Lu::<E>::new(NAME, &into(a), m, n)?.unpack();
        Ok((p, back(NAME, l)?, back(NAME, u)?))
    })
}

/// The lower triangular L with a positive diagonal of A = L L†, for a Hermitian positive definite n × n matrix.
///
/// # Errors
/// `Shape` and `NonFinite` as [`eigh`]; `Singular` with the index of the first pivot that is not positive.
pub fn cholesky<T: Scalar>(a: &[T], n: usize) -> Result<Vec<T>> {
    const NAME: &str = "cholesky";
    double!(T as E => back(NAME, factor::cholesky::<E>(&into(a), n)?))
}

/// X (n × nrhs) of A X = B, by LU.
///
/// # Errors
/// `Shape`, `NonFinite`; `Singular` if a pivot is exactly zero or the solution overflows.
pub fn solve<T: Scalar>(a: &[T], n: usize, b: &[T], nrhs: usize) -> Result<Vec<T>> {
    const NAME: &str = "solve";
    double!(T as E => back(NAME, factor::Lu::<E>::new(NAME, &into(a), n, n)?.solve(NAME, &into(b), nrhs, Op::None)?))
}

/// X (n × nrhs) of op(A) X = B for a triangular A (n × n), of which only the named triangle is read, and with `unit` not its diagonal.
///
/// # Errors
/// `Shape`, `NonFinite`; `Singular` if an entry of the diagonal is zero or the solution overflows.
pub fn solve_triangular<T: Scalar>(a: &[T], n: usize, b: &[T], nrhs: usize, lower: bool, unit: bool, op: Op) -> Result<Vec<T>> {
    const NAME: &str = "solve_triangular";
    double!(T as E => back(NAME, factor::solve_triangular::<E>(&into(a), n, &into(b), nrhs, lower, unit, op)?))
}

/// det A.
///
/// # Errors
/// `Shape`, `NonFinite` for a NaN or infinity in the matrix and for a determinant that overflows (see [`slogdet`]).
pub fn det<T: Scalar>(a: &[T], n: usize) -> Result<T> {
    const NAME: &str = "det";
    double!(T as E => Ok(back::<E, T>(NAME, vec![factor::Lu::<E>::new(NAME, &into(a), n, n)?.det(NAME)?])?[0]))
}

/// (d/|d|, ln|d|) of d = det A; (0, −∞) when a pivot is exactly zero.
///
/// # Errors
/// `Shape`, `NonFinite`.
pub fn slogdet<T: Scalar>(a: &[T], n: usize) -> Result<(T, T::Real)> {
    double!(T as E => {
        let (sign, log) = factor::Lu::<E>::new("slogdet", &into(a), n, n)?.slogdet();
        Ok((E::narrow::<T>(vec![sign])[0], T::Real::from_f64(log)))
    })
}

/// A⁻¹.
///
/// # Errors
/// As [`solve`].
pub fn inv<T: Scalar>(a: &[T], n: usize) -> Result<Vec<T>> {
    const NAME: &str = "inv";
    double!(T as E => back(NAME, factor::inv::<E>(&into(a), n)?))
}

/// Eigenvalues and eigenvectors of a general n × n matrix, with the left ones if asked for.
///
/// # Errors
/// `Shape`, `NonFinite`; `NoConvergence` if both QR algorithms give up.
pub fn eig<T: Scalar>(a: &[T], n: usize, left: bool) -> Result<Eig<T::Complex>> {
    const NAME: &str = "eig";
    double!(T as E => {
        let e = general::eig::<E>(&into(a), n, left)?;
        Ok(Eig { values: back(NAME, e.values)?, right: back(NAME, e.right)?, left: back(NAME, e.left)? })
    })
}

/// The complex Schur form: (T, Z) with A = Z T Z†, T upper triangular with the eigenvalues on its diagonal, Z unitary.
///
/// # Errors
/// As [`eig`].
pub fn schur<T: Scalar>(a: &[T], n: usize) -> Result<(Vec<T::Complex>, Vec<T::Complex>)> {
    const NAME: &str = "schur";
    double!(T as E => {
        let (t, z) = general::schur_form::<E>(NAME, &into(a), n)?;
        Ok((back(NAME, t)?, back(NAME, z)?))
    })
}

/// X (m × n) of A X + X B = C, for A m × m and B n × n (Bartels & Stewart, CACM 15 (1972) 820).
///
/// # Errors
/// `Shape`, `NonFinite`, `NoConvergence`; `Singular` if A and −B share an eigenvalue to rounding.
pub fn solve_sylvester<T: Scalar>(a: &[T], m: usize, b: &[T], n: usize, c: &[T]) -> Result<Vec<T>> {
    const NAME: &str = "solve_sylvester";
    double!(T as E => back(NAME, general::solve_sylvester::<E>(&into(a), m, &into(b), n, &into(c))?))
}

/// An LU decomposition kept for several uses.
#[derive(Clone, Debug)]
pub struct LuFactor<T: Scalar>(Factored, PhantomData<T>);

#[derive(Clone, Debug)]
enum Factored {
    Real(factor::Lu<f64>),
    Complex(factor::Lu<Complex<f64>>),
}

macro_rules! factored {
    ($self:ident as $lu:ident => $body:expr) => {
        match &$self.0 {
            Factored::Real($lu) => $body,
            Factored::Complex($lu) => $body,
        }
    };
}

/// Factors a square matrix for [`LuFactor::solve`], [`LuFactor::slogdet`] and [`LuFactor::det`]. A singular matrix is factored too.
///
/// # Errors
/// `Shape`, `NonFinite`.
pub fn lu_factor<T: Scalar>(a: &[T], n: usize) -> Result<LuFactor<T>> {
    const NAME: &str = "lu_factor";
    let factored = if T::IS_COMPLEX {
        Factored::Complex(factor::Lu::new(NAME, &into(a), n, n)?)
    } else {
        Factored::Real(factor::Lu::new(NAME, &into(a), n, n)?)
    };
    Ok(LuFactor(factored, PhantomData))
}

impl<T: Scalar> LuFactor<T> {
    /// X (n × nrhs) of op(A) X = B.
    ///
    /// # Errors
    /// As [`solve`].
    pub fn solve(&self, b: &[T], nrhs: usize, op: Op) -> Result<Vec<T>> {
        const NAME: &str = "solve";
        factored!(self as lu => back(NAME, lu.solve(NAME, &into(b), nrhs, op)?))
    }

    /// The index of the first pivot that is exactly zero.
    pub fn zero_pivot(&self) -> Option<usize> {
        factored!(self as lu => lu.zero_pivot())
    }

    /// As [`slogdet`].
    pub fn slogdet(&self) -> (T, T::Real) {
        factored!(self as lu => {
            let (sign, log) = lu.slogdet();
            (Double::narrow::<T>(vec![sign])[0], T::Real::from_f64(log))
        })
    }

    /// As [`det`].
    ///
    /// # Errors
    /// `NonFinite` if it overflows.
    pub fn det(&self) -> Result<T> {
        const NAME: &str = "det";
        factored!(self as lu => Ok(back::<_, T>(NAME, vec![lu.det(NAME)?])?[0]))
    }
}

/// Matrices larger than this in their smaller dimension are decomposed one after another, each on several threads.
const BATCH_LARGEST: usize = 256;
/// Work in all (matrices × m n min(m, n)) from which handing it to threads pays.
const BATCH_WORK: usize = 1 << 16;

/// Runs `f(i)` for each of `batch` matrices of shape m × n, over threads when they are many and small; results in order, the same at any
/// number of threads.
///
/// # Errors
/// The error of the first matrix (in order) that has one.
pub fn batched<R: Send>(batch: usize, m: usize, n: usize, f: impl Fn(usize) -> Result<R> + Sync + Send) -> Result<Vec<R>> {
    let size = m.min(n);
    if batch > 1 && size < BATCH_LARGEST && batch * m * n * size >= BATCH_WORK {
        crate::kernels::parallel::collect(batch, f).into_iter().collect()
    } else {
        (0..batch).map(f).collect()
    }
}
