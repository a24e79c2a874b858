"""Writes special_derivatives.tsv: reference values, with mpmath, of the functions that serve the derivatives and the distributions' tails.

Columns as in special_functions.py. Derivatives in parameters are differences of values of 120 digits.
Run: python3 special_derivatives.py > special_derivatives.tsv
"""
import math
import random

from mpmath import mp, mpf

rng = random.Random(7)
mp.dps = 50


def log(lo, hi, n):
    return [math.exp(rng.uniform(math.log(lo), math.log(hi))) for _ in range(n)]


def flat(lo, hi, n):
    return [rng.uniform(lo, hi) for _ in range(n)]


def short(x):
    return float(f"{x:.5g}")


def emit(name, f, points, scale=None):
    for p in points:
        p = tuple(short(x) for x in (p if isinstance(p, tuple) else (p,)))
        value = f(*(mpf(x) for x in p))
        columns = [name, " ".join(repr(x) for x in p), mp.nstr(value, 20)]
        if scale is not None:
            columns.append(mp.nstr(max(abs(value), abs(scale(*(mpf(x) for x in p)))), 5))
        print("\t".join(columns), flush=True)


def lower_tail(a, x):
    """gamma(a, x) / (x^a e^-x): the series of positive terms."""
    total, term, n = mpf(0), 1 / a, 0
    while abs(term) > mp.eps * abs(total):
        total += term
        n += 1
        term *= x / (a + n)
    return total


def ln_density(a, x):
    return (a - 1) * mp.log(x) - x - mp.loggamma(a)


def ln_lower(a, x):
    if x < a + 20:
        return ln_density(a, x) + mp.log(x * lower_tail(a, x))
    return mp.log1p(-mp.exp(ln_upper(a, x)))


def ln_upper(a, x):
    if x < a + 20:
        return mp.log1p(-mp.exp(ln_lower(a, x)))
    with mp.workdps(mp.dps + 20):
        return mp.log(mp.gammainc(a, x)) - mp.loggamma(a)


def second(f, p, i, j, digits=160):
    """d2 f/dp_i dp_j."""
    with mp.workdps(digits):
        h = mpf(10) ** -40

        def at(si, sj):
            q = list(p)
            q[i] += si * h
            q[j] += sj * h
            return f(*q)

        if i == j:
            q = [list(p), list(p)]
            q[0][i] += h
            q[1][i] -= h
            return (f(*q[0]) - 2 * f(*p) + f(*q[1])) / h**2
        return (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / (4 * h * h)


def first(f, p, i, digits=120):
    with mp.workdps(digits):
        h = mpf(10) ** -40
        up, down = list(p), list(p)
        up[i] += h
        down[i] -= h
        return (f(*up) - f(*down)) / (2 * h)


def incomplete_relative(a, x, order):
    """P_a/p or P_aa/p from whichever of P and Q is small."""
    with mp.workdps(160):
        p = mp.exp(ln_density(a, x))
        sign, f = (1, lambda a, x: mp.exp(ln_lower(a, x))) if x < a else (-1, lambda a, x: mp.exp(ln_upper(a, x)))
        return sign * (first(f, (a, x), 0, 160) if order == 1 else second(f, (a, x), 0, 0)) / p


general = list(zip(flat(0.05, 30, 14), flat(0.01, 60, 14))) + list(zip(log(1e-2, 1e3, 10), log(1e-2, 1e3, 10)))
near = [(a, a * (1 + rng.gauss(0, 2) / math.sqrt(a))) for a in log(26, 1e4, 12)] + [(40.0, 40.0), (40.0, 40.001)]
points = general + near
tails = [(5.0, 1e-80), (300.0, 3.0), (3.0, 2000.0), (100.0, 5000.0), (1000.0, 100.0)]
emit("ln_gammainc", ln_lower, points + tails)
emit("ln_gammaincc", ln_upper, points + tails[2:4])
emit("ln_gamma_density", ln_density, points + tails + [(1e10, 1e10), (1e6, 1.001e6)], lambda a, x: mpf(1))
emit("gamma_density", lambda a, x: mp.exp(ln_density(a, x)), points)
emit("gammainc_da_relative", lambda a, x: incomplete_relative(a, x, 1), points + tails)
emit("gammainc_daa_relative", lambda a, x: incomplete_relative(a, x, 2), points + tails, lambda a, x: incomplete_relative(a, x, 1) ** 2 / x)


def ln_beta_density(a, b, x):
    return (a - 1) * mp.log(x) + (b - 1) * mp.log1p(-x) - mp.loggamma(a) - mp.loggamma(b) + mp.loggamma(a + b)


def beta_ratio(a, b, x):
    """I_x(a, b)/(x^a (1-x)^b/(a B)) = 2F1(a+b, 1; a+1; x)."""
    total, term, n = mpf(0), mpf(1), 0
    while abs(term) > mp.eps * abs(total):
        total += term
        term *= (a + b + n) / (a + 1 + n) * x
        n += 1
    return total


def ln_beta_lower(a, b, x):
    if x <= a / (a + b) or (a < 1 and x < 0.1):
        return ln_beta_density(a, b, x) + mp.log(x * (1 - x) / a * beta_ratio(a, b, x))
    return mp.log1p(-mp.exp(ln_beta_density(a, b, x) + mp.log(x * (1 - x) / b * beta_ratio(b, a, 1 - x))))


def ln_beta_upper(a, b, x):
    return ln_beta_lower(b, a, 1 - x)


def beta_relative(a, b, x, which):
    with mp.workdps(160):
        p = mp.exp(ln_beta_density(a, b, x))
        sign, f = (1, lambda a, b, x: mp.exp(ln_beta_lower(a, b, x))) if x < a / (a + b) else (-1, lambda a, b, x: mp.exp(ln_beta_upper(a, b, x)))
        if which < 2:
            return sign * first(f, (a, b, x), which, 160) / p
        return sign * second(f, (a, b, x), *((0, 0), (0, 1), (1, 1))[which - 2]) / p


general = list(zip(flat(0.1, 30, 10), flat(0.1, 30, 10), flat(0, 1, 10))) + list(zip(log(1e-2, 1e3, 10), log(1e-2, 1e3, 10), flat(0.02, 0.98, 10)))
middle = [(a, b, min(max(a / (a + b) + rng.gauss(0, 2) * math.sqrt(a * b / (a + b) ** 3), 1e-3), 0.99)) for a, b in zip(log(1, 3e3, 8), log(1, 3e3, 8))]
points = general + middle
tails = [(50.0, 3.0, 1e-9), (500.0, 800.0, 0.02), (3.0, 900.0, 0.7)]
emit("betaincc", lambda a, b, x: mp.exp(ln_beta_upper(a, b, x)), general[:10])
emit("ln_betainc", ln_beta_lower, points + tails[:2])
emit("ln_betaincc", ln_beta_upper, points + tails[2:])
emit("beta_density", lambda a, b, x: mp.exp(ln_beta_density(a, b, x)), points)
emit("ln_beta_density", ln_beta_density, points + tails, lambda a, b, x: mpf(1))
for which, name in enumerate(("a", "b", "aa", "ab", "bb")):
    scale = None if which < 2 else (lambda a, b, x, w=which: beta_relative(a, b, x, (0, 0, 1)[w - 2]) * beta_relative(a, b, x, (0, 1, 1)[w - 2]) / (x * (1 - x)))
    emit(f"betainc_relative.{name}", lambda a, b, x: beta_relative(a, b, x, which), points[::2] + tails, scale)


def ln_student(nu, t):
    if t < 0:
        return mp.log1p(-mp.exp(ln_student(nu, -t)))
    x, y = nu / (nu + t * t), t * t / (nu + t * t)
    a, b = nu / 2, mpf(1) / 2
    ln_norm = mp.loggamma(a + b) - mp.loggamma(a) - mp.loggamma(b) + a * mp.log(x) + b * mp.log(y)
    if x < 0.9:
        return ln_norm + mp.log(beta_ratio(a, b, x) / a) - mp.log(2)
    return mp.log((1 - mp.exp(ln_norm) * beta_ratio(b, a, y) / b) / 2)


def student_density(nu, t):
    return mp.exp(mp.loggamma((nu + 1) / 2) - mp.loggamma(nu / 2) - mp.log(nu * mp.pi) / 2 - (nu + 1) / 2 * mp.log1p(t * t / nu))


student = lambda nu, t: mp.exp(ln_student(nu, t))
points = list(zip(log(0.3, 1e3, 14), flat(-6, 8, 14))) + list(zip(log(1e4, 1e12, 6), flat(-3, 6, 6))) + [(1.0, 1e200), (3.0, 1e60), (2.5, 1e-5)]
mp.dps = 120
emit("student_t_sf", student, points)
emit("ln_student_t_sf", ln_student, points + [(30.0, 1e20), (500.0, 3e4)])
modest = [p for p in points if p[0] < 1e4 and p[1] < 1e100]
emit("student_t_relative.1", lambda nu, t: first(student, (nu, t), 0) / student_density(nu, t), modest)
emit("student_t_relative.2", lambda nu, t: second(student, (nu, t), 0, 0) / student_density(nu, t), modest, lambda nu, t: abs(t) / nu**2)
mp.dps = 40


def von_mises(k, kappa, theta):
    f = lambda t: (mp.cos(t) - 1) ** int(k) * mp.exp(kappa * (mp.cos(t) - mp.cos(theta)))
    width = 1 / (kappa * mp.sin(theta) + mp.sqrt(kappa) + 1)
    ends = [theta]
    while ends[-1] < mp.pi and len(ends) < 200:
        ends.append(min(mp.pi, ends[-1] + 4 * width))
    return mp.quad(f, ends)


points = [(k, kappa, theta) for k in (0, 1, 2) for kappa, theta in zip([1e-3, 0.4, 3.0, 40.0, 700.0, 5e4, 1e7], [0.0, 2.0, 3.1, 0.5, 1.5, 0.01, 1e-4])]
emit("von_mises_integral", von_mises, points)


def poisson_mean(n, mu):
    total, k, p = mpf(0), 0, mp.exp(-mu)
    while k < mu or p > mpf(10) ** -45:
        total += p * sum((-1) ** (int(n) - j) * mp.binomial(int(n), j) * mp.loggamma(k + 1 + j) for j in range(int(n) + 1))
        k += 1
        p *= mu / k
    return total


emit("poisson_mean_ln_factorial", poisson_mean, [(n, mu) for n in (0, 1, 2, 3) for mu in (1e-3, 0.7, 5.0, 90.0, 900.0)])


def repeated(n, x):
    """e^{x^2} i^n erfc(x) = 2/sqrt(pi) int_0^inf t^n/n! e^{-t^2 - 2xt} dt."""
    return 2 / mp.sqrt(mp.pi) * mp.quad(lambda t: t ** int(n) / mp.factorial(int(n)) * mp.exp(-t * t - 2 * x * t), [0, 0.05, 0.3, 1, 2, 4, 8, 16])


emit("erfcx_integral", repeated, [(n, x) for n in (0, 1, 2, 3) for x in (-3.0, -0.2, 0.0, 0.7, 1.0, 1.3, 4.0, 20.0)])
emit("i0e_minus_i1e", lambda x: (mp.besseli(0, x) - mp.besseli(1, x)) * mp.exp(-x), [0.0, 0.3, 4.0, 29.0, 31.0, 300.0, 1e5])
emit("digamma_increase", lambda a, b: mp.psi(0, a + b) - mp.psi(0, a), list(zip(log(1e-3, 1e12, 12), log(1e-3, 1e12, 12))) + [(-3.3, 1.2)])
emit("legendre_p_derivative", lambda n, k, x: mp.diff(lambda t: mp.legendre(int(n), t), x, int(k)),
     [(n, k, x) for n, k in ((3, 1), (7, 2), (20, 1), (20, 3)) for x in (-0.9, 0.05, 0.4)], lambda n, k, x: mpf(n) ** int(k))
