//! Arrays of truth values: what comparisons give and choices take. They have no derivative.

use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::kernels::broadcast::{binary_broadcast, broadcast_shape};
use crate::kernels::elementwise::map;
use crate::scalar::{Real, Scalar};
use crate::tensor::{Shape, Tensor, len_of};
use ndarray::{ArrayBase, ArrayD, Data, Dimension, IxDyn};
use std::fmt;
use std::sync::Arc;

/// A row-major array of truth values, shared by reference.
///
/// Comparisons of [`Var`]s make them, [`where_`](super::where_), [`Var::masked_select`] and products with a `Var` take them. The operators
/// `&`, `|`, `^` and `!` are the logical ones, element by element and broadcast.
///
/// ```
/// use pullback::prelude::*;
/// let x = Var::from([-1.0, 0.5, 2.0]);
/// let inside = x.gt(0.0) & x.lt(1.0);
/// assert_eq!(inside.as_slice(), &[false, true, false]);
/// assert_eq!((inside.count(), inside.any(), inside.all()), (1, true, false));
/// assert_eq!((&x * !inside).as_slice(), &[-1.0, 0.0, 2.0]);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Mask {
    shape: Shape,
    values: Arc<[bool]>,
}

impl Mask {
    pub(super) fn new(shape: &[usize], values: impl Into<Arc<[bool]>>) -> Self {
        let mask = Mask { shape: Shape::from_slice(shape), values: values.into() };
        debug_assert_eq!(len_of(shape), mask.values.len());
        mask
    }

    /// From the row-major elements.
    ///
    /// # Errors
    /// If the number of elements is not the product of the shape.
    pub fn from_shape_vec(shape: &[usize], values: Vec<bool>) -> Result<Self> {
        if len_of(shape) != values.len() {
            let message = format!("shape {shape:?} needs {} elements, got {}", len_of(shape), values.len());
            return Err(Error::shape("from_shape_vec", message));
        }
        Ok(Mask::new(shape, values))
    }

    /// The same truth value everywhere.
    pub fn full(shape: &[usize], value: bool) -> Self {
        Mask::new(shape, vec![value; len_of(shape)])
    }

    /// The lengths of the axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The number of axes.
    pub fn ndim(&self) -> usize {
        self.shape.len()
    }

    /// The number of elements.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// The row-major elements.
    pub fn as_slice(&self) -> &[bool] {
        &self.values
    }

    pub(super) fn shared(&self) -> Arc<[bool]> {
        self.values.clone()
    }

    /// The truth values as an owned array.
    pub fn to_array(&self) -> ArrayD<bool> {
        ArrayD::from_shape_vec(IxDyn(&self.shape), self.values.to_vec()).expect("row-major and contiguous")
    }

    /// 1 where true, 0 where false (a constant).
    pub fn to_var<T: Scalar>(&self) -> Var<T> {
        Var::constant(Tensor::new(&self.shape, map(&self.values, |c: bool| if c { T::one() } else { T::zero() })))
    }

    /// The single truth value.
    ///
    /// # Panics
    /// If there is not exactly one element.
    #[track_caller]
    pub fn item(&self) -> bool {
        assert!(self.len() == 1, "item: needs exactly one element, the shape is {:?}", self.shape);
        self.values[0]
    }

    /// Whether some element is true.
    pub fn any(&self) -> bool {
        self.values.contains(&true)
    }

    /// Whether every element is true; so of no elements.
    pub fn all(&self) -> bool {
        !self.values.contains(&false)
    }

    /// How many elements are true.
    pub fn count(&self) -> usize {
        self.values.iter().filter(|&&c| c).count()
    }

    /// The row-major positions of the true elements (numpy's `flatnonzero`).
    pub fn positions(&self) -> Vec<usize> {
        self.values.iter().enumerate().filter_map(|(i, &c)| c.then_some(i)).collect()
    }

    /// All values along an axis combined, from a first one on.
    #[track_caller]
    fn along(&self, operation: &str, axis: isize, keepdims: bool, first: bool, f: impl Fn(bool, bool) -> bool) -> Mask {
        let axis = super::shape::axis_of(operation, axis, self.ndim());
        let (outer, n, inner) = super::shape::around(&self.shape, axis);
        let at = |o: usize, k: usize, i: usize| self.values[(o * n + k) * inner + i];
        let lanes = (0..outer).flat_map(|o| (0..inner).map(move |i| (o, i)));
        let values: Vec<bool> = lanes.map(|(o, i)| (0..n).fold(first, |c, k| f(c, at(o, k, i)))).collect();
        let mut shape = self.shape.clone();
        if keepdims {
            shape[axis] = 1;
        } else {
            shape.remove(axis);
        }
        Mask::new(&shape, values)
    }

    /// Whether some element is true along an axis.
    ///
    /// # Panics
    /// For an axis out of range.
    #[track_caller]
    pub fn any_axis(&self, axis: isize, keepdims: bool) -> Mask {
        self.along("any_axis", axis, keepdims, false, |a, b| a | b)
    }

    /// Whether every element is true along an axis.
    ///
    /// # Panics
    /// For an axis out of range.
    #[track_caller]
    pub fn all_axis(&self, axis: isize, keepdims: bool) -> Mask {
        self.along("all_axis", axis, keepdims, true, |a, b| a & b)
    }

    /// Repeated along new leading axes and axes of length 1.
    ///
    /// # Panics
    /// If the mask does not broadcast to the shape.
    #[track_caller]
    pub fn broadcast_to(&self, shape: &[usize]) -> Mask {
        if self.shape() == shape {
            return self.clone();
        }
        let fits = broadcast_shape(&self.shape, shape).is_some_and(|s| s[..] == *shape);
        assert!(
            fits,
            "broadcast_to: mask of shape {:?} does not broadcast to {shape:?}: axes, counted from the last, must be equal or 1",
            self.shape
        );
        Mask::new(shape, binary_broadcast(&self.values, &self.shape, &[()], &[], shape, |c, ()| c))
    }

    #[track_caller]
    fn combine(&self, operation: &str, other: &Mask, f: impl Fn(bool, bool) -> bool + Sync + Copy) -> Mask {
        let shape = common_shape(operation, &self.shape, &other.shape);
        Mask::new(&shape, binary_broadcast(&self.values, &self.shape, &other.values, &other.shape, &shape, f))
    }

    /// Both true, element by element, broadcast.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn logical_and(&self, other: &Mask) -> Mask {
        self.combine("logical_and", other, |a, b| a & b)
    }

    /// One of the two true or both, element by element, broadcast.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn logical_or(&self, other: &Mask) -> Mask {
        self.combine("logical_or", other, |a, b| a | b)
    }

    /// Exactly one of the two true, element by element, broadcast.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn logical_xor(&self, other: &Mask) -> Mask {
        self.combine("logical_xor", other, |a, b| a ^ b)
    }

    /// False where true and true where false.
    pub fn logical_not(&self) -> Mask {
        Mask::new(&self.shape, map(&self.values, |c: bool| !c))
    }

    /// True where j ≤ i + k: on and below the k-th diagonal of an n × m matrix.
    pub(super) fn lower(n: usize, m: usize, k: isize) -> Mask {
        let values: Vec<bool> = (0..n as isize).flat_map(|i| (0..m as isize).map(move |j| j <= i + k)).collect();
        Mask::new(&[n, m], values)
    }
}

/// The shape that two broadcast to.
#[track_caller]
pub(super) fn common_shape(operation: &str, a: &[usize], b: &[usize]) -> Shape {
    match broadcast_shape(a, b) {
        Some(shape) => Shape::from_slice(&shape),
        None => panic!("{operation}: shapes {a:?} and {b:?} do not broadcast: axes, counted from the last, must be equal or 1"),
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mask({}, shape {:?})", self.to_array(), self.shape)
    }
}

impl<S: Data<Elem = bool>, D: Dimension> From<&ArrayBase<S, D>> for Mask {
    fn from(a: &ArrayBase<S, D>) -> Self {
        Mask::new(a.shape(), a.iter().copied().collect::<Vec<_>>())
    }
}

impl From<Vec<bool>> for Mask {
    fn from(values: Vec<bool>) -> Self {
        Mask::new(&[values.len()], values)
    }
}

impl<const N: usize> From<[bool; N]> for Mask {
    fn from(values: [bool; N]) -> Self {
        Mask::new(&[N], values.to_vec())
    }
}

macro_rules! logical {
    ($($trait:ident $f:ident $method:ident;)*) => { $(
        logical!(@impl $trait $f $method Mask, Mask);
        logical!(@impl $trait $f $method Mask, &Mask);
        logical!(@impl $trait $f $method &Mask, Mask);
        logical!(@impl $trait $f $method &Mask, &Mask);
    )* };
    (@impl $trait:ident $f:ident $method:ident $a:ty, $b:ty) => {
        impl std::ops::$trait<$b> for $a {
            type Output = Mask;
            #[track_caller]
            fn $f(self, other: $b) -> Mask {
                #[allow(clippy::needless_borrow)]
                self.$method(&other)
            }
        }
    };
}
logical! { BitAnd bitand logical_and; BitOr bitor logical_or; BitXor bitxor logical_xor; }

impl std::ops::Not for Mask {
    type Output = Mask;
    fn not(self) -> Mask {
        self.logical_not()
    }
}

impl std::ops::Not for &Mask {
    type Output = Mask;
    fn not(self) -> Mask {
        self.logical_not()
    }
}

macro_rules! masked_product {
    ($($var:ty, $mask:ty;)*) => { $(
        /// The array where the mask is true, 0 elsewhere (an exact zero, also where the array is not a number), broadcast.
        impl<T: Scalar> std::ops::Mul<$mask> for $var {
            type Output = Var<T>;
            #[track_caller]
            fn mul(self, mask: $mask) -> Var<T> {
                #[allow(clippy::needless_borrow)]
                super::selection::masked("multiply", &self, &mask)
            }
        }
        /// The array where the mask is true, 0 elsewhere (an exact zero, also where the array is not a number), broadcast.
        impl<T: Scalar> std::ops::Mul<$var> for $mask {
            type Output = Var<T>;
            #[track_caller]
            fn mul(self, x: $var) -> Var<T> {
                x * self
            }
        }
    )* };
}
masked_product! { Var<T>, Mask; Var<T>, &Mask; &Var<T>, Mask; &Var<T>, &Mask; }

#[track_caller]
fn compare<T: Scalar>(operation: &str, x: &Var<T>, y: &Var<T>, f: impl Fn(T, T) -> bool + Sync + Copy) -> Mask {
    let shape = common_shape(operation, x.shape(), y.shape());
    Mask::new(&shape, binary_broadcast(x.as_slice(), x.shape(), y.as_slice(), y.shape(), &shape, f))
}

macro_rules! comparisons {
    ($bound:ident: $($(#[doc = $doc:literal])+ $f:ident $op:tt;)*) => {
        impl<T: $bound> Var<T> { $(
            $(#[doc = $doc])+
            ///
            /// # Panics
            /// If the shapes do not broadcast.
            #[track_caller]
            pub fn $f(&self, y: impl Into<Var<T>>) -> Mask {
                compare(stringify!($f), self, &y.into(), |a, b| a $op b)
            }
        )* }
    };
}
comparisons! { Real:
    /// x < y element by element, broadcast; false where one is NaN.
    lt <;
    /// x ≤ y element by element, broadcast; false where one is NaN.
    le <=;
    /// x > y element by element, broadcast; false where one is NaN.
    gt >;
    /// x ≥ y element by element, broadcast; false where one is NaN.
    ge >=;
}
comparisons! { Scalar:
    /// x = y element by element, broadcast; false where one is NaN.
    eq_elem ==;
    /// x ≠ y element by element, broadcast; true where one is NaN.
    ne_elem !=;
}

impl<T: Scalar> Var<T> {
    fn test(&self, f: impl Fn(T) -> bool + Sync) -> Mask {
        Mask::new(self.shape(), map(self.as_slice(), f))
    }

    /// Neither infinite nor NaN, in both parts.
    pub fn isfinite(&self) -> Mask {
        self.test(|x| x.is_finite())
    }

    /// NaN in either part.
    pub fn isnan(&self) -> Mask {
        self.test(|x| x.is_nan())
    }

    /// Infinite in either part.
    pub fn isinf(&self) -> Mask {
        let infinite = |x: T::Real| x.abs() == T::Real::INFINITY;
        self.test(move |x| infinite(x.re()) || infinite(x.im()))
    }
}
