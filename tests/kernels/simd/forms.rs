use super::REAL;
use num_complex::Complex;
use pullback::kernels::elementwise::*;
use pullback::kernels::parallel;
use pullback::kernels::pullback::unary_pullback;
use pullback::scalar::{Number, Real, Scalar};

const COMPLEX: [Unary; 29] = [
    Unary::Exp,
    Unary::Exp2,
    Unary::Expm1,
    Unary::Log,
    Unary::Log2,
    Unary::Log10,
    Unary::Log1p,
    Unary::Sqrt,
    Unary::Cbrt,
    Unary::Square,
    Unary::Reciprocal,
    Unary::Neg,
    Unary::Sin,
    Unary::Cos,
    Unary::Tan,
    Unary::Asin,
    Unary::Acos,
    Unary::Atan,
    Unary::Sinh,
    Unary::Cosh,
    Unary::Tanh,
    Unary::Asinh,
    Unary::Acosh,
    Unary::Atanh,
    Unary::Sigmoid,
    Unary::Softplus,
    Unary::Conj,
    Unary::Abs,
    Unary::Sign,
];

fn real_ops() -> Vec<Unary> {
    use Unary::*;
    REAL.into_iter().map(|r| r.0).chain([Square, Reciprocal, Neg, Abs, Conj, Sign, Floor, Ceil, Round, Relu]).collect()
}

/// Numbers in (−span, span), the fractional parts of multiples of the golden ratio; some huge, so that every block has a slow element.
fn sample<T: Scalar>(n: usize, span: f64) -> Vec<T> {
    let part = |i: usize, k: f64| span * (2.0 * (i as f64 * k + 0.1).fract() - 1.0);
    let real = |x: f64| T::Real::from_f64(x);
    (0..n)
        .map(|i| {
            let scale = if i % 29 == 17 { 1e12 } else { 1.0 };
            T::from_parts(real(scale * part(i, 0.618_033_988_7)), real(part(i, 0.414_213_562)))
        })
        .collect()
}

/// The bits of a number, all NaN alike.
fn bits<T: Scalar>(x: T) -> (u64, u64) {
    let one = |x: T::Real| {
        let x = x.to_f64();
        if x.is_nan() { u64::MAX } else { x.to_bits() }
    };
    (one(x.re()), one(x.im()))
}

fn check_lengths<T: Scalar>(ops: &[Unary]) {
    let x = sample::<T>(33, 3.0);
    for &op in ops {
        for n in 0..=33 {
            let y = unary(op, &x[..n]);
            let mut z = x[..n].to_vec();
            unary_inplace(op, &mut z);
            assert_eq!((y.len(), z.len()), (n, n));
            for i in 0..n {
                let one = unary_scalar(op, x[i]);
                assert_eq!(bits(y[i]), bits(one), "{op:?} at {i} of {n}: {:?} and alone {one:?}", y[i]);
                assert_eq!(bits(z[i]), bits(one), "{op:?} in place at {i} of {n}");
            }
        }
    }
}

#[test]
fn an_element_does_not_depend_on_its_place() {
    check_lengths::<f64>(&real_ops());
    check_lengths::<f32>(&real_ops());
    check_lengths::<Complex<f64>>(&COMPLEX);
    check_lengths::<Complex<f32>>(&COMPLEX);
}

fn check_binary<T: Scalar>(ops: &[Binary]) {
    let (a, b) = (sample::<T>(600, 3.0), sample::<T>(613, 2.0)[13..].to_vec());
    for &op in ops {
        for n in (0..=33).chain([600]) {
            let (a, b) = (&a[..n], &b[..n]);
            let y = binary(op, a, b);
            let (mut left, mut right) = (a.to_vec(), b.to_vec());
            binary_left_inplace(op, &mut left, b);
            binary_right_inplace(op, a, &mut right);
            assert_eq!(y.len(), n);
            for i in 0..n {
                let one = binary_scalars(op, a[i], b[i]);
                assert_eq!(bits(y[i]), bits(one), "{op:?} at {i} of {n}: {:?} and alone {one:?}", y[i]);
                assert_eq!(bits(left[i]), bits(one), "{op:?} in place of the first");
                assert_eq!(bits(right[i]), bits(one), "{op:?} in place of the second");
            }
            if n > 2 {
                let (c, d) = (a[2], b[1]);
                for (i, (l, r)) in binary_scalar_left(op, c, b).into_iter().zip(binary_scalar_right(op, a, d)).enumerate() {
                    assert_eq!(bits(l), bits(binary_scalars(op, c, b[i])), "{op:?} scalar left");
                    assert_eq!(bits(r), bits(binary_scalars(op, a[i], d)), "{op:?} scalar right");
                }
            }
        }
    }
}

#[test]
fn all_forms_of_a_binary_function_agree() {
    use Binary::*;
    check_binary::<f64>(&[Add, Sub, Mul, Div, Pow, Max, Min, Atan2, Hypot, Rem]);
    check_binary::<f32>(&[Add, Sub, Mul, Div, Pow, Max, Min, Atan2, Hypot, Rem]);
    check_binary::<Complex<f64>>(&[Add, Sub, Mul, Div, Pow]);
    check_binary::<Complex<f32>>(&[Add, Sub, Mul, Div, Pow]);
}

#[test]
fn arithmetic_is_that_of_the_operators() {
    let (a, b) = (sample::<f64>(40, 3.0), sample::<f64>(41, 2.0)[1..].to_vec());
    for i in 0..40 {
        assert_eq!(binary(Binary::Add, &a, &b)[i], a[i] + b[i]);
        assert_eq!(binary(Binary::Sub, &a, &b)[i], a[i] - b[i]);
        assert_eq!(binary(Binary::Mul, &a, &b)[i], a[i] * b[i]);
        assert_eq!(binary(Binary::Div, &a, &b)[i], a[i] / b[i]);
        assert_eq!(binary_scalar_left(Binary::Sub, 2.0, &b)[i], 2.0 - b[i]);
        assert_eq!(binary_scalar_right(Binary::Sub, &a, 2.0)[i], a[i] - 2.0);
        assert_eq!(unary(Unary::Square, &a)[i], a[i] * a[i]);
    }
    let mut y = b.clone();
    axpy(2.0, &a, &mut y);
    add_assign(&mut y, &a);
    for i in 0..40 {
        assert!((y[i] - (b[i] + 3.0 * a[i])).abs() <= 1e-15 * (b[i].abs() + 3.0 * a[i].abs()));
    }
}

#[test]
fn powers_with_easy_exponents_agree_with_the_general_ones() {
    let a: Vec<f64> = sample::<f64>(100, 3.0);
    for p in [0.0, 0.5, 1.0, 2.0, 3.0, -1.0] {
        let general = binary(Binary::Pow, &a, &vec![p; a.len()]);
        for (i, (y, g)) in binary_scalar_right(Binary::Pow, &a, p).into_iter().zip(general).enumerate() {
            assert!(y == g || (y - g).abs() <= 4.5e-16 * g.abs() || y.is_nan() && g.is_nan(), "{}^{p} = {y} and {g}", a[i]);
        }
    }
    assert_eq!(binary_scalars(Binary::Pow, f64::NEG_INFINITY, 0.5), f64::INFINITY);
    assert_eq!(binary_scalars(Binary::Pow, -0.0f64, 0.5).to_bits(), 0);
    let z = Complex::new(0.3, -1.2);
    let w = binary_scalars(Binary::Pow, z, Complex::new(5.0, 0.0));
    assert!((w - z * z * z * z * z).norm() < 1e-14);
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let n = (1 << 17) + 13;
    let (x, y) = (sample::<f64>(n, 3.0), sample::<f64>(n + 1, 2.0)[1..].to_vec());
    let run = |threads: usize| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
            let mut g = y.clone();
            let sin = unary(Unary::Sin, &x);
            assert!(unary_pullback(Unary::Sin, &x, &sin, &mut g));
            let mut z = x.clone();
            unary_inplace(Unary::Tanh, &mut z);
            axpy(0.3, &x, &mut z);
            let sums = parallel::collect(n.div_ceil(parallel::CHUNK), |i| {
                x[i * parallel::CHUNK..n.min((i + 1) * parallel::CHUNK)].iter().sum::<f64>()
            });
            [sin, g, z, sums, binary(Binary::Pow, &x, &y), map(&x, |x| x * x), zip(&x, &y, |x, y| x - y)]
        })
    };
    let (one, three) = (run(1), run(3));
    for (a, b) in one.iter().zip(&three) {
        assert!(a.len() == b.len() && a.iter().zip(b).all(|(a, b)| bits(*a) == bits(*b)));
    }
    assert_eq!(one[3].len(), n.div_ceil(parallel::CHUNK));
    assert_eq!(one[5][n - 1], x[n - 1] * x[n - 1]);
}

#[test]
fn complex_functions_agree_with_num_complex_in_all_quadrants() {
    let z: Vec<Complex<f64>> = sample::<Complex<f64>>(400, 3.0).into_iter().filter(|z| z.re.abs() < 10.0).collect();
    let functions: [(Unary, fn(Complex<f64>) -> Complex<f64>); 12] = [
        (Unary::Exp, |z| z.exp()),
        (Unary::Sin, |z| z.sin()),
        (Unary::Cos, |z| z.cos()),
        (Unary::Tan, |z| z.tan()),
        (Unary::Sinh, |z| z.sinh()),
        (Unary::Cosh, |z| z.cosh()),
        (Unary::Tanh, |z| z.tanh()),
        (Unary::Log, |z| z.ln()),
        (Unary::Sqrt, |z| z.sqrt()),
        (Unary::Reciprocal, |z| z.inv()),
        (Unary::Sigmoid, |z| (Complex::new(1.0, 0.0) + (-z).exp()).inv()),
        (Unary::Softplus, |z| (Complex::new(1.0, 0.0) + z.exp()).ln()),
    ];
    for (op, f) in functions {
        let single: Vec<Complex<f32>> = z.iter().map(|z| Complex::new(z.re as f32, z.im as f32)).collect();
        for ((&z, y), (&x, w)) in z.iter().zip(unary(op, &z)).zip(single.iter().zip(unary(op, &single))) {
            // Im of the softplus jumps by 2π between the two formulas
            let close = |y: Complex<f64>, e: Complex<f64>, bound: f64| {
                let mut d = y - e;
                if op == Unary::Softplus {
                    d.im -= std::f64::consts::TAU * (d.im / std::f64::consts::TAU).round();
                }
                d.norm() <= bound * (1.0 + e.norm() + e.norm_sqr())
            };
            assert!(close(y, f(z), 1e-14), "{op:?}({z}) = {y}, not {}", f(z));
            let exact = f(Complex::new(x.re as f64, x.im as f64));
            assert!(close(Complex::new(w.re as f64, w.im as f64), exact, 1e-5), "{op:?}({x}) = {w}, not {exact}");
        }
    }
}

#[test]
fn complex_logarithms_keep_their_digits_near_the_unit_circle() {
    // |z|² = 1 + 2e−20 + 1e−20, so ln |z| = 1.5e−20
    let z = Complex::new(1.0 + 0.0, 1.732_050_807_568_877_2e-10);
    let y = unary(Unary::Log, &[z])[0];
    assert!((y.re / 1.5e-20 - 1.0).abs() < 1e-15, "{}", y.re);
}

#[test]
fn complex_division_does_not_overflow() {
    for scale in [1e-300, 1e-200, 1e200, 1e300] {
        let a = Complex::new(3.0 * scale, -2.0 * scale);
        let b = Complex::new(-scale, 4.0 * scale);
        let q = binary(Binary::Div, &[a], &[b])[0];
        assert!((q - Complex::new(-11.0 / 17.0, -10.0 / 17.0)).norm() < 1e-15, "{scale:e}: {q}");
        let r = unary(Unary::Reciprocal, &[b])[0] * Complex::new(-1.0, 4.0);
        assert!((r * scale - Complex::new(1.0, 0.0)).norm() < 1e-13, "{scale:e}: {r}");
    }
    let large = unary(Unary::Tanh, &[Complex::new(400.0, 1.0), Complex::new(-310.0, 0.5)]);
    assert_eq!((large[0].re, large[1].re), (1.0, -1.0));
    // e^710 overflows, but not times cos(π/2 − 10⁻³)
    let z = unary(Unary::Exp, &[Complex::new(710.0, std::f64::consts::FRAC_PI_2 - 1e-3)])[0];
    assert!(z.re.is_finite() && z.im.is_infinite());
}

/// The derivative by central differences: 2h apart along the real axis, extrapolated.
fn difference<T: Scalar>(op: Unary, x: T) -> T {
    let h = 1e-3;
    let quotient = |h: f64| {
        let h = T::constant(h);
        (unary_scalar(op, x + h) - unary_scalar(op, x - h)) / (h + h)
    };
    // Richardson: errors of h² and h⁴ cancel
    let (a, b, c) = (quotient(h), quotient(h / 2.0), quotient(h / 4.0));
    let (ab, bc) = ((T::constant(4.0) * b - a) / T::constant(3.0), (T::constant(4.0) * c - b) / T::constant(3.0));
    (T::constant(16.0) * bc - ab) / T::constant(15.0)
}

fn check_pullback<T: Scalar>(op: Unary, x: &[T]) {
    let y = unary(op, x);
    let g0 = sample::<T>(x.len() + 3, 1.0)[3..].to_vec();
    let mut g = g0.clone();
    assert!(unary_pullback(op, x, &y, &mut g), "{op:?} has no rule");
    for i in 0..x.len() {
        let expected = g0[i] * difference(op, x[i]).conj();
        let error = (g[i] - expected).modulus().to_f64();
        assert!(error <= 2e-9 * (1.0 + expected.modulus().to_f64()), "{op:?} at {:?}: {:?}, not {expected:?}", x[i], g[i]);
    }
}

#[test]
fn pullbacks_agree_with_finite_differences() {
    for op in real_ops() {
        if matches!(op, Unary::Floor | Unary::Ceil | Unary::Round | Unary::Sign) {
            continue;
        }
        let domain = |i: usize| {
            let t = 0.05 + 0.9 * (i as f64 * 0.618_033_988_7).fract();
            match op {
                Unary::Acosh => 1.2 + t,
                Unary::Log | Unary::Log2 | Unary::Log10 | Unary::Sqrt | Unary::Cbrt | Unary::Reciprocal => 0.5 + t,
                _ => t - if i.is_multiple_of(2) { 1.0 } else { 0.0 },
            }
        };
        check_pullback(op, &(0..300).map(domain).filter(|x: &f64| x.abs() > 0.02).collect::<Vec<_>>());
    }
    // a block with arguments outside the fast range of the reduction
    let x = [0.5, 3e10, -1e11, 2.0];
    for (op, d) in [(Unary::Sin, f64::cos as fn(f64) -> f64), (Unary::Cos, |x: f64| -x.sin())] {
        let mut g = [2.0; 4];
        assert!(unary_pullback(op, &x, &unary(op, &x), &mut g));
        for (x, g) in x.into_iter().zip(g) {
            assert!((g - 2.0 * d(x)).abs() < 1e-15);
        }
    }
}

#[test]
fn pullbacks_of_holomorphic_functions_agree_with_finite_differences() {
    for op in COMPLEX {
        let z: Vec<Complex<f64>> = (0..200)
            .map(|i| {
                let part = |k: f64| 0.2 + 0.6 * (i as f64 * k).fract();
                let sign = |bit: usize| if i >> bit & 1 == 0 { 1.0 } else { -1.0 };
                Complex::new(sign(0) * part(0.618_033_988_7), sign(1) * part(0.414_213_562))
            })
            .collect();
        match op {
            Unary::Abs | Unary::Sign => {
                let mut g = z.clone();
                assert!(!unary_pullback(op, &z, &unary(op, &z), &mut g) && g == z);
            }
            Unary::Conj => {
                let mut g = z.clone();
                assert!(unary_pullback(op, &z, &unary(op, &z), &mut g));
                assert!(g.iter().zip(&z).all(|(g, z)| *g == z.conj()));
            }
            _ => check_pullback(op, &z),
        }
    }
}

#[test]
fn awkward_points_have_the_documented_derivatives() {
    let pulled = |op: Unary, x: f64| {
        let mut g = [3.0];
        assert!(unary_pullback(op, &[x], &[unary_scalar(op, x)], &mut g));
        g[0]
    };
    for op in [Unary::Sqrt, Unary::Cbrt, Unary::Abs, Unary::Relu, Unary::Sign, Unary::Floor] {
        assert_eq!(pulled(op, 0.0), 0.0, "{op:?}");
    }
    assert_eq!((pulled(Unary::Relu, 2.0), pulled(Unary::Relu, -2.0), pulled(Unary::Abs, -2.0)), (3.0, 0.0, -3.0));
}

#[test]
fn maps_write_every_element() {
    for n in [0, 1, 5, parallel::THRESHOLD_COMPUTE + 3] {
        let x: Vec<u32> = (0..n as u32).collect();
        assert!(map(&x, |x| x as f64 + 1.0).iter().enumerate().all(|(i, &y)| y == i as f64 + 1.0));
        let mut y = x.clone();
        map_inplace(&mut y, |y| 2 * y);
        zip_inplace(&mut y, &x, |y, x| y + x);
        assert!(y.iter().enumerate().all(|(i, &y)| y == 3 * i as u32));
    }
    assert_eq!(<f64 as Number>::constant(2.0), map(&[1.0], |x: f64| x + 1.0)[0]);
}
