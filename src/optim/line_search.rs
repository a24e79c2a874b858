//! A step length that satisfies the strong Wolfe conditions, by the algorithm of Moré and Thuente (ACM TOMS 20, 286 (1994)).
//!
//! With φ(α) = f(x + α d) it looks for φ(α) ≤ φ(0) + c₁ α φ′(0) and |φ′(α)| ≤ c₂ |φ′(0)|. An interval that holds such a step is kept
//! and shrunk by safeguarded cubic and quadratic interpolation. Where φ is not finite the step is cut until it is.

use crate::error::Result;

/// The constants of the Wolfe conditions and the bounds of the search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LineSearch {
    /// c₁ of the sufficient decrease φ(α) ≤ φ(0) + c₁ α φ′(0).
    pub decrease: f64,
    /// c₂ of the curvature condition |φ′(α)| ≤ c₂ |φ′(0)|; above c₁, below 1.
    pub curvature: f64,
    /// The largest number of evaluations in one search.
    pub max_evaluations: usize,
    /// The largest step length α.
    pub max_step: f64,
}

impl Default for LineSearch {
    fn default() -> Self {
        LineSearch { decrease: 1e-4, curvature: 0.9, max_evaluations: 40, max_step: 1e10 }
    }
}

/// A point of φ.
#[derive(Clone, Copy)]
struct Trial {
    step: f64,
    value: f64,
    slope: f64,
}

/// The step length: one where both conditions hold, or the best point seen, 0 if none is below the start. `phi(α)` gives (φ, φ′).
pub(crate) fn search(
    options: &LineSearch,
    value: f64,
    slope: f64,
    first: f64,
    phi: &mut dyn FnMut(f64) -> Result<(f64, f64)>,
) -> Result<f64> {
    let start = Trial { step: 0.0, value, slope };
    let (mut best, mut other) = (start, start);
    let (mut bracketed, mut modified) = (false, true);
    let (min_step, mut max_step) = (0.0, options.max_step);
    let descent = options.decrease * slope;
    let mut widths = [max_step - min_step, 2.0 * (max_step - min_step)];
    let mut step = first.min(max_step);
    let (mut low, mut high) = (0.0, step + 4.0 * step);
    for _ in 0..options.max_evaluations {
        let (value, slope) = phi(step)?;
        if !(value.is_finite() && slope.is_finite()) {
            // outside of the domain: no step from here on is longer
            max_step = 0.5 * (best.step + step);
            (step, high) = (max_step, max_step);
            continue;
        }
        let here = Trial { step, value, slope };
        let bound = start.value + step * descent;
        if value <= bound && slope.abs() <= options.curvature * -start.slope {
            return Ok(step);
        }
        let exhausted = bracketed && (step <= low || step >= high || high - low <= 1e-15 * high);
        let at_end = step == max_step && value <= bound && slope <= descent;
        if exhausted || at_end {
            if value < best.value {
                best = here;
            }
            return Ok(best.step);
        }
        if modified && value <= bound && slope >= 0.0 {
            modified = false;
        }
        // until a point of sufficient decrease is found, the search runs on φ(α) − α c₁ φ′(0)
        let shift = if modified && value <= best.value && value > bound { descent } else { 0.0 };
        let down = |t: Trial| Trial { step: t.step, value: t.value - t.step * shift, slope: t.slope - shift };
        let up = |t: Trial| Trial { step: t.step, value: t.value + t.step * shift, slope: t.slope + shift };
        let (mut a, mut b) = (down(best), down(other));
        step = next(&mut a, &mut b, down(here), &mut bracketed, low, high);
        (best, other) = (up(a), up(b));
        if bracketed {
            let width = (other.step - best.step).abs();
            if width >= 0.66 * widths[1] {
                step = best.step + 0.5 * (other.step - best.step);
            }
            widths = [width, widths[0]];
            (low, high) = (best.step.min(other.step), best.step.max(other.step));
        } else {
            (low, high) = (step + 1.1 * (step - best.step), step + 4.0 * (step - best.step));
        }
        step = step.clamp(min_step, max_step);
        if bracketed && (step <= low || step >= high || high - low <= 1e-15 * high) {
            step = best.step;
        }
    }
    Ok(best.step)
}

/// The interval of uncertainty with the new point in it, and the next trial step: section 4 of the paper.
fn next(best: &mut Trial, other: &mut Trial, here: Trial, bracketed: &mut bool, low: f64, high: f64) -> f64 {
    let opposite = here.slope * best.slope.signum() < 0.0;
    // the minimum of the cubic through two points, seen from the first, and a discriminant cut at 0
    let cubic = |a: Trial, b: Trial| {
        let theta = 3.0 * (a.value - b.value) / (b.step - a.step) + a.slope + b.slope;
        let scale = theta.abs().max(a.slope.abs()).max(b.slope.abs());
        let root = scale * ((theta / scale).powi(2) - (a.slope / scale) * (b.slope / scale)).max(0.0).sqrt();
        (theta, if b.step < a.step { -root } else { root })
    };
    let secant = here.step + here.slope / (here.slope - best.slope) * (best.step - here.step);
    let step;
    if here.value > best.value {
        let (theta, root) = cubic(*best, here);
        let ratio = (root - best.slope + theta) / (root - best.slope + root + here.slope);
        let c = best.step + ratio * (here.step - best.step);
        let slope = (best.value - here.value) / (here.step - best.step) + best.slope;
        let q = best.step + 0.5 * best.slope / slope * (here.step - best.step);
        step = if (c - best.step).abs() < (q - best.step).abs() { c } else { c + 0.5 * (q - c) };
        *bracketed = true;
    } else if opposite {
        let (theta, root) = cubic(here, *best);
        let ratio = (root - here.slope + theta) / (root - here.slope + root + best.slope);
        let c = here.step + ratio * (best.step - here.step);
        step = if (c - here.step).abs() > (secant - here.step).abs() { c } else { secant };
        *bracketed = true;
    } else if here.slope.abs() < best.slope.abs() {
        let (theta, root) = cubic(here, *best);
        let ratio = (root - here.slope + theta) / (root + (best.slope - here.slope) + root);
        let c = if ratio < 0.0 && root != 0.0 {
            here.step + ratio * (best.step - here.step)
        } else if here.step > best.step {
            high
        } else {
            low
        };
        let closer = (c - here.step).abs() < (secant - here.step).abs();
        if *bracketed {
            let chosen = if closer { c } else { secant };
            let limit = here.step + 0.66 * (other.step - here.step);
            step = if here.step > best.step { chosen.min(limit) } else { chosen.max(limit) };
        } else {
            step = (if closer { secant } else { c }).clamp(low, high);
        }
    } else if *bracketed {
        let (theta, root) = cubic(here, *other);
        let ratio = (root - here.slope + theta) / (root - here.slope + root + other.slope);
        step = here.step + ratio * (other.step - here.step);
    } else {
        step = if here.step > best.step { high } else { low };
    }
    if here.value > best.value {
        *other = here;
    } else {
        if opposite {
            *other = *best;
        }
        *best = here;
    }
    step
}
