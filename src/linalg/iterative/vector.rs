//! Loops on vectors that the Krylov methods share. Inner products are conjugate-linear in the first argument.

use crate::kernels::gemm::{Gemm, Matrix, gemm, gemm_into};
use crate::scalar::{Real, Scalar};

/// ⟨x, y⟩
pub(crate) fn dot<T: Scalar>(x: &[T], y: &[T]) -> T {
    // independent partial sums: the additions need not wait for each other
    let mut partial = [T::zero(); 8];
    let (heads_x, heads_y) = (x.chunks_exact(8), y.chunks_exact(8));
    let tail: T = heads_x.remainder().iter().zip(heads_y.remainder()).map(|(x, y)| x.conj() * *y).sum();
    for (x, y) in heads_x.zip(heads_y) {
        for i in 0..8 {
            partial[i] += x[i].conj() * y[i];
        }
    }
    let [a, b, c, d, e, f, g, h] = partial;
    ((a + b) + (c + d)) + ((e + f) + (g + h)) + tail
}

/// Re ⟨x, y⟩
pub(crate) fn dot_re<T: Scalar>(x: &[T], y: &[T]) -> f64 {
    dot(x, y).re().to_f64()
}

/// ‖x‖₂
pub(crate) fn norm<T: Scalar>(x: &[T]) -> f64 {
    let squares = dot_re(x, x);
    if squares.is_normal() && squares < 1e300 && T::Real::EPSILON.to_f64() < 1e-10 {
        return squares.sqrt();
    }
    // the squares leave the range of the type
    let largest = x.iter().fold(0.0f64, |m, x| m.max(x.modulus().to_f64()));
    if largest == 0.0 || !largest.is_finite() {
        return if x.iter().any(|x| x.is_nan()) { f64::NAN } else { largest };
    }
    let sum: f64 = x.iter().map(|x| (x.modulus().to_f64() / largest).powi(2)).sum();
    largest * sum.sqrt()
}

pub(crate) fn real<T: Scalar>(x: f64) -> T {
    T::from_real(T::Real::from_f64(x))
}

/// The numbers of an iterate as an [`Error`](crate::Error) carries them: the real, then the imaginary parts.
pub(crate) fn parts_of<T: Scalar>(x: &[T]) -> Vec<f64> {
    let imaginary = x.iter().filter(|_| T::IS_COMPLEX).map(|x| x.im().to_f64());
    x.iter().map(|x| x.re().to_f64()).chain(imaginary).collect()
}

/// y ← y + a x
pub(crate) fn axpy<T: Scalar>(a: T, x: &[T], y: &mut [T]) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y += a * *x);
}

/// x ← a x
pub(crate) fn scale<T: Scalar>(a: f64, x: &mut [T]) {
    let a = real::<T>(a);
    x.iter_mut().for_each(|x| *x *= a);
}

pub(crate) fn difference<T: Scalar>(x: &[T], y: &[T]) -> Vec<T> {
    x.iter().zip(y).map(|(x, y)| *x - *y).collect()
}

/// Removes from w its components along the orthonormal rows of the basis, and gives them.
pub(crate) fn project_out<T: Scalar>(basis: &[T], rows: usize, w: &mut [T]) -> Vec<T> {
    let n = w.len();
    let q = Matrix::row_major(basis, n);
    let coefficients = gemm(&Gemm { batch: 1, m: rows, k: n, n: 1, alpha: T::one(), a: q.conjugated(), b: Matrix::row_major(w, 1) });
    let b = Matrix::row_major(&coefficients, 1);
    gemm_into(&Gemm { batch: 1, m: n, k: rows, n: 1, alpha: -T::one(), a: q.transposed(), b }, T::one(), w);
    coefficients
}

/// Orthogonalises w against the orthonormal rows of the basis by classical Gram–Schmidt, a second time where much cancels
/// (Daniel, Gragg, Kaufman & Stewart, Math. Comp. 30 (1976) 772). Gives the coefficients and the norm of what is left; 0 if nothing is.
pub(crate) fn orthogonalise<T: Scalar>(basis: &[T], rows: usize, w: &mut [T]) -> (Vec<T>, f64) {
    let before = norm(w);
    if rows == 0 || !(before > 0.0) {
        return (vec![T::zero(); rows], before);
    }
    let mut coefficients = project_out(basis, rows, w);
    let mut left = norm(w);
    let mut last = before;
    for _ in 0..3 {
        if !(left <= std::f64::consts::FRAC_1_SQRT_2 * last) {
            break;
        }
        // what is left is rounding of what was there
        if left <= 4.0 * T::Real::EPSILON.to_f64() * before {
            w.fill(T::zero());
            return (coefficients, 0.0);
        }
        let more = project_out(basis, rows, w);
        coefficients.iter_mut().zip(more).for_each(|(c, m)| *c += m);
        last = left;
        left = norm(w);
    }
    (coefficients, left)
}

/// The rows of C · basis for C (k × rows, row-major): k new rows.
pub(crate) fn combine<T: Scalar>(c: &[T], k: usize, basis: &[T], rows: usize, n: usize) -> Vec<T> {
    let (a, b) = (Matrix::row_major(c, rows), Matrix::row_major(&basis[..rows * n], n));
    gemm(&Gemm { batch: 1, m: k, k: rows, n, alpha: T::one(), a, b })
}

/// A reproducible stream of numbers in (−1, 1) for start vectors (SplitMix64; Steele, Lea & Flood, OOPSLA 2014).
pub(crate) struct Stream(u64);

impl Stream {
    pub(crate) fn new(seed: u64) -> Self {
        Stream(seed)
    }
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 * (2.0 / (1u64 << 53) as f64) - 1.0
    }
    pub(crate) fn vector<T: Scalar>(&mut self, n: usize) -> Vec<T> {
        (0..n)
            .map(|_| {
                let (re, im) = (self.next(), if T::IS_COMPLEX { self.next() } else { 0.0 });
                T::from_parts(T::Real::from_f64(re), T::Real::from_f64(im))
            })
            .collect()
    }
}

/// A unit vector orthogonal to the rows of the basis, from the stream; `None` if the rows span everything.
pub(crate) fn fresh_direction<T: Scalar>(stream: &mut Stream, basis: &[T], rows: usize, n: usize) -> Option<Vec<T>> {
    for _ in 0..4 {
        if rows >= n {
            return None;
        }
        let mut w = stream.vector::<T>(n);
        let (_, left) = orthogonalise(basis, rows, &mut w);
        if left > 0.0 {
            scale(1.0 / left, &mut w);
            // once more: a random vector in few dimensions may lie close to the span
            let (_, left) = orthogonalise(basis, rows, &mut w);
            if left > 0.5 {
                scale(1.0 / left, &mut w);
                return Some(w);
            }
        }
    }
    None
}
