//! The equation of an implicit stage, k = f(t, base + γh k), and its linearisation (I − γh J) δk = ….

use super::system::Counted;
use crate::Var;
use crate::error::{Error, Result};

/// Above this many equations the factorisation is left to the linear algebra of the library.
const SMALL: usize = 48;

/// P A = L U with partial pivoting, in one row-major matrix.
#[derive(Default)]
pub(crate) struct Lu {
    n: usize,
    lu: Vec<f64>,
    rows: Vec<usize>,
    work: Vec<f64>,
}

impl Lu {
    /// Factorises I − γh J. `false` if it is singular.
    pub(crate) fn factor_shifted(&mut self, n: usize, jacobian: &[f64], gamma_h: f64) -> Result<bool> {
        self.n = n;
        self.lu.clear();
        self.lu.extend(jacobian.iter().map(|j| -gamma_h * j));
        (0..n).for_each(|i| self.lu[i * n + i] += 1.0);
        self.work.resize(n, 0.0);
        if self.lu.iter().any(|x| !x.is_finite()) {
            return Ok(false);
        }
        if n > SMALL {
            return self.factor_large();
        }
        self.rows = (0..n).collect();
        for k in 0..n {
            let best = (k..n).max_by(|&i, &j| self.lu[i * n + k].abs().total_cmp(&self.lu[j * n + k].abs())).expect("not empty");
            if self.lu[best * n + k] == 0.0 {
                return Ok(false);
            }
            if best != k {
                self.rows.swap(k, best);
                (0..n).for_each(|j| self.lu.swap(k * n + j, best * n + j));
            }
            let (top, below) = self.lu.split_at_mut((k + 1) * n);
            let pivot = &top[k * n..];
            for row in below.chunks_exact_mut(n) {
                let factor = row[k] / pivot[k];
                row[k] = factor;
                if factor != 0.0 {
                    row[k + 1..].iter_mut().zip(&pivot[k + 1..]).for_each(|(x, p)| *x -= factor * p);
                }
            }
        }
        Ok(true)
    }

    fn factor_large(&mut self) -> Result<bool> {
        let n = self.n;
        let a = Var::from_shape_vec(&[n, n], std::mem::take(&mut self.lu))?;
        let Ok((rows, l, u)) = crate::linalg::lu(&a) else { return Ok(false) };
        self.rows = rows;
        self.lu = u.as_slice().to_vec();
        let l = l.as_slice();
        for i in 0..n {
            self.lu[i * n..i * n + i].copy_from_slice(&l[i * n..i * n + i]);
        }
        Ok((0..n).all(|i| self.lu[i * n + i] != 0.0))
    }

    /// x ← A⁻¹ x
    pub(crate) fn solve(&mut self, x: &mut [f64]) {
        let n = self.n;
        for (i, &row) in self.rows.iter().enumerate() {
            self.work[i] = x[row];
        }
        for i in 0..n {
            let sum: f64 = (0..i).map(|j| self.lu[i * n + j] * self.work[j]).sum();
            self.work[i] -= sum;
        }
        for i in (0..n).rev() {
            let sum: f64 = (i + 1..n).map(|j| self.lu[i * n + j] * self.work[j]).sum();
            self.work[i] = (self.work[i] - sum) / self.lu[i * n + i];
        }
        x[..n].copy_from_slice(&self.work);
    }

    /// x ← A⁻ᵀ x
    pub(crate) fn solve_transposed(&mut self, x: &mut [f64]) {
        let n = self.n;
        self.work.copy_from_slice(&x[..n]);
        for i in 0..n {
            let y = self.work[i] / self.lu[i * n + i];
            self.work[i] = y;
            (i + 1..n).for_each(|j| self.work[j] -= self.lu[i * n + j] * y);
        }
        for i in (0..n).rev() {
            let y = self.work[i];
            (0..i).for_each(|j| self.work[j] -= self.lu[i * n + j] * y);
        }
        for (i, &row) in self.rows.iter().enumerate() {
            x[row] = self.work[i];
        }
    }
}

/// How far a stage is solved.
#[derive(Clone, Copy)]
pub(crate) struct Accuracy {
    pub(crate) rtol: f64,
    pub(crate) atol: f64,
}

/// The iterations of the stages of a step, on one factorisation as long as it converges.
#[derive(Default)]
pub(crate) struct Newton {
    pub(crate) lu: Lu,
    jacobian: Vec<f64>,
    base: Vec<f64>,
    at: Vec<f64>,
    rest: Vec<f64>,
    /// The field that was not finite, if that is why a stage was not solved.
    pub(crate) fault: Option<Error>,
}

/// An iteration is given up after so many updates.
const UPDATES: usize = 40;

impl Newton {
    /// Evaluates and factorises at (t, y).
    pub(crate) fn prepare(&mut self, system: &mut Counted, t: f64, y: &[f64], gamma_h: f64) -> Result<bool> {
        let m = system.system.coupled();
        self.fault = None;
        self.jacobian.resize(m * m, 0.0);
        system.jacobian(t, y, &mut self.jacobian)?;
        self.lu.factor_shifted(m, &self.jacobian, gamma_h)
    }

    /// k = f(t, base + γh k) from the k given; false if it does not converge. `base` is overwritten by base + γh k.
    ///
    /// Stops when the next update of γh k would be 10⁻⁶ of a tolerance and 10⁻¹² of the state, or at rounding: derivatives take the stages as
    /// solved.
    pub(crate) fn stage(
        &mut self,
        system: &mut Counted,
        t: f64,
        base: &mut [f64],
        gamma_h: f64,
        k: &mut [f64],
        to: Accuracy,
    ) -> Result<bool> {
        let m = system.system.coupled();
        let n = base.len();
        self.base.clear();
        self.base.extend_from_slice(base);
        self.at.resize(n, 0.0);
        self.rest.resize(n, 0.0);
        let goal = (1e-12 / to.rtol.max(1e-12)).min(1e-6);
        let mut last = f64::INFINITY;
        let mut fresh = 0;
        for update in 0..UPDATES {
            (0..n).for_each(|i| self.at[i] = self.base[i] + if i < m { gamma_h * k[i] } else { 0.0 });
            system.field(t, &self.at, &mut self.rest)?;
            if let Err(fault) = system.check(t, &self.rest) {
                self.fault = Some(fault);
                return Ok(false);
            }
            (0..m).for_each(|i| self.rest[i] -= k[i]);
            self.lu.solve(&mut self.rest);
            let (mut size, mut floor) = (0.0f64, 0.0f64);
            for i in 0..m {
                let weight = to.atol + to.rtol * self.at[i].abs();
                k[i] += self.rest[i];
                size += (gamma_h * self.rest[i] / weight).powi(2);
                floor += (4.0 * f64::EPSILON * self.at[i] / weight).powi(2);
            }
            let (size, floor) = ((size / m as f64).sqrt(), (floor / m as f64).sqrt());
            if !size.is_finite() {
                return Ok(false);
            }
            let ratio = size / last;
            // the first update says nothing about the rate of convergence
            let rest = if last.is_finite() && ratio < 1.0 { size * ratio / (1.0 - ratio) } else { size };
            if rest <= goal.max(floor) || (ratio > 0.5 && size <= 100.0 * floor) {
                (0..n).for_each(|i| base[i] = self.base[i] + if i < m { gamma_h * k[i] } else { 0.0 });
                if m < n {
                    system.field(t, base, &mut self.rest)?;
                    k[m..].copy_from_slice(&self.rest[m..]);
                }
                return Ok(true);
            }
            last = size;
            if (ratio > 0.2 && update - fresh >= 2) || (ratio > 2.0 && update > fresh) {
                if update > UPDATES / 2 && ratio > 1.0 {
                    return Ok(false);
                }
                // the Jacobian is too old: a new one here
                (0..n).for_each(|i| self.at[i] = self.base[i] + if i < m { gamma_h * k[i] } else { 0.0 });
                if !self.at.iter().all(|x| x.is_finite())
                    || !{
                        let at = std::mem::take(&mut self.at);
                        let fine = self.prepare(system, t, &at, gamma_h);
                        self.at = at;
                        fine?
                    }
                {
                    return Ok(false);
                }
                (fresh, last) = (update, f64::INFINITY);
            }
        }
        Ok(false)
    }
}

/// What a fixed step says when its equation is not solved.
pub(crate) fn unsolved(t: f64, h: f64) -> Error {
    Error::no_convergence(
        "odeint",
        format!(
            "the equation of the implicit step from t = {t} with h = {h} was not solved: use smaller steps, or Esdirk4 with adaptive ones"
        ),
    )
}
