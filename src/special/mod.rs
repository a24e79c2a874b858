//! Special functions of real arrays, with derivatives, under scipy's names and with its conventions.
//!
//! Arguments broadcast. Derivatives are in closed form in terms of the same functions, so they differentiate again to any order, in both
//! modes; only the second derivatives in the parameters of the incomplete gamma and beta functions, which have no closed form, end there.
//! A third one is an [`Error::Derivative`](crate::Error::Derivative) in reverse mode and a panic with the same message in forward mode, whose
//! functions have no way to return it.
//!
//! Values are good to a few units in the last place of `f64`, also in the far tails; `f32` is computed in `f64` and rounded. Above two
//! thousand elements the work is shared among threads, with the same result at any number of them.
//!
//! Poles and edges give the limits that scipy gives: ±∞ where it is one of the two, NaN where the limit depends on the side (Γ at the negative
//! integers) and outside the domain. A derivative at a pole is NaN or infinite, as the function there has none.
//!
//! ```
//! use pullback::prelude::*;
//! use pullback::special;
//!
//! let x = Var::from([0.5, 1.0, 4.0]);
//! let y = special::gammaln(&x);
//! assert!((y.as_slice()[2] - 6f64.ln()).abs() < 1e-15);
//!
//! // the incomplete gamma function, differentiated in its shape
//! let d = grad(|a: &Var<f64>| special::gammainc(a, &Var::scalar(1.0)), &1.0)?;
//! assert!((d + 0.431_729_7).abs() < 1e-6); // ∂P(a, 1)/∂a at a = 1
//! # Ok::<(), pullback::Error>(())
//! ```

mod bessel;
mod derivative;
mod error_function;
mod function;
mod gamma;
mod incomplete;
mod orthogonal;
mod primitive;

pub use bessel::{i0, i0e, i1, i1e, iv, ive, j0, j1, jn, k0, k1, kv, y0, y1, yn};
pub use error_function::{entr, erf, erfc, erfcinv, erfcx, erfinv, expit, log_expit, log_ndtr, logit, ndtr, ndtri, xlog1py, xlogy};
pub use gamma::{beta, betaln, digamma, gamma, gammaln, gammasgn, multigammaln, polygamma, rgamma};
pub use incomplete::{betainc, betaincc, gammainc, gammaincc, log_betainc, log_betaincc, log_gammainc, log_gammaincc};
pub use orthogonal::{eval_hermite, eval_hermite as hermite_poly, eval_legendre, eval_legendre as legendre, sph_harm, sph_harm_y};

pub(crate) use derivative::ln_student_density;
pub(crate) use function::Function;
pub(crate) use primitive::{Draw, call, common};

/// Functions of one array without further parameters.
macro_rules! of_one_array {
    ($($(#[doc = $doc:literal])+ $name:ident = $function:expr;)*) => { $(
        $(#[doc = $doc])+
        pub fn $name<T: crate::scalar::Real>(x: &crate::autodiff::Var<T>) -> crate::autodiff::Var<T> {
            crate::special::call($function, &[x])
        }
    )* };
}

/// Functions of two arrays.
macro_rules! of_two_arrays {
    ($($(#[doc = $doc:literal])+ $name:ident($a:ident, $x:ident) = $function:expr;)*) => { $(
        $(#[doc = $doc])+
        ///
        /// # Panics
        /// If the shapes do not broadcast.
        #[track_caller]
        pub fn $name<T: crate::scalar::Real>($a: &crate::autodiff::Var<T>, $x: &crate::autodiff::Var<T>) -> crate::autodiff::Var<T> {
            crate::special::call($function, &[$a, $x])
        }
    )* };
}
use {of_one_array, of_two_arrays};
