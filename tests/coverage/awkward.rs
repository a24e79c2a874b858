//! The points where a derivative is a matter of choice, or where a formula that is right elsewhere gives 0/0: what the documentation of each
//! function promises there, in both modes, and where it is finite to second order.

use super::support::*;
use ndarray::array;
use pullback::linalg::{Norm, det, norm, pinv};
use pullback::prelude::*;
use std::f64::consts::PI;

const INF: f64 = f64::INFINITY;

/// The gradient of Σ f, by a backward sweep; the forward mode must say the same, coordinate by coordinate.
#[track_caller]
fn gradient(f: &dyn Fn(&R) -> R, x: &R) -> Vec<f64> {
    let g = grad(|x: &R| f(x).sum(), x).unwrap();
    for k in 0..x.len() {
        let mut unit = vec![0.0; x.len()];
        unit[k] = 1.0;
        let unit = Var::from_shape_vec(x.shape(), unit).unwrap();
        let (_, dy) = jvp(|x: &R| f(x).sum(), x, &unit).unwrap();
        let (forward, reverse) = (dy.item(), g.as_slice()[k]);
        assert!(
            forward == reverse || (forward - reverse).abs() < 1e-12 * (1.0 + reverse.abs()),
            "element {k}: {forward} forward, {reverse} reverse"
        );
    }
    g.as_slice().to_vec()
}

/// The Hessian of Σ f, forward over reverse; reverse over reverse must say the same.
#[track_caller]
fn second(f: &dyn Fn(&R) -> R, x: &R) -> Vec<f64> {
    let loss = |x: &R| f(x).sum();
    let n = x.len();
    let h = hessian(loss, x).unwrap();
    for k in 0..n {
        let row = grad(|x: &R| Ok::<_, Error>(grad(loss, x)?.reshape(&[n]).get(&[k as isize])), x);
        // a gradient that does not depend on x any more is refused as such: its derivative is zero
        let row = row.map_or_else(|_| vec![0.0; n], |r| r.as_slice().to_vec());
        for (a, b) in h.as_slice()[k * n..(k + 1) * n].iter().zip(&row) {
            assert!(a == b || (a - b).abs() < 1e-12 * (1.0 + a.abs()), "row {k}: {a} forward over reverse, {b} reverse over reverse");
        }
    }
    h.as_slice().to_vec()
}

#[test]
fn abs_at_zero() {
    let x = Var::from([0.0, -2.0]);
    assert_eq!(gradient(&|x| x.abs(), &x), [0.0, -1.0]);
    assert_eq!(second(&|x| x.abs(), &x), [0.0; 4]);
    let zero = Var::from([C::new(0.0, 0.0), C::new(3.0, 4.0)]);
    let g = grad(|z: &Z| z.abs().sum(), &zero).unwrap();
    close_c(&g, &[C::new(0.0, 0.0), C::new(0.6, 0.8)]);
    assert_eq!(second(&|x| x.to_complex().abs(), &Var::from([0.0])), [0.0]);
    // smooth: the second derivative is there
    assert_eq!(second(&|x| x.to_complex().abs_squared(), &Var::from([0.0])), [2.0]);
}

#[test]
fn norm_at_zero_and_with_ties() {
    let zero = Var::from([0.0, 0.0]);
    for p in [1.0, 2.0, 3.0, 0.5, INF, -INF, -1.0] {
        assert_eq!(gradient(&|x| norm(x, p, ..).unwrap(), &zero), [0.0; 2], "p = {p}");
    }
    assert_eq!(second(&|x| norm(x, 2.0, ..).unwrap(), &zero), [0.0; 4]);
    // one entry zero: it contributes nothing, the other as ever
    let one = Var::from([0.0, 2.0]);
    for p in [0.5, 1.0, 1.5, 2.0, 3.0, INF] {
        close(&Var::from(gradient(&|x| norm(x, p, ..).unwrap(), &one)), &[0.0, 1.0]);
        assert!(second(&|x| norm(x, p, ..).unwrap(), &one).iter().all(|h| h.is_finite()), "p = {p}");
    }
    close(&Var::from(second(&|x| norm(x, 2.0, ..).unwrap(), &one)), &[0.5, 0.0, 0.0, 0.0]);
    // ties share
    assert_eq!(gradient(&|x| norm(x, INF, ..).unwrap(), &Var::from([2.0, -2.0])), [0.5, -0.5]);
    assert_eq!(gradient(&|x| norm(x, -INF, ..).unwrap(), &Var::from([2.0, -2.0])), [0.5, -0.5]);
    let ties = Var::from(array![[1.0, 2.0], [2.0, 1.0]]);
    assert_eq!(gradient(&|x| norm(x, 1.0, ..).unwrap(), &ties), [0.5; 4]);
    let unit = Var::<f64>::eye(2);
    let halves = |x: &R| norm(x, 2.0, ..).unwrap();
    close(&grad(halves, &unit).unwrap(), &[0.5, 0.0, 0.0, 0.5]);
    close(&grad(|x: &R| norm(x, -2.0, ..), &unit).unwrap(), &[0.5, 0.0, 0.0, 0.5]);
    close(&grad(|x: &R| norm(x, Norm::Nuc, ..), &unit).unwrap(), &[1.0, 0.0, 0.0, 1.0]);
    // singular values that vanish contribute nothing
    let rank_one = Var::from(array![[3.0, 0.0], [4.0, 0.0]]);
    for which in [Norm::Nuc, Norm::P(2.0), Norm::Fro] {
        close(&Var::from(gradient(&|x| norm(x, which, ..).unwrap(), &rank_one)), &[0.6, 0.0, 0.8, 0.0]);
        assert_eq!(gradient(&|x| norm(x, which, ..).unwrap(), &Var::zeros(&[2, 2])), [0.0; 4]);
    }
    assert_eq!(gradient(&|x| norm(x, -2.0, ..).unwrap(), &rank_one), [0.0; 4]);
}

#[test]
fn sqrt_at_zero() {
    let x = Var::from([0.0, 4.0]);
    assert_eq!(gradient(&|x| x.sqrt(), &x), [0.0, 0.25]);
    assert_eq!(second(&|x| x.sqrt(), &x), [0.0, 0.0, 0.0, -1.0 / 32.0]);
    assert_eq!(gradient(&|x| x.cbrt(), &Var::from([0.0, 8.0])), [0.0, 1.0 / 12.0]);
    // what the choice is for
    assert_eq!(gradient(&|x| x.square().sum().sqrt(), &Var::from([0.0, 0.0])), [0.0, 0.0]);
}

#[test]
fn power_with_base_zero_and_negative_base() {
    let zero = Var::from([0.0]);
    for (p, first, curvature) in [(0.0, 0.0, 0.0), (1.0, 1.0, 0.0), (2.0, 0.0, 2.0), (3.0, 0.0, 0.0), (2.5, 0.0, 0.0), (0.5, INF, -INF)] {
        assert_eq!(gradient(&|x| x.powf(p), &zero), [first], "0^{p}");
        let h = second(&|x| x.powf(p), &zero)[0];
        assert!(h == curvature, "0^{p}: {h}");
    }
    // in the exponent: 0^y stays 0 for y > 0, and at 0⁰ the derivative is taken as 0
    let y = Var::from([2.0, 0.0]);
    assert_eq!(gradient(&|y| Var::from([0.0, 0.0]).pow(y), &y), [0.0, 0.0]);
    // a negative base with an integer exponent, a plain number
    let x = Var::from([-2.0]);
    assert_eq!((x.powi(3).item(), x.powi(-1).item(), x.powf(2.0).item()), (-8.0, -0.5, 4.0));
    assert_eq!(gradient(&|x| x.powi(3), &x), [12.0]);
    assert_eq!(second(&|x| x.powi(3), &x), [-12.0]);
    // with an exponent that is a variable the base still has its derivative; the exponent has none
    let (gx, gy) = grad(|(x, y): &(R, R)| x.pow(y), &(x.clone(), Var::from([3.0]))).unwrap();
    assert_eq!(gx.item(), 12.0);
    assert!(gy.item().is_nan() && x.powf(0.5).item().is_nan());
}

#[test]
fn max_and_sort_with_ties() {
    let x = Var::from([2.0, 5.0, 5.0]);
    assert_eq!(gradient(&|x| x.max(), &x), [0.0, 0.5, 0.5]);
    assert_eq!(gradient(&|x| x.min(), &Var::from([2.0, 2.0, 2.0, 5.0])), [1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 0.0]);
    assert_eq!(gradient(&|x| x.maximum(Var::from([1.0, 5.0, 9.0])), &x), [1.0, 0.5, 0.0]);
    assert_eq!(gradient(&|x| x.fmin(Var::from([1.0, 5.0, 9.0])), &x), [0.0, 0.5, 1.0]);
    // the tied elements share the weights of their two places
    let weights = Var::from([1.0, 2.0, 4.0]);
    assert_eq!(gradient(&|x| x.sort(0) * &weights, &x), [1.0, 3.0, 3.0]);
    assert_eq!(gradient(&|x| x.median(), &x), [0.0, 0.5, 0.5]);
    assert_eq!(gradient(&|x| x.top_k(1).0, &x), [0.0, 0.5, 0.5]);
    for f in [|x: &R| x.max(), |x: &R| x.sort(0).square()] {
        assert!(second(&f, &x).iter().all(|h| h.is_finite()));
    }
    // a NaN that is the result has the derivative too
    let (gx, gy) = grad(|(x, y): &(R, R)| (x.maximum(y) * 3.0).sum(), &(Var::from([f64::NAN, 1.0]), Var::from([2.0, f64::NAN]))).unwrap();
    assert_eq!((gx.as_slice(), gy.as_slice()), (&[3.0, 0.0][..], &[0.0, 3.0][..]));
}

#[test]
fn where_with_nan_or_infinity_in_the_branch_not_taken() {
    let x = Var::from([4.0, 0.0, -1.0]);
    let positive = |x: &R| x.gt(0.0);
    let cases: [(&dyn Fn(&R) -> R, f64, f64); 9] = [
        (&|x| x.sqrt(), 0.25, -1.0 / 32.0),
        (&|x| x.log(), 0.25, -1.0 / 16.0),
        (&|x| x.reciprocal(), -1.0 / 16.0, 1.0 / 32.0),
        (&|x| 1.0 / x, -1.0 / 16.0, 1.0 / 32.0),
        (&|x| x.powf(0.5), 0.25, -1.0 / 32.0),
        (&|x| x.pow(Var::from([0.5, 0.5, 0.5])), 0.25, -1.0 / 32.0),
        (&|x| (x * x.log()).sqrt() / x.log(), f64::NAN, f64::NAN),
        (&|x| x.log() * x.reciprocal() * x.log() / x, f64::NAN, f64::NAN),
        (&|x| x.log().arctan2(x.reciprocal()), f64::NAN, f64::NAN),
    ];
    for (k, (f, first, curvature)) in cases.into_iter().enumerate() {
        let chosen = |x: &R| where_(&positive(x), f(x), 0.0);
        let g = gradient(&chosen, &x);
        assert_eq!(g[1..], [0.0, 0.0], "case {k}");
        let h = second(&chosen, &x);
        assert!(h[1..].iter().all(|h| *h == 0.0), "case {k}: {h:?}");
        if first.is_nan() {
            // no closed form here: what the function has where it is alone
            let alone = gradient(f, &Var::from([4.0]));
            assert_eq!(g[0], alone[0], "case {k}");
        } else {
            assert!((g[0] - first).abs() < 1e-15 && (h[0] - curvature).abs() < 1e-15, "case {k}: {g:?} {h:?}");
        }
    }
    // a fused scalar function keeps the zero as well, small and large
    scalar_fn! { fn entropy(x) { x * x.ln() } }
    for n in [3, 3000] {
        let x = Var::from((0..n).map(|k| [4.0, 0.0, -1.0][k % 3]).collect::<Vec<f64>>());
        let g = grad(|x: &R| where_(&positive(x), map(entropy, x), 0.0).sum(), &x).unwrap();
        let want = [4f64.ln() + 1.0, 0.0, 0.0];
        assert!(g.as_slice().iter().enumerate().all(|(k, g)| (g - want[k % 3]).abs() < 1e-14));
    }
    // complex
    let z = Var::from([C::new(0.0, 0.0), C::new(2.0, 0.0)]);
    let g = grad(|z: &Z| where_(&z.re().gt(1.0), z.log() / z, C::new(0.0, 0.0)).re().sum(), &z).unwrap();
    close_c(&g, &[C::new(0.0, 0.0), C::new((1.0 - 2f64.ln()) / 4.0, 0.0)]);
}

#[test]
fn logsumexp_of_infinities() {
    let nothing = Var::from([-INF, -INF]);
    assert_eq!(nothing.logsumexp().item(), -INF);
    assert_eq!(gradient(&|x| x.logsumexp(), &nothing), [0.0, 0.0]);
    assert_eq!(second(&|x| x.logsumexp(), &nothing), [0.0; 4]);
    assert_eq!(gradient(&|x| x.logsumexp(), &Var::from([-INF, 3.0])), [0.0, 1.0]);
    assert_eq!(gradient(&|x| x.logsumexp(), &Var::from([INF, INF, 0.0])), [0.5, 0.5, 0.0]);
    for (x, y, value, first) in
        [(-INF, -INF, -INF, 0.0), (-INF, 3.0, 3.0, 0.0), (3.0, -INF, 3.0, 1.0), (INF, INF, INF, 0.5), (INF, 0.0, INF, 1.0)]
    {
        let f = |x: &R| x.logaddexp(y);
        assert_eq!((f(&Var::from([x])).item(), gradient(&f, &Var::from([x]))), (value, vec![first]), "logaddexp({x}, {y})");
        let f = |x: &R| x.logaddexp2(y);
        assert_eq!((f(&Var::from([x])).item(), gradient(&f, &Var::from([x]))), (value, vec![first]), "logaddexp2({x}, {y})");
        assert!(second(&f, &Var::from([x]))[0].is_finite());
    }
    assert!(Var::from([f64::NAN]).logaddexp(0.0).item().is_nan());
}

#[test]
fn angles_at_the_origin() {
    let origin = Var::from([0.0, 0.0]);
    let angle = |x: &R| x.slice(s![0]).arctan2(x.slice(s![1]));
    assert_eq!(gradient(&angle, &origin), [0.0, 0.0]);
    assert_eq!(second(&angle, &origin), [0.0; 4]);
    let g = grad(|z: &Z| z.angle().sum(), &Var::from([C::new(0.0, 0.0)])).unwrap();
    assert_eq!(g.item(), C::new(0.0, 0.0));
    assert_eq!(gradient(&|x| x.slice(s![0]).hypot(x.slice(s![1])), &origin), [0.0, 0.0]);
    // far from 1 the derivative is right, not 0 by underflow or overflow of r²
    for size in [1e-200, 1e200] {
        let g = gradient(&angle, &Var::from([3.0 * size, 4.0 * size]));
        close(&Var::from([g[0] * size, g[1] * size]), &[4.0 / 25.0, -3.0 / 25.0]);
    }
}

#[test]
fn clip_at_its_bounds() {
    let x = Var::from([-1.0, 0.0, 0.5, 1.0, 2.0]);
    assert_eq!(gradient(&|x| x.clip(0.0, 1.0), &x), [0.0, 1.0, 1.0, 1.0, 0.0]);
    assert_eq!(gradient(&|low| Var::from([-1.0, 0.0, 0.5]).clip(low, 1.0), &Var::from([0.0])), [1.0]);
    assert_eq!(second(&|x| x.clip(0.0, 1.0), &x), [0.0; 25]);
}

#[test]
fn sinc_at_zero() {
    let x = Var::from([0.0]);
    assert_eq!(x.sinc().item(), 1.0);
    assert_eq!(gradient(&|x| x.sinc(), &x), [0.0]);
    close(&Var::from(second(&|x| x.sinc(), &x)), &[-PI * PI / 3.0]);
    // the fourth derivative is π⁴/5
    let fourth = hessian(|x: &R| hessian(|x: &R| x.sinc(), x).map(|h| h.sum()), &Var::scalar(0.0)).unwrap();
    close(&fourth, &[PI.powi(4) / 5.0]);
}

#[test]
fn products_with_zeros() {
    let x = Var::from([2.0, 0.0, 5.0]);
    assert_eq!(gradient(&|x| x.prod(), &x), [0.0, 10.0, 0.0]);
    assert_eq!(second(&|x| x.prod(), &x), [0.0, 5.0, 0.0, 5.0, 0.0, 2.0, 0.0, 2.0, 0.0]);
    let two = Var::from([0.0, 3.0, 0.0]);
    assert_eq!(gradient(&|x| x.prod(), &two), [0.0, 0.0, 0.0]);
    assert_eq!(second(&|x| x.prod(), &two), [0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0]);
    // x₀ + x₀x₁ + x₀x₁x₂
    assert_eq!(gradient(&|x| x.cumprod(0), &x), [1.0, 2.0 + 10.0, 0.0]);
    assert_eq!(second(&|x| x.cumprod(0), &x), [0.0, 6.0, 0.0, 6.0, 0.0, 2.0, 0.0, 2.0, 0.0]);
}

#[test]
fn deviation_of_a_constant() {
    let x = Var::from([0.3, 0.3, 0.3]);
    assert_eq!(x.std(0).item(), 0.0);
    assert_eq!(gradient(&|x| x.std(0), &x), [0.0; 3]);
    assert!(second(&|x| x.std(0), &x).iter().all(|h| h.is_finite()));
    assert_eq!(gradient(&|x| x.var(0), &x), [0.0; 3]);
    close(&Var::from(second(&|x| x.var(0), &x)), &[4.0, -2.0, -2.0, -2.0, 4.0, -2.0, -2.0, -2.0, 4.0].map(|h| h / 9.0));
}

#[test]
fn determinant_of_a_singular_matrix() {
    let a = Var::from(array![[1.0, 2.0], [2.0, 4.0]]);
    close(&Var::from(gradient(&|a| det(a).unwrap(), &a)), &[4.0, -2.0, -2.0, 1.0]);
    let zero = Var::zeros(&[3, 3]);
    assert_eq!(gradient(&|a| det(a).unwrap(), &zero), [0.0; 9]);
    check(&|a| det(a).unwrap(), &a);
    check(&|a| det(a).unwrap(), &zero);
}

/// Along matrices of the same rank the derivative is right; where the rank changes there is none, and what comes out is the former.
#[test]
fn pseudoinverse_where_the_rank_changes() {
    let (u, v) = (Var::from(array![[1.0], [2.0], [-1.0]]), Var::from(array![[0.5, -1.5]]));
    let inverse = |u: &R, v: &R| pinv(&u.matmul(v), Some(1e-10)).unwrap();
    // (u v)⁺ = v⁺ u⁺
    same(&inverse(&u, &v), &(v.t() / v.square().sum()).matmul(u.t() / u.square().sum()));
    let order = GradCheck { order: 1, ..Default::default() };
    gradcheck_with(|(u, v): &(R, R)| inverse(u, v), &(u, v), &order).unwrap();
    // diag(2, s) at s = 0: the entry s has no derivative, the other is −1/4
    let g = grad(|a: &R| Ok::<_, Error>(pinv(a, Some(1e-10))?.sum()), &Var::from(array![[2.0, 0.0], [0.0, 0.0]])).unwrap();
    close(&g, &[-0.25, 0.25, 0.25, 0.0]);
    // full rank again: no longer zero
    let g = grad(|a: &R| Ok::<_, Error>(pinv(a, None)?.sum()), &Var::from(array![[2.0, 0.0], [0.0, 1e-3]])).unwrap();
    assert!((g.as_slice()[3] + 1e6).abs() < 1e-3);
}
