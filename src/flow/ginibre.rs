//! The complex Ginibre ensemble: particles in the plane that avoid each other, with a density in closed form and independent draws.

use super::density::check_shape;
use super::{Base, pairs};
use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::linalg::eigvals;
use crate::nn::Params;
use crate::random;
use crate::scalar::Real;
use num_complex::Complex;
use rand::Rng;

/// n particles in the plane with the joint density of the eigenvalues of a complex matrix of independent normal entries,
/// p(x) = Π_{i<j} |x_i − x_j|² e^{−Σ_i |x_i|²/σ²} / (πⁿ σ^{n(n+1)} Π_{k=1}^{n} k!), in random order.
///
/// It is the one-component plasma with logarithmic repulsion at Γ = 2, or free fermions in the lowest Landau level: symmetric under
/// permutations and rotations, spread evenly over a disk of radius σ√n, with ⟨Σ|x_i|²⟩ = σ² n(n+1)/2. For particles that repel it is a
/// better start than independent ones: no two of them are close, and a flow does not have to tear them apart.
///
/// Rows are (x₁, y₁, x₂, y₂, …), of 2n columns. A draw takes the eigenvalues of an n×n matrix.
///
/// Source: J. Ginibre, J. Math. Phys. 6, 440 (1965), section 1.
///
/// ```
/// use pullback::flow::{Base, Ginibre};
/// use pullback::nn::Params;
/// use pullback::prelude::*;
/// let pair = Ginibre::new(2, 1.0)?;
/// // at distance 1, symmetric about the origin: ln(1² e^{−1/2} / (2π²))
/// let x = Var::from([0.5, 0.0, -0.5, 0.0]).reshape(&[1, 4]);
/// let ln_p = pair.log_prob(&Params::new(), &x)?.sum().item();
/// assert!((ln_p - (-0.5 - (2.0 * std::f64::consts::PI.powi(2)).ln())).abs() < 1e-14);
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ginibre {
    particles: usize,
    scale: f64,
}

const NAME: &str = "ginibre";

impl Ginibre {
    /// Of n particles and length σ.
    ///
    /// # Errors
    /// `Argument` for no particles or a length that is not positive and finite.
    pub fn new(particles: usize, scale: f64) -> Result<Self> {
        if particles == 0 {
            return Err(Error::argument(NAME, "0 particles: there must be at least one"));
        }
        if !(scale > 0.0 && scale.is_finite()) {
            return Err(Error::argument(NAME, format!("the length is {scale}: it must be positive and finite")));
        }
        Ok(Ginibre { particles, scale })
    }

    /// ln(πⁿ σ^{n(n+1)} Π k!)
    fn ln_norm(&self) -> f64 {
        let n = self.particles as f64;
        // k stands in the factorials of k, k + 1, …, n
        let factorials: f64 = (2..=self.particles).map(|k| (n + 1.0 - k as f64) * (k as f64).ln()).sum();
        n * std::f64::consts::PI.ln() + n * (n + 1.0) * self.scale.ln() + factorials
    }
}

/// Particles at one place have density 0, whose logarithm has no derivative.
fn check_apart<T: Real>(x: &Var<T>, square: &Var<T>, pairs: (&[usize], &[usize])) -> Result<()> {
    let count = pairs.0.len();
    match square.as_slice().iter().position(|r| !(*r > T::zero())) {
        None => Ok(()),
        Some(at) => {
            let (row, i, j) = (at / count, pairs.0[at % count], pairs.1[at % count]);
            let place = |k: usize| &x.as_slice()[row * x.shape()[1] + 2 * k..][..2];
            let message = format!("row {row}: particles {i} and {j} are at {:?} and {:?}, where the density is 0", place(i), place(j));
            Err(Error::argument(NAME, message))
        }
    }
}

impl<T: Real> Base<T> for Ginibre {
    fn dim(&self) -> usize {
        2 * self.particles
    }
    fn sample(&self, rows: usize, rng: &mut dyn Rng) -> Result<Var<T>> {
        let n = self.particles;
        let matrices = random::complex_normal::<Complex<f64>>(rng, &[rows, n, n]);
        let eigenvalues = eigvals(&matrices)?;
        let mut x = Vec::with_capacity(2 * n * rows);
        for row in eigenvalues.as_slice().chunks_exact(n) {
            // the solver has an order of its own
            let order = random::permutation(rng, n);
            x.extend(order.iter().flat_map(|&k| [row[k].re, row[k].im]).map(|x| T::from_f64(self.scale * x)));
        }
        Var::from_shape_vec(&[rows, 2 * n], x)
    }
    fn log_prob(&self, _: &Params<T>, x: &Var<T>) -> Result<Var<T>> {
        let n = self.particles;
        check_shape(NAME, x, 2 * n)?;
        let (i, j) = pairs(n);
        let at = x.reshape(&[x.shape()[0], n, 2]);
        let square = (at.index_select(&i, 1) - at.index_select(&j, 1)).square().sum_axis(-1);
        check_apart(x, &square, (&i, &j))?;
        let trap = x.square().sum_axis(1) * T::from_f64(1.0 / (self.scale * self.scale));
        Ok(square.log().sum_axis(1) - trap - T::from_f64(self.ln_norm()))
    }
}
