//! Arrays of random numbers.
//!
//! Every function takes the generator; the same seed gives the same array at any number of threads. Up to 4096 numbers are drawn from the
//! generator itself, larger arrays in blocks of that size from generators that it seeds, so that blocks can be drawn in parallel.
//!
//! ```
//! use pullback::prelude::*;
//! use pullback::random;
//! use rand::{SeedableRng, rngs::StdRng};
//!
//! let mut rng = StdRng::seed_from_u64(1);
//! let x: Var<f64> = random::normal(&mut rng, &[3, 4]);
//! assert_eq!(x.shape(), &[3, 4]);
//! let mut again = StdRng::seed_from_u64(1);
//! assert_eq!(x.as_slice(), random::normal::<f64>(&mut again, &[3, 4]).as_slice());
//! ```
//!
//! Distributions with parameters are in [`distributions`](crate::distributions).

use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::kernels::parallel::collect;
use crate::scalar::{Real, Scalar, ScalarKind};
use crate::tensor::{Tensor, len_of};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_distr::{Exp1, StandardNormal};

/// Numbers drawn from one generator.
const BLOCK: usize = 4096;

/// `n` draws; `draw` is given the position. The blocks depend on n alone.
pub(crate) fn fill<T: Send>(rng: &mut dyn Rng, n: usize, draw: &(dyn Fn(&mut dyn Rng, usize) -> T + Sync)) -> Vec<T> {
    if n <= BLOCK {
        return (0..n).map(|i| draw(rng, i)).collect();
    }
    let seeds: Vec<[u8; 32]> = (0..n.div_ceil(BLOCK)).map(|_| rng.random()).collect();
    let blocks = collect(seeds.len(), |block| {
        let mut rng = StdRng::from_seed(seeds[block]);
        (block * BLOCK..n.min((block + 1) * BLOCK)).map(|i| draw(&mut rng, i)).collect::<Vec<T>>()
    });
    blocks.into_iter().flatten().collect()
}

fn array<T: Scalar>(rng: &mut dyn Rng, shape: &[usize], draw: &(dyn Fn(&mut dyn Rng) -> T + Sync)) -> Var<T> {
    Var::constant(Tensor::new(shape, fill(rng, len_of(shape), &|rng, _| draw(rng))))
}

pub(crate) fn standard_normal(rng: &mut dyn Rng) -> f64 {
    rng.sample(StandardNormal)
}

pub(crate) fn standard_exponential(rng: &mut dyn Rng) -> f64 {
    rng.sample(Exp1)
}

/// −ln E with E exponential: both tails to the full range, where −ln(−ln u) stops at u = 2⁻⁵³.
pub(crate) fn standard_gumbel(rng: &mut dyn Rng) -> f64 {
    -standard_exponential(rng).ln()
}

/// The difference of two Gumbel variables.
pub(crate) fn standard_logistic(rng: &mut dyn Rng) -> f64 {
    let (a, b) = (standard_exponential(rng), standard_exponential(rng));
    (a / b).ln()
}

/// Uniform in [0, 1), with the resolution of the type.
pub(crate) fn unit<T: Real>(rng: &mut dyn Rng) -> f64 {
    if T::KIND == ScalarKind::F32 { f64::from(rng.random::<f32>()) } else { rng.random::<f64>() }
}

/// Uniform in [0, 1).
pub fn uniform<T: Real>(rng: &mut dyn Rng, shape: &[usize]) -> Var<T> {
    array(rng, shape, &|rng| T::from_f64(unit::<T>(rng)))
}

/// Standard normal, of mean 0 and variance 1.
pub fn normal<T: Real>(rng: &mut dyn Rng, shape: &[usize]) -> Var<T> {
    array(rng, shape, &|rng| T::from_f64(standard_normal(rng)))
}

/// Standard complex normal (circular): E z = 0, E|z|² = 1, the parts independent with variance ½ each. For a real type the standard normal.
pub fn complex_normal<T: Scalar>(rng: &mut dyn Rng, shape: &[usize]) -> Var<T> {
    let scale = if T::IS_COMPLEX { std::f64::consts::FRAC_1_SQRT_2 } else { 1.0 };
    array(rng, shape, &move |rng| {
        let re = T::Real::from_f64(scale * standard_normal(rng));
        let im = if T::IS_COMPLEX { scale * standard_normal(rng) } else { 0.0 };
        T::from_parts(re, T::Real::from_f64(im))
    })
}

/// Standard exponential, of density e^{−x} for x ≥ 0.
pub fn exponential<T: Real>(rng: &mut dyn Rng, shape: &[usize]) -> Var<T> {
    array(rng, shape, &|rng| T::from_f64(standard_exponential(rng)))
}

/// Standard Gumbel, of cumulative distribution exp(−e^{−x}).
pub fn gumbel<T: Real>(rng: &mut dyn Rng, shape: &[usize]) -> Var<T> {
    array(rng, shape, &|rng| T::from_f64(standard_gumbel(rng)))
}

/// Standard logistic, of cumulative distribution 1/(1 + e^{−x}).
pub fn logistic<T: Real>(rng: &mut dyn Rng, shape: &[usize]) -> Var<T> {
    array(rng, shape, &|rng| T::from_f64(standard_logistic(rng)))
}

/// ±1 with probability ½ each.
pub fn rademacher<T: Scalar>(rng: &mut dyn Rng, shape: &[usize]) -> Var<T> {
    array(rng, shape, &|rng| if rng.random::<bool>() { T::one() } else { -T::one() })
}

/// The numbers 0 … n − 1 in random order, each order as probable as any other.
pub fn permutation(rng: &mut dyn Rng, n: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    order.shuffle(rng);
    order
}

/// `count` of the numbers 0 … n − 1, each as probable as any other: with replacement, or all different, in random order.
///
/// # Errors
/// [`Error::Argument`] for more different numbers than there are, or any of none.
pub fn choice(rng: &mut dyn Rng, n: usize, count: usize, replace: bool) -> Result<Vec<usize>> {
    if (n == 0 && count > 0) || (!replace && count > n) {
        let how = if replace { "with" } else { "without" };
        return Err(Error::argument("choice", format!("{count} of {n} numbers {how} replacement: there are not enough")));
    }
    if replace {
        return Ok(fill(rng, count, &|rng, _| rng.random_range(0..n)));
    }
    Ok(rand::seq::index::sample(rng, n, count).into_vec())
}

/// `count` of the positions of `weights` with replacement, each with a probability proportional to its weight.
///
/// # Errors
/// [`Error::Argument`] for weights that are negative, not finite, or all zero.
pub fn weighted_choice(rng: &mut dyn Rng, weights: &[f64], count: usize) -> Result<Vec<usize>> {
    if let Some(i) = weights.iter().position(|w| !(*w >= 0.0 && w.is_finite())) {
        let message = format!("weight {i} is {}: weights must be finite and at least 0", weights[i]);
        return Err(Error::argument("weighted_choice", message));
    }
    let mut total = 0.0;
    let cumulative: Vec<f64> = weights.iter().map(|w| (total += w, total).1).collect();
    let Some(last) = weights.iter().rposition(|w| *w > 0.0) else {
        return Err(Error::argument("weighted_choice", "all weights are 0: one must be positive"));
    };
    Ok(fill(rng, count, &|rng, _| {
        let u = rng.random::<f64>() * total;
        cumulative.partition_point(|c| *c <= u).min(last)
    }))
}
