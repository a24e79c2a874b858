//! Poles, zeros, infinities: values and derivatives as documented.

use pullback::prelude::*;
use pullback::special::*;
use std::f64::consts::PI;

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

type F = fn(&Var<f64>) -> Var<f64>;

fn same(a: f64, b: f64) -> bool {
    (a.is_nan() && b.is_nan()) || a == b || (a - b).abs() <= 1e-14 * b.abs()
}

/// Function, argument, value, derivative (`None` where it is not asked).
#[test]
fn poles_and_edges() {
    let euler = 0.577_215_664_901_532_9;
    let rows: &[(&str, F, f64, f64, Option<f64>)] = &[
        ("gamma", |x| gamma(x), 0.0, INF, None),
        ("gamma", |x| gamma(x), -2.0, NAN, Some(NAN)),
        ("gamma", |x| gamma(x), -1.5, 4.0 / 3.0 * PI.sqrt(), None),
        ("gamma", |x| gamma(x), 171.0, 7.257415615307994e306, None),
        ("gammaln", |x| gammaln(x), -3.0, INF, Some(NAN)),
        ("gammaln", |x| gammaln(x), -0.5, (2.0 * PI.sqrt()).ln(), None),
        ("gammaln", |x| gammaln(x), 1.0, 0.0, Some(-euler)),
        ("gammaln", |x| gammaln(x), INF, INF, Some(INF)),
        // 1/Γ at −n has the slope (−1)ⁿ n!
        ("rgamma", |x| rgamma(x), 0.0, 0.0, Some(1.0)),
        ("rgamma", |x| rgamma(x), -1.0, 0.0, Some(-1.0)),
        ("rgamma", |x| rgamma(x), -4.0, 0.0, Some(24.0)),
        ("gammasgn", |x| gammasgn(x), -1.5, 1.0, Some(0.0)),
        ("digamma", |x| digamma(x), 0.0, -INF, None),
        ("digamma", |x| digamma(x), -1.0, NAN, None),
        ("polygamma", |x| polygamma(1, x), -2.0, INF, None),
        ("multigammaln", |x| multigammaln(x, 3), 1.0, NAN, None),
        ("beta", |x| beta(x, &Var::scalar(1.5)), 0.0, INF, None),
        ("beta", |x| beta(x, &Var::scalar(1.5)), -1.0, INF, None),
        ("beta", |x| beta(x, &Var::scalar(-2.5)), -0.5, 0.0, Some(NAN)),
        ("betaln", |x| betaln(x, &Var::scalar(1.0)), 0.0, INF, None),
        ("gammainc", |x| gammainc(&Var::scalar(2.5), x), 0.0, 0.0, Some(0.0)),
        ("gammainc", |x| gammainc(&Var::scalar(1.0), x), 0.0, 0.0, Some(1.0)),
        ("gammainc", |x| gammainc(&Var::scalar(0.5), x), 0.0, 0.0, Some(INF)),
        ("gammainc", |x| gammainc(&Var::scalar(0.5), x), INF, 1.0, Some(0.0)),
        ("gammainc", |x| gammainc(&Var::scalar(0.5), x), -1.0, NAN, Some(NAN)),
        ("gammainc in a", |a| gammainc(a, &Var::scalar(0.0)), 2.0, 0.0, Some(0.0)),
        ("gammaincc in a", |a| gammaincc(a, &Var::scalar(INF)), 2.0, 0.0, Some(0.0)),
        ("betainc", |x| betainc(&Var::scalar(2.0), &Var::scalar(3.0), x), 0.0, 0.0, Some(0.0)),
        ("betainc", |x| betainc(&Var::scalar(1.0), &Var::scalar(3.0), x), 0.0, 0.0, Some(3.0)),
        ("betainc", |x| betainc(&Var::scalar(2.0), &Var::scalar(1.0), x), 1.0, 1.0, Some(2.0)),
        ("betainc", |x| betainc(&Var::scalar(2.0), &Var::scalar(0.5), x), 1.0, 1.0, Some(INF)),
        ("betainc in a", |a| betainc(a, &Var::scalar(0.5), &Var::scalar(1.0)), 2.0, 1.0, Some(0.0)),
        ("erfinv", |x| erfinv(x), 1.0, INF, Some(INF)),
        ("erfinv", |x| erfinv(x), 1.5, NAN, Some(NAN)),
        ("erfcinv", |x| erfcinv(x), 0.0, INF, Some(-INF)),
        ("ndtri", |x| ndtri(x), 0.0, -INF, Some(INF)),
        ("ndtr", |x| ndtr(x), -INF, 0.0, Some(0.0)),
        ("log_ndtr", |x| log_ndtr(x), -1e200, -INF, None),
        ("erfcx", |x| erfcx(x), 1e300, 1.0 / (1e300 * PI.sqrt()), None),
        ("logit", |x| logit(x), 0.0, -INF, Some(INF)),
        ("expit", |x| expit(x), INF, 1.0, Some(0.0)),
        ("expit", |x| expit(x), -INF, 0.0, Some(0.0)),
        ("entr", |x| entr(x), 0.0, 0.0, Some(INF)),
        ("entr", |x| entr(x), -1.0, -INF, Some(NAN)),
        ("xlogy in x", |x| xlogy(x, &Var::scalar(0.0)), 0.0, 0.0, Some(0.0)),
        ("xlogy in y", |y| xlogy(&Var::scalar(0.0), y), 0.0, 0.0, Some(0.0)),
        ("xlogy of both", |x| xlogy(x, x), 0.0, 0.0, Some(0.0)),
        ("xlogy in x", |x| xlogy(x, &Var::scalar(2.0)), 0.0, 0.0, Some(std::f64::consts::LN_2)),
        ("xlogy in y", |y| xlogy(&Var::scalar(2.0), y), 0.0, -INF, Some(INF)),
        ("xlog1py in x", |x| xlog1py(x, &Var::scalar(-1.0)), 0.0, 0.0, Some(0.0)),
        ("xlog1py in x", |x| xlog1py(x, &Var::scalar(1e-20)), 0.0, 0.0, Some(1e-20)),
        ("j0", |x| j0(x), 0.0, 1.0, Some(0.0)),
        ("j1", |x| j1(x), 0.0, 0.0, Some(0.5)),
        ("jn", |x| jn(3, x), INF, 0.0, Some(0.0)),
        ("y0", |x| y0(x), 0.0, -INF, Some(INF)),
        ("y0", |x| y0(x), -1.0, NAN, Some(NAN)),
        ("y1", |x| y1(x), 0.0, -INF, Some(NAN)),
        ("i0e", |x| i0e(x), 0.0, 1.0, Some(0.0)),
        ("i1e", |x| i1e(x), 0.0, 0.0, Some(0.5)),
        ("i0", |x| i0(x), 0.0, 1.0, Some(0.0)),
        ("iv", |x| iv(0.5, x), 0.0, 0.0, Some(INF)),
        ("iv", |x| iv(0.5, x), -1.0, NAN, Some(NAN)),
        ("k0", |x| k0(x), 0.0, INF, Some(-INF)),
        ("legendre", |x| legendre(4, x), 1.0, 1.0, Some(10.0)),
        ("legendre", |x| legendre(5, x), -1.0, -1.0, Some(15.0)),
        ("hermite", |x| hermite_poly(0, x), 2.0, 1.0, Some(0.0)),
        // the ladder has no pole: ∂Y₁¹/∂θ = −√(3/8π) at θ = 0
        ("sph_harm_y", |t| sph_harm_y(1, 1, t, &Var::scalar(0.0)).re(), 0.0, 0.0, Some(-(3.0 / (8.0 * PI)).sqrt())),
    ];
    let mut failures = Vec::new();
    for &(name, f, x, value, derivative) in rows {
        let (y, forward) = jvp(f, &x, &1.0).unwrap();
        // grad refuses what does not depend on its argument; the pullback of that is zero
        let reverse = vjp(f, &x).unwrap().1.call(&Var::scalar(1.0)).unwrap();
        if !same(y.item(), value) {
            failures.push(format!("{name}({x}) = {:e}, not {value:e}", y.item()));
        }
        if let Some(d) = derivative
            && (!same(reverse, d) || !same(forward.item(), d))
        {
            failures.push(format!("{name}′({x}) = {reverse:e} in reverse, {:e} in forward mode, not {d:e}", forward.item()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn second_derivatives_at_the_origin_of_the_incomplete_functions() {
    // P(a, x) = x^a/Γ(a+1) (1 − a x/(a+1) + …)
    let second = |f: F| grad(|x: &Var<f64>| grad(f, x), &0.0).unwrap();
    assert_eq!(second(|x| gammainc(&Var::scalar(1.0), x)), -1.0);
    assert_eq!(second(|x| gammainc(&Var::scalar(2.0), x)), 1.0);
    assert_eq!(second(|x| gammainc(&Var::scalar(3.5), x)), 0.0);
    // I = 1 − (1−x)³ and 6x² − 8x³ + 3x⁴
    assert!((second(|x| betainc(&Var::scalar(1.0), &Var::scalar(3.0), x)) + 6.0).abs() < 1e-13);
    assert!((second(|x| betainc(&Var::scalar(2.0), &Var::scalar(3.0), x)) - 12.0).abs() < 1e-13);
}

#[test]
fn only_some_elements_at_an_edge() {
    let x = ndarray::array![0.0, 1.0, 3.0];
    let f = |x: &Var<f64>| gammainc(&Var::scalar(2.0), x).sum();
    let g = grad(f, &x).unwrap();
    for (g, x) in g.iter().zip(&x) {
        assert!((g - x * (-x).exp()).abs() < 1e-15);
    }
    let h = hessian(f, &x).unwrap();
    for (i, x) in x.iter().enumerate() {
        assert!((h.value()[[i, i]] - (1.0 - x) * (-x).exp()).abs() < 1e-15, "{x}");
    }
}

#[test]
fn functional_equations() {
    let x = Var::from([0.3, 1.1, 2.7, 9.4]);
    let close = |a: &Var<f64>, b: &Var<f64>| a.as_slice().iter().zip(b.as_slice()).all(|(a, b)| (a - b).abs() <= 1e-13 * b.abs().max(1.0));
    assert!(close(&gamma(&(&x + 1.0)), &(&x * gamma(&x))));
    assert!(close(&(gamma(&x) * rgamma(&x)), &x.ones_like()));
    assert!(close(&(gammainc(&x, &x) + gammaincc(&x, &x)), &x.ones_like()));
    assert!(close(&erfcx(&x), &(x.square().exp() * erfc(&x))));
    // J_{n+1} Y_n − J_n Y_{n+1} = 2/(πx)
    assert!(close(&(jn(3, &x) * yn(2, &x) - jn(2, &x) * yn(3, &x)), &(2.0 / (PI * &x))));
    // (n + 1) P_{n+1} = (2n + 1) x P_n − n P_{n−1}
    assert!(close(&(legendre(4, &x) * 4.0), &(&x * legendre(3, &x) * 7.0 - legendre(2, &x) * 3.0)));
}

#[test]
#[should_panic(expected = "gammainc: shapes [[2], [3]] do not broadcast")]
fn shapes_that_do_not_broadcast_are_named() {
    gammainc(&Var::from([1.0, 2.0]), &Var::from([1.0, 2.0, 3.0]));
}
