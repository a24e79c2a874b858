mod derivatives;
mod gates;
mod support;
