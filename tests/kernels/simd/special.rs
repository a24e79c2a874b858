use super::REAL;
use pullback::kernels::elementwise::{Binary, Unary, binary, unary};

const SPECIAL: [f64; 24] = [
    0.0,
    -0.0,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    5e-324,
    -5e-324,
    1e-310,
    -1e-310,
    f64::MIN_POSITIVE,
    f64::MAX,
    f64::MIN,
    1.0,
    -1.0,
    1.0 + f64::EPSILON,
    -1.0 - f64::EPSILON,
    0.5,
    -0.5,
    710.5,
    -746.0,
    1e300,
    -1e300,
    2.0,
    -3.0,
];

fn std_function(op: Unary) -> Option<(fn(f64) -> f64, fn(f32) -> f32)> {
    macro_rules! table {
        ($($op:ident $f:ident,)*) => {
            match op {
                $(Unary::$op => Some((f64::$f, f32::$f)),)*
                _ => None,
            }
        };
    }
    table! {
        Exp exp, Exp2 exp2, Expm1 exp_m1, Log ln, Log2 log2, Log10 log10, Log1p ln_1p, Sqrt sqrt, Cbrt cbrt, Sin sin, Cos cos, Tan tan,
        Asin asin, Acos acos, Atan atan, Sinh sinh, Cosh cosh, Tanh tanh, Asinh asinh, Acosh acosh, Atanh atanh,
        Floor floor, Ceil ceil, Round round_ties_even, Abs abs, Reciprocal recip,
    }
}

/// Whether two results are the same kind of number, with the same sign, and the same up to a few roundings.
fn alike(a: f64, b: f64, relative: f64) -> bool {
    if b.is_nan() {
        a.is_nan()
    } else if b == 0.0 || b.is_infinite() {
        a.to_bits() == b.to_bits()
    } else {
        (a - b).abs() <= (relative * b.abs()).max(f64::MIN_POSITIVE * f64::EPSILON * 2.0) && a.is_sign_negative() == b.is_sign_negative()
    }
}

#[test]
fn special_values_are_those_of_std() {
    // std's acosh and atanh cancel near 1: the table of exact values has them
    for op in REAL.into_iter().map(|r| r.0).filter(|op| !matches!(op, Unary::Acosh | Unary::Atanh)) {
        let Some((double, single)) = std_function(op) else { continue };
        // std's asinh overflows at the largest numbers, where ours is finite
        let overflows = |x: f64, limit: f64| op == Unary::Asinh && x.is_finite() && x.abs() > limit;
        for (&x, y) in SPECIAL.iter().zip(unary(op, &SPECIAL)).filter(|(x, _)| !overflows(**x, 1e150)) {
            assert!(alike(y, double(x), 1e-15), "{op:?}({x:e}) = {y:e}, std {:e}", double(x));
        }
        let x: Vec<f32> = SPECIAL.iter().map(|&x| x as f32).chain([1e-45, -1e-45, 1e-40, 89.5, -104.5, 1e30]).collect();
        for (&x, y) in x.iter().zip(unary(op, &x)).filter(|(x, _)| !overflows(f64::from(**x), 1e18)) {
            let exact = single(x);
            let tiny = exact.abs() < f32::MIN_POSITIVE && (y - exact).abs() <= 2e-45;
            assert!(tiny || alike(y as f64, exact as f64, 4e-7), "{op:?}({x:e}) = {y:e}, std {exact:e}");
        }
    }
}

#[test]
fn functions_that_std_lacks_have_the_right_limits() {
    let x = [f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, f64::NAN];
    let expected = [
        (Unary::Sigmoid, [1.0, 0.0, 0.5, 0.5, f64::NAN]),
        (Unary::Softplus, [f64::INFINITY, 0.0, std::f64::consts::LN_2, std::f64::consts::LN_2, f64::NAN]),
        (Unary::Erf, [1.0, -1.0, 0.0, -0.0, f64::NAN]),
        (Unary::Erfc, [0.0, 2.0, 1.0, 1.0, f64::NAN]),
        (Unary::Relu, [f64::INFINITY, 0.0, 0.0, -0.0, f64::NAN]),
        (Unary::Sign, [1.0, -1.0, 0.0, -0.0, f64::NAN]),
    ];
    for (op, expected) in expected {
        for ((x, y), e) in x.iter().zip(unary(op, &x)).zip(expected) {
            assert!(alike(y, e, 1e-15), "{op:?}({x}) = {y}, not {e}");
        }
        let single: Vec<f32> = x.iter().map(|&x| x as f32).collect();
        for ((x, y), e) in x.iter().zip(unary(op, &single)).zip(expected) {
            assert!(alike(y as f64, e, 1e-7), "{op:?}({x}) = {y}, not {e} in single precision");
        }
    }
}

#[test]
fn powers_at_special_arguments_are_those_of_std() {
    let a: Vec<f64> = SPECIAL.iter().flat_map(|&a| SPECIAL.map(|_| a)).collect();
    let b: Vec<f64> = SPECIAL.iter().flat_map(|_| SPECIAL).collect();
    for ((&a, &b), y) in a.iter().zip(&b).zip(binary(Binary::Pow, &a, &b)) {
        assert!(alike(y, a.powf(b), 1e-15), "{a:e}^{b:e} = {y:e}, std {:e}", a.powf(b));
    }
    let single = |v: &[f64]| v.iter().map(|&v| v as f32).collect::<Vec<_>>();
    let (a, b) = (single(&a), single(&b));
    for ((&a, &b), y) in a.iter().zip(&b).zip(binary(Binary::Pow, &a, &b)) {
        let exact = a.powf(b);
        let tiny = exact.abs() < f32::MIN_POSITIVE && (y - exact).abs() <= 2e-45;
        assert!(tiny || alike(y as f64, exact as f64, 3e-7), "{a:e}^{b:e} = {y:e}, std {exact:e}");
    }
}

#[test]
fn angles_and_lengths_at_special_arguments_are_those_of_std() {
    for &a in &SPECIAL {
        for &b in &SPECIAL {
            let y = binary(Binary::Atan2, &[a], &[b])[0];
            assert!(alike(y, a.atan2(b), 1e-15), "atan2({a:e}, {b:e}) = {y:e}, std {:e}", a.atan2(b));
            let y = binary(Binary::Hypot, &[a], &[b])[0];
            assert!(alike(y, a.hypot(b), 1e-15), "hypot({a:e}, {b:e}) = {y:e}, std {:e}", a.hypot(b));
        }
    }
}

#[test]
fn extrema_keep_nan_and_remainders_follow_the_divisor() {
    let nan = f64::NAN;
    let (a, b) = ([1.0, nan, 2.0, -1.0], [2.0, 1.0, nan, -1.0]);
    let max = binary(Binary::Max, &a, &b);
    let min = binary(Binary::Min, &a, &b);
    assert_eq!((max[0], max[3], min[0], min[3]), (2.0, -1.0, 1.0, -1.0));
    assert!(max[1].is_nan() && max[2].is_nan() && min[1].is_nan() && min[2].is_nan());
    // numpy.mod([5, -5, 5, -5, 6, -6], [3, 3, -3, -3, -3, 3])
    let r = binary(Binary::Rem, &[5.0f64, -5.0, 5.0, -5.0, 6.0, -6.0], &[3.0, 3.0, -3.0, -3.0, -3.0, 3.0]);
    assert_eq!(r, [2.0, 1.0, -1.0, -2.0, -0.0, 0.0]);
    assert!(r[4].is_sign_negative() && r[5].is_sign_positive());
    assert!(binary(Binary::Rem, &[1.0f64], &[0.0])[0].is_nan());
}

#[test]
fn subnormal_results_are_rounded_once() {
    for x in [-708.5f64, -710.0, -720.0, -740.0, -744.4, -745.1] {
        let y = unary(Unary::Exp, &[x])[0];
        assert!(y.to_bits().abs_diff(x.exp().to_bits()) <= 1, "exp({x}) = {y:e}, std {:e}", x.exp());
        let y = unary(Unary::Sigmoid, &[x])[0];
        assert!(y.to_bits().abs_diff(x.exp().to_bits()) <= 1, "sigmoid({x}) = {y:e}");
    }
    assert_eq!(unary(Unary::Exp, &[-745.2, -1e4, 709.8]), [0.0, 0.0, f64::INFINITY]);
}
