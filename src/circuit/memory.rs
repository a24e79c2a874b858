//! A bound on memory, so that a register one qubit too large is an error and not a machine that swaps.

use crate::error::{Error, Result};
use std::sync::atomic::{AtomicU64, Ordering};

/// In bytes.
static LIMIT: AtomicU64 = AtomicU64::new(u64::MAX);

/// Bounds what one operation of this module may take, in bytes, for the whole process; `None` takes the bound away, which is the default.
///
/// Checked before anything is allocated: a new state or density matrix, a matrix of a circuit, a run of a circuit (its input and output, and
/// where it is differentiated two states more) and the tangent states of a Fisher matrix. The error says how much would be needed.
///
/// ```
/// use pullback::circuit::{StateVector, set_memory_limit};
/// set_memory_limit(Some(4 << 30));
/// let error = StateVector::<f64>::zero(29).unwrap_err();
/// assert!(error.to_string().contains("8.000 GiB, more than the limit of 4.000 GiB"));
/// set_memory_limit(None);
/// ```
pub fn set_memory_limit(bytes: Option<u64>) {
    LIMIT.store(bytes.unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// The bound that [`set_memory_limit`] has set, in bytes.
pub fn memory_limit() -> Option<u64> {
    Some(LIMIT.load(Ordering::Relaxed)).filter(|&l| l != u64::MAX)
}

pub(super) fn gib(bytes: f64) -> f64 {
    bytes / (1u64 << 30) as f64
}

/// An error if `bytes` are more than the limit.
pub(super) fn check(operation: &'static str, what: &str, bytes: f64) -> Result<()> {
    match memory_limit() {
        Some(limit) if bytes > limit as f64 => Err(Error::argument(
            operation,
            format!(
                "{what} would take {:.3} GiB, more than the limit of {:.3} GiB: a smaller register or batch, single precision, or `set_memory_limit`",
                gib(bytes),
                gib(limit as f64)
            ),
        )),
        _ => Ok(()),
    }
}
