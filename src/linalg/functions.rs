//! Functions of general matrices: exponential, logarithm, square root, polar decomposition.

use super::backend;
use super::matrices::*;
use super::solve::{solve, solve_sylvester};
use crate::autodiff::{Primitive, Var, apply};
use crate::error::{Error, Result};
use crate::ops::concatenate;
use crate::scalar::{Number, Real, Scalar};
use num_traits::{One as _, Zero as _};
use std::marker::PhantomData;

/// The coefficients of the diagonal Padé approximants to eˣ, and the 1-norms up to which they are exact to double precision
/// (Higham, SIAM J. Matrix Anal. Appl. 26 (2005) 1179, table 2.3).
const PADE: [(f64, &[f64]); 5] = [
    (1.495585217958292e-2, &[120.0, 60.0, 12.0, 1.0]),
    (2.539398330063230e-1, &[30240.0, 15120.0, 3360.0, 420.0, 30.0, 1.0]),
    (9.504178996162932e-1, &[17297280.0, 8648640.0, 1995840.0, 277200.0, 25200.0, 1512.0, 56.0, 1.0]),
    (2.097847961257068, &[17643225600.0, 8821612800.0, 2075673600.0, 302702400.0, 30270240.0, 2162160.0, 110880.0, 3960.0, 90.0, 1.0]),
    (
        5.371920351148152,
        &[
            64764752532480000.0,
            32382376266240000.0,
            7771770303897600.0,
            1187353796428800.0,
            129060195264000.0,
            10559470521600.0,
            670442572800.0,
            33522128640.0,
            1323241920.0,
            40840800.0,
            960960.0,
            16380.0,
            182.0,
            1.0,
        ],
    ),
];

/// e^A of matrices (…, n, n), by scaling and squaring of Padé approximants (Higham 2005); differentiated through the algorithm.
///
/// For Hermitian matrices [`funm`](super::funm) with [`Spectral::Exp`](super::Spectral::Exp) is cheaper.
///
/// ```
/// use pullback::prelude::*;
/// let rotation = pullback::linalg::expm(&Var::from(ndarray::array![[0.0, -1.0], [1.0, 0.0]]))?;
/// assert!((rotation.as_slice()[0] - 1f64.cos()).abs() < 1e-15);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// `Shape`, `NonFinite`.
pub fn expm<T: Scalar>(a: &Var<T>) -> Result<Var<T>> {
    let (_, n) = square("expm", a)?;
    let norm = one_norm(a.as_slice(), n);
    if !norm.is_finite() {
        return Err(Error::non_finite("expm", "the matrix holds a NaN or an infinity"));
    }
    let (theta, coefficients) = *PADE.iter().find(|(theta, _)| norm <= *theta).unwrap_or(&PADE[4]);
    let squarings = if norm > theta { (norm / theta).log2().ceil() as i32 } else { 0 };
    let a = a.scale(0.5f64.powi(squarings));
    let square = a.matmul(&a);
    // even and odd parts by Horner's rule in A²
    let horner = |first: usize| {
        let top = coefficients.iter().enumerate().skip(first).step_by(2).map(|(_, &c)| c).collect::<Vec<_>>();
        let mut terms = top.into_iter().rev();
        let mut sum = eye::<T>(n).scale(terms.next().expect("at least one"));
        for c in terms {
            sum = square.matmul(&sum) + eye::<T>(n).scale(c);
        }
        sum
    };
    let (even, odd) = (horner(0), a.matmul(horner(1)));
    let shape = a.shape().to_vec();
    let even = even.broadcast_to(&shape);
    let mut e = solve(&(&even - &odd), &(even + odd))?;
    for _ in 0..squarings {
        e = e.matmul(&e);
    }
    Ok(e)
}

/// The largest 1-norm of the matrices.
fn one_norm<T: Scalar>(a: &[T], n: usize) -> f64 {
    let mut largest = 0.0f64;
    for matrix in a.chunks((n * n).max(1)) {
        for j in 0..n {
            let column: f64 = (0..n).map(|i| matrix[i * n + j].modulus().to_f64()).sum();
            largest = if column.is_nan() { f64::NAN } else { largest.max(column) };
        }
    }
    largest
}

/// The principal square root of an upper triangular matrix, column by column (Björck & Hammarling 1983).
fn triangular_sqrt<C: Scalar>(t: &[C], n: usize) -> Vec<C> {
    let mut r = vec![C::zero(); n * n];
    for j in 0..n {
        r[j * n + j] = Number::sqrt(t[j * n + j]);
        for i in (0..j).rev() {
            let inner = (i + 1..j).fold(C::zero(), |s, k| s + r[i * n + k] * r[k * n + j]);
            let denominator = r[i * n + i] + r[j * n + j];
            let rest = t[i * n + j] - inner;
            r[i * n + j] = if rest == C::zero() { C::zero() } else { rest / denominator };
        }
    }
    r
}

/// Nodes and weights of the Gauss–Legendre rule on [0, 1].
fn gauss_legendre(m: usize) -> Vec<(f64, f64)> {
    (0..m)
        .map(|i| {
            let mut x = (std::f64::consts::PI * (i as f64 + 0.75) / (m as f64 + 0.5)).cos();
            let mut slope = 1.0;
            for _ in 0..50 {
                let (mut p, mut q) = (1.0, 0.0);
                for k in 0..m {
                    let k = k as f64;
                    (p, q) = (((2.0 * k + 1.0) * x * p - k * q) / (k + 1.0), p);
                }
                slope = m as f64 * (x * p - q) / (x * x - 1.0);
                let step = p / slope;
                x -= step;
                if step.abs() < 1e-16 {
                    break;
                }
            }
            (0.5 * (1.0 + x), 1.0 / ((1.0 - x * x) * slope * slope))
        })
        .collect()
}

/// ln T of an upper triangular matrix: square roots until T is near 1, then the Padé approximant in partial fractions,
/// ln(1 + X) ≈ Σ w_j X (1 + x_j X)⁻¹ (Higham, *Functions of Matrices*, §11.4–11.5).
fn triangular_log<C: Scalar>(t: &[C], n: usize) -> Vec<C> {
    let mut t = t.to_vec();
    let mut roots = 0;
    let distance = |t: &[C]| {
        let mut x = t.to_vec();
        (0..n).for_each(|i| x[i * n + i] -= C::one());
        one_norm(&x, n)
    };
    while distance(&t) > 0.25 && roots < 100 {
        t = triangular_sqrt(&t, n);
        roots += 1;
    }
    (0..n).for_each(|i| t[i * n + i] -= C::one());
    let mut sum = vec![C::zero(); n * n];
    let real = |x: f64| C::from_real(C::Real::from_f64(x));
    for (x, w) in gauss_legendre(10) {
        // Y (1 + x X) = X row by row, both triangular
        let factor: Vec<C> = (0..n * n).map(|at| if at / n == at % n { C::one() } else { C::zero() } + real(x) * t[at]).collect();
        let mut y = vec![C::zero(); n * n];
        for i in 0..n {
            for j in i..n {
                let inner = (i..j).fold(C::zero(), |s, k| s + y[i * n + k] * factor[k * n + j]);
                y[i * n + j] = (t[i * n + j] - inner) / factor[j * n + j];
            }
        }
        sum.iter_mut().zip(y).for_each(|(s, y)| *s += real(w) * y);
    }
    let back = real(2f64.powi(roots));
    sum.iter_mut().for_each(|s| *s *= back);
    sum
}

/// Z f(T) Z† from the Schur form, real again if the matrix was.
fn through_schur<T: Scalar>(name: &'static str, a: &[T], n: usize, f: impl Fn(&[T::Complex], usize) -> Vec<T::Complex>) -> Result<Vec<T>> {
    use crate::kernels::gemm::{Gemm, Matrix, gemm};
    let (t, z) = backend::schur(a, n)?;
    let scale = max_modulus(&t);
    let negative = |x: T::Complex| x.re() <= T::Real::zero() && x.im().to_f64().abs() <= 4.0 * T::Real::EPSILON.to_f64() * scale;
    let zero = |x: T::Complex| x.modulus().to_f64() <= 4.0 * T::Real::EPSILON.to_f64() * scale;
    for i in 0..n {
        let x = t[i * n + i];
        if zero(x) && (name == "logm" || scale > 0.0) {
            return Err(Error::singular(
                name,
                format!(
                    "the matrix is singular to rounding (eigenvalue {i} is {x}): the {} does not exist or has no derivative there",
                    if name == "logm" { "logarithm" } else { "square root" }
                ),
            ));
        }
        if !T::IS_COMPLEX && negative(x) && !zero(x) {
            return Err(Error::argument(
                name,
                format!("a real matrix with the negative eigenvalue {x} has no real result: convert it by to_complex()"),
            ));
        }
    }
    let f = f(&t, n);
    let product = |a, b| gemm(&Gemm { batch: 1, m: n, k: n, n, alpha: T::Complex::one(), a, b });
    let left = product(Matrix::row_major(&z, n), Matrix::row_major(&f, n));
    let out = product(Matrix::row_major(&left, n), Matrix::row_major(&z, n).transposed().conjugated());
    Ok(out.into_iter().map(T::from_complex).collect())
}

/// The derivative along E is the upper right block of f of [[A, E], [0, A]], its adjoint that of A† (Higham, thm 3.6 and §3.2): rules of
/// every order come from the function itself.
struct Logm<T>(PhantomData<T>);

fn block_derivative<T: Scalar>(a: &Var<T>, e: &Var<T>) -> Result<Var<T>> {
    let n = a.shape()[a.ndim() - 1];
    let top = concatenate(&[a.clone(), e.clone()], -1);
    let bottom = concatenate(&[a.zeros_like(), a.clone()], -1);
    let f = apply(Logm(PhantomData), &concatenate(&[top, bottom], -2))?;
    Ok(narrow(&narrow(&f, 2, 0, n), 1, n, 2 * n))
}

impl<T: Scalar> Primitive for Logm<T> {
    type Inputs = Var<T>;
    type Outputs = Var<T>;
    fn name(&self) -> &'static str {
        "logm"
    }
    fn keeps_output(&self, _: usize) -> bool {
        false
    }
    fn forward(&self, a: &Var<T>) -> Result<Var<T>> {
        let (batch, n) = square("logm", a)?;
        let parts = each_matrix(a, n, n, |a| through_schur("logm", a, n, triangular_log))?;
        Ok(gather(batch, &[n, n], parts.into_iter()))
    }
    fn vjp(&self, a: &Var<T>, _: &Var<T>, g: Option<Var<T>>, _: &[bool]) -> Result<Option<Var<T>>> {
        g.map(|g| block_derivative(&a.h(), &g)).transpose()
    }
    fn jvp(&self, a: &Var<T>, _: &Var<T>, da: &Var<T>) -> Result<Var<T>> {
        block_derivative(a, da)
    }
}

/// The principal logarithm of matrices (…, n, n).
///
/// For Hermitian matrices [`funm`](super::funm) with [`Spectral::Log`](super::Spectral::Log) is cheaper.
///
/// # Errors
/// `Shape`, `NonFinite`; `Singular` for a zero eigenvalue; `Argument` for a real matrix with a negative one (convert it by `to_complex`).
pub fn logm<T: Scalar>(a: &Var<T>) -> Result<Var<T>> {
    square("logm", a)?;
    apply(Logm(PhantomData), a)
}

/// X² = A: X Ẋ + Ẋ X = Ȧ.
struct Sqrtm<T>(PhantomData<T>);

impl<T: Scalar> Primitive for Sqrtm<T> {
    type Inputs = Var<T>;
    type Outputs = Var<T>;
    fn name(&self) -> &'static str {
        "sqrtm"
    }
    fn keeps_input(&self, _: usize) -> bool {
        false
    }
    fn forward(&self, a: &Var<T>) -> Result<Var<T>> {
        let (batch, n) = square("sqrtm", a)?;
        let parts = each_matrix(a, n, n, |a| through_schur("sqrtm", a, n, triangular_sqrt))?;
        Ok(gather(batch, &[n, n], parts.into_iter()))
    }
    fn vjp(&self, _: &Var<T>, x: &Var<T>, g: Option<Var<T>>, _: &[bool]) -> Result<Option<Var<T>>> {
        g.map(|g| solve_sylvester(&x.h(), &x.h(), &g)).transpose()
    }
    fn jvp(&self, _: &Var<T>, x: &Var<T>, da: &Var<T>) -> Result<Var<T>> {
        solve_sylvester(x, x, da)
    }
}

/// The principal square root of matrices (…, n, n).
///
/// For Hermitian matrices [`funm`](super::funm) with [`Spectral::Sqrt`](super::Spectral::Sqrt) is cheaper.
///
/// # Errors
/// As [`logm`].
pub fn sqrtm<T: Scalar>(a: &Var<T>) -> Result<Var<T>> {
    square("sqrtm", a)?;
    apply(Sqrtm(PhantomData), a)
}

/// A = U P: with Ω from P Ω + Ω P = U†Ȧ − Ȧ†U, U̇ = U Ω + (1 − UU†) Ȧ P⁻¹ and Ṗ = U†Ȧ − Ω P.
struct Polar<T>(PhantomData<T>);

impl<T: Scalar> Primitive for Polar<T> {
    type Inputs = Var<T>;
    type Outputs = (Var<T>, Var<T>);
    fn name(&self) -> &'static str {
        "polar"
    }
    fn keeps_input(&self, _: usize) -> bool {
        false
    }
    fn forward(&self, a: &Var<T>) -> Result<Self::Outputs> {
        let (batch, m, n) = dims("polar", a)?;
        let (mut us, mut ps) = (Vec::new(), Vec::new());
        for (w, s, vh) in each_matrix(a, m, n, |a| backend::svd(a, m, n, false))? {
            let (w, s, vh) = (gather(&[], &[m, n], [w].into_iter()), Var::<T::Real>::from(s), gather(&[], &[n, n], [vh].into_iter()));
            us.push(w.matmul(&vh).as_slice().to_vec());
            ps.push((vh.h() * row::<T>(&s)).matmul(&vh).as_slice().to_vec());
        }
        Ok((gather(batch, &[m, n], us.into_iter()), gather(batch, &[n, n], ps.into_iter())))
    }
    fn jvp(&self, _: &Var<T>, (u, p): &Self::Outputs, da: &Var<T>) -> Result<Self::Outputs> {
        let inner = u.h().matmul(da);
        let omega = solve_sylvester(p, p, &(&inner - inner.h())).map_err(|e| match e {
            Error::Singular { .. } => Error::singular("polar", "the derivative needs full column rank"),
            other => other,
        })?;
        let outside = da - u.matmul(&inner);
        let du = u.matmul(&omega) + solve(p, &outside.h())?.h();
        Ok((du, inner - omega.matmul(p)))
    }
}

/// The polar decomposition A = U P of matrices (…, m, n) with m ≥ n: U has orthonormal columns, P is Hermitian positive semidefinite.
///
/// # Errors
/// `Shape`, `NonFinite`; `Singular` where a derivative is asked for and the columns are linearly dependent.
pub fn polar<T: Scalar>(a: &Var<T>) -> Result<(Var<T>, Var<T>)> {
    let (_, m, n) = dims("polar", a)?;
    if m < n {
        return Err(Error::shape(
            "polar",
            format!("needs at least as many rows as columns, the shape is {:?}: decompose the adjoint", a.shape()),
        ));
    }
    apply(Polar(PhantomData), a)
}
