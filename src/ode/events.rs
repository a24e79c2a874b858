//! Stopping where a function of the state vanishes.
//!
//! The event time t* solves g(t*, y(t*); p) = 0, and y(t) depends on y₀, t₀ and p: by the implicit function theorem
//! dt* = −(∂g/∂(y₀, t₀, p) at fixed t*) / ġ with ġ = ∂g/∂t + ∂g/∂y·f. The rule is written with [`odeint`] itself, so what that can
//! differentiate again, this can.

use super::adaptive::Adaptive;
use super::fused::Fused;
use super::options::{Adjoint, OdeOptions, Stepping};
use super::primitive::{Field, Model, Traced};
use super::run;
use super::solve::{check_times, equal_steps};
use super::stepper::stepper;
use super::system::{Counted, System};
use crate::autodiff::{AnyRef, AnyVar, Returns, Tree, Var, custom_vjp, jvp, vjp};
use crate::error::{Error, Result};
use crate::flat::{self, Point};
use crate::ops::stack;
use crate::scalar::ScalarFn;
use std::sync::Arc;

/// Which passages through zero count as the event, in the direction of integration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Crossing {
    /// All.
    #[default]
    Any,
    /// From negative to positive.
    Rising,
    /// From positive to negative.
    Falling,
}

/// Where an event happened.
#[derive(Clone, Debug)]
pub struct OdeEvent<Y> {
    /// When.
    pub time: Var<f64>,
    /// The state then.
    pub y: Y,
}

/// Solves from (t0, y0) to the first event g(t, y; p) = 0 before `limit`: its time and state, both differentiable in `y0`, `t0` and `params`.
///
/// `None` if there is no event. An event at the very start does not count, so a solve can go on from where the last one ended. Two
/// passages within one step are seen where g has one extremum between them. The direction of integration is that from `t0` to `limit`.
///
/// ```
/// use pullback::ode::{Crossing, OdeOptions, odeint_event};
/// use pullback::prelude::*;
/// // a stone thrown up with v = 3 comes down at 2v/g, a time whose derivative by g is −2v/g²
/// let landing = |g: &Var<f64>| {
///     let field = |_: &Var<f64>, y: &[Var<f64>; 2], g: &Var<f64>| [y[1].clone(), -g.clone()];
///     let height = |_: &Var<f64>, y: &[Var<f64>; 2], _: &Var<f64>| y[0].clone();
///     let start = [Var::scalar(0.0), Var::scalar(3.0)];
///     let event = odeint_event(field, height, &start, &Var::scalar(0.0), 10.0, g, Crossing::Falling, &OdeOptions::default())?;
///     Ok::<_, pullback::Error>(event.expect("it comes down").time)
/// };
/// let (time, slope) = value_and_grad(landing, &9.81)?;
/// assert!((time.item() - 6.0 / 9.81).abs() < 1e-12 && (slope + 6.0 / 9.81f64.powi(2)).abs() < 1e-10);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// As [`odeint`](super::odeint), and those of the event function, which must return one number; an event where g touches zero without
/// passing through it has no derivative, and asking for one is an error.
#[allow(clippy::too_many_arguments)]
pub fn odeint_event<Y, P, F, R, G, S>(
    f: F,
    event: G,
    y0: &Y,
    t0: &Var<f64>,
    limit: f64,
    params: &P,
    crossing: Crossing,
    options: &OdeOptions,
) -> Result<Option<OdeEvent<Y>>>
where
    Y: Tree,
    P: Tree,
    F: Fn(&Var<f64>, &Y, &P) -> R + Send + Sync + 'static,
    R: Returns<Vars = Y>,
    G: Fn(&Var<f64>, &Y, &P) -> S + Send + Sync + 'static,
    S: Returns<Vars = Var<f64>>,
{
    let field: Field<Y, P> = Arc::new(move |t: &Var<f64>, y: &Y, p: &P| f(t, y, p).into_result());
    let event: Event<Y, P> = Arc::new(move |t: &Var<f64>, y: &Y, p: &P| one_number(event(t, y, p).into_result()?));
    located(Arc::new(Traced(field)), event, (y0, t0, limit, params), crossing, options)
}

/// As [`odeint_event`] for a field that is a scalar function, as in [`odeint_fused`](super::odeint_fused). The event function is a closure
/// on variables; first derivatives.
///
/// ```
/// use pullback::ode::{Crossing, OdeOptions, odeint_event_fused};
/// use pullback::prelude::*;
/// scalar_fn! { fn oscillator([q, p], [k]) -> [dq, dp] { [p, -k * q] } }
/// // a quarter of the period, π/(2√k), and its derivative −π/(4 k^{3/2})
/// let quarter = |k: &Var<f64>| {
///     let middle = |_: &Var<f64>, y: &Var<f64>, _: &Var<f64>| y.get(&[0]);
///     let (start, o) = (Var::from([1.0, 0.0]), OdeOptions::default());
///     let event = odeint_event_fused(oscillator, middle, &start, &Var::scalar(0.0), 10.0, k, Crossing::Any, &o)?;
///     Ok::<_, pullback::Error>(event.expect("it swings").time)
/// };
/// let (time, slope) = value_and_grad(quarter, &ndarray::array![4.0])?;
/// let pi = std::f64::consts::PI;
/// assert!((time.item() - pi / 4.0).abs() < 1e-6 && (slope[0] + pi / 32.0).abs() < 1e-6);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// As [`odeint_event`] and [`odeint_fused`](super::odeint_fused).
#[allow(clippy::too_many_arguments)]
pub fn odeint_event_fused<F, G, S, const IN: usize, const OUT: usize>(
    f: F,
    event: G,
    y0: &Var<f64>,
    t0: &Var<f64>,
    limit: f64,
    params: &Var<f64>,
    crossing: Crossing,
    options: &OdeOptions,
) -> Result<Option<OdeEvent<Var<f64>>>>
where
    F: ScalarFn<IN, OUT>,
    G: Fn(&Var<f64>, &Var<f64>, &Var<f64>) -> S + Send + Sync + 'static,
    S: Returns<Vars = Var<f64>>,
{
    let event: Event<Var<f64>, Var<f64>> = Arc::new(move |t, y, p| one_number(event(t, y, p).into_result()?));
    located(Arc::new(Fused::<F, IN, OUT>(f)), event, (y0, t0, limit, params), crossing, options)
}

fn one_number(g: Var<f64>) -> Result<Var<f64>> {
    if g.len() == 1 {
        return Ok(g.reshape(&[]));
    }
    Err(Error::shape("odeint_event", format!("the event function must return one number, its shape is {:?}", g.shape())))
}

type Event<Y, P> = Arc<dyn Fn(&Var<f64>, &Y, &P) -> Result<Var<f64>> + Send + Sync>;

/// The field at a point that may itself be differentiated: then it must be one on variables.
fn velocity<Y: Tree, P: Tree>(model: &dyn Model<Y, P>, t: &Var<f64>, y: &Y, params: &P) -> Result<Y> {
    if let Some(field) = model.field() {
        return field(t, y, params);
    }
    if !(t.is_constant() && flat::is_constant(y) && flat::is_constant(params)) {
        return Err(Error::derivative(
            "odeint_event",
            "a fused field has first derivatives only: write the field as a closure on variables",
        ));
    }
    let mut out = vec![0.0; flat::len(y)];
    model.system(y, params)?.field(t.item(), &flat::to_vec(y), &mut out)?;
    Ok(flat::read(y, &out))
}

fn located<Y: Tree, P: Tree>(
    model: Arc<dyn Model<Y, P>>,
    event: Event<Y, P>,
    (y0, t0, limit, params): (&Y, &Var<f64>, f64, &P),
    crossing: Crossing,
    options: &OdeOptions,
) -> Result<Option<OdeEvent<Y>>> {
    if t0.len() != 1 {
        return Err(Error::shape("odeint_event", format!("the initial time must be one number, its shape is {:?}", t0.shape())));
    }
    let t0 = &t0.reshape(&[]);
    let bare = |y: &Y| flat::read(y, &flat::to_vec(y));
    let (start, constants) = (bare(y0), flat::read(params, &flat::to_vec(params)));
    let system = model.system(&start, &constants)?;
    let g = |t: f64, y: &[f64]| -> Result<f64> {
        let g = event(&Var::scalar(t), &flat::read(&start, y), &constants)?.item();
        if g.is_finite() { Ok(g) } else { Err(Error::non_finite("odeint_event", format!("the event function is {g} at t = {t}"))) }
    };
    // the rate of change of g along the solution
    let rate = |t: f64, y: &[f64]| -> Result<f64> {
        let mut f = vec![0.0; y.len()];
        system.field(t, y, &mut f)?;
        let at = Point((Var::scalar(t), flat::read(&start, y)));
        let along = Point((Var::scalar(1.0), flat::read(&start, &f)));
        Ok(jvp(|(t, y): &(Var<f64>, Y)| event(t, y, &constants), &at, &along)?.1.item())
    };
    let Some(time) = find(system.as_ref(), (&g, &rate), (&flat::to_vec(&start), t0.item(), limit), crossing, options)? else {
        return Ok(None);
    };
    drop(system);
    // the end state as a function of everything, for both results
    let options = *options;
    let end = {
        let model = model.clone();
        move |y0: &Y, t0: &Var<f64>, t1: &Var<f64>, params: &P| -> Result<Y> {
            Ok(last(&run(model.clone(), y0, &stack(&[t0.clone(), t1.clone()], 0), params, &options)?.y))
        }
    };
    let pull = {
        let end = end.clone();
        move |(y0, t0, params): &(Y, Var<f64>, P), t1: &Var<f64>, cotangent: &Var<f64>| -> Result<(Y, Var<f64>, P)> {
            let y1 = end(y0, t0, t1, params)?;
            let velocity = velocity(model.as_ref(), t1, &y1, params)?;
            let at = Point((t1.clone(), y1));
            let (_, slope) = jvp(|(t, y): &(Var<f64>, Y)| event(t, y, params), &at, &Point((Var::scalar(1.0), velocity)))?;
            if slope.item() == 0.0 {
                let message =
                    format!("the event function touches zero at t = {} without passing through it: its time has no derivative", t1.item());
                return Err(Error::derivative("odeint_event", message));
            }
            let along = |(y0, t0, params): &(Y, Var<f64>, P)| event(t1, &end(y0, t0, t1, params)?, params);
            let (_, pull) = vjp(along, &Point((y0.clone(), t0.clone(), params.clone())))?;
            Ok(pull.call(&(-(cotangent / slope)))?.0)
        }
    };
    let inputs = (y0.clone(), t0.clone(), params.clone());
    let time = custom_vjp(&inputs, move |_: &(Y, Var<f64>, P)| Var::scalar(time), pull)?;
    let y = end(y0, t0, &time, params)?;
    Ok(Some(OdeEvent { time, y }))
}

/// The last row of every leaf.
fn last<Y: Tree>(y: &Y) -> Y {
    fn row<T: crate::Scalar>(v: &Var<T>) -> Var<T> {
        v.unstack(0).pop().expect("two times")
    }
    y.rebuild(&mut |v| match v {
        AnyRef::F32(v) => AnyVar::F32(row(v)),
        AnyRef::F64(v) => AnyVar::F64(row(v)),
        AnyRef::C32(v) => AnyVar::C32(row(v)),
        AnyRef::C64(v) => AnyVar::C64(row(v)),
    })
}

/// A function of the time and the state.
type Function<'a> = &'a dyn Fn(f64, &[f64]) -> Result<f64>;

/// The time of the first event, by the steps that a solve to that time takes.
fn find(
    system: &dyn System,
    (g, rate): (Function, Function),
    (y0, t0, limit): (&[f64], f64, f64),
    crossing: Crossing,
    options: &OdeOptions,
) -> Result<Option<f64>> {
    options.check()?;
    check_times(&[t0, limit])?;
    if matches!(options.adjoint, Adjoint::Reversible { .. }) && !options.method.is_symmetric() {
        return Err(Error::argument(
            "odeint_event",
            "the reversible adjoint of an explicit method has no events: use the discrete adjoint",
        ));
    }
    let mut counted = Counted::new(system);
    let plain = || stepper(options.method, Adjoint::default(), options.accuracy(), system);
    let mut before = g(t0, y0)?;
    let mut first = true;
    let mut refine = plain();
    // looks at one step, from (t, y) to t + h
    let mut look = |counted: &mut Counted, t: f64, h: f64, y: &[f64], end: &[f64]| -> Result<Option<f64>> {
        let mut after = g(t + h, end)?;
        let mut state = |counted: &mut Counted, fraction: f64| -> Result<Vec<f64>> {
            let mut at = y.to_vec();
            refine.step(counted, t, fraction * h, &mut at)?;
            Ok(at)
        };
        let mut within = |counted: &mut Counted, fraction: f64| g(t + fraction * h, &state(counted, fraction)?);
        let (mut from, mut to) = (0.0, 1.0);
        if std::mem::take(&mut first) && before.abs() <= 1e-8 * after.abs() {
            // the start lies on the event: the side is seen just after it
            (from, before) = (1e-3, within(counted, 1e-3)?);
        }
        let counts = match crossing {
            Crossing::Any => true,
            Crossing::Rising => before < 0.0,
            Crossing::Falling => before > 0.0,
        };
        let next = after;
        if before * after > 0.0 && rate(t, y)? * h * before < 0.0 && rate(t + h, end)? * h * before > 0.0 {
            // g comes nearer to zero and goes away again: two passages if its extremum lies beyond
            let (mut falling, mut rising) = (from, 1.0);
            while rising - falling > 1e-9 {
                let middle = 0.5 * (falling + rising);
                let at = state(counted, middle)?;
                let value = g(t + middle * h, &at)?;
                if value * before <= 0.0 {
                    if counts {
                        (to, after) = (middle, value);
                    } else {
                        (from, before) = (middle, value);
                    }
                    break;
                }
                if rate(t + middle * h, &at)? * h * before < 0.0 { falling = middle } else { rising = middle }
            }
        }
        let counts = match crossing {
            Crossing::Any => true,
            Crossing::Rising => before < 0.0,
            Crossing::Falling => before > 0.0,
        };
        if before != 0.0 && before * after <= 0.0 && counts {
            let (mut low, mut high, mut at_low) = (from, to, before);
            let mut within = |counted: &mut Counted, fraction: f64| g(t + fraction * h, &state(counted, fraction)?);
            // the ITP method (Oliveira and Takahashi, ACM TOMS 47, 5 (2021)), to rounding
            let bound = (t.abs().max((t + h).abs()) / h.abs() * f64::EPSILON).max(f64::EPSILON);
            let halvings = ((high - low) / (2.0 * bound)).log2().ceil().max(0.0) + 1.0;
            let mut round = 0.0;
            while high - low > 2.0 * bound {
                let middle = 0.5 * (low + high);
                let radius = bound * 2f64.powf(halvings - round) - 0.5 * (high - low);
                let secant = (at_low * high - after * low) / (at_low - after);
                let toward = (middle - secant).signum();
                let shift = (0.2 / (1.0 - from) * (high - low).powi(2)).min((middle - secant).abs());
                let truncated = secant + toward * shift;
                let at = if (truncated - middle).abs() <= radius { truncated } else { middle - toward * radius };
                let at = if at > low && at < high { at } else { middle };
                let value = within(counted, at)?;
                if value == 0.0 {
                    (low, high) = (at, at);
                } else if value * at_low > 0.0 {
                    (low, at_low) = (at, value);
                } else {
                    (high, after) = (at, value);
                }
                round += 1.0;
            }
            return Ok(Some(t + 0.5 * (low + high) * h));
        }
        before = next;
        Ok(None)
    };
    match (options.stepping, options.control()) {
        (Stepping::Fixed { step }, _) => {
            let count = *equal_steps(&[t0, limit], step).last().expect("not empty");
            let h = (limit - t0) / count as f64;
            let (mut stepper, mut y) = (plain(), y0.to_vec());
            for k in 0..count {
                let (t, start) = (t0 + k as f64 * h, y.clone());
                stepper.step(&mut counted, t, h, &mut y)?;
                if let Some(time) = look(&mut counted, t, h, &start, &y)? {
                    return Ok(Some(time));
                }
            }
        }
        (_, Some(control)) => {
            let tableau = options.method.tableau().expect("checked with the options");
            let mut solve = Adaptive::new(tableau, Adjoint::default(), control, t0, limit, y0);
            while solve.t != limit {
                solve.advance(&mut counted, limit)?;
                let (t, h) = (solve.t_before, solve.h);
                if let Some(time) = look(&mut counted, t, h, &solve.y_before, &solve.y)? {
                    return Ok(Some(time));
                }
            }
        }
        (Stepping::Adaptive { .. }, None) => unreachable!("adaptive steps have a control"),
    }
    Ok(None)
}
