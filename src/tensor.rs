//! What an array's numbers live in: row-major, contiguous, reference-counted, with 0-d values kept inline.

use crate::kernels::pool;
use crate::scalar::Scalar;
use smallvec::SmallVec;
use std::sync::{Arc, OnceLock};

/// The lengths of an array's axes.
pub(crate) type Shape = SmallVec<[usize; 4]>;

/// A row-major contiguous array. Clones share the buffer; reshapes and ranges of the leading axis are free.
pub(crate) struct Tensor<T> {
    shape: Shape,
    data: Data<T>,
}

#[derive(Clone)]
enum Data<T> {
    /// One element, without an allocation: chains of 0-d operations stay cheap.
    Inline(T),
    /// A range of a shared buffer; its length is the product of the shape.
    Shared { buffer: Arc<Buffer<T>>, offset: usize },
    /// One number everywhere, such as the cotangent of a sum: written out when somebody reads the elements.
    Uniform(Arc<Uniform<T>>),
    /// Only the shape was kept, for a rule that declared that it does not need the numbers.
    Absent,
}

impl<T: Clone> Clone for Tensor<T> {
    #[inline]
    fn clone(&self) -> Self {
        // a copy of the bytes; SmallVec's own clone goes element by element
        Tensor { shape: Shape::from_slice(&self.shape), data: self.data.clone() }
    }
}

/// The numbers of one or more arrays; their memory is used again.
struct Buffer<T>(Vec<T>);

impl<T> Drop for Buffer<T> {
    fn drop(&mut self) {
        pool::give(std::mem::take(&mut self.0));
    }
}

struct Uniform<T> {
    x: T,
    written: OnceLock<Buffer<T>>,
}

impl<T: Scalar> Uniform<T> {
    fn write(&self, n: usize) -> &[T] {
        &self.written.get_or_init(|| Buffer(pool::filled(n, self.x))).0
    }
}

/// The number of elements of a shape.
#[inline]
pub(crate) fn len_of(shape: &[usize]) -> usize {
    shape.iter().product()
}

impl<T: Scalar> Tensor<T> {
    pub(crate) fn new(shape: &[usize], data: Vec<T>) -> Self {
        Self::with_shape(Shape::from_slice(shape), data)
    }

    pub(crate) fn with_shape(shape: Shape, data: Vec<T>) -> Self {
        assert_eq!(len_of(&shape), data.len(), "the buffer of a tensor of shape {shape:?}");
        let data = if data.len() == 1 { Data::Inline(data[0]) } else { Data::Shared { buffer: Arc::new(Buffer(data)), offset: 0 } };
        Tensor { shape, data }
    }

    #[inline]
    pub(crate) fn scalar(x: T) -> Self {
        Tensor { shape: Shape::new(), data: Data::Inline(x) }
    }

    pub(crate) fn full(shape: &[usize], x: T) -> Self {
        let data = if len_of(shape) == 1 { Data::Inline(x) } else { Data::Uniform(Arc::new(Uniform { x, written: OnceLock::new() })) };
        Tensor { shape: Shape::from_slice(shape), data }
    }

    pub(crate) fn absent(shape: &[usize]) -> Self {
        Tensor { shape: Shape::from_slice(shape), data: Data::Absent }
    }

    #[inline]
    pub(crate) fn shape(&self) -> &[usize] {
        &self.shape
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        len_of(&self.shape)
    }

    #[inline]
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self.data, Data::Absent)
    }

    /// The single element of a 0-d tensor, without looking at a buffer.
    #[inline]
    pub(crate) fn as_scalar(&self) -> Option<T> {
        match self.data {
            Data::Inline(x) if self.shape.is_empty() => Some(x),
            _ => None,
        }
    }

    /// The number that is at all places, where that is known without looking at them.
    #[inline]
    pub(crate) fn as_uniform(&self) -> Option<T> {
        match &self.data {
            Data::Inline(x) => Some(*x),
            Data::Uniform(uniform) => Some(uniform.x),
            _ => None,
        }
    }

    /// The elements, or one of them where they are known to be the same.
    pub(crate) fn elements_or_one(&self) -> &[T] {
        match &self.data {
            Data::Uniform(uniform) => std::slice::from_ref(&uniform.x),
            _ => self.as_slice(),
        }
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[T] {
        match &self.data {
            Data::Uniform(uniform) => uniform.write(len_of(&self.shape)),
            Data::Inline(x) => std::slice::from_ref(x),
            Data::Shared { buffer, offset } => &buffer.0[*offset..*offset + len_of(&self.shape)],
            Data::Absent => panic!("a rule read a value of shape {:?} that it had declared not to keep", self.shape),
        }
    }

    /// The elements for writing, if nobody else holds the buffer.
    #[inline]
    pub(crate) fn unique_mut(&mut self) -> Option<&mut [T]> {
        let n = len_of(&self.shape);
        if let Data::Uniform(uniform) = &self.data {
            self.data = Data::Shared { buffer: Arc::new(Buffer(pool::filled(n, uniform.x))), offset: 0 };
        }
        match &mut self.data {
            Data::Inline(x) => Some(std::slice::from_mut(x)),
            Data::Shared { buffer, offset } => Arc::get_mut(buffer).map(|b| &mut b.0[*offset..*offset + n]),
            Data::Uniform(_) | Data::Absent => None,
        }
    }

    /// The elements as a vector, without a copy if nobody else holds the buffer.
    pub(crate) fn into_vec(self) -> Vec<T> {
        let n = self.len();
        match self.data {
            Data::Inline(x) => vec![x],
            Data::Shared { buffer, offset: 0 } if buffer.0.len() == n => match Arc::try_unwrap(buffer) {
                Ok(mut buffer) => std::mem::take(&mut buffer.0),
                Err(buffer) => pool::copied(&buffer.0),
            },
            Data::Shared { buffer, offset } => pool::copied(&buffer.0[offset..offset + n]),
            Data::Uniform(uniform) => pool::filled(n, uniform.x),
            Data::Absent => panic!("a rule read a value that it had declared not to keep"),
        }
    }

    /// The elements as a vector, if nobody else holds the buffer, it holds nothing else, and it has room for `n` elements.
    pub(crate) fn into_vec_with_room(self, n: usize) -> Result<Vec<T>, Self> {
        let len = self.len();
        match self.data {
            Data::Shared { buffer, offset: 0 } if buffer.0.len() == len && buffer.0.capacity() >= n => match Arc::try_unwrap(buffer) {
                Ok(mut buffer) => Ok(std::mem::take(&mut buffer.0)),
                Err(buffer) => Err(Tensor { shape: self.shape, data: Data::Shared { buffer, offset: 0 } }),
            },
            data => Err(Tensor { shape: self.shape, data }),
        }
    }

    /// The same elements under another shape of as many.
    pub(crate) fn reshaped(mut self, shape: &[usize]) -> Self {
        debug_assert_eq!(len_of(shape), self.len());
        self.shape = Shape::from_slice(shape);
        self
    }

    /// Rows `start..end` of the leading axis, sharing the buffer.
    pub(crate) fn rows(&self, start: usize, end: usize) -> Self {
        let mut shape = self.shape.clone();
        let row = len_of(&shape[1..]);
        shape[0] = end - start;
        let n = len_of(&shape);
        let data = match &self.data {
            Data::Shared { buffer, offset } if n > 1 => Data::Shared { buffer: buffer.clone(), offset: offset + start * row },
            Data::Uniform(uniform) => return Self::full(&shape, uniform.x),
            _ if n == 1 => Data::Inline(self.as_slice()[start * row]),
            _ => Data::Shared { buffer: Arc::new(Buffer(Vec::new())), offset: 0 },
        };
        Tensor { shape, data }
    }
}
