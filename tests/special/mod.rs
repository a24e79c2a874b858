//! Special functions: values against 60 digits, derivatives by finite differences, awkward points.
mod awkward;
mod derivatives;
mod functions;
mod values;
