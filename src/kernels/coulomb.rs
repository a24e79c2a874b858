//! The energy of equal charges in a parabolic trap, g Σ_{i<j} 1/r_ij + c Σ x², row by row, and its pullback.

use super::parallel;

/// Pairs that a task should have at least.
const TASK: usize = 1 << 12;

/// n particles in d dimensions, g and c.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trap {
    /// n
    pub particles: usize,
    /// d
    pub dim: usize,
    /// g
    pub coupling: f64,
    /// c
    pub confinement: f64,
}

#[inline(always)]
fn square(x: &[f64], i: usize, j: usize, d: usize) -> f64 {
    x[i * d..i * d + d].iter().zip(&x[j * d..j * d + d]).map(|(a, b)| (a - b) * (a - b)).sum()
}

impl Trap {
    fn size(&self) -> usize {
        self.particles * self.dim
    }

    fn rows(&self) -> usize {
        TASK.div_ceil((self.particles * self.particles / 2).max(1))
    }

    /// (g Σ 1/r, c Σ x²) of one row; infinite where particles coincide and g > 0.
    pub fn parts(&self, x: &[f64]) -> (f64, f64) {
        let (n, d) = (self.particles, self.dim);
        let mut repulsion = 0.0;
        for i in 1..n {
            for j in 0..i {
                repulsion += 1.0 / square(x, i, j, d).sqrt();
            }
        }
        let trap: f64 = x.iter().map(|x| x * x).sum();
        (if self.coupling == 0.0 { 0.0 } else { self.coupling * repulsion }, self.confinement * trap)
    }

    /// What the i-th particle contributes if it stands at `at`.
    pub fn of_particle(&self, x: &[f64], i: usize, at: &[f64]) -> f64 {
        let d = self.dim;
        let mut repulsion = 0.0;
        for (j, other) in x.chunks_exact(d).enumerate() {
            if j != i {
                let square: f64 = other.iter().zip(at).map(|(a, b)| (a - b) * (a - b)).sum();
                repulsion += 1.0 / square.sqrt();
            }
        }
        let trap: f64 = at.iter().map(|x| x * x).sum();
        (if self.coupling == 0.0 { 0.0 } else { self.coupling * repulsion }) + self.confinement * trap
    }

    /// The first two particles that are at the same place.
    pub fn coincident(&self, x: &[f64]) -> Option<(usize, usize)> {
        (1..self.particles).flat_map(|i| (0..i).map(move |j| (j, i))).find(|&(j, i)| square(x, i, j, self.dim) == 0.0)
    }

    /// The energies of the rows.
    pub fn energy(&self, x: &[f64]) -> Vec<f64> {
        let (size, block) = (self.size(), self.rows());
        let mut out = vec![0.0; x.len() / size];
        parallel::for_parts(&mut out, block, |first, out| {
            for (row, out) in out.iter_mut().enumerate() {
                let (repulsion, trap) = self.parts(&x[(first + row) * size..(first + row + 1) * size]);
                *out = repulsion + trap;
            }
        });
        out
    }

    /// ḡ ∂E/∂x for a cotangent ḡ of each row.
    pub fn pullback(&self, x: &[f64], gbar: &[f64]) -> Vec<f64> {
        let (size, d) = (self.size(), self.dim);
        let mut out = vec![0.0; x.len()];
        parallel::for_parts(&mut out, self.rows() * size, |start, out| {
            for (row, out) in out.chunks_exact_mut(size).enumerate() {
                let (x, gbar) = (&x[start + row * size..start + (row + 1) * size], gbar[start / size + row]);
                out.iter_mut().zip(x).for_each(|(o, x)| *o = 2.0 * self.confinement * gbar * x);
                for i in 1..self.particles {
                    for j in 0..i {
                        let square = square(x, i, j, d);
                        let force = -self.coupling * gbar / (square * square.sqrt());
                        for k in 0..d {
                            let f = force * (x[i * d + k] - x[j * d + k]);
                            out[i * d + k] += f;
                            out[j * d + k] -= f;
                        }
                    }
                }
            }
        });
        out
    }
}
