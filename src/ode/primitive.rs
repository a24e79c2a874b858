//! The solve as a primitive of the tape: the generic shell around the integrators, which know flat vectors only.

use super::options::OdeOptions;
use super::reverse::{Sweep, reverse};
use super::sensitivity::{Direction, push};
use super::solve::{Run, Wanted, solve};
use super::system::{Counts, Record, Recorded, System};
use super::unrolled::unrolled;
use crate::autodiff::{AnyRef, AnyVar, Argument, Primitive, Pullback, Tree, Var, apply, jvp, vjp};
use crate::error::{Error, Result};
use crate::flat::{self, Point};
use std::sync::{Arc, Mutex};

/// A field on variables.
pub(crate) type Field<Y, P> = Arc<dyn Fn(&Var<f64>, &Y, &P) -> Result<Y> + Send + Sync>;

/// Where systems on flat vectors come from, given the state's structure and the parameters.
pub(crate) trait Model<Y, P>: Send + Sync + 'static {
    fn system<'a>(&'a self, like: &Y, params: &P) -> Result<Box<dyn System + 'a>>;
    /// The field on variables, for derivatives of derivatives.
    fn field(&self) -> Option<&Field<Y, P>>;
}

/// A field on variables as a model.
pub(crate) struct Traced<Y, P>(pub(crate) Field<Y, P>);

impl<Y: Tree, P: Tree> Model<Y, P> for Traced<Y, P> {
    fn system<'a>(&'a self, like: &Y, params: &P) -> Result<Box<dyn System + 'a>> {
        let mut shapes = Vec::new();
        like.visit(&mut |v| shapes.push(v.shape().to_vec()));
        Ok(Box::new(TracedSystem {
            field: &self.0,
            n: flat::len(like),
            p: flat::len(params),
            like: like.clone(),
            params: params.clone(),
            shapes,
        }))
    }
    fn field(&self) -> Option<&Field<Y, P>> {
        Some(&self.0)
    }
}

struct TracedSystem<'a, Y, P> {
    field: &'a Field<Y, P>,
    like: Y,
    params: P,
    n: usize,
    p: usize,
    shapes: Vec<Vec<usize>>,
}

impl<Y: Tree, P: Tree> TracedSystem<'_, Y, P> {
    /// The field's result has the shapes of the state and depends on nothing but its arguments.
    fn check(&self, t: f64, dy: &Y) -> Result<()> {
        let (mut i, mut fits) = (0, true);
        dy.visit(&mut |v| {
            fits &= self.shapes.get(i).is_some_and(|shape| shape == v.shape());
            i += 1;
        });
        if !fits || i != self.shapes.len() {
            let mut found = Vec::new();
            dy.visit(&mut |v| found.push(v.shape().to_vec()));
            return Err(Error::shape(
                "odeint",
                format!("the field at t = {t} has shapes {found:?}, the state {:?}: they must agree", self.shapes),
            ));
        }
        if !flat::is_constant(dy) {
            return Err(Error::derivative(
                "odeint",
                "the field uses a variable of a surrounding transform that is not among its arguments: pass it through the parameters",
            ));
        }
        Ok(())
    }

    fn pull(&self, t: f64, y: &[f64]) -> Result<(Y, Pullback<Point<(Var<f64>, Y)>, Y>)> {
        let at = Point((Var::scalar(t), flat::read(&self.like, y)));
        let (value, pull) = vjp(|(t, y): &(Var<f64>, Y)| (self.field)(t, y, &self.params), &at)?;
        self.check(t, &value)?;
        Ok((value, pull))
    }
}

/// A recorded field, with or without its parameters.
struct TracedRecord<Y: Tree, A: Argument> {
    pull: Pullback<A, Y>,
    like: Y,
}

impl<Y: Tree> Recorded for TracedRecord<Y, Point<(Var<f64>, Y)>> {
    fn pull(&self, lambda: &[f64], gy: &mut [f64], _: &mut [f64]) -> Result<f64> {
        let Point((slope, y)) = self.pull.call(&flat::read(&self.like, lambda))?;
        flat::write(&y, gy);
        Ok(slope.item())
    }
}

impl<Y: Tree, P: Tree> Recorded for TracedRecord<Y, Point<(Var<f64>, Y, P)>> {
    fn pull(&self, lambda: &[f64], gy: &mut [f64], gp: &mut [f64]) -> Result<f64> {
        let Point((slope, y, p)) = self.pull.call(&flat::read(&self.like, lambda))?;
        flat::write(&y, gy);
        if !gp.is_empty() {
            flat::add(&p, gp);
        }
        Ok(slope.item())
    }
}

impl<Y: Tree, P: Tree> System for TracedSystem<'_, Y, P> {
    fn dim(&self) -> usize {
        self.n
    }
    fn params(&self) -> usize {
        self.p
    }
    fn field(&self, t: f64, y: &[f64], out: &mut [f64]) -> Result<()> {
        let dy = (self.field)(&Var::scalar(t), &flat::read(&self.like, y), &self.params)?;
        self.check(t, &dy)?;
        flat::write(&dy, out);
        Ok(())
    }
    fn vjp(&self, t: f64, y: &[f64], lambda: &[f64], value: Option<&mut [f64]>, gy: &mut [f64], gp: &mut [f64]) -> Result<f64> {
        let lambda = flat::read(&self.like, lambda);
        let (found, slope) = if gp.is_empty() {
            let (found, pull) = self.pull(t, y)?;
            let Point((gt, g)) = pull.call(&lambda)?;
            flat::write(&g, gy);
            (found, gt.item())
        } else {
            let at = Point((Var::scalar(t), flat::read(&self.like, y), self.params.clone()));
            let (found, pull) = vjp(|(t, y, p): &(Var<f64>, Y, P)| (self.field)(t, y, p), &at)?;
            self.check(t, &found)?;
            let Point((gt, g, p)) = pull.call(&lambda)?;
            flat::write(&g, gy);
            flat::add(&p, gp);
            (found, gt.item())
        };
        if let Some(value) = value {
            flat::write(&found, value);
        }
        Ok(slope)
    }
    fn records(&self) -> bool {
        true
    }
    fn record(&self, t: f64, y: &[f64], params: bool, out: &mut [f64]) -> Result<Record> {
        let like = self.like.clone();
        if !params {
            let (value, pull) = self.pull(t, y)?;
            flat::write(&value, out);
            return Ok(Some(Arc::new(TracedRecord { pull, like })));
        }
        let at = Point((Var::scalar(t), flat::read(&self.like, y), self.params.clone()));
        let (value, pull) = vjp(|(t, y, p): &(Var<f64>, Y, P)| (self.field)(t, y, p), &at)?;
        self.check(t, &value)?;
        flat::write(&value, out);
        Ok(Some(Arc::new(TracedRecord { pull, like })))
    }
    fn jvp(&self, t: f64, y: &[f64], dt: f64, dy: &[f64], dp: &[f64], out: &mut [f64]) -> Result<()> {
        let params = if dp.is_empty() { flat::read(&self.params, &vec![0.0; self.p]) } else { flat::read(&self.params, dp) };
        let at = Point((Var::scalar(t), flat::read(&self.like, y), self.params.clone()));
        let along = Point((Var::scalar(dt), flat::read(&self.like, dy), params));
        let (value, tangent) = jvp(|(t, y, p): &(Var<f64>, Y, P)| (self.field)(t, y, p), &at, &along)?;
        self.check(t, &value)?;
        flat::write(&tangent, out);
        Ok(())
    }
    fn jacobian(&self, t: f64, y: &[f64], out: &mut [f64]) -> Result<()> {
        let (_, pull) = self.pull(t, y)?;
        let mut e = vec![0.0; self.n];
        for (i, row) in out.chunks_exact_mut(self.n).enumerate() {
            e[i] = 1.0;
            flat::write(&pull.call(&flat::read(&self.like, &e))?.0.1, row);
            e[i] = 0.0;
        }
        Ok(())
    }
    fn component(&self, i: usize) -> String {
        flat::component(&self.like, i)
    }
}

/// What was computed in both directions.
pub(crate) type SharedCounts = Arc<Mutex<[Counts; 2]>>;

/// (y₀, times, params) ↦ the states at the times, along a new leading axis.
pub(crate) struct Odeint<Y, P> {
    pub(crate) model: Arc<dyn Model<Y, P>>,
    pub(crate) options: OdeOptions,
    /// Whether a derivative will be asked for.
    pub(crate) wanted: Wanted,
    pub(crate) run: Mutex<Option<Arc<Run>>>,
    pub(crate) counts: SharedCounts,
}

fn add(total: &mut Counts, more: Counts) {
    total.steps += more.steps;
    total.rejected += more.rejected;
    total.evaluations += more.evaluations;
    total.products += more.products;
    total.jacobians += more.jacobians;
}

fn numbers(times: &Var<f64>) -> Result<&[f64]> {
    if times.ndim() != 1 {
        return Err(Error::shape("odeint", format!("the times must have one axis, their shape is {:?}", times.shape())));
    }
    Ok(times.as_slice())
}

impl<Y: Tree, P: Tree> Odeint<Y, P> {
    fn solve(&self, (y0, times, params): &(Y, Var<f64>, P)) -> Result<Arc<Run>> {
        let system = self.model.system(y0, params)?;
        let run = solve(system.as_ref(), &flat::to_vec(y0), numbers(times)?, &self.options, self.wanted)?;
        add(&mut self.counts.lock().expect("not poisoned")[0], run.counts);
        Ok(Arc::new(run))
    }

    /// The run of the forward pass.
    fn run(&self, inputs: &(Y, Var<f64>, P)) -> Result<Arc<Run>> {
        let kept = self.run.lock().expect("not poisoned").clone();
        kept.map_or_else(|| self.solve(inputs), Ok)
    }

    /// The solution on variables, along the steps of the run, for derivatives of derivatives.
    fn unrolled(&self, run: &Run) -> Result<impl Fn(&(Y, Var<f64>, P)) -> Result<Y>> {
        let field = self.model.field().ok_or_else(|| {
            Error::derivative(
                "odeint",
                "a fused field has first derivatives only: for second ones write the field as a closure on variables (zip_map takes the same scalar function)",
            )
        })?;
        unrolled(field.clone(), &self.options, run)
    }
}

/// A structure filled up with zeros where it has no leaf.
fn instantiate<A: Tree>(like: &A, partial: A::Partial) -> A {
    let mut parts = Vec::new();
    A::take_apart(partial, &mut |p| parts.push(p));
    let mut parts = parts.into_iter();
    like.rebuild(&mut |v| parts.next().flatten().unwrap_or_else(|| zeros(v)))
}

fn zeros(like: AnyRef<'_>) -> AnyVar {
    match like {
        AnyRef::F32(v) => AnyVar::F32(v.zeros_like()),
        AnyRef::F64(v) => AnyVar::F64(v.zeros_like()),
        AnyRef::C32(v) => AnyVar::C32(v.zeros_like()),
        AnyRef::C64(v) => AnyVar::C64(v.zeros_like()),
    }
}

/// The leaves that are needed, as a partial structure.
fn partial<A: Tree>(tree: &A, needs: &[bool]) -> A::Partial {
    let mut i = 0;
    tree.partial(&mut |v| {
        i += 1;
        needs[i - 1].then(|| v.to_owned())
    })
}

/// The derivative of a solve at constants: linear maps on numbers, and primitives themselves, since a linear map is its own derivative. This
/// is what `linearize` and Jacobian products of any kind of field and method go through.
struct Linearization<Y, P> {
    model: Arc<dyn Model<Y, P>>,
    options: OdeOptions,
    counts: SharedCounts,
    inputs: (Y, Var<f64>, P),
    run: Arc<Run>,
}

impl<Y: Tree, P: Tree> Linearization<Y, P> {
    /// Tangents of the states at the times from those of (y₀, times, params).
    fn push(&self, tangents: &(Y, Var<f64>, P)) -> Result<Y> {
        let (y0, times, params) = &self.inputs;
        let system = self.model.system(y0, params)?;
        let (start, n) = (flat::to_vec(y0), flat::len(y0));
        let direction = Direction { y0: flat::to_vec(&tangents.0), times: flat::to_vec(&tangents.1), params: flat::to_vec(&tangents.2) };
        let mut found = vec![0.0; n * times.len()];
        let state = (&start[..], times.as_slice());
        push(system.as_ref(), &self.options, state, &self.run.plan, &[direction], &mut |i, _, dy| {
            found[i * n..(i + 1) * n].copy_from_slice(dy);
        })?;
        Ok(flat::read_stacked(y0, times.len(), &found))
    }

    /// Cotangents of (y₀, times, params) from those of the states at the times.
    fn pull(&self, cotangents: &Y, needs: &[bool]) -> Result<(Y, Var<f64>, P)> {
        let (y0, times, params) = &self.inputs;
        let system = self.model.system(y0, params)?;
        let (start, n) = (flat::to_vec(y0), flat::len(y0));
        let mut covectors = vec![0.0; n * times.len()];
        flat::write_stacked(cotangents, times.len(), n, &mut covectors);
        let mut leaves = 0;
        y0.visit(&mut |_| leaves += 1);
        let gradient = reverse(
            &Sweep {
                system: system.as_ref(),
                times: times.as_slice(),
                options: &self.options,
                y0: &start,
                cotangents: &covectors,
                params: needs[leaves + 1..].iter().any(|n| *n),
                timed: needs[leaves],
            },
            &self.run,
        )?;
        add(&mut self.counts.lock().expect("not poisoned")[1], gradient.counts);
        let gp = if gradient.params.is_empty() { params.clone() } else { flat::read(params, &gradient.params) };
        Ok((flat::read(y0, &gradient.y0), Var::from(gradient.times), gp))
    }
}

/// [`Linearization::push`] as a primitive.
struct Push<Y, P>(Arc<Linearization<Y, P>>);

/// [`Linearization::pull`] as a primitive.
struct Pull<Y, P>(Arc<Linearization<Y, P>>);

impl<Y: Tree, P: Tree> Primitive for Push<Y, P> {
    type Inputs = (Y, Var<f64>, P);
    type Outputs = Y;
    fn name(&self) -> &'static str {
        "odeint (tangent)"
    }
    fn forward(&self, tangents: &Self::Inputs) -> Result<Y> {
        self.0.push(tangents)
    }
    fn vjp(&self, _: &Self::Inputs, outputs: &Y, cotangents: Y::Partial, needs: &[bool]) -> Result<<Self::Inputs as Tree>::Partial> {
        Ok(partial(&apply(Pull(self.0.clone()), &instantiate(outputs, cotangents))?, needs))
    }
    fn jvp(&self, _: &Self::Inputs, _: &Y, tangents: &Self::Inputs) -> Result<Y> {
        apply(Push(self.0.clone()), tangents)
    }
    fn keeps_input(&self, _: usize) -> bool {
        false
    }
    fn keeps_output(&self, _: usize) -> bool {
        false
    }
}

impl<Y: Tree, P: Tree> Primitive for Pull<Y, P> {
    type Inputs = Y;
    type Outputs = (Y, Var<f64>, P);
    fn name(&self) -> &'static str {
        "odeint (cotangent)"
    }
    fn forward(&self, cotangents: &Y) -> Result<Self::Outputs> {
        let mut leaves = 0;
        self.0.inputs.visit(&mut |_| leaves += 1);
        self.0.pull(cotangents, &vec![true; leaves])
    }
    fn vjp(&self, _: &Y, outputs: &Self::Outputs, cotangents: <Self::Outputs as Tree>::Partial, needs: &[bool]) -> Result<Y::Partial> {
        Ok(partial(&apply(Push(self.0.clone()), &instantiate(outputs, cotangents))?, needs))
    }
    fn jvp(&self, _: &Y, _: &Self::Outputs, tangents: &Y) -> Result<Self::Outputs> {
        apply(Pull(self.0.clone()), tangents)
    }
    fn keeps_input(&self, _: usize) -> bool {
        false
    }
    fn keeps_output(&self, _: usize) -> bool {
        false
    }
}

impl<Y: Tree, P: Tree> Odeint<Y, P> {
    fn linearization(&self, inputs: &(Y, Var<f64>, P), run: Arc<Run>) -> Arc<Linearization<Y, P>> {
        let (model, counts) = (self.model.clone(), self.counts.clone());
        Arc::new(Linearization { model, options: self.options, counts, inputs: inputs.clone(), run })
    }
}

impl<Y: Tree, P: Tree> Primitive for Odeint<Y, P> {
    type Inputs = (Y, Var<f64>, P);
    type Outputs = Y;
    fn name(&self) -> &'static str {
        "odeint"
    }
    fn forward(&self, inputs: &Self::Inputs) -> Result<Y> {
        let run = self.solve(inputs)?;
        let out = flat::read_stacked(&inputs.0, inputs.1.len(), &run.outputs);
        if self.wanted.any {
            *self.run.lock().expect("not poisoned") = Some(run);
        }
        Ok(out)
    }
    fn vjp(&self, inputs: &Self::Inputs, outputs: &Y, cotangents: Y::Partial, needs: &[bool]) -> Result<<Self::Inputs as Tree>::Partial> {
        let cotangents = instantiate(outputs, cotangents);
        let run = self.run(inputs)?;
        if !flat::is_constant(inputs) {
            let (_, pull) = vjp(self.unrolled(&run)?, &Point(inputs.clone()))?;
            return Ok(partial(&pull.call(&cotangents)?.0, needs));
        }
        let at = self.linearization(inputs, run);
        let found = if flat::is_constant(&cotangents) { at.pull(&cotangents, needs)? } else { apply(Pull(at), &cotangents)? };
        Ok(partial(&found, needs))
    }
    fn jvp(&self, inputs: &Self::Inputs, _: &Y, tangents: &Self::Inputs) -> Result<Y> {
        let run = self.run(inputs)?;
        if !flat::is_constant(inputs) {
            return Ok(jvp(self.unrolled(&run)?, &Point(inputs.clone()), &Point(tangents.clone()))?.1);
        }
        apply(Push(self.linearization(inputs, run)), tangents)
    }
    fn keeps_output(&self, _: usize) -> bool {
        false
    }
}
