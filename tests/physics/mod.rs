//! Hamiltonians against closed forms.
mod coulomb;
