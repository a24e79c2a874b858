//! Monotone rational-quadratic splines.
//!
//! K bins on [low, high]; in each the map is a quotient of quadratics with given values and positive slopes at the ends, so it is
//! increasing, continuously differentiable and inverted in closed form (Gregory and Delbourgo 1982; Durkan, Bekasov, Murray and
//! Papamakarios, *Neural Spline Flows*, arXiv:1906.04032; on circles: Rezende et al., arXiv:2002.02428).
//!
//! Raw parameters become widths and heights by softmax, with a least share `min_bin` of the interval, and slopes by softplus, with a least
//! value `min_slope`; at 0 the map is the identity. The second derivative jumps at the edges of bins: there the one of the bin to the
//! right is taken.

mod composed;
mod kernel;
mod primitive;
mod segment;

use super::{Direction, Transformer};
use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::scalar::Real;

/// What a spline does at the ends of its interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tails {
    /// The identity outside, joined with slope 1: 3K − 1 raw parameters.
    Linear,
    /// A map of the interval onto itself; points outside are an error. 3K + 1 raw parameters.
    Bounded,
    /// A map of the circle that the interval is when its ends are one point, with a rotation after it: 3K + 1 raw parameters.
    /// Points outside the interval are an error.
    Circular,
}

/// A rational-quadratic spline, as a transformer of each column: its raw parameters come from outside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RationalQuadratic {
    bins: usize,
    low: f64,
    high: f64,
    tails: Tails,
    min_bin: f64,
    min_slope: f64,
}

const NAME: &str = "rational_quadratic_spline";

impl RationalQuadratic {
    /// K bins on [low, high], with a least share of 10⁻³ for widths and heights (or 1/(2K) if that is less) and a least slope of 10⁻³.
    ///
    /// # Errors
    /// `Argument` for no bins, or ends that are not finite and in order.
    pub fn new(bins: usize, (low, high): (f64, f64), tails: Tails) -> Result<Self> {
        if bins == 0 || !(low < high && low.is_finite() && high.is_finite() && (high - low).is_finite()) {
            let message = format!("{bins} bins on [{low}, {high}]: at least one bin and finite ends in order are needed");
            return Err(Error::argument(NAME, message));
        }
        Ok(RationalQuadratic { bins, low, high, tails, min_bin: 1e-3f64.min(0.5 / bins as f64), min_slope: 1e-3 })
    }

    /// With other least values: of the share of the interval that a bin has in x and in y, and of the slopes at the knots.
    ///
    /// # Errors
    /// `Argument` unless 0 < K·min_bin < 1 and 0 < min_slope < 1.
    pub fn with_least(self, min_bin: f64, min_slope: f64) -> Result<Self> {
        if !(min_bin > 0.0 && min_bin * (self.bins as f64) < 1.0 && min_slope > 0.0 && min_slope < 1.0) {
            let message = format!("min_bin {min_bin} must lie between 0 and 1/{}, min_slope {min_slope} between 0 and 1", self.bins);
            return Err(Error::argument(NAME, message));
        }
        Ok(RationalQuadratic { min_bin, min_slope, ..self })
    }

    /// The interval.
    pub fn interval(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    fn parameters_each(&self) -> usize {
        match self.tails {
            Tails::Linear => 3 * self.bins - 1,
            Tails::Bounded | Tails::Circular => 3 * self.bins + 1,
        }
    }

    /// Points outside the interval have no image under maps of the interval onto itself.
    fn check<T: Real>(&self, x: &Var<T>) -> Result<()> {
        if self.tails == Tails::Linear {
            return Ok(());
        }
        let inside = |x: f64| (self.low..=self.high).contains(&x);
        match x.as_slice().iter().position(|x| !inside(x.to_f64())) {
            None => Ok(()),
            Some(i) => {
                let columns = x.shape().last().copied().unwrap_or(1);
                let message = format!(
                    "the point {} in row {}, column {} of those transformed is outside the domain [{}, {}]",
                    x.as_slice()[i],
                    i / columns,
                    i % columns,
                    self.low,
                    self.high
                );
                Err(Error::argument(NAME, message))
            }
        }
    }

    fn run<T: Real>(&self, direction: Direction, x: &Var<T>, theta: &Var<T>) -> Result<(Var<T>, Var<T>)> {
        self.check(x)?;
        primitive::spline(self, direction, x, theta)
    }
}

impl<T: Real> Transformer<T> for RationalQuadratic {
    fn parameters(&self) -> usize {
        self.parameters_each()
    }
    fn column(&self, parameter: usize, _: usize) -> usize {
        parameter / self.parameters_each()
    }
    fn forward(&self, x: &Var<T>, theta: &Var<T>) -> Result<(Var<T>, Var<T>)> {
        self.run(Direction::Forward, x, theta)
    }
    fn inverse(&self, y: &Var<T>, theta: &Var<T>) -> Result<(Var<T>, Var<T>)> {
        self.run(Direction::Inverse, y, theta)
    }
}
