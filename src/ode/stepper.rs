//! One-step methods as maps that can be differentiated, and undone where that is possible.

use super::newton::Accuracy;
use super::options::{Adjoint, Method};
use super::symplectic::Symplectic;
use super::system::{Counted, Record, System};
use super::{coupled::Coupled, runge_kutta::RungeKutta};
use crate::error::Result;

/// Derivatives of a loss by what a step depends on, besides its state.
pub(crate) struct StepGradient<'a> {
    /// By the parameters; added to.
    pub(crate) params: &'a mut [f64],
    /// Whether those below are asked for.
    pub(crate) timed: bool,
    /// By the time at its start.
    pub(crate) t: f64,
    /// By its length.
    pub(crate) h: f64,
}

/// A value within the step, at t + σh: where, its cotangent, and the derivative of the loss by σ.
pub(crate) struct Inner<'a> {
    pub(crate) sigma: f64,
    pub(crate) cotangent: &'a [f64],
    pub(crate) slope: f64,
}

/// A tangent of a step's arguments: the state's is passed along.
#[derive(Clone, Copy)]
pub(crate) struct StepTangent<'a> {
    pub(crate) params: &'a [f64],
    pub(crate) t: f64,
    pub(crate) h: f64,
}

/// The map y ↦ y₁ of one step, with whatever else the method carries along in its state.
pub(crate) trait Stepper {
    /// How many numbers the method carries for a state of `n`.
    fn carried(&self, n: usize) -> usize {
        n
    }

    /// One step from (t, y), in place.
    fn step(&mut self, system: &mut Counted, t: f64, h: f64, y: &mut [f64]) -> Result<()>;

    /// From y₁ back to y; only for methods that can be undone.
    fn undo(&mut self, system: &mut Counted, t: f64, h: f64, y: &mut [f64]) -> Result<()>;

    /// The stages of the last step, which [`Stepper::vjp`] can be handed; with those of the dense output if asked for.
    fn stages(&self, dense: bool) -> &[f64] {
        let _ = dense;
        &[]
    }

    /// Computes the stages of the dense output after a step from (t, y).
    fn extend(&mut self, system: &mut Counted, t: f64, h: f64, y: &[f64]) -> Result<()> {
        let _ = (system, t, h, y);
        Ok(())
    }

    /// From now on steps keep the pullbacks of their stages, with or without those to the parameters.
    fn record(&mut self, params: bool) {
        let _ = params;
    }

    /// What the stages of the last step kept.
    fn records(&self) -> &[Record] {
        &[]
    }

    /// What the stages of the step that is pulled back next had kept; empty if nothing.
    fn replay(&mut self, records: &[Record]) {
        let _ = records;
    }

    /// The pullback of one step from (t, y): `lambda` is the cotangent of y₁ and becomes that of y. Values within the step may have
    /// cotangents too. `kept` are the step's stages, or empty.
    fn vjp(
        &mut self,
        system: &mut Counted,
        at: (f64, f64, &[f64]),
        kept: &[f64],
        lambda: &mut [f64],
        inner: &mut [Inner],
        gradient: &mut StepGradient,
    ) -> Result<()>;

    /// The tangents of one step from (t, y): each of `dy` is that of y and becomes that of y₁; `y` becomes y₁. For values within the step,
    /// at σ with tangents dσ (one for each direction), `found` is called with (value's index, direction, tangent).
    #[allow(clippy::too_many_arguments)]
    fn jvp(
        &mut self,
        system: &mut Counted,
        at: (f64, f64),
        y: &mut [f64],
        dy: &mut [Vec<f64>],
        tangents: &[StepTangent],
        inner: &[(f64, Vec<f64>)],
        found: &mut dyn FnMut(usize, usize, &[f64]),
    ) -> Result<()>;
}

/// The stepper that a method and a derivative ask for.
pub(crate) fn stepper(method: Method, adjoint: Adjoint, accuracy: Accuracy, system: &dyn System) -> Box<dyn Stepper> {
    match (method.tableau(), adjoint) {
        (None, _) => Box::new(Symplectic::new(method, system.dim())),
        (Some(t), Adjoint::Reversible { coupling }) if !t.is_implicit() => Box::new(Coupled::new(t, coupling, system.dim(), accuracy)),
        (Some(t), _) => Box::new(RungeKutta::new(t, system.dim(), accuracy)),
    }
}
