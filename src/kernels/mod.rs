//! Loops without derivatives, on contiguous row-major slices: SIMD elementwise functions, reductions, permutations, GEMM.
#![allow(unsafe_code)]
pub mod blocks;
pub mod broadcast;
pub mod buffer;
pub mod conv;
pub(crate) mod coulomb;
pub mod elementwise;
pub mod gemm;
pub mod inner;
pub(crate) mod pair_field;
pub mod parallel;
pub mod perceptron;
pub mod permute;
pub mod pool;
pub mod pullback;
pub(crate) mod radial;
pub mod reduce;
mod row;
pub mod simd;
pub mod sparse;
pub mod special;
pub mod state_vector;
pub mod strided;
pub mod thin;
pub mod views;
