use pullback::optim::{Lbfgs, LbfgsOptions, LineSearch, State, Stop};
use pullback::prelude::*;
use std::collections::BTreeMap;

/// Rosenbrock's function in n dimensions; the minimum is 0 at (1, …, 1).
fn rosenbrock(x: &Var<f64>) -> Var<f64> {
    let n = x.len() as isize;
    let (a, b) = (x.slice(s![..n - 1]), x.slice(s![1..]));
    ((1.0 - &a).square() + 100.0 * (b - a.square()).square()).sum()
}

fn start() -> ndarray::Array1<f64> {
    ndarray::Array1::from_shape_fn(20, |i| if i % 2 == 0 { -1.2 } else { 1.0 })
}

#[test]
fn lbfgs_finds_rosenbrocks_minimum_in_few_evaluations() {
    let minimum = Lbfgs::default().minimize(rosenbrock, &start()).unwrap();
    assert_eq!(minimum.stop, Stop::Gradient);
    let off = minimum.x.iter().map(|x| (x - 1.0).abs()).fold(0.0, f64::max);
    assert!(off < 1e-7 && minimum.value < 1e-14, "{off} {}", minimum.value);
    // scipy's L-BFGS-B with the same memory takes 140 or so
    assert!(minimum.evaluations < 250, "{} evaluations", minimum.evaluations);
}

#[test]
fn lbfgs_steps_descend_and_exact_quadratics_end_fast() {
    let mut last = f64::INFINITY;
    let mut lengths = 0;
    Lbfgs::default()
        .minimize_with(rosenbrock, &start(), |step, _| {
            assert!(step.value < last, "step {} goes up", step.iteration);
            (last, lengths) = (step.value, lengths + 1);
            true
        })
        .unwrap();
    assert!(lengths > 10);
    // with as much memory as dimensions and a tight line search, a quadratic form takes little more than n iterations
    let scales = Var::from([1.0, 10.0, 100.0, 1000.0]);
    let loss = |x: &Var<f64>| (x.square() * &scales).sum() * 0.5;
    let line_search = LineSearch { curvature: 1e-3, ..Default::default() };
    let minimum = Lbfgs::new(LbfgsOptions { line_search, ..Default::default() }).minimize(loss, &ndarray::Array1::<f64>::ones(4)).unwrap();
    assert!(minimum.stop == Stop::Gradient && minimum.iterations <= 8, "{} iterations", minimum.iterations);
}

#[test]
fn trees_and_complex_numbers_are_minimised_alike() {
    use num_complex::Complex;
    type Args = (BTreeMap<String, Var<f64>>, Var<Complex<f64>>);
    let target = Var::from([Complex::new(1.0, -2.0), Complex::new(0.5, 3.0)]);
    let loss = |(map, z): &Args| {
        (&map["a"] - 3.0).square().sum() + (z - &target).abs_squared().sum() + (&map["b"] * z.abs_squared().sum()).square().sum()
    };
    let x0: Args = (
        [("a".to_string(), Var::from([0.0, 1.0])), ("b".to_string(), Var::scalar(2.0))].into(),
        target.zeros_like() + Complex::new(1.0, 0.0),
    );
    let minimum = Lbfgs::default().minimize(loss, &x0).unwrap();
    assert!(minimum.value < 1e-15 && minimum.x.0["b"].item().abs() < 1e-8);
    let off = minimum.x.1.as_slice().iter().zip(target.as_slice()).map(|(a, b)| (a - b).norm()).fold(0.0, f64::max);
    assert!(off < 1e-7, "{off}");
}

#[test]
fn an_interrupted_run_goes_on_bit_for_bit() {
    let path = std::env::temp_dir().join(format!("pullback-lbfgs-{}.safetensors", std::process::id()));
    let mut whole = Lbfgs::default();
    let mut x = start();
    for _ in 0..30 {
        whole.step(rosenbrock, &mut x).unwrap();
    }
    let mut first = Lbfgs::default();
    let mut y = start();
    for _ in 0..13 {
        first.step(rosenbrock, &mut y).unwrap();
    }
    first.state().save(&path).unwrap();
    let mut second = Lbfgs::default();
    let saved = State::load(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(saved, first.state());
    second.restore(&saved).unwrap();
    for _ in 13..30 {
        second.step(rosenbrock, &mut y).unwrap();
    }
    assert_eq!(x, y);
    assert_eq!(whole.state(), second.state());
}

#[test]
fn bad_input_is_refused() {
    let none = LbfgsOptions { memory: 0, ..Default::default() };
    assert!(Lbfgs::new(none).minimize(rosenbrock, &start()).unwrap_err().to_string().contains("memory"));
    let nan = Lbfgs::default().minimize(|x: &Var<f64>| (x - 2.0).sqrt().sum(), &ndarray::array![1.0]).unwrap_err();
    assert!(nan.to_string().contains("loss is not finite"), "{nan}");
    // a search that leaves the domain comes back into it: the minimum of x − ln x
    let minimum = Lbfgs::default().minimize(|x: &Var<f64>| (x - x.log()).sum(), &ndarray::array![1e-3, 50.0]).unwrap();
    assert!(minimum.x.iter().all(|x| (x - 1.0).abs() < 1e-7));
    let other = State::new("adam");
    assert!(Lbfgs::default().restore(&other).unwrap_err().to_string().contains("`adam`"));
    let missing = State::load("/nonexistent/state").unwrap_err().to_string();
    assert!(missing.contains("cannot read"), "{missing}");
}
