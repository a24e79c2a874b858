//! What the integrators see: a field on flat vectors of real numbers, with its derivative products.

use crate::error::{Error, Result};
use std::sync::Arc;

/// A pullback of the field, recorded where its value was computed: the value need not be computed again.
pub(crate) trait Recorded: Send + Sync {
    /// As [`System::vjp`].
    fn pull(&self, lambda: &[f64], gy: &mut [f64], gp: &mut [f64]) -> Result<f64>;
}

/// What a stage may have kept.
pub(crate) type Record = Option<Arc<dyn Recorded>>;

/// ẏ = f(t, y; p) on n real numbers with P real parameters, all held by the implementor.
pub(crate) trait System: Sync {
    /// n
    fn dim(&self) -> usize;

    /// P
    fn params(&self) -> usize;

    /// f(t, y) into `out`.
    fn field(&self, t: f64, y: &[f64], out: &mut [f64]) -> Result<()>;

    /// For a covector λ: writes (∂f/∂y)ᵀλ into `gy`, adds (∂f/∂p)ᵀλ to `gp` (if it is not empty) and returns λ·∂f/∂t. f itself goes into
    /// `value` if that is asked for.
    fn vjp(&self, t: f64, y: &[f64], lambda: &[f64], value: Option<&mut [f64]>, gy: &mut [f64], gp: &mut [f64]) -> Result<f64>;

    /// Whether [`System::record`] keeps pullbacks.
    fn records(&self) -> bool {
        false
    }

    /// As [`System::field`], with the pullback if it pays to keep it; `params` says whether it needs ∂f/∂p.
    fn record(&self, t: f64, y: &[f64], params: bool, out: &mut [f64]) -> Result<Record> {
        let _ = params;
        self.field(t, y, out).map(|()| None)
    }

    /// (∂f/∂t) dt + (∂f/∂y) dy + (∂f/∂p) dp into `out`; an empty `dp` stands for zero.
    fn jvp(&self, t: f64, y: &[f64], dt: f64, dy: &[f64], dp: &[f64], out: &mut [f64]) -> Result<()>;

    /// How many of the first components f depends on implicitly; those after them are integrals of functions of the first. The Newton
    /// iteration of implicit methods runs on these alone.
    fn coupled(&self) -> usize {
        self.dim()
    }

    /// ∂f/∂y of the coupled components, row-major.
    fn jacobian(&self, t: f64, y: &[f64], out: &mut [f64]) -> Result<()> {
        let n = self.dim();
        let (mut e, mut column) = (vec![0.0; n], vec![0.0; n]);
        for j in 0..n {
            e[j] = 1.0;
            self.jvp(t, y, 0.0, &e, &[], &mut column)?;
            e[j] = 0.0;
            (0..n).for_each(|i| out[i * n + j] = column[i]);
        }
        Ok(())
    }

    /// Which number of the user's state the i-th component is.
    fn component(&self, i: usize) -> String;
}

/// What was computed, in a solve or in a sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Steps taken, those that checkpointing repeats included.
    pub steps: usize,
    /// Steps tried and given up.
    pub rejected: usize,
    /// Evaluations of the field.
    pub evaluations: usize,
    /// Products of its derivative with a vector or covector.
    pub products: usize,
    /// Jacobian matrices of implicit methods.
    pub jacobians: usize,
}

/// A system with its counters.
pub(crate) struct Counted<'a> {
    pub(crate) system: &'a dyn System,
    pub(crate) counts: Counts,
}

impl<'a> Counted<'a> {
    pub(crate) fn new(system: &'a dyn System) -> Self {
        Counted { system, counts: Counts::default() }
    }
    #[inline]
    pub(crate) fn field(&mut self, t: f64, y: &[f64], out: &mut [f64]) -> Result<()> {
        self.counts.evaluations += 1;
        self.system.field(t, y, out)
    }
    pub(crate) fn record(&mut self, t: f64, y: &[f64], params: bool, out: &mut [f64]) -> Result<Record> {
        self.counts.evaluations += 1;
        self.system.record(t, y, params, out)
    }
    #[inline]
    pub(crate) fn vjp(&mut self, t: f64, y: &[f64], lambda: &[f64], gy: &mut [f64], gp: &mut [f64]) -> Result<f64> {
        self.counts.products += 1;
        self.system.vjp(t, y, lambda, None, gy, gp)
    }
    #[inline]
    pub(crate) fn jvp(&mut self, t: f64, y: &[f64], dt: f64, dy: &[f64], dp: &[f64], out: &mut [f64]) -> Result<()> {
        self.counts.products += 1;
        self.system.jvp(t, y, dt, dy, dp, out)
    }
    pub(crate) fn jacobian(&mut self, t: f64, y: &[f64], out: &mut [f64]) -> Result<()> {
        self.counts.jacobians += 1;
        self.system.jacobian(t, y, out)
    }

    /// The error for a field with a NaN or an infinity at time t, if it has one.
    pub(crate) fn check(&self, t: f64, k: &[f64]) -> Result<()> {
        match k.iter().position(|k| !k.is_finite()) {
            None => Ok(()),
            Some(i) => Err(Error::non_finite("odeint", format!("the field is {} at t = {t} in {}", k[i], self.system.component(i)))),
        }
    }
}

#[inline]
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// y += a x
#[inline]
pub(crate) fn axpy(a: f64, x: &[f64], y: &mut [f64]) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y += a * x);
}

/// out = y + h Σ_j w_j k_j, for stages k one after the other. States of up to four numbers have loops of constant length: in a small system
/// this is where the time goes.
#[inline]
pub(crate) fn gather(weights: &[f64], k: &[f64], h: f64, y: &[f64], out: &mut [f64]) {
    #[inline(always)]
    fn fixed<const N: usize>(weights: &[f64], k: &[f64], h: f64, y: &[f64], out: &mut [f64]) {
        let mut sum = [0.0; N];
        for (w, k) in weights.iter().zip(k.chunks_exact(N)) {
            (0..N).for_each(|c| sum[c] += w * k[c]);
        }
        out.iter_mut().zip(y).zip(sum).for_each(|((out, y), sum)| *out = y + h * sum);
    }
    match y.len() {
        1 => fixed::<1>(weights, k, h, y, out),
        2 => fixed::<2>(weights, k, h, y, out),
        3 => fixed::<3>(weights, k, h, y, out),
        4 => fixed::<4>(weights, k, h, y, out),
        n => {
            out.copy_from_slice(y);
            for (w, k) in weights.iter().zip(k.chunks_exact(n)).filter(|(w, _)| **w != 0.0) {
                axpy(h * w, k, out);
            }
        }
    }
}

/// k_j += h w_j u for all stages: the transpose of [`gather`].
#[inline]
pub(crate) fn scatter(weights: &[f64], h: f64, u: &[f64], k: &mut [f64]) {
    #[inline(always)]
    fn fixed<const N: usize>(weights: &[f64], h: f64, u: &[f64], k: &mut [f64]) {
        let u: [f64; N] = std::array::from_fn(|c| h * u[c]);
        for (w, k) in weights.iter().zip(k.chunks_exact_mut(N)) {
            (0..N).for_each(|c| k[c] += w * u[c]);
        }
    }
    match u.len() {
        1 => fixed::<1>(weights, h, u, k),
        2 => fixed::<2>(weights, h, u, k),
        3 => fixed::<3>(weights, h, u, k),
        4 => fixed::<4>(weights, h, u, k),
        n => {
            for (w, k) in weights.iter().zip(k.chunks_exact_mut(n)).filter(|(w, _)| **w != 0.0) {
                axpy(h * w, u, k);
            }
        }
    }
}
