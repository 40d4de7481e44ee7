"""The cast between fixed-point formats, written once for every kernel: round, then fit.

All seven rounding modes are one expression, ``(v + base + (negative if v < 0) + (bit `shift` of v, if odd))
>> shift``, and all overflow modes are arithmetic on the two ends of the range. Modes are numbers at run
time: a new format compiles nothing, and loops over lanes stay free of branches.

Room: a cast of ``|v| < 2^61`` stays inside 64 bits. Rounding by ``shift <= 62`` adds at most ``2^62 − 1``.
Larger shifts equal 62, because ``|v| · 2^-62 < 1/2`` already. A shift to the left that would pass ``2^61``
is outside every format of up to 32 bits, and only its low 32 bits can matter.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from retronet.kernels.jit import njit, part

# The order of hw_sim.formats.Rounding and Overflow.
TRN, TRN_ZERO, RND, RND_ZERO, RND_MIN_INF, RND_INF, RND_CONV = range(7)
WRAP, SAT, SAT_ZERO, SAT_SYM = range(4)

Word = Callable[..., int]
"""A machine word: what makes an integer of it."""
CastRule = Callable[..., int]
INT32: Any = np.int32
INT64: Any = np.int64

LIMIT = 1 << 61
LOW_WORD = (1 << 32) - 1
FAR = 2.0**50
SOME = 0.25


def round_of(word: Word, width_mask: int) -> CastRule:
    """Return the rounding shift for integers of one machine word; its terms come from `rounding_terms`.

    A term that is None is not there: the loop is compiled without it.
    """

    @part(optional=True)
    def round_shift(value: int, shift: int, base: int | None, negative: int | None, odd: int | None) -> int:
        # NumPy's shift stays in the word where >> widens to 64 bits, for which AVX2 has no vector shift.
        by = word(shift & width_mask)
        lifted = value
        if base is not None:
            lifted = word(lifted + word(base))
        if negative is not None:
            # Shifted by all its bits a number is its sign: −1 or 0.
            lifted = word(lifted + word(np.right_shift(value, word(width_mask)) & word(negative)))
        if odd is not None:
            lifted = word(lifted + word(np.right_shift(value, by) & word(odd)))
        return word(np.right_shift(lifted, by))

    return round_shift


class RoundingShift(NamedTuple):
    """A rounding shift: how far, and its terms; see `round_of`."""

    shift: int
    base: int | None
    negative: int | None
    odd: int | None


class Range(NamedTuple):
    """Where a cast ends. Of `wraps` and `zeroes` one at most is there: WRAP, SAT_ZERO, else saturation.

    Where `low` is absent the range that wraps begins at 0, and a single operation wraps.
    """

    low: int | None
    high: int
    wraps: bool | None
    zeroes: bool | None


def fit_of(word: Word) -> CastRule:
    """Return the fit to a range, for integers of one machine word."""

    @part(optional=True)
    def fit_range(value: int, low: int | None, high: int, wraps: bool | None, zeroes: bool | None) -> int:
        most = word(high)
        if low is None:
            return word(value & most)
        least = word(low)
        if wraps is not None:
            return word(word(word(value - least) & word(most - least)) + least)
        if zeroes is not None:
            return word(0 if value < least or value > most else value)
        return word(min(max(value, least), most))

    return fit_range


round64 = round_of(INT64, 63)


def rounding_parts(rounding: int, shift: int) -> tuple[int, int, int]:
    """Return base, negative and odd for `round_shift`; all zero where nothing is shifted out."""
    if shift <= 0 or rounding == TRN:
        return 0, 0, 0
    half = 1 << (shift - 1)
    if rounding == TRN_ZERO:
        return 0, 2 * half - 1, 0
    if rounding == RND:
        return half, 0, 0
    if rounding == RND_ZERO:
        return half - 1, 1, 0
    if rounding == RND_MIN_INF:
        return half - 1, 0, 0
    if rounding == RND_INF:
        return half, -1, 0
    return half - 1, 0, 1


rounding_terms = part()(rounding_parts)


@part()
def fit(value: int, overflow: int, low: int, high: int) -> int:
    """Return `value` brought into the range by an overflow mode."""
    if overflow == WRAP:
        return ((value - low) & (high - low)) + low
    if overflow == SAT_ZERO:
        return 0 if value < low or value > high else value
    return min(max(value, low), high)


@njit()
def cast_integer(
    value: int, shift: int, rounding: int, overflow: int, low: int, high: int
) -> tuple[int, bool]:
    """Return ``value · 2^-shift`` cast to a format, and whether it overflowed; ``|value| < 2^61``."""
    rounded = value
    if shift > 0:
        by = min(shift, 62)
        base, negative, odd = rounding_terms(rounding, by)
        rounded = round64(value, by, base, negative, odd)
    elif shift < 0 and value != 0:
        up = -shift
        if up > 61 or abs(value) > (LIMIT - 1) >> up:
            bits = ((value & LOW_WORD) << up) & LOW_WORD if up < 32 else 0
            far = LIMIT if value > 0 else -LIMIT
            return fit(bits if overflow == WRAP else far, overflow, low, high), True
        rounded = value << up
    result = fit(rounded, overflow, low, high)
    return result, result != rounded


@njit()
def cast_real(
    value: float, power: float, rounding: int, overflow: int, low: int, high: int
) -> tuple[int, bool]:
    """Return ``value · power`` cast to integers, and whether it overflowed; `power` is ``2^frac_bits``."""
    far = abs(value) >= FAR / power
    if far:
        # Beyond every format. The remainder is exact: at most two bits of such a number lie behind the point.
        scaled = math.copysign(FAR, value)
        if overflow == WRAP:
            scaled = np.fmod(value, (LOW_WORD + 1.0) / power) * power
    else:
        scaled = value * power
        if scaled == 0.0 and value != 0.0:
            scaled = math.copysign(SOME, value)  # an underflow must still round as something below one half
    doubled = 2.0 * scaled
    whole = math.floor(doubled)
    # Two fraction bits say all that rounding asks: the half, and whether anything lies below it.
    result, changed = cast_integer(2 * int(whole) + (doubled != whole), 2, rounding, overflow, low, high)
    return result, changed or far
