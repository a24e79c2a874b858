//! Layer normalisation.

use super::params::{Param, Params, Scope};
use crate::ops::keepdims;
use crate::{Real, Var};

/// y = γ (x − μ)/√(σ² + ε) + β with mean μ and variance σ² over the last axis (Ba, Kiros and Hinton, arXiv:1607.06450).
///
/// Parameters `scale` (γ, ones at first) and `shift` (β, zeros) of shape (features).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerNorm {
    scale: Param,
    shift: Param,
    features: usize,
    /// ε, which keeps a row without spread finite. Default 1e-5.
    pub epsilon: f64,
}

impl LayerNorm {
    /// A layer for rows of this length.
    ///
    /// # Panics
    /// If `features` is 0, or the scope has a `scale` or `shift` already.
    #[track_caller]
    pub fn new<T: Real>(scope: &mut Scope<'_, T>, features: usize) -> Self {
        assert!(features > 0, "LayerNorm: rows of length 0 have no mean");
        let scale = scope.param("scale", Var::ones(&[features]));
        LayerNorm { scale, shift: scope.param("shift", Var::zeros(&[features])), features, epsilon: 1e-5 }
    }

    /// Normalises the last axis of x.
    ///
    /// # Panics
    /// If the last axis of x has another length, or `p` is of another architecture.
    #[track_caller]
    pub fn forward<T: Real>(&self, p: &Params<T>, x: &Var<T>) -> Var<T> {
        let last = x.shape().last().copied();
        assert!(last == Some(self.features), "LayerNorm: x has shape {:?}, its last axis must be {}", x.shape(), self.features);
        let centred = x - x.mean_axis(keepdims(-1));
        let variance = centred.square().mean_axis(keepdims(-1));
        centred / (variance + T::from_f64(self.epsilon)).sqrt() * p.get(self.scale) + p.get(self.shift)
    }
}
