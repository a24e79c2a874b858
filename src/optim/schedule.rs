//! How a learning rate depends on the step.

use crate::error::{Error, Result};

/// The learning rate as a function of the step k = 0, 1, ….
///
/// A number converts into the constant schedule.
///
/// ```
/// use pullback::optim::Schedule;
/// let schedule = Schedule::Cosine { initial: 1.0, last: 0.0, steps: 100 }.warmup(10);
/// assert_eq!((schedule.at(0), schedule.at(9), schedule.at(10)), (0.1, 1.0, 1.0));
/// assert!((schedule.at(60) - 0.5).abs() < 1e-15 && schedule.at(1000) == 0.0);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// Always the same.
    Constant(f64),
    /// `initial` · `factor`^(k / `steps`).
    Exponential {
        /// At step 0.
        initial: f64,
        /// What the rate is multiplied with every `steps` steps.
        factor: f64,
        /// After how many steps.
        steps: usize,
    },
    /// `last` + (`initial` − `last`) (1 + cos(π k / `steps`)) / 2, and `last` from then on (Loshchilov and Hutter, arXiv:1608.03983).
    Cosine {
        /// At step 0.
        initial: f64,
        /// At the end.
        last: f64,
        /// When the end is reached.
        steps: usize,
    },
    /// A linear rise to the first rate of another schedule, which then begins.
    Warmup {
        /// How many steps the rise takes.
        steps: usize,
        /// What follows.
        then: Box<Schedule>,
    },
}

impl From<f64> for Schedule {
    fn from(rate: f64) -> Self {
        Schedule::Constant(rate)
    }
}

impl Schedule {
    /// This schedule after a linear rise over so many steps: rate·(k+1)/steps.
    pub fn warmup(self, steps: usize) -> Self {
        Schedule::Warmup { steps, then: Box::new(self) }
    }

    /// The rate at step k.
    pub fn at(&self, k: u64) -> f64 {
        match self {
            Schedule::Constant(rate) => *rate,
            Schedule::Exponential { initial, factor, steps } => initial * factor.powf(k as f64 / *steps as f64),
            Schedule::Cosine { initial, last, steps } => {
                let done = k as f64 / *steps as f64;
                if done >= 1.0 { *last } else { last + 0.5 * (initial - last) * (1.0 + (std::f64::consts::PI * done).cos()) }
            }
            Schedule::Warmup { steps, then } => {
                let steps = *steps as u64;
                if k < steps { then.at(0) * (k + 1) as f64 / steps as f64 } else { then.at(k - steps) }
            }
        }
    }

    /// Refuses rates that are negative or not finite, and lengths of 0.
    pub(crate) fn check(&self, operation: &'static str) -> Result<()> {
        let rate = |x: f64| x.is_finite() && x >= 0.0;
        let fine = match self {
            Schedule::Constant(x) => rate(*x),
            Schedule::Exponential { initial, factor, steps } => rate(*initial) && rate(*factor) && *steps > 0,
            Schedule::Cosine { initial, last, steps } => rate(*initial) && rate(*last) && *steps > 0,
            Schedule::Warmup { steps, then } => {
                then.check(operation)?;
                *steps > 0
            }
        };
        if fine {
            return Ok(());
        }
        Err(Error::argument(
            operation,
            format!("learning rates must be finite and not negative, and lengths at least 1 step, got {self:?}"),
        ))
    }
}
