//! Counter-based inputs, so that a program in another language makes the same ones:
//! u(seed, k) = ((mix(seed + (k + 1) · 0x9E3779B97F4A7C15) >> 12) + ½) 2⁻⁵² with splitmix64's mix, in row-major order.
#![allow(dead_code)] // each bench takes what it needs

use pullback::{Real, Scalar, Var};
use std::f64::consts::TAU;

/// The k-th number of a seed, in (0, 1).
pub fn unit(seed: u64, k: u64) -> f64 {
    let mut z = seed.wrapping_add((k + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    ((z >> 12) as f64 + 0.5) / (1u64 << 52) as f64
}

fn array<T: Scalar>(shape: &[usize], number: impl FnMut(u64) -> T) -> Var<T> {
    let len = shape.iter().product::<usize>() as u64;
    Var::from_shape_vec(shape, (0..len).map(number).collect()).expect("as many elements")
}

/// scale · (2u − 1); complex numbers take the imaginary part from seed + 1.
pub fn uniform<T: Scalar>(seed: u64, shape: &[usize], scale: f64) -> Var<T> {
    let part = |seed, k| T::Real::from_f64(scale * (2.0 * unit(seed, k) - 1.0));
    array(shape, |k| T::from_parts(part(seed, k), part(seed + 1, k)))
}

/// √(−2 ln u_2k) cos 2πu_{2k+1} (Box and Muller).
pub fn normal(seed: u64, shape: &[usize]) -> Var<f64> {
    array(shape, |k| (-2.0 * unit(seed, 2 * k).ln()).sqrt() * (TAU * unit(seed, 2 * k + 1)).cos())
}
