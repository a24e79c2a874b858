//! What belongs to the whole process, so that one test runs at a time: the bytes that the allocator hands out, the pool of freed buffers, the
//! choice of instructions.

mod counting;
#[path = "autodiff/memory.rs"]
mod memory;
#[path = "circuit/memory.rs"]
mod memory_circuit;
#[path = "implicit/memory.rs"]
mod memory_implicit;
#[path = "ode/memory.rs"]
mod memory_ode;
#[path = "kernels/pool.rs"]
mod pool;
#[path = "kernels/state_vector.rs"]
mod state_vector;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Held by every test while it runs.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}
