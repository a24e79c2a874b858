//! What a fixed point keeps for its pullback does not depend on the number of iterations.

use crate::counting::{LIVE, PEAK};
use pullback::implicit::{FixedPointMethod, FixedPointOptions, fixed_point};
use pullback::prelude::*;
use std::sync::atomic::Ordering;

const N: usize = 1 << 15;
const BUFFER: f64 = (N * size_of::<f64>()) as f64;

/// Iterations, and arrays of N numbers: held for the pullback, and at most at once while forward and backward ran.
fn count(slope: f64) -> (usize, f64, f64) {
    let b = Var::from(vec![0.5; N]);
    let options = FixedPointOptions { method: FixedPointMethod::Picard { damping: 1.0 }, max_iterations: 100_000, ..Default::default() };
    pullback::release_memory();
    let before = LIVE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let mut iterations = 0;
    let run = |b: &Var<f64>| {
        let f = move |b: &Var<f64>, x: &Var<f64>| x * slope + b;
        let found = fixed_point(f, b, &Var::zeros(&[N]), &options)?;
        iterations = found.report.iterations;
        Ok::<_, Error>(found.x)
    };
    let (y, pull) = vjp(run, &b).unwrap();
    pullback::release_memory();
    let held = (LIVE.load(Ordering::Relaxed) - before) as f64 / BUFFER;
    pull.call(&y).unwrap();
    let peak = (PEAK.load(Ordering::Relaxed) - before) as f64 / BUFFER;
    (iterations, held, peak)
}

#[test]
fn memory_is_flat_in_the_number_of_iterations() {
    let _alone = crate::alone();
    let (few, held_few, peak_few) = count(0.1);
    let (many, held_many, peak_many) = count(-0.98);
    assert!(many > 50 * few, "{few} and {many} iterations");
    assert!((held_many - held_few).abs() < 0.1 && held_many < 5.0, "{held_few} and {held_many} arrays held");
    assert!((peak_many - peak_few).abs() < 1.0, "{peak_few} and {peak_many} arrays at the peak");
}
