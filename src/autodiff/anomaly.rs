//! An optional check that names the operation in whose pullback a NaN or an infinity arose.

use super::node::Cotangents;
use super::tree::{AnyRef, AnyVar, each_kind};
use crate::error::{Error, Result};
use std::cell::Cell;

thread_local! {
    static ON: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f` with every backward sweep checked: the first cotangent that is not finite is an error that names the operation that made it.
///
/// Costs a pass over every cotangent. Applies to sweeps that this thread starts inside `f`.
///
/// ```
/// use pullback::prelude::*;
/// let e = detect_anomaly(|| grad(|x: &Var<f64>| (x * 0.0).log().sum(), &1.0)).unwrap_err();
/// assert!(e.to_string().contains("log"));
/// ```
pub fn detect_anomaly<R>(f: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            ON.set(self.0);
        }
    }
    let _restore = Restore(ON.replace(true));
    f()
}

#[inline]
pub(crate) fn is_on() -> bool {
    ON.get()
}

fn first_bad(v: AnyRef<'_>) -> Option<(usize, String)> {
    fn scan<T: crate::Scalar>(x: &[T]) -> Option<(usize, String)> {
        x.iter().position(|x| !x.is_finite()).map(|i| (i, x[i].to_string()))
    }
    each_kind!(v, AnyRef, v => scan(v.as_slice()))
}

/// The cotangents that a node is about to pull: they are finite unless the seed was not.
pub(crate) fn check_incoming(name: &'static str, cotangents: &Cotangents) -> Result<()> {
    match cotangents.iter().flatten().find_map(|c| first_bad(c.as_ref())) {
        None => Ok(()),
        Some((i, x)) => Err(Error::non_finite(
            name,
            format!("the cotangent that reaches this operation is already {x} at element {i}: the seed is not finite"),
        )),
    }
}

/// A cotangent that a node's pullback has just made.
pub(crate) fn check(name: &'static str, input: usize, cotangent: &AnyVar) -> Result<()> {
    match first_bad(cotangent.as_ref()) {
        None => Ok(()),
        Some((i, x)) => Err(Error::non_finite(
            name,
            format!(
                "its pullback made {x} at element {i} of the cotangent of input {input} (shape {:?}); the inputs of this operation are at a point where it has no finite derivative",
                cotangent.as_ref().shape()
            ),
        )),
    }
}
