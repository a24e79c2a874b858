//! The library from outside, a module for each of its own: values against oracles and exact results, derivatives against finite
//! differences. One program, because each would compile the generic operations anew.
mod autodiff;
mod circuit;
mod coverage;
mod distributions;
mod flow;
mod implicit;
mod kernels;
mod linalg;
mod nn;
mod ode;
mod ops;
mod optim;
mod physics;
mod special;
mod support;
mod tensor_network;
mod variational;
