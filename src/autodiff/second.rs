//! Second order and full matrices: `hvp`, `hessian`, `jacobian`.

use super::forward::{jvp, linearize};
use super::reverse::{record, vjp};
use super::tree::{Argument, Loss, Returns, Tree, Vars};
use super::var::Var;
use crate::error::Result;
use crate::scalar::Scalar;
use crate::tensor::Tensor;

/// The gradient at variables, zero where nothing depends on them: a linear loss has a zero Hessian, not an error.
fn gradient<A: Tree, L: Loss, R: Returns<Vars = L>>(f: impl FnOnce(&A) -> R, x: &A) -> Result<A> {
    record("hvp", f, x.clone())?.sweep()
}

/// The Hessian of a loss times a vector, H v, by forward over reverse: about the cost of two gradients.
///
/// ```
/// use pullback::prelude::*;
/// let hv = hvp(|x| (x * x * x).sum(), &ndarray::array![1.0, 2.0], &ndarray::array![1.0, 0.5])?;
/// assert_eq!(hv, ndarray::array![6.0, 6.0]);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// As [`grad`](crate::grad) and [`jvp`].
pub fn hvp<A, F, R>(f: F, x: &A, v: &A) -> Result<A>
where
    A: Argument,
    F: FnOnce(&A::Vars) -> R,
    R: Returns,
    R::Vars: Loss,
{
    let vars = Vars(x.to_vars());
    let (_, hv) = jvp(|x: &A::Vars| gradient(f, x), &vars, &Vars(v.to_vars()))?;
    x.from_vars(hv)
}

/// The matrix of second derivatives of a loss of one array: shape `x.shape() + x.shape()`.
///
/// The gradient is recorded once; each column is one application of its tangent map.
///
/// ```
/// use pullback::prelude::*;
/// let h = hessian(|x| x.prod(), &ndarray::array![2.0, 3.0])?;
/// assert_eq!(h.as_slice(), &[0.0, 1.0, 1.0, 0.0]);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// As [`grad`](crate::grad).
pub fn hessian<T, A, F, R>(f: F, x: &A) -> Result<Var<T>>
where
    T: Scalar,
    A: Argument<Vars = Var<T>>,
    F: FnOnce(&Var<T>) -> R,
    R: Returns,
    R::Vars: Loss,
{
    jacobian_forward(|x: &Var<T>| gradient(f, x), &x.to_vars())
}

/// The unit vectors of an array's shape.
fn basis<T: Scalar>(shape: &[usize], i: usize) -> Var<T> {
    let mut e = vec![T::zero(); crate::tensor::len_of(shape)];
    e[i] = T::one();
    Var::constant(Tensor::new(shape, e))
}

/// Sweeps from fewer seeds than this are not worth a second thread.
const PARALLEL: usize = 16;

/// f(0), …, f(n − 1), in parallel: sweeps of one recorded graph do not touch each other.
fn each<T: Scalar>(n: usize, f: impl Fn(usize) -> Result<Var<T>> + Send + Sync) -> Result<Vec<Var<T>>> {
    // the check for anomalies belongs to this thread
    if n < PARALLEL || super::anomaly::is_on() {
        (0..n).map(f).collect()
    } else {
        crate::kernels::parallel::collect(n, f).into_iter().collect()
    }
}

/// The rows (axis 0) or columns (axis 1), of `len` elements each, as a matrix, under another shape.
fn assemble<T: Scalar>(parts: &[Var<T>], len: usize, axis: isize, shape: &[usize]) -> Var<T> {
    if parts.is_empty() || len == 0 {
        return Var::constant(Tensor::full(shape, T::zero()));
    }
    if !parts.iter().all(Var::is_constant) {
        let flat: Vec<_> = parts.iter().map(|v| v.reshape(&[len])).collect();
        return crate::ops::stack(&flat, axis).reshape(shape);
    }
    let mut out = vec![T::zero(); parts.len() * len];
    for (i, part) in parts.iter().enumerate() {
        if axis == 0 {
            out[i * len..(i + 1) * len].copy_from_slice(part.as_slice());
        } else {
            out[i..].iter_mut().step_by(parts.len()).zip(part.as_slice()).for_each(|(out, x)| *out = *x);
        }
    }
    Var::constant(Tensor::new(shape, out))
}

/// The Jacobian of a function of one array by reverse mode, a row at a time: shape `y.shape() + x.shape()`.
///
/// For complex arrays a row is conj(J†e_i), the complex derivative of a holomorphic function.
///
/// ```
/// use pullback::prelude::*;
/// let j = jacobian_reverse(|x| x.square(), &ndarray::array![1.0, 2.0])?;
/// assert_eq!(j.as_slice(), &[2.0, 0.0, 0.0, 4.0]);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// Those of `f` and of its rules.
pub fn jacobian_reverse<T, A, F, R>(f: F, x: &A) -> Result<Var<T>>
where
    T: Scalar,
    A: Argument<Vars = Var<T>>,
    F: FnOnce(&Var<T>) -> R,
    R: Returns<Vars = Var<T>>,
{
    let x = x.to_vars();
    let (y, pull) = vjp(f, &x)?;
    let rows = each(y.len(), |i| Ok(pull.call_vars(&basis(y.shape(), i))?.conj()))?;
    Ok(assemble(&rows, x.len(), 0, &[y.shape(), x.shape()].concat()))
}

/// The Jacobian of a function of one array by forward mode, a column at a time: shape `y.shape() + x.shape()`.
///
/// For complex arrays a column is J e_i, the complex derivative of a holomorphic function.
///
/// ```
/// use pullback::prelude::*;
/// let j = jacobian_forward(|x| x.square(), &ndarray::array![1.0, 2.0])?;
/// assert_eq!(j.as_slice(), &[2.0, 0.0, 0.0, 4.0]);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// Those of `f` and of its rules.
pub fn jacobian_forward<T, A, F, R>(f: F, x: &A) -> Result<Var<T>>
where
    T: Scalar,
    A: Argument<Vars = Var<T>>,
    F: FnOnce(&Var<T>) -> R,
    R: Returns<Vars = Var<T>>,
{
    let x = x.to_vars();
    let (y, tangent) = linearize(f, &x)?;
    let columns = each(x.len(), |i| tangent.call_vars(&basis(x.shape(), i)))?;
    Ok(assemble(&columns, y.len(), 1, &[y.shape(), x.shape()].concat()))
}
