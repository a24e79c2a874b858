//! Linear operators known by what they do to a vector.

use super::leaves::{Leaves, erase, leaf, refuse_captured};
use crate::autodiff::{Returns, Tree, Var, vjp};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use std::sync::Arc;

/// A linear operator A(p): x ↦ A x on vectors of shape (n,), written in `Var` operations and differentiable in its parameters p.
///
/// Nothing but products with A (and A†) is asked for: no matrix is stored. [`MatrixFree`] makes one from a closure, [`Dense`] from a
/// matrix.
///
/// ```
/// use pullback::linalg::iterative::{LinearOperator, EigenOptions, Which, eigsh};
/// use pullback::prelude::*;
///
/// /// −½ d²/dx² + V(x) on a grid of spacing h, the wave function zero at both ends.
/// #[derive(Clone)]
/// struct Schrodinger {
///     potential: Var<f64>,
///     h: f64,
/// }
/// impl LinearOperator<f64> for Schrodinger {
///     type Params = Var<f64>;
///     fn params(&self) -> Var<f64> {
///         self.potential.clone()
///     }
///     fn shape(&self) -> (usize, usize) {
///         (self.potential.len(), self.potential.len())
///     }
///     fn apply(&self, v: &Var<f64>, psi: &Var<f64>) -> Result<Var<f64>> {
///         let psi_out = psi.pad(&[(1, 1)], PadMode::Constant(0.0));
///         Ok(psi_out.diff(2, 0) * (-0.5 / self.h.powi(2)) + v * psi)
///     }
///     fn is_hermitian(&self) -> bool {
///         true
///     }
/// }
/// let h = 0.05;
/// let x = Var::from(ndarray::Array1::linspace(-6.0, 6.0, 241));
/// let energy = |v: &Var<f64>| {
///     let low = eigsh(&Schrodinger { potential: v.clone(), h }, 1, Which::Lowest, &EigenOptions::default())?;
///     Ok::<_, Error>(low.values.sum())
/// };
/// let (e, density) = value_and_grad(energy, &(x.square() * 0.5))?;
/// assert!((e.item() - 0.5).abs() < 1e-3); // the harmonic oscillator, to the grid's accuracy
/// assert!((density.sum().item() - 1.0).abs() < 1e-10); // ∂E/∂V(x) = |ψ(x)|²
/// # Ok::<(), pullback::Error>(())
/// ```
pub trait LinearOperator<T: Scalar>: Send + Sync + 'static {
    /// What the operator can be differentiated in: a variable, or a structure of variables.
    type Params: Tree;

    /// The parameters; variables of surrounding transforms are welcome here, and only here.
    fn params(&self) -> Self::Params;

    /// (rows, columns): A takes vectors of length `columns` to vectors of length `rows`.
    fn shape(&self) -> (usize, usize);

    /// A(p) x, from the parameters that are handed in (not those of `self`), linear in x.
    ///
    /// # Errors
    /// Those of the operator itself.
    fn apply(&self, params: &Self::Params, x: &Var<T>) -> Result<Var<T>>;

    /// A(p)† y: by default the transpose of `apply`, which records it at each call.
    ///
    /// # Errors
    /// As [`LinearOperator::apply`].
    fn apply_adjoint(&self, params: &Self::Params, y: &Var<T>) -> Result<Var<T>> {
        if self.is_hermitian() {
            return self.apply(params, y);
        }
        let (_, pull) = vjp(|x: &Var<T>| self.apply(params, x), &Var::<T>::zeros(&[self.shape().1]))?;
        pull.call(y)
    }

    /// Whether A = A†, for any parameters. Methods that need it check the claim on random vectors.
    fn is_hermitian(&self) -> bool {
        false
    }
}

/// A linear operator from a closure `f(params, x)`.
///
/// ```
/// use pullback::linalg::iterative::{MatrixFree, SolveOptions, cg};
/// use pullback::prelude::*;
/// // the Laplacian of a ring with a mass: periodic, so a roll is all there is
/// let screened = |mass: &Var<f64>| {
///     MatrixFree::new(16, mass, |m: &Var<f64>, x: &Var<f64>| x * (m.square() + 2.0) - x.roll(1, 0) - x.roll(-1, 0)).hermitian()
/// };
/// let total = |mass: &Var<f64>| Ok::<_, Error>(cg(&screened(mass), &Var::ones(&[16]), &SolveOptions::default())?.x.mean());
/// let g = grad(total, &0.5)?; // the mean of the solution is 1/m²
/// assert!((g + 2.0 / 0.125).abs() < 1e-9);
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Clone)]
pub struct MatrixFree<P, F> {
    params: P,
    f: F,
    shape: (usize, usize),
    hermitian: bool,
}

impl<P: Tree, F> MatrixFree<P, F> {
    /// A square operator on vectors of length n.
    pub fn new(n: usize, params: &P, f: F) -> Self {
        Self::rectangular((n, n), params, f)
    }

    /// An operator that takes vectors of length `shape.1` to vectors of length `shape.0`.
    pub fn rectangular(shape: (usize, usize), params: &P, f: F) -> Self {
        MatrixFree { params: params.clone(), f, shape, hermitian: false }
    }

    /// Declares that A = A†.
    pub fn hermitian(mut self) -> Self {
        self.hermitian = true;
        self
    }
}

impl<P, F> std::fmt::Debug for MatrixFree<P, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MatrixFree").field("shape", &self.shape).field("hermitian", &self.hermitian).finish_non_exhaustive()
    }
}

impl<T, P, F, R> LinearOperator<T> for MatrixFree<P, F>
where
    T: Scalar,
    P: Tree,
    F: Fn(&P, &Var<T>) -> R + Send + Sync + 'static,
    R: Returns<Vars = Var<T>>,
{
    type Params = P;
    fn params(&self) -> P {
        self.params.clone()
    }
    fn shape(&self) -> (usize, usize) {
        self.shape
    }
    fn apply(&self, params: &P, x: &Var<T>) -> Result<Var<T>> {
        (self.f)(params, x).into_result()
    }
    fn is_hermitian(&self) -> bool {
        self.hermitian
    }
}

/// A matrix (m, n) as a linear operator, differentiable in its entries.
#[derive(Clone, Debug)]
pub struct Dense<T: Scalar> {
    matrix: Var<T>,
    hermitian: bool,
}

impl<T: Scalar> Dense<T> {
    /// # Errors
    /// `Shape` if it is not a matrix.
    pub fn new(matrix: &Var<T>) -> Result<Self> {
        if matrix.ndim() != 2 {
            return Err(Error::shape("Dense", format!("needs a matrix (m, n), the shape is {:?}", matrix.shape())));
        }
        Ok(Dense { matrix: matrix.clone(), hermitian: false })
    }

    /// A Hermitian matrix: as in [`eigh`](crate::linalg::eigh), the Hermitian part (A + A†)/2 of the one given.
    ///
    /// # Errors
    /// As [`Dense::new`], `Shape` if it is not square.
    pub fn hermitian(matrix: &Var<T>) -> Result<Self> {
        Self::new(matrix)?;
        if matrix.shape()[0] != matrix.shape()[1] {
            return Err(Error::shape("Dense", format!("a Hermitian matrix is square, the shape is {:?}", matrix.shape())));
        }
        Ok(Dense { matrix: (matrix + matrix.h()).scale(0.5), hermitian: true })
    }
}

impl<T: Scalar> LinearOperator<T> for Dense<T> {
    type Params = Var<T>;
    fn params(&self) -> Var<T> {
        self.matrix.clone()
    }
    fn shape(&self) -> (usize, usize) {
        (self.matrix.shape()[0], self.matrix.shape()[1])
    }
    fn apply(&self, a: &Var<T>, x: &Var<T>) -> Result<Var<T>> {
        Ok(a.matmul(x))
    }
    fn apply_adjoint(&self, a: &Var<T>, y: &Var<T>) -> Result<Var<T>> {
        Ok(if self.hermitian { a.matmul(y) } else { a.h().matmul(y) })
    }
    fn is_hermitian(&self) -> bool {
        self.hermitian
    }
}

/// x ↦ A x on numbers, at fixed parameters.
pub(crate) type Matvec<'a, T> = Box<dyn Fn(&[T]) -> Result<Vec<T>> + 'a>;

/// A linear operator whose parameters are a plain list: what the solvers and rules of this folder work with.
pub(crate) trait Operator<T: Scalar>: Send + Sync {
    fn shape(&self) -> (usize, usize);
    fn hermitian(&self) -> bool;
    fn apply(&self, params: &Leaves, x: &Var<T>) -> Result<Var<T>>;
    fn adjoint(&self, params: &Leaves, y: &Var<T>) -> Result<Var<T>>;
    /// The product on numbers, with whatever is worth preparing once.
    fn at<'a>(&'a self, params: Leaves, adjoint: bool) -> Result<Matvec<'a, T>> {
        Ok(Box::new(move |x| {
            let x = Var::from(x);
            numbers(if adjoint { self.adjoint(&params, &x)? } else { self.apply(&params, &x)? })
        }))
    }
}

pub(crate) type DynOperator<T> = Arc<dyn Operator<T>>;

/// The numbers of a constant, without a copy if nobody else holds them.
pub(crate) fn numbers<T: Scalar>(y: Var<T>) -> Result<Vec<T>> {
    if !y.is_constant() {
        return Err(refuse_captured("linear operator"));
    }
    if let Some((i, y)) = y.as_slice().iter().enumerate().find(|(_, y)| !y.is_finite()) {
        return Err(Error::non_finite("linear operator", format!("its product with a finite vector has {y} at component {i}")));
    }
    Ok(y.into_array::<ndarray::Ix1>()?.into_raw_vec_and_offset().0)
}

struct Erased<T, A: LinearOperator<T>>
where
    T: Scalar,
{
    operator: A,
    /// The structure of the parameters, as constants.
    like: A::Params,
}

fn check_length<T: Scalar>(y: Var<T>, n: usize, of: &str) -> Result<Var<T>> {
    if y.shape() != [n] {
        return Err(Error::shape("linear operator", format!("{of} has shape {:?} where ({n},) is needed", y.shape())));
    }
    Ok(y)
}

impl<T: Scalar, A: LinearOperator<T>> Operator<T> for Erased<T, A> {
    fn shape(&self) -> (usize, usize) {
        self.operator.shape()
    }
    fn hermitian(&self) -> bool {
        self.operator.is_hermitian()
    }
    fn apply(&self, params: &Leaves, x: &Var<T>) -> Result<Var<T>> {
        check_length(self.operator.apply(&params.restore(&self.like), x)?, self.operator.shape().0, "A x")
    }
    fn adjoint(&self, params: &Leaves, y: &Var<T>) -> Result<Var<T>> {
        check_length(self.operator.apply_adjoint(&params.restore(&self.like), y)?, self.operator.shape().1, "A† y")
    }
}

/// The operator without its type, and its parameters.
pub(crate) fn erased<T: Scalar, A: LinearOperator<T> + Clone>(a: &A) -> (DynOperator<T>, Leaves) {
    let params = a.params();
    let leaves = Leaves::of(&params);
    let like = leaves.stop_gradient().restore(&params);
    (Arc::new(Erased { operator: a.clone(), like }), leaves)
}

pub(crate) fn square<T: Scalar>(operation: &'static str, a: &dyn Operator<T>) -> Result<usize> {
    let (m, n) = a.shape();
    if m != n {
        return Err(Error::shape(operation, format!("needs a square operator, this one is {m} × {n}")));
    }
    Ok(n)
}

/// Refuses an operator that is not Hermitian, or not declared so: ⟨u, A v⟩ = ⟨A u, v⟩ on two random vectors.
pub(crate) fn check_hermitian<T: Scalar>(operation: &'static str, a: &dyn Operator<T>, matvec: &Matvec<'_, T>) -> Result<()> {
    use super::vector::{Stream, dot, norm};
    use crate::scalar::Real;
    let n = square(operation, a)?;
    if !a.hermitian() {
        return Err(Error::argument(
            operation,
            "needs a Hermitian operator: declare it (MatrixFree::hermitian, Dense::hermitian, LinearOperator::is_hermitian) if it is one, otherwise use gmres, bicgstab or eigs",
        ));
    }
    let mut stream = Stream::new(11);
    let (u, v) = (stream.vector::<T>(n), stream.vector::<T>(n));
    let (au, av) = (matvec(&u)?, matvec(&v)?);
    let (left, right) = (dot(&au, &v), dot(&u, &av));
    let scale = norm(&au) * norm(&v) + norm(&u) * norm(&av);
    let off = (left - right).modulus().to_f64();
    if off > 1e3 * T::Real::EPSILON.to_f64() * scale {
        return Err(Error::argument(
            operation,
            format!(
                "the operator is declared Hermitian and is not: ⟨Au, v⟩ and ⟨u, Av⟩ differ by {:.1e} relative to |A||u||v|",
                off / scale
            ),
        ));
    }
    Ok(())
}

/// One row of a matrix (k, n) as a vector.
pub(crate) fn row<T: Scalar>(rows: &Var<T>, i: usize) -> Var<T> {
    if rows.shape()[0] == 1 { rows.reshape(&[rows.shape()[1]]) } else { rows.slice(ndarray::s![i, ..]) }
}

/// The rows (k, m) of A applied to each of the rows (k, n).
pub(crate) fn apply_rows<T: Scalar>(a: &dyn Operator<T>, params: &Leaves, rows: &Var<T>, adjoint: bool) -> Result<Var<T>> {
    let k = rows.shape()[0];
    let one = |x: &Var<T>| if adjoint { a.adjoint(params, x) } else { a.apply(params, x) };
    if k == 1 {
        let y = one(&row(rows, 0))?;
        let m = y.len();
        return Ok(y.reshape(&[1, m]));
    }
    let all = (0..k).map(|i| one(&row(rows, i))).collect::<Result<Vec<_>>>()?;
    Ok(crate::ops::stack(&all, 0))
}

/// x ↦ [A y; A† x] on stacked vectors (x, y): Hermitian with eigenvalues ± the singular values of A.
pub(crate) struct Augmented<T: Scalar>(pub(crate) DynOperator<T>);

impl<T: Scalar> Operator<T> for Augmented<T> {
    fn shape(&self) -> (usize, usize) {
        let (m, n) = self.0.shape();
        (m + n, m + n)
    }
    fn hermitian(&self) -> bool {
        true
    }
    fn apply(&self, params: &Leaves, z: &Var<T>) -> Result<Var<T>> {
        let m = self.0.shape().0;
        let (x, y) = (z.slice(ndarray::s![..m]), z.slice(ndarray::s![m..]));
        Ok(crate::ops::concatenate(&[self.0.apply(params, &y)?, self.0.adjoint(params, &x)?], 0))
    }
    fn adjoint(&self, params: &Leaves, z: &Var<T>) -> Result<Var<T>> {
        self.apply(params, z)
    }
    fn at<'a>(&'a self, params: Leaves, _: bool) -> Result<Matvec<'a, T>> {
        let m = self.0.shape().0;
        let (forward, backward) = (self.0.at(params.clone(), false)?, self.0.at(params, true)?);
        Ok(Box::new(move |z| {
            let mut out = forward(&z[m..])?;
            out.extend(backward(&z[..m])?);
            Ok(out)
        }))
    }
}

/// A real operator on complex vectors.
pub(crate) struct Complexified<T: Scalar>(pub(crate) DynOperator<T>);

impl<T: Scalar> Complexified<T> {
    fn each(&self, x: &Var<T::Complex>, f: impl Fn(&Var<T>) -> Result<Var<T>>) -> Result<Var<T::Complex>> {
        if T::IS_COMPLEX {
            // T is T::Complex: the same variable by another name
            let y = f(&leaf::<T>(&erase(x)))?;
            return Ok(leaf::<T::Complex>(&erase(&y)));
        }
        let parts = [x.re(), x.im()].map(|v| f(&leaf::<T>(&erase(&v))));
        let [re, im] = parts;
        let i = Var::scalar(<T::Complex as Scalar>::from_parts(num_traits::Zero::zero(), num_traits::One::one()));
        Ok(re?.to_complex() + im?.to_complex() * i)
    }
}

impl<T: Scalar> Operator<T::Complex> for Complexified<T> {
    fn shape(&self) -> (usize, usize) {
        self.0.shape()
    }
    fn hermitian(&self) -> bool {
        self.0.hermitian()
    }
    fn apply(&self, params: &Leaves, x: &Var<T::Complex>) -> Result<Var<T::Complex>> {
        self.each(x, |x| self.0.apply(params, x))
    }
    fn adjoint(&self, params: &Leaves, y: &Var<T::Complex>) -> Result<Var<T::Complex>> {
        self.each(y, |y| self.0.adjoint(params, y))
    }
}
