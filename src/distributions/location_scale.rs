//! Families of location and scale: x = loc + scale z, with the density of z given in closed form.

use super::support::*;
use super::{Continuous, Reparameterised};
use crate::autodiff::{Var, apply};
use crate::error::Result;
use crate::ops::where_;
use crate::random::{standard_exponential, standard_gumbel, standard_logistic, standard_normal};
use crate::scalar::Real;
use crate::special::{self, Draw, Function, call, ln_student_density};
use rand::{Rng, RngExt};
use std::f64::consts::{LN_2, PI};

const EULER_GAMMA: f64 = 0.577_215_664_901_532_9;

/// ½ ln 2π
const HALF_LN_2PI: f64 = 0.918_938_533_204_672_7;

/// What a family says of z.
trait Standard<T: Real> {
    const NAME: &'static str;
    fn logpdf(&self, z: &Var<T>) -> Var<T>;
    fn cdf(&self, z: &Var<T>) -> Var<T>;
    fn logcdf(&self, z: &Var<T>) -> Var<T>;
    /// Of a symmetric density unless said otherwise.
    fn sf(&self, z: &Var<T>) -> Var<T> {
        self.cdf(&-z)
    }
    fn logsf(&self, z: &Var<T>) -> Var<T> {
        self.logcdf(&-z)
    }
    fn mean(&self) -> Var<T> {
        Var::scalar(T::zero())
    }
    fn variance(&self) -> Var<T>;
    fn entropy(&self) -> Var<T>;
    /// Draws of z with their derivatives in the shape parameters.
    fn draw(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>>;
}

macro_rules! family {
    ($name:ident) => {
        impl<T: Real> $name<T> {
            fn standardise(&self, x: &Var<T>) -> Var<T> {
                (x - &self.loc) / &self.scale
            }
        }

        impl<T: Real> Continuous<T> for $name<T> {
            fn logpdf(&self, x: &Var<T>) -> Var<T> {
                Standard::logpdf(self, &self.standardise(x)) - self.scale.log()
            }
            fn cdf(&self, x: &Var<T>) -> Var<T> {
                Standard::cdf(self, &self.standardise(x))
            }
            fn sf(&self, x: &Var<T>) -> Var<T> {
                Standard::sf(self, &self.standardise(x))
            }
            fn logcdf(&self, x: &Var<T>) -> Var<T> {
                Standard::logcdf(self, &self.standardise(x))
            }
            fn logsf(&self, x: &Var<T>) -> Var<T> {
                Standard::logsf(self, &self.standardise(x))
            }
            fn mean(&self) -> Var<T> {
                &self.loc + &self.scale * Standard::mean(self)
            }
            fn variance(&self) -> Var<T> {
                self.scale.square() * Standard::variance(self) + self.loc.zeros_like()
            }
            fn entropy(&self) -> Var<T> {
                self.scale.log() + Standard::entropy(self) + self.loc.zeros_like()
            }
            fn sample(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>> {
                Ok(self.rsample(rng, shape)?.stop_gradient())
            }
        }

        impl<T: Real> Reparameterised<T> for $name<T> {
            fn rsample(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>> {
                fits(<Self as Standard<T>>::NAME, &[&self.loc, &self.scale], shape)?;
                Ok(&self.loc + &self.scale * self.draw(rng, shape)?)
            }
        }
    };
    ($(#[doc = $doc:literal])+ $name:ident $label:literal) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug)]
        pub struct $name<T: Real> {
            loc: Var<T>,
            scale: Var<T>,
        }

        impl<T: Real> $name<T> {
            /// From the location and the scale.
            ///
            /// # Errors
            /// `Argument` for a location that is not finite or a scale that is not positive, `Shape` if they do not broadcast.
            pub fn new(loc: impl Into<Var<T>>, scale: impl Into<Var<T>>) -> Result<Self> {
                let (loc, scale) = (loc.into(), scale.into());
                finite($label, "loc", &loc)?;
                positive($label, "scale", &scale)?;
                broadcast($label, &[&loc, &scale])?;
                Ok($name { loc, scale })
            }
        }
        family!($name);
    };
}

family! {
    /// The normal distribution of mean `loc` and standard deviation `scale`.
    Normal "normal"
}

impl<T: Real> Standard<T> for Normal<T> {
    const NAME: &'static str = "normal";
    fn logpdf(&self, z: &Var<T>) -> Var<T> {
        z.square().scale(-0.5) - c::<T>(HALF_LN_2PI)
    }
    fn cdf(&self, z: &Var<T>) -> Var<T> {
        special::ndtr(z)
    }
    fn logcdf(&self, z: &Var<T>) -> Var<T> {
        special::log_ndtr(z)
    }
    fn variance(&self) -> Var<T> {
        Var::scalar(T::one())
    }
    fn entropy(&self) -> Var<T> {
        Var::scalar(c(HALF_LN_2PI + 0.5))
    }
    fn draw(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>> {
        draw(Self::NAME, rng, shape, &[], &|rng, _| standard_normal(rng))
    }
}

family! {
    /// The Laplace distribution, of density e^{−|z|}/(2 scale) with z = (x − loc)/scale. Its derivative in z at 0 is taken as 0.
    Laplace "laplace"
}

impl<T: Real> Standard<T> for Laplace<T> {
    const NAME: &'static str = "laplace";
    fn logpdf(&self, z: &Var<T>) -> Var<T> {
        -z.abs() - c::<T>(LN_2)
    }
    fn cdf(&self, z: &Var<T>) -> Var<T> {
        let left = z.lt(T::zero());
        let tail = where_(&left, z, -z).exp().scale(0.5);
        where_(&left, &tail, -&tail + T::one())
    }
    fn logcdf(&self, z: &Var<T>) -> Var<T> {
        let left = z.lt(T::zero());
        let right = (-where_(&left, T::zero(), -z).exp().scale(0.5)).log1p();
        where_(&left, z - c::<T>(LN_2), right)
    }
    fn variance(&self) -> Var<T> {
        Var::scalar(c(2.0))
    }
    fn entropy(&self) -> Var<T> {
        Var::scalar(c(1.0 + LN_2))
    }
    fn draw(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>> {
        draw(Self::NAME, rng, shape, &[], &|rng, _| {
            let z = standard_exponential(rng);
            if rng.random::<bool>() { z } else { -z }
        })
    }
}

family! {
    /// The logistic distribution, F = 1/(1 + e^{−z}) with z = (x − loc)/scale.
    Logistic "logistic"
}

impl<T: Real> Standard<T> for Logistic<T> {
    const NAME: &'static str = "logistic";
    fn logpdf(&self, z: &Var<T>) -> Var<T> {
        -(z.softplus() + (-z).softplus())
    }
    fn cdf(&self, z: &Var<T>) -> Var<T> {
        special::expit(z)
    }
    fn logcdf(&self, z: &Var<T>) -> Var<T> {
        special::log_expit(z)
    }
    fn variance(&self) -> Var<T> {
        Var::scalar(c(PI * PI / 3.0))
    }
    fn entropy(&self) -> Var<T> {
        Var::scalar(c(2.0))
    }
    fn draw(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>> {
        draw(Self::NAME, rng, shape, &[], &|rng, _| standard_logistic(rng))
    }
}

family! {
    /// The Gumbel distribution of maxima (scipy's `gumbel_r`), F = exp(−e^{−z}) with z = (x − loc)/scale.
    Gumbel "gumbel"
}

impl<T: Real> Standard<T> for Gumbel<T> {
    const NAME: &'static str = "gumbel";
    fn logpdf(&self, z: &Var<T>) -> Var<T> {
        -z - (-z).exp()
    }
    fn cdf(&self, z: &Var<T>) -> Var<T> {
        (-(-z).exp()).exp()
    }
    fn sf(&self, z: &Var<T>) -> Var<T> {
        -(-(-z).exp()).expm1()
    }
    fn logcdf(&self, z: &Var<T>) -> Var<T> {
        -(-z).exp()
    }
    fn logsf(&self, z: &Var<T>) -> Var<T> {
        // ln(1 − e^{−u}) = −z − u/2 + O(u²) with u = e^{−z}, which underflows
        let far = z.gt(c::<T>(40.0));
        let near = log1mexp(&(-where_(&far, T::zero(), z)).exp());
        where_(&far, -z, near)
    }
    fn mean(&self) -> Var<T> {
        Var::scalar(c(EULER_GAMMA))
    }
    fn variance(&self) -> Var<T> {
        Var::scalar(c(PI * PI / 6.0))
    }
    fn entropy(&self) -> Var<T> {
        Var::scalar(c(EULER_GAMMA + 1.0))
    }
    fn draw(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>> {
        draw(Self::NAME, rng, shape, &[], &|rng, _| standard_gumbel(rng))
    }
}

/// Student's t distribution with `df` degrees of freedom, a location and a scale. Draws are differentiated in `df` through the cumulative
/// distribution.
///
/// The mean is NaN for df ≤ 1; the variance is infinite for 1 < df ≤ 2 and NaN below.
#[derive(Clone, Debug)]
pub struct StudentT<T: Real> {
    df: Var<T>,
    loc: Var<T>,
    scale: Var<T>,
}

impl<T: Real> StudentT<T> {
    /// From the degrees of freedom, the location and the scale.
    ///
    /// # Errors
    /// `Argument` for degrees of freedom or a scale that are not positive or a location that is not finite, `Shape` if they do not broadcast.
    pub fn new(df: impl Into<Var<T>>, loc: impl Into<Var<T>>, scale: impl Into<Var<T>>) -> Result<Self> {
        let (df, loc, scale) = (df.into(), loc.into(), scale.into());
        positive("student_t", "df", &df)?;
        finite("student_t", "loc", &loc)?;
        positive("student_t", "scale", &scale)?;
        broadcast("student_t", &[&df, &loc, &scale])?;
        Ok(StudentT { df, loc, scale })
    }
}

family!(StudentT);

impl<T: Real> Standard<T> for StudentT<T> {
    const NAME: &'static str = "student_t";
    fn logpdf(&self, z: &Var<T>) -> Var<T> {
        ln_student_density(&self.df, z)
    }
    fn cdf(&self, z: &Var<T>) -> Var<T> {
        call(Function::StudentTSf, &[&self.df, &-z])
    }
    fn logcdf(&self, z: &Var<T>) -> Var<T> {
        call(Function::LnStudentTSf, &[&self.df, &-z])
    }
    fn mean(&self) -> Var<T> {
        where_(&self.df.gt(T::one()), self.df.zeros_like(), T::NAN)
    }
    fn variance(&self) -> Var<T> {
        let (two, finite) = (c::<T>(2.0), self.df.gt(c::<T>(2.0)));
        let safe = where_(&finite, &self.df, c::<T>(3.0));
        let divergent = where_(&self.df.gt(T::one()), self.df.zeros_like() + T::INFINITY, T::NAN);
        where_(&finite, &safe / (&safe - two), divergent)
    }
    fn entropy(&self) -> Var<T> {
        let half = self.df.scale(0.5);
        let increase = call(Function::DigammaIncrease, &[&half, &Var::scalar(c(0.5))]);
        (&half + c::<T>(0.5)) * increase + self.df.log().scale(0.5) + special::betaln(&half, &Var::scalar(c(0.5)))
    }
    fn draw(&self, rng: &mut dyn Rng, shape: &[usize]) -> Result<Var<T>> {
        let value = draw(Self::NAME, rng, shape, &[&self.df], &|rng, [df, ..]| {
            rng.sample(rand_distr::StudentT::new(df).expect("the degrees of freedom are positive"))
        })?;
        // S(t; ν) held: f ∂t/∂ν = ∂S/∂ν
        let slope = |_: usize, p: &[Var<T>], t: &Var<T>| call(Function::StudentTRelative(1), &[&p[0], t]);
        apply(Draw { name: "student_t draw", value, slope }, &vec![self.df.clone()])
    }
}
