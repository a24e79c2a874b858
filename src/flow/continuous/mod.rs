//! Continuous flows
mod pair_field;
pub use pair_field::{RadialWeights, pair_field, pair_velocity};
