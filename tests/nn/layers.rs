//! Layers against their formulas, and their derivatives against finite differences.
use super::rng;
use num_complex::Complex;
use pullback::nn::{Activation, Init, Linear, Mlp, Params};
use pullback::prelude::*;
use pullback::random;

const REAL: [Activation; 9] = [
    Activation::Identity,
    Activation::Tanh,
    Activation::Relu,
    Activation::Sigmoid,
    Activation::Softplus,
    Activation::Silu,
    Activation::Gelu,
    Activation::Sin,
    Activation::LnCosh,
];

fn normal(seed: u64, shape: &[usize]) -> Var<f64> {
    random::normal(&mut rng(seed), shape)
}

#[test]
fn fused_layer_is_its_formula() {
    for f in REAL {
        let mut params = Params::<f64>::new();
        let layer = Linear::new(&mut params.scope("l"), 3, 4, Init::Normal(1.0), &mut rng(1));
        params.set(layer.bias().unwrap(), normal(2, &[4])).unwrap();
        for shape in [&[3][..], &[5, 3], &[2, 5, 3], &[0, 3]] {
            let x = normal(3, shape);
            let y = layer.activated(&params, &x, f);
            let expected = f.apply(&(x.matmul(params.get(layer.weight())) + params.get(layer.bias().unwrap())));
            assert_eq!(y.shape(), expected.shape());
            let worst = y.as_slice().iter().zip(expected.as_slice()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(worst < 1e-14, "{f:?}: {worst}");
        }
    }
}

#[test]
fn fused_layer_to_second_order_in_both_modes() {
    for f in REAL {
        let mut params = Params::<f64>::new();
        let layer = Linear::new(&mut params.scope("l"), 2, 3, Init::Normal(1.0), &mut rng(4));
        params.set(layer.bias().unwrap(), normal(5, &[3])).unwrap();
        gradcheck(|(p, x): &(Params<f64>, Var<f64>)| layer.activated(p, x, f), &(params, normal(6, &[2, 2])))
            .unwrap_or_else(|e| panic!("{f:?}: {e}"));
    }
    let mut params = Params::<f64>::new();
    let layer = Linear::without_bias(&mut params.scope("l"), 2, 3, Init::Normal(1.0), &mut rng(4));
    gradcheck(|(p, x): &(Params<f64>, Var<f64>)| layer.activated(p, x, Activation::Tanh), &(params, normal(6, &[2, 2, 2]))).unwrap();
}

#[test]
fn complex_layer_to_second_order_in_both_modes() {
    let complex = |seed, shape: &[usize]| -> Var<Complex<f64>> { random::complex_normal(&mut rng(seed), shape) };
    for f in [
        Activation::Identity,
        Activation::Tanh,
        Activation::Sigmoid,
        Activation::Softplus,
        Activation::Silu,
        Activation::Sin,
        Activation::LnCosh,
    ] {
        let mut params = Params::<Complex<f64>>::new();
        let layer = Linear::new(&mut params.scope("l"), 2, 2, Init::Normal(0.5), &mut rng(7));
        params.set(layer.bias().unwrap(), complex(8, &[2]) * Complex::new(0.3, 0.0)).unwrap();
        let x = complex(9, &[2, 2]) * Complex::new(0.5, 0.0);
        gradcheck(|(p, x): &(Params<Complex<f64>>, Var<Complex<f64>>)| layer.activated(p, x, f), &(params, x))
            .unwrap_or_else(|e| panic!("{f:?}: {e}"));
    }
}

#[test]
fn mlp_is_a_chain_of_its_layers_and_differentiates_in_its_input() {
    let mut params = Params::<f64>::new();
    let net = Mlp::new(&mut params.scope("n"), &[2, 5, 4, 1], Activation::Tanh, &mut rng(10));
    let x = normal(11, &[3, 2]);
    let [a, b, c] = [0, 1, 2].map(|k| net.layers()[k]);
    let h = b.forward(&params, &a.forward(&params, &x).tanh()).tanh();
    let worst = (net.forward(&params, &x) - c.forward(&params, &h)).abs().max().item();
    assert!(worst < 1e-14, "{worst}");
    gradcheck(|(p, x): &(Params<f64>, Var<f64>)| net.forward(p, x), &(params, normal(12, &[1, 2]))).unwrap();
}

#[test]
fn a_network_with_zeros_in_its_last_layer_is_zero() {
    let mut params = Params::<f64>::new();
    let net = Mlp::with_init(&mut params.scope("n"), &[2, 5, 1], Activation::Silu, (Init::LecunNormal, Init::Zeros), &mut rng(10));
    assert!(net.forward(&params, &normal(1, &[4, 2])).as_slice().iter().all(|y| *y == 0.0));
}
