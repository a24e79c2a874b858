//! Automatic differentiation in both modes and to any order: variables, the tape, primitives and transforms.

mod accumulate;
mod anomaly;
mod checkpoint;
mod custom;
mod forward;
mod gradcheck;
pub(crate) mod layer;
pub(crate) mod node;
pub(crate) mod number;
pub(crate) mod primitive;
mod reverse;
pub(crate) mod rule;
mod scan;
mod second;
mod stacking;
mod sweep;
pub(crate) mod tree;
mod var;
mod vmap;

pub use anomaly::detect_anomaly;
pub use checkpoint::checkpoint;
pub use custom::{custom_jvp, custom_vjp, external_vjp};
pub use forward::{Linearized, jvp, linearize};
pub use gradcheck::{GradCheck, GradCheckReport, gradcheck, gradcheck_with};
pub use primitive::{Primitive, apply};
pub use reverse::{Pullback, grad, value_and_grad, vjp};
pub use scan::{Carry, ScanOptions, scan};
pub use second::{hessian, hvp, jacobian_forward, jacobian_reverse};
pub use tree::{AnyRef, AnyVar, Argument, Loss, Returns, Tree};
pub use var::Var;
pub use vmap::{per_sample_grad, sum_value_and_grad, vmap, vmap_with};
