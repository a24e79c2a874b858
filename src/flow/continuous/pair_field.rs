//! The pair field of n particles in d dimensions, v_i = Σ_{j≠i} (x_i − x_j) φ(r_ij, s_ij) + x_i ψ(|x_i|) with s_ij = |x_i|² + |x_j|², whose
//! divergence is ∇·v = Σ_{i≠j} (d φ + r φ_r + r² φ_s) + Σ_i (d ψ + r ψ′), where φ and ψ have one hidden layer,
//! φ(r, s) = Σ_k c_k tanh(a_k r + e_k s + b_k) and ψ(r) = Σ_k c_k tanh(a_k r + b_k).
//!
//! It moves with a permutation of the particles and with a rotation about the origin. Through s a pair knows where it is: the distance that
//! neighbours keep depends on the density there. Value and divergence are one pass over the hidden
//! units; the pullback is one more, which computes them again and keeps nothing. With σ = (v̄_i − v̄_j)·(x_i − x_j) a pair of distance r pulls
//! back σ + 2d D to φ and 2D to its derivative along (r, r²) (D the divergence's cotangent), and the rest is the chain rule through r and s.
//!
//! Where two particles coincide, or one is at the origin, v is continuous and its divergence has a kink: the derivative along the distance is
//! taken as 0 there. Derivatives of the pullback go through the same formulas in `Var` operations.

use crate::autodiff::{Primitive, Tree, Var, apply, jvp, vjp};
use crate::error::{Error, Result};
use crate::flow::pairs;
use crate::kernels::pair_field::{Field, Gradient, MAX_DIM};
use crate::kernels::radial::Radial;
use crate::ops::{Mask, where_};
use crate::scalar::Real;

/// The weights (a, b, c) of a radial network ψ(r) = Σ_k c_k tanh(a_k r + b_k): three vectors of as many numbers as there are hidden units.
pub type RadialWeights<T> = [Var<T>; 3];

/// The weights (a, e, b, c) of a network of pairs φ(r, s) = Σ_k c_k tanh(a_k r + e_k s + b_k): four vectors of as many numbers as there are
/// hidden units, or an empty e for a function of the distance alone, which is evaluated faster.
pub type PairWeights<T> = [Var<T>; 4];

const NAME: &str = "pair_field";

/// Particles and dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    particles: usize,
    dim: usize,
}

/// Which input of those after [`Inputs`] is the first: x, four weights of φ and three of ψ stand before it.
const TANGENT: usize = 8;

type Inputs = (Var<f64>, PairWeights<f64>, RadialWeights<f64>);

/// Cuts a gradient into vectors of the lengths of the weights.
fn split<const N: usize>(gradient: &[f64], like: &[Var<f64>; N]) -> [Var<f64>; N] {
    let mut rest = gradient;
    like.each_ref().map(|w| {
        let (part, after) = rest.split_at(w.len());
        rest = after;
        Var::from(part)
    })
}

fn filled<const N: usize>(gradient: [Option<Var<f64>>; N], like: &[Var<f64>; N]) -> [Var<f64>; N] {
    let mut like = like.iter();
    gradient.map(|g| {
        let like = like.next().expect("as many");
        g.unwrap_or_else(|| like.zeros_like())
    })
}

fn array(like: &Var<f64>, numbers: Vec<f64>) -> Var<f64> {
    Var::from_shape_vec(like.shape(), numbers).expect("as many numbers as the shape has")
}

impl Shape {
    fn field<'a>(&self, (x, pair, single): &'a Inputs) -> Field<'a> {
        let [a, e, b, c] = pair.each_ref().map(|w| w.as_slice());
        let pair = Radial { a, e, b, c };
        let [a, b, c] = single.each_ref().map(|w| w.as_slice());
        Field { x: x.as_slice(), particles: self.particles, dim: self.dim, pair, single: Radial { a, e: &[], b, c } }
    }

    /// The value and the divergence in `Var` operations.
    fn composed(&self, (x, [a, e, b, c], single): &Inputs) -> (Var<f64>, Var<f64>) {
        let (i, j) = pairs(self.particles);
        let at = x.reshape(&[x.shape()[0], self.particles, self.dim]);
        // of all pairs i < j, of shape (batch, pairs, d) and (batch, pairs)
        let delta = at.index_select(&i, 1) - at.index_select(&j, 1);
        let squares = at.square().sum_axis(-1);
        let s = squares.index_select(&i, 1) + squares.index_select(&j, 1);
        let place = (e.len() > 0).then_some((e, &s));
        let (force, pairs) = self.radial(&delta, [a, b, c], place);
        let (pull, alone) = self.radial(&at, single.each_ref(), None);
        let v = pull.index_add(&i, 1, &force).index_add(&j, 1, -force);
        (v.reshape(x.shape()), pairs * 2.0 + alone)
    }

    /// delta f, and Σ (d f + r f_r + r² f_s) of each row.
    fn radial(&self, delta: &Var<f64>, [a, b, c]: [&Var<f64>; 3], place: Option<(&Var<f64>, &Var<f64>)>) -> (Var<f64>, Var<f64>) {
        let square = delta.square().sum_axis(-1);
        // the root of 0 has derivative 0 here, at any order: r is a constant where it vanishes
        let zero: Mask = square.eq_elem(0.0);
        let r = where_(&zero, 0.0, where_(&zero, 1.0, &square).sqrt());
        let (mut z, mut along) = (r.expand_dims(-1) * a + b, r.expand_dims(-1) * a);
        if let Some((e, s)) = place {
            z += s.expand_dims(-1) * e;
            along += square.expand_dims(-1) * e;
        }
        let h = z.tanh();
        let f = (&h * c).sum_axis(-1);
        let df = ((1.0 - h.square()) * c * along).sum_axis(-1);
        (f.expand_dims(-1) * delta, (f * self.dim as f64 + df).sum_axis(-1))
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
    ) -> Result<<Inputs as Tree>::Partial> {
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
        Ok((array(&inputs.0, x), split(&pair, &inputs.1), split(&single, &inputs.2)))
    }
    fn vjp(
        &self,
        inputs: &Self::Inputs,
        outputs: &Inputs,
        (x, pair, single): <Inputs as Tree>::Partial,
        needs: &[bool],
    ) -> Result<<Self::Inputs as Tree>::Partial> {
        let only_vbar = needs.iter().enumerate().all(|(i, needed)| *needed == (i == TANGENT));
        if let (Some(x), true) = (&x, only_vbar && pair.iter().chain(&single).all(Option::is_none)) {
            // linear in v̄ with the transposed Jacobian: the tangent map is its transpose
            let dv = apply(PairTangent(self.0), &(inputs.0.clone(), x.clone()))?;
            return Ok(((None, [const { None }; 4], [const { None }; 3]), Some(dv), None));
        }
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
    fn vjp(&self, inputs: &Inputs, v: &Var<f64>, cotangent: Option<Var<f64>>, _: &[bool]) -> Result<<Inputs as Tree>::Partial> {
        let vbar = cotangent.unwrap_or_else(|| v.zeros_like());
        let dbar = Var::zeros(&[inputs.0.shape()[0]]);
        let (x, pair, single) = apply(PairFlowPullback(self.0), &(inputs.clone(), vbar, dbar))?;
        Ok((Some(x), pair.map(Some), single.map(Some)))
    }
    fn jvp(&self, inputs: &Inputs, _: &Var<f64>, (dx, pair, single): &Inputs) -> Result<Var<f64>> {
        let still = |w: &Var<f64>| w.is_constant() && w.as_slice().iter().all(|w| *w == 0.0);
        if pair.iter().chain(single).all(still) {
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
    fn vjp(
        &self,
        (inputs, dx): &Self::Inputs,
        dv: &Var<f64>,
        cotangent: Option<Var<f64>>,
        needs: &[bool],
    ) -> Result<<Self::Inputs as Tree>::Partial> {
        let dvbar = cotangent.unwrap_or_else(|| dv.zeros_like());
        let by_dx = needs[TANGENT];
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
        Ok(((array(&inputs.0, gradient.x), split(&gradient.pair, &inputs.1), split(&gradient.single, &inputs.2)), dxbar))
    }
    fn jvp(&self, inputs: &Self::Inputs, _: &Self::Outputs, tangents: &Self::Inputs) -> Result<Self::Outputs> {
        Ok(jvp(|inputs: &Self::Inputs| self.composed(inputs), inputs, tangents)?.1)
    }
    fn keeps_output(&self, _: usize) -> bool {
        false
    }
}

fn check<T: Real>(x: &Var<T>, particles: usize, pair: &PairWeights<T>, single: &RadialWeights<T>) -> Result<Shape> {
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
    let shapes = |w: &[Var<T>]| w.iter().map(|w| w.shape().to_vec()).collect::<Vec<_>>();
    let vectors = |w: &[Var<T>], units: usize| w.iter().all(|part| part.shape() == [units]);
    let ([a, e, b, c], units) = (pair, pair[0].len());
    if !(vectors(&[a.clone(), b.clone(), c.clone()], units) && (e.shape() == [units] || e.shape() == [0])) {
        let shapes = shapes(pair);
        return refuse(format!(
            "the weights (a, e, b, c) of φ have shapes {shapes:?}: four vectors of one length are needed, or an empty e"
        ));
    }
    if !vectors(single, single[0].len()) {
        return refuse(format!("the weights (a, b, c) of ψ have shapes {:?}: three vectors of one length are needed", shapes(single)));
    }
    Ok(Shape { particles, dim })
}

fn double<T: Real>(x: &Var<T>, pair: &PairWeights<T>, single: &RadialWeights<T>) -> Inputs {
    (x.astype(), pair.each_ref().map(|w| w.astype()), single.each_ref().map(|w| w.astype()))
}

/// The pair field v_i = Σ_{j≠i} (x_i − x_j) φ(r_ij, s_ij) + x_i ψ(|x_i|), s_ij = |x_i|² + |x_j|², at x of shape (batch, n·d), and its divergence
/// in closed form, of shape (batch,): one fused pass, and one for the gradient. Single precision is computed in double.
///
/// ```
/// use pullback::flow::continuous::{PairWeights, pair_field};
/// use pullback::prelude::*;
/// // two particles on a line, φ(r) = tanh r, ψ = 0
/// let phi: PairWeights<f64> = [Var::from([1.0]), Var::from([0.0]), Var::from([0.0]), Var::from([1.0])];
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
/// `Shape` for columns that are not a multiple of `particles`, or weights that are not vectors of one length.
pub fn pair_field<T: Real>(x: &Var<T>, particles: usize, pair: &PairWeights<T>, single: &RadialWeights<T>) -> Result<(Var<T>, Var<T>)> {
    let shape = check(x, particles, pair, single)?;
    let (v, div) = apply(PairFlow(shape), &double(x, pair, single))?;
    Ok((v.astype(), div.astype()))
}

/// [`pair_field`] without its divergence. Its tangents are one fused pass too, in which pairs that do not move cost nothing: the d n columns
/// of its Jacobian cost about twice d evaluations, not d n.
///
/// # Errors
/// As [`pair_field`].
pub fn pair_velocity<T: Real>(x: &Var<T>, particles: usize, pair: &PairWeights<T>, single: &RadialWeights<T>) -> Result<Var<T>> {
    let shape = check(x, particles, pair, single)?;
    Ok(apply(PairVelocity(shape), &double(x, pair, single))?.astype())
}
