//! Every bijection, with parameters away from their start and points to try it on.

use pullback::flow::*;
use pullback::nn::Params;
use pullback::prelude::*;
use pullback::random;
use rand::SeedableRng;
use rand::rngs::StdRng;

pub struct Case {
    pub name: &'static str,
    pub params: Params<f64>,
    pub map: Box<dyn Bijection<f64>>,
    pub x: Var<f64>,
    pub context: Option<Var<f64>>,
}

impl Case {
    pub fn forward(&self, p: &Params<f64>, x: &Var<f64>) -> Result<(Var<f64>, Var<f64>)> {
        self.map.forward(p, x, self.context.as_ref())
    }
    pub fn inverse(&self, p: &Params<f64>, y: &Var<f64>) -> Result<(Var<f64>, Var<f64>)> {
        self.map.inverse(p, y, self.context.as_ref())
    }
}

pub fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

/// Parameters moved at random, so that no map is the identity.
pub fn moved(mut p: Params<f64>, by: f64, seed: u64) -> Params<f64> {
    if p.count() > 0 {
        let noise = random::normal::<f64>(&mut rng(seed), &[p.count()]) * by;
        let flat = p.flat() + noise;
        p.set_flat(&flat).unwrap();
    }
    p
}

pub fn spline(tails: Tails) -> RationalQuadratic {
    RationalQuadratic::new(3, (-2.0, 2.5), tails).unwrap()
}

type Build<'a> = dyn Fn(&mut Params<f64>, &mut StdRng) -> Box<dyn Bijection<f64>> + 'a;

fn case(name: &'static str, dim: usize, points: std::ops::Range<f64>, context: usize, build: &Build<'_>) -> Case {
    let mut r = rng(7);
    let mut params = Params::new();
    let map = build(&mut params, &mut r);
    let n = 3;
    let x = random::uniform::<f64>(&mut r, &[n, dim]) * (points.end - points.start) + points.start;
    let context = (context > 0).then(|| random::normal(&mut r, &[n, context]));
    Case { name, params: moved(params, 0.4, 11), map, x, context }
}

pub fn zoo() -> Vec<Case> {
    let small = || Net::hidden(&[3]);
    let conditional = || Net { context: 2, ..small() };
    let circle = || Net { period: Some(4.5), ..small() };
    let mask = || ColumnMask::alternating(3, 0);
    let wide = -1.5..1.5;
    let inside = -1.9..2.4;
    vec![
        case("affine", 2, wide.clone(), 0, &|p, _| {
            Box::new(Elementwise::new(&mut p.scope("a"), 2, Scale::bounded(f64::INFINITY).unwrap()).unwrap())
        }),
        case("elementwise given a context", 2, wide.clone(), 2, &|p, r| {
            Box::new(Elementwise::conditional(&mut p.scope("a"), 2, Scale::default(), &conditional(), r).unwrap())
        }),
        case("elementwise spline", 2, inside.clone(), 0, &|p, _| {
            Box::new(Elementwise::new(&mut p.scope("a"), 2, spline(Tails::Linear)).unwrap())
        }),
        case("bounded spline", 2, inside.clone(), 0, &|p, _| {
            Box::new(Elementwise::new(&mut p.scope("a"), 2, spline(Tails::Bounded)).unwrap())
        }),
        case("circular spline", 2, -0.6..0.2, 0, &|p, _| {
            Box::new(Elementwise::new(&mut p.scope("a"), 2, spline(Tails::Circular)).unwrap())
        }),
        case("root-solved", 2, wide.clone(), 0, &|p, _| {
            Box::new(Elementwise::new(&mut p.scope("a"), 2, RootSolved::new(TanhSum::new(2).unwrap())).unwrap())
        }),
        case("permutation", 3, wide.clone(), 0, &|_, _| Box::new(Permutation::new(vec![2, 0, 1]).unwrap())),
        case("LU-linear", 3, wide.clone(), 0, &|p, r| Box::new(LuLinear::new(&mut p.scope("a"), 3, r).unwrap())),
        case("Householder", 3, wide.clone(), 0, &|p, r| Box::new(Householder::new(&mut p.scope("a"), 3, 3, r).unwrap())),
        case("actnorm", 3, wide.clone(), 0, &|p, _| Box::new(ActNorm::new(&mut p.scope("a"), 3).unwrap())),
        case("NICE coupling", 3, wide.clone(), 0, &|p, r| {
            Box::new(Coupling::new(&mut p.scope("a"), &mask(), Additive, &small(), r).unwrap())
        }),
        case("RealNVP coupling", 3, wide.clone(), 0, &|p, r| {
            Box::new(Coupling::new(&mut p.scope("a"), &mask().complement(), Scale::default(), &small(), r).unwrap())
        }),
        case("RealNVP coupling given a context", 3, wide.clone(), 2, &|p, r| {
            Box::new(Coupling::new(&mut p.scope("a"), &mask(), Scale::bounded(2.0).unwrap(), &conditional(), r).unwrap())
        }),
        case("spline coupling", 2, inside.clone(), 0, &|p, r| {
            Box::new(Coupling::new(&mut p.scope("a"), &ColumnMask::halves(2, false), spline(Tails::Linear), &small(), r).unwrap())
        }),
        case("circular spline coupling", 2, -0.6..0.2, 0, &|p, r| {
            Box::new(Coupling::new(&mut p.scope("a"), &ColumnMask::halves(2, true), spline(Tails::Circular), &circle(), r).unwrap())
        }),
        case("masked autoregressive", 3, wide.clone(), 0, &|p, r| {
            Box::new(Autoregressive::masked(&mut p.scope("a"), 3, Scale::default(), &small(), r).unwrap())
        }),
        case("masked autoregressive given a context", 2, wide.clone(), 2, &|p, r| {
            Box::new(Autoregressive::masked(&mut p.scope("a"), 2, Scale::default(), &conditional(), r).unwrap())
        }),
        case("inverse autoregressive", 3, wide.clone(), 0, &|p, r| {
            Box::new(Autoregressive::inverse(&mut p.scope("a"), 3, Scale::default(), &small(), r).unwrap())
        }),
        case("autoregressive spline", 2, inside.clone(), 0, &|p, r| {
            Box::new(Autoregressive::inverse(&mut p.scope("a"), 2, spline(Tails::Linear), &small(), r).unwrap())
        }),
        case("composition and inverse", 2, wide, 0, &|p, r| {
            let first = Coupling::new(&mut p.scope("a"), &ColumnMask::alternating(2, 0), Scale::default(), &small(), r).unwrap();
            let second = LuLinear::new(&mut p.scope("b"), 2, r).unwrap();
            let maps: Vec<Box<dyn Bijection<f64>>> = vec![Box::new(Inverse(first)), Box::new(second)];
            Box::new(Composition::new(maps).unwrap())
        }),
    ]
}
