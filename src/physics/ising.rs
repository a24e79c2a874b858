//! Exact solutions of the Ising model on the square lattice, H = −J_x Σ s s′ − J_y Σ s s′ over the bonds along x and along y.
//!
//! With K = βJ, S_i = sinh 2K_i, C_i = cosh 2K_i, and for a wave number θ along y
//!
//! q(θ) = C₁C₂ − S₁ − S₂ cos θ, p = q + 2S₁, f(θ) = 2 ln ½(√p + √q), γ(θ) = 2 artanh √(q/p):
//!
//! - infinite lattice (Onsager, Phys. Rev. 65, 117, 1944, eq. 106 in this form): ln Z/N = ln 2 + (1/2π) ∫₀^π f dθ;
//! - L_x × L_y torus (Kaufman, Phys. Rev. 76, 1232, 1949): Z = ½ (2S₁)^{L_xL_y/2} (Y₁ + Y₂ + Y₃ + Y₄), products over the L_y wave numbers of
//!   2 cosh ½L_xγ (Y₁) and 2 sinh ½L_xγ (Y₂) at odd multiples of π/L_y, and the same (Y₃, Y₄) at even ones. γ(0) carries the sign of S₁S₂ − 1.
//!
//! C₁C₂ − S₁ − S₂ = (1 − S₁S₂)²/(C₁C₂ + S₁ + S₂) vanishes at the critical point and is computed as the latter. Energy and specific heat are the
//! first and second derivative of the same formulas in β, carried along; per site, E = −∂ ln Z/∂β and C = β² ∂² ln Z/∂β² (k_B = 1).
//!
//! ```
//! use pullback::physics::ising;
//! let exact = ising::onsager(0.4, 1.0);
//! assert!((exact.ln_z_per_site - 0.879363820774948).abs() < 1e-14);
//! let torus = ising::kaufman(16, 16, 0.4, 1.0)?;
//! assert!((torus.energy_per_site - exact.energy_per_site).abs() < 0.05);
//! # Ok::<(), pullback::Error>(())
//! ```

use crate::{Error, Result};
use std::f64::consts::{LN_2, PI};
use std::ops::{Add, Div, Mul, Sub};

/// The couplings along the two axes, in units of energy; positive is ferromagnetic. A plain number stands for both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Couplings {
    /// J_x, of the bonds along x
    pub x: f64,
    /// J_y, of the bonds along y
    pub y: f64,
}

impl From<f64> for Couplings {
    fn from(j: f64) -> Self {
        Couplings { x: j, y: j }
    }
}

impl From<(f64, f64)> for Couplings {
    fn from((x, y): (f64, f64)) -> Self {
        Couplings { x, y }
    }
}

impl Couplings {
    fn strongest_first(self) -> Couplings {
        if self.x.abs() >= self.y.abs() { self } else { Couplings { x: self.y, y: self.x } }
    }
}

/// The thermodynamics of a lattice, per site.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thermodynamics {
    /// ln Z/N; the free energy per site is −ln Z/(βN)
    pub ln_z_per_site: f64,
    /// E = −∂(ln Z/N)/∂β, in units of J
    pub energy_per_site: f64,
    /// C = β² ∂²(ln Z/N)/∂β² = β² (⟨H²⟩ − ⟨H⟩²)/N, in units of k_B
    pub specific_heat_per_site: f64,
}

/// Onsager's solution of the infinite lattice at inverse temperature β.
///
/// The integral is done by the tanh-sinh rule, which the near-singularity at θ = 0 does not slow much; absolute errors are about 1e-15 in ln Z and
/// E. C diverges like −ln|β − β_c| at [`critical_beta`]. The signs of β and J do not matter: the lattice is bipartite.
pub fn onsager(beta: f64, couplings: impl Into<Couplings>) -> Thermodynamics {
    let couplings = couplings.into();
    if !(beta * (couplings.x + couplings.y)).is_finite() {
        return Thermodynamics { ln_z_per_site: f64::NAN, energy_per_site: f64::NAN, specific_heat_per_site: f64::NAN };
    }
    let modes = Modes::new(beta.abs(), couplings.strongest_first());
    // θ = π/(1 + e^{−π sinh t}); far out the weights are below any rounding, and θ below any width of the dip at θ = 0
    let half_width = 4.125;
    let term = |t: f64| {
        let e = (-PI * t.sinh().abs()).exp();
        let small = e / (1.0 + e);
        let theta = if t < 0.0 { PI * small } else { PI - PI * small };
        let weight = t.cosh() * small / (1.0 + e);
        (modes.f(theta) * weight, weight)
    };
    // the mean of f over θ: with the sum of the weights below it, their rounding cancels from what f has in common
    let mut h = 0.25;
    let mut sum = WeightedMean::default();
    (-16..=16).for_each(|k| sum.add(term(k as f64 * h)));
    let mut mean = sum.value();
    for _ in 0..9 {
        let points = (half_width / h) as i64;
        (-points..points).for_each(|k| sum.add(term((k as f64 + 0.5) * h)));
        h *= 0.5;
        let next = sum.value();
        let change = next - mean;
        mean = next;
        // halving the step squares the error
        let settled = |change: f64, value: f64, unit: f64| change.abs() <= 1e-11 * (value.abs() + unit);
        let unit = couplings.x.abs() + couplings.y.abs();
        if settled(change.v, next.v, 1.0) && settled(change.d, next.d, unit) && settled(change.dd, next.dd, unit * unit) {
            break;
        }
    }
    let ln_z = mean * 0.5;
    let diverges = modes.dip == 0.0 && couplings.x * couplings.y != 0.0;
    Thermodynamics {
        ln_z_per_site: LN_2 + ln_z.v + 0.5 * modes.log_scale,
        energy_per_site: -ln_z.d * beta.signum(),
        specific_heat_per_site: if diverges { f64::INFINITY } else { beta * beta * ln_z.dd },
    }
}

/// Kaufman's solution of the periodic L_x × L_y lattice at inverse temperature β, in a time linear in the length across the stronger coupling.
///
/// Each site has one bond to its right and one upward neighbour: at length two neighbours are joined twice, at length one a site to itself.
///
/// # Errors
/// `Argument` for a length of zero, for non-finite βJ, and for an antiferromagnetic coupling around an odd length (a frustrated lattice; around
/// even ones the sign does not matter).
pub fn kaufman(lx: usize, ly: usize, beta: f64, couplings: impl Into<Couplings>) -> Result<Thermodynamics> {
    const OPERATION: &str = "ising::kaufman";
    let couplings = couplings.into();
    check(OPERATION, lx, ly, beta, couplings)?;
    for (length, j, axis) in [(lx, couplings.x, "x"), (ly, couplings.y, "y")] {
        if length % 2 == 1 && beta * j < 0.0 {
            return Err(Error::argument(
                OPERATION,
                format!("an antiferromagnetic coupling βJ = {} around the odd length {length} along {axis}; use an even length", beta * j),
            ));
        }
    }
    let (kx, ky) = ((beta * couplings.x).abs(), (beta * couplings.y).abs());
    let sites = (lx * ly) as f64;
    let ground = -(couplings.x.abs() + couplings.y.abs()) * beta.signum();
    if kx.max(ky) == 0.0 {
        // independent spins; only the bonds from a site to itself have an energy
        return Ok(at_infinite_temperature(lx, ly, beta, couplings));
    }
    if kx.min(ky) > 300.0 {
        // only the two ground states are left
        return Ok(Thermodynamics { ln_z_per_site: kx + ky + LN_2 / sites, energy_per_site: ground, specific_heat_per_site: 0.0 });
    }
    // the transfer direction along the stronger coupling, so that S₁ does not underflow
    let (m, n) = if kx >= ky { (lx, ly) } else { (ly, lx) };
    let modes = Modes::new(beta.abs(), couplings.strongest_first());
    let m = m as f64;
    // ln 2 cosh ½mγ and ln 2 sinh ½mγ with (2S₁)^{m/2} included, each less ½m ln 4
    let pair = |theta: f64| {
        let (f, gamma) = (modes.f(theta), modes.gamma(theta));
        let decay = (gamma * -m).exp();
        let common = f * (0.5 * m);
        (common + decay.ln_1p(), common + (decay * -1.0).ln_1p())
    };
    let zero = Jet::constant(0.0);
    let (mut y1, mut y2) = (zero, zero);
    for r in 0..n {
        let (cosh, sinh) = pair(PI * (2 * r + 1) as f64 / n as f64);
        (y1, y2) = (y1 + cosh, y2 + sinh);
    }
    let (mut y3, mut rest) = (zero, zero);
    for r in 1..n {
        let (cosh, sinh) = pair(PI * (2 * r) as f64 / n as f64);
        (y3, rest) = (y3 + cosh, rest + sinh);
    }
    // θ = 0 apart: its γ changes sign at the critical point, where the logarithm of Y₄ does not exist
    let (base, gamma) = modes.zero_mode();
    let half = gamma * (0.5 * m);
    let (up, down) = (half.exp_scaled(half.v.abs()), (half * -1.0).exp_scaled(half.v.abs()));
    let common = base * (0.5 * m);
    y3 = y3 + common + (up + down).ln();
    // every Y as a logarithm times a factor, the factor one but for Y₄; all relative to the slope and value of Y₁
    let y4 = rest + common;
    let one = Jet::constant(1.0);
    let reference = [y1.v, y2.v, y3.v + half.v.abs(), y4.v + half.v.abs()].into_iter().fold(f64::NEG_INFINITY, f64::max);
    let slope = y1.d;
    let mut z = zero;
    for (logarithm, offset, factor) in [(y1, 0.0, one), (y2, 0.0, one), (y3, half.v.abs(), one), (y4, half.v.abs(), up - down)] {
        let relative = Jet { v: logarithm.v + offset - reference, d: logarithm.d - slope, dd: logarithm.dd };
        if relative.v > -745.0 {
            z = z + relative.exp() * factor;
        }
    }
    let ln_z = z.ln();
    Ok(Thermodynamics {
        ln_z_per_site: LN_2 + 0.5 * modes.log_scale + (ln_z.v + reference - LN_2) / sites,
        energy_per_site: -(slope + ln_z.d) / sites * beta.signum(),
        specific_heat_per_site: beta * beta * ln_z.dd / sites,
    })
}

/// The same by summing over all 2^N states of the periodic L_x × L_y lattice, for N ≤ 24: an oracle for small lattices, frustrated ones included.
///
/// # Errors
/// `Argument` for a length of zero, more than 24 sites, or non-finite βJ.
pub fn enumerate(lx: usize, ly: usize, beta: f64, couplings: impl Into<Couplings>) -> Result<Thermodynamics> {
    const OPERATION: &str = "ising::enumerate";
    let couplings = couplings.into();
    check(OPERATION, lx, ly, beta, couplings)?;
    let sites = lx * ly;
    if sites > 24 {
        return Err(Error::argument(OPERATION, format!("{lx} × {ly} = {sites} sites; at most 24, or use kaufman")));
    }
    // the number of states with given sums of s s′ over the bonds along x and along y
    let width = 2 * sites + 1;
    let mut states = vec![0u64; width * width];
    let neighbours: Vec<[usize; 4]> = (0..sites)
        .map(|i| {
            let (x, y) = (i % lx, i / lx);
            let at = |x: usize, y: usize| (y % ly) * lx + x % lx;
            [at(x + 1, y), at(x + lx - 1, y), at(x, y + 1), at(x, y + ly - 1)]
        })
        .collect();
    let mut spins = vec![1i64; sites];
    let (mut along_x, mut along_y) = (sites as i64, sites as i64);
    for step in 1..=1u64 << sites {
        states[(along_x + sites as i64) as usize * width + (along_y + sites as i64) as usize] += 1;
        // the Gray code visits every state by single flips
        let flip = step.trailing_zeros() as usize;
        if flip < sites {
            // a bond from a site to itself does not change
            let field = |a: usize, b: usize| if a == flip { 0 } else { spins[a] + spins[b] };
            let [right, left, up, down] = neighbours[flip];
            along_x -= 2 * spins[flip] * field(right, left);
            along_y -= 2 * spins[flip] * field(up, down);
            spins[flip] = -spins[flip];
        }
    }
    let energies = states.iter().enumerate().filter(|(_, count)| **count > 0).map(|(k, &count)| {
        let (x, y) = ((k / width) as f64 - sites as f64, (k % width) as f64 - sites as f64);
        (-couplings.x * x - couplings.y * y, count as f64)
    });
    let lowest = energies.clone().map(|(e, _)| -beta * e).fold(f64::NEG_INFINITY, f64::max);
    let (mut z, mut mean) = (0.0, 0.0);
    for (e, count) in energies.clone() {
        let weight = count * (-beta * e - lowest).exp();
        z += weight;
        mean += weight * e;
    }
    mean /= z;
    let variance: f64 = energies.map(|(e, count)| count * (-beta * e - lowest).exp() * (e - mean) * (e - mean)).sum::<f64>() / z;
    let n = sites as f64;
    Ok(Thermodynamics {
        ln_z_per_site: (lowest + z.ln()) / n,
        energy_per_site: mean / n,
        specific_heat_per_site: beta * beta * variance / n,
    })
}

/// The inverse temperature of the transition of the infinite lattice, sinh 2β_cJ_x sinh 2β_cJ_y = 1; ½ ln(1 + √2)/J for equal couplings, infinite
/// if either is zero.
pub fn critical_beta(couplings: impl Into<Couplings>) -> f64 {
    let Couplings { x, y } = couplings.into();
    let (weak, strong) = (x.abs().min(y.abs()), x.abs().max(y.abs()));
    let isotropic = 0.5 * 1f64.asinh();
    if weak == 0.0 || weak == strong || !strong.is_finite() {
        return isotropic / weak;
    }
    let (mut low, mut high) = (isotropic / strong, isotropic / weak);
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return middle;
        }
        if (2.0 * middle * weak).sinh() * (2.0 * middle * strong).sinh() < 1.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// The spontaneous magnetisation per site of the infinite lattice, (1 − (sinh 2βJ_x sinh 2βJ_y)^{−2})^{1/8} below the transition and zero above
/// (Yang, Phys. Rev. 85, 808, 1952; two couplings: Chang, Phys. Rev. 88, 1422, 1952). That of a sublattice if a coupling is antiferromagnetic.
pub fn spontaneous_magnetisation(beta: f64, couplings: impl Into<Couplings>) -> f64 {
    let Couplings { x, y } = couplings.into();
    let product = (2.0 * beta * x).sinh().abs() * (2.0 * beta * y).sinh().abs();
    if product.is_nan() {
        f64::NAN
    } else if product <= 1.0 {
        0.0
    } else {
        let inverse = 1.0 / product;
        ((1.0 - inverse) * (1.0 + inverse)).powf(0.125)
    }
}

fn check(operation: &'static str, lx: usize, ly: usize, beta: f64, couplings: Couplings) -> Result<()> {
    if lx == 0 || ly == 0 {
        return Err(Error::argument(operation, format!("a lattice of {lx} × {ly} sites; both lengths must be positive")));
    }
    if !(beta * (couplings.x + couplings.y)).is_finite() {
        return Err(Error::argument(operation, format!("β = {beta}, J = ({}, {}); they must be finite", couplings.x, couplings.y)));
    }
    Ok(())
}

fn at_infinite_temperature(lx: usize, ly: usize, beta: f64, couplings: Couplings) -> Thermodynamics {
    let mut energy = 0.0;
    if lx == 1 {
        energy -= couplings.x;
    }
    if ly == 1 {
        energy -= couplings.y;
    }
    Thermodynamics { ln_z_per_site: LN_2 - beta * energy, energy_per_site: energy, specific_heat_per_site: 0.0 }
}

/// Σ w f/Σ w with compensated sums (Neumaier, Z. Angew. Math. Mech. 54, 39, 1974).
#[derive(Default)]
struct WeightedMean {
    sums: [f64; 4],
    rests: [f64; 4],
}

impl WeightedMean {
    /// Adds w f and w.
    fn add(&mut self, (f, weight): (Jet, f64)) {
        for ((sum, rest), x) in self.sums.iter_mut().zip(&mut self.rests).zip([f.v, f.d, f.dd, weight]) {
            let total = *sum + x;
            *rest += if sum.abs() >= x.abs() { (*sum - total) + x } else { (x - total) + *sum };
            *sum = total;
        }
    }

    fn value(&self) -> Jet {
        let [v, d, dd, weight] = std::array::from_fn(|i| self.sums[i] + self.rests[i]);
        Jet { v: v / weight, d: d / weight, dd: dd / weight }
    }
}

/// The wave numbers' functions as jets in β. Everything of the size of C₁C₂ carries the factor e^{−2K₁−2K₂}, so that nothing overflows.
struct Modes {
    s1: Jet,
    s2: Jet,
    /// C₁C₂ − S₁ − S₂
    gap: Jet,
    /// (S₁S₂ − 1)/√(C₁C₂ + S₁ + S₂), the square root of the gap with a sign that changes at the critical point.
    root: Jet,
    /// S₁S₂ − 1
    dip: f64,
    /// 2K₁ + 2K₂, to be added to f
    log_scale: f64,
}

impl Modes {
    fn new(beta: f64, couplings: Couplings) -> Modes {
        let (j1, j2) = (couplings.x.abs(), couplings.y.abs());
        let (k1, k2) = (beta * j1, beta * j2);
        let (e1, e2) = ((-2.0 * k1).exp(), (-2.0 * k2).exp());
        // e^{−2K} sinh 2K and e^{−2K} cosh 2K, with the derivatives of sinh and cosh alone
        let (sinh1, cosh1) = hyperbolic(e1, j1, k1);
        let (sinh2, cosh2) = hyperbolic(e2, j2, k2);
        let dip = sinh1 * sinh2 - Jet::constant(e1 * e2);
        let denominator = cosh1 * cosh2 + sinh1 * e2 + sinh2 * e1;
        let root = dip / denominator.sqrt();
        Modes { s1: sinh1 * e2, s2: sinh2 * e1, gap: dip * dip / denominator, root, dip: dip.v, log_scale: 2.0 * (k1 + k2) }
    }

    /// (√q, √p) at θ
    fn roots(&self, theta: f64) -> (Jet, Jet) {
        let half = (0.5 * theta).sin();
        let q = self.gap + self.s2 * (2.0 * half * half);
        // decoupled frozen chains, whose q = e^{−4K} underflows: √q is nothing beside √p, in the derivatives as well
        let r = if q.v < 1e-290 { Jet::constant(0.0) } else { q.sqrt() };
        (r, (q + self.s1 * 2.0).sqrt())
    }

    /// f(θ) less 2K₁ + 2K₂
    fn f(&self, theta: f64) -> Jet {
        let (r, t) = self.roots(theta);
        ((t + r) * 0.5).ln() * 2.0
    }

    /// γ(θ) for θ ≠ 0: e^γ = (√p + √q)/(√p − √q) = 1 + √q (√p + √q)/S₁
    fn gamma(&self, theta: f64) -> Jet {
        let (r, t) = self.roots(theta);
        (r * (t + r) / self.s1).ln_1p()
    }

    /// At θ = 0: f − γ = ln ½S₁ (less 2K₁ + 2K₂), and γ with its sign.
    fn zero_mode(&self) -> (Jet, Jet) {
        let t = (self.gap + self.s1 * 2.0).sqrt();
        let odd = |r: Jet| (r * (t + r) / self.s1).ln_1p();
        let gamma = if self.root.v >= 0.0 { odd(self.root) } else { odd(self.root * -1.0) * -1.0 };
        ((self.s1 * 0.5).ln(), gamma)
    }
}

/// e^{−2K} (sinh 2K, cosh 2K) with e = e^{−2K} held constant under d/dβ, K = βJ.
fn hyperbolic(e: f64, j: f64, k: f64) -> (Jet, Jet) {
    let sinh = -0.5 * (-4.0 * k).exp_m1();
    let cosh = 0.5 * (1.0 + e * e);
    let rate = 2.0 * j;
    (Jet { v: sinh, d: rate * cosh, dd: rate * rate * sinh }, Jet { v: cosh, d: rate * sinh, dd: rate * rate * cosh })
}

/// A value with its first and second derivative in β.
#[derive(Clone, Copy, Debug)]
struct Jet {
    v: f64,
    d: f64,
    dd: f64,
}

impl Jet {
    fn constant(v: f64) -> Jet {
        Jet { v, d: 0.0, dd: 0.0 }
    }

    // the quotients in this order neither over- nor underflow where the result does not

    fn sqrt(self) -> Jet {
        let r = self.v.sqrt();
        let d = 0.5 * self.d / r;
        Jet { v: r, d, dd: (0.5 * self.dd - d * d) / r }
    }

    fn ln(self) -> Jet {
        let d = self.d / self.v;
        Jet { v: self.v.ln(), d, dd: self.dd / self.v - d * d }
    }

    fn ln_1p(self) -> Jet {
        let d = self.d / (1.0 + self.v);
        Jet { v: self.v.ln_1p(), d, dd: self.dd / (1.0 + self.v) - d * d }
    }

    fn exp(self) -> Jet {
        self.exp_scaled(0.0)
    }

    /// e^{self − shift} for a constant shift.
    fn exp_scaled(self, shift: f64) -> Jet {
        let e = (self.v - shift).exp();
        Jet { v: e, d: e * self.d, dd: e * (self.dd + self.d * self.d) }
    }
}

impl Add for Jet {
    type Output = Jet;
    fn add(self, y: Jet) -> Jet {
        Jet { v: self.v + y.v, d: self.d + y.d, dd: self.dd + y.dd }
    }
}

impl Sub for Jet {
    type Output = Jet;
    fn sub(self, y: Jet) -> Jet {
        Jet { v: self.v - y.v, d: self.d - y.d, dd: self.dd - y.dd }
    }
}

impl Mul for Jet {
    type Output = Jet;
    fn mul(self, y: Jet) -> Jet {
        Jet { v: self.v * y.v, d: self.v * y.d + self.d * y.v, dd: self.v * y.dd + 2.0 * self.d * y.d + self.dd * y.v }
    }
}

impl Mul<f64> for Jet {
    type Output = Jet;
    fn mul(self, y: f64) -> Jet {
        Jet { v: self.v * y, d: self.d * y, dd: self.dd * y }
    }
}

impl Div for Jet {
    type Output = Jet;
    fn div(self, y: Jet) -> Jet {
        let v = self.v / y.v;
        let d = (self.d - v * y.d) / y.v;
        Jet { v, d, dd: (self.dd - 2.0 * d * y.d - v * y.dd) / y.v }
    }
}
