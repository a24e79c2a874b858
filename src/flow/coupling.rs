//! Coupling maps: some columns pass unchanged and give the parameters of a transformer of the others.
//!
//! y_b = τ(x_b; θ(x_a)), y_a = x_a: the Jacobian is triangular, ln|det| = Σ_b ln τ′, and the inverse costs as much as the map. With
//! [`Additive`](super::Additive) it is NICE (arXiv:1410.8516), with [`Scale`](super::Scale) RealNVP (arXiv:1605.08803), with
//! [`RationalQuadratic`](super::RationalQuadratic) a neural spline flow (arXiv:1906.04032).

use super::conditioner::{Conditioner, Net, with_context};
use super::density::check_shape;
use super::{Bijection, Direction, Transformer};
use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::nn::{Params, Scope};
use crate::scalar::Real;
use rand::Rng;

/// Which columns pass unchanged and condition the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnMask(Vec<bool>);

impl ColumnMask {
    /// `true` for the columns that pass.
    pub fn new(passes: Vec<bool>) -> Self {
        ColumnMask(passes)
    }

    /// Columns of this parity pass: 0 for 0, 2, 4, …
    pub fn alternating(dim: usize, parity: usize) -> Self {
        ColumnMask((0..dim).map(|i| i % 2 == parity % 2).collect())
    }

    /// The first half passes; `second` for the second half.
    pub fn halves(dim: usize, second: bool) -> Self {
        ColumnMask((0..dim).map(|i| (i >= dim / 2) == second).collect())
    }

    /// Sites of a lattice whose coordinates add up to this parity pass; columns are its sites in row-major order.
    pub fn checkerboard(lattice: &[usize], parity: usize) -> Self {
        let site = |mut i: usize| {
            let mut sum = 0;
            for n in lattice.iter().rev() {
                sum += i % n;
                i /= n;
            }
            sum
        };
        ColumnMask((0..lattice.iter().product()).map(|i| site(i) % 2 == parity % 2).collect())
    }

    /// The other columns.
    pub fn complement(&self) -> Self {
        ColumnMask(self.0.iter().map(|b| !b).collect())
    }

    /// Column by column.
    pub fn as_slice(&self) -> &[bool] {
        &self.0
    }

    fn positions(&self, passes: bool) -> Vec<usize> {
        (0..self.0.len()).filter(|&i| self.0[i] == passes).collect()
    }
}

/// A coupling map, see the module's head.
pub struct Coupling<T: Real> {
    passing: Vec<usize>,
    moved: Vec<usize>,
    dim: usize,
    transformer: Box<dyn Transformer<T>>,
    conditioner: Box<dyn Conditioner<T>>,
    context: usize,
}

const NAME: &str = "coupling";

impl<T: Real> Coupling<T> {
    /// With a perceptron as the conditioner; it starts as the identity if the transformer is one at 0.
    ///
    /// ```
    /// use pullback::flow::{Bijection, ColumnMask, Coupling, Net, Scale};
    /// use pullback::nn::Params;
    /// use pullback::prelude::*;
    /// use rand::{SeedableRng, rngs::StdRng};
    /// let mut rng = StdRng::seed_from_u64(1);
    /// let mut params = Params::<f64>::new();
    /// let mask = ColumnMask::alternating(4, 0);
    /// let map = Coupling::new(&mut params.scope("coupling"), &mask, Scale::default(), &Net::hidden(&[16]), &mut rng)?;
    /// let x = Var::ones(&[3, 4]);
    /// let (y, log_det) = map.forward(&params, &x, None)?;
    /// assert_eq!((y.shape(), log_det.shape()), (&[3, 4][..], &[3][..]));
    /// assert_eq!(map.inverse(&params, &y, None)?.0.as_slice(), x.as_slice());
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Argument` for a mask that leaves nothing to move or nothing to condition on, or options out of range.
    pub fn new(
        scope: &mut Scope<'_, T>,
        mask: &ColumnMask,
        transformer: impl Transformer<T> + 'static,
        net: &Net,
        rng: &mut dyn Rng,
    ) -> Result<Self> {
        let (passing, moved) = Self::split(mask)?;
        let conditioner = net.build(scope, passing.len(), moved.len() * transformer.parameters(), rng)?;
        Self::with_conditioner(mask, transformer, conditioner, net.context)
    }

    /// With a conditioner of one's own, which takes the passing columns and then `context` columns of the context.
    ///
    /// # Errors
    /// `Argument` as [`Coupling::new`]; `Shape` if the conditioner has other numbers of columns.
    pub fn with_conditioner(
        mask: &ColumnMask,
        transformer: impl Transformer<T> + 'static,
        conditioner: impl Conditioner<T> + 'static,
        context: usize,
    ) -> Result<Self> {
        let (passing, moved) = Self::split(mask)?;
        let needed = (passing.len() + context, moved.len() * transformer.parameters());
        let found = (conditioner.inputs(), conditioner.outputs());
        if needed != found {
            let message = format!("the conditioner has (inputs, outputs) {found:?}, and {needed:?} are needed");
            return Err(Error::shape(NAME, message));
        }
        Ok(Coupling { passing, moved, dim: mask.0.len(), transformer: Box::new(transformer), conditioner: Box::new(conditioner), context })
    }

    fn split(mask: &ColumnMask) -> Result<(Vec<usize>, Vec<usize>)> {
        let (passing, moved) = (mask.positions(true), mask.positions(false));
        if passing.is_empty() || moved.is_empty() {
            let message = format!("{} columns pass and {} are moved: there must be at least one of each", passing.len(), moved.len());
            return Err(Error::argument(NAME, message));
        }
        Ok((passing, moved))
    }

    fn run(&self, p: &Params<T>, x: &Var<T>, context: Option<&Var<T>>, direction: Direction) -> Result<(Var<T>, Var<T>)> {
        check_shape(NAME, x, self.dim)?;
        let a = x.index_select(&self.passing, 1);
        let theta = self.conditioner.forward(p, &with_context(NAME, a, context, self.context)?)?;
        self.transformer.of_columns(direction, x, &self.moved, &theta)
    }
}

impl<T: Real> Bijection<T> for Coupling<T> {
    fn dim(&self) -> usize {
        self.dim
    }
    fn forward(&self, p: &Params<T>, x: &Var<T>, context: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)> {
        self.run(p, x, context, Direction::Forward)
    }
    fn inverse(&self, p: &Params<T>, y: &Var<T>, context: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)> {
        self.run(p, y, context, Direction::Inverse)
    }
}
