//! Density-functional theory in one dimension: self-consistency as a fixed point, and what can be differentiated through it.

mod common;

use clap::Parser;
use common::plot::{Figure, Panel};
use common::{Options, Run};
use pullback::implicit::{FixedPointMethod, FixedPointOptions, fixed_point};
use pullback::linalg::eigh;
use pullback::optim::LevenbergMarquardt;
use pullback::prelude::*;
use pullback::special::k0;

/// Electrons on a line with the soft Coulomb interaction 1/√(x² + 1), in the local density approximation: the exact exchange of the
/// homogeneous gas, and its correlation as Helbig, Fuks, Casula, Verstraete, Marques, Tokatly and Rubio fitted it (Phys. Rev. A 83, 032503,
/// 2011). The Kohn–Sham potential is the fixed point of potential → orbitals → density → potential; its derivative comes from the fixed
/// point's equation. Through it go the forces on the nuclei and the polarisability, first and second derivatives of the energy, which are
/// compared with finite differences; and the fit of an exchange–correlation energy with free coefficients to densities alone: densities
/// that the true functional made, so that the potential found can be compared with it. Atomic units.
#[derive(Parser, serde::Serialize)]
struct Args {
    /// Grid points
    #[arg(long, default_value_t = 121)]
    points: usize,
    /// Distance of the grid points, in bohr
    #[arg(long, default_value_t = 0.2)]
    spacing: f64,
    /// Coefficients of the functional that is learned
    #[arg(long, default_value_t = 10)]
    coefficients: usize,
    #[command(flatten)]
    #[serde(flatten)]
    options: Options,
}

/// A molecule: charges and places of its nuclei, and electrons in pairs.
#[derive(Clone)]
struct Molecule {
    name: &'static str,
    charges: Vec<f64>,
    places: Vec<f64>,
    pairs: usize,
}

fn molecule(name: &'static str, nuclei: &[(f64, f64)], pairs: usize) -> Molecule {
    let (charges, places) = nuclei.iter().copied().unzip();
    Molecule { name, charges, places, pairs }
}

/// The grid with what does not change on it.
#[derive(Clone)]
struct Grid {
    x: Var<f64>,
    spacing: f64,
    /// −½ d²/dx² in the basis of sinc functions (Colbert and Miller, J. Chem. Phys. 96, 1982 (1992)): exponentially accurate.
    kinetic: Var<f64>,
    /// The potential at x_i of a unit of density at x_j.
    interaction: Var<f64>,
}

impl Grid {
    fn new(points: usize, spacing: f64) -> Self {
        let middle = 0.5 * (points as f64 - 1.0);
        let x = Var::from((0..points).map(|i| (i as f64 - middle) * spacing).collect::<Vec<_>>());
        let steps = |i: usize, j: usize| i as f64 - j as f64;
        let kinetic = ndarray::Array2::from_shape_fn((points, points), |(i, j)| {
            let sign = if (i + j) % 2 == 0 { 1.0 } else { -1.0 };
            (if i == j { std::f64::consts::PI.powi(2) / 6.0 } else { sign / steps(i, j).powi(2) }) / spacing.powi(2)
        });
        let interaction =
            ndarray::Array2::from_shape_fn((points, points), |(i, j)| spacing / ((steps(i, j) * spacing).powi(2) + 1.0).sqrt());
        Grid { x, spacing, kinetic: Var::from(&kinetic), interaction: Var::from(&interaction) }
    }

    fn integral(&self, f: &Var<f64>) -> Var<f64> {
        f.sum() * self.spacing
    }

    /// The attraction of the nuclei, and a field F x.
    fn external(&self, m: &Molecule, places: &Var<f64>, field: &Var<f64>) -> Var<f64> {
        let away = self.x.reshape(&[self.x.len(), 1]) - places;
        field * &self.x - ((away.square() + 1.0).powf(-0.5) * Var::from(m.charges.clone())).sum_axis(1)
    }

    /// The energies of the occupied orbitals in a potential, and the density of two electrons in each.
    fn orbitals(&self, potential: &Var<f64>, pairs: usize) -> Result<(Var<f64>, Var<f64>)> {
        let (energies, orbitals) = eigh(&(&self.kinetic + potential.diag(0)))?;
        let density = orbitals.slice(s![.., ..pairs]).square().sum_axis(1) * (2.0 / self.spacing);
        Ok((energies.slice(s![..pairs]), density))
    }
}

scalar_fn! {
    /// Correlation energy of the unpolarised gas per length, n ε_c(r_s) with r_s = 1/(2n).
    fn correlation(n) {
        let rs = 0.5 / n;
        let polynomial = 18.40 + 7.501 * rs * rs + 0.10185 * rs * rs * rs;
        -n * (rs + 0.012827 * rs * rs) * (1.0 + 1.511 * rs + 0.258 * rs.powf(4.424)).ln() / (2.0 * polynomial)
    }
}

/// The exchange–correlation energy per length as a function of the density and of coefficients.
#[derive(Clone)]
enum Functional {
    /// The local density approximation, with the nodes and weights of an integral over (0, 1); it has no coefficients.
    Lda { nodes: Var<f64>, weights: Var<f64> },
    /// −n Σ_k θ_k n/(n + b_k)
    Learned { scales: Var<f64> },
}

impl Functional {
    fn lda() -> Self {
        // Gauss and Legendre's rule in u with t = u⁴, for the logarithm of K₀ at 0
        let (nodes, weights) = gauss_legendre(24);
        let place = nodes.iter().map(|u| u.powi(4)).collect::<Vec<_>>();
        let weight = nodes.iter().zip(&weights).zip(&place).map(|((u, w), t)| w * 4.0 * u.powi(3) * (1.0 - t)).collect::<Vec<_>>();
        Functional::Lda { nodes: Var::from(place), weights: Var::from(weight) }
    }

    fn learned(coefficients: usize) -> Self {
        let scale = |k: usize| 0.02 * 400f64.powf(k as f64 / (coefficients - 1) as f64);
        Functional::Learned { scales: Var::from((0..coefficients).map(scale).collect::<Vec<_>>()) }
    }

    fn density(&self, theta: &Var<f64>, n: &Var<f64>) -> Var<f64> {
        let column = n.reshape(&[n.len(), 1]);
        match self {
            // the interaction in momentum space is 2K₀(q), so exchange is −(1/π²) ∫₀ᵃ (a − q) K₀(q) dq up to a = 2k_F = πn
            Functional::Lda { nodes, weights } => {
                let screened = k0(&(&column * nodes * std::f64::consts::PI)).matmul(weights);
                map(correlation, n) - n.square() * screened
            }
            Functional::Learned { scales } => -n * (&column / (&column + scales)).matmul(theta),
        }
    }

    fn energy(&self, theta: &Var<f64>, n: &Var<f64>) -> Var<f64> {
        self.density(theta, n).sum()
    }

    /// The derivative of the energy by the density, taken by the tape.
    fn potential(&self, theta: &Var<f64>, n: &Var<f64>) -> Result<Var<f64>> {
        grad(|n: &Var<f64>| self.energy(theta, n), n)
    }
}

/// Nodes and weights on (0, 1), by Newton's method on the Legendre polynomial.
fn gauss_legendre(order: usize) -> (Vec<f64>, Vec<f64>) {
    let legendre = |x: f64| {
        let (mut p0, mut p1) = (1.0, x);
        for k in 2..=order {
            (p0, p1) = (p1, ((2 * k - 1) as f64 * x * p1 - (k - 1) as f64 * p0) / k as f64);
        }
        (p1, order as f64 * (x * p1 - p0) / (x * x - 1.0))
    };
    let node = |i: usize| {
        let mut x = (std::f64::consts::PI * (i as f64 + 0.75) / (order as f64 + 0.5)).cos();
        for _ in 0..50 {
            let (p, slope) = legendre(x);
            x -= p / slope;
        }
        (0.5 * (1.0 + x), 1.0 / ((1.0 - x * x) * legendre(x).1.powi(2)))
    };
    (0..order).map(node).unzip()
}

/// A self-consistent solution.
struct Ground {
    energy: Var<f64>,
    density: Var<f64>,
    iterations: usize,
}

/// The Kohn–Sham ground state as a function of the nuclei's places, the field and the functional's coefficients.
fn ground(grid: &Grid, functional: &Functional, m: &Molecule, places: &Var<f64>, field: &Var<f64>, theta: &Var<f64>) -> Result<Ground> {
    let external = grid.external(m, places, field);
    let map = {
        let (grid, functional, pairs) = (grid.clone(), functional.clone(), m.pairs);
        move |(external, theta): &(Var<f64>, Var<f64>), v: &Var<f64>| -> Result<Var<f64>> {
            let (_, n) = grid.orbitals(&(external + v), pairs)?;
            Ok(grid.interaction.matmul(&n) + functional.potential(theta, &n)?)
        }
    };
    let options =
        FixedPointOptions { method: FixedPointMethod::Anderson { memory: 8, damping: 0.5 }, tolerance: 1e-12, ..Default::default() };
    let bare = Var::zeros(&[grid.x.len()]);
    let found = fixed_point(map, &(external.clone(), theta.clone()), &bare, &options)?;
    let (energies, density) = grid.orbitals(&(&external + &found.x), m.pairs)?;
    let hartree = grid.interaction.matmul(&density);
    let electronic =
        energies.sum() * 2.0 - grid.integral(&(&density * (&found.x - hartree * 0.5))) + functional.energy(theta, &density) * grid.spacing;
    let mut energy = electronic - field * (places * Var::from(m.charges.clone())).sum();
    for i in 0..m.charges.len() {
        for j in 0..i {
            let distance = places.get(&[i as isize]) - places.get(&[j as isize]);
            energy += m.charges[i] * m.charges[j] / (distance.square() + 1.0).sqrt();
        }
    }
    Ok(Ground { energy, density, iterations: found.report.iterations })
}

/// Forces and the polarisability of a molecule, against finite differences and the theorem of Hellmann and Feynman.
fn response(grid: &Grid, functional: &Functional, m: &Molecule, run: &mut Run) -> common::Outcome {
    let none = Var::zeros(&[0]);
    let solve = |places: &Var<f64>, field: &Var<f64>| ground(grid, functional, m, places, field, &none);
    let energy = |places: &[f64], field: f64| Ok::<_, Error>(solve(&Var::from(places), &Var::scalar(field))?.energy.item());
    let at = Var::from(m.places.clone());
    let off = Var::scalar(0.0);
    let state = solve(&at, &off)?;
    run.result("energy", state.energy.item()).at("molecule", m.name);
    run.result("iterations", state.iterations as f64).at("molecule", m.name);

    let slope = grad(|places: &Var<f64>| Ok::<_, Error>(solve(places, &off)?.energy), &at)?;
    // four points, exact to the fourth order
    let difference = |f: &dyn Fn(f64) -> Result<f64>, h: f64| -> Result<f64> {
        Ok((8.0 * (f(h)? - f(-h)?) - (f(2.0 * h)? - f(-2.0 * h)?)) / (12.0 * h))
    };
    for i in 0..m.places.len() {
        let moved = |by: f64| {
            let mut places = m.places.clone();
            places[i] += by;
            energy(&places, 0.0)
        };
        let reference = -difference(&moved, 2e-3)?;
        let force = -slope.as_slice()[i];
        run.result("force", force).at("molecule", m.name).at("nucleus", i).reference(reference, "finite differences").within(1e-8);
        // the nucleus in the field of the electrons and of the other nuclei
        let pull = |charge: f64, away: f64| charge * away / (away * away + 1.0).powf(1.5);
        let electrons: f64 = grid
            .x
            .as_slice()
            .iter()
            .zip(state.density.as_slice())
            .map(|(x, n)| n * grid.spacing * pull(m.charges[i], x - m.places[i]))
            .sum();
        let nuclei: f64 = (0..m.places.len()).map(|j| m.charges[j] * pull(m.charges[i], m.places[i] - m.places[j])).sum();
        run.result("force_hellmann_feynman", electrons + nuclei)
            .at("molecule", m.name)
            .at("nucleus", i)
            .reference(force, "the gradient")
            .within(1e-8);
    }

    let by_field = |field: &Var<f64>| Ok::<_, Error>(solve(&at, field)?.energy);
    let alpha = -hessian(by_field, &0.0)?.item();
    let dipole = |field: f64| grad(by_field, &field);
    let by_dipoles = -difference(&dipole, 3e-4)?;
    let h = 2e-3;
    let [e0, e1, e2] = [0.0, h, 2.0 * h].map(|f| Ok::<_, Error>(energy(&m.places, f)? + energy(&m.places, -f)?));
    let by_energies = -(16.0 * e1? - e2? - 15.0 * e0?) / (12.0 * h * h);
    run.result("polarisability", alpha)
        .at("molecule", m.name)
        .reference(by_dipoles, "finite differences of the dipole")
        .within(1e-7 * alpha);
    run.result("polarisability_from_energies", by_energies)
        .at("molecule", m.name)
        .reference(alpha, "the second derivative")
        .within(1e-5 * alpha);
    Ok(())
}

/// Learns a functional from densities, and says how near it is to the one that they came from.
fn learn(grid: &Grid, exact: &Functional, args: &Args, run: &mut Run) -> common::Outcome<Vec<Panel>> {
    let (none, off) = (Var::zeros(&[0]), Var::scalar(0.0));
    let train = [
        molecule("H2, R = 1.6", &[(1.0, -0.8), (1.0, 0.8)], 1),
        molecule("H2, R = 4", &[(1.0, -2.0), (1.0, 2.0)], 1),
        molecule("He", &[(2.0, 0.0)], 1),
        molecule("Be", &[(4.0, 0.0)], 2),
    ];
    let test = [molecule("LiH, R = 3", &[(3.0, -1.5), (1.0, 1.5)], 2), molecule("He–He, R = 3", &[(2.0, -1.5), (2.0, 1.5)], 2)];
    let model = Functional::learned(args.coefficients);
    let with =
        |functional: &Functional, m: &Molecule, theta: &Var<f64>| ground(grid, functional, m, &Var::from(m.places.clone()), &off, theta);
    let target = train.iter().map(|m| Ok(with(exact, m, &none)?.density)).collect::<Result<Vec<_>>>()?;

    let misfit = |theta: &Var<f64>| -> Result<Var<f64>> {
        let apart = train.iter().zip(&target).map(|(m, n)| Ok(with(&model, m, theta)?.density - n)).collect::<Result<Vec<_>>>()?;
        Ok(concatenate(&apart, 0) * grid.spacing.sqrt())
    };
    let start = ndarray::Array1::from_elem(args.coefficients, 0.05);
    let mut theta = start.clone();
    let mut trace = run.trace(&["step", "misfit"])?;
    let mut curve = vec![(0.0, misfit(&Var::from(&start))?.square().sum().item().sqrt())];
    let mut search = LevenbergMarquardt::default().max_iterations(1);
    search.gradient_tolerance = 1e-13;
    let steps = if args.options.smallest { 8 } else { 40 };
    for step in common::progress("learning", steps) {
        let found = search.minimize(misfit, &theta)?;
        theta = found.x;
        curve.push(((step + 1) as f64, (2.0 * found.value).sqrt()));
        trace.row(&[(step + 1) as f64, (2.0 * found.value).sqrt()])?;
        if found.converged {
            break;
        }
    }
    let (start, theta) = (Var::from(start), Var::from(theta));
    // the potential over the densities that the training has seen, where a density fixes it up to a constant
    let largest = target.iter().map(|n| n.max().item()).fold(0.0, f64::max);
    let densities = Var::from((1..=200).map(|i| largest * f64::from(i) / 200.0).collect::<Vec<_>>());
    let (reference, found) = (exact.potential(&none, &densities)?, model.potential(&theta, &densities)?);
    let constant = (&reference - &found).mean().item();
    let found = found + constant;

    let bound = if args.options.smallest { 10.0 } else { 1.0 };
    run.result("density_error_training", curve.last().map_or(f64::NAN, |c| c.1)).within(5e-4 * bound);
    run.result("potential_error", (&reference - &found).square().mean().item().sqrt())
        .reference(0.0, "v_xc(n) of the local density approximation, root mean square")
        .within(2e-3 * bound);
    let distance = |a: &Var<f64>, b: &Var<f64>| grid.integral(&(a - b).square()).item().sqrt();
    let mut panels = Vec::new();
    for m in &test {
        let (reference, before, after) = (with(exact, m, &none)?, with(&model, m, &start)?, with(&model, m, &theta)?);
        run.result("density_error_before", distance(&before.density, &reference.density)).at("molecule", m.name);
        run.result("density_error", distance(&after.density, &reference.density)).at("molecule", m.name).within(1e-3 * bound);
        // every electron has the constant
        run.result("energy_learned", after.energy.item() + constant * 2.0 * m.pairs as f64)
            .at("molecule", m.name)
            .reference(reference.energy.item(), "local density approximation")
            .within(1e-3 * bound);
        let on = |n: &Var<f64>| grid.x.as_slice().iter().copied().zip(n.as_slice().iter().copied()).collect::<Vec<_>>();
        panels.push(
            Panel::new("x (bohr)", "density")
                .title(m.name)
                .line("reference", &on(&reference.density))
                .dashed("learned", &on(&after.density))
                .line("before", &on(&before.density)),
        );
    }
    let on = |v: &Var<f64>| densities.as_slice().iter().copied().zip(v.as_slice().iter().copied()).collect::<Vec<_>>();
    panels.push(
        Panel::new("density", "exchange–correlation potential (hartree)").line("reference", &on(&reference)).dashed("learned", &on(&found)),
    );
    panels.push(Panel::new("step", "misfit of the densities").log_y().line("Levenberg–Marquardt", &curve));
    Ok(panels)
}

fn main() -> common::Outcome {
    let mut args = Args::parse();
    if args.options.smallest {
        (args.points, args.spacing, args.coefficients) = (61, 0.32, 6);
    }
    if !(args.points > 10 && args.spacing > 0.0 && args.coefficients > 1) {
        return Err("the grid needs more than ten points at a positive distance, the functional two coefficients".into());
    }
    let mut run = Run::start("kohn_sham", &args, &args.options)?;
    let (grid, lda) = (Grid::new(args.points, args.spacing), Functional::lda());
    // one electron feels no other
    let hydrogen = molecule("H", &[(1.0, 0.0)], 1);
    let alone = grid.orbitals(&grid.external(&hydrogen, &Var::from([0.0]), &Var::scalar(0.0)), 1)?.0.sum().item();
    run.result("energy_hydrogen", alone).reference(-0.6698, "Javanainen, Eberly and Su 1988").within(5e-5);
    let lithium_hydride = molecule("LiH, R = 3", &[(3.0, -1.5), (1.0, 1.5)], 2);
    response(&grid, &lda, &lithium_hydride, &mut run)?;
    let mut figure = Figure::new("Kohn–Sham theory in one dimension").columns(2);
    for panel in learn(&grid, &lda, &args, &mut run)? {
        figure = figure.panel(panel);
    }
    figure.save(run.out(), "kohn_sham")?;
    run.finish()
}
