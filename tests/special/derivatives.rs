//! Derivatives of every function against finite differences, and against exact values where differences do not reach.

use super::functions::FUNCTIONS;
use pullback::prelude::*;
use pullback::special::*;
use pullback::{GradCheck, gradcheck_with};
use rand::{RngExt, SeedableRng, rngs::StdRng};

/// Arrays of random shapes that broadcast, inside the domain.
fn arguments(rng: &mut StdRng, domain: &[(f64, f64)]) -> Vec<Var<f64>> {
    let full: Vec<usize> = (0..rng.random_range(0..=2)).map(|_| rng.random_range(1..=3)).collect();
    let shape_of = |rng: &mut StdRng| -> Vec<usize> {
        let start = rng.random_range(0..=full.len());
        full[start..].iter().map(|&n| if rng.random::<bool>() { n } else { 1 }).collect()
    };
    domain
        .iter()
        .map(|&(lo, hi)| {
            let shape = shape_of(rng);
            let data = (0..shape.iter().product()).map(|_| rng.random_range(lo..hi)).collect();
            Var::from_shape_vec(&shape, data).unwrap()
        })
        .collect()
}

#[test]
fn every_function_to_second_order_in_both_modes() {
    let mut failures = Vec::new();
    for (i, f) in FUNCTIONS.iter().enumerate() {
        let mut rng = StdRng::seed_from_u64(i as u64);
        let x = arguments(&mut rng, f.domain);
        // steps that stay inside the domain
        let width = f.domain.iter().map(|(lo, hi)| hi - lo).fold(1.0, f64::min);
        let options = GradCheck { step: Some(1e-3 * width.clamp(0.3, 1.0)), tolerance: Some(3e-7), ..Default::default() };
        if let Err(e) = gradcheck_with(|x: &Vec<Var<f64>>| (f.call)(x), &x, &options) {
            failures.push(format!("{} (seed {i}, at {x:?}): {e}", f.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn third_order_where_the_set_is_closed() {
    let check = |name: &str, x: f64, f: fn(&Var<f64>) -> Var<f64>| {
        let options = GradCheck { order: 3, tolerance: Some(1e-6), ..Default::default() };
        gradcheck_with(f, &x, &options).unwrap_or_else(|e| panic!("{name}: {e}"));
    };
    check("gamma", 1.7, |x| gamma(x));
    check("rgamma", -0.4, |x| rgamma(x));
    check("erfcx", 0.8, |x| erfcx(x));
    check("log_ndtr", -2.0, |x| log_ndtr(x));
    check("j1", 2.0, |x| j1(x));
    check("i0e", 3.0, |x| i0e(x));
    check("kv", 2.0, |x| kv(0.5, x));
    check("gammainc in x", 1.5, |x| gammainc(&Var::scalar(2.5), x));
    check("betainc in x", 0.4, |x| betainc(&Var::scalar(2.5), &Var::scalar(1.5), x));
    check("legendre", 0.3, |x| legendre(6, x));
}

#[test]
fn third_derivative_in_a_shape_parameter_is_refused_by_name() {
    let third = |f: fn(&Var<f64>) -> Var<f64>| {
        let first = move |x: &Var<f64>| grad(f, x);
        let second = move |x: &Var<f64>| grad(first, x);
        assert!(second(&Var::scalar(2.0)).unwrap().item().is_finite());
        grad(second, &2.0).unwrap_err()
    };
    for (name, f) in [
        ("gammainc", (|a| gammainc(a, &Var::scalar(1.5))) as fn(&Var<f64>) -> Var<f64>),
        ("betainc", |a| betainc(a, &Var::scalar(1.5), &Var::scalar(0.3))),
        ("betainc", |b| betainc(&Var::scalar(1.5), b, &Var::scalar(0.3))),
    ] {
        let e = third(f);
        assert!(matches!(&e, pullback::Error::Derivative { operation, .. } if *operation == name), "{e}");
        assert!(e.to_string().contains("third derivative"), "{e}");
    }
}

fn close(name: &str, found: f64, expected: f64, tolerance: f64) {
    assert!(((found - expected) / expected).abs() <= tolerance, "{name}: {found:e}, not {expected:e}");
}

#[test]
fn derivatives_hold_where_the_naive_form_cancels_or_underflows() {
    let d = |f: fn(&Var<f64>) -> Var<f64>, x: f64| grad(f, &x).unwrap();
    // erfcx′ = −(1 − 3/(2x²)·… )/(√π x²): at 1e6 the two terms of 2x erfcx − 2/√π agree to 12 digits
    let x = 1e6f64;
    close("erfcx", d(|x| erfcx(x), x), -(1.0 - 1.5 / (x * x)) / (std::f64::consts::PI.sqrt() * x * x), 1e-14);
    // φ/Φ → −x − 1/x + 2/x³ … in the lower tail
    close("log_ndtr", d(|x| log_ndtr(x), -1e4), 1e4 + 1e-4 - 2e-12, 1e-15);
    // and e^{−x²/2}/√(2π) in the upper one
    close("log_ndtr", d(|x| log_ndtr(x), 30.0), (-450f64).exp() / (2.0 * std::f64::consts::PI).sqrt(), 1e-13);
    // i0e′ = −i0e/(2x) (1 + 1/(4x)·… ): (I₀ − I₁)/I₀ = 1/(2x) + 1/(8x²) + 1/(8x³) + …
    let x = 1e8;
    close("i0e", d(|x| i0e(x).log(), x), -(0.5 / x + 0.125 / (x * x)), 1e-14);
    // logistic tails
    close("expit", d(|x| expit(x), 40.0), (-40f64).exp(), 1e-15);
    // ∂ ln P/∂x = (a/x)(1 + …) where P is 1e-819, as e^{ln p − ln P}: the rounding of exponents of 1900 is left
    close("log_gammainc", d(|x| log_gammainc(&Var::scalar(20.0), x), 1e-40), 20.0 / 1e-40, 1900.0 * f64::EPSILON);
    // ∂ ln Q/∂x → −1 + (a−1)/x where Q is e^{−2000}
    let x = 2000.0;
    close("log_gammaincc", d(|x| log_gammaincc(&Var::scalar(3.0), x), x), -1.0 / (1.0 + 2.0 / x + 2.0 / (x * x)), 1e-12);
    // ∂ ln P/∂a = ln x − ψ(a + 1) there
    let expected = 1e-40f64.ln() - digamma(&Var::scalar(21.0)).item();
    close("log_gammainc in a", d(|a| log_gammainc(a, &Var::scalar(1e-40)), 20.0), expected, 1900.0 * f64::EPSILON);
    // ψ(a) − ψ(a + b) for b ≪ a
    close("betaln", d(|a| betaln(a, &Var::scalar(1.0)), 1e10), -1e-10, 1e-15);
}
