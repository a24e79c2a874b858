//! Functions of a distance with one hidden layer, f(r) = Σ_k c_k tanh(a_k r + b_k), with f′ and f″ and the gradient by the weights in one
//! pass that stores no hidden value.
//!
//! With s = 1/(1 + e^2u) at u = a r + b: tanh u = 1 − 2s and 1 − tanh² u = 4 s² e^2u, one exponential and one division for both. The error is
//! absolute, some 10⁻¹⁶, which is what a sum over hidden units needs; the digits of tanh near zero are not.
//!
//! Distances come in lists whose length is a multiple of [`LANES`]; what fills them up has weight zero.

use super::simd::EXP_Q;

/// Distances that are worked on together: two registers of AVX2, which share the constants.
pub const LANES: usize = 8;

/// Weights (a, b, c) of the hidden units.
#[derive(Clone, Copy)]
pub struct Radial<'a> {
    /// Slopes.
    pub a: &'a [f64],
    /// Biases.
    pub b: &'a [f64],
    /// Weights of the sum.
    pub c: &'a [f64],
}

/// So many numbers. In lists of arrays like these the compiler's own vectoriser transposes blocks of them, which costs more than it gains.
trait Vector: Copy {
    fn all(x: f64) -> Self;
    fn load(x: &[f64; LANES]) -> Self;
    fn store(self, x: &mut [f64; LANES]);
    fn add(self, y: Self) -> Self;
    fn sub(self, y: Self) -> Self;
    fn mul(self, y: Self) -> Self;
    fn div(self, y: Self) -> Self;
    /// `self` y + z
    fn madd(self, y: Self, z: Self) -> Self;
    /// Between ±limit; NaN stays NaN.
    fn clamp(self, limit: f64) -> Self;
    /// 2ⁿ for integers in the range of normal numbers.
    fn pow2(self) -> Self;
    #[inline(always)]
    fn sum(self) -> f64 {
        let mut x = [0.0; LANES];
        self.store(&mut x);
        ((x[0] + x[4]) + (x[1] + x[5])) + ((x[2] + x[6]) + (x[3] + x[7]))
    }
}

/// Adding and subtracting it rounds to an integer; with 1023 more, the bits of the sum are the exponent of 2ⁿ.
const ROUND: f64 = 6_755_399_441_055_744.0;

impl Vector for [f64; LANES] {
    #[inline(always)]
    fn all(x: f64) -> Self {
        [x; LANES]
    }
    #[inline(always)]
    fn load(x: &[f64; LANES]) -> Self {
        *x
    }
    #[inline(always)]
    fn store(self, x: &mut [f64; LANES]) {
        *x = self;
    }
    #[inline(always)]
    fn add(self, y: Self) -> Self {
        std::array::from_fn(|l| self[l] + y[l])
    }
    #[inline(always)]
    fn sub(self, y: Self) -> Self {
        std::array::from_fn(|l| self[l] - y[l])
    }
    #[inline(always)]
    fn mul(self, y: Self) -> Self {
        std::array::from_fn(|l| self[l] * y[l])
    }
    #[inline(always)]
    fn div(self, y: Self) -> Self {
        std::array::from_fn(|l| self[l] / y[l])
    }
    #[inline(always)]
    fn madd(self, y: Self, z: Self) -> Self {
        std::array::from_fn(|l| self[l] * y[l] + z[l])
    }
    #[inline(always)]
    fn clamp(self, limit: f64) -> Self {
        self.map(|x| x.clamp(-limit, limit))
    }
    #[inline(always)]
    fn pow2(self) -> Self {
        self.map(|n| f64::from_bits((n + (ROUND + 1023.0)).to_bits() << 52))
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{LANES, ROUND, Vector};
    use std::arch::x86_64::*;

    /// Made only where AVX2 and FMA were detected: [`super::value`] and [`super::pullback`] see to that.
    #[derive(Clone, Copy)]
    pub(super) struct V(__m256d, __m256d);

    /// The same instruction on both halves.
    macro_rules! both {
        ($f:ident $(, $x:ident)*) => {
            // SAFETY: a V exists only in functions that were entered after AVX2 and FMA were detected, so the instructions are there.
            V(unsafe { $f($($x.0),*) }, unsafe { $f($($x.1),*) })
        };
    }

    impl Vector for V {
        #[inline(always)]
        fn all(x: f64) -> Self {
            // SAFETY: as in `both`.
            let x = unsafe { _mm256_set1_pd(x) };
            V(x, x)
        }
        #[inline(always)]
        fn load(x: &[f64; LANES]) -> Self {
            // SAFETY: as in `both`; the reference is to eight numbers.
            unsafe { V(_mm256_loadu_pd(x.as_ptr()), _mm256_loadu_pd(x.as_ptr().add(4))) }
        }
        #[inline(always)]
        fn store(self, x: &mut [f64; LANES]) {
            // SAFETY: as in `both`; the reference is to eight numbers.
            unsafe {
                _mm256_storeu_pd(x.as_mut_ptr(), self.0);
                _mm256_storeu_pd(x.as_mut_ptr().add(4), self.1);
            }
        }
        #[inline(always)]
        fn add(self, y: Self) -> Self {
            both!(_mm256_add_pd, self, y)
        }
        #[inline(always)]
        fn sub(self, y: Self) -> Self {
            both!(_mm256_sub_pd, self, y)
        }
        #[inline(always)]
        fn mul(self, y: Self) -> Self {
            both!(_mm256_mul_pd, self, y)
        }
        #[inline(always)]
        fn div(self, y: Self) -> Self {
            both!(_mm256_div_pd, self, y)
        }
        #[inline(always)]
        fn madd(self, y: Self, z: Self) -> Self {
            both!(_mm256_fmadd_pd, self, y, z)
        }
        #[inline(always)]
        fn clamp(self, limit: f64) -> Self {
            // the second operand is what the instructions give for NaN
            let (high, low) = (V::all(limit), V::all(-limit));
            let x = both!(_mm256_max_pd, low, self);
            both!(_mm256_min_pd, high, x)
        }
        #[inline(always)]
        fn pow2(self) -> Self {
            let biased = self.add(V::all(ROUND + 1023.0));
            // SAFETY: as in `both`.
            let shifted = |x| unsafe { _mm256_castsi256_pd(_mm256_slli_epi64::<52>(_mm256_castpd_si256(x))) };
            V(shifted(biased.0), shifted(biased.1))
        }
    }
}

/// (tanh u, 1 − tanh² u) at u = z ln 2 / 2.
#[inline(always)]
fn tanh_and_slope<V: Vector>(z: V) -> (V, V) {
    // beyond ±500 the slope is 0 to any purpose, and nothing overflows up to there
    let z = z.clamp(500.0);
    let n = z.add(V::all(ROUND)).sub(V::all(ROUND));
    let r = z.sub(n).mul(V::all(std::f64::consts::LN_2));
    let [low @ .., last] = EXP_Q;
    let q = low.iter().rev().fold(V::all(last), |q, &c| q.madd(r, V::all(c)));
    let e = r.mul(r).madd(q, r.add(V::all(1.0))).mul(n.pow2());
    let s = V::all(2.0).div(V::all(1.0).add(e));
    (V::all(1.0).sub(s), s.mul(s).mul(e))
}

/// 2 log₂ e, which makes powers of two of e^2u.
const SCALE: f64 = 2.0 * std::f64::consts::LOG2_E;

#[inline(always)]
fn lanes(x: &[f64]) -> &[[f64; LANES]] {
    x.as_chunks::<LANES>().0
}

#[inline(always)]
fn lanes_mut(x: &mut [f64]) -> &mut [[f64; LANES]] {
    x.as_chunks_mut::<LANES>().0
}

/// f += Σ_k c_k tanh(a_k r + b_k) and its derivative.
#[inline(always)]
fn add_value<V: Vector>(radial: Radial, r: &[f64], f: &mut [f64], df: &mut [f64]) {
    for ((&a, &b), &c) in radial.a.iter().zip(radial.b).zip(radial.c) {
        let (a2, b2, c1, ca) = (V::all(SCALE * a), V::all(SCALE * b), V::all(c), V::all(c * a));
        for ((r, f), df) in lanes(r).iter().zip(lanes_mut(f)).zip(lanes_mut(df)) {
            let (h, e) = tanh_and_slope(V::load(r).madd(a2, b2));
            c1.madd(h, V::load(f)).store(f);
            ca.madd(e, V::load(df)).store(df);
        }
    }
}

/// Lists by distance: r, the cotangents u of f and w of f′, and where f, f′ and f″ are added to.
struct Sweep<'a> {
    r: &'a [f64],
    u: &'a [f64],
    w: &'a [f64],
    f: &'a mut [f64],
    df: &'a mut [f64],
    ddf: &'a mut [f64],
}

#[inline(always)]
fn add_pullback<V: Vector>(radial: Radial, list: Sweep, gradient: &mut [f64]) {
    let units = radial.a.len();
    let Sweep { r, u, w, f, df, ddf } = list;
    for (k, ((&a, &b), &c)) in radial.a.iter().zip(radial.b).zip(radial.c).enumerate() {
        let (a2, b2) = (V::all(SCALE * a), V::all(SCALE * b));
        let (c1, ca, caa) = (V::all(c), V::all(c * a), V::all(-2.0 * c * a * a));
        // Σ u h, Σ u e, Σ u e r, Σ w e, Σ w h e, Σ w h e r with h = tanh, e = 1 − h²
        let [mut uh, mut ue, mut uer, mut we, mut whe, mut wher] = [V::all(0.0); 6];
        let points = lanes(r).iter().zip(lanes(u)).zip(lanes(w));
        for ((((r, u), w), f), (df, ddf)) in points.zip(lanes_mut(f)).zip(lanes_mut(df).iter_mut().zip(lanes_mut(ddf))) {
            let (r, u, w) = (V::load(r), V::load(u), V::load(w));
            let (h, e) = tanh_and_slope(r.madd(a2, b2));
            c1.madd(h, V::load(f)).store(f);
            ca.madd(e, V::load(df)).store(df);
            let he = h.mul(e);
            caa.madd(he, V::load(ddf)).store(ddf);
            let (eu, hew) = (e.mul(u), he.mul(w));
            uh = u.madd(h, uh);
            ue = ue.add(eu);
            uer = eu.madd(r, uer);
            we = w.madd(e, we);
            whe = whe.add(hew);
            wher = hew.madd(r, wher);
        }
        let we = we.sum();
        gradient[k] += c * (uer.sum() + we - 2.0 * a * wher.sum());
        gradient[units + k] += c * (ue.sum() - 2.0 * a * whe.sum());
        gradient[2 * units + k] += uh.sum() + a * we;
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn value_avx2(radial: Radial, r: &[f64], f: &mut [f64], df: &mut [f64]) {
    add_value::<avx2::V>(radial, r, f, df);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn pullback_avx2(radial: Radial, list: Sweep, gradient: &mut [f64]) {
    add_pullback::<avx2::V>(radial, list, gradient);
}

/// f and f′ at each distance.
pub fn value(radial: Radial, r: &[f64], f: &mut [f64], df: &mut [f64]) {
    assert!(r.len().is_multiple_of(LANES) && f.len() == r.len() && df.len() == r.len());
    f.fill(0.0);
    df.fill(0.0);
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: the features were detected on the line above.
        return unsafe { value_avx2(radial, r, f, df) };
    }
    add_value::<[f64; LANES]>(radial, r, f, df);
}

/// f, f′ and f″ at each distance, and the gradient of Σ (u f + w f′) by (a, b, c), added to `gradient`: three vectors one after the other.
pub fn pullback(
    radial: Radial,
    r: &[f64],
    (u, w): (&[f64], &[f64]),
    (f, df, ddf): (&mut [f64], &mut [f64], &mut [f64]),
    gradient: &mut [f64],
) {
    let n = r.len();
    assert!(n.is_multiple_of(LANES) && [u.len(), w.len(), f.len(), df.len(), ddf.len()] == [n; 5]);
    assert!([radial.b.len(), radial.c.len()] == [radial.a.len(); 2] && gradient.len() == 3 * radial.a.len());
    f.fill(0.0);
    df.fill(0.0);
    ddf.fill(0.0);
    let list = Sweep { r, u, w, f, df, ddf };
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: the features were detected on the line above.
        return unsafe { pullback_avx2(radial, list, gradient) };
    }
    add_pullback::<[f64; LANES]>(radial, list, gradient);
}
