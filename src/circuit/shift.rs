//! Gradients from expectation values alone: parameter shift, for devices and other back ends.
//!
//! As a function of one gate's angle an expectation value is E(x) = a₀ + Σ_k a_k cos Ω_k x + b_k sin Ω_k x, where the Ω_k are the positive
//! differences of the generator's eigenvalues. E′(0) = Σ_k Ω_k b_k is then a combination of E(s) − E(−s) at as many shifts s as there are
//! frequencies: Σ_j c_j · 2 sin(Ω_k s_j) = Ω_k for all k (Wierichs et al., Quantum 6, 677 (2022)). One frequency gives the
//! rule of Mitarai et al., PRA 98, 032309 (2018). Parameters that several gates share are shifted gate by gate.

use super::angle::Angle;
use super::gate::Gate;
use super::instruction::{Instruction, assemble};
use super::pauli::PauliSum;
use super::tree::Circuit;
use crate::autodiff::{Var, external_vjp};
use crate::error::{Error, Result};
use crate::linalg::backend;
use rand::Rng;
use std::sync::{Arc, Mutex};

/// Something that runs circuits and says what an observable is on average: a simulator, or a device.
pub trait Backend {
    /// ⟨0…0|U(θ)† H U(θ)|0…0⟩, exactly or estimated.
    ///
    /// # Errors
    /// Whatever went wrong.
    fn expectation(&mut self, circuit: &Circuit, theta: &[f64], h: &PauliSum) -> Result<f64>;
}

/// The state vector, without noise.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exact;

impl Backend for Exact {
    fn expectation(&mut self, circuit: &Circuit, theta: &[f64], h: &PauliSum) -> Result<f64> {
        Ok(circuit.state(&Var::from(theta))?.expectation(h)?.item())
    }
}

/// Estimates from that many shots for each group of strings that can be measured together.
#[derive(Clone, Debug)]
pub struct Shots<G> {
    /// How many.
    pub shots: usize,
    /// What is drawn from.
    pub rng: G,
}

impl<G: Rng> Backend for Shots<G> {
    fn expectation(&mut self, circuit: &Circuit, theta: &[f64], h: &PauliSum) -> Result<f64> {
        Ok(circuit.state::<f64>(&Var::from(theta))?.estimate(h, self.shots, &mut self.rng)?.value)
    }
}

/// A rule for E′(0): Σ_j c_j (E(s_j) − E(−s_j)).
#[derive(Clone, Debug, PartialEq)]
pub struct ShiftRule {
    /// The shifts s_j.
    pub shifts: Vec<f64>,
    /// The coefficients c_j.
    pub coefficients: Vec<f64>,
}

impl ShiftRule {
    /// The rule for these positive frequencies, each once.
    ///
    /// ```
    /// use pullback::circuit::ShiftRule;
    /// let rule = ShiftRule::new(&[0.5, 1.0])?; // a controlled rotation
    /// let e = |x: f64| 0.3 + 0.7 * (0.5 * x).sin() - 1.1 * x.sin() + 0.2 * x.cos();
    /// let slope: f64 = rule.shifts.iter().zip(&rule.coefficients).map(|(s, c)| c * (e(*s) - e(-s))).sum();
    /// assert!((slope - (0.35 - 1.1)).abs() < 1e-14);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Errors
    /// If a frequency is not positive, or two are too close to be told apart.
    pub fn new(frequencies: &[f64]) -> Result<ShiftRule> {
        const NAME: &str = "ShiftRule";
        let r = frequencies.len();
        if let Some(w) = frequencies.iter().find(|w| !(**w > 0.0 && w.is_finite())) {
            return Err(Error::argument(NAME, format!("frequency {w}: expected positive numbers")));
        }
        let mut sorted = frequencies.to_vec();
        sorted.sort_by(f64::total_cmp);
        if sorted.windows(2).any(|w| w[1] - w[0] < 1e-9 * sorted[r - 1]) {
            return Err(Error::argument(NAME, format!("frequencies {sorted:?}: each once, and no two closer than 1e-9 of the largest")));
        }
        let equispaced = sorted.iter().enumerate().all(|(k, w)| (w - (k + 1) as f64 * sorted[0]).abs() < 1e-12 * w);
        if equispaced {
            // the closed form for k Ω, k = 1 … r: shifts in the middle of 2r intervals of the period
            let shifts: Vec<f64> = (0..r).map(|j| (2 * j + 1) as f64 * std::f64::consts::PI / (2 * r) as f64 / sorted[0]).collect();
            let of = |j: usize| {
                let half = 0.5 * shifts[j] * sorted[0];
                let sign = if j.is_multiple_of(2) { 1.0 } else { -1.0 };
                sorted[0] * sign / (4.0 * r as f64 * half.sin().powi(2))
            };
            return Ok(ShiftRule { coefficients: (0..r).map(of).collect(), shifts });
        }
        // otherwise the set of shifts, of several spreads, with the smallest coefficients: they amplify noise
        let mut best: Option<(f64, ShiftRule)> = None;
        for spread in 1..=64 {
            let unit = std::f64::consts::PI * spread as f64 / 16.0 / (sorted[r - 1] + sorted[0]);
            let shifts: Vec<f64> = (1..=r).map(|j| unit * j as f64).collect();
            let system: Vec<f64> = sorted.iter().flat_map(|w| shifts.iter().map(move |s| 2.0 * (w * s).sin())).collect();
            let Ok(coefficients) = backend::solve(&system, r, &sorted, 1) else { continue };
            let size: f64 = coefficients.iter().map(|c| c.abs()).sum();
            if size.is_finite() && best.as_ref().is_none_or(|(b, _)| size < *b) {
                best = Some((size, ShiftRule { shifts, coefficients }));
            }
        }
        match best {
            Some((size, rule)) if size < 1e6 * sorted[r - 1] => Ok(rule),
            _ => Err(Error::singular(NAME, format!("frequencies {sorted:?} are too close to be told apart by shifts"))),
        }
    }
}

/// The frequencies of E in each angle of a gate.
fn frequencies(instruction: &Instruction) -> Result<Vec<Vec<f64>>> {
    let controlled = !instruction.controls.is_empty();
    // generators with eigenvalues ±½; a control adds 0
    let rotation = if controlled { vec![0.5, 1.0] } else { vec![1.0] };
    let exchange = vec![1.0, 2.0];
    Ok(match &instruction.gate {
        Gate::Rx(_) | Gate::Ry(_) | Gate::Rz(_) | Gate::PauliRotation(..) => vec![rotation],
        Gate::Phase(_) => vec![vec![1.0]],
        Gate::U3(..) => vec![rotation, vec![1.0], vec![1.0]],
        Gate::GlobalPhase(_) => vec![if controlled { vec![1.0] } else { vec![] }],
        Gate::FSim(..) => vec![exchange, vec![1.0]],
        Gate::Diagonal(d, _) => {
            let mut eigenvalues = d.to_vec();
            if controlled {
                eigenvalues.push(0.0);
            }
            let largest = eigenvalues.iter().fold(0.0f64, |m, x| m.max(x.abs()));
            let mut gaps: Vec<f64> = Vec::new();
            for (i, a) in eigenvalues.iter().enumerate() {
                for b in &eigenvalues[..i] {
                    let gap = (a - b).abs();
                    if gap > 1e-12 * largest && gaps.iter().all(|g| (g - gap).abs() > 1e-12 * largest) {
                        gaps.push(gap);
                    }
                }
            }
            if gaps.len() > 64 {
                let message = format!("a diagonal with {} different gaps: at most 64", gaps.len());
                return Err(Error::argument("parameter_shift", message));
            }
            vec![gaps]
        }
        _ => vec![],
    })
}

/// E and ∂E/∂θ from expectation values of shifted circuits; for each angle that depends on a parameter two of them for each frequency.
///
/// ```
/// use pullback::prelude::*;
/// use pullback::circuit::{Exact, PauliSum, parameter_shift, variational_circuit};
/// let (c, h) = (variational_circuit(3, 2)?, PauliSum::heisenberg(3, true)?);
/// let theta: Vec<f64> = (0..c.parameters()).map(|k| 0.3 * k as f64).collect();
/// let (e, g) = parameter_shift(&mut Exact, &c, &theta, &h)?;
/// let (energy, adjoint) = value_and_grad(|t: &Var<f64>| c.state(t)?.expectation(&h), &Var::from(theta))?;
/// assert!((e - energy.item()).abs() < 1e-12);
/// assert!(g.iter().zip(adjoint.as_slice()).all(|(a, b)| (a - b).abs() < 1e-12));
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// What the back end returns; if the number of parameters is not the circuit's; if a diagonal has too many frequencies, or some too close.
pub fn parameter_shift(backend: &mut dyn Backend, circuit: &Circuit, theta: &[f64], h: &PauliSum) -> Result<(f64, Vec<f64>)> {
    let gradient = shifted(backend, circuit, theta, h)?;
    Ok((backend.expectation(circuit, theta, h)?, gradient))
}

/// E of a back end as a function on the tape, with its gradient by [`parameter_shift`]; first derivatives in reverse mode.
///
/// ```
/// use pullback::prelude::*;
/// use pullback::circuit::{Exact, PauliSum, expectation_on, variational_circuit};
/// use std::sync::{Arc, Mutex};
/// let (c, h, device) = (variational_circuit(2, 1)?, PauliSum::heisenberg(2, false)?, Arc::new(Mutex::new(Exact)));
/// let x = Var::from([0.3, 0.1, 0.7, 0.2, 0.5, 0.4, 0.9, 0.6]);
/// let g = grad(|x: &Var<f64>| expectation_on(&device, &c, &x.tanh(), &h), &x)?;
/// let adjoint = grad(|x: &Var<f64>| c.state(&x.tanh())?.expectation(&h), &x)?;
/// assert!((g - adjoint).abs().max().item() < 1e-13);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// As [`parameter_shift`].
pub fn expectation_on<B: Backend + Send + 'static>(
    backend: &Arc<Mutex<B>>,
    circuit: &Circuit,
    theta: &Var<f64>,
    h: &PauliSum,
) -> Result<Var<f64>> {
    let backend: Arc<Mutex<dyn Backend + Send>> = backend.clone();
    on_tape(backend, circuit.clone(), theta, h.clone())
}

fn on_tape(backend: Arc<Mutex<dyn Backend + Send>>, circuit: Circuit, theta: &Var<f64>, h: PauliSum) -> Result<Var<f64>> {
    if theta.shape() != [circuit.parameters()] {
        let message = format!("parameters of shape {:?}: expected [{}]", theta.shape(), circuit.parameters());
        return Err(Error::shape("expectation_on", message));
    }
    let again = (backend.clone(), circuit.clone(), h.clone());
    let value = move |theta: &Var<f64>| {
        let energy = backend.lock().map_err(|_| Error::argument("expectation_on", "the back end panicked before"))?.expectation(
            &circuit,
            theta.as_slice(),
            &h,
        )?;
        Ok::<_, Error>(Var::scalar(energy))
    };
    let pullback = move |theta: &Var<f64>, _: &Var<f64>, g: &Var<f64>| {
        let (backend, circuit, h) = &again;
        let mut backend = backend.lock().map_err(|_| Error::argument("expectation_on", "the back end panicked before"))?;
        Ok::<_, Error>(Var::from(shifted(&mut *backend, circuit, theta.as_slice(), h)?) * g)
    };
    external_vjp(theta, value, pullback)
}

/// ∂E/∂θ, without E.
fn shifted(backend: &mut dyn Backend, circuit: &Circuit, theta: &[f64], h: &PauliSum) -> Result<Vec<f64>> {
    const NAME: &str = "parameter_shift";
    if theta.len() != circuit.parameters() {
        return Err(Error::shape(NAME, format!("{} parameters: the circuit has {}", theta.len(), circuit.parameters())));
    }
    // every angle gets a parameter of its own
    let mut values = Vec::new();
    let mut owners: Vec<(usize, f64, Vec<f64>)> = Vec::new();
    let mut instructions = circuit.instructions();
    for i in &mut instructions {
        let each = frequencies(i)?;
        for (angle, frequencies) in i.gate.angles().into_iter().zip(each) {
            if let Angle::Parameter { index, scale, .. } = angle {
                owners.push((index, scale, frequencies));
            }
        }
        let own = std::cell::RefCell::new(&mut values);
        i.gate = i.gate.map_angles(|a| match a {
            Angle::Fixed(_) => a,
            Angle::Parameter { .. } => {
                let mut values = own.borrow_mut();
                values.push(a.at(theta));
                Angle::Parameter { index: values.len() - 1, scale: 1.0, shift: 0.0 }
            }
        });
    }
    let unshared = assemble(circuit.qubits(), values.len(), instructions)?;
    let mut gradient = vec![0.0; theta.len()];
    for (at, (index, scale, frequencies)) in owners.iter().enumerate() {
        if frequencies.is_empty() || *scale == 0.0 {
            continue;
        }
        let rule = ShiftRule::new(frequencies)?;
        let x = values[at];
        for (s, c) in rule.shifts.iter().zip(&rule.coefficients) {
            values[at] = x + s;
            let plus = backend.expectation(&unshared, &values, h)?;
            values[at] = x - s;
            gradient[*index] += scale * c * (plus - backend.expectation(&unshared, &values, h)?);
        }
        values[at] = x;
    }
    Ok(gradient)
}
