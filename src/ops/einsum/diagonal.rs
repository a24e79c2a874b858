//! Diagonals: y[i, …] = x[offset + i s₁ + …], the elements of an array along steps of several axes at once, and the transpose, which
//! puts them back among zeros.

use crate::autodiff::Var;
use crate::autodiff::rule::{Keep, UnaryRule, unary};
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor, len_of};
use std::marker::PhantomData;
use std::sync::Arc;

/// Which elements: distinct places of an array of shape `whole`.
pub(crate) struct Places {
    pub(crate) whole: Shape,
    pub(crate) part: Shape,
    pub(crate) strides: Shape,
    pub(crate) offset: usize,
}

impl Places {
    fn for_each(&self, mut f: impl FnMut(usize)) {
        if self.part.contains(&0) {
            return;
        }
        let Some((&inner, outer)) = self.part.split_last() else { return f(self.offset) };
        let step = self.strides[outer.len()];
        let mut index: Shape = Shape::from_elem(0, outer.len());
        let mut at = self.offset;
        loop {
            (0..inner).for_each(|i| f(at + i * step));
            let mut k = outer.len();
            loop {
                if k == 0 {
                    return;
                }
                k -= 1;
                index[k] += 1;
                at += self.strides[k];
                if index[k] < outer[k] {
                    break;
                }
                at -= self.strides[k] * outer[k];
                index[k] = 0;
            }
        }
    }
}

struct Diagonal<T> {
    places: Arc<Places>,
    back: bool,
    types: PhantomData<T>,
}

impl<T> Clone for Diagonal<T> {
    fn clone(&self) -> Self {
        Diagonal { places: self.places.clone(), back: self.back, types: PhantomData }
    }
}

impl<T: Scalar> UnaryRule for Diagonal<T> {
    type In = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "diagonal"
    }
    fn keep(&self) -> Keep {
        Keep::NOTHING
    }
    fn forward(&self, x: Var<T>) -> Tensor<T> {
        let values = x.as_slice();
        if self.back {
            let mut out = vec![T::zero(); len_of(&self.places.whole)];
            let mut next = values.iter();
            self.places.for_each(|at| out[at] = *next.next().expect("one element a place"));
            return Tensor::new(&self.places.whole, out);
        }
        let mut out = Vec::with_capacity(len_of(&self.places.part));
        self.places.for_each(|at| out.push(values[at]));
        Tensor::new(&self.places.part, out)
    }
    fn vjp(&self, _: &Var<T>, _: &Var<T>, g: Var<T>) -> Var<T> {
        unary(Diagonal { back: !self.back, ..self.clone() }, g)
    }
    fn jvp(&self, _: &Var<T>, _: &Var<T>, dx: Var<T>) -> Var<T> {
        unary(self.clone(), dx)
    }
}

/// The elements at these places.
pub(crate) fn take<T: Scalar>(x: Var<T>, places: Arc<Places>) -> Var<T> {
    unary(Diagonal { places, back: false, types: PhantomData }, x)
}
