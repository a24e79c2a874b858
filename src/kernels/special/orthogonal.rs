//! Legendre functions, spherical harmonics and Hermite polynomials, by their three-term recurrences in the degree.
//!
//! Formulas: DLMF 14.10 and 18.9. Names and phases are scipy's: the Condon–Shortley phase (−1)^m is part of P_n^m.

use num_complex::Complex;
use std::f64::consts::PI;

/// The Legendre polynomial P_n(x).
pub fn legendre_p(n: u32, x: f64) -> f64 {
    if n == 0 {
        return if x.is_nan() { x } else { 1.0 };
    }
    // in terms of the differences d_k = P_k − P_{k−1}, so that nothing is lost near x = 1: by the parity at negative x
    let sign = if x < 0.0 && n % 2 == 1 { -1.0 } else { 1.0 };
    let u = x.abs() - 1.0;
    let (mut p, mut d) = (1.0 + u, u);
    for k in 1..n {
        let k = k as f64;
        d = ((2.0 * k + 1.0) * u * p + k * d) / (k + 1.0);
        p += d;
    }
    sign * p
}

/// The associated Legendre function P_n^m(x) = (−1)^m (1−x²)^{m/2} d^m P_n/dx^m on [−1, 1], zero for |m| > n,
/// P_n^{−m} = (−1)^m (n−m)!/(n+m)! P_n^m. NaN for |x| > 1.
pub fn assoc_legendre_p(n: u32, m: i32, x: f64) -> f64 {
    if x.is_nan() || x.abs() > 1.0 {
        return f64::NAN;
    }
    let order = m.unsigned_abs();
    if order > n {
        return 0.0;
    }
    // (1−x)(1+x) keeps the accuracy of the sine near the poles
    let s = ((1.0 - x) * (1.0 + x)).sqrt();
    // P_m^m = (−1)^m (2m−1)!! s^m; for negative m the factor 1/(2m)! turns (2m−1)!! into 1/(2^m m!), and the phase drops
    let diagonal: f64 = if m >= 0 {
        (1..=order).map(|k| -(2.0 * k as f64 - 1.0) * s).product()
    } else {
        (1..=order).map(|k| s / (2.0 * k as f64)).product()
    };
    // (k−m+1) P_{k+1} = (2k+1) x P_k − (k+m) P_{k−1} with the signed m
    let signed = m as f64;
    let (mut below, mut p) = (0.0, diagonal);
    for k in order..n {
        let k = k as f64;
        (below, p) = (p, ((2.0 * k + 1.0) * x * p - (k + signed) * below) / (k - signed + 1.0));
    }
    p
}

/// The spherical harmonic Y_n^m(θ, φ) = √((2n+1)/(4π) (n−m)!/(n+m)!) P_n^m(cos θ) e^{imφ}, with the polar angle θ and the azimuth φ
/// (scipy's `sph_harm_y`; its older `sph_harm(m, n, φ, θ)` took the arguments the other way round). Zero for |m| > n.
pub fn sph_harm_y(n: u32, m: i32, theta: f64, phi: f64) -> Complex<f64> {
    let order = m.unsigned_abs();
    if order > n {
        return Complex::new(0.0, 0.0);
    }
    let (s, x) = theta.sin_cos();
    // the recurrence of the normalised functions neither over- nor underflows before the result does
    let mut p = (0.25 / PI).sqrt();
    for k in 1..=order {
        p *= -s * ((2.0 * k as f64 + 1.0) / (2.0 * k as f64)).sqrt();
    }
    let square = (order as f64) * (order as f64);
    let factor = |k: f64| ((4.0 * k * k - 1.0) / (k * k - square)).sqrt();
    let mut below = 0.0;
    let mut previous = f64::INFINITY;
    for k in order + 1..=n {
        let f = factor(k as f64);
        (below, p) = (p, f * (x * p - below / previous));
        previous = f;
    }
    if m < 0 && order % 2 == 1 {
        p = -p;
    }
    let (sine, cosine) = (m as f64 * phi).sin_cos();
    Complex::new(p * cosine, p * sine)
}

/// The physicists' Hermite polynomial H_n(x) = (−1)ⁿ e^{x²} dⁿ e^{−x²}/dxⁿ: H_{k+1} = 2x H_k − 2k H_{k−1}.
pub fn eval_hermite(n: u32, x: f64) -> f64 {
    let (mut below, mut h) = (0.0, if x.is_nan() { x } else { 1.0 });
    for k in 0..n {
        (below, h) = (h, 2.0 * (x * h - k as f64 * below));
    }
    h
}

/// dᵏP_n(x)/dxᵏ = (2k−1)!! C_{n−k}^{(k+½)}(x) with Gegenbauer's polynomials (DLMF 18.9.19 and 18.9.1).
pub fn legendre_p_derivative(n: u32, k: u32, x: f64) -> f64 {
    if k == 0 {
        return legendre_p(n, x);
    }
    if k > n {
        return if x.is_nan() { x } else { 0.0 };
    }
    let lambda = k as f64 + 0.5;
    let start: f64 = (1..=k).map(|j| 2.0 * j as f64 - 1.0).product();
    let (mut below, mut c) = (0.0, if x.is_nan() { x } else { start });
    for m in 0..n - k {
        let m = m as f64;
        (below, c) = (c, (2.0 * (m + lambda) * x * c - (m + 2.0 * lambda - 1.0) * below) / (m + 1.0));
    }
    c
}
