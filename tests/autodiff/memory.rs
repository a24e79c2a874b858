//! What the tape holds: bytes counted by the global allocator.

use crate::counting::{LIVE, PEAK};
use pullback::prelude::*;
use std::sync::atomic::Ordering;

const N: usize = 1 << 17;
const BUFFER: isize = (N * size_of::<f64>()) as isize;

fn live() -> isize {
    pullback::release_memory();
    LIVE.load(Ordering::Relaxed)
}

/// How many arrays of N numbers stay alive after recording f, beyond its argument and its result.
fn held(f: impl Fn(&Var<f64>) -> Var<f64>) -> f64 {
    let x = Var::from(vec![0.5; N]);
    let before = live();
    let (y, pull) = vjp(&f, &x).unwrap();
    let own = if y.len() == N { BUFFER } else { 0 };
    let held = live() - before - own;
    drop((y, pull));
    assert!((live() - before).abs() < 100_000, "{} bytes stay behind", live() - before);
    held as f64 / BUFFER as f64
}

/// The largest number of arrays of N numbers alive at once while f runs, beyond those alive before.
fn peak<R>(f: impl FnOnce() -> R) -> f64 {
    let before = live();
    PEAK.store(before, Ordering::Relaxed);
    drop(f());
    (PEAK.load(Ordering::Relaxed) - before) as f64 / BUFFER as f64
}

fn about(found: f64, arrays: f64, what: &str) {
    assert!((found - arrays).abs() < 0.05, "{what}: {found} arrays, not {arrays}");
}

fn what_a_rule_does_not_need_is_freed() {
    about(held(|x| x + x.square() * 0.0), 0.0, "x² keeps x alone, addition and scaling nothing");
    about(held(|x| x + 1.0), 0.0, "x + c keeps nothing");
    about(held(|x| -x.clone()), 0.0, "−x keeps nothing");
    about(held(|x| x.exp()), 0.0, "eˣ keeps its result, which is the function's");
    about(held(|x| x.exp() + 1.0), 1.0, "eˣ + 1 keeps eˣ");
    about(held(|x| x.sin() + 1.0), 0.0, "sin x keeps x, which is the argument");
    about(held(|x| (x + 1.0).sin() + 1.0), 1.0, "sin(x + 1) keeps x + 1");
    about(held(|x| x.sum()), 0.0, "a sum keeps nothing");
    about(held(|x| (x * 2.0).sum() + 1.0), 0.0, "neither does a multiple of it");
    about(held(|x| x.exp().sin().tanh() + 1.0), 2.0, "sin keeps its input eˣ, which eˣ keeps as well, tanh its output");
    let c = Var::from(vec![2.0; N]);
    about(held(|x| (x + 1.0) * &c), 0.0, "a product with a constant keeps the constant, not the other factor");
    scalar_fn! { fn wave(x) { x.sin() * x.exp() + x / (1.0 + x * x) } }
    about(held(|x| map(wave, &(x + 1.0)) + 1.0), 1.0, "a fused function keeps its input");
}

fn a_checkpoint_keeps_its_input_alone() {
    let block = |x: &Var<f64>| (0..6).fold(x.clone(), |x, _| (x.exp() * 0.1).sin().tanh());
    let plain = held(block);
    let forgetful = held(|x| checkpoint(move |x: &Var<f64>| block(x), x).unwrap());
    assert!(plain > 10.0, "{plain}");
    about(forgetful, 0.0, "checkpoint");
}

fn scan_with_recomputed_carry_needs_the_square_root() {
    let gradient = |carry| {
        let step = |_: &(), c: &Var<f64>, _: &()| ((c.sin() * 1.1).tanh(), Var::scalar(0.0));
        let options = ScanOptions { carry, length: Some(64) };
        let loss = move |x: &Var<f64>| Ok::<_, Error>(scan(step, &(), x, &(), &options)?.0.sum());
        let x = Var::from(vec![0.5; N]);
        peak(|| grad(loss, &x).unwrap())
    };
    let (stored, recomputed) = (gradient(Carry::Store), gradient(Carry::Recompute));
    // each step keeps one array, 64 in all, against 8 carries and one segment of 8 steps
    assert!(stored > 60.0, "{stored}");
    assert!(recomputed < 25.0, "{recomputed}");
}

fn a_sweep_frees_what_it_has_passed() {
    // 40 arrays are recorded; going back must not add as many again
    let x = Var::from(vec![0.5; N]);
    let f = |x: &Var<f64>| (0..40).fold(x.clone(), |x, _| x.exp() * 0.1).sum();
    let arrays = peak(|| grad(f, &x).unwrap());
    assert!(arrays < 45.0, "{arrays}");
}

fn a_chain_of_two_million_nodes_is_dropped_without_recursion() {
    let before = live();
    let run = || {
        let f = |x: &Var<f64>| (0..2_000_000).fold(x.clone(), |x, _| x + 1e-6);
        assert_eq!(grad(f, &1.0).unwrap(), 1.0);
        drop(vjp(f, &1.0).unwrap());
    };
    // a stack on which recursion over the chain would overflow
    std::thread::Builder::new().stack_size(128 << 10).spawn(run).unwrap().join().unwrap();
    assert!(live() - before < 100_000, "{} bytes stay behind", live() - before);
}

#[test]
fn the_tape_holds_what_its_rules_need_and_no_more() {
    let _alone = crate::alone();
    // the pool of threads lives on: start it before anything is counted
    drop(Var::from(vec![0.5; N]).exp());
    what_a_rule_does_not_need_is_freed();
    a_checkpoint_keeps_its_input_alone();
    scan_with_recomputed_carry_needs_the_square_root();
    a_sweep_frees_what_it_has_passed();
    a_chain_of_two_million_nodes_is_dropped_without_recursion();
}
