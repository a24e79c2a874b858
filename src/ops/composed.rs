//! Elementwise functions that are made of others, and sinc with its derivatives.
//!
//! sinc x = sin t / t with t = πx. Its n-th derivative is πⁿ fₙ(t) with fₙ(t) = ∫₀¹ sⁿ cos(ts + nπ/2) ds, which obeys
//! t fₙ + n fₙ₋₁ = sin(t + nπ/2) (by parts) and has the series Σ_k (−1)ᵏ t^{2k−n} / ((2k + 1) (2k − n)!): the recurrence is used where |t|
//! is large enough for it, the series below. So derivatives of every order are right at 0 too.

use super::arithmetic::weigh;
use super::selection::{constant, where_};
use crate::autodiff::Var;
use crate::autodiff::rule::{Keep, UnaryRule, unary};
use crate::kernels::elementwise as kernel;
use crate::scalar::{Real, Scalar};
use crate::tensor::Tensor;
use std::f64::consts::{FRAC_1_SQRT_2, LN_2, PI};
use std::marker::PhantomData;

/// The n-th derivative of sinc.
#[derive(Clone)]
struct Sinc<T> {
    order: u32,
    types: PhantomData<T>,
}

/// fₙ(t) by its series.
fn sinc_series<T: Scalar>(n: u32, t: T) -> T {
    let square = t * t;
    let first = n.div_ceil(2);
    // (−1)ᵏ t^{2k−n}/(2k − n)! for the first k
    let mut power = if first.is_multiple_of(2) { T::one() } else { -T::one() };
    if n % 2 == 1 {
        power *= t;
    }
    let mut sum = T::zero();
    for k in first..first + 30 {
        let term = power / constant(f64::from(2 * k + 1));
        sum += term;
        if term.modulus() <= T::Real::EPSILON * sum.modulus() * constant(0.01) {
            break;
        }
        let m = 2 * k - n;
        power = -power * square / constant(f64::from((m + 1) * (m + 2)));
    }
    sum
}

/// fₙ(t)
fn sinc_derivative<T: Scalar>(n: u32, t: T) -> T {
    // each step of the recurrence multiplies an error by n/|t|
    if t.modulus() < constant(1.0 + 0.5 * f64::from(n)) {
        return sinc_series(n, t);
    }
    let (sin, cos) = t.sincos();
    let mut f = sin / t;
    for k in 1..=n {
        let right = match k % 4 {
            0 => sin,
            1 => cos,
            2 => -sin,
            _ => -cos,
        };
        f = (right - f * constant(f64::from(k))) / t;
    }
    f
}

impl<T: Scalar> UnaryRule for Sinc<T> {
    type In = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "sinc"
    }
    fn keep(&self) -> Keep {
        Keep::INPUT
    }
    fn forward(&self, x: Var<T>) -> Tensor<T> {
        let n = self.order;
        let scale: T = constant(PI.powi(n as i32));
        Tensor::new(x.shape(), kernel::map(x.as_slice(), move |x: T| sinc_derivative(n, x * constant(PI)) * scale))
    }
    fn vjp(&self, x: &Var<T>, _: &Var<T>, g: Var<T>) -> Var<T> {
        weigh(g, self.next(x).conj())
    }
    fn jvp(&self, x: &Var<T>, _: &Var<T>, dx: Var<T>) -> Var<T> {
        weigh(dx, self.next(x))
    }
}

impl<T: Scalar> Sinc<T> {
    fn next(&self, x: &Var<T>) -> Var<T> {
        unary(Sinc { order: self.order + 1, types: PhantomData }, x.clone())
    }
}

impl<T: Scalar> Var<T> {
    /// sin(πx)/(πx), 1 at 0 (numpy's normalisation). Derivatives of every order are right at 0: −π²/3 is the second.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let h = hessian(|x: &Var<f64>| x.sinc(), &0.0)?;
    /// assert!((h.item() + std::f64::consts::PI.powi(2) / 3.0).abs() < 1e-14);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    pub fn sinc(&self) -> Var<T> {
        unary(Sinc { order: 0, types: PhantomData }, self.clone())
    }

    /// x/(1 + e⁻ˣ), the sigmoid linear unit (swish).
    pub fn silu(&self) -> Var<T> {
        self * self.sigmoid()
    }

    /// numpy's other name for [`abs`](Var::abs).
    pub fn absolute(&self) -> Var<T::Real> {
        self.abs()
    }
}

impl<R: Real> Var<R> {
    /// numpy's `abs` of real numbers; see [`abs`](Var::abs).
    pub fn fabs(&self) -> Var<R> {
        self.abs()
    }

    /// x Φ(x) with the normal distribution function Φ: the Gaussian error linear unit, exact, not its approximation by tanh.
    pub fn gelu(&self) -> Var<R> {
        // erfc keeps the tail at negative x, which 1 + erf cancels
        self * (self * constant::<R>(-FRAC_1_SQRT_2)).erfc() * constant::<R>(0.5)
    }

    /// Radians as degrees.
    pub fn rad2deg(&self) -> Var<R> {
        self * constant::<R>(180.0 / PI)
    }

    /// numpy's other name for [`rad2deg`](Var::rad2deg).
    pub fn degrees(&self) -> Var<R> {
        self.rad2deg()
    }

    /// Degrees as radians.
    pub fn deg2rad(&self) -> Var<R> {
        self * constant::<R>(PI / 180.0)
    }

    /// numpy's other name for [`deg2rad`](Var::deg2rad).
    pub fn radians(&self) -> Var<R> {
        self.deg2rad()
    }

    /// The larger one, element by element, broadcast; a NaN loses against a number. Ties share the derivative equally.
    #[track_caller]
    pub fn fmax(&self, y: impl Into<Var<R>>) -> Var<R> {
        let (x, y) = without_nan(self, y.into());
        x.maximum(y)
    }

    /// The smaller one, element by element, broadcast; a NaN loses against a number. Ties share the derivative equally.
    #[track_caller]
    pub fn fmin(&self, y: impl Into<Var<R>>) -> Var<R> {
        let (x, y) = without_nan(self, y.into());
        x.minimum(y)
    }

    /// ln(eˣ + eʸ), element by element, broadcast, without overflow.
    ///
    /// The derivatives are the two weights eˣ/(eˣ + eʸ) and eʸ/(eˣ + eʸ), ½ each at +∞ = +∞; where both are −∞ they are 0, as those of
    /// [`logsumexp`](Var::logsumexp).
    #[track_caller]
    pub fn logaddexp(&self, y: impl Into<Var<R>>) -> Var<R> {
        let (larger, difference, nothing) = ordered(self, y.into());
        finish(larger + difference.softplus(), nothing)
    }

    /// log₂(2ˣ + 2ʸ), element by element, broadcast, without overflow; derivatives as [`logaddexp`](Var::logaddexp).
    #[track_caller]
    pub fn logaddexp2(&self, y: impl Into<Var<R>>) -> Var<R> {
        let (larger, difference, nothing) = ordered(self, y.into());
        let tail = (difference * constant::<R>(LN_2)).softplus() * constant::<R>(1.0 / LN_2);
        finish(larger + tail, nothing)
    }
}

/// Both with the other one's number in place of a NaN: where one is NaN the other stands on both sides, and has the whole derivative.
#[track_caller]
fn without_nan<R: Real>(x: &Var<R>, y: Var<R>) -> (Var<R>, Var<R>) {
    let (in_x, in_y) = (x.isnan(), y.isnan());
    let left = if in_x.any() { where_(&in_x, &y, x) } else { x.clone() };
    let right = if in_y.any() { where_(&in_y, x, &y) } else { y };
    (left, right)
}

/// The larger one, the smaller less the larger, and where both are −∞ (if anywhere). At equal infinities the difference is 0.
#[track_caller]
fn ordered<R: Real>(x: &Var<R>, y: Var<R>) -> (Var<R>, Var<R>, Option<super::Mask>) {
    let first = x.gt(&y);
    let (larger, smaller) = (where_(&first, x, &y), where_(&first, &y, x));
    let difference = &smaller - &larger;
    let infinite = larger.isinf();
    if !infinite.any() {
        return (larger, difference, None);
    }
    let equal = infinite.logical_and(&larger.eq_elem(&smaller));
    let nothing = larger.eq_elem(-R::INFINITY);
    let shared = where_(&equal, (&larger + &smaller) * constant::<R>(0.5), &larger);
    (shared, where_(&equal, R::zero(), difference), Some(nothing))
}

/// −∞, as a constant, where both operands were.
fn finish<R: Real>(sum: Var<R>, nothing: Option<super::Mask>) -> Var<R> {
    match nothing {
        Some(nothing) if nothing.any() => where_(&nothing, -R::INFINITY, sum),
        _ => sum,
    }
}
