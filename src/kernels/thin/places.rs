//! Where the elements of tiles are.

use super::{Line, Lines, length};
use crate::kernels::parallel::Shared;
use crate::kernels::simd::vectorize;
use crate::scalar::Scalar;

/// Offsets in two arrays.
pub type Table = [Vec<usize>; 2];

/// The offsets of all multi-indices, the last index fastest.
pub fn table(lines: &[Line]) -> Table {
    let mut table = [vec![0], vec![0]];
    lines.iter().rev().for_each(|l| extend(&mut table, l.len, l.strides));
    table
}

/// Whether the places are 0, 1, 2, …
pub fn neighbours(table: &[usize]) -> bool {
    table.iter().enumerate().all(|(i, &at)| at == i)
}

/// Repeats a table `len` times, each a step further.
fn extend(table: &mut Table, len: usize, strides: [usize; 2]) {
    for (table, stride) in table.iter_mut().zip(strides) {
        let n = table.len();
        table.reserve((len - 1) * n);
        for i in 1..len {
            table.extend_from_within(..n);
            table[i * n..].iter_mut().for_each(|at| *at += i * stride);
        }
    }
}

/// A long index in tiles: the offsets inside one, which are the same for all, and where each begins.
pub struct Tiles {
    pub inside: Table,
    /// The slowest index inside, if a tile has a part of it only: places of the others, part, and the whole.
    cut: Option<(usize, usize, Line)>,
    outside: Lines,
    pub count: usize,
}

impl Tiles {
    /// Tiles of at most `most` places, that go through whole cache lines of both arrays.
    pub fn new(lines: &[Line], most: usize) -> Tiles {
        let mut left = Lines::from_slice(lines);
        let mut ordered = Lines::new();
        for side in [1, 0] {
            left.sort_unstable_by_key(|l| l.strides[side]);
            while length(&ordered) < [64, 8][side] && !left.is_empty() && (side == 1 || left[0].strides[0] < 8) {
                ordered.push(left.remove(0));
            }
        }
        left.sort_unstable_by_key(|l| l.strides[1]);
        ordered.extend(left);
        let mut tiles = Tiles { inside: [vec![0], vec![0]], cut: None, outside: Lines::new(), count: 1 };
        let mut full = false;
        for line in ordered {
            let n = tiles.inside[0].len();
            let part = if full { 1 } else { line.len.min(most / n) };
            full |= part < line.len;
            if part == line.len {
                extend(&mut tiles.inside, part, line.strides);
                continue;
            }
            if part > 1 {
                extend(&mut tiles.inside, part, line.strides);
                tiles.cut = Some((n, part, line));
            }
            let step = Line { len: line.len.div_ceil(part), strides: line.strides.map(|s| s * part) };
            tiles.count *= step.len;
            tiles.outside.push(step);
        }
        tiles
    }

    /// Where tile i begins in both arrays, and how many places it has.
    pub fn get(&self, mut i: usize) -> ([usize; 2], usize) {
        let places = match &self.cut {
            None => self.inside[0].len(),
            // the index that is cut is the first outside
            Some((n, part, line)) => n * (*part).min(line.len - i % self.outside[0].len * part),
        };
        let mut at = [0; 2];
        for line in &self.outside {
            let step = i % line.len;
            i /= line.len;
            (0..2).for_each(|k| at[k] += step * line.strides[k]);
        }
        (at, places)
    }
}

/// Copies a buffer's rows of `stride` elements to C, several columns at a time where they are neighbours there, or else four rows.
///
/// # Safety
/// The places of C exist, and nothing else accesses them; `buffer` has `stride` elements for each row, and a column for each of `cols`.
pub unsafe fn scatter<T: Scalar>(buffer: &[T], stride: usize, rows: &[usize], cols: &[usize], c: *mut T) {
    let run = cols.iter().zip(cols[0]..).take_while(|(at, next)| *at == next).count();
    let runs = cols.chunks(run).all(|part| part.iter().zip(part[0]..).all(|(&at, next)| at == next));
    assert!(rows.len() * stride <= buffer.len() && cols.len() <= stride);
    let c = Shared(c);
    vectorize!([T: Scalar] [T] |buffer: &'a [T], stride: usize, rows: &'a [usize], cols: &'a [usize], run: usize, runs: bool, c: Shared<*mut T>| -> () {
        let c = c.get();
        // SAFETY: the contract of `scatter`; the buffer's bounds are asserted above, and runs of columns are neighbours on both sides.
        unsafe {
            match run {
                _ if !runs || run == 1 => scatter_rows(buffer, stride, rows, cols, c),
                run if run % 4 == 0 => scatter_runs::<T, 4>(buffer, stride, rows, cols, c),
                run if run % 3 == 0 => scatter_runs::<T, 3>(buffer, stride, rows, cols, c),
                run if run % 2 == 0 => scatter_runs::<T, 2>(buffer, stride, rows, cols, c),
                _ => scatter_rows(buffer, stride, rows, cols, c),
            }
        }
    })
}

/// Columns come in runs of a multiple of R, except for a last one that is shorter.
#[inline(always)]
unsafe fn scatter_runs<T: Copy, const R: usize>(buffer: &[T], stride: usize, rows: &[usize], cols: &[usize], c: *mut T) {
    let (runs, rest) = cols.as_chunks::<R>();
    for (j, run) in runs.iter().enumerate() {
        for (i, &row) in rows.iter().enumerate() {
            // SAFETY: as `scatter`.
            unsafe { *c.add(row + run[0]).cast::<[T; R]>() = *buffer.as_ptr().add(i * stride + j * R).cast::<[T; R]>() };
        }
    }
    for (j, &col) in rest.iter().enumerate() {
        for (i, &row) in rows.iter().enumerate() {
            // SAFETY: as `scatter`.
            unsafe { *c.add(row + col) = *buffer.get_unchecked(i * stride + runs.len() * R + j) };
        }
    }
}

/// Four rows that are neighbours in C are transposed four columns at a time.
#[inline(always)]
unsafe fn scatter_rows<T: Copy>(buffer: &[T], stride: usize, rows: &[usize], cols: &[usize], c: *mut T) {
    let (fours, rest) = cols.as_chunks::<4>();
    let from = buffer.as_ptr();
    let mut i = 0;
    while i < rows.len() {
        let row = rows[i];
        // SAFETY: as `scatter`.
        unsafe {
            if i + 4 <= rows.len() && rows[i + 1] == row + 1 && rows[i + 2] == row + 2 && rows[i + 3] == row + 3 {
                for (j, four) in fours.iter().enumerate() {
                    let block: [[T; 4]; 4] = std::array::from_fn(|r| *from.add((i + r) * stride + 4 * j).cast::<[T; 4]>());
                    for k in 0..4 {
                        *c.add(row + four[k]).cast::<[T; 4]>() = std::array::from_fn(|r| block[r][k]);
                    }
                }
                for (j, &col) in rest.iter().enumerate() {
                    let at = 4 * fours.len() + j;
                    *c.add(row + col).cast::<[T; 4]>() = std::array::from_fn(|r| *from.add((i + r) * stride + at));
                }
                i += 4;
            } else {
                cols.iter().enumerate().for_each(|(j, &col)| *c.add(row + col) = *from.add(i * stride + j));
                i += 1;
            }
        }
    }
}
