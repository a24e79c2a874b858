//! Derivatives of first and second order, in both modes.

use super::agreement::close;
use crate::support::random;
use num_complex::Complex;
use pullback::implicit::{ArgminOptions, ImplicitOptions, RootOptions, argmin, fixed_point, implicit_function, root};
use pullback::prelude::*;

type C = Complex<f64>;

#[test]
fn fixed_points_of_real_and_complex_equations() {
    let kepler = |(m, e): &(Var<f64>, Var<f64>)| {
        let f = |(m, e): &(Var<f64>, Var<f64>), x: &Var<f64>| m + e * x.sin();
        Ok::<_, Error>(fixed_point(f, &(m.clone(), e.clone()), m, &Default::default())?.x)
    };
    gradcheck(kepler, &(Var::from([1.0, 2.0]), Var::from([0.3, 0.6]))).unwrap();

    let nonholomorphic = |(w, b): &(Var<C>, Var<C>)| {
        let f = |(w, b): &(Var<C>, Var<C>), z: &Var<C>| w.matmul(z.conj().sin()).scale(0.4) + b;
        Ok::<_, Error>(fixed_point(f, &(w.clone(), b.clone()), &Var::zeros(&[2]), &Default::default())?.x)
    };
    gradcheck(nonholomorphic, &(random::<C>(&[2, 2], 1), random::<C>(&[2], 2))).unwrap();
}

#[test]
fn roots_and_minima() {
    let quartic = |p: &Var<f64>| {
        let g = |p: &Var<f64>, x: &Var<f64>| x.powi(3) + p * x - 1.0;
        Ok::<_, Error>(root(g, p, &Var::ones(&[3]), &RootOptions::default())?.x)
    };
    gradcheck(quartic, &Var::from([0.5, 1.0, 2.0])).unwrap();

    let chain = |(k, f): &(Var<f64>, Var<f64>)| {
        let energy = |(k, f): &(Var<f64>, Var<f64>), x: &Var<f64>| {
            let stretch = x.pad(&[(1, 1)], PadMode::Constant(0.0)).diff(1, 0);
            (k * stretch.square() * 0.5 + stretch.powi(4) * 0.25).sum() - (f * x).sum()
        };
        Ok::<_, Error>(argmin(energy, &(k.clone(), f.clone()), &Var::zeros(&[3]), &ArgminOptions::default())?.x)
    };
    gradcheck(chain, &(Var::from([1.0, 0.8, 1.3, 0.9]), Var::from([0.4, -0.2, 0.5]))).unwrap();

    // |z|² potentials with a complex tilt: the minimum of a real function of complex numbers
    let trap = |t: &Var<C>| {
        let energy = |t: &Var<C>, z: &Var<C>| (z.abs_squared() + z.abs_squared().square() * 0.3).sum() - (t.conj() * z).re().sum();
        Ok::<_, Error>(argmin(energy, t, &Var::zeros(&[2]), &ArgminOptions::default())?.x)
    };
    gradcheck(trap, &random::<C>(&[2], 4)).unwrap();
}

#[test]
fn a_black_box_is_differentiated_by_its_equation() {
    let inverse = |a: &Var<f64>| {
        let solver = |a: &Var<f64>| pullback::linalg::inv(&a.stop_gradient());
        let g = |a: &Var<f64>, x: &Var<f64>| a.matmul(x) - Var::<f64>::eye(3);
        Ok::<_, Error>(implicit_function(solver, g, a, &ImplicitOptions::default())?.x)
    };
    let a = random::<f64>(&[3, 3], 3) + Var::<f64>::eye(3) * 3.0;
    gradcheck(inverse, &a).unwrap();
    let by_rule = grad(|a: &Var<f64>| Ok::<_, Error>(pullback::linalg::inv(a)?.square().sum()), &a).unwrap();
    close(&grad(|a: &Var<f64>| Ok::<_, Error>(inverse(a)?.square().sum()), &a).unwrap(), &by_rule, 1e-11);
}

#[test]
fn an_outer_variable_among_the_parameters_of_an_inner_gradient() {
    // x = e + M with M, e of different transforms: ∂²x/∂M∂e of Kepler's equation in closed form
    let outer = |e: &Var<f64>| {
        grad(
            |m: &Var<f64>| {
                let f = |(m, e): &(Var<f64>, Var<f64>), x: &Var<f64>| m + e * x.sin();
                Ok::<_, Error>(fixed_point(f, &(m.clone(), e.clone()), m, &Default::default())?.x)
            },
            &Var::scalar(1.2),
        )
    };
    let e = 0.4;
    let d = grad(outer, &e).unwrap();
    let x = (0..200).fold(1.2f64, |x, _| 1.2 + e * x.sin());
    let slope = 1.0 - e * x.cos();
    // dx/dM = 1/(1 − e cos x), and its derivative by e, with dx/de = sin x/(1 − e cos x)
    let exact = (x.cos() - e * x.sin() * x.sin() / slope) / slope.powi(2);
    assert!((d - exact).abs() < 1e-11, "{d} and {exact}");
}
