//! Fused pullbacks of elementwise functions: g ← g · conj(f′(x)) in one pass.

use super::elementwise::Unary;
use super::parallel::for_chunks_2;
use super::simd::simple::{is_zero, zero_if};
use super::simd::{BLOCK, Guarded, Task, UnaryFn, dispatch, erf, exp, hyperbolic, map_into, trig};
use crate::scalar::{AnySlice, AnySliceMut, Number, Real, Scalar};
use num_complex::Complex;
use std::mem::MaybeUninit;

/// A loop g ← f(x, y, g), with g left at an exact zero where it is zero: a derivative that is infinite or NaN counts only where it is used.
struct Arithmetic<'a, T, F> {
    x: &'a [T],
    y: &'a [T],
    g: &'a mut [T],
    f: F,
}

impl<T: Scalar, F: Fn(T, T, T) -> T> Task for Arithmetic<'_, T, F> {
    type Output = ();
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for ((g, &x), &y) in self.g.iter_mut().zip(self.x).zip(self.y) {
            // computed in any case and then selected, so that the loop stays one without branches
            let pulled = (self.f)(x, y, *g);
            *g = zero_if(is_zero(*g), pulled);
        }
    }
}

/// g ← g · conj(scale · D(x)) with a derivative D that is an elementary function itself.
fn through<T: Scalar + Guarded, D: UnaryFn<T>>(x: &[T], g: &mut [T], scale: T::Real) {
    let mut derivative = [MaybeUninit::<T>::uninit(); BLOCK];
    let scale = T::from_real(scale);
    for (x, g) in x.chunks(BLOCK).zip(g.chunks_mut(BLOCK)) {
        let d = &mut derivative[..x.len()];
        map_into::<T, D>(x, d);
        // SAFETY: `map_into` writes every element.
        #[allow(unsafe_code)]
        let d = unsafe { std::slice::from_raw_parts(d.as_ptr().cast::<T>(), d.len()) };
        dispatch(Arithmetic { x: d, y: d, g, f: |d: T, _, g| g * (scale * d).conj() });
    }
}

/// The rules that are the same for real and complex numbers; `false` where there is none.
fn common<T: Scalar + Guarded>(op: Unary, x: &[T], y: &[T], g: &mut [T]) -> bool
where
    trig::Sin: UnaryFn<T>,
    trig::Cos: UnaryFn<T>,
    hyperbolic::Sinh: UnaryFn<T>,
    hyperbolic::Cosh: UnaryFn<T>,
    exp::Sigmoid: UnaryFn<T>,
{
    use std::f64::consts::{LN_2, LN_10};
    let one = T::one();
    let real = <T::Real as Real>::from_f64;
    macro_rules! rule {
        (|$x:pat_param, $y:pat_param| $derivative:expr) => {
            dispatch(Arithmetic { x, y, g, f: |$x: T, $y: T, g: T| g * $derivative.conj() })
        };
    }
    match op {
        Unary::Exp => rule!(|_, y| y),
        Unary::Exp2 => {
            let ln2 = T::constant(LN_2);
            rule!(|_, y| (ln2 * y))
        }
        Unary::Expm1 => rule!(|_, y| (y + one)),
        Unary::Log => dispatch(Arithmetic { x, y, g, f: |x: T, _, g| g / x.conj() }),
        Unary::Log2 => {
            let ln2 = T::constant(LN_2);
            dispatch(Arithmetic { x, y, g, f: |x: T, _, g| g / (ln2 * x).conj() })
        }
        Unary::Log10 => {
            let ln10 = T::constant(LN_10);
            dispatch(Arithmetic { x, y, g, f: |x: T, _, g| g / (ln10 * x).conj() })
        }
        Unary::Log1p => dispatch(Arithmetic { x, y, g, f: |x: T, _, g| g / (one + x).conj() }),
        // 1/(2√x) is infinite at 0; the derivative is taken as zero there, so that a norm's gradient at the origin is finite
        Unary::Sqrt => {
            let half = T::constant(0.5);
            dispatch(Arithmetic { x, y, g, f: |_, y: T, g: T| if y == T::zero() { T::zero() } else { half * g / y.conj() } })
        }
        Unary::Cbrt => {
            let third = T::constant(1.0 / 3.0);
            dispatch(Arithmetic { x, y, g, f: |_, y: T, g: T| if y == T::zero() { T::zero() } else { third * g / (y * y).conj() } })
        }
        Unary::Square => rule!(|x, _| (x + x)),
        Unary::Reciprocal => rule!(|_, y| (-(y * y))),
        Unary::Neg => dispatch(Arithmetic { x, y, g, f: |_, _, g: T| -g }),
        Unary::Sin => through::<T, trig::Cos>(x, g, real(1.0)),
        Unary::Cos => through::<T, trig::Sin>(x, g, real(-1.0)),
        Unary::Tan => rule!(|_, y| (one + y * y)),
        Unary::Asin => dispatch(Arithmetic { x, y, g, f: |x: T, _, g| g / Number::sqrt((one - x) * (one + x)).conj() }),
        Unary::Acos => dispatch(Arithmetic { x, y, g, f: |x: T, _, g: T| -g / Number::sqrt((one - x) * (one + x)).conj() }),
        Unary::Atan => dispatch(Arithmetic { x, y, g, f: |x: T, _, g| g / (one + x * x).conj() }),
        Unary::Sinh => through::<T, hyperbolic::Cosh>(x, g, real(1.0)),
        Unary::Cosh => through::<T, hyperbolic::Sinh>(x, g, real(1.0)),
        Unary::Tanh => rule!(|_, y| ((one - y) * (one + y))),
        Unary::Asinh => dispatch(Arithmetic { x, y, g, f: |x: T, _, g| g / Number::sqrt(one + x * x).conj() }),
        // two roots, not the root of a product: the branches of acosh to the left of the imaginary axis
        Unary::Acosh => dispatch(Arithmetic { x, y, g, f: |x: T, _, g| g / (Number::sqrt(x - one) * Number::sqrt(x + one)).conj() }),
        Unary::Atanh => dispatch(Arithmetic { x, y, g, f: |x: T, _, g| g / ((one - x) * (one + x)).conj() }),
        Unary::Sigmoid => rule!(|_, y| (y * (one - y))),
        Unary::Softplus => through::<T, exp::Sigmoid>(x, g, real(1.0)),
        Unary::Conj if T::IS_COMPLEX => dispatch(Arithmetic { x, y, g, f: |_, _, g: T| g.conj() }),
        Unary::Conj => {}
        _ => return false,
    }
    true
}

/// The rules of functions of real numbers.
fn real_only<R: Real + Guarded>(op: Unary, x: &[R], y: &[R], g: &mut [R]) -> bool
where
    erf::Gaussian: UnaryFn<R>,
{
    let two_over_sqrt_pi = R::from_f64(std::f64::consts::FRAC_2_SQRT_PI);
    match op {
        Unary::Erf => through::<R, erf::Gaussian>(x, g, two_over_sqrt_pi),
        Unary::Erfc => through::<R, erf::Gaussian>(x, g, -two_over_sqrt_pi),
        Unary::Abs => dispatch(Arithmetic {
            x,
            y,
            g,
            f: |x: R, _, g: R| {
                if x > R::zero() {
                    g
                } else if x < R::zero() {
                    -g
                } else {
                    g * x
                }
            },
        }),
        Unary::Relu => dispatch(Arithmetic { x, y, g, f: |x: R, _, g: R| if x > R::zero() { g } else { R::zero() } }),
        Unary::Sign | Unary::Floor | Unary::Ceil | Unary::Round => g.fill(R::zero()),
        _ => return false,
    }
    true
}

trait Rules: Scalar {
    fn pull(op: Unary, x: &[Self], y: &[Self], g: &mut [Self]) -> bool;
}
macro_rules! rules {
    ($($r:ident)*) => { $(
        impl Rules for $r {
            fn pull(op: Unary, x: &[$r], y: &[$r], g: &mut [$r]) -> bool {
                common(op, x, y, g) || real_only(op, x, y, g)
            }
        }
        impl Rules for Complex<$r> {
            fn pull(op: Unary, x: &[Self], y: &[Self], g: &mut [Self]) -> bool {
                common(op, x, y, g)
            }
        }
    )* };
}
rules!(f32 f64);

/// g ← g · conj(f′(x)), elementwise, given y = f(x); `false`, with g untouched, where the function has no rule for this type
/// (|z| and sign of complex numbers). For `Conj` of complex numbers, which is not holomorphic, g ← conj(g).
///
/// Conventions at the awkward points: √ and ∛ have derivative 0 at 0, |x| and max(x, 0) have 0 at 0. Where g is 0 it stays an exact 0, also
/// where f′ is infinite or NaN.
/// The rules of tanh and the logistic function use y: where y rounds to ±1 or to 1 the derivative is zero to that rounding.
pub fn unary_pullback<T: Scalar>(op: Unary, x: &[T], y: &[T], g: &mut [T]) -> bool {
    fn of<E: Rules>(op: Unary, x: &[E], y: &[E], g: &mut [E]) -> bool {
        // an empty slice tells whether there is a rule
        let supported = E::pull(op, &[], &[], &mut []);
        if supported {
            for_chunks_2(x, y, g, op.threshold(), |x, y, g| {
                E::pull(op, x, y, g);
            });
        }
        supported
    }
    match (T::slice(x), T::slice(y), T::slice_mut(g)) {
        (AnySlice::F32(x), AnySlice::F32(y), AnySliceMut::F32(g)) => of(op, x, y, g),
        (AnySlice::F64(x), AnySlice::F64(y), AnySliceMut::F64(g)) => of(op, x, y, g),
        (AnySlice::C32(x), AnySlice::C32(y), AnySliceMut::C32(g)) => of(op, x, y, g),
        (AnySlice::C64(x), AnySlice::C64(y), AnySliceMut::C64(g)) => of(op, x, y, g),
        _ => unreachable!("one scalar type"),
    }
}
