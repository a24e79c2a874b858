//! Convolutions against the sum they are, written out.
use super::rng;
use crate::support::refuses;
use num_complex::Complex;
use pullback::nn::{Activation, Conv, ConvOptions, Init, Padding, Params, causal_mask};
use pullback::prelude::*;
use pullback::random;
use rand::RngExt;

/// Σ_{c, u} w[o, c, u] x[b, c, s r + u − p] + bias[o] of two axes, one number after the other.
fn naive(x: &Var<f64>, w: &Var<f64>, bias: &Var<f64>, padding: Padding, stride: usize) -> Vec<f64> {
    let (x, w, bias) = (x.value(), w.value(), bias.as_slice());
    let (size, kernel) = ([x.shape()[2], x.shape()[3]], [w.shape()[2], w.shape()[3]]);
    let valid = padding == Padding::Valid;
    let covered = [0, 1].map(|a| if valid { size[a] + 1 - kernel[a] } else { size[a] });
    let before = kernel.map(|k| if valid { 0 } else { (k - 1) / 2 });
    let mut out = Vec::new();
    for b in 0..x.shape()[0] {
        for o in 0..w.shape()[0] {
            for i in (0..covered[0]).step_by(stride) {
                for j in (0..covered[1]).step_by(stride) {
                    let mut sum = bias[o];
                    for c in 0..w.shape()[1] {
                        for u in 0..kernel[0] {
                            for v in 0..kernel[1] {
                                let at = [(i + u) as isize - before[0] as isize, (j + v) as isize - before[1] as isize];
                                let inside = (0..2).all(|a| (0..size[a] as isize).contains(&at[a]));
                                if inside || padding == Padding::Periodic {
                                    let at = [0, 1].map(|a| at[a].rem_euclid(size[a] as isize) as usize);
                                    sum += w[[o, c, u, v]] * x[[b, c, at[0], at[1]]];
                                }
                            }
                        }
                    }
                    out.push(sum);
                }
            }
        }
    }
    out
}

fn layer(inputs: usize, outputs: usize, kernel: &[usize], options: ConvOptions, seed: u64) -> (Params<f64>, Conv) {
    let mut params = Params::new();
    let conv = Conv::new(&mut params.scope("c"), inputs, outputs, kernel, options, Init::Normal(1.0), &mut rng(seed));
    if let Some(bias) = conv.bias() {
        params.set(bias, random::normal(&mut rng(seed + 1), &[outputs])).unwrap();
    }
    (params, conv)
}

const PADDINGS: [Padding; 3] = [Padding::Valid, Padding::Zeros, Padding::Periodic];

#[test]
fn convolution_is_its_sum() {
    let mut draw = rng(1);
    for case in 0..60 {
        let kernel = [draw.random_range(1..5), draw.random_range(1..5)];
        // a periodic kernel may be longer than the lattice
        let size = [draw.random_range(4..7), draw.random_range(4..7)];
        let (inputs, outputs, stride) = (draw.random_range(1..4), draw.random_range(1..4), draw.random_range(1..4));
        let padding = PADDINGS[case % 3];
        let options = ConvOptions { padding, stride, ..Default::default() };
        let (params, conv) = layer(inputs, outputs, &kernel, options, case as u64);
        let x: Var<f64> = random::normal(&mut draw, &[2, inputs, size[0], size[1]]);
        let y = conv.forward(&params, &x);
        let expected = naive(&x, params.get(conv.weight()), params.get(conv.bias().unwrap()), padding, stride);
        assert_eq!(y.len(), expected.len(), "{kernel:?} on {size:?}, {padding:?}, stride {stride}");
        let worst = y.as_slice().iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-13, "{kernel:?} on {size:?}, {padding:?}, stride {stride}: {worst}");
    }
}

#[test]
fn one_axis_is_two_with_one_row() {
    for padding in PADDINGS {
        let options = ConvOptions { padding, stride: 2, ..Default::default() };
        let (params, conv) = layer(2, 3, &[3], options, 5);
        let x: Var<f64> = random::normal(&mut rng(6), &[4, 2, 9]);
        let y = conv.activated(&params, &x, Activation::Tanh);
        let expected = naive(&x.expand_dims(2), &params.get(conv.weight()).expand_dims(2), params.get(conv.bias().unwrap()), padding, 2);
        // two axes with one row have nothing ahead of it
        assert_eq!(y.shape(), [4, 3, if padding == Padding::Valid { 4 } else { 5 }]);
        let worst = y.as_slice().iter().zip(&expected).map(|(a, b)| (a - b.tanh()).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-14, "{padding:?}: {worst}");
    }
}

#[test]
fn convolution_to_second_order_in_both_modes() {
    for (padding, stride, f) in [
        (Padding::Valid, 1, Activation::Identity),
        (Padding::Zeros, 2, Activation::Tanh),
        (Padding::Periodic, 1, Activation::Softplus),
        (Padding::Zeros, 1, Activation::Silu),
    ] {
        let options = ConvOptions { padding, stride, ..Default::default() };
        let (params, conv) = layer(1, 2, &[2, 2], options, 7);
        let x: Var<f64> = random::normal(&mut rng(8), &[2, 1, 3, 2]);
        gradcheck(|(p, x): &(Params<f64>, Var<f64>)| conv.activated(p, x, f), &(params, x)).unwrap_or_else(|e| panic!("{padding:?}: {e}"));
    }
    let mut params = Params::<Complex<f64>>::new();
    let options = ConvOptions { padding: Padding::Periodic, ..Default::default() };
    let conv = Conv::new(&mut params.scope("c"), 1, 2, &[2], options, Init::Normal(0.5), &mut rng(9));
    let x: Var<Complex<f64>> = random::complex_normal(&mut rng(10), &[1, 1, 3]);
    gradcheck(|(p, x): &(Params<Complex<f64>>, Var<Complex<f64>>)| conv.activated(p, x, Activation::Tanh), &(params, x)).unwrap();
}

#[test]
fn periodic_convolution_commutes_with_translations() {
    let options = ConvOptions { padding: Padding::Periodic, ..Default::default() };
    let (params, conv) = layer(2, 3, &[3, 3], options, 11);
    let x: Var<f64> = random::normal(&mut rng(12), &[2, 2, 5, 6]);
    let shift = |v: &Var<f64>| v.roll(2, 2).roll(-1, 3);
    let worst = (conv.forward(&params, &shift(&x)) - shift(&conv.forward(&params, &x))).abs().max().item();
    assert!(worst < 1e-14, "{worst}");
}

#[test]
fn causal_convolutions_see_only_what_came_before() {
    let mut params = Params::<f64>::new();
    let mut make = |name: &str, inputs, outputs, centre| {
        let mask = Some(causal_mask(outputs, inputs, &[3, 3], centre));
        let options = ConvOptions { mask, ..Default::default() };
        Conv::new(&mut params.scope(name), inputs, outputs, &[3, 3], options, Init::Normal(1.0), &mut rng(13))
    };
    let (first, second) = (make("a", 1, 4, false), make("b", 4, 1, true));
    let x: Var<f64> = random::normal(&mut rng(14), &[1, 1, 4, 4]);
    let net = |x: &Var<f64>| second.forward(&params, &first.activated(&params, &x.reshape(&[1, 1, 4, 4]), Activation::Tanh)).ravel();
    let jacobian = pullback::jacobian_reverse(net, &x.ravel()).unwrap();
    for i in 0..16 {
        for j in 0..16 {
            let d = jacobian.as_slice()[16 * i + j];
            assert!(if j >= i { d == 0.0 } else { true }, "site {i} sees site {j}: {d}");
        }
    }
    // the neighbour to the left and the one above are seen
    assert!(jacobian.as_slice()[16 * 5 + 4] != 0.0 && jacobian.as_slice()[16 * 5 + 1] != 0.0);
}

#[test]
fn same_bits_at_any_number_of_threads_and_batch() {
    let (params, conv) = layer(8, 16, &[3, 3], ConvOptions::default(), 15);
    let x: Var<f64> = random::normal(&mut rng(16), &[40, 8, 16, 16]);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| params.value_and_grad(|p| conv.forward(p, &x).square().mean()).unwrap().1.flat())
    };
    assert_eq!(run(1).as_slice(), run(2).as_slice());
    let alone = conv.forward(&params, &x.slice(s![7..8, .., .., ..]));
    assert_eq!(conv.forward(&params, &x).slice(s![7..8, .., .., ..]).as_slice(), alone.as_slice());
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    let (params, conv) = layer(2, 3, &[3, 3], ConvOptions { padding: Padding::Valid, ..Default::default() }, 1);
    refuses(|| conv.forward(&params, &Var::zeros(&[1, 1, 5, 5])), &["[1, 1, 5, 5]", "(batch, 2, …) with 2 axes more"]);
    refuses(|| conv.forward(&params, &Var::zeros(&[1, 2, 5, 2])), &["shorter than the kernel [3, 3]"]);
    refuses(|| layer(2, 3, &[3, 3, 3], ConvOptions::default(), 1), &["one or two axes"]);
    let options = ConvOptions { mask: Some(causal_mask(1, 1, &[3], true)), ..Default::default() };
    refuses(|| layer(2, 3, &[3], options, 1), &["the mask has shape [1, 1, 3], the kernel [3, 2, 3]"]);
}
