//! Stiff problems: the implicit methods, and which adjoints hold.

use super::problems::*;
use pullback::ode::{Adjoint, Method, OdeOptions, Stepping, odeint_fused};
use pullback::prelude::*;

fn options(adjoint: Adjoint, tolerance: f64) -> OdeOptions {
    OdeOptions { method: Method::Esdirk4, stepping: Stepping::adaptive(tolerance, tolerance * 1e-2), adjoint }
}

type Inputs = (Var<f64>, Var<f64>);

fn robertson_gradient(adjoint: Adjoint, tolerance: f64) -> Result<(f64, Vec<f64>)> {
    let times = Var::from([0.0, 0.4, 40.0]);
    let loss =
        |(y0, p): &Inputs| Ok::<_, pullback::Error>(odeint_fused(robertson, y0, &times, p, &options(adjoint, tolerance))?.y.get(&[2, 0]));
    let (value, (a, b)) = value_and_grad(loss, &(Var::from([1.0, 0.0, 0.0]), Var::from([0.04, 3e7, 1e4])))?;
    // by the logarithms of the rates, which are of one size
    let b: Vec<f64> = b.as_slice().iter().zip([0.04, 3e7, 1e4]).map(|(g, k)| g * k).collect();
    Ok((value.item(), [a.as_slice(), &b].concat()))
}

#[test]
fn robertson_reaches_its_reference_and_its_adjoints_agree() {
    let (value, discrete) = robertson_gradient(Adjoint::default(), 1e-8).unwrap();
    // Hairer and Wanner, Solving ODEs II; the SUNDIALS example: y₁(40) = 0.7158
    assert!((value - 0.715827).abs() < 1e-5, "{value}");
    let forward = robertson_gradient(Adjoint::Forward, 1e-8).unwrap().1;
    let checkpointed = robertson_gradient(Adjoint::Discrete { checkpoints: Some(7) }, 1e-8).unwrap().1;
    let interpolated = robertson_gradient(Adjoint::Interpolated, 1e-8).unwrap().1;
    assert!(difference(&forward, &discrete) < 1e-8, "{forward:?} {discrete:?}");
    assert!(difference(&checkpointed, &discrete) < 1e-8);
    assert!(difference(&interpolated, &discrete) < 1e-5, "{interpolated:?}\n{discrete:?}");
}

fn van_der_pol_gradient(adjoint: Adjoint) -> Result<(f64, Vec<f64>)> {
    let times = Var::from([0.0, 100.0, 500.0]);
    let loss =
        |(y0, p): &Inputs| Ok::<_, pullback::Error>(odeint_fused(van_der_pol, y0, &times, p, &options(adjoint, 1e-8))?.y.get(&[2, 0]));
    let (value, (a, b)) = value_and_grad(loss, &(Var::from([2.0, 0.0]), Var::from([1000.0])))?;
    Ok((value.item(), [a.as_slice(), b.as_slice()].concat()))
}

#[test]
fn stiff_van_der_pol_adjoints_agree_and_the_backward_one_refuses() {
    let (value, discrete) = van_der_pol_gradient(Adjoint::default()).unwrap();
    assert!((1.0..2.0).contains(&value));
    let forward = van_der_pol_gradient(Adjoint::Forward).unwrap().1;
    let interpolated = van_der_pol_gradient(Adjoint::Interpolated).unwrap().1;
    assert!(difference(&forward, &discrete) < 1e-8, "{forward:?} {discrete:?}");
    assert!(difference(&interpolated, &discrete) < 1e-4, "{interpolated:?} {discrete:?}");
    let refused = van_der_pol_gradient(Adjoint::backward()).unwrap_err().to_string();
    assert!(refused.contains("Adjoint::Discrete"), "{refused}");
    let refused = robertson_gradient(Adjoint::backward(), 1e-6).unwrap_err().to_string();
    assert!(refused.contains("Adjoint::Discrete"), "{refused}");
}

#[test]
fn an_explicit_method_says_that_the_problem_is_stiff() {
    let times = Var::from([0.0, 1e5]);
    let stepping = Stepping::Adaptive { rtol: 1e-6, atol: 1e-9, first_step: None, max_steps: 2000 };
    let explicit = OdeOptions { method: Method::Dopri5, stepping, adjoint: Adjoint::default() };
    let start = Var::from([1.0, 0.0, 0.0]);
    let error = odeint_fused(robertson, &start, &times, &Var::from([0.04, 3e7, 1e4]), &explicit).unwrap_err().to_string();
    assert!(error.contains("stiff") && error.contains("Esdirk4"), "{error}");
}

#[test]
fn implicit_steps_are_stable_where_explicit_ones_are_not() {
    scalar_fn! { fn relax(t, [y], [k]) -> [dy] { [-(k * (y - t.cos()))] } }
    for method in [Method::Trapezoid, Method::ImplicitMidpoint, Method::Esdirk4] {
        let options = OdeOptions { method, stepping: Stepping::Fixed { step: 0.05 }, adjoint: Adjoint::default() };
        let y = odeint_fused(relax, &Var::from([1.0]), &Var::from([0.0, 2.0]), &Var::from([1e5]), &options).unwrap().y;
        assert!((y.as_slice()[1] - 2f64.cos()).abs() < 1e-3, "{method:?}: {}", y.as_slice()[1]);
    }
}
