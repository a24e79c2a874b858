//! Loops with a carried state: against plain loops, with stored and recomputed carries, to second order and in both modes.

use approx::assert_relative_eq;
use ndarray::{Array1, Array2, array};
use num_complex::Complex64;
use pullback::prelude::*;

/// A driven pair (q, p): q ← q + h p, p ← p − h sin q + w x.
fn step((h, w): &(Var<f64>, Var<f64>), (q, p): &(Var<f64>, Var<f64>), x: &Var<f64>) -> ((Var<f64>, Var<f64>), Var<f64>) {
    let q = q + h * p;
    let p = p - h * q.sin() + w * x;
    ((q.clone(), p.clone()), q * p)
}

type State = (Var<f64>, Var<f64>);

fn scanned(carry: Carry) -> impl Fn(&(State, State, Var<f64>)) -> Result<(State, Var<f64>)> {
    move |(params, init, xs): &(State, State, Var<f64>)| scan(step, params, init, xs, &ScanOptions { carry, length: None })
}

fn looped((params, init, xs): &(State, State, Var<f64>)) -> (State, Vec<Var<f64>>) {
    let mut state = init.clone();
    let mut results = Vec::new();
    // the rows of xs by their weights, so that the loop uses no operation of scan
    for t in 0..xs.shape()[0] {
        let mut weights = Array2::zeros((xs.shape()[0], 1));
        weights[[t, 0]] = 1.0;
        let row = (xs * Var::from(weights)).sum_axis(0);
        let (next, y) = step(params, &state, &row);
        state = next;
        results.push(y);
    }
    (state, results)
}

fn problem(steps: usize) -> (State, State, Var<f64>) {
    let xs = Array2::from_shape_fn((steps, 2), |(t, i)| (0.7 * t as f64 + i as f64).sin());
    ((Var::scalar(0.1), Var::from([0.3, -0.2])), (Var::from([0.4, -0.1]), Var::from([0.0, 0.5])), Var::from(xs))
}

const CARRIES: [Carry; 5] =
    [Carry::Store, Carry::Recompute, Carry::RecomputeEvery(1), Carry::RecomputeEvery(4), Carry::RecomputeEvery(100)];

#[test]
fn agrees_with_a_plain_loop() {
    let x = problem(11);
    let loss = |(q, p): &State, sum: Var<f64>| (q * p).sum() + sum;
    let (value, exact) = value_and_grad(
        |x: &(State, State, Var<f64>)| {
            let (state, results) = looped(x);
            let sum = results.iter().map(|y| y.square().sum()).reduce(|a, b| a + b).unwrap();
            loss(&state, sum)
        },
        &x,
    )
    .unwrap();
    for carry in CARRIES {
        let f = scanned(carry);
        let (v, g) = value_and_grad(
            |x: &(State, State, Var<f64>)| {
                let (state, results) = f(x)?;
                assert_eq!(results.shape(), &[11, 2]);
                Ok::<_, Error>(loss(&state, results.square().sum()))
            },
            &x,
        )
        .unwrap();
        assert_relative_eq!(v.item(), value.item(), max_relative = 1e-13);
        for (a, b) in [(&g.0.0, &exact.0.0), (&g.0.1, &exact.0.1), (&g.1.0, &exact.1.0), (&g.1.1, &exact.1.1), (&g.2, &exact.2)] {
            assert_relative_eq!(a.as_slice(), b.as_slice(), max_relative = 1e-11, epsilon = 1e-13);
        }
    }
}

#[test]
fn finite_differences_agree_in_both_modes_and_to_second_order() {
    for carry in CARRIES {
        gradcheck(scanned(carry), &problem(5)).unwrap();
    }
}

#[test]
fn complex_carries_without_inputs_or_parameters() {
    // z ← z² + c, five times
    let mandelbrot = |z: &Var<Complex64>, c: &Var<Complex64>| {
        let options = ScanOptions { carry: Carry::Recompute, length: Some(5) };
        let step = |c: &Var<Complex64>, z: &Var<Complex64>, _: &()| {
            let next = z * z + c;
            (next.clone(), next)
        };
        scan(step, c, z, &(), &options)
    };
    let (z, c) = (array![Complex64::new(0.1, 0.3)], array![Complex64::new(-0.4, 0.2)]);
    let (last, orbit) = mandelbrot(&Var::from(&z), &Var::from(&c)).unwrap();
    assert_eq!(orbit.shape(), &[5, 1]);
    assert_eq!(orbit.as_slice()[4], last.item());
    gradcheck(|(z, c): &(Var<Complex64>, Var<Complex64>)| mandelbrot(z, c), &(z, c)).unwrap();
}

#[test]
fn a_recomputed_carry_refuses_captured_variables() {
    let options = |carry| ScanOptions { carry, length: Some(3) };
    let f = |carry| {
        grad(
            move |w: &Var<f64>| {
                let captured = w.clone();
                let step = move |_: &(), c: &Var<f64>, _: &()| {
                    let next = c * &captured;
                    (next.clone(), next)
                };
                Ok::<_, Error>(scan(step, &(), &Var::scalar(1.0), &(), &options(carry))?.0)
            },
            &2.0,
        )
    };
    assert_relative_eq!(f(Carry::Store).unwrap(), 12.0);
    let e = f(Carry::RecomputeEvery(2)).unwrap_err().to_string();
    assert!(e.contains("checkpoint") && e.contains("pass it as an input"), "{e}");
}

#[test]
fn misuse_is_named() {
    let run = |xs: &Var<f64>, options: ScanOptions| {
        let step = |_: &(), c: &Var<f64>, x: &Var<f64>| (c + x, x.clone());
        scan(step, &(), &Var::scalar(0.0), xs, &options).map(|_| ()).unwrap_err().to_string()
    };
    let xs = Var::from(Array1::<f64>::zeros(3));
    let e = run(&xs, ScanOptions { length: Some(4), ..Default::default() });
    assert!(e.contains("3 rows") && e.contains("4 steps"), "{e}");
    assert!(run(&xs, ScanOptions { carry: Carry::RecomputeEvery(0), ..Default::default() }).contains("segments of 0 steps"));
    assert!(run(&Var::from(Vec::<f64>::new()), ScanOptions::default()).contains("no step"));
    let grows = |_: &(), c: &Var<f64>, x: &Var<f64>| (c + x * Var::from([1.0, 1.0]), x.clone());
    let e = scan(grows, &(), &Var::scalar(0.0), &xs, &ScanOptions::default()).map(|_| ()).unwrap_err().to_string();
    assert!(e.contains("the carry") && e.contains("[2]"), "{e}");
    let uneven = |_: &(), c: &Var<f64>, (x, _): &(Var<f64>, Var<f64>)| (c + x, x.clone());
    let pair = (xs.clone(), Var::from([1.0, 2.0]));
    let e = scan(uneven, &(), &Var::scalar(0.0), &pair, &ScanOptions::default()).map(|_| ()).unwrap_err().to_string();
    assert!(e.contains("[[3], [2]]"), "{e}");
}
