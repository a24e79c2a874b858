//! Networks of sets of particles that do not depend on, or follow, their order.
//!
//! Points are (…, n, d): n particles with d features each.

use super::activation::Activation;
use super::init::Init;
use super::linear::Linear;
use super::mlp::Mlp;
use super::params::{Params, Scope};
use crate::{Real, Scalar, Var};
use rand::Rng;

#[track_caller]
fn check(operation: &str, shape: &[usize], features: usize) {
    assert!(
        shape.len() >= 2 && shape[shape.len() - 1] == features,
        "{operation}: x has shape {shape:?}, it must be (…, particles, {features})"
    );
}

/// ρ(Σ_i φ(x_i)), or with the mean for the sum: a function of the set (Zaheer et al., arXiv:1703.06114).
///
/// ```
/// use pullback::nn::{Activation, DeepSets, Params};
/// use pullback::prelude::*;
/// use rand::{SeedableRng, rngs::StdRng};
/// let mut rng = StdRng::seed_from_u64(1);
/// let mut params = Params::<f64>::new();
/// let net = DeepSets::new(&mut params.scope("v"), &[2, 16, 8], &[8, 16, 1], Activation::Silu, &mut rng);
/// let x: Var<f64> = pullback::random::normal(&mut rng, &[10, 5, 2]);
/// let swapped = x.index_select(&[1, 0, 2, 4, 3], 1);
/// let difference = net.forward(&params, &x) - net.forward(&params, &swapped);
/// assert!(difference.abs().max().item() < 1e-13);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct DeepSets {
    phi: Mlp,
    rho: Mlp,
    /// Whether the mean over the particles is taken in place of the sum. Default false.
    pub mean: bool,
}

impl DeepSets {
    /// `phi` and `rho` are the widths of the two networks, named so in the scope; the last of φ is the first of ρ.
    ///
    /// # Panics
    /// If it is not, and as [`Mlp::new`].
    #[track_caller]
    pub fn new<T: Scalar>(scope: &mut Scope<'_, T>, phi: &[usize], rho: &[usize], activation: Activation, rng: &mut dyn Rng) -> Self {
        assert!(phi.last() == rho.first(), "DeepSets: φ has widths {phi:?} and ρ {rho:?}: the last of φ must be the first of ρ");
        let phi = Mlp::new(&mut scope.scope("phi"), phi, activation, rng);
        DeepSets { phi, rho: Mlp::new(&mut scope.scope("rho"), rho, activation, rng), mean: false }
    }

    /// The value for x of shape (…, n, d), of shape (…, outputs).
    ///
    /// # Panics
    /// If x has another shape, or `p` is of another architecture.
    #[track_caller]
    pub fn forward<T: Scalar>(&self, p: &Params<T>, x: &Var<T>) -> Var<T> {
        check("DeepSets", x.shape(), self.phi.layers()[0].inputs());
        let each = self.phi.forward(p, x);
        self.rho.forward(p, &if self.mean { each.mean_axis(-2) } else { each.sum_axis(-2) })
    }
}

/// y_i = x_i A + (1/n) Σ_j x_j B + b: the linear maps of n particles that follow their order (Zaheer et al., arXiv:1703.06114, eq. 4).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SetLinear {
    each: Linear,
    all: Linear,
}

impl SetLinear {
    /// From `inputs` to `outputs` features of every particle; `each` (A and b) and `all` (B) in the scope.
    ///
    /// # Panics
    /// If the scope has them already.
    #[track_caller]
    pub fn new<T: Scalar>(scope: &mut Scope<'_, T>, inputs: usize, outputs: usize, init: Init, rng: &mut dyn Rng) -> Self {
        let each = Linear::new(&mut scope.scope("each"), inputs, outputs, init, rng);
        SetLinear { each, all: Linear::without_bias(&mut scope.scope("all"), inputs, outputs, init, rng) }
    }

    /// The value for x of shape (…, n, inputs), of shape (…, n, outputs).
    ///
    /// # Panics
    /// If x has another shape, or `p` is of another architecture.
    #[track_caller]
    pub fn forward<T: Scalar>(&self, p: &Params<T>, x: &Var<T>) -> Var<T> {
        check("SetLinear", x.shape(), self.each.inputs());
        let mean = x.mean_axis(crate::ops::keepdims(-2));
        self.each.forward(p, x) + self.all.forward(p, &mean)
    }
}

/// y_i = Σ_{j≠i} φ(x_i, x_j) + ψ(x_i): follows the order of the particles, and knows of their pairs.
///
/// φ's first layer is a sum of two linear maps, of x_i and of x_j, so that it is computed for particles and not for pairs.
#[derive(Clone, Debug, PartialEq)]
pub struct Pairwise {
    from: Linear,
    to: Linear,
    pair: Mlp,
    single: Mlp,
    activation: Activation,
}

impl Pairwise {
    /// `inputs` and `outputs` are the features of a particle, `hidden` the widths of the hidden layers of φ and of ψ, at least one.
    ///
    /// # Panics
    /// If a width is 0, or there is no hidden layer.
    #[track_caller]
    pub fn new<T: Scalar>(
        scope: &mut Scope<'_, T>,
        inputs: usize,
        hidden: &[usize],
        outputs: usize,
        activation: Activation,
        rng: &mut dyn Rng,
    ) -> Self {
        assert!(!hidden.is_empty(), "Pairwise: φ and ψ need a hidden layer");
        // both halves of φ's first layer have the inputs of a pair between them
        let fan = |rng: &mut dyn Rng| Init::XavierNormal.draw::<T>(&[inputs, hidden[0]], (2 * inputs, hidden[0]), rng);
        let (a, b) = (fan(rng), fan(rng));
        let half = |scope: &mut Scope<'_, T>, name: &str, w: Var<T>, bias: bool| Linear::from_weight(&mut scope.scope(name), w, bias);
        let from = half(scope, "from", a, true);
        let to = half(scope, "to", b, false);
        let pair = Mlp::new(&mut scope.scope("pair"), &[hidden, &[outputs]].concat(), activation, rng);
        let single = Mlp::new(&mut scope.scope("single"), &[&[inputs], hidden, &[outputs]].concat(), activation, rng);
        Pairwise { from, to, pair, single, activation }
    }

    /// The value for x of shape (…, n, inputs), of shape (…, n, outputs).
    ///
    /// # Panics
    /// If x has another shape, or `p` is of another architecture.
    #[track_caller]
    pub fn forward<T: Scalar>(&self, p: &Params<T>, x: &Var<T>) -> Var<T> {
        check("Pairwise", x.shape(), self.from.inputs());
        let n = x.shape()[x.ndim() - 2];
        let (a, b) = (self.from.forward(p, x).expand_dims(-2), self.to.forward(p, x).expand_dims(-3));
        let messages = self.pair.forward(p, &self.activation.apply(&(a + b)));
        let others = Var::ones(&[n, n]) - Var::eye(n);
        (messages * others.expand_dims(-1)).sum_axis(-2) + self.single.forward(p, x)
    }
}

/// x → (cos(2πkx/L), sin(2πkx/L)), k = 1 … K: what a network of points on a torus is given.
///
/// ```
/// use pullback::nn::PeriodicFeatures;
/// use pullback::prelude::*;
/// let features = PeriodicFeatures { period: 2.0, harmonics: 2 };
/// let x = Var::from(ndarray::array![[0.5, 1.0]]);
/// let y = features.forward(&x);
/// assert_eq!(y.shape(), [1, 8]);
/// assert!((features.forward(&(x + 2.0)) - y).abs().max().item() < 1e-14);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PeriodicFeatures {
    /// The period L, in the units of x.
    pub period: f64,
    /// The number of harmonics K.
    pub harmonics: usize,
}

impl PeriodicFeatures {
    /// The length of the last axis of the features of d coordinates: 2Kd.
    pub fn outputs(&self, d: usize) -> usize {
        2 * self.harmonics * d
    }

    /// The features of x (…, d), of shape (…, 2Kd): all cosines of the first harmonic, all its sines, then those of the second, ….
    ///
    /// # Panics
    /// If the period is not positive and finite, or there are no harmonics.
    #[track_caller]
    pub fn forward<T: Real>(&self, x: &Var<T>) -> Var<T> {
        assert!(
            self.period > 0.0 && self.period.is_finite() && self.harmonics > 0,
            "PeriodicFeatures: the period {} must be positive and finite, and the {} harmonics at least one",
            self.period,
            self.harmonics
        );
        let angle = x * T::from_f64(std::f64::consts::TAU / self.period);
        let waves = (1..=self.harmonics).map(|k| &angle * T::from_f64(k as f64)).flat_map(|a| [a.cos(), a.sin()]);
        crate::ops::concatenate(&waves.collect::<Vec<_>>(), -1)
    }
}
