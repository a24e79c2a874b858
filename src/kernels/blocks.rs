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
