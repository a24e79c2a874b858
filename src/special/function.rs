//! The table of functions: name, value in double precision.

use crate::kernels::special as s;

/// A function of one to three real arguments, with the constants that it does not differ in.
///
/// Some serve only as derivatives of others: the set is closed under differentiation, up to second order in the parameters of the incomplete
/// gamma and beta functions and to any order elsewhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Function {
    Gamma,
    Gammaln,
    Rgamma,
    /// ψ⁽ⁿ⁾(x)
    Polygamma(u32),
    Multigammaln(u32),
    SinPi,
    CosPi,
    /// e^{x²} iⁿerfc(x)
    ErfcxIntegral(u32),
    Erfinv,
    Erfcinv,
    Ndtr,
    LogNdtr,
    Ndtri,
    Logit,
    Expit,
    Entr,
    Jn(i32),
    Yn(i32),
    Iv(f64),
    Ive(f64),
    /// e^{−|x|}(I₀(|x|) − I₁(|x|))
    I0eMinusI1e,
    Kv(f64),
    /// Y_n^m(θ, 0)
    Harmonic(u32, i32),
    /// dᵏP_n/dxᵏ
    Legendre(u32, u32),
    Hermite(u32),
    /// E Δⁿ ln K! over the Poisson distribution of mean x
    PoissonMean(u32),
    // two arguments
    Beta,
    Betaln,
    /// ψ(a + b) − ψ(a)
    DigammaIncrease,
    Xlogy,
    Xlog1py,
    Gammainc,
    Gammaincc,
    LnGammainc,
    LnGammaincc,
    /// x^{a−1}e^{−x}/Γ(a)
    GammaDensity,
    LnGammaDensity,
    /// ∂P/∂a
    GammaincDa,
    /// (∂P/∂a)/p or (∂²P/∂a²)/p
    GammaincRelative(u32),
    /// P(T > t) of (ν, t)
    StudentTSf,
    LnStudentTSf,
    /// (∂S/∂ν)/f or (∂²S/∂ν²)/f
    StudentTRelative(u32),
    /// ∫_θ^π (cos t − 1)^k e^{κ(cos t − cos θ)} dt of (κ, θ)
    VonMisesIntegral(u32),
    // three arguments
    Betainc,
    Betaincc,
    LnBetainc,
    LnBetaincc,
    /// x^{a−1}(1−x)^{b−1}/B(a, b)
    BetaDensity,
    LnBetaDensity,
    /// ∂I/∂a (0) or ∂I/∂b (1)
    BetaincDerivative(usize),
    /// ∂_a, ∂_b, ∂_aa, ∂_ab, ∂_bb of I over the density
    BetaincRelative(usize),
}

/// cos πx, with the argument reduced exactly.
fn cos_pi(x: f64) -> f64 {
    let n = x.round_ties_even();
    let c = (std::f64::consts::PI * (x - n)).cos();
    if n % 2.0 == 0.0 { c } else { -c }
}

impl Function {
    /// The name in messages.
    pub(crate) fn name(self) -> &'static str {
        use Function::*;
        match self {
            Gamma => "gamma",
            Gammaln => "gammaln",
            Rgamma => "rgamma",
            Polygamma(0) => "digamma",
            Polygamma(_) => "polygamma",
            Multigammaln(_) => "multigammaln",
            SinPi => "sin(πx)",
            CosPi => "cos(πx)",
            ErfcxIntegral(_) => "erfcx",
            Erfinv => "erfinv",
            Erfcinv => "erfcinv",
            Ndtr => "ndtr",
            LogNdtr => "log_ndtr",
            Ndtri => "ndtri",
            Logit => "logit",
            Expit => "expit",
            Entr => "entr",
            Jn(_) => "jn",
            Yn(_) => "yn",
            Iv(_) => "iv",
            Ive(_) => "ive",
            I0eMinusI1e => "i0e",
            Kv(_) => "kv",
            Harmonic(..) => "sph_harm_y",
            Legendre(..) => "eval_legendre",
            Hermite(_) => "eval_hermite",
            PoissonMean(_) => "poisson entropy",
            Beta => "beta",
            Betaln => "betaln",
            DigammaIncrease => "betaln",
            Xlogy => "xlogy",
            Xlog1py => "xlog1py",
            Gammainc | GammaincDa | GammaincRelative(_) => "gammainc",
            Gammaincc => "gammaincc",
            LnGammainc => "log_gammainc",
            LnGammaincc => "log_gammaincc",
            GammaDensity => "gamma density",
            LnGammaDensity => "logarithm of the gamma density",
            StudentTSf | StudentTRelative(_) => "student_t tail",
            LnStudentTSf => "logarithm of the student_t tail",
            VonMisesIntegral(_) => "von_mises integral",
            Betainc | BetaincDerivative(_) | BetaincRelative(_) => "betainc",
            Betaincc => "betaincc",
            LnBetainc => "log_betainc",
            LnBetaincc => "log_betaincc",
            BetaDensity => "beta density",
            LnBetaDensity => "logarithm of the beta density",
        }
    }

    /// The value; arguments that the function does not have are ignored.
    pub(crate) fn value(self, [x, y, z]: [f64; 3]) -> f64 {
        use Function::*;
        match self {
            Gamma => s::gamma(x),
            Gammaln => s::gammaln(x),
            Rgamma => s::rgamma(x),
            Polygamma(n) => s::polygamma(n, x),
            Multigammaln(d) => s::multigammaln(x, d),
            SinPi => s::sin_pi(x),
            CosPi => cos_pi(x),
            ErfcxIntegral(n) => s::erfcx_integral(n, x),
            Erfinv => s::erfinv(x),
            Erfcinv => s::erfcinv(x),
            Ndtr => s::ndtr(x),
            LogNdtr => s::log_ndtr(x),
            Ndtri => s::ndtri(x),
            Logit => s::logit(x),
            Expit => s::expit(x),
            Entr => s::entr(x),
            Jn(n) => s::jn(n, x),
            Yn(n) => s::yn(n, x),
            Iv(v) => s::iv(v, x),
            Ive(v) => s::ive(v, x),
            I0eMinusI1e => s::i0e_minus_i1e(x),
            Kv(0.0) => s::k0(x),
            Kv(v) if v.abs() == 1.0 => s::k1(x),
            Kv(v) => s::kv(v, x),
            Harmonic(n, m) => s::sph_harm_y(n, m, x, 0.0).re,
            Legendre(n, k) => s::legendre_p_derivative(n, k, x),
            Hermite(n) => s::eval_hermite(n, x),
            PoissonMean(n) => s::poisson_mean_ln_factorial(n, x),
            Beta => s::beta(x, y),
            Betaln => s::betaln(x, y),
            DigammaIncrease => s::digamma_increase(x, y),
            Xlogy => s::xlogy(x, y),
            Xlog1py => s::xlog1py(x, y),
            Gammainc => s::gammainc(x, y),
            Gammaincc => s::gammaincc(x, y),
            LnGammainc => s::ln_gammainc(x, y),
            LnGammaincc => s::ln_gammaincc(x, y),
            GammaDensity => s::gamma_density(x, y),
            LnGammaDensity => s::ln_gamma_density(x, y),
            GammaincDa => s::gammainc_da(x, y),
            GammaincRelative(1) => s::gammainc_da_relative(x, y),
            GammaincRelative(_) => s::gammainc_daa_relative(x, y),
            StudentTSf => s::student_t_sf(x, y),
            LnStudentTSf => s::ln_student_t_sf(x, y),
            StudentTRelative(order) => s::student_t_relative(order, x, y),
            VonMisesIntegral(k) => s::von_mises_integral(k, x, y),
            Betainc => s::betainc(x, y, z),
            Betaincc => s::betaincc(x, y, z),
            LnBetainc => s::ln_betainc(x, y, z),
            LnBetaincc => s::ln_betaincc(x, y, z),
            BetaDensity => s::beta_density(x, y, z),
            LnBetaDensity => s::ln_beta_density(x, y, z),
            BetaincDerivative(0) => s::betainc_da(x, y, z),
            BetaincDerivative(_) => s::betainc_db(x, y, z),
            BetaincRelative(which) => s::betainc_relative(which, x, y, z),
        }
    }
}
