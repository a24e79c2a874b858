//! What the gradient of a circuit holds, in states.

use crate::counting::{LIVE, PEAK};
use pullback::circuit::{Circuit, PauliSum, Trotter};
use pullback::prelude::*;
use std::sync::atomic::Ordering;

// below the size from which freed buffers are kept for reuse
const N: usize = 11;

/// The most states alive at once in a value and gradient, with few parameters in many layers.
fn peak(n: usize, layers: usize, order: u32) -> f64 {
    let h = PauliSum::heisenberg(n, true).unwrap();
    let mut layer = Circuit::new(n);
    let (a, b) = (layer.parameter(), layer.parameter());
    for q in 0..n {
        layer.rx(q, a).unwrap();
    }
    for q in 0..n {
        layer.cnot(q, (q + 1) % n).unwrap();
    }
    layer.exponential(&h, b, Trotter::First, 1).unwrap();
    let mut c = Circuit::new(n);
    c.repeat(&layer, &(0..n).collect::<Vec<_>>(), layers).unwrap();
    let theta = Var::from([0.3, 0.1]);
    // the list of steps is the circuit's, not the gradient's
    c.state(&theta).unwrap();
    pullback::release_memory();
    let before = LIVE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let energy = |t: &Var<f64>| c.state(t)?.expectation(&h);
    let g = if order == 1 { grad(energy, &theta).unwrap() } else { hvp(energy, &theta, &theta).unwrap() };
    assert!(g.as_slice().iter().all(|x| x.is_finite() && *x != 0.0));
    (PEAK.load(Ordering::Relaxed) - before) as f64 / ((16 << n) as f64)
}

#[test]
fn memory_of_the_gradient_is_three_states_whatever_the_depth() {
    let _alone = crate::alone();
    // one thread: buffers of tiles are an eighth of a state each
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let large = pool.install(|| peak(16, 2, 1));
    println!("gradient: {large:.2} states of 16 qubits");
    // the final state, the one that is undone, and its cotangent; beside them ψ, λ and a copy for permutations of one tile
    assert!(large < 3.5, "{large} states");
    peak(N, 2, 1);
    let (few, many) = (peak(N, 4, 1), peak(N, 64, 1));
    println!("gradient: {few:.2} states at 4 layers, {many:.2} at 64");
    // values of the angles and sums of a group of steps grow with the depth, by numbers, not by states
    assert!(many < few + 1.0, "{few} states at 4 layers, {many} at 64");
    let (few, many) = (peak(N, 4, 2), peak(N, 64, 2));
    println!("Hessian times vector: {few:.2} states at 4 layers, {many:.2} at 64");
    assert!(many < few + 1.0, "{few} states at 4 layers, {many} at 64");
}
