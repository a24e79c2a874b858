//! The array operations, a file per family: values against naive oracles, derivatives by finite differences.
mod einsum;
mod fft;
mod indexing;
mod joining;
mod map;
mod products;
mod reductions;
mod shape;
mod support;
