//! Symmetries and formulas of the layers for sets, of normalisation and of masks.
use super::rng;
use crate::support::refuses;
use pullback::nn::{Activation, DeepSets, Init, LayerNorm, MaskedLinear, Pairwise, Params, PeriodicFeatures, SetLinear};
use pullback::prelude::*;
use pullback::random;

fn normal(seed: u64, shape: &[usize]) -> Var<f64> {
    random::normal(&mut rng(seed), shape)
}

const ORDER: [usize; 4] = [2, 0, 3, 1];

fn largest(v: Var<f64>) -> f64 {
    v.abs().max().item()
}

#[test]
fn deep_sets_do_not_depend_on_the_order() {
    let mut params = Params::new();
    let mut net = DeepSets::new(&mut params.scope("s"), &[3, 8, 4], &[4, 8, 2], Activation::Tanh, &mut rng(1));
    let x = normal(2, &[5, 4, 3]);
    for mean in [false, true] {
        net.mean = mean;
        let y = net.forward(&params, &x);
        assert_eq!(y.shape(), [5, 2]);
        let worst = largest(&y - net.forward(&params, &x.index_select(&ORDER, 1)));
        assert!(worst < 1e-14, "{worst}");
        // and it does depend on the points
        assert!(largest(y - net.forward(&params, &(&x * 1.1))) > 1e-3);
    }
    gradcheck(|(p, x): &(Params<f64>, Var<f64>)| net.forward(p, x), &(params, normal(3, &[2, 3]))).unwrap();
    refuses(
        || DeepSets::new(&mut Params::<f64>::new().scope("s"), &[3, 4], &[5, 1], Activation::Tanh, &mut rng(1)),
        &["the last of φ must be the first of ρ"],
    );
}

#[test]
fn set_linear_and_pairwise_follow_the_order() {
    let mut params = Params::new();
    let linear = SetLinear::new(&mut params.scope("l"), 2, 3, Init::XavierNormal, &mut rng(4));
    let pairs = Pairwise::new(&mut params.scope("p"), 2, &[6, 5], 3, Activation::Silu, &mut rng(5));
    let x = normal(6, &[3, 4, 2]);
    type Layer<'a> = &'a dyn Fn(&Params<f64>, &Var<f64>) -> Var<f64>;
    let layers: [Layer; 2] = [&|p, x| linear.forward(p, x), &|p, x| pairs.forward(p, x)];
    for forward in layers {
        let y = forward(&params, &x);
        assert_eq!(y.shape(), [3, 4, 3]);
        let worst = largest(y.index_select(&ORDER, 1) - forward(&params, &x.index_select(&ORDER, 1)));
        assert!(worst < 1e-14, "{worst}");
        // what happens to one particle is felt by the others
        let mut moved = x.to_array();
        moved[[0, 0, 0]] += 1.0;
        let felt = (forward(&params, &Var::from(moved)) - y).abs();
        assert!(felt.value()[[0, 3, 1]] > 1e-4 && felt.value()[[1, 3, 1]] == 0.0);
    }
    gradcheck(|(p, x): &(Params<f64>, Var<f64>)| linear.forward(p, x), &(params.clone(), normal(7, &[2, 2]))).unwrap();
    gradcheck(|x: &Var<f64>| pairs.forward(&params, x), &normal(7, &[3, 2])).unwrap();
}

#[test]
fn pairwise_sums_over_the_other_particles() {
    let mut params = Params::new();
    let net = Pairwise::new(&mut params.scope("p"), 2, &[5], 3, Activation::Tanh, &mut rng(8));
    let x = normal(9, &[3, 2]);
    let get = |name: &str| params.by_name(&format!("p/{name}")).unwrap();
    let row = |i: usize| x.slice(s![i..i + 1, ..]);
    let single =
        |i| (row(i).matmul(get("single/0/weight")) + get("single/0/bias")).tanh().matmul(get("single/1/weight")) + get("single/1/bias");
    let pair = |i, j| {
        let inner = row(i).matmul(get("from/weight")) + get("from/bias") + row(j).matmul(get("to/weight"));
        inner.tanh().matmul(get("pair/0/weight")) + get("pair/0/bias")
    };
    let expected = single(1) + pair(1, 0) + pair(1, 2);
    let worst = largest(net.forward(&params, &x).slice(s![1..2, ..]) - expected);
    assert!(worst < 1e-14, "{worst}");
    // a single particle has no pairs
    let worst = largest(net.forward(&params, &row(2)) - single(2));
    assert!(worst < 1e-14, "{worst}");
}

#[test]
fn layer_norm_gives_mean_and_spread() {
    let mut params = Params::new();
    let layer = LayerNorm::new(&mut params.scope("n"), 6);
    let x = normal(10, &[4, 6]) * 3.0 + 2.0;
    let y = layer.forward(&params, &x);
    assert!(largest(y.mean_axis(1)) < 1e-14);
    // ε lowers the spread a little
    let variance = x.var_axis(1, 0);
    let worst = largest(y.var_axis(1, 0) - &variance / (&variance + 1e-5));
    assert!(worst < 1e-13, "{worst}");
    let still = layer.forward(&params, &Var::ones(&[1, 6]));
    assert!(still.as_slice().iter().all(|y| *y == 0.0));
    gradcheck(|(p, x): &(Params<f64>, Var<f64>)| layer.forward(p, x), &(params.clone(), normal(11, &[2, 6]))).unwrap();
    refuses(|| layer.forward(&params, &Var::zeros(&[2, 5])), &["[2, 5]", "must be 6"]);
}

#[test]
fn masked_weights_are_never_read_and_get_no_gradient() {
    let mask = ndarray::array![[true, false, true], [false, false, true]];
    let mut params = Params::new();
    let layer = MaskedLinear::new(&mut params.scope("m"), mask.clone(), Init::Normal(1.0), &mut rng(12));
    params.set(layer.bias(), normal(13, &[3])).unwrap();
    let x = normal(14, &[4, 2]);
    let effective = params.get(layer.weight()) * Var::from(mask.mapv(|m| if m { 1.0 } else { 0.0 }));
    let expected = (x.matmul(effective) + params.get(layer.bias())).tanh();
    let worst = largest(layer.activated(&params, &x, Activation::Tanh) - expected);
    assert!(worst < 1e-15, "{worst}");
    let (_, g) = params.value_and_grad(|p| layer.forward(p, &x).square().sum()).unwrap();
    let zero: Vec<bool> = g.get(layer.weight()).as_slice().iter().map(|g| *g == 0.0).collect();
    assert_eq!(zero, mask.iter().map(|m| !m).collect::<Vec<_>>());
    gradcheck(|(p, x): &(Params<f64>, Var<f64>)| layer.activated(p, x, Activation::Softplus), &(params, normal(15, &[2, 2]))).unwrap();
}

#[test]
fn periodic_features_are_harmonics() {
    let f = PeriodicFeatures { period: 3.0, harmonics: 2 };
    let x = Var::from(ndarray::array![[0.4, -1.0]]);
    let angle = |x: f64, k: f64| std::f64::consts::TAU / 3.0 * x * k;
    let expected: Vec<f64> =
        [1.0, 2.0].iter().flat_map(|&k| [angle(0.4, k).cos(), angle(-1.0, k).cos(), angle(0.4, k).sin(), angle(-1.0, k).sin()]).collect();
    let y = f.forward(&x);
    assert_eq!(y.shape(), [1, f.outputs(2)]);
    assert!(y.as_slice().iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-15));
    gradcheck(|x: &Var<f64>| f.forward(x), &x).unwrap();
    refuses(|| PeriodicFeatures { period: 0.0, harmonics: 1 }.forward(&x), &["must be positive"]);
}
