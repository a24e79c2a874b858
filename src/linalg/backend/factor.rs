//! QR, LU and Cholesky, and what follows from them: solutions, determinants, inverses.

use super::Op;
use super::dense::{Dense, identity, quotient};
use super::input::{all_finite, check_finite, check_shape, scale, scaled, unscale};
use crate::error::{Error, Result};

pub(super) fn qr<T: Dense>(a: &[T], m: usize, n: usize, full: bool) -> Result<(Vec<T>, Vec<T>)> {
    const NAME: &str = "qr";
    let a = scaled(NAME, a, m, n)?;
    let k = if full { m } else { m.min(n) };
    if m == 0 || n == 0 {
        return Ok((if full { identity(m) } else { vec![] }, vec![T::zero(); k * n]));
    }
    let (mut q, mut r) = T::qr(&a.data, m, n, full);
    // Q D† and D R with the phases D that make the diagonal of R real and not negative
    for i in 0..m.min(n) {
        let d = r[i * n + i];
        let size = d.modulus();
        if d == T::from_real(size) {
            continue;
        }
        let phase = T::from_parts(d.re() / size, d.im() / size);
        r[i * n..(i + 1) * n].iter_mut().for_each(|x| *x *= phase.conj());
        r[i * n + i] = T::from_real(size);
        q.iter_mut().skip(i).step_by(k).for_each(|x| *x *= phase);
    }
    unscale(NAME, &mut r, a.exponent)?;
    Ok((q, r))
}

/// L and U packed in one row-major matrix (the unit diagonal of L is not stored), P A = L U.
#[derive(Clone, Debug)]
pub struct Lu<T> {
    m: usize,
    n: usize,
    permutation: Vec<usize>,
    packed: Vec<T>,
}

/// Right-looking elimination that leaves a column without a pivot alone: for the matrices on which the library divides by zero.
fn eliminate<T: Dense>(a: &mut [T], m: usize, n: usize) -> Vec<usize> {
    let mut permutation: Vec<usize> = (0..m).collect();
    for k in 0..m.min(n) {
        let size = |i: usize| a[i * n + k].re().abs() + a[i * n + k].im().abs();
        let pivot = (k..m).fold(k, |best, i| if size(i) > size(best) { i } else { best });
        if a[pivot * n + k] == T::zero() {
            continue;
        }
        if pivot != k {
            permutation.swap(k, pivot);
            let (top, bottom) = a.split_at_mut(pivot * n);
            top[k * n..(k + 1) * n].swap_with_slice(&mut bottom[..n]);
        }
        let (top, bottom) = a.split_at_mut((k + 1) * n);
        let row = &top[k * n..];
        for other in bottom.chunks_exact_mut(n) {
            let factor = quotient(other[k], row[k]);
            other[k] = factor;
            other[k + 1..].iter_mut().zip(&row[k + 1..]).for_each(|(x, &y)| *x -= factor * y);
        }
    }
    permutation
}

impl<T: Dense> Lu<T> {
    pub(super) fn new(operation: &'static str, a: &[T], m: usize, n: usize) -> Result<Self> {
        // not scaled: a pivot of any size divides, and entries far below the largest keep their meaning
        check_finite(operation, a, m, n)?;
        let mut packed = a.to_vec();
        let permutation = if m == 0 || n == 0 { (0..m).collect() } else { T::lu(&mut packed, m, n) };
        let mut lu = Lu { m, n, permutation, packed };
        if !all_finite(&lu.packed) {
            lu.packed.copy_from_slice(a);
            lu.permutation = eliminate(&mut lu.packed, m, n);
        }
        Ok(lu)
    }

    /// The permutation, L (m × k) and U (k × n).
    pub(super) fn unpack(&self) -> (Vec<usize>, Vec<T>, Vec<T>) {
        let (m, n) = (self.m, self.n);
        let k = m.min(n);
        let (mut l, mut u) = (vec![T::zero(); m * k], vec![T::zero(); k * n]);
        for i in 0..m {
            let row = &self.packed[i * n..(i + 1) * n];
            let below = i.min(k);
            l[i * k..i * k + below].copy_from_slice(&row[..below]);
            if i < k {
                l[i * k + i] = T::one();
                u[i * n + i..(i + 1) * n].copy_from_slice(&row[i..]);
            }
        }
        (self.permutation.clone(), l, u)
    }

    /// The first pivot that is exactly zero.
    pub(super) fn zero_pivot(&self) -> Option<usize> {
        (0..self.n).find(|i| self.packed[i * self.n + i] == T::zero())
    }

    /// op(A) X = B, row-major n × `nrhs`.
    pub(super) fn solve(&self, operation: &'static str, b: &[T], nrhs: usize, op: Op) -> Result<Vec<T>> {
        let n = self.n;
        check_finite(operation, b, n, nrhs)?;
        if let Some(i) = self.zero_pivot() {
            return Err(Error::singular(operation, format!("the {n} × {n} matrix is singular: pivot {i} is zero")));
        }
        if n == 0 || nrhs == 0 {
            return Ok(vec![]);
        }
        let row = |i: usize| i * nrhs..(i + 1) * nrhs;
        let mut x;
        if op == Op::None {
            x = self.permutation.iter().flat_map(|&i| b[row(i)].iter().copied()).collect::<Vec<_>>();
            T::solve_triangular(&self.packed, n, &mut x, nrhs, true, true, op);
            T::solve_triangular(&self.packed, n, &mut x, nrhs, false, false, op);
        } else {
            let mut y = b.to_vec();
            T::solve_triangular(&self.packed, n, &mut y, nrhs, false, false, op);
            T::solve_triangular(&self.packed, n, &mut y, nrhs, true, true, op);
            x = vec![T::zero(); n * nrhs];
            for (i, &to) in self.permutation.iter().enumerate() {
                x[row(to)].copy_from_slice(&y[row(i)]);
            }
        }
        if !all_finite(&x) {
            let message = format!("the solution of the {n} × {n} system overflows: the matrix is singular to working precision");
            return Err(Error::singular(operation, message));
        }
        Ok(x)
    }

    /// (sign, ln|det|).
    pub(super) fn slogdet(&self) -> (T, f64) {
        let n = self.n;
        if self.zero_pivot().is_some() {
            return (T::zero(), f64::NEG_INFINITY);
        }
        let mut sign = if odd(&self.permutation) { -T::one() } else { T::one() };
        let mut log = 0.0;
        for i in 0..n {
            let d = self.packed[i * n + i];
            let size = d.modulus();
            sign *= T::from_parts(d.re() / size, d.im() / size);
            log += size.ln();
        }
        // the product of unit numbers drifts from the unit circle by rounding
        let size = sign.modulus();
        (T::from_parts(sign.re() / size, sign.im() / size), log)
    }

    /// The determinant, as a product with its exponent kept apart.
    pub(super) fn det(&self, operation: &'static str) -> Result<T> {
        let n = self.n;
        if self.zero_pivot().is_some() {
            return Ok(T::zero());
        }
        let mut product = [if odd(&self.permutation) { -T::one() } else { T::one() }];
        let mut exponent = 0i64;
        for i in 0..n {
            let mut d = [self.packed[i * n + i]];
            let e = d[0].modulus().log2().floor() as i32;
            scale(&mut d, -e);
            product[0] *= d[0];
            let f = product[0].modulus().log2().floor() as i32;
            scale(&mut product, -f);
            exponent += i64::from(e) + i64::from(f);
        }
        // beyond any exponent of f64 in either direction
        scale(&mut product, exponent.clamp(-2000, 2000) as i32);
        if all_finite(&product) {
            return Ok(product[0]);
        }
        Err(Error::non_finite(operation, format!("the determinant of the {n} × {n} matrix overflows, use slogdet")))
    }
}

/// Whether a permutation is odd.
fn odd(permutation: &[usize]) -> bool {
    let mut seen = vec![false; permutation.len()];
    let mut odd = false;
    for start in 0..permutation.len() {
        let mut at = start;
        while !seen[at] {
            seen[at] = true;
            at = permutation[at];
            odd ^= at != start;
        }
    }
    odd
}

pub(super) fn cholesky<T: Dense>(a: &[T], n: usize) -> Result<Vec<T>> {
    const NAME: &str = "cholesky";
    let a = scaled(NAME, a, n, n)?;
    if n == 0 {
        return Ok(vec![]);
    }
    let failed = |i: usize| {
        Error::singular(NAME, format!("the {n} × {n} matrix is not positive definite: pivot {i} is not positive (leading minor {})", i + 1))
    };
    let mut l = T::cholesky(&a.data, n).map_err(failed)?;
    if let Some(i) = (0..n).find(|&i| l[i * n + i].re().is_nan() || l[i * n + i].re() <= 0.0 || !all_finite(&l[i * n..=i * n + i])) {
        return Err(failed(i));
    }
    scale(&mut l, a.exponent / 2);
    Ok(l)
}

pub(super) fn inv<T: Dense>(a: &[T], n: usize) -> Result<Vec<T>> {
    Lu::new("inv", a, n, n)?.solve("inv", &identity(n), n, Op::None)
}

/// op(A) X = B for a triangular A: a zero on the diagonal is an error that names it.
pub(super) fn solve_triangular<T: Dense>(a: &[T], n: usize, b: &[T], nrhs: usize, lower: bool, unit: bool, op: Op) -> Result<Vec<T>> {
    const NAME: &str = "solve_triangular";
    check_shape(NAME, a, n, n)?;
    check_finite(NAME, b, n, nrhs)?;
    if n == 0 || nrhs == 0 {
        return Ok(vec![]);
    }
    // the other triangle may hold anything: it is not looked at
    let mut triangle = a.to_vec();
    for (i, row) in triangle.chunks_exact_mut(n).enumerate() {
        if lower {
            row[i + 1..].fill(T::zero())
        } else {
            row[..i].fill(T::zero())
        }
        if unit {
            row[i] = T::one();
        }
    }
    check_finite(NAME, &triangle, n, n)?;
    if let Some(i) = (0..n).find(|i| triangle[i * n + i] == T::zero()) {
        return Err(Error::singular(NAME, format!("the {n} × {n} triangular matrix is singular: entry ({i}, {i}) is zero")));
    }
    let mut x = b.to_vec();
    T::solve_triangular(&triangle, n, &mut x, nrhs, lower, unit, op);
    if all_finite(&x) {
        return Ok(x);
    }
    Err(Error::singular(NAME, format!("the solution of the {n} × {n} system overflows: the matrix is singular to working precision")))
}
