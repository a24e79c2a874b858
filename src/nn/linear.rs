//! The linear layer.

use super::activation::Activation;
use super::dense::dense;
use super::init::Init;
use super::params::{Param, Params, Scope};
use crate::{Scalar, Var};
use rand::Rng;

/// y = x W + b, with `weight` of shape (inputs, outputs) and `bias` of shape (outputs), on the last axis of x.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Linear {
    weight: Param,
    bias: Option<Param>,
    inputs: usize,
    outputs: usize,
}

impl Linear {
    /// A layer with drawn weights and zero bias.
    ///
    /// # Panics
    /// If the scope has a `weight` or `bias` already.
    #[track_caller]
    pub fn new<T: Scalar>(scope: &mut Scope<'_, T>, inputs: usize, outputs: usize, init: Init, rng: &mut dyn Rng) -> Self {
        Self::from_weight(scope, init.draw(&[inputs, outputs], (inputs, outputs), rng), true)
    }

    /// y = x W.
    ///
    /// # Panics
    /// If the scope has a `weight` already.
    #[track_caller]
    pub fn without_bias<T: Scalar>(scope: &mut Scope<'_, T>, inputs: usize, outputs: usize, init: Init, rng: &mut dyn Rng) -> Self {
        Self::from_weight(scope, init.draw(&[inputs, outputs], (inputs, outputs), rng), false)
    }

    /// A layer with this weight, and a bias of zeros or none.
    #[track_caller]
    pub(super) fn from_weight<T: Scalar>(scope: &mut Scope<'_, T>, weight: Var<T>, bias: bool) -> Self {
        let (inputs, outputs) = (weight.shape()[0], weight.shape()[1]);
        let weight = scope.param("weight", weight);
        let bias = bias.then(|| scope.param("bias", Var::zeros(&[outputs])));
        Linear { weight, bias, inputs, outputs }
    }

    /// x W + b for x of shape (…, inputs).
    ///
    /// # Panics
    /// If the last axis of x is not `inputs`, or `p` is of another architecture.
    #[track_caller]
    pub fn forward<T: Scalar>(&self, p: &Params<T>, x: &Var<T>) -> Var<T> {
        self.activated(p, x, Activation::Identity)
    }

    /// f(x W + b) in one operation.
    ///
    /// # Panics
    /// As [`Linear::forward`]; if f is not a function of this scalar type.
    #[track_caller]
    pub fn activated<T: Scalar>(&self, p: &Params<T>, x: &Var<T>, f: Activation) -> Var<T> {
        dense(x, p.get(self.weight), self.bias.map(|b| p.get(b)), f)
    }

    /// The weight's handle.
    pub fn weight(&self) -> Param {
        self.weight
    }

    /// The bias's handle.
    pub fn bias(&self) -> Option<Param> {
        self.bias
    }

    /// The length of the last axis of x.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The length of the last axis of y.
    pub fn outputs(&self) -> usize {
        self.outputs
    }
}
