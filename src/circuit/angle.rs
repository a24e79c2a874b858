//! Angles of gates: numbers, or affine functions of a circuit's parameters.

use std::fmt;
use std::ops::{Add, Mul, Neg};

/// A parameter of a [`Circuit`](super::Circuit), as [`Circuit::parameter`](super::Circuit::parameter) hands it out.
///
/// Use it in several gates and they share it; `2.0 * p` and `p + 0.5` are angles that depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Parameter(pub(crate) usize);

impl Parameter {
    /// The parameter at a place of the array θ.
    pub fn from_index(index: usize) -> Parameter {
        Parameter(index)
    }

    /// Its place in the array of parameters.
    pub fn index(self) -> usize {
        self.0
    }
}

/// An angle in radians: a number, or scale · θ\[index\] + shift.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Angle {
    /// A number: no derivative.
    Fixed(f64),
    /// scale · θ\[index\] + shift
    Parameter {
        /// The place in the array of parameters.
        index: usize,
        /// The factor.
        scale: f64,
        /// The offset, in radians.
        shift: f64,
    },
}

impl Angle {
    pub(crate) fn at(self, theta: &[f64]) -> f64 {
        match self {
            Angle::Fixed(x) => x,
            Angle::Parameter { index, scale, shift } => scale * theta[index] + shift,
        }
    }

    /// The same function of what `angles` says of each parameter.
    pub(crate) fn substitute(self, angles: &[Angle]) -> Angle {
        match self {
            Angle::Fixed(_) => self,
            Angle::Parameter { index, scale, shift } => angles[index] * scale + shift,
        }
    }
}

impl From<f64> for Angle {
    fn from(x: f64) -> Self {
        Angle::Fixed(x)
    }
}

impl From<Parameter> for Angle {
    fn from(p: Parameter) -> Self {
        Angle::Parameter { index: p.0, scale: 1.0, shift: 0.0 }
    }
}

impl Mul<f64> for Angle {
    type Output = Angle;
    fn mul(self, by: f64) -> Angle {
        match self {
            Angle::Fixed(x) => Angle::Fixed(x * by),
            Angle::Parameter { index, scale, shift } => Angle::Parameter { index, scale: scale * by, shift: shift * by },
        }
    }
}

impl Add<f64> for Angle {
    type Output = Angle;
    fn add(self, by: f64) -> Angle {
        match self {
            Angle::Fixed(x) => Angle::Fixed(x + by),
            Angle::Parameter { index, scale, shift } => Angle::Parameter { index, scale, shift: shift + by },
        }
    }
}

impl Neg for Angle {
    type Output = Angle;
    fn neg(self) -> Angle {
        self * -1.0
    }
}

impl Mul<Angle> for f64 {
    type Output = Angle;
    fn mul(self, angle: Angle) -> Angle {
        angle * self
    }
}

impl Mul<Parameter> for f64 {
    type Output = Angle;
    fn mul(self, p: Parameter) -> Angle {
        Angle::from(p) * self
    }
}

impl Mul<f64> for Parameter {
    type Output = Angle;
    fn mul(self, by: f64) -> Angle {
        Angle::from(self) * by
    }
}

impl Add<f64> for Parameter {
    type Output = Angle;
    fn add(self, by: f64) -> Angle {
        Angle::from(self) + by
    }
}

impl Neg for Parameter {
    type Output = Angle;
    fn neg(self) -> Angle {
        -Angle::from(self)
    }
}

impl fmt::Display for Angle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Angle::Fixed(x) => write!(f, "{x}"),
            Angle::Parameter { index, scale, shift } => {
                match scale {
                    1.0 => write!(f, "θ{index}")?,
                    -1.0 => write!(f, "-θ{index}")?,
                    _ => write!(f, "{scale}·θ{index}")?,
                }
                if shift != 0.0 { write!(f, "{shift:+}") } else { Ok(()) }
            }
        }
    }
}
