//! ODE integrators and their derivatives.
mod adjoints;
mod errors;
mod events;
mod order_conditions;
mod orders;
mod problems;
mod stiff;
mod symplectic;
