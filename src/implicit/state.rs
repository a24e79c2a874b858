//! States of any structure as one real vector: every array in order, a complex one as its real and then its imaginary parts. The map is an
//! isometry of real vector spaces, so adjoints are transposes, for complex states and functions that are not holomorphic too.

use crate::autodiff::{AnyVar, Var};
use crate::error::{Error, Result};
use crate::linalg::iterative::leaves::{Leaves, refuse_captured, with_leaf};
use crate::ops::{complex, concatenate};
use crate::scalar::{Real, Scalar};

/// The vector of a state, differentiable.
pub(super) fn flatten(x: &Leaves) -> Var<f64> {
    fn parts<T: Scalar>(v: &Var<T>, out: &mut Vec<Var<f64>>) {
        out.push(v.re().astype::<f64>().ravel());
        if T::IS_COMPLEX {
            out.push(v.im().astype::<f64>().ravel());
        }
    }
    let mut out = Vec::with_capacity(x.len());
    for v in &x.0 {
        match v {
            AnyVar::F64(v) => out.push(v.ravel()),
            AnyVar::F32(v) => parts(v, &mut out),
            AnyVar::C32(v) => parts(v, &mut out),
            AnyVar::C64(v) => parts(v, &mut out),
        }
    }
    match out.len() {
        0 => Var::zeros(&[0]),
        1 => out.remove(0),
        _ => concatenate(&out, 0),
    }
}

/// The state with this vector, differentiable.
pub(super) fn unflatten(like: &Leaves, x: &Var<f64>) -> Leaves {
    let mut at = 0;
    let whole = x.len();
    let mut take = |n: usize, shape: &[usize]| {
        let part = if n == whole { x.clone() } else { x.slice(ndarray::s![at..at + n]) };
        at += n;
        part.reshape(shape)
    };
    Leaves(
        like.0
            .iter()
            .map(|v| match v {
                AnyVar::F64(v) => AnyVar::F64(take(v.len(), v.shape())),
                AnyVar::F32(v) => AnyVar::F32(take(v.len(), v.shape()).astype()),
                AnyVar::C64(v) => {
                    let re = take(v.len(), v.shape());
                    AnyVar::C64(complex(&re, &take(v.len(), v.shape())))
                }
                AnyVar::C32(v) => {
                    let re = take(v.len(), v.shape()).astype::<f32>();
                    AnyVar::C32(complex(&re, &take(v.len(), v.shape()).astype::<f32>()))
                }
            })
            .collect(),
    )
}

/// The numbers of a state.
pub(super) fn numbers(x: &Leaves) -> Vec<f64> {
    let mut out = Vec::new();
    for v in &x.0 {
        with_leaf!(v, v => push(v.as_slice(), &mut out));
    }
    out
}

fn push<T: Scalar>(x: &[T], out: &mut Vec<f64>) {
    out.extend(x.iter().map(|x| x.re().to_f64()));
    if T::IS_COMPLEX {
        out.extend(x.iter().map(|x| x.im().to_f64()));
    }
}

/// The constant state with these numbers.
pub(super) fn from_numbers(like: &Leaves, x: &[f64]) -> Leaves {
    fn fill<T: Scalar>(like: &Var<T>, x: &[f64], at: &mut usize) -> Var<T> {
        let n = like.len();
        let re = &x[*at..*at + n];
        *at += n;
        let real = T::Real::from_f64;
        let data: Vec<T> = if T::IS_COMPLEX {
            let im = &x[*at..*at + n];
            *at += n;
            re.iter().zip(im).map(|(re, im)| T::from_parts(real(*re), real(*im))).collect()
        } else {
            re.iter().map(|re| T::from_real(real(*re))).collect()
        };
        Var::from(data).reshape(like.shape())
    }
    let mut at = 0;
    Leaves(
        like.0
            .iter()
            .map(|v| match v {
                AnyVar::F32(v) => AnyVar::F32(fill(v, x, &mut at)),
                AnyVar::F64(v) => AnyVar::F64(fill(v, x, &mut at)),
                AnyVar::C32(v) => AnyVar::C32(fill(v, x, &mut at)),
                AnyVar::C64(v) => AnyVar::C64(fill(v, x, &mut at)),
            })
            .collect(),
    )
}

/// The coarsest ε among the arrays of a state.
pub(super) fn epsilon(x: &Leaves) -> f64 {
    fn of<T: Scalar>(_: &Var<T>) -> f64 {
        T::Real::EPSILON.to_f64()
    }
    x.0.iter().fold(f64::EPSILON, |e, v| e.max(with_leaf!(v, v => of(v))))
}

/// Where a number of the vector sits in the state.
pub(super) fn place(like: &Leaves, index: usize) -> String {
    let mut at = 0;
    for (i, v) in like.0.iter().enumerate() {
        let (n, complex) = with_leaf!(v, v => (v.len(), is_complex(v)));
        let size = if complex { 2 * n } else { n };
        if index < at + size {
            return format!("component {} of array {i} (shape {:?})", (index - at) % n, v.as_ref().shape());
        }
        at += size;
    }
    format!("component {index}")
}

fn is_complex<T: Scalar>(_: &Var<T>) -> bool {
    T::IS_COMPLEX
}

/// A function's value at constants: of the state's structure, finite and constant.
pub(super) fn check(operation: &'static str, state: &Leaves, value: &Leaves, steps: usize) -> Result<Vec<f64>> {
    if let Some(what) = state.misfit(value) {
        return Err(Error::shape(operation, format!("the function must return what the state is: it returned {what}")));
    }
    if !value.is_constant() {
        return Err(refuse_captured(operation));
    }
    let out = numbers(value);
    match out.iter().position(|x| !x.is_finite()) {
        None => Ok(out),
        Some(i) => Err(Error::non_finite(
            operation,
            format!(
                "the function returned {} at {} in evaluation {steps}: the iteration left its domain, or diverged",
                out[i],
                place(state, i)
            ),
        )),
    }
}

/// The first few numbers, for messages.
pub(super) fn excerpt(x: &[f64]) -> String {
    let shown: Vec<String> = x.iter().take(6).map(|x| format!("{x:.6e}")).collect();
    let more = if x.len() > 6 { format!(", … {} numbers", x.len()) } else { String::new() };
    format!("[{}{more}]", shown.join(", "))
}
