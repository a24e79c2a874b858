//! Dense linear algebra: values against their definitions, derivatives against finite differences, degenerate points.

mod degenerate;
mod derivatives;
mod errors;
mod functions;
mod iterative;
mod random;
mod truncated_eigh;
mod truncated_svd;
