//! The affine transformer.
//!
//! y = x eˢ + t, s = c tanh(r/c): ẏ = eˢ (ẋ + x ṡ) + ṫ, ln y′ = s; inverse x = (y − t) e⁻ˢ: ẋ = e⁻ˢ (ẏ − ṫ) − x ṡ, ln x′ = −s; ṡ = (1 −
//! (s/c)²) ṙ. In a coupling of many columns the map, the columns that pass and the row sums are one pass on numbers, and one back; what is
//! differentiated again is the formula in array operations.

use super::Direction;
use super::transformer::{Transformer, check_theta};
use crate::autodiff::{Primitive, Var, apply, jvp, vjp};
use crate::error::{Error, Result};
use crate::kernels::elementwise::{Unary, unary_inplace};
use crate::kernels::parallel::for_parts;
use crate::kernels::pool;
use crate::ops::{s, zip_map};
use crate::scalar::{Num, Number, Real, ScalarFn};
use std::marker::PhantomData;

/// y = x eˢ + t, with s = c tanh(r/c) of the raw r (Dinh et al., *Real NVP*, arXiv:1605.08803). θ's rows hold all r, then all t.
///
/// The bound c keeps scales within [e⁻ᶜ, eᶜ]; at infinity s = r.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    bound: f64,
}

impl Default for Scale {
    /// A bound of 1.
    fn default() -> Self {
        Scale { bound: 1.0 }
    }
}

impl Scale {
    /// With this bound on |ln scale|, infinity for none.
    ///
    /// # Errors
    /// `Argument` unless it is positive.
    pub fn bounded(bound: f64) -> Result<Self> {
        if bound > 0.0 { Ok(Scale { bound }) } else { Err(Error::argument("scale", format!("the bound {bound} must be positive"))) }
    }

    #[inline(always)]
    fn log_scale<S: Number>(&self, r: Num<S>) -> Num<S> {
        if self.bound == 1.0 {
            r.tanh()
        } else if self.bound.is_finite() {
            self.bound * (r / self.bound).tanh()
        } else {
            r
        }
    }
}

/// (x, r, t) → (x eˢ + t, s)
#[derive(Clone, Copy)]
struct Forward(Scale);
impl ScalarFn<3, 2> for Forward {
    #[inline(always)]
    fn call<S: Number>(&self, [x, r, t]: [Num<S>; 3]) -> [Num<S>; 2] {
        let s = self.0.log_scale(r);
        [x * s.exp() + t, s]
    }
}

/// (y, r, t) → ((y − t) e⁻ˢ, −s)
#[derive(Clone, Copy)]
struct Inverse(Scale);
impl ScalarFn<3, 2> for Inverse {
    #[inline(always)]
    fn call<S: Number>(&self, [y, r, t]: [Num<S>; 3]) -> [Num<S>; 2] {
        let s = -self.0.log_scale(r);
        [(y - t) * s.exp(), s]
    }
}

impl<T: Real> Transformer<T> for Scale {
    fn parameters(&self) -> usize {
        2
    }
    fn column(&self, parameter: usize, columns: usize) -> usize {
        parameter % columns
    }
    fn forward(&self, x: &Var<T>, theta: &Var<T>) -> Result<(Var<T>, Var<T>)> {
        let k = check_theta("scale", x, theta, 2)?;
        let [y, l] = zip_map(Forward(*self), (x, &theta.slice(s![.., ..k]), &theta.slice(s![.., k..])));
        Ok((y, l))
    }
    fn inverse(&self, y: &Var<T>, theta: &Var<T>) -> Result<(Var<T>, Var<T>)> {
        let k = check_theta("scale", y, theta, 2)?;
        let [x, l] = zip_map(Inverse(*self), (y, &theta.slice(s![.., ..k]), &theta.slice(s![.., k..])));
        Ok((x, l))
    }
    fn of_columns(&self, direction: Direction, x: &Var<T>, moved: &[usize], theta: &Var<T>) -> Result<(Var<T>, Var<T>)> {
        let n = x.shape()[0];
        if theta.shape() != [n, 2 * moved.len()] {
            let message =
                format!("{} columns of {n} points need raw parameters [{n}, {}], got {:?}", moved.len(), 2 * moved.len(), theta.shape());
            return Err(Error::shape("scale", message));
        }
        let columns = Columns { scale: *self, direction, moved: moved.to_vec(), scalar: PhantomData };
        let (y, l, _) = apply(columns, &(x.clone(), theta.clone()))?;
        Ok((y, l))
    }
}

/// (x, θ) → (y, Σ ln y′, s) of a coupling; s, of shape (batch, columns), is for the pullback.
struct Columns<T> {
    scale: Scale,
    direction: Direction,
    moved: Vec<usize>,
    scalar: PhantomData<fn(T)>,
}

type Pair<T> = (Var<T>, Var<T>);
type Triple<T> = (Var<T>, Var<T>, Var<T>);

impl<T: Real> Columns<T> {
    /// The same in array operations.
    fn composed(&self) -> impl Fn(&Pair<T>) -> Result<Triple<T>> + '_ {
        |(x, theta)| {
            let k = self.moved.len();
            let part = x.index_select(&self.moved, 1);
            let (r, t) = (theta.slice(s![.., ..k]), theta.slice(s![.., k..]));
            let [part, l] = match self.direction {
                Direction::Forward => zip_map(Forward(self.scale), (&part, &r, &t)),
                Direction::Inverse => zip_map(Inverse(self.scale), (&part, &r, &t)),
            };
            let d = x.shape()[1];
            let mut from: Vec<usize> = (0..d).collect();
            self.moved.iter().enumerate().for_each(|(k, &column)| from[column] = d + k);
            let y = crate::ops::concatenate(&[x.clone(), part], 1).index_select(&from, 1);
            let sign = if self.direction == Direction::Forward { T::one() } else { -T::one() };
            Ok((y, l.sum_axis(1), l * sign))
        }
    }

    /// e^{±s}, the sign that of the direction.
    fn factors(&self, s: &[T]) -> Vec<T> {
        let mut factors = pool::copied(s);
        if self.direction == Direction::Inverse {
            factors.iter_mut().for_each(|s| *s = -*s);
        }
        unary_inplace(Unary::Exp, &mut factors);
        factors
    }
}

/// Rows in a task: a few thousand numbers of everything.
const ROWS: usize = 128;

impl<T: Real> Primitive for Columns<T> {
    type Inputs = Pair<T>;
    type Outputs = Triple<T>;
    fn name(&self) -> &'static str {
        "affine_coupling"
    }
    fn forward(&self, (x, theta): &Pair<T>) -> Result<Triple<T>> {
        let (n, d, k) = (x.shape()[0], x.shape()[1], self.moved.len());
        let (theta, bound) = (theta.as_slice(), T::from_f64(self.scale.bound));
        let finite = self.scale.bound.is_finite();
        let (mut y, mut l, mut s) = (pool::copied(x.as_slice()), vec![T::zero(); n], pool::filled(n * k, T::zero()));
        let parts = y.chunks_mut(ROWS * d).zip(l.chunks_mut(ROWS)).zip(s.chunks_mut(ROWS * k));
        let mut tasks: Vec<_> = parts.zip(theta.chunks(ROWS * 2 * k)).collect();
        for_parts(&mut tasks, 1, |_, task| {
            let (((y, l), s), theta) = &mut task[0];
            for (s, theta) in s.chunks_exact_mut(k).zip(theta.chunks_exact(2 * k)) {
                s.copy_from_slice(&theta[..k]);
            }
            if finite {
                s.iter_mut().for_each(|s| *s /= bound);
                unary_inplace(Unary::Tanh, s);
                s.iter_mut().for_each(|s| *s *= bound);
            }
            let factors = self.factors(s);
            let rows = y.chunks_exact_mut(d).zip(l.iter_mut()).zip(theta.chunks_exact(2 * k));
            for (((y, l), theta), (s, e)) in rows.zip(s.chunks_exact(k).zip(factors.chunks_exact(k))) {
                let t = &theta[k..];
                for (j, &column) in self.moved.iter().enumerate() {
                    let y = &mut y[column];
                    (*y, *l) = match self.direction {
                        Direction::Forward => (*y * e[j] + t[j], *l + s[j]),
                        Direction::Inverse => ((*y - t[j]) * e[j], *l - s[j]),
                    };
                }
            }
            pool::give(factors);
        });
        Ok((Var::from_shape_vec(x.shape(), y)?, Var::from_shape_vec(&[n], l)?, Var::from_shape_vec(&[n, k], s)?))
    }
    fn vjp(
        &self,
        inputs: &Pair<T>,
        (y, l, s): &Triple<T>,
        (y_bar, l_bar, s_bar): (Option<Var<T>>, Option<Var<T>>, Option<Var<T>>),
        _: &[bool],
    ) -> Result<(Option<Var<T>>, Option<Var<T>>)> {
        let (x, theta) = inputs;
        let bars = [y_bar.as_ref(), l_bar.as_ref(), s_bar.as_ref()];
        if s_bar.is_some() || ![x, theta, y, s].into_iter().chain(bars.into_iter().flatten()).all(Var::is_constant) {
            let (_, pull) = vjp(self.composed(), inputs)?;
            let zeros = |like: &Var<T>, bar: Option<Var<T>>| bar.unwrap_or_else(|| Var::zeros(like.shape()));
            let (x_bar, theta_bar) = pull.call(&(zeros(y, y_bar), zeros(l, l_bar), zeros(s, s_bar)))?;
            return Ok((Some(x_bar), Some(theta_bar)));
        }
        let (n, d, k) = (x.shape()[0], x.shape()[1], self.moved.len());
        let mut x_bar = y_bar.map_or_else(|| pool::filled(n * d, T::zero()), |g| pool::copied(g.as_slice()));
        let mut theta_bar: Vec<T> = pool::filled(n * 2 * k, T::zero());
        let per_bound = T::from_f64(1.0 / self.scale.bound);
        // the point in the side of the map that s multiplies: x forward, the result of the inverse backward
        let point = if self.direction == Direction::Forward { x } else { y };
        let parts = x_bar.chunks_mut(ROWS * d).zip(theta_bar.chunks_mut(ROWS * 2 * k));
        let mut tasks: Vec<_> = parts.zip(point.as_slice().chunks(ROWS * d)).zip(s.as_slice().chunks(ROWS * k)).collect();
        for_parts(&mut tasks, 1, |task, parts| {
            let (((bar, theta_bar), point), s) = &mut parts[0];
            let factors = self.factors(s);
            let rows = bar.chunks_exact_mut(d).zip(theta_bar.chunks_exact_mut(2 * k)).zip(point.chunks_exact(d));
            for (i, (((bar, theta_bar), point), (s, e))) in rows.zip(s.chunks_exact(k).zip(factors.chunks_exact(k))).enumerate() {
                let l_bar = l_bar.as_ref().map_or(T::zero(), |l| l.as_slice()[task * ROWS + i]);
                let (r_bar, t_bar) = theta_bar.split_at_mut(k);
                for (j, &column) in self.moved.iter().enumerate() {
                    let (g, e) = (bar[column], e[j]);
                    let through = g * e;
                    bar[column] = through;
                    let s_bar = match self.direction {
                        Direction::Forward => {
                            t_bar[j] = g;
                            through * point[column] + l_bar
                        }
                        Direction::Inverse => {
                            t_bar[j] = -through;
                            -(g * point[column] + l_bar)
                        }
                    };
                    let h = s[j] * per_bound;
                    r_bar[j] = s_bar * ((T::one() - h) * (T::one() + h));
                }
            }
            pool::give(factors);
        });
        Ok((Some(Var::from_shape_vec(x.shape(), x_bar)?), Some(Var::from_shape_vec(theta.shape(), theta_bar)?)))
    }
    fn jvp(&self, inputs: &Pair<T>, _: &Triple<T>, tangents: &Pair<T>) -> Result<Triple<T>> {
        Ok(jvp(self.composed(), inputs, tangents)?.1)
    }
}
