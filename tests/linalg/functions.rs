//! Divided differences as the derivatives of functions of matrices.

use pullback::linalg::{Spectral, SpectralFunction, funm};
use pullback::prelude::*;

/// f[x₀, x₁]: along E = (0 1; 1 0) the derivative of f at diag(x₀, x₁) is f[x₀, x₁] E.
fn divided_difference(f: Spectral, x: [f64; 2]) -> f64 {
    let e = Var::from_shape_vec(&[2, 2], vec![0.0, 1.0, 1.0, 0.0]).unwrap();
    let (_, d) = jvp(|a: &Var<f64>| funm(a, f), &Var::from(x).diag(0), &e).unwrap();
    assert!(d.get(&[0, 0]).item() == 0.0 && d.get(&[1, 1]).item() == 0.0, "{d}");
    d.get(&[0, 1]).item()
}

#[test]
fn divided_differences_of_exp_at_all_distances() {
    // e^{m} sinh(d)/d with m the mean and d half the distance
    for d in [0.0, 1e-12, 1e-6, 1e-3, 0.02, 0.03, 0.5, 3.0] {
        let exact = 0.3f64.exp() * if d == 0.0 { 1.0 } else { f64::sinh(d) / d };
        let found = divided_difference(Spectral::Exp, [0.3 - d, 0.3 + d]);
        assert!((found / exact - 1.0).abs() < 2e-14, "{d}: {found} {exact}");
    }
    // f[x, x, x] = f″/2, and the second derivative of ln(2 + t) is twice that
    let second = hvp(|t: &Var<f64>| Ok::<_, Error>(funm(&t.reshape(&[1, 1]), Spectral::Log)?.sum()), &2.0, &1.0).unwrap();
    assert!((second + 0.25).abs() < 2e-16, "{second}");
}

#[test]
fn derivatives_of_the_named_functions_agree_with_differences() {
    let functions =
        [Spectral::Exp, Spectral::Log, Spectral::Sqrt, Spectral::Power(-1.5), Spectral::XLogX, Spectral::Fermi { beta: 1.7, mu: 0.4 }];
    for f in functions {
        for k in 0..5 {
            let (x, h) = (0.9, 1e-5);
            let difference = (f.derivative(k, x + h) - f.derivative(k, x - h)) / (2.0 * h);
            let exact = f.derivative(k + 1, x);
            assert!((difference - exact).abs() < 1e-7 * exact.abs().max(1.0), "{f:?} {k}: {difference} {exact}");
        }
    }
}
