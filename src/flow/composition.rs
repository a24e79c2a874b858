//! Maps made of maps: one after another, and backwards.

use super::{Bijection, Direction};
use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::nn::Params;
use crate::scalar::Real;

/// f_n ∘ ⋯ ∘ f_1; logarithms add up.
pub struct Composition<T: Real> {
    maps: Vec<Box<dyn Bijection<T>>>,
}

const NAME: &str = "composition";

impl<T: Real> Composition<T> {
    /// The maps in the order in which `forward` applies them.
    ///
    /// # Errors
    /// `Argument` for none; `Shape` if they have not all the same number of columns.
    pub fn new(maps: Vec<Box<dyn Bijection<T>>>) -> Result<Self> {
        let Some(dim) = maps.first().map(|m| m.dim()) else {
            return Err(Error::argument(NAME, "no maps: there must be at least one"));
        };
        if let Some(i) = maps.iter().position(|m| m.dim() != dim) {
            let message = format!("map {i} has {} columns and map 0 has {dim}: they must be the same", maps[i].dim());
            return Err(Error::shape(NAME, message));
        }
        Ok(Composition { maps })
    }

    fn run(&self, direction: Direction, p: &Params<T>, x: &Var<T>, context: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)> {
        let mut at = x.clone();
        let mut log_volume: Option<Var<T>> = None;
        for i in 0..self.maps.len() {
            let (next, l) = direction.apply(&*self.maps[direction.nth(i, self.maps.len())], p, &at, context)?;
            at = next;
            log_volume = Some(log_volume.map_or(l.clone(), |sum| sum + l));
        }
        Ok((at, log_volume.expect("at least one map")))
    }
}

impl<T: Real> Bijection<T> for Composition<T> {
    fn dim(&self) -> usize {
        self.maps[0].dim()
    }
    fn forward(&self, p: &Params<T>, x: &Var<T>, context: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)> {
        self.run(Direction::Forward, p, x, context)
    }
    fn inverse(&self, p: &Params<T>, y: &Var<T>, context: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)> {
        self.run(Direction::Inverse, p, y, context)
    }
    fn initialize(&self, p: &mut Params<T>, data: &Var<T>, direction: Direction, context: Option<&Var<T>>) -> Result<Var<T>> {
        (0..self.maps.len())
            .try_fold(data.clone(), |at, i| self.maps[direction.nth(i, self.maps.len())].initialize(p, &at, direction, context))
    }
}

/// f⁻¹ in place of f.
#[derive(Clone, Debug)]
pub struct Inverse<B>(pub B);

impl<T: Real, B: Bijection<T>> Bijection<T> for Inverse<B> {
    fn dim(&self) -> usize {
        self.0.dim()
    }
    fn forward(&self, p: &Params<T>, x: &Var<T>, context: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)> {
        self.0.inverse(p, x, context)
    }
    fn inverse(&self, p: &Params<T>, y: &Var<T>, context: Option<&Var<T>>) -> Result<(Var<T>, Var<T>)> {
        self.0.forward(p, y, context)
    }
    fn initialize(&self, p: &mut Params<T>, data: &Var<T>, direction: Direction, context: Option<&Var<T>>) -> Result<Var<T>> {
        self.0.initialize(p, data, direction.opposite(), context)
    }
}
