//! Reports against closed forms: a normal density as the model of another one.
use super::{Bell, rng};
use pullback::nn::Params;
use pullback::prelude::*;
use pullback::random;
use pullback::variational::{Estimate, autocorrelation_time, bounds, free_energy, metropolize, target};
use std::f64::consts::TAU;

/// q of width s; the target is x²/2 at β = 1: F = −ln √(2π).
fn model(s: f64) -> (Params<f64>, Bell) {
    let mut params = Params::new();
    let model = Bell::new(&mut params, &[0.0], &[s.ln()]);
    (params, model)
}

fn energy(x: &Var<f64>) -> pullback::Result<Var<f64>> {
    Ok(0.5 * x.square().sum_axis(1))
}

fn exact() -> f64 {
    -0.5 * TAU.ln()
}

#[track_caller]
fn agrees(what: &str, found: Estimate, exact: f64) {
    let pull = (found.mean - exact) / found.error;
    assert!(pull.abs() < 4.0, "{what}: {found} for {exact}, {pull:.1} standard deviations off");
}

#[test]
fn report_agrees_with_closed_forms() {
    let s: f64 = 1.3;
    let ((params, model), well) = (model(s), target(1, energy));
    let n = 100_000;
    let report = free_energy(&model, &params, &well, 1.0, n, 1).unwrap();
    let divergence = 0.5 * (s * s - 1.0) - s.ln();
    agrees("F_q", report.free_energy, exact() + divergence);
    agrees("F", report.free_energy_importance_sampled, exact());
    agrees("E", report.mean_energy, 0.5 * s * s);
    agrees("reweighted E", report.mean_energy_importance_sampled, 0.5);
    agrees("S", report.entropy, 0.5 * (TAU * s * s).ln() + 0.5);
    let effective = (2.0 * s * s - 1.0).sqrt() / (s * s);
    assert!((report.effective_sample_size - effective).abs() < 0.01, "{} for {effective}", report.effective_sample_size);
    let variance = 0.5 * (s * s - 1.0f64).powi(2);
    assert!((report.variance / variance - 1.0).abs() < 0.05, "{} for {variance}", report.variance);
    assert!((report.free_energy.error - (variance / n as f64).sqrt()).abs() < 0.05 * report.free_energy.error);
    // F at another β: E is scaled
    let cold = free_energy(&model, &params, &well, 4.0, n, 1).unwrap();
    agrees("F at β = 4", cold.free_energy_importance_sampled, -(TAU / 4.0).ln() / 8.0);
}

#[test]
fn errors_are_standard_deviations() {
    let ((params, model), well) = (model(1.2), target(1, energy));
    let exact_bound = exact() + 0.5 * (1.2 * 1.2 - 1.0) - 1.2f64.ln();
    let mut squares = [0.0; 3];
    let runs = 200;
    for seed in 0..runs {
        let r = free_energy(&model, &params, &well, 1.0, 500, seed).unwrap();
        let pulls = [(r.free_energy, exact_bound), (r.free_energy_importance_sampled, exact()), (r.mean_energy_importance_sampled, 0.5)];
        squares.iter_mut().zip(pulls).for_each(|(s, (e, x))| *s += ((e.mean - x) / e.error).powi(2) / runs as f64);
    }
    // χ²/200 has a standard deviation of 0.1
    assert!(squares.iter().all(|s| (0.6..1.4).contains(s)), "{squares:?}");
}

#[test]
fn a_model_that_is_the_target_leaves_no_variance() {
    let ((params, model), well) = (model(1.0), target(1, energy));
    let r = free_energy(&model, &params, &well, 1.0, 100, 1).unwrap();
    assert!(r.variance < 1e-28 && (r.effective_sample_size - 1.0).abs() < 1e-14, "{r:?}");
    assert!((r.free_energy.mean - exact()).abs() < 1e-14 && (r.free_energy_importance_sampled.mean - exact()).abs() < 1e-14);
    let chain = metropolize(&model, &params, &well, 1.0, 500, 2).unwrap();
    assert!(chain.acceptance > 0.99, "{}", chain.acceptance);
}

#[test]
fn bounds_are_the_two_divergences_away() {
    let s: f64 = 0.8;
    let ((params, model), well) = (model(s), target(1, energy));
    let samples: Var<f64> = random::normal(&mut rng(4), &[50_000, 1]);
    let b = bounds(&model, &params, &well, 1.0, &samples, 50_000, 5).unwrap();
    agrees("upper", b.upper, exact() + 0.5 * (s * s - 1.0) - s.ln());
    agrees("lower", b.lower, exact() - (0.5 * (1.0 / (s * s) - 1.0) + s.ln()));
    assert!(b.lower.mean < exact() && exact() < b.upper.mean);
}

#[test]
fn independence_sampler_has_the_targets_distribution_and_its_acceptance() {
    let s: f64 = 1.6;
    let ((params, model), well) = (model(s), target(1, energy));
    let n = 40_000;
    let chain = metropolize(&model, &params, &well, 1.0, n, 7).unwrap();
    agrees("⟨E⟩", chain.mean_energy, 0.5);
    let fourth: Vec<f64> = chain.samples.as_slice().iter().map(|x| x.powi(4)).collect();
    agrees("⟨x⁴⟩", Estimate::of_chain(&fourth), 3.0);
    let stored = energy(&chain.samples).unwrap();
    assert_eq!(stored.as_slice(), &chain.energies[..]);

    // ∬ p(x) q(y) min(1, w(y)/w(x)) by the trapezoidal rule, w = p/q
    let (h, m) = (0.05, 200);
    let normal = |x: f64, s: f64| (-0.5 * (x / s).powi(2)).exp() / (TAU.sqrt() * s);
    let ln_w = |x: f64| -0.5 * x * x * (1.0 - 1.0 / (s * s));
    let grid = || (-m..=m).map(|i| f64::from(i) * h);
    let exact: f64 =
        grid().map(|x| grid().map(|y| normal(x, 1.0) * normal(y, s) * (ln_w(y) - ln_w(x)).exp().min(1.0)).sum::<f64>()).sum::<f64>()
            * h
            * h;
    // acceptances are correlated over about τ steps
    let error = (2.0 * chain.autocorrelation_time * exact * (1.0 - exact) / n as f64).sqrt();
    assert!((chain.acceptance - exact).abs() < 4.0 * error, "{} for {exact}", chain.acceptance);
    assert!(chain.autocorrelation_time > 0.6 && chain.longest_stay > 2);
}

#[test]
fn bad_input_is_named() {
    let ((params, model), well) = (model(1.0), target(1, energy));
    let pole = target(1, |x: &Var<f64>| Ok(x.log().sum_axis(1)));
    let fails = |r: pullback::Result<pullback::variational::FreeEnergyReport>, part: &str| {
        let e = r.unwrap_err().to_string();
        assert!(e.contains(part), "{e}");
    };
    fails(free_energy(&model, &params, &pole, 1.0, 100, 1), "the energy of sample");
    fails(free_energy(&model, &params, &well, 0.0, 100, 1), "β must be positive");
    fails(free_energy(&model, &params, &well, 1.0, 0, 1), "0 samples");
    let plane = target(2, energy);
    fails(free_energy(&model, &params, &plane, 1.0, 10, 1), "a density on 1 columns, the target an energy of 2");
    let rows = Var::from(ndarray::array![[0.0], [f64::NAN]]);
    let e = bounds(&model, &params, &well, 1.0, &rows, 10, 1).unwrap_err().to_string();
    assert!(e.contains("row 1 of the data is NaN"), "{e}");
    assert!(metropolize(&model, &params, &well, f64::NAN, 10, 1).unwrap_err().to_string().contains("β must be positive"));
}

#[test]
fn autocorrelation_time_of_an_autoregressive_series() {
    for a in [0.0, 0.5, 0.9] {
        let noise: Var<f64> = random::normal(&mut rng(3), &[100_000]);
        let mut x = 0.0;
        let series: Vec<f64> = noise.as_slice().iter().map(|e| (x = a * x + e, x).1).collect();
        let (found, exact) = (autocorrelation_time(&series), 0.5 * (1.0 + a) / (1.0 - a));
        assert!((found / exact - 1.0).abs() < 0.1, "{found} for {exact}");
        // Var(mean) n/σ² = 2τ
        let error = Estimate::of_chain(&series).error;
        let expected = (1.0 / (1.0 - a).powi(2) / 100_000.0).sqrt();
        assert!((error / expected - 1.0).abs() < 0.1, "{error} for {expected}");
    }
    assert_eq!(autocorrelation_time(&[1.0; 10]), 0.5);
    assert_eq!(autocorrelation_time(&[]), 0.5);
}

#[test]
fn estimates_are_written_with_their_error_in_brackets() {
    let write = |mean, error| Estimate { mean, error }.to_string();
    assert_eq!(write(157.568, 0.0104), "157.568(10)");
    assert_eq!(write(157.568, 0.032), "157.57(3)");
    assert_eq!(write(-2.25, 0.0996), "-2.25(10)");
    assert_eq!(write(162.7686, 0.0037), "162.769(4)");
    assert_eq!(write(1234.0, 30.0), "1230(30)");
    assert_eq!(write(1.0, 0.0), "1 ± 0");
    assert_eq!(Estimate::independent(&[1.0]).error, f64::INFINITY);
}
