mod derivatives;
mod errors;
mod gates;
mod support;
