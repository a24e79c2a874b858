use pullback::optim::{Adam, Clip, Optimizer, RmsProp, Schedule, Sgd, State, clip_by_norm, global_norm};
use pullback::prelude::*;

/// A valley with its minimum at (1, −2).
fn loss(x: &Var<f64>) -> Var<f64> {
    let d = x - Var::from([1.0, -2.0]);
    (d.square() * Var::from([1.0, 5.0])).sum()
}

fn run(optimizer: &mut impl Optimizer, x: &mut ndarray::Array1<f64>, steps: usize) {
    for _ in 0..steps {
        let g = grad(loss, x).unwrap();
        optimizer.step(x, &g).unwrap();
    }
}

fn distance(x: &ndarray::Array1<f64>) -> f64 {
    (x[0] - 1.0).hypot(x[1] + 2.0)
}

#[test]
fn every_method_reaches_the_minimum() {
    let zero = || ndarray::array![0.0, 0.0];
    let decay = Schedule::Exponential { initial: 0.1, factor: 0.5, steps: 100 };
    let mut x = zero();
    run(&mut Sgd::new(0.05).momentum(0.8), &mut x, 300);
    assert!(distance(&x) < 1e-10, "momentum: {x}");
    let mut x = zero();
    run(&mut Sgd::new(0.05).nesterov(0.8), &mut x, 300);
    assert!(distance(&x) < 1e-10, "Nesterov: {x}");
    let mut x = zero();
    run(&mut Adam::new(decay.clone()), &mut x, 1500);
    assert!(distance(&x) < 1e-5, "Adam: {x}");
    let mut x = zero();
    run(&mut RmsProp::new(decay), &mut x, 1500);
    assert!(distance(&x) < 1e-5, "RMSProp: {x}");
}

#[test]
fn the_first_steps_are_those_of_the_papers() {
    let g = ndarray::array![0.5, -4.0];
    // Adam's first step has length η in every component, whatever the gradient
    let mut x = ndarray::array![1.0, 1.0];
    Adam::new(0.1).step(&mut x, &g).unwrap();
    assert!((x[0] - 0.9).abs() < 1e-8 && (x[1] - 1.1).abs() < 1e-8, "{x}");
    // AdamW besides shrinks by ηλ
    let mut x = ndarray::array![1.0, 1.0];
    Adam::adamw(0.1, 0.5).step(&mut x, &g).unwrap();
    assert!((x[0] - 0.85).abs() < 1e-8 && (x[1] - 1.05).abs() < 1e-8, "{x}");
    // RMSProp's first step: η/√(1 − ρ)
    let mut x = ndarray::array![1.0, 1.0];
    RmsProp::new(0.1).step(&mut x, &g).unwrap();
    assert!((x[0] - 0.0).abs() < 1e-6 && (x[1] - 2.0).abs() < 1e-6, "{x}");
    // two steps with momentum: v₂ = μ g + g
    let mut x = ndarray::array![0.0, 0.0];
    let mut sgd = Sgd::new(0.1).momentum(0.9);
    sgd.step(&mut x, &g).unwrap();
    sgd.step(&mut x, &g).unwrap();
    assert!((x[0] + 0.05 * 2.9).abs() < 1e-15, "{x}");
}

#[test]
fn runs_resume_bit_for_bit_from_a_file() {
    fn check<O: Optimizer>(make: impl Fn() -> O) {
        let name = make().name();
        let path = std::env::temp_dir().join(format!("pullback-{name}-{}.safetensors", std::process::id()));
        let (mut whole, mut x) = (make(), ndarray::array![0.3, 0.1]);
        run(&mut whole, &mut x, 40);
        let (mut first, mut y) = (make(), ndarray::array![0.3, 0.1]);
        run(&mut first, &mut y, 17);
        first.state().save(&path).unwrap();
        let mut second = make();
        second.restore(&State::load(&path).unwrap()).unwrap();
        std::fs::remove_file(&path).unwrap();
        run(&mut second, &mut y, 23);
        assert_eq!(x, y, "{name}");
        assert_eq!(whole.state(), second.state(), "{name}");
    }
    let schedule = || Schedule::Cosine { initial: 0.05, last: 1e-3, steps: 35 }.warmup(5);
    check(|| Sgd::new(schedule()).momentum(0.9));
    check(|| Adam::new(schedule()));
    check(|| Adam::adamw(schedule(), 0.01));
    check(|| RmsProp::new(schedule()).momentum(0.5));
}

#[test]
fn gradients_are_clipped() {
    let g = (ndarray::array![3.0, 0.0], 4.0);
    assert_eq!(global_norm(&g), 5.0);
    let clipped = clip_by_norm(&g, 1.0).unwrap();
    assert!((global_norm(&clipped) - 1.0).abs() < 1e-15);
    assert_eq!(clip_by_norm(&g, 10.0).unwrap(), g);
    let mut x = (ndarray::array![0.0, 0.0], 0.0);
    let mut sgd = Sgd::new(1.0).clip(Clip::Value(0.5));
    sgd.step(&mut x, &g).unwrap();
    assert_eq!(x, (ndarray::array![-0.5, 0.0], -0.5));
    let mut x = (ndarray::array![0.0, 0.0], 0.0);
    Sgd::new(1.0).clip(Clip::Norm(2.5)).step(&mut x, &g).unwrap();
    assert_eq!(x, (ndarray::array![-1.5, 0.0], -2.0));
}

#[test]
fn bad_input_is_refused_and_leaves_the_parameters() {
    let mut x = ndarray::array![1.0, 2.0];
    let says = |e: pullback::Error, words: &str| assert!(e.to_string().contains(words), "`{words}` is not in: {e}");
    let mut adam = Adam::new(0.1);
    says(adam.step(&mut x, &ndarray::array![f64::NAN, 0.0]).unwrap_err(), "component [0]");
    says(adam.step(&mut x, &ndarray::array![1.0]).unwrap_err(), "[2]");
    says(Adam::new(-0.1).step(&mut x, &ndarray::array![1.0, 1.0]).unwrap_err(), "learning rates");
    says(Sgd::new(0.1).momentum(1.0).step(&mut x, &ndarray::array![1.0, 1.0]).unwrap_err(), "[0, 1)");
    says(Sgd::new(0.1).clip(Clip::Norm(0.0)).step(&mut x, &ndarray::array![1.0, 1.0]).unwrap_err(), "positive bound");
    assert_eq!(x, ndarray::array![1.0, 2.0]);
    adam.step(&mut x, &ndarray::array![1.0, 1.0]).unwrap();
    says(adam.step(&mut ndarray::array![1.0], &ndarray::array![1.0]).unwrap_err(), "2 real parameters");
    says(adam.restore(&State::new("sgd")).unwrap_err(), "`sgd`");
}
