//! Ordinary differential equations ẏ = f(t, y; p), differentiable in the initial state, the parameters and the times.
//!
//! [`odeint`] takes a field written on variables, over any structure of arrays, real and complex, batched as you like; [`odeint_fused`] one
//! written as a scalar function, for small systems at native speed. [`odeint_event`] and [`odeint_event_fused`] stop where a function of the
//! state vanishes, and its time can be differentiated. The [`Method`], the [`Stepping`] and the [`Adjoint`] are chosen apart from each other:
//!
//! | adjoint | memory | exact for | not for |
//! |---|---|---|---|
//! | `Discrete` | all steps and what the field recorded in them, or as many states as allowed | the steps taken | |
//! | `Reversible` | constant | the steps taken, up to rounding | `Esdirk4` |
//! | `Backward` | constant | the equation, to the tolerance | stiff problems (it says so) |
//! | `Interpolated` | all steps | the equation, to the tolerance | |
//! | `Forward` | constant, times the number of parameters | the steps taken | many parameters |
//!
//! Integrators work on flat vectors of real numbers and do not know variables. Derivatives of derivatives go through the same steps written
//! out in `Var` operations: they work for closures under explicit Runge–Kutta methods, with any adjoint but the reversible one, and under
//! symplectic ones. Implicit methods and fused fields have first derivatives, in both modes, and say so when asked for more.

mod adaptive;
mod continuous;
mod coupled;
mod dop853;
mod events;
mod fused;
mod newton;
mod options;
mod primitive;
mod reverse;
mod revolve;
mod runge_kutta;
mod sensitivity;
mod solve;
mod stepper;
mod symplectic;
mod system;
mod tableau;
mod unrolled;

pub use events::{Crossing, OdeEvent, odeint_event, odeint_event_fused};
pub use options::{Adjoint, Method, OdeOptions, Stepping};
pub use system::Counts;

use crate::autodiff::{Returns, Tree, Var, apply};
use crate::error::Result;
use crate::flat;
use crate::scalar::ScalarFn;
use primitive::{Model, Odeint, SharedCounts, Traced};
use solve::Wanted;
use std::sync::{Arc, Mutex};

/// What was computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OdeStats {
    /// In the solve.
    pub forward: Counts,
    /// In backward sweeps so far.
    pub backward: Counts,
}

/// The states at the requested times.
#[derive(Clone, Debug)]
pub struct OdeSolution<Y> {
    /// The states, along a new leading axis of the length of the times; the first is the initial state.
    pub y: Y,
    counts: SharedCounts,
}

impl<Y> OdeSolution<Y> {
    /// What was computed so far, in the solve and in backward sweeps through it.
    ///
    /// # Panics
    /// If a thread panicked during a sweep.
    pub fn stats(&self) -> OdeStats {
        let [forward, backward] = *self.counts.lock().expect("not poisoned");
        OdeStats { forward, backward }
    }
}

fn run<Y: Tree, P: Tree>(
    model: Arc<dyn Model<Y, P>>,
    y0: &Y,
    times: &Var<f64>,
    params: &P,
    options: &OdeOptions,
) -> Result<OdeSolution<Y>> {
    let inputs = (y0.clone(), times.clone(), params.clone());
    let counts: SharedCounts = Arc::default();
    let solve = Odeint {
        model,
        options: *options,
        wanted: Wanted { any: !flat::is_constant(&inputs), params: !flat::is_constant(params) },
        run: Mutex::new(None),
        counts: counts.clone(),
    };
    Ok(OdeSolution { y: apply(solve, &inputs)?, counts })
}

/// Solves ẏ = f(t, y; p) from y(times\[0\]) = `y0` and gives the states at all times.
///
/// `f(t, y, params)` is called with the time as a 0-d variable, and returns the derivative in the structure and shapes of the state. Times
/// increase or decrease throughout. The result is differentiable in `y0`, `times` and `params`, in both modes; what `f` differentiates through
/// comes to it as an argument. For symplectic methods the first half of the state's numbers are positions, the second half momenta: (q, p), or
/// an array whose first axis has length 2. The arithmetic of the integrator is in double precision for every scalar type.
///
/// ```
/// use pullback::ode::{OdeOptions, odeint};
/// use pullback::prelude::*;
/// // a damped pendulum: the final angle by the damping
/// let times = Var::from([0.0, 2.0]);
/// let angle = |gamma: &Var<f64>| {
///     let field = |_: &Var<f64>, y: &[Var<f64>; 2], gamma: &Var<f64>| [y[1].clone(), -y[0].sin() - gamma * &y[1]];
///     let start = [Var::scalar(1.0), Var::scalar(0.0)];
///     let solution = odeint(field, &start, &times, gamma, &OdeOptions::default())?;
///     assert!(solution.stats().forward.steps > 0);
///     Ok::<_, pullback::Error>(solution.y[0].get(&[1]))
/// };
/// let (theta, slope) = value_and_grad(angle, &0.1)?;
/// let near = angle(&Var::scalar(0.1001))?.item();
/// assert!(((near - theta.item()) / 1e-4 - slope).abs() < 1e-4);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// Those of `f`; a result of other shapes than the state, or a NaN in it (the time and the component are named); times that are not
/// monotone; options out of range or that do not go together; a step size that underflows, an implicit step that is not solved; a captured
/// variable of a surrounding transform. In a sweep: a backward reconstruction that misses the solution ([`Adjoint::Backward`]).
pub fn odeint<Y, P, F, R>(f: F, y0: &Y, times: &Var<f64>, params: &P, options: &OdeOptions) -> Result<OdeSolution<Y>>
where
    Y: Tree,
    P: Tree,
    F: Fn(&Var<f64>, &Y, &P) -> R + Send + Sync + 'static,
    R: Returns<Vars = Y>,
{
    let field = Arc::new(move |t: &Var<f64>, y: &Y, p: &P| f(t, y, p).into_result());
    run(Arc::new(Traced(field)), y0, times, params, options)
}

/// As [`odeint`] for a small system whose field is a scalar function of (y, p), or of (t, y, p): at the speed of the formula in Rust.
///
/// `y0` has shape (…, OUT): leading axes are systems with the same parameters, solved with the same steps. `params` has as many numbers as
/// the function takes besides. First derivatives in both modes, by dual numbers with one partial derivative for each argument, so this is for
/// systems of up to about a dozen arguments.
///
/// ```
/// use pullback::ode::{OdeOptions, odeint_fused};
/// use pullback::prelude::*;
/// scalar_fn! {
///     fn lotka_volterra([x, y], [a, b, c, d]) -> [dx, dy] { [a * x - b * x * y, d * x * y - c * y] }
/// }
/// let (start, times) = (Var::from([1.0, 1.0]), Var::from([0.0, 10.0]));
/// let loss = |p: &Var<f64>| {
///     let solution = odeint_fused(lotka_volterra, &start, &times, p, &OdeOptions::default())?;
///     Ok::<_, pullback::Error>(solution.y.row(1).square().sum())
/// };
/// let (value, gradient) = value_and_grad(loss, &ndarray::array![1.5, 1.0, 3.0, 1.0])?;
/// assert!((value.item() - 1.880_921_44).abs() < 1e-6);
/// assert_eq!(gradient.len(), 4);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// As [`odeint`]; numbers of components and parameters that do not fit the function.
pub fn odeint_fused<F, const IN: usize, const OUT: usize>(
    f: F,
    y0: &Var<f64>,
    times: &Var<f64>,
    params: &Var<f64>,
    options: &OdeOptions,
) -> Result<OdeSolution<Var<f64>>>
where
    F: ScalarFn<IN, OUT>,
{
    run(Arc::new(fused::Fused::<F, IN, OUT>(f)), y0, times, params, options)
}
