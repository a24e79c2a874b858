//! Events, and the derivatives of their times.

use super::problems::difference;
use pullback::ode::{Adjoint, Crossing, Method, OdeOptions, Stepping, odeint_event, odeint_event_fused};
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

scalar_fn! { fn oscillator([q, p], [k]) -> [dq, dp] { [p, -k * q] } }

#[test]
fn fused_fields_have_events_with_first_derivatives() {
    let options = OdeOptions { stepping: Stepping::adaptive(1e-10, 1e-10), ..Default::default() };
    let quarter = |k: &Var<f64>| {
        let place = |_: &Var<f64>, y: &Var<f64>, _: &Var<f64>| y.get(&[0]);
        let start = Var::from([1.0, 0.0]);
        let event = odeint_event_fused(oscillator, place, &start, &Var::scalar(0.0), 10.0, k, Crossing::Any, &options)?;
        let event = event.expect("it swings");
        Ok::<_, pullback::Error>((event.time, event.y))
    };
    let k = 2.3f64;
    let (_, pull) = vjp(quarter, &Var::from([k])).unwrap();
    let time = quarter(&Var::from([k])).unwrap().0.item();
    let half_pi = std::f64::consts::FRAC_PI_2;
    assert!((time - half_pi / k.sqrt()).abs() < 1e-9, "{time}");
    let slope = pull.call(&(Var::scalar(1.0), Var::zeros(&[2]))).unwrap().item();
    assert!((slope + half_pi * 0.5 * k.powf(-1.5)).abs() < 1e-8, "{slope}");
    // the momentum there is −√k
    let slope = pull.call(&(Var::scalar(0.0), Var::from([0.0, 1.0]))).unwrap().item();
    assert!((slope + 0.5 / k.sqrt()).abs() < 1e-8, "{slope}");
    let twice = hvp(|k: &Var<f64>| Ok::<_, pullback::Error>(quarter(k)?.0), &Var::from([k]), &Var::from([1.0]));
    assert!(twice.unwrap_err().to_string().contains("fused"));
}

#[test]
fn two_passages_within_one_step_are_seen() {
    // y = t, solved exactly in steps of 1; g = (t − 1.4)² − 0.04 vanishes at 1.2 and 1.6, both within the second step
    let field = |_: &Var<f64>, y: &Var<f64>, _: &()| y.ones_like();
    let near = |_: &Var<f64>, y: &Var<f64>, _: &()| (y - 1.4).square() - 0.04;
    let options = OdeOptions { method: Method::Rk4, stepping: Stepping::Fixed { step: 1.0 }, ..Default::default() };
    let first = |crossing| {
        let event = odeint_event(field, near, &Var::scalar(0.0), &Var::scalar(0.0), 4.0, &(), crossing, &options).unwrap();
        event.map(|e| e.time.item())
    };
    for (crossing, exact) in [(Crossing::Any, 1.2), (Crossing::Falling, 1.2), (Crossing::Rising, 1.6)] {
        let found = first(crossing).expect("two passages");
        assert!((found - exact).abs() < 1e-12, "{crossing:?}: {found}");
    }
    // an extremum on this side of zero is none
    let above = |_: &Var<f64>, y: &Var<f64>, _: &()| (y - 1.4).square() + 0.04;
    assert!(odeint_event(field, above, &Var::scalar(0.0), &Var::scalar(0.0), 4.0, &(), Crossing::Any, &options).unwrap().is_none());
}
