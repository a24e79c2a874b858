//! A function of one sample over a leading axis of samples, in parallel, with a deterministic order of summation.

use super::accumulate::accumulate;
use super::primitive::{Primitive, apply};
use super::reverse::{value_and_grad, vjp};
use super::stacking::{leading, stack, unstack};
use super::tree::{AnyVar, Loss, Returns, Tree, Vars, fill, instantiate, leaves};
use crate::error::{Error, Result};
use crate::kernels::parallel::collect;
use std::marker::PhantomData;

/// Samples whose gradients are added one after the other; the sums are then added in order, so that the number of threads has no part in
/// the rounding.
const GROUP: usize = 8;

struct Vmap<P, A, Y, F> {
    f: F,
    types: PhantomData<fn(P, A) -> Y>,
}

fn constant<A: Tree>(tree: &A) -> bool {
    let mut constant = true;
    tree.visit(&mut |v| constant &= v.level() == 0);
    constant
}

/// One result per item; in parallel, unless a surrounding transform records, whose order of operations is then that of the items.
fn each<A: Sync, B: Send>(items: &[A], parallel: bool, f: impl Fn(&A) -> Result<B> + Sync) -> Result<Vec<B>> {
    if parallel { collect(items.len(), |i| f(&items[i])).into_iter().collect() } else { items.iter().map(f).collect() }
}

/// Σ over structures of equal shapes, from the first on.
fn sum<A: Tree>(terms: impl IntoIterator<Item = A>) -> Option<A> {
    let mut terms = terms.into_iter();
    let first = terms.next()?;
    let mut total: Vec<Option<AnyVar>> = leaves(&first).into_iter().map(Some).collect();
    // only the structure is needed from here on: the sums are alone with their numbers, and addition works in place
    let like = first.rebuild(&mut |v| v.absent());
    drop(first);
    for term in terms {
        for (total, x) in total.iter_mut().zip(leaves(&term)) {
            *total = total.take().map(|sum| accumulate(sum, x));
        }
    }
    Some(fill(&like, &mut |i| total[i].take()))
}

impl<P: Tree, A: Tree, Y: Tree, F: Fn(&P, &A) -> Result<Y> + Send + Sync + 'static> Primitive for Vmap<P, A, Y, F> {
    type Inputs = (P, A);
    type Outputs = Y;
    fn name(&self) -> &'static str {
        "vmap"
    }
    fn forward(&self, (params, xs): &(P, A)) -> Result<Y> {
        stack(each(&samples("vmap", xs)?, true, |x| (self.f)(params, x))?)
    }
    fn vjp(&self, inputs: &(P, A), outputs: &Y, cotangents: Y::Partial, _: &[bool]) -> Result<<(P, A) as Tree>::Partial> {
        let cotangents = instantiate(outputs, cotangents);
        let parallel = constant(inputs) && constant(&cotangents);
        let (params, xs) = inputs;
        let xs = samples("vmap", xs)?;
        let pairs: Vec<_> = xs.iter().zip(unstack(&cotangents, xs.len())?).collect();
        let groups: Vec<_> = pairs.chunks(GROUP).collect();
        let pulled = each(&groups, parallel, |group| {
            let one = |(x, g): &(&A, Y)| {
                let (_, pull) = vjp(|(p, x): &(P, A)| (self.f)(p, x), &Vars((params.clone(), (*x).clone())))?;
                pull.call_vars(g)
            };
            let (gp, gx): (Vec<P>, Vec<A>) = group.iter().map(one).collect::<Result<Vec<_>>>()?.into_iter().unzip();
            Ok((sum(gp).expect("a group is not empty"), gx))
        })?;
        let (gp, gx): (Vec<P>, Vec<Vec<A>>) = pulled.into_iter().unzip();
        let pulled = (sum(gp).expect("there is a sample"), stack(gx.into_iter().flatten().collect())?);
        let mut parts = leaves(&pulled).into_iter();
        Ok(inputs.partial(&mut |_| parts.next()))
    }
    fn jvp(&self, inputs: &(P, A), _: &Y, tangents: &(P, A)) -> Result<Y> {
        let parallel = constant(inputs) && constant(tangents);
        let ((params, xs), (dp, dxs)) = (inputs, tangents);
        let pairs: Vec<_> = samples("vmap", xs)?.into_iter().zip(samples("vmap", dxs)?).collect();
        stack(each(&pairs, parallel, |(x, dx)| {
            let (at, along) = (Vars((params.clone(), x.clone())), Vars((dp.clone(), dx.clone())));
            Ok(super::forward::jvp(|(p, x): &(P, A)| (self.f)(p, x), &at, &along)?.1)
        })?)
    }
    fn keeps_output(&self, _: usize) -> bool {
        false
    }
}

fn samples<A: Tree>(operation: &'static str, xs: &A) -> Result<Vec<A>> {
    match leading(operation, xs)? {
        Some(0) => Err(Error::argument(operation, "there are no samples, and nothing tells the shapes of the results")),
        Some(n) => unstack(xs, n),
        None => Err(Error::argument(operation, "there are no arrays to take samples from")),
    }
}

/// f of every row of the leading axis, in parallel; the results stacked along a new leading axis.
///
/// `x` is any structure of arrays with leading axes of one length; `f` sees them without it. Differentiates in both modes to any order (a
/// backward sweep runs `f` again, sample by sample). `f` takes everything it differentiates through as its argument; shared parameters go
/// through [`vmap_with`].
///
/// ```
/// use pullback::prelude::*;
/// let x = ndarray::array![[1.0, 2.0], [3.0, 4.0]];
/// let norms = |x: &Var<f64>| vmap(|x: &Var<f64>| x.square().sum().sqrt(), x);
/// assert_eq!(norms(&Var::from(&x))?.as_slice(), &[5f64.sqrt(), 5.0]);
/// let g = grad(|x: &Var<f64>| Ok::<_, pullback::Error>(norms(x)?.sum()), &x)?;
/// assert!((g[[1, 0]] - 0.6).abs() < 1e-15);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// Those of `f`; leading axes that differ or are empty; results whose shapes differ from sample to sample; a captured variable of a
/// surrounding transform.
pub fn vmap<A, F, R>(f: F, x: &A) -> Result<R::Vars>
where
    A: Tree,
    F: Fn(&A) -> R + Send + Sync + 'static,
    R: Returns,
{
    vmap_with(move |_: &(), x: &A| f(x), &(), x)
}

/// As [`vmap`] for a function of shared parameters and a sample. Gradients of the parameters are summed over the samples in an order that
/// does not depend on the number of threads.
///
/// # Errors
/// As [`vmap`].
pub fn vmap_with<P, A, F, R>(f: F, params: &P, x: &A) -> Result<R::Vars>
where
    P: Tree,
    A: Tree,
    F: Fn(&P, &A) -> R + Send + Sync + 'static,
    R: Returns,
{
    let run = move |params: &P, x: &A| f(params, x).into_result();
    apply(Vmap { f: run, types: PhantomData }, &(params.clone(), x.clone()))
}

/// Σ over samples of a loss, and its gradient by the parameters, with one sample's record in memory per thread.
///
/// `loss(params, sample)` is called for every row of the leading axis of `samples`, in parallel; sums run in an order that does not depend
/// on the number of threads.
///
/// ```
/// use pullback::prelude::*;
/// // Σ_i (w x_i − y_i)²
/// let data = (Var::from([1.0, 2.0, 3.0]), Var::from([2.0, 4.0, 7.0]));
/// let loss = |w: &Var<f64>, (x, y): &(Var<f64>, Var<f64>)| (w * x - y).square();
/// let (value, dw) = sum_value_and_grad(loss, &Var::scalar(2.0), &data)?;
/// assert_eq!((value.item(), dw.item()), (1.0, -6.0));
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// As [`value_and_grad`], and leading axes that differ or are empty.
pub fn sum_value_and_grad<P, A, F, R>(loss: F, params: &P, x: &A) -> Result<(R::Vars, P)>
where
    P: Tree,
    A: Tree,
    F: Fn(&P, &A) -> R + Sync,
    R: Returns,
    R::Vars: Loss,
{
    let parallel = constant(params) && constant(x);
    let samples = samples("sum_value_and_grad", x)?;
    let groups: Vec<_> = samples.chunks(GROUP).collect();
    let sums = each(&groups, parallel, |group| {
        let one = |x: &A| {
            let (value, Vars(g)) = value_and_grad(|p: &P| loss(p, x), &Vars(params.clone()))?;
            Ok((value, g))
        };
        Ok(sum(group.iter().map(one).collect::<Result<Vec<_>>>()?).expect("a group is not empty"))
    })?;
    Ok(sum(sums).expect("there is a sample"))
}

/// The gradient of a loss by the parameters for every sample, stacked along a new leading axis.
///
/// `loss(params, sample)` is called for every row of the leading axis of `samples`, in parallel.
///
/// ```
/// use pullback::prelude::*;
/// let x = Var::from([1.0, 2.0, 3.0]);
/// let g = per_sample_grad(|w: &Var<f64>, x: &Var<f64>| (w * x).square(), &Var::scalar(0.5), &x)?;
/// assert_eq!(g.as_slice(), &[1.0, 4.0, 9.0]);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// As [`value_and_grad`], and leading axes that differ or are empty.
pub fn per_sample_grad<P, A, F, R>(loss: F, params: &P, x: &A) -> Result<P>
where
    P: Tree,
    A: Tree,
    F: Fn(&P, &A) -> R + Sync,
    R: Returns,
    R::Vars: Loss,
{
    let parallel = constant(params) && constant(x);
    stack(each(&samples("per_sample_grad", x)?, parallel, |x| Ok(value_and_grad(|p: &P| loss(p, x), &Vars(params.clone()))?.1.0))?)
}
