use pullback::prelude::*;
use pullback::tensor_network::{Trg, ising_square};

fn ln_z(chi: usize, steps: usize) -> impl Fn(&Var<f64>) -> Result<Var<f64>> {
    move |beta| Trg { chi, steps }.ln_z_per_site(&ising_square(beta)?)
}

/// Without truncation two steps are exact: four sites on a torus, whose 16 states can be summed by hand. Turned by 45° twice, its sites are
/// the corners of a 2 × 2 torus, each pair of neighbours joined twice: Z = 2 e^{8β} + 12 + 2 e^{−8β}.
#[test]
fn two_steps_without_truncation_are_exact() {
    for beta in [0.1, 0.4, 1.0f64] {
        let exact = (2.0 * (8.0 * beta).exp() + 12.0 + 2.0 * (-8.0 * beta).exp()).ln() / 4.0;
        let value = ln_z(64, 2)(&Var::scalar(beta)).unwrap().item();
        assert!((value - exact).abs() < 1e-13, "β = {beta}: {value} against {exact}");
    }
}

#[test]
fn known_value_at_small_chi() {
    let value = ln_z(5, 5)(&Var::scalar(0.4)).unwrap().item();
    assert!((value - 0.8919788686747141).abs() < 1e-11, "{value}");
}

/// Onsager's ln Z at β = 0.44, 0.928728540456888, is approached as χ grows.
#[test]
fn approaches_onsager() {
    let error = |chi| (ln_z(chi, 20)(&Var::scalar(0.44)).unwrap().item() - 0.928728540456888).abs();
    let (small, large) = (error(8), error(16));
    assert!(large <= 5e-6 && large < small, "{small} at 8, {large} at 16");
}

/// −E and C_v/β² of the infinite lattice at β = 0.4, as this method gives them at χ = 16 in 20 steps.
#[test]
fn energy_and_specific_heat_by_derivatives() {
    let f = ln_z(16, 20);
    let first = |b: &Var<f64>| Ok::<_, Error>(value_and_grad(&f, b)?.1);
    let (slope, second) = value_and_grad(first, &Var::scalar(0.4)).unwrap();
    assert!((-slope.item() + 1.1060454).abs() < 1e-6, "E = {}", -slope.item());
    let heat = 0.16 * second.item();
    assert!((heat - 0.861447).abs() < 1e-5, "C = {heat}");
}

/// Reverse over reverse, forward over reverse and forward over forward.
#[test]
fn second_derivatives_agree_in_all_modes() {
    let f = ln_z(8, 12);
    let first = |b: &Var<f64>| Ok::<_, Error>(value_and_grad(&f, b)?.1);
    let second = grad(first, &0.4).unwrap();
    let forward = hvp(&f, &0.4, &1.0).unwrap();
    assert!((forward - second).abs() < 1e-7 * forward.abs(), "{forward} against {second}");
    let tangent = |b: &Var<f64>| Ok::<_, Error>(jvp(&f, b, &Var::scalar(1.0))?.1);
    let (_, both) = jvp(tangent, &Var::scalar(0.4), &Var::scalar(1.0)).unwrap();
    assert!((forward - both.item()).abs() < 1e-7 * forward.abs(), "{forward} against {}", both.item());
}

/// The derivatives of the truncated network are those of its own values, discarded part included.
#[test]
fn derivatives_agree_with_finite_differences() {
    // small steps: where singular values cross at the cut, about 4e-3 away, the truncated function jumps
    let options = GradCheck { step: Some(3e-4), ..Default::default() };
    gradcheck_with(ln_z(6, 6), &0.35, &options).unwrap();
    gradcheck_with(ln_z(4, 4), &0.5, &options).unwrap();
}

#[test]
fn misfits_are_named() {
    let trg = Trg { chi: 4, steps: 2 };
    let wrong = trg.ln_z_per_site(&Var::from(ndarray::Array4::<f64>::ones((2, 3, 3, 2)))).unwrap_err().to_string();
    assert!(wrong.contains("[2, 3, 3, 2]"), "{wrong}");
    let zero = trg.ln_z_per_site(&Var::from(ndarray::Array4::<f64>::zeros((2, 2, 2, 2)))).unwrap_err();
    assert!(matches!(zero, Error::NonFinite { .. }));
    assert!(Trg { chi: 0, steps: 2 }.ln_z_per_site(&ising_square(&Var::scalar(0.3)).unwrap()).is_err());
}
