//! The incomplete gamma and beta functions, differentiable in every argument.

use super::call;
use super::function::Function;
use super::of_two_arrays;
use crate::autodiff::Var;
use crate::scalar::Real;

of_two_arrays! {
    /// The regularised lower incomplete gamma function P(a, x) = ∫₀ˣ t^{a−1}e^{−t} dt/Γ(a) for a, x ≥ 0; NaN elsewhere.
    ///
    /// ∂P/∂x = x^{a−1}e^{−x}/Γ(a), at x = 0 its limit. ∂P/∂a by series, a continued fraction or Temme's expansion, differentiated term by term.
    gammainc(a, x) = Function::Gammainc;
    /// The regularised upper incomplete gamma function Q(a, x) = 1 − P(a, x), accurate where it is small.
    gammaincc(a, x) = Function::Gammaincc;
    /// ln P(a, x), without underflow in the lower tail. Derivatives are relative to |ln P| ε there.
    log_gammainc(a, x) = Function::LnGammainc;
    /// ln Q(a, x), without underflow in the upper tail. Derivatives are relative to |ln Q| ε there.
    log_gammaincc(a, x) = Function::LnGammaincc;
}

macro_rules! of_three_arrays {
    ($($(#[doc = $doc:literal])+ $name:ident = $function:expr;)*) => { $(
        $(#[doc = $doc])+
        ///
        /// # Panics
        /// If the shapes do not broadcast.
        #[track_caller]
        pub fn $name<T: Real>(a: &Var<T>, b: &Var<T>, x: &Var<T>) -> Var<T> {
            call($function, &[a, b, x])
        }
    )* };
}

of_three_arrays! {
    /// The regularised incomplete beta function I_x(a, b) = ∫₀ˣ t^{a−1}(1−t)^{b−1} dt/B(a, b) for a, b ≥ 0 and 0 ≤ x ≤ 1; NaN elsewhere.
    ///
    /// ∂I/∂x = x^{a−1}(1−x)^{b−1}/B(a, b), at the ends its limit. ∂I/∂a and ∂I/∂b by a series or continued fraction differentiated term by term.
    betainc = Function::Betainc;
    /// 1 − I_x(a, b) = I_{1−x}(b, a), accurate where it is small.
    betaincc = Function::Betaincc;
    /// ln I_x(a, b), without underflow in the lower tail.
    log_betainc = Function::LnBetainc;
    /// ln(1 − I_x(a, b)), without underflow in the upper tail.
    log_betaincc = Function::LnBetaincc;
}
