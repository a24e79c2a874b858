//! Linear systems: A X = B, triangular, banded, inverse.
//!
//! X = A⁻¹B: Ẋ = A⁻¹(Ḃ − Ȧ X), B̄ = A⁻† X̄, Ā = −B̄ X† (Giles 2008, §2.3.1). The factors of A are computed once and serve the adjoint solve.

use super::backend::{self, LuFactor, Op};
use super::matrices::*;
use crate::autodiff::{Primitive, Tree, Var, apply};
use crate::error::{Error, Result};
use crate::kernels::broadcast::broadcast_shape;
use crate::scalar::Scalar;
use crate::tensor::len_of;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

type Factors<T> = Arc<OnceLock<Vec<LuFactor<T>>>>;

struct Solve<T: Scalar> {
    factors: Factors<T>,
    op: Op,
}

impl<T: Scalar> Solve<T> {
    fn with(&self, op: Op) -> Self {
        Solve { factors: self.factors.clone(), op }
    }

    /// Solves with the matrix itself (or its adjoint, if this is the adjoint solve).
    fn same(&self, a: &Var<T>, b: Var<T>) -> Result<Var<T>> {
        apply(self.with(self.op), &(a.clone(), b))
    }
}

impl<T: Scalar> Primitive for Solve<T> {
    type Inputs = (Var<T>, Var<T>);
    type Outputs = Var<T>;
    fn name(&self) -> &'static str {
        "solve"
    }
    fn keeps_input(&self, i: usize) -> bool {
        i == 0
    }
    fn forward(&self, (a, b): &Self::Inputs) -> Result<Var<T>> {
        let (batch, n) = square("solve", a)?;
        let columns = b.shape()[b.ndim() - 1];
        let factors = match self.factors.get() {
            Some(found) => found,
            None => {
                let found = each_matrix(a, n, n, |a| backend::lu_factor(a, n))?;
                self.factors.get_or_init(|| found)
            }
        };
        let data = b.as_slice();
        let size = n * columns;
        let parts = backend::batched(factors.len(), n, n, |i| {
            if let Some(pivot) = factors[i].zero_pivot() {
                return Err(Error::singular(
                    "solve",
                    format!(
                        "matrix {i} is singular: pivot {pivot} of {n} is exactly zero; use linalg::lstsq for the least-squares solution"
                    ),
                ));
            }
            factors[i].solve(&data[i * size..(i + 1) * size], columns, self.op)
        })?;
        Ok(gather(batch, &[n, columns], parts.into_iter()))
    }
    fn vjp(&self, (a, _): &Self::Inputs, x: &Var<T>, g: Option<Var<T>>, needs: &[bool]) -> Result<<Self::Inputs as Tree>::Partial> {
        let Some(g) = g else { return Ok((None, None)) };
        let adjoint = matches!(self.op, Op::None);
        let b_bar = apply(self.with(if adjoint { Op::Adjoint } else { Op::None }), &(a.clone(), g))?;
        let a_bar = needs[0].then(|| if adjoint { -b_bar.matmul(x.h()) } else { -x.matmul(b_bar.h()) });
        Ok((a_bar, Some(b_bar)))
    }
    fn jvp(&self, (a, _): &Self::Inputs, x: &Var<T>, (da, db): &Self::Inputs) -> Result<Var<T>> {
        let da = if matches!(self.op, Op::None) { da.clone() } else { da.h() };
        self.same(a, db - da.matmul(x))
    }
}

/// A and B with their batch axes broadcast to each other, and whether B was a vector (or a stack of none).
fn prepare<T: Scalar>(operation: &'static str, a: &Var<T>, b: &Var<T>) -> Result<(Var<T>, Var<T>, bool)> {
    let (batch, n) = square(operation, a)?;
    let vector = b.ndim() == 1;
    let b = if vector { b.reshape(&[b.len(), 1]) } else { b.clone() };
    let misfit = || {
        Error::shape(
            operation,
            format!(
                "the matrices have shape {:?}, the right-hand sides {:?}: they must be (…, n, n) and (…, n, k) or (n,)",
                a.shape(),
                b.shape()
            ),
        )
    };
    if b.ndim() < 2 || b.shape()[b.ndim() - 2] != n {
        return Err(misfit());
    }
    let (b_batch, tail) = b.shape().split_at(b.ndim() - 2);
    let batch = broadcast_shape(batch, b_batch).ok_or_else(misfit)?;
    let a = a.broadcast_to(&[&batch[..], &[n, n]].concat());
    let b = b.broadcast_to(&[&batch[..], tail].concat());
    Ok((a, b, vector))
}

fn finish<T: Scalar>(x: Var<T>, vector: bool) -> Var<T> {
    if vector {
        let shape = &x.shape()[..x.ndim() - 1];
        x.reshape(shape)
    } else {
        x
    }
}

/// The solution of A X = B for A (…, n, n) and B (…, n, k) or (n,), batch axes broadcast.
///
/// ```
/// use pullback::prelude::*;
/// let a = Var::from(ndarray::array![[2.0, 0.0], [0.0, 4.0]]);
/// let x = pullback::linalg::solve(&a, &Var::from([2.0, 2.0]))?;
/// assert_eq!(x.as_slice(), &[1.0, 0.5]);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// `Shape`, `NonFinite`, and `Singular` naming the pivot.
pub fn solve<T: Scalar>(a: &Var<T>, b: &Var<T>) -> Result<Var<T>> {
    let (a, b, vector) = prepare("solve", a, b)?;
    Ok(finish(apply(Solve { factors: Factors::default(), op: Op::None }, &(a, b))?, vector))
}

struct Inverse<T>(PhantomData<T>);

impl<T: Scalar> Primitive for Inverse<T> {
    type Inputs = Var<T>;
    type Outputs = Var<T>;
    fn name(&self) -> &'static str {
        "inv"
    }
    fn keeps_input(&self, _: usize) -> bool {
        false
    }
    fn forward(&self, a: &Var<T>) -> Result<Var<T>> {
        let (batch, n) = square("inv", a)?;
        let parts = each_matrix(a, n, n, |a| backend::inv(a, n))?;
        Ok(gather(batch, &[n, n], parts.into_iter()))
    }
    fn vjp(&self, _: &Var<T>, x: &Var<T>, g: Option<Var<T>>, _: &[bool]) -> Result<Option<Var<T>>> {
        Ok(g.map(|g| -sandwich(&x.h(), &g, &x.h())))
    }
    fn jvp(&self, _: &Var<T>, x: &Var<T>, da: &Var<T>) -> Result<Var<T>> {
        Ok(-sandwich(x, da, x))
    }
}

/// A⁻¹ of matrices (…, n, n). To solve a system use [`solve`]: it is faster and more accurate.
///
/// # Errors
/// `Shape`, `NonFinite`, `Singular`.
pub fn inv<T: Scalar>(a: &Var<T>) -> Result<Var<T>> {
    square("inv", a)?;
    apply(Inverse(PhantomData), a)
}

/// What [`solve_triangular`] solves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Triangular {
    /// Read the lower triangle; otherwise the upper one.
    pub lower: bool,
    /// Take the diagonal as ones without reading it.
    pub unit_diagonal: bool,
    /// Solve A† X = B.
    pub adjoint: bool,
}

impl Triangular {
    /// The lower triangle.
    pub const LOWER: Triangular = Triangular { lower: true, unit_diagonal: false, adjoint: false };
    /// The upper triangle.
    pub const UPPER: Triangular = Triangular { lower: false, unit_diagonal: false, adjoint: false };

    /// The system of A†.
    pub fn adjoint(self) -> Self {
        Triangular { adjoint: !self.adjoint, ..self }
    }

    /// With ones on the diagonal.
    pub fn unit(self) -> Self {
        Triangular { unit_diagonal: true, ..self }
    }

    /// Keeps the entries that are read.
    fn mask<T: Scalar>(self, a: Var<T>) -> Var<T> {
        let strict = usize::from(self.unit_diagonal);
        if self.lower { lower_part(&a, strict) } else { lower_part(&a.h(), strict).h() }
    }
}

struct SolveTriangular<T> {
    what: Triangular,
    types: PhantomData<T>,
}

impl<T: Scalar> Primitive for SolveTriangular<T> {
    type Inputs = (Var<T>, Var<T>);
    type Outputs = Var<T>;
    fn name(&self) -> &'static str {
        "solve_triangular"
    }
    fn keeps_input(&self, i: usize) -> bool {
        i == 0
    }
    fn forward(&self, (a, b): &Self::Inputs) -> Result<Var<T>> {
        let (batch, n) = square("solve_triangular", a)?;
        let columns = b.shape()[b.ndim() - 1];
        let op = if self.what.adjoint { Op::Adjoint } else { Op::None };
        let (ad, bd) = (a.as_slice(), b.as_slice());
        let parts = backend::batched(len_of(batch), n, n, |i| {
            let (a, b) = (&ad[i * n * n..(i + 1) * n * n], &bd[i * n * columns..(i + 1) * n * columns]);
            backend::solve_triangular(a, n, b, columns, self.what.lower, self.what.unit_diagonal, op)
        })?;
        Ok(gather(batch, &[n, columns], parts.into_iter()))
    }
    fn vjp(&self, (a, _): &Self::Inputs, x: &Var<T>, g: Option<Var<T>>, needs: &[bool]) -> Result<<Self::Inputs as Tree>::Partial> {
        let Some(g) = g else { return Ok((None, None)) };
        let b_bar = apply(SolveTriangular { what: self.what.adjoint(), types: PhantomData }, &(a.clone(), g))?;
        let a_bar = needs[0].then(|| {
            let full = if self.what.adjoint { x.matmul(b_bar.h()) } else { b_bar.matmul(x.h()) };
            -self.what.mask(full)
        });
        Ok((a_bar, Some(b_bar)))
    }
    fn jvp(&self, (a, _): &Self::Inputs, x: &Var<T>, (da, db): &Self::Inputs) -> Result<Var<T>> {
        let da = self.what.mask(da.clone());
        let da = if self.what.adjoint { da.h() } else { da };
        apply(SolveTriangular { what: self.what, types: PhantomData }, &(a.clone(), db - da.matmul(x)))
    }
}

/// The solution of A X = B (or A† X = B) for triangular A (…, n, n), of which the other triangle is not read, and B (…, n, k) or (n,).
///
/// ```
/// use pullback::prelude::*;
/// use pullback::linalg::{Triangular, solve_triangular};
/// let l = Var::from(ndarray::array![[2.0, f64::NAN], [1.0, 1.0]]);
/// let x = solve_triangular(&l, &Var::from([2.0, 3.0]), Triangular::LOWER)?;
/// assert_eq!(x.as_slice(), &[1.0, 2.0]);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// `Shape`, `NonFinite`, and `Singular` naming the zero on the diagonal.
pub fn solve_triangular<T: Scalar>(a: &Var<T>, b: &Var<T>, what: Triangular) -> Result<Var<T>> {
    let (a, b, vector) = prepare("solve_triangular", a, b)?;
    Ok(finish(apply(SolveTriangular { what, types: PhantomData }, &(a, b))?, vector))
}

struct Sylvester<T>(PhantomData<T>);

impl<T: Scalar> Primitive for Sylvester<T> {
    type Inputs = (Var<T>, Var<T>, Var<T>);
    type Outputs = Var<T>;
    fn name(&self) -> &'static str {
        "solve_sylvester"
    }
    fn keeps_input(&self, i: usize) -> bool {
        i < 2
    }
    fn forward(&self, (a, b, c): &Self::Inputs) -> Result<Var<T>> {
        let (batch, m, n) = dims("solve_sylvester", c)?;
        let (ad, bd, cd) = (a.as_slice(), b.as_slice(), c.as_slice());
        let parts = backend::batched(len_of(batch), m, n, |i| {
            let piece = |d: &[T], size: usize| d[i * size..(i + 1) * size].to_vec();
            backend::solve_sylvester(&piece(ad, m * m), m, &piece(bd, n * n), n, &piece(cd, m * n))
        })?;
        Ok(gather(batch, &[m, n], parts.into_iter()))
    }
    fn vjp(&self, (a, b, _): &Self::Inputs, x: &Var<T>, g: Option<Var<T>>, needs: &[bool]) -> Result<<Self::Inputs as Tree>::Partial> {
        let Some(g) = g else { return Ok((None, None, None)) };
        let c_bar = solve_sylvester(&a.h(), &b.h(), &g)?;
        let a_bar = needs[0].then(|| -c_bar.matmul(x.h()));
        let b_bar = needs[1].then(|| -x.h().matmul(&c_bar));
        Ok((a_bar, b_bar, Some(c_bar)))
    }
    fn jvp(&self, (a, b, _): &Self::Inputs, x: &Var<T>, (da, db, dc): &Self::Inputs) -> Result<Var<T>> {
        solve_sylvester(a, b, &(dc - da.matmul(x) - x.matmul(db)))
    }
}

/// The solution X (…, m, n) of A X + X B = C, for A (…, m, m), B (…, n, n), C (…, m, n) with equal batch axes.
///
/// Ẋ solves A Ẋ + Ẋ B = Ċ − Ȧ X − X Ḃ; C̄ solves A† C̄ + C̄ B† = X̄, Ā = −C̄ X†, B̄ = −X† C̄.
///
/// # Errors
/// `Shape`, `NonFinite`; `Singular` if A and −B share an eigenvalue.
pub fn solve_sylvester<T: Scalar>(a: &Var<T>, b: &Var<T>, c: &Var<T>) -> Result<Var<T>> {
    let (batch, m, n) = dims("solve_sylvester", c)?;
    let (a_batch, am) = square("solve_sylvester", a)?;
    let (b_batch, bn) = square("solve_sylvester", b)?;
    if am != m || bn != n || a_batch != batch || b_batch != batch {
        return Err(Error::shape(
            "solve_sylvester",
            format!(
                "A X + X B = C needs A (…, m, m), B (…, n, n), C (…, m, n); the shapes are {:?}, {:?}, {:?}",
                a.shape(),
                b.shape(),
                c.shape()
            ),
        ));
    }
    apply(Sylvester(PhantomData), &(a.clone(), b.clone(), c.clone()))
}
