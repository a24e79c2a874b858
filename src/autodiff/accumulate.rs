//! Addition of cotangents: the one array operation that the sweep itself needs.

use super::rule::{BinaryRule, Keep, binary};
use super::tree::AnyVar;
use super::var::Var;
use crate::kernels::elementwise::add_assign;
use crate::kernels::pool;
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use std::marker::PhantomData;

/// x + y of equal shapes; in place where one of the two is held by nobody else.
#[derive(Clone)]
pub(crate) struct Add<T>(PhantomData<T>);

impl<T> Add<T> {
    pub(crate) const RULE: Add<T> = Add(PhantomData);
}

impl<T: Scalar> BinaryRule for Add<T> {
    type Left = T;
    type Right = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "add"
    }
    fn keep(&self, _: (bool, bool)) -> Keep {
        Keep::NOTHING
    }
    fn forward(&self, x: Var<T>, y: Var<T>) -> Tensor<T> {
        debug_assert_eq!(x.shape(), y.shape());
        if let (Some(a), Some(b)) = (x.value.as_scalar(), y.value.as_scalar()) {
            return Tensor::scalar(a + b);
        }
        let (mut x, mut y) = (x.value, y.value);
        match (x.as_uniform(), y.as_uniform()) {
            (Some(a), Some(b)) => return Tensor::full(x.shape(), a + b),
            (Some(a), None) if a == T::zero() => return y,
            (None, Some(b)) if b == T::zero() => return x,
            _ => {}
        }
        if let Some(sum) = x.unique_mut() {
            add_assign(sum, y.as_slice());
            return x;
        }
        if let Some(sum) = y.unique_mut() {
            add_assign(sum, x.as_slice());
            return y;
        }
        let mut sum = pool::copied(x.as_slice());
        add_assign(&mut sum, y.as_slice());
        Tensor::new(x.shape(), sum)
    }
    fn vjp(&self, _: &Var<T>, _: &Var<T>, _: &Var<T>, g: Var<T>, needs: (bool, bool)) -> (Option<Var<T>>, Option<Var<T>>) {
        (needs.0.then(|| g.clone()), needs.1.then_some(g))
    }
    fn stacks(&self) -> bool {
        true
    }
    fn jvp(&self, _: &Var<T>, _: &Var<T>, _: &Var<T>, dx: Option<Var<T>>, dy: Option<Var<T>>) -> Option<Var<T>> {
        match (dx, dy) {
            (Some(dx), Some(dy)) => Some(binary(Add::RULE, dx, dy)),
            (dx, dy) => dx.or(dy),
        }
    }
}

/// The sum of two cotangents of the same variable.
pub(crate) fn accumulate(x: AnyVar, y: AnyVar) -> AnyVar {
    fn add<T: Scalar>(x: Var<T>, y: AnyVar) -> AnyVar {
        T::erase(binary(Add::RULE, x, T::unerase(y)))
    }
    match x {
        AnyVar::F32(x) => add(x, y),
        AnyVar::F64(x) => add(x, y),
        AnyVar::C32(x) => add(x, y),
        AnyVar::C64(x) => add(x, y),
    }
}
