//! The one primitive behind all special functions, and the one behind draws with a derivative in their parameters.

use super::function::Function;
use crate::autodiff::{Primitive, Tree, Var, apply};
use crate::error::{Error, Result};
use crate::kernels::broadcast::{broadcast_shape, broadcast_to};
use crate::kernels::parallel::for_parts;
use crate::ops::broadcast::{sum_stack_to, sum_to, to_shape};
use crate::scalar::Real;
use crate::tensor::{Shape, Tensor, len_of};
use std::borrow::Cow;
use std::marker::PhantomData;

/// From how many elements threads pay: the functions cost between 20 ns and a few µs each.
const PARALLEL: usize = 1 << 11;
/// Elements in a task.
const TASK: usize = 256;

/// f(i) for each index below n, shared among threads above a size.
pub(crate) fn tabulate<T: Real>(n: usize, f: &(dyn Fn(usize) -> f64 + Sync)) -> Vec<T> {
    let mut values = vec![T::zero(); n];
    for_parts(&mut values, if n < PARALLEL { n } else { TASK }, |start, part| {
        part.iter_mut().enumerate().for_each(|(i, value)| *value = T::from_f64(f(start + i)));
    });
    values
}

/// The shape that all broadcast to.
pub(crate) fn common<T: Real>(operation: &'static str, arrays: &[Var<T>]) -> Result<Shape> {
    let mut shape = Shape::new();
    for a in arrays {
        shape = broadcast_shape(&shape, a.shape()).ok_or_else(|| {
            let shapes: Vec<_> = arrays.iter().map(|a| a.shape()).collect();
            Error::shape(operation, format!("shapes {shapes:?} do not broadcast: axes, counted from the last, must be equal or 1"))
        })?;
    }
    Ok(shape)
}

fn evaluate<T: Real>(function: Function, x: &[Var<T>]) -> Result<Tensor<T>> {
    let shape = common(function.name(), x)?;
    let n = len_of(&shape);
    // numbers stay numbers; other arrays are brought to the full shape
    let arrays: Vec<Cow<'_, [T]>> = x
        .iter()
        .map(|a| match a.len() {
            1 => Cow::Borrowed(a.as_slice()),
            _ if a.shape() == &shape[..] => Cow::Borrowed(a.as_slice()),
            _ => Cow::Owned(broadcast_to(a.as_slice(), a.shape(), &shape)),
        })
        .collect();
    let argument = |k: usize, i: usize| match arrays.get(k) {
        Some(a) if a.len() == 1 => a[0].to_f64(),
        Some(a) => a[i].to_f64(),
        None => 0.0,
    };
    let values = tabulate(n, &|i| function.value([argument(0, i), argument(1, i), argument(2, i)]));
    Ok(Tensor::with_shape(shape, values))
}

/// Σ_i ẋ_i ∂_i, at the shape of the result.
fn tangent<T: Real>(dx: &[Var<T>], shape: &[usize], partial: impl Fn(usize) -> Result<Var<T>>) -> Result<Var<T>> {
    let mut sum: Option<Var<T>> = None;
    for (i, dx) in dx.iter().enumerate() {
        // an argument that is not differentiated has a constant zero for its tangent
        if dx.is_constant() && dx.as_slice().iter().all(|d| *d == T::zero()) {
            continue;
        }
        let term = dx * partial(i)?;
        sum = Some(match sum {
            Some(s) => s + term,
            None => term,
        });
    }
    Ok(to_shape(sum.unwrap_or_else(|| Var::scalar(T::zero())), shape))
}

/// x̄_i = ȳ ∂_i from ȳ of y's shape, or a stack of them, summed to the shape of x_i.
fn cotangents<T: Real>(
    x: &[Var<T>],
    y: &Var<T>,
    g: &Var<T>,
    needs: &[bool],
    partial: impl Fn(usize) -> Result<Var<T>>,
) -> Result<Vec<Option<Var<T>>>> {
    let sum = if g.ndim() > y.ndim() { sum_stack_to } else { sum_to };
    x.iter().enumerate().map(|(i, x)| if needs[i] { Ok(Some(sum(g * partial(i)?, x.shape()))) } else { Ok(None) }).collect()
}

struct Elementwise<T> {
    function: Function,
    types: PhantomData<T>,
}

impl<T: Real> Primitive for Elementwise<T> {
    type Inputs = Vec<Var<T>>;
    type Outputs = Var<T>;
    fn name(&self) -> &'static str {
        self.function.name()
    }
    fn forward(&self, x: &Vec<Var<T>>) -> Result<Var<T>> {
        Ok(Var::constant(evaluate(self.function, x)?))
    }
    fn vjp(&self, x: &Vec<Var<T>>, y: &Var<T>, g: Option<Var<T>>, needs: &[bool]) -> Result<<Self::Inputs as Tree>::Partial> {
        let Some(g) = g else { return Ok(vec![None; x.len()]) };
        cotangents(x, y, &g, needs, |i| self.function.partial(i, x, y))
    }
    fn stacks(&self) -> bool {
        true
    }
    fn jvp(&self, x: &Vec<Var<T>>, y: &Var<T>, dx: &Vec<Var<T>>) -> Result<Var<T>> {
        tangent(dx, y.shape(), |i| self.function.partial(i, x, y))
    }
}

/// The function of arrays that broadcast.
///
/// # Panics
/// If they do not; and in forward mode where a derivative is asked for that the function does not have.
#[track_caller]
pub(crate) fn call<T: Real>(function: Function, x: &[&Var<T>]) -> Var<T> {
    let x: Vec<Var<T>> = x.iter().map(|&x| x.clone()).collect();
    match apply(Elementwise { function, types: PhantomData }, &x) {
        Ok(y) => y,
        Err(e) => panic!("{e}"),
    }
}

/// A number drawn from a distribution with these parameters, as a function of them.
///
/// With the cumulative distribution held at its value, F(y; θ) = u, the slope is ∂y/∂θ = −(∂F/∂θ)/(∂F/∂y) (Figurnov, Mohamed and Mnih,
/// arXiv:1805.08498, eq. 5). `slope(i, θ, y)` gives it for the i-th parameter in `Var` operations, so that it is differentiated again with y
/// moving along.
pub(crate) struct Draw<T: Real> {
    pub(crate) name: &'static str,
    /// What was drawn, at the full shape.
    pub(crate) value: Var<T>,
    pub(crate) slope: fn(usize, &[Var<T>], &Var<T>) -> Var<T>,
}

impl<T: Real> Primitive for Draw<T> {
    type Inputs = Vec<Var<T>>;
    type Outputs = Var<T>;
    fn name(&self) -> &'static str {
        self.name
    }
    fn forward(&self, _: &Vec<Var<T>>) -> Result<Var<T>> {
        Ok(self.value.clone())
    }
    fn vjp(&self, x: &Vec<Var<T>>, y: &Var<T>, g: Option<Var<T>>, needs: &[bool]) -> Result<<Self::Inputs as Tree>::Partial> {
        let Some(g) = g else { return Ok(vec![None; x.len()]) };
        cotangents(x, y, &g, needs, |i| Ok((self.slope)(i, x, y)))
    }
    fn stacks(&self) -> bool {
        true
    }
    fn jvp(&self, x: &Vec<Var<T>>, y: &Var<T>, dx: &Vec<Var<T>>) -> Result<Var<T>> {
        tangent(dx, y.shape(), |i| Ok((self.slope)(i, x, y)))
    }
}
