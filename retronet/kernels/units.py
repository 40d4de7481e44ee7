"""Squashing functions with their slopes, over contiguous rows.

The slope is taken from the value: for ``y = A tanh(S a)`` it is ``S/A · (A² − y²)``.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.floating]

TANH, RELU, IDENTITY = 0, 1, 2


_P0, _P1, _P2, _P3, _P4 = (
    np.float32(number)
    for number in (
        0.9999999567637818,
        0.13419126551328345,
        0.0035412685474814506,
        2.1382162766887346e-05,
        1.4478646716592747e-08,
    )
)
_Q1, _Q2, _Q3, _Q4 = (
    np.float32(number)
    for number in (0.4675244221206318, 0.026049620076424373, 0.0003361197280666167, 8.224624927980805e-07)
)


# The numpy error model: a check for division by zero would keep the loop from vectorising.
@njit(cache=True, fastmath={"contract"}, error_model="numpy")
def squash_tanh_single(amplitude: np.float32, gain: np.float32, values: Floats, slopes: Floats) -> None:
    """Do what `squash` does for TANH in single precision.

    tanh is an odd rational function of degree 9 over 8, fitted on |x| ≤ 8.3 (beyond, tanh is 1 to 24 bits);
    its error in single precision stays below 4e-7.
    """
    limit, one = np.float32(8.3), np.float32(1)
    square, ratio = amplitude * amplitude, gain / amplitude
    for i in range(values.shape[0]):
        for k in range(values.shape[1]):
            x = max(-limit, min(limit, gain * values[i, k]))
            u = x * x
            over = (((_P4 * u + _P3) * u + _P2) * u + _P1) * u + _P0
            under = (((_Q4 * u + _Q3) * u + _Q2) * u + _Q1) * u + one
            y = amplitude * (x * over / under)
            values[i, k] = y
            slopes[i, k] = ratio * (square - y * y)


@njit(cache=True)
def squash(kind: int, amplitude: np.floating, gain: np.floating, values: Floats, slopes: Floats) -> None:
    """Replace the sums in `values` by the unit's values and put the derivatives into `slopes`.

    Parameters
    ----------
    kind
        TANH, RELU or IDENTITY.
    amplitude, gain
        The constants of ``amplitude · tanh(gain · a)``, in the precision of `values`.
    values, slopes
        Arrays (maps, positions).
    """
    zero, one = values.dtype.type(0), values.dtype.type(1)
    if kind == TANH and values.itemsize == 4:
        squash_tanh_single(amplitude, gain, values, slopes)
    elif kind == TANH:
        square, ratio = amplitude * amplitude, gain / amplitude
        for i in range(values.shape[0]):
            for k in range(values.shape[1]):
                y = amplitude * math.tanh(gain * values[i, k])
                values[i, k] = y
                slopes[i, k] = ratio * (square - y * y)
    elif kind == RELU:
        for i in range(values.shape[0]):
            for k in range(values.shape[1]):
                positive = values[i, k] > zero
                values[i, k] = values[i, k] if positive else zero
                slopes[i, k] = one if positive else zero
    else:
        for i in range(values.shape[0]):
            for k in range(values.shape[1]):
                slopes[i, k] = one
