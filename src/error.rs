//! The one error type of the crate.

/// What went wrong, naming the operation, the shapes or the option, and what would be right.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Shapes that do not fit the operation.
    #[error("{operation}: {message}")]
    Shape {
        /// The operation that was asked for.
        operation: &'static str,
        /// The shapes found and what would be right.
        message: String,
    },
    /// An option or argument out of its range.
    #[error("{operation}: {message}")]
    Argument {
        /// The operation that was asked for.
        operation: &'static str,
        /// What was given and what would be right.
        message: String,
    },
    /// A NaN or infinity where the operation needs finite numbers.
    #[error("{operation}: {message}")]
    NonFinite {
        /// The operation that met it.
        operation: &'static str,
        /// Where it is.
        message: String,
    },
    /// A matrix without the property that the operation needs (positive definite, invertible, …).
    #[error("{operation}: {message}")]
    Singular {
        /// The operation that was asked for.
        operation: &'static str,
        /// What was found.
        message: String,
    },
    /// An iteration that did not reach its tolerance.
    #[error("{operation}: did not converge: {message}")]
    NoConvergence {
        /// The operation that was asked for.
        operation: &'static str,
        /// The last residual and what to try.
        message: String,
    },
    /// The loss depends on a choice of basis that the mathematics leaves open, so it has no derivative.
    #[error("{operation}: the result depends on the gauge: {message}")]
    GaugeDependent {
        /// The operation whose basis it is.
        operation: &'static str,
        /// Which entries, and what to use instead.
        message: String,
    },
    /// A derivative that does not exist, or that a rule does not offer.
    #[error("{operation}: {message}")]
    Derivative {
        /// The operation that was asked for.
        operation: &'static str,
        /// What is missing and what would be right.
        message: String,
    },
    /// A file that could not be read or written.
    #[error("{operation}: {message}")]
    Io {
        /// The operation that was asked for.
        operation: &'static str,
        /// The path and the reason.
        message: String,
    },
    /// An error of the user's own code, carried through.
    #[error("{0}")]
    User(String),
}

/// A result with the crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! constructors {
    ($($name:ident $variant:ident;)*) => {
        impl Error {
            $(
                #[doc = concat!("An [`Error::", stringify!($variant), "`] of the named operation.")]
                #[cold]
                pub fn $name(operation: &'static str, message: impl Into<String>) -> Self {
                    Error::$variant { operation, message: message.into() }
                }
            )*
        }
    };
}
constructors! {
    shape Shape;
    argument Argument;
    non_finite NonFinite;
    singular Singular;
    no_convergence NoConvergence;
    gauge_dependent GaugeDependent;
    derivative Derivative;
    io Io;
}
