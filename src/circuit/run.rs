//! Circuits on the tape.

use super::plan::Plan;
use super::state::{Precision, StateVector};
use super::tree::Circuit;
use crate::autodiff::{Primitive, Tree, Var, apply};
use crate::error::{Error, Result};
use crate::kernels::pool;
use crate::ops::INFER;
use crate::scalar::{Real, Scalar};
use std::sync::Arc;

/// The parameters of each state as double precision, one row for all or one each.
pub(super) fn rows<R: Real>(theta: &Var<R>) -> Vec<Vec<f64>> {
    let p = theta.shape()[1];
    (0..theta.shape()[0]).map(|i| theta.as_slice()[i * p..(i + 1) * p].iter().map(|x| x.to_f64()).collect()).collect()
}

fn row(rows: &[Vec<f64>], i: usize) -> &[f64] {
    &rows[i.min(rows.len() - 1)]
}

/// f on each state of a batch in turn, with its index; the states are shape [batch, 2ⁿ].
fn each_state<A: Scalar, const S: usize>(states: [&Var<A>; S], mut f: impl FnMut(usize, [Vec<A>; S]) -> [Vec<A>; S]) -> [Var<A>; S] {
    let shape = states[0].shape();
    let (batch, len) = (shape[0], shape[1]);
    let mut out: [Vec<A>; S] = std::array::from_fn(|_| if batch == 1 { Vec::new() } else { pool::take(batch * len) });
    for i in 0..batch {
        let result = f(i, states.map(|s| pool::copied(&s.as_slice()[i * len..(i + 1) * len])));
        for (out, result) in out.iter_mut().zip(result) {
            if batch == 1 {
                *out = result;
            } else {
                out.extend_from_slice(&result);
                pool::give(result);
            }
        }
    }
    out.map(|data| Var::from_shape_vec(&[batch, len], data).expect("the states' shape"))
}

/// ψ = U(θ) ψ₀: θ of shape [1 or batch, parameters], states [batch, 2ⁿ].
struct Run<R> {
    plan: Arc<Plan>,
    amplitude: std::marker::PhantomData<fn() -> R>,
}

impl<R: Precision> Primitive for Run<R> {
    type Inputs = (Var<R>, Var<R::Amplitude>);
    type Outputs = Var<R::Amplitude>;
    fn name(&self) -> &'static str {
        "circuit"
    }
    fn forward(&self, (theta, psi): &Self::Inputs) -> Result<Var<R::Amplitude>> {
        let theta = rows(theta);
        let [out] = each_state([psi], |i, [mut psi]| {
            self.plan.forward(row(&theta, i), &mut psi);
            [psi]
        });
        Ok(out)
    }
    fn vjp(
        &self,
        (theta, _): &Self::Inputs,
        psi: &Var<R::Amplitude>,
        cotangent: Option<Var<R::Amplitude>>,
        _: &[bool],
    ) -> Result<<Self::Inputs as Tree>::Partial> {
        let Some(lambda) = cotangent else { return Ok((None, None)) };
        let pull = Pull { plan: self.plan.clone(), amplitude: std::marker::PhantomData };
        let (theta, psi) = apply(pull, &(theta.clone(), psi.clone(), lambda))?;
        Ok((Some(theta), Some(psi)))
    }
    fn keeps_input(&self, i: usize) -> bool {
        i == 0
    }
}

/// (θ, ψ, λ) ↦ (Re⟨λ|∂U/∂θ ψ₀⟩, U†λ) with ψ = U(θ) ψ₀.
struct Pull<R> {
    plan: Arc<Plan>,
    amplitude: std::marker::PhantomData<fn() -> R>,
}

impl<R: Precision> Primitive for Pull<R> {
    type Inputs = (Var<R>, Var<R::Amplitude>, Var<R::Amplitude>);
    type Outputs = (Var<R>, Var<R::Amplitude>);
    fn name(&self) -> &'static str {
        "circuit's pullback"
    }
    fn forward(&self, (theta, psi, lambda): &Self::Inputs) -> Result<Self::Outputs> {
        let theta_rows = rows(theta);
        let p = self.plan.parameters;
        let mut gradient = vec![0.0; theta_rows.len() * p];
        let [start] = each_state([lambda], |i, [mut lambda]| {
            let len = lambda.len();
            let mut psi = pool::copied(&psi.as_slice()[i * len..(i + 1) * len]);
            let at = i.min(theta_rows.len() - 1) * p;
            self.plan.backward(row(&theta_rows, i), &mut psi, &mut lambda, &mut gradient[at..at + p]);
            pool::give(psi);
            [lambda]
        });
        let gradient: Vec<R> = gradient.into_iter().map(R::from_f64).collect();
        Ok((Var::from_shape_vec(theta.shape(), gradient)?, start))
    }
}

impl Circuit {
    /// U(θ)|0…0⟩.
    ///
    /// # Errors
    /// As [`run`](Circuit::run).
    pub fn state<R: Precision>(&self, theta: &Var<R>) -> Result<StateVector<R>> {
        self.run(theta, &StateVector::zero(self.qubits())?)
    }

    /// U(θ)|ψ⟩ for θ of shape \[parameters\], or \[batch, parameters\] with a state for each.
    ///
    /// Differentiable in θ and in the state, by the reversible adjoint: memory does not grow with the depth.
    ///
    /// # Errors
    /// If the circuit and the state have different numbers of qubits, θ has another length than there are parameters or is not finite, or the
    /// batches do not fit.
    pub fn run<R: Precision>(&self, theta: &Var<R>, state: &StateVector<R>) -> Result<StateVector<R>> {
        const NAME: &str = "Circuit::run";
        if self.qubits() != state.qubits() {
            return Err(Error::argument(NAME, format!("the circuit has {} qubits, the state {}", self.qubits(), state.qubits())));
        }
        let shape = theta.shape().to_vec();
        if !(1..=2).contains(&shape.len()) || shape[shape.len() - 1] != self.parameters() {
            return Err(Error::shape(
                NAME,
                format!("parameters of shape {shape:?}: the circuit has {0}, expected [{0}] or [batch, {0}]", self.parameters()),
            ));
        }
        if let Some(i) = theta.as_slice().iter().position(|x| !x.is_finite()) {
            return Err(Error::non_finite(NAME, format!("parameter {} is {}", i % self.parameters(), theta.as_slice()[i])));
        }
        let batch = match (shape.len() == 2, state.batch()) {
            (false, b) => b,
            (true, None) => Some(shape[0]),
            (true, Some(b)) if b == shape[0] => Some(b),
            (true, Some(b)) => {
                return Err(Error::shape(NAME, format!("{} sets of parameters and {b} states: expected as many of both", shape[0])));
            }
        };
        let len = 1usize << self.qubits();
        let rows = batch.unwrap_or(1);
        let sets = if shape.len() == 2 { shape[0] } else { 1 };
        let theta = theta.reshape(&[sets, self.parameters()]);
        let mut psi = state.amplitudes().reshape(&[INFER, len]);
        if psi.shape()[0] != rows {
            psi = psi.broadcast_to(&[rows, len]);
        }
        let run = Run { plan: self.plan().clone(), amplitude: std::marker::PhantomData };
        let out = apply(run, &(theta, psi))?;
        StateVector::unnormalized(if batch.is_some() { out } else { out.reshape(&[len]) })
    }
}
