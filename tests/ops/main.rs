//! The array operations, a file per family: values against naive oracles, derivatives by finite differences.
mod indexing;
mod joining;
mod map;
mod reductions;
mod shape;
mod support;
