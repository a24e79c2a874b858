//! Banded systems, by LU with partial pivoting inside the band: O(n (l + u)²).

use super::matrices::narrow;
use crate::autodiff::{Primitive, Tree, Var, apply};
use crate::error::{Error, Result};
use crate::ops::{broadcast::sum_to, concatenate, stack};
use crate::scalar::{Real, Scalar};
use crate::tensor::Tensor;
use num_traits::Zero as _;
use std::marker::PhantomData;

/// A X = B with A_ij = ab[u + i − j, j], so that diagonal d = i − j is row u + d.
struct Banded<T> {
    lower: usize,
    upper: usize,
    types: PhantomData<T>,
}

impl<T: Scalar> Banded<T> {
    fn solve(&self, ab: &[T], b: &[T], n: usize, k: usize) -> Result<Vec<T>> {
        let (l, u) = (self.lower, self.upper);
        // row i holds columns i − l … i + u + l: pivoting fills l more
        let width = 2 * l + u + 1;
        let mut a = vec![T::zero(); n * width];
        for j in 0..n {
            for i in j.saturating_sub(u)..(j + l + 1).min(n) {
                a[i * width + (j + l - i)] = ab[(u + i - j) * n + j];
            }
        }
        let mut x = b.to_vec();
        for j in 0..n {
            let last = (j + l + 1).min(n);
            let pivot = (j..last)
                .max_by(|&p, &q| {
                    let size = |i: usize| a[i * width + (j + l - i)].modulus().to_f64();
                    size(p).total_cmp(&size(q)).then(q.cmp(&p))
                })
                .expect("at least the diagonal");
            let value = a[pivot * width + (j + l - pivot)];
            if value == T::zero() || !value.is_finite() {
                return Err(Error::singular("solve_banded", format!("the matrix is singular or not finite: pivot {j} of {n} is {value}")));
            }
            let end = (j + l + u + 1).min(n);
            if pivot != j {
                for c in j..end {
                    a.swap(pivot * width + (c + l - pivot), j * width + (c + l - j));
                }
                (0..k).for_each(|c| x.swap(pivot * k + c, j * k + c));
            }
            for i in j + 1..last {
                let factor = a[i * width + (j + l - i)] / value;
                if factor == T::zero() {
                    continue;
                }
                for c in j..end {
                    let subtract = factor * a[j * width + (c + l - j)];
                    a[i * width + (c + l - i)] -= subtract;
                }
                for c in 0..k {
                    let subtract = factor * x[j * k + c];
                    x[i * k + c] -= subtract;
                }
            }
        }
        for j in (0..n).rev() {
            for c in 0..k {
                let mut sum = x[j * k + c];
                for i in j + 1..(j + l + u + 1).min(n) {
                    sum -= a[j * width + (i + l - j)] * x[i * k + c];
                }
                x[j * k + c] = sum / a[j * width + l];
            }
        }
        Ok(x)
    }

    /// The bands of A†.
    fn adjoint(&self, ab: &Var<T>) -> Var<T> {
        let rows: Vec<Var<T>> = (0..self.lower + self.upper + 1)
            .rev()
            .map(|r| shift(&narrow(ab, 2, r, r + 1).reshape(&[ab.shape()[1]]), r as isize - self.upper as isize).conj())
            .collect();
        stack(&rows, 0)
    }

    fn flipped(&self) -> Self {
        Banded { lower: self.upper, upper: self.lower, types: PhantomData }
    }
}

/// y_{i + by} = x_i, zeros moving in.
fn shift<T: Scalar>(x: &Var<T>, by: isize) -> Var<T> {
    let n = x.shape()[0];
    let size = by.unsigned_abs().min(n);
    let tail = &x.shape()[1..];
    let zeros = Var::constant(Tensor::full(&[&[size], tail].concat(), T::zero()));
    let axis = x.ndim();
    if by >= 0 { concatenate(&[zeros, narrow(x, axis, 0, n - size)], 0) } else { concatenate(&[narrow(x, axis, size, n), zeros], 0) }
}

impl<T: Scalar> Primitive for Banded<T> {
    type Inputs = (Var<T>, Var<T>);
    type Outputs = Var<T>;
    fn name(&self) -> &'static str {
        "solve_banded"
    }
    fn keeps_input(&self, i: usize) -> bool {
        i == 0
    }
    fn forward(&self, (ab, b): &Self::Inputs) -> Result<Var<T>> {
        let x = self.solve(ab.as_slice(), b.as_slice(), b.shape()[0], b.shape()[1])?;
        Ok(Var::constant(Tensor::new(b.shape(), x)))
    }
    fn vjp(&self, (ab, _): &Self::Inputs, x: &Var<T>, g: Option<Var<T>>, needs: &[bool]) -> Result<<Self::Inputs as Tree>::Partial> {
        let Some(g) = g else { return Ok((None, None)) };
        let b_bar = apply(self.flipped(), &(self.adjoint(ab), g))?;
        // the entry (j + d, j) gets −b̄_{j + d} conj(x_j)
        let ab_bar = needs[0].then(|| {
            let n = x.shape()[0];
            let rows: Vec<Var<T>> = (0..self.lower + self.upper + 1)
                .map(|r| {
                    let moved = shift(&b_bar, self.upper as isize - r as isize);
                    -sum_to(moved * x.conj(), &[n, 1]).reshape(&[n])
                })
                .collect();
            stack(&rows, 0)
        });
        Ok((ab_bar, Some(b_bar)))
    }
    fn jvp(&self, (ab, _): &Self::Inputs, x: &Var<T>, (dab, db): &Self::Inputs) -> Result<Var<T>> {
        let n = x.shape()[0];
        let mut rhs = db.clone();
        for r in 0..self.lower + self.upper + 1 {
            let band = narrow(dab, 2, r, r + 1).reshape(&[n, 1]);
            rhs -= shift(&(band * x), r as isize - self.upper as isize);
        }
        apply(Banded { types: PhantomData, ..*self }, &(ab.clone(), rhs))
    }
}

/// The solution of A X = B for a banded A with `lower` and `upper` diagonals, given by rows of diagonals as scipy and LAPACK have them:
/// `ab` is (lower + upper + 1, n) with A_ij = ab\[upper + i − j, j\]; B is (n, k) or (n,).
///
/// # Errors
/// `Shape`; `Singular` naming the pivot.
pub fn solve_banded<T: Scalar>((lower, upper): (usize, usize), ab: &Var<T>, b: &Var<T>) -> Result<Var<T>> {
    let n = b.shape().first().copied().unwrap_or(0);
    if ab.shape() != [lower + upper + 1, n] || !(1..=2).contains(&b.ndim()) {
        return Err(Error::shape(
            "solve_banded",
            format!(
                "the diagonals have shape {:?}, the right-hand side {:?}: with {lower} lower and {upper} upper diagonals they must be ({}, n) and (n, k) or (n,)",
                ab.shape(),
                b.shape(),
                lower + upper + 1
            ),
        ));
    }
    let columns = b.reshape(&[n, b.len() / n.max(1)]);
    // entries outside the matrix are not read, and have no derivative
    let inside = (0..ab.len()).map(|at| {
        let i = (at / n + at % n) as isize - upper as isize;
        if (0..n as isize).contains(&i) { T::one() } else { T::zero() }
    });
    let mask: Vec<bool> = inside.map(|x| x.re() == T::Real::zero()).collect();
    let ab = crate::ops::selection::where_bool(&mask, &ab.zeros_like(), ab);
    Ok(apply(Banded { lower, upper, types: PhantomData }, &(ab, columns))?.reshape(b.shape()))
}

/// The solution of a tridiagonal system with lower diagonal (n − 1), diagonal (n) and upper diagonal (n − 1); B is (n, k) or (n,).
///
/// # Errors
/// As [`solve_banded`].
pub fn tridiagonal_solve<T: Scalar>(lower: &Var<T>, diagonal: &Var<T>, upper: &Var<T>, b: &Var<T>) -> Result<Var<T>> {
    let n = diagonal.len();
    if diagonal.ndim() != 1 || n == 0 || lower.shape() != [n - 1] || upper.shape() != [n - 1] {
        return Err(Error::shape(
            "tridiagonal_solve",
            format!(
                "the diagonals have shapes {:?}, {:?}, {:?}: they must be (n − 1), (n), (n − 1)",
                lower.shape(),
                diagonal.shape(),
                upper.shape()
            ),
        ));
    }
    let zero = Var::constant(Tensor::new(&[1], vec![T::zero()]));
    let ab = stack(&[concatenate(&[zero.clone(), upper.clone()], 0), diagonal.clone(), concatenate(&[lower.clone(), zero], 0)], 0);
    solve_banded((1, 1), &ab, b)
}
