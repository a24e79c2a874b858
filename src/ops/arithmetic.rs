//! Elementwise functions of two arrays, broadcast as numpy does: the operators, powers, extrema.
//!
//! Derivatives of elementwise functions are applied by g ⊠ d, a product that is an exact 0 where the cotangent or tangent g is 0, whatever
//! the derivative d: an infinite or NaN derivative counts only where something comes through it. It is linear in g; as a function of d it
//! is 0 where g is 0, so its own derivative there is 0 for either being 0, and that holds at every order.

use super::broadcast::{sum_stack_to, sum_to};
use crate::autodiff::Var;
use crate::autodiff::number::binary_number;
use crate::autodiff::rule::{BinaryRule, Keep, binary};
use crate::kernels::broadcast::{binary_broadcast, binary_broadcast_op, broadcast_shape};
use crate::kernels::elementwise::{self as kernel, Binary};
use crate::scalar::{Real, Scalar};
use crate::tensor::Tensor;
use num_complex::Complex;
use num_traits::Zero;
use std::marker::PhantomData;

#[derive(Clone)]
struct Arithmetic<T> {
    op: Binary,
    types: PhantomData<T>,
}

fn name(op: Binary) -> &'static str {
    match op {
        Binary::Add => "add",
        Binary::Sub => "subtract",
        Binary::Mul | Binary::Weigh | Binary::WeighBoth => "multiply",
        Binary::Div => "divide",
        Binary::Pow => "power",
        Binary::Max => "maximum",
        Binary::Min => "minimum",
        Binary::Atan2 => "arctan2",
        Binary::Hypot => "hypot",
        Binary::Rem => "mod",
    }
}

/// z = f(x, y) element by element.
#[track_caller]
pub(crate) fn elementwise<T: Scalar>(op: Binary, x: Var<T>, y: Var<T>) -> Var<T> {
    if x.shape() != y.shape() && broadcast_shape(x.shape(), y.shape()).is_none() {
        panic!(
            "{}: shapes {:?} and {:?} do not broadcast: axes, counted from the last, must be equal or 1",
            name(op),
            x.shape(),
            y.shape()
        );
    }
    binary(Arithmetic { op, types: PhantomData }, x, y)
}

/// The four operations on numbers of one reverse level.
#[inline]
fn numbers<T: Scalar>(op: Binary, x: &Var<T>, y: &Var<T>) -> Option<Var<T>> {
    binary_number(name(op), x, y, |x, y| {
        let one = T::one();
        let of = |x, y| kernel::binary_scalars(op, x, y);
        let slopes = match op {
            Binary::Add => [one, one],
            Binary::Sub => [one, -one],
            Binary::Mul => [y.conj(), x.conj()],
            Binary::Div => [of(one, y).conj(), -of(of(x, y), y).conj()],
            _ => return None,
        };
        Some((of(x, y), slopes))
    })
}

/// g ⊠ d: a cotangent or tangent times a derivative, an exact zero where the former is zero.
#[track_caller]
pub(super) fn weigh<T: Scalar>(g: Var<T>, derivative: Var<T>) -> Var<T> {
    elementwise(Binary::Weigh, g, derivative)
}

fn weigh_both<T: Scalar>(x: Var<T>, y: Var<T>) -> Var<T> {
    elementwise(Binary::WeighBoth, x, y)
}

fn constant<T: Scalar>(x: f64) -> T {
    <T as crate::scalar::Number>::constant(x)
}

/// A constant array computed from two constants of the level below, broadcast.
fn weights<T: Scalar>(x: &Var<T>, y: &Var<T>, f: &(dyn Fn(T, T) -> T + Sync)) -> Var<T> {
    let shape = broadcast_shape(x.shape(), y.shape()).expect("checked");
    Var::constant(Tensor::new(&shape, binary_broadcast(x.as_slice(), x.shape(), y.as_slice(), y.shape(), &shape, f)))
}

impl<T: Scalar> Arithmetic<T> {
    /// (∂z/∂x, ∂z/∂y), where needed.
    fn partials(&self, x: &Var<T>, y: &Var<T>, z: &Var<T>, needs: (bool, bool)) -> (Option<Var<T>>, Option<Var<T>>) {
        let zero = T::Real::zero();
        match self.op {
            Binary::Div => (needs.0.then(|| y.reciprocal()), needs.1.then(|| -(z / y))),
            Binary::Pow => {
                // x^(y−1) y is 0 for y = 0 whatever x is, and x^y ln x is 0 where x^y has reached its limit 0, or x and y are 0
                let dx = || {
                    let slope = x.pow(y - constant::<T>(1.0)) * y;
                    let dead = weights(x, y, &|x, y| if y == T::zero() && x == T::zero() { T::one() } else { T::zero() });
                    slope.zero_unless_zero(&dead)
                };
                let dy = || {
                    let dead = weights(x, y, &|x, y| if x == T::zero() && y.re() >= T::Real::zero() { T::one() } else { T::zero() });
                    (z * x.log()).zero_unless_zero(&dead)
                };
                (needs.0.then(dx), needs.1.then(dy))
            }
            Binary::Max | Binary::Min => {
                let max = self.op == Binary::Max;
                let share = move |a: T, b: T| {
                    let wins = if max { a.re() > b.re() } else { a.re() < b.re() };
                    // a NaN wins, and so has the derivative
                    if wins || (a.is_nan() && !b.is_nan()) {
                        T::one()
                    } else if a == b || (a.is_nan() && b.is_nan()) {
                        constant(0.5)
                    } else {
                        T::zero()
                    }
                };
                (needs.0.then(|| weights(x, y, &share)), needs.1.then(|| weights(y, x, &share)))
            }
            // arctan2(x, y) is the angle of the point (y, x)
            Binary::Atan2 => {
                // 1/r twice: r² would leave the range of numbers long before the angle's derivative does
                let inverse = elementwise(Binary::Hypot, x.clone(), y.clone()).reciprocal_or_zero();
                (needs.0.then(|| y * &inverse * &inverse), needs.1.then(|| -(x * &inverse * &inverse)))
            }
            Binary::Hypot => {
                let inverse = z.reciprocal_or_zero();
                (needs.0.then(|| x * &inverse), needs.1.then(|| y * &inverse))
            }
            Binary::Rem => (
                needs.0.then(|| weights(x, y, &|_, _| T::one())),
                needs.1.then(|| weights(x, y, &move |x, y| if y.re() == zero { T::zero() } else { -T::from_real((x / y).re().floor()) })),
            ),
            Binary::Add | Binary::Sub | Binary::Mul | Binary::Weigh | Binary::WeighBoth => unreachable!("have their own rules"),
        }
    }
}

impl<T: Scalar> Arithmetic<T> {
    fn broadcast(&self, x: Tensor<T>, y: Tensor<T>) -> Tensor<T> {
        let shape = broadcast_shape(x.shape(), y.shape()).expect("checked by the caller");
        let values = binary_broadcast_op(self.op, x.as_slice(), x.shape(), y.as_slice(), y.shape(), &shape);
        Tensor::with_shape(shape, values)
    }

    /// Where one of the arrays, or both, is a number everywhere.
    fn with_a_number(&self, x: Tensor<T>, y: Tensor<T>) -> Tensor<T> {
        let shape = broadcast_shape(x.shape(), y.shape()).expect("checked by the caller");
        match (x.as_uniform(), y.as_uniform()) {
            (Some(a), Some(b)) => Tensor::full(&shape, kernel::binary_scalars(self.op, a, b)),
            (_, Some(b)) if x.shape() == &shape[..] => Tensor::with_shape(shape, kernel::binary_scalar_right(self.op, x.as_slice(), b)),
            (Some(a), _) if y.shape() == &shape[..] => Tensor::with_shape(shape, kernel::binary_scalar_left(self.op, a, y.as_slice())),
            _ => self.broadcast(x, y),
        }
    }
}

type Product<T> = fn(Var<T>, Var<T>) -> Var<T>;

impl<T: Scalar> Arithmetic<T> {
    /// How a cotangent or tangent goes through either operand of the three products.
    fn products(&self) -> (Product<T>, Product<T>) {
        match self.op {
            Binary::Mul => (weigh, weigh),
            Binary::Weigh => (weigh, weigh_both),
            _ => (weigh_both, weigh_both),
        }
    }

    /// (x̄, ȳ) from z̄ or from a stack of them, `sum_to` their shapes.
    fn pull(
        &self,
        x: &Var<T>,
        y: &Var<T>,
        z: &Var<T>,
        g: Var<T>,
        needs: (bool, bool),
        sum_to: fn(Var<T>, &[usize]) -> Var<T>,
    ) -> (Option<Var<T>>, Option<Var<T>>) {
        let (sx, sy) = (x.shape(), y.shape());
        match self.op {
            Binary::Add if needs.0 && needs.1 => (Some(sum_to(g.clone(), sx)), Some(sum_to(g, sy))),
            Binary::Add => {
                if needs.0 {
                    (Some(sum_to(g, sx)), None)
                } else {
                    (None, Some(sum_to(g, sy)))
                }
            }
            Binary::Sub => (needs.0.then(|| sum_to(g.clone(), sx)), needs.1.then(|| -sum_to(g.clone(), sy))),
            Binary::Mul | Binary::Weigh | Binary::WeighBoth => {
                let (through_x, through_y) = self.products();
                if !needs.1 {
                    return (Some(sum_to(through_x(g, y.conj()), sx)), None);
                }
                let gx = needs.0.then(|| sum_to(through_x(g.clone(), y.conj()), sx));
                (gx, Some(sum_to(through_y(g, x.conj()), sy)))
            }
            _ => {
                let (px, py) = self.partials(x, y, z, needs);
                let gx = px.map(|p| sum_to(weigh(g.clone(), p.conj()), sx));
                (gx, py.map(|p| sum_to(weigh(g, p.conj()), sy)))
            }
        }
    }
}

impl<T: Scalar> BinaryRule for Arithmetic<T> {
    type Left = T;
    type Right = T;
    type Out = T;
    fn name(&self) -> &'static str {
        name(self.op)
    }
    fn keep(&self, needs: (bool, bool)) -> Keep {
        match self.op {
            Binary::Add | Binary::Sub => Keep::NOTHING,
            Binary::Mul | Binary::Weigh | Binary::WeighBoth => Keep { left: needs.1, right: needs.0, out: false },
            Binary::Div => Keep { left: false, right: true, out: needs.1 },
            Binary::Max | Binary::Min | Binary::Rem | Binary::Atan2 => Keep::INPUT,
            Binary::Pow => Keep { left: true, right: true, out: needs.1 },
            Binary::Hypot => Keep::ALL,
        }
    }
    fn forward(&self, x: Var<T>, y: Var<T>) -> Tensor<T> {
        let (mut x, mut y) = (x.value, y.value);
        if let (Some(a), Some(b)) = (x.as_scalar(), y.as_scalar()) {
            return Tensor::scalar(kernel::binary_scalars(self.op, a, b));
        }
        if x.as_uniform().is_some() || y.as_uniform().is_some() {
            return self.with_a_number(x, y);
        }
        if x.shape() == y.shape() {
            if let Some(values) = x.unique_mut() {
                kernel::binary_left_inplace(self.op, values, y.as_slice());
                return x;
            }
            if let Some(values) = y.unique_mut() {
                kernel::binary_right_inplace(self.op, x.as_slice(), values);
                return y;
            }
            return Tensor::new(x.shape(), kernel::binary(self.op, x.as_slice(), y.as_slice()));
        }
        self.broadcast(x, y)
    }
    fn vjp(&self, x: &Var<T>, y: &Var<T>, z: &Var<T>, g: Var<T>, needs: (bool, bool)) -> (Option<Var<T>>, Option<Var<T>>) {
        self.pull(x, y, z, g, needs, sum_to)
    }
    fn stacks(&self) -> bool {
        true
    }
    fn vjp_stacked(&self, x: &Var<T>, y: &Var<T>, z: &Var<T>, g: Var<T>, needs: (bool, bool)) -> (Option<Var<T>>, Option<Var<T>>) {
        self.pull(x, y, z, g, needs, sum_stack_to)
    }
    fn jvp(&self, x: &Var<T>, y: &Var<T>, z: &Var<T>, dx: Option<Var<T>>, dy: Option<Var<T>>) -> Option<Var<T>> {
        let (dx, dy) = match self.op {
            Binary::Add => (dx, dy),
            Binary::Sub => (dx, dy.map(|d| -d)),
            Binary::Mul | Binary::Weigh | Binary::WeighBoth => {
                let (through_x, through_y) = self.products();
                (dx.map(|d| through_x(d, y.clone())), dy.map(|d| through_y(d, x.clone())))
            }
            _ => {
                let (px, py) = self.partials(x, y, z, (dx.is_some(), dy.is_some()));
                (dx.zip(px).map(|(d, p)| weigh(d, p)), dy.zip(py).map(|(d, p)| weigh(d, p)))
            }
        };
        let dz = match (dx, dy) {
            (Some(dx), Some(dy)) => dx + dy,
            (dx, dy) => dx.or(dy)?,
        };
        Some(super::broadcast::to_shape(dz, z.shape()))
    }
}

impl<T: Scalar> Var<T> {
    /// 1/x with 0 at 0.
    fn reciprocal_or_zero(&self) -> Var<T> {
        self.reciprocal().zero_where(self)
    }

    /// The array with 0 wherever `dead` is not 0.
    fn zero_unless_zero(self, dead: &Var<T>) -> Var<T> {
        if dead.as_slice().iter().all(|d| *d == T::zero()) {
            return self;
        }
        let dead: Vec<bool> = dead.as_slice().iter().map(|d| *d != T::zero()).collect();
        super::selection::where_bool(&dead, &self.zeros_like(), &self)
    }

    /// x^y element by element, broadcast; principal branch for complex numbers.
    ///
    /// ∂/∂x = y x^{y−1}, 0 at x = y = 0; ∂/∂y = x^y ln x, 0 at x = 0 ≤ y. At a base of 0 a power below 1 has an infinite ∂/∂x, as it should.
    /// A negative real base with a power that is not an integer is NaN; with one that is, ∂/∂x is right and ∂/∂y is NaN, because there is
    /// nothing between the integers: for a power that is a plain number use [`powf`](Var::powf) or [`powi`](Var::powi), or complex numbers.
    #[track_caller]
    pub fn pow(&self, y: impl Into<Var<T>>) -> Var<T> {
        elementwise(Binary::Pow, self.clone(), y.into())
    }

    /// x^p for a real number p.
    #[track_caller]
    pub fn powf(&self, p: f64) -> Var<T> {
        if p == 2.0 { self.square() } else { self.pow(constant::<T>(p)) }
    }

    /// xⁿ for an integer n.
    #[track_caller]
    pub fn powi(&self, n: i32) -> Var<T> {
        self.powf(f64::from(n))
    }
}

macro_rules! two_arrays {
    ($($(#[doc = $doc:literal])+ $f:ident $op:ident;)*) => {
        impl<R: Real> Var<R> { $(
            $(#[doc = $doc])+
            #[track_caller]
            pub fn $f(&self, y: impl Into<Var<R>>) -> Var<R> {
                elementwise(Binary::$op, self.clone(), y.into())
            }
        )* }
    };
}
two_arrays! {
    /// The larger one, element by element, broadcast; a NaN wins. Ties share the derivative equally.
    maximum Max;
    /// The smaller one, element by element, broadcast; a NaN wins. Ties share the derivative equally.
    minimum Min;
    /// The angle of the point (y, `self`), in (−π, π]. The derivative at the origin is 0.
    arctan2 Atan2;
    /// √(x² + y²) without overflow. The derivative at the origin is 0.
    hypot Hypot;
    /// The remainder x − y ⌊x/y⌋, with the sign of y, as numpy's `mod`. ∂/∂x = 1 and ∂/∂y = −⌊x/y⌋, also at the steps.
    mod_ Rem;
    /// numpy's other name for [`mod_`](Var::mod_).
    remainder Rem;
}

macro_rules! operator {
    ($trait:ident $f:ident $assign:ident $fa:ident $op:ident) => {
        impl<T: Scalar> std::ops::$trait<Var<T>> for Var<T> {
            type Output = Var<T>;
            #[inline]
            #[track_caller]
            fn $f(self, y: Var<T>) -> Var<T> {
                match numbers(Binary::$op, &self, &y) {
                    Some(z) => z,
                    None => elementwise(Binary::$op, self, y),
                }
            }
        }
        impl<T: Scalar> std::ops::$trait<&Var<T>> for Var<T> {
            type Output = Var<T>;
            #[inline]
            #[track_caller]
            fn $f(self, y: &Var<T>) -> Var<T> {
                match numbers(Binary::$op, &self, y) {
                    Some(z) => z,
                    None => elementwise(Binary::$op, self, y.clone()),
                }
            }
        }
        impl<T: Scalar> std::ops::$trait<Var<T>> for &Var<T> {
            type Output = Var<T>;
            #[inline]
            #[track_caller]
            fn $f(self, y: Var<T>) -> Var<T> {
                match numbers(Binary::$op, self, &y) {
                    Some(z) => z,
                    None => elementwise(Binary::$op, self.clone(), y),
                }
            }
        }
        impl<T: Scalar> std::ops::$trait<&Var<T>> for &Var<T> {
            type Output = Var<T>;
            #[inline]
            #[track_caller]
            fn $f(self, y: &Var<T>) -> Var<T> {
                match numbers(Binary::$op, self, y) {
                    Some(z) => z,
                    None => elementwise(Binary::$op, self.clone(), y.clone()),
                }
            }
        }
        impl<T: Scalar> std::ops::$trait<T> for Var<T> {
            type Output = Var<T>;
            #[inline]
            fn $f(self, y: T) -> Var<T> {
                elementwise(Binary::$op, self, Var::scalar(y))
            }
        }
        impl<T: Scalar> std::ops::$trait<T> for &Var<T> {
            type Output = Var<T>;
            #[inline]
            fn $f(self, y: T) -> Var<T> {
                elementwise(Binary::$op, self.clone(), Var::scalar(y))
            }
        }
        operator!(@left $trait $f $op f32 f64 Complex<f32> Complex<f64>);
        operator!(@real $trait $f $op f32 f64);
        impl<T: Scalar, Y> std::ops::$assign<Y> for Var<T>
        where
            Var<T>: std::ops::$trait<Y, Output = Var<T>>,
        {
            #[inline]
            #[track_caller]
            fn $fa(&mut self, y: Y) {
                let x = std::mem::replace(self, Var::scalar(T::zero()));
                *self = std::ops::$trait::$f(x, y);
            }
        }
    };
    (@left $trait:ident $f:ident $op:ident $($t:ty)*) => { $(
        impl std::ops::$trait<Var<$t>> for $t {
            type Output = Var<$t>;
            #[inline]
            fn $f(self, y: Var<$t>) -> Var<$t> {
                elementwise(Binary::$op, Var::scalar(self), y)
            }
        }
        impl std::ops::$trait<&Var<$t>> for $t {
            type Output = Var<$t>;
            #[inline]
            fn $f(self, y: &Var<$t>) -> Var<$t> {
                elementwise(Binary::$op, Var::scalar(self), y.clone())
            }
        }
    )* };
    (@real $trait:ident $f:ident $op:ident $($r:ty)*) => { $(
        impl std::ops::$trait<$r> for Var<Complex<$r>> {
            type Output = Var<Complex<$r>>;
            #[inline]
            fn $f(self, y: $r) -> Var<Complex<$r>> {
                elementwise(Binary::$op, self, Var::scalar(y.into()))
            }
        }
        impl std::ops::$trait<$r> for &Var<Complex<$r>> {
            type Output = Var<Complex<$r>>;
            #[inline]
            fn $f(self, y: $r) -> Var<Complex<$r>> {
                elementwise(Binary::$op, self.clone(), Var::scalar(y.into()))
            }
        }
    )* };
}
operator!(Add add AddAssign add_assign Add);
operator!(Sub sub SubAssign sub_assign Sub);
operator!(Mul mul MulAssign mul_assign Mul);
operator!(Div div DivAssign div_assign Div);
