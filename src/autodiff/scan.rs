//! Loops that carry a state: c_{t+1}, y_t = f(p, c_t, x_t).

use super::checkpoint::checkpoint;
use super::forward::check_shapes;
use super::stacking::{concatenate, leading, ranges, stack, unstack};
use super::tree::{Returns, Tree};
use crate::error::{Error, Result};
use std::sync::Arc;

/// What a [`scan`] keeps for its backward sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Carry {
    /// Everything that the steps record: fastest, memory grows with the number of steps n.
    #[default]
    Store,
    /// The carry at the start of each segment of √n steps; a segment is run again when the sweep comes to it. Memory grows with √n, and
    /// every step is computed twice.
    Recompute,
    /// As `Recompute`, with segments of so many steps: n/segment carries are kept, and one segment's record at a time.
    RecomputeEvery(usize),
}

/// Options of [`scan`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScanOptions {
    /// What is kept for the backward sweep.
    pub carry: Carry,
    /// The number of steps; needed only where `xs` has no arrays that tell it.
    pub length: Option<usize>,
}

/// Runs f over the leading axis of `xs`: (c, y_t) = f(p, c, x_t) for t = 0, 1, …; the last carry and the y_t stacked along a new leading
/// axis.
///
/// Parameters `p` (or `&()`), carry, inputs and results are any structures of arrays. With a recomputed carry `f` takes everything it
/// differentiates through as its arguments, as [`checkpoint`] does.
///
/// ```
/// use pullback::prelude::*;
/// // x_{t+1} = r x_t (1 − x_t), and the whole orbit
/// let options = ScanOptions { carry: Carry::Recompute, length: Some(100) };
/// let logistic = |(r, x): &(Var<f64>, Var<f64>)| {
///     let step = |r: &Var<f64>, x: &Var<f64>, _: &()| {
///         let next = r * x * (1.0 - x);
///         (next.clone(), next)
///     };
///     let (last, orbit) = scan(step, r, x, &(), &options)?;
///     assert_eq!(orbit.shape(), &[100]);
///     Ok::<_, pullback::Error>(last)
/// };
/// // at r = 2.5 the orbit ends in the fixed point 1 − 1/r, whose derivative by r is 1/r²
/// let (dr, dx) = grad(logistic, &(2.5, 0.3))?;
/// assert!((dr - 0.16).abs() < 1e-12 && dx.abs() < 1e-12);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// Those of `f`; a carry whose shapes change; arrays in `xs` with leading axes of different lengths, or another length than the options
/// say; no step at all, since then nothing tells the shapes of the results.
pub fn scan<P, C, X, Y, F, R>(f: F, params: &P, init: &C, xs: &X, options: &ScanOptions) -> Result<(C, Y)>
where
    P: Tree,
    C: Tree,
    X: Tree,
    Y: Tree,
    F: Fn(&P, &C, &X) -> R + Send + Sync + 'static,
    R: Returns<Vars = (C, Y)>,
{
    let steps = match (leading("scan", xs)?, options.length) {
        (Some(n), Some(length)) if n != length => {
            return Err(Error::argument("scan", format!("the inputs have {n} rows, the options say {length} steps")));
        }
        (Some(n), _) | (None, Some(n)) => n,
        (None, None) => return Err(Error::argument("scan", "there are no inputs, so the options must say the number of steps")),
    };
    if steps == 0 {
        return Err(Error::argument("scan", "there is no step to run, and nothing tells the shapes of the results"));
    }
    let segment = match options.carry {
        Carry::Store => steps,
        Carry::Recompute => steps.isqrt().max(1),
        Carry::RecomputeEvery(0) => return Err(Error::argument("scan", "segments of 0 steps: give at least 1")),
        Carry::RecomputeEvery(segment) => segment,
    };
    if options.carry == Carry::Store {
        return run(&f, params, init, xs, steps);
    }
    let f = Arc::new(f);
    let bounds: Vec<_> = (0..steps).step_by(segment).map(|start| (start, steps.min(start + segment))).collect();
    let mut carry = init.clone();
    let mut results = Vec::with_capacity(bounds.len());
    for (&(start, end), xs) in bounds.iter().zip(ranges(xs, &bounds)?) {
        let f = f.clone();
        let part = move |(params, carry, xs): &(P, C, X)| run(&*f, params, carry, xs, end - start);
        let (next, ys) = checkpoint(part, &(params.clone(), carry, xs))?;
        carry = next;
        results.push(ys);
    }
    Ok((carry, concatenate(results)?))
}

fn run<P: Tree, C: Tree, X: Tree, Y: Tree, R: Returns<Vars = (C, Y)>>(
    f: &impl Fn(&P, &C, &X) -> R,
    params: &P,
    init: &C,
    xs: &X,
    steps: usize,
) -> Result<(C, Y)> {
    let mut carry = init.clone();
    let mut results = Vec::with_capacity(steps);
    for x in unstack(xs, steps)? {
        let (next, y) = f(params, &carry, &x).into_result()?;
        check_shapes("scan: the carry", &carry, &next)?;
        carry = next;
        results.push(y);
    }
    Ok((carry, stack(results)?))
}
