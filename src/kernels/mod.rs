//! Loops without derivatives, on contiguous row-major slices: SIMD elementwise functions, reductions, permutations, GEMM.

pub mod special;
