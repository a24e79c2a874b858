mod derivatives;
mod errors;
mod gates;
mod picture;
mod support;
