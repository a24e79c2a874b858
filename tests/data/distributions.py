"""Writes distributions.tsv: reference values of the distributions with mpmath at 60 digits.

Rows: name, "point", parameters, x, ln f, F, 1 - F, ln F, ln(1 - F); and name, "moments", parameters, mean, variance, entropy by quadrature.
Formulas are those of the definitions; cumulative distributions by mpmath's incomplete functions or quadrature.
Run: python3 distributions.py > distributions.tsv
"""
from mpmath import mp, mpf

mp.dps = 60


def ln(x):
    return mp.log(x) if x > 0 else mp.ninf


def phi(z):
    """Upper tail of the standard normal."""
    return mp.erfc(z / mp.sqrt(2)) / 2


def both(upper_tail):
    """(F, 1 - F) of a symmetric distribution from its upper tail at |z|."""
    return lambda z: (1 - upper_tail(z), upper_tail(z)) if z > 0 else (upper_tail(-z), 1 - upper_tail(-z))


def gamma_tails(a, x):
    return (mpf(0), mpf(1)) if x <= 0 else (mp.gammainc(a, 0, x, regularized=True), mp.gammainc(a, x, regularized=True))


def beta_tails(a, b, x):
    return (mpf(0), mpf(1)) if x <= 0 else (mp.betainc(a, b, 0, x, regularized=True), mp.betainc(b, a, 0, 1 - x, regularized=True))


def student_tails(nu, z):
    tail = mp.betainc(nu / 2, mpf(1) / 2, 0, nu / (nu + z * z), regularized=True) / 2
    return (1 - tail, tail) if z > 0 else (tail, 1 - tail)


def von_mises_tails(kappa, theta):
    theta -= 2 * mp.pi * mp.nint(theta / (2 * mp.pi))
    t = abs(theta)
    ends = [t]
    while ends[-1] < mp.pi and len(ends) < 400:
        ends.append(min(mp.pi, ends[-1] + 2 / (kappa * mp.sin(t) + mp.sqrt(kappa) + 1)))
    # relative to the integrand at the end: the quadrature's tolerance is absolute
    relative = mp.quad(lambda s: mp.exp(kappa * (mp.cos(s) - mp.cos(t))), ends)
    tail = relative * mp.exp(kappa * mp.cos(t)) / (2 * mp.pi * mp.besseli(0, kappa))
    return (1 - tail, tail) if theta >= 0 else (tail, 1 - tail)


def truncated_tails(low, high, z):
    """Of the standard normal on [low, high]."""
    if low > 0:
        weight = lambda a, b: phi(a) - phi(b)
    else:
        weight = lambda a, b: phi(-b) - phi(-a)
    total = weight(low, high)
    return weight(low, z) / total, weight(z, high) / total


inf = mp.inf
# name: (ln f, tails, support) of (parameters..., x)
DENSITIES = {
    "normal": (lambda m, s, x: -((x - m) / s) ** 2 / 2 - mp.log(s) - mp.log(2 * mp.pi) / 2, lambda m, s, x: both(phi)((x - m) / s),
               lambda m, s: [m - 40 * s, m - 5 * s, m, m + 5 * s, m + 40 * s]),
    "laplace": (lambda m, s, x: -abs(x - m) / s - mp.log(2 * s), lambda m, s, x: both(lambda z: mp.exp(-z) / 2)((x - m) / s),
                lambda m, s: [m - 200 * s, m - 20 * s, m, m + 20 * s, m + 200 * s]),
    "logistic": (lambda m, s, x: -(x - m) / s - mp.log(s) - 2 * mp.log1p(mp.exp(-(x - m) / s)), lambda m, s, x: both(lambda z: mp.exp(-z) / (1 + mp.exp(-z)))((x - m) / s),
                 lambda m, s: [m - 200 * s, m - 20 * s, m, m + 20 * s, m + 200 * s]),
    "gumbel": (lambda m, s, x: -(x - m) / s - mp.exp(-(x - m) / s) - mp.log(s), lambda m, s, x: (mp.exp(-mp.exp(-(x - m) / s)), -mp.expm1(-mp.exp(-(x - m) / s))),
               lambda m, s: [m - 6 * s, m - 2 * s, m, m + 10 * s, m + 200 * s]),
    "student_t": (lambda n, m, s, x: mp.loggamma((n + 1) / 2) - mp.loggamma(n / 2) - mp.log(n * mp.pi) / 2 - (n + 1) / 2 * mp.log1p(((x - m) / s) ** 2 / n) - mp.log(s),
                  lambda n, m, s, x: student_tails(n, (x - m) / s), lambda n, m, s: [-inf, m - 50 * s, m - 5 * s, m, m + 5 * s, m + 50 * s, inf]),
    "uniform": (lambda a, b, x: -mp.log(b - a), lambda a, b, x: ((x - a) / (b - a), (b - x) / (b - a)), lambda a, b: [a, b]),
    "exponential": (lambda s, x: -x / s - mp.log(s), lambda s, x: (-mp.expm1(-x / s), mp.exp(-x / s)), lambda s: [0, s, 10 * s, 200 * s]),
    "gamma": (lambda a, s, x: (a - 1) * mp.log(x / s) - x / s - mp.loggamma(a) - mp.log(s), lambda a, s, x: gamma_tails(a, x / s),
              lambda a, s: [0, s * a / 100, s * a, 5 * s * (a + 5), 20 * s * (a + 5)]),
    "chi2": (lambda n, x: (n / 2 - 1) * mp.log(x / 2) - x / 2 - mp.loggamma(n / 2) - mp.log(2), lambda n, x: gamma_tails(n / 2, x / 2),
             lambda n: [0, n / 100, n, 5 * (n + 10), 20 * (n + 10)]),
    "beta": (lambda a, b, x: (a - 1) * mp.log(x) + (b - 1) * mp.log1p(-x) - mp.log(mp.beta(a, b)), beta_tails, lambda a, b: [0, a / (a + b) / 10, a / (a + b), 1]),
    "von_mises": (lambda k, m, x: k * (mp.cos(x - m) - 1) - mp.log(2 * mp.pi * mp.besseli(0, k)) + k, lambda k, m, x: von_mises_tails(k, x - m), None),
    "truncated_normal": (
        lambda m, s, a, b, x: -((x - m) / s) ** 2 / 2 - mp.log(s) - mp.log(2 * mp.pi) / 2 - mp.log(phi((a - m) / s) - phi((b - m) / s)),
        lambda m, s, a, b, x: truncated_tails((a - m) / s, (b - m) / s, (x - m) / s), lambda m, s, a, b: [max(a, m - 40 * s), min(b, m + 40 * s)]),
}
POINTS = {
    "normal": [((0.3, 1.7), (-80.0, -9.0, -1.0, 0.3, 2.5, 14.0, 90.0))],
    "laplace": [((0.3, 1.7), (-2000.0, -1.0, 0.3, 2.5, 70.0, 3000.0))],
    "logistic": [((0.3, 1.7), (-2000.0, -30.0, -1.0, 0.3, 2.5, 70.0, 3000.0))],
    "gumbel": [((0.3, 1.7), (-11.0, -1.0, 0.3, 2.5, 70.0, 3000.0))],
    "student_t": [((3.0, 0.3, 1.7), (-1e9, -2.0, 0.3, 1.0, 40.0)), ((0.6, 0.0, 1.0), (-3.0, 1e5)), ((1e6, 0.0, 1.0), (-8.0, 1.3, 30.0)), ((1e12, 0.0, 1.0), (-8.0, 1.3))],
    "uniform": [((-1.5, 2.5), (-1.2, 0.3, 2.4999))],
    "exponential": [((1.7,), (1e-20, 0.4, 3.0, 2000.0))],
    "gamma": [((2.3, 0.7), (1e-30, 0.4, 1.5, 9.0, 900.0)), ((0.05, 2.0), (1e-20, 0.1, 30.0)), ((4000.0, 0.5), (900.0, 1900.0, 2000.0, 2200.0))],
    "chi2": [((5.0,), (1e-9, 0.4, 4.0, 40.0, 2000.0))],
    "beta": [((2.3, 0.7), (1e-30, 0.3, 0.9, 0.999)), ((300.0, 500.0), (0.1, 0.37, 0.5, 0.9)), ((0.2, 0.3), (1e-9, 0.4))],
    "von_mises": [((0.01, 0.5), (-2.0, 0.5, 3.0)), ((2.5, 0.5), (-2.5, 0.4, 0.5, 1.5, 3.6, 9.0)), ((60.0, 0.0), (-3.0, -0.3, 0.01, 1.0)), ((1e5, 0.0), (-0.1, 0.001, 0.02))],
    "truncated_normal": [((0.3, 1.7, -1.0, 2.0), (-0.9, 0.5, 1.99)), ((0.0, 1.0, 8.0, 12.0), (8.001, 8.3, 11.0)), ((0.0, 1.0, -3.0, -2.9), (-2.95,))],
}
MOMENTS = {
    "normal": [(0.3, 1.7)], "laplace": [(0.3, 1.7)], "logistic": [(0.3, 1.7)], "gumbel": [(0.3, 1.7)], "student_t": [(7.0, 0.3, 1.7)], "uniform": [(-1.5, 2.5)],
    "exponential": [(1.7,)], "gamma": [(2.3, 0.7), (400.0, 2.0)], "chi2": [(5.0,)], "beta": [(2.3, 1.7), (30.0, 50.0)], "truncated_normal": [(0.3, 1.7, -1.0, 2.0), (0.0, 1.0, 4.0, 6.0)],
}


def show(x):
    return mp.nstr(x, 20)


for name, cases in POINTS.items():
    density, tails, _ = DENSITIES[name]
    for parameters, xs in cases:
        p = [mpf(v) for v in parameters]
        for x in xs:
            f = density(*p, mpf(x))
            # 1 - F of 60 digits is no measure of a tail of 1e-300: each tail is computed as such
            with mp.workdps(60):
                low, high = tails(*p, mpf(x))
            ln_low = mp.log1p(-high) if high < 0.5 else ln(low)
            ln_high = mp.log1p(-low) if low < 0.5 else ln(high)
            print("\t".join([name, "point", " ".join(map(repr, parameters)), repr(x), *map(show, (f, low, high, ln_low, ln_high))]), flush=True)
mp.dps = 25
for name, cases in MOMENTS.items():
    density, _, support = DENSITIES[name]
    for parameters in cases:
        p = [mpf(v) for v in parameters]
        ends = support(*p)
        integral = lambda g: mp.quad(lambda x: mp.exp(density(*p, x)) * g(x) if abs(x) < inf else mpf(0), ends, maxdegree=9)
        mean = integral(lambda x: x)
        variance = integral(lambda x: (x - mean) ** 2)
        entropy = integral(lambda x: -density(*p, x))
        print("\t".join([name, "moments", " ".join(map(repr, parameters)), *map(show, (mean, variance, entropy))]), flush=True)
for kappa, loc in ((0.01, 0.5), (2.5, 0.5), (60.0, 0.0), (1e5, 0.0)):
    k = mpf(kappa)
    ratio = mp.besseli(1, k) / mp.besseli(0, k)
    print("\t".join(["von_mises", "moments", f"{kappa!r} {loc!r}", repr(loc), show(1 - ratio), show(mp.log(2 * mp.pi * mp.besseli(0, k)) - k * ratio)]))
mp.dps = 40
for rate, ks in ((0.3, (0, 1, 4, 60)), (20.0, (0, 15, 20, 30, 200)), (1e6, (990000, 1000000, 1001234)), (1e12, (1000000000000, 1000001000000))):
    m = mpf(rate)
    for k in ks:
        f = k * mp.log(m) - m - mp.loggamma(k + 1)
        if rate < 1e3:
            high, low = mp.gammainc(k + 1, 0, m, regularized=True), mp.gammainc(k + 1, m, regularized=True)
            print("\t".join(["poisson", "point", repr(rate), repr(float(k)), *map(show, (f, low, high, mp.log1p(-high) if high < 0.5 else ln(low), mp.log1p(-low) if low < 0.5 else ln(high)))]))
        else:
            print("\t".join(["poisson", "pmf", repr(rate), repr(float(k)), show(f)]))
for rate in (0.3, 20.0, 400.0, 3000.0):
    m = mpf(rate)
    width = int(rate + 40 * rate**0.5 + 60)
    terms = [(k * mp.log(m) - m - mp.loggamma(k + 1)) for k in range(width)]
    print("\t".join(["poisson", "moments", repr(rate), repr(rate), repr(rate), show(-sum(mp.exp(t) * t for t in terms))]))
