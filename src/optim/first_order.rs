//! Steps from one gradient at a time: SGD, Adam, AdamW, RMSProp.

use super::clip::Clip;
use super::schedule::Schedule;
use super::state::State;
use crate::error::{Error, Result};
use crate::{Argument, flat};

/// An optimiser that takes one step for every gradient.
///
/// Parameters and gradient are of one type: a number, an array, a tuple, a map, …, or variables of them.
pub trait Optimizer {
    /// Its name in files and messages.
    fn name(&self) -> &'static str;

    /// One step on plain real numbers; the parameters are overwritten.
    ///
    /// # Errors
    /// Options out of range; another number of parameters than in the step before.
    fn update(&mut self, params: &mut [f64], gradient: &[f64]) -> Result<()>;

    /// What it remembers, to be saved.
    fn state(&self) -> State;

    /// Takes up a saved state; the run goes on as if it had not been interrupted, bit for bit.
    ///
    /// # Errors
    /// A state of another optimiser, or an incomplete one.
    fn restore(&mut self, state: &State) -> Result<()>;

    /// One step.
    ///
    /// ```
    /// use pullback::optim::{Adam, Optimizer};
    /// use pullback::prelude::*;
    /// let mut x = ndarray::array![3.0, -2.0];
    /// let mut adam = Adam::new(0.1);
    /// for _ in 0..500 {
    ///     let g = grad(|x: &Var<f64>| (x - 1.0).square().sum(), &x)?;
    ///     adam.step(&mut x, &g)?;
    /// }
    /// assert!((x[0] - 1.0).abs() < 1e-3 && (x[1] - 1.0).abs() < 1e-3);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Errors
    /// A gradient of other shapes than the parameters, or with a number that is not finite; options out of range.
    fn step<A: Argument>(&mut self, params: &mut A, gradient: &A) -> Result<()>
    where
        Self: Sized,
    {
        let (vars, g) = (params.to_vars(), gradient.to_vars());
        flat::check_same(self.name(), ["the parameter", "its gradient"], &vars, &g)?;
        let (mut x, gradient) = (flat::to_vec(&vars), flat::to_vec(&g));
        if let Some(i) = gradient.iter().position(|g| !g.is_finite()) {
            let place = flat::component(&g, i);
            return Err(Error::non_finite(self.name(), format!("the gradient is {} in {place}; no step was taken", gradient[i])));
        }
        self.update(&mut x, &gradient)?;
        *params = params.from_vars(flat::read(&vars, &x))?;
        Ok(())
    }
}

/// A buffer that is zero before the first step.
fn ready(operation: &'static str, buffer: &mut Vec<f64>, n: usize) -> Result<()> {
    if buffer.is_empty() {
        buffer.resize(n, 0.0);
    }
    if buffer.len() != n {
        return Err(Error::shape(
            operation,
            format!("the state belongs to {} real parameters, got {n}: use one optimiser for each set", buffer.len()),
        ));
    }
    Ok(())
}

fn fraction(operation: &'static str, name: &str, x: f64) -> Result<()> {
    if (0.0..1.0).contains(&x) { Ok(()) } else { Err(Error::argument(operation, format!("{name} must lie in [0, 1), got {x}"))) }
}

fn not_negative(operation: &'static str, name: &str, x: f64) -> Result<()> {
    if x >= 0.0 && x.is_finite() { Ok(()) } else { Err(Error::argument(operation, format!("{name} must not be negative, got {x}"))) }
}

/// Stochastic gradient descent with momentum: v ← μ v + g, x ← x − η v; Nesterov's form steps along g + μ v.
#[derive(Clone, Debug)]
pub struct Sgd {
    /// The learning rate η.
    pub rate: Schedule,
    /// The momentum μ in [0, 1).
    pub momentum: f64,
    /// Whether the step looks ahead.
    pub nesterov: bool,
    /// Bounds on the gradient.
    pub clip: Clip,
    velocity: Vec<f64>,
    steps: u64,
}

impl Sgd {
    /// Plain gradient descent with this learning rate.
    pub fn new(rate: impl Into<Schedule>) -> Self {
        Sgd { rate: rate.into(), momentum: 0.0, nesterov: false, clip: Clip::None, velocity: Vec::new(), steps: 0 }
    }

    /// With momentum μ.
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// With Nesterov's momentum μ.
    pub fn nesterov(mut self, momentum: f64) -> Self {
        (self.momentum, self.nesterov) = (momentum, true);
        self
    }

    /// With bounds on the gradient.
    pub fn clip(mut self, clip: Clip) -> Self {
        self.clip = clip;
        self
    }
}

impl Optimizer for Sgd {
    fn name(&self) -> &'static str {
        "sgd"
    }
    fn update(&mut self, params: &mut [f64], gradient: &[f64]) -> Result<()> {
        self.rate.check("sgd")?;
        self.clip.check("sgd")?;
        fraction("sgd", "momentum", self.momentum)?;
        ready("sgd", &mut self.velocity, params.len())?;
        let (rate, mu) = (self.rate.at(self.steps), self.momentum);
        let mut g = gradient.to_vec();
        self.clip.apply(&mut g);
        for ((x, v), g) in params.iter_mut().zip(&mut self.velocity).zip(g) {
            *v = mu * *v + g;
            *x -= rate * if self.nesterov { g + mu * *v } else { *v };
        }
        self.steps += 1;
        Ok(())
    }
    fn state(&self) -> State {
        let mut state = State::new("sgd");
        state.set_count("steps", self.steps);
        state.set("velocity", &self.velocity);
        state
    }
    fn restore(&mut self, state: &State) -> Result<()> {
        state.expect("sgd")?;
        (self.steps, self.velocity) = (state.count("steps")?, state.get("velocity")?);
        Ok(())
    }
}

/// Adam (Kingma and Ba, arXiv:1412.6980): m ← β₁ m + (1−β₁) g, v ← β₂ v + (1−β₂) g², x ← x − η m̂ / (√v̂ + ε) with the bias of the first
/// steps taken out of m̂ and v̂.
///
/// With a weight decay λ it is AdamW (Loshchilov and Hutter, arXiv:1711.05101): x ← x − η λ x besides, apart from the moments. Real and
/// imaginary parts have their own second moments.
#[derive(Clone, Debug)]
pub struct Adam {
    /// The learning rate η.
    pub rate: Schedule,
    /// β₁ and β₂, each in [0, 1).
    pub betas: [f64; 2],
    /// ε > 0.
    pub epsilon: f64,
    /// λ of AdamW.
    pub weight_decay: f64,
    /// Bounds on the gradient.
    pub clip: Clip,
    first: Vec<f64>,
    second: Vec<f64>,
    steps: u64,
}

impl Adam {
    /// With this learning rate, β = (0.9, 0.999), ε = 1e-8.
    pub fn new(rate: impl Into<Schedule>) -> Self {
        Adam {
            rate: rate.into(),
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            weight_decay: 0.0,
            clip: Clip::None,
            first: Vec::new(),
            second: Vec::new(),
            steps: 0,
        }
    }

    /// AdamW: Adam with a decay of the parameters that does not enter the moments.
    pub fn adamw(rate: impl Into<Schedule>, weight_decay: f64) -> Self {
        Adam { weight_decay, ..Adam::new(rate) }
    }

    /// With other decay rates β₁ and β₂ of the moments.
    pub fn betas(mut self, betas: [f64; 2]) -> Self {
        self.betas = betas;
        self
    }

    /// With bounds on the gradient.
    pub fn clip(mut self, clip: Clip) -> Self {
        self.clip = clip;
        self
    }
}

impl Optimizer for Adam {
    fn name(&self) -> &'static str {
        "adam"
    }
    fn update(&mut self, params: &mut [f64], gradient: &[f64]) -> Result<()> {
        self.rate.check("adam")?;
        self.clip.check("adam")?;
        fraction("adam", "β₁", self.betas[0])?;
        fraction("adam", "β₂", self.betas[1])?;
        not_negative("adam", "the weight decay", self.weight_decay)?;
        if !(self.epsilon > 0.0) {
            return Err(Error::argument("adam", format!("ε must be positive, got {}", self.epsilon)));
        }
        ready("adam", &mut self.first, params.len())?;
        ready("adam", &mut self.second, params.len())?;
        let rate = self.rate.at(self.steps);
        self.steps += 1;
        let [b1, b2] = self.betas;
        let correct = |b: f64| 1.0 / (1.0 - b.powf(self.steps as f64));
        let (c1, c2) = (correct(b1), correct(b2));
        let mut g = gradient.to_vec();
        self.clip.apply(&mut g);
        for (((x, m), v), g) in params.iter_mut().zip(&mut self.first).zip(&mut self.second).zip(g) {
            *m = b1 * *m + (1.0 - b1) * g;
            *v = b2 * *v + (1.0 - b2) * g * g;
            *x -= rate * (self.weight_decay * *x + *m * c1 / ((*v * c2).sqrt() + self.epsilon));
        }
        Ok(())
    }
    fn state(&self) -> State {
        let mut state = State::new("adam");
        state.set_count("steps", self.steps);
        state.set("first_moment", &self.first);
        state.set("second_moment", &self.second);
        state
    }
    fn restore(&mut self, state: &State) -> Result<()> {
        state.expect("adam")?;
        self.steps = state.count("steps")?;
        (self.first, self.second) = (state.get("first_moment")?, state.get("second_moment")?);
        Ok(())
    }
}

/// RMSProp (Hinton, lecture 6e of "Neural networks for machine learning"): v ← ρ v + (1−ρ) g², u ← μ u + g / (√v + ε), x ← x − η u.
#[derive(Clone, Debug)]
pub struct RmsProp {
    /// The learning rate η.
    pub rate: Schedule,
    /// ρ in [0, 1).
    pub decay: f64,
    /// ε > 0.
    pub epsilon: f64,
    /// The momentum μ in [0, 1).
    pub momentum: f64,
    /// Bounds on the gradient.
    pub clip: Clip,
    second: Vec<f64>,
    velocity: Vec<f64>,
    steps: u64,
}

impl RmsProp {
    /// With this learning rate, ρ = 0.99, ε = 1e-8, without momentum.
    pub fn new(rate: impl Into<Schedule>) -> Self {
        RmsProp {
            rate: rate.into(),
            decay: 0.99,
            epsilon: 1e-8,
            momentum: 0.0,
            clip: Clip::None,
            second: Vec::new(),
            velocity: Vec::new(),
            steps: 0,
        }
    }

    /// With momentum μ.
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// With bounds on the gradient.
    pub fn clip(mut self, clip: Clip) -> Self {
        self.clip = clip;
        self
    }
}

impl Optimizer for RmsProp {
    fn name(&self) -> &'static str {
        "rmsprop"
    }
    fn update(&mut self, params: &mut [f64], gradient: &[f64]) -> Result<()> {
        self.rate.check("rmsprop")?;
        self.clip.check("rmsprop")?;
        fraction("rmsprop", "the decay ρ", self.decay)?;
        fraction("rmsprop", "momentum", self.momentum)?;
        if !(self.epsilon > 0.0) {
            return Err(Error::argument("rmsprop", format!("ε must be positive, got {}", self.epsilon)));
        }
        ready("rmsprop", &mut self.second, params.len())?;
        ready("rmsprop", &mut self.velocity, params.len())?;
        let rate = self.rate.at(self.steps);
        self.steps += 1;
        let mut g = gradient.to_vec();
        self.clip.apply(&mut g);
        for (((x, v), u), g) in params.iter_mut().zip(&mut self.second).zip(&mut self.velocity).zip(g) {
            *v = self.decay * *v + (1.0 - self.decay) * g * g;
            *u = self.momentum * *u + g / (v.sqrt() + self.epsilon);
            *x -= rate * *u;
        }
        Ok(())
    }
    fn state(&self) -> State {
        let mut state = State::new("rmsprop");
        state.set_count("steps", self.steps);
        state.set("second_moment", &self.second);
        state.set("velocity", &self.velocity);
        state
    }
    fn restore(&mut self, state: &State) -> Result<()> {
        state.expect("rmsprop")?;
        self.steps = state.count("steps")?;
        (self.second, self.velocity) = (state.get("second_moment")?, state.get("velocity")?);
        Ok(())
    }
}
