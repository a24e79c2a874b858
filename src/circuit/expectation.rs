//! Pauli sums on the tape.
//!
//! E(c, ψ) = ⟨ψ|H|ψ⟩, H(c)ψ and the brackets Re⟨λ|P_t|ψ⟩ are closed under differentiation: each one's derivative is made of the others.

use super::pauli::PauliSum;
use super::run;
use super::state::{Precision, StateVector};
use crate::autodiff::{Primitive, Tree, Var, apply};
use crate::error::{Error, Result};
use crate::kernels::parallel::{collect, for_parts};
use crate::kernels::pool;
use crate::kernels::state_vector::pauli_rotation::Masks;
use crate::kernels::state_vector::pauli_sum::Grouped;
use crate::ops::INFER;
use crate::scalar::Scalar;
use num_traits::Zero;
use std::marker::PhantomData;
use std::sync::Arc;

struct Strings {
    masks: Vec<Masks>,
    grouped: Grouped,
}

/// E of shape [batch] from c [batch, terms] and ψ [batch, 2ⁿ].
struct Energy<R>(Arc<Strings>, PhantomData<fn() -> R>);

/// Hψ of shape [batch, 2ⁿ] from c [batch, terms] and ψ [batch, 2ⁿ].
struct Multiply<R>(Arc<Strings>, PhantomData<fn() -> R>);

/// Re⟨λ|P_t|ψ⟩ of shape [batch, terms] from λ and ψ [batch, 2ⁿ].
struct Brackets<R>(Arc<Strings>, PhantomData<fn() -> R>);

fn chunk<A: Scalar>(psi: &Var<A>, i: usize) -> &[A] {
    let len = psi.shape()[1];
    &psi.as_slice()[i * len..(i + 1) * len]
}

impl<R: Precision> Primitive for Energy<R> {
    type Inputs = (Var<R>, Var<R::Amplitude>);
    type Outputs = Var<R>;
    fn name(&self) -> &'static str {
        "expectation"
    }
    fn forward(&self, (c, psi): &Self::Inputs) -> Result<Var<R>> {
        let c = run::rows(c);
        let energies = collect(c.len(), |i| R::from_f64(self.0.grouped.expectation(&c[i], chunk(psi, i))));
        Ok(Var::from(energies))
    }
    fn vjp(
        &self,
        (c, psi): &Self::Inputs,
        _: &Var<R>,
        cotangent: Option<Var<R>>,
        needs: &[bool],
    ) -> Result<<Self::Inputs as Tree>::Partial> {
        let Some(g) = cotangent else { return Ok((None, None)) };
        let g = g.reshape(&[INFER, 1]);
        let of_c = match needs[0] {
            true => Some(apply(Brackets::<R>(self.0.clone(), PhantomData), &(psi.clone(), psi.clone()))? * &g),
            false => None,
        };
        let of_psi = match needs[1] {
            true => Some(apply(Multiply::<R>(self.0.clone(), PhantomData), &(c * (g * R::from_f64(2.0)), psi.clone()))?),
            false => None,
        };
        Ok((of_c, of_psi))
    }
    fn keeps_output(&self, _: usize) -> bool {
        false
    }
}

impl<R: Precision> Primitive for Multiply<R> {
    type Inputs = (Var<R>, Var<R::Amplitude>);
    type Outputs = Var<R::Amplitude>;
    fn name(&self) -> &'static str {
        "Pauli sum times state"
    }
    fn forward(&self, (c, psi): &Self::Inputs) -> Result<Var<R::Amplitude>> {
        let c = run::rows(c);
        let mut out = pool::filled(psi.len(), Zero::zero());
        let len = psi.shape()[1];
        for_parts(&mut out, len, |start, out| self.0.grouped.apply(&c[start / len], chunk(psi, start / len), out));
        Var::from_shape_vec(psi.shape(), out)
    }
    fn vjp(
        &self,
        (c, psi): &Self::Inputs,
        _: &Var<R::Amplitude>,
        cotangent: Option<Var<R::Amplitude>>,
        needs: &[bool],
    ) -> Result<<Self::Inputs as Tree>::Partial> {
        let Some(g) = cotangent else { return Ok((None, None)) };
        let of_c = match needs[0] {
            true => Some(apply(Brackets::<R>(self.0.clone(), PhantomData), &(g.clone(), psi.clone()))?),
            false => None,
        };
        let of_psi = match needs[1] {
            true => Some(apply(Multiply::<R>(self.0.clone(), PhantomData), &(c.clone(), g))?),
            false => None,
        };
        Ok((of_c, of_psi))
    }
    fn keeps_output(&self, _: usize) -> bool {
        false
    }
}

impl<R: Precision> Primitive for Brackets<R> {
    type Inputs = (Var<R::Amplitude>, Var<R::Amplitude>);
    type Outputs = Var<R>;
    fn name(&self) -> &'static str {
        "Pauli brackets"
    }
    fn forward(&self, (lambda, psi): &Self::Inputs) -> Result<Var<R>> {
        let (batch, terms) = (psi.shape()[0], self.0.masks.len());
        let brackets = collect(batch, |i| self.0.grouped.brackets(terms, chunk(lambda, i), chunk(psi, i)));
        let out: Vec<R> = brackets.into_iter().flatten().map(|z| R::from_f64(z.re)).collect();
        Var::from_shape_vec(&[batch, terms], out)
    }
    fn vjp(
        &self,
        (lambda, psi): &Self::Inputs,
        _: &Var<R>,
        cotangent: Option<Var<R>>,
        needs: &[bool],
    ) -> Result<<Self::Inputs as Tree>::Partial> {
        let Some(w) = cotangent else { return Ok((None, None)) };
        let times = |state: &Var<R::Amplitude>| apply(Multiply::<R>(self.0.clone(), PhantomData), &(w.clone(), state.clone()));
        Ok((if needs[0] { Some(times(psi)?) } else { None }, if needs[1] { Some(times(lambda)?) } else { None }))
    }
    fn keeps_output(&self, _: usize) -> bool {
        false
    }
}

fn strings(operation: &'static str, h: &PauliSum, qubits: usize) -> Result<Arc<Strings>> {
    if h.qubits() > qubits {
        return Err(Error::argument(operation, format!("the operator acts on qubit {}, the state has {qubits}", h.qubits() - 1)));
    }
    let masks: Vec<Masks> = h.strings().iter().map(|p| Masks { x: p.x as usize, z: p.z as usize }).collect();
    Ok(Arc::new(Strings { grouped: Grouped::new(&masks), masks }))
}

/// Coefficients and states with a leading batch axis.
fn batched<R: Precision>(operation: &'static str, h: &PauliSum, c: &Var<R>, state: &StateVector<R>) -> Result<(Var<R>, Var<R::Amplitude>)> {
    let terms = h.strings().len();
    if c.shape() != [terms] {
        return Err(Error::shape(operation, format!("coefficients of shape {:?}: the operator has {terms} strings", c.shape())));
    }
    let psi = state.amplitudes().reshape(&[INFER, 1 << state.qubits()]);
    let c = c.broadcast_to(&[psi.shape()[0], terms]);
    Ok((c, psi))
}

pub(super) fn expectation<R: Precision>(h: &PauliSum, c: &Var<R>, state: &StateVector<R>) -> Result<Var<R>> {
    const NAME: &str = "StateVector::expectation";
    let strings = strings(NAME, h, state.qubits())?;
    let inputs = batched(NAME, h, c, state)?;
    let energies = apply(Energy::<R>(strings, PhantomData), &inputs)?;
    Ok(if state.batch().is_some() { energies } else { energies.reshape(&[]) })
}

impl PauliSum {
    /// H|ψ⟩, of the amplitudes' shape; differentiable in the state.
    ///
    /// # Errors
    /// If H acts on more qubits than the state has.
    pub fn apply<R: Precision>(&self, state: &StateVector<R>) -> Result<Var<R::Amplitude>> {
        const NAME: &str = "PauliSum::apply";
        let strings = strings(NAME, self, state.qubits())?;
        let c: Vec<R> = self.coefficients().iter().map(|&c| R::from_f64(c)).collect();
        let inputs = batched(NAME, self, &Var::from(c), state)?;
        let out = apply(Multiply::<R>(strings, PhantomData), &inputs)?;

        Ok(out.reshape(state.amplitudes().shape()))
    }
}
