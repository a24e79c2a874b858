//! Values against mpmath, and the laws that tie densities, tails and moments together.

use super::families::*;
use pullback::Var;
use pullback::distributions::*;

/// Written by `tests/data/distributions.py`.
const TABLE: &str = include_str!("../data/distributions.tsv");

fn parse(column: &str) -> Vec<f64> {
    column.split(' ').map(|x| x.parse().unwrap()).collect()
}

/// Relative for numbers above 1e-300; a logarithm may also be off by a few units of the last place of the probability's relative error.
fn check(failures: &mut Vec<String>, what: String, found: f64, expected: f64, tolerance: f64, absolute: f64) {
    let error = (found - expected).abs();
    if found != expected && !(error <= tolerance * expected.abs() || error <= absolute) {
        failures.push(format!("{what} = {found:e}, not {expected:e}: error {error:.1e}"));
    }
}

#[test]
fn densities_tails_and_moments_agree_with_mpmath() {
    let mut failures = Vec::new();
    let mut seen = Vec::new();
    for line in TABLE.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let (name, kind, p) = (columns[0], columns[1], parse(columns[2]));
        seen.push(name);
        let what = |f: &str, x: &str| format!("{name}{p:?} {f} {x}");
        let values: Vec<f64> = columns[3..].iter().map(|x| x.parse().unwrap()).collect();
        if name == "poisson" {
            let d = Poisson::new(p[0]).unwrap();
            if kind == "moments" {
                check(&mut failures, what("entropy", ""), d.entropy().item(), values[2], 1e-12, 0.0);
                continue;
            }
            let k = Var::scalar(values[0]);
            check(&mut failures, what("logpmf", columns[3]), d.logpmf(&k).item(), values[1], 1e-14, 1e-14);
            if kind == "point" {
                let found = [d.cdf(&k).item(), d.sf(&k).item(), d.logcdf(&k).item(), d.logsf(&k).item()];
                for (f, (found, expected)) in ["cdf", "sf", "logcdf", "logsf"].iter().zip(found.into_iter().zip(&values[2..])) {
                    check(&mut failures, what(f, columns[3]), found, *expected, 2e-14, 1e-300);
                }
            }
            continue;
        }
        let family = FAMILIES.iter().find(|f| f.name == name).unwrap_or_else(|| panic!("no family {name}"));
        let d = make(family, &p);
        if kind == "moments" {
            let found = [d.mean().item(), d.variance().item(), d.entropy().item()];
            for (f, (found, expected)) in ["mean", "variance", "entropy"].iter().zip(found.into_iter().zip(&values)) {
                check(&mut failures, what(f, ""), found, *expected, 1e-12, 1e-12);
            }
            continue;
        }
        let x = Var::scalar(values[0]);
        // (x − loc)/scale is rounded once: relative to the exponent
        let sensitivity = 4e-16 * (1.0 + values[1].abs() * 2.0);
        check(&mut failures, what("logpdf", columns[3]), d.logpdf(&x).item(), values[1], 3e-15, sensitivity.max(1e-14));
        let found = [d.cdf(&x).item(), d.sf(&x).item(), d.logcdf(&x).item(), d.logsf(&x).item()];
        for (f, (found, expected)) in ["cdf", "sf", "logcdf", "logsf"].iter().zip(found.into_iter().zip(&values[2..])) {
            // the tails' own relative error grows with the logarithm of the density
            // a difference of two logarithms of about 40 that agree to 1e-2
            let cancelled = if name == "truncated_normal" { 2e-12 } else { 0.0 };
            check(&mut failures, what(f, columns[3]), found, *expected, 2e-14 + 2.0 * sensitivity + cancelled, 1e-300);
        }
    }
    for family in FAMILIES {
        assert!(seen.contains(&family.name), "no reference values of {}", family.name);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// ∫ g over [a, b] by the double exponential rule, which takes integrable singularities at the ends.
fn integrate(g: impl Fn(&Var<f64>) -> Var<f64>, a: f64, b: f64) -> f64 {
    let h = 0.01;
    let (mut nodes, mut weights) = (Vec::new(), Vec::new());
    for k in -400i32..=400 {
        let t = f64::from(k) * h;
        let s = std::f64::consts::FRAC_PI_2 * t.sinh();
        // distance from the nearer end, so that nodes do not fall on it
        let near = (-s.abs()).exp() / (2.0 * s.cosh()) * (b - a);
        let x = if s < 0.0 { a + near } else { b - near };
        let weight = 0.5 * (b - a) * std::f64::consts::FRAC_PI_2 * t.cosh() / (s.cosh() * s.cosh()) * h;
        if x > a && x < b && weight > 0.0 {
            nodes.push(x);
            weights.push(weight);
        }
    }
    (g(&Var::from(nodes)) * Var::from(weights)).sum().item()
}

#[test]
fn densities_are_normalised_and_have_their_moments_and_entropy() {
    for family in FAMILIES {
        for fraction in [0.1, 0.7] {
            let p = at(family, fraction);
            let d = make(family, &p);
            let (a, b) = (family.support)(&p);
            // in two parts, so that the nodes crowd where the density may be sharp
            let middle = d.mean().item();
            let integrate = |g: &dyn Fn(&Var<f64>) -> Var<f64>| integrate(g, a, middle) + integrate(g, middle, b);
            let total = integrate(&|x| d.pdf(x));
            let entropy = integrate(&|x| -(d.pdf(x) * d.logpdf(x)));
            // Student's tails beyond the interval weigh 1e-12 in the norm
            assert!((total - 1.0).abs() < 1e-9, "{}{p:?}: ∫f = {total}", family.name);
            assert!((entropy - d.entropy().item()).abs() < 1e-7, "{}{p:?}: entropy {entropy}", family.name);
            if family.name == "von_mises" {
                let circular = integrate(&|x| d.pdf(x) * (1.0 - (x - p[1]).cos()));
                assert!((circular - d.variance().item()).abs() < 1e-9, "circular variance {circular}");
                continue;
            }
            let mean = integrate(&|x| d.pdf(x) * x);
            let variance = integrate(&|x| d.pdf(x) * (x - mean).square());
            assert!((mean - d.mean().item()).abs() < 1e-7, "{}{p:?}: mean {mean}", family.name);
            assert!((variance / d.variance().item() - 1.0).abs() < 1e-5, "{}{p:?}: variance {variance}", family.name);
        }
    }
}

#[test]
fn tails_add_up_and_their_logarithms_are_logarithms() {
    for family in FAMILIES {
        let p = at(family, 0.4);
        let d = make(family, &p);
        let (a, b) = (family.argument.0, family.argument.1);
        let x = Var::linspace(a, b, 23);
        let close = |f: &str, u: Var<f64>, v: Var<f64>| {
            for ((u, v), x) in u.as_slice().iter().zip(v.as_slice()).zip(x.as_slice()) {
                assert!((u - v).abs() <= 1e-13 * v.abs().max(1.0), "{} {f} at {x}: {u} and {v}", family.name);
            }
        };
        close("cdf + sf", d.cdf(&x) + d.sf(&x), x.ones_like());
        close("logcdf", d.logcdf(&x), d.cdf(&x).log());
        close("logsf", d.logsf(&x), d.sf(&x).log());
        close("pdf", d.pdf(&x), d.logpdf(&x).exp());
        assert!(d.cdf(&x).diff(1, 0).min().item() > 0.0, "{}: the cdf increases", family.name);
    }
}

#[test]
fn outside_the_support_the_density_is_zero() {
    let inf = f64::INFINITY;
    for (name, p, below, above) in [
        ("uniform", vec![-1.0, 2.0], Some(-1.5), Some(2.5)),
        ("exponential", vec![2.0], Some(-0.1), None),
        ("gamma", vec![2.0, 1.0], Some(-0.1), None),
        ("chi2", vec![3.0], Some(-0.1), None),
        ("beta", vec![2.0, 3.0], Some(-0.1), Some(1.1)),
        ("truncated_normal", vec![0.0, 1.0, -1.0, 2.0], Some(-1.5), Some(2.5)),
    ] {
        let d = make(FAMILIES.iter().find(|f| f.name == name).unwrap(), &p);
        for (x, low) in [(below, true), (above, false)] {
            let Some(x) = x else { continue };
            // beside a point inside, and the derivative is an exact zero
            let x = ndarray::array![x, 0.5];
            let v = Var::from(&x);
            let values = |y: Var<f64>| y.as_slice()[0];
            assert_eq!(values(d.logpdf(&v)), -inf, "{name}");
            assert_eq!(values(d.pdf(&v)), 0.0, "{name}");
            let (cdf, sf) = if low { (0.0, 1.0) } else { (1.0, 0.0) };
            assert_eq!((values(d.cdf(&v)), values(d.sf(&v))), (cdf, sf), "{name}");
            assert_eq!((values(d.logcdf(&v)), values(d.logsf(&v))), (f64::ln(cdf), f64::ln(sf)), "{name}");
            let g = pullback::grad(|x: &Var<f64>| d.pdf(x).sum() + d.cdf(x).sum(), &x).unwrap();
            assert_eq!(g[0], 0.0, "{name}");
            assert!(g[1].is_finite() && g[1] != 0.0, "{name}");
        }
        assert!(d.logpdf(&Var::scalar(f64::NAN)).item().is_nan(), "{name}: a NaN stays one");
        assert!(d.cdf(&Var::scalar(f64::NAN)).item().is_nan(), "{name}: a NaN stays one");
    }
}

#[test]
fn discrete_probabilities_sum_to_one_and_to_their_tails() {
    for rate in [0.0f64, 0.3, 7.0, 150.0] {
        let d = Poisson::new(rate).unwrap();
        let k = Var::arange(0.0, 400.0, 1.0);
        let p = d.pmf(&k);
        assert!((p.sum().item() - 1.0).abs() < 1e-13, "{rate}");
        assert!(((&p * &k).sum().item() - d.mean().item()).abs() < 1e-12 * rate.max(1.0));
        let (cdf, sf) = (d.cdf(&k), d.sf(&k));
        let cumulative = p.cumsum(0);
        for i in 0..400 {
            assert!((cdf.as_slice()[i] - cumulative.as_slice()[i]).abs() < 1e-13, "{rate} at {i}");
            assert!((cdf.as_slice()[i] + sf.as_slice()[i] - 1.0).abs() < 1e-14);
        }
        // between the integers
        let between = Var::from([-1.0, 2.5]);
        assert_eq!(d.pmf(&between).as_slice(), &[0.0, 0.0]);
        assert_eq!(d.cdf(&between).as_slice(), &[0.0, cdf.as_slice()[2]]);
    }
    for logit in [-f64::INFINITY, -800.0, -1.0, 0.0, 2.0, f64::INFINITY] {
        let d = Bernoulli::new(logit).unwrap();
        let p = d.pmf(&Var::from([0.0, 1.0, 2.0, 0.5]));
        let p = p.as_slice();
        assert!((p[0] + p[1] - 1.0).abs() < 1e-15 && p[2] == 0.0 && p[3] == 0.0, "{logit}");
        assert!((d.mean().item() - p[1]).abs() <= 2.0 * f64::EPSILON * p[1]);
        let entropy: f64 = p[..2].iter().map(|&p| if p > 0.0 { -p * p.ln() } else { 0.0 }).sum();
        assert!((d.entropy().item() - entropy).abs() < 1e-15 * entropy.max(1.0) + 1e-300, "{logit}");
        let (cdf, sf) = (d.cdf(&Var::from([-1.0, 0.3, 1.0])), d.sf(&Var::from([-1.0, 0.3, 1.0])));
        for (found, expected) in cdf.as_slice().iter().chain(sf.as_slice()).zip([0.0, p[0], 1.0, 1.0, p[1], 0.0]) {
            assert!((found - expected).abs() <= 2.0 * f64::EPSILON * expected, "{logit}: {found}, not {expected}");
        }
    }
    assert_eq!(Bernoulli::new(-800.0).unwrap().logpmf(&Var::scalar(1.0)).item(), -800.0);
    assert!((Bernoulli::from_probs(0.3f64).unwrap().pmf(&Var::scalar(1.0)).item() - 0.3).abs() < 1e-16);
}

#[test]
fn special_cases_coincide() {
    let x = Var::from([0.2, 0.7, 3.0]);
    let close = |a: Var<f64>, b: Var<f64>, tolerance: f64| {
        a.as_slice().iter().zip(b.as_slice()).for_each(|(a, b)| assert!((a - b).abs() < tolerance, "{a} and {b}"))
    };
    close(Gamma::new(1.0, 1.7).unwrap().logpdf(&x), Exponential::new(1.7).unwrap().logpdf(&x), 1e-15);
    close(Gamma::new(2.5, 2.0).unwrap().logcdf(&x), Chi2::new(5.0).unwrap().logcdf(&x), 1e-15);
    close(StudentT::new(1e15, 0.5, 2.0).unwrap().logpdf(&x), Normal::new(0.5, 2.0).unwrap().logpdf(&x), 1e-14);
    close(StudentT::new(1e30, 0.5, 2.0).unwrap().logcdf(&x), Normal::new(0.5, 2.0).unwrap().logcdf(&x), 1e-14);
    let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
    close(TruncatedNormal::new(0.5, 2.0, low, high).unwrap().logsf(&x), Normal::new(0.5, 2.0).unwrap().logsf(&x), 1e-15);
    close(Beta::new(1.0, 1.0).unwrap().cdf(&x), Uniform::new(0.0, 1.0).unwrap().cdf(&x), 1e-15);
    // cos θ − 1 ≈ −θ²/2 at large κ
    close(VonMises::new(1e14, 0.0).unwrap().logcdf(&(&x * 1e-7)), Normal::new(0.0, 1e-7).unwrap().logcdf(&(&x * 1e-7)), 1e-12);
}
