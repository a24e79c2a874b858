//! Distributions: values against mpmath, consistency, derivatives, draws.
mod derivatives;
mod draws;
mod errors;
mod families;
mod multivariate;
mod values;
