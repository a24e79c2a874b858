//! Continuous normalizing flows: x moves with a velocity field, ẋ = v(t, x), and ln|det| grows with its divergence, d ln|det| / dt = ∇·v
//! (Chen et al., arXiv:1806.07366).
//!
//! A [`ContinuousFlow`] is a [`Bijection`] made of a [`VelocityField`] and the options of an ODE solve: its derivative comes from the adjoint
//! chosen there. The divergence is the field's own closed form, the trace of the Jacobian column by column, or an unbiased estimate
//! ([`Divergence`]). Fields: [`MlpField`] in (x, t), [`PairField`] for particles, which moves with permutations and rotations, and
//! [`GradientField`], v = ∇φ (the Monge–Ampère flow of Zhang, E and Wang, arXiv:1809.10188), with potentials made symmetric by [`Symmetrized`].
//!
//! ```
//! use pullback::flow::continuous::{ContinuousFlow, MlpField};
//! use pullback::flow::Bijection;
//! use pullback::nn::Params;
//! use pullback::prelude::*;
//! use rand::{SeedableRng, rngs::StdRng};
//!
//! let mut rng = StdRng::seed_from_u64(1);
//! let mut params = Params::<f64>::new();
//! let field = MlpField::new(&mut params.scope("v"), 2, 0, &[16], &mut rng);
//! let flow = ContinuousFlow::new(field);
//! let x = Var::from(ndarray::array![[0.3, -0.2], [1.0, 0.5]]);
//! let (y, up) = flow.forward(&params, &x, None)?;
//! let (back, down) = flow.inverse(&params, &y, None)?;
//! assert!((back - x).abs().max().item() < 1e-6 && (up + down).abs().max().item() < 1e-6);
//! # Ok::<(), pullback::Error>(())
//! ```

mod divergence;
mod field;
mod flow;
mod gradient_field;
mod pair_field;
mod particles;

pub use divergence::{Divergence, Noise};
pub use field::{MlpField, VelocityField};
pub use flow::ContinuousFlow;
pub use gradient_field::{GradientField, MlpPotential, Potential, Symmetrized};
pub use pair_field::{PairWeights, RadialWeights, pair_field, pair_velocity};
pub use particles::{PairField, PairFieldOptions, PairNet, RadialNet};

#[allow(unused_imports)] // for the links above
use super::Bijection;
