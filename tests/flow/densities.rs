//! Bases, flows as densities, symmetries.

use super::zoo::{moved, rng, spline};
use pullback::flow::*;
use pullback::nn::Params;
use pullback::physics::toy::Toy;
use pullback::prelude::*;

/// ∫ e^{ln p} over a box by the midpoint rule, in rows of a grid.
fn integral(low: [f64; 2], high: [f64; 2], n: usize, log_prob: &dyn Fn(&Var<f64>) -> Var<f64>) -> f64 {
    let step = [0, 1].map(|i| (high[i] - low[i]) / n as f64);
    let middle = |i: usize, k: usize| low[i] + step[i] * (k as f64 + 0.5);
    let rows = (0..n).map(|a| {
        let points = (0..n).flat_map(|b| [middle(0, a), middle(1, b)]).collect();
        log_prob(&Var::from_shape_vec(&[n, 2], points).unwrap()).exp().sum().item()
    });
    rows.sum::<f64>() * step[0] * step[1]
}

fn line(low: f64, high: f64, n: usize, log_prob: &dyn Fn(&Var<f64>) -> Var<f64>) -> f64 {
    let step = (high - low) / n as f64;
    let points = (0..n).map(|k| low + step * (k as f64 + 0.5)).collect();
    log_prob(&Var::from_shape_vec(&[n, 1], points).unwrap()).exp().sum().item() * step
}

fn is_one(name: &str, integral: f64, tolerance: f64) {
    assert!((integral - 1.0).abs() < tolerance, "{name} integrates to 1 {:+.1e}", integral - 1.0);
}

/// A base by name, with the interval outside of which it has no weight.
fn bases() -> Vec<(&'static str, Box<dyn Base<f64>>, f64, f64)> {
    let normal = || Normal::new(vec![0.3, -0.5], vec![0.7, 1.2]).unwrap();
    let mixture = Mixture::new(vec![Box::new(normal()), Box::new(Normal::new(vec![-2.0, 1.0], vec![0.5, 0.4]).unwrap())], vec![1.0, 3.0]);
    vec![
        ("normal", Box::new(normal()), -12.0, 12.0),
        ("uniform", Box::new(Uniform::new(vec![-1.0, 0.0], vec![2.0, 0.5]).unwrap()), f64::NAN, f64::NAN),
        ("torus", Box::new(Uniform::torus(2, 6.0).unwrap()), 0.0, 6.0),
        ("truncated", Box::new(Truncated::new(normal(), vec![-1.0; 2], vec![1.5; 2]).unwrap()), -1.0, 1.5),
        ("mixture", Box::new(mixture.unwrap()), -12.0, 12.0),
        ("ginibre of one", Box::new(Ginibre::new(1, 0.8).unwrap()), -6.0, 6.0),
    ]
}

#[test]
fn bases_integrate_to_one_and_draw_from_themselves() {
    let p = Params::new();
    for (name, base, low, high) in bases() {
        let log_prob = |x: &Var<f64>| base.log_prob(&p, x).unwrap();
        let (low, high) = if low.is_nan() { ([-1.0, 0.0], [2.0, 0.5]) } else { ([low; 2], [high; 2]) };
        is_one(name, integral(low, high, 300, &log_prob), 1e-4);
        // the first two moments of draws are those of the density
        let n = 20_000;
        let x = base.sample(n, &mut rng(3)).unwrap();
        assert_eq!(x.shape(), &[n, 2]);
        assert_eq!(x.as_slice(), base.sample(n, &mut rng(3)).unwrap().as_slice());
        for power in [1, 2] {
            for column in 0..2 {
                let drawn = x.slice(s![.., column]).powi(power);
                let weighted = |x: &Var<f64>| log_prob(x) + (x.slice(s![.., column]).powi(power) + 1000.0).log();
                let exact = integral(low, high, 300, &weighted) - 1000.0 * integral(low, high, 300, &log_prob);
                let error = (drawn.var(0).item() / n as f64).sqrt();
                let off = (drawn.mean().item() - exact) / error;
                assert!(off.abs() < 5.0, "{name}, column {column}, moment {power}: {off:.1} standard errors off");
            }
        }
    }
}

/// Two particles: the density is a product in (x₁ + x₂)/√2 and (x₁ − x₂)/√2.
#[test]
fn two_particles_of_ginibre_integrate_to_one() {
    let pair = Ginibre::new(2, 0.7).unwrap();
    let turned = |middle: &Var<f64>, apart: &Var<f64>| {
        let x = pullback::ops::concatenate(&[middle + apart, middle - apart], 1) * 0.5f64.sqrt();
        pair.log_prob(&Params::new(), &x).unwrap()
    };
    let (zero, one) = (Var::<f64>::zeros(&[1, 2]), Var::<f64>::ones(&[1, 2]));
    let by_distance = integral([-5.0; 2], [5.0; 2], 200, &|x| turned(&x.zeros_like(), x));
    let by_middle = integral([-5.0; 2], [5.0; 2], 200, &|x| turned(x, &x.ones_like()));
    is_one("ginibre", by_distance * by_middle / turned(&zero, &one).exp().item(), 1e-6);
}

/// The squares |x_i|² are, in some order, independent gamma variables of shapes 1, …, n (Kostlan), and Stein's identity
/// ⟨∇·f + f·∇ln p⟩ = 0 with f = |x_i|² x_i ties the draws to the density.
#[test]
fn ginibre_draws_from_itself() {
    let (n, scale, rows) = (4usize, 0.7, 20_000);
    let base = Ginibre::new(n, scale).unwrap();
    let x: Var<f64> = base.sample(rows, &mut rng(4)).unwrap();
    assert_eq!(x.as_slice(), Base::<f64>::sample(&base, rows, &mut rng(4)).unwrap().as_slice());
    let single: Var<f32> = base.sample(rows, &mut rng(4)).unwrap();
    assert!((single.astype::<f64>() - &x).abs().max().item() < 1e-6);
    let is = |what: &str, drawn: &Var<f64>, exact: f64| {
        let off = (drawn.mean().item() - exact) / (drawn.var(0).item() / rows as f64).sqrt();
        assert!(off.abs() < 5.0, "{what} is {} in place of {exact}, {off:.1} standard errors off", drawn.mean().item());
    };
    let squares = x.reshape(&[rows, n, 2]).square().sum_axis(-1) / (scale * scale);
    is("Σ|x|²", &squares.sum_axis(1), 10.0);
    is("Σ|x|⁴", &squares.square().sum_axis(1), 2.0 + 6.0 + 12.0 + 20.0);
    is("Π|x|²", &squares.prod_axis(1), 24.0);
    // any particle is like any other
    (0..n).for_each(|i| is("|x_i|²", &squares.slice(s![.., i]), 2.5));

    let gradient = grad(|x: &Var<f64>| base.log_prob(&Params::new(), x).unwrap().sum(), &x).unwrap();
    let weighted = (x.reshape(&[rows, n, 2]) * gradient.reshape(&[rows, n, 2])).sum_axis(-1) * &squares;
    is("Stein's sum", &(weighted + &squares * 4.0).sum_axis(1), 0.0);
    gradcheck(|x: &Var<f64>| base.log_prob(&Params::new(), x).unwrap(), &x.slice(s![..2, ..])).unwrap();
}

type Build = fn(&mut Params<f64>) -> Box<dyn Bijection<f64>>;

/// Maps of the plane onto itself, of every kind, moved from the identity.
fn maps() -> Vec<(&'static str, Build)> {
    fn chain(p: &mut Params<f64>, transformer: impl Transformer<f64> + Copy + 'static) -> Box<dyn Bijection<f64>> {
        let coupling = |p: &mut Params<f64>, k: usize| -> Box<dyn Bijection<f64>> {
            Box::new(
                Coupling::new(&mut p.scope(k), &ColumnMask::alternating(2, k), transformer, &Net::hidden(&[6]), &mut rng(k as u64))
                    .unwrap(),
            )
        };
        let maps = (0..2).map(|k| coupling(p, k)).collect();
        Box::new(Composition::new(maps).unwrap())
    }
    vec![
        ("NICE", |p| chain(p, Additive)),
        ("RealNVP", |p| chain(p, Scale::default())),
        ("spline coupling", |p| chain(p, spline(Tails::Linear))),
        ("MAF", |p| Box::new(Autoregressive::masked(&mut p.scope("a"), 2, Scale::default(), &Net::hidden(&[6]), &mut rng(1)).unwrap())),
        ("IAF", |p| Box::new(Autoregressive::inverse(&mut p.scope("a"), 2, Scale::default(), &Net::hidden(&[6]), &mut rng(1)).unwrap())),
        ("LU-linear", |p| Box::new(LuLinear::new(&mut p.scope("a"), 2, &mut rng(1)).unwrap())),
        ("Householder", |p| Box::new(Householder::new(&mut p.scope("a"), 2, 2, &mut rng(1)).unwrap())),
        ("root-solved", |p| Box::new(Elementwise::new(&mut p.scope("a"), 2, RootSolved::new(TanhSum::new(2).unwrap())).unwrap())),
    ]
}

#[test]
fn flows_of_the_plane_integrate_to_one() {
    for (name, build) in maps() {
        let mut params = Params::new();
        let map = build(&mut params);
        let p = moved(params, 0.3, 5);
        let flow = Flow::new(Normal::standard(2).unwrap(), map).unwrap();
        let log_prob = |x: &Var<f64>| flow.log_prob(&p, x).unwrap();
        is_one(name, integral([-14.0; 2], [14.0; 2], 280, &log_prob), 2e-4);
        // what is drawn has the density that is computed
        let noise = flow.noise(50, &mut rng(2)).unwrap();
        let (x, log_q) = flow.rsample(&p, &noise).unwrap();
        let off = (log_q - log_prob(&x)).abs().max().item();
        assert!(off < 1e-9, "{name}: ln q of a draw is off by {off:.1e}");
        assert_eq!(flow.sample(&p, 50, &mut rng(2)).unwrap().as_slice(), x.as_slice());
    }
}

#[test]
fn flows_of_the_line_the_interval_and_the_circle_integrate_to_one() {
    let mut params = Params::new();
    let map = Elementwise::new(&mut params.scope("a"), 1, spline(Tails::Linear)).unwrap();
    let p = moved(params, 1.0, 5);
    let flow = Flow::new(Normal::standard(1).unwrap(), map).unwrap();
    is_one("spline", line(-12.0, 12.0, 20_000, &|x| flow.log_prob(&p, x).unwrap()), 1e-6);
    for (name, tails) in [("bounded spline", Tails::Bounded), ("circular spline", Tails::Circular)] {
        let mut params = Params::new();
        let map = Elementwise::new(&mut params.scope("a"), 1, spline(tails)).unwrap();
        let p = moved(params, 1.0, 5);
        let flow = Flow::new(Uniform::new(vec![-2.0], vec![2.5]).unwrap(), map).unwrap();
        is_one(name, line(-2.0, 2.5, 20_000, &|x| flow.log_prob(&p, x).unwrap()), 1e-6);
    }
}

#[test]
fn a_circular_flow_is_periodic() {
    let mut params = Params::new();
    let tau = std::f64::consts::TAU;
    let map = RationalQuadratic::new(5, (0.0, tau), Tails::Circular).unwrap();
    let net = Net { period: Some(tau), ..Net::hidden(&[5]) };
    let first = Coupling::new(&mut params.scope(0), &ColumnMask::alternating(2, 0), map, &net, &mut rng(1)).unwrap();
    let second = Coupling::new(&mut params.scope(1), &ColumnMask::alternating(2, 1), map, &net, &mut rng(1)).unwrap();
    let p = moved(params, 0.3, 3);
    let flow = Flow::new(Uniform::torus(2, tau).unwrap(), Composition::new(vec![Box::new(first), Box::new(second)]).unwrap()).unwrap();
    is_one("torus", integral([0.0; 2], [tau; 2], 400, &|x| flow.log_prob(&p, x).unwrap()), 1e-4);
    // value and slope are the same on both sides of the seam
    let at = |x: f64, y: f64| flow.log_prob(&p, &Var::from_shape_vec(&[1, 2], vec![x, y]).unwrap()).unwrap().item();
    for other in [0.4, 3.0, 5.5] {
        for (a, b) in [(at(1e-9, other), at(tau - 1e-9, other)), (at(other, 1e-9), at(other, tau - 1e-9))] {
            assert!((a - b).abs() < 1e-6, "{a} and {b} across the seam");
        }
    }
}

#[test]
fn symmetrized_densities_are_symmetric_and_normalised() {
    let groups = [
        ("reflection", Group::reflection(2).unwrap(), 2),
        ("rotations by a fifth", Group::rotations(5).unwrap(), 5),
        ("exchange", Group::permutations(2, 1).unwrap(), 2),
        ("translations", Group::translations(&[2]).unwrap(), 2),
    ];
    for (name, group, order) in groups {
        assert_eq!(group.order(), order, "{name}");
        let mut params = Params::new();
        let map = Coupling::new(&mut params.scope("a"), &ColumnMask::alternating(2, 0), Scale::default(), &Net::hidden(&[6]), &mut rng(1))
            .unwrap();
        let p = moved(params, 0.4, 5);
        let base = || Normal::new(vec![1.0, 0.3], vec![0.8, 0.6]).unwrap();
        let flow = Flow::new(base(), map).unwrap().symmetrized(group.clone()).unwrap();
        let log_prob = |x: &Var<f64>| flow.log_prob(&p, x).unwrap();
        is_one(name, integral([-9.0; 2], [9.0; 2], 240, &log_prob), 2e-4);
        let noise = flow.noise(400, &mut rng(2)).unwrap();
        let (x, log_q) = flow.rsample(&p, &noise).unwrap();
        for g in 0..order {
            assert!((log_prob(&group.apply(g, &x)) - &log_q).abs().max().item() < 1e-10, "{name}: not symmetric under element {g}");
            assert!((group.apply_inverse(g, &group.apply(g, &x)) - &x).abs().max().item() < 1e-14);
        }
        // the mean of a symmetric density's samples is the symmetric part of the mean, here of x₀ − x₁ or both
        let difference = x.slice(s![.., 0]) - x.slice(s![.., 1]);
        let off = difference.mean().item() / (difference.var(0).item() / 400.0).sqrt();
        assert!(off.abs() < 5.0, "{name}: draws are not symmetric, {off:.1} standard errors");
    }
    assert_eq!(Group::permutations(4, 2).unwrap().order(), 24);
    assert_eq!(Group::translations(&[3, 4]).unwrap().order(), 12);
}

#[test]
fn actnorm_makes_the_first_data_standard() {
    let data = Toy::DoubleWell.sample::<f64>(500, &mut rng(1)) * 3.0 + 2.0;
    let mut params = Params::new();
    let norms: Vec<Box<dyn Bijection<f64>>> = vec![
        Box::new(Householder::new(&mut params.scope(0), 2, 2, &mut rng(1)).unwrap()),
        Box::new(ActNorm::new(&mut params.scope(1), 2).unwrap()),
        Box::new(Inverse(ActNorm::new(&mut params.scope(2), 2).unwrap())),
    ];
    let flow = Flow::new(Normal::standard(2).unwrap(), Composition::new(norms).unwrap()).unwrap();
    flow.initialize(&mut params, &data, None).unwrap();
    let (z, _) = flow.bijection().inverse(&params, &data, None).unwrap();
    let covariance = (&z - z.mean_axis(0)).t().matmul(&z) / 500.0;
    assert!(z.mean_axis(0).abs().max().item() < 1e-12, "{z}");
    assert!((covariance.trace().item() - 2.0).abs() < 1e-10, "{covariance}");
}

#[test]
fn same_seed_same_numbers_at_any_thread_count() {
    let mut params = Params::new();
    let map = Coupling::new(&mut params.scope("a"), &ColumnMask::alternating(2, 0), spline(Tails::Linear), &Net::hidden(&[8]), &mut rng(1))
        .unwrap();
    let p = moved(params, 0.4, 5);
    let flow = Flow::new(Normal::standard(2).unwrap(), map).unwrap();
    let run = || {
        let noise = flow.noise(5000, &mut rng(4)).unwrap();
        let (value, gradient) = p.value_and_grad(|p| Ok::<_, Error>(flow.rsample(p, &noise)?.1.mean())).unwrap();
        (value.item(), gradient.flat().as_slice().to_vec())
    };
    let with = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(run);
    assert_eq!(with(1), with(3));
}

#[test]
fn single_precision() {
    let mut params = Params::<f32>::new();
    let map = Coupling::new(&mut params.scope("a"), &ColumnMask::alternating(2, 0), spline(Tails::Linear), &Net::hidden(&[8]), &mut rng(1))
        .unwrap();
    let flow = Flow::new(Normal::standard(2).unwrap(), map).unwrap();
    let noise = flow.noise(100, &mut rng(4)).unwrap();
    let (x, log_q) = flow.rsample(&params, &noise).unwrap();
    assert!((log_q - flow.log_prob(&params, &x).unwrap()).abs().max().item() < 1e-4);
}

#[test]
fn toy_densities_are_what_they_say() {
    for toy in Toy::ALL {
        let log_prob = |x: &Var<f64>| -toy.energy(x).unwrap() - toy.ln_z();
        let reach = if toy == Toy::EightGaussians { 8.0 } else { 7.0 };
        is_one(toy.name(), integral([-reach; 2], [reach; 2], 500, &log_prob), if toy == Toy::Rings { 1e-3 } else { 1e-5 });
        let x = toy.sample::<f64>(20_000, &mut rng(9));
        // functions of the point: draws against quadrature
        let functions: [fn(&Var<f64>) -> Var<f64>; 3] =
            [|x| x.slice(s![.., 0]), |x| (x.square()).sum_axis(1), |x| (x.slice(s![.., 0]) * 3.0).sin() * (x.slice(s![.., 1]) * 2.0).cos()];
        for (k, f) in functions.into_iter().enumerate() {
            let drawn = f(&x);
            let exact = integral([-reach; 2], [reach; 2], 500, &|x| log_prob(x) + (f(x) + 200.0).log()) - 200.0;
            let off = (drawn.mean().item() - exact) / (drawn.var(0).item() / 20_000.0).sqrt();
            assert!(off.abs() < 5.0, "{}, function {k}: {off:.1} standard errors off", toy.name());
        }
    }
    assert!((Toy::EightGaussians.entropy().unwrap() - 2.614_734).abs() < 1e-6);
}
