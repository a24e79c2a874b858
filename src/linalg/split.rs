//! A ≈ P Q† with P = U √S and Q = V √S: a matrix cut in two, for losses that do not depend on the basis of the bond between the halves.
//!
//! Such a loss is a function of P R and Q R for any unitary R, so the tangent may be taken in any gauge that keeps the halves balanced,
//! P†P = Q†Q = G (diag(s) at the point of evaluation). Ṗ = P α + p and Q̇ = Q β + q with p, q outside of the halves need α + β† = G⁻¹KG⁻¹,
//! K = P†ȦQ, and stay balanced for G α − β†G + h.c. = 0. A solution that divides by no difference of singular values, and by no product
//! of small ones, comes from the Lyapunov equation G N + N G = K:
//!
//! Ṗ = P G⁻¹ N + p, Q̇ = Q G⁻¹ N† + q, where p G − A⊥ q = Ȧ Q − P G⁻¹ K and q G − A⊥† p = Ȧ†P − Q G⁻¹ K† (see `discarded.rs`).
//!
//! Everything is written in covariant quantities, so it can be differentiated again at degenerate spectra too.

use super::discarded::solve_discarded;
use super::matrices::*;
use super::solve::{inv, solve_sylvester};
use super::svd::{Truncation, forward_truncated};
use crate::autodiff::{Primitive, Var, apply};
use crate::error::{Error, Result};
use crate::scalar::{Number, Scalar};
use crate::tensor::Tensor;
use std::marker::PhantomData;

struct Split<T> {
    truncation: Truncation,
    types: PhantomData<T>,
}

impl<T: Scalar> Primitive for Split<T> {
    type Inputs = Var<T>;
    type Outputs = (Var<T>, Var<T>);
    fn name(&self) -> &'static str {
        "balanced_split"
    }
    fn forward(&self, a: &Var<T>) -> Result<Self::Outputs> {
        let (_, m, n) = dims("balanced_split", a)?;
        let (u, s, vh) = forward_truncated(a.as_slice(), m, n, self.truncation)?;
        let k = s.len();
        let roots: Vec<T> = s.iter().map(|&s| T::from_real(Number::sqrt(s))).collect();
        let p = u.iter().enumerate().map(|(at, &u)| u * roots[at % k]).collect();
        let q = (0..n * k).map(|at| vh[(at % k) * n + at / k].conj() * roots[at % k]).collect();
        Ok((Var::constant(Tensor::new(&[m, k], p)), Var::constant(Tensor::new(&[n, k], q))))
    }
    fn jvp(&self, a: &Var<T>, (p, q): &Self::Outputs, da: &Var<T>) -> Result<Self::Outputs> {
        let g = hermitian_part(&p.h().matmul(p));
        let inverse = inv(&g)?;
        let (daq, dap) = (da.matmul(q), da.h().matmul(p));
        let inside = p.h().matmul(&daq);
        let n = solve_sylvester(&g, &g, &inside)?;
        let (p_inverse, q_inverse) = (p.matmul(&inverse), q.matmul(&inverse));
        let rest = a - p.matmul(q.h());
        let (x, y) = solve_discarded(&rest, &g, &(daq - p_inverse.matmul(&inside)), &(dap - q_inverse.matmul(inside.h())))?;
        Ok((p_inverse.matmul(&n) + x, q_inverse.matmul(n.h()) + y))
    }
}

/// P (m, k) and Q (n, k) with A ≈ P Q†, the best approximation of the given rank or accuracy: U √S and V √S of the singular value
/// decomposition, multiplets kept or dropped whole.
///
/// Derivatives are right, to every order and at equal singular values too, for losses that do not change under P → P R, Q → Q R with a
/// unitary R: contractions over the bond. A loss that looks into the bond (an entry of P, say) sees the tangent of one gauge among many.
///
/// ```
/// use pullback::prelude::*;
/// use pullback::linalg::{Truncation, balanced_split};
/// let a = Var::from(ndarray::array![[2.0, 1.0], [1.0, 2.0]]);
/// let (p, q) = balanced_split(&a, Truncation::rank(2))?;
/// assert!((p.matmul(q.h()) - a).abs().max().item() < 1e-14);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// `Shape` for a stack of matrices, `NonFinite`; `NoConvergence` where a derivative is asked for and a discarded value is too close to a
/// kept one.
pub fn balanced_split<T: Scalar>(a: &Var<T>, truncation: Truncation) -> Result<(Var<T>, Var<T>)> {
    truncation.check("balanced_split")?;
    if a.ndim() != 2 {
        return Err(Error::shape("balanced_split", format!("needs one matrix, the shape is {:?}", a.shape())));
    }
    apply(Split { truncation, types: PhantomData }, a)
}
