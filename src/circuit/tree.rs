//! [`Circuit`]: a tree of blocks.

use super::angle::{Angle, Parameter};
use super::gate::{Gate, Unitary};
use super::pauli::{PauliString, PauliSum};
use super::plan::Plan;
use crate::error::{Error, Result};
use std::sync::{Arc, OnceLock};

/// A qubit that a gate depends on, and the value it must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Control {
    /// The qubit.
    pub qubit: usize,
    /// The value for which the gate acts.
    pub value: bool,
}

impl From<usize> for Control {
    /// The gate acts where the qubit is 1.
    fn from(qubit: usize) -> Self {
        Control { qubit, value: true }
    }
}

impl From<(usize, bool)> for Control {
    fn from((qubit, value): (usize, bool)) -> Self {
        Control { qubit, value }
    }
}

/// How exp(−iθ Σ_t c_t P_t) is split into exponentials of single strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Trotter {
    /// Π_t exp(−iδ c_t P_t): error O(θ²/steps)
    First,
    /// The symmetric product: error O(θ³/steps²) (Strang)
    #[default]
    Second,
    /// Five symmetric products of lengths p, p, 1 − 4p, p, p with p = 1/(4 − 4^{1/3}): error O(θ⁵/steps⁴) (Suzuki 1990)
    Fourth,
}

/// A part of a circuit.
#[derive(Clone, Debug)]
pub enum Block {
    /// One gate.
    Gate {
        /// Which.
        gate: Gate,
        /// The qubits it acts on.
        targets: Vec<usize>,
        /// The qubits it depends on.
        controls: Vec<Control>,
    },
    /// exp(−iθH), by a product formula.
    Exponential {
        /// H
        sum: PauliSum,
        /// θ
        angle: Angle,
        /// The formula.
        trotter: Trotter,
        /// How many times it is applied, with θ/steps each.
        steps: usize,
        /// The qubits it depends on.
        controls: Vec<Control>,
    },
    /// Another circuit on some of the qubits, possibly repeated, inverted and controlled.
    Nested {
        /// The circuit.
        body: Arc<Circuit>,
        /// Where its qubits are.
        qubits: Vec<usize>,
        /// What its parameters are.
        angles: Vec<Angle>,
        /// The qubits it depends on.
        controls: Vec<Control>,
        /// How many times it is applied.
        times: usize,
        /// Whether its inverse is meant.
        inverse: bool,
    },
}

/// A quantum circuit: blocks on a register of qubits, applied in order, with parameters θ.
///
/// Qubit q is bit q of the index of an amplitude: |q_{n−1} … q₁ q₀⟩. A method that adds a gate returns the circuit, so calls chain:
///
/// ```
/// use pullback::prelude::*;
/// use pullback::circuit::{Circuit, PauliSum, StateVector};
///
/// let mut c = Circuit::new(2);
/// let theta = c.parameter();
/// c.h(0)?.rx(1, theta)?.cnot(0, 1)?.rz(1, 2.0 * theta)?;
/// let h: PauliSum = "Z0 Z1 + 0.5 X0".parse()?;
/// let energy = |theta: &Var<f64>| c.run(theta, &StateVector::zero(2)?)?.expectation(&h);
/// let (e, g) = value_and_grad(energy, &ndarray::array![0.3])?;
/// assert!((e.item() - 0.3f64.cos()).abs() < 1e-12 && (g[0] + 0.3f64.sin()).abs() < 1e-12);
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Circuit {
    qubits: usize,
    blocks: Vec<Block>,
    /// A name for each parameter that has one.
    parameters: Vec<Option<String>>,
    plan: OnceLock<Arc<Plan>>,
}

macro_rules! gates {
    ($($(#[$doc:meta])* $name:ident($($qubit:ident),*; $($angle:ident),*) = $gate:expr;)*) => { $(
        $(#[$doc])*
        ///
        /// # Errors
        /// If a qubit is out of range or used twice, or a parameter is not one of this circuit.
        pub fn $name(&mut self, $($qubit: usize,)* $($angle: impl Into<Angle>),*) -> Result<&mut Self> {
            $(let $angle = $angle.into();)*
            self.gate($gate, &[$($qubit),*])
        }
    )* };
}

macro_rules! controlled_gates {
    ($($(#[$doc:meta])* $name:ident($($control:ident),*; $target:ident; $($angle:ident),*) = $gate:expr;)*) => { $(
        $(#[$doc])*
        ///
        /// # Errors
        /// If a qubit is out of range or used twice, or a parameter is not one of this circuit.
        pub fn $name(&mut self, $($control: usize,)* $target: usize, $($angle: impl Into<Angle>),*) -> Result<&mut Self> {
            $(let $angle = $angle.into();)*
            self.controlled($gate, &[$target], &[$(Control::from($control)),*])
        }
    )* };
}

impl Circuit {
    /// The empty circuit on `qubits` qubits.
    pub fn new(qubits: usize) -> Circuit {
        Circuit { qubits, blocks: Vec::new(), parameters: Vec::new(), plan: OnceLock::new() }
    }

    /// The number of qubits.
    pub fn qubits(&self) -> usize {
        self.qubits
    }

    /// The blocks, in the order in which they act.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The number of parameters.
    pub fn parameters(&self) -> usize {
        self.parameters.len()
    }

    /// A new parameter, the next in the array θ.
    pub fn parameter(&mut self) -> Parameter {
        self.parameters.push(None);
        Parameter(self.parameters.len() - 1)
    }

    /// The parameter of this name; a new one if there is none.
    pub fn named(&mut self, name: &str) -> Parameter {
        if let Some(index) = self.parameters.iter().position(|n| n.as_deref() == Some(name)) {
            return Parameter(index);
        }
        self.parameters.push(Some(name.into()));
        Parameter(self.parameters.len() - 1)
    }

    /// The name of a parameter, if it has one.
    pub fn parameter_name(&self, index: usize) -> Option<&str> {
        self.parameters.get(index)?.as_deref()
    }

    /// The same circuit with one parameter replaced by a number; those after it move up by one place.
    ///
    /// # Errors
    /// If there is no such parameter or the value is not finite.
    pub fn freeze(&self, index: usize, value: f64) -> Result<Circuit> {
        const NAME: &str = "Circuit::freeze";
        if index >= self.parameters.len() {
            return Err(Error::argument(NAME, format!("parameter {index}: the circuit has {}", self.parameters.len())));
        }
        if !value.is_finite() {
            return Err(Error::non_finite(NAME, format!("parameter {index} would be {value}")));
        }
        let angles: Vec<Angle> = (0..self.parameters.len())
            .map(|i| match i.cmp(&index) {
                std::cmp::Ordering::Equal => Angle::Fixed(value),
                std::cmp::Ordering::Less => Parameter(i).into(),
                std::cmp::Ordering::Greater => Parameter(i - 1).into(),
            })
            .collect();
        let map = |a: Angle| a.substitute(&angles);
        let mut parameters = self.parameters.clone();
        parameters.remove(index);
        let blocks = self.blocks.iter().map(|block| match block.clone() {
            Block::Gate { gate, targets, controls } => Block::Gate { gate: gate.map_angles(map), targets, controls },
            Block::Exponential { sum, angle, trotter, steps, controls } => {
                Block::Exponential { sum, angle: map(angle), trotter, steps, controls }
            }
            Block::Nested { body, qubits, angles, controls, times, inverse } => {
                Block::Nested { body, qubits, angles: angles.into_iter().map(map).collect(), controls, times, inverse }
            }
        });
        Ok(Circuit { qubits: self.qubits, blocks: blocks.collect(), parameters, plan: OnceLock::new() })
    }

    fn check_qubits(&self, operation: &'static str, qubits: impl Iterator<Item = usize>) -> Result<()> {
        let mut seen = std::collections::BTreeSet::new();
        for q in qubits {
            if q >= self.qubits {
                return Err(Error::argument(operation, format!("qubit {q}: the circuit has {}, numbered from 0", self.qubits)));
            }
            if !seen.insert(q) {
                return Err(Error::argument(operation, format!("qubit {q} is used twice in one gate: targets and controls must differ")));
            }
        }
        Ok(())
    }

    fn check_angle(&self, operation: &'static str, angle: Angle) -> Result<()> {
        match angle {
            Angle::Fixed(x) if !x.is_finite() => Err(Error::non_finite(operation, format!("the angle is {x}"))),
            Angle::Parameter { scale, shift, .. } if !(scale.is_finite() && shift.is_finite()) => {
                Err(Error::non_finite(operation, format!("the angle is {scale} θ + {shift}")))
            }
            Angle::Parameter { index, .. } if index >= self.parameters.len() => Err(Error::argument(
                operation,
                format!("parameter {index}: the circuit has {}; take it from this circuit's `parameter`", self.parameters.len()),
            )),
            _ => Ok(()),
        }
    }

    fn push(&mut self, block: Block) -> &mut Self {
        self.plan = OnceLock::new();
        self.blocks.push(block);
        self
    }

    /// A gate on the given qubits.
    ///
    /// # Errors
    /// If their number is not that of the gate's targets, one is out of range or used twice, or a parameter is not one of this circuit.
    pub fn gate(&mut self, gate: Gate, targets: &[usize]) -> Result<&mut Self> {
        self.controlled(gate, targets, &[])
    }

    /// A gate that acts where all controls have their values.
    ///
    /// # Errors
    /// As [`gate`](Circuit::gate).
    pub fn controlled(&mut self, gate: Gate, targets: &[usize], controls: &[Control]) -> Result<&mut Self> {
        const NAME: &str = "Circuit::gate";
        if let Gate::Diagonal(d, _) = &gate {
            if !d.len().is_power_of_two() {
                return Err(Error::shape(NAME, format!("a diagonal with {} entries: expected 2ᵏ", d.len())));
            }
            if let Some(x) = d.iter().find(|x| !x.is_finite()) {
                return Err(Error::non_finite(NAME, format!("an entry of the diagonal is {x}")));
            }
        }
        if gate.targets() != targets.len() {
            return Err(Error::argument(
                NAME,
                format!("{} acts on {} qubits, given {}: {targets:?}", gate.name(), gate.targets(), targets.len()),
            ));
        }
        self.check_qubits(NAME, targets.iter().copied().chain(controls.iter().map(|c| c.qubit)))?;
        for angle in gate.angles() {
            self.check_angle(NAME, angle)?;
        }
        Ok(self.push(Block::Gate { gate, targets: targets.to_vec(), controls: controls.to_vec() }))
    }

    gates! {
        /// σˣ
        x(q;) = Gate::X;
        /// σʸ
        y(q;) = Gate::Y;
        /// σᶻ
        z(q;) = Gate::Z;
        /// Hadamard
        h(q;) = Gate::H;
        /// diag(1, i)
        s(q;) = Gate::S;
        /// diag(1, e^{iπ/4})
        t(q;) = Gate::T;
        /// √X
        sqrt_x(q;) = Gate::SqrtX;
        /// exp(−iθX/2)
        rx(q; theta) = Gate::Rx(theta);
        /// exp(−iθY/2)
        ry(q; theta) = Gate::Ry(theta);
        /// exp(−iθZ/2)
        rz(q; theta) = Gate::Rz(theta);
        /// diag(1, e^{iθ})
        phase(q; theta) = Gate::Phase(theta);
        /// U(θ, φ, λ)
        u3(q; theta, phi, lambda) = Gate::U3(theta, phi, lambda);
        /// Exchanges two qubits.
        swap(a, b;) = Gate::Swap;
        /// |01⟩ → i|10⟩, |10⟩ → i|01⟩
        iswap(a, b;) = Gate::ISwap;
        /// exp(−iθ(XX + YY)/2), then e^{−iφ} on |11⟩
        fsim(a, b; theta, phi) = Gate::FSim(theta, phi);
        /// exp(−iθXX/2)
        rxx(a, b; theta) = Gate::PauliRotation(vec![super::Pauli::X; 2], theta);
        /// exp(−iθYY/2)
        ryy(a, b; theta) = Gate::PauliRotation(vec![super::Pauli::Y; 2], theta);
        /// exp(−iθZZ/2)
        rzz(a, b; theta) = Gate::PauliRotation(vec![super::Pauli::Z; 2], theta);
    }

    controlled_gates! {
        /// X on the target where the control is 1.
        cnot(control; target;) = Gate::X;
        /// Z on the target where the control is 1.
        cz(control; target;) = Gate::Z;
        /// diag(1, e^{iθ}) on the target where the control is 1.
        cphase(control; target; theta) = Gate::Phase(theta);
        /// X on the target where both controls are 1.
        toffoli(a, b; target;) = Gate::X;
    }

    /// A unitary matrix on the given qubits, the first the lowest bit of its index.
    ///
    /// # Errors
    /// As [`gate`](Circuit::gate).
    pub fn matrix(&mut self, unitary: &Unitary, targets: &[usize]) -> Result<&mut Self> {
        self.gate(Gate::Matrix(unitary.clone()), targets)
    }

    /// exp(−iθP/2); the identity gives a global phase.
    ///
    /// # Errors
    /// As [`gate`](Circuit::gate).
    pub fn rotation(&mut self, p: &PauliString, theta: impl Into<Angle>) -> Result<&mut Self> {
        let (targets, letters): (Vec<_>, Vec<_>) = p.factors().into_iter().unzip();
        if letters.is_empty() {
            return self.gate(Gate::GlobalPhase(theta.into() * -0.5), &[]);
        }
        self.gate(Gate::PauliRotation(letters, theta.into()), &targets)
    }

    /// exp(−iθH) by a product formula over the terms of H in their order, `steps` times with θ/steps.
    ///
    /// # Errors
    /// If H acts on more qubits than there are, `steps` is 0, or the parameter is not one of this circuit.
    pub fn exponential(&mut self, h: &PauliSum, theta: impl Into<Angle>, trotter: Trotter, steps: usize) -> Result<&mut Self> {
        const NAME: &str = "Circuit::exponential";
        if h.qubits() > self.qubits {
            return Err(Error::argument(NAME, format!("the operator acts on qubit {}, the circuit has {}", h.qubits() - 1, self.qubits)));
        }
        if steps == 0 {
            return Err(Error::argument(NAME, "0 steps: at least 1"));
        }
        let angle = theta.into();
        self.check_angle(NAME, angle)?;
        Ok(self.push(Block::Exponential { sum: h.clone(), angle, trotter, steps, controls: Vec::new() }))
    }

    /// Another circuit, on the qubits given: its qubit k is `qubits[k]`. Its named parameters are those of the same names here, the others are
    /// new ones.
    ///
    /// ```
    /// use pullback::circuit::Circuit;
    /// let mut layer = Circuit::new(1);
    /// let a = layer.parameter();
    /// layer.ry(0, a)?;
    /// let mut c = Circuit::new(2);
    /// c.append(&layer, &[0])?.append(&layer, &[1])?;
    /// assert_eq!(c.parameters(), 2);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the number of qubits is not that of the other circuit, or one is out of range or used twice.
    pub fn append(&mut self, body: &Circuit, qubits: &[usize]) -> Result<&mut Self> {
        self.nest(body, qubits, &[], 1, false)
    }

    /// Another circuit `times` times, with the same parameters each time.
    ///
    /// # Errors
    /// As [`append`](Circuit::append).
    pub fn repeat(&mut self, body: &Circuit, qubits: &[usize], times: usize) -> Result<&mut Self> {
        self.nest(body, qubits, &[], times, false)
    }

    /// Another circuit where all controls have their values.
    ///
    /// # Errors
    /// As [`append`](Circuit::append).
    pub fn conditional(&mut self, body: &Circuit, qubits: &[usize], controls: &[Control]) -> Result<&mut Self> {
        self.nest(body, qubits, controls, 1, false)
    }

    /// Another circuit's inverse.
    ///
    /// # Errors
    /// As [`append`](Circuit::append).
    pub fn append_inverse(&mut self, body: &Circuit, qubits: &[usize]) -> Result<&mut Self> {
        self.nest(body, qubits, &[], 1, true)
    }

    fn nest(&mut self, body: &Circuit, qubits: &[usize], controls: &[Control], times: usize, inverse: bool) -> Result<&mut Self> {
        let angles: Vec<Angle> = body
            .parameters
            .iter()
            .map(|name| match name {
                Some(name) => self.named(name).into(),
                None => self.parameter().into(),
            })
            .collect();
        self.nest_with(body, qubits, &angles, controls, times, inverse)
    }

    /// Another circuit with its parameters given as angles of this one: shared, scaled, shifted or fixed.
    ///
    /// # Errors
    /// As [`append`](Circuit::append), and if the number of angles is not that of the other circuit's parameters.
    pub fn nest_with(
        &mut self,
        body: &Circuit,
        qubits: &[usize],
        angles: &[Angle],
        controls: &[Control],
        times: usize,
        inverse: bool,
    ) -> Result<&mut Self> {
        const NAME: &str = "Circuit::append";
        if qubits.len() != body.qubits {
            return Err(Error::argument(NAME, format!("the block has {} qubits, given {}: {qubits:?}", body.qubits, qubits.len())));
        }
        if angles.len() != body.parameters.len() {
            return Err(Error::argument(
                NAME,
                format!("the block has {} parameters, given {} angles", body.parameters.len(), angles.len()),
            ));
        }
        self.check_qubits(NAME, qubits.iter().copied().chain(controls.iter().map(|c| c.qubit)))?;
        for &angle in angles {
            self.check_angle(NAME, angle)?;
        }
        Ok(self.push(Block::Nested {
            body: Arc::new(body.clone()),
            qubits: qubits.to_vec(),
            angles: angles.to_vec(),
            controls: controls.to_vec(),
            times,
            inverse,
        }))
    }

    /// The inverse circuit, with the same parameters.
    pub fn inverse(&self) -> Circuit {
        let angles = (0..self.parameters.len()).map(|i| Parameter(i).into()).collect();
        let mut out = Circuit { qubits: self.qubits, blocks: Vec::new(), parameters: self.parameters.clone(), plan: OnceLock::new() };
        out.push(Block::Nested {
            body: Arc::new(self.clone()),
            qubits: (0..self.qubits).collect(),
            angles,
            controls: Vec::new(),
            times: 1,
            inverse: true,
        });
        out
    }

    /// The plan of the sweeps, made when it is first asked for.
    pub(crate) fn plan(&self) -> &Arc<Plan> {
        self.plan.get_or_init(|| Arc::new(Plan::new(self)))
    }
}
