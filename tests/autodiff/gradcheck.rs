//! The tool itself: it passes what is right and names what is wrong.

use num_complex::Complex64;
use pullback::prelude::*;

#[test]
fn passes_mixed_structures_real_and_complex_to_third_order() {
    let z = ndarray::array![Complex64::new(0.4, -0.3), Complex64::new(-0.7, 0.2)];
    let x = ndarray::array![0.3, 1.2];
    let f = |(z, x): &(Var<Complex64>, Var<f64>)| ((z * z.conj() + z.exp()).sin(), (x * x.cos()).exp());
    let report = gradcheck_with(f, &(z, x), &GradCheck { order: 3, ..Default::default() }).unwrap();
    assert!(report.entries > 500 && report.worst < 1e-8, "{report:?}");
}

#[test]
fn single_precision() {
    gradcheck(|x: &Var<f32>| x.sin() * x.exp(), &ndarray::array![0.3f32, -1.0]).unwrap();
}

#[test]
fn names_the_worst_entry_the_mode_and_the_order() {
    // right to first order, but the pullback hides half of its dependence on x
    let f = |x: &Var<f64>| custom_vjp(x, |x| x * x, |x, _, g| g * (x + x.stop_gradient()));
    let x = ndarray::array![0.5, 1.5];
    gradcheck_with(f, &x, &GradCheck { order: 1, ..Default::default() }).unwrap();
    let e = gradcheck(f, &x).unwrap_err().to_string();
    assert!(e.contains("the reverse derivative's reverse mode"), "{e}");

    let imaginary = |z: &Var<Complex64>| custom_vjp(z, |z| z * z, |z, _, g| g * (z + z));
    let e = gradcheck(imaginary, &Complex64::new(1.0, 2.0)).unwrap_err().to_string();
    assert!(e.contains("imaginary part"), "a missing conjugate: {e}");
}
