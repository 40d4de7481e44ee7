"""The DSP-32C's number format: memory words, and the way between them and IEEE single precision.

A word holds a two's-complement mantissa of 24 bits, in [1, 2) or [-2, -1) with its leading bit implied, above
an exponent of 8 bits, biased by 128; an exponent field of 0 is zero (papers' §6.2). Numbers of the format are
carried as float64 of the same value, which holds each of them exactly.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw_sim.formats.modes import Rounding
from hw_sim.formats.staircase import Staircase, stairs
from hw_sim.kernels.dsp32c import fill_words
from retronet.errors import InputError

Doubles = NDArray[np.float64]

LARGEST_WORD = (2 - 2.0**-23) * 2.0**127
LEAST_WORD = -(2.0**128)


def from_ieee(values: NDArray[Any]) -> Doubles:
    """Convert IEEE single precision to the format, as the chip's conversion does.

    Denormals become 0; infinities and NaN saturate by their sign; all else is exact (papers' §6.3).

    Parameters
    ----------
    values : ndarray of float32
        Any shape.

    Returns
    -------
    ndarray of float64
        Numbers of the format.
    """
    singles = np.asarray(values, dtype=np.float32)
    normal = np.abs(singles) >= np.finfo(np.float32).tiny  # false for NaN
    ends = np.where(np.signbit(singles), LEAST_WORD, LARGEST_WORD)
    exact = np.where(normal, singles, np.float32(0)).astype(np.float64)
    return np.where(np.isfinite(singles), exact, ends)


def to_ieee(values: Doubles) -> NDArray[np.float32]:
    """Convert numbers of the format to IEEE single precision: guard bits dropped towards zero.

    What is below IEEE's normal numbers becomes 0, what is beyond its range (−2^128 alone) infinite.
    """
    bits = np.ascontiguousarray(values, dtype=np.float64).view(np.int64)
    truncated = (bits & ~np.int64((1 << 29) - 1)).view(np.float64)
    normal = np.abs(truncated) >= np.finfo(np.float32).tiny
    beyond = np.abs(truncated) > LARGEST_WORD
    singles = np.where(normal & ~beyond, truncated, 0.0).astype(np.float32)
    return np.where(beyond, np.copysign(np.float32(np.inf), truncated), singles).astype(np.float32)


def encode_words(values: Doubles) -> NDArray[np.uint32]:
    """Return the memory words of numbers of the format; 1.0 is ``0x00000080`` (papers' §6.2).

    Raises
    ------
    InputError
        If a number is none of the format.
    """
    numbers = np.asarray(values, dtype=np.float64)
    magnitude, power = np.frexp(np.abs(numbers))
    # frexp has magnitudes in [1/2, 1). The format has mantissas in [1, 2) and [-2, -1).
    at_edge = (numbers < 0) & (magnitude == 0.5)
    exponent = np.where(numbers == 0, 0, power - 1 - at_edge + 128)
    doubled = np.where(at_edge, 2.0, 2 * magnitude)
    fraction = np.where(numbers < 0, 2 - doubled, doubled - 1) * 2.0**23
    held = (numbers == 0) | ((exponent >= 1) & (exponent <= 255) & (fraction == np.floor(fraction)))
    if not held.all():
        raise InputError(
            f"{float(numbers[~held].flat[0])!r} is no number of the DSP-32C's memory format: it needs 24 "
            "significant bits and an exponent from -127 to 127. Convert it with from_ieee first."
        )
    mantissa = np.where(numbers == 0, 0, fraction) + np.where(numbers < 0, 2**23, 0)
    return np.asarray(mantissa * 256 + exponent, dtype=np.uint32)


def decode_words(words: NDArray[np.uint32]) -> Doubles:
    """Return the values of memory words; an exponent field of 0 is zero, whatever the mantissa."""
    patterns = np.asarray(words, dtype=np.uint32)
    exponent = (patterns & np.uint32(0xFF)).astype(np.int64)
    fraction = ((patterns >> np.uint32(8)) & np.uint32(0x7FFFFF)).astype(np.float64) * 2.0**-23
    mantissa = np.where(patterns >> np.uint32(31), -2 + fraction, 1 + fraction)
    return np.where(exponent == 0, 0.0, np.ldexp(mantissa, exponent - 128))


def word_staircase(rounding: Rounding, around: float = 1.0, steps: int = 6) -> Staircase:
    """Return how numbers beside a power of two become memory words, which lie twice as far apart beyond it.

    Parameters
    ----------
    rounding
        ``TRN`` as stores do, which drop the guard bits of an accumulator; ``RND`` to the nearest word, halves
        away from zero, as the table of tanh is rounded.
    around
        Plus or minus a power of two.
    steps
        Of the smaller kind, to either side.

    Raises
    ------
    InputError
        If the rounding is another one.
    """
    if rounding not in (Rounding.TRN, Rounding.RND):
        raise InputError(
            f"Numbers do not become words of the DSP-32C by {rounding}: TRN, as stores do, and RND are "
            "allowed. Name one of them."
        )
    step = abs(around) * 2.0**-24

    def cast(values: Doubles) -> Doubles:
        words = np.empty_like(values)
        fill_words(values, rounding is Rounding.RND, words)
        return words

    edges = np.asarray(around + 0.5 * step * np.arange(-2 * steps, 2 * steps + 1), np.float64)
    return Staircase(*stairs(cast, edges), LEAST_WORD, LARGEST_WORD, step)
