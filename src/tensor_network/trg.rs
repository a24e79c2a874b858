//! The tensor renormalisation group of Levin and Nave (PRL 99, 120601 (2007)) on the square lattice.
//!
//! A site's tensor T_{u l d r} is split along both diagonals by a truncated singular value decomposition, (u l | d r) on one sublattice
//! and (u r | d l) on the other; the four pieces around a plaquette are contracted to the tensor of a lattice with half as many sites.

use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::linalg::{Truncation, balanced_split};
use crate::ops::einsum;

/// Coarse graining with bond dimension `chi` over `steps` halvings of the number of sites.
///
/// ```
/// use pullback::prelude::*;
/// use pullback::tensor_network::{Trg, ising_square};
/// let trg = Trg { chi: 5, steps: 5 };
/// let (ln_z, slope) = value_and_grad(|beta| trg.ln_z_per_site(&ising_square(beta)?), &0.4)?;
/// assert!((ln_z.item() - 0.8919788686747141).abs() < 1e-12);
/// assert!(slope > 1.0); // minus the energy per site
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trg {
    /// The largest bond dimension; multiplets of singular values are not split.
    pub chi: usize,
    /// The number of coarse-graining steps: the lattice has 2^steps sites, with periodic boundaries.
    pub steps: usize,
}

impl Trg {
    /// ln Z per site of the network of one tensor T_{u l d r}, with periodic boundaries; differentiable to second order in both modes.
    ///
    /// # Errors
    /// `Shape` if the tensor has not four axes with u = d and l = r; `Argument` for chi = 0; the errors of
    /// [`balanced_split`].
    pub fn ln_z_per_site(&self, tensor: &Var<f64>) -> Result<Var<f64>> {
        if !matches!(*tensor.shape(), [u, l, d, r] if u == d && l == r) {
            return Err(Error::shape(
                "Trg",
                format!("needs a tensor of axes (u, l, d, r) with u = d and l = r, the shape is {:?}", tensor.shape()),
            ));
        }
        if self.chi == 0 {
            return Err(Error::argument("Trg", "chi is 0: the bond dimension must be at least 1"));
        }
        // T_{u r l d}: the order in which one splitting and the large contraction find what they need side by side
        let mut t = tensor.permute(&[0, 3, 1, 2]);
        let mut ln_z = Var::scalar(0.0);
        for step in 0..self.steps {
            (t, ln_z) = normalised(&t, ln_z, step)?;
            let (p, q) = self.split(&t.permute(&[0, 2, 3, 1]))?;
            let (r, z) = self.split(&t)?;
            let top = einsum("wxa,xyb->abwy", &[&q, &z])?;
            let bottom = einsum("yzc,wze->wyec", &[&p, &r])?;
            t = einsum("abwy,wyec->abec", &[&top, &bottom])?;
        }
        Ok(ln_z + einsum("ijji->", &[&t])?.log() / 2f64.powi(self.steps as i32))
    }

    /// T_{a b c d} ≈ Σ_k P_{a b k} Q_{c d k}, the singular values shared equally.
    fn split(&self, t: &Var<f64>) -> Result<(Var<f64>, Var<f64>)> {
        let [a, b, c, d] = *t.shape() else { unreachable!("checked") };
        let truncation = Truncation { rank: self.chi, tolerance: NOISE };
        let (p, q) = balanced_split(&t.reshape(&[a * b, c * d]), truncation)?;
        let k = p.shape()[1];
        Ok((p.reshape(&[a, b, k]), q.reshape(&[c, d, k])))
    }
}

/// Singular values below this times the largest are rounding noise of the contraction: their vectors mean nothing.
const NOISE: f64 = 1e-12;

/// The tensor over its largest entry, whose logarithm is counted; a constant, since the sum does not depend on it.
fn normalised(t: &Var<f64>, ln_z: Var<f64>, step: usize) -> Result<(Var<f64>, Var<f64>)> {
    let largest = t.as_slice().iter().fold(0.0f64, |m, x| m.max(x.abs()));
    if !(largest > 0.0 && largest.is_finite()) {
        return Err(Error::non_finite(
            "Trg",
            format!("the largest entry of the tensor at step {step} is {largest}: it must be positive and finite"),
        ));
    }
    Ok((t / largest, ln_z + largest.ln() / 2f64.powi(step as i32)))
}
