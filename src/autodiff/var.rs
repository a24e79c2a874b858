//! [`Var`]: an array that may belong to a computation that is being differentiated.

use super::layer::Layer;
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use ndarray::{Array, ArrayBase, ArrayD, ArrayViewD, CowArray, Data, Dimension, IxDyn};
use std::fmt;

/// An array of any rank, shared by reference, that operations can be differentiated through.
///
/// Made from numbers it is a constant: nothing is recorded and temporaries are freed as they drop. Inside a transform
/// ([`grad`](crate::grad), [`jvp`](crate::jvp), …) the argument belongs to the transform's level and so does what is computed from it.
/// A clone shares the numbers. `Var` is `Send + Sync` and holds no lifetime.
///
/// ```
/// use pullback::prelude::*;
/// let x = Var::from(ndarray::array![[1.0, 2.0], [3.0, 4.0]]);
/// assert_eq!(x.shape(), &[2, 2]);
/// assert_eq!((&x * 2.0).sum().item(), 20.0);
/// ```
#[derive(Clone)]
pub struct Var<T> {
    pub(crate) value: Tensor<T>,
    pub(crate) top: Option<Layer<T>>,
}

impl<T: Scalar> Var<T> {
    #[inline]
    pub(crate) fn constant(value: Tensor<T>) -> Self {
        Var { value, top: None }
    }

    /// A 0-d constant.
    #[inline]
    pub fn scalar(x: T) -> Self {
        Var::constant(Tensor::scalar(x))
    }

    /// A constant from its row-major elements.
    ///
    /// # Errors
    /// If the number of elements is not the product of the shape.
    pub fn from_shape_vec(shape: &[usize], data: Vec<T>) -> Result<Self> {
        if crate::tensor::len_of(shape) != data.len() {
            return Err(Error::shape(
                "from_shape_vec",
                format!("shape {shape:?} needs {} elements, got {}", crate::tensor::len_of(shape), data.len()),
            ));
        }
        Ok(Var::constant(Tensor::new(shape, data)))
    }

    /// The lengths of the axes.
    #[inline]
    pub fn shape(&self) -> &[usize] {
        self.value.shape()
    }

    /// The number of axes.
    #[inline]
    pub fn ndim(&self) -> usize {
        self.value.shape().len()
    }

    /// The number of elements.
    #[inline]
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.value.len()
    }

    /// The row-major elements. Reading them leaves the computation that is being differentiated.
    #[inline]
    pub fn as_slice(&self) -> &[T] {
        self.value.as_slice()
    }

    /// A view of the numbers. Reading them leaves the computation that is being differentiated.
    pub fn value(&self) -> ArrayViewD<'_, T> {
        ArrayViewD::from_shape(IxDyn(self.shape()), self.as_slice()).expect("row-major and contiguous")
    }

    /// The single element.
    ///
    /// # Panics
    /// If there is not exactly one element.
    #[inline]
    #[track_caller]
    pub fn item(&self) -> T {
        assert!(self.len() == 1, "item: needs exactly one element, the shape is {:?}", self.shape());
        self.as_slice()[0]
    }

    /// The numbers as an owned array of any rank.
    pub fn to_array(&self) -> ArrayD<T> {
        self.value().to_owned()
    }

    /// The numbers as an owned array of a given rank, without a copy if nobody else holds them.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let x = Var::from(ndarray::array![1.0, 2.0]);
    /// let a: ndarray::Array1<f64> = x.into_array()?;
    /// assert_eq!(a, ndarray::array![1.0, 2.0]);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the rank is another one.
    pub fn into_array<D: Dimension>(self) -> Result<Array<T, D>> {
        let shape = IxDyn(self.shape());
        let found = self.ndim();
        ArrayD::from_shape_vec(shape, self.value.into_vec())
            .expect("row-major and contiguous")
            .into_dimensionality::<D>()
            .map_err(|_| Error::shape("into_array", format!("the array has {found} axes, the type asks for {:?}", D::NDIM)))
    }

    /// Whether the variable belongs to no computation that is being differentiated.
    #[inline]
    pub fn is_constant(&self) -> bool {
        self.top.is_none()
    }

    /// The same numbers as a constant at every level: derivatives do not pass.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let g = grad(|x: &Var<f64>| x * x.stop_gradient(), &3.0)?;
    /// assert_eq!(g, 3.0);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    #[inline]
    pub fn stop_gradient(&self) -> Var<T> {
        Var::constant(self.value.clone())
    }

    /// Zeros of this shape.
    pub fn zeros_like(&self) -> Var<T> {
        Var::constant(Tensor::full(self.shape(), T::zero()))
    }

    /// Ones of this shape.
    pub fn ones_like(&self) -> Var<T> {
        Var::constant(Tensor::full(self.shape(), T::one()))
    }
}

impl<T: Scalar, S: Data<Elem = T>, D: Dimension> From<&ArrayBase<S, D>> for Var<T> {
    fn from(a: &ArrayBase<S, D>) -> Self {
        Var::constant(Tensor::new(a.shape(), a.iter().copied().collect()))
    }
}

impl<T: Scalar, D: Dimension> From<Array<T, D>> for Var<T> {
    fn from(a: Array<T, D>) -> Self {
        let shape = crate::tensor::Shape::from_slice(a.shape());
        let data = if a.is_standard_layout() {
            let (data, offset) = a.into_raw_vec_and_offset();
            match offset {
                None | Some(0) if data.len() == crate::tensor::len_of(&shape) => data,
                _ => {
                    let start = offset.unwrap_or(0);
                    data[start..start + crate::tensor::len_of(&shape)].to_vec()
                }
            }
        } else {
            CowArray::from(a).iter().copied().collect()
        };
        Var::constant(Tensor::with_shape(shape, data))
    }
}

impl<T: Scalar> From<T> for Var<T> {
    fn from(x: T) -> Self {
        Var::scalar(x)
    }
}

impl<T: Scalar> From<Vec<T>> for Var<T> {
    fn from(x: Vec<T>) -> Self {
        Var::constant(Tensor::with_shape(smallvec::smallvec![x.len()], x))
    }
}

impl<T: Scalar> From<&[T]> for Var<T> {
    fn from(x: &[T]) -> Self {
        Var::from(x.to_vec())
    }
}

impl<T: Scalar, const N: usize> From<[T; N]> for Var<T> {
    fn from(x: [T; N]) -> Self {
        Var::from(x.to_vec())
    }
}

impl<T: Scalar> From<&Var<T>> for Var<T> {
    fn from(x: &Var<T>) -> Self {
        x.clone()
    }
}

impl<T: Scalar> fmt::Display for Var<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ndim() == 0 { fmt::Display::fmt(&self.item(), f) } else { fmt::Display::fmt(&self.value(), f) }
    }
}

impl<T: Scalar> fmt::Debug for Var<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.value.is_absent() {
            return write!(f, "Var(shape {:?}, not kept)", self.shape());
        }
        write!(f, "Var({}, shape {:?}", self, self.shape())?;
        if self.top.is_some() {
            write!(f, ", level {}", self.level())?;
        }
        write!(f, ")")
    }
}
