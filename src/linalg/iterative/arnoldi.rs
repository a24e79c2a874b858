//! Krylov–Schur for the dominant invariant subspace of a general operator (Stewart, SIAM J. Matrix Anal. Appl. 23 (2001) 601), in complex
//! arithmetic: on numbers, without derivatives.

use super::vector::{Stream, axpy, combine, dot, fresh_direction, norm, orthogonalise, scale};
use crate::error::Result;
use crate::linalg::backend;
use crate::scalar::{Real, Scalar};
use std::cmp::Ordering;

/// Which eigenvalues of a general operator come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dominance {
    /// Those of the largest modulus.
    LargestMagnitude,
    /// Those of the largest real part.
    LargestReal,
    /// Those of the smallest real part.
    SmallestReal,
}

impl Dominance {
    fn key<C: Scalar>(self, z: C) -> f64 {
        match self {
            Dominance::LargestMagnitude => z.modulus().to_f64(),
            Dominance::LargestReal => z.re().to_f64(),
            Dominance::SmallestReal => -z.re().to_f64(),
        }
    }

    /// The more dominant one first; of equals (conjugate pairs, ±λ) the one with the larger real, then imaginary part.
    pub(super) fn compare<C: Scalar>(self, a: C, b: C, scale: f64) -> Ordering {
        let close = 1e3 * C::Real::EPSILON.to_f64() * scale;
        let each = |x: f64, y: f64| if (x - y).abs() <= close { Ordering::Equal } else { y.total_cmp(&x) };
        each(self.key(a), self.key(b))
            .then_with(|| each(a.re().to_f64(), b.re().to_f64()))
            .then_with(|| b.im().to_f64().total_cmp(&a.im().to_f64()))
    }
}

/// What is asked of a run.
#[derive(Clone, Copy)]
pub(super) struct Run<'a, C> {
    pub(super) apply: &'a dyn Fn(&[C]) -> Result<Vec<C>>,
    pub(super) n: usize,
    pub(super) k: usize,
    pub(super) order: Dominance,
    /// The operator is an adjoint: its eigenvalues are ordered as their conjugates are.
    pub(super) conjugate: bool,
    pub(super) subspace: usize,
    pub(super) tolerance: f64,
    pub(super) limit: usize,
}

/// A Q = Q T for the dominant k.
pub(super) struct PartialSchur<C> {
    /// The Schur vectors in rows (k, n), orthonormal.
    pub(super) rows: Vec<C>,
    /// The diagonal of T, dominant first.
    pub(super) values: Vec<C>,
    /// The next eigenvalue, if the space has one.
    pub(super) next: Option<C>,
    /// ‖A Q − Q T‖ by the recurrence.
    pub(super) residual: f64,
    pub(super) norm: f64,
    pub(super) products: usize,
    pub(super) converged: bool,
}

/// Exchanges the eigenvalues p and p + 1 on the diagonal of an upper triangular T (m × m) by a rotation, also of the columns of Z.
fn exchange<C: Scalar>(t: &mut [C], z: &mut [C], m: usize, p: usize) {
    let (a, b) = (t[p * m + p + 1], t[(p + 1) * m + p + 1] - t[p * m + p]);
    let size = a.modulus().to_f64().hypot(b.modulus().to_f64());
    if size == 0.0 {
        return;
    }
    let by = C::from_real(C::Real::from_f64(1.0 / size));
    let (a, b) = (a * by, b * by);
    // the first column is the eigenvector of the second eigenvalue
    let turn = |x: &mut [C], y: usize| {
        let (u, v) = (x[y], x[y + 1]);
        x[y] = u * a + v * b;
        x[y + 1] = v * a.conj() - u * b.conj();
    };
    for i in 0..m {
        turn(t, i * m + p);
        turn(z, i * m + p);
    }
    for j in 0..m {
        let (u, v) = (t[p * m + j], t[(p + 1) * m + j]);
        t[p * m + j] = a.conj() * u + b.conj() * v;
        t[(p + 1) * m + j] = a * v - b * u;
    }
    t[(p + 1) * m + p] = C::zero();
}

impl<C: Scalar<Complex = C>> Run<'_, C> {
    fn sort(&self, t: &mut [C], z: &mut [C], m: usize, norm: f64) {
        let seen = |x: C| if self.conjugate { x.conj() } else { x };
        for i in 0..m {
            let mut best = i;
            for j in i + 1..m {
                if self.order.compare(seen(t[j * m + j]), seen(t[best * m + best]), norm) == Ordering::Less {
                    best = j;
                }
            }
            for p in (i..best).rev() {
                exchange(t, z, m, p);
            }
        }
    }

    /// As [`Run::run`], with the copies of multiple eigenvalues, of which a search from one vector sees one: in the complement of the space Q
    /// that was found, (1 − QQ†) A has the rest of the spectrum, and what is as dominant there joins the space.
    pub(super) fn run_with_copies(&self, start: &[C], stream: &mut Stream) -> Result<PartialSchur<C>> {
        let (n, k) = (self.n, self.k);
        let seen = |x: C| if self.conjugate { x.conj() } else { x };
        let mut found = self.run(start)?;
        while found.converged && k < n && found.products < self.limit {
            let (rows, norm_of_a, last) = (&found.rows, found.norm, found.values[k - 1]);
            // the space itself goes to the far end of the order
            let away = match self.order {
                Dominance::LargestMagnitude => 0.0,
                Dominance::LargestReal => -2.0 * norm_of_a,
                Dominance::SmallestReal => 2.0 * norm_of_a,
            };
            let outside = |x: &[C], inside: &mut [C]| {
                let mut x = x.to_vec();
                for row in rows.chunks_exact(n) {
                    let along = dot(row, &x);
                    axpy(along, row, inside);
                    axpy(-along, row, &mut x);
                }
                x
            };
            let deflated = |x: &[C]| {
                let mut inside = vec![C::zero(); n];
                let image = (self.apply)(&outside(x, &mut inside))?;
                let mut image = outside(&image, &mut vec![C::zero(); n]);
                axpy(C::from_real(C::Real::from_f64(away)), &inside, &mut image);
                Ok(image)
            };
            let search = |tolerance: f64, limit: usize, start: &[C]| {
                let run = Run { apply: &deflated, k: 1, subspace: self.subspace.clamp(3, 40), tolerance, limit, ..*self };
                run.run(start)
            };
            let start = outside(&stream.vector::<C>(n), &mut vec![C::zero(); n]);
            let mut other = search(1e-4, self.limit - found.products, &start)?;
            let mut products = other.products;
            if self.order.key(seen(other.values[0])) > self.order.key(seen(last)) - 1e-2 * norm_of_a {
                other = search(self.tolerance, (self.limit - found.products).saturating_sub(products).max(1), &other.rows)?;
                products += other.products;
            }
            let new = other.values[0];
            found.products += products;
            found.converged &= other.converged;
            if !other.converged || self.order.compare(seen(new), seen(last), norm_of_a) != Ordering::Less {
                let copy = (new - last).modulus().to_f64() <= C::Real::EPSILON.to_f64().powf(0.75) * norm_of_a;
                if other.converged && copy {
                    found.next = Some(new);
                }
                return Ok(found);
            }
            self.join(&mut found, &other.rows)?;
        }
        Ok(found)
    }

    /// Adds a vector that makes Q's space with it invariant, and keeps the dominant k.
    fn join(&self, found: &mut PartialSchur<C>, vector: &[C]) -> Result<()> {
        let (n, k, m) = (self.n, self.k, self.k + 1);
        let mut extra = vector.to_vec();
        let (_, left) = orthogonalise(&found.rows, k, &mut extra);
        scale(1.0 / left, &mut extra);
        found.rows.extend(extra);
        let images = found.rows.chunks_exact(n).map(|row| (self.apply)(row)).collect::<Result<Vec<_>>>()?;
        found.products += m;
        let projected: Vec<C> = (0..m * m).map(|at| dot(&found.rows[(at / m) * n..(at / m + 1) * n], &images[at % m])).collect();
        let (mut t, mut z) = backend::schur(&projected, m)?;
        self.sort(&mut t, &mut z, m, found.norm);
        let coefficients: Vec<C> = (0..k * m).map(|at| z[(at % m) * m + at / m]).collect();
        found.rows = combine(&coefficients, k, &found.rows, m, n);
        found.values = (0..k).map(|i| t[i * m + i]).collect();
        found.next = Some(t[k * m + k]);
        Ok(())
    }

    pub(super) fn run(&self, start: &[C]) -> Result<PartialSchur<C>> {
        let (n, k) = (self.n, self.k);
        let m = self.subspace.min(n);
        let eps = C::Real::EPSILON.to_f64();
        let mut stream = Stream::new(0xa12);
        let mut basis = start.to_vec();
        let size = norm(start);
        if size > 0.0 {
            scale(1.0 / size, &mut basis);
        } else {
            basis = fresh_direction(&mut stream, &[], 0, n).unwrap_or_default();
        }
        let mut h = vec![C::zero(); m * m];
        let (mut kept, mut products, mut size_of_a) = (0, 0, 0.0f64);
        loop {
            let (mut beta, mut residual) = (0.0, Vec::new());
            for j in kept..m {
                let mut w = (self.apply)(&basis[j * n..(j + 1) * n])?;
                products += 1;
                size_of_a = size_of_a.max(norm(&w));
                let (c, left) = orthogonalise(&basis, j + 1, &mut w);
                c.iter().enumerate().for_each(|(i, &c)| h[i * m + j] = c);
                beta = if left <= 4.0 * eps * size_of_a { 0.0 } else { left };
                if beta > 0.0 {
                    scale(1.0 / beta, &mut w);
                } else {
                    match fresh_direction(&mut stream, &basis, j + 1, n) {
                        Some(fresh) => w = fresh,
                        None => w.fill(C::zero()),
                    }
                }
                if j + 1 < m {
                    h[(j + 1) * m + j] = C::from_real(C::Real::from_f64(beta));
                    basis.extend_from_slice(&w);
                } else {
                    residual = w;
                }
            }
            let (mut t, mut z) = backend::schur(&h, m)?;
            self.sort(&mut t, &mut z, m, size_of_a);
            let coupling: Vec<C> = (0..m).map(|i| z[(m - 1) * m + i] * C::from_real(C::Real::from_f64(beta))).collect();
            let estimate = norm(&coupling[..k]);
            let converged = estimate <= self.tolerance * size_of_a || m == n;
            let vectors = |count: usize| -> Vec<C> { (0..count * m).map(|at| z[(at % m) * m + at / m]).collect() };
            if converged || products >= self.limit {
                return Ok(PartialSchur {
                    rows: combine(&vectors(k), k, &basis, m, n),
                    values: (0..k).map(|i| t[i * m + i]).collect(),
                    next: (k < m).then(|| t[k * m + k]),
                    residual: estimate,
                    norm: size_of_a,
                    products,
                    converged,
                });
            }
            kept = (k + (m - k) * 2 / 5).min(m - 1);
            basis = combine(&vectors(kept), kept, &basis, m, n);
            basis.extend_from_slice(&residual);
            h.fill(C::zero());
            for i in 0..kept {
                h[i * m..i * m + kept].copy_from_slice(&t[i * m..i * m + kept]);
            }
            h[kept * m..kept * m + kept].copy_from_slice(&coupling[..kept]);
        }
    }
}

/// Rows Y with ⟨Yᵢ, Xⱼ⟩ = δᵢⱼ in the span of L; `None` where the two spaces are not dual to each other.
pub(super) fn biorthonormal<C: Scalar>(x: &[C], l: &[C], k: usize, n: usize) -> Result<Option<Vec<C>>> {
    // M = L†X; Y = L M⁻†, so Yᵀ = conj(M⁻¹) Lᵀ
    let m: Vec<C> = (0..k * k).map(|at| dot(&l[(at / k) * n..(at / k + 1) * n], &x[(at % k) * n..(at % k + 1) * n])).collect();
    let smallest = backend::svdvals(&m, k, k)?.last().map_or(1.0, |s| s.to_f64());
    if smallest < 10.0 * C::Real::EPSILON.to_f64().sqrt() {
        return Ok(None);
    }
    let inverse: Vec<C> = backend::inv(&m, k)?.into_iter().map(C::conj).collect();
    Ok(Some(combine(&inverse, k, l, k, n)))
}
