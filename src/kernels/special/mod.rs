//! Special functions of `f64`, under scipy's names and with its conventions at poles and edges; `f32` goes through `f64`.
//!
//! Without derivatives: the rules stand with the differentiable array versions. The derivatives in a parameter that have no closed form are
//! here: [`gammainc_da`], [`betainc_da`], [`betainc_db`], and to second order relative to the density.
//!
//! Relative errors against values of 60 digits (`tests.rs` holds the bounds): half a unit in the last place for Γ, ln|Γ|, ψ, the error
//! functions and the Bessel functions of order 0 and 1; a few units for the others, the incomplete functions' far tails included.
//! Where scipy returns NaN and the limit exists (J, Y, I at infinity), the limit is returned.

mod bessel;
mod betainc;
mod circular;
mod dd;
mod dual;
mod erf;
mod gamma;
mod gammainc;
mod orthogonal;
// sin_pi and some others serve single rules
#[allow(unused_imports)]
mod exports {
    pub use super::bessel::{i0, i0e, i0e_minus_i1e, i1, i1e, iv, ive, j0, j1, jn, k0, k1, kv, y0, y1, yn};
    pub use super::betainc::{
        beta_density, betainc, betainc_da, betainc_db, betainc_relative, betaincc, ln_beta_density, ln_betainc, ln_betaincc,
        ln_student_t_sf, student_t_relative, student_t_sf,
    };
    pub use super::circular::{poisson_mean_ln_factorial, von_mises_integral};
    pub use super::erf::{entr, erf, erfc, erfcinv, erfcx, erfcx_integral, erfinv, expit, log_ndtr, logit, ndtr, ndtri, xlog1py, xlogy};
    pub use super::gamma::{
        beta, betaln, digamma, digamma_increase, gamma, gammaln, gammasgn, multigammaln, polygamma, rgamma, sin_pi, zeta,
    };
    pub use super::gammainc::{
        gamma_density, gammainc, gammainc_da, gammainc_da_relative, gammainc_daa_relative, gammaincc, ln_gamma_density, ln_gammainc,
        ln_gammaincc,
    };
    pub use super::orthogonal::{assoc_legendre_p, eval_hermite, legendre_p, legendre_p_derivative, sph_harm_y};
}
#[allow(unused_imports)]
pub use exports::*;
