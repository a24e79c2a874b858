//! Contractions with a short side, at any strides: a large array with a small one, or two large ones to a small one.
//!
//! Such a product reads or writes a large array once and does little with an element, so what counts is that nothing is copied first. The
//! places of rows, columns and summed indices are tables of offsets (the block-scatter layout of D. A. Matthews, *High-performance tensor
//! contraction without transposition*, SIAM J. Sci. Comput. 40, C1, 2018), made for a tile of the long index and moved along. Blocks of a
//! few rows of C live in registers: an element of A is read alone, from wherever it is; B's rows are read as vectors, packed first if they
//! are not contiguous or are used again and again.
//!
//! How a contraction is cut into tasks depends on its lengths alone, so the bits do not depend on the number of threads.

mod block;
mod places;

use super::buffer::build;
use super::parallel::{Shared, collect, for_each};
use crate::scalar::{Scalar, ScalarKind};
use block::{Steps, Strip};
use places::{Table, Tiles, neighbours, scatter, table};
use smallvec::SmallVec;

/// An index: its length, and its strides in the two arrays that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    pub len: usize,
    pub strides: [usize; 2],
}

pub type Lines = SmallVec<[Line; 4]>;

/// C = Σ A B for a batch of products.
#[derive(Clone, Debug)]
pub struct Thin {
    /// Lengths, and strides in A, B and C.
    pub batch: SmallVec<[(usize, [usize; 3]); 2]>,
    /// Indices of A and C.
    pub rows: Lines,
    /// Indices of B and C.
    pub cols: Lines,
    /// Indices of A and B.
    pub sum: Lines,
}

/// What is small: B, which then stays packed while the rows go by, or C, to which parts of the sum are added.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Small {
    Factor,
    Result,
}

/// The most elements of a packed factor, of a result that parts are added to, and the longest sum over a packed factor.
const FACTOR: usize = 1 << 13;
const RESULT: usize = 1 << 11;
const LONGEST: usize = 1 << 9;
/// Terms of a long sum at a time.
const DEPTH: usize = 128;
/// Elements of A, and of C if they are buffered, in a tile of rows, which the panels of B go over one after the other.
const TILE: usize = 1 << 11;
/// Multiplications in a task.
const TASK: usize = 1 << 20;

/// The number of places that axes have together.
pub fn length(lines: &[Line]) -> usize {
    lines.iter().map(|l| l.len).product()
}

impl Thin {
    /// Whether this is the way to compute products of `rows` × `sum` and `sum` × `cols` elements.
    pub fn suits(rows: usize, sum: usize, cols: usize) -> bool {
        rows > 1 && Self::small(rows, sum, cols).is_some()
    }

    fn small(rows: usize, sum: usize, cols: usize) -> Option<Small> {
        if sum * cols <= FACTOR && sum <= LONGEST { Some(Small::Factor) } else { (rows * cols <= RESULT).then_some(Small::Result) }
    }

    /// An estimate in nanoseconds, for the choice between ways of doing the same.
    pub fn cost(&self) -> f64 {
        let (m, n, k) = (length(&self.rows), length(&self.cols), length(&self.sum));
        let count: usize = self.batch.iter().map(|l| l.0).product();
        let contiguous = |lines: &Lines, side: usize| lines.len() <= 1 && lines.iter().all(|l| l.strides[side] == 1);
        let work = (m * n.next_multiple_of(4) * k) as f64 * 0.035;
        let (reads, copied) = match Self::small(m, k, n) {
            Some(Small::Factor) => ((m * k + m * n) as f64, if contiguous(&self.cols, 1) { 0 } else { m * n }),
            _ => ((m * k + k * n) as f64, if contiguous(&self.cols, 0) { 0 } else { k * n }),
        };
        count as f64 * (work + 0.4 * reads + 0.4 * copied as f64 + 500.0)
    }

    /// A (batch, rows, cols) of the strides given, from A and B, each conjugated or not.
    ///
    /// # Panics
    /// If A or B end before the places that the strides name, or those of C are not 0, 1, 2, …, each once.
    pub fn run<T: Scalar>(&self, a: &[T], b: &[T], conj: (bool, bool)) -> Vec<T> {
        let (m, n, k) = (length(&self.rows), length(&self.cols), length(&self.sum));
        let count: usize = self.batch.iter().map(|l| l.0).product();
        let last = |k: usize, lines: [(&Lines, usize); 2]| {
            let inside = lines.iter().flat_map(|(lines, side)| lines.iter().map(|l| (l.len - 1) * l.strides[*side])).sum::<usize>();
            inside + self.batch.iter().map(|l| (l.0 - 1) * l.1[k]).sum::<usize>()
        };
        let len = count * m * n;
        assert!(len * k > 0, "a contraction of nothing");
        assert!(last(0, [(&self.rows, 0), (&self.sum, 0)]) < a.len(), "A has {} elements", a.len());
        assert!(last(1, [(&self.cols, 0), (&self.sum, 1)]) < b.len(), "B has {} elements", b.len());
        // strides of C that are the products of the lengths below name every place once
        let of_batch = self.batch.iter().map(|l| (l.1[2], l.0));
        let mut of_c: SmallVec<[(usize, usize); 8]> =
            self.rows.iter().chain(&self.cols).map(|l| (l.strides[1], l.len)).chain(of_batch).filter(|l| l.1 > 1).collect();
        of_c.sort_unstable();
        let covered = of_c.iter().try_fold(1, |next, l| (l.0 == next).then_some(next * l.1));
        assert!(covered == Some(len), "C is not covered: {self:?}");
        let small = Self::small(m, k, n).expect("a short side");
        let conj = (T::IS_COMPLEX && conj.0, T::IS_COMPLEX && conj.1);
        let cols = table(&self.cols);
        let places = match small {
            Small::Factor => Places {
                long: Tiles::new(&self.rows, (TILE / if neighbours(&cols[1]) { k } else { k + n }).clamp(32, 512)),
                short: table(&self.sum),
                cols,
            },
            Small::Result => Places { long: Tiles::new(&self.sum, DEPTH), short: table(&self.rows), cols },
        };
        // SAFETY: every place of C is written: `covered` above, and each product writes all of its rows and columns; the places of A and B
        // were found to be inside.
        unsafe {
            build(len, |c| {
                let c = c.as_mut_ptr().cast::<T>();
                for i in 0..count {
                    let (mut at, mut rest) = ([0; 3], i);
                    for (len, strides) in self.batch.iter().rev() {
                        (0..3).for_each(|s| at[s] += rest % len * strides[s]);
                        rest /= len;
                    }
                    let job = Job { a: a.as_ptr().add(at[0]), b: &b[at[1]..], c: c.add(at[2]), k, conj, places: &places };
                    match small {
                        Small::Factor => job.by_factor(),
                        Small::Result => job.to_result(),
                    }
                }
            })
        }
    }
}

struct Places {
    /// The rows by a small factor, the sum to a small result.
    long: Tiles,
    /// The other one of the two.
    short: Table,
    cols: Table,
}

/// A product, its places known to exist.
struct Job<'a, T> {
    a: *const T,
    b: &'a [T],
    c: *mut T,
    k: usize,
    conj: (bool, bool),
    places: &'a Places,
}

/// Columns of B that one pass takes: from which on, and how many vectors' numbers.
type Panels = Vec<(usize, usize)>;

/// The widths of panels, in real numbers: the registers hold the sums of three rows of the widest, and of more of the others.
fn widths(kind: ScalarKind) -> [usize; 3] {
    match kind {
        ScalarKind::F64 => [4, 8, 12],
        ScalarKind::F32 => [4, 8, 16],
        // a complex sum is two: those of the real and of the imaginary parts of A
        ScalarKind::C64 => [4, 4, 8],
        ScalarKind::C32 => [8, 8, 16],
    }
}

fn panels<T: Scalar>(n: usize) -> Panels {
    let parts = parts::<T>();
    let [narrow, middle, wide] = widths(T::KIND);
    let (mut panels, mut from) = (vec![], 0);
    while from < n {
        let rest = (n - from) * parts;
        let width = if rest > middle && (rest != 2 * middle || rest == wide) {
            wide
        } else if rest > narrow {
            middle
        } else {
            narrow
        };
        panels.push((from, width));
        from += width / parts;
    }
    panels
}

fn parts<T: Scalar>() -> usize {
    if T::IS_COMPLEX { 2 } else { 1 }
}

/// Columns of a buffer that holds whole panels.
fn padded<T: Scalar>(panels: &Panels) -> usize {
    panels.last().map_or(0, |&(from, width)| from + width / parts::<T>())
}

/// A panel of B with zeros beyond its last column, row after row.
fn pack<T: Scalar>(b: &[T], rows: &[usize], cols: &[usize], width: usize, out: &mut Vec<T>) {
    for &row in rows {
        out.extend(cols.iter().map(|&col| b[row + col]));
        out.extend(std::iter::repeat_n(T::zero(), width - cols.len()));
    }
}

impl<T: Scalar> Job<'_, T> {
    /// A long C: tiles of rows, each times all panels of B.
    ///
    /// # Safety
    /// The places exist, and nothing else accesses those of C.
    unsafe fn by_factor(&self) {
        let Places { long: tiles, short: [sum_a, sum_b], cols: [cols_b, cols_c] } = self.places;
        let panels = panels::<T>(cols_b.len());
        let parts = parts::<T>();
        let mut packed: Vec<T> = Vec::with_capacity(self.k * padded::<T>(&panels));
        for &(from, width) in &panels {
            let cols = &cols_b[from..cols_b.len().min(from + width / parts)];
            pack(self.b, sum_b, cols, width / parts, &mut packed);
        }
        let contiguous = neighbours(cols_c);
        let stride = padded::<T>(&panels);
        let per_task = (TASK / (tiles.inside[0].len() * self.k * cols_b.len())).max(1);
        let this = Shared(self as *const Self);
        let (packed, panels) = (&packed, &panels);
        for_each(tiles.count.div_ceil(per_task), &move |task| {
            // SAFETY: `self` outlives the loop; tiles are disjoint in C.
            let this = unsafe { &*this.get() };
            let mut buffer: Vec<T> = if contiguous { vec![] } else { vec![T::zero(); tiles.inside[0].len() * stride] };
            let rows_of_buffer: Vec<usize> = if contiguous { vec![] } else { (0..tiles.inside[0].len()).map(|i| i * stride).collect() };
            for tile in task * per_task..tiles.count.min((task + 1) * per_task) {
                let ([at_a, at_c], rows) = tiles.get(tile);
                // SAFETY: the tile's places exist in A and in C; the buffer has a whole number of panels in each row.
                unsafe {
                    let c = this.c.add(at_c);
                    for &(from, width) in panels {
                        let columns = (cols_b.len() - from).min(width / parts);
                        let (to, at, columns) = if contiguous {
                            (c.add(from), &tiles.inside[1][..rows], columns)
                        } else {
                            (buffer.as_mut_ptr().add(from), &rows_of_buffer[..rows], width / parts)
                        };
                        let panel = packed.as_ptr().add(from * this.k);
                        Strip {
                            a: this.a.add(at_a),
                            rows_a: &tiles.inside[0][..rows],
                            sum_a,
                            b: panel,
                            sum_b: Steps::Every(width / parts),
                            c: to,
                            rows_c: at,
                            columns,
                            conj: this.conj,
                            add: false,
                        }
                        .run(width);
                    }
                    if !contiguous {
                        scatter(&buffer, stride, &tiles.inside[1][..rows], cols_c, c);
                    }
                }
            }
        });
    }

    /// A long sum: parts of it, each on a C of its own, added in their order.
    ///
    /// # Safety
    /// As [`Job::by_factor`].
    unsafe fn to_result(&self) {
        let Places { long: tiles, short: [rows_a, rows_c], cols: [cols_b, cols_c] } = self.places;
        let panels = panels::<T>(cols_b.len());
        let parts = parts::<T>();
        let stride = padded::<T>(&panels);
        let size = rows_a.len() * stride;
        let rows_of_buffer: Vec<usize> = (0..rows_a.len()).map(|i| i * stride).collect();
        let contiguous = neighbours(cols_b);
        let per_task = (TASK / (tiles.inside[0].len() * rows_a.len() * cols_b.len())).max(1).max(tiles.count.div_ceil(64));
        let this = Shared(self as *const Self);
        let sums = collect(tiles.count.div_ceil(per_task), move |task| {
            // SAFETY: `self` outlives the loop.
            let this = unsafe { &*this.get() };
            let mut sums = vec![T::zero(); size];
            let mut packed: Vec<T> = vec![];
            for tile in task * per_task..tiles.count.min((task + 1) * per_task) {
                let ([at_a, at_b], terms) = tiles.get(tile);
                let (sum_a, sum_b) = (&tiles.inside[0][..terms], &tiles.inside[1][..terms]);
                let b = &this.b[at_b..];
                let longest = sum_b.iter().max().copied().unwrap_or(0);
                for &(from, width) in &panels {
                    let cols = &cols_b[from..cols_b.len().min(from + width / parts)];
                    // a vector may go over the end of a row, but not over that of B; sums from there are in columns that nobody reads
                    let (panel, steps) = if contiguous && longest + from + width / parts <= b.len() {
                        (&b[from..], Steps::Table(sum_b))
                    } else {
                        packed.clear();
                        pack(b, sum_b, cols, width / parts, &mut packed);
                        (&packed[..], Steps::Every(width / parts))
                    };
                    // SAFETY: the tile's places exist in A and in the panel; the buffer has whole panels in each row.
                    unsafe {
                        Strip {
                            a: this.a.add(at_a),
                            rows_a,
                            sum_a,
                            b: panel.as_ptr(),
                            sum_b: steps,
                            c: sums.as_mut_ptr().add(from),
                            rows_c: &rows_of_buffer,
                            columns: width / parts,
                            conj: this.conj,
                            add: true,
                        }
                        .run(width);
                    }
                }
            }
            sums
        });
        let mut sums = sums.into_iter();
        let mut total = sums.next().expect("a tile");
        sums.for_each(|part| total.iter_mut().zip(&part).for_each(|(t, &p)| *t += p));
        // SAFETY: rows and columns of C exist.
        unsafe { scatter(&total, stride, rows_c, cols_c, self.c) };
    }
}
