//! The quantum Fisher information and the natural gradient.
//!
//! F_ij = 4 Re(⟨∂_iψ|∂_jψ⟩ − ⟨∂_iψ|ψ⟩⟨ψ|∂_jψ⟩) is four times the real part of the quantum geometric tensor (Provost and Vallée, Commun.
//! Math. Phys. 76, 289 (1980)). The natural gradient (Stokes et al., Quantum 4, 269 (2020)) descends along g⁺∇E with the Fubini–Study metric g = F/4.
//! The states come from any function of θ: a circuit, or a network in front of one.

use super::angle::Angle;
use super::memory::{gib, memory_limit};
use super::state::StateVector;
use super::tree::Circuit;
use crate::autodiff::{Var, jvp, vjp};
use crate::error::{Error, Result};
use crate::linalg::eigh;
use num_complex::Complex;

type C = Complex<f64>;

/// Tangent states are kept up to this many bytes.
const MEMORY: u64 = 4 << 30;

/// Tangent states |∂_iψ⟩ − |ψ⟩⟨ψ|∂_iψ⟩ for the parameters of a block, of shape \[block, 2ⁿ\].
fn tangents(f: &dyn Fn(&Var<f64>) -> Result<StateVector>, theta: &Var<f64>, block: &[usize]) -> Result<Var<C>> {
    const NAME: &str = "quantum_fisher";
    let mut rows: Vec<C> = Vec::new();
    let count = block.len();
    let mut len = 0;
    for &i in block {
        let mut direction = vec![0.0; theta.len()];
        direction[i] = 1.0;
        let (psi, tangent) = jvp(|t: &Var<f64>| Ok::<_, Error>(f(t)?.into_amplitudes()), theta, &Var::from(direction))?;
        if psi.ndim() != 1 {
            return Err(Error::shape(NAME, format!("amplitudes of shape {:?}: one state at a time", psi.shape())));
        }
        len = psi.len();
        if rows.is_empty() {
            let bytes = (count * len * size_of::<C>()) as f64;
            let limit = memory_limit().unwrap_or(MEMORY) as f64;
            if bytes > limit {
                let message = format!(
                    "{count} tangent states would take {:.1} GiB, more than {:.0}: use blocks, or `fisher_times` with a linear solver",
                    gib(bytes),
                    gib(limit)
                );
                return Err(Error::argument(NAME, message));
            }
            rows.reserve_exact(count * len);
        }
        let (psi, tangent) = (psi.as_slice(), tangent.as_slice());
        let along: C = psi.iter().zip(tangent).map(|(a, b)| a.conj() * b).sum();
        rows.extend(tangent.iter().zip(psi).map(|(t, p)| t - p * along));
    }
    Var::from_shape_vec(&[count, len], rows)
}

fn check(theta: &Var<f64>) -> Result<()> {
    if theta.ndim() == 1 {
        return Ok(());
    }
    Err(Error::shape("quantum_fisher", format!("parameters of shape {:?}: expected a vector", theta.shape())))
}

/// F(θ) of shape \[parameters, parameters\] for the states f(θ), by one forward derivative for each parameter.
///
/// ```
/// use pullback::prelude::*;
/// use pullback::circuit::{Circuit, quantum_fisher};
/// let mut c = Circuit::new(1);
/// let (a, b) = (c.parameter(), c.parameter());
/// c.ry(0, a)?.rz(0, b)?;
/// let f = quantum_fisher(|theta| c.state(theta), &Var::from([0.7, 0.2]))?;
/// assert!((f.get(&[0, 0]).item() - 1.0).abs() < 1e-14); // the sphere's metric: dθ² + sin²θ dφ²
/// assert!((f.get(&[1, 1]).item() - 0.7f64.sin().powi(2)).abs() < 1e-14 && f.get(&[0, 1]).item().abs() < 1e-14);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// What f returns; if θ is not a vector or f gives a batch; if the tangent states would take more than the
/// [memory limit](super::set_memory_limit), 4 GiB if none is set (the error says how much).
pub fn quantum_fisher(f: impl Fn(&Var<f64>) -> Result<StateVector>, theta: &Var<f64>) -> Result<Var<f64>> {
    check(theta)?;
    gram(&tangents(&f, theta, &(0..theta.len()).collect::<Vec<_>>())?)
}

fn gram(tangents: &Var<C>) -> Result<Var<f64>> {
    Ok(tangents.conj().matmul(tangents.t()).real() * 4.0)
}

/// The diagonal blocks of F for groups of parameters, as those of [`Circuit::parameter_layers`]; only these are computed.
///
/// # Errors
/// As [`quantum_fisher`], and if there is no such parameter.
pub fn quantum_fisher_blocks(
    f: impl Fn(&Var<f64>) -> Result<StateVector>,
    theta: &Var<f64>,
    blocks: &[Vec<usize>],
) -> Result<Vec<Var<f64>>> {
    check(theta)?;
    if let Some(i) = blocks.iter().flatten().find(|&&i| i >= theta.len()) {
        return Err(Error::argument("quantum_fisher_blocks", format!("parameter {i}: there are {}", theta.len())));
    }
    blocks.iter().map(|b| gram(&tangents(&f, theta, b)?)).collect()
}

/// F(θ) v without the matrix: 4 Re J†(Jv − ψ⟨ψ|Jv⟩) with the states' derivative J, one forward and one reverse sweep. As an operator in
/// [`cg`](crate::linalg::iterative::cg) it gives natural gradients of any number of parameters.
///
/// # Errors
/// As [`quantum_fisher`], and if v has another shape than θ.
pub fn fisher_times(f: impl Fn(&Var<f64>) -> Result<StateVector>, theta: &Var<f64>, v: &Var<f64>) -> Result<Var<f64>> {
    check(theta)?;
    if v.shape() != theta.shape() {
        return Err(Error::shape("fisher_times", format!("a vector of shape {:?}, parameters of shape {:?}", v.shape(), theta.shape())));
    }
    let f = |t: &Var<f64>| Ok::<_, Error>(f(t)?.into_amplitudes());
    let (psi, tangent) = jvp(f, theta, v)?;
    let along = (psi.conj() * &tangent).sum();
    let (_, pull) = vjp(f, theta)?;
    Ok(pull.call(&(tangent - psi * along))? * 4.0)
}

/// δ = (F/4 + λ)⁺ ∇E: θ − ηδ is a step of natural gradient descent. Directions along which the metric is below 10⁻¹² of its largest
/// eigenvalue do not change the state and are left out; λ ≥ 0 damps those that hardly do.
///
/// ```
/// use pullback::prelude::*;
/// use pullback::circuit::{Circuit, PauliSum, natural_gradient};
/// let mut c = Circuit::new(1);
/// let p = c.parameter();
/// c.ry(0, p)?;
/// let x: PauliSum = "X0".parse()?;
/// let theta = Var::from([0.4]);
/// let (_, g) = value_and_grad(|t: &Var<f64>| c.state(t)?.expectation(&x), &theta)?;
/// let step = natural_gradient(|t| c.state(t), &theta, &g, 0.0)?;
/// assert!((step.get(&[0]).item() - 4.0 * g.get(&[0]).item()).abs() < 1e-12); // g = 1/4
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// As [`quantum_fisher`], and if the gradient has another shape than θ or λ is negative.
pub fn natural_gradient(
    f: impl Fn(&Var<f64>) -> Result<StateVector>,
    theta: &Var<f64>,
    gradient: &Var<f64>,
    damping: f64,
) -> Result<Var<f64>> {
    const NAME: &str = "natural_gradient";
    if gradient.shape() != theta.shape() {
        let message = format!("a gradient of shape {:?}, parameters of shape {:?}", gradient.shape(), theta.shape());
        return Err(Error::shape(NAME, message));
    }
    if !(damping >= 0.0 && damping.is_finite()) {
        return Err(Error::argument(NAME, format!("damping {damping}: expected a number from 0 on")));
    }
    let metric = quantum_fisher(f, theta)? * 0.25;
    let (values, vectors) = eigh(&metric)?;
    let largest = values.as_slice().iter().fold(0.0f64, |m, x| m.max(x.abs()));
    let inverse: Vec<f64> = values.as_slice().iter().map(|x| if x.abs() <= 1e-12 * largest { 0.0 } else { 1.0 / (x + damping) }).collect();
    Ok(vectors.matmul(vectors.t().matmul(gradient) * Var::from(inverse)))
}

impl Circuit {
    /// The parameters in layers: in a layer, gates of different parameters act on different qubits, so that their generators commute, and
    /// blocks of the Fisher information are those of one layer each (Stokes et al.). A parameter of several gates is in the layer of the first.
    ///
    /// ```
    /// use pullback::circuit::variational_circuit;
    /// let layers = variational_circuit(2, 1)?.parameter_layers(); // Rx, Rz on each qubit; CNOTs; Rz, Rx
    /// assert_eq!(layers, [[0, 2], [1, 3], [4, 6], [5, 7]]);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    pub fn parameter_layers(&self) -> Vec<Vec<usize>> {
        let mut layers: Vec<Vec<usize>> = Vec::new();
        let mut layer_of: Vec<Option<usize>> = vec![None; self.parameters()];
        // the first layer that a gate on the qubit may be in, and the last parameter on it
        let mut free = vec![0; self.qubits()];
        for i in self.instructions() {
            let qubits = i.qubits();
            for angle in i.gate.angles() {
                let Angle::Parameter { index, .. } = angle else { continue };
                if layer_of[index].is_none() {
                    let layer = qubits.iter().map(|&q| free[q]).max().unwrap_or(0);
                    layers.resize(layers.len().max(layer + 1), Vec::new());
                    layers[layer].push(index);
                    layer_of[index] = Some(layer);
                }
                let after = layer_of[index].map_or(0, |l| l + 1);
                qubits.iter().for_each(|&q| free[q] = free[q].max(after));
            }
            // a gate without parameters carries the order from qubit to qubit
            let most = qubits.iter().map(|&q| free[q]).max().unwrap_or(0);
            qubits.iter().for_each(|&q| free[q] = most);
        }
        layers
    }
}
