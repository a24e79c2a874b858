//! Real arrays as arrays of the full type, and real parts: the identity for real types.

use crate::autodiff::Var;
use crate::autodiff::rule::{Keep, UnaryRule, unary};
use crate::autodiff::tree::Erase;
use crate::kernels::elementwise as kernel;
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use std::marker::PhantomData;

/// x ↦ x + 0i; its transpose is the real part.
#[derive(Clone)]
struct Widen<T>(PhantomData<T>);

/// z ↦ Re z; its transpose is x ↦ x + 0i.
#[derive(Clone)]
struct RealPart<T>(PhantomData<T>);

impl<T: Scalar> UnaryRule for Widen<T> {
    type In = T::Real;
    type Out = T;
    fn name(&self) -> &'static str {
        "astype"
    }
    fn keep(&self) -> Keep {
        Keep::NOTHING
    }
    fn forward(&self, x: Var<T::Real>) -> Tensor<T> {
        Tensor::new(x.shape(), kernel::map(x.as_slice(), T::from_real))
    }
    fn vjp(&self, _: &Var<T::Real>, _: &Var<T>, g: Var<T>) -> Var<T::Real> {
        real_part(g)
    }
    fn jvp(&self, _: &Var<T::Real>, _: &Var<T>, dx: Var<T::Real>) -> Var<T> {
        widen(dx)
    }
}

impl<T: Scalar> UnaryRule for RealPart<T> {
    type In = T;
    type Out = T::Real;
    fn name(&self) -> &'static str {
        "real"
    }
    fn keep(&self) -> Keep {
        Keep::NOTHING
    }
    fn forward(&self, x: Var<T>) -> Tensor<T::Real> {
        Tensor::new(x.shape(), kernel::map(x.as_slice(), T::re))
    }
    fn vjp(&self, _: &Var<T>, _: &Var<T::Real>, g: Var<T::Real>) -> Var<T> {
        widen(g)
    }
    fn jvp(&self, _: &Var<T>, _: &Var<T::Real>, dx: Var<T>) -> Var<T::Real> {
        real_part(dx)
    }
}

/// A real array as one of type T.
pub(super) fn widen<T: Scalar>(x: Var<T::Real>) -> Var<T> {
    if T::IS_COMPLEX { unary(Widen(PhantomData), x) } else { T::unerase(<T::Real as Erase>::erase(x)) }
}

/// The real part of an array.
pub(super) fn real_part<T: Scalar>(x: Var<T>) -> Var<T::Real> {
    if T::IS_COMPLEX { unary(RealPart(PhantomData), x) } else { <T::Real as Erase>::unerase(T::erase(x)) }
}
