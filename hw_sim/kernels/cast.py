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
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

# The order of hw_sim.formats.Rounding and Overflow.
TRN, TRN_ZERO, RND, RND_ZERO, RND_MIN_INF, RND_INF, RND_CONV = range(7)
WRAP, SAT, SAT_ZERO, SAT_SYM = range(4)

Word = Callable[..., int]
"""A machine word: what makes an integer of it."""
Rule = Callable[..., int]
INT32: Any = np.int32
INT64: Any = np.int64

LIMIT = 1 << 61
LOW_WORD = (1 << 32) - 1
FAR = 2.0**50
SOME = 0.25


def round_of(word: Word, width_mask: int) -> Rule:
    """Return the rounding shift for integers of one machine word; its terms come from `rounding_terms`."""

    @njit(cache=True)
    def round_shift(value: int, shift: int, base: int, negative: int, odd: int) -> int:
        # NumPy's shift stays in the word where >> widens to 64 bits, for which AVX2 has no vector shift.
        # Shifted by all its bits a number is its sign: −1 or 0.
        by = word(shift & width_mask)
        sign = word(np.right_shift(value, word(width_mask)) & negative)
        tie = word(np.right_shift(value, by) & odd)
        return word(np.right_shift(word(value + base + sign + tie), by))

    return round_shift


def wrap_of(word: Word) -> Rule:
    """Return WRAP for one machine word; the range is a full one, of ``2^bits`` integers."""

    @njit(cache=True)
    def wrap(value: int, low: int, high: int) -> int:
        return word(word(word(value - low) & word(high - low)) + low)

    return wrap


def mask_of(word: Word) -> Rule:
    """Return WRAP for one machine word and a range that begins at 0: a single operation."""

    @njit(cache=True)
    def mask(value: int, low: int, high: int) -> int:  # noqa: ARG001
        return word(value & high)

    return mask


def clamp_of(word: Word) -> Rule:
    """Return SAT for one machine word, and SAT_SYM where the range is symmetric."""

    @njit(cache=True)
    def clamp(value: int, low: int, high: int) -> int:
        return word(min(max(value, low), high))

    return clamp


def zero_of(word: Word) -> Rule:
    """Return SAT_ZERO for one machine word."""

    @njit(cache=True)
    def zero(value: int, low: int, high: int) -> int:
        return word(0 if value < low or value > high else value)

    return zero


round64 = round_of(INT64, 63)
wrap64 = wrap_of(INT64)
clamp64 = clamp_of(INT64)
zero64 = zero_of(INT64)


@njit(cache=True)
def rounding_terms(rounding: int, shift: int) -> tuple[int, int, int]:
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


@njit(cache=True)
def fit(value: int, overflow: int, low: int, high: int) -> int:
    """Return `value` brought into the range by an overflow mode."""
    if overflow == WRAP:
        return wrap64(value, low, high)
    if overflow == SAT_ZERO:
        return zero64(value, low, high)
    return clamp64(value, low, high)


@njit(cache=True)
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
            if overflow == WRAP:
                return wrap64(bits, low, high), True
            return fit(LIMIT if value > 0 else -LIMIT, overflow, low, high), True
        rounded = value << up
    result = fit(rounded, overflow, low, high)
    return result, result != rounded


@njit(cache=True)
def cast_real(
    value: float, power: float, rounding: int, overflow: int, low: int, high: int
) -> tuple[int, bool]:
    """Return ``value · power`` cast to integers, and whether it overflowed; `power` is ``2^frac_bits``."""
    far = abs(value) >= FAR / power
    if far:
        # Beyond every format. The remainder is exact: at most two bits of such a number lie behind the point.
        scaled = value % ((LOW_WORD + 1.0) / power) * power if overflow == WRAP else math.copysign(FAR, value)
    else:
        scaled = value * power
        if scaled == 0.0 and value != 0.0:
            scaled = math.copysign(SOME, value)  # an underflow must still round as something below one half
    doubled = 2.0 * scaled
    whole = math.floor(doubled)
    # Two fraction bits say all that rounding asks: the half, and whether anything lies below it.
    result, changed = cast_integer(2 * int(whole) + (doubled != whole), 2, rounding, overflow, low, high)
    return result, changed or far


@njit(cache=True)
def cast_integers(
    values: NDArray[Any], results: NDArray[Any], shift: int, rounding: int, overflow: int, low: int, high: int
) -> int:
    """Cast flat int64 `values` into `results`; return how many overflowed."""
    changed = 0
    for index in range(values.size):
        results[index], clipped = cast_integer(values[index], shift, rounding, overflow, low, high)
        changed += clipped
    return changed


@njit(cache=True)
def cast_reals(
    values: NDArray[Any],
    results: NDArray[Any],
    frac_bits: int,
    rounding: int,
    overflow: int,
    low: int,
    high: int,
) -> int:
    """Cast flat float64 `values` into `results`; return how many overflowed."""
    changed = 0
    power = 2.0**frac_bits
    for index in range(values.size):
        results[index], clipped = cast_real(values[index], power, rounding, overflow, low, high)
        changed += clipped
    return changed
