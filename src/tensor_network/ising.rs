//! The Ising model as a network of tensors.

use crate::autodiff::Var;
use crate::error::Result;
use crate::ops::{einsum, stack};

/// The tensor T_{u l d r} of a site of the square-lattice Ising model at inverse temperature β (coupling J = 1), differentiable in β.
///
/// The weight of a bond is split, e^{β s s′} = Σ_a M_{s a} M_{s′ a} with M_{s a} = (√cosh β, ± √sinh β), and
/// T_{u l d r} = Σ_s M_{s u} M_{s l} M_{s d} M_{s r}. Entries of odd parity u + l + d + r vanish: they are exact zeros, which [`Trg`](super::Trg)
/// keeps and makes use of. Needs β > 0.
///
/// # Errors
/// None for a single number; `Shape` otherwise.
pub fn ising_square(beta: &Var<f64>) -> Result<Var<f64>> {
    let beta = beta.reshape(&[]);
    let m = stack(&[beta.cosh().sqrt(), beta.sinh().sqrt()], 0);
    // the sum over s = ±1 of (±1)^parity
    let parity: Vec<f64> = (0..16u32).map(|at| if at.count_ones() % 2 == 0 { 2.0 } else { 0.0 }).collect();
    Ok(einsum("u,l,d,r->uldr", &[&m, &m, &m, &m])? * Var::from_shape_vec(&[2, 2, 2, 2], parity)?)
}
