//! Loops without derivatives, on contiguous row-major slices: SIMD elementwise functions, reductions, permutations, GEMM.
#![allow(unsafe_code)]
pub mod broadcast;
pub mod buffer;
pub mod elementwise;
pub mod permute;
pub mod reduce;
pub mod strided;
#[cfg(test)]
pub mod testing;
pub mod views;
