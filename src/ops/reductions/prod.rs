//! Products y = Π x.
//!
//! Pullback: x̄_i = ȳ conj(Π_{j≠i} x_j), which is y/x_i as long as nothing is zero. Where y is zero, subnormal or not finite, the product
//! is taken again as a tree of multiplications and that is differentiated: no division, so that one or several zeros are right to
//! every order, at O(n).

use super::axes::{Axes, Plan};
use crate::autodiff::rule::{Keep, UnaryRule, unary};
use crate::autodiff::{Var, jvp, vjp};
use crate::kernels::reduce as kernel;
use crate::scalar::{Real, Scalar};
use crate::tensor::{Shape, Tensor, len_of};
use std::marker::PhantomData;

#[derive(Clone)]
struct Product<T>(Plan, PhantomData<T>);

impl<T: Scalar> Product<T> {
    /// Whether y/x_i can be relied on.
    fn divides(&self, y: &Var<T>) -> bool {
        y.as_slice().iter().all(|y| y.is_finite() && y.modulus() >= T::Real::MIN_POSITIVE)
    }

    /// The product by a tree of multiplications of halves.
    fn tree(&self, x: &Var<T>) -> Var<T> {
        let plan = &self.0;
        let others = (0..x.ndim()).filter(|i| !plan.axes.contains(i));
        let leading: Vec<isize> = plan.axes.iter().copied().chain(others).map(|axis| axis as isize).collect();
        let mut x = x.permute(&leading).reshape(&[plan.count, len_of(&plan.out)]);
        while x.shape()[0] > 1 {
            let (n, half) = (x.shape()[0], x.shape()[0] / 2);
            let product = rows(&x, 0, half) * rows(&x, half, 2 * half);
            x = if n == 2 * half {
                product
            } else {
                // the odd row goes into the last product
                let last = rows(&product, half - 1, half) * rows(&x, n - 1, n);
                if half == 1 { last } else { pad_rows(&rows(&product, 0, half - 1), 0, half) + pad_rows(&last, half - 1, half) }
            };
        }
        if plan.count == 0 { Var::constant(Tensor::full(&plan.out, T::one())) } else { x.reshape(&plan.out) }
    }
}

impl<T: Scalar> UnaryRule for Product<T> {
    type In = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "prod"
    }
    fn keep(&self) -> Keep {
        Keep::ALL
    }
    fn forward(&self, x: Var<T>) -> Tensor<T> {
        Tensor::with_shape(self.0.out.clone(), kernel::prod_axes(x.as_slice(), x.shape(), &self.0.axes))
    }
    fn vjp(&self, x: &Var<T>, y: &Var<T>, g: Var<T>) -> Var<T> {
        if self.divides(y) {
            return (g * y.conj()).reshape(&self.0.kept) / x.conj();
        }
        let pulled = vjp(|x: &Var<T>| self.tree(x), x).and_then(|(_, pull)| pull.call(&g));
        pulled.expect("multiplications have pullbacks everywhere")
    }
    fn jvp(&self, x: &Var<T>, y: &Var<T>, dx: Var<T>) -> Var<T> {
        if self.divides(y) {
            return self.0.sum(dx / x) * y;
        }
        jvp(|x: &Var<T>| self.tree(x), x, &dx).expect("multiplications have tangents everywhere").1
    }
}

/// Rows of the leading axis; its transpose puts them among zeros.
#[derive(Clone)]
struct Rows<T> {
    start: usize,
    end: usize,
    types: PhantomData<T>,
}

impl<T: Scalar> UnaryRule for Rows<T> {
    type In = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "slice"
    }
    fn keep(&self) -> Keep {
        Keep::NOTHING
    }
    fn forward(&self, x: Var<T>) -> Tensor<T> {
        x.value.rows(self.start, self.end)
    }
    fn vjp(&self, x: &Var<T>, _: &Var<T>, g: Var<T>) -> Var<T> {
        pad_rows(&g, self.start, x.shape()[0])
    }
    fn jvp(&self, _: &Var<T>, _: &Var<T>, dx: Var<T>) -> Var<T> {
        rows(&dx, self.start, self.end)
    }
}

/// Zero rows before and after, `rows` in all.
#[derive(Clone)]
struct PadRows<T> {
    start: usize,
    rows: usize,
    types: PhantomData<T>,
}

impl<T: Scalar> UnaryRule for PadRows<T> {
    type In = T;
    type Out = T;
    fn name(&self) -> &'static str {
        "pad"
    }
    fn keep(&self) -> Keep {
        Keep::NOTHING
    }
    fn forward(&self, x: Var<T>) -> Tensor<T> {
        let mut shape = Shape::from_slice(x.shape());
        let row = len_of(&shape[1..]);
        shape[0] = self.rows;
        let mut out = vec![T::zero(); len_of(&shape)];
        out[self.start * row..self.start * row + x.len()].copy_from_slice(x.as_slice());
        Tensor::with_shape(shape, out)
    }
    fn vjp(&self, x: &Var<T>, _: &Var<T>, g: Var<T>) -> Var<T> {
        rows(&g, self.start, self.start + x.shape()[0])
    }
    fn jvp(&self, _: &Var<T>, _: &Var<T>, dx: Var<T>) -> Var<T> {
        pad_rows(&dx, self.start, self.rows)
    }
}

fn rows<T: Scalar>(x: &Var<T>, start: usize, end: usize) -> Var<T> {
    unary(Rows { start, end, types: PhantomData }, x.clone())
}

fn pad_rows<T: Scalar>(x: &Var<T>, start: usize, rows: usize) -> Var<T> {
    unary(PadRows { start, rows, types: PhantomData }, x.clone())
}

impl<T: Scalar> Var<T> {
    /// Π x over all elements; 1 if there are none. Derivatives of every order are right also where elements are zero.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let g = grad(|x| x.prod(), &ndarray::array![2.0, 0.0, 5.0])?;
    /// assert_eq!(g, ndarray::array![0.0, 10.0, 0.0]);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    pub fn prod(&self) -> Var<T> {
        unary(Product(Plan::all(self.shape()), PhantomData), self.clone())
    }

    /// Π x over axes; 1 over an empty axis.
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    pub fn prod_axis(&self, axes: impl Into<Axes>) -> Var<T> {
        unary(Product(axes.into().plan("prod", self.shape()), PhantomData), self.clone())
    }
}
