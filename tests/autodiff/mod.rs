//! The tape and the transforms.
mod gradcheck;
mod nesting;
mod scan;
mod transforms;
mod vmap;
