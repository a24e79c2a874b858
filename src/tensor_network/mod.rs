//! Tensor networks: coarse graining of two-dimensional partition functions.

mod ising;
mod trg;

pub use ising::ising_square;
pub use trg::Trg;
