//! Transforms inside transforms, with captured outer variables, in all four pairs of modes.

use approx::assert_relative_eq;
use pullback::prelude::*;

/// d/dx of d/dy (x² y³) at y = x, that is of 3 x² y² = 3x⁴ where y is tied to x, or of 3x²y² with y = 2 held fixed.
fn inner_reverse(x: &Var<f64>, y: Var<f64>) -> Var<f64> {
    grad(|y: &Var<f64>| x * x * y * y * y, &y).unwrap()
}

fn inner_forward(x: &Var<f64>, y: Var<f64>) -> Var<f64> {
    jvp(|y: &Var<f64>| x * x * y * y * y, &y, &Var::scalar(1.0)).unwrap().1
}

fn outer_reverse(f: &dyn Fn(&Var<f64>) -> Var<f64>, x: f64) -> f64 {
    grad(|x: &Var<f64>| f(x), &x).unwrap()
}

fn outer_forward(f: &dyn Fn(&Var<f64>) -> Var<f64>, x: f64) -> f64 {
    jvp(|x: &Var<f64>| f(x), &x, &1.0).unwrap().1.item()
}

#[test]
fn captured_outer_variables_are_differentiated_in_all_pairs_of_modes() {
    let x = 1.5;
    type Inner = fn(&Var<f64>, Var<f64>) -> Var<f64>;
    type Outer = fn(&dyn Fn(&Var<f64>) -> Var<f64>, f64) -> f64;
    for inner in [inner_reverse as Inner, inner_forward] {
        for outer in [outer_reverse as Outer, outer_forward] {
            // y a constant: 6 x y²
            let held = outer(&|x| inner(x, Var::scalar(2.0)), x);
            assert_relative_eq!(held, 6.0 * x * 4.0, epsilon = 1e-12);
            // y = x: 12 x³
            let tied = outer(&|x| inner(x, x.clone()), x);
            assert_relative_eq!(tied, 12.0 * x * x * x, epsilon = 1e-12);
            // y = sin x: d/dx 3 x² sin² x
            let through = outer(&|x| inner(x, x.sin()), x);
            assert_relative_eq!(through, 6.0 * x * x.sin().powi(2) + 6.0 * x * x * x.sin() * x.cos(), epsilon = 1e-12);
        }
    }
}

#[test]
fn perturbations_are_not_confused() {
    // d/dx (x · d/dy (x + y)) = 1: a forward mode that mixes the two tangents says 2
    let d = outer_forward(&|x| x * jvp(|y: &Var<f64>| x + y, &Var::scalar(1.0), &Var::scalar(1.0)).unwrap().1, 1.0);
    assert_eq!(d, 1.0);
    let d = outer_reverse(&|x| x * grad(|y: &Var<f64>| x + y, &Var::scalar(1.0)).unwrap(), 1.0);
    assert_eq!(d, 1.0);
}

#[test]
fn five_derivatives_of_a_product() {
    // x⁵ sin x, derivatives 1..5 by repeated grad and by repeated jvp
    fn f(x: &Var<f64>) -> Var<f64> {
        x * x * x * x * x * x.sin()
    }
    fn nest(n: usize, reverse: bool, x: &Var<f64>) -> Var<f64> {
        if n == 0 {
            return f(x);
        }
        if reverse ^ n.is_multiple_of(2) {
            grad(|x: &Var<f64>| nest(n - 1, reverse, x), x).unwrap()
        } else {
            jvp(|x: &Var<f64>| nest(n - 1, reverse, x), x, &Var::scalar(1.0)).unwrap().1
        }
    }
    let x = 0.7f64;
    // d⁵/dx⁵ x⁵ sin x = Σ C(5,k) (x⁵)^(k) sin^(5−k) x
    let falling = [1.0, 5.0, 20.0, 60.0, 120.0, 120.0];
    let binomial = [1.0, 5.0, 10.0, 10.0, 5.0, 1.0];
    let sine = [x.sin(), x.cos(), -x.sin(), -x.cos(), x.sin(), x.cos()];
    let exact: f64 = (0..6).map(|k| binomial[k] * falling[k] * x.powi(5 - k as i32) * sine[5 - k]).sum();
    for reverse in [true, false] {
        assert_relative_eq!(nest(5, reverse, &Var::scalar(x)).item(), exact, max_relative = 1e-12);
    }
}

#[test]
fn a_pullback_can_be_differentiated_in_its_cotangent() {
    let h = grad(
        |g: &Var<f64>| {
            let (_, pull) = vjp(|x: &Var<f64>| x.exp(), &Var::scalar(0.5)).unwrap();
            pull.call(&(g * g)).unwrap()
        },
        &3.0,
    )
    .unwrap();
    assert_relative_eq!(h, 6.0 * 0.5f64.exp(), epsilon = 1e-13);
}

#[test]
fn plain_arguments_of_an_inner_transform_refuse_to_lose_the_outer_variable() {
    let e = grad(|x: &Var<f64>| grad(|y| x * y, &2.0).map(Var::scalar), &1.0).unwrap_err();
    assert!(e.to_string().contains("pass the argument as a Var"), "{e}");
}

#[test]
fn checkpoint_inside_checkpoint_to_second_order() {
    let f = |x: &Var<f64>| checkpoint(|x: &Var<f64>| Ok::<_, Error>(checkpoint(|x: &Var<f64>| x.sin() * x, x)?.exp()), x).unwrap();
    let plain = |x: &Var<f64>| (x.sin() * x).exp();
    let x = ndarray::array![0.3, -1.2];
    let v = ndarray::array![1.0, 0.5];
    let (a, b) = (hvp(|x| f(x).sum(), &x, &v).unwrap(), hvp(|x| plain(x).sum(), &x, &v).unwrap());
    assert_relative_eq!(a.as_slice().unwrap(), b.as_slice().unwrap(), epsilon = 1e-13);
}
