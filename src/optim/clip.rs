//! Gradients kept within bounds.

use crate::Argument;
use crate::error::{Error, Result};
use crate::flat;

/// What is done to a gradient before a step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Clip {
    /// Nothing.
    #[default]
    None,
    /// If the norm √Σ|g|² over all arrays is larger, the whole gradient is scaled down to it.
    Norm(f64),
    /// Every real number is cut to [−c, c].
    Value(f64),
}

impl Clip {
    pub(crate) fn check(&self, operation: &'static str) -> Result<()> {
        match *self {
            Clip::Norm(c) | Clip::Value(c) if !(c > 0.0) => {
                Err(Error::argument(operation, format!("a gradient is clipped to a positive bound, got {self:?}")))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn apply(&self, g: &mut [f64]) {
        match *self {
            Clip::None => {}
            Clip::Norm(bound) => {
                let norm = norm(g);
                if norm > bound {
                    g.iter_mut().for_each(|g| *g *= bound / norm);
                }
            }
            Clip::Value(bound) => g.iter_mut().for_each(|g| *g = g.clamp(-bound, bound)),
        }
    }
}

/// √Σg², scaled so that it neither overflows nor vanishes.
fn norm(g: &[f64]) -> f64 {
    let scale = g.iter().fold(0.0f64, |m, g| m.max(g.abs()));
    if scale == 0.0 { 0.0 } else { scale * g.iter().map(|g| (g / scale).powi(2)).sum::<f64>().sqrt() }
}

/// √Σ|g|² over all arrays of a gradient.
pub fn global_norm<A: Argument>(gradient: &A) -> f64 {
    norm(&flat::to_vec(&gradient.to_vars()))
}

fn clipped<A: Argument>(clip: Clip, gradient: &A) -> Result<A> {
    clip.check("clip")?;
    let vars = gradient.to_vars();
    let mut g = flat::to_vec(&vars);
    clip.apply(&mut g);
    gradient.from_vars(flat::read(&vars, &g))
}

/// The gradient, scaled down to the norm `bound` if its norm is larger.
///
/// ```
/// use pullback::optim::clip_by_norm;
/// assert_eq!(clip_by_norm(&(3.0, 4.0), 1.0)?, (0.6000000000000001, 0.8));
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// If the bound is not positive.
pub fn clip_by_norm<A: Argument>(gradient: &A, bound: f64) -> Result<A> {
    clipped(Clip::Norm(bound), gradient)
}

/// The gradient with every real number cut to [−bound, bound].
///
/// # Errors
/// If the bound is not positive.
pub fn clip_by_value<A: Argument>(gradient: &A, bound: f64) -> Result<A> {
    clipped(Clip::Value(bound), gradient)
}
