//! Draws against their own distribution: moments within five standard errors, Kolmogorov–Smirnov distances, pathwise gradients.

use super::families::*;
use pullback::distributions::*;
use pullback::prelude::*;
use pullback::random;
use rand::{SeedableRng, rngs::StdRng};

const N: usize = 20_000;

/// The largest difference of the empirical from the cumulative distribution, times √n: above 2.5 with probability 7e-6 (Kolmogorov's 2 e^{−2d²}).
fn kolmogorov(mut u: Vec<f64>) -> f64 {
    u.sort_by(f64::total_cmp);
    let n = u.len() as f64;
    let distance = |(i, &u): (usize, &f64)| (u - i as f64 / n).abs().max(((i + 1) as f64 / n - u).abs());
    u.iter().enumerate().map(distance).fold(0.0, f64::max) * n.sqrt()
}

#[test]
fn draws_follow_their_distribution() {
    for (i, family) in FAMILIES.iter().enumerate() {
        for fraction in [0.05, 0.9] {
            let p = at(family, fraction);
            let d = make(family, &p);
            let mut rng = StdRng::seed_from_u64(i as u64);
            let x = d.sample(&mut rng, &[N]).unwrap();
            let distance = kolmogorov(d.cdf(&x).as_slice().to_vec());
            assert!(distance < 2.5, "{}{p:?}: √n D = {distance}", family.name);
            if family.name == "von_mises" {
                continue;
            }
            let (mean, variance) = (d.mean().item(), d.variance().item());
            let error = (x.mean().item() - mean) / (variance / N as f64).sqrt();
            assert!(error.abs() < 5.0, "{}{p:?}: mean off by {error} standard errors", family.name);
            let square = (&x - mean).square();
            let error = (square.mean().item() - variance) / (square.var(1).item() / N as f64).sqrt();
            assert!(error.abs() < 5.0, "{}{p:?}: variance off by {error} standard errors", family.name);
        }
    }
}

#[test]
fn draws_at_extreme_parameters_follow_their_distribution() {
    for (name, p) in [
        ("gamma", vec![0.1, 1.0]),
        ("gamma", vec![1e8, 1.0]),
        ("beta", vec![0.1, 0.5]),
        ("beta", vec![3e5, 2e5]),
        ("student_t", vec![0.5, 0.0, 1.0]),
        ("student_t", vec![1e9, 0.0, 1.0]),
        ("von_mises", vec![1e-9, 0.0]),
        ("von_mises", vec![1e-6, 0.0]),
        ("von_mises", vec![1e10, 0.0]),
        ("truncated_normal", vec![0.0, 1.0, 9.0, 9.5]),
        ("truncated_normal", vec![0.0, 1.0, -f64::INFINITY, -12.0]),
        ("truncated_normal", vec![0.0, 1.0, 0.5, f64::INFINITY]),
        ("truncated_normal", vec![0.0, 1.0, -0.2, 0.1]),
    ] {
        let d = make(FAMILIES.iter().find(|f| f.name == name).unwrap(), &p);
        let x = d.sample(&mut StdRng::seed_from_u64(5), &[N / 2]).unwrap();
        let distance = kolmogorov(d.cdf(&x).as_slice().to_vec());
        assert!(distance < 2.5, "{name}{p:?}: √n D = {distance}");
    }
}

#[test]
fn derivative_of_a_mean_by_differentiated_draws() {
    // dE g(x)/dθ against the derivative of the exact mean, within five standard errors of the pathwise estimate
    for (i, family) in FAMILIES.iter().enumerate().filter(|(_, f)| f.name != "von_mises") {
        let p = at(family, 0.5);
        let exact = grad(|v: &Vec<Var<f64>>| Ok::<_, pullback::Error>((family.make)(v)?.mean()), &numbers(&p)).unwrap();
        for k in 0..p.len() {
            let tangent: Vec<Var<f64>> = (0..p.len()).map(|j| Var::scalar(f64::from(u8::from(j == k)))).collect();
            let draw = |v: &Vec<Var<f64>>| (family.make)(v)?.rsample(&mut StdRng::seed_from_u64(i as u64), &[N]);
            let (_, slopes) = jvp(draw, &numbers(&p), &tangent).unwrap();
            let (mean, error) = (slopes.mean().item(), slopes.std(1).item() / (N as f64).sqrt());
            let expected = exact[k].item();
            assert!((mean - expected).abs() <= 5.0 * error + 1e-12, "{} parameter {k}: {mean} ± {error}, not {expected}", family.name);
        }
    }
    // the resultant length of the circle: E cos θ = I₁/I₀
    let resultant = |k: &Var<f64>| Ok::<_, pullback::Error>(1.0 - VonMises::new(k, 0.0)?.variance());
    let expected = grad(resultant, &2.0).unwrap();
    let draw = |k: &Var<f64>| Ok::<_, pullback::Error>(VonMises::new(k, 0.0)?.rsample(&mut StdRng::seed_from_u64(4), &[N])?.cos());
    let (_, slopes) = jvp(draw, &2.0, &1.0).unwrap();
    let (mean, error) = (slopes.mean().item(), slopes.std(1).item() / (N as f64).sqrt());
    assert!((mean - expected).abs() < 5.0 * error, "{mean} ± {error}, not {expected}");
}

#[test]
fn the_same_seed_gives_the_same_draws_on_any_number_of_threads() {
    let pool = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
    let (one, four) = (pool(1), pool(4));
    for family in FAMILIES {
        let d = || {
            let d = make(family, &at(family, 0.5));
            d.sample(&mut StdRng::seed_from_u64(9), &[3, 5000]).unwrap()
        };
        let (a, b) = (one.install(d), four.install(d));
        assert_eq!(a.as_slice(), b.as_slice(), "{}", family.name);
        assert_eq!(a.shape(), &[3, 5000]);
        assert!(a.is_constant());
    }
}

#[test]
fn parameters_broadcast_over_draws() {
    let d = Normal::new(ndarray::array![[0.0], [100.0]], ndarray::array![1.0, 1e-3, 1e-6]).unwrap();
    let x = d.sample(&mut StdRng::seed_from_u64(1), &[50, 2, 3]).unwrap();
    let spread = (&x - d.mean()).abs().max_axis(0);
    for (k, s) in [1.0, 1e-3, 1e-6].into_iter().enumerate() {
        for row in 0..2 {
            let m = spread.value()[[row, k]] / s;
            assert!(m > 1.0 && m < 5.0, "{m}");
        }
    }
    let g = Gamma::new(Var::from([0.5, 400.0]), 1.0).unwrap().sample(&mut StdRng::seed_from_u64(1), &[1000, 2]).unwrap();
    let means = g.mean_axis(0);
    assert!((means.as_slice()[0] - 0.5).abs() < 0.12 && (means.as_slice()[1] - 400.0).abs() < 3.2, "{means}");
}

#[test]
fn discrete_draws_have_their_frequencies() {
    let mut rng = StdRng::seed_from_u64(2);
    for rate in [0.0f64, 0.4, 5.0, 14.0, 300.0, 1e7] {
        let d = Poisson::new(rate).unwrap();
        let x = d.sample(&mut rng, &[N]).unwrap();
        let error = (x.mean().item() - rate) / (rate.max(1e-300) / N as f64).sqrt();
        assert!(error.abs() < 5.0, "rate {rate}: mean off by {error} standard errors");
        // χ² of the frequencies of common values
        if rate > 0.0 && rate < 1e3 {
            let (mut chi2, mut cells) = (0.0, 0);
            for k in 0..600 {
                let expected = N as f64 * d.pmf(&Var::scalar(f64::from(k))).item();
                if expected > 20.0 {
                    let found = x.as_slice().iter().filter(|&&x| x == f64::from(k)).count() as f64;
                    chi2 += (found - expected).powi(2) / expected;
                    cells += 1;
                }
            }
            let p = Chi2::new(f64::from(cells)).unwrap().sf(&Var::scalar(chi2)).item();
            assert!(p > 1e-6, "rate {rate}: χ² = {chi2} in {cells} cells");
        }
    }
    for logit in [-3.0f64, 0.0, 1.2] {
        let d = Bernoulli::new(logit).unwrap();
        let error = (d.sample(&mut rng, &[N]).unwrap().mean().item() - d.mean().item()) / (d.variance().item() / N as f64).sqrt();
        assert!(error.abs() < 5.0, "logit {logit}: off by {error} standard errors");
    }
    let certain = Bernoulli::new(Var::from([f64::INFINITY, f64::NEG_INFINITY])).unwrap().sample(&mut rng, &[100, 2]).unwrap();
    assert_eq!(certain.mean_axis(0).as_slice(), &[1.0, 0.0]);
    let probs = ndarray::array![[0.1, 0.6, 0.3], [0.5, 0.0, 0.5]];
    let d = Categorical::from_probs(&probs).unwrap();
    let labels = d.sample(&mut rng, &[N, 2]).unwrap();
    for row in 0..2 {
        for k in 0..3 {
            let found = labels.index_axis(ndarray::Axis(1), row).iter().filter(|&&l| l == k).count() as f64 / N as f64;
            let p = probs[[row, k]];
            assert!((found - p).abs() <= 5.0 * (p * (1.0 - p) / N as f64).sqrt(), "{row} {k}: {found}, not {p}");
        }
    }
}

#[test]
fn arrays_of_random_numbers() {
    let mut rng = StdRng::seed_from_u64(8);
    let ks = |x: &Var<f64>, f: &dyn Fn(&Var<f64>) -> Var<f64>| kolmogorov(f(x).as_slice().to_vec());
    assert!(ks(&random::uniform(&mut rng, &[N]), &|x| x.clone()) < 2.5);
    let normal = Normal::new(0.0, 1.0).unwrap();
    assert!(ks(&random::normal(&mut rng, &[N]), &|x| normal.cdf(x)) < 2.5);
    let gumbel = Gumbel::new(0.0, 1.0).unwrap();
    assert!(ks(&random::gumbel(&mut rng, &[N]), &|x| gumbel.cdf(x)) < 2.5);
    let logistic = Logistic::new(0.0, 1.0).unwrap();
    assert!(ks(&random::logistic(&mut rng, &[N]), &|x| logistic.cdf(x)) < 2.5);
    assert!(ks(&random::exponential(&mut rng, &[N]), &|x| Exponential::new(1.0).unwrap().cdf(x)) < 2.5);
    let z: Var<num_complex::Complex64> = random::complex_normal(&mut rng, &[N]);
    // |z|² is exponential, the angle uniform
    assert!(kolmogorov(z.abs_squared().as_slice().iter().map(|r| -(-r).exp_m1()).collect()) < 2.5);
    assert!(kolmogorov(z.angle().as_slice().iter().map(|t| 0.5 + t / (2.0 * std::f64::consts::PI)).collect()) < 2.5);
    let signs: Var<f32> = random::rademacher(&mut rng, &[N]);
    assert!(signs.as_slice().iter().all(|s| s.abs() == 1.0) && signs.sum().item().abs() < 5.0 * (N as f32).sqrt());
    let single: Var<f32> = random::uniform(&mut rng, &[100_000]);
    assert!(single.as_slice().iter().all(|u| (0.0..1.0).contains(u)));

    let mut order = random::permutation(&mut rng, 1000);
    assert_ne!(order, (0..1000).collect::<Vec<_>>());
    order.sort();
    assert_eq!(order, (0..1000).collect::<Vec<_>>());
    let mut some = random::choice(&mut rng, 50, 50, false).unwrap();
    some.sort();
    assert_eq!(some, (0..50).collect::<Vec<_>>());
    let many = random::choice(&mut rng, 3, 9000, true).unwrap();
    let weighted = random::weighted_choice(&mut rng, &[0.0, 1.0, 3.0, 0.0], 9000).unwrap();
    let count = |v: &[usize], k: usize| v.iter().filter(|&&x| x == k).count() as f64;
    assert!((0..3).all(|k| (count(&many, k) - 3000.0).abs() < 5.0 * 2000f64.sqrt()));
    assert_eq!(count(&weighted, 0) + count(&weighted, 3), 0.0);
    assert!((count(&weighted, 1) - 2250.0).abs() < 5.0 * (2250.0f64 * 0.75).sqrt());
}
