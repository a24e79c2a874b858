//! Products of vectors, matrices and arrays, with numpy's conventions: all are contractions of two arrays (see
//! [`einsum`](crate::ops::einsum)), run as batched matrix products on strides, so that no transpose is ever stored.
//!
//! Pullbacks: for z = x y, x̄ = z̄ y† and ȳ = x† z̄, by conjugation and stride flags of the same rule.

use super::broadcast::to_shape;
use super::einsum::contract::{Contraction, Labels, contract};
use super::einsum::diagonal::{Places, take};
use super::shape::axis_of;
use crate::autodiff::Var;
use crate::autodiff::rule::{BinaryRule, Keep, binary};
use crate::autodiff::{Primitive, apply};
use crate::error::Result;
use crate::kernels::broadcast::broadcast_shape;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor, len_of};
use std::marker::PhantomData;
use std::sync::Arc;

/// Σ over the labels that z lacks.
fn product<T: Scalar>(x: Var<T>, xl: &[u32], y: Var<T>, yl: &[u32], z: &[u32], conj: (bool, bool)) -> Var<T> {
    let count = xl.iter().chain(yl).max().map_or(0, |&l| l as usize + 1);
    let mut dims = vec![1; count];
    xl.iter().zip(x.shape()).chain(yl.iter().zip(y.shape())).for_each(|(&l, &n)| dims[l as usize] = n);
    contract(Arc::new(Contraction::new(xl, yl, z, &dims.into())), conj, x, y)
}

fn labels(range: std::ops::Range<usize>) -> Labels {
    range.map(|l| l as u32).collect()
}

/// The matrix product of the last two axes, as numpy's `matmul`.
///
/// (…, m, k) × (…, k, n) → (…, m, n) with the leading axes broadcast; a vector on the left is a row, on the right a column, and its axis is
/// missing from the result.
///
/// ```
/// use pullback::prelude::*;
/// use pullback::ops::matmul;
/// let a = Var::from(ndarray::array![[1.0, 2.0], [3.0, 4.0]]);
/// assert_eq!(matmul(&a, &a).as_slice(), &[7.0, 10.0, 15.0, 22.0]);
/// assert_eq!(a.matmul(Var::from([1.0, 1.0])).as_slice(), &[3.0, 7.0]);
/// ```
///
/// # Panics
/// If the summed axes have different lengths, the leading axes do not broadcast, or an array has no axes.
#[track_caller]
pub fn matmul<T: Scalar>(x: &Var<T>, y: &Var<T>) -> Var<T> {
    matmul_owned(x.clone(), y.clone())
}

#[track_caller]
fn matmul_owned<T: Scalar>(x: Var<T>, y: Var<T>) -> Var<T> {
    let (sx, sy) = (x.shape(), y.shape());
    assert!(!sx.is_empty() && !sy.is_empty(), "matmul: shapes {sx:?} and {sy:?}: both need at least one axis; multiply by a number with *");
    let (vector_x, vector_y) = (sx.len() == 1, sy.len() == 1);
    let (k, l) = (sx[sx.len() - 1], if vector_y { sy[0] } else { sy[sy.len() - 2] });
    assert!(
        k == l,
        "matmul: shapes {sx:?} and {sy:?}: the last axis of the first has length {k}, the {} of the second {l}: they must be equal",
        if vector_y { "only axis" } else { "second to last axis" }
    );
    let (lead_x, lead_y) = (&sx[..sx.len() - if vector_x { 1 } else { 2 }], &sy[..sy.len() - if vector_y { 1 } else { 2 }]);
    let Some(lead) = broadcast_shape(lead_x, lead_y) else {
        panic!(
            "matmul: shapes {sx:?} and {sy:?}: the leading axes {lead_x:?} and {lead_y:?} do not broadcast: counted from the last, they must be equal or 1"
        );
    };
    // leading axes are labelled from 0; an axis that is repeated has no label in the array that repeats
    let r = lead.len() as u32;
    let own = |shape: &[usize]| -> (Labels, Shape) {
        let axes = shape.iter().enumerate().map(|(i, &n)| (lead.len() - shape.len() + i, n)).filter(|&(i, n)| n == lead[i]);
        axes.map(|(i, n)| (i as u32, n)).unzip()
    };
    let ((mut xl, mut seen_x), (mut yl, mut seen_y)) = (own(lead_x), own(lead_y));
    let mut z = labels(0..lead.len());
    if !vector_x {
        xl.push(r);
        z.push(r);
        seen_x.push(sx[sx.len() - 2]);
    }
    xl.push(r + 1);
    seen_x.push(k);
    yl.push(r + 1);
    seen_y.push(k);
    if !vector_y {
        yl.push(r + 2);
        z.push(r + 2);
        seen_y.push(sy[sy.len() - 1]);
    }
    let x = if x.shape() == &seen_x[..] { x } else { x.reshape(&seen_x) };
    let y = if y.shape() == &seen_y[..] { y } else { y.reshape(&seen_y) };
    product(x, &xl, y, &yl, &z, (false, false))
}

impl<T: Scalar> Var<T> {
    /// The matrix product of the last two axes: [`matmul`](crate::ops::matmul).
    ///
    /// # Panics
    /// As [`matmul`](crate::ops::matmul).
    #[track_caller]
    pub fn matmul(&self, y: impl Into<Var<T>>) -> Var<T> {
        matmul_owned(self.clone(), y.into())
    }

    /// numpy's `dot`: [`dot`](crate::ops::dot).
    ///
    /// # Panics
    /// As [`dot`](crate::ops::dot).
    #[track_caller]
    pub fn dot(&self, y: impl Into<Var<T>>) -> Var<T> {
        dot(self, &y.into())
    }

    /// Σᵢ x[i, i, …] over the first two axes, which may differ in length.
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn trace(&self) -> Var<T> {
        self.trace_axes(0, 0, 1)
    }

    /// Σᵢ x[…, i, …, i + offset, …] over two axes; the result has the others.
    ///
    /// # Panics
    /// If there are no such axes, or they are the same.
    #[track_caller]
    pub fn trace_axes(&self, offset: isize, axis1: isize, axis2: isize) -> Var<T> {
        let shape = self.shape();
        assert!(shape.len() >= 2, "trace: shape {shape:?}: needs at least two axes");
        let (i, j) = (axis_of("trace", axis1, shape.len()), axis_of("trace", axis2, shape.len()));
        assert!(i != j, "trace: axes {axis1} and {axis2} of shape {shape:?} are the same: they must differ");
        let strides = crate::kernels::buffer::strides(shape);
        let (down, right) = (offset.min(0).unsigned_abs(), offset.max(0) as usize);
        let n = shape[i].saturating_sub(down).min(shape[j].saturating_sub(right));
        let others = (0..shape.len()).filter(|&k| k != i && k != j);
        let mut part: Shape = Shape::from_slice(&[n]);
        let mut steps: Shape = Shape::from_slice(&[strides[i] + strides[j]]);
        for k in others {
            part.push(shape[k]);
            steps.push(strides[k]);
        }
        let rest = Shape::from_slice(&part[1..]);
        let offset = if n == 0 { 0 } else { down * strides[i] + right * strides[j] };
        let diagonal = take(self.clone(), Arc::new(Places { whole: Shape::from_slice(shape), part, strides: steps, offset }));
        let mut summed = Shape::from_slice(diagonal.shape());
        summed[0] = 1;
        super::broadcast::sum_to(diagonal, &summed).reshape(&rest)
    }

    /// The matrix product of the last two axes with itself, n times, by repeated squaring; the identity for n = 0. Negative powers:
    /// [`linalg::matrix_power`](crate::linalg::matrix_power).
    ///
    /// # Panics
    /// If the last two axes are not of the same length.
    #[track_caller]
    pub fn matrix_power(&self, n: usize) -> Var<T> {
        let shape = self.shape();
        let r = shape.len();
        assert!(r >= 2 && shape[r - 1] == shape[r - 2], "matrix_power: shape {shape:?}: the last two axes must be of the same length");
        let mut result: Option<Var<T>> = None;
        let (mut square, mut left) = (self.clone(), n);
        while left > 0 {
            if left & 1 == 1 {
                result = Some(match result {
                    None => square.clone(),
                    Some(product) => matmul(&product, &square),
                });
            }
            left >>= 1;
            if left > 0 {
                square = matmul(&square, &square);
            }
        }
        result.unwrap_or_else(|| {
            let n = shape[r - 1];
            let mut identity = vec![T::zero(); len_of(shape)];
            for matrix in identity.chunks_exact_mut((n * n).max(1)) {
                matrix.iter_mut().step_by(n + 1).for_each(|x| *x = T::one());
            }
            Var::constant(Tensor::new(shape, identity))
        })
    }
}

/// numpy's `dot`: Σ over the last axis of x and the second to last of y (the only one of a vector); other axes of x, then those of y.
///
/// With a 0-d array the product by a number.
///
/// # Panics
/// If the summed axes have different lengths.
#[track_caller]
pub fn dot<T: Scalar>(x: &Var<T>, y: &Var<T>) -> Var<T> {
    if x.ndim() == 0 || y.ndim() == 0 {
        return x * y;
    }
    let axis = if y.ndim() == 1 { 0 } else { y.ndim() - 2 };
    summed("dot", x, y, &[x.ndim() - 1], &[axis])
}

/// Σ conj(xᵢ) yᵢ over all elements in row-major order.
///
/// # Panics
/// If the numbers of elements differ.
#[track_caller]
pub fn vdot<T: Scalar>(x: &Var<T>, y: &Var<T>) -> Var<T> {
    assert!(x.len() == y.len(), "vdot: shapes {:?} and {:?}: the numbers of elements must be equal", x.shape(), y.shape());
    product(x.reshape(&[x.len()]), &[0], y.reshape(&[y.len()]), &[0], &[], (T::IS_COMPLEX, false))
}

/// Σ over the last axes of both, without conjugation; other axes of x, then those of y. With a 0-d array the product by a number.
///
/// # Panics
/// If the last axes have different lengths.
#[track_caller]
pub fn inner<T: Scalar>(x: &Var<T>, y: &Var<T>) -> Var<T> {
    if x.ndim() == 0 || y.ndim() == 0 {
        return x * y;
    }
    summed("inner", x, y, &[x.ndim() - 1], &[y.ndim() - 1])
}

/// xᵢ yⱼ over all elements of both: shape (x.len(), y.len()).
pub fn outer<T: Scalar>(x: &Var<T>, y: &Var<T>) -> Var<T> {
    product(x.reshape(&[x.len()]), &[0], y.reshape(&[y.len()]), &[1], &[0, 1], (false, false))
}

/// Σ over pairs of axes, `axes.0[i]` of x with `axes.1[i]` of y; the other axes of x, then those of y.
///
/// ```
/// use pullback::prelude::*;
/// use pullback::ops::tensordot;
/// let a = Var::from(ndarray::Array3::<f64>::ones((2, 3, 4)));
/// let b = Var::from(ndarray::Array3::<f64>::ones((4, 3, 5)));
/// assert_eq!(tensordot(&a, &b, (&[1, -1], &[1, 0])).shape(), &[2, 5]);
/// ```
///
/// # Panics
/// If the numbers of axes differ, an axis does not exist or is named twice, or two axes of a pair have different lengths.
#[track_caller]
pub fn tensordot<T: Scalar>(x: &Var<T>, y: &Var<T>, axes: (&[isize], &[isize])) -> Var<T> {
    assert!(
        axes.0.len() == axes.1.len(),
        "tensordot: axes {:?} of the first and {:?} of the second array: there must be as many",
        axes.0,
        axes.1
    );
    let named = |axes: &[isize], of: &Var<T>| {
        let found: Vec<usize> = axes.iter().map(|&a| axis_of("tensordot", a, of.ndim())).collect();
        let twice = (1..found.len()).find(|&i| found[..i].contains(&found[i]));
        assert!(twice.is_none(), "tensordot: axes {axes:?} name an axis twice");
        found
    };
    summed("tensordot", x, y, &named(axes.0, x), &named(axes.1, y))
}

#[track_caller]
fn summed<T: Scalar>(operation: &str, x: &Var<T>, y: &Var<T>, of_x: &[usize], of_y: &[usize]) -> Var<T> {
    let xl = labels(0..x.ndim());
    let mut yl = labels(x.ndim()..x.ndim() + y.ndim());
    for (&i, &j) in of_x.iter().zip(of_y) {
        assert!(
            x.shape()[i] == y.shape()[j],
            "{operation}: shapes {:?} and {:?}: axis {i} of the first has length {}, axis {j} of the second {}: they must be equal",
            x.shape(),
            y.shape(),
            x.shape()[i],
            y.shape()[j]
        );
        yl[j] = xl[i];
    }
    let z: Labels = xl.iter().filter(|l| !yl.contains(l)).chain(yl.iter().filter(|l| !xl.contains(l))).copied().collect();
    product(x.clone(), &xl, y.clone(), &yl, &z, (false, false))
}

/// The Kronecker product: along each axis, counted from the last, `z[i n + j] = x[i] y[j]` where n is the length of y's axis.
pub fn kron<T: Scalar>(x: &Var<T>, y: &Var<T>) -> Var<T> {
    let rank = x.ndim().max(y.ndim());
    let padded = |v: &Var<T>| {
        let mut shape = Shape::from_elem(1, rank - v.ndim());
        shape.extend_from_slice(v.shape());
        v.reshape(&shape)
    };
    let (x, y) = (padded(x), padded(y));
    let shape: Shape = x.shape().iter().zip(y.shape()).map(|(m, n)| m * n).collect();
    let (xl, yl) = (labels(0..rank), labels(rank..2 * rank));
    let z: Labels = xl.iter().zip(&yl).flat_map(|(&i, &j)| [i, j]).collect();
    product(x, &xl, y, &yl, &z, (false, false)).reshape(&shape)
}

/// The product of several matrices (a vector may stand at either end), in the order of fewest multiplications.
///
/// ```
/// use pullback::prelude::*;
/// use pullback::ops::multi_dot;
/// let a = Var::from(ndarray::Array2::<f64>::ones((3, 2)));
/// let b = Var::from(ndarray::Array2::<f64>::ones((2, 3)));
/// let v = Var::from([1.0, 2.0, 3.0]);
/// assert_eq!(multi_dot(&[&a, &b, &v]).as_slice(), &[12.0, 12.0, 12.0]);
/// ```
///
/// # Panics
/// If there are fewer than two arrays, one is not a matrix (or a vector at an end), or lengths do not fit.
#[track_caller]
pub fn multi_dot<T: Scalar>(arrays: &[&Var<T>]) -> Var<T> {
    let n = arrays.len();
    let shapes: Vec<&[usize]> = arrays.iter().map(|a| a.shape()).collect();
    assert!(n >= 2, "multi_dot: needs at least two arrays, got shapes {shapes:?}");
    let fits = |i: usize| arrays[i].ndim() == 2 || (arrays[i].ndim() == 1 && (i == 0 || i == n - 1));
    assert!((0..n).all(fits), "multi_dot: shapes {shapes:?}: all must be matrices, the first and the last may be vectors");
    // matrix i is lengths[i] × lengths[i + 1]
    let mut lengths: Vec<usize> = Vec::with_capacity(n + 1);
    lengths.push(if arrays[0].ndim() == 1 { 1 } else { shapes[0][0] });
    for (i, shape) in shapes.iter().enumerate() {
        let rows = if i == 0 { lengths[0] } else { shape[0] };
        assert!(
            rows == lengths[i],
            "multi_dot: shapes {shapes:?}: array {} has {} columns and array {i} {rows} rows: they must be equal",
            i.saturating_sub(1),
            lengths[i]
        );
        lengths.push(if i > 0 && shape.len() == 1 { 1 } else { shape[shape.len() - 1] });
    }
    // cost[i][j]: the fewest multiplications for the product of i ..= j, and where it is split
    let mut cost = vec![vec![(0.0, 0); n]; n];
    for width in 1..n {
        for i in 0..n - width {
            let j = i + width;
            let split =
                |s: usize| cost[i][s].0 + cost[s + 1][j].0 + (lengths[i] as f64) * (lengths[s + 1] as f64) * (lengths[j + 1] as f64);
            cost[i][j] = (i..j).map(|s| (split(s), s)).min_by(|a, b| a.0.total_cmp(&b.0)).expect("at least one split");
        }
    }
    fn build<T: Scalar>(arrays: &[&Var<T>], cost: &[Vec<(f64, usize)>], i: usize, j: usize) -> Var<T> {
        if i == j {
            return arrays[i].clone();
        }
        let s = cost[i][j].1;
        matmul_owned(build(arrays, cost, i, s), build(arrays, cost, s + 1, j))
    }
    build(arrays, &cost, 0, n - 1)
}

/// x × y of 3-vectors along the last axis. Bilinear in the components, so x̄ = y* × z̄ and ȳ = z̄ × x*.
struct Cross<T>(PhantomData<T>);

impl<T> Clone for Cross<T> {
    fn clone(&self) -> Self {
        Cross(PhantomData)
    }
}

impl<T: Scalar> BinaryRule for Cross<T> {
    type Left = T;
    type Right = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "cross"
    }
    fn keep(&self, needs: (bool, bool)) -> Keep {
        Keep { left: needs.1, right: needs.0, out: false }
    }
    fn forward(&self, x: Var<T>, y: Var<T>) -> Tensor<T> {
        let triples = x.as_slice().as_chunks::<3>().0.iter().zip(y.as_slice().as_chunks::<3>().0);
        let cross = |(a, b): (&[T; 3], &[T; 3])| [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
        Tensor::new(x.shape(), triples.flat_map(cross).collect())
    }
    fn vjp(&self, x: &Var<T>, y: &Var<T>, _: &Var<T>, g: Var<T>, needs: (bool, bool)) -> (Option<Var<T>>, Option<Var<T>>) {
        (needs.0.then(|| binary(self.clone(), y.conj(), g.clone())), needs.1.then(|| binary(self.clone(), g.clone(), x.conj())))
    }
    fn jvp(&self, x: &Var<T>, y: &Var<T>, _: &Var<T>, dx: Option<Var<T>>, dy: Option<Var<T>>) -> Option<Var<T>> {
        let dx = dx.map(|dx| binary(self.clone(), dx, y.clone()));
        let dy = dy.map(|dy| binary(self.clone(), x.clone(), dy));
        match (dx, dy) {
            (Some(dx), Some(dy)) => Some(dx + dy),
            (dx, dy) => dx.or(dy),
        }
    }
}

/// The vector product x × y along the last axis, which must have length 3; other axes broadcast. No conjugation.
///
/// # Panics
/// If a last axis has another length, or the other axes do not broadcast.
#[track_caller]
pub fn cross<T: Scalar>(x: &Var<T>, y: &Var<T>) -> Var<T> {
    let (sx, sy) = (x.shape(), y.shape());
    assert!(sx.last() == Some(&3) && sy.last() == Some(&3), "cross: shapes {sx:?} and {sy:?}: the last axes must have length 3");
    let Some(shape) = broadcast_shape(sx, sy) else {
        panic!("cross: shapes {sx:?} and {sy:?} do not broadcast: axes, counted from the last, must be equal or 1");
    };
    let wide = |v: &Var<T>| if v.shape() == &shape[..] { v.clone() } else { to_shape(v.clone(), &shape) };
    binary(Cross(PhantomData), wide(x), wide(y))
}

/// Matrices along the diagonal of a larger one.
struct BlockDiag<T>(PhantomData<T>);

/// Where the blocks lie: (row, column) of each, and the shape of the whole.
fn corners<'a>(shapes: impl Iterator<Item = &'a [usize]>) -> (Vec<(usize, usize)>, [usize; 2]) {
    let mut end = [0, 0];
    let at = shapes.map(|s| {
        let corner = (end[0], end[1]);
        end = [end[0] + s[0], end[1] + s[1]];
        corner
    });
    (at.collect(), end)
}

impl<T: Scalar> Primitive for BlockDiag<T> {
    type Inputs = Vec<Var<T>>;
    type Outputs = Var<T>;
    fn name(&self) -> &'static str {
        "block_diag"
    }
    fn keeps_input(&self, _: usize) -> bool {
        false
    }
    fn keeps_output(&self, _: usize) -> bool {
        false
    }
    fn forward(&self, blocks: &Vec<Var<T>>) -> Result<Var<T>> {
        let (at, shape) = corners(blocks.iter().map(Var::shape));
        let mut out = vec![T::zero(); len_of(&shape)];
        for (block, (row, column)) in blocks.iter().zip(at) {
            let n = block.shape()[1];
            for (i, values) in block.as_slice().chunks_exact(n.max(1)).enumerate() {
                let start = (row + i) * shape[1] + column;
                out[start..start + n].copy_from_slice(values);
            }
        }
        Ok(Var::constant(Tensor::new(&shape, out)))
    }
    fn vjp(&self, blocks: &Vec<Var<T>>, _: &Var<T>, g: Option<Var<T>>, needs: &[bool]) -> Result<Vec<Option<Var<T>>>> {
        let (at, whole) = corners(blocks.iter().map(Var::shape));
        let part = |k: usize| {
            let (row, column) = at[k];
            let places = Places {
                whole: Shape::from_slice(&whole),
                part: Shape::from_slice(blocks[k].shape()),
                strides: Shape::from_slice(&[whole[1], 1]),
                offset: row * whole[1] + column,
            };
            g.clone().filter(|_| needs[k]).map(|g| take(g, Arc::new(places)))
        };
        Ok((0..blocks.len()).map(part).collect())
    }
    fn jvp(&self, _: &Vec<Var<T>>, _: &Var<T>, blocks: &Vec<Var<T>>) -> Result<Var<T>> {
        apply(BlockDiag(PhantomData), blocks)
    }
}

/// Matrices along the diagonal of a larger one, zeros elsewhere; vectors are rows and numbers 1 × 1, as in scipy.
///
/// # Panics
/// If there are no arrays, or one has more than two axes.
#[track_caller]
pub fn block_diag<T: Scalar>(blocks: &[&Var<T>]) -> Var<T> {
    assert!(!blocks.is_empty(), "block_diag: needs at least one array");
    let matrix = |b: &&Var<T>| match *b.shape() {
        [] => b.reshape(&[1, 1]),
        [n] => b.reshape(&[1, n]),
        [_, _] => (*b).clone(),
        _ => panic!("block_diag: an array has shape {:?}: at most two axes are allowed", b.shape()),
    };
    let blocks: Vec<Var<T>> = blocks.iter().map(matrix).collect();
    apply(BlockDiag(PhantomData), &blocks).expect("its rules do not fail")
}
