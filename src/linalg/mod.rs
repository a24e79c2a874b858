//! Dense linear algebra, real and complex, batched over leading axes, with rules in both modes that can be differentiated again.
//!
//! A file per decomposition; its head gives the formulas and what happens at degenerate points. Where a derivative does not exist because
//! a loss depends on a choice that the mathematics leaves open (a phase, the basis of a degenerate space), the result is
//! [`Error::GaugeDependent`](crate::Error::GaugeDependent), not a number. What needs only products with a matrix is in [`iterative`].

#[doc(hidden)]
pub mod backend;
pub mod iterative;

mod banded;
mod determinant;
mod discarded;
mod eig;
mod eigh;
mod factorizations;
mod functions;
mod funm;
mod matrices;
mod norm;
mod power;
mod pseudoinverse;
mod solve;
mod split;
mod svd;
mod truncated;

pub use banded::{solve_banded, tridiagonal_solve};
pub use determinant::{det, slogdet};
pub use eig::{eig, eigvals};
pub use eigh::{EighOptions, eigh, eigh_with, eigvalsh};
pub use factorizations::{cholesky, lu, qr, qr_full};
pub use functions::{expm, logm, polar, sqrtm};
pub use funm::{Spectral, SpectralFunction, density_matrix, funm, projector};
pub use norm::{Norm, norm};
pub use power::matrix_power;
pub use pseudoinverse::{lstsq, pinv};
pub use solve::{Triangular, inv, solve, solve_sylvester, solve_triangular};
pub use split::balanced_split;
pub use svd::{Svd, Truncation, svd, svd_full, svdvals, truncated_svd};
pub use truncated::truncated_eigh;

/// Also here, where scipy and numpy have them.
pub use crate::ops::{block_diag, multi_dot};
