//! Special functions of `f64`, under scipy's names and with its conventions at poles and edges; `f32` goes through `f64`.
//!
//! Without derivatives: the rules stand with the differentiable array versions. The derivatives in a parameter that have no closed form are
//! here ([`gammainc_da`], [`betainc_da`], [`betainc_db`]).
//!
//! Relative errors against values of 60 digits (`tests.rs` holds the bounds): half a unit in the last place for Γ, ln|Γ|, ψ, the error
//! functions and the Bessel functions of order 0 and 1; a few units for the others, the incomplete functions' far tails included.
//! Where scipy returns NaN and the limit exists (J, Y, I at infinity), the limit is returned.

mod bessel;
mod betainc;
mod dd;
mod dual;
mod erf;
mod gamma;
mod gammainc;
mod orthogonal;
#[cfg(test)]
mod tests;

// some wait for their array versions
#[allow(unused_imports)]
mod exports {
    pub use super::bessel::{i0, i0e, i1, i1e, iv, ive, j0, j1, jn, k0, k1, kv, y0, y1, yn};
    pub use super::betainc::{betainc, betainc_da, betainc_db};
    pub use super::erf::{entr, erf, erfc, erfcinv, erfcx, erfinv, expit, log_ndtr, logit, ndtr, ndtri, xlog1py, xlogy};
    pub use super::gamma::{beta, betaln, digamma, gamma, gammaln, gammasgn, multigammaln, polygamma, rgamma, zeta};
    pub use super::gammainc::{gammainc, gammainc_da, gammaincc};
    pub use super::orthogonal::{assoc_legendre_p, eval_hermite, legendre_p, sph_harm_y};
}
#[allow(unused_imports)]
pub use exports::*;
