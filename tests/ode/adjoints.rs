//! The derivatives agree with each other, with closed forms and with differences.

use super::problems::*;
use pullback::ode::{Adjoint, Method, OdeOptions, OdeStats, Stepping, odeint, odeint_fused};
use pullback::prelude::*;
use pullback::scalar::ScalarFn;

type Inputs = (Var<f64>, Var<f64>, Var<f64>);

/// A loss that weighs every component of every requested state differently.
fn weigh(y: &Var<f64>) -> Var<f64> {
    let weights = Var::from((0..y.len()).map(|i| (1.0 + 0.7 * i as f64).cos()).collect::<Vec<_>>()).reshape(y.shape());
    (y.square() * 0.5 + y).mul_sum(&weights)
}

trait MulSum {
    fn mul_sum(&self, w: &Var<f64>) -> Var<f64>;
}
impl MulSum for Var<f64> {
    fn mul_sum(&self, w: &Var<f64>) -> Var<f64> {
        (self * w).sum()
    }
}

/// The gradient by (y₀, times, params) in one vector.
fn gradient<F: ScalarFn<IN, OUT>, const IN: usize, const OUT: usize>(f: F, at: &Inputs, options: &OdeOptions) -> Result<Vec<f64>> {
    let loss = |(y0, times, p): &Inputs| Ok::<_, pullback::Error>(weigh(&odeint_fused(f.clone(), y0, times, p, options)?.y));
    let (a, b, c) = grad(loss, at)?;
    Ok([a.as_slice(), b.as_slice(), c.as_slice()].concat())
}

fn gradient_of_closure<F>(f: F, at: &Inputs, options: &OdeOptions) -> Result<(Vec<f64>, OdeStats)>
where
    F: Fn(&Var<f64>, &Var<f64>, &Var<f64>) -> Var<f64> + Send + Sync + Copy + 'static,
{
    let mut solution = None;
    let loss = |(y0, times, p): &Inputs| {
        let found = odeint(f, y0, times, p, options)?;
        let loss = weigh(&found.y);
        solution = Some(found);
        Ok::<_, pullback::Error>(loss)
    };
    let (a, b, c) = grad(loss, at)?;
    Ok(([a.as_slice(), b.as_slice(), c.as_slice()].concat(), solution.expect("solved").stats()))
}

fn problems() -> [(&'static str, Inputs); 3] {
    let times = || Var::from([0.0, 0.4, 1.1, 1.15, 3.0]);
    [
        ("Lotka–Volterra", (Var::from([1.0, 1.0]), times(), Var::from([1.5, 1.0, 3.0, 1.0]))),
        ("damped pendulum", (Var::from([1.0, 0.3]), times(), Var::from([1.2, 0.2, 0.4]))),
        ("van der Pol", (Var::from([2.0, 0.0]), times(), Var::from([1.0]))),
    ]
}

/// One of the three problems through the fused and through the general path.
fn both(problem: usize, at: &Inputs, options: &OdeOptions) -> Result<[Vec<f64>; 2]> {
    Ok(match problem {
        0 => [gradient(lotka_volterra, at, options)?, gradient_of_closure(lotka_volterra_field, at, options)?.0],
        1 => [gradient(pendulum, at, options)?, gradient_of_closure(pendulum_field, at, options)?.0],
        _ => [gradient(van_der_pol, at, options)?, gradient_of_closure(van_der_pol_field, at, options)?.0],
    })
}

const ADJOINTS: [Adjoint; 6] = [
    Adjoint::Discrete { checkpoints: None },
    Adjoint::Discrete { checkpoints: Some(5) },
    Adjoint::Forward,
    Adjoint::Interpolated,
    Adjoint::Backward { reconstruction: 1e3 },
    Adjoint::Reversible { coupling: 0.999 },
];

#[test]
fn all_adjoints_agree_at_tight_tolerance() {
    for (i, (name, at)) in problems().iter().enumerate() {
        let options = |adjoint| OdeOptions { method: Method::Dop853, stepping: Stepping::adaptive(1e-13, 1e-13), adjoint };
        let reference = gradient_by_sensitivities(i, at);
        for adjoint in ADJOINTS {
            let [fused, traced] = both(i, at, &options(adjoint)).unwrap();
            let off = difference(&fused, &reference);
            assert!(off < 1e-9, "{name}, {adjoint:?}: {off:.1e}\n{fused:?}\n{reference:?}");
            let paths = difference(&fused, &traced);
            assert!(paths < 1e-10, "{name}, {adjoint:?}: the two paths differ by {paths:.1e}");
        }
    }
}

/// The sensitivity equations as a system of their own, Ṡ = ∂f/∂y S + ∂f/∂p, solved without any derivative rule.
fn gradient_by_sensitivities(problem: usize, (y0, times, p): &Inputs) -> Vec<f64> {
    let (n, m) = (2, p.len());
    let field = move |t: &Var<f64>, z: &Var<f64>, p: &Var<f64>| {
        let (t, z, p) = (t.item(), z.as_slice(), p.as_slice());
        let f = |t: f64, y: [f64; 2], p: &[f64]| -> [f64; 2] {
            match problem {
                0 => lotka_volterra.eval([y[0], y[1], p[0], p[1], p[2], p[3]]),
                1 => pendulum.eval([t, y[0], y[1], p[0], p[1], p[2]]),
                _ => van_der_pol.eval([y[0], y[1], p[0]]),
            }
        };
        let y = [z[0], z[1]];
        let mut out = f(t, y, p).to_vec();
        // the Jacobians are those of polynomials and sines: written by hand
        let (jy, jp): ([[f64; 2]; 2], Vec<[f64; 2]>) = match problem {
            0 => (
                [[p[0] - p[1] * y[1], -p[1] * y[0]], [p[3] * y[1], p[3] * y[0] - p[2]]],
                vec![[y[0], 0.0], [-y[0] * y[1], 0.0], [0.0, -y[1]], [0.0, y[0] * y[1]]],
            ),
            1 => ([[0.0, 1.0], [-p[0] * p[0] * y[0].cos(), -p[1]]], vec![[0.0, -2.0 * p[0] * y[0].sin()], [0.0, -y[1]], [0.0, t.cos()]]),
            _ => ([[0.0, 1.0], [-2.0 * p[0] * y[0] * y[1] - 1.0, p[0] * (1.0 - y[0] * y[0])]], vec![[0.0, (1.0 - y[0] * y[0]) * y[1]]]),
        };
        for k in 0..n + m {
            let s = &z[2 + 2 * k..4 + 2 * k];
            for i in 0..2 {
                let source = if k < n { 0.0 } else { jp[k - n][i] };
                out.push(jy[i][0] * s[0] + jy[i][1] * s[1] + source);
            }
        }
        Var::from(out)
    };
    let mut start = y0.as_slice().to_vec();
    for k in 0..n + m {
        start.extend([0, 1].map(|i| if i == k { 1.0 } else { 0.0 }));
    }
    let options = OdeOptions { method: Method::Dop853, stepping: Stepping::adaptive(1e-13, 1e-14), ..Default::default() };
    let z = odeint(field, &Var::from(start), times, p, &options).unwrap().y;
    let y = z.slice(s![.., ..2]);
    let cotangent = grad(|y: &Var<f64>| weigh(y), &y).unwrap();
    let (z, c) = (z.value().to_owned(), cotangent.value().to_owned());
    let mut out: Vec<f64> = Vec::new();
    for k in 0..n {
        out.push((0..times.len()).map(|i| (0..2).map(|j| c[[i, j]] * z[[i, 2 + 2 * k + j]]).sum::<f64>()).sum());
    }
    // a time shifts its own state by f, and the first one all of them: y(t; t₀) has ∂y/∂t₀ = −∂y/∂y₀ f(t₀, y₀)
    let f = |i: usize| field(&times.get(&[i as isize]), &Var::from(z.row_vec(i)), p).as_slice()[..2].to_vec();
    let f0 = f(0);
    out.push(
        -(1..times.len())
            .map(|i| (0..2).map(|j| c[[i, j]] * (0..2).map(|k| z[[i, 2 + 2 * k + j]] * f0[k]).sum::<f64>()).sum::<f64>())
            .sum::<f64>(),
    );
    for i in 1..times.len() {
        out.push(f(i).iter().enumerate().map(|(j, f)| c[[i, j]] * f).sum());
    }
    for k in n..n + m {
        out.push((0..times.len()).map(|i| (0..2).map(|j| c[[i, j]] * z[[i, 2 + 2 * k + j]]).sum::<f64>()).sum());
    }
    out
}

trait RowVec {
    fn row_vec(&self, i: usize) -> Vec<f64>;
}
impl RowVec for ndarray::ArrayD<f64> {
    fn row_vec(&self, i: usize) -> Vec<f64> {
        self.index_axis(ndarray::Axis(0), i).iter().copied().collect()
    }
}

#[test]
fn discrete_derivatives_are_exact_for_the_steps_taken_at_any_tolerance() {
    // loose tolerances and long steps: only a derivative of the steps themselves agrees to rounding
    let (_, at) = &problems()[0];
    for method in [Method::Heun, Method::Bosh3, Method::Tsit5, Method::Dopri5, Method::Dop853, Method::Esdirk4] {
        for stepping in [Stepping::adaptive(1e-3, 1e-3), Stepping::Fixed { step: 0.2 }] {
            let options = |adjoint| OdeOptions { method, stepping, adjoint };
            let reference = gradient(lotka_volterra, at, &options(Adjoint::Discrete { checkpoints: None })).unwrap();
            // stages are solved to 1e-12
            let bound = if method == Method::Esdirk4 { 1e-10 } else { 1e-12 };
            for adjoint in [Adjoint::Discrete { checkpoints: Some(1) }, Adjoint::Discrete { checkpoints: Some(3) }, Adjoint::Forward] {
                let found = gradient(lotka_volterra, at, &options(adjoint)).unwrap();
                let off = difference(&found, &reference);
                assert!(off < bound, "{method:?}, {stepping:?}, {adjoint:?}: {off:.1e}");
            }
        }
    }
    for method in [Method::Rk4, Method::ImplicitMidpoint, Method::Trapezoid, Method::Euler] {
        let options = |adjoint| OdeOptions { method, stepping: Stepping::Fixed { step: 0.1 }, adjoint };
        let reference = gradient(lotka_volterra, at, &options(Adjoint::Discrete { checkpoints: None })).unwrap();
        for adjoint in [Adjoint::Discrete { checkpoints: Some(4) }, Adjoint::Forward] {
            let off = difference(&gradient(lotka_volterra, at, &options(adjoint)).unwrap(), &reference);
            assert!(off < 1e-11, "{method:?}, {adjoint:?}: {off:.1e}");
        }
        if method.eq(&Method::ImplicitMidpoint) || method.eq(&Method::Trapezoid) {
            let off = difference(&gradient(lotka_volterra, at, &options(Adjoint::reversible())).unwrap(), &reference);
            assert!(off < 1e-11, "{method:?} undone: {off:.1e}");
        }
    }
}

#[test]
fn discrete_derivatives_agree_with_differences_of_the_same_steps() {
    // fixed steps move with the times, so the solve is a smooth function of everything
    for method in [Method::Rk4, Method::Dopri5, Method::Esdirk4, Method::Trapezoid, Method::ImplicitMidpoint] {
        for adjoint in [Adjoint::default(), Adjoint::reversible()] {
            if method == Method::Esdirk4 && adjoint != Adjoint::default() {
                continue;
            }
            let options = OdeOptions { method, stepping: Stepping::Fixed { step: 0.5 }, adjoint };
            let times = Var::from([0.0, 0.4, 1.1]);
            let at: Inputs = (Var::from([1.0, 0.3]), times, Var::from([1.2, 0.2, 0.4]));
            let found = gradient(pendulum, &at, &options).unwrap();
            let value = |x: &[f64]| {
                let (y0, times, p) = (Var::from(x[..2].to_vec()), Var::from(x[2..5].to_vec()), Var::from(x[5..].to_vec()));
                weigh(&odeint_fused(pendulum, &y0, &times, &p, &options).unwrap().y).item()
            };
            let x = [at.0.as_slice(), at.1.as_slice(), at.2.as_slice()].concat();
            for i in 0..x.len() {
                let shifted = |d: f64| {
                    let mut x = x.clone();
                    x[i] += d;
                    value(&x)
                };
                let d = 1e-3;
                let slope = (8.0 * (shifted(d) - shifted(-d)) - (shifted(2.0 * d) - shifted(-2.0 * d))) / (12.0 * d);
                assert!((slope - found[i]).abs() < 1e-9, "{method:?}, {adjoint:?}, input {i}: {} against {slope}", found[i]);
            }
        }
    }
}

#[test]
fn forward_mode_agrees_with_backward_mode() {
    let (_, at) = &problems()[1];
    for method in [Method::Tsit5, Method::Dop853, Method::Esdirk4] {
        for adjoint in [Adjoint::default(), Adjoint::reversible()] {
            if method == Method::Esdirk4 && adjoint != Adjoint::default() {
                continue;
            }
            let options = OdeOptions { method, stepping: Stepping::adaptive(1e-6, 1e-6), adjoint };
            let along: Inputs = (Var::from([0.3, -0.2]), Var::from([0.1, -0.2, 0.3, 0.1, -0.4]), Var::from([0.5, -0.1, 0.7]));
            let loss = |(y0, times, p): &Inputs| Ok::<_, pullback::Error>(weigh(&odeint_fused(pendulum, y0, times, p, &options)?.y));
            let (_, forward) = jvp(loss, at, &along).unwrap();
            let g = gradient(pendulum, at, &options).unwrap();
            let flat = [along.0.as_slice(), along.1.as_slice(), along.2.as_slice()].concat();
            let backward: f64 = g.iter().zip(&flat).map(|(g, d)| g * d).sum();
            let off = (forward.item() - backward).abs() / backward.abs();
            assert!(off < if method == Method::Esdirk4 { 1e-9 } else { 1e-12 }, "{method:?}, {adjoint:?}: {off:.1e}");
        }
    }
}

#[test]
fn second_derivatives_of_explicit_methods() {
    let options = OdeOptions { stepping: Stepping::adaptive(1e-8, 1e-8), ..Default::default() };
    let times = Var::from([0.0, 0.5, 1.0]);
    // y = y₀ exp(−k t²/2): every second derivative is known
    let loss = |x: &Var<f64>| {
        let field = |t: &Var<f64>, y: &Var<f64>, k: &Var<f64>| -(k * t * y);
        let solution = odeint(field, &x.get(&[0]), &times, &x.get(&[1]), &options)?;
        Ok::<_, pullback::Error>(solution.y.get(&[1]) * 2.0 + solution.y.get(&[2]))
    };
    let (y, k) = (1.3, 0.8);
    let h = hessian(loss, &ndarray::array![y, k]).unwrap();
    let e = |t: f64, power: i32| (-0.5 * t * t).powi(power) * (-0.5 * k * t * t).exp();
    let mixed = 2.0 * e(0.5, 1) + e(1.0, 1);
    let kk = y * (2.0 * e(0.5, 2) + e(1.0, 2));
    let found = h.value();
    assert!(found[[0, 0]].abs() < 1e-12, "{found}");
    assert!((found[[0, 1]] - mixed).abs() < 1e-6 && (found[[1, 0]] - found[[0, 1]]).abs() < 1e-12, "{found} against {mixed}");
    assert!((found[[1, 1]] - kk).abs() < 1e-6, "{found} against {kk}");
    // what has no second derivative says so
    let implicit = OdeOptions { method: Method::Esdirk4, ..options };
    let field = |_: &Var<f64>, y: &Var<f64>, k: &Var<f64>| -(k * y);
    let refused = hvp(|k: &Var<f64>| Ok::<_, pullback::Error>(odeint(field, &Var::scalar(1.0), &times, k, &implicit)?.y.sum()), &0.5, &1.0);
    assert!(refused.unwrap_err().to_string().contains("first derivatives only"));
}

#[test]
fn gradients_of_complex_states() {
    use num_complex::Complex;
    // iψ̇ = (H₀ + u σ_x) ψ; the gradient by u of the population that was moved
    let options = OdeOptions { method: Method::Dop853, stepping: Stepping::adaptive(1e-12, 1e-12), ..Default::default() };
    let population = move |u: &Var<f64>, adjoint| {
        let field = |_: &Var<f64>, psi: &Var<Complex<f64>>, u: &Var<f64>| {
            let h = Var::from(ndarray::array![[1.0, 0.0], [0.0, -1.0]]) + u * Var::from(ndarray::array![[0.0, 1.0], [1.0, 0.0]]);
            h.to_complex().matmul(psi) * Complex::new(0.0, -1.0)
        };
        let start = Var::from([Complex::new(1.0, 0.0), Complex::new(0.0, 0.0)]);
        let y = odeint(field, &start, &Var::from([0.0, 1.5]), u, &OdeOptions { adjoint, ..options })?.y;
        Ok::<_, pullback::Error>(y.get(&[1, 1]).abs_squared())
    };
    // Rabi: P = u²/Ω² sin²(Ω t), Ω² = 1 + u²
    let exact = |u: f64| {
        let w = (1.0 + u * u).sqrt();
        u * u / (w * w) * (1.5 * w).sin().powi(2)
    };
    let slope = (exact(0.7 + 1e-5) - exact(0.7 - 1e-5)) / 2e-5;
    for adjoint in ADJOINTS {
        let (value, g) = value_and_grad(|u: &Var<f64>| population(u, adjoint), &0.7).unwrap();
        assert!((value.item() - exact(0.7)).abs() < 1e-10 && (g - slope).abs() < 1e-8, "{adjoint:?}: {g} against {slope}");
    }
}

#[test]
fn steps_and_evaluations_are_counted_in_both_directions() {
    let (_, at) = &problems()[0];
    let options = |adjoint| OdeOptions { method: Method::Dopri5, stepping: Stepping::Fixed { step: 0.1 }, adjoint };
    let (_, all) = gradient_of_closure(lotka_volterra_field, at, &options(Adjoint::default())).unwrap();
    // 4 + 7 + 1 + 19 steps (0.05 to 1.85 wide intervals); 6 stages each, and one look at the start
    assert_eq!(all.forward.steps, 31);
    assert_eq!(all.forward.evaluations, 6 * 31 + 1);
    // b₂ = 0, but its stage feeds others: 6 products a step, and nothing is computed again
    assert_eq!((all.backward.steps, all.backward.products, all.backward.evaluations), (31, 6 * 31, 0));
    // revolve: 31 steps with 5 slots, β(5, 2) = 21 < 31 ≤ β(5, 3): 3·31 − β(6, 2) = 65 steps again
    let (_, few) = gradient_of_closure(lotka_volterra_field, at, &options(Adjoint::Discrete { checkpoints: Some(5) })).unwrap();
    assert_eq!(few.backward.steps, 31 + 65);
    assert_eq!(few.backward.evaluations, 6 * (31 + 65));
}

#[test]
fn the_unbounded_discrete_adjoint_evaluates_the_field_once() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let calls = Arc::new(AtomicUsize::new(0));
    let counts = |adjoint: Adjoint| {
        let options = OdeOptions { stepping: Stepping::adaptive(1e-6, 1e-6), adjoint, ..Default::default() };
        let before = calls.load(Ordering::Relaxed);
        let mut forward = 0;
        let loss = |k: &Var<f64>| {
            let calls = calls.clone();
            let field = move |_: &Var<f64>, y: &Var<f64>, k: &Var<f64>| {
                calls.fetch_add(1, Ordering::Relaxed);
                -(k * y).sin()
            };
            let solution = odeint(field, &Var::from([1.0, 0.3]), &Var::from([0.0, 3.0]), k, &options)?;
            forward = solution.stats().forward.evaluations;
            Ok::<_, pullback::Error>(solution.y.sum())
        };
        let gradient = grad(loss, &1.4).unwrap();
        (calls.load(Ordering::Relaxed) - before, forward, gradient)
    };
    let (all, forward, exact) = counts(Adjoint::default());
    assert_eq!(all, forward);
    let (all, forward, bounded) = counts(Adjoint::Discrete { checkpoints: Some(2) });
    assert!(all > 2 * forward && (exact - bounded).abs() < 1e-14, "{all}, {forward}, {exact}, {bounded}");
}

/// With room for c states a chain of l steps is reversed in r l − β(c + 1, r − 1) further ones, where β(c, r) = C(c + r, c) and r is the smallest
/// number with β(c, r) ≥ l; that no more than c are held, the test of memory says.
#[test]
fn checkpoints_are_placed_for_the_fewest_steps_possible() {
    let beta = |c: usize, r: usize| (1..=r).fold(1, |value, i| value * (c + i) / i);
    for slots in [1, 2, 3, 4, 7, 12] {
        for steps in [1, 2, 3, 5, 10, 31, 100, 257] {
            let options = |adjoint| OdeOptions { method: Method::Euler, stepping: Stepping::Fixed { step: 1.0 / steps as f64 }, adjoint };
            let run = |adjoint| {
                let mut solution = None;
                let slope = grad(
                    |k: &Var<f64>| {
                        let field = |t: &Var<f64>, y: &Var<f64>, k: &Var<f64>| k * y * (1.0 + t);
                        let found = odeint(field, &Var::scalar(1.0), &Var::from([0.0, 1.0]), k, &options(adjoint))?;
                        let end = found.y.get(&[-1]);
                        solution = Some(found);
                        Ok::<_, pullback::Error>(end)
                    },
                    &0.3,
                );
                (slope.unwrap(), solution.expect("solved").stats().backward.steps)
            };
            let r = (0..).find(|&r| beta(slots, r) >= steps).unwrap();
            // with room for all of them the states are those of the solve
            let fewest = if slots >= steps { 0 } else { r * steps - beta(slots + 1, r - 1) };
            let ((slope, taken), (exact, _)) = (run(Adjoint::Discrete { checkpoints: Some(slots) }), run(Adjoint::default()));
            assert_eq!(taken, steps + fewest, "{steps} steps, {slots} slots");
            assert!((slope - exact).abs() < 1e-13 * exact.abs(), "{steps} steps, {slots} slots: {slope}, {exact}");
        }
    }
}
