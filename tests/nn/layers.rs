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

/// Rows beyond one block, with a last block that is shorter, and rows that no block has.
#[test]
fn a_perceptron_is_its_layers_one_by_one() {
    for f in [Activation::Tanh, Activation::Sigmoid, Activation::Relu, Activation::Silu] {
        for (rows, sizes) in [(300, &[5, 17, 2][..]), (300, &[1, 64, 96, 3]), (700, &[65, 130, 1]), (7, &[3, 4]), (0, &[3, 4, 2])] {
            let mut params = Params::<f64>::new();
            let mlp = Mlp::with_init(&mut params.scope("m"), sizes, f, (Init::Normal(0.3), Init::Normal(0.3)), &mut rng(1));
            for layer in mlp.layers() {
                params.set(layer.bias().unwrap(), normal(2, &[layer.outputs()])).unwrap();
            }
            let (x, c) = (normal(3, &[rows, sizes[0]]), normal(4, &[rows, sizes[sizes.len() - 1]]));
            let one_by_one = |p: &Params<f64>, x: &Var<f64>| {
                let (last, hidden) = mlp.layers().split_last().unwrap();
                last.forward(p, &hidden.iter().fold(x.clone(), |h, layer| layer.activated(p, &h, f)))
            };
            let loss =
                |net: &dyn Fn(&Params<f64>, &Var<f64>) -> Var<f64>, (p, x): &(Params<f64>, Var<f64>)| (&c * net(p, x).square()).sum();
            let at = (params.clone(), x.clone());
            let together = |p: &Params<f64>, x: &Var<f64>| mlp.forward(p, x);
            let (a, b) = (together(&params, &x), one_by_one(&params, &x));
            assert_eq!(a.shape(), b.shape());
            approx::assert_relative_eq!(a.as_slice(), b.as_slice(), epsilon = 1e-12, max_relative = 1e-12);
            let (a, b) = (value_and_grad(|at| loss(&together, at), &at).unwrap(), value_and_grad(|at| loss(&one_by_one, at), &at).unwrap());
            approx::assert_relative_eq!(a.0.item(), b.0.item(), max_relative = 1e-12);
            for ((name, a), (_, b)) in a.1.0.iter().zip(b.1.0.iter()) {
                assert_eq!(a.shape(), b.shape(), "{name}");
                approx::assert_relative_eq!(a.as_slice(), b.as_slice(), epsilon = 1e-11, max_relative = 1e-11);
            }
            approx::assert_relative_eq!(a.1.1.as_slice(), b.1.1.as_slice(), epsilon = 1e-11, max_relative = 1e-11);
            // of the input alone, of the parameters alone
            let of_x = grad(|x: &Var<f64>| loss(&together, &(params.clone(), x.clone())), &x);
            let of_p = grad(|p: &Params<f64>| loss(&together, &(p.clone(), x.clone())), &params);
            assert_eq!(of_x.unwrap().as_slice(), a.1.1.as_slice());
            assert!(of_p.unwrap().iter().zip(a.1.0.iter()).all(|(a, b)| a.1.as_slice() == b.1.as_slice()));
        }
    }
}

#[test]
fn a_perceptrons_bits_do_not_depend_on_the_threads() {
    let mut params = Params::<f64>::new();
    let mlp = Mlp::new(&mut params.scope("m"), &[3, 40, 70, 2], Activation::Tanh, &mut rng(1));
    let x = normal(3, &[1000, 3]);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let (value, gradient) = pool.install(|| params.value_and_grad(|p| mlp.forward(p, &x).square().sum()).unwrap());
        (value.item(), gradient.iter().flat_map(|(_, g)| g.as_slice().to_vec()).collect::<Vec<_>>())
    };
    assert_eq!(run(1), run(3));
}
