//! Choosing elements by a condition.

use crate::autodiff::Var;
use crate::autodiff::rule::{BinaryRule, Keep, binary};
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use std::marker::PhantomData;
use std::sync::Arc;

/// Where(c, x, y) of equal shapes; the derivative of the branch not taken is an exact zero, whatever its value.
#[derive(Clone)]
struct Where<T> {
    condition: Arc<[bool]>,
    types: PhantomData<T>,
}

impl<T: Scalar> Where<T> {
    fn masked(&self, g: &Var<T>, of: bool) -> Var<T> {
        let zeros = g.zeros_like();
        if of { binary(self.clone(), g.clone(), zeros) } else { binary(self.clone(), zeros, g.clone()) }
    }
}

impl<T: Scalar> BinaryRule for Where<T> {
    type Left = T;
    type Right = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "where"
    }
    fn keep(&self, _: (bool, bool)) -> Keep {
        Keep::NOTHING
    }
    fn forward(&self, x: Var<T>, y: Var<T>) -> Tensor<T> {
        let pick = self.condition.iter().zip(x.as_slice().iter().zip(y.as_slice())).map(|(&c, (&x, &y))| if c { x } else { y });
        Tensor::new(x.shape(), pick.collect())
    }
    fn vjp(&self, _: &Var<T>, _: &Var<T>, _: &Var<T>, g: Var<T>, needs: (bool, bool)) -> (Option<Var<T>>, Option<Var<T>>) {
        (needs.0.then(|| self.masked(&g, true)), needs.1.then(|| self.masked(&g, false)))
    }
    fn jvp(&self, _: &Var<T>, _: &Var<T>, z: &Var<T>, dx: Option<Var<T>>, dy: Option<Var<T>>) -> Option<Var<T>> {
        let dx = dx.unwrap_or_else(|| z.zeros_like());
        let dy = dy.unwrap_or_else(|| z.zeros_like());
        Some(binary(self.clone(), dx, dy))
    }
}

/// x where the condition holds, y elsewhere; equal shapes.
pub(crate) fn where_bool<T: Scalar>(condition: &[bool], x: &Var<T>, y: &Var<T>) -> Var<T> {
    debug_assert!(condition.len() == x.len() && x.shape() == y.shape());
    binary(Where { condition: condition.into(), types: PhantomData }, x.clone(), y.clone())
}
