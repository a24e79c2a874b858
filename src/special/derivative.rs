//! The derivatives, in terms of the table's own functions.
//!
//! Formulas: DLMF 5.15 (gamma), 7.18 (error functions), 8.8 and 8.17 (incomplete functions), 10.6 and 10.29 (Bessel), 14.10 and 18.9
//! (polynomials); spherical harmonics by the ladder operators. For the incomplete functions p is the density, ℓ its logarithm.

use super::function::Function;
use super::primitive::call;
use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::ops::where_;
use crate::scalar::Real;
use std::f64::consts::PI;

#[inline]
fn c<T: Real>(x: f64) -> T {
    T::from_f64(x)
}

/// p·q, with 0 where p is 0 whatever q is; q is given its arguments with harmless numbers there.
fn unless_zero<T: Real>(p: Var<T>, x: &Var<T>, harmless: f64, q: impl Fn(&Var<T>) -> Var<T>) -> Var<T> {
    let dead = p.eq_elem(T::zero());
    if !dead.any() {
        let q = q(x);
        return p * q;
    }
    let slope = q(&where_(&dead, c::<T>(harmless), x));
    where_(&dead, T::zero(), &p * slope)
}

/// The logarithm of Student's density, of (ν, t).
pub(crate) fn ln_student_density<T: Real>(nu: &Var<T>, t: &Var<T>) -> Var<T> {
    let half = nu.scale(0.5);
    let norm = call(Function::Betaln, &[&half, &Var::scalar(c(0.5))]) + nu.log().scale(0.5);
    -norm - (nu + c::<T>(1.0)).scale(0.5) * (t.square() / nu).log1p()
}

/// (∂ ln f/∂ν, ∂ ln f/∂t) of Student's density.
fn student_slopes<T: Real>(nu: &Var<T>, t: &Var<T>) -> (Var<T>, Var<T>) {
    let square = t.square();
    let sum = nu + &square;
    let increase = call(Function::DigammaIncrease, &[&nu.scale(0.5), &Var::scalar(c(0.5))]);
    let by_nu = increase - (&square / nu).log1p() - nu.reciprocal() + (nu + c::<T>(1.0)) * &square / (nu * &sum);
    (by_nu.scale(0.5), -(nu + c::<T>(1.0)) * t / sum)
}

impl Function {
    /// ∂y/∂x_i.
    pub(super) fn partial<T: Real>(self, i: usize, x: &[Var<T>], y: &Var<T>) -> Result<Var<T>> {
        match x.len() {
            1 => Ok(self.of_one(&x[0], y)),
            2 => self.of_two(i, &x[0], &x[1], y),
            _ => self.of_three(i, [&x[0], &x[1], &x[2]], y),
        }
    }

    fn at<T: Real>(self, x: &[&Var<T>]) -> Var<T> {
        call(self, x)
    }

    fn refuse<T>(self) -> Result<T> {
        Err(Error::derivative(
            self.name(),
            "no third derivative in the shape parameters: they are given to second order, those in the argument to any order",
        ))
    }

    fn of_one<T: Real>(self, x: &Var<T>, y: &Var<T>) -> Var<T> {
        use Function::*;
        let half = 0.5;
        match self {
            Gamma => y * Polygamma(0).at(&[x]),
            Gammaln => Polygamma(0).at(&[x]),
            Rgamma => {
                // −ψ/Γ; on the left by 1/Γ(x) = Γ(1−x) sin(πx)/π, which has no poles there
                let left = x.lt(c::<T>(half));
                let right = |x: &Var<T>| -(Rgamma.at(&[x]) * Polygamma(0).at(&[x]));
                if !left.any() {
                    return right(x);
                }
                let (xl, xr) = (where_(&left, x, T::zero()), where_(&left, T::one(), x));
                let reflected = -&xl + T::one();
                let slope = CosPi.at(&[&xl]) - (SinPi.at(&[&xl]) * Polygamma(0).at(&[&reflected])).scale(1.0 / PI);
                where_(&left, Gamma.at(&[&reflected]) * slope, right(&xr))
            }
            Polygamma(n) => Polygamma(n + 1).at(&[x]),
            Multigammaln(d) => {
                let terms = (0..d).map(|j| Polygamma(0).at(&[&(x - c::<T>(half * j as f64))]));
                terms.reduce(|a, b| a + b).unwrap_or_else(|| x.zeros_like())
            }
            SinPi => CosPi.at(&[x]).scale(PI),
            CosPi => SinPi.at(&[x]).scale(-PI),
            ErfcxIntegral(n) => ErfcxIntegral(n + 1).at(&[x]).scale(-2.0 * (n as f64 + 1.0)),
            Erfinv => y.square().exp().scale(half * PI.sqrt()),
            Erfcinv => y.square().exp().scale(-half * PI.sqrt()),
            Ndtr => x.square().scale(-half).exp().scale(1.0 / (2.0 * PI).sqrt()),
            LogNdtr => {
                // φ(x)/Φ(x) = √(2/π)/erfcx(−x/√2), on the right, where erfcx overflows, directly
                let right = x.gt(T::zero());
                let (xl, xr) = (where_(&right, T::zero(), x), where_(&right, x, T::zero()));
                let left = ErfcxIntegral(0).at(&[&xl.scale(-half.sqrt())]).reciprocal().scale((2.0 / PI).sqrt());
                where_(&right, Ndtr.of_one(&xr, &xr) / Ndtr.at(&[&xr]), left)
            }
            Ndtri => y.square().scale(half).exp().scale((2.0 * PI).sqrt()),
            Logit => (x * (-x + T::one())).reciprocal(),
            Expit => y * Expit.at(&[&-x]),
            Entr => -x.log() - T::one(),
            Jn(n) => (Jn(n - 1).at(&[x]) - Jn(n + 1).at(&[x])).scale(half),
            Yn(n) => (Yn(n - 1).at(&[x]) - Yn(n + 1).at(&[x])).scale(half),
            Iv(v) => (Iv(v - 1.0).at(&[x]) + Iv(v + 1.0).at(&[x])).scale(half),
            Ive(0.0) => -(x.sign() * I0eMinusI1e.at(&[x])),
            Ive(1.0) => {
                // e^{−x}(I₀ − I₁ − I₁/x), even; I₁/x = (I₀ − I₂)/2
                let ratio = (Ive(0.0).at(&[x]) - Ive(2.0).at(&[x])).scale(half);
                I0eMinusI1e.at(&[x]) - ratio
            }
            Ive(v) => (Ive(v - 1.0).at(&[x]) + Ive(v + 1.0).at(&[x])).scale(half) - x.sign() * y,
            I0eMinusI1e => {
                // for x > 0: −2 (e^{−x}(I₀ − I₁)) + e^{−x} I₁/x
                let ratio = (Ive(0.0).at(&[x]) - Ive(2.0).at(&[x])).scale(half);
                (ratio - y.scale(2.0)) * x.sign()
            }
            Kv(v) => (Kv(v - 1.0).at(&[x]) + Kv(v + 1.0).at(&[x])).scale(-half),
            Harmonic(n, m) => {
                // ½(e^{−iφ}L₊ − e^{iφ}L₋), which has no pole at θ = 0 and π
                let (l, k) = (n as f64, m as f64);
                let up = Harmonic(n, m + 1).at(&[x]).scale(half * ((l - k) * (l + k + 1.0)).max(0.0).sqrt());
                let down = Harmonic(n, m - 1).at(&[x]).scale(half * ((l + k) * (l - k + 1.0)).max(0.0).sqrt());
                up - down
            }
            Legendre(n, k) => Legendre(n, k + 1).at(&[x]),
            Hermite(0) => x.zeros_like(),
            Hermite(n) => Hermite(n - 1).at(&[x]).scale(2.0 * n as f64),
            PoissonMean(n) => PoissonMean(n + 1).at(&[x]),
            _ => unreachable!("a function of several arguments"),
        }
    }

    fn of_two<T: Real>(self, i: usize, a: &Var<T>, x: &Var<T>, y: &Var<T>) -> Result<Var<T>> {
        use Function::*;
        let one = T::one();
        // of the gamma density: ∂ℓ/∂a = ln x − ψ(a) and ∂ℓ/∂x = (a−1)/x − 1
        let by_a = |x: &Var<T>| x.log() - Polygamma(0).at(&[a]);
        let by_x = |x: &Var<T>| (a - one - x) / x;
        let over = |ln: &Var<T>| (LnGammaDensity.at(&[a, x]) - ln).exp();
        Ok(match (self, i) {
            (Beta, 0) => -(y * DigammaIncrease.at(&[a, x])),
            (Beta, _) => -(y * DigammaIncrease.at(&[x, a])),
            (Betaln, 0) => -DigammaIncrease.at(&[a, x]),
            (Betaln, _) => -DigammaIncrease.at(&[x, a]),
            (DigammaIncrease, 0) => Polygamma(1).at(&[&(a + x)]) - Polygamma(1).at(&[a]),
            (DigammaIncrease, _) => Polygamma(1).at(&[&(a + x)]),
            (Xlogy | Xlog1py, _) => {
                let argument = if self == Xlogy { x.clone() } else { x + one };
                // 0 at x = 0 ≥ y
                let dead = a.eq_elem(T::zero()) & argument.le(T::zero());
                let argument = if dead.any() { where_(&dead, one, argument) } else { argument };
                match (i, self) {
                    (1, _) => a / argument,
                    (_, Xlog1py) if !dead.any() => x.log1p(),
                    _ => argument.log(),
                }
            }
            (Gammainc, 0) => GammaincDa.at(&[a, x]),
            (Gammainc, _) => GammaDensity.at(&[a, x]),
            (Gammaincc, 0) => -GammaincDa.at(&[a, x]),
            (Gammaincc, _) => -GammaDensity.at(&[a, x]),
            (LnGammainc, 0) => GammaincRelative(1).at(&[a, x]) * over(y),
            (LnGammainc, _) => over(y),
            (LnGammaincc, 0) => -(GammaincRelative(1).at(&[a, x]) * over(y)),
            (LnGammaincc, _) => -over(y),
            (GammaDensity, 0) => unless_zero(y.clone(), x, 1.0, by_a),
            (GammaDensity, _) => {
                let edge = x.eq_elem(T::zero());
                if !edge.any() {
                    return Ok(unless_zero(y.clone(), x, 1.0, by_x));
                }
                // at x = 0 as the difference of two densities
                let inside = where_(&edge, one, x);
                let lower = (a - one).maximum(T::zero());
                let slope = unless_zero(GammaDensity.at(&[a, &inside]), &inside, 1.0, by_x);
                let zero = x.scale(1.0) * edge.to_var();
                where_(&edge, GammaDensity.at(&[&lower, &zero]) - GammaDensity.at(&[a, &zero]), slope)
            }
            (LnGammaDensity, 0) => by_a(x),
            (LnGammaDensity, _) => {
                let dead = x.eq_elem(T::zero()) & a.eq_elem(one);
                if dead.any() { (a - one) / where_(&dead, one, x) - one } else { by_x(x) }
            }
            (GammaincDa, 0) => unless_zero(GammaDensity.at(&[a, x]), x, 1.0, |x| GammaincRelative(2).at(&[a, x])),
            (GammaincDa, _) => unless_zero(GammaDensity.at(&[a, x]), x, 1.0, by_a),
            (GammaincRelative(1), 0) => GammaincRelative(2).at(&[a, x]) - y * by_a(x),
            (GammaincRelative(1), _) => by_a(x) - y * by_x(x),
            (GammaincRelative(_), 0) => return self.refuse(),
            (GammaincRelative(_), _) => by_a(x).square() - Polygamma(1).at(&[a]) - y * by_x(x),
            (StudentTSf, 0) => ln_student_density(a, x).exp() * StudentTRelative(1).at(&[a, x]),
            (StudentTSf, _) => -ln_student_density(a, x).exp(),
            (LnStudentTSf, 0) => (ln_student_density(a, x) - y).exp() * StudentTRelative(1).at(&[a, x]),
            (LnStudentTSf, _) => -(ln_student_density(a, x) - y).exp(),
            (StudentTRelative(1), 0) => StudentTRelative(2).at(&[a, x]) - y * student_slopes(a, x).0,
            (StudentTRelative(1), _) => {
                let (by_nu, by_t) = student_slopes(a, x);
                -by_nu - y * by_t
            }
            (StudentTRelative(_), 0) => return self.refuse(),
            (StudentTRelative(_), _) => {
                // −(∂²f/∂ν²)/f − y ∂ℓ/∂t, with ∂²ℓ/∂ν² written out
                let (by_nu, by_t) = student_slopes(a, x);
                let half = a.scale(0.5);
                let square = x.square();
                let sum = a + &square;
                let trigammas = Polygamma(1).at(&[&(&half + c::<T>(0.5))]) - Polygamma(1).at(&[&half]);
                let ratio = &square / (a * &sum);
                let curvature = trigammas.scale(0.25) + (a.square().reciprocal() + &ratio + &ratio).scale(0.5)
                    - ((a + one) * &square * (a + &sum) / (a * &sum).square()).scale(0.5);
                -by_nu.square() - curvature - y * by_t
            }
            (VonMisesIntegral(k), 0) => VonMisesIntegral(k + 1).at(&[a, x]) + x.scale(0.5).sin().square().scale(2.0) * y,
            (VonMisesIntegral(k), _) => {
                let first = a * x.sin() * y;
                match k {
                    0 => first - one,
                    _ => first - x.scale(0.5).sin().square().scale(-2.0).powi(k as i32),
                }
            }
            _ => unreachable!("a function of one or three arguments"),
        })
    }

    fn of_three<T: Real>(self, i: usize, [a, b, x]: [&Var<T>; 3], y: &Var<T>) -> Result<Var<T>> {
        use Function::*;
        let one = T::one();
        let args = [a, b, x];
        // ∂ℓ/∂a, ∂ℓ/∂b, ∂ℓ/∂x of the beta density
        let slope = |i: usize, x: &Var<T>| match i {
            0 => x.log() + DigammaIncrease.at(&[a, b]),
            1 => (-x).log1p() + DigammaIncrease.at(&[b, a]),
            _ => (a - one) / x - (b - one) / (-x + one),
        };
        // ∂²ℓ/∂a∂a, ∂a∂b, ∂b∂b
        let curvature = |which: usize| {
            let sum = Polygamma(1).at(&[&(a + b)]);
            match which {
                0 => sum - Polygamma(1).at(&[a]),
                1 => sum,
                _ => sum - Polygamma(1).at(&[b]),
            }
        };
        let density = || BetaDensity.at(&args);
        let over = |ln: &Var<T>| (LnBetaDensity.at(&args) - ln).exp();
        Ok(match (self, i) {
            (Betainc, 2) => density(),
            (Betainc, i) => BetaincDerivative(i).at(&args),
            (Betaincc, 2) => -density(),
            (Betaincc, i) => -BetaincDerivative(i).at(&args),
            (LnBetainc, 2) => over(y),
            (LnBetainc, i) => BetaincRelative(i).at(&args) * over(y),
            (LnBetaincc, 2) => -over(y),
            (LnBetaincc, i) => -(BetaincRelative(i).at(&args) * over(y)),
            (BetaDensity, 2) => {
                let edge = x.eq_elem(T::zero()) | x.eq_elem(one);
                if !edge.any() {
                    return Ok(unless_zero(y.clone(), x, 0.5, |x| slope(2, x)));
                }
                // at the ends (a+b−1)(p(a−1, b) − p(a, b−1))
                let inside = where_(&edge, c::<T>(0.5), x);
                let (la, lb) = ((a - one).maximum(T::zero()), (b - one).maximum(T::zero()));
                let end = where_(&edge, x, T::zero());
                let at_end = (a + b - one) * (BetaDensity.at(&[&la, b, &end]) - BetaDensity.at(&[a, &lb, &end]));
                where_(&edge, at_end, unless_zero(BetaDensity.at(&[a, b, &inside]), &inside, 0.5, |x| slope(2, x)))
            }
            (BetaDensity, i) => unless_zero(y.clone(), x, 0.5, |x| slope(i, x)),
            (LnBetaDensity, i) => slope(i, x),
            (BetaincDerivative(j), 2) => unless_zero(density(), x, 0.5, |x| slope(j, x)),
            (BetaincDerivative(j), i) => unless_zero(density(), x, 0.5, |x| BetaincRelative(2 + i + j).at(&[a, b, x])),
            (BetaincRelative(j @ 0..=1), 2) => slope(j, x) - y * slope(2, x),
            (BetaincRelative(j @ 0..=1), i) => BetaincRelative(2 + i + j).at(&args) - y * slope(i, x),
            (BetaincRelative(which), 2) => {
                let (j, k) = [(0, 0), (0, 1), (1, 1)][which - 2];
                slope(j, x) * slope(k, x) + curvature(which - 2) - y * slope(2, x)
            }
            (BetaincRelative(_), _) => return self.refuse(),
            _ => unreachable!("a function of one or two arguments"),
        })
    }
}
