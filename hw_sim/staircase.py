"""Squashing functions as staircases: the state as a step function of the integer sum, exactly.

A sum is an integer and the squashing function is monotone, so the rounded state changes at integer
thresholds. They are computed once, exactly; a look-up then replaces the function. Every representable
slope, amplitude and format is a rational number and tanh of a rational number other than 0 is
irrational, so no threshold is a tie except at 0.
"""

import math
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext

import numpy as np
from numpy.typing import NDArray

from hw_sim.formats import CAST_LIMIT, Fixed, Rounding, cast
from retronet.errors import InputError
from retronet.network import Tanh

MAX_LEVELS = 1 << 18
MAX_CELLS = 1 << 22
NEVER = CAST_LIMIT
"""Stands for a threshold that no sum reaches."""


@dataclass(frozen=True)
class Staircase:
    """A step function of integers, cut into cells of ``2^shift`` integers with at most one threshold each.

    Attributes
    ----------
    first, final, shift : int
        A sum, brought between `first` and `final`, belongs to the cell ``(sum − first) >> shift``.
    thresholds : ndarray of int64, shape (cells,)
        From here on a cell has the level of the next one.
    levels : ndarray of int32, shape (cells + 1,)
        The state at the beginning of each cell.
    inside, beyond : int
        Sums from `inside` to ``beyond − 1`` have states that did not overflow.
    """

    first: int
    final: int
    shift: int
    thresholds: NDArray[np.int64]
    levels: NDArray[np.int32]
    inside: int
    beyond: int


def tanh_staircase(tanh: Tanh, frac_bits: int, state: Fixed) -> Staircase:
    """Return `tanh` of sums with `frac_bits` fraction bits, cast to `state`.

    Raises
    ------
    InputError
        If the format asks for more levels than a table holds, or a constant is not positive.
    """
    if not (math.isfinite(tanh.amplitude * tanh.slope) and tanh.amplitude > 0 and tanh.slope > 0):
        raise InputError(
            f"The squashing function {tanh.amplitude} · tanh({tanh.slope} · a) has no staircase: both "
            "constants must be "
            "positive. Change the network's activation."
        )
    most = tanh.amplitude / state.step
    if most > MAX_LEVELS / 2:
        raise InputError(
            f"A tanh of amplitude {tanh.amplitude} has about {2 * most:.3g} states in {state.text}; at most "
            f"{MAX_LEVELS} are allowed. Give the states fewer fraction bits."
        )
    top = math.ceil(most)
    rounded = np.arange(-top, top + 1, dtype=np.int64)
    thresholds = _tanh_thresholds(tanh, frac_bits, state, rounded)
    inside = int(thresholds[max(state.low + top, 0)]) if state.low + top <= 2 * top else NEVER
    beyond = int(thresholds[state.high + 1 + top]) if state.high + 1 + top <= 2 * top else NEVER
    kept = cast(rounded, state.frac_bits, state)
    return _cells(thresholds, kept, inside, beyond)


def _tanh_thresholds(
    tanh: Tanh, frac_bits: int, state: Fixed, rounded: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return for each rounded state the smallest sum that is rounded to it or higher."""
    twice = _edges(state.rounding, rounded)
    ratio = twice * (0.5 * state.step / tanh.amplitude)
    scale = 2.0**frac_bits / tanh.slope
    reached = np.abs(ratio) < 1
    safe = np.where(reached, ratio, 0.0)
    sums = np.arctanh(safe) * scale
    # A few units in the last place of the ratio, magnified by the slope of artanh, and of the result.
    error = 2.0**-49 * (np.abs(sums) + scale * np.abs(safe) / np.maximum(1 - np.abs(safe), 2.0**-53))
    result = np.where(ratio < 0, -NEVER, NEVER)
    sure = reached & (np.floor(sums - error) == np.floor(sums + error)) & (np.abs(sums) < 2.0**50)
    result[sure] = np.floor(sums[sure]).astype(np.int64) + 1
    near_one = np.abs(np.abs(ratio) - 1) < 2.0**-40
    for index in np.flatnonzero((reached & ~sure) | near_one):
        result[index] = _exact_threshold(tanh, frac_bits, state.frac_bits, int(twice[index]))
    result[twice == 0] = 0  # only TRN has an edge there, and keeps it
    return result


def _edges(rounding: Rounding, rounded: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return twice the smallest value that rounds to each integer or higher.

    Whether the edge itself belongs to it does not matter: a tanh reaches none but 0.
    """
    match rounding:
        case Rounding.TRN:
            return 2 * rounded
        case Rounding.TRN_ZERO:
            return np.where(rounded > 0, 2 * rounded, 2 * rounded - 2)
        case _:
            return 2 * rounded - 1


def _exact_threshold(tanh: Tanh, frac_bits: int, state_frac_bits: int, twice: int) -> int:
    """Return the smallest integer above ``artanh(edge / amplitude) / slope``; decimals decide."""
    for digits in (60, 120, 240, 480, 960):
        with localcontext(Context(prec=digits, Emin=-999999, Emax=999999)):
            two = Decimal(2)
            ratio = Decimal(twice) * two ** (-state_frac_bits - 1) / Decimal(tanh.amplitude)
            if abs(ratio) >= 1:
                return NEVER if ratio > 0 else -NEVER
            sums = ((1 + ratio) / (1 - ratio)).ln() / 2 / Decimal(tanh.slope) * two**frac_bits
            if abs(sums) >= NEVER:
                return NEVER if sums > 0 else -NEVER
            below, above = (math.floor(sums * (1 + sign * two ** (-2 * digits))) for sign in (-1, 1))
            if below == above:
                return below + 1
    raise ArithmeticError(f"the threshold {twice}/2 steps of {tanh} stays undecided at {digits} digits")


def _cells(thresholds: NDArray[np.int64], kept: NDArray[np.int64], inside: int, beyond: int) -> Staircase:
    """Cut the staircase with ``kept[k]`` from ``thresholds[k]`` on into cells."""
    base = kept[np.flatnonzero(thresholds == -NEVER)[-1]] if (thresholds == -NEVER).any() else kept[0]
    finite = np.abs(thresholds) < NEVER
    steps, last = np.unique(thresholds[finite][::-1], return_index=True)
    values = kept[finite][::-1][last]
    changes = np.diff(values, prepend=base) != 0
    steps, values = steps[changes], values[changes]
    if steps.size == 0:
        return Staircase(0, 0, 0, np.array([NEVER]), np.full(2, base, np.int32), inside, beyond)
    first = int(steps[0]) - 1
    shift = max(int(np.diff(steps).min()).bit_length() - 1, 0) if steps.size > 1 else 0
    cells = (int(steps[-1]) - first >> shift) + 1
    if cells > MAX_CELLS:
        raise InputError(
            f"A staircase of {steps.size} thresholds over {int(steps[-1]) - first + 1} sums needs "
            f"{cells} cells; "
            f"at most {MAX_CELLS} are allowed. Give the states fewer fraction bits."
        )
    # The cells begin one sum early, where the lowest level still holds.
    starts = first + (np.arange(cells + 1, dtype=np.int64) << shift)
    reached = np.searchsorted(steps, starts, side="right")
    levels = np.concatenate(([base], values))[reached].astype(np.int32)
    inner = reached[1:] > reached[:-1]
    table = np.where(inner, steps[np.minimum(reached[:-1], steps.size - 1)], NEVER)
    return Staircase(first, int(steps[-1]), shift, table, levels, inside, beyond)
