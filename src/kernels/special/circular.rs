//! Integrals of the von Mises distribution and sums of the Poisson distribution that have no closed form.

use super::gammainc::gamma_density;

/// Nodes and weights of the Gauss–Legendre rule of 16 points on [−1, 1], the positive half.
const GAUSS: [(f64, f64); 8] = [
    (0.095_012_509_837_637_44, 0.189_450_610_455_068_5),
    (0.281_603_550_779_258_9, 0.182_603_415_044_923_59),
    (0.458_016_777_657_227_39, 0.169_156_519_395_002_54),
    (0.617_876_244_402_643_75, 0.149_595_988_816_576_73),
    (0.755_404_408_355_003_03, 0.124_628_971_255_533_87),
    (0.865_631_202_387_831_74, 0.095_158_511_682_492_79),
    (0.944_575_023_073_232_58, 0.062_253_523_938_647_89),
    (0.989_400_934_991_649_93, 0.027_152_459_411_754_095),
];

/// N_k(κ, θ) = ∫_θ^π (cos t − 1)^k e^{κ(cos t − cos θ)} dt for κ ≥ 0 and 0 ≤ θ ≤ π; NaN elsewhere.
///
/// ∂N_k/∂κ = N_{k+1} − (cos θ − 1) N_k and ∂N_k/∂θ = κ sin θ N_k − (cos θ − 1)^k. By Gauss–Legendre panels whose width follows the decay of the
/// integrand, up to where it is below e^{−45}.
pub fn von_mises_integral(k: u32, kappa: f64, theta: f64) -> f64 {
    use std::f64::consts::PI;
    if !(kappa >= 0.0 && (0.0..=PI).contains(&theta)) || kappa.is_infinite() {
        return f64::NAN;
    }
    // with t = θ + h: cos t − 1 = −2 sin²(t/2) and cos t − cos θ = −2 sin(h/2) sin(θ + h/2)
    let exponent = |h: f64| -2.0 * kappa * (0.5 * h).sin() * (theta + 0.5 * h).sin();
    let integrand = |h: f64| {
        let sine = (0.5 * (theta + h)).sin();
        (-2.0 * sine * sine).powi(k as i32) * exponent(h).exp()
    };
    let end = PI - theta;
    let (mut from, mut sum) = (0.0, 0.0);
    while from < end && exponent(from) > -45.0 {
        // over a step s the exponent falls by about κ (s sin t + s²/2): steps of four, and no more than an eighth of the circle
        let slope = kappa * (theta + from).sin().max(0.0);
        let to = end.min(from + (8.0 / (slope + (slope * slope + 8.0 * kappa).sqrt())).min(0.25 * PI));
        let (middle, half) = (0.5 * (from + to), 0.5 * (to - from));
        sum += half * GAUSS.iter().map(|&(x, w)| w * (integrand(middle - half * x) + integrand(middle + half * x))).sum::<f64>();
        from = to;
    }
    sum
}

/// Δⁿ ln Γ(k + 1), the n-th forward difference in k.
fn ln_factorial_difference(n: u32, k: f64) -> f64 {
    match n {
        0 => super::gamma::gammaln(k + 1.0),
        1 => (k + 1.0).ln(),
        2 => (1.0 / (k + 1.0)).ln_1p(),
        3 => (-1.0 / ((k + 2.0) * (k + 2.0))).ln_1p(),
        _ => ln_factorial_difference(n - 1, k + 1.0) - ln_factorial_difference(n - 1, k),
    }
}

/// E Δⁿ ln Γ(K + 1) over the Poisson distribution of mean μ ≥ 0, by summation over the terms that count.
///
/// The derivative in μ of E f(K) is E Δf(K), so this is the n-th derivative of E ln K!.
pub fn poisson_mean_ln_factorial(n: u32, mu: f64) -> f64 {
    if !(mu >= 0.0) || mu.is_infinite() {
        return f64::NAN;
    }
    if mu == 0.0 {
        return ln_factorial_difference(n, 0.0);
    }
    let mode = mu.floor();
    let peak = gamma_density(mode + 1.0, mu);
    let mut sum = peak * ln_factorial_difference(n, mode);
    let (mut k, mut p) = (mode, peak);
    while k > 0.0 && p > 1e-20 * peak {
        p *= k / mu;
        k -= 1.0;
        sum += p * ln_factorial_difference(n, k);
    }
    (k, p) = (mode, peak);
    while p > 1e-20 * peak {
        k += 1.0;
        p *= mu / k;
        sum += p * ln_factorial_difference(n, k);
    }
    sum
}
