"""Writes special_functions.tsv: reference values of the special functions with mpmath at 60 digits and more.

Columns: function, arguments (exact doubles), value, and, where the function oscillates or cancels, the scale that errors are relative to.
Run: python3 special_functions.py > special_functions.tsv
"""
import math
import random

from mpmath import mp, mpf

mp.dps = 60
rng = random.Random(20)


def log(lo, hi, n):
    return [math.exp(rng.uniform(math.log(lo), math.log(hi))) for _ in range(n)]


def flat(lo, hi, n):
    return [rng.uniform(lo, hi) for _ in range(n)]


def short(x):
    """A double with few digits, to keep the table readable."""
    return float(f"{x:.5g}")


def emit(name, f, points, scale=None):
    for p in points:
        p = tuple(short(x) for x in (p if isinstance(p, tuple) else (p,)))
        with mp.workdps(90):
            value = f(*(mpf(x) for x in p))
            columns = [name, " ".join(repr(x) for x in p), mp.nstr(value, 20)]
            if scale is not None:
                columns.append(mp.nstr(max(abs(value), abs(scale(*(mpf(x) for x in p)))), 5))
        print("\t".join(columns))


def derivative(f, index):
    def g(*p):
        with mp.workdps(400):
            h = abs(p[index]) * mpf(10) ** -60
            up, down = list(p), list(p)
            up[index] += h
            down[index] -= h
            return (f(*up) - f(*down)) / (2 * h)

    return g


def upper(a, x):
    return mp.gammainc(a, x, mp.inf, regularized=True)


def lower(a, x):
    return mp.gammainc(a, 0, x, regularized=True)


def betainc(a, b, x):
    factor = x**a * (1 - x) ** b / mp.beta(a, b)
    if x <= (a + 1) / (a + b + 2):
        return factor / a * mp.hyp2f1(a + b, 1, a + 1, x, maxterms=10**6)
    return 1 - factor / b * mp.hyp2f1(a + b, 1, b + 1, 1 - x, maxterms=10**6)


def hurwitz(s, q):
    """Euler-Maclaurin far out: mpmath's own loses digits at large s and q."""
    n = 60 + 2 * int(s)
    total = sum((q + k) ** -s for k in range(n))
    w = q + n
    total += w ** (1 - s) / (s - 1) + w**-s / 2
    factor = s * w ** (-s - 1)
    for j in range(1, 25):
        total += mp.bernoulli(2 * j) / mp.factorial(2 * j) * factor
        factor *= (s + 2 * j - 1) * (s + 2 * j) / w**2
    return total


def newton(f, slope, start):
    x = mpf(start)
    for _ in range(60):
        step = f(x) / slope(x)
        x -= step
        if abs(step) < mpf(10) ** -70 * abs(x):
            return x
    raise ArithmeticError


def erfcinv(p):
    start = mp.erfinv(1 - p) if p > mpf(10) ** -15 else mp.sqrt(-mp.log(p * mp.sqrt(-mp.log(p) * mp.pi)))
    return newton(lambda x: mp.log(mp.erfc(x) / p), lambda x: -2 / mp.sqrt(mp.pi) * mp.exp(-x * x) / mp.erfc(x), start)


def ndtri(p):
    return -mp.sqrt(2) * erfcinv(2 * p)


def assoc_legendre(n, m, x):
    n, m = int(n), int(m)
    k = abs(m)
    v = (-1) ** k * mp.sqrt(1 - x * x) ** k * mp.factorial(n + k) / (2**k * mp.factorial(k) * mp.factorial(n - k))
    v *= mp.hyp2f1(k - n, n + k + 1, k + 1, (1 - x) / 2)
    return v if m >= 0 else v * (-1) ** k * mp.factorial(n - k) / mp.factorial(n + k)


def harmonic(n, m, theta, phi):
    n, m = int(n), int(m)
    norm = mp.sqrt((2 * n + 1) / (4 * mp.pi) * mp.factorial(n - m) / mp.factorial(n + m))
    return norm * assoc_legendre(n, m, mp.cos(theta)) * mp.expj(m * phi)


def amplitude(n, x):
    return mp.sqrt(2 / (mp.pi * x)) if x > n else 0


whole = flat(-20, 171, 20) + log(1e-300, 1, 10) + flat(0, 3, 15)
emit("gamma", mp.gamma, whole + flat(-170, -100, 5))
emit("gammaln", lambda x: mp.log(abs(mp.gamma(x))) if abs(x) < 1e5 else mp.re(mp.loggamma(x)), whole + log(1, 1e300, 15))
emit("rgamma", mp.rgamma, whole + flat(-172, -160, 12) + flat(165, 178, 8))
emit("digamma", mp.digamma, whole + log(1, 1e15, 10))
for n in (1, 2, 3, 7, 30, 120, 300):
    points = [(n, x) for x in log(1e-1, 1e3, 8)]
    emit("polygamma", lambda n, x: (-1) ** (int(n) + 1) * mp.factorial(n) * hurwitz(n + 1, x), points)
emit("polygamma", lambda n, x: mp.psi(int(n), x), [(n, x) for n in (1, 2, 3) for x in flat(-50, 0, 4)])
emit("zeta", hurwitz, list(zip(log(1.001, 100, 20), log(1e-2, 1e3, 20))) + [(1 + s, q) for s, q in zip(log(1e-4, 1, 8), log(1e-2, 1e8, 8))])
emit("multigammaln", lambda a, d: d * (d - 1) * mp.log(mp.pi) / 4 + sum(mp.loggamma(a - mpf(j) / 2) for j in range(int(d))),
     [(a + 3, d) for a in flat(0, 50, 4) for d in (1, 2, 5, 7)])

pairs = list(zip(flat(0.01, 30, 10), flat(0.01, 30, 10))) + list(zip(log(1e-3, 1e8, 10), log(1e-3, 1e8, 10))) + list(zip(log(1e-12, 1e15, 10), log(1e-12, 1e15, 10)))
negative = list(zip(flat(-30, 30, 10), flat(-30, 30, 10)))
with_sign = lambda a, b: mp.gammaprod([a, b], [a + b])
emit("beta", with_sign, [(a, b) for a, b in pairs if a + b < 1e4] + negative)
emit("betaln", lambda a, b: mp.log(abs(with_sign(a, b))) if max(a, b) < 1e4 else mp.re(mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)), pairs + negative)

general = list(zip(flat(0.01, 30, 25), flat(0, 30, 25))) + list(zip(log(1e-3, 1e3, 25), log(1e-3, 1e3, 25))) + list(zip(log(1e-10, 2, 10), log(1e-5, 2, 10)))
near = [(a, a * (1 + 2 * rng.gauss(0, 1) / math.sqrt(a))) for a in log(4, 1e5, 25)] + [(a, a * rng.uniform(0.71, 1.29)) for a in log(25, 100, 10)]
near = [(a, x) for a, x in near if x > 0]
tiny = lambda v: v != 0 and abs(v) < mpf(10) ** -290
keep = lambda f, points: [p for p in points if not tiny(f(*(mpf(short(x)) for x in p)))]
emit("gammainc", lower, keep(lower, general + near))
emit("gammaincc", upper, keep(upper, general + near))
d_lower, d_upper = derivative(lower, 0), derivative(upper, 0)
da = lambda a, x: -d_upper(a, x) if x > a else d_lower(a, x)
emit("gammainc_da", da, keep(da, general[::2] + near[::2]))

general = list(zip(flat(0.1, 30, 25), flat(0.1, 30, 25), flat(0, 1, 25))) + list(zip(log(1e-3, 1e3, 20), log(1e-3, 1e3, 20), flat(0, 1, 20)))
middle = [(a, b, min(max(a / (a + b) + 2 * rng.gauss(0, 1) * math.sqrt(a * b / (a + b) ** 3), 1e-9), 0.99999)) for a, b in zip(log(1, 1e5, 20), log(1, 1e5, 20))]
corner = list(zip(log(1e-10, 2, 15), log(1e-10, 30, 15), [rng.choice([t, 1 - t]) for t in log(1e-4, 0.5, 15)]))
emit("betainc", betainc, keep(betainc, general + middle + corner))
for name, index in (("betainc_da", 0), ("betainc_db", 1)):
    d = derivative(betainc, index)
    emit(name, d, keep(d, general[::2] + middle[::2] + corner[::2]))

emit("erf", mp.erf, flat(-6, 6, 15) + log(1e-300, 1, 5))
emit("erfc", mp.erfc, flat(-6, 26, 20))
emit("erfcx", lambda x: mp.exp(x * x) * mp.erfc(x), flat(-26, 26, 15) + log(1, 30, 5))
emit("erfinv", lambda x: -erfcinv(1 + x) if x < 0 else erfcinv(1 - x), flat(-1, 1, 15))
emit("erfcinv", erfcinv, flat(0, 2, 10) + log(1e-300, 1, 20))
emit("ndtr", lambda x: mp.erfc(-x / mp.sqrt(2)) / 2, flat(-37, 8, 20) + flat(-3, 3, 10))
emit("log_ndtr", lambda x: mp.log1p(-mp.erfc(x / mp.sqrt(2)) / 2) if x > 0 else mp.log(mp.erfc(-x / mp.sqrt(2)) / 2), flat(-37, 37, 20) + flat(-3, 3, 10) + [-100, -1000])
emit("ndtri", ndtri, flat(0, 1, 12) + log(1e-300, 0.1, 10))
emit("logit", lambda p: mp.log(p / (1 - p)), flat(0, 1, 15) + log(1e-300, 0.1, 5) + [0.5001, 0.49999])
emit("expit", lambda x: 1 / (1 + mp.exp(-x)), flat(-40, 40, 15) + flat(-700, 0, 5))
emit("entr", lambda x: -x * mp.log(x), log(1e-300, 1e10, 8))

axis = flat(0, 40, 15) + log(1e-20, 1, 5) + log(1, 1e6, 10)
for name, f in (("j0", lambda x: mp.besselj(0, x)), ("j1", lambda x: mp.besselj(1, x)), ("y0", lambda x: mp.bessely(0, x)), ("y1", lambda x: mp.bessely(1, x))):
    emit(name, f, axis)
axis = flat(0, 40, 12) + log(1e-20, 1, 5) + log(1, 700, 10)
for name, f in (("i0", lambda x: mp.besseli(0, x)), ("i1", lambda x: mp.besseli(1, x)), ("k0", lambda x: mp.besselk(0, x)), ("k1", lambda x: mp.besselk(1, x))):
    emit(name, f, axis + ([720.0, 740.0] if name[0] == "k" else []))
for order in (0, 1):
    emit(f"i{order}e", lambda x: mp.besseli(order, x) * mp.exp(-x), axis)
orders = [(rng.randint(-30, 30), x) for x in flat(0, 60, 12) + log(1e-3, 1e4, 12)] + [(rng.randint(30, 300), x) for x in log(100, 1e4, 6)]
in_range = lambda f: [p for p in orders if mpf(10) ** -300 < abs(f(int(p[0]), mpf(p[1]))) < mpf(10) ** 300]
emit("jn", lambda n, x: mp.besselj(int(n), x), in_range(mp.besselj), amplitude)
emit("yn", lambda n, x: mp.bessely(int(n), x), in_range(mp.bessely), amplitude)
orders = list(zip(flat(0, 30, 20), flat(0, 60, 20))) + list(zip(log(1e-3, 1e3, 20), log(1e-3, 700, 20)))
in_range = lambda f: [p for p in orders if mpf(10) ** -300 < abs(f(mpf(p[0]), mpf(p[1]))) < mpf(10) ** 300]
emit("iv", mp.besseli, in_range(mp.besseli))
emit("ive", lambda v, x: mp.besseli(v, x) * mp.exp(-x), in_range(lambda v, x: mp.besseli(v, x) * mp.exp(-x)))
emit("kv", mp.besselk, in_range(mp.besselk))
emit("iv", mp.besseli, list(zip(flat(-20, 0, 10), flat(0, 60, 10))), lambda v, x: mp.besseli(-v, x) + abs(2 / mp.pi * mp.sinpi(v) * mp.besselk(-v, x)))

emit("legendre_p", lambda n, x: mp.legendre(int(n), x), [(rng.randint(0, 60), x) for x in flat(-1, 1, 15) + flat(-3, 3, 5)], lambda n, x: 1 / mp.sqrt(n + 1))
degrees = [(n, rng.randint(-n, n)) for n in [rng.randint(0, 40) for _ in range(15)]]
emit("assoc_legendre_p", assoc_legendre, [(n, m, x) for (n, m), x in zip(degrees, flat(-1, 1, 15))],
     lambda n, m, x: mp.sqrt(mp.factorial(n + m) / mp.factorial(n - m) * 2 / (2 * n + 1)) / 10)
angles = [(n, m, t, p) for (n, m), t, p in zip(degrees, flat(0, 3.14, 15), flat(-3, 3, 15))]
emit("sph_harm_y.re", lambda *p: mp.re(harmonic(*p)), angles, lambda *_: mpf("0.1"))
emit("sph_harm_y.im", lambda *p: mp.im(harmonic(*p)), angles, lambda *_: mpf("0.1"))
emit("eval_hermite", lambda n, x: mp.hermite(int(n), x), [(rng.randint(0, 60), x) for x in flat(-8, 8, 15)],
     lambda n, x: mp.exp(x * x / 2) * mp.sqrt(2**n * mp.factorial(n)) / 10)
