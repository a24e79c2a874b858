//! The linear layer with some of its connections cut.

use super::activation::Activation;
use super::dense::dense;
use super::init::Init;
use super::params::{Param, Params, Scope};
use crate::{Scalar, Var};
use ndarray::Array2;
use rand::Rng;

/// y = x (M ∘ W) + b with a fixed mask M of zeros and ones: autoregressive networks (MADE, Germain et al., arXiv:1502.03509).
#[derive(Clone, Debug, PartialEq)]
pub struct MaskedLinear {
    weight: Param,
    bias: Param,
    mask: Array2<bool>,
}

impl MaskedLinear {
    /// A layer with drawn weights and zero bias; `mask` has shape (inputs, outputs), true where there is a connection. The initialiser
    /// counts the connections that are there.
    ///
    /// # Panics
    /// If the scope has a `weight` or `bias` already.
    #[track_caller]
    pub fn new<T: Scalar>(scope: &mut Scope<'_, T>, mask: Array2<bool>, init: Init, rng: &mut dyn Rng) -> Self {
        let (inputs, outputs) = mask.dim();
        let there = mask.iter().filter(|m| **m).count();
        let fan = (there.div_ceil(outputs.max(1)).max(1), there.div_ceil(inputs.max(1)).max(1));
        let weight = scope.init("weight", &[inputs, outputs], fan, init, rng);
        let bias = scope.param("bias", Var::zeros(&[outputs]));
        MaskedLinear { weight, bias, mask }
    }

    /// x (M ∘ W) + b for x of shape (…, inputs).
    ///
    /// # Panics
    /// If the last axis of x is not `inputs`, or `p` is of another architecture.
    #[track_caller]
    pub fn forward<T: Scalar>(&self, p: &Params<T>, x: &Var<T>) -> Var<T> {
        self.activated(p, x, Activation::Identity)
    }

    /// f(x (M ∘ W) + b), the product, bias and activation in one operation.
    ///
    /// # Panics
    /// As [`MaskedLinear::forward`]; if f is not a function of this scalar type.
    #[track_caller]
    pub fn activated<T: Scalar>(&self, p: &Params<T>, x: &Var<T>, f: Activation) -> Var<T> {
        let mask = Var::from(self.mask.mapv(|m| if m { T::one() } else { T::zero() }));
        dense(x, &(p.get(self.weight) * mask), Some(p.get(self.bias)), f)
    }

    /// The weight's handle; entries outside the mask are never read.
    pub fn weight(&self) -> Param {
        self.weight
    }

    /// The bias's handle.
    pub fn bias(&self) -> Param {
        self.bias
    }

    /// The mask.
    pub fn mask(&self) -> &Array2<bool> {
        &self.mask
    }
}
