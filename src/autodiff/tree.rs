//! What functions take and return: single variables, tuples, vectors, maps by name, nested.

use super::layer::Level;
use super::node::Edge;
use super::var::Var;
use crate::error::{Error, Result};
use crate::scalar::{Real, Scalar, ScalarKind};
use crate::tensor::Tensor;
use ndarray::{ArcArray, Array, Dimension};
use num_complex::Complex;
use std::collections::BTreeMap;

/// A variable of one of the four scalar types: what the sweep carries.
#[derive(Clone, Debug)]
pub enum AnyVar {
    /// `f32`
    F32(Var<f32>),
    /// `f64`
    F64(Var<f64>),
    /// `Complex<f32>`
    C32(Var<Complex<f32>>),
    /// `Complex<f64>`
    C64(Var<Complex<f64>>),
}

/// A borrowed [`AnyVar`].
#[derive(Clone, Copy, Debug)]
pub enum AnyRef<'a> {
    /// `f32`
    F32(&'a Var<f32>),
    /// `f64`
    F64(&'a Var<f64>),
    /// `Complex<f32>`
    C32(&'a Var<Complex<f32>>),
    /// `Complex<f64>`
    C64(&'a Var<Complex<f64>>),
}

/// Runs the same code for whichever scalar type it is.
macro_rules! each_kind {
    ($any:expr, $enum:ident, $v:ident => $body:expr) => {
        match $any {
            $enum::F32($v) => $body,
            $enum::F64($v) => $body,
            $enum::C32($v) => $body,
            $enum::C64($v) => $body,
        }
    };
}
/// As `each_kind`, and wraps the result in the same variant of `AnyVar`.
macro_rules! map_kind {
    ($any:expr, $enum:ident, $v:ident => $body:expr) => {
        match $any {
            $enum::F32($v) => $crate::autodiff::tree::AnyVar::F32($body),
            $enum::F64($v) => $crate::autodiff::tree::AnyVar::F64($body),
            $enum::C32($v) => $crate::autodiff::tree::AnyVar::C32($body),
            $enum::C64($v) => $crate::autodiff::tree::AnyVar::C64($body),
        }
    };
}
pub(crate) use {each_kind, map_kind};

impl AnyVar {
    /// Borrows.
    #[inline]
    pub fn as_ref(&self) -> AnyRef<'_> {
        match self {
            AnyVar::F32(v) => AnyRef::F32(v),
            AnyVar::F64(v) => AnyRef::F64(v),
            AnyVar::C32(v) => AnyRef::C32(v),
            AnyVar::C64(v) => AnyRef::C64(v),
        }
    }

    /// The variable, if it is of type `T`.
    ///
    /// # Panics
    /// If it is of another type: rules are typed, so this is a fault of a hand-written [`Tree`].
    #[inline]
    #[track_caller]
    pub fn unwrap<T: Scalar>(self) -> Var<T> {
        T::unerase(self)
    }
}

// not generic: what is done to a leaf is compiled once and not into every transform and primitive
impl AnyRef<'_> {
    /// The lengths of the axes.
    pub fn shape(&self) -> &[usize] {
        each_kind!(self, AnyRef, v => v.shape())
    }
    /// Which of the four scalar types.
    pub fn kind(&self) -> ScalarKind {
        match self {
            AnyRef::F32(_) => ScalarKind::F32,
            AnyRef::F64(_) => ScalarKind::F64,
            AnyRef::C32(_) => ScalarKind::C32,
            AnyRef::C64(_) => ScalarKind::C64,
        }
    }
    /// A clone that shares the numbers.
    pub fn to_owned(&self) -> AnyVar {
        map_kind!(*self, AnyRef, v => v.clone())
    }
    /// The variable without its numbers.
    pub(crate) fn absent(self) -> AnyVar {
        map_kind!(self, AnyRef, v => Var::constant(Tensor::absent(v.shape())))
    }
    pub(crate) fn zeros_like(self) -> AnyVar {
        map_kind!(self, AnyRef, v => v.zeros_like())
    }
    /// That many arrays of zeros, along a new leading axis.
    pub(crate) fn zeros_stacked(self, count: usize) -> AnyVar {
        let shape = [&[count], self.shape()].concat();
        map_kind!(self, AnyRef, _v => Var::constant(Tensor::full(&shape, num_traits::Zero::zero())))
    }
    pub(crate) fn level(&self) -> Level {
        each_kind!(self, AnyRef, v => v.level())
    }
    pub(crate) fn is_reverse(self) -> bool {
        each_kind!(self, AnyRef, v => v.is_reverse())
    }
    pub(crate) fn below(self, level: Level) -> AnyVar {
        map_kind!(self, AnyRef, v => v.below(level))
    }
    pub(crate) fn edge(self, level: Level) -> Option<Edge> {
        each_kind!(self, AnyRef, v => v.edge(level))
    }
    pub(crate) fn with_edge(self, level: Level, edge: Edge) -> AnyVar {
        map_kind!(self, AnyRef, v => v.clone().with_edge(level, edge))
    }
    pub(crate) fn tangent(self, level: Level) -> Option<AnyVar> {
        Some(map_kind!(self, AnyRef, v => v.tangent(level)?))
    }
    pub(crate) fn tangent_or_zero(self, level: Level) -> AnyVar {
        self.tangent(level).unwrap_or_else(|| self.zeros_like())
    }
    pub(crate) fn with_tangent(self, level: Level, tangent: AnyVar) -> AnyVar {
        map_kind!(self, AnyRef, v => v.clone().with_tangent(level, Some(tangent.unwrap())))
    }
}

impl<'a, T: Scalar> From<&'a Var<T>> for AnyRef<'a> {
    fn from(v: &'a Var<T>) -> Self {
        T::erase_ref(v)
    }
}

/// Conversion between a typed variable and [`AnyVar`]; implemented for the four scalar types.
#[doc(hidden)]
pub trait Erase: Sized + 'static {
    /// Wraps.
    fn erase(v: Var<Self>) -> AnyVar;
    /// Wraps a reference.
    fn erase_ref(v: &Var<Self>) -> AnyRef<'_>;
    /// Unwraps.
    ///
    /// # Panics
    /// If it is of another type.
    fn unerase(v: AnyVar) -> Var<Self>;
}

macro_rules! erase {
    ($($t:ty, $variant:ident;)*) => { $(
        impl Erase for $t {
            #[inline]
            fn erase(v: Var<Self>) -> AnyVar {
                AnyVar::$variant(v)
            }
            #[inline]
            fn erase_ref(v: &Var<Self>) -> AnyRef<'_> {
                AnyRef::$variant(v)
            }
            #[inline]
            #[track_caller]
            fn unerase(v: AnyVar) -> Var<Self> {
                match v {
                    AnyVar::$variant(v) => v,
                    other => panic!("expected a variable of {}, found {:?}", stringify!($t), other.as_ref().kind()),
                }
            }
        }
    )* };
}
erase! { f32, F32; f64, F64; Complex<f32>, C32; Complex<f64>, C64; }

/// A structure of variables: `Var<T>`, tuples, arrays, `Vec`, `BTreeMap<String, _>`, and `()`; nested as you like.
///
/// The scalar types may differ from leaf to leaf.
pub trait Tree: Clone + Send + Sync + 'static {
    /// The same structure with every leaf optional: a missing one is a symbolic zero.
    type Partial: Send + Sync;
    /// Visits the leaves in order.
    fn visit<'a>(&'a self, f: &mut dyn FnMut(AnyRef<'a>));
    /// The same structure with other leaves, of the same scalar types.
    fn rebuild(&self, f: &mut dyn FnMut(AnyRef<'_>) -> AnyVar) -> Self;
    /// The same structure with leaves that may be missing.
    fn partial(&self, f: &mut dyn FnMut(AnyRef<'_>) -> Option<AnyVar>) -> Self::Partial;
    /// Takes a partial structure apart, in the order of `visit`.
    fn take_apart(partial: Self::Partial, f: &mut dyn FnMut(Option<AnyVar>));
}

/// The leaves of a tree, in order.
pub(crate) fn leaves<A: Tree>(tree: &A) -> Vec<AnyVar> {
    let mut out = Vec::new();
    tree.visit(&mut |v| out.push(v.to_owned()));
    out
}

/// A tree's structure filled from a list of leaves, with zeros where one is missing.
pub(crate) fn fill<A: Tree>(like: &A, leaf: &mut dyn FnMut(usize) -> Option<AnyVar>) -> A {
    let mut i = 0;
    like.rebuild(&mut |v| {
        i += 1;
        leaf(i - 1).unwrap_or_else(|| v.zeros_like())
    })
}

/// A tree of optional leaves filled up with zeros of the right shapes.
pub(crate) fn instantiate<A: Tree>(like: &A, partial: A::Partial) -> A {
    let mut parts = Vec::new();
    A::take_apart(partial, &mut |p| parts.push(p));
    fill(like, &mut |i| parts[i].take())
}

impl<T: Scalar> Tree for Var<T> {
    type Partial = Option<Var<T>>;
    #[inline]
    fn visit<'a>(&'a self, f: &mut dyn FnMut(AnyRef<'a>)) {
        f(T::erase_ref(self))
    }
    #[inline]
    fn rebuild(&self, f: &mut dyn FnMut(AnyRef<'_>) -> AnyVar) -> Self {
        T::unerase(f(T::erase_ref(self)))
    }
    #[inline]
    fn partial(&self, f: &mut dyn FnMut(AnyRef<'_>) -> Option<AnyVar>) -> Self::Partial {
        f(T::erase_ref(self)).map(T::unerase)
    }
    #[inline]
    fn take_apart(partial: Self::Partial, f: &mut dyn FnMut(Option<AnyVar>)) {
        f(partial.map(T::erase))
    }
}

/// Any variable is a leaf: functions with their types erased are differentiated like others.
impl Tree for AnyVar {
    type Partial = Option<AnyVar>;
    fn visit<'a>(&'a self, f: &mut dyn FnMut(AnyRef<'a>)) {
        f(self.as_ref())
    }
    fn rebuild(&self, f: &mut dyn FnMut(AnyRef<'_>) -> AnyVar) -> Self {
        f(self.as_ref())
    }
    fn partial(&self, f: &mut dyn FnMut(AnyRef<'_>) -> Option<AnyVar>) -> Self::Partial {
        f(self.as_ref())
    }
    fn take_apart(partial: Self::Partial, f: &mut dyn FnMut(Option<AnyVar>)) {
        f(partial)
    }
}

impl<A: Tree> Tree for Vec<A> {
    type Partial = Vec<A::Partial>;
    fn visit<'a>(&'a self, f: &mut dyn FnMut(AnyRef<'a>)) {
        self.iter().for_each(|a| a.visit(f))
    }
    fn rebuild(&self, f: &mut dyn FnMut(AnyRef<'_>) -> AnyVar) -> Self {
        self.iter().map(|a| a.rebuild(f)).collect()
    }
    fn partial(&self, f: &mut dyn FnMut(AnyRef<'_>) -> Option<AnyVar>) -> Self::Partial {
        self.iter().map(|a| a.partial(f)).collect()
    }
    fn take_apart(partial: Self::Partial, f: &mut dyn FnMut(Option<AnyVar>)) {
        partial.into_iter().for_each(|p| A::take_apart(p, f))
    }
}

impl<A: Tree, const N: usize> Tree for [A; N] {
    type Partial = [A::Partial; N];
    fn visit<'a>(&'a self, f: &mut dyn FnMut(AnyRef<'a>)) {
        self.iter().for_each(|a| a.visit(f))
    }
    fn rebuild(&self, f: &mut dyn FnMut(AnyRef<'_>) -> AnyVar) -> Self {
        std::array::from_fn(|i| self[i].rebuild(f))
    }
    fn partial(&self, f: &mut dyn FnMut(AnyRef<'_>) -> Option<AnyVar>) -> Self::Partial {
        std::array::from_fn(|i| self[i].partial(f))
    }
    fn take_apart(partial: Self::Partial, f: &mut dyn FnMut(Option<AnyVar>)) {
        partial.into_iter().for_each(|p| A::take_apart(p, f))
    }
}

impl<A: Tree> Tree for BTreeMap<String, A> {
    type Partial = BTreeMap<String, A::Partial>;
    fn visit<'a>(&'a self, f: &mut dyn FnMut(AnyRef<'a>)) {
        self.values().for_each(|a| a.visit(f))
    }
    fn rebuild(&self, f: &mut dyn FnMut(AnyRef<'_>) -> AnyVar) -> Self {
        self.iter().map(|(k, a)| (k.clone(), a.rebuild(f))).collect()
    }
    fn partial(&self, f: &mut dyn FnMut(AnyRef<'_>) -> Option<AnyVar>) -> Self::Partial {
        self.iter().map(|(k, a)| (k.clone(), a.partial(f))).collect()
    }
    fn take_apart(partial: Self::Partial, f: &mut dyn FnMut(Option<AnyVar>)) {
        partial.into_values().for_each(|p| A::take_apart(p, f))
    }
}

/// What a transform can be given as the point of evaluation: plain arrays and numbers, variables, and structures of them.
///
/// Plain `ndarray` arrays and numbers come back as what they were: the gradient at an `Array2` is an `Array2`.
pub trait Argument {
    /// What the function receives.
    type Vars: Tree;
    /// As variables.
    fn to_vars(&self) -> Self::Vars;
    /// From variables, in the form that `self` has.
    ///
    /// # Errors
    /// If plain numbers are asked for and the variables belong to an outer transform: the dependence would be lost.
    fn from_vars(&self, vars: Self::Vars) -> Result<Self>
    where
        Self: Sized;
}

/// Variables of any structure as the argument of an inner transform, and nothing but variables in the result.
#[derive(Clone)]
pub(crate) struct Vars<V>(pub(crate) V);

impl<V: Tree> Argument for Vars<V> {
    type Vars = V;
    fn to_vars(&self) -> V {
        self.0.clone()
    }
    fn from_vars(&self, vars: V) -> Result<Self> {
        Ok(Vars(vars))
    }
}

/// What a differentiated function may return: variables and structures of them, or a `Result` of such.
pub trait Returns {
    /// The structure of variables.
    type Vars: Tree;
    /// As a result with the crate's error.
    fn into_result(self) -> Result<Self::Vars>;
}

impl<A: Tree, E: Into<Error>> Returns for std::result::Result<A, E> {
    type Vars = A;
    fn into_result(self) -> Result<A> {
        self.map_err(Into::into)
    }
}

fn plain<T: Scalar>(v: Var<T>) -> Result<Var<T>> {
    if v.is_constant() {
        return Ok(v);
    }
    Err(Error::derivative(
        "transform of plain numbers",
        "the result depends on a variable of an outer transform, and plain numbers cannot carry that: pass the argument as a Var",
    ))
}

macro_rules! own_tree {
    ([$($g:tt)*] $t:ty) => {
        impl<$($g)*> Returns for $t {
            type Vars = $t;
            #[inline]
            fn into_result(self) -> Result<$t> {
                Ok(self)
            }
        }
    };
}
own_tree!([T: Scalar] Var<T>);
own_tree!([A: Tree] Vec<A>);
own_tree!([A: Tree, const N: usize] [A; N]);
own_tree!([A: Tree] BTreeMap<String, A>);

impl<T: Scalar> Argument for Var<T> {
    type Vars = Var<T>;
    fn to_vars(&self) -> Var<T> {
        self.clone()
    }
    fn from_vars(&self, vars: Var<T>) -> Result<Self> {
        Ok(vars)
    }
}

macro_rules! array_argument {
    ($array:ident, $v:ident => $make:expr) => {
        impl<T: Scalar, D: Dimension> Argument for $array<T, D> {
            type Vars = Var<T>;
            fn to_vars(&self) -> Var<T> {
                Var::from(self)
            }
            fn from_vars(&self, vars: Var<T>) -> Result<Self> {
                let $v = plain(vars)?;
                $make
            }
        }
    };
}
array_argument!(Array, v => v.into_array());
array_argument!(ArcArray, v => v.into_array().map(Array::into_shared));

macro_rules! number_argument {
    ($($t:ty)*) => { $(
        impl Argument for $t {
            type Vars = Var<$t>;
            fn to_vars(&self) -> Var<$t> {
                Var::scalar(*self)
            }
            fn from_vars(&self, vars: Var<$t>) -> Result<Self> {
                Ok(plain(vars)?.item())
            }
        }
    )* };
}
number_argument!(f32 f64 Complex<f32> Complex<f64>);

impl<A: Argument> Argument for Vec<A> {
    type Vars = Vec<A::Vars>;
    fn to_vars(&self) -> Self::Vars {
        self.iter().map(A::to_vars).collect()
    }
    fn from_vars(&self, vars: Self::Vars) -> Result<Self> {
        self.iter().zip(vars).map(|(a, v)| a.from_vars(v)).collect()
    }
}

impl<A: Argument, const N: usize> Argument for [A; N] {
    type Vars = [A::Vars; N];
    fn to_vars(&self) -> Self::Vars {
        std::array::from_fn(|i| self[i].to_vars())
    }
    fn from_vars(&self, vars: Self::Vars) -> Result<Self> {
        let out: Result<Vec<A>> = self.iter().zip(vars).map(|(a, v)| a.from_vars(v)).collect();
        Ok(out?.try_into().unwrap_or_else(|_| unreachable!("N elements")))
    }
}

impl<A: Argument> Argument for BTreeMap<String, A> {
    type Vars = BTreeMap<String, A::Vars>;
    fn to_vars(&self) -> Self::Vars {
        self.iter().map(|(k, a)| (k.clone(), a.to_vars())).collect()
    }
    fn from_vars(&self, vars: Self::Vars) -> Result<Self> {
        self.iter().zip(vars).map(|((k, a), (_, v))| Ok((k.clone(), a.from_vars(v)?))).collect()
    }
}

macro_rules! tuples {
    ($($a:ident $i:tt),*) => {
        impl<$($a: Tree),*> Tree for ($($a,)*) {
            type Partial = ($($a::Partial,)*);
            #[allow(unused_variables)]
            fn visit<'a>(&'a self, f: &mut dyn FnMut(AnyRef<'a>)) {
                $(self.$i.visit(f);)*
            }
            #[allow(unused_variables, clippy::unused_unit)]
            fn rebuild(&self, f: &mut dyn FnMut(AnyRef<'_>) -> AnyVar) -> Self {
                ($(self.$i.rebuild(f),)*)
            }
            #[allow(unused_variables, clippy::unused_unit)]
            fn partial(&self, f: &mut dyn FnMut(AnyRef<'_>) -> Option<AnyVar>) -> Self::Partial {
                ($(self.$i.partial(f),)*)
            }
            #[allow(unused_variables)]
            fn take_apart(partial: Self::Partial, f: &mut dyn FnMut(Option<AnyVar>)) {
                $($a::take_apart(partial.$i, f);)*
            }
        }
        own_tree!([$($a: Tree),*] ($($a,)*));
        impl<$($a: Argument),*> Argument for ($($a,)*) {
            type Vars = ($($a::Vars,)*);
            #[allow(clippy::unused_unit)]
            fn to_vars(&self) -> Self::Vars {
                ($(self.$i.to_vars(),)*)
            }
            #[allow(unused_variables)]
            fn from_vars(&self, vars: Self::Vars) -> Result<Self> {
                Ok(($(self.$i.from_vars(vars.$i)?,)*))
            }
        }
    };
}
tuples!();
tuples!(A 0);
tuples!(A 0, B 1);
tuples!(A 0, B 1, C 2);
tuples!(A 0, B 1, C 2, D 3);
tuples!(A 0, B 1, C 2, D 3, E 4);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);

/// A loss: one real variable.
pub trait Loss: Tree {
    /// Its scalar type.
    type Real: Real;
    /// As a variable.
    fn as_var(&self) -> &Var<Self::Real>;
    /// From a variable.
    fn from_var(v: Var<Self::Real>) -> Self;
}

impl<R: Real> Loss for Var<R> {
    type Real = R;
    fn as_var(&self) -> &Var<R> {
        self
    }
    fn from_var(v: Var<R>) -> Self {
        v
    }
}
