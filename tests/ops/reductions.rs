//! Reductions against loops over all indices, and their derivatives, also at ties, zeros and infinities.

use ndarray::{ArrayD, Axis, IxDyn, array};
use num_complex::Complex64;
use pullback::ops::Axes;
use pullback::prelude::*;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

const SEED: u64 = 11;

fn rng() -> StdRng {
    println!("seed {SEED}");
    StdRng::seed_from_u64(SEED)
}

/// A shape of up to four axes of length 1 to 4, and some of its axes, some of them negative.
fn shape_and_axes(rng: &mut StdRng) -> (Vec<usize>, Vec<isize>) {
    let rank = rng.random_range(0..=4usize);
    let shape: Vec<usize> = (0..rank).map(|_| rng.random_range(1..=4)).collect();
    let mut axes: Vec<isize> = (0..rank as isize).collect();
    axes.shuffle(rng);
    axes.truncate(rng.random_range(0..=rank));
    for axis in &mut axes {
        if rng.random() {
            *axis -= rank as isize;
        }
    }
    (shape, axes)
}

fn real(rng: &mut StdRng, shape: &[usize]) -> ArrayD<f64> {
    ArrayD::from_shape_simple_fn(IxDyn(shape), || rng.random_range(-1.0..1.0))
}

fn complex(rng: &mut StdRng, shape: &[usize]) -> ArrayD<Complex64> {
    ArrayD::from_shape_simple_fn(IxDyn(shape), || Complex64::new(rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0)))
}

/// The reduction of a list, applied along axes by ndarray.
fn along<T: Copy, U: Clone>(x: &ArrayD<T>, axes: &[isize], keep: bool, f: impl Fn(&[T]) -> U) -> ArrayD<U> {
    let n = x.ndim() as isize;
    let axes: Vec<usize> = axes.iter().map(|&a| if a < 0 { a + n } else { a } as usize).collect();
    let others: Vec<usize> = (0..x.ndim()).filter(|i| !axes.contains(i)).collect();
    let moved = x.view().permuted_axes(IxDyn(&[others.clone(), axes.clone()].concat()));
    let outer: Vec<usize> = others.iter().map(|&i| x.shape()[i]).collect();
    let count: usize = axes.iter().map(|&i| x.shape()[i]).product();
    let flat: Vec<T> = moved.iter().copied().collect();
    let size: usize = outer.iter().product();
    let values = (0..size).map(|i| f(&flat[i * count..(i + 1) * count])).collect();
    let shape = if keep { (0..x.ndim()).map(|i| if axes.contains(&i) { 1 } else { x.shape()[i] }).collect() } else { outer };
    ArrayD::from_shape_vec(IxDyn(&shape), values).unwrap()
}

/// Compares an operation with its oracle over random shapes and axes.
fn check_values<T: Scalar>(
    draw: fn(&mut StdRng, &[usize]) -> ArrayD<T>,
    name: &str,
    f: impl Fn(&Var<T>, Axes) -> Var<T>,
    oracle: impl Fn(&[T]) -> T,
) {
    let mut rng = rng();
    for _ in 0..40 {
        let (shape, axes) = shape_and_axes(&mut rng);
        let x = draw(&mut rng, &shape);
        for keep in [false, true] {
            let list = Axes::from(&axes);
            let y = f(&Var::from(&x), if keep { keepdims(list) } else { list });
            let expected = along(&x, &axes, keep, &oracle);
            assert_eq!(y.shape(), expected.shape(), "{name}: shape {shape:?}, axes {axes:?}, keepdims {keep}");
            for (y, e) in y.as_slice().iter().zip(&expected) {
                assert!((*y - *e).modulus().to_f64() < 1e-12, "{name}: {y} against {e}, shape {shape:?}, axes {axes:?}");
            }
        }
    }
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

fn variance(x: &[f64]) -> f64 {
    mean(&x.iter().map(|y| (y - mean(x)).powi(2)).collect::<Vec<_>>())
}

#[test]
fn values_agree_with_loops_over_any_axes() {
    check_values(real, "sum", |x, a| x.sum_axis(a), |x| x.iter().sum());
    check_values(complex, "sum", |x, a| x.sum_axis(a), |x| x.iter().sum());
    check_values(real, "mean", |x, a| x.mean_axis(a), mean);
    check_values(complex, "prod", |x, a| x.prod_axis(a), |x| x.iter().product());
    check_values(real, "var", |x, a| x.var_axis(a, 0), variance);
    check_values(real, "std", |x, a| x.std_axis(a, 0), |x| variance(x).sqrt());
    check_values(real, "max", |x, a| x.max_axis(a), |x| x.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    check_values(real, "min", |x, a| x.amin_axis(a), |x| x.iter().copied().fold(f64::INFINITY, f64::min));
    check_values(real, "logsumexp", |x, a| x.logsumexp_axis(a), |x| x.iter().map(|x| x.exp()).sum::<f64>().ln());
    check_values(complex, "logsumexp", |x, a| x.logsumexp_axis(a), |x| x.iter().map(|x| x.exp()).sum::<Complex64>().ln());
    let nonzero = |x: &[f64]| x.iter().filter(|x| **x > 0.0).count() as f64;
    let positive = |x: &Var<f64>| Var::from(x.to_array().mapv(|x| x.max(0.0)));
    check_values(real, "any", |x, a| positive(x).any_axis(a), |x| f64::from(u8::from(nonzero(x) > 0.0)));
    check_values(real, "all", |x, a| positive(x).all_axis(a), |x| f64::from(u8::from(nonzero(x) == x.len() as f64)));
    check_values(real, "count_nonzero", |x, a| Var::from(positive(x).count_nonzero_axis(a).mapv(|n| n as f64)), nonzero);
    check_values(
        real,
        "ptp",
        |x, a| x.ptp_axis(a),
        |x| x.iter().copied().fold(f64::NEG_INFINITY, f64::max) - x.iter().copied().fold(f64::INFINITY, f64::min),
    );
}

#[test]
fn derivatives_agree_with_finite_differences_over_any_axes() {
    let mut rng = rng();
    for _ in 0..12 {
        let (shape, axes) = shape_and_axes(&mut rng);
        let (x, z) = (real(&mut rng, &shape), complex(&mut rng, &shape));
        let axes = || if axes.len() % 2 == 0 { Axes::from(&axes) } else { keepdims(&axes) };
        // x² first, so that second derivatives see an operation on something that moves
        let both = |f: &dyn Fn(&Var<f64>) -> Var<f64>, g: &dyn Fn(&Var<Complex64>) -> Var<Complex64>| {
            gradcheck(|x: &Var<f64>| f(&x.square()), &x).unwrap();
            gradcheck(|z: &Var<Complex64>| g(&(z * z.conj() + z)), &z).unwrap();
        };
        both(&|x| x.sum_axis(axes()), &|z| z.sum_axis(axes()));
        both(&|x| x.mean_axis(axes()), &|z| z.mean_axis(axes()));
        both(&|x| x.prod_axis(axes()), &|z| z.prod_axis(axes()));
        both(&|x| x.logsumexp_axis(axes()), &|z| z.logsumexp_axis(axes()));
        both(&|x| x.softmax(axes()), &|z| z.softmax(axes()));
        both(&|x| x.log_softmax(axes()), &|z| z.log_softmax(axes()));
        both(&|x| x.var_axis(axes(), 0), &|z| z.var_axis(axes(), 0).to_complex());
        // no two elements closer than the steps of the finite differences
        let mut grid: Vec<f64> = (0..x.len()).map(|i| 0.0117 * i as f64 - 1.5).collect();
        grid.shuffle(&mut rng);
        let x = ArrayD::from_shape_vec(x.raw_dim(), grid).unwrap();
        gradcheck(|x: &Var<f64>| (x.max_axis(axes()) * x.min_axis(axes())).square(), &x).unwrap();
    }
    let x = array![[0.3, -1.2, 0.8], [1.1, 0.2, -0.4]];
    gradcheck(|x: &Var<f64>| x.std_axis(1, 1), &x).unwrap();
    gradcheck(|x: &Var<f64>| x.std(0), &x).unwrap();
    let z = array![Complex64::new(0.4, -0.3), Complex64::new(-0.7, 0.2), Complex64::new(0.1, 1.2)];
    gradcheck(|z: &Var<Complex64>| z.std(1), &z).unwrap();
}

#[test]
fn known_numbers() {
    let x = Var::from([1.0, 2.0, 3.0, 4.0]);
    assert_eq!((x.sum().item(), x.mean().item(), x.prod().item(), x.var(0).item()), (10.0, 2.5, 24.0, 1.25));
    assert_eq!(x.std(1).item(), (5.0f64 / 3.0).sqrt());
    assert_eq!((x.max().item(), x.min().item(), x.ptp().item()), (4.0, 1.0, 3.0));
    // |z − m|² of a complex sample is real
    let z = Var::from([Complex64::new(0.0, 1.0), Complex64::new(0.0, -1.0)]);
    assert_eq!(z.var(0).item(), 1.0);
    assert_eq!(x.any_axis(0).item(), 1.0);
    assert!(x.all() && !(&x * 0.0).any() && Var::from([f64::NAN]).any());
    assert_eq!(Var::from([0.0, -1.0, f64::NAN]).count_nonzero(), 2);
}

#[test]
fn positions_of_extrema() {
    let x = Var::from(array![[1.0, 5.0, 5.0], [7.0, -2.0, 0.0]]);
    assert_eq!((x.argmax(), x.argmin()), (3, 4));
    assert_eq!(x.argmax_axis(1), array![1, 0].into_dyn());
    assert_eq!(x.argmax_axis(-2), array![1, 0, 0].into_dyn());
    assert_eq!(x.argmin_axis(1), array![0, 1].into_dyn());
    assert_eq!(Var::from([1.0, f64::NAN, 3.0]).argmax(), 1);
    // inside a transform they are constants
    let g = grad(|x: &Var<f64>| x.sum() * x.argmax() as f64, &array![1.0, 2.0]).unwrap();
    assert_eq!(g, array![1.0, 1.0]);
}

#[test]
fn ties_share_the_derivative_of_an_extremum_equally() {
    let x = array![[2.0, 7.0, 7.0], [3.0, 3.0, 3.0]];
    let g = grad(|x: &Var<f64>| x.max_axis(1).sum(), &x).unwrap();
    assert_eq!(g, array![[0.0, 0.5, 0.5], [1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0]]);
    let (_, dy) = jvp(|x: &Var<f64>| x.min_axis(1), &x, &array![[1.0, 0.0, 0.0], [0.0, 3.0, 6.0]]).unwrap();
    assert_eq!(dy.as_slice(), &[1.0, 3.0]);
    let (y, g) = value_and_grad(|x: &Var<f64>| x.max(), &array![1.0, f64::NAN]).unwrap();
    assert!(y.item().is_nan());
    assert_eq!(g, array![0.0, 1.0]);
}

#[test]
fn products_with_zeros_are_right_to_second_order() {
    for zeros in [vec![], vec![1], vec![0, 3], vec![0, 1, 2, 3, 4]] {
        let mut x = array![0.7, -1.3, 0.4, 1.9, -0.6];
        zeros.iter().for_each(|&i| x[i] = 0.0);
        gradcheck(|x: &Var<f64>| x.prod(), &x).unwrap();
        let z = x.mapv(|x| Complex64::new(x, 0.5 * x));
        gradcheck(|z: &Var<Complex64>| z.prod() + z.sum(), &z).unwrap();
        // the Hessian of Π x: H_ij = Π_{k≠i,j} x_k
        let h = hessian(|x: &Var<f64>| x.prod(), &x).unwrap();
        for i in 0..5 {
            for j in 0..5 {
                let exact: f64 = if i == j { 0.0 } else { (0..5).filter(|&k| k != i && k != j).map(|k| x[k]).product() };
                assert!((h.value()[[i, j]] - exact).abs() < 1e-15, "zeros {zeros:?}, entry {i} {j}");
            }
        }
    }
    // no element is zero, yet the product underflows
    let g = grad(|x: &Var<f64>| x.prod() * 1e300, &array![1e-200, 1e-200]).unwrap();
    assert_eq!(g, array![1e100, 1e100]);
    let x = array![[0.5, 0.0, -1.1], [0.0, 0.0, 2.0]];
    for axis in [0, 1] {
        gradcheck(|x: &Var<f64>| x.prod_axis(axis), &x).unwrap();
    }
}

#[test]
fn the_deviation_of_a_constant_has_derivative_zero() {
    let x = array![[1.5, 1.5, 1.5], [1.0, 2.0, 4.0]];
    let f = |x: &Var<f64>| x.std_axis(1, 0).sum();
    let (y, g) = value_and_grad(f, &x).unwrap();
    assert!(g.row(0).iter().all(|g| *g == 0.0) && g.row(1).iter().all(|g| g.abs() > 0.05), "{g}");
    assert!(y.item() > 1.0);
    // and the second derivative is finite, in both orders
    let v = array![[1.0, 2.0, 3.0], [1.0, 0.0, 0.0]];
    let hv = hvp(f, &x, &v).unwrap();
    assert!(hv.row(0).iter().all(|h| *h == 0.0) && hv.row(1).iter().all(|h| h.is_finite()), "{hv}");
    let inner = |x: &Var<f64>| (grad(|x: &Var<f64>| f(x), x).unwrap() * Var::from(&v)).sum();
    let rr = grad(inner, &x).unwrap();
    assert!(rr.iter().zip(&hv).all(|(a, b)| (a - b).abs() < 1e-14), "{rr} against {hv}");
}

#[test]
fn logsumexp_and_softmax_at_the_ends() {
    let inf = f64::INFINITY;
    let f = |x: &Var<f64>| x.logsumexp_axis(1).sum();
    let x = array![[-inf, -inf, -inf], [inf, 0.0, inf], [0.0, -inf, 0.0], [1000.0, 0.0, 1000.0]];
    let y = Var::from(&x).logsumexp_axis(1);
    assert_eq!(y.as_slice(), &[-inf, inf, 2f64.ln(), 1000.0 + 2f64.ln()]);
    let g = grad(f, &x).unwrap();
    let expected = array![[0.0, 0.0, 0.0], [0.5, 0.0, 0.5], [0.5, 0.0, 0.5], [0.5, 0.0, 0.5]];
    assert!(g.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-13), "{g}");
    let hv = hvp(f, &x, &array![[1.0, 0.0, 2.0], [1.0, 0.0, 2.0], [1.0, 0.0, 2.0], [1.0, 0.0, 2.0]]).unwrap();
    let expected = array![[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [-0.25, 0.0, 0.25], [-0.25, 0.0, 0.25]];
    assert!(hv.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-13), "{hv}");
    let p = Var::from([-1e4, 0.0, 1e4, 1e4]).softmax(0);
    assert_eq!(p.as_slice(), &[0.0, 0.0, 0.5, 0.5]);
    let l = Var::from([-1e4, 0.0]).log_softmax(..);
    assert_eq!(l.as_slice(), &[-1e4, 0.0]);
}

#[test]
fn empty_arrays_have_the_neutral_elements() {
    let x = Var::from(ndarray::Array2::<f64>::zeros((3, 0)));
    assert_eq!(x.sum_axis(1).as_slice(), &[0.0; 3]);
    assert_eq!(x.prod_axis(-1).as_slice(), &[1.0; 3]);
    assert_eq!(x.logsumexp_axis(1).as_slice(), &[f64::NEG_INFINITY; 3]);
    assert!(x.mean().item().is_nan() && x.var(0).item().is_nan());
    assert_eq!(x.max_axis(0).shape(), &[0]);
    assert!(!x.any() && x.all());
    let (_, pull) = vjp(|x: &Var<f64>| (x.mean() + x.prod() + x.logsumexp() + x.std(0), x.softmax(1)), &x).unwrap();
    assert_eq!(pull.call(&(Var::scalar(1.0), x.clone())).unwrap().shape(), &[3, 0]);
}

#[test]
#[should_panic(expected = "max: of no elements there is none: the shape is [3, 0], the reduced axes are [1]")]
fn the_largest_of_nothing() {
    Var::from(ndarray::Array2::<f64>::zeros((3, 0))).max_axis(1);
}

#[test]
#[should_panic(expected = "sum: axis 2 is out of range for an array of 2 axes: allowed are -2 to 1")]
fn an_axis_that_is_not_there() {
    Var::from(array![[1.0]]).sum_axis(2);
}

#[test]
#[should_panic(expected = "mean: axes [0, -2] name an axis of shape [1, 1] twice")]
fn an_axis_named_twice() {
    Var::from(array![[1.0]]).mean_axis([0, -2]);
}

#[test]
fn large_arrays_do_not_depend_on_the_number_of_threads() {
    let mut rng = rng();
    let x = real(&mut rng, &[300, 700]);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let f = |x: &Var<f64>| x.logsumexp_axis(0).sum() + x.softmax(1).square().sum() + x.var_axis(1, 0).sum();
            value_and_grad(f, &x).map(|(y, g)| (y.item(), g)).unwrap()
        })
    };
    let (one, two) = (run(1), run(2));
    assert_eq!(one.0.to_bits(), two.0.to_bits());
    assert_eq!(one.1, two.1);
    let sum: f64 = x.axis_iter(Axis(0)).map(|row| row.sum()).sum();
    assert!((Var::from(&x).sum().item() - sum).abs() < 1e-9);
}
