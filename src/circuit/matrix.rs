//! Gates and circuits as matrices, differentiable in the parameters.
//!
//! A gate with an angle is affine in its sine and cosine: M(θ) = M₀ + cos θ M_c + sin θ M_s.

use super::angle::Angle;
use super::gate::Gate;
use super::instruction::Instruction;
use super::memory;
use super::pauli::Pauli;
use super::state::StateVector;
use super::tree::Circuit;
use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::ops::{from_polar, kron};
use num_complex::Complex;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_PI_4};

type C = Complex<f64>;

const O: C = C::new(0.0, 0.0);
const ONE: C = C::new(1.0, 0.0);
const I: C = C::new(0.0, 1.0);

/// Most qubits of [`Circuit::unitary`]: 4096 × 4096 numbers are 256 MiB.
const MAX_DENSE: usize = 12;

fn square<const N: usize>(rows: [[C; N]; N]) -> Var<C> {
    Var::from(ndarray::Array2::from_shape_fn((N, N), |(i, j)| rows[i][j]))
}

fn diagonal(entries: &[C]) -> Var<C> {
    Var::from(ndarray::Array2::from_diag(&ndarray::Array1::from(entries.to_vec())))
}

pub(super) fn pauli(p: Pauli) -> Var<C> {
    square(match p {
        Pauli::X => [[O, ONE], [ONE, O]],
        Pauli::Y => [[O, -I], [I, O]],
        Pauli::Z => [[ONE, O], [O, -ONE]],
    })
}

/// The tensor product of Pauli matrices, the first on the lowest bit.
fn pauli_product(letters: &[Pauli]) -> Var<C> {
    letters.iter().fold(Var::eye(1), |m, &p| kron(&pauli(p), &m))
}

fn angle(a: Angle, theta: &Var<f64>) -> Var<f64> {
    match a {
        Angle::Fixed(x) => Var::scalar(x),
        Angle::Parameter { index, scale, shift } => theta.get(&[index as isize]) * scale + shift,
    }
}

/// M₀ + cos a M_c + sin a M_s
fn affine(a: &Var<f64>, constant: Var<C>, cosine: Var<C>, sine: Var<C>) -> Var<C> {
    constant + a.cos().to_complex() * cosine + a.sin().to_complex() * sine
}

fn rotation(letters: &[Pauli], a: Var<f64>) -> Var<C> {
    let p = pauli_product(letters);
    let n = p.shape()[0];
    affine(&(a * 0.5), Var::zeros(&[n, n]), Var::eye(n), p * -I)
}

fn phase(a: &Var<f64>) -> Var<C> {
    affine(a, diagonal(&[ONE, O]), diagonal(&[O, ONE]), diagonal(&[O, I]))
}

impl Gate {
    /// Its matrix on its targets, of shape \[2ᵏ, 2ᵏ\], the first target the lowest bit; differentiable in θ, the array of all parameters.
    ///
    /// ```
    /// use pullback::circuit::{Angle, Gate};
    /// let y = Gate::Ry(Angle::Fixed(std::f64::consts::PI)).matrix(&vec![].into())?;
    /// assert!((y.get(&[1, 0]).item().re - 1.0).abs() < 1e-15);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Errors
    /// If an angle depends on a parameter that θ does not have.
    pub fn matrix(&self, theta: &Var<f64>) -> Result<Var<C>> {
        for a in self.angles() {
            if let Angle::Parameter { index, .. } = a
                && (theta.ndim() != 1 || index >= theta.len())
            {
                return Err(Error::shape(
                    "Gate::matrix",
                    format!("parameters of shape {:?}: {} depends on parameter {index}", theta.shape(), self.name()),
                ));
            }
        }
        let at = |a: &Angle| angle(*a, theta);
        let h = C::new(FRAC_1_SQRT_2, 0.0);
        let (p, m) = (C::new(0.5, 0.5), C::new(0.5, -0.5));
        Ok(match self {
            Gate::X => pauli(Pauli::X),
            Gate::Y => pauli(Pauli::Y),
            Gate::Z => pauli(Pauli::Z),
            Gate::H => square([[h, h], [h, -h]]),
            Gate::S => diagonal(&[ONE, I]),
            Gate::Sdg => diagonal(&[ONE, -I]),
            Gate::T => diagonal(&[ONE, C::from_polar(1.0, FRAC_PI_4)]),
            Gate::Tdg => diagonal(&[ONE, C::from_polar(1.0, -FRAC_PI_4)]),
            Gate::SqrtX => square([[p, m], [m, p]]),
            Gate::SqrtXdg => square([[m, p], [p, m]]),
            Gate::Rx(a) => rotation(&[Pauli::X], at(a)),
            Gate::Ry(a) => rotation(&[Pauli::Y], at(a)),
            Gate::Rz(a) => rotation(&[Pauli::Z], at(a)),
            Gate::Phase(a) => phase(&at(a)),
            Gate::U3(a, b, c) => phase(&at(b)).matmul(rotation(&[Pauli::Y], at(a))).matmul(phase(&at(c))),
            Gate::GlobalPhase(a) => from_polar(&Var::scalar(1.0), &at(a)).reshape(&[1, 1]),
            Gate::Swap => square([[ONE, O, O, O], [O, O, ONE, O], [O, ONE, O, O], [O, O, O, ONE]]),
            Gate::ISwap => square([[ONE, O, O, O], [O, O, I, O], [O, I, O, O], [O, O, O, ONE]]),
            Gate::FSim(a, b) => {
                let hop = square([[O, O, O, O], [O, O, -I, O], [O, -I, O, O], [O, O, O, O]]);
                let exchange = affine(&at(a), diagonal(&[ONE, O, O, ONE]), diagonal(&[O, ONE, ONE, O]), hop);
                let minus = -at(b);
                let both = affine(&minus, diagonal(&[ONE, ONE, ONE, O]), diagonal(&[O, O, O, ONE]), diagonal(&[O, O, O, I]));
                both.matmul(exchange)
            }
            Gate::PauliRotation(letters, a) => rotation(letters, at(a)),
            Gate::Matrix(u) => {
                let n = 1 << u.qubits();
                Var::from_shape_vec(&[n, n], u.entries().to_vec())?
            }
            Gate::Diagonal(d, a) => {
                let d = Var::from(d.as_slice());
                from_polar(&d.ones_like(), &(-at(a) * d)).make_diagonal(0)
            }
        })
    }
}

impl Instruction {
    /// The gate's matrix with its controls, of shape \[2ᵏ, 2ᵏ\] for the k qubits of [`qubits`](Instruction::qubits), the first the lowest bit.
    ///
    /// # Errors
    /// As [`Gate::matrix`].
    pub fn matrix(&self, theta: &Var<f64>) -> Result<Var<C>> {
        let m = self.gate.matrix(theta)?;
        if self.controls.is_empty() {
            return Ok(m);
        }
        let k = m.shape()[0];
        let value: usize = self.controls.iter().enumerate().map(|(j, c)| usize::from(c.value) << j).sum();
        let (from, to) = ((value * k) as isize, ((value + 1) * k) as isize);
        Ok(Var::eye(k << self.controls.len()).set_at(ndarray::s![from..to, from..to], m))
    }
}

impl Circuit {
    /// U(θ) as a matrix of shape \[2ⁿ, 2ⁿ\]; differentiable.
    ///
    /// # Errors
    /// If there are more than 12 qubits (the error says how much memory it would take), and as [`run`](Circuit::run).
    pub fn unitary(&self, theta: &Var<f64>) -> Result<Var<C>> {
        const NAME: &str = "Circuit::unitary";
        let bytes = 4.0f64.powi(self.qubits() as i32) * 16.0;
        if self.qubits() > MAX_DENSE {
            let gib = memory::gib(bytes);
            return Err(Error::argument(
                NAME,
                format!("{} qubits: at most {MAX_DENSE}; the matrix would take {gib:.3} GiB", self.qubits()),
            ));
        }
        memory::check(NAME, &format!("a matrix of {} qubits", self.qubits()), bytes)?;
        // the image of each basis state is a column
        Ok(self.run(theta, &StateVector::unnormalized(Var::eye(1 << self.qubits()))?)?.into_amplitudes().t())
    }
}

/// A matrix on some bits of the index of `psi` (2ᵐ numbers), the first the lowest bit of the matrix' index; differentiable in both.
pub(super) fn act(matrix: &Var<C>, bits: &[usize], psi: &Var<C>) -> Var<C> {
    let m = psi.len().trailing_zeros() as usize;
    let k = bits.len();
    // axis of bit q is m − 1 − q; the highest of the chosen bits leads
    let mut axes: Vec<isize> = bits.iter().rev().map(|&q| (m - 1 - q) as isize).collect();
    axes.extend((0..m).filter(|&a| !bits.contains(&(m - 1 - a))).map(|a| a as isize));
    let mut back = vec![0isize; m];
    for (to, &from) in axes.iter().enumerate() {
        back[from as usize] = to as isize;
    }
    let tensor = psi.reshape(&vec![2; m]).permute(&axes).reshape(&[1 << k, 1 << (m - k)]);
    matrix.matmul(tensor).reshape(&vec![2; m]).permute(&back).reshape(&[1 << m])
}
