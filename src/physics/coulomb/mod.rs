//! The classical Coulomb gas in a parabolic trap, H = g Σ_{i<j} 1/|x_i − x_j| + c Σ_i x_i² (g = 1 unless set), in units of the charges'
//! energy at unit distance: a quantum dot without quantum mechanics. F = −ln Z/β with Z = ∫ d^{nd}x e^{−βH}; particles are told apart (no 1/n!).
//!
//! [`CoulombGas`] is a [`Target`] for variational training; [`CoulombGas::sample`] draws from e^{−βH}/Z by Markov chains; and
//! [`CoulombGas::free_energy_by_integration`] gives F by integrating ⟨∂H/∂g⟩ from the ideal gas, whose F is known.
//!
//! ```
//! use pullback::physics::coulomb::CoulombGas;
//! use pullback::prelude::*;
//! use pullback::variational::Target;
//! let gas = CoulombGas::new(2, 2, 0.5)?;
//! let x = Var::from(ndarray::array![[1.0, 0.0, -1.0, 0.0]]);
//! assert_eq!(gas.energy(&x)?.as_slice(), &[0.5 + 0.5 * 2.0]);
//! let force = grad(|x: &Var<f64>| Ok::<_, pullback::Error>(-gas.energy(x)?.sum()), &x)?;
//! assert_eq!(force.as_slice(), &[0.25 - 1.0, 0.0, -0.25 + 1.0, 0.0]);
//! # Ok::<(), pullback::Error>(())
//! ```

mod integration;
mod metropolis;

pub use integration::{FreeEnergy, IntegrationOptions};
pub use metropolis::{MetropolisOptions, MetropolisRun};

use crate::autodiff::{Primitive, Var, apply, jvp, vjp};
use crate::error::{Error, Result};
use crate::kernels::coulomb::Trap;
use crate::scalar::Real;
use crate::variational::Target;

const NAME: &str = "coulomb gas";

/// n charges in d dimensions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CoulombGas {
    trap: Trap,
}

impl CoulombGas {
    /// H = Σ_{i<j} 1/r + c Σ x² for n `particles` in `dim` dimensions.
    ///
    /// # Errors
    /// `Argument` for no particles or dimensions, or a confinement c that is not positive.
    pub fn new(particles: usize, dim: usize, confinement: f64) -> Result<Self> {
        if particles == 0 || dim == 0 {
            return Err(Error::argument(NAME, format!("{particles} particles in {dim} dimensions: both must be positive")));
        }
        if !(confinement > 0.0 && confinement.is_finite()) {
            return Err(Error::argument(NAME, format!("the confinement must be positive and finite, got {confinement}")));
        }
        Ok(CoulombGas { trap: Trap { particles, dim, coupling: 1.0, confinement } })
    }

    /// The same trap with charges that repel g times as strongly; 0 is the ideal gas.
    ///
    /// # Errors
    /// `Argument` for a negative g.
    pub fn with_coupling(self, g: f64) -> Result<Self> {
        if !(g >= 0.0 && g.is_finite()) {
            return Err(Error::argument(NAME, format!("the coupling must be finite and not negative, got {g}")));
        }
        Ok(CoulombGas { trap: Trap { coupling: g, ..self.trap } })
    }

    /// n
    pub fn particles(&self) -> usize {
        self.trap.particles
    }

    /// d
    pub fn space(&self) -> usize {
        self.trap.dim
    }

    /// F = −(nd/2β) ln(π/(βc)) of the ideal gas in the same trap.
    pub fn ideal_free_energy(&self, beta: f64) -> f64 {
        let modes = (self.trap.particles * self.trap.dim) as f64;
        -0.5 * modes / beta * (std::f64::consts::PI / (beta * self.trap.confinement)).ln()
    }

    /// (F, ⟨H⟩) of two particles, to about 13 digits: with R = (x₁ + x₂)/2 and r = x₁ − x₂ the energy is 2cR² + c r²/2 + g/r, so that
    /// Z = (π/2βc)^{d/2} S_d ∫ r^{d−1} e^{−β(g/r + c r²/2)} dr, S_d the area of the unit sphere.
    ///
    /// # Errors
    /// `Argument` for another number of particles, or a β that is not positive.
    pub fn exact_two_particles(&self, beta: f64) -> Result<(f64, f64)> {
        let Trap { particles, dim, coupling: g, confinement: c } = self.trap;
        if particles != 2 || !(beta > 0.0 && beta.is_finite()) {
            return Err(Error::argument(NAME, format!("the integral is of 2 particles at a positive β, got {particles} at β = {beta}")));
        }
        let (d, pi) = (dim as f64, std::f64::consts::PI);
        // the trapezoidal rule in ln r: the integrand decays at both ends, and is analytic between them
        let energy = |r: f64| g / r + 0.5 * c * r * r;
        let scale = (1.0 / (beta * c)).sqrt().max((g / c).cbrt());
        let log_weight = |u: f64| d * u - beta * energy(scale * u.exp());
        let h = 1e-3;
        let places = || (-60_000..20_000).map(|k| h * f64::from(k));
        let top = places().map(log_weight).fold(f64::NEG_INFINITY, f64::max);
        let (mut z, mut e) = (0.0, 0.0);
        for u in places() {
            let w = (log_weight(u) - top).exp();
            z += w;
            e += w * energy(scale * u.exp());
        }
        // S_d = 2 π^{d/2}/Γ(d/2)
        let sphere = std::f64::consts::LN_2 + 0.5 * d * pi.ln() - libm::lgamma(0.5 * d);
        let ln_z = 0.5 * d * (pi / (2.0 * beta * c)).ln() + sphere + d * scale.ln() + (z * h).ln() + top;
        Ok((-ln_z / beta, 0.5 * d / beta + e / z))
    }

    /// (g Σ 1/r, c Σ x²) of one point of n·d numbers.
    ///
    /// # Errors
    /// `Shape` for another number of them.
    pub fn parts(&self, x: &[f64]) -> Result<(f64, f64)> {
        let size = self.trap.particles * self.trap.dim;
        if x.len() != size {
            return Err(Error::shape(NAME, format!("a point of {} numbers, and {size} are needed", x.len())));
        }
        Ok(self.trap.parts(x))
    }
}

impl<T: Real> Target<T> for CoulombGas {
    fn dim(&self) -> usize {
        self.trap.particles * self.trap.dim
    }
    /// H of each row, one fused pass, and one for its gradient; single precision is computed in double.
    ///
    /// # Errors
    /// `Shape`; `Argument` for particles at the same place and `NonFinite` for a point that is not finite, naming the row.
    fn energy(&self, x: &Var<T>) -> Result<Var<T>> {
        let size = self.trap.particles * self.trap.dim;
        if x.ndim() != 2 || x.shape()[1] != size {
            return Err(Error::shape(NAME, format!("points have shape {:?}, and (batch, {size}) is needed", x.shape())));
        }
        Ok(apply(Energy(self.trap), &x.astype())?.astype())
    }
}

/// x ↦ H, row by row.
struct Energy(Trap);

/// The same in `Var` operations.
fn composed(trap: Trap, x: &Var<f64>) -> Var<f64> {
    let (i, j): (Vec<usize>, Vec<usize>) = (0..trap.particles).flat_map(|i| (i + 1..trap.particles).map(move |j| (i, j))).unzip();
    let at = x.reshape(&[x.shape()[0], trap.particles, trap.dim]);
    let delta = at.index_select(&i, 1) - at.index_select(&j, 1);
    delta.square().sum_axis(-1).powf(-0.5).sum_axis(-1) * trap.coupling + x.square().sum_axis(-1) * trap.confinement
}

impl Primitive for Energy {
    type Inputs = Var<f64>;
    type Outputs = Var<f64>;
    fn name(&self) -> &'static str {
        NAME
    }
    fn forward(&self, x: &Var<f64>) -> Result<Var<f64>> {
        let energy = self.0.energy(x.as_slice());
        let Some(row) = energy.iter().position(|e| !e.is_finite()) else { return Ok(Var::from(energy)) };
        let size = self.0.particles * self.0.dim;
        let x = &x.as_slice()[row * size..(row + 1) * size];
        if let Some(column) = x.iter().position(|x| !x.is_finite()) {
            return Err(Error::non_finite(NAME, format!("row {row}, column {column} is {}", x[column])));
        }
        Err(match self.0.coincident(x) {
            Some((i, j)) => {
                Error::argument(NAME, format!("particles {i} and {j} of row {row} are at the same place: the energy is infinite"))
            }
            None => Error::non_finite(NAME, format!("the energy of row {row} overflows: particles are too close or too far out")),
        })
    }
    fn vjp(&self, x: &Var<f64>, _: &Var<f64>, cotangent: Option<Var<f64>>, _: &[bool]) -> Result<Option<Var<f64>>> {
        cotangent.map(|g| apply(EnergyPullback(self.0), &(x.clone(), g))).transpose()
    }
    fn jvp(&self, x: &Var<f64>, _: &Var<f64>, dx: &Var<f64>) -> Result<Var<f64>> {
        // a row's energy depends on that row alone: ∇H·ẋ
        let force = apply(EnergyPullback(self.0), &(x.clone(), Var::ones(&[x.shape()[0]])))?;
        Ok((force * dx).sum_axis(-1))
    }
    fn keeps_output(&self, _: usize) -> bool {
        false
    }
}

/// (x, ḡ) ↦ ḡ ∇H.
struct EnergyPullback(Trap);

impl Primitive for EnergyPullback {
    type Inputs = (Var<f64>, Var<f64>);
    type Outputs = Var<f64>;
    fn name(&self) -> &'static str {
        "coulomb gas pullback"
    }
    fn forward(&self, (x, g): &Self::Inputs) -> Result<Var<f64>> {
        Var::from_shape_vec(x.shape(), self.0.pullback(x.as_slice(), g.as_slice()))
    }
    fn jvp(&self, inputs: &Self::Inputs, _: &Var<f64>, tangents: &Self::Inputs) -> Result<Var<f64>> {
        let force = |(x, g): &Self::Inputs| -> Result<Var<f64>> { vjp(|x: &Var<f64>| composed(self.0, x), x)?.1.call(g) };
        Ok(jvp(force, inputs, tangents)?.1)
    }
    fn keeps_output(&self, _: usize) -> bool {
        false
    }
}
