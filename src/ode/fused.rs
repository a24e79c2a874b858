//! Fields of small systems as scalar functions: no array is made in a stage, and derivatives come from dual numbers.

use super::primitive::{Field, Model};
use super::system::System;
use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::scalar::{Dual, Num, Number, ScalarFn};

/// (t?, y₁ … y_OUT, p₁ … p_P) ↦ ẏ₁ … ẏ_OUT as a model.
pub(crate) struct Fused<F, const IN: usize, const OUT: usize>(pub(crate) F);

impl<F: ScalarFn<IN, OUT>, const IN: usize, const OUT: usize> Model<Var<f64>, Var<f64>> for Fused<F, IN, OUT> {
    fn system<'a>(&'a self, like: &Var<f64>, params: &Var<f64>) -> Result<Box<dyn System + 'a>> {
        let p = params.len();
        if like.ndim() == 0 || like.shape()[like.ndim() - 1] != OUT {
            return Err(Error::shape(
                "odeint_fused",
                format!("the field has {OUT} components, the state has shape {:?}: its last axis must be they", like.shape()),
            ));
        }
        if IN != OUT + p && IN != OUT + p + 1 {
            return Err(Error::shape(
                "odeint_fused",
                format!(
                    "the field takes {IN} numbers; {OUT} components and {p} parameters (of shape {:?}) make {}, or {} with the time in front",
                    params.shape(),
                    OUT + p,
                    OUT + p + 1
                ),
            ));
        }
        let mut numbers = [0.0; IN];
        numbers[IN - p..].copy_from_slice(params.as_slice());
        Ok(Box::new(FusedSystem::<F, IN, OUT> { f: &self.0, numbers, p, shape: like.shape().to_vec(), rows: like.len() / OUT }))
    }
    fn field(&self) -> Option<&Field<Var<f64>, Var<f64>>> {
        None
    }
}

struct FusedSystem<'a, F, const IN: usize, const OUT: usize> {
    f: &'a F,
    /// The arguments, with the parameters in their place.
    numbers: [f64; IN],
    p: usize,
    shape: Vec<usize>,
    rows: usize,
}

impl<F: ScalarFn<IN, OUT>, const IN: usize, const OUT: usize> FusedSystem<'_, F, IN, OUT> {
    /// 1 if the time is the first argument.
    #[inline]
    fn timed(&self) -> usize {
        IN - OUT - self.p
    }

    #[inline]
    fn arguments(&self, t: f64, y: &[f64]) -> [f64; IN] {
        let mut x = self.numbers;
        let timed = self.timed();
        if timed == 1 {
            x[0] = t;
        }
        x[timed..timed + OUT].copy_from_slice(y);
        x
    }

    /// The field at numbers with derivatives. Written without maps over arrays, which would copy them: half the time of a small field.
    #[inline(always)]
    fn at<S: Number>(&self, number: impl Fn(usize) -> S) -> [Num<S>; OUT] {
        let mut x = [Num(S::constant(0.0)); IN];
        x.iter_mut().enumerate().for_each(|(i, x)| *x = Num(number(i)));
        self.f.call(x)
    }
}

impl<F: ScalarFn<IN, OUT>, const IN: usize, const OUT: usize> System for FusedSystem<'_, F, IN, OUT> {
    fn dim(&self) -> usize {
        OUT * self.rows
    }
    fn params(&self) -> usize {
        self.p
    }
    fn field(&self, t: f64, y: &[f64], out: &mut [f64]) -> Result<()> {
        for (y, out) in y.chunks_exact(OUT).zip(out.chunks_exact_mut(OUT)) {
            let x = self.arguments(t, y);
            out.iter_mut().zip(self.at(|i| x[i])).for_each(|(out, f)| *out = f.0);
        }
        Ok(())
    }
    fn vjp(&self, t: f64, y: &[f64], lambda: &[f64], value: Option<&mut [f64]>, gy: &mut [f64], gp: &mut [f64]) -> Result<f64> {
        let timed = self.timed();
        let mut slope = 0.0;
        let mut value = value;
        for (row, (y, lambda)) in y.chunks_exact(OUT).zip(lambda.chunks_exact(OUT)).enumerate() {
            let x = self.arguments(t, y);
            let out = self.at(|i| Dual::<f64, IN>::variable(x[i], i));
            let mut sum = [0.0; IN];
            for (out, lambda) in out.iter().zip(lambda) {
                sum.iter_mut().zip(&out.0.partials).for_each(|(sum, d)| *sum += lambda * d);
            }
            if timed == 1 {
                slope += sum[0];
            }
            gy[row * OUT..(row + 1) * OUT].copy_from_slice(&sum[timed..timed + OUT]);
            gp.iter_mut().zip(&sum[timed + OUT..]).for_each(|(g, s)| *g += s);
            if let Some(value) = value.as_deref_mut() {
                value[row * OUT..(row + 1) * OUT].iter_mut().zip(&out).for_each(|(v, out)| *v = out.0.value);
            }
        }
        Ok(slope)
    }
    fn jvp(&self, t: f64, y: &[f64], dt: f64, dy: &[f64], dp: &[f64], out: &mut [f64]) -> Result<()> {
        let timed = self.timed();
        for (row, y) in y.chunks_exact(OUT).enumerate() {
            let mut along = [0.0; IN];
            if timed == 1 {
                along[0] = dt;
            }
            along[timed..timed + OUT].copy_from_slice(&dy[row * OUT..(row + 1) * OUT]);
            along[timed + OUT..].iter_mut().zip(dp).for_each(|(a, d)| *a = *d);
            let x = self.arguments(t, y);
            let found = self.at(|i| Dual::new(x[i], [along[i]]));
            out[row * OUT..(row + 1) * OUT].iter_mut().zip(&found).for_each(|(o, f)| *o = f.0.partials[0]);
        }
        Ok(())
    }
    fn component(&self, i: usize) -> String {
        let (mut flat, mut place) = (i, vec![0; self.shape.len()]);
        for (place, &length) in place.iter_mut().zip(&self.shape).rev() {
            *place = flat % length;
            flat /= length;
        }
        format!("component {place:?}")
    }
}
