//! Einstein summation over any number of arrays, contracted pairwise along a good tree.
//!
//! An expression is parsed, its tree found and the axis orders of all intermediates chosen once for given shapes; the result is kept in a
//! bounded cache. Derivatives go along the tree: the pullback of a pairwise contraction is a contraction again.

pub(crate) mod contract;
pub(crate) mod diagonal;
mod order;
mod parse;
mod plan;

use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::tensor::Shape;
use parse::Terms;
use plan::Plan;
use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher};
use std::sync::{Arc, Mutex, OnceLock};

/// The order in which a network is contracted, and what it costs.
#[derive(Clone, Debug, PartialEq)]
pub struct ContractionOrder {
    /// Pairs of positions in the list of arrays: both are removed from it and their contraction is appended at its end.
    pub pairs: Vec<(usize, usize)>,
    /// Multiplications and additions.
    pub flops: f64,
    /// Elements of the largest intermediate (or of the result).
    pub largest: f64,
}

/// An expression at given shapes, ready to be run again and again.
///
/// ```
/// use pullback::prelude::*;
/// use pullback::ops::Einsum;
/// let e = Einsum::new("ij,jk,kl->il", &[&[2, 3], &[3, 4], &[4, 5]])?;
/// assert_eq!(e.order().flops, 2.0 * (2 * 3 * 4 + 2 * 4 * 5) as f64);
/// let a = Var::from(ndarray::Array2::<f64>::ones((2, 3)));
/// let b = Var::from(ndarray::Array2::<f64>::ones((3, 4)));
/// let c = Var::from(ndarray::Array2::<f64>::ones((4, 5)));
/// assert_eq!(e.contract(&[&a, &b, &c])?.as_slice()[0], 12.0);
/// # Ok::<(), Error>(())
/// ```
pub struct Einsum {
    name: String,
    terms: Terms,
    plan: OnceLock<Arc<Plan>>,
}

impl Einsum {
    /// Parses an expression as [`einsum`] does.
    ///
    /// # Errors
    /// As [`einsum`].
    pub fn new(expression: &str, shapes: &[&[usize]]) -> Result<Einsum> {
        Ok(Einsum { name: format!("\"{expression}\""), terms: parse::parse(expression, shapes)?, plan: OnceLock::new() })
    }

    /// As [`Einsum::new`] with integers for indices.
    ///
    /// # Errors
    /// As [`einsum_labels`].
    pub fn from_labels(inputs: &[&[usize]], output: &[usize], shapes: &[&[usize]]) -> Result<Einsum> {
        let terms = parse::from_labels(inputs, output, shapes)?;
        Ok(Einsum { name: notation(inputs, output), terms, plan: OnceLock::new() })
    }

    /// Contracts in this order instead of one of its own: pairs of positions in the list of arrays; both are removed from it and their
    /// contraction is appended at its end (the convention of numpy's and opt_einsum's paths).
    ///
    /// # Errors
    /// If a position is not in the list, or more or less than one array is left.
    pub fn with_order(self, pairs: &[(usize, usize)]) -> Result<Einsum> {
        let n = self.terms.inputs.len();
        let mut left: Vec<usize> = (0..n).collect();
        let mut order = Vec::with_capacity(n.saturating_sub(1));
        for (t, &(i, j)) in pairs.iter().enumerate() {
            if i == j || i >= left.len() || j >= left.len() {
                let message = format!("{}: step {t} of the order contracts ({i}, {j}) of {} arrays", self.name, left.len());
                return Err(Error::argument("einsum", message));
            }
            let (late, early) = (left.remove(i.max(j)), left.remove(i.min(j)));
            order.push((early, late));
            left.push(n + t);
        }
        if left.len() != 1 {
            return Err(Error::argument("einsum", format!("{}: the order leaves {} arrays, it must leave one", self.name, left.len())));
        }
        let plan = Arc::new(Plan::new(&self.terms, Some(order)));
        Ok(Einsum { plan: OnceLock::from(plan), ..self })
    }

    fn plan(&self) -> &Arc<Plan> {
        self.plan.get_or_init(|| Arc::new(Plan::new(&self.terms, None)))
    }

    /// The order of the pairwise contractions.
    pub fn order(&self) -> ContractionOrder {
        let plan = self.plan();
        let mut left: Vec<usize> = (0..self.terms.inputs.len()).collect();
        let mut pairs = Vec::with_capacity(plan.order.len());
        for (t, &(a, b)) in plan.order.iter().enumerate() {
            let remove = |node: usize| left.iter().position(|&l| l == node).expect("still there");
            let (i, j) = (remove(a), remove(b));
            pairs.push((i.min(j), i.max(j)));
            left.remove(i.max(j));
            left.remove(i.min(j));
            left.push(self.terms.inputs.len() + t);
        }
        ContractionOrder { pairs, flops: plan.flops, largest: plan.largest }
    }

    /// The value for these arrays.
    ///
    /// # Errors
    /// If their shapes are not those that the expression was made for.
    pub fn contract<T: Scalar>(&self, operands: &[&Var<T>]) -> Result<Var<T>> {
        if !plan::fits(&self.terms.shapes, operands) {
            let found: Vec<&[usize]> = operands.iter().map(|x| x.shape()).collect();
            return Err(Error::shape("einsum", format!("{}: made for shapes {:?}, got {found:?}", self.name, self.terms.shapes)));
        }
        Ok(self.plan().run(operands))
    }
}

/// The integer form of an expression, for messages; long ones are cut.
fn notation(inputs: &[&[usize]], output: &[usize]) -> String {
    let mut text = String::new();
    for (k, labels) in inputs.iter().enumerate() {
        if text.len() > 200 {
            text.push_str(" …");
            break;
        }
        text.push_str(&format!("{}{labels:?}", if k > 0 { ", " } else { "" }));
    }
    text + &format!(" -> {output:?}")
}

/// A multiplicative hash of words: keys are short and looked up by equality as well.
#[derive(Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|w| self.write_u64(u64::from_le_bytes(*w)));
        rest.iter().for_each(|&b| self.write_u64(b.into()));
    }
    fn write_u64(&mut self, x: u64) {
        self.0 = (self.0.rotate_left(5) ^ x).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
    fn write_usize(&mut self, x: usize) {
        self.write_u64(x as u64)
    }
    fn write_u8(&mut self, x: u8) {
        self.write_u64(x.into())
    }
}

/// What a cached plan was made for.
#[derive(PartialEq)]
enum Key {
    Text(String, Vec<Shape>),
    Labels(Vec<Vec<usize>>, Vec<usize>, Vec<Shape>),
}

/// Plans by the hash of what they were made for; when it is full, what was not used since the last clearing goes.
#[derive(Default)]
struct Cache {
    plans: HashMap<u64, Vec<(Key, Arc<Plan>, bool)>, BuildHasherDefault<Mix>>,
    len: usize,
}

const CACHED: usize = 2048;
static CACHE: OnceLock<Mutex<Cache>> = OnceLock::new();

fn cached(hash: u64, same: impl Fn(&Key) -> bool, make: impl FnOnce() -> Result<(Key, Plan)>) -> Result<Arc<Plan>> {
    let cache = CACHE.get_or_init(Mutex::default);
    let lock = || cache.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(bucket) = lock().plans.get_mut(&hash)
        && let Some((_, plan, used)) = bucket.iter_mut().find(|(key, _, _)| same(key))
    {
        *used = true;
        return Ok(plan.clone());
    }
    let (key, plan) = make()?;
    let plan = Arc::new(plan);
    let mut cache = lock();
    if cache.len >= CACHED {
        cache.plans.values_mut().for_each(|bucket| bucket.retain_mut(|(_, _, used)| std::mem::take(used)));
        cache.plans.retain(|_, bucket| !bucket.is_empty());
        cache.len = cache.plans.values().map(Vec::len).sum();
        if cache.len >= CACHED {
            cache.plans.clear();
            cache.len = 0;
        }
    }
    cache.plans.entry(hash).or_default().push((key, plan.clone(), false));
    cache.len += 1;
    Ok(plan)
}

fn hash_of(parts: impl Hash, operands: impl Iterator<Item = impl Hash>) -> u64 {
    let mut hasher = BuildHasherDefault::<Mix>::default().build_hasher();
    parts.hash(&mut hasher);
    operands.for_each(|o| o.hash(&mut hasher));
    hasher.finish()
}

fn same_shapes<T: Scalar>(shapes: &[Shape], operands: &[&Var<T>]) -> bool {
    plan::fits(shapes, operands)
}

/// Einstein summation, `"ij,jk->ik"`: indices that the output lacks are summed.
///
/// Any number of operands; an index repeated within an operand takes its diagonal; without `->` the output has the indices that occur once,
/// in alphabetical order; `...` stands for any leading axes and is broadcast. Letters of both cases; for more than 52 indices use
/// [`einsum_labels`]. The arrays are contracted pairwise: in the best order for up to nine, in a good one for more; see [`einsum_path`],
/// and [`Einsum`] for an order of your own.
///
/// ```
/// use pullback::prelude::*;
/// use pullback::ops::einsum;
/// let a = Var::from(ndarray::array![[1.0, 2.0], [3.0, 4.0]]);
/// let v = Var::from(ndarray::array![1.0, -1.0]);
/// assert_eq!(einsum("ij,j->i", &[&a, &v])?.as_slice(), &[-1.0, -1.0]);
/// assert_eq!(einsum("ii", &[&a])?.item(), 5.0);
/// let error = einsum("ij,jk->ik", &[&a, &Var::from(ndarray::Array2::<f64>::ones((3, 2)))]).unwrap_err();
/// assert_eq!(error.to_string(), "einsum: \"ij,jk->ik\": index j has length 2 in operand 0 and 3 in operand 1");
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
/// If the expression is malformed, or the operands' shapes do not fit it; the message names the operand, the index and both lengths.
pub fn einsum<T: Scalar>(expression: &str, operands: &[&Var<T>]) -> Result<Var<T>> {
    let hash = hash_of(expression, operands.iter().map(|x| x.shape()));
    let same = |key: &Key| matches!(key, Key::Text(text, shapes) if text == expression && same_shapes(shapes, operands));
    let plan = cached(hash, same, || {
        let shapes: Vec<&[usize]> = operands.iter().map(|x| x.shape()).collect();
        let terms = parse::parse(expression, &shapes)?;
        let plan = Plan::new(&terms, None);
        Ok((Key::Text(expression.to_string(), terms.shapes), plan))
    })?;
    Ok(plan.run(operands))
}

/// As [`einsum`] with integers for indices: for networks of any size.
///
/// ```
/// use pullback::prelude::*;
/// use pullback::ops::einsum_labels;
/// let a = Var::from(ndarray::array![[1.0, 2.0], [3.0, 4.0]]);
/// assert_eq!(einsum_labels(&[&[100, 7], &[7, 100]], &[], &[&a, &a])?.item(), 29.0);
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
/// If an index of the output is in no operand, or the operands' shapes do not fit.
pub fn einsum_labels<T: Scalar>(inputs: &[&[usize]], output: &[usize], operands: &[&Var<T>]) -> Result<Var<T>> {
    let hash = hash_of((inputs, output), operands.iter().map(|x| x.shape()));
    let same = |key: &Key| match key {
        Key::Labels(i, o, shapes) => i.iter().map(Vec::as_slice).eq(inputs.iter().copied()) && o == output && same_shapes(shapes, operands),
        Key::Text(..) => false,
    };
    let plan = cached(hash, same, || {
        let shapes: Vec<&[usize]> = operands.iter().map(|x| x.shape()).collect();
        let terms = parse::from_labels(inputs, output, &shapes)?;
        let plan = Plan::new(&terms, None);
        Ok((Key::Labels(inputs.iter().map(|l| l.to_vec()).collect(), output.to_vec(), terms.shapes), plan))
    })?;
    Ok(plan.run(operands))
}

/// The order in which [`einsum`] would contract arrays of these shapes, and what it costs.
///
/// # Errors
/// As [`einsum`].
pub fn einsum_path(expression: &str, shapes: &[&[usize]]) -> Result<ContractionOrder> {
    Ok(Einsum::new(expression, shapes)?.order())
}
