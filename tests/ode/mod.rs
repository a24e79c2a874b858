//! ODE integrators and their derivatives.
mod adjoints;
mod errors;
mod events;
mod orders;
mod problems;
mod stiff;
mod symplectic;
