//! Legendre and Hermite polynomials, spherical harmonics.

use super::call;
use super::function::Function;
use crate::autodiff::Var;
use crate::ops::complex;
use crate::scalar::Real;

/// The Legendre polynomial P_n(x), for any real x. The derivatives are Gegenbauer polynomials, regular at ±1.
pub fn eval_legendre<T: Real>(n: u32, x: &Var<T>) -> Var<T> {
    call(Function::Legendre(n, 0), &[x])
}

/// The physicists' Hermite polynomial H_n(x) = (−1)ⁿ e^{x²} dⁿe^{−x²}/dxⁿ. The derivative is 2n H_{n−1}.
pub fn eval_hermite<T: Real>(n: u32, x: &Var<T>) -> Var<T> {
    call(Function::Hermite(n), &[x])
}

/// The spherical harmonic Y_n^m(θ, φ) = √((2n+1)/(4π) (n−m)!/(n+m)!) P_n^m(cos θ) e^{imφ} of degree n and order m at the polar angle θ and
/// the azimuth φ, with the Condon–Shortley phase; 0 for |m| > n.
///
/// ∂Y/∂φ = imY, ∂Y/∂θ by the ladder operators, regular at the poles. The name and the order of arguments are those of scipy since 1.15.
///
/// ```
/// use pullback::prelude::*;
/// use pullback::special::sph_harm_y;
/// let (theta, phi) = (Var::scalar(0.3f64), Var::scalar(1.0));
/// let y = sph_harm_y(1, 0, &theta, &phi).item();
/// assert!((y.re - (0.75 / std::f64::consts::PI).sqrt() * 0.3f64.cos()).abs() < 1e-15);
/// ```
///
/// # Panics
/// If the shapes do not broadcast.
#[track_caller]
pub fn sph_harm_y<T: Real>(n: u32, m: i32, theta: &Var<T>, phi: &Var<T>) -> Var<T::Complex>
where
    T::Complex: crate::Scalar<Real = T>,
{
    let (y, angle) = (call(Function::Harmonic(n, m), &[theta]), phi.scale(f64::from(m)));
    complex(&(&y * angle.cos()), &(&y * angle.sin()))
}

/// [`sph_harm_y`] with the name and the order of arguments that scipy had before: order m, degree n, azimuth, polar angle.
///
/// # Panics
/// If the shapes do not broadcast.
#[track_caller]
pub fn sph_harm<T: Real>(m: i32, n: u32, azimuth: &Var<T>, polar: &Var<T>) -> Var<T::Complex>
where
    T::Complex: crate::Scalar<Real = T>,
{
    sph_harm_y(n, m, polar, azimuth)
}
