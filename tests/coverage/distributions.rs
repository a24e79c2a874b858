//! Distributions. An entry checks densities, tails and entropy against scipy's numbers, their derivatives in the variable and the parameters,
//! and draws by their moments; for those that are reparameterised, also the derivative of a draw along its parameters.

use super::support::*;
use pullback::distributions::*;
use pullback::prelude::*;
use rand::{SeedableRng, rngs::StdRng};

type Make = fn(&[R]) -> Box<dyn Reparameterised<f64>>;
type MakeDiscrete = fn(&[R]) -> Box<dyn Discrete<f64>>;

fn near(got: &R, want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len());
    assert!(got.as_slice().iter().zip(want).all(|(a, b)| (a - b).abs() < tolerance), "{got} against {want:?}");
}

/// The mean of 4000 draws within five of its standard deviations.
fn mean_of(draws: &R, mean: f64, variance: f64) {
    let (found, allowed) = (draws.mean().item(), 5.0 * (variance / 4000.0).sqrt());
    assert!((found - mean).abs() < allowed, "the mean of draws is {found}, not {mean} to {allowed}");
}

/// `known`: ln f, F and 1 − F at x.
fn continuous(make: Make, parameters: &[f64], x: &[f64], known: [&[f64]; 3], entropy: f64) {
    let p: Vec<R> = parameters.iter().map(|&p| Var::scalar(p)).collect();
    let (d, at) = (make(&p), Var::from(x.to_vec()));
    close(&d.logpdf(&at), known[0]);
    close(&d.pdf(&at).log(), known[0]);
    close(&d.cdf(&at), known[1]);
    close(&d.logcdf(&at).exp(), known[1]);
    close(&d.sf(&at), known[2]);
    close(&d.entropy(), &[entropy]);
    let f = |v: &[R]| {
        let (x, d) = (&v[0], make(&v[1..]));
        vec![d.logpdf(x), d.cdf(x), d.logcdf(x), d.sf(x), d.entropy()]
    };
    check_n(&f, &[&[at][..], &p].concat());
    let draws = d.sample(&mut StdRng::seed_from_u64(3), &[4000]).unwrap();
    mean_of(&draws, d.mean().item(), d.variance().item());
    // the mean's derivative in the parameters is that of the mean of draws, up to noise
    for k in 0..p.len() {
        let at = |q: &R| {
            let mut p = p.clone();
            p[k] = q.clone();
            make(&p)
        };
        let exact = jvp(|q: &R| at(q).mean(), &p[k], &Var::scalar(1.0)).unwrap().1.item();
        let sampled = |q: &R| at(q).rsample(&mut StdRng::seed_from_u64(4), &[4000]).unwrap().mean();
        let found = grad(sampled, &p[k]).unwrap().item();
        assert!((found - exact).abs() < 0.1 * (1.0 + exact.abs()), "parameter {k}: {found} against {exact}");
    }
}

/// `known`: ln p, the cumulative probability and its complement at k.
fn discrete(make: MakeDiscrete, parameter: f64, k: &[f64], known: [&[f64]; 3], entropy: f64) {
    let p = Var::scalar(parameter);
    let (d, at) = (make(std::slice::from_ref(&p)), Var::from(k.to_vec()));
    close(&d.logpmf(&at), known[0]);
    close(&d.pmf(&at).log(), known[0]);
    close(&d.cdf(&at), known[1]);
    close(&d.logcdf(&at).exp(), known[1]);
    close(&d.sf(&at), known[2]);
    close(&d.entropy(), &[entropy]);
    check_n(&|p| vec![make(p).logpmf(&at), make(p).entropy()], std::slice::from_ref(&p));
    let draws = d.sample(&mut StdRng::seed_from_u64(3), &[4000]).unwrap();
    mean_of(&draws, d.mean().item(), d.variance().item());
}

pub const ENTRIES: &[Entry] = &[
    ("normal", || {
        let make: Make = |p| Box::new(Normal::new(&p[0], &p[1]).unwrap());
        continuous(
            make,
            &[0.3, 1.7],
            &[-1.0, 2.0],
            [
                &[-1.741954327519438, -1.949566784266843],
                &[0.22222335131746213, 0.8413447460685429],
                &[0.7777766486825379, 0.15865525393145707],
            ],
            1.949566784266843,
        );
    }),
    ("student_t", || {
        let make: Make = |p| Box::new(StudentT::new(&p[0], &p[1], &p[2]).unwrap());
        continuous(
            make,
            &[4.5, 0.3, 1.7],
            &[-1.0, 2.0],
            [
                &[-1.840665793020698, -2.0565333528733825],
                &[0.2412965922536694, 0.8159974580599058],
                &[0.7587034077463306, 0.18400254194009424],
            ],
            2.1821639758196354,
        );
    }),
    ("gamma", || {
        let make: Make = |p| Box::new(Gamma::new(&p[0], &p[1]).unwrap());
        continuous(
            make,
            &[2.5, 0.7],
            &[0.4, 3.0],
            [
                &[-1.338860179865892, -2.0307913633382095],
                &[0.0497594422493106, 0.8725713202238836],
                &[0.9502405577506894, 0.12742867977611638],
            ],
            1.373272965566322,
        );
    }),
    ("beta", || {
        let make: Make = |p| Box::new(Beta::new(&p[0], &p[1]).unwrap());
        continuous(
            make,
            &[2.5, 1.7],
            &[0.2, 0.8],
            [
                &[-0.7106768906763603, 0.3983585982195519],
                &[0.0412391946327355, 0.7996411919780497],
                &[0.9587608053672645, 0.20035880802195036],
            ],
            -0.1754533764435271,
        );
    }),
    ("chi2", || {
        let make: Make = |p| Box::new(Chi2::new(&p[0]).unwrap());
        continuous(
            make,
            &[3.5],
            &[0.7, 4.0],
            [
                &[-1.7461126529134678, -2.088885674119501],
                &[0.07955534396201468, 0.6672944043082343],
                &[0.9204446560379853, 0.33270559569176567],
            ],
            2.1731417193793137,
        );
    }),
    ("exponential", || {
        let make: Make = |p| Box::new(Exponential::new(&p[0]).unwrap());
        continuous(
            make,
            &[1.4],
            &[0.4, 3.0],
            [
                &[-0.6221865223354986, -2.4793293794783557],
                &[0.2485227069247141, 0.8826808339057493],
                &[0.7514772930752859, 0.11731916609425078],
            ],
            1.336472236621213,
        );
    }),
    ("laplace", || {
        let make: Make = |p| Box::new(Laplace::new(&p[0], &p[1]).unwrap());
        continuous(
            make,
            &[0.3, 1.7],
            &[-1.0, 2.0],
            [
                &[-1.9884813139750568, -2.2237754316221157],
                &[0.23273540701203083, 0.8160602794142788],
                &[0.7672645929879691, 0.18393972058572117],
            ],
            2.2237754316221157,
        );
    }),
    ("logistic", || {
        let make: Make = |p| Box::new(Logistic::new(&p[0], &p[1]).unwrap());
        continuous(
            make,
            &[0.3, 1.7],
            &[-1.0, 2.0],
            [
                &[-2.059687264614462, -2.157151626098616],
                &[0.3176254413050488, 0.7310585786300049],
                &[0.6823745586949511, 0.2689414213699951],
            ],
            2.5306282510621703,
        );
    }),
    ("von_mises", || {
        let make: Make = |p| Box::new(VonMises::new(&p[0], &p[1]).unwrap());
        continuous(
            make,
            &[2.0, 0.3],
            &[-1.0, 2.0],
            [
                &[-2.1268729506431265, -2.919559596483351],
                &[0.062565607534016, 0.9704272776840461],
                &[0.937434392465984, 0.02957272231595387],
            ],
            1.2663212919642852,
        );
    }),
    ("uniform", || {
        let make: Make = |p| Box::new(Uniform::new(&p[0], &p[1]).unwrap());
        continuous(
            make,
            &[-1.0, 2.0],
            &[-0.3, 1.5],
            [
                &[-1.0986122886681098, -1.0986122886681098],
                &[0.2333333333333333, 0.8333333333333334],
                &[0.7666666666666667, 0.16666666666666663],
            ],
            1.0986122886681098,
        );
    }),
    ("poisson", || {
        let make: MakeDiscrete = |p| Box::new(Poisson::new(&p[0]).unwrap());
        discrete(
            make,
            2.7,
            &[0.0, 3.0],
            [&[-2.7, -1.5120041501972046], &[0.06720551273974976, 0.7140921756162112], &[0.9327944872602503, 0.2859078243837888]],
            1.8734872097601944,
        );
    }),
    ("bernoulli", || {
        let make: MakeDiscrete = |p| Box::new(Bernoulli::new(&p[0]).unwrap());
        discrete(
            make,
            0.4,
            &[0.0, 1.0],
            [&[-0.9130152523999526, -0.5130152523999526], &[0.401312339887548, 1.0], &[0.598687660112452, 0.0]],
            0.6735401883549719,
        );
    }),
    ("multivariate_normal", || {
        let d = |p: &[R]| MultivariateNormal::new(&p[0], &p[1]).unwrap();
        let p = [Var::from([0.3, -0.2]), Var::from(ndarray::array![[2.0, 0.6], [0.6, 1.0]])];
        let x = Var::from([1.0, 0.5]);
        close(&d(&p).logpdf(&x).unwrap(), &[-2.354127626351789]);
        close(&d(&p).pdf(&x).unwrap(), &[0.0949763252482896]);
        close(&d(&p).entropy(), &[3.085225187327399]);
        // the covariance stays symmetric
        let f = |p: &[R]| {
            let q = [p[0].clone(), (&p[1] + p[1].t()) * 0.5];
            vec![d(&q).logpdf(&p[2]).unwrap(), d(&q).entropy()]
        };
        check_n(&f, &[p[0].clone(), p[1].clone(), x]);
        let draws = d(&p).sample(&mut StdRng::seed_from_u64(5), &[4000]).unwrap();
        near(&draws.mean_axis(0), &[0.3, -0.2], 0.12);
    }),
    ("dirichlet", || {
        let d = |p: &R| Dirichlet::new(p).unwrap();
        let (alpha, x) = (Var::from([1.5, 2.5, 0.8]), Var::from([0.2, 0.5, 0.3]));
        close(&d(&alpha).logpdf(&x).unwrap(), &[0.9617177984719529]);
        close(&d(&alpha).pdf(&x).unwrap(), &[2.616186697179965]);
        close(&d(&alpha).entropy(), &[-1.201818692649705]);
        check(&|alpha| d(alpha).logpdf(&x).unwrap(), &alpha);
        check(&|alpha| d(alpha).entropy(), &alpha);
        let draws = d(&alpha).sample(&mut StdRng::seed_from_u64(5), &[4000]).unwrap();
        near(&draws.mean_axis(0), &[0.3125, 0.5208333333333334, 0.16666666666666669], 0.02);
    }),
    ("categorical", || {
        let d = |logits: &R| Categorical::new(logits).unwrap();
        let logits = Var::from([0.2, 0.5, 0.3]).log();
        let labels = ndarray::arr1(&[2usize, 0]).into_dyn();
        close(&d(&logits).pmf(&labels).unwrap(), &[0.3, 0.2]);
        close(&d(&logits).logpmf(&labels).unwrap(), &[-1.2039728043259361, -1.6094379124341003]);
        close(&d(&logits).entropy(), &[1.0296530140645737]);
        check(&|logits| d(logits).logpmf(&labels).unwrap(), &logits);
        check(&|logits| d(logits).entropy(), &logits);
        let draws = d(&logits).sample(&mut StdRng::seed_from_u64(5), &[4000]).unwrap();
        let ones = draws.iter().filter(|&&k| k == 1).count();
        assert!((ones as f64 / 4000.0 - 0.5).abs() < 0.05, "{ones} of 4000");
    }),
];
