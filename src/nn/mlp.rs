//! The multilayer perceptron.

use super::activation::Activation;
use super::init::Init;
use super::linear::Linear;
use super::params::{Params, Scope};
use super::perceptron::perceptron;
use crate::{Scalar, Var};
use rand::Rng;

/// Linear layers with an activation between them, and none after the last.
#[derive(Clone, Debug, PartialEq)]
pub struct Mlp {
    layers: Vec<Linear>,
    activation: Activation,
}

impl Mlp {
    /// `sizes` are the widths from the input to the output; layers are named 0, 1, … in the scope. Weights are drawn by
    /// [`Init::HeNormal`] for ReLU and [`Init::XavierNormal`] otherwise, biases are zero.
    ///
    /// # Panics
    /// If there are fewer than two sizes, or a width is 0.
    #[track_caller]
    pub fn new<T: Scalar>(scope: &mut Scope<'_, T>, sizes: &[usize], activation: Activation, rng: &mut dyn Rng) -> Self {
        let init = if activation == Activation::Relu { Init::HeNormal } else { Init::XavierNormal };
        Self::with_init(scope, sizes, activation, (init, init), rng)
    }

    /// With an initialiser for the hidden layers and one for the last: [`Init::Zeros`] for the last makes a network that is 0 everywhere,
    /// from which residual maps start as the identity.
    ///
    /// # Panics
    /// As [`Mlp::new`].
    #[track_caller]
    pub fn with_init<T: Scalar>(
        scope: &mut Scope<'_, T>,
        sizes: &[usize],
        activation: Activation,
        (hidden, last): (Init, Init),
        rng: &mut dyn Rng,
    ) -> Self {
        assert!(sizes.len() >= 2 && !sizes.contains(&0), "Mlp: the sizes are those of input, hidden layers and output, got {sizes:?}");
        let n = sizes.len() - 1;
        let init = |k: usize| if k + 1 == n { last } else { hidden };
        let layers = (0..n).map(|k| Linear::new(&mut scope.scope(k), sizes[k], sizes[k + 1], init(k), rng)).collect();
        Mlp { layers, activation }
    }

    /// The network's value for x of shape (…, inputs).
    ///
    /// # Panics
    /// If the last axis of x is not the first size, or `p` is of another architecture.
    #[track_caller]
    pub fn forward<T: Scalar>(&self, p: &Params<T>, x: &Var<T>) -> Var<T> {
        let parts = self.layers.iter().flat_map(|layer| [Some(layer.weight()), layer.bias()]);
        let parts = parts.map(|part| part.map(|part| p.get(part).clone()));
        let inputs: Option<Vec<_>> = std::iter::once(Some(x.clone())).chain(parts).collect();
        if let Some(y) = inputs.and_then(|inputs| perceptron(inputs, self.activation)) {
            return y;
        }
        let (last, hidden) = self.layers.split_last().expect("at least one layer");
        let hidden = hidden.iter().fold(x.clone(), |h, layer| layer.activated(p, &h, self.activation));
        last.forward(p, &hidden)
    }

    /// The linear layers.
    pub fn layers(&self) -> &[Linear] {
        &self.layers
    }

    /// The function between them.
    pub fn activation(&self) -> Activation {
        self.activation
    }
}
