//! Elementwise functions as branch-free arithmetic on plain numbers, compiled once per instruction set and vectorised by the compiler.
//!
//! A function of one number is an `#[inline(always)]` function with a const parameter `FMA`; [`dispatch`] runs the loop around it inside
//! a function compiled for the best instruction set of the machine. Vector body and remainder are the same IEEE operations in the same
//! order, so an element's result does not depend on its place in the slice. Arguments that a fast path does not cover (sin of 1e300) are
//! found block by block and recomputed one at a time.
//!
//! Coefficients are minimax fits (Remez exchange in 50-digit arithmetic) of the function and interval named beside them; the numerical
//! methods are those of W. J. Cody and W. Waite, *Software Manual for the Elementary Functions* (1980), P. T. P. Tang's papers (ACM TOMS
//! 15–18) and J.-M. Muller, *Elementary Functions* (3rd ed., 2016).

// coefficients are written as the fit printed them; a comparison is negated where NaN must fall on its other side
#![allow(clippy::excessive_precision, clippy::neg_cmp_op_on_partial_ord)]

pub mod complex;
pub mod erf;
pub mod exp;
pub mod hyperbolic;
pub mod inverse;
mod lane;
pub mod log;
pub mod pow;
pub mod simple;
pub mod trig;

use std::mem::MaybeUninit;

pub use lane::{EXP_Q, Lane};

/// A loop to be compiled for each instruction set; `run` must be `#[inline(always)]`.
pub trait Task {
    type Output;
    /// `FMA` says that `mul_add` is one instruction.
    fn run<const FMA: bool>(self) -> Self::Output;
}

/// The loop with the best instructions that this machine has.
#[inline]
pub fn dispatch<K: Task>(task: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if level::is_avx2() {
            // SAFETY: the features that `avx2` is compiled for were detected.
            #[allow(unsafe_code)]
            return unsafe { avx2(task) };
        }
    }
    task.run::<{ cfg!(target_arch = "aarch64") }>()
}

/// As [`dispatch`], with AVX-512 where the machine has it: for loops with much arithmetic on each number, compiled once more. The operations
/// and so the bits are the same.
fn dispatch_widest<K: Task>(task: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if level::is_avx512() {
            // SAFETY: the features that `avx512` is compiled for were detected.
            #[allow(unsafe_code)]
            return unsafe { avx512(task) };
        }
    }
    dispatch(task)
}

/// Which instructions loops run with.
pub mod level {
    use std::sync::atomic::{AtomicU8, Ordering};

    const PORTABLE: u8 = 1;
    const AVX2: u8 = 2;
    const AVX512: u8 = 3;

    /// 0 as long as nobody has looked. `AVX2` and `AVX512` come from [`detect`] alone.
    static LEVEL: AtomicU8 = AtomicU8::new(0);

    #[inline]
    fn level() -> u8 {
        match LEVEL.load(Ordering::Relaxed) {
            0 => detect(),
            level => level,
        }
    }

    /// Whether this machine has AVX2 and FMA, and [`portable`] does not forbid them.
    #[inline]
    pub fn is_avx2() -> bool {
        level() >= AVX2
    }

    /// Whether it has AVX-512 as well.
    #[inline]
    pub fn is_avx512() -> bool {
        level() == AVX512
    }

    #[cold]
    fn detect() -> u8 {
        #[cfg(target_arch = "x86_64")]
        let level = if !(is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")) {
            PORTABLE
        } else if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") && is_x86_feature_detected!("avx512vl") {
            AVX512
        } else {
            AVX2
        };
        #[cfg(not(target_arch = "x86_64"))]
        let level = PORTABLE;
        LEVEL.store(level, Ordering::Relaxed);
        level
    }

    /// From now on all loops of the process run as on a machine without AVX2, or again with what the machine has.
    pub fn portable(on: bool) {
        LEVEL.store(if on { PORTABLE } else { 0 }, Ordering::Relaxed);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<K: Task>(task: K) -> K::Output {
    task.run::<true>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avx512f,avx512dq,avx512vl")]
fn avx512<K: Task>(task: K) -> K::Output {
    task.run::<true>()
}

/// Runs a block compiled for the widest vector instructions of this machine: `vectorize!([T: Scalar] [T] |x: &'a [T]| -> T { … })`
/// lists the generics, their names, the variables of the scope that the block uses with their types, and what it returns.
///
/// A closure would do, were it always inlined into the function that has the instructions; a large one is not, and then runs without.
macro_rules! vectorize {
    ([$($generics:tt)*] [$($names:tt)*] |$($arg:ident: $t:ty),* $(,)?| -> $r:ty $body:block) => {{
        struct Block<'a, $($generics)*> {
            $($arg: $t,)*
            marker: std::marker::PhantomData<&'a ()>,
        }
        impl<'a, $($generics)*> $crate::kernels::simd::Task for Block<'a, $($names)*> {
            type Output = $r;
            #[inline(always)]
            fn run<const FMA: bool>(self) -> $r {
                let Block { $($arg,)* .. } = self;
                $body
            }
        }
        $crate::kernels::simd::dispatch(Block::<$($names)*> { $($arg,)* marker: std::marker::PhantomData })
    }};
}
pub(crate) use vectorize;

/// An unsigned integer of the size of a number or of its parts, for the sign bits that mark arguments outside a range.
pub trait Guarded: Copy {
    type Word: Copy + Default + std::ops::BitOr<Output = Self::Word>;
    /// Whether it is a real number.
    const REAL: bool;
    fn top_bit(word: Self::Word) -> bool;
}

macro_rules! guarded {
    ($($t:ty: $word:ty, $real:literal;)*) => { $(
        impl Guarded for $t {
            type Word = $word;
            const REAL: bool = $real;
            #[inline(always)]
            fn top_bit(word: $word) -> bool {
                word >> (<$word>::BITS - 1) != 0
            }
        }
    )* };
}
guarded! {
    f64: u64, true;
    f32: u32, true;
    num_complex::Complex<f64>: u64, false;
    num_complex::Complex<f32>: u32, false;
}

/// A function of one number, in two parts: `eval` without branches, and `slow` for the arguments that are `outside` its range.
pub trait UnaryFn<T: Guarded> {
    /// Whether `outside` can be true at all.
    const PARTIAL: bool = false;
    /// Whether `eval` gives the same bits with and without FMA, so that one number needs no dispatch.
    const EXACT: bool = false;
    fn eval<const FMA: bool>(x: T) -> T;
    /// A word whose top bit says that x is outside the range of `eval`: words are or-ed over a block.
    #[inline(always)]
    fn guard<const FMA: bool>(_x: T) -> T::Word {
        T::Word::default()
    }
    #[inline(always)]
    fn outside<const FMA: bool>(x: T) -> bool {
        T::top_bit(Self::guard::<FMA>(x))
    }
    /// Whether `slow` is vectorised too and agrees with `eval` where that holds, so that a block may be recomputed as a whole.
    const WIDE: bool = false;
    #[inline(always)]
    fn slow<const FMA: bool>(x: T) -> T {
        Self::eval::<FMA>(x)
    }
}

/// A function of two numbers, in the same two parts.
pub trait BinaryFn<T: Copy> {
    const PARTIAL: bool = false;
    const EXACT: bool = false;
    fn eval<const FMA: bool>(a: T, b: T) -> T;
    #[inline(always)]
    fn outside<const FMA: bool>(_a: T, _b: T) -> bool {
        false
    }
    fn slow(a: T, b: T) -> T {
        Self::eval::<false>(a, b)
    }
}

/// Elements between two looks at the arguments outside the fast range; two blocks fit in the first-level cache with room to spare.
pub const BLOCK: usize = 256;

struct MapTask<'a, T, F> {
    src: &'a [T],
    dst: &'a mut [MaybeUninit<T>],
    function: std::marker::PhantomData<F>,
}

impl<T: Guarded, F: UnaryFn<T>> Task for MapTask<'_, T, F> {
    type Output = ();
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        if !F::PARTIAL {
            for (d, &x) in self.dst.iter_mut().zip(self.src) {
                d.write(F::eval::<FMA>(x));
            }
            return;
        }
        for (dst, src) in self.dst.chunks_mut(BLOCK).zip(self.src.chunks(BLOCK)) {
            let mut any = T::Word::default();
            for (d, &x) in dst.iter_mut().zip(src) {
                any = any | F::guard::<FMA>(x);
                d.write(F::eval::<FMA>(x));
            }
            if T::top_bit(any) {
                if F::WIDE {
                    for (d, &x) in dst.iter_mut().zip(src) {
                        d.write(F::slow::<FMA>(x));
                    }
                } else {
                    mend::<T, F, FMA>(src, dst);
                }
            }
        }
    }
}

/// Overwrites the elements of a block whose arguments are outside the fast range.
#[cold]
#[inline(never)]
fn mend<T: Guarded, F: UnaryFn<T>, const FMA: bool>(src: &[T], dst: &mut [MaybeUninit<T>]) {
    for (d, &x) in dst.iter_mut().zip(src) {
        if F::outside::<FMA>(x) {
            d.write(F::slow::<FMA>(x));
        }
    }
}

/// Where an operand of a function of two numbers comes from, and whether the result replaces it.
pub enum Operands<'a, T> {
    /// dst ← f(a, b)
    Both(&'a [T], &'a [T], &'a mut [MaybeUninit<T>]),
    /// a ← f(a, b)
    Left(&'a mut [T], &'a [T]),
    /// b ← f(a, b)
    Right(&'a [T], &'a mut [T]),
    /// dst ← f(a, b) with one a for all
    LeftScalar(T, &'a [T], &'a mut [MaybeUninit<T>]),
    /// dst ← f(a, b) with one b for all
    RightScalar(&'a [T], T, &'a mut [MaybeUninit<T>]),
}

struct ZipTask<'a, T, F> {
    operands: Operands<'a, T>,
    function: std::marker::PhantomData<F>,
}

#[inline(always)]
fn zip_block<T: Copy, F: BinaryFn<T>, const FMA: bool>(a: &[T], b: &[T], dst: &mut [MaybeUninit<T>]) {
    let mut any = false;
    for ((d, &x), &y) in dst.iter_mut().zip(a).zip(b) {
        any |= F::outside::<FMA>(x, y);
        d.write(F::eval::<FMA>(x, y));
    }
    if F::PARTIAL && any {
        mend_zip::<T, F, FMA>(a, b, dst);
    }
}

impl<T: Copy, F: BinaryFn<T>> Task for ZipTask<'_, T, F> {
    type Output = ();
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        match self.operands {
            Operands::Both(a, b, dst) => {
                for ((dst, a), b) in dst.chunks_mut(BLOCK).zip(a.chunks(BLOCK)).zip(b.chunks(BLOCK)) {
                    zip_block::<T, F, FMA>(a, b, dst);
                }
            }
            Operands::Left(a, b) if F::PARTIAL => {
                for (a, b) in a.chunks_mut(BLOCK).zip(b.chunks(BLOCK)) {
                    through_copy(a, |old, new| zip_block::<T, F, FMA>(old, b, new));
                }
            }
            Operands::Right(a, b) if F::PARTIAL => {
                for (a, b) in a.chunks(BLOCK).zip(b.chunks_mut(BLOCK)) {
                    through_copy(b, |old, new| zip_block::<T, F, FMA>(a, old, new));
                }
            }
            Operands::LeftScalar(a, b, dst) if F::PARTIAL => {
                let a = [a; BLOCK];
                for (dst, b) in dst.chunks_mut(BLOCK).zip(b.chunks(BLOCK)) {
                    zip_block::<T, F, FMA>(&a, b, dst);
                }
            }
            Operands::RightScalar(a, b, dst) if F::PARTIAL => {
                let b = [b; BLOCK];
                for (dst, a) in dst.chunks_mut(BLOCK).zip(a.chunks(BLOCK)) {
                    zip_block::<T, F, FMA>(a, &b, dst);
                }
            }
            Operands::Left(a, b) => a.iter_mut().zip(b).for_each(|(a, &b)| *a = F::eval::<FMA>(*a, b)),
            Operands::Right(a, b) => a.iter().zip(b).for_each(|(&a, b)| *b = F::eval::<FMA>(a, *b)),
            Operands::LeftScalar(a, b, dst) => dst.iter_mut().zip(b).for_each(|(d, &b)| {
                d.write(F::eval::<FMA>(a, b));
            }),
            Operands::RightScalar(a, b, dst) => dst.iter_mut().zip(a).for_each(|(d, &a)| {
                d.write(F::eval::<FMA>(a, b));
            }),
        }
    }
}

/// Runs an out-of-place loop on at most [`BLOCK`] elements in place, from a copy on the stack.
#[inline(always)]
pub fn through_copy<T: Copy>(x: &mut [T], f: impl FnOnce(&[T], &mut [MaybeUninit<T>])) {
    let mut copy = [MaybeUninit::<T>::uninit(); BLOCK];
    let n = x.len();
    for (copy, &x) in copy[..n].iter_mut().zip(&*x) {
        copy.write(x);
    }
    // SAFETY: the first n elements were written above; a slice of T may be seen as one of MaybeUninit<T> by code that, as
    // `d.write` and `mend` do, only ever writes initialised values through it.
    #[allow(unsafe_code)]
    unsafe {
        f(std::slice::from_raw_parts(copy.as_ptr().cast(), n), std::slice::from_raw_parts_mut(x.as_mut_ptr().cast(), n))
    }
}

#[cold]
#[inline(never)]
fn mend_zip<T: Copy, F: BinaryFn<T>, const FMA: bool>(a: &[T], b: &[T], dst: &mut [MaybeUninit<T>]) {
    for ((d, &x), &y) in dst.iter_mut().zip(a).zip(b) {
        if F::outside::<FMA>(x, y) {
            d.write(F::slow(x, y));
        }
    }
}

struct OneTask<T, F> {
    x: T,
    function: std::marker::PhantomData<F>,
}

impl<T: Guarded, F: UnaryFn<T>> Task for OneTask<T, F> {
    type Output = T;
    #[inline(always)]
    fn run<const FMA: bool>(self) -> T {
        if F::PARTIAL && F::outside::<FMA>(self.x) { F::slow::<FMA>(self.x) } else { F::eval::<FMA>(self.x) }
    }
}

struct OneZipTask<T, F> {
    a: T,
    b: T,
    function: std::marker::PhantomData<F>,
}

impl<T: Copy, F: BinaryFn<T>> Task for OneZipTask<T, F> {
    type Output = T;
    #[inline(always)]
    fn run<const FMA: bool>(self) -> T {
        if F::PARTIAL && F::outside::<FMA>(self.a, self.b) { F::slow(self.a, self.b) } else { F::eval::<FMA>(self.a, self.b) }
    }
}

/// dst ← f(src), elementwise; every element of `dst` is written (the lengths are equal).
pub fn map_into<T: Guarded, F: UnaryFn<T>>(src: &[T], dst: &mut [MaybeUninit<T>]) {
    assert_eq!(src.len(), dst.len());
    let task = MapTask::<T, F> { src, dst, function: std::marker::PhantomData };
    if const { T::REAL } { dispatch_widest(task) } else { dispatch(task) }
}

/// One of the five forms of f(a, b), elementwise; lengths are equal, and every element of `dst` is written.
pub fn zip_into<T: Copy, F: BinaryFn<T>>(operands: Operands<'_, T>) {
    match &operands {
        Operands::Both(a, b, dst) => assert!(a.len() == dst.len() && b.len() == dst.len()),
        Operands::Left(a, b) => assert_eq!(a.len(), b.len()),
        Operands::Right(a, b) => assert_eq!(a.len(), b.len()),
        Operands::LeftScalar(_, x, dst) | Operands::RightScalar(x, _, dst) => assert_eq!(x.len(), dst.len()),
    }
    dispatch(ZipTask::<T, F> { operands, function: std::marker::PhantomData });
}

/// f(x), the same bits as the slice version gives.
#[inline]
pub fn map_one<T: Guarded, F: UnaryFn<T>>(x: T) -> T {
    if F::EXACT {
        return F::eval::<false>(x);
    }
    dispatch(OneTask::<T, F> { x, function: std::marker::PhantomData })
}

/// f(a, b), the same bits as the slice version gives.
#[inline]
pub fn zip_one<T: Copy, F: BinaryFn<T>>(a: T, b: T) -> T {
    if F::EXACT {
        return F::eval::<false>(a, b);
    }
    dispatch(OneZipTask::<T, F> { a, b, function: std::marker::PhantomData })
}
