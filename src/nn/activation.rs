//! Activation functions.

use crate::kernels::elementwise::Unary;
use crate::{Scalar, Var, scalar_fn};

/// A function of one number between the layers of a network.
///
/// On complex numbers the holomorphic ones are themselves; [`Activation::Relu`] and [`Activation::Gelu`] are of real numbers only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Activation {
    /// x
    Identity,
    /// tanh x
    #[default]
    Tanh,
    /// max(x, 0), with derivative 0 at 0 (real)
    Relu,
    /// 1/(1 + e⁻ˣ)
    Sigmoid,
    /// ln(1 + eˣ)
    Softplus,
    /// x/(1 + e⁻ˣ)
    Silu,
    /// x Φ(x), Φ the normal distribution (real)
    Gelu,
    /// sin x
    Sin,
    /// ln cosh x, of restricted Boltzmann machines
    LnCosh,
}

scalar_fn! { fn tanh_slope(y, g) { g * ((1.0 - y) * (1.0 + y)) } }
scalar_fn! { fn sigmoid_slope(y, g) { g * (y * (1.0 - y)) } }
scalar_fn! { fn softplus_slope(y, g) { g * -((-y).expm1()) } }

impl Activation {
    /// Whether f′(x) is computed from f(x), so that a layer need not keep x.
    pub(super) fn by_output(self) -> bool {
        matches!(self, Activation::Identity | Activation::Tanh | Activation::Relu | Activation::Sigmoid | Activation::Softplus)
    }

    /// The kernel of those that are one.
    pub(super) fn kernel(self) -> Option<Unary> {
        match self {
            Activation::Tanh => Some(Unary::Tanh),
            Activation::Relu => Some(Unary::Relu),
            Activation::Sigmoid => Some(Unary::Sigmoid),
            Activation::Softplus => Some(Unary::Softplus),
            Activation::Sin => Some(Unary::Sin),
            _ => None,
        }
    }

    /// g conj(f′), with f′ from y = f(x); for tangents f′ without the conjugate. Only for those that are `by_output`.
    pub(super) fn slope<T: Scalar>(self, y: &Var<T>, g: Var<T>, conjugate: bool) -> Var<T> {
        use crate::ops::zip_map;
        let y = || if conjugate { y.conj() } else { y.clone() };
        match self {
            Activation::Identity => g,
            Activation::Tanh => zip_map(tanh_slope, (&y(), &g)),
            Activation::Sigmoid => zip_map(sigmoid_slope, (&y(), &g)),
            Activation::Softplus => zip_map(softplus_slope, (&y(), &g)),
            Activation::Relu => {
                let zero = T::zero();
                let step = y().as_slice().iter().map(|&y| if y == zero { zero } else { T::one() }).collect();
                g * Var::from_shape_vec(y().shape(), step).expect("as many numbers")
            }
            _ => unreachable!("a derivative that needs the argument"),
        }
    }

    /// f of a layer's linear part: inside the layer's operation where f′ is a function of f, behind it elsewhere.
    #[track_caller]
    pub(super) fn fused<T: Scalar>(self, layer: impl FnOnce(Activation) -> crate::Result<Var<T>>) -> Var<T> {
        let inside = self.by_output() && !(T::IS_COMPLEX && self == Activation::Relu);
        let y = layer(if inside { self } else { Activation::Identity }).unwrap_or_else(|e| panic!("{e}"));
        if inside { y } else { self.apply(&y) }
    }

    /// f(x), elementwise.
    ///
    /// # Panics
    /// For `Relu` and `Gelu` of complex numbers.
    #[track_caller]
    pub fn apply<T: Scalar>(self, x: &Var<T>) -> Var<T> {
        match self {
            Activation::Identity => x.clone(),
            Activation::Tanh => x.tanh(),
            Activation::Sigmoid => x.sigmoid(),
            Activation::Softplus => x.softplus(),
            Activation::Silu => x.silu(),
            Activation::Sin => x.sin(),
            // ln cosh x = softplus(2x) − x − ln 2, which does not overflow
            Activation::LnCosh => (x + x).softplus() - x - T::from_real(crate::Real::from_f64(std::f64::consts::LN_2)),
            Activation::Relu | Activation::Gelu => self.real(x),
        }
    }

    /// The functions of real numbers, through the scalar type's own variable.
    #[track_caller]
    fn real<T: Scalar>(self, x: &Var<T>) -> Var<T> {
        use crate::{AnyRef, AnyVar};
        let f32_ = |x: &Var<f32>| if self == Activation::Relu { x.relu() } else { x.gelu() };
        let f64_ = |x: &Var<f64>| if self == Activation::Relu { x.relu() } else { x.gelu() };
        match AnyRef::from(x) {
            AnyRef::F32(x) => AnyVar::F32(f32_(x)).unwrap(),
            AnyRef::F64(x) => AnyVar::F64(f64_(x)).unwrap(),
            _ => panic!("{self:?} is a function of real numbers, the parameters are complex: use Tanh, Silu, LnCosh, …"),
        }
    }
}
