//! The figure-eight orbit of three bodies: an initial condition found through a symplectic integrator, and gradients over long times.

mod common;

use clap::Parser;
use common::plot::{Figure, Panel};
use common::{Options, Run};
use pullback::ode::{Adjoint, Method, OdeOptions, Stepping, odeint_fused};
use pullback::optim::LevenbergMarquardt;
use pullback::prelude::*;
use rand::{RngExt, SeedableRng, rngs::StdRng};

/// Three equal masses chase each other along one curve in the shape of an eight (Chenciner and Montgomery 2000). Here the orbit is found
/// from what defines it: after a third of the period every body is where the next one was, with its velocity. Unknown are the velocity of
/// the body in the middle and the period; Levenberg–Marquardt descends with the derivative through a symplectic integrator. The answer is
/// compared with Simó's published numbers. Then the orbit runs for many periods: how far the energy drifts by integrator, and how exact
/// the gradient of a function of the last state by all initial numbers is, by adjoint. Units: G = m = 1.
#[derive(Parser, serde::Serialize)]
struct Args {
    /// Largest relative change of the published initial values at the start of the fit
    #[arg(long, default_value_t = 0.05)]
    perturbation: f64,
    /// Step of the integrator in the fit
    #[arg(long, default_value_t = 1e-3)]
    step: f64,
    /// Periods over which the energy is watched
    #[arg(long, default_value_t = 300)]
    periods: usize,
    /// Longest time of the gradients, in periods
    #[arg(long, default_value_t = 30)]
    gradient_periods: usize,
    #[command(flatten)]
    #[serde(flatten)]
    options: Options,
}

// Simó's values for the orbit of Chenciner and Montgomery, Annals of Mathematics 152, 881 (2000)
const POSITION: [f64; 2] = [0.97000435669734, -0.24308753153583];
const VELOCITY: [f64; 2] = [-0.93240737144104, -0.86473146092102];
const PERIOD: f64 = 6.32591398292621;
const SOURCE: &str = "Chenciner and Montgomery 2000";

scalar_fn! {
    /// Hamilton's equations of three masses in a plane: positions, momenta, masses.
    fn gravity([x1, y1, x2, y2, x3, y3], [px1, py1, px2, py2, px3, py3], [m1, m2, m3])
        -> [dx1, dy1, dx2, dy2, dx3, dy3, dpx1, dpy1, dpx2, dpy2, dpx3, dpy3]
    {
        let (ax, ay) = (x2 - x1, y2 - y1);
        let (bx, by) = (x3 - x2, y3 - y2);
        let (cx, cy) = (x1 - x3, y1 - y3);
        let (a2, b2, c2) = (ax * ax + ay * ay, bx * bx + by * by, cx * cx + cy * cy);
        let (a, b, c) = (m1 * m2 / (a2 * a2.sqrt()), m2 * m3 / (b2 * b2.sqrt()), m3 * m1 / (c2 * c2.sqrt()));
        [
            px1 / m1, py1 / m1, px2 / m2, py2 / m2, px3 / m3, py3 / m3,
            a * ax - c * cx, a * ay - c * cy, b * bx - a * ax, b * by - a * ay, c * cx - b * bx, c * cy - b * by,
        ]
    }
}

/// The positions and momenta when the third body passes the middle with velocity v, the others at ±`POSITION` with velocity −v/2.
fn start(velocity: &Var<f64>) -> Var<f64> {
    let [x, y] = POSITION;
    concatenate(&[Var::from([x, y, -x, -y, 0.0, 0.0]), velocity * -0.5, velocity * -0.5, velocity.clone()], 0)
}

/// The states at these times.
fn orbit(y0: &Var<f64>, times: &Var<f64>, options: &OdeOptions) -> Result<Var<f64>> {
    Ok(odeint_fused(gravity, y0, times, &Var::from([1.0, 1.0, 1.0]), options)?.y)
}

fn fixed(method: Method, step: f64, adjoint: Adjoint) -> OdeOptions {
    OdeOptions { method, stepping: Stepping::Fixed { step }, adjoint }
}

/// Σ p²/2 − Σ 1/r
fn energy(y: &[f64]) -> f64 {
    let distance = |i: usize, j: usize| (y[2 * i] - y[2 * j]).hypot(y[2 * i + 1] - y[2 * j + 1]);
    0.5 * y[6..].iter().map(|p| p * p).sum::<f64>() - 1.0 / distance(0, 1) - 1.0 / distance(1, 2) - 1.0 / distance(2, 0)
}

/// The velocity of the third body and the period, from a start near the published values.
fn fit(args: &Args, run: &mut Run) -> common::Outcome<(Var<f64>, Vec<(f64, f64)>)> {
    let mut rng = StdRng::seed_from_u64(args.options.seed);
    let mut near = |x: f64| x * (1.0 + args.perturbation * rng.random_range(-1.0..1.0));
    let mut x = ndarray::array![near(VELOCITY[0]), near(VELOCITY[1]), near(PERIOD)];
    let options = fixed(Method::Yoshida4, args.step, Adjoint::default());
    let next = [4usize, 5, 0, 1, 2, 3, 10, 11, 6, 7, 8, 9];
    let misfit = |x: &Var<f64>| {
        let y0 = start(&x.slice(s![..2]));
        let third = x.slice(s![2..]) / 3.0;
        let later = orbit(&y0, &concatenate(&[Var::from([0.0]), third], 0), &options)?.row(1);
        Ok::<_, Error>(later - y0.take(&next))
    };
    let mut trace = run.trace(&["step", "misfit", "velocity_x", "velocity_y", "period"])?;
    let mut curve = Vec::new();
    let mut search = LevenbergMarquardt::default().max_iterations(1);
    search.gradient_tolerance = 1e-14;
    for step in 0..60 {
        let found = search.minimize(misfit, &x)?;
        x = found.x;
        curve.push((step as f64, (2.0 * found.value).sqrt()));
        trace.row(&[step as f64, (2.0 * found.value).sqrt(), x[0], x[1], x[2]])?;
        if found.converged {
            break;
        }
    }
    let bound = 1e-9 + 20.0 * args.step.powi(4);
    run.result("velocity_x", x[0]).reference(VELOCITY[0], SOURCE).within(bound);
    run.result("velocity_y", x[1]).reference(VELOCITY[1], SOURCE).within(bound);
    run.result("period", x[2]).reference(PERIOD, SOURCE).within(bound);
    run.result("misfit", curve.last().map_or(f64::NAN, |c| c.1)).within(bound);
    Ok((Var::from(x).slice(s![..2]), curve))
}

/// The relative error of the energy over many periods, by integrator.
fn drift(args: &Args, y0: &Var<f64>, run: &mut Run) -> common::Outcome<Panel> {
    let samples = 40 * args.periods;
    let times: Vec<f64> = (0..=samples).map(|i| PERIOD * i as f64 / 40.0).collect();
    let mut panel = Panel::new("periods", "relative error of the energy").log_y();
    for method in [Method::Leapfrog, Method::Yoshida4, Method::ForestRuth, Method::Rk4] {
        // the same number of evaluations for all: three of them in a step of the symplectic fourth order, four in one of Runge and Kutta's
        let step = 0.01
            * match method {
                Method::Leapfrog => 1.0 / 3.0,
                Method::Rk4 => 4.0 / 3.0,
                _ => 1.0,
            };
        let y = orbit(y0, &Var::from(times.clone()), &fixed(method, step, Adjoint::default()))?;
        let exact = energy(y0.as_slice());
        let error: Vec<f64> = y.as_slice().chunks(12).map(|y| energy(y) / exact - 1.0).collect();
        let mean = |e: &[f64]| e.iter().sum::<f64>() / e.len() as f64;
        let largest = error.iter().fold(0.0, |m: f64, e| m.max(e.abs()));
        // what is left of the oscillation within a period when the first and the last tenth are averaged
        let tenth = samples / 10;
        let secular = (mean(&error[samples - tenth..]) - mean(&error[1..=tenth])).abs();
        let name = format!("{method:?}");
        run.result("energy_error_largest", largest).at("method", name.as_str()).at("periods", args.periods);
        let found = run.result("energy_drift", secular).at("method", name.as_str()).at("periods", args.periods);
        if method != Method::Rk4 {
            found.reference(0.0, "bounded for a symplectic method").within(0.05 * largest + 1e-13);
        }
        let envelope: Vec<(f64, f64)> =
            error[1..].chunks(40).enumerate().map(|(i, e)| (i as f64 + 0.5, e.iter().fold(1e-17, |m: f64, e| m.max(e.abs())))).collect();
        panel = panel.line(&name, &envelope);
    }
    Ok(panel)
}

/// ∂/∂y₀ of the moment of inertia ½ Σ q² after `periods`, by all twelve initial numbers. Backward sweeps, and forward mode for
/// [`Adjoint::Forward`], which the options select.
fn gradient(y0: &Var<f64>, periods: f64, options: &OdeOptions) -> Result<Vec<f64>> {
    let times = Var::from([0.0, periods * PERIOD]);
    let inertia = |y0: &Var<f64>| Ok::<_, Error>(orbit(y0, &times, options)?.row(1).slice(s![..6]).square().sum() * 0.5);
    Ok(grad(inertia, y0)?.as_slice().to_vec())
}

fn relative(a: &[f64], b: &[f64]) -> f64 {
    let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
    norm(&mut a.iter().zip(b).map(|(a, b)| a - b)) / norm(&mut b.iter().copied())
}

/// The errors of the gradient, by adjoint: of the steps taken (against the discrete adjoint), and of the equation (against a tight solve).
fn gradients(args: &Args, y0: &Var<f64>, run: &mut Run) -> common::Outcome<[Panel; 2]> {
    let at: Vec<f64> =
        [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 50.0, 100.0].into_iter().filter(|p| *p <= args.gradient_periods as f64).collect();
    let tight = OdeOptions { method: Method::Dop853, stepping: Stepping::adaptive(1e-14, 1e-14), adjoint: Adjoint::default() };
    let exact = at.iter().map(|p| gradient(y0, *p, &tight)).collect::<Result<Vec<_>>>()?;
    let checkpointed = Adjoint::Discrete { checkpoints: Some(32) };
    let stepped = |adjoint| fixed(Method::Yoshida4, 2e-3, adjoint);
    let adaptive = |adjoint| OdeOptions { method: Method::Dop853, stepping: Stepping::adaptive(1e-12, 1e-12), adjoint };
    // a name, the options, the bound on the error of the steps taken (0 for the discrete adjoint itself, infinite for those that are not
    // exact for the steps taken), and that on the error of the equation
    let cases = [
        ("Yoshida4, discrete", stepped(Adjoint::default()), 0.0, 1e-6),
        ("Yoshida4, 32 checkpoints", stepped(checkpointed), 1e-14, 1e-6),
        ("Yoshida4, reversible", stepped(Adjoint::reversible()), 1e-8, 1e-6),
        ("Yoshida4, forward", stepped(Adjoint::Forward), 1e-9, 1e-6),
        ("Dop853, discrete", adaptive(Adjoint::default()), 0.0, 1e-5),
        ("Dop853, 32 checkpoints", adaptive(checkpointed), 1e-14, 1e-5),
        ("Dop853, forward", adaptive(Adjoint::Forward), 1e-9, 1e-5),
        ("Dop853, reversible pair", adaptive(Adjoint::reversible()), f64::INFINITY, 1e-2),
        ("Dop853, backward", adaptive(Adjoint::Backward { reconstruction: 1e9 }), f64::INFINITY, 1e-5),
        ("Dop853, interpolated", adaptive(Adjoint::Interpolated), f64::INFINITY, 1e-5),
    ];
    let mut of_steps = Panel::new("periods", "error of the gradient, steps taken").log_x().log_y();
    let mut of_flow = Panel::new("periods", "error of the gradient, equation").log_x().log_y();
    let mut discrete = Vec::new();
    for (name, options, bound, bound_flow) in cases {
        let found = at.iter().map(|p| gradient(y0, *p, &options)).collect::<Result<Vec<_>>>()?;
        if options.adjoint == Adjoint::default() {
            discrete = found.clone();
        }
        let errors =
            |to: &[Vec<f64>]| -> Vec<(f64, f64)> { at.iter().zip(found.iter().zip(to)).map(|(p, (a, b))| (*p, relative(a, b))).collect() };
        // a logarithmic axis has no zero
        let drawn = |curve: &[(f64, f64)]| curve.iter().map(|(p, e)| (*p, e.max(1e-17))).collect::<Vec<_>>();
        let flow = errors(&exact);
        let last = *flow.last().expect("a time");
        run.result("gradient_error", last.1).at("adjoint", name).at("periods", last.0).within(bound_flow);
        if bound > 0.0 && bound.is_finite() {
            let steps = errors(&discrete);
            let last = *steps.last().expect("a time");
            let source = "the discrete adjoint of the same steps";
            run.result("gradient_error_of_steps", last.1).at("adjoint", name).at("periods", last.0).reference(0.0, source).within(bound);
            of_steps = of_steps.line(name, &drawn(&steps));
        } else {
            // the others would lie on the discrete adjoint's curve
            of_flow = of_flow.line(name, &drawn(&flow));
        }
    }
    Ok([of_steps, of_flow])
}

fn main() -> common::Outcome {
    let mut args = Args::parse();
    if args.options.smallest {
        (args.step, args.periods, args.gradient_periods) = (5e-3, 30, 2);
    }
    if !(args.step > 0.0 && args.periods >= 10 && args.gradient_periods > 0 && (0.0..0.2).contains(&args.perturbation)) {
        return Err("the step must be positive, the perturbation below 0.2, and ten periods are the fewest that show a drift".into());
    }
    let mut run = Run::start("three_body", &args, &args.options)?;
    let (velocity, history) = fit(&args, &mut run)?;
    let y0 = start(&velocity);
    let drift = drift(&args, &y0, &mut run)?;
    let [of_steps, of_flow] = gradients(&args, &y0, &mut run)?;

    let third: Vec<f64> = (0..=200).map(|i| PERIOD / 3.0 * f64::from(i) / 200.0).collect();
    let y = orbit(&y0, &Var::from(third), &fixed(Method::Yoshida4, args.step, Adjoint::default()))?;
    let mut eight = Panel::new("x", "y");
    for (body, name) in ["body 1", "body 2", "body 3"].into_iter().enumerate() {
        let path: Vec<(f64, f64)> = y.as_slice().chunks(12).map(|y| (y[2 * body], y[2 * body + 1])).collect();
        eight = eight.line(name, &path);
    }
    let fit = Panel::new("step", "misfit after a third of the period").log_y().line("Levenberg–Marquardt", &history);
    Figure::new("The figure-eight orbit of three bodies")
        .panel(eight)
        .panel(fit)
        .panel(drift)
        .panel(of_steps)
        .panel(of_flow)
        .columns(3)
        .save(run.out(), "three_body")?;
    run.finish()
}
