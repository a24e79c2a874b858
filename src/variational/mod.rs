//! Training that ties a model density q to an energy or to data, and what is reported of it.
//!
//! For a target p(x) = e^{−βE(x)}/Z the variational free energy F_q = ⟨ln q + βE⟩_q / β is an upper bound of F = −ln Z/β; the difference is
//! the Kullback–Leibler divergence of q from p, over β. A [`Trainer`] lowers it ([`ReverseKl`]), or the negative log-likelihood of data
//! ([`MaximumLikelihood`]), by any [`Optimizer`](crate::optim::Optimizer), with checkpoints from which a run that was cut off goes on bit
//! for bit. [`free_energy`] reports F and its reweighted estimate with their errors, [`metropolize`] makes an exact sampler of the model,
//! [`bounds`] encloses F if there are samples of the target.
//!
//! ```
//! use pullback::nn::{Param, Params};
//! use pullback::optim::Adam;
//! use pullback::prelude::*;
//! use pullback::variational::{Density, ReverseKl, TrainOptions, Trainer, free_energy, target};
//! use pullback::{Result, random};
//! use rand::Rng;
//!
//! /// A normal density in one dimension.
//! struct Bell {
//!     mean: Param,
//!     log_scale: Param,
//! }
//! impl Density<f64> for Bell {
//!     type Noise = Var<f64>;
//!     fn dim(&self) -> usize {
//!         1
//!     }
//!     fn noise(&self, n: usize, rng: &mut dyn Rng) -> Result<Var<f64>> {
//!         Ok(random::normal(rng, &[n, 1]))
//!     }
//!     fn rsample(&self, p: &Params<f64>, noise: &Var<f64>) -> Result<(Var<f64>, Var<f64>)> {
//!         let x = p.get(self.mean) + p.get(self.log_scale).exp() * noise;
//!         let log_q = self.log_prob(p, &x)?;
//!         Ok((x, log_q))
//!     }
//!     fn log_prob(&self, p: &Params<f64>, x: &Var<f64>) -> Result<Var<f64>> {
//!         let z = (x - p.get(self.mean)) / p.get(self.log_scale).exp();
//!         Ok((-0.5 * z.square() - p.get(self.log_scale) - 0.5 * std::f64::consts::TAU.ln()).sum_axis(1))
//!     }
//! }
//!
//! // E = (x − 1)²/2 at β = 4: F = −ln(2π/β)/(2β)
//! let mut params = Params::new();
//! let model = Bell { mean: params.param("mean", 0.0), log_scale: params.param("log_scale", 0.0) };
//! let energy = target(1, |x: &Var<f64>| Ok(0.5 * (x - 1.0).square().sum_axis(1)));
//! let objective = ReverseKl::new(&model, &energy, 4.0, 64);
//! let mut trainer = Trainer::new(params, Adam::new(0.05), TrainOptions { steps: 300, ..Default::default() });
//! trainer.run(&objective)?;
//! let report = free_energy(&model, trainer.params(), &energy, 4.0, 1000, 1)?;
//! let exact = -(std::f64::consts::TAU / 4.0).ln() / 8.0;
//! assert!((report.free_energy.mean - exact).abs() < 0.01 && report.effective_sample_size > 0.95);
//! # Ok::<(), pullback::Error>(())
//! ```

mod checkpoint;
mod density;
mod estimate;
mod metropolis;
mod objective;
mod report;
mod target;
mod trainer;

pub use density::Density;
pub use estimate::{Estimate, autocorrelation_time};
pub use metropolis::{IndependenceChain, metropolize};
pub use objective::{Annealing, Gradient, MaximumLikelihood, Objective, ReverseKl};
pub use report::{Bounds, FreeEnergyReport, bounds, bounds_with, free_energy, free_energy_with};
pub use target::{FnTarget, Target, target};
pub use trainer::{Best, TraceRow, TrainOptions, Trainer, save_trace};
