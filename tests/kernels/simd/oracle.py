"""Writes oracle.txt: exact values of the elementary functions at fixed arguments (pip install mpmath).

A line holds the function, the bits of x (and y), the bits of the value rounded to f64, and what is left of it in units in the last place.
"""
import random
import struct
from mpmath import mp, mpf

mp.dps = 80
random.seed(7)
TINY = [5e-324, 1e-310, 2.3e-308, 1e-200, 1e-20, 1e-9, 3e-8, 1e-5]


def uniform(low, high, n):
    return [random.uniform(low, high) for _ in range(n)]


def logarithmic(low, high, n):
    return [low * (high / low) ** random.random() if high / low < 1e300 else 10 ** random.uniform(float(mp.log10(low)), float(mp.log10(high))) for _ in range(n)]


def signed(xs):
    return [x if i % 2 else -x for i, x in enumerate(xs)]


def near(value, n):
    """Floating point numbers around a value."""
    bits = struct.unpack("<q", struct.pack("<d", float(value)))[0]
    return [struct.unpack("<d", struct.pack("<q", bits + random.choice([0, 1, -1, 2, -3, 5, 100, -1000])))[0] for _ in range(n)]


ANGLES = signed(TINY) + uniform(-7, 7, 20) + signed(logarithmic(1, 1e9, 12)) + signed(logarithmic(1e10, 1e300, 6))
ANGLES += [x for k in (1, 2, 3, 4, 5, 10, 1000, 710, 103993, 10**6, 2**29) for x in near(k * mp.pi / 2, 2)]
# the double closest to a multiple of pi/2 (J.-M. Muller, Elementary Functions, section 11.2)
ANGLES += [6381956970095103.0 * 2.0**797, 22.0, 355.0]
UNIT = signed(TINY) + uniform(-1, 1, 24) + near(0.5, 3) + [1.0, -1.0, 1 - 2.0**-53, -1 + 2.0**-30]
AROUND_ONE = [1 + s * 2.0**-k for k in (52, 40, 30, 20, 10, 5, 3, 2) for s in (1, -1)] + near(mp.sqrt(2), 3) + near(mp.sqrt(0.5), 3)
POSITIVE = [5e-324, 1e-310, 2.3e-308, 1.7e308, 1.0, 2.0, 8.0, 10.0, 1000.0] + logarithmic(1e-300, 1e300, 12) + logarithmic(0.1, 10, 20) + AROUND_ONE
EXPONENTS = signed(TINY) + uniform(-2, 2, 20) + uniform(-745, 709.7, 12) + [709.78, -708.3, -709.5, -744.0, 0.34657359, -0.34657359]
HYPERBOLIC = signed(TINY) + uniform(-2, 2, 24) + uniform(-40, 40, 10)

UNARY = {
    "Exp": (mp.exp, EXPONENTS),
    "Exp2": (lambda x: mpf(2) ** x, uniform(-2, 2, 20) + uniform(-1074, 1023.9, 16) + [3.0, -1060.0, 1023.0]),
    "Expm1": (mp.expm1, EXPONENTS + uniform(-45, 3, 10)),
    "Log": (mp.log, POSITIVE),
    "Log2": (lambda x: mp.log(x) / mp.log(2), POSITIVE),
    "Log10": (lambda x: mp.log(x) / mp.log(10), POSITIVE),
    "Log1p": (mp.log1p, signed(TINY) + uniform(-1, 1, 24) + logarithmic(1, 1e300, 10) + [-1 + 2.0**-53, 1.7e308]),
    "Sqrt": (mp.sqrt, POSITIVE),
    "Cbrt": (lambda x: mp.sign(x) * mp.cbrt(abs(x)), signed(POSITIVE)),
    "Sin": (mp.sin, ANGLES),
    "Cos": (mp.cos, ANGLES),
    "Tan": (mp.tan, ANGLES),
    "Asin": (mp.asin, UNIT),
    "Acos": (mp.acos, UNIT),
    "Atan": (mp.atan, signed(TINY) + uniform(-5, 5, 24) + signed(logarithmic(1, 1e300, 8))),
    "Sinh": (mp.sinh, HYPERBOLIC + [700.0, -710.4, 0.36322442]),
    "Cosh": (mp.cosh, HYPERBOLIC + [700.0, -710.4]),
    "Tanh": (mp.tanh, HYPERBOLIC + [0.2417732870578031, 0.17998104850249, 19.0]),
    "Asinh": (mp.asinh, HYPERBOLIC + signed(logarithmic(1, 1e300, 8))),
    "Acosh": (mp.acosh, [1.0, 1 + 2.0**-52, 1 + 2.0**-30, 1.00003, 1.001] + uniform(1, 5, 16) + logarithmic(1, 1e300, 8)),
    "Atanh": (mp.atanh, [x for x in UNIT if abs(x) != 1]),
    "Sigmoid": (lambda x: 1 / (1 + mp.exp(-x)), HYPERBOLIC + [-700.0, -720.0, 800.0]),
    "Softplus": (lambda x: mp.log1p(mp.exp(x)), HYPERBOLIC + [-700.0, -720.0, 800.0]),
    "Erf": (mp.erf, signed(TINY) + uniform(-1.1, 1.1, 20) + uniform(-6, 6, 16)),
    "Erfc": (mp.erfc, signed(TINY) + uniform(-1.1, 1.1, 20) + uniform(-6, 6, 12) + uniform(6, 26.5, 8) + [27.0]),
}
BINARY = {
    "Pow": (
        lambda x, y: x**y,
        list(zip(logarithmic(1e-3, 1e3, 20), uniform(-100, 100, 20)))
        + list(zip(AROUND_ONE, uniform(-1000, 1000, 20)))
        + list(zip(logarithmic(1e-300, 1e300, 8), uniform(-1, 1, 8)))
        + [(-2.0, 3.0), (-3.0, 4.0), (-1.5, -7.0), (2.0, 0.5), (1e-310, 0.3), (0.9999999, 1e9), (2.0, -1073.0)],
    ),
    "Atan2": (mp.atan2, list(zip(uniform(-5, 5, 24), uniform(-5, 5, 24))) + list(zip(signed(logarithmic(1e-200, 1e200, 12)), logarithmic(1e-200, 1e200, 12)))),
    "Hypot": (mp.hypot, list(zip(uniform(-5, 5, 16), uniform(-5, 5, 16))) + [(3e300, 4e300), (3e-320, 4e-320), (1e308, 1e292), (3.0, -4.0)]),
}


def bits(x):
    return struct.unpack("<Q", struct.pack("<d", x))[0]


def value(y):
    rounded = float(y)
    if rounded in (float("inf"), 0.0) or rounded != rounded:
        return None
    exponent = mp.frexp(abs(mpf(y)))[1]
    ulp = max(mpf(2) ** (exponent - 53), mpf(2) ** -1074)
    return rounded, (mpf(y) - mpf(rounded)) / ulp


def main():
    with open("oracle.txt", "w") as out:
        for name, (f, xs) in UNARY.items():
            for x in xs:
                v = value(f(mpf(x)))
                if v:
                    out.write(f"{name} {bits(x):016x} {bits(v[0]):016x} {float(v[1]):.3f}\n")
        for name, (f, pairs) in BINARY.items():
            for x, y in pairs:
                v = value(f(mpf(x), mpf(y)))
                if v:
                    out.write(f"{name} {bits(x):016x} {bits(y):016x} {bits(v[0]):016x} {float(v[1]):.3f}\n")


if __name__ == "__main__":
    main()
