//! Iterations for x = f(x) and g(x) = 0 on plain vectors, without derivatives of the result: damped Picard, Anderson, Newton and Broyden.
//! All of them work on the residual r(x), f(x) − x or −g(x), which a step x ← x + r would follow.

use super::state::excerpt;
use crate::error::{Error, Result};
use crate::linalg::backend;
use crate::linalg::iterative::krylov::{LinearSolver, Request, solve};
use crate::linalg::iterative::norm;

/// A function of the state's vector.
pub(super) type Map<'a> = &'a dyn Fn(&[f64]) -> Result<Vec<f64>>;
/// v ↦ (∂r/∂x) v at a point.
pub(super) type Product<'a> = Box<dyn Fn(&[f64]) -> Result<Vec<f64>> + 'a>;

/// The problem and when to stop.
pub(super) struct Problem<'a> {
    pub(super) operation: &'static str,
    pub(super) residual: Map<'a>,
    /// The tangent map of the residual at a point.
    pub(super) tangent: &'a dyn Fn(&[f64]) -> Result<Product<'a>>,
    pub(super) start: Vec<f64>,
    pub(super) tolerance: Tolerance,
    pub(super) max_iterations: usize,
    /// The norm of the residual at the start, once it is known.
    pub(super) first: std::cell::Cell<f64>,
}

/// ‖r‖ ≤ absolute + relative · scale
#[derive(Clone, Copy, Debug)]
pub(super) struct Tolerance {
    pub(super) absolute: f64,
    pub(super) relative: f64,
    pub(super) scale: Scale,
}

/// What a residual is measured against.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scale {
    /// ‖x‖: for x − f(x), which has its units.
    State,
    /// The residual at the start.
    Start,
}

/// Where an iteration ended.
#[derive(Clone, Debug)]
pub(super) struct End {
    pub(super) x: Vec<f64>,
    pub(super) residual: f64,
    pub(super) iterations: usize,
    pub(super) converged: bool,
    /// Why it ended early, if it did.
    pub(super) reason: &'static str,
    /// The residual that was asked for.
    pub(super) target: f64,
}

/// A residual that has grown by this factor over the smallest one is divergence.
const DIVERGED: f64 = 1e8;
/// Jacobians of no more variables than this are formed and factorised.
const DENSE: usize = 64;

impl Problem<'_> {
    fn target(&self, x: &[f64]) -> f64 {
        let scale = match self.tolerance.scale {
            Scale::State => norm(x),
            Scale::Start => self.first.get(),
        };
        self.tolerance.absolute + self.tolerance.relative * scale
    }

    pub(super) fn reached(&self, x: &[f64], r: f64) -> bool {
        r <= self.target(x)
    }

    pub(super) fn end(&self, x: Vec<f64>, residual: f64, iterations: usize, reason: &'static str) -> End {
        let converged = self.reached(&x, residual);
        let target = self.target(&x);
        End { x, residual, iterations, converged, reason, target }
    }

    /// The residual at the start, which may be what later ones are measured against.
    pub(super) fn begin(&self) -> Result<(Vec<f64>, Vec<f64>, f64)> {
        let r = (self.residual)(&self.start)?;
        let size = norm(&r);
        self.first.set(size);
        Ok((self.start.clone(), r, size))
    }

    /// A step that moves x by less than the tolerance ends a Newton iteration: rounding hides what the residual could still lose.
    pub(super) fn negligible(&self, x: &[f64], step: &[f64]) -> bool {
        norm(step) <= self.tolerance.relative * norm(x)
    }

    /// The error for an iteration that did not converge.
    pub(super) fn refuse(&self, end: &End, advice: &str) -> Error {
        Error::no_convergence(
            self.operation,
            format!(
                "{} after {} iterations: the last residual is {:.3e} where {:.1e} was asked for, the last iterate {}; {advice}, or set allow_unconverged to get it",
                end.reason,
                end.iterations,
                end.residual,
                end.target,
                excerpt(&end.x)
            ),
        )
        .with_iterate(end.residual, end.x.clone())
    }

    /// x ← x + damping · r(x)
    pub(super) fn picard(&self, damping: f64) -> Result<End> {
        let mut x = self.start.clone();
        let mut smallest = f64::INFINITY;
        for k in 0..=self.max_iterations {
            let r = (self.residual)(&x)?;
            let size = norm(&r);
            smallest = smallest.min(size);
            if self.reached(&x, size) || k == self.max_iterations {
                return Ok(self.end(x, size, k, "the iteration limit was reached"));
            }
            if size > DIVERGED * smallest {
                return Ok(self.end(x, size, k, "the iteration diverges, stopped"));
            }
            x.iter_mut().zip(&r).for_each(|(x, r)| *x += damping * r);
        }
        unreachable!("the last iteration returns")
    }

    /// Anderson's mixing of the last `memory` steps (J. ACM 12 (1965) 547; Walker & Ni, SIAM J. Numer. Anal. 49 (2011) 1715).
    pub(super) fn anderson(&self, memory: usize, damping: f64) -> Result<End> {
        let mut x = self.start.clone();
        let mut smallest = f64::INFINITY;
        let (mut dx, mut dr): (Vec<Vec<f64>>, Vec<Vec<f64>>) = (Vec::new(), Vec::new());
        let mut last: Option<(Vec<f64>, Vec<f64>)> = None;
        for k in 0..=self.max_iterations {
            let r = (self.residual)(&x)?;
            let size = norm(&r);
            if self.reached(&x, size) || k == self.max_iterations {
                return Ok(self.end(x, size, k, "the iteration limit was reached"));
            }
            if size > DIVERGED * smallest {
                return Ok(self.end(x, size, k, "the iteration diverges, stopped"));
            }
            if size > 1e3 * smallest {
                // the model of past steps misleads here
                (dx, dr, last) = (Vec::new(), Vec::new(), None);
            }
            smallest = smallest.min(size);
            if let Some((x_old, r_old)) = last.take() {
                dx.insert(0, difference(&x, &x_old));
                dr.insert(0, difference(&r, &r_old));
                dx.truncate(memory);
                dr.truncate(memory);
            }
            let gamma = least_squares(&dr, &r);
            let mut next: Vec<f64> = x.iter().zip(&r).map(|(x, r)| x + damping * r).collect();
            for ((dx, dr), g) in dx.iter().zip(&dr).zip(gamma) {
                next.iter_mut().zip(dx.iter().zip(dr)).for_each(|(x, (dx, dr))| *x -= g * (dx + damping * dr));
            }
            last = Some((x, r));
            x = next;
        }
        unreachable!("the last iteration returns")
    }

    /// Newton's method on r with a backtracking line search on ‖r‖: the Jacobian is factorised for few variables, otherwise the step comes from
    /// GMRES, as accurate as pays off (Eisenstat & Walker, SIAM J. Sci. Comput. 17 (1996) 16, choice 2).
    pub(super) fn newton(&self, dense: bool) -> Result<End> {
        let (mut x, mut r, mut size) = self.begin()?;
        let mut forcing: f64 = 0.1;
        for k in 0..self.max_iterations {
            if self.reached(&x, size) {
                return Ok(self.end(x, size, k, ""));
            }
            let tangent = (self.tangent)(&x)?;
            let target = self.target(&x);
            let minus: Vec<f64> = r.iter().map(|r| -r).collect();
            let step = if dense && x.len() <= DENSE {
                backend::solve(&jacobian(&tangent, x.len())?, x.len(), &minus, 1).map_err(|e| {
                    Error::singular(
                        self.operation,
                        format!("the Jacobian at the iterate {} is singular ({e}): start elsewhere", excerpt(&x)),
                    )
                })?
            } else {
                self.krylov(&tangent, &minus, forcing.max(0.1 * target / size).min(0.5))?
            };
            if self.negligible(&x, &step) {
                return Ok(End { converged: true, ..self.end(x, size, k, "") });
            }
            let Some((next, next_r, next_size)) = self.backtrack(&x, size, &step)? else {
                return Ok(self.end(x, size, k, "no step along Newton's direction lowers the residual, stopped"));
            };
            forcing = (0.9 * (next_size / size).powi(2)).max(if 0.9 * forcing * forcing > 0.1 { 0.9 * forcing * forcing } else { 0.0 });
            (x, r, size) = (next, next_r, next_size);
        }
        Ok(self.end(x, size, self.max_iterations, "the iteration limit was reached"))
    }

    fn krylov(&self, tangent: &Product<'_>, rhs: &[f64], tolerance: f64) -> Result<Vec<f64>> {
        let request = Request {
            solver: LinearSolver::Gmres { restart: 50 },
            apply: &|v| tangent(v),
            precondition: None,
            rhs,
            guess: None,
            tolerance,
            max_iterations: 10 * rhs.len() + 100,
        };
        Ok(solve(&request)?.x)
    }

    /// The first of x + 2⁻ᵏ step that lowers the residual enough; trial points outside the function's domain are too far.
    fn backtrack(&self, x: &[f64], size: f64, step: &[f64]) -> Result<Option<(Vec<f64>, Vec<f64>, f64)>> {
        let mut by = 1.0;
        for _ in 0..30 {
            let next: Vec<f64> = x.iter().zip(step).map(|(x, s)| x + by * s).collect();
            match (self.residual)(&next) {
                Ok(r) => {
                    let found = norm(&r);
                    if found <= (1.0 - 1e-4 * by) * size || self.reached(&next, found) {
                        return Ok(Some((next, r, found)));
                    }
                }
                Err(Error::NonFinite { .. }) => {}
                Err(e) => return Err(e),
            }
            by *= 0.5;
        }
        Ok(None)
    }

    /// Broyden's first method (Math. Comp. 19 (1965) 577) in the inverse form of Sherman and Morrison, from the Jacobian at the start; at
    /// `memory` updates, or where a step fails, it begins again with a new Jacobian.
    pub(super) fn broyden(&self, memory: usize) -> Result<End> {
        let (mut x, mut r, mut size) = self.begin()?;
        let mut k = 0;
        loop {
            let tangent = (self.tangent)(&x)?;
            let factors = if x.len() <= DENSE { Some(backend::lu_factor(&jacobian(&tangent, x.len())?, x.len())?) } else { None };
            if factors.as_ref().is_some_and(|f| f.zero_pivot().is_some()) {
                return Err(Error::singular(self.operation, format!("the Jacobian at {} is singular: start elsewhere", excerpt(&x))));
            }
            let inverse = |v: &[f64]| match &factors {
                Some(f) => f.solve(v, 1, backend::Op::None),
                None => self.krylov(&tangent, v, 1e-3),
            };
            // H = (1 + u_m s_mᵀ) … (1 + u_1 s_1ᵀ) J⁻¹
            let mut updates: Vec<(Vec<f64>, Vec<f64>)> = Vec::new();
            let begun = k;
            loop {
                if self.reached(&x, size) || k >= self.max_iterations {
                    return Ok(self.end(x, size, k, "the iteration limit was reached"));
                }
                let through = |v: &[f64]| -> Result<Vec<f64>> {
                    let mut y = inverse(v)?;
                    for (u, s) in &updates {
                        let along = inner(s, &y);
                        y.iter_mut().zip(u).for_each(|(y, u)| *y += along * u);
                    }
                    Ok(y)
                };
                let minus: Vec<f64> = r.iter().map(|r| -r).collect();
                let step = through(&minus)?;
                if self.negligible(&x, &step) {
                    return Ok(End { converged: true, ..self.end(x, size, k, "") });
                }
                let Some((next, next_r, next_size)) = self.backtrack(&x, size, &step)? else {
                    if k == begun {
                        return Ok(self.end(x, size, k, "no step along Broyden's direction lowers the residual, stopped"));
                    }
                    break;
                };
                k += 1;
                let s = difference(&next, &x);
                let hy = through(&difference(&next_r, &r))?;
                (x, r, size) = (next, next_r, next_size);
                let denominator = inner(&s, &hy);
                if denominator.abs() <= 1e-14 * norm(&s) * norm(&hy) || updates.len() >= memory {
                    break;
                }
                let u = s.iter().zip(&hy).map(|(s, h)| (s - h) / denominator).collect();
                updates.push((u, s));
            }
        }
    }
}

fn inner(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

fn difference(x: &[f64], y: &[f64]) -> Vec<f64> {
    x.iter().zip(y).map(|(x, y)| x - y).collect()
}

/// The matrix of a linear map, row-major.
fn jacobian(product: &Product<'_>, n: usize) -> Result<Vec<f64>> {
    let mut out = vec![0.0; n * n];
    for j in 0..n {
        let mut e = vec![0.0; n];
        e[j] = 1.0;
        product(&e)?.iter().enumerate().for_each(|(i, y)| out[i * n + j] = *y);
    }
    Ok(out)
}

/// γ that minimises ‖r − Σ γᵢ columnᵢ‖ by Gram–Schmidt, done twice; columns that depend on earlier (newer) ones get zero.
fn least_squares(columns: &[Vec<f64>], r: &[f64]) -> Vec<f64> {
    let mut q: Vec<Vec<f64>> = Vec::new();
    let mut factor: Vec<Vec<f64>> = Vec::new();
    let mut kept = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        let mut v = column.clone();
        let before = norm(&v);
        let mut coefficients = vec![0.0; q.len()];
        for _ in 0..2 {
            for (c, q) in coefficients.iter_mut().zip(&q) {
                let along = inner(q, &v);
                *c += along;
                v.iter_mut().zip(q).for_each(|(v, q)| *v -= along * q);
            }
        }
        let left = norm(&v);
        if left <= 1e-10 * before || before == 0.0 {
            continue;
        }
        v.iter_mut().for_each(|v| *v /= left);
        coefficients.push(left);
        factor.push(coefficients);
        q.push(v);
        kept.push(at);
    }
    let mut gamma = vec![0.0; columns.len()];
    let mut solution = vec![0.0; q.len()];
    for i in (0..q.len()).rev() {
        let above: f64 = (i + 1..q.len()).map(|j| factor[j][i] * solution[j]).sum();
        solution[i] = (inner(&q[i], r) - above) / factor[i][i];
        gamma[kept[i]] = solution[i];
    }
    gamma
}
