//! What an adjoint holds: bytes counted by the global allocator.

use crate::counting::{LIVE, PEAK};
use pullback::ode::{Adjoint, Method, OdeOptions, Stepping, odeint};
use pullback::prelude::*;
use std::sync::atomic::Ordering;

// below the size from which freed buffers are kept for reuse
const N: usize = 8000;

/// The largest number of states alive at once in a value and gradient over so many steps.
fn peak(method: Method, adjoint: Adjoint, steps: usize) -> f64 {
    let options = OdeOptions { method, stepping: Stepping::Fixed { step: 1.0 / steps as f64 }, adjoint };
    let times = Var::from([0.0, 1.0]);
    let start = Var::from(vec![0.3; N]);
    // separable: the halves turn into each other
    let field = |_: &Var<f64>, y: &Var<f64>, k: &Var<f64>| {
        let half = (N / 2) as isize;
        concatenate(&[y.slice(s![half..]), -(k * y.slice(s![..half]))], 0)
    };
    let loss = |(y0, k): &(Var<f64>, Var<f64>)| Ok::<_, pullback::Error>(odeint(field, y0, &times, k, &options)?.y.square().sum());
    let before = LIVE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let g = grad(loss, &(start, Var::scalar(1.1))).unwrap();
    assert!(g.1.item().is_finite());
    (PEAK.load(Ordering::Relaxed) - before) as f64 / (N * size_of::<f64>()) as f64
}

#[test]
fn memory_of_the_adjoints() {
    let _alone = crate::alone();
    peak(Method::Rk4, Adjoint::default(), 10);
    let flat = [
        (Method::Rk4, Adjoint::reversible()),
        (Method::Rk4, Adjoint::backward()),
        (Method::Leapfrog, Adjoint::reversible()),
        (Method::Yoshida4, Adjoint::reversible()),
        (Method::Rk4, Adjoint::Discrete { checkpoints: Some(3) }),
    ];
    for (method, adjoint) in flat {
        let (few, many) = (peak(method, adjoint, 10), peak(method, adjoint, 80));
        assert!(many < few + 0.5, "{method:?}, {adjoint:?}: {few} states for 10 steps, {many} for 80");
    }
    let (few, many) = (peak(Method::Rk4, Adjoint::default(), 10), peak(Method::Rk4, Adjoint::default(), 80));
    // a state and four stages each
    assert!(many - few > 70.0 * 5.0 - 1.0, "keeping everything: {few} states for 10 steps, {many} for 80");
    // the bound is kept, and the room used
    for room in [10, 40] {
        let bounded = peak(Method::Rk4, Adjoint::Discrete { checkpoints: Some(room) }, 200);
        let least = peak(Method::Rk4, Adjoint::Discrete { checkpoints: Some(1) }, 200);
        assert!(
            bounded < least + room as f64 + 1.0 && bounded > least + 0.8 * room as f64 - 4.0,
            "room for {room}: {bounded} states, {least} with room for one"
        );
    }
}
