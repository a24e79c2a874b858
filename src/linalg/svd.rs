//! Singular value decomposition A = U diag(s) V†: thin, full, values only, and truncated.
//!
//! One rule serves all of them. With P = U†ȦV, F_ij = 1/(s_j − s_i) and G_ij = 1/(s_j + s_i) (kept apart: their product is 1/(s_j² − s_i²)
//! only on paper), and A⊥ = A − U S V† what was discarded:
//!
//! - ṡ = Re diag P; Ω_U = ½ (F∘(P + P†) + G∘(P − P†)), Ω_V = ½ (F∘(P + P†) − G∘(P − P†)),
//! - U̇ = U Ω_U + x and V̇ = V Ω_V + y, where x S − A⊥ y = (1 − UU†) Ȧ V and y S − A⊥† x = (1 − VV†) Ȧ† U.
//!
//! The operator on (x, y) is self-adjoint, so the pullback solves the same system for the cotangents: Ā = U W V† + p V† + U q†, with (p, q)
//! its solution for ((1 − UU†)Ū, (1 − VV†)V̄) and W = diag s̄ + ½ (F∘(E − E†) + G∘(D − D†)), E = U†Ū + V†V̄, D = U†Ū − V†V̄.
//! Without truncation A⊥ = 0 and x = (1 − UU†) Ȧ V S⁻¹. (Townsend 2016; Wan & Zhang, arXiv:1909.02659; the correction for the
//! discarded part: Francuz, Schuch & Vanhecke, arXiv:2311.11894.)
//!
//! Gauge: equal singular values share a basis (E on the block), u_i and v_i share a phase (Im diag E), and the vectors of zero singular
//! values are free on either side; a cotangent along any of these is [`Error::GaugeDependent`].

use super::backend;
use super::discarded::solve_discarded;
use super::eigh::refuse_split_values;
use super::matrices::*;
use crate::autodiff::{Primitive, Tree, Var, apply};
use crate::error::{Error, Result};
use crate::scalar::{Real, Scalar};
use crate::tensor::Tensor;
use std::marker::PhantomData;

/// (U, s, V†): (…, m, k), (…, k), (…, k, n).
pub type Svd<T> = (Var<T>, Var<<T as Scalar>::Real>, Var<T>);

/// The thin decomposition (U, s, V†) of matrices (…, m, n), with k = min(m, n) and s descending.
///
/// ```
/// use pullback::prelude::*;
/// use pullback::linalg::svd;
/// let a = Var::from(ndarray::array![[3.0, 0.0], [0.0, 4.0], [0.0, 0.0]]);
/// let (u, s, vh) = svd(&a)?;
/// assert_eq!((u.shape(), s.as_slice(), vh.shape()), (&[3usize, 2][..], &[4.0, 3.0][..], &[2usize, 2][..]));
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// `Shape`, `NonFinite`, `NoConvergence`. Sweeps return `GaugeDependent` where the loss depends on a phase, on the basis of equal
/// singular values, or on the vectors of zero ones.
pub fn svd<T: Scalar>(a: &Var<T>) -> Result<Svd<T>> {
    apply(SvdRule { kind: Kind::Thin, types: PhantomData }, a)
}

/// The full decomposition: U (…, m, m) and V† (…, n, n) are unitary.
///
/// # Errors
/// As [`svd`]; a loss that depends on the choice of the additional vectors is `GaugeDependent`.
pub fn svd_full<T: Scalar>(a: &Var<T>) -> Result<Svd<T>> {
    apply(SvdRule { kind: Kind::Full, types: PhantomData }, a)
}

/// The singular values (…, k), descending. Where no derivative is asked for, no vectors are computed.
///
/// The derivative of a vanishing singular value is taken as 0, a subgradient as that of |x|.
///
/// # Errors
/// As [`svd`].
pub fn svdvals<T: Scalar>(a: &Var<T>) -> Result<Var<T::Real>> {
    let (batch, m, n) = dims("svdvals", a)?;
    if !a.is_constant() {
        return Ok(svd(a)?.1);
    }
    let values = each_matrix(a, m, n, |a| backend::svdvals(a, m, n))?;
    Ok(gather(batch, &[m.min(n)], values.into_iter()))
}

/// How much a truncated decomposition keeps. Values closer than ε^(3/4) of the largest are one multiplet, and are kept or dropped together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Truncation {
    /// At most so many values; a multiplet that would be split is dropped, unless nothing would be left.
    pub rank: usize,
    /// Only values above this times the largest, and above rounding: ε times the longer side times the largest.
    pub tolerance: f64,
}

impl Truncation {
    /// At most `rank` values, fewer where the matrix has a lower rank.
    pub fn rank(rank: usize) -> Self {
        Truncation { rank, tolerance: 0.0 }
    }

    /// Values above `tolerance` times the largest.
    pub fn tolerance(tolerance: f64) -> Self {
        Truncation { rank: usize::MAX, tolerance }
    }

    pub(crate) fn check(&self, operation: &'static str) -> Result<()> {
        if self.rank == 0 || !(self.tolerance >= 0.0) {
            let message = format!("{self:?} keeps nothing: the rank must be at least 1 and the tolerance at least 0");
            return Err(Error::argument(operation, message));
        }
        Ok(())
    }

    /// How many of these descending moduli, of a matrix whose longer side is `side`, to keep.
    pub(crate) fn count<T: Scalar>(&self, moduli: &[f64], side: usize) -> usize {
        let largest = moduli.first().copied().unwrap_or(0.0);
        let close = degeneracy::<T>();
        // rounding noise is never kept: its vectors are arbitrary
        let noise = side as f64 * T::Real::EPSILON.to_f64();
        let floor = self.tolerance.max(noise) * largest;
        let mut keep = moduli.iter().take(self.rank).take_while(|&&s| s > floor).count();
        while keep > 0 && keep < moduli.len() && moduli[keep - 1] - moduli[keep] <= close * largest {
            keep -= 1;
        }
        if keep == 0 && largest > 0.0 {
            keep = 1;
            while keep < moduli.len() && moduli[keep - 1] - moduli[keep] <= close * largest {
                keep += 1;
            }
        }
        keep
    }
}

/// The leading singular triplets of one matrix (m, n): the best approximation of a given rank or accuracy.
///
/// Never splits a multiplet. The derivative contains the correction for the discarded part, so it is that of the exact leading triplets.
/// Where few of many are kept only those are computed.
///
/// ```
/// use pullback::prelude::*;
/// use pullback::linalg::{Truncation, truncated_svd};
/// let a = Var::from(ndarray::array![[4.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0]]);
/// let (_, s, _) = truncated_svd(&a, Truncation::rank(2))?;
/// assert_eq!(s.shape(), &[1], "the pair of twos is not split");
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// As [`svd`]; `Argument` for a rank of 0 or a negative tolerance; `Shape` for a stack of matrices.
pub fn truncated_svd<T: Scalar>(a: &Var<T>, truncation: Truncation) -> Result<Svd<T>> {
    truncation.check("truncated_svd")?;
    let (batch, ..) = dims("truncated_svd", a)?;
    if !batch.is_empty() {
        return Err(Error::shape(
            "truncated_svd",
            format!("needs one matrix, the shape is {:?}: the ranks of a stack may differ", a.shape()),
        ));
    }
    apply(SvdRule { kind: Kind::Truncated(truncation), types: PhantomData }, a)
}

#[derive(Clone, Copy)]
enum Kind {
    Thin,
    Full,
    Truncated(Truncation),
}

struct SvdRule<T> {
    kind: Kind,
    types: PhantomData<T>,
}

/// How many values beyond the rank are looked at to see whether a multiplet is split.
pub(super) const LOOK_AHEAD: usize = 4;

pub(crate) fn forward_truncated<T: Scalar>(a: &[T], m: usize, n: usize, truncation: Truncation) -> Result<(Vec<T>, Vec<T::Real>, Vec<T>)> {
    let k = m.min(n);
    let mut ask = if truncation.tolerance > 0.0 && truncation.rank >= k { k } else { truncation.rank.saturating_add(LOOK_AHEAD).min(k) };
    loop {
        let (u, s, vh) = if ask == k { backend::svd(a, m, n, false)? } else { backend::truncated_svd(a, m, n, ask)? };
        let moduli: Vec<f64> = s.iter().map(|s| s.to_f64()).collect();
        let keep = truncation.count::<T>(&moduli, m.max(n));
        if keep == ask && ask < k {
            ask = (2 * ask).min(k); // the multiplet goes on beyond what was computed
            continue;
        }
        let columns = u.chunks(ask.max(1)).flat_map(|row| row[..keep].iter().copied()).collect();
        return Ok((columns, s[..keep].to_vec(), vh[..keep * n].to_vec()));
    }
}

impl<T: Scalar> SvdRule<T> {
    /// The thin vectors, and the additional ones of a full decomposition.
    fn thin_part(&self, x: &Var<T>, k: usize, rows: bool) -> (Var<T>, Option<Var<T>>) {
        let (m, n) = (x.shape()[x.ndim() - 2], x.shape()[x.ndim() - 1]);
        let total = if rows { m } else { n };
        if total == k {
            return (x.clone(), None);
        }
        let cut = |from: usize, to: usize| narrow(x, if rows { 2 } else { 1 }, from, to);
        (cut(0, k), Some(cut(k, total)))
    }
}

/// The masks and reciprocals that both modes need.
struct Factors<T: Scalar> {
    difference: Var<T>,
    sum: Var<T>,
    inverse: Var<T::Real>,
    /// Pairs with equal values, the diagonal included.
    equal: Vec<bool>,
    /// Pairs of vanishing values.
    both_zero: Vec<bool>,
    zero: Vec<bool>,
}

impl<T: Scalar> Factors<T> {
    fn new(s: &Var<T::Real>) -> Self {
        let k = (*s.shape().last().expect("a vector")).max(1);
        let scales: Vec<f64> = s.as_slice().chunks(k).map(|s| max_modulus(s)).collect();
        let close = degeneracy::<T>();
        let differences = row::<T::Real>(s) - column::<T::Real>(s);
        let sums = row::<T::Real>(s) + column::<T::Real>(s);
        let near = |x: &Var<T::Real>| -> Vec<bool> {
            x.as_slice().iter().enumerate().map(|(i, x)| x.to_f64().abs() <= close * scales[i / (k * k)]).collect()
        };
        let (equal, both_zero) = (near(&differences), near(&sums));
        let zero: Vec<bool> = s.as_slice().iter().enumerate().map(|(i, s)| s.to_f64() <= close * scales[i / k]).collect();
        Factors {
            difference: masked_reciprocal(&differences, &equal).astype(),
            sum: masked_reciprocal(&sums, &both_zero).astype(),
            inverse: masked_reciprocal(s, &zero),
            equal,
            both_zero,
            zero,
        }
    }
}

impl<T: Scalar> Factors<T> {
    /// What stands in the columns of vanishing singular values must be rounding.
    fn refuse_along_zero(&self, blocks: &[&Var<T>], scale: f64, what: &str) -> Result<()> {
        blocks.iter().try_for_each(|g| {
            let (m, k) = (g.shape()[g.ndim() - 2], g.shape()[g.ndim() - 1]);
            refuse(g, |at| self.zero[at / (k * m) * k + at % k], scale, what)
        })
    }
}

fn refuse<T: Scalar>(k: &Var<T>, mask: impl Fn(usize) -> bool, scale: f64, what: &str) -> Result<()> {
    let n = k.shape()[k.ndim() - 1].max(1);
    let allowed = gauge_tolerance::<T>() * scale;
    let worst = k.as_slice().iter().enumerate().filter(|(at, _)| mask(*at)).map(|(at, x)| (at, x.modulus().to_f64()));
    if let Some((at, size)) = worst.max_by(|a, b| a.1.total_cmp(&b.1)).filter(|w| w.1 > allowed) {
        let (i, j) = ((at / n) % n, at % n);
        return Err(Error::gauge_dependent(
            "svd",
            format!(
                "the loss depends on {what} (entry {i}, {j}: {size:.1e}, allowed is {allowed:.1e}); use singular values, projectors u u†, or functions of A A†"
            ),
        ));
    }
    Ok(())
}

/// (1 − B B†) X
pub(crate) fn project_out<T: Scalar>(basis: &Var<T>, x: &Var<T>) -> Var<T> {
    x - basis.matmul(basis.h().matmul(x))
}

impl<T: Scalar> Primitive for SvdRule<T> {
    type Inputs = Var<T>;
    type Outputs = Svd<T>;
    fn name(&self) -> &'static str {
        match self.kind {
            Kind::Truncated(_) => "truncated_svd",
            _ => "svd",
        }
    }
    fn keeps_input(&self, _: usize) -> bool {
        matches!(self.kind, Kind::Truncated(_))
    }
    fn forward(&self, a: &Var<T>) -> Result<Svd<T>> {
        let (batch, m, n) = dims(self.name(), a)?;
        let k = m.min(n);
        if let Kind::Truncated(truncation) = self.kind {
            let (u, s, vh) = forward_truncated(a.as_slice(), m, n, truncation)?;
            let k = s.len();
            return Ok((
                Var::constant(Tensor::new(&[m, k], u)),
                Var::constant(Tensor::new(&[k], s)),
                Var::constant(Tensor::new(&[k, n], vh)),
            ));
        }
        let full = matches!(self.kind, Kind::Full);
        let (mut us, mut ss, mut vs) = (Vec::new(), Vec::new(), Vec::new());
        for (u, s, vh) in each_matrix(a, m, n, |a| backend::svd(a, m, n, full))? {
            us.push(u);
            ss.push(s);
            vs.push(vh);
        }
        let (p, q) = if full { (m, n) } else { (k, k) };
        Ok((gather(batch, &[m, p], us.into_iter()), gather(batch, &[k], ss.into_iter()), gather(batch, &[q, n], vs.into_iter())))
    }
    fn vjp(
        &self,
        a: &Var<T>,
        (u, s, vh): &Svd<T>,
        (u_bar, s_bar, vh_bar): <Svd<T> as Tree>::Partial,
        _: &[bool],
    ) -> Result<Option<Var<T>>> {
        let k = *s.shape().last().expect("a vector");
        let (u, u_rest) = self.thin_part(u, k, false);
        let (vh, vh_rest) = self.thin_part(vh, k, true);
        if let Some(g) = &s_bar {
            refuse_split_values(self.name(), s, g)?;
        }
        if u_bar.is_none() && vh_bar.is_none() {
            let Some(g) = s_bar else { return Ok(None) };
            let zero = Factors::<T>::new(s).zero;
            let g = if zero.contains(&true) { crate::ops::selection::where_bool(&zero, &g.zeros_like(), &g) } else { g };
            return Ok(Some((&u * row::<T>(&g)).matmul(&vh)));
        }
        let v = vh.h();
        let scale = [&u_bar, &vh_bar].into_iter().flatten().map(|g| max_modulus(g.as_slice())).fold(0.0, f64::max);
        // the additional vectors of a full decomposition follow the thin ones: U̇₂ = −U₁ U̇₁† U₂
        let fold = |bar: Option<Var<T>>, thin: &Var<T>, rest: Option<Var<T>>| -> Result<Option<Var<T>>> {
            let (Some(bar), Some(rest)) = (&bar, rest) else { return Ok(bar) };
            let total = bar.shape()[bar.ndim() - 1];
            let (first, second) = (narrow(bar, 1, 0, k), narrow(bar, 1, k, total));
            refuse(&antihermitian_part(&rest.h().matmul(&second)), |_| true, scale, "the choice of the additional vectors")?;
            Ok(Some(first - rest.matmul(second.h().matmul(thin))))
        };
        let u_bar = fold(u_bar, &u, u_rest)?;
        let v_bar = fold(vh_bar.map(|g| g.h()), &v, vh_rest.map(|r| r.h()))?;
        let f = Factors::<T>::new(s);
        let along_u = u_bar.as_ref().map(|g| u.h().matmul(g));
        let along_v = v_bar.as_ref().map(|g| v.h().matmul(g));
        let uu = along_u.as_ref().map(antihermitian_part);
        let vv = along_v.as_ref().map(antihermitian_part);
        let (e, d) = match (uu, vv) {
            (Some(x), Some(y)) => (&x + &y, x - y),
            (Some(x), None) => (x.clone(), x),
            (None, Some(y)) => (y.clone(), -y),
            (None, None) => unreachable!("one of them is there"),
        };
        refuse(&e, |at| f.equal[at], scale, "a phase, or the choice of basis for equal singular values")?;
        refuse(&d, |at| f.both_zero[at], scale, "the vectors of vanishing singular values")?;
        let mut core = e * &f.difference + d * &f.sum;
        if let Some(g) = s_bar {
            core += diagonal_matrix::<T>(&g);
        }
        let outside = |basis: &Var<T>, bar: &Option<Var<T>>, along: &Option<Var<T>>| match (bar, along) {
            (Some(bar), Some(along)) => bar - basis.matmul(along),
            _ => basis.zeros_like(),
        };
        if let Kind::Truncated(_) = self.kind {
            let (outside_u, outside_v) = (outside(&u, &u_bar, &along_u), outside(&v, &v_bar, &along_v));
            f.refuse_along_zero(&[&outside_u, &outside_v], scale, "the vectors of vanishing singular values")?;
            let rest = a - (&u * row::<T>(s)).matmul(&vh);
            let (p, q) = solve_discarded(&rest, &diagonal_matrix::<T>(s), &outside_u, &outside_v)?;
            return Ok(Some(sandwich(&u, &core, &vh) + p.matmul(&vh) + u.matmul(q.h())));
        }
        // only the vectors of the longer side leave their span; (1 − UU†)Ū S⁻¹ V† goes through the products that are there anyway
        let (tall, wide) = (u.shape()[u.ndim() - 2] > k, vh.shape()[vh.ndim() - 1] > k);
        if f.zero.contains(&true) {
            let leaving = [tall.then(|| outside(&u, &u_bar, &along_u)), wide.then(|| outside(&v, &v_bar, &along_v))];
            f.refuse_along_zero(&leaving.iter().flatten().collect::<Vec<_>>(), scale, "the vectors of vanishing singular values")?;
        }
        let inverse = row::<T>(&f.inverse);
        Ok(Some(match (u_bar, along_u, v_bar, along_v) {
            (Some(bar), Some(along), ..) if tall => (u.matmul(core - along * &inverse) + bar * inverse).matmul(vh),
            (.., Some(bar), Some(along)) if wide => u.matmul((core - (along * &inverse).h()).matmul(vh) + (bar * inverse).h()),
            _ => sandwich(&u, &core, &vh),
        }))
    }
    fn jvp(&self, a: &Var<T>, (u, s, vh): &Svd<T>, da: &Var<T>) -> Result<Svd<T>> {
        let k = *s.shape().last().expect("a vector");
        let (u, u_rest) = self.thin_part(u, k, false);
        let (vh, vh_rest) = self.thin_part(vh, k, true);
        let v = vh.h();
        let f = Factors::<T>::new(s);
        let dav = da.matmul(&v);
        let projected = u.h().matmul(&dav);
        let (plus, minus) = (&projected + projected.h(), &projected - projected.h());
        let scale = max_modulus(projected.as_slice());
        let off_diagonal = |at: usize| (at / k) % k != at % k;
        refuse(&plus, |at| f.equal[at] && off_diagonal(at), scale, "how a perturbation splits equal singular values")?;
        refuse(&minus, |at| f.both_zero[at], scale, "the vectors of vanishing singular values")?;
        let (x, y) = (plus * &f.difference, minus * &f.sum);
        let omega_u = (&x + &y).scale(0.5);
        let omega_v = (x - y).scale(0.5);
        let what = "how a perturbation moves the vectors of vanishing singular values";
        let scale = max_modulus(da.as_slice());
        let (du, dv) = if let Kind::Truncated(_) = self.kind {
            let (outside_u, outside_v) = (dav - u.matmul(&projected), project_out(&v, &da.h().matmul(&u)));
            f.refuse_along_zero(&[&outside_u, &outside_v], scale, what)?;
            let rest = a - (&u * row::<T>(s)).matmul(&vh);
            let (x, y) = solve_discarded(&rest, &diagonal_matrix::<T>(s), &outside_u, &outside_v)?;
            (u.matmul(&omega_u) + x, v.matmul(&omega_v) + y)
        } else {
            // x = (ȦV − U P) S⁻¹ beyond the span of the longer side's vectors
            let (tall, wide) = (u.shape()[u.ndim() - 2] > k, v.shape()[v.ndim() - 2] > k);
            let leave = |basis: &Var<T>, omega: &Var<T>, moved: Var<T>, along: &Var<T>| {
                if f.zero.contains(&true) {
                    f.refuse_along_zero(&[&(&moved - basis.matmul(along))], scale, what)?;
                }
                let inverse = row::<T>(&f.inverse);
                Ok::<_, Error>(basis.matmul(omega - along * &inverse) + moved * inverse)
            };
            let du = if tall { leave(&u, &omega_u, dav, &projected)? } else { u.matmul(&omega_u) };
            let dv = if wide { leave(&v, &omega_v, da.h().matmul(&u), &projected.h())? } else { v.matmul(&omega_v) };
            (du, dv)
        };
        let extend = |d: Var<T>, thin: &Var<T>, rest: Option<Var<T>>| match rest {
            None => d,
            Some(rest) => {
                let follows = -thin.matmul(d.h().matmul(&rest));
                crate::ops::concatenate(&[d, follows], -1)
            }
        };
        Ok((extend(du, &u, u_rest), real_diagonal(&projected), extend(dv, &v, vh_rest.map(|r| r.h())).h()))
    }
}
