use pullback::Error;
use pullback::physics::ising::*;
use std::f64::consts::{LN_2, PI};

fn close(what: &str, a: f64, b: f64, tolerance: f64) {
    assert!((a - b).abs() <= tolerance, "{what}: {a} and {b} differ by {:e}, more than {tolerance:e}", (a - b).abs());
}

fn agree(what: &str, a: Thermodynamics, b: Thermodynamics, tolerance: f64) {
    close(&format!("ln Z, {what}"), a.ln_z_per_site, b.ln_z_per_site, tolerance);
    close(&format!("energy, {what}"), a.energy_per_site, b.energy_per_site, tolerance);
    close(
        &format!("specific heat, {what}"),
        a.specific_heat_per_site,
        b.specific_heat_per_site,
        tolerance * (1.0 + a.specific_heat_per_site),
    );
}

/// Energy and specific heat for equal couplings by complete elliptic integrals (Onsager 1944, eqs. 116 and 117), through the
/// arithmetic-geometric mean.
fn elliptic(beta: f64) -> (f64, f64) {
    let (sinh, cosh, tanh) = ((2.0 * beta).sinh(), (2.0 * beta).cosh(), (2.0 * beta).tanh());
    let complement = (sinh * sinh - 1.0) / (cosh * cosh);
    let k = 2.0 * sinh / (cosh * cosh);
    let (mut a, mut b, mut sum, mut power) = (1.0, complement.abs(), 0.5 * k * k, 1.0);
    while (a - b).abs() > 1e-15 * a {
        let c = 0.5 * (a - b);
        (a, b) = (0.5 * (a + b), (a * b).sqrt());
        sum += power * c * c;
        power *= 2.0;
    }
    let first = PI / (2.0 * a);
    let second = first * (1.0 - sum);
    let energy = -(1.0 + 2.0 / PI * complement * first) / tanh;
    let bracket = first - second - (1.0 - tanh * tanh) * (0.5 * PI + complement * first);
    (energy, 4.0 / PI * (beta / tanh) * (beta / tanh) * bracket)
}

#[test]
fn infinite_lattice_has_the_published_values() {
    for (beta, ln_z, energy, heat) in [
        (0.40, 0.879363820774948, -1.10607920374579, 0.861698356830764),
        (0.44, 0.928728540456888, -1.40222696003142, 2.88968709237659),
        (0.50, 1.02579281269492, -1.74556457531255, 0.724871448601574),
    ] {
        let exact = onsager(beta, 1.0);
        close("ln Z", exact.ln_z_per_site, ln_z, 3e-15);
        close("energy", exact.energy_per_site, energy, 6e-15);
        close("specific heat", exact.specific_heat_per_site, heat, 1e-14);
    }
    let beta = critical_beta(1.0);
    close("critical β", beta, 0.440686793509772, 5e-16);
    let critical = onsager(beta, 1.0);
    close("critical free energy", -critical.ln_z_per_site / beta, -2.109651144608207, 2e-15);
    close("critical energy", critical.energy_per_site, -std::f64::consts::SQRT_2, 1e-14);
}

#[test]
fn integral_agrees_with_elliptic_integrals() {
    let critical = critical_beta(1.0);
    let betas = [0.05, 0.2, 0.35, 0.43, critical * (1.0 - 1e-4), critical * (1.0 + 1e-8), 0.45, 0.6, 1.0, 2.0];
    for beta in betas {
        let (energy, heat) = elliptic(beta);
        let exact = onsager(beta, 1.0);
        close(&format!("energy at {beta}"), exact.energy_per_site, energy, 2e-14);
        // next to the transition C ~ ln|β − β_c| inherits the rounding of β − β_c
        let tolerance = 1e-12 + 1e-15 / (beta - critical).abs();
        close(&format!("specific heat at {beta}"), exact.specific_heat_per_site, heat, tolerance);
    }
}

#[test]
fn torus_agrees_with_enumeration() {
    let sizes = [(2, 2), (3, 4), (4, 4), (4, 3), (1, 5), (6, 1), (1, 1), (2, 7), (3, 3), (5, 3)];
    for (lx, ly) in sizes {
        for couplings in [(1.0, 1.0), (1.0, 0.3), (0.2, 1.5), (0.0, 1.0), (1.0, 0.0)] {
            for beta in [0.0, 0.1, 0.4, critical_beta(1.0), critical_beta((1.0, 0.3)), 0.9, 3.0] {
                let what = format!("{lx} × {ly}, J = {couplings:?}, β = {beta}");
                agree(&what, kaufman(lx, ly, beta, couplings).unwrap(), enumerate(lx, ly, beta, couplings).unwrap(), 2e-13);
            }
        }
    }
}

#[test]
fn antiferromagnet_is_gauged_away_on_even_lengths_and_refused_on_odd_ones() {
    for couplings in [(-1.0, 1.0), (1.0, -0.5), (-1.0, -1.0)] {
        agree("4 × 4", kaufman(4, 4, 0.5, couplings).unwrap(), enumerate(4, 4, 0.5, couplings).unwrap(), 1e-13);
        agree("4 × 4, β < 0", kaufman(4, 4, -0.5, couplings).unwrap(), enumerate(4, 4, -0.5, couplings).unwrap(), 1e-13);
    }
    agree("3 along y", kaufman(4, 3, 0.5, (-1.0, 1.0)).unwrap(), enumerate(4, 3, 0.5, (-1.0, 1.0)).unwrap(), 1e-13);
    for refused in [kaufman(3, 4, 0.5, (-1.0, 1.0)), kaufman(4, 3, -0.5, 1.0), kaufman(0, 3, 0.5, 1.0), enumerate(5, 5, 0.5, 1.0)] {
        assert!(matches!(refused, Err(Error::Argument { .. })), "{refused:?}");
    }
    assert!(kaufman(3, 3, f64::NAN, 1.0).is_err() && onsager(f64::NAN, 1.0).ln_z_per_site.is_nan());
}

#[test]
fn large_torus_approaches_the_infinite_lattice() {
    for couplings in [(1.0, 1.0), (1.0, 0.6), (0.5, 1.1)] {
        let disordered = 0.6 * critical_beta(couplings);
        agree("disordered", kaufman(96, 80, disordered, couplings).unwrap(), onsager(disordered, couplings), 1e-13);
        let ordered = 1.5 * critical_beta(couplings);
        let mut torus = kaufman(96, 80, ordered, couplings).unwrap();
        // two phases
        torus.ln_z_per_site -= LN_2 / (96.0 * 80.0);
        agree("ordered", torus, onsager(ordered, couplings), 1e-13);
    }
    for beta in [200.0, 500.0] {
        for couplings in [(1.0, 1.0), (1.0, 1e-3), (1e-3, 1.0), (1.0, 0.0)] {
            let torus = kaufman(6, 6, beta, couplings).unwrap();
            let infinite = onsager(beta, couplings);
            close("frozen energy", torus.energy_per_site / infinite.energy_per_site, 1.0, 0.2);
            assert!(torus.ln_z_per_site.is_finite() && infinite.ln_z_per_site.is_finite());
            assert!(torus.specific_heat_per_site >= 0.0 && infinite.specific_heat_per_site.is_finite());
        }
    }
}

#[test]
fn torus_is_the_same_from_both_sides() {
    for beta in [0.2, 0.43, critical_beta(1.0), 0.6] {
        agree("12 × 21", kaufman(12, 21, beta, 1.0).unwrap(), kaufman(21, 12, beta, 1.0).unwrap(), 1e-13);
    }
}

#[test]
fn critical_torus_has_the_universal_amplitude() {
    // N (ln Z/N − ln Z/N at infinite size) → ln (ϑ₂ + ϑ₃ + ϑ₄)/2η at modulus i (Ferdinand and Fisher, Phys. Rev. 185, 832, 1969)
    let nome = (-PI).exp();
    let sum = |f: &dyn Fn(i32) -> f64| (0..8).map(f).sum::<f64>();
    let theta2 = 2.0 * sum(&|n| nome.powf((n as f64 + 0.5).powi(2)));
    let theta3 = 2.0 * sum(&|n| nome.powi(n * n)) - 1.0;
    let theta4 = 2.0 * sum(&|n| (-1f64).powi(n) * nome.powi(n * n)) - 1.0;
    let eta = nome.powf(1.0 / 12.0) * (1..12).map(|n| 1.0 - nome.powi(2 * n)).product::<f64>();
    let expected = ((theta2 + theta3 + theta4) / (2.0 * eta)).ln();
    let (beta, l) = (critical_beta(1.0), 512);
    let difference = kaufman(l, l, beta, 1.0).unwrap().ln_z_per_site - onsager(beta, 1.0).ln_z_per_site;
    close("amplitude", difference * (l * l) as f64, expected, 1e-5);
}

#[test]
fn magnetisation_follows_its_low_temperature_series() {
    // 1 − 2u² − 8u³ − 34u⁴ − 152u⁵ − 714u⁶ − …, u = e^{−4K} (Domb, Adv. Phys. 9, 149, 1960)
    let u = (-4f64).exp();
    let series = 1.0 - u * u * (2.0 + u * (8.0 + u * (34.0 + u * (152.0 + u * 714.0))));
    close("at β = 1", spontaneous_magnetisation(1.0, 1.0), series, 4000.0 * u.powi(7));
    assert_eq!(spontaneous_magnetisation(0.44, 1.0), 0.0);
    assert_eq!(spontaneous_magnetisation(400.0, 1.0), 1.0);
    // the exponent 1/8
    let at = |t: f64| spontaneous_magnetisation(critical_beta((1.0, 0.4)) * (1.0 + t), (1.0, 0.4));
    close("exponent", (at(1e-6) / at(1e-8)).ln() / 100f64.ln(), 0.125, 1e-6);
}

#[test]
fn transition_of_unequal_couplings_satisfies_onsagers_condition() {
    for couplings in [(1.0, 0.3), (0.01, 2.0), (-1.0, 0.7)] {
        let (x, y): (f64, f64) = couplings;
        let beta = critical_beta(couplings);
        close("sinh sinh", (2.0 * beta * x).sinh().abs() * (2.0 * beta * y).sinh(), 1.0, 1e-13);
    }
    assert_eq!(critical_beta((1.0, 0.0)), f64::INFINITY);
}
