use super::{REAL, ulps};
use pullback::kernels::elementwise::{Binary, Unary, binary, unary};
use pullback::kernels::simd::{UnaryFn, erf, exp, hyperbolic, inverse, log, simple, trig};

fn bits(s: &str) -> f64 {
    f64::from_bits(u64::from_str_radix(s, 16).unwrap())
}

/// (x, rounded value, rest) of a function's lines in the table.
fn table(name: &str) -> Vec<(f64, f64, f64)> {
    include_str!("oracle.txt")
        .lines()
        .map(|l| l.split(' ').collect::<Vec<_>>())
        .filter(|w| w[0] == name && w.len() == 4)
        .map(|w| (bits(w[1]), bits(w[2]), w[3].parse().unwrap()))
        .collect()
}

#[test]
fn unary_functions_agree_with_exact_values() {
    for (op, limit, _) in REAL {
        let rows = table(&format!("{op:?}"));
        assert!(rows.len() > 20, "{op:?}: {} rows", rows.len());
        let rows: Vec<_> = rows.into_iter().filter(|r| !is_left_to_std(op, r.0, 2f64.powi(30))).collect();
        let x: Vec<f64> = rows.iter().map(|r| r.0).collect();
        for (y, (x, rounded, rest)) in unary(op, &x).into_iter().zip(rows) {
            let error = ulps(y, rounded, rest);
            assert!(error <= limit, "{op:?}({x:e}) = {y:e}, {error} ulp from {rounded:e}");
        }
    }
}

/// Where std takes over from the vectorised reduction; its own error there is up to 8 ulp next to multiples of π/2.
fn is_left_to_std(op: Unary, x: f64, reduced_up_to: f64) -> bool {
    matches!(op, Unary::Sin | Unary::Cos | Unary::Tan) && x.abs() > reduced_up_to
}

/// f(x) as a machine without FMA computes it.
fn portable<F: UnaryFn<f64>>(x: f64) -> f64 {
    if F::outside::<false>(x) { F::slow::<false>(x) } else { F::eval::<false>(x) }
}

#[test]
fn functions_without_fma_agree_with_exact_values() {
    let portable: [(Unary, fn(f64) -> f64); 25] = [
        (Unary::Exp, portable::<exp::Exp>),
        (Unary::Exp2, portable::<exp::Exp2>),
        (Unary::Expm1, portable::<exp::Expm1>),
        (Unary::Log, portable::<log::Log>),
        (Unary::Log2, portable::<log::Log2>),
        (Unary::Log10, portable::<log::Log10>),
        (Unary::Log1p, portable::<log::Log1p>),
        (Unary::Sqrt, portable::<simple::Sqrt>),
        (Unary::Cbrt, portable::<simple::Cbrt>),
        (Unary::Sin, portable::<trig::Sin>),
        (Unary::Cos, portable::<trig::Cos>),
        (Unary::Tan, portable::<trig::Tan>),
        (Unary::Asin, portable::<inverse::Asin>),
        (Unary::Acos, portable::<inverse::Acos>),
        (Unary::Atan, portable::<inverse::Atan>),
        (Unary::Sinh, portable::<hyperbolic::Sinh>),
        (Unary::Cosh, portable::<hyperbolic::Cosh>),
        (Unary::Tanh, portable::<hyperbolic::Tanh>),
        (Unary::Asinh, portable::<inverse::Asinh>),
        (Unary::Acosh, portable::<inverse::Acosh>),
        (Unary::Atanh, portable::<inverse::Atanh>),
        (Unary::Sigmoid, portable::<exp::Sigmoid>),
        (Unary::Softplus, portable::<log::Softplus>),
        (Unary::Erf, portable::<erf::Erf>),
        (Unary::Erfc, portable::<erf::Erfc>),
    ];
    for ((op, _, limit), (same, f)) in REAL.into_iter().zip(portable) {
        assert_eq!(op, same);
        for (x, rounded, rest) in table(&format!("{op:?}")).into_iter().filter(|r| !is_left_to_std(op, r.0, 1e6)) {
            let error = ulps(f(x), rounded, rest);
            assert!(error <= limit, "{op:?}({x:e}) = {:e}, {error} ulp from {rounded:e}", f(x));
        }
    }
}

#[test]
fn binary_functions_agree_with_exact_values() {
    for (op, limit) in [(Binary::Pow, 1.1), (Binary::Atan2, 1.8), (Binary::Hypot, 1.2)] {
        let rows: Vec<Vec<f64>> = include_str!("oracle.txt")
            .lines()
            .map(|l| l.split(' ').collect::<Vec<_>>())
            .filter(|w| w[0] == format!("{op:?}"))
            .map(|w| vec![bits(w[1]), bits(w[2]), bits(w[3]), w[4].parse().unwrap()])
            .collect();
        assert!(rows.len() >= 20);
        let a: Vec<f64> = rows.iter().map(|r| r[0]).collect();
        let b: Vec<f64> = rows.iter().map(|r| r[1]).collect();
        for (y, r) in binary(op, &a, &b).into_iter().zip(rows) {
            let error = ulps(y, r[2], r[3]);
            assert!(error <= limit, "{op:?}({:e}, {:e}) = {y:e}, {error} ulp from {:e}", r[0], r[1], r[2]);
        }
    }
}

/// The same function in `f64` by std, where std has it.
fn reference(op: Unary, x: f64) -> f64 {
    match op {
        Unary::Exp => x.exp(),
        Unary::Exp2 => x.exp2(),
        Unary::Expm1 => x.exp_m1(),
        Unary::Log => x.ln(),
        Unary::Log2 => x.log2(),
        Unary::Log10 => x.log10(),
        Unary::Log1p => x.ln_1p(),
        Unary::Sqrt => x.sqrt(),
        Unary::Cbrt => x.cbrt(),
        Unary::Sin => x.sin(),
        Unary::Cos => x.cos(),
        Unary::Tan => x.tan(),
        Unary::Asin => x.asin(),
        Unary::Acos => x.acos(),
        Unary::Atan => x.atan(),
        Unary::Sinh => x.sinh(),
        Unary::Cosh => x.cosh(),
        Unary::Tanh => x.tanh(),
        Unary::Asinh => x.asinh(),
        Unary::Acosh => x.acosh(),
        Unary::Atanh => x.atanh(),
        Unary::Sigmoid if x < 0.0 => x.exp() / (1.0 + x.exp()),
        Unary::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Unary::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
        // the f64 functions are themselves tested against exact values
        Unary::Erf | Unary::Erfc => unary(op, &[x])[0],
        _ => unreachable!(),
    }
}

#[test]
fn single_precision_is_within_two_ulp_over_all_exponents() {
    // 2¹⁶ of the 2³² bit patterns, evenly spread, so every sign and exponent
    let x: Vec<f32> = (0..1u32 << 16).map(|i| f32::from_bits(i.wrapping_mul(65537).wrapping_add(12345))).collect();
    for (op, ..) in REAL {
        let y = unary(op, &x);
        let mut worst = (0.0, 0.0f32);
        for (&x, &y) in x.iter().zip(&y) {
            let exact = reference(op, x as f64);
            let rounded = exact as f32;
            if rounded.is_nan() || rounded.is_infinite() || y.is_nan() || y.is_infinite() {
                assert!(y == rounded || y.is_nan() && rounded.is_nan(), "{op:?}({x:e}) = {y:e}, not {rounded:e}");
                continue;
            }
            let exponent = (rounded.to_bits() >> 23 & 0xff).max(1) as i32 - 150;
            let error = (y as f64 - exact).abs() * 2f64.powi(-exponent);
            if error > worst.0 {
                worst = (error, x);
            }
        }
        assert!(worst.0 <= 2.0, "{op:?}({:e}): {} ulp", worst.1, worst.0);
    }
}

#[test]
fn single_precision_without_fma_is_within_three_ulp() {
    fn worst<F: UnaryFn<f32>>(op: Unary, low: f32, high: f32) {
        for i in 0..20_000 {
            let x = low + (high - low) * (i as f32 / 20_000.0);
            let y = if F::outside::<false>(x) { F::slow::<false>(x) } else { F::eval::<false>(x) };
            let exact = reference(op, x as f64);
            let exponent = ((exact as f32).to_bits() >> 23 & 0xff).max(1) as i32 - 150;
            let error = (y as f64 - exact).abs() * 2f64.powi(-exponent);
            assert!(error <= 3.0, "{op:?}({x:e}) = {y:e}: {error} ulp");
        }
    }
    worst::<exp::Exp>(Unary::Exp, -100.0, 88.0);
    worst::<exp::Expm1>(Unary::Expm1, -3.0, 3.0);
    worst::<exp::Sigmoid>(Unary::Sigmoid, -20.0, 20.0);
    worst::<log::Log>(Unary::Log, 0.01, 4.0);
    worst::<log::Log1p>(Unary::Log1p, -0.9, 4.0);
    worst::<log::Softplus>(Unary::Softplus, -20.0, 20.0);
    worst::<trig::Sin>(Unary::Sin, -100.0, 100.0);
    worst::<trig::Cos>(Unary::Cos, -100.0, 100.0);
    worst::<hyperbolic::Sinh>(Unary::Sinh, -5.0, 5.0);
    worst::<hyperbolic::Tanh>(Unary::Tanh, -5.0, 5.0);
}

#[test]
fn dense_points_stay_near_std() {
    // std is within an ulp; the oracle's points are few, these are many
    for (op, low, high) in [
        (Unary::Exp, -745.0, 709.7),
        (Unary::Log, 1e-3, 5.0),
        (Unary::Sin, -50.0, 50.0),
        (Unary::Cos, -50.0, 50.0),
        (Unary::Tan, -50.0, 50.0),
        (Unary::Tanh, -3.0, 3.0),
        (Unary::Expm1, -2.0, 2.0),
        (Unary::Log1p, -0.99, 3.0),
        (Unary::Sinh, -3.0, 3.0),
        (Unary::Cosh, -3.0, 3.0),
        (Unary::Asin, -1.0, 1.0),
        (Unary::Acos, -1.0, 1.0),
        (Unary::Atan, -5.0, 5.0),
    ] {
        let x: Vec<f64> = (0..20_000).map(|i| low + (high - low) * (i as f64 * 0.618_033_988_749_894_9).fract()).collect();
        for (&x, y) in x.iter().zip(unary(op, &x)) {
            let exact = reference(op, x);
            let error = ulps(y, exact, 0.0);
            assert!(error <= 3.0, "{op:?}({x:e}) = {y:e}, std {exact:e}");
        }
    }
}
