//! y = f(x W + b): linear map, bias and activation as one operation.
//!
//! The product accumulates onto the bias and f is applied in place, so only y is stored. With f′ from y, δ = f′(y) ⊙ ȳ, and
//! x̄ = δ W†, W̄ = x† δ, b̄ = Σ δ over the leading axes; ẏ = f′(y) ⊙ (ẋ W + x Ẇ + ḃ).

use super::activation::Activation;
use crate::kernels::elementwise::unary_inplace;
use crate::kernels::gemm::{Gemm, Matrix, gemm, gemm_into};
use crate::kernels::pool;
use crate::ops::{einsum, tensordot};
use crate::{Primitive, Result, Scalar, Var, apply};
use std::marker::PhantomData;

/// [x, W] or [x, W, b] → f(x W + b), with an activation that is `by_output`.
struct Dense<T> {
    activation: Activation,
    scalar: PhantomData<fn(T)>,
}

/// The matrix of rows that an array of vectors is, behind the first `lead` axes.
fn rows<T: Scalar>(v: &Var<T>, lead: usize) -> Var<T> {
    let last = v.ndim() - 1;
    v.reshape(&[&v.shape()[..lead], &[v.shape()[lead..last].iter().product(), v.shape()[last]]].concat())
}

/// [x̄, W̄, b̄] where needed, from ȳ or a stack of them.
pub(super) fn pull<T: Scalar>(
    activation: Activation,
    (x, w): (&Var<T>, &Var<T>),
    y: &Var<T>,
    g: Var<T>,
    needs: [bool; 3],
) -> Result<[Option<Var<T>>; 3]> {
    let lead = g.ndim() - y.ndim();
    let delta = activation.slope(y, g, true);
    let gx = needs[0].then(|| tensordot(&delta, &w.conj(), (&[-1], &[1])));
    let delta = rows(&delta, lead);
    let x = || rows(x, 0).conj();
    let gw = match (needs[1], lead) {
        (false, _) => None,
        (true, 0) => Some(tensordot(&x(), &delta, (&[0], &[0]))),
        (true, _) => Some(einsum("mk,smn->skn", &[&x(), &delta])?),
    };
    Ok([gx, gw, needs[2].then(|| delta.sum_axis(-2))])
}

impl<T: Scalar> Primitive for Dense<T> {
    type Inputs = Vec<Var<T>>;
    type Outputs = Var<T>;
    fn name(&self) -> &'static str {
        "dense layer"
    }
    fn forward(&self, inputs: &Vec<Var<T>>) -> Result<Var<T>> {
        let (x, w) = (&inputs[0], &inputs[1]);
        let (k, n) = (w.shape()[0], w.shape()[1]);
        let m: usize = x.shape()[..x.ndim() - 1].iter().product();
        let (a, b) = (Matrix::row_major(x.as_slice(), k), Matrix::row_major(w.as_slice(), n));
        let spec = Gemm { batch: 1, m, k, n, alpha: T::one(), a, b };
        let mut y = match inputs.get(2) {
            None => gemm(&spec),
            Some(bias) => {
                let mut y = pool::take(m * n);
                (0..m).for_each(|_| y.extend_from_slice(bias.as_slice()));
                gemm_into(&spec, T::one(), &mut y);
                y
            }
        };
        if let Some(op) = self.activation.kernel() {
            unary_inplace(op, &mut y);
        }
        let mut shape = x.shape().to_vec();
        *shape.last_mut().expect("at least one axis") = n;
        Var::from_shape_vec(&shape, y)
    }
    fn vjp(&self, inputs: &Vec<Var<T>>, y: &Var<T>, g: Option<Var<T>>, needs: &[bool]) -> Result<Vec<Option<Var<T>>>> {
        let Some(g) = g else { return Ok(vec![None; inputs.len()]) };
        let needs = [needs[0], needs[1], needs.get(2).is_some_and(|b| *b)];
        let pulled = pull(self.activation, (&inputs[0], &inputs[1]), y, g, needs)?;
        Ok(pulled.into_iter().take(inputs.len()).collect())
    }
    fn stacks(&self) -> bool {
        true
    }
    fn jvp(&self, inputs: &Vec<Var<T>>, y: &Var<T>, tangents: &Vec<Var<T>>) -> Result<Var<T>> {
        let dz = tangents[0].matmul(&inputs[1]) + inputs[0].matmul(&tangents[1]);
        let dz = if let Some(db) = tangents.get(2) { dz + db } else { dz };
        Ok(self.activation.slope(y, dz, false))
    }
    fn keeps_input(&self, i: usize) -> bool {
        i < 2
    }
    fn keeps_output(&self, _: usize) -> bool {
        self.activation != Activation::Identity
    }
}

/// f(x W + b) for x of shape (…, k), W of shape (k, n) and b of shape (n).
///
/// # Panics
/// If the shapes do not fit, or f is not a function of this scalar type.
#[track_caller]
pub(super) fn dense<T: Scalar>(x: &Var<T>, w: &Var<T>, b: Option<&Var<T>>, activation: Activation) -> Var<T> {
    let fits = x.ndim() > 0 && w.ndim() == 2 && x.shape()[x.ndim() - 1] == w.shape()[0] && b.is_none_or(|b| b.shape() == &w.shape()[1..]);
    assert!(
        fits,
        "dense layer: x of shape {:?}, weight {:?}, bias {:?}: they must be (…, k), (k, n) and (n)",
        x.shape(),
        w.shape(),
        b.map(|b| b.shape())
    );
    let inputs: Vec<Var<T>> = [x, w].into_iter().chain(b).cloned().collect();
    activation.fused(|inner| apply(Dense { activation: inner, scalar: PhantomData }, &inputs))
}
