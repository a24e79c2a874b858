//! The search of Moré and Thuente as the first step of L-BFGS, which goes down the gradient.

use pullback::optim::{Lbfgs, LbfgsOptions, LineSearch};
use pullback::prelude::*;

/// The α at which a search on φ ends whose first trial is `start`; `phi` gives (φ, φ′), and φ′(0) < 0.
///
/// On f(x) = φ(kx) from 0 the direction is −kφ′(0) and the first trial has length min(1, 1/|kφ′(0)|): `k` makes that α = kx = `start`.
fn search(options: LineSearch, start: f64, phi: impl Fn(f64) -> (f64, f64) + Copy + Send + Sync + 'static) -> f64 {
    let slope = -phi(0.0).1;
    let k = if start * slope <= 1.0 { (start / slope).sqrt() } else { start };
    let first = (1.0 / (k * slope)).min(1.0);
    let line_search = LineSearch { max_step: options.max_step * first / start, ..options };
    let loss = move |x: &Var<f64>| {
        external_vjp(x, move |x| Var::scalar(phi(k * x.item()).0), move |x, _, g| Var::scalar(k * phi(k * x.item()).1 * g.item()))
    };
    let mut x = 0.0;
    let step = Lbfgs::new(LbfgsOptions { line_search, ..Default::default() }).step(loss, &mut x).unwrap();
    assert!(step.length > 0.0 && step.evaluations <= 1 + options.max_evaluations);
    k * x
}

/// The first three test functions of the paper, §5: the step found satisfies both conditions, from far below and far above.
#[test]
fn the_wolfe_conditions_hold_on_the_papers_functions() {
    fn check(case: usize, phi: impl Fn(f64) -> (f64, f64) + Copy + Send + Sync + 'static, c1: f64, c2: f64) {
        for start in [1e-3, 0.1, 10.0, 1e3] {
            let (value, slope) = phi(0.0);
            // L-BFGS wants c₁ below c₂
            let at = search(LineSearch { decrease: c1, curvature: c2.max(c1.next_up()), ..LineSearch::default() }, start, phi);
            let (end, end_slope) = phi(at);
            assert!(end <= value + c1 * at * slope && end_slope.abs() <= c2 * slope.abs(), "function {case} from {start}: ends at {at}");
        }
    }
    check(1, |a| (-a / (a * a + 2.0), (a * a - 2.0) / (a * a + 2.0).powi(2)), 1e-3, 0.1);
    let second = |a: f64| {
        let b = a + 0.004;
        (b.powi(5) - 2.0 * b.powi(4), 5.0 * b.powi(4) - 8.0 * b.powi(3))
    };
    check(2, second, 0.1, 0.1);
    let third = |a: f64| {
        let (beta, l) = (0.01, 39.0);
        let wave = 2.0 * (1.0 - beta) / (l * std::f64::consts::PI) * (0.5 * l * std::f64::consts::PI * a).sin();
        let (base, slope) = if a <= 1.0 - beta {
            (1.0 - a, -1.0)
        } else if a >= 1.0 + beta {
            (a - 1.0, 1.0)
        } else {
            (0.5 * (a - 1.0).powi(2) / beta + 0.5 * beta, (a - 1.0) / beta)
        };
        (base + wave, slope + (1.0 - beta) * (0.5 * l * std::f64::consts::PI * a).cos())
    };
    check(3, third, 0.1, 0.1);
}

#[test]
fn a_step_out_of_the_domain_is_cut() {
    // φ = −ln(1 − α) − 2α is infinite from 1 on, its minimum is at 1/2
    let phi = |a: f64| if a < 1.0 { (-(1.0 - a).ln() - 2.0 * a, 1.0 / (1.0 - a) - 2.0) } else { (f64::NAN, f64::NAN) };
    let at = search(LineSearch { curvature: 1e-3, ..LineSearch::default() }, 16.0, phi);
    assert!(phi(at).1.abs() <= 1e-3 && (at - 0.5).abs() < 1e-3, "{at}");
}
