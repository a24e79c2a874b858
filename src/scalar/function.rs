//! Scalar functions written once, for every kind of number.

use super::{Num, Number};

/// A function of IN numbers with OUT results, generic over the kind of number: real, complex, dual.
///
/// [`scalar_fn!`](crate::scalar_fn) writes the type and this trait for a formula. By hand it serves for functions with parameters that
/// are not differentiated through:
///
/// ```
/// use pullback::prelude::*;
/// use pullback::scalar::{Num, Number};
///
/// /// The Morse potential of a given depth.
/// #[derive(Clone, Copy)]
/// struct Morse {
///     depth: f64,
/// }
/// impl ScalarFn<2, 1> for Morse {
///     #[inline(always)]
///     fn call<S: Number>(&self, [r, a]: [Num<S>; 2]) -> [Num<S>; 1] {
///         [self.depth * (1.0 - (-a * (r - 1.0)).exp()).square()]
///     }
/// }
/// let r = Var::from([1.0, 1.5]);
/// assert_eq!(zip_map(Morse { depth: 2.0 }, (&r, &Var::scalar(3.0))).as_slice()[0], 0.0);
/// ```
pub trait ScalarFn<const IN: usize, const OUT: usize>: Clone + Send + Sync + 'static {
    /// The function. Mark it `#[inline(always)]`, so that loops over it are vectorised.
    fn call<S: Number>(&self, x: [Num<S>; IN]) -> [Num<S>; OUT];

    /// The function of bare numbers.
    #[inline(always)]
    fn eval<S: Number>(&self, x: [S; IN]) -> [S; OUT] {
        // loops: `map` is a handful of functions to compile for each kind of number
        let mut arguments = [Num(S::constant(0.0)); IN];
        for i in 0..IN {
            arguments[i] = Num(x[i]);
        }
        let results = self.call(arguments);
        let mut y = [S::constant(0.0); OUT];
        for i in 0..OUT {
            y[i] = results[i].0;
        }
        y
    }
}

/// A scalar function from a formula: a unit type that implements [`ScalarFn`](crate::scalar::ScalarFn).
///
/// Arguments are single names or groups in brackets; several results are named after `->`. The body is ordinary Rust on
/// [`Num`](crate::scalar::Num): `let`, `if x < 0.0`, loops, and float literals on both sides of the operators.
///
/// ```
/// use pullback::prelude::*;
/// scalar_fn! {
///     /// The screened Coulomb potential.
///     fn yukawa(r, kappa) { (-(kappa * r)).exp() / r }
/// }
/// scalar_fn! {
///     fn lotka_volterra([x, y], [a, b, c, d]) -> [dx, dy] { [a * x - b * x * y, c * x * y - d * y] }
/// }
/// let r = Var::from([1.0, 2.0]);
/// let v = zip_map(yukawa, (&r, &Var::scalar(0.0)));
/// assert_eq!(v.as_slice(), &[1.0, 0.5]);
/// // plain numbers
/// assert_eq!(yukawa.eval([2.0, 0.0]), [0.5]);
/// assert_eq!(lotka_volterra.eval([1.0, 2.0, 1.0, 0.5, 0.25, 1.0]), [0.0, -1.5]);
/// ```
#[macro_export]
macro_rules! scalar_fn {
    ($(#[$meta:meta])* $vis:vis fn $name:ident ( $($arg:tt),* $(,)? ) -> [ $($out:ident),+ $(,)? ] $body:block) => {
        $crate::scalar_fn!(@flatten [$(#[$meta])* $vis $name ($crate::scalar_fn!(@count $($out)+)) {$body}] [] $($arg)*);
    };
    ($(#[$meta:meta])* $vis:vis fn $name:ident ( $($arg:tt),* $(,)? ) $body:block) => {
        $crate::scalar_fn!(@flatten [$(#[$meta])* $vis $name (1) {[$body]}] [] $($arg)*);
    };
    (@count $($x:ident)*) => {
        [$(stringify!($x)),*].len()
    };
    (@flatten $head:tt [$($done:ident)*] [$($group:ident),* $(,)?] $($rest:tt)*) => {
        $crate::scalar_fn!(@flatten $head [$($done)* $($group)*] $($rest)*);
    };
    (@flatten $head:tt [$($done:ident)*] $arg:ident $($rest:tt)*) => {
        $crate::scalar_fn!(@flatten $head [$($done)* $arg] $($rest)*);
    };
    (@flatten [$(#[$meta:meta])* $vis:vis $name:ident ($out:expr) {$body:expr}] [$($arg:ident)*]) => {
        $(#[$meta])*
        #[allow(non_camel_case_types)]
        #[derive(Clone, Copy, Debug, Default)]
        $vis struct $name;
        impl $crate::scalar::ScalarFn<{ $crate::scalar_fn!(@count $($arg)*) }, { $out }> for $name {
            #[inline(always)]
            fn call<S: $crate::scalar::Number>(
                &self,
                [$($arg),*]: [$crate::scalar::Num<S>; $crate::scalar_fn!(@count $($arg)*)],
            ) -> [$crate::scalar::Num<S>; $out] {
                $body
            }
        }
    };
}
