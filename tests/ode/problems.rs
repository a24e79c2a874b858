//! Test problems shared by the tests.

use pullback::ode::{OdeOptions, OdeSolution, odeint};
use pullback::prelude::*;

scalar_fn! {
    /// Lotka and Volterra's predators and prey.
    pub fn lotka_volterra([x, y], [a, b, c, d]) -> [dx, dy] { [a * x - b * x * y, d * x * y - c * y] }
}
scalar_fn! {
    /// A pendulum with damping γ and frequency ω, driven at unit frequency with a given amplitude.
    pub fn pendulum(t, [theta, p], [omega, gamma, drive]) -> [dtheta, dp] { [p, drive * t.cos() - omega * omega * theta.sin() - gamma * p] }
}
scalar_fn! {
    pub fn van_der_pol([x, v], [mu]) -> [dx, dv] { [v, mu * (1.0 - x * x) * v - x] }
}
scalar_fn! {
    /// Robertson's chemical kinetics.
    pub fn robertson([a, b, c], [k1, k2, k3]) -> [da, db, dc] {
        [k3 * b * c - k1 * a, k1 * a - k3 * b * c - k2 * b * b, k2 * b * b]
    }
}

/// The four problems above as fields on variables.
pub fn lotka_volterra_field(_: &Var<f64>, y: &Var<f64>, p: &Var<f64>) -> Var<f64> {
    let [x, y] = [y.get(&[0]), y.get(&[1])];
    let [a, b, c, d] = std::array::from_fn(|i| p.get(&[i as isize]));
    stack(&[a * &x - b * &x * &y, d * &x * &y - c * &y], 0)
}

pub fn pendulum_field(t: &Var<f64>, y: &Var<f64>, p: &Var<f64>) -> Var<f64> {
    let [theta, v] = [y.get(&[0]), y.get(&[1])];
    let [omega, gamma, drive] = std::array::from_fn(|i| p.get(&[i as isize]));
    stack(&[v.clone(), drive * t.cos() - omega.square() * theta.sin() - gamma * v], 0)
}

pub fn van_der_pol_field(_: &Var<f64>, y: &Var<f64>, mu: &Var<f64>) -> Var<f64> {
    let [x, v] = [y.get(&[0]), y.get(&[1])];
    stack(&[v.clone(), mu.get(&[0]) * (1.0 - x.square()) * v - x], 0)
}

/// y″ = −y from (1, 0).
pub fn oscillator(times: &Var<f64>, options: &OdeOptions) -> Result<OdeSolution<(Var<f64>, Var<f64>)>> {
    let field = |_: &Var<f64>, (q, p): &(Var<f64>, Var<f64>), _: &()| (p.clone(), -q);
    odeint(field, &(Var::from([1.0]), Var::from([0.0])), times, &(), options)
}

/// The largest difference, relative to the largest entry.
pub fn difference(a: &[f64], b: &[f64]) -> f64 {
    let scale = b.iter().fold(1e-300f64, |m, x| m.max(x.abs()));
    a.iter().zip(b).fold(0.0f64, |m, (a, b)| m.max((a - b).abs())) / scale
}
