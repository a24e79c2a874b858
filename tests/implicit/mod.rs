//! Fixed points, roots and minima as functions of their parameters: against unrolled iterations, closed forms and differences.

mod agreement;
mod errors;
mod methods;
mod orders;
