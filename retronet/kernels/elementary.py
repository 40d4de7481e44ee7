"""Exponential, logarithm, hyperbolic tangent and whole powers, the same on every processor.

Those of a C library come in several forms, and the processor decides which one runs; numpy's likewise. These
are sums and products of doubles in one order. :mod:`retronet.elementary` has them for whole arrays, with
the same bits.
"""

import math

import numpy as np

from retronet.kernels.jit import njit

LOG2_E, LN2_HIGH, LN2_LOW = 1.4426950408889634, 0.6931471803691238, 1.9082149292705877e-10
"""1/ln 2; ln 2 in two parts, the first one short enough that its product with an exponent is exact."""
FAR = 750.0
"""Beyond it e^x is infinite or 0."""
EXP = tuple(1.0 / math.factorial(n) for n in range(13, -1, -1))
"""e^x on |x| ≤ ½ ln 2: the power series; what is left out is below 5e-18."""
LOG = tuple(1.0 / (2 * n + 1) for n in range(11, -1, -1))
"""artanh(s)/s in s², on |s| ≤ 0.172; what is left out is below 2e-20."""
HALF_ROOT = 0.7071067811865476
TANH = tuple(float(2 * n + 1) for n in range(9, -1, -1))
"""Lambert's continued fraction of x/tanh(x) on |x| ≤ ½; what is left out is below 1e-20."""


@njit()
def exp(x: float) -> float:
    """Return e^x to two units in the last place."""
    if not abs(x) < FAR:
        return math.inf if x > 0 else 0.0 if x < 0 else x
    whole = np.rint(x * LOG2_E)
    rest = (x - whole * LN2_HIGH) - whole * LN2_LOW
    total = 0.0
    for coefficient in EXP:
        total = total * rest + coefficient
    return math.ldexp(total, int(whole))


@njit()
def log(x: float) -> float:
    """Return the natural logarithm of x to three units in the last place; −inf of 0, nan of less."""
    if not 0.0 < x < math.inf:
        return -math.inf if x == 0 else x if x > 0 else math.nan
    part, exponent = math.frexp(x)
    if part < HALF_ROOT:
        part, exponent = part * 2.0, exponent - 1
    s = (part - 1.0) / (part + 1.0)
    square, total = s * s, 0.0
    for coefficient in LOG:
        total = total * square + coefficient
    return exponent * LN2_HIGH + (2.0 * s * total + exponent * LN2_LOW)


@njit()
def tanh(x: float) -> float:
    """Return tanh x to a few units in the last place."""
    size = abs(x)
    if not size < 0.5:
        return math.copysign(1.0 - 2.0 / (exp(2.0 * size) + 1.0), x) if size >= 0.5 else x
    square, below = x * x, 2.0 * len(TANH) + 1.0
    for odd in TANH:
        below = odd + square / below
    return x / below


@njit()
def whole_power(base: float, exponent: int) -> float:
    """Return `base` to a whole power of 0 or more, by squaring."""
    total, factor = 1.0, base
    while exponent > 0:
        if exponent & 1:
            total *= factor
        factor *= factor
        exponent >>= 1
    return total
