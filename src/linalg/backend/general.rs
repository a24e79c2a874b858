//! Eigenvalues of general matrices, the Schur form and Sylvester's equation.

use super::dense::{Dense, quotient, transpose};
use super::input::{all_finite, check_shape, scale, scaled, unscale};
use super::{Eig, Op, schur, spectral};
use crate::error::{Error, Result};
use num_complex::Complex;

type C = Complex<f64>;

fn complex<T: Dense>(a: &[T]) -> Vec<C> {
    a.iter().map(|x| x.to_complex()).collect()
}

fn stalled(operation: &'static str, n: usize) -> Error {
    Error::no_convergence(operation, format!("the QR algorithm on this {n} × {n} matrix"))
}

/// Unit 2-norm, with the component of largest modulus real and positive (the first within √ε of the largest).
fn normalise(rows: &mut [C], n: usize) {
    for x in rows.chunks_exact_mut(n) {
        let largest = x.iter().fold(0.0, |s: f64, x| s.max(x.norm()));
        if largest == 0.0 {
            continue;
        }
        x.iter_mut().for_each(|x| *x /= largest);
        let norm = x.iter().map(|x| x.norm_sqr()).sum::<f64>().sqrt();
        let at = x.iter().position(|x| x.norm() >= 1.0 - f64::EPSILON.sqrt()).unwrap_or(0);
        let factor = x[at].conj() / (x[at].norm() * norm);
        x.iter_mut().for_each(|x| *x *= factor);
        x[at].im = 0.0;
    }
}

/// Σ λ = tr A to rounding, which a library that does not report its failures would miss.
fn trace_agrees<T: Dense>(a: &[T], n: usize, values: &[C]) -> bool {
    let trace = (0..n).fold(T::zero(), |s, i| s + a[i * n + i]).to_complex();
    let sum = values.iter().fold(C::ZERO, |s, &x| s + x);
    let norm = a.iter().map(|x| x.modulus_squared()).sum::<f64>().sqrt();
    (trace - sum).norm() <= norm * f64::EPSILON * 100.0 * n as f64
}

pub(super) fn eig<T: Dense>(a: &[T], n: usize, left: bool) -> Result<Eig<C>> {
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
            let rotate = |left| C::matmul((&schur::triangular_vectors(&t, n, left), Op::None), (&zt, Op::None), n, n, n);
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
pub(super) fn schur_form<T: Dense>(operation: &'static str, a: &[T], n: usize) -> Result<(Vec<C>, Vec<C>)> {
    let a = scaled(operation, a, n, n)?;
    if n == 0 {
        return Ok((vec![], vec![]));
    }
    let (mut t, zt) = schur::schur(complex(&a.data), n).ok_or_else(|| stalled(operation, n))?;
    unscale(operation, &mut t, a.exponent)?;
    Ok((t, transpose(&zt, n, n)))
}

pub(super) fn solve_sylvester<T: Dense>(a: &[T], m: usize, b: &[T], n: usize, c: &[T]) -> Result<Vec<T>> {
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
    if is_hermitian(a, m) && is_hermitian(b, n) {
        return hermitian_sylvester((a, m), (b, n), &c.data, c.exponent - both.exponent);
    }
    let (ta, zat) = schur::schur(complex(a), m).ok_or_else(|| stalled(NAME, m))?;
    let (tb, zbt) = schur::schur(complex(b), n).ok_or_else(|| stalled(NAME, n))?;
    let product = |a: (&[C], Op), b: (&[C], Op), m, k, n| C::matmul(a, b, m, k, n);
    let conj = |x: &[C]| x.iter().map(|x| x.conj()).collect::<Vec<_>>();
    // F = Za† C Zb
    let f = product((&conj(&zat), Op::None), (&complex(&c.data), Op::None), m, m, n);
    let f = product((&f, Op::None), (&zbt, Op::Transpose), m, n, n);
    // column j of Y: (Ta + tb_jj) y_j = f_j − Σ_{i<j} y_i tb_ij; a row of `y` is a column of Y
    let mut y = transpose(&f, m, n);
    let norm = |t: &[C]| t.iter().fold(0.0, |s: f64, x| s.max(x.norm()));
    let smallest = (norm(&ta) + norm(&tb)) * f64::EPSILON;
    for j in 0..n {
        let (known, rest) = y.split_at_mut(j * m);
        let column = &mut rest[..m];
        for (i, x) in known.chunks_exact(m).enumerate() {
            let factor = tb[i * n + j];
            column.iter_mut().zip(x).for_each(|(y, &x)| *y -= x * factor);
        }
        let value = tb[j * n + j];
        for i in (0..m).rev() {
            let sum = ta[i * m + i + 1..(i + 1) * m].iter().zip(&column[i + 1..]).fold(C::ZERO, |s, (&t, &y)| s + t * y);
            let pivot = ta[i * m + i] + value;
            if pivot.norm() <= smallest {
                return Err(shared_eigenvalue(m, n, ta[i * m + i]));
            }
            column[i] = quotient(column[i] - sum, pivot);
        }
    }
    // X = Za Y Zb†
    let x = product((&zat, Op::Transpose), (&y, Op::Transpose), m, m, n);
    let x = product((&x, Op::None), (&conj(&zbt), Op::None), m, n, n);
    rescaled_solution(x.into_iter().map(T::from_complex).collect(), (m, n), c.exponent - both.exponent)
}

/// Exactly Hermitian.
fn is_hermitian<T: Dense>(a: &[T], n: usize) -> bool {
    (0..n).all(|i| (0..=i).all(|j| a[i * n + j] == a[j * n + i].conj()))
}

/// Off-diagonal entries up to this many ε of the diagonal ones they lie between are rounding.
const DIAGONAL: f64 = 100.0;

/// The eigenvalues of a Hermitian matrix, and its vectors unless it is diagonal to rounding, |a_ij| ≤ 100 ε √(a_ii a_jj): then the diagonal
/// has them to relative accuracy, which eigh does not give for the small ones.
fn spectrum<T: Dense>(a: &[T], n: usize) -> Result<(Vec<f64>, Option<Vec<T>>)> {
    let diagonal: Vec<f64> = (0..n).map(|i| a[i * n + i].re()).collect();
    let small =
        |i: usize, j: usize| a[i * n + j].modulus_squared() <= (DIAGONAL * f64::EPSILON).powi(2) * (diagonal[i] * diagonal[j]).abs();
    if (0..n).all(|i| (0..i).all(|j| small(i, j))) {
        return Ok((diagonal, None));
    }
    let (values, vectors) = spectral::eigh("solve_sylvester", a, n, true)?;
    Ok((values, Some(vectors)))
}

/// With A = V diag(λ) V† and B = W diag(μ) W†: X = V Y W†, Y_ij = (V†CW)_ij/(λ_i + μ_j).
fn hermitian_sylvester<T: Dense>((a, m): (&[T], usize), (b, n): (&[T], usize), c: &[T], exponent: i32) -> Result<Vec<T>> {
    let of_a = spectrum(a, m)?;
    let of_b = if a == b { of_a.clone() } else { spectrum(b, n)? };
    let ((lambda, v), (mu, w)) = (&of_a, &of_b);
    let turned = |x: Vec<T>, left: Op, right: Op| {
        let x = v.as_ref().map_or_else(|| x.clone(), |v| T::matmul((v, left), (&x, Op::None), m, m, n));
        w.as_ref().map_or_else(|| x.clone(), |w| T::matmul((&x, Op::None), (w, right), m, n, n))
    };
    let mut y = turned(c.to_vec(), Op::Adjoint, Op::None);
    let norm = |x: &[f64]| x.iter().fold(0.0, |s: f64, x| s.max(x.abs()));
    let smallest = (norm(lambda) + norm(mu)) * f64::EPSILON;
    for (row, l) in y.chunks_exact_mut(n).zip(lambda) {
        for (y, mu) in row.iter_mut().zip(mu) {
            if (l + mu).abs() <= smallest {
                return Err(shared_eigenvalue(m, n, C::from(l)));
            }
            *y /= T::from_real(l + mu);
        }
    }
    rescaled_solution(turned(y, Op::None, Op::Adjoint), (m, n), exponent)
}

fn shared_eigenvalue(m: usize, n: usize, value: C) -> Error {
    let message = format!("A ({m} × {m}) and −B ({n} × {n}) share the eigenvalue {value}: no unique solution");
    Error::singular("solve_sylvester", message)
}

fn rescaled_solution<T: Dense>(mut x: Vec<T>, (m, n): (usize, usize), exponent: i32) -> Result<Vec<T>> {
    scale(&mut x, exponent);
    if all_finite(&x) {
        return Ok(x);
    }
    Err(Error::singular("solve_sylvester", format!("the {m} × {n} solution overflows: A and −B share an eigenvalue to working precision")))
}
