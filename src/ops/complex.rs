//! Between real and complex arrays: parts, moduli, angles, precision.

use super::arithmetic::weigh;
use crate::autodiff::Var;
use crate::autodiff::rule::{BinaryRule, Keep, UnaryRule, binary, unary};
use crate::autodiff::tree::Erase;
use crate::kernels::elementwise as kernel;
use crate::scalar::{Number, Real, Scalar};
use crate::tensor::Tensor;
use num_traits::Zero;
use std::marker::PhantomData;

/// Re z, with ȳ ↦ ȳ; Im z, with ȳ ↦ i ȳ.
#[derive(Clone)]
struct Part<T> {
    imaginary: bool,
    types: PhantomData<T>,
}

impl<T: Scalar> UnaryRule for Part<T> {
    type In = T;
    type Out = T::Real;
    fn name(&self) -> &'static str {
        if self.imaginary { "imag" } else { "real" }
    }
    fn keep(&self) -> Keep {
        Keep::NOTHING
    }
    fn forward(&self, x: Var<T>) -> Tensor<T::Real> {
        let imaginary = self.imaginary;
        Tensor::new(x.shape(), kernel::map(x.as_slice(), move |z: T| if imaginary { z.im() } else { z.re() }))
    }
    fn vjp(&self, _: &Var<T>, _: &Var<T::Real>, g: Var<T::Real>) -> Var<T> {
        embed(g, self.imaginary)
    }
    fn stacks(&self) -> bool {
        true
    }
    fn jvp(&self, _: &Var<T>, _: &Var<T::Real>, dx: Var<T>) -> Var<T::Real> {
        unary(self.clone(), dx)
    }
}

/// x ↦ x + 0i or 0 + xi, the transpose of `Part`.
#[derive(Clone)]
struct Embed<T> {
    imaginary: bool,
    types: PhantomData<T>,
}

impl<T: Scalar> UnaryRule for Embed<T> {
    type In = T::Real;
    type Out = T;
    fn name(&self) -> &'static str {
        "to_complex"
    }
    fn keep(&self) -> Keep {
        Keep::NOTHING
    }
    fn forward(&self, x: Var<T::Real>) -> Tensor<T> {
        let (imaginary, zero) = (self.imaginary, T::Real::zero());
        let make = move |x: T::Real| if imaginary { T::from_parts(zero, x) } else { T::from_parts(x, zero) };
        Tensor::new(x.shape(), kernel::map(x.as_slice(), make))
    }
    fn vjp(&self, _: &Var<T::Real>, _: &Var<T>, g: Var<T>) -> Var<T::Real> {
        unary(Part { imaginary: self.imaginary, types: PhantomData }, g)
    }
    fn stacks(&self) -> bool {
        true
    }
    fn jvp(&self, _: &Var<T::Real>, _: &Var<T>, dx: Var<T::Real>) -> Var<T> {
        unary(self.clone(), dx)
    }
}

fn embed<T: Scalar>(x: Var<T::Real>, imaginary: bool) -> Var<T> {
    unary(Embed { imaginary, types: PhantomData }, x)
}

/// |z|, with ȳ ↦ ȳ z/|z| and 0 at z = 0.
#[derive(Clone)]
struct Modulus<T>(PhantomData<T>);

impl<T: Scalar> Modulus<T> {
    /// z/|z|, 0 at 0.
    fn phase(z: &Var<T>, r: &Var<T::Real>) -> Var<T> {
        let is_zero: Vec<bool> = r.as_slice().iter().map(|r| *r == T::Real::zero()).collect();
        if !is_zero.contains(&true) {
            return z / embed::<T>(r.clone(), false);
        }
        let safe = super::selection::where_bool(&is_zero, &r.ones_like(), r);
        let phase = z / embed::<T>(safe, false);
        super::selection::where_bool(&is_zero, &phase.zeros_like(), &phase)
    }
}

impl<T: Scalar> UnaryRule for Modulus<T> {
    type In = T;
    type Out = T::Real;
    fn name(&self) -> &'static str {
        "abs"
    }
    fn keep(&self) -> Keep {
        Keep { left: true, right: false, out: true }
    }
    fn forward(&self, x: Var<T>) -> Tensor<T::Real> {
        Tensor::new(x.shape(), kernel::map(x.as_slice(), |z: T| z.modulus()))
    }
    fn vjp(&self, z: &Var<T>, r: &Var<T::Real>, g: Var<T::Real>) -> Var<T> {
        weigh(embed::<T>(g, false), Self::phase(z, r))
    }
    fn stacks(&self) -> bool {
        true
    }
    fn jvp(&self, z: &Var<T>, r: &Var<T::Real>, dz: Var<T>) -> Var<T::Real> {
        weigh(dz, Self::phase(z, r).conj()).re()
    }
}

/// x + iy
#[derive(Clone)]
struct FromParts<T>(PhantomData<T>);

impl<T: Scalar> BinaryRule for FromParts<T> {
    type Left = T::Real;
    type Right = T::Real;
    type Out = T;
    fn name(&self) -> &'static str {
        "complex"
    }
    fn keep(&self, _: (bool, bool)) -> Keep {
        Keep::NOTHING
    }
    fn forward(&self, x: Var<T::Real>, y: Var<T::Real>) -> Tensor<T> {
        Tensor::new(x.shape(), kernel::zip(x.as_slice(), y.as_slice(), |x, y| T::from_parts(x, y)))
    }
    fn vjp(
        &self,
        _: &Var<T::Real>,
        _: &Var<T::Real>,
        _: &Var<T>,
        g: Var<T>,
        needs: (bool, bool),
    ) -> (Option<Var<T::Real>>, Option<Var<T::Real>>) {
        (needs.0.then(|| g.re()), needs.1.then(|| g.im()))
    }
    fn stacks(&self) -> bool {
        true
    }
    fn jvp(&self, _: &Var<T::Real>, _: &Var<T::Real>, _: &Var<T>, dx: Option<Var<T::Real>>, dy: Option<Var<T::Real>>) -> Option<Var<T>> {
        Some(match (dx, dy) {
            (Some(dx), Some(dy)) => binary(self.clone(), dx, dy),
            (Some(dx), None) => embed(dx, false),
            (None, dy) => embed(dy?, true),
        })
    }
}

/// Another precision, or a real array as a complex one; the imaginary part is dropped on the way to a real type.
#[derive(Clone)]
struct Cast<T, U>(PhantomData<(T, U)>);

impl<T: Scalar, U: Scalar> UnaryRule for Cast<T, U> {
    type In = T;
    type Out = U;
    fn name(&self) -> &'static str {
        "astype"
    }
    fn keep(&self) -> Keep {
        Keep::NOTHING
    }
    fn forward(&self, x: Var<T>) -> Tensor<U> {
        let cast = |x: T| U::from_parts(U::Real::from_f64(x.re().to_f64()), U::Real::from_f64(x.im().to_f64()));
        Tensor::new(x.shape(), kernel::map(x.as_slice(), cast))
    }
    fn vjp(&self, _: &Var<T>, _: &Var<U>, g: Var<U>) -> Var<T> {
        g.astype()
    }
    fn stacks(&self) -> bool {
        true
    }
    fn jvp(&self, _: &Var<T>, _: &Var<U>, dx: Var<T>) -> Var<U> {
        dx.astype()
    }
}

/// x + iy from two real arrays of equal shape.
///
/// ```
/// use pullback::prelude::*;
/// let z: Var<num_complex::Complex64> = pullback::ops::complex(&Var::from([1.0]), &Var::from([2.0]));
/// assert_eq!(z.item(), num_complex::Complex64::new(1.0, 2.0));
/// ```
///
/// # Panics
/// If the shapes differ.
#[track_caller]
pub fn complex<R: Real>(re: &Var<R>, im: &Var<R>) -> Var<R::Complex>
where
    R::Complex: Scalar<Real = R>,
{
    assert!(
        re.shape() == im.shape(),
        "complex: the real part has shape {:?}, the imaginary part {:?}: they must agree",
        re.shape(),
        im.shape()
    );
    binary(FromParts::<R::Complex>(PhantomData), re.clone(), im.clone())
}

/// r e^{iθ} from moduli and angles of equal shape.
///
/// # Panics
/// If the shapes differ.
#[track_caller]
pub fn from_polar<R: Real>(r: &Var<R>, theta: &Var<R>) -> Var<R::Complex>
where
    R::Complex: Scalar<Real = R>,
{
    assert!(
        r.shape() == theta.shape(),
        "from_polar: the moduli have shape {:?}, the angles {:?}: they must agree",
        r.shape(),
        theta.shape()
    );
    complex(&(r * theta.cos()), &(r * theta.sin()))
}

impl<T: Scalar> Var<T> {
    /// The real part, by numpy's name; [`re`](Var::re) for short.
    pub fn real(&self) -> Var<T::Real> {
        self.re()
    }

    /// The imaginary part (zeros for real types), by numpy's name; [`im`](Var::im) for short.
    pub fn imag(&self) -> Var<T::Real> {
        self.im()
    }

    /// The real part.
    pub fn re(&self) -> Var<T::Real> {
        if !T::IS_COMPLEX {
            return <T::Real as Erase>::unerase(T::erase_ref(self).to_owned());
        }
        unary(Part { imaginary: false, types: PhantomData }, self.clone())
    }

    /// The imaginary part (zeros for real types).
    pub fn im(&self) -> Var<T::Real> {
        unary(Part { imaginary: true, types: PhantomData }, self.clone())
    }

    /// |z|. The derivative at 0 is 0, the subgradient that is symmetric; second derivatives there are 0 too. Where the square is what is
    /// meant, [`abs_squared`](Var::abs_squared) is smooth.
    pub fn abs(&self) -> Var<T::Real> {
        unary(Modulus(PhantomData), self.clone())
    }

    /// |z|², smooth at 0.
    pub fn abs_squared(&self) -> Var<T::Real> {
        (self * self.conj()).re()
    }

    /// The angle of z in (−π, π]. The derivative at 0 is 0.
    pub fn angle(&self) -> Var<T::Real> {
        self.im().arctan2(self.re())
    }

    /// The array in the complex type of the same precision.
    pub fn to_complex(&self) -> Var<T::Complex> {
        self.astype()
    }

    /// The array in another scalar type; numpy's `astype`. The imaginary part is dropped on the way to a real type.
    ///
    /// ```
    /// use pullback::prelude::*;
    /// let x: Var<f32> = Var::from([1.5f64, 2.0]).astype();
    /// assert_eq!(x.as_slice(), &[1.5f32, 2.0]);
    /// ```
    pub fn astype<U: Scalar>(&self) -> Var<U> {
        if T::KIND == U::KIND {
            return U::unerase(T::erase_ref(self).to_owned());
        }
        unary(Cast(PhantomData), self.clone())
    }

    /// The array in `f64`, from `f32` or from the real part.
    pub fn to_f64(&self) -> Var<f64> {
        self.astype()
    }

    /// The real part if every imaginary part is at most `tolerance` times the machine epsilon, otherwise `None`; numpy's `real_if_close`.
    pub fn real_if_close(&self, tolerance: f64) -> Option<Var<T::Real>> {
        let limit = tolerance * T::Real::EPSILON.to_f64();
        self.as_slice().iter().all(|z| z.im().to_f64().abs() <= limit).then(|| self.re())
    }

    /// Multiplied by a real number.
    pub fn scale(&self, by: f64) -> Var<T> {
        self * <T as Number>::constant(by)
    }
}
