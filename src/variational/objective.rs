//! What a trainer lowers.

use super::density::Density;
use super::estimate::Estimate;
use super::target::{Target, check_dim, energies};
use crate::nn::Params;
use crate::{Error, Real, Result, Var, random};
use rand::Rng;

/// A loss that is a mean over random samples.
pub trait Objective<T: Real> {
    /// Refuses what cannot be trained, before the first step.
    ///
    /// # Errors
    /// Shapes or options that do not fit.
    fn check(&self) -> Result<()> {
        Ok(())
    }
    /// The losses of the samples of one step, of shape (n); their mean is lowered.
    ///
    /// # Errors
    /// Those of the model.
    fn losses(&self, p: &Params<T>, step: u64, rng: &mut dyn Rng) -> Result<Var<T>>;
    /// β at a step, for the trace; `None` where there is none.
    fn beta(&self, step: u64) -> Option<f64> {
        let _ = step;
        None
    }
    /// The loss of what is kept aside, the same samples at every call. `None` if there is nothing.
    ///
    /// # Errors
    /// Those of the model.
    fn holdout(&self, p: &Params<T>) -> Result<Option<Estimate>> {
        let _ = p;
        Ok(None)
    }
}

/// Which estimator of the gradient of ⟨ln q + βE⟩_q is taken. Both have the same mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gradient {
    /// The derivative of ln q_θ(x_θ) + βE(x_θ) by θ.
    #[default]
    Reparameterized,
    /// Without the term ∂_θ ln q_θ(x) at fixed x, whose mean is zero (Roeder, Wu and Duvenaud, arXiv:1703.09194; for flows Vaitl et al.,
    /// arXiv:2206.09016): the variance vanishes as q becomes the target. It costs one evaluation of ln q at x besides.
    Path,
}

/// How β rises to its value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Annealing {
    /// Not at all.
    #[default]
    None,
    /// β(k) = β (f + (1 − f) k/n), f = `from`, until step n = `steps`.
    Linear {
        /// The fraction of β at the start.
        from: f64,
        /// After how many steps β is reached.
        steps: u64,
    },
    /// β(k) = β f^(1 − k/n), f = `from`, until step n = `steps`.
    Geometric {
        /// The fraction of β at the start.
        from: f64,
        /// After how many steps β is reached.
        steps: u64,
    },
}

impl Annealing {
    /// β at step k.
    pub fn at(&self, beta: f64, k: u64) -> f64 {
        match *self {
            Annealing::Linear { from, steps } if k < steps => beta * (from + (1.0 - from) * k as f64 / steps as f64),
            Annealing::Geometric { from, steps } if k < steps => beta * from.powf(1.0 - k as f64 / steps as f64),
            _ => beta,
        }
    }

    fn check(&self) -> Result<()> {
        match *self {
            Annealing::Linear { from, .. } | Annealing::Geometric { from, .. } if !(from > 0.0 && from.is_finite()) => {
                Err(Error::argument("Annealing", format!("`from` is a fraction of β and must be positive, got {from}")))
            }
            _ => Ok(()),
        }
    }
}

/// ⟨ln q + βE⟩_q, which is βF_q ≥ βF: the reverse Kullback–Leibler divergence up to a constant.
pub struct ReverseKl<'a, T: Real, D: Density<T>> {
    model: &'a D,
    target: &'a dyn Target<T>,
    /// The inverse temperature β.
    pub beta: f64,
    /// The number of samples of a step.
    pub batch: usize,
    /// Which estimator of the gradient.
    pub gradient: Gradient,
    /// How β rises.
    pub annealing: Annealing,
    holdout: Option<D::Noise>,
}

impl<'a, T: Real, D: Density<T>> ReverseKl<'a, T, D> {
    /// With the reparameterised gradient, without annealing and hold-out.
    pub fn new(model: &'a D, target: &'a dyn Target<T>, beta: f64, batch: usize) -> Self {
        ReverseKl { model, target, beta, batch, gradient: Gradient::default(), annealing: Annealing::None, holdout: None }
    }

    /// With this estimator of the gradient.
    pub fn gradient(self, gradient: Gradient) -> Self {
        ReverseKl { gradient, ..self }
    }

    /// With β rising to its value.
    pub fn annealing(self, annealing: Annealing) -> Self {
        ReverseKl { annealing, ..self }
    }

    /// Keeps the noise of n samples aside: the loss at the full β on these samples, the same at every evaluation, is the hold-out.
    ///
    /// # Errors
    /// Those of the model.
    pub fn with_holdout(self, n: usize, rng: &mut dyn Rng) -> Result<Self> {
        Ok(ReverseKl { holdout: Some(self.model.noise(n, rng)?), ..self })
    }

    fn at(&self, p: &Params<T>, noise: &D::Noise, beta: f64, gradient: Gradient) -> Result<Var<T>> {
        let (x, mut log_q) = self.model.rsample(p, noise)?;
        if gradient == Gradient::Path {
            log_q = self.model.log_prob(&p.stop_gradient(), &x)?;
        }
        Ok(log_q + energies(self.target, &x)? * T::from_f64(beta))
    }
}

impl<T: Real, D: Density<T>> Objective<T> for ReverseKl<'_, T, D> {
    fn check(&self) -> Result<()> {
        check_dim("ReverseKl", self.model.dim(), self.target.dim())?;
        if !(self.beta > 0.0 && self.beta.is_finite()) || self.batch == 0 {
            let message = format!("β must be positive and the batch not empty, got β = {} and {} samples", self.beta, self.batch);
            return Err(Error::argument("ReverseKl", message));
        }
        self.annealing.check()
    }
    fn losses(&self, p: &Params<T>, step: u64, rng: &mut dyn Rng) -> Result<Var<T>> {
        let noise = self.model.noise(self.batch, rng)?;
        self.at(p, &noise, self.annealing.at(self.beta, step), self.gradient)
    }
    fn beta(&self, step: u64) -> Option<f64> {
        Some(self.annealing.at(self.beta, step))
    }
    fn holdout(&self, p: &Params<T>) -> Result<Option<Estimate>> {
        let Some(noise) = &self.holdout else { return Ok(None) };
        let losses = self.at(p, noise, self.beta, Gradient::Reparameterized)?;
        Ok(Some(Estimate::independent(&losses.as_slice().iter().map(|x| x.to_f64()).collect::<Vec<_>>())))
    }
}

/// −⟨ln q⟩ over rows of data: the forward Kullback–Leibler divergence up to a constant.
pub struct MaximumLikelihood<'a, T: Real, D: Density<T>> {
    model: &'a D,
    data: Var<T>,
    /// The number of rows of a step, drawn without replacement.
    pub batch: usize,
    holdout: Option<Var<T>>,
}

impl<'a, T: Real, D: Density<T>> MaximumLikelihood<'a, T, D> {
    /// From data of shape (rows, dim).
    ///
    /// # Errors
    /// [`Error::Shape`] for data of another dimension; [`Error::NonFinite`] for rows with a NaN or an infinity, naming them;
    /// [`Error::Argument`] for a batch of 0 or more rows than there are.
    pub fn new(model: &'a D, data: impl Into<Var<T>>, batch: usize) -> Result<Self> {
        let data = data.into();
        check_rows("MaximumLikelihood", &data, model.dim())?;
        check_batch(batch, data.shape()[0])?;
        Ok(MaximumLikelihood { model, data, batch, holdout: None })
    }

    /// Keeps the last n rows aside: they are not trained on, and their loss is the hold-out.
    ///
    /// # Errors
    /// [`Error::Argument`] if too few rows are left for a batch.
    pub fn with_holdout(self, n: usize) -> Result<Self> {
        let rows = self.data.shape()[0];
        check_batch(self.batch, rows.saturating_sub(n))?;
        let (train, kept) = (self.data.slice(crate::ops::s![..rows - n, ..]), self.data.slice(crate::ops::s![rows - n.., ..]));
        Ok(MaximumLikelihood { data: train, holdout: (n > 0).then_some(kept), ..self })
    }
}

fn check_batch(batch: usize, rows: usize) -> Result<()> {
    if batch > 0 && batch <= rows {
        return Ok(());
    }
    Err(Error::argument(
        "MaximumLikelihood",
        format!("a batch of {batch} rows of {rows}: it must have at least one and no more than there are"),
    ))
}

/// Finite rows of the right number of columns.
pub(super) fn check_rows<T: Real>(operation: &'static str, x: &Var<T>, dim: usize) -> Result<()> {
    if x.ndim() != 2 || x.shape()[1] != dim {
        return Err(Error::shape(
            operation,
            format!("the data have shape {:?}, the model is on {dim} columns: (rows, {dim}) is needed", x.shape()),
        ));
    }
    let bad: Vec<usize> =
        x.as_slice().chunks(dim.max(1)).enumerate().filter(|(_, r)| r.iter().any(|x| !x.is_finite())).map(|(i, _)| i).collect();
    let Some(&first) = bad.first() else { return Ok(()) };
    let row = &x.as_slice()[first * dim..(first + 1) * dim];
    let column = row.iter().position(|x| !x.is_finite()).expect("a number that is not finite");
    let more = match bad.len() {
        1 => String::new(),
        n => format!("; {n} rows are not finite, the first are {:?}", &bad[..n.min(8)]),
    };
    Err(Error::non_finite(operation, format!("row {first} of the data is {} in column {column}{more}", row[column])))
}

impl<T: Real, D: Density<T>> Objective<T> for MaximumLikelihood<'_, T, D> {
    fn check(&self) -> Result<()> {
        check_batch(self.batch, self.data.shape()[0])
    }
    fn losses(&self, p: &Params<T>, _: u64, rng: &mut dyn Rng) -> Result<Var<T>> {
        let rows = random::choice(rng, self.data.shape()[0], self.batch, false)?;
        Ok(-self.model.log_prob(p, &self.data.index_select(&rows, 0))?)
    }
    fn holdout(&self, p: &Params<T>) -> Result<Option<Estimate>> {
        let Some(rows) = &self.holdout else { return Ok(None) };
        let log_q = self.model.log_prob(p, rows)?;
        Ok(Some(Estimate::independent(&log_q.as_slice().iter().map(|x| -x.to_f64()).collect::<Vec<_>>())))
    }
}
