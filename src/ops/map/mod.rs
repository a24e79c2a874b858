//! `map` and `zip_map`: a scalar function over arrays as one fused operation, one pass forward and one backward.
//!
//! Two families of primitives are closed under both modes, so derivatives of derivatives stay fused, one pass each:
//!
//! - T_k(x; v_1, …, v_k) = Dᵏf(x)[v_1, …, v_k], the k-fold directional derivative (T_0 is f itself);
//! - H_k(x; v_1, …, v_k; g)_i = Σ_o g_o ∂/∂x_i Dᵏf_o(x)[v_1, …, v_k], its gradient (H_0 is the pullback of f).
//!
//! Both are symmetric and linear in the v and linear in g, hence
//!
//! - T_k: ẏ = T_{k+1}(x; v, ẋ) + Σ_j T_k(x; …, v̇_j, …); x̄ = H_k(x; v; ȳ), v̄_j = H_{k−1}(x; v without v_j; ȳ);
//! - H_k: likewise in ẋ, v̇_j and ġ; from a cotangent h, x̄ = H_{k+1}(x; v, h; g), v̄_j = H_k(x; v without v_j, h; g),
//!   ḡ = T_{k+1}(x; v, h).
//!
//! They are evaluated with dual numbers nested k deep (Griewank and Walther, *Evaluating Derivatives*, ch. 3 and 13); T_0 with T_1, and H_0
//! with H_1, are had from one pass where forward mode asks for both. f is holomorphic, so for complex arrays cotangents are conjugated on
//! the way in and out. The pullback of a large array computes the partial derivatives again: that reads IN arrays where keeping them would
//! write and read IN·OUT. Of small arrays they are computed with the values and kept, since there the function's cost counts and memory
//! does not.
//!
//! Where a cotangent or all directions are zero the result is an exact zero, also where the function's derivative is infinite or NaN.

mod kernel;

use super::arithmetic::weigh;
use super::broadcast::{sum_stack_to, sum_to, to_shape};
use crate::autodiff::layer::one_reverse_level;
use crate::autodiff::{Primitive, Var, apply};
use crate::error::{Error, Result};
use crate::kernels::broadcast::broadcast_shape;
use crate::scalar::{Scalar, ScalarFn};
use crate::tensor::{Shape, Tensor, len_of};
use kernel::{Fused, MAX_ORDER, Source};
use smallvec::SmallVec;
use std::sync::Arc;

/// The function, its type erased: the primitives and what records them are compiled once for a scalar type.
type Function<T> = Arc<dyn Fused<T>>;

/// T_k
struct Tangent<T> {
    f: Function<T>,
    order: usize,
    shape: Shape,
}

/// H_k, of the inputs that are wanted.
struct Cotangent<T> {
    f: Function<T>,
    order: usize,
    shape: Shape,
    wanted: Flags,
}

/// One for each input of the function.
type Flags = SmallVec<[bool; 8]>;

fn refuse(order: usize) -> Result<()> {
    if order <= MAX_ORDER {
        return Ok(());
    }
    Err(Error::derivative(
        "map",
        format!("derivatives of a fused scalar function are had up to order {MAX_ORDER}: write it in array operations for higher ones"),
    ))
}

fn sources<T: Scalar>(inputs: &[Var<T>]) -> Vec<Source<'_, T>> {
    inputs.iter().map(|x| x.value.elements_or_one()).collect()
}

/// The variable, or a 0-d zero where it is known to be zero.
fn or_zero<T: Scalar>(v: Option<&Var<T>>) -> Var<T> {
    match v {
        Some(v) if !is_zero(v) => v.clone(),
        _ => Var::scalar(T::zero()),
    }
}

fn is_zero<T: Scalar>(v: &Var<T>) -> bool {
    v.is_constant() && v.value.elements_or_one().iter().all(|x| *x == T::zero())
}

/// Tangents, 0-d zeros where there is none.
fn directions<T: Scalar>(v: Vec<Option<Var<T>>>) -> Vec<Var<T>> {
    v.into_iter().map(|v| v.unwrap_or_else(|| Var::scalar(T::zero()))).collect()
}

/// Results of the shape of the arrays, as constants.
fn variables<T: Scalar>(shape: &Shape, values: impl IntoIterator<Item = Vec<T>>) -> Vec<Var<T>> {
    values.into_iter().map(|y| Var::constant(Tensor::with_shape(shape.clone(), y))).collect()
}

fn all_zero<T: Scalar>(v: &[Var<T>]) -> bool {
    v.iter().all(is_zero)
}

/// The inputs without their k-th group of n.
fn without<T: Scalar>(inputs: &[Var<T>], n: usize, k: usize) -> Vec<Var<T>> {
    [&inputs[..k * n], &inputs[(k + 1) * n..]].concat()
}

/// The inputs with what starts at `at` replaced.
fn with<T: Scalar>(inputs: &[Var<T>], at: usize, by: &[Var<T>]) -> Vec<Var<T>> {
    [&inputs[..at], by, &inputs[at + by.len()..]].concat()
}

fn add<T: Scalar>(sum: Option<Vec<Var<T>>>, terms: Vec<Var<T>>) -> Option<Vec<Var<T>>> {
    Some(match sum {
        None => terms,
        Some(sum) => sum.into_iter().zip(terms).map(|(a, b)| a + b).collect(),
    })
}

fn tangent<T: Scalar>(f: &Function<T>, order: usize, shape: &Shape, inputs: Vec<Var<T>>) -> Result<Vec<Var<T>>> {
    refuse(order)?;
    apply(Tangent { f: f.clone(), order, shape: shape.clone() }, &inputs)
}

/// The wanted ones in order.
fn cotangent<T: Scalar>(f: &Function<T>, order: usize, shape: &Shape, inputs: Vec<Var<T>>, wanted: Flags) -> Result<Vec<Var<T>>> {
    refuse(order + 1)?;
    apply(Cotangent { f: f.clone(), order, shape: shape.clone(), wanted }, &inputs)
}

/// Puts the wanted cotangents of a group of inputs in their places, conjugated back.
fn place<T: Scalar>(out: &mut [Option<Var<T>>], wanted: &[bool], values: Vec<Var<T>>) {
    let mut values = values.into_iter();
    for (out, _) in out.iter_mut().zip(wanted).filter(|(_, wanted)| **wanted) {
        *out = Some(values.next().expect("as many as are wanted").conj());
    }
}

/// The inputs' cotangents from the outputs' or from stacks of them, where `pull` gives the former at the results' shape.
///
/// `pull` works element by element, so stacks go through as sums of what it gives for unit cotangents, with the stacks for weights.
fn pull_back<T: Scalar>(
    shape: &[usize],
    inputs: &[Var<T>],
    g: Vec<Option<Var<T>>>,
    pull: impl Fn(&[Option<Var<T>>]) -> Result<Vec<Option<Var<T>>>>,
) -> Result<Vec<Option<Var<T>>>> {
    if g.iter().flatten().all(|g| g.ndim() == shape.len()) {
        return Ok(pull(&g)?.into_iter().zip(inputs).map(|(v, x)| v.map(|v| sum_to(v, x.shape()))).collect());
    }
    let one = Var::constant(Tensor::full(shape, T::one()));
    let mut sums: Vec<Option<Var<T>>> = vec![None; inputs.len()];
    for (o, stack) in g.iter().enumerate().filter_map(|(o, g)| g.as_ref().map(|g| (o, g))) {
        let unit: Vec<_> = (0..g.len()).map(|k| (k == o).then(|| one.clone())).collect();
        for (sum, slope) in sums.iter_mut().zip(pull(&unit)?) {
            let Some(slope) = slope else { continue };
            let term = weigh(stack.clone(), slope);
            *sum = Some(match sum.take() {
                None => term,
                Some(sum) => sum + term,
            });
        }
    }
    Ok(sums.into_iter().zip(inputs).map(|(v, x)| v.map(|v| sum_stack_to(v, x.shape()))).collect())
}

fn conjugated<T: Scalar>(cotangents: &[Option<Var<T>>]) -> Vec<Var<T>> {
    cotangents.iter().map(|g| or_zero(g.as_ref()).conj()).collect()
}

/// The k-th n of them.
fn group(needs: &[bool], n: usize, k: usize) -> Flags {
    Flags::from_slice(&needs[k * n..(k + 1) * n])
}

impl<T: Scalar> Tangent<T> {
    fn pull(&self, inputs: &[Var<T>], g: &[Option<Var<T>>], needs: &[bool]) -> Result<Vec<Option<Var<T>>>> {
        let (g, n) = (conjugated(g), self.f.sizes().0);
        let mut out = vec![None; inputs.len()];
        for k in 0..=self.order {
            let wanted = group(needs, n, k);
            if !wanted.contains(&true) {
                continue;
            }
            let values = if k == 0 {
                cotangent(&self.f, self.order, &self.shape, [inputs, &g[..]].concat(), wanted.clone())?
            } else {
                cotangent(&self.f, self.order - 1, &self.shape, [without(inputs, n, k), g.clone()].concat(), wanted.clone())?
            };
            place(&mut out[k * n..], &wanted, values);
        }
        Ok(out)
    }
}

impl<T: Scalar> Primitive for Tangent<T> {
    type Inputs = Vec<Var<T>>;
    type Outputs = Vec<Var<T>>;
    fn name(&self) -> &'static str {
        "map"
    }
    fn forward(&self, inputs: &Vec<Var<T>>) -> Result<Vec<Var<T>>> {
        let values = self.f.tangents(self.order, &sources(inputs), len_of(&self.shape));
        Ok(variables(&self.shape, values))
    }
    fn vjp(&self, inputs: &Vec<Var<T>>, _: &Vec<Var<T>>, g: Vec<Option<Var<T>>>, needs: &[bool]) -> Result<Vec<Option<Var<T>>>> {
        pull_back(&self.shape, inputs, g, |g| self.pull(inputs, g, needs))
    }
    fn stacks(&self) -> bool {
        true
    }
    fn jvp(&self, inputs: &Vec<Var<T>>, outputs: &Vec<Var<T>>, tangents: &Vec<Var<T>>) -> Result<Vec<Var<T>>> {
        let (mut sum, n) = (None, self.f.sizes().0);
        for k in 0..=self.order {
            let v: Vec<_> = tangents[k * n..(k + 1) * n].iter().map(|v| or_zero(Some(v))).collect();
            if all_zero(&v) {
                continue;
            }
            let (order, inputs) =
                if k == 0 { (self.order + 1, [&inputs[..], &v[..]].concat()) } else { (self.order, with(inputs, k * n, &v)) };
            sum = add(sum, tangent(&self.f, order, &self.shape, inputs)?);
        }
        Ok(sum.unwrap_or_else(|| outputs.iter().map(Var::zeros_like).collect()))
    }
    fn forward_and_jvp(&self, x: &Vec<Var<T>>, v: Vec<Option<Var<T>>>) -> Option<Result<(Vec<Var<T>>, Vec<Var<T>>)>> {
        if self.order != 0 {
            return None;
        }
        let inputs = [x.clone(), directions(v)].concat();
        let mut values = variables(&self.shape, self.f.tangents_along(&sources(&inputs), len_of(&self.shape)));
        let tangents = values.split_off(self.f.sizes().1);
        Some(Ok((values, tangents)))
    }
    fn keeps_output(&self, _: usize) -> bool {
        false
    }
}

impl<T: Scalar> Cotangent<T> {
    fn pull(&self, inputs: &[Var<T>], h: &[Option<Var<T>>], needs: &[bool]) -> Result<Vec<Option<Var<T>>>> {
        let (mut h, n) = (h.iter(), self.f.sizes().0);
        let each = |&wanted: &bool| if wanted { h.next().expect("as many as are wanted").clone() } else { None };
        let h = conjugated(&self.wanted.iter().map(each).collect::<Vec<_>>());
        let (x, g) = inputs.split_at(n * (self.order + 1));
        let mut out = vec![None; inputs.len()];
        for k in 0..=self.order {
            let wanted = group(needs, n, k);
            if !wanted.contains(&true) {
                continue;
            }
            let values = if k == 0 {
                cotangent(&self.f, self.order + 1, &self.shape, [x, &h[..], g].concat(), wanted.clone())?
            } else {
                cotangent(&self.f, self.order, &self.shape, [&without(x, n, k)[..], &h[..], g].concat(), wanted.clone())?
            };
            place(&mut out[k * n..], &wanted, values);
        }
        let wanted = &needs[x.len()..];
        if wanted.contains(&true) {
            let values = tangent(&self.f, self.order + 1, &self.shape, [x, &h[..]].concat())?;
            let values = values.into_iter().zip(wanted).filter(|(_, wanted)| **wanted).map(|(v, _)| v).collect();
            place(&mut out[x.len()..], wanted, values);
        }
        Ok(out)
    }
}

impl<T: Scalar> Primitive for Cotangent<T> {
    type Inputs = Vec<Var<T>>;
    type Outputs = Vec<Var<T>>;
    fn name(&self) -> &'static str {
        "map's pullback"
    }
    fn forward(&self, inputs: &Vec<Var<T>>) -> Result<Vec<Var<T>>> {
        let values = self.f.cotangents(self.order, &sources(inputs), len_of(&self.shape), &self.wanted);
        Ok(variables(&self.shape, values.into_iter().flatten()))
    }
    fn vjp(&self, inputs: &Vec<Var<T>>, _: &Vec<Var<T>>, h: Vec<Option<Var<T>>>, needs: &[bool]) -> Result<Vec<Option<Var<T>>>> {
        pull_back(&self.shape, inputs, h, |h| self.pull(inputs, h, needs))
    }
    fn stacks(&self) -> bool {
        true
    }
    fn jvp(&self, inputs: &Vec<Var<T>>, outputs: &Vec<Var<T>>, tangents: &Vec<Var<T>>) -> Result<Vec<Var<T>>> {
        let (mut sum, n) = (None, self.f.sizes().0);
        let groups = self.order + 1;
        for k in 0..=groups {
            let end = if k == groups { inputs.len() } else { (k + 1) * n };
            let v: Vec<_> = tangents[k * n..end].iter().map(|v| or_zero(Some(v))).collect();
            if all_zero(&v) {
                continue;
            }
            let (order, inputs) = if k == 0 {
                let (x, g) = inputs.split_at(n * groups);
                (self.order + 1, [x, &v[..], g].concat())
            } else {
                (self.order, with(inputs, k * n, &v))
            };
            sum = add(sum, cotangent(&self.f, order, &self.shape, inputs, self.wanted.clone())?);
        }
        Ok(sum.unwrap_or_else(|| outputs.iter().map(Var::zeros_like).collect()))
    }
    fn forward_and_jvp(&self, inputs: &Vec<Var<T>>, tangents: Vec<Option<Var<T>>>) -> Option<Result<(Vec<Var<T>>, Vec<Var<T>>)>> {
        if self.order != 0 {
            return None;
        }
        let (x, g) = inputs.split_at(self.f.sizes().0);
        let mut v = directions(tangents);
        let dg = v.split_off(x.len());
        let inputs = [x, &v[..], g, &dg[..]].concat();
        let wanted = [&self.wanted[..], &self.wanted[..]].concat();
        let mut values = self.f.cotangents_along(&sources(&inputs), len_of(&self.shape), &wanted);
        let tangents = values.split_off(x.len());
        let present = |values: Vec<Option<Vec<T>>>| variables(&self.shape, values.into_iter().flatten());
        Some(Ok((present(values), present(tangents))))
    }
    fn keeps_output(&self, _: usize) -> bool {
        false
    }
}

/// T_0 with its partial derivatives as further outputs, for its own pullback alone.
struct Kept<T> {
    f: Function<T>,
    shape: Shape,
}

/// Up to this length the partial derivatives are kept.
const KEPT: usize = 1024;

impl<T: Scalar> Kept<T> {
    fn pull(&self, inputs: &[Var<T>], outputs: &[Var<T>], g: &[Option<Var<T>>], needs: &[bool]) -> Result<Vec<Option<Var<T>>>> {
        let (ins, outs) = self.f.sizes();
        let (mut out, wanted) = (vec![None; ins], group(needs, ins, 0));
        let constant = |v: &Var<T>| v.is_constant();
        if !(inputs.iter().all(constant) && outputs.iter().all(constant) && g.iter().flatten().all(constant)) {
            let values = cotangent(&self.f, 0, &self.shape, [inputs, &conjugated(g)[..]].concat(), wanted.clone())?;
            place(&mut out, &wanted, values);
            return Ok(out);
        }
        for (i, out) in out.iter_mut().enumerate().filter(|(i, _)| wanted[*i]) {
            let mut sum = vec![T::zero(); len_of(&self.shape)];
            for (o, g) in g.iter().enumerate() {
                let Some(g) = g else { continue };
                let partial = outputs[outs + o * ins + i].as_slice();
                sum.iter_mut().zip(partial.iter().zip(g.as_slice())).for_each(|(sum, (p, g))| *sum += kernel::weigh(*g, p.conj()));
            }
            *out = Some(Var::constant(Tensor::with_shape(self.shape.clone(), sum)));
        }
        Ok(out)
    }
}

impl<T: Scalar> Primitive for Kept<T> {
    type Inputs = Vec<Var<T>>;
    type Outputs = Vec<Var<T>>;
    fn name(&self) -> &'static str {
        "map"
    }
    fn forward(&self, inputs: &Vec<Var<T>>) -> Result<Vec<Var<T>>> {
        let values = self.f.values_and_partials(&sources(inputs), len_of(&self.shape));
        Ok(variables(&self.shape, values))
    }
    fn vjp(&self, inputs: &Vec<Var<T>>, outputs: &Vec<Var<T>>, mut g: Vec<Option<Var<T>>>, needs: &[bool]) -> Result<Vec<Option<Var<T>>>> {
        g.truncate(self.f.sizes().1);
        pull_back(&self.shape, inputs, g, |g| self.pull(inputs, outputs, g, needs))
    }
    fn stacks(&self) -> bool {
        true
    }
    fn jvp(&self, inputs: &Vec<Var<T>>, outputs: &Vec<Var<T>>, tangents: &Vec<Var<T>>) -> Result<Vec<Var<T>>> {
        // only recorded on constants, so this is for completeness: nothing reads the tangents of the further outputs
        let values = tangent(&self.f, 1, &self.shape, [&inputs[..], &tangents[..]].concat())?;
        Ok(values.into_iter().chain(outputs[self.f.sizes().1..].iter().map(Var::zeros_like)).collect())
    }
    fn keeps_output(&self, i: usize) -> bool {
        i >= self.f.sizes().1
    }
}

/// N arrays of one scalar type: a tuple of references, or an array of references or of arrays.
pub trait MapInputs<const N: usize> {
    /// The scalar type.
    type Scalar: Scalar;
    /// As variables.
    fn to_vars(self) -> [Var<Self::Scalar>; N];
}

impl<T: Scalar, const N: usize> MapInputs<N> for [&Var<T>; N] {
    type Scalar = T;
    fn to_vars(self) -> [Var<T>; N] {
        self.map(Clone::clone)
    }
}

impl<T: Scalar, const N: usize> MapInputs<N> for &[Var<T>; N] {
    type Scalar = T;
    fn to_vars(self) -> [Var<T>; N] {
        self.clone()
    }
}

macro_rules! tuple_inputs {
    ($n:literal $($t:ident $x:ident),*) => {
        impl<T: Scalar> MapInputs<$n> for ($(tuple_inputs!(@var $t),)*) {
            type Scalar = T;
            fn to_vars(self) -> [Var<T>; $n] {
                let ($($x,)*) = self;
                [$($x.clone()),*]
            }
        }
    };
    (@var $t:ident) => { &Var<T> };
}
tuple_inputs!(1 A a);
tuple_inputs!(2 A a, B b);
tuple_inputs!(3 A a, B b, C c);
tuple_inputs!(4 A a, B b, C c, D d);
tuple_inputs!(5 A a, B b, C c, D d, E e);
tuple_inputs!(6 A a, B b, C c, D d, E e, F f);
tuple_inputs!(7 A a, B b, C c, D d, E e, F f, G g);
tuple_inputs!(8 A a, B b, C c, D d, E e, F f, G g, H h);

/// A number of results.
pub struct Count<const N: usize>;

/// What a scalar function with that many results gives over arrays: one array, or an array of them.
pub trait MapOutputs<T> {
    /// `Var<T>` for one result, `[Var<T>; N]` for N.
    type Vars;
    /// From a list of as many.
    #[doc(hidden)]
    fn collect(values: Vec<Var<T>>) -> Self::Vars;
}

impl<T: Scalar> MapOutputs<T> for Count<1> {
    type Vars = Var<T>;
    fn collect(values: Vec<Var<T>>) -> Var<T> {
        values.into_iter().next().expect("one result")
    }
}

macro_rules! several_outputs {
    ($($n:literal)*) => { $(
        impl<T: Scalar> MapOutputs<T> for Count<$n> {
            type Vars = [Var<T>; $n];
            fn collect(values: Vec<Var<T>>) -> [Var<T>; $n] {
                values.try_into().expect("as many results")
            }
        }
    )* };
}
several_outputs!(2 3 4 5 6 7 8 9 10 11 12);

/// A scalar function of one variable over an array, in one fused pass; see [`zip_map`].
///
/// ```
/// use pullback::prelude::*;
/// scalar_fn! { fn morse(r) { (1.0 - (-(r - 1.0)).exp()).square() } }
/// let r = ndarray::array![1.0, 2.0];
/// let force = grad(|r: &Var<f64>| map(morse, r).sum(), &r)?;
/// assert_eq!(force[0], 0.0);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Panics
/// In forward mode beyond the fourth derivative.
#[track_caller]
pub fn map<T, F, const OUT: usize>(f: F, x: &Var<T>) -> <Count<OUT> as MapOutputs<T>>::Vars
where
    T: Scalar,
    F: ScalarFn<1, OUT>,
    Count<OUT>: MapOutputs<T>,
{
    zip_map(f, (x,))
}

/// A scalar function over arrays of one scalar type, broadcast, in one fused pass: one array for one result, `[Var<T>; N]` for N.
///
/// The pullback is one pass as well, computes all partial derivatives at once with dual numbers, and can be differentiated again, in both
/// modes, up to the fourth derivative in all. Threaded where that pays; plain arithmetic is vectorised. For complex arrays the function
/// is taken as holomorphic.
///
/// ```
/// use pullback::prelude::*;
/// scalar_fn! { fn yukawa(r, kappa) { (-(kappa * r)).exp() / r } }
/// scalar_fn! { fn polar([x, y]) -> [r, theta] { [(x * x + y * y).sqrt(), y.atan2(x)] } }
///
/// let (r, kappa) = (ndarray::array![0.5, 1.0, 2.0], 0.7);
/// let (dr, dkappa) = grad(|(r, kappa): &(Var<f64>, Var<f64>)| zip_map(yukawa, (r, kappa)).sum(), &(r, kappa))?;
/// assert!((dkappa + (-0.35f64).exp() + (-0.7f64).exp() + (-1.4f64).exp()).abs() < 1e-15);
/// assert_eq!(dr.len(), 3);
///
/// let [r, theta] = zip_map(polar, (&Var::scalar(0.0), &Var::from([1.0, 2.0])));
/// assert_eq!(r.as_slice(), &[1.0, 2.0]);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Panics
/// If the shapes do not broadcast; in forward mode beyond the fourth derivative (a backward sweep says so with an error).
#[track_caller]
pub fn zip_map<F, X, const IN: usize, const OUT: usize>(f: F, x: X) -> <Count<OUT> as MapOutputs<X::Scalar>>::Vars
where
    F: ScalarFn<IN, OUT>,
    X: MapInputs<IN>,
    Count<OUT>: MapOutputs<X::Scalar>,
{
    <Count<OUT> as MapOutputs<X::Scalar>>::collect(erased(Arc::new(kernel::Of::<F, IN, OUT>(f)), &x.to_vars()))
}

#[track_caller]
fn erased<T: Scalar>(f: Function<T>, inputs: &[Var<T>]) -> Vec<Var<T>> {
    let mut shape = Shape::new();
    for x in inputs {
        shape = broadcast_shape(&shape, x.shape()).unwrap_or_else(|| {
            let shapes: Vec<_> = inputs.iter().map(Var::shape).collect();
            panic!("zip_map: shapes {shapes:?} do not broadcast: axes, counted from the last, must be equal or 1")
        });
    }
    let inputs: Vec<_> = inputs.iter().map(|x| if x.ndim() == 0 { x.clone() } else { to_shape(x.clone(), &shape) }).collect();
    let values = if len_of(&shape) <= KEPT && one_reverse_level(&inputs) {
        let outs = f.sizes().1;
        apply(Kept { f, shape }, &inputs).map(|mut values| {
            values.truncate(outs);
            values
        })
    } else {
        tangent(&f, 0, &shape, inputs)
    };
    match values {
        Ok(values) => values,
        Err(error) => panic!("{error}"),
    }
}
