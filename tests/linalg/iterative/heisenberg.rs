//! The spin-½ Heisenberg ring H = Σ_b J_b S_i·S_{i+1}, matrix-free in the whole space of 2^L states, against the Bethe ansatz.

use pullback::linalg::eigh;
use pullback::linalg::iterative::{EigenOptions, MatrixFree, Which, eigsh};
use pullback::prelude::*;

use super::support::close;

/// S_i·S_j = (exchange of the spins)/2 − 1/4.
fn ring(couplings: &Var<f64>) -> MatrixFree<Var<f64>, impl Fn(&Var<f64>, &Var<f64>) -> Var<f64> + Clone + Send + Sync + 'static> {
    let sites = couplings.len();
    let apply = move |j: &Var<f64>, x: &Var<f64>| {
        let mut y = x * (j.sum() * -0.25);
        for b in 0..sites {
            let exchanged = if b + 1 < sites {
                x.reshape(&[1 << b, 2, 2, 1 << (sites - b - 2)]).permute(&[0, 2, 1, 3])
            } else {
                x.reshape(&[2, 1 << (sites - 2), 2]).permute(&[2, 1, 0])
            };
            y += exchanged.ravel() * (j.get(&[b as isize]) * 0.5);
        }
        y
    };
    MatrixFree::new(1 << sites, couplings, apply).hermitian()
}

fn ground(couplings: &Var<f64>) -> Result<(Var<f64>, Var<f64>)> {
    let found = eigsh(&ring(couplings), 1, Which::Lowest, &EigenOptions::default())?;
    Ok((found.values.sum(), found.vectors.ravel()))
}

/// E₀ of the antiferromagnetic ring by the Bethe ansatz: L θ(2λ_j) = 2π I_j + Σ_k θ(λ_j − λ_k) with θ(x) = 2 arctan x and
/// I_j = −(M − 1)/2, …, (M − 1)/2 for M = L/2 rapidities; E = L/4 − Σ 2/(1 + 4λ²) (Bethe 1931; Karbach & Müller, cond-mat/9809162).
fn bethe(sites: usize) -> f64 {
    let m = sites / 2;
    let mut rapidities = vec![0.0f64; m];
    for _ in 0..2000 {
        let next = (0..m).map(|j| {
            let number = j as f64 - (m as f64 - 1.0) / 2.0;
            let scattering: f64 = rapidities.iter().map(|l| 2.0 * (rapidities[j] - l).atan()).sum();
            0.5 * ((2.0 * std::f64::consts::PI * number + scattering) / (2.0 * sites as f64)).tan()
        });
        rapidities = next.collect();
    }
    sites as f64 / 4.0 - rapidities.iter().map(|l| 2.0 / (1.0 + 4.0 * l * l)).sum::<f64>()
}

#[test]
fn ground_state_energies_are_those_of_the_bethe_ansatz() {
    assert!((bethe(4) + 2.0).abs() < 1e-13); // four spins: −2 by hand
    for sites in (4..=14).step_by(2) {
        let (e, _) = ground(&Var::ones(&[sites])).unwrap();
        let exact = bethe(sites);
        assert!((e.item() - exact).abs() < 1e-11 * sites as f64, "L = {sites}: {} and {exact}", e.item());
    }
}

/// ⟨S_0^z S_r^z⟩
fn correlation(psi: &Var<f64>, sites: usize, r: usize) -> Var<f64> {
    let sign = |state: usize| if ((state >> (sites - 1)) ^ (state >> (sites - 1 - r))) & 1 == 0 { 0.25 } else { -0.25 };
    let signs = Var::from((0..1usize << sites).map(sign).collect::<Vec<f64>>());
    (psi.square() * signs).sum()
}

#[test]
fn the_gradient_of_a_correlation_agrees_with_eigh() {
    let sites = 6;
    let couplings = Var::from([1.0, 0.9, 1.2, 1.1, 0.8, 1.05]);
    let dim = 1 << sites;
    let by_lanczos = grad(|j: &Var<f64>| Ok::<_, Error>(correlation(&ground(j)?.1, sites, 2)), &couplings).unwrap();
    let by_eigh = grad(
        |j: &Var<f64>| {
            use pullback::linalg::iterative::LinearOperator;
            let h = ring(j);
            let columns = (0..dim).map(|i| {
                let mut e = vec![0.0; dim];
                e[i] = 1.0;
                h.apply(j, &Var::from(e))
            });
            let h = stack(&columns.collect::<Result<Vec<_>>>()?, 1);
            let psi = eigh(&h)?.1.slice(ndarray::s![.., 0]);
            Ok::<_, Error>(correlation(&psi, sites, 2))
        },
        &couplings,
    )
    .unwrap();
    close(&by_lanczos, &by_eigh, 1e-9);
}

#[test]
fn sixteen_sites() {
    // 65,536 states. H scales with all couplings together and its ground state does not, so the gradient along J = 1 vanishes;
    // dE/dJ_b = ⟨S·S⟩ is the same on every bond; and the response of a correlation is symmetric under reflection of the ring
    let sites = 16;
    let ones = Var::ones(&[sites]);
    let observables = |j: &Var<f64>| {
        let (e, psi) = ground(j)?;
        Ok::<_, Error>((e, correlation(&psi, sites, 8)))
    };
    let ((e, _), pull) = vjp(observables, &ones).unwrap();
    assert!((e.item() - bethe(sites)).abs() < 1e-10, "{} and {}", e.item(), bethe(sites));
    let (one, zero) = (Var::scalar(1.0), Var::scalar(0.0));
    close(&pull.call(&(one.clone(), zero.clone())).unwrap(), &(&ones * (bethe(sites) / sites as f64)), 1e-9);
    let g = pull.call(&(zero, one)).unwrap();
    let g = g.as_slice();
    let largest = g.iter().fold(0.0f64, |m, g| m.max(g.abs()));
    assert!(largest > 1e-3);
    assert!(g.iter().sum::<f64>().abs() < 1e-8 * largest, "{g:?}");
    for b in 0..sites {
        // the reflection that exchanges sites 0 and 8 takes bond b to bond 7 − b
        assert!((g[b] - g[(23 - b) % sites]).abs() < 1e-7 * largest, "{g:?}");
    }
}
