//! Bad input: an error that names what is wrong and where.

use super::zoo::{rng, spline};
use pullback::flow::*;
use pullback::nn::Params;
use pullback::prelude::*;

#[track_caller]
fn refused<R>(r: Result<R>, parts: &[&str]) {
    let Err(e) = r else { panic!("no error about {parts:?}") };
    let text = e.to_string();
    parts.iter().for_each(|p| assert!(text.contains(p), "{p:?} is not in: {text}"));
}

fn flow() -> (Params<f64>, Flow<f64>) {
    let mut p = Params::new();
    let map = Coupling::new(&mut p.scope("a"), &ColumnMask::alternating(2, 0), Scale::default(), &Net::hidden(&[3]), &mut rng(1)).unwrap();
    (p, Flow::new(Normal::standard(2).unwrap(), map).unwrap())
}

#[test]
fn dimensions_that_do_not_fit() {
    let three = Normal::standard(3).unwrap();
    refused(Flow::<f64>::new(three, Permutation::reversal(2)), &["flow", "base has 3 columns", "bijection 2"]);
    let (_, flow) = flow();
    refused(flow.symmetrized(Group::reflection(3).unwrap()), &["3 columns", "flow of 2"]);
    let maps: Vec<Box<dyn Bijection<f64>>> = vec![Box::new(Permutation::reversal(2)), Box::new(Permutation::reversal(3))];
    refused(Composition::new(maps), &["map 1 has 3 columns", "map 0 has 2"]);
    refused(Composition::<f64>::new(vec![]), &["no maps"]);
    refused(
        Mixture::<f64>::new(vec![Box::new(Normal::standard(2).unwrap()), Box::new(Normal::standard(1).unwrap())], vec![1.0; 2]),
        &["density 1 has 1"],
    );
    let mut p = Params::<f64>::new();
    let net = pullback::nn::Mlp::new(&mut p.scope("net"), &[1, 4, 3], pullback::nn::Activation::Tanh, &mut rng(1));
    let mask = ColumnMask::alternating(2, 0);
    refused(Coupling::<f64>::with_conditioner(&mask, Scale::default(), net, 0), &["(1, 3)", "(1, 2)"]);
}

#[test]
fn points_of_the_wrong_shape_or_not_finite() {
    let (p, flow) = flow();
    refused(flow.log_prob(&p, &Var::ones(&[4, 3])), &["log_prob", "[4, 3]", "(batch, 2)"]);
    refused(flow.log_prob(&p, &Var::ones(&[2])), &["[2]", "(batch, 2)"]);
    let bad = Var::from_shape_vec(&[3, 2], vec![0.0, 1.0, 2.0, f64::NAN, 0.0, f64::INFINITY]).unwrap();
    refused(flow.log_prob(&p, &bad), &["row 1, column 1 is NaN"]);
    let (mut p, flow) = (p, flow);
    refused(flow.initialize(&mut p, &bad, None), &["row 1, column 1 is NaN"]);
}

#[test]
fn points_outside_the_domain() {
    let p = Params::<f64>::new();
    let point = |x: f64| Var::from_shape_vec(&[2, 1], vec![0.5, x]).unwrap();
    let torus = Uniform::torus(1, 6.0).unwrap();
    refused(Base::<f64>::log_prob(&torus, &p, &point(6.5)), &["torus", "row 1, column 0 is 6.5", "[0, 6]"]);
    refused(Base::<f64>::log_prob(&torus, &p, &point(f64::NAN)), &["row 1", "NaN"]);
    let uniform = Uniform::new(vec![0.0], vec![1.0]).unwrap();
    refused(Base::<f64>::log_prob(&uniform, &p, &point(-0.1)), &["uniform", "row 1", "-0.1"]);
    let truncated = Truncated::new(Normal::standard(1).unwrap(), vec![0.0], vec![f64::INFINITY]).unwrap();
    refused(Base::<f64>::log_prob(&truncated, &p, &point(-1.0)), &["truncated", "row 1", "[0, inf]"]);
    let ginibre = Ginibre::new(2, 1.0).unwrap();
    let points = Var::from_shape_vec(&[2, 4], vec![0.0, 1.0, 2.0, 3.0, 0.5, 0.25, 0.5, 0.25]).unwrap();
    refused(Base::<f64>::log_prob(&ginibre, &p, &points), &["ginibre", "row 1", "particles 0 and 1", "[0.5, 0.25]"]);
    refused(Base::<f64>::log_prob(&ginibre, &p, &point(1.0)), &["ginibre", "[2, 1]", "(batch, 4)"]);
    for tails in [Tails::Bounded, Tails::Circular] {
        let mut p = Params::<f64>::new();
        let map = Elementwise::new(&mut p.scope("a"), 1, spline(tails)).unwrap();
        refused(map.forward(&p, &point(2.6), None), &["row 1, column 0", "2.6", "[-2, 2.5]"]);
        refused(map.inverse(&p, &point(-2.1), None), &["row 1, column 0", "-2.1"]);
        refused(map.inverse(&p, &point(f64::NAN), None), &["row 1", "NaN"]);
    }
    let mut p = Params::<f64>::new();
    let map = Elementwise::new(&mut p.scope("a"), 1, RootSolved::new(TanhSum::new(1).unwrap())).unwrap();
    refused(map.inverse(&p, &point(f64::INFINITY), None), &["root_solved", "row 1, column 0 is inf"]);
}

#[test]
fn options_out_of_range() {
    let mut r = rng(1);
    let mut p = Params::<f64>::new();
    refused(RationalQuadratic::new(0, (0.0, 1.0), Tails::Bounded), &["0 bins"]);
    refused(RationalQuadratic::new(4, (1.0, 0.0), Tails::Bounded), &["[1, 0]"]);
    refused(RationalQuadratic::new(4, (0.0, f64::INFINITY), Tails::Bounded), &["inf"]);
    refused(spline(Tails::Linear).with_least(0.5, 0.1), &["min_bin 0.5", "1/3"]);
    refused(Scale::bounded(-1.0), &["-1"]);
    refused(Permutation::new(vec![0, 2, 2]), &["[0, 2, 2]", "entry 2"]);
    refused(Normal::new(vec![0.0], vec![0.0]), &["element 0 of scale is 0"]);
    refused(Normal::new(vec![0.0; 2], vec![1.0]), &["2 means and 1"]);
    refused(Normal::standard(0), &["0 columns"]);
    refused(Uniform::new(vec![1.0], vec![1.0]), &["high − low is 0"]);
    refused(Ginibre::new(0, 1.0), &["0 particles"]);
    refused(Ginibre::new(2, f64::NAN), &["NaN", "positive"]);
    refused(Truncated::new(Normal::standard(1).unwrap(), vec![1.0], vec![0.0]), &["column 0"]);
    refused(Group::generated(2, &[vec![2.0, 0.0, 0.0, 1.0]]), &["generator 0 is not orthogonal"]);
    refused(Group::generated(2, &[vec![1.0]]), &["1 entries", "2 × 2"]);
    let (sin, cos) = 1f64.sin_cos();
    refused(Group::generated(2, &[vec![cos, -sin, sin, cos]]), &["more than 50000 products"]);
    refused(
        Coupling::<f64>::new(&mut p.scope(0), &ColumnMask::new(vec![true, true]), Additive, &Net::default(), &mut r),
        &["2 columns pass and 0 are moved"],
    );
    refused(Householder::new::<f64>(&mut p.scope(1), 3, 0, &mut r), &["0 reflections"]);
    refused(Autoregressive::<f64>::masked(&mut p.scope(2), 0, Additive, &Net::default(), &mut r), &["0 columns"]);
    refused(
        Autoregressive::<f64>::masked(&mut p.scope(3), 2, Additive, &Net { period: Some(-1.0), ..Net::default() }, &mut r),
        &["a period of -1"],
    );
    refused(TanhSum::new(0), &["0 terms"]);
}

#[test]
fn a_missing_context_and_degenerate_data() {
    let mut p = Params::<f64>::new();
    let net = Net { context: 2, ..Net::hidden(&[3]) };
    let map = Coupling::new(&mut p.scope("a"), &ColumnMask::alternating(2, 0), Additive, &net, &mut rng(1)).unwrap();
    let x = Var::ones(&[3, 2]);
    refused(map.forward(&p, &x, None), &["conditional on 2 columns", "none was given"]);
    refused(map.forward(&p, &x, Some(&Var::ones(&[2, 2]))), &["[2, 2]", "(3, 2)"]);
    let mut p = Params::<f64>::new();
    let norm = ActNorm::new(&mut p.scope("a"), 2).unwrap();
    refused(norm.initialize(&mut p, &x, Direction::Inverse, None), &["column 0", "standard deviation 0"]);
    let mut p = Params::<f64>::new();
    let map = Householder::new(&mut p.scope("a"), 2, 1, &mut rng(1)).unwrap();
    p.set(p.handle("a/vectors").unwrap(), Var::zeros(&[1, 2])).unwrap();
    refused(map.forward(&p, &x, None), &["householder", "reflection 0", "no direction"]);
}

#[test]
fn a_map_that_is_not_onto_has_no_root() {
    struct Bounded;
    impl IncreasingMap<f64> for Bounded {
        fn parameters(&self) -> usize {
            1
        }
        fn column(&self, parameter: usize, _: usize) -> usize {
            parameter
        }
        fn forward(&self, x: &Var<f64>, _: &Var<f64>) -> Result<(Var<f64>, Var<f64>)> {
            Ok((x.tanh(), (1.0 - x.tanh().square()).log()))
        }
    }
    let y = Var::from_shape_vec(&[2, 1], vec![0.5, 1.5]).unwrap();
    refused(RootSolved::new(Bounded).inverse(&y, &Var::zeros(&[2, 1])), &["no bracket", "row 1, column 0", "1.5"]);
}
