use crate::kernels::testing::*;
use num_complex::Complex;
use pullback::kernels::inner::*;

fn inner_products<T: Scalar>(tolerance: f64) {
    let mut rng = rng(11);
    for n in [0, 1, 7, 8, 33, 100, 1023, 1024, 1025, 5000, 70_001] {
        let (a, b): (Vec<T>, Vec<T>) = (random(&mut rng, n), random(&mut rng, n));
        let want = a.iter().zip(&b).fold(T::zero(), |s, (&a, &b)| s + a * b);
        let want_conj = a.iter().zip(&b).fold(T::zero(), |s, (&a, &b)| s + a.conj() * b);
        let scale = (n as f64).sqrt().max(1.0);
        assert!((same_on_any_threads(|| dot(&a, &b)) - want).modulus().to_f64() < tolerance * scale, "dot of {n}");
        assert!((same_on_any_threads(|| vdot(&a, &b)) - want_conj).modulus().to_f64() < tolerance * scale, "vdot of {n}");
        let want = a.iter().map(|a| a.modulus_squared().to_f64()).sum::<f64>().sqrt();
        assert!((norm2(&a).to_f64() - want).abs() <= tolerance * want, "norm of {n}");
    }
}

#[test]
fn inner_products_agree_with_plain_loops() {
    inner_products::<f32>(2e-5);
    inner_products::<f64>(1e-13);
    inner_products::<Complex<f32>>(2e-5);
    inner_products::<Complex<f64>>(1e-13);
}

#[test]
fn norm_survives_extreme_magnitudes() {
    for scale in [1e-310, 1e-300, 1e-160, 1e160, 1e300] {
        let (x, z) = ([3.0 * scale, 4.0 * scale], [Complex::new(3.0 * scale, -4.0 * scale)]);
        assert!((norm2::<f64>(&x) / scale - 5.0).abs() < 1e-12, "{scale}: {}", norm2(&x));
        assert!((norm2(&z) / scale - 5.0).abs() < 1e-12, "{scale}: {}", norm2(&z));
    }
    assert_eq!(norm2::<f64>(&[]), 0.0);
    assert_eq!(norm2(&[0.0f32; 20]), 0.0);
    assert_eq!(norm2(&[1.0, f64::NEG_INFINITY]), f64::INFINITY);
    assert!(norm2(&[1.0, f64::NAN, f64::INFINITY]).is_nan());
    assert!(norm2(&[f64::NAN, 1.0, 2.0]).is_nan());
}
