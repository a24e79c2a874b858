//! Densities of the plane on which generative models are tried: p(x) = e^{−E(x)}/Z, with exact samples and ln Z.
//!
//! All are smooth and positive, so that each is learned from its energy as well as from its samples.

use crate::autodiff::Var;
use crate::error::{Error, Result};
use crate::ops::{s, stack};
use crate::scalar::Real;
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use std::f64::consts::{PI, TAU};

/// A density of the plane.
///
/// ```
/// use pullback::physics::toy::Toy;
/// use rand::{SeedableRng, rngs::StdRng};
/// // the entropy is the mean of E + ln Z over samples
/// let toy = Toy::EightGaussians;
/// let x = toy.sample::<f64>(20_000, &mut StdRng::seed_from_u64(1));
/// assert!((toy.energy(&x)?.mean().item() + toy.ln_z() - toy.entropy().unwrap()).abs() < 0.03);
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toy {
    /// Eight normal densities of variance 0.1 on a circle of radius 5; normalised.
    EightGaussians,
    /// Two crescents: E = ½((r − 2)/0.4)² − ln(e^{−½((x−2)/0.6)²} + e^{−½((x+2)/0.6)²}) (Rezende and Mohamed, arXiv:1505.05770, table 1).
    TwoMoons,
    /// The dark squares of side 2 of a board on [−4, 4]², with logistic noise of scale 0.05 on both coordinates; normalised.
    Checkerboard,
    /// Circles of radii 1.5, 3 and 4.5: E = −ln Σ_R e^{−(r − R)²/2σ²}, σ = 0.15.
    Rings,
    /// E = ¼x⁴ − 3x² + x + ½y²: two wells of different depth.
    DoubleWell,
}

const RADIUS: f64 = 5.0;
const VARIANCE: f64 = 0.1;
const MOON_WIDTH: f64 = 0.4;
const MOON_SPREAD: f64 = 0.6;
const BLUR: f64 = 0.05;
const RINGS: [f64; 3] = [1.5, 3.0, 4.5];
const RING_WIDTH: f64 = 0.15;
/// Beyond this many widths a normal density is below the resolution of a double.
const WIDTHS: f64 = 8.5;

/// The lower left corners of the dark squares.
fn squares() -> impl Iterator<Item = (f64, f64)> {
    (0..16).filter(|k| (k / 4 + k % 4) % 2 == 0).map(|k| (2.0 * (k / 4) as f64 - 4.0, 2.0 * (k % 4) as f64 - 4.0))
}

fn double_well(x: f64) -> f64 {
    0.25 * x.powi(4) - 3.0 * x * x + x
}

/// ∫ d²x e^{−(r − R)²/2σ²}
fn ring_weight(radius: f64) -> f64 {
    let u = radius / RING_WIDTH;
    let share = 0.5 * crate::scalar::Number::erfc(-u / 2f64.sqrt());
    TAU * (RING_WIDTH * RING_WIDTH * (-0.5 * u * u).exp() + radius * RING_WIDTH * TAU.sqrt() * share)
}

impl Toy {
    /// All of them.
    pub const ALL: [Toy; 5] = [Toy::EightGaussians, Toy::TwoMoons, Toy::Checkerboard, Toy::Rings, Toy::DoubleWell];

    /// A name for files and tables.
    pub fn name(self) -> &'static str {
        match self {
            Toy::EightGaussians => "eight_gaussians",
            Toy::TwoMoons => "two_moons",
            Toy::Checkerboard => "checkerboard",
            Toy::Rings => "rings",
            Toy::DoubleWell => "double_well",
        }
    }

    /// E of each row of x, of shape (batch,).
    ///
    /// # Errors
    /// `Shape` unless x is (batch, 2).
    pub fn energy<T: Real>(self, x: &Var<T>) -> Result<Var<T>> {
        if x.ndim() != 2 || x.shape()[1] != 2 {
            return Err(Error::shape("toy", format!("points have shape {:?}, and (batch, 2) is needed", x.shape())));
        }
        let number = T::from_f64;
        let (u, v) = (x.slice(s![.., 0]), x.slice(s![.., 1]));
        // −ln Σ exp of terms of shape (batch,)
        let minus_ln_sum = |terms: Vec<Var<T>>| -stack(&terms, 0).logsumexp_axis(0);
        Ok(match self {
            Toy::EightGaussians => {
                let terms = (0..8).map(|k| {
                    let (sin, cos) = (k as f64 * PI / 4.0).sin_cos();
                    ((&u - number(RADIUS * cos)).square() + (&v - number(RADIUS * sin)).square()) * number(-0.5 / VARIANCE)
                });
                minus_ln_sum(terms.collect()) + number((8.0 * TAU * VARIANCE).ln())
            }
            Toy::TwoMoons => {
                let r = (u.square() + v.square()).sqrt();
                let terms = [2.0, -2.0].map(|at| (&u - number(at)).square() * number(-0.5 / MOON_SPREAD.powi(2)));
                (r - number(2.0)).square() * number(0.5 / MOON_WIDTH.powi(2)) + minus_ln_sum(terms.to_vec())
            }
            Toy::Checkerboard => {
                // the share of a blurred interval [a, a + 2] is F(z) − F(z − L) = F(z) F(L − z) (1 − e^{−L}), F the logistic function, z =
                // (x − a)/s
                let length = 2.0 / BLUR;
                let share = |x: &Var<T>, a: f64| {
                    let z = (x - number(a)) * number(1.0 / BLUR);
                    -((-&z).softplus() + (z - number(length)).softplus())
                };
                let terms = squares().map(|(a, b)| share(&u, a) + share(&v, b));
                minus_ln_sum(terms.collect()) + number(32f64.ln() - 2.0 * (-(-length).exp()).ln_1p())
            }
            Toy::Rings => {
                let r = (u.square() + v.square()).sqrt();
                minus_ln_sum(RINGS.iter().map(|at| (&r - number(*at)).square() * number(-0.5 / RING_WIDTH.powi(2))).collect())
            }
            Toy::DoubleWell => u.powi(4) * number(0.25) - u.square() * number(3.0) + u + v.square() * number(0.5),
        })
    }

    /// ln ∫ d²x e^{−E}: exact, or by quadrature to all digits that are given.
    pub fn ln_z(self) -> f64 {
        match self {
            Toy::EightGaussians | Toy::Checkerboard => 0.0,
            Toy::TwoMoons => LN_Z_TWO_MOONS,
            Toy::Rings => RINGS.iter().map(|r| ring_weight(*r)).sum::<f64>().ln(),
            Toy::DoubleWell => LN_Z_DOUBLE_WELL,
        }
    }

    /// −∫ p ln p, in nats, where it is known: of the eight gaussians, whose overlap is below 10⁻⁸.
    pub fn entropy(self) -> Option<f64> {
        (self == Toy::EightGaussians).then(|| 8f64.ln() + 1.0 + (TAU * VARIANCE).ln())
    }

    /// n exact samples, of shape (n, 2).
    pub fn sample<T: Real>(self, n: usize, rng: &mut dyn Rng) -> Var<T> {
        let numbers = (0..n).flat_map(|_| self.draw(rng)).map(T::from_f64).collect();
        Var::from_shape_vec(&[n, 2], numbers).expect("two for each row")
    }

    fn draw(self, rng: &mut dyn Rng) -> [f64; 2] {
        let normal = |rng: &mut dyn Rng| -> f64 { rng.sample(StandardNormal) };
        // r of density r e^{−(r − R)²/2w²}, by rejection from the normal density
        let radius = |rng: &mut dyn Rng, at: f64, width: f64| loop {
            let r = at + width * normal(rng);
            if r > rng.random::<f64>() * (at + WIDTHS * width) {
                return r;
            }
        };
        match self {
            Toy::EightGaussians => {
                let (sin, cos) = (rng.random_range(0..8) as f64 * PI / 4.0).sin_cos();
                [RADIUS * cos + VARIANCE.sqrt() * normal(rng), RADIUS * sin + VARIANCE.sqrt() * normal(rng)]
            }
            Toy::TwoMoons => loop {
                let r = radius(rng, 2.0, MOON_WIDTH);
                let (sin, cos) = (TAU * rng.random::<f64>()).sin_cos();
                let bell = |at: f64| (-0.5 * ((r * cos - at) / MOON_SPREAD).powi(2)).exp();
                if (1.0 + 1e-9) * rng.random::<f64>() < bell(2.0) + bell(-2.0) {
                    return [r * cos, r * sin];
                }
            },
            Toy::Checkerboard => {
                let (a, b) = squares().nth(rng.random_range(0..8)).expect("eight squares");
                let mut blurred = |a: f64| {
                    let u: f64 = rng.random::<f64>();
                    let v: f64 = (rng.random::<f64>() + 0.5 * f64::EPSILON).min(1.0 - f64::EPSILON);
                    a + 2.0 * u + BLUR * (v / (1.0 - v)).ln()
                };
                [blurred(a), blurred(b)]
            }
            Toy::Rings => {
                let weights = RINGS.map(ring_weight);
                let mut left = rng.random::<f64>() * weights.iter().sum::<f64>();
                let chosen = weights.iter().position(|w| {
                    left -= w;
                    left < 0.0
                });
                let r = radius(rng, RINGS[chosen.unwrap_or(2)], RING_WIDTH);
                let (sin, cos) = (TAU * rng.random::<f64>()).sin_cos();
                [r * cos, r * sin]
            }
            Toy::DoubleWell => loop {
                // beyond ±6 the density is below e^{−200} of its largest value, which is at the left minimum
                let x = rng.random_range(-6.0..6.0);
                if rng.random::<f64>() < (double_well(LEFT_MINIMUM) - double_well(x)).exp() {
                    return [x, normal(rng)];
                }
            },
        }
    }
}

/// The lowest root of x³ − 6x + 1.
const LEFT_MINIMUM: f64 = -2.528_917_957_294_361;

/// By quadrature: trapezoids of the smooth, decaying integrand, and Gauss–Legendre in r times the angle's mean.
const LN_Z_DOUBLE_WELL: f64 = 12.064_928_998_648_323;
const LN_Z_TWO_MOONS: f64 = 1.877_501_626_109_714;
