//! Optimisers: known minima, and runs that are interrupted.
mod first_order;
mod least_squares;
mod quasi_newton;
