//! The blocks of a matrix that exact zeros keep apart: rows and columns that meet, directly or through others, in entries that are not zero.
//!
//! A conserved quantity (the parity of Ising spins, a charge) makes the matrices of a tensor network block-diagonal up to a permutation.
//! Nobody has to name it: a matrix without such structure is recognised after a row or two, one with it costs a pass over its entries.

use super::gemm::Matrix;
use crate::scalar::Scalar;

/// Rows and columns of a block, ascending.
pub struct Block {
    pub rows: Vec<usize>,
    pub cols: Vec<usize>,
}

/// The indices that contribute to a block of a product A B: rows of A, the sum, columns of B.
pub struct Part {
    pub rows: Vec<usize>,
    pub inner: Vec<usize>,
    pub cols: Vec<usize>,
}

impl Part {
    /// Adds the product of this part to the whole one, a row-major matrix of n columns.
    pub fn add<T: Scalar>(&self, product: &[T], n: usize, c: &mut [T]) {
        for (row, &i) in product.chunks_exact(self.cols.len()).zip(&self.rows) {
            let c = &mut c[i * n..(i + 1) * n];
            row.iter().zip(&self.cols).for_each(|(&x, &j)| c[j] += x);
        }
    }
}

/// The block of an index; zero rows and columns are in none.
type Label = Option<u32>;

/// Disjoint sets of 0 .. n. Every index knows its set's name, so a run of indices is compared with one name.
struct Sets {
    name: Vec<u32>,
    /// Sets, and indices that are in none yet.
    pieces: usize,
}

/// The name of what is in no set.
const NONE: u32 = u32::MAX;

impl Sets {
    fn new(n: usize) -> Self {
        Sets { name: vec![NONE; n], pieces: n }
    }

    /// The set of an index, a new one if it was in none.
    fn found(&mut self, i: usize) -> u32 {
        if self.name[i] == NONE {
            self.name[i] = i as u32;
        }
        self.name[i]
    }

    fn unite(&mut self, i: usize, j: usize) {
        let (into, from) = (self.found(i), self.name[j]);
        if into == from {
            return;
        }
        self.pieces -= 1;
        if from == NONE {
            self.name[j] = into;
            return;
        }
        self.name.iter_mut().filter(|name| **name == from).for_each(|name| *name = into);
    }

    /// Puts the places of a row's entries in the set of i.
    fn unite_line<T: Scalar>(&mut self, i: usize, line: &[T]) {
        let name = self.found(i);
        // most rows bring nothing new, and looking for that has no branches
        if line.iter().zip(&self.name).fold(false, |any, (x, &other)| any | (!x.is_zero() & (other != name))) {
            (0..line.len()).filter(|&j| !line[j].is_zero()).for_each(|j| self.unite(i, j));
        }
    }

    /// The sets numbered from 0.
    fn numbered(&self) -> (Vec<Label>, usize) {
        let (mut number, mut count) = (vec![None; self.name.len()], 0);
        let label = |name: &u32| {
            (*name != NONE).then(|| {
                *number[*name as usize].get_or_insert_with(|| {
                    count += 1;
                    count - 1
                })
            })
        };
        let labels = self.name.iter().map(label).collect();
        (labels, count as usize)
    }
}

/// The blocks of the rows and of the columns, and how many there are; `None` for a matrix in one piece.
fn labels<T: Scalar>(a: &Matrix<T>, m: usize, n: usize) -> Option<(Vec<Label>, Vec<Label>, usize)> {
    if a.col_stride > a.row_stride {
        return labels(&a.transposed(), n, m).map(|(cols, rows, count)| (rows, cols, count));
    }
    let mut sets = Sets::new(n);
    // of each row the first entry that is not zero
    let mut first = vec![None; m];
    for i in 0..m {
        let line = &a.data[i * a.row_stride..];
        first[i] = if a.col_stride == 1 {
            unite_line(&line[..n], &mut sets)
        } else {
            unite_line(&line.iter().step_by(a.col_stride).take(n).copied().collect::<Vec<T>>(), &mut sets)
        };
        if sets.pieces == 1 {
            return None;
        }
    }
    let (cols, count) = sets.numbered();
    let rows = first.into_iter().map(|first| first.and_then(|j: usize| cols[j])).collect();
    Some((rows, cols, count))
}

/// Puts the places of a row's entries in one set; returns the first of them.
fn unite_line<T: Scalar>(line: &[T], sets: &mut Sets) -> Option<usize> {
    let first = line.iter().position(|x| !x.is_zero())?;
    sets.unite_line(first, line);
    Some(first)
}

fn members(labels: &[Label], count: usize) -> Vec<Vec<usize>> {
    let mut members = vec![vec![]; count];
    for (i, label) in labels.iter().enumerate() {
        if let Some(label) = label {
            members[*label as usize].push(i);
        }
    }
    members
}

/// The blocks of a matrix, `None` if it is in one piece. Zero rows and columns are in no block.
pub fn blocks<T: Scalar>(a: &Matrix<T>, m: usize, n: usize) -> Option<Vec<Block>> {
    let (rows, cols, count) = labels(a, m, n)?;
    let pairs = members(&rows, count).into_iter().zip(members(&cols, count));
    Some(pairs.map(|(rows, cols)| Block { rows, cols }).collect())
}

/// The blocks of a Hermitian matrix, of which the lower triangle is read; `None` if it is in one piece.
pub fn hermitian_blocks<T: Scalar>(a: &[T], n: usize) -> Option<Vec<Vec<usize>>> {
    let mut sets = Sets::new(n);
    for i in 0..n {
        sets.unite_line(i, &a[i * n..i * n + i]);
    }
    if sets.pieces <= 1 {
        return None;
    }
    let (labels, count) = sets.numbered();
    Some(members(&labels, count))
}

/// The parts of the product of A (m × k) and B (k × n), `None` if it is in one piece.
pub fn parts<T: Scalar>(a: &Matrix<T>, b: &Matrix<T>, m: usize, k: usize, n: usize) -> Option<Vec<Part>> {
    let (rows, left, of_a) = labels(a, m, k)?;
    let (right, cols, of_b) = labels(b, k, n)?;
    let mut sets = Sets::new(of_a + of_b);
    for (left, right) in left.iter().zip(&right) {
        if let (Some(left), Some(right)) = (*left, *right) {
            sets.unite(left as usize, of_a + right as usize);
        }
    }
    let (joined, count) = sets.numbered();
    let through = |labels: Vec<Label>, offset: usize| -> Vec<Label> {
        labels.into_iter().map(|label| label.and_then(|label| joined[offset + label as usize])).collect()
    };
    // an index of the sum that only one side has contributes nothing
    let inner: Vec<Label> = left.iter().zip(&right).map(|(left, right)| right.and(*left).and_then(|l| joined[l as usize])).collect();
    let (rows, cols) = (members(&through(rows, 0), count), members(&through(cols, of_a), count));
    let parts = rows.into_iter().zip(members(&inner, count)).zip(cols);
    Some(parts.map(|((rows, inner), cols)| Part { rows, inner, cols }).collect())
}

/// The entries at these rows and columns, row-major.
pub fn gather<T: Copy>(a: &Matrix<T>, rows: &[usize], cols: &[usize]) -> Vec<T> {
    let mut out = Vec::with_capacity(rows.len() * cols.len());
    for &i in rows {
        let row = &a.data[i * a.row_stride..];
        if a.col_stride == 1 {
            out.extend(cols.iter().map(|&j| row[j]));
        } else {
            out.extend(cols.iter().map(|&j| row[j * a.col_stride]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::gemm::{Gemm, gemm, gemm_into};
    use crate::kernels::testing::*;
    use num_complex::Complex;
    use rand::{RngExt, rngs::StdRng};

    /// A random matrix whose entries are zero unless row and column carry the same charge.
    fn charged<T: Scalar>(rng: &mut StdRng, rows: &[usize], cols: &[usize]) -> Vec<T> {
        let data = random::<T>(rng, rows.len() * cols.len());
        let at = |i: usize| (rows[i / cols.len()], cols[i % cols.len()]);
        data.into_iter().enumerate().map(|(i, x)| if at(i).0 == at(i).1 { x } else { T::zero() }).collect()
    }

    fn charges(rng: &mut StdRng, n: usize, kinds: usize) -> Vec<usize> {
        (0..n).map(|_| rng.random_range(0..kinds)).collect()
    }

    #[test]
    fn blocks_are_those_of_the_charges() {
        let mut rng = rng(70);
        let (rows, cols) = (charges(&mut rng, 60, 3), charges(&mut rng, 50, 3));
        let data = charged::<f64>(&mut rng, &rows, &cols);
        let a = Matrix::row_major(&data, 50);
        for (a, rows, cols) in [(a, &rows, &cols), (a.transposed(), &cols, &rows)] {
            let found = blocks(&a, rows.len(), cols.len()).expect("three blocks");
            assert_eq!(found.len(), 3);
            for block in &found {
                let charge = rows[block.rows[0]];
                let of = |charges: &[usize]| (0..charges.len()).filter(|&i| charges[i] == charge).collect::<Vec<_>>();
                assert_eq!((&block.rows, &block.cols), (&of(rows), &of(cols)));
            }
        }
    }

    #[test]
    fn a_chain_of_overlaps_is_one_piece_and_zeros_are_in_no_block() {
        let n = 9;
        let mut data = vec![0.0; n * n];
        (0..n - 1).for_each(|i| (data[i * n + i], data[i * n + i + 1]) = (1.0, 1.0));
        assert!(blocks(&Matrix::row_major(&data, n), n, n).is_none());
        // the middle of the chain cut out, with its row and column
        (0..n).for_each(|i| (data[4 * n + i], data[i * n + 4]) = (0.0, 0.0));
        let found = blocks(&Matrix::row_major(&data, n), n, n).expect("two ends");
        assert_eq!(found.len(), 2);
        assert_eq!((&found[0].rows[..], &found[0].cols[..]), (&[0, 1, 2, 3][..], &[0, 1, 2, 3][..]));
        assert_eq!((&found[1].rows[..], &found[1].cols[..]), (&[5, 6, 7][..], &[5, 6, 7, 8][..]));
        assert!(blocks(&Matrix::row_major(&[0.0; 6], 3), 2, 3).expect("nothing").is_empty());
    }

    /// C ← α A B + β C with and without the zeros being noticed: a small entry that joins the blocks is put in for the comparison.
    fn product_by_parts<T: Scalar>(tolerance: f64) {
        let mut rng = rng(71);
        let (m, k, n) = (150, 130, 140);
        for kinds in [2, 3] {
            let [rows, inner, cols] = [m, k, n].map(|len| charges(&mut rng, len, kinds));
            let (a, b) = (charged::<T>(&mut rng, &rows, &inner), charged::<T>(&mut rng, &inner, &cols));
            let c: Vec<T> = random(&mut rng, m * n);
            let alpha = random::<T>(&mut rng, 1)[0];
            let spec = |a, b| Gemm { batch: 1, m, k, n, alpha, a, b };
            let (left, right) = (Matrix::row_major(&a, k), Matrix::row_major(&b, n));
            let found = parts(&left, &right, m, k, n).expect("the charges");
            assert_eq!(found.len(), kinds);
            let naive = |beta: T| -> Vec<T> {
                let sum = |i: usize, j: usize| (0..k).fold(T::zero(), |s, l| s + a[i * k + l] * b[l * n + j]);
                (0..m * n).map(|at| alpha * sum(at / n, at % n) + beta * c[at]).collect()
            };
            assert!(max_difference(&gemm(&spec(left, right)), &naive(T::zero())) < tolerance);
            let mut got = c.clone();
            gemm_into(&spec(left, right), alpha, &mut got);
            assert!(max_difference(&got, &naive(alpha)) < tolerance);
            // the other way of storing it
            let transposed = |x: &[T], m: usize, n: usize| -> Vec<T> { (0..m * n).map(|at| x[at % m * n + at / m]).collect() };
            let (at, bt) = (transposed(&a, m, k), transposed(&b, k, n));
            let (left, right) = (Matrix::row_major(&at, m).transposed(), Matrix::row_major(&bt, k).transposed());
            assert!(max_difference(&gemm(&spec(left, right)), &naive(T::zero())) < tolerance);
        }
    }

    #[test]
    fn products_by_parts_agree_with_three_loops() {
        product_by_parts::<f64>(1e-13);
        product_by_parts::<Complex<f64>>(1e-13);
        product_by_parts::<f32>(1e-4);
    }

    #[test]
    fn what_is_not_finite_is_not_hidden() {
        let mut rng = rng(72);
        let n = 128;
        let charge: Vec<usize> = (0..n).map(|i| i % 2).collect();
        let a = charged::<f64>(&mut rng, &charge, &charge);
        let mut b = a.clone();
        b[0] = f64::NAN;
        let (left, right) = (Matrix::row_major(&a, n), Matrix::row_major(&b, n));
        let c = gemm(&Gemm { batch: 1, m: n, k: n, n, alpha: 1.0, a: left, b: right });
        assert!((0..n).all(|i| c[i * n].is_nan()), "0 · NaN in the whole column");
        // beside a row of zeros, where no part looks
        let (mut a, mut b) = (a.clone(), a);
        a[3 * n + 7] = f64::INFINITY;
        b[7 * n..8 * n].fill(0.0);
        let (left, right) = (Matrix::row_major(&a, n), Matrix::row_major(&b, n));
        let c = gemm(&Gemm { batch: 1, m: n, k: n, n, alpha: 1.0, a: left, b: right });
        assert!(c[3 * n..4 * n].iter().all(|c| c.is_nan()), "∞ · 0 in the whole row");
    }

    #[test]
    fn a_product_with_nothing_in_it_is_zero() {
        let n = 128;
        let (zeros, ones) = (vec![0.0; n * n], vec![1.0; n * n]);
        for [left, right] in [[&zeros, &zeros], [&ones, &zeros], [&zeros, &ones]] {
            let spec = Gemm { batch: 1, m: n, k: n, n, alpha: 1.0, a: Matrix::row_major(left, n), b: Matrix::row_major(right, n) };
            assert_eq!(gemm(&spec), zeros);
            let mut c = ones.clone();
            gemm_into(&spec, 2.0, &mut c);
            assert_eq!(c, vec![2.0; n * n]);
        }
    }
}
