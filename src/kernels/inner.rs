//! Inner products and the 2-norm, with sums as in [`reduce`](super::reduce).

use super::parallel::{GRAIN, collect};
use super::reduce::{BLOCK, LEVELS, sum_all, tree};
use super::simd::vectorize;
use crate::scalar::{AnySlice, Number, Real, Scalar};
use num_traits::Zero;

/// Σ aᵢ bᵢ, without conjugation.
pub fn dot<T: Scalar>(a: &[T], b: &[T]) -> T {
    inner_product(a, b, false)
}

/// Σ conj(aᵢ) bᵢ
pub fn vdot<T: Scalar>(a: &[T], b: &[T]) -> T {
    inner_product(a, b, true)
}

fn inner_product<T: Scalar>(a: &[T], b: &[T], conj: bool) -> T {
    assert_eq!(a.len(), b.len());
    if a.len() < 8 {
        return a.iter().zip(b).fold(T::zero(), |sum, (&a, &b)| sum + if conj { a.conj() } else { a } * b);
    }
    let task = |a: &[T], b: &[T]| vectorize!([T: Scalar] [T] |a: &'a [T], b: &'a [T], conj: bool| -> T { dot_pairwise(a, b, conj) });
    if a.len() < 2 * GRAIN {
        return task(a, b);
    }
    let partial = collect(a.len().div_ceil(GRAIN), |i| {
        let range = i * GRAIN..a.len().min((i + 1) * GRAIN);
        task(&a[range.clone()], &b[range])
    });
    sum_all(&partial)
}

#[inline(always)]
fn dot_pairwise<T: Scalar>(a: &[T], b: &[T], conj: bool) -> T {
    if a.len() <= BLOCK {
        return dot_block(a, b, conj);
    }
    debug_assert!(a.len() < BLOCK << (LEVELS - 1));
    let mut levels = [T::zero(); LEVELS];
    let blocks = a.len().div_ceil(BLOCK);
    for (i, (a, b)) in a.chunks(BLOCK).zip(b.chunks(BLOCK)).enumerate() {
        let mut partial = dot_block(a, b, conj);
        let carried = i.trailing_ones() as usize;
        for &level in &levels[..carried] {
            partial = level + partial;
        }
        levels[carried] = partial;
    }
    (0..LEVELS).filter(|bit| blocks >> bit & 1 == 1).fold(T::zero(), |sum, bit| sum + levels[bit])
}

#[inline(always)]
fn dot_block<T: Scalar>(a: &[T], b: &[T], conj: bool) -> T {
    match (T::slice(a), T::slice(b)) {
        (AnySlice::F32(a), AnySlice::F32(b)) => T::from_real(cast(dot_lanes::<f32, 32>(a, b))),
        (AnySlice::F64(a), AnySlice::F64(b)) => T::from_real(cast(dot_lanes::<f64, 16>(a, b))),
        (AnySlice::C32(a), AnySlice::C32(b)) => {
            let [re, im] = complex_dot_lanes::<f32, 16>(complex_parts(a), complex_parts(b), conj);
            T::from_parts(cast(re), cast(im))
        }
        (AnySlice::C64(a), AnySlice::C64(b)) => {
            let [re, im] = complex_dot_lanes::<f64, 8>(complex_parts(a), complex_parts(b), conj);
            T::from_parts(cast(re), cast(im))
        }
        _ => unreachable!("two slices of the same type"),
    }
}

/// From `f32` or `f64` to the same type under another name.
#[inline(always)]
fn cast<R: Real, S: Real>(x: R) -> S {
    S::from_f64(x.to_f64())
}

/// Complex numbers as their parts, one after the other.
#[inline(always)]
pub fn complex_parts<R: Real>(x: &[num_complex::Complex<R>]) -> &[R] {
    // SAFETY: `Complex` is `repr(C)` with two fields of type R.
    unsafe { std::slice::from_raw_parts(x.as_ptr().cast(), 2 * x.len()) }
}

#[inline(always)]
fn dot_lanes<R: Real, const L: usize>(a: &[R], b: &[R]) -> R {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<L>(), b.as_chunks::<L>());
    let mut lanes = [R::zero(); L];
    for (a, b) in a.iter().zip(b) {
        for l in 0..L {
            lanes[l] += a[l] * b[l];
        }
    }
    a_rest.iter().zip(b_rest).fold(tree(lanes, |a, b| a + b), |sum, (&a, &b)| sum + a * b)
}

/// Products of the real and of the imaginary parts of `a` with all parts of `b` are summed apart and joined at the end, which needs
/// no shuffle of `b`.
#[inline(always)]
fn complex_dot_lanes<R: Real, const L: usize>(a: &[R], b: &[R], conj: bool) -> [R; 2] {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<L>(), b.as_chunks::<L>());
    let (mut by_re, mut by_im) = ([R::zero(); L], [R::zero(); L]);
    for (a, b) in a.iter().zip(b) {
        for l in 0..L {
            by_re[l] += a[l & !1] * b[l];
            by_im[l] += a[l | 1] * b[l];
        }
    }
    let pairs = |lanes: [R; L]| {
        tree(std::array::from_fn::<[R; 2], L, _>(|l| if l < L / 2 { [lanes[2 * l], lanes[2 * l + 1]] } else { [R::zero(); 2] }), |a, b| {
            [a[0] + b[0], a[1] + b[1]]
        })
    };
    let (mut p, mut q) = (pairs(by_re), pairs(by_im));
    for (a, b) in a_rest.as_chunks::<2>().0.iter().zip(b_rest.as_chunks::<2>().0) {
        p = [p[0] + a[0] * b[0], p[1] + a[0] * b[1]];
        q = [q[0] + a[1] * b[0], q[1] + a[1] * b[1]];
    }
    if conj { [p[0] + q[1], p[1] - q[0]] } else { [p[0] - q[1], p[1] + q[0]] }
}

/// √Σ|xᵢ|², without overflow or underflow of the squares.
pub fn norm2<T: Scalar>(x: &[T]) -> T::Real {
    let square = |x: &[T]| vdot(x, x).re();
    let plain = square(x);
    let low = T::Real::MIN_POSITIVE / (T::Real::EPSILON * T::Real::EPSILON);
    if plain > low && plain < T::Real::MAX {
        return plain.sqrt();
    }
    // the largest part, found over the parts since a modulus could overflow
    let largest = x.iter().fold(T::Real::zero(), |m, x| {
        let part = Real::max(Real::abs(x.re()), Real::abs(x.im()));
        if x.is_nan() || m != m { T::Real::NAN } else { Real::max(m, part) }
    });
    if largest == T::Real::zero() || largest != largest || largest == T::Real::INFINITY {
        return largest;
    }
    // a subnormal's reciprocal overflows, so divide
    let scaled: Vec<T> = x.iter().map(|x| T::from_parts(x.re() / largest, x.im() / largest)).collect();
    largest * square(&scaled).sqrt()
}
