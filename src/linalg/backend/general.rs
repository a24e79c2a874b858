//! Eigenvalues of general matrices, the Schur form and Sylvester's equation.

use super::dense::{Dense, transpose};
use super::input::{all_finite, check_shape, scale, scaled, unscale};
use super::{Eig, Op, schur};
use crate::error::{Error, Result};
use crate::scalar::{Number, Real, Scalar};
use num_traits::{One, Zero};

fn complex<T: Dense>(a: &[T]) -> Vec<T::Complex> {
    a.iter().map(|x| x.to_complex()).collect()
}

fn stalled(operation: &'static str, n: usize) -> Error {
    Error::no_convergence(operation, format!("the QR algorithm on this {n} × {n} matrix"))
}

/// Unit 2-norm, with the component of largest modulus real and positive (the first within √ε of the largest).
fn normalise<C: Dense>(rows: &mut [C], n: usize) {
    for x in rows.chunks_exact_mut(n) {
        let largest = x.iter().fold(C::Real::zero(), |s, x| s.max(x.modulus()));
        if largest == C::Real::zero() {
            continue;
        }
        x.iter_mut().for_each(|x| *x = *x / C::from_real(largest));
        let norm = x.iter().fold(C::Real::zero(), |s, x| s + x.modulus_squared()).sqrt();
        let near = C::Real::one() - C::Real::EPSILON.sqrt();
        let at = x.iter().position(|x| x.modulus() >= near).unwrap_or(0);
        let factor = x[at].conj() / C::from_real(x[at].modulus() * norm);
        x.iter_mut().for_each(|x| *x *= factor);
        x[at] = C::from_real(x[at].re());
    }
}

/// Σ λ = tr A to rounding, which a library that does not report its failures would miss.
fn trace_agrees<T: Dense>(a: &[T], n: usize, values: &[T::Complex]) -> bool {
    let trace = (0..n).fold(T::zero(), |s, i| s + a[i * n + i]).to_complex();
    let sum = values.iter().fold(T::Complex::zero(), |s, &x| s + x);
    let norm = a.iter().fold(T::Real::zero(), |s, x| s + x.modulus_squared()).sqrt();
    (trace - sum).modulus() <= norm * T::Real::EPSILON * T::Real::from_f64(100.0 * n as f64)
}

pub(super) fn eig<T: Dense<Complex: Dense>>(a: &[T], n: usize, left: bool) -> Result<Eig<T::Complex>> {
    const NAME: &str = "eig";
    let a = scaled(NAME, a, n, n)?;
    if n == 0 {
        return Ok(Eig { values: vec![], right: vec![], left: vec![] });
    }
    let quick = T::eig(&a.data, n, left).filter(|(w, v, u)| all_finite(w) && all_finite(v) && all_finite(u) && trace_agrees(&a.data, n, w));
    let (mut values, mut right, mut left) = match quick {
        Some(parts) => parts,
        None => {
            let (t, zt) = schur::schur(complex(&a.data), n).ok_or_else(|| stalled(NAME, n))?;
            let values = (0..n).map(|i| t[i * n + i]).collect();
            let rotate = |left| T::Complex::matmul((&schur::triangular_vectors(&t, n, left), Op::None), (&zt, Op::None), n, n, n);
            (values, rotate(false), if left { rotate(true) } else { vec![] })
        }
    };
    // column-major: a row of the slice is a vector
    for vectors in [&mut right, &mut left] {
        normalise(vectors, n);
        if !vectors.is_empty() {
            *vectors = transpose(vectors, n, n);
        }
    }
    unscale(NAME, &mut values, a.exponent)?;
    Ok(Eig { values, right, left })
}

/// T and Z, row-major.
pub(super) fn schur_form<T: Dense<Complex: Dense>>(
    operation: &'static str,
    a: &[T],
    n: usize,
) -> Result<(Vec<T::Complex>, Vec<T::Complex>)> {
    let a = scaled(operation, a, n, n)?;
    if n == 0 {
        return Ok((vec![], vec![]));
    }
    let (mut t, zt) = schur::schur(complex(&a.data), n).ok_or_else(|| stalled(operation, n))?;
    unscale(operation, &mut t, a.exponent)?;
    Ok((t, transpose(&zt, n, n)))
}

pub(super) fn solve_sylvester<T: Dense<Complex: Dense>>(a: &[T], m: usize, b: &[T], n: usize, c: &[T]) -> Result<Vec<T>> {
    const NAME: &str = "solve_sylvester";
    check_shape(NAME, a, m, m)?;
    check_shape(NAME, b, n, n)?;
    let c = scaled(NAME, c, m, n)?;
    // one scale for both, so that their sum keeps its meaning
    let both = [a, b].concat();
    let both = scaled(NAME, &both, 1, m * m + n * n)?;
    let (a, b) = both.data.split_at(m * m);
    if m == 0 || n == 0 {
        return Ok(vec![]);
    }
    let (ta, zat) = schur::schur(complex(a), m).ok_or_else(|| stalled(NAME, m))?;
    let (tb, zbt) = schur::schur(complex(b), n).ok_or_else(|| stalled(NAME, n))?;
    let product = |a: (&[T::Complex], Op), b: (&[T::Complex], Op), m, k, n| T::Complex::matmul(a, b, m, k, n);
    let conj = |x: &[T::Complex]| x.iter().map(|x| x.conj()).collect::<Vec<_>>();
    // F = Za† C Zb
    let f = product((&conj(&zat), Op::None), (&complex(&c.data), Op::None), m, m, n);
    let f = product((&f, Op::None), (&zbt, Op::Transpose), m, n, n);
    // column j of Y: (Ta + tb_jj) y_j = f_j − Σ_{i<j} y_i tb_ij; a row of `y` is a column of Y
    let mut y = transpose(&f, m, n);
    let norm = |t: &[T::Complex]| t.iter().fold(T::Real::zero(), |s, x| s.max(x.modulus()));
    let smallest = (norm(&ta) + norm(&tb)) * T::Real::EPSILON;
    for j in 0..n {
        let (known, rest) = y.split_at_mut(j * m);
        let column = &mut rest[..m];
        for (i, x) in known.chunks_exact(m).enumerate() {
            let factor = tb[i * n + j];
            column.iter_mut().zip(x).for_each(|(y, &x)| *y -= x * factor);
        }
        let value = tb[j * n + j];
        for i in (0..m).rev() {
            let sum = ta[i * m + i + 1..(i + 1) * m].iter().zip(&column[i + 1..]).fold(T::Complex::zero(), |s, (&t, &y)| s + t * y);
            let pivot = ta[i * m + i] + value;
            if pivot.modulus() <= smallest {
                let message = format!("A ({m} × {m}) and −B ({n} × {n}) share the eigenvalue {}: no unique solution", ta[i * m + i]);
                return Err(Error::singular(NAME, message));
            }
            column[i] = (column[i] - sum) / pivot;
        }
    }
    // X = Za Y Zb†
    let x = product((&zat, Op::Transpose), (&y, Op::Transpose), m, m, n);
    let x = product((&x, Op::None), (&conj(&zbt), Op::None), m, n, n);
    let mut x: Vec<T> = x.into_iter().map(T::from_complex).collect();
    scale(&mut x, c.exponent - both.exponent);
    if all_finite(&x) {
        return Ok(x);
    }
    Err(Error::singular(NAME, format!("the {m} × {n} solution overflows: A and −B share an eigenvalue to working precision")))
}
