//! The array operations, a file per family: values against naive oracles, derivatives by finite differences.
mod creation;
mod cumulative;
mod diagonal;
mod gathering;
mod indexing;
mod joining;
mod padding;
mod rearrange;
mod selection;
mod shape;
mod signals;
mod sorting;
mod support;
