//! Bad parameters and shapes are refused by name.

use super::families::FAMILIES;
use pullback::distributions::*;
use pullback::prelude::*;
use pullback::random;
use rand::{SeedableRng, rngs::StdRng};

fn refused<T>(result: Result<T>, parts: &[&str]) {
    let Err(e) = result else { panic!("accepted, where {parts:?} was expected") };
    for part in parts {
        assert!(e.to_string().contains(part), "{e}: does not say {part:?}");
    }
}

#[test]
fn parameters_out_of_range() {
    refused(Normal::<f64>::new(0.0, -1.0), &["normal", "scale", "-1", "positive"]);
    refused(Normal::<f64>::new(f64::NAN, 1.0), &["normal", "loc", "NaN"]);
    refused(Normal::<f64>::new(0.0, Var::from([1.0, 0.0])), &["element 1 of scale is 0"]);
    refused(StudentT::<f64>::new(0.0, 0.0, 1.0), &["student_t", "df"]);
    refused(Gamma::<f64>::new(-2.0, 1.0), &["gamma", "shape"]);
    refused(Chi2::<f64>::new(-2.0), &["chi2", "df"]);
    refused(Beta::<f64>::new(1.0, 0.0), &["beta", "element 0 of b"]);
    refused(Exponential::<f64>::new(0.0), &["exponential", "scale"]);
    refused(Uniform::<f64>::new(2.0, 1.0), &["uniform", "lower end 2", "upper end 1"]);
    refused(TruncatedNormal::<f64>::new(0.0, 1.0, 2.0, 2.0), &["truncated_normal", "lower end"]);
    refused(VonMises::<f64>::new(-1.0, 0.0), &["von_mises", "kappa"]);
    refused(Poisson::<f64>::new(-1.0), &["poisson", "rate", "at least 0"]);
    refused(Bernoulli::<f64>::from_probs(1.5), &["bernoulli", "between 0 and 1"]);
    refused(Bernoulli::<f64>::new(f64::NAN), &["bernoulli", "logits"]);
    refused(Categorical::<f64>::new(Var::from([f64::NEG_INFINITY; 2])), &["categorical", "one of them finite"]);
    refused(Categorical::<f64>::new(0.0), &["categorical", "last axis"]);
    refused(Dirichlet::<f64>::new(Var::from([1.0])), &["dirichlet", "at least two"]);
    refused(Dirichlet::<f64>::new(Var::from([1.0, -1.0])), &["dirichlet", "alpha"]);
    refused(Dirichlet::new(Var::from([1.0, 1.0])).unwrap().logpdf(&Var::from([0.3, 0.3])), &["dirichlet", "sum 0.6"]);
    refused(Poisson::new(1e300).unwrap().sample(&mut StdRng::seed_from_u64(1), &[]), &["poisson", "1e300"]);
}

#[test]
fn covariances_that_are_none() {
    let mean = || Var::from([0.0, 0.0]);
    refused(MultivariateNormal::new(mean(), ndarray::array![[1.0, 2.0], [2.0, 1.0]]), &["cholesky", "positive definite"]);
    refused(MultivariateNormal::new(mean(), ndarray::array![[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), &["multivariate_normal", "[2, 3]"]);
    refused(MultivariateNormal::from_cholesky(mean(), ndarray::array![[1.0, 0.0], [0.0, -1.0]]), &["diagonal", "-1"]);
    let d = MultivariateNormal::new(mean(), ndarray::array![[1.0, 0.0], [0.0, 1.0]]).unwrap();
    refused(d.logpdf(&Var::from([1.0, 2.0, 3.0])), &["multivariate_normal", "[3]", "2 dimensions"]);
    refused(d.logpdf(&Var::scalar(1.0)), &["multivariate_normal"]);
}

#[test]
fn shapes_that_do_not_broadcast() {
    refused(Normal::new(Var::from([0.0, 1.0]), Var::from([1.0, 1.0, 1.0])), &["normal", "[2]", "[3]"]);
    let mut rng = StdRng::seed_from_u64(1);
    for family in FAMILIES {
        let parameters: Vec<Var<f64>> = family.parameters.iter().map(|(lo, hi)| Var::from([*lo, *hi])).collect();
        let mut p = parameters.clone();
        p.iter_mut().skip(1).for_each(|p| *p = p.slice(s![0]));
        refused((family.make)(&p).unwrap().sample(&mut rng, &[3]), &[family.name_in_errors(), "[2]", "[3]"]);
    }
    refused(Poisson::new(Var::from([1.0, 2.0])).unwrap().sample(&mut rng, &[3]), &["poisson"]);
    refused(Categorical::new(Var::<f64>::zeros(&[2, 3])).unwrap().sample(&mut rng, &[3]), &["categorical"]);
    refused(Categorical::new(Var::<f64>::zeros(&[3])).unwrap().logpmf(&ndarray::arr0(3usize).into_dyn()), &["label 3 of 3"]);
}

#[test]
#[should_panic(expected = "do not broadcast")]
fn arguments_that_do_not_broadcast_panic_as_operators_do() {
    Normal::new(Var::from([0.0, 1.0]), 1.0).unwrap().logpdf(&Var::from([1.0, 2.0, 3.0]));
}

#[test]
fn choices_that_cannot_be_made() {
    let mut rng = StdRng::seed_from_u64(1);
    refused(random::choice(&mut rng, 3, 4, false), &["choice", "4 of 3"]);
    refused(random::choice(&mut rng, 0, 1, true), &["choice"]);
    refused(random::weighted_choice(&mut rng, &[1.0, -1.0], 1), &["weight 1 is -1"]);
    refused(random::weighted_choice(&mut rng, &[0.0, 0.0], 1), &["all weights are 0"]);
}
