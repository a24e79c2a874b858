//! What every bijection must satisfy: it is one, its logarithm is that of its Jacobian, and both directions are differentiated to second
//! order.

use super::zoo::zoo;
use pullback::linalg::slogdet;
use pullback::prelude::*;

fn worst(a: &Var<f64>, b: &Var<f64>) -> f64 {
    assert_eq!(a.shape(), b.shape());
    (a - b).as_slice().iter().fold(0.0, |m, x| if x.is_nan() { f64::NAN } else { f64::max(m, x.abs()) })
}

#[test]
fn the_inverse_undoes_the_map() {
    for case in zoo() {
        let p = &case.params;
        let (y, l) = case.forward(p, &case.x).unwrap();
        let (x, back) = case.inverse(p, &y).unwrap();
        let (off, logs) = (worst(&x, &case.x), worst(&back, &-&l));
        assert!(off < 1e-10 && logs < 1e-10, "{}: x is off by {off:.1e}, the logarithm by {logs:.1e}", case.name);
        let (x, l) = case.inverse(p, &case.x).unwrap();
        let (y, back) = case.forward(p, &x).unwrap();
        let (off, logs) = (worst(&y, &case.x), worst(&back, &-&l));
        assert!(off < 1e-10 && logs < 1e-10, "{}: y is off by {off:.1e}, the logarithm by {logs:.1e}", case.name);
        if case.name != "permutation" {
            assert!(worst(&x, &case.x) > 1e-3, "{} is the identity, which tests nothing", case.name);
        }
    }
}

#[test]
fn the_logarithm_is_that_of_the_dense_jacobian() {
    for case in zoo() {
        for inverse in [false, true] {
            let map = |x: &Var<f64>| if inverse { case.inverse(&case.params, x) } else { case.forward(&case.params, x) };
            let (n, d) = (case.x.shape()[0], case.x.shape()[1]);
            let (_, log_volume) = map(&case.x).unwrap();
            let whole = jacobian_forward(|x: &Var<f64>| Ok::<_, Error>(map(x)?.0), &case.x).unwrap().reshape(&[n, d, n, d]);
            for i in 0..n {
                for j in (0..n).filter(|j| *j != i) {
                    let cross = whole.slice(s![i, .., j, ..]).abs().max().item();
                    assert!(cross == 0.0, "{}: row {i} depends on row {j}", case.name);
                }
                let (_, expected) = slogdet(&whole.slice(s![i, .., i, ..])).unwrap();
                let off = (expected.item() - log_volume.as_slice()[i]).abs();
                assert!(off < 1e-10, "{}, inverse {inverse}, row {i}: off by {off:.1e}", case.name);
            }
        }
    }
}

#[test]
fn both_directions_are_differentiated_to_second_order() {
    for case in zoo() {
        for inverse in [false, true] {
            // two rows are enough, and the parameters are many
            let rows = s![..2, ..];
            let context = case.context.as_ref().map(|c| c.slice(rows));
            let point = (case.params.clone(), case.x.slice(rows));
            let map = |(p, x): &(pullback::nn::Params<f64>, Var<f64>)| {
                if inverse { case.map.inverse(p, x, context.as_ref()) } else { case.map.forward(p, x, context.as_ref()) }
            };
            if let Err(e) = gradcheck_with(map, &point, &GradCheck { tolerance: Some(3e-7), step: Some(1e-3), ..Default::default() }) {
                panic!("{}, inverse {inverse}: {e}", case.name);
            }
        }
    }
}
