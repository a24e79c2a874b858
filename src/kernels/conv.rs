//! Convolutions of batches with channels, in one or two axes, as products with the matrix of windows.
//!
//! With cols[(c, u), o] = x[c, o s + u − p] the value is Y = W cols, and the three contractions of the form Σ y x w (value, gradient by x,
//! gradient by w) are products with cols or its adjoint. The windows of one item at a time are laid out, so they stay in the cache
//! and are never stored for the whole batch; items are shared among threads, in groups that depend on lengths alone.

use super::gemm::{Gemm, Matrix, gemm_into};
use super::parallel::{collect, for_parts};
use crate::Scalar;

/// What lies beyond the edges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Edge {
    /// Zeros.
    Zeros,
    /// The other side.
    Periodic,
}

/// The lengths of a convolution; one axis is two with the first of length 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Geometry {
    /// Channels of x.
    pub inputs: usize,
    /// Channels of y.
    pub outputs: usize,
    /// Axes of x.
    pub size: [usize; 2],
    /// Axes of the kernel.
    pub kernel: [usize; 2],
    /// From one window to the next.
    pub stride: [usize; 2],
    /// How far the first window begins before x.
    pub before: [usize; 2],
    /// Axes of y.
    pub out: [usize; 2],
    /// What lies beyond.
    pub edge: Edge,
}

impl Geometry {
    /// Numbers of an item of x.
    pub fn x_len(&self) -> usize {
        self.inputs * self.size[0] * self.size[1]
    }
    /// Numbers of an item of y.
    pub fn y_len(&self) -> usize {
        self.outputs * self.places()
    }
    /// Numbers of a window.
    pub fn window(&self) -> usize {
        self.inputs * self.kernel[0] * self.kernel[1]
    }
    /// Windows of an item.
    pub fn places(&self) -> usize {
        self.out[0] * self.out[1]
    }

    /// The place in x of output place o and kernel place u along an axis.
    fn place(&self, axis: usize, o: usize, u: usize) -> Option<usize> {
        let (at, n) = ((o * self.stride[axis] + u) as isize - self.before[axis] as isize, self.size[axis] as isize);
        match self.edge {
            Edge::Periodic => Some(at.rem_euclid(n) as usize),
            Edge::Zeros => (0..n).contains(&at).then_some(at as usize),
        }
    }

    /// Visits the runs of consecutive numbers that windows share with x: (place in cols, place in x, length); numbers beyond the
    /// edge are in no run.
    fn runs(&self, mut f: impl FnMut(usize, usize, usize)) {
        let [h, w] = self.size;
        let mut col = 0;
        for c in 0..self.inputs {
            for u in 0..self.kernel[0] {
                for v in 0..self.kernel[1] {
                    for i in 0..self.out[0] {
                        if let Some(y) = self.place(0, i, u) {
                            let row = (c * h + y) * w;
                            let mut j = 0;
                            while j < self.out[1] {
                                let Some(x) = self.place(1, j, v) else {
                                    j += 1;
                                    continue;
                                };
                                let n = if self.stride[1] == 1 { (w - x).min(self.out[1] - j) } else { 1 };
                                f(col + j, row + x, n);
                                j += n;
                            }
                        }
                        col += self.out[1];
                    }
                }
            }
        }
    }

    /// cols from x; `cols` is zero where nothing is written.
    fn unfold<T: Scalar>(&self, x: &[T], cols: &mut [T]) {
        self.runs(|to, from, n| cols[to..to + n].copy_from_slice(&x[from..from + n]));
    }

    /// x ← x + the adjoint of `unfold` of cols.
    fn fold<T: Scalar>(&self, cols: &[T], x: &mut [T]) {
        self.runs(|from, to, n| x[to..to + n].iter_mut().zip(&cols[from..from + n]).for_each(|(x, c)| *x += *c));
    }

    fn cols<T: Scalar>(&self) -> Vec<T> {
        vec![T::zero(); self.window() * self.places()]
    }

    /// Items of a task: some 2²⁰ multiply-adds.
    fn items(&self) -> usize {
        ((1 << 20) / (self.window() * self.y_len()).max(1)).max(1)
    }
}

/// Products of row-major matrices, either of them transposed.
fn product<T: Scalar>([m, k, n]: [usize; 3], a: Matrix<T>, b: Matrix<T>, beta: T, c: &mut [T]) {
    gemm_into(&Gemm { batch: 1, m, k, n, alpha: T::one(), a, b }, beta, c);
}

/// y = w ∗ x + b for x of shape (batch, inputs, …), w of (outputs, inputs, …) and b of (outputs).
pub fn value<T: Scalar>(g: &Geometry, x: &[T], w: &[T], bias: Option<&[T]>) -> Vec<T> {
    let (nx, ny, k, l) = (g.x_len(), g.y_len(), g.window(), g.places());
    let batch = x.len().checked_div(nx).unwrap_or(0);
    let mut y = vec![T::zero(); batch * ny];
    if y.is_empty() {
        return y;
    }
    for_parts(&mut y, g.items() * ny, |start, part| {
        let mut cols = g.cols();
        for (i, y) in part.chunks_mut(ny).enumerate() {
            let item = start / ny + i;
            g.unfold(&x[item * nx..(item + 1) * nx], &mut cols);
            if let Some(bias) = bias {
                y.chunks_mut(l).zip(bias).for_each(|(y, b)| y.fill(*b));
            }
            product([g.outputs, k, l], Matrix::row_major(w, k), Matrix::row_major(&cols, l), T::one(), y);
        }
    });
    y
}

/// x̄ = Σ ȳ w: the gradient by x.
pub fn by_input<T: Scalar>(g: &Geometry, y: &[T], w: &[T]) -> Vec<T> {
    let (nx, ny, k, l) = (g.x_len(), g.y_len(), g.window(), g.places());
    let batch = y.len().checked_div(ny).unwrap_or(0);
    let mut x = vec![T::zero(); batch * nx];
    if x.is_empty() {
        return x;
    }
    for_parts(&mut x, g.items() * nx, |start, part| {
        let mut cols = g.cols();
        for (i, x) in part.chunks_mut(nx).enumerate() {
            let item = start / nx + i;
            let y = &y[item * ny..(item + 1) * ny];
            product([k, g.outputs, l], Matrix::row_major(w, k).transposed(), Matrix::row_major(y, l), T::zero(), &mut cols);
            g.fold(&cols, x);
        }
    });
    x
}

/// w̄ = Σ ȳ x: the gradient by the kernel.
pub fn by_kernel<T: Scalar>(g: &Geometry, x: &[T], y: &[T]) -> Vec<T> {
    let (nx, ny, k, l) = (g.x_len(), g.y_len(), g.window(), g.places());
    let batch = x.len().checked_div(nx).unwrap_or(0);
    // a sum of its own for each group of items, at most 64 of them
    let items = g.items().max(batch.div_ceil(64));
    let sums = collect(batch.div_ceil(items.max(1)), |group| {
        let (mut cols, mut sum) = (g.cols(), vec![T::zero(); g.outputs * k]);
        for item in group * items..batch.min((group + 1) * items) {
            g.unfold(&x[item * nx..(item + 1) * nx], &mut cols);
            let y = Matrix::row_major(&y[item * ny..(item + 1) * ny], l);
            product([g.outputs, l, k], y, Matrix::row_major(&cols, l).transposed(), T::one(), &mut sum);
        }
        sum
    });
    let mut w = vec![T::zero(); g.outputs * k];
    sums.iter().for_each(|s| w.iter_mut().zip(s).for_each(|(w, s)| *w += *s));
    w
}
