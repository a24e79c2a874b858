//! Hamiltonians and exact solutions that examples, benches and tests share.

pub mod coulomb;
pub mod ising;
pub mod toy;
