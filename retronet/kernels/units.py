"""Squashing functions with their slopes, over contiguous rows.

Each replaces `count` sums, which start at `values` in a flat vector, by the units' values, and puts the
derivatives from `slopes` on. Its first two arguments are the function's constants, or nothing that it reads.

The slope is taken from the value: for ``y = A tanh(S a)`` it is ``S/A · (A² − y²)``, for the sigmoid
``y · (1 − y)``. That of a hard tanh is 0 at its limits, as that of a rectifier is at 0.
"""

import numpy as np
from numpy.typing import NDArray

from retronet.kernels.elementary import exp, tanh
from retronet.kernels.jit import njit, part
from retronet.kernels.vectors import fma, load8, mul8, store8

Floats = NDArray[np.floating]

TANH, RELU, IDENTITY, SIGMOID, HARD_TANH = 0, 1, 2, 3, 4
_0, _8 = np.uint64(0), np.uint64(8)


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
@njit(error_model="numpy")
def squash_tanh_single(
    amplitude: np.float32, gain: np.float32, flat: Floats, values: int, slopes: int, count: int
) -> None:
    """Squash by ``amplitude · tanh(gain · a)``, TANH, in single precision.

    tanh is an odd rational function of degree 9 over 8, fitted on |x| ≤ 8.3 (beyond, tanh is 1 to 24 bits);
    its error in single precision stays below 4e-7.
    """
    limit, one = np.float32(8.3), np.float32(1)
    square, ratio = amplitude * amplitude, gain / amplitude
    value, slope = np.uint64(values), np.uint64(slopes)
    for k in range(np.uint64(count)):
        x = gain * flat[value + k]
        # Written out: max and min are functions, and calling them keeps the loop from vectorising.
        x = x if x < limit else limit
        x = x if x > -limit else -limit
        u = x * x
        over = fma(fma(fma(fma(_P4, u, _P3), u, _P2), u, _P1), u, _P0)
        under = fma(fma(fma(fma(_Q4, u, _Q3), u, _Q2), u, _Q1), u, one)
        y = amplitude * (x * over / under)
        flat[value + k] = y
        flat[slope + k] = ratio * (square - y * y)


@njit()
def squash_tanh_double(
    amplitude: np.float64, gain: np.float64, flat: Floats, values: int, slopes: int, count: int
) -> None:
    """Do the same in double precision."""
    square, ratio = amplitude * amplitude, gain / amplitude
    value, slope = np.uint64(values), np.uint64(slopes)
    for k in range(np.uint64(count)):
        y = amplitude * tanh(gain * flat[value + k])
        flat[value + k] = y
        flat[slope + k] = ratio * (square - y * y)


@njit(error_model="numpy")
def squash_sigmoid_single(
    _low: np.float32, _high: np.float32, flat: Floats, values: int, slopes: int, count: int
) -> None:
    """Squash by SIGMOID in single precision: ½ + ½ tanh(a/2), tanh as elsewhere."""
    limit, one, half = np.float32(8.3), np.float32(1), np.float32(0.5)
    value, slope = np.uint64(values), np.uint64(slopes)
    for k in range(np.uint64(count)):
        x = half * flat[value + k]
        x = x if x < limit else limit
        x = x if x > -limit else -limit
        u = x * x
        over = fma(fma(fma(fma(_P4, u, _P3), u, _P2), u, _P1), u, _P0)
        under = fma(fma(fma(fma(_Q4, u, _Q3), u, _Q2), u, _Q1), u, one)
        y = fma(half, x * over / under, half)
        y = y if y < one else one
        y = y if y > np.float32(0) else np.float32(0)
        flat[value + k] = y
        flat[slope + k] = y * (one - y)


@njit(error_model="numpy")
def squash_sigmoid_double(
    _low: np.float64, _high: np.float64, flat: Floats, values: int, slopes: int, count: int
) -> None:
    """Do the same in double precision."""
    value, slope = np.uint64(values), np.uint64(slopes)
    for k in range(np.uint64(count)):
        y = 1.0 / (1.0 + exp(-flat[value + k]))
        flat[value + k] = y
        flat[slope + k] = y * (1.0 - y)


@njit()
def squash_hard_tanh(
    low: np.floating, high: np.floating, flat: Floats, values: int, slopes: int, count: int
) -> None:
    """Squash by HARD_TANH: sums between `low` and `high` stay, others become these."""
    zero, one = flat.dtype.type(0), flat.dtype.type(1)
    value, slope = np.uint64(values), np.uint64(slopes)
    for k in range(np.uint64(count)):
        x = flat[value + k]
        flat[slope + k] = one if low < x and x < high else zero
        x = high if x > high else x
        flat[value + k] = low if x < low else x


@njit()
def squash_relu(
    _low: np.floating, _high: np.floating, flat: Floats, values: int, slopes: int, count: int
) -> None:
    """Squash by RELU: negative sums become 0."""
    zero, one = flat.dtype.type(0), flat.dtype.type(1)
    value, slope = np.uint64(values), np.uint64(slopes)
    for k in range(np.uint64(count)):
        passes = flat[value + k] > zero
        flat[value + k] = flat[value + k] if passes else zero
        flat[slope + k] = one if passes else zero


@njit()
def squash_identity(
    _low: np.floating, _high: np.floating, flat: Floats, _values: int, slopes: int, count: int
) -> None:
    """Squash by IDENTITY: sums stay, with slope 1."""
    one, slope = flat.dtype.type(1), np.uint64(slopes)
    for k in range(np.uint64(count)):
        flat[slope + k] = one


SQUASHING = {
    TANH: (squash_tanh_single, squash_tanh_double),
    RELU: (squash_relu, squash_relu),
    IDENTITY: (squash_identity, squash_identity),
    SIGMOID: (squash_sigmoid_single, squash_sigmoid_double),
    HARD_TANH: (squash_hard_tanh, squash_hard_tanh),
}
"""The functions in single and in double precision."""


@part(later=True)
def multiply(values: Floats, first: int, factors: Floats, first_factor: int, count: int) -> None:
    """Multiply `count` values by as many factors; each start there in a flat vector.

    What else the last eight hold is multiplied, too: nothing, or numbers that nobody reads.
    """
    value, factor = np.uint64(first), np.uint64(first_factor)
    for k in range(_0, np.uint64(count), _8):
        store8(values, value + k, mul8(load8(values, value + k), load8(factors, factor + k)))
