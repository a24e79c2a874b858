//! Array operations: values against independent oracles, derivatives of both modes and to second order against finite differences.
mod map;
mod reductions;
