//! All layers of a perceptron as one operation, for one backward sweep and none: between layers rows stay in a cache.
//!
//! The rule is that of the layers one by one (see `dense.rs`), and it is what a cotangent that is itself recorded goes through.

use super::activation::Activation;
use super::dense::pull;
use crate::autodiff::layer::one_reverse_level;
use crate::kernels::elementwise::Unary;
use crate::kernels::perceptron::{self as kernel, Layer, ROWS};
use crate::{Primitive, Result, Scalar, Var, apply};
use std::marker::PhantomData;

/// [x, W₁, b₁, …, W_L, b_L] → [y, h₁, …, h_{L−1}]; the hidden layers are for its own pullback.
struct Perceptron<T> {
    activation: Activation,
    f: Unary,
    scalar: PhantomData<fn(T)>,
}

fn layers<'a, T: Scalar>(inputs: &'a [Var<T>], biases: bool) -> Vec<Layer<'a, T>> {
    let layer = |l: &'a [Var<T>]| Layer {
        inputs: l[0].shape()[0],
        outputs: l[0].shape()[1],
        weight: l[0].as_slice(),
        bias: if biases { l[1].as_slice() } else { &[] },
    };
    inputs[1..].chunks_exact(2).map(layer).collect()
}

/// The value, and with `keep` the hidden layers.
fn value<T: Scalar>(f: Unary, inputs: &[Var<T>], keep: bool) -> Result<Vec<Var<T>>> {
    let (y, hidden) = kernel::forward(&layers(inputs, true), f, inputs[0].as_slice(), keep);
    let lead = &inputs[0].shape()[..inputs[0].ndim() - 1];
    let array = |width: usize, values| Var::from_shape_vec(&[lead, &[width]].concat(), values);
    let widths = inputs[2..].iter().step_by(2).map(Var::len);
    std::iter::once(array(inputs[inputs.len() - 1].len(), y)).chain(widths.zip(hidden).map(|(width, h)| array(width, h))).collect()
}

impl<T: Scalar> Primitive for Perceptron<T> {
    type Inputs = Vec<Var<T>>;
    type Outputs = Vec<Var<T>>;
    fn name(&self) -> &'static str {
        "perceptron"
    }
    fn forward(&self, inputs: &Vec<Var<T>>) -> Result<Vec<Var<T>>> {
        value(self.f, inputs, true)
    }
    fn vjp(&self, inputs: &Vec<Var<T>>, outputs: &Vec<Var<T>>, g: Vec<Option<Var<T>>>, needs: &[bool]) -> Result<Vec<Option<Var<T>>>> {
        let mut out = vec![None; inputs.len()];
        let (Some(mut g), hidden) = (g.into_iter().next().flatten(), &outputs[1..]) else { return Ok(out) };
        if g.is_constant() && g.ndim() == outputs[0].ndim() {
            let kept: Vec<&[T]> = hidden.iter().map(Var::as_slice).collect();
            let of = (needs[0], needs[1..].contains(&true));
            let found = kernel::backward(&layers(inputs, false), self.f, inputs[0].as_slice(), &kept, g.as_slice(), of);
            let parts = found.layers.into_iter().flat_map(|(weight, bias)| [weight, bias]);
            for (i, values) in found.x.into_iter().map(|x| (0, x)).chain((1..).zip(parts)).filter(|(i, _)| needs[*i]) {
                out[i] = Some(Var::from_shape_vec(inputs[i].shape(), values)?);
            }
            return Ok(out);
        }
        for l in (0..=hidden.len()).rev() {
            let x = if l == 0 { &inputs[0] } else { &hidden[l - 1] };
            let (y, f) = if l == hidden.len() { (&outputs[0], Activation::Identity) } else { (&hidden[l], self.activation) };
            let asked = [l > 0 || needs[0], needs[2 * l + 1], needs[2 * l + 2]];
            let [gx, gw, gb] = pull(f, (x, &inputs[2 * l + 1]), y, g, asked)?;
            (out[2 * l + 1], out[2 * l + 2]) = (gw, gb);
            match gx {
                Some(gx) if l > 0 => g = gx,
                gx => {
                    out[0] = gx;
                    break;
                }
            }
        }
        Ok(out)
    }
    fn stacks(&self) -> bool {
        true
    }
    fn keeps_input(&self, i: usize) -> bool {
        i == 0 || i % 2 == 1
    }
    fn keeps_output(&self, i: usize) -> bool {
        i > 0
    }
}

/// Multiply-adds that one thread does sooner than two would meet.
const SMALL: usize = 1 << 21;

/// The perceptron's value as one operation, from [x, W₁, b₁, …, W_L, b_L]; `None` where the layers one by one serve better: another
/// activation, other than one level of differentiation, fewer rows than threads could share, or shapes that do not fit.
pub(super) fn perceptron<T: Scalar>(inputs: Vec<Var<T>>, activation: Activation) -> Option<Var<T>> {
    let f = activation.kernel().filter(|f| activation.by_output() && kernel::supports(*f) && !T::IS_COMPLEX)?;
    let mut width = *inputs[0].shape().last()?;
    let rows = inputs[0].len() / width.max(1);
    let mut work = 0;
    for layer in inputs[1..].chunks_exact(2) {
        let &[k, n] = layer[0].shape() else { return None };
        if k != width || n == 0 || *layer[1].shape() != [n] {
            return None;
        }
        (width, work) = (n, work + rows * k * n);
    }
    if width == 0 || rows < 2 * ROWS && work > SMALL {
        return None;
    }
    let y = if inputs.iter().all(Var::is_constant) {
        value(f, &inputs, false)
    } else if one_reverse_level(&inputs) {
        apply(Perceptron { activation, f, scalar: PhantomData }, &inputs)
    } else {
        return None;
    };
    Some(y.unwrap_or_else(|e| panic!("{e}")).swap_remove(0))
}
