//! Elementwise functions against std and num_complex.

use super::support::*;
use pullback::prelude::*;
use std::f64::consts::{LN_2, PI};

/// A real function on (low, high) against std's, with derivatives.
fn unary(f: &dyn Fn(&R) -> R, std: &dyn Fn(f64) -> f64, low: f64, high: f64) {
    let seed = (1e3 * (high - low) + 17.0 * high.abs()) as u64;
    let x = between(seed, &six(seed), low, high);
    close(&f(&x), &x.as_slice().iter().map(|x| std(*x)).collect::<Vec<_>>());
    check(f, &x);
}

/// A holomorphic function on all four quadrants against num_complex's.
fn holomorphic(f: &dyn Fn(&Z) -> Z, std: &dyn Fn(C) -> C) {
    let z = planar(23, &[6]);
    let quadrant = |z: &C| (z.re > 0.0, z.im > 0.0);
    assert_eq!(z.as_slice().iter().map(quadrant).collect::<std::collections::BTreeSet<_>>().len(), 4, "all four quadrants");
    close_c(&f(&z), &z.as_slice().iter().map(|z| std(*z)).collect::<Vec<_>>());
    check_c(f, &z);
}

fn binary(f: &dyn Fn(&R, &R) -> R, std: &dyn Fn(f64, f64) -> f64, low: f64, high: f64) {
    let (x, y) = (between(24, &[2, 3], low, high), between(25, &[3], low, high));
    let want: Vec<f64> = (0..6).map(|k| std(x.as_slice()[k], y.as_slice()[k % 3])).collect();
    close(&f(&x, &y), &want);
    check2(f, &x, &y);
}

fn one() -> C {
    C::new(1.0, 0.0)
}

pub const ENTRIES: &[Entry] = &[
    ("exp", || {
        unary(&|x| x.exp(), &f64::exp, -1.0, 2.0);
        holomorphic(&|x| x.exp(), &|z| z.exp());
    }),
    ("exp2", || {
        unary(&|x| x.exp2(), &f64::exp2, -1.0, 2.0);
        holomorphic(&|x| x.exp2(), &|z| (z * LN_2).exp());
    }),
    ("expm1", || {
        unary(&|x| x.expm1(), &f64::exp_m1, -1.0, 1.0);
        holomorphic(&|x| x.expm1(), &|z| z.exp() - 1.0);
    }),
    ("log", || {
        unary(&|x| x.log(), &f64::ln, 0.3, 3.0);
        holomorphic(&|x| x.log(), &|z| z.ln());
    }),
    ("log2", || {
        unary(&|x| x.log2(), &f64::log2, 0.3, 3.0);
        holomorphic(&|x| x.log2(), &|z| z.ln() / LN_2);
    }),
    ("log10", || {
        unary(&|x| x.log10(), &f64::log10, 0.3, 3.0);
        holomorphic(&|x| x.log10(), &|z| z.ln() / 10f64.ln());
    }),
    ("log1p", || {
        unary(&|x| x.log1p(), &f64::ln_1p, -0.6, 3.0);
        holomorphic(&|x| x.log1p(), &|z| (z + 1.0).ln());
    }),
    ("sqrt", || {
        unary(&|x| x.sqrt(), &f64::sqrt, 0.3, 3.0);
        holomorphic(&|x| x.sqrt(), &|z| z.sqrt());
    }),
    ("cbrt", || unary(&|x| x.cbrt(), &f64::cbrt, 0.3, 3.0)),
    ("square", || {
        unary(&|x| x.square(), &|x| x * x, -1.0, 1.0);
        holomorphic(&|x| x.square(), &|z| z * z);
    }),
    ("reciprocal", || {
        unary(&|x| x.reciprocal(), &f64::recip, -3.0, -0.4);
        holomorphic(&|x| x.reciprocal(), &|z| z.inv());
    }),
    ("abs", || unary(&|x| x.abs(), &f64::abs, -1.0, 1.0)),
    ("fabs", || unary(&|x| x.fabs(), &f64::abs, -1.0, 1.0)),
    ("absolute", || unary(&|x| x.absolute(), &f64::abs, -1.0, 1.0)),
    ("sin", || {
        unary(&|x| x.sin(), &f64::sin, -3.0, 3.0);
        holomorphic(&|x| x.sin(), &|z| z.sin());
    }),
    ("cos", || {
        unary(&|x| x.cos(), &f64::cos, -3.0, 3.0);
        holomorphic(&|x| x.cos(), &|z| z.cos());
    }),
    ("tan", || {
        unary(&|x| x.tan(), &f64::tan, -1.0, 1.0);
        holomorphic(&|x| x.tan(), &|z| z.tan());
    }),
    ("arcsin", || {
        unary(&|x| x.arcsin(), &f64::asin, -0.8, 0.8);
        holomorphic(&|x| x.arcsin(), &|z| z.asin());
    }),
    ("arccos", || {
        unary(&|x| x.arccos(), &f64::acos, -0.8, 0.8);
        holomorphic(&|x| x.arccos(), &|z| z.acos());
    }),
    ("arctan", || {
        unary(&|x| x.arctan(), &f64::atan, -3.0, 3.0);
        holomorphic(&|x| x.arctan(), &|z| z.atan());
    }),
    ("arctan2", || {
        binary(&|y, x| y.arctan2(x), &f64::atan2, -1.0, 1.0);
        binary(&|y, x| y.arctan2(x), &f64::atan2, -3.0, -1.0);
    }),
    ("sinh", || {
        unary(&|x| x.sinh(), &f64::sinh, -2.0, 2.0);
        holomorphic(&|x| x.sinh(), &|z| z.sinh());
    }),
    ("cosh", || {
        unary(&|x| x.cosh(), &f64::cosh, -2.0, 2.0);
        holomorphic(&|x| x.cosh(), &|z| z.cosh());
    }),
    ("tanh", || {
        unary(&|x| x.tanh(), &f64::tanh, -2.0, 2.0);
        holomorphic(&|x| x.tanh(), &|z| z.tanh());
    }),
    ("arcsinh", || {
        unary(&|x| x.arcsinh(), &f64::asinh, -2.0, 2.0);
        holomorphic(&|x| x.arcsinh(), &|z| z.asinh());
    }),
    ("arccosh", || {
        unary(&|x| x.arccosh(), &f64::acosh, 1.3, 4.0);
        // num_complex may take the other sign: the definition, with two roots
        holomorphic(&|x| x.arccosh(), &|z| (z + (z - one()).sqrt() * (z + one()).sqrt()).ln());
    }),
    ("arctanh", || {
        unary(&|x| x.arctanh(), &f64::atanh, -0.8, 0.8);
        holomorphic(&|x| x.arctanh(), &|z| z.atanh());
    }),
    ("sinc", || {
        let sinc = |x: f64| (PI * x).sin() / (PI * x);
        unary(&|x| x.sinc(), &sinc, -3.0, 3.0);
        unary(&|x| x.sinc(), &sinc, 0.01, 0.5);
        holomorphic(&|x| x.sinc(), &|z| (z * PI).sin() / (z * PI));
        // every derivative, by the series and by the recurrence, at the border between the two
        let third = GradCheck { order: 4, ..Default::default() };
        gradcheck_with(|x: &R| x.sinc(), &Var::from([0.0, 0.3, 0.45, 0.6, 1.1]), &third).unwrap();
    }),
    ("hypot", || binary(&|x, y| x.hypot(y), &f64::hypot, -2.0, 2.0)),
    ("power", || {
        unary(&|x| x.powf(2.5), &|x| x.powf(2.5), 0.3, 2.0);
        unary(&|x| x.powi(3), &|x| x * x * x, -1.0, 1.0);
        unary(&|x| x.powi(-2), &|x| 1.0 / (x * x), -2.0, -0.5);
        holomorphic(&|x| x.powf(1.5), &|z| (z.ln() * 1.5).exp());
        binary(&|x, y| x.pow(y), &f64::powf, 0.4, 2.0);
    }),
    ("maximum", || binary(&|x, y| x.maximum(y), &f64::max, -1.0, 1.0)),
    ("minimum", || binary(&|x, y| x.minimum(y), &f64::min, -1.0, 1.0)),
    ("fmax", || {
        binary(&|x, y| x.fmax(y), &f64::max, -1.0, 1.0);
        let (x, y) = (Var::from([f64::NAN, 2.0, f64::NAN]), Var::from([1.0, f64::NAN, f64::NAN]));
        close(&x.fmax(&y), &[1.0, 2.0, f64::NAN]);
        let x = Var::from([f64::NAN, 2.0]);
        let (gx, gy) = grad(|(x, y): &(R, R)| x.fmax(y).sum(), &(x, Var::from([1.0, f64::NAN]))).unwrap();
        assert_eq!((gx.as_slice(), gy.as_slice()), (&[0.0, 1.0][..], &[1.0, 0.0][..]), "all of it to the number");
    }),
    ("fmin", || {
        binary(&|x, y| x.fmin(y), &f64::min, -1.0, 1.0);
        close(&Var::from([f64::NAN, 2.0]).fmin(Var::from([1.0, f64::NAN])), &[1.0, 2.0]);
    }),
    ("logaddexp", || {
        binary(&|x, y| x.logaddexp(y), &|x, y| (x.exp() + y.exp()).ln(), -2.0, 2.0);
        close(&Var::from([1000.0, -1e6]).logaddexp(Var::from([1000.0, 0.0])), &[1000.0 + LN_2, 0.0]);
        check2(&|x, y| x.logaddexp(y), &Var::from([0.5]), &Var::from([0.5]));
    }),
    ("logaddexp2", || {
        binary(&|x, y| x.logaddexp2(y), &|x, y| (x.exp2() + y.exp2()).log2(), -2.0, 2.0);
        close(&Var::from([2000.0]).logaddexp2(2000.0), &[2001.0]);
    }),
    ("rad2deg", || unary(&|x| x.rad2deg(), &f64::to_degrees, -2.0, 2.0)),
    ("degrees", || unary(&|x| x.degrees(), &f64::to_degrees, -2.0, 2.0)),
    ("deg2rad", || unary(&|x| x.deg2rad(), &f64::to_radians, -90.0, 90.0)),
    ("radians", || unary(&|x| x.radians(), &f64::to_radians, -90.0, 90.0)),
    ("mod", || unary(&|x| x.mod_(0.7), &|x| x.rem_euclid(0.7), -1.0, 1.0)),
    ("remainder", || unary(&|x| x.remainder(0.7), &|x| x.rem_euclid(0.7), -1.0, 1.0)),
    ("clip", || unary(&|x| x.clip(-0.35, 0.3).square(), &|x| x.clamp(-0.35, 0.3).powi(2), -1.0, 1.0)),
    ("where_", || {
        let m = Mask::from([true, false, true]);
        close(&where_(&m, Var::from([1.0, 2.0, 3.0]), -1.0), &[1.0, -1.0, 3.0]);
        check2(&|x, y| where_(&Mask::from([true, false, true]), x * y, y.square()), &real(1, &[2, 3]), &real(2, &[3]));
        check2_c(&|x, y| where_(&Mask::from([true, false]), x * y, y.square()), &planar(1, &[2]), &planar(2, &[2]));
    }),
    ("select", || {
        unary(
            &|x| select(&[x.lt(-0.35), x.lt(0.35)], &[x.exp(), x.square()], 3.0),
            &|x| {
                if x < -0.35 {
                    x.exp()
                } else if x < 0.35 {
                    x * x
                } else {
                    3.0
                }
            },
            -1.0,
            1.0,
        )
    }),
    ("nan_to_num", || {
        close(&Var::from([f64::NAN, 2.0, f64::INFINITY]).nan_to_num(), &[0.0, 2.0, f64::MAX]);
        let g = grad(|x: &R| (x.nan_to_num() * 3.0).sum(), &Var::from([f64::NAN, 2.0])).unwrap();
        assert_eq!(g.as_slice(), &[0.0, 3.0]);
        unary(&|x| x.nan_to_num().exp(), &f64::exp, -1.0, 1.0);
    }),
    ("relu", || unary(&|x| x.relu() * x, &|x| x.max(0.0) * x, -1.0, 1.0)),
    ("sigmoid", || {
        unary(&|x| x.sigmoid(), &|x| 1.0 / (1.0 + (-x).exp()), -3.0, 3.0);
        holomorphic(&|x| x.sigmoid(), &|z| (one() + (-z).exp()).inv());
    }),
    ("softplus", || {
        unary(&|x| x.softplus(), &|x| x.exp().ln_1p(), -3.0, 3.0);
        holomorphic(&|x| x.softplus(), &|z| (one() + z.exp()).ln());
    }),
    ("silu", || {
        unary(&|x| x.silu(), &|x| x / (1.0 + (-x).exp()), -3.0, 3.0);
        holomorphic(&|x| x.silu(), &|z| z / (one() + (-z).exp()));
    }),
    ("gelu", || {
        // x Φ(x), Φ from its table
        close(&Var::from([1.0, -2.0, 0.0]).gelu(), &[0.841_344_746_068_542_9, -2.0 * 0.022_750_131_948_179_21, 0.0]);
        check(&|x| x.gelu(), &between(21, &[4], -3.0, 3.0));
    }),
];
