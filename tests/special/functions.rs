//! The table that the tests walk.

use num_complex::Complex64;
use pullback::Var;
use pullback::special::*;

type Function = fn(&[Var<f64>]) -> Var<f64>;

/// A function, and an interval for each of its arguments that keeps finite differences away from its poles.
pub struct Entry {
    pub name: &'static str,
    pub call: Function,
    pub domain: &'static [(f64, f64)],
}

const fn entry(name: &'static str, call: Function, domain: &'static [(f64, f64)]) -> Entry {
    Entry { name, call, domain }
}

fn parts(z: &Var<Complex64>) -> Var<f64> {
    z.re() + z.im() * 3.0
}

/// Every function, some at several orders.
pub const FUNCTIONS: &[Entry] = &[
    entry("gamma", |a| gamma(&a[0]), &[(0.3, 4.0)]),
    entry("gamma", |a| gamma(&a[0]), &[(-1.8, -1.2)]),
    entry("gammaln", |a| gammaln(&a[0]), &[(0.3, 30.0)]),
    entry("gammaln", |a| gammaln(&a[0]), &[(-2.8, -2.2)]),
    entry("rgamma", |a| rgamma(&a[0]), &[(-3.5, 4.0)]),
    entry("digamma", |a| digamma(&a[0]), &[(0.5, 10.0)]),
    entry("polygamma", |a| polygamma(0, &a[0]), &[(0.5, 10.0)]),
    entry("polygamma", |a| polygamma(2, &a[0]), &[(0.7, 10.0)]),
    entry("multigammaln", |a| multigammaln(&a[0], 3), &[(1.5, 10.0)]),
    entry("beta", |a| beta(&a[0], &a[1]), &[(0.4, 5.0), (0.4, 5.0)]),
    entry("betaln", |a| betaln(&a[0], &a[1]), &[(0.4, 20.0), (0.4, 20.0)]),
    entry("betaln", |a| betaln(&a[0], &a[1]), &[(-0.8, -0.2), (1.2, 1.9)]),
    entry("gammainc", |a| gammainc(&a[0], &a[1]), &[(0.3, 8.0), (0.3, 12.0)]),
    entry("gammainc", |a| gammainc(&a[0], &a[1]), &[(30.0, 40.0), (25.0, 50.0)]),
    entry("gammaincc", |a| gammaincc(&a[0], &a[1]), &[(0.3, 8.0), (0.3, 12.0)]),
    entry("log_gammainc", |a| log_gammainc(&a[0], &a[1]), &[(0.3, 8.0), (0.5, 12.0)]),
    entry("log_gammaincc", |a| log_gammaincc(&a[0], &a[1]), &[(0.3, 8.0), (0.5, 12.0)]),
    entry("betainc", |a| betainc(&a[0], &a[1], &a[2]), &[(0.4, 5.0), (0.4, 5.0), (0.05, 0.95)]),
    entry("betainc", |a| betainc(&a[0], &a[1], &a[2]), &[(5.0, 20.0), (5.0, 20.0), (0.2, 0.8)]),
    entry("betaincc", |a| betaincc(&a[0], &a[1], &a[2]), &[(0.4, 5.0), (0.4, 5.0), (0.05, 0.95)]),
    entry("log_betainc", |a| log_betainc(&a[0], &a[1], &a[2]), &[(0.4, 5.0), (0.4, 5.0), (0.1, 0.9)]),
    entry("log_betaincc", |a| log_betaincc(&a[0], &a[1], &a[2]), &[(0.4, 5.0), (0.4, 5.0), (0.1, 0.9)]),
    entry("erf", |a| erf(&a[0]), &[(-2.0, 2.0)]),
    entry("erfc", |a| erfc(&a[0]), &[(-2.0, 2.0)]),
    entry("erfcx", |a| erfcx(&a[0]), &[(-1.0, 6.0)]),
    entry("erfinv", |a| erfinv(&a[0]), &[(-0.9, 0.9)]),
    entry("erfcinv", |a| erfcinv(&a[0]), &[(0.1, 1.9)]),
    entry("ndtr", |a| ndtr(&a[0]), &[(-3.0, 3.0)]),
    entry("log_ndtr", |a| log_ndtr(&a[0]), &[(-20.0, 3.0)]),
    entry("ndtri", |a| ndtri(&a[0]), &[(0.1, 0.9)]),
    entry("logit", |a| logit(&a[0]), &[(0.1, 0.9)]),
    entry("expit", |a| expit(&a[0]), &[(-5.0, 5.0)]),
    entry("log_expit", |a| log_expit(&a[0]), &[(-5.0, 5.0)]),
    entry("entr", |a| entr(&a[0]), &[(0.2, 5.0)]),
    entry("xlogy", |a| xlogy(&a[0], &a[1]), &[(-2.0, 2.0), (0.3, 5.0)]),
    entry("xlog1py", |a| xlog1py(&a[0], &a[1]), &[(-2.0, 2.0), (-0.6, 5.0)]),
    entry("j0", |a| j0(&a[0]), &[(-8.0, 8.0)]),
    entry("j1", |a| j1(&a[0]), &[(-8.0, 8.0)]),
    entry("jn", |a| jn(3, &a[0]), &[(-8.0, 8.0)]),
    entry("jn", |a| jn(-2, &a[0]), &[(-8.0, 8.0)]),
    entry("y0", |a| y0(&a[0]), &[(0.5, 8.0)]),
    entry("y1", |a| y1(&a[0]), &[(0.5, 8.0)]),
    entry("yn", |a| yn(3, &a[0]), &[(1.5, 8.0)]),
    entry("i0", |a| i0(&a[0]), &[(-4.0, 4.0)]),
    entry("i1", |a| i1(&a[0]), &[(-4.0, 4.0)]),
    entry("i0e", |a| i0e(&a[0]), &[(0.1, 40.0)]),
    entry("i0e", |a| i0e(&a[0]), &[(-5.0, -0.1)]),
    entry("i1e", |a| i1e(&a[0]), &[(0.1, 40.0)]),
    entry("i1e", |a| i1e(&a[0]), &[(-5.0, -0.1)]),
    entry("iv", |a| iv(2.3, &a[0]), &[(0.5, 5.0)]),
    entry("iv", |a| iv(-0.4, &a[0]), &[(0.5, 5.0)]),
    entry("ive", |a| ive(2.3, &a[0]), &[(0.5, 30.0)]),
    entry("k0", |a| k0(&a[0]), &[(0.5, 8.0)]),
    entry("k1", |a| k1(&a[0]), &[(0.5, 8.0)]),
    entry("kv", |a| kv(1.7, &a[0]), &[(0.7, 8.0)]),
    entry("sph_harm_y", |a| parts(&sph_harm_y(3, 2, &a[0], &a[1])), &[(-0.5, 3.5), (-4.0, 4.0)]),
    entry("sph_harm_y", |a| parts(&sph_harm_y(4, -1, &a[0], &a[1])), &[(-0.5, 3.5), (-4.0, 4.0)]),
    entry("sph_harm", |a| parts(&sph_harm(1, 2, &a[0], &a[1])), &[(-4.0, 4.0), (-0.5, 3.5)]),
    entry("legendre", |a| legendre(5, &a[0]), &[(-1.2, 1.2)]),
    entry("hermite_poly", |a| hermite_poly(4, &a[0]), &[(-2.0, 2.0)]),
];
