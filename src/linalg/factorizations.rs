//! Cholesky, QR and LU.
//!
//! Each gives its tangent rule in `Var` operations; the pullback is its transpose.

use super::backend;
use super::matrices::*;
use super::solve::{Triangular, solve_triangular};
use crate::autodiff::primitive::transpose_jvp;
use crate::autodiff::{Primitive, Tree, Var, apply};
use crate::error::{Error, Result};
use crate::ops::concatenate;
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use std::marker::PhantomData;

/// X A⁻¹ for an upper triangular A.
fn divide_right<T: Scalar>(x: &Var<T>, a: &Var<T>) -> Result<Var<T>> {
    Ok(solve_triangular(a, &x.h(), Triangular::UPPER.adjoint())?.h())
}

/// A = L L†: L̇ = L Φ(L⁻¹ȦL⁻†) with Φ the lower triangle with its diagonal halved; Ā = L⁻† herm(Φ(L†L̄)) L⁻¹
/// (Murray, arXiv:1602.07527, eq. 8–10; complex: † for ᵀ).
struct Cholesky<T>(PhantomData<T>);

/// The lower triangle with its diagonal halved.
fn phi<T: Scalar>(x: &Var<T>) -> Var<T> {
    (lower_part(x, 0) + lower_part(x, 1)).scale(0.5)
}

impl<T: Scalar> Primitive for Cholesky<T> {
    type Inputs = Var<T>;
    type Outputs = Var<T>;
    fn name(&self) -> &'static str {
        "cholesky"
    }
    fn keeps_input(&self, _: usize) -> bool {
        false
    }
    fn forward(&self, a: &Var<T>) -> Result<Var<T>> {
        let (batch, n) = square("cholesky", a)?;
        let parts = each_matrix(a, n, n, |a| backend::cholesky(a, n))?;
        Ok(gather(batch, &[n, n], parts.into_iter()))
    }
    fn vjp(&self, _: &Var<T>, l: &Var<T>, g: Option<Var<T>>, _: &[bool]) -> Result<Option<Var<T>>> {
        let Some(g) = g else { return Ok(None) };
        let core = hermitian_part(&phi(&l.h().matmul(&g)));
        let left = solve_triangular(l, &core, Triangular::LOWER.adjoint())?;
        Ok(Some(solve_triangular(l, &left.h(), Triangular::LOWER.adjoint())?.h()))
    }
    fn jvp(&self, _: &Var<T>, l: &Var<T>, da: &Var<T>) -> Result<Var<T>> {
        let left = solve_triangular(l, da, Triangular::LOWER)?;
        let both = solve_triangular(l, &left.h(), Triangular::LOWER)?.h();
        Ok(l.matmul(phi(&both)))
    }
}

/// The lower triangular L, with a positive diagonal, of A = L L† for Hermitian positive definite matrices (…, n, n).
///
/// The matrix is replaced by its Hermitian part.
///
/// # Errors
/// `Shape`, `NonFinite`; `Singular` naming the pivot if a matrix is not positive definite.
pub fn cholesky<T: Scalar>(a: &Var<T>) -> Result<Var<T>> {
    square("cholesky", a)?;
    apply(Cholesky(PhantomData), &hermitian_part(a))
}

/// A = Q R, thin, of full column rank. With C = Q†ȦR⁻¹ and Ω its anti-Hermitian part in the gauge of a real diagonal of R (Ω_ij = C_ij
/// below the diagonal, i Im C_ii on it): Q̇ = Q Ω + (1 − QQ†) Ȧ R⁻¹, Ṙ = (C − Ω) R (Walter & Lehmann 2010; Roberts & Roberts,
/// arXiv:2009.10071).
struct Qr<T> {
    full: bool,
    types: PhantomData<T>,
}

impl<T: Scalar> Qr<T> {
    /// Q₁ and R₁ of a full decomposition, with the additional columns of Q.
    fn thin(q: &Var<T>, r: &Var<T>) -> (Var<T>, Var<T>, Option<Var<T>>) {
        let (m, n) = (q.shape()[q.ndim() - 1], r.shape()[r.ndim() - 1]);
        if m == n { (q.clone(), r.clone(), None) } else { (narrow(q, 1, 0, n), narrow(r, 2, 0, n), Some(narrow(q, 1, n, m))) }
    }
}

impl<T: Scalar> Primitive for Qr<T> {
    type Inputs = Var<T>;
    type Outputs = (Var<T>, Var<T>);
    fn name(&self) -> &'static str {
        "qr"
    }
    fn keeps_input(&self, _: usize) -> bool {
        false
    }
    fn forward(&self, a: &Var<T>) -> Result<Self::Outputs> {
        let (batch, m, n) = dims("qr", a)?;
        let k = if self.full { m } else { m.min(n) };
        let parts = each_matrix(a, m, n, |a| backend::qr(a, m, n, self.full))?;
        let (q, r): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        Ok((gather(batch, &[m, k], q.into_iter()), gather(batch, &[k, n], r.into_iter())))
    }
    fn vjp(&self, a: &Var<T>, out: &Self::Outputs, bar: <Self::Outputs as Tree>::Partial, needs: &[bool]) -> Result<Option<Var<T>>> {
        if self.full
            && let Some(g) = &bar.0
            && let (_, _, Some(rest)) = Self::thin(&out.0, &out.1)
        {
            let (total, from) = (g.shape()[g.ndim() - 1], out.1.shape()[out.1.ndim() - 1]);
            let along = antihermitian_part(&rest.h().matmul(narrow(g, 1, from, total)));
            let worst = max_modulus(along.as_slice());
            if worst > gauge_tolerance::<T>() * max_modulus(g.as_slice()) {
                return Err(Error::gauge_dependent(
                    "qr",
                    format!(
                        "the loss depends on how the additional columns of Q are chosen (by {worst:.1e}); only the space that they span is defined"
                    ),
                ));
            }
        }
        transpose_jvp(self, a, out, bar, needs)
    }
    fn jvp(&self, _: &Var<T>, (q, r): &Self::Outputs, da: &Var<T>) -> Result<Self::Outputs> {
        let (q, r, rest) = if self.full { Self::thin(q, r) } else { (q.clone(), r.clone(), None) };
        let x = divide_right(da, &r).map_err(|e| match e {
            Error::Singular { .. } => Error::singular("qr", "the derivative needs full column rank, and the diagonal of R has a zero"),
            other => other,
        })?;
        let c = q.h().matmul(&x);
        let below = lower_part(&c, 1);
        let mut omega = &below - below.h();
        if T::IS_COMPLEX {
            let turn = antihermitian_part(&c);
            omega += lower_part(&turn, 0) - lower_part(&turn, 1);
        }
        let dq = q.matmul(&(&omega - &c)) + x;
        let dr = (c - omega).matmul(&r);
        let Some(rest) = rest else { return Ok((dq, dr)) };
        let follows = -q.matmul(dq.h().matmul(&rest));
        let zeros = rest.h().matmul(&dq).matmul(&dr).zeros_like();
        Ok((concatenate(&[dq, follows], -1), concatenate(&[dr, zeros], -2)))
    }
}

fn qr_general<T: Scalar>(a: &Var<T>, full: bool) -> Result<(Var<T>, Var<T>)> {
    let (_, m, n) = dims("qr", a)?;
    if m >= n {
        return apply(Qr { full, types: PhantomData }, a);
    }
    // wide: Q is that of the first m columns
    let (q, r) = apply(Qr { full: false, types: PhantomData }, &narrow(a, 1, 0, m))?;
    let rest = q.h().matmul(narrow(a, 1, m, n));
    Ok((q, concatenate(&[r, rest], -1)))
}

/// The thin A = Q R of matrices (…, m, n): Q (…, m, k), R (…, k, n) upper triangular with a real non-negative diagonal, k = min(m, n).
///
/// # Errors
/// `Shape`, `NonFinite`; `Singular` where a derivative is asked for and the first k columns are linearly dependent.
pub fn qr<T: Scalar>(a: &Var<T>) -> Result<(Var<T>, Var<T>)> {
    qr_general(a, false)
}

/// The full A = Q R: Q (…, m, m) is unitary, R is (…, m, n).
///
/// # Errors
/// As [`qr`]; a loss that depends on the choice of the additional columns of Q is `GaugeDependent`.
pub fn qr_full<T: Scalar>(a: &Var<T>) -> Result<(Var<T>, Var<T>)> {
    qr_general(a, true)
}

/// A = L U of a square matrix whose rows are in order: with C = L⁻¹ȦU⁻¹, L̇ = L tril(C, −1), U̇ = triu(C) U.
struct OrderedLu<T: Scalar> {
    factors: std::sync::Mutex<Option<(Var<T>, Var<T>)>>,
}

impl<T: Scalar> Primitive for OrderedLu<T> {
    type Inputs = Var<T>;
    type Outputs = (Var<T>, Var<T>);
    fn name(&self) -> &'static str {
        "lu"
    }
    fn keeps_input(&self, _: usize) -> bool {
        false
    }
    fn forward(&self, _: &Var<T>) -> Result<Self::Outputs> {
        Ok(self.factors.lock().expect("not poisoned").take().expect("given, and used once"))
    }
    fn jvp(&self, _: &Var<T>, (l, u): &Self::Outputs, da: &Var<T>) -> Result<Self::Outputs> {
        let c = solve_triangular(l, da, Triangular::LOWER.unit())?;
        let c = divide_right(&c, u).map_err(|e| match e {
            Error::Singular { .. } => {
                Error::singular("lu", "the derivative needs a regular leading block, and the diagonal of U has a zero")
            }
            other => other,
        })?;
        let below = lower_part(&c, 1);
        Ok((l.matmul(&below), (c - below).matmul(u)))
    }
}

/// P A = L U with partial pivoting, of one matrix (m, n): the permutation p (row i of L U is row p\[i\] of A), L (m, k) with a unit diagonal,
/// U (k, n), k = min(m, n).
///
/// # Errors
/// `Shape`, `NonFinite`; `Singular` where a derivative is asked for and the leading block is singular.
pub fn lu<T: Scalar>(a: &Var<T>) -> Result<(Vec<usize>, Var<T>, Var<T>)> {
    let (batch, m, n) = dims("lu", a)?;
    if !batch.is_empty() {
        return Err(Error::shape("lu", format!("needs one matrix, the shape is {:?}", a.shape())));
    }
    let k = m.min(n);
    let (p, l, u) = backend::lu(a.as_slice(), m, n)?;
    let (l, u) = (Var::constant(Tensor::new(&[m, k], l)), Var::constant(Tensor::new(&[k, n], u)));
    if a.is_constant() {
        return Ok((p, l, u));
    }
    let mut order = vec![T::zero(); m * m];
    p.iter().enumerate().for_each(|(i, &from)| order[i * m + from] = T::one());
    let ordered = Var::constant(Tensor::new(&[m, m], order)).matmul(a);
    let lead = narrow(&narrow(&ordered, 2, 0, k), 1, 0, k);
    let given = (narrow(&l, 2, 0, k), narrow(&u, 1, 0, k));
    let (lead_l, lead_u) = apply(OrderedLu { factors: std::sync::Mutex::new(Some(given)) }, &lead)?;
    let l = if m > k { concatenate(&[lead_l.clone(), divide_right(&narrow(&ordered, 2, k, m), &lead_u)?], -2) } else { lead_l.clone() };
    let u = if n > k {
        concatenate(&[lead_u, solve_triangular(&lead_l, &narrow(&ordered, 1, k, n), Triangular::LOWER.unit())?], -1)
    } else {
        lead_u
    };
    Ok((p, l, u))
}
