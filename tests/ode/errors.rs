//! Bad input gets an error that says what is wrong and what would be right.

use pullback::ode::{Adjoint, Method, OdeOptions, Stepping, odeint, odeint_fused};
use pullback::prelude::*;

fn decay(_: &Var<f64>, y: &Var<f64>, k: &Var<f64>) -> Var<f64> {
    -(k * y)
}

fn solve(times: &[f64], options: &OdeOptions) -> Result<Var<f64>> {
    Ok(odeint(decay, &Var::from([1.0, 2.0]), &Var::from(times), &Var::scalar(1.0), options)?.y)
}

#[track_caller]
fn says<T>(result: Result<T>, words: &[&str]) {
    let message = result.err().expect("an error").to_string();
    for word in words {
        assert!(message.contains(word), "`{word}` is not in: {message}");
    }
}

#[test]
fn times_are_strictly_monotone_and_finite() {
    let o = OdeOptions::default();
    says(solve(&[0.0, 1.0, 0.5], &o), &["increase or decrease", "times 1 and 2"]);
    says(solve(&[0.0, 0.0], &o), &["increase or decrease"]);
    says(solve(&[], &o), &["no times"]);
    says(solve(&[0.0, f64::NAN], &o), &["time 1 is NaN"]);
    assert_eq!(solve(&[0.0], &o).unwrap().shape(), &[1, 2]);
    let matrix = Var::from(ndarray::array![[0.0, 1.0]]);
    says(odeint(decay, &Var::from([1.0]), &matrix, &Var::scalar(1.0), &o), &["one axis", "[1, 2]"]);
}

#[test]
fn options_out_of_range() {
    let with = |stepping, method, adjoint| solve(&[0.0, 1.0], &OdeOptions { method, stepping, adjoint });
    let (tsit, discrete) = (Method::Tsit5, Adjoint::default());
    says(with(Stepping::adaptive(-1e-3, 1e-3), tsit, discrete), &["tolerances", "-0.001"]);
    says(with(Stepping::adaptive(0.0, 0.0), tsit, discrete), &["not both zero"]);
    says(with(Stepping::adaptive(1e-17, 0.0), tsit, discrete), &["rtol"]);
    says(with(Stepping::Fixed { step: 0.0 }, tsit, discrete), &["step must be positive"]);
    says(with(Stepping::Fixed { step: -0.1 }, tsit, discrete), &["step must be positive"]);
    says(with(Stepping::default(), Method::Leapfrog, discrete), &["Leapfrog", "Stepping::Fixed"]);
    says(with(Stepping::default(), Method::Rk4, discrete), &["no error estimate"]);
    says(with(Stepping::default(), tsit, Adjoint::Discrete { checkpoints: Some(0) }), &["checkpoints = 0"]);
    says(with(Stepping::default(), tsit, Adjoint::Reversible { coupling: 0.0 }), &["coupling"]);
    says(with(Stepping::default(), Method::Esdirk4, Adjoint::reversible()), &["cannot be undone"]);
    says(with(Stepping::Fixed { step: 0.1 }, Method::Leapfrog, Adjoint::Interpolated), &["not separable"]);
    let none = Stepping::Adaptive { rtol: 1e-6, atol: 1e-6, first_step: None, max_steps: 0 };
    says(with(none, tsit, discrete), &["max_steps = 0"]);
}

#[test]
fn a_field_of_the_wrong_shape_or_with_a_nan_is_named() {
    let times = Var::from([0.0, 2.0]);
    let wrong = |_: &Var<f64>, y: &Var<f64>, _: &()| y.sum();
    says(odeint(wrong, &Var::from([1.0, 2.0]), &times, &(), &OdeOptions::default()), &["shapes [[]]", "[[2]]"]);
    // √(1 − t) ends at t = 1
    let nan = |t: &Var<f64>, y: &(Var<f64>, Var<f64>), _: &()| (y.0.clone() * 0.0, (1.0 - t).sqrt() + &y.1 * 0.0);
    let start = (Var::scalar(0.0), Var::from([0.0, 0.0]));
    let adaptive = OdeOptions::default();
    for options in
        [adaptive, OdeOptions { stepping: Stepping::Fixed { step: 0.15 }, ..adaptive }, OdeOptions { method: Method::Esdirk4, ..adaptive }]
    {
        says(odeint(nan, &start, &times, &(), &options), &["NaN at t = 1", "component [0] of array 1"]);
    }
    let start_nan = odeint(nan, &(Var::scalar(f64::NAN), start.1.clone()), &times, &(), &adaptive);
    says(start_nan, &["initial state is NaN", "of array 0"]);
}

#[test]
fn a_singularity_ends_in_an_underflow_that_names_its_place() {
    // ẏ = y² from 1 is infinite at t = 1
    let square = |_: &Var<f64>, y: &Var<f64>, _: &()| y.square();
    let result = odeint(square, &Var::scalar(1.0), &Var::from([0.0, 2.0]), &(), &OdeOptions::default());
    says(result, &["underflow", "t = 1", "stiff", "Esdirk4"]);
}

#[test]
fn captured_variables_are_refused_not_lost() {
    let captured = grad(
        |k: &Var<f64>| {
            let k = k.clone();
            let field = move |_: &Var<f64>, y: &Var<f64>, _: &()| -(&k * y);
            Ok::<_, pullback::Error>(odeint(field, &Var::scalar(1.0), &Var::from([0.0, 1.0]), &(), &OdeOptions::default())?.y.sum())
        },
        &1.0,
    );
    says(captured, &["surrounding transform", "parameters"]);
}

#[test]
fn fused_fields_check_their_numbers_and_say_that_they_have_first_derivatives_only() {
    scalar_fn! { fn grow([y], [k]) -> [dy] { [k * y] } }
    let (o, times) = (OdeOptions::default(), Var::from([0.0, 1.0]));
    says(odeint_fused(grow, &Var::from([1.0, 2.0]), &times, &Var::from([1.0]), &o), &["1 components", "[2]"]);
    says(odeint_fused(grow, &Var::from([1.0]), &times, &Var::from([1.0, 2.0]), &o), &["takes 2 numbers"]);
    let start = Var::from([1.0]);
    let loss = |k: &Var<f64>| Ok::<_, pullback::Error>(odeint_fused(grow, &start, &times, k, &o)?.y.sum());
    says(hvp(loss, &Var::from([1.0]), &Var::from([1.0])), &["fused field", "zip_map"]);
    // a batch of systems: leading axes
    let batch = odeint_fused(grow, &Var::from(ndarray::array![[1.0], [2.0]]), &times, &Var::from([0.5]), &o).unwrap().y;
    assert_eq!(batch.shape(), &[2, 2, 1]);
    assert!((batch.as_slice()[3] - 2.0 * 0.5f64.exp()).abs() < 1e-6);
}
