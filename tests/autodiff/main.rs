//! The tape and the transforms.
mod gradcheck;
mod nesting;
mod transforms;
