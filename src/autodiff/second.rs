//! Second order and full matrices: `hvp`, `hessian`, `jacobian`.

use super::forward::{jvp, linearize};
use super::reverse::{record, vjp};
use super::stacking::concatenate;
use super::tree::{Argument, Loss, Returns, Tree, Vars};
use super::var::Var;
use crate::error::Result;
use crate::kernels::parallel::collect;
use crate::scalar::Scalar;
use crate::tensor::{Tensor, len_of};

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
/// The gradient is recorded once; its tangent map is applied to sixteen unit vectors at a time (more of short arrays, fewer of long ones), in
/// parallel, each pass holding so many times the intermediate results of one. For a Hessian times a few vectors use [`hvp`].
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

/// Seeds that go through the graph together at least, and the elements that a stack of more and a stack of fewer may have: enough to share
/// the cost of a rule's call, few enough to stay in a cache.
const STACK: (usize, usize, usize) = (16, 1 << 13, 1 << 17);

/// In how many stacks n seeds for arrays of `len` elements go.
fn stacks(n: usize, len: usize) -> usize {
    n.div_ceil((STACK.1 / len).max(STACK.0.min(STACK.2 / len)).max(1))
}

/// The results for all unit vectors of an array's shape, as the rows of a matrix; stacks of seeds go through `f(count, seeds)`, in parallel:
/// sweeps of one recorded graph do not touch each other.
fn each<T: Scalar>(shape: &[usize], len: usize, f: impl Fn(usize, Var<T>) -> Result<Var<T>> + Send + Sync) -> Result<Var<T>> {
    let n = len_of(shape);
    if n == 0 || len == 0 {
        return Ok(Var::constant(Tensor::full(&[n, len], T::zero())));
    }
    let height = n.div_ceil(stacks(n, n.max(len)));
    let stack = |task: usize| {
        let first = task * height;
        let count = height.min(n - first);
        let mut seeds = vec![T::zero(); count * n];
        seeds[first..].iter_mut().step_by(n + 1).take(count).for_each(|x| *x = T::one());
        Ok(f(count, Var::constant(Tensor::new(&[&[count], shape].concat(), seeds)))?.reshape(&[count, len]))
    };
    let tasks = n.div_ceil(height);
    // the check for anomalies belongs to this thread
    let rows: Result<Vec<_>> =
        if super::anomaly::is_on() { (0..tasks).map(stack).collect() } else { collect(tasks, stack).into_iter().collect() };
    concatenate(rows?)
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
    let rows = each(y.shape(), x.len(), |count, seeds| Ok(pull.call_stacked(count, &seeds)?.conj()))?;
    Ok(rows.reshape(&[y.shape(), x.shape()].concat()))
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
    let columns = each(x.shape(), y.len(), |count, seeds| tangent.call_stacked(count, &seeds))?;
    Ok(columns.t().reshape(&[y.shape(), x.shape()].concat()))
}
