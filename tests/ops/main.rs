//! The array operations, a file per family: values against naive oracles, derivatives by finite differences.
mod einsum;
mod fft;
mod products;
mod support;
