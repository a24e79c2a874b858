//! Events, and the derivatives of their times.

use super::problems::difference;
use pullback::ode::{Adjoint, Crossing, Method, OdeOptions, Stepping, odeint_event};
use pullback::prelude::*;

type Ball = [Var<f64>; 2];

fn fall(_: &Var<f64>, y: &Ball, g: &Var<f64>) -> Ball {
    [y[1].clone(), -g.clone()]
}

fn height(_: &Var<f64>, y: &Ball, _: &Var<f64>) -> Var<f64> {
    y[0].clone()
}

/// The time of the third bounce of a ball dropped from h, which keeps a fraction e of its speed.
fn third_bounce((h, g, e): &(Var<f64>, Var<f64>, Var<f64>), options: &OdeOptions) -> Result<Var<f64>> {
    let (mut y, mut t) = ([h.clone(), Var::scalar(0.0)], Var::scalar(0.0));
    for _ in 0..3 {
        let event = odeint_event(fall, height, &y, &t, 100.0, g, Crossing::Falling, options)?.expect("it falls");
        (y, t) = ([event.y[0].clone(), -(e * &event.y[1])], event.time);
    }
    Ok(t)
}

#[test]
fn bounces_compose_and_their_times_have_derivatives() {
    let (h, g, e): (f64, f64, f64) = (2.0, 9.81, 0.8);
    // t₁ = √(2h/g), and each flight takes 2 eᵏ t₁
    let first = (2.0 * h / g).sqrt();
    let factor = 1.0 + 2.0 * e + 2.0 * e * e;
    let exact = [0.5 * first / h * factor, -0.5 * first / g * factor, first * (2.0 + 4.0 * e)];
    let all = [
        OdeOptions { method: Method::Dopri5, stepping: Stepping::adaptive(1e-10, 1e-10), ..Default::default() },
        OdeOptions { method: Method::Dop853, stepping: Stepping::adaptive(1e-10, 1e-10), adjoint: Adjoint::backward() },
        OdeOptions { method: Method::Rk4, stepping: Stepping::Fixed { step: 0.01 }, ..Default::default() },
        OdeOptions { method: Method::Esdirk4, stepping: Stepping::adaptive(1e-9, 1e-9), adjoint: Adjoint::Forward },
    ];
    for options in all {
        let (t, (dh, dg, de)) = value_and_grad(|x: &(Var<f64>, Var<f64>, Var<f64>)| third_bounce(x, &options), &(h, g, e)).unwrap();
        assert!((t.item() - first * factor).abs() < 1e-8, "{options:?}: {}", t.item());
        let off = difference(&[dh, dg, de], &exact);
        assert!(off < 1e-7, "{options:?}: {:?} against {exact:?}", [dh, dg, de]);
    }
}

#[test]
fn event_times_have_second_derivatives_under_explicit_methods() {
    let options = OdeOptions { method: Method::Dopri5, stepping: Stepping::adaptive(1e-9, 1e-9), ..Default::default() };
    let landing = |x: &Var<f64>| {
        let y = [Var::scalar(1.0), x.get(&[0])];
        Ok::<_, pullback::Error>(
            odeint_event(fall, height, &y, &Var::scalar(0.0), 50.0, &x.get(&[1]), Crossing::Falling, &options)?.expect("it falls").time,
        )
    };
    // t = (v + √(v² + 2g))/g
    let (v, g) = (1.5, 2.0);
    let exact = |v: f64, g: f64| (v + (v * v + 2.0 * g).sqrt()) / g;
    let h = hessian(landing, &ndarray::array![v, g]).unwrap();
    let d = 1e-4;
    let second = |i: usize, j: usize| {
        let at = |a: f64, b: f64| {
            let mut x = [v, g];
            x[i] += a * d;
            x[j] += b * d;
            exact(x[0], x[1])
        };
        (at(1.0, 1.0) - at(1.0, -1.0) - at(-1.0, 1.0) + at(-1.0, -1.0)) / (4.0 * d * d)
    };
    for i in 0..2 {
        for j in 0..2 {
            let (found, want) = (h.value()[[i, j]], second(i, j));
            assert!((found - want).abs() < 1e-5, "({i}, {j}): {found} against {want}");
        }
    }
}

#[test]
fn crossings_are_told_apart_and_may_be_missing() {
    let options = OdeOptions::default();
    let turn = |_: &Var<f64>, y: &Ball, _: &Var<f64>| [y[1].clone(), -y[0].clone()];
    let start = [Var::scalar(0.0), Var::scalar(1.0)];
    let find = |crossing, limit| {
        let event = odeint_event(turn, height, &start, &Var::scalar(0.0), limit, &Var::scalar(1.0), crossing, &options).unwrap();
        event.map(|e| e.time.item())
    };
    let pi = std::f64::consts::PI;
    // sin t leaves zero at the start, which does not count
    assert!((find(Crossing::Any, 20.0).unwrap() - pi).abs() < 1e-6);
    assert!((find(Crossing::Falling, 20.0).unwrap() - pi).abs() < 1e-6);
    assert!((find(Crossing::Rising, 20.0).unwrap() - 2.0 * pi).abs() < 1e-5);
    assert!((find(Crossing::Any, -20.0).unwrap() + pi).abs() < 1e-6);
    assert_eq!(find(Crossing::Any, 3.0), None);
}
