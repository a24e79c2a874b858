//! The loops under the array functions, from `pullback::kernels`: against loops over indices, exact values, and themselves on other threads.
mod blocks;
mod broadcast;
mod gemm;
mod inner;
mod parallel;
mod permute;
mod reduce;
mod simd;
mod special;
mod strided;
pub mod testing;
mod thin;
mod views;
