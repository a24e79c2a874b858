//! The Ising model as a network of tensors.

use crate::autodiff::Var;
use crate::error::Result;
use crate::ops::{einsum, stack};

/// The tensor T_{u l d r} of a site of the square-lattice Ising model at inverse temperature β (coupling J = 1), differentiable in β.
///
/// The weight of a bond is split, e^{β s s′} = Σ_a M_{s a} M_{s′ a} with M_{s a} = (√cosh β, ± √sinh β), and
/// T_{u l d r} = Σ_s M_{s u} M_{s l} M_{s d} M_{s r}. Needs β > 0.
///
/// # Errors
/// None for a single number; `Shape` otherwise.
pub fn ising_square(beta: &Var<f64>) -> Result<Var<f64>> {
    let beta = beta.reshape(&[]);
    let (even, odd) = (beta.cosh().sqrt(), beta.sinh().sqrt());
    let up = stack(&[even.clone(), odd.clone()], 0);
    let down = stack(&[even, -odd], 0);
    let m = stack(&[up, down], 0);
    einsum("su,sl,sd,sr->uldr", &[&m, &m, &m, &m])
}
