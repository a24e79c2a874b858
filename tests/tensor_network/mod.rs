//! Tensor networks against exact results.
mod trg;
