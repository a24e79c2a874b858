//! What the elementary functions need of `f32` and `f64`: constants, bit surgery and the polynomials of each precision.

/// Σ cᵢ xⁱ by Horner's rule.
macro_rules! horner {
    ($fma:ident, $x:expr, [$($c:expr),+ $(,)?]) => {{
        let x = $x;
        let c = [$($c),+];
        let mut p = c[c.len() - 1];
        let mut i = c.len() - 1;
        while i > 0 {
            i -= 1;
            p = $crate::kernels::simd::lane::Lane::madd::<$fma>(p, x, c[i]);
        }
        p
    }};
}
pub(super) use horner;

/// Σ cᵢ xⁱ by Estrin's rule: pairs first, then pairs of pairs, for a shorter chain of dependent operations.
macro_rules! estrin {
    ($fma:ident, $x:expr, [$($c:expr),+ $(,)?]) => {{
        let x = $x;
        estrin!(@pairs $fma, x, [] $($c),+)
    }};
    (@pairs $fma:ident, $x:ident, [$($done:expr),*] $a:expr, $b:expr $(, $rest:expr)*) => {
        estrin!(@pairs $fma, $x, [$($done,)* $crate::kernels::simd::lane::Lane::madd::<$fma>($b, $x, $a)] $($rest),*)
    };
    (@pairs $fma:ident, $x:ident, [$($done:expr),*] $a:expr) => {
        estrin!(@square $fma, $x, $($done,)* $a)
    };
    (@pairs $fma:ident, $x:ident, [$($done:expr),*]) => {
        estrin!(@square $fma, $x, $($done),*)
    };
    (@square $fma:ident, $x:ident, $a:expr) => {
        $a
    };
    (@square $fma:ident, $x:ident, $($c:expr),+) => {{
        let square = $x * $x;
        estrin!(@pairs $fma, square, [] $($c),+)
    }};
}
pub(super) use estrin;

/// A number that the elementary functions are written for.
pub trait Lane:
    super::Guarded
    + PartialOrd
    + std::ops::Add<Output = Self>
    + std::ops::Sub<Output = Self>
    + std::ops::Mul<Output = Self>
    + std::ops::Div<Output = Self>
    + std::ops::Neg<Output = Self>
{
    const ZERO: Self;
    const ONE: Self;
    const TWO: Self;
    const HALF: Self;
    const INFINITY: Self;
    const NAN: Self;
    const MIN_POSITIVE: Self;
    /// log₂ e
    const LOG2_E: Self;
    /// ln 2 in two parts; the product of the first with an exponent is exact.
    const LN2_HI: Self;
    const LN2_LO: Self;
    /// Adding and subtracting 1.5·2^(p−1) rounds to the nearest integer.
    const ROUND: Self;
    /// Up to this modulus eˣ is a normal number.
    const EXP_NORMAL: Self;
    /// eˣ is zero below the first and infinite above the second.
    const EXP_MIN: Self;
    const EXP_MAX: Self;
    /// The same for 2ˣ.
    const EXP2_MIN: Self;
    const EXP2_MAX: Self;
    /// expm1(x) is −1 to rounding below this.
    const EXPM1_MIN: Self;
    /// tanh is ±1 to rounding above half of this.
    const TANH_MAX: Self;
    /// The factor that makes subnormal numbers normal, and its binary exponent.
    const SUBNORMAL_SCALE: Self;
    const SUBNORMAL_EXPONENT: Self;
    /// The largest n with 2ⁿ finite.
    const MAX_EXPONENT: Self;

    /// Zero, or a word with the top bit where x < 0; anything for NaN.
    fn sign_word(x: Self) -> Self::Word;
    /// The top bit where x is not a positive normal number.
    fn not_normal_word(x: Self) -> Self::Word;
    /// `self * b + c`, fused where that is one instruction.
    fn madd<const FMA: bool>(self, b: Self, c: Self) -> Self;
    fn abs(self) -> Self;
    fn sqrt(self) -> Self;
    fn copysign(self, sign: Self) -> Self;
    /// 2ⁿ for an integer n from `MIN_EXP − 1` to `MAX_EXPONENT`.
    fn pow2(n: Self) -> Self;
    /// (k, m) with x = 2ᵏ m and √½ ≤ m < √2, for a positive normal x.
    fn decompose(x: Self) -> (Self, Self);
    /// (eʳ − 1 − r)/r² for |r| ≤ ½ ln 2.
    fn exp_q<const FMA: bool>(r: Self) -> Self;
    /// (sinh r − r)/r³ as a function of r², |r| ≤ ½ ln 2.
    fn sinh_s<const FMA: bool>(z: Self) -> Self;
    /// (cosh r − 1)/r² as a function of r², |r| ≤ ½ ln 2.
    fn cosh_c<const FMA: bool>(z: Self) -> Self;
    /// ln(1 + f) − f plus something small, for √½ ≤ 1 + f < √2.
    fn log_tail<const FMA: bool>(f: Self, add: Self) -> Self;
}

/// a + b as an unevaluated sum, for any a and b (Knuth).
#[inline(always)]
pub fn two_sum<T: Lane>(a: T, b: T) -> (T, T) {
    let s = a + b;
    let bb = s - a;
    (s, (a - (s - bb)) + (b - bb))
}

/// a + b as an unevaluated sum, for |a| ≥ |b| (Dekker).
#[inline(always)]
pub fn fast_two_sum<T: Lane>(a: T, b: T) -> (T, T) {
    let s = a + b;
    (s, b - (s - a))
}

/// a·b as an unevaluated sum; without FMA by Dekker's splitting, for |a|, |b| < 2⁹⁹⁵.
#[inline(always)]
pub fn two_product<const FMA: bool>(a: f64, b: f64) -> (f64, f64) {
    let p = a * b;
    if FMA {
        (p, a.mul_add(b, -p))
    } else {
        let (ah, al) = split(a);
        let (bh, bl) = split(b);
        (p, ((ah * bh - p) + ah * bl + al * bh) + al * bl)
    }
}

#[inline(always)]
fn split(a: f64) -> (f64, f64) {
    let c = 134_217_729.0 * a;
    let hi = c - (c - a);
    (hi, a - hi)
}

/// Coefficients of (eʳ − 1 − r)/r² in double precision.
pub const EXP_Q: [f64; 10] = [
    0.5000000000000001,
    0.16666666666666674,
    0.04166666666662398,
    0.008333333333322172,
    0.0013888888917285205,
    0.0001984126988669978,
    2.4801521185753994e-05,
    2.7557242213696835e-06,
    2.762014054460191e-07,
    2.5110096226623164e-08,
];

impl Lane for f64 {
    const ZERO: f64 = 0.0;
    const ONE: f64 = 1.0;
    const TWO: f64 = 2.0;
    const HALF: f64 = 0.5;
    const INFINITY: f64 = f64::INFINITY;
    const NAN: f64 = f64::NAN;
    const MIN_POSITIVE: f64 = f64::MIN_POSITIVE;
    const LOG2_E: f64 = std::f64::consts::LOG2_E;
    // the upper 33 bits of ln 2
    const LN2_HI: f64 = f64::from_bits(0x3fe6_2e42_fef0_0000);
    const LN2_LO: f64 = 7.440_617_110_012_397e-11;
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const EXP_NORMAL: f64 = 708.0;
    const EXP_MIN: f64 = -746.0;
    const EXP_MAX: f64 = 710.0;
    const EXP2_MIN: f64 = -1077.0;
    const EXP2_MAX: f64 = 1025.0;
    const EXPM1_MIN: f64 = -40.0;
    const TANH_MAX: f64 = 44.0;
    const SUBNORMAL_SCALE: f64 = 18_014_398_509_481_984.0;
    const SUBNORMAL_EXPONENT: f64 = 54.0;
    const MAX_EXPONENT: f64 = 1023.0;

    #[inline(always)]
    fn sign_word(x: f64) -> u64 {
        x.to_bits()
    }
    #[inline(always)]
    fn not_normal_word(x: f64) -> u64 {
        // as integers, positive normal numbers are those between the smallest and the largest
        x.to_bits().wrapping_sub(0x0010_0000_0000_0000) | 0x7fef_ffff_ffff_ffff_u64.wrapping_sub(x.to_bits())
    }
    #[inline(always)]
    fn madd<const FMA: bool>(self, b: f64, c: f64) -> f64 {
        if FMA { self.mul_add(b, c) } else { self * b + c }
    }
    #[inline(always)]
    fn abs(self) -> f64 {
        self.abs()
    }
    #[inline(always)]
    fn sqrt(self) -> f64 {
        self.sqrt()
    }
    #[inline(always)]
    fn copysign(self, sign: f64) -> f64 {
        self.copysign(sign)
    }
    #[inline(always)]
    fn pow2(n: f64) -> f64 {
        f64::from_bits((n + (Self::ROUND + 1023.0)).to_bits() << 52)
    }
    #[inline(always)]
    fn decompose(x: f64) -> (f64, f64) {
        const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
        let u = x.to_bits().wrapping_add(0x3ff0_0000_0000_0000 - SQRT_HALF);
        // the integer k + 1023 in the last bits of a number whose unit in the last place is one
        let k = f64::from_bits((u >> 52) | Self::ROUND.to_bits()) - (Self::ROUND + 1023.0);
        (k, f64::from_bits((u & 0x000f_ffff_ffff_ffff) + SQRT_HALF))
    }
    #[inline(always)]
    fn exp_q<const FMA: bool>(r: f64) -> f64 {
        let [.., last] = EXP_Q;
        EXP_Q[..EXP_Q.len() - 1].iter().rev().fold(last, |q, &c| q.madd::<FMA>(r, c))
    }
    #[inline(always)]
    fn sinh_s<const FMA: bool>(z: f64) -> f64 {
        horner!(FMA, z, [0.16666666666666677, 0.008333333333321586, 0.00019841269886251676, 2.755724407122555e-06, 2.5109088715231433e-08])
    }
    #[inline(always)]
    fn cosh_c<const FMA: bool>(z: f64) -> f64 {
        horner!(FMA, z, [0.5000000000000013, 0.04166666666651391, 0.0013888888947380118, 2.48014895811382e-05, 2.7631406000783566e-07])
    }
    /// With s = f/(2 + f): ln(1 + f) = 2 atanh s = 2s + s z R(z), z = s², and 2s = f − s f.
    #[inline(always)]
    fn log_tail<const FMA: bool>(f: f64, add: f64) -> f64 {
        let s = f / (2.0 + f);
        let z = s * s;
        let r = estrin!(
            FMA,
            z,
            [
                0.6666666666666735,
                0.3999999999941111,
                0.28571428743258953,
                0.22222198476285643,
                0.18183569727318327,
                0.15313903508612225,
                0.14797505528139301,
            ]
        );
        (-s).madd::<FMA>((-z).madd::<FMA>(r, f), add)
    }
}

impl Lane for f32 {
    const ZERO: f32 = 0.0;
    const ONE: f32 = 1.0;
    const TWO: f32 = 2.0;
    const HALF: f32 = 0.5;
    const INFINITY: f32 = f32::INFINITY;
    const NAN: f32 = f32::NAN;
    const MIN_POSITIVE: f32 = f32::MIN_POSITIVE;
    const LOG2_E: f32 = std::f32::consts::LOG2_E;
    const LN2_HI: f32 = 0.693_359_375;
    const LN2_LO: f32 = -2.121_944_4e-4;
    const ROUND: f32 = 12_582_912.0;
    const EXP_NORMAL: f32 = 87.0;
    const EXP_MIN: f32 = -104.0;
    const EXP_MAX: f32 = 89.0;
    const EXP2_MIN: f32 = -151.0;
    const EXP2_MAX: f32 = 129.0;
    const EXPM1_MIN: f32 = -20.0;
    const TANH_MAX: f32 = 20.0;
    const SUBNORMAL_SCALE: f32 = 33_554_432.0;
    const SUBNORMAL_EXPONENT: f32 = 25.0;
    const MAX_EXPONENT: f32 = 127.0;

    #[inline(always)]
    fn sign_word(x: f32) -> u32 {
        x.to_bits()
    }
    #[inline(always)]
    fn not_normal_word(x: f32) -> u32 {
        // as integers, positive normal numbers are those between the smallest and the largest
        x.to_bits().wrapping_sub(0x0080_0000) | 0x7f7f_ffff_u32.wrapping_sub(x.to_bits())
    }
    #[inline(always)]
    fn madd<const FMA: bool>(self, b: f32, c: f32) -> f32 {
        if FMA { self.mul_add(b, c) } else { self * b + c }
    }
    #[inline(always)]
    fn abs(self) -> f32 {
        self.abs()
    }
    #[inline(always)]
    fn sqrt(self) -> f32 {
        self.sqrt()
    }
    #[inline(always)]
    fn copysign(self, sign: f32) -> f32 {
        self.copysign(sign)
    }
    #[inline(always)]
    fn pow2(n: f32) -> f32 {
        f32::from_bits((n + (Self::ROUND + 127.0)).to_bits() << 23)
    }
    #[inline(always)]
    fn decompose(x: f32) -> (f32, f32) {
        const SQRT_HALF: u32 = 0x3f35_04f3;
        let u = x.to_bits().wrapping_add(0x3f80_0000 - SQRT_HALF);
        let k = f32::from_bits((u >> 23) | Self::ROUND.to_bits()) - (Self::ROUND + 127.0);
        (k, f32::from_bits((u & 0x007f_ffff) + SQRT_HALF))
    }
    #[inline(always)]
    fn exp_q<const FMA: bool>(r: f32) -> f32 {
        horner!(FMA, r, [0.5, 0.16666576, 0.041666374, 0.008363208, 0.0013941163])
    }
    #[inline(always)]
    fn sinh_s<const FMA: bool>(z: f32) -> f32 {
        horner!(FMA, z, [0.16666667, 0.008333289, 0.00019905012])
    }
    #[inline(always)]
    fn cosh_c<const FMA: bool>(z: f32) -> f32 {
        horner!(FMA, z, [0.5, 0.041666266, 0.0013946276])
    }
    /// A polynomial in f: for eight lanes that is cheaper than the division.
    #[inline(always)]
    fn log_tail<const FMA: bool>(f: f32, add: f32) -> f32 {
        let p =
            estrin!(FMA, f, [0.3333333, -0.2499998, 0.2000069, -0.16669156, 0.1425105, -0.12396556, 0.11635721, -0.11661261, 0.073308125]);
        (f * f).madd::<FMA>(f.madd::<FMA>(p, -0.5), add)
    }
}
