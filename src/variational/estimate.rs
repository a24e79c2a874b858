//! Means with their errors.

use std::fmt;

/// A mean and its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// One standard deviation of the mean.
    pub error: f64,
}

/// The mean of x and Σ(x − mean)².
fn moments(x: &[f64]) -> (f64, f64) {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    (mean, x.iter().map(|x| (x - mean).powi(2)).sum())
}

impl Estimate {
    /// Of independent samples: error √(σ²/n) with the unbiased variance σ²; infinite for a single sample.
    pub fn independent(samples: &[f64]) -> Self {
        let n = samples.len() as f64;
        let (mean, squares) = moments(samples);
        Estimate { mean, error: if n > 1.0 { (squares / (n - 1.0) / n).sqrt() } else { f64::INFINITY } }
    }

    /// Of the successive states of a Markov chain: error √(2τσ²/n), τ by [`autocorrelation_time`].
    pub fn of_chain(samples: &[f64]) -> Self {
        let e = Self::independent(samples);
        Estimate { error: e.error * (2.0 * autocorrelation_time(samples)).sqrt(), ..e }
    }

    /// Times a number.
    pub fn scaled(self, factor: f64) -> Self {
        Estimate { mean: self.mean * factor, error: self.error * factor.abs() }
    }
}

impl fmt::Display for Estimate {
    /// As physicists write it: 157.57(1).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !(self.error > 0.0 && self.error.is_finite() && self.mean.is_finite()) {
            return write!(f, "{} ± {}", self.mean, self.error);
        }
        let mut decimals = -self.error.log10().floor() as i32;
        let mut digits = (self.error * 10f64.powi(decimals)).round();
        if digits >= 10.0 {
            (decimals, digits) = (decimals - 1, digits / 10.0);
        }
        // a leading 1 alone would be known to a third only
        if digits < 2.0 {
            decimals += 1;
            digits = (self.error * 10f64.powi(decimals)).round();
        }
        if decimals > 0 {
            write!(f, "{:.*}({digits})", decimals as usize, self.mean)
        } else {
            write!(f, "{}({})", (self.mean * 10f64.powi(decimals)).round() / 10f64.powi(decimals), digits / 10f64.powi(decimals))
        }
    }
}

/// The integrated autocorrelation time τ = ½ + Σ_{t≥1} ρ(t) of a stationary series, in steps: ½ for independent samples.
///
/// The sum stops at the first window W ≥ 5 τ(W) (Madras and Sokal, J. Stat. Phys. 50, 109 (1988)). A series without fluctuations has τ = ½
/// by convention; a series shorter than about 50 τ underestimates it.
pub fn autocorrelation_time(series: &[f64]) -> f64 {
    let n = series.len();
    let (mean, squares) = if n == 0 { (0.0, 0.0) } else { moments(series) };
    if n < 2 || squares == 0.0 {
        return 0.5;
    }
    let mut tau = 0.5;
    for t in 1..n {
        let covariance: f64 = series[..n - t].iter().zip(&series[t..]).map(|(a, b)| (a - mean) * (b - mean)).sum();
        // each lag by the number of its own terms
        tau += covariance / squares * n as f64 / (n - t) as f64;
        if t as f64 >= 5.0 * tau {
            break;
        }
    }
    tau.max(0.5)
}
