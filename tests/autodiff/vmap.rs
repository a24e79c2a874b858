//! Functions of one sample over a leading axis: values, derivatives, per-sample gradients, sums that no thread count changes.

use approx::assert_relative_eq;
use ndarray::{Array1, Array2, array};
use num_complex::Complex64;
use pullback::prelude::*;

fn data(n: usize) -> (Array2<f64>, Array1<f64>) {
    (Array2::from_shape_fn((n, 3), |(i, j)| (1.3 * i as f64 + 0.7 * j as f64).sin()), Array1::from_shape_fn(n, |i| (0.4 * i as f64).cos()))
}

/// tanh(w·x + b), with a structure in and out
fn neuron((w, b): &(Var<f64>, Var<f64>), (x, y): &(Var<f64>, Var<f64>)) -> (Var<f64>, Var<f64>) {
    let out = ((w * x).sum() + b).tanh();
    (out.clone(), out - y)
}

fn params() -> (Var<f64>, Var<f64>) {
    (Var::from([0.3, -0.8, 0.5]), Var::scalar(0.2))
}

#[test]
fn values_are_those_of_the_samples_one_by_one() {
    let (x, y) = data(5);
    let (out, residual) = vmap_with(neuron, &params(), &(Var::from(&x), Var::from(&y))).unwrap();
    for i in 0..5 {
        let (o, r) = neuron(&params(), &(Var::from(x.row(i).to_vec()), Var::scalar(y[i])));
        assert_eq!((out.as_slice()[i], residual.as_slice()[i]), (o.item(), r.item()));
    }
}

#[test]
fn finite_differences_agree_in_both_modes_and_to_second_order() {
    let (x, y) = data(4);
    type Inputs = ((Var<f64>, Var<f64>), (Var<f64>, Var<f64>));
    gradcheck(|(p, s): &Inputs| vmap_with(neuron, p, s), &(params(), (x, y))).unwrap();
    let z = array![[Complex64::new(0.3, -0.4), Complex64::new(1.0, 0.2)], [Complex64::new(-0.6, 0.1), Complex64::new(0.5, -0.9)]];
    gradcheck(|z: &Var<Complex64>| vmap(|z: &Var<Complex64>| (z * z.conj()).sum() * z, z), &z).unwrap();
}

#[test]
fn a_map_inside_a_map() {
    // rows of rows: the norm of every row of a stack of matrices
    let x = ndarray::Array3::from_shape_fn((2, 3, 2), |(i, j, k)| 1.0 + i as f64 + 0.5 * j as f64 - 0.3 * k as f64);
    let norms = |x: &Var<f64>| vmap(|m: &Var<f64>| vmap(|row: &Var<f64>| row.square().sum().sqrt(), m), x);
    let y = norms(&Var::from(&x)).unwrap();
    assert_eq!(y.shape(), &[2, 3]);
    assert_relative_eq!(y.as_slice()[5], x.slice(ndarray::s![1, 2, ..]).mapv(|x| x * x).sum().sqrt(), epsilon = 1e-15);
    gradcheck(norms, &x).unwrap();
}

#[test]
fn per_sample_gradients_are_the_rows_and_add_up_to_the_gradient_of_the_sum() {
    let (x, y) = data(21);
    let samples = (Var::from(&x), Var::from(&y));
    let loss = |p: &(Var<f64>, Var<f64>), s: &(Var<f64>, Var<f64>)| neuron(p, s).1.square();
    let (gw, gb) = per_sample_grad(loss, &params(), &samples).unwrap();
    assert_eq!((gw.shape(), gb.shape()), (&[21, 3][..], &[21][..]));
    for i in [0, 7, 20] {
        let sample = (Var::from(x.row(i).to_vec()), Var::scalar(y[i]));
        let (w, b) = grad(|p: &(Var<f64>, Var<f64>)| loss(p, &sample), &params()).unwrap();
        assert_eq!(&gw.as_slice()[3 * i..3 * i + 3], w.as_slice());
        assert_eq!(gb.as_slice()[i], b.item());
    }
    let (value, (w, b)) = sum_value_and_grad(loss, &params(), &samples).unwrap();
    assert_relative_eq!(w.as_slice(), gw.sum_axis(0).as_slice(), max_relative = 1e-13);
    assert_relative_eq!(b.item(), gb.sum().item(), max_relative = 1e-13);
    let whole = |p: &(Var<f64>, Var<f64>)| Ok::<_, Error>(vmap_with(neuron, p, &samples)?.1.square().sum());
    let (v, (w2, _)) = value_and_grad(whole, &params()).unwrap();
    assert_relative_eq!(value.item(), v.item(), max_relative = 1e-13);
    assert_relative_eq!(w.as_slice(), w2.as_slice(), max_relative = 1e-12);
}

#[test]
fn sums_over_samples_do_not_depend_on_the_number_of_threads() {
    let (x, y) = data(1003);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let samples = (Var::from(&x), Var::from(&y));
            let loss = |p: &(Var<f64>, Var<f64>), s: &(Var<f64>, Var<f64>)| neuron(p, s).1.square();
            let (v, (w, b)) = sum_value_and_grad(loss, &params(), &samples).unwrap();
            let whole = |p: &(Var<f64>, Var<f64>)| Ok::<_, Error>(vmap_with(neuron, p, &samples)?.1.square().sum());
            let (w2, b2) = grad(whole, &params()).unwrap();
            [v.item(), w.as_slice()[0], w.as_slice()[1], b.item(), w2.as_slice()[2], b2.item()].map(f64::to_bits)
        })
    };
    assert_eq!(run(1), run(2));
    assert_eq!(run(2), run(3));
}

#[test]
fn second_derivatives_of_a_sum_over_samples() {
    let (x, y) = data(12);
    let samples = (Var::from(&x), Var::from(&y));
    let gradient = |p: &(Var<f64>, Var<f64>)| {
        let loss = |p: &(Var<f64>, Var<f64>), s: &(Var<f64>, Var<f64>)| neuron(p, s).1.square();
        Ok::<_, Error>(sum_value_and_grad(loss, p, &samples)?.1)
    };
    gradcheck(gradient, &params()).unwrap();
}

#[test]
fn misuse_is_named() {
    let e = vmap(|x: &Var<f64>| x.clone(), &Var::scalar(1.0)).unwrap_err().to_string();
    assert!(e.contains("vmap") && e.contains("leading axes"), "{e}");
    let e = vmap(|x: &Var<f64>| x.clone(), &Var::from(Vec::<f64>::new())).unwrap_err().to_string();
    assert!(e.contains("no samples"), "{e}");
    let ragged = |x: &Var<f64>| if x.item() > 1.5 { Var::from([1.0, 2.0]) } else { x.clone() };
    let e = vmap(ragged, &Var::from([1.0, 2.0])).unwrap_err().to_string();
    assert!(e.contains("must agree"), "{e}");
    let captured = grad(
        |w: &Var<f64>| {
            let w = w.clone();
            Ok::<_, Error>(vmap(move |x: &Var<f64>| x * &w, &Var::from([1.0, 2.0]))?.sum())
        },
        &2.0,
    );
    assert!(captured.unwrap_err().to_string().contains("pass it as an input"));
}
