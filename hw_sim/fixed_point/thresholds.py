"""Where activations reach a state: exact inverses on a grid of integers.

A sum is ``n · unit`` with an integer ``n`` and a rational `unit`. Every function here returns the smallest
``n`` at which a non-decreasing function reaches (or exceeds) given edges; the edges are ``twice / 2`` steps
of a rational size. No step is taken in floating point unless its error is known not to matter.
"""

import math
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hw_sim.formats.fixed import CAST_LIMIT, Fixed
from hw_sim.formats.modes import Rounding
from hw_sim.plan.activations import PiecewiseLinear
from retronet.network import HardTanh, Tanh

NEVER = CAST_LIMIT
"""Stands for a threshold that no sum reaches; its negative for one that every sum has reached."""

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


def rounding_edges(rounding: Rounding, results: Ints) -> tuple[Ints, Flags]:
    """Return twice the least real that rounds to each of `results` or more, and whether it does so itself."""
    always, up = np.ones(results.shape, np.bool_), results > 0
    match rounding:
        case Rounding.TRN:
            return 2 * results, always
        case Rounding.TRN_ZERO:
            return np.where(up, 2 * results, 2 * results - 2), up
        case Rounding.RND:
            return 2 * results - 1, always
        case Rounding.RND_MIN_INF:
            return 2 * results - 1, ~always
        case Rounding.RND_ZERO:
            return 2 * results - 1, ~up
        case Rounding.RND_INF:
            return 2 * results - 1, up
        case Rounding.RND_CONV:
            return 2 * results - 1, results % 2 == 0
        case Rounding.STOCHASTIC:
            raise ValueError("stochastic rounding has no edges")


def line(twice: Ints, reached: Flags, size: Fraction, unit: Fraction, gain: float) -> Ints:
    """Return the thresholds of ``gain · sum``."""
    ratio = size / (2 * unit * Fraction(gain))
    scaled = twice.astype(object) * ratio.numerator
    down = scaled // ratio.denominator
    exact = down * ratio.denominator == scaled
    return _clip(down + np.where(exact & reached, 0, 1))


def rectified(twice: Ints, reached: Flags, size: Fraction, unit: Fraction) -> Ints:
    """Return the thresholds of ``max(sum, 0)``."""
    always = (twice < 0) | ((twice == 0) & reached)
    return np.where(always, -NEVER, line(twice, reached, size, unit, 1.0))


def held_between(hard: HardTanh, twice: Ints, reached: Flags, size: Fraction, unit: Fraction) -> Ints:
    """Return the thresholds of the sum itself, held between two limits."""

    def passed(limit: float) -> Flags:
        edge = 2 * Fraction(limit) / size
        below = min(max(math.ceil(edge), -(1 << 62)), 1 << 62)
        return np.where(twice == below, reached & (below == edge), twice < below)

    middle = line(twice, reached, size, unit, 1.0)
    return np.where(passed(hard.low), -NEVER, np.where(passed(hard.high), middle, NEVER))


def piecewise(points: PiecewiseLinear, twice: Ints, reached: Flags, size: Fraction, unit: Fraction) -> Ints:
    """Return the thresholds of straight lines between points."""
    exact = [(Fraction(x), Fraction(y)) for x, y in points.points]
    thresholds = [
        _crossing(exact, Fraction(int(edge)) * size / 2, bool(own), unit)
        for edge, own in zip(twice, reached, strict=True)
    ]
    return _clip(np.array(thresholds, dtype=object))


def _crossing(points: list[tuple[Fraction, Fraction]], edge: Fraction, own: bool, unit: Fraction) -> int:
    def passed(state: Fraction) -> bool:
        return state > edge or (own and state == edge)

    if passed(points[0][1]):
        return -NEVER
    for (x0, y0), (x1, y1) in pairwise(points):
        if passed(y1):
            n = (x0 + (edge - y0) * (x1 - x0) / (y1 - y0)) / unit
            return math.ceil(n) if own else math.floor(n) + 1
    return NEVER


def thresholds_of_tanh(
    tanh: Tanh, twice: Ints, reached: Flags, size: Fraction, unit: Fraction, raised: Fraction = Fraction(0)
) -> Ints:
    """Return the thresholds of a tanh, `raised` by so much: the sigmoid is ``½ + ½ tanh(a/2)``.

    Amplitude, slope, unit and edges are rational, and the tanh of a rational number other than 0 is
    irrational: no edge is met but at 0. Double precision decides where its error can not, decimals the rest.
    """
    exact_ratio, exact_scale = size / 2 / Fraction(tanh.amplitude), 1 / (unit * Fraction(tanh.slope))
    offset = raised / Fraction(tanh.amplitude)
    ratio, scale = twice * float(exact_ratio) - float(offset), float(exact_scale)
    inside = np.abs(ratio) < 1
    safe = np.where(inside, ratio, 0.0)
    sums = np.arctanh(safe) * scale
    # A few units in the last place of the ratio, magnified by the slope of artanh, and of the result.
    size_of_ratio = np.abs(safe) + float(offset)
    error = 2.0**-48 * (np.abs(sums) + scale * size_of_ratio / np.maximum(1 - np.abs(safe), 2.0**-53))
    result = np.where(ratio < 0, -NEVER, NEVER)
    sure = inside & (np.floor(sums - error) == np.floor(sums + error)) & (np.abs(sums) < 2.0**50)
    result[sure] = np.floor(sums[sure]).astype(np.int64) + 1
    near_one = np.abs(np.abs(ratio) - 1) < 2.0**-40
    for index in np.flatnonzero((inside & ~sure) | near_one):
        result[index] = _exact_crossing(int(twice[index]) * exact_ratio - offset, exact_scale)
    middle = offset / exact_ratio
    at_middle = (twice == math.floor(middle)) & (middle.denominator == 1)
    return np.where(at_middle, np.where(reached, 0, 1), result)


def _exact_crossing(ratio: Fraction, scale: Fraction) -> int:
    """Return the smallest integer above ``artanh(ratio) · scale``."""
    if abs(ratio) >= 1 or ratio == 0:
        return (NEVER if ratio > 0 else -NEVER) if ratio else 1
    for digits in (60, 120, 240, 480, 960):
        with localcontext(Context(prec=digits, Emin=-999999, Emax=999999)):
            argument = (1 + ratio) / (1 - ratio)
            sums = (Decimal(argument.numerator) / argument.denominator).ln() / 2
            sums *= Decimal(scale.numerator) / scale.denominator
            if abs(sums) >= NEVER:
                return NEVER if sums > 0 else -NEVER
            # Far more than the error: the logarithm of a number near 1 keeps fewer digits than the number.
            error = abs(sums) + Decimal(scale.numerator) / scale.denominator
            error *= Decimal(10) ** (-digits // 2)
            below, above = math.floor(sums - error), math.floor(sums + error)
            if below == above:
                return below + 1
    raise ArithmeticError(f"the threshold artanh({ratio}) · {scale} stays undecided at {digits} digits")


def _clip(numbers: NDArray[np.object_]) -> Ints:
    return np.clip(numbers, -NEVER, NEVER).astype(np.int64)


def fixed_levels(form: Fixed, lowest: int, highest: int) -> Ints:
    """Return the rounded results from `lowest` to `highest` that a format has to be asked about.

    Where a format saturates, all results beyond an end are alike and one stands for them.
    """
    if form.overflow != "WRAP":
        lowest, highest = max(lowest, form.low - 1), min(highest, form.high + 1)
    return np.arange(lowest, highest + 1, dtype=np.int64)
