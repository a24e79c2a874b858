//! A simulator as slow and plain as can be: a gate's matrix, written out, spread over the register.

use num_complex::Complex;
use pullback::circuit::{Angle, Control, Gate, Pauli};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_PI_4};

pub type C = Complex<f64>;
pub type Dense = Vec<Vec<C>>;

pub fn c(re: f64, im: f64) -> C {
    Complex::new(re, im)
}

pub fn eye(n: usize) -> Dense {
    (0..n).map(|i| (0..n).map(|j| c(f64::from(i == j), 0.0)).collect()).collect()
}

pub fn times(a: &Dense, b: &Dense) -> Dense {
    let n = a.len();
    (0..n).map(|i| (0..n).map(|j| (0..n).map(|k| a[i][k] * b[k][j]).sum()).collect()).collect()
}

fn diag(d: &[C]) -> Dense {
    let mut m = eye(d.len());
    for (i, z) in d.iter().enumerate() {
        m[i][i] = *z;
    }
    m
}

pub fn pauli(p: Pauli) -> Dense {
    let (o, l, i) = (c(0.0, 0.0), c(1.0, 0.0), c(0.0, 1.0));
    match p {
        Pauli::X => vec![vec![o, l], vec![l, o]],
        Pauli::Y => vec![vec![o, -i], vec![i, o]],
        Pauli::Z => vec![vec![l, o], vec![o, -l]],
    }
}

/// a ⊗ b with a on the lower bits.
fn kron(a: &Dense, b: &Dense) -> Dense {
    let (m, n) = (a.len(), b.len());
    (0..m * n).map(|i| (0..m * n).map(|j| a[i % m][j % m] * b[i / m][j / m]).collect()).collect()
}

fn rotation(letters: &[Pauli], theta: f64) -> Dense {
    let p = letters.iter().fold(eye(1), |m, &l| kron(&m, &pauli(l)));
    let n = p.len();
    let (s, co) = (theta / 2.0).sin_cos();
    (0..n).map(|i| (0..n).map(|j| p[i][j] * c(0.0, -s) + if i == j { co } else { 0.0 }).collect()).collect()
}

/// A gate's matrix; the first target is the lowest bit.
pub fn matrix(gate: &Gate, theta: &[f64]) -> Dense {
    let at = |a: &Angle| match *a {
        Angle::Fixed(x) => x,
        Angle::Parameter { index, scale, shift } => scale * theta[index] + shift,
    };
    let (o, l) = (c(0.0, 0.0), c(1.0, 0.0));
    let e = |x: f64| Complex::from_polar(1.0, x);
    match gate {
        Gate::X => pauli(Pauli::X),
        Gate::Y => pauli(Pauli::Y),
        Gate::Z => pauli(Pauli::Z),
        Gate::H => vec![vec![l * FRAC_1_SQRT_2, l * FRAC_1_SQRT_2], vec![l * FRAC_1_SQRT_2, -l * FRAC_1_SQRT_2]],
        Gate::S => diag(&[l, c(0.0, 1.0)]),
        Gate::Sdg => diag(&[l, c(0.0, -1.0)]),
        Gate::T => diag(&[l, e(FRAC_PI_4)]),
        Gate::Tdg => diag(&[l, e(-FRAC_PI_4)]),
        Gate::SqrtX => vec![vec![c(0.5, 0.5), c(0.5, -0.5)], vec![c(0.5, -0.5), c(0.5, 0.5)]],
        Gate::SqrtXdg => vec![vec![c(0.5, -0.5), c(0.5, 0.5)], vec![c(0.5, 0.5), c(0.5, -0.5)]],
        Gate::Rx(a) => rotation(&[Pauli::X], at(a)),
        Gate::Ry(a) => rotation(&[Pauli::Y], at(a)),
        Gate::Rz(a) => rotation(&[Pauli::Z], at(a)),
        Gate::Phase(a) => diag(&[l, e(at(a))]),
        Gate::U3(t, p, q) => {
            let (s, co) = (at(t) / 2.0).sin_cos();
            vec![vec![l * co, -e(at(q)) * s], vec![e(at(p)) * s, e(at(p) + at(q)) * co]]
        }
        Gate::GlobalPhase(a) => vec![vec![e(at(a))]],
        Gate::Swap => vec![vec![l, o, o, o], vec![o, o, l, o], vec![o, l, o, o], vec![o, o, o, l]],
        Gate::ISwap => {
            let i = c(0.0, 1.0);
            vec![vec![l, o, o, o], vec![o, o, i, o], vec![o, i, o, o], vec![o, o, o, l]]
        }
        Gate::FSim(t, p) => {
            let (s, co) = at(t).sin_cos();
            vec![vec![l, o, o, o], vec![o, l * co, c(0.0, -s), o], vec![o, c(0.0, -s), l * co, o], vec![o, o, o, e(-at(p))]]
        }
        Gate::PauliRotation(letters, a) => rotation(letters, at(a)),
        Gate::Matrix(u) => u.entries().chunks(1 << u.qubits()).map(<[C]>::to_vec).collect(),
        Gate::Diagonal(d, a) => diag(&d.iter().map(|d| e(-at(a) * d)).collect::<Vec<_>>()),
    }
}

/// The matrix on the whole register.
pub fn spread(n: usize, m: &Dense, targets: &[usize], controls: &[Control]) -> Dense {
    let mut out = eye(1 << n);
    for (j, _) in eye(1 << n).iter().enumerate() {
        if controls.iter().any(|c| (j >> c.qubit & 1 == 1) != c.value) {
            continue;
        }
        let local: usize = targets.iter().enumerate().map(|(k, &q)| (j >> q & 1) << k).sum();
        out[j][j] = c(0.0, 0.0);
        for (r, row) in m.iter().enumerate() {
            let mut i = j;
            for (k, &q) in targets.iter().enumerate() {
                i = i & !(1 << q) | (r >> k & 1) << q;
            }
            out[i][j] = row[local];
        }
    }
    out
}

pub fn apply(m: &Dense, x: &[C]) -> Vec<C> {
    m.iter().map(|row| row.iter().zip(x).map(|(a, b)| a * b).sum()).collect()
}

/// Numbers from a seed, in (−1, 1).
pub struct Draw(pub u64);

impl Draw {
    pub fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
    pub fn below(&mut self, n: usize) -> usize {
        (((self.uniform() + 1.0) / 2.0) * n as f64) as usize % n
    }
    pub fn state(&mut self, n: usize) -> Vec<C> {
        let x: Vec<C> = (0..1 << n).map(|_| c(self.uniform(), self.uniform())).collect();
        let norm = x.iter().map(|z| z.norm_sqr()).sum::<f64>().sqrt();
        x.iter().map(|z| z / norm).collect()
    }
    /// A unitary matrix by Gram–Schmidt.
    pub fn unitary(&mut self, qubits: usize) -> ndarray::Array2<C> {
        let n = 1 << qubits;
        let mut rows: Vec<Vec<C>> = Vec::new();
        while rows.len() < n {
            let mut v = self.state(qubits);
            for _ in 0..2 {
                for r in &rows {
                    let along: C = r.iter().zip(&v).map(|(r, v)| r.conj() * v).sum();
                    v.iter_mut().zip(r).for_each(|(v, r)| *v -= along * r);
                }
            }
            let norm = v.iter().map(|z| z.norm_sqr()).sum::<f64>().sqrt();
            rows.push(v.iter().map(|z| z / norm).collect());
        }
        ndarray::Array2::from_shape_fn((n, n), |(i, j)| rows[i][j])
    }
    /// k different qubits of n.
    pub fn qubits(&mut self, n: usize, k: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..n).collect();
        (0..k).map(|_| all.remove(self.below(all.len()))).collect()
    }
}

pub fn distance(a: &[C], b: &[C]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).norm()).fold(0.0, f64::max)
}
