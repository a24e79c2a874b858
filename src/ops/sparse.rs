//! Sparse matrices in compressed rows (CSR), times dense arrays, with derivatives in the stored values and in the dense operand.
//!
//! The places of the entries are fixed, the values are a variable. For z = A x:
//!
//! - ż = Ȧ x + A ẋ, with Ȧ at A's places,
//! - x̄ = A† z̄, and at the stored places v̄_e = Σ_c z̄[row(e), c] conj(x[column(e), c]): the product z̄ x† sampled at the places of A.
//!
//! The sampled product is bilinear too, and its rules are products with A again, so every order is made of the same two operations.

use crate::autodiff::rule::{BinaryRule, Keep, binary};
use crate::autodiff::tree::{AnyRef, AnyVar, Erase, Returns, Tree};
use crate::autodiff::{Argument, Var};
use crate::error::{Error, Result};
use crate::kernels::sparse as kernel;
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

/// Where the entries are: row i has the columns `columns[starts[i] .. starts[i + 1]]`, ascending.
struct Pattern {
    shape: [usize; 2],
    starts: Vec<usize>,
    columns: Vec<usize>,
    transpose: OnceLock<Transpose>,
}

#[derive(Clone)]
struct Transpose {
    pattern: Arc<Pattern>,
    /// Entry e of the transpose is entry `from[e]` of the matrix.
    from: Arc<[usize]>,
}

impl Pattern {
    fn new(shape: [usize; 2], starts: Vec<usize>, columns: Vec<usize>) -> Arc<Pattern> {
        Arc::new(Pattern { shape, starts, columns, transpose: OnceLock::new() })
    }

    /// The transposed pattern, found once.
    fn transpose(&self) -> &Transpose {
        self.transpose.get_or_init(|| {
            let [rows, columns] = self.shape;
            let mut starts = vec![0; columns + 1];
            self.columns.iter().for_each(|&j| starts[j + 1] += 1);
            (0..columns).for_each(|j| starts[j + 1] += starts[j]);
            let mut next = starts.clone();
            let (mut at, mut from) = (vec![0; self.columns.len()], vec![0; self.columns.len()]);
            for i in 0..rows {
                for e in self.starts[i]..self.starts[i + 1] {
                    let place = &mut next[self.columns[e]];
                    (at[*place], from[*place]) = (i, e);
                    *place += 1;
                }
            }
            Transpose { pattern: Pattern::new([columns, rows], starts, at), from: from.into() }
        })
    }

    /// The columns of a dense operand of this many rows.
    fn width<T: Scalar>(x: &Var<T>) -> usize {
        if x.ndim() == 1 { 1 } else { x.shape()[1] }
    }
}

/// z = A x from the stored values and the dense operand.
struct Product<T>(Arc<Pattern>, PhantomData<T>);

/// The entries at A's places of l rᵀ.
struct Sampled<T>(Arc<Pattern>, PhantomData<T>);

// derived, it would be for T: Clone alone
impl<T> Clone for Product<T> {
    fn clone(&self) -> Self {
        Product(self.0.clone(), PhantomData)
    }
}
impl<T> Clone for Sampled<T> {
    fn clone(&self) -> Self {
        Sampled(self.0.clone(), PhantomData)
    }
}

fn product<T: Scalar>(pattern: &Arc<Pattern>, values: Var<T>, x: Var<T>) -> Var<T> {
    binary(Product(pattern.clone(), PhantomData), values, x)
}

/// Aᵀ x
fn transposed_product<T: Scalar>(pattern: &Pattern, values: &Var<T>, x: Var<T>) -> Var<T> {
    let transpose = pattern.transpose();
    product(&transpose.pattern, values.take(&transpose.from), x)
}

fn sampled<T: Scalar>(pattern: &Arc<Pattern>, l: Var<T>, r: Var<T>) -> Var<T> {
    binary(Sampled(pattern.clone(), PhantomData), l, r)
}

fn sum<T: Scalar>(x: Option<Var<T>>, y: Option<Var<T>>) -> Option<Var<T>> {
    match (x, y) {
        (Some(x), Some(y)) => Some(x + y),
        (x, y) => x.or(y),
    }
}

impl<T: Scalar> BinaryRule for Product<T> {
    type Left = T;
    type Right = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "sparse matmul"
    }
    fn keep(&self, needs: (bool, bool)) -> Keep {
        Keep { left: needs.1, right: needs.0, out: false }
    }
    fn forward(&self, values: Var<T>, x: Var<T>) -> Tensor<T> {
        let (a, k) = (&self.0, Pattern::width(&x));
        let z = kernel::product(&a.starts, &a.columns, values.as_slice(), x.as_slice(), k);
        if x.ndim() == 1 { Tensor::new(&[a.shape[0]], z) } else { Tensor::new(&[a.shape[0], k], z) }
    }
    fn vjp(&self, values: &Var<T>, x: &Var<T>, _: &Var<T>, g: Var<T>, needs: (bool, bool)) -> (Option<Var<T>>, Option<Var<T>>) {
        let gv = needs.0.then(|| sampled(&self.0, g.clone(), x.conj()));
        (gv, needs.1.then(|| transposed_product(&self.0, &values.conj(), g)))
    }
    fn jvp(&self, values: &Var<T>, x: &Var<T>, _: &Var<T>, dv: Option<Var<T>>, dx: Option<Var<T>>) -> Option<Var<T>> {
        sum(dv.map(|dv| product(&self.0, dv, x.clone())), dx.map(|dx| product(&self.0, values.clone(), dx)))
    }
}

impl<T: Scalar> BinaryRule for Sampled<T> {
    type Left = T;
    type Right = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "sampled product"
    }
    fn keep(&self, needs: (bool, bool)) -> Keep {
        Keep { left: needs.1, right: needs.0, out: false }
    }
    fn forward(&self, l: Var<T>, r: Var<T>) -> Tensor<T> {
        let a = &self.0;
        Tensor::new(&[a.columns.len()], kernel::sampled(&a.starts, &a.columns, l.as_slice(), r.as_slice(), Pattern::width(&l)))
    }
    fn vjp(&self, l: &Var<T>, r: &Var<T>, _: &Var<T>, g: Var<T>, needs: (bool, bool)) -> (Option<Var<T>>, Option<Var<T>>) {
        let gl = needs.0.then(|| product(&self.0, g.clone(), r.conj()));
        (gl, needs.1.then(|| transposed_product(&self.0, &g, l.conj())))
    }
    fn jvp(&self, l: &Var<T>, r: &Var<T>, _: &Var<T>, dl: Option<Var<T>>, dr: Option<Var<T>>) -> Option<Var<T>> {
        sum(dl.map(|dl| sampled(&self.0, dl, r.clone())), dr.map(|dr| sampled(&self.0, l.clone(), dr)))
    }
}

/// A sparse matrix in compressed rows: fixed places, values that derivatives go through.
///
/// As an argument of a transform it is the array of its values: the gradient is a matrix with the same places, and holds the derivative by
/// the stored entries alone. Products run in parallel over rows, with the same result at any number of threads.
///
/// ```
/// use pullback::prelude::*;
/// // the second difference on four sites
/// let laplace = Csr::from_triplets([4, 4], (0..4).flat_map(|i| [(i, i, -2.0), (i, (i + 1) % 4, 1.0), (i, (i + 3) % 4, 1.0)]))?;
/// let psi = Var::from([1.0, 0.0, 0.0, 0.0]);
/// assert_eq!(laplace.matmul(&psi).as_slice(), &[-2.0, 1.0, 0.0, 1.0]);
/// let g = grad(|(a, x): &(Csr<f64>, Var<f64>)| a.matmul(x).square().sum(), &(laplace, psi))?;
/// assert_eq!(g.0.to_dense().as_slice()[..4], [-4.0, 0.0, 0.0, 0.0]);
/// assert_eq!(g.1.as_slice(), &[12.0, -8.0, 4.0, -8.0]);
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Clone)]
pub struct Csr<T> {
    pattern: Arc<Pattern>,
    values: Var<T>,
}

impl<T: Scalar> Csr<T> {
    /// From the three arrays of the format: row i has the entries `starts[i] .. starts[i + 1]` (scipy's `indptr`), whose columns (`indices`)
    /// ascend.
    ///
    /// # Errors
    /// [`Error::Argument`] that says which array breaks which rule; [`Error::Shape`] if values and columns differ in number.
    pub fn from_parts(shape: [usize; 2], starts: Vec<usize>, columns: Vec<usize>, values: impl Into<Var<T>>) -> Result<Csr<T>> {
        const NAME: &str = "Csr::from_parts";
        let values = values.into();
        if values.shape() != [columns.len()] {
            return Err(Error::shape(
                NAME,
                format!("{} columns and values of shape {:?}: needs a vector of as many", columns.len(), values.shape()),
            ));
        }
        if starts.len() != shape[0] + 1 || starts[0] != 0 || starts.last() != Some(&columns.len()) {
            return Err(Error::argument(
                NAME,
                format!(
                    "{} starts of rows from {:?} to {:?}, for {} rows and {} entries: needs one more than rows, from 0 to the number of entries",
                    starts.len(),
                    starts.first(),
                    starts.last(),
                    shape[0],
                    columns.len()
                ),
            ));
        }
        for (i, ends) in starts.windows(2).enumerate() {
            if ends[1] < ends[0] || ends[1] > columns.len() {
                return Err(Error::argument(
                    NAME,
                    format!("row {i} starts at entry {} and ends at {}: starts must ascend", ends[0], ends[1]),
                ));
            }
            let row = &columns[ends[0]..ends[1]];
            if let Some(j) = row.iter().find(|&&j| j >= shape[1]) {
                return Err(Error::argument(NAME, format!("row {i} has an entry in column {j}, the shape is {shape:?}")));
            }
            if let Some(w) = row.windows(2).find(|w| w[1] <= w[0]) {
                return Err(Error::argument(
                    NAME,
                    format!("row {i} has column {} after {}: columns must ascend (from_triplets sorts and adds up)", w[1], w[0]),
                ));
            }
        }
        Ok(Csr { pattern: Pattern::new(shape, starts, columns), values })
    }

    /// From (row, column, value) in any order; values at the same place add up.
    ///
    /// # Errors
    /// [`Error::Argument`] for a place outside of the shape.
    pub fn from_triplets(shape: [usize; 2], triplets: impl IntoIterator<Item = (usize, usize, T)>) -> Result<Csr<T>> {
        let mut triplets: Vec<(usize, usize, T)> = triplets.into_iter().collect();
        if let Some((i, j, _)) = triplets.iter().find(|(i, j, _)| *i >= shape[0] || *j >= shape[1]) {
            return Err(Error::argument("Csr::from_triplets", format!("an entry at ({i}, {j}), the shape is {shape:?}")));
        }
        // stable: what adds up does so in the order given
        triplets.sort_by_key(|&(i, j, _)| (i, j));
        let mut starts = vec![0; shape[0] + 1];
        let (mut columns, mut values): (Vec<usize>, Vec<T>) = (Vec::new(), Vec::new());
        let mut last = None;
        for (i, j, value) in triplets {
            if last == Some((i, j)) {
                *values.last_mut().expect("an entry before") += value;
                continue;
            }
            last = Some((i, j));
            columns.push(j);
            values.push(value);
            starts[i + 1] += 1;
        }
        (0..shape[0]).for_each(|i| starts[i + 1] += starts[i]);
        Ok(Csr { pattern: Pattern::new(shape, starts, columns), values: Var::from(values) })
    }

    /// The entries of a dense matrix that are not zero, as constants or with their derivatives.
    ///
    /// # Errors
    /// [`Error::Shape`] for anything but a matrix.
    pub fn from_dense(a: &Var<T>) -> Result<Csr<T>> {
        let &[m, n] = a.shape() else {
            return Err(Error::shape("Csr::from_dense", format!("needs a matrix, the shape is {:?}", a.shape())));
        };
        let places: Vec<usize> = (0..m * n).filter(|&at| a.as_slice()[at] != T::zero()).collect();
        let mut starts = vec![0; m + 1];
        places.iter().for_each(|at| starts[at / n + 1] += 1);
        (0..m).for_each(|i| starts[i + 1] += starts[i]);
        let columns = places.iter().map(|at| at % n).collect();
        Ok(Csr { pattern: Pattern::new([m, n], starts, columns), values: a.take(&places) })
    }

    /// The dense matrix.
    pub fn to_dense(&self) -> Var<T> {
        let [m, n] = self.pattern.shape;
        Var::zeros(&[m * n]).put(&self.places(), &self.values).reshape(&[m, n])
    }

    /// Row-major positions of the entries in the dense matrix.
    fn places(&self) -> Vec<usize> {
        let Pattern { shape: [m, n], starts, columns, .. } = &*self.pattern;
        (0..*m).flat_map(|i| columns[starts[i]..starts[i + 1]].iter().map(move |j| i * n + j)).collect()
    }

    /// (rows, columns)
    pub fn shape(&self) -> [usize; 2] {
        self.pattern.shape
    }

    /// The number of stored entries.
    pub fn nnz(&self) -> usize {
        self.pattern.columns.len()
    }

    /// Where each row starts among the entries, and where the last one ends (scipy's `indptr`).
    pub fn starts(&self) -> &[usize] {
        &self.pattern.starts
    }

    /// The column of each entry (scipy's `indices`).
    pub fn columns(&self) -> &[usize] {
        &self.pattern.columns
    }

    /// The stored values, row by row (scipy's `data`).
    pub fn values(&self) -> &Var<T> {
        &self.values
    }

    /// The same places with other values.
    ///
    /// # Panics
    /// If there are not as many values as entries.
    #[track_caller]
    pub fn with_values(&self, values: impl Into<Var<T>>) -> Csr<T> {
        let values = values.into();
        assert!(
            values.shape() == [self.nnz()],
            "with_values: values of shape {:?} for {} entries: needs a vector of as many",
            values.shape(),
            self.nnz()
        );
        Csr { pattern: self.pattern.clone(), values }
    }

    /// A x for a dense vector (n,) or matrix (n, k): (m,) or (m, k).
    ///
    /// # Panics
    /// If x has another number of rows than A has columns, or is neither a vector nor a matrix.
    #[track_caller]
    pub fn matmul(&self, x: &Var<T>) -> Var<T> {
        let fits = matches!(x.ndim(), 1 | 2) && x.shape()[0] == self.pattern.shape[1];
        assert!(
            fits,
            "Csr::matmul: shapes {:?} and {:?}: the second must be a vector or a matrix with as many rows as the first has columns",
            self.pattern.shape,
            x.shape()
        );
        product(&self.pattern, self.values.clone(), x.clone())
    }

    /// Aᵀ
    pub fn t(&self) -> Csr<T> {
        let transpose = self.pattern.transpose();
        Csr { pattern: transpose.pattern.clone(), values: self.values.take(&transpose.from) }
    }

    /// A†, the conjugate transpose.
    pub fn h(&self) -> Csr<T> {
        let transpose = self.t();
        Csr { values: transpose.values.conj(), ..transpose }
    }
}

impl<T: Scalar> fmt::Debug for Csr<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Csr(shape {:?}, {} entries)", self.pattern.shape, self.nnz())
    }
}

impl<T: Scalar> Tree for Csr<T> {
    type Partial = Option<Var<T>>;
    fn visit<'a>(&'a self, f: &mut dyn FnMut(AnyRef<'a>)) {
        f(T::erase_ref(&self.values));
    }
    fn rebuild(&self, f: &mut dyn FnMut(AnyRef<'_>) -> AnyVar) -> Self {
        Csr { pattern: self.pattern.clone(), values: <T as Erase>::unerase(f(T::erase_ref(&self.values))) }
    }
    fn partial(&self, f: &mut dyn FnMut(AnyRef<'_>) -> Option<AnyVar>) -> Option<Var<T>> {
        f(T::erase_ref(&self.values)).map(T::unerase)
    }
    fn take_apart(partial: Option<Var<T>>, f: &mut dyn FnMut(Option<AnyVar>)) {
        f(partial.map(T::erase));
    }
}

impl<T: Scalar> Returns for Csr<T> {
    type Vars = Csr<T>;
    fn into_result(self) -> Result<Csr<T>> {
        Ok(self)
    }
}

impl<T: Scalar> Argument for Csr<T> {
    type Vars = Csr<T>;
    fn to_vars(&self) -> Csr<T> {
        self.clone()
    }
    fn from_vars(&self, vars: Csr<T>) -> Result<Csr<T>> {
        Ok(vars)
    }
}
