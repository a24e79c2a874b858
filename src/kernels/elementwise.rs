//! Elementwise functions of contiguous slices: the elementary functions, arithmetic, and loops over a closure.
//!
//! Every function is vectorised for the machine it runs on where `simd` has it, allocates its result without zeroing it first, and
//! is shared among threads above a size; an element's result depends neither on its place nor on the number of threads.

use super::buffer::build;
use super::parallel::{THRESHOLD_COMPUTE, THRESHOLD_MEMORY, for_chunks, for_chunks_2, for_chunks_mut};
use super::simd::{self, BLOCK, Operands, complex, dispatch, erf, exp, hyperbolic, inverse, log, pow, simple, trig};
use crate::scalar::{AnySlice, AnySliceMut, AnyVec, Number, Scalar};
use num_complex::Complex;
use std::mem::MaybeUninit;

/// A function of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unary {
    /// eˣ
    Exp,
    /// 2ˣ
    Exp2,
    /// eˣ − 1
    Expm1,
    /// ln x
    Log,
    /// log₂ x
    Log2,
    /// log₁₀ x
    Log10,
    /// ln(1 + x)
    Log1p,
    /// √x
    Sqrt,
    /// ∛x
    Cbrt,
    /// x²
    Square,
    /// 1/x
    Reciprocal,
    /// −x
    Neg,
    /// |x| (for complex numbers with zero imaginary part)
    Abs,
    /// sin x
    Sin,
    /// cos x
    Cos,
    /// tan x
    Tan,
    /// arcsin x
    Asin,
    /// arccos x
    Acos,
    /// arctan x
    Atan,
    /// sinh x
    Sinh,
    /// cosh x
    Cosh,
    /// tanh x
    Tanh,
    /// arcsinh x
    Asinh,
    /// arccosh x
    Acosh,
    /// arctanh x
    Atanh,
    /// 1/(1 + e⁻ˣ)
    Sigmoid,
    /// ln(1 + eˣ)
    Softplus,
    /// erf x (real)
    Erf,
    /// erfc x (real)
    Erfc,
    /// The complex conjugate
    Conj,
    /// −1, 0 or 1 (z/|z| for complex numbers), NaN for NaN
    Sign,
    /// ⌊x⌋ (real)
    Floor,
    /// ⌈x⌉ (real)
    Ceil,
    /// The nearest integer, ties to even (real)
    Round,
    /// max(x, 0) (real), NaN for NaN
    Relu,
}

/// A function of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Binary {
    /// a + b
    Add,
    /// a − b
    Sub,
    /// a b
    Mul,
    /// a b, an exact zero where a is zero: a cotangent times a derivative that may be infinite or NaN
    Weigh,
    /// a b, an exact zero where either is zero: what [`Binary::Weigh`] differentiates to in its second operand
    WeighBoth,
    /// a/b
    Div,
    /// aᵇ
    Pow,
    /// The larger one; a NaN wins (real)
    Max,
    /// The smaller one; a NaN wins (real)
    Min,
    /// The angle of the point (b, a) (real)
    Atan2,
    /// √(a² + b²) (real)
    Hypot,
    /// The remainder with the sign of b (real)
    Rem,
}

impl Unary {
    /// From how many elements threads pay.
    pub(super) fn threshold(self) -> usize {
        use Unary::*;
        match self {
            Sqrt | Square | Reciprocal | Neg | Abs | Conj | Sign | Floor | Ceil | Round | Relu => THRESHOLD_MEMORY,
            _ => THRESHOLD_COMPUTE,
        }
    }
}

impl Binary {
    fn threshold(self) -> usize {
        use Binary::*;
        match self {
            Pow | Atan2 | Hypot | Rem => THRESHOLD_COMPUTE,
            _ => THRESHOLD_MEMORY,
        }
    }
}

/// `$body` with `$f` standing for the marker type of the function.
macro_rules! with_unary {
    ($op:expr, |$f:ident| $body:expr) => {
        with_unary!(@match $op, $f, $body;
            Exp exp, Exp2 exp, Expm1 exp, Sigmoid exp,
            Log log, Log2 log, Log10 log, Log1p log, Softplus log,
            Sin trig, Cos trig, Tan trig,
            Sinh hyperbolic, Cosh hyperbolic, Tanh hyperbolic,
            Asin inverse, Acos inverse, Atan inverse, Asinh inverse, Acosh inverse, Atanh inverse,
            Erf erf, Erfc erf,
            Sqrt simple, Cbrt simple, Square simple, Reciprocal simple, Neg simple, Abs simple, Conj simple, Sign simple,
            Floor simple, Ceil simple, Round simple, Relu simple
        )
    };
    (@match $op:expr, $f:ident, $body:expr; $($name:ident $module:ident),*) => {
        match $op {
            $(Unary::$name => {
                type $f = $module::$name;
                $body
            })*
        }
    };
}

macro_rules! with_binary {
    ($op:expr, |$f:ident| $body:expr) => {
        with_binary!(@match $op, $f, $body;
            Add simple, Sub simple, Mul simple, Weigh simple, WeighBoth simple, Div simple, Max simple, Min simple, Rem simple, Pow pow, Hypot pow, Atan2 inverse
        )
    };
    (@match $op:expr, $f:ident, $body:expr; $($name:ident $module:ident),*) => {
        match $op {
            $(Binary::$name => {
                type $f = $module::$name;
                $body
            })*
        }
    };
}

/// The loops for one concrete scalar type.
trait Element: Scalar {
    fn map_into(op: Unary, src: &[Self], dst: &mut [MaybeUninit<Self>]);
    fn map_inplace(op: Unary, x: &mut [Self]);
    fn map_one(op: Unary, x: Self) -> Self;
    fn zip_into(op: Binary, operands: Operands<'_, Self>);
    fn zip_one(op: Binary, a: Self, b: Self) -> Self;
}

macro_rules! element {
    ($($t:ty)*) => { $(
        impl Element for $t {
            fn map_into(op: Unary, src: &[$t], dst: &mut [MaybeUninit<$t>]) {
                with_unary!(op, |F| simd::map_into::<$t, F>(src, dst))
            }
            fn map_inplace(op: Unary, x: &mut [$t]) {
                for block in x.chunks_mut(BLOCK) {
                    simd::through_copy(block, |old, new| Self::map_into(op, old, new));
                }
            }
            fn map_one(op: Unary, x: $t) -> $t {
                with_unary!(op, |F| simd::map_one::<$t, F>(x))
            }
            fn zip_into(op: Binary, operands: Operands<'_, $t>) {
                with_binary!(op, |F| simd::zip_into::<$t, F>(operands))
            }
            fn zip_one(op: Binary, a: $t, b: $t) -> $t {
                with_binary!(op, |F| simd::zip_one::<$t, F>(a, b))
            }
        }
    )* };
}
element!(f32 f64 Complex<f32> Complex<f64>);

/// `$body` with `$x` as a slice of the concrete type, its result wrapped again.
macro_rules! by_type {
    ($t:ident, $x:ident = $slice:expr => $body:expr) => {
        match $t::slice($slice) {
            AnySlice::F32($x) => $t::unwrap_vec(AnyVec::F32($body)),
            AnySlice::F64($x) => $t::unwrap_vec(AnyVec::F64($body)),
            AnySlice::C32($x) => $t::unwrap_vec(AnyVec::C32($body)),
            AnySlice::C64($x) => $t::unwrap_vec(AnyVec::C64($body)),
        }
    };
}

fn unary_of<E: Element>(op: Unary, x: &[E]) -> Vec<E> {
    // SAFETY: `map_into` writes every element of each chunk, and the chunks cover the slice.
    #[allow(unsafe_code)]
    unsafe {
        build(x.len(), |dst| for_chunks(x, dst, op.threshold(), |s, d| E::map_into(op, s, d)))
    }
}

/// f(x), elementwise, in a new vector.
pub fn unary<T: Scalar>(op: Unary, x: &[T]) -> Vec<T> {
    by_type!(T, x = x => unary_of(op, x))
}

/// x ← f(x), elementwise; the same bits as [`unary`].
pub fn unary_inplace<T: Scalar>(op: Unary, x: &mut [T]) {
    fn of<E: Element>(op: Unary, x: &mut [E]) {
        for_chunks_mut(x, op.threshold(), |x| E::map_inplace(op, x));
    }
    match T::slice_mut(x) {
        AnySliceMut::F32(x) => of(op, x),
        AnySliceMut::F64(x) => of(op, x),
        AnySliceMut::C32(x) => of(op, x),
        AnySliceMut::C64(x) => of(op, x),
    }
}

/// f(x) of one number; the same bits as [`unary`].
pub fn unary_scalar<T: Scalar>(op: Unary, mut x: T) -> T {
    match T::slice_mut(std::slice::from_mut(&mut x)) {
        AnySliceMut::F32(x) => x[0] = Element::map_one(op, x[0]),
        AnySliceMut::F64(x) => x[0] = Element::map_one(op, x[0]),
        AnySliceMut::C32(x) => x[0] = Element::map_one(op, x[0]),
        AnySliceMut::C64(x) => x[0] = Element::map_one(op, x[0]),
    }
    x
}

/// The two operands as slices of the concrete type.
macro_rules! both_by_type {
    ($t:ident, $a:ident = $first:expr, $b:ident = $second:expr => $body:expr) => {
        match ($t::slice($first), $t::slice($second)) {
            (AnySlice::F32($a), AnySlice::F32($b)) => $t::unwrap_vec(AnyVec::F32($body)),
            (AnySlice::F64($a), AnySlice::F64($b)) => $t::unwrap_vec(AnyVec::F64($body)),
            (AnySlice::C32($a), AnySlice::C32($b)) => $t::unwrap_vec(AnyVec::C32($body)),
            (AnySlice::C64($a), AnySlice::C64($b)) => $t::unwrap_vec(AnyVec::C64($body)),
            _ => unreachable!("one scalar type"),
        }
    };
}

fn binary_of<E: Element>(op: Binary, a: &[E], b: &[E]) -> Vec<E> {
    // SAFETY: `zip_into` writes every element of each chunk, and the chunks cover the slice.
    #[allow(unsafe_code)]
    unsafe {
        build(a.len(), |dst| for_chunks_2(a, b, dst, op.threshold(), |a, b, d| E::zip_into(op, Operands::Both(a, b, d))))
    }
}

/// f(a, b), elementwise, in a new vector; the lengths are equal.
pub fn binary<T: Scalar>(op: Binary, a: &[T], b: &[T]) -> Vec<T> {
    both_by_type!(T, a = a, b = b => binary_of(op, a, b))
}

/// dst ← f(a, b), where an operand with stride 0 is one number for all; every element of `dst` is written.
pub(crate) fn binary_row<T: Scalar>(op: Binary, a: (&[T], usize), b: (&[T], usize), dst: &mut [MaybeUninit<T>]) {
    fn of<E: Element>(op: Binary, (a, p): (&[E], usize), (b, q): (&[E], usize), dst: &mut [MaybeUninit<E>]) {
        let n = dst.len();
        match (p, q) {
            (0, 0) => dst.fill(MaybeUninit::new(E::zip_one(op, a[0], b[0]))),
            (0, _) => E::zip_into(op, Operands::LeftScalar(a[0], &b[..n], dst)),
            (_, 0) => E::zip_into(op, Operands::RightScalar(&a[..n], b[0], dst)),
            _ => E::zip_into(op, Operands::Both(&a[..n], &b[..n], dst)),
        }
    }
    // SAFETY: `T::slice` says which of the four types T is, so the destination is a slice of that type.
    #[allow(unsafe_code)]
    unsafe fn same<T, E>(dst: &mut [MaybeUninit<T>]) -> &mut [MaybeUninit<E>] {
        // SAFETY: by the contract above T and E are one type.
        unsafe { std::slice::from_raw_parts_mut(dst.as_mut_ptr().cast(), dst.len()) }
    }
    // SAFETY: the arms name the type that T is.
    #[allow(unsafe_code)]
    unsafe {
        match (T::slice(a.0), T::slice(b.0)) {
            (AnySlice::F32(x), AnySlice::F32(y)) => of(op, (x, a.1), (y, b.1), same(dst)),
            (AnySlice::F64(x), AnySlice::F64(y)) => of(op, (x, a.1), (y, b.1), same(dst)),
            (AnySlice::C32(x), AnySlice::C32(y)) => of(op, (x, a.1), (y, b.1), same(dst)),
            (AnySlice::C64(x), AnySlice::C64(y)) => of(op, (x, a.1), (y, b.1), same(dst)),
            _ => unreachable!("one scalar type"),
        }
    }
}

/// a ← f(a, b), elementwise; the same bits as [`binary`].
pub fn binary_left_inplace<T: Scalar>(op: Binary, a: &mut [T], b: &[T]) {
    fn of<E: Element>(op: Binary, a: &mut [E], b: &[E]) {
        for_chunks(b, a, op.threshold(), |b, a| E::zip_into(op, Operands::Left(a, b)));
    }
    match (T::slice_mut(a), T::slice(b)) {
        (AnySliceMut::F32(a), AnySlice::F32(b)) => of(op, a, b),
        (AnySliceMut::F64(a), AnySlice::F64(b)) => of(op, a, b),
        (AnySliceMut::C32(a), AnySlice::C32(b)) => of(op, a, b),
        (AnySliceMut::C64(a), AnySlice::C64(b)) => of(op, a, b),
        _ => unreachable!("one scalar type"),
    }
}

/// b ← f(a, b), elementwise; the same bits as [`binary`].
pub fn binary_right_inplace<T: Scalar>(op: Binary, a: &[T], b: &mut [T]) {
    fn of<E: Element>(op: Binary, a: &[E], b: &mut [E]) {
        for_chunks(a, b, op.threshold(), |a, b| E::zip_into(op, Operands::Right(a, b)));
    }
    match (T::slice(a), T::slice_mut(b)) {
        (AnySlice::F32(a), AnySliceMut::F32(b)) => of(op, a, b),
        (AnySlice::F64(a), AnySliceMut::F64(b)) => of(op, a, b),
        (AnySlice::C32(a), AnySliceMut::C32(b)) => of(op, a, b),
        (AnySlice::C64(a), AnySliceMut::C64(b)) => of(op, a, b),
        _ => unreachable!("one scalar type"),
    }
}

/// f(a, b) with one a for all elements of b.
pub fn binary_scalar_left<T: Scalar>(op: Binary, a: T, b: &[T]) -> Vec<T> {
    fn of<E: Element>(op: Binary, a: E, b: &[E]) -> Vec<E> {
        // SAFETY: `zip_into` writes every element of each chunk, and the chunks cover the slice.
        #[allow(unsafe_code)]
        unsafe {
            build(b.len(), |dst| for_chunks(b, dst, op.threshold(), |b, d| E::zip_into(op, Operands::LeftScalar(a, b, d))))
        }
    }
    both_by_type!(T, a = std::slice::from_ref(&a), b = b => of(op, a[0], b))
}

/// f(a, b) with one b for all elements of a. Powers with the exponents 0, ½, 1, 2, 3 and −1, and integer powers of complex numbers, are
/// products, roots and quotients, which may differ from [`binary`] in the last bit.
pub fn binary_scalar_right<T: Scalar>(op: Binary, a: &[T], b: T) -> Vec<T> {
    fn of<E: Element>(op: Binary, a: &[E], b: E) -> Vec<E> {
        // SAFETY: `zip_into` writes every element of each chunk, and the chunks cover the slice.
        #[allow(unsafe_code)]
        unsafe {
            build(a.len(), |dst| for_chunks(a, dst, op.threshold(), |a, d| E::zip_into(op, Operands::RightScalar(a, b, d))))
        }
    }
    if op == Binary::Pow
        && let Some(easy) = EasyPower::of(b)
    {
        return match easy {
            EasyPower::Unary(op) => unary(op, a),
            _ => map(a, |x| easy.apply(x)),
        };
    }
    both_by_type!(T, a = a, b = std::slice::from_ref(&b) => of(op, a, b[0]))
}

/// f(a, b) of two numbers; the same bits as [`binary_scalar_right`].
pub fn binary_scalars<T: Scalar>(op: Binary, mut a: T, mut b: T) -> T {
    if op == Binary::Pow
        && let Some(easy) = EasyPower::of(b)
    {
        return easy.apply(a);
    }
    match (T::slice_mut(std::slice::from_mut(&mut a)), T::slice_mut(std::slice::from_mut(&mut b))) {
        (AnySliceMut::F32(a), AnySliceMut::F32(b)) => a[0] = Element::zip_one(op, a[0], b[0]),
        (AnySliceMut::F64(a), AnySliceMut::F64(b)) => a[0] = Element::zip_one(op, a[0], b[0]),
        (AnySliceMut::C32(a), AnySliceMut::C32(b)) => a[0] = Element::zip_one(op, a[0], b[0]),
        (AnySliceMut::C64(a), AnySliceMut::C64(b)) => a[0] = Element::zip_one(op, a[0], b[0]),
        _ => unreachable!("one scalar type"),
    }
    a
}

/// Exponents for which a power is cheaper and at least as accurate without a logarithm.
#[derive(Clone, Copy)]
enum EasyPower {
    Unary(Unary),
    One,
    Same,
    Cube,
    /// √x, with the power's values at −0 and −∞
    Root,
    /// zⁿ of complex numbers
    Integer(i32),
}

impl EasyPower {
    fn of<T: Scalar>(exponent: T) -> Option<EasyPower> {
        let is = |p: f64| exponent == T::constant(p);
        if is(2.0) {
            return Some(EasyPower::Unary(Unary::Square));
        } else if is(0.5) {
            return Some(if T::IS_COMPLEX { EasyPower::Unary(Unary::Sqrt) } else { EasyPower::Root });
        } else if is(-1.0) {
            return Some(EasyPower::Unary(Unary::Reciprocal));
        } else if is(0.0) {
            return Some(EasyPower::One);
        } else if is(1.0) {
            return Some(EasyPower::Same);
        } else if is(3.0) {
            return Some(EasyPower::Cube);
        }
        let n = exponent.real_part();
        (T::IS_COMPLEX && n.abs() <= 64.0 && n.fract() == 0.0 && is(n)).then_some(EasyPower::Integer(n as i32))
    }

    fn apply<T: Scalar>(self, x: T) -> T {
        match self {
            EasyPower::Unary(op) => unary_scalar(op, x),
            EasyPower::One => T::one(),
            EasyPower::Same => x,
            EasyPower::Cube => x * x * x,
            EasyPower::Root if x.real_part() == f64::NEG_INFINITY => -x,
            EasyPower::Root => Number::sqrt(x + T::zero()),
            EasyPower::Integer(n) => x.powi(n),
        }
    }
}

struct Axpy<'a, T> {
    alpha: T,
    x: &'a [T],
    y: &'a mut [T],
}

macro_rules! axpy_task {
    ($t:ty, |$alpha:ident, $x:ident, $y:ident, $fma:ident| $e:expr) => {
        impl simd::Task for Axpy<'_, $t> {
            type Output = ();
            #[inline(always)]
            fn run<const FMA: bool>(self) {
                let $alpha = self.alpha;
                for (y, &$x) in self.y.iter_mut().zip(self.x) {
                    let $y = *y;
                    *y = $e;
                }
            }
        }
    };
}
axpy_task!(f32, |a, x, y, FMA| simd::Lane::madd::<FMA>(a, x, y));
axpy_task!(f64, |a, x, y, FMA| simd::Lane::madd::<FMA>(a, x, y));
axpy_task!(Complex<f32>, |a, x, y, FMA| complex::multiply_add::<f32, FMA>(a, x, y));
axpy_task!(Complex<f64>, |a, x, y, FMA| complex::multiply_add::<f64, FMA>(a, x, y));

/// y ← y + αx
pub fn axpy<T: Scalar>(alpha: T, x: &[T], y: &mut [T]) {
    fn of<E: Scalar>(alpha: E, x: &[E], y: &mut [E])
    where
        for<'a> Axpy<'a, E>: simd::Task<Output = ()>,
    {
        for_chunks(x, y, THRESHOLD_MEMORY, |x, y| dispatch(Axpy { alpha, x, y }));
    }
    match (T::slice(std::slice::from_ref(&alpha)), T::slice(x), T::slice_mut(y)) {
        (AnySlice::F32(a), AnySlice::F32(x), AnySliceMut::F32(y)) => of(a[0], x, y),
        (AnySlice::F64(a), AnySlice::F64(x), AnySliceMut::F64(y)) => of(a[0], x, y),
        (AnySlice::C32(a), AnySlice::C32(x), AnySliceMut::C32(y)) => of(a[0], x, y),
        (AnySlice::C64(a), AnySlice::C64(x), AnySliceMut::C64(y)) => of(a[0], x, y),
        _ => unreachable!("one scalar type"),
    }
}

/// y ← y + x
pub fn add_assign<T: Scalar>(y: &mut [T], x: &[T]) {
    binary_left_inplace(Binary::Add, y, x);
}

/// f(x), elementwise, threaded above a size.
pub fn map<T: Copy + Sync, U: Copy + Send>(x: &[T], f: impl Fn(T) -> U + Sync) -> Vec<U> {
    // SAFETY: every element of each chunk is written, and the chunks cover the slice.
    #[allow(unsafe_code)]
    unsafe {
        build(x.len(), |dst| {
            for_chunks(x, dst, THRESHOLD_COMPUTE, |s, d| {
                for (d, &x) in d.iter_mut().zip(s) {
                    d.write(f(x));
                }
            })
        })
    }
}

/// x ← f(x), elementwise, threaded above a size.
pub fn map_inplace<T: Copy + Send>(x: &mut [T], f: impl Fn(T) -> T + Sync + Send) {
    for_chunks_mut(x, THRESHOLD_COMPUTE, |x| x.iter_mut().for_each(|x| *x = f(*x)));
}

/// f(a, b), elementwise, threaded above a size; the lengths are equal.
pub fn zip<T: Copy + Sync, U: Copy + Sync, V: Copy + Send>(a: &[T], b: &[U], f: impl Fn(T, U) -> V + Sync) -> Vec<V> {
    // SAFETY: every element of each chunk is written, and the chunks cover the slice.
    #[allow(unsafe_code)]
    unsafe {
        build(a.len(), |dst| {
            for_chunks_2(a, b, dst, THRESHOLD_COMPUTE, |a, b, d| {
                for ((d, &a), &b) in d.iter_mut().zip(a).zip(b) {
                    d.write(f(a, b));
                }
            })
        })
    }
}

/// a ← f(a, b), elementwise, threaded above a size; the lengths are equal.
pub fn zip_inplace<T: Copy + Send, U: Copy + Sync>(a: &mut [T], b: &[U], f: impl Fn(T, U) -> T + Sync) {
    for_chunks(b, a, THRESHOLD_COMPUTE, |b, a| a.iter_mut().zip(b).for_each(|(a, &b)| *a = f(*a, b)));
}
