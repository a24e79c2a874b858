//! Distributions of vectors.

use pullback::distributions::*;
use pullback::linalg::cholesky;
use pullback::prelude::*;
use rand::{SeedableRng, rngs::StdRng};

fn covariance() -> ndarray::Array2<f64> {
    ndarray::array![[2.0, 0.5, -0.3], [0.5, 1.0, 0.2], [-0.3, 0.2, 0.7]]
}

#[test]
fn normal_density_is_that_of_its_eigenbasis() {
    let (mean, sigma) = (Var::from([0.3, -1.0, 2.0]), Var::from(covariance()));
    let d = MultivariateNormal::new(&mean, &sigma).unwrap();
    let x = Var::from(ndarray::array![[0.0, 0.0, 0.0], [1.0, -2.0, 3.0]]);
    let (values, vectors) = pullback::linalg::eigh(&sigma).unwrap();
    let z = (&x - &mean).matmul(&vectors);
    let independent = Normal::new(0.0, values.sqrt()).unwrap();
    let (found, expected) = (d.logpdf(&x).unwrap(), independent.logpdf(&z).sum_axis(-1));
    for (a, b) in found.as_slice().iter().zip(expected.as_slice()) {
        assert!((a - b).abs() < 1e-13, "{a}, not {b}");
    }
    assert!((d.entropy().item() - independent.entropy().sum().item()).abs() < 1e-13);
    assert!((d.covariance() - &sigma).abs().max().item() < 1e-15);
    // by the factor, and in a batch whose matrices and points broadcast
    let factor = cholesky(&sigma).unwrap();
    let same = MultivariateNormal::from_cholesky(&mean, &factor).unwrap().logpdf(&x).unwrap();
    assert_eq!(same.as_slice(), found.as_slice());
    let stack = pullback::ops::stack(&[sigma.clone(), &sigma * 2.0], 0).reshape(&[2, 1, 3, 3]);
    let batch = MultivariateNormal::new(&mean, &stack).unwrap();
    let values = batch.logpdf(&x).unwrap();
    assert_eq!(values.shape(), &[2, 2]);
    for k in 0..2 {
        assert!((values.value()[[0, k]] - found.as_slice()[k]).abs() < 1e-13);
    }
    assert_eq!(batch.entropy().shape(), &[2, 1]);
    assert_eq!(batch.sample(&mut StdRng::seed_from_u64(1), &[4, 2, 1]).unwrap().shape(), &[4, 2, 1, 3]);
}

#[test]
fn normal_in_point_mean_and_covariance() {
    let (mean, x) = (ndarray::array![0.3, -1.0, 2.0], ndarray::array![[0.0, 0.5, 1.0], [1.0, -2.0, 3.0]]);
    let point = (x.clone(), mean.clone(), covariance());
    gradcheck(|(x, m, s): &(Var<f64>, Var<f64>, Var<f64>)| MultivariateNormal::new(m, s)?.logpdf(x), &point).unwrap();
    let stack = ndarray::stack![ndarray::Axis(0), covariance(), covariance() * 2.0];
    gradcheck(|(x, m, s): &(Var<f64>, Var<f64>, Var<f64>)| MultivariateNormal::new(m, s)?.logpdf(x), &(x, mean.clone(), stack)).unwrap();
    gradcheck(|s: &Var<f64>| Ok::<_, pullback::Error>(MultivariateNormal::new(Var::zeros(&[3]), s)?.entropy()), &covariance()).unwrap();
    let draw = |(m, s): &(Var<f64>, Var<f64>)| MultivariateNormal::new(m, s)?.rsample(&mut StdRng::seed_from_u64(1), &[2]);
    gradcheck(draw, &(mean, covariance())).unwrap();
}

#[test]
fn normal_draws_have_mean_and_covariance() {
    let n = 20_000;
    let mean = Var::from([0.3, -1.0, 2.0]);
    let d = MultivariateNormal::new(&mean, covariance()).unwrap();
    let x = d.sample(&mut StdRng::seed_from_u64(3), &[n]).unwrap() - &mean;
    let found = x.t().matmul(&x) / n as f64;
    let sigma = covariance();
    for i in 0..3 {
        let error = x.mean_axis(0).as_slice()[i] / (sigma[[i, i]] / n as f64).sqrt();
        assert!(error.abs() < 5.0, "mean {i} off by {error} standard errors");
        for j in 0..3 {
            let error = ((sigma[[i, i]] * sigma[[j, j]] + sigma[[i, j]].powi(2)) / n as f64).sqrt();
            assert!((found.value()[[i, j]] - sigma[[i, j]]).abs() < 5.0 * error, "{i} {j}");
        }
    }
    // dE x₀x₁/dΣ₀₁ (the symmetric part) = 1 from differentiated draws
    let product = |s: &Var<f64>| {
        let x = MultivariateNormal::new(Var::zeros(&[3]), s)?.rsample(&mut StdRng::seed_from_u64(3), &[n])?;
        Ok::<_, pullback::Error>((x.slice(s![.., 0]) * x.slice(s![.., 1])).mean())
    };
    let g = grad(product, &sigma).unwrap();
    assert!((g[[0, 1]] + g[[1, 0]] - 1.0).abs() < 0.05 && g[[2, 2]].abs() < 0.05, "{g}");
}

#[test]
fn dirichlet_of_two_is_the_beta_distribution() {
    let d = Dirichlet::new(Var::from([2.3, 0.7])).unwrap();
    let b = Beta::new(2.3, 0.7).unwrap();
    let x = Var::from([0.2, 0.6]);
    let points = pullback::ops::stack(&[x.clone(), 1.0 - &x], -1);
    for (a, b) in d.logpdf(&points).unwrap().as_slice().iter().zip(b.logpdf(&x).as_slice()) {
        assert!((a - b).abs() < 1e-14, "{a}, not {b}");
    }
    assert!((d.entropy().item() - b.entropy().item()).abs() < 1e-14);
    assert!((d.mean().as_slice()[0] - b.mean().item()).abs() < 1e-15);
    assert!((d.variance().as_slice()[1] - b.variance().item()).abs() < 1e-15);
}

#[test]
fn dirichlet_in_its_concentrations() {
    let alpha = ndarray::array![[1.3, 0.6, 2.0], [0.8, 4.0, 1.0]];
    let x = Var::from(ndarray::array![0.2, 0.5, 0.3]);
    gradcheck(|a: &Var<f64>| Dirichlet::new(a)?.logpdf(&x), &alpha).unwrap();
    gradcheck(|a: &Var<f64>| Ok::<_, pullback::Error>(Dirichlet::new(a)?.entropy()), &alpha).unwrap();
    // draws: mean, variance, and the exact derivative of the mean by differentiated draws
    let n = 20_000;
    let a = Var::from([1.3, 0.6, 2.0]);
    let draw = |a: &Var<f64>| Dirichlet::new(a)?.rsample(&mut StdRng::seed_from_u64(6), &[n]);
    let x = draw(&a).unwrap();
    let d = Dirichlet::new(&a).unwrap();
    assert!((x.sum_axis(-1) - 1.0).abs().max().item() < 1e-15);
    for k in 0..3 {
        let (mean, variance) = (d.mean().as_slice()[k], d.variance().as_slice()[k]);
        let error = (x.mean_axis(0).as_slice()[k] - mean) / (variance / n as f64).sqrt();
        assert!(error.abs() < 5.0, "mean {k} off by {error} standard errors");
        let tangent = Var::from([0.0, 0.0, 0.0]).set_at(s![k], 1.0);
        let (_, slopes) = jvp(draw, &a, &tangent).unwrap();
        let (_, expected) = jvp(|a: &Var<f64>| Ok::<_, pullback::Error>(Dirichlet::new(a)?.mean()), &a, &tangent).unwrap();
        for j in 0..3 {
            let column = slopes.slice(s![.., j]);
            let (found, error) = (column.mean().item(), column.std(1).item() / (n as f64).sqrt());
            assert!(
                (found - expected.as_slice()[j]).abs() < 5.0 * error,
                "∂E x_{j}/∂α_{k}: {found} ± {error}, not {}",
                expected.as_slice()[j]
            );
        }
    }
}
