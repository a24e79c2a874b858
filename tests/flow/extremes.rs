//! Splines and maps at bin edges, in the tails, far out and for extreme parameters.

use super::zoo::{moved, rng, spline, zoo};
use pullback::flow::*;
use pullback::nn::Params;
use pullback::prelude::*;
use pullback::random;

fn finite(v: &Var<f64>) -> bool {
    v.as_slice().iter().all(|x| x.is_finite())
}

#[test]
fn far_points_and_large_parameters_give_finite_numbers_and_gradients() {
    for case in zoo() {
        let bounded = case.name.contains("bounded") || case.name.contains("circular");
        for scale in [1.0, 100.0] {
            let mut p = case.params.clone();
            let flat = p.flat() * scale;
            p.set_flat(&flat).unwrap();
            // an affine map whose scale is not bounded and a matrix are as large as they are told to be
            if scale > 1.0 && matches!(case.name, "affine" | "LU-linear" | "actnorm" | "composition and inverse") {
                continue;
            }
            for far in [1.0, 1e3, 1e8] {
                if bounded && far > 1.0 {
                    continue;
                }
                for inverse in [false, true] {
                    let at = &case.x * far;
                    let run = |(p, x): &(Params<f64>, Var<f64>)| {
                        let (y, l) = if inverse { case.inverse(p, x)? } else { case.forward(p, x)? };
                        Ok::<_, Error>(y.sum() * 1e-3 + l.sum())
                    };
                    let (value, (dp, dx)) = value_and_grad(run, &(p.clone(), at)).unwrap();
                    let good = finite(&value) && finite(&dx) && (p.count() == 0 || finite(&dp.flat()));
                    assert!(good, "{}, inverse {inverse}, parameters × {scale}, points × {far}", case.name);
                }
            }
        }
    }
}

/// Raw parameters of one bounded spline, and its knots in x.
fn one(tails: Tails, seed: u64, scale: f64) -> (RationalQuadratic, Var<f64>, Vec<f64>) {
    let spline = spline(tails);
    let m = <RationalQuadratic as Transformer<f64>>::parameters(&spline);
    let theta = random::normal::<f64>(&mut rng(seed), &[1, m]) * scale;
    let shares = theta.slice(s![0, ..3]).softmax(-1) * (1.0 - 3.0 * 1e-3) + 1e-3;
    let mut knots = vec![-2.0];
    shares.as_slice().iter().for_each(|s| knots.push(knots.last().unwrap() + 4.5 * s));
    (spline, theta, knots)
}

#[test]
fn a_spline_and_its_slope_are_continuous_across_the_edges_of_bins() {
    for tails in [Tails::Linear, Tails::Bounded, Tails::Circular] {
        let (spline, theta, knots) = one(tails, 3, 1.0);
        let last = knots.len() - 1;
        for (k, knot) in knots.iter().enumerate() {
            if tails != Tails::Linear && (k == 0 || k == last) {
                continue;
            }
            let at = |x: f64| {
                let (y, l) = spline.forward(&Var::full(&[1, 1], x), &theta).unwrap();
                (y.item(), l.item())
            };
            let ((a, la), (b, lb)) = (at(knot - 1e-9), at(knot + 1e-9));
            let slope = lb.exp();
            // on a circle the image may have gone round
            let step = (b - a).rem_euclid(4.5);
            assert!(
                (step - 2e-9 * slope).abs() < 1e-12 && (la - lb).abs() < 1e-6,
                "{tails:?}, edge {k}: step {step:e}, ln slopes {la} and {lb}"
            );
        }
    }
}

#[test]
fn at_the_very_edges_everything_is_finite_and_inverts() {
    for (tails, scale) in
        [(Tails::Linear, 1.0), (Tails::Bounded, 1.0), (Tails::Circular, 1.0), (Tails::Bounded, 30.0), (Tails::Linear, 1e6)]
    {
        for seed in 0..20 {
            let (spline, theta, knots) = one(tails, seed, scale);
            let mut points = knots.clone();
            *points.last_mut().unwrap() = 2.5;
            for x in points.iter().flat_map(|&x| [x, x.next_up().min(2.5), x.next_down().max(-2.0)]) {
                let f = |(x, theta): &(Var<f64>, Var<f64>)| {
                    let (y, l) = spline.forward(x, theta)?;
                    let (back, inverse_l) = spline.inverse(&y, theta)?;
                    assert!(finite(&y) && finite(&l) && finite(&back) && finite(&inverse_l), "{tails:?} × {scale} at {x}");
                    // ½ slopes down to 10⁻³ stretch rounding
                    let off = (back.item() - x.item()).abs();
                    let off = if tails == Tails::Circular { off.min(4.5 - off) } else { off };
                    assert!(scale > 1.0 || off < 1e-11, "{tails:?}: {} comes back {off:e} off", x.item());
                    Ok::<_, Error>(y.sum() + l.sum() + back.sum())
                };
                let (dx, dtheta) = grad(f, &(Var::full(&[1, 1], x), theta.clone())).unwrap();
                assert!(finite(&dx) && finite(&dtheta), "{tails:?} × {scale} at {x}: {dx} {dtheta}");
            }
        }
    }
}

#[test]
fn the_tails_are_the_identity() {
    let (spline, theta, _) = one(Tails::Linear, 1, 1.0);
    for x in [-1e300, -1e9, -2.0, 2.5, 7.0, 1e300] {
        let (y, l) = spline.forward(&Var::full(&[1, 1], x), &theta).unwrap();
        assert!((y.item() - x).abs() <= 1e-15 * x.abs() && l.item().abs() < 1e-14, "{x} goes to {} with {}", y.item(), l.item());
    }
}

#[test]
fn raw_zeros_are_the_identity() {
    for tails in [Tails::Linear, Tails::Bounded, Tails::Circular] {
        let spline = spline(tails);
        let m = <RationalQuadratic as Transformer<f64>>::parameters(&spline);
        let x = Var::linspace(-1.99, 2.49, 40).reshape(&[40, 1]);
        let (y, l) = spline.forward(&x, &Var::zeros(&[40, m])).unwrap();
        assert!((y - x).abs().max().item() < 1e-14 && l.abs().max().item() < 1e-13);
    }
}

#[test]
fn third_derivatives_of_a_spline_are_those_of_its_composed_form() {
    // the fused pullback is differentiated as the formula is: the gradient of the gradient along x of ln y′
    let (spline, theta, _) = one(Tails::Bounded, 2, 0.5);
    let x = Var::full(&[1, 1], 0.3);
    let slope = |x: &Var<f64>| grad(|x: &Var<f64>| Ok::<_, Error>(spline.forward(x, &theta)?.1.sum()), x);
    let second = |x: &Var<f64>| grad(|x: &Var<f64>| Ok::<_, Error>(slope(x)?.sum()), x);
    let h = 1e-4;
    let numeric = (slope(&(&x + h)).unwrap().item() - slope(&(&x - h)).unwrap().item()) / (2.0 * h);
    let exact = second(&x).unwrap().item();
    assert!((exact - numeric).abs() < 1e-5 * exact.abs().max(1.0), "{exact} against {numeric}");
}

#[test]
fn a_root_solved_map_inverts_far_out_and_in_steep_places() {
    let map = RootSolved::new(TanhSum::new(2).unwrap());
    let theta = moved(Params::new(), 0.0, 1);
    assert_eq!(theta.count(), 0);
    let theta = Var::from_shape_vec(&[5, 6], [3.0, 0.5, 40.0, 1.0, 0.0, -2.0].repeat(5)).unwrap();
    let y = Var::from_shape_vec(&[5, 1], vec![-1e12, -3.0, 1e-9, 2.0, 1e12]).unwrap();
    let (x, _) = map.inverse(&y, &theta).unwrap();
    let (back, _) = map.forward(&x, &theta).unwrap();
    for (a, b) in back.as_slice().iter().zip(y.as_slice()) {
        assert!((a - b).abs() <= 1e-12 * b.abs().max(1.0), "{a} against {b}");
    }
}
