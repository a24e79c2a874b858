//! Neural networks: named parameters, initialisers, and layers that hold only where their parameters are.
//!
//! [`Params`] is an ordered set of named arrays and itself a structure of variables, so transforms and optimisers take it as they take an
//! array. A layer is made in a scope of it and keeps handles ([`Param`]); its `forward` reads the numbers from whichever set it is given:
//! the tracked one inside a transform, a cast one, one that was loaded.
//!
//! ```
//! use pullback::nn::{Activation, Mlp, Params};
//! use pullback::optim::{Adam, Optimizer};
//! use pullback::prelude::*;
//! use rand::{SeedableRng, rngs::StdRng};
//!
//! let mut rng = StdRng::seed_from_u64(1);
//! let mut params = Params::<f64>::new();
//! let net = Mlp::new(&mut params.scope("phi"), &[1, 16, 1], Activation::Tanh, &mut rng);
//! let x = linspace(&Var::scalar(-1.0), &Var::scalar(1.0), 32).reshape(&[32, 1]);
//! let mut adam = Adam::new(1e-2);
//! for _ in 0..200 {
//!     let (_, gradient) = params.value_and_grad(|p| (net.forward(p, &x) - x.square()).square().mean())?;
//!     adam.step(&mut params, &gradient)?;
//! }
//! assert!((net.forward(&params, &x) - x.square()).square().mean().item() < 0.02);
//! # Ok::<(), pullback::Error>(())
//! ```

mod activation;
mod conv;
mod dense;
mod file;
mod init;
mod linear;
mod masked;
mod mlp;
mod norm;
mod params;
mod perceptron;
mod sets;

pub use activation::Activation;
pub use conv::{Conv, ConvOptions, Padding, causal_mask};
pub use init::Init;
pub use linear::Linear;
pub use masked::MaskedLinear;
pub use mlp::Mlp;
pub use norm::LayerNorm;
pub use params::{Param, Params, Scope};
pub use sets::{DeepSets, Pairwise, PeriodicFeatures, SetLinear};
