//! Finite groups of linear maps that preserve volume, for densities that are exactly symmetric.

use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::ops::concatenate;
use crate::scalar::Real;

/// The largest group that is made: the density costs one pass for each element.
const LARGEST: usize = 50_000;

/// A finite group of orthogonal d × d matrices that act on rows, x ↦ g x.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    dim: usize,
    elements: Vec<Element>,
}

/// A matrix, with the short form that most of them have: one ±1 in each row.
#[derive(Clone, Debug, PartialEq)]
enum Element {
    Signed { from: Vec<usize>, sign: Vec<f64> },
    Dense(Vec<f64>),
}

const NAME: &str = "group";
/// How closely products must agree with elements.
const TOLERANCE: f64 = 1e-9;

type Matrix = Vec<f64>;

fn product(a: &[f64], b: &[f64], d: usize) -> Matrix {
    (0..d * d).map(|at| (0..d).map(|k| a[at / d * d + k] * b[k * d + at % d]).sum()).collect()
}

fn same(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() < TOLERANCE)
}

fn identity(d: usize) -> Matrix {
    (0..d * d).map(|at| if at / d == at % d { 1.0 } else { 0.0 }).collect()
}

impl Element {
    fn new(matrix: Matrix, d: usize) -> Self {
        let mut from = Vec::with_capacity(d);
        let mut sign = Vec::with_capacity(d);
        for row in matrix.chunks_exact(d) {
            let large = row.iter().position(|x| (x.abs() - 1.0).abs() < 1e-14);
            match large {
                Some(k) if row.iter().enumerate().all(|(j, x)| j == k || x.abs() < 1e-14) => {
                    from.push(k);
                    sign.push(row[k].signum());
                }
                _ => return Element::Dense(matrix),
            }
        }
        Element::Signed { from, sign }
    }

    /// Rows of x moved: y = g x.
    fn apply<T: Real>(&self, x: &Var<T>) -> Var<T> {
        let d = x.shape()[1];
        match self {
            Element::Signed { from, sign } => {
                let y = if from.iter().enumerate().all(|(i, k)| i == *k) { x.clone() } else { x.index_select(from, 1) };
                if sign.iter().all(|s| *s == 1.0) { y } else { y * Var::from(sign.iter().map(|s| T::from_f64(*s)).collect::<Vec<T>>()) }
            }
            Element::Dense(matrix) => {
                let transposed = (0..d * d).map(|at| T::from_f64(matrix[at % d * d + at / d])).collect();
                x.matmul(Var::from_shape_vec(&[d, d], transposed).expect("d² of them"))
            }
        }
    }

    /// g⁻¹ = gᵀ
    fn inverse(&self, d: usize) -> Element {
        match self {
            Element::Signed { from, sign } => {
                let (mut back, mut signs) = (vec![0; d], vec![1.0; d]);
                for (i, (&k, &s)) in from.iter().zip(sign).enumerate() {
                    (back[k], signs[k]) = (i, s);
                }
                Element::Signed { from: back, sign: signs }
            }
            Element::Dense(m) => Element::Dense((0..d * d).map(|at| m[at % d * d + at / d]).collect()),
        }
    }
}

impl Group {
    /// All products of these orthogonal matrices, each of d² entries in row-major order.
    ///
    /// ```
    /// use pullback::flow::Group;
    /// let quarter = vec![0.0, -1.0, 1.0, 0.0];
    /// assert_eq!(Group::generated(2, &[quarter])?.order(), 4);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Shape` for matrices of another size, `Argument` for one that is not orthogonal, or generators of more than 50,000 elements.
    pub fn generated(dim: usize, generators: &[Vec<f64>]) -> Result<Self> {
        for (i, g) in generators.iter().enumerate() {
            if dim == 0 || g.len() != dim * dim {
                return Err(Error::shape(NAME, format!("generator {i} has {} entries, and {dim} × {dim} are needed", g.len())));
            }
            let transposed: Matrix = (0..dim * dim).map(|at| g[at % dim * dim + at / dim]).collect();
            if !same(&product(g, &transposed, dim), &identity(dim)) {
                return Err(Error::argument(NAME, format!("generator {i} is not orthogonal: {g:?}")));
            }
        }
        let mut elements = vec![identity(dim)];
        // elements by rounded entries, so that a product is looked up and not compared with all
        let key = |m: &[f64]| m.iter().map(|x| (x * 1e6).round() as i64).collect::<Vec<_>>();
        let mut known: std::collections::HashSet<Vec<i64>> = [key(&elements[0])].into();
        let mut next = 0;
        while next < elements.len() {
            for g in generators {
                let candidate = product(g, &elements[next], dim);
                if known.insert(key(&candidate)) {
                    elements.push(candidate);
                }
            }
            if elements.len() > LARGEST {
                return Err(Error::argument(
                    NAME,
                    format!("the generators have more than {LARGEST} products: no finite group, or too large a one"),
                ));
            }
            next += 1;
        }
        Ok(Group { dim, elements: elements.into_iter().map(|m| Element::new(m, dim)).collect() })
    }

    /// x ↦ ±x.
    ///
    /// # Errors
    /// `Shape` for no columns.
    pub fn reflection(dim: usize) -> Result<Self> {
        Self::generated(dim, &[identity(dim).iter().map(|x| -x).collect()])
    }

    /// Rotations of the plane by multiples of 2π/n.
    ///
    /// # Errors
    /// `Argument` for n = 0.
    pub fn rotations(n: usize) -> Result<Self> {
        if n == 0 {
            return Err(Error::argument(NAME, "rotations by 2π/0: n must be at least 1"));
        }
        let (sin, cos) = (std::f64::consts::TAU / n as f64).sin_cos();
        let exact = |x: f64| if (x - x.round()).abs() < 1e-15 { x.round() } else { x };
        Self::generated(2, &[vec![exact(cos), exact(-sin), exact(sin), exact(cos)]])
    }

    /// All exchanges of n particles with `coordinates` columns each, n! of them.
    ///
    /// # Errors
    /// `Argument` for more than 50,000, or no particles.
    pub fn permutations(n: usize, coordinates: usize) -> Result<Self> {
        let dim = n * coordinates;
        let exchange = |i: usize| {
            let mut m = vec![0.0; dim * dim];
            for row in 0..dim {
                let particle = row / coordinates;
                let from = if particle == i {
                    i + 1
                } else if particle == i + 1 {
                    i
                } else {
                    particle
                };
                m[row * dim + from * coordinates + row % coordinates] = 1.0;
            }
            m
        };
        Self::generated(dim, &(0..n.saturating_sub(1)).map(exchange).collect::<Vec<_>>())
    }

    /// Translations of a periodic lattice; columns are its sites in row-major order.
    ///
    /// # Errors
    /// `Shape` for an empty lattice.
    pub fn translations(lattice: &[usize]) -> Result<Self> {
        let dim: usize = lattice.iter().product();
        let shift = |axis: usize| {
            let stride: usize = lattice[axis + 1..].iter().product();
            let n = lattice[axis];
            let mut m = vec![0.0; dim * dim];
            for site in 0..dim {
                let x = site / stride % n;
                m[site * dim + site - x * stride + (x + 1) % n * stride] = 1.0;
            }
            m
        };
        Self::generated(dim, &(0..lattice.len()).map(shift).collect::<Vec<_>>())
    }

    /// The number of elements.
    pub fn order(&self) -> usize {
        self.elements.len()
    }

    /// The number of columns they act on.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// g x for each row.
    ///
    /// # Panics
    /// If there is no element of this number, or x has not the group's number of columns.
    #[track_caller]
    pub fn apply<T: Real>(&self, g: usize, x: &Var<T>) -> Var<T> {
        self.elements[g].apply(x)
    }

    /// g⁻¹ x for each row.
    ///
    /// # Panics
    /// As [`Group::apply`].
    #[track_caller]
    pub fn apply_inverse<T: Real>(&self, g: usize, x: &Var<T>) -> Var<T> {
        self.elements[g].inverse(self.dim).apply(x)
    }

    /// Row i moved by element `element[i]`.
    pub(super) fn apply_rows<T: Real>(&self, element: &[usize], x: &Var<T>) -> Var<T> {
        let mut rows: Vec<Vec<usize>> = vec![Vec::new(); self.order()];
        element.iter().enumerate().for_each(|(row, &g)| rows[g].push(row));
        let used: Vec<usize> = (0..self.order()).filter(|&g| !rows[g].is_empty()).collect();
        let parts: Vec<Var<T>> = used.iter().map(|&g| self.apply(g, &x.index_select(&rows[g], 0))).collect();
        let mut place = vec![0; element.len()];
        used.iter().flat_map(|&g| &rows[g]).enumerate().for_each(|(at, &row)| place[row] = at);
        if parts.is_empty() { x.clone() } else { concatenate(&parts, 0).index_select(&place, 0) }
    }
}
