//! Programs: circuits with measurements, resets, classical conditions and noise between their gates.
//!
//! A run follows one trajectory: where a channel or a measurement has several outcomes k, one is drawn with its probability
//! q_k = ‖K_k ψ‖², and ψ becomes K_k ψ/√q_k with q_k kept fixed. The mean of ⟨H⟩ over trajectories is Σ_k q_k · ⟨K_kψ|H|K_kψ⟩/q_k, and since
//! the weights are constants its derivative is unbiased too (the quantum jump method: Dalibard, Castin and Mølmer, PRL 68, 580 (1992)).

use super::channel::Channel;
use super::density::DensityMatrix;
use super::entanglement::check_choice;
use super::matrix::act;
use super::observable::Observable;
use super::sampling::Estimate;
use super::state::StateVector;
use super::tree::Circuit;
use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::kernels::parallel::collect;
use num_complex::Complex;
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// A step of a [`Program`].
#[derive(Clone, Debug)]
pub enum Operation {
    /// A circuit on all qubits.
    Circuit {
        /// The circuit.
        circuit: Arc<Circuit>,
        /// Where its parameters are in those of the program.
        parameters: Range<usize>,
    },
    /// The outcome of a qubit is written to a bit.
    Measure {
        /// The qubit.
        qubit: usize,
        /// The bit.
        bit: usize,
    },
    /// A qubit becomes 0.
    Reset {
        /// The qubit.
        qubit: usize,
    },
    /// Noise.
    Channel {
        /// The map.
        channel: Channel,
        /// Where it acts.
        qubits: Vec<usize>,
    },
    /// Something that happens if bits have a value.
    If {
        /// The bits, the first the lowest of the value.
        bits: Range<usize>,
        /// The value.
        value: u64,
        /// What happens.
        then: Box<Operation>,
    },
    /// Nothing; gates are not moved across it.
    Barrier {
        /// The qubits.
        qubits: Vec<usize>,
    },
}

/// The end of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The state. Its norm is 1, but not its norm's derivative: see [`Program::run`].
    pub state: StateVector,
    /// The classical bits.
    pub bits: Vec<bool>,
}

impl Outcome {
    /// The bits as a number, bit 0 the lowest.
    pub fn value(&self) -> u64 {
        self.bits.iter().enumerate().map(|(i, b)| u64::from(*b) << i).sum()
    }
}

/// Steps on a register of qubits and one of classical bits.
///
/// ```
/// use pullback::prelude::*;
/// use pullback::circuit::{Circuit, Program};
/// use rand::{SeedableRng, rngs::StdRng};
/// // teleportation: what is measured is corrected, and qubit 2 has what qubit 0 had
/// let mut program = Program::new(3, 2)?;
/// let mut c = Circuit::new(3);
/// c.ry(0, 0.8)?.h(1)?.cnot(1, 2)?.cnot(0, 1)?.h(0)?;
/// program.circuit(&c)?.measure(0, 0)?.measure(1, 1)?;
/// program.if_equal(1..2, 1, Circuit::new(3).x(2)?)?.if_equal(0..1, 1, Circuit::new(3).z(2)?)?;
/// let none = Var::from(vec![]);
/// for seed in 0..4 {
///     let end = program.run(&none, &mut StdRng::seed_from_u64(seed))?;
///     let z = end.state.expectation(&"Z2".parse()?)?.item();
///     assert!((z - 0.8f64.cos()).abs() < 1e-14);
/// }
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Program {
    qubits: usize,
    bits: usize,
    parameters: usize,
    operations: Vec<Operation>,
}

impl Program {
    /// The empty program.
    ///
    /// # Errors
    /// If there are more than 64 classical bits.
    pub fn new(qubits: usize, bits: usize) -> Result<Program> {
        if bits > 64 {
            return Err(Error::argument("Program", format!("{bits} classical bits: at most 64")));
        }
        Ok(Program { qubits, bits, parameters: 0, operations: Vec::new() })
    }

    /// The number of qubits.
    pub fn qubits(&self) -> usize {
        self.qubits
    }

    /// The number of classical bits.
    pub fn bits(&self) -> usize {
        self.bits
    }

    /// The number of parameters: those of its circuits, one after the other.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// The steps.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    fn check_circuit(&self, circuit: &Circuit) -> Result<()> {
        if circuit.qubits() == self.qubits {
            return Ok(());
        }
        Err(Error::argument("Program::circuit", format!("the circuit has {} qubits, the program {}", circuit.qubits(), self.qubits)))
    }

    fn take_circuit(&mut self, circuit: &Circuit) -> Operation {
        let first = self.parameters;
        self.parameters += circuit.parameters();
        Operation::Circuit { circuit: Arc::new(circuit.clone()), parameters: first..self.parameters }
    }

    /// Adds a circuit on all qubits; its parameters come after those that are there.
    ///
    /// # Errors
    /// If it has another number of qubits.
    pub fn circuit(&mut self, circuit: &Circuit) -> Result<&mut Self> {
        self.check_circuit(circuit)?;
        let step = self.take_circuit(circuit);
        self.operations.push(step);
        Ok(self)
    }

    /// Adds a measurement of a qubit, its outcome in a classical bit.
    ///
    /// # Errors
    /// If the qubit or the bit is out of range.
    pub fn measure(&mut self, qubit: usize, bit: usize) -> Result<&mut Self> {
        self.check_bits(&(bit..bit + 1))?;
        check_choice("Program::measure", &[qubit], self.qubits)?;
        self.operations.push(Operation::Measure { qubit, bit });
        Ok(self)
    }

    /// Adds measurements of all qubits, qubit q to bit q.
    ///
    /// # Errors
    /// If there are fewer bits than qubits.
    pub fn measure_all(&mut self) -> Result<&mut Self> {
        for q in 0..self.qubits {
            self.measure(q, q)?;
        }
        Ok(self)
    }

    /// Sets a qubit to 0.
    ///
    /// # Errors
    /// If the qubit is out of range.
    pub fn reset(&mut self, qubit: usize) -> Result<&mut Self> {
        check_choice("Program::reset", &[qubit], self.qubits)?;
        self.operations.push(Operation::Reset { qubit });
        Ok(self)
    }

    /// Adds noise.
    ///
    /// # Errors
    /// If the number of qubits is not the channel's, or one is out of range or given twice.
    pub fn channel(&mut self, channel: &Channel, qubits: &[usize]) -> Result<&mut Self> {
        const NAME: &str = "Program::channel";
        if qubits.len() != channel.qubits() {
            return Err(Error::argument(NAME, format!("the channel acts on {} qubits, given {qubits:?}", channel.qubits())));
        }
        check_choice(NAME, qubits, self.qubits)?;
        self.operations.push(Operation::Channel { channel: channel.clone(), qubits: qubits.to_vec() });
        Ok(self)
    }

    /// Adds a barrier, for pictures and QASM.
    ///
    /// # Errors
    /// If a qubit is out of range or given twice.
    pub fn barrier(&mut self, qubits: &[usize]) -> Result<&mut Self> {
        check_choice("Program::barrier", qubits, self.qubits)?;
        self.operations.push(Operation::Barrier { qubits: qubits.to_vec() });
        Ok(self)
    }

    fn check_bits(&self, bits: &Range<usize>) -> Result<()> {
        if bits.start < bits.end && bits.end <= self.bits {
            return Ok(());
        }
        Err(Error::argument("Program", format!("classical bits {bits:?}: there are {}, numbered from 0", self.bits)))
    }

    /// Adds a circuit that is run if bits have a value, the first bit the lowest of it.
    ///
    /// # Errors
    /// If the bits are out of range, or the circuit has another number of qubits.
    pub fn if_equal(&mut self, bits: Range<usize>, value: u64, circuit: &Circuit) -> Result<&mut Self> {
        self.check_bits(&bits)?;
        self.check_circuit(circuit)?;
        let then = Box::new(self.take_circuit(circuit));
        self.operations.push(Operation::If { bits, value, then });
        Ok(self)
    }

    /// The last step happens only if bits have a value.
    pub(super) fn condition_last(&mut self, bits: Range<usize>, value: u64) -> Result<()> {
        self.check_bits(&bits)?;
        if let Some(then) = self.operations.pop() {
            self.operations.push(Operation::If { bits, value, then: Box::new(then) });
        }
        Ok(())
    }

    /// The program as one circuit.
    ///
    /// # Errors
    /// If it has more than gates, barriers, and measurements at its end.
    pub fn to_circuit(&self) -> Result<Circuit> {
        let mut all = Circuit::new(self.qubits);
        let qubits: Vec<usize> = (0..self.qubits).collect();
        let mut measured = vec![false; self.qubits];
        for (at, step) in self.operations.iter().enumerate() {
            match step {
                Operation::Circuit { circuit, .. } => {
                    if let Some(q) = circuit.instructions().iter().flat_map(|i| i.qubits()).find(|&q| measured[q]) {
                        let message = format!("step {at} acts on qubit {q} after its measurement: run the program instead");
                        return Err(Error::argument("Program::to_circuit", message));
                    }
                    all.append(circuit, &qubits)?;
                }
                Operation::Measure { qubit, .. } => measured[*qubit] = true,
                Operation::Barrier { .. } => {}
                _ => {
                    let message = format!("step {at} is a reset, a channel or a condition, no gate: run the program instead");
                    return Err(Error::argument("Program::to_circuit", message));
                }
            }
        }
        Ok(all)
    }

    fn check_parameters(&self, theta: &Var<f64>) -> Result<()> {
        if theta.shape() == [self.parameters] {
            return Ok(());
        }
        Err(Error::shape("Program::run", format!("parameters of shape {:?}: expected [{}]", theta.shape(), self.parameters)))
    }

    /// One run from |0…0⟩, drawing from `rng` wherever there is a choice.
    ///
    /// Differentiable in θ along the trajectory that was drawn. The state is divided by the square root of the probability of what was
    /// drawn, as a number: then the gradient of ⟨H⟩ is right on average over trajectories, see [`expectation`](Program::expectation).
    ///
    /// # Errors
    /// If θ does not have the program's number of parameters.
    pub fn run(&self, theta: &Var<f64>, rng: &mut dyn Rng) -> Result<Outcome> {
        self.check_parameters(theta)?;
        let mut end = Outcome { state: StateVector::zero(self.qubits)?, bits: vec![false; self.bits] };
        for step in &self.operations {
            self.step(step, theta, &mut end, rng)?;
        }
        Ok(end)
    }

    fn step(&self, step: &Operation, theta: &Var<f64>, end: &mut Outcome, rng: &mut dyn Rng) -> Result<()> {
        match step {
            Operation::Barrier { .. } => {}
            Operation::Circuit { circuit, parameters } => {
                let theta = theta.slice(ndarray::s![parameters.clone()]);
                end.state = circuit.run(&theta, &end.state)?;
            }
            Operation::Measure { qubit, bit } => {
                let outcome = draw(&mut end.state, &measurement(), &[*qubit], rng)?;
                end.bits[*bit] = outcome == 1;
            }
            Operation::Reset { qubit } => {
                draw(&mut end.state, Channel::reset().operators(), &[*qubit], rng)?;
            }
            Operation::Channel { channel, qubits } => {
                draw(&mut end.state, channel.operators(), qubits, rng)?;
            }
            Operation::If { bits, value, then } => {
                let found: u64 = bits.clone().enumerate().map(|(i, b)| u64::from(end.bits[b]) << i).sum();
                if found == *value {
                    self.step(then, theta, end, rng)?;
                }
            }
        }
        Ok(())
    }

    /// The classical bits after each of `shots` runs, as numbers with bit 0 the lowest. Run i draws from a generator of its own, seeded by
    /// `seed` and i: the same at any number of threads.
    ///
    /// # Errors
    /// As [`run`](Program::run).
    pub fn sample(&self, theta: &[f64], shots: usize, seed: u64) -> Result<Vec<u64>> {
        let theta = Var::from(theta);
        self.check_parameters(&theta)?;
        if let Some(outcomes) = self.measured_at_the_end(&theta, shots, seed)? {
            return Ok(outcomes);
        }
        collect(shots, |i| Ok(self.run(&theta, &mut generator(seed, i))?.value())).into_iter().collect()
    }

    /// How often each value of the classical bits occurs in `shots` runs.
    ///
    /// # Errors
    /// As [`run`](Program::run).
    pub fn counts(&self, theta: &[f64], shots: usize, seed: u64) -> Result<BTreeMap<u64, usize>> {
        let mut counts = BTreeMap::new();
        for outcome in self.sample(theta, shots, seed)? {
            *counts.entry(outcome).or_insert(0) += 1;
        }
        Ok(counts)
    }

    /// Where all that is random is measurements at the end, one state serves all shots.
    fn measured_at_the_end(&self, theta: &Var<f64>, shots: usize, seed: u64) -> Result<Option<Vec<u64>>> {
        let Ok(circuit) = self.to_circuit() else { return Ok(None) };
        let mut places = vec![None; self.bits];
        for step in &self.operations {
            if let Operation::Measure { qubit, bit } = step {
                places[*bit] = Some(*qubit);
            }
        }
        // `append` gives named parameters of several circuits one place, here each has its own
        if circuit.parameters() != self.parameters {
            return Ok(None);
        }
        let outcomes = circuit.state(theta)?.sample(shots, &mut generator(seed, 0))?;
        let word = |o: usize| places.iter().enumerate().map(|(b, q)| q.map_or(0, |q| (o as u64 >> q & 1) << b)).sum();
        Ok(Some(outcomes.into_iter().map(word).collect()))
    }

    /// ⟨H⟩ over `trajectories` runs: the mean, differentiable in θ (its gradient is unbiased), and its standard error.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// use pullback::circuit::{Channel, Circuit, PauliSum, Program};
    /// let mut c = Circuit::new(1);
    /// let p = c.parameter();
    /// c.rx(0, p)?;
    /// let mut program = Program::new(1, 0)?;
    /// program.circuit(&c)?.channel(&Channel::bit_flip(0.25)?, &[0])?;
    /// let z: PauliSum = "Z0".parse()?;
    /// let exact = program.density(&Var::from([0.3]))?.expectation(&z)?.item();
    /// let (mean, spread) = program.expectation(&z, &Var::from([0.3]), 400, 7)?;
    /// assert!((exact - 0.5 * 0.3f64.cos()).abs() < 1e-14 && (mean.item() - exact).abs() < 4.0 * spread.error);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`run`](Program::run), if there are fewer than 2 trajectories, or H does not fit the qubits.
    pub fn expectation(&self, h: &impl Observable<f64>, theta: &Var<f64>, trajectories: usize, seed: u64) -> Result<(Var<f64>, Estimate)> {
        if trajectories < 2 {
            let message = format!("{trajectories} trajectories: at least 2, for a mean and its error");
            return Err(Error::argument("Program::expectation", message));
        }
        let mut sum = Var::scalar(0.0);
        let mut values = Vec::with_capacity(trajectories);
        for i in 0..trajectories {
            let energy = h.expectation(&self.run(theta, &mut generator(seed, i))?.state)?;
            values.push(energy.item());
            sum += energy;
        }
        let n = trajectories as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / (n * (n - 1.0));
        Ok((sum * (1.0 / n), Estimate { value: mean, error: variance.sqrt() }))
    }

    /// The density matrix after the program, averaged over all outcomes; differentiable in θ.
    ///
    /// # Errors
    /// As [`run`](Program::run), if there are more than 13 qubits, or if something depends on a classical bit.
    pub fn density(&self, theta: &Var<f64>) -> Result<DensityMatrix> {
        self.check_parameters(theta)?;
        let mut rho = DensityMatrix::zero(self.qubits)?;
        for step in &self.operations {
            rho = match step {
                Operation::Barrier { .. } => rho,
                Operation::Circuit { circuit, parameters } => rho.run(circuit, &theta.slice(ndarray::s![parameters.clone()]))?,
                Operation::Measure { qubit, .. } => rho.channel(&Channel::dephasing(), &[*qubit])?,
                Operation::Reset { qubit } => rho.channel(&Channel::reset(), &[*qubit])?,
                Operation::Channel { channel, qubits } => rho.channel(channel, qubits)?,
                Operation::If { .. } => {
                    return Err(Error::argument(
                        "Program::density",
                        "a step depends on classical bits: average over runs instead, by `expectation`",
                    ));
                }
            };
        }
        Ok(rho)
    }
}

/// A generator of its own for each run.
fn generator(seed: u64, run: usize) -> StdRng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&(run as u64).to_le_bytes());
    StdRng::from_seed(bytes)
}

/// The projectors on 0 and 1.
fn measurement() -> [Var<Complex<f64>>; 2] {
    [0, 1].map(|b| Var::from(ndarray::Array2::from_shape_fn((2, 2), |(i, j)| Complex::new(f64::from(i == b && j == b), 0.0))))
}

/// One of the outcomes, and the state after it.
fn draw(state: &mut StateVector, operators: &[Var<Complex<f64>>], qubits: &[usize], rng: &mut dyn Rng) -> Result<usize> {
    let psi = state.amplitudes();
    let u: f64 = rng.random();
    let mut below = 0.0;
    let mut last = None;
    for (k, operator) in operators.iter().enumerate() {
        let next = act(operator, qubits, psi);
        let q: f64 = next.as_slice().iter().map(|z| z.norm_sqr()).sum();
        below += q;
        if q > 0.0 {
            last = Some((k, next, q));
        }
        // the norm is 1 up to rounding, so that the last possible outcome takes what is left
        if u < below {
            break;
        }
    }
    let Some((k, next, q)) = last else { return Err(Error::non_finite("Program::run", "the state's norm is 0 or not finite")) };
    *state = StateVector::unnormalized(next * Complex::new(1.0 / q.sqrt(), 0.0))?;
    Ok(k)
}
