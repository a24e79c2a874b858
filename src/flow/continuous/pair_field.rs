//! The pair field of n particles in d dimensions, v_i = Σ_{j≠i} (x_i − x_j) φ(r_ij) + x_i ψ(|x_i|), with
//! ∇·v = Σ_{i≠j} (d φ + r φ′) + Σ_i (d ψ + r ψ′), where φ and ψ are radial networks f(r) = Σ_k c_k tanh(a_k r + b_k).
//!
//! It moves with a permutation of the particles and with a rotation about the origin. Value and divergence are one pass over the hidden
//! units; the pullback is one more, which computes them again and keeps nothing. With s = (v̄_i − v̄_j)·(x_i − x_j) a pair of distance r pulls
//! back φ̄ = s + 2d D and φ̄′ = 2rD (D the divergence's cotangent), and the rest is the chain rule through r.
//!
//! Where two particles coincide, or one is at the origin, v is continuous and its divergence has a kink: the derivative along the distance is
//! taken as 0 there. Derivatives of the pullback go through the same formulas in `Var` operations.

use crate::autodiff::{Primitive, Tree, Var, apply, jvp, vjp};
use crate::error::{Error, Result};
use crate::kernels::pair_field::{Field, Gradient, MAX_DIM};
use crate::kernels::radial::Radial;
use crate::ops::{Mask, where_};
use crate::scalar::Real;

/// The weights (a, b, c) of a radial network f(r) = Σ_k c_k tanh(a_k r + b_k): three vectors of as many numbers as there are hidden units.
pub type RadialWeights<T> = [Var<T>; 3];

const NAME: &str = "pair_field";

/// Particles and dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    particles: usize,
    dim: usize,
}

type Inputs = (Var<f64>, RadialWeights<f64>, RadialWeights<f64>);

fn radial(w: &RadialWeights<f64>) -> Radial<'_> {
    Radial { a: w[0].as_slice(), b: w[1].as_slice(), c: w[2].as_slice() }
}

fn split(gradient: Vec<f64>) -> RadialWeights<f64> {
    let k = gradient.len() / 3;
    let part = |i: usize| Var::from(&gradient[i * k..(i + 1) * k]);
    [part(0), part(1), part(2)]
}

fn array(like: &Var<f64>, numbers: Vec<f64>) -> Var<f64> {
    Var::from_shape_vec(like.shape(), numbers).expect("as many numbers as the shape has")
}

impl Shape {
    fn field<'a>(&self, (x, pair, single): &'a Inputs) -> Field<'a> {
        Field { x: x.as_slice(), particles: self.particles, dim: self.dim, pair: radial(pair), single: radial(single) }
    }

    /// x_i − x_j of all pairs i < j, of shape (batch, pairs, d), or x_i.
    fn differences(&self, x: &Var<f64>, pairs: bool) -> Var<f64> {
        let x = x.reshape(&[x.shape()[0], self.particles, self.dim]);
        if !pairs {
            return x;
        }
        let (i, j) = self.pairs();
        x.index_select(&i, 1) - x.index_select(&j, 1)
    }

    fn pairs(&self) -> (Vec<usize>, Vec<usize>) {
        (0..self.particles).flat_map(|i| (i + 1..self.particles).map(move |j| (i, j))).unzip()
    }

    /// The value and the divergence in `Var` operations.
    fn composed(&self, (x, pair, single): &Inputs) -> (Var<f64>, Var<f64>) {
        let (batch, d) = (x.shape()[0], self.dim as f64);
        let mut v = Var::zeros(&[batch, self.particles, self.dim]);
        let mut div = Var::zeros(&[batch]);
        for (pairs, [a, b, c], factor) in [(true, pair, 2.0), (false, single, 1.0)] {
            let delta = self.differences(x, pairs);
            let square = delta.square().sum_axis(-1);
            // the root of 0 has derivative 0 here, at any order: r is a constant where it vanishes
            let zero: Mask = square.eq_elem(0.0);
            let r = where_(&zero, 0.0, where_(&zero, 1.0, square).sqrt());
            let h = (r.expand_dims(-1) * a + b).tanh();
            let f = (&h * c).sum_axis(-1);
            let df = ((1.0 - h.square()) * (a * c)).sum_axis(-1);
            let force = f.expand_dims(-1) * &delta;
            if pairs {
                let (i, j) = self.pairs();
                v = v.index_add(&i, 1, &force).index_add(&j, 1, -force);
            } else {
                v += force;
            }
            div += (f * d + r * df).sum_axis(-1) * factor;
        }
        (v.reshape(x.shape()), div)
    }
}

/// (x, φ, ψ) ↦ (v, ∇·v).
struct PairFlow(Shape);

impl Primitive for PairFlow {
    type Inputs = Inputs;
    type Outputs = (Var<f64>, Var<f64>);
    fn name(&self) -> &'static str {
        NAME
    }
    fn forward(&self, inputs: &Inputs) -> Result<Self::Outputs> {
        let (v, div) = self.0.field(inputs).value();
        Ok((array(&inputs.0, v), Var::from(div)))
    }
    fn vjp(
        &self,
        inputs: &Inputs,
        (v, div): &Self::Outputs,
        cotangents: (Option<Var<f64>>, Option<Var<f64>>),
        _: &[bool],
    ) -> Result<(Option<Var<f64>>, [Option<Var<f64>>; 3], [Option<Var<f64>>; 3])> {
        let vbar = cotangents.0.unwrap_or_else(|| v.zeros_like());
        let dbar = cotangents.1.unwrap_or_else(|| div.zeros_like());
        let (x, pair, single) = apply(PairFlowPullback(self.0), &(inputs.clone(), vbar, dbar))?;
        Ok((Some(x), pair.map(Some), single.map(Some)))
    }
    fn jvp(&self, inputs: &Inputs, _: &Self::Outputs, tangents: &Inputs) -> Result<Self::Outputs> {
        Ok(jvp(|inputs: &Inputs| self.0.composed(inputs), inputs, tangents)?.1)
    }
    fn keeps_output(&self, _: usize) -> bool {
        false
    }
}

/// ((x, φ, ψ), v̄, D) ↦ (x̄, φ̄, ψ̄).
struct PairFlowPullback(Shape);

impl PairFlowPullback {
    fn composed(&self, (inputs, vbar, dbar): &(Inputs, Var<f64>, Var<f64>)) -> Result<Inputs> {
        let (_, pull) = vjp(|inputs: &Inputs| self.0.composed(inputs), inputs)?;
        pull.call(&(vbar.clone(), dbar.clone()))
    }
}

impl Primitive for PairFlowPullback {
    type Inputs = (Inputs, Var<f64>, Var<f64>);
    type Outputs = Inputs;
    fn name(&self) -> &'static str {
        "pair_field pullback"
    }
    fn forward(&self, (inputs, vbar, dbar): &Self::Inputs) -> Result<Inputs> {
        let Gradient { x, pair, single, .. } = self.0.field(inputs).pullback(vbar.as_slice(), dbar.as_slice());
        Ok((array(&inputs.0, x), split(pair), split(single)))
    }
    fn vjp(
        &self,
        inputs: &Self::Inputs,
        outputs: &Inputs,
        (x, pair, single): <Inputs as Tree>::Partial,
        needs: &[bool],
    ) -> Result<<Self::Inputs as Tree>::Partial> {
        let only_vbar = needs.iter().enumerate().all(|(i, needed)| *needed == (i == 7));
        if let (Some(x), true) = (&x, only_vbar && pair.iter().chain(&single).all(Option::is_none)) {
            // linear in v̄ with the transposed Jacobian: the tangent map is its transpose
            let dv = apply(PairTangent(self.0), &(inputs.0.clone(), x.clone()))?;
            return Ok(((None, [const { None }; 3], [const { None }; 3]), Some(dv), None));
        }
        let filled = |g: [Option<Var<f64>>; 3], like: &RadialWeights<f64>| {
            let mut like = like.iter();
            g.map(|g| {
                let like = like.next().expect("three");
                g.unwrap_or_else(|| like.zeros_like())
            })
        };
        let cotangents = (x.unwrap_or_else(|| outputs.0.zeros_like()), filled(pair, &outputs.1), filled(single, &outputs.2));
        let (_, pull) = vjp(|inputs: &Self::Inputs| self.composed(inputs), inputs)?;
        let ((x, pair, single), vbar, dbar) = pull.call(&cotangents)?;
        Ok(((Some(x), pair.map(Some), single.map(Some)), Some(vbar), Some(dbar)))
    }
    fn jvp(&self, inputs: &Self::Inputs, _: &Inputs, tangents: &Self::Inputs) -> Result<Inputs> {
        Ok(jvp(|inputs: &Self::Inputs| self.composed(inputs), inputs, tangents)?.1)
    }
    fn keeps_output(&self, _: usize) -> bool {
        false
    }
}

/// (x, φ, ψ) ↦ v.
struct PairVelocity(Shape);

impl Primitive for PairVelocity {
    type Inputs = Inputs;
    type Outputs = Var<f64>;
    fn name(&self) -> &'static str {
        NAME
    }
    fn forward(&self, inputs: &Inputs) -> Result<Var<f64>> {
        Ok(array(&inputs.0, self.0.field(inputs).value().0))
    }
    fn vjp(
        &self,
        inputs: &Inputs,
        v: &Var<f64>,
        cotangent: Option<Var<f64>>,
        _: &[bool],
    ) -> Result<(Option<Var<f64>>, [Option<Var<f64>>; 3], [Option<Var<f64>>; 3])> {
        let vbar = cotangent.unwrap_or_else(|| v.zeros_like());
        let dbar = Var::zeros(&[inputs.0.shape()[0]]);
        let (x, pair, single) = apply(PairFlowPullback(self.0), &(inputs.clone(), vbar, dbar))?;
        Ok((Some(x), pair.map(Some), single.map(Some)))
    }
    fn jvp(&self, inputs: &Inputs, _: &Var<f64>, (dx, pair, single): &Inputs) -> Result<Var<f64>> {
        let still = |w: &RadialWeights<f64>| w.iter().all(|w| w.is_constant() && w.as_slice().iter().all(|w| *w == 0.0));
        if still(pair) && still(single) {
            return apply(PairTangent(self.0), &(inputs.clone(), dx.clone()));
        }
        let tangents = (dx.clone(), pair.clone(), single.clone());
        Ok(jvp(|inputs: &Inputs| self.0.composed(inputs).0, inputs, &tangents)?.1)
    }
    fn keeps_output(&self, _: usize) -> bool {
        false
    }
}

/// ((x, φ, ψ), ẋ) ↦ v̇ = (∂v/∂x) ẋ.
struct PairTangent(Shape);

impl PairTangent {
    fn composed(&self, (inputs, dx): &(Inputs, Var<f64>)) -> Result<Var<f64>> {
        let (_, pair, single) = inputs;
        Ok(jvp(|x: &Var<f64>| self.0.composed(&(x.clone(), pair.clone(), single.clone())).0, &inputs.0, dx)?.1)
    }
}

impl Primitive for PairTangent {
    type Inputs = (Inputs, Var<f64>);
    type Outputs = Var<f64>;
    fn name(&self) -> &'static str {
        "pair_field tangent"
    }
    fn forward(&self, (inputs, dx): &Self::Inputs) -> Result<Var<f64>> {
        Ok(array(&inputs.0, self.0.field(inputs).tangent(dx.as_slice())))
    }
    #[allow(clippy::type_complexity)]
    fn vjp(
        &self,
        (inputs, dx): &Self::Inputs,
        dv: &Var<f64>,
        cotangent: Option<Var<f64>>,
        needs: &[bool],
    ) -> Result<((Option<Var<f64>>, [Option<Var<f64>>; 3], [Option<Var<f64>>; 3]), Option<Var<f64>>)> {
        let dvbar = cotangent.unwrap_or_else(|| dv.zeros_like());
        let by_dx = needs[7];
        let ((x, pair, single), dxbar) = apply(PairTangentPullback { shape: self.0, by_dx }, &(inputs.clone(), dx.clone(), dvbar))?;
        Ok(((Some(x), pair.map(Some), single.map(Some)), by_dx.then_some(dxbar)))
    }
    fn jvp(&self, inputs: &Self::Inputs, _: &Var<f64>, tangents: &Self::Inputs) -> Result<Var<f64>> {
        Ok(jvp(|inputs: &Self::Inputs| self.composed(inputs), inputs, tangents)?.1)
    }
    fn keeps_output(&self, _: usize) -> bool {
        false
    }
}

/// ((x, φ, ψ), ẋ, v̇'s cotangent) ↦ ((x̄, φ̄, ψ̄), ẋ's cotangent; zeros if it is not asked for).
struct PairTangentPullback {
    shape: Shape,
    by_dx: bool,
}

impl PairTangentPullback {
    fn composed(&self, (inputs, dx, dvbar): &(Inputs, Var<f64>, Var<f64>)) -> Result<(Inputs, Var<f64>)> {
        let (_, pull) = vjp(|inputs: &(Inputs, Var<f64>)| PairTangent(self.shape).composed(inputs), &(inputs.clone(), dx.clone()))?;
        let (gradient, dxbar) = pull.call(dvbar)?;
        Ok((gradient, if self.by_dx { dxbar } else { dxbar.zeros_like() }))
    }
}

impl Primitive for PairTangentPullback {
    type Inputs = (Inputs, Var<f64>, Var<f64>);
    type Outputs = (Inputs, Var<f64>);
    fn name(&self) -> &'static str {
        "pair_field tangent's pullback"
    }
    fn forward(&self, (inputs, dx, dvbar): &Self::Inputs) -> Result<Self::Outputs> {
        let gradient = self.shape.field(inputs).tangent_pullback(dx.as_slice(), dvbar.as_slice(), self.by_dx);
        let dxbar = if self.by_dx { array(dx, gradient.dx) } else { dx.zeros_like() };
        Ok(((array(&inputs.0, gradient.x), split(gradient.pair), split(gradient.single)), dxbar))
    }
    fn jvp(&self, inputs: &Self::Inputs, _: &Self::Outputs, tangents: &Self::Inputs) -> Result<Self::Outputs> {
        Ok(jvp(|inputs: &Self::Inputs| self.composed(inputs), inputs, tangents)?.1)
    }
    fn keeps_output(&self, _: usize) -> bool {
        false
    }
}

fn check<T: Real>(x: &Var<T>, particles: usize, pair: &RadialWeights<T>, single: &RadialWeights<T>) -> Result<Shape> {
    let refuse = |message: String| Err(Error::shape(NAME, message));
    let &[_, columns] = x.shape() else {
        return refuse(format!("points have shape {:?}, and (batch, particles × dimensions) is needed", x.shape()));
    };
    if particles == 0 || columns == 0 || !columns.is_multiple_of(particles) {
        return refuse(format!("{columns} columns are not {particles} particles in some dimensions: a multiple is needed"));
    }
    let dim = columns / particles;
    if dim > MAX_DIM {
        return Err(Error::argument(NAME, format!("{dim} dimensions, and at most {MAX_DIM} are supported")));
    }
    for (name, w) in [("φ", pair), ("ψ", single)] {
        if w.iter().any(|part| part.ndim() != 1 || part.len() != w[0].len()) {
            let shapes: Vec<_> = w.iter().map(|w| w.shape().to_vec()).collect();
            return refuse(format!("the weights (a, b, c) of {name} have shapes {shapes:?}: three vectors of one length are needed"));
        }
    }
    Ok(Shape { particles, dim })
}

fn double<T: Real>(x: &Var<T>, pair: &RadialWeights<T>, single: &RadialWeights<T>) -> Inputs {
    let all = |w: &RadialWeights<T>| [w[0].astype(), w[1].astype(), w[2].astype()];
    (x.astype(), all(pair), all(single))
}

/// The pair field v_i = Σ_{j≠i} (x_i − x_j) φ(r_ij) + x_i ψ(|x_i|) at x of shape (batch, n·d), and its divergence in closed form, of shape
/// (batch,): one fused pass, and one for the gradient. Single precision is computed in double.
///
/// ```
/// use pullback::flow::continuous::{RadialWeights, pair_field};
/// use pullback::prelude::*;
/// // two particles on a line, φ(r) = tanh r, ψ = 0
/// let phi: RadialWeights<f64> = [Var::from([1.0]), Var::from([0.0]), Var::from([1.0])];
/// let psi = [Var::zeros(&[1]), Var::zeros(&[1]), Var::zeros(&[1])];
/// let x = Var::from([0.5, -0.5]).reshape(&[1, 2]);
/// let (v, divergence) = pair_field(&x, 2, &phi, &psi)?;
/// assert!((v.as_slice()[0] - 1.0_f64.tanh()).abs() < 1e-15 && v.as_slice()[1] == -v.as_slice()[0]);
/// let slope = 1.0 - 1.0_f64.tanh().powi(2);
/// assert!((divergence.as_slice()[0] - 2.0 * (1.0_f64.tanh() + slope)).abs() < 1e-15);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// `Shape` for columns that are not a multiple of `particles`, or weights that are not three vectors of one length.
pub fn pair_field<T: Real>(x: &Var<T>, particles: usize, pair: &RadialWeights<T>, single: &RadialWeights<T>) -> Result<(Var<T>, Var<T>)> {
    let shape = check(x, particles, pair, single)?;
    let (v, div) = apply(PairFlow(shape), &double(x, pair, single))?;
    Ok((v.astype(), div.astype()))
}

/// [`pair_field`] without its divergence. Its tangents are one fused pass too, in which pairs that do not move cost nothing: the d n columns
/// of its Jacobian cost about twice d evaluations, not d n.
///
/// # Errors
/// As [`pair_field`].
pub fn pair_velocity<T: Real>(x: &Var<T>, particles: usize, pair: &RadialWeights<T>, single: &RadialWeights<T>) -> Result<Var<T>> {
    let shape = check(x, particles, pair, single)?;
    Ok(apply(PairVelocity(shape), &double(x, pair, single))?.astype())
}
