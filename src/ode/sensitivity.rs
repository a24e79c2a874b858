//! Tangents carried forward through the steps taken.

use super::options::OdeOptions;
use super::reverse::{Gradient, Sweep};
use super::solve::{Plan, Run};
use super::stepper::{StepTangent, stepper};
use super::system::{Counted, Counts, System, dot};
use crate::error::Result;

/// A direction in everything that a solve depends on; an empty vector stands for zero.
pub(crate) struct Direction {
    pub(crate) y0: Vec<f64>,
    pub(crate) times: Vec<f64>,
    pub(crate) params: Vec<f64>,
}

/// Calls `found(i, d, ẏ)` with the tangent of the i-th requested state along the d-th direction, in the order of the steps.
pub(crate) fn push(
    system: &dyn System,
    options: &OdeOptions,
    (y0, times): (&[f64], &[f64]),
    plan: &Plan,
    directions: &[Direction],
    found: &mut dyn FnMut(usize, usize, &[f64]),
) -> Result<Counts> {
    let n = y0.len();
    let mut stepper = stepper(options.method, options.adjoint, options.accuracy(), system);
    let mut system = Counted::new(system);
    let copies = stepper.carried(n) / n;
    let mut y = y0.repeat(copies);
    let mut dy: Vec<Vec<f64>> =
        directions.iter().map(|d| if d.y0.is_empty() { vec![0.0; n * copies] } else { d.y0.repeat(copies) }).collect();
    dy.iter().enumerate().for_each(|(d, dy)| found(0, d, &dy[..n]));
    for k in 0..plan.len() {
        let taken = plan.step(k, times);
        let ((a, b), (from, to)) = (taken.anchors, taken.fractions);
        let time = |d: &Direction, i: usize| d.times.get(i).copied().unwrap_or(0.0);
        let tangents: Vec<StepTangent> = directions
            .iter()
            .map(|d| {
                let (ta, tb) = (time(d, a), time(d, b));
                StepTangent { params: &d.params, t: ta * (1.0 - from) + tb * from, h: (to - from) * (tb - ta) }
            })
            .collect();
        let inner: Vec<(f64, Vec<f64>)> = taken
            .inner
            .clone()
            .map(|i| {
                let sigma = (times[i] - taken.t) / taken.h;
                (sigma, directions.iter().zip(&tangents).map(|(d, s)| (time(d, i) - s.t - sigma * s.h) / taken.h).collect())
            })
            .collect();
        let first = taken.inner.start;
        stepper.jvp(&mut system, (taken.t, taken.h), &mut y, &mut dy, &tangents, &inner, &mut |v, d, dy| found(first + v, d, dy))?;
        system.counts.steps += 1;
        if let Some(end) = taken.end {
            dy.iter().enumerate().for_each(|(d, dy)| found(end, d, &dy[..n]));
        }
    }
    Ok(system.counts)
}

/// All derivatives of the requested states, each met with its cotangent as it appears.
pub(crate) fn reverse(sweep: &Sweep, run: &Run) -> Result<Gradient> {
    let (n, m, p) = (sweep.y0.len(), sweep.times.len(), sweep.zeros().len());
    let unit = |len: usize, i: usize| -> Vec<f64> { (0..len).map(|j| if i == j { 1.0 } else { 0.0 }).collect() };
    let directions: Vec<Direction> = (0..n)
        .map(|i| Direction { y0: unit(n, i), times: vec![], params: vec![] })
        .chain((0..m).map(|i| Direction { y0: vec![], times: unit(m, i), params: vec![] }))
        .chain((0..p).map(|i| Direction { y0: vec![], times: vec![], params: unit(p, i) }))
        .collect();
    let mut sums = vec![0.0; directions.len()];
    let counts = push(sweep.system, sweep.options, (sweep.y0, sweep.times), &run.plan, &directions, &mut |i, d, dy| {
        sums[d] += dot(dy, sweep.cotangent(i));
    })?;
    let (y0, rest) = sums.split_at(n);
    let (times, params) = rest.split_at(m);
    Ok(Gradient { y0: y0.to_vec(), times: times.to_vec(), params: params.to_vec(), counts })
}
