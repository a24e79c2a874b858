//! Vectors of a few complex numbers, real and imaginary parts interleaved as in memory.

use num_complex::Complex;

/// A number that amplitudes are kept in, and the vectors of it.
pub trait Amplitude: Copy + Send + Sync + 'static {
    /// The real type.
    type R: Copy + Send + Sync + 'static;
    /// The vector of a machine with AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    type Wide: Lanes<Self>;
    /// A vector in plain code.
    type Plain: Lanes<Self>;
    /// A vector of one.
    type One: Lanes<Self>;
    /// From double precision.
    fn cast(z: Complex<f64>) -> Self;
    /// To double precision.
    fn widen(self) -> Complex<f64>;
}

/// `WIDTH` complex numbers in a register.
///
/// # Safety
/// The methods of the AVX2 vectors run on machines that have AVX2 and FMA; `load` and `store` touch `WIDTH` numbers.
pub unsafe trait Lanes<A: Amplitude>: Copy {
    /// Complex numbers in a register, a power of two.
    const WIDTH: usize;
    unsafe fn load(from: *const A) -> Self;
    unsafe fn store(self, to: *mut A);
    /// Of a register in memory, the real and the imaginary parts of the numbers whose place has bit `BIT` zero, and of those where it is
    /// one: each in both parts of both places.
    unsafe fn parts<const BIT: usize>(from: *const A) -> [Self; 4];
    unsafe fn add(self, x: Self) -> Self;
    unsafe fn mul(self, x: Self) -> Self;
    /// self · x + y
    unsafe fn fma(self, x: Self, y: Self) -> Self;
    /// y − self · x
    unsafe fn fnma(self, x: Self, y: Self) -> Self;
    /// self + i · x
    unsafe fn add_i(self, x: Self) -> Self;
    /// Both, exchanged in the lanes where the mask is negative.
    unsafe fn exchange(self, x: Self, mask: Self) -> (Self, Self);
    /// Real and imaginary parts exchanged.
    unsafe fn swap(self) -> Self;
    /// The complex product.
    unsafe fn times(self, x: Self) -> Self;
    /// The complex conjugate times x.
    unsafe fn conj_times(self, x: Self) -> Self;
    /// Of two registers, the numbers whose place has bit `BIT` zero, and those where it is one; its own inverse.
    unsafe fn pair<const BIT: usize>(self, x: Self) -> (Self, Self);
    /// The number at place i comes from place i xor `MASK`.
    unsafe fn xor<const MASK: usize>(self) -> Self;
}

/// A register in plain code.
#[derive(Clone, Copy)]
#[repr(C, align(32))]
pub struct Plain<A, const W: usize>([A; W]);

macro_rules! plain {
    ($r:ty) => {
        // SAFETY: plain code; `load` and `store` touch W numbers.
        unsafe impl<const W: usize> Lanes<Complex<$r>> for Plain<Complex<$r>, W> {
            const WIDTH: usize = W;
            #[inline(always)]
            unsafe fn load(from: *const Complex<$r>) -> Self {
                // SAFETY: by the contract of `load`.
                unsafe { Plain(from.cast::<[Complex<$r>; W]>().read_unaligned()) }
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut Complex<$r>) {
                // SAFETY: by the contract of `store`.
                unsafe { to.cast::<[Complex<$r>; W]>().write_unaligned(self.0) }
            }
            #[inline(always)]
            unsafe fn parts<const BIT: usize>(from: *const Complex<$r>) -> [Self; 4] {
                // SAFETY: passed on.
                let x: Self = unsafe { Self::load(from) };
                let bit = 1 << BIT;
                let (same, zero, one) = (|x: $r| Complex::new(x, x), |i: usize| x.0[i & !bit], |i: usize| x.0[(i | bit) % W]);
                [
                    Plain(std::array::from_fn(|i| same(zero(i).re))),
                    Plain(std::array::from_fn(|i| same(zero(i).im))),
                    Plain(std::array::from_fn(|i| same(one(i).re))),
                    Plain(std::array::from_fn(|i| same(one(i).im))),
                ]
            }
            #[inline(always)]
            unsafe fn add(self, x: Self) -> Self {
                Plain(std::array::from_fn(|i| self.0[i] + x.0[i]))
            }
            #[inline(always)]
            unsafe fn mul(self, x: Self) -> Self {
                Plain(std::array::from_fn(|i| Complex::new(self.0[i].re * x.0[i].re, self.0[i].im * x.0[i].im)))
            }
            #[inline(always)]
            unsafe fn fma(self, x: Self, y: Self) -> Self {
                Plain(std::array::from_fn(|i| Complex::new(self.0[i].re * x.0[i].re + y.0[i].re, self.0[i].im * x.0[i].im + y.0[i].im)))
            }
            #[inline(always)]
            unsafe fn fnma(self, x: Self, y: Self) -> Self {
                Plain(std::array::from_fn(|i| Complex::new(y.0[i].re - self.0[i].re * x.0[i].re, y.0[i].im - self.0[i].im * x.0[i].im)))
            }
            #[inline(always)]
            unsafe fn add_i(self, x: Self) -> Self {
                Plain(std::array::from_fn(|i| Complex::new(self.0[i].re - x.0[i].im, self.0[i].im + x.0[i].re)))
            }
            #[inline(always)]
            unsafe fn exchange(self, x: Self, mask: Self) -> (Self, Self) {
                let from = |a: Self, b: Self| Plain(std::array::from_fn(|i| if mask.0[i].re < 0.0 { b.0[i] } else { a.0[i] }));
                (from(self, x), from(x, self))
            }
            #[inline(always)]
            unsafe fn swap(self) -> Self {
                Plain(self.0.map(|z| Complex::new(z.im, z.re)))
            }
            #[inline(always)]
            unsafe fn times(self, x: Self) -> Self {
                Plain(std::array::from_fn(|i| self.0[i] * x.0[i]))
            }
            #[inline(always)]
            unsafe fn conj_times(self, x: Self) -> Self {
                Plain(std::array::from_fn(|i| self.0[i].conj() * x.0[i]))
            }
            #[inline(always)]
            unsafe fn pair<const BIT: usize>(self, x: Self) -> (Self, Self) {
                let bit = 1 << BIT;
                let lo = std::array::from_fn(|i| if i & bit == 0 { self.0[i] } else { x.0[i & !bit] });
                let hi = std::array::from_fn(|i| if i & bit == 0 { self.0[(i | bit) % W] } else { x.0[i] });
                (Plain(lo), Plain(hi))
            }
            #[inline(always)]
            unsafe fn xor<const MASK: usize>(self) -> Self {
                Plain(std::array::from_fn(|i| self.0[(i ^ MASK) % W]))
            }
        }
    };
}
plain!(f32);
plain!(f64);

macro_rules! amplitude {
    ($r:ty, $wide:ident, $plain:literal) => {
        impl Amplitude for Complex<$r> {
            type R = $r;
            #[cfg(target_arch = "x86_64")]
            type Wide = x86::$wide;
            type Plain = Plain<Complex<$r>, $plain>;
            type One = Plain<Complex<$r>, 1>;
            #[inline(always)]
            fn cast(z: Complex<f64>) -> Self {
                Complex::new(z.re as $r, z.im as $r)
            }
            #[inline(always)]
            #[allow(clippy::unnecessary_cast)]
            fn widen(self) -> Complex<f64> {
                Complex::new(self.re as f64, self.im as f64)
            }
        }
    };
}
amplitude!(f32, Single, 4);
amplitude!(f64, Double, 2);

#[cfg(target_arch = "x86_64")]
pub mod x86 {
    //! AVX2 registers.
    use super::Lanes;
    use num_complex::Complex;
    use std::arch::x86_64::*;

    /// Two numbers of double precision.
    #[derive(Clone, Copy)]
    pub struct Double(__m256d);

    /// Four numbers of single precision.
    #[derive(Clone, Copy)]
    pub struct Single(__m256);

    // SAFETY: AVX2 and FMA are there by the contract of the trait; unaligned loads and stores of 32 bytes.
    unsafe impl Lanes<Complex<f64>> for Double {
        const WIDTH: usize = 2;
        #[inline(always)]
        unsafe fn load(from: *const Complex<f64>) -> Self {
            // SAFETY: by the contract of the trait.
            unsafe { Double(_mm256_loadu_pd(from.cast())) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut Complex<f64>) {
            // SAFETY: by the contract of the trait.
            unsafe { _mm256_storeu_pd(to.cast(), self.0) }
        }
        #[inline(always)]
        unsafe fn parts<const BIT: usize>(from: *const Complex<f64>) -> [Self; 4] {
            let from = from.cast::<f64>();
            // SAFETY: by the contract of the trait; loads that need no shuffle.
            unsafe {
                [
                    Double(_mm256_broadcast_sd(&*from)),
                    Double(_mm256_broadcast_sd(&*from.add(1))),
                    Double(_mm256_broadcast_sd(&*from.add(2))),
                    Double(_mm256_broadcast_sd(&*from.add(3))),
                ]
            }
        }
        #[inline(always)]
        unsafe fn add(self, x: Self) -> Self {
            // SAFETY: by the contract of the trait.
            unsafe { Double(_mm256_add_pd(self.0, x.0)) }
        }
        #[inline(always)]
        unsafe fn mul(self, x: Self) -> Self {
            // SAFETY: by the contract of the trait.
            unsafe { Double(_mm256_mul_pd(self.0, x.0)) }
        }
        #[inline(always)]
        unsafe fn fma(self, x: Self, y: Self) -> Self {
            // SAFETY: by the contract of the trait.
            unsafe { Double(_mm256_fmadd_pd(self.0, x.0, y.0)) }
        }
        #[inline(always)]
        unsafe fn fnma(self, x: Self, y: Self) -> Self {
            // SAFETY: by the contract of the trait.
            unsafe { Double(_mm256_fnmadd_pd(self.0, x.0, y.0)) }
        }
        #[inline(always)]
        unsafe fn add_i(self, x: Self) -> Self {
            // SAFETY: by the contract of the trait.
            unsafe { Double(_mm256_addsub_pd(self.0, x.swap().0)) }
        }
        #[inline(always)]
        unsafe fn exchange(self, x: Self, mask: Self) -> (Self, Self) {
            // SAFETY: by the contract of the trait.
            unsafe {
                // not a blend: the compiler makes a masked store of it, which takes ten times as long
                let differ = _mm256_and_pd(_mm256_xor_pd(self.0, x.0), _mm256_cmp_pd::<_CMP_LT_OQ>(mask.0, _mm256_setzero_pd()));
                (Double(_mm256_xor_pd(self.0, differ)), Double(_mm256_xor_pd(x.0, differ)))
            }
        }
        #[inline(always)]
        unsafe fn swap(self) -> Self {
            // SAFETY: by the contract of the trait.
            unsafe { Double(_mm256_permute_pd::<0b0101>(self.0)) }
        }
        #[inline(always)]
        unsafe fn times(self, x: Self) -> Self {
            // SAFETY: by the contract of the trait.
            unsafe {
                Double(_mm256_fmaddsub_pd(_mm256_movedup_pd(self.0), x.0, _mm256_mul_pd(_mm256_permute_pd::<0b1111>(self.0), x.swap().0)))
            }
        }
        #[inline(always)]
        unsafe fn conj_times(self, x: Self) -> Self {
            // SAFETY: by the contract of the trait.
            unsafe {
                Double(_mm256_fmsubadd_pd(_mm256_movedup_pd(self.0), x.0, _mm256_mul_pd(_mm256_permute_pd::<0b1111>(self.0), x.swap().0)))
            }
        }
        #[inline(always)]
        unsafe fn pair<const BIT: usize>(self, x: Self) -> (Self, Self) {
            // SAFETY: by the contract of the trait.
            unsafe { (Double(_mm256_permute2f128_pd::<0x20>(self.0, x.0)), Double(_mm256_permute2f128_pd::<0x31>(self.0, x.0))) }
        }
        #[inline(always)]
        unsafe fn xor<const MASK: usize>(self) -> Self {
            // SAFETY: by the contract of the trait.
            if MASK & 1 == 0 { self } else { unsafe { Double(_mm256_permute2f128_pd::<0x01>(self.0, self.0)) } }
        }
    }

    // SAFETY: as above.
    unsafe impl Lanes<Complex<f32>> for Single {
        const WIDTH: usize = 4;
        #[inline(always)]
        unsafe fn load(from: *const Complex<f32>) -> Self {
            // SAFETY: by the contract of the trait.
            unsafe { Single(_mm256_loadu_ps(from.cast())) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut Complex<f32>) {
            // SAFETY: by the contract of the trait.
            unsafe { _mm256_storeu_ps(to.cast(), self.0) }
        }
        #[inline(always)]
        unsafe fn parts<const BIT: usize>(from: *const Complex<f32>) -> [Self; 4] {
            // SAFETY: by the contract of the trait; two numbers are 16 bytes.
            unsafe {
                if BIT == 0 {
                    let x = _mm256_loadu_ps(from.cast());
                    [
                        Single(_mm256_permute_ps::<0b00_00_00_00>(x)),
                        Single(_mm256_permute_ps::<0b01_01_01_01>(x)),
                        Single(_mm256_permute_ps::<0b10_10_10_10>(x)),
                        Single(_mm256_permute_ps::<0b11_11_11_11>(x)),
                    ]
                } else {
                    let (x, y) = (_mm256_broadcast_ps(&*from.cast()), _mm256_broadcast_ps(&*from.add(2).cast()));
                    [
                        Single(_mm256_moveldup_ps(x)),
                        Single(_mm256_movehdup_ps(x)),
                        Single(_mm256_moveldup_ps(y)),
                        Single(_mm256_movehdup_ps(y)),
                    ]
                }
            }
        }
        #[inline(always)]
        unsafe fn add(self, x: Self) -> Self {
            // SAFETY: by the contract of the trait.
            unsafe { Single(_mm256_add_ps(self.0, x.0)) }
        }
        #[inline(always)]
        unsafe fn mul(self, x: Self) -> Self {
            // SAFETY: by the contract of the trait.
            unsafe { Single(_mm256_mul_ps(self.0, x.0)) }
        }
        #[inline(always)]
        unsafe fn fma(self, x: Self, y: Self) -> Self {
            // SAFETY: by the contract of the trait.
            unsafe { Single(_mm256_fmadd_ps(self.0, x.0, y.0)) }
        }
        #[inline(always)]
        unsafe fn fnma(self, x: Self, y: Self) -> Self {
            // SAFETY: by the contract of the trait.
            unsafe { Single(_mm256_fnmadd_ps(self.0, x.0, y.0)) }
        }
        #[inline(always)]
        unsafe fn add_i(self, x: Self) -> Self {
            // SAFETY: by the contract of the trait.
            unsafe { Single(_mm256_addsub_ps(self.0, x.swap().0)) }
        }
        #[inline(always)]
        unsafe fn exchange(self, x: Self, mask: Self) -> (Self, Self) {
            // SAFETY: by the contract of the trait.
            unsafe {
                let differ = _mm256_and_ps(_mm256_xor_ps(self.0, x.0), _mm256_cmp_ps::<_CMP_LT_OQ>(mask.0, _mm256_setzero_ps()));
                (Single(_mm256_xor_ps(self.0, differ)), Single(_mm256_xor_ps(x.0, differ)))
            }
        }
        #[inline(always)]
        unsafe fn swap(self) -> Self {
            // SAFETY: by the contract of the trait.
            unsafe { Single(_mm256_permute_ps::<0b10_11_00_01>(self.0)) }
        }
        #[inline(always)]
        unsafe fn times(self, x: Self) -> Self {
            // SAFETY: by the contract of the trait.
            unsafe { Single(_mm256_fmaddsub_ps(_mm256_moveldup_ps(self.0), x.0, _mm256_mul_ps(_mm256_movehdup_ps(self.0), x.swap().0))) }
        }
        #[inline(always)]
        unsafe fn conj_times(self, x: Self) -> Self {
            // SAFETY: by the contract of the trait.
            unsafe { Single(_mm256_fmsubadd_ps(_mm256_moveldup_ps(self.0), x.0, _mm256_mul_ps(_mm256_movehdup_ps(self.0), x.swap().0))) }
        }
        #[inline(always)]
        unsafe fn pair<const BIT: usize>(self, x: Self) -> (Self, Self) {
            // SAFETY: by the contract of the trait.
            unsafe {
                if BIT == 0 {
                    let (a, b) = (_mm256_castps_pd(self.0), _mm256_castps_pd(x.0));
                    (Single(_mm256_castpd_ps(_mm256_unpacklo_pd(a, b))), Single(_mm256_castpd_ps(_mm256_unpackhi_pd(a, b))))
                } else {
                    (Single(_mm256_permute2f128_ps::<0x20>(self.0, x.0)), Single(_mm256_permute2f128_ps::<0x31>(self.0, x.0)))
                }
            }
        }
        #[inline(always)]
        unsafe fn xor<const MASK: usize>(self) -> Self {
            // SAFETY: by the contract of the trait.
            unsafe {
                let x = _mm256_castps_pd(self.0);
                Single(_mm256_castpd_ps(match MASK & 3 {
                    0 => x,
                    1 => _mm256_permute_pd::<0b0101>(x),
                    2 => _mm256_permute2f128_pd::<0x01>(x, x),
                    _ => _mm256_permute_pd::<0b0101>(_mm256_permute2f128_pd::<0x01>(x, x)),
                }))
            }
        }
    }
}
