//! The hydrogen molecule: from Gaussian orbitals to energies and forces on a quantum computer.

mod common;

use clap::Parser;
use common::plot::{Figure, Panel};
use common::{Options, Run};
use num_complex::Complex;
use pullback::circuit::{Circuit, FermionOperator, Ladder, PauliString, PauliSum, StateVector, excitations, unitary_coupled_cluster};
use pullback::linalg::eigvalsh;
use pullback::optim::{Lbfgs, LbfgsOptions};
use pullback::prelude::*;
use pullback::special::erf;

/// The hydrogen molecule in the minimal basis STO-3G on four qubits. The integrals over Gaussians are closed forms (Szabo and Ostlund, appendix
/// A); symmetry gives the two molecular orbitals; the Jordan–Wigner transformation gives a Pauli sum; unitary coupled cluster with one
/// double excitation gives the ground state, whose energy is compared with exact diagonalisation along the bond. All is one
/// differentiable function of the bond length, so the gradient of the energy is the force, and Newton's method finds the equilibrium.
#[derive(Parser, serde::Serialize)]
struct Args {
    /// Bond lengths of the curve
    #[arg(long, default_value_t = 40)]
    points: usize,
    #[command(flatten)]
    #[serde(flatten)]
    options: Options,
}

/// One bohr in Å (CODATA 2010, which the published coefficients use).
const BOHR: f64 = 0.52917721092;
/// STO-3G for hydrogen: exponents and coefficients (Hehre, Stewart and Pople, J. Chem. Phys. 51, 2657 (1969), with ζ = 1.24).
const STO_3G: [(f64, f64); 3] = [(3.42525091, 0.15432897), (0.62391373, 0.53532814), (0.16885540, 0.44463454)];

/// F₀(t) = ∫₀¹ exp(−ts²) ds = ½ √(π/t) erf √t, the Boys function.
fn boys(t: &Var<f64>) -> Var<f64> {
    if t.item() < 1e-6 {
        return 1.0 - t * (1.0 / 3.0) + t.square() * 0.1;
    }
    let root = t.sqrt();
    erf(&root) / root * (0.5 * std::f64::consts::PI.sqrt())
}

/// A primitive: exponent, coefficient with its norm, and on which of the two nuclei (at 0 and r) it sits.
type Primitive = (f64, f64, usize);

fn primitives(nucleus: usize) -> [Primitive; 3] {
    STO_3G.map(|(a, c)| (a, c * (2.0 * a / std::f64::consts::PI).powf(0.75), nucleus))
}

/// The product of two primitives is one at x·r: p, x, and its prefactor exp(−μ d²r²).
fn product(a: Primitive, b: Primitive, r: &Var<f64>) -> (f64, f64, Var<f64>) {
    let p = a.0 + b.0;
    let d = (a.2 as f64 - b.2 as f64).powi(2);
    (p, (a.0 * a.2 as f64 + b.0 * b.2 as f64) / p, (r.square() * (-a.0 * b.0 / p * d)).exp() * (a.1 * b.1))
}

fn sum_of_pairs(i: usize, j: usize, f: &dyn Fn(Primitive, Primitive) -> Var<f64>) -> Var<f64> {
    let mut sum = Var::scalar(0.0);
    for a in primitives(i) {
        for b in primitives(j) {
            sum += f(a, b);
        }
    }
    sum
}

fn overlap(i: usize, j: usize, r: &Var<f64>) -> Var<f64> {
    sum_of_pairs(i, j, &|a, b| {
        let (p, _, k) = product(a, b, r);
        k * (std::f64::consts::PI / p).powf(1.5)
    })
}

/// Kinetic energy and attraction by both nuclei.
fn one_electron(i: usize, j: usize, r: &Var<f64>) -> Var<f64> {
    sum_of_pairs(i, j, &|a, b| {
        let (p, x, k) = product(a, b, r);
        let mu = a.0 * b.0 / p;
        let d = (a.2 as f64 - b.2 as f64).powi(2);
        let kinetic = &k * (mu * (std::f64::consts::PI / p).powf(1.5)) * (3.0 - r.square() * (2.0 * mu * d));
        let attraction = boys(&(r.square() * (p * x * x))) + boys(&(r.square() * (p * (1.0 - x).powi(2))));
        kinetic - k * attraction * (2.0 * std::f64::consts::PI / p)
    })
}

/// (ij|kl) in chemists' notation.
fn repulsion(i: usize, j: usize, k: usize, l: usize, r: &Var<f64>) -> Var<f64> {
    sum_of_pairs(i, j, &|a, b| {
        let (p, x, u) = product(a, b, r);
        let inner = sum_of_pairs(k, l, &|c, d| {
            let (q, y, v) = product(c, d, r);
            let t = r.square() * (p * q / (p + q) * (x - y).powi(2));
            v * boys(&t) * (2.0 * std::f64::consts::PI.powf(2.5) / (p * q * (p + q).sqrt()))
        });
        u * inner
    })
}

/// The molecule's Pauli strings, and their coefficients as a function of the bond length.
struct Molecule {
    sum: PauliSum,
    /// Coefficients from integrals: [strings, integrals].
    map: Var<f64>,
}

impl Molecule {
    /// The operators that the integrals (h_gg, h_uu, (gg|gg), (uu|uu), (gg|uu), (gu|gu), 1/r) multiply; modes gα, gβ, uα, uβ.
    fn new() -> Result<Molecule> {
        let one = Complex::new(1.0, 0.0);
        let mut operators = vec![FermionOperator::default(); 7];
        for spin in 0..2 {
            for orbital in 0..2 {
                let m = 2 * orbital + spin;
                operators[orbital].add(one, &[Ladder::Create(m), Ladder::Annihilate(m)]);
            }
        }
        // ½ Σ (pq|rs) a†_pσ a†_rτ a_sτ a_qσ; the integrals with an odd number of u vanish
        for index in 0..16usize {
            let [p, q, r, s] = std::array::from_fn(|k| index >> k & 1);
            let which = match (p, q, r, s) {
                (0, 0, 0, 0) => 2,
                (1, 1, 1, 1) => 3,
                _ if p == q && r == s => 4,
                _ if p != q && r != s => 5,
                _ => continue,
            };
            for (sigma, tau) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let product = [
                    Ladder::Create(2 * p + sigma),
                    Ladder::Create(2 * r + tau),
                    Ladder::Annihilate(2 * s + tau),
                    Ladder::Annihilate(2 * q + sigma),
                ];
                operators[which].add(one * 0.5, &product);
            }
        }
        operators[6].add(one, &[]);
        let sums: Vec<PauliSum> = operators.iter().map(FermionOperator::jordan_wigner).collect::<Result<_>>()?;
        let mut strings: Vec<PauliString> = sums.iter().flat_map(|s| s.strings().to_vec()).collect();
        strings.sort();
        strings.dedup();
        let coefficient = |p: &PauliString, sum: &PauliSum| sum.terms().find(|(_, q)| p == q).map_or(0.0, |(c, _)| c);
        let map = ndarray::Array2::from_shape_fn((strings.len(), 7), |(t, k)| coefficient(&strings[t], &sums[k]));
        Ok(Molecule { sum: PauliSum::new(strings.into_iter().map(|p| (1.0, p)))?, map: Var::from(map) })
    }

    /// The coefficients at bond length r in bohr; differentiable.
    fn coefficients(&self, r: &Var<f64>) -> Var<f64> {
        let s = overlap(0, 1, r);
        let (h11, h12) = (one_electron(0, 0, r), one_electron(0, 1, r));
        // (11|11), (11|22), (11|12), (12|12)
        let (a, b, c, d) = (repulsion(0, 0, 0, 0, r), repulsion(0, 0, 1, 1, r), repulsion(0, 0, 0, 1, r), repulsion(0, 1, 0, 1, r));
        // orbitals (χ₁ ± χ₂)/√(2 ± 2s)
        let (g, u) = (1.0 + &s, 1.0 - &s);
        let integrals = [
            (&h11 + &h12) / &g,
            (h11 - h12) / &u,
            (&a + &b + &c * 4.0 + &d * 2.0) * 0.5 / g.square(),
            (&a + &b - c * 4.0 + &d * 2.0) * 0.5 / u.square(),
            (&a + &b - d * 2.0) * 0.5 / (&g * &u),
            (a - b) * 0.5 / (g * u),
            r.reciprocal(),
        ];
        self.map.matmul(stack(&integrals, 0))
    }

    /// The Pauli sum with numbers.
    fn at(&self, r: f64) -> Result<PauliSum> {
        let c = self.coefficients(&Var::scalar(r));
        PauliSum::new(c.as_slice().iter().copied().zip(self.sum.strings().iter().copied()))
    }
}

/// The lowest eigenvalue, from the matrix.
fn exact(h: &PauliSum) -> Result<f64> {
    let columns = h.apply(&StateVector::<f64>::unnormalized(Var::eye(16))?)?;
    Ok(eigvalsh(&columns)?.min().item())
}

/// The lowest ⟨H⟩ of the circuit, and its angles.
fn lowest(circuit: &Circuit, h: &PauliSum) -> Result<(f64, Var<f64>)> {
    let options = LbfgsOptions { gradient_tolerance: 1e-10, max_iterations: 100, ..Default::default() };
    let found =
        Lbfgs::new(options).minimize(|theta: &Var<f64>| circuit.state(theta)?.expectation(h), &Var::zeros(&[circuit.parameters()]))?;
    Ok((found.value, found.x))
}

fn main() -> common::Outcome {
    let mut args = Args::parse();
    if args.options.smallest {
        args.points = 6;
    }
    let mut run = Run::start("h2", &args, &args.options)?;
    let mut trace = run.trace(&["angstrom", "hartree_fock", "coupled_cluster", "exact", "force"])?;
    let molecule = Molecule::new()?;
    let circuit = unitary_coupled_cluster(4, 2, &excitations(4, 2)?)?;

    // the published Hamiltonian
    let published: PauliSum = "-0.098863977458 I + 0.171197749380 Z0 + 0.171197749380 Z1 - 0.222785926188 Z2 - 0.222785926188 Z3 \
        + 0.168622191960 Z0 Z1 + 0.120544821973 Z0 Z2 + 0.120544821973 Z1 Z3 + 0.165867023875 Z0 Z3 + 0.165867023875 Z1 Z2 \
        + 0.174348441083 Z2 Z3 + 0.045322201902 Y0 X1 X2 Y3 - 0.045322201902 Y0 Y1 X2 X3 - 0.045322201902 X0 X1 Y2 Y3 \
        + 0.045322201902 X0 Y1 Y2 X3"
        .parse()?;
    let here = molecule.at(0.7414 / BOHR)?;
    let value = |h: &PauliSum, p: &PauliString| h.terms().find(|(_, q)| p == q).map_or(0.0, |(c, _)| c);
    let off = published.terms().map(|(c, p)| (c - value(&here, &p)).abs()).fold(0.0, f64::max);
    run.result("largest_difference_of_coefficients", off).at("angstrom", 0.7414).reference(0.0, "STO-3G, Jordan–Wigner").within(1e-7);
    let (energy, angles) = lowest(&circuit, &published)?;
    let reference = -1.1372701748842;
    run.result("energy", energy).at("angstrom", 0.7414).reference(reference, "exact diagonalisation").within(1e-10);
    run.result("double_excitation_angle", angles.get(&[2]).item()).at("angstrom", 0.7414);
    let start = StateVector::<f64>::basis(4, 0b0011)?;
    run.result("hartree_fock_energy", start.expectation(&published)?.item())
        .at("angstrom", 0.7414)
        .reference(-1.1166843872, "Hartree–Fock, STO-3G")
        .within(1e-9);
    run.result("energy_from_own_integrals", lowest(&circuit, &here)?.0).at("angstrom", 0.7414).reference(reference, "STO-3G").within(1e-7);

    // the energy as a function of the bond length; at the minimum the angles' derivatives vanish, so that the rest is the force
    let energy_at = |r: &Var<f64>, angles: &Var<f64>| circuit.state(angles)?.expectation_with(&molecule.sum, &molecule.coefficients(r));
    let slope = |r: f64| -> Result<(f64, f64)> {
        let (e, angles) = lowest(&circuit, &molecule.at(r)?)?;
        Ok((e, grad(|r: &Var<f64>| energy_at(r, &angles), &Var::scalar(r))?.item()))
    };
    let (mut hf, mut cc, mut fci, mut forces) = (vec![], vec![], vec![], vec![]);
    let mut worst = 0.0f64;
    for k in 0..args.points {
        let x = 0.3 + 2.7 * k as f64 / (args.points - 1).max(1) as f64;
        let h = molecule.at(x / BOHR)?;
        let (e, slope) = slope(x / BOHR)?;
        let row = [x, start.expectation(&h)?.item(), e, exact(&h)?, -slope / BOHR];
        worst = worst.max((row[2] - row[3]).abs());
        trace.row(&row)?;
        [&mut hf, &mut cc, &mut fci, &mut forces].into_iter().zip(&row[1..]).for_each(|(list, y)| list.push((x, *y)));
    }
    run.result("largest_error_of_curve", worst).at("points", args.points).reference(0.0, "exact diagonalisation").within(1e-9);
    run.result("energy", lowest(&circuit, &molecule.at(0.735 / BOHR)?)?.0)
        .at("angstrom", 0.735)
        .reference(-1.137306035753, "exact diagonalisation, STO-3G")
        .within(1e-7);
    // far apart: two atoms of the same basis, each −0.46658185
    let atoms = 2.0 * one_electron(0, 0, &Var::scalar(1e10)).item();
    let far = lowest(&circuit, &molecule.at(40.0)?)?.0;
    run.result("energy_of_atoms", far).at("angstrom", 40.0 * BOHR).reference(atoms, "two atoms").within(1e-8);

    // the force against a difference of exact energies, and the bond length without force, by the secant method
    let step = 1e-4;
    let difference = (exact(&molecule.at(1.4 + step)?)? - exact(&molecule.at(1.4 - step)?)?) / (2.0 * step);
    run.result("slope", slope(1.4)?.1).at("bohr", 1.4).reference(difference, "difference of exact energies").within(1e-7);
    let (mut a, mut b) = (1.3, 1.45);
    let (mut fa, mut fb) = (slope(a)?.1, slope(b)?.1);
    for _ in 0..20 {
        let next = b - fb * (b - a) / (fb - fa);
        (a, fa) = (b, fb);
        (b, fb) = (next, slope(next)?.1);
        if fb.abs() < 1e-9 {
            break;
        }
    }
    run.result("bond_length", b * BOHR).at("unit", "angstrom");
    run.result("force_at_bond_length", fb).within(1e-8);

    Figure::new("The hydrogen molecule in STO-3G")
        .panel(
            Panel::new("bond length / Å", "energy / hartree")
                .dashed("Hartree–Fock", &hf)
                .points("coupled cluster", &cc)
                .line("exact", &fci),
        )
        .panel(Panel::new("bond length / Å", "force / (hartree/Å)").line("−dE/dr from the tape", &forces).vertical("equilibrium", b * BOHR))
        .columns(2)
        .save(run.out(), "h2")?;
    run.finish()
}
