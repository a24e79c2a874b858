//! What the rules of this folder share: stacks of matrices, diagonals, masks, checks.

use super::backend;
use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::ops::selection::where_bool;
use crate::scalar::{Real, Scalar};
use crate::tensor::{Tensor, len_of};
use ndarray::SliceInfoElem;

/// The batch shape and the last two axes.
pub(crate) fn dims<'a, T: Scalar>(operation: &'static str, a: &'a Var<T>) -> Result<(&'a [usize], usize, usize)> {
    match a.shape() {
        [batch @ .., m, n] => Ok((batch, *m, *n)),
        shape => Err(Error::shape(operation, format!("needs a matrix or a stack of matrices, the shape is {shape:?}"))),
    }
}

/// As [`dims`] for square matrices.
pub(crate) fn square<'a, T: Scalar>(operation: &'static str, a: &'a Var<T>) -> Result<(&'a [usize], usize)> {
    let (batch, m, n) = dims(operation, a)?;
    if m != n {
        return Err(Error::shape(
            operation,
            format!("needs square matrices, the shape is {:?}: the last two axes must be equal", a.shape()),
        ));
    }
    Ok((batch, n))
}

/// Runs a decomposition on every matrix of a stack.
pub(crate) fn each_matrix<T: Scalar, R: Send>(
    a: &Var<T>,
    m: usize,
    n: usize,
    f: impl Fn(&[T]) -> Result<R> + Sync + Send,
) -> Result<Vec<R>> {
    let batch = len_of(&a.shape()[..a.ndim() - 2]);
    let data = a.as_slice();
    backend::batched(batch, m, n, |i| f(&data[i * m * n..(i + 1) * m * n]))
}

/// A constant from the pieces of a stack.
pub(crate) fn gather<T: Scalar>(batch: &[usize], tail: &[usize], mut parts: impl ExactSizeIterator<Item = Vec<T>>) -> Var<T> {
    let shape = [batch, tail].concat();
    let data = if parts.len() == 1 { parts.next().expect("one") } else { parts.flatten().collect() };
    Var::constant(Tensor::new(&shape, data))
}

/// (A + A†)/2
pub(crate) fn hermitian_part<T: Scalar>(a: &Var<T>) -> Var<T> {
    (a + a.h()).scale(0.5)
}

/// (A − A†)/2
pub(crate) fn antihermitian_part<T: Scalar>(a: &Var<T>) -> Var<T> {
    (a - a.h()).scale(0.5)
}

/// A real vector (…, n) as a row (…, 1, n) of the type T, to scale columns with.
pub(crate) fn row<T: Scalar>(v: &Var<T::Real>) -> Var<T> {
    let (n, batch) = v.shape().split_last().expect("a vector");
    v.reshape(&[batch, &[1, *n]].concat()).astype()
}

/// A real vector (…, n) as a column (…, n, 1) of the type T, to scale rows with.
pub(crate) fn column<T: Scalar>(v: &Var<T::Real>) -> Var<T> {
    let (n, batch) = v.shape().split_last().expect("a vector");
    v.reshape(&[batch, &[*n, 1]].concat()).astype()
}

/// A with ones added on the diagonals where the vector is: diag(v) as (…, n, n).
pub(crate) fn diagonal_matrix<T: Scalar>(v: &Var<T::Real>) -> Var<T> {
    row::<T>(v) * eye::<T>(*v.shape().last().expect("a vector"))
}

/// The identity.
pub(crate) fn eye<T: Scalar>(n: usize) -> Var<T> {
    let mut data = vec![T::zero(); n * n];
    data.iter_mut().step_by(n + 1).for_each(|x| *x = T::one());
    Var::constant(Tensor::new(&[n, n], data))
}

/// The real diagonals (…, n) of matrices (…, n, n).
pub(crate) fn real_diagonal<T: Scalar>(a: &Var<T>) -> Var<T::Real> {
    let n = a.shape()[a.ndim() - 1];
    let batch = &a.shape()[..a.ndim() - 2];
    let products = a * eye::<T>(n);
    crate::ops::broadcast::sum_to(products.re(), &[batch, &[1, n]].concat()).reshape(&[batch, &[n]].concat())
}

/// 1/x where the mask allows it, an exact 0 elsewhere; a mask in a derivative stays a mask.
pub(crate) fn masked_reciprocal<R: Real>(x: &Var<R>, zero: &[bool]) -> Var<R> {
    if !zero.contains(&true) {
        return x.reciprocal();
    }
    let safe = where_bool(zero, &x.ones_like(), x);
    where_bool(zero, &x.zeros_like(), &safe.reciprocal())
}

/// The largest modulus.
pub(crate) fn max_modulus<T: Scalar>(x: &[T]) -> f64 {
    x.iter().fold(0.0f64, |m, x| m.max(x.modulus().to_f64()))
}

/// Eigenvalues or singular values closer than this times the largest are taken as equal: ε^(3/4).
pub(crate) fn degeneracy<T: Scalar>() -> f64 {
    T::Real::EPSILON.to_f64().powf(0.75)
}

/// Above this times the largest cotangent, a component along a gauge direction is not rounding: √ε.
pub(crate) fn gauge_tolerance<T: Scalar>() -> f64 {
    T::Real::EPSILON.to_f64().sqrt()
}

/// The product of three matrices.
pub(crate) fn sandwich<T: Scalar>(left: &Var<T>, middle: &Var<T>, right: &Var<T>) -> Var<T> {
    left.matmul(middle).matmul(right)
}

/// `from..to` of one axis, counted from the end.
pub(crate) fn narrow<T: Scalar>(x: &Var<T>, axis_from_end: usize, from: usize, to: usize) -> Var<T> {
    let all = SliceInfoElem::Slice { start: 0, end: None, step: 1 };
    let mut info = vec![all; x.ndim()];
    info[x.ndim() - axis_from_end] = SliceInfoElem::Slice { start: from as isize, end: Some(to as isize), step: 1 };
    x.slice(info)
}

/// The entries below the diagonal (`below` = 0: with it, 1: without it), zeros elsewhere.
pub(crate) fn lower_part<T: Scalar>(a: &Var<T>, below: usize) -> Var<T> {
    let (m, n) = (a.shape()[a.ndim() - 2], a.shape()[a.ndim() - 1]);
    let mask = (0..m * n).map(|at| if at / n >= at % n + below { T::one() } else { T::zero() }).collect();
    a * Var::constant(Tensor::new(&[m, n], mask))
}
