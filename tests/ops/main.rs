//! The array operations, a file per family: values against naive oracles, derivatives by finite differences.
mod indexing;
mod joining;
mod shape;
mod support;
mod map;
mod reductions;
