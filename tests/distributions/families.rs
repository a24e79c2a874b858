//! The table of continuous families that the tests walk.

use pullback::Var;
use pullback::distributions::*;

pub type Family = Box<dyn Reparameterised<f64>>;

/// A family, intervals of its parameters, and where its argument is taken (from quantile-like points of the parameters).
pub struct Entry {
    pub name: &'static str,
    pub make: fn(&[Var<f64>]) -> pullback::Result<Family>,
    pub parameters: &'static [(f64, f64)],
    pub argument: (f64, f64),
    /// From where to where the density is integrated, given the parameters.
    pub support: fn(&[f64]) -> (f64, f64),
}

macro_rules! boxed {
    ($e:expr) => {
        $e.map(|d| Box::new(d) as Family)
    };
}

/// Every continuous distribution of numbers.
pub const FAMILIES: &[Entry] = &[
    Entry {
        name: "normal",
        make: |p| boxed!(Normal::new(&p[0], &p[1])),
        parameters: &[(-1.0, 1.0), (0.5, 2.0)],
        argument: (-3.0, 3.0),
        support: |p| (p[0] - 12.0 * p[1], p[0] + 12.0 * p[1]),
    },
    Entry {
        name: "laplace",
        make: |p| boxed!(Laplace::new(&p[0], &p[1])),
        parameters: &[(-1.0, 0.0), (0.5, 2.0)],
        argument: (0.3, 3.0),
        support: |p| (p[0] - 40.0 * p[1], p[0] + 40.0 * p[1]),
    },
    Entry {
        name: "logistic",
        make: |p| boxed!(Logistic::new(&p[0], &p[1])),
        parameters: &[(-1.0, 1.0), (0.5, 2.0)],
        argument: (-3.0, 3.0),
        support: |p| (p[0] - 40.0 * p[1], p[0] + 40.0 * p[1]),
    },
    Entry {
        name: "gumbel",
        make: |p| boxed!(Gumbel::new(&p[0], &p[1])),
        parameters: &[(-1.0, 1.0), (0.7, 2.0)],
        argument: (-1.5, 3.0),
        support: |p| (p[0] - 5.0 * p[1], p[0] + 40.0 * p[1]),
    },
    Entry {
        name: "student_t",
        make: |p| boxed!(StudentT::new(&p[0], &p[1], &p[2])),
        parameters: &[(6.0, 9.0), (-1.0, 1.0), (0.5, 2.0)],
        argument: (-3.0, 3.0),
        support: |p| (p[1] - 2000.0 * p[2], p[1] + 2000.0 * p[2]),
    },
    Entry {
        name: "uniform",
        make: |p| boxed!(Uniform::new(&p[0], &p[1])),
        parameters: &[(-2.0, -1.0), (1.0, 2.0)],
        argument: (-0.8, 0.8),
        support: |p| (p[0], p[1]),
    },
    Entry {
        name: "exponential",
        make: |p| boxed!(Exponential::new(&p[0])),
        parameters: &[(0.5, 2.0)],
        argument: (0.3, 3.0),
        support: |p| (0.0, 40.0 * p[0]),
    },
    Entry {
        name: "gamma",
        make: |p| boxed!(Gamma::new(&p[0], &p[1])),
        parameters: &[(1.2, 5.0), (0.5, 2.0)],
        argument: (0.3, 6.0),
        support: |p| (0.0, 60.0 * p[1]),
    },
    Entry { name: "chi2", make: |p| boxed!(Chi2::new(&p[0])), parameters: &[(2.5, 8.0)], argument: (0.3, 9.0), support: |_| (0.0, 120.0) },
    Entry {
        name: "beta",
        make: |p| boxed!(Beta::new(&p[0], &p[1])),
        parameters: &[(1.2, 5.0), (1.2, 5.0)],
        argument: (0.1, 0.9),
        support: |_| (0.0, 1.0),
    },
    Entry {
        name: "von_mises",
        make: |p| boxed!(VonMises::new(&p[0], &p[1])),
        parameters: &[(0.4, 6.0), (-0.5, 0.5)],
        argument: (-2.5, 2.5),
        support: |p| (p[1] - std::f64::consts::PI, p[1] + std::f64::consts::PI),
    },
    Entry {
        name: "truncated_normal",
        make: |p| boxed!(TruncatedNormal::new(&p[0], &p[1], &p[2], &p[3])),
        parameters: &[(-1.0, 1.0), (0.5, 2.0), (-2.0, -1.2), (1.2, 2.5)],
        argument: (-1.0, 1.0),
        support: |p| (p[2], p[3]),
    },
];

/// Parameters at a fraction of their intervals.
pub fn at(family: &Entry, fraction: f64) -> Vec<f64> {
    family.parameters.iter().map(|(lo, hi)| lo + fraction * (hi - lo)).collect()
}

pub fn numbers(p: &[f64]) -> Vec<Var<f64>> {
    p.iter().map(|&x| Var::scalar(x)).collect()
}

pub fn make(family: &Entry, p: &[f64]) -> Family {
    (family.make)(&numbers(p)).unwrap()
}

impl Entry {
    /// The name in messages: χ² is a case of the gamma distribution.
    pub fn name_in_errors(&self) -> &'static str {
        if self.name == "chi2" { "gamma" } else { self.name }
    }
}
