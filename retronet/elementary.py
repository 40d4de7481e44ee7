"""Exponentials, logarithms and powers of arrays, the same on every processor.

numpy takes the processor's own instructions for these, and their last bits differ. Here they are sums and
products in one order: those of :mod:`retronet.kernels.elementary`, with the same bits, for what is not worth
compiling.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Doubles = NDArray[np.float64]

LOG2_E, LN2_HIGH, LN2_LOW = 1.4426950408889634, 0.6931471803691238, 1.9082149292705877e-10
"""1/ln 2; ln 2 in two parts, the first one short enough that its product with an exponent is exact."""
FAR = 750.0
"""Beyond it e^x is infinite or 0."""
TERMS = 14
"""Of e^x on ``|x| ≤ ½ ln 2``; what is left out is below 5e-18."""
LOG_TERMS = 12
"""Of artanh(s)/s in s², on ``|s| ≤ 0.172``; what is left out is below 2e-20."""
QUARTER_TERMS = 10
"""Of sine and cosine on ``|x| ≤ π/4``; what is left out is below 1e-19."""
HALF_ROOT = 0.7071067811865476


def _factorials(first: int, step: int, count: int) -> list[float]:
    numbers = np.cumprod([1, *range(1, first + step * count)], dtype=object)
    return [1.0 / int(numbers[first + step * n]) for n in range(count - 1, -1, -1)]


def exp(values: ArrayLike) -> Doubles:
    """Return e^x of each value, to two units in the last place."""
    x = np.asarray(values, np.float64)
    near = np.where(np.isnan(x), 0.0, np.clip(x, -FAR, FAR))
    whole = np.rint(near * LOG2_E)
    rest = (near - whole * LN2_HIGH) - whole * LN2_LOW
    total = np.zeros_like(rest)
    for coefficient in _factorials(0, 1, TERMS):
        total = total * rest + coefficient
    with np.errstate(over="ignore", under="ignore"):
        powers = np.ldexp(total, whole.astype(np.int64))
    return np.where(np.isnan(x), x, powers)


def log(values: ArrayLike) -> Doubles:
    """Return the natural logarithm of each value, to three units in the last place; −inf of 0, nan below."""
    x = np.asarray(values, np.float64)
    regular = (x > 0) & (x < np.inf)
    part, exponent = np.frexp(np.where(regular, x, 1.0))
    low = part < HALF_ROOT
    part, power = np.where(low, part * 2.0, part), (exponent - low).astype(np.float64)
    s = (part - 1.0) / (part + 1.0)
    square, total = s * s, np.zeros_like(s)
    for n in range(LOG_TERMS - 1, -1, -1):
        total = total * square + 1.0 / (2 * n + 1)
    logarithms = power * LN2_HIGH + (2.0 * s * total + power * LN2_LOW)
    return np.where(regular, logarithms, np.where(x == 0, -np.inf, np.where(x > 0, x, np.nan)))


def decibels_of_ratio(ratio: float) -> float:
    """Return 10 log₁₀ of a ratio of powers."""
    return 10.0 * float(log(ratio)) / 2.302585092994046


def powers(base: float, exponents: ArrayLike) -> Doubles:
    """Return a positive `base` to real powers."""
    return exp(np.asarray(exponents, np.float64) * log(base))


def whole_power(base: float, exponent: int) -> float:
    """Return `base` to a whole power of 0 or more, by squaring."""
    total, factor = 1.0, base
    while exponent > 0:
        if exponent & 1:
            total *= factor
        factor *= factor
        exponent >>= 1
    return total


def half_cosine(share: NDArray[np.floating]) -> Doubles:
    """Return cos(π · share) of shares from 0 to 1."""
    # Of the nearest quarter: cosine at its ends, sine at its middle.
    outer = np.pi * np.where(share > 0.5, 1.0 - share, share)
    inner = np.pi * (0.5 - share)
    cosine = np.where(share > 0.5, -1.0, 1.0) * _series(outer, 0)
    return np.where(np.abs(share - 0.5) < 0.25, inner * _series(inner, 1), cosine)


def _series(x: NDArray[np.floating], first: int) -> Doubles:
    """Return cos x for `first` 0, sin(x)/x for 1."""
    square, total = -x * x, np.zeros_like(x)
    for coefficient in _factorials(first, 2, QUARTER_TERMS):
        total = total * square + coefficient
    return total
