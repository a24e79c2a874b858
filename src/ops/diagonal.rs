//! Diagonals and triangles of matrices, also of stacks of matrices.

use super::mask::Mask;
use super::shape::axis_of;
use super::view::View;
use crate::autodiff::Var;
use crate::scalar::Scalar;
use crate::tensor::Shape;

impl<T: Scalar> Var<T> {
    /// The k-th diagonal of a matrix (above the main one for k > 0), or the matrix with a vector as its k-th diagonal (numpy's `diag`).
    ///
    /// For stacks see [`diagonal`](Var::diagonal) and [`make_diagonal`](Var::make_diagonal).
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let m = Var::from([1.0, 2.0]).diag(0);
    /// assert_eq!(m.as_slice(), &[1.0, 0.0, 0.0, 2.0]);
    /// assert_eq!(m.diag(0).as_slice(), &[1.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// If the array is neither a vector nor a matrix.
    #[track_caller]
    pub fn diag(&self, k: isize) -> Var<T> {
        match self.ndim() {
            1 => self.make_diagonal(k),
            2 => self.diagonal(k, 0, 1),
            _ => panic!("diag: needs a vector or a matrix, the shape is {:?}: use diagonal or make_diagonal for stacks", self.shape()),
        }
    }

    /// The k-th diagonals of the matrices in two axes, as a new last axis (numpy's `diagonal`).
    ///
    /// The derivative puts the cotangent on the diagonals of zeros.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let x = Var::from(ndarray::array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    /// assert_eq!(x.diagonal(0, 0, 1).as_slice(), &[1.0, 4.0]);
    /// assert_eq!(x.diagonal(-1, 0, 1).as_slice(), &[3.0, 6.0]);
    /// ```
    ///
    /// # Panics
    /// If the two axes are the same, or one is out of range.
    #[track_caller]
    pub fn diagonal(&self, k: isize, row_axis: isize, column_axis: isize) -> Var<T> {
        let row = axis_of("diagonal", row_axis, self.ndim());
        let column = axis_of("diagonal", column_axis, self.ndim());
        assert!(row != column, "diagonal: axes {row_axis} and {column_axis} of shape {:?} are the same: needs two", self.shape());
        View::whole(self.shape()).diagonal(row, column, k).of(self)
    }

    /// Square matrices with the last axis as their k-th diagonal, zeros elsewhere: the inverse of [`diagonal`](Var::diagonal).
    ///
    /// A vector of n makes a matrix of n + |k| rows; axes before the last count a stack.
    ///
    /// # Panics
    /// For a 0-d array.
    #[track_caller]
    pub fn make_diagonal(&self, k: isize) -> Var<T> {
        assert!(self.ndim() > 0, "make_diagonal: needs a vector or a stack of vectors, the array is 0-d");
        let rank = self.ndim();
        let mut shape = Shape::from_slice(self.shape());
        shape[rank - 1] += k.unsigned_abs();
        shape.push(shape[rank - 1]);
        View::whole(&shape).diagonal(rank - 1, rank, k).place(self)
    }

    #[track_caller]
    fn lower_mask(&self, operation: &str, k: isize) -> Mask {
        let [.., n, m] = *self.shape() else {
            panic!("{operation}: needs a matrix or a stack of matrices, the shape is {:?}", self.shape());
        };
        Mask::lower(n, m, k)
    }

    /// The matrix, or each of a stack, with zeros above the k-th diagonal.
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn tril(&self, k: isize) -> Var<T> {
        self * self.lower_mask("tril", k)
    }

    /// The matrix, or each of a stack, with zeros below the k-th diagonal.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let x = Var::from(ndarray::array![[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.triu(0).as_slice(), &[1.0, 2.0, 0.0, 4.0]);
    /// assert_eq!(x.tril(-1).as_slice(), &[0.0, 0.0, 3.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn triu(&self, k: isize) -> Var<T> {
        self * !self.lower_mask("triu", k - 1)
    }
}
