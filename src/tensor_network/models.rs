//! The tensors of lattice models: a partition function as a network with a tensor on each site and an index on each bond.

use crate::autodiff::Var;
use crate::ops::{einsum, stack};
use crate::scalar::Real;

/// The tensor T[u, l, d, r], shape (2, 2, 2, 2), of the square-lattice Ising model with H = −Σ s s′ at inverse temperature β > 0.
///
/// A bond's weight e^{β s s′} = Σ_i m[s, i] m[s′, i] with m[s, 0] = √cosh β and m[s, 1] = s √sinh β; a site's tensor sums over its spin. So
/// T = 2 cosh^{(4−n)/2} β sinh^{n/2} β for an even number n of indices 1, and 0 for odd n: spin flips are the parity of the indices.
pub fn ising_tensor<R: Real>(beta: &Var<R>) -> Var<R> {
    let (c, s) = (beta.cosh().sqrt(), beta.sinh().sqrt());
    let m = stack(&[stack(&[c.clone(), s.clone()], 0), stack(&[c, -s], 0)], 0);
    einsum("su,sl,sd,sr->uldr", &[&m, &m, &m, &m]).expect("shapes fit")
}
