"""Casts of whole arrays: of parameters, biases and levels, where nothing waits for a compiler.

The same arithmetic as kernels/cast.py, stated for arrays; every step is exact.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

LIMIT = 1 << 61
"""Integers below this magnitude are cast in 64 bits."""
FAR = 2.0**50
"""Numbers of so many steps lie beyond every format."""
LOW_WORD = (1 << 32) - 1
SOME = 0.25

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]


def rounded(scaled: Reals, rounding: str) -> Reals:
    """Return numbers below 2^50 rounded to integers by a mode of `hw_sim.formats.fixed.Rounding`."""
    match rounding:
        case "TRN":
            return np.floor(scaled)
        case "TRN_ZERO":
            return np.trunc(scaled)
        case "RND":
            return np.floor((np.floor(2 * scaled) + 1) / 2)
        case "RND_MIN_INF":
            return np.ceil((np.ceil(2 * scaled) - 1) / 2)
        case "RND_ZERO":
            return np.asarray(np.copysign(np.ceil((np.ceil(2 * np.abs(scaled)) - 1) / 2), scaled))
        case "RND_INF":
            return np.asarray(np.copysign(np.floor((np.floor(2 * np.abs(scaled)) + 1) / 2), scaled))
        case "RND_CONV":
            return np.rint(scaled)
        case _:
            raise ValueError(f"{rounding} is no rounding of an array")


def fit_all(values: Ints, overflow: str, low: int, high: int) -> Ints:
    """Return integers below 2^62 brought into a range by a mode of `hw_sim.formats.fixed.Overflow`."""
    if overflow == "WRAP":
        return (values - low & high - low) + low
    if overflow == "SAT_ZERO":
        return np.where((values < low) | (values > high), 0, values)
    return np.clip(values, low, high)


def cast_reals(
    values: Reals, frac_bits: int, rounding: str, overflow: str, low: int, high: int
) -> tuple[Ints, int]:
    """Return finite `values` as integers of a format, and how many did not fit it."""
    power = 2.0**frac_bits
    with np.errstate(over="ignore", under="ignore"):
        scaled = values * power
    far = np.abs(scaled) >= FAR
    if far.any():
        # The remainder is exact: at most two bits of such a number lie behind the point.
        rest = np.fmod(values, (LOW_WORD + 1.0) / power) * power
        scaled = np.where(far, rest if overflow == "WRAP" else np.copysign(FAR, values), scaled)
    if power < 1:
        # An underflow must still round as something below one half.
        scaled = np.where((scaled == 0) & (values != 0) & ~far, np.copysign(SOME, values), scaled)
    whole = rounded(scaled, rounding).astype(np.int64)
    kept = fit_all(whole, overflow, low, high)
    return kept, int(np.count_nonzero((kept != whole) | far))


def cast_integers(
    values: Ints, shift: int, rounding: str, overflow: str, low: int, high: int
) -> tuple[Ints, int]:
    """Return ``values · 2^-shift``, below 2^61 before, as integers of a format, and how many did not fit."""
    beyond: Any = False
    if shift > 0:
        whole = _shifted_down(values, min(shift, 62), rounding)
    else:
        up = -shift
        room = (LIMIT - 1) >> up if up <= 61 else 0
        beyond = np.abs(values) > room
        whole = np.where(beyond, 0, values) << min(up, 61)
    kept = fit_all(whole, overflow, low, high)
    if np.any(beyond):
        if overflow == "WRAP":
            # Of what leaves 64 bits only the low 32 can matter.
            bits = ((values & LOW_WORD) << up) & LOW_WORD if up < 32 else np.zeros_like(values)
            ends = fit_all(bits, overflow, low, high)
        else:
            ends = fit_all(np.where(values > 0, LIMIT, -LIMIT), overflow, low, high)
        kept = np.where(beyond, ends, kept)
    return kept, int(np.count_nonzero((kept != whole) | beyond))


def _shifted_down(values: Ints, by: int, rounding: str) -> Ints:
    half, negative, odd = 1 << (by - 1), values < 0, (values >> by) & 1
    match rounding:
        case "TRN":
            return values >> by
        case "TRN_ZERO":
            return values + negative * (2 * half - 1) >> by
        case "RND":
            return values + half >> by
        case "RND_ZERO":
            return values + (half - 1) + negative >> by
        case "RND_MIN_INF":
            return values + (half - 1) >> by
        case "RND_INF":
            return values + half - negative >> by
        case "RND_CONV":
            return values + (half - 1) + odd >> by
        case _:
            raise ValueError(f"{rounding} is no rounding of an integer")
