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
        let layer = Self::without_bias(scope, inputs, outputs, init, rng);
        Linear { bias: Some(scope.init("bias", &[outputs], (inputs, outputs), Init::Zeros, rng)), ..layer }
    }

    /// y = x W.
    ///
    /// # Panics
    /// If the scope has a `weight` already.
    #[track_caller]
    pub fn without_bias<T: Scalar>(scope: &mut Scope<'_, T>, inputs: usize, outputs: usize, init: Init, rng: &mut dyn Rng) -> Self {
        let weight = scope.init("weight", &[inputs, outputs], (inputs, outputs), init, rng);
        Linear { weight, bias: None, inputs, outputs }
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
