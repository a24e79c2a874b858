//! Arguments and results of every form, and what is refused.

use ndarray::{Array1, Array2, array};
use num_complex::{Complex32, Complex64};
use pullback::prelude::*;
use rand::SeedableRng;
use std::collections::BTreeMap;

#[test]
fn typed_arrays_come_back_as_what_they_were() {
    let x: Array2<f64> = array![[1.0, 2.0], [3.0, 4.0]];
    let g: Array2<f64> = grad(|x| x.square().sum(), &x).unwrap();
    assert_eq!(g, 2.0 * &x);
    let transposed = x.t().to_owned();
    assert_eq!(grad(|x| x.square().sum(), &transposed).unwrap(), 2.0 * &transposed, "a column-major array");
}

#[test]
fn nested_structures_and_mixed_scalar_types_on_one_tape() {
    type Weights = BTreeMap<String, (Array1<f64>, Vec<f32>)>;
    let mut w: Weights = BTreeMap::new();
    w.insert("a".into(), (array![1.0, 2.0], vec![3.0]));
    w.insert("b".into(), (array![-1.0], vec![]));
    let z = Complex64::new(0.0, 2.0);
    let (value, (gw, gz, gc)) = value_and_grad(
        |(w, z, c)| {
            let a = &w["a"];
            let real = (&a.0 * &a.0).sum() + w["b"].0.sum();
            let mixed = (z * z.conj()).re() + (c * c.conj()).re().to_f64() + a.1[0].to_f64();
            real + mixed
        },
        &(w, z, Complex32::new(1.0, 1.0)),
    )
    .unwrap();
    assert_eq!(value.item(), 5.0 - 1.0 + 4.0 + 2.0 + 3.0);
    assert_eq!(gw["a"], (array![2.0, 4.0], vec![1.0]));
    assert_eq!(gw["b"].0, array![1.0]);
    assert_eq!(gz, Complex64::new(0.0, 4.0));
    assert_eq!(gc, Complex32::new(2.0, 2.0));
}

#[test]
fn a_gradient_of_an_array_or_of_something_off_the_tape_is_refused_with_a_reason() {
    let x = array![1.0, 2.0];
    let e = grad(|x: &Var<f64>| x.sin(), &x).unwrap_err().to_string();
    assert!(e.contains("shape [2]") && e.contains("jacobian"), "{e}");
    let e = grad(|x: &Var<f64>| x.stop_gradient().sum(), &x).unwrap_err().to_string();
    assert!(e.contains("does not depend"), "{e}");
    let e = jvp(|x: &Var<f64>| x.sin(), &x, &array![1.0]).map(|_| ()).unwrap_err().to_string();
    assert!(e.contains("[2]") && e.contains("[1]"), "{e}");
    let (_, pull) = vjp(|x: &Var<f64>| x.sin(), &x).unwrap();
    let e = pull.call(&Var::from([1.0])).unwrap_err().to_string();
    assert!(e.contains("[2]") && e.contains("[1]"), "{e}");
}

#[test]
fn a_captured_variable_of_a_primitive_is_refused() {
    let e = grad(
        |x: &Var<f64>| {
            let captured = x.clone();
            checkpoint(move |y: &Var<f64>| y * &captured, &Var::scalar(2.0))
        },
        &1.0,
    )
    .unwrap_err();
    assert!(e.to_string().contains("pass it as an input"), "{e}");
}

#[test]
fn errors_of_the_closure_come_through() {
    let fails = |_: &Var<f64>| Err::<Var<f64>, _>(Error::User("no such potential".into()));
    assert_eq!(grad(fails, &1.0).unwrap_err(), Error::User("no such potential".into()));
}

#[test]
fn an_anomaly_names_the_operation_that_made_it() {
    let f = |x: &Var<f64>| (x.sin().log() * 2.0).sum();
    assert!(grad(f, &array![1.0, 0.0]).unwrap()[1].is_infinite(), "off by default");
    let e = detect_anomaly(|| grad(f, &array![1.0, 0.0])).unwrap_err().to_string();
    assert!(e.starts_with("log:") && e.contains("element 1"), "{e}");
    detect_anomaly(|| grad(f, &array![1.0, 0.5])).unwrap();
}

#[test]
fn opaque_rules_refuse_what_they_cannot_give() {
    let cube = |x: &Var<f64>| external_vjp(x, |x| Var::scalar(x.item().powi(3)), |x, _, g| Var::scalar(3.0 * x.item().powi(2) * g.item()));
    assert_eq!(grad(cube, &2.0).unwrap(), 12.0);
    for e in [
        jvp(cube, &2.0, &1.0).map(|_| ()).unwrap_err(),
        hessian(cube, &2.0).map(|_| ()).unwrap_err(),
        grad(|x: &Var<f64>| grad(cube, x), &2.0).map(|_| ()).unwrap_err(),
    ] {
        assert!(e.to_string().contains("external code"), "{e}");
    }
}

#[test]
fn jacobians_agree_and_hessians_are_symmetric() {
    let x = array![0.3, -0.8, 1.1];
    let f = |x: &Var<f64>| x.sin() * x.sum();
    let (a, b) = (jacobian_reverse(f, &x).unwrap(), jacobian_forward(f, &x).unwrap());
    approx::assert_relative_eq!(a.as_slice(), b.as_slice(), epsilon = 1e-14);
    let h = hessian(|x| (x.sin() * x.sum()).sum(), &x).unwrap();
    for i in 0..3 {
        for j in 0..3 {
            assert!((h.as_slice()[3 * i + j] - h.as_slice()[3 * j + i]).abs() < 1e-14);
        }
    }
    // the Jacobian of a holomorphic function is its complex derivative
    let z = Complex64::new(0.3, 0.7);
    let j = jacobian_reverse(|z: &Var<Complex64>| z.exp(), &z).unwrap();
    assert!((j.item() - z.exp()).norm() < 1e-15);
    assert!((jacobian_forward(|z: &Var<Complex64>| z.exp(), &z).unwrap().item() - z.exp()).norm() < 1e-15);
}

/// More rows than a stack has, and rules that take stacks and such that do not.
#[test]
fn jacobians_of_many_rows_agree_with_single_pullbacks() {
    let shapes: [(&[usize], fn(&Var<f64>) -> Var<f64>); 4] = [
        (&[5, 7], |x| pullback::ops::concatenate(&[x.t().matmul(x), (x * x.sum_axis(0)).slice(s![1..4, ..]).cumsum(0).sin()], 0)),
        (&[40], |x| x.reshape(&[8, 5]).softmax(1) * x.slice(s![..5]) + where_(&x.slice(s![..5]).gt(0.0), x.slice(s![5..10]), 2.0)),
        (&[], |x| Var::ones(&[3, 1]) * x.exp() + x.broadcast_to(&[20])),
        (&[33], |x| x.square().sum() * 0.5),
    ];
    for (shape, f) in shapes {
        let x: Var<f64> = pullback::random::normal(&mut rand::rngs::StdRng::seed_from_u64(1), shape);
        let (y, pull) = vjp(|x: &Var<f64>| f(x), &x).unwrap();
        let (a, b) = (jacobian_reverse(f, &x).unwrap(), jacobian_forward(f, &x).unwrap());
        assert_eq!(a.shape(), [y.shape(), x.shape()].concat());
        approx::assert_relative_eq!(a.as_slice(), b.as_slice(), epsilon = 1e-13, max_relative = 1e-13);
        for i in 0..y.len() {
            let mut unit = vec![0.0; y.len()];
            unit[i] = 1.0;
            let row = pull.call(&Var::from_shape_vec(y.shape(), unit).unwrap()).unwrap();
            approx::assert_relative_eq!(&a.as_slice()[i * x.len()..][..x.len()], row.as_slice(), epsilon = 1e-14, max_relative = 1e-13);
        }
    }
}

#[test]
fn jacobians_and_hessians_are_differentiated_again() {
    let x = array![0.3, -0.8, 1.1];
    gradcheck(|x: &Var<f64>| jacobian_reverse(|x: &Var<f64>| x.sin() * x.sum(), x), &x).unwrap();
    gradcheck(|x: &Var<f64>| jacobian_forward(|x: &Var<f64>| x.exp().cumsum(0) * x, x), &x).unwrap();
    gradcheck(|x: &Var<f64>| hessian(|x: &Var<f64>| (x.sin() * x.cumsum(0)).square().sum(), x), &x).unwrap();
}

/// Cotangents of several slices of one array meet in it: contiguous, strided, reversed, single, empty, and the whole.
#[test]
fn cotangents_of_many_slices_of_one_array() {
    let x: Var<f64> = pullback::random::normal(&mut rand::rngs::StdRng::seed_from_u64(2), &[4, 6]);
    let f = |x: &Var<f64>| {
        let (a, b) = (x.slice(s![1.., ..5]), x.slice(s![..3, 1..]));
        let rows = x.slice(s![2, ..]) * x.slice(s![..;-1, ..]) * x.slice(s![0, 3]);
        (&a * &b + &a).sin().sum() + (rows * x).sum() + x.slice(s![2..2, ..]).sum() + x.slice(s![.., ..;2]).square().sum() + a.sum()
    };
    gradcheck_with(f, &x, &GradCheck { order: 3, ..GradCheck::default() }).unwrap();
    gradcheck(
        |x: &Var<Complex64>| x.slice(s![1..]) * x.slice(s![..2]) + x.slice(s![..;2]).conj(),
        &array![Complex64::new(0.3, 0.1), Complex64::new(-0.5, 0.7), Complex64::new(0.2, -0.9)],
    )
    .unwrap();
    // all pairs of rows, as a loop over particles takes them
    let energy = |x: &Var<f64>| -> Var<f64> {
        let row = |i: usize| x.slice(s![i, ..]);
        (0..4)
            .flat_map(|i| (0..i).map(move |j| (i, j)))
            .map(|(i, j)| (row(i) - row(j)).square().sum().sqrt())
            .fold(Var::scalar(0.0), |a, b| a + b)
    };
    gradcheck(energy, &x).unwrap();
}

/// A long cotangent of a slice moves within its own memory, unless somebody else holds it.
#[test]
fn cotangents_of_slices_of_long_arrays() {
    let n = 30_000;
    let x: Vec<f64> = (0..n).map(|i| (0.1 * i as f64).sin()).collect();
    let bonds = |x: &Var<f64>| (x.slice(s![..-1]) * x.slice(s![1..])).sum() + x.slice(s![5..n - 7]).square().sum();
    let g = grad(bonds, &Var::from(&x[..])).unwrap();
    for (i, g) in g.as_slice().iter().enumerate() {
        let neighbours = if i > 0 { x[i - 1] } else { 0.0 } + x.get(i + 1).unwrap_or(&0.0);
        let exact = neighbours + if (5..n - 7).contains(&i) { 2.0 * x[i] } else { 0.0 };
        assert!((g - exact).abs() < 1e-14, "{i}: {g}, exactly {exact}");
    }
    let (_, pull) = vjp(|x: &Var<f64>| x.slice(s![3..]), &Var::from(&x[..])).unwrap();
    let seed = Var::from(vec![2.0; n - 3]);
    let g = pull.call(&seed).unwrap();
    assert!(g.as_slice()[..3] == [0.0; 3] && g.as_slice()[3..].iter().all(|g| *g == 2.0));
    assert!(seed.len() == n - 3 && seed.as_slice().iter().all(|s| *s == 2.0));
}

/// A primitive that gives value and tangent in one pass is asked for them where nothing else is being differentiated.
#[test]
fn a_primitive_with_value_and_tangent_in_one_pass() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static PASSES: AtomicUsize = AtomicUsize::new(0);
    struct Cube;
    impl Primitive for Cube {
        type Inputs = Var<f64>;
        type Outputs = Var<f64>;
        fn name(&self) -> &'static str {
            "cube"
        }
        fn forward(&self, x: &Var<f64>) -> Result<Var<f64>> {
            Ok(x * x * x)
        }
        fn jvp(&self, x: &Var<f64>, _: &Var<f64>, dx: &Var<f64>) -> Result<Var<f64>> {
            Ok(3.0 * x * x * dx)
        }
        fn forward_and_jvp(&self, x: &Var<f64>, dx: Option<Var<f64>>) -> Option<Result<(Var<f64>, Var<f64>)>> {
            PASSES.fetch_add(1, Ordering::Relaxed);
            let square = x * x;
            Some(Ok((&square * x, 3.0 * square * dx?)))
        }
    }
    let cube = |x: &Var<f64>| apply(Cube, x);
    let (y, dy) = jvp(cube, &2.0, &0.5).unwrap();
    assert_eq!((y.item(), dy.item(), PASSES.load(Ordering::Relaxed)), (8.0, 6.0, 1));
    assert_eq!(hvp(cube, &2.0, &1.0).unwrap(), 12.0);
    assert_eq!(grad(|x: &Var<f64>| jvp(cube, x, &Var::scalar(1.0)).map(|(_, dy)| dy), &2.0).unwrap(), 12.0);
    gradcheck_with(cube, &array![0.3, -1.2], &GradCheck { order: 3, ..GradCheck::default() }).unwrap();
}

#[test]
fn linearize_applies_the_tangent_map_again_and_again() {
    let x = array![0.3, 2.0];
    let (_, tangent) = linearize(|x: &Var<f64>| x.exp(), &x).unwrap();
    for v in [array![1.0, 0.0], array![0.5, -2.0]] {
        let exact = x.mapv(f64::exp) * &v;
        assert_eq!(tangent.call(&v).unwrap().into_array::<ndarray::Ix1>().unwrap(), exact);
    }
}
