"""Images into lanes: real pixels cast to integers."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hw_sim.kernels.cast import INT32, Range, RoundingShift, cast_real, fit_of, round_of
from hw_sim.kernels.sums import INTEGER_LANES
from retronet.kernels.jit import njit, part

Ints = NDArray[Any]

IMAGES_TOGETHER = 16

round32, fit32 = round_of(INT32, 31), fit_of(INT32)


class PixelCast(NamedTuple):
    """How pixels become integers.

    Attributes
    ----------
    scale
        What they are divided by first, where that is not a power of two.
    power
        What they are multiplied with then: ``2^frac_bits``, or that over the scale.
    rounding, span
        Terms and range in 32 bits, where no pixel reaches 2^28 steps and the format has 30 bits or fewer.
    form : ndarray of int64
        Rounding, overflow, low and high, where that is not so.
    """

    scale: float | None
    power: float
    rounding: RoundingShift | None
    span: Range | None
    form: Ints | None


@part(optional=True)
def cast_row(
    pixels: NDArray[Any],
    scale: float | None,
    power: float,
    rounding: RoundingShift,
    span: Range,
    integers: Ints,
) -> int:
    """Cast a few pixels in 32 bits; return how many did not fit."""
    shift, base, negative, odd = rounding
    low, high, wraps, zeroes = span
    missed = 0
    for index in range(pixels.size):
        pixel = np.float64(pixels[index])
        if scale is not None:
            pixel /= scale
        doubled = pixel * power * 2.0
        whole = np.floor(doubled)
        # Two fraction bits say all that rounding asks: the half, and whether anything lies below it.
        quarter = np.int32(np.int32(2 * np.int32(whole)) + np.int32(doubled != whole))
        rounded = round32(quarter, shift, base, negative, odd)
        kept = fit32(rounded, low, high, wraps, zeroes)
        integers[index] = kept
        missed += rounded != kept
    return missed


@njit(nogil=True, optional=True)
def load_images(
    images: NDArray[Any], scale: float | None, power: float, rounding: RoundingShift | None,
    span: Range | None, form: Ints | None, border: int, block: NDArray[Any], rows: NDArray[Any],
    first: int, used: int,
) -> int:  # fmt: skip
    """Cast `used` images from `first` on into the lanes of `rows`; return how many pixels overflowed.

    Parameters
    ----------
    images : ndarray of float32 or float64, shape (n, units)
        Finite numbers.
    scale, power, rounding, span, form
        Their cast: see `PixelCast`.
    block : ndarray of int32, shape (IMAGES_TOGETHER, units)
        Room.
    rows : ndarray of the first layer's word, shape (units + 1, INTEGER_LANES)
        Filled; the last row with `border`, unused lanes with 0.
    """
    _, units = images.shape
    # A few images at a time, so that each write into the lanes fills a line of the cache.
    changed = 0
    for start in range(0, INTEGER_LANES, IMAGES_TOGETHER):
        for index in range(IMAGES_TOGETHER):
            pixels, integers = images[min(first + start + index, len(images) - 1)], block[index]
            if start + index >= used:
                for unit in range(units):
                    integers[unit] = 0
                continue
            if rounding is not None and span is not None:
                changed += cast_row(pixels, scale, power, rounding, span, integers)
            if form is not None and scale is not None:
                for unit in range(units):
                    value = np.float64(pixels[unit]) / scale
                    integers[unit], clipped = cast_real(value, power, form[0], form[1], form[2], form[3])
                    changed += clipped
        for unit in range(units):
            for index in range(IMAGES_TOGETHER):
                rows[unit, start + index] = block[index, unit]
    for lane in range(INTEGER_LANES):
        rows[units, lane] = border
    return changed


@njit(nogil=True)
def load_levels(
    images: NDArray[Any], scale: float, edges: NDArray[Any], levels: Ints, border: int, rows: Ints,
    first: int, used: int,
) -> int:  # fmt: skip
    """Do the same for `levels`: level ``k`` from ``edges[k − 1]`` on; the first and last one clip."""
    _, units = images.shape
    changed = 0
    for lane in range(INTEGER_LANES):
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
