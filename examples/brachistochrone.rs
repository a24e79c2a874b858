//! The curve of fastest descent, by the gradient of the travel time.

mod common;

use clap::Parser;
use common::plot::{Figure, Panel};
use common::{Options, Run};
use pullback::optim::{Lbfgs, LbfgsOptions};
use pullback::prelude::*;

/// Bernoulli's brachistochrone: along which wire does a bead slide fastest, without friction, from rest at the origin to a point at
/// distance X and depth Y? The wire is a chain of straight segments; on each the acceleration is constant, so a segment of length l takes
/// 2l/(v + v′) exactly, with v² = 2gy from the conservation of energy. The gradient of the sum by the depths of all joints goes to L-BFGS, from
/// the straight line on. The answer is a cycloid, x = R(θ − sin θ), y = R(1 − cos θ), which takes θ√(R/g).
#[derive(Parser, serde::Serialize)]
struct Args {
    /// Horizontal distance X, in metres
    #[arg(long, default_value_t = 1.0)]
    distance: f64,
    /// Depth Y, in metres
    #[arg(long, default_value_t = 0.65)]
    depth: f64,
    /// Acceleration of gravity, in metres per second squared
    #[arg(long, default_value_t = 9.81)]
    gravity: f64,
    /// Segments of the wire
    #[arg(long, default_value_t = 150)]
    segments: usize,
    #[command(flatten)]
    #[serde(flatten)]
    options: Options,
}

/// The cycloid through (X, Y): its angle θ there and its radius R. (θ − sin θ)/(1 − cos θ) rises from 0 to infinity on (0, 2π).
fn cycloid(distance: f64, depth: f64) -> (f64, f64) {
    let (mut low, mut high) = (1e-6, std::f64::consts::TAU - 1e-6);
    for _ in 0..200 {
        let theta = 0.5 * (low + high);
        if (theta - theta.sin()) / (1.0 - theta.cos()) < distance / depth { low = theta } else { high = theta }
    }
    (low, depth / (1.0 - low.cos()))
}

/// The time along the chain through the depths y at the places x, both from the origin on.
fn travel_time(x: &Var<f64>, y: &Var<f64>, gravity: f64) -> Var<f64> {
    let speed = (2.0 * gravity * y).sqrt();
    let length = (x.diff(1, 0).square() + y.diff(1, 0).square()).sqrt();
    (2.0 * length / (speed.slice(s![1..]) + speed.slice(s![..-1]))).sum()
}

fn main() -> common::Outcome {
    let mut args = Args::parse();
    if args.options.smallest {
        args.segments = 50;
    }
    if !(args.distance > 0.0 && args.depth > 0.0 && args.gravity > 0.0 && args.segments > 1) {
        return Err("distance, depth and gravity must be positive, and the wire needs two segments".into());
    }
    let mut run = Run::start("brachistochrone", &args, &args.options)?;
    let (n, gravity) = (args.segments, args.gravity);
    // close to the start, where the curve is vertical, the joints are dense
    let x: Vec<f64> = (0..=n).map(|i| args.distance * (i as f64 / n as f64).powf(2.5)).collect();
    let places = Var::from(x.clone());
    let (top, bottom) = (Var::from([0.0]), Var::from([args.depth]));
    let whole = |inner: &Var<f64>| concatenate(&[top.clone(), inner.clone(), bottom.clone()], 0);
    let time = |inner: &Var<f64>| travel_time(&places, &whole(inner), gravity);

    let start = Var::from(x[1..n].iter().map(|x| x * args.depth / args.distance).collect::<Vec<_>>());
    let straight = time(&start).item();
    let mut trace = run.trace(&["iteration", "time", "gradient"])?;
    let mut rows = Vec::new();
    let options = LbfgsOptions { memory: 30, max_iterations: 3000, gradient_tolerance: 1e-9, ..Default::default() };
    let bar = common::bar("descent", options.max_iterations);
    let minimum = Lbfgs::new(options).minimize_with(time, &start, |step, _| {
        rows.push([step.iteration as f64, step.value, step.gradient]);
        bar.inc(1);
        true
    })?;
    bar.finish_and_clear();
    rows.iter().try_for_each(|row| trace.row(row))?;

    let (theta, radius) = cycloid(args.distance, args.depth);
    let fastest = theta * (radius / gravity).sqrt();
    let y = whole(&minimum.x);
    // the depth of the cycloid below the joints
    let exact: Vec<f64> = x.iter().map(|&x| if x == 0.0 { 0.0 } else { depth_at(x / radius) * radius }).collect();
    let off = y.as_slice().iter().zip(&exact).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    run.result("travel_time", minimum.value).reference(fastest, "cycloid, θ√(R/g)").within(1e-4 * fastest);
    run.result("travel_time_straight", straight)
        .reference((2.0 * (args.distance.powi(2) + args.depth.powi(2)) / (gravity * args.depth)).sqrt(), "inclined plane")
        .within(1e-12);
    run.result("largest_difference_of_depth", off).within(5e-3 * args.depth);
    run.result("iterations", minimum.iterations as f64);
    let curve = |y: &[f64]| x.iter().zip(y).map(|(&x, &y)| (x, -y)).collect::<Vec<_>>();
    let line = [(0.0, 0.0), (args.distance, -args.depth)];
    let history: Vec<(f64, f64)> = rows.iter().map(|row| (row[0], (row[1] / fastest - 1.0).max(1e-16))).collect();
    Figure::new("Brachistochrone")
        .panel(Panel::new("x (m)", "−y (m)").line("cycloid", &curve(&exact)).points("descent", &curve(y.as_slice())).dashed("start", &line))
        .panel(Panel::new("iteration", "time over the cycloid's − 1").line("L-BFGS", &history).log_y())
        .save(run.out(), "brachistochrone")?;
    run.finish()
}

/// The depth of the cycloid of radius 1 at x = θ − sin θ on its first arch.
fn depth_at(x: f64) -> f64 {
    let (mut low, mut high) = (0.0, std::f64::consts::TAU);
    for _ in 0..100 {
        let theta = 0.5 * (low + high);
        if theta - theta.sin() < x { low = theta } else { high = theta }
    }
    1.0 - low.cos()
}
