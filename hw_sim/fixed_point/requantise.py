"""Scaling sums with an integer multiplier and a shift, as software for integer processors does it.

The real factor is written ``multiplier · 2^(shift − 31)`` with a multiplier of 31 bits. Two ways to apply it
are in use and differ by one unit now and then:

``double``
    Multiply, round to the upper 32 bits, shift and round again: TensorFlow Lite's reference, CMSIS-NN's
    default. The first rounding takes halves up, the second one away from zero.
``single``
    Multiply in 64 bits, shift and round once, halves up: both libraries' option of single rounding.
"""

import math

from retronet.errors import InputError

HIGH = 1 << 31


def multiplier_of(factor: float) -> tuple[int, int]:
    """Return the multiplier and the shift (to the left, where positive) of a positive real `factor`.

    Raises
    ------
    InputError
        If the factor is outside ``2^-31 … 2^30``.
    """
    fraction, shift = math.frexp(factor)
    multiplier = math.floor(fraction * HIGH + 0.5)
    if multiplier == HIGH:
        multiplier, shift = HIGH // 2, shift + 1
    if not -30 <= shift <= 30:
        raise InputError(
            f"Sums can not be requantised by a factor of {factor:.4g}: 2^-31 to 2^30 are allowed. Change "
            "the scale of the pre-activations."
        )
    return multiplier, shift
