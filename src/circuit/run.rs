//! Circuits on the tape.

use super::plan::{Plan, TILE};
use super::state::{Precision, StateVector};
use super::tree::Circuit;
use crate::autodiff::{Primitive, Tree, Var, apply};
use crate::error::{Error, Result};
use crate::kernels::parallel::collect;
use crate::kernels::pool;
use crate::ops::INFER;
use crate::scalar::{Real, Scalar};
use std::marker::PhantomData;
use std::sync::Arc;

/// The parameters of each state as double precision, one row for all or one each.
pub(super) fn rows<R: Real>(theta: &Var<R>) -> Vec<Vec<f64>> {
    let p = theta.shape()[1];
    (0..theta.shape()[0]).map(|i| theta.as_slice()[i * p..(i + 1) * p].iter().map(|x| x.to_f64()).collect()).collect()
}

fn row(rows: &[Vec<f64>], i: usize) -> &[f64] {
    &rows[i.min(rows.len() - 1)]
}

/// Tasks of a batch that are under way at the same time.
const TASKS: usize = 16;
/// Amplitudes of a task, if a state has fewer.
const AMPLITUDES: usize = 1 << 12;

/// f on each state of a batch, with its index and its row of the gradient, which has `sets` rows of `p`, one for all states or one each.
///
/// States that are not shared out themselves are, some to a task; which states a task has, and so how a gradient is summed, does not
/// depend on the threads. A state that nobody else holds is changed where it is.
fn each_state<A: Scalar>(
    states: Var<A>,
    sets: usize,
    p: usize,
    f: &(dyn Fn(usize, Vec<A>, &mut [f64]) -> Vec<A> + Sync),
) -> (Var<A>, Vec<f64>) {
    let shape = states.shape().to_vec();
    let (batch, len) = (shape[0], shape[1]);
    let mut gradient = vec![0.0; sets * p];
    let data = if batch == 1 {
        let (state, _) = states.into_array::<ndarray::IxDyn>().expect("any rank").into_raw_vec_and_offset();
        f(0, state, &mut gradient)
    } else {
        let from = states.as_slice();
        let each = (AMPLITUDES / len).max(1);
        let block = each * if len > 1 << TILE { 1 } else { TASKS };
        let mut out = pool::take(batch * len);
        for start in (0..batch).step_by(block) {
            let size = block.min(batch - start);
            let results = collect(size.div_ceil(each), |task| {
                let states = start + task * each..(start + (task + 1) * each).min(start + size);
                let mut gradient = vec![0.0; p * if sets == 1 { 1 } else { states.len() }];
                let ends: Vec<Vec<A>> = states
                    .clone()
                    .map(|i| {
                        let at = if sets == 1 { 0 } else { (i - states.start) * p };
                        f(i, pool::copied(&from[i * len..(i + 1) * len]), &mut gradient[at..at + p])
                    })
                    .collect();
                (ends, gradient)
            });
            for (task, (ends, part)) in results.into_iter().enumerate() {
                for end in ends {
                    out.extend_from_slice(&end);
                    pool::give(end);
                }
                let at = if sets == 1 { 0 } else { (start + task * each) * p };
                gradient[at..at + part.len()].iter_mut().zip(part).for_each(|(g, x)| *g += x);
            }
        }
        out
    };
    (Var::from_shape_vec(&shape, data).expect("the states' shape"), gradient)
}

/// ψ = U(θ) ψ₀, or U(θ)† ψ₀: θ of shape [1 or batch, parameters], states [batch, 2ⁿ].
struct Run<R> {
    plan: Arc<Plan>,
    back: bool,
    precision: PhantomData<fn() -> R>,
}

/// (θ, ψ, λ) ↦ (Re⟨λ|∂U/∂θ ψ₀⟩, U†λ) with ψ = U(θ) ψ₀: the gradient of Φ(θ, ψ₀, λ) = Re⟨λ|U(θ)ψ₀⟩.
struct Pull<R> {
    plan: Arc<Plan>,
    precision: PhantomData<fn() -> R>,
}

/// (θ, ψ₀, θ̇, ψ̇₀) ↦ ψ̇, the tangent of [`Run`].
struct Push<R> {
    plan: Arc<Plan>,
    precision: PhantomData<fn() -> R>,
}

/// (θ, ψ, λ, θ̇, ψ̇, λ̇) ↦ the tangents of what [`Pull`] gives.
struct PullTangent<R> {
    plan: Arc<Plan>,
    precision: PhantomData<fn() -> R>,
}

fn run<R: Precision>(plan: &Arc<Plan>, theta: &Var<R>, psi: &Var<R::Amplitude>, back: bool) -> Result<Var<R::Amplitude>> {
    run_owned(plan, theta, psi.clone(), back)
}

fn run_owned<R: Precision>(plan: &Arc<Plan>, theta: &Var<R>, psi: Var<R::Amplitude>, back: bool) -> Result<Var<R::Amplitude>> {
    let run = Run { plan: plan.clone(), back, precision: PhantomData };
    // nothing to record: what is handed over changes where it is
    if theta.is_constant() && psi.is_constant() {
        return Ok(run.run(theta, psi));
    }
    apply(run, &(theta.clone(), psi))
}

fn pull<R: Precision>(
    plan: &Arc<Plan>,
    theta: &Var<R>,
    psi: &Var<R::Amplitude>,
    lambda: Var<R::Amplitude>,
) -> Result<(Var<R>, Var<R::Amplitude>)> {
    let pull = Pull { plan: plan.clone(), precision: PhantomData };
    // nothing to record: λ is handed over, and undone where it is
    if theta.is_constant() && psi.is_constant() && lambda.is_constant() {
        return pull.run(theta, psi, lambda);
    }
    apply(pull, &(theta.clone(), psi.clone(), lambda))
}

impl<R: Precision> Pull<R> {
    fn run(&self, theta: &Var<R>, psi: &Var<R::Amplitude>, lambda: Var<R::Amplitude>) -> Result<(Var<R>, Var<R::Amplitude>)> {
        let values = rows(theta);
        let (start, gradient) = each_state(lambda, values.len(), self.plan.parameters, &|i, mut lambda, gradient| {
            let len = lambda.len();
            let mut psi = pool::copied(&psi.as_slice()[i * len..(i + 1) * len]);
            self.plan.backward(row(&values, i), [&mut psi, &mut lambda], gradient);
            pool::give(psi);
            lambda
        });
        Ok((as_rows(theta, gradient)?, start))
    }
}

impl<R: Precision> Run<R> {
    fn run(&self, theta: &Var<R>, psi: Var<R::Amplitude>) -> Var<R::Amplitude> {
        let theta = rows(theta);
        let turn = |i, mut psi, _: &mut [f64]| {
            if self.back {
                self.plan.inverse(row(&theta, i), &mut psi);
            } else {
                self.plan.forward(row(&theta, i), &mut psi);
            }
            psi
        };
        each_state(psi, 1, 0, &turn).0
    }
}

impl<R: Precision> Primitive for Run<R> {
    type Inputs = (Var<R>, Var<R::Amplitude>);
    type Outputs = Var<R::Amplitude>;
    fn name(&self) -> &'static str {
        "circuit"
    }
    fn forward(&self, (theta, psi): &Self::Inputs) -> Result<Var<R::Amplitude>> {
        Ok(self.run(theta, psi.clone()))
    }
    fn vjp(
        &self,
        (theta, _): &Self::Inputs,
        psi: &Var<R::Amplitude>,
        cotangent: Option<Var<R::Amplitude>>,
        needs: &[bool],
    ) -> Result<<Self::Inputs as Tree>::Partial> {
        let Some(lambda) = cotangent else { return Ok((None, None)) };
        if self.back {
            // Re⟨λ|∂U†/∂θ ψ₀⟩ = Re⟨ψ₀|∂U/∂θ λ⟩, where ψ₀ = Uψ
            let turned = run(&self.plan, theta, &lambda, false)?;
            let of_theta = match needs[0] {
                true => Some(pull(&self.plan, theta, &turned, run(&self.plan, theta, psi, false)?)?.0),
                false => None,
            };
            return Ok((of_theta, Some(turned)));
        }
        let (theta, psi) = pull(&self.plan, theta, psi, lambda)?;
        Ok((Some(theta), needs[1].then_some(psi)))
    }
    fn jvp(&self, (theta, psi): &Self::Inputs, out: &Var<R::Amplitude>, (dtheta, dpsi): &Self::Inputs) -> Result<Var<R::Amplitude>> {
        let push = Push { plan: self.plan.clone(), precision: PhantomData };
        if self.back {
            // U†ψ̇ + U̇†ψ: from U†U = 1, U̇†ψ = −U†U̇U†ψ
            let turned = apply(push, &(theta.clone(), out.clone(), dtheta.clone(), out.zeros_like()))?;
            return run(&self.plan, theta, &(dpsi - turned), true);
        }
        apply(push, &(theta.clone(), psi.clone(), dtheta.clone(), dpsi.clone()))
    }
    fn keeps_input(&self, i: usize) -> bool {
        i == 0
    }
}

impl<R: Precision> Primitive for Pull<R> {
    type Inputs = (Var<R>, Var<R::Amplitude>, Var<R::Amplitude>);
    type Outputs = (Var<R>, Var<R::Amplitude>);
    fn name(&self) -> &'static str {
        "circuit's pullback"
    }
    fn forward(&self, (theta, psi, lambda): &Self::Inputs) -> Result<Self::Outputs> {
        self.run(theta, psi, lambda.clone())
    }
    fn vjp(
        &self,
        (theta, psi, lambda): &Self::Inputs,
        _: &Self::Outputs,
        (of_gradient, of_start): <Self::Outputs as Tree>::Partial,
        needs: &[bool],
    ) -> Result<<Self::Inputs as Tree>::Partial> {
        if of_gradient.is_none() && of_start.is_none() {
            return Ok((None, None, None));
        }
        let dtheta = of_gradient.unwrap_or_else(|| theta.zeros_like());
        let dstart = of_start.unwrap_or_else(|| lambda.zeros_like());
        transpose(&self.plan, theta, psi, lambda, &dtheta, &dstart, needs)
    }
    fn jvp(&self, (theta, psi, lambda): &Self::Inputs, _: &Self::Outputs, (dtheta, dpsi, dlambda): &Self::Inputs) -> Result<Self::Outputs> {
        let inputs = (theta.clone(), psi.clone(), lambda.clone(), dtheta.clone(), dpsi.clone(), dlambda.clone());
        apply(PullTangent { plan: self.plan.clone(), precision: PhantomData }, &inputs)
    }
    fn keeps_output(&self, _: usize) -> bool {
        false
    }
}

/// What (θ, ψ, λ) receive from the cotangents (θ̇, ψ̇₀) of [`Pull`]'s results.
///
/// Those are the derivative of Φ along (θ̇, ψ̇₀, 0), so the symmetric Hessian gives it: ψ̇ to λ, the tangents of the gradient and of U†λ to θ and ψ₀.
/// In terms of ψ = Uψ₀ the latter is λ̇ = U λ̇₀ to ψ, and Re⟨λ̇₀|∂U†/∂θ ψ⟩ = Re⟨ψ|∂U/∂θ λ̇₀⟩ more to θ.
fn transpose<R: Precision>(
    plan: &Arc<Plan>,
    theta: &Var<R>,
    psi: &Var<R::Amplitude>,
    lambda: &Var<R::Amplitude>,
    dtheta: &Var<R>,
    dstart: &Var<R::Amplitude>,
    needs: &[bool],
) -> Result<(Option<Var<R>>, Option<Var<R::Amplitude>>, Option<Var<R::Amplitude>>)> {
    let start = run(plan, theta, psi, true)?;
    let push = Push { plan: plan.clone(), precision: PhantomData };
    let dpsi = apply(push, &(theta.clone(), start, dtheta.clone(), dstart.clone()))?;
    if !needs[0] && !needs[1] {
        return Ok((None, None, Some(dpsi)));
    }
    let tangent = PullTangent { plan: plan.clone(), precision: PhantomData };
    let inputs = (theta.clone(), psi.clone(), lambda.clone(), dtheta.clone(), dpsi.clone(), lambda.zeros_like());
    let (dgradient, dlambda) = apply(tangent, &inputs)?;
    let of_psi = run(plan, theta, &dlambda, false)?;
    let (more, _) = pull(plan, theta, &of_psi, psi.clone())?;
    Ok((Some(dgradient + more), Some(of_psi), Some(dpsi)))
}

impl<R: Precision> Primitive for Push<R> {
    type Inputs = (Var<R>, Var<R::Amplitude>, Var<R>, Var<R::Amplitude>);
    type Outputs = Var<R::Amplitude>;
    fn name(&self) -> &'static str {
        "circuit's tangent"
    }
    fn forward(&self, (theta, psi, dtheta, dpsi): &Self::Inputs) -> Result<Var<R::Amplitude>> {
        let (theta, dtheta) = (rows(theta), rows(dtheta));
        let (out, _) = each_state(dpsi.clone(), 1, 0, &|i, mut dpsi, _| {
            let len = dpsi.len();
            let mut psi = pool::copied(&psi.as_slice()[i * len..(i + 1) * len]);
            self.plan.forward_tangent(row(&theta, i), row(&dtheta, i), [&mut psi, &mut dpsi]);
            pool::give(psi);
            dpsi
        });
        Ok(out)
    }
    fn vjp(
        &self,
        (theta, psi, dtheta, _): &Self::Inputs,
        out: &Var<R::Amplitude>,
        cotangent: Option<Var<R::Amplitude>>,
        needs: &[bool],
    ) -> Result<<Self::Inputs as Tree>::Partial> {
        let Some(lambda) = cotangent else { return Ok((None, None, None, None)) };
        let end = run(&self.plan, theta, psi, false)?;
        let (of_dtheta, of_dpsi) = pull(&self.plan, theta, &end, lambda.clone())?;
        if !needs[0] && !needs[1] {
            return Ok((None, None, Some(of_dtheta), Some(of_dpsi)));
        }
        let tangent = PullTangent { plan: self.plan.clone(), precision: PhantomData };
        let zero = lambda.zeros_like();
        let (of_theta, of_psi) = apply(tangent, &(theta.clone(), end, lambda, dtheta.clone(), out.clone(), zero))?;
        Ok((Some(of_theta), Some(of_psi), Some(of_dtheta), Some(of_dpsi)))
    }
    fn jvp(&self, _: &Self::Inputs, _: &Self::Outputs, _: &Self::Inputs) -> Result<Self::Outputs> {
        Err(Error::derivative(self.name(), "forward mode over forward mode is not offered: use hvp, which is forward over reverse"))
    }
}

impl<R: Precision> Primitive for PullTangent<R> {
    type Inputs = (Var<R>, Var<R::Amplitude>, Var<R::Amplitude>, Var<R>, Var<R::Amplitude>, Var<R::Amplitude>);
    type Outputs = (Var<R>, Var<R::Amplitude>);
    fn name(&self) -> &'static str {
        "circuit's second derivative"
    }
    fn forward(&self, (theta, psi, lambda, dtheta, dpsi, dlambda): &Self::Inputs) -> Result<Self::Outputs> {
        let (values, tangents) = (rows(theta), rows(dtheta));
        let (start, gradient) = each_state(dlambda.clone(), values.len(), self.plan.parameters, &|i, mut dlambda, gradient| {
            let len = dlambda.len();
            let [mut psi, mut lambda, mut dpsi] = [psi, lambda, dpsi].map(|s| pool::copied(&s.as_slice()[i * len..(i + 1) * len]));
            let states = [&mut psi, &mut lambda, &mut dpsi, &mut dlambda];
            self.plan.backward_tangent(row(&values, i), row(&tangents, i), states, gradient);
            [psi, lambda, dpsi].into_iter().for_each(pool::give);
            dlambda
        });
        Ok((as_rows(theta, gradient)?, start))
    }
    fn vjp(
        &self,
        (theta, psi, lambda, ..): &Self::Inputs,
        _: &Self::Outputs,
        (of_gradient, of_start): <Self::Outputs as Tree>::Partial,
        needs: &[bool],
    ) -> Result<<Self::Inputs as Tree>::Partial> {
        if needs[..3].iter().any(|&n| n) {
            return Err(third(self.name()));
        }
        if of_gradient.is_none() && of_start.is_none() {
            return Ok((None, None, None, None, None, None));
        }
        let dtheta = of_gradient.unwrap_or_else(|| theta.zeros_like());
        let dstart = of_start.unwrap_or_else(|| lambda.zeros_like());
        let (theta, psi, lambda) = transpose(&self.plan, theta, psi, lambda, &dtheta, &dstart, &needs[3..])?;
        Ok((None, None, None, theta, psi, lambda))
    }
    fn jvp(&self, _: &Self::Inputs, _: &Self::Outputs, _: &Self::Inputs) -> Result<Self::Outputs> {
        Err(third(self.name()))
    }
    fn keeps_output(&self, _: usize) -> bool {
        false
    }
}

#[cold]
fn third(name: &'static str) -> Error {
    Error::derivative(name, "circuits have derivatives to second order; take a third one by parameter shifts of the second")
}

/// A gradient in the shape of the parameters.
fn as_rows<R: Precision>(theta: &Var<R>, gradient: Vec<f64>) -> Result<Var<R>> {
    Var::from_shape_vec(theta.shape(), gradient.into_iter().map(R::from_f64).collect())
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
    /// If the circuit and the state have different numbers of qubits, θ has another length than there are parameters or is not finite, the
    /// batches do not fit, or the states take more than the [memory limit](super::set_memory_limit).
    pub fn run<R: Precision>(&self, theta: &Var<R>, state: &StateVector<R>) -> Result<StateVector<R>> {
        let mut state = state.clone();
        self.run_in_place(theta, &mut state)?;
        Ok(state)
    }

    /// [`run`](Circuit::run) with the result in place of the state: where nothing is differentiated and nobody else holds the amplitudes
    /// of one state, they change where they are, and a gate costs one pass over them. On an error the state is what it was.
    ///
    /// ```
    /// use pullback::Var;
    /// use pullback::circuit::{Circuit, StateVector};
    /// let (mut h, mut cnot) = (Circuit::new(2), Circuit::new(2));
    /// h.h(0)?;
    /// cnot.cnot(0, 1)?;
    /// let mut psi = StateVector::<f64>::zero(2)?;
    /// for gate in [&h, &cnot] {
    ///     gate.run_in_place(&Var::from(vec![]), &mut psi)?;
    /// }
    /// assert!((psi.probabilities().as_slice()[3] - 0.5).abs() < 1e-15);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`run`](Circuit::run).
    pub fn run_in_place<R: Precision>(&self, theta: &Var<R>, state: &mut StateVector<R>) -> Result<()> {
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
        let differentiated = !(theta.is_constant() && state.amplitudes().is_constant());
        let states = state.batch().unwrap_or(1) + rows * if differentiated { 3 } else { 1 };
        let bytes = (states * len * size_of::<R::Amplitude>()) as f64;
        let why = if differentiated { "a run with its gradient" } else { "a run" };
        super::memory::check(NAME, &format!("{why}: {states} states of {} qubits", self.qubits()), bytes)?;
        let theta = theta.reshape(&[sets, self.parameters()]);
        let spread = |psi: Var<R::Amplitude>| if psi.shape()[0] == rows { psi } else { psi.broadcast_to(&[rows, len]) };
        let owned = theta.is_constant() && state.amplitudes().is_constant();
        let psi = if owned { state.take() } else { state.amplitudes().clone() };
        let flat = psi.reshape(&[INFER, len]);
        drop(psi);
        let out = run_owned(self.plan(), &theta, spread(flat), false)?;
        *state = StateVector::unnormalized(if batch.is_some() { out } else { out.reshape(&[len]) })?;
        Ok(())
    }
}
