//! [`PairField`]: the field of interacting particles, with networks that change in time.

use super::field::VelocityField;
use super::pair_field::{PairWeights, RadialWeights, pair_field, pair_velocity};
use crate::autodiff::Var;
use crate::error::Result;
use crate::nn::{Param, Params, Scope};
use crate::ops::stack;
use crate::random;
use crate::scalar::Real;
use rand::Rng;

/// A number for each hidden unit that is linear in time.
#[derive(Clone, Copy, Debug)]
struct Linear {
    start: Param,
    drift: Param,
}

impl Linear {
    /// `start`, and a drift of zero, under `name` and "`name`_drift".
    #[track_caller]
    fn new<T: Real>(scope: &mut Scope<'_, T>, name: &str, start: Var<T>) -> Self {
        let still = start.zeros_like();
        Linear { start: scope.param(name, start), drift: scope.param(&format!("{name}_drift"), still) }
    }

    fn at<T: Real>(&self, p: &Params<T>, t: &Var<T>) -> Var<T> {
        p.get(self.start) + t * p.get(self.drift)
    }
}

/// A radial function that changes in time, f(r, t) = Σ_k c_k(t) tanh(a_k(t) r + b_k(t)), with a and b linear in t and c a Chebyshev series,
/// c_k(t) = Σ_m C_mk T_m(2t − 1).
#[derive(Clone, Copy, Debug)]
pub struct RadialNet {
    a: Linear,
    b: Linear,
    c: Param,
    order: usize,
}

/// What a [`PairField`] is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairFieldOptions {
    /// Hidden units of each radial network.
    pub hidden: usize,
    /// Terms of the Chebyshev series in time; 1 is a field that changes in time by its slopes and biases alone.
    pub order: usize,
    /// Distances up to which units are placed at the start.
    pub range: f64,
}

impl Default for PairFieldOptions {
    fn default() -> Self {
        PairFieldOptions { hidden: 32, order: 4, range: 4.0 }
    }
}

impl RadialNet {
    /// The k-th unit begins as a step at r = range u^{3/2}, u = (k + ½)/hidden, about as wide as its neighbours are far, so that units are
    /// dense at short distances; the sum begins near zero, and so does the field.
    ///
    /// # Panics
    /// If a number of units or terms is 0, the range is not positive, or the names are taken in the scope.
    #[track_caller]
    pub fn new<T: Real>(scope: &mut Scope<'_, T>, options: PairFieldOptions, rng: &mut dyn Rng) -> Self {
        let PairFieldOptions { hidden, order, range } = options;
        assert!(hidden > 0 && order > 0 && range > 0.0, "RadialNet: units, terms and range must be positive, got {options:?}");
        let place = |k: usize| {
            let u = (k as f64 + 0.5) / hidden as f64;
            let width = 1.5 * range * u.sqrt() / hidden as f64;
            (range * u.powf(1.5), (0.45 / width).clamp(1.0, 8.0))
        };
        let vector = |f: &dyn Fn(f64, f64) -> f64| -> Var<T> {
            (0..hidden)
                .map(|k| {
                    let (center, slope) = place(k);
                    T::from_f64(f(center, slope))
                })
                .collect::<Vec<T>>()
                .into()
        };
        let decay: Vec<T> = (0..order).map(|m| T::from_f64(0.01 / (1 + m) as f64)).collect();
        let c = random::normal::<T>(rng, &[order, hidden]) * Var::from(decay).reshape(&[order, 1]);
        RadialNet {
            a: Linear::new(scope, "a", vector(&|_, slope| slope)),
            b: Linear::new(scope, "b", vector(&|center, slope| -slope * center)),
            c: scope.param("c", c),
            order,
        }
    }

    /// The weights at the time t (0-d).
    pub fn at<T: Real>(&self, p: &Params<T>, t: &Var<T>) -> RadialWeights<T> {
        let s = t * T::from_f64(2.0) - T::one();
        let mut basis = vec![s.ones_like(), s.clone()];
        while basis.len() < self.order {
            let n = basis.len();
            basis.push(&s * &basis[n - 1] * T::from_f64(2.0) - &basis[n - 2]);
        }
        basis.truncate(self.order);
        [self.a.at(p, t), self.b.at(p, t), stack(&basis, 0).matmul(p.get(self.c))]
    }
}

/// A function of pairs that changes in time, φ(r, s, t) = Σ_k c_k(t) tanh(a_k(t) r + e_k(t) ŝ + b_k(t)), s = |x_i|² + |x_j|²: a [`RadialNet`] whose
/// units also know where the pair is, with e linear in t. ŝ = (s − d ℓ²/8)/ℓ with the options' range ℓ, of mean zero over normal particles of
/// width ℓ/4.
#[derive(Clone, Copy, Debug)]
pub struct PairNet {
    radial: RadialNet,
    e: Linear,
    scale: f64,
    center: f64,
}

impl PairNet {
    /// As [`RadialNet::new`], for particles in `dim` dimensions; e begins at zero.
    ///
    /// # Panics
    /// As [`RadialNet::new`].
    #[track_caller]
    pub fn new<T: Real>(scope: &mut Scope<'_, T>, dim: usize, options: PairFieldOptions, rng: &mut dyn Rng) -> Self {
        let radial = RadialNet::new(scope, options, rng);
        let e = Linear::new(scope, "e", Var::zeros(&[options.hidden]));
        PairNet { radial, e, scale: 1.0 / options.range, center: dim as f64 * options.range.powi(2) / 8.0 }
    }

    /// The weights at the time t (0-d), for s itself.
    pub fn at<T: Real>(&self, p: &Params<T>, t: &Var<T>) -> PairWeights<T> {
        let [a, b, c] = self.radial.at(p, t);
        let e = self.e.at(p, t) * T::from_f64(self.scale);
        let b = b - &e * T::from_f64(self.center);
        [a, e, b, c]
    }
}

/// v_i = Σ_{j≠i} (x_i − x_j) φ(r_ij, s_ij, t) + x_i ψ(|x_i|, t) with s_ij = |x_i|² + |x_j|²: commutes with permutations of the particles and with
/// rotations and reflections about the origin. Its divergence is in closed form and comes with the value in one pass ([`pair_field`]).
///
/// From a base of independent, identical, isotropic particles the flow's density is symmetric as the field is.
#[derive(Clone, Copy, Debug)]
pub struct PairField {
    particles: usize,
    dim: usize,
    pair: PairNet,
    single: RadialNet,
}

impl PairField {
    /// For n `particles` in `dim` dimensions: points are rows of n·dim columns, one particle after the other.
    ///
    /// # Panics
    /// As [`RadialNet::new`].
    #[track_caller]
    pub fn new<T: Real>(scope: &mut Scope<'_, T>, particles: usize, dim: usize, options: PairFieldOptions, rng: &mut dyn Rng) -> Self {
        assert!(particles > 0 && dim > 0, "PairField: got {particles} particles in {dim} dimensions");
        let pair = PairNet::new(&mut scope.scope("pair"), dim, options, rng);
        let single = RadialNet::new(&mut scope.scope("single"), options, rng);
        PairField { particles, dim, pair, single }
    }

    /// The networks φ and ψ.
    pub fn networks(&self) -> (PairNet, RadialNet) {
        (self.pair, self.single)
    }
}

impl<T: Real> VelocityField<T> for PairField {
    fn dim(&self) -> usize {
        self.particles * self.dim
    }
    fn velocity(&self, p: &Params<T>, t: &Var<T>, x: &Var<T>, _: Option<&Var<T>>) -> Result<Var<T>> {
        pair_velocity(x, self.particles, &self.pair.at(p, t), &self.single.at(p, t))
    }
    fn with_divergence(&self, p: &Params<T>, t: &Var<T>, x: &Var<T>, _: Option<&Var<T>>) -> Option<Result<(Var<T>, Var<T>)>> {
        Some(pair_field(x, self.particles, &self.pair.at(p, t), &self.single.at(p, t)))
    }
}
