mod gates;
mod support;
