//! Increasing maps without an inverse in closed form: the inverse is a root, its derivative that of the equation.

use super::Transformer;
use super::transformer::check_theta;
use crate::autodiff::{Primitive, Var, apply, jvp, vjp};
use crate::error::{Error, Result};
use crate::scalar::Real;
use std::sync::Arc;

/// An increasing map of ℝ onto ℝ, entry by entry: all that [`RootSolved`] asks for.
pub trait IncreasingMap<T: Real>: Send + Sync + 'static {
    /// Raw parameters for each column.
    fn parameters(&self) -> usize;
    /// The column, of `columns`, that this entry of θ's rows belongs to.
    fn column(&self, parameter: usize, columns: usize) -> usize;
    /// y and ln ∂y/∂x, both (batch, columns), for x (batch, columns) and θ (batch, columns · parameters). An entry of y depends on the
    /// same entry of x and its own parameters alone.
    ///
    /// # Errors
    /// Whatever it meets.
    fn forward(&self, x: &Var<T>, theta: &Var<T>) -> Result<(Var<T>, Var<T>)>;
}

/// A transformer from an increasing map, inverted by bisection and Newton's method on numbers.
///
/// The derivative is that of the equation f(x; θ) = y: ẋ = (ẏ − f_θ θ̇)/f′, of any order and in both modes.
pub struct RootSolved<T: Real> {
    map: Arc<dyn IncreasingMap<T>>,
}

const NAME: &str = "root_solved";

impl<T: Real> RootSolved<T> {
    /// From an increasing map.
    pub fn new(map: impl IncreasingMap<T>) -> Self {
        RootSolved { map: Arc::new(map) }
    }
}

impl<T: Real> Transformer<T> for RootSolved<T> {
    fn parameters(&self) -> usize {
        self.map.parameters()
    }
    fn column(&self, parameter: usize, columns: usize) -> usize {
        self.map.column(parameter, columns)
    }
    fn forward(&self, x: &Var<T>, theta: &Var<T>) -> Result<(Var<T>, Var<T>)> {
        check_theta(NAME, x, theta, self.map.parameters())?;
        self.map.forward(x, theta)
    }
    fn inverse(&self, y: &Var<T>, theta: &Var<T>) -> Result<(Var<T>, Var<T>)> {
        check_theta(NAME, y, theta, self.map.parameters())?;
        let x = apply(Solve { map: self.map.clone() }, &(y.clone(), theta.clone()))?;
        let (_, l) = self.map.forward(&x, theta)?;
        Ok((x, -l))
    }
}

/// (y, θ) → x with f(x; θ) = y
struct Solve<T: Real> {
    map: Arc<dyn IncreasingMap<T>>,
}

type Pair<T> = (Var<T>, Var<T>);

impl<T: Real> Primitive for Solve<T> {
    type Inputs = Pair<T>;
    type Outputs = Var<T>;
    fn name(&self) -> &'static str {
        NAME
    }
    fn forward(&self, (y, theta): &Pair<T>) -> Result<Var<T>> {
        solve(&*self.map, y, theta)
    }
    fn vjp(&self, (_, theta): &Pair<T>, x: &Var<T>, g: Option<Var<T>>, needs: &[bool]) -> Result<(Option<Var<T>>, Option<Var<T>>)> {
        let Some(g) = g else { return Ok((None, None)) };
        let ((_, l), pull) = vjp(|theta: &Var<T>| self.map.forward(x, theta), theta)?;
        let u = g * (-&l).exp();
        let theta_bar = if needs[1] { Some(pull.call(&(-&u, l.zeros_like()))?) } else { None };
        Ok((Some(u), theta_bar))
    }
    fn jvp(&self, (_, theta): &Pair<T>, x: &Var<T>, (dy, dtheta): &Pair<T>) -> Result<Var<T>> {
        let ((_, l), (moved, _)) = jvp(|theta: &Var<T>| self.map.forward(x, theta), theta, dtheta)?;
        Ok((dy - moved) * (-l).exp())
    }
    fn keeps_input(&self, i: usize) -> bool {
        i == 1
    }
}

/// How often a bracket is widened and halved.
const LIMIT: usize = 2200;

/// All entries at once: brackets are widened by doubling until they hold the roots, then Newton's steps, or halves where a step leaves the
/// bracket.
fn solve<T: Real>(map: &dyn IncreasingMap<T>, y: &Var<T>, theta: &Var<T>) -> Result<Var<T>> {
    let shape = y.shape().to_vec();
    let target = y.as_slice();
    if let Some(i) = target.iter().position(|y| !y.is_finite()) {
        return Err(Error::non_finite(NAME, format!("row {}, column {} is {}", i / shape[1], i % shape[1], target[i])));
    }
    let value = |x: &[T]| -> Result<(Vec<T>, Vec<T>)> {
        let (v, l) = map.forward(&Var::from_shape_vec(&shape, x.to_vec())?, theta)?;
        Ok((v.as_slice().to_vec(), l.as_slice().to_vec()))
    };
    let one = T::one();
    let two = one + one;
    let (mut low, mut high): (Vec<T>, Vec<T>) = (target.iter().map(|y| *y - one).collect(), target.iter().map(|y| *y + one).collect());
    for (end, below) in [(&mut low, true), (&mut high, false)] {
        let mut step = vec![one; target.len()];
        let mut open = LIMIT;
        loop {
            let (v, _) = value(end)?;
            // a value that is no number is not on the wanted side
            let wanting: Vec<usize> = (0..v.len()).filter(|&i| !(if below { v[i] <= target[i] } else { v[i] >= target[i] })).collect();
            let Some(&first) = wanting.first() else { break };
            open -= 1;
            if open == 0 || !end[first].is_finite() {
                let message = format!(
                    "no bracket of the root for row {}, column {} (value {}): the map must be increasing and onto",
                    first / shape[1],
                    first % shape[1],
                    target[first]
                );
                return Err(Error::no_convergence(NAME, message));
            }
            for i in wanting {
                end[i] = if below { end[i] - step[i] } else { end[i] + step[i] };
                step[i] *= two;
            }
        }
    }
    let mut x: Vec<T> = low.iter().zip(&high).map(|(a, b)| *a + (*b - *a) / two).collect();
    let tolerance = |x: T| T::from_f64(4.0) * T::EPSILON * x.abs() + T::MIN_POSITIVE;
    let mut done = vec![false; x.len()];
    for _ in 0..LIMIT {
        let (v, l) = value(&x)?;
        for i in (0..x.len()).filter(|&i| !done[i]).collect::<Vec<_>>() {
            let off = v[i] - target[i];
            if off > T::zero() {
                high[i] = x[i];
            } else {
                low[i] = x[i];
            }
            let step = off * (-l[i]).exp();
            let newton = x[i] - step;
            if off == T::zero() || step.abs() <= tolerance(x[i]) || high[i] - low[i] <= tolerance(x[i]) {
                // the last step is taken: it halves what is left of the error at worst
                if newton >= low[i] && newton <= high[i] {
                    x[i] = newton;
                }
                done[i] = true;
                continue;
            }
            x[i] = if newton > low[i] && newton < high[i] { newton } else { low[i] + (high[i] - low[i]) / two };
        }
        if done.iter().all(|d| *d) {
            return Var::from_shape_vec(&shape, x);
        }
    }
    let i = done.iter().position(|d| !d).unwrap_or(0);
    Err(Error::no_convergence(
        NAME,
        format!("row {}, column {}: {LIMIT} steps did not find the root of value {}", i / shape[1], i % shape[1], target[i]),
    ))
}

/// y = x + Σ_j a_j tanh(b_j x + c_j) with a_j, b_j > 0 from softplus: increasing and onto, a smooth staircase. An entry's parameters are
/// all a, all b, all c, raw; at raw −∞ for a it is the identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TanhSum {
    terms: usize,
}

impl TanhSum {
    /// Of that many terms.
    ///
    /// # Errors
    /// `Argument` for none.
    pub fn new(terms: usize) -> Result<Self> {
        if terms == 0 { Err(Error::argument("tanh_sum", "0 terms: there must be at least one")) } else { Ok(TanhSum { terms }) }
    }
}

impl<T: Real> IncreasingMap<T> for TanhSum {
    fn parameters(&self) -> usize {
        3 * self.terms
    }
    fn column(&self, parameter: usize, _: usize) -> usize {
        parameter / (3 * self.terms)
    }
    fn forward(&self, x: &Var<T>, theta: &Var<T>) -> Result<(Var<T>, Var<T>)> {
        use crate::ops::s;
        let (n, k, m) = (x.shape()[0], x.shape()[1], self.terms);
        let theta = theta.reshape(&[n, k, 3, m]);
        let a = theta.slice(s![.., .., 0, ..]).softplus();
        let b = theta.slice(s![.., .., 1, ..]).softplus();
        let h = (x.reshape(&[n, k, 1]) * &b + theta.slice(s![.., .., 2, ..])).tanh();
        let slope = (&a * &b * (-h.square() + T::one())).sum_axis(2);
        Ok((x + (a * h).sum_axis(2), slope.log1p()))
    }
}
