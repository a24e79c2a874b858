//! Fermions on qubits: products of creation and annihilation operators as Pauli sums, by the Jordan–Wigner transformation
//! a_j = Z_0 … Z_{j−1} (X_j + iY_j)/2 (Jordan and Wigner, Z. Phys. 47, 631 (1928)).

use super::pauli::{PauliString, PauliSum};
use crate::error::{Error, Result};
use num_complex::Complex;
use std::collections::BTreeMap;

type C = Complex<f64>;

/// a†_j or a_j.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ladder {
    /// a†_j
    Create(usize),
    /// a_j
    Annihilate(usize),
}

impl Ladder {
    fn adjoint(self) -> Ladder {
        match self {
            Ladder::Create(j) => Ladder::Annihilate(j),
            Ladder::Annihilate(j) => Ladder::Create(j),
        }
    }
}

/// Σ c · (product of ladder operators), as a chemist writes it.
///
/// ```
/// use pullback::circuit::{FermionOperator, Ladder};
/// let number = FermionOperator::new([(1.0.into(), vec![Ladder::Create(0), Ladder::Annihilate(0)])]);
/// assert_eq!(number.jordan_wigner()?.to_string(), "0.5 I - 0.5 Z0");
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FermionOperator {
    terms: Vec<(C, Vec<Ladder>)>,
}

/// i^k of P Q = i^k (P·Q) for the product of two Pauli strings, each with Y = iXZ.
fn phase(p: &PauliString, q: &PauliString) -> i32 {
    let y = |s: &PauliString| (s.x & s.z).count_ones() as i32;
    let product = PauliString { x: p.x ^ q.x, z: p.z ^ q.z };
    // moving the Z of p past the X of q gives a sign for each common qubit
    y(p) + y(q) - y(&product) + 2 * (p.z & q.x).count_ones() as i32
}

impl FermionOperator {
    /// From coefficients and products, the leftmost factor first.
    pub fn new(terms: impl IntoIterator<Item = (C, Vec<Ladder>)>) -> FermionOperator {
        FermionOperator { terms: terms.into_iter().collect() }
    }

    /// Adds a term.
    pub fn add(&mut self, coefficient: impl Into<C>, product: &[Ladder]) -> &mut Self {
        self.terms.push((coefficient.into(), product.to_vec()));
        self
    }

    /// The terms.
    pub fn terms(&self) -> &[(C, Vec<Ladder>)] {
        &self.terms
    }

    /// The Hermitian conjugate.
    pub fn adjoint(&self) -> FermionOperator {
        let flip = |(c, p): &(C, Vec<Ladder>)| (c.conj(), p.iter().rev().map(|l| l.adjoint()).collect());
        FermionOperator { terms: self.terms.iter().map(flip).collect() }
    }

    /// i(T − T†), the Hermitian generator of the rotation exp(θ(T − T†)) = exp(−iθ · i(T − T†)).
    pub fn rotation_generator(&self) -> FermionOperator {
        let i = C::new(0.0, 1.0);
        let here = self.terms.iter().map(|(c, p)| (c * i, p.clone()));
        FermionOperator { terms: here.chain(self.adjoint().terms.into_iter().map(|(c, p)| (-c * i, p))).collect() }
    }

    /// The operator on qubits, mode j on qubit j; strings with coefficients below 1e-15 of the largest are left out.
    ///
    /// # Errors
    /// If a mode is above 63, a coefficient is not finite, or the operator is not Hermitian (the error says by how much).
    pub fn jordan_wigner(&self) -> Result<PauliSum> {
        const NAME: &str = "FermionOperator::jordan_wigner";
        let mut sum: BTreeMap<PauliString, C> = BTreeMap::new();
        for (c, product) in &self.terms {
            if !c.is_finite() {
                return Err(Error::non_finite(NAME, format!("the coefficient of {product:?} is {c}")));
            }
            let mut strings = BTreeMap::from([(PauliString::IDENTITY, *c)]);
            for ladder in product {
                let (mode, sign) = match ladder {
                    Ladder::Create(j) => (*j, -1.0),
                    Ladder::Annihilate(j) => (*j, 1.0),
                };
                if mode > 63 {
                    return Err(Error::argument(NAME, format!("mode {mode}: the largest is 63")));
                }
                let below = (1u64 << mode) - 1;
                let bit = 1u64 << mode;
                let factors = [
                    (PauliString { x: bit, z: below }, C::new(0.5, 0.0)),
                    (PauliString { x: bit, z: below | bit }, C::new(0.0, 0.5 * sign)),
                ];
                let mut next: BTreeMap<PauliString, C> = BTreeMap::new();
                for (p, c) in &strings {
                    for (q, d) in &factors {
                        let product = PauliString { x: p.x ^ q.x, z: p.z ^ q.z };
                        *next.entry(product).or_default() += c * d * C::new(0.0, 1.0).powi(phase(p, q).rem_euclid(4));
                    }
                }
                strings = next;
            }
            for (p, c) in strings {
                *sum.entry(p).or_default() += c;
            }
        }
        let largest = sum.values().map(|c| c.norm()).fold(0.0, f64::max);
        let imaginary = sum.values().map(|c| c.im.abs()).fold(0.0, f64::max);
        if imaginary > 1e-12 * largest {
            let message = format!("the operator is not Hermitian: a Pauli string has a coefficient with imaginary part {imaginary:.3e}");
            return Err(Error::argument(NAME, message));
        }
        PauliSum::new(sum.into_iter().filter(|(_, c)| c.re.abs() > 1e-15 * largest).map(|(p, c)| (c.re, p)))
    }
}
