//! Optimisers: known minima, and runs that are interrupted.
mod first_order;
mod least_squares;
mod line_search;
mod quasi_newton;
