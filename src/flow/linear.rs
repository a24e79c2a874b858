//! Linear maps: permutations, LU factors, products of reflections, and scales set from data.

use super::density::{check_points, check_shape};
use super::{Bijection, Direction};
use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::linalg::{Triangular, solve_triangular};
use crate::nn::{Init, Param, Params, Scope};
use crate::random;
use crate::scalar::Real;
use rand::Rng;

/// The logarithm that a map of this volume change has for every row.
fn constant_volume<T: Real>(x: &Var<T>, log_volume: &Var<T>) -> Var<T> {
    log_volume.broadcast_to(&[x.shape()[0]])
}

/// y_j = x_{σ(j)}.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permutation {
    order: Vec<usize>,
    back: Vec<usize>,
}

impl Permutation {
    /// Column j of y is column `order[j]` of x.
    ///
    /// # Errors
    /// `Argument` unless it is an order of 0, …, d − 1.
    pub fn new(order: Vec<usize>) -> Result<Self> {
        let mut back = vec![usize::MAX; order.len()];
        for (to, &from) in order.iter().enumerate() {
            match back.get_mut(from) {
                Some(place) if *place == usize::MAX => *place = to,
                _ => {
                    let message = format!("{order:?} is no order of 0, …, {}: entry {to} is out of range or occurs twice", order.len() - 1);
                    return Err(Error::argument("permutation", message));
                }
            }
        }
        Ok(Permutation { order, back })
    }

    /// Columns in reverse order.
    pub fn reversal(dim: usize) -> Self {
        Permutation { order: (0..dim).rev().collect(), back: (0..dim).rev().collect() }
    }

    /// A random order.
    pub fn random(dim: usize, rng: &mut dyn Rng) -> Self {
        let order = random::permutation(rng, dim);
        let mut back = vec![0; dim];
        order.iter().enumerate().for_each(|(to, &from)| back[from] = to);
        Permutation { order, back }
    }
}

impl<T: Real> Bijection<T> for Permutation {
    fn dim(&self) -> usize {
        self.order.len()
    }
    fn forward(&self, _: &Params<T>, x: &Var<T>, _: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)> {
        check_shape("permutation", x, self.order.len())?;
        Ok((x.index_select(&self.order, 1), Var::zeros(&[x.shape()[0]])))
    }
    fn inverse(&self, _: &Params<T>, y: &Var<T>, _: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)> {
        check_shape("permutation", y, self.order.len())?;
        Ok((y.index_select(&self.back, 1), Var::zeros(&[y.shape()[0]])))
    }
}

/// y = P L U x + t, with P a fixed random permutation, L unit lower triangular and U upper triangular with diagonal ±e^{s_i}
/// (Kingma and Dhariwal, *Glow*, arXiv:1807.03039, eq. 10): any invertible matrix up to the order of rows, ln|det| = Σ s_i. It starts as a
/// rotation.
#[derive(Clone, Debug)]
pub struct LuLinear {
    permutation: Permutation,
    sign: Vec<f64>,
    lower: Param,
    upper: Param,
    log_diagonal: Param,
    shift: Param,
}

impl LuLinear {
    /// A map of `dim` columns that starts as a random rotation or reflection.
    ///
    /// # Errors
    /// `Argument` for no columns.
    pub fn new<T: Real>(scope: &mut Scope<'_, T>, dim: usize, rng: &mut dyn Rng) -> Result<Self> {
        if dim == 0 {
            return Err(Error::argument("lu_linear", "0 columns: there must be at least one"));
        }
        let rotation: Var<T> = Init::Orthogonal(1.0).draw(&[dim, dim], (dim, dim), rng);
        let (rows, lower, upper) = crate::linalg::lu(&rotation)?;
        let diagonal: Vec<f64> = (0..dim).map(|i| upper.as_slice()[i * dim + i].to_f64()).collect();
        // A[rows] = L U, so row rows[i] of y is row i of L U x
        let mut order = vec![0; dim];
        rows.iter().enumerate().for_each(|(i, &row)| order[row] = i);
        Ok(LuLinear {
            permutation: Permutation::new(order)?,
            sign: diagonal.iter().map(|d| d.signum()).collect(),
            lower: scope.param("lower", lower.tril(-1)),
            upper: scope.param("upper", upper.triu(1)),
            log_diagonal: scope.param("log_diagonal", Var::from(diagonal.iter().map(|d| T::from_f64(d.abs().ln())).collect::<Vec<T>>())),
            shift: scope.param("shift", Var::zeros(&[dim])),
        })
    }

    fn factors<T: Real>(&self, p: &Params<T>) -> (Var<T>, Var<T>, Var<T>) {
        let log_diagonal = p.get(self.log_diagonal);
        let sign = Var::from(self.sign.iter().map(|s| T::from_f64(*s)).collect::<Vec<T>>());
        let lower = p.get(self.lower).tril(-1) + Var::eye(self.sign.len());
        let upper = p.get(self.upper).triu(1) + (log_diagonal.exp() * sign).diag(0);
        (lower, upper, log_diagonal.sum())
    }
}

impl<T: Real> Bijection<T> for LuLinear {
    fn dim(&self) -> usize {
        self.sign.len()
    }
    fn forward(&self, p: &Params<T>, x: &Var<T>, _: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)> {
        check_shape("lu_linear", x, self.sign.len())?;
        let (lower, upper, log_volume) = self.factors(p);
        let y = x.matmul(lower.matmul(upper).t()).index_select(&self.permutation.order, 1) + p.get(self.shift);
        Ok((y, constant_volume(x, &log_volume)))
    }
    fn inverse(&self, p: &Params<T>, y: &Var<T>, _: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)> {
        check_shape("lu_linear", y, self.sign.len())?;
        let (lower, upper, log_volume) = self.factors(p);
        let columns = (y - p.get(self.shift)).index_select(&self.permutation.back, 1).t();
        let z = solve_triangular(&lower, &columns, Triangular::LOWER.unit())?;
        let x = solve_triangular(&upper, &z, Triangular::UPPER)?.t();
        Ok((x, constant_volume(y, &-log_volume)))
    }
}

/// y = Q x, Q = H_k ⋯ H_1 a product of Householder reflections H = 1 − 2 v vᵀ/vᵀv: volume is preserved. k = d reaches every orthogonal
/// matrix of determinant (−1)ᵈ (Tomczak and Welling, arXiv:1611.09630).
#[derive(Clone, Debug)]
pub struct Householder {
    vectors: Param,
    dim: usize,
}

impl Householder {
    /// A product of that many reflections with random normals.
    ///
    /// # Errors
    /// `Argument` for no columns or no reflections.
    pub fn new<T: Real>(scope: &mut Scope<'_, T>, dim: usize, reflections: usize, rng: &mut dyn Rng) -> Result<Self> {
        if dim == 0 || reflections == 0 {
            let message = format!("{reflections} reflections of {dim} columns: there must be at least one of each");
            return Err(Error::argument("householder", message));
        }
        Ok(Householder { vectors: scope.param("vectors", random::normal::<T>(rng, &[reflections, dim])), dim })
    }

    /// Qᵀ, what rows are multiplied with from the right.
    fn matrix<T: Real>(&self, p: &Params<T>) -> Result<Var<T>> {
        let vectors = p.get(self.vectors);
        let mut q = Var::eye(self.dim);
        for (k, v) in vectors.unstack(0).into_iter().enumerate() {
            let square = v.square().sum();
            if !(square.item() > T::zero() && square.item().is_finite()) {
                return Err(Error::singular(
                    "householder",
                    format!("the normal of reflection {k} has length² {}: no direction", square.item()),
                ));
            }
            let (column, row) = (v.reshape(&[self.dim, 1]), v.reshape(&[1, self.dim]));
            let along = q.matmul(column) * (square.reciprocal() * T::from_f64(2.0));
            q -= along.matmul(row);
        }
        Ok(q)
    }
}

impl<T: Real> Bijection<T> for Householder {
    fn dim(&self) -> usize {
        self.dim
    }
    fn forward(&self, p: &Params<T>, x: &Var<T>, _: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)> {
        check_shape("householder", x, self.dim)?;
        Ok((x.matmul(self.matrix(p)?), Var::zeros(&[x.shape()[0]])))
    }
    fn inverse(&self, p: &Params<T>, y: &Var<T>, _: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)> {
        check_shape("householder", y, self.dim)?;
        Ok((y.matmul(self.matrix(p)?.t()), Var::zeros(&[y.shape()[0]])))
    }
}

/// y = x ⊙ eˢ + t, with s and t such that the columns of the first data come out with mean 0 and variance 1
/// (Kingma and Dhariwal, arXiv:1807.03039, §3.1): [`Bijection::initialize`] sets them. Before that, the identity.
#[derive(Clone, Debug)]
pub struct ActNorm {
    log_scale: Param,
    shift: Param,
    dim: usize,
}

impl ActNorm {
    /// Of `dim` columns.
    ///
    /// # Errors
    /// `Argument` for no columns.
    pub fn new<T: Real>(scope: &mut Scope<'_, T>, dim: usize) -> Result<Self> {
        if dim == 0 {
            return Err(Error::argument("act_norm", "0 columns: there must be at least one"));
        }
        let (log_scale, shift) = (scope.param("log_scale", Var::zeros(&[dim])), scope.param("shift", Var::zeros(&[dim])));
        Ok(ActNorm { log_scale, shift, dim })
    }
}

impl<T: Real> Bijection<T> for ActNorm {
    fn dim(&self) -> usize {
        self.dim
    }
    fn forward(&self, p: &Params<T>, x: &Var<T>, _: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)> {
        check_shape("act_norm", x, self.dim)?;
        let s = p.get(self.log_scale);
        Ok((x * s.exp() + p.get(self.shift), constant_volume(x, &s.sum())))
    }
    fn inverse(&self, p: &Params<T>, y: &Var<T>, _: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)> {
        check_shape("act_norm", y, self.dim)?;
        let s = p.get(self.log_scale);
        Ok(((y - p.get(self.shift)) * (-s).exp(), constant_volume(y, &-s.sum())))
    }
    fn initialize(&self, p: &mut Params<T>, data: &Var<T>, direction: Direction, context: Option<&Var<T>>) -> Result<Var<T>> {
        check_points("act_norm", data, self.dim)?;
        let (mean, deviation) = (data.mean_axis(0), data.std_axis(0, 0));
        if let Some(i) = deviation.as_slice().iter().position(|s| !(*s > T::zero() && s.is_finite())) {
            let message = format!("column {i} of the first data has standard deviation {}: it must be positive", deviation.as_slice()[i]);
            return Err(Error::argument("act_norm", message));
        }
        let (log_scale, shift) = match direction {
            Direction::Forward => (-deviation.log(), -(mean / deviation)),
            Direction::Inverse => (deviation.log(), mean),
        };
        p.set(self.log_scale, log_scale)?;
        p.set(self.shift, shift)?;
        Ok(direction.apply(self, p, data, context)?.0)
    }
}
