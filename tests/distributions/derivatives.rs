//! Derivatives in the argument and every parameter, by finite differences, to second order and in both modes.

use super::families::*;
use pullback::distributions::*;
use pullback::prelude::*;
use pullback::{GradCheck, gradcheck_with};
use rand::{RngExt, SeedableRng, rngs::StdRng};

fn options() -> GradCheck {
    GradCheck { step: Some(1e-3), tolerance: Some(1e-6), ..Default::default() }
}

type Method = (&'static str, fn(&Family, &Var<f64>) -> Var<f64>);

const METHODS: [Method; 8] = [
    ("logpdf", |d, x| d.logpdf(x)),
    ("cdf", |d, x| d.cdf(x)),
    ("sf", |d, x| d.sf(x)),
    ("logcdf", |d, x| d.logcdf(x)),
    ("logsf", |d, x| d.logsf(x)),
    ("mean", |d, _| d.mean()),
    ("variance", |d, _| d.variance()),
    ("entropy", |d, _| d.entropy()),
];

#[test]
fn every_family_in_argument_and_parameters() {
    let mut failures = Vec::new();
    for (i, family) in FAMILIES.iter().enumerate() {
        let mut rng = StdRng::seed_from_u64(i as u64);
        // the argument of shape (2,), the first parameter of shape (2, 1), the others numbers
        let mut draw = |(lo, hi): (f64, f64), shape: &[usize]| {
            let data = (0..shape.iter().product()).map(|_| rng.random_range(lo..hi)).collect();
            Var::from_shape_vec(shape, data).unwrap()
        };
        let mut point = vec![draw(family.argument, &[2])];
        for (k, &interval) in family.parameters.iter().enumerate() {
            point.push(draw(interval, if k == 0 { &[2, 1] } else { &[] }));
        }
        for (name, method) in METHODS {
            let f = |v: &Vec<Var<f64>>| Ok::<_, pullback::Error>(method(&(family.make)(&v[1..])?, &v[0]));
            if let Err(e) = gradcheck_with(f, &point, &options()) {
                failures.push(format!("{} {name} (seed {i}): {e}", family.name));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_derivative_of_the_cdf_is_the_density() {
    for family in FAMILIES {
        let d = make(family, &at(family, 0.6));
        let x = Var::linspace(family.argument.0, family.argument.1, 11).to_array();
        let slope = grad(|x: &Var<f64>| d.cdf(x).sum(), &x).unwrap();
        let density = d.pdf(&Var::from(&x));
        for ((a, b), x) in slope.iter().zip(density.as_slice()).zip(&x) {
            assert!((a - b).abs() < 1e-13 * b.max(1.0), "{} at {x}: {a}, not {b}", family.name);
        }
    }
}

#[test]
fn discrete_families_in_their_parameters() {
    let k = Var::from([0.0, 3.0, 11.0]);
    let rate = ndarray::array![[0.7], [6.0]];
    let check = |name: &str, f: fn(&Poisson<f64>, &Var<f64>) -> Var<f64>| {
        gradcheck_with(|r: &Var<f64>| Ok::<_, pullback::Error>(f(&Poisson::new(r)?, &k)), &rate, &options())
            .unwrap_or_else(|e| panic!("poisson {name}: {e}"));
    };
    check("logpmf", |d, k| d.logpmf(k));
    check("cdf", |d, k| d.cdf(k));
    check("logsf", |d, k| d.logsf(k));
    check("logcdf", |d, k| d.logcdf(k));
    check("entropy", |d, _| d.entropy());
    let large = |r: &Var<f64>| Ok::<_, pullback::Error>(Poisson::new(r)?.entropy());
    gradcheck_with(large, &1500.0, &options()).unwrap();
    // at rate 0 the probability of 0 falls as e^{−λ}
    assert_eq!(grad(|r: &Var<f64>| Ok::<_, pullback::Error>(Poisson::new(r)?.logpmf(&Var::scalar(0.0))), &0.0).unwrap(), -1.0);

    let bit = Var::from([0.0, 1.0]);
    let logits = ndarray::array![[-2.0], [0.4]];
    let check = |name: &str, f: fn(&Bernoulli<f64>, &Var<f64>) -> Var<f64>| {
        gradcheck_with(|l: &Var<f64>| Ok::<_, pullback::Error>(f(&Bernoulli::new(l)?, &bit)), &logits, &options())
            .unwrap_or_else(|e| panic!("bernoulli {name}: {e}"));
    };
    check("logpmf", |d, k| d.logpmf(k));
    check("sf", |d, k| d.sf(k));
    check("variance", |d, _| d.variance());
    check("entropy", |d, _| d.entropy());
    gradcheck(|p: &Var<f64>| Ok::<_, pullback::Error>(Bernoulli::from_probs(p)?.logpmf(&Var::scalar(1.0))), &0.3).unwrap();

    let logits = ndarray::array![[0.3, -1.0, 0.5], [1.0, 0.0, 0.0]];
    let labels = ndarray::array![2usize, 0].into_dyn();
    gradcheck(|l: &Var<f64>| Categorical::new(l)?.logpmf(&labels), &logits).unwrap();
    gradcheck(|l: &Var<f64>| Ok::<_, pullback::Error>(Categorical::new(l)?.entropy()), &logits).unwrap();
    // a label that never comes leaves the others' derivatives finite
    let g = grad(|l: &Var<f64>| Ok::<_, pullback::Error>(Categorical::new(l)?.entropy()), &ndarray::array![0.0, 1.0, f64::NEG_INFINITY])
        .unwrap();
    assert!(g[0] > 0.1 && g[1] < -0.1 && g[2] == 0.0, "{g}");
}

#[test]
fn draws_are_differentiated_to_second_order() {
    // the draw at a fixed quantile is a smooth function of the parameters: F(y; θ) = u
    for family in FAMILIES {
        let p = at(family, 0.45);
        let seed = 11;
        let first = make(family, &p).rsample(&mut StdRng::seed_from_u64(seed), &[3]).unwrap();
        let u = make(family, &p).cdf(&first);
        // the quantile by Newton's method on the distribution itself
        let quantile = |p: &[f64]| {
            let d = make(family, p);
            let mut y = first.clone();
            for _ in 0..60 {
                y = &y - (d.cdf(&y) - &u) / d.pdf(&y);
            }
            y
        };
        let drawn = |v: &Vec<Var<f64>>| (family.make)(v)?.rsample(&mut StdRng::seed_from_u64(seed), &[3]);
        let (_, pull) = vjp(drawn, &numbers(&p)).unwrap();
        let total = |p: &[f64]| quantile(p).sum().item();
        for i in 0..p.len() {
            let h = 1e-3;
            let shifted = |by: f64| {
                let mut q = p.clone();
                q[i] += by;
                total(&q)
            };
            let numeric = (8.0 * (shifted(h) - shifted(-h)) - (shifted(2.0 * h) - shifted(-2.0 * h))) / (12.0 * h);
            let exact = pull.call(&Var::from([1.0, 1.0, 1.0])).unwrap()[i].item();
            // families of location and scale are transformed: the same path where the noise is monotone in the quantile
            assert!((exact - numeric).abs() < 1e-7 * numeric.abs().max(1.0), "{} parameter {i}: {exact}, not {numeric}", family.name);
            // and once more: the gradient of the gradient along the path
            let gradient = |v: &Vec<Var<f64>>| {
                let (_, pull) = vjp(drawn, v)?;
                Ok::<_, pullback::Error>(pull.call(&Var::from([1.0, 1.0, 1.0]))?[i].clone())
            };
            let along: Vec<Var<f64>> = (0..p.len()).map(|k| Var::scalar(f64::from(u8::from(k == i)))).collect();
            let second = jvp(gradient, &numbers(&p), &along).unwrap().1.item();
            let second_numeric =
                (-shifted(2.0 * h) + 16.0 * shifted(h) - 30.0 * shifted(0.0) + 16.0 * shifted(-h) - shifted(-2.0 * h)) / (12.0 * h * h);
            assert!(
                (second - second_numeric).abs() < 2e-5 * second_numeric.abs().max(1.0),
                "{} parameter {i} twice: {second}, not {second_numeric}",
                family.name
            );
            let (_, forward) = jvp(drawn, &numbers(&p), &along).unwrap();
            assert!((forward.sum().item() - exact).abs() < 1e-12 * exact.abs().max(1.0), "{} parameter {i}: the modes differ", family.name);
        }
    }
}

#[test]
fn infinite_ends_leave_finite_derivatives() {
    let x = Var::from([0.5, 1.5]);
    let f = |v: &Vec<Var<f64>>| {
        let d = TruncatedNormal::new(&v[0], &v[1], Var::from([0.0, f64::NEG_INFINITY]), Var::from([f64::INFINITY, 2.0]))?;
        let y = d.rsample(&mut StdRng::seed_from_u64(3), &[2])?;
        Ok::<_, pullback::Error>(d.logpdf(&x) + d.cdf(&x) + d.logsf(&x) + d.mean() + d.variance() + d.entropy() + y)
    };
    let (loc, scale) = (Var::scalar(0.2), Var::scalar(1.3));
    let g = grad(|v: &Vec<Var<f64>>| f(v).map(|y| y.sum()), &vec![loc.clone(), scale.clone()]).unwrap();
    assert!(g.iter().all(|g| g.item().is_finite()), "{g:?}");
    // without the draw, whose rejections depend on the parameters
    let smooth = |v: &Vec<Var<f64>>| {
        let d = TruncatedNormal::new(&v[0], &v[1], Var::from([0.0, f64::NEG_INFINITY]), Var::from([f64::INFINITY, 2.0]))?;
        Ok::<_, pullback::Error>(d.logpdf(&x) + d.cdf(&x) + d.logsf(&x) + d.mean() + d.variance() + d.entropy())
    };
    gradcheck_with(smooth, &vec![loc, scale], &options()).unwrap();
}
