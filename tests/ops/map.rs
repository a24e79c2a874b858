//! Fused scalar functions: values, derivatives to fourth order in both modes, broadcasting, several results, complex arguments.

use approx::assert_relative_eq;
use ndarray::array;
use num_complex::Complex64;
use pullback::prelude::*;
use pullback::scalar::{Dual, Num, Number};

scalar_fn! { fn yukawa(r, kappa) { (-(kappa * r)).exp() / r } }
scalar_fn! {
    /// Literals on both sides, a product of literals, local names, a branch on the value.
    fn mixed(x) {
        let half = 0.5 * x + 1.0;
        let scaled = (2.0 * 3.0) * x / 4.0 - x * 0.25;
        if x < 0.0 { half * scaled } else { half - scaled.sin() }
    }
}
scalar_fn! { fn lotka_volterra([x, y], [a, b, c, d]) -> [dx, dy] { [a * x - b * x * y, c * x * y - d * y] } }
scalar_fn! { fn oscillator(x, p) -> [energy, angle] { [0.5 * (p * p + x * x), x.atan2(p)] } }

fn yukawa_by_arrays((r, kappa): &(Var<f64>, Var<f64>)) -> Var<f64> {
    (-(kappa * r)).exp() / r
}

#[test]
fn a_formula_reads_the_same_on_numbers_duals_and_arrays() {
    let exact = |x: f64| {
        let (half, scaled) = (0.5 * x + 1.0, 1.5 * x - 0.25 * x);
        if x < 0.0 { half * scaled } else { half - scaled.sin() }
    };
    let x = array![-1.3, -0.2, 0.0, 0.4, 2.1];
    let y = map(mixed, &Var::from(&x));
    for (y, &x) in y.as_slice().iter().zip(&x) {
        assert_relative_eq!(*y, exact(x), max_relative = 1e-14);
        assert_relative_eq!(mixed.eval([x])[0], exact(x), max_relative = 1e-14);
        let [dual] = mixed.eval(Dual::variables([x]));
        let slope = (exact(x + 1e-6) - exact(x - 1e-6)) / 2e-6;
        if x != 0.0 {
            assert_relative_eq!(dual.partials[0], slope, epsilon = 1e-9);
        }
    }
    assert_eq!(lotka_volterra.eval([1.0, 2.0, 3.0, 0.5, 0.25, 1.0]), [2.0, -1.5]);
    assert_eq!(mixed.eval([0.5f32]), [mixed.eval([0.5f64])[0] as f32]);
}

#[test]
fn agrees_with_array_operations_to_fourth_order_in_every_mix_of_modes() {
    // derivatives of Σ f along fixed directions, in all sixteen orders of forward and reverse
    fn nested(f: &dyn Fn(&(Var<f64>, Var<f64>)) -> Var<f64>, modes: &[bool], x: &(Var<f64>, Var<f64>)) -> Var<f64> {
        let Some((reverse, rest)) = modes.split_first() else { return f(x).sum() };
        let v = (Var::from([1.0, -0.5, 0.3]), Var::scalar(0.8));
        let inner = |x: &(Var<f64>, Var<f64>)| nested(f, rest, x);
        if *reverse {
            let (gr, gk) = grad(inner, x).unwrap();
            (gr * &v.0).sum() + gk * &v.1
        } else {
            jvp(inner, x, &v).unwrap().1
        }
    }
    let x = (Var::from([0.5, 1.1, 2.3]), Var::scalar(0.7));
    let fused = |x: &(Var<f64>, Var<f64>)| zip_map(yukawa, (&x.0, &x.1));
    for order in 1..=4 {
        for pattern in 0..1 << order {
            let modes: Vec<bool> = (0..order).map(|k| pattern >> k & 1 == 1).collect();
            let (a, b) = (nested(&fused, &modes, &x).item(), nested(&yukawa_by_arrays, &modes, &x).item());
            assert_relative_eq!(a, b, max_relative = 1e-12);
        }
    }
}

#[test]
fn finite_differences_agree_for_several_results_and_broadcast_inputs() {
    let x = array![[0.3, -1.2, 0.8], [1.1, 0.2, -0.4]];
    let p = array![[0.7], [-0.3]];
    gradcheck(
        |(x, p): &(Var<f64>, Var<f64>)| {
            let [energy, angle] = zip_map(oscillator, (x, p));
            energy * angle
        },
        &(x.clone(), p),
    )
    .unwrap();
    // a result that nobody uses, and a scalar among the inputs
    gradcheck(|(x, p): &(Var<f64>, Var<f64>)| zip_map(oscillator, (x, p))[1].clone(), &(x.clone(), 0.6)).unwrap();
    let parameters = [1.0, 0.5, 0.25, 0.8].map(Var::scalar);
    gradcheck(
        |z: &[Var<f64>; 6]| {
            let [dx, dy] = zip_map(lotka_volterra, z);
            dx * dy
        },
        &[
            Var::from([1.0, 2.0]),
            Var::from([0.5, 1.5]),
            parameters[0].clone(),
            parameters[1].clone(),
            parameters[2].clone(),
            parameters[3].clone(),
        ],
    )
    .unwrap();
}

#[test]
fn complex_functions_are_holomorphic() {
    scalar_fn! { fn moebius(z, w) { (z + 0.5) / (z * w - 2.0) + (z * w).sin() } }
    let z = array![Complex64::new(0.4, -0.3), Complex64::new(-0.7, 0.2)];
    let w = array![Complex64::new(-0.1, 1.3), Complex64::new(0.6, 0.9)];
    gradcheck(|(z, w): &(Var<Complex64>, Var<Complex64>)| zip_map(moebius, (z, w)), &(z, w)).unwrap();
}

#[test]
fn single_precision() {
    gradcheck(|x: &Var<f32>| map(mixed, x), &array![-0.8f32, 0.6]).unwrap();
}

#[test]
fn every_number_function_has_its_derivative() {
    scalar_fn! {
        fn everything(x, y) {
            x.exp() + x.expm1() * x.ln() + x.log1p().sqrt() + x.cbrt() * y.sin() + y.cos() * x.tan() + y.sinh() / x.cosh()
                + (0.3 * y).asin() * (0.3 * x).acos() + y.tanh() * x.atan() + y.asinh() + (1.5 + x).acosh() + (0.3 * y).atanh()
                + x.pow(y) + x.powf(1.7) * y.powi(3) + y.abs() * x.recip() + x.max(y) * x.min(0.9) + x.atan2(y)
        }
    }
    let (x, y) = (array![0.4, 1.3], array![-0.8, 0.9]);
    gradcheck(|(x, y): &(Var<f64>, Var<f64>)| zip_map(everything, (x, y)), &(x, y)).unwrap();
}

#[test]
fn derivatives_at_singular_points() {
    scalar_fn! { fn roots(x) -> [a, b, c, d] { [x.sqrt(), x.cbrt(), x.abs(), x.max(0.0)] } }
    let slopes: Vec<f64> = (0..4).map(|k| grad(|x: &Var<f64>| map(roots, x)[k].clone(), &0.0).unwrap()).collect();
    assert_eq!(slopes, [0.0, 0.0, 0.0, 0.5]);
    scalar_fn! { fn power(x, y) { x.pow(y) } }
    let (gx, gy) = grad(|(x, y): &(Var<f64>, Var<f64>)| zip_map(power, (x, y)), &(0.0, 0.0)).unwrap();
    assert_eq!((gx, gy), (0.0, 0.0));
    let (gx, gy) = grad(|(x, y): &(Var<f64>, Var<f64>)| zip_map(power, (x, y)), &(0.0, 2.0)).unwrap();
    assert_eq!((gx, gy), (0.0, 0.0));
}

/// x ← sin(x) x + c, `steps` times: a whole program as one scalar function, with a parameter that is not differentiated through.
#[derive(Clone, Copy)]
struct Chain {
    steps: usize,
}

impl ScalarFn<2, 1> for Chain {
    fn call<S: Number>(&self, [mut x, c]: [Num<S>; 2]) -> [Num<S>; 1] {
        for _ in 0..self.steps {
            x = x.sin() * x + c;
        }
        [x]
    }
}

#[test]
fn a_loop_is_one_operation() {
    let at = (0.5, 0.1);
    let fused = |(x, c): &(Var<f64>, Var<f64>)| zip_map(Chain { steps: 1000 }, (x, c));
    let unrolled = |(x, c): &(Var<f64>, Var<f64>)| {
        let mut x = x.clone();
        for _ in 0..1000 {
            x = x.sin() * &x + c;
        }
        x
    };
    let ((a, ga), (b, gb)) = (value_and_grad(fused, &at).unwrap(), value_and_grad(unrolled, &at).unwrap());
    assert_relative_eq!(a.item(), b.item(), max_relative = 1e-13);
    assert_relative_eq!(ga.0, gb.0, epsilon = 1e-13);
    assert_relative_eq!(ga.1, gb.1, max_relative = 1e-12);
}

#[test]
fn long_arrays_are_independent_of_threads_and_of_the_blocks() {
    let n = 100_003;
    let x: Vec<f64> = (0..n).map(|i| 0.5 + (i as f64 * 0.37).sin().abs()).collect();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let f = |(r, k): &(Var<f64>, Var<f64>)| zip_map(yukawa, (r, k));
            let (y, pull) = vjp(f, &(Var::from(&x[..]), Var::scalar(0.7))).unwrap();
            let (gr, gk) = pull.call(&y).unwrap();
            (y.as_slice().to_vec(), gr.as_slice().to_vec(), gk.item())
        })
    };
    let (one, two) = (run(1), run(2));
    assert!(one == two);
    for (i, (&x, y)) in x.iter().zip(&one.0).enumerate() {
        assert_relative_eq!(*y, yukawa.eval([x, 0.7])[0], max_relative = 1e-14);
        let slope = -y * (0.7 + 1.0 / x);
        assert_relative_eq!(one.1[i], slope * y, max_relative = 1e-13);
    }
    let k: f64 = x.iter().zip(&one.0).map(|(x, y)| -x * y * y).sum();
    assert_relative_eq!(one.2, k, max_relative = 1e-12);
}

/// Forward mode has values and tangents from one pass: several blocks, several results, inputs and weights with and without a tangent.
#[test]
fn tangents_of_values_and_of_gradients() {
    let n = 150;
    let [x, v, p]: [Var<f64>; 3] = [0.3, 0.7, 1.1].map(|k| Var::from((0..n).map(|i| 1.5 + (k * i as f64).sin()).collect::<Vec<f64>>()));
    let by_map = |x: &Var<f64>, p: &Var<f64>| {
        let [energy, angle] = zip_map(oscillator, (x, p));
        energy.square() * angle
    };
    let by_arrays = |x: &Var<f64>, p: &Var<f64>| (0.5 * (p * p + x * x)).square() * x.arctan2(p);
    let close = |a: &Var<f64>, b: &Var<f64>| assert_relative_eq!(a.as_slice(), b.as_slice(), max_relative = 1e-12, epsilon = 1e-12);
    for p in [&p, &Var::scalar(0.4)] {
        let ((y, dy), (z, dz)) = (jvp(|x| by_map(x, p), &x, &v).unwrap(), jvp(|x| by_arrays(x, p), &x, &v).unwrap());
        close(&y, &z);
        close(&dy, &dz);
        close(&hvp(|x| by_map(x, p).sum(), &x, &v).unwrap(), &hvp(|x| by_arrays(x, p).sum(), &x, &v).unwrap());
        // the gradient by the second argument, along the first
        let across = |f: &dyn Fn(&Var<f64>, &Var<f64>) -> Var<f64>| jvp(|x| grad(|p| f(x, p).sum(), p), &x, &v).unwrap().1;
        close(&across(&by_map), &across(&by_arrays));
    }
    // only the weight moves; and nothing moves where the slope is infinite
    scalar_fn! { fn root(x) { x.powf(0.5) } }
    let along_weight = |f: &dyn Fn(&Var<f64>) -> Var<f64>| jvp(|w| grad(|x| (f(x) * w).sum(), &x), &p, &v).unwrap().1;
    close(&along_weight(&|x| map(root, x)), &along_weight(&|x| x.sqrt()));
    let (y, dy) = jvp(|x| map(root, x), &Var::from([0.0, 4.0]), &Var::from([0.0, 1.0])).unwrap();
    assert_eq!((y.as_slice(), dy.as_slice()), (&[0.0, 2.0][..], &[0.0, 0.25][..]));
}

#[test]
fn arguments_outside_the_range_of_the_vectorised_functions() {
    // the sine of a large number, also where only a branch looks at it
    scalar_fn! { fn carried(x) { 2.0 * x.sin() + x.cos() } }
    scalar_fn! { fn decided(x) { if x.sin() < 0.0 { 1.0 + 0.0 * x } else { 2.0 + 0.0 * x } } }
    let x: Vec<f64> = (0..200).map(|i| if i % 3 == 0 { 1e17 + 1e10 * i as f64 } else { 0.1 * i as f64 }).collect();
    let (y, z) = (map(carried, &Var::from(&x[..])), map(decided, &Var::from(&x[..])));
    let g = grad(|x: &Var<f64>| map(carried, x).sum(), &Var::from(&x[..])).unwrap();
    for (i, &x) in x.iter().enumerate() {
        assert_relative_eq!(y.as_slice()[i], 2.0 * x.sin() + x.cos(), epsilon = 1e-14);
        assert_relative_eq!(g.as_slice()[i], 2.0 * x.cos() - x.sin(), epsilon = 1e-14);
        assert_eq!(z.as_slice()[i], if x.sin() < 0.0 { 1.0 } else { 2.0 });
    }
}

#[test]
fn empty_arrays_and_constants_pass_through() {
    let none = Var::from(Vec::<f64>::new());
    assert_eq!(map(mixed, &none).shape(), &[0]);
    let (_, pull) = vjp(|x: &Var<f64>| map(mixed, x), &none).unwrap();
    assert_eq!(pull.call(&none).unwrap().shape(), &[0]);
    assert!(map(mixed, &Var::scalar(1.0)).is_constant());
}

#[test]
fn the_fifth_derivative_is_refused_by_name() {
    fn nest(n: usize, x: &Var<f64>) -> Result<Var<f64>> {
        if n == 0 { Ok(map(mixed, x)) } else { grad(|x: &Var<f64>| nest(n - 1, x), x) }
    }
    let x = Var::scalar(0.5);
    // f = x/2 + 1 − sin(5x/4): the fourth derivative is −(5/4)⁴ sin(5x/4)
    assert_relative_eq!(nest(4, &x).unwrap().item(), -(1.25f64.powi(4)) * 0.625f64.sin(), max_relative = 1e-13);
    let e = nest(5, &x).unwrap_err().to_string();
    assert!(e.contains("map") && e.contains("up to order 4"), "{e}");
}

#[test]
#[should_panic(expected = "zip_map: shapes [[2], [3]] do not broadcast")]
fn shapes_that_do_not_broadcast() {
    zip_map(yukawa, (&Var::from([1.0, 2.0]), &Var::from([1.0, 2.0, 3.0])));
}
