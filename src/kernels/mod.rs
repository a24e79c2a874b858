//! Loops without derivatives, on contiguous row-major slices: SIMD elementwise functions, reductions, permutations, GEMM.
#![allow(unsafe_code)]

pub mod broadcast;
pub mod buffer;
pub mod gemm;
pub mod permute;
pub mod reduce;
pub mod strided;
#[cfg(test)]
mod testing;
