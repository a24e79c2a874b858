//! Symplectic methods: bounded energy errors, exact undoing, and gradients.

use super::problems::*;
use pullback::ode::{Adjoint, Method, OdeOptions, OdeSolution, Stepping, odeint};
use pullback::prelude::*;

type State = (Var<f64>, Var<f64>);

/// The planar Kepler problem with a strength μ.
fn kepler(start: &State, mu: &Var<f64>, times: &Var<f64>, options: &OdeOptions) -> Result<OdeSolution<State>> {
    let field = |_: &Var<f64>, (q, p): &State, mu: &Var<f64>| {
        let r3 = q.square().sum().powf(1.5);
        (p.clone(), -(mu / r3) * q)
    };
    odeint(field, start, times, mu, options)
}

/// Pericentre of an orbit with eccentricity 0.5.
fn start() -> State {
    (Var::from([0.5, 0.0]), Var::from([0.0, 3f64.sqrt()]))
}

const SYMPLECTIC: [Method; 4] = [Method::Leapfrog, Method::Yoshida4, Method::ForestRuth, Method::ImplicitMidpoint];

#[test]
fn energy_errors_stay_bounded_over_many_periods() {
    let period = std::f64::consts::TAU;
    let times = Var::linspace(0.0, 40.0 * period, 401);
    let energy_error = |method| {
        let options = OdeOptions { method, stepping: Stepping::Fixed { step: period / 200.0 }, ..Default::default() };
        let y = kepler(&start(), &Var::scalar(1.0), &times, &options).unwrap().y;
        let (q, p) = (y.0.value().to_owned(), y.1.value().to_owned());
        let energy = |i: usize| 0.5 * (p[[i, 0]].powi(2) + p[[i, 1]].powi(2)) - 1.0 / q[[i, 0]].hypot(q[[i, 1]]);
        let off = |range: std::ops::Range<usize>| range.map(|i| (energy(i) + 0.5).abs()).fold(0.0, f64::max);
        [off(0..101), off(300..401)]
    };
    for method in SYMPLECTIC {
        let [early, late] = energy_error(method);
        assert!(late < 1.5 * early + 1e-12, "{method:?}: {early:.1e} early, {late:.1e} late");
    }
    let [early, late] = energy_error(Method::Rk4);
    assert!(late > 2.5 * early, "the classical method drifts: {early:.1e} early, {late:.1e} late");
}

#[test]
fn reversible_discrete_and_forward_derivatives_agree() {
    let times = Var::from([0.0, 1.0, 2.5, 6.0]);
    for method in SYMPLECTIC {
        let found =
            [Adjoint::default(), Adjoint::Discrete { checkpoints: Some(6) }, Adjoint::reversible(), Adjoint::Forward].map(|adjoint| {
                let options = OdeOptions { method, stepping: Stepping::Fixed { step: 0.02 }, adjoint };
                let loss = |(start, mu, times): &(State, Var<f64>, Var<f64>)| {
                    let y = kepler(start, mu, times, &options)?.y;
                    Ok::<_, pullback::Error>((y.0.square() * Var::from([1.0, 0.5])).sum() + (&y.1 * Var::from([0.3, -0.7])).sum())
                };
                let ((q, p), mu, t) = grad(loss, &(start(), Var::scalar(1.0), times.clone())).unwrap();
                [q.as_slice(), p.as_slice(), mu.as_slice(), t.as_slice()].concat()
            });
        for other in &found[1..] {
            let off = difference(other, &found[0]);
            assert!(off < 1e-11, "{method:?}: {off:.1e}");
        }
    }
}

#[test]
fn a_field_that_is_not_separable_is_refused() {
    let options = OdeOptions { method: Method::Leapfrog, stepping: Stepping::Fixed { step: 0.1 }, ..Default::default() };
    let times = Var::from([0.0, 1.0]);
    let damped = |_: &Var<f64>, (q, p): &State, _: &()| (p.clone(), -q - 0.1 * p);
    let message = odeint(damped, &start(), &times, &(), &options).unwrap_err().to_string();
    assert!(message.contains("separable") && message.contains("ImplicitMidpoint"), "{message}");
    let odd = |_: &Var<f64>, y: &Var<f64>, _: &()| -y;
    let message = odeint(odd, &Var::from([1.0, 2.0, 3.0]), &times, &(), &options).unwrap_err().to_string();
    assert!(message.contains("as many positions as momenta"), "{message}");
}

#[test]
fn a_solve_is_linearised_for_every_field_and_method() {
    // the tangent that a tape records, and Gauss and Newton's method on it: fused fields, symplectic and implicit methods
    scalar_fn! { fn pendulum([q, p], [k]) -> [dq, dp] { [p, -k * q.sin()] } }
    let times = Var::from([0.0, 0.5, 1.0]);
    for method in [Method::Yoshida4, Method::ImplicitMidpoint, Method::Rk4] {
        let options = OdeOptions { method, stepping: Stepping::Fixed { step: 0.02 }, ..Default::default() };
        let path = |x: &Var<f64>| {
            let (start, k) = (x.slice(s![..2]), x.slice(s![2..]));
            Ok::<_, pullback::Error>(pullback::ode::odeint_fused(pendulum, &start, &times, &k, &options)?.y)
        };
        let x = Var::from([0.4, -0.1, 1.7]);
        let (_, tangent) = linearize(path, &x).unwrap();
        let direction = Var::from([0.3, 0.2, -0.5]);
        let (pushed, exact) = (tangent.call(&direction).unwrap(), jvp(path, &x, &direction).unwrap().1);
        assert!((pushed - &exact).abs().max().item() < 1e-14);
        let h = 1e-5;
        let near = |by: f64| path(&(&x + &direction * by)).unwrap();
        let difference = (near(h) - near(-h)) / (2.0 * h);
        assert!((difference - exact).abs().max().item() < 1e-8, "{method:?}");
        let seen = path(&x).unwrap();
        let misfit = |x: &Var<f64>| Ok::<_, pullback::Error>(path(x)? - &seen);
        let found = pullback::optim::LevenbergMarquardt::default().minimize(misfit, &Var::from([0.3, 0.0, 1.5])).unwrap();
        assert!((found.x - &x).abs().max().item() < 1e-9, "{method:?}");
    }
}

#[test]
fn symplectic_methods_have_second_derivatives() {
    let start = (Var::from([1.0, 0.0]), Var::from([0.1, 0.9]));
    for method in [Method::Leapfrog, Method::Yoshida4, Method::ForestRuth] {
        let options = OdeOptions { method, stepping: Stepping::Fixed { step: 0.06 }, ..Default::default() };
        let end = |(start, mu, times): &(State, Var<f64>, Var<f64>)| Ok::<_, pullback::Error>(kepler(start, mu, times, &options)?.y);
        gradcheck(end, &(start.clone(), Var::scalar(1.1), Var::from([0.0, 0.2, 0.53]))).unwrap();
    }
}
