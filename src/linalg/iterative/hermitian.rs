//! The lowest or highest eigenpairs of a Hermitian operator, A X = X S with X (n, k), X†X = 1, and their derivative without the rest of the
//! spectrum (Xie, Liu & Wang, Phys. Rev. B 101, 245139 (2020), arXiv:2001.04121).
//!
//! With P = 1 − X X†: Ẋ = W, where W ⊥ X solves P A W − W S = −P Ȧ X, and Ṡ = X†ȦX. Pullback: Z ⊥ X from P A Z − Z S = P X̄, and p̄ is
//! that of p ↦ A(p) X at −Z and of p ↦ X†A(p)X at S̄. The equation is solved by MINRES as B Z = P X̄ with
//! B Z = P (A P Z − P Z S) + σ X X†Z, which is not singular, self-adjoint, and a function of (p, X, S) that can be differentiated again.
//!
//! S is diagonalised by [`eigh`](crate::linalg::eigh), whose rule does what is to be done inside the space, so a multiplet that is
//! asked for as a whole is no obstacle. A loss that depends on the basis of X, or on a space that cuts a multiplet in two, is refused.

use super::lanczos::{Ritz, Run};
use super::leaves::{Leaves, erase, leaf, pull_needed};
use super::operator::{DynOperator, LinearOperator, Matvec, Operator, apply_rows, check_hermitian, erased};
use super::solve::{DerivativeSolves, Preconditioner, Settings, SolveOptions, check_tolerance, solve_inside};
use super::vector::{Stream, axpy, combine, dot, norm, orthogonalise, parts_of, real, scale};
use crate::autodiff::{Primitive, Tree, Var, apply, jvp};
use crate::error::{Error, Result};
use crate::linalg::{backend, eigh};
use crate::scalar::{Real, Scalar};
use std::sync::{Arc, OnceLock};

/// Which end of the spectrum of a Hermitian operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The smallest eigenvalues, ascending.
    Lowest,
    /// The largest eigenvalues, descending.
    Highest,
}

/// Options of the eigensolvers of this module.
#[derive(Clone, Debug)]
pub struct EigenOptions<T: Scalar> {
    /// The bound on ‖A v − λ v‖ relative to ‖A‖. Default 64 ε, 1.4e-14 in double precision.
    pub tolerance: f64,
    /// The most products with the operator. Default 100 n + 1000.
    pub max_products: Option<usize>,
    /// The most basis vectors kept: memory is this many vectors. Default 2 k + 40.
    pub subspace: Option<usize>,
    /// Where the iteration starts (n,). Default a fixed random vector; a vector that is close saves products.
    pub start: Option<Var<T>>,
    /// Look for further copies of degenerate eigenvalues, which an iteration from one vector can miss, by a second search in the complement
    /// of what was found. Default true. Without it a degenerate value may come back once only, and a space that cuts a multiplet may go
    /// unnoticed where the loss depends on eigenvalues alone.
    pub check_multiplicity: bool,
    /// Return what was reached instead of an error; the report tells.
    pub allow_unconverged: bool,
    /// How the linear equation of the derivative is solved; its preconditioner approximates (A − λ)⁻¹ on vectors (n,), Hermitian and
    /// positive where the solver is MINRES. `guess` is not read.
    pub derivative: SolveOptions<T>,
}

impl<T: Scalar> Default for EigenOptions<T> {
    fn default() -> Self {
        EigenOptions {
            tolerance: 64.0 * T::Real::EPSILON.to_f64(),
            max_products: None,
            subspace: None,
            start: None,
            check_multiplicity: true,
            allow_unconverged: false,
            derivative: SolveOptions::default(),
        }
    }
}

impl<T: Scalar> EigenOptions<T> {
    pub(super) fn validate(&self, operation: &'static str, n: usize, k: usize) -> Result<()> {
        if k == 0 || k > n {
            return Err(Error::argument(operation, format!("{k} eigenpairs were asked for, the operator has {n}: k must lie in 1..={n}")));
        }
        check_tolerance(operation, self.tolerance)?;
        check_tolerance(operation, self.derivative.tolerance)?;
        if let Some(m) = self.subspace.filter(|&m| m < n && m < k + 2) {
            return Err(Error::argument(operation, format!("subspace is {m}: for {k} pairs at least {} vectors are needed", k + 2)));
        }
        if let Some(x) = self.start.as_ref().filter(|x| x.shape() != [n]) {
            return Err(Error::shape(operation, format!("the start vector has shape {:?}: it must be ({n},)", x.shape())));
        }
        match self.start.as_ref().and_then(|x| x.as_slice().iter().position(|x| !x.is_finite())) {
            Some(i) => Err(Error::non_finite(operation, format!("component {i} of the start vector"))),
            None => Ok(()),
        }
    }

    pub(super) fn limit(&self, n: usize) -> usize {
        self.max_products.unwrap_or(100 * n + 1000)
    }
}

/// What an eigensolver did.
#[derive(Clone, Debug, PartialEq)]
pub struct EigenReport {
    /// Products with the operator, with those of the search for further copies.
    pub products: usize,
    /// ‖A v − λ v‖ of each pair, measured.
    pub residuals: Vec<f64>,
    /// Whether all residuals reached the tolerance.
    pub converged: bool,
    /// An estimate of ‖A‖.
    pub norm: f64,
}

/// Eigenpairs of a Hermitian operator.
#[derive(Clone, Debug)]
pub struct Eigenpairs<T: Scalar> {
    /// The eigenvalues (k,), from the end of the spectrum inwards.
    pub values: Var<T::Real>,
    /// The orthonormal eigenvectors (n, k), in columns.
    pub vectors: Var<T>,
    /// What the iteration did.
    pub report: EigenReport,
    /// What the linear solves of derivatives did, once they have run.
    pub derivative_solves: DerivativeSolves,
}

/// The invariant subspace of the k lowest or highest eigenvalues.
#[derive(Clone, Debug)]
pub struct InvariantSubspace<T: Scalar> {
    /// An orthonormal basis X (n, k), of no particular orientation.
    pub basis: Var<T>,
    /// S = X†AX (k, k).
    pub restriction: Var<T>,
    /// What the iteration did.
    pub report: EigenReport,
    /// What the linear solves of derivatives did, once they have run.
    pub derivative_solves: DerivativeSolves,
}

/// What the forward pass found out.
#[derive(Clone, Debug)]
struct Found {
    report: EigenReport,
    /// The last value asked for has a copy that was not.
    cut: bool,
}

struct Subspace<T: Scalar> {
    operation: &'static str,
    operator: DynOperator<T>,
    k: usize,
    which: Which,
    options: EigenOptions<T>,
    found: Arc<OnceLock<Found>>,
    log: DerivativeSolves,
}

/// B Z = P (A P Z − P Z S) + σ X X†Z on the rows of Z; parameters (p…, Xᵀ, Sᵀ).
struct Deflated<T: Scalar> {
    inner: DynOperator<T>,
    k: usize,
    shift: f64,
}

impl<T: Scalar> Deflated<T> {
    fn parts(&self, params: &Leaves) -> (Leaves, Var<T>, Var<T>) {
        let (p, rest) = params.split(params.len() - 2);
        (p, leaf(&rest.0[0]), leaf(&rest.0[1]))
    }
}

impl<T: Scalar> Operator<T> for Deflated<T> {
    fn shape(&self) -> (usize, usize) {
        let n = self.inner.shape().0 * self.k;
        (n, n)
    }
    fn hermitian(&self) -> bool {
        true
    }
    fn apply(&self, params: &Leaves, z: &Var<T>) -> Result<Var<T>> {
        let (p, x, st) = self.parts(params);
        let z = z.reshape(&[self.k, z.len() / self.k]);
        let adjoint = x.h();
        let inside = z.matmul(&adjoint).matmul(&x);
        let outside = z - &inside;
        let y = apply_rows(self.inner.as_ref(), &p, &outside, false)? - st.matmul(&outside);
        Ok((&y - y.matmul(&adjoint).matmul(&x) + inside.scale(self.shift)).ravel())
    }
    fn adjoint(&self, params: &Leaves, z: &Var<T>) -> Result<Var<T>> {
        self.apply(params, z)
    }
    fn at<'a>(&'a self, params: Leaves, _: bool) -> Result<Matvec<'a, T>> {
        let (p, x, st) = self.parts(&params);
        let inner = self.inner.at(p, false)?;
        let (k, n, shift) = (self.k, self.inner.shape().0, real::<T>(self.shift));
        Ok(Box::new(move |z| {
            let (x, st) = (x.as_slice(), st.as_slice());
            let mut inside = vec![T::zero(); k * n];
            let mut outside = z.to_vec();
            for j in 0..k {
                for i in 0..k {
                    let xi = &x[i * n..(i + 1) * n];
                    axpy(dot(xi, &z[j * n..(j + 1) * n]), xi, &mut inside[j * n..(j + 1) * n]);
                }
            }
            axpy(-T::one(), &inside, &mut outside);
            let mut out = Vec::with_capacity(k * n);
            for j in 0..k {
                let mut y = inner(&outside[j * n..(j + 1) * n])?;
                for l in 0..k {
                    axpy(-st[j * k + l], &outside[l * n..(l + 1) * n], &mut y);
                }
                for i in 0..k {
                    let xi = &x[i * n..(i + 1) * n];
                    axpy(-dot(xi, &y), xi, &mut y);
                }
                out.extend(y);
            }
            axpy(shift, &inside, &mut out);
            Ok(out)
        }))
    }
}

impl<T: Scalar> Subspace<T> {
    fn search(&self, apply: &Matvec<'_, T>, n: usize) -> Result<(Ritz<T>, bool)> {
        let (o, k) = (&self.options, self.k);
        let lowest = self.which == Which::Lowest;
        let mut stream = Stream::new(0x5eed);
        let start = o.start.as_ref().map_or_else(|| stream.vector::<T>(n), |x| x.as_slice().to_vec());
        let subspace = o.subspace.unwrap_or(2 * k + 40).max(k + 2);
        let limit = o.limit(n);
        let run = Run { apply, n, k, lowest, subspace, tolerance: o.tolerance, limit, locked: &[], clear_of: None };
        let mut found = run.run(&start, &mut stream)?;
        let close = T::Real::EPSILON.to_f64().powf(0.75);
        let within = |a: f64, b: f64, norm: f64| if lowest { a <= b + close * norm } else { a >= b - close * norm };
        let mut cut = found.next.is_some_and(|(v, r)| r <= 1e-6 * found.norm && within(v, found.values[k - 1], found.norm));
        while found.converged && o.check_multiplicity && found.values.len() < n && found.products < limit {
            let last = found.values[found.values.len() - 1];
            let again = Run { k: 1, subspace: 40, locked: &found.rows, clear_of: Some(last), limit: limit - found.products, ..run };
            let other = again.run(&stream.vector::<T>(n), &mut stream)?;
            found.products += other.products;
            found.norm = found.norm.max(other.norm);
            if !other.converged || !within(other.values[0], last, found.norm) {
                found.converged &= other.converged;
                break;
            }
            let dropped = merge(apply, &mut found, &other, k, lowest, n)?;
            cut = within(dropped, found.values[k - 1], found.norm);
            if cut {
                break;
            }
        }
        Ok((found, cut))
    }

    /// The rule's equation, solved for the rows on the right.
    fn deflated_solve(&self, params: &Leaves, x: &Var<T>, st: &Var<T>, rhs: &Var<T>) -> Result<Var<T>> {
        let found = self.found.get().expect("the forward pass ran");
        if found.cut {
            return Err(self.refuse_cut());
        }
        let o = &self.options.derivative;
        let scale = if found.report.norm > 0.0 { found.report.norm } else { 1.0 };
        let shift = if self.which == Which::Lowest { 0.5 * scale } else { -0.5 * scale };
        let settings = Settings {
            operation: self.operation,
            solver: super::krylov::LinearSolver::Minres,
            tolerance: o.tolerance,
            max_iterations: o.max_iterations,
            preconditioner: o.preconditioner.as_ref().map(|m| deflated_preconditioner(m, x)),
            allow_unconverged: o.allow_unconverged,
            deflated: true,
        };
        let operator = Arc::new(Deflated { inner: self.operator.clone(), k: self.k, shift });
        let all = params.chain(&Leaves(vec![erase(x), erase(st)]));
        let shape = rhs.shape().to_vec();
        Ok(solve_inside(operator, false, &all, outside(rhs, x).ravel(), &settings, &self.log)?.reshape(&shape))
    }

    fn refuse_cut(&self) -> Error {
        Error::gauge_dependent(
            self.operation,
            format!(
                "the {} pairs asked for cut a degenerate eigenvalue in two: which of its vectors are among them is a choice, and there is no derivative; ask for one more or one fewer",
                self.k
            ),
        )
    }

    /// The change of the loss under X → X(1 + ε), S → (1 − ε) S (1 + ε) for anti-Hermitian ε must vanish.
    fn refuse_gauge(&self, (x, st): &(Var<T>, Var<T>), x_bar: Option<&Var<T>>, st_bar: Option<&Var<T>>) -> Result<()> {
        let (k, n) = (self.k, x.shape()[1]);
        let mut m = vec![T::zero(); k * k];
        let mut size = 0.0;
        if let Some(x_bar) = x_bar {
            size += norm(x_bar.as_slice());
            for i in 0..k {
                for j in 0..k {
                    m[i * k + j] += dot(&x_bar.as_slice()[i * n..(i + 1) * n], &x.as_slice()[j * n..(j + 1) * n]);
                }
            }
        }
        if let Some(g) = st_bar {
            let (s, g) = (st.as_slice(), g.as_slice());
            size += norm(g) * norm(s);
            // S̄†S − S S̄† of the transposes
            for i in 0..k {
                for j in 0..k {
                    for l in 0..k {
                        m[i * k + j] += g[i * k + l].conj() * s[j * k + l] - s[l * k + i] * g[l * k + j].conj();
                    }
                }
            }
        }
        let allowed = T::Real::EPSILON.to_f64().sqrt() * size;
        for i in 0..k {
            for j in 0..=i {
                let off = (m[i * k + j] - m[j * k + i].conj()).modulus().to_f64() * 0.5;
                if off > allowed {
                    let what =
                        if i == j { format!("the phase of vector {i}") } else { format!("the basis chosen between vectors {j} and {i}") };
                    return Err(Error::gauge_dependent(
                        self.operation,
                        format!("the loss depends on {what} (by {off:.1e}, allowed is {allowed:.1e}); use |v| or projectors v v†"),
                    ));
                }
            }
        }
        Ok(())
    }
}

/// Rayleigh–Ritz on k + 1 vectors, the new one and those there are: the last falls out, and its value is given.
fn merge<T: Scalar>(apply: &Matvec<'_, T>, found: &mut Ritz<T>, other: &Ritz<T>, k: usize, lowest: bool, n: usize) -> Result<f64> {
    let mut extra = other.rows.clone();
    let (_, left) = orthogonalise(&found.rows, k, &mut extra);
    scale(1.0 / left, &mut extra);
    found.rows.extend(extra);
    let all = k + 1;
    let products = (0..all).map(|i| apply(&found.rows[i * n..(i + 1) * n])).collect::<Result<Vec<_>>>()?;
    found.products += all;
    let projected: Vec<T> = (0..all * all).map(|at| dot(&found.rows[(at / all) * n..(at / all + 1) * n], &products[at % all])).collect();
    let (values, vectors) = backend::eigh(&projected, all)?;
    let order: Vec<usize> = (0..k).map(|i| if lowest { i } else { all - 1 - i }).collect();
    found.values = order.iter().map(|&i| values[i].to_f64()).collect();
    let coefficients: Vec<T> = order.iter().flat_map(|&i| (0..all).map(move |j| (i, j))).map(|(i, j)| vectors[j * all + i]).collect();
    found.rows = combine(&coefficients, k, &found.rows, all, n);
    Ok(values[if lowest { k } else { 0 }].to_f64())
}

/// P R on rows.
fn outside<T: Scalar>(rows: &Var<T>, x: &Var<T>) -> Var<T> {
    rows - rows.matmul(x.h()).matmul(x)
}

/// P M P + X X† on rows, from M on vectors.
fn deflated_preconditioner<T: Scalar>(m: &Preconditioner<T>, x: &Var<T>) -> Preconditioner<T> {
    let (m, x) = (m.clone(), x.stop_gradient());
    Preconditioner::new(move |z| {
        let z = z.reshape(x.shape());
        let inside = z.matmul(x.h()).matmul(&x);
        let rest = &z - &inside;
        let rows: Vec<_> = (0..x.shape()[0]).map(|i| m.call(&super::operator::row(&rest, i))).collect();
        (outside(&crate::ops::stack(&rows, 0), &x) + inside).ravel()
    })
}

impl<T: Scalar> Primitive for Subspace<T> {
    type Inputs = Leaves;
    /// Xᵀ (k, n) and Sᵀ (k, k).
    type Outputs = (Var<T>, Var<T>);
    fn name(&self) -> &'static str {
        self.operation
    }
    fn forward(&self, params: &Leaves) -> Result<Self::Outputs> {
        let n = self.operator.shape().0;
        let matvec = self.operator.at(params.clone(), false)?;
        check_hermitian(self.operation, self.operator.as_ref(), &matvec)?;
        let (found, cut) = self.search(&matvec, n)?;
        let (k, o) = (self.k, &self.options);
        let rows = |i: usize| &found.rows[i * n..(i + 1) * n];
        let images = (0..k).map(|i| matvec(rows(i))).collect::<Result<Vec<_>>>()?;
        // (A X)ᵀ conj(X), made Hermitian
        let raw: Vec<T> = (0..k * k).map(|at| dot(rows(at % k), &images[at / k])).collect();
        let st: Vec<T> = (0..k * k).map(|at| (raw[at] + raw[(at % k) * k + at / k].conj()) * real(0.5)).collect();
        let residuals: Vec<f64> = (0..k)
            .map(|i| {
                let mut r = images[i].clone();
                axpy(-st[i * k + i], rows(i), &mut r);
                norm(&r)
            })
            .collect();
        let worst = residuals.iter().fold(0.0f64, |m, r| m.max(*r));
        let report = EigenReport { products: found.products + k + 2, residuals, converged: found.converged, norm: found.norm };
        if !found.converged && !o.allow_unconverged {
            return Err(Error::no_convergence(
                self.operation,
                format!(
                    "after {} products the {k} Ritz values are {:?} with residuals up to {worst:.1e} where {:.1e} ‖A‖ was asked for, ‖A‖ ≈ {:.3e}: allow more products (max_products) or a larger subspace, or allow_unconverged",
                    report.products, found.values, o.tolerance, found.norm
                ),
            )
            .with_iterate(worst, parts_of(&found.rows)));
        }
        let _ = self.found.set(Found { report, cut });
        Ok((Var::from_shape_vec(&[k, n], found.rows)?, Var::from_shape_vec(&[k, k], st)?))
    }
    fn vjp(
        &self,
        params: &Leaves,
        out: &Self::Outputs,
        (x_bar, st_bar): <Self::Outputs as Tree>::Partial,
        needs: &[bool],
    ) -> Result<Vec<Option<crate::AnyVar>>> {
        if self.found.get().is_some_and(|f| f.cut) {
            return Err(self.refuse_cut());
        }
        self.refuse_gauge(out, x_bar.as_ref(), st_bar.as_ref())?;
        let (x, st) = out;
        // Sᵀ = (A X)ᵀ conj(X), so (A X)ᵀ gets S̄ᵀ Xᵀ, and −Z from the response of X
        let mut rows_bar = st_bar.map(|g| g.matmul(x));
        if let Some(g) = x_bar {
            let z = self.deflated_solve(params, x, st, &g)?;
            rows_bar = Some(match rows_bar {
                Some(r) => r - z,
                None => -z,
            });
        }
        match rows_bar {
            None => Ok(vec![None; params.len()]),
            Some(g) => pull_needed(|p| apply_rows(self.operator.as_ref(), p, x, false), params, needs, &g),
        }
    }
    fn jvp(&self, params: &Leaves, (x, st): &Self::Outputs, tangents: &Leaves) -> Result<Self::Outputs> {
        let (_, moved) = jvp(|p: &Leaves| apply_rows(self.operator.as_ref(), p, x, false), params, tangents)?;
        let dx = self.deflated_solve(params, x, st, &-&moved)?;
        let ds = moved.matmul(x.h());
        Ok((dx, ds))
    }
}

/// Xᵀ (k, n), Sᵀ (k, k) and what is known of them.
pub(super) struct Rows<T: Scalar> {
    pub(super) x: Var<T>,
    pub(super) st: Var<T>,
    pub(super) report: EigenReport,
    pub(super) log: DerivativeSolves,
}

pub(super) fn subspace_rows<T: Scalar>(
    operation: &'static str,
    (operator, params): (DynOperator<T>, Leaves),
    k: usize,
    which: Which,
    options: &EigenOptions<T>,
) -> Result<Rows<T>> {
    let n = super::operator::square(operation, operator.as_ref())?;
    options.validate(operation, n, k)?;
    let (found, log) = (Arc::new(OnceLock::new()), DerivativeSolves::default());
    let primitive = Subspace { operation, operator, k, which, options: options.clone(), found: found.clone(), log: log.clone() };
    let (x, st) = apply(primitive, &params)?;
    let report = found.get().expect("the forward pass ran").report.clone();
    Ok(Rows { x, st, report, log })
}

/// Values (k,) from the end of the spectrum inwards and the rows (k, n) of their vectors.
pub(super) fn diagonalise<T: Scalar>(rows: &Rows<T>, which: Which) -> Result<(Var<T::Real>, Var<T>)> {
    let k = rows.x.shape()[0];
    if k == 1 {
        return Ok((rows.st.re().reshape(&[1]), rows.x.clone()));
    }
    // which values coincide is judged against ‖A‖, also where those asked for are near zero
    let shift = Var::scalar(T::Real::from_f64(rows.report.norm));
    let (values, u) = eigh(&(rows.st.t() + Var::<T>::eye(k).scale(rows.report.norm)))?;
    let values = values - shift;
    let vectors = u.t().matmul(&rows.x);
    Ok(match which {
        Which::Lowest => (values, vectors),
        Which::Highest => (values.flip(&[0]), vectors.flip(&[0])),
    })
}

/// The k lowest or highest eigenpairs of a Hermitian operator by thick-restart Lanczos.
///
/// The derivative needs the pairs that were found and one linear solve (MINRES), not the rest of the spectrum: memory and time are
/// those of a few dozen vectors. Multiplets inside the k pairs are handled as [`eigh`](crate::linalg::eigh) does.
///
/// ```
/// use pullback::linalg::iterative::{EigenOptions, MatrixFree, Which, eigsh};
/// use pullback::prelude::*;
/// // one magnon on an open chain: −1 on the bonds and a field h on the sites
/// let chain = |h: &Var<f64>| {
///     let hop = |h: &Var<f64>, x: &Var<f64>| {
///         let padded = x.pad(&[(1, 1)], PadMode::Constant(0.0));
///         h * x - padded.slice(ndarray::s![2..]) - padded.slice(ndarray::s![..-2])
///     };
///     MatrixFree::new(50, h, hop).hermitian()
/// };
/// let first_two = |h: &Var<f64>| eigsh(&chain(h), 2, Which::Lowest, &EigenOptions::default());
/// let low = first_two(&Var::zeros(&[50]))?;
/// let exact = -2.0 * (std::f64::consts::PI / 51.0).cos();
/// assert!((low.values.as_slice()[0] - exact).abs() < 1e-13);
/// // how the density in the middle answers to a field there: negative
/// let density = |h: &Var<f64>| Ok::<_, Error>(first_two(h)?.vectors.get(&[25, 0]).square());
/// assert!(grad(density, &Var::zeros(&[50]))?.as_slice()[25] < 0.0);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// `Shape`, `Argument` (also for an operator that is not Hermitian, or not declared so), `NonFinite`, `NoConvergence` with the residuals
/// that were reached. Sweeps: `GaugeDependent` where the loss depends on a phase, on the basis of a multiplet, or on pairs that cut a multiplet in
/// two; `NoConvergence` of the linear solve.
pub fn eigsh<T: Scalar, A: LinearOperator<T> + Clone>(a: &A, k: usize, which: Which, options: &EigenOptions<T>) -> Result<Eigenpairs<T>> {
    let rows = subspace_rows("eigsh", erased(a), k, which, options)?;
    let (values, vectors) = diagonalise(&rows, which)?;
    Ok(Eigenpairs { values, vectors: vectors.t(), report: rows.report, derivative_solves: rows.log })
}

/// The space of the k lowest or highest eigenvalues of a Hermitian operator, A X = X S.
///
/// For losses that do not depend on the basis, X → X U with S → U†SU: derivatives are right to every order, whatever the degeneracies
/// inside the space, because nothing is divided by differences of the eigenvalues in it.
///
/// # Errors
/// As [`eigsh`].
pub fn invariant_subspace<T: Scalar, A: LinearOperator<T> + Clone>(
    a: &A,
    k: usize,
    which: Which,
    options: &EigenOptions<T>,
) -> Result<InvariantSubspace<T>> {
    let rows = subspace_rows("invariant_subspace", erased(a), k, which, options)?;
    Ok(InvariantSubspace { basis: rows.x.t(), restriction: rows.st.t(), report: rows.report, derivative_solves: rows.log })
}
