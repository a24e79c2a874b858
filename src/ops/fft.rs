//! Discrete Fourier transforms, with numpy's names, conventions and padding; on rustfft, in double precision (single precision is rounded
//! from it), in parallel over the other axes.
//!
//! Forward y_k = Σ_j x_j e^{−2πi jk/n}; the inverse has e^{+2πi jk/n} and the factor 1/n (see [`Norm`]).
//!
//! The matrix F of the transform is symmetric, so F† is the transform with the other sign: that is the pullback. A real transform keeps the
//! first n/2 + 1 entries of the spectrum, y = S F x, and
//!
//! * x̄ = Re(F† Sᵀ ȳ) is the inverse real transform (which adds the conjugate half) of ȳ with the entries that have a mirror image halved;
//! * its inverse x = y₀ + Σ 2 Re(y_k e^{2πi jk/n}) (+ y_{n/2} (−1)ʲ) pulls back to ȳ = S F x̄ with those entries doubled. The imaginary
//!   parts of y₀ and, for even n, of y_{n/2} are ignored, as in numpy, and their cotangent is zero.

use super::joining::concatenate;
use super::shape::axis_of;
use crate::autodiff::Var;
use crate::autodiff::rule::{Keep, UnaryRule, unary};
use crate::kernels::parallel::{for_parts, for_rows};
use crate::kernels::permute::permute;
use crate::scalar::{AnySlice, AnySliceMut, AnyVec, Real, Scalar};
use crate::tensor::{Shape, Tensor, len_of};
use num_complex::Complex;
use rustfft::{Fft, FftPlanner};
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// Where the factor of the transform goes, as numpy's `norm`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Norm {
    /// 1/n on the inverse: the default.
    #[default]
    Backward,
    /// 1/√n on both: the transform is unitary.
    Ortho,
    /// 1/n on the forward transform.
    Forward,
}

/// Options of the transforms.
#[derive(Clone, Debug, Default)]
pub struct FftOptions {
    /// Lengths along the axes: what is longer is cut, what is shorter is padded with zeros. Empty: the array's own. For inverse real
    /// transforms the last one is the length of the result, by default 2 (m − 1) for m entries of the spectrum.
    pub lengths: Vec<usize>,
    /// The axes, negative from the end. Empty: the last for `fft` and its kin, the last two for `fft2`, all (or the last
    /// `lengths.len()`) for `fftn`.
    pub axes: Vec<isize>,
    /// Where the factor goes.
    pub norm: Norm,
}

type C64 = Complex<f64>;

/// Lengths whose tables are kept.
const CACHED: usize = 64;

fn planned(n: usize, inverse: bool) -> Arc<dyn Fft<f64>> {
    static PLANNER: LazyLock<Mutex<FftPlanner<f64>>> = LazyLock::new(|| Mutex::new(FftPlanner::new()));
    let mut planner = PLANNER.lock().unwrap_or_else(PoisonError::into_inner);
    if inverse { planner.plan_fft_inverse(n) } else { planner.plan_fft_forward(n) }
}

/// e^{−2πi k/n} for k = 0 ..= n/2.
fn twiddles(n: usize) -> Arc<[C64]> {
    static TWIDDLES: LazyLock<Mutex<HashMap<usize, Arc<[C64]>>>> = LazyLock::new(Mutex::default);
    let mut cache = TWIDDLES.lock().unwrap_or_else(PoisonError::into_inner);
    if cache.len() > CACHED {
        cache.clear();
    }
    let make = |k: usize| Complex::from_polar(1.0, -std::f64::consts::TAU * k as f64 / n as f64);
    cache.entry(n).or_insert_with(|| (0..=n / 2).map(make).collect()).clone()
}

/// Rows in a task.
fn rows_of(n: usize) -> usize {
    (1usize << 15).div_ceil(n.max(1))
}

/// Transforms of rows of length n, times a factor.
fn transform(x: &mut [C64], n: usize, inverse: bool, scale: f64) {
    let fft = planned(n, inverse);
    for_parts(x, rows_of(n) * n, |_, rows| {
        fft.process_with_scratch(rows, &mut vec![C64::ZERO; fft.get_inplace_scratch_len()]);
        if scale != 1.0 {
            rows.iter_mut().for_each(|z| *z *= scale);
        }
    });
}

/// The same in double precision and rounded: the library's code for a second type of number would be a seventh of this crate's compile time.
fn transform_single(x: &mut [Complex<f32>], n: usize, inverse: bool, scale: f64) {
    let fft = planned(n, inverse);
    for_parts(x, rows_of(n) * n, |_, rows| {
        let mut wide: Vec<C64> = rows.iter().map(|z| Complex::new(z.re as f64, z.im as f64)).collect();
        fft.process_with_scratch(&mut wide, &mut vec![C64::ZERO; fft.get_inplace_scratch_len()]);
        rows.iter_mut().zip(wide).for_each(|(z, w)| *z = Complex::new((w.re * scale) as f32, (w.im * scale) as f32));
    });
}

/// Half spectra (n/2 + 1 entries) of real rows of length n. For even n the row is taken as n/2 complex numbers x_{2j} + i x_{2j+1}, from whose
/// spectrum those of the even and the odd elements are told apart by symmetry.
fn real_forward(x: &[f64], n: usize, scale: f64) -> Vec<C64> {
    let (half, kept) = (n / 2, n / 2 + 1);
    let zero = C64::ZERO;
    let mut out = vec![zero; x.len() / n * kept];
    let even = n.is_multiple_of(2);
    let fft = planned(if even { half } else { n }, false);
    let twiddles = twiddles(n);
    let half_scale = scale * 0.5;
    let part = |x: &[f64], out: &mut [C64]| {
        let mut scratch = vec![zero; fft.get_inplace_scratch_len()];
        let mut row = vec![zero; fft.len()];
        for (x, out) in x.chunks_exact(n).zip(out.chunks_exact_mut(kept)) {
            if even {
                row.iter_mut().zip(x.as_chunks::<2>().0).for_each(|(z, &[a, b])| *z = Complex::new(a, b));
            } else {
                row.iter_mut().zip(x).for_each(|(z, &a)| *z = Complex::new(a, 0.0));
            }
            fft.process_with_scratch(&mut row, &mut scratch);
            for (k, out) in out.iter_mut().enumerate() {
                *out = if even {
                    let (z, mirror) = (row[k % half], row[(half - k) % half].conj());
                    let odd = z - mirror;
                    // (z + z*)/2 + w (z − z*)/(2i)
                    let sum = z + mirror + twiddles[k] * Complex::new(odd.im, -odd.re);
                    Complex::new(sum.re * half_scale, sum.im * half_scale)
                } else {
                    Complex::new(row[k].re * scale, row[k].im * scale)
                };
            }
        }
    };
    for_rows(x, n, &mut out, kept, rows_of(n), part);
    out
}

/// The transpose of the steps of [`real_forward`]: rows of length n from their half spectra, without the factor 1/n.
fn real_inverse(y: &[C64], n: usize, scale: f64) -> Vec<f64> {
    let (half, kept) = (n / 2, n / 2 + 1);
    let zero = C64::ZERO;
    let mut out = vec![0.0; y.len() / kept * n];
    let even = n.is_multiple_of(2);
    let fft = planned(if even { half } else { n }, true);
    let twiddles = twiddles(n);
    let part = |y: &[C64], out: &mut [f64]| {
        let mut scratch = vec![zero; fft.get_inplace_scratch_len()];
        let mut row = vec![zero; fft.len()];
        for (y, out) in y.chunks_exact(kept).zip(out.chunks_exact_mut(n)) {
            let real = |k: usize| Complex::new(y[k].re, 0.0);
            if even {
                for (k, z) in row.iter_mut().enumerate() {
                    let (a, b) = if k == 0 { (real(0), real(half)) } else { (y[k], y[half - k].conj()) };
                    let odd = (a - b) * twiddles[k].conj();
                    *z = a + b + Complex::new(-odd.im, odd.re);
                }
            } else {
                row[0] = real(0);
                for k in 1..kept {
                    row[k] = y[k];
                    row[n - k] = y[k].conj();
                }
            }
            fft.process_with_scratch(&mut row, &mut scratch);
            if even {
                out.as_chunks_mut::<2>().0.iter_mut().zip(&row).for_each(|(x, z)| *x = [z.re * scale, z.im * scale]);
            } else {
                out.iter_mut().zip(&row).for_each(|(x, z)| *x = z.re * scale);
            }
        }
    };
    for_rows(y, kept, &mut out, n, rows_of(n), part);
    out
}

/// The order of axes that has `axis` last, and back: exchanging two axes is its own inverse.
fn exchange(rank: usize, axis: usize) -> Shape {
    let mut order: Shape = (0..rank).collect();
    order.swap(axis, rank - 1);
    order
}

/// The array with `axis` last.
fn axis_last<T: Scalar>(x: &[T], shape: &[usize], axis: usize) -> (Vec<T>, Shape) {
    let order = exchange(shape.len(), axis);
    (permute(x, shape, &order), order.iter().map(|&a| shape[a]).collect())
}

/// Σ over the axes, unnormalised, times a factor.
struct Dft<C> {
    axes: Shape,
    inverse: bool,
    scale: f64,
    types: PhantomData<C>,
}

impl<C> Clone for Dft<C> {
    fn clone(&self) -> Self {
        Dft { axes: self.axes.clone(), ..*self }
    }
}

impl<C: Scalar> UnaryRule for Dft<C> {
    type In = C;
    type Out = C;
    fn name(&self) -> &'static str {
        if self.inverse { "ifft" } else { "fft" }
    }
    fn keep(&self) -> Keep {
        Keep::NOTHING
    }
    fn forward(&self, x: Var<C>) -> Tensor<C> {
        let shape = Shape::from_slice(x.shape());
        let mut values = x.value.into_vec();
        if values.is_empty() {
            return Tensor::with_shape(shape, values);
        }
        for (i, &axis) in self.axes.iter().enumerate() {
            let scale = if i == 0 { self.scale } else { 1.0 };
            let along = |values: &mut [C]| match C::slice_mut(values) {
                AnySliceMut::C32(z) => transform_single(z, shape[axis], self.inverse, scale),
                AnySliceMut::C64(z) => transform(z, shape[axis], self.inverse, scale),
                _ => unreachable!("complex numbers"),
            };
            if axis + 1 == shape.len() {
                along(&mut values);
            } else {
                let (mut moved, to) = axis_last(&values, &shape, axis);
                along(&mut moved);
                values = permute(&moved, &to, &exchange(shape.len(), axis));
            }
        }
        Tensor::with_shape(shape, values)
    }
    fn vjp(&self, _: &Var<C>, _: &Var<C>, g: Var<C>) -> Var<C> {
        unary(Dft { inverse: !self.inverse, ..self.clone() }, g)
    }
    fn jvp(&self, _: &Var<C>, _: &Var<C>, dx: Var<C>) -> Var<C> {
        unary(self.clone(), dx)
    }
}

/// Real to half spectrum along an axis of length n.
#[derive(Clone)]
struct RealDft<R> {
    axis: usize,
    n: usize,
    scale: f64,
    types: PhantomData<R>,
}

/// Half spectrum to real, with e^{+2πi jk/n} and no factor but `scale`.
#[derive(Clone)]
struct RealInverseDft<R> {
    axis: usize,
    n: usize,
    scale: f64,
    types: PhantomData<R>,
}

/// 1 at the entries of a half spectrum without a mirror image, `w` at the others; shaped to broadcast along `axis` of `rank`.
fn mirror_weights<C: Scalar>(n: usize, axis: usize, rank: usize, w: f64) -> Var<C> {
    let kept = n / 2 + 1;
    let weight = |k: usize| if k == 0 || 2 * k == n { 1.0 } else { w };
    let mut shape = Shape::from_elem(1, rank);
    shape[axis] = kept;
    Var::constant(Tensor::new(&shape, (0..kept).map(|k| <C as crate::scalar::Number>::constant(weight(k))).collect()))
}

impl<R: Real> UnaryRule for RealDft<R> {
    type In = R;
    type Out = R::Complex;
    fn name(&self) -> &'static str {
        "rfft"
    }
    fn keep(&self) -> Keep {
        Keep::NOTHING
    }
    fn forward(&self, x: Var<R>) -> Tensor<R::Complex> {
        let (rows, mut shape) = axis_last(x.as_slice(), x.shape(), self.axis);
        let rank = shape.len();
        shape[rank - 1] = self.n / 2 + 1;
        let spectra = <R::Complex>::unwrap_vec(match R::slice(&rows) {
            AnySlice::F32(x) => {
                let wide: Vec<f64> = x.iter().map(|&x| x as f64).collect();
                let spectra = real_forward(&wide, self.n, self.scale);
                AnyVec::C32(spectra.into_iter().map(|z| Complex::new(z.re as f32, z.im as f32)).collect())
            }
            AnySlice::F64(x) => AnyVec::C64(real_forward(x, self.n, self.scale)),
            _ => unreachable!("real numbers"),
        });
        let (values, shape) = axis_last(&spectra, &shape, self.axis);
        Tensor::with_shape(shape, values)
    }
    fn vjp(&self, x: &Var<R>, _: &Var<R::Complex>, g: Var<R::Complex>) -> Var<R> {
        let &RealDft { axis, n, scale, .. } = self;
        let weights = mirror_weights(n, axis, x.ndim(), 0.5);
        unary(RealInverseDft { axis, n, scale, types: PhantomData }, g * weights)
    }
    fn jvp(&self, _: &Var<R>, _: &Var<R::Complex>, dx: Var<R>) -> Var<R::Complex> {
        unary(self.clone(), dx)
    }
}

impl<R: Real> UnaryRule for RealInverseDft<R> {
    type In = R::Complex;
    type Out = R;
    fn name(&self) -> &'static str {
        "irfft"
    }
    fn keep(&self) -> Keep {
        Keep::NOTHING
    }
    fn forward(&self, y: Var<R::Complex>) -> Tensor<R> {
        let (rows, mut shape) = axis_last(y.as_slice(), y.shape(), self.axis);
        let rank = shape.len();
        shape[rank - 1] = self.n;
        let x = R::unwrap_vec(match <R::Complex>::slice(&rows) {
            AnySlice::C32(y) => {
                let wide: Vec<C64> = y.iter().map(|z| Complex::new(z.re as f64, z.im as f64)).collect();
                AnyVec::F32(real_inverse(&wide, self.n, self.scale).into_iter().map(|x| x as f32).collect())
            }
            AnySlice::C64(y) => AnyVec::F64(real_inverse(y, self.n, self.scale)),
            _ => unreachable!("complex numbers"),
        });
        let (values, shape) = axis_last(&x, &shape, self.axis);
        Tensor::with_shape(shape, values)
    }
    fn vjp(&self, y: &Var<R::Complex>, _: &Var<R>, g: Var<R>) -> Var<R::Complex> {
        let &RealInverseDft { axis, n, scale, .. } = self;
        let weights = mirror_weights(n, axis, y.ndim(), 2.0);
        unary(RealDft { axis, n, scale, types: PhantomData::<R> }, g) * weights
    }
    fn jvp(&self, _: &Var<R::Complex>, _: &Var<R>, dy: Var<R::Complex>) -> Var<R> {
        unary(self.clone(), dy)
    }
}

/// The axes and lengths of a transform; lengths that were not given are the array's own.
#[track_caller]
fn resolve(name: &str, shape: &[usize], options: &FftOptions, default: Option<usize>) -> (Shape, Shape) {
    let rank = shape.len();
    let given = &options.lengths;
    let last = |k: usize| {
        assert!(k <= rank, "{name}: shape {shape:?} has {rank} axes, the transform needs {k}");
        (rank - k..rank).collect::<Shape>()
    };
    let axes: Shape = if !options.axes.is_empty() {
        options.axes.iter().map(|&a| axis_of(name, a, rank)).collect()
    } else {
        last(default.unwrap_or(if given.is_empty() { rank } else { given.len() }))
    };
    assert!(!axes.is_empty(), "{name}: an array without axes cannot be transformed");
    assert!(
        (1..axes.len()).all(|i| !axes[..i].contains(&axes[i])),
        "{name}: axes {:?} of shape {shape:?} name an axis twice",
        options.axes
    );
    assert!(
        default.is_none_or(|k| k == axes.len()),
        "{name}: {} axes are named, the transform is over {}",
        axes.len(),
        default.unwrap_or(0)
    );
    assert!(
        given.is_empty() || given.len() == axes.len(),
        "{name}: lengths {given:?} for {} axes: there must be as many, or none",
        axes.len()
    );
    let lengths: Shape = if given.is_empty() { axes.iter().map(|&a| shape[a]).collect() } else { Shape::from_slice(given) };
    (axes, lengths)
}

#[track_caller]
fn check_lengths(name: &str, shape: &[usize], lengths: &[usize]) {
    assert!(lengths.iter().all(|&n| n > 0), "{name}: lengths {lengths:?} for shape {shape:?}: a transform needs at least one element");
}

/// Cut, or padded with zeros, to these lengths.
fn resized<T: Scalar>(x: Var<T>, axes: &[usize], lengths: &[usize]) -> Var<T> {
    axes.iter().zip(lengths).fold(x, |x, (&axis, &n)| {
        let found = x.shape()[axis];
        if n < found {
            x.split_at(&[n], axis as isize).swap_remove(0)
        } else if n > found {
            let mut shape = Shape::from_slice(x.shape());
            shape[axis] = n - found;
            concatenate(&[x, Var::constant(Tensor::full(&shape, T::zero()))], axis as isize)
        } else {
            x
        }
    })
}

fn factor(norm: Norm, inverse: bool, lengths: &[usize]) -> f64 {
    let n = len_of(lengths) as f64;
    match (norm, inverse) {
        (Norm::Ortho, _) => 1.0 / n.sqrt(),
        (Norm::Backward, true) | (Norm::Forward, false) => 1.0 / n,
        _ => 1.0,
    }
}

#[track_caller]
fn complex_transform<T: Scalar>(name: &str, x: &Var<T>, options: &FftOptions, rank: Option<usize>, inverse: bool) -> Var<T::Complex> {
    let (axes, lengths) = resolve(name, x.shape(), options, rank);
    check_lengths(name, x.shape(), &lengths);
    let x = resized(x.to_complex(), &axes, &lengths);
    let scale = factor(options.norm, inverse, &lengths);
    unary(Dft { axes, inverse, scale, types: PhantomData }, x)
}

#[track_caller]
fn real_transform<R: Real>(name: &str, x: &Var<R>, options: &FftOptions, rank: Option<usize>) -> Var<R::Complex> {
    let (mut axes, lengths) = resolve(name, x.shape(), options, rank);
    check_lengths(name, x.shape(), &lengths);
    let x = resized(x.clone(), &axes, &lengths);
    let scale = factor(options.norm, false, &lengths);
    let axis = axes.pop().expect("at least one");
    let y = unary(RealDft { axis, n: lengths[lengths.len() - 1], scale, types: PhantomData }, x);
    if axes.is_empty() { y } else { unary(Dft { axes, inverse: false, scale: 1.0, types: PhantomData }, y) }
}

#[track_caller]
fn real_inverse_transform<R: Real>(name: &str, y: &Var<R::Complex>, options: &FftOptions, rank: Option<usize>) -> Var<R> {
    let (mut axes, mut lengths) = resolve(name, y.shape(), options, rank);
    let last = lengths.len() - 1;
    if options.lengths.is_empty() {
        lengths[last] = 2 * lengths[last].saturating_sub(1);
    }
    check_lengths(name, y.shape(), &lengths);
    let n = lengths[last];
    let scale = factor(options.norm, true, &lengths);
    lengths[last] = n / 2 + 1;
    let mut y = resized(y.clone(), &axes, &lengths);
    let axis = axes.pop().expect("at least one");
    if !axes.is_empty() {
        y = unary(Dft { axes, inverse: true, scale: 1.0, types: PhantomData }, y);
    }
    unary(RealInverseDft { axis, n, scale, types: PhantomData }, y)
}

macro_rules! transforms {
    ($($(#[doc = $doc:literal])+ $f:ident $with:ident [$($bound:tt)+] $in:ty => $out:ty: |$name:ident, $x:ident, $options:ident| $body:expr;)*) => { $(
        $(#[doc = $doc])+
        ///
        /// # Panics
        /// If the array has too few axes or none of the elements to transform.
        #[track_caller]
        pub fn $f<$($bound)+>(x: &Var<$in>) -> Var<$out> {
            $with(x, &FftOptions::default())
        }
        #[doc = concat!("[`", stringify!($f), "`] with lengths, axes and norm.")]
        ///
        /// # Panics
        /// If an axis does not exist or is named twice, or the lengths do not fit the axes.
        #[track_caller]
        pub fn $with<$($bound)+>($x: &Var<$in>, $options: &FftOptions) -> Var<$out> {
            let $name = stringify!($f);
            $body
        }
    )* };
}
transforms! {
    /// The discrete Fourier transform along the last axis.
    fft fft_with [T: Scalar] T => T::Complex: |name, x, options| complex_transform(name, x, options, Some(1), false);
    /// The inverse of [`fft`].
    ifft ifft_with [T: Scalar] T => T::Complex: |name, x, options| complex_transform(name, x, options, Some(1), true);
    /// The discrete Fourier transform over the last two axes.
    fft2 fft2_with [T: Scalar] T => T::Complex: |name, x, options| complex_transform(name, x, options, Some(2), false);
    /// The inverse of [`fft2`].
    ifft2 ifft2_with [T: Scalar] T => T::Complex: |name, x, options| complex_transform(name, x, options, Some(2), true);
    /// The discrete Fourier transform over all axes.
    fftn fftn_with [T: Scalar] T => T::Complex: |name, x, options| complex_transform(name, x, options, None, false);
    /// The inverse of [`fftn`].
    ifftn ifftn_with [T: Scalar] T => T::Complex: |name, x, options| complex_transform(name, x, options, None, true);
    /// The first n/2 + 1 entries of the spectrum of real numbers, along the last axis.
    rfft rfft_with [R: Real] R => R::Complex: |name, x, options| real_transform(name, x, options, Some(1));
    /// The inverse of [`rfft`]; the length of the result is 2 (m − 1) unless given.
    irfft irfft_with [R: Real] R::Complex => R: |name, x, options| real_inverse_transform(name, x, options, Some(1));
    /// [`fft2`] of real numbers, half of the last axis.
    rfft2 rfft2_with [R: Real] R => R::Complex: |name, x, options| real_transform(name, x, options, Some(2));
    /// The inverse of [`rfft2`].
    irfft2 irfft2_with [R: Real] R::Complex => R: |name, x, options| real_inverse_transform(name, x, options, Some(2));
    /// [`fftn`] of real numbers, half of the last axis.
    rfftn rfftn_with [R: Real] R => R::Complex: |name, x, options| real_transform(name, x, options, None);
    /// The inverse of [`rfftn`].
    irfftn irfftn_with [R: Real] R::Complex => R: |name, x, options| real_inverse_transform(name, x, options, None);
}

/// Turns the given axes (all if there are none) so that the element at `start(n)` comes first.
#[track_caller]
fn turned<T: Scalar>(name: &str, x: &Var<T>, axes: &[isize], start: impl Fn(usize) -> usize) -> Var<T> {
    let axes: Shape = if axes.is_empty() { (0..x.ndim()).collect() } else { axes.iter().map(|&a| axis_of(name, a, x.ndim())).collect() };
    axes.iter().fold(x.clone(), |x, &axis| {
        let mut parts = x.split_at(&[start(x.shape()[axis])], axis as isize);
        parts.reverse();
        concatenate(&parts, axis as isize)
    })
}

/// Frequency zero to the middle, along the given axes (none: all).
///
/// # Panics
/// If there is no such axis.
#[track_caller]
pub fn fftshift<T: Scalar>(x: &Var<T>, axes: &[isize]) -> Var<T> {
    turned("fftshift", x, axes, |n| n - n / 2)
}

/// The inverse of [`fftshift`].
///
/// # Panics
/// If there is no such axis.
#[track_caller]
pub fn ifftshift<T: Scalar>(x: &Var<T>, axes: &[isize]) -> Var<T> {
    turned("ifftshift", x, axes, |n| n / 2)
}

/// The frequencies of [`fft`] for samples `d` apart: (0, 1, …, −2, −1)/(n d).
///
/// ```
/// use pullback::ops::fft::fftfreq;
/// assert_eq!(fftfreq::<f64>(4, 0.5).as_slice(), &[0.0, 0.5, -1.0, -0.5]);
/// ```
///
/// # Panics
/// If n is 0.
#[track_caller]
pub fn fftfreq<R: Real>(n: usize, d: f64) -> Var<R> {
    assert!(n > 0, "fftfreq: n must be positive");
    let frequency = |k: usize| if k < n.div_ceil(2) { k as f64 } else { k as f64 - n as f64 };
    Var::from((0..n).map(|k| R::from_f64(frequency(k) / (n as f64 * d))).collect::<Vec<R>>())
}

/// The frequencies of [`rfft`] for samples `d` apart: (0, 1, …, n/2)/(n d).
///
/// # Panics
/// If n is 0.
#[track_caller]
pub fn rfftfreq<R: Real>(n: usize, d: f64) -> Var<R> {
    assert!(n > 0, "rfftfreq: n must be positive");
    Var::from((0..=n / 2).map(|k| R::from_f64(k as f64 / (n as f64 * d))).collect::<Vec<R>>())
}
