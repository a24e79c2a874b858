//! Loops without derivatives, on contiguous row-major slices: SIMD elementwise functions, reductions, permutations, GEMM.
pub mod elementwise;
pub(crate) mod parallel;
pub(crate) mod pullback;
mod simd;
