"""Images into lanes: real pixels cast to integers."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hw_sim.kernels.cast import (
    INT32,
    SAT_ZERO,
    WRAP,
    cast_real,
    clamp_of,
    round_of,
    rounding_terms,
    wrap_of,
    zero_of,
)
from hw_sim.kernels.sums import LANES

Ints = NDArray[Any]

TOGETHER = 16

round32, wrap32, clamp32, zero32 = round_of(INT32, 31), wrap_of(INT32), clamp_of(INT32), zero_of(INT32)


@njit(cache=True)
def cast_row(pixels: NDArray[Any], scale: float, power: float, form: Ints, found: Ints) -> int:
    """Cast a few pixels that stay below ``2^28`` steps, in 32 bits; return how many did not fit."""
    overflow, low, high = form[2], np.int32(form[3]), np.int32(form[4])
    base, negative, odd = rounding_terms(form[1], 2)
    lift, below, tie = np.int32(base), np.int32(negative), np.int32(odd)
    missed = 0
    for index in range(pixels.size):
        doubled = np.float64(pixels[index]) / scale * power * 2.0
        whole = np.floor(doubled)
        # Two fraction bits say all that rounding asks: the half, and whether anything lies below it.
        quarter = np.int32(np.int32(2 * np.int32(whole)) + np.int32(doubled != whole))
        rounded = round32(quarter, 2, lift, below, tie)
        if overflow == WRAP:
            kept = wrap32(rounded, low, high)
        elif overflow == SAT_ZERO:
            kept = zero32(rounded, low, high)
        else:
            kept = clamp32(rounded, low, high)
        found[index] = kept
        missed += rounded != kept
    return missed


@njit(cache=True, nogil=True)
def load_images(
    images: NDArray[Any],
    first: int,
    used: int,
    scale: float,
    form: Ints,
    small: bool,
    border: int,
    rows: Ints,
) -> int:
    """Cast `used` images from `first` on into the lanes of `rows`; return how many pixels overflowed.

    Parameters
    ----------
    images : ndarray of float32 or float64, shape (n, units)
        Finite numbers.
    scale
        What pixels are divided by first.
    form : ndarray of int64
        Fraction bits, rounding, overflow, low, high of the format.
    small
        Whether no pixel reaches ``2^28`` steps and the format has 30 bits or fewer.
    rows : ndarray of int32, shape (units + 1, LANES)
        Filled; the last row with `border`, unused lanes with 0.
    """
    units = images.shape[1]
    power, rounding, overflow, low, high = 2.0 ** form[0], form[1], form[2], form[3], form[4]
    # A few images at a time, so that each write into the lanes fills a line of the cache.
    found = np.zeros((TOGETHER, units), np.int32)
    changed = 0
    for start in range(0, LANES, TOGETHER):
        for index in range(TOGETHER):
            image = first + start + index
            if start + index >= used:
                found[index] = 0
            elif small:
                changed += cast_row(images[image], scale, power, form, found[index])
            else:
                for unit in range(units):
                    value = np.float64(images[image, unit]) / scale
                    found[index, unit], clipped = cast_real(value, power, rounding, overflow, low, high)
                    changed += clipped
        for unit in range(units):
            for index in range(TOGETHER):
                rows[unit, start + index] = found[index, unit]
    for lane in range(LANES):
        rows[units, lane] = border
    return changed


@njit(cache=True, nogil=True)
def load_levels(
    images: NDArray[Any], first: int, used: int, scale: float, edges: NDArray[Any], levels: Ints, border: int,
    rows: Ints,
) -> int:  # fmt: skip
    """Do the same for `levels`: level ``k`` from ``edges[k − 1]`` on; the first and last one clip."""
    units = images.shape[1]
    changed = 0
    for lane in range(LANES):
        for unit in range(units):
            level = 0
            if lane < used:
                value = np.float64(images[first + lane, unit]) / scale
                place = np.searchsorted(edges, value, side="right")
                changed += place == 0 or place == edges.size
                level = levels[place]
            rows[unit, lane] = level
        rows[units, lane] = border
    return changed
