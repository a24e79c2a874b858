//! Hamiltonians against closed forms, the exact Ising model against sums over all states.
mod coulomb;
mod ising;
