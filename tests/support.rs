//! What tests of several modules share.

use pullback::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

pub fn random<T: Scalar>(shape: &[usize], seed: u64) -> Var<T> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut draw = || T::Real::from_f64(rng.random_range(-1.0..1.0));
    let data = (0..shape.iter().product()).map(|_| {
        let (re, im) = (draw(), draw());
        T::from_parts(re, im)
    });
    Var::from_shape_vec(shape, data.collect()).unwrap()
}

/// `f` panics with a message that has all these parts.
#[track_caller]
pub fn refuses<R>(f: impl FnOnce() -> R, parts: &[&str]) {
    let Err(payload) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)) else { panic!("expected a panic about {parts:?}") };
    let message = match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => payload.downcast::<&str>().map(|m| m.to_string()).expect("a message"),
    };
    parts.iter().for_each(|p| assert!(message.contains(p), "{p:?} is not in: {message}"));
}
