//! Functions of a distance r, and of a place s if there are slopes for it, with one hidden layer: f(r, s) = Σ_k c_k tanh(a_k r + e_k s + b_k),
//! with the derivative along a given direction (ṙ, ṡ), and the gradient of both by the weights and by (r, s), in one pass that stores no
//! hidden value.
//!
//! With z = a r + e s + b, h = tanh z, S = 1 − h² and m = a ṙ + e ṡ a unit gives c h and c S m. For cotangents u of f and w of its derivative,
//! z̄ = c (S u − 2 h S w m) goes to a, e, b as z̄ r, z̄ s, z̄ and to r, s as z̄ a, z̄ e; the direction itself gives c S w ṙ to a, c S w ṡ to e.
//!
//! With q = 1/(1 + e^2z): tanh z = 1 − 2q and S = 4 q² e^2z, one exponential and one division for both. The error is
//! absolute, some 10⁻¹⁶, which is what a sum over hidden units needs; the digits of tanh near zero are not.
//!
//! Points come in lists whose length is a multiple of [`LANES`]; what fills them up has weight zero.

use super::simd::EXP_Q;

/// Distances that are worked on together: two registers of AVX2, which share the constants.
pub const LANES: usize = 8;

/// Weights (a, e, b, c) of the hidden units; without e the function is one of the distance alone.
#[derive(Clone, Copy)]
pub struct Radial<'a> {
    /// Slopes in r.
    pub a: &'a [f64],
    /// Slopes in s, or nothing.
    pub e: &'a [f64],
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

/// (tanh x, 1 − tanh² x) at x = z ln 2 / 2.
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

/// Where a function is evaluated, and along which direction it is differentiated.
#[derive(Clone, Copy)]
pub struct Points<'a> {
    /// Distances.
    pub r: &'a [f64],
    /// Places; empty for a function of the distance alone.
    pub s: &'a [f64],
    /// The direction's part in r, times the cotangent w in a pullback.
    pub dr: &'a [f64],
    /// The direction's part in s, likewise.
    pub ds: &'a [f64],
}

/// What a pullback gives at each point.
pub struct Slopes<'a> {
    /// f
    pub f: &'a mut [f64],
    /// ∂f/∂r
    pub by_r: &'a mut [f64],
    /// ∂f/∂s
    pub by_s: &'a mut [f64],
    /// The derivative of u f + w (ṙ ∂_r + ṡ ∂_s) f by r at a constant direction.
    pub total_r: &'a mut [f64],
    /// The same by s.
    pub total_s: &'a mut [f64],
}

/// f += Σ_k c_k tanh(a_k r + e_k s + b_k), and its derivative along the direction.
#[inline(always)]
fn add_value<V: Vector, const PLACE: bool>(radial: Radial, at: Points, f: &mut [f64], df: &mut [f64]) {
    let none: &[[f64; LANES]] = &[];
    let (s, ds) = if PLACE { (lanes(at.s), lanes(at.ds)) } else { (none, none) };
    for (k, ((&a, &b), &c)) in radial.a.iter().zip(radial.b).zip(radial.c).enumerate() {
        let (a2, b2, c1, ca) = (V::all(SCALE * a), V::all(SCALE * b), V::all(c), V::all(c * a));
        let (e2, ce) = if PLACE { (V::all(SCALE * radial.e[k]), V::all(c * radial.e[k])) } else { (c1, c1) };
        for (i, (((r, dr), f), df)) in lanes(at.r).iter().zip(lanes(at.dr)).zip(lanes_mut(f)).zip(lanes_mut(df)).enumerate() {
            let (mut z, mut m) = (V::load(r).madd(a2, b2), V::load(dr).mul(ca));
            if PLACE {
                (z, m) = (V::load(&s[i]).madd(e2, z), V::load(&ds[i]).madd(ce, m));
            }
            let (h, slope) = tanh_and_slope(z);
            c1.madd(h, V::load(f)).store(f);
            m.madd(slope, V::load(df)).store(df);
        }
    }
}

#[inline(always)]
fn add_pullback<V: Vector, const PLACE: bool>(radial: Radial, at: Points, u: &[f64], out: Slopes, gradient: &mut [f64]) {
    let units = radial.a.len();
    let none: &[[f64; LANES]] = &[];
    let (s, ds) = if PLACE { (lanes(at.s), lanes(at.ds)) } else { (none, none) };
    let (f, by_r, total_r) = (lanes_mut(out.f), lanes_mut(out.by_r), lanes_mut(out.total_r));
    let (by_s, total_s): (&mut [[f64; LANES]], &mut [[f64; LANES]]) =
        if PLACE { (lanes_mut(out.by_s), lanes_mut(out.total_s)) } else { (&mut [], &mut []) };
    for (k, ((&a, &b), &c)) in radial.a.iter().zip(radial.b).zip(radial.c).enumerate() {
        let e = if PLACE { radial.e[k] } else { 0.0 };
        let (a1, e1, c1) = (V::all(a), V::all(e), V::all(c));
        let (a2, e2, b2, minus2) = (V::all(SCALE * a), V::all(SCALE * e), V::all(SCALE * b), V::all(-2.0));
        // by a, e, b, c; by_a and by_e without what the direction gives, which comes with a factor c
        let [mut by_a, mut by_e, mut by_b, mut by_c, mut along_r, mut along_s] = [V::all(0.0); 6];
        let points = lanes(at.r).iter().zip(lanes(at.dr)).zip(lanes(u)).zip(f.iter_mut());
        for (i, ((((r, dr), u), f), (by_r, total_r))) in points.zip(by_r.iter_mut().zip(total_r.iter_mut())).enumerate() {
            let (r, dr, u) = (V::load(r), V::load(dr), V::load(u));
            let (mut z, mut m) = (r.madd(a2, b2), dr.mul(a1));
            if PLACE {
                (z, m) = (V::load(&s[i]).madd(e2, z), V::load(&ds[i]).madd(e1, m));
            }
            let (h, slope) = tanh_and_slope(z);
            c1.madd(h, V::load(f)).store(f);
            let (slope_c, hm) = (slope.mul(c1), h.mul(m));
            let zbar = slope_c.mul(minus2.madd(hm, u));
            slope_c.madd(a1, V::load(by_r)).store(by_r);
            zbar.madd(a1, V::load(total_r)).store(total_r);
            by_a = zbar.madd(r, by_a);
            by_b = by_b.add(zbar);
            by_c = u.madd(h, slope.madd(m, by_c));
            along_r = slope.madd(dr, along_r);
            if PLACE {
                slope_c.madd(e1, V::load(&by_s[i])).store(&mut by_s[i]);
                zbar.madd(e1, V::load(&total_s[i])).store(&mut total_s[i]);
                by_e = zbar.madd(V::load(&s[i]), by_e);
                along_s = slope.madd(V::load(&ds[i]), along_s);
            }
        }
        let mut part = gradient.chunks_exact_mut(units);
        let mut add = |x: f64| part.next().expect("a vector for each of the weights")[k] += x;
        add(by_a.sum() + c * along_r.sum());
        if PLACE {
            add(by_e.sum() + c * along_s.sum());
        }
        add(by_b.sum());
        add(by_c.sum());
    }
}

/// The four loops: with and without a place.
#[inline(always)]
fn value_of<V: Vector>(radial: Radial, at: Points, f: &mut [f64], df: &mut [f64]) {
    if radial.e.is_empty() { add_value::<V, false>(radial, at, f, df) } else { add_value::<V, true>(radial, at, f, df) }
}

#[inline(always)]
fn pullback_of<V: Vector>(radial: Radial, at: Points, u: &[f64], out: Slopes, gradient: &mut [f64]) {
    if radial.e.is_empty() {
        add_pullback::<V, false>(radial, at, u, out, gradient);
    } else {
        add_pullback::<V, true>(radial, at, u, out, gradient);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn value_avx2(radial: Radial, at: Points, f: &mut [f64], df: &mut [f64]) {
    value_of::<avx2::V>(radial, at, f, df);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn pullback_avx2(radial: Radial, at: Points, u: &[f64], out: Slopes, gradient: &mut [f64]) {
    pullback_of::<avx2::V>(radial, at, u, out, gradient);
}

impl Radial<'_> {
    /// How many vectors of weights there are: 4, or 3 without e.
    pub fn vectors(&self) -> usize {
        if self.e.is_empty() { 3 } else { 4 }
    }

    fn check(&self, at: Points) -> usize {
        let (n, units) = (at.r.len(), self.a.len());
        let places = if self.e.is_empty() { 0 } else { n };
        assert!(n.is_multiple_of(LANES) && at.dr.len() == n && [at.s.len(), at.ds.len()].iter().all(|m| *m >= places));
        assert!([self.b.len(), self.c.len()] == [units; 2] && (self.e.is_empty() || self.e.len() == units));
        n
    }
}

/// f at each point, and its derivative along the direction.
pub fn value(radial: Radial, at: Points, f: &mut [f64], df: &mut [f64]) {
    let n = radial.check(at);
    assert!([f.len(), df.len()] == [n; 2]);
    f.fill(0.0);
    df.fill(0.0);
    #[cfg(target_arch = "x86_64")]
    if super::simd::level::is_avx2() {
        // SAFETY: the features were detected.
        return unsafe { value_avx2(radial, at, f, df) };
    }
    value_of::<[f64; LANES]>(radial, at, f, df);
}

/// For Σ (u f + w (ṙ ∂_r + ṡ ∂_s) f), where the direction in `at` is w (ṙ, ṡ): what [`Slopes`] says at each point, and the gradient by the
/// weights, added to `gradient`: the vectors by a, e (if there is one), b, c one after the other.
pub fn pullback(radial: Radial, at: Points, u: &[f64], out: Slopes, gradient: &mut [f64]) {
    let n = radial.check(at);
    let places = if radial.e.is_empty() { 0 } else { n };
    assert!([u.len(), out.f.len(), out.by_r.len(), out.total_r.len()] == [n; 4]);
    assert!([out.by_s.len(), out.total_s.len()].iter().all(|m| *m >= places));
    assert!(gradient.len() == radial.vectors() * radial.a.len());
    for list in [&mut *out.f, &mut *out.by_r, &mut *out.total_r, &mut *out.by_s, &mut *out.total_s] {
        list.fill(0.0);
    }
    #[cfg(target_arch = "x86_64")]
    if super::simd::level::is_avx2() {
        // SAFETY: the features were detected.
        return unsafe { pullback_avx2(radial, at, u, out, gradient) };
    }
    pullback_of::<[f64; LANES]>(radial, at, u, out, gradient);
}
