//! Iterative linear algebra: operators known by their products alone, linear systems and a few eigenpairs or singular triplets of them, with
//! derivatives that cost one more linear solve, whatever the number of iterations.
//!
//! | problem | operator | function |
//! |---|---|---|
//! | A x = b | Hermitian positive definite | [`cg`] |
//! | | Hermitian | [`minres`] |
//! | | general | [`gmres`], [`bicgstab`] |
//! | A v = λ v, lowest or highest | Hermitian | [`eigsh`], [`invariant_subspace`] |
//! | A r = λ r, l†A = λ l†, dominant | general | [`eigs`] |
//! | A = U diag(s) V†, largest | any | [`svds`] |
//!
//! An operator is a [`LinearOperator`]: [`MatrixFree`] makes one from a closure, [`Dense`] from a matrix.

mod arnoldi;
mod general;
mod hermitian;
pub(crate) mod krylov;
mod lanczos;
pub(crate) mod leaves;
pub(crate) mod operator;
pub(crate) mod solve;
mod svds;
mod vector;

pub use arnoldi::Dominance;
pub use general::{DominantEigenpairs, eigs};
pub use hermitian::{EigenOptions, EigenReport, Eigenpairs, InvariantSubspace, Which, eigsh, invariant_subspace};
pub use krylov::LinearSolver;
pub use operator::{Dense, LinearOperator, MatrixFree};
pub use solve::{DerivativeSolves, Preconditioner, SolveOptions, SolveReport, Solved, bicgstab, cg, gmres, minres};
pub use svds::{PartialSvd, svds};

pub(crate) use vector::norm;
