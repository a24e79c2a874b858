//! Krylov solvers, eigensolvers and the partial SVD of `linalg::iterative`, against dense decompositions, exact results and differences.

mod errors;
mod general;
mod heisenberg;
mod hermitian;
mod solvers;
mod support;
mod svd;
