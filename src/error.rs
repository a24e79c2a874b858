//! The one error type of the crate.

/// What went wrong, naming the operation, the shapes or the option, and what would be right.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// Shapes that do not fit the operation.
    Shape {
        /// The operation that was asked for.
        operation: &'static str,
        /// The shapes found and what would be right.
        message: String,
    },
    /// An option or argument out of its range.
    Argument {
        /// The operation that was asked for.
        operation: &'static str,
        /// What was given and what would be right.
        message: String,
    },
    /// A NaN or infinity where the operation needs finite numbers.
    NonFinite {
        /// The operation that met it.
        operation: &'static str,
        /// Where it is.
        message: String,
    },
    /// A matrix without the property that the operation needs (positive definite, invertible, …).
    Singular {
        /// The operation that was asked for.
        operation: &'static str,
        /// What was found.
        message: String,
    },
    /// An iteration that did not reach its tolerance.
    NoConvergence {
        /// The operation that was asked for.
        operation: &'static str,
        /// The last residual and what to try.
        message: String,
        /// The norm of the last residual, where there is one.
        residual: Option<f64>,
        /// Where the iteration ended, all numbers of the state in order (a complex array as its real, then its imaginary parts); empty where
        /// it has no state to go on from.
        iterate: Vec<f64>,
    },
    /// The loss depends on a choice of basis that the mathematics leaves open, so it has no derivative.
    GaugeDependent {
        /// The operation whose basis it is.
        operation: &'static str,
        /// Which entries, and what to use instead.
        message: String,
    },
    /// A derivative that does not exist, or that a rule does not offer.
    Derivative {
        /// The operation that was asked for.
        operation: &'static str,
        /// What is missing and what would be right.
        message: String,
    },
    /// A file that could not be read or written.
    Io {
        /// The operation that was asked for.
        operation: &'static str,
        /// The path and the reason.
        message: String,
    },
    /// An error of the user's own code, carried through.
    User(String),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use Error::*;
        match self {
            Shape { operation, message }
            | Argument { operation, message }
            | NonFinite { operation, message }
            | Singular { operation, message }
            | Derivative { operation, message }
            | Io { operation, message } => write!(f, "{operation}: {message}"),
            NoConvergence { operation, message, .. } => write!(f, "{operation}: did not converge: {message}"),
            GaugeDependent { operation, message } => write!(f, "{operation}: the result depends on the gauge: {message}"),
            User(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Error {}

/// A result with the crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An [`Error::NoConvergence`] of the named operation.
    #[cold]
    pub fn no_convergence(operation: &'static str, message: impl Into<String>) -> Self {
        Error::NoConvergence { operation, message: message.into(), residual: None, iterate: Vec::new() }
    }

    /// The same error with where the iteration got to; errors of other kinds stay as they are.
    #[cold]
    pub fn with_iterate(mut self, last_residual: f64, last_iterate: Vec<f64>) -> Self {
        if let Error::NoConvergence { residual, iterate, .. } = &mut self {
            (*residual, *iterate) = (Some(last_residual), last_iterate);
        }
        self
    }
}

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
    gauge_dependent GaugeDependent;
    derivative Derivative;
    io Io;
}
