//! [`Params`]: an ordered set of named arrays.

use super::init::Init;
use crate::{AnyRef, AnyVar, Argument, Error, Loss, Result, Returns, Scalar, Tree, Var, value_and_grad};
use rand::Rng;
use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex};

/// Where a parameter is in the sets of one architecture: a place and a name, free to copy.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Param {
    index: usize,
    name: &'static str,
}

impl Param {
    /// The full name, as `phi/0/weight`.
    pub fn name(&self) -> &'static str {
        self.name
    }
}

impl fmt::Debug for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Param({:?})", self.name)
    }
}

/// One copy of every name for the life of the program, so that handles are `Copy`: there are as many as a program has parameter names.
fn intern(name: &str) -> &'static str {
    static NAMES: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
    let mut names = NAMES.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let names = names.get_or_insert_default();
    match names.get(name) {
        Some(known) => known,
        None => {
            let name: &'static str = Box::leak(name.to_owned().into_boxed_str());
            names.insert(name);
            name
        }
    }
}

/// Names and flags, shared by all sets of an architecture.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Layout {
    pub(super) names: Vec<&'static str>,
    pub(super) frozen: Vec<bool>,
}

/// An ordered set of named arrays of one scalar type.
///
/// It is a structure of variables like a tuple or a map: [`value_and_grad`], [`jvp`](crate::jvp), [`hvp`](crate::hvp) and the optimisers
/// take it, a closure receives the same type with tracked entries, and a gradient is again a `Params`. Clones share the numbers.
///
/// Entries under a frozen name are constants: they are not leaves of the structure, no derivative is computed for them and no optimiser
/// moves them. In a gradient from [`Params::value_and_grad`] they are zeros; other transforms hand them on as they are.
#[derive(Clone)]
pub struct Params<T> {
    pub(super) layout: Arc<Layout>,
    pub(super) values: Vec<Var<T>>,
}

impl<T: Scalar> fmt::Debug for Params<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<T: Scalar> Default for Params<T> {
    fn default() -> Self {
        Params::new()
    }
}

impl<T: Scalar> Params<T> {
    /// An empty set.
    pub fn new() -> Self {
        Params { layout: Arc::default(), values: Vec::new() }
    }

    /// A builder of parameters whose names begin with `name/`.
    pub fn scope(&mut self, name: impl fmt::Display) -> Scope<'_, T> {
        let prefix = format!("{name}/");
        Scope { params: self, prefix }
    }

    /// Adds a parameter.
    ///
    /// # Panics
    /// If the name is empty or taken.
    #[track_caller]
    pub fn param(&mut self, name: &str, value: impl Into<Var<T>>) -> Param {
        assert!(!name.is_empty(), "Params: a parameter needs a name");
        assert!(!self.layout.names.contains(&name), "Params: there is a parameter `{name}` already: give the layer a scope of its own");
        let name = intern(name);
        let layout = Arc::make_mut(&mut self.layout);
        layout.names.push(name);
        layout.frozen.push(false);
        self.values.push(value.into().stop_gradient());
        Param { index: self.values.len() - 1, name }
    }

    #[track_caller]
    fn place(&self, param: Param) -> usize {
        match self.layout.names.get(param.index) {
            Some(&name) if std::ptr::eq(name, param.name) => param.index,
            found => panic!(
                "Params: parameter `{}` is of another architecture: place {} here holds {}",
                param.name,
                param.index,
                found.map_or("nothing".to_string(), |name| format!("`{name}`"))
            ),
        }
    }

    /// The array of a handle.
    ///
    /// # Panics
    /// If the handle belongs to a set of another architecture; the message names it.
    #[track_caller]
    #[inline]
    pub fn get(&self, param: Param) -> &Var<T> {
        &self.values[self.place(param)]
    }

    /// The array of this full name.
    pub fn by_name(&self, name: &str) -> Option<&Var<T>> {
        self.layout.names.iter().position(|n| *n == name).map(|i| &self.values[i])
    }

    /// The handle of this full name.
    pub fn handle(&self, name: &str) -> Option<Param> {
        self.layout.names.iter().position(|n| *n == name).map(|index| Param { index, name: self.layout.names[index] })
    }

    /// Replaces an array.
    ///
    /// # Errors
    /// If the shape is not that of the parameter.
    ///
    /// # Panics
    /// As [`Params::get`].
    #[track_caller]
    pub fn set(&mut self, param: Param, value: impl Into<Var<T>>) -> Result<()> {
        let (i, value) = (self.place(param), value.into());
        if value.shape() != self.values[i].shape() {
            let message = format!("parameter `{}` has shape {:?}, got {:?}", param.name, self.values[i].shape(), value.shape());
            return Err(Error::shape("Params::set", message));
        }
        self.values[i] = value;
        Ok(())
    }

    /// Names and arrays, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Var<T>)> {
        self.layout.names.iter().copied().zip(&self.values)
    }

    /// The number of arrays, frozen ones too.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The number of numbers that are trained (of type `T`: a complex one counts once).
    pub fn count(&self) -> usize {
        self.trained().map(|i| self.values[i].len()).sum()
    }

    fn trained(&self) -> impl Iterator<Item = usize> {
        (0..self.values.len()).filter(|&i| !self.layout.frozen[i])
    }

    /// Whether an entry is frozen.
    ///
    /// # Panics
    /// As [`Params::get`].
    #[track_caller]
    pub fn is_frozen(&self, param: Param) -> bool {
        self.layout.frozen[self.place(param)]
    }

    fn set_frozen(&mut self, operation: &'static str, prefix: &str, frozen: bool) -> Result<()> {
        let below = format!("{prefix}/");
        let chosen: Vec<usize> =
            (0..self.len()).filter(|&i| self.layout.names[i] == prefix || self.layout.names[i].starts_with(&below)).collect();
        if chosen.is_empty() {
            let message = format!("there is no parameter `{prefix}` and none under `{below}`; the names are {:?}", self.layout.names);
            return Err(Error::argument(operation, message));
        }
        let layout = Arc::make_mut(&mut self.layout);
        chosen.into_iter().for_each(|i| layout.frozen[i] = frozen);
        Ok(())
    }

    /// Makes constants of the parameter of this name, or of all under it. An optimiser that has stepped already must be made anew: its
    /// state is that of the former set.
    ///
    /// # Errors
    /// If there are none.
    pub fn freeze(&mut self, prefix: &str) -> Result<()> {
        self.set_frozen("Params::freeze", prefix, true)
    }

    /// The reverse of [`Params::freeze`].
    ///
    /// # Errors
    /// If there are none.
    pub fn unfreeze(&mut self, prefix: &str) -> Result<()> {
        self.set_frozen("Params::unfreeze", prefix, false)
    }

    /// All trained numbers in one vector, in order, row-major: what natural gradients and Jacobians are written in. Differentiable.
    pub fn flat(&self) -> Var<T> {
        let parts: Vec<Var<T>> = self.trained().map(|i| self.values[i].ravel()).collect();
        if parts.is_empty() { Var::from(ndarray::Array1::<T>::zeros(0)) } else { crate::ops::concatenate(&parts, 0) }
    }

    /// Replaces all trained numbers by those of a vector as [`Params::flat`] gives it. Differentiable.
    ///
    /// # Errors
    /// If the length is not [`Params::count`].
    pub fn set_flat(&mut self, flat: &Var<T>) -> Result<()> {
        let n = self.count();
        if flat.shape() != [n] {
            return Err(Error::shape(
                "Params::set_flat",
                format!("{n} numbers are trained, so the shape must be [{n}], got {:?}", flat.shape()),
            ));
        }
        let mut at = 0;
        for i in self.trained().collect::<Vec<_>>() {
            let len = self.values[i].len();
            self.values[i] = flat.slice(ndarray::s![at..at + len]).reshape(self.values[i].shape());
            at += len;
        }
        Ok(())
    }

    /// The same set in another scalar type, as constants; handles stay valid. From complex to real the imaginary parts are dropped.
    pub fn cast<U: Scalar>(&self) -> Params<U> {
        let number = |z: &T| {
            let part = |x: T::Real| <U::Real as crate::Real>::from_f64(crate::Real::to_f64(x));
            U::from_parts(part(z.re()), part(z.im()))
        };
        let cast =
            |v: &Var<T>| Var::from_shape_vec(v.shape(), v.as_slice().iter().map(number).collect()).expect("as many numbers as before");
        Params { layout: self.layout.clone(), values: self.values.iter().map(cast).collect() }
    }

    /// The same numbers as constants: derivatives do not pass.
    pub fn stop_gradient(&self) -> Self {
        Params { layout: self.layout.clone(), values: self.values.iter().map(Var::stop_gradient).collect() }
    }

    /// The value of a loss of the parameters and its gradient: [`value_and_grad`](crate::value_and_grad), with zeros for frozen entries.
    ///
    /// # Errors
    /// As [`value_and_grad`](crate::value_and_grad).
    pub fn value_and_grad<F, R>(&self, loss: F) -> Result<(R::Vars, Params<T>)>
    where
        F: FnOnce(&Params<T>) -> R,
        R: Returns,
        R::Vars: Loss,
    {
        let (value, mut gradient) = value_and_grad(loss, self)?;
        for (v, _) in gradient.values.iter_mut().zip(&self.layout.frozen).filter(|(_, frozen)| **frozen) {
            *v = v.zeros_like();
        }
        Ok((value, gradient))
    }
}

impl<T: Scalar> fmt::Display for Params<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.layout.names.iter().map(|n| n.len()).max().unwrap_or(0);
        for ((name, v), frozen) in self.iter().zip(&self.layout.frozen) {
            writeln!(f, "{name:width$}  {:?}{}", v.shape(), if *frozen { "  frozen" } else { "" })?;
        }
        write!(f, "{} numbers are trained", self.count())
    }
}

impl<T: Scalar> Tree for Params<T> {
    type Partial = Vec<Option<Var<T>>>;
    fn visit<'a>(&'a self, f: &mut dyn FnMut(AnyRef<'a>)) {
        self.trained().for_each(|i| f(AnyRef::from(&self.values[i])));
    }
    fn rebuild(&self, f: &mut dyn FnMut(AnyRef<'_>) -> AnyVar) -> Self {
        let values = self.values.iter().zip(&self.layout.frozen);
        let values = values.map(|(v, frozen)| if *frozen { v.clone() } else { f(AnyRef::from(v)).unwrap() }).collect();
        Params { layout: self.layout.clone(), values }
    }
    fn partial(&self, f: &mut dyn FnMut(AnyRef<'_>) -> Option<AnyVar>) -> Self::Partial {
        self.trained().map(|i| f(AnyRef::from(&self.values[i])).map(AnyVar::unwrap)).collect()
    }
    fn take_apart(partial: Self::Partial, f: &mut dyn FnMut(Option<AnyVar>)) {
        partial.into_iter().for_each(|p| f(p.map(|v| AnyRef::from(&v).to_owned())));
    }
}

impl<T: Scalar> Argument for Params<T> {
    type Vars = Params<T>;
    fn to_vars(&self) -> Self {
        self.clone()
    }
    fn from_vars(&self, vars: Self) -> Result<Self> {
        Ok(vars)
    }
}

impl<T: Scalar> Returns for Params<T> {
    type Vars = Params<T>;
    fn into_result(self) -> Result<Self> {
        Ok(self)
    }
}

/// A builder of parameters under a name, made by [`Params::scope`]; scopes nest.
///
/// ```
/// use pullback::nn::{Init, Params};
/// use rand::{SeedableRng, rngs::StdRng};
/// let mut rng = StdRng::seed_from_u64(1);
/// let mut params = Params::<f64>::new();
/// let mut scope = params.scope("phi");
/// let scale = scope.param("scale", 0.5);
/// let weight = scope.scope(0).init("weight", &[3, 4], (3, 4), Init::XavierUniform, &mut rng);
/// assert_eq!((scale.name(), weight.name()), ("phi/scale", "phi/0/weight"));
/// assert_eq!(params.get(weight).shape(), &[3, 4]);
/// assert_eq!(params.count(), 13);
/// ```
pub struct Scope<'a, T> {
    params: &'a mut Params<T>,
    prefix: String,
}

impl<T: Scalar> Scope<'_, T> {
    /// A scope inside this one.
    pub fn scope(&mut self, name: impl fmt::Display) -> Scope<'_, T> {
        let prefix = format!("{}{name}/", self.prefix);
        Scope { params: self.params, prefix }
    }

    /// Adds a parameter with these numbers.
    ///
    /// # Panics
    /// If the name is empty or taken in this scope.
    #[track_caller]
    pub fn param(&mut self, name: &str, value: impl Into<Var<T>>) -> Param {
        assert!(!name.is_empty(), "Params: a parameter needs a name");
        self.params.param(&format!("{}{name}", self.prefix), value)
    }

    /// Adds a parameter with drawn numbers; `fan` is the number of inputs and of outputs that the initialiser counts.
    ///
    /// # Panics
    /// As [`Scope::param`], and as [`Init::draw`].
    #[track_caller]
    pub fn init(&mut self, name: &str, shape: &[usize], fan: (usize, usize), init: Init, rng: &mut dyn Rng) -> Param {
        let value = init.draw(shape, fan, rng);
        self.param(name, value)
    }
}
