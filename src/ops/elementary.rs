//! Elementwise functions of one array: y_i = f(x_i).
//!
//! Holomorphic ones have ȳ ↦ x̄ = ȳ conj(f′(x)) and ẋ ↦ ẏ = f′(x) ẋ, on the principal branches that numpy has. Where everything is a
//! constant of the level below, the product is one fused pass over the cotangent, in place. A zero cotangent or tangent stays an exact zero,
//! also where f′ is infinite or NaN (see `arithmetic.rs`).

use super::arithmetic::weigh;
use crate::autodiff::Var;
use crate::autodiff::number::unary_number;
use crate::autodiff::rule::{Keep, UnaryRule, unary};
use crate::kernels::elementwise::{self as kernel, Unary};
use crate::kernels::pool;
use crate::kernels::pullback::unary_pullback;
use crate::scalar::{Number, Real, Scalar};
use crate::tensor::Tensor;
use num_traits::Zero;
use std::f64::consts::{LN_2, LN_10, PI};
use std::marker::PhantomData;

#[derive(Clone)]
struct Elementary<T> {
    op: Unary,
    types: PhantomData<T>,
}

/// What the derivative is computed from.
fn reads_output(op: Unary) -> bool {
    use Unary::*;
    matches!(op, Exp | Exp2 | Expm1 | Sqrt | Cbrt | Reciprocal | Tan | Tanh | Sigmoid)
}

impl<T: Scalar> Elementary<T> {
    fn derivative(&self, x: &Var<T>, y: &Var<T>) -> Var<T> {
        use Unary::*;
        let c = <T as Number>::constant;
        match self.op {
            Exp => y.clone(),
            Exp2 => y * c(LN_2),
            Expm1 => y + c(1.0),
            Log => x.reciprocal(),
            Log2 => (x * c(LN_2)).reciprocal(),
            Log10 => (x * c(LN_10)).reciprocal(),
            Log1p => (x + c(1.0)).reciprocal(),
            // 0 at 0: the derivative that makes √(x²) and norms have their subgradient there
            Sqrt => (y * c(2.0)).reciprocal().zero_where(y),
            Cbrt => (y.square() * c(3.0)).reciprocal().zero_where(y),
            Square => x * c(2.0),
            Reciprocal => -y.square(),
            Sin => x.cos(),
            Cos => -x.sin(),
            Tan => y.square() + c(1.0),
            Asin => (-x.square() + c(1.0)).sqrt().reciprocal(),
            Acos => -(-x.square() + c(1.0)).sqrt().reciprocal(),
            Atan | Atanh => {
                let sign = if self.op == Atan { c(1.0) } else { c(-1.0) };
                (x.square() * sign + c(1.0)).reciprocal()
            }
            Sinh => x.cosh(),
            Cosh => x.sinh(),
            Tanh => -y.square() + c(1.0),
            Asinh => (x.square() + c(1.0)).sqrt().reciprocal(),
            // two roots: √(z² − 1) has the wrong sign for Re z < 0
            Acosh => ((x - c(1.0)).sqrt() * (x + c(1.0)).sqrt()).reciprocal(),
            Sigmoid => y * (-y + c(1.0)),
            Softplus => x.sigmoid(),
            Erf => (-x.square()).exp() * c(2.0 / PI.sqrt()),
            Erfc => (-x.square()).exp() * c(-2.0 / PI.sqrt()),
            Abs => x.sign_constant(),
            Relu => x.step_constant(),
            Neg | Conj | Sign | Floor | Ceil | Round => unreachable!("not a product with a derivative"),
        }
    }
}

impl<T: Scalar> Elementary<T> {
    /// g conj(f′(x)) in one pass, for one cotangent or a stack of them, where everything is a constant and there is such a pass.
    fn pulled(&self, x: &Var<T>, y: &Var<T>, mut g: Var<T>) -> Result<Var<T>, Var<T>> {
        if !(x.is_constant() && y.is_constant() && g.is_constant()) {
            return Err(g);
        }
        // the kernel reads the one of the two that was kept
        let kept = if reads_output(self.op) { y.as_slice() } else { x.as_slice() };
        if g.value.unique_mut().is_none() {
            g = Var::constant(Tensor::new(g.shape(), pool::copied(g.as_slice())));
        }
        let values = g.value.unique_mut().expect("just copied");
        let done = kept.is_empty() || values.chunks_mut(kept.len()).all(|values| unary_pullback(self.op, kept, kept, values));
        if done { Ok(g) } else { Err(g) }
    }
}

impl<T: Scalar> UnaryRule for Elementary<T> {
    type In = T;
    type Out = T;
    fn name(&self) -> &'static str {
        name(self.op)
    }
    fn keep(&self) -> Keep {
        match self.op {
            Unary::Neg | Unary::Conj => Keep::NOTHING,
            op if reads_output(op) => Keep::OUTPUT,
            _ => Keep::INPUT,
        }
    }
    fn forward(&self, x: Var<T>) -> Tensor<T> {
        let mut x = x.value;
        if let Some(number) = x.as_uniform() {
            return Tensor::full(x.shape(), kernel::unary_scalar(self.op, number));
        }
        if let Some(values) = x.unique_mut() {
            kernel::unary_inplace(self.op, values);
            return x;
        }
        Tensor::new(x.shape(), kernel::unary(self.op, x.as_slice()))
    }
    fn vjp(&self, x: &Var<T>, y: &Var<T>, g: Var<T>) -> Var<T> {
        match self.op {
            Unary::Neg => return -g,
            Unary::Conj => return g.conj(),
            _ => {}
        }
        self.pulled(x, y, g).unwrap_or_else(|g| weigh(g, self.derivative(x, y).conj()))
    }
    fn stacks(&self) -> bool {
        true
    }
    fn jvp(&self, x: &Var<T>, y: &Var<T>, dx: Var<T>) -> Var<T> {
        match self.op {
            Unary::Neg => -dx,
            Unary::Conj => dx.conj(),
            _ => match self.pulled(x, y, dx.conj()) {
                Ok(dy) => dy.conj(),
                Err(dx) => weigh(dx.conj(), self.derivative(x, y)),
            },
        }
    }
}

/// f(x) and conj f′(x), where the pullback is a product.
fn number<T: Scalar>(op: Unary, x: T) -> Option<(T, T)> {
    if op == Unary::Conj {
        return None;
    }
    let y = kernel::unary_scalar(op, x);
    let mut slope = T::one();
    let known = op == Unary::Neg || unary_pullback(op, &[x], &[y], std::slice::from_mut(&mut slope));
    known.then_some((y, if op == Unary::Neg { -slope } else { slope }))
}

impl<T: Scalar> Var<T> {
    #[inline]
    pub(crate) fn elementary(&self, op: Unary) -> Var<T> {
        unary_number(name(op), self, |x| number(op, x)).unwrap_or_else(|| unary(Elementary { op, types: PhantomData }, self.clone()))
    }
}

macro_rules! table {
    ($bound:ident: $($(#[doc = $doc:literal])+ $f:ident $op:ident;)*) => {
        impl<T: $bound> Var<T> { $(
            $(#[doc = $doc])+
            #[inline]
            pub fn $f(&self) -> Var<T> {
                self.elementary(Unary::$op)
            }
        )* }
    };
}

table! { Scalar:
    /// eˣ
    exp Exp;
    /// 2ˣ
    exp2 Exp2;
    /// eˣ − 1, accurate near zero.
    expm1 Expm1;
    /// Natural logarithm, principal branch. −∞ at 0, where the derivative 1/x is infinite.
    log Log;
    /// Logarithm to base 2.
    log2 Log2;
    /// Logarithm to base 10.
    log10 Log10;
    /// ln(1 + x), accurate near zero.
    log1p Log1p;
    /// √x, principal branch. The derivative at 0 is taken as 0, so that √(x²) and norms have a subgradient there.
    sqrt Sqrt;
    /// x²
    square Square;
    /// 1/x. At 0 value and derivative are infinite.
    reciprocal Reciprocal;
    /// sin x
    sin Sin;
    /// cos x
    cos Cos;
    /// tan x
    tan Tan;
    /// arcsin x, principal branch.
    arcsin Asin;
    /// arccos x, principal branch.
    arccos Acos;
    /// arctan x, principal branch.
    arctan Atan;
    /// sinh x
    sinh Sinh;
    /// cosh x
    cosh Cosh;
    /// tanh x
    tanh Tanh;
    /// arcsinh x, principal branch.
    arcsinh Asinh;
    /// arccosh x, principal branch.
    arccosh Acosh;
    /// arctanh x, principal branch.
    arctanh Atanh;
    /// The logistic function 1/(1 + e⁻ˣ).
    sigmoid Sigmoid;
    /// ln(1 + eˣ), without overflow.
    softplus Softplus;
}

table! { Real:
    /// ∛x, negative for negative x. The derivative at 0 is taken as 0.
    cbrt Cbrt;
    /// The error function 2/√π ∫₀ˣ e^{−t²} dt.
    erf Erf;
    /// 1 − erf x, accurate for large x.
    erfc Erfc;
    /// max(x, 0); the derivative at 0 is 0.
    relu Relu;
}

impl<T: Scalar> Var<T> {
    /// The complex conjugate (the array itself for real types).
    #[inline]
    pub fn conj(&self) -> Var<T> {
        if T::IS_COMPLEX { self.elementary(Unary::Conj) } else { self.clone() }
    }

    /// `self`, with 0 where `at` is 0: derivatives that are defined as 0 at a singular point.
    pub(super) fn zero_where(self, at: &Var<T>) -> Var<T> {
        if at.as_slice().iter().all(|x| *x != T::zero()) {
            return self;
        }
        let is_zero: Vec<bool> = at.as_slice().iter().map(|x| *x == T::zero()).collect();
        super::selection::where_bool(&is_zero, &self.zeros_like(), &self)
    }

    fn sign_constant(&self) -> Var<T> {
        let sign = |x: T| {
            if x.re() > T::Real::zero() {
                T::one()
            } else if x.re() < T::Real::zero() {
                -T::one()
            } else {
                T::zero()
            }
        };
        Var::constant(Tensor::new(self.shape(), kernel::map(self.as_slice(), sign)))
    }

    fn step_constant(&self) -> Var<T> {
        let step = |x: T| if x.re() > T::Real::zero() { T::one() } else { T::zero() };
        Var::constant(Tensor::new(self.shape(), kernel::map(self.as_slice(), step)))
    }
}

impl<T: Scalar> std::ops::Neg for Var<T> {
    type Output = Var<T>;
    #[inline]
    fn neg(self) -> Var<T> {
        unary(Elementary { op: Unary::Neg, types: PhantomData }, self)
    }
}

impl<T: Scalar> std::ops::Neg for &Var<T> {
    type Output = Var<T>;
    #[inline]
    fn neg(self) -> Var<T> {
        self.elementary(Unary::Neg)
    }
}

/// The name in messages.
fn name(op: Unary) -> &'static str {
    use Unary::*;
    match op {
        Exp => "exp",
        Exp2 => "exp2",
        Expm1 => "expm1",
        Log => "log",
        Log2 => "log2",
        Log10 => "log10",
        Log1p => "log1p",
        Sqrt => "sqrt",
        Cbrt => "cbrt",
        Square => "square",
        Reciprocal => "reciprocal",
        Neg => "neg",
        Abs => "abs",
        Sin => "sin",
        Cos => "cos",
        Tan => "tan",
        Asin => "arcsin",
        Acos => "arccos",
        Atan => "arctan",
        Sinh => "sinh",
        Cosh => "cosh",
        Tanh => "tanh",
        Asinh => "arcsinh",
        Acosh => "arccosh",
        Atanh => "arctanh",
        Sigmoid => "sigmoid",
        Softplus => "softplus",
        Erf => "erf",
        Erfc => "erfc",
        Conj => "conj",
        Sign => "sign",
        Floor => "floor",
        Ceil => "ceil",
        Round => "round",
        Relu => "relu",
    }
}
