//! Circuits of variational algorithms.

use super::fermion::{FermionOperator, Ladder};
use super::gate::Gate;
use super::pauli::{Pauli, PauliString, PauliSum};
use super::tree::{Circuit, Trotter};
use crate::error::{Error, Result};

/// Which pairs of qubits a [`hardware_efficient`] circuit entangles in each layer, by CNOT from the first to the second.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Entangler {
    /// (i, i+1) from 0 to n−2
    Linear,
    /// These and (n−1, 0)
    #[default]
    Ring,
    /// All i < j
    Full,
    /// (i, i+1) for even i, then for odd i
    Brick,
    /// As given, the connections of a device
    Pairs(Vec<(usize, usize)>),
}

impl Entangler {
    fn pairs(&self, n: usize) -> Vec<(usize, usize)> {
        match self {
            Entangler::Linear => (1..n).map(|i| (i - 1, i)).collect(),
            Entangler::Ring if n == 2 => vec![(0, 1)],
            Entangler::Ring => (0..n).map(|i| (i, (i + 1) % n)).collect(),
            Entangler::Full => (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j))).collect(),
            Entangler::Brick => (0..n - 1).step_by(2).chain((1..n - 1).step_by(2)).map(|i| (i, i + 1)).collect(),
            Entangler::Pairs(pairs) => pairs.clone(),
        }
    }
}

/// `depth` + 1 layers of rotations about the given axes on every qubit with entangling layers between them (Kandala et al., Nature 549, 242
/// (2017)). (depth + 1) · n · axes parameters, layer by layer, qubit by qubit.
///
/// ```
/// use pullback::circuit::{Entangler, Pauli, hardware_efficient};
/// let circuit = hardware_efficient(4, 2, &[Pauli::Y, Pauli::Z], &Entangler::Linear)?;
/// assert_eq!(circuit.parameters(), 3 * 4 * 2);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// If n < 2, there is no axis, or a pair is out of range or twice the same qubit.
pub fn hardware_efficient(n: usize, depth: usize, axes: &[Pauli], entangler: &Entangler) -> Result<Circuit> {
    const NAME: &str = "hardware_efficient";
    if n < 2 {
        return Err(Error::argument(NAME, format!("{n} qubits: at least 2")));
    }
    if axes.is_empty() {
        return Err(Error::argument(NAME, "no axis to rotate about: give at least one of X, Y, Z"));
    }
    let mut c = Circuit::new(n);
    for layer in 0..=depth {
        if layer > 0 {
            for (a, b) in entangler.pairs(n) {
                c.cnot(a, b)?;
            }
        }
        for q in 0..n {
            for axis in axes {
                let p = c.parameter().into();
                let gate = match axis {
                    Pauli::X => Gate::Rx(p),
                    Pauli::Y => Gate::Ry(p),
                    Pauli::Z => Gate::Rz(p),
                };
                c.gate(gate, &[q])?;
            }
        }
    }
    Ok(c)
}

/// The cut of a weighted graph, C = Σ_e w_e (1 − Z_i Z_j)/2: the weight of the edges between the 0s and the 1s of a basis state.
///
/// # Errors
/// If an edge joins a vertex with itself or one that is not below n, or a weight is not finite.
pub fn max_cut(n: usize, edges: &[(usize, usize, f64)]) -> Result<PauliSum> {
    let mut terms = Vec::with_capacity(2 * edges.len());
    for &(i, j, w) in edges {
        if i >= n || j >= n || i == j {
            return Err(Error::argument("max_cut", format!("edge ({i}, {j}): expected two different vertices below {n}")));
        }
        terms.push((0.5 * w, PauliString::IDENTITY));
        terms.push((-0.5 * w, PauliString::new(&[(i, Pauli::Z), (j, Pauli::Z)])?));
    }
    PauliSum::new(terms)
}

/// The quantum approximate optimisation algorithm for the cut of a weighted graph: |+…+⟩, then p layers exp(−iγC), exp(−iβ Σ X)
/// with C of [`max_cut`] (Farhi, Goldstone and Gutmann, arXiv:1411.4028). Parameters γ₁, β₁, …, γ_p, β_p.
///
/// ```
/// use pullback::prelude::*;
/// use pullback::circuit::{StateVector, max_cut, qaoa};
/// let ring: Vec<_> = (0..6).map(|i| (i, (i + 1) % 6, 1.0)).collect();
/// let circuit = qaoa(6, &ring, 1)?;
/// let angles = Var::from(vec![std::f64::consts::FRAC_PI_4, std::f64::consts::FRAC_PI_8]);
/// let cut = circuit.state(&angles)?.expectation(&max_cut(6, &ring)?)?;
/// assert!((cut.item() / 6.0 - 0.75).abs() < 1e-12);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// As [`max_cut`], and if n is 0.
pub fn qaoa(n: usize, edges: &[(usize, usize, f64)], layers: usize) -> Result<Circuit> {
    if n == 0 {
        return Err(Error::argument("qaoa", "a graph without vertices"));
    }
    max_cut(n, edges)?;
    let mut c = Circuit::new(n);
    for q in 0..n {
        c.h(q)?;
    }
    for _ in 0..layers {
        let (gamma, beta) = (c.parameter(), c.parameter());
        for &(i, j, w) in edges {
            c.rzz(i, j, -w * gamma)?;
        }
        for q in 0..n {
            c.rx(q, 2.0 * beta)?;
        }
    }
    Ok(c)
}

/// A replacement of occupied modes by as many empty ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excitation {
    /// The modes that are emptied.
    pub from: Vec<usize>,
    /// The modes that are filled.
    pub to: Vec<usize>,
}

/// Single and double excitations of the state with the lowest `electrons` of `modes` occupied that keep the total S_z, when even modes
/// have spin up and odd ones spin down.
///
/// # Errors
/// If there are more electrons than modes.
pub fn excitations(modes: usize, electrons: usize) -> Result<Vec<Excitation>> {
    if electrons > modes {
        return Err(Error::argument("excitations", format!("{electrons} electrons in {modes} modes: there are not enough")));
    }
    let mut all = Vec::new();
    let spin = |list: &[usize]| list.iter().map(|m| m % 2).sum::<usize>();
    let mut add = |from: Vec<usize>, to: Vec<usize>| {
        if spin(&from) == spin(&to) {
            all.push(Excitation { from, to });
        }
    };
    for i in 0..electrons {
        for a in electrons..modes {
            add(vec![i], vec![a]);
        }
    }
    for i in 0..electrons {
        for j in i + 1..electrons {
            for a in electrons..modes {
                for b in a + 1..modes {
                    add(vec![i, j], vec![a, b]);
                }
            }
        }
    }
    Ok(all)
}

/// Unitary coupled cluster on the reference with the lowest `electrons` of `modes` occupied: X on these qubits, then exp(θ(T − T†)) for each
/// excitation in turn, as exponentials of Pauli strings (these commute within an excitation, so each is exact). One parameter each.
///
/// ```
/// use pullback::circuit::{excitations, unitary_coupled_cluster};
/// let circuit = unitary_coupled_cluster(4, 2, &excitations(4, 2)?)?;
/// assert_eq!(circuit.parameters(), 3); // two singles, one double
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// If there are more electrons than modes, more modes than 64, or an excitation does not have as many modes on both sides, uses one twice, or
/// one that is not there.
pub fn unitary_coupled_cluster(modes: usize, electrons: usize, list: &[Excitation]) -> Result<Circuit> {
    const NAME: &str = "unitary_coupled_cluster";
    if electrons > modes || modes > 64 {
        return Err(Error::argument(NAME, format!("{electrons} electrons in {modes} modes: at most 64 modes, and no more electrons")));
    }
    let mut c = Circuit::new(modes);
    for q in 0..electrons {
        c.x(q)?;
    }
    for e in list {
        let mut seen: Vec<usize> = e.from.iter().chain(&e.to).copied().collect();
        seen.sort_unstable();
        seen.dedup();
        if e.from.is_empty() || e.from.len() != e.to.len() || seen.len() != 2 * e.from.len() || seen.iter().any(|&m| m >= modes) {
            let message = format!("excitation {:?} → {:?}: expected as many different modes below {modes} on both sides", e.from, e.to);
            return Err(Error::argument(NAME, message));
        }
        let product: Vec<Ladder> =
            e.to.iter().map(|&m| Ladder::Create(m)).chain(e.from.iter().rev().map(|&m| Ladder::Annihilate(m))).collect();
        let generator = FermionOperator::new([(1.0.into(), product)]).rotation_generator().jordan_wigner()?;
        let theta = c.parameter();
        c.exponential(&generator, theta, Trotter::First, 1)?;
    }
    Ok(c)
}
