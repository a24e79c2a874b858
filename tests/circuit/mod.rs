mod derivatives;
mod errors;
mod gates;
<<<<<<< HEAD
mod noise;
mod observables;
mod qasm;
mod refusals;
mod shift;
=======
mod picture;
>>>>>>> circuit
mod support;
