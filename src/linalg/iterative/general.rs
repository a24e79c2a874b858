//! Dominant eigenpairs of a general operator with right and left vectors, and their derivative without the rest of the spectrum.
//!
//! For the invariant subspaces A R = R S, L†A = S L†, L†R = 1 and Q = 1 − R L†: Ṙ = W with L†W = 0 from Q A W − W S = −Q Ȧ R, L̇ from
//! the adjoint equation, Ṡ = L†ȦR: the dominant eigensolver of Xie, Liu & Wang (Phys. Rev. B 101, 245139 (2020), §II.B) for several pairs
//! at once. As in the Hermitian case the equations are those of one operator that is not singular,
//! B Z = Q (A Q Z − Q Z S) + σ R L†Z, and its adjoint, solved by GMRES. S is diagonalised by [`eig`](crate::linalg::eig), which refuses
//! losses that depend on the basis of a multiplet; norms and phases are fixed afterwards, so nothing else is left to a choice.

use super::arnoldi::{Dominance, Run, biorthonormal};
use super::hermitian::{EigenOptions, EigenReport};
use super::krylov::LinearSolver;
use super::leaves::{Leaves, erase, leaf, pull_needed};
use super::operator::{Complexified, DynOperator, LinearOperator, Operator, apply_rows, erased};
use super::solve::{DerivativeSolves, Settings, solve_inside};
use super::vector::{Stream, axpy, dot, norm, parts_of};
use crate::autodiff::{AnyVar, Primitive, Tree, Var, apply, jvp};
use crate::error::{Error, Result};
use crate::linalg::{eig, inv};
use crate::scalar::{Real, Scalar};
use std::sync::{Arc, OnceLock};

/// Dominant eigenpairs of a general operator: A rᵢ = λᵢ rᵢ, lᵢ†A = λᵢ lᵢ†.
#[derive(Clone, Debug)]
pub struct DominantEigenpairs<T: Scalar> {
    /// The eigenvalues (k,), dominant first.
    pub values: Var<T::Complex>,
    /// Right eigenvectors (n, k), in columns, of unit norm, the component of largest modulus real and positive.
    pub right: Var<T::Complex>,
    /// Left eigenvectors (n, k), in columns, with lᵢ†rⱼ = δᵢⱼ.
    pub left: Var<T::Complex>,
    /// What the iterations did; residuals are those of the right vectors.
    pub report: EigenReport,
    /// What the linear solves of derivatives did, once they have run.
    pub derivative_solves: DerivativeSolves,
}

#[derive(Clone, Debug)]
struct Found {
    report: EigenReport,
    cut: bool,
}

struct Subspaces<C: Scalar> {
    operator: DynOperator<C>,
    k: usize,
    order: Dominance,
    settings: Settings<C>,
    tolerance: f64,
    subspace: usize,
    limit: usize,
    start: Option<Vec<C>>,
    allow_unconverged: bool,
    check_multiplicity: bool,
    found: Arc<OnceLock<Found>>,
    log: DerivativeSolves,
}

/// B and B† on rows; parameters (p…, Rᵀ, Lᵀ, Sᵀ).
struct Deflated<C: Scalar> {
    inner: DynOperator<C>,
    k: usize,
    shift: f64,
}

impl<C: Scalar> Deflated<C> {
    fn run(&self, params: &Leaves, z: &Var<C>, adjoint: bool) -> Result<Var<C>> {
        let (p, rest) = params.split(params.len() - 3);
        let (mut r, mut l, mut st) = (leaf::<C>(&rest.0[0]), leaf::<C>(&rest.0[1]), leaf::<C>(&rest.0[2]));
        if adjoint {
            (r, l, st) = (l, r, st.h());
        }
        let z = z.reshape(&[self.k, z.len() / self.k]);
        let dual = l.h();
        let inside = z.matmul(&dual).matmul(&r);
        let outside = z - &inside;
        let y = apply_rows(self.inner.as_ref(), &p, &outside, adjoint)? - st.matmul(&outside);
        Ok((&y - y.matmul(&dual).matmul(&r) + inside.scale(self.shift)).ravel())
    }
}

impl<C: Scalar> Operator<C> for Deflated<C> {
    fn shape(&self) -> (usize, usize) {
        let n = self.inner.shape().0 * self.k;
        (n, n)
    }
    fn hermitian(&self) -> bool {
        false
    }
    fn apply(&self, params: &Leaves, z: &Var<C>) -> Result<Var<C>> {
        self.run(params, z, false)
    }
    fn adjoint(&self, params: &Leaves, z: &Var<C>) -> Result<Var<C>> {
        self.run(params, z, true)
    }
}

/// rows − (rows · dual†) space: what is left of them outside the space.
fn outside<C: Scalar>(rows: &Var<C>, space: &Var<C>, dual: &Var<C>) -> Var<C> {
    rows - rows.matmul(dual.h()).matmul(space)
}

const NAME: &str = "eigs";

impl<C: Scalar<Complex = C>> Subspaces<C> {
    /// B⁻¹ or B⁻† on rows that lie outside the space.
    fn deflated_solve(&self, params: &Leaves, (r, l, st): &(Var<C>, Var<C>, Var<C>), adjoint: bool, rhs: &Var<C>) -> Result<Var<C>> {
        let found = self.found.get().expect("the forward pass ran");
        let shift = if found.report.norm > 0.0 { 0.5 * found.report.norm } else { 1.0 };
        let operator = Arc::new(Deflated { inner: self.operator.clone(), k: self.k, shift });
        let all = params.chain(&Leaves(vec![erase(r), erase(l), erase(st)]));
        let rhs = if adjoint { outside(rhs, l, r) } else { outside(rhs, r, l) };
        Ok(solve_inside(operator, adjoint, &all, rhs.ravel(), &self.settings, &self.log)?.reshape(r.shape()))
    }

    fn refuse_cut(&self) -> Result<()> {
        if !self.found.get().is_some_and(|f| f.cut) {
            return Ok(());
        }
        Err(Error::gauge_dependent(
            NAME,
            format!(
                "the {} pairs asked for cut a degenerate eigenvalue in two: there is no derivative; ask for one more or one fewer",
                self.k
            ),
        ))
    }
}

impl<C: Scalar<Complex = C>> Primitive for Subspaces<C> {
    type Inputs = Leaves;
    /// Rᵀ (k, n), Lᵀ (k, n), Sᵀ (k, k).
    type Outputs = (Var<C>, Var<C>, Var<C>);
    fn name(&self) -> &'static str {
        NAME
    }
    fn forward(&self, params: &Leaves) -> Result<Self::Outputs> {
        let (n, k) = (self.operator.shape().0, self.k);
        let (matvec, adjoint) = (self.operator.at(params.clone(), false)?, self.operator.at(params.clone(), true)?);
        let start = self.start.clone().unwrap_or_else(|| Stream::new(0x5eed).vector(n));
        let run = |apply: &dyn Fn(&[C]) -> Result<Vec<C>>, conjugate: bool| {
            let (order, subspace, tolerance, limit) = (self.order, self.subspace, self.tolerance, self.limit);
            let run = Run { apply, n, k, order, conjugate, subspace, tolerance, limit };
            if self.check_multiplicity { run.run_with_copies(&start, &mut Stream::new(0xc09)) } else { run.run(&start) }
        };
        let (right, left) = (run(&matvec, false)?, run(&adjoint, true)?);
        let norm_of_a = right.norm.max(left.norm);
        let converged = right.converged && left.converged;
        if !converged && !self.allow_unconverged {
            return Err(Error::no_convergence(
                NAME,
                format!(
                    "after {} products the {k} Ritz values are {} with residuals {:.1e} (right) and {:.1e} (left) where {:.1e} ‖A‖ was asked for, ‖A‖ ≈ {norm_of_a:.3e}: allow more products (max_products) or a larger subspace, or allow_unconverged",
                    right.products + left.products,
                    right.values.iter().map(|v| format!("{v:.6}")).collect::<Vec<_>>().join(", "),
                    right.residual,
                    left.residual,
                    self.tolerance
                ),
            )
            .with_iterate(right.residual.max(left.residual), parts_of(&right.rows)));
        }
        // the two searches must have found the same eigenvalues
        let loose = C::Real::EPSILON.to_f64().sqrt() * norm_of_a;
        let unmatched = right
            .values
            .iter()
            .find(|a| !left.values.iter().any(|b| (b.conj() - **a).modulus().to_f64() <= loose.max(1e3 * self.tolerance * norm_of_a)));
        let dual = biorthonormal(&right.rows, &left.rows, k, n)?;
        let (Some(dual), None) = (dual, unmatched) else {
            return Err(Error::singular(
                NAME,
                match unmatched {
                    Some(z) => format!("the right search found the eigenvalue {z:.6}, the left one did not: several are equally dominant, ask for more of them"),
                    None => "the left and right invariant subspaces are orthogonal to rounding: the operator is defective there, and eigenpairs have no derivative".into(),
                },
            ));
        };
        let last = right.values[k - 1];
        let close = C::Real::EPSILON.to_f64().powf(0.75) * norm_of_a;
        let cut = right.next.is_some_and(|next| (next - last).modulus().to_f64() <= close);
        let images = (0..k).map(|i| matvec(&right.rows[i * n..(i + 1) * n])).collect::<Result<Vec<_>>>()?;
        let st: Vec<C> = (0..k * k).map(|at| dot(&dual[(at % k) * n..(at % k + 1) * n], &images[at / k])).collect();
        let residuals = (0..k)
            .map(|j| {
                let mut r = images[j].clone();
                (0..k).for_each(|i| axpy(-st[j * k + i], &right.rows[i * n..(i + 1) * n], &mut r));
                norm(&r)
            })
            .collect();
        let report = EigenReport { products: right.products + left.products + k, residuals, converged, norm: norm_of_a };
        let _ = self.found.set(Found { report, cut });
        Ok((Var::from_shape_vec(&[k, n], right.rows)?, Var::from_shape_vec(&[k, n], dual)?, Var::from_shape_vec(&[k, k], st)?))
    }
    fn vjp(
        &self,
        params: &Leaves,
        out: &Self::Outputs,
        bar: <Self::Outputs as Tree>::Partial,
        needs: &[bool],
    ) -> Result<Vec<Option<AnyVar>>> {
        self.refuse_cut()?;
        let (r, l, _) = out;
        let (r_bar, l_bar, st_bar) = bar;
        let mut forward = st_bar.map(|g| g.matmul(l));
        if let Some(g) = r_bar {
            let z = self.deflated_solve(params, out, true, &g)?;
            forward = Some(match forward {
                Some(f) => f - z,
                None => -z,
            });
        }
        let a = self.operator.as_ref();
        let zeros = |rows: &Var<C>| Var::zeros(rows.shape());
        match (forward, l_bar) {
            (None, None) => Ok(vec![None; params.len()]),
            (Some(f), None) => pull_needed(|p| apply_rows(a, p, r, false), params, needs, &f),
            (f, Some(g)) => {
                let backward = -self.deflated_solve(params, out, false, &g)?;
                let both = |p: &Leaves| Ok((apply_rows(a, p, r, false)?, apply_rows(a, p, l, true)?));
                pull_needed(both, params, needs, &(f.unwrap_or_else(|| zeros(r)), backward))
            }
        }
    }
    fn jvp(&self, params: &Leaves, out: &Self::Outputs, tangents: &Leaves) -> Result<Self::Outputs> {
        self.refuse_cut()?;
        let (r, l, _) = out;
        let a = self.operator.as_ref();
        let both = |p: &Leaves| Ok::<_, Error>((apply_rows(a, p, r, false)?, apply_rows(a, p, l, true)?));
        let (_, (right, left)) = jvp(both, params, tangents)?;
        let dr = self.deflated_solve(params, out, false, &-&right)?;
        let dl = self.deflated_solve(params, out, true, &-&left)?;
        Ok((dr, dl, right.matmul(l.h())))
    }
}

/// Unit right vectors whose component of largest modulus is real and positive, and left ones to match.
fn normalise<C: Scalar>(r: &Var<C>, l: &Var<C>) -> (Var<C>, Var<C>) {
    let (k, n) = (r.shape()[0], r.shape()[1]);
    let mut largest = Vec::with_capacity(k);
    for row in r.as_slice().chunks(n) {
        let top = row.iter().fold(0.0f64, |m, x| m.max(x.modulus().to_f64()));
        let nearly = top * (1.0 - C::Real::EPSILON.to_f64().sqrt());
        largest.push(row.iter().position(|x| x.modulus().to_f64() >= nearly).unwrap_or(0));
    }
    let at: Vec<usize> = largest.iter().enumerate().map(|(i, j)| i * n + j).collect();
    let pivots = r.take(&at).reshape(&[k, 1]);
    let phase = &pivots / pivots.abs().astype::<C>();
    let size = r.abs_squared().sum_axis(1).sqrt().reshape(&[k, 1]).astype::<C>();
    (r / (&size * &phase), l * (size * phase.conj()))
}

/// The k dominant eigenpairs of a general operator, right and left, by Krylov–Schur (Arnoldi with restarts).
///
/// ```
/// use pullback::linalg::iterative::{Dense, Dominance, EigenOptions, eigs};
/// use pullback::prelude::*;
/// // a Markov chain: the dominant eigenvalue is 1, and its right vector the stationary distribution
/// let stay = |p: &Var<f64>| {
///     let matrix = stack(&[stack(&[p.clone(), 1.0 - p], 0), Var::from([0.2, 0.8])], 1); // columns sum to one
///     let pairs = eigs(&Dense::new(&matrix)?, 1, Dominance::LargestMagnitude, &EigenOptions::default())?;
///     let v = pairs.right.re().ravel();
///     Ok::<_, Error>(v.get(&[0]) / v.sum())
/// };
/// let (pi, d) = value_and_grad(stay, &0.7)?;
/// assert!((pi.item() - 0.4).abs() < 1e-12); // 0.2/(0.2 + 1 − p)
/// assert!((d - 0.8).abs() < 1e-10);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// `Shape`, `Argument`, `NonFinite`, `NoConvergence`; `Singular` where left and right vectors are orthogonal (a defective operator).
/// Sweeps: `GaugeDependent` where degenerate eigenvalues are cut or treated differently; `NoConvergence` of the linear solve.
pub fn eigs<T: Scalar, A: LinearOperator<T> + Clone>(
    a: &A,
    k: usize,
    order: Dominance,
    options: &EigenOptions<T>,
) -> Result<DominantEigenpairs<T>> {
    let (operator, params) = erased(a);
    let n = super::operator::square(NAME, operator.as_ref())?;
    options.validate(NAME, n, k)?;
    let d = &options.derivative;
    if d.preconditioner.is_some() {
        return Err(Error::argument(
            NAME,
            "the equation of this derivative takes no preconditioner: leave options.derivative.preconditioner empty",
        ));
    }
    let settings = Settings {
        operation: NAME,
        solver: LinearSolver::Gmres { restart: d.restart },
        tolerance: d.tolerance,
        max_iterations: d.max_iterations,
        preconditioner: None,
        allow_unconverged: d.allow_unconverged,
        deflated: true,
    };
    let (found, log) = (Arc::new(OnceLock::new()), DerivativeSolves::default());
    let primitive = Subspaces::<T::Complex> {
        operator: Arc::new(Complexified(operator)),
        k,
        order,
        settings,
        tolerance: options.tolerance,
        subspace: options.subspace.unwrap_or(2 * k + 40).max(k + 2),
        limit: options.limit(n),
        start: options.start.as_ref().map(|x| x.as_slice().iter().map(|x| x.to_complex()).collect()),
        allow_unconverged: options.allow_unconverged,
        check_multiplicity: options.check_multiplicity,
        found: found.clone(),
        log: log.clone(),
    };
    let (mut r, mut l, st) = apply(primitive, &params)?;
    let report = found.get().expect("the forward pass ran").report.clone();
    let values = if k == 1 {
        st.reshape(&[1])
    } else {
        // which values coincide is judged against ‖A‖, also where those asked for are near zero
        let scale = report.norm;
        let (values, u) = eig(&(st.t() + Var::<T::Complex>::eye(k).scale(scale)))?;
        let values = values - Var::scalar(<T::Complex as Scalar>::from_real(T::Real::from_f64(scale)));
        let mut order_of: Vec<usize> = (0..k).collect();
        order_of.sort_by(|&i, &j| order.compare(values.as_slice()[i], values.as_slice()[j], scale));
        let u = u.index_select(&order_of, 1);
        l = inv(&u)?.conj().matmul(&l);
        r = u.t().matmul(&r);
        values.index_select(&order_of, 0)
    };
    let (r, l) = normalise(&r, &l);
    Ok(DominantEigenpairs { values, right: r.t(), left: l.t(), report, derivative_solves: log })
}
