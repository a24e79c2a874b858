mod derivatives;
mod gates;
mod noise;
mod observables;
mod qasm;
mod refusals;
mod shift;
mod support;
