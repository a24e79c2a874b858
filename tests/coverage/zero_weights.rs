//! g ⊠ d: a zero cotangent or tangent times an infinite or NaN derivative is an exact zero, anything else is the product. In the fused
//! kernels of every elementary function, on every path (one element, in place, shared, broadcast, recorded) and size.

use super::support::*;
use pullback::prelude::*;

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

/// Elementary functions with a point where the derivative is infinite or NaN.
#[allow(clippy::type_complexity)]
const SINGULAR: &[(&str, fn(&R) -> R, f64)] = &[
    ("log", |x| x.log(), 0.0),
    ("log2", |x| x.log2(), 0.0),
    ("log10", |x| x.log10(), 0.0),
    ("log1p", |x| x.log1p(), -1.0),
    ("sqrt of a negative number", |x| x.sqrt(), -1.0),
    ("reciprocal", |x| x.reciprocal(), 0.0),
    ("exp", |x| x.exp(), 1e9),
    ("exp2", |x| x.exp2(), 1e9),
    ("expm1", |x| x.expm1(), 1e9),
    ("sinh", |x| x.sinh(), 1e9),
    ("cosh", |x| x.cosh(), 1e9),
    ("square", |x| x.square(), INF),
    ("sin", |x| x.sin(), INF),
    ("cos", |x| x.cos(), INF),
    ("tan", |x| x.tan(), NAN),
    ("arcsin", |x| x.arcsin(), 1.0),
    ("arccos", |x| x.arccos(), 1.0),
    ("arctanh", |x| x.arctanh(), 1.0),
    ("arccosh", |x| x.arccosh(), 1.0),
    ("abs of nan", |x| x.abs(), NAN),
    ("sinc", |x| x.sinc(), NAN),
    ("division by zero", |x| 1.0 / x, 0.0),
    ("product with infinity", |x| x * INF, 2.0),
    ("product with nan", |x| Var::scalar(NAN) * x, 2.0),
    ("power", |x| x.powf(0.5), 0.0),
    ("power below zero", |x| x.powf(-1.5), 0.0),
    ("exponent", |x| Var::scalar(-1.0).pow(x), 0.5),
    ("arctan2", |x| x.arctan2(NAN), 1.0),
    ("hypot", |x| x.hypot(NAN), 1.0),
    ("logaddexp", |x| x.logaddexp(NAN), 1.0),
];

/// Pulls weights 0 and 1 in turn through f at its singular point, at a size on either side of the threshold for threads.
#[test]
fn a_zero_cotangent_stays_zero_and_another_does_not() {
    for &(name, f, at) in SINGULAR {
        for n in [1, 7, 40_000] {
            let x = Var::full(&[n], at);
            let weights = Var::from((0..n).map(|k| (k % 2) as f64).collect::<Vec<_>>());
            let (_, pull) = vjp(f, &x).unwrap();
            let g = pull.call(&weights).unwrap();
            let (_, dy) = jvp(f, &x, &weights).unwrap();
            for (mode, d) in [("reverse", &g), ("forward", &dy)] {
                assert!(
                    d.as_slice().iter().step_by(2).all(|d| *d == 0.0),
                    "{name}, {mode} mode: a zero has become {:?}",
                    d.as_slice().first()
                );
                let used: Vec<f64> = d.as_slice().iter().skip(1).step_by(2).copied().collect();
                assert!(
                    used.iter().all(|d| !d.is_finite()),
                    "{name}, {mode} mode: a derivative that is not finite has been hidden: {:?}",
                    used.first()
                );
            }
            assert!(pull.call(&Var::full(&[n], NAN)).unwrap().as_slice().iter().all(|g| g.is_nan()), "{name}: a NaN cotangent stays NaN");
        }
    }
}

/// The same where the pullback is recorded, which takes another path: reverse and forward over reverse, and forward over forward.
#[test]
fn second_derivatives_behind_a_zero_weight_are_zero() {
    for &(name, f, at) in SINGULAR {
        let x = Var::full(&[2], at);
        let taken = Mask::from([false, true]);
        let safe = |x: &R| where_(&taken, x.square(), f(x)).slice(s![1..]).sum() + (f(x) * &!&taken * &taken).sum();
        if !at.is_finite() {
            continue;
        }
        let h = hessian(safe, &x).unwrap();
        assert_eq!(h.as_slice(), &[0.0, 0.0, 0.0, 2.0], "{name}, forward over reverse");
        let twice = grad(|x: &R| Ok::<_, Error>(grad(safe, x)?.sum()), &x).unwrap();
        assert_eq!(twice.as_slice(), &[0.0, 2.0], "{name}, reverse over reverse");
        let along = Var::from([1.0, 1.0]);
        let (_, dd) = jvp(|x: &R| Ok::<_, Error>(jvp(safe, x, &along)?.1), &x, &along).unwrap();
        assert_eq!(dd.item(), 2.0, "{name}, forward over forward");
    }
}

#[test]
fn complex_cotangents_too() {
    let zero = C::new(0.0, 0.0);
    let f = |z: &Z| z.log() + z.reciprocal() + z / zero + z.powf(0.5);
    for n in [1, 5, 40_000] {
        let z = Var::full(&[n], zero);
        let (_, pull) = vjp(f, &z).unwrap();
        assert!(pull.call(&Var::zeros(&[n])).unwrap().as_slice().iter().all(|g| *g == zero));
        assert!(pull.call(&Var::full(&[n], C::new(0.0, 1.0))).unwrap().as_slice().iter().all(|g| !g.is_finite()));
        let (_, dy) = jvp(f, &z, &Var::zeros(&[n])).unwrap();
        assert!(dy.as_slice().iter().all(|d| *d == zero));
    }
}

/// Broadcast operands: the zeros are dropped before the sum over the repeated axis, the others add up.
#[test]
fn broadcast_operands() {
    let column = Var::from(ndarray::array![[0.0], [2.0]]);
    let chosen = |y: &R| where_(&Mask::from(&ndarray::array![[false, false], [true, true]]), Var::from([1.0, 3.0]) / y, 0.0).sum();
    assert_eq!(grad(chosen, &column).unwrap().as_slice(), &[0.0, -1.0]);
    let h = hessian(chosen, &column).unwrap();
    assert_eq!(h.as_slice(), &[0.0, 0.0, 0.0, 1.0]);
}

/// The product's own rules, at a zero and away from it, to third order: nothing else has changed.
#[test]
fn products_differentiate_as_before() {
    let third = GradCheck { order: 3, ..Default::default() };
    gradcheck_with(|(x, y): &(R, R)| x * y + x / (y + 3.0), &(Var::from([0.0, 0.7]), Var::from([1.3, 0.0])), &third).unwrap();
    gradcheck_with(|x: &R| (x * x).sin() * x, &Var::from([0.0, 0.4]), &third).unwrap();
}

/// Where a NaN is used it comes through, and the check for anomalies names the operation that made it.
#[test]
fn what_is_used_is_not_hidden() {
    let f = |x: &R| x.log().sum();
    let g = grad(f, &Var::from([-1.0, NAN, 0.0])).unwrap();
    assert!(g.as_slice()[1].is_nan() && g.as_slice()[2] == INF);
    fails(detect_anomaly(|| grad(f, &Var::from([0.0]))), &["log", "element 0"]);
    fails(detect_anomaly(|| grad(|x: &R| (x.sqrt() * 0.0).log().sum(), &Var::from([1.0]))), &["log"]);
    detect_anomaly(|| grad(|x: &R| where_(&x.gt(0.0), x.log(), 0.0).sum(), &Var::from([0.0, 2.0]))).unwrap();
}
