//! The tape and the transforms.
mod nesting;
