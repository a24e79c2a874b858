//! What the user chooses: the method, the steps, the derivative.

use crate::error::{Error, Result};

/// The integrator.
///
/// | method | order | steps | use |
/// |---|---|---|---|
/// | `Euler` | 1 | fixed | comparisons |
/// | `Heun` | 2(1) | fixed, adaptive | low accuracy |
/// | `Rk4` | 4 | fixed | |
/// | `Bosh3` | 3(2) | fixed, adaptive | low accuracy |
/// | `Tsit5` | 5(4) | fixed, adaptive | the default |
/// | `Dopri5` | 5(4) | fixed, adaptive | as `Tsit5`, the classic |
/// | `Dop853` | 8(5,3) | fixed, adaptive | tight tolerances |
/// | `Leapfrog` | 2 | fixed | separable Hamiltonians: bounded energy error, reversible |
/// | `Yoshida4`, `ForestRuth` | 4 | fixed | the same at higher order |
/// | `ImplicitMidpoint` | 2 | fixed | any Hamiltonian; symplectic, reversible, A-stable |
/// | `Trapezoid` | 2 | fixed | stiff, without damping; reversible, A-stable |
/// | `Esdirk4` | 4(3) | fixed, adaptive | stiff: L-stable, stiffly accurate |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Method {
    /// y₁ = y + h f(t, y).
    Euler,
    /// The trapezoidal rule with Euler's step in place of the unknown end, with Euler's method for the error.
    Heun,
    /// The classical fourth-order method of Runge and Kutta.
    Rk4,
    /// Bogacki and Shampine 1989.
    Bosh3,
    /// Tsitouras 2011.
    #[default]
    Tsit5,
    /// Dormand and Prince 1980.
    Dopri5,
    /// Dormand and Prince's method of order 8 as in Hairer, Nørsett and Wanner's DOP853.
    Dop853,
    /// Half a kick, a drift, half a kick (velocity Verlet). The state's first half are positions, its second half momenta (see
    /// [`odeint`](super::odeint)).
    Leapfrog,
    /// Yoshida's composition of three leapfrog steps (Phys. Lett. A 150, 262 (1990)), beginning with a kick.
    Yoshida4,
    /// Forest and Ruth (Physica D 43, 105 (1990)): the same weights, beginning with a drift.
    ForestRuth,
    /// y₁ = y + h f(t + h/2, (y + y₁)/2).
    ImplicitMidpoint,
    /// y₁ = y + h/2 (f(t, y) + f(t + h, y₁)).
    Trapezoid,
    /// The six-stage, L-stable and stiffly accurate implicit half of Kennedy and Carpenter's ARK4(3)6L\[2\]SA (2003).
    Esdirk4,
}

impl Method {
    pub(crate) fn is_symplectic_composition(self) -> bool {
        matches!(self, Method::Leapfrog | Method::Yoshida4 | Method::ForestRuth)
    }

    /// A step with −h undoes a step with h.
    pub(crate) fn is_symmetric(self) -> bool {
        self.is_symplectic_composition() || matches!(self, Method::ImplicitMidpoint | Method::Trapezoid)
    }

    pub(crate) fn is_implicit(self) -> bool {
        matches!(self, Method::ImplicitMidpoint | Method::Trapezoid | Method::Esdirk4)
    }
}

/// How the steps are chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stepping {
    /// Steps of equal length within each interval between requested times: as few as are no longer than `step`.
    Fixed {
        /// The largest step length, positive.
        step: f64,
    },
    /// Steps whose estimated local error, in the root mean square of e_i / (`atol` + `rtol` max |y_i|), is at most 1, by a
    /// proportional–integral controller (Hairer and Wanner, Solving ODEs II, §IV.2). Requested times between steps come from the method's
    /// dense output.
    Adaptive {
        /// Relative tolerance.
        rtol: f64,
        /// Absolute tolerance.
        atol: f64,
        /// The first step's length; estimated if `None`.
        first_step: Option<f64>,
        /// The largest number of steps, accepted and rejected.
        max_steps: usize,
    },
}

impl Stepping {
    /// Adaptive steps with these tolerances.
    pub fn adaptive(rtol: f64, atol: f64) -> Self {
        Stepping::Adaptive { rtol, atol, first_step: None, max_steps: 1_000_000 }
    }
}

impl Default for Stepping {
    fn default() -> Self {
        Stepping::adaptive(1e-7, 1e-9)
    }
}

/// How the derivative is computed in a backward sweep. Forward mode always differentiates the steps taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Adjoint {
    /// The steps taken, differentiated backwards: exact for the numerical solution, whatever the tolerance. Step lengths are constants
    /// (fractions of the interval they lie in). Works with every method.
    Discrete {
        /// How many states may be held at once; `None` is no bound: all states and stages are kept, and what
        /// the field recorded there, so that it is not evaluated again. Under a bound, states are computed
        /// again from checkpoints placed by the binomial schedule of Griewank and Walther (revolve), the fewest times possible.
        checkpoints: Option<usize>,
    },
    /// The steps taken, differentiated backwards while each is undone: memory does not grow with the steps, exact up to rounding.
    /// Symplectic methods, the implicit midpoint and the trapezoid are undone as they are. An explicit Runge–Kutta method Ψ is run as the
    /// pair y′ = κ y + (1−κ) z + Ψ_h(z), z′ = z − Ψ_{−h}(y′) of McCallum and Foster (arXiv:2410.11648), of the same order, at twice the
    /// cost, with every requested time the end of a step. The error of the pair is larger than that of the method: what the halves differ by
    /// adds up over about 1/(1−κ) steps and acts back on both (Lotka–Volterra over three orbits at `rtol` 1e-7: relative error 1e-3, where
    /// the method alone has 1e-7). Ask for tolerances two or three digits tighter, or use a symmetric method.
    Reversible {
        /// κ in (0, 1]: below 1 it damps the difference of the pair; undoing n steps magnifies rounding by κ⁻ⁿ. 1 for a few thousand
        /// steps and more.
        coupling: f64,
    },
    /// The adjoint equation λ̇ = −Jᵀλ integrated backwards together with the state (Pontryagin; Chen et al., arXiv:1806.07366): memory
    /// does not grow with the steps, the error is of the size of the tolerances. Between requested times the state is reconstructed; where
    /// it misses the forward solution by more than `reconstruction` tolerances, as it must on stiff and strongly damped problems, the
    /// sweep ends in an `Err`.
    Backward {
        /// The largest error of the reconstructed state, in units of `atol` + `rtol` |y|.
        reconstruction: f64,
    },
    /// The adjoint equation integrated backwards along the stored trajectory and its dense output: for stiff problems. Memory grows with
    /// the steps, the error is of the size of the tolerances.
    Interpolated,
    /// The sensitivity equations ∂y/∂(y₀, params, times), carried forwards through the steps taken: exact for the numerical solution, cost
    /// grows with the number of parameters, memory does not grow with the steps.
    Forward,
}

impl Default for Adjoint {
    fn default() -> Self {
        Adjoint::Discrete { checkpoints: None }
    }
}

impl Adjoint {
    /// [`Adjoint::Backward`] that allows a reconstruction error of a thousand tolerances.
    pub fn backward() -> Self {
        Adjoint::Backward { reconstruction: 1e3 }
    }

    /// [`Adjoint::Reversible`] with κ = 0.999.
    pub fn reversible() -> Self {
        Adjoint::Reversible { coupling: 0.999 }
    }
}

/// Options of [`odeint`](super::odeint).
///
/// ```
/// use pullback::ode::{Adjoint, Method, OdeOptions, Stepping};
/// let options = OdeOptions { method: Method::Dop853, stepping: Stepping::adaptive(1e-12, 1e-12), ..Default::default() };
/// assert_eq!(options.adjoint, Adjoint::Discrete { checkpoints: None });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OdeOptions {
    /// The integrator.
    pub method: Method,
    /// How the steps are chosen.
    pub stepping: Stepping,
    /// How the derivative is computed.
    pub adjoint: Adjoint,
}

impl OdeOptions {
    /// Refuses what is out of range and combinations that do not work.
    pub(crate) fn check(&self) -> Result<()> {
        let refuse = |message: String| Err(Error::argument("odeint", message));
        let method = self.method;
        let adaptive = match self.stepping {
            Stepping::Fixed { step } => {
                if !(step > 0.0 && step.is_finite()) {
                    return refuse(format!("the step must be positive and finite, got {step} (its direction follows the times)"));
                }
                false
            }
            Stepping::Adaptive { rtol, atol, first_step, max_steps } => {
                let fine = |x: f64| x.is_finite() && x >= 0.0;
                if !(fine(rtol) && fine(atol) && rtol + atol > 0.0) {
                    return refuse(format!("tolerances must be finite, not negative and not both zero, got rtol = {rtol}, atol = {atol}"));
                }
                if rtol > 0.0 && rtol < 10.0 * f64::EPSILON {
                    return refuse(format!(
                        "rtol = {rtol} is below what double precision reaches: use at least {:.1e}",
                        10.0 * f64::EPSILON
                    ));
                }
                if first_step.is_some_and(|h| !(h > 0.0 && h.is_finite())) {
                    return refuse(format!("the first step must be positive and finite, got {first_step:?}"));
                }
                if max_steps == 0 {
                    return refuse("at least one step must be allowed, got max_steps = 0".into());
                }
                true
            }
        };
        if adaptive && method.tableau().is_none_or(|t| t.estimate.is_none()) {
            let why = if method.is_symplectic_composition() { "loses its symmetry" } else { "has no error estimate" };
            return refuse(format!("{method:?} {why} under adaptive steps: use Stepping::Fixed, or Tsit5, Dop853, Esdirk4"));
        }
        match self.adjoint {
            Adjoint::Discrete { checkpoints: Some(0) } => {
                refuse("the discrete adjoint needs room for one state at least, got checkpoints = 0".into())
            }
            Adjoint::Reversible { coupling } if !(coupling > 0.0 && coupling <= 1.0) => {
                refuse(format!("the coupling must lie in (0, 1], got {coupling}"))
            }
            Adjoint::Reversible { .. } if method == Method::Esdirk4 => {
                refuse("Esdirk4 damps and cannot be undone: use the discrete or the interpolated adjoint".into())
            }
            Adjoint::Backward { reconstruction } if !(reconstruction > 0.0) => {
                refuse(format!("the bound on the reconstruction error must be positive, got {reconstruction}"))
            }
            Adjoint::Backward { .. } | Adjoint::Interpolated if method.is_symplectic_composition() => refuse(format!(
                "the adjoint equation of a Hamiltonian system is not separable, so {method:?} cannot integrate it: use the discrete or the reversible adjoint"
            )),
            Adjoint::Interpolated if method == Method::ImplicitMidpoint => {
                refuse("ImplicitMidpoint has no dense output to interpolate with: use Trapezoid, Esdirk4 or the discrete adjoint".into())
            }
            _ => Ok(()),
        }
    }
}
