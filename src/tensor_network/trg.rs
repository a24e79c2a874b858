//! The tensor renormalisation group of Levin and Nave on the square lattice.
//!
//! Each tensor T[u, l, d, r] is split along one of its diagonals, alternating between the sublattices, T = Σ_a P[u, l, a] Q[d, r, a] and
//! T = Σ_b R[u, r, b] S[d, l, b], by a singular value decomposition cut to χ values with √s on either side. Four of the halves around a
//! plaquette make the tensor of a lattice with half as many sites and √2 times the spacing. After k steps one tensor stands for 2^k.
//!
//! ln Z per site = Σ_k ln a_k / 2^k + ln Σ_{ij} T[i, j, i, j] / 2^steps, where a_k is the largest entry that was divided out before step k; it
//! is a constant factor taken out and put back, so no derivative passes through the choice.
//!
//! Multiplets of singular values are never split at the cut: a split one would break the lattice's symmetry, and its derivative would not
//! exist.
//!
//! Levin & Nave, Phys. Rev. Lett. 99, 120601 (2007), arXiv:cond-mat/0611687; its derivatives by automatic differentiation: Liao, Liu, Wang &
//! Xiang, Phys. Rev. X 9, 031041 (2019), arXiv:1903.09650.

use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::linalg::{Truncation, truncated_svd};
use crate::ops::einsum;
use crate::scalar::{Number, Real, Scalar};

/// The Levin–Nave renormalisation group of an infinite square lattice with one tensor a site.
///
/// ```
/// use pullback::prelude::*;
/// use pullback::tensor_network::{Trg, ising_tensor};
/// let trg = Trg { chi: 5, steps: 5 };
/// let ln_z = |beta: &Var<f64>| trg.ln_z_per_site(&ising_tensor(beta));
/// let (value, slope) = value_and_grad(ln_z, &0.4)?;
/// assert!((value.item() - 0.8919788686747).abs() < 1e-11);
/// assert!((slope - 1.106).abs() < 0.03, "minus the energy per site");
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trg {
    /// The most values kept of a decomposition: the length of the bonds. Memory grows as χ⁴, time as χ⁶.
    pub chi: usize,
    /// Renormalisation steps; the final tensor, closed on itself, stands for 2^steps sites.
    pub steps: usize,
}

impl Trg {
    /// ln Z per site of the lattice of tensors T[u, l, d, r] (up, left, down, right).
    ///
    /// Differentiable in the tensor, to any order and in both modes.
    ///
    /// # Errors
    /// `Shape` unless T has four axes with lengths u = d and l = r; `Argument` for χ = 0; `NonFinite` if T vanishes or is not finite; those of
    /// the decompositions.
    pub fn ln_z_per_site<T: Scalar>(&self, tensor: &Var<T>) -> Result<Var<T>> {
        match *tensor.shape() {
            [u, l, d, r] if u == d && l == r => {}
            _ => {
                let message = format!("the tensor has shape {:?}: it needs four axes (u, l, d, r) with u = d and l = r", tensor.shape());
                return Err(Error::shape("trg", message));
            }
        }
        if self.chi == 0 {
            return Err(Error::argument("trg", "χ = 0 keeps nothing: it must be at least 1"));
        }
        let mut t = tensor.clone();
        let mut ln_z = Var::scalar(T::zero());
        let mut sites = 1.0f64;
        for _ in 0..self.steps {
            let (scaled, ln_a) = normalised(&t)?;
            ln_z = ln_z + <T as Number>::constant(ln_a / sites);
            t = self.step(&scaled)?;
            sites *= 2.0;
        }
        let (scaled, ln_a) = normalised(&t)?;
        let closed = einsum("ijij->", &[&scaled])?.log();
        Ok(ln_z + (closed + <T as Number>::constant(ln_a)) * <T as Number>::constant(1.0 / sites))
    }

    /// One step: the tensor of the lattice with half as many sites, turned by 45°.
    ///
    /// # Errors
    /// Those of the decompositions.
    pub fn step<T: Scalar>(&self, t: &Var<T>) -> Result<Var<T>> {
        let turned = t.permute(&[0, 3, 2, 1]);
        // T[u, l, d, r] = Σ P[u, l, a] Q[a, d, r] = Σ R[u, r, b] S[b, d, l]
        let (first, second) = rayon::join(|| self.split(t), || self.split(&turned));
        let ((p, q), (r, s)) = (first?, second?);
        // around a plaquette with the bonds w, x, y, z
        let top = einsum("awx,yxb->wayb", &[&q, &r])?;
        let bottom = einsum("yzc,ewz->wcye", &[&p, &s]);
        einsum("wayb,wcye->aecb", &[&top, &bottom?])
    }

    /// T[i, j, k, l] = Σ_a P[i, j, a] Q[a, k, l].
    fn split<T: Scalar>(&self, t: &Var<T>) -> Result<(Var<T>, Var<T>)> {
        let [i, j, k, l] = *t.shape() else { unreachable!("checked") };
        let (u, s, vh) = truncated_svd(&t.reshape(&[i * j, k * l]), Truncation::rank(self.chi))?;
        let root = s.sqrt().astype::<T>();
        let n = root.len();
        Ok(((u * &root).reshape(&[i, j, n]), (vh * root.reshape(&[n, 1])).reshape(&[n, k, l])))
    }
}

/// The tensor over its largest modulus, and the logarithm of that.
fn normalised<T: Scalar>(t: &Var<T>) -> Result<(Var<T>, f64)> {
    let largest = t.as_slice().iter().map(|x| x.modulus().to_f64()).fold(0.0, f64::max);
    if largest == 0.0 || !largest.is_finite() || t.as_slice().iter().any(|x| x.is_nan()) {
        return Err(Error::non_finite("trg", format!("the largest entry of the tensor is {largest}: it must be positive and finite")));
    }
    Ok((t * <T as Number>::constant(1.0 / largest), largest.ln()))
}
