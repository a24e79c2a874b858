//! Pauli strings and real sums of them.

use crate::error::{Error, Result};
use std::fmt;
use std::ops::{Add, Mul, Neg, Sub};
use std::str::FromStr;

/// A Pauli matrix of one qubit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Pauli {
    /// σˣ
    X,
    /// σʸ
    Y,
    /// σᶻ
    Z,
}

impl Pauli {
    fn letter(self) -> char {
        match self {
            Pauli::X => 'X',
            Pauli::Y => 'Y',
            Pauli::Z => 'Z',
        }
    }
}

/// A product of Pauli matrices on different qubits, the identity elsewhere.
///
/// ```
/// use pullback::circuit::PauliString;
/// let p: PauliString = "X0 Y2 Z5".parse()?;
/// assert_eq!(p.to_string(), "X0 Y2 Z5");
/// assert_eq!(p.qubits(), 6);
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct PauliString {
    /// Bit q: X or Y on qubit q.
    pub(crate) x: u64,
    /// Bit q: Z or Y on qubit q.
    pub(crate) z: u64,
}

impl PauliString {
    /// The identity.
    pub const IDENTITY: PauliString = PauliString { x: 0, z: 0 };

    /// A product of matrices on the given qubits.
    ///
    /// # Errors
    /// If a qubit is used twice or is above 63.
    pub fn new(factors: &[(usize, Pauli)]) -> Result<PauliString> {
        let mut p = PauliString::IDENTITY;
        for &(q, pauli) in factors {
            if q > 63 {
                return Err(Error::argument("PauliString", format!("qubit {q}: the largest is 63")));
            }
            if (p.x | p.z) >> q & 1 == 1 {
                return Err(Error::argument("PauliString", format!("qubit {q} is used twice: give each qubit one matrix")));
            }
            p.x |= u64::from(pauli != Pauli::Z) << q;
            p.z |= u64::from(pauli != Pauli::X) << q;
        }
        Ok(p)
    }

    /// The matrix on a qubit, `None` for the identity.
    pub fn get(&self, qubit: usize) -> Option<Pauli> {
        match (self.x.checked_shr(qubit as u32).unwrap_or(0) & 1, self.z.checked_shr(qubit as u32).unwrap_or(0) & 1) {
            (1, 0) => Some(Pauli::X),
            (1, 1) => Some(Pauli::Y),
            (0, 1) => Some(Pauli::Z),
            _ => None,
        }
    }

    /// The matrices that are not the identity, by ascending qubit.
    pub fn factors(&self) -> Vec<(usize, Pauli)> {
        (0..64).filter_map(|q| Some((q, self.get(q)?))).collect()
    }

    /// The number of qubits it is not the identity on.
    pub fn weight(&self) -> usize {
        (self.x | self.z).count_ones() as usize
    }

    /// One more than the largest qubit it is not the identity on.
    pub fn qubits(&self) -> usize {
        64 - (self.x | self.z).leading_zeros() as usize
    }

    /// Whether the two commute.
    pub fn commutes(&self, other: &PauliString) -> bool {
        ((self.x & other.z).count_ones() + (self.z & other.x).count_ones()).is_multiple_of(2)
    }
}

impl fmt::Display for PauliString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == PauliString::IDENTITY {
            return f.write_str("I");
        }
        for (i, (q, p)) in self.factors().into_iter().enumerate() {
            write!(f, "{}{}{q}", if i > 0 { " " } else { "" }, p.letter())?;
        }
        Ok(())
    }
}

impl FromStr for PauliString {
    type Err = Error;
    /// Letters with qubits, `X0 Y2`, or `I`.
    fn from_str(text: &str) -> Result<PauliString> {
        let mut factors = Vec::new();
        for word in text.split_whitespace().filter(|w| *w != "I") {
            let pauli = match word.chars().next() {
                Some('X') => Pauli::X,
                Some('Y') => Pauli::Y,
                Some('Z') => Pauli::Z,
                _ => return Err(Error::argument("PauliString", format!("`{word}`: expected a letter X, Y or Z and a qubit, as in X0"))),
            };
            let qubit = word[1..].parse().map_err(|_| {
                Error::argument("PauliString", format!("`{word}`: expected the number of a qubit after the letter, as in X0"))
            })?;
            factors.push((qubit, pauli));
        }
        PauliString::new(&factors)
    }
}

/// H = Σ_t c_t P_t with real coefficients: a Hermitian operator.
///
/// ```
/// use pullback::circuit::PauliSum;
/// let h: PauliSum = "0.5 X0 X1 - Z0 + 2 I".parse()?;
/// assert_eq!(h.coefficients(), &[0.5, -1.0, 2.0]);
/// let twice = &h + &h;
/// assert_eq!(twice.coefficients(), &[1.0, -2.0, 4.0]); // equal strings are added up
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PauliSum {
    coefficients: Vec<f64>,
    strings: Vec<PauliString>,
}

impl PauliSum {
    /// Σ_t c_t P_t; equal strings are added up, at the place of the first.
    ///
    /// # Errors
    /// If a coefficient is not finite.
    pub fn new(terms: impl IntoIterator<Item = (f64, PauliString)>) -> Result<PauliSum> {
        let mut sum = PauliSum::default();
        let mut places = std::collections::HashMap::new();
        for (c, p) in terms {
            if !c.is_finite() {
                return Err(Error::non_finite("PauliSum", format!("the coefficient of {p} is {c}")));
            }
            let t = *places.entry(p).or_insert(sum.strings.len());
            if t == sum.strings.len() {
                sum.strings.push(p);
                sum.coefficients.push(0.0);
            }
            sum.coefficients[t] += c;
        }
        Ok(sum)
    }

    /// The coefficients c_t.
    pub fn coefficients(&self) -> &[f64] {
        &self.coefficients
    }

    /// The strings P_t.
    pub fn strings(&self) -> &[PauliString] {
        &self.strings
    }

    /// The terms (c_t, P_t).
    pub fn terms(&self) -> impl Iterator<Item = (f64, PauliString)> + '_ {
        self.coefficients.iter().copied().zip(self.strings.iter().copied())
    }

    /// One more than the largest qubit that a string acts on.
    pub fn qubits(&self) -> usize {
        self.strings.iter().map(PauliString::qubits).max().unwrap_or(0)
    }

    /// The Heisenberg chain Σ_i X_i X_{i+1} + Y_i Y_{i+1} + Z_i Z_{i+1} of n qubits (Pauli matrices, not spins), open or periodic.
    ///
    /// # Errors
    /// If n < 2 or n > 64.
    pub fn heisenberg(n: usize, periodic: bool) -> Result<PauliSum> {
        let bonds = bonds("PauliSum::heisenberg", n, periodic)?;
        let each = |&(i, j): &(usize, usize)| [Pauli::X, Pauli::Y, Pauli::Z].map(|p| (i, j, p));
        let terms: Result<Vec<_>> = bonds.iter().flat_map(each).map(|(i, j, p)| Ok((1.0, PauliString::new(&[(i, p), (j, p)])?))).collect();
        PauliSum::new(terms?)
    }

    /// The transverse-field Ising chain −Σ_i Z_i Z_{i+1} − g Σ_i X_i of n qubits, open or periodic.
    ///
    /// # Errors
    /// If n < 2 or n > 64, or g is not finite.
    pub fn transverse_field_ising(n: usize, g: f64, periodic: bool) -> Result<PauliSum> {
        let mut terms = Vec::new();
        for (i, j) in bonds("PauliSum::transverse_field_ising", n, periodic)? {
            terms.push((-1.0, PauliString::new(&[(i, Pauli::Z), (j, Pauli::Z)])?));
        }
        for i in 0..n {
            terms.push((-g, PauliString::new(&[(i, Pauli::X)])?));
        }
        PauliSum::new(terms)
    }
}

fn bonds(operation: &'static str, n: usize, periodic: bool) -> Result<Vec<(usize, usize)>> {
    if !(2..=64).contains(&n) {
        return Err(Error::argument(operation, format!("{n} qubits: a chain has from 2 to 64")));
    }
    // a ring of two has one bond
    let count = if periodic && n > 2 { n } else { n - 1 };
    Ok((0..count).map(|i| (i, (i + 1) % n)).collect())
}

impl fmt::Display for PauliSum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.strings.is_empty() {
            return f.write_str("0");
        }
        for (t, (c, p)) in self.terms().enumerate() {
            match (t, c < 0.0) {
                (0, _) => write!(f, "{c} {p}")?,
                (_, true) => write!(f, " - {} {p}", -c)?,
                (_, false) => write!(f, " + {c} {p}")?,
            }
        }
        Ok(())
    }
}

impl FromStr for PauliSum {
    type Err = Error;
    /// Terms as [`PauliString`]s with numbers before them, joined by + and −.
    fn from_str(text: &str) -> Result<PauliSum> {
        let mut terms = Vec::new();
        let mut sign = 1.0;
        let (mut coefficient, mut words): (Option<f64>, Vec<&str>) = (None, Vec::new());
        let words_of_text: Vec<&str> = text.split_whitespace().chain(["+"]).collect();
        for (i, &word) in words_of_text.iter().enumerate() {
            if word == "+" || word == "-" {
                if coefficient.is_none() && words.is_empty() {
                    // a leading sign
                    if i == 0 && words_of_text.len() > 1 {
                        sign = if word == "-" { -1.0 } else { 1.0 };
                        continue;
                    }
                    return Err(Error::argument("PauliSum", format!("`{text}`: expected a term before each + and - and at the end")));
                }
                terms.push((sign * coefficient.take().unwrap_or(1.0), words.join(" ").parse()?));
                words.clear();
                sign = if word == "-" { -1.0 } else { 1.0 };
            } else if let (true, None, Ok(c)) = (words.is_empty(), coefficient, word.parse::<f64>()) {
                coefficient = Some(c);
            } else {
                words.push(word);
            }
        }
        PauliSum::new(terms)
    }
}

impl Add for &PauliSum {
    type Output = PauliSum;
    fn add(self, other: &PauliSum) -> PauliSum {
        PauliSum::new(self.terms().chain(other.terms())).expect("sums of finite coefficients were checked")
    }
}

impl Neg for &PauliSum {
    type Output = PauliSum;
    fn neg(self) -> PauliSum {
        PauliSum { coefficients: self.coefficients.iter().map(|c| -c).collect(), strings: self.strings.clone() }
    }
}

impl Sub for &PauliSum {
    type Output = PauliSum;
    fn sub(self, other: &PauliSum) -> PauliSum {
        self + &-other
    }
}

impl Mul<&PauliSum> for f64 {
    type Output = PauliSum;
    fn mul(self, sum: &PauliSum) -> PauliSum {
        PauliSum { coefficients: sum.coefficients.iter().map(|c| self * c).collect(), strings: sum.strings.clone() }
    }
}
